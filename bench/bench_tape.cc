// The tape: a chain of statements recorded and swept (per statement; counters: ns of each part, bytes), tiny gradients from an empty
// tape, the product of 1000 factors, a Hessian with 20 columns.
#include <benchmark/benchmark.h>
#include <chrono>
#include <cmath>
#include <vector>
#define AD_IMPLEMENTATION
#include "ad.h"
static inline ad_var sin(ad_var x) { return ad_sin(x); }
#include "tape.h"

static double now() { return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

static ad_var chain_fma(ad_var y, ad_var c, ad_var x, size_t n) {
  for (size_t i = 0; i < n; i++) y = ad_fma(y, c, x);
  return y;
}
typedef ad_var chain_function(ad_var, ad_var, ad_var, size_t);
static ad_var chain_mul_add(ad_var y, ad_var c, ad_var x, size_t n) { return chain(y, c, x, n); }

static void run_chain(benchmark::State &state, chain_function *f, size_t n) {
  ad_tape *t = ad_tape_create(nullptr);
  double record = 1e300, sweep = 1e300;
  size_t nodes = 0;
  for (auto _ : state) {
    ad_tape_reset(t);
    const ad_var y = ad_variable(t, 1), c = ad_variable(t, 0.9999), x = ad_variable(t, 0.5);
    const double a = now();
    const ad_var r = f(y, c, x, n);
    const double b = now();
    if (ad_backward(r) != AD_OK) state.SkipWithError(ad_tape_message(t));
    const double d = now();
    record = b - a < record ? b - a : record;
    sweep = d - b < sweep ? d - b : sweep;
    nodes = ad_tape_nodes(t);
    benchmark::DoNotOptimize(ad_grad(c));
  }
  state.counters["record_ns"] = record / (double)n;
  state.counters["reverse_ns"] = sweep / (double)n;
  state.counters["bytes_a_statement"] = (double)nodes * 32 / (double)n;
  ad_tape_destroy(t);
}
template <class F> static void run_gradient(benchmark::State &state, F f, int n) {
  ad_tape *t = ad_tape_create(nullptr);
  std::vector<ad_var> x((size_t)n);
  for (auto _ : state) {
    ad_tape_reset(t);
    for (int i = 0; i < n; i++) x[(size_t)i] = ad_variable(t, 1 + 1e-3 * i);
    ad_backward(f(x.data(), n));
    for (int i = 0; i < n; i++) benchmark::DoNotOptimize(ad_grad(x[(size_t)i]));
  }
  ad_tape_destroy(t);
}
template <class F> static void run_value(benchmark::State &state, F f, int n) {
  std::vector<double> x((size_t)n);
  for (int i = 0; i < n; i++) x[(size_t)i] = 1 + 1e-3 * i;
  for (auto _ : state) {
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(f(x.data(), n));
  }
}
static void ring20(const ad_var *x, ad_var *y, void *) { y[0] = ring(x, 20); }
static void run_hessian(benchmark::State &state) {
  double x[20], g[20], h[400], y;
  for (int i = 0; i < 20; i++) x[i] = 0.1 * i;
  for (auto _ : state) {
    ad_hessian(ring20, nullptr, 20, x, &y, g, h);
    benchmark::DoNotOptimize(h[7]);
  }
}

int main(int argc, char **argv) {
  using benchmark::RegisterBenchmark;
  RegisterBenchmark("chain_1e4/mul_add", run_chain, chain_mul_add, 10000);
  RegisterBenchmark("chain_1e4/fma", run_chain, chain_fma, 10000);
  RegisterBenchmark("chain_1e7/mul_add", run_chain, chain_mul_add, 10000000)->Unit(benchmark::kMillisecond);
  RegisterBenchmark("chain_1e7/fma", run_chain, chain_fma, 10000000)->Unit(benchmark::kMillisecond);
  RegisterBenchmark("one_operation/gradient", [](benchmark::State &s) { run_gradient(s, [](const ad_var *x, int) { return x[0] * x[0]; }, 1); });
  for (int n : { 10, 100 }) {
    const std::string name = "rosenbrock_" + std::to_string(n);
    RegisterBenchmark((name + "/value").c_str(), [n](benchmark::State &s) { run_value(s, rosenbrock<double>, n); });
    RegisterBenchmark((name + "/gradient").c_str(), [n](benchmark::State &s) { run_gradient(s, rosenbrock<ad_var>, n); });
  }
  RegisterBenchmark("product_1000/value", [](benchmark::State &s) { run_value(s, product<double>, 1000); });
  RegisterBenchmark("product_1000/gradient", [](benchmark::State &s) { run_gradient(s, product<ad_var>, 1000); });
  RegisterBenchmark("hessian_20/value", [](benchmark::State &s) { run_value(s, ring<double>, 20); });
  RegisterBenchmark("hessian_20/hessian", run_hessian);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
