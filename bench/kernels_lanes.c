/* Every row of the operator table as a loop over registers, and its partial with respect to the first operand; the words that are no
   rows; and the functions that come from SLEEF as a loop over SLEEF's own (ad_f64/exp_sleef beside ad_f64/exp). */
#include "ad_simd.h"
#include "ad.h"
#include "bench.h"

#define LOOP_1(N, S, name, call)                                                                                                           \
  static void name(size_t n, const void *px, const void *py, const void *pz, void *pr) {                                                   \
    const S *xs = (const S *)px, *ys = (const S *)py, *zs = (const S *)pz;                                                                 \
    for (size_t i = 0; i < n; i += sizeof(N) / sizeof(S)) N##_store((S *)pr + i, call);                                                    \
    (void)xs, (void)ys, (void)zs;                                                                                                          \
  }
#define X(N) N##_load(xs + i)
#define Y(N) N##_load(ys + i)
#define Z(N) N##_load(zs + i)
#define ROW_1(N, S, op, ...) LOOP_1(N, S, N##_##op##_loop, N##_##op(X(N))) LOOP_1(N, S, N##_##op##_dx_loop, N##_##op##_dx(X(N), Y(N)))
#define ROW_2(N, S, op, ...) LOOP_1(N, S, N##_##op##_loop, N##_##op(X(N), Y(N)))
#define ROW_3(N, S, op, ...) LOOP_1(N, S, N##_##op##_loop, N##_##op(X(N), Y(N), Z(N)))
AD_UNARY(ROW_1, ad_v32, ad_f32)
AD_BINARY(ROW_2, ad_v32, ad_f32) AD_TERNARY(ROW_3, ad_v32, ad_f32) AD_UNARY(ROW_1, ad_v64, ad_f64) AD_BINARY(ROW_2, ad_v64, ad_f64)
    AD_TERNARY(ROW_3, ad_v64, ad_f64)

/* words that are no rows: comparisons with what they are for, masks, tails of one element less, reductions of a register */
#define LESS(N) (sizeof(N) / sizeof(N##_lowest(N##_k(0))) > 1 ? (int)(sizeof(N) / sizeof(N##_lowest(N##_k(0)))) - 1 : 1)
#define LOOP_TAIL(N, S)                                                                                                                    \
  static void N##_tail_loop(size_t n, const void *px, const void *py, const void *pz, void *pr) {                                          \
    for (size_t i = 0; i < n; i += sizeof(N) / sizeof(S)) N##_store_n((S *)pr + i, N##_load_n((const S *)px + i, LESS(N)), LESS(N));       \
    (void)py, (void)pz;                                                                                                                    \
  }
#define LOOP_REDUCE(N, S, word)                                                                                                            \
  static void N##_##word##_loop(size_t n, const void *px, const void *py, const void *pz, void *pr) {                                      \
    for (size_t i = 0; i < n; i += sizeof(N) / sizeof(S)) ((S *)pr)[i / (sizeof(N) / sizeof(S))] = N##_##word(N##_load((const S *)px + i));\
    (void)py, (void)pz;                                                                                                                    \
  }
#define WORDS(WORD, TAIL, REDUCE, N, S)                                                                                                    \
  WORD(N, S, load_store, 1, X(N)) WORD(N, S, fnma, 3, N##_fnma(X(N), Y(N), Z(N)))                                                          \
  WORD(N, S, lt_select, 2, N##_select(N##_lt(X(N), Y(N)), X(N), Y(N))) WORD(N, S, le_select, 2, N##_select(N##_le(X(N), Y(N)), X(N), Y(N)))\
  WORD(N, S, eq_only, 2, N##_only(N##_eq(X(N), Y(N)), X(N))) WORD(N, S, ne_only, 2, N##_only(N##_ne(X(N), Y(N)), X(N)))                    \
  WORD(N, S, and_not_or, 3, N##_only(N##_or(N##_and(N##_lt(X(N), Y(N)), N##_lt(Y(N), Z(N))), N##_not(N##_lt(X(N), Z(N)))), X(N)))          \
  WORD(N, S, any_all, 2, N##_k(N##_any(N##_lt(X(N), Y(N))) + N##_all(N##_lt(X(N), Y(N)))))                                                 \
  TAIL(N, S) REDUCE(N, S, sum) REDUCE(N, S, highest) REDUCE(N, S, lowest)
#define WORD_LOOP(N, S, word, arity, call) LOOP_1(N, S, N##_##word##_loop, call)
WORDS(WORD_LOOP, LOOP_TAIL, LOOP_REDUCE, ad_v32, ad_f32)
WORDS(WORD_LOOP, LOOP_TAIL, LOOP_REDUCE, ad_v64, ad_f64)

#if defined(AD__SLEEF)
#define SLEEF_LOOP(N, op, fine, fast) LOOP_1(N, AD__PASTE(AD__ELEMENT, N), N##_##op##_sleef_loop, AD__SLEEF_##N(op, fine)(X(N)))
#define OF_SLEEF(LOOP, N) AD__MATH_1(LOOP, N) AD__ENDS_1(LOOP, N)
OF_SLEEF(SLEEF_LOOP, ad_v32)
OF_SLEEF(SLEEF_LOOP, ad_v64)
#else
#define OF_SLEEF(LOOP, N)
#endif

#define ENTRY(name, arity, S, op, loop) {name, arity, (int)sizeof(S), ad_ops[AD_OP_##op].lo, ad_ops[AD_OP_##op].hi, loop},
#define ENTRY_1(N, S, op, ...) ENTRY(#S "/" #op, 1, S, op, N##_##op##_loop) ENTRY(#S "/" #op "_dx", 2, S, op, N##_##op##_dx_loop)
#define ENTRY_2(N, S, op, ...) ENTRY(#S "/" #op, 2, S, op, N##_##op##_loop)
#define ENTRY_3(N, S, op, ...) ENTRY(#S "/" #op, 3, S, op, N##_##op##_loop)
#define ENTRY_WORD(N, S, word, arity, call) ENTRY(#S "/" #word, arity, S, fma, N##_##word##_loop)
#define ENTRY_TAIL(N, S) ENTRY(#S "/load_n_store_n", 1, S, fma, N##_tail_loop)
#define ENTRY_REDUCE(N, S, word) ENTRY(#S "/" #word, 1, S, fma, N##_##word##_loop)
#define ENTRY_SLEEF_32(N, op, fine, fast) ENTRY("ad_f32/" #op "_sleef", 1, ad_f32, op, N##_##op##_sleef_loop)
#define ENTRY_SLEEF_64(N, op, fine, fast) ENTRY("ad_f64/" #op "_sleef", 1, ad_f64, op, N##_##op##_sleef_loop)
extern const bench_kernel BENCH(lanes)[];
const bench_kernel BENCH(lanes)[] = {AD_UNARY(ENTRY_1, ad_v32, ad_f32) AD_BINARY(ENTRY_2, ad_v32, ad_f32)
                                         AD_TERNARY(ENTRY_3, ad_v32, ad_f32) WORDS(ENTRY_WORD, ENTRY_TAIL, ENTRY_REDUCE, ad_v32, ad_f32)
                                             OF_SLEEF(ENTRY_SLEEF_32, ad_v32) AD_UNARY(ENTRY_1, ad_v64, ad_f64)
                                                 AD_BINARY(ENTRY_2, ad_v64, ad_f64) AD_TERNARY(ENTRY_3, ad_v64, ad_f64)
                                                     WORDS(ENTRY_WORD, ENTRY_TAIL, ENTRY_REDUCE, ad_v64, ad_f64)
                                                         OF_SLEEF(ENTRY_SLEEF_64, ad_v64){NULL, 0, 0, NULL, NULL, NULL}};
