/* Triangular systems and factorisations: residuals in long double, statuses, what may not be read, and the same bits on every
   backend with fma. The file includes itself once per element type. */

#ifndef LINALG_TEMPLATE
#define LINALG_TEMPLATE
#include "ad_simd.h"
#include "random.h"

enum { MOST = 131 };

#define S ad_f32
#define EPSILON FLT_EPSILON
#define HASH UINT64_C(0x8d125c3752840078)
#include "test_linalg.c"
#undef S
#undef EPSILON
#undef HASH
#define S ad_f64
#define EPSILON DBL_EPSILON
#define HASH UINT64_C(0xf19a952118fec90c)
#include "test_linalg.c"

int main(void) {
  const struct CMUnitTest tests[] = {
#define BOTH(name) cmocka_unit_test(name##_ad_f32), cmocka_unit_test(name##_ad_f64)
    BOTH(test_trsm), BOTH(test_cholesky), BOTH(test_cholesky_status), BOTH(test_lu), BOTH(test_lu_status), BOTH(test_determinant), BOTH(test_hash),
  };
  return cmocka_run_group_tests_name("linalg", tests, NULL, NULL);
}

#else

static S *T(random_matrix)(size_t rows, size_t ld) {
  S *a = (S *)malloc((rows * ld + 1) * sizeof *a);
  assert_non_null(a);
  for (size_t i = 0; i < rows * ld; i++) a[i] = (S)random_number();
  return a;
}
static void *T(work)(size_t n, size_t columns, bool wanted) {
  const size_t size = F(linalg_work)(n, columns);
  return wanted && size ? malloc(size) : NULL;
}
static const size_t T(sizes)[] = {0, 1, 2, 7, 8, 9, 16, 17, 31, 33, 64, 67, MOST};
enum { T(SIZES) = sizeof T(sizes) / sizeof *T(sizes) };

/* every side, triangle, transposition and diagonal; what is not to be read is NaN, what is not to be written stays */
static void T(test_trsm)(void **state) {
  (void)state;
  for (int round = 0; round < 16 * T(SIZES); round++) {
    const bool right = round & 1, upper = round & 2, ta = round & 4, unit = round & 8;
    const size_t order = T(sizes)[round / 16], other = random_below(24), m = right ? other : order, n = right ? order : other, lda = order + random_below(4), ldb = n + random_below(4);
    S *a = T(random_matrix)(order, lda), *b = T(random_matrix)(m, ldb), *x = (S *)malloc((m * ldb + 1) * sizeof *x);
    void *work = T(work)(order, other, round & 16);
    for (size_t i = 0; i < order; i++)
      for (size_t j = 0; j < lda; j++) {
        if (j == i && !unit) a[i * lda + j] = (S)(2 + i % 3);
        else if (j == i || j >= order || (j > i) != upper) a[i * lda + j] = (S)NAN;
        else a[i * lda + j] /= (S)order;
      }
    memcpy(x, b, m * ldb * sizeof *x);
    F(trsm)(right, upper, ta, unit, m, n, a, lda, x, ldb, work);
    for (size_t i = 0; i < m; i++)
      for (size_t j = 0; j < ldb; j++) {
        long double sum = 0, size = 0;
        if (j >= n) { assert_true(x[i * ldb + j] == b[i * ldb + j]); continue; }
        for (size_t p = 0; p < order; p++) {
          const size_t r = right ? p : i, c = right ? j : p, ri = ta ? c : r, ci = ta ? r : c;
          const long double e = ri == ci ? (unit ? 1 : a[ri * lda + ci]) : (ci > ri) == upper ? a[ri * lda + ci] : 0;
          const long double t = e * (right ? x[i * ldb + p] : x[p * ldb + j]);
          sum += t;
          size += fabsl(t);
        }
        if (!(fabsl(sum - b[i * ldb + j]) <= (long double)(order + 4) * EPSILON * (size + fabsl((long double)b[i * ldb + j])))) fail_msg("round %d order %zu m %zu n %zu (%zu, %zu)", round, order, m, n, i, j);
      }
    free(work);
    free(x);
    free(a);
    free(b);
  }
}

/* a symmetric positive definite matrix, its upper triangle NaN */
static S *T(definite)(size_t n, size_t lda) {
  S *g = T(random_matrix)(n, n), *a = T(random_matrix)(n, lda);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      long double sum = i == j ? 0.5L : 0;
      for (size_t p = 0; p < n; p++) sum += (long double)g[i * n + p] * g[j * n + p];
      a[i * lda + j] = j > i ? (S)NAN : (S)sum;
    }
  free(g);
  return a;
}

static void T(test_cholesky)(void **state) {
  (void)state;
  for (int s = 0; s < T(SIZES); s++) {
    const size_t n = T(sizes)[s], lda = n + random_below(4), columns = 1 + random_below(5);
    S *a = T(definite)(n, lda), *l = (S *)malloc((n * lda + 1) * sizeof *l), *b = T(random_matrix)(n, columns), *x = (S *)malloc((n * columns + 1) * sizeof *x);
    void *work = T(work)(n, columns, s & 1);
    long double worst = 0;
    memcpy(l, a, n * lda * sizeof *l);
    memcpy(x, b, n * columns * sizeof *x);
    assert_int_equal(F(cholesky)(n, l, lda, work), 0);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < n; j++) {
        long double sum = 0, size = 0;
        if (j > i) { assert_true(l[i * lda + j] == 0); continue; }
        for (size_t p = 0; p <= j; p++) sum += (long double)l[i * lda + p] * l[j * lda + p], size += fabsl((long double)l[i * lda + p] * l[j * lda + p]);
        assert_true(fabsl(sum - a[i * lda + j]) <= (long double)(n + 4) * EPSILON * size);
      }
    F(cholesky_solve)(n, columns, l, lda, x, columns, work);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < columns; j++) {
        long double sum = 0, size = 0;
        for (size_t p = 0; p < n; p++) {
          const long double t = (long double)(p > i ? a[p * lda + i] : a[i * lda + p]) * x[p * columns + j];
          sum += t;
          size += fabsl(t);
        }
        worst = fmaxl(worst, fabsl(sum - b[i * columns + j]) / (size + 1));
      }
    assert_true(worst <= (long double)(4 * n + 8) * EPSILON);
    free(work);
    free(x);
    free(b);
    free(l);
    free(a);
  }
}

static void T(test_cholesky_status)(void **state) {
  S *a = T(definite)(40, 40), *b = (S *)malloc(1600 * sizeof *b);
  (void)state;
  for (size_t i = 0; i < 40; i++) {
    static const double bad[] = {0, -1, NAN, -INFINITY};
    memcpy(b, a, 1600 * sizeof *b);
    b[i * 40 + i] = (S)bad[i % 4];
    assert_int_equal(F(cholesky)(40, b, 40, NULL), i + 1);
  }
  free(a);
  free(b);
}

static void T(test_lu)(void **state) {
  size_t pivots[MOST];
  (void)state;
  for (int round = 0; round < 2 * T(SIZES); round++) {
    const size_t n = T(sizes)[round % T(SIZES)], m = round < T(SIZES) ? n : random_below(40), lda = n + random_below(4), count = m < n ? m : n, columns = 3;
    S *a = T(random_matrix)(m, lda), *f = (S *)malloc((m * lda + 1) * sizeof *f), *p = (S *)malloc((m * lda + 1) * sizeof *p);
    void *work = T(work)(n > m ? n : m, columns, round & 1);
    memcpy(f, a, m * lda * sizeof *f);
    memcpy(p, a, m * lda * sizeof *p);
    assert_int_equal(F(lu)(m, n, f, lda, pivots, work), 0);
    for (size_t i = 0; i < count; i++) {
      assert_true(pivots[i] >= i && pivots[i] < m);
      for (size_t j = 0; j < n; j++) {
        const S t = p[i * lda + j];
        p[i * lda + j] = p[pivots[i] * lda + j];
        p[pivots[i] * lda + j] = t;
      }
    }
    for (size_t i = 0; i < m; i++)
      for (size_t j = 0; j < n; j++) {
        long double sum = 0, size = 0;
        for (size_t q = 0; q <= i && q <= j && q < count; q++) {
          const long double t = (q == i ? 1 : (long double)f[i * lda + q]) * f[q * lda + j];
          sum += t;
          size += fabsl(t);
        }
        assert_true(fabsl(sum - p[i * lda + j]) <= (long double)(count + 4) * EPSILON * size);
        if (j < i && j < count) assert_true(F(abs)(f[i * lda + j]) <= 1);
      }
    for (int transposed = 0; m == n && transposed < 2; transposed++) {
      S *b = T(random_matrix)(n, columns), *x = (S *)malloc((n * columns + 1) * sizeof *x);
      memcpy(x, b, n * columns * sizeof *x);
      F(lu_solve)(transposed, n, columns, f, lda, pivots, x, columns, work);
      for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < columns; j++) {
          long double sum = 0, size = 0;
          for (size_t q = 0; q < n; q++) {
            const long double t = (long double)(transposed ? a[q * lda + i] : a[i * lda + q]) * x[q * columns + j];
            sum += t;
            size += fabsl(t);
          }
          assert_true(fabsl(sum - b[i * columns + j]) <= 30 * (long double)(n + 4) * EPSILON * (size + 1));
        }
      free(x);
      free(b);
    }
    free(work);
    free(p);
    free(f);
    free(a);
  }
}

static void T(test_lu_status)(void **state) {
  size_t pivots[30];
  S sign;
  (void)state;
  for (size_t c = 0; c < 30; c++) {   /* column c is 0: the pivot of column c fails, the factors are complete */
    S *a = T(random_matrix)(30, 30);
    for (size_t i = 0; i < 30; i++) a[i * 30 + c] = 0;
    assert_int_equal(F(lu)(30, 30, a, 30, pivots, NULL), c + 1);
    assert_true(F(lu_det)(30, a, 30, pivots) == 0);
    assert_true(F(lu_logdet)(30, a, 30, pivots, &sign) == (S)-INFINITY);
    assert_true(sign == 0);
    a[0] = (S)NAN;
    (void)F(lu)(30, 30, a, 30, pivots, NULL);
    assert_true(isnan(F(lu_det)(30, a, 30, pivots)));
    free(a);
  }
}

static void T(test_determinant)(void **state) {
  S a[9] = {0, 2, 0, 3, 0, 0, 0, 0, 5}, sign, b[4] = {2, 1, 1, 2};
  size_t pivots[3];
  (void)state;
  assert_int_equal(F(lu)(3, 3, a, 3, pivots, NULL), 0);
  assert_true(F(lu_det)(3, a, 3, pivots) == -30);
  assert_true(F(abs)(F(lu_logdet)(3, a, 3, pivots, &sign) - (S)log(30)) <= 4 * EPSILON);
  assert_true(sign == -1);
  assert_int_equal(F(lu)(2, 2, b, 2, pivots, NULL), 0);
  assert_true(F(lu_det)(2, b, 2, pivots) == 3);
  F(lu_logdet)(2, b, 2, pivots, NULL);
  assert_true(F(lu_det)(0, NULL, 0, NULL) == 1);
  assert_true(F(lu_logdet)(0, NULL, 0, NULL, &sign) == 0 && sign == 1);
}

static void T(test_hash)(void **state) {
  enum { N = 75 };
  size_t pivots[N];
  uint64_t h = 1;
  S *l, *a, *b, det;
  void *work;
  (void)state;
  random_state = 5;
  l = T(definite)(N, N);
  a = T(random_matrix)(N, N);
  b = T(random_matrix)(N, 9);
  assert_int_equal(F(cholesky)(N, l, N, NULL), 0);
  F(cholesky_solve)(N, 9, l, N, b, 9, NULL);
  assert_int_equal(F(lu)(N, N, a, N, pivots, NULL), 0);
  F(lu_solve)(false, N, 9, a, N, pivots, b, 9, NULL);
  F(trsm)(true, true, true, false, 9, N, a, N, b, N, NULL);
  h = random_hash(random_hash(random_hash(h, l, sizeof(S), N * N), a, sizeof(S), N * N), b, sizeof(S), N * 9);
  work = malloc(F(square_work)(N, N));
  F(inverse)(N, l, a, work);
  F(solve)(N, 9, a, b, l, work);
  h = random_hash(random_hash(h, a, sizeof(S), N * N), l, sizeof(S), N * 9);
  F(adjugate)(9, a, l, work);
  det = F(determinant)(9, a, false, work);
  h = random_hash(random_hash(h, l, sizeof(S), 9 * 9), &det, sizeof(S), 1);
  free(work);
  free(l);
  free(a);
  free(b);
#if AD_GEMM_FUSED && FLT_EVAL_METHOD == 0
  if (h != HASH) fail_msg("hash 0x%016llx", (unsigned long long)h);
#endif
}

#endif
