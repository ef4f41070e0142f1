/* Matrix products against their definition, bit for bit: the order of operations that >>gemm promises is written out here in
   plain loops; and against long double within the error bound. The file includes itself once per element type. */

#ifndef GEMM_TEMPLATE
#define GEMM_TEMPLATE
#include "ad_simd.h"
#include "random.h"

/* of all signs and of sizes 2^-8 .. 2^8, so that sums round at every step */
static double random_scaled(void) {
  const double x = random_number();
  return ldexp(x, (int)random_below(17) - 8);
}

#define S ad_f32
#define FMA fmaf
#define LANES AD_V32_LANES
#define VIRTUAL 16
#define EPSILON FLT_EPSILON
#define HASH_GEMM UINT64_C(0x4b9baeea1f15b4c9)
#define HASH_GEMV UINT64_C(0xfd3723bfd9660297)
#include "test_gemm.c"
#undef S
#undef FMA
#undef LANES
#undef VIRTUAL
#undef EPSILON
#undef HASH_GEMM
#undef HASH_GEMV
#define S ad_f64
#define FMA fma
#define LANES AD_V64_LANES
#define VIRTUAL 8
#define EPSILON DBL_EPSILON
#define HASH_GEMM UINT64_C(0x73f160d62048af30)
#define HASH_GEMV UINT64_C(0x16d98ff37c739f8a)
#include "test_gemm.c"

int main(void) {
  const struct CMUnitTest tests[] = {
#define BOTH(name) cmocka_unit_test(name##_ad_f32), cmocka_unit_test(name##_ad_f64)
    BOTH(test_small_shapes), BOTH(test_edges_of_memory), BOTH(test_blocks), BOTH(test_special_values), BOTH(test_finish),
    BOTH(test_batch), BOTH(test_gemv), BOTH(test_ger), BOTH(test_hash), BOTH(test_work_size),
  };
  return cmocka_run_group_tests_name("gemm", tests, NULL, NULL);
}

#else

static S T(madd)(S a, S b, S c) {
#if AD_GEMM_FUSED
  return FMA(a, b, c);
#else
  volatile S p = a * b;
  return p + c;
#endif
}
static S T(blend)(S alpha, S s, S beta, const S *c) {
  volatile S t = beta == 0 ? 0 : beta * *c;
  return beta == 0 ? alpha * s : T(madd)(alpha, s, t);
}
/* the same bits, or where expressions keep more digits than their type, what these may make of 2000 steps */
static bool T(same)(S x, S y) { if (FLT_EVAL_METHOD == 2 && fabs((double)(x - y)) <= 2000 * (double)EPSILON * (1 + fabs((double)x))) return true; return memcmp(&x, &y, sizeof x) == 0 || (x != x && y != y); }

/* a dot product of VIRTUAL partial sums, added by the tree */
static S T(dot)(size_t n, const S *x, size_t incx, const S *y, size_t incy) {
  S s[VIRTUAL] = {0};
  for (size_t i = 0; i < n; i += VIRTUAL)
    for (size_t l = 0; l < VIRTUAL; l++) s[l] = i + l < n ? T(madd)(x[(i + l) * incx], y[(i + l) * incy], s[l]) : T(madd)(0, 0, s[l]);
  for (size_t h = VIRTUAL / 2; h > 0; h /= 2)
    for (size_t l = 0; l < h; l++) s[l] += s[l + h];
  return s[0];
}

/* one element of alpha op(A) op(B) + beta C: steps of a row of A and of a column of B */
static S T(element)(size_t k, S alpha, const S *a, size_t inca, const S *b, size_t incb, S beta, S c) {
  size_t blocks = (k + AD__GEMM_K - 1) / AD__GEMM_K, step = k ? (k + blocks - 1) / blocks : 0;
  if (k == 0 || alpha == 0) return beta == 0 ? 0 : beta * c;
  for (size_t p = 0; p < k; p += step) {
    S s = 0;
    for (size_t i = p; i < p + step && i < k; i++) s = T(madd)(a[i * inca], b[i * incb], s);
    c = T(blend)(alpha, s, p ? 1 : beta, &c);
  }
  return c;
}
static S T(element_dot)(size_t k, S alpha, const S *a, size_t inca, const S *b, size_t incb, S beta, S c) {
  if (k == 0 || alpha == 0) return beta == 0 ? 0 : beta * c;
  for (size_t p = 0; p < k; p += AD__GEMV_K)
    c = T(blend)(alpha, T(dot)(k - p < AD__GEMV_K ? k - p : AD__GEMV_K, a + p * inca, inca, b + p * incb, incb), p ? 1 : beta, &c);
  return c;
}
static void T(reference)(bool ta, bool tb, size_t m, size_t n, size_t k, S alpha, const S *a, size_t lda, const S *b, size_t ldb, S beta, S *c, size_t ldc) {
  const bool dots = (n == 1 && !ta) || (n > 1 && m == 1 && tb);
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++) {
      const S *ai = ta ? a + i : a + i * lda, *bj = tb ? b + j * ldb : b + j;
      c[i * ldc + j] = (dots ? T(element_dot) : T(element))(k, alpha, ai, ta ? lda : 1, bj, tb ? 1 : ldb, beta, c[i * ldc + j]);
    }
}
static void T(fill)(S *x, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = (S)random_scaled();
}

/* One product with the operands where they are told to be; ld: what the leading dimensions exceed the widths by. */
static void T(check)(bool ta, bool tb, size_t m, size_t n, size_t k, S alpha, S beta, S *a, size_t lda, S *b, size_t ldb, S *c, size_t ldc, bool with_work) {
  const size_t rows_a = ta ? k : m, rows_b = tb ? n : k, work_size = F(gemm_work)(ta, tb, m, n, k);
  unsigned char *work = with_work && work_size ? (unsigned char *)malloc(work_size + 3) : NULL;
  S *expected = (S *)malloc((m * ldc + 1) * sizeof *expected);
  T(fill)(a, rows_a ? (rows_a - 1) * lda + (ta ? m : k) : 0);
  T(fill)(b, rows_b ? (rows_b - 1) * ldb + (tb ? k : n) : 0);
  T(fill)(c, m ? (m - 1) * ldc + n : 0);
  if (m) memcpy(expected, c, ((m - 1) * ldc + n) * sizeof *c);
  T(reference)(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, expected, ldc);
  F(gemm)(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, work ? work + 3 : NULL);
  for (size_t i = 0; m && i < (m - 1) * ldc + n; i++)
    if (!T(same)(c[i], expected[i]))
      fail_msg("%zu x %zu x %zu %c%c ld %zu %zu %zu alpha %g beta %g: element (%zu, %zu) is %.17g, not %.17g", m, n, k, ta ? 'T' : 'N', tb ? 'T' : 'N', lda, ldb, ldc, (double)alpha,
               (double)beta, i / ldc, i % ldc, (double)c[i], (double)expected[i]);
  free(work);
  free(expected);
}

static const double T(factors)[] = {1, 0, -1, 0.3, 1, 1};

static void T(test_small_shapes)(void **state) {
  static S a[70 * 80], b[70 * 80], c[70 * 80];
  (void)state;
  random_state = 2;
  for (int round = 0; round < 600; round++) {
    size_t m = random_below(68), n = round % 3 ? random_below(68) : random_below(10), k = random_below(68);
    bool ta = round & 1, tb = round & 2;
    size_t lda = (ta ? m : k) + random_below(9), ldb = (tb ? k : n) + random_below(9), ldc = n + random_below(9);
    if (round % 7 == 0) m = random_below(4);
    T(check)(ta, tb, m, n, k, (S)T(factors)[random_below(6)], (S)T(factors)[random_below(6)], a + random_below(16), lda, b + random_below(16), ldb, c + random_below(16), ldc, random_below(2));
  }
  for (size_t n = 0; n < 68; n++) T(check)(n & 1, n & 2, 67 - n, n, 1 + n % 5, 1, (S)(n % 3), a, 70, b, 70, c, 70, n & 4);
}

/* the operands end at a page that faults, then begin after one; so does the workspace, which is no larger than asked for */
static void T(test_edges_of_memory)(void **state) {
  guarded ga = guarded_create(), gb = guarded_create(), gc = guarded_create(), gw = guarded_create();
  (void)state;
  for (int round = 0; round < 240; round++) {
    size_t m = 1 + random_below(52), n = 1 + random_below(52), k = 1 + random_below(52), work;
    bool ta = round & 1, tb = round & 2;
    size_t lda = (ta ? m : k) + random_below(3), ldb = (tb ? k : n) + random_below(3), ldc = n + random_below(3);
    size_t na = ((ta ? k : m) - 1) * lda + (ta ? m : k), nb = ((tb ? n : k) - 1) * ldb + (tb ? k : n), nc = (m - 1) * ldc + n;
    S *a = (S *)(void *)(round & 4 ? ga.first : ga.end - na * sizeof(S)), *b = (S *)(void *)(round & 4 ? gb.first : gb.end - nb * sizeof(S));
    S *c = (S *)(void *)(round & 4 ? gc.first : gc.end - nc * sizeof(S));
    T(check)(ta, tb, m, n, k, 1, (S)(round % 3), a, lda, b, ldb, c, ldc, false);
    work = F(gemm_work)(ta, tb, m, n, k);
    if (work > GUARDED_SIZE) continue;
    F(gemm)(ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, ldc, gw.end - work);
    F(gemm)(ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, ldc, gw.first);
  }
  guarded_destroy(&ga);
  guarded_destroy(&gb);
  guarded_destroy(&gc);
  guarded_destroy(&gw);
}

/* more than one block of k, of m, of n; strides that make it pack */
static void T(test_blocks)(void **state) {
  static const struct { bool ta, tb; size_t m, n, k, lda, ldb; } shapes[] = {
    {false, false, 5, 37, 801, 801, 37}, {true, true, 5, 37, 1203, 5, 1203},  {false, false, 150, 403, 13, 13, 1024}, {true, false, 77, 133, 401, 1024, 1024},
    {false, false, 77, 133, 401, 1024, 140}, {false, true, 49, 800, 9, 9, 9}, {false, false, 1, 300, 450, 450, 300}, {true, false, 3, 9, 2000, 3, 9},
  };
  S *a = (S *)malloc(1300 * 1024 * sizeof *a), *b = (S *)malloc(1300 * 1024 * sizeof *b), *c = (S *)malloc(200 * 1000 * sizeof *c);
  (void)state;
  assert_non_null(a);
  assert_non_null(b);
  assert_non_null(c);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int work = 0; work < 2; work++)
      T(check)(shapes[i].ta, shapes[i].tb, shapes[i].m, shapes[i].n, shapes[i].k, (S)0.7, (S)1.3, a, shapes[i].lda, b, shapes[i].ldb, c, shapes[i].n + 1, work);
  free(a);
  free(b);
  free(c);
}

static void T(test_special_values)(void **state) {
  enum { N = 21 };
  S a[N * N], b[N * N], c[N * N];
  (void)state;
  for (int i = 0; i < N * N; i++) a[i] = b[i] = 0, c[i] = (S)NAN;
  /* beta = 0 does not read C */
  F(gemm)(false, false, N, N, N, 1, a, N, b, N, 0, c, N, NULL);
  for (int i = 0; i < N * N; i++) assert_true(c[i] == 0);
  /* zeros hide neither NaN nor infinity: row 3 of A, column 5 of B */
  a[3 * N + 20] = (S)NAN;
  b[7 * N + 5] = (S)INFINITY;
  F(gemm)(false, false, N, N, N, 1, a, N, b, N, 0, c, N, NULL);
  for (int i = 0; i < N * N; i++) assert_int_equal(i / N == 3 || i % N == 5, isnan(c[i]) != 0);
  for (int i = 0; i < N; i++) F(gemv)(false, N, N, 1, a, N, b + i, N, 0, c + i, N);
  for (int i = 0; i < N * N; i++) assert_int_equal(i / N == 3 || i % N == 5, isnan(c[i]) != 0);
  /* beta C propagates it; alpha = 0 does not read A and B; k = 0 */
  c[0] = (S)NAN;
  F(gemm)(false, false, 1, 2, 0, 1, a, N, b, N, 2, c, N, NULL);
  assert_true(isnan(c[0]));
  for (int i = 0; i < N * N; i++) c[i] = (S)i;
  F(gemm)(false, false, N, N, N, 0, a, N, b, N, 2, c, N, NULL);
  for (int i = 0; i < N * N; i++) assert_true(c[i] == (S)(2 * i));
  F(gemm)(false, false, N, N, 0, 1, NULL, N, NULL, N, 0, c, N, NULL);
  for (int i = 0; i < N * N; i++) assert_true(c[i] == 0);
  F(gemm)(false, false, 0, N, N, 1, NULL, N, NULL, N, 0, NULL, N, NULL);
  F(gemm)(false, false, N, 0, N, 1, NULL, N, NULL, N, 0, NULL, N, NULL);
}

static void T(test_finish)(void **state) {
  S a[30 * 40], b[40 * 50], c[30 * 50], expected[30 * 50], row[30], column[50];
  (void)state;
  T(fill)(row, 30);
  T(fill)(column, 50);
  T(fill)(a, 30 * 40);
  T(fill)(b, 40 * 50);
  a[77] = (S)NAN;
  for (size_t n = 1; n <= 50; n += 7)
    for (size_t k = 0; k <= 40; k += 20)
      for (int which = 0; which < 8; which++) {
        F(finish) finish;
        finish.row_bias = which & 1 ? row : NULL;
        finish.column_bias = which & 2 ? column : NULL;
        finish.relu = which & 4;
        F(gemm)(false, true, 30, n, k, 1, a, 40, b, 40, 0, expected, n, NULL);
        for (size_t i = 0; i < 30 * n; i++) {
          S x = expected[i];
          if (which & 1) x += row[i / n];
          if (which & 2) x += column[i % n];
          if (which & 4) x = x > 0 || x != x ? x : 0;
          expected[i] = x;
        }
        F(gemm_finish)(false, true, 30, n, k, 1, a, 40, b, 40, 0, c, n, &finish, NULL);
        for (size_t i = 0; i < 30 * n; i++) assert_true(T(same)(c[i], expected[i]));
      }
}

static void T(test_batch)(void **state) {
  S a[3 * 12], b[12], c[3 * 16], expected[3 * 16];
  (void)state;
  T(fill)(a, 36);
  T(fill)(b, 12);
  F(gemm_batch)(3, false, false, 4, 4, 3, 1, a, 3, 12, b, 4, 0, 0, c, 4, 16, NULL);
  for (size_t i = 0; i < 3; i++) T(reference)(false, false, 4, 4, 3, 1, a + 12 * i, 3, b, 4, 0, expected + 16 * i, 4);
  for (size_t i = 0; i < 48; i++) assert_true(T(same)(c[i], expected[i]));
  F(gemm_batch)(0, false, false, 4, 4, 3, 1, NULL, 3, 12, NULL, 4, 0, 0, NULL, 4, 16, NULL);
}

static void T(test_gemv)(void **state) {
  S *a = (S *)malloc(2200 * 70 * sizeof *a), *x = (S *)malloc(2200 * 3 * sizeof *x), *y = (S *)malloc(2200 * 3 * sizeof *y), *expected = (S *)malloc(2200 * 3 * sizeof *y);
  (void)state;
  T(fill)(a, 2200 * 70);
  T(fill)(x, 2200 * 3);
  for (int round = 0; round < 300; round++) {
    bool transposed = round & 1;
    size_t m = random_below(68), n = random_below(68), incx = 1 + random_below(3), incy = 1 + random_below(3), lda;
    S alpha = (S)T(factors)[random_below(6)], beta = (S)T(factors)[random_below(6)];
    if (round % 50 == 48) m = 1100, n = 5;
    if (round % 50 == 49) m = 7, n = 2100;
    lda = n + random_below(3);
    T(fill)(y, 2200 * 3);
    memcpy(expected, y, 2200 * 3 * sizeof *y);
    for (size_t i = 0; i < (transposed ? n : m); i++)
      expected[i * incy] = transposed ? T(element)(m, alpha, a + i, lda, x, incx, beta, expected[i * incy]) : T(element_dot)(n, alpha, a + i * lda, 1, x, incx, beta, expected[i * incy]);
    F(gemv)(transposed, m, n, alpha, a, lda, x, incx, beta, y, incy);
    for (size_t i = 0; i < 2200 * 3; i++)
      if (!T(same)(y[i], expected[i])) fail_msg("%zu x %zu %c inc %zu %zu: element %zu is %.17g, not %.17g", m, n, transposed ? 'T' : 'N', incx, incy, i, (double)y[i], (double)expected[i]);
  }
  free(a);
  free(x);
  free(y);
  free(expected);
}

static void T(test_ger)(void **state) {
  S a[40 * 50], expected[40 * 50], x[80], y[50];
  (void)state;
  for (size_t n = 0; n <= 40; n++) {
    size_t m = 40 - n, lda = n + n % 3;
    T(fill)(a, 40 * 50);
    T(fill)(x, 80);
    T(fill)(y, 50);
    memcpy(expected, a, sizeof a);
    for (size_t i = 0; i < m; i++)
      for (size_t j = 0; j < n; j++) {
        volatile S t = (S)-0.3 * x[2 * i];
        expected[i * lda + j] = T(madd)(t, y[j], expected[i * lda + j]);
      }
    F(ger)(m, n, (S)-0.3, x, 2, y, a, lda);
    for (size_t i = 0; i < 40 * 50; i++) assert_true(T(same)(a[i], expected[i]));
  }
}

/* the same bits on every backend that has fma, and within k epsilon |A| |B| of the product in long double */
static void T(test_hash)(void **state) {
  enum { M = 61, N = 83, K = 517 };
  static S a[M * K], b[K * N], c[M * N], x[K], y[M];
  uint64_t h = 1;
  size_t work_size = F(gemm_work)(false, true, M, N, K);   /* more than without transposition */
  void *work = malloc(work_size + 1);
  (void)state;
  random_state = 3;
  T(fill)(a, M * K);
  T(fill)(b, K * N);
  T(fill)(c, M * N);
  T(fill)(x, K);
  T(fill)(y, M);
  for (int t = 0; t < 4; t++) {
    F(gemm)(t & 1, t & 2, M, N, K, (S)0.9, a, t & 1 ? M : K, b, t & 2 ? K : N, t == 0 ? 0 : (S)1.1, c, N, work);
    h = random_hash(h, c, sizeof(S), M * N);
    if (t == 0)
      for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++) {
          long double sum = 0, size = 0;
          for (size_t p = 0; p < K; p++) sum += (long double)a[i * K + p] * b[p * N + j], size += fabsl((long double)a[i * K + p] * b[p * N + j]);
          assert_true(fabsl(c[i * N + j] - (S)0.9 * sum) <= 410 * EPSILON * size);
        }
  }
  free(work);
#if AD_GEMM_FUSED && FLT_EVAL_METHOD == 0
  if (h != HASH_GEMM) fail_msg("hash of gemm 0x%016llx", (unsigned long long)h);
#endif
  h = 1;
  F(gemv)(false, M, K, (S)0.9, a, K, x, 1, (S)1.1, y, 1);
  h = random_hash(h, y, sizeof(S), M);
  F(gemv)(true, M, K, (S)0.9, a, K, y, 1, (S)1.1, x, 1);
  h = random_hash(h, x, sizeof(S), K);
  F(ger)(M, K, (S)0.1, y, 1, x, a, K);
  h = random_hash(h, a, sizeof(S), M * K);
#if AD_GEMM_FUSED && FLT_EVAL_METHOD == 0
  if (h != HASH_GEMV) fail_msg("hash of gemv and ger 0x%016llx", (unsigned long long)h);
#endif
}

/* bounded, whatever is asked */
static void T(test_work_size)(void **state) {
  static const size_t sizes[] = {0, 1, 2, 17, 400, 401, 100000, SIZE_MAX / 16, SIZE_MAX};
  enum { COUNT = sizeof sizes / sizeof *sizes };
  (void)state;
  for (int i = 0; i < COUNT * COUNT * COUNT; i++)
    assert_true(F(gemm_work)(i & 1, i & 2, sizes[i % COUNT], sizes[i / COUNT % COUNT], sizes[i / COUNT / COUNT]) <= 4000000);
}

#endif
