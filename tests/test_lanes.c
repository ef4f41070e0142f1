/* The lane words of ad_simd.h against their meaning in scalar terms: on the register systems ad_v32 and ad_v64 of the backend
   that is compiled, and on the scalar systems ad_f32 and ad_f64. The file includes itself once per system. */

#ifndef LANES_TEMPLATE
#define LANES_TEMPLATE
#include "ad_simd.h"
#include "test.h"

/* Results are compared bit by bit; where a word computes, one NaN is as good as another. */
static uint64_t bits_64(double x) {
  uint64_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}
static uint32_t bits_32(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}
static double of_bits_64(uint64_t u) {
  double x;
  memcpy(&x, &u, sizeof x);
  return x;
}
static float of_bits_32(uint32_t u) {
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define W(word) PASTE(N, word) /* the word on the system N */
#define T(name) PASTE(name, N) /* a name of this test for the system N */

#define N ad_v32
#define S float
#define U uint32_t
#define SIZE 32
#define LANES AD_V32_LANES
#define LIBM(op) op##f
#define LEAST FLT_TRUE_MIN
#define MIN FLT_MIN
#define MAX FLT_MAX
#define EPS FLT_EPSILON
#define REGISTER
#include "test_lanes.c"
#undef REGISTER
#undef N
#undef LANES
#define N ad_f32
#define LANES 1
#include "test_lanes.c"
#undef N
#undef S
#undef U
#undef SIZE
#undef LANES
#undef LIBM
#undef LEAST
#undef MIN
#undef MAX
#undef EPS

#define N ad_v64
#define S double
#define U uint64_t
#define SIZE 64
#define LANES AD_V64_LANES
#define LIBM(op) op
#define LEAST DBL_TRUE_MIN
#define MIN DBL_MIN
#define MAX DBL_MAX
#define EPS DBL_EPSILON
#define REGISTER
#include "test_lanes.c"
#undef REGISTER
#undef N
#undef LANES
#define N ad_f64
#define LANES 1
#include "test_lanes.c"

static void backend_is_the_one_asked_for(void **state) {
  (void)state;
#ifdef AD_EXPECTED_SIMD
  assert_int_equal(AD_SIMD, AD_EXPECTED_SIMD);
#endif
  assert_true(AD_V32_LANES == 1 ? AD_V64_LANES == 1 : AD_V32_LANES == 2 * AD_V64_LANES);
}

#define SYSTEM(n)                                                                                                                          \
  cmocka_unit_test(unary_##n), cmocka_unit_test(binary_##n), cmocka_unit_test(fma_##n), cmocka_unit_test(no_contraction_##n),              \
      cmocka_unit_test(masks_##n), cmocka_unit_test(load_store_##n), cmocka_unit_test(guard_pages_##n), cmocka_unit_test(reductions_##n)

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(backend_is_the_one_asked_for), SYSTEM(ad_v32), SYSTEM(ad_v64), SYSTEM(ad_f32),
                                     SYSTEM(ad_f64)};
  return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}

#else /* ---- the template: N the system, S its element, U the unsigned integer of the same size, LANES how many ---- */

#define BITS PASTE(bits, SIZE)
#define OF_BITS PASTE(of_bits, SIZE)

static const S T(special)[] = {0,
                               (S)-0.0,
                               1,
                               -1,
                               (S)0.5,
                               (S)-0.5,
                               (S)1.5,
                               (S)-1.5,
                               (S)2.5,
                               (S)-2.5,
                               2,
                               -2,
                               3,
                               -3,
                               (S)0.1,
                               (S)-0.1,
                               (S)1e-30,
                               (S)1e30,
                               LEAST,
                               -LEAST,
                               MIN,
                               -MIN,
                               MIN / 2,
                               -MIN / 4,
                               MAX,
                               -MAX,
                               MAX / 2,
                               (S)INFINITY,
                               -(S)INFINITY,
                               (S)NAN,
                               -(S)NAN,
                               1 + EPS,
                               1 - EPS / 2,
                               -1 - EPS,
                               1 / EPS,
                               1 / EPS + 1,
                               (S)0.5 / EPS + (S)0.5,
                               -1 / EPS,
                               4 / EPS};
#define SPECIALS ((int)(sizeof T(special) / sizeof *T(special)))

/* the i-th number of a sequence that begins with the special values and goes on at random, over all exponents */
static S T(number)(int i) {
  if (i < SPECIALS) return T(special)[i];
  uint64_t z = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  z ^= z >> 31;
  return i % 2 ? OF_BITS((U)z) : (S)((double)(int64_t)z / 9.2e18 * 8);
}

static bool T(same)(S a, S b) { return BITS(a) == BITS(b) || (isnan(a) && isnan(b)); }

#define EXPECT(ok, word, ...)                                                                                                              \
  do {                                                                                                                                     \
    if (!(ok)) fail_msg(word ": " __VA_ARGS__);                                                                                            \
  } while (0)

static S T(ref_neg)(S x) { return OF_BITS(BITS(x) ^ (U)1 << (SIZE - 1)); }
static S T(ref_abs)(S x) { return OF_BITS(BITS(x) & ~((U)1 << (SIZE - 1))); }
static S T(ref_copysign)(S x, S s) { return OF_BITS((BITS(x) & ~((U)1 << (SIZE - 1))) | (BITS(s) & (U)1 << (SIZE - 1))); }
static S T(ref_max)(S a, S b) {
  if (isnan(a) || isnan(b)) return (S)NAN;
  if (a == b) return signbit(a) ? b : a;
  return a < b ? b : a;
}
static S T(ref_min)(S a, S b) { return T(ref_neg)(T(ref_max)(T(ref_neg)(a), T(ref_neg)(b))); }

#define UNARY(word, reference, exact)                                                                                                      \
  W(store)(r, W(word)(W(load)(x)));                                                                                                        \
  for (int l = 0; l < LANES; l++)                                                                                                          \
    EXPECT((exact) ? BITS(r[l]) == BITS(reference(x[l])) : T(same)(r[l], reference(x[l])), #word, "of %a is %a, expected %a",              \
           (double)x[l], (double)r[l], (double)reference(x[l]));

static void T(unary)(void **state) {
  (void)state;
  for (int i = 0; i < 4000; i++) {
    S x[LANES], r[LANES];
    for (int l = 0; l < LANES; l++) x[l] = T(number)(i + l);
    UNARY(neg, T(ref_neg), true)
    UNARY(abs, T(ref_abs), true)
    UNARY(sqrt, LIBM(sqrt), false)
    UNARY(floor, LIBM(floor), false)
    UNARY(ceil, LIBM(ceil), false)
    UNARY(trunc, LIBM(trunc), false)
    UNARY(rint, LIBM(rint), false)
    W(store)(r, W(k)((double)x[0]));
    for (int l = 0; l < LANES; l++) assert_true(T(same)(r[l], x[0]));
  }
}

#define BINARY(word, reference, exact)                                                                                                     \
  W(store)(r, W(word)(W(load)(x), W(load)(y)));                                                                                            \
  for (int l = 0; l < LANES; l++) {                                                                                                        \
    volatile S e = reference;                                                                                                              \
    EXPECT((exact) ? BITS(r[l]) == BITS(e) : T(same)(r[l], e), #word, "of %a and %a is %a, expected %a", (double)x[l], (double)y[l],       \
           (double)r[l], (double)e);                                                                                                       \
  }
/* the mask of a comparison, read through the words that use masks */
#define COMPARE(word, reference)                                                                                                           \
  W(store)(r, W(select)(W(word)(W(load)(x), W(load)(y)), W(k)(1), W(k)(2)));                                                               \
  for (int l = 0; l < LANES; l++) EXPECT(T(same)(r[l], (reference) ? 1 : 2), #word, "of %a and %a is wrong", (double)x[l], (double)y[l]);

static void T(binary)(void **state) {
  (void)state;
  for (int i = 0; i < SPECIALS * SPECIALS + 4000; i++) {
    S x[LANES], y[LANES], r[LANES];
    for (int l = 0; l < LANES; l++) {
      int p = i + l;
      x[l] = p < SPECIALS * SPECIALS ? T(special)[p / SPECIALS] : T(number)(2 * p);
      y[l] = p < SPECIALS * SPECIALS ? T(special)[p % SPECIALS] : T(number)(p);
    }
    BINARY(add, x[l] + y[l], false)
    BINARY(sub, x[l] - y[l], false)
    BINARY(mul, x[l] * y[l], false)
    BINARY(div, x[l] / y[l], false)
    BINARY(copysign, T(ref_copysign)(x[l], y[l]), true)
    BINARY(max, T(ref_max)(x[l], y[l]), false)
    BINARY(min, T(ref_min)(x[l], y[l]), false)
    COMPARE(lt, x[l] < y[l])
    COMPARE(le, x[l] <= y[l])
    COMPARE(eq, x[l] == y[l])
    COMPARE(ne, x[l] != y[l])
  }
}

static void T(fma)(void **state) {
  (void)state;
  for (int i = 0; i < SPECIALS * SPECIALS * SPECIALS; i += LANES) {
    S a[LANES], b[LANES], c[LANES], r[LANES];
    for (int l = 0; l < LANES; l++) {
      int p = i + l;
      a[l] = T(special)[p % SPECIALS], b[l] = T(special)[p / SPECIALS % SPECIALS], c[l] = T(special)[p / SPECIALS / SPECIALS % SPECIALS];
      if (p % 3 == 0) a[l] = T(number)(p), b[l] = T(number)(2 * p); /* random a and b, c near the product or special */
      if (p % 6 == 0 && (double)LIBM(fabs)(a[l]) < 1e15 && (double)LIBM(fabs)(b[l]) < 1e15) c[l] = -(a[l] * b[l]);
    }
    W(store)(r, W(fma)(W(load)(a), W(load)(b), W(load)(c)));
    for (int l = 0; l < LANES; l++)
      EXPECT(T(same)(r[l], LIBM(fma)(a[l], b[l], c[l])), "fma", "of %a %a %a is %a", (double)a[l], (double)b[l], (double)c[l],
             (double)r[l]);
    W(store)(r, W(fnma)(W(load)(a), W(load)(b), W(load)(c)));
    for (int l = 0; l < LANES; l++)
      EXPECT(T(same)(r[l], LIBM(fma)(-a[l], b[l], c[l])), "fnma", "of %a %a %a is %a", (double)a[l], (double)b[l], (double)c[l],
             (double)r[l]);
  }
}

/* a product and a sum written as two words are rounded twice: (1+e)(1+e) - (1+2e) is 0, fused it would be e^2 */
static void T(no_contraction)(void **state) {
  (void)state;
#ifdef REGISTER
  S a[LANES], c[LANES], r[LANES];
  for (int l = 0; l < LANES; l++) a[l] = 1 + EPS, c[l] = -1 - 2 * EPS;
  W(store)(r, W(add)(W(mul)(W(load)(a), W(load)(a)), W(load)(c)));
  for (int l = 0; l < LANES; l++) assert_true(r[l] == 0);
  W(store)(r, W(sub)(W(mul)(W(load)(a), W(load)(a)), W(neg)(W(load)(c))));
  for (int l = 0; l < LANES; l++) assert_true(r[l] == 0);
#endif
}

static void T(masks)(void **state) {
  (void)state;
  S zero[LANES], one[LANES], r[LANES], a[LANES], b[LANES];
  for (int l = 0; l < LANES; l++) {
    zero[l] = 0, one[l] = 1;
    a[l] = OF_BITS((U)0x7ff80000dead0000u ^ (U)l),
    b[l] = OF_BITS((U)0x0123456789abcdefu + (U)l); /* any pattern of bits, signalling NaN excepted */
    if (isnan(a[l])) a[l] = (S)NAN;
  }
  for (unsigned p = 0; p < 1u << LANES; p++) {
    S x[LANES], y[LANES];
    for (int l = 0; l < LANES; l++) x[l] = (S)(p >> l & 1), y[l] = (S)((p * 2654435761u) >> (31 - l) & 1);
    W(mask) m = W(eq)(W(load)(x), W(load)(one)), n = W(eq)(W(load)(y), W(load)(one));
    assert_int_equal(W(any)(m), p != 0);
    assert_int_equal(W(all)(m), p + 1 == 1u << LANES);
    assert_int_equal(W(all)(W(not )(m)), p == 0);
    W(store)(r, W(select)(m, W(load)(a), W(load)(b)));
    for (int l = 0; l < LANES; l++) assert_true(BITS(r[l]) == BITS(x[l] == 1 ? a[l] : b[l]));
    W(store)(r, W(only)(m, W(load)(a)));
    for (int l = 0; l < LANES; l++) assert_true(BITS(r[l]) == (x[l] == 1 ? BITS(a[l]) : 0));
    W(store)(r, W(only)(W(and)(m, n), W(load)(one)));
    for (int l = 0; l < LANES; l++) assert_true(r[l] == (x[l] == 1 && y[l] == 1 ? 1 : 0));
    W(store)(r, W(only)(W(or)(m, n), W(load)(one)));
    for (int l = 0; l < LANES; l++) assert_true(r[l] == (x[l] == 1 || y[l] == 1 ? 1 : 0));
    W(store)(r, W(only)(W(not )(m), W(load)(one)));
    for (int l = 0; l < LANES; l++) assert_true(r[l] == (x[l] == 1 ? 0 : 1));
  }
  /* what is not selected leaves no trace: a NaN or an infinity in the other branch */
  for (int l = 0; l < LANES; l++) a[l] = l % 2 ? (S)NAN : (S)INFINITY;
  W(store)(r, W(select)(W(lt)(W(load)(one), W(load)(zero)), W(load)(a), W(load)(one)));
  for (int l = 0; l < LANES; l++) assert_true(r[l] == 1);
  W(store)(r, W(only)(W(lt)(W(load)(one), W(load)(zero)), W(load)(a)));
  for (int l = 0; l < LANES; l++) assert_true(BITS(r[l]) == 0);
}

/* every length at every offset within a line of cache; numbers include NaNs, which must come through unchanged */
static void T(load_store)(void **state) {
  (void)state;
  enum { ROOM = 64 };
  S from[ROOM + 2 * LANES], to[ROOM + 2 * LANES];
  for (int i = 0; i < ROOM + 2 * LANES; i++) from[i] = i % 5 == 3 ? T(special)[i % SPECIALS] : (S)(i + 1);
  for (int at = 0; at < ROOM; at++)
    for (int n = 1; n <= LANES; n++) {
      S lane[LANES];
      W(store)(lane, W(load_n)(from + at, n));
      for (int l = 0; l < LANES; l++) assert_true(BITS(lane[l]) == BITS(from[l < n ? at + l : at]));
      for (int i = 0; i < ROOM + 2 * LANES; i++) to[i] = (S)-7;
      W(store_n)(to + at, W(load)(from + at), n);
      for (int i = 0; i < ROOM + 2 * LANES; i++) assert_true(BITS(to[i]) == BITS(i >= at && i < at + n ? from[i] : (S)-7));
      if (n < LANES) continue;
      W(store)(to + at, W(load)(from + at));
      for (int i = at; i < at + LANES; i++) assert_true(BITS(to[i]) == BITS(from[i]));
    }
}

/* nothing is touched before the first or after the last element: the pages there fault */
static void T(guard_pages)(void **state) {
  (void)state;
  guarded g = guarded_create();
  S *first = (S *)g.first, *end = (S *)g.end;
  for (int n = 1; n <= LANES; n++)
    for (int side = 0; side < 2; side++) {
      S *p = side ? end - n : first, lane[LANES];
      for (int l = 0; l < n; l++) p[l] = (S)(l + 1);
      W(store)(lane, W(load_n)(p, n));
      for (int l = 0; l < LANES; l++) assert_true(lane[l] == (S)(l < n ? l + 1 : 1));
      W(store_n)(p, W(add)(W(load_n)(p, n), W(k)(10)), n);
      for (int l = 0; l < n; l++) assert_true(p[l] == (S)(l + 11));
    }
  W(store)(first, W(load)(end - LANES));
  W(store)(end - LANES, W(load)(first));
  guarded_destroy(&g);
}

static S T(tree)(const S *x, int n) {
  S half[LANES];
  if (n == 1) return x[0];
  for (int i = 0; i < n / 2; i++) {
    volatile S sum = x[i] + x[i + n / 2];
    half[i] = sum;
  }
  return T(tree)(half, n / 2);
}

static void T(reductions)(void **state) {
  (void)state;
  for (int i = 0; i < 4000; i++) {
    S x[LANES];
    for (int l = 0; l < LANES; l++) x[l] = T(number)(i < SPECIALS ? i : i + l);
    EXPECT(T(same)(W(sum)(W(load)(x)), T(tree)(x, LANES)), "sum", "is %a, expected %a", (double)W(sum)(W(load)(x)),
           (double)T(tree)(x, LANES));
#ifdef REGISTER
    S highest = x[0], lowest = x[0];
    for (int l = 1; l < LANES; l++) highest = T(ref_max)(highest, x[l]), lowest = T(ref_min)(lowest, x[l]);
    EXPECT(T(same)(W(highest)(W(load)(x)), highest), "highest", "is %a, expected %a", (double)W(highest)(W(load)(x)), (double)highest);
    EXPECT(T(same)(W(lowest)(W(load)(x)), lowest), "lowest", "is %a, expected %a", (double)W(lowest)(W(load)(x)), (double)lowest);
#endif
  }
}

#undef SPECIALS
#undef BITS
#undef OF_BITS
#undef EXPECT
#undef UNARY
#undef BINARY
#undef COMPARE
#endif
