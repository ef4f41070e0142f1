// Reverse mode on scalars beside the tapes of other libraries, one source by operators, recorded afresh each time: ad_tape, ADOL-C,
// Sacado (Rad). NEEDS: adolc/adolc.h libadolc-dev
// WITH: Sacado_trad.hpp libtrilinos-sacado-dev libtrilinos-kokkos-dev
// LIBS: -ladolc
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <adolc/adolc.h>
#if __has_include(<Sacado_trad.hpp>) && __has_include(<Kokkos_Macros.hpp>)
#include <Sacado_trad.hpp>
#define HAVE_SACADO
#endif
#pragma GCC diagnostic pop
#include <benchmark/benchmark.h>
#include <vector>
#define AD_IMPLEMENTATION
#include "ad.h"
static inline ad_var sin(ad_var x) { return ad_sin(x); }
#include "tape.h"

// the programs, over n inputs
struct Chain {
  size_t steps;
  template <class T> T operator()(const T *x, int) const { return chain<T>(x[0], x[1], x[2], steps); }
};
struct Rosenbrock {
  template <class T> T operator()(const T *x, int n) const { return rosenbrock<T>(x, n); }
};
struct Product {
  template <class T> T operator()(const T *x, int n) const { return product<T>(x, n); }
};
struct Square {
  template <class T> T operator()(const T *x, int) const { return x[0] * x[0]; }
};
struct Ring {
  template <class T> T operator()(const T *x, int n) const { return ring<T>(x, n); }
};
static double at(int i) { return 1 + 1e-3 * i; }

template <class F> static void by_ad(benchmark::State &state, F f, int n) {
  ad_tape *t = ad_tape_create(nullptr);
  std::vector<ad_var> x((size_t)n);
  std::vector<double> g((size_t)n);
  for (auto _ : state) {
    ad_tape_reset(t);
    for (int i = 0; i < n; i++) x[(size_t)i] = ad_variable(t, at(i));
    if (ad_backward(f(x.data(), n)) != AD_OK) state.SkipWithError(ad_tape_message(t));
    for (int i = 0; i < n; i++) g[(size_t)i] = ad_grad(x[(size_t)i]);
    benchmark::DoNotOptimize(g.data());
  }
  ad_tape_destroy(t);
}
template <class F> static void by_adolc(benchmark::State &state, F f, int n) {
  std::vector<adouble> x((size_t)n);
  std::vector<double> start((size_t)n), g((size_t)n);
  for (int i = 0; i < n; i++) start[(size_t)i] = at(i);
  for (auto _ : state) {
    double y;
    trace_on(1);
    for (int i = 0; i < n; i++) x[(size_t)i] <<= start[(size_t)i];
    f(x.data(), n) >>= y;
    trace_off();
    gradient(1, n, start.data(), g.data());
    benchmark::DoNotOptimize(g.data());
  }
}
#ifdef HAVE_SACADO
template <class F> static void by_sacado(benchmark::State &state, F f, int n) {
  typedef Sacado::Rad::ADvar<double> rad;
  std::vector<double> g((size_t)n);
  for (auto _ : state) {
    std::vector<rad> x;
    for (int i = 0; i < n; i++) x.push_back(rad(at(i)));
    const rad y = f(x.data(), n);
    rad::Gradcomp();
    for (int i = 0; i < n; i++) g[(size_t)i] = x[(size_t)i].adj();
    benchmark::DoNotOptimize(g.data());
  }
}
#endif
static void ring_ad(const ad_var *x, ad_var *y, void *) { y[0] = ring(x, 20); }
static void hessian_ad(benchmark::State &state) {
  double x[20], y, g[20], h[400];
  for (int i = 0; i < 20; i++) x[i] = at(i);
  for (auto _ : state) ad_hessian(ring_ad, nullptr, 20, x, &y, g, h), benchmark::DoNotOptimize(h[7]);
}
static void hessian_adolc(benchmark::State &state) {
  double x[20], y, rows[20][20], *h[20];
  for (int i = 0; i < 20; i++) x[i] = at(i), h[i] = rows[i];
  std::vector<adouble> a(20);
  for (auto _ : state) {
    trace_on(2);
    for (size_t i = 0; i < 20; i++) a[i] <<= x[i];
    ring<adouble>(a.data(), 20) >>= y;
    trace_off();
    hessian(2, 20, x, h);
    benchmark::DoNotOptimize(rows[7][0]);
  }
}
template <class F> static void value(benchmark::State &state, F f, int n) {
  std::vector<double> x((size_t)n);
  for (int i = 0; i < n; i++) x[(size_t)i] = at(i);
  for (auto _ : state) {
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(f(x.data(), n));
  }
}
template <class F> static void all(const std::string &work, F f, int n) {
  benchmark::RegisterBenchmark((work + "/function").c_str(), value<F>, f, n);
  benchmark::RegisterBenchmark((work + "/ad_tape").c_str(), by_ad<F>, f, n);
  benchmark::RegisterBenchmark((work + "/adolc").c_str(), by_adolc<F>, f, n);
#ifdef HAVE_SACADO
  benchmark::RegisterBenchmark((work + "/sacado_rad").c_str(), by_sacado<F>, f, n);
#endif
}

int main(int argc, char **argv) {
  all("one_operation", Square(), 1);
  all("rosenbrock_10", Rosenbrock(), 10);
  all("rosenbrock_100", Rosenbrock(), 100);
  all("product_1000", Product(), 1000);
  all("chain_1e4", Chain{10000}, 3);
  all("chain_1e6", Chain{1000000}, 3);
  benchmark::RegisterBenchmark("hessian_20/function", value<Ring>, Ring(), 20);
  benchmark::RegisterBenchmark("hessian_20/ad_tape", hessian_ad);
  benchmark::RegisterBenchmark("hessian_20/adolc", hessian_adolc);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
