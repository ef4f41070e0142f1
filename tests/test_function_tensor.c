/* Functions of tensors: a replay gives what the recording gives, values and adjoints; fused chains; numbers among tensors. */
#include "test.h"
#include "ad.h"

static uint64_t state = 88172645463325252u;
static double uniform(double lo, double hi) {
  state ^= state << 13; state ^= state >> 7; state ^= state << 17;
  return lo + (hi - lo) * (double)(state >> 11) * 0x1p-53;
}
static void fill32(float *x, size_t n) { for (size_t i = 0; i < n; i++) x[i] = (float)uniform(-1, 1); }
static void fill64(double *x, size_t n) { for (size_t i = 0; i < n; i++) x[i] = uniform(-1, 1); }
#define assert_near(a, b, tolerance)                                                                                          \
  do { double a_ = (double)(a), b_ = (double)(b); if (!(fabs(a_ - b_) <= (tolerance) * (1 + fabs(b_)))) print_error("%.17g, expected %.17g\n", a_, b_); \
    assert_true(fabs(a_ - b_) <= (tolerance) * (1 + fabs(b_))); } while (0)

/* y = sigmoid(a x + b) tanh(c x): one fused step; sizes around the blocks */
static ad_var chain(ad_var x, double a, double b, double c) {
  return ad_mul(ad_sigmoid(ad_add(ad_mul(x, a), b)), ad_tanh(ad_mul(x, c)));
}
static void test_chain(void **unused) {
  static const size_t sizes[] = { 1, 7, 64, 127, 128, 129, 1000 };
  static float x[1000], w[1000], y[1000], gx[1000];
  (void)unused;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    size_t n = sizes[s];
    ad_tape *t = ad_tape_create(NULL);
    fill32(x, n);
    ad_var v = ad_tensor_variable(t, AD_F32, 1, &n, x), r = chain(v, 1.5, 0.25, 0.5);
    ad_function *f = ad_function_create(&v, 1, &r, 1);
    assert_non_null(f);
    for (int round = 0; round < 3; round++) {
      fill32(x, n); fill32(w, n);
      w[0] = 0;
      const void *in[1] = { x }, *seed[1] = { w };
      void *out[1] = { y }, *grad[1] = { gx };
      memset(y, 0, sizeof y);
      assert_int_equal(ad_function_run(f, in, out), AD_OK);
      float first = y[n - 1];
      assert_int_equal(ad_function_run_vjp(f, in, seed, out, grad), AD_OK);
      assert_true(first == y[n - 1]);
      ad_tape_reset(t);
      v = ad_tensor_variable(t, AD_F32, 1, &n, x);
      r = chain(v, 1.5, 0.25, 0.5);
      assert_int_equal(ad_backward_from(r, w), AD_OK);
      for (size_t i = 0; i < n; i++) {
        assert_near(y[i], ((const float *)ad_data(r))[i], 1e-6);
        assert_near(gx[i], ((const float *)ad_grad_data(v))[i], 1e-5);
      }
    }
    double number = 0;
    assert_int_equal(ad_function_evaluate(f, &number, &number), AD_ERROR_UNSUPPORTED);
    assert_int_equal(ad_function_prepare(f, AD_FUNCTION_VALUE), AD_ERROR_UNSUPPORTED);
    ad_function_destroy(f);
    ad_tape_destroy(t);
  }
}

/* a layered network with shared values, broadcasting, numbers, reductions, views, labels */
enum { BATCH = 9, IN = 5, HIDDEN = 6, OUT = 4 };
static void network(const ad_var *x, ad_var *y) {       /* x: images, weights, bias, weights, bias, labels, number */
  ad_var h = ad_linear(x[0], x[1], x[2]);
  ad_var a = ad_mul(ad_tanh(h), ad_sigmoid(h));         /* a chain whose first row is read twice */
  ad_var b = ad_add(ad_mul(a, x[6]), ad_square(a));     /* with a number */
  ad_var logits = ad_linear(b, x[3], x[4]);
  y[0] = ad_add(ad_cross_entropy(logits, x[5]), ad_mul(x[6], x[6]));
  y[1] = ad_softmax(logits, 1);
  y[2] = ad_transpose(ad_sub(a, ad_mean(a, 1, true)));
}
static void test_network(void **unused) {
  static double images[BATCH * IN], w1[IN * HIDDEN], b1[HIDDEN], w2[HIDDEN * OUT], b2[OUT], number, y0, y1[BATCH * OUT], y2[HIDDEN * BATCH];
  static double s0 = 1.5, s1[BATCH * OUT], s2[HIDDEN * BATCH], g0[BATCH * IN], g1[IN * HIDDEN], g2[HIDDEN], g3[HIDDEN * OUT], g4[OUT], g6;
  static int32_t labels[BATCH];
  const size_t shape[6][2] = { { BATCH, IN }, { IN, HIDDEN }, { HIDDEN, 0 }, { HIDDEN, OUT }, { OUT, 0 }, { BATCH, 0 } };
  double *data[5] = { images, w1, b1, w2, b2 }, *grads[5] = { g0, g1, g2, g3, g4 };
  const size_t counts[5] = { BATCH * IN, IN * HIDDEN, HIDDEN, HIDDEN * OUT, OUT };
  (void)unused;
  ad_tape *t = ad_tape_create(NULL);
  ad_function *f = NULL;
  for (int round = 0; round < 3; round++) {
    ad_var x[7], y[3];
    for (int k = 0; k < 5; k++) fill64(data[k], counts[k]);
    for (int i = 0; i < BATCH; i++) labels[i] = (int32_t)uniform(0, OUT);
    fill64(s1, BATCH * OUT); fill64(s2, HIDDEN * BATCH);
    number = uniform(0.5, 1);
    ad_tape_reset(t);
    for (int k = 0; k < 5; k++) x[k] = ad_tensor_variable(t, AD_F64, shape[k][1] ? 2 : 1, shape[k], data[k]);
    x[5] = ad_tensor_constant(t, AD_I32, 1, shape[5], labels);
    x[6] = ad_variable(t, number);
    network(x, y);
    if (!f) f = ad_function_create(x, 7, y, 3);
    assert_non_null(f);
    const void *in[7] = { images, w1, b1, w2, b2, labels, &number }, *seed[3] = { &s0, s1, s2 };
    void *out[3] = { &y0, y1, y2 }, *grad[7] = { g0, g1, g2, g3, g4, NULL, &g6 };
    assert_int_equal(ad_function_run_vjp(f, in, seed, out, grad), AD_OK);
    assert_near(y0, ad_value(y[0]), 1e-13);
    const size_t flat = HIDDEN * BATCH, s_shape[2] = { BATCH, OUT }, t_shape[2] = { HIDDEN, BATCH };
    ad_var straight = ad_reshape(y[2], 1, &flat);
    for (size_t i = 0; i < BATCH * OUT; i++) assert_near(y1[i], ((const double *)ad_data(y[1]))[i], 1e-13);
    for (size_t i = 0; i < flat; i++) assert_near(y2[i], ((const double *)ad_data(straight))[i], 1e-13);
    ad_var total = ad_add(ad_add(ad_mul(y[0], s0), ad_sum(ad_mul(y[1], ad_tensor_constant(t, AD_F64, 2, s_shape, s1)), AD_ALL, false)),
                          ad_sum(ad_mul(y[2], ad_tensor_constant(t, AD_F64, 2, t_shape, s2)), AD_ALL, false));
    assert_int_equal(ad_backward(total), AD_OK);
    for (int k = 0; k < 5; k++)
      for (size_t i = 0; i < counts[k]; i++) assert_near(grads[k][i], ((const double *)ad_grad_data(x[k]))[i], 1e-11);
    assert_near(g6, ad_grad(x[6]), 1e-11);
    double again = y0;
    y0 = 0;
    assert_int_equal(ad_function_run(f, in, out), AD_OK);
    assert_near(y0, again, 1e-13);
    void *none[3] = { NULL, y1, NULL };                  /* parts that are not wanted */
    const void *one[3] = { &s0, NULL, NULL };
    assert_int_equal(ad_function_run(f, in, none), AD_OK);
    assert_int_equal(ad_function_run_vjp(f, in, one, none, grad), AD_OK);
    assert_int_equal(ad_backward(ad_mul(y[0], s0)), AD_OK);
    for (size_t i = 0; i < counts[1]; i++) assert_near(g1[i], ((const double *)ad_grad_data(x[1]))[i], 1e-11);
    grad[5] = g0;                                        /* labels have no gradient */
    assert_int_equal(ad_function_run_vjp(f, in, seed, out, grad), AD_ERROR_DTYPE);
    in[0] = NULL;
    assert_int_equal(ad_function_run(f, in, out), AD_ERROR_ARGUMENT);
  }
  ad_function_destroy(f);
  ad_tape_destroy(t);
}

/* numbers only: the same two calls */
static void test_numbers(void **unused) {
  (void)unused;
  double a = 2, b = 3, y = 0, w = 0.5, ga, gb;
  ad_tape *t = ad_tape_create(NULL);
  ad_var x[2], r;
  x[0] = ad_variable(t, 1); x[1] = ad_variable(t, 1);
  r = ad_mul(ad_square(x[0]), x[1]);
  ad_function *f = ad_function_create(x, 2, &r, 1);
  ad_tape_destroy(t);
  const void *in[2] = { &a, &b }, *seed[1] = { &w };
  void *out[1] = { &y }, *grad[2] = { &ga, &gb };
  assert_int_equal(ad_function_run(f, in, out), AD_OK);
  assert_near(y, 12, 0);
  assert_int_equal(ad_function_run_vjp(f, in, seed, NULL, grad), AD_OK);
  assert_near(ga, 6, 0); assert_near(gb, 2, 0);
  assert_int_equal(ad_function_run(NULL, in, out), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_run(f, NULL, out), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_run_vjp(f, in, NULL, out, grad), AD_ERROR_ARGUMENT);
  ad_function_destroy(f);
}

/* an implicit function: y with y^3 + y = x0 and y2 = x1 y, found by Newton's method */
static ad_status cubic(void *context, const double *x, double *y) {
  (void)context;
  double v = 0;
  for (int i = 0; i < 60; i++) v -= (v * v * v + v - x[0]) / (3 * v * v + 1);
  y[0] = v; y[1] = x[1] * v;
  return isnan(x[0]) ? AD_ERROR_ARGUMENT : AD_OK;
}
static ad_status cubic_vjp(void *context, const double *x, const double *y, const double *w, double *gx) {
  (void)context;
  gx[0] = (w[0] + w[1] * x[1]) / (3 * y[0] * y[0] + 1);
  gx[1] = w[1] * y[0];
  return AD_OK;
}
static void test_custom(void **unused) {
  const ad_custom op = { "cubic", 2, 2, cubic, cubic_vjp, NULL }, none = { "none", 2, 2, NULL, cubic_vjp, NULL };
  double x[2] = { 2, 3 }, again[2] = { 10, 0.5 }, y[2], g[2];
  const size_t two = 2, three = 3;
  (void)unused;
  ad_tape *t = ad_tape_create(NULL);
  ad_var v = ad_tensor_variable(t, AD_F64, 1, &two, x), r = ad_sum(ad_square(ad_custom_call(&op, v)), AD_ALL, false);
  assert_near(ad_value(r), 1 + 9, 1e-14);                /* y = 1 */
  assert_int_equal(ad_backward(r), AD_OK);
  const double *grad = (const double *)ad_grad_data(v);
  assert_near(grad[0], (2 + 6 * 3) / 4.0, 1e-14);
  assert_near(grad[1], 6, 1e-14);
  ad_function *f = ad_function_create(&v, 1, &r, 1);
  assert_non_null(f);
  const double one = 1;
  const void *in[1] = { again }, *seed[1] = { &one };
  void *out[1] = { y }, *to[1] = { g };
  assert_int_equal(ad_function_run_vjp(f, in, seed, out, to), AD_OK);
  assert_near(y[0], 4 + 1, 1e-13);                       /* y = 2 */
  assert_near(g[0], (4 + 2 * 0.5) / 13.0, 1e-13);
  assert_near(g[1], 4, 1e-13);
  again[0] = NAN;
  assert_int_equal(ad_function_run(f, in, out), AD_OK);
  assert_true(isnan(y[0]));
  ad_function_destroy(f);
  ad_var dydx;
  assert_int_equal(ad_differentiate(r, &v, 1, &dydx), AD_ERROR_UNSUPPORTED);
  ad_tape_reset(t);
  ad_custom_call(&op, ad_tensor_variable(t, AD_F64, 1, &three, (double[3]){ 1, 2, 3 }));
  assert_int_equal(ad_tape_status(t), AD_ERROR_SHAPE);
  ad_tape_reset(t);
  ad_custom_call(&none, ad_tensor_variable(t, AD_F64, 1, &two, x));
  assert_int_equal(ad_tape_status(t), AD_ERROR_ARGUMENT);
  ad_tape_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_chain), cmocka_unit_test(test_network), cmocka_unit_test(test_numbers), cmocka_unit_test(test_custom) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
