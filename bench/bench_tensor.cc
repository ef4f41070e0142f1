// Tensors beside the same work written by hand with the same kernels: a training step of two networks, what an operation costs
// beyond its kernel; a step of the convolutional network of the examples; the gradient of ADBench's mixture, with tensors and with
// scalars, beside the plain objective.
#define AD_IMPLEMENTATION
#include "ad.h"
#include "net.h"
#include "tests/mixture.h"
#include <benchmark/benchmark.h>
#include <cmath>
#include <vector>

// one step of SGD as a C programmer would write it over gemm: no tape, buffers made before
static void by_hand(benchmark::State &state, const Net &net) {
  const size_t b = net.batch, n = net.layers;
  std::vector<std::vector<float>> w(n), bias(n), a(n + 1), g(n + 1), gw(n), gb(n);
  std::vector<float> loss(b);
  const std::vector<int32_t> label = labels(b);
  size_t work_bytes = 0;
  for (size_t l = 0; l <= n; l++) a[l] = noise(b * net.width[l], 1), g[l].resize(b * net.width[l]);
  for (size_t l = 0; l < n; l++) {
    const size_t in = net.width[l], out = net.width[l + 1];
    w[l] = noise(in * out, 0.01), gw[l].resize(in * out), bias[l].resize(out), gb[l].resize(out);
    const size_t need[3] = { ad_f32_gemm_work(false, false, b, out, in), ad_f32_gemm_work(true, false, in, out, b), ad_f32_gemm_work(false, true, b, in, out) };
    for (size_t k : need) work_bytes = k > work_bytes ? k : work_bytes;
  }
  std::vector<char> work(work_bytes + 64);
  for (auto _ : state) {
    for (size_t l = 0; l < n; l++) {
      const ad_f32_finish f = { nullptr, bias[l].data(), l + 1 < n };
      ad_f32_gemm_finish(false, false, b, net.width[l + 1], net.width[l], 1, a[l].data(), net.width[l], w[l].data(), net.width[l + 1], 0, a[l + 1].data(),
                         net.width[l + 1], &f, work.data());
    }
    ad_f32_rows_cross_entropy(b, net.width[n], a[n].data(), label.data(), 1 / (float)b, loss.data(), g[n].data());
    for (size_t l = n; l-- > 0;) {
      const size_t in = net.width[l], out = net.width[l + 1];
      ad_f32_gemm(true, false, in, out, b, 1, a[l].data(), in, g[l + 1].data(), out, 0, gw[l].data(), out, work.data());
      ad_f32_columns_sum(b, out, out, g[l + 1].data(), gb[l].data(), false);
      if (l) {
        ad_f32_gemm(false, true, b, in, out, 1, g[l + 1].data(), out, w[l].data(), out, 0, g[l].data(), in, work.data());
        const float *x[1] = { a[l].data() };
        ad_f32_kernels[AD_OP_relu].partial[0](b * in, x, nullptr, g[l].data(), g[l].data(), false);
      }
      ad_f32_sgd(in * out, w[l].data(), gw[l].data(), nullptr, 0.1, 0, 0);
      ad_f32_sgd(out, bias[l].data(), gb[l].data(), nullptr, 0.1, 0, 0);
    }
    benchmark::DoNotOptimize(loss[0]);
  }
}
// the same step as one call
static void as_function(benchmark::State &state, const Net &net) {
  const size_t b = net.batch, n = net.layers, size[2] = { b, net.width[0] };
  const std::vector<float> x = noise(b * net.width[0], 1);
  const std::vector<int32_t> label = labels(b);
  ad_tape *t = ad_tape_create(nullptr);
  std::vector<ad_var> in(2 + 2 * n);
  std::vector<std::vector<float>> p(2 * n);
  std::vector<const void *> at(2 + 2 * n);
  std::vector<void *> theta(2 + 2 * n);
  in[0] = ad_tensor_borrow(t, AD_F32, 2, size, x.data());
  in[1] = ad_tensor_borrow(t, AD_I32, 1, &b, label.data());
  at[0] = x.data(), at[1] = label.data();
  for (size_t l = 0; l < n; l++) {
    p[2 * l] = noise(net.width[l] * net.width[l + 1], 0.01), p[2 * l + 1].resize(net.width[l + 1]);
    in[2 + 2 * l] = ad_tensor_variable(t, AD_F32, 2, &net.width[l], p[2 * l].data());
    in[3 + 2 * l] = ad_tensor_variable(t, AD_F32, 1, &net.width[l + 1], p[2 * l + 1].data());
    at[2 + 2 * l] = theta[2 + 2 * l] = p[2 * l].data(), at[3 + 2 * l] = theta[3 + 2 * l] = p[2 * l + 1].data();
  }
  ad_var y = in[0];
  for (size_t l = 0; l < n; l++) y = l + 1 < n ? ad_relu(ad_linear(y, in[2 + 2 * l], in[3 + 2 * l])) : ad_linear(y, in[2 + 2 * l], in[3 + 2 * l]);
  y = ad_cross_entropy(y, in[1]);
  ad_function *f = ad_function_create(in.data(), in.size(), &y, 1);
  ad_tape_destroy(t);
  float loss;
  void *to[1] = { &loss };
  ad_function_step_arguments step = {};
  step.x = at.data(), step.y = to, step.theta = theta.data(), step.rate = 0.1;
  for (auto _ : state)
    if (ad_function_step(f, &step) != AD_OK) state.SkipWithError("ad_function_step");
  ad_function_destroy(f);
}
BENCHMARK_CAPTURE(by_hand, small, small_net)->Name("step_784_50_10/by_hand");
BENCHMARK_CAPTURE(on_tape, small, small_net)->Name("step_784_50_10/tape");
BENCHMARK_CAPTURE(as_function, small, small_net)->Name("step_784_50_10/function");
BENCHMARK_CAPTURE(by_hand, large, large_net)->Name("step_784_512_512_10/by_hand");
BENCHMARK_CAPTURE(on_tape, large, large_net)->Name("step_784_512_512_10/tape");
BENCHMARK_CAPTURE(as_function, large, large_net)->Name("step_784_512_512_10/function");

BENCHMARK_CAPTURE(conv_on_tape, float, AD_F32)->Name("conv_step_100/tape_f32");
BENCHMARK_CAPTURE(conv_on_tape, double, AD_F64)->Name("conv_step_100/tape_f64");

// an operation on n floats (or matrices of n), 100 of them a round: the kernel alone, and recorded
enum Operation { EXP, ADD, SUM, MATMUL };
static void kernel(benchmark::State &state, Operation op, size_t n) {
  const std::vector<float> x = noise(n * n, 1), z = noise(n * n, 2);
  std::vector<float> y(n * n);
  std::vector<char> work(ad_f32_gemm_work(false, false, n, n, n) + 64);
  const float *in[2] = { x.data(), z.data() };
  for (auto _ : state)
    for (int i = 0; i < 100; i++) {
      if (op == EXP) ad_f32_kernels[AD_OP_exp].value(n, in, y.data());
      if (op == ADD) ad_f32_kernels[AD_OP_add].value(n, in, y.data());
      if (op == SUM) ad_f32_reduce(AD_REDUCE_SUM, 1, n, 1, x.data(), y.data(), false);
      if (op == MATMUL) ad_f32_gemm(false, false, n, n, n, 1, x.data(), n, z.data(), n, 0, y.data(), n, work.data());
      benchmark::ClobberMemory();
    }
}
static void recorded(benchmark::State &state, Operation op, size_t n) {
  const std::vector<float> data = noise(n * n, 1), other = noise(n * n, 2);
  const size_t shape[2] = { n, n };
  ad_tape *t = ad_tape_create(nullptr);
  const int rank = op == MATMUL ? 2 : 1;
  const ad_var x = ad_tensor_variable(t, AD_F32, rank, shape, data.data()), z = ad_tensor_variable(t, AD_F32, rank, shape, other.data());
  const ad_mark mark = ad_tape_mark(t);
  for (auto _ : state) {
    for (int i = 0; i < 100; i++)
      benchmark::DoNotOptimize(op == EXP ? ad_exp(x) : op == ADD ? ad_add(x, z) : op == SUM ? ad_sum(x, AD_ALL, false) : ad_matmul(x, z));
    ad_tape_rewind(t, mark);
  }
  ad_tape_destroy(t);
}
#define OVERHEAD(name, op, n)                                                                                                              \
  BENCHMARK_CAPTURE(kernel, name, op, n)->Name("100_" #name "_" #n "/kernel");                                                             \
  BENCHMARK_CAPTURE(recorded, name, op, n)->Name("100_" #name "_" #n "/recorded");
OVERHEAD(exp, EXP, 16) OVERHEAD(exp, EXP, 1024) OVERHEAD(add, ADD, 16) OVERHEAD(sum, SUM, 16) OVERHEAD(matmul, MATMUL, 8) OVERHEAD(matmul, MATMUL, 64)

// the mixture as ADBench has it in C; T: double, or ad_var with double weights for its constants
static double value_of(double x) { return x; }
static double value_of(ad_var x) { return ad_value(x); }
template <class T> static T logsumexp(const std::vector<T> &x) {
  double most = value_of(x[0]);
  for (const T &v : x) most = value_of(v) > most ? value_of(v) : most;
  T sum = ad_exp(x[0] - most);
  for (size_t i = 1; i < x.size(); i++) sum = sum + ad_exp(x[i] - most);
  return ad_log(sum) + most;
}
template <class T> static T plain_mixture(size_t d, size_t k, size_t n, const double *points, double gamma, double m, const T *alphas, const T *means, const T *icf) {
  const size_t columns = d * (d + 1) / 2;
  std::vector<T> main(k), centered(d), q(k * d), sums(k);
  T result = 0 * alphas[0], squares = result, sum_q = result;
  for (size_t j = 0; j < k; j++) {
    sums[j] = icf[j * columns];
    for (size_t i = 0; i < d; i++) q[j * d + i] = ad_exp(icf[j * columns + i]), sums[j] = i ? sums[j] + icf[j * columns + i] : sums[j];
    for (size_t i = 0; i < d; i++) squares = squares + q[j * d + i] * q[j * d + i];
    for (size_t i = d; i < columns; i++) squares = squares + icf[j * columns + i] * icf[j * columns + i];
    sum_q = sum_q + sums[j];
  }
  for (size_t p = 0; p < n; p++) {
    for (size_t j = 0; j < k; j++) {
      const T *l = icf + j * columns + d;
      T inner = result;
      for (size_t i = 0; i < d; i++) centered[i] = points[p * d + i] - means[j * d + i];
      for (size_t r = 0; r < d; r++) {
        T y = q[j * d + r] * centered[r];
        for (size_t c = 0; c < r; c++) y = y + l[c * d - c * (c + 1) / 2 + (r - c - 1)] * centered[c];
        inner = r ? inner + y * y : y * y;
      }
      main[j] = alphas[j] + sums[j] - 0.5 * inner;
    }
    result = p ? result + logsumexp(main) : logsumexp(main);
  }
  return result - (double)n * logsumexp(std::vector<T>(alphas, alphas + k)) + 0.5 * gamma * gamma * squares - m * sum_q;
}
struct Mixture {
  size_t d, k, n;
  std::vector<double> alphas, means, icf, points;
  Mixture(size_t dd, size_t kk, size_t nn) : d(dd), k(kk), n(nn), alphas(fill(k)), means(fill(k * d)), icf(fill(k * d * (d + 1) / 2)), points(fill(n * d)) {}
  static std::vector<double> fill(size_t n) {
    std::vector<double> x(n);
    ad_f64_random_normal(n, 1, 0, n, x.data());
    return x;
  }
};
static void mixture_plain(benchmark::State &state, size_t d, size_t k, size_t n) {
  const Mixture x(d, k, n);
  for (auto _ : state) benchmark::DoNotOptimize(plain_mixture<double>(d, k, n, x.points.data(), 1, 0, x.alphas.data(), x.means.data(), x.icf.data()));
}
static void mixture_scalars(benchmark::State &state, size_t d, size_t k, size_t n) {
  const Mixture x(d, k, n);
  ad_tape *t = ad_tape_create(nullptr);
  std::vector<ad_var> a(k), m(k * d), icf(x.icf.size());
  for (auto _ : state) {
    ad_tape_reset(t);
    for (size_t i = 0; i < a.size(); i++) a[i] = ad_variable(t, x.alphas[i]);
    for (size_t i = 0; i < m.size(); i++) m[i] = ad_variable(t, x.means[i]);
    for (size_t i = 0; i < icf.size(); i++) icf[i] = ad_variable(t, x.icf[i]);
    if (ad_backward(plain_mixture<ad_var>(d, k, n, x.points.data(), 1, 0, a.data(), m.data(), icf.data())) != AD_OK) state.SkipWithError(ad_tape_message(t));
    benchmark::DoNotOptimize(ad_grad(icf[0]));
  }
  ad_tape_destroy(t);
}
static void mixture_tensors(benchmark::State &state, size_t d, size_t k, size_t n) {
  const Mixture x(d, k, n);
  const size_t shapes[3][2] = { { k, 0 }, { k, d }, { k, d * (d + 1) / 2 } };
  const double *data[3] = { x.alphas.data(), x.means.data(), x.icf.data() };
  ad_tape *t = ad_tape_create(nullptr);
  for (auto _ : state) {
    ad_var in[3];
    ad_tape_reset(t);
    for (int i = 0; i < 3; i++) in[i] = ad_tensor_variable(t, AD_F64, i ? 2 : 1, shapes[i], data[i]);
    if (ad_backward(mixture(t, d, k, n, x.points.data(), 1, 0, in)) != AD_OK) state.SkipWithError(ad_tape_message(t));
    benchmark::DoNotOptimize(ad_grad_data(in[2]));
  }
  ad_tape_destroy(t);
}
static void mixture_function(benchmark::State &state, size_t d, size_t k, size_t n) {
  const Mixture x(d, k, n);
  const size_t shapes[3][2] = { { k, 0 }, { k, d }, { k, d * (d + 1) / 2 } };
  const double *data[3] = { x.alphas.data(), x.means.data(), x.icf.data() }, one = 1;
  ad_tape *t = ad_tape_create(nullptr);
  ad_var in[3];
  for (int i = 0; i < 3; i++) in[i] = ad_tensor_variable(t, AD_F64, i ? 2 : 1, shapes[i], data[i]);
  ad_var y = mixture(t, d, k, n, x.points.data(), 1, 0, in);
  ad_function *f = ad_function_create(in, 3, &y, 1);
  ad_tape_destroy(t);
  std::vector<double> g[3] = { x.alphas, x.means, x.icf };
  double value;
  const void *from[3] = { data[0], data[1], data[2] }, *w[1] = { &one };
  void *to[1] = { &value }, *gx[3] = { g[0].data(), g[1].data(), g[2].data() };
  for (auto _ : state) {
    if (ad_function_run_vjp(f, from, w, to, gx) != AD_OK) state.SkipWithError("ad_function_run_vjp");
    benchmark::DoNotOptimize(g[2][0]);
  }
  ad_function_destroy(f);
}
BENCHMARK_CAPTURE(mixture_plain, d10, 10, 5, 1000)->Name("gmm_d10_K5_n1000/objective");
BENCHMARK_CAPTURE(mixture_tensors, d10, 10, 5, 1000)->Name("gmm_d10_K5_n1000/tensors");
BENCHMARK_CAPTURE(mixture_scalars, d10, 10, 5, 1000)->Name("gmm_d10_K5_n1000/scalars");
BENCHMARK_CAPTURE(mixture_plain, d10K25, 10, 25, 1000)->Name("gmm_d10_K25_n1000/objective");
BENCHMARK_CAPTURE(mixture_tensors, d10K25, 10, 25, 1000)->Name("gmm_d10_K25_n1000/tensors");
BENCHMARK_CAPTURE(mixture_function, d10K25, 10, 25, 1000)->Name("gmm_d10_K25_n1000/function");
BENCHMARK_CAPTURE(mixture_plain, d32, 32, 25, 1000)->Name("gmm_d32_K25_n1000/objective");
BENCHMARK_CAPTURE(mixture_tensors, d32, 32, 25, 1000)->Name("gmm_d32_K25_n1000/tensors");
BENCHMARK_CAPTURE(mixture_function, d32, 32, 25, 1000)->Name("gmm_d32_K25_n1000/function");

BENCHMARK_MAIN();
