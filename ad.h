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

   Licence: MIT. See the file LICENSE of the project. */

#ifndef AD_H
#define AD_H

/* >>config -------------------------------------------------------------------------------------------------------------- */

#if !defined(AD_IMPLEMENTATION) && !defined(AD_SIMD_SCALARS_ONLY)
#define AD_SIMD_SCALARS_ONLY            /* only what a unit that differentiates needs: no intrinsics, no <sleef.h> */
#define AD__SCALARS_ONLY_HERE
#endif
#include "ad_simd.h"
#ifdef AD__SCALARS_ONLY_HERE
#undef AD_SIMD_SCALARS_ONLY
#undef AD__SCALARS_ONLY_HERE
#endif

#ifndef AD_DUAL_WIDTH
#define AD_DUAL_WIDTH 8
#endif

/* >>status -------------------------------------------------------------------------------------------------------------- */

typedef enum ad_status {
  AD_OK = 0, AD_ERROR_MEMORY, AD_ERROR_SHAPE, AD_ERROR_DTYPE, AD_ERROR_ARGUMENT, AD_ERROR_TAPE,
  AD_ERROR_LIMIT, AD_ERROR_BRANCH, AD_ERROR_UNSUPPORTED
} ad_status;

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
   second derivatives need no further rule. */

#define AD_UNARY_WORDS(ROW, N, D)                                                                                             \
  ROW(N, D, neg,  N##_neg(x),   N##_k(-1),                                   KEEP_NONE, -10, 10)                              \
  ROW(N, D, abs,  N##_abs(x),   N##_sign(x),                                 KEEP_X,    -10, 10)                              \
  ROW(N, D, sqrt, N##_sqrt(x),  N##_div(N##_k(0.5), N##_abs(v)),             KEEP_V,    0, 1e6)                               \
  ROW(N, D, exp,  N##_exp(x),   v,                                           KEEP_V,    -20, 20)                              \
  ROW(N, D, log,  N##_log(x),   N##_number(v, N##_div(N##_k(1), N##_abs(x))), KEEP_XV,  1e-3, 1e3)                            \
  ROW(N, D, sin,  N##_sin(x),   N##_cos(x),                                  KEEP_X,    -20, 20)                              \
  ROW(N, D, cos,  N##_cos(x),   N##_neg(N##_sin(x)),                         KEEP_X,    -20, 20)                              \
  ROW(N, D, tan,  N##_tan(x),   N##_fma(v, v, N##_k(1)),                     KEEP_V,    -20, 20)                              \
  ROW(N, D, sinh, N##_sinh(x),  N##_cosh(x),                                 KEEP_X,    -20, 20)                              \
  ROW(N, D, cosh, N##_cosh(x),  N##_sinh(x),                                 KEEP_X,    -20, 20)

#define AD_UNARY_COMPOSED(ROW, N, D)                                                                                          \
  ROW(N, D, sign, N##_select(N##_ne(x, N##_k(0)), N##_copysign(N##_number(x, N##_k(1)), x), N##_k(0)),                        \
      N##_number(x, N##_k(0)),                                               KEEP_X,    -10, 10)                              \
  ROW(N, D, square, N##_mul(x, x), N##_add(x, x),                            KEEP_X,    -100, 100)                            \
  ROW(N, D, recip, N##_div(N##_k(1), x), N##_neg(N##_mul(v, v)),             KEEP_V,    0.1, 10)                              \
  ROW(N, D, relu, N##_select(N##_le(x, N##_k(0)), N##_k(0), x),                                                               \
      N##_number(x, N##_only(N##_lt(N##_k(0), x), N##_k(1))),                KEEP_X,    -10, 10)

#define AD_BINARY_WORDS(ROW, N, D)                                                                                            \
  ROW(N, D, add,  N##_add(x, y), N##_k(1), N##_k(1),                         KEEP_NONE, -10, 10, -10, 10)                     \
  ROW(N, D, sub,  N##_sub(x, y), N##_k(1), N##_k(-1),                        KEEP_NONE, -10, 10, -10, 10)                     \
  ROW(N, D, mul,  N##_mul(x, y), y, x,                                       KEEP_X,    -10, 10, -10, 10)                     \
  ROW(N, D, div,  N##_div(x, y), N##_div(N##_k(1), y), N##_neg(N##_div(v, y)), KEEP_XV, -10, 10, 0.1, 10)                     \
  ROW(N, D, copysign, N##_copysign(x, y), N##_mul(N##_sign(x), N##_copysign(N##_k(1), y)), N##_number(y, N##_k(0)),           \
                                                                             KEEP_X,    -10, 10, -10, 10)

#define AD_BINARY_COMPOSED(ROW, N, D)

/* where(c, a, b): c is a number, 0 chooses b. A select, never a product, so what is not chosen leaves no trace. */
#define AD_TERNARY_WORDS(ROW, N, D)                                                                                           \
  ROW(N, D, fma,  N##_fma(x, y, z), y, x, N##_k(1),                          KEEP_X,    -10, 10, -10, 10, -10, 10)

#define AD_TERNARY_COMPOSED(ROW, N, D)                                                                                        \
  ROW(N, D, where, N##_select(N##_ne(x, N##_k(0)), y, z), N##_k(0),                                                           \
      N##_only(N##_ne(x, N##_k(0)), N##_k(1)), N##_only(N##_eq(x, N##_k(0)), N##_k(1)),                                       \
                                                                             KEEP_X,    -1, 1, -10, 10, -10, 10)

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
   system (a dual) that has made its own N_op.

   N_number(v, d)   d, but NaN where v is: the derivative of what has no value is none (R4, R5)
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
#define AD_RULES(N) AD_UNARY(AD__RULE_1, N, ) AD_BINARY(AD__RULE_2, N, ) AD_TERNARY(AD__RULE_3, N, )
#define AD_SYSTEM(N)                                                                                                          \
  AD__NUMBER(N) AD_UNARY_COMPOSED(AD__COMPOSED_1, N, ) AD_BINARY_COMPOSED(AD__COMPOSED_2, N, )                                \
  AD_TERNARY_COMPOSED(AD__COMPOSED_3, N, ) AD_RULES(N)                                                                        \
  AD_INLINE N N##_seed(N g, N d) { return N##_only(N##_ne(g, N##_k(0)), N##_mul(g, d)); }

AD_SYSTEM(ad_f32)
AD_SYSTEM(ad_f64)
#if defined(AD_SIMD_VECTORS_H) && !defined(AD__VECTOR_SYSTEMS)
#define AD__VECTOR_SYSTEMS
AD_SYSTEM(ad_v32)
AD_SYSTEM(ad_v64)
#endif

/* >>dual ---------------------------------------------------------------------------------------------------------------- */

#define AD__DUAL_1(N, D, op, value, dx, ...)                                                                                  \
  AD_INLINE D D##_##op(D a) { N x = a.v, v = N##_##op(x); return D##__chain_1(v, N##_##op##_dx(x, v), a); }
#define AD__DUAL_2(N, D, op, value, dx, dy, ...)                                                                              \
  AD_INLINE D D##_##op(D a, D b) {                                                                                            \
    N x = a.v, y = b.v, v = N##_##op(x, y);                                                                                   \
    return D##__chain_2(v, N##_##op##_dx(x, y, v), a, N##_##op##_dy(x, y, v), b);                                             \
  }
#define AD__DUAL_3(N, D, op, value, dx, dy, dz, ...)                                                                          \
  AD_INLINE D D##_##op(D a, D b, D c) {                                                                                       \
    N x = a.v, y = b.v, z = c.v, v = N##_##op(x, y, z);                                                                       \
    return D##__chain_3(v, N##_##op##_dx(x, y, z, v), a, N##_##op##_dy(x, y, z, v), b, N##_##op##_dz(x, y, z, v), c);         \
  }
#define AD_DUAL(D, N, width)                                                                                                  \
  typedef struct D { N v; N d[width]; } D;                                                                                    \
  AD__DUAL_WORDS(D, N, width)                                                                                                 \
  AD__NUMBER(D) AD_UNARY(AD__DUAL_1, N, D) AD_BINARY(AD__DUAL_2, N, D) AD_TERNARY(AD__DUAL_3, N, D) AD_RULES(D)
#define AD__DUAL_WORDS(D, N, width)                                                                                           \
  typedef N##_mask D##_mask;                                                                                                  \
  AD_INLINE D D##_k(double c) { D r; r.v = N##_k(c); for (int k = 0; k < (width); k++) r.d[k] = N##_k(0); return r; }         \
  AD_INLINE D D##__chain_1(N v, N p, D a) {                                                                                   \
    D r; r.v = v; for (int k = 0; k < (width); k++) r.d[k] = N##_seed(a.d[k], p); return r; }                                 \
  AD_INLINE D D##__chain_2(N v, N p, D a, N q, D b) {                                                                         \
    D r; r.v = v; for (int k = 0; k < (width); k++) r.d[k] = N##_add(N##_seed(a.d[k], p), N##_seed(b.d[k], q)); return r; }   \
  AD_INLINE D D##__chain_3(N v, N p, D a, N q, D b, N s, D c) {                                                               \
    D r; r.v = v;                                                                                                             \
    for (int k = 0; k < (width); k++)                                                                                         \
      r.d[k] = N##_add(N##_add(N##_seed(a.d[k], p), N##_seed(b.d[k], q)), N##_seed(c.d[k], s));                               \
    return r; }                                                                                                               \
  AD_INLINE D D##_seed(D g, D p) {                                                                                            \
    D r; r.v = N##_seed(g.v, p.v);                                                                                            \
    for (int k = 0; k < (width); k++) r.d[k] = N##_add(N##_seed(g.v, p.d[k]), N##_seed(g.d[k], p.v));                         \
    return r; }                                                                                                               \
  AD_INLINE D D##_select(D##_mask m, D a, D b) {                                                                              \
    D r; r.v = N##_select(m, a.v, b.v); for (int k = 0; k < (width); k++) r.d[k] = N##_select(m, a.d[k], b.d[k]); return r; } \
  AD_INLINE D##_mask D##_eq(D a, D b) { return N##_eq(a.v, b.v); }                                                            \
  AD_INLINE D##_mask D##_lt(D a, D b) { return N##_lt(a.v, b.v); }                                                            \
  AD_INLINE D##_mask D##_le(D a, D b) { return N##_le(a.v, b.v); }                                                            \
  AD_INLINE D##_mask D##_ne(D a, D b) { return N##_ne(a.v, b.v); }                                                            \
  AD_INLINE D D##_only(D##_mask m, D a) {                                                                                     \
    D r; r.v = N##_only(m, a.v); for (int k = 0; k < (width); k++) r.d[k] = N##_only(m, a.d[k]); return r; }

AD_DUAL(ad_dual, ad_f64, AD_DUAL_WIDTH)

#endif /* AD_H */
