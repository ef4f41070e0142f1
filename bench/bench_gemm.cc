// Matrix products, SIMD against the scalar backend, beside the limit of the processor: multiply-adds on registers.
#include <benchmark/benchmark.h>
#include <string>
#include "gemm_bench.h"

#define DECLARE(variant) extern "C" const gemm_kernels gemm_##variant;
BENCH_VARIANTS(DECLARE)

static void peak(benchmark::State &state, int size, const gemm_kernels *k) {
  const size_t steps = 10000;
  for (auto _ : state) benchmark::DoNotOptimize(k->peak(size, steps));
  state.counters["flops"] = benchmark::Counter((double)steps * 24 * (size == 4 ? k->lanes_f32 : k->lanes_f64), benchmark::Counter::kIsIterationInvariantRate);
}

int main(int argc, char **argv) {
  for (int size = 4; size <= 8; size += 4) {
#define PEAK(variant) benchmark::RegisterBenchmark((type_name(size) + "/fma in registers/" #variant).c_str(), peak, size, &gemm_##variant);
    BENCH_VARIANTS(PEAK)
  }
  for (int size = 4; size <= 8; size += 4)
    for (const gemm_shape &shape : shapes) {
#define ROW(variant) add(shape, size, #variant, gemm_##variant.work(size, &shape), gemm_##variant.run);
      BENCH_VARIANTS(ROW)
    }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
