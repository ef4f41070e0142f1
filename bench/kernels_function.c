/* The functions that bench_function.cc measures, compiled once per variant: the programs of a function over the lanes of that variant. */
#define AD_STATIC
#include "ad.h"
#include "bench.h"
#include "function_bench.h"

static void residual(const ad_var *x, ad_var *y, void *context) {
  ad_var a[3], P[3], R[3], square = ad_add(ad_add(ad_mul(x[0], x[0]), ad_mul(x[1], x[1])), ad_mul(x[2], x[2]));
  ad_var theta = ad_sqrt(square), c = ad_cos(theta), s = ad_sin(theta), inverse = ad_div(1.0, theta);
  (void)context;
  for (int i = 0; i < 3; i++) a[i] = ad_mul(x[i], inverse), P[i] = ad_sub(x[11 + i], x[3 + i]);
  ad_var t = ad_mul(ad_add(ad_add(ad_mul(a[0], P[0]), ad_mul(a[1], P[1])), ad_mul(a[2], P[2])), ad_sub(1.0, c));
  for (int i = 0; i < 3; i++) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    R[i] = ad_add(ad_add(ad_mul(P[i], c), ad_mul(ad_sub(ad_mul(a[j], P[k]), ad_mul(a[k], P[j])), s)), ad_mul(a[i], t));
  }
  ad_var u = ad_div(R[0], R[2]), v = ad_div(R[1], R[2]), q = ad_add(ad_mul(u, u), ad_mul(v, v));
  ad_var lens = ad_add(ad_add(1.0, ad_mul(x[9], q)), ad_mul(x[10], ad_mul(q, q)));
  y[0] = ad_mul(x[14], ad_sub(ad_add(ad_mul(ad_mul(u, lens), x[6]), x[7]), x[15]));
  y[1] = ad_mul(x[14], ad_sub(ad_add(ad_mul(ad_mul(v, lens), x[6]), x[8]), x[16]));
}
static void rosenbrock(const ad_var *x, ad_var *y, void *context) {
  const int n = *(const int *)context;
  y[0] = ad_mul(x[0], 0.0);
  for (int i = 0; i + 1 < n; i++) {
    ad_var a = ad_sub(x[i + 1], ad_mul(x[i], x[i])), b = ad_sub(1.0, x[i]);
    y[0] = ad_add(y[0], ad_add(ad_mul(100.0, ad_mul(a, a)), ad_mul(b, b)));
  }
}
static void mixture(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  y[0] = ad_mul(x[0], x[1]);
  for (int i = 0; i < 20; i++) y[0] = ad_add(y[0], ad_mul(ad_mul(ad_sin(x[i]), x[(i + 1) % 20]), ad_exp(ad_mul(x[(i + 7) % 20], 0.1))));
}

static void *create_residual(const double *x) { return ad_function_record(residual, NULL, 17, x, 2); }
static void *create_rosenbrock(int n, const double *x) { return ad_function_record(rosenbrock, &n, (size_t)n, x, 1); }
static void *create_mixture(const double *x) { return ad_function_record(mixture, NULL, 20, x, 1); }
static void *create_chain(size_t n, const float *x) { /* sigmoid(a x + b) tanh(c x) */
  ad_tape *t = ad_tape_create(NULL);
  ad_var v = ad_tensor_variable(t, AD_F32, 1, &n, x), y = ad_mul(ad_sigmoid(ad_add(ad_mul(v, 1.5), 0.25)), ad_tanh(ad_mul(v, 0.5)));
  ad_function *f = ad_function_create(&v, 1, &y, 1);
  ad_tape_destroy(t);
  return f;
}
static void many(void *f, size_t count, const double *x, double *y, double *j) {
  if (j) (void)ad_function_jacobian_many((ad_function *)f, count, x, y, j);
  else (void)ad_function_evaluate_many((ad_function *)f, count, x, y);
}
static void gradient(void *f, const double *x, double *y, double *g) { (void)ad_function_jacobian((ad_function *)f, x, y, g); }
static void hessian(void *f, const double *x, double *h) {
  const double one = 1;
  (void)ad_function_hessian((ad_function *)f, x, &one, h);
}
static void chain(void *f, const float *x, const float *w, float *y, float *gx) {
  const void *in[1] = { x }, *seed[1] = { w };
  void *out[1] = { y }, *grad[1] = { gx };
  (void)ad_function_run_vjp((ad_function *)f, in, seed, out, grad);
}
/* by hand in lanes: the same functions of the table in one pass */
static void chain_by_hand(size_t n, const float *x, const float *w, float *y, float *gx) {
  for (size_t i = 0; i + AD_V32_LANES <= n; i += AD_V32_LANES) {
    ad_v32 v = ad_v32_load(x + i), a = ad_v32_add(ad_v32_mul(v, ad_v32_k(1.5)), ad_v32_k(0.25)), b = ad_v32_mul(v, ad_v32_k(0.5));
    ad_v32 s = ad_v32_sigmoid(a), t = ad_v32_tanh(b);
    ad_v32 d = ad_v32_add(ad_v32_mul(ad_v32_mul(ad_v32_sigmoid_dx(a, s), t), ad_v32_k(1.5)), ad_v32_mul(ad_v32_mul(ad_v32_tanh_dx(b, t), s), ad_v32_k(0.5)));
    ad_v32_store(y + i, ad_v32_mul(s, t));
    ad_v32_store(gx + i, ad_v32_mul(ad_v32_load(w + i), d));
  }
}
static void destroy(void *f) { ad_function_destroy((ad_function *)f); }

extern const function_bench BENCH(functions);
const function_bench BENCH(functions) = { create_residual, create_rosenbrock, create_mixture, create_chain, many, gradient, hessian, chain, chain_by_hand, destroy };
