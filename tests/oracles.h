/* The rows as MPFR functions: values only, no derivative is written here. Used by accuracy_ops.c, accuracy_special.c, accuracy_dag.c. */
#ifndef TEST_ORACLES_H
#define TEST_ORACLES_H
#include <mpfr.h>
#include <stdbool.h>

#ifndef BITS
#define BITS 900
#endif

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
DIRECT(chain, mpfr_mul(r, x, y, RN); if (mpfr_zero_p(x) && !mpfr_nan_p(y)) mpfr_set_zero(r, 1))
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
static bool half_integer(mpfr_t x) { NEW(t); mpfr_mul_2ui(t, x, 1, RN); bool odd = mpfr_integer_p(t) && !mpfr_integer_p(x); END(t); return odd; }
static void o_sinpi(mpfr_t r, mpfr_t x, mpfr_t y) { (void)y; bool zero = mpfr_integer_p(x); pi_times(r, x); mpfr_sin(r, r, RN); if (zero) mpfr_set_zero(r, 1); }
static void o_cospi(mpfr_t r, mpfr_t x, mpfr_t y) { (void)y; bool zero = half_integer(x); pi_times(r, x); mpfr_cos(r, r, RN); if (zero) mpfr_set_zero(r, 1); }
static void o_sinc(mpfr_t r, mpfr_t x, mpfr_t y) { NEW(t); (void)y; if (mpfr_zero_p(x)) { mpfr_set_ui(r, 1, RN); END(t); return; } pi_times(t, x); o_sinpi(r, x, y); mpfr_div(r, r, t, RN); END(t); }
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
  if (mpfr_sgn(y) < 0) { mpfr_set_nan(r); END(a); return; }
  if (mpfr_cmp(a, y) <= 0) { mpfr_sqr(r, x, RN); mpfr_div_ui(r, r, 2, RN); }
  else { mpfr_div_si(r, y, -2, RN); mpfr_add(r, r, a, RN); mpfr_mul(r, r, y, RN); }
  END(a);
}
static void o_logaddexp(mpfr_t r, mpfr_t x, mpfr_t y) { NEW(d); mpfr_sub(d, y, x, RN); mpfr_exp(d, d, RN); mpfr_log1p(d, d, RN); mpfr_add(r, x, d, RN); END(d); }
static void o_logaddexp_share(mpfr_t r, mpfr_t x, mpfr_t y) { NEW(d); mpfr_sub(d, x, y, RN); o_sigmoid(r, d, y); END(d); }
static void o_xlogy(mpfr_t r, mpfr_t x, mpfr_t y) { if (mpfr_zero_p(x)) mpfr_set_ui(r, 0, RN); else { mpfr_log(r, y, RN); mpfr_mul(r, r, x, RN); } }
static void o_xlog1py(mpfr_t r, mpfr_t x, mpfr_t y) { if (mpfr_zero_p(x)) mpfr_set_ui(r, 0, RN); else { mpfr_log1p(r, y, RN); mpfr_mul(r, r, x, RN); } }

/* polygamma of order x: so many differences of digamma, at a step and with digits that leave room for those of derivative() */
static void o_polygamma(mpfr_t r, mpfr_t x, mpfr_t y) {
  mpfr_t a, h, s;
  long n = mpfr_get_si(x, RN), c = 1;
  mpfr_inits2(BITS + 150 * n + 150, a, h, s, (mpfr_ptr)0);
  mpfr_abs(h, y, RN); mpfr_mul_2si(h, h, -150, RN); mpfr_set_ui(s, 0, RN);
  for (long i = 0; i <= n; i++) {
    mpfr_mul_si(a, h, n - 2 * i, RN); mpfr_add(a, a, y, RN); mpfr_digamma(a, a, RN);
    mpfr_mul_si(a, a, i % 2 ? -c : c, RN); mpfr_add(s, s, a, RN);
    c = c * (n - i) / (i + 1);
  }
  mpfr_mul_2ui(h, h, 1, RN); mpfr_pow_ui(h, h, (unsigned long)n, RN); mpfr_div(r, s, h, RN); END(a, h, s);
}
static void o_mish_gate(mpfr_t r, mpfr_t x, mpfr_t y) { o_softplus(r, x, y); mpfr_tanh(r, r, RN); }

/* of ternary rows the third operand is here */
static mpfr_t operand_z;
static void o_fma(mpfr_t r, mpfr_t x, mpfr_t y) { mpfr_fma(r, x, y, operand_z, RN); }
static void o_where(mpfr_t r, mpfr_t x, mpfr_t y) { mpfr_set(r, mpfr_zero_p(x) ? operand_z : y, RN); }
static void o_clamp(mpfr_t r, mpfr_t x, mpfr_t y) { mpfr_max(r, x, y, RN); mpfr_min(r, r, operand_z, RN); }
static void o_lerp(mpfr_t r, mpfr_t x, mpfr_t y) { NEW(t); mpfr_sub(t, y, x, RN); mpfr_fma(r, t, operand_z, x, RN); END(t); }

/* order: how often the oracle is differentiated (in x) to give the row's value. Limits in ULP for value, f' and f'' (0: not
   judged). floor: results below it count in ULP of it (value, f', f''). */
typedef struct judge {
  const char *name; oracle *f; int order;
  double limit[3], floor[3];
} judge;
#define ROW(name) { #name, o_##name, 0, { 1.1, 4, 6 }, { 0, 0, 0 } }
#include "accuracy_ops_limits.h"
#undef ROW

#endif
