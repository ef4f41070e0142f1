// Convolution 3 x 3 and others, forward and backward, SIMD against the scalar backend.
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <string>
#include "ad_simd.h"
#include "kernels_conv.h"

#define DECLARE(variant) extern "C" const conv_kernels conv_##variant;
BENCH_VARIANTS(DECLARE)

static const struct {
  const char *name;
  ad_conv p;
} shapes[] = {
    {"32x16x28x28 to 32, 3x3", {32, 16, 28, 28, 32, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1}},
    {"32x1x28x28 to 20, 5x5", {32, 1, 28, 28, 20, {5, 5}, {1, 1}, {0, 0}, {1, 1}, 1}},
    {"8x64x28x28 to 64, 3x3 stride 2", {8, 64, 28, 28, 64, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 1}},
    {"8x64x28x28 to 128, 1x1", {8, 64, 28, 28, 128, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 1}},
};
static const char *const parts[] = {"forward", "backward", "forward + backward"};

static float *numbers(size_t n) {
  float *p = static_cast<float *>(aligned_alloc(64, (n * sizeof(float) + 127) / 64 * 64));
  for (size_t i = 0; i < n; i++) p[i] = (float)(i * 7 % 17) / 8 - 1;
  return p;
}

static void run(benchmark::State &state, int which, const ad_conv *p, const conv_kernels *k) {
  size_t h, w;
  if (!ad_conv_shape(p, &h, &w)) return;
  const size_t nx = p->batch * p->channels * p->height * p->width, nw = p->filters * p->channels / p->groups * p->kernel[0] * p->kernel[1];
  const size_t ny = p->batch * p->filters * h * w;
  float *x = numbers(nx), *f = numbers(nw), *y = numbers(ny), *gx = numbers(nx), *gw = numbers(nw);
  void *work = aligned_alloc(64, (k->work(p) + 63) / 64 * 64);
  for (auto _ : state) {
    k->run(which, p, x, f, y, gx, gw, work);
    benchmark::ClobberMemory();
  }
  const double flops = 2.0 * (double)ny * (double)(nw / p->filters) * (which == CONV_FORWARD ? 1 : which == CONV_BACKWARD ? 2 : 3);
  state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
  free(x), free(f), free(y), free(gx), free(gw), free(work);
}

int main(int argc, char **argv) {
  for (auto &shape : shapes)
    for (int which = 0; which < 3; which++) {
#define ROW(variant) benchmark::RegisterBenchmark((std::string(shape.name) + " " + parts[which] + "/" #variant).c_str(), run, which, &shape.p, &conv_##variant);
      BENCH_VARIANTS(ROW)
    }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
