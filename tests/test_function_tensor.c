/* Functions of tensors: a replay gives what the recording gives, values and adjoints; fused chains; numbers among tensors. */
#include "test.h"
#include "memory.h"
#include <pthread.h>
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
    assert_int_equal(ad_function_prepare(f, AD_FUNCTION_JACOBIAN), AD_OK);
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
  const ad_custom op = { "cubic", 2, 2, cubic, cubic_vjp, NULL, NULL, NULL }, none = { "none", 2, 2, NULL, cubic_vjp, NULL, NULL, NULL };
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

/* attributes that shape rules settle: parts of an axis, forwards and backwards, all axes */
static void test_attributes(void **unused) {
  const size_t shape[3] = { 3, 4, 5 };
  static double x[60], g[60];
  double y, w = 1.25;
  (void)unused;
  for (int way = 0; way < 7; way++) {
    ad_tape *t = ad_tape_create(NULL);
    fill64(x, 60);
    ad_var v = ad_tensor_variable(t, AD_F64, 3, shape, x), r = v;
    switch (way) {
      case 0: r = ad_slice(v, 1, 1, 3, 1); break;
      case 1: r = ad_slice(v, 2, 4, 0, -2); break;
      case 2: r = ad_slice(v, 0, 2, -10, -1); break;
      case 3: r = ad_slice(v, 2, 3, 3, 1); break;
      case 4: r = ad_sum(v, -1, true); break;
      case 5: r = ad_permute(v, (const int[3]){ 2, -3, 1 }); break;
      default: r = ad_logsumexp(ad_square(v), AD_ALL, true); break;
    }
    r = ad_add(ad_sumsq(r, AD_ALL, false), ad_mul(ad_norm(v, AD_ALL, false), ad_mean(ad_variance(v, AD_ALL, false, 1), AD_ALL, false)));
    ad_function *f = ad_function_create(&v, 1, &r, 1);
    assert_non_null(f);
    const void *in[1] = { x }, *seed[1] = { &w };
    void *out[1] = { &y }, *grad[1] = { g };
    assert_int_equal(ad_function_run_vjp(f, in, seed, out, grad), AD_OK);
    assert_int_equal(ad_backward_from(r, &w), AD_OK);
    assert_near(y, *(const double *)ad_data(r), 0);
    for (int i = 0; i < 60; i++) assert_near(g[i], ((const double *)ad_grad_data(v))[i], 0);
    ad_function_destroy(f);
    ad_tape_destroy(t);
  }
}

/* y_i = a x_i^3 on floats or doubles: x a tensor, a a number; every way to give its derivative */
static double cube_at(const ad_array *a, size_t i) { return a->type == AD_F32 ? (double)((const float *)a->data)[i] : ((const double *)a->data)[i]; }
static void cube_put(const ad_array *a, size_t i, double v) { if (a->type == AD_F32) ((float *)a->data)[i] = (float)v; else ((double *)a->data)[i] = v; }
static ad_status cube_shape(void *context, const ad_array *x, ad_dtype *type, int *rank, size_t *shape) {
  (void)context; (void)type;
  if (x[1].rank != 0) return AD_ERROR_SHAPE;
  *rank = x[0].rank;
  for (int i = 0; i < *rank; i++) shape[i] = x[0].shape[i];
  return AD_OK;
}
static ad_status cube_value(void *context, const ad_array *x, const ad_array *y) {
  (void)context;
  for (size_t i = 0; i < y->size; i++) { double v = cube_at(&x[0], i); cube_put(y, i, cube_at(&x[1], 0) * v * v * v); }
  return AD_OK;
}
static ad_status cube_vjp(void *context, const ad_array *x, const ad_array *y, const ad_array *w, const ad_array *gx) {
  double a = cube_at(&x[1], 0), sum = 0;
  (void)context;
  for (size_t i = 0; i < y->size; i++) {
    double v = cube_at(&x[0], i), g = cube_at(w, i);
    if (gx[0].data) cube_put(&gx[0], i, g * 3 * a * v * v);
    sum += g * v * v * v;
  }
  if (gx[1].data) cube_put(&gx[1], 0, sum);
  return AD_OK;
}
static ad_status cube_jvp(void *context, const ad_array *x, const ad_array *y, const ad_array *dx, const ad_array *dy) {
  double a = cube_at(&x[1], 0), da = cube_at(&dx[1], 0);
  (void)context;
  for (size_t i = 0; i < y->size; i++) { double v = cube_at(&x[0], i); cube_put(dy, i, 3 * a * v * v * cube_at(&dx[0], i) + da * v * v * v); }
  return AD_OK;
}
static void cube_derive(void *context, const ad_var *x, ad_var y, ad_var w, ad_var *gx) {
  (void)context; (void)y;
  gx[0] = ad_mul(w, ad_mul(ad_mul(ad_square(x[0]), 3), x[1]));
  gx[1] = ad_sum(ad_mul(w, ad_mul(ad_square(x[0]), x[0])), AD_ALL, false);
}
static void test_custom_tensor(void **unused) {
  const ad_custom_tensor ways[4] = { { "cube", 2, cube_shape, cube_value, cube_vjp, NULL, NULL, NULL }, { "cube", 2, cube_shape, cube_value, NULL, cube_jvp, NULL, NULL },
    { "cube", 2, cube_shape, cube_value, NULL, NULL, cube_derive, NULL }, { "cube", 2, cube_shape, cube_value, cube_vjp, cube_jvp, cube_derive, NULL } };
  ad_custom_tensor bad = ways[0];
  const size_t shape[2] = { 2, 3 };
  float x32[6], g32[6], w32[6] = { 1, 2, 0, -1, 0.5f, 3 };
  double x64[6], g64[6], w64[6], a = 1.5, ga, h[6];
  (void)unused;
  for (int way = 0; way < 8; way++) {
    const bool single = way >= 4;
    ad_tape *t = ad_tape_create(NULL);
    ad_var in[2], y, total, d[2], second[1];
    fill64(x64, 6);
    for (int i = 0; i < 6; i++) { x32[i] = (float)x64[i]; x64[i] = x32[i]; w64[i] = w32[i]; }
    const void *at[2] = { single ? (void *)x32 : (void *)x64, &a }, *seed[1] = { single ? (void *)w32 : (void *)w64 };
    void *grad[2] = { single ? (void *)g32 : (void *)g64, &ga };
    in[0] = ad_tensor_variable(t, single ? AD_F32 : AD_F64, 2, shape, at[0]);
    in[1] = ad_variable(t, a);
    y = ad_custom_apply(&ways[way % 4], in);
    assert_int_equal(ad_backward_from(y, seed[0]), AD_OK);
    double expected = 0, e = single ? 1e-5 : 1e-13;
    for (int i = 0; i < 6; i++) expected += w64[i] * x64[i] * x64[i] * x64[i];
    for (int i = 0; i < 6; i++) {
      const double g = single ? (double)((const float *)ad_grad_data(in[0]))[i] : ((const double *)ad_grad_data(in[0]))[i];
      assert_near(g, w64[i] * 3 * a * x64[i] * x64[i], e);
    }
    assert_near(ad_grad(in[1]), expected, e);
    ad_function *f = ad_function_create(in, 2, &y, 1);
    assert_non_null(f);
    assert_int_equal(ad_function_run_vjp(f, at, seed, NULL, grad), AD_OK);
    assert_near(ga, expected, e);
    for (int i = 0; i < 6; i++) assert_near(single ? (double)g32[i] : g64[i], w64[i] * 3 * a * x64[i] * x64[i], e);
    if (!single) {                                           /* drivers of numbers: tangents always, curvature where derive is given */
      double flat[7], along[7] = { 1, 0, 0, 0, 0, 2, 0.5 }, dy[6], curved[7];
      memcpy(flat, x64, sizeof x64);
      flat[6] = a;
      assert_int_equal(ad_function_jvp(f, flat, along, NULL, dy), AD_OK);
      for (int i = 0; i < 6; i++) assert_near(dy[i], 3 * a * x64[i] * x64[i] * along[i] + along[6] * x64[i] * x64[i] * x64[i], 1e-13);
      assert_int_equal(ad_function_hessian_vector(f, flat, w64, along, curved), way % 4 < 2 ? AD_ERROR_UNSUPPORTED : AD_OK);
      for (int i = 0; i < 6 && way % 4 >= 2; i++) assert_near(curved[i], w64[i] * (6 * a * x64[i] * along[i] + 3 * x64[i] * x64[i] * along[6]), 1e-13);
    }
    ad_function_destroy(f);
    total = ad_sum(y, AD_ALL, false);                        /* second derivatives where derive is given */
    if (way % 4 < 2) {
      assert_int_equal(ad_differentiate(total, in, 2, d), AD_ERROR_UNSUPPORTED);
      assert_non_null(strstr(ad_tape_message(t), "cube"));
    } else {
      assert_int_equal(ad_differentiate(total, in, 2, d), AD_OK);
      assert_int_equal(ad_differentiate(ad_sum(d[0], AD_ALL, false), in, 1, second), AD_OK);
      for (int i = 0; i < 6; i++) {
        h[i] = single ? (double)((const float *)ad_data(second[0]))[i] : ((const double *)ad_data(second[0]))[i];
        assert_near(h[i], 6 * a * x64[i], e);
      }
    }
    ad_tape_reset(t);
    in[0] = ad_tensor_variable(t, AD_F64, 2, shape, x64);
    in[1] = in[0];
    assert_false(ad_is_valid(ad_custom_apply(&ways[way % 4], in)));
    assert_int_equal(ad_tape_status(t), AD_ERROR_SHAPE);
    ad_tape_reset(t);
    in[0] = in[1] = ad_variable(t, 1);
    bad.vjp = NULL;
    ad_custom_apply(&bad, in);
    assert_int_equal(ad_tape_status(t), AD_ERROR_ARGUMENT);
    ad_tape_destroy(t);
  }
}

/* numbers: a function of them with the operation between is run point by point */
static ad_status cubic_jvp(void *context, const double *x, const double *y, const double *dx, double *dy) {
  (void)context;
  dy[0] = dx[0] / (3 * y[0] * y[0] + 1);
  dy[1] = dx[1] * y[0] + x[1] * dy[0];
  return AD_OK;
}
static void test_custom_numbers(void **unused) {
  const ad_custom ways[2] = { { "cubic", 2, 2, cubic, cubic_vjp, NULL, NULL, NULL }, { "cubic", 2, 2, cubic, NULL, NULL, cubic_jvp, NULL } };
  (void)unused;
  for (int way = 0; way < 2; way++) {
    ad_tape *t = ad_tape_create(NULL);
    ad_var x[2], c[2], y[2];
    x[0] = ad_variable(t, 2); x[1] = ad_variable(t, 3);
    ad_custom_numbers(&ways[way], x, c);
    y[0] = ad_add(ad_mul(c[0], x[1]), ad_sin(x[0]));
    y[1] = ad_mul(c[1], 2.0);
    assert_int_equal(ad_backward(y[0]), AD_OK);
    assert_near(ad_grad(x[0]), 3.0 / 4 + cos(2), 1e-14);     /* y = 1 */
    assert_near(ad_grad(x[1]), 1, 1e-14);
    ad_function *f = ad_function_create(x, 2, y, 2);
    ad_tape_destroy(t);
    assert_non_null(f);
    const double at[6] = { 2, 3, 10, 0.5, 0, 7 };
    double value[6], jacobian[12];
    assert_int_equal(ad_function_jacobian_many(f, 3, at, value, jacobian), AD_OK);
    for (int i = 0; i < 3; i++) {
      const double a = at[2 * i], b = at[2 * i + 1], v = i == 0 ? 1 : i == 1 ? 2 : 0, d = 1 / (3 * v * v + 1);
      assert_near(value[2 * i], v * b + sin(a), 1e-13);
      assert_near(value[2 * i + 1], 2 * b * v, 1e-13);
      assert_near(jacobian[4 * i], d * b + cos(a), 1e-13);
      assert_near(jacobian[4 * i + 1], v, 1e-13);
      assert_near(jacobian[4 * i + 2], 2 * b * d, 1e-13);
      assert_near(jacobian[4 * i + 3], 2 * v, 1e-13);
    }
    double one[2], g[2];
    const double w[2] = { 1, 0 };
    assert_int_equal(ad_function_evaluate(f, at + 2, one), AD_OK);
    assert_near(one[0], value[2], 0);
    assert_int_equal(ad_function_vjp(f, at + 2, w, one, g), AD_OK);
    assert_near(g[0], jacobian[4], 1e-15);
    assert_int_equal(ad_function_jvp(f, at + 2, w, one, g), AD_OK);
    assert_near(g[0], jacobian[4], 1e-13);
    assert_near(g[1], jacobian[6], 1e-13);
    double h[4];
    assert_int_equal(ad_function_hessian(f, at + 2, w, h), AD_ERROR_UNSUPPORTED);
    assert_int_equal(ad_function_evaluate(f, NULL, one), AD_ERROR_ARGUMENT);
    ad_function_destroy(f);
  }
}

/* --- tensors and numbers as a function of numbers: every kind, both types of arrays */

/* x (3,), A (2, 3), c: tanh(A (c x)), a fused chain of x, and a number */
static void mixed(const ad_var *x, ad_var *y) {
  const size_t column[2] = { 3, 1 };
  y[0] = ad_tanh(ad_matmul(x[1], ad_reshape(ad_mul(x[0], x[2]), 2, column)));
  y[1] = ad_mul(ad_sigmoid(ad_mul(x[0], 1.5)), ad_sin(ad_add(ad_square(x[0]), x[2])));
  y[2] = ad_mul(ad_sum(ad_mul(ad_exp(x[0]), x[0]), AD_ALL, false), ad_square(x[2]));
}
enum { FLAT_N = 10, FLAT_M = 6 };
static void test_flat(void **unused) {
  const size_t shape[2][2] = { { 3, 0 }, { 2, 3 } };
  double x[3][FLAT_N], w[FLAT_M], dx[FLAT_N], y[3][FLAT_M], j[3][FLAT_M * FLAT_N], h[FLAT_N * FLAT_N], jvp[FLAT_M], vjp[FLAT_N], hv[FLAT_N];
  (void)unused;
  for (int single = 0; single < 2; single++) {
    const double e = single ? 2e-5 : 1e-12;
    ad_tape *t = ad_tape_create(NULL);
    ad_function *f = NULL;
    for (int p = 0; p < 3; p++) {
      float small[9];
      ad_var in[3], out[3], total, g[3], second[3];
      fill64(x[p], FLAT_N); fill64(w, FLAT_M); fill64(dx, FLAT_N);
      for (int i = 0; i < FLAT_N; i++) x[p][i] = (double)(float)x[p][i];
      for (int i = 0; i < 9; i++) small[i] = (float)x[p][i];
      ad_tape_reset(t);
      in[0] = ad_tensor_variable(t, single ? AD_F32 : AD_F64, 1, shape[0], single ? (void *)small : (void *)x[p]);
      in[1] = ad_tensor_variable(t, single ? AD_F32 : AD_F64, 2, shape[1], single ? (void *)(small + 3) : (void *)(x[p] + 3));
      in[2] = ad_variable(t, x[p][9]);
      mixed(in, out);
      if (!f) f = ad_function_create(in, 3, out, 3);
      assert_non_null(f);
      assert_int_equal(ad_function_jacobian(f, x[p], y[p], j[p]), AD_OK);
      for (int row = 0, k = 0; k < 3; k++)
        for (size_t i = 0; i < ad_size(out[k]); i++, row++) {
          float one32[3] = { 0 };
          double one64[3] = { 0 };
          one32[i] = 1; one64[i] = 1;
          const bool is32 = ad_type(out[k]) == AD_F32;
          assert_near(y[p][row], is32 ? (double)((const float *)ad_data(out[k]))[i] : ((const double *)ad_data(out[k]))[i], e);
          assert_int_equal(ad_backward_from(out[k], is32 ? (void *)one32 : (void *)one64), AD_OK);
          for (int col = 0, q = 0; q < 3; q++)
            for (size_t l = 0; l < ad_size(in[q]); l++, col++)
              assert_near(j[p][row * FLAT_N + col], ad_type(in[q]) == AD_F32 ? (double)((const float *)ad_grad_data(in[q]))[l] : ((const double *)ad_grad_data(in[q]))[l], e);
        }
      assert_int_equal(ad_function_jvp(f, x[p], dx, NULL, jvp), AD_OK);
      assert_int_equal(ad_function_vjp(f, x[p], w, NULL, vjp), AD_OK);
      for (int row = 0; row < FLAT_M; row++) {
        double sum = 0;
        for (int col = 0; col < FLAT_N; col++) sum += j[p][row * FLAT_N + col] * dx[col];
        assert_near(jvp[row], sum, 10 * e);
      }
      for (int col = 0; col < FLAT_N; col++) {
        double sum = 0;
        for (int row = 0; row < FLAT_M; row++) sum += j[p][row * FLAT_N + col] * w[row];
        assert_near(vjp[col], sum, 10 * e);
      }
      /* the Hessian against the tape's: of sum w y */
      total = ad_add(ad_add(ad_mul(ad_sum(ad_mul(out[0], ad_tensor_constant(t, AD_F64, 2, (const size_t[2]){ 2, 1 }, w)), AD_ALL, false), 1.0),
                            ad_sum(ad_mul(out[1], ad_tensor_constant(t, AD_F64, 1, shape[0], w + 2)), AD_ALL, false)), ad_mul(out[2], w[5]));
      if (single) continue;
      assert_int_equal(ad_function_hessian(f, x[p], w, h), AD_OK);
      assert_int_equal(ad_function_hessian_vector(f, x[p], w, dx, hv), AD_OK);
      assert_int_equal(ad_differentiate(total, in, 3, g), AD_OK);
      for (int row = 0, k = 0; k < 3; k++)
        for (size_t i = 0; i < ad_size(in[k]); i++, row++) {
          const size_t all = ad_size(in[k]);
          const ptrdiff_t at = (ptrdiff_t)i;
          const ad_var one = ad_slice(ad_reshape(g[k], 1, &all), 0, at, at + 1, 1);
          assert_int_equal(ad_differentiate(ad_sum(one, AD_ALL, false), in, 3, second), AD_OK);
          double product = 0;
          for (int col = 0, q = 0; q < 3; q++)
            for (size_t l = 0; l < ad_size(in[q]); l++, col++) {
              assert_near(h[row * FLAT_N + col], ((const double *)ad_data(second[q]))[l], 1e-11);
              product += h[row * FLAT_N + col] * dx[col];
            }
          assert_near(hv[row], product, 1e-11);
        }
    }
    /* many points, with a work space: nothing is allocated; arrays of float */
    double y3[3 * FLAT_M], j3[3 * FLAT_M * FLAT_N], h3[3 * FLAT_N * FLAT_N];
    float x32[3 * FLAT_N], y32[3 * FLAT_M], j32[3 * FLAT_M * FLAT_N];
    ad_function_arguments a;
    memset(&a, 0, sizeof a);
    a.dtype = AD_F64; a.x = x; a.y = y3; a.result = j3;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, 3, &a), AD_OK);
    assert_memory_equal(y3, y, sizeof y);
    assert_memory_equal(j3, j, sizeof j);
    for (int i = 0; i < 3 * FLAT_N; i++) x32[i] = (float)(&x[0][0])[i];
    a.dtype = AD_F32; a.x = x32; a.y = y32; a.result = j32;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, 3, &a), AD_OK);
    for (int i = 0; i < 3 * FLAT_M; i++) assert_near(y32[i], y3[i], 1e-6);
    for (int i = 0; i < 3 * FLAT_M * FLAT_N; i++) assert_near(j32[i], j3[i], 1e-6);
    const size_t bytes = ad_function_workspace_bytes(f, AD_FUNCTION_HESSIAN), more = ad_function_workspace_bytes(f, AD_FUNCTION_JACOBIAN);
    assert_true(bytes > 0 && more > 0);
    char *space = (char *)aligned_alloc(64, ((bytes > more ? bytes : more) + 127) / 64 * 64);
    float h32[3 * FLAT_N * FLAT_N], w32[3 * FLAT_M];
    double weights[3 * FLAT_M];
    for (int i = 0; i < 3 * FLAT_M; i++) weights[i] = w32[i] = 0.5f;
    if (!single) { a.dtype = AD_F64; a.x = x; a.w = weights; a.result = h3; } else { a.w = w32; a.result = h32; }
    a.y = NULL; a.workspace = space;
    const long before = allocations;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_HESSIAN, 3, &a), AD_OK);
    a.result = single ? (void *)j32 : (void *)j3;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, 3, &a), AD_OK);
    assert_int_equal(allocations, before);
    a.dtype = single ? AD_F64 : AD_F32;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, 3, &a), AD_ERROR_DTYPE);
    a.workspace = space + 8;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, 3, &a), AD_ERROR_ARGUMENT);
    free(space);
    const long steady = allocations;
    assert_int_equal(ad_function_jacobian(f, x[0], y3, j3), AD_OK);
    assert_int_equal(ad_function_jacobian(f, x[0], y3, j3), AD_OK);
    assert_true(allocations <= steady + 1);
    ad_function_destroy(f);
    ad_tape_destroy(t);
  }
}
/* outputs that are inputs, constants, one another, or empty; and a derived function that several threads ask for at once */
static void test_flat_odd(void **unused) {
  enum { ODD = 13 };
  const size_t n = 3, none = 0;
  const double d[3] = { 1, 2, 3 }, x[4] = { 7, 8, 9, 2 }, dx[4] = { 1, 2, 3, 4 };
  double y[ODD], j[ODD * 4], dy[ODD], w[ODD], gx[4], h[16];
  (void)unused;
  for (int i = 0; i < ODD; i++) w[i] = i + 1;
  ad_tape *t = ad_tape_create(NULL);
  const ad_var in[3] = { ad_tensor_variable(t, AD_F64, 1, &n, d), ad_tensor_variable(t, AD_F64, 1, &none, NULL), ad_variable(t, 5) }, product = ad_mul(in[0], in[2]);
  const ad_var out[6] = { in[0], ad_tensor_constant(t, AD_F64, 1, &n, d), product, product, ad_exp(in[1]), in[2] };
  ad_function *f = ad_function_create(in, 3, out, 6);
  assert_non_null(f);
  assert_int_equal(ad_function_jacobian(f, x, y, j), AD_OK);
  assert_int_equal(ad_function_jvp(f, x, dx, NULL, dy), AD_OK);
  assert_int_equal(ad_function_vjp(f, x, w, NULL, gx), AD_OK);
  assert_int_equal(ad_function_hessian(f, x, w, h), AD_OK);
  assert_int_equal(ad_function_jacobian_many(f, 0, NULL, NULL, NULL), AD_OK);
  const double values[ODD] = { 7, 8, 9, 1, 2, 3, 14, 16, 18, 14, 16, 18, 2 };
  for (int r = 0; r < ODD; r++) {
    double row[4] = { 0 }, sum = 0;
    if (r < 3) row[r] = 1; else if (r >= 6 && r < 12) { row[r % 3] = 2; row[3] = x[r % 3]; } else if (r == 12) row[3] = 1;
    assert_near(y[r], values[r], 0);
    for (int k = 0; k < 4; k++) { assert_near(j[r * 4 + k], row[k], 0); sum += row[k] * dx[k]; }
    assert_near(dy[r], sum, 1e-15);
  }
  for (int k = 0; k < 4; k++) {
    double sum = 0;
    for (int r = 0; r < ODD; r++) sum += j[r * 4 + k] * w[r];
    assert_near(gx[k], sum, 1e-15);
    for (int l = 0; l < 4; l++) assert_near(h[4 * k + l], (k == 3) == (l == 3) ? 0 : w[6 + (k < l ? k : l)] + w[9 + (k < l ? k : l)], 1e-15);
  }
  ad_function_destroy(f);
  ad_tape_destroy(t);
}
typedef struct curve { const ad_function *f; double x[3], h[9]; ad_status status; } curve;
static void *curves(void *p) {
  curve *c = (curve *)p;
  for (int i = 0; i < 30 && c->status == AD_OK; i++) c->status = ad_function_hessian(c->f, c->x, NULL, c->h);
  return NULL;
}
static void test_flat_threads(void **unused) {
  enum { THREADS = 3 };
  const size_t n = 3;
  const double at[3] = { 0.5, 1, 1.5 };
  (void)unused;
  for (int round = 0; round < 5; round++) {
    ad_tape *t = ad_tape_create(NULL);
    const ad_var x = ad_tensor_variable(t, AD_F64, 1, &n, at), y = ad_logsumexp(ad_mul(ad_sin(x), ad_exp(x)), AD_ALL, false);
    ad_function *f = ad_function_create(&x, 1, &y, 1);
    curve c[THREADS];
    pthread_t thread[THREADS];
    for (int k = 0; k < THREADS; k++) {
      c[k].f = f; c[k].status = AD_OK;
      memcpy(c[k].x, at, sizeof at);
      assert_int_equal(pthread_create(&thread[k], NULL, curves, &c[k]), 0);
    }
    for (int k = 0; k < THREADS; k++) { pthread_join(thread[k], NULL); assert_int_equal(c[k].status, AD_OK); assert_memory_equal(c[k].h, c[0].h, sizeof c[0].h); }
    ad_function_destroy(f);
    ad_tape_destroy(t);
  }
}
/* a derivative that was recorded, of a loss whose labels are an input: other labels when it is run */
static void test_labels_of_derivative(void **unused) {
  const size_t shape[2] = { 2, 3 }, rows = 2;
  const double logits[6] = { 1, 2, 0.5, -1, 0, 2 }, one = 1;
  int32_t label[2] = { 0, 1 }, other[2] = { 2, 0 };
  double g[6], expected[6];
  (void)unused;
  ad_tape *t = ad_tape_create(NULL);
  ad_var in[2] = { ad_tensor_variable(t, AD_F64, 2, shape, logits), ad_tensor_constant(t, AD_I32, 1, &rows, label) }, y = ad_cross_entropy(in[0], in[1]), d;
  assert_int_equal(ad_differentiate(y, in, 1, &d), AD_OK);
  ad_function *f = ad_function_create(in, 2, &y, 1), *slope = ad_function_create(in, 2, &d, 1);
  assert_non_null(f); assert_non_null(slope);
  const void *x[2] = { logits, other }, *w[1] = { &one };
  void *out[1] = { g }, *gx[2] = { expected, NULL };
  assert_int_equal(ad_function_run(slope, x, out), AD_OK);
  assert_int_equal(ad_function_run_vjp(f, x, w, NULL, gx), AD_OK);
  for (int i = 0; i < 6; i++) assert_near(g[i], expected[i], 1e-14);
  other[1] = 3;
  assert_int_equal(ad_function_run(slope, x, out), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_evaluate(f, logits, g), AD_ERROR_DTYPE);        /* labels are no numbers */
  ad_function_destroy(f); ad_function_destroy(slope);
  ad_tape_destroy(t);
}
/* an output of type float and rank 0: all drivers */
static void test_float_output(void **unused) {
  const size_t n = 4;
  const float at[4] = { 0.5f, -1, 0.25f, 2 };
  const double x[8] = { 0.5, -1, 0.25, 2, 1, 1, 2, -3 }, v[4] = { 1, 2, -1, 0.5 };
  double y[2], g[8], h[16], hv[4], slope;
  (void)unused;
  ad_tape *t = ad_tape_create(NULL);
  ad_var in = ad_tensor_variable(t, AD_F32, 1, &n, at), out = ad_sum(ad_mul(ad_square(in), in), AD_ALL, false);
  assert_int_equal(ad_type(out), AD_F32);
  ad_function *f = ad_function_create(&in, 1, &out, 1);
  assert_int_equal(ad_function_gradient_many(f, 2, x, y, g), AD_OK);
  for (int p = 0; p < 2; p++) {
    double sum = 0;
    for (int i = 0; i < 4; i++) { const double c = x[4 * p + i]; sum += c * c * c; assert_near(g[4 * p + i], 3 * c * c, 1e-6); }
    assert_near(y[p], sum, 1e-6);
  }
  assert_int_equal(ad_function_evaluate(f, x, y), AD_OK);
  assert_int_equal(ad_function_jvp(f, x, v, NULL, &slope), AD_OK);
  assert_int_equal(ad_function_hessian(f, x, NULL, h), AD_OK);
  assert_int_equal(ad_function_hessian_vector(f, x, NULL, v, hv), AD_OK);
  double expected = 0;
  for (int i = 0; i < 4; i++) {
    expected += 3 * x[i] * x[i] * v[i];
    assert_near(hv[i], 6 * x[i] * v[i], 1e-6);
    for (int k = 0; k < 4; k++) assert_near(h[4 * i + k], i == k ? 6 * x[i] : 0, 1e-6);
  }
  assert_near(slope, expected, 1e-6);
  ad_function_destroy(f);
  ad_tape_destroy(t);
}

/* On AD_ERROR_BRANCH and on labels out of range parameters are as before, also where an update is ready before the comparison is. */
static void test_step_refused(void **unused) {
  const size_t n = 5;
  double p[5], q[5], c = 1, before[5], velocity[5] = { 1, 1, 1, 1, 1 }, y[2];
  int32_t label = 1;
  const double logits[3] = { 1, 2, 3 };
  const size_t one = 1, rows[2] = { 1, 3 };
  (void)unused;
  fill64(p, 5); fill64(q, 5);
  for (int way = 0; way < 2; way++) {                        /* 0: labels, 1: a comparison; both after the chain of p is done with */
    ad_tape *t = ad_tape_create(NULL);
    ad_var in[4], out[2];
    in[0] = ad_tensor_variable(t, AD_F64, 1, &n, p);
    in[1] = ad_variable(t, c);
    in[2] = ad_tensor_constant(t, AD_I32, 1, &one, &label);
    in[3] = ad_tensor_variable(t, AD_F64, 2, rows, logits);
    out[0] = ad_sum(ad_mul(ad_sigmoid(ad_mul(in[0], 0.5)), ad_tanh(in[0])), AD_ALL, false);
    if (way) out[1] = ad_gt(in[1], 0.5) ? ad_square(in[1]) : in[1];
    else out[1] = ad_cross_entropy(in[3], in[2]);
    ad_function *f = ad_function_create(in, 4, out, 2);
    assert_non_null(f);
    const double weight = 1;
    const void *x[4] = { p, &c, &label, logits }, *w[2] = { &weight, &weight };
    void *theta[4] = { p, NULL, NULL, NULL }, *v[4] = { velocity, NULL, NULL, NULL }, *to[2] = { &y[0], &y[1] };
    ad_function_step_arguments a;
    memset(&a, 0, sizeof a);
    a.x = x; a.w = w; a.y = to; a.theta = theta; a.velocity = v; a.rate = 0.1; a.momentum = 0.9; a.decay = 0.1;
    memcpy(before, p, sizeof p);
    if (way) c = 0.25; else label = 7;
    assert_int_equal(ad_function_step(f, &a), way ? AD_ERROR_BRANCH : AD_ERROR_ARGUMENT);
    assert_memory_equal(p, before, sizeof p);
    for (int i = 0; i < 5; i++) assert_true(velocity[i] == 1);
    c = 1; label = 1;
    assert_int_equal(ad_function_step(f, &a), AD_OK);
    for (int i = 0; i < 5; i++) { assert_true(p[i] != before[i] && velocity[i] != 1); velocity[i] = 1; }
    a.workspace = (char *)q + 8 - (uintptr_t)q % 8 + ((uintptr_t)q % 64 == 56 ? 8 : 0);
    if ((uintptr_t)a.workspace % 64) assert_int_equal(ad_function_step(f, &a), AD_ERROR_ARGUMENT);
    ad_function_destroy(f);
    ad_tape_destroy(t);
  }
}
/* indices are looked at where no result asks for the operation that reads them: the gradient of a gather does not need its value */
static void test_step_refused_unasked(void **unused) {
  const size_t n = 3, rows[2] = { 4, 2 }, two = 2;
  double v[3] = { 1, 2, 3 }, a[3] = { 0.5, -1, 2 }, table[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, y, gv[3], gtable[8];
  int32_t index[2] = { 0, 3 };
  (void)unused;
  for (int way = 0; way < 2; way++) {                        /* 0: y not asked for, 1: y asked for */
    double before[3], held[8];
    ad_tape *t = ad_tape_create(NULL);
    ad_var in[4], out;
    in[0] = ad_tensor_variable(t, AD_F64, 1, &n, v);
    in[1] = ad_tensor_variable(t, AD_F64, 1, &n, a);
    in[2] = ad_tensor_variable(t, AD_F64, 2, rows, table);
    in[3] = ad_tensor_constant(t, AD_I32, 1, &two, index);
    out = ad_add(ad_sum(ad_mul(in[0], ad_square(in[1])), AD_ALL, false), ad_sum(ad_gather(in[2], in[3], 0), AD_ALL, false));
    ad_function *f = ad_function_create(in, 4, &out, 1);
    assert_non_null(f);
    const double weight = 1;
    const void *x[4] = { v, a, table, index }, *w[1] = { &weight };
    void *theta[4] = { v, NULL, table, NULL }, *to[1] = { &y }, *gx[4] = { gv, NULL, gtable, NULL };
    ad_function_step_arguments s;
    memset(&s, 0, sizeof s);
    s.x = x; s.w = w; s.y = way ? to : NULL; s.theta = theta; s.rate = 0.5;
    memcpy(before, v, sizeof v); memcpy(held, table, sizeof table);
    for (int wrong = 9; wrong >= -1; wrong -= 10) {
      index[1] = wrong;
      assert_int_equal(ad_function_step(f, &s), AD_ERROR_ARGUMENT);
      assert_memory_equal(v, before, sizeof v); assert_memory_equal(table, held, sizeof table);
      assert_int_equal(ad_function_run_vjp(f, x, w, s.y, gx), AD_ERROR_ARGUMENT);
    }
    index[1] = 3;
    assert_int_equal(ad_function_run_vjp(f, x, w, s.y, gx), AD_OK);
    for (int i = 0; i < 8; i++) assert_near(gtable[i], i < 2 || i > 5, 0);
    assert_int_equal(ad_function_step(f, &s), AD_OK);
    for (int i = 0; i < 3; i++) assert_near(v[i], before[i] - 0.5 * a[i] * a[i], 1e-15);
    for (int i = 0; i < 8; i++) assert_near(table[i], held[i] - (i < 2 || i > 5 ? 0.5 : 0), 0);
    ad_function_destroy(f);
    /* the gradient as a function of its own: nothing but the scattering is left of the gather */
    ad_var d;
    assert_int_equal(ad_differentiate(out, &in[2], 1, &d), AD_OK);
    assert_non_null(f = ad_function_create(in, 4, &d, 1));
    to[0] = gtable;
    index[1] = 4;
    assert_int_equal(ad_function_run(f, x, to), AD_ERROR_ARGUMENT);
    index[1] = 0;
    assert_int_equal(ad_function_run(f, x, to), AD_OK);
    for (int i = 0; i < 8; i++) assert_near(gtable[i], i < 2 ? 2 : 0, 0);
    index[1] = 3;
    ad_function_destroy(f);
    ad_tape_destroy(t);
  }
}
/* a number in, one out, rows over 1024 elements between: a few are taken apart, many are not; the function is the same */
static void test_apart(void **unused) {
  const size_t shape[1] = { 1024 };
  double y, dy, h;
  (void)unused;
  for (int rows = 4; rows <= 40; rows += 36) {
    const double x = 0.75;
    ad_tape *t = ad_tape_create(NULL);
    ad_var in = ad_variable(t, x), v = ad_broadcast_to(in, 1, shape), out;
    for (int i = 0; i < rows; i++) v = ad_sin(v);
    out = ad_reshape(ad_slice(v, 0, 7, 8, 1), 0, NULL);
    ad_function *f = ad_function_create(&in, 1, &out, 1);
    assert_non_null(f);
    assert_int_equal(ad_function_describe(f).recorded, rows + 3);
    ad_function *g = ad_function_wrt(f, (const size_t[1]){ 0 }, 1);        /* of functions of numbers only */
    assert_true((g != NULL) == (rows == 4));
    double s = x, d = 1, d2 = 0;
    for (int i = 0; i < rows; i++) { d2 = -sin(s) * d * d + cos(s) * d2; d *= cos(s); s = sin(s); }
    assert_int_equal(ad_function_jacobian(f, &x, &y, &dy), AD_OK);
    assert_int_equal(ad_function_hessian(f, &x, NULL, &h), AD_OK);
    assert_near(y, s, 1e-14); assert_near(dy, d, 1e-13); assert_near(h, d2, 1e-12);
    ad_function_destroy(g); ad_function_destroy(f);
    ad_tape_destroy(t);
  }
}
/* the function reduces a tensor, its curvature is one of numbers only */
static void test_curvature_of_numbers(void **unused) {
  const size_t n = 5;
  double c[5], sum = 0;
  (void)unused;
  fill64(c, 5);
  for (int i = 0; i < 5; i++) sum += exp(c[i]);
  const double x[2] = { 1.5, -2 }, w = 2, v[2] = { 0.5, 3 };
  double y, hv[2], h[4];
  ad_tape *t = ad_tape_create(NULL);
  ad_var in[2] = { ad_variable(t, x[0]), ad_variable(t, x[1]) };
  ad_var out = ad_add(ad_mul(ad_square(in[0]), in[1]), ad_sum(ad_exp(ad_tensor_constant(t, AD_F64, 1, &n, c)), AD_ALL, false));
  ad_function *f = ad_function_create(in, 2, &out, 1);
  assert_non_null(f);
  assert_int_equal(ad_function_evaluate(f, x, &y), AD_OK);
  assert_near(y, x[0] * x[0] * x[1] + sum, 1e-14);
  assert_int_equal(ad_function_hessian_vector(f, x, &w, v, hv), AD_OK);
  assert_near(hv[0], w * (2 * x[1] * v[0] + 2 * x[0] * v[1]), 1e-14); assert_near(hv[1], w * 2 * x[0] * v[0], 1e-14);
  assert_int_equal(ad_function_hessian(f, x, &w, h), AD_OK);
  assert_near(h[0], w * 2 * x[1], 1e-14); assert_near(h[1], w * 2 * x[0], 1e-14); assert_near(h[2], h[1], 0); assert_near(h[3], 0, 0);
  ad_function_destroy(f);
  ad_tape_destroy(t);
}
/* numbers: inputs that no output depends on, or left out by ad_function_wrt, keep their values, with decay too; so do all on AD_ERROR_BRANCH */
static void test_step_numbers(void **unused) {
  double p[3] = { 2, 3, 4 };
  (void)unused;
  ad_tape *t = ad_tape_create(NULL);
  ad_var in[3], y;
  for (int k = 0; k < 3; k++) in[k] = ad_variable(t, p[k]);
  y = ad_gt(in[0], 0.0) ? ad_mul(ad_square(in[0]), in[1]) : in[1];
  ad_function *f = ad_function_create(in, 3, &y, 1), *g = ad_function_wrt(f, (const size_t[1]){ 1 }, 1);
  const void *x[3] = { &p[0], &p[1], &p[2] };
  void *theta[3] = { &p[0], &p[1], &p[2] };
  ad_function_step_arguments a;
  memset(&a, 0, sizeof a);
  a.x = x; a.theta = theta; a.rate = 0.5; a.decay = 0.5;
  assert_int_equal(ad_function_step(f, &a), AD_OK);
  assert_near(p[0], 2 - 0.5 * (12 + 1), 1e-15); assert_near(p[1], 3 - 0.5 * (4 + 1.5), 1e-15); assert_near(p[2], 4, 0);
  const double kept = p[1];
  assert_int_equal(ad_function_step(f, &a), AD_ERROR_BRANCH);        /* p[0] is negative now */
  assert_near(p[0], -4.5, 0); assert_near(p[1], kept, 0);
  p[0] = 2; p[1] = 3;
  assert_int_equal(ad_function_step(g, &a), AD_OK);
  assert_near(p[0], 2, 0); assert_near(p[1], 3 - 0.5 * (4 + 1.5), 1e-15); assert_near(p[2], 4, 0);
  ad_function *h = ad_function_wrt(g, (const size_t[1]){ 0 }, 1);
  p[1] = 3;
  assert_int_equal(ad_function_step(h, &a), AD_OK);
  assert_near(p[0], 2 - 0.5 * (12 + 1), 1e-15); assert_near(p[1], 3, 0);
  ad_function_destroy(h); ad_function_destroy(g); ad_function_destroy(f);
  ad_tape_destroy(t);
}

/* --- plans: steps, work space, memory */

enum { ROWS = 12, FEATURES = 7, WIDTH = 20, CLASSES = 5, PARAMETERS = 4 };
static const size_t mlp_shape[PARAMETERS][2] = { { FEATURES, WIDTH }, { WIDTH, 0 }, { WIDTH, CLASSES }, { CLASSES, 0 } };
static const size_t mlp_size[PARAMETERS] = { FEATURES * WIDTH, WIDTH, WIDTH * CLASSES, CLASSES };
typedef struct mlp { float x[ROWS * FEATURES], p[PARAMETERS][FEATURES * WIDTH], v[PARAMETERS][FEATURES * WIDTH], loss; int32_t label[ROWS]; } mlp;

static void mlp_start(mlp *s) {
  memset(s, 0, sizeof *s);
  fill32(s->x, ROWS * FEATURES);
  for (int k = 0; k < PARAMETERS; k++) fill32(s->p[k], mlp_size[k]);
  for (int i = 0; i < ROWS; i++) s->label[i] = (int32_t)(i * 3 % CLASSES);
}
/* inputs: images, labels, parameters; the loss */
static ad_var mlp_record(ad_tape *t, const mlp *s, ad_var *in) {
  const size_t images[2] = { ROWS, FEATURES }, rows = ROWS;
  in[0] = ad_tensor_variable(t, AD_F32, 2, images, s->x);
  in[1] = ad_tensor_constant(t, AD_I32, 1, &rows, s->label);
  for (int k = 0; k < PARAMETERS; k++) in[2 + k] = ad_tensor_variable(t, AD_F32, mlp_shape[k][1] ? 2 : 1, mlp_shape[k], s->p[k]);
  return ad_cross_entropy(ad_linear(ad_relu(ad_linear(in[0], in[2], in[3])), in[4], in[5]), in[1]);
}
static ad_function *mlp_function(const mlp *s) {
  ad_var in[2 + PARAMETERS];
  ad_tape *t = ad_tape_create(NULL);
  ad_var y = mlp_record(t, s, in);
  ad_function *f = ad_function_create(in, 2 + PARAMETERS, &y, 1);
  ad_tape_destroy(t);
  return f;
}
static ad_status mlp_step(const ad_function *f, mlp *s, double momentum, double decay, void *workspace, bool velocity) {
  const void *x[2 + PARAMETERS] = { s->x, s->label };
  void *y[1] = { &s->loss }, *theta[2 + PARAMETERS] = { NULL, NULL }, *v[2 + PARAMETERS] = { NULL, NULL };
  ad_function_step_arguments a;
  for (int k = 0; k < PARAMETERS; k++) x[2 + k] = theta[2 + k] = s->p[k], v[2 + k] = s->v[k];
  memset(&a, 0, sizeof a);
  a.x = x; a.y = y; a.theta = theta; a.rate = 0.1; a.momentum = momentum; a.decay = decay; a.workspace = workspace;
  if (velocity) a.velocity = v;
  return ad_function_step(f, &a);
}
static void mlp_on_tape(mlp *s, double momentum, double decay, bool velocity) {
  ad_var in[2 + PARAMETERS], v[PARAMETERS];
  ad_tape *t = ad_tape_create(NULL);
  ad_var y = mlp_record(t, s, in);
  for (int k = 0; k < PARAMETERS; k++) v[k] = ad_tensor_variable(t, AD_F32, mlp_shape[k][1] ? 2 : 1, mlp_shape[k], s->v[k]);
  assert_int_equal(ad_backward(y), AD_OK);
  assert_int_equal(ad_sgd(in + 2, PARAMETERS, velocity ? v : NULL, 0.1, momentum, decay), AD_OK);
  s->loss = *(const float *)ad_data(y);
  for (int k = 0; k < PARAMETERS; k++) {
    memcpy(s->p[k], ad_data(in[2 + k]), mlp_size[k] * sizeof(float));
    memcpy(s->v[k], ad_data(v[k]), mlp_size[k] * sizeof(float));
  }
  ad_tape_destroy(t);
}
/* an operation that reads a temporary both whole and through a view does not take its place */
static void test_views_of_one(void **unused) {
  (void)unused;
  const size_t shape[2] = { 2, 2 };
  const double w[4] = { 0, 1, 2, 3 }, a[4] = { 4, 1, 1, 3 }, seed[4] = { 0, 0, 1, 0 };
  double v[4], g[4];
  ad_tape *t = ad_tape_create(NULL);
  ad_var x = ad_tensor_variable(t, AD_F64, 2, shape, w), s = ad_matmul(x, x), y = ad_mul(ad_add(s, ad_slice(s, 0, 0, 1, 1)), 0.5);
  ad_function *f = ad_function_create(&x, 1, &y, 1);
  assert_non_null(f);
  const void *at[1] = { w }, *weight[1] = { seed };
  void *out[1] = { v }, *gradient[1] = { g };
  assert_int_equal(ad_function_run(f, at, out), AD_OK);
  assert_memory_equal(v, ad_data(y), sizeof v);
  ad_function_destroy(f);
  x = ad_tensor_variable(t, AD_F64, 2, shape, a);
  y = ad_cholesky(x);                                        /* its adjoint ends in (s + s^T) / 2 */
  f = ad_function_create(&x, 1, &y, 1);
  at[0] = a;
  assert_int_equal(ad_function_run_vjp(f, at, weight, NULL, gradient), AD_OK);
  assert_int_equal(ad_backward_from(y, seed), AD_OK);
  for (int i = 0; i < 4; i++) assert_near(g[i], ((const double *)ad_grad_data(x))[i], 1e-15);
  ad_function_destroy(f);
  ad_tape_destroy(t);
}

/* each parameter is changed by its own gradient, also where that of one is made from that of another */
static void test_updates(void **unused) {
  (void)unused;
  const size_t shape[2] = { 3, 5 };
  double p[15], q[15], p0[15], q0[15];
  for (int i = 0; i < 15; i++) { p0[i] = p[i] = sin(i); q0[i] = q[i] = cos(3 * i); }
  ad_tape *t = ad_tape_create(NULL);
  ad_var x[2] = { ad_tensor_variable(t, AD_F64, 2, shape, p), ad_tensor_variable(t, AD_F64, 2, shape, q) };
  ad_var y = ad_sumsq(ad_sub(x[0], x[1]), AD_ALL, false);
  ad_function *f = ad_function_create(x, 2, &y, 1);
  assert_non_null(f);
  ad_function_step_arguments a;
  memset(&a, 0, sizeof a);
  const void *at[2] = { p, q };
  void *theta[2] = { p, q };
  a.x = at; a.theta = theta; a.rate = 0.25;
  assert_int_equal(ad_function_step(f, &a), AD_OK);
  for (int i = 0; i < 15; i++) {
    assert_near(p[i], p0[i] - 0.5 * (p0[i] - q0[i]), 1e-14);
    assert_near(q[i], q0[i] + 0.5 * (p0[i] - q0[i]), 1e-14);
  }
  ad_function_destroy(f);
  ad_tape_destroy(t);
}

static void test_step(void **unused) {
  static mlp a, b;
  (void)unused;
  for (int way = 0; way < 3; way++) {
    const double momentum = way == 1 ? 0.9 : 0, decay = way == 2 ? 0.01 : 0;
    mlp_start(&a);
    b = a;
    ad_function *f = mlp_function(&a);
    assert_non_null(f);
    for (int step = 0; step < 5; step++) {
      assert_int_equal(mlp_step(f, &a, momentum, decay, NULL, way == 1), AD_OK);
      mlp_on_tape(&b, momentum, decay, way == 1);
      assert_near(a.loss, b.loss, 1e-5);
      for (int k = 0; k < PARAMETERS; k++)
        for (size_t i = 0; i < mlp_size[k]; i++) { assert_near(a.p[k][i], b.p[k][i], 1e-5); assert_near(a.v[k][i], b.v[k][i], 1e-5); }
    }
    a.label[3] = CLASSES;                                    /* labels are looked at in each run */
    assert_int_equal(mlp_step(f, &a, 0, 0, NULL, false), AD_ERROR_ARGUMENT);
    a.label[3] = 0;
    assert_int_equal(mlp_step(f, &a, 0, 0, NULL, false), AD_OK);
    ad_function_step_arguments none;
    memset(&none, 0, sizeof none);
    assert_int_equal(ad_function_step(f, NULL), AD_ERROR_ARGUMENT);
    assert_int_equal(ad_function_step(f, &none), AD_ERROR_ARGUMENT);
    assert_int_equal(ad_function_step(NULL, &none), AD_ERROR_ARGUMENT);
    const void *x[2 + PARAMETERS] = { a.x, a.label, a.p[0], a.p[1], a.p[2], NULL };
    none.x = x;
    assert_int_equal(ad_function_step(f, &none), AD_ERROR_ARGUMENT);
    void *theta[2 + PARAMETERS] = { NULL, a.label, NULL };
    x[5] = a.p[3]; none.theta = theta;                       /* labels are no parameters */
    assert_int_equal(ad_function_step(f, &none), AD_ERROR_DTYPE);
    ad_function_destroy(f);
  }
}

/* a work space that the caller gives: nothing is allocated, nothing beside it is written; its size is what liveness allows */
static void test_workspace(void **unused) {
  static mlp a, b;
  (void)unused;
  mlp_start(&a);
  b = a;
  ad_function *f = mlp_function(&a);
  const size_t bytes = ad_function_workspace_bytes(f, AD_FUNCTION_VJP);
  assert_true(bytes > 0);
  assert_int_equal(ad_function_workspace_bytes(f, AD_FUNCTION_JACOBIAN), 0);
  char *block = (char *)malloc(bytes + 192), *space = block + 64 + (64 - (uintptr_t)block % 64) % 64;
  memset(block, 0x5a, bytes + 192);
  const long before = allocations;
  for (int step = 0; step < 3; step++) assert_int_equal(mlp_step(f, &a, 0, 0, space, false), AD_OK);
  assert_int_equal(allocations, before);
  for (char *p = block; p < space; p++) assert_int_equal(*p, 0x5a);
  for (char *p = space + bytes; p < block + bytes + 192; p++) assert_int_equal(*p, 0x5a);
  for (int step = 0; step < 3; step++) assert_int_equal(mlp_step(f, &b, 0, 0, NULL, false), AD_OK);
  assert_memory_equal(a.p, b.p, sizeof a.p);
  const long steady = allocations;
  assert_int_equal(mlp_step(f, &b, 0, 0, NULL, false), AD_OK);
  assert_int_equal(allocations, steady);
  ad_function_destroy(f);
  free(block);
  /* 30 values of 4000 floats, of which two are needed at any time */
  static float x[4000], y[4000];
  const size_t shape[2] = { 40, 100 };
  ad_tape *t = ad_tape_create(NULL);
  fill32(x, 4000);
  ad_var v = ad_tensor_variable(t, AD_F32, 2, shape, x), r = v;
  for (int i = 0; i < 30; i++) r = i % 2 ? ad_softmax(r, 1) : ad_cumsum(r, 1);
  f = ad_function_create(&v, 1, &r, 1);
  assert_true(ad_function_workspace_bytes(f, AD_FUNCTION_VALUE) < 3 * sizeof x);
  const void *in[1] = { x };
  void *out[1] = { y };
  assert_int_equal(ad_function_run(f, in, out), AD_OK);
  assert_memory_equal(y, ad_data(r), sizeof y);
  ad_function_destroy(f);
  ad_tape_destroy(t);
}

typedef struct job { const ad_function *f; mlp *s; void *space; ad_status status; } job;
static void *run_steps(void *p) {
  job *j = (job *)p;
  for (int i = 0; i < 200 && j->status == AD_OK; i++) j->status = mlp_step(j->f, j->s, 0, 0, j->space, false);
  return NULL;
}
static void test_threads(void **unused) {
  static mlp s[3];
  (void)unused;
  mlp_start(&s[0]);
  s[1] = s[2] = s[0];
  for (int own = 0; own < 2; own++) {
    ad_function *f = mlp_function(&s[0]);
    const size_t bytes = own ? ad_function_workspace_bytes(f, AD_FUNCTION_VJP) : 0;       /* else the first calls build the plan at once */
    job j[2];
    pthread_t thread[2];
    for (int k = 0; k < 2; k++) {
      j[k].f = f; j[k].s = &s[k]; j[k].status = AD_OK;
      j[k].space = own ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
      assert_int_equal(pthread_create(&thread[k], NULL, run_steps, &j[k]), 0);
    }
    for (int k = 0; k < 2; k++) { pthread_join(thread[k], NULL); free(j[k].space); assert_int_equal(j[k].status, AD_OK); }
    job alone = { f, &s[2], NULL, AD_OK };
    run_steps(&alone);
    assert_memory_equal(&s[0], &s[2], sizeof s[0]);
    assert_memory_equal(&s[1], &s[2], sizeof s[0]);
    ad_function_destroy(f);
  }
}

/* every allocation of making, planning and running fails once */
static void test_memory(void **unused) {
  static mlp a, b;
  (void)unused;
  mlp_start(&a);
  b = a;
  ad_function *f = mlp_function(&b);
  assert_int_equal(mlp_step(f, &b, 0, 0, NULL, false), AD_OK);
  ad_function_destroy(f);
  for (long k = 0;; k++) {
    mlp c = a;
    ad_status status = AD_ERROR_MEMORY;
    fail_at = allocations + k;
    ad_function *g = mlp_function(&c);
    if (g) status = mlp_step(g, &c, 0, 0, NULL, false);
    const bool reached = allocations > fail_at;
    fail_at = -1;
    assert_true(status == AD_OK || status == AD_ERROR_MEMORY);
    if (status != AD_OK) { assert_memory_equal(c.p, a.p, sizeof a.p); if (g) assert_int_equal(mlp_step(g, &c, 0, 0, NULL, false), AD_OK); }
    if (g) assert_memory_equal(c.p, b.p, sizeof b.p);
    ad_function_destroy(g);
    if (!reached) { assert_true(k > 20); break; }
  }
}
/* the tangent function and the one of second order are made when they are first asked for */
static void test_memory_of_derived(void **unused) {
  const double x[3] = { 0.5, -1, 2 };
  const size_t n = 3;
  (void)unused;
  for (int hessian = 0; hessian < 2; hessian++) {
    for (long k = 0;; k++) {
      double y, dy = 0, h[9] = { 0 };
      ad_tape *t = ad_tape_create(NULL);
      ad_var v = ad_tensor_variable(t, AD_F64, 1, &n, x), s = ad_sum(ad_exp(ad_matmul(ad_reshape(v, 2, (size_t[]){ 3, 1 }), ad_reshape(v, 2, (size_t[]){ 1, 3 }))), AD_ALL, false);
      ad_function *f = ad_function_create(&v, 1, &s, 1);
      assert_non_null(f);
      fail_at = allocations + k;
      ad_status status = hessian ? ad_function_hessian(f, x, NULL, h) : ad_function_jvp(f, x, x, &y, &dy);
      const bool reached = allocations > fail_at;
      fail_at = -1;
      assert_true(status == AD_OK || (reached && status == AD_ERROR_MEMORY));
      if (status != AD_OK) assert_int_equal(hessian ? ad_function_hessian(f, x, NULL, h) : ad_function_jvp(f, x, x, &y, &dy), AD_OK);
      double expected = 0, corner = 0;                           /* of sum of e^(x_i x_j) along x, and by x_0 twice */
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) expected += 2 * x[i] * x[j] * exp(x[i] * x[j]);
        corner += i ? 2 * x[i] * x[i] * exp(x[0] * x[i]) : (2 + 4 * x[0] * x[0]) * exp(x[0] * x[0]);
      }
      if (hessian) assert_near(h[0], corner, 1e-12); else assert_near(dy, expected, 1e-12);
      ad_function_destroy(f);
      ad_tape_destroy(t);
      if (!reached) { assert_true(k > 20); break; }
    }
  }
}

/* chains whose adjoint is known before they run, and not; numbers among their operands get sums */
static void test_sweeps(void **unused) {
  static double x[5000], gx[5000];
  double c = 0.7, d = -0.2, w = 1.5, y, gc, gd;
  const size_t sizes[] = { 3, 2048, 2049, 5000 };
  (void)unused;
  for (size_t s = 0; s < 4; s++)
    for (int way = 0; way < 3; way++) {
      const size_t n = sizes[s];
      ad_tape *t = ad_tape_create(NULL);
      ad_function *f = NULL;
      for (int round = 0; round < 2; round++) {
        fill64(x, n);
        c += 0.1;
        ad_tape_reset(t);
        ad_var in[3], r;
        in[0] = ad_tensor_variable(t, AD_F64, 1, &n, x);
        in[1] = ad_variable(t, c);
        in[2] = ad_variable(t, d);
        r = ad_mul(ad_sigmoid(ad_add(ad_mul(in[0], in[1]), in[2])), ad_tanh(in[0]));
        r = way == 0 ? ad_sum(r, AD_ALL, false) : way == 1 ? ad_mean(r, AD_ALL, false) : ad_logsumexp(r, AD_ALL, false);
        if (!f) f = ad_function_create(in, 3, &r, 1);
        assert_non_null(f);
        const void *at[3] = { x, &c, &d }, *seed[1] = { &w };
        void *out[1] = { &y }, *grad[3] = { gx, &gc, &gd };
        assert_int_equal(ad_function_run_vjp(f, at, seed, out, grad), AD_OK);
        assert_int_equal(ad_backward_from(r, &w), AD_OK);
        assert_near(y, *(const double *)ad_data(r), 1e-12);
        assert_near(gc, ad_grad(in[1]), 1e-12);
        assert_near(gd, ad_grad(in[2]), 1e-12);
        for (size_t i = 0; i < n; i++) assert_near(gx[i], ((const double *)ad_grad_data(in[0]))[i], 1e-12);
        grad[0] = grad[2] = NULL;                            /* what is not wanted is left out */
        gc = 0;
        assert_int_equal(ad_function_run_vjp(f, at, seed, NULL, grad), AD_OK);
        assert_near(gc, ad_grad(in[1]), 1e-12);
      }
      ad_function_destroy(f);
      ad_tape_destroy(t);
    }
}

/* nothing in it, an input twice among the outputs, views and constants as outputs, an input that nothing depends on */
static void test_odd(void **unused) {
  (void)unused;
  const size_t none[2] = { 0, 3 }, some[2] = { 2, 3 };
  static const double data[6] = { 1, 2, 3, 4, 5, 6 };
  double x[6] = { 6, 5, 4, 3, 2, 1 }, y[4][6], w[6] = { 1, 2, 3, 4, 5, 6 }, g[6], unused_g[6] = { 9, 9, 9, 9, 9, 9 };
  ad_tape *t = ad_tape_create(NULL);
  ad_var in[3], out[4];
  in[0] = ad_tensor_variable(t, AD_F64, 2, some, data);
  in[1] = ad_tensor_variable(t, AD_F64, 2, none, NULL);
  in[2] = ad_tensor_variable(t, AD_F64, 2, some, data);
  out[0] = in[0];
  out[1] = ad_transpose(in[0]);
  out[2] = ad_tensor_constant(t, AD_F64, 2, some, data);
  out[3] = ad_mul(ad_exp(in[1]), 2.0);
  ad_function *f = ad_function_create(in, 3, out, 4);
  assert_non_null(f);
  const void *at[3] = { x, NULL, data }, *seed[4] = { w, w, NULL, NULL };
  void *to[4] = { y[0], y[1], y[2], NULL }, *grad[3] = { g, NULL, unused_g };
  assert_int_equal(ad_function_run_vjp(f, at, seed, to, grad), AD_OK);
  for (int i = 0; i < 6; i++) {
    assert_near(y[0][i], x[i], 0);
    assert_near(y[1][i], x[i % 2 * 3 + i / 2], 0);
    assert_near(y[2][i], data[i], 0);
    assert_near(g[i], w[i] + w[i % 3 * 2 + i / 3], 0);
    assert_near(unused_g[i], 0, 0);
  }
  const void *nothing[4] = { NULL, NULL, NULL, NULL };
  assert_int_equal(ad_function_run_vjp(f, at, nothing, NULL, grad), AD_OK);
  for (int i = 0; i < 6; i++) assert_near(g[i], 0, 0);
  ad_function_destroy(f);
  ad_tape_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_chain), cmocka_unit_test(test_network), cmocka_unit_test(test_numbers), cmocka_unit_test(test_custom),
    cmocka_unit_test(test_step), cmocka_unit_test(test_updates), cmocka_unit_test(test_views_of_one), cmocka_unit_test(test_workspace), cmocka_unit_test(test_threads), cmocka_unit_test(test_memory), cmocka_unit_test(test_memory_of_derived), cmocka_unit_test(test_sweeps),
    cmocka_unit_test(test_odd), cmocka_unit_test(test_attributes), cmocka_unit_test(test_custom_tensor), cmocka_unit_test(test_custom_numbers),
    cmocka_unit_test(test_flat), cmocka_unit_test(test_flat_odd), cmocka_unit_test(test_flat_threads), cmocka_unit_test(test_labels_of_derivative), cmocka_unit_test(test_float_output), cmocka_unit_test(test_step_refused), cmocka_unit_test(test_step_refused_unasked), cmocka_unit_test(test_apart),
    cmocka_unit_test(test_curvature_of_numbers), cmocka_unit_test(test_step_numbers) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
