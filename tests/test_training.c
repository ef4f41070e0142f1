/* Tensors at work: no allocation per step, memory that runs out, optimisers, singular determinants, and the GMM objective of ADBench
   with its gradient against the reference results (AD_DATA; skipped where they are not). */
#include "ad.h"
#include "test.h"
#include <stdio.h>

typedef struct counted { long calls, fail_at; } counted;
static void *counted_allocate(size_t bytes, void *context) {
  counted *c = (counted *)context;
  return c->calls++ == c->fail_at ? NULL : malloc(bytes);
}
static void counted_release(void *block, void *context) { (void)context; free(block); }
static ad_tape_options counted_options(counted *c) {
  ad_tape_options o;
  memset(&o, 0, sizeof o);
  o.allocate = counted_allocate;
  o.release = counted_release;
  o.context = c;
  return o;
}

enum { BATCH = 32, IN = 20, HIDDEN = 17, OUT = 5, PARAMETERS = 4 };
static const size_t shape[PARAMETERS][2] = { { IN, HIDDEN }, { HIDDEN }, { HIDDEN, OUT }, { OUT } };
static void parameters(ad_tape *t, ad_var *p) {
  for (int k = 0; k < PARAMETERS; k++) p[k] = ad_tensor_normal(t, AD_F32, 2 - k % 2, shape[k], k % 2 ? 0 : 0.3, 5 + (uint64_t)k);
}
static ad_var loss_of(ad_tape *t, const ad_var *p, const float *x, const int32_t *label) {
  const size_t size[] = { BATCH, IN }, n = BATCH;
  const ad_var h = ad_relu(ad_linear(ad_tensor_borrow(t, AD_F32, 2, size, x), p[0], p[1]));
  return ad_cross_entropy(ad_linear(h, p[2], p[3]), ad_tensor_borrow(t, AD_I32, 1, &n, label));
}
static void data(float *x, int32_t *label) {
  for (int i = 0; i < BATCH * IN; i++) x[i] = (float)((i * 7919) % 101) / 101 - 0.5f;
  for (int i = 0; i < BATCH; i++) label[i] = i % OUT;
}

static void test_no_allocation_per_step(void **ignored) {
  (void)ignored;
  counted c = { 0, -1 };
  const ad_tape_options o = counted_options(&c);
  ad_tape *t = ad_tape_create(&o);
  ad_var p[PARAMETERS], v[PARAMETERS];
  float x[BATCH * IN];
  int32_t label[BATCH];
  double first = 0, last = 0;
  long calls = 0;
  data(x, label);
  parameters(t, p);
  for (int k = 0; k < PARAMETERS; k++) v[k] = ad_tensor_constant(t, AD_F32, 2 - k % 2, shape[k], NULL);
  const ad_mark mark = ad_tape_mark(t);
  for (int step = 0; step < 300; step++) {
    const ad_var y = loss_of(t, p, x, label);
    assert_int_equal(ad_backward(y), AD_OK);
    assert_int_equal(ad_sgd(p, PARAMETERS, v, 0.05, 0.9, 1e-4), AD_OK);
    last = ad_value(y);
    if (step == 0) first = last;
    ad_tape_rewind(t, mark);
    if (step == 1) calls = c.calls;
  }
  assert_int_equal(c.calls, calls);
  assert_true(last < first / 4);
  ad_tape_destroy(t);
}

static void test_adam(void **ignored) {
  (void)ignored;
  ad_tape *t = ad_tape_create(NULL);
  const size_t n = 3;
  const double start[] = { 3, -2, 1 };
  const ad_var x = ad_tensor_variable(t, AD_F64, 1, &n, start), m = ad_tensor_constant(t, AD_F64, 1, &n, NULL), s = ad_tensor_constant(t, AD_F64, 1, &n, NULL);
  const ad_mark mark = ad_tape_mark(t);
  for (uint64_t step = 1; step <= 2000; step++) {
    assert_int_equal(ad_backward(ad_sumsq(ad_sub(x, 0.5), AD_ALL, false)), AD_OK);
    assert_int_equal(ad_adam(&x, 1, &m, &s, step, 0.02, 0.9, 0.999, 1e-8, 0), AD_OK);
    ad_tape_rewind(t, mark);
  }
  for (size_t i = 0; i < n; i++) assert_true(fabs(((const double *)ad_data(x))[i] - 0.5) < 1e-3);
  ad_tape_destroy(t);
}

/* every allocation fails once: an error, nothing lost, and the tape works after a reset */
static void test_out_of_memory(void **ignored) {
  (void)ignored;
  float x[BATCH * IN];
  int32_t label[BATCH];
  data(x, label);
  for (long k = 1;; k++) {
    counted c = { 0, k };
    const ad_tape_options o = counted_options(&c);
    ad_tape *t = ad_tape_create(&o);
    assert_non_null(t);
    ad_var p[PARAMETERS];
    parameters(t, p);
    ad_var y = loss_of(t, p, x, label);
    const ad_status status = ad_backward(y);
    const bool failed = c.calls > k;
    if (failed) {
      assert_int_equal(status, AD_ERROR_MEMORY);
      assert_int_equal(ad_tape_status(t), AD_ERROR_MEMORY);
      ad_tape_reset(t);
      parameters(t, p);
      y = loss_of(t, p, x, label);
    }
    assert_int_equal(ad_backward(y), AD_OK);
    assert_non_null(ad_grad_data(p[0]));
    ad_tape_destroy(t);
    if (!failed) break;
  }
}

/* the gradient of det is the matrix of cofactors, whatever the rank */
static void test_singular_determinants(void **ignored) {
  (void)ignored;
  const double a[3][9] = { { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { 1, 2, 3, 2, 4, 6, 3, 6, 9 }, { 0, 0, 0, 0, 0, 0, 0, 0, 0 } };
  const size_t size[] = { 3, 3 };
  ad_tape *t = ad_tape_create(NULL);
  for (int k = 0; k < 3; k++) {
    ad_tape_reset(t);
    const ad_var x = ad_tensor_variable(t, AD_F64, 2, size, a[k]);
    assert_int_equal(ad_backward(ad_det(x)), AD_OK);
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++) {
        const double *m = a[k];
        const int r = (i + 1) % 3, s = (i + 2) % 3, u = (j + 1) % 3, v = (j + 2) % 3;
        const double want = m[r * 3 + u] * m[s * 3 + v] - m[r * 3 + v] * m[s * 3 + u];
        assert_true(fabs(((const double *)ad_grad_data(x))[i * 3 + j] - want) < 1e-13);
      }
  }
  ad_tape_destroy(t);
}

/* the Gaussian mixture of ADBench, see the README of its data */
static ad_var mixture(ad_tape *t, size_t d, size_t k, size_t n, const double *points, double gamma, double m, const ad_var *in) {
  const size_t columns = d * (d + 1) / 2, low = columns - d, nd[] = { n, d }, kd1[] = { k, d, 1 }, flat[] = { k * d, d }, nkd[] = { n, k, d }, kk[] = { k };
  const size_t all[] = { k * d };
  int32_t *index = (int32_t *)malloc(d * d * sizeof *index);
  const ad_var q = ad_slice(in[2], 1, 0, (ptrdiff_t)d, 1), l = ad_slice(in[2], 1, (ptrdiff_t)d, (ptrdiff_t)columns, 1), eq = ad_exp(q);
  const size_t k1[] = { k, 1 };
  const ad_var parts[] = { ad_tensor_constant(t, AD_F64, 2, k1, NULL), eq, l }, zero_q_l = ad_concat(parts, 3, 1);
  for (size_t i = 0; i < d; i++)                              /* the matrix Q from zero, diagonal, lower triangle by columns */
    for (size_t j = 0; j < d; j++) index[i * d + j] = (int32_t)(i < j ? 0 : i == j ? 1 + i : 1 + d + j * d - j * (j + 1) / 2 + (i - j - 1));
  const size_t dd = d * d, kdd[] = { k, d, d };
  const ad_var f = ad_reshape(ad_gather(zero_q_l, ad_tensor_constant(t, AD_I32, 1, &dd, index), 1), 3, kdd);
  free(index);
  const ad_var shift = ad_reshape(ad_matmul(f, ad_reshape(in[1], 3, kd1)), 1, all);
  const ad_var y = ad_linear(ad_tensor_borrow(t, AD_F64, 2, nd, points), ad_transpose(ad_reshape(f, 2, flat)), ad_neg(shift));
  const ad_var inner = ad_mul(ad_sumsq(ad_reshape(y, 3, nkd), 2, false), -0.5), sum_q = ad_sum(q, 1, false);
  const ad_var terms = ad_logsumexp(ad_add(inner, ad_add(ad_reshape(in[0], 1, kk), sum_q)), 1, false);
  const double pi = 3.14159265358979323846, big = (double)d + m + 1;
  double c = (double)d * ((double)d - 1) / 4 * log(pi);
  for (size_t j = 1; j <= d; j++) c += lgamma(big / 2 + (1 - (double)j) / 2);
  c = big * (double)d * (log(gamma) - log(2) / 2) - c;
  const ad_var squares = low ? ad_add(ad_sumsq(eq, AD_ALL, false), ad_sumsq(l, AD_ALL, false)) : ad_sumsq(eq, AD_ALL, false);
  const ad_var prior = ad_sub(ad_mul(squares, 0.5 * gamma * gamma), ad_mul(ad_sum(q, AD_ALL, false), m));
  const ad_var fit = ad_sub(ad_sum(terms, AD_ALL, false), ad_mul(ad_logsumexp(in[0], AD_ALL, false), (double)n));
  return ad_add(ad_add(fit, prior), -(double)n * (double)d / 2 * log(2 * pi) - (double)k * c);
}
static void test_mixtures(void **ignored) {
  (void)ignored;
  static const int size[][2] = { { 2, 5 }, { 10, 5 }, { 10, 25 }, { 20, 50 }, { 32, 25 } };
  const char *folder = getenv("AD_DATA") ? getenv("AD_DATA") : "../shared/data";
  int found = 0;
  for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
    char path[500];
    size_t d, k, n;
    snprintf(path, sizeof path, "%s/adbench/gmm_d%d_K%d.txt", folder, size[s][0], size[s][1]);
    FILE *f = fopen(path, "r");
    if (!f) continue;
    found++;
    assert_int_equal(fscanf(f, "%zu %zu %zu", &d, &k, &n), 3);
    const size_t columns = d * (d + 1) / 2, count = k + k * d + k * columns, total = count + n * d + 2;
    double *x = (double *)malloc(total * sizeof *x), want;
    for (size_t i = 0; i < total; i++) assert_int_equal(fscanf(f, "%lf", &x[i]), 1);
    fclose(f);
    ad_tape *t = ad_tape_create(NULL);
    const size_t shapes[3][2] = { { k }, { k, d }, { k, columns } }, at[3] = { 0, k, k + k * d };
    ad_var in[3];
    for (int i = 0; i < 3; i++) in[i] = ad_tensor_variable(t, AD_F64, i ? 2 : 1, shapes[i], x + at[i]);
    const ad_var y = mixture(t, d, k, n, x + count, x[total - 2], x[total - 1], in);
    assert_int_equal(ad_backward(y), AD_OK);
    snprintf(path, sizeof path, "%s/adbench/gmm_d%d_K%d.expected", folder, size[s][0], size[s][1]);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lf", &want), 1);
    if (!(fabs(ad_value(y) - want) <= 1e-9 * fabs(want))) fail_msg("%s: %.17g, not %.17g", path, ad_value(y), want);
    for (int i = 0; i < 3; i++) {
      const double *g = (const double *)ad_grad_data(in[i]);
      for (size_t j = 0; j < ad_size(in[i]); j++) {
        assert_int_equal(fscanf(f, "%lf", &want), 1);
        if (!(fabs(g[j] - want) <= 1e-9 * fmax(fabs(want), 1))) fail_msg("%s: gradient of input %d element %zu: %.17g, not %.17g", path, i, j, g[j], want);
      }
    }
    fclose(f);
    free(x);
    ad_tape_destroy(t);
  }
  if (!found) {
    print_message("no adbench/gmm_*.txt in AD_DATA\n");
    skip();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_allocation_per_step), cmocka_unit_test(test_adam), cmocka_unit_test(test_out_of_memory),
                                      cmocka_unit_test(test_singular_determinants), cmocka_unit_test(test_mixtures) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
