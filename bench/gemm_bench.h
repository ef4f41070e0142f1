// For peers_gemm.cc: operands, and a benchmark of one function on one shape.
#ifndef GEMM_BENCH_H
#define GEMM_BENCH_H
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>
#include "kernels_gemm.h"

static const gemm_shape shapes[] = {GEMM_SHAPES};
typedef std::function<void(int size, const gemm_shape *, const void *a, const void *b, void *c, void *work)> gemm_function;

static std::string type_name(int size) { return size == 4 ? "f32" : "f64"; }

static void *numbers(int size, size_t n) {
  void *p = aligned_alloc(64, (n * (size_t)size + 127) / 64 * 64);
  for (size_t i = 0; i < n; i++) {
    const double x = (double)(i * 7 % 17) / 8 - 1;
    if (size == 4) static_cast<float *>(p)[i] = (float)x;
    else static_cast<double *>(p)[i] = x;
  }
  return p;
}

// adds the benchmark TYPE/MxNxK TRANS/VARIANT
static void add(const gemm_shape &shape, int size, const std::string &variant, size_t work_size, gemm_function run) {
  const std::string name = type_name(size) + "/" + std::to_string(shape.m) + "x" + std::to_string(shape.n) + "x" + std::to_string(shape.k) + " " +
                           (shape.ta ? "T" : "N") + (shape.tb ? "T" : "N") + "/" + variant;
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State &state) {
    void *a = numbers(size, shape.m * shape.k), *b = numbers(size, shape.n * shape.k), *c = numbers(size, shape.m * shape.n);
    void *work = work_size ? aligned_alloc(64, (work_size + 63) / 64 * 64) : nullptr;
    for (auto _ : state) {
      run(size, &shape, a, b, c, work);
      benchmark::ClobberMemory();
    }
    state.counters["flops"] = benchmark::Counter(2.0 * (double)shape.m * (double)shape.n * (double)shape.k, benchmark::Counter::kIsIterationInvariantRate);
    free(a), free(b), free(c), free(work);
  });
}
#endif
