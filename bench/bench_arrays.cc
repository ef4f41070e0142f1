// Array kernels of every variant over sizes from the first-level cache to memory. The counter limit_percent sets the traffic of a
// kernel against what this machine reads (or copies) at that size with the widest variant, measured first.
#include <benchmark/benchmark.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>
#include "arrays.h"
#include "bench.h"

#define DECLARE(variant) extern "C" const array_kernel arrays_##variant[];
BENCH_VARIANTS(DECLARE)

static const size_t sizes[] = {1000, 10000, 98304, 1000000, 10000000};
static unsigned char *at[4];

static void prepare(size_t bytes) {
  static size_t have = 0;
  if (have < bytes) {
    for (int k = 0; k < 4; k++) {
      free(at[k]);
      // places lie apart by other than multiples of 4096, at which a store looks like a later load
      at[k] = static_cast<unsigned char *>(aligned_alloc(64, (bytes + 4096 * 8) / 64 * 64));
    }
    have = bytes;
  }
}
static void *place(int k) { return at[k] + 1088 * k; }

static void fill(size_t n, size_t element) {
  for (int k = 0; k < 4; k++)
    for (size_t i = 0; i < n; i++) {
      double x = k == 1 ? 0.1 + (double)(i % 97) / 100 : (double)((i * 7 + (size_t)k) % 101) / 25 - 2;
      if (element == 4) static_cast<float *>(place(k))[i] = (float)x;
      else static_cast<double *>(place(k))[i] = x;
    }
}

// bytes a second: reading (0), copying (1)
static double limit(int which, size_t bytes) {
  const array_kernel *k = nullptr;
#define LAST(variant) k = arrays_##variant + which;
  BENCH_VARIANTS(LAST)
  double best = 1e9;
  size_t n = bytes / 4, calls = std::max<size_t>(1, 200000 / n);
  for (int round = 0; round < 40; round++) {
    auto start = std::chrono::steady_clock::now();
    for (size_t i = 0; i < calls; i++) {
      k->run(n, place(0), place(1), place(2), place(3));
      benchmark::ClobberMemory();
    }
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / (double)calls);
  }
  return (double)(n * 4 * k->traffic) / best;
}

static void run(benchmark::State &state, const array_kernel *k, size_t size) {
  size_t n = size / k->row * k->row, bytes = n * k->element * k->traffic;
  if (n == 0) n = k->row;
  prepare(std::max<size_t>(n * k->element, 1 << 16));
  fill(n, k->element);
  for (auto _ : state) {
    k->run(n, place(0), place(1), place(2), place(3));
    benchmark::ClobberMemory();
  }
  state.counters["bytes"] = benchmark::Counter((double)bytes, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["elements"] = benchmark::Counter((double)n, benchmark::Counter::kIsIterationInvariantRate);
  if (k->limit >= 0)
    state.counters["limit_percent"] = benchmark::Counter(100 * (double)bytes / limit(k->limit, n * k->element), benchmark::Counter::kIsIterationInvariantRate);
}

int main(int argc, char **argv) {
  for (size_t size : sizes) {
#define REGISTER(variant)                                                                                                                  \
  for (const array_kernel *k = arrays_##variant; k->name; k++)                                                                             \
    benchmark::RegisterBenchmark((std::string(k->name) + "/" + std::to_string(size) + "/" #variant).c_str(), run, k, size);
    BENCH_VARIANTS(REGISTER)
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
