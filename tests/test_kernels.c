/* The kernels that ad.h makes of every row of the table, and the views they run over: element by element the same bits as
   the kernel over one element, at every length, position, alignment and layout. The file includes itself once per type. */

#ifndef KERNELS_TEMPLATE
#define KERNELS_TEMPLATE
#define AD_IMPLEMENTATION
#include "ad.h"
#include "test.h"
#include "bits.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define F(name) PASTE(S, name)
#define T(name) PASTE(name, S)

/* rows that need no function of libm or SLEEF: the same bits on every backend and every system */
static const bits_entry hashes[] = {
#include "test_kernels_bits.h"
};
enum { HASHES = sizeof hashes / sizeof *hashes };
static const int exact[] = { AD_OP_neg, AD_OP_abs, AD_OP_sqrt, AD_OP_square, AD_OP_recip, AD_OP_relu, AD_OP_add, AD_OP_sub, AD_OP_mul, AD_OP_div,
  AD_OP_copysign, AD_OP_fma, AD_OP_where };

#define S ad_f32
#define HASH_ARRAY bits_add_array_f32
#include "test_kernels.c"
#undef S
#undef HASH_ARRAY
#define S ad_f64
#define HASH_ARRAY bits_add_array_f64
#include "test_kernels.c"

#define BOTH(name) cmocka_unit_test(name##_ad_f32), cmocka_unit_test(name##_ad_f64)
int main(void) {
  const struct CMUnitTest tests[] = { BOTH(rows), BOTH(zero_seed), BOTH(guards), BOTH(views), BOTH(in_place), BOTH(refused), BOTH(transposes),
    BOTH(copies), BOTH(gathers), BOTH(simple), BOTH(stored) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
#else

static S T(pool)[4][400], T(out)[400], T(seeds)[400], T(values)[400];

/* operands in the domain of the row */
static void T(fill)(int op, uint64_t seed) {
  for (int k = 0; k < 3; k++)
    for (size_t i = 0; i < 400; i++) T(pool)[k][i] = (S)(ad_ops[op].lo[k] + (ad_ops[op].hi[k] - ad_ops[op].lo[k]) * bits_uniform(&seed));
  for (size_t i = 0; i < 400; i++) T(seeds)[i] = i % 9 ? (S)(bits_uniform(&seed) - 0.5) : 0;
}
static S T(one)(int op, S x, S y, S z) {
  S v;
  const S *operand[3];
  operand[0] = &x, operand[1] = &y, operand[2] = &z;
  F(kernels)[op].value(1, operand, &v);
  return v;
}
static S T(one_partial)(int op, int k, S x, S y, S z, S v, S g, bool add, S old) {
  const S *operand[3];
  operand[0] = &x, operand[1] = &y, operand[2] = &z;
  F(kernels)[op].partial[k](1, operand, &v, &g, &old, add);
  return old;
}
static bool T(same)(S a, S b) { return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)); }

static void T(rows)(void **state) {
  (void)state;
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    T(fill)(op, (uint64_t)op);
    int arity = ad_ops[op].arity, keep = ad_ops[op].keep;
    for (size_t n = 0; n <= 67; n++)
      for (size_t offset = 0; offset < (n % 16 == 5 ? 64 / sizeof(S) : 2); offset++) {
        const S *x[3], *none[3] = { NULL, NULL, NULL };
        for (int k = 0; k < 3; k++) x[k] = T(pool)[k] + offset + (size_t)k * 3;
        S *v = T(values) + offset, *out = T(out) + offset;
        v[n] = out[n] = 99;
        F(kernels)[op].value(n, x, v);
        for (size_t i = 0; i < n; i++) assert_true(T(same)(v[i], T(one)(op, x[0][i], x[1][i], x[2][i])));
        assert_true(v[n] == 99);
        for (int k = 0; k < arity; k++)
          for (int add = 0; add < 2; add++) {
            const S *g = T(seeds) + offset;
            for (size_t i = 0; i < n; i++) out[i] = (S)(1 + i);
            F(kernels)[op].partial[k](n, keep & AD_KEEP_X ? x : none, keep & AD_KEEP_V ? v : NULL, g, out, add);
            for (size_t i = 0; i < n; i++) assert_true(T(same)(out[i], T(one_partial)(op, k, x[0][i], x[1][i], x[2][i], v[i], g[i], add, (S)(1 + i))));
            assert_true(out[n] == 99);
          }
      }
  }
}

static void T(zero_seed)(void **state) {
  (void)state;
  static const double edge[] = { 0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 1e-40, -2, 1000 };
  S big = 3;
  for (int op = 0; op < AD_OP_COUNT_; op++)
    for (int i = 0; i < 1000; i++) {
      S x = (S)edge[i % 10], y = (S)edge[i / 10 % 10], z = (S)edge[i / 100], v = T(one)(op, x, y, z);
      for (int k = 0; k < ad_ops[op].arity; k++) {
        assert_true(T(one_partial)(op, k, x, y, z, v, 0, false, big) == 0);
        assert_true(T(one_partial)(op, k, x, y, z, v, (S)-0.0, true, big) == big);
      }
    }
}

static void T(guards)(void **state) {
  (void)state;
  guarded a = guarded_create(), b = guarded_create();
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    T(fill)(op, 3);
    for (size_t n = 1; n < 40; n++)
      for (int end = 0; end < 2; end++) {
        S *x = (S *)(void *)(end ? a.end - n * sizeof(S) : a.first), *v = (S *)(void *)(end ? b.end - n * sizeof(S) : b.first);
        const S *operand[3];
        operand[0] = operand[1] = operand[2] = x;
        memcpy(x, T(pool)[0], n * sizeof(S));
        F(kernels)[op].value(n, operand, v);
        F(kernels)[op].partial[ad_ops[op].arity - 1](n, operand, v, x, v, true);
      }
  }
  guarded_destroy(&a);
  guarded_destroy(&b);
}

/* a view with random strides: contiguous, permuted, broadcast, reversed, with gaps */
static F(view) T(random_view)(S *base, int rank, const size_t *shape, uint64_t *seed, bool result) {
  F(view) v;
  int order[4] = { 0, 1, 2, 3 };
  ptrdiff_t step = 1 + (bits_uniform(seed) < 0.3);
  memset(&v, 0, sizeof v);
  v.data = base;
  if (bits_uniform(seed) < 0.5)
    for (int d = rank - 1; d > 0; d--) {
      int e = (int)(bits_uniform(seed) * (d + 1)), t = order[d];
      order[d] = order[e], order[e] = t;
    }
  for (int d = rank - 1; d >= 0; d--) {
    int at = order[d];
    if (!result && bits_uniform(seed) < 0.25) continue;
    v.stride[at] = step;
    step *= (ptrdiff_t)shape[at];
    if (bits_uniform(seed) < 0.2) v.data += v.stride[at] * (ptrdiff_t)(shape[at] - 1), v.stride[at] = -v.stride[at];
    if (bits_uniform(seed) < 0.2) step += 3;
  }
  return v;
}
static S *T(element)(F(view) v, int rank, const size_t *at) {
  S *p = v.data;
  for (int d = 0; d < rank; d++) p += (ptrdiff_t)at[d] * v.stride[d];
  return p;
}
static bool T(next)(int rank, const size_t *shape, size_t *at) {
  for (int d = rank - 1; d >= 0; d--) {
    if (++at[d] < shape[d]) return true;
    at[d] = 0;
  }
  return false;
}

static void T(views)(void **state) {
  (void)state;
  enum { MOST = 40000 };
  static S memory[6][MOST], before[MOST];
  static const size_t lengths[] = { 1, 1, 2, 3, 5, 7, 8, 16, 17, 40 };
  static const int ops[] = { AD_OP_sqrt, AD_OP_sub, AD_OP_fma };
  uint64_t seed = 5;
  for (int k = 0; k < 6; k++)
    for (size_t i = 0; i < MOST; i++) memory[k][i] = (S)(bits_uniform(&seed) + 0.1);
  for (int round = 0; round < 600; round++) {
    int op = ops[round % 3], arity = ad_ops[op].arity, rank = (int)(bits_uniform(&seed) * 5);
    size_t shape[4] = { 1, 1, 1, 1 }, at[4] = { 0, 0, 0, 0 }, total = 1;
    for (int d = 0; d < rank; d++) {
      shape[d] = lengths[(size_t)(bits_uniform(&seed) * 10)];
      if (total * shape[d] > 1500) shape[d] = 1;
      total *= shape[d];
    }
    if (rank && round % 7 == 0) shape[rank - 1] = total < 10 ? 700 : shape[rank - 1];
    F(view) x[3], v, g, out;
    for (int k = 0; k < 3; k++) x[k] = T(random_view)(memory[k], rank, shape, &seed, false);
    v = T(random_view)(memory[3], rank, shape, &seed, true);
    g = T(random_view)(memory[4], rank, shape, &seed, false);
    out = T(random_view)(memory[5], rank, shape, &seed, true);
    assert_true(F(map)(F(kernels)[op].value, arity, rank, shape, x, v));
    do {
      S want = T(one)(op, *T(element)(x[0], rank, at), *T(element)(x[1], rank, at), *T(element)(x[2], rank, at));
      assert_true(T(same)(*T(element)(v, rank, at), want));
    } while (T(next)(rank, shape, at));
    int k = arity - 1;
    bool add = round & 1;
    memcpy(before, memory[5], sizeof before);
    assert_true(F(map_partial)(F(kernels)[op].partial[k], arity, rank, shape, x, v, g, out, add));
    size_t touched = 0, changed = 0;
    memset(at, 0, sizeof at);
    do {
      S *p = T(element)(out, rank, at), old = before[p - memory[5]];
      S want = T(one_partial)(op, k, *T(element)(x[0], rank, at), *T(element)(x[1], rank, at), *T(element)(x[2], rank, at),
                              *T(element)(v, rank, at), *T(element)(g, rank, at), add, old);
      assert_true(T(same)(*p, want));
      touched += !T(same)(*p, old);
    } while (T(next)(rank, shape, at));
    for (size_t i = 0; i < MOST; i++) changed += !T(same)(memory[5][i], before[i]);
    assert_true(changed == touched);
    for (size_t i = 0; i < MOST; i++) memory[5][i] = (S)1;
  }
}

static void T(in_place)(void **state) {
  (void)state;
  for (size_t n = 1; n < 300; n += 7)
    for (int which = 0; which < 2; which++) {
      S a[300], b[300], want[300];
      const S *x[3] = { a, b, NULL };
      for (size_t i = 0; i < n; i++) a[i] = (S)i, b[i] = (S)(3 * i + 1);
      F(kernels)[AD_OP_mul].value(n, x, want);
      F(kernels)[AD_OP_mul].value(n, x, which ? b : a);
      assert_memory_equal(which ? b : a, want, n * sizeof(S));
    }
  /* transposed, result on an operand */
  S m[35], w[35];
  size_t shape[2] = { 5, 7 };
  for (int i = 0; i < 35; i++) m[i] = (S)i;
  F(view) x[2] = { F(view_of)(m, 2, shape), F(view_of)(w, 2, shape) };
  memcpy(w, m, sizeof m);
  assert_true(F(map)(F(kernels)[AD_OP_add].value, 2, 2, shape, x, x[0]));
  for (int i = 0; i < 35; i++) assert_true(m[i] == 2 * (S)i);
}

static void T(refused)(void **state) {
  (void)state;
  S m[64];
  size_t shape[2] = { 4, 4 };
  for (int i = 0; i < 64; i++) m[i] = (S)i;
  F(view) x[2] = { F(view_of)(m, 2, shape), F(view_of)(m + 32, 2, shape) }, v = F(view_of)(m + 1, 2, shape);
  assert_false(F(map)(F(kernels)[AD_OP_add].value, 2, 2, shape, x, v));
  v = x[0], v.stride[0] = 1, v.stride[1] = 4;
  assert_false(F(map)(F(kernels)[AD_OP_add].value, 2, 2, shape, x, v));
  v = F(view_of)(m + 16, 2, shape), v.stride[0] = 0;
  assert_false(F(map)(F(kernels)[AD_OP_add].value, 2, 2, shape, x, v));
  x[1].stride[0] = x[1].stride[1] = 0;
  v = F(view_of)(m + 32, 2, shape);
  assert_false(F(map)(F(kernels)[AD_OP_add].value, 2, 2, shape, x, v));
  assert_false(F(map)(F(kernels)[AD_OP_add].value, 2, AD_VIEW_RANK + 1, shape, x, v));
  for (int i = 0; i < 64; i++) assert_true(m[i] == (S)i);
  shape[1] = 0;
  assert_true(F(map)(F(kernels)[AD_OP_add].value, 2, 2, shape, x, v));
}

static void T(transposes)(void **state) {
  (void)state;
  static S x[90 * 90], y[90 * 90];
  for (size_t i = 0; i < 90 * 90; i++) x[i] = (S)i;
  for (size_t rows = 0; rows < 70; rows += rows < 20 ? 1 : 7)
    for (size_t columns = 0; columns < 70; columns += columns < 20 ? 1 : 7)
      for (size_t extra = 0; extra < 4; extra += 3) {
        for (size_t i = 0; i < 90 * 90; i++) y[i] = -1;
        F(transpose)(rows, columns, x, columns + extra, y, rows + extra);
        for (size_t j = 0; j < columns; j++)
          for (size_t i = 0; i < rows + extra; i++) assert_true(y[j * (rows + extra) + i] == (i < rows ? x[i * (columns + extra) + j] : -1));
      }
}

static void T(copies)(void **state) {
  (void)state;
  enum { MOST = 40000 };
  static S memory[MOST], out[6000];
  static const size_t lengths[] = { 1, 2, 3, 5, 8, 17, 33 };
  uint64_t seed = 6;
  for (size_t i = 0; i < MOST; i++) memory[i] = (S)i;
  for (int round = 0; round < 500; round++) {
    int rank = (int)(bits_uniform(&seed) * 5);
    size_t shape[4] = { 1, 1, 1, 1 }, at[4] = { 0, 0, 0, 0 }, total = 1, i = 0;
    for (int d = 0; d < rank; d++) {
      shape[d] = lengths[(size_t)(bits_uniform(&seed) * 7)];
      if (total * shape[d] > 3000) shape[d] = 1;
      total *= shape[d];
    }
    F(view) x = T(random_view)(memory, rank, shape, &seed, false);
    out[total] = -7;
    F(copy)(rank, shape, x, out);
    do assert_true(out[i++] == *T(element)(x, rank, at));
    while (T(next)(rank, shape, at));
    assert_true(out[total] == -7);
  }
}

static void T(gathers)(void **state) {
  (void)state;
  S x[3 * 5 * 20], out[3 * 7 * 20], dx[3 * 5 * 20];
  int32_t index[7] = { 4, 0, 0, 2, 4, 0, 1 };
  for (size_t inner = 1; inner < 20; inner += 6) {
    for (size_t i = 0; i < 15 * inner; i++) x[i] = (S)i, dx[i] = 1;
    assert_true(F(gather)(3, 5, inner, x, 7, index, out));
    for (size_t o = 0; o < 3; o++)
      for (size_t k = 0; k < 7; k++)
        for (size_t i = 0; i < inner; i++) assert_true(out[(o * 7 + k) * inner + i] == x[(o * 5 + (size_t)index[k]) * inner + i]);
    assert_true(F(scatter_add)(3, 5, inner, dx, 7, index, out));
    for (size_t o = 0; o < 3; o++)
      for (size_t j = 0; j < 5; j++)
        for (size_t i = 0; i < inner; i++) {
          S want = 1;
          for (size_t k = 0; k < 7; k++) want += (size_t)index[k] == j ? x[(o * 5 + j) * inner + i] : 0;
          assert_true(dx[(o * 5 + j) * inner + i] == want);
        }
  }
  for (int32_t bad = -1; bad <= 5; bad += 6) {
    index[3] = bad;
    memcpy(dx, x, sizeof x);
    assert_false(F(gather)(3, 5, 1, x, 7, index, out));
    assert_false(F(scatter_add)(3, 5, 1, dx, 7, index, out));
    assert_memory_equal(dx, x, sizeof x);
  }
}

static void T(simple)(void **state) {
  (void)state;
  S x[70], y[71];
  for (size_t n = 0; n < 70; n++) {
    for (size_t i = 0; i < n; i++) x[i] = (S)i, y[i] = 1;
    y[n] = 5;
    F(array_axpy)(n, 2, x, y);
    F(array_add)(n, x, y);
    F(array_scale)(n, (S)0.5, y, y);
    for (size_t i = 0; i < n; i++) assert_true(y[i] == (1 + 3 * (S)i) / 2);
    F(array_fill)(n, 3, y);
    for (size_t i = 0; i < n; i++) assert_true(y[i] == 3);
    assert_true(y[n] == 5);
  }
}

static void T(stored)(void **state) {
  (void)state;
  static const double edge[] = { 0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 1e-42, -2, 1e30 };
  for (size_t e = 0; e < sizeof exact / sizeof *exact; e++) {
    int op = exact[e];
    uint64_t h = bits_start();
    const S *x[3];
    char name[64];
    T(fill)(op, 77);
    for (size_t i = 0; i < 100; i++) T(pool)[0][i] = (S)edge[i % 10], T(pool)[1][i] = (S)edge[i / 10];
    for (int k = 0; k < 3; k++) x[k] = T(pool)[k];
    F(kernels)[op].value(397, x, T(values));
    h = HASH_ARRAY(h, 397, T(values));
    for (int k = 0; k < ad_ops[op].arity; k++) {
      F(kernels)[op].partial[k](397, x, T(values), T(seeds), T(out), false);
      h = HASH_ARRAY(h, 397, T(out));
    }
    snprintf(name, sizeof name, "%s %d", ad_ops[op].name, (int)sizeof(S) * 8);
    assert_true(bits_known(hashes, HASHES, name, h));
  }
}
#endif
