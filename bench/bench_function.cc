// Functions replayed in lanes against the plain C functions of the same compiler: the bundle-adjustment residual with its 2x15 Jacobian, interpreted and as written C
// (1e5 points, and as many as stay in the caches), Rosenbrock gradients, a Hessian of 20 inputs, a fused chain over 1e6 floats.
#include <benchmark/benchmark.h>
#include <cmath>
#include <string>
#include <vector>
#include "bench.h"
#include "function_bench.h"

#define DECLARE(variant) extern "C" const function_bench functions_##variant;
BENCH_VARIANTS(DECLARE)

static __attribute__((noinline)) void residual(const double *x, double *y) {
  double a[3], P[3], R[3], theta = std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]), c = std::cos(theta), s = std::sin(theta), inverse = 1 / theta;
  for (int i = 0; i < 3; i++) a[i] = x[i] * inverse, P[i] = x[11 + i] - x[3 + i];
  double t = (a[0] * P[0] + a[1] * P[1] + a[2] * P[2]) * (1 - c);
  for (int i = 0; i < 3; i++) R[i] = P[i] * c + (a[(i + 1) % 3] * P[(i + 2) % 3] - a[(i + 2) % 3] * P[(i + 1) % 3]) * s + a[i] * t;
  double u = R[0] / R[2], v = R[1] / R[2], q = u * u + v * v, lens = 1 + x[9] * q + x[10] * q * q;
  y[0] = x[14] * (u * lens * x[6] + x[7] - x[15]);
  y[1] = x[14] * (v * lens * x[6] + x[8] - x[16]);
}
static __attribute__((noinline)) double rosenbrock(int n, const double *x) {
  double s = 0;
  for (int i = 0; i + 1 < n; i++) { double a = x[i + 1] - x[i] * x[i], b = 1 - x[i]; s += 100 * a * a + b * b; }
  return s;
}
static __attribute__((noinline)) double mixture(const double *x) {
  double s = x[0] * x[1];
  for (int i = 0; i < 20; i++) s += std::sin(x[i]) * x[(i + 1) % 20] * std::exp(0.1 * x[(i + 7) % 20]);
  return s;
}

static std::vector<double> points(size_t n) {
  std::vector<double> x(n);
  for (size_t i = 0; i < n; i++) x[i] = 1 + 0.4 * std::sin((double)(i * i % 10007));
  return x;
}
static void plain_residual(benchmark::State &state, size_t count) {
  std::vector<double> x = points(17 * count), y(2 * count);
  for (auto _ : state) {
    for (size_t i = 0; i < count; i++) residual(&x[17 * i], &y[2 * i]);
    benchmark::ClobberMemory();
  }
}
static void many(benchmark::State &state, const function_bench *f, size_t count, bool jacobian, bool written) {
  std::vector<double> x = points(17 * count), y(2 * count), j(30 * count);
  void *function = f->create_residual(x.data());
  for (auto _ : state) {
    if (written) f->written(count, x.data(), y.data(), jacobian ? j.data() : nullptr);
    else f->many(function, count, x.data(), y.data(), jacobian ? j.data() : nullptr);
    benchmark::ClobberMemory();
  }
  f->destroy(function);
}
static void plain_rosenbrock(benchmark::State &state, int n) {
  std::vector<double> x = points((size_t)n);
  for (auto _ : state) { double v = rosenbrock(n, x.data()); benchmark::DoNotOptimize(v); benchmark::ClobberMemory(); }
}
static void gradient(benchmark::State &state, const function_bench *f, int n) {
  std::vector<double> x = points((size_t)n), g((size_t)n);
  double y;
  void *function = f->create_rosenbrock(n, x.data());
  for (auto _ : state) { f->gradient(function, x.data(), &y, g.data()); benchmark::ClobberMemory(); }
  f->destroy(function);
}
static void plain_mixture(benchmark::State &state) {
  std::vector<double> x = points(20);
  for (auto _ : state) { double v = mixture(x.data()); benchmark::DoNotOptimize(v); benchmark::ClobberMemory(); }
}
static void hessian(benchmark::State &state, const function_bench *f) {
  std::vector<double> x = points(20), h(400);
  void *function = f->create_mixture(x.data());
  for (auto _ : state) { f->hessian(function, x.data(), h.data()); benchmark::ClobberMemory(); }
  f->destroy(function);
}
static void chain(benchmark::State &state, const function_bench *f, bool hand) {
  const size_t n = 1000000;
  std::vector<float> x(n), w(n, 1.0f), y(n), gx(n);
  for (size_t i = 0; i < n; i++) x[i] = (float)std::sin((double)i);
  void *function = f->create_chain(n, x.data());
  for (auto _ : state) {
    if (hand) f->chain_by_hand(n, x.data(), w.data(), y.data(), gx.data());
    else f->chain(function, x.data(), w.data(), y.data(), gx.data());
    benchmark::ClobberMemory();
  }
  f->destroy(function);
}

int main(int argc, char **argv) {
  for (size_t count : { (size_t)1000, (size_t)100000 }) {
    const std::string at = std::to_string(count);
    for (const char *kind : { "residual_value_", "residual_jacobian_", "residual_written_value_", "residual_written_jacobian_" })
      benchmark::RegisterBenchmark((kind + at + "/plain").c_str(), plain_residual, count);
#define MANY(variant)                                                                                                                      \
    benchmark::RegisterBenchmark(("residual_value_" + at + "/" #variant).c_str(), many, &functions_##variant, count, false, false);       \
    benchmark::RegisterBenchmark(("residual_jacobian_" + at + "/" #variant).c_str(), many, &functions_##variant, count, true, false);     \
    benchmark::RegisterBenchmark(("residual_written_value_" + at + "/" #variant).c_str(), many, &functions_##variant, count, false, true); \
    benchmark::RegisterBenchmark(("residual_written_jacobian_" + at + "/" #variant).c_str(), many, &functions_##variant, count, true, true);
    BENCH_VARIANTS(MANY)
  }
  for (int n : { 10, 100, 1000 }) {
    const std::string name = "rosenbrock_gradient_" + std::to_string(n);
    benchmark::RegisterBenchmark((name + "/plain").c_str(), plain_rosenbrock, n);
#define GRADIENT(variant) benchmark::RegisterBenchmark((name + "/" #variant).c_str(), gradient, &functions_##variant, n);
    BENCH_VARIANTS(GRADIENT)
  }
  benchmark::RegisterBenchmark("hessian_20/plain", plain_mixture);
#define HESSIAN(variant) benchmark::RegisterBenchmark("hessian_20/" #variant, hessian, &functions_##variant);
  BENCH_VARIANTS(HESSIAN)
#define CHAIN(variant)                                                                                                                     \
  benchmark::RegisterBenchmark("chain_by_hand_1e6/" #variant, chain, &functions_##variant, true);                                         \
  benchmark::RegisterBenchmark("chain_1e6/" #variant, chain, &functions_##variant, false);
  BENCH_VARIANTS(CHAIN)
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
