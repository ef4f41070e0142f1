/* Every row of the operator table as a loop over registers, and its partial with respect to the first operand. */
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

#define ENTRY(name, arity, S, op, loop) {name, arity, (int)sizeof(S), ad_ops[AD_OP_##op].lo, ad_ops[AD_OP_##op].hi, loop},
#define ENTRY_1(N, S, op, ...) ENTRY(#S "/" #op, 1, S, op, N##_##op##_loop) ENTRY(#S "/" #op "_dx", 2, S, op, N##_##op##_dx_loop)
#define ENTRY_2(N, S, op, ...) ENTRY(#S "/" #op, 2, S, op, N##_##op##_loop)
#define ENTRY_3(N, S, op, ...) ENTRY(#S "/" #op, 3, S, op, N##_##op##_loop)
        extern const bench_kernel BENCH(lanes)[];
const bench_kernel BENCH(lanes)[] = {AD_UNARY(ENTRY_1, ad_v32, ad_f32) AD_BINARY(ENTRY_2, ad_v32, ad_f32)
                                         AD_TERNARY(ENTRY_3, ad_v32, ad_f32) AD_UNARY(ENTRY_1, ad_v64, ad_f64)
                                             AD_BINARY(ENTRY_2, ad_v64, ad_f64)
                                                 AD_TERNARY(ENTRY_3, ad_v64, ad_f64){NULL, 0, 0, NULL, NULL, NULL}};
