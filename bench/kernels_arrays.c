/* Array kernels: elementwise rows of the table, reductions, rows, transposes, steps of optimisers, and hand-written loops over
   the same words beside them (plain_*). */
#define AD_IMPLEMENTATION
#define AD_STATIC
#include "ad.h"
#include "bench.h"
#include "arrays.h"

typedef const float *in32;
#define RUN(name, ...)                                                                                                                     \
  static void name(size_t n, const void *x_, const void *y_, const void *z_, void *r_) {                                                   \
    in32 x = (in32)x_, y = (in32)y_, z = (in32)z_;                                                                                         \
    float *r = (float *)r_;                                                                                                                \
    (void)n, (void)x, (void)y, (void)z, (void)r;                                                                                           \
    __VA_ARGS__; }

enum { LAYER = 768, L = AD_V32_LANES };
static float mean[1 << 16], rstd[1 << 16], gain[LAYER], bias[LAYER], dgain[LAYER], dbias[LAYER];
static int32_t labels[1 << 20];

static float plain_sum_of(size_t n, in32 x) {
  ad_v32 a[8], s = ad_v32_k(0);
  for (int k = 0; k < 8; k++) a[k] = s;
  for (size_t i = 0; i + 8 * L <= n; i += 8 * L)
    for (size_t k = 0; k < 8; k++) a[k] = ad_v32_add(a[k], ad_v32_load(x + i + k * L));
  for (int k = 0; k < 8; k++) s = ad_v32_add(s, a[k]);
  return ad_v32_sum(s);
}
static void plain_norm(size_t rows, size_t n, in32 x, float *y) {
  for (size_t j = 0; j < rows; j++, x += n, y += n) {
    ad_v32 s[4], m, r;
    for (int k = 0; k < 4; k++) s[k] = ad_v32_k(0);
    for (size_t i = 0; i < n; i += 4 * L)
      for (size_t k = 0; k < 4; k++) s[k] = ad_v32_add(s[k], ad_v32_load(x + i + k * L));
    mean[j] = ad_v32_sum(ad_v32_add(ad_v32_add(s[0], s[1]), ad_v32_add(s[2], s[3]))) / (float)n;
    m = ad_v32_k((double)mean[j]);
    for (int k = 0; k < 4; k++) s[k] = ad_v32_k(0);
    for (size_t i = 0; i < n; i += 4 * L)
      for (size_t k = 0; k < 4; k++) {
        ad_v32 d = ad_v32_sub(ad_v32_load(x + i + k * L), m);
        s[k] = ad_v32_fma(d, d, s[k]);
      }
    rstd[j] = 1 / sqrtf(ad_v32_sum(ad_v32_add(ad_v32_add(s[0], s[1]), ad_v32_add(s[2], s[3]))) / (float)n + 1e-5f);
    r = ad_v32_k((double)rstd[j]);
    for (size_t i = 0; i < n; i += L)
      ad_v32_store(y + i, ad_v32_fma(ad_v32_mul(ad_v32_sub(ad_v32_load(x + i), m), r), ad_v32_load(gain + i), ad_v32_load(bias + i)));
  }
}
static void plain_norm_share(size_t rows, size_t n, in32 x, in32 g, float *dx) {
  for (size_t j = 0; j < rows; j++, x += n, g += n, dx += n) {
    ad_v32 m = ad_v32_k((double)mean[j]), r = ad_v32_k((double)rstd[j]), a[2], b[2];
    a[0] = a[1] = b[0] = b[1] = ad_v32_k(0);
    for (size_t i = 0; i < n; i += 2 * L)
      for (size_t k = 0; k < 2; k++) {
        ad_v32 h = ad_v32_mul(ad_v32_sub(ad_v32_load(x + i + k * L), m), r), s = ad_v32_mul(ad_v32_load(g + i + k * L), ad_v32_load(gain + i + k * L));
        a[k] = ad_v32_add(a[k], s), b[k] = ad_v32_fma(s, h, b[k]);
      }
    ad_v32 ma = ad_v32_k((double)(ad_v32_sum(ad_v32_add(a[0], a[1])) / (float)n)), mb = ad_v32_k((double)(ad_v32_sum(ad_v32_add(b[0], b[1])) / (float)n));
    for (size_t i = 0; i < n; i += L) {
      ad_v32 s = ad_v32_load(g + i), h = ad_v32_mul(ad_v32_sub(ad_v32_load(x + i), m), r), t = ad_v32_mul(s, ad_v32_load(gain + i));
      ad_v32_store(dbias + i, ad_v32_add(ad_v32_load(dbias + i), s));
      ad_v32_store(dgain + i, ad_v32_fma(s, h, ad_v32_load(dgain + i)));
      ad_v32_store(dx + i, ad_v32_mul(r, ad_v32_fnma(h, mb, ad_v32_sub(t, ma))));
    }
  }
}

RUN(plain_sum, *r = plain_sum_of(n, x))
RUN(sum, *r = ad_f32_array_sum(n, x))
RUN(max, *r = ad_f32_array_max(n, x))
RUN(norm, *r = ad_f32_array_norm(n, x))
RUN(dot, *r = ad_f32_array_dot(n, x, y))
RUN(columns_sum, ad_f32_columns_sum(n / 100, 100, 100, x, r, false))
RUN(argmax, *r = (float)ad_f32_array_argmax(n, x))
RUN(cumsum, ad_f32_array_cumsum(n, 1, x, r, false, false))
RUN(plain_copy, memcpy(r, x, n * sizeof *r))
RUN(plain_add, for (size_t i = 0; i + L <= n; i += L) ad_v32_store(r + i, ad_v32_add(ad_v32_load(x + i), ad_v32_load(y + i))))
RUN(plain_exp, for (size_t i = 0; i + L <= n; i += L) ad_v32_store(r + i, ad_v32_exp(ad_v32_load(x + i))))
RUN(plain_tanh, for (size_t i = 0; i + L <= n; i += L) ad_v32_store(r + i, ad_v32_tanh(ad_v32_load(x + i))))
#define OPERANDS in32 operand[3]; operand[0] = x, operand[1] = y, operand[2] = z
RUN(add, OPERANDS; ad_f32__add_value(n, operand, r))
RUN(mul_dx, OPERANDS; ad_f32__mul_dx_kernel(n, operand, NULL, z, r, false))
RUN(exp_, OPERANDS; ad_f32__exp_value(n, operand, r))
RUN(tanh_, OPERANDS; ad_f32__tanh_value(n, operand, r))
RUN(sigmoid_dx, OPERANDS; ad_f32__sigmoid_dx_kernel(n, operand, y, z, r, false))
RUN(add_row, size_t shape[2]; shape[0] = n / 100, shape[1] = 100; ad_f32_view v[2]; v[0] = ad_f32_view_of(x, 2, shape);
    v[1] = ad_f32_view_of(y, 2, shape); v[1].stride[0] = 0; ad_f32_map(ad_f32__add_value, 2, 2, shape, v, ad_f32_view_of(r, 2, shape)))
RUN(softmax_10, ad_f32_rows_softmax(n / 10, 10, x, r))
RUN(softmax_1000, ad_f32_rows_softmax(n / 1000, 1000, x, r))
RUN(softmax_share_10, ad_f32_rows_softmax_share(n / 10, 10, y, z, r, false))
RUN(cross_entropy_10, ad_f32_rows_cross_entropy(n / 10, 10, x, labels, 1, rstd, r))
RUN(logsumexp_10, ad_f32_rows_logsumexp(n / 10, 10, x, r))
RUN(layer_norm, ad_f32_rows_layer_norm(n / LAYER, LAYER, x, gain, bias, 1e-5f, r, mean, rstd))
RUN(plain_layer_norm, plain_norm(n / LAYER, LAYER, x, r))
RUN(layer_norm_share, ad_f32_rows_layer_norm_share(n / LAYER, LAYER, x, gain, mean, rstd, y, r, false, dgain, dbias))
RUN(plain_layer_norm_share, plain_norm_share(n / LAYER, LAYER, x, y, r))
RUN(transpose_100, ad_f32_transpose(n / 100, 100, x, 100, r, n / 100))
RUN(sgd, ad_f32_sgd(n, r, x, (float *)(uintptr_t)y, 1e-9, 0.9, 0))
RUN(adam, ad_f32_adam(n, r, x, (float *)(uintptr_t)y, (float *)(uintptr_t)z, 1e-9, 0.9, 0.99, 1e-8, 0, false, 10))
RUN(uniform, ad_f32_random_uniform(1, 2, 0, n, r))
static void sum_f64(size_t n, const void *x, const void *y, const void *z, void *r) {
  (void)y, (void)z;
  *(double *)r = ad_f64_array_sum(n, (const double *)x);
}
static void exp_f64(size_t n, const void *x, const void *y, const void *z, void *r) {
  const double *operand[3];
  (void)y, (void)z;
  operand[0] = (const double *)x, operand[1] = operand[2] = NULL;
  ad_f64__exp_value(n, operand, (double *)r);
}

extern const array_kernel BENCH(arrays)[];
const array_kernel BENCH(arrays)[] = {
    {"read", 4, 1, 1, -1, plain_sum}, {"copy", 4, 1, 2, -1, plain_copy},
    {"sum", 4, 1, 1, 0, sum}, {"sum_f64", 8, 1, 1, 0, sum_f64}, {"max", 4, 1, 1, 0, max}, {"norm", 4, 1, 1, 0, norm}, {"dot", 4, 1, 2, 0, dot},
    {"argmax", 4, 1, 1, 0, argmax}, {"columns_sum_100", 4, 100, 1, 0, columns_sum}, {"cumsum", 4, 1, 2, 1, cumsum},
    {"add", 4, 1, 3, 1, add}, {"add_plain", 4, 1, 3, 1, plain_add}, {"add_row_100", 4, 100, 2, 1, add_row}, {"mul_dx", 4, 1, 3, 1, mul_dx},
    {"exp", 4, 1, 2, 1, exp_}, {"exp_plain", 4, 1, 2, 1, plain_exp}, {"exp_f64", 8, 1, 2, 1, exp_f64}, {"tanh", 4, 1, 2, 1, tanh_}, {"tanh_plain", 4, 1, 2, 1, plain_tanh},
    {"sigmoid_dx", 4, 1, 3, 1, sigmoid_dx}, {"softmax_10", 4, 10, 2, 1, softmax_10}, {"softmax_1000", 4, 1000, 2, 1, softmax_1000},
    {"softmax_share_10", 4, 10, 3, 1, softmax_share_10}, {"cross_entropy_10", 4, 10, 2, 1, cross_entropy_10}, {"logsumexp_10", 4, 10, 1, 0, logsumexp_10},
    {"layer_norm_768", 4, LAYER, 2, 1, layer_norm}, {"layer_norm_768_plain", 4, LAYER, 2, 1, plain_layer_norm},
    {"layer_norm_share_768", 4, LAYER, 3, 1, layer_norm_share}, {"layer_norm_share_768_plain", 4, LAYER, 3, 1, plain_layer_norm_share},
    {"transpose_100", 4, 100, 2, 1, transpose_100}, {"sgd", 4, 1, 5, 1, sgd}, {"adam", 4, 1, 7, 1, adam}, {"uniform", 4, 1, 1, 1, uniform},
    {NULL, 0, 0, 0, 0, NULL}};
