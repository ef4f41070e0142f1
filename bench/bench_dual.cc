// Derivatives by duals against the plain C function, per backend: the Jacobian of bundle adjustment, the gradient of Rosenbrock's
// function, a Hessian, a mix of sin, cos and exp. CC=clang measures the same compiled by clang.
#include <benchmark/benchmark.h>
#include "bench_dual.h"

#define DECLARE(variant) extern "C" const bench_dual dual_##variant[];
BENCH_VARIANTS(DECLARE)

static void run(benchmark::State &state, const bench_dual *b) {
  size_t i = 0;
  b->fill();
  for (auto _ : state) {
    b->run(i++);
    benchmark::ClobberMemory();
  }
}

int main(int argc, char **argv) {
#define REGISTER(variant)                                                                                                                  \
  for (const bench_dual *b = dual_##variant; b->name; b++) benchmark::RegisterBenchmark(b->name, run, b);
  BENCH_VARIANTS(REGISTER)
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
