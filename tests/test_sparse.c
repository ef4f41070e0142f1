/* Sparse Jacobians and Hessians against dense ones: bands, arrows, random patterns, a whole bundle-adjustment problem. */
#include "test.h"

#include "memory.h"
#include "ad.h"

static uint64_t state = 88172645463325252u;
static double uniform(double lo, double hi) {
  state ^= state << 13; state ^= state >> 7; state ^= state << 17;
  return lo + (hi - lo) * (double)(state >> 11) * 0x1p-53;
}

/* every entry as in the dense matrix, every entry outside the pattern 0 there; returns the number of colours */
static size_t compare(ad_var_map *map, void *context, size_t n, size_t m, ad_function_kind kind, size_t *nonzeros) {
  double *x = malloc(n * sizeof *x), *w = malloc(m * sizeof *w);
  for (size_t i = 0; i < n; i++) x[i] = uniform(0.5, 1.5);
  for (size_t j = 0; j < m; j++) w[j] = uniform(0.5, 1.5);
  ad_function *f = ad_function_record(map, context, n, x, m);
  assert_non_null(f);
  ad_sparse *s = ad_sparse_create(f, kind);
  assert_non_null(s);
  double *dense = malloc(s->rows * s->columns * sizeof *dense), *values = malloc((s->nonzeros + 1) * sizeof *values);
  for (size_t i = 0; i < n; i++) x[i] = uniform(0.5, 1.5);
  if (kind == AD_FUNCTION_HESSIAN) assert_int_equal(ad_function_hessian(f, x, w, dense), AD_OK);
  else assert_int_equal(ad_function_jacobian(f, x, NULL, dense), AD_OK);
  assert_int_equal(ad_sparse_evaluate(s, x, w, values), AD_OK);
  for (size_t i = 0; i < s->rows; i++) {
    size_t k = s->row[i];
    for (size_t j = 0; j < s->columns; j++) {
      double expected = dense[i * s->columns + j];
      bool here = k < s->row[i + 1] && s->column[k] == j;
      if (!here) assert_true(expected == 0);
      else assert_true(fabs(values[k] - expected) <= 1e-12 * (1 + fabs(expected)));
      k += here;
    }
    assert_int_equal(k, s->row[i + 1]);
  }
  size_t colors = s->colors;
  if (nonzeros) *nonzeros = s->nonzeros;
  ad_sparse_destroy(s);
  ad_function_destroy(f);
  free(x); free(w); free(dense); free(values);
  return colors;
}

enum { N = 60 };
static void band(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  for (int i = 0; i < N; i++) {
    y[i] = ad_var_sin(x[i]);
    if (i > 0) y[i] = ad_var_add(y[i], ad_var_mul(x[i - 1], x[i]));
    if (i + 1 < N) y[i] = ad_var_mul(y[i], x[i + 1]);
  }
}
static void band_energy(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  y[0] = ad_var_square(x[0]);
  for (int i = 0; i + 2 < N; i++) y[0] = ad_var_add(y[0], ad_var_mul(ad_var_mul(ad_var_sin(x[i]), x[i + 1]), ad_var_exp(x[i + 2])));
}
static void arrow(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  y[0] = ad_var_exp(x[0]);
  for (int i = 1; i < N; i++) y[0] = ad_var_add(y[0], ad_var_mul(ad_var_mul(x[0], x[i]), x[i]));
}
static void fan(const ad_var *x, ad_var *y, void *context) {      /* one dense row: few rows, each input of its own */
  (void)context;
  y[0] = x[0];
  for (int i = 1; i < N; i++) y[0] = ad_var_add(y[0], ad_var_sin(x[i]));
  y[1] = ad_var_mul(x[0], x[1]);
}
static void scattered(const ad_var *x, ad_var *y, void *context) {
  uint64_t bits = *(const uint64_t *)context;
  for (int i = 0; i < 20; i++) {
    y[i] = ad_var_mul_xk(x[(i * 7) % 25], 2);
    for (int k = 0; k < 4; k++) {
      bits = bits * 6364136223846793005u + 1442695040888963407u;
      y[i] = ad_var_add(y[i], ad_var_mul(x[(bits >> 33) % 25], ad_var_sin(x[(bits >> 43) % 25])));
    }
  }
}

static void test_patterns(void **unused) {
  size_t nonzeros;
  (void)unused;
  assert_int_equal(compare(band, NULL, N, N, AD_FUNCTION_JACOBIAN, &nonzeros), 3);
  assert_int_equal(nonzeros, 3 * N - 2);
  assert_true(compare(band_energy, NULL, N, 1, AD_FUNCTION_HESSIAN, &nonzeros) <= 5);
  assert_int_equal(nonzeros, 5 * N - 6);
  assert_int_equal(compare(arrow, NULL, N, 1, AD_FUNCTION_HESSIAN, &nonzeros), 2);
  assert_int_equal(nonzeros, 3 * N - 2);
  assert_int_equal(compare(fan, NULL, N, 2, AD_FUNCTION_JACOBIAN, &nonzeros), 2);
  assert_int_equal(nonzeros, N + 2);
  for (uint64_t seed = 1; seed < 30; seed++) {
    compare(scattered, &seed, 25, 20, AD_FUNCTION_JACOBIAN, NULL);
    compare(scattered, &seed, 25, 20, AD_FUNCTION_HESSIAN, NULL);
  }
}

/* --- a bundle-adjustment problem: all residuals of all observations as one function of all cameras, points and weights */

enum { CAMERAS = 4, SPACE = 12, OBSERVATIONS = 30, INPUTS = 11 * CAMERAS + 3 * SPACE + OBSERVATIONS };

static void residual(const ad_var *c, const ad_var *X, ad_var w, ad_var *y) {
  ad_var P[3], R[3], a[3], cross[3];
  ad_var square = ad_var_add(ad_var_add(ad_var_square(c[0]), ad_var_square(c[1])), ad_var_square(c[2]));
  ad_var theta = ad_var_sqrt(square), co = ad_var_cos(theta), si = ad_var_sin(theta), inverse = ad_var_recip(theta);
  for (int i = 0; i < 3; i++) { P[i] = ad_var_sub(X[i], c[3 + i]); a[i] = ad_var_mul(c[i], inverse); }
  for (int i = 0; i < 3; i++) cross[i] = ad_var_sub(ad_var_mul(a[(i + 1) % 3], P[(i + 2) % 3]), ad_var_mul(a[(i + 2) % 3], P[(i + 1) % 3]));
  ad_var t = ad_var_mul(ad_var_add(ad_var_add(ad_var_mul(a[0], P[0]), ad_var_mul(a[1], P[1])), ad_var_mul(a[2], P[2])), ad_var_sub_ky(1, co));
  for (int i = 0; i < 3; i++) R[i] = ad_var_add(ad_var_add(ad_var_mul(P[i], co), ad_var_mul(cross[i], si)), ad_var_mul(a[i], t));
  R[2] = ad_var_add_xk(R[2], 5);
  ad_var u = ad_var_div(R[0], R[2]), v = ad_var_div(R[1], R[2]), q = ad_var_add(ad_var_square(u), ad_var_square(v));
  ad_var L = ad_var_add(ad_var_add_xk(ad_var_mul(c[9], q), 1), ad_var_mul(c[10], ad_var_square(q)));
  y[0] = ad_var_mul(w, ad_var_sub_xk(ad_var_add(ad_var_mul(ad_var_mul(u, L), c[6]), c[7]), 0.25));
  y[1] = ad_var_mul(w, ad_var_sub_xk(ad_var_add(ad_var_mul(ad_var_mul(v, L), c[6]), c[8]), 0.75));
  y[2] = ad_var_sub_ky(1, ad_var_square(w));
}
static void problem(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  for (int o = 0; o < OBSERVATIONS; o++)
    residual(x + 11 * (o % CAMERAS), x + 11 * CAMERAS + 3 * ((o * 5) % SPACE), x[11 * CAMERAS + 3 * SPACE + o], y + 3 * o);
}
static void test_bundle_adjustment(void **unused) {
  size_t nonzeros, colors = compare(problem, NULL, INPUTS, 3 * OBSERVATIONS, AD_FUNCTION_JACOBIAN, &nonzeros);
  (void)unused;
  assert_int_equal(nonzeros, OBSERVATIONS * (15 + 15 + 1) - 2 * OBSERVATIONS);       /* u0 only in one, v0 only in the other */
  assert_true(colors <= 18);
}

static void test_errors(void **unused) {
  double x[N], v[N * N];
  (void)unused;
  for (int i = 0; i < N; i++) x[i] = 1;
  ad_function *f = ad_function_record(band, NULL, N, x, N);
  assert_null(ad_sparse_create(NULL, AD_FUNCTION_JACOBIAN));
  assert_null(ad_sparse_create(f, AD_FUNCTION_VJP));
  for (long k = 0;; k++) {
    allocations = 0; fail_at = k;
    ad_sparse *s = ad_sparse_create(f, AD_FUNCTION_HESSIAN);
    ad_status status = s ? ad_sparse_evaluate(s, x, x, v) : AD_ERROR_MEMORY;
    bool done = allocations <= k;
    fail_at = -1;
    assert_int_equal(status, done ? AD_OK : AD_ERROR_MEMORY);
    if (s) {
      assert_int_equal(ad_sparse_evaluate(s, NULL, x, v), AD_ERROR_ARGUMENT);
      assert_int_equal(ad_sparse_evaluate(s, x, NULL, v), AD_ERROR_ARGUMENT);
      assert_int_equal(ad_sparse_evaluate(s, x, x, NULL), AD_ERROR_ARGUMENT);
    }
    ad_sparse_destroy(s);
    if (done) break;
  }
  assert_int_equal(ad_sparse_evaluate(NULL, x, x, v), AD_ERROR_ARGUMENT);
  ad_sparse_destroy(NULL);
  ad_function_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_patterns), cmocka_unit_test(test_bundle_adjustment), cmocka_unit_test(test_errors) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
