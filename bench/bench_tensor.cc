// Tensors beside the same work written by hand with the same kernels: a training step of two networks, what an operation costs
// beyond its kernel, the mixture gradient beside the plain objective.
#define AD_IMPLEMENTATION
#include "ad.h"
#include <benchmark/benchmark.h>
#include <vector>

struct Net {
  size_t batch, layers, width[5];
};
static const Net small = { 100, 2, { 784, 50, 10, 0, 0 } }, large = { 128, 3, { 784, 512, 512, 10, 0 } };

static std::vector<float> noise(size_t n, double scale) {
  std::vector<float> x(n);
  ad_f32_random_normal(n, 1, 0, n, x.data());
  for (float &v : x) v = (float)(scale * (double)v);
  return x;
}
static std::vector<int32_t> labels(size_t n) {
  std::vector<int32_t> l(n);
  for (size_t i = 0; i < n; i++) l[i] = (int32_t)(i * 7 % 10);
  return l;
}

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
static void on_tape(benchmark::State &state, const Net &net) {
  const size_t b = net.batch, n = net.layers, size[2] = { b, net.width[0] };
  const std::vector<float> x = noise(b * net.width[0], 1);
  const std::vector<int32_t> label = labels(b);
  ad_tape *t = ad_tape_create(nullptr);
  std::vector<ad_var> p;
  for (size_t l = 0; l < n; l++) {
    p.push_back(ad_tensor_normal(t, AD_F32, 2, &net.width[l], 0.01, l));
    p.push_back(ad_tensor_variable(t, AD_F32, 1, &net.width[l + 1], nullptr));
  }
  const ad_mark mark = ad_tape_mark(t);
  for (auto _ : state) {
    ad_var y = ad_tensor_borrow(t, AD_F32, 2, size, x.data());
    for (size_t l = 0; l < n; l++) y = l + 1 < n ? ad_relu(ad_linear(y, p[2 * l], p[2 * l + 1])) : ad_linear(y, p[2 * l], p[2 * l + 1]);
    y = ad_cross_entropy(y, ad_tensor_borrow(t, AD_I32, 1, &b, label.data()));
    if (ad_backward(y) != AD_OK || ad_sgd(p.data(), p.size(), nullptr, 0.1, 0, 0) != AD_OK) state.SkipWithError(ad_tape_message(t));
    ad_tape_rewind(t, mark);
  }
  ad_tape_destroy(t);
}
BENCHMARK_CAPTURE(by_hand, small, small)->Name("step_784_50_10/by_hand");
BENCHMARK_CAPTURE(on_tape, small, small)->Name("step_784_50_10/tape");
BENCHMARK_CAPTURE(by_hand, large, large)->Name("step_784_512_512_10/by_hand");
BENCHMARK_CAPTURE(on_tape, large, large)->Name("step_784_512_512_10/tape");

// y = exp(x) over n floats, 100 operations a round: the kernel alone, and recorded
static void kernel(benchmark::State &state) {
  const size_t n = (size_t)state.range(0);
  const std::vector<float> x = noise(n, 1);
  std::vector<float> y(n);
  const float *in[1] = { x.data() };
  for (auto _ : state)
    for (int i = 0; i < 100; i++) ad_f32_kernels[AD_OP_exp].value(n, in, y.data()), benchmark::ClobberMemory();
}
static void recorded(benchmark::State &state) {
  const size_t n = (size_t)state.range(0);
  const std::vector<float> data = noise(n, 1);
  ad_tape *t = ad_tape_create(nullptr);
  const ad_var x = ad_tensor_variable(t, AD_F32, 1, &n, data.data());
  const ad_mark mark = ad_tape_mark(t);
  for (auto _ : state) {
    for (int i = 0; i < 100; i++) benchmark::DoNotOptimize(ad_exp(x));
    ad_tape_rewind(t, mark);
  }
  ad_tape_destroy(t);
}
BENCHMARK(kernel)->Name("100_exp/kernel")->Arg(16)->Arg(1024);
BENCHMARK(recorded)->Name("100_exp/recorded")->Arg(16)->Arg(1024);

BENCHMARK_MAIN();
