/* Errors in ULP of every row of the table: value, first and second derivative, against MPFR. LIBS: -lmpfr -lgmp

   The judge of a derivative is the value alone: central differences of the MPFR function at 900 bits with a step of 2^-110 x,
   so no derivative formula is written here. Rows that are derivatives of others (tanh_slope, trigamma) are judged as such.

     accuracy_ops [points] [row]      points a row and dtype (default 1000); prints a table in Markdown and the limits exceeded
     accuracy_ops --reference         prints tests/test_ops_reference.h

   Systems: v32, v64 (SLEEF where present), f32, f64 (libm); second derivatives by duals over f32 and f64. A second pass looks at
   the whole range of exponents. Errors are in units of the last place of the result, or of the row's floor where the result
   is smaller than that (near a root in the middle of the domain no formula in x keeps relative accuracy). */

#include "ad_simd.h"
#include "ad.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <mpfr.h>

AD_DUAL(d32, ad_f32, 1)
AD_DUAL(d64, ad_f64, 1)

enum { BITS = 900, STEP = 110, MOST = 6 };

/* -- MPFR functions, of values only ------------------------------------------------------------------------------------- */

typedef void oracle(mpfr_t r, mpfr_t x, mpfr_t y);
#define RN MPFR_RNDN
#define NEW(...) mpfr_t __VA_ARGS__; mpfr_inits2(BITS, __VA_ARGS__, (mpfr_ptr)0)
#define END(...) mpfr_clears(__VA_ARGS__, (mpfr_ptr)0)
#define DIRECT(name, call) static void o_##name(mpfr_t r, mpfr_t x, mpfr_t y) { (void)x; (void)y; call; }
#define PLAIN(name) DIRECT(name, mpfr_##name(r, x, RN))

PLAIN(neg) PLAIN(abs) PLAIN(sqrt) PLAIN(cbrt) PLAIN(exp) PLAIN(exp2) PLAIN(exp10) PLAIN(expm1) PLAIN(log) PLAIN(log2) PLAIN(log10)
PLAIN(log1p) PLAIN(sin) PLAIN(cos) PLAIN(tan) PLAIN(asin) PLAIN(acos) PLAIN(atan) PLAIN(sinh) PLAIN(cosh) PLAIN(tanh) PLAIN(asinh)
PLAIN(acosh) PLAIN(atanh) PLAIN(erf) PLAIN(erfc) PLAIN(digamma)
DIRECT(tgamma, mpfr_gamma(r, x, RN))
DIRECT(lgamma, int s; mpfr_lgamma(r, &s, x, RN))
DIRECT(square, mpfr_sqr(r, x, RN))
DIRECT(recip, mpfr_ui_div(r, 1, x, RN))
DIRECT(rsqrt, mpfr_rec_sqrt(r, x, RN))
DIRECT(floor, mpfr_floor(r, x)) DIRECT(ceil, mpfr_ceil(r, x)) DIRECT(trunc, mpfr_trunc(r, x)) DIRECT(rint, mpfr_rint(r, x, RN))
DIRECT(round, mpfr_round(r, x))
DIRECT(sign, mpfr_set_si(r, mpfr_sgn(x), RN))
DIRECT(step, mpfr_set_si(r, mpfr_sgn(x) > 0, RN))
DIRECT(add, mpfr_add(r, x, y, RN)) DIRECT(sub, mpfr_sub(r, x, y, RN)) DIRECT(mul, mpfr_mul(r, x, y, RN)) DIRECT(div, mpfr_div(r, x, y, RN))
DIRECT(pow, mpfr_pow(r, x, y, RN)) DIRECT(atan2, mpfr_atan2(r, x, y, RN)) DIRECT(hypot, mpfr_hypot(r, x, y, RN))
DIRECT(fmod, mpfr_fmod(r, x, y, RN)) DIRECT(remainder, mpfr_remainder(r, x, y, RN))
DIRECT(copysign, mpfr_copysign(r, x, y, RN))
DIRECT(max, mpfr_max(r, x, y, RN)) DIRECT(min, mpfr_min(r, x, y, RN)) DIRECT(fmax, mpfr_max(r, x, y, RN)) DIRECT(fmin, mpfr_min(r, x, y, RN))
DIRECT(powi, mpfr_pow(r, x, y, RN))
DIRECT(less, mpfr_set_si(r, mpfr_less_p(x, y), RN)) DIRECT(less_equal, mpfr_set_si(r, mpfr_lessequal_p(x, y), RN))
DIRECT(equal, mpfr_set_si(r, mpfr_equal_p(x, y), RN)) DIRECT(not_equal, mpfr_set_si(r, !mpfr_equal_p(x, y), RN))
DIRECT(relu, mpfr_set(r, x, RN); if (mpfr_sgn(x) < 0) mpfr_set_ui(r, 0, RN))
DIRECT(chain, mpfr_mul(r, x, y, RN))
DIRECT(leaky_relu, if (mpfr_sgn(x) > 0) mpfr_set(r, x, RN); else mpfr_mul(r, x, y, RN))
DIRECT(elu, if (mpfr_sgn(x) > 0) mpfr_set(r, x, RN); else { mpfr_expm1(r, x, RN); mpfr_mul(r, r, y, RN); })
DIRECT(frac, mpfr_frac(r, x, RN))
DIRECT(wrap, mpfr_rint(r, x, RN); mpfr_sub(r, x, r, RN))
DIRECT(logsigmoid, mpfr_neg(r, x, RN); mpfr_exp(r, r, RN); mpfr_log1p(r, r, RN); mpfr_neg(r, r, RN))
DIRECT(softplus, mpfr_exp(r, x, RN); mpfr_log1p(r, r, RN))
DIRECT(sigmoid, mpfr_neg(r, x, RN); mpfr_exp(r, r, RN); mpfr_add_ui(r, r, 1, RN); mpfr_ui_div(r, 1, r, RN))
DIRECT(one_plus_square, mpfr_sqr(r, x, RN); mpfr_add_ui(r, r, 1, RN))
DIRECT(one_minus_square, mpfr_sqr(r, x, RN); mpfr_ui_sub(r, 1, r, RN))
DIRECT(times_complement, mpfr_ui_sub(r, 1, x, RN); mpfr_mul(r, r, x, RN))
DIRECT(gauss, mpfr_sqr(r, x, RN); mpfr_neg(r, r, RN); mpfr_exp(r, r, RN))
DIRECT(logcosh, mpfr_cosh(r, x, RN); mpfr_log(r, r, RN))
DIRECT(versin, mpfr_cos(r, x, RN); mpfr_ui_sub(r, 1, r, RN))

static void pi_times(mpfr_t r, mpfr_t x) { mpfr_const_pi(r, RN); mpfr_mul(r, r, x, RN); }
static void o_sinpi(mpfr_t r, mpfr_t x, mpfr_t y) { (void)y; pi_times(r, x); mpfr_sin(r, r, RN); }
static void o_cospi(mpfr_t r, mpfr_t x, mpfr_t y) { (void)y; pi_times(r, x); mpfr_cos(r, r, RN); }
static void o_sinc(mpfr_t r, mpfr_t x, mpfr_t y) { NEW(t); (void)y; pi_times(t, x); mpfr_sin(r, t, RN); mpfr_div(r, r, t, RN); END(t); }
static void o_normal_pdf(mpfr_t r, mpfr_t x, mpfr_t y) {
  NEW(t); (void)y;
  mpfr_sqr(r, x, RN); mpfr_div_si(r, r, -2, RN); mpfr_exp(r, r, RN);
  mpfr_const_pi(t, RN); mpfr_mul_ui(t, t, 2, RN); mpfr_sqrt(t, t, RN); mpfr_div(r, r, t, RN); END(t);
}
static void o_ndtr(mpfr_t r, mpfr_t x, mpfr_t y) {
  (void)y; mpfr_set_ui(r, 2, RN); mpfr_sqrt(r, r, RN); mpfr_div(r, x, r, RN); mpfr_neg(r, r, RN); mpfr_erfc(r, r, RN); mpfr_div_ui(r, r, 2, RN);
}
static void o_log_ndtr(mpfr_t r, mpfr_t x, mpfr_t y) {
  NEW(t); mpfr_neg(t, x, RN);
  if (mpfr_sgn(x) > 0) { o_ndtr(r, t, y); mpfr_neg(r, r, RN); mpfr_log1p(r, r, RN); }
  else { o_ndtr(r, x, y); mpfr_log(r, r, RN); }
  END(t);
}
static void o_gelu(mpfr_t r, mpfr_t x, mpfr_t y) { o_ndtr(r, x, y); mpfr_mul(r, r, x, RN); }
static void o_silu(mpfr_t r, mpfr_t x, mpfr_t y) { o_sigmoid(r, x, y); mpfr_mul(r, r, x, RN); }
static void o_mish(mpfr_t r, mpfr_t x, mpfr_t y) { o_softplus(r, x, y); mpfr_tanh(r, r, RN); mpfr_mul(r, r, x, RN); }
static void o_erfcx(mpfr_t r, mpfr_t x, mpfr_t y) {
  NEW(t); (void)y; mpfr_sqr(t, x, RN); mpfr_exp(t, t, RN); mpfr_erfc(r, x, RN); mpfr_mul(r, r, t, RN); END(t);
}
static void o_softsign(mpfr_t r, mpfr_t x, mpfr_t y) { (void)y; mpfr_abs(r, x, RN); mpfr_add_ui(r, r, 1, RN); mpfr_div(r, x, r, RN); }
static void o_logit(mpfr_t r, mpfr_t x, mpfr_t y) { (void)y; mpfr_ui_sub(r, 1, x, RN); mpfr_div(r, x, r, RN); mpfr_log(r, r, RN); }
static void o_xlogx(mpfr_t r, mpfr_t x, mpfr_t y) { (void)y; mpfr_log(r, x, RN); mpfr_mul(r, r, x, RN); }
static void o_entropy(mpfr_t r, mpfr_t x, mpfr_t y) { o_xlogx(r, x, y); mpfr_neg(r, r, RN); }
static void bound(mpfr_t r, mpfr_t x, long lo, long hi) {
  mpfr_set(r, x, RN);
  if (mpfr_cmp_si(r, lo) < 0) mpfr_set_si(r, lo, RN);
  if (mpfr_cmp_si(r, hi) > 0) mpfr_set_si(r, hi, RN);
}
static void o_relu6(mpfr_t r, mpfr_t x, mpfr_t y) { (void)y; bound(r, x, 0, 6); }
static void o_hardtanh(mpfr_t r, mpfr_t x, mpfr_t y) { (void)y; bound(r, x, -1, 1); }
static void o_smoothstep(mpfr_t r, mpfr_t x, mpfr_t y) {
  NEW(t); (void)y; bound(t, x, 0, 1); mpfr_mul_si(r, t, -2, RN); mpfr_add_ui(r, r, 3, RN); mpfr_sqr(t, t, RN); mpfr_mul(r, r, t, RN); END(t);
}
static void o_huber(mpfr_t r, mpfr_t x, mpfr_t y) {
  NEW(a); mpfr_abs(a, x, RN);
  if (mpfr_cmp(a, y) <= 0) { mpfr_sqr(r, x, RN); mpfr_div_ui(r, r, 2, RN); }
  else { mpfr_div_si(r, y, -2, RN); mpfr_add(r, r, a, RN); mpfr_mul(r, r, y, RN); }
  END(a);
}
static void o_logaddexp(mpfr_t r, mpfr_t x, mpfr_t y) { NEW(d); mpfr_sub(d, y, x, RN); mpfr_exp(d, d, RN); mpfr_log1p(d, d, RN); mpfr_add(r, x, d, RN); END(d); }
static void o_logaddexp_share(mpfr_t r, mpfr_t x, mpfr_t y) { NEW(d); mpfr_sub(d, x, y, RN); o_sigmoid(r, d, y); END(d); }
static void o_xlogy(mpfr_t r, mpfr_t x, mpfr_t y) { mpfr_log(r, y, RN); mpfr_mul(r, r, x, RN); }
static void o_xlog1py(mpfr_t r, mpfr_t x, mpfr_t y) { mpfr_log1p(r, y, RN); mpfr_mul(r, r, x, RN); }

/* order: how often the oracle is differentiated (in x) to give the row's value. Limits in ULP for value, f' and f'' (0: not
   judged). floor: results below it count in ULP of it (value, f', f''). lo, hi, wide: where the whole-range pass samples. */
typedef struct judge {
  const char *name; oracle *f; int order;
  double limit[3], floor[3];
} judge;
#define ROW(name) { #name, o_##name, 0, { 1.1, 4, 6 }, { 0, 0, 0 } }
#include "accuracy_ops_limits.h"

/* -- measuring ---------------------------------------------------------------------------------------------------------- */

/* r = the n-th derivative of f along operand k by central differences */
static void derivative(mpfr_t r, oracle *f, int n, int k, double x, double y) {
  static mpfr_t a, b, h, s, t, most;
  static int ready;
  if (!ready) { mpfr_inits2(BITS, a, b, h, s, t, most, (mpfr_ptr)0); ready = 1; }
  mpfr_set_d(a, x, RN); mpfr_set_d(b, y, RN);
  if (n == 0) { f(r, a, b); return; }
  mpfr_set_d(h, k ? y : x, RN);
  mpfr_abs(h, h, RN);
  mpfr_mul_2si(h, h, -STEP, RN);
  mpfr_set_ui(s, 0, RN);
  mpfr_set_ui(most, 0, RN);
  double c = 1;
  for (int i = 0; i <= n; i++) {
    mpfr_set_d(a, x, RN); mpfr_set_d(b, y, RN);
    mpfr_mul_si(t, h, n - 2 * i, RN);
    if (k) mpfr_add(b, b, t, RN); else mpfr_add(a, a, t, RN);
    f(t, a, b);
    mpfr_mul_d(t, t, i % 2 ? -c : c, RN);
    mpfr_add(s, s, t, RN);
    if (mpfr_cmpabs(t, most) > 0) mpfr_abs(most, t, RN);
    c = c * (n - i) / (i + 1);
  }
  /* what is left of the terms is rounding: a derivative that is 0 (or, too small for these bits, not judged) */
  mpfr_mul_2si(most, most, 60 - BITS, RN);
  if (mpfr_cmpabs(s, most) <= 0) { if (mpfr_zero_p(s) && fabs(x) > 1e-20 && (!k || fabs(y) > 1e-20)) mpfr_set_ui(r, 0, RN); else mpfr_set_nan(r); return; }
  mpfr_mul_2ui(h, h, 1, RN);
  for (int i = 0; i < n; i++) mpfr_div(s, s, h, RN);
  mpfr_set(r, s, RN);
}

/* error of got in ULP of the reference, in a format of bits of precision and least exponent e_min; 1e9: of another class */
static double ulps(double got, mpfr_t ref, int single, double floor_) {
  static mpfr_t d; static int ready;
  if (!ready) { mpfr_init2(d, BITS); ready = 1; }
  double want = single ? (double)mpfr_get_flt(ref, RN) : mpfr_get_d(ref, RN);
  if (isnan(want)) return 0;
  if (isnan(got)) return 1e9;
  if (isinf(want) || isinf(got)) {
    if (want == got) return 0;
    mpfr_set_d(d, single ? 0x1.fffffep127 : 0x1.fffffffffffffp1023, RN);          /* rounding at the edge of the range */
    mpfr_sub(d, ref, d, RN); mpfr_div_d(d, d, single ? 0x1p104 : 0x1p971, RN);
    double e = fabs(mpfr_get_d(d, RN));
    return e < 16 && fabs(isinf(got) ? want : got) > (single ? 3e38 : 1.7e308) ? e : 1e9;
  }
  double m = fmax(fabs(want), floor_);
  int e = m == 0 ? -100000 : ilogb(m), least = single ? -126 : -1022;
  mpfr_set_d(d, got, RN); mpfr_sub(d, d, ref, RN);
  mpfr_div_2si(d, d, (e < least ? least : e) - (single ? 23 : 52), RN);
  return fabs(mpfr_get_d(d, RN));
}

typedef struct system_ { const char *name; int single; } system_;
static const system_ systems[4] = { { "v64", 0 }, { "v32", 1 }, { "f64", 0 }, { "f32", 1 } };

/* out: value, dx, dy, dxx of row op in system s at x, y */
typedef void evaluate(double x, double y, double out[4]);
#define EVALUATE_1(N, D, op, ...)                                                                                             \
  static void v64_##op(double x, double y, double out[4]) { ad_f64 a[AD_V64_LANES]; (void)y;                                  \
    ad_v64 v = ad_v64_##op(ad_v64_k(x)); ad_v64_store(a, v); out[0] = a[0];                                                   \
    ad_v64_store(a, ad_v64_##op##_dx(ad_v64_k(x), v)); out[1] = a[0]; out[2] = out[3] = NAN; }                                \
  static void v32_##op(double x, double y, double out[4]) { ad_f32 a[AD_V32_LANES]; (void)y;                                  \
    ad_v32 v = ad_v32_##op(ad_v32_k(x)); ad_v32_store(a, v); out[0] = (double)a[0];                                           \
    ad_v32_store(a, ad_v32_##op##_dx(ad_v32_k(x), v)); out[1] = (double)a[0]; out[2] = out[3] = NAN; }                        \
  static void f64_##op(double x, double y, double out[4]) { d64 a = d64_variable(x, 0), v = d64_##op(a); (void)y;             \
    out[0] = v.v; out[1] = v.d[0]; out[2] = NAN; out[3] = d64_##op##_dx(a, v).d[0]; }                                         \
  static void f32_##op(double x, double y, double out[4]) { d32 a = d32_variable((float)x, 0), v = d32_##op(a); (void)y;      \
    out[0] = (double)v.v; out[1] = (double)v.d[0]; out[2] = NAN; out[3] = (double)d32_##op##_dx(a, v).d[0]; }
#define EVALUATE_2(N, D, op, ...)                                                                                             \
  static void v64_##op(double x, double y, double out[4]) { ad_f64 a[AD_V64_LANES];                                           \
    ad_v64 v = ad_v64_##op(ad_v64_k(x), ad_v64_k(y)); ad_v64_store(a, v); out[0] = a[0];                                      \
    ad_v64_store(a, ad_v64_##op##_dx(ad_v64_k(x), ad_v64_k(y), v)); out[1] = a[0];                                            \
    ad_v64_store(a, ad_v64_##op##_dy(ad_v64_k(x), ad_v64_k(y), v)); out[2] = a[0]; out[3] = NAN; }                            \
  static void v32_##op(double x, double y, double out[4]) { ad_f32 a[AD_V32_LANES];                                           \
    ad_v32 v = ad_v32_##op(ad_v32_k(x), ad_v32_k(y)); ad_v32_store(a, v); out[0] = (double)a[0];                              \
    ad_v32_store(a, ad_v32_##op##_dx(ad_v32_k(x), ad_v32_k(y), v)); out[1] = (double)a[0];                                    \
    ad_v32_store(a, ad_v32_##op##_dy(ad_v32_k(x), ad_v32_k(y), v)); out[2] = (double)a[0]; out[3] = NAN; }                    \
  static void f64_##op(double x, double y, double out[4]) {                                                                   \
    d64 a = d64_variable(x, 0), b = d64_constant(y), v = d64_##op(a, b);                                                      \
    out[0] = v.v; out[1] = v.d[0]; out[2] = ad_f64_##op##_dy(x, y, v.v); out[3] = d64_##op##_dx(a, b, v).d[0]; }              \
  static void f32_##op(double x, double y, double out[4]) {                                                                   \
    d32 a = d32_variable((float)x, 0), b = d32_constant((float)y), v = d32_##op(a, b);                                        \
    out[0] = (double)v.v; out[1] = (double)v.d[0]; out[2] = (double)ad_f32_##op##_dy((float)x, (float)y, v.v);                \
    out[3] = (double)d32_##op##_dx(a, b, v).d[0]; }
AD_UNARY(EVALUATE_1, , )
AD_BINARY(EVALUATE_2, , )
#define LIST(N, D, op, ...) { v64_##op, v32_##op, f64_##op, f32_##op },
static evaluate *const rows[][4] = { AD_UNARY(LIST, , ) AD_BINARY(LIST, , ) };

/* functions whose derivatives lose themselves below 1 - 2^-BITS, or take numbers of too many digits */
static bool saturates(oracle *f) {
  static oracle *const all[] = { o_erfcx, o_mish, o_softplus, o_logsigmoid, o_logcosh, o_logaddexp, o_silu, o_sigmoid, o_tanh, o_gelu, o_ndtr, o_log_ndtr,
                                 o_logaddexp_share, o_normal_pdf, o_gauss, o_erf, o_erfc, o_elu };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i] == f) return true;
  return false;
}

static bool near_one(oracle *f) { return f == o_erf || f == o_erfc || f == o_ndtr || f == o_gelu || f == o_log_ndtr; }

static uint64_t state = 88172645463325252u;
static double uniform(void) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return (double)(state >> 11) * 0x1p-53; }

/* sample i of operand k: half in the row's domain, half over exponents (around 0 and around the ends of the domain) */
static double sample(const ad_op_info *op, int k, int i, int single) {
  double lo = op->lo[k], hi = op->hi[k], x, u = uniform();
  int range = single ? 40 : 300;
  if (op->arity == 2) range = single ? 20 : 60;
  switch (i % 6) {
    case 0: case 1: case 2: x = lo + (hi - lo) * u; break;
    case 3: x = ldexp(1 + uniform(), (int)(u * 2 * range) - range); if (i & 1) x = -x; break;
    case 4: x = ldexp(1 + uniform(), -(int)(u * 30)); x = i & 1 ? hi - x : lo + x; break;
    default: x = ldexp(1 + uniform(), (int)(u * 24) - 12); if (uniform() < 0.5) x = -x; break;
  }
  return single ? (double)(float)x : x;
}

/* --reference: points for tests/test_ops.c with value and partials, for machines without MPFR */
static void print_references(void) {
  mpfr_t ref; mpfr_init2(ref, BITS);
  printf("/* Made by: accuracy_ops --reference. Row, operands (floats), value, f_x, f_y, f_xx; NONE: not judged; a floor for value, f_x and f_xx. */\n");
  for (int o = 0; o < AD_OP_BINARY_END_; o++) {
    const judge *j = judge_of(ad_ops[o].name);
    if (!j) continue;
    for (int i = 0; i < 9; i++) {
      double lo = ad_ops[o].lo[0], hi = ad_ops[o].hi[0], u = (i + 0.37) / 9, w = (i * 5 % 9 + 0.41) / 9;
      double x = (double)(float)(lo + (hi - lo) * (i & 1 ? u : u * u)), y = (double)(float)(ad_ops[o].lo[1] + (ad_ops[o].hi[1] - ad_ops[o].lo[1]) * w);
      if (j->f == o_powi) y = rint(y);
      if (ad_ops[o].arity == 1) y = 0;
      printf("{ AD_OP_%s, %a, %a", ad_ops[o].name, x, y);
      for (int m = 0; m < 4; m++) {
        if (j->limit[m == 3 ? 2 : m ? 1 : 0] == 0 || (m == 2 && (y == 0 || j->order || j->f == o_powi))) { printf(", NONE"); continue; }
        derivative(ref, j->f, j->order + (m == 0 ? 0 : m == 3 ? 2 : 1), m == 2, x, y);
        if (mpfr_nan_p(ref)) printf(", NONE"); else printf(", %a", mpfr_get_d(ref, RN));
      }
      printf(", %g, %g, %g },\n", j->floor[0], j->floor[1], j->floor[2]);
    }
  }
  mpfr_clear(ref);
}

int main(int argc, char **argv) {
  mpfr_set_emin(mpfr_get_emin_min()); mpfr_set_emax(mpfr_get_emax_max());
  if (argc > 1 && !strcmp(argv[1], "--reference")) { print_references(); return 0; }
  int points = argc > 1 ? atoi(argv[1]) : 1000, over = 0;
  const char *only = argc > 2 ? argv[2] : NULL;
  mpfr_t ref; mpfr_init2(ref, BITS);
  printf("Against MPFR, %d points a row and dtype, in the domain of the row and over exponents.\n\n", points);
  printf("| row | value v64 / v32 | libm f64 / f32 | f' v64 / v32 | libm f64 / f32 | f_y v64 / v32 | f'' f64 / f32 |\n|---|---|---|---|---|---|---|\n");
  for (int o = 0; o < AD_OP_BINARY_END_; o++) {
    const ad_op_info *op = &ad_ops[o];
    const judge *j = judge_of(op->name);
    if (!j || (only && strcmp(only, op->name))) { if (!j && !only && !is_unjudged(op->name)) { printf("%s has no judge\n", op->name); over++; } continue; }
    double worst[4][4] = { { 0 } }, at[4][4][2] = { { { 0 } } };
    for (int s = 0; s < 4; s++) {
      if (s >= 2) continue;
      for (int i = 0; i < points; i++) {
        double x = sample(op, 0, i, s & 1), y = op->arity > 1 ? sample(op, 1, i + (i / 6) % 6, s & 1) : 0, out[2][4];
        if (!strcmp(op->name, "powi")) y = rint(y);
        if (op->arity > 1 && op->lo[1] >= 0) y = fabs(y);
        if (op->arity > 1 && x == y) continue;
        if (j->f == o_lgamma || j->f == o_digamma || j->f == o_tgamma) { if (x < 0 || x > (j->f == o_tgamma ? 200 : 1e20)) continue; }
        if (fabs(x) > 1e6 && (j->f == o_sinpi || j->f == o_cospi || j->f == o_sinc || j->f == o_sin || j->f == o_cos || j->f == o_tan || j->f == o_versin)) continue;
        if ((j->f == o_fmod || j->f == o_remainder) && fabs(x / y) > 1e12) continue;
        if (fmax(fabs(x), fabs(y)) > (near_one(j->f) ? 18 : 150) && saturates(j->f)) continue;
        rows[o][s](x, y, out[0]); rows[o][s + 2](x, y, out[1]);
        for (int m = 0; m < 4; m++) {
          if (m == 2 && op->arity == 1) continue;
          if (j->limit[m == 3 ? 2 : m ? 1 : 0] == 0) continue;
          if (x == 0 || (m == 2 && (y == 0 || j->order || j->f == o_powi))) continue;
          derivative(ref, j->f, j->order + (m == 0 ? 0 : m == 3 ? 2 : 1), m == 2, x, y);
          if (mpfr_nan_p(ref)) continue;
          for (int l = 0; l < 2; l++) {
            if (m == 3 && l == 0) continue;
            double least = s & 1 ? 0x1p-126 : 0x1p-1022;        /* a subnormal value has few digits to make a partial of */
            if (m && fabs(out[l][0]) < least && (op->keep & AD_KEEP_V)) continue;
            if (m == 3 && (fabs(out[l][3]) < least || fabs(out[l][1]) < least)) continue;
            double e = ulps(out[l][m], ref, s & 1, j->floor[m == 3 ? 2 : m ? 1 : 0]);
            if (e > worst[s + 2 * l][m]) { worst[s + 2 * l][m] = e; at[s + 2 * l][m][0] = x; at[s + 2 * l][m][1] = y; }
          }
        }
      }
    }
    printf("| %s ", op->name);
    for (int c = 0; c < 6; c++) {           /* columns: systems 0, 1 or 2, 3 and what of value, f_x, f_y, f_xx */
      static const int system[6] = { 0, 2, 0, 2, 0, 2 }, what[6] = { 0, 0, 1, 1, 2, 3 };
      int m = what[c];
      if (j->limit[m == 3 ? 2 : m ? 1 : 0] == 0 || (m == 2 && (op->arity == 1 || j->order || j->f == o_powi))) printf("| - ");
      else printf("| %.2f / %.2f ", worst[system[c]][m], worst[system[c] + 1][m]);
    }
    printf("|\n");
    for (int s = 0; s < 4; s++)
      for (int m = 0; m < 4; m++) {
        double limit = j->limit[m == 3 ? 2 : m ? 1 : 0];
        if (s >= 2 && m < 2) limit += 3;       /* libm of the machine */
        if (worst[s][m] > limit) {
          static const char *const what[4] = { "value", "f_x", "f_y", "f_xx" };
          fprintf(stderr, "%s %s %s: %.3g ULP > %g at %.17g %.17g\n", op->name, systems[s].name, what[m], worst[s][m], limit, at[s][m][0], at[s][m][1]);
          over++;
        }
      }
    fflush(stdout);
  }
  if (over) fprintf(stderr, "%d over their limit\n", over);
  return over != 0;
}
