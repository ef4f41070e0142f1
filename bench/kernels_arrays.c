/* Every kernel of ad_simd.h over arrays, matrices and images, and every row of the operator table; beside some of them the same
   by hand in loops over the words (plain ..). The file includes itself once per type. */
#ifndef ARRAYS_TEMPLATE
#define ARRAYS_TEMPLATE
#define AD_IMPLEMENTATION
#define AD_STATIC
#include "ad.h"
#include "arrays.h"
#include "peak.h"

enum { LAYER = 768, MATRIX = 1024, LABELS = 1 << 21 };
static int32_t labels[LABELS];
static size_t pivots[MATRIX];
static void *work;
/* workspace that grows, so that none is allocated while time is taken */
static void *room(size_t bytes) {
  static size_t have;
  if (bytes > have) {
    free(work);
    have = bytes / 64 * 64 + 64;
    work = aligned_alloc(64, have);
  }
  return work;
}
static ad_conv images(size_t n) {
  ad_conv p = {0, IMAGE_CHANNELS, IMAGE_SIDE, IMAGE_SIDE, IMAGE_FILTERS, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1};
  p.batch = n;
  return p;
}
static ad_pool windows(size_t planes, bool overlapping) {
  ad_pool p = {0, IMAGE_SIDE, IMAGE_SIDE, {2, 2}, {2, 2}, {0, 0}, {1, 1}, false};
  p.planes = planes;
  if (overlapping) p.kernel[0] = p.kernel[1] = 3, p.stride[0] = p.stride[1] = p.padding[0] = p.padding[1] = 1;
  return p;
}

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define F(name) PASTE(S, name) /* a function on S */
#define W(name) PASTE(N, name) /* a word on a register of S */
#define T(name) PASTE(name, S) /* a name of this file for S */
#define RUN(name, ...)                                                                                                                     \
  static void T(name)(size_t n, const void *x_, const void *y_, const void *z_, void *r_) {                                                \
    const S *x = (const S *)x_, *y = (const S *)y_;                                                                                        \
    const int32_t *z = (const int32_t *)z_;                                                                                                \
    S *r = (S *)r_;                                                                                                                        \
    (void)n, (void)x, (void)y, (void)z, (void)r; __VA_ARGS__; }

#define S ad_f32
#define N ad_v32
#define BITS "f32"
#include "kernels_arrays.c"
#undef S
#undef N
#undef BITS
#define S ad_f64
#define N ad_v64
#define BITS "f64"
#include "kernels_arrays.c"

/* name, row, index, arrays that cross memory, function; the limit is the other part of the name of the list */
#define READERS(K)                                                                                                                         \
  K("sum", 1, 0, 1, sum) K("prod", 1, 0, 1, prod) K("max", 1, 0, 1, max) K("min", 1, 0, 1, min) K("sum of |x|", 1, 0, 1, sumabs)           \
  K("sum of squares", 1, 0, 1, sumsq) K("norm", 1, 0, 1, norm) K("dot", 1, 0, 2, dot) K("mean and variance", 1, 0, 3, moments)             \
  K("argmax", 1, 0, 1, argmax)                                                                                                             \
  K("columns sum", 100, 0, 1, columns_sum) K("columns dot", 100, 0, 2, columns_dot) K("columns max", 100, 0, 1, columns_max)               \
  K("columns argmax", 100, 0, 2, columns_arg) K("columns moments", 100, 0, 3, columns_moments) K("columns norm", 100, 0, 1, columns_norm)  \
  K("columns logsumexp", 100, 0, 2, columns_logsumexp) K("rows of 10 logsumexp", 10, 0, 1, logsumexp_10)                                   \
  K("rows of 1000 logsumexp", 1000, 0, 1, logsumexp_1000) K("gemv", MATRIX, 0, 1, gemv) K("gemv transposed", MATRIX, 0, 1, gemv_t)
#define WRITERS(K)                                                                                                                         \
  K("memcpy", 1, 0, 2, memory_copy) K("fill", 1, 0, 1, fill) K("add array", 1, 0, 3, add_array) K("axpy", 1, 0, 3, axpy)                   \
  K("scale", 1, 0, 2, scale) K("map x + y", 1, 0, 3, add) K("plain x + y", 1, 0, 3, plain_add) K("map x + row", 100, 0, 2, add_row)        \
  K("map x + column", 100, 0, 2, add_column) K("map x + y'", 100, 0, 3, add_turned) K("partial of x y", 1, 0, 3, mul_dx)                   \
  K("map exp", 1, 0, 2, map_exp) K("plain exp", 1, 0, 2, plain_exp) K("map tanh", 1, 0, 2, map_tanh) K("plain tanh", 1, 0, 2, plain_tanh)  \
  K("partial of sigmoid", 1, 0, 3, sigmoid_dx) K("cumsum", 1, 0, 2, cumsum) K("max adjoint", 1, 0, 3, share)                               \
  K("prod adjoint", 1, 0, 4, prod_share) K("columns max adjoint", 100, 0, 3, columns_share)                                                \
  K("transpose 100 wide", 100, 0, 2, transpose) K("permute (a b c) to (c a b)", 64, 0, 2, permute) K("gather", 1, 1, 3, gather)            \
  K("gather rows of 64", 64, 64, 2, gather_64) K("scatter-add", 1, 1, 4, scatter) K("scatter-add rows of 64", 64, 64, 3, scatter_64)       \
  K("softmax rows of 10", 10, 0, 2, softmax_10) K("softmax rows of 1000", 1000, 0, 2, softmax_1000)                                        \
  K("log softmax rows of 10", 10, 0, 2, log_softmax_10) K("log softmax rows of 1000", 1000, 0, 2, log_softmax_1000)                        \
  K("softmax adjoint rows of 10", 10, 0, 3, softmax_share_10) K("softmax adjoint rows of 1000", 1000, 0, 3, softmax_share_1000)            \
  K("log softmax adjoint rows of 10", 10, 0, 3, log_softmax_share_10) K("logsumexp adjoint rows of 10", 10, 0, 2, logsumexp_share_10)      \
  K("columns softmax", 100, 0, 2, columns_softmax) K("columns softmax adjoint", 100, 0, 3, columns_softmax_share)                          \
  K("columns logsumexp adjoint", 100, 0, 2, columns_logsumexp_share)                                                                       \
  K("cross entropy rows of 10", 10, 0, 2, cross_entropy_10) K("cross entropy rows of 1000", 1000, 0, 2, cross_entropy_1000)                \
  K("soft cross entropy rows of 10", 10, 0, 3, cross_entropy_soft_10)                                                                      \
  K("layer norm 768", LAYER, 0, 2, layer_norm) K("plain layer norm 768", LAYER, 0, 2, plain_layer_norm)                                    \
  K("layer norm adjoint 768", LAYER, 0, 3, layer_norm_share) K("plain layer norm adjoint 768", LAYER, 0, 3, plain_layer_norm_share)        \
  K("random uniform", 1, 0, 1, uniform) K("random normal", 1, 0, 1, normal) K("dropout", 1, 0, 2, dropout)                                 \
  K("sgd with momentum", 1, 0, 5, sgd) K("adam", 1, 0, 7, adam) K("ger", MATRIX, 0, 2, ger)                                                \
  K("max pool 2x2", IMAGE_PLANE, 0, 1.25, max_pool) K("max pool 2x2 and adjoint", IMAGE_PLANE, 0, 4.75, max_pool_back)                                      \
  K("mean pool 2x2", IMAGE_PLANE, 0, 1.25, mean_pool) K("mean pool 2x2 adjoint", IMAGE_PLANE, 0, 2.25, mean_pool_back)                                 \
  K("max pool 3x3 stride 1", IMAGE_PLANE, 0, 2, max_pool_3) K("mean pool 3x3 stride 1", IMAGE_PLANE, 0, 2, mean_pool_3)
#define TAPS (2.0 * IMAGE_FILTERS * IMAGE_PLANE * IMAGE_CHANNELS * 9)
/* name, operations for each of n^3 or for each image, function */
#define COUNTERS(K)                                                                                                                        \
  K("gemm", OF_SQUARES, 2, gemm) K("gemm A'", OF_FACTORS, 2, gemm_tn) K("gemm B'", OF_FACTORS, 2, gemm_nt)                                 \
  K("gemm in a batch of 8", OF_FACTORS, 16, gemm_batch) K("triangular solve", OF_FACTORS, 1, trsm) K("Cholesky", OF_FACTORS, 1 / 3.0, cholesky)\
  K("LU", OF_FACTORS, 2 / 3.0, lu) K("inverse", OF_FACTORS, 2, inverse)                                                                    \
  K("conv 3x3", OF_IMAGES, TAPS, conv) K("conv 3x3 data gradient", OF_IMAGES, TAPS, conv_data)                                             \
  K("conv 3x3 filter gradient", OF_IMAGES, TAPS, conv_filter) K("conv 3x3 forward + backward", OF_IMAGES, 3 * TAPS, conv_both)

#define PLAIN(R, W) R("plain sum", 1, 0, 1, plain_sum) W("plain copy", 1, 0, 2, plain_copy)
#define READER_32(name, row, index, cost, f) {"f32 " name, 4, row, index, OF_ARRAYS, LIMIT_READ, cost, f##_ad_f32},
#define READER_64(name, row, index, cost, f) {"f64 " name, 8, row, index, OF_ARRAYS, LIMIT_READ, cost, f##_ad_f64},
#define WRITER_32(name, row, index, cost, f) {"f32 " name, 4, row, index, OF_ARRAYS, LIMIT_COPY, cost, f##_ad_f32},
#define WRITER_64(name, row, index, cost, f) {"f64 " name, 8, row, index, OF_ARRAYS, LIMIT_COPY, cost, f##_ad_f64},
#define COUNTER_32(name, size, cost, f) {"f32 " name, 4, 1, 0, size, LIMIT_FMA, cost, f##_ad_f32},
#define COUNTER_64(name, size, cost, f) {"f64 " name, 8, 1, 0, size, LIMIT_FMA, cost, f##_ad_f64},
static const array_kernel kernels[] = {PLAIN(READER_32, WRITER_32) PLAIN(READER_64, WRITER_64)
    READERS(READER_32) WRITERS(WRITER_32) COUNTERS(COUNTER_32)
    READERS(READER_64) WRITERS(WRITER_64) COUNTERS(COUNTER_64) {NULL, 0, 0, 0, 0, 0, 0, NULL}};

#define ROW_OF(S, op, part, ...)                                                                                                           \
  static void S##_##op##_##part##_row(size_t n, const void *x, const void *y, const void *z, void *r) {                                    \
    const S *operand[3];                                                                                                                   \
    operand[0] = (const S *)x, operand[1] = (const S *)y, operand[2] = (const S *)z;                                                       \
    __VA_ARGS__; }
#define ROWS(N, S, op, ...)                                                                                                                \
  ROW_OF(S, op, value, S##__##op##_value(n, operand, (S *)r))                                                                              \
  ROW_OF(S, op, dx, S##__##op##_dx_kernel(n, operand, (const S *)z, (const S *)z, (S *)r, false))
AD_UNARY(ROWS, ad_v32, ad_f32) AD_BINARY(ROWS, ad_v32, ad_f32) AD_TERNARY(ROWS, ad_v32, ad_f32)
AD_UNARY(ROWS, ad_v64, ad_f64) AD_BINARY(ROWS, ad_v64, ad_f64) AD_TERNARY(ROWS, ad_v64, ad_f64)
#define ENTRY(N, S, op, ...)                                                                                                               \
  {#S " " #op, 1, (int)sizeof(S), ad_ops[AD_OP_##op].lo, ad_ops[AD_OP_##op].hi, S##_##op##_value_row},                                     \
  {#S " partial of " #op, 2, (int)sizeof(S), ad_ops[AD_OP_##op].lo, ad_ops[AD_OP_##op].hi, S##_##op##_dx_row},
static const bench_kernel rows[] = {AD_UNARY(ENTRY, ad_v32, ad_f32) AD_BINARY(ENTRY, ad_v32, ad_f32) AD_TERNARY(ENTRY, ad_v32, ad_f32)
    AD_UNARY(ENTRY, ad_v64, ad_f64) AD_BINARY(ENTRY, ad_v64, ad_f64) AD_TERNARY(ENTRY, ad_v64, ad_f64) {NULL, 0, 0, NULL, NULL, NULL}};

extern const array_variant BENCH(arrays);
const array_variant BENCH(arrays) = {kernels, rows, bench_peak, {AD_V32_LANES, AD_V64_LANES}};

#else

enum { T(L) = sizeof(N) / sizeof(S) };
#define L T(L)
static S T(mean)[1 << 17], T(rstd)[1 << 17], T(gain)[LAYER], T(bias)[LAYER], T(dgain)[LAYER], T(dbias)[LAYER];

static S T(plain_sum_of)(size_t n, const S *x) {
  N a[8], s = W(k)(0);
  for (int k = 0; k < 8; k++) a[k] = s;
  for (size_t i = 0; i + 8 * L <= n; i += 8 * L)
    for (size_t k = 0; k < 8; k++) a[k] = W(add)(a[k], W(load)(x + i + k * L));
  for (int k = 0; k < 8; k++) s = W(add)(s, a[k]);
  return W(sum)(s);
}
static void T(plain_norm)(size_t rows, size_t n, const S *x, S *y) {
  for (size_t j = 0; j < rows; j++, x += n, y += n) {
    N s[4], m, r;
    for (int k = 0; k < 4; k++) s[k] = W(k)(0);
    for (size_t i = 0; i < n; i += 4 * L)
      for (size_t k = 0; k < 4; k++) s[k] = W(add)(s[k], W(load)(x + i + k * L));
    T(mean)[j] = W(sum)(W(add)(W(add)(s[0], s[1]), W(add)(s[2], s[3]))) / (S)n;
    m = W(k)((double)T(mean)[j]);
    for (int k = 0; k < 4; k++) s[k] = W(k)(0);
    for (size_t i = 0; i < n; i += 4 * L)
      for (size_t k = 0; k < 4; k++) {
        N d = W(sub)(W(load)(x + i + k * L), m);
        s[k] = W(fma)(d, d, s[k]);
      }
    T(rstd)[j] = 1 / F(sqrt)(W(sum)(W(add)(W(add)(s[0], s[1]), W(add)(s[2], s[3]))) / (S)n + (S)1e-5);
    r = W(k)((double)T(rstd)[j]);
    for (size_t i = 0; i < n; i += L)
      W(store)(y + i, W(fma)(W(mul)(W(sub)(W(load)(x + i), m), r), W(load)(T(gain) + i), W(load)(T(bias) + i)));
  }
}
static void T(plain_norm_share)(size_t rows, size_t n, const S *x, const S *g, S *dx) {
  for (size_t j = 0; j < rows; j++, x += n, g += n, dx += n) {
    N m = W(k)((double)T(mean)[j]), r = W(k)((double)T(rstd)[j]), a[2], b[2];
    a[0] = a[1] = b[0] = b[1] = W(k)(0);
    for (size_t i = 0; i < n; i += 2 * L)
      for (size_t k = 0; k < 2; k++) {
        N h = W(mul)(W(sub)(W(load)(x + i + k * L), m), r), s = W(mul)(W(load)(g + i + k * L), W(load)(T(gain) + i + k * L));
        a[k] = W(add)(a[k], s), b[k] = W(fma)(s, h, b[k]);
      }
    N ma = W(k)((double)(W(sum)(W(add)(a[0], a[1])) / (S)n)), mb = W(k)((double)(W(sum)(W(add)(b[0], b[1])) / (S)n));
    for (size_t i = 0; i < n; i += L) {
      N s = W(load)(g + i), h = W(mul)(W(sub)(W(load)(x + i), m), r), t = W(mul)(s, W(load)(T(gain) + i));
      W(store)(T(dbias) + i, W(add)(W(load)(T(dbias) + i), s));
      W(store)(T(dgain) + i, W(fma)(s, h, W(load)(T(dgain) + i)));
      W(store)(dx + i, W(mul)(r, W(fnma)(h, mb, W(sub)(t, ma))));
    }
  }
}

#define LOOP(f) for (size_t i = 0; i + L <= n; i += L) W(store)(r + i, f)
RUN(plain_sum, *r = T(plain_sum_of)(n, x))
RUN(plain_copy, LOOP(W(load)(x + i)))
RUN(plain_add, LOOP(W(add)(W(load)(x + i), W(load)(y + i))))
RUN(plain_exp, LOOP(W(exp)(W(load)(x + i))))
RUN(plain_tanh, LOOP(W(tanh)(W(load)(x + i))))

RUN(sum, *r = F(array_sum)(n, x))
/* products of zeros: others would leave the range */
RUN(prod, *r = F(array_prod)(n, r + APART(n)))
RUN(max, *r = F(array_max)(n, x))
RUN(min, *r = F(array_min)(n, x))
RUN(sumabs, *r = F(array_sumabs)(n, x))
RUN(sumsq, *r = F(array_sumsq)(n, x))
RUN(norm, *r = F(array_norm)(n, x))
RUN(dot, *r = F(array_dot)(n, x, y))
RUN(moments, F(array_moments)(n, x, 1, r, r + 1))
RUN(argmax, *r = (S)F(array_argmax)(n, x))
RUN(share, F(array_share)(n, x, 2, 1, r, true))
RUN(prod_share, F(array_prod_share)(n, 1, r + 2 * APART(n), 1, r, true, r + APART(n)))
RUN(cumsum, F(array_cumsum)(n, 1, x, r, false, false))
RUN(columns_sum, F(columns_sum)(n / 100, 100, 100, x, r, false))
RUN(columns_dot, F(columns_dot)(n / 100, 100, 100, x, y, r, false))
RUN(columns_max, F(columns_max)(n / 100, 100, 100, x, r))
RUN(columns_arg, F(columns_arg)(n / 100, 100, 100, x, 1, (int32_t *)(void *)r, r + 200))
RUN(columns_moments, F(columns_moments)(n / 100, 100, 100, x, 1, r, r + 128, r + 256))
RUN(columns_norm, F(columns_norm)(n / 100, 100, 100, x, r))
RUN(columns_logsumexp, F(columns_logsumexp)(n / 100, 100, 100, x, r, r + 128))
RUN(columns_logsumexp_share, F(columns_logsumexp_share)(n / 100, 100, 100, x, y, y, r, false))
RUN(columns_share, F(columns_share)(n / 100, 100, 100, x, y, y, r, true, r + APART(n)))

RUN(memory_copy, memcpy(r, x, n * sizeof *r))
RUN(fill, F(array_fill)(n, 1, r))
RUN(add_array, F(array_add)(n, x, r))
RUN(axpy, F(array_axpy)(n, (S)0.5, x, r))
RUN(scale, F(array_scale)(n, (S)0.5, x, r))
#define OPERANDS const S *operand[3]; operand[0] = x, operand[1] = y, operand[2] = NULL
RUN(add, OPERANDS; F(_add_value)(n, operand, r))
RUN(mul_dx, OPERANDS; F(_mul_dx_kernel)(n, operand, NULL, x, r, false))
RUN(map_exp, OPERANDS; F(_exp_value)(n, operand, r))
RUN(map_tanh, OPERANDS; F(_tanh_value)(n, operand, r))
RUN(sigmoid_dx, OPERANDS; F(_sigmoid_dx_kernel)(n, operand, y, y, r, false))
#define VIEWS size_t shape[2]; shape[0] = n / 100, shape[1] = 100; F(view) v[2], to = F(view_of)(r, 2, shape); \
  v[0] = F(view_of)(x, 2, shape), v[1] = F(view_of)(y, 2, shape)
RUN(add_row, VIEWS; v[1].stride[0] = 0; F(map)(F(_add_value), 2, 2, shape, v, to))
RUN(add_column, VIEWS; v[1].stride[0] = 1, v[1].stride[1] = 0; F(map)(F(_add_value), 2, 2, shape, v, to))
RUN(add_turned, VIEWS; v[1].stride[0] = 1, v[1].stride[1] = (ptrdiff_t)(n / 100); F(map)(F(_add_value), 2, 2, shape, v, to))
RUN(transpose, F(transpose)(n / 100, 100, x, 100, r, n / 100))
RUN(permute, size_t shape[3]; shape[0] = 8, shape[1] = n / 64, shape[2] = 8; F(view) v = F(view_of)(x, 3, shape);
    v.stride[0] = 1, v.stride[1] = 64, v.stride[2] = 8; F(copy)(3, shape, v, r))
RUN(gather, (void)F(gather)(1, n, 1, x, n, z, r))
RUN(gather_64, (void)F(gather)(1, n / 64, 64, x, n / 64, z, r))
RUN(scatter, (void)F(scatter_add)(1, n, 1, r, n, z, x))
RUN(scatter_64, (void)F(scatter_add)(1, n / 64, 64, r, n / 64, z, x))

RUN(softmax_10, F(rows_softmax)(n / 10, 10, x, r))
RUN(softmax_1000, F(rows_softmax)(n / 1000, 1000, x, r))
RUN(log_softmax_10, F(rows_log_softmax)(n / 10, 10, x, r))
RUN(log_softmax_1000, F(rows_log_softmax)(n / 1000, 1000, x, r))
RUN(columns_softmax, F(columns_softmax)(false, n / 100, 100, x, r))
RUN(columns_softmax_share, F(columns_softmax_share)(false, n / 100, 100, y, x, r, false))
RUN(logsumexp_10, F(rows_logsumexp)(n / 10, 10, x, r))
RUN(logsumexp_1000, F(rows_logsumexp)(n / 1000, 1000, x, r))
RUN(softmax_share_10, F(rows_softmax_share)(n / 10, 10, y, x, r, false))
RUN(softmax_share_1000, F(rows_softmax_share)(n / 1000, 1000, y, x, r, false))
RUN(log_softmax_share_10, F(rows_log_softmax_share)(n / 10, 10, x, y, r, false))
RUN(logsumexp_share_10, F(rows_logsumexp_share)(n / 10, 10, x, y, y, r, false))
RUN(cross_entropy_10, (void)F(rows_cross_entropy)(n / 10, 10, x, labels, 1, r + APART(n), r))
RUN(cross_entropy_1000, (void)F(rows_cross_entropy)(n / 1000, 1000, x, labels, 1, r + APART(n), r))
RUN(cross_entropy_soft_10, F(rows_cross_entropy_soft)(n / 10, 10, x, y, 1, r + APART(n), r))
RUN(layer_norm, F(rows_layer_norm)(n / LAYER, LAYER, x, T(gain), T(bias), (S)1e-5, r, T(mean), T(rstd)))
RUN(plain_layer_norm, T(plain_norm)(n / LAYER, LAYER, x, r))
RUN(layer_norm_share, F(rows_layer_norm_share)(n / LAYER, LAYER, x, T(gain), T(mean), T(rstd), y, r, false, T(dgain), T(dbias)))
RUN(plain_layer_norm_share, T(plain_norm_share)(n / LAYER, LAYER, x, y, r))
RUN(uniform, F(random_uniform)(1, 2, 0, n, r))
RUN(normal, F(random_normal)(1, 2, 0, n, r))
RUN(dropout, F(dropout)(1, 2, 0, n, 0.5, x, r))
RUN(sgd, F(sgd)(n, r, x, r + APART(n), 1e-9, 0.9, 0))
RUN(adam, F(adam)(n, r, x, r + APART(n), r + 2 * APART(n), 1e-9, 0.9, 0.99, 1e-8, 0, false, 10))

RUN(gemv, F(gemv)(false, n / MATRIX, MATRIX, 1, x, MATRIX, y, 1, 0, r, 1))
RUN(gemv_t, F(gemv)(true, n / MATRIX, MATRIX, 1, x, MATRIX, y, 1, 0, r, 1))
RUN(ger, F(ger)(n / MATRIX, MATRIX, (S)1e-3, x, 1, y, r, MATRIX))
#define GEMM(ta, tb) F(gemm)(ta, tb, n, n, n, 1, x, n, y, n, 0, r, n, room(F(gemm_work)(ta, tb, n, n, n)))
RUN(gemm, GEMM(false, false))
RUN(gemm_tn, GEMM(true, false))
RUN(gemm_nt, GEMM(false, true))
RUN(gemm_batch, F(gemm_batch)(8, false, false, n, n, n, 1, x, n, n * n / 8, y, n, 0, 0, r, n, n * n / 8, room(F(gemm_work)(false, false, n, n, n))))
/* a matrix that has factors: large on its diagonal */
#define FACTOR(a) memcpy(a, x, n * n * sizeof *r); for (size_t i = 0; i < n; i++) (a)[i * n + i] = (S)(4 * n)
RUN(trsm, memcpy(r, x, n * n * sizeof *r); F(trsm)(false, false, false, true, n, n, y, n, r, n, room(F(linalg_work)(n, n))))
RUN(cholesky, FACTOR(r); (void)F(cholesky)(n, r, n, room(F(linalg_work)(n, n))))
RUN(lu, FACTOR(r); (void)F(lu)(n, n, r, n, pivots, room(F(linalg_work)(n, n))))
RUN(inverse, FACTOR(r + APART(n * n)); F(inverse)(n, r + APART(n * n), r, room(F(square_work)(n, n))))
#define CONV(call) ad_conv p = images(n); void *space = room(F(conv_work)(&p)); call
RUN(conv, CONV(F(conv)(&p, x, y, NULL, r, space)))
RUN(conv_data, CONV(F(conv_data)(&p, x, y, r, false, space)))
RUN(conv_filter, CONV(F(conv_filter)(&p, x, y, r, false, space)))
RUN(conv_both, CONV(F(conv)(&p, x, y, NULL, r, space)); F(conv_data)(&p, r, y, r + APART(n * IMAGE_FILTERS * IMAGE_PLANE), false, space);
    F(conv_filter)(&p, x, r, r + 2 * APART(n * IMAGE_FILTERS * IMAGE_PLANE), false, space))
#define POOL(overlapping) ad_pool p = windows(n / IMAGE_PLANE, overlapping)
RUN(max_pool, POOL(false); F(max_pool)(&p, x, r))
RUN(mean_pool, POOL(false); F(mean_pool)(&p, x, r))
RUN(max_pool_back, POOL(false); F(max_pool)(&p, x, r + APART(n)); F(max_pool_back)(&p, x, r + APART(n), y, r))
RUN(mean_pool_back, POOL(false); F(mean_pool_back)(&p, y, r))
RUN(max_pool_3, POOL(true); F(max_pool)(&p, x, r))
RUN(mean_pool_3, POOL(true); F(mean_pool)(&p, x, r))
#undef L
#endif
