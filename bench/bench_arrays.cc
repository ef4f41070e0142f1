// Every kernel of ad_simd.h over arrays, matrices and images, and every row of the operator table: SIMD against the scalar backend, from
// the first-level cache to memory. The counter limit_percent sets a kernel against what this machine can do, measured here with the widest
// variant: reading or copying as many bytes, or multiply-adds on registers. In memory a kernel that reads what it writes may exceed
// 100 %: the copy pays for reading the lines that it overwrites.
#include <benchmark/benchmark.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>
#include "arrays.h"

#define DECLARE(variant) extern "C" const array_variant arrays_##variant;
BENCH_VARIANTS(DECLARE)
#define LAST(variant) widest = &arrays_##variant;
static const array_variant *widest;

static const std::vector<size_t> sizes[] = {
    {4000, 128000, 4000000, 64000000}, {32, 64, 128, 256, 512, 1024}, {1, 32}, {32, 128, 512}}; // OF_ARRAYS, OF_SQUARES, OF_IMAGES, OF_FACTORS
static const size_t largest = 64000000;

// x, y, z, r of float or of double. They start apart by other than multiples of 4096, at which a store looks like a later load.
struct arrays {
  unsigned char *at[4];
  explicit arrays(size_t element) {
    for (size_t k = 0; k < 4; k++) {
      const size_t bytes = (k == 3 ? 3 * (largest + 4096) : k == 2 ? largest / element * 4 : largest) + 65536;
      at[k] = static_cast<unsigned char *>(aligned_alloc(64, bytes / 64 * 64)) + 1088 * k;
      if (k < 2)
        for (size_t i = 0; i < largest / element; i++) put(k, element, i, k == 1 ? 0.1 + (double)(i % 97) / 100 : (double)((i * 7) % 101) / 25 - 2);
      else memset(at[k], 0, bytes - 8192);
    }
  }
  void put(size_t k, size_t element, size_t i, double x) const {
    if (element == 4) reinterpret_cast<float *>(at[k])[i] = (float)x;
    else reinterpret_cast<double *>(at[k])[i] = x;
  }
};
static const arrays &arrays_of(size_t element) {
  static const arrays f32(4), f64(8);
  return element == 4 ? f32 : f64;
}

template <class F> static double seconds(size_t calls, int rounds, F f) {
  double best = 1e9;
  for (int round = 0; round < rounds; round++) {
    const auto start = std::chrono::steady_clock::now();
    for (size_t i = 0; i < calls; i++) {
      f();
      benchmark::ClobberMemory();
    }
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / (double)calls);
  }
  return best;
}
// bytes or operations a second at best, with arrays of so many bytes
static double limit(int which, size_t element, size_t bytes) {
  static std::map<std::vector<size_t>, double> known;
  double &rate = known[{(size_t)which, which == LIMIT_FMA ? element : 4, which == LIMIT_FMA ? 0 : bytes}];
  if (rate > 0) return rate;
  if (which == LIMIT_FMA) {
    const size_t steps = 20000;
    return rate = 24.0 * (double)steps * widest->lanes[element == 8] / seconds(1, 200, [&] { benchmark::DoNotOptimize(widest->peak(element, steps)); });
  }
  const array_kernel &k = widest->kernels[which];
  const arrays &a = arrays_of(4);
  return rate = k.cost * (double)bytes / seconds(std::max<size_t>(1, 1000000 / bytes), bytes > 1000000 ? 10 : 40, [&] { k.run(bytes / 4, a.at[0], a.at[1], a.at[2], a.at[3]); });
}

static void run(benchmark::State &state, const array_kernel *k, size_t size) {
  const arrays &a = arrays_of(k->element);
  size_t n = size;
  if (k->size == OF_ARRAYS) {
    n = std::max(size / k->element / k->row, (size_t)1) * k->row;
    memset(a.at[3], 0, 3 * (n * k->element + 2176));
  }
  for (size_t i = 0; k->index && i < n / k->index; i++) reinterpret_cast<int32_t *>(a.at[2])[i] = (int32_t)((i * 2654435761u) % (n / k->index));
  k->run(n, a.at[0], a.at[1], a.at[2], a.at[3]); // what is left of others in the caches is written back
  for (auto _ : state) {
    k->run(n, a.at[0], a.at[1], a.at[2], a.at[3]);
    benchmark::ClobberMemory();
  }
  const bool counts = k->limit == LIMIT_FMA;
  const double work = k->cost * (double)n * (k->size == OF_ARRAYS ? (double)k->element : k->size == OF_IMAGES ? 1 : (double)n * (double)n);
  state.counters[counts ? "flops" : "bytes"] = benchmark::Counter(work, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["limit_percent"] = benchmark::Counter(100 * work / limit(k->limit, k->element, n * k->element), benchmark::Counter::kIsIterationInvariantRate);
}
static void run_row(benchmark::State &state, const bench_kernel *k) {
  static const arrays &a = arrays_of(8);
  const size_t n = 4000 / (size_t)k->size;
  unsigned char *x[4];
  for (size_t j = 0; j < 4; j++) x[j] = a.at[3] + j * (8192 + 1088);
  for (size_t j = 0; j < 3; j++)
    for (size_t i = 0; i < n; i++) {
      const size_t d = k->hi[j] > k->lo[j] ? j : 0; // a partial has operands more than its row
      const double v = k->lo[d] + (k->hi[d] - k->lo[d]) * (double)((i * 197) % n + 1) / (double)(n + 1);
      if (k->size == 4) reinterpret_cast<float *>(x[j])[i] = (float)v;
      else reinterpret_cast<double *>(x[j])[i] = v;
    }
  for (auto _ : state) {
    k->run(n, x[0], x[1], x[2], x[3]);
    benchmark::ClobberMemory();
  }
  const double bytes = (double)(n * (size_t)(k->size * (k->arity + 1)));
  state.counters["bytes"] = benchmark::Counter(bytes, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["limit_percent"] = benchmark::Counter(100 * bytes / limit(LIMIT_COPY, 4, 4000), benchmark::Counter::kIsIterationInvariantRate);
}
static void run_peak(benchmark::State &state, const array_variant *v, size_t element) {
  const size_t steps = 10000;
  for (auto _ : state) benchmark::DoNotOptimize(v->peak(element, steps));
  const double flops = 24.0 * (double)steps * v->lanes[element == 8];
  state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["limit_percent"] = benchmark::Counter(100 * flops / limit(LIMIT_FMA, element, 0), benchmark::Counter::kIsIterationInvariantRate);
}

static std::string text(const array_kernel *k, size_t size) {
  return k->size == OF_ARRAYS ? size < 1000000 ? std::to_string(size / 1000) + " KB" : std::to_string(size / 1000000) + " MB"
         : k->size == OF_IMAGES ? std::to_string(size) + " images" : std::to_string(size) + " squared";
}
static void add(const array_variant *v, const std::string &name) {
  for (size_t element = 4; element <= 8; element += 4)
    benchmark::RegisterBenchmark(((element == 4 ? "f32 fma in registers/" : "f64 fma in registers/") + name).c_str(), run_peak, v, element);
  for (const array_kernel *k = v->kernels; k->name; k++)
    for (size_t size : sizes[k->size])
      benchmark::RegisterBenchmark((std::string(k->name) + ", " + text(k, size) + "/" + name).c_str(), run, k, size);
  for (const bench_kernel *k = v->rows; k->name; k++) benchmark::RegisterBenchmark((std::string(k->name + 3) + "/" + name).c_str(), run_row, k);
}

int main(int argc, char **argv) {
#define ADD(variant) add(&arrays_##variant, #variant);
  BENCH_VARIANTS(LAST)
  BENCH_VARIANTS(ADD)
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
