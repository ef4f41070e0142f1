/* The functions that bench_function.cc measures, compiled once per variant: the programs of a function over the lanes of that variant. */
#define AD_STATIC
#include "ad.h"
#include "bench.h"
#include "function_bench.h"

#define REAL ad_var
#define BUNDLE residual
#include "../examples/residual.h"
/* the same as C, written by ad_function_write_c (examples/write_residual.c) */
#define residual_many BENCH(written_value)
#define residual_jacobian BENCH(written_jacobian_one)
#define residual_jacobian_many BENCH(written_jacobian)
#define residual_ad_f64 BENCH(written_f64)
#define residual_ad_v64 BENCH(written_v64)
#define residual BENCH(written_one)
#include "residual.c"
#undef residual
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

static void *create_residual(const double *x) { /* 2 x 15: where the point was seen is given */
  size_t unknown[15];
  for (size_t i = 0; i < 15; i++) unknown[i] = i;
  ad_function *all = ad_function_record(residual, NULL, 17, x, 2), *f = ad_function_wrt(all, unknown, 15);
  ad_function_destroy(all);
  return f;
}
static void written(size_t count, const double *x, double *y, double *j) {
  if (j) (void)residual_jacobian_many(count, x, y, j); else (void)residual_many(count, x, y);
}
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
const function_bench BENCH(functions) = { create_residual, create_rosenbrock, create_mixture, create_chain, many, written, gradient, hessian, chain, chain_by_hand, destroy };
