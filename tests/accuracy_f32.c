/* Errors in ULP of every unary row of float registers over all floats, value and derivative, against the row in double on the
   scalar system (accuracy_ops judges that one). A sweep over all 2^32 numbers takes hours, so the default is every 4099th.

     accuracy_f32 [step] [row]     step 1: all floats; prints a table in Markdown, and the rows that exceed their limit */

#include "ad_simd.h"
#include "ad.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void vector_row(const float *x, float *v, float *dx);
typedef void scalar_row(double x, double *v, double *dx);
#define ROW(N, D, op, ...)                                                                                                    \
  static void v32_##op(const float *x, float *v, float *dx) {                                                                 \
    ad_v32 a = ad_v32_load(x), r = ad_v32_##op(a); ad_v32_store(v, r); ad_v32_store(dx, ad_v32_##op##_dx(a, r)); }            \
  static void f64_##op(double x, double *v, double *dx) { *v = ad_f64_##op(x); *dx = ad_f64_##op##_dx(x, *v); }
AD_UNARY(ROW, , )
#define LIST(N, D, op, ...) { #op, v32_##op, f64_##op },
static const struct { const char *name; vector_row *vector; scalar_row *scalar; } rows[] = { AD_UNARY(LIST, , ) };

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
  double m = fmax(fabs(want), floor_);
  return fabs((double)got - want) / ldexp(1, (m < 0x1p-126 ? -126 : ilogb(m)) - 23);
}

int main(int argc, char **argv) {
  uint32_t step = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 4099;
  int over = 0;
  if (step == 0) return fprintf(stderr, "usage: accuracy_f32 [step] [row]\n"), 1;
  printf("Registers of float over all numbers, every %uth, against the row in double.\n\n", step);
  printf("| row | value | at | derivative | at |\n|---|---|---|---|---|\n");
  for (size_t o = 0; o < sizeof rows / sizeof *rows; o++) {
    double limit[2] = { 1.1, 4 }, low[2] = { 0, 0 }, worst[2] = { 0, 0 };
    float at[2] = { 0, 0 };
    if (argc > 2 && strcmp(argv[2], rows[o].name)) continue;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
      if (!strcmp(limits[i].name, rows[o].name)) {
        limit[0] = limits[i].value, limit[1] = limits[i].dx, low[0] = limits[i].value_floor, low[1] = limits[i].dx_floor;
      }
    uint64_t next = 0;
    while (next < UINT64_C(1) << 32) {
      float x[AD_V32_LANES], r[2][AD_V32_LANES];
      for (int i = 0; i < AD_V32_LANES; i++) {
        uint32_t u = (uint32_t)(next < UINT64_C(1) << 32 ? next : 0);
        memcpy(&x[i], &u, 4);
        next += step;
      }
      rows[o].vector(x, r[0], r[1]);
      for (int i = 0; i < AD_V32_LANES; i++) {
        double want[2];
        rows[o].scalar((double)x[i], &want[0], &want[1]);
        for (int k = 0; k < 2; k++) {
          /* a partial made of a value that has lost its digits, or has overflowed, has lost them too */
          if (k && (ad_ops[o].keep & AD_KEEP_V) && ((fabsf(r[0][i]) < 0x1p-126f && fabs(want[1]) < 1e-35) || (isinf(r[0][i]) && !isinf(want[0])))) continue;
          double e = ulps(r[k][i], want[k], low[k]);
          if (e > worst[k]) worst[k] = e, at[k] = x[i];
        }
      }
    }
    printf("| %s | %.2f | %.9g | %.2f | %.9g |\n", rows[o].name, worst[0], (double)at[0], worst[1], (double)at[1]);
    fflush(stdout);
    for (int k = 0; k < 2; k++)
      if (worst[k] > limit[k]) fprintf(stderr, "%s %s: %.3g ULP > %g at %.9g (%a)\n", rows[o].name, k ? "derivative" : "value", worst[k], limit[k], (double)at[k], (double)at[k]), over++;
  }
  return over != 0;
}
