/* ad.h - v0.1 - MIT - automatic differentiation for C: duals, tape, functions, tensors.

   Drop ad.h and ad_simd.h into a project. In exactly one file, before the include:
       #define AD_IMPLEMENTATION
   Link with -lm, and -lsleef where <sleef.h> is installed.

   Contents, by tag:
     >>config    options, linkage
     >>status    what can go wrong
     >>ops       the table: every elementwise operation, its value and its partials
     >>rules     the rows become functions of a number system
     >>dual      forward mode: numbers that carry their tangents
     >>drivers   Jacobian, gradient, directional derivative, Hessian of a C function
     >>tape      ad_tape and ad_var: programs recorded as nodes
     >>backward  the reverse sweep, gradients
     >>tensor    arrays as nodes: records, views, broadcasting, the reverse sweep over them
     >>tensor-ops  structural operations, layers, losses, optimisers
     >>generic   ad_add, ad_sin, ...: one name for double, duals and mixes with numbers
     >>function  a recording compiled once and run over many points
     >>sparse    patterns, colours, compressed Jacobians and Hessians
     >>custom    operations of the program's own
     >>checkpoint  gradients through long loops with a few stored states
     >>reverse-drivers  gradient, Jacobian, Hessian of a C function by the tape
     >>check     gradients against differences, values that are not finite
     >>print     the graph as a picture
     >>memory    where a tape lies, how it grows
     >>kernels   the rows as loops over arrays, by opcode

   Licence: MIT. See the file LICENSE of the project. */

#ifndef AD_H
#define AD_H

/* >>config -------------------------------------------------------------------------------------------------------------- */

#if defined(AD_STATIC) && !defined(AD_IMPLEMENTATION)
#define AD_IMPLEMENTATION               /* all of it, private to this unit */
#endif

#if !defined(AD_IMPLEMENTATION) && !defined(AD_SIMD_SCALARS_ONLY)
#define AD_SIMD_SCALARS_ONLY            /* only what a unit that differentiates needs: no intrinsics, no <sleef.h> */
#define AD__SCALARS_ONLY_HERE
#endif
#include "ad_simd.h"
#ifdef AD__SCALARS_ONLY_HERE
#undef AD_SIMD_SCALARS_ONLY
#undef AD__SCALARS_ONLY_HERE
#endif

#include <stdio.h>
#include <stdlib.h>

#ifndef AD_DUAL_WIDTH
#define AD_DUAL_WIDTH 8
#endif

/* for what inline paths leave: never inlined into them */
#if defined(__GNUC__)
#define AD__COLD __attribute__((noinline, cold))
#else
#define AD__COLD
#endif

/* the linkage of the implementation part */
#if defined(AD_STATIC)
#define AD_API AD_LOCAL
#elif defined(__cplusplus)
#define AD_API extern "C"
#else
#define AD_API extern
#endif

/* AD_MALLOC and AD_FREE, defined before the include, replace malloc and free; a null pointer from it is an ordinary error. */
#ifndef AD_MALLOC
#define AD_MALLOC(bytes) malloc(bytes)
#define AD_FREE(p) free(p)
#endif

/* >>status -------------------------------------------------------------------------------------------------------------- */

#define AD_STATUSES(S)                                                                                                        \
  S(AD_OK) S(AD_ERROR_MEMORY) S(AD_ERROR_SHAPE) S(AD_ERROR_DTYPE) S(AD_ERROR_ARGUMENT) S(AD_ERROR_TAPE)                       \
  S(AD_ERROR_LIMIT) S(AD_ERROR_BRANCH) S(AD_ERROR_UNSUPPORTED)

#define AD__STATUS_CODE(code) code,
typedef enum ad_status { AD_STATUSES(AD__STATUS_CODE) AD_STATUS_COUNT_ } ad_status;

/* "AD_OK", "AD_ERROR_MEMORY", ...; never null */
AD_INLINE const char *ad_status_name(ad_status status) {
#define AD__STATUS_NAME(code) #code,
  static const char *const name[] = { AD_STATUSES(AD__STATUS_NAME) "unknown status" };
  return name[status >= AD_OK && status < AD_STATUS_COUNT_ ? status : AD_STATUS_COUNT_];
}

/* >>ops -----------------------------------------------------------------------------------------------------------------
   THE TABLE. One row is one elementwise operation; engines, tests, accuracy reports and documentation are expanded from it.

     ROW(N, D, name, value, dx, keep, lo, hi)                                       AD_UNARY
     ROW(N, D, name, value, dx, dy, keep, xlo, xhi, ylo, yhi)                       AD_BINARY
     ROW(N, D, name, value, dx, dy, dz, keep, xlo, xhi, ylo, yhi, zlo, zhi)         AD_TERNARY

   N is the number system in which the formulas are read, D is passed through (the engine's own type). x, y, z are the
   operands, v is the value. Formulas use words of N only, so one row serves double, a SIMD register, a dual, and a dual of
   duals. keep says what the reverse sweep reads: KEEP_NONE, KEEP_X, KEEP_V, KEEP_XV (X means all operands).
   lo, hi bound the domain in which tests sample the row.

   Rows come in two lists. *_WORDS: N supplies the value (a word of ad_simd.h, from the instruction set, SLEEF or libm).
   *_COMPOSED: the value is a formula in other rows, and the word N_name is made from it. A derivative that needs several
   steps is a row of its own (sigmoid_slope is the derivative of sigmoid), so that it has a stable derivative in turn and
   second derivatives need no further rule.

   Numbers. Partials take the form that keeps its digits: 1/((1-x)(1+x)) and not 1/(1-x*x), tanh' from e^(-2|x|) and not 1-v*v,
   y (v/x) and not y pow(x, y-1) (416 ULP). Where a partial is differentiated again its parts must not cancel either: (1-x)(1+x)
   is the row one_minus_square, because the product rule would give (1-x) - (1+x). Against MPFR values stay below 3 ULP (4 for
   erfcx), first partials below 5, second ones below 8 (docs/ACCURACY.md); special values are tests/test_ops_special.h.
   Rows that are linear or choose (add, mul, max, where, ...) have the partials of their structure also where an operand is NaN;
   everywhere else no value means no partial (N_number). x - -0 makes +0 of -0. chain is the product of an adjoint x and a partial y under the zero seed
   rule, for derivatives that are recorded (ad_differentiate). */

#define AD_UNARY_WORDS(ROW, N, D)                                                                                             \
  ROW(N, D, neg, N##_neg(x), N##_k(-1),                                      KEEP_NONE, -10, 10)                              \
  ROW(N, D, abs, N##_abs(x), N##_sign(x),                                    KEEP_X, -10, 10)                                 \
  ROW(N, D, sqrt, N##_sqrt(x), N##_div(N##_k(0.5), N##_sub(v, N##_k(-0.0))),    KEEP_V, 0, 1e6)                               \
  ROW(N, D, cbrt, N##_cbrt(x),                                                                                                \
      N##_select(N##_lt(N##_abs(N##_div(N##_div(v, x), x)), N##_k(AD__INF)), N##_div(N##_div(v, x), N##_k(3)),                \
        N##_recip(N##_mul(N##_k(3), N##_mul(v, v)))),                        KEEP_XV, -1e3, 1e3)                              \
  ROW(N, D, exp, N##_exp(x), v,                                              KEEP_V, -20, 20)                                 \
  ROW(N, D, exp2, N##_exp2(x), N##_mul(v, N##_k(AD__LN2)),                   KEEP_V, -20, 20)                                 \
  ROW(N, D, exp10, N##_exp10(x), N##_mul(v, N##_k(AD__LN10)),                KEEP_V, -10, 10)                                 \
  ROW(N, D, expm1, N##_expm1(x), N##_exp(x),                                 KEEP_X, -20, 20)                                 \
  ROW(N, D, log, N##_log(x), N##_number(v, N##_recip(N##_sub(x, N##_k(-0.0)))), KEEP_XV, 1e-3, 1e3)                           \
  ROW(N, D, log2, N##_log2(x), N##_number(v, N##_div(N##_k(0x1.71547652b82fep+0), N##_sub(x, N##_k(-0.0)))),                  \
                                                                             KEEP_XV, 1e-3, 1e3)                              \
  ROW(N, D, log10, N##_log10(x), N##_number(v, N##_div(N##_k(0x1.bcb7b1526e50ep-2), N##_sub(x, N##_k(-0.0)))),                \
                                                                             KEEP_XV, 1e-3, 1e3)                              \
  ROW(N, D, log1p, N##_log1p(x), N##_number(v, N##_recip(N##_add(N##_k(1), x))), KEEP_XV, -0.99, 100)                         \
  ROW(N, D, sin, N##_sin(x), N##_cos(x),                                     KEEP_X, -20, 20)                                 \
  ROW(N, D, cos, N##_cos(x), N##_neg(N##_sin(x)),                            KEEP_X, -20, 20)                                 \
  ROW(N, D, tan, N##_tan(x), N##_fma(v, v, N##_k(1)),                        KEEP_V, -20, 20)                                 \
  ROW(N, D, sinpi, N##_sinpi(x), N##_mul(N##_k(AD__PI), N##_cospi(x)),       KEEP_X, -5, 5)                                   \
  ROW(N, D, cospi, N##_cospi(x), N##_mul(N##_k(-AD__PI), N##_sinpi(x)),      KEEP_X, -5, 5)                                   \
  ROW(N, D, asin, N##_asin(x), N##_rsqrt(N##_one_minus_square(x)),         KEEP_X, -1, 1)                                     \
  ROW(N, D, acos, N##_acos(x), N##_neg(N##_rsqrt(N##_one_minus_square(x))), KEEP_X, -1, 1)                                    \
  ROW(N, D, atan, N##_atan(x),                                                                                                \
      N##_select(N##_lt(N##_k(0x1p28), N##_abs(x)), N##_square(N##_recip(x)), N##_recip(N##_one_plus_square(x))),             \
                                                                             KEEP_X, -20, 20)                                 \
  ROW(N, D, sinh, N##_sinh(x), N##_cosh(x),                                  KEEP_X, -20, 20)                                 \
  ROW(N, D, cosh, N##_cosh(x), N##_sinh(x),                                  KEEP_X, -20, 20)                                 \
  ROW(N, D, tanh, N##_tanh(x), N##_tanh_slope(x),                            KEEP_X, -20, 20)                                 \
  ROW(N, D, asinh, N##_asinh(x), N##_recip(N##_hypot(N##_k(1), x)),          KEEP_X, -1e3, 1e3)                               \
  ROW(N, D, acosh, N##_acosh(x),                                                                                              \
      N##_number(v, N##_select(N##_lt(N##_k(0x1p28), x), N##_recip(x),                                                        \
        N##_rsqrt(N##_mul(N##_sub(x, N##_k(1)), N##_add(x, N##_k(1)))))),                                                     \
                                                                             KEEP_XV, 1, 1e3)                                 \
  ROW(N, D, atanh, N##_atanh(x), N##_number(v, N##_recip(N##_one_minus_square(x))), KEEP_XV, -1, 1)                           \
  ROW(N, D, erf, N##_erf(x), N##_mul(N##_k(AD__TWO_BY_SQRT_PI), N##_gauss(x)), KEEP_X, -5, 5)                                 \
  ROW(N, D, erfc, N##_erfc(x), N##_mul(N##_k(-AD__TWO_BY_SQRT_PI), N##_gauss(x)), KEEP_X, -5, 10)                             \
  ROW(N, D, erfcx, N##_erfcx(x), N##_erfcx_slope(x),                         KEEP_X, -5, 50)                                  \
  ROW(N, D, erfcx_slope, N##_erfcx_slope(x), N##_erfcx_curve(x),             KEEP_X, -5, 50)                                  \
  ROW(N, D, erfcx_curve, N##_erfcx_curve(x), N##_fma(x, N##_add(v, v), N##_mul(N##_k(4), N##_erfcx_slope(x))), KEEP_XV, -5, 5)\
  ROW(N, D, gauss, N##_gauss(x), N##_mul(N##_mul(N##_k(-2), N##_within(x, 1e3)), v), KEEP_XV, -5, 5)                          \
  ROW(N, D, normal_pdf, N##_normal_pdf(x), N##_neg(N##_mul(N##_within(x, 1e3), v)), KEEP_XV, -8, 8)                           \
  ROW(N, D, ndtr, N##_ndtr(x), N##_normal_pdf(x),                            KEEP_X, -8, 8)                                   \
  ROW(N, D, log_ndtr, N##_log_ndtr(x), N##_log_ndtr_slope(x),                KEEP_X, -50, 8)                                  \
  ROW(N, D, log_ndtr_slope, N##_log_ndtr_slope(x),                                                                            \
      N##_select(N##_lt(x, N##_k(-1e9)), N##_k(-1), N##_neg(N##_mul(v, N##_select(N##_lt(x, N##_k(0)),                        \
        N##_mul(N##_k(-AD__SQRT_HALF), N##_div(N##_erfcx_slope(N##_mul(x, N##_k(-AD__SQRT_HALF))),                            \
        N##_erfcx(N##_mul(x, N##_k(-AD__SQRT_HALF))))), N##_add(N##_within(x, 1e3), v))))), KEEP_XV, -50, 8)                  \
  ROW(N, D, lgamma, N##_lgamma(x), N##_digamma(x),                           KEEP_X, 0.1, 30)                                 \
  ROW(N, D, digamma, N##_digamma(x), N##_number(v, N##_trigamma(x)),         KEEP_XV, 0.1, 30)                                \
  ROW(N, D, trigamma, N##_trigamma(x), N##_tetragamma(x),                    KEEP_X, 0.1, 30)                                 \
  ROW(N, D, tetragamma, N##_tetragamma(x), N##_polygamma(N##_k(3), x),       KEEP_X, 0.1, 30)                                 \
  ROW(N, D, tgamma, N##_tgamma(x), N##_mul(v, N##_digamma(N##_select(N##_lt(N##_k(1e3), x), N##_k(1e3), x))),                   \
                                                                             KEEP_XV, 0.1, 30)                                \
  ROW(N, D, sigmoid, N##_sigmoid(x), N##_sigmoid_slope(x),                   KEEP_X, -40, 40)                                 \
  ROW(N, D, sigmoid_slope, N##_sigmoid_slope(x), N##_neg(N##_mul(v, N##_tanh(N##_mul(x, N##_k(0.5))))), KEEP_XV, -40, 40)     \
  ROW(N, D, tanh_slope, N##_tanh_slope(x), N##_mul(N##_mul(N##_k(-2), N##_tanh(x)), v), KEEP_XV, -20, 20)                     \
  ROW(N, D, softplus, N##_softplus(x), N##_sigmoid(x),                       KEEP_X, -40, 40)                                 \
  ROW(N, D, logit, N##_logit(x), N##_number(v, N##_recip(N##_times_complement(N##_sub(x, N##_k(-0.0))))),                     \
                                                                             KEEP_XV, 0.001, 0.999)                           \
  ROW(N, D, silu, N##_silu(x), N##_silu_slope(x),                            KEEP_X, -40, 40)                                 \
  ROW(N, D, silu_slope, N##_silu_slope(x),                                                                                    \
      N##_mul(N##_sigmoid_slope(x), N##_sub(N##_k(2), N##_mul(N##_within(x, 2e3), N##_tanh(N##_mul(x, N##_k(0.5)))))),        \
                                                                             KEEP_X, -40, 40)                                 \
  ROW(N, D, gelu, N##_gelu(x), N##_gelu_slope(x),                            KEEP_X, -8, 8)                                   \
  ROW(N, D, gelu_slope, N##_gelu_slope(x),                                                                                    \
      N##_mul(N##_normal_pdf(x), N##_fma(N##_neg(N##_within(x, 1e3)), N##_within(x, 1e3), N##_k(2))), KEEP_X, -8, 8)          \
  ROW(N, D, mish, N##_mish(x), N##_mish_slope(x),                            KEEP_X, -20, 20)                                 \
  ROW(N, D, mish_slope, N##_mish_slope(x),                                                                                    \
      N##_fma(N##_within(x, 2e3), N##_mish_gate_curve(x), N##_mul(N##_k(2), N##_mish_gate_slope(x))), KEEP_X, -20, 20)        \
  ROW(N, D, mish_gate, N##_mish_gate(x), N##_mish_gate_slope(x),             KEEP_X, -20, 20)                                 \
  ROW(N, D, mish_gate_slope, N##_mish_gate_slope(x), N##_mish_gate_curve(x), KEEP_X, -20, 20)                                 \
  ROW(N, D, softsign, N##_softsign(x), N##_square(N##_recip(N##_add(N##_k(1), N##_abs(x)))), KEEP_X, -100, 100)               \
  ROW(N, D, logcosh, N##_logcosh(x), N##_tanh(x),                            KEEP_X, -20, 20)                                 \
  ROW(N, D, versin, N##_versin(x), N##_sin(x),                               KEEP_X, -20, 20)                                 \
  ROW(N, D, sinc, N##_sinc(x), N##_sinc_slope(x),                            KEEP_X, -10, 10)                                 \
  ROW(N, D, sinc_slope, N##_sinc_slope(x), N##_sinc_curve(x),                KEEP_X, -10, 10)                                 \
  ROW(N, D, sinc_curve, N##_sinc_curve(x),                                                                                    \
      N##_select(N##_lt(N##_abs(x), N##_k(0.47)),                                                                              \
        N##_mul(N##_mul(N##_k(97.40909103400243), x), N##_sinc_third(N##_square(N##_mul(N##_k(AD__PI), x)))),                 \
        N##_fma(N##_k(-AD__PI_SQUARED), N##_sinc_slope(x),                                                                    \
        N##_neg(N##_div(N##_fma(N##_k(3), v, N##_mul(N##_k(AD__PI_SQUARED), N##_sinc(x))), x)))), KEEP_XV, -10, 10)           \
  ROW(N, D, floor, N##_floor(x), N##_number(x, N##_k(0)),                    KEEP_X, -10, 10)                                 \
  ROW(N, D, ceil, N##_ceil(x), N##_number(x, N##_k(0)),                      KEEP_X, -10, 10)                                 \
  ROW(N, D, trunc, N##_trunc(x), N##_number(x, N##_k(0)),                    KEEP_X, -10, 10)                                 \
  ROW(N, D, rint, N##_rint(x), N##_number(x, N##_k(0)),                      KEEP_X, -10, 10)

#define AD_UNARY_COMPOSED(ROW, N, D)                                                                                          \
  ROW(N, D, sign, N##_select(N##_ne(x, N##_k(0)), N##_copysign(N##_number(x, N##_k(1)), x), N##_k(0)),                        \
      N##_number(x, N##_k(0)),                                               KEEP_X, -10, 10)                                 \
  ROW(N, D, step, N##_number(x, N##_only(N##_lt(N##_k(0), x), N##_k(1))), N##_number(x, N##_k(0)), KEEP_X, -10, 10)           \
  ROW(N, D, round,                                                                                                            \
      N##_copysign(N##_add(N##_trunc(x), N##_select(N##_le(N##_k(0.5), N##_abs(N##_sub(x, N##_trunc(x)))),                    \
        N##_copysign(N##_k(1), x), N##_k(0))), x), N##_number(x, N##_k(0)),  KEEP_X, -10, 10)                                 \
  ROW(N, D, frac, N##_sub(x, N##_trunc(x)), N##_number(v, N##_k(1)),         KEEP_V, -10, 10)                                 \
  ROW(N, D, wrap, N##_sub(x, N##_rint(x)), N##_number(v, N##_k(1)),          KEEP_V, -10, 10)                                 \
  ROW(N, D, square, N##_mul(x, x), N##_add(x, x),                            KEEP_X, -100, 100)                               \
  ROW(N, D, recip, N##_div(N##_k(1), x), N##_neg(N##_mul(v, v)),             KEEP_V, 0.1, 10)                                 \
  ROW(N, D, rsqrt, N##_div(N##_k(1), N##_sqrt(x)), N##_div(N##_mul(N##_k(-0.5), v), x), KEEP_XV, 1e-3, 1e3)                   \
  ROW(N, D, one_minus_square, N##_mul(N##_sub(N##_k(1), x), N##_add(N##_k(1), x)), N##_mul(N##_k(-2), x), KEEP_X, -1, 1)      \
  ROW(N, D, one_plus_square, N##_fma(x, x, N##_k(1)), N##_add(x, x),         KEEP_X, -10, 10)                                 \
  ROW(N, D, times_complement, N##_mul(x, N##_sub(N##_k(1), x)), N##_fma(N##_k(-2), x, N##_k(1)), KEEP_X, 0, 1)                \
  ROW(N, D, xlogx, N##_select(N##_eq(x, N##_k(0)), N##_k(0), N##_mul(x, N##_log(x))), N##_add(N##_k(1), N##_log(x)),          \
                                                                             KEEP_X, 0.5, 100)                                \
  ROW(N, D, entropy, N##_neg(N##_select(N##_eq(x, N##_k(0)), N##_k(0), N##_mul(x, N##_log(x)))),                              \
      N##_neg(N##_add(N##_k(1), N##_log(x))),                                KEEP_X, 0.5, 100)                                \
  ROW(N, D, logsigmoid, N##_neg(N##_softplus(N##_neg(x))), N##_sigmoid(N##_neg(x)), KEEP_X, -40, 40)                          \
  ROW(N, D, relu, N##_select(N##_le(x, N##_k(0)), N##_k(0), x), N##_number(x, N##_only(N##_lt(N##_k(0), x), N##_k(1))),       \
                                                                             KEEP_X, -10, 10)                                 \
  ROW(N, D, relu6, N##_max(N##_min(x, N##_k(6)), N##_k(0)),                                                                   \
      N##_number(x, N##_only(N##_and(N##_le(N##_k(0), x), N##_le(x, N##_k(6))), N##_k(1))), KEEP_X, -10, 10)                  \
  ROW(N, D, hardtanh, N##_max(N##_min(x, N##_k(1)), N##_k(-1)),                                                               \
      N##_number(x, N##_only(N##_le(N##_abs(x), N##_k(1)), N##_k(1))),       KEEP_X, -3, 3)                                   \
  ROW(N, D, smoothstep,                                                                                                       \
      N##_mul(N##_square(N##_max(N##_min(x, N##_k(1)), N##_k(0))),                                                            \
        N##_fma(N##_k(-2), N##_max(N##_min(x, N##_k(1)), N##_k(0)), N##_k(3))),                                               \
      N##_number(x, N##_select(N##_and(N##_lt(N##_k(0), x), N##_lt(x, N##_k(1))),                                             \
        N##_mul(N##_k(6), N##_times_complement(x)), N##_k(0))),              KEEP_X, -0.5, 1.5)

/* The order n of powi and polygamma is not differentiated: its partial is 0, and rint(y) in the partial of powi is y without one. */
#define AD_BINARY_WORDS(ROW, N, D)                                                                                            \
  ROW(N, D, add, N##_add(x, y), N##_k(1), N##_k(1),                          KEEP_NONE, -10, 10, -10, 10)                     \
  ROW(N, D, sub, N##_sub(x, y), N##_k(1), N##_k(-1),                         KEEP_NONE, -10, 10, -10, 10)                     \
  ROW(N, D, mul, N##_mul(x, y), y, x,                                        KEEP_X, -10, 10, -10, 10)                        \
  ROW(N, D, div, N##_div(x, y), N##_number(v, N##_recip(y)), N##_neg(N##_div(v, y)), KEEP_XV, -10, 10, 0.1, 10)               \
  ROW(N, D, pow, N##_pow(x, y), N##_pow_slope(x, y),                                                                          \
      N##_select(N##_lt(N##_k(0), x), N##_select(N##_eq(v, N##_k(0)), N##_k(0), N##_mul(v, N##_log(x))),                      \
        N##_select(N##_eq(x, N##_k(0)), N##_number(v, N##_select(N##_lt(y, N##_k(0)), N##_k(-AD__INF), N##_k(0))),            \
        N##_mul(N##_k(AD__NAN), N##_mul(x, y)))),                  KEEP_XV, 0.1, 10, -5, 5)                                   \
  ROW(N, D, pow_slope, N##_pow_slope(x, y),                                                                                   \
      N##_number(v, N##_select(N##_eq(y, N##_k(0)), N##_k(0),                                                                 \
        N##_select(N##_and(N##_and(N##_ne(x, N##_k(0)), N##_ne(v, N##_k(0))), N##_lt(N##_max(N##_abs(x), N##_abs(v)), N##_k(AD__INF))),\
        N##_mul(N##_sub(y, N##_k(1)), N##_div(v, x)), N##_mul(y, N##_pow_slope(x, N##_sub(y, N##_k(1))))))),                  \
      N##_number(v, N##_select(N##_lt(N##_k(0), x),                                                                           \
        N##_select(N##_eq(x, N##_k(AD__INF)), N##_select(N##_lt(y, N##_k(1)), N##_k(0), N##_k(AD__INF)),                      \
        N##_fma(v, N##_log(x), N##_div(N##_pow(x, y), x))),                                                                   \
        N##_select(N##_eq(x, N##_k(0)), N##_select(N##_lt(N##_k(1), y), N##_k(0),                                             \
        N##_select(N##_lt(N##_k(0), y), N##_k(-AD__INF), N##_k(AD__INF))), N##_mul(N##_k(AD__NAN), N##_mul(x, y))))),         \
                                                                             KEEP_XV, 0.1, 10, -5, 5)                         \
  ROW(N, D, atan2, N##_atan2(x, y),                                                                                           \
      N##_number(v, N##_select(N##_eq(N##_hypot(x, y), N##_k(AD__INF)), N##_k(0),                                             \
        N##_div(N##_div(y, N##_hypot(x, y)), N##_hypot(x, y)))),                                                              \
      N##_number(v, N##_select(N##_eq(N##_hypot(x, y), N##_k(AD__INF)), N##_k(0),                                             \
        N##_neg(N##_div(N##_div(x, N##_hypot(x, y)), N##_hypot(x, y))))),    KEEP_XV, -10, 10, -10, 10)                       \
  ROW(N, D, hypot, N##_hypot(x, y), N##_hypot_share(x, y), N##_hypot_share(y, x), KEEP_X, -10, 10, -10, 10)                   \
  ROW(N, D, hypot_share, N##_hypot_share(x, y),                                                                               \
      N##_select(N##_eq(N##_hypot(x, y), N##_k(AD__INF)), N##_k(0), N##_div(N##_square(N##_div(y, N##_hypot(x, y))), N##_hypot(x, y))),\
      N##_select(N##_eq(N##_hypot(x, y), N##_k(AD__INF)), N##_k(0),                                                           \
        N##_neg(N##_div(N##_mul(v, N##_div(y, N##_hypot(x, y))), N##_hypot(x, y)))), KEEP_XV, -10, 10, -10, 10)               \
  ROW(N, D, max, N##_max(x, y), N##_share(x, y, N##_lt(y, x)), N##_sub(N##_k(1), N##_share(x, y, N##_lt(y, x))),              \
                                                                             KEEP_X, -10, 10, -10, 10)                        \
  ROW(N, D, min, N##_min(x, y), N##_share(x, y, N##_lt(x, y)), N##_sub(N##_k(1), N##_share(x, y, N##_lt(x, y))),              \
                                                                             KEEP_X, -10, 10, -10, 10)                        \
  ROW(N, D, fmod, N##_fmod(x, y), N##_number(v, N##_k(1)), N##_neg(N##_rint(N##_div(N##_sub(x, v), y))),                      \
                                                                             KEEP_XV, -10, 10, 0.5, 3)                        \
  ROW(N, D, remainder, N##_remainder(x, y), N##_number(v, N##_k(1)), N##_neg(N##_rint(N##_div(N##_sub(x, v), y))),            \
                                                                             KEEP_XV, -10, 10, 0.5, 3)                        \
  ROW(N, D, copysign, N##_copysign(x, y), N##_number(v, N##_mul(N##_sign(x), N##_copysign(N##_k(1), y))),                     \
                                                                             N##_number(v, N##_k(0)),                         \
                                                                             KEEP_XV, -10, 10, -10, 10)                       \
  ROW(N, D, logaddexp, N##_logaddexp(x, y), N##_logaddexp_share(x, y), N##_logaddexp_share(y, x), KEEP_X, -40, 40, -40, 40)   \
  ROW(N, D, logaddexp_share, N##_logaddexp_share(x, y), N##_mul(v, N##_logaddexp_share(y, x)),                                \
      N##_neg(N##_mul(v, N##_logaddexp_share(y, x))),                        KEEP_XV, -20, 20, -20, 20)                       \
  ROW(N, D, polygamma, N##_polygamma(x, y), N##_number(v, N##_k(0)), N##_number(v, N##_polygamma(N##_add(x, N##_k(1)), y)),   \
                                                                             KEEP_XV, 1, 4, 0.5, 20)

#define AD_BINARY_COMPOSED(ROW, N, D)                                                                                         \
  ROW(N, D, powi, N##_select(N##_eq(y, N##_rint(y)), N##_pow(x, y), N##_k(AD__NAN)),                                          \
      N##_number(v, N##_select(N##_eq(y, N##_k(0)), N##_k(0),                                                                 \
        N##_mul(N##_rint(y), N##_powi(x, N##_sub(N##_rint(y), N##_k(1)))))),                                                  \
      N##_number(v, N##_k(0)),                                               KEEP_XV, -3, 3, -5, 5)                           \
  ROW(N, D, fmax, N##_select(N##_ne(x, x), y, N##_select(N##_ne(y, y), x, N##_max(x, y))),                                    \
      N##_select(N##_ne(y, y), N##_number(x, N##_k(1)),                                                                       \
        N##_select(N##_ne(x, x), N##_k(0), N##_share(x, y, N##_lt(y, x)))),                                                   \
      N##_select(N##_ne(x, x), N##_number(y, N##_k(1)),                                                                       \
        N##_select(N##_ne(y, y), N##_k(0), N##_share(y, x, N##_lt(x, y)))),  KEEP_X, -10, 10, -10, 10)                        \
  ROW(N, D, fmin, N##_select(N##_ne(x, x), y, N##_select(N##_ne(y, y), x, N##_min(x, y))),                                    \
      N##_select(N##_ne(y, y), N##_number(x, N##_k(1)),                                                                       \
        N##_select(N##_ne(x, x), N##_k(0), N##_share(x, y, N##_lt(x, y)))),                                                   \
      N##_select(N##_ne(x, x), N##_number(y, N##_k(1)),                                                                       \
        N##_select(N##_ne(y, y), N##_k(0), N##_share(y, x, N##_lt(y, x)))),  KEEP_X, -10, 10, -10, 10)                        \
  ROW(N, D, xlogy, N##_select(N##_and(N##_eq(x, N##_k(0)), N##_eq(y, y)), N##_k(0), N##_mul(x, N##_log(y))),                  \
      N##_number(v, N##_log(y)),                                                                                              \
      N##_number(v, N##_select(N##_and(N##_eq(x, N##_k(0)), N##_eq(y, N##_k(0))), N##_k(0),                                   \
        N##_div(x, N##_sub(y, N##_k(-0.0))))),                                                                                \
                                                                             KEEP_XV, -10, 10, 0.1, 10)                       \
  ROW(N, D, xlog1py, N##_select(N##_and(N##_eq(x, N##_k(0)), N##_eq(y, y)), N##_k(0), N##_mul(x, N##_log1p(y))),              \
      N##_number(v, N##_log1p(y)),                                                                                            \
      N##_number(v, N##_select(N##_and(N##_eq(x, N##_k(0)), N##_eq(y, N##_k(-1))), N##_k(0),                                  \
        N##_div(x, N##_add(N##_k(1), y)))),                                  KEEP_XV, -10, 10, -0.9, 10)                      \
  ROW(N, D, leaky_relu, N##_select(N##_lt(N##_k(0), x), x, N##_mul(y, x)),                                                    \
      N##_number(v, N##_select(N##_lt(N##_k(0), x), N##_k(1), y)),                                                            \
      N##_number(v, N##_select(N##_lt(N##_k(0), x), N##_k(0), x)),                                                            \
                                                                             KEEP_XV, -10, 10, 0, 1)                          \
  ROW(N, D, elu, N##_select(N##_lt(N##_k(0), x), x, N##_mul(y, N##_expm1(x))),                                                \
      N##_number(v, N##_select(N##_lt(N##_k(0), x), N##_k(1),                                                                 \
        N##_select(N##_eq(x, N##_k(0)), N##_min(N##_k(1), y), N##_mul(y, N##_exp(x))))),                                      \
      N##_number(v, N##_select(N##_or(N##_lt(N##_k(0), x), N##_and(N##_eq(x, N##_k(0)), N##_lt(N##_k(1), y))), N##_k(0),      \
        N##_expm1(x))),                                                                                                       \
                                                                             KEEP_XV, -10, 10, 0.1, 2)                        \
  ROW(N, D, huber,                                                                                                            \
      N##_select(N##_le(N##_k(0), y), N##_select(N##_le(N##_abs(x), y), N##_mul(N##_k(0.5), N##_mul(x, x)),                   \
        N##_mul(y, N##_fma(N##_k(-0.5), y, N##_abs(x)))), N##_k(AD__NAN)), N##_number(v, N##_clamp(x, N##_neg(y), y)),        \
      N##_number(v, N##_select(N##_le(N##_abs(x), y), N##_k(0), N##_sub(N##_abs(x), y))), KEEP_XV, -10, 10, 0.5, 3)           \
  ROW(N, D, less, N##_only(N##_lt(x, y), N##_k(1)), N##_k(0), N##_k(0),      KEEP_NONE, -10, 10, -10, 10)                     \
  ROW(N, D, less_equal, N##_only(N##_le(x, y), N##_k(1)), N##_k(0), N##_k(0), KEEP_NONE, -10, 10, -10, 10)                    \
  ROW(N, D, equal, N##_only(N##_eq(x, y), N##_k(1)), N##_k(0), N##_k(0),     KEEP_NONE, -10, 10, -10, 10)                     \
  ROW(N, D, not_equal, N##_only(N##_ne(x, y), N##_k(1)), N##_k(0), N##_k(0), KEEP_NONE, -10, 10, -10, 10)                     \
  ROW(N, D, chain, N##_only(N##_ne(x, N##_k(0)), N##_mul(x, y)), y, x,       KEEP_X, -10, 10, -10, 10)

/* where(c, a, b): c is a number, 0 chooses b. A select, never a product, so what is not chosen leaves no trace. */
#define AD_TERNARY_WORDS(ROW, N, D)                                                                                           \
  ROW(N, D, fma, N##_fma(x, y, z), y, x, N##_k(1),                           KEEP_X, -10, 10, -10, 10, -10, 10)

#define AD_TERNARY_COMPOSED(ROW, N, D)                                                                                        \
  ROW(N, D, where, N##_select(N##_ne(x, N##_k(0)), y, z), N##_k(0), N##_only(N##_ne(x, N##_k(0)), N##_k(1)),                  \
      N##_only(N##_eq(x, N##_k(0)), N##_k(1)),                               KEEP_X, -1, 1, -10, 10, -10, 10)                 \
  ROW(N, D, clamp, N##_select(N##_le(y, z), N##_max(N##_min(x, z), y), N##_k(AD__NAN)),                                       \
      N##_number(v, N##_only(N##_and(N##_le(y, x), N##_le(x, z)), N##_k(1))),                                                 \
      N##_number(v, N##_only(N##_lt(x, y), N##_k(1))), N##_number(v, N##_only(N##_lt(z, x), N##_k(1))),                       \
                                                                             KEEP_XV, -10, 10, -5, -1, 1, 5)                  \
  ROW(N, D, lerp, N##_fma(z, y, N##_fma(N##_neg(z), x, x)), N##_sub(N##_k(1), z), z, N##_sub(y, x),                           \
                                                                             KEEP_X, -10, 10, -10, 10, 0, 1)

#define AD_UNARY(ROW, N, D)   AD_UNARY_WORDS(ROW, N, D)   AD_UNARY_COMPOSED(ROW, N, D)
#define AD_BINARY(ROW, N, D)  AD_BINARY_WORDS(ROW, N, D)  AD_BINARY_COMPOSED(ROW, N, D)
#define AD_TERNARY(ROW, N, D) AD_TERNARY_WORDS(ROW, N, D) AD_TERNARY_COMPOSED(ROW, N, D)

/* One opcode a row, the unary ones first: AD_OP_UNARY_END_ and AD_OP_BINARY_END_ are the first of the next arity. */
#define AD__OPCODE(N, D, op, ...) AD_OP_##op,
typedef enum ad_opcode {
  AD_UNARY(AD__OPCODE, , )
  AD_OP_UNARY_END_, AD_OP_BEFORE_BINARY_ = AD_OP_UNARY_END_ - 1,
  AD_BINARY(AD__OPCODE, , )
  AD_OP_BINARY_END_, AD_OP_BEFORE_TERNARY_ = AD_OP_BINARY_END_ - 1,
  AD_TERNARY(AD__OPCODE, , )
  AD_OP_COUNT_
} ad_opcode;

enum { AD_KEEP_NONE = 0, AD_KEEP_X = 1, AD_KEEP_V = 2, AD_KEEP_XV = 3 };   /* bits: X the operands, V the value */

/* What engines and tests need to know of a row, by opcode. lo[i], hi[i]: the domain of operand i in which tests sample. */
typedef struct ad_op_info { const char *name; int arity, keep; double lo[3], hi[3]; } ad_op_info;

#define AD__INFO_1(N, D, op, value, dx, keep, lo, hi) { #op, 1, AD_##keep, { lo, 0, 0 }, { hi, 0, 0 } },
#define AD__INFO_2(N, D, op, value, dx, dy, keep, xlo, xhi, ylo, yhi) { #op, 2, AD_##keep, { xlo, ylo, 0 }, { xhi, yhi, 0 } },
#define AD__INFO_3(N, D, op, value, dx, dy, dz, keep, xlo, xhi, ylo, yhi, zlo, zhi)                                           \
  { #op, 3, AD_##keep, { xlo, ylo, zlo }, { xhi, yhi, zhi } },
AD_LOCAL const ad_op_info ad_ops[AD_OP_COUNT_] = { AD_UNARY(AD__INFO_1, , ) AD_BINARY(AD__INFO_2, , ) AD_TERNARY(AD__INFO_3, , ) };

/* >>rules ---------------------------------------------------------------------------------------------------------------
   Rows become functions, once per number system: N_op(x) the value, N_op_dx(x, v) the partial; of two and three operands
   N_op(x, y), N_op_dx(x, y, v), N_op_dy(x, y, v); N_op(x, y, z), N_op_dx(x, y, z, v), ... Engines call these and contain no
   formula. AD_SYSTEM(N) makes them of a system that has the words of ad_simd.h, AD_RULES(N) the partials alone, for a
   system (a dual) that has made its own N_op, and besides the rows N_k, N_mask, N_lt le eq ne and or not any all select only,
   N_seed, and N_number (AD__NUMBER(N), AD__NUMBER_OF(N)).

   N_number(v, d)   d, but NaN where v is: the derivative of what has no value is none (R4, R5)
   N_within(x, c)   x held between -c and c (keeps 0 * inf out of the ends)
   N_share          of max and min: 1 where x wins or is NaN, 1/2 at a tie, else 0
   N_seed(g, d)     g*d under the zero seed rule (R6): where the seed g is +-0 the contribution is exactly 0, whatever d.
                    Of a dual the rule holds for each component of g: a zero with a tangent is no zero. */

#define AD__COMPOSED_1(N, D, op, value, ...) AD_INLINE N N##_##op(N x) { return value; }
#define AD__COMPOSED_2(N, D, op, value, ...) AD_INLINE N N##_##op(N x, N y) { return value; }
#define AD__COMPOSED_3(N, D, op, value, ...) AD_INLINE N N##_##op(N x, N y, N z) { return value; }
#define AD__RULE_1(N, D, op, value, dx, ...)                                                                                  \
  AD_INLINE N N##_##op##_dx(N x, N v) { (void)x; (void)v; return dx; }
#define AD__RULE_2(N, D, op, value, dx, dy, ...)                                                                              \
  AD_INLINE N N##_##op##_dx(N x, N y, N v) { (void)x; (void)y; (void)v; return dx; }                                          \
  AD_INLINE N N##_##op##_dy(N x, N y, N v) { (void)x; (void)y; (void)v; return dy; }
#define AD__RULE_3(N, D, op, value, dx, dy, dz, ...)                                                                          \
  AD_INLINE N N##_##op##_dx(N x, N y, N z, N v) { (void)x; (void)y; (void)z; (void)v; return dx; }                            \
  AD_INLINE N N##_##op##_dy(N x, N y, N z, N v) { (void)x; (void)y; (void)z; (void)v; return dy; }                            \
  AD_INLINE N N##_##op##_dz(N x, N y, N z, N v) { (void)x; (void)y; (void)z; (void)v; return dz; }
#define AD__NUMBER(N) AD_INLINE N N##_number(N v, N d) { return N##_select(N##_eq(v, v), d, v); }
/* of numbers with derivatives: v*v and not v, whose derivative is no NaN where v is an operand */
#define AD__NUMBER_OF(N) AD_INLINE N N##_number(N v, N d) { return N##_select(N##_eq(v, v), d, N##_mul(v, v)); }
#define AD__DUAL_NUMBER(D)                                                                                                    \
  AD_INLINE D D##_number(D v, D d) { return AD_LIKELY(D##_all(D##_eq(v, v))) ? d : D##_select(D##_eq(v, v), d, D##_mul(v, v)); }
#define AD__HELPERS(N)                                                                                                        \
  AD_INLINE N N##_within(N x, double c) {                                                                                     \
    N r = N##_select(N##_lt(N##_k(c), x), N##_k(c), x); return N##_select(N##_lt(r, N##_k(-c)), N##_k(-c), r); }              \
  AD_INLINE N N##_share(N x, N y, N##_mask wins) {                                                                            \
    return N##_select(N##_eq(x, y), N##_k(0.5), N##_only(N##_or(wins, N##_ne(x, x)), N##_k(1))); }                            \
  AD__HELPERS_MISH(N)
#define AD__HELPERS_MISH(N)                                                                                                   \
  AD_INLINE N N##_mish_gate_curve(N x) {                                                                                      \
    N s = N##_sigmoid(x), w = N##_mish_gate(x), one = N##_k(1);                                                               \
    N r = N##_sub(N##_fma(N##_k(-2), w, one), N##_mul(N##_mul(s, s), N##_add(one, w)));                                       \
    return N##_mul(N##_mish_gate_slope(x), N##_add(r, s)); }                                                                  \
  AD__HELPERS_SINC(N)
#define AD__HELPERS_SINC(N)                                                                                                   \
  AD_INLINE N N##_sinc_third(N u) {                                                                                           \
    N r = N##_k(ad__sinc_third_fit[10]);                                                                                      \
    for (int i = 9; i >= 0; i--) r = N##_fma(r, u, N##_k(ad__sinc_third_fit[i]));                                             \
    return r; }
#define AD__PARTIALS(N) AD_UNARY(AD__RULE_1, N, ) AD_BINARY(AD__RULE_2, N, ) AD_TERNARY(AD__RULE_3, N, )
#define AD_RULES(N) AD__HELPERS(N) AD__PARTIALS(N)
#define AD_SYSTEM(N)                                                                                                          \
  AD__NUMBER(N) AD__HELPERS(N) AD_UNARY_COMPOSED(AD__COMPOSED_1, N, ) AD_BINARY_COMPOSED(AD__COMPOSED_2, N, )                 \
  AD_TERNARY_COMPOSED(AD__COMPOSED_3, N, ) AD__PARTIALS(N)                                                                    \
  AD_INLINE N N##_seed(N g, N d) { return N##_mul_only(N##_ne(g, N##_k(0)), g, d); }

AD_SYSTEM(ad_f32)
AD_SYSTEM(ad_f64)
/* >>dual ----------------------------------------------------------------------------------------------------------------
   A dual over N is a value v and width tangents d[k], all of N: the derivatives of v along width directions. Every row of the
   table works on it by the chain rule, and it has all words of N but loads, stores and sums: so it is a number system in turn,
   and a dual of duals carries second derivatives with no further rule. Constants have tangents 0, inputs a 1 in their direction.

   A contribution partial * tangent is exactly 0 where one of the two is +-0 (N_along): the tangent by R6; the partial so that
   forward and reverse agree on x*sqrt(x) at 0 and on branches not taken, where reverse has dropped a zero adjoint.

   Speed. The layout is that of plain arrays, whatever the instruction set. Over float and double the tangents are read and
   written in pieces of the native register, as lvalues of a vector type that may alias: every access to a dual that lives in a
   local variable then has the same type and place, and gcc and clang replace it by registers (memcpy of 32 bytes becomes two
   moves of 16 in gcc, which defeats that: 25 times slower). Pieces are straight-line code for the same reason. The zero rule
   costs one integer test of a scalar and a predictable branch: a partial that is finite and not 0 is multiplied plainly, the
   rest goes to a function. That is 3-5 % of the time, masking every product 10-30 %. Nothing is tested or multiplied for
   partials +-1. A bundle-adjustment residual with its 2x15 Jacobian takes 3.4-6 times the plain function (AVX2, AVX-512; gcc and
   clang, -O2 and -O3). A width that is a multiple of the register (8, 16) is up to 1.4 times faster than one just below it.

   Operands that are plain numbers have no tangents: D_op_xk(x, number), D_op_ky(number, y), of ternary rows D_op_xyk, ... */

/* bytes of a register of tangents: the backend's, and where that is scalar the one that every machine of the kind has */
#if defined(__GNUC__) && AD_SIMD == AD_SIMD_AVX512
#define AD__REGISTER 64
#elif defined(__GNUC__) && AD_SIMD == AD_SIMD_AVX2
#define AD__REGISTER 32
#elif defined(__GNUC__) && (defined(__SSE2__) || defined(__aarch64__))
#define AD__REGISTER 16
#else
#define AD__REGISTER 1                  /* one element at a time */
#endif

#if defined(__GNUC__)
#define AD__APART static __attribute__((noinline, cold, unused))
#else
#define AD__APART static
#endif

#define AD__TIMES_8(line) line line line line line line line line
/* i = 0 .. n-1, straight-line as far as possible: one by one; in pieces of a register, a half, a quarter, a single element */
#define AD__EACH(statement) int i = 0; AD__TIMES_8(if (i < n) { statement; i++; }) for (; i < n; i++) { statement; }
#define AD__EACH_PIECE(word, ...)                                                                                             \
  int i = 0; AD__TIMES_8(if (i + AD__WIDE <= n) { AD_W(_w_##word)(__VA_ARGS__); i += AD__WIDE; })                             \
  while (i + AD__WIDE <= n) { AD_W(_w_##word)(__VA_ARGS__); i += AD__WIDE; }                                                  \
  if (i + AD__HALF <= n) { AD_W(_h_##word)(__VA_ARGS__); i += AD__HALF; }                                                     \
  if (i + AD__QUARTER <= n) { AD_W(_q_##word)(__VA_ARGS__); i += AD__QUARTER; }                                               \
  for (; i < n; i++) { AD_W(_s_##word)(__VA_ARGS__); }

/* the contribution p*g of tangent g through partial p */
#define AD__ALONG(N)                                                                                                          \
  AD_INLINE N N##_along(N g, N p) { return N##_only(N##_and(N##_ne(g, N##_k(0)), N##_ne(p, N##_k(0))), N##_mul(g, p)); }
AD__ALONG(ad_f32)
AD__ALONG(ad_f64)

#define AD__PIECE 101
#define AD__TANGENTS 102
#define AD__LANE_ENGINE 110
#define AD__TEMPLATE AD__TANGENTS
#define AD_N ad_f32
#define AD_BITS uint32_t
#define AD_SIGNED int32_t
#define AD_INFINITY_BITS UINT32_C(0x7f800000)
#define AD__WIDE (AD__REGISTER >= 4 ? AD__REGISTER / 4 : 1)
#include "ad.h"
#define AD_N ad_f64
#define AD_BITS uint64_t
#define AD_SIGNED int64_t
#define AD_INFINITY_BITS UINT64_C(0x7ff0000000000000)
#define AD__WIDE (AD__REGISTER >= 8 ? AD__REGISTER / 8 : 1)
#include "ad.h"
#undef AD__TEMPLATE

/* The words on arrays of n tangents, for any system; over float and double they are the template AD__TANGENTS. */
#define AD__ARRAYS(N)                                                                                                         \
  AD_INLINE bool N##__plain(N p) { (void)p; return true; }                                                                    \
  AD_INLINE bool N##__zero(N p) { (void)p; return false; }                                                                    \
  AD_INLINE void N##__clear(N *r, int n) { AD__EACH(r[i] = N##_k(0)) }                                                        \
  AD_INLINE void N##__copy(N *r, const N *a, int n) { AD__EACH(r[i] = a[i]) }                                                 \
  AD__ARRAYS_PRODUCTS(N)
#define AD__ARRAYS_PRODUCTS(N)                                                                                                \
  AD_INLINE void N##__one(N *r, int k, int n) { AD__EACH(r[i] = N##_k(i == k)) }                                              \
  AD_INLINE void N##__scale(N *r, N p, const N *a, int n) { AD__EACH(r[i] = N##_along(a[i], p)) }                             \
  AD_INLINE void N##__accumulate(N *r, N p, const N *a, int n) { AD__EACH(r[i] = N##_add(r[i], N##_along(a[i], p))) }         \
  AD_INLINE void N##__combine(N *r, N p, const N *a, N q, const N *b, int n) {                                                \
    AD__EACH(r[i] = N##_add(N##_along(a[i], p), N##_along(b[i], q))) }                                                        \
  AD__ARRAYS_MORE(N)
#define AD__ARRAYS_MORE(N)                                                                                                    \
  AD_INLINE void N##__combine_any(N *r, N p, const N *a, N q, const N *b, int n) { N##__combine(r, p, a, q, b, n); }          \
  AD_INLINE void N##__choose(N *r, N##_mask m, const N *a, const N *b, int n) { AD__EACH(r[i] = N##_select(m, a[i], b[i])) }

/* a system of registers: the rows, and what duals over it need */
#define AD_VECTOR_SYSTEM(N) AD_SYSTEM(N) AD__ALONG(N) AD__ARRAYS(N)
#if defined(AD_SIMD_VECTORS_H) && !defined(AD__VECTOR_SYSTEMS)
#define AD__VECTOR_SYSTEMS
AD_VECTOR_SYSTEM(ad_v32)
AD_VECTOR_SYSTEM(ad_v64)
#endif

/* D over N: the type, the words that are no rows, the rows, and the rows as rules for a dual over D */
#define AD_DUAL(D, N, width)                                                                                                  \
  typedef struct D { N v; N d[width]; } D;                                                                                    \
  AD__DUAL_MAKE(D, N, width) AD__DUAL_CHAIN(D, N, width) AD__DUAL_CHOOSE(D, N, width) AD__DUAL_COMPARE(D, N)                  \
  AD_UNARY(AD__DUAL_1, N, D) AD_BINARY(AD__DUAL_2, N, D) AD_TERNARY(AD__DUAL_3, N, D) AD__DUAL_MIXED_3(D, N)                  \
  AD__DUAL_MORE(D, N, width) AD__ARRAYS(D) AD_RULES(D) AD_CXX_TYPE(D)

#define AD__DUAL_MAKE(D, N, width)                                                                                            \
  AD_INLINE D D##_constant(N v) { D r; r.v = v; N##__clear(r.d, width); return r; }                                           \
  AD_INLINE D D##_variable(N v, int k) { D r; r.v = v; N##__one(r.d, k, width); return r; }                                   \
  AD_INLINE D D##_k(double c) { return D##_constant(N##_k(c)); }

/* The sum of partial times tangent. A product of partials that is plain has plain factors, and that of mul is its value: one test
   for two. Where it is not, copies go to functions apart, so that no address of a dual leaves its function. */
#define AD__DUAL_CHAIN(D, N, width)                                                                                           \
  AD_INLINE void D##__any(N *r, N p, const N *a, N q, const N *b) {                                                           \
    N s[width], t[width], u[width]; N##__copy(t, a, width); N##__copy(u, b, width);                                           \
    N##__combine_any(s, p, t, q, u, width); N##__copy(r, s, width); }                                                         \
  AD__DUAL_CHAIN_ON(D, N, width)
#define AD__DUAL_CHAIN_ON(D, N, width)                                                                                        \
  AD_INLINE void D##__set(N *r, N p, const N *a) {                                                                            \
    if (AD_LIKELY(N##__plain(p))) N##__scale(r, p, a, width);                                                                 \
    else if (N##__zero(p)) N##__clear(r, width); else D##__any(r, p, a, N##_k(0), a); }                                       \
  AD_INLINE void D##__add(N *r, N p, const N *a) {                                                                            \
    if (AD_LIKELY(N##__plain(p))) N##__accumulate(r, p, a, width); else if (!N##__zero(p)) D##__any(r, N##_k(1), r, p, a); }  \
  AD__DUAL_CHAIN_123(D, N, width)
#define AD__DUAL_CHAIN_123(D, N, width)                                                                                       \
  AD_INLINE D D##__chain_1(N v, N p, D a) { D r; r.v = v; D##__set(r.d, p, a.d); return r; }                                  \
  AD_INLINE D D##__chain_2(N v, N p, D a, N q, D b) { D r; r.v = v;                                                           \
    if (AD_LIKELY(N##__plain(N##_mul(p, q)))) N##__combine(r.d, p, a.d, q, b.d, width);                                       \
    else D##__any(r.d, p, a.d, q, b.d);                                                                                       \
    return r; }                                                                                                               \
  AD_INLINE D D##__chain_3(N v, N p, D a, N q, D b, N s, D c) { D r = D##__chain_2(v, p, a, q, b); D##__add(r.d, s, c.d); return r; }

#define AD__DUAL_CHOOSE(D, N, width)                                                                                          \
  typedef N##_mask D##_mask;                                                                                                  \
  AD_INLINE D D##_select(D##_mask m, D a, D b) {                                                                              \
    D r; r.v = N##_select(m, a.v, b.v); N##__choose(r.d, m, a.d, b.d, width); return r; }                                     \
  AD_INLINE D D##_only(D##_mask m, D a) { return D##_select(m, a, D##_k(0)); }

#define AD__COMPARE(D, N, op)                                                                                                 \
  AD_INLINE N##_mask D##_##op(D a, D b) { return N##_##op(a.v, b.v); }                                                        \
  AD_INLINE N##_mask D##_##op##_xk(D a, double b) { return N##_##op(a.v, N##_k(b)); }                                         \
  AD_INLINE N##_mask D##_##op##_ky(double a, D b) { return N##_##op(N##_k(a), b.v); }
#define AD__COMPARE_BACK(D, op, back)                                                                                         \
  AD_INLINE D##_mask D##_##op(D a, D b) { return D##_##back(b, a); }                                                          \
  AD_INLINE D##_mask D##_##op##_xk(D a, double b) { return D##_##back##_ky(b, a); }                                           \
  AD_INLINE D##_mask D##_##op##_ky(double a, D b) { return D##_##back##_xk(b, a); }
#define AD__DUAL_COMPARE(D, N)                                                                                                \
  AD__COMPARE(D, N, lt) AD__COMPARE(D, N, le) AD__COMPARE(D, N, eq) AD__COMPARE(D, N, ne)                                     \
  AD__COMPARE_BACK(D, gt, lt) AD__COMPARE_BACK(D, ge, le)                                                                     \
  AD_INLINE D##_mask D##_and(D##_mask a, D##_mask b) { return N##_and(a, b); }                                                \
  AD_INLINE D##_mask D##_or(D##_mask a, D##_mask b) { return N##_or(a, b); }                                                  \
  AD_INLINE D##_mask D##_not(D##_mask a) { return N##_not(a); }                                                               \
  AD_INLINE bool D##_any(D##_mask a) { return N##_any(a); } AD_INLINE bool D##_all(D##_mask a) { return N##_all(a); }

#define AD__DUAL_1(N, D, op, value, dx, ...)                                                                                  \
  AD_INLINE D D##_##op(D a) { N x = a.v, v = N##_##op(x); return D##__chain_1(v, N##_##op##_dx(x, v), a); }
#define AD__DUAL_2(N, D, op, value, dx, dy, ...)                                                                              \
  AD_INLINE D D##_##op(D a, D b) { N x = a.v, y = b.v, v = N##_##op(x, y);                                                    \
    return D##__chain_2(v, N##_##op##_dx(x, y, v), a, N##_##op##_dy(x, y, v), b); }                                           \
  AD_INLINE D D##_##op##_xk(D a, double b) { N x = a.v, y = N##_k(b), v = N##_##op(x, y);                                     \
    return D##__chain_1(v, N##_##op##_dx(x, y, v), a); }                                                                      \
  AD_INLINE D D##_##op##_ky(double a, D b) { N x = N##_k(a), y = b.v, v = N##_##op(x, y);                                     \
    return D##__chain_1(v, N##_##op##_dy(x, y, v), b); }
#define AD__DUAL_3(N, D, op, value, dx, dy, dz, ...)                                                                          \
  AD_INLINE D D##_##op(D a, D b, D c) { N x = a.v, y = b.v, z = c.v, v = N##_##op(x, y, z);                                   \
    return D##__chain_3(v, N##_##op##_dx(x, y, z, v), a, N##_##op##_dy(x, y, z, v), b, N##_##op##_dz(x, y, z, v), c); }

/* of a ternary row the six ways to mix in numbers, as constants: AD__MIXED_3(T, op) for any type that has T_op and T_k */
#define AD__MIXED_3(T, op)                                                                                                    \
  AD_INLINE T T##_##op##_xyk(T x, T y, double z) { return T##_##op(x, y, T##_k(z)); }                                         \
  AD_INLINE T T##_##op##_xkz(T x, double y, T z) { return T##_##op(x, T##_k(y), z); }                                         \
  AD_INLINE T T##_##op##_kyz(double x, T y, T z) { return T##_##op(T##_k(x), y, z); }                                         \
  AD_INLINE T T##_##op##_xkk(T x, double y, double z) { return T##_##op(x, T##_k(y), T##_k(z)); }                             \
  AD_INLINE T T##_##op##_kyk(double x, T y, double z) { return T##_##op(T##_k(x), y, T##_k(z)); }                             \
  AD_INLINE T T##_##op##_kkz(double x, double y, T z) { return T##_##op(T##_k(x), T##_k(y), z); }
#define AD__DUAL_MIX_3(N, D, op, ...) AD__MIXED_3(D, op)
#define AD__DUAL_MIXED_3(D, N) AD_TERNARY(AD__DUAL_MIX_3, N, D)

/* D_seed: the zero seed rule, component by component; D_along: with the zero partial too */
#define AD__DUAL_MORE(D, N, width)                                                                                            \
  AD__DUAL_NUMBER(D)                                                                                                          \
  AD_INLINE D D##_fnma(D a, D b, D c) { return D##_fma(D##_neg(a), b, c); }                                                   \
  AD_INLINE D D##_along(D g, D p) {                                                                                           \
    D r; r.v = N##_along(g.v, p.v); D##__set(r.d, p.v, g.d); D##__add(r.d, g.v, p.d); return r; }                             \
  AD__DUAL_SEED(D, N, width)
#define AD__DUAL_SEED(D, N, width)                                                                                            \
  AD_INLINE D D##_seed(D g, D p) {                                                                                            \
    const int n = width; D r; r.v = N##_seed(g.v, p.v);                                                                       \
    AD__EACH(r.d[i] = N##_add(N##_seed(g.v, p.d[i]), N##_seed(g.d[i], p.v))) return r; }

/* in C++ the generic names (>>generic) and the operators are overloads, of user-defined duals too */
#if defined(__cplusplus)
#if defined(AD_TRACE)                   /* of ad_var: a type that knows where it was made (>>tape) */
template <class T> struct ad__in { typedef T type; };
#define AD__IN(T) ad__in<T>::type
#else
#define AD__IN(T) T
#endif
#define AD__CXX_1(N, T, op, ...) AD_INLINE T ad_##op(AD__IN(T) x) { return T##_##op(x); }
#define AD__CXX_2(N, T, op, ...) AD__CXX_PAIR(T, T, ad_##op, op)
#define AD__CXX_PAIR(R, T, name, op)                                                                                          \
  AD_INLINE R name(AD__IN(T) x, AD__IN(T) y) { return T##_##op(x, y); }                                                       \
  AD_INLINE R name(AD__IN(T) x, double y) { return T##_##op##_xk(x, y); }                                                     \
  AD_INLINE R name(double x, AD__IN(T) y) { return T##_##op##_ky(x, y); }
#define AD__CXX_3(N, T, op, ...) AD_INLINE T ad_##op(AD__IN(T) x, AD__IN(T) y, AD__IN(T) z) { return T##_##op(x, y, z); }     \
  AD_INLINE T ad_##op(AD__IN(T) x, AD__IN(T) y, double z) { return T##_##op##_xyk(x, y, z); }                                 \
  AD_INLINE T ad_##op(AD__IN(T) x, double y, AD__IN(T) z) { return T##_##op##_xkz(x, y, z); }                                 \
  AD_INLINE T ad_##op(AD__IN(T) x, double y, double z) { return T##_##op##_xkk(x, y, z); } AD__CXX_3_NUMBER_FIRST(T, op)
#define AD__CXX_3_NUMBER_FIRST(T, op)                                                                                         \
  AD_INLINE T ad_##op(double x, AD__IN(T) y, AD__IN(T) z) { return T##_##op##_kyz(x, y, z); }                                 \
  AD_INLINE T ad_##op(double x, AD__IN(T) y, double z) { return T##_##op##_kyk(x, y, z); }                                    \
  AD_INLINE T ad_##op(double x, double y, AD__IN(T) z) { return T##_##op##_kkz(x, y, z); }
#define AD__CXX_COMPARE(T, op, symbol) AD__CXX_PAIR(T##_mask, T, ad_##op, op) AD__CXX_PAIR(T##_mask, T, operator symbol, op)
#define AD__CXX_ARITHMETIC(T, op, symbol) AD__CXX_PAIR(T, T, operator symbol, op)                                             \
  AD_INLINE T &operator symbol##=(T &x, AD__IN(T) y) { return x = T##_##op(x, y); }                                           \
  AD_INLINE T &operator symbol##=(T &x, double y) { return x = T##_##op##_xk(x, y); }
#define AD_CXX_TYPE(T)   /* every overload of a type that has T_op, T_op_xk, T_op_ky, ... and T_mask */                       \
  AD_UNARY(AD__CXX_1, , T) AD_BINARY(AD__CXX_2, , T) AD_TERNARY(AD__CXX_3, , T)                                               \
  AD__CXX_ARITHMETIC(T, add, +) AD__CXX_ARITHMETIC(T, sub, -) AD__CXX_ARITHMETIC(T, mul, *) AD__CXX_ARITHMETIC(T, div, /)     \
  AD__CXX_COMPARE(T, lt, <) AD__CXX_COMPARE(T, le, <=) AD__CXX_COMPARE(T, gt, >) AD__CXX_COMPARE(T, ge, >=)                   \
  AD__CXX_COMPARE(T, eq, ==) AD__CXX_COMPARE(T, ne, !=)                                                                       \
  AD_INLINE T operator-(AD__IN(T) x) { return T##_neg(x); } AD_INLINE T operator+(AD__IN(T) x) { return x; }
#else
#define AD_CXX_TYPE(T)
#endif

AD_DUAL(ad_dual, ad_f64, AD_DUAL_WIDTH)

/* Second derivatives: one direction over AD_DUAL_WIDTH, 2 + 2 AD_DUAL_WIDTH numbers. x = ad_dual2_variable(ad_dual_variable(a, k), 0)
   is an input in direction k of the inner and 0 of the outer; of a result r, r.v.v is the value, r.v.d[k] and r.d[0].v are first
   derivatives, r.d[0].d[k] the second one. An operation costs 2-3 of ad_dual. */
AD_DUAL(ad_dual2, ad_dual, 1)

/* >>drivers -------------------------------------------------------------------------------------------------------------
   Forward mode over a C function from n inputs x to m outputs y that computes with duals. A driver needs n + m duals: up to
   AD_FORWARD_STACK of them live on its stack, more come from AD_MALLOC, or all from the caller (_in). The outputs are 0 when f
   is called; f is called once per chunk of AD_DUAL_WIDTH inputs and must compute the same every time. x may be NaN or infinite:
   what comes out follows from the rules of the table. y may be NULL where only derivatives are wanted.

   The drivers are static functions of the unit, not of the implementation part: they depend on AD_DUAL_WIDTH, which may differ
   between units, and the compiler can inline f into them.

   Errors: AD_ERROR_ARGUMENT (n or m is 0, a pointer is NULL), AD_ERROR_LIMIT (a size overflows), AD_ERROR_MEMORY. */

#ifndef AD_FORWARD_STACK
#define AD_FORWARD_STACK 32
#endif

typedef void ad_dual_map(const ad_dual *x, ad_dual *y, void *context);
typedef void ad_dual2_map(const ad_dual2 *x, ad_dual2 *y, void *context);    /* m = 1 in the drivers below */

/* whether a + b objects, and a x b numbers, have a size that can be expressed */
AD_INLINE bool ad__fits(size_t a, size_t b, size_t bytes) {
  const size_t limit = PTRDIFF_MAX;
  return a <= limit / bytes && b <= limit / bytes - a && b <= limit / sizeof(double) / a;
}

/* jacobian: (m, n), row-major. work: n + m duals. */
AD_LOCAL ad_status ad_jacobian_forward_in(ad_dual_map *f, void *context, size_t n, const double *x, size_t m, double *y,
                                          double *jacobian, ad_dual *work) {
  const size_t width = AD_DUAL_WIDTH;
  ad_dual *in = work, *out = work + n;
  if (!f || !x || !jacobian || !work || n == 0 || m == 0) return AD_ERROR_ARGUMENT;
  if (!ad__fits(n, m, sizeof(ad_dual))) return AD_ERROR_LIMIT;
  for (size_t i = 0; i < n; i++) in[i] = ad_dual_variable(x[i], i < width ? (int)i : -1);
  for (size_t first = 0; first < n; first += width) {
    const size_t count = n - first < width ? n - first : width;
    if (first > 0) {
      for (size_t k = first - width; k < first; k++) in[k] = ad_dual_constant(in[k].v);
      for (size_t k = 0; k < count; k++) in[first + k] = ad_dual_variable(in[first + k].v, (int)k);
    }
    for (size_t i = 0; i < m; i++) out[i] = ad_dual_constant(0);
    f(in, out, context);
    for (size_t i = 0; i < m; i++) memcpy(jacobian + i * n + first, out[i].d, count * sizeof(double));
  }
  for (size_t i = 0; y && i < m; i++) y[i] = out[i].v;
  return AD_OK;
}

AD_LOCAL ad_status ad_jacobian_forward(ad_dual_map *f, void *context, size_t n, const double *x, size_t m, double *y, double *jacobian) {
  ad_dual small[AD_FORWARD_STACK], *work = small;
  ad_status status;
  if (n == 0 || m == 0) return AD_ERROR_ARGUMENT;
  if (!ad__fits(n, m, sizeof(ad_dual))) return AD_ERROR_LIMIT;
  if (n + m > AD_FORWARD_STACK) work = (ad_dual *)AD_MALLOC((n + m) * sizeof(ad_dual));
  if (!work) return AD_ERROR_MEMORY;
  status = ad_jacobian_forward_in(f, context, n, x, m, y, jacobian, work);
  if (work != small) AD_FREE(work);
  return status;
}

/* gradient: n numbers, of a function with one output */
AD_LOCAL ad_status ad_gradient_forward(ad_dual_map *f, void *context, size_t n, const double *x, double *y, double *gradient) {
  return ad_jacobian_forward(f, context, n, x, 1, y, gradient);
}

/* dy = J dx, the derivative of all m outputs along the direction dx (n). work: n + m duals. */
AD_LOCAL ad_status ad_jvp_forward_in(ad_dual_map *f, void *context, size_t n, const double *x, const double *dx, size_t m, double *y,
                                     double *dy, ad_dual *work) {
  ad_dual *in = work, *out = work + n;
  if (!f || !x || !dx || !dy || !work || n == 0 || m == 0) return AD_ERROR_ARGUMENT;
  if (!ad__fits(n, m, sizeof(ad_dual))) return AD_ERROR_LIMIT;
  for (size_t i = 0; i < n; i++) {
    in[i] = ad_dual_constant(x[i]);
    in[i].d[0] = dx[i];
  }
  for (size_t i = 0; i < m; i++) out[i] = ad_dual_constant(0);
  f(in, out, context);
  for (size_t i = 0; i < m; i++) dy[i] = out[i].d[0];
  for (size_t i = 0; y && i < m; i++) y[i] = out[i].v;
  return AD_OK;
}

AD_LOCAL ad_status ad_jvp_forward(ad_dual_map *f, void *context, size_t n, const double *x, const double *dx, size_t m, double *y, double *dy) {
  ad_dual small[AD_FORWARD_STACK], *work = small;
  ad_status status;
  if (n == 0 || m == 0) return AD_ERROR_ARGUMENT;
  if (!ad__fits(n, m, sizeof(ad_dual))) return AD_ERROR_LIMIT;
  if (n + m > AD_FORWARD_STACK) work = (ad_dual *)AD_MALLOC((n + m) * sizeof(ad_dual));
  if (!work) return AD_ERROR_MEMORY;
  status = ad_jvp_forward_in(f, context, n, x, dx, m, y, dy, work);
  if (work != small) AD_FREE(work);
  return status;
}

/* gradient (n) and hessian (n, n) of f with one output; either may be NULL. One call of f per row and chunk up to the diagonal:
   about n^2 / (2 AD_DUAL_WIDTH) + n calls, so this is for small n. work: n ad_dual2. */
AD_LOCAL ad_status ad_hessian_forward_in(ad_dual2_map *f, void *context, size_t n, const double *x, double *y, double *gradient,
                                         double *hessian, ad_dual2 *work) {
  const size_t width = AD_DUAL_WIDTH;
  ad_dual2 out;
  if (!f || !x || !(gradient || hessian) || !work || n == 0) return AD_ERROR_ARGUMENT;
  if (!ad__fits(n, n, sizeof(ad_dual2))) return AD_ERROR_LIMIT;
  for (size_t i = 0; i < n; i++) work[i] = ad_dual2_k(x[i]);
  for (size_t row = 0; row < n; row++) {
    for (size_t first = 0; first <= row; first += width) {
      const size_t count = row - first < width ? row - first + 1 : width;
      for (size_t k = 0; k < count; k++) work[first + k].v = ad_dual_variable(work[first + k].v.v, (int)k);
      work[row].d[0].v = 1;
      out = ad_dual2_k(0);
      f(work, &out, context);
      for (size_t k = 0; hessian && k < count; k++) hessian[row * n + first + k] = hessian[(first + k) * n + row] = out.d[0].d[k];
      for (size_t k = 0; k < count; k++) work[first + k].v = ad_dual_constant(work[first + k].v.v);
      work[row].d[0].v = 0;
      if (gradient) gradient[row] = out.d[0].v;
      if (y) *y = out.v.v;
    }
  }
  return AD_OK;
}

AD_LOCAL ad_status ad_hessian_forward(ad_dual2_map *f, void *context, size_t n, const double *x, double *y, double *gradient, double *hessian) {
  ad_dual2 small[AD_FORWARD_STACK / 2], *work = small;
  ad_status status;
  if (n == 0) return AD_ERROR_ARGUMENT;
  if (!ad__fits(n, n, sizeof(ad_dual2))) return AD_ERROR_LIMIT;
  if (n > AD_FORWARD_STACK / 2) work = (ad_dual2 *)AD_MALLOC(n * sizeof(ad_dual2));
  if (!work) return AD_ERROR_MEMORY;
  status = ad_hessian_forward_in(f, context, n, x, y, gradient, hessian, work);
  if (work != small) AD_FREE(work);
  return status;
}

/* hv = H v for a direction v (n), with y and gradient (n, may be NULL) on the way: n / AD_DUAL_WIDTH calls of f. work: n ad_dual2. */
AD_LOCAL ad_status ad_hessian_vector_forward_in(ad_dual2_map *f, void *context, size_t n, const double *x, const double *v, double *y,
                                                double *gradient, double *hv, ad_dual2 *work) {
  const size_t width = AD_DUAL_WIDTH;
  ad_dual2 out;
  if (!f || !x || !v || !hv || !work || n == 0) return AD_ERROR_ARGUMENT;
  if (!ad__fits(n, 1, sizeof(ad_dual2))) return AD_ERROR_LIMIT;
  for (size_t i = 0; i < n; i++) {
    work[i] = ad_dual2_k(x[i]);
    work[i].d[0].v = v[i];
  }
  for (size_t first = 0; first < n; first += width) {
    const size_t count = n - first < width ? n - first : width;
    for (size_t k = 0; k < count; k++) work[first + k].v = ad_dual_variable(work[first + k].v.v, (int)k);
    out = ad_dual2_k(0);
    f(work, &out, context);
    for (size_t k = 0; gradient && k < count; k++) gradient[first + k] = out.v.d[k];
    for (size_t k = 0; k < count; k++) hv[first + k] = out.d[0].d[k];
    for (size_t k = 0; k < count; k++) work[first + k].v = ad_dual_constant(work[first + k].v.v);
    if (y) *y = out.v.v;
  }
  return AD_OK;
}

AD_LOCAL ad_status ad_hessian_vector_forward(ad_dual2_map *f, void *context, size_t n, const double *x, const double *v, double *y,
                                             double *gradient, double *hv) {
  ad_dual2 small[AD_FORWARD_STACK / 2], *work = small;
  ad_status status;
  if (n == 0) return AD_ERROR_ARGUMENT;
  if (!ad__fits(n, 1, sizeof(ad_dual2))) return AD_ERROR_LIMIT;
  if (n > AD_FORWARD_STACK / 2) work = (ad_dual2 *)AD_MALLOC(n * sizeof(ad_dual2));
  if (!work) return AD_ERROR_MEMORY;
  status = ad_hessian_vector_forward_in(f, context, n, x, v, y, gradient, hv, work);
  if (work != small) AD_FREE(work);
  return status;
}

/* >>tape ----------------------------------------------------------------------------------------------------------------
   The tape is three arrays indexed by the node: value[i], adjoint[i], code[i]. A code is 16 bytes: what was done, and to which
   nodes. Operands come before their node, so the reverse sweep is one loop downwards. Partials are not stored: the sweep computes
   them from the values by the rows of the table, which keeps a node at 32 bytes with its adjoint, lets derivatives be recorded as
   nodes in turn, and lets a function replay the codes at other points.

     code.op = AD_NODE(opcode, form)    opcode: a row of the table, or one of those below (AD_OP_CONSTANT_, ...)
       form AD_PLAIN      operands x, u.yz[0], u.yz[1], as many as the row has
       form AD_Y_NUMBER   of a binary row: operand x is node x, operand y is the number u.k
       form AD_X_NUMBER   of a binary row: operand y is node x, operand x is the number u.k
       form AD_ON_TENSORS some operand or the result is a tensor: value[i] holds the pointer of its record (ad__tensor_at)

   A handle carries what the inline path must know: tape, node, kind. The kind of a scalar is the generation of the tape times 2,
   that of a tensor the number of its record times 2, plus 1; 0 is an invalid handle. A reset starts a new generation, so handles
   from before it are told from valid ones, and a rewind leaves a tensor's handle without its record. What is not seen is a scalar's
   handle from before a rewind whose node has been recorded anew: it would cost a number a node. Recording
   is inline: tests of the operands and of the capacity, two stores, no call; everything unusual goes to ad__record.
   One array of 32-byte structures was rejected: the sweep would write back all of a node to change its adjoint. Handles that
   hold pointers were rejected: arrays move when they grow. Stored partials were rejected: 8 to 24 bytes more a node.

   Tensor records, their contents, and what operations need to remember lie in an arena (chunks that never move, 64-byte
   aligned pieces); adjoints of tensors in a second one, so that rewinding the first leaves gradients readable. */

typedef struct ad_tape ad_tape;
typedef struct ad_var { ad_tape *tape; uint32_t node; uint32_t kind; } ad_var;

typedef enum ad_dtype { AD_F32, AD_F64, AD_I32 } ad_dtype;      /* AD_I32: labels and indices, never differentiated */
#define AD_MAX_RANK 8

/* opcodes that are no rows */
enum {
  AD_OP_CONSTANT_ = AD_OP_COUNT_,   /* value[i]; not differentiated */
  AD_OP_VARIABLE_,
  AD_OP_GUARD_,                     /* the comparison at node x steered the program: a replay must find the same */
  AD_OP_CALL_,                      /* a structural operation: its ad__call is found by ad__call_at */
  AD_OP_END_
};
enum { AD_PLAIN, AD_Y_NUMBER, AD_X_NUMBER, AD_ON_TENSORS };
#define AD_NODE(opcode, form) ((uint32_t)(opcode) * 4u + (uint32_t)(form))
#define AD_NODE_OP(node) ((int)((node) >> 2))
#define AD_NODE_FORM(node) ((int)((node) & 3u))

typedef struct ad__code {
  uint32_t op, x;
  union { uint32_t yz[2]; double k; } u;
} ad__code;

typedef struct ad__chunk { struct ad__chunk *next; size_t size; } ad__chunk;    /* size bytes follow at offset 64 */
typedef struct ad__arena { ad__chunk *first, *current; size_t used; } ad__arena;
typedef struct ad__place { const char *file; int line; } ad__place;

/* All options may be 0. Memory given here holds the whole tape, which then never allocates. */
typedef struct ad_tape_options {
  void *(*allocate)(size_t bytes, void *context);               /* 0: malloc and free; aligned as malloc does */
  void (*release)(void *block, void *context);
  void *context;
  void *memory;                                                 /* any alignment */
  size_t memory_size;
  size_t nodes;                                                 /* room for nodes: at the start (1024), or of memory for good (half of it) */
  size_t max_nodes, max_bytes;                                  /* limits: AD_ERROR_LIMIT beyond them */
  bool no_trace;                                                /* keep no file and line even where AD_TRACE is defined */
} ad_tape_options;

struct ad_tape {                    /* size_t, pointers: stores to nodes cannot alias them */
  size_t count, capacity;           /* nodes */
  size_t kind;                      /* of valid scalar handles */
  uint32_t tensor_kind;             /* of the tensor recorded last; never the same again, not even after a reset */
  double *value, *adjoint;
  ad__code *code;
  size_t swept;                     /* adjoints below this are those of the last sweep */
  ad__arena storage, adjoints;
  size_t sweep;                     /* number of the last sweep: tensor adjoints of an older one are 0 */
  size_t changes;                   /* times that leaves were changed in place: copies of views are from between two of them */
  ad_tape_options options;
  void *block;                      /* where the node arrays lie */
  ad__place *place;                 /* file and line by node, below traced; allocated when first told */
  size_t traced, place_capacity;
  ad__place here;                   /* of the operation being recorded, where AD_TRACE is defined */
  size_t bytes;                     /* allocated now */
  ad_status status;
  size_t recorded;                  /* the count of nodes before a sweep began to record */
  bool passive;                     /* a sweep over tensors is recording: no gradient flows through its nodes */
  bool fixed, owned;                /* no allocation; the tape itself was allocated */
  struct ad__trace *trace;          /* while a function of tensors is planned: kernels are written down here, not run */
  char message[256];
};

typedef struct ad_mark { ad_tape *tape; size_t nodes, used, kind; ad__chunk *chunk; } ad_mark;

AD_API ad_tape *ad_tape_create(const ad_tape_options *options);         /* null: out of memory, or memory_size too small */
AD_API void ad_tape_destroy(ad_tape *tape);
AD_API void ad_tape_reset(ad_tape *tape);           /* forgets all nodes and the error, keeps the memory; handles become invalid; O(1) */
AD_API ad_mark ad_tape_mark(const ad_tape *tape);
AD_API void ad_tape_rewind(ad_tape *tape, ad_mark mark);                /* forgets the nodes recorded since; older ones keep gradients */
AD_API ad_status ad_tape_status(const ad_tape *tape);                   /* the first error since the tape was created or reset */
AD_API const char *ad_tape_message(const ad_tape *tape);                /* what it was: operation, numbers; "" without error */
AD_API size_t ad_tape_nodes(const ad_tape *tape);
AD_API size_t ad_tape_bytes(const ad_tape *tape);                       /* allocated now, or given and in use */
/* operands in pieces: a structure that is passed whole would be kept whole, and taken apart again at each use */
AD_API AD__COLD uint64_t ad__record_1(uint32_t op, ad_tape *x, uint32_t xnode, uint32_t xkind, double k);
AD_API AD__COLD uint64_t ad__record_2(uint32_t op, ad_tape *x, uint32_t xnode, uint32_t xkind, ad_tape *y, uint32_t ynode, uint32_t ykind);
AD_API AD__COLD uint64_t ad__record_3(uint32_t op, ad_tape *x, uint32_t xnode, uint32_t xkind, ad_tape *y, uint32_t ynode, uint32_t ykind,
                             ad_tape *z, uint32_t znode, uint32_t zkind);
AD_API AD__COLD ad_var ad__leaf(ad_tape *tape, uint32_t opcode, double value);
AD_API bool ad__guard(int opcode, ad_var x, ad_var y, double k, int form);
AD_API double ad__value_apart(ad_var x);
AD_API void ad__note(ad_tape *tape);

AD_INLINE bool ad__is_scalar(const ad_tape *t, ad_var x) { return x.kind == t->kind && x.node < t->count; }

/* AD_TRACE: the names that record tell the tape their place in the program before they do. Generic names by AD__AT, in C++ by their
   parameters, which take the place where they are made; the others by macros at the end of this header. */
#if defined(AD_TRACE)
#define AD__NOTE(t) ad__note(t)
AD_INLINE ad_tape *ad__at_tape(ad_tape *t, const char *file, int line) { if (t) { t->here.file = file; t->here.line = line; } return t; }
AD_INLINE ad_var ad__at_var(ad_var x, const char *file, int line) { ad__at_tape(x.tape, file, line); return x; }
#else
#define AD__NOTE(t) ((void)0)
#endif
#if defined(AD_TRACE) && defined(__cplusplus)
struct ad__placed {
  ad_var x;
  ad__placed(ad_var v, const char *file = __builtin_FILE(), int line = __builtin_LINE()) : x(ad__at_var(v, file, line)) {}
  operator ad_var() const { return x; }
};
template <> struct ad__in<ad_var> { typedef ad__placed type; };
#elif defined(AD_TRACE)
#define AD__AT(x) ad__at(&(x), _Generic((x), ad_var: true, default: false), __FILE__, __LINE__)
AD_INLINE void ad__at(const void *x, bool is_var, const char *file, int line) {
  if (is_var) ad__at_tape(((const ad_var *)x)->tape, file, line); }
#else
#define AD__AT(x) ((void)0)
#endif

AD_INLINE ad_var ad__push(ad_tape *t, uint32_t kind, uint32_t op, uint32_t x, uint32_t y, double v) {
  const size_t i = t->count;
  ad__code *c = t->code + i;
  ad_var r;
  c->op = op; c->x = x; c->u.yz[0] = y;
  t->value[i] = v;
  t->count = i + 1;
  AD__NOTE(t);
  r.tape = t; r.node = (uint32_t)i; r.kind = kind;
  return r;
}
AD_INLINE ad_var ad__push_k(ad_tape *t, uint32_t kind, uint32_t op, uint32_t x, double k, double v) {
  const size_t i = t->count;
  ad__code *c = t->code + i;
  ad_var r;
  c->op = op; c->x = x; c->u.k = k;
  t->value[i] = v;
  t->count = i + 1;
  AD__NOTE(t);
  r.tape = t; r.node = (uint32_t)i; r.kind = kind;
  return r;
}
/* Results are always on the tape of operand x, also invalid ones: so the compiler knows all handles of an expression by one pointer. */
AD_INLINE ad_var ad__unpacked(ad_tape *t, uint64_t node_and_kind) {
  ad_var r; r.tape = t; r.node = (uint32_t)node_and_kind; r.kind = (uint32_t)(node_and_kind >> 32); return r; }

/* A scalar that is differentiated, and one that is not (its gradient is 0). */
AD_INLINE ad_var ad_variable(ad_tape *t, double v) {
  if (AD_LIKELY(t && t->count < t->capacity)) return ad__push(t, (uint32_t)t->kind, AD_NODE(AD_OP_VARIABLE_, AD_PLAIN), 0, 0, v);
  return ad__leaf(t, AD_OP_VARIABLE_, v);
}
AD_INLINE ad_var ad_constant(ad_tape *t, double v) {
  if (AD_LIKELY(t && t->count < t->capacity)) return ad__push(t, (uint32_t)t->kind, AD_NODE(AD_OP_CONSTANT_, AD_PLAIN), 0, 0, v);
  return ad__leaf(t, AD_OP_CONSTANT_, v);
}

/* The number of a rank-0 variable; NaN of anything else (and AD_ERROR_SHAPE if it is a tensor of other rank). */
AD_INLINE double ad_value(ad_var x) {
  return AD_LIKELY(x.tape && ad__is_scalar(x.tape, x)) ? x.tape->value[x.node] : ad__value_apart(x);
}
AD_INLINE bool ad_is_valid(ad_var x);

AD_INLINE bool ad__is_on(const ad_tape *t, ad_var x) { return x.tape == t && ad__is_scalar(t, x); }
AD_INLINE ad_var ad__push_3(ad_var x, ad_var y, ad_var z, uint32_t op, double v) {      /* there is room */
  x.tape->code[x.tape->count].u.yz[1] = z.node;
  return ad__push(x.tape, x.kind, op, x.node, y.node, v);
}
AD_INLINE ad_var ad__apart_3(uint32_t op, ad_var x, ad_var y, ad_var z) {
  return ad__unpacked(x.tape, ad__record_3(op, x.tape, x.node, x.kind, y.tape, y.node, y.kind, z.tape, z.node, z.kind));
}

/* rows on variables: ad_var_op(x), ad_var_op(x, y), with numbers ad_var_op_xk(x, number), ad_var_op_ky(number, y), ... */
#define AD__READY(t, x) ((t) && (t)->count < (t)->capacity && ad__is_scalar(t, x))
#define AD__VAR_1(N, D, op, ...)                                                                                              \
  AD_INLINE ad_var ad_var_##op(ad_var x) {                                                                                    \
    ad_tape *t = x.tape;                                                                                                      \
    if (AD_LIKELY(AD__READY(t, x))) return ad__push(t, x.kind, AD_NODE(AD_OP_##op, AD_PLAIN), x.node, 0, ad_f64_##op(t->value[x.node])); \
    return ad__unpacked(t, ad__record_1(AD_NODE(AD_OP_##op, AD_PLAIN), t, x.node, x.kind, 0)); }
#define AD__VAR_2(N, D, op, ...)                                                                                              \
  AD_INLINE ad_var ad_var_##op(ad_var x, ad_var y) {                                                                          \
    ad_tape *t = x.tape;                                                                                                      \
    if (AD_LIKELY(AD__READY(t, x) && ad__is_on(t, y)))                                                                        \
      return ad__push(t, x.kind, AD_NODE(AD_OP_##op, AD_PLAIN), x.node, y.node, ad_f64_##op(t->value[x.node], t->value[y.node])); \
    return ad__unpacked(t, ad__record_2(AD_NODE(AD_OP_##op, AD_PLAIN), t, x.node, x.kind, y.tape, y.node, y.kind)); }         \
  AD__VAR_2KS(op)
#define AD__VAR_2KS(op)                                                                                                       \
  AD__VAR_2K(op, xk, AD_Y_NUMBER, ad_var x AD__COMMA double k, ad_f64_##op(t->value[x.node], k))                              \
  AD__VAR_2K(op, ky, AD_X_NUMBER, double k AD__COMMA ad_var x, ad_f64_##op(k, t->value[x.node]))
#define AD__COMMA ,
#define AD__VAR_2K(op, mix, form, operands, v)                                                                                \
  AD_INLINE ad_var ad_var_##op##_##mix(operands) {                                                                            \
    ad_tape *t = x.tape;                                                                                                      \
    if (AD_LIKELY(AD__READY(t, x))) return ad__push_k(t, x.kind, AD_NODE(AD_OP_##op, form), x.node, k, v);                    \
    return ad__unpacked(t, ad__record_1(AD_NODE(AD_OP_##op, form), t, x.node, x.kind, k)); }
#define AD__VAR_3(N, D, op, ...)                                                                                              \
  AD_INLINE ad_var ad_var_##op(ad_var x, ad_var y, ad_var z) {                                                                \
    ad_tape *t = x.tape;                                                                                                      \
    if (AD_LIKELY(AD__READY(t, x) && ad__is_on(t, y) && ad__is_on(t, z)))                                                     \
      return ad__push_3(x, y, z, AD_NODE(AD_OP_##op, AD_PLAIN), ad_f64_##op(t->value[x.node], t->value[y.node], t->value[z.node]));\
    return ad__apart_3(AD_NODE(AD_OP_##op, AD_PLAIN), x, y, z); }                                                             \
  AD__VAR_3K(op)
#define AD__VAR_3K(op)                                                                                                        \
  AD_INLINE ad_var ad_var_##op##_xyk(ad_var x, ad_var y, double z) { return ad_var_##op(x, y, ad_constant(x.tape, z)); }      \
  AD_INLINE ad_var ad_var_##op##_xkz(ad_var x, double y, ad_var z) { return ad_var_##op(x, ad_constant(x.tape, y), z); }      \
  AD_INLINE ad_var ad_var_##op##_kyz(double x, ad_var y, ad_var z) { return ad_var_##op(ad_constant(y.tape, x), y, z); }      \
  AD__VAR_3KK(op)
#define AD__VAR_3KK(op)                                                                                                       \
  AD_INLINE ad_var ad_var_##op##_xkk(ad_var x, double y, double z) { return ad_var_##op##_xyk(x, ad_constant(x.tape, y), z); } \
  AD_INLINE ad_var ad_var_##op##_kyk(double x, ad_var y, double z) { return ad_var_##op##_xyk(ad_constant(y.tape, x), y, z); } \
  AD_INLINE ad_var ad_var_##op##_kkz(double x, double y, ad_var z) {                                                          \
    return ad_var_##op(ad_constant(z.tape, x), ad_constant(z.tape, y), z); }
AD_UNARY(AD__VAR_1, , ) AD_BINARY(AD__VAR_2, , ) AD_TERNARY(AD__VAR_3, , )

/* comparisons: an int now, and a guard for replays */
#define AD__VAR_COMPARE(op, row, back)                                                                                        \
  AD_INLINE bool ad_var_##op(ad_var x, ad_var y) { return ad__guard(AD_OP_##row, x, y, 0, AD_PLAIN); }                        \
  AD_INLINE bool ad_var_##op##_xk(ad_var x, double k) { return ad__guard(AD_OP_##row, x, x, k, AD_Y_NUMBER); }                \
  AD_INLINE bool ad_var_##op##_ky(double k, ad_var y) { return ad__guard(AD_OP_##row, y, y, k, AD_X_NUMBER); }
#define AD__VAR_COMPARE_BACK(op, back)                                                                                        \
  AD_INLINE bool ad_var_##op(ad_var x, ad_var y) { return ad_var_##back(y, x); }                                              \
  AD_INLINE bool ad_var_##op##_xk(ad_var x, double k) { return ad_var_##back##_ky(k, x); }                                    \
  AD_INLINE bool ad_var_##op##_ky(double k, ad_var y) { return ad_var_##back##_xk(y, k); }
AD__VAR_COMPARE(lt, less, gt) AD__VAR_COMPARE(le, less_equal, ge) AD__VAR_COMPARE(eq, equal, eq) AD__VAR_COMPARE(ne, not_equal, ne)
AD__VAR_COMPARE_BACK(gt, lt) AD__VAR_COMPARE_BACK(ge, le)

/* >>backward ------------------------------------------------------------------------------------------------------------
   One loop downwards from y. A node whose adjoint is exactly 0 is skipped: that is the zero seed rule (R6) and saves what does
   not lead to y. Adjoints are cleared before each sweep, so that it gives the same bits each time. */

AD_API ad_status ad_backward(ad_var y);             /* y of rank 0; adjoints of all nodes. An earlier error of the tape is returned too */
AD_API ad_status ad_backward_from(ad_var y, const void *seed);          /* seed: an array of the shape and type of y */
AD_API double ad__grad_apart(ad_var x);

/* dy/dx of the last ad_backward; exactly 0 where x was not used or is a constant. NaN of an invalid handle, and where there has been no
   ad_backward since the tape was reset (which is no error of the tape). */
AD_INLINE double ad_grad(ad_var x) {
  const ad_tape *t = x.tape;
  return AD_LIKELY(t && ad__is_scalar(t, x) && x.node < t->swept && t->code[x.node].op != AD_NODE(AD_OP_CONSTANT_, AD_PLAIN))
    ? t->adjoint[x.node] : ad__grad_apart(x);
}

/* >>tensor --------------------------------------------------------------------------------------------------------------
   A tensor is a node of the tape with a record: an array (contents, shape, strides), the operation that made it and its
   attributes. Contents lie in the tape's arena. Reshaped, transposed, sliced and broadcast tensors are views: other strides
   over the same contents. Every function below returns an invalid handle and leaves an error on the tape if it fails.

   Shapes broadcast as in NumPy. Float and double do not mix, but a rank-0 double goes with either. */


typedef struct ad__strided {           /* contents in memory: element (i, j, ..) at data + i stride[0] + j stride[1] + .. elements */
  void *data;
  size_t size, shape[AD_MAX_RANK];
  ptrdiff_t stride[AD_MAX_RANK];
  uint8_t rank, dtype, contiguous;
} ad__strided;

typedef struct ad__tensor {          /* the record of a node; lies in the arena and never moves */
  ad__strided a;
  uint32_t kind;                     /* of its handles */
  const struct ad_tensor_op *op;     /* NULL: a leaf or a row of the table */
  uint32_t *operand, count, few[4];  /* operand: few, or in the arena */
  uint32_t copy;                     /* of a view: the node of its row-major copy, 0 none */
  size_t copied;                     /* when: tape->changes then */
  ptrdiff_t n[8];                    /* attributes */
  double c;
  void *saved;                       /* what forward keeps for reverse */
  size_t saved_bytes, work_bytes;
  struct ad__tensor *grad;           /* the adjoint, of sweep number sweep; of an older one: 0 */
  size_t sweep;
  uint32_t grad_node;
  bool grad_owned, active;           /* the sweep made the buffer; some variable leads here */
  ad_status status;                  /* of a shape rule that refuses: class and number for the message */
  ptrdiff_t number;
} ad__tensor;

AD_INLINE ad__tensor *ad__tensor_at(const ad_tape *t, size_t node) {
  ad__tensor *r; memcpy(&r, t->value + node, sizeof r); return r; }
AD_INLINE bool ad_is_valid(ad_var x) {
  const ad_tape *t = x.tape;
  if (!t || x.node >= t->count) return false;
  return (x.kind & 1) ? AD_NODE_FORM(t->code[x.node].op) == AD_ON_TENSORS && ad__tensor_at(t, x.node)->kind == x.kind : x.kind == t->kind; }

AD_API int ad_rank(ad_var x);                       /* of an invalid handle -1, null, 0, AD_F64, null */
AD_API const size_t *ad_shape(ad_var x);
AD_API size_t ad_size(ad_var x);
AD_API ad_dtype ad_type(ad_var x);
AD_API const void *ad_data(ad_var x);
AD_API const void *ad_grad_data(ad_var x);      /* row-major, of the shape of x; zeros where nothing arrived; null where ad_grad is NaN */

#define AD_ALL (-2147483647)           /* as an axis: all of them */

/* leaves; data is copied, NULL means zeros. borrow: not copied; data must stay as it is until the tape is reset */
AD_API ad_var ad_tensor_variable(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, const void *data);
AD_API ad_var ad_tensor_constant(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, const void *data);
AD_API ad_var ad_tensor_borrow(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, const void *data);
AD_API ad_status ad_tensor_set(ad_var leaf, const void *data);         /* new contents in place; what was computed from the old ones stays */

/* variables with contents drawn from a counter-based generator: element i depends on seed and i alone.
   he: deviation sqrt(2 / inputs); xavier: sqrt(2 / (inputs + outputs)); of a matrix (in, out) or filters (O, C, h, w) */
AD_API ad_var ad_tensor_normal(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, double deviation, uint64_t seed);
AD_API ad_var ad_tensor_he(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, uint64_t seed);
AD_API ad_var ad_tensor_xavier(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, uint64_t seed);

/* dydx[k] = dy/dx[k] as new nodes, of the shape of x[k], for y of rank 0; they can be differentiated again */
AD_API ad_status ad_differentiate(ad_var y, const ad_var *x, size_t n, ad_var *dydx);

/* >>tensor-ops (declarations) */
AD_API ad_var ad_matmul(ad_var a, ad_var b);                   /* last two axes, batched with broadcasting; vectors as in NumPy */
AD_API ad_var ad_cast(ad_var x, ad_dtype type);                /* float to double and back */
AD_API ad_var ad_sum(ad_var x, int axis, bool keep);           /* keep: the axis stays, with size 1 */
AD_API ad_var ad_mean(ad_var x, int axis, bool keep);
AD_API ad_var ad_prod(ad_var x, int axis, bool keep);
AD_API ad_var ad_reduce_max(ad_var x, int axis, bool keep);    /* ties share the gradient; of an empty axis: an error */
AD_API ad_var ad_reduce_min(ad_var x, int axis, bool keep);
AD_API ad_var ad_sumsq(ad_var x, int axis, bool keep);         /* sum of squares */
AD_API ad_var ad_norm(ad_var x, int axis, bool keep);          /* Euclidean, without overflow; its gradient at 0 is 0 */
AD_API ad_var ad_logsumexp(ad_var x, int axis, bool keep);
AD_API ad_var ad_variance(ad_var x, int axis, bool keep, int ddof);   /* divides by n - ddof; NaN where ddof >= n */
AD_API ad_var ad_std(ad_var x, int axis, bool keep, int ddof);
AD_API ad_var ad_argmax(ad_var x, int axis);                   /* AD_I32, the first of several; no gradient */
AD_API ad_var ad_cumsum(ad_var x, int axis);
AD_API ad_var ad_softmax(ad_var x, int axis);
AD_API ad_var ad_log_softmax(ad_var x, int axis);
AD_API ad_var ad_reshape(ad_var x, int rank, const size_t *shape);
AD_API ad_var ad_broadcast_to(ad_var x, int rank, const size_t *shape);
AD_API ad_var ad_transpose(ad_var x);                          /* the last two axes swapped */
AD_API ad_var ad_permute(ad_var x, const int *axes);           /* axis i of the result is axis axes[i] of x */
AD_API ad_var ad_slice(ad_var x, int axis, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t step);   /* as x[begin:end:step] of NumPy, step not 0 */
AD_API ad_var ad_concat(const ad_var *x, size_t n, int axis);
AD_API ad_var ad_stack(const ad_var *x, size_t n, int axis);
AD_API ad_var ad_gather(ad_var x, ad_var index, int axis);     /* the slices of x at index (AD_I32), whose shape replaces the axis */
AD_API ad_var ad_dot(ad_var a, ad_var b);                      /* sum of a*b, shapes equal */
AD_API ad_var ad_outer(ad_var a, ad_var b);                    /* (n), (m): (n, m) */
AD_API ad_var ad_diag(ad_var x);                               /* (.., n, n): the diagonals (.., n); a vector (n): the diagonal matrix */
AD_API ad_var ad_trace(ad_var x);                              /* (.., n, n): (..) */
AD_API ad_var ad_linear(ad_var x, ad_var w, ad_var b);         /* x (.., in) w (in, out) + b (out) */
AD_API ad_var ad_prelu(ad_var x, ad_var slope);                /* leaky_relu with a slope that is learnt and broadcasts as in NumPy: (C, 1, 1) for channels */
AD_API ad_var ad_cross_entropy(ad_var logits, ad_var target);  /* logits (batch, classes); target: labels (batch) AD_I32 or probabilities; the mean */
AD_API ad_var ad_mse(ad_var x, ad_var target);
AD_API ad_var ad_conv2d(ad_var x, ad_var w, int stride, int padding, int dilation, int groups);   /* (N, C, H, W), (O, C/groups, h, w) */
AD_API ad_var ad_max_pool2d(ad_var x, int size, int stride, int padding);
AD_API ad_var ad_avg_pool2d(ad_var x, int size, int stride, int padding);
AD_API ad_var ad_layer_norm(ad_var x, ad_var gain, ad_var bias, double epsilon);     /* over the last axis */
AD_API ad_var ad_batch_norm(ad_var x, ad_var gain, ad_var bias, double epsilon);     /* over all axes but 1, by the statistics of x */
AD_API ad_var ad_dropout(ad_var x, double rate, uint64_t seed);                      /* the rest is scaled by 1 / (1 - rate) */
AD_API ad_var ad_solve(ad_var a, ad_var b);                    /* (.., n, n) x = b; b (.., n, m), leading axes broadcast; or vectors: (n), (.., n) */
AD_API ad_var ad_inverse(ad_var a);
AD_API ad_var ad_det(ad_var a);                                /* differentiable at singular matrices too */
AD_API ad_var ad_logdet(ad_var a);                             /* log |det a| */
AD_API ad_var ad_cholesky(ad_var a);                           /* lower; reads the lower triangle, gradient symmetric */

/* Optimisers: parameters (variables on the tape) are changed in place by their gradients of the last ad_backward.
   state: tensors like the parameters that carry velocities, moments; made before the training loop marks the tape. */
AD_API ad_status ad_sgd(const ad_var *x, size_t n, const ad_var *velocity, double rate, double momentum, double decay);   /* velocity NULL: no momentum */
AD_API ad_status ad_adam(const ad_var *x, size_t n, const ad_var *moment, const ad_var *square, uint64_t step,
                         double rate, double beta1, double beta2, double epsilon, double decay);   /* step counts from 1; decay acts on x itself */

typedef bool ad_var_mask;
AD_CXX_TYPE(ad_var)

/* >>generic -------------------------------------------------------------------------------------------------------------
   ad_op(x), ad_op(x, y), ad_op(x, y, z) for every row of the table, over double, the duals, and any mix of one of these types with
   plain numbers; ad_lt ad_le ad_gt ad_ge ad_eq ad_ne give an int; ad_select(c, a, b) is a where c is not 0, b elsewhere.

   A type T takes part by an entry of AD__GENERIC_TYPES and functions T_op; for numbers among the operands T_op_xk, T_op_ky, of
   ternary rows T_op_xyk, ... (the letters say which operands are T, k which are numbers). AD_MORE_TYPES(F, ...), defined before
   names are used, adds a program's own: #define AD_MORE_TYPES(F, ...) F(dual3, __VA_ARGS__).

   In C the names are macros over _Generic. That names each argument twice, so nested calls double the text at every level (4.4 MB
   at depth 16). Where the compiler has statement expressions an argument is therefore copied, once, to a temporary with a number
   of its own (else the inner ones would shadow the outer); AD_NO_STATEMENT_EXPRESSIONS goes without. The preprocessor cannot define
   a macro from the table: the names are listed below, one line a row. tests/test_generic.c, which calls ad_op for each row of the
   table, does not compile where one is missing.
   In C++ they are overloads made from the table (AD_CXX_TYPE). */

AD_INLINE bool ad_f64_gt(double a, double b) { return isgreater(a, b); }
AD_INLINE bool ad_f64_ge(double a, double b) { return isgreaterequal(a, b); }

#if defined(__cplusplus)

#define AD__CXX_NUMBER_1(N, T, op, ...) AD_INLINE double ad_##op(double x) { return ad_f64_##op(x); }
#define AD__CXX_NUMBER_2(N, T, op, ...) AD_INLINE double ad_##op(double x, double y) { return ad_f64_##op(x, y); }
#define AD__CXX_NUMBER_3(N, T, op, ...) AD_INLINE double ad_##op(double x, double y, double z) { return ad_f64_##op(x, y, z); }
#define AD__CXX_NUMBER_COMPARE(op) AD_INLINE bool ad_##op(double x, double y) { return ad_f64_##op(x, y); }
AD_UNARY(AD__CXX_NUMBER_1, , ) AD_BINARY(AD__CXX_NUMBER_2, , ) AD_TERNARY(AD__CXX_NUMBER_3, , )
AD__CXX_NUMBER_COMPARE(lt) AD__CXX_NUMBER_COMPARE(le) AD__CXX_NUMBER_COMPARE(gt)
AD__CXX_NUMBER_COMPARE(ge) AD__CXX_NUMBER_COMPARE(eq) AD__CXX_NUMBER_COMPARE(ne)
template <class C, class A, class B> AD_INLINE auto ad_select(C c, A a, B b) { return ad_where(c, a, b); }
template <class X> AD_INLINE auto ad_elu(X x) { return ad_elu(x, 1.0); }

#else

#ifndef AD_MORE_TYPES
#define AD_MORE_TYPES(F, ...)
#endif
#define AD__GENERIC_TYPES(F, ...) F(ad_dual, __VA_ARGS__) F(ad_dual2, __VA_ARGS__) F(ad_var, __VA_ARGS__) AD_MORE_TYPES(F, __VA_ARGS__)

#define AD__X_IS(T, op) T: T##_##op,
#define AD__KY_IS(T, op) T: T##_##op##_ky,
#define AD__KKZ_IS(T, op) T: T##_##op##_kkz,
#define AD__XY_IS(T, op, y) T: _Generic((y), T: T##_##op, default: T##_##op##_xk),
#define AD__XYZ_IS(T, op, y, z) T: _Generic((y), T: _Generic((z), T: T##_##op, default: T##_##op##_xyk),                      \
                                            default: _Generic((z), T: T##_##op##_xkz, default: T##_##op##_xkk)),
#define AD__KYZ_IS(T, op, z) T: _Generic((z), T: T##_##op##_kyz, default: T##_##op##_kyk),

#define AD__PICK_1(op, x) _Generic((x), AD__GENERIC_TYPES(AD__X_IS, op) default: ad_f64_##op)(x)
#define AD__PICK_2(op, x, y) _Generic((x), AD__GENERIC_TYPES(AD__XY_IS, op, y)                                                \
  default: _Generic((y), AD__GENERIC_TYPES(AD__KY_IS, op) default: ad_f64_##op))(x, y)
#define AD__PICK_3(op, x, y, z) _Generic((x), AD__GENERIC_TYPES(AD__XYZ_IS, op, y, z)                                         \
  default: _Generic((y), AD__GENERIC_TYPES(AD__KYZ_IS, op, z)                                                                 \
  default: _Generic((z), AD__GENERIC_TYPES(AD__KKZ_IS, op) default: ad_f64_##op)))(x, y, z)

#if defined(__GNUC__) && !defined(AD_NO_STATEMENT_EXPRESSIONS)
#define AD__GENERIC_1(op, x) AD__ONCE_1(op, x, AD__PASTE(ad__x, __COUNTER__))
#define AD__GENERIC_2(op, x, y) AD__ONCE_2(op, x, y, AD__PASTE(ad__x, __COUNTER__), AD__PASTE(ad__y, __COUNTER__))
#define AD__GENERIC_3(op, x, y, z)                                                                                            \
  AD__ONCE_3(op, x, y, z, AD__PASTE(ad__x, __COUNTER__), AD__PASTE(ad__y, __COUNTER__), AD__PASTE(ad__z, __COUNTER__))
#define AD__ONCE_1(op, x, a) __extension__({ __auto_type a = (x); AD__AT(a); AD__PICK_1(op, a); })
#define AD__ONCE_2(op, x, y, a, b) __extension__({ __auto_type a = (x); __auto_type b = (y); AD__AT(a); AD__AT(b); AD__PICK_2(op, a, b); })
#define AD__ONCE_3(op, x, y, z, a, b, c)                                                                                      \
  __extension__({ __auto_type a = (x); __auto_type b = (y); __auto_type c = (z); AD__AT(a); AD__AT(b); AD__AT(c); AD__PICK_3(op, a, b, c); })
#else
#define AD__GENERIC_1(op, x) AD__PICK_1(op, x)
#define AD__GENERIC_2(op, x, y) AD__PICK_2(op, x, y)
#define AD__GENERIC_3(op, x, y, z) AD__PICK_3(op, x, y, z)
#endif

#define ad_neg(x) AD__GENERIC_1(neg, x)
#define ad_abs(x) AD__GENERIC_1(abs, x)
#define ad_sqrt(x) AD__GENERIC_1(sqrt, x)
#define ad_cbrt(x) AD__GENERIC_1(cbrt, x)
#define ad_exp(x) AD__GENERIC_1(exp, x)
#define ad_exp2(x) AD__GENERIC_1(exp2, x)
#define ad_exp10(x) AD__GENERIC_1(exp10, x)
#define ad_expm1(x) AD__GENERIC_1(expm1, x)
#define ad_log(x) AD__GENERIC_1(log, x)
#define ad_log2(x) AD__GENERIC_1(log2, x)
#define ad_log10(x) AD__GENERIC_1(log10, x)
#define ad_log1p(x) AD__GENERIC_1(log1p, x)
#define ad_sin(x) AD__GENERIC_1(sin, x)
#define ad_cos(x) AD__GENERIC_1(cos, x)
#define ad_tan(x) AD__GENERIC_1(tan, x)
#define ad_sinpi(x) AD__GENERIC_1(sinpi, x)
#define ad_cospi(x) AD__GENERIC_1(cospi, x)
#define ad_asin(x) AD__GENERIC_1(asin, x)
#define ad_acos(x) AD__GENERIC_1(acos, x)
#define ad_atan(x) AD__GENERIC_1(atan, x)
#define ad_sinh(x) AD__GENERIC_1(sinh, x)
#define ad_cosh(x) AD__GENERIC_1(cosh, x)
#define ad_tanh(x) AD__GENERIC_1(tanh, x)
#define ad_asinh(x) AD__GENERIC_1(asinh, x)
#define ad_acosh(x) AD__GENERIC_1(acosh, x)
#define ad_atanh(x) AD__GENERIC_1(atanh, x)
#define ad_erf(x) AD__GENERIC_1(erf, x)
#define ad_erfc(x) AD__GENERIC_1(erfc, x)
#define ad_erfcx(x) AD__GENERIC_1(erfcx, x)
#define ad_erfcx_slope(x) AD__GENERIC_1(erfcx_slope, x)
#define ad_erfcx_curve(x) AD__GENERIC_1(erfcx_curve, x)
#define ad_gauss(x) AD__GENERIC_1(gauss, x)
#define ad_normal_pdf(x) AD__GENERIC_1(normal_pdf, x)
#define ad_ndtr(x) AD__GENERIC_1(ndtr, x)
#define ad_log_ndtr(x) AD__GENERIC_1(log_ndtr, x)
#define ad_log_ndtr_slope(x) AD__GENERIC_1(log_ndtr_slope, x)
#define ad_lgamma(x) AD__GENERIC_1(lgamma, x)
#define ad_digamma(x) AD__GENERIC_1(digamma, x)
#define ad_trigamma(x) AD__GENERIC_1(trigamma, x)
#define ad_tetragamma(x) AD__GENERIC_1(tetragamma, x)
#define ad_tgamma(x) AD__GENERIC_1(tgamma, x)
#define ad_sigmoid(x) AD__GENERIC_1(sigmoid, x)
#define ad_sigmoid_slope(x) AD__GENERIC_1(sigmoid_slope, x)
#define ad_tanh_slope(x) AD__GENERIC_1(tanh_slope, x)
#define ad_softplus(x) AD__GENERIC_1(softplus, x)
#define ad_logit(x) AD__GENERIC_1(logit, x)
#define ad_silu(x) AD__GENERIC_1(silu, x)
#define ad_silu_slope(x) AD__GENERIC_1(silu_slope, x)
#define ad_gelu(x) AD__GENERIC_1(gelu, x)
#define ad_gelu_slope(x) AD__GENERIC_1(gelu_slope, x)
#define ad_mish(x) AD__GENERIC_1(mish, x)
#define ad_mish_slope(x) AD__GENERIC_1(mish_slope, x)
#define ad_mish_gate(x) AD__GENERIC_1(mish_gate, x)
#define ad_mish_gate_slope(x) AD__GENERIC_1(mish_gate_slope, x)
#define ad_softsign(x) AD__GENERIC_1(softsign, x)
#define ad_logcosh(x) AD__GENERIC_1(logcosh, x)
#define ad_versin(x) AD__GENERIC_1(versin, x)
#define ad_sinc(x) AD__GENERIC_1(sinc, x)
#define ad_sinc_slope(x) AD__GENERIC_1(sinc_slope, x)
#define ad_sinc_curve(x) AD__GENERIC_1(sinc_curve, x)
#define ad_floor(x) AD__GENERIC_1(floor, x)
#define ad_ceil(x) AD__GENERIC_1(ceil, x)
#define ad_trunc(x) AD__GENERIC_1(trunc, x)
#define ad_rint(x) AD__GENERIC_1(rint, x)
#define ad_sign(x) AD__GENERIC_1(sign, x)
#define ad_step(x) AD__GENERIC_1(step, x)
#define ad_round(x) AD__GENERIC_1(round, x)
#define ad_frac(x) AD__GENERIC_1(frac, x)
#define ad_wrap(x) AD__GENERIC_1(wrap, x)
#define ad_square(x) AD__GENERIC_1(square, x)
#define ad_recip(x) AD__GENERIC_1(recip, x)
#define ad_rsqrt(x) AD__GENERIC_1(rsqrt, x)
#define ad_one_minus_square(x) AD__GENERIC_1(one_minus_square, x)
#define ad_one_plus_square(x) AD__GENERIC_1(one_plus_square, x)
#define ad_times_complement(x) AD__GENERIC_1(times_complement, x)
#define ad_xlogx(x) AD__GENERIC_1(xlogx, x)
#define ad_entropy(x) AD__GENERIC_1(entropy, x)
#define ad_logsigmoid(x) AD__GENERIC_1(logsigmoid, x)
#define ad_relu(x) AD__GENERIC_1(relu, x)
#define ad_relu6(x) AD__GENERIC_1(relu6, x)
#define ad_hardtanh(x) AD__GENERIC_1(hardtanh, x)
#define ad_smoothstep(x) AD__GENERIC_1(smoothstep, x)
#define ad_add(x, y) AD__GENERIC_2(add, x, y)
#define ad_sub(x, y) AD__GENERIC_2(sub, x, y)
#define ad_mul(x, y) AD__GENERIC_2(mul, x, y)
#define ad_div(x, y) AD__GENERIC_2(div, x, y)
#define ad_pow(x, y) AD__GENERIC_2(pow, x, y)
#define ad_pow_slope(x, y) AD__GENERIC_2(pow_slope, x, y)
#define ad_atan2(x, y) AD__GENERIC_2(atan2, x, y)
#define ad_hypot(x, y) AD__GENERIC_2(hypot, x, y)
#define ad_hypot_share(x, y) AD__GENERIC_2(hypot_share, x, y)
#define ad_max(x, y) AD__GENERIC_2(max, x, y)
#define ad_min(x, y) AD__GENERIC_2(min, x, y)
#define ad_fmod(x, y) AD__GENERIC_2(fmod, x, y)
#define ad_remainder(x, y) AD__GENERIC_2(remainder, x, y)
#define ad_copysign(x, y) AD__GENERIC_2(copysign, x, y)
#define ad_logaddexp(x, y) AD__GENERIC_2(logaddexp, x, y)
#define ad_logaddexp_share(x, y) AD__GENERIC_2(logaddexp_share, x, y)
#define ad_polygamma(x, y) AD__GENERIC_2(polygamma, x, y)
#define ad_powi(x, y) AD__GENERIC_2(powi, x, y)
#define ad_fmax(x, y) AD__GENERIC_2(fmax, x, y)
#define ad_fmin(x, y) AD__GENERIC_2(fmin, x, y)
#define ad_xlogy(x, y) AD__GENERIC_2(xlogy, x, y)
#define ad_xlog1py(x, y) AD__GENERIC_2(xlog1py, x, y)
#define ad_leaky_relu(x, y) AD__GENERIC_2(leaky_relu, x, y)
#define ad_elu(...) AD__ELU(__VA_ARGS__, 1, 1)                 /* ad_elu(x): with slope 1 */
#define AD__ELU(x, y, ...) AD__GENERIC_2(elu, x, y)
#define ad_huber(x, y) AD__GENERIC_2(huber, x, y)
#define ad_less(x, y) AD__GENERIC_2(less, x, y)
#define ad_less_equal(x, y) AD__GENERIC_2(less_equal, x, y)
#define ad_equal(x, y) AD__GENERIC_2(equal, x, y)
#define ad_not_equal(x, y) AD__GENERIC_2(not_equal, x, y)
#define ad_chain(x, y) AD__GENERIC_2(chain, x, y)
#define ad_fma(x, y, z) AD__GENERIC_3(fma, x, y, z)
#define ad_where(x, y, z) AD__GENERIC_3(where, x, y, z)
#define ad_clamp(x, y, z) AD__GENERIC_3(clamp, x, y, z)
#define ad_lerp(x, y, z) AD__GENERIC_3(lerp, x, y, z)

#define ad_lt(x, y) ((int)AD__GENERIC_2(lt, x, y))
#define ad_le(x, y) ((int)AD__GENERIC_2(le, x, y))
#define ad_gt(x, y) ((int)AD__GENERIC_2(gt, x, y))
#define ad_ge(x, y) ((int)AD__GENERIC_2(ge, x, y))
#define ad_eq(x, y) ((int)AD__GENERIC_2(eq, x, y))
#define ad_ne(x, y) ((int)AD__GENERIC_2(ne, x, y))
#define ad_select(c, a, b) ad_where(c, a, b)

#endif

/* >>reverse-drivers -----------------------------------------------------------------------------------------------------
   Reverse mode over a C function that computes with ad_var, on a tape of the driver's own: its first 128 nodes lie on the stack,
   so small gradients allocate nothing. The outputs y are the constant 0 when f is called. f is called once. Outputs are numbers, or
   tensors of rank 0. The Hessian is forward over reverse: the recording is swept with duals, AD_DUAL_WIDTH columns at a time; where
   f computes with tensors, ad_differentiate and a sweep a row. y and gradient may be null where not wanted.
   Errors: AD_ERROR_ARGUMENT (a pointer is null, n or m is 0), AD_ERROR_LIMIT, AD_ERROR_MEMORY, and what f itself provoked. */

typedef void ad_var_map(const ad_var *x, ad_var *y, void *context);

AD_API ad_status ad_gradient(ad_var_map *f, void *context, size_t n, const double *x, double *y, double *gradient);
AD_API ad_status ad_jacobian_reverse(ad_var_map *f, void *context, size_t n, const double *x, size_t m, double *y,
                                     double *jacobian);                                         /* (m, n), a sweep for each row */
AD_API ad_status ad_hessian(ad_var_map *f, void *context, size_t n, const double *x, double *y, double *gradient,
                            double *hessian);                                                   /* (n, n) */
AD_API ad_status ad_hessian_vector(ad_var_map *f, void *context, size_t n, const double *x, const double *v, double *y,
                                   double *gradient, double *hv);                               /* hv: hessian times v */

/* >>check ---------------------------------------------------------------------------------------------------------------
   Help against mistakes: of a program (a discontinuity, a wrong rule of one's own), and of numbers that are not finite. */

/* The gradient of the tape against central differences, step cbrt(2^-52) max(1, |x[i]|). The error of an entry is relative to
   max(1, |gradient[i]|). worst (may be null): the largest error. AD_ERROR_ARGUMENT where it is not <= tolerance. */
AD_API ad_status ad_check_gradient(ad_var_map *f, void *context, size_t n, const double *x, double tolerance, double *worst);
/* the same, and which entry it was, and its two values */
typedef struct ad_gradient_report { size_t entry; double error, gradient, difference; } ad_gradient_report;
AD_API ad_status ad_check_gradient_report(ad_var_map *f, void *context, size_t n, const double *x, double tolerance,
                                          ad_gradient_report *report);

/* Is every value finite, of tensors every element, and every partial of scalars? If not, writes the first node that is not, with its
   operands, their operands, ..., and file and line where AD_TRACE was defined. out may be null. */
AD_API bool ad_tape_check(const ad_tape *tape, FILE *out);

/* What in the flags of this unit or in the floating-point mode of this thread breaks the promises on numbers, in a sentence; NULL if nothing.
   Most of it no macro reveals: clang's -funsafe-math-optimizations defines none, and modes are set at run time by other code. */
#if defined(FLT_EVAL_METHOD)
#define AD__EVAL_METHOD FLT_EVAL_METHOD
#else
#define AD__EVAL_METHOD 0
#endif
AD_LOCAL const char *ad_selfcheck(void) {
  volatile double huge = DBL_MAX, least = DBL_MIN, last = 4.9406564584124654e-324, one = 1, half = 0x1p-53, more = 0x1.8p-53, big = 1e16, zero = 0;
  volatile float least_f = FLT_MIN, half_f = 0.5f;
  const double inf = huge * 2, nan = inf - inf, none = -zero, sum = big;
  if (AD__EVAL_METHOD == 0 && (one + half != one || !(one + more > one))) return "results are not rounded to nearest: another rounding mode is set (fesetround)";
  if (nan == nan || !(nan != nan)) return "NaN is equal to itself: compiled with -ffinite-math-only or -ffast-math";
  if (!(inf > huge) || inf - 1 != inf) return "there is no infinity: compiled with -ffinite-math-only or -ffast-math";
  if (!(1 / none < 0)) return "-0 and +0 are the same: compiled with -fno-signed-zeros or -ffast-math";
  if (AD__EVAL_METHOD == 0 && (sum + one) - sum != 0) return "sums are reordered: compiled with -fassociative-math or -funsafe-math-optimizations";
  if (!(last > 0) || !(last + last > last)) return "subnormal operands are taken for zero: denormals-are-zero is set";
  if (!(least * 0.5 > 0) || !(least_f * half_f > 0)) return "subnormal results become zero: flush-to-zero is set";
  return NULL;
}

/* >>print ---------------------------------------------------------------------------------------------------------------
   The graph in the language of Graphviz: a node has its operation, value, and the adjoint of the last sweep. */
AD_API ad_status ad_tape_write_dot(const ad_tape *tape, FILE *out);     /* AD_ERROR_ARGUMENT: null, or writing failed */

/* >>function ------------------------------------------------------------------------------------------------------------
   A function is a recording, compiled once into short programs for an interpreter over lanes, and run many times.

   Data. The recording is copied into an intermediate representation (IR): nodes {opcode, operands} in topological order,
   equal ones shared by hashing, constants folded. Derivatives are made by reading the partials of the table over a number
   system whose words append nodes (ad__expr): so a derivative is IR too, shares what it can with the value, and can be
   differentiated again. A Jacobian is the cheapest of three programs: a reverse sweep per output, a forward sweep per
   input, or vertex elimination in Markowitz order. Lowering drops dead nodes, joins products with sums, brings instructions
   of one kind together, and shares slots by liveness. The engine (a template, read for double lanes, float lanes and one
   point) runs an instruction over a block of points: 512 bytes a slot, so that the slots stay in L1. A sum of up to eight terms,
   products among them, is one instruction whose partial sums stay in registers. Results larger than the caches are streamed past them. Programs of fused
   chains of tensors, whose points are elements of arrays, keep products of several factors in registers too, and read and write full
   blocks where the arrays lie.

   Each kind of program is built when it is first asked for, or by ad_function_prepare; it is published atomically and never
   changed. A function may be used from several threads at once, under compilers with C11 atomics or GCC's builtins.

   Measured (Zen 4, BA residual with its 2 x 15 Jacobian, 122 instructions; the plain C function 23 ns with gcc -O3): 37 ns a point with
   AVX-512 and 48 with AVX2 while the points stay in L2, the value alone 12 to 13 and 16; at 1e5 points 56 in a loop of its own and 75
   in the benchmark (AVX2: 70), whose results are not aligned to 64 bytes; the value 15 to 19. Written as C: 19 to 20 ns with AVX-512,
   23 at 1e5 points.
   What counts are loads and stores of slots, not jumps and not the size of a slot: sums as one instruction, leftover columns one by
   one and streaming brought 44 ns (76 at 1e5 points) to 38 (68) with all 17 inputs, of which ad_function_wrt leaves 15. Orders of
   vertex elimination were tried (Markowitz degree, relative degree, cost): none beats two reverse sweeps here.
   One point: the gradient of Rosenbrock's function with n = 10 takes 83 ns, with n = 1000 4.5 times the plain function (148 ns and 16.6
   times with an instruction for each number), a Hessian of 20 inputs 1.9 times.
   Products and sums joined into one instruction are still rounded twice, so that results do not depend on fma hardware. */

typedef struct ad_function ad_function;

typedef enum ad_function_kind {      /* the programs of a function */
  AD_FUNCTION_VALUE,                 /* x -> y */
  AD_FUNCTION_JVP,                   /* x, dx -> y, result (m) = J dx */
  AD_FUNCTION_VJP,                   /* x, w -> y, result (n) = w J */
  AD_FUNCTION_JACOBIAN,              /* x -> y, result (m, n) */
  AD_FUNCTION_HESSIAN,               /* x, w -> result (n, n), of the sum of w_i f_i */
  AD_FUNCTION_HESSIAN_VECTOR,        /* x, w, dx -> result (n), that Hessian times dx; after ad_function_wrt its count replaces n in dx and results */
  AD_FUNCTION_KINDS
} ad_function_kind;

/* Arguments of ad_function_apply: arrays of count points, one after the other. NULL where a kind has none or y is not wanted. */
typedef struct ad_function_arguments {
  const void *x, *w, *dx;            /* (count, n), (count, m), (count, n); w NULL where m is 1: weight 1 */
  void *y, *result;                  /* (count, m), (count, what the kind gives) */
  unsigned char *branch;             /* NULL, or (count): set to 1 where a comparison went another way than recorded, else 0 */
  void *workspace;                   /* NULL (allocated by the call), or ad_function_workspace_bytes, aligned to 64 */
  ad_dtype dtype;                    /* of all arrays: AD_F64, or AD_F32 (twice the lanes) */
} ad_function_arguments;

/* What optimisation has done. Instructions of kinds that were not built yet are 0. */
typedef struct ad_function_info {
  size_t inputs, outputs, recorded, nodes, guards;                   /* recorded: nodes on the tape that x leads to or y needs, but x; nodes: after
                                                                        optimisation, with x */
  size_t differentiated;                                             /* inputs by which it is differentiated: all, or those of ad_function_wrt */
  size_t instructions[AD_FUNCTION_KINDS], slots[AD_FUNCTION_KINDS];
} ad_function_info;

/* Records f at x (n), with m outputs (0 where f does not set one). NULL: an argument is NULL or 0, f has left an error on its tape, no memory. */
AD_API ad_function *ad_function_record(ad_var_map *f, void *context, size_t n, const double *x, size_t m);
/* From a tape: y as a function of x. What else the nodes between depend on is a constant. NULL: the tape's status says why.
   Comparisons on the tape that depend on x are kept as guards. The function does not need the tape any more. */
AD_API ad_function *ad_function_create(const ad_var *x, size_t n, const ad_var *y, size_t m);
AD_API void ad_function_destroy(ad_function *f);
/* A copy of f, a function of scalars, that is differentiated by count of its inputs only; all others are parameters. Columns of Jacobians,
   gradients, Hessians, and dx have these inputs in this order; x is as before. NULL: an input is named twice or is none, a function of
   tensors, no memory. */
AD_API ad_function *ad_function_wrt(const ad_function *f, const size_t *inputs, size_t count);
/* Builds the program of a kind now, so that later calls with a work space allocate nothing. */
AD_API ad_status ad_function_prepare(const ad_function *f, ad_function_kind kind);
AD_API ad_function_info ad_function_describe(const ad_function *f);
/* Bytes of work space that ad_function_apply needs for a kind, 0 where the program cannot be built. Of a function of tensors: the peak of
   all temporary memory, known before a run; AD_FUNCTION_VALUE and AD_FUNCTION_VJP are also enough for runs without and with adjoints. */
AD_API size_t ad_function_workspace_bytes(const ad_function *f, ad_function_kind kind);
/* Any kind at count points: lanes = points. Without a work space the function keeps one of its own between calls.
   AD_ERROR_BRANCH: at some points (arguments.branch says which) a comparison that steered an if while recording goes another way; their results are those of the recorded path, all others are right.
   AD_ERROR_ARGUMENT: an array is missing, or the work space is not aligned to 64 bytes; AD_ERROR_LIMIT: arrays of count
   points cannot exist; AD_ERROR_UNSUPPORTED: a custom operation has no such derivative. */
AD_API ad_status ad_function_apply(const ad_function *f, ad_function_kind kind, size_t count, const ad_function_arguments *arguments);
/* one point: y NULL where not wanted */
AD_API ad_status ad_function_evaluate(const ad_function *f, const double *x, double *y);
AD_API ad_status ad_function_jvp(const ad_function *f, const double *x, const double *dx, double *y, double *dy);
AD_API ad_status ad_function_vjp(const ad_function *f, const double *x, const double *w, double *y, double *gx);
AD_API ad_status ad_function_jacobian(const ad_function *f, const double *x, double *y, double *jacobian);
AD_API ad_status ad_function_hessian(const ad_function *f, const double *x, const double *w, double *hessian);
AD_API ad_status ad_function_hessian_vector(const ad_function *f, const double *x, const double *w, const double *v, double *hv);
/* count points */
AD_API ad_status ad_function_evaluate_many(const ad_function *f, size_t count, const double *x, double *y);
AD_API ad_status ad_function_jacobian_many(const ad_function *f, size_t count, const double *x, double *y, double *jacobian);
AD_API ad_status ad_function_gradient_many(const ad_function *f, size_t count, const double *x, double *y, double *gradient);
/* Tensors in and out (scalars too): x, y, w, gx hold one pointer per input or output, to contiguous contents of the recorded shape and type. y[j] and
   gx[k] may be NULL where not wanted (what only they need is not computed; where the input is AD_I32 it must be: AD_ERROR_DTYPE), w[j] where the
   adjoint is 0. Outputs must not overlap each other or the inputs. After the first call no memory is allocated unless two threads run at once. Comparisons of numbers that steered
   the recording: AD_ERROR_BRANCH; labels and indices outside their range: AD_ERROR_ARGUMENT.

   A function with a tensor among x and y, or between them, is one of numbers too for all drivers above: n numbers are the contents of
   all inputs one after the other, row-major, m those of all outputs. Arrays of either type serve variables of both, which are
   converted. It runs point by point: a Jacobian is a sweep an output, a tangent and a Hessian times a vector are functions made by
   ad_differentiate when they are first asked for. AD_ERROR_DTYPE: labels (AD_I32) among inputs or outputs, or a work space is given and
   a tensor of rank 1 or more is not of arguments.dtype. AD_ERROR_UNSUPPORTED: an operation between has no second derivative. */
AD_API ad_status ad_function_run(const ad_function *f, const void *const *x, void *const *y);
AD_API ad_status ad_function_run_vjp(const ad_function *f, const void *const *x, const void *const *w, void *const *y, void *const *gx);
/* One training step in one call: values, adjoints and the update of parameters by gradient descent. theta[k], where not NULL, is
   changed by the gradient g of sum(w y) by input k as ad_sgd does: g += decay * theta, velocity = momentum * velocity + g (without velocity: g),
   theta -= rate * velocity. theta[k] is commonly x[k]: it is changed after its last use. Without velocity and decay, and where
   gx[k] is not asked for, a gradient that is one matrix product is never stored: the product is subtracted from theta[k] as it is made.
   (The last bits then differ from those of ad_sgd, which rounds the gradient first.) Arrays beside theta[k] == x[k] must not overlap.
   Inputs that no output depends on, or that ad_function_wrt has left out, leave theta[k] and velocity[k] as they are, with decay too.
   Parameters are changed after all comparisons and labels have been seen: on an error they and velocities are as before; on
   AD_ERROR_BRANCH y and gx are those of the recorded path. With a work space a function of tensors allocates no
   memory: of ad_function_workspace_bytes(f, AD_FUNCTION_VJP) bytes, which is the peak of all temporary memory of a run; several threads each need their own. w NULL: 1, of one output of rank 0. */
typedef struct ad_function_step_arguments {
  const void *const *x, *const *w;   /* inputs (n); weights of the outputs (m) */
  void *const *y, *const *gx, *const *theta, *const *velocity;      /* (m), (n), (n), (n); NULL arrays and entries where not wanted */
  double rate, momentum, decay;
  void *workspace;                   /* NULL: the function's own; else aligned to 64 */
} ad_function_step_arguments;
AD_API ad_status ad_function_step(const ad_function *f, const ad_function_step_arguments *arguments);
/* A C file with NAME(x, y), NAME_jacobian(x, y, jacobian) and the same over lanes, NAME_many(count, ...): straight-line code in
   the words of ad_simd.h that computes the same bits as this function does, but for the sign of derivatives that are
   zero. Results must not overlap x. AD_ERROR_LIMIT where the Jacobian is too large.
   Custom operations (>>custom) are called by name: for one named "solve" the file declares extern const ad_custom solve, which the
   program that links it defines, and calls its value, vjp or jvp. Names must be free beside <math.h>, <string.h>, <stdio.h> and the
   headers that those of this library include.
   AD_ERROR_ARGUMENT: name, or that of an operation, is no identifier, a keyword of C or one of this library's (ad_...), or that of an
   operation is not its own (another's, or NAME, or it begins with NAME_); AD_ERROR_UNSUPPORTED: tensors, or an operation has neither
   vjp nor jvp. */
AD_API ad_status ad_function_write_c(const ad_function *f, const char *name, FILE *file);

/* >>sparse --------------------------------------------------------------------------------------------------------------
   Sparse Jacobians and Hessians by compression. The pattern follows from the IR: of each row the inputs that its output (of a
   Hessian, its derivative) can be reached from. Columns that never meet in a row share a colour, and one tangent gives them
   all; rows likewise and adjoints, whichever needs fewer colours. A Hessian has a star colouring (no path over four columns
   with two colours), so that each entry can be read from one product with it or its mirror image. All colours run through one
   program at once, lanes = colours.

   Greedy colouring in natural order: bands and arrows get the least number, the bundle-adjustment problem the most numbers a
   row has or one more. Patterns by bit sets over all nodes were rejected: a walk from each output touches only what the row
   needs. */

typedef struct ad_sparse {
  const ad_function *function;       /* must live as long as this */
  ad_function_kind kind;
  size_t rows, columns, nonzeros, colors;
  size_t *row, *column;              /* CSR: entries row[i] .. row[i + 1] - 1 are in row i, ascending columns column[k] */
  uint32_t *color;                   /* of each column, or of each row where by_rows */
  bool by_rows;
} ad_sparse;

/* kind: AD_FUNCTION_JACOBIAN (m, n) or AD_FUNCTION_HESSIAN (n, n), both halves. NULL: another kind, a function with tensors,
   or no memory. */
AD_API ad_sparse *ad_sparse_create(const ad_function *f, ad_function_kind kind);
AD_API void ad_sparse_destroy(ad_sparse *s);
/* values (nonzeros) at x; w (m): weights of the outputs, for a Hessian (NULL where m is 1). Errors as ad_function_apply. */
AD_API ad_status ad_sparse_evaluate(const ad_sparse *s, const double *x, const double *w, double *values);

/* >>custom --------------------------------------------------------------------------------------------------------------
   An operation of the program's own, recorded as one node: its value and one or more of
     vjp      weights w of the value to the adjoints of the operands, gx = w J: what a reverse sweep asks for
     jvp      tangents dx of the operands to that of the value, dy = J dx. Without vjp a sweep calls it once for each element of an operand
     derive   the adjoints in operations of the tape (or other custom ones), which can be differentiated in turn: second derivatives. Without vjp
              and jvp first ones too. Where it is NULL ad_differentiate and Hessians refuse with AD_ERROR_UNSUPPORTED.
   Tapes sweep through it and functions replay it. A function of numbers calls one of numbers (ad_custom_numbers) point by point, and all
   around it runs over lanes: every kind is there, with derive those of second order. Calls with the same operands are made once.
   An implicit function y(x) with F(x, y) = 0 is one: value solves, vjp solves the transposed system. A call that does not return AD_OK
   gives NaN. A function of numbers records derive once, where it was recorded itself: what derive compares numbers for is checked like its own
   comparisons (AD_ERROR_BRANCH, ad_function_arguments.branch). A structure of operations must live as long as the tapes and functions it was recorded in; calls must not change it. */

typedef struct ad_custom {               /* of numbers: a vector of doubles to a vector of doubles */
  const char *name;
  size_t inputs, outputs;
  ad_status (*value)(void *context, const double *x, double *y);                                     /* x (inputs), y (outputs) */
  ad_status (*vjp)(void *context, const double *x, const double *y, const double *w, double *gx);    /* w (outputs), gx (inputs) */
  void *context;
  ad_status (*jvp)(void *context, const double *x, const double *y, const double *dx, double *dy);   /* dx (inputs), dy (outputs) */
  void (*derive)(void *context, const ad_var *x, ad_var y, ad_var w, ad_var *gx);                    /* *x, *gx of shape (inputs); y, w (outputs) */
} ad_custom;

typedef struct ad_array { ad_dtype type; int rank; const size_t *shape; size_t size; void *data; } ad_array;      /* row-major */

typedef struct ad_custom_tensor {        /* of tensors: operands x[0 .. operands) to one value y of type float or double */
  const char *name;
  size_t operands;                       /* at most AD_CUSTOM_OPERANDS */
  ad_status (*shape)(void *context, const ad_array *x, ad_dtype *type, int *rank, size_t *shape);    /* of y; type is x[0]'s unless set; contents are not known yet */
  ad_status (*value)(void *context, const ad_array *x, const ad_array *y);
  ad_status (*vjp)(void *context, const ad_array *x, const ad_array *y, const ad_array *w, const ad_array *gx);       /* gx[k].data NULL: not wanted */
  ad_status (*jvp)(void *context, const ad_array *x, const ad_array *y, const ad_array *dx, const ad_array *dy);
  void (*derive)(void *context, const ad_var *x, ad_var y, ad_var w, ad_var *gx);
  void *context;
} ad_custom_tensor;
#define AD_CUSTOM_OPERANDS 8

/* y (outputs) of x (inputs), doubles */
AD_API ad_var ad_custom_call(const ad_custom *op, ad_var x);
/* the same of numbers: y[j] are of rank 0. Invalid handles and an error on the tape where it fails. */
AD_API void ad_custom_numbers(const ad_custom *op, const ad_var *x, ad_var *y);
AD_API ad_var ad_custom_apply(const ad_custom_tensor *op, const ad_var *x);

/* >>checkpoint ----------------------------------------------------------------------------------------------------------
   The gradient through a long loop state = step(state) without storing every state. Of L steps and s places for states the
   loop is cut where a state is stored so that what is right of it is reversed with s - 1 places and what is left with s: the
   binomial schedule (revolve). With r repetitions of a step, C(s + r, s) steps can be reversed: 50 places and 4 repetitions
   are enough for 316,251 steps. */

/* next (n) from state (n) at step index; what is not AD_OK ends the driver, which returns it */
typedef ad_status ad_loop_step(void *context, size_t index, const double *state, double *next);
/* w (n), the derivative with respect to the state after step index, becomes the one with respect to the state before it. Derivatives
   with respect to parameters are added up by the function in its context. */
typedef ad_status ad_loop_reverse(void *context, size_t index, const double *state, double *w);
/* w (n) = the derivative of the result with respect to the final state */
typedef ad_status ad_loop_finish(void *context, const double *state, double *w);

/* gradient (n): derivative of the result with respect to the initial state x (n), after steps >= 1, with at most stored >= 1 states
   kept besides x. counted: NULL, or gets the number of calls of step. AD_ERROR_ARGUMENT, AD_ERROR_MEMORY, AD_ERROR_LIMIT, or what a
   function returned. */
AD_API ad_status ad_checkpoint(ad_loop_step *step, ad_loop_reverse *reverse, ad_loop_finish *finish, void *context, size_t n, const double *x,
                               size_t steps, size_t stored, double *gradient, size_t *counted);

#endif /* AD_H */

/* >>kernels -------------------------------------------------------------------------------------------------------------
   Every row of the table as kernels over contiguous arrays, float and double, in tables indexed by opcode:

     ad_f32_kernels[AD_OP_sin].value(n, x, v)                    v[i] = sin(x[0][i])
     ad_f32_kernels[AD_OP_mul].partial[1](n, x, v, g, out, add)  out[i] (+)= g[i] * d mul / dy (x[0][i], x[1][i], v[i])

   The partials serve the reverse sweep (g the adjoint of v, out that of the operand) and tangents (g the tangent of the
   operand, out that of v); the zero seed rule R6 is in them. What a row does not keep (ad_ops[op].keep) may be a null
   pointer. v and out may be one of the operands. Views that are not contiguous go through ad_f32_map and ad_f32_map_partial.
   A kernel is a loop of ad_simd.h >>arrays with the functions of the row inlined: there is no code per operation here. */

#if defined(AD_IMPLEMENTATION) && !defined(AD__KERNELS) && !defined(AD__TEMPLATE)
#define AD__KERNELS

typedef struct ad_f32_kernel { ad_f32_value_kernel *value; ad_f32_partial_kernel *partial[3]; } ad_f32_kernel;
typedef struct ad_f64_kernel { ad_f64_value_kernel *value; ad_f64_partial_kernel *partial[3]; } ad_f64_kernel;

#define AD__VALUE_KERNEL(N, S, op, arity)                                                                                     \
  AD_LOCAL void S##__##op##_value(size_t n, const S *const *x, S *v) { N##__value_##arity(N##_##op, n, x, v); }
#define AD__PARTIAL_KERNEL(N, S, op, part, arity, keep)                                                                       \
  AD_LOCAL void S##__##op##_##part##_kernel(size_t n, const S *const *x, const S *v, const S *g, S *out, bool add) {           \
    N##__partial_##arity(N##_##op##_##part, N##_seed, ((keep) & AD_KEEP_X) != 0, ((keep) & AD_KEEP_V) != 0, n, x, v, g, out, add); }
#define AD__KERNEL_1(N, S, op, f, fx, keep, ...) AD__VALUE_KERNEL(N, S, op, 1) AD__PARTIAL_KERNEL(N, S, op, dx, 1, AD_##keep)
#define AD__KERNEL_2(N, S, op, f, fx, fy, keep, ...)                                                                         \
  AD__VALUE_KERNEL(N, S, op, 2) AD__PARTIAL_KERNEL(N, S, op, dx, 2, AD_##keep) AD__PARTIAL_KERNEL(N, S, op, dy, 2, AD_##keep)
#define AD__KERNEL_3(N, S, op, f, fx, fy, fz, keep, ...)                                                                     \
  AD__VALUE_KERNEL(N, S, op, 3) AD__PARTIAL_KERNEL(N, S, op, dx, 3, AD_##keep) AD__PARTIAL_KERNEL(N, S, op, dy, 3, AD_##keep) \
  AD__PARTIAL_KERNEL(N, S, op, dz, 3, AD_##keep)
#define AD__ENTRY_1(N, S, op, ...) { S##__##op##_value, { S##__##op##_dx_kernel, NULL, NULL } },
#define AD__ENTRY_2(N, S, op, ...) { S##__##op##_value, { S##__##op##_dx_kernel, S##__##op##_dy_kernel, NULL } },
#define AD__ENTRY_3(N, S, op, ...) { S##__##op##_value, { S##__##op##_dx_kernel, S##__##op##_dy_kernel, S##__##op##_dz_kernel } },
#define AD__KERNELS_OF(N, S)                                                                                                  \
  AD_UNARY(AD__KERNEL_1, N, S) AD_BINARY(AD__KERNEL_2, N, S) AD_TERNARY(AD__KERNEL_3, N, S)                                   \
  AD_LOCAL const S##_kernel S##_kernels[AD_OP_COUNT_] = {                                                                     \
    AD_UNARY(AD__ENTRY_1, N, S) AD_BINARY(AD__ENTRY_2, N, S) AD_TERNARY(AD__ENTRY_3, N, S) };

AD__KERNELS_OF(ad_v32, ad_f32)
AD__KERNELS_OF(ad_v64, ad_f64)

#endif /* AD_IMPLEMENTATION */

/* ======================================================================================================================
   Implementation: in the one file that defines AD_IMPLEMENTATION. */

#if defined(AD_IMPLEMENTATION) && !defined(AD_IMPLEMENTED) && !defined(AD__TEMPLATE)
#define AD_IMPLEMENTED
#if defined(AD__PLACES)
#error "with AD_TRACE define AD_IMPLEMENTATION before ad.h is included for the first time in this file"
#endif

#include <stdarg.h>

/* >>memory --------------------------------------------------------------------------------------------------------------
   All memory of a tape comes through ad__allocate, which knows the limits and turns failure into the sticky status of the tape.
   A tape in the caller's memory has its arrays of nodes at the front and one arena chunk in the rest; it cannot grow.
   Growth is transactional: new block first, then the switch. Sizes are checked before they are added or multiplied. */

#define AD__ALIGN 64u
#define AD__NODE_BYTES (2 * sizeof(double) + sizeof(ad__code))

/* What went wrong first stays. Returns an invalid handle. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static ad_var ad__fail(ad_tape *t, ad_status status, const char *format, ...) {
  ad_var none;
  none.tape = t; none.node = 0; none.kind = 0;
  if (t && t->status == AD_OK) {
    va_list list;
    int n;
    va_start(list, format);
    t->status = status;
    n = vsnprintf(t->message, sizeof t->message, format, list);
    va_end(list);
    if (t->here.file && n >= 0 && (size_t)n < sizeof t->message)
      snprintf(t->message + n, sizeof t->message - (size_t)n, " (%s:%d)", t->here.file, t->here.line);
  }
  return none;
}

/* Large blocks ask for pages of 2 MiB: the first touch of a page of 4 KiB costs more than recording what fits on it. */
#if defined(__linux__) && defined(__GNUC__)
#if defined(__cplusplus)
extern "C"
#else
extern
#endif
int ad__madvise(void *, size_t, int) __asm__("madvise");
static void ad__huge_pages(void *p, size_t bytes) {
  const uintptr_t page = (uintptr_t)1 << 21, from = ((uintptr_t)p + page - 1) & ~(page - 1), to = ((uintptr_t)p + bytes) & ~(page - 1);
  if (bytes > 2 * page && to > from) (void)ad__madvise((void *)from, to - from, 14);     /* MADV_HUGEPAGE */
}
#else
static void ad__huge_pages(void *p, size_t bytes) { (void)p; (void)bytes; }
#endif

static void *ad__allocate(ad_tape *t, size_t bytes, const char *what) {
  void *p = NULL;
  if (t->fixed)
    ad__fail(t, AD_ERROR_MEMORY, "%s: %zu bytes more than the memory given to the tape (%zu bytes)", what, bytes, t->options.memory_size);
  else if (t->options.max_bytes && (bytes > t->options.max_bytes || t->bytes > t->options.max_bytes - bytes))
    ad__fail(t, AD_ERROR_LIMIT, "%s: %zu bytes beyond the limit of %zu bytes, %zu are in use", what, bytes, t->options.max_bytes, t->bytes);
  else if (!(p = t->options.allocate ? t->options.allocate(bytes, t->options.context) : AD_MALLOC(bytes)))
    ad__fail(t, AD_ERROR_MEMORY, "%s: out of memory for %zu bytes, %zu are in use", what, bytes, t->bytes);
  else {
    t->bytes += bytes;
    if (!t->options.allocate) ad__huge_pages(p, bytes);
  }
  return p;
}
static void ad__release(ad_tape *t, void *p, size_t bytes) {
  if (!p || t->fixed) return;
  t->bytes -= bytes;
  if (t->options.allocate) { if (t->options.release) t->options.release(p, t->options.context); }
  else AD_FREE(p);
}
AD_INLINE char *ad__aligned(void *p) {              /* the next multiple of 64 */
  char *c = (char *)p;
  return c + ((AD__ALIGN - ((uintptr_t)c & (AD__ALIGN - 1))) & (AD__ALIGN - 1));
}

/* bytes of the arena, 64-byte aligned; null with the status set when there are none */
AD_LOCAL void *ad__take(ad_tape *t, ad__arena *a, size_t bytes, const char *what) {
  ad__chunk *c = a->current, *next;
  char *piece;
  if (bytes > SIZE_MAX / 4) { ad__fail(t, AD_ERROR_LIMIT, "%s: %zu bytes are more than memory can hold", what, bytes); return NULL; }
  bytes = (bytes + AD__ALIGN - 1) & ~(size_t)(AD__ALIGN - 1);
  if (!c || c->size - a->used < bytes) {
    next = c ? c->next : a->first;
    if (!next || next->size < bytes) {
      size_t size = c && c->size > 32768 ? c->size < ((size_t)1 << 26) ? 2 * c->size : c->size : 65536;
      if (size < bytes) size = bytes;
      c = (ad__chunk *)ad__allocate(t, size + 2 * AD__ALIGN, what);
      if (!c && t->status != AD_OK && size > bytes) return NULL;
      if (!c) return NULL;
      c->size = size;
      c->next = next;
      if (a->current) a->current->next = c; else a->first = c;
      next = c;
    }
    a->current = c = next;
    a->used = 0;
  }
  piece = ad__aligned((char *)c + sizeof *c) + a->used;
  a->used += bytes;
  return piece;
}
static void ad__arena_free(ad_tape *t, ad__arena *a) {
  for (ad__chunk *c = a->first, *next; c; c = next) {
    next = c->next;
    ad__release(t, c, c->size + 2 * AD__ALIGN);
  }
}
/* a chunk made of memory that is there */
static void ad__arena_on(ad__arena *a, char *memory, size_t bytes) {
  if (bytes < 3 * AD__ALIGN) return;
  a->first = (ad__chunk *)(void *)memory;
  a->first->next = NULL;
  a->first->size = (bytes - 2 * AD__ALIGN) & ~(size_t)(AD__ALIGN - 1);
}

/* The three arrays, at offsets that keep the entries of a node apart modulo 4096: else processors take a load from one array for a
   reader of a store to another (the gradient of Rosenbrock n = 10: 285 ns without, 268 with). */
#define AD__SKEW 1088u
#define AD__NODE_ROOM(capacity) ((capacity) * AD__NODE_BYTES + 2 * AD__SKEW + AD__ALIGN)
static void ad__nodes_on(ad_tape *t, char *memory, size_t capacity) {
  t->value = (double *)(void *)memory;
  t->adjoint = (double *)(void *)(memory + capacity * sizeof(double) + AD__SKEW);
  t->code = (ad__code *)(void *)(memory + 2 * (capacity * sizeof(double) + AD__SKEW));
  t->capacity = capacity;
}
static bool ad__grow(ad_tape *t, const char *what) {
  const size_t limit = t->options.max_nodes && t->options.max_nodes < UINT32_MAX ? t->options.max_nodes : UINT32_MAX;
  size_t capacity = t->capacity ? t->capacity < limit / 2 ? 2 * t->capacity : limit : t->options.nodes ? t->options.nodes : 1024;
  ad_tape old = *t;
  void *block;
  if (capacity > limit) capacity = limit;
  if (t->count >= limit) { ad__fail(t, AD_ERROR_LIMIT, "%s: node %zu is beyond the limit of %zu nodes", what, t->count, limit); return false; }
  if (capacity > (SIZE_MAX - AD__NODE_ROOM(0)) / AD__NODE_BYTES) {
    ad__fail(t, AD_ERROR_MEMORY, "%s: %zu nodes are more than memory can hold", what, capacity);
    return false;
  }
  block = ad__allocate(t, AD__NODE_ROOM(capacity), what);
  if (!block) return false;
  ad__nodes_on(t, ad__aligned(block), capacity);
  if (old.count) {
    memcpy(t->value, old.value, old.count * sizeof *t->value);
    memcpy(t->code, old.code, old.count * sizeof *t->code);
    if (old.swept) memcpy(t->adjoint, old.adjoint, old.swept * sizeof *t->adjoint);
  }
  t->block = block;
  ad__release(t, old.block, AD__NODE_ROOM(old.capacity));
  return true;
}

/* >>tape ---------------------------------------------------------------------------------------------------------------- */

static void ad__tape_start(ad_tape *t, const ad_tape_options *options) {
  memset(t, 0, sizeof *t);
  if (options) t->options = *options;
  t->kind = 2;
  t->sweep = 1;
}

AD_API ad_tape *ad_tape_create(const ad_tape_options *options) {
  ad_tape *t;
  if (options && options->memory) {
    char *p = ad__aligned(options->memory), *end = (char *)options->memory + options->memory_size;
    size_t nodes, room;
    if (options->memory_size < sizeof *t + 4 * AD__ALIGN + AD__NODE_ROOM(1)) return NULL;
    t = (ad_tape *)(void *)p;
    ad__tape_start(t, options);
    t->fixed = true;
    t->bytes = options->memory_size;
    p = ad__aligned(p + sizeof *t);
    room = (size_t)(end - p);
    room -= AD__NODE_ROOM(0);
    nodes = options->nodes ? options->nodes : room / AD__NODE_BYTES / 2;
    if (nodes > room / AD__NODE_BYTES) nodes = room / AD__NODE_BYTES;
    if (nodes == 0) nodes = 1;
    if (nodes > UINT32_MAX) nodes = UINT32_MAX;
    if (options->max_nodes && nodes > options->max_nodes) nodes = options->max_nodes;
    ad__nodes_on(t, p, nodes);
    p += AD__NODE_ROOM(nodes);
    /* what is left: two thirds for contents, one for adjoints */
    room = (size_t)(end - p);
    ad__arena_on(&t->storage, ad__aligned(p), room > AD__ALIGN ? room / 3 * 2 : 0);
    if (t->storage.first) {
      p = (char *)t->storage.first + t->storage.first->size + 2 * AD__ALIGN;
      ad__arena_on(&t->adjoints, ad__aligned(p), (size_t)(end - p) > AD__ALIGN ? (size_t)(end - p) - AD__ALIGN : 0);
    }
    return t;
  }
  t = (ad_tape *)(options && options->allocate ? options->allocate(sizeof *t, options->context) : AD_MALLOC(sizeof *t));
  if (!t) return NULL;
  ad__tape_start(t, options);
  t->owned = true;
  t->bytes = sizeof *t;
  return t;
}

AD_API void ad_tape_destroy(ad_tape *t) {
  if (!t || t->fixed) return;
  ad__arena_free(t, &t->storage);
  ad__arena_free(t, &t->adjoints);
  ad__release(t, t->place, t->place_capacity * sizeof *t->place);
  if (t->block) ad__release(t, t->block, AD__NODE_ROOM(t->capacity));
  t->kind = 0;
  if (t->owned) ad__release(t, t, sizeof *t);
}

AD_API void ad_tape_reset(ad_tape *t) {
  if (!t) return;
  t->count = t->swept = t->traced = 0;
  t->kind = t->kind < UINT32_MAX - 3 ? t->kind + 2 : 2;
  t->storage.current = t->adjoints.current = NULL;
  t->sweep++;
  t->status = AD_OK;
  t->message[0] = 0;
  t->here.file = NULL;
}

AD_API ad_mark ad_tape_mark(const ad_tape *t) {
  ad_mark m;
  memset(&m, 0, sizeof m);
  if (!t) return m;
  m.tape = (ad_tape *)(uintptr_t)t;
  m.nodes = t->count;
  m.kind = t->kind;
  m.chunk = t->storage.current;
  m.used = t->storage.used;
  return m;
}
AD_API void ad_tape_rewind(ad_tape *t, ad_mark m) {
  if (!t) return;
  if (m.tape != t || m.kind != t->kind || m.nodes > t->count) {
    ad__fail(t, AD_ERROR_TAPE, "ad_tape_rewind: the mark at node %zu is %s", m.nodes,
             m.tape != t ? "of another tape" : m.kind != t->kind ? "older than the last reset" : "beyond the end: a rewind has passed it");
    return;
  }
  t->count = m.nodes;
  if (t->swept > m.nodes) t->swept = m.nodes;
  if (t->traced > m.nodes) t->traced = m.nodes;
  t->storage.current = m.chunk;
  t->storage.used = m.used;
}

AD_API ad_status ad_tape_status(const ad_tape *t) { return t ? t->status : AD_ERROR_TAPE; }
AD_API const char *ad_tape_message(const ad_tape *t) { return t ? t->message : "no tape"; }
AD_API size_t ad_tape_nodes(const ad_tape *t) { return t ? t->count : 0; }
AD_API size_t ad_tape_bytes(const ad_tape *t) { return t ? t->bytes : 0; }

static const char *ad__op_name(uint32_t op) {
  static const char *const other[] = { "constant", "variable", "guard", "call" };
  const int k = AD_NODE_OP(op);
  return k < AD_OP_COUNT_ ? ad_ops[k].name : k < AD_OP_END_ ? other[k - AD_OP_COUNT_] : "?";
}

/* Can x be an operand on tape t? An invalid handle is passed over in silence: its error has been reported. */
static bool ad__operand(ad_tape *t, ad_var x, const char *name, const char *which) {
  if (x.kind == 0) return false;
  if (x.tape != t)
    ad__fail(t, AD_ERROR_TAPE, "ad_%s: operand %s (node %u) is of another tape", name, which, (unsigned)x.node);
  else if (!(x.kind & 1) && x.kind != t->kind)
    ad__fail(t, AD_ERROR_TAPE, "ad_%s: operand %s (node %u) is older than the last reset of its tape", name, which, (unsigned)x.node);
  else if (x.node >= t->count)
    ad__fail(t, AD_ERROR_TAPE, "ad_%s: operand %s is node %u, but after a rewind the tape has %zu nodes", name, which, (unsigned)x.node, t->count);
  else if (!ad_is_valid(x))
    ad__fail(t, AD_ERROR_TAPE, "ad_%s: operand %s (node %u) is a tensor from before the tape was reset or rewound", name, which, (unsigned)x.node);
  else
    return true;
  return false;
}

/* the value of a row, by opcode */
#define AD__VALUE_1(N, D, op, ...) case AD_OP_##op: return N##_##op(x);
#define AD__VALUE_2(N, D, op, ...) case AD_OP_##op: return N##_##op(x, y);
#define AD__VALUE_3(N, D, op, ...) case AD_OP_##op: return N##_##op(x, y, z);
static double ad__value(int opcode, double x, double y, double z) {
  switch (opcode) {
    AD_UNARY(AD__VALUE_1, ad_f64, ) AD_BINARY(AD__VALUE_2, ad_f64, ) AD_TERNARY(AD__VALUE_3, ad_f64, )
    default: return x;
  }
}

static ad_var ad__invalid(ad_tape *tape) { ad_var v; v.tape = tape; v.node = 0; v.kind = 0; return v; }
AD_API ad_var ad__leaf(ad_tape *t, uint32_t opcode, double v) {
  if (!t) return ad__fail(t, AD_ERROR_TAPE, "no tape");
  if (!ad__grow(t, opcode == AD_OP_VARIABLE_ ? "ad_variable" : "ad_constant")) return ad__invalid(t);
  const ad_var x = ad__push(t, (uint32_t)t->kind, AD_NODE(opcode, AD_PLAIN), 0, 0, v);
  if (t->here.file) ad__note(t);
  return x;
}

/* all that the inline paths leave: full arrays, tensors, invalid and foreign handles */
static ad_var ad__record_tensors(uint32_t op, ad_var x, ad_var y, ad_var z, double k);
static uint64_t ad__packed(ad_var x) {               /* callers may have AD_TRACE where this part has not */
  if (x.kind && x.tape->here.file) ad__note(x.tape);
  return x.node | (uint64_t)x.kind << 32;
}
static uint64_t ad__record(uint32_t op, ad_var x, ad_var y, ad_var z, double k) {
  const int form = AD_NODE_FORM(op), opcode = AD_NODE_OP(op), arity = form == AD_PLAIN ? ad_ops[opcode].arity : 1;
  const char *name = ad__op_name(op);
  ad_tape *t = x.tape;
  double a, b, c;
  if (!t || !ad__operand(t, x, name, form == AD_X_NUMBER ? "y" : "x") || (arity > 1 && !ad__operand(t, y, name, "y")) ||
      (arity > 2 && !ad__operand(t, z, name, "z")))
    return 0;
  if ((x.kind & 1) || (arity > 1 && (y.kind & 1)) || (arity > 2 && (z.kind & 1))) return ad__packed(ad__record_tensors(op, x, y, z, k));
  if (t->count >= t->capacity && !ad__grow(t, name)) return 0;
  a = t->value[x.node];
  if (form == AD_Y_NUMBER) return ad__packed(ad__push_k(t, x.kind, op, x.node, k, ad__value(opcode, a, k, 0)));
  if (form == AD_X_NUMBER) return ad__packed(ad__push_k(t, x.kind, op, x.node, k, ad__value(opcode, k, a, 0)));
  b = arity > 1 ? t->value[y.node] : 0;
  c = arity > 2 ? t->value[z.node] : 0;
  if (arity > 2) t->code[t->count].u.yz[1] = z.node;
  return ad__packed(ad__push(t, x.kind, op, x.node, arity > 1 ? y.node : 0, ad__value(opcode, a, b, c)));
}

AD_INLINE ad_var ad__var(ad_tape *t, uint32_t node, uint32_t kind) { ad_var r; r.tape = t; r.node = node; r.kind = kind; return r; }
AD_API uint64_t ad__record_1(uint32_t op, ad_tape *x, uint32_t xnode, uint32_t xkind, double k) {
  const ad_var a = ad__var(x, xnode, xkind);
  return ad__record(op, a, a, a, k);
}
AD_API uint64_t ad__record_2(uint32_t op, ad_tape *x, uint32_t xnode, uint32_t xkind, ad_tape *y, uint32_t ynode, uint32_t ykind) {
  const ad_var a = ad__var(x, xnode, xkind);
  return ad__record(op, a, ad__var(y, ynode, ykind), a, 0);
}
AD_API uint64_t ad__record_3(uint32_t op, ad_tape *x, uint32_t xnode, uint32_t xkind, ad_tape *y, uint32_t ynode, uint32_t ykind,
                             ad_tape *z, uint32_t znode, uint32_t zkind) {
  return ad__record(op, ad__var(x, xnode, xkind), ad__var(y, ynode, ykind), ad__var(z, znode, zkind), 0);
}

AD_API bool ad__guard(int opcode, ad_var x, ad_var y, double k, int form) {
  ad_var r = ad__unpacked(x.tape, ad__record(AD_NODE(opcode, form), x, y, x, k));
  if (!r.kind) return false;
  if (ad_rank(r) != 0) {
    ad__fail(r.tape, AD_ERROR_SHAPE, "ad_%s: a comparison that steers the program needs numbers, not tensors", ad_ops[opcode].name);
    return false;
  }
  if (r.tape->count < r.tape->capacity || ad__grow(r.tape, "guard")) ad__push(r.tape, (uint32_t)r.tape->kind, AD_NODE(AD_OP_GUARD_, AD_PLAIN), r.node, 0, ad_value(r));
  return ad_value(r) != 0;
}

/* the place of the nodes up to the last one; where there is no memory for places they stay unknown */
AD_API void ad__note(ad_tape *t) {
  if (t->options.no_trace || t->fixed) return;
  if (t->place_capacity < t->capacity) {
    ad__place *p = (ad__place *)ad__allocate(t, t->capacity * sizeof *p, "trace");
    if (!p) return;
    if (t->traced) memcpy(p, t->place, t->traced * sizeof *p);
    ad__release(t, t->place, t->place_capacity * sizeof *p);
    t->place = p;
    t->place_capacity = t->capacity;
  }
  for (; t->traced < t->count; t->traced++) t->place[t->traced] = t->here;
}

AD_API double ad__value_apart(ad_var x) {
  if (!x.tape || !ad__operand(x.tape, x, "value", "x")) return (double)NAN;
  if (ad_rank(x) != 0) {
    ad__fail(x.tape, AD_ERROR_SHAPE, "ad_value: the variable has rank %d, a number has rank 0 (see ad_data)", ad_rank(x));
    return (double)NAN;
  }
  return ad_type(x) == AD_F32 ? (double)*(const float *)ad_data(x) : *(const double *)ad_data(x);
}

/* >>tensor --------------------------------------------------------------------------------------------------------------
   DATA. ad__strided: contents, type, shape, strides in elements. ad__tensor: the record of a node: its array, its operation
   (NULL for a leaf and for a row of the table), operands and attributes, what the forward pass saved for the reverse one, and
   after ad_backward its adjoint. Records and contents lie in the arena; rewinding the tape forgets both at once.

   INVARIANT. What has been computed is never overwritten: adjoints and views may share contents freely. The two exceptions are
   leaves changed by the program (ad_tensor_set, the optimisers) and an adjoint buffer that the reverse sweep made itself.

   The reverse sweep takes a node's adjoint and lets its rule record the contributions as nodes (passive ones: no gradient flows
   through them); their contents are the numbers. While it runs, the arena of adjoints stands in for that of the recording;
   after it the nodes are dropped and their contents stay readable until the next sweep. A node nobody asks about (activity)
   and a node whose adjoint is all 0 are skipped. */

typedef struct ad__reverse ad__reverse;
typedef struct ad_tensor_op ad_tensor_op;
static ad_var ad__contiguous(ad_var x);
static ad_var ad__copy_of(ad_var x);
static void ad__copy_forward(ad__tensor *t, const ad__strided *const *x, void *work);
static ad_var ad__cast(ad_var x, int type);
static bool ad__same_shape(const ad__strided *a, const ad__strided *b);

struct ad_tensor_op {
  const char *name;
  int flags;
  const char *(*shape)(ad__tensor *t, const ad__strided *const *x);
  void (*forward)(ad__tensor *t, const ad__strided *const *x, void *work);
  void (*reverse)(ad__reverse *r);
};
/* the result is a view of operand 0; operands may be views; the shape is given, not derived; the shape rule looks at contents too */
enum { AD__VIEW = 1, AD__STRIDED = 2, AD__SHAPED = 4, AD__CHECKED = 8 };

/* A kernel makes t->a, or adds to it, from arrays x and attributes of t. While a function is planned (>>function) nothing is computed:
   every kernel a tape would run is written down with its arrays. writes: bit k where the kernel writes to x[k]. */
typedef void ad__kernel(ad__tensor *t, const ad__strided *const *x, void *work);
static bool ad__trace_kernel(ad_tape *tape, ad__kernel *run, const ad__tensor *t, const ad__strided *const *x, size_t count, unsigned writes, void *work);
static bool ad__trace_memory(ad_tape *tape, const void *data, size_t bytes);
static void ad__trace_rule(ad_tape *tape, const ad__strided *g);     /* a reverse rule begins, g its adjoint; NULL: it has ended */

struct ad__reverse {
  ad_tape *tape;
  ad__tensor *t;
  ad_var y, g;                              /* the node and its adjoint */
  const ad_var *x;                          /* operands */
  const bool *wanted;                       /* whose contribution is asked for */
  ad_var *gx;                               /* to be filled; left invalid: no contribution */
  size_t from;                              /* nodes from here on are of the rule */
  bool numbers;                             /* ad_backward, not ad_differentiate */
};

static size_t ad__dtype_bytes(int type) { return type == AD_F64 ? 8 : 4; }

/* row-major strides and size from the shape; false if the bytes cannot be counted */
static bool ad__array_layout(ad__strided *a) {
  size_t n = 1;
  ptrdiff_t step = 1;
  bool empty = false;
  for (int i = 0; i < a->rank; i++) {
    if (a->shape[i] == 0) empty = true;
    else if (a->shape[i] > (size_t)PTRDIFF_MAX / 16 / n) return false;
    else n *= a->shape[i];
  }
  for (int i = a->rank - 1; i >= 0; i--) {
    a->stride[i] = step;
    if (a->shape[i]) step *= (ptrdiff_t)a->shape[i];
  }
  a->size = empty ? 0 : n;
  a->contiguous = true;
  return true;
}
/* size and contiguity of a view from shape and strides */
static void ad__array_settle(ad__strided *a) {
  ptrdiff_t step = 1;
  size_t n = 1;
  a->contiguous = true;
  for (int i = a->rank - 1; i >= 0; i--) {
    if (a->shape[i] != 1 && a->stride[i] != step) a->contiguous = false;
    step *= (ptrdiff_t)a->shape[i];
    n *= a->shape[i];
  }
  a->size = n;
  if (n == 0) a->contiguous = true;
}
static ad_f32_view ad__view32(const ad__strided *a) {
  ad_f32_view v;
  v.data = (float *)a->data;
  memcpy(v.stride, a->stride, sizeof v.stride);
  return v;
}
static ad_f64_view ad__view64(const ad__strided *a) {
  ad_f64_view v;
  v.data = (double *)a->data;
  memcpy(v.stride, a->stride, sizeof v.stride);
  return v;
}
/* to (row-major or a view) = from, of the same shape; labels move as floats do, bit by bit */
static void ad__copy(const ad__strided *to, const ad__strided *from) {
  const size_t bytes = ad__dtype_bytes(from->dtype);
  if (from->size == 0) return;
  if (to->contiguous && from->contiguous) memcpy(to->data, from->data, from->size * bytes);
  else if (to->contiguous && bytes == 4) ad_f32_copy(from->rank, from->shape, ad__view32(from), (float *)to->data);
  else if (to->contiguous) ad_f64_copy(from->rank, from->shape, ad__view64(from), (double *)to->data);
  else {
    size_t at[AD_MAX_RANK] = { 0 };
    const int last = from->rank - 1;
    for (bool more = true; more;) {
      char *p = (char *)to->data;
      const char *q = (const char *)from->data;
      for (int d = 0; d < last; d++) {
        p += (ptrdiff_t)(at[d] * bytes) * to->stride[d];
        q += (ptrdiff_t)(at[d] * bytes) * from->stride[d];
      }
      for (size_t i = 0; i < from->shape[last]; i++, p += (ptrdiff_t)bytes * to->stride[last], q += (ptrdiff_t)bytes * from->stride[last]) memcpy(p, q, bytes);
      more = false;
      for (int d = last - 1; d >= 0 && !more; d--) {
        more = ++at[d] < from->shape[d];
        if (!more) at[d] = 0;
      }
    }
  }
}

/* ---- handles, records, errors ---- */

static const ad__strided ad__scalar_array = { NULL, 1, { 0 }, { 0 }, 0, AD_F64, true };   /* the shape of a scalar node */

static bool ad__valid(ad_var x) { return ad_is_valid(x); }
static ad__tensor *ad__tensor_of(ad_var x) { return (x.kind & 1) ? ad__tensor_at(x.tape, x.node) : NULL; }
static const ad__strided *ad__array_of(ad_var x) {             /* of a valid handle; a scalar has no data here */
  return (x.kind & 1) ? &ad__tensor_at(x.tape, x.node)->a : &ad__scalar_array;
}
static bool ad__is_tensor(const ad_tape *t, size_t i) { return AD_NODE_FORM(t->code[i].op) == AD_ON_TENSORS; }
static ad_var ad__handle_of(ad_tape *t, uint32_t node) {
  ad_var x;
  x.tape = t;
  x.node = node;
  x.kind = ad__is_tensor(t, node) ? ad__tensor_at(t, node)->kind : (uint32_t)t->kind;
  return x;
}
static bool ad__active(ad_tape *t, uint32_t node) {
  const uint32_t op = t->code[node].op;
  return AD_NODE_FORM(op) == AD_ON_TENSORS ? ad__tensor_at(t, node)->active : AD_NODE_OP(op) != AD_OP_CONSTANT_;
}
static size_t ad__print_shape(char *to, size_t room, const ad__strided *a) {
  size_t n = (size_t)snprintf(to, room, "(");
  for (int i = 0; i < a->rank && n < room; i++) n += (size_t)snprintf(to + n, room - n, i ? ", %zu" : "%zu", a->shape[i]);
  if (n < room) n += (size_t)snprintf(to + n, room - n, a->rank == 1 ? ",)" : ")");
  return n;
}
/* the error of an operation: its name, the operands' shapes, what is wrong */
static ad_var ad__fail_shapes(ad_tape *tape, ad_status status, const char *name, const char *wrong, const ad_var *x, size_t n) {
  char text[200];
  size_t at = 0;
  text[0] = 0;
  for (size_t k = 0; k < n && k < 3 && at + 60 < sizeof text; k++) {
    static const char *const type[] = { " float", " double", " int32" };
    const ad__strided *a = ad__array_of(x[k]);
    if (k) at += (size_t)snprintf(text + at, sizeof text - at, " and ");
    at += ad__print_shape(text + at, sizeof text - at, a);
    if (status == AD_ERROR_DTYPE && at < sizeof text) at += (size_t)snprintf(text + at, sizeof text - at, "%s", type[a->dtype]);
  }
  return ad__fail(tape, status, "%s%s: %s%s%s", strncmp(name, "ad_", 3) ? "ad_" : "", name, text, n ? ": " : "", wrong);
}
static ad_var ad__fail_axis(ad_var x, const char *name, int axis) {
  char wrong[48];
  snprintf(wrong, sizeof wrong, "there is no axis %d", axis);
  return ad__fail_shapes(x.tape, AD_ERROR_ARGUMENT, name, wrong, &x, 1);
}
/* the tape of operands that may be used together, else NULL and, where that is an error, an error on the tape */
static ad_tape *ad__common_tape(const char *name, const ad_var *x, size_t n) {
  ad_tape *t = n && x ? x[0].tape : NULL;
  for (size_t k = 0; k < n && x; k++) {
    if (!x[k].tape || !x[k].kind) return NULL;
    if (!ad_is_valid(x[k]) || x[k].tape != t) {
      ad__fail(ad_is_valid(x[k]) ? t : x[k].tape, AD_ERROR_TAPE, ad_is_valid(x[k]) ? "%s%s: operand %zu (node %u) is on another tape" :
               "%s%s: operand %zu (node %u) is from before the tape was reset or rewound", strncmp(name, "ad_", 3) ? "ad_" : "", name, k, (unsigned)x[k].node);
      return NULL;
    }
  }
  return t;
}
static void *ad__tape_take(ad_tape *tape, size_t bytes) {
  void *p = ad__take(tape, &tape->storage, bytes ? bytes : 1, "tensor");
  return p && tape->trace && !ad__trace_memory(tape, p, bytes ? bytes : 1) ? NULL : p;
}
static ad__arena ad__arena_place(const ad_tape *tape) { return tape->storage; }
static void ad__arena_back(ad_tape *tape, ad__arena place) {   /* chunks that came since stay in the list */
  tape->storage.current = place.current;
  tape->storage.used = place.used;
}
static ad__tensor *ad__tensor_new(ad_tape *tape, size_t count) {
  ad__tensor *t = (ad__tensor *)ad__tape_take(tape, sizeof *t);
  if (!t) return NULL;
  memset((char *)t + offsetof(ad__tensor, op), 0, sizeof *t - offsetof(ad__tensor, op));
  t->a.size = 0;
  t->kind = tape->tensor_kind = (tape->tensor_kind + 2) | 1;
  t->count = (uint32_t)count;
  t->operand = t->few;
  if (count > 4) t->operand = (uint32_t *)ad__tape_take(tape, count * sizeof *t->operand);
  return t->operand ? t : NULL;
}
static ad_var ad__tensor_push(ad_tape *tape, uint32_t opcode, ad__tensor *t) {
  if (tape->count == tape->capacity && !ad__grow(tape, "tensor")) return ad__invalid(tape);
  const size_t i = tape->count++;
  ad__code *c = tape->code + i;
  c->op = AD_NODE(opcode, AD_ON_TENSORS);
  c->x = t->few[0];
  c->u.yz[0] = t->few[1];
  c->u.yz[1] = t->few[2];
  memcpy(tape->value + i, &t, sizeof t);
  if (tape->here.file) ad__note(tape);
  return ad__handle_of(tape, (uint32_t)i);
}
static bool ad__tensor_storage(ad_tape *tape, ad__tensor *t) {
  t->a.data = ad__tape_take(tape, t->a.size * ad__dtype_bytes(t->a.dtype));
  if (t->a.data && t->saved_bytes) t->saved = ad__tape_take(tape, t->saved_bytes);
  if (tape->trace && t->a.data && t->a.dtype == AD_I32) memset(t->a.data, 0, t->a.size * sizeof(int32_t));   /* shape rules look at indices */
  return t->a.data && (!t->saved_bytes || t->saved);
}

/* the array of an operand; the number of a scalar is put into room, as a float where the others are floats */
static const ad__strided *ad__operand_array(ad_var x, int dtype, ad__strided *room, double *number) {
  if (x.kind & 1) {
    const ad__strided *a = ad__array_of(x);
    if (a->rank || a->dtype == dtype || a->dtype != AD_F64) return a;
    if (x.tape->trace && AD_NODE_OP(x.tape->code[x.node].op) != AD_OP_CONSTANT_) {     /* not known yet: a conversion each time */
      const ad_var y = ad__cast(x, dtype);
      return y.kind ? ad__array_of(y) : a;
    }
    *number = *(const double *)a->data;
  } else *number = x.tape->value[x.node];
  *room = ad__scalar_array;
  room->data = number;
  if (dtype == AD_F32) {
    const float f = (float)*number;
    memcpy(number, &f, sizeof f);
    room->dtype = AD_F32;
  }
  if (x.tape->trace && (room->data = ad__tape_take(x.tape, sizeof *number)) != NULL) memcpy(room->data, number, sizeof *number);
  return room;
}

/* Records an operation: checks the handles, lets the shape rule speak, computes. Attributes n (count_n of them) and c; the shape
   where the operation does not derive it (rank -1: it does). */
static ad_var ad__record_to(const ad_tensor_op *op, const ad_var *x, size_t count, int rank, const size_t *shape, const ptrdiff_t *n, int count_n, double c) {
  const ad__strided *few[4], **in = few;
  ad__strided room[4];
  double number[4];
  ad_tape *tape;
  ad__arena place, work_place;
  const char *wrong;
  if (count == 0 || !x) return ad__invalid(NULL);
  tape = ad__common_tape(op->name, x, count);
  if (!tape) return ad__invalid(x[0].tape);
  if (rank > AD_MAX_RANK || (rank > 0 && !shape)) {
    ad__fail(tape, AD_ERROR_ARGUMENT, "%s: rank %d is more than %d, or no shape is given", op->name, rank, AD_MAX_RANK);
    return ad__invalid(tape);
  }
  place = ad__arena_place(tape);
  ad__tensor *t = ad__tensor_new(tape, count);
  if (t && count > 4) in = (const ad__strided **)ad__tape_take(tape, count * sizeof *in);
  if (!t || !in) return ad__invalid(tape);
  t->op = op;
  t->c = c;
  for (int i = 0; i < count_n; i++) t->n[i] = n[i];
  if (rank >= 0) {
    t->a.rank = (uint8_t)rank;
    for (int i = 0; i < rank; i++) t->a.shape[i] = shape[i];
  }
  for (size_t k = 0; k < count; k++) {
    ad_var v = x[k];
    if (!(op->flags & AD__STRIDED) && !ad__array_of(v)->contiguous) {
      v = ad__contiguous(v);
      if (!v.kind) return v;
    }
    if ((v.kind & 1) || count > 4) in[k] = ad__array_of(v);
    else {                                                   /* a view of a scalar needs contents that stay */
      double *stays = (op->flags & AD__VIEW) ? (double *)ad__tape_take(tape, sizeof *stays) : &number[k];
      if (!stays) return ad__invalid(tape);
      in[k] = ad__operand_array(v, AD_F64, &room[k], stays);
    }
    t->operand[k] = v.node;
    if (!tape->passive && ad__active(tape, v.node)) t->active = true;
  }
  t->status = AD_ERROR_SHAPE;
  wrong = op->shape(t, in);
  if (wrong) {
    char text[120];
    int said = snprintf(text, sizeof text, wrong, t->number);
    if (rank >= 0 && said > 0 && (size_t)said + 20 < sizeof text) {         /* the shape that was asked for */
      said += snprintf(text + said, sizeof text - (size_t)said, ": ");
      ad__print_shape(text + said, sizeof text - (size_t)said, &t->a);
    }
    const ad_status status = t->status;
    ad__arena_back(tape, place);
    return ad__fail_shapes(tape, status, op->name, text, x, count);
  }
  if (op->forward) {
    void *work = NULL;
    if (!ad__tensor_storage(tape, t)) return ad__arena_back(tape, place), ad__invalid(tape);
    work_place = ad__arena_place(tape);
    if (t->work_bytes && !(work = ad__tape_take(tape, t->work_bytes))) return ad__arena_back(tape, place), ad__invalid(tape);
    if (!tape->trace) op->forward(t, in, work);
    else if (!ad__trace_kernel(tape, op->forward, t, in, count, 0, work)) return ad__invalid(tape);
    if (work && !tape->trace) ad__arena_back(tape, work_place);
  }
  return ad__tensor_push(tape, AD_OP_CALL_, t);
}
static ad_var ad__record_call(const ad_tensor_op *op, const ad_var *x, size_t count, const ptrdiff_t *n, int count_n, double c) {
  return ad__record_to(op, x, count, -1, NULL, n, count_n, c);
}
static ad_var ad__record_axis(const ad_tensor_op *op, ad_var x, ad_var y, ptrdiff_t axis) {   /* an operation of x, y along an axis */
  ad_var both[2];
  both[0] = x;
  both[1] = y;
  return ad__record_to(op, both, 2, -1, NULL, &axis, 1, 0);
}

/* ---- leaves ---- */

enum { AD__COPIED, AD__BORROWED };
static ad_var ad__tensor_leaf(ad_tape *tape, int opcode, const char *name, ad_dtype type, int rank, const size_t *shape, const void *data, int how) {
  if (!tape) return ad__invalid(NULL);
  if (rank < 0 || rank > AD_MAX_RANK || (rank && !shape) || type < AD_F32 || type > AD_I32) {
    return ad__fail(tape, AD_ERROR_ARGUMENT, "%s: rank %d outside 0..%d, no shape, or type %d", name, rank, AD_MAX_RANK, (int)type);
  }
  if (type == AD_I32 && opcode == AD_OP_VARIABLE_) return ad__fail(tape, AD_ERROR_DTYPE, "%s: labels and indices (AD_I32) are constants", name);
  const ad__arena place = ad__arena_place(tape);
  ad__tensor *t = ad__tensor_new(tape, 0);
  if (!t) return ad__invalid(tape);
  t->a.rank = (uint8_t)rank;
  t->a.dtype = (uint8_t)type;
  for (int i = 0; i < rank; i++) t->a.shape[i] = shape[i];
  if (!ad__array_layout(&t->a)) {
    char text[120];
    ad__print_shape(text, sizeof text, &t->a);
    ad__fail(tape, AD_ERROR_SHAPE, "%s: %s: more bytes than can be counted", name, text);
    return ad__arena_back(tape, place), ad__invalid(tape);
  }
  const size_t bytes = t->a.size * ad__dtype_bytes((int)type);
  t->active = opcode == AD_OP_VARIABLE_;
  if (how == AD__BORROWED) memcpy(&t->a.data, &data, sizeof data);
  else {
    if (!ad__tensor_storage(tape, t)) return ad__arena_back(tape, place), ad__invalid(tape);
    if (data && bytes) memcpy(t->a.data, data, bytes);
    else if (bytes) memset(t->a.data, 0, bytes);
  }
  return ad__tensor_push(tape, (uint32_t)opcode, t);
}
AD_API ad_var ad_tensor_variable(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, const void *data) {
  return ad__tensor_leaf(tape, AD_OP_VARIABLE_, "ad_tensor_variable", type, rank, shape, data, AD__COPIED);
}
AD_API ad_var ad_tensor_constant(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, const void *data) {
  return ad__tensor_leaf(tape, AD_OP_CONSTANT_, "ad_tensor_constant", type, rank, shape, data, AD__COPIED);
}
AD_API ad_var ad_tensor_borrow(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, const void *data) {
  return ad__tensor_leaf(tape, AD_OP_CONSTANT_, "ad_tensor_borrow", type, rank, shape, data, AD__BORROWED);
}
/* a constant over contents that lie in an arena already */
static ad_var ad__constant_over(ad_tape *tape, const ad__strided *like, void *data) {
  return ad__tensor_leaf(tape, AD_OP_CONSTANT_, "constant", (ad_dtype)like->dtype, like->rank, like->shape, data, AD__BORROWED);
}
AD_API ad_status ad_tensor_set(ad_var leaf, const void *data) {
  ad__tensor *t = ad__common_tape("ad_tensor_set", &leaf, 1) ? ad__tensor_of(leaf) : NULL;
  if (!t || !data || AD_NODE_OP(leaf.tape->code[leaf.node].op) == AD_OP_CALL_ || t->count) {
    if (leaf.tape && leaf.kind) ad__fail(leaf.tape, AD_ERROR_ARGUMENT, "ad_tensor_set: not a tensor that the program made, or no data");
    return AD_ERROR_ARGUMENT;
  }
  if (t->a.size) memcpy(t->a.data, data, t->a.size * ad__dtype_bytes(t->a.dtype));
  leaf.tape->changes++;
  return AD_OK;
}

/* ---- what a program may ask ---- */

AD_API int ad_rank(ad_var x) { return ad_is_valid(x) ? ad__array_of(x)->rank : -1; }
AD_API const size_t *ad_shape(ad_var x) { return ad_is_valid(x) ? ad__array_of(x)->shape : NULL; }
AD_API size_t ad_size(ad_var x) { return ad_is_valid(x) ? ad__array_of(x)->size : 0; }
AD_API ad_dtype ad_type(ad_var x) { return ad_is_valid(x) ? (ad_dtype)ad__array_of(x)->dtype : AD_F64; }

static ad_var ad__contiguous(ad_var x) {                     /* x, or a row-major copy of it, made once */
  ad__tensor *t = ad_is_valid(x) ? ad__tensor_of(x) : NULL;
  if (!t || t->a.contiguous) return x;
  if (t->copy && t->copied == x.tape->changes && t->copy < x.tape->count && AD_NODE_FORM(x.tape->code[t->copy].op) == AD_ON_TENSORS) {
    const ad__tensor *c = ad__tensor_at(x.tape, t->copy);
    if (c->op && c->op->forward == ad__copy_forward && c->few[0] == x.node && c->active == t->active) return ad__handle_of(x.tape, t->copy);
  }
  const ad_var y = ad__copy_of(x);
  if (y.kind) t->copy = y.node, t->copied = x.tape->changes;
  return y;
}
AD_API const void *ad_data(ad_var x) {
  if (!ad_is_valid(x)) return NULL;
  if (!(x.kind & 1)) return x.tape->value + x.node;
  x = ad__contiguous(x);
  return x.kind ? ad__tensor_of(x)->a.data : NULL;
}

/* ---- rows of the table on tensors ---- */

/* strides of x for a loop over v, to which it broadcasts */
static void ad__broadcast_strides(ptrdiff_t *stride, const ad__strided *x, const ad__strided *v) {
  const int shift = v->rank - x->rank;
  for (int i = 0; i < v->rank; i++) stride[i] = i < shift || x->shape[i - shift] == 1 ? 0 : x->stride[i - shift];
}


static void ad__fail_refused(ad_tape *tape, int op) { ad__fail(tape, AD_ERROR_UNSUPPORTED, "ad_%s: overlapping views that no kernel takes", ad_ops[op].name); }
/* false, and nothing done: the views overlap in a way that kernels refuse */
static bool ad__row_value(int op, int n, const ad__strided *const *x, const ad__strided *v) {
  bool plain = true;
  if (v->size == 0) return true;
  for (int k = 0; k < n; k++) plain = plain && x[k]->contiguous && x[k]->size == v->size;
  if (v->dtype == AD_F32) {
    if (plain) {
      const float *p[3] = { NULL, NULL, NULL };
      for (int k = 0; k < n; k++) p[k] = (const float *)x[k]->data;
      ad_f32_kernels[op].value(v->size, p, (float *)v->data);
    } else {
      ad_f32_view p[3];
      for (int k = 0; k < n; k++) p[k] = ad__view32(x[k]), ad__broadcast_strides(p[k].stride, x[k], v);
      return ad_f32_map(ad_f32_kernels[op].value, n, v->rank, v->shape, p, ad__view32(v));
    }
  } else if (plain) {
    const double *p[3] = { NULL, NULL, NULL };
    for (int k = 0; k < n; k++) p[k] = (const double *)x[k]->data;
    ad_f64_kernels[op].value(v->size, p, (double *)v->data);
  } else {
    ad_f64_view p[3];
    for (int k = 0; k < n; k++) p[k] = ad__view64(x[k]), ad__broadcast_strides(p[k].stride, x[k], v);
    return ad_f64_map(ad_f64_kernels[op].value, n, v->rank, v->shape, p, ad__view64(v));
  }
  return true;
}
/* out (+)= g * partial number k, all of the shape of v but the operands, which broadcast */
static bool ad__row_partial(int op, int k, int n, const ad__strided *const *x, const ad__strided *v, const ad__strided *g, const ad__strided *out, bool add) {
  bool plain = g->contiguous && v->contiguous;
  if (v->size == 0) return true;
  for (int i = 0; i < n; i++) plain = plain && x[i]->contiguous && x[i]->size == v->size;
  if (v->dtype == AD_F32) {
    if (plain) {
      const float *p[3] = { NULL, NULL, NULL };
      for (int i = 0; i < n; i++) p[i] = (const float *)x[i]->data;
      ad_f32_kernels[op].partial[k](v->size, p, (const float *)v->data, (const float *)g->data, (float *)out->data, add);
    } else {
      ad_f32_view p[3];
      for (int i = 0; i < n; i++) p[i] = ad__view32(x[i]), ad__broadcast_strides(p[i].stride, x[i], v);
      return ad_f32_map_partial(ad_f32_kernels[op].partial[k], n, v->rank, v->shape, p, ad__view32(v), ad__view32(g), ad__view32(out), add);
    }
  } else if (plain) {
    const double *p[3] = { NULL, NULL, NULL };
    for (int i = 0; i < n; i++) p[i] = (const double *)x[i]->data;
    ad_f64_kernels[op].partial[k](v->size, p, (const double *)v->data, (const double *)g->data, (double *)out->data, add);
  } else {
    ad_f64_view p[3];
    for (int i = 0; i < n; i++) p[i] = ad__view64(x[i]), ad__broadcast_strides(p[i].stride, x[i], v);
    return ad_f64_map_partial(ad_f64_kernels[op].partial[k], n, v->rank, v->shape, p, ad__view64(v), ad__view64(g), ad__view64(out), add);
  }
  return true;
}
static void ad__row_kernel(ad__tensor *t, const ad__strided *const *x, void *work) {       /* n: opcode */
  (void)work;
  if (!ad__row_value((int)t->n[0], ad_ops[t->n[0]].arity, x, &t->a)) t->status = AD_ERROR_UNSUPPORTED;
}
static void ad__partial_kernel(ad__tensor *t, const ad__strided *const *x, void *work) {   /* n: opcode, partial, operands, add; x: operands, v, g */
  const int n = (int)t->n[2];
  (void)work;
  if (!ad__row_partial((int)t->n[0], (int)t->n[1], n, x, x[n], x[n + 1], &t->a, t->n[3] != 0)) t->status = AD_ERROR_UNSUPPORTED;
}
static void ad__add_kernel(ad__tensor *t, const ad__strided *const *x, void *work) {       /* contiguous */
  (void)work;
  if (t->a.dtype == AD_F32) ad_f32_array_add(t->a.size, (const float *)x[0]->data, (float *)t->a.data);
  else ad_f64_array_add(t->a.size, (const double *)x[0]->data, (double *)t->a.data);
}
/* a kernel that is no node's forward: run, or written down */
static void ad__do(ad_tape *tape, ad__kernel *run, ad__tensor *t, const ad__strided *const *x, size_t count, unsigned writes) {
  if (tape->trace) (void)ad__trace_kernel(tape, run, t, x, count, writes, NULL);
  else run(t, x, NULL);
}
static void ad__partial(ad_tape *tape, int op, int k, int n, const ad__strided *const *x, const ad__strided *v, const ad__strided *g, const ad__strided *out, bool add) {
  const ad__strided *all[5];
  ad__tensor t;
  if (!tape->trace) { if (!ad__row_partial(op, k, n, x, v, g, out, add)) ad__fail_refused(tape, op); return; }
  memset(&t, 0, sizeof t);
  t.a = *out;
  t.n[0] = op; t.n[1] = k; t.n[2] = n; t.n[3] = add;
  for (int i = 0; i < n; i++) all[i] = x[i];
  all[n] = v; all[n + 1] = g;
  ad__do(tape, ad__partial_kernel, &t, all, (size_t)n + 2, 0);
}
/* the shape all operands broadcast to, and their type; NULL or what is wrong */
static const char *ad__row_shape(ad__tensor *t, const ad__strided *const *x, int n) {
  int dtype = AD_F64, rank = 0;
  for (int k = 0; k < n; k++) {
    if (x[k]->dtype == AD_I32) return t->status = AD_ERROR_DTYPE, "labels and indices (AD_I32) have no arithmetic";
    if (x[k]->dtype == AD_F32) dtype = AD_F32;
    if (x[k]->rank > rank) rank = x[k]->rank;
  }
  t->a.rank = (uint8_t)rank;
  t->a.dtype = (uint8_t)dtype;
  for (int i = 0; i < rank; i++) t->a.shape[i] = 1;
  for (int k = 0; k < n; k++) {
    if (x[k]->dtype != dtype && x[k]->rank) return t->status = AD_ERROR_DTYPE, "float and double do not mix";
    const int shift = rank - x[k]->rank;
    for (int i = shift; i < rank; i++) {
      const size_t m = x[k]->shape[i - shift];
      if (m == 1) continue;
      if (t->a.shape[i] != 1 && t->a.shape[i] != m) return "the shapes do not broadcast";
      t->a.shape[i] = m;
    }
  }
  return ad__array_layout(&t->a) ? NULL : "the result has more bytes than can be counted";
}
/* op: the opcode of a row; some operand is a tensor */
AD_API ad_var ad__tensor_row(int op, const ad_var *x) {
  const int n = ad_ops[op].arity;
  const ad__strided *in[3];
  ad__strided room[3];
  double number[3];
  ad_tape *tape = ad__common_tape(ad_ops[op].name, x, (size_t)n);
  const char *wrong;
  if (!tape) return ad__invalid(x[0].tape);
  const ad__arena place = ad__arena_place(tape);
  ad__tensor *t = ad__tensor_new(tape, (size_t)n);
  if (!t) return ad__invalid(tape);
  for (int k = 0; k < n; k++) {
    in[k] = ad__array_of(x[k]);
    t->few[k] = x[k].node;
    if (!tape->passive && ad__active(tape, x[k].node)) t->active = true;
  }
  t->status = AD_ERROR_SHAPE;
  wrong = ad__row_shape(t, in, n);
  if (wrong) {
    const ad_status status = t->status;
    ad__arena_back(tape, place);
    return ad__fail_shapes(tape, status, ad_ops[op].name, wrong, x, (size_t)n);
  }
  for (int k = 0; k < n; k++) in[k] = ad__operand_array(x[k], t->a.dtype, &room[k], &number[k]);
  if (!ad__tensor_storage(tape, t)) return ad__arena_back(tape, place), ad__invalid(tape);
  t->n[0] = op;
  if (!tape->trace) { if (!ad__row_value(op, n, in, &t->a)) return ad__fail_refused(tape, op), ad__invalid(tape); }
  else if (!ad__trace_kernel(tape, ad__row_kernel, t, in, (size_t)n, 0, NULL)) return ad__invalid(tape);
  return ad__tensor_push(tape, (uint32_t)op, t);
}

/* what tape.c hands over: a row with a tensor among its operands */
static ad_var ad__record_tensors(uint32_t op, ad_var x, ad_var y, ad_var z, double k) {
  ad_var all[3];
  const int form = AD_NODE_FORM(op);
  if (form == AD_Y_NUMBER) y = ad_constant(x.tape, k);
  if (form == AD_X_NUMBER) y = x, x = ad_constant(y.tape, k);
  all[0] = x;
  all[1] = y;
  all[2] = z;
  return ad__tensor_row(AD_NODE_OP(op), all);
}

/* ---- small pieces that rules are made of ---- */

static ad_var ad__record_shaped(const ad_tensor_op *op, ad_var x, int rank, const size_t *shape) {
  if (rank < 0 && ad_is_valid(x)) return ad__fail_shapes(x.tape, AD_ERROR_ARGUMENT, op->name, "a negative rank", &x, 1);
  return ad__record_to(op, &x, 1, rank, shape, NULL, 0, 0);
}
static ad_var ad__reshape_like(ad_var x, const ad__strided *like) {
  return ad__same_shape(ad__array_of(x), like) ? x : ad_reshape(x, like->rank, like->shape);
}
/* x summed over the axes along which something of the shape of like was broadcast */
static ad_var ad__sum_like(ad_var x, const ad__strided *like) {
  const ad__strided *a;
  size_t size[2 * AD_MAX_RANK + 1] = { 0 }, shape[3];
  bool summed[2 * AD_MAX_RANK + 1];
  int groups = 0;
  if (!ad__valid(x)) return x;
  a = ad__array_of(x);
  if (ad__same_shape(a, like)) return x;
  const int shift = a->rank - like->rank;
  for (int i = 0; i < a->rank; i++) {                        /* neighbouring axes of one kind become one */
    const bool sum = i < shift || (like->shape[i - shift] == 1 && a->shape[i] != 1);
    if (groups == 0 || summed[groups - 1] != sum) {
      summed[groups] = sum;
      size[groups++] = 1;
    }
    size[groups - 1] *= a->shape[i];
  }
  for (int k = 0; k < groups; k++) {
    if (!summed[k]) continue;
    shape[0] = shape[2] = 1;
    shape[1] = size[k];
    for (int i = 0; i < k; i++) shape[0] *= size[i];
    for (int i = k + 1; i < groups; i++) shape[2] *= size[i];
    x = ad_sum(ad_reshape(x, 3, shape), 1, false);
    size[k] = 1;
  }
  return ad__valid(x) ? ad__reshape_like(x, like) : x;
}

/* ---- the reverse sweep ---- */

typedef struct ad__derivation ad__derivation;
static ad_var *ad__adjoint_slot(const ad__derivation *d, uint32_t node);
static void ad__derive_add(const ad__derivation *d, uint32_t node, ad_var c);

static void ad__swap_arenas(ad_tape *tape) {
  const ad__arena a = tape->storage;
  tape->storage = tape->adjoints;
  tape->adjoints = a;
}
/* From the first tensor on, the sweep records. */
static void ad__sweep_begin(ad_tape *tape) {
  if (tape->passive) return;
  tape->passive = true;
  tape->recorded = tape->count;
  ad__swap_arenas(tape);
}
static void ad__sweep_end(ad_tape *tape) {
  if (!tape->passive) return;
  tape->passive = false;
  tape->count = tape->recorded;
  ad__swap_arenas(tape);
}
static bool ad__all_zero(const ad__strided *a) {
  if (!a->contiguous || a->dtype == AD_I32) return false;
  for (size_t i = 0; i < a->size; i++)
    if (!(a->dtype == AD_F32 ? ((const float *)a->data)[i] == 0 : ((const double *)a->data)[i] == 0)) return false;
  return true;
}
/* a passive node with new contents of the shape of like */
static ad_var ad__buffer_like(ad_tape *tape, const ad__strided *like) {
  ad__tensor *t = ad__tensor_new(tape, 0);
  if (!t) return ad__invalid(tape);
  t->a.rank = like->rank;
  t->a.dtype = like->dtype;
  for (int i = 0; i < like->rank; i++) t->a.shape[i] = like->shape[i];
  (void)ad__array_layout(&t->a);
  return ad__tensor_storage(tape, t) ? ad__tensor_push(tape, AD_OP_CONSTANT_, t) : ad__invalid(tape);
}
/* the adjoint of a node += c, which may be kept (owned: nobody else reads it) */
static void ad__contribute(ad_tape *tape, uint32_t node, ad_var c, bool owned) {
  if (!ad__valid(c)) return;
  if (AD_NODE_FORM(tape->code[node].op) != AD_ON_TENSORS) {
    tape->adjoint[node] += ad_value(c);
    return;
  }
  ad__tensor *t = ad__tensor_at(tape, node);
  if (ad__array_of(c)->dtype != t->a.dtype || !(c.kind & 1)) c = ad__cast(c, t->a.dtype), owned = false;
  if (!ad__valid(c)) return;
  if (t->sweep == tape->sweep && t->grad) {
    if (t->grad_owned) {
      c = ad__contiguous(c);
      if (!ad__valid(c)) return;
      const ad__strided *a = ad__array_of(c);
      ad__do(tape, ad__add_kernel, t->grad, &a, 1, 0);
      return;
    }
    c = ad_var_add(ad__handle_of(tape, t->grad_node), c);
    if (!ad__valid(c)) return;
    owned = true;
  }
  t->grad = ad__tensor_of(c);
  t->grad_node = c.node;
  t->grad_owned = owned && t->grad->a.contiguous;
  t->sweep = tape->sweep;
  tape->adjoint[node] = 1;                                   /* the loop over nodes passes over zeros */
}
static void ad__sweep_row(ad_tape *tape, int op, ad__tensor *t, ad_var g) {
  const int n = ad_ops[op].arity;
  const ad__strided *in[3];
  ad__strided room[3];
  double number[3];
  for (int k = 0; k < n; k++) in[k] = ad__operand_array(ad__handle_of(tape, t->few[k]), t->a.dtype, &room[k], &number[k]);
  for (int k = 0; k < n; k++) {
    const uint32_t node = t->few[k];
    if (!ad__active(tape, node)) continue;
    const bool same = ad__same_shape(in[k], &t->a), passes = op == AD_OP_add || (op == AD_OP_sub && k == 0);
    ad__tensor *to = AD_NODE_FORM(tape->code[node].op) == AD_ON_TENSORS ? ad__tensor_at(tape, node) : NULL;
    if (same && to && to->sweep == tape->sweep && to->grad && to->grad_owned && to->a.dtype == t->a.dtype) {
      ad__partial(tape, op, k, n, in, &t->a, ad__array_of(g), &to->grad->a, true);
      continue;
    }
    ad_var c = g;
    if (!passes && op == AD_OP_sub && !same) c = ad_var_neg(ad__sum_like(g, in[k]));
    else if (!passes) {
      c = ad__buffer_like(tape, &t->a);
      if (!ad__valid(c)) return;
      ad__partial(tape, op, k, n, in, &t->a, ad__array_of(g), ad__array_of(c), false);
    }
    ad__contribute(tape, node, same ? c : ad__sum_like(c, in[k]), !passes);
  }
}
/* Calls the reverse rule of node i, whose adjoint is g. Of a derivation d (ad_differentiate) contributions are
   nodes, for the operands that d has a slot for; without one they are numbers, for all operands that lead to a variable. */
static void ad__call_reverse(ad_tape *tape, size_t i, ad_var g, const ad__derivation *d) {
  ad__tensor *t = ad__tensor_at(tape, i);
  ad_var few_x[4], few_gx[4];
  bool few_wanted[4];
  ad__reverse r;
  ad_var *x = few_x;
  bool *wanted = few_wanted;
  r.gx = few_gx;
  if (t->count > 4) {
    x = (ad_var *)ad__tape_take(tape, t->count * sizeof *x);
    r.gx = (ad_var *)ad__tape_take(tape, t->count * sizeof *r.gx);
    wanted = (bool *)ad__tape_take(tape, t->count * sizeof *wanted);
    if (!x || !r.gx || !wanted) return;
  }
  for (uint32_t k = 0; k < t->count; k++) {
    x[k] = ad__handle_of(tape, t->operand[k]);
    r.gx[k] = ad__invalid(tape);
    wanted[k] = d ? ad__adjoint_slot(d, t->operand[k]) != NULL : ad__active(tape, t->operand[k]);
  }
  r.tape = tape;
  r.t = t;
  r.y = ad__handle_of(tape, (uint32_t)i);
  r.g = g;
  r.x = x;
  r.wanted = wanted;
  r.from = tape->count;
  r.numbers = !d;
  if (tape->trace) ad__trace_rule(tape, ad__array_of(g));
  t->op->reverse(&r);
  if (tape->trace) ad__trace_rule(tape, NULL);
  for (uint32_t k = 0; k < t->count; k++) {
    if (!wanted[k]) continue;
    if (d) ad__derive_add(d, t->operand[k], r.gx[k]);
    else ad__contribute(tape, t->operand[k], r.gx[k], false);
  }
}
/* the adjoint of tensor node i handed on to its operands */
static void ad__sweep_tensor(ad_tape *tape, size_t i) {
  ad__tensor *t = ad__tensor_at(tape, i);
  if (!t->active || t->count == 0 || t->sweep != tape->sweep || !t->grad || tape->status != AD_OK) return;
  if (!tape->trace && ad__all_zero(&t->grad->a)) return;
  const ad_var g = ad__handle_of(tape, t->grad_node);
  if (t->op) ad__call_reverse(tape, i, g, NULL);
  else ad__sweep_row(tape, AD_NODE_OP(tape->code[i].op), t, g);
}
static void ad__seed_tensor(ad_var y, const void *seed) {
  ad__tensor *t = ad__tensor_of(y);
  ad__sweep_begin(y.tape);
  ad_var g = ad__buffer_like(y.tape, &t->a);
  if (!ad__valid(g)) return;
  memcpy(ad__tensor_of(g)->a.data, seed, t->a.size * ad__dtype_bytes(t->a.dtype));
  ad__contribute(y.tape, y.node, g, true);
}
static const void *ad__tensor_grad(ad_var x) {               /* row-major contents of the adjoint; zeros where there is none */
  ad_tape *tape = x.tape;
  ad__tensor *t = ad__tensor_of(x);
  const void *data = NULL;
  if (t->sweep == tape->sweep && t->grad && t->grad->a.contiguous) return t->grad->a.data;
  ad__swap_arenas(tape);
  ad__tensor *dense = ad__tensor_new(tape, 0);
  if (dense) {
    dense->a = t->a;
    if (ad__array_layout(&dense->a) && ad__tensor_storage(tape, dense)) {
      if (t->sweep == tape->sweep && t->grad) ad__copy(&dense->a, &t->grad->a);
      else if (t->a.size) memset(dense->a.data, 0, t->a.size * ad__dtype_bytes(t->a.dtype));
      t->grad = dense;
      t->sweep = tape->sweep;
      data = dense->a.data;
    }
  }
  ad__swap_arenas(tape);
  return data;
}
AD_API const void *ad_grad_data(ad_var x) {
  if (!ad_is_valid(x)) return NULL;
  if (x.tape->swept == 0) return NULL;
  if (x.kind & 1) return ad__tensor_grad(x);
  return x.node < x.tape->swept ? x.tape->adjoint + x.node : NULL;
}

/* >>tensor-ops ----------------------------------------------------------------------------------------------------------
   One entry a structural operation: name, shape rule, forward, reverse; beside it the public function that records it.

   shape    sees the operands' arrays and the attributes, writes shape and type of the result (of a view also where it lies),
            and answers NULL or what is wrong.
   forward  computes contents from contents and knows no tape: a function that replays the node calls it with arrays of its own.
            Operands are row-major unless the entry says AD__STRIDED. work: t->work_bytes bytes.
   reverse  writes gx[k], the contribution to operand k, with the tape's own operations. ad_backward runs it for the numbers and
            drops the nodes again, ad_differentiate keeps them: so derivatives of any order need no further rule.
            AD__NUMBERS(r) marks the few places where numbers alone have a faster way.

   Rejected: rules over raw buffers for ad_backward and a second set over nodes for ad_differentiate. Recording a node costs
   some 40 ns beside its kernel, and there is one set of rules to be wrong. */

#define AD__F(a) ((float *)(a)->data)
#define AD__D(a) ((double *)(a)->data)
#define AD__IS32(a) ((a)->dtype == AD_F32)
#define AD__NUMBERS(r) ((r)->numbers)

static size_t ad__span(const ad__strided *a, int from, int to) {   /* the product of some sizes; known not to overflow unless one is 0 */
  size_t n = 1;
  for (int i = from; i < to; i++) n *= a->shape[i];
  return n;
}
static void ad__like(ad__tensor *t, const ad__strided *x) {
  t->a.dtype = x->dtype;
  t->a.rank = x->rank;
  for (int i = 0; i < x->rank; i++) t->a.shape[i] = x->shape[i];
}
static const char *ad__need_float(ad__tensor *t, const ad__strided *x) {
  if (x->dtype != AD_I32) return NULL;
  t->status = AD_ERROR_DTYPE;
  return "needs floating-point contents";
}
static const char *ad__bad_axis(ad__tensor *t, ptrdiff_t axis) {
  t->status = AD_ERROR_ARGUMENT;
  t->number = axis;
  return "there is no axis %td";
}
/* axis in [-rank, rank) made positive in place */
static bool ad__axis(ptrdiff_t *axis, int rank) {
  if (*axis < -rank || *axis >= rank) return false;
  if (*axis < 0) *axis += rank;
  return true;
}
static bool ad__same_shape(const ad__strided *a, const ad__strided *b) {
  if (a->rank != b->rank) return false;
  for (int i = 0; i < a->rank; i++) if (a->shape[i] != b->shape[i]) return false;
  return true;
}

/* ---- views: reshape, broadcast_to, permute, slice ---- */

static const char *ad__reshape_shape(ad__tensor *t, const ad__strided *const *x) {   /* shape and rank are set already */
  t->a.dtype = x[0]->dtype;
  if (!ad__array_layout(&t->a)) return "the new shape overflows";
  if (t->a.size != x[0]->size) return "reshaped to another number of elements";
  t->a.data = x[0]->data;
  return NULL;
}
static void ad__reshape_reverse(ad__reverse *r) { r->gx[0] = ad__reshape_like(r->g, ad__array_of(r->x[0])); }
static const ad_tensor_op ad__op_reshape = { "reshape", AD__VIEW | AD__SHAPED, ad__reshape_shape, NULL, ad__reshape_reverse };

AD_API ad_var ad_reshape(ad_var x, int rank, const size_t *shape) {
  return ad__record_shaped(&ad__op_reshape, x, rank, shape);
}

static const char *ad__broadcast_to_shape(ad__tensor *t, const ad__strided *const *x) {
  const int shift = t->a.rank - x[0]->rank;
  t->a.dtype = x[0]->dtype;
  if (shift < 0 || !ad__array_layout(&t->a)) return "cannot be broadcast";
  for (int i = 0; i < t->a.rank; i++) {
    const size_t n = i < shift ? 1 : x[0]->shape[i - shift];
    if (n != 1 && n != t->a.shape[i]) return "cannot be broadcast";
    t->a.stride[i] = n == 1 ? 0 : x[0]->stride[i - shift];
  }
  t->a.data = x[0]->data;
  ad__array_settle(&t->a);
  return NULL;
}
static void ad__broadcast_to_reverse(ad__reverse *r) { r->gx[0] = ad__sum_like(r->g, ad__array_of(r->x[0])); }
static const ad_tensor_op ad__op_broadcast_to = { "broadcast_to", AD__VIEW | AD__STRIDED | AD__SHAPED, ad__broadcast_to_shape, NULL, ad__broadcast_to_reverse };

AD_API ad_var ad_broadcast_to(ad_var x, int rank, const size_t *shape) {
  return ad__record_shaped(&ad__op_broadcast_to, x, rank, shape);
}

static const char *ad__permute_shape(ad__tensor *t, const ad__strided *const *x) {
  unsigned seen = 0;
  ad__like(t, x[0]);
  for (int i = 0; i < x[0]->rank; i++) {
    const ptrdiff_t from = t->n[i];
    if (!ad__axis(&t->n[i], x[0]->rank)) return ad__bad_axis(t, from);
    if (seen >> t->n[i] & 1) return t->status = AD_ERROR_ARGUMENT, t->number = from, "axis %td is given twice";
    seen |= 1u << t->n[i];
    t->a.shape[i] = x[0]->shape[t->n[i]];
    t->a.stride[i] = x[0]->stride[t->n[i]];
  }
  t->a.size = x[0]->size;
  t->a.data = x[0]->data;
  ad__array_settle(&t->a);
  return NULL;
}
static void ad__permute_reverse(ad__reverse *r) {
  int back[AD_MAX_RANK];
  for (int i = 0; i < r->t->a.rank; i++) back[r->t->n[i]] = i;
  r->gx[0] = ad_permute(r->g, back);
}
static const ad_tensor_op ad__op_permute = { "permute", AD__VIEW | AD__STRIDED, ad__permute_shape, NULL, ad__permute_reverse };

AD_API ad_var ad_permute(ad_var x, const int *axes) {
  ptrdiff_t n[AD_MAX_RANK] = { 0 };
  if (ad__valid(x) && !axes) return ad__fail(x.tape, AD_ERROR_ARGUMENT, "ad_permute: no axes are given");
  for (int i = 0; i < ad_rank(x); i++) n[i] = axes[i];
  return ad__record_call(&ad__op_permute, &x, 1, n, AD_MAX_RANK, 0);
}
AD_API ad_var ad_transpose(ad_var x) {
  int axes[AD_MAX_RANK] = { 0 }, rank = ad_rank(x);
  for (int i = 0; i < rank; i++) axes[i] = rank < 2 || i < rank - 2 ? i : 2 * rank - 3 - i;
  return ad_permute(x, axes);
}
/* n: axis, begin, end, step; after the shape rule axis, first element, count, step */
static const char *ad__slice_shape(ad__tensor *t, const ad__strided *const *x) {
  const ptrdiff_t axis = t->n[0], step = t->n[3];
  ad__like(t, x[0]);
  if (!ad__axis(&t->n[0], x[0]->rank)) return ad__bad_axis(t, axis);
  if (step == 0 || step < -PTRDIFF_MAX) return t->status = AD_ERROR_ARGUMENT, "a step of 0";
  const ptrdiff_t size = (ptrdiff_t)x[0]->shape[t->n[0]], low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
  ptrdiff_t at[2];
  for (int k = 0; k < 2; k++) {                              /* the rules of Python's slices */
    ptrdiff_t v = t->n[1 + k];
    if (v < 0) v = v < -size ? -1 : v + size;
    at[k] = v < low ? low : v > high ? high : v;
  }
  const ptrdiff_t span = step > 0 ? at[1] - at[0] : at[0] - at[1], stride = step > 0 ? step : -step;
  t->n[1] = at[0];
  t->n[2] = span <= 0 ? 0 : 1 + (span - 1) / stride;
  t->a.shape[t->n[0]] = (size_t)t->n[2];
  (void)ad__array_layout(&t->a);
  for (int i = 0; i < x[0]->rank; i++) t->a.stride[i] = x[0]->stride[i];
  t->a.data = x[0]->data;
  if (t->a.size) {
    t->a.data = (char *)x[0]->data + (ptrdiff_t)ad__dtype_bytes(x[0]->dtype) * x[0]->stride[t->n[0]] * at[0];
    if (t->n[2] > 1) t->a.stride[t->n[0]] *= step;
  }
  ad__array_settle(&t->a);
  return NULL;
}
static void ad__slice_reverse(ad__reverse *r);
static const ad_tensor_op ad__op_slice = { "slice", AD__VIEW | AD__STRIDED, ad__slice_shape, NULL, ad__slice_reverse };

AD_API ad_var ad_slice(ad_var x, int axis, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t step) {
  const ptrdiff_t n[4] = { axis, begin, end, step };
  return ad__record_call(&ad__op_slice, &x, 1, n, 4, 0);
}

/* zeros of a given shape with x at the places of a slice: n = axis, first, count, step */
static const char *ad__unslice_shape(ad__tensor *t, const ad__strided *const *x) {
  t->a.dtype = x[0]->dtype;
  return ad__array_layout(&t->a) ? NULL : "the shape overflows";
}
static void ad__unslice_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  ad__strided part = t->a;
  const size_t bytes = ad__dtype_bytes(t->a.dtype);
  (void)work;
  if (t->a.size) memset(t->a.data, 0, t->a.size * bytes);
  if (!x[0]->size) return;
  part.data = (char *)t->a.data + (ptrdiff_t)bytes * t->a.stride[t->n[0]] * t->n[1];
  part.shape[t->n[0]] = x[0]->shape[t->n[0]];
  part.stride[t->n[0]] *= t->n[3];
  ad__array_settle(&part);
  ad__copy(&part, x[0]);
}
static void ad__unslice_reverse(ad__reverse *r) {
  const ptrdiff_t *n = r->t->n, last = n[1] + n[3] * n[2];
  if (n[2] > 0) r->gx[0] = ad_slice(r->g, (int)n[0], n[1], last < 0 ? PTRDIFF_MIN : last, n[3]);
}
static const ad_tensor_op ad__op_unslice = { "unslice", AD__STRIDED | AD__SHAPED, ad__unslice_shape, ad__unslice_forward, ad__unslice_reverse };

static ad_var ad__unslice(ad_var g, const ad__strided *like, const ptrdiff_t *n) {
  return ad__record_to(&ad__op_unslice, &g, 1, like->rank, like->shape, n, 4, 0);
}
static void ad__slice_reverse(ad__reverse *r) { r->gx[0] = ad__unslice(r->g, ad__array_of(r->x[0]), r->t->n); }

/* row-major copy of a view */
static const char *ad__copy_shape(ad__tensor *t, const ad__strided *const *x) { ad__like(t, x[0]); return ad__array_layout(&t->a) ? NULL : "overflows"; }
static void ad__copy_forward(ad__tensor *t, const ad__strided *const *x, void *work) { (void)work; ad__copy(&t->a, x[0]); }
static void ad__copy_reverse(ad__reverse *r) { r->gx[0] = r->g; }
static const ad_tensor_op ad__op_copy = { "copy", AD__STRIDED, ad__copy_shape, ad__copy_forward, ad__copy_reverse };

static ad_var ad__copy_of(ad_var x) { return ad__record_call(&ad__op_copy, &x, 1, NULL, 0, 0); }

/* float to double and back; n: the type */
static const char *ad__cast_shape(ad__tensor *t, const ad__strided *const *x) {
  if (t->n[0] != AD_F32 && t->n[0] != AD_F64) return t->status = AD_ERROR_DTYPE, "casts only to float and double";
  ad__like(t, x[0]);
  t->a.dtype = (uint8_t)t->n[0];
  return x[0]->dtype == AD_I32 ? ad__need_float(t, x[0]) : ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__cast_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  (void)work;
  if (t->a.dtype == x[0]->dtype) ad__copy(&t->a, x[0]);
  else if (t->a.dtype == AD_F32) for (size_t i = 0; i < t->a.size; i++) AD__F(&t->a)[i] = (float)AD__D(x[0])[i];
  else for (size_t i = 0; i < t->a.size; i++) AD__D(&t->a)[i] = (double)AD__F(x[0])[i];
}
static void ad__cast_reverse(ad__reverse *r) { r->gx[0] = ad__cast(r->g, ad__array_of(r->x[0])->dtype); }
static const ad_tensor_op ad__op_cast = { "cast", 0, ad__cast_shape, ad__cast_forward, ad__cast_reverse };
static ad_var ad__cast(ad_var x, int type) {
  const ptrdiff_t n[1] = { type };
  return ad__record_call(&ad__op_cast, &x, 1, n, 1, 0);
}
AD_API ad_var ad_cast(ad_var x, ad_dtype type) { return ad__cast(x, (int)type); }

/* ---- reductions of one axis or all: sum mean prod max min sumsq norm logsumexp ---- */

enum { AD__LOGSUMEXP = 64 };                                 /* beside the kinds of ad_reduction */

/* x seen as (outer, n, inner), axis -1: all */
typedef struct ad__fold { size_t outer, n, inner; } ad__fold;
static ad__fold ad__fold_of(const ad__strided *x, ptrdiff_t axis) {
  ad__fold f;
  f.outer = axis < 0 ? 1 : ad__span(x, 0, (int)axis);
  f.n = axis < 0 ? x->size : x->shape[axis];
  f.inner = axis < 0 ? 1 : ad__span(x, (int)axis + 1, x->rank);
  return f;
}
/* n: kind, axis (-1 all), keep */
static const char *ad__axis_shape(ad__tensor *t, const ad__strided *x, ptrdiff_t *axis, bool keep) {
  const ptrdiff_t given = *axis;
  ad__like(t, x);
  if (given == AD_ALL) {
    *axis = -1;
    for (int i = 0; i < x->rank; i++) t->a.shape[i] = 1;
    if (!keep) t->a.rank = 0;
  } else {
    if (!ad__axis(axis, x->rank)) return ad__bad_axis(t, given);
    if (keep) t->a.shape[*axis] = 1;
    else {
      t->a.rank--;
      for (int i = (int)*axis; i < t->a.rank; i++) t->a.shape[i] = t->a.shape[i + 1];
    }
  }
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static const char *ad__reduce_shape(ad__tensor *t, const ad__strided *const *x) {
  const char *wrong = ad__need_float(t, x[0]);
  if (!wrong) wrong = ad__axis_shape(t, x[0], &t->n[1], t->n[2] != 0);
  if (wrong) return wrong;
  if ((t->n[0] == AD_REDUCE_MAX || t->n[0] == AD_REDUCE_MIN) && t->a.size && !x[0]->size) return "nothing has no largest and no smallest element";
  if (t->n[0] == AD__LOGSUMEXP) t->work_bytes = ad__fold_of(x[0], t->n[1]).inner * sizeof(double);
  return NULL;
}
static void ad__reduce_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad__fold f = ad__fold_of(x[0], t->n[1]);
  if (t->n[0] == AD__LOGSUMEXP && f.inner == 1) {
    if (AD__IS32(x[0])) ad_f32_rows_logsumexp(f.outer, f.n, AD__F(x[0]), AD__F(&t->a));
    else ad_f64_rows_logsumexp(f.outer, f.n, AD__D(x[0]), AD__D(&t->a));
  } else if (t->n[0] == AD__LOGSUMEXP) for (size_t o = 0; o < f.outer; o++) {
    const size_t at = o * f.n * f.inner, k = o * f.inner;
    if (AD__IS32(x[0])) ad_f32_columns_logsumexp(f.n, f.inner, f.inner, AD__F(x[0]) + at, AD__F(&t->a) + k, (float *)work);
    else ad_f64_columns_logsumexp(f.n, f.inner, f.inner, AD__D(x[0]) + at, AD__D(&t->a) + k, (double *)work);
  } else if (AD__IS32(x[0])) ad_f32_reduce((ad_reduction)t->n[0], f.outer, f.n, f.inner, AD__F(x[0]), AD__F(&t->a), false);
  else ad_f64_reduce((ad_reduction)t->n[0], f.outer, f.n, f.inner, AD__D(x[0]), AD__D(&t->a), false);
}
/* the adjoint of a reduction with its axis put back, so that it broadcasts against the operand */
static ad_var ad__axis_kept(ad_var g, const ad__strided *x, ptrdiff_t axis) {
  size_t shape[AD_MAX_RANK];
  for (int i = 0; i < x->rank; i++) shape[i] = axis < 0 || i == axis ? 1 : x->shape[i];
  return ad_rank(g) == x->rank ? g : ad_reshape(g, x->rank, shape);
}
static ad_var ad__broadcast_like(ad_var g, const ad__strided *x) { return ad_broadcast_to(g, x->rank, x->shape); }

/* ---- what reductions and softmax need for their rules: functions of x whose second operand (y or g) is only a value kept ---- */

static const char *ad__along_shape(ad__tensor *t, const ad__strided *const *x) { ad__like(t, x[0]); return ad__array_layout(&t->a) ? NULL : "overflows"; }

/* x / |x| along an axis, 0 where |x| is 0 */
static void ad__direction_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad__fold f = ad__fold_of(x[0], t->n[0]);
  (void)work;
  if (AD__IS32(x[0])) ad_f32_direction(f.outer, f.n, f.inner, AD__F(x[0]), AD__F(x[1]), AD__F(&t->a));
  else ad_f64_direction(f.outer, f.n, f.inner, AD__D(x[0]), AD__D(x[1]), AD__D(&t->a));
}
static void ad__direction_reverse(ad__reverse *r) {          /* (g - u sum(g u)) / |x| */
  const ad__strided *x = ad__array_of(r->x[0]);
  const ptrdiff_t axis = r->t->n[0];
  const ad_var u = r->y, along = ad_sum(ad_var_mul(r->g, u), axis < 0 ? AD_ALL : (int)axis, true);
  r->gx[0] = ad_var_div(ad_var_sub(r->g, ad_var_mul(u, along)), ad__axis_kept(r->x[1], x, axis));
}
static const ad_tensor_op ad__op_direction = { "direction", 0, ad__along_shape, ad__direction_forward, ad__direction_reverse };

/* g exp(x - y) along an axis, y = logsumexp(x): the softmax, but 0 where every x is -inf, and shared where some x are +inf */
static void ad__weights_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad__fold f = ad__fold_of(x[0], t->n[0]);
  (void)work;
  if (f.inner == 1) {
    if (AD__IS32(x[0])) ad_f32_rows_logsumexp_share(f.outer, f.n, AD__F(x[0]), AD__F(x[1]), AD__F(x[2]), AD__F(&t->a), false);
    else ad_f64_rows_logsumexp_share(f.outer, f.n, AD__D(x[0]), AD__D(x[1]), AD__D(x[2]), AD__D(&t->a), false);
  } else for (size_t o = 0; o < f.outer; o++) {
    const size_t at = o * f.n * f.inner, k = o * f.inner;
    if (AD__IS32(x[0])) ad_f32_columns_logsumexp_share(f.n, f.inner, f.inner, AD__F(x[0]) + at, AD__F(x[1]) + k, AD__F(x[2]) + k, AD__F(&t->a) + at, false);
    else ad_f64_columns_logsumexp_share(f.n, f.inner, f.inner, AD__D(x[0]) + at, AD__D(x[1]) + k, AD__D(x[2]) + k, AD__D(&t->a) + at, false);
  }
}
static void ad__weights_reverse(ad__reverse *r) {            /* with w = exp(x - y): x: y (h - sum w h), g: sum of w h, h the adjoint */
  const ad__strided *x = ad__array_of(r->x[0]);
  const ptrdiff_t axis = r->t->n[0];
  const int along = axis < 0 ? AD_ALL : (int)axis;
  const ad_var w = ad_var_exp(ad_var_sub(r->x[0], ad__axis_kept(r->x[1], x, axis))), sum = ad_sum(ad_var_mul(w, r->g), along, true);
  if (r->wanted[0]) r->gx[0] = ad_var_mul(r->y, ad_var_sub(r->g, sum));
  if (r->wanted[2]) r->gx[2] = ad__reshape_like(sum, ad__array_of(r->x[2]));
}
static const ad_tensor_op ad__op_weights = { "logsumexp weights", 0, ad__along_shape, ad__weights_forward, ad__weights_reverse };

/* 1/k at each of the k places where x is the extremum y, 0 elsewhere; of a NaN all at the first NaN */
static const char *ad__winners_shape(ad__tensor *t, const ad__strided *const *x) {
  t->work_bytes = 2 * ad__fold_of(x[0], t->n[0]).inner * sizeof(double);
  return ad__along_shape(t, x);
}
static void ad__winners_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad__fold f = ad__fold_of(x[0], t->n[0]);
  if (AD__IS32(x[0])) ad_f32_array_fill(f.inner, 1, (float *)work);
  else ad_f64_array_fill(f.inner, 1, (double *)work);
  for (size_t o = 0; o < f.outer; o++) {
    const size_t at = o * f.n * f.inner, k = o * f.inner;
    if (AD__IS32(x[0]) && f.inner == 1) ad_f32_array_share(f.n, AD__F(x[0]) + at, AD__F(x[1])[k], 1, AD__F(&t->a) + at, false);
    else if (AD__IS32(x[0])) ad_f32_columns_share(f.n, f.inner, f.inner, AD__F(x[0]) + at, AD__F(x[1]) + k, (float *)work, AD__F(&t->a) + at, false, (float *)work + f.inner);
    else if (f.inner == 1) ad_f64_array_share(f.n, AD__D(x[0]) + at, AD__D(x[1])[k], 1, AD__D(&t->a) + at, false);
    else ad_f64_columns_share(f.n, f.inner, f.inner, AD__D(x[0]) + at, AD__D(x[1]) + k, (double *)work, AD__D(&t->a) + at, false, (double *)work + f.inner);
  }
}
static void ad__constant_reverse(ad__reverse *r) { (void)r; }   /* piecewise constant: no contribution */
static const ad_tensor_op ad__op_winners = { "winners", 0, ad__winners_shape, ad__winners_forward, ad__constant_reverse };

/* g times the product of the others along an axis; numbers only, see reduce_reverse */
static const char *ad__others_shape(ad__tensor *t, const ad__strided *const *x) {
  t->work_bytes = ad__fold_of(x[0], t->n[0]).n * sizeof(double);
  return ad__along_shape(t, x);
}
static void ad__others_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad__fold f = ad__fold_of(x[0], t->n[0]);
  for (size_t o = 0; o < f.outer; o++)
    for (size_t i = 0; i < f.inner; i++) {
      const size_t at = o * f.n * f.inner + i, k = o * f.inner + i;
      if (AD__IS32(x[0])) ad_f32_array_prod_share(f.n, f.inner, AD__F(x[0]) + at, AD__F(x[1])[k], AD__F(&t->a) + at, false, (float *)work);
      else ad_f64_array_prod_share(f.n, f.inner, AD__D(x[0]) + at, AD__D(x[1])[k], AD__D(&t->a) + at, false, (double *)work);
    }
}
static const ad_tensor_op ad__op_others = { "others", 0, ad__others_shape, ad__others_forward, ad__constant_reverse };

/* the product along an axis as products of halves: slower, but made of operations that have derivatives of every order */
static ad_var ad__prod_of_halves(ad_var x, ptrdiff_t axis) {
  if (axis < 0) {
    const size_t n = ad_size(x);
    x = ad_reshape(x, 1, &n);
  }
  const int at = axis < 0 ? 0 : (int)axis;
  ptrdiff_t n = (ptrdiff_t)ad_shape(x)[at];
  while (n > 1) {
    const ptrdiff_t h = n / 2;
    ad_var y = ad_var_mul(ad_slice(x, at, 0, h, 1), ad_slice(x, at, h, 2 * h, 1));
    if (n % 2) {
      const ad_var both[2] = { y, ad_slice(x, at, n - 1, n, 1) };
      y = ad_concat(both, 2, at);
    }
    x = y;
    n = h + n % 2;
  }
  return x;
}

static void ad__reverse_as(ad__reverse *r, ad_var y);

static void ad__reduce_reverse(ad__reverse *r) {
  const ad__strided *x = ad__array_of(r->x[0]);
  const ptrdiff_t axis = r->t->n[1];
  const ad_var g = ad__axis_kept(r->g, x, axis);
  ad_var *to = &r->gx[0];
  switch (r->t->n[0]) {
    case AD_REDUCE_SUM: *to = ad__broadcast_like(g, x); break;
    case AD_REDUCE_MEAN: *to = ad__broadcast_like(ad_var_div(g, ad_constant(r->tape, (double)ad__fold_of(x, axis).n)), x); break;
    case AD_REDUCE_SUMSQ: *to = ad_var_chain(ad_var_add(g, g), r->x[0]); break;
    case AD_REDUCE_NORM: *to = ad_var_chain(g, ad__record_axis(&ad__op_direction, r->x[0], r->y, axis)); break;
    case AD_REDUCE_PROD:
      if (AD__NUMBERS(r)) *to = ad__record_axis(&ad__op_others, r->x[0], g, axis);
      else ad__reverse_as(r, ad__prod_of_halves(r->x[0], axis));
      break;
    case AD__LOGSUMEXP: {
      ad_var all[3];
      all[0] = r->x[0];
      all[1] = r->y;
      all[2] = g;
      *to = ad__record_call(&ad__op_weights, all, 3, &axis, 1, 0);
      break;
    }
    default: *to = ad_var_chain(g, ad__record_axis(&ad__op_winners, r->x[0], r->y, axis)); break;
  }
}
static const ad_tensor_op ad__op_reduce[] = {                /* one rule, told apart by n[0] */
  { "sum", 0, ad__reduce_shape, ad__reduce_forward, ad__reduce_reverse },      { "mean", 0, ad__reduce_shape, ad__reduce_forward, ad__reduce_reverse },
  { "prod", 0, ad__reduce_shape, ad__reduce_forward, ad__reduce_reverse },     { "reduce_max", 0, ad__reduce_shape, ad__reduce_forward, ad__reduce_reverse },
  { "reduce_min", 0, ad__reduce_shape, ad__reduce_forward, ad__reduce_reverse }, { "sumsq", 0, ad__reduce_shape, ad__reduce_forward, ad__reduce_reverse },
  { "norm", 0, ad__reduce_shape, ad__reduce_forward, ad__reduce_reverse },     { "logsumexp", 0, ad__reduce_shape, ad__reduce_forward, ad__reduce_reverse }
};
static ad_var ad__reduce(int entry, int kind, ad_var x, int axis, bool keep) {
  const ptrdiff_t n[3] = { kind, axis, keep };
  return ad__record_call(&ad__op_reduce[entry], &x, 1, n, 3, 0);
}
AD_API ad_var ad_sum(ad_var x, int axis, bool keep) { return ad__reduce(0, AD_REDUCE_SUM, x, axis, keep); }
AD_API ad_var ad_mean(ad_var x, int axis, bool keep) { return ad__reduce(1, AD_REDUCE_MEAN, x, axis, keep); }
AD_API ad_var ad_prod(ad_var x, int axis, bool keep) { return ad__reduce(2, AD_REDUCE_PROD, x, axis, keep); }
AD_API ad_var ad_reduce_max(ad_var x, int axis, bool keep) { return ad__reduce(3, AD_REDUCE_MAX, x, axis, keep); }
AD_API ad_var ad_reduce_min(ad_var x, int axis, bool keep) { return ad__reduce(4, AD_REDUCE_MIN, x, axis, keep); }
AD_API ad_var ad_sumsq(ad_var x, int axis, bool keep) { return ad__reduce(5, AD_REDUCE_SUMSQ, x, axis, keep); }
AD_API ad_var ad_norm(ad_var x, int axis, bool keep) { return ad__reduce(6, AD_REDUCE_NORM, x, axis, keep); }
AD_API ad_var ad_logsumexp(ad_var x, int axis, bool keep) { return ad__reduce(7, AD__LOGSUMEXP, x, axis, keep); }

/* ---- softmax, log_softmax. n: the axis ---- */

static void ad__softmax_of(bool log_of, ad__tensor *t, const ad__strided *x) {
  const ad__fold f = ad__fold_of(x, t->n[0]);
  if (f.inner == 1) {
    if (AD__IS32(x)) (log_of ? ad_f32_rows_log_softmax : ad_f32_rows_softmax)(f.outer, f.n, AD__F(x), AD__F(&t->a));
    else (log_of ? ad_f64_rows_log_softmax : ad_f64_rows_softmax)(f.outer, f.n, AD__D(x), AD__D(&t->a));
  } else for (size_t o = 0, step = f.n * f.inner; o < f.outer; o++) {
    if (AD__IS32(x)) ad_f32_columns_softmax(log_of, f.n, f.inner, AD__F(x) + o * step, AD__F(&t->a) + o * step);
    else ad_f64_columns_softmax(log_of, f.n, f.inner, AD__D(x) + o * step, AD__D(&t->a) + o * step);
  }
}
/* their adjoints, of y and g, in one pass; numbers only */
static void ad__softmax_share_of(bool log_of, ad__tensor *t, const ad__strided *const *x) {
  const ad__fold f = ad__fold_of(x[0], t->n[0]);
  if (f.inner == 1) {
    if (AD__IS32(x[0])) (log_of ? ad_f32_rows_log_softmax_share : ad_f32_rows_softmax_share)(f.outer, f.n, AD__F(x[0]), AD__F(x[1]), AD__F(&t->a), false);
    else (log_of ? ad_f64_rows_log_softmax_share : ad_f64_rows_softmax_share)(f.outer, f.n, AD__D(x[0]), AD__D(x[1]), AD__D(&t->a), false);
  } else for (size_t o = 0, step = f.n * f.inner; o < f.outer; o++) {
    if (AD__IS32(x[0])) ad_f32_columns_softmax_share(log_of, f.n, f.inner, AD__F(x[0]) + o * step, AD__F(x[1]) + o * step, AD__F(&t->a) + o * step, false);
    else ad_f64_columns_softmax_share(log_of, f.n, f.inner, AD__D(x[0]) + o * step, AD__D(x[1]) + o * step, AD__D(&t->a) + o * step, false);
  }
}
static void ad__softmax_forward(ad__tensor *t, const ad__strided *const *x, void *work) { (void)work; ad__softmax_of(false, t, x[0]); }
static void ad__log_softmax_forward(ad__tensor *t, const ad__strided *const *x, void *work) { (void)work; ad__softmax_of(true, t, x[0]); }
static void ad__softmax_share_forward(ad__tensor *t, const ad__strided *const *x, void *work) { (void)work; ad__softmax_share_of(false, t, x); }
static void ad__log_softmax_share_forward(ad__tensor *t, const ad__strided *const *x, void *work) { (void)work; ad__softmax_share_of(true, t, x); }
static const ad_tensor_op ad__op_softmax_share = { "softmax adjoint", 0, ad__along_shape, ad__softmax_share_forward, ad__constant_reverse };
static const ad_tensor_op ad__op_log_softmax_share = { "log_softmax adjoint", 0, ad__along_shape, ad__log_softmax_share_forward, ad__constant_reverse };

static const char *ad__rows_shape(ad__tensor *t, const ad__strided *const *x) {
  const char *wrong = ad__need_float(t, x[0]);
  return wrong ? wrong : x[0]->rank < 1 ? "needs an axis" : ad__along_shape(t, x);
}
static void ad__softmax_reverse(ad__reverse *r) {            /* y (g - sum(g y)) */
  if (AD__NUMBERS(r)) {
    r->gx[0] = ad__record_axis(&ad__op_softmax_share, r->y, r->g, r->t->n[0]);
    return;
  }
  const ad_var gy = ad_var_mul(r->g, r->y);
  r->gx[0] = ad_var_sub(gy, ad_var_mul(r->y, ad_sum(gy, (int)r->t->n[0], true)));
}
static void ad__log_softmax_reverse(ad__reverse *r) {        /* g - exp(y) sum(g) */
  if (AD__NUMBERS(r)) r->gx[0] = ad__record_axis(&ad__op_log_softmax_share, r->y, r->g, r->t->n[0]);
  else r->gx[0] = ad_var_sub(r->g, ad_var_mul(ad_var_exp(r->y), ad_sum(r->g, (int)r->t->n[0], true)));
}
static const ad_tensor_op ad__op_softmax = { "softmax", 0, ad__rows_shape, ad__softmax_forward, ad__softmax_reverse };
static const ad_tensor_op ad__op_log_softmax = { "log_softmax", 0, ad__rows_shape, ad__log_softmax_forward, ad__log_softmax_reverse };

static ad_var ad__along_axis(const ad_tensor_op *op, ad_var x, int axis) {
  const int rank = ad_rank(x);
  const ptrdiff_t n = axis < 0 ? axis + rank : axis;
  if (!ad__valid(x)) return x;
  if (axis < -rank || axis >= rank) return ad__fail_axis(x, op->name, axis);
  return ad__record_call(op, &x, 1, &n, 1, 0);
}
AD_API ad_var ad_softmax(ad_var x, int axis) { return ad__along_axis(&ad__op_softmax, x, axis); }
AD_API ad_var ad_log_softmax(ad_var x, int axis) { return ad__along_axis(&ad__op_log_softmax, x, axis); }

/* ---- variance, standard deviation, running sums, argmax ---- */

/* what is summed: x less its mean; *m: by what the sum is divided, NaN where ddof leaves nothing */
static ad_var ad__deviation(const char *name, ad_var x, int axis, int ddof, double *m) {
  const int rank = ad_rank(x), at = axis < 0 ? axis + rank : axis;
  if (!ad__valid(x)) return x;
  if (ddof < 0) return ad__fail_shapes(x.tape, AD_ERROR_ARGUMENT, name, "ddof is negative", &x, 1);
  if (axis != AD_ALL && (axis < -rank || axis >= rank)) return ad__fail_axis(x, name, axis);
  *m = (double)(axis == AD_ALL ? ad_size(x) : ad_shape(x)[at]) - ddof;
  if (!(*m > 0)) *m = (double)NAN;
  return ad_var_sub(x, ad_mean(x, axis, true));
}
AD_API ad_var ad_variance(ad_var x, int axis, bool keep, int ddof) {
  double m = 1;
  const ad_var d = ad__deviation("variance", x, axis, ddof, &m);
  return ad_var_div_xk(ad_sumsq(d, axis, keep), m);
}
AD_API ad_var ad_std(ad_var x, int axis, bool keep, int ddof) {   /* a norm: its gradient at deviation 0 is 0 */
  double m = 1;
  const ad_var d = ad__deviation("std", x, axis, ddof, &m);
  return ad_var_div_xk(ad_norm(d, axis, keep), sqrt(m));
}

/* n: axis, from the end */
static const char *ad__cumsum_shape(ad__tensor *t, const ad__strided *const *x) {
  const ptrdiff_t axis = t->n[0];
  const char *wrong = ad__need_float(t, x[0]);
  if (wrong) return wrong;
  return ad__axis(&t->n[0], x[0]->rank) ? ad__along_shape(t, x) : ad__bad_axis(t, axis);
}
static void ad__cumsum_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad__fold f = ad__fold_of(x[0], t->n[0]);
  (void)work;
  for (size_t o = 0; o < f.outer; o++)
    for (size_t i = 0; i < f.inner; i++) {
      const size_t at = o * f.n * f.inner + i;
      if (AD__IS32(x[0])) ad_f32_array_cumsum(f.n, f.inner, AD__F(x[0]) + at, AD__F(&t->a) + at, t->n[1] != 0, false);
      else ad_f64_array_cumsum(f.n, f.inner, AD__D(x[0]) + at, AD__D(&t->a) + at, t->n[1] != 0, false);
    }
}
static void ad__cumsum_reverse(ad__reverse *r);
static const ad_tensor_op ad__op_cumsum = { "cumsum", 0, ad__cumsum_shape, ad__cumsum_forward, ad__cumsum_reverse };
static void ad__cumsum_reverse(ad__reverse *r) {
  const ptrdiff_t n[2] = { r->t->n[0], !r->t->n[1] };
  r->gx[0] = ad__record_call(&ad__op_cumsum, &r->g, 1, n, 2, 0);
}
AD_API ad_var ad_cumsum(ad_var x, int axis) {
  const ptrdiff_t n[2] = { axis, 0 };
  return ad__record_call(&ad__op_cumsum, &x, 1, n, 2, 0);
}

static const char *ad__argmax_shape(ad__tensor *t, const ad__strided *const *x) {
  const char *wrong = ad__need_float(t, x[0]);
  if (!wrong) wrong = ad__axis_shape(t, x[0], &t->n[0], false);
  if (wrong) return wrong;
  const ad__fold f = ad__fold_of(x[0], t->n[0]);
  t->a.dtype = AD_I32;
  t->work_bytes = 2 * f.inner * sizeof(double);
  if (f.n > INT32_MAX) return "more elements than an index can count";
  return t->a.size && !x[0]->size ? "nothing has no largest element" : NULL;
}
static void ad__argmax_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad__fold f = ad__fold_of(x[0], t->n[0]);
  int32_t *to = (int32_t *)t->a.data;
  for (size_t o = 0; o < f.outer; o++, to += f.inner) {
    const size_t at = o * f.n * f.inner;
    if (AD__IS32(x[0]) && f.inner == 1) *to = (int32_t)ad_f32_array_argmax(f.n, AD__F(x[0]) + at);
    else if (AD__IS32(x[0])) ad_f32_columns_arg(f.n, f.inner, f.inner, AD__F(x[0]) + at, 1, to, (float *)work);
    else if (f.inner == 1) *to = (int32_t)ad_f64_array_argmax(f.n, AD__D(x[0]) + at);
    else ad_f64_columns_arg(f.n, f.inner, f.inner, AD__D(x[0]) + at, 1, to, (double *)work);
  }
}
static const ad_tensor_op ad__op_argmax = { "argmax", 0, ad__argmax_shape, ad__argmax_forward, ad__constant_reverse };
AD_API ad_var ad_argmax(ad_var x, int axis) {
  const ptrdiff_t n[1] = { axis };
  return ad__record_call(&ad__op_argmax, &x, 1, n, 1, 0);
}

/* ---- concat, stack, gather ---- */

static const char *ad__concat_shape(ad__tensor *t, const ad__strided *const *x) {   /* n: axis */
  const ptrdiff_t axis = t->n[0];
  ad__like(t, x[0]);
  if (!ad__axis(&t->n[0], x[0]->rank)) return ad__bad_axis(t, axis);
  for (uint32_t k = 1; k < t->count; k++) {
    if (x[k]->dtype != x[0]->dtype) return t->status = AD_ERROR_DTYPE, "different types";
    if (x[k]->rank != x[0]->rank) return "different ranks";
    for (int i = 0; i < x[0]->rank; i++)
      if (i != t->n[0] && x[k]->shape[i] != x[0]->shape[i]) return "shapes differ beside the axis";
    if (x[k]->shape[t->n[0]] > PTRDIFF_MAX - t->a.shape[t->n[0]]) return "overflows";
    t->a.shape[t->n[0]] += x[k]->shape[t->n[0]];
  }
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__concat_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  ad__strided part = t->a;
  const size_t bytes = ad__dtype_bytes(t->a.dtype);
  (void)work;
  for (uint32_t k = 0; k < t->count; k++) {
    part.shape[t->n[0]] = x[k]->shape[t->n[0]];
    ad__array_settle(&part);
    ad__copy(&part, x[k]);
    part.data = (char *)part.data + bytes * part.shape[t->n[0]] * (size_t)t->a.stride[t->n[0]];
  }
}
static void ad__concat_reverse(ad__reverse *r) {
  ptrdiff_t at = 0;
  for (uint32_t k = 0; k < r->t->count; k++) {
    const ptrdiff_t end = at + (ptrdiff_t)ad__array_of(r->x[k])->shape[r->t->n[0]];
    if (r->wanted[k]) r->gx[k] = ad_slice(r->g, (int)r->t->n[0], at, end, 1);
    at = end;
  }
}
static const ad_tensor_op ad__op_concat = { "concat", AD__STRIDED, ad__concat_shape, ad__concat_forward, ad__concat_reverse };

AD_API ad_var ad_concat(const ad_var *x, size_t n, int axis) {
  const ptrdiff_t at[1] = { axis };
  return ad__record_call(&ad__op_concat, x, n, at, 1, 0);
}
AD_API ad_var ad_stack(const ad_var *x, size_t n, int axis) {   /* concat of views with one more axis, recorded last so that they lie together */
  if (n == 0 || !x || !ad__valid(x[0])) return ad__record_call(&ad__op_concat, x, n, NULL, 0, 0);
  const int rank = ad_rank(x[0]) + 1, at = axis < 0 ? axis + rank : axis;
  ad_var few[16], *view = few, y;
  if (at < 0 || at >= rank || rank > AD_MAX_RANK) return ad__fail_axis(x[0], "stack", axis);
  if (n > 16 && !(view = (ad_var *)ad__tape_take(x[0].tape, n * sizeof *view))) return ad__invalid(x[0].tape);
  for (size_t k = 0; k < n; k++) {
    size_t shape[AD_MAX_RANK];
    const int own = ad_rank(x[k]);
    if (ad__valid(x[k]) && own != rank - 1) return ad__fail_shapes(x[k].tape, AD_ERROR_SHAPE, "stack", "different ranks", &x[k], 1);
    for (int i = 0; i < rank; i++) shape[i] = i < at ? ad_shape(x[k])[i] : i == at ? 1 : ad_shape(x[k])[i - 1];
    view[k] = ad_reshape(x[k], rank, shape);
  }
  y = ad_concat(view, n, at);
  return y;
}

/* an index of an axis of n places */
static const char *ad__index_check(ad__tensor *t, const ad__strided *index, size_t n) {
  for (size_t i = 0; i < index->size; i++) {
    const int32_t k = ((const int32_t *)index->data)[i];
    if (k < 0 || (size_t)k >= n) return t->status = AD_ERROR_ARGUMENT, t->number = k, "index %td is outside the axis";
  }
  return NULL;
}
/* n: axis. The shape of the index replaces the axis. */
static const char *ad__gather_shape(ad__tensor *t, const ad__strided *const *x) {
  const ptrdiff_t axis = t->n[0];
  const int extra = x[1]->rank;
  if (!ad__axis(&t->n[0], x[0]->rank)) return ad__bad_axis(t, axis);
  if (x[1]->dtype != AD_I32) return t->status = AD_ERROR_DTYPE, "the index must be AD_I32";
  if (x[0]->dtype == AD_I32) return ad__need_float(t, x[0]);
  if (x[0]->rank - 1 + extra > AD_MAX_RANK) return "the result has too many axes";
  const int at = (int)t->n[0];
  t->a.dtype = x[0]->dtype;
  t->a.rank = (unsigned char)(x[0]->rank - 1 + extra);
  for (int i = 0; i < t->a.rank; i++) t->a.shape[i] = i < at ? x[0]->shape[i] : i < at + extra ? x[1]->shape[i - at] : x[0]->shape[i - extra + 1];
  return ad__array_layout(&t->a) ? ad__index_check(t, x[1], x[0]->shape[at]) : "overflows";
}
static void ad__gather_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad__fold f = ad__fold_of(x[0], t->n[0]);
  const int32_t *index = (const int32_t *)x[1]->data;
  (void)work;
  if (AD__IS32(x[0])) (void)ad_f32_gather(f.outer, f.n, f.inner, AD__F(x[0]), x[1]->size, index, AD__F(&t->a));
  else (void)ad_f64_gather(f.outer, f.n, f.inner, AD__D(x[0]), x[1]->size, index, AD__D(&t->a));
}
static void ad__gather_reverse(ad__reverse *r);
static const ad_tensor_op ad__op_gather = { "gather", AD__CHECKED, ad__gather_shape, ad__gather_forward, ad__gather_reverse };
AD_API ad_var ad_gather(ad_var x, ad_var index, int axis) {
  const ad_var both[2] = { x, index };
  const ptrdiff_t n[1] = { axis };
  return ad__record_call(&ad__op_gather, both, 2, n, 1, 0);
}

/* zeros of a given shape to which slices are added at index, in the order of the index */
static const char *ad__scatter_shape(ad__tensor *t, const ad__strided *const *x) {
  t->a.dtype = x[0]->dtype;
  return ad__array_layout(&t->a) ? ad__index_check(t, x[1], t->a.shape[t->n[0]]) : "overflows";
}
static void ad__scatter_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad__fold f = ad__fold_of(&t->a, t->n[0]);
  const int32_t *index = (const int32_t *)x[1]->data;
  (void)work;
  if (t->a.size) memset(t->a.data, 0, t->a.size * ad__dtype_bytes(t->a.dtype));
  if (AD__IS32(x[0])) (void)ad_f32_scatter_add(f.outer, f.n, f.inner, AD__F(&t->a), x[1]->size, index, AD__F(x[0]));
  else (void)ad_f64_scatter_add(f.outer, f.n, f.inner, AD__D(&t->a), x[1]->size, index, AD__D(x[0]));
}
static void ad__scatter_reverse(ad__reverse *r) { r->gx[0] = ad_gather(r->g, r->x[1], (int)r->t->n[0]); }
static const ad_tensor_op ad__op_scatter = { "scatter_add", AD__SHAPED | AD__CHECKED, ad__scatter_shape, ad__scatter_forward, ad__scatter_reverse };
static void ad__gather_reverse(ad__reverse *r) {
  const ad__strided *x = ad__array_of(r->x[0]);
  const ad_var both[2] = { r->g, r->x[1] };
  r->gx[0] = ad__record_to(&ad__op_scatter, both, 2, x->rank, x->shape, r->t->n, 1, 0);
}

/* ---- matmul, linear, dot, outer ---- */

/* Whether the last two axes are a matrix that gemm can read: row-major with a leading dimension, or transposed. */
static bool ad__matrix(const ad__strided *x, bool *transposed, size_t *ld) {
  const int r = x->rank;
  const size_t m = x->shape[r - 2], n = x->shape[r - 1];
  const ptrdiff_t down = x->stride[r - 2], across = x->stride[r - 1];
  *transposed = false;
  *ld = n ? n : 1;
  if (n <= 1 || across == 1) {
    if (n > 1 || m > 1) *ld = m > 1 ? (size_t)down : n;
    return (m <= 1 || down >= (ptrdiff_t)n) && (n <= 1 || across == 1);
  }
  *transposed = true;
  *ld = (size_t)across;
  return (m <= 1 || down == 1) && across >= (ptrdiff_t)m;
}
static const char *ad__matmul_shape(ad__tensor *t, const ad__strided *const *x) {
  const ad__strided *a = x[0], *b = x[1];
  const int ra = a->rank, rb = b->rank, r = ra > rb ? ra : rb;
  bool ta, tb;
  size_t lda, ldb;
  if (a->dtype != b->dtype || a->dtype == AD_I32) return t->status = AD_ERROR_DTYPE, "needs two of one floating-point type";
  if (ra < 2 || rb < 2) return "needs matrices";
  const size_t m = a->shape[ra - 2], k = a->shape[ra - 1], n = b->shape[rb - 1];
  if (b->shape[rb - 2] != k) return "the inner sizes differ";
  t->a.dtype = a->dtype;
  t->a.rank = (unsigned char)r;
  for (int i = 0; i < r - 2; i++) {
    const size_t p = i < r - ra ? 1 : a->shape[i - (r - ra)], q = i < r - rb ? 1 : b->shape[i - (r - rb)];
    if (p != q && p != 1 && q != 1) return "the leading axes do not broadcast";
    t->a.shape[i] = p == 1 ? q : p;
  }
  t->a.shape[r - 2] = m;
  t->a.shape[r - 1] = n;
  (void)ad__matrix(a, &ta, &lda);
  (void)ad__matrix(b, &tb, &ldb);
  t->work_bytes = a->dtype == AD_F32 ? ad_f32_gemm_work(ta, tb, m, n, k) : ad_f64_gemm_work(ta, tb, m, n, k);
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
/* where matrix number i of the result's leading axes lies in an operand, in elements */
static ptrdiff_t ad__batch_at(const ad__strided *y, const ad__strided *x, size_t i) {
  ptrdiff_t at = 0;
  for (int d = y->rank - 3, e = x->rank - 3; d >= 0; d--, e--) {
    if (e >= 0 && x->shape[e] != 1) at += (ptrdiff_t)(i % y->shape[d]) * x->stride[e];
    i /= y->shape[d];
  }
  return at;
}
static void ad__matmul_into(ad__tensor *t, const ad__strided *const *x, double alpha, double beta, void *work) {
  const ad__strided *a = x[0], *b = x[1];
  const int r = t->a.rank;
  const size_t m = t->a.shape[r - 2], n = t->a.shape[r - 1], k = a->shape[a->rank - 1], count = ad__span(&t->a, 0, r - 2);
  bool ta, tb;
  size_t lda, ldb;
  (void)ad__matrix(a, &ta, &lda);
  (void)ad__matrix(b, &tb, &ldb);
  if (!t->a.size) return;
  for (size_t i = 0; i < count; i++) {
    const ptrdiff_t pa = count == 1 ? 0 : ad__batch_at(&t->a, a, i), pb = count == 1 ? 0 : ad__batch_at(&t->a, b, i);
    if (AD__IS32(a)) ad_f32_gemm(ta, tb, m, n, k, (float)alpha, AD__F(a) + pa, lda, AD__F(b) + pb, ldb, (float)beta, AD__F(&t->a) + i * m * n, n, work);
    else ad_f64_gemm(ta, tb, m, n, k, alpha, AD__D(a) + pa, lda, AD__D(b) + pb, ldb, beta, AD__D(&t->a) + i * m * n, n, work);
  }
}
static void ad__matmul_forward(ad__tensor *t, const ad__strided *const *x, void *work) { ad__matmul_into(t, x, 1, 0, work); }
static void ad__matmul_reverse(ad__reverse *r) {             /* A: G B^T, B: A^T G */
  if (r->wanted[0]) r->gx[0] = ad__sum_like(ad_matmul(r->g, ad_transpose(r->x[1])), ad__array_of(r->x[0]));
  if (r->wanted[1]) r->gx[1] = ad__sum_like(ad_matmul(ad_transpose(r->x[0]), r->g), ad__array_of(r->x[1]));
}
static const ad_tensor_op ad__op_matmul = { "matmul", AD__STRIDED, ad__matmul_shape, ad__matmul_forward, ad__matmul_reverse };

static ad_var ad__as_matrix(ad_var x) {                      /* a copy where gemm could not read the view */
  bool transposed;
  size_t ld;
  if (!ad__valid(x) || ad_rank(x) < 2 || ad__matrix(ad__array_of(x), &transposed, &ld)) return x;
  return ad__contiguous(x);
}
static ad_var ad__with_rows(ad_var y, const ad_var x, size_t columns) {   /* (rows, columns) to (leading axes of x, columns) */
  size_t shape[AD_MAX_RANK];
  const int rank = ad_rank(x);
  for (int i = 0; i < rank - 1; i++) shape[i] = ad_shape(x)[i];
  shape[rank - 1] = columns;
  return ad_reshape(y, rank, shape);
}
static ad_var ad__to_rows(ad_var x) {                        /* all axes but the last become one */
  const ad__strided *a = ad__array_of(x);
  size_t shape[2];
  shape[0] = ad__span(a, 0, a->rank - 1);
  shape[1] = a->shape[a->rank - 1];
  return ad_reshape(x, 2, shape);
}
AD_API ad_var ad_matmul(ad_var a, ad_var b) {
  const int ra = ad_rank(a), rb = ad_rank(b);
  ad_var both[2];
  if (ad__valid(a) && ad__valid(b) && ra >= 1 && rb >= 1) {
    if (ra == 1 || rb == 1) {
      size_t row[2], column[2], shape[AD_MAX_RANK];
      row[0] = column[1] = 1;
      row[1] = ad_shape(a)[0];
      column[0] = ad_shape(b)[0];
      const ad_var y = ad_matmul(ra == 1 ? ad_reshape(a, 2, row) : a, rb == 1 ? ad_reshape(b, 2, column) : b);
      int r = 0;
      for (int i = 0; i < ad_rank(y); i++)
        if (!(ra == 1 && i == ad_rank(y) - 2) && !(rb == 1 && i == ad_rank(y) - 1)) shape[r++] = ad_shape(y)[i];
      return ad_reshape(y, r, shape);
    }
    if (ra > 2 && rb == 2 && ad__array_of(a)->contiguous && ad_size(a))   /* one product with more rows */
      return ad__with_rows(ad_matmul(ad__to_rows(a), b), a, ad_shape(b)[1]);
  }
  both[0] = ad__as_matrix(a);
  both[1] = ad__as_matrix(b);
  return ad__record_call(&ad__op_matmul, both, 2, NULL, 0, 0);
}

/* x (rows, in), w (in, out), b (out): the product with the bias added while it is in registers; n[0]: and relu (functions, >>function) */
static const char *ad__linear_shape(ad__tensor *t, const ad__strided *const *x) {
  const char *wrong = x[0]->rank != 2 || x[1]->rank != 2 ? "needs matrices" : ad__matmul_shape(t, x);
  if (wrong) return wrong;
  if (x[2]->dtype != x[0]->dtype) return t->status = AD_ERROR_DTYPE, "the bias has another type";
  return x[2]->rank != 1 || x[2]->shape[0] != t->a.shape[1] || !x[2]->contiguous ? "the bias does not fit" : NULL;
}
static void ad__linear_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const size_t m = t->a.shape[0], n = t->a.shape[1], k = x[0]->shape[1];
  bool ta, tb;
  size_t lda, ldb;
  (void)ad__matrix(x[0], &ta, &lda);
  (void)ad__matrix(x[1], &tb, &ldb);
  if (AD__IS32(x[0])) {
    ad_f32_finish f = { NULL, AD__F(x[2]), t->n[0] != 0 };
    ad_f32_gemm_finish(ta, tb, m, n, k, 1, AD__F(x[0]), lda, AD__F(x[1]), ldb, 0, AD__F(&t->a), n, &f, work);
  } else {
    ad_f64_finish f = { NULL, AD__D(x[2]), t->n[0] != 0 };
    ad_f64_gemm_finish(ta, tb, m, n, k, 1, AD__D(x[0]), lda, AD__D(x[1]), ldb, 0, AD__D(&t->a), n, &f, work);
  }
}
static void ad__linear_reverse(ad__reverse *r) {
  if (r->wanted[0]) r->gx[0] = ad_matmul(r->g, ad_transpose(r->x[1]));
  if (r->wanted[1]) r->gx[1] = ad_matmul(ad_transpose(r->x[0]), r->g);
  if (r->wanted[2]) r->gx[2] = ad_sum(r->g, 0, false);
}
static const ad_tensor_op ad__op_linear = { "linear", AD__STRIDED, ad__linear_shape, ad__linear_forward, ad__linear_reverse };

AD_API ad_var ad_linear(ad_var x, ad_var w, ad_var b) {
  ad_var all[3];
  if (ad__valid(x) && ad__valid(w) && ad_rank(x) > 2 && ad_rank(w) == 2)
    return ad__with_rows(ad_linear(ad__to_rows(x), w, b), x, ad_shape(w)[1]);
  all[0] = ad__as_matrix(x);
  all[1] = ad__as_matrix(w);
  all[2] = ad__contiguous(b);
  return ad__record_call(&ad__op_linear, all, 3, NULL, 0, 0);
}
AD_API ad_var ad_dot(ad_var a, ad_var b) {
  if (ad__valid(a) && ad__valid(b) && !ad__same_shape(ad__array_of(a), ad__array_of(b))) {
    const ad_var both[2] = { a, b };
    return ad__fail_shapes(a.tape, AD_ERROR_SHAPE, "dot", "the shapes differ", both, 2);
  }
  return ad_sum(ad_var_mul(a, b), AD_ALL, false);
}
AD_API ad_var ad_outer(ad_var a, ad_var b) {
  size_t shape[2];
  if (!ad__valid(a) || !ad__valid(b)) return ad__valid(a) ? b : a;
  if (ad_rank(a) != 1 || ad_rank(b) != 1) {
    const ad_var both[2] = { a, b };
    return ad__fail_shapes(a.tape, AD_ERROR_SHAPE, "outer", "needs two vectors", both, 2);
  }
  shape[0] = ad_size(a);
  shape[1] = 1;
  return ad_var_mul(ad_reshape(a, 2, shape), b);
}

/* ---- diag, trace ---- */

static const char *ad__diagonal_shape(ad__tensor *t, const ad__strided *const *x) {
  const int r = x[0]->rank;
  if (r < 2 || x[0]->shape[r - 1] != x[0]->shape[r - 2]) return "needs square matrices";
  ad__like(t, x[0]);
  t->a.rank--;
  (void)ad__array_layout(&t->a);
  for (int i = 0; i < r - 2; i++) t->a.stride[i] = x[0]->stride[i];
  t->a.stride[r - 2] = x[0]->stride[r - 2] + x[0]->stride[r - 1];
  t->a.data = x[0]->data;
  ad__array_settle(&t->a);
  return NULL;
}
static void ad__diagonal_reverse(ad__reverse *r);
static const ad_tensor_op ad__op_diagonal = { "diag", AD__VIEW | AD__STRIDED, ad__diagonal_shape, NULL, ad__diagonal_reverse };

static const char *ad__diagonal_matrix_shape(ad__tensor *t, const ad__strided *const *x) {
  ad__like(t, x[0]);
  if (x[0]->rank < 1 || x[0]->rank >= AD_MAX_RANK) return "needs vectors";
  t->a.shape[t->a.rank] = t->a.shape[t->a.rank - 1];
  t->a.rank++;
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__diagonal_matrix_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  ad__strided part = *x[0];
  (void)work;
  if (!t->a.size) return;
  memset(t->a.data, 0, t->a.size * ad__dtype_bytes(t->a.dtype));
  part.data = t->a.data;
  for (int i = 0; i < part.rank; i++) part.stride[i] = t->a.stride[i];
  part.stride[part.rank - 1]++;
  part.contiguous = false;
  ad__copy(&part, x[0]);
}
static void ad__diagonal_matrix_reverse(ad__reverse *r) { r->gx[0] = ad__record_call(&ad__op_diagonal, &r->g, 1, NULL, 0, 0); }
static const ad_tensor_op ad__op_diagonal_matrix = { "diag", AD__STRIDED, ad__diagonal_matrix_shape, ad__diagonal_matrix_forward, ad__diagonal_matrix_reverse };
static void ad__diagonal_reverse(ad__reverse *r) { r->gx[0] = ad__record_call(&ad__op_diagonal_matrix, &r->g, 1, NULL, 0, 0); }

AD_API ad_var ad_diag(ad_var x) { return ad__record_call(ad_rank(x) == 1 ? &ad__op_diagonal_matrix : &ad__op_diagonal, &x, 1, NULL, 0, 0); }
AD_API ad_var ad_trace(ad_var x) { return ad_sum(ad__record_call(&ad__op_diagonal, &x, 1, NULL, 0, 0), -1, false); }

/* ---- losses ---- */

AD_API ad_var ad_prelu(ad_var x, ad_var slope) { return ad_var_leaky_relu(x, slope); }

/* The loss and, in one pass, its derivative softmax(x) - target over the batch, which is saved. */
static const char *ad__cross_entropy_shape(ad__tensor *t, const ad__strided *const *x) {
  const char *wrong = ad__need_float(t, x[0]);
  if (wrong) return wrong;
  if (x[0]->rank != 2 || x[0]->shape[1] == 0) return "needs logits (batch, classes)";
  if (x[1]->dtype == AD_I32) {
    if (x[1]->rank != 1 || x[1]->shape[0] != x[0]->shape[0]) return "the labels do not fit";
    for (size_t i = 0; i < x[1]->size; i++) {
      const int32_t k = ((const int32_t *)x[1]->data)[i];
      if (k < 0 || (size_t)k >= x[0]->shape[1]) return t->status = AD_ERROR_ARGUMENT, t->number = k, "label %td is none of the classes";
    }
  } else if (x[1]->dtype != x[0]->dtype) return t->status = AD_ERROR_DTYPE, "the probabilities have another type";
  else if (!ad__same_shape(x[0], x[1])) return "the probabilities do not fit";
  t->a.dtype = x[0]->dtype;
  t->a.rank = 0;
  if (t->active) t->saved_bytes = x[0]->size * ad__dtype_bytes(x[0]->dtype);
  t->work_bytes = x[0]->shape[0] * sizeof(double);
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__cross_entropy_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const size_t rows = x[0]->shape[0], columns = x[0]->shape[1];
  const bool labels = x[1]->dtype == AD_I32;
  if (AD__IS32(x[0])) {
    float *loss = (float *)work, *dx = (float *)t->saved, scale = 1 / (float)rows;
    if (labels) (void)ad_f32_rows_cross_entropy(rows, columns, AD__F(x[0]), (const int32_t *)x[1]->data, scale, loss, dx);
    else ad_f32_rows_cross_entropy_soft(rows, columns, AD__F(x[0]), AD__F(x[1]), scale, loss, dx);
    *AD__F(&t->a) = ad_f32_array_mean(rows, loss);
  } else {
    double *loss = (double *)work, *dx = (double *)t->saved, scale = 1 / (double)rows;
    if (labels) (void)ad_f64_rows_cross_entropy(rows, columns, AD__D(x[0]), (const int32_t *)x[1]->data, scale, loss, dx);
    else ad_f64_rows_cross_entropy_soft(rows, columns, AD__D(x[0]), AD__D(x[1]), scale, loss, dx);
    *AD__D(&t->a) = ad_f64_array_mean(rows, loss);
  }
}
/* labels (batch) to 1 at their places in (batch, classes): an operation, for a function may have the labels among its inputs. n: classes, type */
static const char *ad__one_hot_shape(ad__tensor *t, const ad__strided *const *x) {
  for (size_t i = 0; i < x[0]->size; i++) {
    const int32_t k = ((const int32_t *)x[0]->data)[i];
    if (k < 0 || k >= t->n[0]) return t->status = AD_ERROR_ARGUMENT, t->number = k, "label %td is none of the classes";
  }
  t->a.dtype = (uint8_t)t->n[1];
  t->a.rank = 2;
  t->a.shape[0] = x[0]->size;
  t->a.shape[1] = (size_t)t->n[0];
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__one_hot_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const int32_t *label = (const int32_t *)x[0]->data;
  (void)work;
  if (t->a.size) memset(t->a.data, 0, t->a.size * ad__dtype_bytes(t->a.dtype));
  for (size_t i = 0; i < x[0]->size; i++) {
    const size_t at = i * t->a.shape[1] + (size_t)label[i];
    if (AD__IS32(&t->a)) AD__F(&t->a)[at] = 1; else AD__D(&t->a)[at] = 1;
  }
}
static const ad_tensor_op ad__op_one_hot = { "one_hot", AD__CHECKED, ad__one_hot_shape, ad__one_hot_forward, ad__constant_reverse };
static ad_var ad__one_hot(ad_var labels, ad_dtype type, size_t classes) {
  const ptrdiff_t n[2] = { (ptrdiff_t)classes, (ptrdiff_t)type };
  return ad__record_call(&ad__op_one_hot, &labels, 1, n, 2, 0);
}
static ad_var ad__cross_entropy_of(ad_var x, ad_var target) { /* the same loss in differentiable pieces */
  const double rows = (double)ad_shape(x)[0];
  if (ad_type(target) == AD_I32) target = ad__one_hot(target, ad_type(x), ad_shape(x)[1]);
  return ad_var_div_xk(ad_sum(ad_var_mul(target, ad_var_sub(ad_logsumexp(x, 1, true), x)), AD_ALL, false), rows);
}
static void ad__cross_entropy_reverse(ad__reverse *r) {
  const ad__strided *x = ad__array_of(r->x[0]);
  if (AD__NUMBERS(r)) {
    const ad_var d = ad__constant_over(r->tape, x, r->t->saved);
    if (r->wanted[0]) r->gx[0] = ad_var_mul(d, r->g);
    if (r->wanted[1]) r->gx[1] = ad_var_mul(ad_var_neg(ad_log_softmax(r->x[0], 1)), ad_var_div_xk(r->g, (double)x->shape[0]));
  } else ad__reverse_as(r, ad__cross_entropy_of(r->x[0], r->x[1]));
}
static const ad_tensor_op ad__op_cross_entropy = { "cross_entropy", AD__CHECKED, ad__cross_entropy_shape, ad__cross_entropy_forward, ad__cross_entropy_reverse };
AD_API ad_var ad_cross_entropy(ad_var logits, ad_var target) {
  const ad_var both[2] = { logits, target };
  return ad__record_call(&ad__op_cross_entropy, both, 2, NULL, 0, 0);
}
AD_API ad_var ad_mse(ad_var x, ad_var target) {
  const ad_var d = ad_var_sub(x, target);
  return ad_var_div_xk(ad_sumsq(d, AD_ALL, false), (double)ad_size(d));
}

/* ---- convolution: images (N, C, H, W), filters (O, C / groups, h, w) ----
   n: stride, padding, dilation, groups. Three operations closed under differentiation: each is linear in both operands, and the
   adjoints of one are made of the other two. */

static ad_conv ad__conv_of(const ad__tensor *t, const size_t *x, const size_t *w) {
  ad_conv c;
  memset(&c, 0, sizeof c);
  c.batch = x[0];
  c.channels = x[1];
  c.height = x[2];
  c.width = x[3];
  c.filters = w[0];
  c.groups = (size_t)t->n[3];
  for (int d = 0; d < 2; d++) {
    c.kernel[d] = w[2 + d];
    c.stride[d] = (size_t)t->n[0];
    c.padding[d] = (size_t)t->n[1];
    c.dilation[d] = (size_t)t->n[2];
  }
  return c;
}
static const char *ad__conv_check(ad__tensor *t, const ad__strided *a, const ad__strided *b) {
  if (a->dtype != b->dtype || a->dtype == AD_I32) return t->status = AD_ERROR_DTYPE, "needs two of one floating-point type";
  if (t->n[0] < 1 || t->n[1] < 0 || t->n[2] < 1 || t->n[3] < 1)
    return t->status = AD_ERROR_ARGUMENT, "stride, dilation and groups must be positive, padding not negative";
  t->a.dtype = a->dtype;
  return a->rank == 4 && b->rank == 4 ? NULL : "needs images (N, C, H, W) and filters (O, C / groups, h, w)";
}
static const char *ad__conv2d_shape(ad__tensor *t, const ad__strided *const *x) {
  const char *wrong = ad__conv_check(t, x[0], x[1]);
  if (wrong) return wrong;
  const ad_conv c = ad__conv_of(t, x[0]->shape, x[1]->shape);
  if (c.channels % c.groups || c.filters % c.groups || x[1]->shape[1] != c.channels / c.groups) return "channels, filters and groups do not fit";
  t->a.rank = 4;
  t->a.shape[0] = c.batch;
  t->a.shape[1] = c.filters;
  if (!ad_conv_shape(&c, &t->a.shape[2], &t->a.shape[3])) return "the filters are larger than the padded images";
  t->work_bytes = AD__IS32(x[0]) ? ad_f32_conv_work(&c) : ad_f64_conv_work(&c);
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__conv2d_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad_conv c = ad__conv_of(t, x[0]->shape, x[1]->shape);
  if (!t->a.size) return;
  if (AD__IS32(x[0])) ad_f32_conv(&c, AD__F(x[0]), AD__F(x[1]), NULL, AD__F(&t->a), work);
  else ad_f64_conv(&c, AD__D(x[0]), AD__D(x[1]), NULL, AD__D(&t->a), work);
}
/* the adjoint of the images from that of the result and the filters; the shape is given */
static const char *ad__conv_data_shape(ad__tensor *t, const ad__strided *const *x) {
  const ad_conv c = ad__conv_of(t, t->a.shape, x[1]->shape);
  t->a.dtype = x[0]->dtype;
  t->work_bytes = AD__IS32(x[0]) ? ad_f32_conv_work(&c) : ad_f64_conv_work(&c);
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__conv_data_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad_conv c = ad__conv_of(t, t->a.shape, x[1]->shape);
  if (!t->a.size) return;
  if (AD__IS32(x[0])) ad_f32_conv_data(&c, AD__F(x[0]), AD__F(x[1]), AD__F(&t->a), false, work);
  else ad_f64_conv_data(&c, AD__D(x[0]), AD__D(x[1]), AD__D(&t->a), false, work);
}
/* the adjoint of the filters from the images and the adjoint of the result; the shape is given */
static const char *ad__conv_filter_shape(ad__tensor *t, const ad__strided *const *x) {
  const ad_conv c = ad__conv_of(t, x[0]->shape, t->a.shape);
  t->a.dtype = x[0]->dtype;
  t->work_bytes = AD__IS32(x[0]) ? ad_f32_conv_work(&c) : ad_f64_conv_work(&c);
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__conv_filter_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad_conv c = ad__conv_of(t, x[0]->shape, t->a.shape);
  if (!t->a.size) return;
  if (AD__IS32(x[0])) ad_f32_conv_filter(&c, AD__F(x[0]), AD__F(x[1]), AD__F(&t->a), false, work);
  else ad_f64_conv_filter(&c, AD__D(x[0]), AD__D(x[1]), AD__D(&t->a), false, work);
}
static void ad__conv2d_reverse(ad__reverse *r);
static void ad__conv_data_reverse(ad__reverse *r);
static void ad__conv_filter_reverse(ad__reverse *r);
static const ad_tensor_op ad__op_conv2d = { "conv2d", 0, ad__conv2d_shape, ad__conv2d_forward, ad__conv2d_reverse };
static const ad_tensor_op ad__op_conv_data = { "conv2d data adjoint", AD__SHAPED, ad__conv_data_shape, ad__conv_data_forward, ad__conv_data_reverse };
static const ad_tensor_op ad__op_conv_filter = { "conv2d filter adjoint", AD__SHAPED, ad__conv_filter_shape, ad__conv_filter_forward, ad__conv_filter_reverse };

static ad_var ad__conv_like(const ad_tensor_op *op, ad_var a, ad_var b, ad_var like, const ptrdiff_t *n) {
  ad_var both[2];
  both[0] = a;
  both[1] = b;
  return ad__record_to(op, both, 2, 4, ad__array_of(like)->shape, n, 4, 0);
}
static void ad__conv2d_reverse(ad__reverse *r) {
  if (r->wanted[0]) r->gx[0] = ad__conv_like(&ad__op_conv_data, r->g, r->x[1], r->x[0], r->t->n);
  if (r->wanted[1]) r->gx[1] = ad__conv_like(&ad__op_conv_filter, r->x[0], r->g, r->x[1], r->t->n);
}
static ad_var ad__conv_again(ad_var x, ad_var w, const ptrdiff_t *n) { return ad_conv2d(x, w, (int)n[0], (int)n[1], (int)n[2], (int)n[3]); }
static void ad__conv_data_reverse(ad__reverse *r) {          /* of the result's adjoint x[0] and the filters x[1] */
  if (r->wanted[0]) r->gx[0] = ad__conv_again(r->g, r->x[1], r->t->n);
  if (r->wanted[1]) r->gx[1] = ad__conv_like(&ad__op_conv_filter, r->g, r->x[0], r->x[1], r->t->n);
}
static void ad__conv_filter_reverse(ad__reverse *r) {        /* of the images x[0] and the result's adjoint x[1] */
  if (r->wanted[0]) r->gx[0] = ad__conv_like(&ad__op_conv_data, r->x[1], r->g, r->x[0], r->t->n);
  if (r->wanted[1]) r->gx[1] = ad__conv_again(r->x[0], r->g, r->t->n);
}
AD_API ad_var ad_conv2d(ad_var x, ad_var w, int stride, int padding, int dilation, int groups) {
  const ad_var both[2] = { x, w };
  const ptrdiff_t n[4] = { stride, padding, dilation, groups };
  return ad__record_call(&ad__op_conv2d, both, 2, n, 4, 0);
}

/* ---- pooling; n: size, stride, padding, mean ---- */

static bool ad__pool_of(const ad__tensor *t, const ad__strided *x, ad_pool *p, size_t *height, size_t *width) {
  memset(p, 0, sizeof *p);
  if (x->rank < 2 || t->n[0] < 1 || t->n[1] < 1 || t->n[2] < 0) return false;
  p->planes = ad__span(x, 0, x->rank - 2);
  p->height = x->shape[x->rank - 2];
  p->width = x->shape[x->rank - 1];
  for (int d = 0; d < 2; d++) {
    p->kernel[d] = (size_t)t->n[0];
    p->stride[d] = (size_t)t->n[1];
    p->padding[d] = (size_t)t->n[2];
    p->dilation[d] = 1;
  }
  return ad_pool_shape(p, height, width);
}
static const char *ad__pool_shape_rule(ad__tensor *t, const ad__strided *const *x) {
  ad_pool p;
  size_t height, width;
  const char *wrong = ad__need_float(t, x[0]);
  if (wrong) return wrong;
  if (t->n[0] < 1 || t->n[1] < 1 || t->n[2] < 0) return t->status = AD_ERROR_ARGUMENT, "size and stride must be positive, padding not negative";
  if (t->n[2] >= t->n[0]) return t->status = AD_ERROR_ARGUMENT, t->number = t->n[2], "a padding of %td is not smaller than the window";
  if (x[0]->rank < 2) return "needs images (.., H, W)";
  if (!ad__pool_of(t, x[0], &p, &height, &width)) return "the window is larger than the padded images";
  ad__like(t, x[0]);
  t->a.shape[t->a.rank - 2] = height;
  t->a.shape[t->a.rank - 1] = width;
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__pool_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  ad_pool p;
  size_t height, width;
  (void)work;
  (void)ad__pool_of(t, x[0], &p, &height, &width);
  if (AD__IS32(x[0])) (t->n[3] ? ad_f32_mean_pool : ad_f32_max_pool)(&p, AD__F(x[0]), AD__F(&t->a));
  else (t->n[3] ? ad_f64_mean_pool : ad_f64_max_pool)(&p, AD__D(x[0]), AD__D(&t->a));
}
/* the adjoint of x from x, y and the adjoint g of y: linear in g */
static const char *ad__pool_back_shape(ad__tensor *t, const ad__strided *const *x) { return ad__along_shape(t, x); }
static void ad__pool_back_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  ad_pool p;
  size_t height, width;
  (void)work;
  (void)ad__pool_of(t, x[0], &p, &height, &width);
  if (t->a.size) memset(t->a.data, 0, t->a.size * ad__dtype_bytes(t->a.dtype));
  if (AD__IS32(x[0])) {
    if (t->n[3]) ad_f32_mean_pool_back(&p, AD__F(x[2]), AD__F(&t->a));
    else ad_f32_max_pool_back(&p, AD__F(x[0]), AD__F(x[1]), AD__F(x[2]), AD__F(&t->a));
  } else if (t->n[3]) ad_f64_mean_pool_back(&p, AD__D(x[2]), AD__D(&t->a));
  else ad_f64_max_pool_back(&p, AD__D(x[0]), AD__D(x[1]), AD__D(x[2]), AD__D(&t->a));
}
/* the transpose of that: what the winners of each window of x (whose maxima are y) have in z, their mean */
static void ad__pool_at_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  ad_pool p;
  size_t height, width, o = 0;
  (void)work;
  (void)ad__pool_of(t, x[0], &p, &height, &width);
  for (size_t plane = 0; plane < p.planes; plane++)
    for (size_t i = 0; i < height; i++)
      for (size_t j = 0; j < width; j++, o++) {
        double sum = 0, winners = 0;
        for (size_t r = 0; r < p.kernel[0] * p.kernel[1]; r++) {
          const size_t h = i * p.stride[0] + r / p.kernel[1] - p.padding[0], v = j * p.stride[1] + r % p.kernel[1] - p.padding[1];
          if (h >= p.height || v >= p.width) continue;       /* padding wraps to large numbers */
          const size_t at = (plane * p.height + h) * p.width + v;
          if (AD__IS32(x[0]) ? !(AD__F(x[0])[at] == AD__F(x[1])[o]) : !(AD__D(x[0])[at] == AD__D(x[1])[o])) continue;
          sum += AD__IS32(x[0]) ? (double)AD__F(x[2])[at] : AD__D(x[2])[at];
          winners += 1;
        }
        sum = winners > 0 ? sum / winners : 0;
        if (AD__IS32(x[0])) AD__F(&t->a)[o] = (float)sum;
        else AD__D(&t->a)[o] = sum;
      }
}
static void ad__pool_reverse(ad__reverse *r);
static void ad__pool_back_reverse(ad__reverse *r);
static void ad__pool_at_reverse(ad__reverse *r);
static const ad_tensor_op ad__op_max_pool2d = { "max_pool2d", 0, ad__pool_shape_rule, ad__pool_forward, ad__pool_reverse };
static const ad_tensor_op ad__op_avg_pool2d = { "avg_pool2d", 0, ad__pool_shape_rule, ad__pool_forward, ad__pool_reverse };
static const ad_tensor_op ad__op_pool_back = { "pooling adjoint", 0, ad__pool_back_shape, ad__pool_back_forward, ad__pool_back_reverse };
static const ad_tensor_op ad__op_pool_at = { "winners of pooling", 0, ad__pool_shape_rule, ad__pool_at_forward, ad__pool_at_reverse };

static ad_var ad__record_triple(const ad_tensor_op *op, ad_var a, ad_var b, ad_var c, const ptrdiff_t *n, int count_n) {
  ad_var all[3];
  all[0] = a;
  all[1] = b;
  all[2] = c;
  return ad__record_call(op, all, 3, n, count_n, 0);
}
static void ad__pool_reverse(ad__reverse *r) { r->gx[0] = ad__record_triple(&ad__op_pool_back, r->x[0], r->y, r->g, r->t->n, 4); }
static void ad__pool_back_reverse(ad__reverse *r) {
  if (!r->wanted[2]) return;
  if (r->t->n[3]) r->gx[2] = ad__record_call(&ad__op_avg_pool2d, &r->g, 1, r->t->n, 4, 0);
  else r->gx[2] = ad__record_triple(&ad__op_pool_at, r->x[0], r->x[1], r->g, r->t->n, 4);
}
static void ad__pool_at_reverse(ad__reverse *r) {
  if (r->wanted[2]) r->gx[2] = ad__record_triple(&ad__op_pool_back, r->x[0], r->x[1], r->g, r->t->n, 4);
}
AD_API ad_var ad_max_pool2d(ad_var x, int size, int stride, int padding) {
  const ptrdiff_t n[4] = { size, stride, padding, 0 };
  return ad__record_call(&ad__op_max_pool2d, &x, 1, n, 4, 0);
}
AD_API ad_var ad_avg_pool2d(ad_var x, int size, int stride, int padding) {
  const ptrdiff_t n[4] = { size, stride, padding, 1 };
  return ad__record_call(&ad__op_avg_pool2d, &x, 1, n, 4, 0);
}

/* ---- normalisation, dropout ---- */

static const char *ad__layer_norm_shape(ad__tensor *t, const ad__strided *const *x) {   /* saved: mean and 1 / deviation of each row */
  const char *wrong = ad__rows_shape(t, x);
  if (wrong) return wrong;
  if (x[1]->dtype != x[0]->dtype || x[2]->dtype != x[0]->dtype) return t->status = AD_ERROR_DTYPE, "needs operands of one floating-point type";
  for (int k = 1; k < 3; k++) if (x[k]->rank != 1 || x[k]->size != x[0]->shape[x[0]->rank - 1]) return "gain or bias does not fit the last axis";
  if (!(t->c >= 0)) return t->status = AD_ERROR_ARGUMENT, "epsilon is negative or NaN";
  t->saved_bytes = 2 * ad__span(x[0], 0, x[0]->rank - 1) * sizeof(double);
  return NULL;
}
static void ad__layer_norm_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const size_t columns = x[0]->shape[x[0]->rank - 1], rows = ad__span(x[0], 0, x[0]->rank - 1);
  (void)work;
  if (AD__IS32(x[0])) ad_f32_rows_layer_norm(rows, columns, AD__F(x[0]), AD__F(x[1]), AD__F(x[2]), (float)t->c, AD__F(&t->a), (float *)t->saved, (float *)t->saved + rows);
  else ad_f64_rows_layer_norm(rows, columns, AD__D(x[0]), AD__D(x[1]), AD__D(x[2]), t->c, AD__D(&t->a), (double *)t->saved, (double *)t->saved + rows);
}
static ad_var ad__layer_norm_of(ad_var x, ad_var gain, ad_var bias, double epsilon) {   /* the same in differentiable pieces */
  const ad_var d = ad_var_sub(x, ad_mean(x, -1, true)), v = ad_mean(ad_var_square(d), -1, true);
  return ad_var_add(ad_var_mul(ad_var_mul(d, ad_var_rsqrt(ad_var_add_xk(v, epsilon))), gain), bias);
}
/* x: rows, gain, statistics, adjoint; then where those of rows, gain, bias go, data NULL where not wanted */
static void ad__layer_norm_share(ad__tensor *t, const ad__strided *const *x, void *work) {
  const size_t columns = x[1]->size, rows = columns ? x[0]->size / columns : 0;
  (void)t; (void)work;
  for (int k = 5; k < 7; k++) if (x[k]->data && columns) memset(x[k]->data, 0, columns * ad__dtype_bytes(x[0]->dtype));
  if (AD__IS32(x[0]))
    ad_f32_rows_layer_norm_share(rows, columns, AD__F(x[0]), AD__F(x[1]), AD__F(x[2]), AD__F(x[2]) + rows, AD__F(x[3]), AD__F(x[4]), false, AD__F(x[5]), AD__F(x[6]));
  else
    ad_f64_rows_layer_norm_share(rows, columns, AD__D(x[0]), AD__D(x[1]), AD__D(x[2]), AD__D(x[2]) + rows, AD__D(x[3]), AD__D(x[4]), false, AD__D(x[5]), AD__D(x[6]));
}
static void ad__layer_norm_reverse(ad__reverse *r) {
  const ad__strided *all[7];
  ad__strided none[3], saved = *ad__array_of(r->x[0]);
  ad__tensor t;
  if (!AD__NUMBERS(r)) {
    ad__reverse_as(r, ad__layer_norm_of(r->x[0], r->x[1], r->x[2], r->t->c));
    return;
  }
  const ad_var g = ad__contiguous(r->g), in = ad__contiguous(r->x[0]), scale = ad__contiguous(r->x[1]);
  if (!ad__valid(g) || !ad__valid(in) || !ad__valid(scale)) return;
  memset(&t, 0, sizeof t);
  saved.data = r->t->saved;
  all[0] = ad__array_of(in); all[1] = ad__array_of(scale); all[2] = &saved; all[3] = ad__array_of(g);
  for (int k = 0; k < 3; k++) {
    none[k] = *ad__array_of(r->x[k]);
    none[k].data = NULL;
    all[4 + k] = &none[k];
    if (!r->wanted[k]) continue;
    r->gx[k] = ad__buffer_like(r->tape, ad__array_of(r->x[k]));
    if (!ad__valid(r->gx[k])) return;
    all[4 + k] = ad__array_of(r->gx[k]);
  }
  ad__do(r->tape, ad__layer_norm_share, &t, all, 7, 7u << 4);
}
static const ad_tensor_op ad__op_layer_norm = { "layer_norm", 0, ad__layer_norm_shape, ad__layer_norm_forward, ad__layer_norm_reverse };
AD_API ad_var ad_layer_norm(ad_var x, ad_var gain, ad_var bias, double epsilon) {
  const ad_var all[3] = { x, gain, bias };
  return ad__record_call(&ad__op_layer_norm, all, 3, NULL, 0, epsilon);
}
AD_API ad_var ad_batch_norm(ad_var x, ad_var gain, ad_var bias, double epsilon) {   /* made of other operations: the channels as rows */
  size_t shape[3], column[2];
  if (!ad__valid(x) || !ad__valid(gain) || !ad__valid(bias)) return ad__valid(x) ? ad__valid(gain) ? bias : gain : x;
  const ad__strided *a = ad__array_of(x);
  if (a->rank < 2 || ad_rank(gain) != 1 || ad_rank(bias) != 1 || ad_size(gain) != a->shape[1] || ad_size(bias) != a->shape[1]) {
    const ad_var all[3] = { x, gain, bias };
    return ad__fail_shapes(x.tape, AD_ERROR_SHAPE, "batch_norm", "gain or bias does not fit axis 1", all, 3);
  }
  if (!(epsilon >= 0)) return ad__fail_shapes(x.tape, AD_ERROR_ARGUMENT, "batch_norm", "epsilon is negative or NaN", &x, 1);
  shape[0] = a->shape[0];
  shape[1] = column[0] = a->shape[1];
  shape[2] = ad__span(a, 2, a->rank);
  column[1] = 1;
  const ad_var rows = ad_reshape(x, 3, shape), d = ad_var_sub(rows, ad_mean(ad_mean(rows, 2, true), 0, true));
  const ad_var v = ad_mean(ad_mean(ad_var_square(d), 2, true), 0, true);
  const ad_var y = ad_var_mul(d, ad_var_mul(ad_var_rsqrt(ad_var_add_xk(v, epsilon)), ad_reshape(gain, 2, column)));
  return ad_reshape(ad_var_add(y, ad_reshape(bias, 2, column)), a->rank, a->shape);
}

/* ---- linear algebra: matrices are the last two axes, the others count them ---- */

static size_t ad__order(const ad__strided *x) { return x->shape[x->rank - 1]; }
static size_t ad__matrices(const ad__strided *x) { return ad__span(x, 0, x->rank - 2); }
static const char *ad__square_rule(ad__tensor *t, const ad__strided *x, size_t columns) {
  const char *wrong = ad__need_float(t, x);
  if (wrong) return wrong;
  if (x->rank < 2 || x->shape[x->rank - 1] != x->shape[x->rank - 2]) return "needs square matrices";
  t->work_bytes = AD__IS32(x) ? ad_f32_square_work(ad__order(x), columns) : ad_f64_square_work(ad__order(x), columns);
  return NULL;
}

static const char *ad__solve_shape(ad__tensor *t, const ad__strided *const *x) {
  const int r = x[0]->rank;
  const char *wrong = ad__square_rule(t, x[0], x[1]->rank ? x[1]->shape[x[1]->rank - 1] : 0);
  if (wrong) return wrong;
  if (x[1]->dtype != x[0]->dtype) return t->status = AD_ERROR_DTYPE, "needs two of one floating-point type";
  if (x[1]->rank != r || x[1]->shape[r - 2] != ad__order(x[0])) return "the right side does not fit";
  for (int i = 0; i < r - 2; i++) if (x[0]->shape[i] != x[1]->shape[i]) return "the leading axes do not broadcast";
  ad__like(t, x[1]);
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__solve_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const size_t n = ad__order(x[0]), m = x[1]->shape[x[1]->rank - 1], count = ad__matrices(x[0]);
  for (size_t i = 0; i < count && t->a.size; i++) {
    if (AD__IS32(x[0])) ad_f32_solve(n, m, AD__F(x[0]) + i * n * n, AD__F(x[1]) + i * n * m, AD__F(&t->a) + i * n * m, work);
    else ad_f64_solve(n, m, AD__D(x[0]) + i * n * n, AD__D(x[1]) + i * n * m, AD__D(&t->a) + i * n * m, work);
  }
}
static void ad__solve_reverse(ad__reverse *r) {              /* B: U = A^-T G; A: -U X^T */
  const ad_var u = ad_solve(ad_transpose(r->x[0]), r->g);
  if (r->wanted[0]) r->gx[0] = ad_var_neg(ad_matmul(u, ad_transpose(r->y)));
  r->gx[1] = u;
}
static const ad_tensor_op ad__op_solve = { "solve", 0, ad__solve_shape, ad__solve_forward, ad__solve_reverse };
/* x with the leading axes that its own and those of other broadcast to, the last two kept; x itself where they do not broadcast */
static ad_var ad__with_leading(ad_var x, const ad__strided *other) {
  const ad__strided *own = ad__array_of(x);
  const int rank = own->rank > other->rank ? own->rank : other->rank;
  size_t shape[AD_MAX_RANK];
  bool same = rank == own->rank;
  for (int i = 0; i < rank - 2; i++) {
    const size_t p = i < rank - own->rank ? 1 : own->shape[i - (rank - own->rank)], q = i < rank - other->rank ? 1 : other->shape[i - (rank - other->rank)];
    if (p != q && p != 1 && q != 1) return x;
    shape[i] = p == 1 ? q : p;
    same = same && shape[i] == p;
  }
  for (int i = 0; i < 2; i++) shape[rank - 2 + i] = own->shape[own->rank - 2 + i];
  return same ? x : ad_broadcast_to(x, rank, shape);
}
AD_API ad_var ad_solve(ad_var a, ad_var b) {
  const int ra = ad_rank(a), rb = ad_rank(b);
  bool vectors = rb == 1 || (rb > 1 && rb == ra - 1);
  ad_var both[2], y;
  size_t shape[AD_MAX_RANK];
  for (int i = 0; i < rb && rb > 1 && vectors; i++) vectors = ad_shape(a)[i] == ad_shape(b)[i];
  if (vectors && ra >= 2) {                                    /* matrices of one column */
    for (int i = 0; i < rb; i++) shape[i] = ad_shape(b)[i];
    shape[rb] = 1;
    b = ad_reshape(b, rb + 1, shape);
  }
  both[0] = a;
  both[1] = b;
  if (ad__valid(a) && ad__valid(b) && ra >= 2 && ad_rank(b) >= 2) {
    both[0] = ad__with_leading(a, ad__array_of(b));
    both[1] = ad__with_leading(b, ad__array_of(a));
  }
  y = ad__record_call(&ad__op_solve, both, 2, NULL, 0, 0);
  if (!vectors || !ad__valid(y)) return y;
  for (int i = 0; i < ad_rank(y); i++) shape[i] = ad_shape(y)[i];
  return ad_reshape(y, ad_rank(y) - 1, shape);
}

/* inverse and adjugate (the transposed cofactors, also of a singular matrix); n: which */
static const char *ad__inverse_shape(ad__tensor *t, const ad__strided *const *x) {
  const char *wrong = ad__square_rule(t, x[0], x[0]->rank ? ad__order(x[0]) : 0);
  return wrong ? wrong : ad__along_shape(t, x);
}
static void ad__inverse_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const size_t n = ad__order(x[0]), count = ad__matrices(x[0]);
  for (size_t i = 0; i < count && t->a.size; i++) {
    if (AD__IS32(x[0])) (t->n[0] ? ad_f32_adjugate : ad_f32_inverse)(n, AD__F(x[0]) + i * n * n, AD__F(&t->a) + i * n * n, work);
    else (t->n[0] ? ad_f64_adjugate : ad_f64_inverse)(n, AD__D(x[0]) + i * n * n, AD__D(&t->a) + i * n * n, work);
  }
}
static void ad__inverse_reverse(ad__reverse *r) {            /* -Y^T G Y^T */
  const ad_var y = ad_transpose(r->y);
  r->gx[0] = ad_var_neg(ad_matmul(ad_matmul(y, r->g), y));
}
static const ad_tensor_op ad__op_inverse = { "inverse", 0, ad__inverse_shape, ad__inverse_forward, ad__inverse_reverse };
AD_API ad_var ad_inverse(ad_var a) {
  const ptrdiff_t n[1] = { 0 };
  return ad__record_call(&ad__op_inverse, &a, 1, n, 1, 0);
}
static ad_var ad__to_scalars(ad_var x) {                     /* (..) to (.., 1, 1) */
  size_t shape[AD_MAX_RANK];
  const int rank = ad_rank(x);
  if (!ad__valid(x) || rank + 2 > AD_MAX_RANK) return x;
  for (int i = 0; i < rank; i++) shape[i] = ad_shape(x)[i];
  shape[rank] = shape[rank + 1] = 1;
  return ad_reshape(x, rank + 2, shape);
}
static void ad__adjugate_reverse(ad__reverse *r) {           /* det(A) A^-1, which needs a regular matrix */
  ad__reverse_as(r, ad_var_mul(ad__to_scalars(ad_det(r->x[0])), ad_inverse(r->x[0])));
}
static const ad_tensor_op ad__op_adjugate = { "adjugate", 0, ad__inverse_shape, ad__inverse_forward, ad__adjugate_reverse };

/* det and log |det|; n: which */
static const char *ad__det_shape(ad__tensor *t, const ad__strided *const *x) {
  const char *wrong = ad__square_rule(t, x[0], 0);
  if (wrong) return wrong;
  ad__like(t, x[0]);
  t->a.rank = (uint8_t)(t->a.rank - 2);
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
static void ad__det_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const size_t n = ad__order(x[0]), count = ad__matrices(x[0]);
  for (size_t i = 0; i < count; i++) {
    if (AD__IS32(x[0])) AD__F(&t->a)[i] = ad_f32_determinant(n, AD__F(x[0]) + i * n * n, t->n[0] != 0, work);
    else AD__D(&t->a)[i] = ad_f64_determinant(n, AD__D(x[0]) + i * n * n, t->n[0] != 0, work);
  }
}
static void ad__det_reverse(ad__reverse *r) {                /* det: g adj(A)^T; log |det|: g A^-T */
  const ptrdiff_t which[1] = { 1 };
  const ad_var m = r->t->n[0] ? ad_inverse(r->x[0]) : ad__record_call(&ad__op_adjugate, &r->x[0], 1, which, 1, 0);
  r->gx[0] = ad_var_chain(ad__to_scalars(r->g), ad_transpose(m));
}
static const ad_tensor_op ad__op_det = { "det", 0, ad__det_shape, ad__det_forward, ad__det_reverse };
static const ad_tensor_op ad__op_logdet = { "logdet", 0, ad__det_shape, ad__det_forward, ad__det_reverse };
AD_API ad_var ad_det(ad_var a) {
  const ptrdiff_t n[1] = { 0 };
  return ad__record_call(&ad__op_det, &a, 1, n, 1, 0);
}
AD_API ad_var ad_logdet(ad_var a) {
  const ptrdiff_t n[1] = { 1 };
  return ad__record_call(&ad__op_logdet, &a, 1, n, 1, 0);
}

static void ad__cholesky_forward(ad__tensor *t, const ad__strided *const *x, void *work) {   /* of what is not positive definite: NaN */
  const size_t n = ad__order(x[0]), count = ad__matrices(x[0]);
  ad__copy(&t->a, x[0]);
  for (size_t i = 0; i < count && n; i++) {
    if (AD__IS32(x[0])) {
      if (ad_f32_cholesky(n, AD__F(&t->a) + i * n * n, n, work)) ad_f32_array_fill(n * n, (float)NAN, AD__F(&t->a) + i * n * n);
    } else if (ad_f64_cholesky(n, AD__D(&t->a) + i * n * n, n, work)) ad_f64_array_fill(n * n, (double)NAN, AD__D(&t->a) + i * n * n);
  }
}
static ad_var ad__half_lower(ad_tape *tape, const ad__strided *like) {   /* 1 below the diagonal, 1/2 on it */
  const size_t n = ad__order(like);
  size_t shape[2];
  shape[0] = shape[1] = n;
  const ad_var m = ad_tensor_constant(tape, (ad_dtype)like->dtype, 2, shape, NULL);
  if (!ad__valid(m)) return m;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) {
      if (AD__IS32(like)) AD__F(ad__array_of(m))[i * n + j] = i == j ? 0.5f : 1;
      else AD__D(ad__array_of(m))[i * n + j] = i == j ? 0.5 : 1;
    }
  return m;
}
static void ad__cholesky_reverse(ad__reverse *r) {           /* S = L^-T P L^-1, P the half lower triangle of L^T G; (S + S^T) / 2 */
  const ad_var lt = ad_transpose(r->y), p = ad_var_mul(ad_matmul(lt, r->g), ad__half_lower(r->tape, ad__array_of(r->y)));
  const ad_var s = ad_solve(lt, ad_transpose(ad_solve(lt, ad_transpose(p))));
  r->gx[0] = ad_var_mul_xk(ad_var_add(s, ad_transpose(s)), 0.5);
}
static const ad_tensor_op ad__op_cholesky = { "cholesky", 0, ad__inverse_shape, ad__cholesky_forward, ad__cholesky_reverse };
AD_API ad_var ad_cholesky(ad_var a) { return ad__record_call(&ad__op_cholesky, &a, 1, NULL, 0, 0); }

/* ---- dropout, initialisation, optimisers ---- */

/* each element is 0 with probability c, else divided by 1 - c; n: the two halves of the seed. The adjoint goes the same way. */
static const char *ad__dropout_shape(ad__tensor *t, const ad__strided *const *x) {
  const char *wrong = ad__need_float(t, x[0]);
  if (wrong) return wrong;
  if (!(t->c >= 0 && t->c < 1)) return t->status = AD_ERROR_ARGUMENT, "the rate is not in [0, 1)";
  return ad__along_shape(t, x);
}
static void ad__dropout_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const uint64_t seed = (uint64_t)(uint32_t)t->n[0] | (uint64_t)(uint32_t)t->n[1] << 32;
  (void)work;
  if (AD__IS32(x[0])) ad_f32_dropout(seed, 0, 0, t->a.size, t->c, AD__F(x[0]), AD__F(&t->a));
  else ad_f64_dropout(seed, 0, 0, t->a.size, t->c, AD__D(x[0]), AD__D(&t->a));
}
static void ad__dropout_reverse(ad__reverse *r) { r->gx[0] = ad__record_call(r->t->op, &r->g, 1, r->t->n, 2, r->t->c); }
static const ad_tensor_op ad__op_dropout = { "dropout", 0, ad__dropout_shape, ad__dropout_forward, ad__dropout_reverse };
AD_API ad_var ad_dropout(ad_var x, double rate, uint64_t seed) {
  const ptrdiff_t n[2] = { (ptrdiff_t)(int32_t)(uint32_t)seed, (ptrdiff_t)(int32_t)(uint32_t)(seed >> 32) };
  return ad__record_call(&ad__op_dropout, &x, 1, n, 2, rate);
}

AD_API ad_var ad_tensor_normal(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, double deviation, uint64_t seed) {
  const ad_var x = ad_tensor_variable(tape, type, rank, shape, NULL);
  if (!ad__valid(x)) return x;
  const ad__strided *a = ad__array_of(x);
  if (type == AD_F32) {
    ad_f32_random_normal(seed, 0, 0, a->size, AD__F(a));
    ad_f32_array_scale(a->size, (float)deviation, AD__F(a), AD__F(a));
  } else if (type == AD_F64) {
    ad_f64_random_normal(seed, 0, 0, a->size, AD__D(a));
    ad_f64_array_scale(a->size, deviation, AD__D(a), AD__D(a));
  }
  return x;
}
/* what feeds an output and what an input feeds, of a matrix (in, out) or filters (O, C, h, w) */
static double ad__fan(int rank, const size_t *shape, bool outputs) {
  double n = 1;
  if (rank < 1 || !shape) return 1;
  if (rank <= 2) return (double)shape[rank == 2 && outputs ? 1 : 0];
  for (int i = 2; i < rank; i++) n *= (double)shape[i];
  return n * (double)shape[outputs ? 0 : 1];
}
AD_API ad_var ad_tensor_he(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, uint64_t seed) {
  return ad_tensor_normal(tape, type, rank, shape, sqrt(2 / ad__fan(rank, shape, false)), seed);
}
AD_API ad_var ad_tensor_xavier(ad_tape *tape, ad_dtype type, int rank, const size_t *shape, uint64_t seed) {
  return ad_tensor_normal(tape, type, rank, shape, sqrt(2 / (ad__fan(rank, shape, false) + ad__fan(rank, shape, true))), seed);
}

/* Parameter k with its gradient and its states; false if they do not fit, and the tape says so. */
static bool ad__parameter(const char *name, const ad_var *x, const ad_var *s1, const ad_var *s2, size_t k, const void **g) {
  const ad_var all[3] = { x[k], s1 ? s1[k] : x[k], s2 ? s2[k] : x[k] };
  ad_tape *tape = ad__common_tape(name, all, 3);
  if (!tape) return false;
  for (int i = 0; i < 3; i++) {
    const ad__tensor *t = ad__tensor_of(all[i]);
    if (!t || t->count || t->a.dtype == AD_I32 || t->a.dtype != ad__array_of(x[k])->dtype || !ad__same_shape(&t->a, ad__array_of(x[k]))) {
      ad__fail_shapes(tape, AD_ERROR_ARGUMENT, name, "needs tensors that the program made, states like their parameters", all, 3);
      return false;
    }
  }
  *g = ad_grad_data(x[k]);
  if (!*g) ad__fail(tape, AD_ERROR_TAPE, "%s: there are no gradients: no ad_backward since the tape was reset", name);
  tape->changes++;
  return *g != NULL;
}
AD_API ad_status ad_sgd(const ad_var *x, size_t n, const ad_var *velocity, double rate, double momentum, double decay) {
  if (n && !x) return AD_ERROR_ARGUMENT;
  for (size_t k = 0; k < n; k++) {
    const void *g;
    if (!ad__parameter("ad_sgd", x, velocity, NULL, k, &g)) return ad_tape_status(x[k].tape) != AD_OK ? ad_tape_status(x[k].tape) : AD_ERROR_TAPE;
    const ad__strided *a = ad__array_of(x[k]);
    void *v = velocity ? ad__array_of(velocity[k])->data : NULL;
    if (AD__IS32(a)) ad_f32_sgd(a->size, AD__F(a), (const float *)g, (float *)v, rate, momentum, decay);
    else ad_f64_sgd(a->size, AD__D(a), (const double *)g, (double *)v, rate, momentum, decay);
  }
  return AD_OK;
}
AD_API ad_status ad_adam(const ad_var *x, size_t n, const ad_var *moment, const ad_var *square, uint64_t step, double rate, double beta1,
                         double beta2, double epsilon, double decay) {
  if (n && (!x || !moment || !square)) return AD_ERROR_ARGUMENT;
  if (step == 0) {
    if (n && x[0].tape) ad__fail(x[0].tape, AD_ERROR_ARGUMENT, "ad_adam: step is 0; steps count from 1");
    return AD_ERROR_ARGUMENT;
  }
  for (size_t k = 0; k < n; k++) {
    const void *g;
    if (!ad__parameter("ad_adam", x, moment, square, k, &g)) return ad_tape_status(x[k].tape) != AD_OK ? ad_tape_status(x[k].tape) : AD_ERROR_TAPE;
    const ad__strided *a = ad__array_of(x[k]), *m = ad__array_of(moment[k]), *v = ad__array_of(square[k]);
    if (AD__IS32(a)) ad_f32_adam(a->size, AD__F(a), (const float *)g, AD__F(m), AD__F(v), rate, beta1, beta2, epsilon, decay, true, step);
    else ad_f64_adam(a->size, AD__D(a), (const double *)g, AD__D(m), AD__D(v), rate, beta1, beta2, epsilon, decay, true, step);
  }
  return AD_OK;
}

/* ---- ad_differentiate: the derivative as new nodes ----
   The rows' formulas are read once more, in the number system ad__sym: a variable of the tape or a number. Its words record, so
   a partial becomes nodes; comparisons become rows of 0 and 1, and select the row where. */

typedef struct ad__sym { ad_var v; double k; bool number; } ad__sym;
typedef ad__sym ad__sym_mask;

static ad__sym ad__sym_k(double c) { ad__sym s; s.v = ad__invalid(NULL); s.k = c; s.number = true; return s; }
static ad__sym ad__sym_of(ad_var v) { ad__sym s; s.v = v; s.k = 0; s.number = false; return s; }
static ad_var ad__sym_var(ad__sym s, ad_tape *tape) { return s.number ? ad_constant(tape, s.k) : s.v; }

#define AD__SYM_1(N, D, op, ...)                                                                                              \
  AD_LOCAL ad__sym ad__sym_##op(ad__sym x) { return x.number ? ad__sym_k(ad_f64_##op(x.k)) : ad__sym_of(ad_var_##op(x.v)); }
#define AD__SYM_2(N, D, op, ...)                                                                                              \
  AD_LOCAL ad__sym ad__sym_##op(ad__sym x, ad__sym y) {                                                                       \
    if (x.number) return y.number ? ad__sym_k(ad_f64_##op(x.k, y.k)) : ad__sym_of(ad_var_##op##_ky(x.k, y.v));               \
    return ad__sym_of(y.number ? ad_var_##op##_xk(x.v, y.k) : ad_var_##op(x.v, y.v)); }
#define AD__SYM_3(N, D, op, ...)                                                                                              \
  AD_LOCAL ad__sym ad__sym_##op(ad__sym x, ad__sym y, ad__sym z) {                                                            \
    ad_tape *t = !x.number ? x.v.tape : !y.number ? y.v.tape : z.v.tape;                                                      \
    if (x.number && y.number && z.number) return ad__sym_k(ad_f64_##op(x.k, y.k, z.k));                                       \
    return ad__sym_of(ad_var_##op(ad__sym_var(x, t), ad__sym_var(y, t), ad__sym_var(z, t))); }
AD_UNARY(AD__SYM_1, , ) AD_BINARY(AD__SYM_2, , ) AD_TERNARY(AD__SYM_3, , )

static ad__sym ad__sym_lt(ad__sym a, ad__sym b) { return ad__sym_less(a, b); }
static ad__sym ad__sym_le(ad__sym a, ad__sym b) { return ad__sym_less_equal(a, b); }
static ad__sym ad__sym_eq(ad__sym a, ad__sym b) { return ad__sym_equal(a, b); }
static ad__sym ad__sym_ne(ad__sym a, ad__sym b) { return ad__sym_not_equal(a, b); }
static ad__sym ad__sym_and(ad__sym a, ad__sym b) { return ad__sym_mul(a, b); }
static ad__sym ad__sym_or(ad__sym a, ad__sym b) { return ad__sym_max(a, b); }
static ad__sym ad__sym_select(ad__sym m, ad__sym a, ad__sym b) { return m.number ? (m.k != 0 ? a : b) : ad__sym_where(m, a, b); }
static ad__sym ad__sym_only(ad__sym m, ad__sym x) { return ad__sym_select(m, x, ad__sym_k(0)); }
AD__NUMBER_OF(ad__sym)
AD_RULES(ad__sym)

#define AD__SYM_PARTIAL_1(N, D, op, ...) case 4 * AD_OP_##op: return N##_##op##_dx(x, v);
#define AD__SYM_PARTIAL_2(N, D, op, ...) case 4 * AD_OP_##op: return N##_##op##_dx(x, y, v); case 4 * AD_OP_##op + 1: return N##_##op##_dy(x, y, v);
#define AD__SYM_PARTIAL_3(N, D, op, ...) case 4 * AD_OP_##op: return N##_##op##_dx(x, y, z, v);                               \
  case 4 * AD_OP_##op + 1: return N##_##op##_dy(x, y, z, v); case 4 * AD_OP_##op + 2: return N##_##op##_dz(x, y, z, v);
static ad__sym ad__sym_partial(int op, int k, ad__sym x, ad__sym y, ad__sym z, ad__sym v) {
  switch (4 * op + k) {
    AD_UNARY(AD__SYM_PARTIAL_1, ad__sym, ) AD_BINARY(AD__SYM_PARTIAL_2, ad__sym, ) AD_TERNARY(AD__SYM_PARTIAL_3, ad__sym, )
    default: return ad__sym_k(0);
  }
}

/* What a derivation knows of the nodes from .. y: their adjoints, and whether they depend on an x. Of older nodes only x matter. */
struct ad__derivation {
  ad_tape *tape;
  size_t from;
  ad_var *adjoint;
  bool *depends;
  const ad_var *x;
  size_t n;
  ad_var *gx;
};

static ad_var *ad__adjoint_slot(const ad__derivation *d, uint32_t node) {   /* null: nothing asks for it */
  if (node >= d->from) return d->depends[node - d->from] ? &d->adjoint[node - d->from] : NULL;
  for (size_t k = 0; k < d->n; k++) if (d->x[k].node == node) return &d->gx[k];
  return NULL;
}
static uint32_t ad__operand_count(const ad_tape *tape, size_t i) {
  const uint32_t op = tape->code[i].op;
  if (AD_NODE_FORM(op) == AD_ON_TENSORS) return ad__tensor_at(tape, i)->count;
  if (AD_NODE_OP(op) >= AD_OP_COUNT_) return 0;
  return AD_NODE_FORM(op) == AD_PLAIN ? (uint32_t)ad_ops[AD_NODE_OP(op)].arity : 1;
}
static uint32_t ad__operand_node(const ad_tape *tape, size_t i, uint32_t k) {
  const ad__code *c = &tape->code[i];
  if (AD_NODE_FORM(c->op) == AD_ON_TENSORS) return ad__tensor_at(tape, i)->operand[k];
  return k ? c->u.yz[k - 1] : c->x;
}
static void ad__derive_add(const ad__derivation *d, uint32_t node, ad_var c) {
  ad_var *slot = ad__adjoint_slot(d, node);
  if (!slot || !ad__valid(c)) return;
  const ad__strided *to = ad__array_of(ad__handle_of(d->tape, node));
  c = ad__sum_like(c, to);
  if (ad__valid(c) && ad__array_of(c)->dtype != to->dtype) c = ad__cast(c, to->dtype);
  *slot = slot->kind ? ad_var_add(*slot, c) : c;
}
static void ad__derive_row(const ad__derivation *d, size_t i, ad_var g) {
  ad_tape *t = d->tape;
  const ad__code c = t->code[i];
  const int op = AD_NODE_OP(c.op), form = AD_NODE_FORM(c.op);
  const uint32_t count = ad__operand_count(t, i);
  ad__sym in[3];
  in[0] = in[1] = in[2] = ad__sym_k(0);
  for (uint32_t k = 0; k < count; k++) in[form == AD_X_NUMBER ? 1 : k] = ad__sym_of(ad__handle_of(t, ad__operand_node(t, i, k)));
  if (form == AD_X_NUMBER) in[0] = ad__sym_k(c.u.k);
  if (form == AD_Y_NUMBER) in[1] = ad__sym_k(c.u.k);
  for (uint32_t k = 0; k < count; k++) {
    const uint32_t node = ad__operand_node(t, i, k);
    const int part = form == AD_X_NUMBER ? 1 : (int)k;
    if (!ad__adjoint_slot(d, node)) continue;
    const ad__sym p = ad__sym_partial(op, part, in[0], in[1], in[2], ad__sym_of(ad__handle_of(t, (uint32_t)i)));
    if (p.number && p.k == 0) continue;
    ad__derive_add(d, node, !p.number ? ad_var_chain(g, p.v) : p.k == 1 ? g : p.k == -1 ? ad_var_neg(g) : ad_var_mul_xk(g, p.k));
  }
}
/* gx[k] = sum over y of g dy/dx[k], left invalid where there is none. Nodes before from do not lead from x to y. */
static void ad__derive(ad_tape *tape, size_t from, ad_var y, ad_var g, const ad_var *x, size_t n, ad_var *gx) {
  ad__derivation d;
  const size_t count = y.node >= from ? (size_t)y.node + 1 - from : 0;
  d.tape = tape;
  d.from = from;
  d.x = x;
  d.n = n;
  d.gx = gx;
  d.adjoint = (ad_var *)ad__tape_take(tape, count * sizeof *d.adjoint);
  d.depends = (bool *)ad__tape_take(tape, count * sizeof *d.depends);
  for (size_t k = 0; k < n; k++) gx[k] = ad__invalid(tape);
  if (!d.adjoint || !d.depends) return;
  for (size_t i = 0; i < count; i++) d.depends[i] = false;
  for (size_t k = 0; k < n; k++)
    if (x[k].node >= from && x[k].node - from < count) d.depends[x[k].node - from] = tape->passive || ad__active(tape, x[k].node);
  for (size_t i = 0; i < count; i++) {
    d.adjoint[i] = ad__invalid(tape);
    if (!tape->passive && !ad__active(tape, (uint32_t)(from + i))) continue;
    for (uint32_t k = 0, m = ad__operand_count(tape, from + i); k < m; k++) if (ad__adjoint_slot(&d, ad__operand_node(tape, from + i, k))) d.depends[i] = true;
  }
  ad__derive_add(&d, y.node, g);
  for (size_t i = count; i-- > 0;) {
    const ad_var a = d.adjoint[i];
    if (!a.kind || ad__operand_count(tape, from + i) == 0) continue;
    if (AD_NODE_OP(tape->code[from + i].op) == AD_OP_CALL_) ad__call_reverse(tape, from + i, a, &d);
    else ad__derive_row(&d, from + i, a);
  }
  for (size_t k = 0; k < n; k++)
    if (x[k].node >= from && x[k].node <= y.node) gx[k] = d.adjoint[x[k].node - from];
}
/* the contributions of a rule, by differentiating y, which the rule has recorded from its operands and which equals its result */
static void ad__reverse_as(ad__reverse *r, ad_var y) {
  if (ad__valid(y)) ad__derive(r->tape, r->from, y, ad__reshape_like(r->g, ad__array_of(y)), r->x, r->t->count, r->gx);
}
AD_API ad_status ad_differentiate(ad_var y, const ad_var *x, size_t n, ad_var *dydx) {
  ad_tape *tape = y.tape;
  size_t from = SIZE_MAX;
  if (!tape) return AD_ERROR_TAPE;
  for (size_t k = 0; k < n && dydx; k++) dydx[k] = ad__invalid(tape);
  if (!n || !x || !dydx) return ad__fail(tape, AD_ERROR_ARGUMENT, "ad_differentiate: nothing to differentiate by"), tape->status;
  if (!y.kind) return tape->status != AD_OK ? tape->status : AD_ERROR_TAPE;
  if (!ad__common_tape("ad_differentiate", &y, 1)) return tape->status;
  for (size_t k = 0; k < n; k++) {
    if (x[k].tape && !x[k].kind) return tape->status != AD_OK ? tape->status : AD_ERROR_TAPE;
    if (x[k].tape != tape || !ad_is_valid(x[k])) return ad__fail(tape, AD_ERROR_TAPE, "ad_differentiate: x[%zu] is not a variable of this tape", k), tape->status;
    if (x[k].node < from) from = x[k].node;
  }
  if (ad_rank(y) != 0) {
    ad__fail_shapes(tape, AD_ERROR_SHAPE, "ad_differentiate", "y must be of rank 0", &y, 1);
    return tape->status;
  }
  const float one32 = 1;
  const ad_var one = ad_type(y) == AD_F32 ? ad_tensor_constant(tape, AD_F32, 0, NULL, &one32) : ad_constant(tape, 1);
  ad__derive(tape, from, y, one, x, n, dydx);
  for (size_t k = 0; k < n && tape->status == AD_OK; k++) {
    if (dydx[k].kind) continue;
    if (x[k].kind & 1) dydx[k] = ad_tensor_constant(tape, ad_type(x[k]), ad_rank(x[k]), ad_shape(x[k]), NULL);
    else dydx[k] = ad_constant(tape, 0);
  }
  return tape->status;
}

/* >>backward ------------------------------------------------------------------------------------------------------------ */

/* Adjoints of the operands of node i += its adjoint g times the partials. Where the compiler has labels as values, each row jumps
   to the next by itself, which processors predict better than one jump for all. */
#if defined(__GNUC__) && !defined(AD_NO_COMPUTED_GOTO)
#define AD__ROW(op, form) ad__##op##_##form:
#define AD__LABEL_1(N, D, op, ...) &&ad__##op##_AD_PLAIN, &&ad__leaf, &&ad__leaf, &&ad__tensor,
#define AD__LABEL_2(N, D, op, ...) &&ad__##op##_AD_PLAIN, &&ad__##op##_AD_Y_NUMBER, &&ad__##op##_AD_X_NUMBER, &&ad__tensor,
#define AD__JUMP goto *label[c->op];
#else
#define AD__ROW(op, form) case AD_NODE(AD_OP_##op, form):
#define AD__JUMP goto ad__jump;
#endif
#define AD__NEXT do { if (i == 0) return; i--; c--; g = adjoint[i]; } while (g == 0); AD__JUMP
/* An operand is mostly the node before: its adjoint is handed on in a register, not through memory (rosenbrock 346 ns without, 268
   with). The empty asm keeps the branch: a select would wait for memory all the same. */
#if defined(__GNUC__)
#define AD__BRANCH __asm__ volatile("");
#define AD__IS(p, k) (__builtin_constant_p(p) && (p) == (k))
#else
#define AD__BRANCH
#define AD__IS(p, k) false
#endif
#define AD__HAND_ON(node, a) if ((node) + 1 == i) { AD__BRANCH g = a; i--; c--; if (g == 0) goto ad__leaf; AD__JUMP }

/* a + g p; in one rounding and one instruction where the processor has that: each node of a chain waits for it */
AD_INLINE double ad__plus_product(double a, double g, double p) {
  if (AD__IS(p, 1)) return a + g;
  if (AD__IS(p, -1)) return a - g;
#if defined(__FP_FAST_FMA) || defined(__ARM_FEATURE_FMA)
  return fma(g, p, a);
#else
  return a + g * p;
#endif
}
#define AD__ADJOINT(node, p) (adjoint[node] = ad__plus_product(adjoint[node], g, p))

#define AD__SWEEP_1(N, D, op, ...) AD__ROW(op, AD_PLAIN) AD__SWEEP_X(N##_##op##_dx(value[k], value[i]))
#define AD__SWEEP_2(N, D, op, ...)                                                                                            \
  AD__ROW(op, AD_PLAIN) {                                                                                                     \
    const size_t k = c->x, l = c->u.yz[0];                                                                                    \
    const double x = value[k], y = value[l], a = AD__ADJOINT(k, N##_##op##_dx(x, y, value[i])), b = AD__ADJOINT(l, N##_##op##_dy(x, y, value[i])); \
    AD__HAND_ON(l, b) AD__HAND_ON(k, a) AD__NEXT }                                                                            \
  AD__SWEEP_2K(N, op)
#define AD__SWEEP_2K(N, op)                                                                                                   \
  AD__ROW(op, AD_Y_NUMBER) AD__SWEEP_X(N##_##op##_dx(value[k], c->u.k, value[i]))                                             \
  AD__ROW(op, AD_X_NUMBER) AD__SWEEP_X(N##_##op##_dy(c->u.k, value[k], value[i]))
#define AD__SWEEP_X(partial) { const size_t k = c->x; const double a = AD__ADJOINT(k, partial); AD__HAND_ON(k, a) AD__NEXT }
#define AD__SWEEP_3(N, D, op, ...)                                                                                            \
  AD__ROW(op, AD_PLAIN) {                                                                                                     \
    const double x = value[c->x], y = value[c->u.yz[0]], z = value[c->u.yz[1]], v = value[i];                                 \
    AD__ADJOINT(c->x, N##_##op##_dx(x, y, z, v)); AD__ADJOINT(c->u.yz[0], N##_##op##_dy(x, y, z, v));                         \
    AD__ADJOINT(c->u.yz[1], N##_##op##_dz(x, y, z, v)); AD__NEXT }

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
/* it records: the arrays of nodes may move */
#define AD__SWEEP_TENSOR ad__sweep_begin(t); ad__sweep_tensor(t, i); adjoint = t->adjoint; value = t->value; c = t->code + i;

static void ad__sweep(ad_tape *t, size_t i) {
  double *adjoint = t->adjoint;
  const double *value = t->value;
  const ad__code *c = t->code + i;
  double g = adjoint[i];
#if defined(AD__LABEL_1)
  static const void *const label[] = {
    AD_UNARY(AD__LABEL_1, , ) AD_BINARY(AD__LABEL_2, , ) AD_TERNARY(AD__LABEL_1, , )
    &&ad__leaf, &&ad__leaf, &&ad__leaf, &&ad__tensor, &&ad__leaf, &&ad__leaf, &&ad__leaf, &&ad__tensor,
    &&ad__leaf, &&ad__leaf, &&ad__leaf, &&ad__tensor, &&ad__tensor, &&ad__tensor, &&ad__tensor, &&ad__tensor };
  if (g == 0) { ad__leaf: AD__NEXT }
  AD__JUMP
  AD_UNARY(AD__SWEEP_1, ad_f64, ) AD_BINARY(AD__SWEEP_2, ad_f64, ) AD_TERNARY(AD__SWEEP_3, ad_f64, )
  ad__tensor: AD__SWEEP_TENSOR AD__NEXT
#else
  if (g == 0) { AD__NEXT }
ad__jump:
  switch (c->op) {
    AD_UNARY(AD__SWEEP_1, ad_f64, ) AD_BINARY(AD__SWEEP_2, ad_f64, ) AD_TERNARY(AD__SWEEP_3, ad_f64, )
    case AD_NODE(AD_OP_CONSTANT_, AD_PLAIN): case AD_NODE(AD_OP_VARIABLE_, AD_PLAIN): case AD_NODE(AD_OP_GUARD_, AD_PLAIN):
    ad__leaf: AD__NEXT
    default: AD__SWEEP_TENSOR AD__NEXT
  }
#endif
}
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/* clears the adjoints up to y and starts a sweep */
static bool ad__begin_sweep(ad_var y, const char *name) {
  ad_tape *t = y.tape;
  if (!t || !ad__operand(t, y, name, "y")) return false;
  t->swept = (size_t)y.node + 1;
  t->sweep++;
  t->adjoints.current = NULL;
  if (t->swept > 16) memset(t->adjoint, 0, t->swept * sizeof *t->adjoint);
  else for (size_t i = 0; i < t->swept; i++) *(volatile double *)(t->adjoint + i) = 0;   /* a load from a wide store waits: 21 ns a gradient, not 12 */
  return true;
}

AD_API ad_status ad_backward(ad_var y) {
  ad_tape *t = y.tape;
  if (AD_LIKELY(t && ad__is_scalar(t, y))) {
    ad__begin_sweep(y, "backward");
    t->adjoint[y.node] = 1;
    ad__sweep(t, y.node);
    if (t->passive) ad__sweep_end(t);
    return t->status;
  }
  if (!t) return AD_ERROR_TAPE;
  if (y.kind == 0) return t->status != AD_OK ? t->status : AD_ERROR_TAPE;
  if (!ad__operand(t, y, "backward", "y")) return t->status;
  if (ad_rank(y) == 0) {
    const float one32 = 1;
    const double one64 = 1;
    return ad_backward_from(y, ad_type(y) == AD_F32 ? (const void *)&one32 : (const void *)&one64);
  }
  ad__fail(t, AD_ERROR_SHAPE, "ad_backward: y has rank %d; a tensor needs a seed (ad_backward_from)", ad_rank(y));
  return t->status;
}

AD_API ad_status ad_backward_from(ad_var y, const void *seed) {
  ad_tape *t = y.tape;
  if (!t) return AD_ERROR_TAPE;
  if (!seed) { ad__fail(t, AD_ERROR_ARGUMENT, "ad_backward_from: the seed is null"); return t->status; }
  if (y.kind == 0) return t->status != AD_OK ? t->status : AD_ERROR_TAPE;
  if (!ad__begin_sweep(y, "backward_from")) return t->status;
  if (y.kind & 1) ad__seed_tensor(y, seed);
  else memcpy(t->adjoint + y.node, seed, sizeof(double));
  ad__sweep(t, y.node);
  if (t->passive) ad__sweep_end(t);
  return t->status;
}

AD_API double ad__grad_apart(ad_var x) {
  ad_tape *t = x.tape;
  if (!t || !ad__operand(t, x, "grad", "x")) return (double)NAN;
  if (t->swept == 0) return (double)NAN;
  if (ad_rank(x) != 0) {
    ad__fail(t, AD_ERROR_SHAPE, "ad_grad: the variable has rank %d, a number has rank 0 (see ad_grad_data)", ad_rank(x));
    return (double)NAN;
  }
  if (x.kind & 1) {
    const void *g = ad_grad_data(x);
    return !g ? (double)NAN : ad_type(x) == AD_F32 ? (double)*(const float *)g : *(const double *)g;
  }
  return 0;
}

#endif /* AD_IMPLEMENTED */

#if defined(AD_IMPLEMENTATION) && !defined(AD__FUNCTION_IMPLEMENTATION) && !defined(AD__TEMPLATE)
#define AD__FUNCTION_IMPLEMENTATION

#if defined(AD_USE_OPENMP) && defined(_OPENMP)
#include <omp.h>
#endif

/* >>reverse-drivers ----------------------------------------------------------------------------------------------------- */

/* a tape whose first nodes lie on the stack */
#define AD__STACK_NODES 128
typedef struct ad__stack_tape {
  ad_tape tape;
  double memory[(AD__NODE_ROOM(AD__STACK_NODES) + sizeof(double) - 1) / sizeof(double)];
} ad__stack_tape;
static ad_tape *ad__stack_tape_open(ad__stack_tape *s) {
  ad__tape_start(&s->tape, NULL);
  ad__nodes_on(&s->tape, ad__aligned(s->memory), AD__STACK_NODES);
  return &s->tape;
}

#define AD__STACK_VARS 32
/* a recording of f: inputs are nodes 0 .. n-1 */
typedef struct ad__recording {
  ad__stack_tape own;
  ad_tape *tape;
  ad_var *x, *y, small[AD__STACK_VARS];
} ad__recording;

/* records f again on the same tape; y may be null */
static ad_status ad__rerecord(ad__recording *r, ad_var_map *f, void *context, size_t n, const double *x, size_t m, double *y) {
  ad_tape *t = r->tape;
  size_t kind;
  r->x = r->small;
  ad_tape_reset(t);
  if (n > UINT32_MAX || m > UINT32_MAX || n + m > PTRDIFF_MAX / sizeof(ad_var)) return AD_ERROR_LIMIT;
  if (n + m > AD__STACK_VARS) r->x = (ad_var *)ad__take(t, &t->storage, (n + m) * sizeof(ad_var), "recording");
  if (!r->x) return t->status;
  r->y = r->x + n;
  for (size_t i = 0; i < n; i++) r->x[i] = ad_variable(t, x[i]);
  for (size_t i = 0; i < m; i++) r->y[i] = ad_constant(t, 0);
  if (t->status != AD_OK) return t->status;
  kind = t->kind;
  f(r->x, r->y, context);
  if (t->kind != kind) ad__fail(t, AD_ERROR_TAPE, "recording: the function has reset its tape");
  for (size_t i = 0; i < m && t->status == AD_OK; i++) {
    if (r->y[i].tape != t || !ad_is_valid(r->y[i])) ad__fail(t, AD_ERROR_TAPE, "recording: output %zu is no variable of this recording", i);
    else if (ad_rank(r->y[i]) != 0 || ad_type(r->y[i]) == AD_I32) ad__fail_shapes(t, AD_ERROR_SHAPE, "recording", "an output must be a number", &r->y[i], 1);
    else if (y) y[i] = ad_value(r->y[i]);
  }
  return t->status;
}
static ad_status ad__record_map(ad__recording *r, ad_var_map *f, void *context, size_t n, const double *x, size_t m, double *y) {
  r->tape = NULL;
  if (!f || !x || n == 0 || m == 0) return AD_ERROR_ARGUMENT;
  r->tape = ad__stack_tape_open(&r->own);
  return ad__rerecord(r, f, context, n, x, m, y);
}
static ad_status ad__recording_close(ad__recording *r, ad_status status) { ad_tape_destroy(r->tape); return status; }

AD_API ad_status ad_gradient(ad_var_map *f, void *context, size_t n, const double *x, double *y, double *gradient) {
  return ad_jacobian_reverse(f, context, n, x, 1, y, gradient);
}

AD_API ad_status ad_jacobian_reverse(ad_var_map *f, void *context, size_t n, const double *x, size_t m, double *y, double *jacobian) {
  ad__recording r;
  ad_status status = jacobian ? ad__record_map(&r, f, context, n, x, m, y) : AD_ERROR_ARGUMENT;
  if (!jacobian) return status;
  if (status == AD_OK && n > PTRDIFF_MAX / sizeof(double) / m) status = AD_ERROR_LIMIT;
  for (size_t i = 0; i < m && status == AD_OK; i++) {
    const size_t used = (size_t)r.y[i].node + 1 < n ? (size_t)r.y[i].node + 1 : n;
    status = ad_backward(r.y[i]);
    memset(jacobian + i * n, 0, n * sizeof(double));
    memcpy(jacobian + i * n, r.tape->adjoint, used * sizeof(double));
  }
  return ad__recording_close(&r, status);
}

/* --- second order: the recording swept with duals, whose tangents are columns of the Hessian */

/* The rows only give the partials of node i, of numbers (w[i] follows) or of duals (added to a); one chain rule after the switch serves all. */
#define AD__NODE_PARTIALS_1(N, W, op, ...) case AD_NODE(AD_OP_##op, AD_PLAIN): p[0] = N##_##op##_dx(W(c->x), W(i)); break;
#define AD__NODE_PARTIALS_2(N, W, op, ...)                                                                                    \
  case AD_NODE(AD_OP_##op, AD_PLAIN): count = 2;                                                                              \
    p[0] = N##_##op##_dx(W(c->x), W(c->u.yz[0]), W(i)); p[1] = N##_##op##_dy(W(c->x), W(c->u.yz[0]), W(i)); break;            \
  case AD_NODE(AD_OP_##op, AD_Y_NUMBER): p[0] = N##_##op##_dx(W(c->x), N##_k(c->u.k), W(i)); break;                           \
  case AD_NODE(AD_OP_##op, AD_X_NUMBER): p[0] = N##_##op##_dy(N##_k(c->u.k), W(c->x), W(i)); break;
#define AD__NODE_PARTIALS_3(N, W, op, ...)                                                                                    \
  case AD_NODE(AD_OP_##op, AD_PLAIN): count = 3; p[0] = N##_##op##_dx(W(c->x), W(c->u.yz[0]), W(c->u.yz[1]), W(i));           \
    p[1] = N##_##op##_dy(W(c->x), W(c->u.yz[0]), W(c->u.yz[1]), W(i));                                                        \
    p[2] = N##_##op##_dz(W(c->x), W(c->u.yz[0]), W(c->u.yz[1]), W(i)); break;
#define AD__VALUE_AT(node) value[node]
#define AD__DUAL_AT(node) w[node]
static bool ad__sweep_tangents(const ad_tape *t, size_t from, size_t to, ad_dual *w) {
  const double *const value = t->value;
  for (size_t i = from; i < to; i++) {
    const ad__code *const c = t->code + i;
    double p[3];
    int count = 1;
    switch (c->op) {
      AD_UNARY(AD__NODE_PARTIALS_1, ad_f64, AD__VALUE_AT) AD_BINARY(AD__NODE_PARTIALS_2, ad_f64, AD__VALUE_AT) AD_TERNARY(AD__NODE_PARTIALS_3, ad_f64, AD__VALUE_AT)
      case AD_NODE(AD_OP_CONSTANT_, AD_PLAIN): case AD_NODE(AD_OP_VARIABLE_, AD_PLAIN): case AD_NODE(AD_OP_GUARD_, AD_PLAIN): count = 0; break;
      default: return false;
    }
    switch (count) {
      case 0: w[i] = ad_dual_constant(value[i]); break;
      case 1: w[i] = ad_dual__chain_1(value[i], p[0], w[c->x]); break;
      case 2: w[i] = ad_dual__chain_2(value[i], p[0], w[c->x], p[1], w[c->u.yz[0]]); break;
      default: w[i] = ad_dual__chain_3(value[i], p[0], w[c->x], p[1], w[c->u.yz[0]], p[2], w[c->u.yz[1]]);
    }
  }
  return true;
}

/* a += g times partial p, with R6 for each component; g is not 0 in all components */
static void ad__add_product(ad_dual *a, const ad_dual *g, const ad_dual *p) {
  if (g->v != 0) {
    a->v += g->v * p->v;
    ad_dual__add(a->d, p->v, g->d);
    ad_dual__add(a->d, g->v, p->d);
  } else *a = ad_dual_add(*a, ad_dual_seed(*g, *p));
}
static bool ad__dual_is_zero(const ad_dual *g) {
  bool zero = g->v == 0;
  for (int k = 0; k < AD_DUAL_WIDTH; k++) zero &= g->d[k] == 0;
  return zero;
}
static void ad__sweep_duals(const ad_tape *t, size_t from, const ad_dual *w, ad_dual *a) {
  for (size_t i = from + 1; i-- > 0;) {
    const ad__code *const c = t->code + i;
    const ad_dual *const g = a + i;
    ad_dual p[3];
    int count = 1;
    if (ad__dual_is_zero(g)) continue;
    switch (c->op) {
      AD_UNARY(AD__NODE_PARTIALS_1, ad_dual, AD__DUAL_AT) AD_BINARY(AD__NODE_PARTIALS_2, ad_dual, AD__DUAL_AT) AD_TERNARY(AD__NODE_PARTIALS_3, ad_dual, AD__DUAL_AT)
      default: continue;
    }
    ad__add_product(a + c->x, g, &p[0]);
    for (int k = 1; k < count; k++) ad__add_product(a + c->u.yz[k - 1], g, &p[k]);
  }
}

/* columns: the tangents of the inputs are the unit vectors first .. first + count - 1, or v (then count is 1) */
static ad_status ad__curvature(const ad__recording *r, size_t n, const double *v, size_t first, size_t count, ad_dual *w, ad_dual *a) {
  const size_t to = (size_t)r->y[0].node;
  for (size_t i = 0; i < n && i <= to; i++) {
    w[i] = ad_dual_constant(r->tape->value[i]);
    if (v) w[i].d[0] = v[i];
    else if (i >= first && i < first + count) w[i].d[i - first] = 1;
  }
  if (!ad__sweep_tangents(r->tape, n, to + 1, w)) return AD_ERROR_UNSUPPORTED;
  for (size_t i = 0; i <= to; i++) a[i] = ad_dual_constant(0);
  a[to].v = 1;
  ad__sweep_duals(r->tape, to, w, a);
  return AD_OK;
}

/* the same of a recording with tensors: the gradient as nodes, swept once a row, or its product with v */
static ad_status ad__curvature_of_tensors(ad__recording *r, size_t n, const double *v, double *gradient, double *out) {
  ad_tape *t = r->tape;
  ad_var *g = (ad_var *)ad__tape_take(t, n * sizeof *g), along;
  ad_status status = g ? ad_differentiate(r->y[0], r->x, n, g) : t->status;
  if (status != AD_OK) return status;
  along = ad_constant(t, 0);
  for (size_t i = 0; i < n && status == AD_OK; i++) {
    if (gradient) gradient[i] = ad_value(g[i]);
    if (v) along = ad_var_add(along, ad_var_mul_xk(g[i], v[i]));
    else status = ad_backward(g[i]);
    for (size_t k = 0; k < n && !v; k++) out[i * n + k] = ad_grad(r->x[k]);
  }
  if (v && status == AD_OK) status = ad_backward(along);
  for (size_t k = 0; k < n && v; k++) out[k] = ad_grad(r->x[k]);
  return status;
}

/* v null: the Hessian; else its product with v */
static ad_status ad__second_order(ad_var_map *f, void *context, size_t n, const double *x, const double *v, double *y, double *gradient,
                                  double *out) {
  ad__recording r;
  ad_dual *w = NULL, *a;
  size_t nodes = 0;
  bool tensors = false;
  ad_status status = ad__record_map(&r, f, context, n, x, 1, y);
  if (status == AD_OK && !v && n > PTRDIFF_MAX / sizeof(double) / n) status = AD_ERROR_LIMIT;
  for (size_t i = n; status == AD_OK && i <= r.y[0].node && !tensors; i++) tensors = ad__is_tensor(r.tape, i);
  if (tensors) status = ad__curvature_of_tensors(&r, n, v, gradient, out);
  else if (status == AD_OK) {
    nodes = (size_t)r.y[0].node + 1 > n ? (size_t)r.y[0].node + 1 : n;
    if (nodes > PTRDIFF_MAX / (2 * sizeof *w)) status = AD_ERROR_LIMIT;
    else if (!(w = (ad_dual *)ad__take(r.tape, &r.tape->storage, 2 * nodes * sizeof *w, "ad_hessian"))) status = r.tape->status;
  }
  if (status == AD_OK && !tensors) {
    const size_t width = v ? n : AD_DUAL_WIDTH;
    a = w + nodes;
    for (size_t i = 0; i < nodes; i++) a[i] = ad_dual_constant(0);
    for (size_t first = 0; first < n && status == AD_OK; first += width) {
      const size_t count = v ? 1 : n - first < width ? n - first : width;
      status = ad__curvature(&r, n, v, first, count, w, a);
      for (size_t i = 0; i < n && status == AD_OK; i++)
        for (size_t k = 0; k < count; k++) out[v ? i : i * n + first + k] = a[i].d[k];
    }
    if (gradient && status == AD_OK)
      for (size_t i = 0; i < n; i++) gradient[i] = a[i].v;
  }
  return ad__recording_close(&r, status);
}
AD_API ad_status ad_hessian(ad_var_map *f, void *context, size_t n, const double *x, double *y, double *gradient, double *hessian) {
  return hessian ? ad__second_order(f, context, n, x, NULL, y, gradient, hessian) : AD_ERROR_ARGUMENT;
}
AD_API ad_status ad_hessian_vector(ad_var_map *f, void *context, size_t n, const double *x, const double *v, double *y,
                                   double *gradient, double *hv) {
  return v && hv ? ad__second_order(f, context, n, x, v, y, gradient, hv) : AD_ERROR_ARGUMENT;
}

/* >>check --------------------------------------------------------------------------------------------------------------- */

AD_API ad_status ad_check_gradient_report(ad_var_map *f, void *context, size_t n, const double *x, double tolerance,
                                          ad_gradient_report *report) {
  ad__recording r;
  ad_gradient_report worst = { 0, 0, 0, 0 };
  double *at = NULL, *gradient;
  ad_status status;
  if (!f || !x || n == 0 || !(tolerance >= 0)) return AD_ERROR_ARGUMENT;
  if (n > PTRDIFF_MAX / (2 * sizeof *at)) return AD_ERROR_LIMIT;
  at = (double *)AD_MALLOC(2 * n * sizeof *at);
  if (!at) return AD_ERROR_MEMORY;
  gradient = at + n;
  memcpy(at, x, n * sizeof *at);
  status = ad_gradient(f, context, n, x, NULL, gradient);
  if (status == AD_OK) status = ad__record_map(&r, f, context, n, x, 1, NULL);
  else r.tape = NULL;
  for (size_t i = 0; i < n && status == AD_OK; i++) {
    const double step = 0x1.965fea53d6e3dp-18 * (fabs(x[i]) > 1 ? fabs(x[i]) : 1), up = x[i] + step, down = x[i] - step;
    double above = 0, below = 0, difference, error;
    at[i] = up;
    status = ad__rerecord(&r, f, context, n, at, 1, &above);
    at[i] = down;
    if (status == AD_OK) status = ad__rerecord(&r, f, context, n, at, 1, &below);
    at[i] = x[i];
    difference = (above - below) / (up - down);
    error = fabs(gradient[i] - difference) / (fabs(gradient[i]) > 1 ? fabs(gradient[i]) : 1);
    if (gradient[i] == difference) error = 0;                             /* infinite ones too */
    if (i == 0 || !(error <= worst.error)) {
      worst.entry = i; worst.error = error; worst.gradient = gradient[i]; worst.difference = difference;
      if (error != error) break;
    }
  }
  if (r.tape) ad_tape_destroy(r.tape);
  AD_FREE(at);
  if (report) *report = worst;
  return status == AD_OK && !(worst.error <= tolerance) ? AD_ERROR_ARGUMENT : status;
}
AD_API ad_status ad_check_gradient(ad_var_map *f, void *context, size_t n, const double *x, double tolerance, double *worst) {
  ad_gradient_report report = { 0, 0, 0, 0 };
  const ad_status status = ad_check_gradient_report(f, context, n, x, tolerance, &report);
  if (worst) *worst = report.error;
  return status;
}

#define AD__PARTIALS_1(N, D, op, ...) case AD_OP_##op: p[0] = N##_##op##_dx(x, v); break;
#define AD__PARTIALS_2(N, D, op, ...) case AD_OP_##op: p[0] = N##_##op##_dx(x, y, v); p[1] = N##_##op##_dy(x, y, v); break;
#define AD__PARTIALS_3(N, D, op, ...)                                                                                         \
  case AD_OP_##op: p[0] = N##_##op##_dx(x, y, z, v); p[1] = N##_##op##_dy(x, y, z, v); p[2] = N##_##op##_dz(x, y, z, v); break;
/* nodes of the operands of a scalar node, how many, and the partials with respect to them */
static int ad__operands(const ad_tape *t, size_t i, uint32_t node[3], double partial[3]) {
  const ad__code *c = t->code + i;
  const int opcode = AD_NODE_OP(c->op), form = AD_NODE_FORM(c->op);
  double x, y = 0, z = 0, v = t->value[i], p[3] = { 0, 0, 0 };
  int n;
  node[0] = c->x;
  if (form == AD_ON_TENSORS || opcode == AD_OP_CONSTANT_ || opcode == AD_OP_VARIABLE_ || opcode >= AD_OP_CALL_) return 0;
  if (opcode == AD_OP_GUARD_) { partial[0] = 0; return 1; }
  n = form == AD_PLAIN ? ad_ops[opcode].arity : 1;
  for (int k = 1; k < n; k++) node[k] = c->u.yz[k - 1];
  x = form == AD_X_NUMBER ? c->u.k : t->value[c->x];
  if (form != AD_PLAIN) y = form == AD_X_NUMBER ? t->value[c->x] : c->u.k;
  else if (n > 1) y = t->value[node[1]];
  if (n > 2) z = t->value[node[2]];
  switch (opcode) {
    AD_UNARY(AD__PARTIALS_1, ad_f64, ) AD_BINARY(AD__PARTIALS_2, ad_f64, ) AD_TERNARY(AD__PARTIALS_3, ad_f64, )
    default: break;
  }
  for (int k = 0; k < n; k++) partial[k] = p[form == AD_X_NUMBER ? 1 : k];
  return n;
}
static const char *ad__node_name(const ad_tape *t, size_t i) {
  const ad_tensor_op *op = ad__is_tensor(t, i) ? ad__tensor_at(t, i)->op : NULL;
  return op ? op->name : ad__op_name(t->code[i].op);
}
/* the first element that is not finite, SIZE_MAX: none; of a view its base is asked */
static size_t ad__not_finite(const ad_tape *t, size_t i) {
  if (!ad__is_tensor(t, i)) return isfinite(t->value[i]) ? SIZE_MAX : 0;
  const ad__tensor *r = ad__tensor_at(t, i);
  if (r->a.dtype == AD_I32 || !r->a.contiguous) return SIZE_MAX;
  for (size_t k = 0; k < r->a.size; k++)
    if (!isfinite(r->a.dtype == AD_F32 ? (double)((const float *)r->a.data)[k] : ((const double *)r->a.data)[k])) return k;
  return SIZE_MAX;
}
static void ad__print_node(const ad_tape *t, size_t i, FILE *out) {
  uint32_t node[3];
  double partial[3];
  const ad__code *c = t->code + i;
  const int partials = ad__operands(t, i, node, partial), form = AD_NODE_FORM(c->op);
  const uint32_t n = partials ? (uint32_t)partials : ad__operand_count(t, i);
  fprintf(out, "  node %zu = %s(", i, ad__node_name(t, i));
  if (form == AD_X_NUMBER) fprintf(out, "%.9g, ", c->u.k);
  for (uint32_t k = 0; k < n; k++) fprintf(out, "%snode %u", k ? ", " : "", (unsigned)(partials ? node[k] : ad__operand_node(t, i, k)));
  if (form == AD_Y_NUMBER) fprintf(out, ", %.9g", c->u.k);
  if (form == AD_ON_TENSORS) {
    char shape[200];
    const ad__strided *a = &ad__tensor_at(t, i)->a;
    const size_t k = ad__not_finite(t, i);
    ad__print_shape(shape, sizeof shape, a);
    fprintf(out, "), shape %s", shape);
    if (k != SIZE_MAX) fprintf(out, ", element %zu = %.9g", k, a->dtype == AD_F32 ? (double)((const float *)a->data)[k] : ((const double *)a->data)[k]);
  } else fprintf(out, ") = %.9g", t->value[i]);
  for (int k = 0; k < partials; k++) fprintf(out, "%s%.9g", k ? ", " : ", partials ", partial[k]);
  if (i < t->traced) fprintf(out, "  (%s:%d)", t->place[i].file, t->place[i].line);
  fprintf(out, "\n");
}
AD_API bool ad_tape_check(const ad_tape *t, FILE *out) {
  for (size_t i = 0; t && i < t->count; i++) {
    uint32_t node[3];
    double partial[3];
    bool finite = ad__not_finite(t, i) == SIZE_MAX;
    const int n = ad__operands(t, i, node, partial);
    for (int k = 0; k < n; k++) finite &= AD_NODE_OP(t->code[node[k]].op) == AD_OP_CONSTANT_ || isfinite(partial[k]);
    if (finite) continue;
    if (out) {
      uint32_t chain[24];
      int count = 1;
      fprintf(out, "first value or partial that is not finite:\n");
      ad__print_node(t, i, out);
      chain[0] = (uint32_t)i;
      for (int at = 0; at < count; at++)
        for (uint32_t k = 0; k < ad__operand_count(t, chain[at]) && count < 24; k++) {
          const uint32_t operand = ad__operand_node(t, chain[at], k);
          bool seen = false;
          for (int j = 0; j < count; j++) seen |= chain[j] == operand;
          if (!seen) { ad__print_node(t, operand, out); chain[count++] = operand; }
        }
    }
    return false;
  }
  return true;
}

/* >>print --------------------------------------------------------------------------------------------------------------- */

AD_API ad_status ad_tape_write_dot(const ad_tape *t, FILE *out) {
  if (!t || !out) return AD_ERROR_ARGUMENT;
  fprintf(out, "digraph tape {\n  rankdir = LR;\n  node [shape = record];\n");
  for (size_t i = 0; i < t->count; i++) {
    const ad__code *c = t->code + i;
    const int form = AD_NODE_FORM(c->op);
    uint32_t node[3];
    double partial[3];
    const int n = ad__operands(t, i, node, partial);
    fprintf(out, "  n%zu [label = \"%s", i, ad__node_name(t, i));
    if (form == AD_X_NUMBER || form == AD_Y_NUMBER) fprintf(out, form == AD_X_NUMBER ? " %.6g, x" : " x, %.6g", c->u.k);
    if (ad__is_tensor(t, i)) {
      char shape[200];
      ad__print_shape(shape, sizeof shape, &ad__tensor_at(t, i)->a);
      fprintf(out, " | %s", shape);
    } else fprintf(out, " | value %.9g", t->value[i]);
    if (i < t->swept && !ad__is_tensor(t, i)) fprintf(out, " | adjoint %.9g", t->adjoint[i]);
    fprintf(out, "\"];\n");
    for (int k = 0; k < n; k++) fprintf(out, "  n%u -> n%zu [label = \"%.6g\"];\n", (unsigned)node[k], i, partial[k]);
    for (uint32_t k = 0; ad__is_tensor(t, i) && k < ad__operand_count(t, i); k++) fprintf(out, "  n%u -> n%zu;\n", (unsigned)ad__operand_node(t, i, k), i);
  }
  fprintf(out, "}\n");
  return fflush(out) || ferror(out) ? AD_ERROR_ARGUMENT : AD_OK;
}

/* >>function, implementation ---------------------------------------------------------------------------------------------- */

/* --- the intermediate representation: nodes in topological order, equal ones shared by hashing */

/* opcodes: the rows of the table are AD_OP_*, these come after them */
enum {
  AD__IR_CONST = AD_OP_COUNT_, AD__IR_INPUT, AD__IR_SEED, AD__IR_ALONG, AD__IR_LT, AD__IR_LE, AD__IR_EQ, AD__IR_NE, AD__IR_AND, AD__IR_OR, AD__IR_NOT,
  AD__IR_SELECT, AD__IR_ONLY, AD__IR_NUMBER, AD__IR_FNMA,
  /* made by lowering only */
  AD__IR_MULADD,                     /* c + a*b, both rounded */
  AD__IR_MULSUB,                     /* a*b - c */
  AD__IR_NMULADD,                    /* c - a*b */
  AD__IR_SEEDADD, AD__IR_SEEDSUB,    /* c + seed(a, b), c - seed(a, b) */
  AD__IR_ALONGADD, AD__IR_ALONGSUB,
  AD__IR_SUM,                        /* a + term[b] + term[b + 1] + ..., c terms, in this order (packed programs) */
  AD__IR_ACCUMULATE,                 /* the sum of c terms {kind, x, y} from term[b] on, kept in registers (programs over lanes) */
  /* operations of the program's own (>>custom): operands as a list FIRST a, NEXT a (b the list before), CALL of list a with c operands (b: which
     operation, and what of it), RESULT number b of call a. Lowering makes one instruction of call and list: a which, b first term, c terms */
  AD__IR_FIRST, AD__IR_NEXT, AD__IR_CALL, AD__IR_RESULT,
  AD__IR_END
};
#define AD__NONE UINT32_MAX
AD_LOCAL bool ad__is_call(uint32_t op) { return op >= AD__IR_FIRST && op <= AD__IR_RESULT; }

/* what is called of a custom operation with n inputs and m outputs; derived: its rule derive as a function of x y w. X stands for x y w. */
enum { AD__CALL_VALUE,               /* x -> y */
       AD__CALL_VJP,                 /* x y w -> gx, by vjp or derived */
       AD__CALL_JVP,                 /* x y dx -> dy */
       AD__CALL_BACK,                /* X, weights of gx -> adjoints of X */
       AD__CALL_ALONG,               /* X dX -> tangent of gx */
       AD__CALLS };
/* What threads share: programs, plans and derived functions are published once, work spaces taken and put back. Builtins where the compiler has
   them (C++ too), else C11 atomics; without either a function is for one thread at a time. */
#if defined(__GNUC__) && !defined(__TINYC__)
typedef void *ad__shared;
typedef long ad__users;
AD_LOCAL void *ad__swap(ad__shared *at, void *p) { return __atomic_exchange_n(at, p, __ATOMIC_ACQ_REL); }
AD_LOCAL void *ad__published(const ad__shared *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
AD_LOCAL bool ad__publish(ad__shared *at, void *p) {
  void *none = NULL;
  return __atomic_compare_exchange_n(at, &none, p, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
AD_LOCAL long ad__count_users(ad__users *users, long more) { return __atomic_add_fetch(users, more, __ATOMIC_ACQ_REL); }
#elif !defined(__cplusplus) && !defined(__STDC_NO_ATOMICS__) && !defined(__TINYC__)
#include <stdatomic.h>
typedef _Atomic(void *) ad__shared;
typedef _Atomic(long) ad__users;
AD_LOCAL void *ad__swap(ad__shared *at, void *p) { return atomic_exchange_explicit(at, p, memory_order_acq_rel); }
AD_LOCAL void *ad__published(const ad__shared *at) { return atomic_load_explicit((ad__shared *)(uintptr_t)at, memory_order_acquire); }
AD_LOCAL bool ad__publish(ad__shared *at, void *p) {
  void *none = NULL;
  return atomic_compare_exchange_strong_explicit(at, &none, p, memory_order_acq_rel, memory_order_acquire);
}
AD_LOCAL long ad__count_users(ad__users *users, long more) { return atomic_fetch_add_explicit(users, more, memory_order_acq_rel) + more; }
#else
typedef void *ad__shared;
typedef long ad__users;
AD_LOCAL void *ad__swap(ad__shared *at, void *p) { void *old = *at; *at = p; return old; }
AD_LOCAL void *ad__published(const ad__shared *at) { return *at; }
AD_LOCAL bool ad__publish(ad__shared *at, void *p) { if (*at) return false; *at = p; return true; }
AD_LOCAL long ad__count_users(ad__users *users, long more) { return *users += more; }
#endif

typedef struct ad__callee { const ad_custom *op; ad_function *derived; } ad__callee;
typedef struct ad__callees { ad__users users; uint32_t count, room; ad__callee *item; } ad__callees;

typedef struct ad__node { uint32_t op, a, b, c; } ad__node;     /* CONST: the bits of the number in a, b; INPUT: its place in a */

typedef struct ad__ir {
  ad__node *node; uint32_t *hash;          /* hash: open addressing, node + 1 or 0 */
  uint32_t n, capacity, hash_size;
  bool failed, loose;                      /* loose: the sign of a zero may change (derivatives) */
  bool written;                            /* for C output: vjp and jvp come before derive, which cannot be written */
  ad__callees *callees;                    /* what CALL nodes call; of the function */
} ad__ir;

typedef struct ad__expr { ad__ir *ir; uint32_t node; double k; } ad__expr;       /* ir NULL: the constant k */
typedef struct ad__expr_mask { ad__ir *ir; uint32_t node; bool k; } ad__expr_mask;

AD_LOCAL void *ad__array(size_t count, size_t size) {
  if (count == 0) count = 1;
  return count > PTRDIFF_MAX / size ? NULL : AD_MALLOC(count * size);
}

/* room for one more element in an array that grows; false: no memory, nothing changed */
AD_LOCAL bool ad__room(void **array, size_t count, size_t *room, size_t size) {
  if (count < *room) return true;
  void *more = ad__array(*room ? 2 * *room : 32, size);
  if (!more) return false;
  if (count) memcpy(more, *array, count * size);
  *room = *room ? 2 * *room : 32;
  AD_FREE(*array);
  *array = more;
  return true;
}

AD_LOCAL uint32_t ad__ir_mix(uint32_t op, uint32_t a, uint32_t b, uint32_t c) {
  uint64_t h = (uint64_t)op * 0x9E3779B97F4A7C15u ^ ((uint64_t)a << 32 | b) * 0xC2B2AE3D27D4EB4Fu ^ (uint64_t)c * 0x165667B19E3779F9u;
  h ^= h >> 29; h *= 0xBF58476D1CE4E5B9u;
  return (uint32_t)(h >> 32);
}

AD_LOCAL bool ad__ir_reserve(ad__ir *ir, uint32_t capacity) {
  if (capacity <= ir->capacity) return true;
  if (capacity > UINT32_MAX / 8) return false;
  uint32_t size = 16;
  while (size < 2 * capacity) size *= 2;
  ad__node *node = (ad__node *)ad__array(capacity, sizeof *node);
  uint32_t *hash = (uint32_t *)ad__array(size, sizeof *hash);
  if (!node || !hash) { AD_FREE(node); AD_FREE(hash); return false; }
  if (ir->n) memcpy(node, ir->node, ir->n * sizeof *node);
  AD_FREE(ir->node); AD_FREE(ir->hash);
  ir->node = node;
  ir->hash = hash; ir->hash_size = size; ir->capacity = capacity;
  memset(hash, 0, size * sizeof *hash);
  for (uint32_t i = 0; i < ir->n; i++) {
    uint32_t h = ad__ir_mix(node[i].op, node[i].a, node[i].b, node[i].c) & (size - 1);
    while (hash[h]) h = (h + 1) & (size - 1);
    hash[h] = i + 1;
  }
  return true;
}

/* the node, new or old; after a failed allocation node 0 and ir->failed */
AD_LOCAL uint32_t ad__ir_append(ad__ir *ir, uint32_t op, uint32_t a, uint32_t b, uint32_t c) {
  if (ir->failed || (ir->n == ir->capacity && !ad__ir_reserve(ir, ir->capacity ? 2 * ir->capacity : 64))) { ir->failed = true; return 0; }
  uint32_t h = ad__ir_mix(op, a, b, c) & (ir->hash_size - 1);
  for (; ir->hash[h]; h = (h + 1) & (ir->hash_size - 1)) {
    const ad__node *q = &ir->node[ir->hash[h] - 1];
    if (q->op == op && q->a == a && q->b == b && q->c == c) return ir->hash[h] - 1;
  }
  ad__node *p = &ir->node[ir->n];
  p->op = op; p->a = a; p->b = b; p->c = c;
  ir->hash[h] = ++ir->n;
  return ir->n - 1;
}

AD_LOCAL void ad__ir_free(ad__ir *ir) { AD_FREE(ir->node); AD_FREE(ir->hash); memset(ir, 0, sizeof *ir); }

AD_LOCAL bool ad__ir_copy(ad__ir *to, const ad__ir *from) {
  memset(to, 0, sizeof *to);
  if (from->failed || !ad__ir_reserve(to, from->n ? 2 * from->n : 64)) { to->failed = true; return false; }
  to->callees = from->callees;
  for (uint32_t i = 0; i < from->n; i++) ad__ir_append(to, from->node[i].op, from->node[i].a, from->node[i].b, from->node[i].c);
  return !to->failed;
}

AD_LOCAL double ad__node_constant(const ad__node *p) {
  uint64_t bits = (uint64_t)p->a << 32 | p->b;
  double k;
  memcpy(&k, &bits, sizeof k);
  return k;
}
AD_LOCAL uint32_t ad__ir_constant(ad__ir *ir, double k) {
  uint64_t bits;
  memcpy(&bits, &k, sizeof bits);
  return ad__ir_append(ir, AD__IR_CONST, (uint32_t)(bits >> 32), (uint32_t)bits, 0);
}

/* --- expressions: a number system whose words append nodes, simplified where they are made */

AD_LOCAL ad__expr ad__expr_k(double k) { ad__expr e; e.ir = NULL; e.node = 0; e.k = k; return e; }
AD_LOCAL ad__expr ad__expr_at(ad__ir *ir, uint32_t node) {
  ad__expr e; e.ir = ir; e.node = node; e.k = 0;
  return ir->failed ? ad__expr_k(0) : ir->node[node].op == AD__IR_CONST ? ad__expr_k(ad__node_constant(&ir->node[node])) : e;
}
AD_LOCAL uint32_t ad__expr_node(ad__ir *ir, ad__expr e) { return e.ir ? e.node : ad__ir_constant(ir, e.k); }
AD_LOCAL bool ad__expr_is(ad__expr e, double k) { return !e.ir && e.k == k; }
AD_LOCAL bool ad__expr_same(ad__expr a, ad__expr b) { return a.ir && b.ir && a.node == b.node; }
AD_LOCAL uint32_t ad__expr_op(ad__expr e) { return e.ir && !e.ir->failed ? e.ir->node[e.node].op : (uint32_t)AD__IR_CONST; }
AD_LOCAL ad__expr ad__expr_operand(ad__expr e) { return ad__expr_at(e.ir, e.ir->node[e.node].a); }
AD_LOCAL ad__expr ad__expr_1(uint32_t op, ad__expr x);
AD_LOCAL ad__expr ad__expr_2(uint32_t op, ad__expr x, ad__expr y);
AD_LOCAL ad__expr ad__expr_3(uint32_t op, ad__expr x, ad__expr y, ad__expr z);
AD_LOCAL ad__expr_mask ad__expr_lt(ad__expr x, ad__expr y);
AD_LOCAL ad__expr_mask ad__expr_le(ad__expr x, ad__expr y);
AD_LOCAL ad__expr_mask ad__expr_eq(ad__expr x, ad__expr y);
AD_LOCAL ad__expr_mask ad__expr_ne(ad__expr x, ad__expr y);
AD_LOCAL ad__expr ad__expr_only(ad__expr_mask m, ad__expr x);

#define AD__EXPR_1(N, D, op, ...)                                                                                             \
  AD_LOCAL ad__expr ad__expr_##op(ad__expr x) { return x.ir ? ad__expr_1(AD_OP_##op, x) : ad__expr_k(ad_f64_##op(x.k)); }
#define AD__EXPR_2(N, D, op, ...)                                                                                             \
  AD_LOCAL ad__expr ad__expr_##op(ad__expr x, ad__expr y) {                                                                   \
    return x.ir || y.ir ? ad__expr_2(AD_OP_##op, x, y) : ad__expr_k(ad_f64_##op(x.k, y.k)); }
#define AD__EXPR_3(N, D, op, ...)                                                                                             \
  AD_LOCAL ad__expr ad__expr_##op(ad__expr x, ad__expr y, ad__expr z) {                                                       \
    return x.ir || y.ir || z.ir ? ad__expr_3(AD_OP_##op, x, y, z) : ad__expr_k(ad_f64_##op(x.k, y.k, z.k)); }
AD_UNARY(AD__EXPR_1, , ) AD_BINARY(AD__EXPR_2, , ) AD_TERNARY(AD__EXPR_3, , )

AD_LOCAL ad__expr ad__expr_plain_1(uint32_t op, ad__expr x) { return ad__expr_at(x.ir, ad__ir_append(x.ir, op, x.node, 0, 0)); }
AD_LOCAL ad__expr ad__expr_plain_2(uint32_t op, ad__expr x, ad__expr y) {
  ad__ir *ir = x.ir ? x.ir : y.ir;
  uint32_t a = ad__expr_node(ir, x), b = ad__expr_node(ir, y);
  return ad__expr_at(ir, ad__ir_append(ir, op, a, b, 0));
}
AD_LOCAL ad__expr ad__expr_symmetric(uint32_t op, ad__expr x, ad__expr y) {
  ad__ir *ir = x.ir ? x.ir : y.ir;
  uint32_t a = ad__expr_node(ir, x), b = ad__expr_node(ir, y);
  return ad__expr_at(ir, ad__ir_append(ir, op, a < b ? a : b, a < b ? b : a, 0));
}

AD_LOCAL ad__expr ad__expr_1(uint32_t op, ad__expr x) {
  if (op == AD_OP_square) return ad__expr_mul(x, x);
  if (op == AD_OP_neg) {
    if (ad__expr_op(x) == AD_OP_neg) return ad__expr_operand(x);
    if (x.ir->loose && ad__expr_op(x) == AD_OP_sub) return ad__expr_sub(ad__expr_at(x.ir, x.ir->node[x.node].b), ad__expr_operand(x));
  }
  return ad__expr_plain_1(op, x);
}

AD_LOCAL ad__expr ad__expr_2(uint32_t op, ad__expr x, ad__expr y) {
  if (op == AD_OP_less) return ad__expr_only(ad__expr_lt(x, y), ad__expr_k(1));
  if (op == AD_OP_less_equal) return ad__expr_only(ad__expr_le(x, y), ad__expr_k(1));
  if (op == AD_OP_equal) return ad__expr_only(ad__expr_eq(x, y), ad__expr_k(1));
  if (op == AD_OP_not_equal) return ad__expr_only(ad__expr_ne(x, y), ad__expr_k(1));
  bool loose = (x.ir ? x.ir : y.ir)->loose, nx = ad__expr_op(x) == AD_OP_neg, ny = ad__expr_op(y) == AD_OP_neg;
  switch (op) {
    case AD_OP_add:
      if (ad__expr_is(x, 0)) return y;             /* but for the sign of a zero */
      if (ad__expr_is(y, 0)) return x;
      if (ny) return ad__expr_sub(x, ad__expr_operand(y));
      if (nx) return ad__expr_sub(y, ad__expr_operand(x));
      return ad__expr_symmetric(op, x, y);
    case AD_OP_sub:
      if (ad__expr_is(y, 0) && !signbit(y.k)) return x;       /* x - -0 is how the table makes +0 of -0 */
      if (ad__expr_is(x, 0) && (loose || signbit(x.k))) return ad__expr_neg(y);
      if (ny) return ad__expr_add(x, ad__expr_operand(y));
      if (nx && loose) return ad__expr_neg(ad__expr_add(ad__expr_operand(x), y));
      break;
    case AD_OP_mul:
      if (ad__expr_is(x, 1)) return y;
      if (ad__expr_is(y, 1)) return x;
      if (ad__expr_is(x, -1)) return ad__expr_neg(y);
      if (ad__expr_is(y, -1)) return ad__expr_neg(x);
      if (ad__expr_is(x, 0) || ad__expr_is(y, 0)) return ad__expr_k(0);       /* a zero that was recorded as a constant is structural */
      if (nx && ny) return ad__expr_mul(ad__expr_operand(x), ad__expr_operand(y));
      if (nx) return ad__expr_neg(ad__expr_mul(ad__expr_operand(x), y));
      if (ny) return ad__expr_neg(ad__expr_mul(x, ad__expr_operand(y)));
      return ad__expr_symmetric(op, x, y);
    case AD_OP_div:
      if (ad__expr_is(y, 1)) return x;
      if (ad__expr_is(y, -1)) return ad__expr_neg(x);
      if (!y.ir && y.k != 0 && isfinite(1 / y.k)) {
        int e;
        if (fabs(frexp(y.k, &e)) == 0.5) return ad__expr_mul(x, ad__expr_k(1 / y.k));
      }
      if (nx && ny) return ad__expr_div(ad__expr_operand(x), ad__expr_operand(y));
      if (nx) return ad__expr_neg(ad__expr_div(ad__expr_operand(x), y));
      if (ny) return ad__expr_neg(ad__expr_div(x, ad__expr_operand(y)));
      break;
    default: break;
  }
  return ad__expr_plain_2(op, x, y);
}

AD_LOCAL ad__expr_mask ad__mask_k(bool k) { ad__expr_mask m; m.ir = NULL; m.node = 0; m.k = k; return m; }
AD_LOCAL ad__expr_mask ad__mask_at(ad__ir *ir, uint32_t node) { ad__expr_mask m; m.ir = ir; m.node = node; m.k = false; return ir->failed ? ad__mask_k(false) : m; }
AD_LOCAL ad__expr_mask ad__expr_not(ad__expr_mask m) {
  if (!m.ir) return ad__mask_k(!m.k);
  if (!m.ir->failed && m.ir->node[m.node].op == AD__IR_NOT) return ad__mask_at(m.ir, m.ir->node[m.node].a);
  return ad__mask_at(m.ir, ad__ir_append(m.ir, AD__IR_NOT, m.node, 0, 0));
}
/* x is 1 where a mask holds, 0 elsewhere */
AD_LOCAL bool ad__expr_is_truth(ad__expr x) { return ad__expr_op(x) == AD__IR_ONLY && ad__expr_is(ad__expr_at(x.ir, x.ir->node[x.node].b), 1); }
AD_LOCAL ad__expr_mask ad__expr_compare(uint32_t op, ad__expr x, ad__expr y) {
  if (op == AD__IR_EQ || op == AD__IR_NE) {
    ad__expr t = ad__expr_is(y, 0) ? x : y;
    if ((ad__expr_is(x, 0) || ad__expr_is(y, 0)) && ad__expr_is_truth(t)) {
      ad__expr_mask m = ad__mask_at(t.ir, t.ir->node[t.node].a);
      return op == AD__IR_NE ? m : ad__expr_not(m);
    }
  }
  ad__expr e = op == AD__IR_EQ || op == AD__IR_NE ? ad__expr_symmetric(op, x, y) : ad__expr_plain_2(op, x, y);
  return e.ir ? ad__mask_at(e.ir, e.node) : ad__mask_k(false);
}
#define AD__EXPR_COMPARE(op, OP)                                                                                              \
  AD_LOCAL ad__expr_mask ad__expr_##op(ad__expr x, ad__expr y) {                                                              \
    return x.ir || y.ir ? ad__expr_compare(AD__IR_##OP, x, y) : ad__mask_k(ad_f64_##op(x.k, y.k)); }
AD__EXPR_COMPARE(lt, LT) AD__EXPR_COMPARE(le, LE) AD__EXPR_COMPARE(eq, EQ) AD__EXPR_COMPARE(ne, NE)

AD_LOCAL ad__expr_mask ad__expr_and(ad__expr_mask a, ad__expr_mask b) {
  if (!a.ir) return a.k ? b : a;
  if (!b.ir) return b.k ? a : b;
  if (a.node == b.node) return a;
  return ad__mask_at(a.ir, ad__ir_append(a.ir, AD__IR_AND, a.node < b.node ? a.node : b.node, a.node < b.node ? b.node : a.node, 0));
}
AD_LOCAL ad__expr_mask ad__expr_or(ad__expr_mask a, ad__expr_mask b) {
  if (!a.ir) return a.k ? a : b;
  if (!b.ir) return b.k ? b : a;
  if (a.node == b.node) return a;
  return ad__mask_at(a.ir, ad__ir_append(a.ir, AD__IR_OR, a.node < b.node ? a.node : b.node, a.node < b.node ? b.node : a.node, 0));
}
/* g*d where g is not +-0, else exactly 0 (R6): SEED; ALONG: where neither is, for tangents g, so that forward and reverse
   agree where reverse has dropped a zero adjoint. No mask where g is a number, or d is a finite one. */
AD_LOCAL ad__expr ad__expr_product(uint32_t op, ad__expr g, ad__expr d);
AD_LOCAL ad__expr ad__expr_seed(ad__expr g, ad__expr d) { return ad__expr_product(AD__IR_SEED, g, d); }
AD_LOCAL ad__expr ad__expr_only(ad__expr_mask m, ad__expr x) {
  if (!m.ir) return m.k ? x : ad__expr_k(0);
  if (ad__expr_is(x, 0)) return x;
  if (!m.ir->failed && m.ir->node[m.node].op == AD__IR_NE && ad__expr_op(x) == AD_OP_mul) {       /* the seed word of the rules */
    ad__node q = m.ir->node[m.node], p = x.ir->node[x.node];
    ad__expr qa = ad__expr_at(m.ir, q.a), qb = ad__expr_at(m.ir, q.b);
    ad__expr g = ad__expr_is(qb, 0) ? qa : qb;
    if ((ad__expr_is(qa, 0) || ad__expr_is(qb, 0)) && g.ir && (p.a == g.node || p.b == g.node))
      return ad__expr_seed(g, ad__expr_at(x.ir, p.a == g.node ? p.b : p.a));
  }
  return ad__expr_at(m.ir, ad__ir_append(m.ir, AD__IR_ONLY, m.node, ad__expr_node(m.ir, x), 0));
}
AD_LOCAL ad__expr ad__expr_select(ad__expr_mask m, ad__expr a, ad__expr b) {
  if (!m.ir) return m.k ? a : b;
  if (ad__expr_same(a, b)) return a;
  if (!b.ir && b.k == 0 && !signbit(b.k)) return ad__expr_only(m, a);
  uint32_t na = ad__expr_node(m.ir, a), nb = ad__expr_node(m.ir, b);
  return ad__expr_at(m.ir, ad__ir_append(m.ir, AD__IR_SELECT, m.node, na, nb));
}
AD_LOCAL ad__expr ad__expr_product(uint32_t op, ad__expr g, ad__expr d) {
  if (ad__expr_is(g, 0) || ad__expr_is(d, 0)) return ad__expr_k(0);
  if ((!g.ir && op == AD__IR_SEED) || (!d.ir && isfinite(d.k)) || (!g.ir && !d.ir)) return ad__expr_mul(g, d);
  if (ad__expr_op(g) == AD_OP_neg) return ad__expr_neg(ad__expr_product(op, ad__expr_operand(g), d));
  if (ad__expr_op(d) == AD_OP_neg) return ad__expr_neg(ad__expr_product(op, g, ad__expr_operand(d)));
  if (ad__expr_is_truth(d))
    return ad__expr_only(ad__mask_at(d.ir, d.ir->node[d.node].a), g);
  if (!g.ir && isfinite(g.k)) return fabs(g.k) == 1 ? ad__expr_mul(g, d) : ad__expr_product(AD__IR_SEED, d, g);
  return ad__expr_plain_2(op, g, d);
}
AD_LOCAL ad__expr ad__expr_3(uint32_t op, ad__expr x, ad__expr y, ad__expr z) {
  ad__ir *ir = x.ir ? x.ir : y.ir ? y.ir : z.ir;
  if (op == AD_OP_where) return ad__expr_select(ad__expr_ne(x, ad__expr_k(0)), y, z);
  uint32_t a = ad__expr_node(ir, x), b = ad__expr_node(ir, y), c = ad__expr_node(ir, z);
  bool swap = (op == AD_OP_fma || op == AD__IR_FNMA) && b < a;
  return ad__expr_at(ir, ad__ir_append(ir, op, swap ? b : a, swap ? a : b, c));
}
AD_LOCAL ad__expr ad__expr_fnma(ad__expr x, ad__expr y, ad__expr z) {
  return x.ir || y.ir || z.ir ? ad__expr_3(AD__IR_FNMA, x, y, z) : ad__expr_k(ad_f64_fnma(x.k, y.k, z.k));
}
/* d, but NaN where v is */
AD_LOCAL ad__expr ad__expr_number(ad__expr v, ad__expr d) {
  if (!v.ir) return v.k == v.k ? d : v;
  return ad__expr_plain_2(AD__IR_NUMBER, v, d);
}
AD_RULES(ad__expr)

/* what the engines need to know of a row */
typedef struct ad__row {
  ad__expr (*d1)(ad__expr, ad__expr), (*d2[2])(ad__expr, ad__expr, ad__expr), (*d3[3])(ad__expr, ad__expr, ad__expr, ad__expr);
} ad__row;
#define AD__ROW_1(N, D, op, ...) { ad__expr_##op##_dx, { NULL, NULL }, { NULL, NULL, NULL } },
#define AD__ROW_2(N, D, op, ...) { NULL, { ad__expr_##op##_dx, ad__expr_##op##_dy }, { NULL, NULL, NULL } },
#define AD__ROW_3(N, D, op, ...) { NULL, { NULL, NULL }, { ad__expr_##op##_dx, ad__expr_##op##_dy, ad__expr_##op##_dz } },
AD_LOCAL const ad__row ad__rows[] = { AD_UNARY(AD__ROW_1, , ) AD_BINARY(AD__ROW_2, , ) AD_TERNARY(AD__ROW_3, , ) };

/* operands of a node that are nodes: how many, and from where on */
AD_LOCAL int ad__node_arity(uint32_t op) {
  if (op < AD_OP_COUNT_) return ad_ops[op].arity;
  if (op == AD__IR_CONST || op == AD__IR_INPUT) return 0;
  if (ad__is_call(op)) return op == AD__IR_NEXT ? 2 : 1;
  return op == AD__IR_NOT ? 1 : op == AD__IR_SELECT || op >= AD__IR_FNMA ? 3 : 2;
}

/* a product under the zero seed rule, alone or with a sum */
AD_LOCAL bool ad__is_masked(uint32_t op) { return op == AD__IR_SEED || op == AD__IR_ALONG || (op >= AD__IR_SEEDADD && op <= AD__IR_ALONGSUB); }

/* --- derivatives: the partial of node i with respect to its operand (0, 1, 2); 0 where there is none */
AD_LOCAL ad__expr ad__ir_partial(ad__ir *ir, uint32_t i, int operand) {
  ad__node p = ir->node[i];
  ad__expr one = ad__expr_k(1), none = ad__expr_k(0);
  switch (p.op) {
    case AD__IR_SEED: case AD__IR_ALONG: return ad__expr_at(ir, operand ? p.a : p.b);
    case AD__IR_SELECT: if (operand == 0) return none;
      return ad__expr_only(operand == 1 ? ad__mask_at(ir, p.a) : ad__expr_not(ad__mask_at(ir, p.a)), one);
    case AD__IR_ONLY: return operand == 0 ? none : ad__expr_only(ad__mask_at(ir, p.a), one);
    case AD__IR_NUMBER: return ad__expr_number(ad__expr_at(ir, p.a), operand ? one : none);     /* what is no number has no derivatives */
    case AD__IR_FNMA: return operand == 2 ? one : ad__expr_neg(ad__expr_at(ir, operand ? p.a : p.b));
    default: break;
  }
  if (p.op >= AD_OP_COUNT_) return none;
  const ad__row *row = &ad__rows[p.op];
  ad__expr x = ad__expr_at(ir, p.a), v = ad__expr_at(ir, i);
  if (ad_ops[p.op].arity == 1) return row->d1(x, v);
  ad__expr y = ad__expr_at(ir, p.b);
  return ad_ops[p.op].arity == 2 ? row->d2[operand](x, y, v) : row->d3[operand](x, y, ad__expr_at(ir, p.c), v);
}

/* --- calls of custom operations: several outputs of any number of inputs. Their derivatives are calls in turn: of vjp, jvp, or of the rule
   derive, recorded as a function of its own (derived), whose derivatives are those of second order */

AD_LOCAL uint32_t ad__call_outputs(const ad__callees *c, uint32_t which) {
  const ad_custom *op = c->item[which / AD__CALLS].op;
  const uint32_t n = (uint32_t)op->inputs, m = (uint32_t)op->outputs, way = which % AD__CALLS;
  return way == AD__CALL_VALUE || way == AD__CALL_JVP ? m : way == AD__CALL_BACK ? n + 2 * m : n;
}
/* the call of count inputs; its outputs are RESULT nodes of it */
AD_LOCAL uint32_t ad__ir_call(ad__ir *ir, uint32_t which, const ad__expr *in, uint32_t count) {
  uint32_t list = 0;
  for (uint32_t k = 0; k < count; k++) {
    const uint32_t node = ad__expr_node(ir, in[k]);
    list = k ? ad__ir_append(ir, AD__IR_NEXT, node, list, 0) : ad__ir_append(ir, AD__IR_FIRST, node, 0, 0);
  }
  return ad__ir_append(ir, AD__IR_CALL, list, which, count);
}
AD_LOCAL ad__expr ad__ir_result(ad__ir *ir, uint32_t call, uint32_t j) { return ad__expr_at(ir, ad__ir_append(ir, AD__IR_RESULT, call, j, 0)); }
/* the operands of call number i; link, where not NULL: the nodes of the list that hold them */
AD_LOCAL void ad__call_operands(const ad__ir *ir, uint32_t i, uint32_t *operand, uint32_t *link) {
  uint32_t list = ir->node[i].a;
  for (uint32_t k = ir->node[i].c; k-- > 0; list = ir->node[list].b) {
    operand[k] = ir->node[list].a;
    if (link) link[k] = list;
  }
}
/* RESULT number j of call i among the first count nodes, or AD__NONE */
AD_LOCAL uint32_t ad__call_result(const ad__ir *ir, uint32_t i, uint32_t j, uint32_t count) {
  uint32_t h = ad__ir_mix(AD__IR_RESULT, i, j, 0) & (ir->hash_size - 1);
  for (; ir->hash[h]; h = (h + 1) & (ir->hash_size - 1)) {
    const uint32_t at = ir->hash[h] - 1;
    const ad__node *q = &ir->node[at];
    if (q->op == AD__IR_RESULT && q->a == i && q->b == j && q->c == 0) return at < count ? at : AD__NONE;
  }
  return AD__NONE;
}

/* what a derivative of call i is made of: n inputs (count of them operands), m outputs; in: room for all inputs of a derived call; row: n expressions */
typedef struct ad__derivative { const ad__callee *c; uint32_t call, way, first, n, m, *operand, *link; ad__expr *in, *row; bool written; } ad__derivative;
AD_LOCAL bool ad__derivative_open(ad__ir *ir, uint32_t call, ad__derivative *d) {
  const ad__node q = ir->node[call];
  d->written = ir->written;
  d->call = call; d->way = q.b % AD__CALLS; d->first = q.b - d->way; d->c = &ir->callees->item[q.b / AD__CALLS];
  d->n = q.c; d->m = ad__call_outputs(ir->callees, q.b);
  d->operand = (uint32_t *)ad__array(2 * (size_t)d->n, sizeof *d->operand);
  d->in = (ad__expr *)ad__array(3 * (size_t)d->n + 2 * (size_t)d->m, sizeof *d->in);
  const bool exists = d->way == AD__CALL_VALUE || (d->way == AD__CALL_VJP && d->c->derived);
  if (!d->operand || !d->in || !exists) { AD_FREE(d->operand); AD_FREE(d->in); ir->failed = true; return false; }
  d->link = d->operand + d->n; d->row = d->in + 2 * (size_t)d->n + 2 * (size_t)d->m;
  ad__call_operands(ir, call, d->operand, d->link);
  for (uint32_t k = 0; k < d->n; k++) d->in[k] = ad__expr_at(ir, d->operand[k]);
  for (uint32_t j = 0; j < d->m && d->way == AD__CALL_VALUE; j++) d->in[d->n + j] = ad__ir_result(ir, call, j);
  return true;
}
AD_LOCAL void ad__derivative_close(ad__derivative *d) { AD_FREE(d->operand); AD_FREE(d->in); }
AD_LOCAL bool ad__has_vjp(const ad__derivative *d) { return d->way != AD__CALL_VALUE || d->c->op->vjp || (d->c->derived && !(d->written && d->c->op->jvp)); }
AD_LOCAL bool ad__has_jvp(const ad__derivative *d) { return d->way != AD__CALL_VALUE || d->c->op->jvp; }
/* the call that gives w J (reverse) or J dx; of the numbers w or dx, or the unit vector at */
AD_LOCAL uint32_t ad__derivative_call(ad__ir *ir, ad__derivative *d, bool reverse, const ad__expr *seed, uint32_t at) {
  const uint32_t known = d->way == AD__CALL_VALUE ? d->n + d->m : d->n, seeds = reverse ? d->m : d->n;
  for (uint32_t k = 0; k < seeds; k++) d->in[known + k] = seed ? seed[k] : ad__expr_k(k == at);
  const uint32_t way = d->way == AD__CALL_VALUE ? (reverse ? AD__CALL_VJP : AD__CALL_JVP) : reverse ? AD__CALL_BACK : AD__CALL_ALONG;
  return ad__ir_call(ir, d->first + way, d->in, known + seeds);
}
/* row j of the Jacobian of the call */
AD_LOCAL void ad__derivative_row(ad__ir *ir, ad__derivative *d, uint32_t j) {
  const bool reverse = ad__has_vjp(d);
  const uint32_t call = reverse ? ad__derivative_call(ir, d, true, NULL, j) : 0;
  for (uint32_t k = 0; k < d->n; k++) d->row[k] = reverse ? ad__ir_result(ir, call, k) : ad__ir_result(ir, ad__derivative_call(ir, d, false, NULL, k), j);
}

/* --- linearised program: which nodes matter, and the partials on their edges */

typedef struct ad__edges { ad__expr w[3]; } ad__edges;

AD_LOCAL uint32_t ad__node_operand(const ad__node *p, int k) { return k == 0 ? p->a : k == 1 ? p->b : p->c; }

/* edges[i].w[k]: d node i / d operand k, 0 where nothing flows. Inputs 0 .. n-1 are what is differentiated for;
   sweep: those of the outputs y (m nodes) are needed. Nodes added are after the first count. */
AD_LOCAL ad__edges *ad__ir_linearise(ad__ir *ir, uint32_t n, const uint32_t *y, size_t m) {
  uint32_t count = ir->n;
  ad__edges *edges = (ad__edges *)ad__array(count, sizeof *edges);
  unsigned char *flag = (unsigned char *)ad__array(count, 1);      /* 1 depends on an input, 2 an output depends on it */
  if (!edges || !flag) { AD_FREE(edges); AD_FREE(flag); ir->failed = true; return NULL; }
  memset(flag, 0, count ? count : 1);
  for (uint32_t i = 0; i < count; i++) {
    const ad__node *p = &ir->node[i];
    if (p->op == AD__IR_INPUT) flag[i] = p->a < n;
    else for (int k = 0; k < ad__node_arity(p->op); k++) flag[i] |= flag[ad__node_operand(p, k)];
    if (p->op >= AD__IR_LT && p->op <= AD__IR_NOT) flag[i] = 0;      /* masks carry no derivative */
    if (p->op == AD__IR_ONLY) flag[i] = flag[p->b];
  }
  for (size_t j = 0; j < m; j++) flag[y[j]] |= 2;
  for (uint32_t i = count; i-- > 0;) {
    int arity = ad__node_arity(ir->node[i].op);
    for (int k = 0; k < 3; k++) edges[i].w[k] = ad__expr_k(0);
    if (flag[i] != 3) continue;
    for (int k = 0; k < arity; k++) {
      uint32_t o = ad__node_operand(&ir->node[i], k);
      if (!(flag[o] & 1)) continue;
      edges[i].w[k] = ad__is_call(ir->node[i].op) ? ad__expr_k(1) : ad__ir_partial(ir, i, k);      /* of a call: that something flows */
      if (!ad__expr_is(edges[i].w[k], 0)) flag[o] |= 2;
    }
  }
  AD_FREE(flag);
  return edges;
}

/* adjoints of the operands of call i += those of its results times its Jacobian */
AD_LOCAL void ad__call_reverse_sweep(ad__ir *ir, const ad__edges *edges, uint32_t count, ad__expr *adjoint, uint32_t i) {
  ad__derivative d;
  bool any = false;
  if (ad__expr_is(edges[i].w[0], 0) || !ad__derivative_open(ir, i, &d)) return;
  ad__expr *w = (ad__expr *)ad__array(d.m, sizeof *w);
  if (!w) { ir->failed = true; ad__derivative_close(&d); return; }
  for (uint32_t j = 0; j < d.m; j++) {
    const uint32_t r = ad__call_result(ir, i, j, count);
    w[j] = r == AD__NONE ? ad__expr_k(0) : adjoint[r];
    any = any || !ad__expr_is(w[j], 0);
  }
  if (any && ad__has_vjp(&d)) {
    const uint32_t call = ad__derivative_call(ir, &d, true, w, 0);
    for (uint32_t k = 0; k < d.n && !ir->failed; k++)
      if (!ad__expr_is(edges[d.link[k]].w[0], 0)) adjoint[d.operand[k]] = ad__expr_add(adjoint[d.operand[k]], ad__ir_result(ir, call, k));
  } else for (uint32_t j = 0; j < d.m && any && !ir->failed; j++) {
    if (ad__expr_is(w[j], 0)) continue;
    ad__derivative_row(ir, &d, j);
    for (uint32_t k = 0; k < d.n && !ir->failed; k++)
      if (!ad__expr_is(edges[d.link[k]].w[0], 0)) adjoint[d.operand[k]] = ad__expr_add(adjoint[d.operand[k]], ad__expr_seed(w[j], d.row[k]));
  }
  AD_FREE(w);
  ad__derivative_close(&d);
}
/* tangents of the results of call i */
AD_LOCAL void ad__call_forward_sweep(ad__ir *ir, const ad__edges *edges, uint32_t count, ad__expr *tangent, uint32_t i) {
  ad__derivative d;
  bool any = false;
  for (uint32_t j = 0, m = ad__call_outputs(ir->callees, ir->node[i].b); j < m; j++) {
    const uint32_t r = ad__call_result(ir, i, j, count);
    if (r != AD__NONE) tangent[r] = ad__expr_k(0);
  }
  if (ad__expr_is(edges[i].w[0], 0) || !ad__derivative_open(ir, i, &d)) return;
  ad__expr *dx = (ad__expr *)ad__array(d.n, sizeof *dx);
  if (!dx) { ir->failed = true; ad__derivative_close(&d); return; }
  for (uint32_t k = 0; k < d.n; k++) {
    dx[k] = ad__expr_is(edges[d.link[k]].w[0], 0) ? ad__expr_k(0) : tangent[d.operand[k]];
    any = any || !ad__expr_is(dx[k], 0);
  }
  const uint32_t call = any && ad__has_jvp(&d) ? ad__derivative_call(ir, &d, false, dx, 0) : 0;
  for (uint32_t j = 0; j < d.m && any && !ir->failed; j++) {
    const uint32_t r = ad__call_result(ir, i, j, count);
    if (r == AD__NONE || ad__expr_is(edges[r].w[0], 0)) continue;
    if (ad__has_jvp(&d)) { tangent[r] = ad__ir_result(ir, call, j); continue; }
    ad__derivative_row(ir, &d, j);
    for (uint32_t k = 0; k < d.n && !ir->failed; k++) tangent[r] = ad__expr_add(tangent[r], ad__expr_product(AD__IR_ALONG, dx[k], d.row[k]));
  }
  AD_FREE(dx);
  ad__derivative_close(&d);
}

/* gx[k] = sum over outputs of seed * dy/dx_k; adjoint: scratch of count */
AD_LOCAL void ad__ir_reverse(ad__ir *ir, const ad__edges *edges, uint32_t count, ad__expr *adjoint,
                             const uint32_t *y, const ad__expr *seed, size_t m, uint32_t n, ad__expr *gx) {
  for (uint32_t i = 0; i < count; i++) adjoint[i] = ad__expr_k(0);
  for (uint32_t k = 0; k < n; k++) gx[k] = ad__expr_k(0);
  for (size_t j = 0; j < m; j++) adjoint[y[j]] = ad__expr_add(adjoint[y[j]], seed[j]);
  for (uint32_t i = count; i-- > 0 && !ir->failed;) {
    ad__node p = ir->node[i];
    if (p.op == AD__IR_CALL) ad__call_reverse_sweep(ir, edges, count, adjoint, i);
    if (ad__expr_is(adjoint[i], 0) || ad__is_call(p.op)) continue;
    if (p.op == AD__IR_INPUT && p.a < n) gx[p.a] = adjoint[i];
    for (int k = 0; k < 3; k++) {
      if (ad__expr_is(edges[i].w[k], 0)) continue;
      uint32_t o = ad__node_operand(&p, k);
      adjoint[o] = ad__expr_add(adjoint[o], ad__expr_seed(adjoint[i], edges[i].w[k]));
    }
  }
}

/* tangent[i] of every node for the tangents dx of the inputs */
AD_LOCAL void ad__ir_forward(ad__ir *ir, const ad__edges *edges, uint32_t count, ad__expr *tangent, uint32_t n, const ad__expr *dx) {
  for (uint32_t i = 0; i < count && !ir->failed; i++) {
    ad__node p = ir->node[i];
    if (p.op == AD__IR_CALL) ad__call_forward_sweep(ir, edges, count, tangent, i);
    if (ad__is_call(p.op)) continue;
    tangent[i] = p.op == AD__IR_INPUT && p.a < n ? dx[p.a] : ad__expr_k(0);
    for (int k = 0; k < 3; k++)
      if (!ad__expr_is(edges[i].w[k], 0))
        tangent[i] = ad__expr_add(tangent[i], ad__expr_product(AD__IR_ALONG, tangent[ad__node_operand(&p, k)], edges[i].w[k]));
  }
}

/* --- Jacobian by vertex elimination: every inner vertex is removed by joining the edges that meet in it, the cheapest
   vertex first (Markowitz); what remains are edges from inputs to outputs */

typedef struct ad__link { uint32_t at; ad__expr w; } ad__link;
typedef struct ad__links { ad__link *link; uint32_t n, capacity; } ad__links;

AD_LOCAL ad__link *ad__links_find(ad__links *l, uint32_t at) {
  for (uint32_t i = 0; i < l->n; i++) if (l->link[i].at == at) return &l->link[i];
  return NULL;
}
AD_LOCAL bool ad__links_add(ad__links *l, uint32_t at, ad__expr w) {
  if (l->n == l->capacity) {
    ad__link *grown = (ad__link *)ad__array(l->capacity ? 2 * (size_t)l->capacity : 4, sizeof *grown);
    if (!grown) return false;
    if (l->n) memcpy(grown, l->link, l->n * sizeof *grown);
    AD_FREE(l->link);
    l->link = grown; l->capacity = l->capacity ? 2 * l->capacity : 4;
  }
  l->link[l->n].at = at; l->link[l->n++].w = w;
  return true;
}
AD_LOCAL void ad__links_remove(ad__links *l, uint32_t at) {
  ad__link *p = ad__links_find(l, at);
  if (p) *p = l->link[--l->n];
}
AD_LOCAL bool ad__expr_is_unit(ad__expr e) { return !e.ir && fabs(e.k) == 1; }

/* from: edges into a vertex (weights live there); to: edges out of it (no weights) */
AD_LOCAL uint32_t ad__vertex_cost(ad__links *from, ad__links *to, uint32_t v) {
  uint32_t cost = 0;
  for (uint32_t k = 0; k < to[v].n; k++) {
    uint32_t s = to[v].link[k].at;
    ad__link *down = ad__links_find(&from[s], v);
    for (uint32_t i = 0; i < from[v].n; i++)
      cost += (ad__expr_is_unit(from[v].link[i].w) || (down && ad__expr_is_unit(down->w)) ? 0u : 2u) + (ad__links_find(&from[s], from[v].link[i].at) ? 2u : 0u);
  }
  return cost;
}
AD_LOCAL bool ad__vertex_eliminate(ad__links *from, ad__links *to, uint32_t v) {
  for (uint32_t k = 0; k < to[v].n; k++) {
    uint32_t s = to[v].link[k].at;
    ad__expr down = ad__links_find(&from[s], v)->w;
    for (uint32_t i = 0; i < from[v].n; i++) {
      uint32_t q = from[v].link[i].at;
      ad__expr product = ad__expr_seed(down, from[v].link[i].w);
      ad__link *old = ad__links_find(&from[s], q);
      if (old) old->w = ad__expr_add(old->w, product);
      else if (!ad__links_add(&from[s], q, product) || !ad__links_add(&to[q], s, ad__expr_k(0))) return false;
    }
    ad__links_remove(&from[s], v);
  }
  for (uint32_t i = 0; i < from[v].n; i++) ad__links_remove(&to[from[v].link[i].at], v);
  to[v].n = from[v].n = 0;
  return true;
}

/* edges from the result i of a call straight to the operands of the call */
AD_LOCAL bool ad__link_result(ad__ir *ir, const ad__edges *edges, uint32_t i, ad__links *from, ad__links *to) {
  ad__derivative d;
  bool ok = true;
  if (ir->node[i].op != AD__IR_RESULT || ad__expr_is(edges[i].w[0], 0)) return true;
  const uint32_t j = ir->node[i].b;
  if (!ad__derivative_open(ir, ir->node[i].a, &d)) return false;
  ad__derivative_row(ir, &d, j);
  for (uint32_t k = 0; k < d.n && ok && !ir->failed; k++) {
    const uint32_t o = d.operand[k];
    if (ad__expr_is(edges[d.link[k]].w[0], 0)) continue;
    ad__link *old = ad__links_find(&from[i], o);
    if (old) old->w = ad__expr_add(old->w, d.row[k]);
    else ok = ad__links_add(&from[i], o, d.row[k]) && ad__links_add(&to[o], i, ad__expr_k(0));
  }
  ad__derivative_close(&d);
  return ok && !ir->failed;
}
/* jacobian: m x n */
AD_LOCAL void ad__ir_eliminate(ad__ir *ir, const ad__edges *edges, uint32_t count, const uint32_t *y, size_t m, uint32_t n, ad__expr *jacobian) {
  size_t vertices = (size_t)count + m;
  ad__links *links = (ad__links *)ad__array(2 * vertices, sizeof *links);
  if (!links) { ir->failed = true; return; }
  memset(links, 0, 2 * vertices * sizeof *links);
  ad__links *from = links, *to = links + vertices;
  bool ok = true;
  for (uint32_t i = 0; i < count && ok; i++) {
    if (ad__is_call(ir->node[i].op)) { ok = ad__link_result(ir, edges, i, from, to); continue; }
    for (int k = 0; k < 3; k++) {
      if (ad__expr_is(edges[i].w[k], 0)) continue;
      uint32_t o = ad__node_operand(&ir->node[i], k);
      ad__link *old = ad__links_find(&from[i], o);
      if (old) old->w = ad__expr_add(old->w, edges[i].w[k]);
      else ok = ok && ad__links_add(&from[i], o, edges[i].w[k]) && ad__links_add(&to[o], i, ad__expr_k(0));
    }
  }
  for (size_t j = 0; j < m; j++)
    ok = ok && ad__links_add(&from[count + j], y[j], ad__expr_k(1)) && ad__links_add(&to[y[j]], (uint32_t)(count + j), ad__expr_k(0));
  while (ok && !ir->failed) {
    uint32_t best = UINT32_MAX, vertex = 0;
    for (uint32_t v = count; v-- > 0;) {
      if (from[v].n == 0 || to[v].n == 0) continue;
      uint32_t cost = ad__vertex_cost(from, to, v);
      if (cost < best) { best = cost; vertex = v; }
    }
    if (best == UINT32_MAX) break;
    ok = ad__vertex_eliminate(from, to, vertex);
  }
  for (size_t j = 0; j < m * n; j++) jacobian[j] = ad__expr_k(0);
  for (size_t j = 0; j < m && ok; j++)
    for (uint32_t i = 0; i < from[count + j].n; i++) {
      uint32_t o = from[count + j].link[i].at;
      if (ir->node[o].op == AD__IR_INPUT && ir->node[o].a < n) jacobian[j * n + ir->node[o].a] = from[count + j].link[i].w;
    }
  if (!ok) ir->failed = true;
  for (size_t i = 0; i < 2 * vertices; i++) AD_FREE(links[i].link);
  AD_FREE(links);
}

/* --- lowering: dead nodes dropped, products joined with sums, slots shared by liveness */

typedef struct ad__ins { uint32_t op, d, a, b, c; } ad__ins;     /* slots */
typedef struct ad__run { uint32_t op, n; int step; } ad__run;    /* n instructions of one kind; step: of a packed program, see there */
typedef struct ad__program {
  ad__ins *ins; ad__run *run; double *constant; uint32_t *in, *out;        /* in, out: slot of each input and output; AD__NONE: input not used */
  void *term;                                                              /* of sums: ad__term, of packed programs slots */
  const ad__callees *callees;
  uint32_t n_ins, n_runs, n_constants, n_slots, n_in, n_out;             /* constants are in slots 0 .. n_constants - 1 */
  uint32_t scratch;                                                        /* numbers: operands and results of the largest call */
  bool elements;                          /* slots of inputs stay theirs: where the inputs are arrays, parts of these are the slots */
} ad__program;

enum { AD__FOR_LANES, AD__FOR_ELEMENTS, AD__FOR_ONE, AD__FOR_C };             /* what a program is made for */

AD_LOCAL void ad__program_free(ad__program *p) { AD_FREE(p->ins); AD_FREE(p->run); AD_FREE(p->constant); AD_FREE(p->in); AD_FREE(p->out); AD_FREE(p->term); memset(p, 0, sizeof *p); }

AD_LOCAL uint32_t ad__op_cost(uint32_t op) {
  if (op == AD__IR_CONST || op == AD__IR_INPUT || op == AD__IR_FIRST || op == AD__IR_NEXT) return 0;
  if (op == AD__IR_CALL) return 400;
  if (op >= AD_OP_COUNT_ || op == AD_OP_add || op == AD_OP_sub || op == AD_OP_mul || op == AD_OP_neg || op == AD_OP_fma) return 2;
  return op == AD_OP_div || op == AD_OP_sqrt || op == AD_OP_abs ? 8 : 20;
}
/* uses[i]: how often node i is read by a live node or is an output; returns the cost of what is live */
AD_LOCAL uint64_t ad__ir_uses(const ad__ir *ir, const uint32_t *out, size_t n_out, uint32_t *uses) {
  uint64_t cost = 0;
  memset(uses, 0, ir->n * sizeof *uses);
  for (size_t j = 0; j < n_out; j++) uses[out[j]]++;
  for (uint32_t i = ir->n; i-- > 0;) {
    if (!uses[i]) continue;
    const ad__node *p = &ir->node[i];
    cost += ad__op_cost(p->op);
    for (int k = 0; k < ad__node_arity(p->op); k++) uses[ad__node_operand(p, k)]++;
  }
  return cost;
}

AD_LOCAL bool ad__is_product(const ad__ir *ir, uint32_t i, const uint32_t *uses) {
  return (ir->node[i].op == AD_OP_mul || ir->node[i].op == AD__IR_SEED || ir->node[i].op == AD__IR_ALONG) && uses[i] == 1;
}

/* Sums of products. A term is x, x*y, seed(x, y) or along(x, y), or the same with the product p so far in the place of x; it starts the sum,
   is added to it, subtracted, or becomes p: sum and p stay in registers. */
enum { AD__TERM_PLAIN, AD__TERM_MUL, AD__TERM_SEED, AD__TERM_ALONG, AD__TERM_FROM_P = 4, AD__TERM_FIRST = 0, AD__TERM_PLUS = 8, AD__TERM_MINUS = 16, AD__TERM_INTO_P = 24 };
enum { AD__TERMS = 8 };
typedef struct ad__term { uint32_t kind, x, y; } ad__term;

/* the product that ends in node i as at most room terms, in their order; their number */
AD_LOCAL uint32_t ad__product_terms(const ad__ir *ir, uint32_t i, uint32_t last, const uint32_t *uses, uint32_t room, ad__term *term) {
  uint32_t n = 1, to = last;
  for (uint32_t k = i; n < room; n++) {                    /* how far back the factors go */
    const ad__node *q = &ir->node[k];
    k = ad__is_product(ir, q->a, uses) ? q->a : q->op != AD__IR_SEED && ad__is_product(ir, q->b, uses) ? q->b : AD__NONE;
    if (k == AD__NONE) break;
  }
  for (uint32_t k = n; k-- > 0; to = AD__TERM_INTO_P) {
    const ad__node *q = &ir->node[i];
    const uint32_t next = ad__is_product(ir, q->a, uses) ? q->a : q->b;
    term[k].kind = to + (q->op == AD_OP_mul ? AD__TERM_MUL : q->op == AD__IR_SEED ? AD__TERM_SEED : AD__TERM_ALONG);
    term[k].x = q->a; term[k].y = q->b;
    if (k == 0) break;
    term[k].kind += AD__TERM_FROM_P;
    term[k].x = term[k].y = next == q->a ? q->b : q->a;
    i = next;
  }
  return n;
}
AD_LOCAL bool ad__is_link(const ad__ir *ir, uint32_t i, const uint32_t *uses) { return (ir->node[i].op == AD_OP_add || ir->node[i].op == AD_OP_sub) && uses[i] == 1; }
/* The sum, or product, that ends in node i as terms in the order of its operations; their number, 0 where a joined product does as well. */
AD_LOCAL uint32_t ad__sum_terms(const ad__ir *ir, uint32_t i, const uint32_t *uses, bool products_stay, ad__term *term) {
  const uint32_t op = ir->node[i].op;
  uint32_t node[AD__TERMS], sign[AD__TERMS], links = 0, n = 0, products = 0;
  if (products_stay && (op == AD_OP_mul || op == AD__IR_SEED || op == AD__IR_ALONG)) {
    n = ad__product_terms(ir, i, AD__TERM_FIRST, uses, AD__TERMS, term);
    return n > 1 ? n : 0;
  }
  if (op != AD_OP_add && op != AD_OP_sub) return 0;
  for (;;) {
    const ad__node *q = &ir->node[i];
    bool sub = q->op == AD_OP_sub, first_is_last = !sub && !ad__is_link(ir, q->a, uses) && (ad__is_link(ir, q->b, uses) || !ad__is_product(ir, q->b, uses));
    uint32_t next = first_is_last ? q->b : q->a;
    node[links] = first_is_last ? q->a : q->b; sign[links++] = sub ? AD__TERM_MINUS : AD__TERM_PLUS;
    i = next;
    if (!ad__is_link(ir, next, uses) || links == AD__TERMS - 1) break;
  }
  node[links] = i; sign[links++] = AD__TERM_FIRST;
  for (uint32_t k = links; k-- > 0;) {
    const bool product = ad__is_product(ir, node[k], uses);
    products += product;
    if (product) n += ad__product_terms(ir, node[k], sign[k], uses, products_stay ? AD__TERMS - n - k : 1, term + n);
    else { term[n].kind = sign[k] + AD__TERM_PLAIN; term[n].x = term[n].y = node[k]; n++; }
  }
  return n > 2 || products > 1 ? n : 0;
}
/* what an instruction reads: at most AD__OPERANDS nodes (or slots) */
enum { AD__OPERANDS = 2 * AD__TERMS };
AD_LOCAL int ad__ins_operands(const ad__ins *s, const ad__term *term, uint32_t *operand) {
  int n = 0;
  if (s->op != AD__IR_ACCUMULATE && s->op != AD__IR_CALL) {
    operand[0] = s->a; operand[1] = s->b; operand[2] = s->c;
    return ad__node_arity(s->op);
  }
  for (uint32_t k = 0; k < s->c; k++) { operand[n++] = term[k].x; operand[n++] = term[k].y; }
  return n;
}

/* the instruction of a node, operands still nodes */
AD_LOCAL ad__ins ad__fuse(const ad__ir *ir, uint32_t i, const uint32_t *uses) {
  const ad__node *p = &ir->node[i];
  ad__ins s;
  s.op = p->op; s.d = i; s.a = p->a; s.b = p->b; s.c = p->c;
  if (ad__is_call(p->op)) return s;
  int arity = ad__node_arity(p->op);
  if (arity < 2) s.b = s.a;
  if (arity < 3) s.c = s.a;
  if (p->op == AD_OP_add || p->op == AD_OP_sub) {
    bool sub = p->op == AD_OP_sub;
    uint32_t product = ad__is_product(ir, p->b, uses) ? p->b : p->a, other = product == p->b ? p->a : p->b;
    if (p->a != p->b && ad__is_product(ir, product, uses) && !(sub && product == p->a && ir->node[product].op != AD_OP_mul)) {
      const ad__node *q = &ir->node[product];
      s.a = q->a; s.b = q->b; s.c = other;
      if (q->op == AD__IR_SEED) s.op = sub ? AD__IR_SEEDSUB : AD__IR_SEEDADD;
      else if (q->op == AD__IR_ALONG) s.op = sub ? AD__IR_ALONGSUB : AD__IR_ALONGADD;
      else s.op = !sub ? AD__IR_MULADD : product == p->b ? AD__IR_NMULADD : AD__IR_MULSUB;
    }
  }
  return s;
}
/* Instructions of one kind are brought together, window by window: a run costs one dispatch. */
AD_LOCAL bool ad__group(ad__ins *ins, uint32_t n, const ad__term *term, uint32_t *at) {
  enum { W = 256 };
  uint32_t most = AD__OPERANDS;                            /* operands of an instruction */
  for (uint32_t t = 0; t < n; t++) if (ins[t].op == AD__IR_CALL && 2 * ins[t].c > most) most = 2 * ins[t].c;
  ad__ins *old = (ad__ins *)ad__array(W, sizeof *old);
  uint32_t *wait = (uint32_t *)ad__array((size_t)W * (3 + (size_t)most) + AD__IR_END + most, sizeof *wait);
  if (!old || !wait) { AD_FREE(old); AD_FREE(wait); return false; }
  uint32_t *head = wait + W, *next = head + W, *user = next + (size_t)most * W, *first = user + W, *operand = first + AD__IR_END;
  for (uint32_t w0 = 0; w0 < n; w0 += W) {
    uint32_t w = n - w0 < (uint32_t)W ? n - w0 : (uint32_t)W, done = 0;
    memcpy(old, ins + w0, w * sizeof *old);
    for (uint32_t t = 0; t < w; t++) { at[old[t].d] = w0 + t + 1; head[t] = AD__NONE; wait[t] = 0; }
    for (uint32_t t = 0; t < w; t++) {                     /* who waits for whom */
      uint32_t link = most * t;
      for (int k = ad__ins_operands(&old[t], term + old[t].b, operand); k-- > 0; link++) {
        uint32_t o = at[operand[k]];
        if (o <= w0 || o > w0 + t) continue;
        next[link] = head[o - w0 - 1]; head[o - w0 - 1] = link; wait[t]++;
      }
    }
    /* queues of what is ready, by kind: first[op], linked through user */
    uint32_t size[AD__IR_END], *tail = first;
    uint32_t begin[AD__IR_END];
    for (int op = 0; op < AD__IR_END; op++) { size[op] = 0; begin[op] = AD__NONE; tail[op] = AD__NONE; }
    for (uint32_t t = 0; t < w; t++) if (wait[t] == 0) {
      uint32_t op = old[t].op;
      user[t] = AD__NONE;
      if (tail[op] == AD__NONE) begin[op] = t; else user[tail[op]] = t;
      tail[op] = t; size[op]++;
    }
    while (done < w) {
      int op = 0;
      for (int q = 1; q < AD__IR_END; q++) if (size[q] > size[op]) op = q;
      while (size[op]) {
        uint32_t t = begin[op];
        begin[op] = user[t];
        if (begin[op] == AD__NONE) tail[op] = AD__NONE;
        size[op]--;
        ins[w0 + done++] = old[t];
        for (uint32_t e = head[t]; e != AD__NONE; e = next[e]) {
          uint32_t s = e / most, q = old[s].op;
          if (--wait[s]) continue;
          user[s] = AD__NONE;
          if (tail[q] == AD__NONE) begin[q] = s; else user[tail[q]] = s;
          tail[q] = s; size[q]++;
        }
      }
    }
  }
  AD_FREE(old); AD_FREE(wait);
  return true;
}

/* operands of all calls together, of the largest one, and its numbers in and out */
AD_LOCAL size_t ad__call_terms(const ad__ir *ir, uint32_t *most, uint32_t *scratch) {
  size_t all = 0;
  *scratch = 0;
  for (uint32_t i = 0; i < ir->n && ir->callees; i++) {
    const ad__node *q = &ir->node[i];
    if (q->op != AD__IR_CALL) continue;
    const uint32_t numbers = q->c + ad__call_outputs(ir->callees, q->b);
    all += q->c;
    if (q->c > *most) *most = q->c;
    if (numbers > *scratch) *scratch = numbers;
  }
  return all;
}
AD_LOCAL bool ad__lower(ad__ir *ir, uint32_t n_in, uint32_t *out, uint32_t n_out, int target, ad__program *p) {
  const bool group = target != AD__FOR_C;
  memset(p, 0, sizeof *p);
  p->elements = target == AD__FOR_ELEMENTS;
  if (ir->failed) return false;
  uint32_t n = ir->n, most = AD__TERMS;                    /* most: operands of a call, terms of a sum */
  const size_t called = ad__call_terms(ir, &most, &p->scratch);
  uint32_t *uses = (uint32_t *)ad__array(5 * (size_t)n + 2 * (size_t)most, sizeof *uses);
  ad__ins *ins = (ad__ins *)ad__array(n, sizeof *ins);
  p->callees = ir->callees;
  p->in = (uint32_t *)ad__array(n_in, sizeof *p->in);
  p->out = (uint32_t *)ad__array(n_out, sizeof *p->out);
  ad__term *term = (ad__term *)ad__array(2 * (size_t)n + called + most, sizeof *term);   /* k operations have at most k + 1 terms; last: few */
  p->term = term;
  if (!uses || !ins || !p->in || !p->out || !term) { AD_FREE(uses); AD_FREE(ins); ad__program_free(p); return false; }
  uint32_t *slot = uses + n, *last = slot + n, *stack = last + n, *operand = stack + 2 * (size_t)n;      /* stack: 2 n */
  ad__term *few = term + 2 * (size_t)n + called;
  for (uint32_t i = 0; i < n; i++) {               /* a mask in a slot is 1 or 0: the number made of it is the same slot */
    ad__node *q = &ir->node[i];
    uint32_t *reads[3];
    reads[0] = &q->a; reads[1] = &q->b; reads[2] = &q->c;
    for (int k = 0; k < ad__node_arity(q->op); k++) *reads[k] = slot[*reads[k]];
    const ad__node *one = group && q->op == AD__IR_ONLY ? &ir->node[q->b] : NULL;
    slot[i] = one && one->op == AD__IR_CONST && ad__node_constant(one) == 1 ? q->a : i;
  }
  for (uint32_t j = 0; j < n_out; j++) out[j] = slot[out[j]];
  ad__ir_uses(ir, out, n_out, uses);
  p->n_in = n_in; p->n_out = n_out;
  for (uint32_t k = 0; k < n_in; k++) p->in[k] = AD__NONE;
  /* depth first from the outputs: a value is computed shortly before it is used */
  uint32_t n_ins = 0, depth = 0, n_constants = 0, n_terms = 0;
  for (uint32_t i = 0; i < n; i++) { slot[i] = AD__NONE; last[i] = 0; }      /* slot: first a mark */
  for (uint32_t j = 0; j < n_out; j++) {
    stack[depth++] = out[j];
    while (depth) {
      uint32_t i = stack[depth - 1];
      if (slot[i] != AD__NONE) { depth--; continue; }
      uint32_t terms = group ? ad__sum_terms(ir, i, uses, p->elements, few) : 0;
      ad__ins s = ad__fuse(ir, i, uses);
      if (terms) { s.op = AD__IR_ACCUMULATE; s.a = 0; s.b = n_terms; s.c = terms; }
      if (s.op == AD__IR_CALL) {
        s.a = s.b; s.b = n_terms; terms = s.c;
        ad__call_operands(ir, i, operand, NULL);
        for (uint32_t l = 0; l < terms; l++) { few[l].kind = AD__TERM_PLAIN; few[l].x = few[l].y = operand[l]; }
      }
      int k = 0, arity = ad__ins_operands(&s, few, operand);
      while (k < arity && slot[operand[k]] != AD__NONE) k++;
      if (k < arity) { stack[depth++] = operand[k]; continue; }
      depth--;
      slot[i] = 0;
      for (uint32_t l = 0; l < terms; l++) term[n_terms++] = few[l];
      if (s.op == AD__IR_CONST) n_constants++;
      else if (s.op != AD__IR_INPUT) ins[n_ins++] = s;
    }
  }
  for (uint32_t i = 0; i < n; i++) stack[i] = 0;
  if (group && !ad__group(ins, n_ins, term, stack)) { AD_FREE(uses); AD_FREE(ins); ad__program_free(p); return false; }
  for (uint32_t t = 0; t < n_ins; t++) {
    for (int k = ad__ins_operands(&ins[t], term + ins[t].b, operand); k-- > 0;) last[operand[k]] = t;
  }
  for (uint32_t j = 0; j < n_out; j++) last[out[j]] = UINT32_MAX;
  /* slots: constants, inputs, then a stack of free ones, the last freed first */
  uint32_t used = 0, n_free = 0, *unused = stack;
  p->constant = (double *)ad__array(n_constants, sizeof *p->constant);
  if (!p->constant) { AD_FREE(uses); AD_FREE(ins); ad__program_free(p); return false; }
  for (uint32_t i = 0; i < n; i++)
    if (slot[i] == 0 && ir->node[i].op == AD__IR_CONST) { p->constant[used] = ad__node_constant(&ir->node[i]); slot[i] = used++; last[i] = UINT32_MAX; }
  p->n_constants = used;
  for (uint32_t i = 0; i < n; i++)
    if (slot[i] != AD__NONE && ir->node[i].op == AD__IR_INPUT) {
      p->in[ir->node[i].a] = used; slot[i] = used++;
      if (p->elements) last[i] = UINT32_MAX;
    }
  for (uint32_t t = 0; t < n_ins; t++) {
    ad__ins *s = &ins[t];
    int arity = ad__ins_operands(s, term + s->b, operand);
    if (s->op == AD__IR_RESULT) { s->c = s->b; s->a = s->b = slot[s->a] + s->c; }      /* c: which, for C output */
    else if (s->op != AD__IR_ACCUMULATE && s->op != AD__IR_CALL) { s->a = slot[s->a]; s->b = slot[s->b]; s->c = slot[s->c]; }
    else for (uint32_t k = 0; k < s->c; k++) { ad__term *q = &term[s->b + k]; q->x = slot[q->x]; q->y = slot[q->y]; }
    for (int k = 0; k < arity; k++)
      if (last[operand[k]] == t) { unused[n_free++] = slot[operand[k]]; last[operand[k]] = UINT32_MAX; }
    uint32_t i = s->d;
    if (s->op == AD__IR_CALL) { s->d = slot[i] = used; used += ad__call_outputs(ir->callees, s->a); }      /* side by side */
    else s->d = slot[i] = n_free ? unused[--n_free] : used++;
  }
  for (uint32_t j = 0; j < n_out; j++) p->out[j] = slot[out[j]];
  p->n_slots = used; p->n_ins = n_ins;
  p->run = (ad__run *)ad__array(n_ins, sizeof *p->run);
  if (!p->run) { AD_FREE(uses); AD_FREE(ins); ad__program_free(p); return false; }
  for (uint32_t t = 0; t < n_ins; t++) {
    if (t && ins[t].op == ins[t - 1].op) p->run[p->n_runs - 1].n++;
    else { p->run[p->n_runs].op = ins[t].op; p->run[p->n_runs++].n = 1; }
  }
  p->ins = ins;
  AD_FREE(uses);
  return true;
}

/* Packed programs, for one point: lanes = instructions. All slots are one array of numbers and none is used twice; instructions are
   ordered by depth, kind and operands, so that operands of neighbours are often neighbours, and results always are. A run whose
   operands lie side by side (or are one and the same) is one instruction over registers: step has bit k where operand k moves on by
   one, or is -1 for a run of single instructions. Sums of four and more terms become one instruction. */

typedef struct ad__pack { uint32_t level, op, a, b, node; } ad__pack;
AD_LOCAL int ad__pack_order(const void *x, const void *y) {
  const ad__pack *p = (const ad__pack *)x, *q = (const ad__pack *)y;
  if (p->level != q->level) return p->level < q->level ? -1 : 1;
  if (p->op != q->op) return p->op < q->op ? -1 : 1;
  if (p->a != q->a) return p->a < q->a ? -1 : 1;
  if (p->b != q->b) return p->b < q->b ? -1 : 1;
  return p->node < q->node ? -1 : p->node > q->node;
}

/* the links of a sum that ends in node i: count of additions, each used only by the next; mark them as inner */
AD_LOCAL uint32_t ad__sum_length(const ad__ir *ir, uint32_t i, const uint32_t *uses) {
  uint32_t count = 1;
  for (;;) {
    const ad__node *p = &ir->node[i];
    uint32_t next = ir->node[p->a].op == AD_OP_add && uses[p->a] == 1 ? p->a : ir->node[p->b].op == AD_OP_add && uses[p->b] == 1 ? p->b : AD__NONE;
    if (next == AD__NONE || p->a == p->b) return count;
    i = next; count++;
  }
}

AD_LOCAL int ad__packed_arity(uint32_t op) { return op == AD__IR_SUM ? 1 : op == AD__IR_CALL ? 0 : ad__node_arity(op); }      /* besides terms */
AD_LOCAL bool ad__lower_packed(ad__ir *ir, uint32_t n_in, const uint32_t *out, uint32_t n_out, ad__program *p) {
  memset(p, 0, sizeof *p);
  if (ir->failed) return false;
  uint32_t n = ir->n, n_terms = 0, used = 0, n_ins = 0, n_pack = 0, most = 0;
  const size_t called = ad__call_terms(ir, &most, &p->scratch);
  uint32_t *uses = (uint32_t *)ad__array(5 * (size_t)n + called, sizeof *uses);
  p->callees = ir->callees;
  ad__ins *ins = (ad__ins *)ad__array(n, sizeof *ins);
  ad__pack *pack = (ad__pack *)ad__array(n, sizeof *pack);
  p->ins = (ad__ins *)ad__array(n, sizeof *p->ins);
  p->run = (ad__run *)ad__array(n, sizeof *p->run);
  p->constant = (double *)ad__array(n, sizeof *p->constant);
  p->term = ad__array(n + called, sizeof(uint32_t));
  p->in = (uint32_t *)ad__array(n_in, sizeof *p->in);
  p->out = (uint32_t *)ad__array(n_out, sizeof *p->out);
  bool ok = uses && ins && pack && p->ins && p->run && p->constant && p->term && p->in && p->out;
  if (ok) {
    uint32_t *slot = uses + n, *level = slot + n, *kind = level + n, *term = kind + n;       /* kind: 1 a product or link that is joined, 2 the end of a sum */
    ad__ir_uses(ir, out, n_out, uses);
    for (uint32_t i = 0; i < n; i++) { kind[i] = 0; slot[i] = AD__NONE; level[i] = 0; }
    for (uint32_t i = n; i-- > 0;) {                       /* what is joined to what */
      if (!uses[i] || kind[i] == 1) continue;
      const ad__node *q = &ir->node[i];
      if (q->op == AD__IR_FIRST || q->op == AD__IR_NEXT) { kind[i] = 1; continue; }
      if (q->op == AD__IR_CALL) {
        ad__call_operands(ir, i, term + n_terms, NULL);
        ins[i].op = q->op; ins[i].d = i; ins[i].a = q->b; ins[i].b = n_terms; ins[i].c = q->c;
        n_terms += q->c;
        continue;
      }
      if (q->op == AD_OP_add && ad__sum_length(ir, i, uses) >= 4) {
        kind[i] = 2;
        uint32_t first = n_terms, at = i;
        for (uint32_t length = ad__sum_length(ir, i, uses); length-- > 1;) {
          const ad__node *s = &ir->node[at];
          uint32_t next = ir->node[s->a].op == AD_OP_add && uses[s->a] == 1 ? s->a : s->b;
          term[n_terms++] = next == s->a ? s->b : s->a;
          kind[next] = 1;
          at = next;
        }
        term[n_terms++] = ir->node[at].b;
        for (uint32_t x = first, y = n_terms - 1; x < y; x++, y--) { uint32_t swap = term[x]; term[x] = term[y]; term[y] = swap; }
        ins[i].op = AD__IR_SUM; ins[i].d = i; ins[i].a = ir->node[at].a; ins[i].b = first; ins[i].c = n_terms - first;
        continue;
      }
      ins[i] = ad__fuse(ir, i, uses);
      if (ins[i].op != q->op && !ad__is_call(q->op)) kind[ins[i].c == q->a ? q->b : q->a] = 1;
    }
    p->n_in = n_in; p->n_out = n_out;
    for (uint32_t k = 0; k < n_in; k++) p->in[k] = AD__NONE;
    for (uint32_t i = 0; i < n; i++)
      if (uses[i] && ir->node[i].op == AD__IR_CONST) { p->constant[used] = ad__node_constant(&ir->node[i]); slot[i] = used++; }
    p->n_constants = used;
    for (uint32_t i = 0; i < n; i++)
      if (uses[i] && ir->node[i].op == AD__IR_INPUT) p->in[ir->node[i].a] = i;
    for (uint32_t k = 0; k < n_in; k++) if (p->in[k] != AD__NONE) { slot[p->in[k]] = used; p->in[k] = used++; }
    for (uint32_t i = 0; i < n; i++) {                     /* depth */
      if (!uses[i] || kind[i] == 1 || slot[i] != AD__NONE) continue;
      const ad__ins *s = &ins[i];
      uint32_t operand[3], depth = 0;
      operand[0] = s->a; operand[1] = s->b; operand[2] = s->c;
      int arity = ad__packed_arity(s->op);
      for (int k = 0; k < arity; k++) if (level[operand[k]] > depth) depth = level[operand[k]];
      if (s->op == AD__IR_SUM || s->op == AD__IR_CALL) for (uint32_t k = 0; k < s->c; k++) if (level[term[s->b + k]] > depth) depth = level[term[s->b + k]];
      level[i] = depth + 1;
      pack[n_pack].level = depth + 1; pack[n_pack].op = s->op; pack[n_pack++].node = i;
    }
    /* level by level: operands have their slots when their users are ordered */
    for (uint32_t k = 0; k < n_pack; k++) pack[k].a = pack[k].b = 0;
    qsort(pack, n_pack, sizeof *pack, ad__pack_order);
    for (uint32_t first = 0, last; first < n_pack; first = last) {
      for (last = first; last < n_pack && pack[last].level == pack[first].level && pack[last].op == pack[first].op; last++) {
        const ad__ins *s = &ins[pack[last].node];
        int arity = ad__packed_arity(s->op);
        pack[last].a = arity > 0 ? slot[s->a] : 0;
        pack[last].b = arity > 1 ? slot[s->b] : s->op == AD__IR_RESULT ? s->b : 0;
      }
      qsort(pack + first, last - first, sizeof *pack, ad__pack_order);
      for (uint32_t k = first; k < last; k++) {
        ad__ins s = ins[pack[k].node];
        int arity = ad__packed_arity(s.op);
        if (s.op == AD__IR_CALL) {                           /* results side by side */
          s.d = ins[pack[k].node].d = slot[pack[k].node] = used;
          used += ad__call_outputs(ir->callees, s.a);
          p->ins[n_ins++] = s;
          continue;
        }
        s.a = slot[s.a] + (s.op == AD__IR_RESULT ? s.b : 0);
        if (arity > 1) s.b = slot[s.b]; else if (s.op != AD__IR_SUM) s.b = s.a;
        if (arity > 2) s.c = slot[s.c]; else if (s.op != AD__IR_SUM) s.c = s.a;
        s.d = slot[pack[k].node] = used++;
        ins[pack[k].node].d = s.d;
        p->ins[n_ins++] = s;
      }
    }
    for (uint32_t k = 0; k < n_terms; k++) ((uint32_t *)p->term)[k] = slot[term[k]];
    for (uint32_t j = 0; j < n_out; j++) p->out[j] = slot[out[j]];
    /* runs: where at least four neighbours move alike, one instruction is kept of them */
    uint32_t kept = 0;
    for (uint32_t t = 0; t < n_ins;) {
      const ad__ins *s = p->ins + t;
      uint32_t alike = 1;
      int step = 0;
      if (s->op != AD__IR_SUM && s->op != AD__IR_CALL && t + 1 < n_ins && s[1].op == s->op && s[1].d == s->d + 1) {
        uint32_t da = s[1].a - s->a, db = s[1].b - s->b, dc = s[1].c - s->c;
        if (da <= 1 && db <= 1 && dc <= 1) {
          step = (int)(da | db << 1 | dc << 2);
          while (t + alike < n_ins && pack[t + alike].level == pack[t].level && s[alike].op == s->op && s[alike].a == s->a + da * alike && s[alike].b == s->b + db * alike && s[alike].c == s->c + dc * alike) alike++;
        }
      }
      ad__run *last = p->n_runs ? &p->run[p->n_runs - 1] : NULL;
      ad__ins copy = *s;
      if (alike >= 4) {
        p->run[p->n_runs].op = copy.op; p->run[p->n_runs].n = alike; p->run[p->n_runs++].step = step;
        p->ins[kept++] = copy;
        t += alike;
      } else {
        if (last && last->step < 0 && last->op == copy.op) last->n++;
        else { p->run[p->n_runs].op = copy.op; p->run[p->n_runs].n = 1; p->run[p->n_runs++].step = -1; }
        p->ins[kept++] = copy;
        t++;
      }
    }
    p->n_ins = n_ins;
    p->n_slots = used + 16 + p->scratch;                   /* registers may reach beyond the last one */
  }
  AD_FREE(uses); AD_FREE(ins); AD_FREE(pack);
  if (!ok) ad__program_free(p);
  return ok;
}

/* --- the lane engine: a template at the end of this file, read for double lanes, float lanes and one double */

/* Calls item which: in holds its inputs one after the other; NaN where it fails, 0 where weights or tangents all are. What comes of a recorded
   rule derive is passed on: AD_ERROR_BRANCH, with results of the recorded path, or why there are none. */
AD_LOCAL ad_status ad__call(const ad__callees *callees, uint32_t which, const double *in, double *out);

/* what went wrong in a run: points that strayed from recorded comparisons (at: those of a block whose calls did), and why calls failed (AD_OK: none) */
typedef struct ad__mishaps { size_t strayed; ad_status status; unsigned char at[128]; } ad__mishaps;
AD_LOCAL void ad__mishap(ad__mishaps *bad, size_t point, ad_status status) {
  if (status == AD_ERROR_BRANCH) bad->at[point] = 1;
  else if (status > bad->status) bad->status = status;
}
AD_LOCAL ad_status ad__mishaps_status(const ad__mishaps *bad) { return bad->status != AD_OK ? bad->status : bad->strayed ? AD_ERROR_BRANCH : AD_OK; }

typedef struct ad__port { void *data; size_t row, width; bool stream; } ad__port;     /* elements from one point to the next (0: the same), elements a point */
#define AD__PORTS 10
#define AD__STAGE_BYTES 4096u             /* results larger than the caches are put together here, a register of points at a time, and streamed */
#define AD__CACHED_BYTES (1u << 20)      /* what is moved in less is not fetched ahead of time */
#ifndef AD_STREAM_BYTES                   /* results of more bytes go past the caches */
#define AD_STREAM_BYTES (8u << 20)
#endif
/* whether count points of a port of results are to go past the caches */
AD_LOCAL bool ad__port_streams(const ad__port *p, size_t count, size_t lanes, size_t element) {
  size_t bytes = p->width * lanes * element;
  return p->data && p->row == p->width && lanes > 1 && bytes <= AD__STAGE_BYTES && bytes >= 512 && count > AD_STREAM_BYTES / element / p->width;
}

#if defined(__GNUC__) && !defined(__TINYC__)
#define AD__PREFETCH(p, write) __builtin_prefetch(p, 0, 2)     /* to L2: the slots fill L1 */
#define AD__UNREACHABLE __builtin_unreachable()
#else
#define AD__PREFETCH(p, write) ((void)(p))
#define AD__UNREACHABLE break
#endif
/* lines of the next block, fetched a few before each run of instructions: all at once they would wait for each other */
typedef struct ad__ahead { const char *at[2 * AD__PORTS], *end[2 * AD__PORTS]; int n, now; size_t each; } ad__ahead;      /* each: lines before a run, while made of all */
AD_LOCAL void ad__ahead_add(ad__ahead *a, const void *from, size_t bytes) {
  if (bytes == 0) return;
  a->at[a->n] = (const char *)from;
  a->end[a->n++] = (const char *)from + bytes;
  a->each += bytes / 64 + 1;
}
AD_INLINE void ad__ahead_fetch(ad__ahead *a) {
  for (size_t k = 0; k < a->each && a->now < a->n; k++) {
    AD__PREFETCH(a->at[a->now], 0);
    a->at[a->now] += 64;
    if (a->at[a->now] >= a->end[a->now]) a->now++;
  }
}

#define AD__OVER AD__UNROLL for (size_t k = 0; k < AD_REGISTERS; k++)
#define AD__A AD_W(load)(a + k * AD_LANES)
#define AD__B AD_W(load)(b + k * AD_LANES)
#define AD__C AD_W(load)(c + k * AD_LANES)
#define AD__PUT(x) AD_W(store)(d + k * AD_LANES, x)
#define AD__MASK(x) AD_W(ne)(x, AD_W(k)(0))
#define AD__TRUTH(m) AD_W(only)(m, AD_W(k)(1))
#define AD__SUMS (AD_REGISTERS < 8 ? AD_REGISTERS : 8)
#define AD__OVER_SUMS AD__UNROLL for (size_t k = 0; k < AD__SUMS; k++)
#define AD__SEEDED(g, d) AD_W(only)(AD__MASK(g), AD_W(mul)(g, d))
#define AD__ALONGSIDE(g, d) AD_W(only)(AD_W(and)(AD__MASK(g), AD__MASK(d)), AD_W(mul)(g, d))
#define AD__TERM_KINDS(CASE)                                                                                                  \
  CASE(AD__TERM_PLAIN, AD__A) CASE(AD__TERM_MUL, AD_W(mul)(AD__A, AD__B))                                                     \
  CASE(AD__TERM_SEED, AD__SEEDED(AD__A, AD__B)) CASE(AD__TERM_ALONG, AD__ALONGSIDE(AD__A, AD__B))
#define AD__TERM_FIRST_CASE(kind, x) case (kind) + AD__TERM_FIRST: AD__OVER_SUMS sum[k] = x; break;
#define AD__TERM_CASES(kind, x)                                                                                               \
  case (kind) + AD__TERM_PLUS: AD__OVER_SUMS sum[k] = AD_W(add)(sum[k], x); break;                                            \
  case (kind) + AD__TERM_MINUS: AD__OVER_SUMS sum[k] = AD_W(sub)(sum[k], x); break;
#define AD__TERM_INTO_CASE(kind, x) case (kind) + AD__TERM_INTO_P: AD__OVER_SUMS p[k] = x; break;
#define AD__TERM_FROM_CASES(kind, x)                                                                                          \
  AD__TERM_FIRST_CASE(AD__TERM_FROM_P + kind, x) AD__TERM_CASES(AD__TERM_FROM_P + kind, x) AD__TERM_INTO_CASE(AD__TERM_FROM_P + kind, x)
#define AD__SLOTS d = AD_SLOT(i->d), a = AD_SLOT(i->a), b = AD_SLOT(i->b), c = AD_SLOT(i->c)
#define AD__CASE(op, x) case op: do { AD__SLOTS; (void)b; (void)c; AD__OVER AD__PUT(x); } while (++i < stop); break;
#define AD__RUN(N, op, x)                                                                                                     \
  static void AD__PASTE(N, _run_##op)(AD_S *d, const AD_S *a, const AD_S *b, const AD_S *c) {                                 \
    (void)b; (void)c; for (size_t k = 0; k < AD_REGISTERS; k++) AD__PUT(x); }
#define AD__RUN_1(N, D, op, ...) AD__RUN(N, op, AD_W(op)(AD__A))
#define AD__RUN_2(N, D, op, ...) AD__RUN(N, op, AD_W(op)(AD__A, AD__B))
#define AD__RUN_3(N, D, op, ...) AD__RUN(N, op, AD_W(op)(AD__A, AD__B, AD__C))
#define AD__RUN_ENTRY(N, D, op, ...) AD__PASTE(N, _run_##op),

AD_INLINE void ad_v64__turn(ad_v64 *r) { ad_v64_transpose(r); }
AD_INLINE void ad_v32__turn(ad_v32 *r) { ad_v32_transpose(r); }
AD_INLINE void ad_f64__turn(ad_f64 *r) { (void)r; }

#define AD_EW(word) AD__PASTE(AD_E, word)
#define AD__TEMPLATE AD__LANE_ENGINE
#define AD_E ad_v64
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#define AD_REGISTERS (64 / AD_V64_LANES)
#include "ad.h"
#define AD_E ad_v64_narrow               /* for programs whose slots are far larger than the caches, and a few directions */
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#define AD_REGISTERS (8 / AD_V64_LANES)
#define AD_PRODUCTS
#include "ad.h"
#define AD_E ad_v32
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#define AD_REGISTERS (128 / AD_V32_LANES)
#include "ad.h"
#define AD_E ad_f64
#define AD_N ad_f64
#define AD_S ad_f64
#define AD_LANES 1
#define AD_REGISTERS 1
#include "ad.h"
#define AD_E ad_v64_elements              /* for programs whose points are elements of arrays */
#define AD_ROWS ad_v64
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#define AD_REGISTERS (64 / AD_V64_LANES)
#define AD_BY_ADDRESS
#define AD_PRODUCTS
#include "ad.h"
#define AD_E ad_v32_elements
#define AD_ROWS ad_v32
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#define AD_REGISTERS (128 / AD_V32_LANES)
#define AD_BY_ADDRESS
#define AD_PRODUCTS
#include "ad.h"
#undef AD__TEMPLATE

#define AD__PACKED_RUN_1(N, D, op, ...)                                                                                       \
  static void AD__PASTE(ad__packed, op)(double *d, const double *a, const double *b, const double *c, uint32_t n, size_t da, size_t db, size_t dc) { \
    AD__PACKED_TAIL(ad_v64_##op(x)) }
#define AD__PACKED_RUN_2(N, D, op, ...)                                                                                       \
  static void AD__PASTE(ad__packed, op)(double *d, const double *a, const double *b, const double *c, uint32_t n, size_t da, size_t db, size_t dc) { \
    AD__PACKED_TAIL(ad_v64_##op(x, y)) }
#define AD__PACKED_RUN_3(N, D, op, ...)                                                                                       \
  static void AD__PASTE(ad__packed, op)(double *d, const double *a, const double *b, const double *c, uint32_t n, size_t da, size_t db, size_t dc) { \
    AD__PACKED_TAIL(ad_v64_##op(x, y, z)) }
/* a function of the table: the last register holds valid numbers in all lanes */
#define AD__PACKED_TAIL(f)                                                                                                    \
  for (uint32_t i = 0; i < n; i += AD_V64_LANES) {                                                                            \
    const int m = n - i < AD_V64_LANES ? (int)(n - i) : AD_V64_LANES;                                                         \
    ad_v64 x = ad__packed_load(a, da, i, m), y = ad__packed_load(b, db, i, m), z = ad__packed_load(c, dc, i, m);              \
    (void)x; (void)y; (void)z; ad_v64_store_n(d + i, f, m); }
AD_INLINE ad_v64 ad__packed_load(const double *p, size_t step, uint32_t i, int m) { return step ? ad_v64_load_n(p + i, m) : ad_v64_k(*p); }
AD_UNARY(AD__PACKED_RUN_1, , ) AD_BINARY(AD__PACKED_RUN_2, , ) AD_TERNARY(AD__PACKED_RUN_3, , )
#define AD__PACKED_ENTRY(N, D, op, ...) AD__PASTE(ad__packed, op),
AD_LOCAL void (*const ad__packed_rows[])(double *, const double *, const double *, const double *, uint32_t, size_t, size_t, size_t) = {
  AD_UNARY(AD__PACKED_ENTRY, , ) AD_BINARY(AD__PACKED_ENTRY, , ) AD_TERNARY(AD__PACKED_ENTRY, , ) };

/* arithmetic may run over the end of the last register: what comes there is computed later */
#define AD__OVER_PACKED(op, f) case op: for (uint32_t i = 0; i < run->n; i += AD_V64_LANES) {                                 \
    const ad_v64 x = AD__PACKED(a, da), y = AD__PACKED(b, db), z = AD__PACKED(c, dc);                                         \
    (void)x; (void)y; (void)z; ad_v64_store(d + i, f); } break;
#define AD__PACKED(p, step) (step ? ad_v64_load(p + i) : ad_v64_k(*p))
#define AD__NONZERO(x) ad_v64_ne(x, ad_v64_k(0))
AD_LOCAL void ad__packed_call(const ad__program *p, const ad__ins *s, double *slots, ad__mishaps *bad) {
  double *x = slots + p->n_slots - p->scratch;
  const uint32_t *term = (const uint32_t *)p->term + s->b;
  for (uint32_t k = 0; k < s->c; k++) x[k] = slots[term[k]];
  ad__mishap(bad, 0, ad__call(p->callees, s->a, x, slots + s->d));
}
AD_LOCAL void ad__packed_block(const ad__program *program, double *slots, ad__mishaps *bad) {
  const ad__ins *s = program->ins;
  for (const ad__run *run = program->run, *end = run + program->n_runs; run < end; run++) {
    if (run->step < 0) {                                   /* single instructions, one after the other */
      if (run->op == AD__IR_CALL) { for (const ad__ins *stop = s + run->n; s < stop; s++) ad__packed_call(program, s, slots, bad); continue; }
      if (run->op != AD__IR_SUM) { ad_f64__run(run->op, s, s + run->n, slots); s += run->n; continue; }
      for (const ad__ins *stop = s + run->n; s < stop; s++) {
        double sum = slots[s->a];
        const uint32_t *term = (const uint32_t *)program->term + s->b;
        for (uint32_t k = 0; k < s->c; k++) sum += slots[term[k]];
        slots[s->d] = sum;
      }
      continue;
    }
    double *d = slots + s->d;
    const double *a = slots + s->a, *b = slots + s->b, *c = slots + s->c;
    const bool da = run->step & 1, db = run->step & 2, dc = run->step & 4;
    s++;
    switch (run->op) {
      AD__OVER_PACKED(AD_OP_add, ad_v64_add(x, y))
      AD__OVER_PACKED(AD_OP_sub, ad_v64_sub(x, y))
      AD__OVER_PACKED(AD_OP_mul, ad_v64_mul(x, y))
      AD__OVER_PACKED(AD_OP_neg, ad_v64_neg(x))
      AD__OVER_PACKED(AD__IR_SEED, ad_v64_only(AD__NONZERO(x), ad_v64_mul(x, y)))
      AD__OVER_PACKED(AD__IR_ALONG, ad_v64_only(ad_v64_and(AD__NONZERO(x), AD__NONZERO(y)), ad_v64_mul(x, y)))
      AD__OVER_PACKED(AD__IR_MULADD, ad_v64_add(z, ad_v64_mul(x, y)))
      AD__OVER_PACKED(AD__IR_MULSUB, ad_v64_sub(ad_v64_mul(x, y), z))
      AD__OVER_PACKED(AD__IR_NMULADD, ad_v64_sub(z, ad_v64_mul(x, y)))
      AD__OVER_PACKED(AD__IR_SEEDADD, ad_v64_add(z, ad_v64_only(AD__NONZERO(x), ad_v64_mul(x, y))))
      AD__OVER_PACKED(AD__IR_SEEDSUB, ad_v64_sub(z, ad_v64_only(AD__NONZERO(x), ad_v64_mul(x, y))))
      AD__OVER_PACKED(AD__IR_ALONGADD, ad_v64_add(z, ad_v64_only(ad_v64_and(AD__NONZERO(x), AD__NONZERO(y)), ad_v64_mul(x, y))))
      AD__OVER_PACKED(AD__IR_ALONGSUB, ad_v64_sub(z, ad_v64_only(ad_v64_and(AD__NONZERO(x), AD__NONZERO(y)), ad_v64_mul(x, y))))
      AD__OVER_PACKED(AD__IR_FNMA, ad_v64_fnma(x, y, z))
      AD__OVER_PACKED(AD__IR_NUMBER, ad_v64_select(ad_v64_eq(x, x), y, x))
      AD__OVER_PACKED(AD__IR_LT, ad_v64_only(ad_v64_lt(x, y), ad_v64_k(1)))
      AD__OVER_PACKED(AD__IR_LE, ad_v64_only(ad_v64_le(x, y), ad_v64_k(1)))
      AD__OVER_PACKED(AD__IR_EQ, ad_v64_only(ad_v64_eq(x, y), ad_v64_k(1)))
      AD__OVER_PACKED(AD__IR_NE, ad_v64_only(ad_v64_ne(x, y), ad_v64_k(1)))
      AD__OVER_PACKED(AD__IR_AND, ad_v64_only(AD__NONZERO(x), y))
      AD__OVER_PACKED(AD__IR_OR, ad_v64_select(AD__NONZERO(x), x, y))
      AD__OVER_PACKED(AD__IR_NOT, ad_v64_sub(ad_v64_k(1), x))
      AD__OVER_PACKED(AD__IR_SELECT, ad_v64_select(AD__NONZERO(x), y, z))
      AD__OVER_PACKED(AD__IR_ONLY, ad_v64_only(AD__NONZERO(x), y))
      AD__OVER_PACKED(AD__IR_RESULT, x)
      default: ad__packed_rows[run->op](d, a, b, c, run->n, da, db, dc);
    }
  }
}

/* one point; slots: n_slots numbers */
AD_LOCAL void ad__packed_program(const ad__program *p, double *slots, const ad__port *in, const ad__port *out, bool has_guards, ad__mishaps *bad) {
  if (p->n_constants) memcpy(slots, p->constant, p->n_constants * sizeof *slots);
  const uint32_t *slot = p->in;
  for (int q = 0; q < AD__PORTS && in[q].width; q++)
    for (size_t j = 0; j < in[q].width; j++, slot++) if (*slot != AD__NONE) slots[*slot] = ((const double *)in[q].data)[j];
  bad->at[0] = 0;
  ad__packed_block(p, slots, bad);
  slot = p->out;
  for (int q = 0; q < AD__PORTS && out[q].width; q++)
    for (size_t j = 0; j < out[q].width; j++, slot++) if (out[q].data) ((double *)out[q].data)[j] = slots[*slot];
  bad->strayed += bad->at[0] || (has_guards && !(slots[*slot] != 0));
}

/* --- the programs of a function */

struct ad_function {
  ad__ir ir;                              /* the value; inputs 0 .. n-1 */
  uint32_t *y, n, m, ok;                  /* ok: the mask node "every comparison as recorded", or AD__NONE */
  bool elementwise;                       /* a fused chain: inputs and outputs are arrays, a point an element */
  uint32_t d, *place;                     /* inputs 0 .. d-1 are differentiated; input k is the caller's place[k] (NULL: k) */
  bool *used;                             /* by the caller's number: some output depends on the input, and it is differentiated */
  size_t recorded, guards;
  ad__callees *callees;                   /* custom operations that are called; NULL: none */
  ad__shared spare;                       /* a work space between calls without one of their own: its size, then room */
  ad__shared program[AD_FUNCTION_KINDS], packed[AD_FUNCTION_KINDS];         /* ad__program: for many points, for one */
  struct ad__graph *graph;                /* tensors: see there; the rest is empty */
};
AD_LOCAL void ad__graph_free(struct ad__graph *g);
AD_LOCAL size_t ad__graph_size(const struct ad__graph *g, bool outputs);

#define AD__PROGRAM_LIMIT 200000u         /* nodes: a Jacobian or Hessian that would need more is made by sweeps */
#define AD__ELIMINATION_LIMIT 600u        /* vertices */

/* the table of a function is shared by those that ad_function_wrt makes of it */
AD_LOCAL void ad__callees_release(ad__callees *c) {
  if (!c || ad__count_users(&c->users, -1) > 0) return;
  for (uint32_t k = 0; k < c->count; k++) ad_function_destroy(c->item[k].derived);
  AD_FREE(c->item); AD_FREE(c);
}
AD_LOCAL ad_status ad__apply_one(const ad_function *f, ad_function_kind kind, const double *x, const double *w, const double *dx, double *y, double *result);
AD_LOCAL ad_status ad__call(const ad__callees *callees, uint32_t which, const double *in, double *out) {
  const ad__callee *c = &callees->item[which / AD__CALLS];
  const ad_custom *op = c->op;
  const uint32_t way = which % AD__CALLS;
  const size_t n = op->inputs, m = op->outputs, outputs = ad__call_outputs(callees, which);
  const size_t known = way < AD__CALL_BACK ? n + m : n + 2 * m, seeds = way == AD__CALL_VJP ? m : way == AD__CALL_JVP || way == AD__CALL_BACK ? n : known;
  const double *y = in + n, *seed = in + known;
  ad_status status = AD_OK;
  bool zero = way != AD__CALL_VALUE;
  for (size_t k = 0; k < seeds && zero; k++) zero = seed[k] == 0;
  if (zero) { for (size_t j = 0; j < outputs; j++) out[j] = 0; return AD_OK; }
  const bool recorded = way > AD__CALL_JVP || (way == AD__CALL_VJP && !op->vjp);
  switch (way) {
    case AD__CALL_VALUE: status = op->value(op->context, in, out); break;
    case AD__CALL_VJP: status = op->vjp ? op->vjp(op->context, in, y, seed, out) : ad__apply_one(c->derived, AD_FUNCTION_VALUE, in, NULL, NULL, out, NULL); break;
    case AD__CALL_JVP: status = op->jvp(op->context, in, y, seed, out); break;
    case AD__CALL_BACK: status = ad__apply_one(c->derived, AD_FUNCTION_VJP, in, seed, NULL, NULL, out); break;
    default: status = ad__apply_one(c->derived, AD_FUNCTION_JVP, in, NULL, seed, NULL, out);
  }
  if (recorded && status == AD_ERROR_BRANCH) return status;
  for (size_t j = 0; status != AD_OK && j < outputs; j++) out[j] = (double)NAN;
  return recorded ? status : AD_OK;
}

/* inputs and outputs of a kind, in this order: x w dx -> y result (ok) */
AD_LOCAL size_t ad__inputs(const ad_function *f) { return f->graph ? ad__graph_size(f->graph, false) : f->n; }
AD_LOCAL size_t ad__outputs(const ad_function *f) { return f->graph ? ad__graph_size(f->graph, true) : f->m; }
AD_LOCAL size_t ad__result_size(const ad_function *f, ad_function_kind kind) {
  size_t n = f->graph ? ad__inputs(f) : f->d, m = ad__outputs(f);
  return kind == AD_FUNCTION_VALUE ? 0 : kind == AD_FUNCTION_JVP ? m : kind == AD_FUNCTION_JACOBIAN ? m * n : kind == AD_FUNCTION_HESSIAN ? n * n : n;
}
AD_LOCAL bool ad__kind_has_w(ad_function_kind kind) { return kind == AD_FUNCTION_VJP || kind == AD_FUNCTION_HESSIAN || kind == AD_FUNCTION_HESSIAN_VECTOR; }
AD_LOCAL bool ad__kind_has_dx(ad_function_kind kind) { return kind == AD_FUNCTION_JVP || kind == AD_FUNCTION_HESSIAN_VECTOR; }

/* m rows of derivatives of the nodes y with respect to the inputs, by way 0 reverse, 1 forward, 2 elimination */
AD_LOCAL void ad__ir_jacobian(ad__ir *ir, int way, const uint32_t *y, uint32_t m, uint32_t n, ad__expr *jacobian) {
  uint32_t count = ir->n;
  ad__edges *edges = ad__ir_linearise(ir, n, y, m);
  ad__expr *work = (ad__expr *)ad__array((size_t)count + n, sizeof *work), one = ad__expr_k(1);
  if (!edges || !work) ir->failed = true;
  else if (way == 0) {
    for (uint32_t j = 0; j < m; j++) ad__ir_reverse(ir, edges, count, work, &y[j], &one, 1, n, jacobian + (size_t)j * n);
  } else if (way == 1) {
    for (uint32_t i = 0; i < n; i++) {
      for (uint32_t k = 0; k < n; k++) work[count + k] = ad__expr_k(k == i);
      ad__ir_forward(ir, edges, count, work, n, work + count);
      for (uint32_t j = 0; j < m; j++) jacobian[(size_t)j * n + i] = work[y[j]];
    }
  } else ad__ir_eliminate(ir, edges, count, y, m, n, jacobian);
  AD_FREE(edges); AD_FREE(work);
}

/* one way of making a kind: out gets m + results + 1 nodes; the cost, or UINT64_MAX where it does not fit or fails */
AD_LOCAL uint64_t ad__build(const ad_function *f, ad_function_kind kind, int way, bool written, ad__ir *ir, uint32_t *out, uint32_t *n_out) {
  uint32_t n = f->d, m = f->m, count = 0;
  size_t results = ad__result_size(f, kind);
  uint64_t cost = UINT64_MAX;
  if (!ad__ir_copy(ir, &f->ir)) return cost;
  ir->loose = true;
  ir->written = written;
  uint32_t nodes = ir->n;
  ad__expr *e = (ad__expr *)ad__array(results + 2 * (size_t)n + m + nodes, sizeof *e);
  uint32_t *node = (uint32_t *)ad__array(n, sizeof *node), *uses = NULL;
  if (e && node) {
    memset(node, 0, n * sizeof *node);
    ad__expr *seed = e + results, *dx = seed + m, *g = dx + n, *work = g + n;
    for (uint32_t j = 0; j < m; j++) seed[j] = ad__kind_has_w(kind) ? ad__expr_at(ir, ad__ir_append(ir, AD__IR_INPUT, f->n + j, 0, 0)) : ad__expr_k(1);
    for (uint32_t k = 0; k < n; k++)
      dx[k] = ad__kind_has_dx(kind) ? ad__expr_at(ir, ad__ir_append(ir, AD__IR_INPUT, f->n + (ad__kind_has_w(kind) ? m : 0) + k, 0, 0)) : ad__expr_k(0);
    if (kind == AD_FUNCTION_JACOBIAN) ad__ir_jacobian(ir, way, f->y, m, n, e);
    else if (kind != AD_FUNCTION_VALUE) {
      ad__edges *edges = ad__ir_linearise(ir, n, f->y, m);
      if (!edges) ir->failed = true;
      else if (kind == AD_FUNCTION_JVP) {
        ad__ir_forward(ir, edges, nodes, work, n, dx);
        for (uint32_t j = 0; j < m; j++) e[j] = work[f->y[j]];
      } else ad__ir_reverse(ir, edges, nodes, work, f->y, seed, m, n, kind == AD_FUNCTION_VJP ? e : g);
      AD_FREE(edges);
    }
    if (kind == AD_FUNCTION_HESSIAN || kind == AD_FUNCTION_HESSIAN_VECTOR) {
      for (uint32_t k = 0; k < n; k++) node[k] = ad__expr_node(ir, g[k]);
      if (kind == AD_FUNCTION_HESSIAN) {
        if (!ir->failed) ad__ir_jacobian(ir, way, node, n, n, e);
        for (uint32_t i = 0; i < n; i++) for (uint32_t k = 0; k < i; k++) e[(size_t)k * n + i] = e[(size_t)i * n + k];       /* one half is enough */
      } else if (!ir->failed) {
        uint32_t second = ir->n;
        ad__edges *edges = ad__ir_linearise(ir, n, node, n);
        ad__expr *tangent = (ad__expr *)ad__array(second, sizeof *tangent);
        if (!edges || !tangent) ir->failed = true;
        else ad__ir_forward(ir, edges, second, tangent, n, dx);
        for (uint32_t k = 0; k < n; k++) e[k] = ir->failed ? ad__expr_k(0) : tangent[node[k]];
        AD_FREE(edges); AD_FREE(tangent);
      }
    }
    for (uint32_t j = 0; j < m; j++) out[count++] = f->y[j];
    for (size_t j = 0; j < results && !ir->failed; j++) out[count++] = ad__expr_node(ir, e[j]);
    if (f->ok != AD__NONE) out[count++] = f->ok;
    uses = (uint32_t *)ad__array(ir->n, sizeof *uses);
    if (!ir->failed && uses) cost = ad__ir_uses(ir, out, count, uses);
  } else ir->failed = true;
  *n_out = count;
  AD_FREE(e); AD_FREE(node); AD_FREE(uses);
  return cost;
}

/* Whether a Jacobian or Hessian as one program is out of proportion: then it is made by sweeps. */
AD_LOCAL bool ad__too_large(const ad_function *f, ad_function_kind kind) {
  uint64_t n = f->d, m = f->m, nodes = f->ir.n;
  if (kind == AD_FUNCTION_JACOBIAN) return nodes * (m < n ? m : n) > AD__PROGRAM_LIMIT || (m > 1 && m * n > AD__PROGRAM_LIMIT);
  return kind == AD_FUNCTION_HESSIAN && (5 * nodes * n > AD__PROGRAM_LIMIT || n * n > AD__PROGRAM_LIMIT);
}

/* the program of a kind, made the cheapest way */
AD_LOCAL bool ad__compile(const ad_function *f, ad_function_kind kind, int target, ad__program *p) {
  size_t outputs = (size_t)f->m + ad__result_size(f, kind) + 1;
  uint32_t *out = (uint32_t *)ad__array(2 * outputs + f->n, sizeof *out), n_out = 0, *best_out = out ? out + outputs : NULL;
  ad__ir best;
  memset(&best, 0, sizeof best);
  bool ok = false;
  if (out && outputs < UINT32_MAX / 16) {
    uint64_t least = UINT64_MAX;
    bool ways = kind == AD_FUNCTION_JACOBIAN || kind == AD_FUNCTION_HESSIAN;
    for (int way = 0; way < (ways ? 3 : 1); way++) {
      uint64_t nodes = f->ir.n, sweeps = kind == AD_FUNCTION_HESSIAN ? 5 * (uint64_t)f->d : way == 0 ? f->m : f->d;
      if (ways && way < 2 && way != (f->m > f->d) && nodes * sweeps > AD__PROGRAM_LIMIT / 4) continue;
      if (way == 2 && nodes * (kind == AD_FUNCTION_HESSIAN ? 5 : 1) > AD__ELIMINATION_LIMIT) continue;
      if (way == 2 && kind == AD_FUNCTION_JACOBIAN && f->m == 1) continue;
      ad__ir ir;
      uint32_t outs = 0;
      uint64_t cost = ad__build(f, kind, way, target == AD__FOR_C, &ir, out, &outs);
      if (cost < least) {
        ad__ir swap = best;
        best = ir; ir = swap;
        least = cost; n_out = outs;
        memcpy(best_out, out, outs * sizeof *out);
      }
      ad__ir_free(&ir);
    }
    uint32_t n_in = f->n + (ad__kind_has_w(kind) ? f->m : 0) + (ad__kind_has_dx(kind) ? f->d : 0);
    if (least != UINT64_MAX)
      ok = target == AD__FOR_ONE ? ad__lower_packed(&best, n_in, best_out, n_out, p) : ad__lower(&best, n_in, best_out, n_out, target, p);
    for (uint32_t k = 0; ok && f->place && k < f->n; k++) out[f->place[k]] = p->in[k];
    if (ok && f->place) memcpy(p->in, out, f->n * sizeof *out);
  }
  ad__ir_free(&best);
  AD_FREE(out);
  return ok;
}

AD_LOCAL ad__program *ad__program_in(const ad_function *f, ad_function_kind kind, const ad__shared *place, int target) {
  ad__program *p = (ad__program *)ad__published(place);
  if (p) return p;
  p = (ad__program *)ad__array(1, sizeof *p);
  if (!p || !ad__compile(f, kind, target, p)) { AD_FREE(p); return NULL; }
  if (!ad__publish((ad__shared *)(uintptr_t)place, p)) {     /* another thread was faster */
    ad__program_free(p); AD_FREE(p);
    p = (ad__program *)ad__published(place);
  }
  return p;
}
/* why there is no program of a kind */
AD_LOCAL ad_status ad__no_program(const ad_function *f, ad_function_kind kind) {
  const bool second = kind == AD_FUNCTION_HESSIAN || kind == AD_FUNCTION_HESSIAN_VECTOR;
  for (uint32_t k = 0; f->callees && k < f->callees->count && second; k++) if (!f->callees->item[k].derived) return AD_ERROR_UNSUPPORTED;
  return AD_ERROR_MEMORY;
}
AD_LOCAL ad__program *ad__function_program(const ad_function *f, ad_function_kind kind) {
  return ad__program_in(f, kind, &f->program[kind], f->elementwise ? AD__FOR_ELEMENTS : AD__FOR_LANES); }
AD_LOCAL ad__program *ad__function_packed(const ad_function *f, ad_function_kind kind) { return ad__program_in(f, kind, &f->packed[kind], AD__FOR_ONE); }

AD_API void ad_function_destroy(ad_function *f) {
  if (!f) return;
  for (int k = 0; k < 2 * AD_FUNCTION_KINDS; k++) {
    ad__program *p = (ad__program *)ad__published(k % 2 ? &f->program[k / 2] : &f->packed[k / 2]);
    if (p) ad__program_free(p);
    AD_FREE(p);
  }
  ad__ir_free(&f->ir);
  ad__callees_release(f->callees);
  void *spare = ad__published(&f->spare);
  AD_FREE(spare);
  ad__graph_free(f->graph);
  AD_FREE(f->y); AD_FREE(f->place); AD_FREE(f->used); AD_FREE(f);
}

/* a work space of a function's own: taken by a call, put back after it; NULL: no memory */
AD_LOCAL char *ad__spare_take(const ad_function *f, size_t bytes) {
  char *own = (char *)ad__swap((ad__shared *)(uintptr_t)&f->spare, NULL);
  size_t have = 0;
  if (own) memcpy(&have, own, sizeof have);
  if (own && have >= bytes) return own;
  AD_FREE(own);
  own = bytes > PTRDIFF_MAX - 2 * AD__ALIGN ? NULL : (char *)ad__array(bytes + 2 * AD__ALIGN, 1);
  if (own) memcpy(own, &bytes, sizeof bytes);
  return own;
}
AD_LOCAL char *ad__spare_room(char *own) { return ad__aligned(own + sizeof(size_t)); }
AD_LOCAL void ad__spare_put(const ad_function *f, char *own) {
  void *old = own ? ad__swap((ad__shared *)(uintptr_t)&f->spare, own) : NULL;
  AD_FREE(old);                                 /* another call was at work, and has put its own back first */
}

/* From IR that holds inputs and the m outputs y; what they do not need is left behind. Takes the ir over, also when it fails; its callees
   get one user more where it does not. */
AD_LOCAL ad_function *ad__function_from_ir(ad__ir *ir, uint32_t n, const uint32_t *y, uint32_t m, uint32_t ok) {
  ad_function *f = (ad_function *)ad__array(1, sizeof *f);
  uint32_t *out = (uint32_t *)ad__array((size_t)m + 1, sizeof *out), *place = (uint32_t *)ad__array(ir->n, sizeof *place);
  bool *used = (bool *)ad__array(n, sizeof *used);
  if (!f || !out || !place || !used || ir->failed) { AD_FREE(f); AD_FREE(out); AD_FREE(place); AD_FREE(used); ad__ir_free(ir); return NULL; }
  memset(f, 0, sizeof *f);
  if (ir->callees) ad__count_users(&ir->callees->users, 1);
  f->callees = f->ir.callees = ir->callees;
  memset(used, 0, n * sizeof *used);
  memcpy(out, y, m * sizeof *out);
  out[m] = ok;
  ad__ir_uses(ir, out, m, place);
  for (uint32_t i = 0; i < ir->n; i++) if (ir->node[i].op == AD__IR_INPUT && place[i]) used[ir->node[i].a] = true;
  ad__ir_uses(ir, out, m + (ok != AD__NONE), place);
  for (uint32_t i = 0; i < ir->n; i++) {
    if (!place[i] && ir->node[i].op != AD__IR_INPUT) continue;
    ad__node p = ir->node[i];
    int arity = ad__node_arity(p.op);
    place[i] = ad__ir_append(&f->ir, p.op, arity > 0 ? place[p.a] : p.a, arity > 1 ? place[p.b] : p.b, arity > 2 ? place[p.c] : p.c);
  }
  for (uint32_t j = 0; j < m; j++) out[j] = place[out[j]];
  f->y = out; f->used = used; f->n = f->d = n; f->m = m; f->ok = ok == AD__NONE ? ok : place[ok]; f->recorded = ir->n;
  AD_FREE(place);
  ad__ir_free(ir);
  if (f->ir.failed) { ad_function_destroy(f); return NULL; }
  return f;
}

AD_API ad_function *ad_function_wrt(const ad_function *f, const size_t *inputs, size_t count) {
  if (!f || f->graph || !inputs || count == 0 || count > f->n) return NULL;
  uint32_t n = f->n, d = (uint32_t)count, next = d;
  uint32_t *to = (uint32_t *)ad__array(n, sizeof *to), *place = (uint32_t *)ad__array(n, sizeof *place);
  ad__ir ir;
  ad_function *g = NULL;
  memset(&ir, 0, sizeof ir);
  bool ok = to && place;
  for (uint32_t k = 0; ok && k < n; k++) to[k] = AD__NONE;
  for (uint32_t k = 0; ok && k < d; k++) {
    ok = inputs[k] < n && to[inputs[k]] == AD__NONE;
    if (ok) to[inputs[k]] = k;
  }
  for (uint32_t k = 0; ok && k < n; k++) { if (to[k] == AD__NONE) to[k] = next++; place[to[k]] = k; }
  ir.callees = f->callees;
  if (ok && ad__ir_reserve(&ir, f->ir.n))
    for (uint32_t i = 0; i < f->ir.n; i++) {
      const ad__node *q = &f->ir.node[i];
      ad__ir_append(&ir, q->op, q->op != AD__IR_INPUT ? q->a : to[f->place ? f->place[q->a] : q->a], q->b, q->c);
    }
  else ok = false;
  if (ok) g = ad__function_from_ir(&ir, n, f->y, f->m, f->ok); else ad__ir_free(&ir);
  if (g) {
    g->d = d; g->place = place; g->recorded = f->recorded; g->guards = f->guards;
    for (uint32_t k = 0; k < n; k++) to[k] = k < d && g->used[k];
    for (uint32_t k = 0; k < n; k++) g->used[place[k]] = to[k] != 0;
  } else AD_FREE(place);
  AD_FREE(to);
  return g;
}

/* --- from a tape */

#define AD__COPY_1(N, D, op, ...) case AD_OP_##op: return ad__expr_##op(x);
#define AD__COPY_2(N, D, op, ...) case AD_OP_##op: return ad__expr_##op(x, y);
#define AD__COPY_3(N, D, op, ...) case AD_OP_##op: return ad__expr_##op(x, y, z);
AD_LOCAL ad__expr ad__expr_of_row(int opcode, ad__expr x, ad__expr y, ad__expr z) {
  switch (opcode) {
    AD_UNARY(AD__COPY_1, , ) AD_BINARY(AD__COPY_2, , ) AD_TERNARY(AD__COPY_3, , )
    default: return x;
  }
}

/* operands of a node of the tape that are nodes */
AD_LOCAL int ad__code_operands(const ad__code *c, uint32_t *operand) {
  int opcode = AD_NODE_OP(c->op), form = AD_NODE_FORM(c->op);
  operand[0] = c->x;
  if (opcode == AD_OP_GUARD_) return 1;
  if (opcode >= AD_OP_COUNT_) return 0;
  if (form == AD_Y_NUMBER || form == AD_X_NUMBER) return 1;
  int arity = ad_ops[opcode].arity;
  if (arity > 1) operand[1] = c->u.yz[0];
  if (arity > 2) operand[2] = c->u.yz[1];
  return arity;
}

/* operands of any node: rows on tensors and structural operations included */
AD_LOCAL uint32_t ad__node_operands(const ad_tape *t, size_t i, uint32_t *few, const uint32_t **operand) {
  const ad__code *c = &t->code[i];
  int opcode = AD_NODE_OP(c->op);
  *operand = few;
  if (opcode == AD_OP_CONSTANT_ || opcode == AD_OP_VARIABLE_) return 0;
  if (AD_NODE_FORM(c->op) != AD_ON_TENSORS) return (uint32_t)ad__code_operands(c, few);
  const ad__tensor *r = ad__tensor_at(t, i);
  if (r->op) { *operand = r->operand; return r->count; }
  for (int k = 0; k < ad_ops[opcode].arity; k++) few[k] = r->few[k];
  return (uint32_t)ad_ops[opcode].arity;
}
AD_LOCAL bool ad__is_tensor_node(const ad_tape *t, size_t i) { return AD_NODE_FORM(t->code[i].op) == AD_ON_TENSORS; }

/* nodes of the tape to IR, for all that y and the guards need. Numbers may pass through small tensors on the way: rows, views, concat and
   custom operations of numbers are taken apart, element by element. AD_ERROR_UNSUPPORTED: another operation, inputs or outputs that are
   no numbers, or tensors too large, or too many, to be taken apart. */

enum { AD__ELEMENTS = 1024, AD__ALL_ELEMENTS = 16384 };      /* the largest tensor that is taken apart; of all of them together */
AD_LOCAL const ad_custom *ad__custom_numbers_of(const ad__tensor *t);
AD_LOCAL bool ad__is_apart(const ad_tape *t, size_t i) {
  if (!ad__is_tensor_node(t, i)) return true;
  const ad__tensor *r = ad__tensor_at(t, i);
  if (r->a.dtype != AD_F64 || r->a.size > AD__ELEMENTS) return false;
  return !r->op || r->op == &ad__op_copy || r->op == &ad__op_reshape || r->op == &ad__op_broadcast_to || r->op == &ad__op_permute
    || r->op == &ad__op_slice || r->op == &ad__op_concat || ad__custom_numbers_of(r);
}
AD_LOCAL size_t ad__elements(const ad_tape *t, size_t i) { return ad__is_tensor_node(t, i) ? ad__tensor_at(t, i)->a.size : 1; }
/* row-major place in array a, or, where it broadcasts, of what lies there, of the element with index at (rank sizes) */
AD_LOCAL size_t ad__element(const ad__strided *a, const size_t *at, int rank) {
  size_t place = 0;
  for (int d = 0; d < a->rank; d++) place = place * a->shape[d] + (a->shape[d] == 1 ? 0 : at[rank - a->rank + d]);
  return place;
}
/* element e of node r, an operation that only moves elements: which element of which operand it is */
AD_LOCAL size_t ad__moved_from(const ad_tape *t, const ad__tensor *r, size_t e, uint32_t *operand) {
  const uint32_t node = r->operand[0];
  const ad__strided *from = ad__is_tensor_node(t, node) ? &ad__tensor_at(t, node)->a : &ad__scalar_array;
  size_t at[AD_MAX_RANK] = { 0 }, source[AD_MAX_RANK];
  *operand = node;
  if (r->op == &ad__op_reshape) return e;
  for (int d = r->a.rank; d-- > 0;) { at[d] = e % r->a.shape[d]; e /= r->a.shape[d]; }
  memcpy(source, at, sizeof source);
  if (r->op == &ad__op_permute) for (int d = 0; d < r->a.rank; d++) source[r->n[d]] = at[d];
  else if (r->op == &ad__op_slice) source[r->n[0]] = (size_t)(r->n[1] + (ptrdiff_t)at[r->n[0]] * r->n[3]);
  else if (r->op == &ad__op_concat) {
    const size_t axis = (size_t)r->n[0];
    for (uint32_t k = 0; source[axis] >= from->shape[axis]; ) {
      source[axis] -= from->shape[axis];
      *operand = r->operand[++k];
      from = &ad__tensor_at(t, *operand)->a;
    }
  }
  return ad__element(from, source, r->a.rank);
}

/* the callee of op, new or old; its rule derive is recorded where the tape was at x and y */
AD_LOCAL uint32_t ad__callee_of(ad__ir *ir, const ad_custom *op, const double *x, const double *y, ad_status *status) {
  if (!ir->callees) {
    ir->callees = (ad__callees *)ad__array(1, sizeof *ir->callees);
    if (!ir->callees) { *status = AD_ERROR_MEMORY; return 0; }
    memset(ir->callees, 0, sizeof *ir->callees);
    ir->callees->users = 1;
  }
  ad__callees *c = ir->callees;
  for (uint32_t k = 0; k < c->count; k++) if (c->item[k].op == op) return k;
  size_t room = c->room;
  void *array = c->item;
  if (!ad__room(&array, c->count, &room, sizeof *c->item)) { *status = AD_ERROR_MEMORY; return 0; }
  c->item = (ad__callee *)array; c->room = (uint32_t)room;
  ad__callee *q = &c->item[c->count];
  q->op = op; q->derived = NULL;
  if (op->derive) {
    const size_t n = op->inputs, m = op->outputs;
    ad_tape *t = ad_tape_create(NULL);
    double *one = (double *)ad__array(m, sizeof *one);
    if (t && one) {
      ad_var in[3], gx = ad__invalid(t);
      for (size_t j = 0; j < m; j++) one[j] = 1;
      in[0] = ad_tensor_variable(t, AD_F64, 1, &n, x); in[1] = ad_tensor_variable(t, AD_F64, 1, &m, y); in[2] = ad_tensor_variable(t, AD_F64, 1, &m, one);
      if (t->status == AD_OK) op->derive(op->context, &in[0], in[1], in[2], &gx);
      if (t->status == AD_OK && !gx.kind) gx = ad_tensor_constant(t, AD_F64, 1, &n, NULL);
      if (t->status == AD_OK && ad_size(gx) == n && ad_type(gx) == AD_F64) q->derived = ad_function_create(in, 3, &gx, 1);
    }
    if (!q->derived && (!t || !one || t->status == AD_ERROR_MEMORY)) *status = AD_ERROR_MEMORY;
    else if (!q->derived && !op->vjp && !op->jvp) *status = AD_ERROR_UNSUPPORTED;
    AD_FREE(one);
    ad_tape_destroy(t);
  }
  return c->count++;
}

/* the expressions of node i of a tape; first[]: where those of a node begin */
AD_LOCAL ad_status ad__ir_record_node(ad__ir *ir, const ad_tape *t, size_t i, const size_t *first, ad__expr *pool) {
  const ad__code *c = &t->code[i];
  const int opcode = AD_NODE_OP(c->op), form = AD_NODE_FORM(c->op);
  uint32_t few[4];
  const uint32_t *operand;
  ad__expr *to = pool + first[i];
  ad_status status = AD_OK;
  if (opcode == AD_OP_CONSTANT_ || opcode == AD_OP_VARIABLE_) {
    const double *data = ad__is_tensor_node(t, i) ? (const double *)ad__tensor_at(t, i)->a.data : &t->value[i];
    for (size_t e = 0, size = ad__elements(t, i); e < size; e++) to[e] = ad__expr_k(data[e]);
    return AD_OK;
  }
  const uint32_t count = ad__node_operands(t, i, few, &operand);
  if (form != AD_ON_TENSORS) {
    const ad__expr a = pool[first[operand[0]]], b = count > 1 ? pool[first[operand[1]]] : ad__expr_k(form == AD_PLAIN ? 0 : c->u.k);
    if (opcode == AD_OP_GUARD_) to[0] = a;
    else to[0] = form == AD_X_NUMBER ? ad__expr_of_row(opcode, b, a, a) : ad__expr_of_row(opcode, a, b, count > 2 ? pool[first[operand[2]]] : a);
    return AD_OK;
  }
  const ad__tensor *r = ad__tensor_at(t, i);
  const ad_custom *op = ad__custom_numbers_of(r);
  for (size_t e = 0; e < r->a.size && !op; e++) {
    ad__expr in[3];
    uint32_t node = 0;
    in[0] = in[1] = in[2] = ad__expr_k(0);
    if (r->op) { const size_t at = ad__moved_from(t, r, e, &node); to[e] = pool[first[node] + at]; continue; }
    size_t at[AD_MAX_RANK] = { 0 }, rest = e;
    for (int d = r->a.rank; d-- > 0;) { at[d] = rest % r->a.shape[d]; rest /= r->a.shape[d]; }
    for (uint32_t k = 0; k < count; k++) in[k] = pool[first[operand[k]] + (ad__is_tensor_node(t, operand[k]) ? ad__element(&ad__tensor_at(t, operand[k])->a, at, r->a.rank) : 0)];
    to[e] = ad__expr_of_row(opcode, in[0], in[1], in[2]);
  }
  if (!op) return AD_OK;
  const double *y = (const double *)r->a.data;
  bool constant = true;
  for (size_t k = 0; k < op->inputs; k++) constant = constant && !pool[first[operand[0]] + k].ir;
  if (constant) { for (size_t j = 0; j < op->outputs; j++) to[j] = ad__expr_k(y[j]); return AD_OK; }
  const uint32_t callee = ad__callee_of(ir, op, (const double *)ad__tensor_at(t, operand[0])->a.data, y, &status);
  if (status != AD_OK) return status;
  const uint32_t call = ad__ir_call(ir, callee * AD__CALLS + AD__CALL_VALUE, pool + first[operand[0]], (uint32_t)op->inputs);
  for (size_t j = 0; j < op->outputs && !ir->failed; j++) to[j] = ad__ir_result(ir, call, (uint32_t)j);
  return AD_OK;
}

/* nodes that x leads to, or that are needed, but x; needed: 1, gets bit 1 where x leads to the node */
AD_LOCAL size_t ad__count_recorded(const ad_tape *t, const ad_var *x, size_t n, unsigned char *needed) {
  size_t recorded = 0;
  for (size_t i = 0; i < t->count; i++) needed[i] = needed[i] != 0;
  for (size_t k = 0; k < n; k++) needed[x[k].node] = 4;
  for (size_t i = 0; i < t->count; i++) {
    uint32_t few[4];
    const uint32_t *operand;
    if (needed[i] == 4) continue;
    for (uint32_t k = ad__node_operands(t, i, few, &operand); k-- > 0;) if (needed[operand[k]] & 6) needed[i] |= 2;
    recorded += needed[i] != 0;
  }
  return recorded;
}
AD_LOCAL ad_status ad__ir_record(ad__ir *ir, const ad_tape *t, const ad_var *x, size_t n, const ad_var *y, size_t m,
                                 uint32_t *out, uint32_t *ok, size_t *recorded, size_t *guards) {
  size_t count = t->count, all = 0, apart = 0;
  ad_status status = AD_OK;
  uint32_t *input = (uint32_t *)ad__array(count, sizeof *input), few[4];
  const uint32_t *operand;
  unsigned char *needed = (unsigned char *)ad__array(count, 1);
  size_t *first = (size_t *)ad__array(count, sizeof *first);
  ad__expr *pool = NULL;
  *recorded = *guards = 0;
  if (!input || !needed || !first) status = AD_ERROR_MEMORY;
  else {
    memset(needed, 0, count);
    for (size_t i = 0; i < count; i++) input[i] = AD__NONE;
    for (size_t k = 0; k < n; k++) {
      if (input[x[k].node] != AD__NONE) status = AD_ERROR_ARGUMENT;       /* twice the same input */
      input[x[k].node] = (uint32_t)k;
    }
    for (size_t j = 0; j < m; j++) needed[y[j].node] = 1;
    for (size_t k = 0; k < n + m && status == AD_OK; k++) {
      const ad_var v = k < n ? x[k] : y[k - n];
      if (ad_rank(v) != 0 || ad_type(v) != AD_F64) status = AD_ERROR_UNSUPPORTED;
    }
    for (size_t i = count; i-- > 0 && status == AD_OK;) {
      if (AD_NODE_OP(t->code[i].op) == AD_OP_GUARD_) needed[i] = 1;
      if (input[i] != AD__NONE) needed[i] = 1;
      if (!needed[i]) continue;
      first[i] = all;
      all += ad__elements(t, i);
      if (input[i] != AD__NONE) continue;
      if (ad__is_tensor_node(t, i)) apart += ad__tensor_at(t, i)->a.size;
      if (!ad__is_apart(t, i) || apart > AD__ALL_ELEMENTS) status = AD_ERROR_UNSUPPORTED;
      for (uint32_t k = ad__node_operands(t, i, few, &operand); k-- > 0;) needed[operand[k]] = 1;
    }
    if (status == AD_OK && !(pool = (ad__expr *)ad__array(all, sizeof *pool))) status = AD_ERROR_MEMORY;
  }
  if (status == AD_OK) {
    ad__expr_mask good = ad__mask_k(true);
    for (size_t k = 0; k < n; k++) pool[first[x[k].node]] = ad__expr_at(ir, ad__ir_append(ir, AD__IR_INPUT, (uint32_t)k, 0, 0));
    for (size_t i = 0; i < count && status == AD_OK && !ir->failed; i++) {
      if (!needed[i] || input[i] != AD__NONE) continue;
      status = ad__ir_record_node(ir, t, i, first, pool);
      if (status != AD_OK || AD_NODE_OP(t->code[i].op) != AD_OP_GUARD_) continue;
      const ad__expr a = pool[first[i]];
      const ad__expr_mask held = t->value[i] != 0 ? ad__expr_ne(a, ad__expr_k(0)) : ad__expr_eq(a, ad__expr_k(0));
      if (held.ir) ++*guards;
      good = ad__expr_and(good, held);
    }
    for (size_t j = 0; j < m && status == AD_OK; j++) out[j] = ad__expr_node(ir, pool[first[y[j].node]]);
    *recorded = ad__count_recorded(t, x, n, needed);
    *ok = good.ir && *guards ? good.node : AD__NONE;
  }
  if (ir->failed && status == AD_OK) status = AD_ERROR_MEMORY;
  AD_FREE(pool); AD_FREE(first); AD_FREE(input); AD_FREE(needed);
  return status;
}

AD_LOCAL size_t ad__block_bytes(const ad__program *p);
AD_LOCAL void ad__run_program(const ad__program *p, ad_dtype dtype, void *slots, size_t count, const ad__port *in, ad__port *out, bool has_guards, unsigned char *branch, ad__mishaps *bad);

/* --- functions of tensors: the recording as a list of steps, from which plans are made (below)

   A step is an input, a constant, a guard, a row, a structural operation or a fused chain. Fused are rows over tensors of one shape whose
   results nobody outside the chain reads: they become a function of scalars, and its programs run over the elements, block by block. Forward
   keeps the derivatives by each operand besides the value, so that reverse is one product: keeping beats recomputing. Where the adjoint of
   the value is known before, both are made in one pass and nothing is kept. */

enum { AD__STEP_INPUT, AD__STEP_CONSTANT, AD__STEP_NODE, AD__STEP_GUARD, AD__STEP_CALL, AD__STEP_FUSED };
enum { AD__FUSED_OPERANDS = 6 };

typedef struct ad__graph_step {
  uint32_t kind, code, count, *operand;         /* code: of the node; operands: steps */
  const ad_tensor_op *op;
  ptrdiff_t n[8];
  double c;                                     /* attribute, number of a row, value of a constant or guard */
  int rank, dtype;                              /* rank -1: a number */
  size_t shape[AD_MAX_RANK], bytes;
  void *data;                                   /* of a constant tensor */
  ad_function *fused;
} ad__graph_step;

struct ad__plan;
typedef struct ad__graph {
  ad__graph_step *step;
  uint32_t count, *input, *output;
  size_t n, m;                                  /* elements of all inputs, of all outputs */
  bool labels;                                  /* AD_I32 among them */
  ad__shared plan[2];                            /* ad__plan for values, for values and adjoints; published when made */
  ad__shared spare[2];                          /* work spaces of their runs, taken by a call, put back after it */
  ad__shared derived[2];                         /* functions of tensors in turn: tangents, curvatures; or ad__underived */
} ad__graph;
AD_LOCAL void ad__plan_free(struct ad__plan *p);
static char ad__underived;                      /* in the place of a derived function: an operation has no such derivative */

AD_LOCAL size_t ad__step_size(const ad__graph_step *s) { return s->bytes / (s->rank < 0 || s->dtype == AD_F64 ? sizeof(double) : sizeof(float)); }
AD_LOCAL int ad__step_type(const ad__graph_step *s) { return s->rank < 0 ? AD_F64 : s->dtype; }

AD_LOCAL size_t ad__graph_size(const ad__graph *g, bool outputs) { return outputs ? g->m : g->n; }
AD_LOCAL void ad__graph_free(struct ad__graph *g) {
  if (!g) return;
  for (uint32_t i = 0; g->step && i < g->count; i++) {
    AD_FREE(g->step[i].operand); AD_FREE(g->step[i].data);
    ad_function_destroy(g->step[i].fused);
  }
  for (int k = 0; k < 2; k++) {
    void *derived = ad__published(&g->derived[k]);
    ad__plan_free((struct ad__plan *)ad__published(&g->plan[k]));
    if (derived != &ad__underived) ad_function_destroy((ad_function *)derived);
  }
  for (int k = 0; k < 2; k++) { void *spare = ad__published(&g->spare[k]); AD_FREE(spare); }
  AD_FREE(g->step); AD_FREE(g->input); AD_FREE(g->output); AD_FREE(g);
}

/* a fused chain as an operation: operands are tensors of one shape, or numbers; n[0] is the function */
AD_LOCAL ad_function *ad__fused_of(const ad__tensor *t) { ad_function *f; memcpy(&f, &t->n[0], sizeof f); return f; }
AD_LOCAL const char *ad__fused_shape(ad__tensor *t, const ad__strided *const *x) {
  const ad_function *f = ad__fused_of(t);
  uint32_t k = 0;
  while (x[k]->rank == 0 && k + 1 < t->count) k++;
  ad__like(t, x[k]);
  if (!ad__array_layout(&t->a)) return "overflows";
  const ad__program *p = ad__function_program(f, t->active ? AD_FUNCTION_JACOBIAN : AD_FUNCTION_VALUE);
  if (!p) { t->status = AD_ERROR_MEMORY; return "out of memory"; }
  t->work_bytes = ad__block_bytes(p);
  t->saved_bytes = t->active ? t->a.size * t->count * ad__dtype_bytes(t->a.dtype) : 0;
  return NULL;
}
/* ports of the operands of a chain from element number first on; single: where numbers become floats */
AD_LOCAL void ad__fused_in(const ad__tensor *t, const ad__strided *const *x, uint32_t count, size_t first, float *single, ad__port *in) {
  const size_t bytes = ad__dtype_bytes(t->a.dtype);
  memset(in, 0, AD__PORTS * sizeof *in);
  for (uint32_t k = 0; k < count; k++) {
    const bool one = x[k]->rank == 0 || !x[k]->contiguous;          /* not contiguous: a number that was broadcast */
    in[k].width = 1; in[k].row = !one;
    in[k].data = (char *)x[k]->data + (one ? 0 : first * bytes);
    if (x[k]->dtype == AD_F64 && t->a.dtype == AD_F32) { single[k] = (float)*(const double *)x[k]->data; in[k].data = &single[k]; }
  }
}
AD_LOCAL void ad__fused_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  const ad__program *p = ad__function_program(ad__fused_of(t), t->active ? AD_FUNCTION_JACOBIAN : AD_FUNCTION_VALUE);
  size_t bytes = ad__dtype_bytes(t->a.dtype);
  ad__mishaps none = { 0, AD_OK, { 0 } };
  ad__port in[AD__PORTS], out[AD__PORTS];
  float single[AD__FUSED_OPERANDS];
  if (!p) return;
  ad__fused_in(t, x, t->count, 0, single, in);
  memset(out, 0, sizeof out);
  out[0].data = t->a.data; out[0].width = out[0].row = 1;
  for (uint32_t k = 0; t->active && k < t->count; k++) { out[1 + k].data = (char *)t->saved + k * t->a.size * bytes; out[1 + k].width = out[1 + k].row = 1; }
  ad__run_program(p, (ad_dtype)t->a.dtype, work, t->a.size, in, out, false, NULL, &none);
}

/* The adjoint of a chain. x: the n operands, g, what forward saved, where the n adjoints go (data NULL: not wanted). That of a number is a sum:
   of sums over AD__CHUNK elements. work: slots of the program, a chunk for each operand, the sums of the chunks. */
enum { AD__CHUNK = 2048 };
AD_LOCAL size_t ad__chunks(size_t n) { return (n + AD__CHUNK - 1) / AD__CHUNK; }
AD_LOCAL size_t ad__fused_bytes(const ad__program *p, size_t n) { return ad__block_bytes(p) + AD__FUSED_OPERANDS * (AD__CHUNK + ad__chunks(n)) * sizeof(double); }
AD_LOCAL void ad__fused_chunk_sum(const ad__tensor *t, const void *chunk, size_t n, void *sums, size_t at) {
  if (t->a.dtype == AD_F32) ((float *)sums)[at] = ad_f32_array_sum(n, (const float *)chunk); else ((double *)sums)[at] = ad_f64_array_sum(n, (const double *)chunk);
}
AD_LOCAL void ad__fused_products(ad__tensor *t, const ad__strided *const *x, void *work) {    /* g times the partials that forward saved */
  const uint32_t n = t->count;
  const size_t bytes = ad__dtype_bytes(t->a.dtype), size = t->a.size;
  const bool g_one = !x[n]->contiguous || x[n]->size != size;
  char *chunk = (char *)work, *sums = chunk + AD__CHUNK * sizeof(double);
  for (uint32_t k = 0; k < n; k++) {
    const ad__strided *to = x[n + 2 + k];
    if (!to->data) continue;
    for (size_t i = 0; i < size; i += AD__CHUNK) {
      ad__strided part, g, out;
      const ad__strided *both[2];
      memset(&part, 0, sizeof part);
      part.rank = 1; part.dtype = t->a.dtype; part.contiguous = true; part.stride[0] = 1;
      part.size = part.shape[0] = size - i < AD__CHUNK ? size - i : (size_t)AD__CHUNK;
      g = out = part;
      part.data = (char *)x[n + 1]->data + (k * size + i) * bytes;
      g.data = (char *)x[n]->data + (g_one ? 0 : i * bytes);
      if (g_one) { g.stride[0] = 0; g.contiguous = false; }
      out.data = to->rank ? (char *)to->data + i * bytes : chunk;
      both[0] = both[1] = &part;
      (void)ad__row_partial(AD_OP_mul, 0, 2, both, &part, &g, &out, false);      /* the partial by x of x*y is y: g * saved, zero seeds stay 0 */
      if (!to->rank) ad__fused_chunk_sum(t, chunk, part.size, sums, i / AD__CHUNK);
    }
    if (!to->rank) ad__fused_chunk_sum(t, sums, ad__chunks(size), to->data, 0);
  }
}
AD_LOCAL void ad__fused_sweep(ad__tensor *t, const ad__strided *const *x, void *work) {       /* value and adjoints in one pass; nothing was saved */
  const ad__program *p = ad__function_program(ad__fused_of(t), AD_FUNCTION_VJP);
  const uint32_t n = t->count;
  const size_t bytes = ad__dtype_bytes(t->a.dtype), size = t->a.size;
  ad__port in[AD__PORTS], out[AD__PORTS];
  float single[AD__FUSED_OPERANDS + 1];
  bool sums = false;
  ad__mishaps none = { 0, AD_OK, { 0 } };
  if (!p) return;
  char *chunk = (char *)work + ad__block_bytes(p), *sum = chunk + n * AD__CHUNK * sizeof(double);
  for (uint32_t k = 0; k < n; k++) sums = sums || (x[n + 2 + k]->data && !x[n + 2 + k]->rank);
  for (size_t i = 0, m; i < size; i += m) {
    m = !sums || size - i < AD__CHUNK ? size - i : (size_t)AD__CHUNK;
    ad__fused_in(t, x, n + 1, i, single, in);
    memset(out, 0, sizeof out);
    for (uint32_t k = 0; k <= n; k++) {
      const ad__strided *to = k ? x[n + 1 + k] : &t->a;
      out[k].width = out[k].row = 1;
      if (to->data) out[k].data = k && !to->rank ? chunk + (k - 1) * AD__CHUNK * sizeof(double) : (char *)to->data + i * bytes;
    }
    ad__run_program(p, (ad_dtype)t->a.dtype, work, m, in, out, false, NULL, &none);
    for (uint32_t k = 0; k < n; k++)
      if (x[n + 2 + k]->data && !x[n + 2 + k]->rank) ad__fused_chunk_sum(t, chunk + k * AD__CHUNK * sizeof(double), m, sum + k * ad__chunks(size) * sizeof(double), i / AD__CHUNK);
  }
  for (uint32_t k = 0; k < n; k++)
    if (x[n + 2 + k]->data && !x[n + 2 + k]->rank) ad__fused_chunk_sum(t, sum + k * ad__chunks(size) * sizeof(double), ad__chunks(size), x[n + 2 + k]->data, 0);
}
AD_LOCAL void ad__fused_reverse(ad__reverse *r) {            /* chains are recorded only while a function is planned */
  const ad__tensor *y = r->t;
  const uint32_t n = y->count;
  const ad__strided *all[2 * AD__FUSED_OPERANDS + 2], *g = ad__array_of(r->g);
  const ad__program *p = ad__function_program(ad__fused_of(y), AD_FUNCTION_VJP);
  ad__strided none, saved = y->a;
  ad__tensor t = *y;
  bool one = true;
  for (int d = 0; d < g->rank; d++) one = one && (g->stride[d] == 0 || g->shape[d] == 1);
  const ad_var seed = one ? r->g : ad__contiguous(r->g);
  void *work = p ? ad__tape_take(r->tape, ad__fused_bytes(p, y->a.size)) : NULL;
  if (!p) ad__fail(r->tape, AD_ERROR_MEMORY, "function: out of memory");
  if (!ad__valid(seed) || !work) return;
  memset(&none, 0, sizeof none);
  saved.data = y->saved;
  all[n] = ad__array_of(seed); all[n + 1] = &saved;
  t.a.data = NULL; t.saved = NULL;
  for (uint32_t k = 0; k < n; k++) {
    ad__strided like = y->a;
    all[k] = ad__array_of(r->x[k]);
    all[n + 2 + k] = &none;
    if (!r->wanted[k]) continue;
    if (all[k]->rank == 0) { like.rank = 0; (void)ad__array_layout(&like); }
    r->gx[k] = ad__buffer_like(r->tape, &like);
    if (!ad__valid(r->gx[k])) return;
    all[n + 2 + k] = ad__array_of(r->gx[k]);
  }
  ad__trace_rule(r->tape, NULL);                             /* zero seeds are seen to element by element */
  (void)ad__trace_kernel(r->tape, ad__fused_products, &t, all, 2 * (size_t)n + 2, ((1u << n) - 1) << (n + 2), work);
}
static const ad_tensor_op ad__op_fused = { "fused", 0, ad__fused_shape, ad__fused_forward, ad__fused_reverse };

/* can row i over tensors be run element by element with operands of its own shape and numbers? */
AD_LOCAL bool ad__is_lane_row(const ad_tape *t, size_t i) {
  if (!ad__is_tensor_node(t, i) || AD_NODE_OP(t->code[i].op) >= AD_OP_COUNT_) return false;
  const ad__tensor *r = ad__tensor_at(t, i);
  if (r->a.rank == 0 || r->a.size == 0 || r->a.dtype == AD_I32) return false;
  for (int k = 0; k < ad_ops[AD_NODE_OP(t->code[i].op)].arity; k++) {
    uint32_t o = r->few[k];
    if (!ad__is_tensor_node(t, o)) continue;
    const ad__tensor *q = ad__tensor_at(t, o);
    if (q->a.dtype != r->a.dtype || (q->a.rank != 0 && !ad__same_shape(&q->a, &r->a))) return false;
  }
  return true;
}

/* by node: root of its chain, its step, its expression; of a root the first of its chain, of each the next one, ascending */
typedef struct ad__fuse_work { uint32_t *group, *step, *first, *next; ad__expr *expr; } ad__fuse_work;

/* the chain with root i as a function of its operands, listed in operand; NULL: a chain of one, too many operands, or no memory */
AD_LOCAL ad_function *ad__fuse_chain(const ad_tape *t, size_t root, const ad__fuse_work *w, uint32_t *operand, uint32_t *count) {
  ad__ir ir;
  uint32_t rows = 0, few[3];
  const uint32_t *o;
  memset(&ir, 0, sizeof ir);
  *count = 0;
  for (uint32_t i = w->first[root]; i != AD__NONE; i = w->next[i]) {
    rows++;
    uint32_t arity = ad__node_operands(t, i, few, &o);
    ad__expr in[3];
    for (uint32_t k = 0; k < 3; k++) in[k] = ad__expr_k(0);
    for (uint32_t k = 0; k < arity; k++) {
      uint32_t at = o[k], place = 0;
      if (w->group[at] == root) { in[k] = w->expr[at]; continue; }
      if (t->code[at].op == AD_NODE(AD_OP_CONSTANT_, AD_PLAIN)) { in[k] = ad__expr_k(t->value[at]); continue; }
      while (place < *count && operand[place] != at) place++;
      if (place == AD__FUSED_OPERANDS) { ad__ir_free(&ir); return NULL; }
      if (place == *count) operand[(*count)++] = at;
      in[k] = ad__expr_at(&ir, ad__ir_append(&ir, AD__IR_INPUT, place, 0, 0));
    }
    w->expr[i] = ad__expr_of_row(AD_NODE_OP(t->code[i].op), in[0], in[1], in[2]);
  }
  if (rows < 2 || *count == 0 || ir.failed) { ad__ir_free(&ir); return NULL; }
  uint32_t y = ad__expr_node(&ir, w->expr[root]);
  ad_function *f = ad__function_from_ir(&ir, *count, &y, 1, AD__NONE);
  if (f) f->elementwise = true;
  if (f && ad__function_program(f, AD_FUNCTION_VALUE) && ad__function_program(f, AD_FUNCTION_JACOBIAN) && ad__function_program(f, AD_FUNCTION_VJP)) return f;
  ad_function_destroy(f);
  return NULL;
}

/* attributes as a shape rule wants them, from what it has made of them */
AD_LOCAL void ad__attributes_again(const ad_tensor_op *op, ptrdiff_t *n) {
  if (op == &ad__op_slice) {                                 /* axis, first, count, step: axis, begin, end, step */
    const ptrdiff_t end = n[1] + n[2] * n[3];
    n[2] = end < 0 ? PTRDIFF_MIN : end;
  } else if (op && op->shape == ad__reduce_shape && n[1] < 0) n[1] = AD_ALL;
  else if (op == &ad__op_argmax && n[0] < 0) n[0] = AD_ALL;
}

AD_LOCAL bool ad__step_operands(ad__graph_step *s, const uint32_t *operand, uint32_t count, const uint32_t *step) {
  s->operand = (uint32_t *)ad__array(count, sizeof *s->operand);
  if (!s->operand) return false;
  s->count = count;
  for (uint32_t k = 0; k < count; k++) s->operand[k] = step[operand[k]];
  return true;
}
AD_LOCAL bool ad__step_make(ad__graph_step *s, ad_tape *t, size_t i, const ad__fuse_work *w, bool is_input) {
  const ad__code *c = &t->code[i];
  int opcode = AD_NODE_OP(c->op);
  uint32_t few[AD__FUSED_OPERANDS + 1], count;
  const uint32_t *operand;
  memset(s, 0, sizeof *s);
  s->rank = -1;
  s->code = c->op;
  if (ad__is_tensor_node(t, i)) {
    const ad__tensor *r = ad__tensor_at(t, i);
    s->rank = r->a.rank; s->dtype = r->a.dtype; s->op = r->op; s->c = r->c;
    memcpy(s->n, r->n, sizeof s->n);
    ad__attributes_again(s->op, s->n);
    memcpy(s->shape, r->a.shape, sizeof s->shape);
    s->bytes = r->a.size * ad__dtype_bytes(r->a.dtype);
    if (!is_input && (opcode == AD_OP_CONSTANT_ || opcode == AD_OP_VARIABLE_)) {
      ad_var v = ad__contiguous(ad__handle_of(t, (uint32_t)i));
      s->kind = AD__STEP_CONSTANT;
      s->data = ad__array(s->bytes, 1);
      if (!s->data || !v.kind) return false;
      if (s->bytes) memcpy(s->data, ad_data(v), s->bytes);
      return true;
    }
  } else s->bytes = sizeof(double);
  if (is_input) { s->kind = AD__STEP_INPUT; return true; }
  if (opcode == AD_OP_CONSTANT_ || opcode == AD_OP_VARIABLE_) { s->kind = AD__STEP_CONSTANT; s->c = t->value[i]; return true; }
  if (w->group[i] == i && (s->fused = ad__fuse_chain(t, i, w, few, &count)) != NULL) {
    ptrdiff_t pointer;
    memcpy(&pointer, &s->fused, sizeof pointer);
    s->kind = AD__STEP_FUSED; s->n[0] = pointer; s->op = &ad__op_fused;
    return ad__step_operands(s, few, count, w->step);
  }
  count = ad__node_operands(t, i, few, &operand);
  s->kind = opcode == AD_OP_GUARD_ ? AD__STEP_GUARD : s->op ? AD__STEP_CALL : AD__STEP_NODE;
  if (opcode == AD_OP_GUARD_) s->c = t->value[i];
  else if (AD_NODE_FORM(c->op) == AD_Y_NUMBER || AD_NODE_FORM(c->op) == AD_X_NUMBER) s->c = c->u.k;
  return ad__step_operands(s, operand, count, w->step);
}

AD_LOCAL ad_function *ad__graph_create(ad_tape *t, const ad_var *x, size_t n, const ad_var *y, size_t m) {
  size_t count = t->count;
  ad_function *f = (ad_function *)ad__array(1, sizeof *f);
  ad__graph *g = (ad__graph *)ad__array(1, sizeof *g);
  unsigned char *state = (unsigned char *)ad__array(count, 1);      /* 1 needed, 2 an input, 4 read by several or from outside: the end of a chain */
  ad__fuse_work w;
  w.group = (uint32_t *)ad__array(4 * count, sizeof *w.group); w.step = w.group + count; w.first = w.step + count; w.next = w.first + count;
  w.expr = (ad__expr *)ad__array(count, sizeof *w.expr);
  ad_status status = AD_ERROR_MEMORY;
  if (f) memset(f, 0, sizeof *f);
  if (g) memset(g, 0, sizeof *g);
  if (f && g) f->graph = g;
  if (f && g && state && w.group && w.expr) {
    uint32_t few[4];
    const uint32_t *operand;
    f->n = f->d = (uint32_t)n; f->m = (uint32_t)m; f->ok = AD__NONE;
    memset(state, 0, count);
    for (size_t i = 0; i < 4 * count; i++) w.group[i] = AD__NONE;
    status = AD_OK;
    for (size_t k = 0; k < n; k++) { if (state[x[k].node]) status = AD_ERROR_ARGUMENT; state[x[k].node] = 2; }
    for (size_t j = 0; j < m; j++) state[y[j].node] |= 1 | 4;
    size_t needed = 0;
    for (size_t i = count; i-- > 0;) {
      if (AD_NODE_OP(t->code[i].op) == AD_OP_GUARD_) state[i] |= 1;
      if (!(state[i] & 3)) continue;
      needed++;
      if (state[i] & 2) continue;
      if (ad__is_lane_row(t, i)) {
        if ((state[i] & 4) || w.step[i] == AD__NONE) w.group[i] = (uint32_t)i; else w.group[i] = w.step[i];
      }
      uint32_t operands = ad__node_operands(t, i, few, &operand);
      for (uint32_t k = 0; k < operands; k++) {        /* step, for now: the one chain that reads the operand */
        uint32_t o = operand[k];
        bool chain = w.group[i] != AD__NONE && ad__is_lane_row(t, o) && ad__same_shape(&ad__tensor_at(t, o)->a, &ad__tensor_at(t, i)->a);
        if (!(state[o] & 1) && chain) w.step[o] = w.group[i];
        else if (!chain || (state[o] & 4) || w.step[o] != w.group[i]) state[o] |= 4;
        state[o] |= 1;
      }
    }
    for (size_t i = count; i-- > 0;) {
      const uint32_t root = w.group[i];
      if (root == AD__NONE) continue;
      w.next[i] = w.first[root];
      w.first[root] = (uint32_t)i;
    }
    g->step = (ad__graph_step *)ad__array(needed, sizeof *g->step);
    g->input = (uint32_t *)ad__array(n, sizeof *g->input);
    g->output = (uint32_t *)ad__array(m, sizeof *g->output);
    if (!g->step || !g->input || !g->output) status = AD_ERROR_MEMORY;
    for (size_t i = 0; i < count && status == AD_OK; i++) {
      if (!(state[i] & 3)) continue;
      if (w.group[i] != AD__NONE && w.group[i] != i) continue;         /* inside a chain: its root makes it, or below */
      ad__graph_step *s = &g->step[g->count];
      if (!ad__step_make(s, t, i, &w, state[i] & 2)) { g->count++; status = AD_ERROR_MEMORY; break; }
      if (w.group[i] == i && s->kind != AD__STEP_FUSED) {              /* not fused after all: its rows one by one */
        AD_FREE(s->operand);
        for (uint32_t k = w.first[i]; k != AD__NONE && status == AD_OK; k = w.next[k]) {
          if (k != i) w.group[k] = AD__NONE;
          uint32_t keep = w.group[k];
          w.group[k] = AD__NONE;
          if (!ad__step_make(&g->step[g->count], t, k, &w, false)) status = AD_ERROR_MEMORY;
          w.group[k] = keep;
          w.step[k] = g->count++;
        }
      } else w.step[i] = g->count++;
      if (AD_NODE_OP(t->code[i].op) == AD_OP_GUARD_ && status == AD_OK) f->guards++;
    }
    for (size_t k = 0; k < n && status == AD_OK; k++) {
      if (!(state[x[k].node] & 2)) continue;
      g->input[k] = w.step[x[k].node];
    }
    for (size_t j = 0; j < m && status == AD_OK; j++) g->output[j] = w.step[y[j].node];
    if (status == AD_OK && t->status != AD_OK) status = t->status;
    for (size_t i = 0; i < count; i++) state[i] &= 3;
    f->recorded = ad__count_recorded(t, x, n, state);
    for (size_t k = 0; k < n + m && status == AD_OK; k++) {
      const ad__graph_step *s = &g->step[k < n ? g->input[k] : g->output[k - n]];
      *(k < n ? &g->n : &g->m) += ad__step_size(s);
      g->labels = g->labels || ad__step_type(s) == AD_I32;
    }
  }
  AD_FREE(state); AD_FREE(w.group); AD_FREE(w.expr);
  if (status == AD_OK) return f;
  if (f) ad_function_destroy(f); else AD_FREE(g);
  ad__fail(t, status, "ad_function_create: %s", status == AD_ERROR_ARGUMENT ? "an input is given twice" : "out of memory");
  return NULL;
}

AD_API ad_function *ad_function_create(const ad_var *x, size_t n, const ad_var *y, size_t m) {
  ad_tape *t = x && n ? x[0].tape : NULL;
  ad__ir ir;
  memset(&ir, 0, sizeof ir);
  if (!t || !y || m == 0 || n > UINT32_MAX / 64 || m > UINT32_MAX / 64) {
    if (t) ad__fail(t, AD_ERROR_ARGUMENT, "ad_function_create: %zu inputs and %zu outputs", n, m);
    return NULL;
  }
  for (size_t k = 0; k < n; k++) if (!ad__operand(t, x[k], "function_create", "x")) return NULL;
  for (size_t j = 0; j < m; j++) if (!ad__operand(t, y[j], "function_create", "y")) return NULL;
  uint32_t *out = (uint32_t *)ad__array(m, sizeof *out), ok = AD__NONE;
  size_t recorded = 0, guards = 0;
  ad_status status = AD_ERROR_MEMORY;
  if (out && t->trace) status = AD_ERROR_UNSUPPORTED;               /* nothing has been computed that could become a number */
  else if (out) status = ad__ir_record(&ir, t, x, n, y, m, out, &ok, &recorded, &guards);
  if (status == AD_ERROR_UNSUPPORTED && t->status == AD_OK) {      /* tensors */
    ad__callees_release(ir.callees);
    ad__ir_free(&ir);
    AD_FREE(out);
    return ad__graph_create(t, x, n, y, m);
  }
  ad__callees *callees = ir.callees;
  ad_function *f = status == AD_OK ? ad__function_from_ir(&ir, (uint32_t)n, out, (uint32_t)m, ok) : NULL;
  if (f) { f->recorded = recorded; f->guards = guards; }
  else {
    ad__ir_free(&ir);
    ad__fail(t, status == AD_OK ? AD_ERROR_MEMORY : status, "ad_function_create: %s",
             status == AD_ERROR_ARGUMENT ? "an input is given twice" : "out of memory");
  }
  ad__callees_release(callees);
  AD_FREE(out);
  return f;
}

AD_API ad_function *ad_function_record(ad_var_map *f, void *context, size_t n, const double *x, size_t m) {
  if (!f || !x || n == 0 || m == 0 || n > UINT32_MAX / 64 || m > UINT32_MAX / 64) return NULL;
  ad_tape *t = ad_tape_create(NULL);
  ad_var *v = (ad_var *)ad__array(n + m, sizeof *v);
  ad_function *function = NULL;
  if (t && v) {
    for (size_t k = 0; k < n; k++) v[k] = ad_variable(t, x[k]);
    for (size_t j = 0; j < m; j++) v[n + j] = ad_constant(t, 0);
    if (ad_tape_status(t) == AD_OK) f(v, v + n, context);
    if (ad_tape_status(t) == AD_OK) function = ad_function_create(v, n, v + n, m);
  }
  AD_FREE(v);
  ad_tape_destroy(t);
  return function;
}

/* --- calls */

/* slots, the numbers of a call, and where the slots are */
AD_LOCAL size_t ad__block_bytes(const ad__program *p) { return (size_t)p->n_slots * 512 + (p->elements ? p->n_slots * sizeof(void *) : (p->scratch * sizeof(double) + 63) / 64 * 64); }
AD_LOCAL ad_status ad__graph_prepare(const ad_function *f, ad_function_kind kind, size_t *bytes);
AD_LOCAL void ad__graph_describe(const ad_function *f, ad_function_info *info);
AD_LOCAL ad_status ad__graph_apply(const ad_function *f, ad_function_kind kind, size_t count, const ad_function_arguments *a);

/* A Jacobian or Hessian too large for one program is made by sweeps: of this kind, so many directions at once, in so much memory. */
enum { AD__SWEEP_ROWS = 64 };
AD_LOCAL ad_function_kind ad__sweep_kind(const ad_function *f, ad_function_kind kind) {
  return kind == AD_FUNCTION_HESSIAN ? AD_FUNCTION_HESSIAN_VECTOR : f->m < f->d ? AD_FUNCTION_VJP : AD_FUNCTION_JVP;
}
AD_LOCAL size_t ad__sweep_bytes(const ad_function *f, ad_function_kind kind, const ad__program *p) {
  const size_t n = f->d, numbers = kind == AD_FUNCTION_HESSIAN ? 2 * n : n + f->m;
  return ad__block_bytes(p) + AD__SWEEP_ROWS * numbers * sizeof(double);
}
/* the programs that calls of recorded rules run */
AD_LOCAL ad_status ad__prepare_calls(const ad__program *p) {
  ad_status status = AD_OK;
  for (uint32_t t = 0; t < p->n_ins && p->scratch && status == AD_OK; t++) {
    if (p->ins[t].op != AD__IR_CALL) continue;
    const ad__callee *c = &p->callees->item[p->ins[t].a / AD__CALLS];
    const uint32_t way = p->ins[t].a % AD__CALLS;
    if (way <= AD__CALL_JVP && (way != AD__CALL_VJP || c->op->vjp)) continue;
    const ad_function_kind kind = way == AD__CALL_VJP ? AD_FUNCTION_VALUE : way == AD__CALL_BACK ? AD_FUNCTION_VJP : AD_FUNCTION_JVP;
    status = ad_function_prepare(c->derived, kind);
  }
  return status;
}
AD_API ad_status ad_function_prepare(const ad_function *f, ad_function_kind kind) {
  if (!f || (unsigned)kind >= AD_FUNCTION_KINDS) return AD_ERROR_ARGUMENT;
  if (f->graph) return ad__graph_prepare(f, kind, NULL);
  if (ad__too_large(f, kind)) kind = ad__sweep_kind(f, kind);
  const ad__program *p = ad__function_program(f, kind), *one = p ? ad__function_packed(f, kind) : NULL;
  return one ? ad__prepare_calls(one) : ad__no_program(f, kind);
}

AD_API ad_function_info ad_function_describe(const ad_function *f) {
  ad_function_info info;
  memset(&info, 0, sizeof info);
  if (!f) return info;
  info.inputs = f->n; info.differentiated = f->d; info.outputs = f->m; info.recorded = f->recorded; info.nodes = f->ir.n; info.guards = f->guards;
  if (f->graph) ad__graph_describe(f, &info);
  for (int k = 0; k < AD_FUNCTION_KINDS; k++) {
    const ad__program *p = (const ad__program *)ad__published(&f->program[k]);
    if (!p) p = (const ad__program *)ad__published(&f->packed[k]);
    if (p) { info.instructions[k] = p->n_ins; info.slots[k] = p->n_slots; }
  }
  return info;
}

AD_LOCAL void ad__run_program(const ad__program *p, ad_dtype dtype, void *slots, size_t count, const ad__port *in, ad__port *out, bool has_guards, unsigned char *branch, ad__mishaps *bad) {
  if (p->elements && dtype == AD_F32) ad_v32_elements__program(p, (float *)slots, count, in, out, has_guards, branch, bad);
  else if (p->elements && count > 16) ad_v64_elements__program(p, (double *)slots, count, in, out, has_guards, branch, bad);
  else if (dtype == AD_F32) ad_v32__program(p, (float *)slots, count, in, out, has_guards, branch, bad);
  else if (count <= 16 || p->n_slots > 2048) ad_v64_narrow__program(p, (double *)slots, count, in, out, has_guards, branch, bad);
  else ad_v64__program(p, (double *)slots, count, in, out, has_guards, branch, bad);
}

AD_LOCAL size_t ad__dtype_size(ad_dtype dtype) { return dtype == AD_F32 ? sizeof(float) : sizeof(double); }

/* ports of a kind; bytes offset: the first point is at index first */
AD_LOCAL void ad__ports(const ad_function *f, ad_function_kind kind, const ad_function_arguments *a, size_t first, ad__port *in, ad__port *out) {
  static const double one64 = 1;
  static const float one32 = 1;
  size_t s = ad__dtype_size(a->dtype), n = f->n, d = f->d, m = f->m, results = ad__result_size(f, kind);
  memset(in, 0, AD__PORTS * sizeof *in);
  memset(out, 0, AD__PORTS * sizeof *out);
  int q = 0;
  in[q].data = (char *)(uintptr_t)a->x + first * n * s; in[q].row = in[q].width = n; q++;
  if (ad__kind_has_w(kind)) {
    in[q].data = a->w ? (char *)(uintptr_t)a->w + first * m * s : a->dtype == AD_F32 ? (char *)(uintptr_t)&one32 : (char *)(uintptr_t)&one64;
    in[q].width = m; in[q].row = a->w ? m : 0; q++;
  }
  if (ad__kind_has_dx(kind)) { in[q].data = (char *)(uintptr_t)a->dx + first * d * s; in[q].row = in[q].width = d; }
  out[0].data = a->y ? (char *)a->y + first * m * s : NULL; out[0].row = out[0].width = m;
  if (results) { out[1].data = a->result ? (char *)a->result + first * results * s : NULL; out[1].row = out[1].width = results; }
}

AD_LOCAL ad_status ad__arguments_status(const ad_function *f, ad_function_kind kind, const ad_function_arguments *a, size_t count) {
  if (!f || !a || (unsigned)kind >= AD_FUNCTION_KINDS || (a->dtype != AD_F64 && a->dtype != AD_F32)) return AD_ERROR_ARGUMENT;
  const size_t n = ad__inputs(f), m = ad__outputs(f);
  if ((uintptr_t)a->workspace & 63) return AD_ERROR_ARGUMENT;
  if (count == 0) return AD_OK;
  if (!a->x || (ad__kind_has_w(kind) && !a->w && m != 1) || (ad__kind_has_dx(kind) && !a->dx)) return AD_ERROR_ARGUMENT;
  if (kind == AD_FUNCTION_VALUE ? !a->y : !a->result) return AD_ERROR_ARGUMENT;
  if (f->graph && n && ((kind == AD_FUNCTION_JACOBIAN && m > PTRDIFF_MAX / sizeof(double) / n) || (kind == AD_FUNCTION_HESSIAN && n > PTRDIFF_MAX / sizeof(double) / n)))
    return AD_ERROR_LIMIT;
  size_t widest = ad__result_size(f, kind) > n ? ad__result_size(f, kind) : n;
  if (m > widest) widest = m;
  return count <= PTRDIFF_MAX / sizeof(double) / (widest ? widest : 1) ? AD_OK : AD_ERROR_LIMIT;
}

/* such a Jacobian or Hessian at one point: lanes = directions */
AD_LOCAL ad_status ad__by_sweeps(const ad_function *f, ad_function_kind kind, const ad_function_arguments *a, size_t point, ad__mishaps *all);

AD_API size_t ad_function_workspace_bytes(const ad_function *f, ad_function_kind kind) {
  size_t bytes = 0;
  if (f && f->graph) return ad__graph_prepare(f, kind, &bytes) == AD_OK ? bytes : 0;
  if (ad_function_prepare(f, kind) != AD_OK) return 0;
  if (ad__too_large(f, kind)) return ad__sweep_bytes(f, kind, ad__function_program(f, ad__sweep_kind(f, kind)));
  return ad__block_bytes(ad__function_program(f, kind));
}

AD_API ad_status ad_function_apply(const ad_function *f, ad_function_kind kind, size_t count, const ad_function_arguments *a) {
  if (f && f->graph) return ad__graph_apply(f, kind, count, a);
  ad_status wrong = ad__arguments_status(f, kind, a, count);
  if (wrong != AD_OK) return wrong;
  if (count == 0) return AD_OK;
  ad__mishaps bad = { 0, AD_OK, { 0 } };
  if (ad__too_large(f, kind)) {
    for (size_t i = 0; i < count; i++) {
      ad_status status = ad__by_sweeps(f, kind, a, i, &bad);
      if (status != AD_OK) return status;
    }
    return ad__mishaps_status(&bad);
  }
  const ad__program *p = ad__function_program(f, kind);
  if (!p) return ad__no_program(f, kind);
  size_t bytes = ad__block_bytes(p), threads = 1;
#if defined(AD_USE_OPENMP) && defined(_OPENMP)
  if (!a->workspace && count >= 4096) threads = (size_t)omp_get_max_threads();
#endif
  char *own = NULL, *slots = (char *)a->workspace;
  if (!slots) {
    own = ad__spare_take(f, threads * (bytes + 64));
    if (!own) return AD_ERROR_MEMORY;
    slots = ad__spare_room(own);
  }
  if (threads == 1) {
    ad__port in[AD__PORTS], out[AD__PORTS];
    ad__ports(f, kind, a, 0, in, out);
    ad__run_program(p, a->dtype, slots, count, in, out, f->ok != AD__NONE, a->branch, &bad);
  }
#if defined(AD_USE_OPENMP) && defined(_OPENMP)
  else {
    size_t share = (count / threads / 128 + 1) * 128, strayed = 0;
    int status = AD_OK;
#pragma omp parallel for num_threads((int)threads) reduction(+ : strayed) reduction(max : status)
    for (ptrdiff_t t = 0; t < (ptrdiff_t)threads; t++) {
      size_t first = (size_t)t * share;
      ad__mishaps part = { 0, AD_OK, { 0 } };
      if (first >= count) continue;
      ad__port in[AD__PORTS], out[AD__PORTS];
      ad__ports(f, kind, a, first, in, out);
      ad__run_program(p, a->dtype, slots + (size_t)t * (bytes + 64) / 64 * 64, count - first < share ? count - first : share, in, out,
                      f->ok != AD__NONE, a->branch ? a->branch + first : NULL, &part);
      strayed += part.strayed;
      if ((int)part.status > status) status = (int)part.status;
    }
    bad.strayed = strayed; bad.status = (ad_status)status;
  }
#endif
  ad__spare_put(f, own);
  return ad__mishaps_status(&bad);
}

/* n rows of n directions, 64 at a time, through a program of one direction */
AD_LOCAL ad_status ad__by_sweeps(const ad_function *f, ad_function_kind kind, const ad_function_arguments *a, size_t point, ad__mishaps *all) {
  enum { ROWS = AD__SWEEP_ROWS };
  const ad_function_kind inner = ad__sweep_kind(f, kind);
  const bool reverse = inner == AD_FUNCTION_VJP;
  const ad__program *p = ad__function_program(f, inner);
  if (!p) return ad__no_program(f, inner);
  size_t s = ad__dtype_size(a->dtype), n = f->d, m = f->m, directions = reverse ? m : n, width = inner == AD_FUNCTION_JVP ? m : n;
  ad__mishaps bad = { 0, AD_OK, { 0 } };
  char *own = a->workspace ? NULL : ad__spare_take(f, ad__sweep_bytes(f, kind, p));
  if (!a->workspace && !own) return AD_ERROR_MEMORY;
  char *slots = own ? ad__spare_room(own) : (char *)a->workspace, *seed = slots + ad__block_bytes(p), *product = seed + ROWS * directions * s;
  unsigned char branch = 0;
  for (size_t d0 = 0; d0 < directions; d0 += ROWS) {
    size_t rows = directions - d0 < (size_t)ROWS ? directions - d0 : (size_t)ROWS;
    memset(seed, 0, ROWS * directions * s);
    for (size_t r = 0; r < rows; r++) {
      if (a->dtype == AD_F32) ((float *)(void *)seed)[r * directions + d0 + r] = 1; else ((double *)(void *)seed)[r * directions + d0 + r] = 1;
    }
    ad__port in[AD__PORTS], out[AD__PORTS];
    ad_function_arguments one = *a;
    one.y = d0 == 0 && a->y ? (char *)a->y + point * m * s : NULL;
    one.result = product;
    if (inner == AD_FUNCTION_HESSIAN_VECTOR || inner == AD_FUNCTION_JVP) one.dx = seed; else one.w = seed;
    ad__ports(f, inner, &one, 0, in, out);
    in[0].data = (char *)(uintptr_t)a->x + point * f->n * s; in[0].row = 0;
    if (inner == AD_FUNCTION_HESSIAN_VECTOR && a->w) { in[1].data = (char *)(uintptr_t)a->w + point * m * s; in[1].row = 0; }
    out[0].row = 0;                       /* the same value from every lane */
    ad__run_program(p, a->dtype, slots, rows, in, out, f->ok != AD__NONE, NULL, &bad);
    branch = bad.strayed != 0;
    char *to = (char *)a->result + point * ad__result_size(f, kind) * s;
    if (inner != AD_FUNCTION_JVP) memcpy(to + d0 * width * s, product, rows * width * s);
    else for (size_t r = 0; r < rows; r++) for (size_t j = 0; j < m; j++) memcpy(to + (j * n + d0 + r) * s, product + (r * m + j) * s, s);
  }
  ad__spare_put(f, own);
  if (a->branch) a->branch[point] = branch;
  all->strayed += branch;
  return (ad_status)bad.status;
}

/* one point on plain double */
AD_LOCAL ad_status ad__apply_one(const ad_function *f, ad_function_kind kind, const double *x, const double *w, const double *dx, double *y, double *result) {
  enum { STACK = 1024 };
  double here[STACK];
  ad__mishaps bad;
  bad.strayed = 0; bad.status = AD_OK;
  ad_function_arguments a;
  memset(&a, 0, sizeof a);
  a.x = x; a.w = w; a.dx = dx; a.y = y; a.result = result; a.dtype = AD_F64;
  if (f && f->graph) return ad__graph_apply(f, kind, 1, &a);
  ad_status wrong = ad__arguments_status(f, kind, &a, 1);
  if (wrong != AD_OK) return wrong;
  if (ad__too_large(f, kind)) {
    ad_status status = ad__by_sweeps(f, kind, &a, 0, &bad);
    return status == AD_OK ? ad__mishaps_status(&bad) : status;
  }
  const ad__program *p = ad__function_packed(f, kind);
  if (!p) return ad__no_program(f, kind);
  char *own = p->n_slots <= STACK ? NULL : ad__spare_take(f, p->n_slots * sizeof(double));
  double *slots = p->n_slots <= STACK ? here : own ? (double *)(void *)ad__spare_room(own) : NULL;
  if (!slots) return AD_ERROR_MEMORY;
  ad__port in[AD__PORTS], out[AD__PORTS];
  ad__ports(f, kind, &a, 0, in, out);
  ad__packed_program(p, slots, in, out, f->ok != AD__NONE, &bad);
  ad__spare_put(f, own);
  return ad__mishaps_status(&bad);
}

AD_API ad_status ad_function_evaluate(const ad_function *f, const double *x, double *y) { return ad__apply_one(f, AD_FUNCTION_VALUE, x, NULL, NULL, y, NULL); }
AD_API ad_status ad_function_jvp(const ad_function *f, const double *x, const double *dx, double *y, double *dy) { return ad__apply_one(f, AD_FUNCTION_JVP, x, NULL, dx, y, dy); }
AD_API ad_status ad_function_vjp(const ad_function *f, const double *x, const double *w, double *y, double *gx) { return ad__apply_one(f, AD_FUNCTION_VJP, x, w, NULL, y, gx); }
AD_API ad_status ad_function_jacobian(const ad_function *f, const double *x, double *y, double *jacobian) { return ad__apply_one(f, AD_FUNCTION_JACOBIAN, x, NULL, NULL, y, jacobian); }
AD_API ad_status ad_function_hessian(const ad_function *f, const double *x, const double *w, double *hessian) { return ad__apply_one(f, AD_FUNCTION_HESSIAN, x, w, NULL, NULL, hessian); }
AD_API ad_status ad_function_hessian_vector(const ad_function *f, const double *x, const double *w, const double *v, double *hv) { return ad__apply_one(f, AD_FUNCTION_HESSIAN_VECTOR, x, w, v, NULL, hv); }

AD_LOCAL ad_status ad__apply_many(const ad_function *f, ad_function_kind kind, size_t count, const double *x, double *y, double *result) {
  ad_function_arguments a;
  memset(&a, 0, sizeof a);
  a.x = x; a.y = y; a.result = result; a.dtype = AD_F64;
  return ad_function_apply(f, kind, count, &a);
}
AD_API ad_status ad_function_evaluate_many(const ad_function *f, size_t count, const double *x, double *y) { return ad__apply_many(f, AD_FUNCTION_VALUE, count, x, y, NULL); }
AD_API ad_status ad_function_jacobian_many(const ad_function *f, size_t count, const double *x, double *y, double *jacobian) { return ad__apply_many(f, AD_FUNCTION_JACOBIAN, count, x, y, jacobian); }
AD_API ad_status ad_function_gradient_many(const ad_function *f, size_t count, const double *x, double *y, double *gradient) {
  return f && ad__outputs(f) != 1 ? AD_ERROR_ARGUMENT : ad__apply_many(f, AD_FUNCTION_JACOBIAN, count, x, y, gradient);
}

/* --- plans: what a run of a function of tensors does, as actions over buffers

   DATA. A plan is made by watching: the steps are recorded on a tape that writes every kernel it would run into a trace (ad__do and its
   callers), forward and, for adjoints, the reverse sweep. An action is a kernel with its arrays; each array lies in a buffer, which is an
   input, a seed, a constant, an output, or temporary. So a plan does what a tape does, and there is no second set of rules: bit by bit
   but for fused chains, whose functions of scalars are rounded as >>function says, and for updates that are folded into a product.

   Passes: what depends on seeds alone goes to the front; a fused chain and its adjoint become one pass over the elements where the adjoint
   of its value is known before it; relu goes into the product before it; outputs are made where the caller wants them. Then each action
   knows which outputs it serves (a run leaves out what nobody wants), and temporary buffers get places by liveness: best fit from a list of
   free places, in place where an elementwise kernel is the last reader of an operand of its size.

   INVARIANT. A buffer is written by one action and added to by others before anyone reads it; inputs are never written, but for
   the parameters of ad_function_step, after their last reader. A plan is immutable; a run writes only to its work space.

   A rule whose adjoint is all 0 is not run, what it makes is 0 (R6), as on a tape.

   Measured (Zen 4, AVX-512, one run): a step of SGD of a network 784-50-10, batch 100, 201 us, by hand over the same products 207, recorded
   anew each time 217; of 784-512-512-10, batch 128, 4.57 ms, 4.71, 5.02. */

/* a comparison that steered the recording: c what it was then; number: 1 where it is another */
AD_LOCAL void ad__guard_kernel(ad__tensor *t, const ad__strided *const *x, void *work) {
  (void)work;
  t->number = (x[0]->dtype == AD_F32 ? AD__F(x[0])[0] != 0 : AD__D(x[0])[0] != 0) != (t->c != 0);
}

enum { AD__AT_UNKNOWN, AD__AT_WORK, AD__AT_INPUT, AD__AT_SEED, AD__AT_CONSTANT, AD__AT_Y, AD__AT_GX };

typedef struct ad__buffer {
  char *base;                                   /* of the trace; of a constant for good */
  size_t bytes, offset;
  uint32_t kind, index, first, last;            /* index: of the input or output; actions between which it is in use */
  bool owned;
} ad__buffer;
typedef struct ad__ref { uint32_t buffer; ptrdiff_t offset; } ad__ref;      /* buffer AD__NONE: a null pointer */
typedef struct ad__action {
  ad__kernel *run;                              /* NULL: taken out */
  ad__tensor t;
  ad__strided *x;
  ad__ref *ref;                                 /* of x, then of t.a, t.saved, work */
  void *work;
  uint32_t count, writes, rule, update;         /* rule: number of the reverse rule, or AD__NONE; update: the input whose gradient this product is */
} ad__action;
typedef struct ad__plan {
  ad__action *action;
  ad__buffer *buffer;
  ad__strided *rule;                            /* adjoints of reverse rules */
  ad__ref *rule_ref;
  uint32_t *gradient, *update_after;            /* of each input: its buffer or AD__NONE; the action after which nobody reads input and gradient and
                                                   no comparison or label is outstanding */
  uint32_t *update_order;                       /* the inputs by update_after */
  size_t count, buffers, rules, widest, bytes, zeros, table;     /* bytes of a work space: a table of places and marks, zeros, temporary buffers */
} ad__plan;
struct ad__trace {
  ad__action *action;
  ad__buffer *buffer;
  ad__strided *rule;
  size_t count, room, buffers, buffer_room, rules, rule_room;
  uint32_t current;                             /* rule */
};

AD_LOCAL void ad__actions_free(ad__action *a, size_t count) {
  for (size_t i = 0; a && i < count; i++) { AD_FREE(a[i].x); AD_FREE(a[i].ref); }
  AD_FREE(a);
}
AD_LOCAL void ad__plan_free(ad__plan *p) {
  if (!p) return;
  ad__actions_free(p->action, p->count);
  for (size_t b = 0; p->buffer && b < p->buffers; b++) if (p->buffer[b].owned) AD_FREE(p->buffer[b].base);
  AD_FREE(p->buffer); AD_FREE(p->rule); AD_FREE(p->rule_ref); AD_FREE(p->gradient); AD_FREE(p->update_after); AD_FREE(p->update_order);
  AD_FREE(p);
}

AD_LOCAL bool ad__trace_failed(ad_tape *tape) { ad__fail(tape, AD_ERROR_MEMORY, "function: out of memory"); return false; }
static bool ad__trace_memory(ad_tape *tape, const void *data, size_t bytes) {
  struct ad__trace *r = tape->trace;
  void *array = r->buffer;
  if (!ad__room(&array, r->buffers, &r->buffer_room, sizeof *r->buffer)) return ad__trace_failed(tape);
  r->buffer = (ad__buffer *)array;
  ad__buffer *b = &r->buffer[r->buffers++];
  memset(b, 0, sizeof *b);
  b->base = (char *)(uintptr_t)data; b->bytes = bytes;
  return true;
}
static void ad__trace_rule(ad_tape *tape, const ad__strided *g) {
  struct ad__trace *r = tape->trace;
  void *array = r->rule;
  r->current = AD__NONE;
  if (!g) return;
  if (!ad__room(&array, r->rules, &r->rule_room, sizeof *r->rule)) { ad__trace_failed(tape); return; }
  r->rule = (ad__strided *)array;
  r->rule[r->rules] = *g;
  r->current = (uint32_t)r->rules++;
}
static bool ad__trace_kernel(ad_tape *tape, ad__kernel *run, const ad__tensor *t, const ad__strided *const *x, size_t count, unsigned writes, void *work) {
  struct ad__trace *r = tape->trace;
  void *array = r->action;
  if (!ad__room(&array, r->count, &r->room, sizeof *r->action)) return ad__trace_failed(tape);
  r->action = (ad__action *)array;
  ad__action *a = &r->action[r->count];
  memset(a, 0, sizeof *a);
  a->x = (ad__strided *)ad__array(count, sizeof *a->x);
  a->ref = (ad__ref *)ad__array(count + 3, sizeof *a->ref);
  r->count++;
  if (!a->x || !a->ref) return ad__trace_failed(tape);
  a->run = run; a->t = *t; a->count = (uint32_t)count; a->writes = writes; a->work = work; a->rule = r->current; a->update = AD__NONE;
  for (size_t k = 0; k < count; k++) a->x[k] = *x[k];
  if (run == ad__partial_kernel) {                         /* operands and values that the row does not keep are not kept */
    const int n = (int)t->n[2], keep = ad_ops[t->n[0]].keep;
    bool plain = true;
    for (int k = 0; k < n + 2; k++) plain = plain && x[k]->contiguous && x[k]->size == t->a.size;
    for (int k = 0; plain && k < n; k++) if (!(keep & AD_KEEP_X)) a->x[k].data = NULL;
    if (plain && !(keep & AD_KEEP_V)) a->x[n].data = NULL;
  }
  return true;
}

/* --- from a trace to a plan */

AD_LOCAL int ad__buffer_order(const void *x, const void *y) {
  const ad__buffer *a = (const ad__buffer *)x, *b = (const ad__buffer *)y;
  return a->base < b->base ? -1 : a->base > b->base;
}
AD_LOCAL ad__ref ad__ref_of(const ad__plan *p, const void *data) {
  ad__ref r;
  const char *at = (const char *)data;
  size_t low = 0, high = p->buffers;
  r.buffer = AD__NONE; r.offset = 0;
  while (at && low < high) {
    const size_t middle = (low + high) / 2;
    const ad__buffer *b = &p->buffer[middle];
    if (at < b->base) high = middle;
    else if (at >= b->base + b->bytes) low = middle + 1;
    else { r.buffer = (uint32_t)middle; r.offset = at - b->base; break; }
  }
  return r;
}
/* each k with a buffer among the references of an action */
#define AD__EACH_REF(a, k) for (uint32_t k = 0; (a)->run && k < (a)->count + 3; k++) if ((a)->ref[k].buffer == AD__NONE) {} else
AD_LOCAL bool ad__writes(const ad__action *a, uint32_t k) { return k >= a->count || (k < 32 && (a->writes >> k & 1)); }

AD_LOCAL bool ad__adds(const ad__action *a) { return a->run == ad__add_kernel || (a->run == ad__partial_kernel && a->t.n[3]); }
AD_LOCAL size_t ad__array_bytes(const ad__strided *a) { return a->size * ad__dtype_bytes(a->dtype); }
/* array x at r is the whole of a buffer, row-major */
AD_LOCAL bool ad__is_whole(const ad__plan *p, const ad__strided *x, ad__ref r) {
  return r.buffer != AD__NONE && x->contiguous && r.offset == 0 && x->size && ad__array_bytes(x) == p->buffer[r.buffer].bytes;
}
AD_LOCAL bool ad__touches(const ad__action *a, uint32_t buffer) {
  AD__EACH_REF(a, k) if (a->ref[k].buffer == buffer) return true;
  return false;
}

/* Small actions that see only inputs, seeds and constants, to the front. */
AD_LOCAL bool ad__plan_early(ad__plan *p) {
  unsigned char *late = (unsigned char *)ad__array(p->buffers + p->count, 1), *moves = late ? late + p->buffers : NULL;
  ad__action *order = (ad__action *)ad__array(p->count, sizeof *order);
  if (late && order) {
    size_t n = 0;
    memset(late, 0, p->buffers);
    for (size_t i = 0; i < p->count; i++) {
      const ad__action *a = &p->action[i];
      moves[i] = a->t.a.size <= 1 && !ad__adds(a) && a->run != ad__guard_kernel;
      AD__EACH_REF(a, k) if (!ad__writes(a, k) && late[a->ref[k].buffer]) moves[i] = 0;
      AD__EACH_REF(a, k) if (!moves[i] && ad__writes(a, k)) late[a->ref[k].buffer] = 1;
    }
    for (int pass = 1; pass >= 0; pass--) for (size_t i = 0; i < p->count; i++) if (moves[i] == pass) order[n++] = p->action[i];
    memcpy(p->action, order, p->count * sizeof *order);
  }
  AD_FREE(late); AD_FREE(order);
  return late && order;
}

/* A chain whose value has an adjoint that is known before it: value and adjoints in one pass. By buffer: the action that first touches it, the
   last that writes it, and the chain that saves its partials there. */
AD_LOCAL bool ad__plan_sweeps(ad__plan *p) {
  uint32_t *touched = (uint32_t *)ad__array(3 * p->buffers, sizeof *touched), *written = touched + p->buffers, *saver = written + p->buffers;
  if (!touched) return false;
  for (size_t b = 0; b < p->buffers; b++) { touched[b] = saver[b] = AD__NONE; written[b] = 0; }
  for (size_t i = 0; i < p->count; i++) {
    const ad__action *a = &p->action[i];
    AD__EACH_REF(a, k) {
      const uint32_t b = a->ref[k].buffer;
      if (touched[b] == AD__NONE) touched[b] = (uint32_t)i;
      if (ad__writes(a, k)) written[b] = (uint32_t)i + 1;
    }
    if (a->run == ad__fused_forward && a->ref[a->count + 1].buffer != AD__NONE && saver[a->ref[a->count + 1].buffer] == AD__NONE) saver[a->ref[a->count + 1].buffer] = (uint32_t)i;
  }
  for (size_t j = 0; j < p->count; j++) {
    ad__action *s = &p->action[j], *f = NULL;
    if (s->run != ad__fused_products) continue;
    const uint32_t n = s->t.count, saved = s->ref[n + 1].buffer, g = s->ref[n].buffer, i = saved == AD__NONE ? AD__NONE : saver[saved];
    if (i == AD__NONE || i >= j || p->action[i].count != n || g == AD__NONE) continue;
    f = &p->action[i];
    bool known = s->x[n].contiguous && s->x[n].size == f->t.a.size;
    if (!known) { known = true; for (int d = 0; d < s->x[n].rank; d++) known = known && (s->x[n].stride[d] == 0 || s->x[n].shape[d] == 1); }
    known = known && written[g] <= i;                        /* and what it makes is touched by nobody before it */
    for (uint32_t q = 0; q < n; q++) { const uint32_t b = s->ref[n + 2 + q].buffer; known = known && (b == AD__NONE || touched[b] >= j); }
    if (!known) continue;
    for (uint32_t q = 0; q < n; q++) {
      const uint32_t b = s->ref[n + 2 + q].buffer;
      if (b == AD__NONE) continue;
      touched[b] = i;
      if (written[b] == j + 1) written[b] = i + 1;
    }
    /* the adjoint's action takes the place of the chain's: operands, g, saved (none), where adjoints go; its result is the value */
    ad__action merged = *s;
    merged.run = ad__fused_sweep;
    merged.t = f->t; merged.t.saved = NULL; merged.rule = AD__NONE;
    merged.ref[n + 1].buffer = AD__NONE; merged.x[n + 1].data = NULL;
    merged.ref[merged.count] = f->ref[f->count];
    merged.ref[merged.count + 1].buffer = AD__NONE;
    AD_FREE(f->x); AD_FREE(f->ref);
    *f = merged;
    memset(s, 0, sizeof *s);
    s->rule = s->update = AD__NONE;
  }
  AD_FREE(touched);
  return true;
}

/* y = relu(linear(x, w, b)) where nobody else reads the product: one action; adjoints see y in its place (y > 0 where the product is) */
AD_LOCAL bool ad__plan_relu(ad__plan *p) {
  size_t *from = (size_t *)ad__array(p->buffers + 2, sizeof *from), all = 0;
  for (size_t i = 0; i < p->count; i++) AD__EACH_REF(&p->action[i], k) all++;
  uint32_t *toucher = (uint32_t *)ad__array(all, sizeof *toucher);                     /* of buffer b: from[b] .. from[b + 1], ascending */
  if (!from || !toucher) { AD_FREE(from); AD_FREE(toucher); return false; }
  memset(from, 0, (p->buffers + 2) * sizeof *from);
  for (size_t i = 0; i < p->count; i++) AD__EACH_REF(&p->action[i], k) from[p->action[i].ref[k].buffer + 2]++;
  for (size_t b = 0; b < p->buffers; b++) from[b + 2] += from[b + 1];
  for (size_t i = 0; i < p->count; i++) AD__EACH_REF(&p->action[i], k) toucher[from[p->action[i].ref[k].buffer + 1]++] = (uint32_t)i;
  for (size_t i = 0; i < p->count; i++) {
    ad__action *f = &p->action[i], *row = NULL;
    if (f->run != ad__linear_forward) continue;
    const uint32_t h = f->ref[f->count].buffer;
    bool alone = h != AD__NONE;
    for (size_t q = alone ? from[h] : 0; alone && q < from[h + 1]; q++) {
      ad__action *a = &p->action[toucher[q]];
      if (toucher[q] <= i || a == row || !ad__touches(a, h)) continue;
      const bool is_row = a->run == ad__row_kernel && a->t.n[0] == AD_OP_relu && !row && ad__is_whole(p, &a->x[0], a->ref[0]);
      if (is_row) row = a;
      else alone = row && a->run == ad__partial_kernel && a->t.n[0] == AD_OP_relu && a->ref[0].buffer == h && !ad__adds(a);
    }
    if (!alone || !row || p->buffer[h].kind != AD__AT_WORK) continue;
    const uint32_t y = row->ref[1].buffer;
    if (!ad__is_whole(p, &row->t.a, row->ref[1])) continue;
    f->t.n[0] = 1;
    f->ref[f->count].buffer = y;
    for (size_t q = from[h]; q < from[h + 1]; q++) {
      ad__action *a = &p->action[toucher[q]];
      if (toucher[q] > i && a->run == ad__partial_kernel && a->ref[0].buffer == h) a->ref[0].buffer = y;
    }
    row->run = NULL;
  }
  AD_FREE(from); AD_FREE(toucher);
  return true;
}

/* Outputs are made where they are wanted: the copy behind an action goes away. */
AD_LOCAL void ad__plan_outputs(ad__plan *p) {
  for (size_t i = 0; i < p->count; i++) {
    ad__action *c = &p->action[i];
    const uint32_t to = c->run == ad__copy_forward ? c->ref[1].buffer : AD__NONE;
    if (to == AD__NONE || p->buffer[to].kind < AD__AT_Y) continue;
    ad__buffer *b = c->ref[0].buffer == AD__NONE ? NULL : &p->buffer[c->ref[0].buffer];
    if (b && b->kind == AD__AT_WORK && ad__is_whole(p, &c->x[0], c->ref[0]) && b->bytes == p->buffer[to].bytes) {
      b->kind = p->buffer[to].kind; b->index = p->buffer[to].index;
      if (b->kind == AD__AT_GX) p->gradient[b->index] = c->ref[0].buffer;
      c->run = NULL;
    } else if (p->buffer[to].kind == AD__AT_GX) p->gradient[p->buffer[to].index] = to;
  }
}

/* may an action end a run? comparisons, labels and indices out of range (the reverse rules look at the same ones again) */
AD_LOCAL bool ad__may_refuse(const ad__action *a) {
  return a->run == ad__guard_kernel || (a->rule == AD__NONE && a->t.op && (a->t.op->flags & AD__CHECKED));
}
/* Which actions a run needs, from the last to the first: those that write what is needed (marked: results asked for), and comparisons. What
   they read, or add to, is needed in turn, and the adjoint that their rule looks at. Of the others those that may refuse still look at their
   labels and indices. */
AD_LOCAL void ad__plan_needs(const ad__plan *p, bool *needed, bool *runs) {
  for (size_t i = p->count; i-- > 0;) {
    const ad__action *a = &p->action[i];
    runs[i] = a->run == ad__guard_kernel;
    AD__EACH_REF(a, q) runs[i] = runs[i] || (ad__writes(a, q) && needed[a->ref[q].buffer]);
    if (!runs[i] && !ad__may_refuse(a)) continue;
    AD__EACH_REF(a, q) if (runs[i] || (q < a->count && a->x[q].dtype == AD_I32)) needed[a->ref[q].buffer] = true;
    if (!runs[i]) continue;
    if (a->rule != AD__NONE && p->rule_ref[a->rule].buffer != AD__NONE) needed[p->rule_ref[a->rule].buffer] = true;
  }
}
/* what no result needs goes */
AD_LOCAL bool ad__plan_prune(ad__plan *p) {
  bool *needed = (bool *)ad__array(p->buffers + p->count, sizeof *needed), *runs = needed ? needed + p->buffers : NULL;
  if (!needed) return false;
  for (size_t b = 0; b < p->buffers; b++) needed[b] = p->buffer[b].kind >= AD__AT_Y;
  ad__plan_needs(p, needed, runs);
  size_t kept = 0;
  for (size_t i = 0; i < p->count; i++) {
    if (runs[i] || ad__may_refuse(&p->action[i])) p->action[kept++] = p->action[i];
    else { AD_FREE(p->action[i].x); AD_FREE(p->action[i].ref); }
  }
  p->count = kept;
  AD_FREE(needed);
  return true;
}

/* the inputs by the action after which they are updated: counting sort; those without a gradient last */
AD_LOCAL bool ad__plan_order(ad__plan *p, size_t n) {
  size_t *from = (size_t *)ad__array(p->count + 2, sizeof *from);
  p->update_order = (uint32_t *)ad__array(n, sizeof *p->update_order);
  if (!from || !p->update_order) { AD_FREE(from); return false; }
  memset(from, 0, (p->count + 2) * sizeof *from);
  for (size_t k = 0; k < n; k++) from[(p->update_after[k] == AD__NONE ? p->count : p->update_after[k]) + 1]++;
  for (size_t i = 0; i <= p->count; i++) from[i + 1] += from[i];
  for (size_t k = 0; k < n; k++) p->update_order[from[p->update_after[k] == AD__NONE ? p->count : p->update_after[k]]++] = (uint32_t)k;
  AD_FREE(from);
  return true;
}
/* buffers that some action touches, renumbered; from and to which action */
AD_LOCAL bool ad__plan_lives(ad__plan *p, size_t n) {
  uint32_t *number = (uint32_t *)ad__array(p->buffers, sizeof *number), sure = 0;      /* sure: the last action that may refuse */
  size_t kept = 0;
  if (!number) return false;
  for (size_t i = 0; i < p->count; i++) if (ad__may_refuse(&p->action[i])) sure = (uint32_t)i;
  for (size_t b = 0; b < p->buffers; b++) { p->buffer[b].first = AD__NONE; p->buffer[b].last = 0; number[b] = AD__NONE; }
  for (size_t i = 0; i < p->count; i++) {
    const ad__action *a = &p->action[i];
    AD__EACH_REF(a, k) {
      ad__buffer *b = &p->buffer[a->ref[k].buffer];
      if (b->first == AD__NONE) b->first = (uint32_t)i;
      b->last = (uint32_t)i;
    }
    const uint32_t g = a->rule == AD__NONE ? AD__NONE : p->rule_ref[a->rule].buffer;
    if (g != AD__NONE) p->buffer[g].last = (uint32_t)i;
  }
  for (size_t b = 0; b < p->buffers; b++) {                /* update_after: first when the input is read last */
    const ad__buffer *q = &p->buffer[b];
    if (q->kind == AD__AT_INPUT && q->first != AD__NONE) p->update_after[q->index] = q->last;
  }
  for (size_t k = 0; k < n; k++) {
    const uint32_t g = p->gradient ? p->gradient[k] : AD__NONE, read = p->update_after[k];
    p->update_after[k] = AD__NONE;
    if (g == AD__NONE) continue;
    uint32_t last = p->buffer[g].last > sure ? p->buffer[g].last : sure;
    if (read != AD__NONE && read > last) last = read;
    const uint32_t i = p->buffer[g].first;
    p->buffer[g].last = p->update_after[k] = last;
    if (i != AD__NONE) {                                     /* a single product that makes it, after which nobody reads the input */
      ad__action *a = &p->action[i];
      if (a->run == ad__matmul_forward && i == last && p->buffer[g].first == i && ad__is_whole(p, &a->t.a, a->ref[a->count])
          && ad__span(&a->t.a, 0, a->t.a.rank - 2) == 1) {
        bool reads = false;
        AD__EACH_REF(a, q) reads = reads || (p->buffer[a->ref[q].buffer].kind == AD__AT_INPUT && p->buffer[a->ref[q].buffer].index == k);
        if (!reads) a->update = (uint32_t)k;
      }
    }
  }
  if (!ad__plan_order(p, n)) { AD_FREE(number); return false; }
  for (size_t b = 0; b < p->buffers; b++) {
    if (p->buffer[b].first == AD__NONE) { if (p->buffer[b].owned) AD_FREE(p->buffer[b].base); continue; }
    number[b] = (uint32_t)kept;
    p->buffer[kept++] = p->buffer[b];
  }
  p->buffers = kept;
  for (size_t i = 0; i < p->count; i++)
    for (uint32_t k = 0; k < p->action[i].count + 3; k++)
      if (p->action[i].ref[k].buffer != AD__NONE) p->action[i].ref[k].buffer = number[p->action[i].ref[k].buffer];
  for (size_t r = 0; r < p->rules; r++) if (p->rule_ref[r].buffer != AD__NONE) p->rule_ref[r].buffer = number[p->rule_ref[r].buffer];
  for (size_t k = 0; k < n && p->gradient; k++) if (p->gradient[k] != AD__NONE) p->gradient[k] = number[p->gradient[k]];
  AD_FREE(number);
  return true;
}

/* places in the work space */
/* reads of buffer by a: all of it, in the order in which it lies; a result can then take its place */
AD_LOCAL bool ad__reads_whole(const ad__plan *p, const ad__action *a, uint32_t buffer) {
  for (uint32_t k = 0; k < a->count; k++) if (a->ref[k].buffer == buffer && !ad__is_whole(p, &a->x[k], a->ref[k])) return false;
  return true;
}
typedef struct ad__gap { size_t from, to; } ad__gap;
AD_LOCAL bool ad__plan_places(ad__plan *p) {
  ad__gap *gap = (ad__gap *)ad__array(p->buffers + 2, sizeof *gap);
  size_t gaps = 0, top = 0;
  uint32_t *ends = (uint32_t *)ad__array(p->count + p->buffers, sizeof *ends), *after = ends + p->count;      /* lists: what is in use last at action i */
  if (!gap || !ends) { AD_FREE(gap); AD_FREE(ends); return false; }
  for (size_t i = 0; i < p->count; i++) ends[i] = AD__NONE;
  for (size_t b = p->buffers; b-- > 0;) { const uint32_t i = p->buffer[b].last; if (i < p->count) { after[b] = ends[i]; ends[i] = (uint32_t)b; } }
  for (size_t i = 0; i < p->count; i++) {
    const ad__action *a = &p->action[i];
    bool in_place = a->run == ad__row_kernel || a->run == ad__partial_kernel;
    for (int d = 0; d < a->t.a.rank; d++) in_place = in_place && a->t.a.shape[d] != 1;      /* views of other strides, which kernels refuse */
    uint32_t taken = AD__NONE;                 /* the operand whose place the result has got; no gradient, whose parameter is updated later */
    AD__EACH_REF(a, q) {
      ad__buffer *b = &p->buffer[a->ref[q].buffer];
      if (!ad__writes(a, q) || b->first != i || (b->kind != AD__AT_WORK && b->kind < AD__AT_Y) || b->offset != SIZE_MAX) continue;
      const size_t bytes = (b->bytes + 63) / 64 * 64;
      for (uint32_t k = 0; in_place && taken == AD__NONE && k < a->count && q == a->count && ad__is_whole(p, &a->t.a, a->ref[q]); k++) {
        if (a->ref[k].buffer == AD__NONE || a->x[k].dtype != a->t.a.dtype || !ad__reads_whole(p, a, a->ref[k].buffer)) continue;
        const ad__buffer *o = &p->buffer[a->ref[k].buffer];
        if (o->last == i && o->bytes == b->bytes && (o->kind == AD__AT_WORK || o->kind == AD__AT_Y)) { taken = a->ref[k].buffer; b->offset = o->offset; }
      }
      if (b->offset != SIZE_MAX) continue;
      size_t best = gaps;
      for (size_t k = 0; k < gaps; k++)
        if (gap[k].to - gap[k].from >= bytes && (best == gaps || gap[k].to - gap[k].from < gap[best].to - gap[best].from)) best = k;
      if (best == gaps) {
        const bool at_end = gaps && gap[gaps - 1].to == top;       /* the last gap grows */
        b->offset = at_end ? gap[--gaps].from : top;
        top = b->offset + bytes;
      } else {
        b->offset = gap[best].from;
        gap[best].from += bytes;
        if (gap[best].from == gap[best].to) { memmove(gap + best, gap + best + 1, (gaps - best - 1) * sizeof *gap); gaps--; }
      }
    }
    for (uint32_t q = ends[i]; q != AD__NONE; q = after[q]) {          /* free from here on */
      const ad__buffer *b = &p->buffer[q];
      if (b->offset == SIZE_MAX || q == taken) continue;
      const size_t from = b->offset, to = from + (b->bytes + 63) / 64 * 64;
      size_t at = 0;
      while (at < gaps && gap[at].from < from) at++;
      const bool left = at > 0 && gap[at - 1].to == from, right = at < gaps && gap[at].from == to;
      if (left && right) { gap[at - 1].to = gap[at].to; memmove(gap + at, gap + at + 1, (gaps - at - 1) * sizeof *gap); gaps--; }
      else if (left) gap[at - 1].to = to;
      else if (right) gap[at].from = from;
      else { memmove(gap + at + 1, gap + at, (gaps - at) * sizeof *gap); gap[at].from = from; gap[at].to = to; gaps++; }
    }
  }
  p->bytes = top;
  AD_FREE(gap); AD_FREE(ends);
  return true;
}

/* A chain as rows again, which ad_differentiate takes apart. What folding has left without the chain's shape or type gets them back. */
#define AD__AGAIN_1(N, D, op, ...) case AD_OP_##op: return ad__sym_##op(x);
#define AD__AGAIN_2(N, D, op, ...) case AD_OP_##op: return ad__sym_##op(x, y);
#define AD__AGAIN_3(N, D, op, ...) case AD_OP_##op: return ad__sym_##op(x, y, z);
AD_LOCAL ad__sym ad__sym_of_node(uint32_t op, ad__sym x, ad__sym y, ad__sym z) {
  switch (op) {
    AD_UNARY(AD__AGAIN_1, , ) AD_BINARY(AD__AGAIN_2, , ) AD_TERNARY(AD__AGAIN_3, , )
    case AD__IR_SEED: case AD__IR_ALONG: return ad__sym_chain(x, y);
    case AD__IR_LT: return ad__sym_lt(x, y);
    case AD__IR_LE: return ad__sym_le(x, y);
    case AD__IR_EQ: return ad__sym_eq(x, y);
    case AD__IR_NE: return ad__sym_ne(x, y);
    case AD__IR_AND: return ad__sym_and(x, y);
    case AD__IR_OR: return ad__sym_or(x, y);
    case AD__IR_NOT: return ad__sym_sub(ad__sym_k(1), x);
    case AD__IR_SELECT: return ad__sym_select(x, y, z);
    case AD__IR_ONLY: return ad__sym_only(x, y);
    case AD__IR_NUMBER: return ad__sym_number(x, y);
    default: return ad__sym_fma(ad__sym_neg(x), y, z);       /* AD__IR_FNMA */
  }
}
AD_LOCAL ad_var ad__chain_again(ad_tape *t, const ad__graph_step *s, const ad_var *x) {
  const ad__ir *ir = &s->fused->ir;
  ad__sym *e = (ad__sym *)ad__tape_take(t, ir->n * sizeof *e);
  if (!e) return ad__invalid(t);
  for (uint32_t i = 0; i < ir->n; i++) {
    const ad__node *q = &ir->node[i];
    const int arity = ad__node_arity(q->op);
    if (q->op == AD__IR_CONST) e[i] = ad__sym_k(ad__node_constant(q));
    else if (q->op == AD__IR_INPUT) e[i] = ad__sym_of(x[q->a]);
    else e[i] = ad__sym_of_node(q->op, e[q->a], e[arity > 1 ? q->b : q->a], e[arity > 2 ? q->c : q->a]);
  }
  ad_var y = ad__sym_var(e[s->fused->y[0]], t);
  if (ad__valid(y) && ad__array_of(y)->dtype != s->dtype) y = ad__cast(y, s->dtype);
  return ad__valid(y) && ad_rank(y) != s->rank ? ad_broadcast_to(y, s->rank, s->shape) : y;
}

/* all steps on tape t; v: a handle for each; again: to be made a function anew, with chains as rows and guards as nodes */
AD_LOCAL void ad__graph_record(const ad__graph *g, ad_tape *t, ad_var *v, bool again) {
  ad_var few[4];
  for (uint32_t i = 0; i < g->count && t->status == AD_OK; i++) {
    const ad__graph_step *s = &g->step[i];
    ad_var *o = few;
    if (s->kind == AD__STEP_INPUT) continue;
    if (s->count > 4 && !(o = (ad_var *)ad__tape_take(t, s->count * sizeof *o))) break;
    for (uint32_t k = 0; k < s->count; k++) o[k] = v[s->operand[k]];
    switch (s->kind) {
      case AD__STEP_CONSTANT:
        if (s->rank < 0) v[i] = ad__tensor_leaf(t, AD_OP_CONSTANT_, "constant", AD_F64, 0, NULL, &s->c, AD__COPIED);
        else if (s->bytes && !ad__trace_memory(t, s->data, s->bytes)) return;
        else v[i] = ad__tensor_leaf(t, AD_OP_CONSTANT_, "constant", (ad_dtype)s->dtype, s->rank, s->shape, s->data, AD__BORROWED);
        break;
      case AD__STEP_GUARD: {
        ad__tensor guard;
        const ad__strided *x = ad__array_of(o[0]);
        memset(&guard, 0, sizeof guard);
        guard.c = s->c;
        v[i] = o[0];
        if (!again) ad__do(t, ad__guard_kernel, &guard, &x, 1, 0);
        else if (t->count < t->capacity || ad__grow(t, "guard")) ad__push(t, (uint32_t)t->kind, AD_NODE(AD_OP_GUARD_, AD_PLAIN), o[0].node, 0, s->c);
        break;
      }
      case AD__STEP_NODE:
        v[i] = AD_NODE_FORM(s->code) == AD_ON_TENSORS || AD_NODE_FORM(s->code) == AD_PLAIN ? ad__tensor_row(AD_NODE_OP(s->code), o)
          : ad__record_tensors(s->code, o[0], o[0], o[0], s->c);
        break;
      default:
        if (again && s->kind == AD__STEP_FUSED) v[i] = ad__chain_again(t, s, o);
        else v[i] = s->op->flags & AD__SHAPED ? ad__record_to(s->op, o, s->count, s->rank, s->shape, s->n, 8, s->c) : ad__record_call(s->op, o, s->count, s->n, 8, s->c);
    }
  }
}

/* a leaf for an input or seed like step s, in memory of the trace; zeros where shape rules look at contents */
AD_LOCAL ad_var ad__graph_leaf(ad_tape *t, const ad__graph_step *s) {
  void *data = ad__tape_take(t, s->bytes);
  const int dtype = s->rank < 0 ? AD_F64 : s->dtype;
  if (!data) return ad__invalid(t);
  memset(data, 0, s->bytes);
  return ad__tensor_leaf(t, dtype == AD_I32 ? AD_OP_CONSTANT_ : AD_OP_VARIABLE_, "input", (ad_dtype)dtype, s->rank < 0 ? 0 : s->rank, s->shape, data, AD__BORROWED);
}

/* the copy of array a to output or gradient number index; a pointer into it is left in to */
AD_LOCAL void ad__graph_put(ad_tape *t, const ad__strided *a, char **to) {
  ad__tensor copy;
  memset(&copy, 0, sizeof copy);
  copy.a = *a;
  (void)ad__array_layout(&copy.a);
  copy.a.data = *to = (char *)ad__tape_take(t, ad__array_bytes(a));
  if (*to) ad__do(t, ad__copy_forward, &copy, &a, 1, 0);
}

/* everything a run does, written into the trace of t: where[0 .. n) inputs, [n .. n+m) seeds, [n+m .. n+2m) outputs, [n+2m ..) gradients */
AD_LOCAL void ad__graph_trace(const ad_function *f, ad_tape *t, bool adjoints, ad_var *v, char **where) {
  const ad__graph *g = f->graph;
  const size_t n = f->n, m = f->m;
  t->passive = !adjoints;
  t->recorded = 0;
  for (size_t k = 0; k < n; k++) {
    v[g->input[k]] = ad__graph_leaf(t, &g->step[g->input[k]]);
    if (!v[g->input[k]].kind) return;
    where[k] = (char *)ad__array_of(v[g->input[k]])->data;
  }
  ad__graph_record(g, t, v, false);
  for (size_t j = 0; j < m && t->status == AD_OK; j++) ad__graph_put(t, ad__array_of(v[g->output[j]]), &where[n + m + j]);
  t->passive = false;
  if (!adjoints || t->status != AD_OK) return;
  const size_t count = t->count;
  t->swept = count; t->sweep++;
  memset(t->adjoint, 0, count * sizeof *t->adjoint);
  ad__sweep_begin(t);
  for (size_t j = 0; j < m && t->status == AD_OK; j++) {
    const ad_var y = v[g->output[j]];
    if (ad__array_of(y)->dtype == AD_I32) continue;
    const ad_var seed = ad__graph_leaf(t, &g->step[g->output[j]]);
    if (!seed.kind) break;
    where[n + j] = (char *)ad__array_of(seed)->data;
    ad__contribute(t, y.node, seed, false);
  }
  for (size_t i = count; i-- > 0 && t->status == AD_OK;) if (t->adjoint[i] != 0) ad__sweep_tensor(t, i);
  for (size_t k = 0; k < n && t->status == AD_OK; k++) {
    const ad__tensor *x = ad__tensor_at(t, v[g->input[k]].node);
    if (x->sweep == t->sweep && x->grad) ad__graph_put(t, &x->grad->a, &where[n + 2 * m + k]);
  }
}

/* what the trace holds becomes the plan's; contents of constants are kept */
AD_LOCAL bool ad__plan_take(ad__plan *p, struct ad__trace *r, const ad__graph *g, char *const *where, size_t n, size_t m) {
  p->action = r->action; p->count = r->count;
  p->buffer = r->buffer; p->buffers = r->buffers;
  p->rule = r->rule; p->rules = r->rules;
  r->action = NULL; r->buffer = NULL; r->rule = NULL;
  p->rule_ref = (ad__ref *)ad__array(p->rules, sizeof *p->rule_ref);
  p->gradient = (uint32_t *)ad__array(n, sizeof *p->gradient);
  p->update_after = (uint32_t *)ad__array(n, sizeof *p->update_after);
  if (!p->rule_ref || !p->gradient || !p->update_after) return false;
  for (size_t k = 0; k < n; k++) p->gradient[k] = p->update_after[k] = AD__NONE;
  if (p->buffers) qsort(p->buffer, p->buffers, sizeof *p->buffer, ad__buffer_order);
  for (size_t k = 0; k < 2 * (n + m); k++) {
    const ad__ref at = ad__ref_of(p, where[k]);
    if (at.buffer == AD__NONE) continue;
    p->buffer[at.buffer].kind = k < n ? AD__AT_INPUT : k < n + m ? AD__AT_SEED : k < n + 2 * m ? AD__AT_Y : AD__AT_GX;
    p->buffer[at.buffer].index = (uint32_t)(k < n ? k : k < n + m ? k - n : k < n + 2 * m ? k - n - m : k - n - 2 * m);
  }
  for (size_t q = 0; q < p->rules; q++) p->rule_ref[q] = ad__ref_of(p, p->rule[q].data);
  for (size_t i = 0; i < p->count; i++) {
    ad__action *a = &p->action[i];
    if (a->count > p->widest) p->widest = a->count;
    for (uint32_t k = 0; k < a->count; k++) a->ref[k] = ad__ref_of(p, a->x[k].data);
    a->ref[a->count] = ad__ref_of(p, a->t.a.data);
    a->ref[a->count + 1] = ad__ref_of(p, a->t.saved);
    a->ref[a->count + 2] = ad__ref_of(p, a->work);
    AD__EACH_REF(a, k) if (ad__writes(a, k) && p->buffer[a->ref[k].buffer].kind == AD__AT_UNKNOWN) p->buffer[a->ref[k].buffer].kind = AD__AT_WORK;
  }
  for (uint32_t s = 0; s < g->count; s++) {                  /* the graph's own constants stay where they are */
    const ad__ref at = ad__ref_of(p, g->step[s].data);
    if (at.buffer != AD__NONE && at.offset == 0 && p->buffer[at.buffer].kind == AD__AT_UNKNOWN) p->buffer[at.buffer].kind = AD__AT_CONSTANT;
  }
  for (size_t i = 0; i < p->count; i++) {
    AD__EACH_REF(&p->action[i], k) {
      ad__buffer *b = &p->buffer[p->action[i].ref[k].buffer];
      if (b->kind != AD__AT_UNKNOWN) continue;
      b->kind = AD__AT_CONSTANT;
      void *copy = ad__array(b->bytes, 1);
      if (!copy) return false;
      memcpy(copy, b->base, b->bytes);
      b->base = (char *)copy; b->owned = true;             /* the order of bases is of no use from here on */
    }
  }
  return true;
}

AD_LOCAL ad_status ad__plan_make(const ad_function *f, bool adjoints, ad__plan **to) {
  const ad__graph *g = f->graph;
  const size_t n = f->n, m = f->m;
  struct ad__trace trace;
  ad_tape *t = ad_tape_create(NULL);
  ad_var *v = (ad_var *)ad__array(g->count, sizeof *v);
  char **where = (char **)ad__array(2 * (n + m), sizeof *where);
  ad__plan *p = (ad__plan *)ad__array(1, sizeof *p);
  ad_status status = AD_ERROR_MEMORY;
  memset(&trace, 0, sizeof trace);
  trace.current = AD__NONE;
  if (p) memset(p, 0, sizeof *p);
  if (t && v && where && p) {
    memset(where, 0, 2 * (n + m) * sizeof *where);
    t->trace = &trace;
    ad__graph_trace(f, t, adjoints, v, where);
    status = t->status;
    bool ok = status == AD_OK && ad__plan_take(p, &trace, g, where, n, m) && ad__plan_early(p);
    ok = ok && ad__plan_sweeps(p) && ad__plan_relu(p);
    if (ok) {
      ad__plan_outputs(p);
      ok = ad__plan_prune(p) && ad__plan_lives(p, n);
    }
    if (ok) {
      for (size_t b = 0; b < p->buffers; b++) p->buffer[b].offset = SIZE_MAX;
      ok = ad__plan_places(p);
    }
    if (ok) {
      for (size_t j = 0; adjoints && j < m; j++) if (g->step[g->output[j]].bytes > p->zeros) p->zeros = g->step[g->output[j]].bytes;
      p->zeros = (p->zeros + 63) / 64 * 64;
      p->table = p->buffers * sizeof(char *) + p->widest * (sizeof(ad__strided) + sizeof(ad__strided *)) + (p->buffers + p->count) * sizeof(bool);
      p->table = (p->table + 63) / 64 * 64;
    } else if (status == AD_OK) status = AD_ERROR_MEMORY;
  }
  if (status != AD_OK) { ad__plan_free(p); p = NULL; }
  ad__actions_free(trace.action, trace.count);
  AD_FREE(trace.buffer); AD_FREE(trace.rule);
  if (t) t->trace = NULL;
  ad_tape_destroy(t);
  AD_FREE(v); AD_FREE(where);
  *to = p;
  return status;
}

/* --- runs of tensor functions */

AD_LOCAL ad_status ad__function_plan(const ad_function *f, bool adjoints, const ad__plan **to) {
  ad__shared *at = &f->graph->plan[adjoints];
  ad__plan *p = (ad__plan *)ad__published(at);
  const bool known = p != NULL;
  const ad_status status = known ? AD_OK : ad__plan_make(f, adjoints, &p);
  if (status == AD_OK && !known && !ad__publish(at, p)) ad__plan_free(p);       /* another thread was faster */
  *to = (const ad__plan *)ad__published(at);
  return status;
}
AD_LOCAL size_t ad__plan_bytes(const ad__plan *p) { return p->table + p->zeros + p->bytes; }

/* whether a run of step s changes parameter k by the product that makes its gradient: theta -= rate * product */
AD_LOCAL bool ad__folds(const ad_function_step_arguments *s, size_t k) {
  return s->theta && s->theta[k] && !(s->gx && s->gx[k]) && !s->velocity && s->momentum == 0 && s->decay == 0;
}
AD_LOCAL void ad__update(const ad_function_step_arguments *s, const ad__graph_step *in, size_t k, const void *g) {
  void *x = s->theta[k], *v = s->velocity ? s->velocity[k] : NULL;
  if (in->rank >= 0 && in->dtype == AD_F32) ad_f32_sgd(in->bytes / sizeof(float), (float *)x, (const float *)g, (float *)v, s->rate, s->momentum, s->decay);
  else ad_f64_sgd(in->bytes / sizeof(double), (double *)x, (const double *)g, (double *)v, s->rate, s->momentum, s->decay);
}
/* does the caller want the contents of buffer b? */
AD_LOCAL bool ad__wants(const ad_function_step_arguments *s, const ad__buffer *b) {
  if (b->kind == AD__AT_Y) return s->y && s->y[b->index];
  return b->kind == AD__AT_GX && ((s->gx && s->gx[b->index]) || (s->theta && s->theta[b->index]));
}

AD_LOCAL ad_status ad__plan_run(const ad_function *f, const ad__plan *p, const ad_function_step_arguments *s, char *space) {
  static const double one64 = 1;
  static const float one32 = 1;
  const ad__graph *g = f->graph;
  const size_t n = f->n, m = f->m;
  char **at = (char **)(void *)space, *zeros = space + p->table, *base = zeros + p->zeros;
  ad__strided *x = (ad__strided *)(void *)(at + p->buffers);
  const ad__strided **px = (const ad__strided **)(void *)(x + p->widest);
  bool *needed = (bool *)(void *)(px + p->widest), *runs = needed + p->buffers;
  size_t updates = 0;
  uint32_t rule = AD__NONE;
  bool zero = false, strayed = false;
  for (size_t k = 0; k < p->widest; k++) px[k] = &x[k];
  for (size_t j = 0; s->w && j < m; j++) if (!s->w[j]) { memset(zeros, 0, p->zeros); break; }      /* the adjoint of an output without weight */
  for (size_t b = 0; b < p->buffers; b++) {
    const ad__buffer *q = &p->buffer[b];
    const uint32_t k = q->index;
    char *work = base + q->offset;
    needed[b] = ad__wants(s, q);
    switch (q->kind) {
      case AD__AT_INPUT: at[b] = (char *)(uintptr_t)s->x[k]; break;
      case AD__AT_SEED:
        if (s->w) at[b] = s->w[k] ? (char *)(uintptr_t)s->w[k] : zeros;
        else at[b] = g->step[g->output[k]].bytes == sizeof(float) ? (char *)(uintptr_t)&one32 : (char *)(uintptr_t)&one64;
        break;
      case AD__AT_CONSTANT: at[b] = q->base; break;
      case AD__AT_Y: at[b] = s->y && s->y[k] ? (char *)s->y[k] : work; break;
      case AD__AT_GX: at[b] = s->gx && s->gx[k] ? (char *)s->gx[k] : work; break;
      default: at[b] = work;
    }
  }
  ad__plan_needs(p, needed, runs);
  for (size_t i = 0; i <= p->count; i++) {
    for (; i && updates < n && p->update_after[p->update_order[updates]] <= i - 1; updates++) {      /* parameters that nobody reads any more */
      const uint32_t k = p->update_order[updates];
      if (strayed || !s->theta || p->gradient[k] == AD__NONE || !s->theta[k]) continue;
      if (!(p->action[i - 1].update == k && ad__folds(s, k))) ad__update(s, &g->step[g->input[k]], k, at[p->gradient[k]]);
    }
    if (i == p->count) break;
    const ad__action *a = &p->action[i];
    if (!runs[i] && !ad__may_refuse(a)) continue;
    ad__tensor t = a->t;
    for (uint32_t k = 0; k < a->count; k++) {
      x[k] = a->x[k];
      x[k].data = a->ref[k].buffer == AD__NONE ? NULL : at[a->ref[k].buffer] + a->ref[k].offset;
    }
    const ad__ref *r = a->ref + a->count;
    t.a.data = r[0].buffer == AD__NONE ? NULL : at[r[0].buffer] + r[0].offset;
    t.saved = r[1].buffer == AD__NONE ? NULL : at[r[1].buffer] + r[1].offset;
    void *work = r[2].buffer == AD__NONE ? NULL : at[r[2].buffer] + r[2].offset;
    if (a->rule != rule && a->rule != AD__NONE) {
      ad__strided seed = p->rule[a->rule];
      const ad__ref of = p->rule_ref[a->rule];
      seed.data = of.buffer == AD__NONE ? NULL : at[of.buffer] + of.offset;
      zero = seed.data && ad__all_zero(&seed);
      rule = a->rule;
    }
    if (a->rule != AD__NONE && zero) {                     /* the rule is not run, what it makes is 0 */
      if (!ad__adds(a) && t.a.data) memset(t.a.data, 0, ad__array_bytes(&t.a));
      for (uint32_t k = 0; k < a->count; k++) if (ad__writes(a, k) && x[k].data) memset(x[k].data, 0, ad__array_bytes(&x[k]));
      continue;
    }
    if (t.op && (t.op->flags & AD__CHECKED)) {
      ad__tensor again = t;
      again.status = AD_ERROR_SHAPE;
      if (t.op->shape(&again, px)) return again.status;
    }
    if (!runs[i]) continue;
    if (a->update != AD__NONE && ad__folds(s, a->update)) {
      t.a.data = s->theta[a->update];
      if (!strayed) ad__matmul_into(&t, px, -s->rate, 1, work);
    } else {
      t.status = AD_OK;
      a->run(&t, px, work);
      if (t.status != AD_OK) return t.status;
    }
    strayed = strayed || (a->run == ad__guard_kernel && t.number);
  }
  for (size_t k = 0; s->gx && k < n; k++)                  /* what no output depends on */
    if (s->gx[k] && p->gradient[k] == AD__NONE) memset(s->gx[k], 0, g->step[g->input[k]].bytes);
  return strayed ? AD_ERROR_BRANCH : AD_OK;
}

AD_LOCAL ad_status ad__graph_run(const ad_function *f, const ad_function_step_arguments *s, bool adjoints) {
  ad__graph *g = f->graph;
  const ad__plan *p;
  for (uint32_t k = 0; k < f->n; k++) if (!s->x[k] && g->step[g->input[k]].bytes) return AD_ERROR_ARGUMENT;
  for (uint32_t k = 0; k < f->n; k++)
    if (((s->gx && s->gx[k]) || (s->theta && s->theta[k])) && g->step[g->input[k]].rank >= 0 && g->step[g->input[k]].dtype == AD_I32) return AD_ERROR_DTYPE;
  ad_status status = ad__function_plan(f, adjoints, &p);
  if (status != AD_OK) return status;
  if (s->workspace) return ad__plan_run(f, p, s, (char *)s->workspace);
  void *own = ad__swap(&g->spare[adjoints], NULL);
  if (!own) own = ad__array(ad__plan_bytes(p) + AD__ALIGN, 1);
  if (!own) return AD_ERROR_MEMORY;
  status = ad__plan_run(f, p, s, ad__aligned(own));
  own = ad__swap(&g->spare[adjoints], own);
  AD_FREE(own);                                 /* another call was at work, and has put its own back first */
  return status;
}

/* --- derivatives of a function of tensors that are functions of tensors in turn

   Second derivatives, and tangents, are plans too: the steps are recorded once more, ad_differentiate adds the derivative as nodes, and a
   function is made of what is then on the tape. The tangent is the derivative by w of <gradient of <w, y>, dx>. */

enum { AD__TANGENT, AD__CURVATURE };            /* x dx -> y, dy; x w dx -> H dx */

AD_LOCAL ad_var ad__inner(ad_var sum, ad_var a, ad_var b) {       /* sum + <a, b> as a double */
  ad_var p = ad_var_mul(a, b);
  if (ad_rank(p) > 0) p = ad_sum(p, AD_ALL, false);
  if (ad__valid(p) && ad__array_of(p)->dtype != AD_F64) p = ad__cast(p, AD_F64);
  return ad_var_add(sum, p);
}
AD_LOCAL ad_function *ad__graph_derive(const ad_function *f, int which, ad_status *status) {
  const ad__graph *g = f->graph;
  const size_t n = f->n, m = f->m;
  struct ad__trace trace;
  ad_tape *t = ad_tape_create(NULL);
  ad_var *v = (ad_var *)ad__array(g->count, sizeof *v), *x = (ad_var *)ad__array(4 * n + 3 * m, sizeof *x), *w = x + n, *dx = w + m, *y = dx + n, *gx = y + m + m;
  ad_function *d = NULL;
  memset(&trace, 0, sizeof trace);
  *status = AD_ERROR_MEMORY;
  if (t && v && x) {
    t->trace = &trace;
    for (size_t k = 0; k < n; k++) x[k] = v[g->input[k]] = ad__graph_leaf(t, &g->step[g->input[k]]);
    ad__graph_record(g, t, v, true);
    for (size_t k = 0; k < n; k++) dx[k] = ad__graph_leaf(t, &g->step[g->input[k]]);
    ad_var s = ad_constant(t, 0), slope = s;
    for (size_t j = 0; j < m && t->status == AD_OK; j++) {        /* after a failure v is not all made */
      y[j] = v[g->output[j]];
      w[j] = ad__graph_leaf(t, &g->step[g->output[j]]);
      s = ad__inner(s, y[j], w[j]);
    }
    if (t->status == AD_OK) ad_differentiate(s, x, n, gx);
    for (size_t k = 0; k < n && t->status == AD_OK; k++) slope = ad__inner(slope, gx[k], dx[k]);
    if (t->status == AD_OK && which == AD__CURVATURE) {
      ad_differentiate(slope, x, n, gx);
      if (t->status == AD_OK) d = ad_function_create(x, 2 * n + m, gx, n);
    } else if (t->status == AD_OK) {
      ad_differentiate(slope, w, m, y + m);
      for (size_t k = 0; k < n; k++) x[n + k] = dx[k];     /* over w, which nothing depends on */
      if (t->status == AD_OK) d = ad_function_create(x, 2 * n, y, 2 * m);
    }
    *status = t->status;
    if (!d && *status == AD_OK) *status = AD_ERROR_MEMORY;
    t->trace = NULL;
  }
  ad__actions_free(trace.action, trace.count);
  AD_FREE(trace.buffer); AD_FREE(trace.rule);
  ad_tape_destroy(t);
  AD_FREE(v); AD_FREE(x);
  return d;
}
AD_LOCAL ad_status ad__graph_derived(const ad_function *f, int which, const ad_function **to) {
  ad__shared *at = &f->graph->derived[which];
  void *d = ad__published(at);
  ad_status status = AD_OK;
  if (!d) {
    d = ad__graph_derive(f, which, &status);
    if (!d && status == AD_ERROR_MEMORY) return status;
    if (!d) d = &ad__underived;
    if (!ad__publish(at, d) && d != &ad__underived) ad_function_destroy((ad_function *)d);       /* another thread was faster */
    d = ad__published(at);
  }
  if (d == &ad__underived) return AD_ERROR_UNSUPPORTED;
  *to = (const ad_function *)d;
  return AD_OK;
}

/* --- a function of tensors as one of numbers: the contents of its inputs one after the other, those of its outputs likewise

   Every kind is runs of plans at one point after the other; a Jacobian is a sweep an output, a Hessian a run of the curvature an input. Pointers go
   straight into the caller's arrays, but for variables of another type, which are converted. */

typedef struct ad__flat {
  const ad_function *f, *run;                   /* run: f or the derived function whose plan runs */
  bool adjoints;
  ad_dtype dtype;
  size_t plan, pointers, copies, unit, bytes;   /* the parts of a work space, in this order; all of it */
} ad__flat;

AD_LOCAL size_t ad__copy_bytes(const ad__graph_step *s, ad_dtype dtype, bool tensors) {
  return ad__step_type(s) == (int)dtype || (s->rank > 0 && !tensors) ? 0 : (s->bytes + 63) / 64 * 64;
}
/* what kind needs; tensors: with room for conversions of tensors, not only of numbers */
AD_LOCAL ad_status ad__flat_plan(const ad_function *f, ad_function_kind kind, ad_dtype dtype, bool tensors, ad__flat *q) {
  const ad__graph *g = f->graph;
  const ad__plan *p;
  const size_t n = f->n, m = f->m;
  ad_status status = AD_OK;
  memset(q, 0, sizeof *q);
  q->f = q->run = f; q->dtype = dtype;
  q->adjoints = kind == AD_FUNCTION_VJP || kind == AD_FUNCTION_JACOBIAN;
  if (kind == AD_FUNCTION_JVP) {
    status = ad__graph_derived(f, AD__TANGENT, &q->run);
    if (status == AD_ERROR_UNSUPPORTED) { q->adjoints = true; status = AD_OK; }       /* by rows of the Jacobian */
  } else if (!q->adjoints && kind != AD_FUNCTION_VALUE) status = ad__graph_derived(f, AD__CURVATURE, &q->run);
  if (status == AD_OK) status = ad__function_plan(q->run, q->adjoints, &p);
  if (status != AD_OK) return status;
  q->plan = (ad__plan_bytes(p) + 63) / 64 * 64;
  q->pointers = (3 * (n + m) * sizeof(void *) + 63) / 64 * 64;
  for (size_t k = 0; k < n + m; k++) q->copies += (k < n ? 3 : 2) * ad__copy_bytes(&g->step[k < n ? g->input[k] : g->output[k - n]], dtype, tensors);
  q->unit = kind == AD_FUNCTION_JACOBIAN ? g->m : kind == AD_FUNCTION_HESSIAN ? g->n : kind == AD_FUNCTION_JVP && q->adjoints ? g->m + g->n : 0;
  q->unit = (q->unit * sizeof(double) + 63) / 64 * 64;
  q->bytes = q->plan + q->pointers + q->copies + q->unit;
  return AD_OK;
}

AD_LOCAL void ad__convert(size_t n, ad_dtype to_type, void *to, ad_dtype from_type, const void *from) {
  if (to_type == from_type) { if (n && to != from) memcpy(to, from, n * ad__dtype_size(to_type)); return; }
  for (size_t i = 0; i < n; i++)
    if (to_type == AD_F32) ((float *)to)[i] = (float)((const double *)from)[i]; else ((double *)to)[i] = (double)((const float *)from)[i];
}
/* Pointers to count variables in flat data; those of another type lie in *copies, converted where they are read. back: convert to data. */
AD_LOCAL void ad__flat_bind(const ad__flat *q, const uint32_t *step, size_t count, const void *data, bool reads, void **at, char **copies, bool back) {
  char *next = (char *)(uintptr_t)data;
  for (size_t k = 0; k < count; k++) {
    const ad__graph_step *s = &q->f->graph->step[step[k]];
    const ad_dtype type = (ad_dtype)ad__step_type(s);
    const size_t size = ad__step_size(s);
    if (!data) { at[k] = NULL; continue; }
    if (type == q->dtype) { if (!back) at[k] = next; }
    else if (back) ad__convert(size, q->dtype, next, type, at[k]);
    else {
      at[k] = *copies;
      *copies += ad__copy_bytes(s, q->dtype, true);
      if (reads) ad__convert(size, type, at[k], q->dtype, next);
    }
    next += size * ad__dtype_size(q->dtype);
  }
}
/* one run of a plan: x, w, dx are read, y and result written; NULL where the plan has none or it is not wanted */
AD_LOCAL ad_status ad__flat_run(const ad__flat *q, char *space, const void *x, const void *w, const void *dx, void *y, void *result) {
  const ad__graph *g = q->f->graph;
  const size_t n = q->f->n, m = q->f->m;
  const bool curvature = q->run != q->f && w;
  void **in = (void **)(void *)(space + q->plan), **out = in + 2 * n + m;
  char *copies = space + q->plan + q->pointers;
  ad_function_step_arguments s;
  memset(&s, 0, sizeof s);
  s.x = (const void *const *)in; s.workspace = space;
  ad__flat_bind(q, g->input, n, x, true, in, &copies, false);
  if (w) { ad__flat_bind(q, g->output, m, w, true, in + n, &copies, false); if (q->adjoints) s.w = (const void *const *)(in + n); }
  if (dx) ad__flat_bind(q, g->input, n, dx, true, in + n + (curvature ? m : 0), &copies, false);
  const uint32_t *results = q->adjoints || curvature ? g->input : g->output;
  const size_t count = q->adjoints || curvature ? n : m;
  void **last = out + (curvature ? 0 : m);
  if (!curvature) { ad__flat_bind(q, g->output, m, y, false, out, &copies, false); s.y = out; }
  ad__flat_bind(q, results, count, result, false, last, &copies, false);
  if (curvature) s.y = out; else if (q->adjoints) s.gx = last;
  const ad_status status = ad__graph_run(q->run, &s, q->adjoints);
  if (!curvature) ad__flat_bind(q, g->output, m, y, false, out, &copies, true);
  ad__flat_bind(q, results, count, result, false, last, &copies, true);
  return status;
}
AD_LOCAL void ad__put(ad_dtype dtype, void *array, size_t i, double v) { if (dtype == AD_F32) ((float *)array)[i] = (float)v; else ((double *)array)[i] = v; }
AD_LOCAL double ad__at(ad_dtype dtype, const void *array, size_t i) { return dtype == AD_F32 ? (double)((const float *)array)[i] : ((const double *)array)[i]; }

/* one point: x, w, dx, y and result are those of the point */
AD_LOCAL ad_status ad__flat_point(const ad__flat *q, ad_function_kind kind, char *space, const char *x, const void *w, const void *dx, char *y, char *result) {
  const size_t n = q->f->graph->n, m = q->f->graph->m, size = ad__dtype_size(q->dtype);
  char *unit = space + q->plan + q->pointers + q->copies, *row = unit + m * size;
  bool strayed = false;
  if (kind == AD_FUNCTION_VALUE) return ad__flat_run(q, space, x, NULL, NULL, y, NULL);
  if (kind == AD_FUNCTION_VJP || kind == AD_FUNCTION_HESSIAN_VECTOR) return ad__flat_run(q, space, x, w, dx, kind == AD_FUNCTION_VJP ? y : NULL, result);
  if (kind == AD_FUNCTION_JVP && !q->adjoints) return ad__flat_run(q, space, x, NULL, dx, y, result);
  const size_t rows = kind == AD_FUNCTION_HESSIAN ? n : m;
  memset(unit, 0, rows * size);
  for (size_t i = 0; i < rows; i++) {
    char *to = kind == AD_FUNCTION_JVP ? row : result + i * n * size;
    ad__put(q->dtype, unit, i, 1);
    const ad_status status = kind == AD_FUNCTION_HESSIAN ? ad__flat_run(q, space, x, w, unit, NULL, to) : ad__flat_run(q, space, x, unit, NULL, i == 0 ? y : NULL, to);
    ad__put(q->dtype, unit, i, 0);
    if (status != AD_OK && status != AD_ERROR_BRANCH) return status;
    strayed = strayed || status == AD_ERROR_BRANCH;
    if (kind != AD_FUNCTION_JVP) continue;
    double sum = 0;
    for (size_t k = 0; k < n; k++) if (ad__at(q->dtype, dx, k) != 0 && ad__at(q->dtype, row, k) != 0) sum += ad__at(q->dtype, row, k) * ad__at(q->dtype, dx, k);
    ad__put(q->dtype, result, i, sum);
  }
  return strayed ? AD_ERROR_BRANCH : AD_OK;
}

AD_LOCAL ad_status ad__graph_prepare(const ad_function *f, ad_function_kind kind, size_t *bytes) {
  ad__flat q;
  const ad_status status = f->graph->labels && kind != AD_FUNCTION_VALUE && kind != AD_FUNCTION_VJP ? AD_ERROR_DTYPE : ad__flat_plan(f, kind, AD_I32, false, &q);
  if (status == AD_OK && bytes) *bytes = q.bytes;
  return status;
}

AD_LOCAL void ad__graph_describe(const ad_function *f, ad_function_info *info) {
  info->nodes = f->graph->count;
  for (int k = 0; k < 2; k++) {
    const ad__plan *p = (const ad__plan *)ad__published(&f->graph->plan[k]);
    const int kind = k ? AD_FUNCTION_VJP : AD_FUNCTION_VALUE;
    if (p) { info->instructions[kind] = p->count; info->slots[kind] = p->buffers; }
  }
}

AD_LOCAL ad_status ad__graph_apply(const ad_function *f, ad_function_kind kind, size_t count, const ad_function_arguments *a) {
  static const double one64 = 1;
  static const float one32 = 1;
  char *own = NULL, *space = (char *)a->workspace;
  ad__flat q;
  ad_status status = ad__arguments_status(f, kind, a, count);
  if (status != AD_OK || count == 0) return status;
  const ad__graph *g = f->graph;
  if (g->labels) return AD_ERROR_DTYPE;
  for (size_t k = 0; k < (size_t)f->n + f->m && space; k++) {
    const ad__graph_step *s = &g->step[k < f->n ? g->input[k] : g->output[k - f->n]];
    if (s->rank > 0 && ad__step_type(s) != (int)a->dtype) return AD_ERROR_DTYPE;
  }
  status = ad__flat_plan(f, kind, a->dtype, !space, &q);
  if (status != AD_OK) return status;
  if (!space) {
    own = ad__spare_take(f, q.bytes);
    if (!own) return AD_ERROR_MEMORY;
    space = ad__spare_room(own);
  }
  const size_t size = ad__dtype_size(a->dtype), results = ad__result_size(f, kind);
  bool strayed = false;
  for (size_t i = 0; i < count && status == AD_OK; i++) {
    const char *x = (const char *)a->x + i * g->n * size, *dx = ad__kind_has_dx(kind) ? (const char *)a->dx + i * g->n * size : NULL;
    const void *w = !ad__kind_has_w(kind) ? NULL : a->w ? (const char *)a->w + i * g->m * size : a->dtype == AD_F32 ? (const void *)&one32 : (const void *)&one64;
    status = ad__flat_point(&q, kind, space, x, w, dx, a->y ? (char *)a->y + i * g->m * size : NULL, a->result ? (char *)a->result + i * results * size : NULL);
    if (a->branch) a->branch[i] = status == AD_ERROR_BRANCH;
    strayed = strayed || status == AD_ERROR_BRANCH;
    if (status == AD_ERROR_BRANCH) status = AD_OK;
  }
  ad__spare_put(f, own);
  return status == AD_OK && strayed ? AD_ERROR_BRANCH : status;
}

/* a function of scalars through pointers */
AD_LOCAL ad_status ad__run_scalars(const ad_function *f, const void *const *x, const void *const *w, void *const *y, void *const *gx) {
  enum { STACK = 256 };
  size_t n = f->n, m = f->m;
  double here[STACK], *a = 2 * (n + m) <= STACK ? here : (double *)ad__array(2 * (n + m), sizeof *a);
  if (!a) return AD_ERROR_MEMORY;
  double *value = a + n, *weight = value + m, *gradient = weight + m;
  memset(a, 0, 2 * (n + m) * sizeof *a);
  ad_status status = AD_OK;
  for (size_t k = 0; k < n; k++) { if (x[k]) memcpy(&a[k], x[k], sizeof *a); else status = AD_ERROR_ARGUMENT; }
  for (size_t j = 0; w && j < m; j++) { weight[j] = 0; if (w[j]) memcpy(&weight[j], w[j], sizeof *a); }
  if (status == AD_OK) status = w ? ad_function_vjp(f, a, weight, value, gradient) : ad_function_evaluate(f, a, value);
  bool done = status == AD_OK || status == AD_ERROR_BRANCH;
  for (size_t j = 0; done && y && j < m; j++) if (y[j]) memcpy(y[j], &value[j], sizeof *a);
  for (size_t k = 0; done && gx && k < n; k++) { if (gx[k]) memset(gx[k], 0, sizeof *a); }       /* of parameters */
  for (size_t k = 0; done && gx && k < f->d; k++) {
    size_t to = f->place ? f->place[k] : k;
    if (gx[to]) memcpy(gx[to], &gradient[k], sizeof *a);
  }
  if (a != here) AD_FREE(a);
  return status;
}

AD_LOCAL ad_status ad__step_scalars(const ad_function *f, const ad_function_step_arguments *s) {
  static const double one = 1;
  const size_t n = f->n;
  const void *w[1];
  enum { STACK = 128 };
  double here[STACK], *g = n <= STACK ? here : (double *)ad__array(n, sizeof *g);
  void *there[STACK], **gx = n <= STACK ? there : (void **)ad__array(n, sizeof *gx);
  ad_status status = AD_ERROR_MEMORY;
  w[0] = &one;
  if (g && gx) {
    memset(gx, 0, n * sizeof *gx);
    for (size_t k = 0; k < n; k++) gx[k] = &g[k];
    status = ad__run_scalars(f, s->x, s->w ? s->w : w, s->y, gx);
    for (size_t k = 0; k < n && (status == AD_OK || status == AD_ERROR_BRANCH); k++) {
      if (s->gx && s->gx[k]) memcpy(s->gx[k], &g[k], sizeof *g);
      if (status == AD_OK && f->used[k] && s->theta && s->theta[k]) ad_f64_sgd(1, (double *)s->theta[k], &g[k], s->velocity ? (double *)s->velocity[k] : NULL, s->rate, s->momentum, s->decay);
    }
  }
  if (g != here) AD_FREE(g);
  if (gx != there) AD_FREE(gx);
  return status;
}
AD_API ad_status ad_function_step(const ad_function *f, const ad_function_step_arguments *s) {
  if (!f || !s || !s->x || (!s->w && f->m != 1) || ((uintptr_t)s->workspace & 63)) return AD_ERROR_ARGUMENT;
  if (f->graph) {
    const ad__graph *g = f->graph;
    const ad__graph_step *y = &g->step[g->output[0]];
    if (!s->w && (y->rank > 0 || (y->rank == 0 && y->dtype == AD_I32))) return AD_ERROR_ARGUMENT;
    return ad__graph_run(f, s, true);
  }
  return ad__step_scalars(f, s);
}
AD_API ad_status ad_function_run(const ad_function *f, const void *const *x, void *const *y) {
  ad_function_step_arguments s;
  if (!f || !x || !y) return AD_ERROR_ARGUMENT;
  memset(&s, 0, sizeof s);
  s.x = x; s.y = y;
  return f->graph ? ad__graph_run(f, &s, false) : ad__run_scalars(f, x, NULL, y, NULL);
}
AD_API ad_status ad_function_run_vjp(const ad_function *f, const void *const *x, const void *const *w, void *const *y, void *const *gx) {
  ad_function_step_arguments s;
  if (!f || !x || !w || !gx) return AD_ERROR_ARGUMENT;
  memset(&s, 0, sizeof s);
  s.x = x; s.w = w; s.y = y; s.gx = gx;
  return f->graph ? ad__graph_run(f, &s, true) : ad__run_scalars(f, x, w, y, gx);
}

/* --- C output */

AD_LOCAL void ad__write_number(double k, FILE *file) {
  if (k != k) fputs("NAN", file);
  else if (isinf(k)) fputs(k < 0 ? "-INFINITY" : "INFINITY", file);
  else if (k == floor(k) && fabs(k) < 1e6 && !(k == 0 && signbit(k))) fprintf(file, "%.1f", k);
  else fprintf(file, "%a", k);
}
/* operand in a slot: a constant, or the variable that was last put there */
AD_LOCAL void ad__write_operand(const ad__program *p, const uint32_t *name, uint32_t slot, const char *N, FILE *file) {
  if (slot >= p->n_constants) { fprintf(file, "t%u", (unsigned)name[slot]); return; }
  fprintf(file, "%s_k(", N);
  ad__write_number(p->constant[slot], file);
  fputc(')', file);
}
/* What is written of one program. Results are put down where they are computed: head[t] begins the list (next) of those that are known after
   t statements. Over lanes they are columns, and eight of them are turned and stored as soon as the last one is known (left: how many are
   not, of each eight): what waits would lie in memory, and stores of registers are what such code runs into first.

   Zero seeds (R6) cost a mask each. Over lanes the products are first made without: where a mask would have mattered 0 meets a number that is
   not finite, and what comes of it reaches a result if sums and products are all that follows (which: ad__write_tainted), so that finite
   results are right but for the sign of a zero, which an added 0 makes that of +0. Otherwise these points are done again with masks. */
typedef struct ad__written {
  const ad_function *f; const ad__program *p;
  uint32_t *name, *head, *next, *left;
  unsigned char *tainted;                    /* by slot: a zero seed may have been multiplied to make this */
  bool lanes, free;                          /* free: without masks */
  const char *function;
  FILE *file;
} ad__written;

/* a call of a custom operation: its results are an array */
static const char *const ad__way_names[AD__CALLS] = { "value", "vjp", "jvp", "", "" };
AD_LOCAL void ad__write_custom(const ad__written *w, const ad__ins *s, uint32_t result, const char *N) {
  const ad__program *p = w->p;
  const ad_custom *op = p->callees->item[s->a / AD__CALLS].op;
  const uint32_t m = ad__call_outputs(p->callees, s->a);
  const ad__term *term = (const ad__term *)p->term + s->b;
  fprintf(w->file, "  %s t%u[%u];\n  %s_%s_%s_%s((const %s[]){ ", N, (unsigned)result, (unsigned)m, w->function, op->name, ad__way_names[s->a % AD__CALLS], N, N);
  for (uint32_t k = 0; k < s->c; k++) { if (k) fputs(", ", w->file); ad__write_operand(p, w->name, term[k].x, N, w->file); }
  fprintf(w->file, " }, t%u);\n", (unsigned)result);
  for (uint32_t j = 0; j < m; j++) w->name[s->d + j] = result;
}
/* one statement; formulas: letters a b c stand for operands, N_ for the system */
AD_LOCAL void ad__write_statement(const ad__written *w, const ad__ins *s, uint32_t result, const char *N) {
  static const char *const formula[AD__IR_END - AD__IR_SEED] = {
    "@seed(a, b)", "@only(@and(@ne(a, @k(0)), @ne(b, @k(0))), @mul(a, b))",
    "@lt(a, b)", "@le(a, b)", "@eq(a, b)", "@ne(a, b)", "@and(a, b)", "@or(a, b)", "@not(a)", "@select(a, b, c)", "@only(a, b)",
    "@number(a, b)", "@fnma(a, b, c)", "@add(c, @mul(a, b))", "@sub(@mul(a, b), c)", "@sub(c, @mul(a, b))",
    "@add(c, @seed(a, b))", "@sub(c, @seed(a, b))",
    "@add(c, @only(@and(@ne(a, @k(0)), @ne(b, @k(0))), @mul(a, b)))", "@sub(c, @only(@and(@ne(a, @k(0)), @ne(b, @k(0))), @mul(a, b)))", "" };
  static const char *const row[4] = { "", "(a)", "(a, b)", "(a, b, c)" };
  bool mask = s->op >= AD__IR_LT && s->op <= AD__IR_NOT;
  if (s->op == AD__IR_CALL) { ad__write_custom(w, s, result, N); return; }
  if (s->op == AD__IR_RESULT) {
    fprintf(w->file, "  const %s t%u = t%u[%u];\n", N, (unsigned)result, (unsigned)w->name[s->a], (unsigned)s->c);
    w->name[s->d] = result;
    return;
  }
  fprintf(w->file, "  const %s%s t%u = ", N, mask ? "_mask" : "", (unsigned)result);
  const char *text = s->op < AD_OP_COUNT_ ? row[ad_ops[s->op].arity] : formula[s->op - AD__IR_SEED];
  if (s->op < AD_OP_COUNT_) fprintf(w->file, "%s_%s", N, ad_ops[s->op].name);
  if (w->free && ad__is_masked(s->op)) text = s->op <= AD__IR_ALONG ? "@mul(a, b)" : formula[(s->op - AD__IR_SEEDADD) % 2 ? AD__IR_NMULADD - AD__IR_SEED : AD__IR_MULADD - AD__IR_SEED];
  for (const char *q = text; *q; q++) {
    bool word = q > text && ((q[-1] >= 'a' && q[-1] <= 'z') || q[-1] == '@');      /* letters of a name */
    bool alone = *q >= 'a' && *q <= 'c' && !word && !(q[1] >= 'a' && q[1] <= 'z');
    if (*q == '@') fprintf(w->file, "%s_", N);
    else if (alone) ad__write_operand(w->p, w->name, *q == 'a' ? s->a : *q == 'b' ? s->b : s->c, N, w->file);
    else fputc(*q, w->file);
  }
  fputs(";\n", w->file);
  w->name[s->d] = result;
}
/* Fills tainted; true: there are masks, and what a zero seed may have been multiplied for goes through sums and products into derivatives only.
   Otherwise nothing is tainted: it is all done with masks. */
AD_LOCAL bool ad__write_tainted(ad__written *w) {
  const ad__program *p = w->p;
  bool linear = true, any = false;
  for (uint32_t s = 0; s < p->n_slots; s++) w->tainted[s] = 0;
  for (uint32_t t = 0; t < p->n_ins; t++) {
    const ad__ins *s = &p->ins[t];
    if (s->op == AD__IR_CALL) {
      const ad__term *term = (const ad__term *)p->term + s->b;
      for (uint32_t k = 0; k < s->c; k++) linear = linear && !w->tainted[term[k].x];
      for (uint32_t k = ad__call_outputs(p->callees, s->a); k-- > 0;) w->tainted[s->d + k] = 0;
      continue;
    }
    const int arity = s->op == AD__IR_RESULT ? 1 : ad__node_arity(s->op);
    const bool taint = w->tainted[s->a] || (arity > 1 && w->tainted[s->b]) || (arity > 2 && w->tainted[s->c]), masked = ad__is_masked(s->op);
    const bool passes = masked || s->op == AD_OP_add || s->op == AD_OP_sub || s->op == AD_OP_mul || s->op == AD_OP_neg || s->op == AD__IR_ONLY ||
                        s->op == AD__IR_MULADD || s->op == AD__IR_MULSUB || s->op == AD__IR_NMULADD;
    linear = linear && (passes || !taint);
    any = any || masked;
    w->tainted[s->d] = taint || masked;
  }
  for (uint32_t j = 0; j < w->f->m; j++) linear = linear && !w->tainted[p->out[j]];
  if (!linear) memset(w->tainted, 0, p->n_slots);
  return linear && any;
}

/* the eights of width columns: the last one overlaps the one before */
AD_LOCAL uint32_t ad__eight_first(uint32_t k, uint32_t width) { return width < 8 ? 0 : 8 * k + 8 > width ? width - 8 : 8 * k; }
AD_LOCAL void ad__write_eight(const char *word, const char *to, const char *from, uint32_t k, uint32_t width, bool load, FILE *file) {
  const unsigned j = ad__eight_first(k, width), w = width, columns = w < 8 ? w : 8;
  if (load) fprintf(file, "  %s(%s + %u, %s + %u, %u, %u);\n", word, to, j, from, j, w, columns);
  else fprintf(file, "  %s(%s + %u, %u, %s + %u, %u);\n", word, to, j, w, from, j, columns);
}
AD_LOCAL void ad__write_results(const ad__written *w, uint32_t statements, const char *N) {
  const uint32_t m = w->f->m, results = w->p->n_out - m - (w->f->ok != AD__NONE);
  for (uint32_t o = w->head[statements]; o != AD__NONE; o = w->next[o]) {
    const bool is_y = o < m;
    const uint32_t j = is_y ? o : o - m, width = is_y ? m : results, eights = (width + 7) / 8;
    const char *array = is_y ? "y" : "jacobian", *columns = is_y ? "b" : "c";
    const bool tainted = w->tainted[w->p->out[o]];
    fprintf(w->file, "  %s[%u] = ", w->lanes ? columns : array, (unsigned)j);
    if (tainted) fprintf(w->file, "%s_add(", N);
    ad__write_operand(w->p, w->name, w->p->out[o], N, w->file);
    if (tainted) fprintf(w->file, ", %s_k(0))", N);
    fputs(";\n", w->file);
    if (tainted && w->free) fprintf(w->file, "  sum = ad_v64_add(sum, c[%u]);\n", (unsigned)j);
    for (uint32_t k = j / 8; w->lanes && k < eights && j >= ad__eight_first(k, width); k = k + 1 < eights && j >= width - 8 ? eights - 1 : eights)
      if (--w->left[(is_y ? 0 : (m + 7) / 8) + k] == 0) ad__write_eight("ad_v64_store_columns", array, columns, k, width, false, w->file);
  }
}
/* the body of one kind: from x to y and jacobian, and the variable astray */
AD_LOCAL void ad__write_body(const ad__written *w) {
  const ad__program *p = w->p;
  const char *N = w->lanes ? "ad_v64" : "ad_f64";
  const uint32_t m = w->f->m, results = p->n_out - m - (w->f->ok != AD__NONE), n = p->n_in, eights = (n + 7) / 8;
  uint32_t next = 0, *at = w->name;
  for (uint32_t s = 0; s < p->n_slots; s++) at[s] = 0;
  for (uint32_t t = 0; t < p->n_ins; t++) at[p->ins[t].d] = t + 1;
  for (uint32_t t = 0; t <= p->n_ins; t++) w->head[t] = AD__NONE;
  for (uint32_t o = m + results; o-- > 0;) { uint32_t *head = &w->head[at[p->out[o]]]; w->next[o] = *head; *head = o; }
  for (uint32_t k = 0; k < (m + 7) / 8; k++) w->left[k] = m < 8 ? m : 8;
  for (uint32_t k = 0; k < (results + 7) / 8; k++) w->left[(m + 7) / 8 + k] = results < 8 ? results : 8;
  if (w->lanes) {
    fprintf(w->file, "  ad_v64 a[%u], b[%u];\n", (unsigned)n, (unsigned)m);
    if (results) fprintf(w->file, "  ad_v64 c[%u];\n", (unsigned)results);
    if (w->free) fputs("  ad_v64 sum = ad_v64_k(0);\n", w->file);
    for (uint32_t k = eights; k-- > 0;) ad__write_eight("ad_v64_load_columns", "a", "x", k, n, true, w->file);
  }
  for (uint32_t k = 0; k < n; k++)
    if (p->in[k] != AD__NONE) { fprintf(w->file, "  const %s t%u = %s[%u];\n", N, (unsigned)next, w->lanes ? "a" : "x", (unsigned)k); w->name[p->in[k]] = next++; }
  ad__write_results(w, 0, N);
  for (uint32_t t = 0; t < p->n_ins; t++) {
    ad__write_statement(w, &p->ins[t], next++, N);
    ad__write_results(w, t + 1, N);
  }
  if (w->f->ok != AD__NONE) fprintf(w->file, "  *astray = %s_not(t%u);\n", N, (unsigned)w->name[p->out[p->n_out - 1]]);
  if (w->free) fputs("  return ad_v64_all(ad_v64_eq(ad_v64_sub(sum, sum), ad_v64_k(0)));\n", w->file);
}
AD_LOCAL void ad__write_call(const ad__written *w, const char *more, const char *x, const char *y, const char *jacobian) {
  for (int masked = 0; masked < 1 + w->free; masked++) {
    if (masked || !w->free) fprintf(w->file, "    %s%s_ad_v64(%s, %s", w->function, more, x, y);
    else fprintf(w->file, "    if (!%s%s_free_ad_v64(%s, %s", w->function, more, x, y);
    if (*more) fprintf(w->file, ", %s", jacobian);
    if (w->f->ok != AD__NONE) fputs(", &astray", w->file);
    fputs(masked || !w->free ? ");\n" : "))\n  ", w->file);
  }
  if (w->f->ok != AD__NONE) fputs("    ad_v64_store(bad, ad_v64_only(astray, ad_v64_k(1)));\n", w->file);
}
/* the function over count points: a last register that is not full is one of copies */
AD_LOCAL void ad__write_many(const ad__written *w, const char *more, const char *arguments) {
  const char *function = w->function;
  const unsigned n = w->f->n, m = w->f->m, results = *more ? w->f->d * w->f->m : 0;
  const bool guards = w->f->ok != AD__NONE;
  FILE *file = w->file;
  char x[32], y[32], jacobian[48];
  (void)snprintf(x, sizeof x, "x + i * %u", n); (void)snprintf(y, sizeof y, "y + i * %u", m); (void)snprintf(jacobian, sizeof jacobian, "jacobian + i * %u", results);
  fprintf(file, "\nsize_t %s%s_many(size_t count, %s);\nsize_t %s%s_many(size_t count, %s) {\n  size_t i = 0, strayed = 0;\n", function, more, arguments, function, more, arguments);
  if (guards) fputs("  ad_v64_mask astray;\n  double bad[AD_V64_LANES];\n", file);
  fputs("  for (; i + AD_V64_LANES <= count; i += AD_V64_LANES) {\n", file);
  ad__write_call(w, more, x, y, jacobian);
  if (guards) fputs("    for (size_t k = 0; k < AD_V64_LANES; k++) strayed += bad[k] != 0;\n", file);
  fputs("  }\n  if (i < count) {\n", file);
  fprintf(file, "    double a[AD_V64_LANES * %u], b[AD_V64_LANES * %u]%s", n, m, results ? "" : ";\n");
  if (results) fprintf(file, ", c[AD_V64_LANES * %u];\n", results);
  fprintf(file, "    for (size_t k = 0; k < AD_V64_LANES; k++) memcpy(a + k * %u, x + (i + k < count ? i + k : i) * %u, %u * sizeof *a);\n", n, n, n);
  ad__write_call(w, more, "a", "b", "c");
  fprintf(file, "    memcpy(%s, b, (count - i) * %u * sizeof *b);\n", y, m);
  if (results) fprintf(file, "    memcpy(%s, c, (count - i) * %u * sizeof *c);\n", jacobian, results);
  if (guards) fputs("    for (size_t k = 0; k < count - i; k++) strayed += bad[k] != 0;\n", file);
  fputs("  }\n  return strayed;\n}\n", file);
}
AD_LOCAL void ad__write_kind(ad__written *w, bool jacobian) {
  const ad_function *f = w->f;
  const char *function = w->function;
  const char *more = jacobian ? "_jacobian" : "", *arguments = jacobian ? "const double *x, double *y, double *jacobian" : "const double *x, double *y";
  const bool linear = ad__write_tainted(w);
  for (int form = 0; form < 2 + linear; form++) {            /* one point, a register of points, that without masks */
    const char *N = form ? "ad_v64" : "ad_f64";
    w->lanes = form > 0; w->free = form > 1;
    fprintf(w->file, w->free ? "\n/* the same without masks for zero seeds; false: not all results are finite */\n" : w->lanes ? "\n/* as many points as a register has lanes */\n" : "\n");
    fprintf(w->file, "static %s %s%s_%s%s(%s", w->free ? "bool" : w->lanes ? "void" : "inline void", function, more, w->free ? "free_" : "", N, arguments);
    if (f->ok != AD__NONE) fprintf(w->file, ", %s_mask *astray", N);
    fputs(") {\n  (void)x;\n", w->file);
    ad__write_body(w);
    fputs("}\n", w->file);
  }
  fprintf(w->file, "\nsize_t %s%s(%s);\nsize_t %s%s(%s) {\n  bool astray = false;\n  %s%s_ad_f64(x, y%s%s);\n  return astray;\n}\n",
          function, more, arguments, function, more, arguments, function, more, jacobian ? ", jacobian" : "", f->ok != AD__NONE ? ", &astray" : "");
  ad__write_many(w, more, arguments);
}

AD_LOCAL bool ad__is_identifier(const char *name) {
  if (!name || !((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || *name == '_')) return false;
  for (; *name; name++)
    if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9') || *name == '_')) return false;
  return true;
}

/* A name that C leaves free and that is not one of the written file's own words: those begin with ad_ or are of the function. */
AD_LOCAL bool ad__is_free_name(const char *name) {
  static const char *const taken[] = { "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float",
    "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
    "union", "unsigned", "void", "volatile", "while", "asm", "typeof", "bool", "true", "false", "main" };
  if (!ad__is_identifier(name) || !strncmp(name, "ad_", 3) || !strncmp(name, "AD_", 3) || (name[0] == '_' && (name[1] == '_' || (name[1] >= 'A' && name[1] <= 'Z')))) return false;
  for (size_t k = 0; k < sizeof taken / sizeof *taken; k++) if (!strcmp(name, taken[k])) return false;
  return true;
}
/* the name of an operation: not one that begins with that of the function as all that is written does */
AD_LOCAL bool ad__is_apart_from(const char *name, const char *function) {
  const size_t length = strlen(function);
  return strncmp(name, function, length) || (name[length] && name[length] != '_');
}

/* What of callee number k programs call: bit way. */
AD_LOCAL unsigned ad__ways_of(const ad__program *p, uint32_t k) {
  unsigned ways = 0;
  for (uint32_t t = 0; t < p->n_ins; t++) if (p->ins[t].op == AD__IR_CALL && p->ins[t].a / AD__CALLS == k) ways |= 1u << p->ins[t].a % AD__CALLS;
  return ways;
}
/* Can the calls be written? Each operation needs a free name of its own, and the functions that are called. */
AD_LOCAL ad_status ad__calls_status(const ad_function *f, const char *name, const ad__program *p) {
  for (uint32_t k = 0; f->callees && k < f->callees->count; k++) {
    const ad_custom *op = f->callees->item[k].op;
    const unsigned ways = ad__ways_of(&p[0], k) | ad__ways_of(&p[1], k);
    if ((ways >> AD__CALL_VJP & 1) && !op->vjp) return AD_ERROR_UNSUPPORTED;
    if (ways && (!ad__is_free_name(op->name) || !ad__is_apart_from(op->name, name))) return AD_ERROR_ARGUMENT;
    for (uint32_t l = 0; l < k && ways; l++)
      if ((ad__ways_of(&p[0], l) | ad__ways_of(&p[1], l)) && !strcmp(f->callees->item[l].op->name, op->name)) return AD_ERROR_ARGUMENT;
  }
  return AD_OK;
}
/* One operation: its functions over numbers and lanes. Its own name comes last of all in the file, where it cannot be taken for a variable. */
AD_LOCAL void ad__write_callee(const ad_custom *op, const char *function, unsigned ways, FILE *file) {
  const unsigned n = (unsigned)op->inputs, m = (unsigned)op->outputs;
  if (!ways) return;
  fprintf(file, "\n/* an operation of %u inputs and %u outputs */\nstatic const ad_custom *const %s_%s_op;\n", n, m, function, op->name);
  for (unsigned way = 0; way < 3; way++) {
    const char *of = ad__way_names[way];
    const unsigned in = way == 0 ? n : way == 1 ? n + 2 * m : 2 * n + m, out = way == 1 ? n : m;
    if (!(ways >> way & 1)) continue;
    fprintf(file, "static inline void %s_%s_%s_ad_f64(const ad_f64 *x, ad_f64 *y) {\n", function, op->name, of);
    if (way) {                                               /* the zero seed rule */
      fprintf(file, "  bool zero = true;\n  for (int k = %u; k < %u; k++) zero = zero && x[k] == 0;\n", n + m, in);
      fprintf(file, "  if (zero) {\n    for (int k = 0; k < %u; k++) y[k] = 0;\n  } else if (%s_%s_op->%s(%s_%s_op->context, x, x + %u, x + %u, y) != AD_OK)\n", out, function, op->name, of, function, op->name, n, n + m);
    } else fprintf(file, "  if (%s_%s_op->value(%s_%s_op->context, x, y) != AD_OK)\n", function, op->name, function, op->name);
    fprintf(file, "    for (int k = 0; k < %u; k++) y[k] = (double)NAN;\n}\n", out);
    fprintf(file, "static inline void %s_%s_%s_ad_v64(const ad_v64 *x, ad_v64 *y) {\n", function, op->name, of);
    fprintf(file, "  double in[%u][AD_V64_LANES], out[%u][AD_V64_LANES], a[%u], b[%u];\n", in, out, in, out);
    fprintf(file, "  for (int k = 0; k < %u; k++) ad_v64_store(in[k], x[k]);\n  for (int l = 0; l < AD_V64_LANES; l++) {\n", in);
    fprintf(file, "    for (int k = 0; k < %u; k++) a[k] = in[k][l];\n    %s_%s_%s_ad_f64(a, b);\n", in, function, op->name, of);
    fprintf(file, "    for (int k = 0; k < %u; k++) out[k][l] = b[k];\n  }\n  for (int k = 0; k < %u; k++) y[k] = ad_v64_load(out[k]);\n}\n", out, out);
  }
}

AD_API ad_status ad_function_write_c(const ad_function *f, const char *name, FILE *file) {
  if (f && f->graph) return AD_ERROR_UNSUPPORTED;
  if (!f || !file || !ad__is_free_name(name)) return AD_ERROR_ARGUMENT;
  if (ad__too_large(f, AD_FUNCTION_JACOBIAN)) return AD_ERROR_LIMIT;
  ad__program p[2];                                          /* value, Jacobian */
  ad_status status = AD_OK;
  memset(p, 0, sizeof p);
  for (int jacobian = 0; jacobian < 2 && status == AD_OK; jacobian++)
    if (!ad__compile(f, jacobian ? AD_FUNCTION_JACOBIAN : AD_FUNCTION_VALUE, AD__FOR_C, &p[jacobian])) status = AD_ERROR_MEMORY;
  size_t words = 0;
  for (int k = 0; k < 2; k++) { const size_t n = 2 * (size_t)p[k].n_slots + p[k].n_ins + 2 * (size_t)p[k].n_out + 3; if (n > words) words = n; }
  uint32_t *names = (uint32_t *)ad__array(words, sizeof *names);
  if (!names) status = AD_ERROR_MEMORY;
  if (status == AD_OK) status = ad__calls_status(f, name, p);
  if (status == AD_OK) {
    fprintf(file, "/* %s: %u inputs, %u outputs. Written by ad_function_write_c; needs ad.h and ad_simd.h, -lm and, where <sleef.h> is installed, -lsleef.\n"
                  "   x (%u), y (%u), jacobian (%u, %u), of the _many functions count of each. What returns is the number of points at which a\n"
                  "   comparison goes another way than it was recorded. */\n", name, (unsigned)f->n, (unsigned)f->m, (unsigned)f->n, (unsigned)f->m, (unsigned)f->m, (unsigned)f->d);
    fputs("#include <string.h>\n#include \"ad_simd.h\"\n#include \"ad.h\"\n", file);
    for (uint32_t k = 0; f->callees && k < f->callees->count; k++) ad__write_callee(f->callees->item[k].op, name, ad__ways_of(&p[0], k) | ad__ways_of(&p[1], k), file);
    for (int jacobian = 0; jacobian < 2; jacobian++) {
      ad__written w;
      w.f = f; w.p = &p[jacobian]; w.function = name; w.file = file; w.lanes = w.free = false;
      w.name = names; w.head = w.name + w.p->n_slots; w.next = w.head + w.p->n_ins + 1; w.left = w.next + w.p->n_out;
      w.tainted = (unsigned char *)(w.left + w.p->n_out + 2);
      ad__write_kind(&w, jacobian != 0);
    }
    for (uint32_t k = 0; f->callees && k < f->callees->count; k++) {
      const char *own = f->callees->item[k].op->name;
      if (ad__ways_of(&p[0], k) | ad__ways_of(&p[1], k))
        fprintf(file, "\n/* the program defines it */\nextern const ad_custom %s;\nstatic const ad_custom *const %s_%s_op = &%s;\n", own, name, own, own);
    }
    if (fflush(file) || ferror(file)) status = AD_ERROR_ARGUMENT;
  }
  ad__program_free(&p[0]);
  ad__program_free(&p[1]);
  AD_FREE(names);
  return status;
}

/* >>sparse -------------------------------------------------------------------------------------------------------------- */

/* one growing list of the columns of all rows */
typedef struct ad__pattern { size_t *row, *column, capacity; } ad__pattern;

AD_LOCAL bool ad__pattern_add(ad__pattern *p, size_t at, size_t column) {
  if (at == p->capacity) {
    size_t capacity = p->capacity ? 2 * p->capacity : 256, *grown = (size_t *)ad__array(capacity, sizeof *grown);
    if (!grown) return false;
    if (at) memcpy(grown, p->column, at * sizeof *grown);
    AD_FREE(p->column);
    p->column = grown; p->capacity = capacity;
  }
  p->column[at] = column;
  return true;
}
AD_LOCAL int ad__size_order(const void *a, const void *b) {
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return x < y ? -1 : x > y;
}
/* which of the inputs 0 .. n-1 reach each of the nodes y, by a walk from each */
AD_LOCAL bool ad__pattern_walk(const ad__ir *ir, const uint32_t *y, size_t m, uint32_t n, ad__pattern *p) {
  uint32_t *seen = (uint32_t *)ad__array(ir->n, sizeof *seen), *stack = (uint32_t *)ad__array(3 * (size_t)ir->n + 1, sizeof *stack);
  size_t count = 0;
  bool ok = seen && stack;
  if (ok) memset(seen, 0, ir->n * sizeof *seen);
  for (size_t j = 0; j < m && ok; j++) {
    size_t depth = 0;
    p->row[j] = count;
    stack[depth++] = y[j];
    while (depth && ok) {
      uint32_t i = stack[--depth];
      if (seen[i] == j + 1) continue;
      seen[i] = (uint32_t)j + 1;
      const ad__node *q = &ir->node[i];
      if (q->op == AD__IR_INPUT) { if (q->a < n) ok = ad__pattern_add(p, count++, q->a); continue; }
      if (q->op >= AD__IR_LT && q->op <= AD__IR_NOT) continue;
      for (int k = q->op == AD__IR_SELECT || q->op == AD__IR_ONLY; k < ad__node_arity(q->op); k++) stack[depth++] = ad__node_operand(q, k);
    }
    if (ok && count) qsort(p->column + p->row[j], count - p->row[j], sizeof *p->column, ad__size_order);
  }
  p->row[m] = count;
  AD_FREE(seen); AD_FREE(stack);
  return ok;
}

/* (rows, columns) -> (columns, rows) */
AD_LOCAL bool ad__pattern_turn(const size_t *row, const size_t *column, size_t rows, size_t columns, size_t **row_t, size_t **column_t) {
  size_t count = row[rows], *r = (size_t *)ad__array(columns + 2, sizeof *r), *c = (size_t *)ad__array(count, sizeof *c);
  if (!r || !c) { AD_FREE(r); AD_FREE(c); return false; }
  memset(r, 0, (columns + 2) * sizeof *r);
  for (size_t k = 0; k < count; k++) r[column[k] + 2]++;
  for (size_t j = 0; j < columns; j++) r[j + 2] += r[j + 1];
  for (size_t i = 0; i < rows; i++) for (size_t k = row[i]; k < row[i + 1]; k++) c[r[column[k] + 1]++] = i;
  *row_t = r; *column_t = c;
  return true;
}

/* colours such that columns that meet in a row differ; forbidden: columns + 1 numbers of scratch */
AD_LOCAL size_t ad__color_columns(const size_t *row, const size_t *column, const size_t *row_t, const size_t *column_t, size_t columns,
                                  uint32_t *color, size_t *forbidden) {
  size_t colors = 0;
  for (size_t j = 0; j <= columns; j++) forbidden[j] = SIZE_MAX;
  for (size_t j = 0; j < columns; j++) {
    for (size_t a = row_t[j]; a < row_t[j + 1]; a++)
      for (size_t b = row[column_t[a]]; b < row[column_t[a] + 1]; b++)
        if (column[b] < j) forbidden[color[column[b]]] = j;
    uint32_t c = 0;
    while (forbidden[c] == j) c++;
    color[j] = c;
    if (c + 1u > colors) colors = c + 1u;
  }
  return colors;
}
/* star colouring of a symmetric pattern */
AD_LOCAL size_t ad__color_star(const size_t *row, const size_t *column, size_t n, uint32_t *color, size_t *forbidden) {
  size_t colors = 0;
  for (size_t j = 0; j <= n; j++) forbidden[j] = SIZE_MAX;
  for (size_t v = 0; v < n; v++) {
    for (size_t a = row[v]; a < row[v + 1]; a++) {
      size_t w = column[a];
      if (w == v) continue;
      if (w < v) forbidden[color[w]] = v;
      for (size_t b = row[w]; b < row[w + 1]; b++) {
        size_t x = column[b];
        if (x >= v || x == w) continue;
        if (w > v) { forbidden[color[x]] = v; continue; }
        for (size_t c = row[x]; c < row[x + 1]; c++)                /* v - w - x - y with the colour of w at y: not the colour of x at v */
          if (column[c] < v && column[c] != w && column[c] != x && color[column[c]] == color[w]) { forbidden[color[x]] = v; break; }
      }
    }
    uint32_t c = 0;
    while (forbidden[c] == v) c++;
    color[v] = c;
    if (c + 1u > colors) colors = c + 1u;
  }
  return colors;
}

AD_API void ad_sparse_destroy(ad_sparse *s) {
  if (!s) return;
  AD_FREE(s->row); AD_FREE(s->column); AD_FREE(s->color); AD_FREE(s);
}

/* colours of s from its pattern */
AD_LOCAL bool ad__sparse_color(ad_sparse *s) {
  size_t larger = s->rows > s->columns ? s->rows : s->columns, *row_t = NULL, *column_t = NULL;
  size_t *forbidden = (size_t *)ad__array(larger + 1, sizeof *forbidden);
  uint32_t *other = (uint32_t *)ad__array(larger, sizeof *other);
  s->color = (uint32_t *)ad__array(larger, sizeof *s->color);
  bool ok = forbidden && other && s->color && ad__pattern_turn(s->row, s->column, s->rows, s->columns, &row_t, &column_t);
  if (ok && s->kind == AD_FUNCTION_HESSIAN) s->colors = ad__color_star(s->row, s->column, s->columns, s->color, forbidden);
  else if (ok) {
    s->colors = ad__color_columns(s->row, s->column, row_t, column_t, s->columns, s->color, forbidden);
    size_t by_rows = ad__color_columns(row_t, column_t, s->row, s->column, s->rows, other, forbidden);
    if (by_rows < s->colors) {
      uint32_t *swap = s->color;
      s->color = other; other = swap;
      s->colors = by_rows; s->by_rows = true;
    }
  }
  AD_FREE(forbidden); AD_FREE(other); AD_FREE(row_t); AD_FREE(column_t);
  return ok;
}

AD_API ad_sparse *ad_sparse_create(const ad_function *f, ad_function_kind kind) {
  if (!f || f->graph || (kind != AD_FUNCTION_JACOBIAN && kind != AD_FUNCTION_HESSIAN)) return NULL;
  size_t rows = kind == AD_FUNCTION_HESSIAN ? f->d : f->m;
  ad_sparse *s = (ad_sparse *)ad__array(1, sizeof *s);
  if (!s) return NULL;
  memset(s, 0, sizeof *s);
  s->function = f; s->kind = kind; s->rows = rows; s->columns = f->d;
  ad__pattern p;
  memset(&p, 0, sizeof p);
  p.row = (size_t *)ad__array(rows + 1, sizeof *p.row);
  bool ok = p.row != NULL;
  if (ok && kind == AD_FUNCTION_JACOBIAN) ok = ad__pattern_walk(&f->ir, f->y, rows, f->d, &p);
  else if (ok) {
    uint32_t outs = 0, *out = (uint32_t *)ad__array((size_t)f->m + f->d + 1, sizeof *out);
    ad__ir ir;
    memset(&ir, 0, sizeof ir);
    ok = out && ad__build(f, AD_FUNCTION_VJP, 0, false, &ir, out, &outs) != UINT64_MAX && ad__pattern_walk(&ir, out + f->m, rows, f->d, &p);
    ad__ir_free(&ir);
    AD_FREE(out);
  }
  s->row = p.row; s->column = p.column;
  if (!ok || !ad__sparse_color(s)) { ad_sparse_destroy(s); return NULL; }
  s->nonzeros = s->row[rows];
  return s;
}

/* compressed (colors, width): the sum over each colour of the columns (rows) of the matrix */
AD_LOCAL void ad__sparse_recover(const ad_sparse *s, const double *compressed, size_t *count, double *values) {
  size_t width = s->by_rows ? s->columns : s->rows;
  for (size_t i = 0; i < s->rows; i++) {
    bool star = s->kind == AD_FUNCTION_HESSIAN;
    for (size_t k = s->row[i]; star && k < s->row[i + 1]; k++) count[s->color[s->column[k]]]++;
    for (size_t k = s->row[i]; k < s->row[i + 1]; k++) {
      size_t j = s->column[k];
      if (s->by_rows) values[k] = compressed[s->color[i] * width + j];
      else if (!star || count[s->color[j]] == 1) values[k] = compressed[s->color[j] * width + i];
      else values[k] = compressed[s->color[i] * width + j];          /* another column of that colour is in this row: the mirror image */
    }
    for (size_t k = s->row[i]; star && k < s->row[i + 1]; k++) count[s->color[s->column[k]]] = 0;
  }
}

AD_API ad_status ad_sparse_evaluate(const ad_sparse *s, const double *x, const double *w, double *values) {
  if (!s || !x || !values) return AD_ERROR_ARGUMENT;
  const ad_function *f = s->function;
  if (s->kind == AD_FUNCTION_HESSIAN && !w && f->m != 1) return AD_ERROR_ARGUMENT;
  if (s->nonzeros == 0) return AD_OK;
  ad_function_kind kind = s->kind == AD_FUNCTION_HESSIAN ? AD_FUNCTION_HESSIAN_VECTOR : s->by_rows ? AD_FUNCTION_VJP : AD_FUNCTION_JVP;
  const ad__program *p = ad__function_program(f, kind);
  size_t directions = s->by_rows ? s->rows : s->columns, width = s->by_rows ? s->columns : s->rows;
  ad__mishaps bad = { 0, AD_OK, { 0 } };
  if (!p) return ad__no_program(f, kind);
  if (s->colors > PTRDIFF_MAX / sizeof(double) / (directions + width + 1)) return AD_ERROR_LIMIT;
  const size_t block = ad__block_bytes(p);
  char *own = ad__spare_take(f, block + s->colors * ((directions + width) * sizeof(double) + sizeof(size_t)));
  ad_status status = AD_ERROR_MEMORY;
  if (own) {
    char *slots = ad__spare_room(own);
    double *seed = (double *)(void *)(slots + block), *compressed = seed + s->colors * directions;
    size_t *count = (size_t *)(void *)(compressed + s->colors * width);
    memset(seed, 0, s->colors * directions * sizeof *seed);
    memset(count, 0, s->colors * sizeof *count);
    for (size_t j = 0; j < directions; j++) seed[s->color[j] * directions + j] = 1;
    ad_function_arguments a;
    ad__port in[AD__PORTS], out[AD__PORTS];
    memset(&a, 0, sizeof a);
    a.dtype = AD_F64; a.x = x; a.w = s->by_rows ? seed : w; a.dx = seed; a.result = compressed;
    ad__ports(f, kind, &a, 0, in, out);
    in[0].row = 0;                                                   /* one point, a lane for each colour */
    if (kind == AD_FUNCTION_HESSIAN_VECTOR) in[1].row = 0;
    ad__run_program(p, AD_F64, slots, s->colors, in, out, f->ok != AD__NONE, NULL, &bad);
    ad__sparse_recover(s, compressed, count, values);
    status = ad__mishaps_status(&bad);
  }
  ad__spare_put(f, own);
  return status;
}

/* >>checkpoint ---------------------------------------------------------------------------------------------------------- */

typedef struct ad__loop {
  ad_loop_step *step; ad_loop_reverse *reverse; ad_loop_finish *finish; void *context;
  size_t n, steps, calls;
  double *states, *gradient;         /* states: two for stepping, then the stored ones */
} ad__loop;

/* from state at begin to the one at end, in *at */
AD_LOCAL ad_status ad__loop_advance(ad__loop *l, const double *state, size_t begin, size_t end, const double **at) {
  *at = state;
  for (size_t i = begin; i < end; i++) {
    double *next = *at == l->states ? l->states + l->n : l->states;
    ad_status status = l->step(l->context, i, *at, next);
    l->calls++;
    if (status != AD_OK) return status;
    *at = next;
  }
  return AD_OK;
}
AD_LOCAL ad_status ad__loop_reverse_one(ad__loop *l, const double *state, size_t begin, size_t index) {
  const double *at, *last;
  ad_status status = ad__loop_advance(l, state, begin, index, &at);
  if (status == AD_OK && index + 1 == l->steps) {
    status = ad__loop_advance(l, at, index, index + 1, &last);
    if (status == AD_OK) status = l->finish(l->context, last, l->gradient);
  }
  return status == AD_OK ? l->reverse(l->context, index, at, l->gradient) : status;
}
/* how many of length steps to leave right of the cut with s >= 1 places */
AD_LOCAL size_t ad__loop_right(size_t length, size_t s) {
  /* C(s + r, s) for growing r until it reaches length; right = C(s + r - 1, s - 1) */
  double all = 1, right = 1;
  for (size_t r = 1; all < (double)length; r++) {
    right = all * (double)s / (double)r;               /* C(s + r - 1, s - 1) = C(s + r - 1, s) s / r */
    all += right;                                      /* Pascal: C(s + r, s) */
  }
  return right < (double)(length - 1) ? (size_t)right : length - 1;
}
AD_LOCAL ad_status ad__loop_reverse(ad__loop *l, const double *state, size_t begin, size_t end, size_t used, size_t stored) {
  while (end > begin) {
    ad_status status;
    size_t length = end - begin, places = stored - used;
    if (length == 1 || places == 0) {
      status = ad__loop_reverse_one(l, state, begin, end - 1);
      if (status != AD_OK) return status;
      end--;
      continue;
    }
    size_t middle = end - ad__loop_right(length, places);
    const double *at;
    double *place = l->states + (2 + used) * l->n;
    status = ad__loop_advance(l, state, begin, middle, &at);
    if (status != AD_OK) return status;
    memcpy(place, at, l->n * sizeof *place);
    status = ad__loop_reverse(l, place, middle, end, used + 1, stored);
    if (status != AD_OK) return status;
    end = middle;
  }
  return AD_OK;
}

AD_API ad_status ad_checkpoint(ad_loop_step *step, ad_loop_reverse *reverse, ad_loop_finish *finish, void *context, size_t n, const double *x,
                               size_t steps, size_t stored, double *gradient, size_t *counted) {
  if (counted) *counted = 0;
  if (!step || !reverse || !finish || !x || !gradient || n == 0 || steps == 0 || stored == 0) return AD_ERROR_ARGUMENT;
  if (stored > steps) stored = steps;
  if (n > PTRDIFF_MAX / sizeof(double) / (stored + 2)) return AD_ERROR_LIMIT;
  ad__loop l;
  memset(&l, 0, sizeof l);
  l.step = step; l.reverse = reverse; l.finish = finish; l.context = context; l.n = n; l.steps = steps; l.gradient = gradient;
  l.states = (double *)ad__array((stored + 2) * n, sizeof *l.states);
  if (!l.states) return AD_ERROR_MEMORY;
  ad_status status = ad__loop_reverse(&l, x, 0, steps, 0, stored);
  AD_FREE(l.states);
  if (counted) *counted = l.calls;
  return status;
}

/* >>custom -------------------------------------------------------------------------------------------------------------- */

/* n: the operation, 1 of tensors */
AD_LOCAL const void *ad__custom_of(const ad__tensor *t) { const void *op; memcpy(&op, &t->n[0], sizeof op); return op; }
typedef struct ad__custom_rules { bool vjp, jvp; void (*derive)(void *, const ad_var *, ad_var, ad_var, ad_var *); void *context; const char *name; } ad__custom_rules;
AD_LOCAL ad__custom_rules ad__custom_rules_of(const ad__tensor *t) {
  ad__custom_rules r;
  if (t->n[1]) {
    const ad_custom_tensor *op = (const ad_custom_tensor *)ad__custom_of(t);
    r.vjp = op->vjp != NULL; r.jvp = op->jvp != NULL; r.derive = op->derive; r.context = op->context; r.name = op->name;
  } else {
    const ad_custom *op = (const ad_custom *)ad__custom_of(t);
    r.vjp = op->vjp != NULL; r.jvp = op->jvp != NULL; r.derive = op->derive; r.context = op->context; r.name = op->name;
  }
  return r;
}
AD_LOCAL ad_array ad__custom_array(const ad__strided *x) {
  ad_array a;
  a.type = (ad_dtype)x->dtype; a.rank = x->rank; a.shape = x->shape; a.size = x->size; a.data = x->data;
  return a;
}
AD_LOCAL const char *ad__custom_shape(ad__tensor *t, const ad__strided *const *x) {
  if (t->n[1]) {
    const ad_custom_tensor *op = (const ad_custom_tensor *)ad__custom_of(t);
    ad_array a[AD_CUSTOM_OPERANDS];
    ad_dtype type = (ad_dtype)x[0]->dtype;
    int rank = -1;
    for (uint32_t k = 0; k < t->count; k++) { a[k] = ad__custom_array(x[k]); a[k].data = NULL; }
    const ad_status status = op->shape(op->context, a, &type, &rank, t->a.shape);
    if (status != AD_OK) return t->status = status, "refused by its shape rule";
    if (rank < 0 || rank > AD_MAX_RANK) return t->status = AD_ERROR_ARGUMENT, t->number = rank, "its shape rule gives rank %td";
    if (type != AD_F32 && type != AD_F64) return t->status = AD_ERROR_DTYPE, "its shape rule gives no floating-point type";
    t->a.rank = (uint8_t)rank; t->a.dtype = (uint8_t)type;
  } else {
    const ad_custom *op = (const ad_custom *)ad__custom_of(t);
    if (x[0]->rank != 1 || x[0]->dtype != AD_F64 || x[0]->size != op->inputs) { t->number = (ptrdiff_t)op->inputs; return "needs %td doubles"; }
    t->a.rank = 1; t->a.dtype = AD_F64; t->a.shape[0] = op->outputs;
  }
  return ad__array_layout(&t->a) ? NULL : "overflows";
}
AD_LOCAL void ad__fill(const ad__strided *a, double c) {
  if (!a->data) return;
  if (a->dtype == AD_F32) ad_f32_array_fill(a->size, (float)c, AD__F(a)); else if (a->dtype == AD_F64) ad_f64_array_fill(a->size, c, AD__D(a));
}
AD_LOCAL void ad__custom_forward(ad__tensor *t, const ad__strided *const *x, void *work) {
  ad_array a[AD_CUSTOM_OPERANDS], y = ad__custom_array(&t->a);
  const ad_custom_tensor *op = (const ad_custom_tensor *)ad__custom_of(t);
  const ad_custom *numbers = (const ad_custom *)ad__custom_of(t);
  (void)work;
  for (uint32_t k = 0; k < t->count; k++) a[k] = ad__custom_array(x[k]);
  if ((t->n[1] ? op->value(op->context, a, &y) : numbers->value(numbers->context, (const double *)a[0].data, (double *)y.data)) != AD_OK) ad__fill(&t->a, (double)NAN);
}
/* dy = J dx, NaN where it fails */
AD_LOCAL void ad__custom_tangent(const ad__tensor *t, const ad_array *x, const ad_array *y, const ad_array *dx, const ad__strided *to) {
  const ad_custom_tensor *op = (const ad_custom_tensor *)ad__custom_of(t);
  const ad_custom *numbers = (const ad_custom *)ad__custom_of(t);
  const ad_array dy = ad__custom_array(to);
  if ((t->n[1] ? op->jvp(op->context, x, y, dx, &dy)
       : numbers->jvp(numbers->context, (const double *)x[0].data, (const double *)y->data, (const double *)dx[0].data, (double *)dy.data)) != AD_OK) ad__fill(to, (double)NAN);
}
/* x: the operands, value, its adjoint, where those of the operands go (data NULL: not wanted); work, without vjp: tangents of operands and value */
AD_LOCAL void ad__custom_vjp(ad__tensor *t, const ad__strided *const *x, void *work) {
  const uint32_t n = t->count;
  ad_array a[2 * AD_CUSTOM_OPERANDS + 2], dx[AD_CUSTOM_OPERANDS];
  const ad__custom_rules rules = ad__custom_rules_of(t);
  bool failed = false;
  for (uint32_t k = 0; k < 2 * n + 2; k++) a[k] = ad__custom_array(x[k]);
  if (rules.vjp && t->n[1]) {
    const ad_custom_tensor *op = (const ad_custom_tensor *)ad__custom_of(t);
    failed = op->vjp(op->context, a, &a[n], &a[n + 1], &a[n + 2]) != AD_OK;
  } else if (rules.vjp) {
    const ad_custom *op = (const ad_custom *)ad__custom_of(t);
    failed = op->vjp(op->context, (const double *)a[0].data, (const double *)a[1].data, (const double *)a[2].data, (double *)a[3].data) != AD_OK;
  } else {
    char *at = (char *)work;
    ad__strided dy = *x[n];
    dy.data = at;
    at += (ad__array_bytes(x[n]) + 15) / 8 * 8;
    for (uint32_t k = 0; k < n; k++) {
      dx[k] = a[k];
      dx[k].data = at;
      memset(at, 0, ad__array_bytes(x[k]));
      at += (ad__array_bytes(x[k]) + 15) / 8 * 8;
    }
    for (uint32_t k = 0; k < n; k++)
      for (size_t i = 0; i < a[k].size && a[n + 2 + k].data; i++) {
        const bool single = a[k].type == AD_F32;
        double sum = 0;
        if (single) ((float *)dx[k].data)[i] = 1; else ((double *)dx[k].data)[i] = 1;
        ad__custom_tangent(t, a, &a[n], dx, &dy);
        for (size_t j = 0; j < dy.size; j++) sum += dy.dtype == AD_F32 ? (double)AD__F(x[n + 1])[j] * (double)AD__F(&dy)[j] : AD__D(x[n + 1])[j] * AD__D(&dy)[j];
        if (single) { ((float *)dx[k].data)[i] = 0; AD__F(x[n + 2 + k])[i] = (float)sum; } else { ((double *)dx[k].data)[i] = 0; AD__D(x[n + 2 + k])[i] = sum; }
      }
  }
  for (uint32_t k = 0; failed && k < n; k++) ad__fill(x[n + 2 + k], (double)NAN);
}
AD_LOCAL void ad__custom_reverse(ad__reverse *r) {
  const ad__custom_rules rules = ad__custom_rules_of(r->t);
  const uint32_t n = r->t->count;
  const ad__strided *all[2 * AD_CUSTOM_OPERANDS + 2];
  ad__strided none[AD_CUSTOM_OPERANDS], room[AD_CUSTOM_OPERANDS];
  double number[AD_CUSTOM_OPERANDS];
  size_t bytes = 0;
  void *work = NULL;
  ad__tensor t = *r->t;
  if (rules.derive && (!r->numbers || !(rules.vjp || rules.jvp))) { rules.derive(rules.context, r->x, r->y, r->g, r->gx); return; }
  if (!r->numbers) {
    ad__fail(r->tape, AD_ERROR_UNSUPPORTED, "%s: an operation of the program without derive has no second derivatives", rules.name);
    return;
  }
  for (uint32_t k = 0; k < n; k++) {
    const ad_var x = ad__contiguous(r->x[k]);
    if (!ad__valid(x)) return;
    all[k] = ad__operand_array(x, AD_F64, &room[k], &number[k]);
    none[k] = *all[k];
    none[k].data = NULL;
    all[n + 2 + k] = &none[k];
    bytes += (ad__array_bytes(all[k]) + 15) / 8 * 8;
    if (!r->wanted[k] && t.n[1]) continue;
    r->gx[k] = ad__buffer_like(r->tape, all[k]);
    if (!ad__valid(r->gx[k])) return;
    all[n + 2 + k] = ad__array_of(r->gx[k]);
  }
  const ad_var g = ad__contiguous(r->g);
  if (!ad__valid(g)) return;
  all[n] = &r->t->a; all[n + 1] = ad__array_of(g);
  if (!rules.vjp && !(work = ad__tape_take(r->tape, bytes + (ad__array_bytes(&t.a) + 15) / 8 * 8))) return;
  t.a.data = NULL;
  if (r->tape->trace) (void)ad__trace_kernel(r->tape, ad__custom_vjp, &t, all, 2 * (size_t)n + 2, ((1u << n) - 1) << (n + 2), work);
  else ad__custom_vjp(&t, all, work);
}
static const ad_tensor_op ad__op_custom = { "custom", 0, ad__custom_shape, ad__custom_forward, ad__custom_reverse };
/* the operation of numbers that t is, or NULL */
AD_LOCAL const ad_custom *ad__custom_numbers_of(const ad__tensor *t) { return t->op == &ad__op_custom && !t->n[1] ? (const ad_custom *)ad__custom_of(t) : NULL; }

AD_LOCAL ad_var ad__custom_record(const void *op, bool tensors, const ad_var *x, size_t count) {
  ptrdiff_t n[2];
  memcpy(&n[0], &op, sizeof n[0]);
  n[1] = tensors;
  return ad__record_call(&ad__op_custom, x, count, n, 2, 0);
}
AD_API ad_var ad_custom_call(const ad_custom *op, ad_var x) {
  if (!op || !op->name || !op->value || !(op->vjp || op->jvp || op->derive) || op->inputs == 0 || op->outputs == 0)
    return ad__fail(x.tape, AD_ERROR_ARGUMENT, "ad_custom_call: no operation, or one without name, value, inputs or outputs, or without vjp, jvp and derive");
  return ad__custom_record(op, false, &x, 1);
}
AD_API void ad_custom_numbers(const ad_custom *op, const ad_var *x, ad_var *y) {
  ad_tape *t = x ? x[0].tape : NULL;
  const size_t one = 1;
  if (!t || !op || !y || op->inputs == 0) {
    if (t) ad__fail(t, AD_ERROR_ARGUMENT, "ad_custom_numbers: no operation or nowhere to put its value");
    for (size_t j = 0; op && y && j < op->outputs; j++) y[j] = ad__invalid(t);
    return;
  }
  ad_var few[16], *v = op->inputs <= 16 ? few : (ad_var *)ad__tape_take(t, op->inputs * sizeof *v), all = ad__invalid(t);
  for (size_t k = 0; v && k < op->inputs; k++) v[k] = ad_reshape(x[k], 1, &one);
  if (v) all = ad_custom_call(op, op->inputs == 1 ? v[0] : ad_concat(v, op->inputs, 0));
  for (size_t j = 0; j < op->outputs; j++) y[j] = ad_reshape(ad_slice(all, 0, (ptrdiff_t)j, (ptrdiff_t)j + 1, 1), 0, NULL);
}
AD_API ad_var ad_custom_apply(const ad_custom_tensor *op, const ad_var *x) {
  if (!x) return ad__invalid(NULL);
  if (!op || !op->name || !op->shape || !op->value || !(op->vjp || op->jvp || op->derive) || op->operands == 0 || op->operands > AD_CUSTOM_OPERANDS)
    return ad__fail(x[0].tape, AD_ERROR_ARGUMENT, "ad_custom_apply: no operation, one without name, shape or value, or without vjp, jvp and derive, or not 1 to %d operands", AD_CUSTOM_OPERANDS);
  return ad__custom_record(op, true, x, op->operands);
}

#endif /* AD__FUNCTION_IMPLEMENTATION */

/* ======================================================================================================================
   Templates, read by including this file again. */

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__TANGENTS

/* words on arrays of n tangents of type AD_N (float, double), from pieces of four sizes */
#define AD__HALF (AD__WIDE / 2 > 0 ? AD__WIDE / 2 : 1)
#define AD__QUARTER (AD__WIDE / 4 > 0 ? AD__WIDE / 4 : 1)
#undef AD__TEMPLATE
#define AD__TEMPLATE AD__PIECE
#define AD_PIECE _w
#define AD_LANES AD__WIDE
#include "ad.h"
#define AD_PIECE _h
#define AD_LANES AD__HALF
#include "ad.h"
#define AD_PIECE _q
#define AD_LANES AD__QUARTER
#include "ad.h"
#define AD_PIECE _s
#define AD_LANES 1
#include "ad.h"
#undef AD__TEMPLATE
#define AD__TEMPLATE AD__TANGENTS

/* finite and not 0: the bits without the sign, from those of the least number to those below infinity */
AD_INLINE bool AD_W(_plain)(AD_N p) {
  AD_BITS b;
  memcpy(&b, &p, sizeof b);
  return (AD_BITS)((AD_BITS)(b << 1) - 1) < (AD_BITS)((AD_INFINITY_BITS << 1) - 1);
}
AD_INLINE bool AD_W(_zero)(AD_N p) { return p == 0; }
AD_INLINE void AD_W(_clear)(AD_N *r, int n) { AD__EACH_PIECE(clear, r + i) }
AD_INLINE void AD_W(_copy)(AD_N *r, const AD_N *a, int n) { AD__EACH_PIECE(copy, r + i, a + i) }
AD_INLINE void AD_W(_one)(AD_N *r, int k, int n) { AD__EACH_PIECE(one, r + i, k - i) }
AD_INLINE void AD_W(_scale)(AD_N *r, AD_N p, const AD_N *a, int n) { AD__EACH_PIECE(scale, r + i, p, a + i) }
AD_INLINE void AD_W(_accumulate)(AD_N *r, AD_N p, const AD_N *a, int n) { AD__EACH_PIECE(accumulate, r + i, p, a + i) }
AD_INLINE void AD_W(_combine)(AD_N *r, AD_N p, const AD_N *a, AD_N q, const AD_N *b, int n) {
  AD__EACH_PIECE(combine, r + i, p, a + i, q, b + i)
}
AD_INLINE void AD_W(_choose)(AD_N *r, bool m, const AD_N *a, const AD_N *b, int n) {
  AD_BITS mask = (AD_BITS)-(AD_BITS)m;
  AD__EACH_PIECE(choose, r + i, mask, a + i, b + i)
}
/* the same for partials of any kind */
AD__APART void AD_W(_combine_any)(AD_N *r, AD_N p, const AD_N *a, AD_N q, const AD_N *b, int n) {
  if (AD_W(_plain)(p)) AD_W(_scale)(r, p, a, n);
  else if (p == 0) AD_W(_clear)(r, n);
  else
    for (int i = 0; i < n; i++) r[i] = AD_W(along)(a[i], p);
  if (AD_W(_plain)(q)) AD_W(_accumulate)(r, q, b, n);
  else if (q != 0)
    for (int i = 0; i < n; i++) r[i] += AD_W(along)(b[i], q);
}

#undef AD__WIDE
#undef AD__HALF
#undef AD__QUARTER
#undef AD_N
#undef AD_BITS
#undef AD_SIGNED
#undef AD_INFINITY_BITS
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__PIECE

/* the same on a piece of AD_LANES tangents */
#define AD_P(word) AD__PASTE(AD_N, AD__PASTE(AD_PIECE, word))
#if AD_LANES > 1
typedef AD_N AD_P(piece) __attribute__((vector_size(AD_LANES * sizeof(AD_N)), aligned(sizeof(AD_N)), may_alias));
typedef AD_SIGNED AD_P(bits) __attribute__((vector_size(AD_LANES * sizeof(AD_N)), aligned(sizeof(AD_N)), may_alias));
AD_INLINE void AD_P(clear)(AD_N *r) { AD_P(piece) c = { 0 }; *(AD_P(piece) *)r = c; }
AD_INLINE void AD_P(copy)(AD_N *r, const AD_N *a) { *(AD_P(piece) *)r = *(const AD_P(piece) *)a; }
AD_INLINE void AD_P(scale)(AD_N *r, AD_N p, const AD_N *a) { *(AD_P(piece) *)r = p * *(const AD_P(piece) *)a; }
AD_INLINE void AD_P(accumulate)(AD_N *r, AD_N p, const AD_N *a) { *(AD_P(piece) *)r += p * *(const AD_P(piece) *)a; }
AD_INLINE void AD_P(combine)(AD_N *r, AD_N p, const AD_N *a, AD_N q, const AD_N *b) {
  *(AD_P(piece) *)r = p * *(const AD_P(piece) *)a + q * *(const AD_P(piece) *)b;
}
AD_INLINE void AD_P(choose)(AD_N *r, AD_BITS mask, const AD_N *a, const AD_N *b) {
  const AD_P(bits) x = *(const AD_P(bits) *)a, y = *(const AD_P(bits) *)b;
  *(AD_P(bits) *)r = y ^ ((x ^ y) & (AD_SIGNED)mask);
}
AD_INLINE void AD_P(one)(AD_N *r, int k) {
  AD_P(bits) lane = { 0 };
  AD_P(piece) c = { 0 };
  for (int i = 0; i < AD_LANES; i++) lane[i] = i;
  c = c + 1;
  *(AD_P(bits) *)r = (AD_P(bits))c & (lane == k);
}
#else
AD_INLINE void AD_P(clear)(AD_N *r) { *r = 0; }
AD_INLINE void AD_P(copy)(AD_N *r, const AD_N *a) { *r = *a; }
AD_INLINE void AD_P(scale)(AD_N *r, AD_N p, const AD_N *a) { *r = p * *a; }
AD_INLINE void AD_P(accumulate)(AD_N *r, AD_N p, const AD_N *a) { *r += p * *a; }
AD_INLINE void AD_P(combine)(AD_N *r, AD_N p, const AD_N *a, AD_N q, const AD_N *b) { *r = p * *a + q * *b; }
AD_INLINE void AD_P(choose)(AD_N *r, AD_BITS mask, const AD_N *a, const AD_N *b) { *r = mask ? *a : *b; }
AD_INLINE void AD_P(one)(AD_N *r, int k) { *r = k == 0; }
#endif

#undef AD_P
#undef AD_PIECE
#undef AD_LANES
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__LANE_ENGINE

/* The lane engine AD_E on AD_N: AD_LANES elements AD_S a register, AD_REGISTERS registers a slot. */

#define AD_BLOCK ((size_t)(AD_LANES) * (AD_REGISTERS))
#if defined(AD_BY_ADDRESS)
typedef AD_S *const *AD_EW(_slots);
#define AD_SLOT(s) slots[s]
#define AD_COPIES(port, q) (!direct_##port[q] || valid < AD_BLOCK)
#else
typedef AD_S *AD_EW(_slots);
#define AD_SLOT(s) (slots + (size_t)(s) * AD_BLOCK)
#define AD_COPIES(port, q) true
#endif

#if !defined(AD_ROWS)
#define AD_ROWS AD_E
AD_UNARY(AD__RUN_1, AD_E, ) AD_BINARY(AD__RUN_2, AD_E, ) AD_TERNARY(AD__RUN_3, AD_E, )
AD_LOCAL void (*const AD_EW(_rows)[])(AD_S *, const AD_S *, const AD_S *, const AD_S *) = {
  AD_UNARY(AD__RUN_ENTRY, AD_E, ) AD_BINARY(AD__RUN_ENTRY, AD_E, ) AD_TERNARY(AD__RUN_ENTRY, AD_E, ) };
#endif

/* the instructions i .. stop - 1, all of kind op */
AD_INLINE void AD_EW(_run)(uint32_t op, const ad__ins *i, const ad__ins *stop, AD_EW(_slots) slots) {
    AD_S *d; const AD_S *a, *b, *c;
    switch (op) {
      AD__CASE(AD_OP_add, AD_W(add)(AD__A, AD__B))
      AD__CASE(AD_OP_sub, AD_W(sub)(AD__A, AD__B))
      AD__CASE(AD_OP_mul, AD_W(mul)(AD__A, AD__B))
      AD__CASE(AD_OP_div, AD_W(div)(AD__A, AD__B))
      AD__CASE(AD_OP_neg, AD_W(neg)(AD__A))
      AD__CASE(AD__IR_SEED, AD__SEEDED(AD__A, AD__B))
      AD__CASE(AD__IR_ALONG, AD__ALONGSIDE(AD__A, AD__B))
      AD__CASE(AD__IR_MULADD, AD_W(add)(AD__C, AD_W(mul)(AD__A, AD__B)))
      AD__CASE(AD__IR_MULSUB, AD_W(sub)(AD_W(mul)(AD__A, AD__B), AD__C))
      AD__CASE(AD__IR_NMULADD, AD_W(sub)(AD__C, AD_W(mul)(AD__A, AD__B)))
      AD__CASE(AD__IR_SEEDADD, AD_W(add)(AD__C, AD__SEEDED(AD__A, AD__B)))
      AD__CASE(AD__IR_SEEDSUB, AD_W(sub)(AD__C, AD__SEEDED(AD__A, AD__B)))
      AD__CASE(AD__IR_ALONGADD, AD_W(add)(AD__C, AD__ALONGSIDE(AD__A, AD__B)))
      AD__CASE(AD__IR_ALONGSUB, AD_W(sub)(AD__C, AD__ALONGSIDE(AD__A, AD__B)))
      AD__CASE(AD_OP_fma, AD_W(fma)(AD__A, AD__B, AD__C))
      AD__CASE(AD__IR_NUMBER, AD_W(select)(AD_W(eq)(AD__A, AD__A), AD__B, AD__A))
      AD__CASE(AD__IR_FNMA, AD_W(fnma)(AD__A, AD__B, AD__C))
      AD__CASE(AD__IR_LT, AD__TRUTH(AD_W(lt)(AD__A, AD__B)))
      AD__CASE(AD__IR_LE, AD__TRUTH(AD_W(le)(AD__A, AD__B)))
      AD__CASE(AD__IR_EQ, AD__TRUTH(AD_W(eq)(AD__A, AD__B)))
      AD__CASE(AD__IR_NE, AD__TRUTH(AD_W(ne)(AD__A, AD__B)))
      AD__CASE(AD__IR_AND, AD_W(only)(AD__MASK(AD__A), AD__B))
      AD__CASE(AD__IR_OR, AD_W(select)(AD__MASK(AD__A), AD__A, AD__B))
      AD__CASE(AD__IR_NOT, AD_W(sub)(AD_W(k)(1), AD__A))
      AD__CASE(AD__IR_SELECT, AD_W(select)(AD__MASK(AD__A), AD__B, AD__C))
      AD__CASE(AD__IR_ONLY, AD_W(only)(AD__MASK(AD__A), AD__B))
      AD__CASE(AD__IR_RESULT, AD__A)
      default: do { AD__SLOTS; AD__PASTE(AD_ROWS, _rows)[i->op](d, a, b, c); } while (++i < stop); break;
    }
}
/* a sum of n terms: partial sums and products stay in registers, eight at a time */
AD_LOCAL void AD_EW(_sum_of_terms)(const ad__term *term, uint32_t n, AD_S *to, AD_EW(_slots) slots) {
  for (size_t r = 0; r < AD_REGISTERS; r += AD__SUMS) {
    AD_N sum[AD__SUMS];
    const AD_S *a = AD_SLOT(term->x) + r * AD_LANES, *b = AD_SLOT(term->y) + r * AD_LANES;
#if defined(AD_PRODUCTS)
    AD_N p[AD__SUMS];
    AD__OVER_SUMS p[k] = sum[k] = AD_W(k)(0);
#endif
    switch (term->kind) {
      AD__TERM_KINDS(AD__TERM_FIRST_CASE)
#if defined(AD_PRODUCTS)
      AD__TERM_KINDS(AD__TERM_INTO_CASE)
#endif
      default: AD__UNREACHABLE;
    }
    for (const ad__term *t = term + 1, *end = term + n; t < end; t++) {
      a = AD_SLOT(t->x) + r * AD_LANES; b = AD_SLOT(t->y) + r * AD_LANES;
      switch (t->kind) {
        AD__TERM_KINDS(AD__TERM_CASES)
#if defined(AD_PRODUCTS)
        AD__TERM_KINDS(AD__TERM_INTO_CASE)
        AD__TERM_FROM_CASES(AD__TERM_MUL, AD_W(mul)(p[k], AD__B))
        AD__TERM_FROM_CASES(AD__TERM_SEED, AD__SEEDED(p[k], AD__B))
        AD__TERM_FROM_CASES(AD__TERM_ALONG, AD__ALONGSIDE(p[k], AD__B))
#endif
        default: AD__UNREACHABLE;
      }
    }
    AD__OVER_SUMS AD_W(store)(to + (r + k) * AD_LANES, sum[k]);
  }
}
#if !defined(AD_BY_ADDRESS)                /* chains call nothing */
/* a call, point by point; the rest of the block repeats the last point */
AD_LOCAL void AD_EW(_call)(const ad__program *p, const ad__ins *i, AD_S *slots, size_t valid, ad__mishaps *bad) {
  const ad__term *term = (const ad__term *)p->term + i->b;
  const uint32_t n = i->c, m = ad__call_outputs(p->callees, i->a);
  double *x = (double *)(void *)(slots + (size_t)p->n_slots * AD_BLOCK), *y = x + n;
  for (size_t l = 0; l < AD_BLOCK; l++) {
    for (uint32_t k = 0; k < n && l < valid; k++) x[k] = (double)slots[(size_t)term[k].x * AD_BLOCK + l];
    if (l < valid) ad__mishap(bad, l, ad__call(p->callees, i->a, x, y));
    for (uint32_t j = 0; j < m; j++) slots[((size_t)i->d + j) * AD_BLOCK + l] = (AD_S)y[j];
  }
}
#endif
AD_LOCAL void AD_EW(_block)(const ad__program *program, AD_EW(_slots) slots, size_t valid, ad__ahead *next, ad__mishaps *bad) {
  const ad__ins *i = program->ins;
  (void)valid; (void)bad;
  for (const ad__run *run = program->run, *end = run + program->n_runs; run < end; run++) {
    const ad__ins *stop = i + run->n;
    if (next->each) ad__ahead_fetch(next);
    if (run->op == AD__IR_ACCUMULATE) for (; i < stop; i++) AD_EW(_sum_of_terms)((const ad__term *)program->term + i->b, i->c, AD_SLOT(i->d), slots);
#if !defined(AD_BY_ADDRESS)
    else if (run->op == AD__IR_CALL) for (; i < stop; i++) AD_EW(_call)(program, i, slots, valid, bad);
#endif
    else AD_EW(_run)(run->op, i, stop, slots);
    i = stop;
  }
}

/* rows of an array to slots and back: a square of AD_LANES columns and rows at a time, turned in registers */
/* of width columns, how many go by squares: a few that are left over are copied one by one */
AD_INLINE size_t AD_EW(_squares)(size_t width) {
  return width < AD_LANES ? 0 : width % AD_LANES <= AD_LANES / 4 ? width - width % AD_LANES : width;
}
AD_LOCAL void AD_EW(_gather)(const ad__port *port, const uint32_t *slot, size_t first, size_t valid, AD_S *slots) {
  const AD_S *data = (const AD_S *)port->data + first * port->row;
  size_t width = port->width;
  if (port->row == 0 || AD_BLOCK == 1) {
    for (size_t j = 0; j < width; j++)
      if (slot[j] != AD__NONE)
        for (size_t k = 0; k < AD_REGISTERS; k++) AD_W(store)(slots + (size_t)slot[j] * AD_BLOCK + k * AD_LANES, AD_W(k)((double)data[j]));
    return;
  }
  if (width == 1 && port->row == 1 && valid == AD_BLOCK) {
    for (size_t k = 0; slot[0] != AD__NONE && k < AD_REGISTERS; k++) AD_W(store)(slots + (size_t)slot[0] * AD_BLOCK + k * AD_LANES, AD_W(load)(data + k * AD_LANES));
    return;
  }
  for (size_t k = 0; k < AD_REGISTERS && k * AD_LANES < valid; k++) {
    const AD_S *rows = data + k * AD_LANES * port->row;
    AD_S *to = slots + k * AD_LANES;
    size_t squares = valid >= (k + 1) * AD_LANES ? AD_EW(_squares)(width) : 0;
    for (size_t j = 0; j < squares; j += AD_LANES) {
      size_t j0 = width - j >= AD_LANES ? j : width - AD_LANES;              /* the last square overlaps the one before */
      AD_N r[AD_LANES];
      AD__UNROLL
      for (size_t l = 0; l < AD_LANES; l++) { r[l] = AD_W(load)(rows + l * port->row + j0); AD__IN_ORDER(r[l]); }     /* see ad_simd.h >>structures */
      AD_W(_turn)(r);
      AD__UNROLL
      for (size_t l = 0; l < AD_LANES; l++) if (slot[j0 + l] != AD__NONE) AD_W(store)(to + (size_t)slot[j0 + l] * AD_BLOCK, r[l]);
    }
    for (size_t j = squares; j < width; j++)
      for (size_t l = 0; slot[j] != AD__NONE && l < AD_LANES; l++)
        to[(size_t)slot[j] * AD_BLOCK + l] = rows[(k * AD_LANES + l < valid ? l : valid - 1 - k * AD_LANES) * port->row + j];
  }
  if (valid < AD_BLOCK)        /* registers without a point repeat the first one: no lane holds an invalid number */
    for (size_t j = 0; j < width; j++)
      if (slot[j] != AD__NONE)
        for (size_t k = (valid + AD_LANES - 1) / AD_LANES; k < AD_REGISTERS; k++)
          AD_W(store)(slots + (size_t)slot[j] * AD_BLOCK + k * AD_LANES, AD_W(load)(slots + (size_t)slot[j] * AD_BLOCK));
}
AD_LOCAL void AD_EW(_scatter)(const ad__port *port, const uint32_t *slot, size_t first, size_t valid, const AD_S *slots) {
  AD_S *data = (AD_S *)port->data + first * port->row;
  size_t width = port->width;
  if (width == 1 && port->row == 1 && valid == AD_BLOCK) {
    for (size_t k = 0; k < AD_REGISTERS; k++) AD_W(store)(data + k * AD_LANES, AD_W(load)(slots + (size_t)slot[0] * AD_BLOCK + k * AD_LANES));
    return;
  }
  AD_ALIGNED AD_S stage[AD__STAGE_BYTES / sizeof(AD_S)];
  for (size_t k = 0; k < AD_REGISTERS && k * AD_LANES < valid; k++) {        /* row by row: a line of cache is written once */
    AD_S *to = data + k * AD_LANES * port->row, *rows = port->stream ? stage : to;
    const AD_S *from = slots + k * AD_LANES;
    size_t left = valid - k * AD_LANES, squares = left >= AD_LANES ? AD_EW(_squares)(width) : 0;
    for (size_t j = 0; j < squares; j += AD_LANES) {
      size_t j0 = width - j >= AD_LANES ? j : width - AD_LANES;
      AD_N r[AD_LANES];
      AD__UNROLL
      for (size_t l = 0; l < AD_LANES; l++) r[l] = AD_W(load)(from + (size_t)slot[j0 + l] * AD_BLOCK);
      AD_W(_turn)(r);
      AD__UNROLL
      for (size_t l = 0; l < AD_LANES; l++) { AD_W(store)(rows + l * port->row + j0, r[l]); AD__IN_ORDER(r[l]); }
    }
    for (size_t j = squares; j < width; j++)
      for (size_t l = 0; l < AD_LANES && l < left; l++) rows[l * port->row + j] = from[(size_t)slot[j] * AD_BLOCK + l];
    if (port->stream) AD_SW(array_stream)(width * (left < AD_LANES ? left : AD_LANES), stage, to);
  }
}

#if defined(AD_BY_ADDRESS)
/* Whether full blocks of a port need no copy: of programs of elements, where a point is an element and a result lies on no operand. */
AD_LOCAL bool AD_EW(_in_place)(const ad__program *p, const ad__port *port, uint32_t slot, size_t count, const ad__port *in) {
  const AD_S *from = (const AD_S *)port->data;
  if (!p->elements || !from || port->width != 1 || port->row != 1 || slot == AD__NONE || slot < p->n_constants) return false;
  for (int q = 0; in && q < AD__PORTS && in[q].width; q++) {
    const AD_S *other = (const AD_S *)in[q].data;
    if (slot == p->in[q] || (other && (uintptr_t)from < (uintptr_t)(other + count) && (uintptr_t)other < (uintptr_t)(from + count))) return false;
  }
  return true;
}
#endif

/* count points; memory: n_slots * AD_BLOCK numbers, aligned to 64 bytes, and as many addresses */
AD_LOCAL void AD_EW(_program)(const ad__program *p, AD_S *memory, size_t count, const ad__port *in, ad__port *out,
                                bool has_guards, unsigned char *branch, ad__mishaps *bad) {
  bool streams = false;
  size_t moved = 0;
  for (int q = 0; q < AD__PORTS; q++) moved += in[q].row + out[q].row;
  const bool ahead_of_time = moved > 0 && count > AD__CACHED_BYTES / sizeof(AD_S) / moved;
  for (int q = 0; q < AD__PORTS && out[q].width; q++) streams |= out[q].stream = ad__port_streams(&out[q], count, AD_LANES, sizeof(AD_S));
#if defined(AD_BY_ADDRESS)
  AD_S **slots = (AD_S **)(void *)(memory + p->n_slots * AD_BLOCK);
  bool direct_in[AD__PORTS], direct_out[AD__PORTS];
  for (uint32_t s = 0; s < p->n_slots; s++) slots[s] = memory + s * AD_BLOCK;
  for (int q = 0; q < AD__PORTS; q++) {
    direct_in[q] = p->elements && in[q].width && AD_EW(_in_place)(p, &in[q], p->in[q], count, NULL);
    direct_out[q] = p->elements && out[q].width && AD_EW(_in_place)(p, &out[q], p->out[q], count, in);
    for (int r = 0; r < q; r++) if (direct_out[q] && p->out[r] == p->out[q]) direct_out[q] = false;
  }
  for (int q = 0; q < AD__PORTS && p->elements && out[q].width; q++) {        /* copied out: from where a slot lies by itself */
    for (int r = 0; r < AD__PORTS && in[r].width; r++) if (p->in[r] == p->out[q]) direct_in[r] = false;
    for (int r = 0; r < AD__PORTS && out[r].width; r++) if (!direct_out[q] && p->out[r] == p->out[q]) direct_out[r] = false;
  }
#else
  AD_S *slots = memory;
#endif
  for (uint32_t j = 0; j < p->n_constants; j++)
    for (int k = 0; k < AD_REGISTERS; k++) AD_W(store)(AD_SLOT(j) + k * AD_LANES, AD_W(k)(p->constant[j]));
  for (size_t i = 0; i < count; i += AD_BLOCK) {
    size_t valid = count - i < AD_BLOCK ? count - i : AD_BLOCK;
    const uint32_t *slot = p->in;
#if defined(AD_BY_ADDRESS)
    for (int q = 0; p->elements && q < AD__PORTS; q++) {
      const bool full = valid == AD_BLOCK;
      if (direct_in[q]) slots[p->in[q]] = full ? (AD_S *)in[q].data + i : memory + p->in[q] * AD_BLOCK;
      if (direct_out[q]) slots[p->out[q]] = full ? (AD_S *)out[q].data + i : memory + p->out[q] * AD_BLOCK;
    }
#endif
    for (int q = 0; q < AD__PORTS && in[q].width; q++) { if (in[q].data && AD_COPIES(in, q)) AD_EW(_gather)(&in[q], slot, i, valid, memory); slot += in[q].width; }
    ad__ahead next;
    next.n = next.now = 0; next.each = 0;
    if (ahead_of_time && count - i > AD_BLOCK) {
      const size_t first = i + AD_BLOCK, rows = count - first < AD_BLOCK ? count - first : AD_BLOCK;
      for (int q = 0; q < AD__PORTS && in[q].width; q++) if (in[q].data) ad__ahead_add(&next, (const AD_S *)in[q].data + first * in[q].row, rows * in[q].row * sizeof(AD_S));
      for (int q = 0; q < AD__PORTS && out[q].width; q++)
        if (out[q].data && !out[q].stream) ad__ahead_add(&next, (const AD_S *)out[q].data + first * out[q].row, rows * out[q].row * sizeof(AD_S));
      next.each = next.each / (p->n_runs ? p->n_runs : 1) + 1;
    }
    if (p->scratch) memset(bad->at, 0, valid);
    AD_EW(_block)(p, slots, valid, &next, bad);
    slot = p->out;
    for (int q = 0; q < AD__PORTS && out[q].width; q++) { if (out[q].data && AD_COPIES(out, q)) AD_EW(_scatter)(&out[q], slot, i, valid, memory); slot += out[q].width; }
    if (has_guards || p->scratch) for (size_t r = 0; r < valid; r++) {
      const bool astray = (p->scratch && bad->at[r]) || (has_guards && !(memory[(size_t)*slot * AD_BLOCK + r] != 0));
      bad->strayed += astray;
      if (branch) branch[i + r] = astray;
    } else if (branch) memset(branch + i, 0, valid);
  }
  if (streams) ad__streamed();
}

#undef AD_BLOCK
#undef AD_SLOT
#undef AD_COPIES
#undef AD_BY_ADDRESS
#undef AD_PRODUCTS
#undef AD_ROWS
#undef AD_N
#undef AD_S
#undef AD_LANES
#undef AD_REGISTERS
#undef AD_E
#endif

/* The places of what is recorded by functions, by macros that only the program sees, not the header. */
#if defined(AD_TRACE) && !defined(AD__PLACES) && !defined(AD__TEMPLATE)
#define AD__PLACES
#define AD__HERE(x) ad__at_var(x, __FILE__, __LINE__)
#define AD__HERE_ON(tape) ad__at_tape(tape, __FILE__, __LINE__)
AD_INLINE ad_var ad__concat_at(const char *file, int line, const ad_var *x, size_t n, int axis) {
  if (n && x) ad__at_tape(x[0].tape, file, line);
  return ad_concat(x, n, axis); }
AD_INLINE ad_var ad__stack_at(const char *file, int line, const ad_var *x, size_t n, int axis) {
  if (n && x) ad__at_tape(x[0].tape, file, line);
  return ad_stack(x, n, axis); }
#define ad_concat(...) ad__concat_at(__FILE__, __LINE__, __VA_ARGS__)
#define ad_stack(...) ad__stack_at(__FILE__, __LINE__, __VA_ARGS__)
#define ad_variable(tape, ...) ad_variable(AD__HERE_ON(tape), __VA_ARGS__)
#define ad_constant(tape, ...) ad_constant(AD__HERE_ON(tape), __VA_ARGS__)
#define ad_tensor_variable(tape, ...) ad_tensor_variable(AD__HERE_ON(tape), __VA_ARGS__)
#define ad_tensor_constant(tape, ...) ad_tensor_constant(AD__HERE_ON(tape), __VA_ARGS__)
#define ad_tensor_borrow(tape, ...) ad_tensor_borrow(AD__HERE_ON(tape), __VA_ARGS__)
#define ad_tensor_normal(tape, ...) ad_tensor_normal(AD__HERE_ON(tape), __VA_ARGS__)
#define ad_tensor_he(tape, ...) ad_tensor_he(AD__HERE_ON(tape), __VA_ARGS__)
#define ad_tensor_xavier(tape, ...) ad_tensor_xavier(AD__HERE_ON(tape), __VA_ARGS__)
#define ad_matmul(x, ...) ad_matmul(AD__HERE(x), __VA_ARGS__)
#define ad_cast(x, ...) ad_cast(AD__HERE(x), __VA_ARGS__)
#define ad_sum(x, ...) ad_sum(AD__HERE(x), __VA_ARGS__)
#define ad_mean(x, ...) ad_mean(AD__HERE(x), __VA_ARGS__)
#define ad_prod(x, ...) ad_prod(AD__HERE(x), __VA_ARGS__)
#define ad_reduce_max(x, ...) ad_reduce_max(AD__HERE(x), __VA_ARGS__)
#define ad_reduce_min(x, ...) ad_reduce_min(AD__HERE(x), __VA_ARGS__)
#define ad_sumsq(x, ...) ad_sumsq(AD__HERE(x), __VA_ARGS__)
#define ad_norm(x, ...) ad_norm(AD__HERE(x), __VA_ARGS__)
#define ad_logsumexp(x, ...) ad_logsumexp(AD__HERE(x), __VA_ARGS__)
#define ad_variance(x, ...) ad_variance(AD__HERE(x), __VA_ARGS__)
#define ad_std(x, ...) ad_std(AD__HERE(x), __VA_ARGS__)
#define ad_argmax(x, ...) ad_argmax(AD__HERE(x), __VA_ARGS__)
#define ad_cumsum(x, ...) ad_cumsum(AD__HERE(x), __VA_ARGS__)
#define ad_softmax(x, ...) ad_softmax(AD__HERE(x), __VA_ARGS__)
#define ad_log_softmax(x, ...) ad_log_softmax(AD__HERE(x), __VA_ARGS__)
#define ad_reshape(x, ...) ad_reshape(AD__HERE(x), __VA_ARGS__)
#define ad_broadcast_to(x, ...) ad_broadcast_to(AD__HERE(x), __VA_ARGS__)
#define ad_permute(x, ...) ad_permute(AD__HERE(x), __VA_ARGS__)
#define ad_slice(x, ...) ad_slice(AD__HERE(x), __VA_ARGS__)
#define ad_gather(x, ...) ad_gather(AD__HERE(x), __VA_ARGS__)
#define ad_dot(x, ...) ad_dot(AD__HERE(x), __VA_ARGS__)
#define ad_outer(x, ...) ad_outer(AD__HERE(x), __VA_ARGS__)
#define ad_linear(x, ...) ad_linear(AD__HERE(x), __VA_ARGS__)
#define ad_prelu(x, ...) ad_prelu(AD__HERE(x), __VA_ARGS__)
#define ad_cross_entropy(x, ...) ad_cross_entropy(AD__HERE(x), __VA_ARGS__)
#define ad_mse(x, ...) ad_mse(AD__HERE(x), __VA_ARGS__)
#define ad_conv2d(x, ...) ad_conv2d(AD__HERE(x), __VA_ARGS__)
#define ad_max_pool2d(x, ...) ad_max_pool2d(AD__HERE(x), __VA_ARGS__)
#define ad_avg_pool2d(x, ...) ad_avg_pool2d(AD__HERE(x), __VA_ARGS__)
#define ad_layer_norm(x, ...) ad_layer_norm(AD__HERE(x), __VA_ARGS__)
#define ad_batch_norm(x, ...) ad_batch_norm(AD__HERE(x), __VA_ARGS__)
#define ad_dropout(x, ...) ad_dropout(AD__HERE(x), __VA_ARGS__)
#define ad_solve(x, ...) ad_solve(AD__HERE(x), __VA_ARGS__)
#define ad_transpose(x) ad_transpose(AD__HERE(x))
#define ad_diag(x) ad_diag(AD__HERE(x))
#define ad_trace(x) ad_trace(AD__HERE(x))
#define ad_inverse(x) ad_inverse(AD__HERE(x))
#define ad_det(x) ad_det(AD__HERE(x))
#define ad_logdet(x) ad_logdet(AD__HERE(x))
#define ad_cholesky(x) ad_cholesky(AD__HERE(x))
#endif
