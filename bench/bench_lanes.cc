// Every row of the operator table, SIMD against the scalar backend, on arrays that lie in the first-level cache.
#include <benchmark/benchmark.h>
#include <string>
#include <vector>
#include "bench.h"

#define DECLARE(variant) extern "C" const bench_kernel lanes_##variant[];
BENCH_VARIANTS(DECLARE)

static const size_t count = 512;

// four arrays on lines of the cache, not at distances that make a store look like a later load
struct alignas(64) arrays {
  unsigned char at[4][count * sizeof(double) + 320];
};

static void fill(void *p, int size, double lo, double hi) {
  for (size_t i = 0; i < count; i++) {
    double x = lo + (hi - lo) * (double)((i * 197) % count + 1) / (double)(count + 1);
    if (size == 4) static_cast<float *>(p)[i] = (float)x;
    else static_cast<double *>(p)[i] = x;
  }
}

static void run(benchmark::State &state, const bench_kernel *k) {
  static arrays a;
  for (int i = 0; i < 3; i++) {
    int j = k->hi[i] > k->lo[i] ? i : 0; // a partial has an operand more than its row
    fill(a.at[i], k->size, k->lo[j], k->hi[j]);
  }
  for (auto _ : state) {
    k->run(count, a.at[0], a.at[1], a.at[2], a.at[3]);
    benchmark::ClobberMemory();
  }
  state.counters["bytes"] =
      benchmark::Counter((double)(count * (size_t)(k->size * (k->arity + 1))), benchmark::Counter::kIsIterationInvariantRate);
}

int main(int argc, char **argv) {
#define REGISTER(variant)                                                                                                                  \
  for (const bench_kernel *k = lanes_##variant; k->name; k++)                                                                              \
    benchmark::RegisterBenchmark((std::string(k->name).substr(3) + "/" #variant).c_str(), run, k);
  BENCH_VARIANTS(REGISTER)
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
