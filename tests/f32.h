/* Errors in ULP of every unary row of float registers, value and derivative, against the row in registers of double (judged by
   accuracy_ops.c), over every step-th of all 2^32 floats: accuracy_f32.c prints them, test_f32.c asserts their limits. */
#ifndef TEST_F32_H
#define TEST_F32_H
#include "ad_simd.h"
#include "ad.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void vector_row(const float *x, float *v, float *dx);
typedef void double_row(const float *x, double *v, double *dx);
#define ROW(N, D, op, ...)                                                                                                    \
  static void v32_##op(const float *x, float *v, float *dx) {                                                                 \
    ad_v32 a = ad_v32_load(x), r = ad_v32_##op(a); ad_v32_store(v, r); ad_v32_store(dx, ad_v32_##op##_dx(a, r)); }            \
  static void v64_##op(const float *x, double *v, double *dx) {                                                               \
    double in[AD_V32_LANES]; for (int i = 0; i < AD_V32_LANES; i++) in[i] = (double)x[i];                                     \
    for (int i = 0; i < AD_V32_LANES; i += AD_V64_LANES) {                                                                    \
      ad_v64 a = ad_v64_load(in + i), r = ad_v64_##op(a); ad_v64_store(v + i, r); ad_v64_store(dx + i, ad_v64_##op##_dx(a, r)); } }
AD_UNARY(ROW, , )
#define LIST(N, D, op, ...) { #op, v32_##op, v64_##op },
static const struct { const char *name; vector_row *vector; double_row *twice; } rows[] = { AD_UNARY(LIST, , ) };

/* Limits of value and derivative where they are not 1.1 and 4, and floors: below a floor errors count in ULP of it, because no
   formula in x keeps relative accuracy near a root in the middle of the domain. gelu: 12 units of the least subnormal number, where
   Phi(x) is one itself. sinh, cosh: beyond 88, where SLEEF gives infinity. */
static const struct { const char *name; double value, dx, value_floor, dx_floor; } limits[] = {
  { "erfc", 2.5, 4, 0, 0 }, { "gauss", 2.5, 4, 0, 0 }, { "normal_pdf", 3, 4, 0, 0 }, { "ndtr", 2.5, 4, 0, 0 }, { "gelu", 12, 6, 0, 0.25 },
  { "gelu_slope", 6, 6, 0.25, 0.25 }, { "sigmoid", 2.5, 4, 0, 0 }, { "sigmoid_slope", 4, 6, 0, 0 }, { "tanh_slope", 4, 6, 0, 0 }, { "softplus", 2, 4, 0, 0 },
  { "logsigmoid", 2, 4, 0, 0 }, { "logit", 2, 4, 0, 0 }, { "silu", 3.5, 6, 0, 0.25 }, { "silu_slope", 6, 6, 0.25, 0.25 }, { "mish", 4.5, 6, 0, 0.25 },
  { "mish_slope", 6, 8, 0.25, 0.25 }, { "mish_gate", 4, 8, 0, 0 }, { "mish_gate_slope", 8, 12, 0, 0.25 }, { "softsign", 1.5, 4, 0, 0 }, { "logcosh", 3.5, 4, 0, 0 },
  { "versin", 2.6, 4, 0, 0 }, { "sinc", 3, 6, 0, 0.5 }, { "sinc_slope", 6, 8, 0.5, 2 }, { "sinc_curve", 8, 40, 2, 8 }, { "rsqrt", 1.6, 4, 0, 0 },
  { "one_minus_square", 1.6, 4, 0, 0 }, { "times_complement", 1.6, 4, 0, 0 }, { "xlogx", 1.6, 4, 0, 1 }, { "entropy", 1.6, 4, 0, 1 }, { "smoothstep", 3, 4, 0, 0 },
  { "log_ndtr_slope", 1.1, 5, 0, 0 }, { "sinh", 1.5, 4, 0, 0 }, { "cosh", 1.5, 4, 0, 0 }, { "lgamma", 1.1, 4, 1, 0 }, { "erfcx_curve", 1.1, 4, 0, 1 },
};

static double ulps(float got, double want, double floor_) {
  float w = (float)want;
  if (isnan(got) || isnan(w)) return isnan(got) && isnan(w) ? 0 : 1e9;
  if (isinf(got) || isinf(w)) return got == w || (fabs(want) > 0x1.fffffdp127 && fabsf(isinf(got) ? w : got) > 3.4028230e38f) ? 0 : 1e9;
  double m = fabs(want) > floor_ ? fabs(want) : floor_, ulp;      /* 2^(exponent - 23), by its bits */
  uint64_t u;
  memcpy(&u, &m, sizeof u);
  u = (m < 0x1p-126 ? (uint64_t)(1023 - 126 - 23) : (u >> 52) - 23) << 52;
  memcpy(&ulp, &u, sizeof u);
  return fabs((double)got - want) / ulp;
}

/* rows over their limit, said on stderr; table: lines in Markdown on stdout */
static int f32_measure(uint32_t step, const char *only, bool table) {
  int over = 0;
  for (size_t o = 0; o < sizeof rows / sizeof *rows; o++) {
    double limit[2] = { 1.1, 4 }, low[2] = { 0, 0 }, worst[2] = { 0, 0 };
    float at[2] = { 0, 0 };
    if (only && strcmp(only, rows[o].name)) continue;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
      if (!strcmp(limits[i].name, rows[o].name)) {
        limit[0] = limits[i].value, limit[1] = limits[i].dx, low[0] = limits[i].value_floor, low[1] = limits[i].dx_floor;
      }
#if !defined(AD__SLEEF)
    limit[0] += 3, limit[1] += 3;      /* libm of the machine */
#elif !defined(__FMA__) && !defined(__AVX512F__) && !defined(__aarch64__)
    limit[0] += 0.9, limit[1] += 1;    /* SLEEF without fma */
#endif
    uint64_t next = 0;
    while (next < UINT64_C(1) << 32) {
      float x[AD_V32_LANES], r[2][AD_V32_LANES];
      for (int i = 0; i < AD_V32_LANES; i++) {
        uint32_t u = (uint32_t)(next < UINT64_C(1) << 32 ? next : 0);
        memcpy(&x[i], &u, 4);
        next += step;
      }
      double wide[2][AD_V32_LANES];
      rows[o].vector(x, r[0], r[1]);
      rows[o].twice(x, wide[0], wide[1]);
      for (int i = 0; i < AD_V32_LANES; i++) {
        const double want[2] = { wide[0][i], wide[1][i] };
        for (int k = 0; k < 2; k++) {
          /* a partial made of a value that has lost its digits, or has overflowed, has lost them too */
          if (k && (ad_ops[o].keep & AD_KEEP_V) && ((fabsf(r[0][i]) < 0x1p-126f && fabs(want[1]) < 1e-35) || (isinf(r[0][i]) && !isinf(want[0])))) continue;
          double e = ulps(r[k][i], want[k], low[k]);
          if (e > worst[k]) worst[k] = e, at[k] = x[i];
        }
      }
    }
    if (table) printf("| %s | %.2f | %.9g | %.2f | %.9g |\n", rows[o].name, worst[0], (double)at[0], worst[1], (double)at[1]);
    fflush(stdout);
    for (int k = 0; k < 2; k++)
      if (worst[k] > limit[k]) fprintf(stderr, "%s %s: %.3g ULP > %g at %.9g (%a)\n", rows[o].name, k ? "derivative" : "value", worst[k], limit[k], (double)at[k], (double)at[k]), over++;
  }
  return over;
}
#endif
