// Forward mode beside the other libraries of its kind, all by operators in C++ from the same source: ad_dual, Ceres Jet, Eigen AutoDiffScalar.
// NEEDS: ceres/jet.h libceres-dev
#include <benchmark/benchmark.h>
#include <ceres/jet.h>
#if __has_include(<unsupported/Eigen/AutoDiff>)
#include <unsupported/Eigen/AutoDiff>
#define HAVE_EIGEN_AUTODIFF
#endif
#define AD_DUAL_WIDTH 16
#include "ad.h"
AD_DUAL(dual10, ad_f64, 10)

using std::cos;
using std::exp;
using std::sin;
using std::sqrt;
#define BY_NAME(T)                                                                                                                         \
  static inline T sqrt(T x) { return ad_sqrt(x); }                                                                                         \
  static inline T sin(T x) { return ad_sin(x); }                                                                                           \
  static inline T cos(T x) { return ad_cos(x); }                                                                                           \
  static inline T exp(T x) { return ad_exp(x); }
BY_NAME(ad_dual)
BY_NAME(dual10)

typedef ceres::Jet<double, 15> jet15;
typedef ceres::Jet<double, 16> jet16;
typedef ceres::Jet<double, 10> jet10;
using ceres::cos;
using ceres::exp;
using ceres::sin;
using ceres::sqrt;
#define NAME(f) plain_##f
#define REAL double
#include "dual.h"
#define NAME(f) ad16_##f
#define REAL ad_dual
#include "dual.h"
#define NAME(f) ad10_##f
#define REAL dual10
#include "dual.h"
#define NAME(f) jet15_##f
#define REAL jet15
#include "dual.h"
#define NAME(f) jet16_##f
#define REAL jet16
#include "dual.h"
#define NAME(f) jet10_##f
#define REAL jet10
#include "dual.h"
#ifdef HAVE_EIGEN_AUTODIFF
typedef Eigen::AutoDiffScalar<Eigen::Matrix<double, 15, 1>> eigen15;
typedef Eigen::AutoDiffScalar<Eigen::Matrix<double, 10, 1>> eigen10;
using Eigen::cos;
using Eigen::exp;
using Eigen::sin;
using Eigen::sqrt;
#define NAME(f) eigen15_##f
#define REAL eigen15
#include "dual.h"
#define NAME(f) eigen10_##f
#define REAL eigen10
#include "dual.h"
#endif

static const int points = 256;
double inputs[points][15], features[points][2], line[400], y[15], jacobian[160]; // visible from outside: no result is thrown away

static ad_dual seed(ad_dual *, double v, int k) { return ad_dual_variable(v, k); }
static dual10 seed(dual10 *, double v, int k) { return dual10_variable(v, k); }
template <int n> static ceres::Jet<double, n> seed(ceres::Jet<double, n> *, double v, int k) { return ceres::Jet<double, n>(v, k); }
static const double *tangents(const ad_dual &x) { return x.d; }
static const double *tangents(const dual10 &x) { return x.d; }
static double value(const ad_dual &x) { return x.v; }
static double value(const dual10 &x) { return x.v; }
template <int n> static const double *tangents(const ceres::Jet<double, n> &x) { return x.v.data(); }
template <int n> static double value(const ceres::Jet<double, n> &x) { return x.a; }
#ifdef HAVE_EIGEN_AUTODIFF
template <int n> using eigen = Eigen::AutoDiffScalar<Eigen::Matrix<double, n, 1>>;
static eigen15 seed(eigen15 *, double v, int k) { return eigen15(v, 15, k); }
static eigen10 seed(eigen10 *, double v, int k) { return eigen10(v, 10, k); }
static const double *tangents(const eigen15 &x) { return x.derivatives().data(); }
static const double *tangents(const eigen10 &x) { return x.derivatives().data(); }
static double value(const eigen15 &x) { return x.value(); }
static double value(const eigen10 &x) { return x.value(); }
#endif

template <class T, void bundle(const T *, const double *, T *)> static void bundle_by(size_t i) {
  T x[15], r[3];
  for (int k = 0; k < 15; k++) x[k] = seed((T *)nullptr, inputs[i % points][k], k);
  bundle(x, features[i % points], r);
  for (int k = 0; k < 3; k++) y[k] = value(r[k]), memcpy(jacobian + 15 * k, tangents(r[k]), 15 * sizeof(double));
}
template <class T, T rosenbrock(const T *, int)> static void rosenbrock_by(size_t i) {
  T x[10];
  for (int k = 0; k < 10; k++) x[k] = seed((T *)nullptr, line[i % points + (size_t)k], k);
  const T r = rosenbrock(x, 10);
  y[0] = value(r), memcpy(jacobian, tangents(r), 10 * sizeof(double));
}
template <class T, void mix(const T *, T *)> static void mix_by(size_t i) {
  T x[10], r[10];
  for (int k = 0; k < 10; k++) x[k] = seed((T *)nullptr, line[i % points + (size_t)k], k);
  mix(x, r);
  for (int k = 0; k < 10; k++) y[k] = value(r[k]), memcpy(jacobian + 10 * k, tangents(r[k]), 10 * sizeof(double));
}
static void bundle_plain(size_t i) { plain_bundle(inputs[i % points], features[i % points], y); }
static void rosenbrock_plain(size_t i) { y[0] = plain_rosenbrock(line + i % points, 10); }
static void mix_plain(size_t i) { plain_mix(line + i % points, y); }

static void add(const char *name, void (*run)(size_t)) {
  benchmark::RegisterBenchmark(name, [run](benchmark::State &state) {
    size_t i = 0;
    for (auto _ : state) {
      run(i++);
      benchmark::ClobberMemory();
    }
  });
}

int main(int argc, char **argv) {
  static const double base[17] = {0.31, -0.52, 0.18, 1.5, -0.7, -9, 820, 12.5, -7.25, -0.04, 0.008, 0.6, 1.1, 4, 0.85, 210, -95};
  for (int i = 0; i < points; i++)
    for (int k = 0; k < 17; k++) (k < 15 ? inputs[i][k] : features[i][k - 15]) = base[k] * (1 + 1e-3 * ((i * 37 + k * 11) % 101 - 50));
  for (int i = 0; i < 400; i++) line[i] = 0.3 + 0.001 * i;
  add("bundle_2x15/function", bundle_plain);
  add("bundle_2x15/ad_dual_16", bundle_by<ad_dual, ad16_bundle>);
  add("bundle_2x15/ceres_15", bundle_by<jet15, jet15_bundle>);
  add("bundle_2x15/ceres_16", bundle_by<jet16, jet16_bundle>);
#ifdef HAVE_EIGEN_AUTODIFF
  add("bundle_2x15/eigen_15", bundle_by<eigen15, eigen15_bundle>);
#endif
  add("rosenbrock_10/function", rosenbrock_plain);
  add("rosenbrock_10/ad_dual_10", rosenbrock_by<dual10, ad10_rosenbrock>);
  add("rosenbrock_10/ceres_10", rosenbrock_by<jet10, jet10_rosenbrock>);
#ifdef HAVE_EIGEN_AUTODIFF
  add("rosenbrock_10/eigen_10", rosenbrock_by<eigen10, eigen10_rosenbrock>);
#endif
  add("mix_10x10/function", mix_plain);
  add("mix_10x10/ad_dual_10", mix_by<dual10, ad10_mix>);
  add("mix_10x10/ceres_10", mix_by<jet10, jet10_mix>);
#ifdef HAVE_EIGEN_AUTODIFF
  add("mix_10x10/eigen_10", mix_by<eigen10, eigen10_mix>);
#endif
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
