/* Tensors: every structural operation and layer against central differences (first order, and second through ad_differentiate),
   float against double, broadcasting over all pairs of shapes, views, empty tensors, errors, memory. One row a case. */

#include "ad.h"
#include "test.h"

enum { INPUTS = 3 };
typedef ad_var test_function(const ad_var *x);
typedef struct test_case {
  const char *name;
  test_function *f;
  int n;                                     /* inputs */
  struct { int rank; size_t shape[4]; } in[INPUTS];
  double low, high;                          /* contents are drawn from here */
  bool once;                                 /* differentiable once only */
} test_case;

static uint64_t state = 1;
static double draw(double low, double high) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return low + (high - low) * (double)(state >> 11) * 0x1p-53;
}

static ad_var constant_i32(ad_tape *t, size_t n, const int32_t *data) { return ad_tensor_constant(t, AD_I32, 1, &n, data); }
static const size_t shape_32[] = { 3, 2 }, shape_6[] = { 6 }, shape_423[] = { 4, 2, 3 }, shape_2213[] = { 2, 2, 1, 3 };

/* ---- the cases ---- */
static ad_var f_sum_all(const ad_var *x) { return ad_sum(x[0], AD_ALL, false); }
static ad_var f_sum_0(const ad_var *x) { return ad_sum(x[0], 0, false); }
static ad_var f_sum_keep(const ad_var *x) { return ad_sum(x[0], -2, true); }
static ad_var f_mean(const ad_var *x) { return ad_mean(x[0], 1, false); }
static ad_var f_prod(const ad_var *x) { return ad_prod(x[0], 1, false); }
static ad_var f_prod_all(const ad_var *x) { return ad_prod(x[0], AD_ALL, true); }
static ad_var f_max(const ad_var *x) { return ad_reduce_max(x[0], 1, false); }
static ad_var f_min_all(const ad_var *x) { return ad_reduce_min(x[0], AD_ALL, false); }
static ad_var f_sumsq(const ad_var *x) { return ad_sumsq(x[0], 0, false); }
static ad_var f_norm(const ad_var *x) { return ad_norm(x[0], -1, false); }
static ad_var f_norm_0(const ad_var *x) { return ad_norm(x[0], 0, true); }
static ad_var f_logsumexp(const ad_var *x) { return ad_logsumexp(x[0], -1, false); }
static ad_var f_logsumexp_0(const ad_var *x) { return ad_logsumexp(x[0], 0, false); }
static ad_var f_logsumexp_all(const ad_var *x) { return ad_logsumexp(x[0], AD_ALL, false); }
static ad_var f_softmax(const ad_var *x) { return ad_softmax(x[0], -1); }
static ad_var f_softmax_0(const ad_var *x) { return ad_softmax(x[0], 0); }
static ad_var f_log_softmax(const ad_var *x) { return ad_log_softmax(x[0], 1); }
static ad_var f_variance(const ad_var *x) { return ad_variance(x[0], 1, false, 1); }
static ad_var f_std(const ad_var *x) { return ad_std(x[0], AD_ALL, false, 0); }
static ad_var f_cumsum(const ad_var *x) { return ad_cumsum(x[0], 1); }
static ad_var f_cumsum_0(const ad_var *x) { return ad_cumsum(x[0], 0); }
static ad_var f_reshape(const ad_var *x) { return ad_reshape(x[0], 2, shape_32); }
static ad_var f_reshape_view(const ad_var *x) { return ad_square(ad_reshape(ad_transpose(x[0]), 1, shape_6)); }
static ad_var f_broadcast_to(const ad_var *x) { return ad_square(ad_broadcast_to(x[0], 3, shape_423)); }
static ad_var f_broadcast_axis(const ad_var *x) { return ad_broadcast_to(x[0], 4, shape_2213); }
static ad_var f_transpose(const ad_var *x) { return ad_mul(ad_transpose(x[0]), ad_exp(ad_transpose(x[0]))); }
static ad_var f_permute(const ad_var *x) { const int axes[] = { 2, 0, -2 }; return ad_sin(ad_permute(x[0], axes)); }
static ad_var f_slice(const ad_var *x) { return ad_square(ad_slice(x[0], 1, 1, 3, 1)); }
static ad_var f_slice_back(const ad_var *x) { return ad_square(ad_slice(ad_slice(x[0], 1, -1, PTRDIFF_MIN, -2), 0, 0, 9, 2)); }
static ad_var f_concat(const ad_var *x) { return ad_square(ad_concat(x, 2, 1)); }
static ad_var f_stack(const ad_var *x) { return ad_square(ad_stack(x, 2, -1)); }
static ad_var f_concat_many(const ad_var *x) {
  ad_var all[7];
  for (int i = 0; i < 7; i++) all[i] = i % 2 ? x[0] : x[1];
  return ad_square(ad_concat(all, 7, 0));
}
static ad_var f_gather(const ad_var *x) {
  const int32_t index[] = { 2, 0, 2, 1, 2 };
  return ad_square(ad_gather(x[0], constant_i32(x[0].tape, 5, index), 0));
}
static ad_var f_gather_1(const ad_var *x) {
  const int32_t index[] = { 1, 1, 0 };
  return ad_square(ad_gather(x[0], constant_i32(x[0].tape, 3, index), 1));
}
static ad_var f_matmul(const ad_var *x) { return ad_matmul(x[0], x[1]); }
static ad_var f_matmul_views(const ad_var *x) { return ad_matmul(ad_transpose(x[0]), ad_transpose(x[1])); }
static ad_var f_matmul_slices(const ad_var *x) { return ad_matmul(ad_slice(x[0], 1, 0, 9, 2), ad_slice(x[1], 0, 2, PTRDIFF_MIN, -2)); }
static ad_var f_dot(const ad_var *x) { return ad_dot(x[0], x[1]); }
static ad_var f_outer(const ad_var *x) { return ad_outer(x[0], x[1]); }
static ad_var f_diag(const ad_var *x) { return ad_square(ad_diag(x[0])); }
static ad_var f_trace(const ad_var *x) { return ad_trace(ad_matmul(x[0], x[0])); }
static ad_var f_linear(const ad_var *x) { return ad_tanh(ad_linear(x[0], x[1], x[2])); }
static ad_var f_labels(const ad_var *x) {
  const int32_t label[] = { 2, 0, 1 };
  return ad_cross_entropy(x[0], constant_i32(x[0].tape, 3, label));
}
static ad_var f_probabilities(const ad_var *x) { return ad_cross_entropy(x[0], ad_softmax(x[1], 1)); }
static ad_var f_mse(const ad_var *x) { return ad_mse(x[0], x[1]); }
static ad_var f_conv(const ad_var *x) { return ad_conv2d(x[0], x[1], 1, 1, 1, 1); }
static ad_var f_conv_strided(const ad_var *x) { return ad_square(ad_conv2d(x[0], x[1], 2, 1, 1, 1)); }
static ad_var f_conv_grouped(const ad_var *x) { return ad_conv2d(x[0], x[1], 1, 2, 2, 2); }
static ad_var f_max_pool(const ad_var *x) { return ad_square(ad_max_pool2d(x[0], 2, 2, 0)); }
static ad_var f_max_pool_padded(const ad_var *x) { return ad_square(ad_max_pool2d(x[0], 3, 2, 1)); }
static ad_var f_avg_pool(const ad_var *x) { return ad_square(ad_avg_pool2d(x[0], 2, 1, 0)); }
static ad_var f_avg_pool_padded(const ad_var *x) { return ad_square(ad_avg_pool2d(x[0], 3, 2, 1)); }
static ad_var f_cast(const ad_var *x) { return ad_cast(ad_square(ad_cast(x[0], AD_F64)), ad_type(x[0])); }
static ad_var f_norm_all(const ad_var *x) { return ad_norm(x[0], AD_ALL, false); }
static ad_var f_layer_norm(const ad_var *x) { return ad_layer_norm(x[0], x[1], x[2], 1e-5); }
static ad_var f_batch_norm(const ad_var *x) { return ad_batch_norm(x[0], x[1], x[2], 1e-5); }
static ad_var f_dropout(const ad_var *x) { return ad_square(ad_dropout(x[0], 0.4, 77)); }
static ad_var f_leaky(const ad_var *x) { return ad_leaky_relu(x[0], 0.1); }
static ad_var f_prelu(const ad_var *x) { return ad_prelu(x[0], x[1]); }
static ad_var plus_diagonal(ad_var a) {      /* well conditioned */
  const size_t n = ad_shape(a)[ad_rank(a) - 1];
  ad_var d[8];
  for (size_t i = 0; i < n; i++) d[i] = ad_add(ad_mul(ad_sum(a, AD_ALL, false), 0.0), 2 + (double)i);
  return ad_add(a, ad_diag(ad_stack(d, n, 0)));
}
static ad_var f_solve(const ad_var *x) { return ad_solve(plus_diagonal(x[0]), x[1]); }
static ad_var f_inverse(const ad_var *x) { return ad_inverse(plus_diagonal(x[0])); }
static ad_var f_det(const ad_var *x) { return ad_det(plus_diagonal(x[0])); }
static ad_var f_logdet(const ad_var *x) { return ad_logdet(plus_diagonal(x[0])); }
static ad_var f_cholesky(const ad_var *x) { return ad_cholesky(plus_diagonal(ad_matmul(x[0], ad_transpose(x[0])))); }
static ad_var f_mixed(const ad_var *x) { return ad_add(ad_mul(ad_sum(x[0], AD_ALL, false), 0.5), ad_div(x[0], ad_add(ad_mul(x[1], x[1]), 1))); }
static ad_var f_reused(const ad_var *x) {
  ad_var y = x[0];
  for (int i = 0; i < 20; i++) y = ad_add(y, ad_mul(x[0], 0.1));
  return ad_mul(y, y);
}

static const test_case cases[] = {
  { "sum all", f_sum_all, 1, { { 2, { 3, 5 } } }, -1, 1, 0 },
  { "sum 0", f_sum_0, 1, { { 3, { 3, 2, 4 } } }, -1, 1, 0 },
  { "sum keep", f_sum_keep, 1, { { 3, { 3, 2, 4 } } }, -1, 1, 0 },
  { "mean", f_mean, 1, { { 3, { 3, 2, 4 } } }, -1, 1, 0 },
  { "prod", f_prod, 1, { { 2, { 3, 5 } } }, 0.5, 2, 0 },
  { "prod all", f_prod_all, 1, { { 2, { 3, 3 } } }, -2, 2, 0 },
  { "reduce_max", f_max, 1, { { 3, { 3, 4, 5 } } }, -1, 1, 0 },
  { "reduce_min all", f_min_all, 1, { { 2, { 3, 4 } } }, -1, 1, 0 },
  { "sumsq", f_sumsq, 1, { { 2, { 3, 4 } } }, -1, 1, 0 },
  { "norm", f_norm, 1, { { 2, { 3, 4 } } }, -1, 1, 0 },
  { "norm 0", f_norm_0, 1, { { 2, { 3, 4 } } }, -1, 1, 0 },
  { "logsumexp", f_logsumexp, 1, { { 2, { 3, 4 } } }, -2, 2, 0 },
  { "logsumexp 0", f_logsumexp_0, 1, { { 3, { 3, 4, 2 } } }, -2, 2, 0 },
  { "logsumexp all", f_logsumexp_all, 1, { { 2, { 3, 4 } } }, -2, 2, 0 },
  { "softmax", f_softmax, 1, { { 2, { 3, 10 } } }, -2, 2, 0 },
  { "softmax 0", f_softmax_0, 1, { { 3, { 3, 2, 2 } } }, -2, 2, 0 },
  { "log_softmax", f_log_softmax, 1, { { 2, { 3, 4 } } }, -2, 2, 0 },
  { "variance", f_variance, 1, { { 2, { 3, 4 } } }, -2, 2, 0 },
  { "std", f_std, 1, { { 2, { 3, 4 } } }, -2, 2, 0 },
  { "cumsum", f_cumsum, 1, { { 3, { 2, 4, 3 } } }, -2, 2, 0 },
  { "cumsum 0", f_cumsum_0, 1, { { 1, { 5 } } }, -2, 2, 0 },
  { "reshape", f_reshape, 1, { { 1, { 6 } } }, -2, 2, 0 },
  { "reshape of a view", f_reshape_view, 1, { { 2, { 2, 3 } } }, -2, 2, 0 },
  { "broadcast_to", f_broadcast_to, 1, { { 2, { 2, 3 } } }, -2, 2, 0 },
  { "broadcast_to by an axis", f_broadcast_axis, 1, { { 3, { 2, 1, 1 } } }, -2, 2, 0 },
  { "transpose", f_transpose, 1, { { 3, { 2, 3, 4 } } }, -2, 2, 0 },
  { "permute", f_permute, 1, { { 3, { 2, 3, 4 } } }, -2, 2, 0 },
  { "slice", f_slice, 1, { { 2, { 3, 5 } } }, -2, 2, 0 },
  { "slice backwards", f_slice_back, 1, { { 2, { 3, 6 } } }, -2, 2, 0 },
  { "concat", f_concat, 2, { { 3, { 2, 3, 2 } }, { 3, { 2, 1, 2 } } }, -2, 2, 0 },
  { "concat of many", f_concat_many, 2, { { 2, { 2, 3 } }, { 2, { 1, 3 } } }, -2, 2, 0 },
  { "stack", f_stack, 2, { { 2, { 2, 3 } }, { 2, { 2, 3 } } }, -2, 2, 0 },
  { "gather", f_gather, 1, { { 2, { 3, 2 } } }, -2, 2, 0 },
  { "gather 1", f_gather_1, 1, { { 2, { 3, 2 } } }, -2, 2, 0 },
  { "matmul", f_matmul, 2, { { 2, { 3, 4 } }, { 2, { 4, 5 } } }, -1, 1, 0 },
  { "matmul batched", f_matmul, 2, { { 4, { 2, 1, 3, 4 } }, { 3, { 3, 4, 2 } } }, -1, 1, 0 },
  { "matmul by one matrix", f_matmul, 2, { { 3, { 2, 3, 4 } }, { 2, { 4, 2 } } }, -1, 1, 0 },
  { "matmul of vectors", f_matmul, 2, { { 1, { 4 } }, { 1, { 4 } } }, -1, 1, 0 },
  { "matmul vector matrix", f_matmul, 2, { { 1, { 4 } }, { 2, { 4, 3 } } }, -1, 1, 0 },
  { "matmul matrix vector", f_matmul, 2, { { 3, { 2, 3, 4 } }, { 1, { 4 } } }, -1, 1, 0 },
  { "matmul of transposes", f_matmul_views, 2, { { 2, { 4, 3 } }, { 3, { 2, 5, 4 } } }, -1, 1, 0 },
  { "matmul of slices", f_matmul_slices, 2, { { 2, { 3, 3 } }, { 2, { 4, 5 } } }, -1, 1, 0 },
  { "dot", f_dot, 2, { { 1, { 5 } }, { 1, { 5 } } }, -1, 1, 0 },
  { "outer", f_outer, 2, { { 1, { 3 } }, { 1, { 4 } } }, -1, 1, 0 },
  { "diag of a matrix", f_diag, 1, { { 3, { 2, 3, 3 } } }, -1, 1, 0 },
  { "diag of a vector", f_diag, 1, { { 1, { 3 } } }, -1, 1, 0 },
  { "trace", f_trace, 1, { { 2, { 3, 3 } } }, -1, 1, 0 },
  { "linear", f_linear, 3, { { 2, { 3, 4 } }, { 2, { 4, 5 } }, { 1, { 5 } } }, -1, 1, 0 },
  { "linear of rank 3", f_linear, 3, { { 3, { 2, 3, 4 } }, { 2, { 4, 5 } }, { 1, { 5 } } }, -1, 1, 0 },
  { "cross_entropy of labels", f_labels, 1, { { 2, { 3, 4 } } }, -2, 2, 0 },
  { "cross_entropy of probabilities", f_probabilities, 2, { { 2, { 3, 4 } }, { 2, { 3, 4 } } }, -2, 2, 0 },
  { "mse", f_mse, 2, { { 2, { 3, 4 } }, { 2, { 3, 4 } } }, -2, 2, 0 },
  { "conv2d", f_conv, 2, { { 4, { 2, 2, 4, 5 } }, { 4, { 3, 2, 3, 3 } } }, -1, 1, 0 },
  { "conv2d with stride", f_conv_strided, 2, { { 4, { 1, 2, 5, 5 } }, { 4, { 2, 2, 3, 2 } } }, -1, 1, 0 },
  { "conv2d with groups and dilation", f_conv_grouped, 2, { { 4, { 1, 4, 4, 4 } }, { 4, { 2, 2, 2, 2 } } }, -1, 1, 0 },
  { "max_pool2d", f_max_pool, 1, { { 4, { 2, 2, 4, 4 } } }, -1, 1, 0 },
  { "max_pool2d with padding", f_max_pool_padded, 1, { { 3, { 2, 5, 4 } } }, -1, 1, 0 },
  { "avg_pool2d", f_avg_pool, 1, { { 4, { 1, 2, 4, 3 } } }, -1, 1, 0 },
  { "layer_norm", f_layer_norm, 3, { { 3, { 2, 3, 8 } }, { 1, { 8 } }, { 1, { 8 } } }, -1, 1, 0 },
  { "batch_norm", f_batch_norm, 3, { { 4, { 3, 2, 2, 3 } }, { 1, { 2 } }, { 1, { 2 } } }, -1, 1, 0 },
  { "dropout", f_dropout, 1, { { 2, { 5, 7 } } }, -1, 1, 0 },
  { "leaky_relu", f_leaky, 1, { { 2, { 5, 7 } } }, -1, 1, 0 },
  { "prelu", f_prelu, 2, { { 2, { 5, 7 } }, { 1, { 7 } } }, -1, 1, 0 },
  { "solve", f_solve, 2, { { 2, { 4, 4 } }, { 2, { 4, 3 } } }, -1, 1, 0 },
  { "solve of a vector", f_solve, 2, { { 2, { 4, 4 } }, { 1, { 4 } } }, -1, 1, 0 },
  { "solve of many", f_solve, 2, { { 3, { 2, 3, 3 } }, { 3, { 2, 3, 2 } } }, -1, 1, 0 },
  { "inverse", f_inverse, 1, { { 3, { 2, 4, 4 } } }, -1, 1, 0 },
  { "det", f_det, 1, { { 2, { 4, 4 } } }, -1, 1, 0 },
  { "det of many", f_det, 1, { { 3, { 2, 3, 3 } } }, -1, 1, 0 },
  { "logdet", f_logdet, 1, { { 2, { 4, 4 } } }, -1, 1, 0 },
  { "cholesky", f_cholesky, 1, { { 2, { 4, 4 } } }, -1, 1, 0 },
  { "solve that broadcasts", f_solve, 2, { { 3, { 2, 3, 3 } }, { 2, { 3, 2 } } }, -1, 1, 0 },
  { "cast", f_cast, 1, { { 2, { 3, 4 } } }, -2, 2, 0 },
  { "norm all", f_norm_all, 1, { { 2, { 3, 4 } } }, -2, 2, 0 },
  { "avg_pool2d with padding", f_avg_pool_padded, 1, { { 3, { 2, 5, 4 } } }, -1, 1, 0 },
  { "scalars and tensors mixed", f_mixed, 2, { { 2, { 3, 4 } }, { 1, { 4 } } }, -2, 2, 0 },
  { "one node used often", f_reused, 1, { { 2, { 3, 4 } } }, -2, 2, 0 },
};
enum { CASES = sizeof cases / sizeof *cases, MOST = 200 };

static size_t size_of(const test_case *c, int k) {
  size_t n = 1;
  for (int i = 0; i < c->in[k].rank; i++) n *= c->in[k].shape[i];
  return n;
}
/* the loss sum(f(x) w) with fixed weights w, so that every element of f has its own adjoint */
static ad_var loss_of(ad_tape *t, const test_case *c, ad_dtype type, double x[INPUTS][MOST], ad_var *in) {
  for (int k = 0; k < c->n; k++) {
    float f[MOST];
    for (size_t i = 0; i < size_of(c, k); i++) f[i] = (float)x[k][i];
    in[k] = ad_tensor_variable(t, type, c->in[k].rank, c->in[k].shape, type == AD_F32 ? (const void *)f : (const void *)x[k]);
  }
  const ad_var y = c->f(in);
  if (ad_tape_status(t) != AD_OK) fail_msg("%s: %s", c->name, ad_tape_message(t));
  if (ad_rank(y) == 0) return y;
  float w32[4 * MOST];
  double w64[4 * MOST];
  for (size_t i = 0; i < ad_size(y); i++) w64[i] = 0.5 + (double)((i * 7919) % 13) / 13, w32[i] = (float)w64[i];
  const ad_var w = ad_tensor_constant(t, type, ad_rank(y), ad_shape(y), type == AD_F32 ? (const void *)w32 : (const void *)w64);
  return ad_sum(ad_mul(y, w), AD_ALL, false);
}
static void fill(const test_case *c, double x[INPUTS][MOST]) {
  state = 42;
  for (int k = 0; k < c->n; k++)
    for (size_t i = 0; i < size_of(c, k); i++) x[k][i] = draw(c->low, c->high);
}
static void close_to(const char *name, const char *what, int k, size_t i, double got, double want, double tolerance) {
  if (!(got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= tolerance * (1 + fabs(want)))) fail_msg("%s: %s, input %d element %zu: %.17g, not %.17g", name, what, k, i, got, want);
}

static void test_gradients(void **ignored) {
  (void)ignored;
  ad_tape *t = ad_tape_create(NULL);
  static double x[INPUTS][MOST];
  static double g[INPUTS][MOST];
  ad_var in[INPUTS];
  for (size_t n = 0; n < CASES; n++) {
    const test_case *c = &cases[n];
    fill(c, x);
    ad_tape_reset(t);
    ad_var y = loss_of(t, c, AD_F64, x, in);
    const ad_status status = ad_backward(y);
    if (status != AD_OK) fail_msg("%s: %s", c->name, ad_tape_message(t));
    for (int k = 0; k < c->n; k++) memcpy(g[k], ad_grad_data(in[k]), size_of(c, k) * sizeof(double));
    assert_int_equal(ad_backward(y), AD_OK);   /* a second time: the same bits */
    for (int k = 0; k < c->n; k++) assert_memory_equal(g[k], ad_grad_data(in[k]), size_of(c, k) * sizeof(double));
    for (int k = 0; k < c->n; k++)
      for (size_t i = 0; i < size_of(c, k); i++) {
        const double old = x[k][i], h = 1e-5;
        double side[2];
        for (int s = 0; s < 2; s++) {
          x[k][i] = s ? old + h : old - h;
          ad_tape_reset(t);
          side[s] = ad_value(loss_of(t, c, AD_F64, x, in));
        }
        x[k][i] = old;
        close_to(c->name, "gradient", k, i, g[k][i], (side[1] - side[0]) / (2 * h), 1e-7);
      }
    ad_tape_reset(t);
    y = loss_of(t, c, AD_F32, x, in);
    assert_int_equal(ad_backward(y), AD_OK);
    for (int k = 0; k < c->n && c->f != f_dropout; k++)   /* dropout draws other elements of floats */
      for (size_t i = 0; i < size_of(c, k); i++) close_to(c->name, "float gradient", k, i, (double)((const float *)ad_grad_data(in[k]))[i], g[k][i], 2e-4);
  }
  ad_tape_destroy(t);
}

/* ad_differentiate gives the numbers of ad_backward, and can be differentiated: the gradient of grad . v against central differences */
static void test_second_derivatives(void **ignored) {
  (void)ignored;
  ad_tape *t = ad_tape_create(NULL);
  static double x[INPUTS][MOST], v[INPUTS][MOST], hv[INPUTS][MOST];
  ad_var in[INPUTS], g[INPUTS], h[INPUTS];
  for (size_t n = 0; n < CASES; n++) {
    const test_case *c = &cases[n];
    fill(c, x);
    for (int k = 0; k < c->n; k++)
      for (size_t i = 0; i < size_of(c, k); i++) v[k][i] = draw(-1, 1);
    ad_tape_reset(t);
    ad_var y = loss_of(t, c, AD_F64, x, in), dot = ad_constant(t, 0);
    assert_int_equal(ad_backward(y), AD_OK);
    if (ad_differentiate(y, in, (size_t)c->n, g) != AD_OK) fail_msg("%s: %s", c->name, ad_tape_message(t));
    for (int k = 0; k < c->n; k++) {
      const double *numbers = (const double *)ad_grad_data(in[k]), *nodes = (const double *)ad_data(g[k]);
      assert_int_equal(ad_size(g[k]), ad_size(in[k]));
      for (size_t i = 0; i < size_of(c, k); i++) close_to(c->name, "nodes against numbers", k, i, nodes[i], numbers[i], 1e-13);
      dot = ad_add(dot, ad_dot(g[k], ad_tensor_constant(t, AD_F64, c->in[k].rank, c->in[k].shape, v[k])));
    }
    if (ad_backward(dot) != AD_OK) fail_msg("%s: second: %s", c->name, ad_tape_message(t));
    for (int k = 0; k < c->n; k++) memcpy(hv[k], ad_grad_data(in[k]), size_of(c, k) * sizeof(double));
    if (ad_differentiate(dot, in, (size_t)c->n, h) != AD_OK) fail_msg("%s: second nodes: %s", c->name, ad_tape_message(t));
    for (int k = 0; k < c->n; k++)
      for (size_t i = 0; i < size_of(c, k); i++) close_to(c->name, "second, nodes", k, i, ((const double *)ad_data(h[k]))[i], hv[k][i], 1e-11);
    static double side[2][INPUTS][MOST];
    for (int s = 0; s < 2; s++) {
      static double at[INPUTS][MOST];
      for (int k = 0; k < c->n; k++)
        for (size_t i = 0; i < size_of(c, k); i++) at[k][i] = x[k][i] + (s ? 1e-5 : -1e-5) * v[k][i];
      ad_tape_reset(t);
      y = loss_of(t, c, AD_F64, at, in);
      assert_int_equal(ad_backward(y), AD_OK);
      for (int k = 0; k < c->n; k++) memcpy(side[s][k], ad_grad_data(in[k]), size_of(c, k) * sizeof(double));
    }
    for (int k = 0; k < c->n && !c->once; k++)
      for (size_t i = 0; i < size_of(c, k); i++) close_to(c->name, "second derivative", k, i, hv[k][i], (side[1][k][i] - side[0][k][i]) / 2e-5, 1e-7);
  }
  ad_tape_destroy(t);
}

#define ROW_1(N, D, op, ...) case AD_OP_##op: return ad_var_##op(x[0]);
#define ROW_2(N, D, op, ...) case AD_OP_##op: return ad_var_##op(x[0], x[1]);
#define ROW_3(N, D, op, ...) case AD_OP_##op: return ad_var_##op(x[0], x[1], x[2]);
static ad_var scalar_row(int op, const ad_var *x) {
  switch (op) { AD_UNARY(ROW_1, , ) AD_BINARY(ROW_2, , ) AD_TERNARY(ROW_3, , ) default: return x[0]; }
}
/* every row of the table over tensors of both types: values by the scalar rows, gradients against the partials, at the same numbers */
static double element(const void *data, ad_dtype type, size_t i) { return type == AD_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i]; }
static void test_rows(void **ignored) {
  (void)ignored;
  ad_tape *t = ad_tape_create(NULL), *u = ad_tape_create(NULL);
  for (int op = 0; op < 2 * AD_OP_COUNT_; op++) {
    enum { N = 37 };
    const ad_op_info *row = &ad_ops[op / 2];
    const ad_dtype type = op % 2 ? AD_F32 : AD_F64;
    const double precision = type == AD_F32 ? 1e-5 : 1e-13;
    const size_t shape[1] = { N };
    float x32[4][N];
    double x[4][N];
    ad_var in[3], sc[3];
    state = (uint64_t)(op / 2) + 1;
    for (int k = 0; k < 4; k++)                                /* the fourth is the seed */
      for (size_t i = 0; i < N; i++) {
        x[k][i] = k < 3 ? draw(row->lo[k], row->hi[k]) : draw(-1, 1);
        if ((op / 2 == AD_OP_powi && k == 1) || (op / 2 == AD_OP_polygamma && k == 0)) x[k][i] = rint(x[k][i]);
        x32[k][i] = (float)x[k][i];
        if (type == AD_F32) x[k][i] = (double)x32[k][i];
      }
    ad_tape_reset(t);
    for (int k = 0; k < row->arity; k++) in[k] = ad_tensor_variable(t, type, 1, shape, type == AD_F32 ? (const void *)x32[k] : (const void *)x[k]);
    const ad_var y = scalar_row(op / 2, in);
    assert_int_equal(ad_backward_from(y, type == AD_F32 ? (const void *)x32[3] : (const void *)x[3]), AD_OK);
    ad_tape_reset(u);
    for (size_t i = 0; i < N; i++) {
      for (int k = 0; k < row->arity; k++) sc[k] = ad_variable(u, x[k][i]);
      const ad_var one = scalar_row(op / 2, sc);
      close_to(row->name, "value", 0, i, element(ad_data(y), type, i), ad_value(one), precision);
      assert_int_equal(ad_backward_from(one, &x[3][i]), AD_OK);
      for (int k = 0; k < row->arity; k++)
        close_to(row->name, "gradient", k, i, element(ad_grad_data(in[k]), type, i), ad_grad(sc[k]), 10 * precision);
    }
  }
  ad_tape_destroy(u);
  ad_tape_destroy(t);
}

/* value and gradient of x y + x for operands of these shapes against loops; what does not broadcast fails */
enum { MOST_ELEMENTS = 9 * 9 * 9 };
static double broadcast_x[MOST_ELEMENTS], broadcast_y[MOST_ELEMENTS], broadcast_seed[MOST_ELEMENTS];
static bool check_broadcast(ad_tape *t, int ra, const size_t *a, int rb, const size_t *b) {
  static double gx[MOST_ELEMENTS], gy[MOST_ELEMENTS];
  const double *x = broadcast_x, *y = broadcast_y, *seed = broadcast_seed;
  const int r = ra > rb ? ra : rb;
  size_t out[4], n = 1;
  bool fits = true;
  for (int i = 0; i < r; i++) {
    const size_t p = i < r - ra ? 1 : a[i - (r - ra)], q = i < r - rb ? 1 : b[i - (r - rb)];
    fits = fits && (p == q || p == 1 || q == 1);
    out[i] = p == 1 ? q : p;
    n *= out[i];
  }
  ad_tape_reset(t);
  const ad_var u = ad_tensor_variable(t, AD_F64, ra, a, x), v = ad_tensor_variable(t, AD_F64, rb, b, y);
  const ad_var w = ad_add(ad_mul(u, v), u);
  if (!fits) {
    assert_int_equal(ad_tape_status(t), AD_ERROR_SHAPE);
    assert_false(ad_is_valid(w));
    return false;
  }
  assert_int_equal(ad_tape_status(t), AD_OK);
  assert_int_equal(ad_rank(w), r);
  assert_int_equal(ad_size(w), n);
  for (int i = 0; i < r; i++) assert_int_equal(ad_shape(w)[i], out[i]);
  assert_int_equal(ad_backward_from(w, seed), AD_OK);
  memset(gx, 0, sizeof gx);
  memset(gy, 0, sizeof gy);
  const double *value = (const double *)ad_data(w), *du = (const double *)ad_grad_data(u), *dv = (const double *)ad_grad_data(v);
  for (size_t i = 0; i < n; i++) {
    size_t at = i, pa = 0, pb = 0, sa = 1, sb = 1;
    for (int d = r - 1; d >= 0; at /= out[d], d--) {
      const int da = d - (r - ra), db = d - (r - rb);
      if (da >= 0) pa += a[da] == 1 ? 0 : at % out[d] * sa, sa *= a[da];
      if (db >= 0) pb += b[db] == 1 ? 0 : at % out[d] * sb, sb *= b[db];
    }
    if (!(fabs(value[i] - (x[pa] * y[pb] + x[pa])) < 1e-15)) fail_msg("rank %d and %d, element %zu", ra, rb, i);
    gx[pa] += seed[i] * (y[pb] + 1);
    gy[pb] += seed[i] * x[pa];
  }
  for (size_t i = 0; i < ad_size(u); i++) close_to("broadcast", "gradient", 0, i, du[i], gx[i], 1e-12);
  for (size_t i = 0; i < ad_size(v); i++) close_to("broadcast", "gradient", 1, i, dv[i], gy[i], 1e-12);
  return true;
}
/* shape number code of rank at most 4: the last two axes have 1, 8 (the lanes of AVX-512) or 9 elements, the others 1, 2 or 3 */
static int shape_of(int code, size_t *shape) {
  static const size_t inner[] = { 1, 8, 9 }, outer[] = { 1, 2, 3 };
  int rank = 0;
  for (int count = 1; code >= count; count *= 3) code -= count, rank++;
  for (int i = rank - 1; i >= 0; i--, code /= 3) shape[i] = (i >= rank - 2 ? inner : outer)[code % 3];
  return rank;
}
static void test_broadcasting(void **ignored) {
  (void)ignored;
  static const size_t sizes[] = { 0, 1, 2, 3, 8, 9 };
  enum { SHAPES = 1 + 3 + 9 + 27 + 81 };
  ad_tape *t = ad_tape_create(NULL);
  int fitting = 0;
  for (size_t i = 0; i < MOST_ELEMENTS; i++) broadcast_x[i] = draw(-1, 1), broadcast_y[i] = draw(-1, 1), broadcast_seed[i] = draw(-1, 1);
  for (int p = 0; p < SHAPES; p++)                            /* all pairs */
    for (int q = 0; q < SHAPES; q++) {
      size_t a[4], b[4];
      const int ra = shape_of(p, a), rb = shape_of(q, b);
      fitting += check_broadcast(t, ra, a, rb, b);
    }
  assert_in_range(fitting, 4000, SHAPES * SHAPES / 2);
  for (int code = 0; code < 4 * 4 * 6 * 6 * 6 * 6 * 6 * 6; code += 11 + code % 25) {   /* with empty ones, a sample of those of rank <= 3 */
    size_t a[3], b[3];
    int c = code / 16;
    for (int i = 0; i < 3; i++, c /= 6) a[i] = sizes[c % 6];
    for (int i = 0; i < 3; i++, c /= 6) b[i] = sizes[c % 6];
    (void)check_broadcast(t, code % 4, a, code / 4 % 4, b);
  }
  ad_tape_destroy(t);
}

/* the first error stays and says what it was; handles after it are inert */
static void expect_error(ad_tape *t, ad_var y, ad_status status, const char *part) {
  assert_false(ad_is_valid(y));
  assert_int_equal(ad_tape_status(t), status);
  if (!strstr(ad_tape_message(t), part)) fail_msg("\"%s\" does not say \"%s\"", ad_tape_message(t), part);
  assert_false(ad_is_valid(ad_sum(ad_exp(y), AD_ALL, false)));
}
static void test_errors(void **ignored) {
  (void)ignored;
  ad_tape *t = ad_tape_create(NULL);
  const size_t s23[] = { 2, 3 }, s45[] = { 4, 5 }, s03[] = { 0, 3 }, large[] = { SIZE_MAX, 2 }, wide[] = { (size_t)1 << (4 * sizeof(size_t) + 1), (size_t)1 << (4 * sizeof(size_t) + 1) };
  const size_t nothing[] = { 0, SIZE_MAX, SIZE_MAX };
  const int32_t out_of[] = { 0, 7 };
  const double zeros[20] = { 0 };
  const int twice[] = { 0, 0 };
#define START ad_tape_reset(t); const ad_var a = ad_tensor_variable(t, AD_F64, 2, s23, zeros), b = ad_tensor_variable(t, AD_F64, 2, s45, zeros); (void)a; (void)b
  { START; expect_error(t, ad_matmul(a, b), AD_ERROR_SHAPE, "matmul: (2, 3) and (4, 5)"); }
  { START; expect_error(t, ad_add(a, b), AD_ERROR_SHAPE, "add: (2, 3) and (4, 5)"); }
  { START; expect_error(t, ad_sum(a, 2, false), AD_ERROR_ARGUMENT, "sum: (2, 3): there is no axis 2"); }
  { START; expect_error(t, ad_sum(a, -3, false), AD_ERROR_ARGUMENT, "axis -3"); }
  { START; expect_error(t, ad_sum(a, INT32_MIN, false), AD_ERROR_ARGUMENT, "axis -2147483648"); }
  { START; expect_error(t, ad_mean(a, INT32_MAX, false), AD_ERROR_ARGUMENT, "axis 2147483647"); }
  { START; expect_error(t, ad_softmax(a, 7), AD_ERROR_ARGUMENT, "softmax: (2, 3): there is no axis 7"); }
  { START; expect_error(t, ad_permute(a, twice), AD_ERROR_ARGUMENT, "permute"); }
  { START; expect_error(t, ad_reshape(a, 2, s45), AD_ERROR_SHAPE, "reshape: (2, 3)"); }
  { START; expect_error(t, ad_broadcast_to(b, 2, s23), AD_ERROR_SHAPE, "broadcast_to: (4, 5)"); }
  { START; expect_error(t, ad_slice(a, 0, 0, 1, 0), AD_ERROR_ARGUMENT, "slice"); }
  { START; expect_error(t, ad_outer(a, b), AD_ERROR_SHAPE, "outer"); }
  { START; expect_error(t, ad_dot(a, b), AD_ERROR_SHAPE, "dot"); }
  { START; expect_error(t, ad_trace(a), AD_ERROR_SHAPE, "(2, 3)"); }
  { START; expect_error(t, ad_linear(a, b, a), AD_ERROR_SHAPE, "linear: (2, 3) and (4, 5) and (2, 3)"); }
  { START; const ad_var i = constant_i32(t, 2, out_of); expect_error(t, ad_gather(a, i, 0), AD_ERROR_ARGUMENT, "index 7"); }
  { START; const ad_var i = constant_i32(t, 2, out_of); expect_error(t, ad_cross_entropy(a, i), AD_ERROR_ARGUMENT, "label 7"); }
  { START; const ad_var i = constant_i32(t, 2, out_of); expect_error(t, ad_exp(i), AD_ERROR_DTYPE, "AD_I32"); }
  { START; expect_error(t, ad_gather(a, a, 0), AD_ERROR_DTYPE, "AD_I32"); }
  { START; expect_error(t, ad_add(a, ad_tensor_constant(t, AD_F32, 2, s23, NULL)), AD_ERROR_DTYPE, "do not mix"); }
  { START; expect_error(t, ad_reduce_max(ad_tensor_constant(t, AD_F64, 2, s03, NULL), 0, false), AD_ERROR_SHAPE, "reduce_max: (0, 3)"); }
  { START; expect_error(t, ad_tensor_variable(t, AD_F64, 2, large, zeros), AD_ERROR_SHAPE, "bytes"); }
  { START; expect_error(t, ad_tensor_variable(t, AD_F64, 2, wide, zeros), AD_ERROR_SHAPE, "bytes"); }
  { START; expect_error(t, ad_tensor_variable(t, AD_F64, 9, s23, zeros), AD_ERROR_ARGUMENT, "rank 9"); }
  { START; expect_error(t, ad_concat(&a, 1, 2), AD_ERROR_ARGUMENT, "concat: (2, 3): there is no axis 2"); }
  { START; const ad_var both[] = { a, b }; expect_error(t, ad_concat(both, 2, 0), AD_ERROR_SHAPE, "concat: (2, 3) and (4, 5)"); }
  { START; const ad_var both[] = { a, b }; expect_error(t, ad_stack(both, 2, 0), AD_ERROR_SHAPE, "concat"); }
  { START; ad_tape_reset(t); expect_error(t, ad_sum(a, 0, false), AD_ERROR_TAPE, "sum"); }
  { START; assert_int_equal(ad_backward(a), AD_ERROR_SHAPE); }
  { START; ad_var g; assert_int_equal(ad_differentiate(a, &b, 1, &g), AD_ERROR_SHAPE); }
  { START; expect_error(t, ad_tensor_variable(t, AD_F64, 3, nothing, zeros), AD_ERROR_SHAPE, "bytes"); }
  const size_t s46[] = { 4, 6 }, s4[] = { 4 };
  const ad_var *const no_states = NULL;
  { START; expect_error(t, ad_tensor_variable(t, AD_I32, 1, s4, out_of), AD_ERROR_DTYPE, "ad_tensor_variable: labels"); }
  { START; expect_error(t, ad_tensor_he(t, AD_I32, 2, s46, 1), AD_ERROR_DTYPE, "AD_I32"); }
  { START; expect_error(t, ad_add(a, ad_tensor_constant(t, AD_F32, 2, s23, NULL)), AD_ERROR_DTYPE, "ad_add: (2, 3) double and (2, 3) float"); }
  { START; expect_error(t, ad_reshape(a, 2, s45), AD_ERROR_SHAPE, "ad_reshape: (2, 3): reshaped to another number of elements: (4, 5)"); }
  { START; expect_error(t, ad_broadcast_to(b, 2, s23), AD_ERROR_SHAPE, "ad_broadcast_to: (4, 5): cannot be broadcast: (2, 3)"); }
  { START; expect_error(t, ad_max_pool2d(b, 2, 2, 2), AD_ERROR_ARGUMENT, "ad_max_pool2d: (4, 5): a padding of 2"); }
  { START; expect_error(t, ad_avg_pool2d(b, 6, 1, 0), AD_ERROR_SHAPE, "larger than the padded images"); }
  { START; expect_error(t, ad_avg_pool2d(b, 2, 0, 0), AD_ERROR_ARGUMENT, "stride"); }
  { START; const ad_var p = ad_tensor_variable(t, AD_F64, 1, s23 + 1, NULL); expect_error(t, ad_layer_norm(a, p, p, -1), AD_ERROR_ARGUMENT, "epsilon"); }
  { START; const ad_var p = ad_tensor_variable(t, AD_F64, 1, s23 + 1, NULL); expect_error(t, ad_batch_norm(a, p, p, NAN), AD_ERROR_ARGUMENT, "epsilon"); }
  { START; expect_error(t, ad_variance(a, 0, false, -1), AD_ERROR_ARGUMENT, "ad_variance: (2, 3): ddof"); }
  { START; expect_error(t, ad_std(a, 5, false, 0), AD_ERROR_ARGUMENT, "ad_std: (2, 3): there is no axis 5"); }
  { START; assert_true(isnan(ad_value(ad_variance(a, AD_ALL, false, 6)))); assert_int_equal(ad_tape_status(t), AD_OK); }   /* nothing is left to divide by */
  { START; expect_error(t, ad_solve(b, a), AD_ERROR_SHAPE, "ad_solve: (4, 5) and (2, 3)"); }
  { START; assert_int_equal(ad_sgd(&a, 1, no_states, 1, 0, 0), AD_ERROR_TAPE); assert_non_null(strstr(ad_tape_message(t), "ad_sgd: there are no gradients")); }
  { START; assert_int_equal(ad_adam(&a, 1, &a, &a, 0, 1, 0, 0, 0, 0), AD_ERROR_ARGUMENT); assert_non_null(strstr(ad_tape_message(t), "ad_adam: step is 0")); }
  { START; assert_true(!ad_grad_data(a) && ad_tape_status(t) == AD_OK); }
  { START; const ad_mark m = ad_tape_mark(t); const ad_var old = ad_exp(a);           /* a handle whose node has been recorded anew */
    ad_tape_rewind(t, m); const ad_var now = ad_sin(b); assert_int_equal(old.node, now.node); assert_true(ad_is_valid(now) && ad_rank(old) == -1);
    expect_error(t, ad_exp(old), AD_ERROR_TAPE, "before the tape was reset or rewound"); }
  { START; const ad_mark m = ad_tape_mark(t); const ad_var old = ad_exp(a); ad_tape_rewind(t, m); (void)ad_constant(t, 1);
    expect_error(t, ad_sum(old, 0, false), AD_ERROR_TAPE, "ad_sum: operand 0 (node 2)"); }
  ad_tape_destroy(t);
}

/* a view's copy made before a rewind is not what the node of that number is later */
static void test_copies_and_rewinds(void **ignored) {
  (void)ignored;
  ad_tape *t = ad_tape_create(NULL);
  const size_t s23[] = { 2, 3 };
  const double data[6] = { 1, 2, 3, 4, 5, 6 }, turned[6] = { 1, 4, 2, 5, 3, 6 };
  const ad_var x = ad_transpose(ad_tensor_variable(t, AD_F64, 2, s23, data));
  const ad_mark m = ad_tape_mark(t);
  assert_memory_equal(ad_data(x), turned, sizeof turned);
  ad_tape_rewind(t, m);
  (void)ad_transpose(x);                                    /* row-major, and x is its operand: but no copy of it */
  assert_memory_equal(ad_data(x), turned, sizeof turned);
  assert_int_equal(ad_tape_status(t), AD_OK);
  ad_tape_destroy(t);
}

/* parameters changed in place between steps: what is recorded after sees them, through views made before and their copies too */
static void test_updates_in_place(void **ignored) {
  (void)ignored;
  ad_tape *t = ad_tape_create(NULL);
  const size_t s23[] = { 2, 3 }, s3[] = { 3 };
  double w[6] = { 1, 2, 3, 4, 5, 6 }, x[3] = { 1, -1, 2 };
  const ad_var p = ad_tensor_variable(t, AD_F64, 2, s23, w), turned = ad_transpose(p), in = ad_tensor_constant(t, AD_F64, 1, s3, x);
  assert_true(((const double *)ad_data(turned))[1] == 4);      /* a copy of the view, which stays on the tape */
  const ad_mark m = ad_tape_mark(t);
  for (int step = 0; step < 4; step++) {
    double y[2] = { 0, 0 }, g[6];
    for (int i = 0; i < 2; i++)
      for (int j = 0; j < 3; j++) y[i] += w[3 * i + j] * x[j];
    const ad_var loss = ad_sumsq(ad_matmul(in, turned), AD_ALL, false);
    assert_true(fabs(ad_value(loss) - (y[0] * y[0] + y[1] * y[1])) < 1e-12 * ad_value(loss));
    assert_int_equal(ad_backward(loss), AD_OK);
    memcpy(g, ad_grad_data(p), sizeof g);
    for (int i = 0; i < 6; i++) assert_true(fabs(g[i] - 2 * y[i / 3] * x[i % 3]) < 1e-12 * (1 + fabs(g[i])));
    if (step % 2) {
      assert_int_equal(ad_sgd(&p, 1, NULL, 0.01, 0, 0), AD_OK);
      for (int i = 0; i < 6; i++) w[i] -= 0.01 * g[i];
    } else {
      for (int i = 0; i < 6; i++) w[i] = draw(-1, 1);
      assert_int_equal(ad_tensor_set(p, w), AD_OK);
    }
    ad_tape_rewind(t, m);
    for (int i = 0; i < 6; i++) assert_true(fabs(((const double *)ad_data(turned))[i] - w[i % 2 * 3 + i / 2]) < 1e-14);
    memcpy(w, ad_data(p), sizeof w);
  }
  ad_tape_destroy(t);
}

/* solve: leading axes broadcast, and vectors: against one system at a time, values and gradients */
static void test_solve_broadcasts(void **ignored) {
  (void)ignored;
  static const struct { int ra, rb, r; size_t a[4], b[4], y[4]; } of[] = {
    { 2, 1, 1, { 3, 3 }, { 3 }, { 3 } },                   { 3, 2, 2, { 4, 3, 3 }, { 4, 3 }, { 4, 3 } },
    { 3, 1, 2, { 4, 3, 3 }, { 3 }, { 4, 3 } },             { 2, 3, 3, { 3, 3 }, { 4, 3, 2 }, { 4, 3, 2 } },
    { 3, 2, 3, { 4, 3, 3 }, { 3, 2 }, { 4, 3, 2 } },       { 4, 3, 4, { 2, 1, 3, 3 }, { 5, 3, 2 }, { 2, 5, 3, 2 } },
  };
  ad_tape *t = ad_tape_create(NULL);
  double a[180], b[180], seed[180];
  for (size_t n = 0; n < sizeof of / sizeof *of; n++) {
    ad_tape_reset(t);
    for (int i = 0; i < 180; i++) a[i] = draw(-1, 1) + (i % 9 % 4 == 0 ? 3 : 0), b[i] = draw(-1, 1), seed[i] = draw(-1, 1);
    const ad_var x = ad_tensor_variable(t, AD_F64, of[n].ra, of[n].a, a), z = ad_tensor_variable(t, AD_F64, of[n].rb, of[n].b, b), y = ad_solve(x, z);
    if (ad_tape_status(t) != AD_OK) fail_msg("%s", ad_tape_message(t));
    assert_int_equal(ad_rank(y), of[n].r);
    for (int i = 0; i < of[n].r; i++) assert_int_equal(ad_shape(y)[i], of[n].y[i]);
    assert_int_equal(ad_backward_from(y, seed), AD_OK);
    double ga[180] = { 0 }, gb[180] = { 0 };
    const double *value = (const double *)ad_data(y);
    const size_t columns = of[n].rb == 1 || (of[n].rb == of[n].r && of[n].r == 2) ? 1 : 2, systems = ad_size(y) / 3 / columns;
    for (size_t k = 0; k < systems; k++) {
      const size_t s33[] = { 3, 3 }, s3m[] = { 3, columns }, ka = n == 5 ? k / 5 : k % (ad_size(x) / 9), kb = k % (ad_size(z) / 3 / columns);
      const ad_var p = ad_tensor_variable(t, AD_F64, 2, s33, a + 9 * ka), q = ad_tensor_variable(t, AD_F64, 2, s3m, b + 3 * columns * kb), r = ad_solve(p, q);
      assert_int_equal(ad_backward_from(r, seed + 3 * columns * k), AD_OK);
      for (size_t i = 0; i < 3 * columns; i++) close_to("solve", "value", 0, i, value[3 * columns * k + i], ((const double *)ad_data(r))[i], 1e-14);
      for (size_t i = 0; i < 9; i++) ga[9 * ka + i] += ((const double *)ad_grad_data(p))[i];
      for (size_t i = 0; i < 3 * columns; i++) gb[3 * columns * kb + i] += ((const double *)ad_grad_data(q))[i];
    }
    assert_int_equal(ad_backward_from(y, seed), AD_OK);
    for (size_t i = 0; i < ad_size(x); i++) close_to("solve", "gradient", 0, i, ((const double *)ad_grad_data(x))[i], ga[i], 1e-12);
    for (size_t i = 0; i < ad_size(z); i++) close_to("solve", "gradient", 1, i, ((const double *)ad_grad_data(z))[i], gb[i], 1e-12);
  }
  ad_tape_destroy(t);
}

/* empty tensors, rank 0, what special values reductions give */
static void test_edges(void **ignored) {
  (void)ignored;
  ad_tape *t = ad_tape_create(NULL);
  const size_t s03[] = { 0, 3 }, s30[] = { 3, 0 }, s5[] = { 5 }, s1[] = { 1 };
  const double some[] = { 1, NAN, 3, NAN, 2 }, ties[] = { 2, 1, 2, 0, 2 }, none[] = { 0, 0, 0, 0, 0 }, low[] = { -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY };
  const double high[] = { INFINITY, 1, INFINITY, 0, 2 }, zero_one[] = { 2, 0, 3, 5, 1 };
  ad_var e = ad_tensor_variable(t, AD_F64, 2, s03, NULL), f = ad_tensor_variable(t, AD_F64, 2, s30, NULL);
  assert_true(ad_value(ad_sum(e, AD_ALL, false)) == 0);
  assert_true(ad_value(ad_prod(e, AD_ALL, false)) == 1);
  assert_true(isnan(ad_value(ad_mean(e, AD_ALL, false))));
  assert_true(ad_value(ad_logsumexp(e, AD_ALL, false)) == -INFINITY);
  ad_var y = ad_matmul(f, e);                                 /* (3, 0) (0, 3): zeros */
  assert_int_equal(ad_size(y), 9);
  for (int i = 0; i < 9; i++) assert_true(((const double *)ad_data(y))[i] == 0);
  assert_int_equal(ad_backward(ad_sum(y, AD_ALL, false)), AD_OK);
  assert_non_null(ad_grad_data(e));
  assert_int_equal(ad_size(ad_sum(e, 0, false)), 3);
  assert_int_equal(ad_size(ad_concat(&e, 1, 0)), 0);
  assert_int_equal(ad_tape_status(t), AD_OK);

  struct { const double *x; ad_var (*f)(ad_var, int, bool); double value, g[5]; } of[] = {
    { some, ad_reduce_max, NAN, { 0, 1, 0, 0, 0 } },
    { ties, ad_reduce_max, 2, { 1. / 3, 0, 1. / 3, 0, 1. / 3 } },
    { ties, ad_reduce_min, 0, { 0, 0, 0, 1, 0 } },
    { none, ad_norm, 0, { 0, 0, 0, 0, 0 } },
    { low, ad_logsumexp, -INFINITY, { 0, 0, 0, 0, 0 } },
    { high, ad_logsumexp, INFINITY, { 0.5, 0, 0.5, 0, 0 } },
    { zero_one, ad_prod, 0, { 0, 30, 0, 0, 0 } },
  };
  for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
    ad_tape_reset(t);
    const ad_var x = ad_tensor_variable(t, AD_F64, 1, s5, of[k].x);
    y = of[k].f(x, AD_ALL, false);
    assert_true(isnan(of[k].value) ? isnan(ad_value(y)) : ad_value(y) == of[k].value);
    assert_int_equal(ad_backward(y), AD_OK);
    for (int i = 0; i < 5; i++)
      if (!(((const double *)ad_grad_data(x))[i] == of[k].g[i])) fail_msg("edge %zu element %d: %g", k, i, ((const double *)ad_grad_data(x))[i]);
  }
  /* what is masked leaves no trace: the gradient of where(x > 0, sqrt(x), 0), also through a matrix product */
  ad_tape_reset(t);
  const ad_var x = ad_tensor_variable(t, AD_F64, 1, s5, none), root = ad_sqrt(x);
  y = ad_sum(ad_where(ad_less(0, x), root, 0), AD_ALL, false);
  assert_int_equal(ad_backward(y), AD_OK);
  for (int i = 0; i < 5; i++) assert_true(((const double *)ad_grad_data(x))[i] == 0);
  /* rank 0 of both types; a scalar with float tensors; an unused variable has gradient 0 */
  ad_tape_reset(t);
  const float three = 3;
  const ad_var r = ad_tensor_variable(t, AD_F32, 0, NULL, &three), s = ad_variable(t, 2), unused = ad_tensor_variable(t, AD_F32, 1, s1, &three);
  y = ad_mul(ad_mul(r, s), r);
  assert_int_equal(ad_type(y), AD_F32);
  assert_int_equal(ad_rank(y), 0);
  assert_true(ad_value(y) == 18);
  assert_int_equal(ad_backward(y), AD_OK);
  assert_true(ad_grad(r) == 12 && ad_grad(s) == 9 && *(const float *)ad_grad_data(unused) == 0);
  ad_tape_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_gradients), cmocka_unit_test(test_second_derivatives), cmocka_unit_test(test_rows),
                                      cmocka_unit_test(test_broadcasting), cmocka_unit_test(test_copies_and_rewinds), cmocka_unit_test(test_updates_in_place), cmocka_unit_test(test_solve_broadcasts), cmocka_unit_test(test_errors), cmocka_unit_test(test_edges) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
