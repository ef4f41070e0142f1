/* Derivatives by duals beside the plain C functions, each call at another point. The duals of several widths take part in the generic
   names; compiled once per backend, whose register the tangents use. */
#define AD_DUAL_WIDTH 16
#define AD_MORE_TYPES(F, ...) F(dual8, __VA_ARGS__) F(dual10, __VA_ARGS__) F(dual15, __VA_ARGS__)
#include "ad.h"
#include "bench_dual.h"
AD_DUAL(dual8, ad_f64, 8)
AD_DUAL(dual10, ad_f64, 10)
AD_DUAL(dual15, ad_f64, 15)

#define NAME(f) plain_##f
#define REAL double
#include "dual.h"
#define REAL ad_dual
#define BUNDLE bundle_16
#include "../examples/bundle.h"
#define REAL dual15
#define BUNDLE bundle_15
#include "../examples/bundle.h"
#define REAL dual8
#define BUNDLE bundle_8
#include "../examples/bundle.h"

enum { POINTS = 256 };
/* visible from outside, so that no result is thrown away */
#define inputs BENCH(dual_inputs)
#define features BENCH(dual_features)
#define y BENCH(dual_y)
#define jacobian BENCH(dual_jacobian)
#define line BENCH(dual_line)
extern double inputs[POINTS][15], features[POINTS][2], y[100], jacobian[100 * 100], line[400];
double inputs[POINTS][15], features[POINTS][2], y[100], jacobian[100 * 100], line[400];

static void bundle_function(size_t i) { plain_bundle(inputs[i % POINTS], features[i % POINTS], y); }

#define BUNDLE_BY(D, width, function)                                                                                                      \
  static void bundle_##D(size_t i) {                                                                                                       \
    D x[15], r[3];                                                                                                                         \
    for (int k = 0; k < 15; k++) x[k] = D##_variable(inputs[i % POINTS][k], k);                                                            \
    function(x, features[i % POINTS], r);                                                                                                  \
    for (int k = 0; k < 3; k++) y[k] = r[k].v, memcpy(jacobian + 15 * k, r[k].d, 15 * sizeof(double)); }
BUNDLE_BY(ad_dual, 16, bundle_16)
BUNDLE_BY(dual15, 15, bundle_15)
static void bundle_dual8(size_t i) {
  for (int first = 0; first < 15; first += 8) {
    dual8 x[15], r[3];
    for (int k = 0; k < 15; k++) x[k] = dual8_variable(inputs[i % POINTS][k], k - first);
    bundle_8(x, features[i % POINTS], r);
    for (int k = 0; k < 3; k++) y[k] = r[k].v, memcpy(jacobian + 15 * k + first, r[k].d, (first ? 7 : 8) * sizeof(double));
  }
}
static void bundle_map(const ad_dual *x, ad_dual *r, void *feature) { bundle_16(x, (const double *)feature, r); }
static void bundle_driver(size_t i) { ad_jacobian_forward(bundle_map, features[i % POINTS], 15, inputs[i % POINTS], 3, y, jacobian); }

#define ROSENBROCK(D, T)                                                                                                                   \
  static inline T rosenbrock_##D(const T *x, int n) {                                                                                      \
    T sum = D##_k(0);                                                                                                                      \
    for (int i = 0; i + 1 < n; i++) {                                                                                                      \
      const T a = ad_sub(x[i + 1], ad_square(x[i])), b = ad_sub(1, x[i]);                                                                  \
      sum = ad_add(sum, ad_add(ad_mul(100, ad_square(a)), ad_square(b))); }                                                                \
    return sum; }
ROSENBROCK(ad_dual, ad_dual)
ROSENBROCK(dual10, dual10)
ROSENBROCK(ad_dual2, ad_dual2)
static void rosenbrock_map(const ad_dual *x, ad_dual *r, void *n) { *r = rosenbrock_ad_dual(x, *(const int *)n); }
static void rosenbrock_map2(const ad_dual2 *x, ad_dual2 *r, void *n) { *r = rosenbrock_ad_dual2(x, *(const int *)n); }
static int ten = 10, twenty = 20, hundred = 100;
static void rosenbrock10_function(size_t i) { y[0] = plain_rosenbrock(line + i % 256, ten); }
static void rosenbrock20_function(size_t i) { y[0] = plain_rosenbrock(line + i % 256, twenty); }
static void rosenbrock100_function(size_t i) { y[0] = plain_rosenbrock(line + i % 256, hundred); }
static void rosenbrock10_dual(size_t i) {
  dual10 x[10], r;
  for (int k = 0; k < 10; k++) x[k] = dual10_variable(line[i % 256 + (size_t)k], k);
  r = rosenbrock_dual10(x, 10);
  y[0] = r.v;
  memcpy(jacobian, r.d, sizeof r.d);
}
static void rosenbrock10_driver(size_t i) { ad_gradient_forward(rosenbrock_map, &ten, 10, line + i % 256, y, jacobian); }
static void rosenbrock100_driver(size_t i) { ad_gradient_forward(rosenbrock_map, &hundred, 100, line + i % 256, y, jacobian); }
static void rosenbrock20_hessian(size_t i) { ad_hessian_forward(rosenbrock_map2, &twenty, 20, line + i % 256, y, y + 1, jacobian); }

static void mix_function(size_t i) { plain_mix(line + i % 256, y); }
#define MIX_BY(D)                                                                                                                          \
  static void mix_##D(size_t i) {                                                                                                          \
    D x[10];                                                                                                                               \
    for (int k = 0; k < 10; k++) x[k] = D##_variable(line[i % 256 + (size_t)k], k);                                                        \
    for (int r = 0; r < 10; r++) {                                                                                                         \
      const int j = r < 9 ? r + 1 : 0, k = r < 8 ? r + 2 : r - 8;                                                                          \
      const D z = ad_add(ad_mul(ad_sin(x[r]), ad_cos(x[j])), ad_exp(ad_mul(x[r], x[k])));                                                  \
      y[r] = z.v, memcpy(jacobian + 10 * r, z.d, 10 * sizeof(double)); } }
MIX_BY(dual10)
MIX_BY(ad_dual)

static void fill(void) {
  static const double base[17] = {0.31, -0.52, 0.18, 1.5, -0.7, -9, 820, 12.5, -7.25, -0.04, 0.008, 0.6, 1.1, 4, 0.85, 210, -95};
  for (int i = 0; i < POINTS; i++)
    for (int k = 0; k < 17; k++) {
      const double x = base[k] * (1 + 1e-3 * ((i * 37 + k * 11) % 101 - 50));
      if (k < 15) inputs[i][k] = x;
      else features[i][k - 15] = x;
    }
  for (int i = 0; i < 400; i++) line[i] = 0.3 + 0.001 * i;
}

#if defined(__clang__)
#define COMPILER "-clang"
#elif defined(__GNUC__)
#define COMPILER "-gcc"
#else
#define COMPILER ""
#endif
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define WORK(name, column, run) {name "/" TEXT(BENCH_VARIANT) COMPILER "/" column, fill, run},
extern const bench_dual BENCH(dual)[];
const bench_dual BENCH(dual)[] = {
    WORK("bundle_2x15", "function", bundle_function)
    WORK("bundle_2x15", "width_16", bundle_ad_dual)
    WORK("bundle_2x15", "width_15", bundle_dual15)
    WORK("bundle_2x15", "2x_width_8", bundle_dual8)
    WORK("bundle_2x15", "driver", bundle_driver)
    WORK("rosenbrock_10", "function", rosenbrock10_function)
    WORK("rosenbrock_10", "width_10", rosenbrock10_dual)
    WORK("rosenbrock_10", "driver", rosenbrock10_driver)
    WORK("rosenbrock_100", "function", rosenbrock100_function)
    WORK("rosenbrock_100", "driver", rosenbrock100_driver)
    WORK("hessian_20", "function", rosenbrock20_function)
    WORK("hessian_20", "driver", rosenbrock20_hessian)
    WORK("mix_10x10", "function", mix_function)
    WORK("mix_10x10", "width_10", mix_dual10)
    WORK("mix_10x10", "width_16", mix_ad_dual){NULL, NULL, NULL}};
