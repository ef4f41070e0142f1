/* ad_simd.h - v0.1 - MIT - one vocabulary of SIMD lanes, four backends; arrays, reductions and GEMM on top.

   Drop ad_simd.h beside ad.h and include it. Nothing is linked but libm and, where <sleef.h> is found, SLEEF (-lsleef).
   One backend is compiled, chosen from the compiler's own macros; -DAD_SIMD=AD_SIMD_SCALAR|AVX2|AVX512|NEON overrides.

   Contents, by tag:
     >>config     compiler attributes, what must not be switched on
     >>select     the choice of the backend
     >>contract   the words that every number system supplies, in scalar terms
     >>systems    ad_f32 and ad_f64: the words on plain float and double, math from libm
     >>special    functions of several steps, written in words, for all four systems
     >>scalar  >>avx2  >>avx512  >>neon    ad_v32 and ad_v64: the words on a register, one section a backend
     >>derived    words made of other words, the same on every backend
     >>structures arrays of structures, turned in registers
     >>math       exp, log, sin, ... of a register: SLEEF, or libm lane by lane
     >>arrays     loops over arrays and views, transposes, copies, gather and scatter
     >>reduce     sums, products, extrema, norms, moments of arrays and of the columns of matrices
     >>rows       softmax, logsumexp, cross entropy, layer norm, row by row, with their adjoints
     >>random     random numbers by counter: uniform, normal, dropout
     >>optimise   steps of SGD and Adam
     >>gemm       products of matrices and vectors
     >>linalg     triangular systems, Cholesky and LU factors
     >>conv       convolution and pooling of images

   Two parts. The light part (config, select, contract, systems) includes <math.h> and nothing heavier; a unit that wants
   only scalars defines AD_SIMD_SCALARS_ONLY around the include. The vector part includes the intrinsics and <sleef.h>.
   Licence: MIT, see the end of the file. */

#ifndef AD_SIMD_H
#define AD_SIMD_H

/* >>config --------------------------------------------------------------------------------------------------------------
   AD_INLINE marks the words: they must vanish into the loop that uses them, so they are forced inline where the compiler
   can be told to. All functions have internal linkage: units compiled with different -m flags may be linked together.

   Contraction. gcc fuses a multiplication and an addition into an fma in its gnu modes, also when they are written as
   intrinsics, and knows no pragma against it. The result of N_mul of a register therefore passes AD__ROUNDED, an empty
   asm statement that costs no instruction and hides the product from that pass. What is to be fused is written as N_fma. */

#include <math.h>
#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <string.h>

#if (defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) || defined(_M_FP_FAST)) && !defined(AD_ALLOW_FAST_MATH)
#error "ad: -ffast-math breaks NaN, infinity and signed zero, on which derivatives at special points rest (AD_ALLOW_FAST_MATH overrides)"
#endif

#if defined(__GNUC__)
#if !defined(AD_INLINE) && defined(__OPTIMIZE__)
#define AD_INLINE static inline __attribute__((always_inline, unused))
#elif !defined(AD_INLINE)               /* without optimisation all words inlined into all others are 200 times the code */
#define AD_INLINE static inline __attribute__((unused))
#endif
#define AD_LOCAL static __attribute__((unused))
#define AD_LIKELY(c) __builtin_expect(!!(c), 1)
#else
#define AD_INLINE static inline
#define AD_LOCAL static
#define AD_LIKELY(c) (c)
#endif

#if defined(__GNUC__) && defined(__AVX512F__)
#define AD__ROUNDED(x) __asm__("" : "+v"(x))
#elif defined(__GNUC__) && defined(__FMA__)
#define AD__ROUNDED(x) __asm__("" : "+x"(x))
#elif defined(__GNUC__) && defined(__aarch64__)
#define AD__ROUNDED(x) __asm__("" : "+w"(x))
#else
#define AD__ROUNDED(x) ((void)0)
#endif

/* what reads memory for x comes before what follows */
#if defined(__GNUC__) && defined(__AVX512F__)
#define AD__IN_ORDER(x) __asm__ volatile("" : "+v"(x) : : "memory")
#elif defined(__GNUC__) && defined(__x86_64__)
#define AD__IN_ORDER(x) __asm__ volatile("" : "+x"(x) : : "memory")
#elif defined(__GNUC__) && defined(__aarch64__)
#define AD__IN_ORDER(x) __asm__ volatile("" : "+w"(x) : : "memory")
#else
#define AD__IN_ORDER(x) ((void)0)
#endif

/* AD__UNROLL before a loop whose count is known once its function is inlined: the loop disappears and the arrays it
   indexes become registers. AD__ROLLED before one that is long enough as it is. */
#if defined(__clang__)
#define AD__UNROLL _Pragma("clang loop unroll(full)")
#define AD__ROLLED _Pragma("clang loop unroll(disable)")
#elif defined(__GNUC__) && defined(__OPTIMIZE__)       /* without, gcc warns that it ignores them */
#define AD__UNROLL _Pragma("GCC unroll 32")
#define AD__ROLLED
#else
#define AD__UNROLL
#define AD__ROLLED
#endif

/* a * b, or SIZE_MAX where that or more comes out; a + b likewise */
AD_INLINE size_t ad__times(size_t a, size_t b) { return a != 0 && b > SIZE_MAX / a ? SIZE_MAX : a * b; }
AD_INLINE size_t ad__plus(size_t a, size_t b) { return b > SIZE_MAX - a ? SIZE_MAX : a + b; }

/* >>select -------------------------------------------------------------------------------------------------------------- */

#define AD_SIMD_SCALAR 1
#define AD_SIMD_AVX2 2
#define AD_SIMD_AVX512 3
#define AD_SIMD_NEON 4

#ifndef AD_SIMD
#if defined(__AVX512F__)
#define AD_SIMD AD_SIMD_AVX512
#elif defined(__AVX2__) && defined(__FMA__)
#define AD_SIMD AD_SIMD_AVX2
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define AD_SIMD AD_SIMD_NEON
#else
#define AD_SIMD AD_SIMD_SCALAR
#endif
#endif

/* >>contract ------------------------------------------------------------------------------------------------------------
   A number system N is a type and words on it. S is the type of one element, N_mask the type of a comparison's result.
   In terms of one element:

     N_k(c)            the constant c (a double) in every lane
     N_load(p)         lanes p[0] p[1] ...;  N_store(p, x)  writes them; no alignment beyond that of S
     N_stream(p, x)    N_store past the caches where the instruction set can, p aligned to the register
     N_load_n(p, n)    the first n lanes (1 <= n <= lanes), the others a copy of p[0], so that no lane holds an invalid
                       number; reads nothing past p[n-1].  N_store_n(p, x, n) writes the first n lanes only
     N_load_or(p, n, x)  the first n lanes from p (0 <= n <= lanes), the others those of x;  N_first(n)  the mask of those lanes
     N_add N_sub N_mul N_div   each rounded once
     N_fma(a, b, c)    a*b + c with one rounding;  N_fnma(a, b, c)  c - a*b with one rounding
     N_neg N_abs       the sign bit flipped, cleared (of NaN and zero too);  N_copysign(x, s)  |x| with the sign of s
     N_sqrt            correctly rounded
     N_floor N_ceil N_trunc N_rint     rint: ties to even
     N_min N_max       of IEEE 754-2019 minimum and maximum: NaN if either is NaN, -0 < +0
     N_larger(a, b)    a > b ? a : b in one instruction, where NaN and the sign of zero do not matter;  N_largest(x)  of the lanes
     N_lt N_le N_eq N_ne   masks; with a NaN all false but ne, which is true
     N_and N_or N_not  of masks;  N_any(m) N_all(m)  bool
     N_select(m, a, b) a where m, b elsewhere, bit by bit: what is not selected leaves no trace
     N_only(m, x)      x where m, +0 elsewhere;  N_mul_only(m, x, y)  N_only(m, x*y)
     N_sum(x)          the sum of the lanes by the pairwise tree ((0+h) + (q+..)), h = half the lanes: halves are added
                       until one is left;  N_highest N_lowest  of the lanes, by N_max and N_min
     AD_V32_LANES AD_V64_LANES   how many

   and for kernels with edges, of registers only

     N_dup(p)          p[0] in every lane
     N_part            which lanes are in use;  N_part_of(n)  the first n of them (0 <= n <= lanes)
     N_load_part(p, part)  the lanes in use, +0 in the others; reads no others;  N_store_part(p, x, part)
     N_transpose(r)    r[0] r[1] ..., as many registers as lanes, taken as a square matrix and transposed in place

   and the functions listed in >>math (exp, log, sin, pow, ...) and >>special (gauss, gelu, digamma, ...), by the same names.

   The systems ad_f32 and ad_f64 (one element, math from libm) have all of these too, and so have duals over any system,
   except loads, stores and sums. A new instruction set is a new section with these names. */

/* >>systems ------------------------------------------------------------------------------------------------------------- */

/* clang takes it that sin may set errno, so that a dual's sin, which needs cos too, becomes two calls: declared again under other
   names as functions of their argument alone, the two become one call of sincos, as gcc does by itself (a dual sin: 1.5 times faster) */
#if defined(__clang__) && defined(__ELF__)
extern double ad__sin(double) __asm__("sin") __attribute__((const));
extern double ad__cos(double) __asm__("cos") __attribute__((const));
extern float ad__sinf(float) __asm__("sinf") __attribute__((const));
extern float ad__cosf(float) __asm__("cosf") __attribute__((const));
#else
#define ad__sin sin
#define ad__cos cos
#define ad__sinf sinf
#define ad__cosf cosf
#endif

typedef float ad_f32;
typedef double ad_f64;
typedef bool ad_f32_mask;
typedef bool ad_f64_mask;

#define AD__PASTE_(a, b) a##_##b
#define AD__PASTE(a, b) AD__PASTE_(a, b)
#define AD_W(word) AD__PASTE(AD_N, word)   /* in a template: the word on the number system AD_N */
#define AD_SW(word) AD__PASTE(AD_S, word)  /* on its element */

/* the templates at the end of this file */
#define AD__ONE_LANE 1
#define AD__DERIVED 2
#define AD__LIBM_MATH 3
#define AD__SPECIAL 31
#define AD__GAMMA 32
#define AD__SLEEF_ENDS 33
#define AD__MODULO 34
#define AD__GEMM 40
#define AD__SQUARES 41
#define AD__ARRAY_LOOPS 20
#define AD__REDUCE 21
#define AD__LINALG 42
#define AD__CONV 43
#define AD__ROWS 22
#define AD__OPTIMISE 23
#define AD__RANDOM 24

#define AD__TEMPLATE AD__ONE_LANE
#define AD_N ad_f32
#define AD_S ad_f32
#define AD_LIBM(op) op##f
#include "ad_simd.h"
#define AD_N ad_f64
#define AD_S ad_f64
#define AD_LIBM(op) op
#include "ad_simd.h"
#undef AD__TEMPLATE

#define AD__TEMPLATE AD__LIBM_MATH
#define AD_N ad_f32
#define AD_LIBM(op) op##f
#include "ad_simd.h"
#define AD_N ad_f64
#define AD_LIBM(op) op
#include "ad_simd.h"
#undef AD__TEMPLATE

/* >>special -------------------------------------------------------------------------------------------------------------
   Functions whose stable form has several steps: the templates special (any system) and gamma (double) at the end of this
   file. They are written in words, fused where written so, and therefore give the same bits on every backend. AD_C(s, d) in
   them is a constant for float and for double. Rare functions of float are computed in double and rounded (AD__IN_DOUBLE).

   Never neg(fma(a, b, c)): gcc makes one instruction of it whose zero has the other sign. fma(-a, b, -c) is written instead.

   Series. erfcx: (x + 1/2) erfcx(x), (x + 1/2)^2 erfcx'(x) and (x + 1/2)^3 erfcx''(x) are smooth in q = (x-4)/(x+4), which maps
   0..inf to -1..1: a polynomial each, fitted at Chebyshev nodes with 50 digits. digamma: psi(x)/(x - x0) on [1, 2] in
   2x - 3, x0 the root, so that the relative error stays small through the root; asymptotic from 10 on. */

#if defined(__GNUC__) && !defined(_WIN32)
#define AD__RARE static __attribute__((noinline, unused))   /* long and seldom: not worth a copy at every use */
#else
#define AD__RARE AD_INLINE
#endif

#define AD__NAN ((double)NAN)
#define AD__INF ((double)INFINITY)
#define AD__PI 0x1.921fb54442d18p+1
#define AD__PI_SQUARED 0x1.3bd3cc9be45dep+3
#define AD__TWO_BY_SQRT_PI 0x1.20dd750429b6dp+0
#define AD__SQRT_HALF 0x1.6a09e667f3bcdp-1
#define AD__LN2 0x1.62e42fefa39efp-1
#define AD__LN10 0x1.26bb1bbb55516p+1

AD_LOCAL const double ad__erfcx_fit[25] = {
  0x1.3ba5916e9fd7fp-1, -0x1.1df1ad154a287p-4, 0x1.f7f5df66fd6c2p-8, 0x1.16ecefcfa4d42p-5, -0x1.9ddb23c3e8a22p-5, 0x1.7fee004e1e9dcp-5,
  -0x1.0fb06dfe5229fp-5, 0x1.3079edf51fc68p-6, -0x1.0962388397d97p-7, 0x1.49c672e0029c2p-9, -0x1.8d4a9b00c7997p-12,
  -0x1.a1df5db3b79f4p-14, 0x1.3be04bf52bb5ap-14, -0x1.995385e20c3b6p-17, -0x1.78861f18ee7b4p-18, 0x1.7ef6b7a31e6a9p-19,
  0x1.3981051d34c77p-23, -0x1.b8d249727cce8p-22, 0x1.4cbb15f961e46p-25, 0x1.c8b87aa039fb6p-25, -0x1.613ab11aa87fdp-27,
  -0x1.a83c2ea8364c9p-28, 0x1.b39ff8659b236p-30, 0x1.ffeb28f8a7c30p-32, -0x1.246d137a7141bp-33 };
AD_LOCAL const double ad__erfcx_slope_fit[28] = {
  0x1.4fc08f9a1f0edp-1, -0x1.651f2c6d3140bp-4, -0x1.4112709c780acp-4, 0x1.56746fa964d26p-3, -0x1.4d9fc6f03a4fep-3, 0x1.984b5a911dd70p-4,
  -0x1.d618589edf5f5p-6, -0x1.025ca41cf04ebp-6, 0x1.ca639bc231df3p-6, -0x1.55e81dfe0f31fp-6, 0x1.3ce3438617e7bp-7, -0x1.3ae9a685b0023p-9,
  -0x1.a79312f72ea48p-13, 0x1.ab55e01f2dd40p-12, -0x1.c8c2081d3a868p-14, -0x1.ccc99b2795f37p-16, 0x1.83d0828eeb502p-16,
  -0x1.688ae0ef0aa4bp-21, -0x1.d9ce8d9bf8d76p-19, 0x1.4db411b507116p-21, 0x1.10f15c8f652bbp-21, -0x1.3f89d8bbce313p-23,
  -0x1.39e7701b8b0dap-24, 0x1.d5602b7b32167p-26, 0x1.4224f114849d9p-27, -0x1.079e4b874b91ep-28, -0x1.95a8c765d41c4p-31,
  0x1.4de30606f1c4ep-32 };
AD_LOCAL const double ad__erfcx_curve_fit[29] = {
  0x1.5c4ea829f5ca1p+0, -0x1.8dad7fb8019c3p-4, -0x1.fc9c066ae1fc6p-2, 0x1.63e0fde297755p-1, -0x1.df604b13273cbp-2, 0x1.2cbb203a45144p-4,
  0x1.9c23a55e40750p-3, -0x1.f8f14fac84494p-3, 0x1.215ac691f0de1p-3, -0x1.6357ea410d2ecp-6, -0x1.25dff8f9cd0a8p-5, 0x1.235668ca38674p-5,
  -0x1.f3b242f8e4193p-7, 0x1.4e1d26af57a4cp-10, 0x1.18a7dd5a9b19cp-9, -0x1.014abed8eebc9p-10, -0x1.5527359214a22p-14,
  0x1.988aa4da382b7p-13, -0x1.bf83e3da44820p-16, -0x1.02a95e5ae7cd6p-15, 0x1.3684c1cf00cc7p-17, 0x1.3b25a83de6bcbp-18,
  -0x1.1a6750bebbe73p-19, -0x1.7fe685a477905p-21, 0x1.a9911fe8d3b9bp-22, 0x1.9b65994e86a4dp-24, -0x1.ec334b74b7622p-25,
  -0x1.089a6f4f7a5e9p-27, 0x1.3c691340ce575p-28 };
AD_LOCAL const double ad__digamma_fit[23] = {
  0x1.e6f0cbb873616p-1, -0x1.b1cb63005ee98p-3, 0x1.eca189b8e6f7bp-5, -0x1.2feeeb98a78cbp-6, 0x1.8512e59037ebbp-8, -0x1.fb44202a259cep-10,
  0x1.4de9aa1802de8p-11, -0x1.b9f8b11b2f98ep-13, 0x1.25647156391a7p-14, -0x1.8635641765f08p-16, 0x1.03c0b2b60f6f7p-17,
  -0x1.5a06a23d62223p-19, 0x1.cd1f26d55994ep-21, -0x1.336df991b5f25p-22, 0x1.99e1aca26565dp-24, -0x1.0fb126d4c2892p-25,
  0x1.69ba8fdd1d52cp-27, -0x1.fdacdb7508852p-29, 0x1.56c5b73aaffa6p-30, -0x1.2f41994664278p-32, 0x1.80260c257a44fp-34,
  -0x1.761380b8f00cep-34, 0x1.00b98a8f0aa04p-35 };
AD_LOCAL const double ad__digamma_tail[9] = {
  -0x1.5555555555555p-4, 0x1.1111111111111p-7, -0x1.0410410410410p-8, 0x1.1111111111111p-8, -0x1.f07c1f07c1f08p-8, 0x1.5995995995996p-6,
  -0x1.5555555555555p-4, 0x1.c5e5e5e5e5e5ep-2, -0x1.86e7f9b9fe6e8p+1 };
AD_LOCAL const double ad__polygamma_tail[11] = {
  0x1.5555555555555p-3, -0x1.1111111111111p-5, 0x1.8618618618618p-6, -0x1.1111111111111p-5, 0x1.364d9364d9365p-4, -0x1.0330330330330p-2,
  0x1.2aaaaaaaaaaabp+0, -0x1.c5e5e5e5e5e5ep+2, 0x1.b7c4f8f13e3c5p+5, -0x1.088fe72cfe72dp+9, 0x1.8301f89467e25p+12 };
AD_LOCAL const double ad__tetragamma_tail[11] = {
  0x1p-1, -0x1.5555555555555p-3, 0x1.5555555555555p-3, -0x1.3333333333333p-2, 0x1.aaaaaaaaaaaabp-1, -0x1.a52e52e52e52ep+1,
  0x1.1800000000000p+4, -0x1.e244444444444p+6, 0x1.051cf3cf3cf3dp+10, -0x1.5b3cdf6b0df6bp+13, 0x1.16296aaaaaaabp+17 };
AD_LOCAL const double ad__zeta_tail[10] = {
  0x1.5555555555555p-4, -0x1.6c16c16c16c17p-10, 0x1.1566abc011567p-15, -0x1.bbd779334ef0bp-21, 0x1.66a8f2bf70ebep-26,
  -0x1.22805d644267fp-31, 0x1.d6db2c4e09162p-37, -0x1.7da4e1f79955cp-42, 0x1.355871d652e9ep-47, -0x1.f57d968caacf1p-53 };
AD_LOCAL const double ad__sinc_slope_fit[11] = {
  -0x1.5555555555555p-2, 0x1.1111111111111p-5, -0x1.3813813813814p-10, 0x1.71de3a556c734p-16, -0x1.0cfeb60f94b0ep-22,
  0x1.08db48ebe51c7p-29, -0x1.78af56a4d411bp-37, 0x1.952c77030ad4ap-45, -0x1.5532eaf516982p-53, 0x1.ce272b49432cep-62,
  -0x1.0132bcd1f4692p-70 };
AD_LOCAL const double ad__sinc_curve_fit[11] = {
  -0x1.5555555555555p-2, 0x1.999999999999ap-4, -0x1.8618618618618p-8, 0x1.43a2730abee4dp-13, -0x1.2e9e8cd187470p-19,
  0x1.6c2d84445b072p-26, -0x1.320e7665ec4e6p-33, 0x1.7bd9af92da276p-41, -0x1.6a8619a46801ap-49, 0x1.126741b37fe2ap-57,
  -0x1.519297d390c9fp-66 };
AD_LOCAL const double ad__sinc_third_fit[11] = {
  0x1.999999999999ap-3, -0x1.8618618618618p-6, 0x1.e573ac901e574p-11, -0x1.2e9e8cd187470p-16, 0x1.c738e55571c8ep-23,
  -0x1.cb15b198e2759p-30, 0x1.4c5e79a07ee27p-37, -0x1.6a8619a46801ap-45, 0x1.34b429e9efdf0p-53, -0x1.a5f73dc874fc7p-62,
  0x1.d93ea31beaacfp-71 };

#define AD__TEMPLATE AD__SPECIAL
#define AD_N ad_f32
#define AD_C(s, d) (s)
#include "ad_simd.h"
#define AD_N ad_f64
#define AD_C(s, d) (d)
#include "ad_simd.h"
#undef AD__TEMPLATE
#define AD__TEMPLATE AD__GAMMA
#define AD_N ad_f64
#include "ad_simd.h"
#undef AD__TEMPLATE

#define AD__RARE_1(IN_DOUBLE)                                                                                                 \
  IN_DOUBLE(erfcx) IN_DOUBLE(erfcx_slope) IN_DOUBLE(erfcx_curve) IN_DOUBLE(log_ndtr) IN_DOUBLE(log_ndtr_slope)                \
  IN_DOUBLE(digamma) IN_DOUBLE(trigamma) IN_DOUBLE(tetragamma)
#define AD__IN_DOUBLE(op) AD_INLINE ad_f32 ad_f32_##op(ad_f32 x) { return (ad_f32)ad_f64_##op((ad_f64)x); }
AD__RARE_1(AD__IN_DOUBLE)
AD_INLINE ad_f32 ad_f32_polygamma(ad_f32 n, ad_f32 x) { return (ad_f32)ad_f64_polygamma((ad_f64)n, (ad_f64)x); }

#endif /* AD_SIMD_H */

#if !defined(AD_SIMD_VECTORS_H) && !defined(AD_SIMD_SCALARS_ONLY) && !defined(AD__TEMPLATE)
#define AD_SIMD_VECTORS_H

#if AD_SIMD == AD_SIMD_AVX2 || AD_SIMD == AD_SIMD_AVX512
#include <immintrin.h>
#elif AD_SIMD == AD_SIMD_NEON
#include <arm_neon.h>
#endif

/* >>scalar --------------------------------------------------------------------------------------------------------------
   One lane. The words of ad_f32 and ad_f64 again (the template one-lane below), products kept from contraction. */

#if AD_SIMD == AD_SIMD_SCALAR
#define AD_V32_LANES 1
#define AD_V64_LANES 1
typedef float ad_v32;
typedef double ad_v64;
typedef bool ad_v32_mask;
typedef bool ad_v64_mask;
#define AD__TEMPLATE AD__ONE_LANE
#define AD__KEEP_PRODUCT
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LIBM(op) op##f
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LIBM(op) op
#include "ad_simd.h"
#undef AD__KEEP_PRODUCT
#undef AD__TEMPLATE
#endif

/* >>avx2 ---------------------------------------------------------------------------------------------------------------- */

#if AD_SIMD == AD_SIMD_AVX2
#define AD_V32_LANES 8
#define AD_V64_LANES 4
typedef __m256 ad_v32;
typedef ad_v32 ad_v32_mask;
AD_INLINE ad_v32 ad_v32_k(double c) { return _mm256_set1_ps((float)c); }
AD_INLINE ad_v32 ad_v32_load(const ad_f32 *p) { return _mm256_loadu_ps(p); }
AD_INLINE void ad_v32_store(ad_f32 *p, ad_v32 x) { _mm256_storeu_ps(p, x); }
AD_INLINE void ad_v32_stream(ad_f32 *p, ad_v32 x) { _mm256_stream_ps(p, x); }
AD_INLINE __m256i ad_v32__first(int n) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
AD_INLINE ad_v32 ad_v32_load_n(const ad_f32 *p, int n) {
  __m256i m = ad_v32__first(n);
  return _mm256_blendv_ps(_mm256_broadcast_ss(p), _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m));
}
AD_INLINE void ad__store_two(ad_f32 *p, __m128 x) { double two = _mm_cvtsd_f64(_mm_castps_pd(x)); memcpy(p, &two, sizeof two); }
/* in pieces of 4, 2 and 1: a masked store takes 20 cycles and more on AMD */
AD_INLINE void ad_v32_store_n(ad_f32 *p, ad_v32 x, int n) {
  __m128 h = _mm256_castps256_ps128(x);
  if (n & 8) _mm256_storeu_ps(p, x);
  if (n & 4) _mm_storeu_ps(p, h), h = _mm256_extractf128_ps(x, 1), p += 4;
  if (n & 2) ad__store_two(p, h), h = _mm_movehl_ps(h, h), p += 2;
  if (n & 1) _mm_store_ss(p, h);
}
AD_INLINE ad_v32_mask ad_v32_first(int n) { return _mm256_castsi256_ps(ad_v32__first(n)); }
AD_INLINE ad_v32 ad_v32_load_or(const ad_f32 *p, int n, ad_v32 x) {
  __m256i m = ad_v32__first(n);
  return _mm256_blendv_ps(x, _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m));
}
AD_INLINE ad_v32 ad_v32_larger(ad_v32 a, ad_v32 b) { return _mm256_max_ps(a, b); }
AD_INLINE ad_f32 ad_v32_largest(ad_v32 x) {
  __m128 h = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  h = _mm_max_ps(h, _mm_movehl_ps(h, h));
  return _mm_cvtss_f32(_mm_max_ss(h, _mm_movehdup_ps(h)));
}
AD_INLINE ad_v32 ad_v32_add(ad_v32 a, ad_v32 b) { return _mm256_add_ps(a, b); }
AD_INLINE ad_v32 ad_v32_sub(ad_v32 a, ad_v32 b) { return _mm256_sub_ps(a, b); }
AD_INLINE ad_v32 ad_v32_div(ad_v32 a, ad_v32 b) { return _mm256_div_ps(a, b); }
AD_INLINE ad_v32 ad_v32_mul(ad_v32 a, ad_v32 b) { ad_v32 r = _mm256_mul_ps(a, b); AD__ROUNDED(r); return r; }
AD_INLINE ad_v32 ad_v32_fma(ad_v32 a, ad_v32 b, ad_v32 c) { return _mm256_fmadd_ps(a, b, c); }
AD_INLINE ad_v32 ad_v32_fnma(ad_v32 a, ad_v32 b, ad_v32 c) { return _mm256_fnmadd_ps(a, b, c); }
AD_INLINE ad_v32 ad_v32_neg(ad_v32 x) { return _mm256_xor_ps(x, _mm256_set1_ps(-0.0f)); }
AD_INLINE ad_v32 ad_v32_abs(ad_v32 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
AD_INLINE ad_v32 ad_v32_copysign(ad_v32 x, ad_v32 s) { return _mm256_or_ps(_mm256_andnot_ps(_mm256_set1_ps(-0.0f), x), _mm256_and_ps(s, _mm256_set1_ps(-0.0f))); }
AD_INLINE ad_v32 ad_v32_sqrt(ad_v32 x) { return _mm256_sqrt_ps(x); }
AD_INLINE ad_v32 ad_v32_floor(ad_v32 x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v32 ad_v32_ceil(ad_v32 x) { return _mm256_round_ps(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v32 ad_v32_trunc(ad_v32 x) { return _mm256_round_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v32 ad_v32_rint(ad_v32 x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v32_mask ad_v32_lt(ad_v32 a, ad_v32 b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
AD_INLINE ad_v32_mask ad_v32_le(ad_v32 a, ad_v32 b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
AD_INLINE ad_v32_mask ad_v32_eq(ad_v32 a, ad_v32 b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
AD_INLINE ad_v32_mask ad_v32_ne(ad_v32 a, ad_v32 b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
AD_INLINE ad_v32_mask ad_v32_and(ad_v32_mask a, ad_v32_mask b) { return _mm256_and_ps(a, b); }
AD_INLINE ad_v32_mask ad_v32_or(ad_v32_mask a, ad_v32_mask b) { return _mm256_or_ps(a, b); }
AD_INLINE ad_v32_mask ad_v32_not(ad_v32_mask a) { return _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1))); }
AD_INLINE bool ad_v32_any(ad_v32_mask m) { return _mm256_movemask_ps(m) != 0; }
AD_INLINE bool ad_v32_all(ad_v32_mask m) { return _mm256_movemask_ps(m) == 0xff; }
AD_INLINE ad_v32 ad_v32_select(ad_v32_mask m, ad_v32 a, ad_v32 b) { return _mm256_blendv_ps(b, a, m); }
AD_INLINE ad_v32 ad_v32_only(ad_v32_mask m, ad_v32 x) { return _mm256_and_ps(m, x); }
AD_INLINE ad_v32 ad_v32_mul_only(ad_v32_mask m, ad_v32 a, ad_v32 b) { return _mm256_and_ps(m, _mm256_mul_ps(a, b)); }
/* the instruction returns b for a NaN and for two zeros: both are mended afterwards */
AD_INLINE ad_v32 ad_v32_max(ad_v32 a, ad_v32 b) {
  ad_v32 r = _mm256_blendv_ps(_mm256_max_ps(a, b), _mm256_and_ps(a, b), _mm256_cmp_ps(a, b, _CMP_EQ_OQ));
  return _mm256_blendv_ps(r, _mm256_add_ps(a, b), _mm256_cmp_ps(a, b, _CMP_UNORD_Q));
}
AD_INLINE ad_v32 ad_v32_min(ad_v32 a, ad_v32 b) {
  ad_v32 r = _mm256_blendv_ps(_mm256_min_ps(a, b), _mm256_or_ps(a, b), _mm256_cmp_ps(a, b, _CMP_EQ_OQ));
  return _mm256_blendv_ps(r, _mm256_add_ps(a, b), _mm256_cmp_ps(a, b, _CMP_UNORD_Q));
}
AD_INLINE ad_f32 ad_v32_sum(ad_v32 x) {
  __m128 h = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  h = _mm_add_ps(h, _mm_movehl_ps(h, h));
  return _mm_cvtss_f32(_mm_add_ss(h, _mm_movehdup_ps(h)));
}
AD_INLINE ad_v32 ad_v32_dup(const ad_f32 *p) { return _mm256_broadcast_ss(p); }
typedef struct ad_v32_part { __m256i mask; int n; } ad_v32_part;
AD_INLINE ad_v32_part ad_v32_part_of(int n) { ad_v32_part part; part.mask = ad_v32__first(n); part.n = n; return part; }
AD_INLINE ad_v32 ad_v32_load_part(const ad_f32 *p, ad_v32_part part) { return _mm256_maskload_ps(p, part.mask); }
/* in halves: the masked store takes 40 operations on AMD processors */
AD_INLINE void ad_v32_store_part(ad_f32 *p, ad_v32 x, ad_v32_part part) {
  __m128 h = _mm256_castps256_ps128(x);
  if (part.n == 8) { _mm256_storeu_ps(p, x); return; }
  if (part.n & 4) { _mm_storeu_ps(p, h); p += 4; h = _mm256_extractf128_ps(x, 1); }
  if (part.n & 2) { ad__store_two(p, h); p += 2; h = _mm_movehl_ps(h, h); }
  if (part.n & 1) _mm_store_ss(p, h);
}
AD_INLINE void ad_v32_transpose(ad_v32 *r) {
  ad_v32 t[8], u[8];
  AD__UNROLL
  for (int i = 0; i < 8; i += 2) { t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]); t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]); }
  AD__UNROLL
  for (int i = 0; i < 8; i += 4) {
    u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  AD__UNROLL
  for (int i = 0; i < 4; i++) { r[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20); r[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31); }
}

typedef __m256d ad_v64;
typedef ad_v64 ad_v64_mask;
AD_INLINE ad_v64 ad_v64_k(double c) { return _mm256_set1_pd(c); }
AD_INLINE ad_v64 ad_v64_load(const ad_f64 *p) { return _mm256_loadu_pd(p); }
AD_INLINE void ad_v64_store(ad_f64 *p, ad_v64 x) { _mm256_storeu_pd(p, x); }
AD_INLINE void ad_v64_stream(ad_f64 *p, ad_v64 x) { _mm256_stream_pd(p, x); }
AD_INLINE __m256i ad_v64__first(int n) { return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)); }
AD_INLINE ad_v64 ad_v64_load_n(const ad_f64 *p, int n) {
  __m256i m = ad_v64__first(n);
  return _mm256_blendv_pd(_mm256_broadcast_sd(p), _mm256_maskload_pd(p, m), _mm256_castsi256_pd(m));
}
AD_INLINE void ad_v64_store_n(ad_f64 *p, ad_v64 x, int n) {
  __m128d h = _mm256_castpd256_pd128(x);
  if (n & 4) _mm256_storeu_pd(p, x);
  if (n & 2) _mm_storeu_pd(p, h), h = _mm256_extractf128_pd(x, 1), p += 2;
  if (n & 1) _mm_store_sd(p, h);
}
AD_INLINE ad_v64_mask ad_v64_first(int n) { return _mm256_castsi256_pd(ad_v64__first(n)); }
AD_INLINE ad_v64 ad_v64_load_or(const ad_f64 *p, int n, ad_v64 x) {
  __m256i m = ad_v64__first(n);
  return _mm256_blendv_pd(x, _mm256_maskload_pd(p, m), _mm256_castsi256_pd(m));
}
AD_INLINE ad_v64 ad_v64_larger(ad_v64 a, ad_v64 b) { return _mm256_max_pd(a, b); }
AD_INLINE ad_f64 ad_v64_largest(ad_v64 x) {
  __m128d h = _mm_max_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
  return _mm_cvtsd_f64(_mm_max_sd(h, _mm_unpackhi_pd(h, h)));
}
AD_INLINE ad_v64 ad_v64_add(ad_v64 a, ad_v64 b) { return _mm256_add_pd(a, b); }
AD_INLINE ad_v64 ad_v64_sub(ad_v64 a, ad_v64 b) { return _mm256_sub_pd(a, b); }
AD_INLINE ad_v64 ad_v64_div(ad_v64 a, ad_v64 b) { return _mm256_div_pd(a, b); }
AD_INLINE ad_v64 ad_v64_mul(ad_v64 a, ad_v64 b) { ad_v64 r = _mm256_mul_pd(a, b); AD__ROUNDED(r); return r; }
AD_INLINE ad_v64 ad_v64_fma(ad_v64 a, ad_v64 b, ad_v64 c) { return _mm256_fmadd_pd(a, b, c); }
AD_INLINE ad_v64 ad_v64_fnma(ad_v64 a, ad_v64 b, ad_v64 c) { return _mm256_fnmadd_pd(a, b, c); }
AD_INLINE ad_v64 ad_v64_neg(ad_v64 x) { return _mm256_xor_pd(x, _mm256_set1_pd(-0.0)); }
AD_INLINE ad_v64 ad_v64_abs(ad_v64 x) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), x); }
AD_INLINE ad_v64 ad_v64_copysign(ad_v64 x, ad_v64 s) { return _mm256_or_pd(_mm256_andnot_pd(_mm256_set1_pd(-0.0), x), _mm256_and_pd(s, _mm256_set1_pd(-0.0))); }
AD_INLINE ad_v64 ad_v64_sqrt(ad_v64 x) { return _mm256_sqrt_pd(x); }
AD_INLINE ad_v64 ad_v64_floor(ad_v64 x) { return _mm256_round_pd(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v64 ad_v64_ceil(ad_v64 x) { return _mm256_round_pd(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v64 ad_v64_trunc(ad_v64 x) { return _mm256_round_pd(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v64 ad_v64_rint(ad_v64 x) { return _mm256_round_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v64_mask ad_v64_lt(ad_v64 a, ad_v64 b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
AD_INLINE ad_v64_mask ad_v64_le(ad_v64 a, ad_v64 b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
AD_INLINE ad_v64_mask ad_v64_eq(ad_v64 a, ad_v64 b) { return _mm256_cmp_pd(a, b, _CMP_EQ_OQ); }
AD_INLINE ad_v64_mask ad_v64_ne(ad_v64 a, ad_v64 b) { return _mm256_cmp_pd(a, b, _CMP_NEQ_UQ); }
AD_INLINE ad_v64_mask ad_v64_and(ad_v64_mask a, ad_v64_mask b) { return _mm256_and_pd(a, b); }
AD_INLINE ad_v64_mask ad_v64_or(ad_v64_mask a, ad_v64_mask b) { return _mm256_or_pd(a, b); }
AD_INLINE ad_v64_mask ad_v64_not(ad_v64_mask a) { return _mm256_xor_pd(a, _mm256_castsi256_pd(_mm256_set1_epi32(-1))); }
AD_INLINE bool ad_v64_any(ad_v64_mask m) { return _mm256_movemask_pd(m) != 0; }
AD_INLINE bool ad_v64_all(ad_v64_mask m) { return _mm256_movemask_pd(m) == 0xf; }
AD_INLINE ad_v64 ad_v64_select(ad_v64_mask m, ad_v64 a, ad_v64 b) { return _mm256_blendv_pd(b, a, m); }
AD_INLINE ad_v64 ad_v64_only(ad_v64_mask m, ad_v64 x) { return _mm256_and_pd(m, x); }
AD_INLINE ad_v64 ad_v64_mul_only(ad_v64_mask m, ad_v64 a, ad_v64 b) { return _mm256_and_pd(m, _mm256_mul_pd(a, b)); }
/* the instruction returns b for a NaN and for two zeros: both are mended afterwards */
AD_INLINE ad_v64 ad_v64_max(ad_v64 a, ad_v64 b) {
  ad_v64 r = _mm256_blendv_pd(_mm256_max_pd(a, b), _mm256_and_pd(a, b), _mm256_cmp_pd(a, b, _CMP_EQ_OQ));
  return _mm256_blendv_pd(r, _mm256_add_pd(a, b), _mm256_cmp_pd(a, b, _CMP_UNORD_Q));
}
AD_INLINE ad_v64 ad_v64_min(ad_v64 a, ad_v64 b) {
  ad_v64 r = _mm256_blendv_pd(_mm256_min_pd(a, b), _mm256_or_pd(a, b), _mm256_cmp_pd(a, b, _CMP_EQ_OQ));
  return _mm256_blendv_pd(r, _mm256_add_pd(a, b), _mm256_cmp_pd(a, b, _CMP_UNORD_Q));
}
AD_INLINE ad_f64 ad_v64_sum(ad_v64 x) {
  __m128d h = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
  return _mm_cvtsd_f64(_mm_add_sd(h, _mm_unpackhi_pd(h, h)));
}
AD_INLINE ad_v64 ad_v64_dup(const ad_f64 *p) { return _mm256_broadcast_sd(p); }
typedef struct ad_v64_part { __m256i mask; int n; } ad_v64_part;
AD_INLINE ad_v64_part ad_v64_part_of(int n) { ad_v64_part part; part.mask = ad_v64__first(n); part.n = n; return part; }
AD_INLINE ad_v64 ad_v64_load_part(const ad_f64 *p, ad_v64_part part) { return _mm256_maskload_pd(p, part.mask); }
AD_INLINE void ad_v64_store_part(ad_f64 *p, ad_v64 x, ad_v64_part part) {
  __m128d h = _mm256_castpd256_pd128(x);
  if (part.n == 4) { _mm256_storeu_pd(p, x); return; }
  if (part.n & 2) { _mm_storeu_pd(p, h); p += 2; h = _mm256_extractf128_pd(x, 1); }
  if (part.n & 1) _mm_store_sd(p, h);
}
AD_INLINE void ad_v64_transpose(ad_v64 *r) {
  ad_v64 t0 = _mm256_unpacklo_pd(r[0], r[1]), t1 = _mm256_unpackhi_pd(r[0], r[1]);
  ad_v64 t2 = _mm256_unpacklo_pd(r[2], r[3]), t3 = _mm256_unpackhi_pd(r[2], r[3]);
  r[0] = _mm256_permute2f128_pd(t0, t2, 0x20);
  r[1] = _mm256_permute2f128_pd(t1, t3, 0x20);
  r[2] = _mm256_permute2f128_pd(t0, t2, 0x31);
  r[3] = _mm256_permute2f128_pd(t1, t3, 0x31);
}
#endif

/* >>avx512 --------------------------------------------------------------------------------------------------------------
   AVX-512F alone is enough. A mask is an integer with a bit a lane. */

#if AD_SIMD == AD_SIMD_AVX512
#define AD_V32_LANES 16
#define AD_V64_LANES 8
typedef __m512 ad_v32;
typedef __mmask16 ad_v32_mask;
AD_INLINE ad_v32 ad_v32_k(double c) { return _mm512_set1_ps((float)c); }
AD_INLINE ad_v32 ad_v32_load(const ad_f32 *p) { return _mm512_loadu_ps(p); }
AD_INLINE void ad_v32_store(ad_f32 *p, ad_v32 x) { _mm512_storeu_ps(p, x); }
AD_INLINE void ad_v32_stream(ad_f32 *p, ad_v32 x) { _mm512_stream_ps(p, x); }
AD_INLINE __mmask16 ad_v32__first(int n) { return (__mmask16)((1u << n) - 1u); }
AD_INLINE ad_v32 ad_v32_load_n(const ad_f32 *p, int n) { return _mm512_mask_loadu_ps(_mm512_set1_ps(*p), ad_v32__first(n), p); }
AD_INLINE void ad_v32_store_n(ad_f32 *p, ad_v32 x, int n) { _mm512_mask_storeu_ps(p, ad_v32__first(n), x); }
AD_INLINE ad_v32_mask ad_v32_first(int n) { return ad_v32__first(n); }
AD_INLINE ad_v32 ad_v32_load_or(const ad_f32 *p, int n, ad_v32 x) { return _mm512_mask_loadu_ps(x, ad_v32__first(n), p); }
AD_INLINE ad_v32 ad_v32_larger(ad_v32 a, ad_v32 b) { return _mm512_maskz_max_ps(0xffff, a, b); }
AD_INLINE ad_f32 ad_v32_largest(ad_v32 x) {
  __m256 q = _mm256_max_ps(_mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xff, _mm512_castps_pd(x), 0)), _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xff, _mm512_castps_pd(x), 1)));
  __m128 h = _mm_max_ps(_mm256_castps256_ps128(q), _mm256_extractf128_ps(q, 1));
  h = _mm_max_ps(h, _mm_movehl_ps(h, h));
  return _mm_cvtss_f32(_mm_max_ss(h, _mm_movehdup_ps(h)));
}
AD_INLINE ad_v32 ad_v32_add(ad_v32 a, ad_v32 b) { return _mm512_add_ps(a, b); }
AD_INLINE ad_v32 ad_v32_sub(ad_v32 a, ad_v32 b) { return _mm512_sub_ps(a, b); }
AD_INLINE ad_v32 ad_v32_div(ad_v32 a, ad_v32 b) { return _mm512_div_ps(a, b); }
AD_INLINE ad_v32 ad_v32_mul(ad_v32 a, ad_v32 b) { ad_v32 r = _mm512_mul_ps(a, b); AD__ROUNDED(r); return r; }
AD_INLINE ad_v32 ad_v32_fma(ad_v32 a, ad_v32 b, ad_v32 c) { return _mm512_fmadd_ps(a, b, c); }
AD_INLINE ad_v32 ad_v32_fnma(ad_v32 a, ad_v32 b, ad_v32 c) { return _mm512_fnmadd_ps(a, b, c); }
AD_INLINE ad_v32 ad_v32_neg(ad_v32 x) { return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(x), _mm512_set1_epi32(INT32_MIN))); }
AD_INLINE ad_v32 ad_v32_abs(ad_v32 x) { return _mm512_castsi512_ps(_mm512_maskz_andnot_epi32(0xffff, _mm512_set1_epi32(INT32_MIN), _mm512_castps_si512(x))); }
AD_INLINE ad_v32 ad_v32_copysign(ad_v32 x, ad_v32 s) { return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_set1_epi32(INT32_MIN), _mm512_castps_si512(s), _mm512_castps_si512(x), 0xca)); }
AD_INLINE ad_v32 ad_v32_sqrt(ad_v32 x) { return _mm512_maskz_sqrt_ps(0xffff, x); }
AD_INLINE ad_v32 ad_v32_floor(ad_v32 x) { return _mm512_maskz_roundscale_ps(0xffff, x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v32 ad_v32_ceil(ad_v32 x) { return _mm512_maskz_roundscale_ps(0xffff, x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v32 ad_v32_trunc(ad_v32 x) { return _mm512_maskz_roundscale_ps(0xffff, x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v32 ad_v32_rint(ad_v32 x) { return _mm512_maskz_roundscale_ps(0xffff, x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v32_mask ad_v32_lt(ad_v32 a, ad_v32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
AD_INLINE ad_v32_mask ad_v32_le(ad_v32 a, ad_v32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
AD_INLINE ad_v32_mask ad_v32_eq(ad_v32 a, ad_v32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
AD_INLINE ad_v32_mask ad_v32_ne(ad_v32 a, ad_v32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
AD_INLINE ad_v32_mask ad_v32_and(ad_v32_mask a, ad_v32_mask b) { return (__mmask16)(a & b); }
AD_INLINE ad_v32_mask ad_v32_or(ad_v32_mask a, ad_v32_mask b) { return (__mmask16)(a | b); }
AD_INLINE ad_v32_mask ad_v32_not(ad_v32_mask a) { return (__mmask16)~a; }
AD_INLINE bool ad_v32_any(ad_v32_mask m) { return m != 0; }
AD_INLINE bool ad_v32_all(ad_v32_mask m) { return m == 0xffff; }
AD_INLINE ad_v32 ad_v32_select(ad_v32_mask m, ad_v32 a, ad_v32 b) { return _mm512_mask_blend_ps(m, b, a); }
AD_INLINE ad_v32 ad_v32_only(ad_v32_mask m, ad_v32 x) { return _mm512_maskz_mov_ps(m, x); }
AD_INLINE ad_v32 ad_v32_mul_only(ad_v32_mask m, ad_v32 a, ad_v32 b) { return _mm512_maskz_mul_ps(m, a, b); }
/* the instruction returns b for a NaN and for two zeros: both are mended afterwards */
AD_INLINE ad_v32 ad_v32_max(ad_v32 a, ad_v32 b) {
  ad_v32 r = _mm512_castsi512_ps(_mm512_mask_and_epi32(_mm512_castps_si512(_mm512_maskz_max_ps(0xffff, a, b)), _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), _mm512_castps_si512(a), _mm512_castps_si512(b)));
  return _mm512_mask_add_ps(r, _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q), a, b);
}
AD_INLINE ad_v32 ad_v32_min(ad_v32 a, ad_v32 b) {
  ad_v32 r = _mm512_castsi512_ps(_mm512_mask_or_epi32(_mm512_castps_si512(_mm512_maskz_min_ps(0xffff, a, b)), _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), _mm512_castps_si512(a), _mm512_castps_si512(b)));
  return _mm512_mask_add_ps(r, _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q), a, b);
}
AD_INLINE ad_f32 ad_v32_sum(ad_v32 x) {
  __m256 q = _mm256_add_ps(_mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xff, _mm512_castps_pd(x), 0)), _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xff, _mm512_castps_pd(x), 1)));
  __m128 h = _mm_add_ps(_mm256_castps256_ps128(q), _mm256_extractf128_ps(q, 1));
  h = _mm_add_ps(h, _mm_movehl_ps(h, h));
  return _mm_cvtss_f32(_mm_add_ss(h, _mm_movehdup_ps(h)));
}
AD_INLINE ad_v32 ad_v32_dup(const ad_f32 *p) { return _mm512_set1_ps(*p); }
typedef __mmask16 ad_v32_part;
AD_INLINE ad_v32_part ad_v32_part_of(int n) { return ad_v32__first(n); }
AD_INLINE ad_v32 ad_v32_load_part(const ad_f32 *p, ad_v32_part part) { return _mm512_maskz_loadu_ps(part, p); }
AD_INLINE void ad_v32_store_part(ad_f32 *p, ad_v32 x, ad_v32_part part) { _mm512_mask_storeu_ps(p, part, x); }
/* the quarters of four registers transposed as a 4 x 4 matrix */
AD_INLINE void ad_v32__quarters(ad_v32 a, ad_v32 b, ad_v32 c, ad_v32 d, ad_v32 *r, int step) {
  const __mmask16 all = 0xffff;
  ad_v32 t0 = _mm512_maskz_shuffle_f32x4(all, a, b, 0x44), t1 = _mm512_maskz_shuffle_f32x4(all, a, b, 0xee);
  ad_v32 t2 = _mm512_maskz_shuffle_f32x4(all, c, d, 0x44), t3 = _mm512_maskz_shuffle_f32x4(all, c, d, 0xee);
  r[0] = _mm512_maskz_shuffle_f32x4(all, t0, t2, 0x88);
  r[step] = _mm512_maskz_shuffle_f32x4(all, t0, t2, 0xdd);
  r[2 * step] = _mm512_maskz_shuffle_f32x4(all, t1, t3, 0x88);
  r[3 * step] = _mm512_maskz_shuffle_f32x4(all, t1, t3, 0xdd);
}
AD_INLINE void ad_v32_transpose(ad_v32 *r) {
  const __mmask16 all = 0xffff;
  ad_v32 t[16], u[16];
  AD__UNROLL
  for (int i = 0; i < 16; i += 2) { t[i] = _mm512_maskz_unpacklo_ps(all, r[i], r[i + 1]); t[i + 1] = _mm512_maskz_unpackhi_ps(all, r[i], r[i + 1]); }
  AD__UNROLL
  for (int i = 0; i < 16; i += 4) {
    u[i] = _mm512_maskz_shuffle_ps(all, t[i], t[i + 2], 0x44);
    u[i + 1] = _mm512_maskz_shuffle_ps(all, t[i], t[i + 2], 0xee);
    u[i + 2] = _mm512_maskz_shuffle_ps(all, t[i + 1], t[i + 3], 0x44);
    u[i + 3] = _mm512_maskz_shuffle_ps(all, t[i + 1], t[i + 3], 0xee);
  }
  AD__UNROLL
  for (int i = 0; i < 4; i++) ad_v32__quarters(u[i], u[i + 4], u[i + 8], u[i + 12], r + i, 4);
}

typedef __m512d ad_v64;
typedef __mmask8 ad_v64_mask;
AD_INLINE ad_v64 ad_v64_k(double c) { return _mm512_set1_pd(c); }
AD_INLINE ad_v64 ad_v64_load(const ad_f64 *p) { return _mm512_loadu_pd(p); }
AD_INLINE void ad_v64_store(ad_f64 *p, ad_v64 x) { _mm512_storeu_pd(p, x); }
AD_INLINE void ad_v64_stream(ad_f64 *p, ad_v64 x) { _mm512_stream_pd(p, x); }
AD_INLINE __mmask8 ad_v64__first(int n) { return (__mmask8)((1u << n) - 1u); }
AD_INLINE ad_v64 ad_v64_load_n(const ad_f64 *p, int n) { return _mm512_mask_loadu_pd(_mm512_set1_pd(*p), ad_v64__first(n), p); }
AD_INLINE void ad_v64_store_n(ad_f64 *p, ad_v64 x, int n) { _mm512_mask_storeu_pd(p, ad_v64__first(n), x); }
AD_INLINE ad_v64_mask ad_v64_first(int n) { return ad_v64__first(n); }
AD_INLINE ad_v64 ad_v64_load_or(const ad_f64 *p, int n, ad_v64 x) { return _mm512_mask_loadu_pd(x, ad_v64__first(n), p); }
AD_INLINE ad_v64 ad_v64_larger(ad_v64 a, ad_v64 b) { return _mm512_maskz_max_pd(0xff, a, b); }
AD_INLINE ad_f64 ad_v64_largest(ad_v64 x) {
  __m256d q = _mm256_max_pd(_mm512_maskz_extractf64x4_pd(0xff, x, 0), _mm512_maskz_extractf64x4_pd(0xff, x, 1));
  __m128d h = _mm_max_pd(_mm256_castpd256_pd128(q), _mm256_extractf128_pd(q, 1));
  return _mm_cvtsd_f64(_mm_max_sd(h, _mm_unpackhi_pd(h, h)));
}
AD_INLINE ad_v64 ad_v64_add(ad_v64 a, ad_v64 b) { return _mm512_add_pd(a, b); }
AD_INLINE ad_v64 ad_v64_sub(ad_v64 a, ad_v64 b) { return _mm512_sub_pd(a, b); }
AD_INLINE ad_v64 ad_v64_div(ad_v64 a, ad_v64 b) { return _mm512_div_pd(a, b); }
AD_INLINE ad_v64 ad_v64_mul(ad_v64 a, ad_v64 b) { ad_v64 r = _mm512_mul_pd(a, b); AD__ROUNDED(r); return r; }
AD_INLINE ad_v64 ad_v64_fma(ad_v64 a, ad_v64 b, ad_v64 c) { return _mm512_fmadd_pd(a, b, c); }
AD_INLINE ad_v64 ad_v64_fnma(ad_v64 a, ad_v64 b, ad_v64 c) { return _mm512_fnmadd_pd(a, b, c); }
AD_INLINE ad_v64 ad_v64_neg(ad_v64 x) { return _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(x), _mm512_set1_epi64(INT64_MIN))); }
AD_INLINE ad_v64 ad_v64_abs(ad_v64 x) { return _mm512_castsi512_pd(_mm512_maskz_andnot_epi64(0xff, _mm512_set1_epi64(INT64_MIN), _mm512_castpd_si512(x))); }
AD_INLINE ad_v64 ad_v64_copysign(ad_v64 x, ad_v64 s) { return _mm512_castsi512_pd(_mm512_ternarylogic_epi64(_mm512_set1_epi64(INT64_MIN), _mm512_castpd_si512(s), _mm512_castpd_si512(x), 0xca)); }
AD_INLINE ad_v64 ad_v64_sqrt(ad_v64 x) { return _mm512_maskz_sqrt_pd(0xff, x); }
AD_INLINE ad_v64 ad_v64_floor(ad_v64 x) { return _mm512_maskz_roundscale_pd(0xff, x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v64 ad_v64_ceil(ad_v64 x) { return _mm512_maskz_roundscale_pd(0xff, x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v64 ad_v64_trunc(ad_v64 x) { return _mm512_maskz_roundscale_pd(0xff, x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v64 ad_v64_rint(ad_v64 x) { return _mm512_maskz_roundscale_pd(0xff, x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
AD_INLINE ad_v64_mask ad_v64_lt(ad_v64 a, ad_v64 b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
AD_INLINE ad_v64_mask ad_v64_le(ad_v64 a, ad_v64 b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
AD_INLINE ad_v64_mask ad_v64_eq(ad_v64 a, ad_v64 b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
AD_INLINE ad_v64_mask ad_v64_ne(ad_v64 a, ad_v64 b) { return _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ); }
AD_INLINE ad_v64_mask ad_v64_and(ad_v64_mask a, ad_v64_mask b) { return (__mmask8)(a & b); }
AD_INLINE ad_v64_mask ad_v64_or(ad_v64_mask a, ad_v64_mask b) { return (__mmask8)(a | b); }
AD_INLINE ad_v64_mask ad_v64_not(ad_v64_mask a) { return (__mmask8)~a; }
AD_INLINE bool ad_v64_any(ad_v64_mask m) { return m != 0; }
AD_INLINE bool ad_v64_all(ad_v64_mask m) { return m == 0xff; }
AD_INLINE ad_v64 ad_v64_select(ad_v64_mask m, ad_v64 a, ad_v64 b) { return _mm512_mask_blend_pd(m, b, a); }
AD_INLINE ad_v64 ad_v64_only(ad_v64_mask m, ad_v64 x) { return _mm512_maskz_mov_pd(m, x); }
AD_INLINE ad_v64 ad_v64_mul_only(ad_v64_mask m, ad_v64 a, ad_v64 b) { return _mm512_maskz_mul_pd(m, a, b); }
/* the instruction returns b for a NaN and for two zeros: both are mended afterwards */
AD_INLINE ad_v64 ad_v64_max(ad_v64 a, ad_v64 b) {
  ad_v64 r = _mm512_castsi512_pd(_mm512_mask_and_epi64(_mm512_castpd_si512(_mm512_maskz_max_pd(0xff, a, b)), _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ), _mm512_castpd_si512(a), _mm512_castpd_si512(b)));
  return _mm512_mask_add_pd(r, _mm512_cmp_pd_mask(a, b, _CMP_UNORD_Q), a, b);
}
AD_INLINE ad_v64 ad_v64_min(ad_v64 a, ad_v64 b) {
  ad_v64 r = _mm512_castsi512_pd(_mm512_mask_or_epi64(_mm512_castpd_si512(_mm512_maskz_min_pd(0xff, a, b)), _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ), _mm512_castpd_si512(a), _mm512_castpd_si512(b)));
  return _mm512_mask_add_pd(r, _mm512_cmp_pd_mask(a, b, _CMP_UNORD_Q), a, b);
}
AD_INLINE ad_f64 ad_v64_sum(ad_v64 x) {
  __m256d q = _mm256_add_pd(_mm512_maskz_extractf64x4_pd(0xff, x, 0), _mm512_maskz_extractf64x4_pd(0xff, x, 1));
  __m128d h = _mm_add_pd(_mm256_castpd256_pd128(q), _mm256_extractf128_pd(q, 1));
  return _mm_cvtsd_f64(_mm_add_sd(h, _mm_unpackhi_pd(h, h)));
}
AD_INLINE ad_v64 ad_v64_dup(const ad_f64 *p) { return _mm512_set1_pd(*p); }
typedef __mmask8 ad_v64_part;
AD_INLINE ad_v64_part ad_v64_part_of(int n) { return ad_v64__first(n); }
AD_INLINE ad_v64 ad_v64_load_part(const ad_f64 *p, ad_v64_part part) { return _mm512_maskz_loadu_pd(part, p); }
AD_INLINE void ad_v64_store_part(ad_f64 *p, ad_v64 x, ad_v64_part part) { _mm512_mask_storeu_pd(p, part, x); }
AD_INLINE void ad_v64_transpose(ad_v64 *r) {
  const __mmask8 all = 0xff;
  ad_v64 t[8];
  AD__UNROLL
  for (int i = 0; i < 8; i += 2) { t[i] = _mm512_maskz_unpacklo_pd(all, r[i], r[i + 1]); t[i + 1] = _mm512_maskz_unpackhi_pd(all, r[i], r[i + 1]); }
  AD__UNROLL
  for (int i = 0; i < 2; i++) {
    ad_v64 u0 = _mm512_maskz_shuffle_f64x2(all, t[i], t[i + 2], 0x44), u1 = _mm512_maskz_shuffle_f64x2(all, t[i], t[i + 2], 0xee);
    ad_v64 u2 = _mm512_maskz_shuffle_f64x2(all, t[i + 4], t[i + 6], 0x44), u3 = _mm512_maskz_shuffle_f64x2(all, t[i + 4], t[i + 6], 0xee);
    r[i] = _mm512_maskz_shuffle_f64x2(all, u0, u2, 0x88);
    r[i + 2] = _mm512_maskz_shuffle_f64x2(all, u0, u2, 0xdd);
    r[i + 4] = _mm512_maskz_shuffle_f64x2(all, u1, u3, 0x88);
    r[i + 6] = _mm512_maskz_shuffle_f64x2(all, u1, u3, 0xdd);
  }
}
#endif

/* >>neon ---------------------------------------------------------------------------------------------------------------- */

#if AD_SIMD == AD_SIMD_NEON
#define AD_V32_LANES 4
#define AD_V64_LANES 2
typedef float32x4_t ad_v32;
typedef uint32x4_t ad_v32_mask;
AD_INLINE ad_v32 ad_v32_k(double c) { return vdupq_n_f32((float)c); }
AD_INLINE ad_v32 ad_v32_load(const ad_f32 *p) { return vld1q_f32(p); }
AD_INLINE void ad_v32_store(ad_f32 *p, ad_v32 x) { vst1q_f32(p, x); }
AD_INLINE void ad_v32_stream(ad_f32 *p, ad_v32 x) { vst1q_f32(p, x); }
AD_INLINE ad_v32 ad_v32_load_n(const ad_f32 *p, int n) {
  ad_f32 lane[4];
  for (int i = 0; i < 4; i++) lane[i] = p[i < n ? i : 0];
  return vld1q_f32(lane);
}
AD_INLINE void ad_v32_store_n(ad_f32 *p, ad_v32 x, int n) {
  ad_f32 lane[4];
  vst1q_f32(lane, x);
  for (int i = 0; i < n; i++) p[i] = lane[i];
}
AD_INLINE ad_v32_mask ad_v32_first(int n) {
  static const int32_t lane[4] = { 0, 1, 2, 3 };
  return vcltq_s32(vld1q_s32(lane), vdupq_n_s32(n));
}
AD_INLINE ad_v32 ad_v32_load_or(const ad_f32 *p, int n, ad_v32 x) {
  ad_f32 lane[4];
  vst1q_f32(lane, x);
  for (int i = 0; i < n; i++) lane[i] = p[i];
  return vld1q_f32(lane);
}
AD_INLINE ad_v32 ad_v32_larger(ad_v32 a, ad_v32 b) { return vmaxq_f32(a, b); }
AD_INLINE ad_f32 ad_v32_largest(ad_v32 x) { return vmaxvq_f32(x); }
AD_INLINE ad_v32 ad_v32_add(ad_v32 a, ad_v32 b) { return vaddq_f32(a, b); }
AD_INLINE ad_v32 ad_v32_sub(ad_v32 a, ad_v32 b) { return vsubq_f32(a, b); }
AD_INLINE ad_v32 ad_v32_div(ad_v32 a, ad_v32 b) { return vdivq_f32(a, b); }
AD_INLINE ad_v32 ad_v32_mul(ad_v32 a, ad_v32 b) { ad_v32 r = vmulq_f32(a, b); AD__ROUNDED(r); return r; }
AD_INLINE ad_v32 ad_v32_fma(ad_v32 a, ad_v32 b, ad_v32 c) { return vfmaq_f32(c, a, b); }
AD_INLINE ad_v32 ad_v32_fnma(ad_v32 a, ad_v32 b, ad_v32 c) { return vfmsq_f32(c, a, b); }
AD_INLINE ad_v32 ad_v32_neg(ad_v32 x) { return vnegq_f32(x); }
AD_INLINE ad_v32 ad_v32_abs(ad_v32 x) { return vabsq_f32(x); }
AD_INLINE ad_v32 ad_v32_copysign(ad_v32 x, ad_v32 s) { return vbslq_f32(vdupq_n_u32(UINT32_C(1) << 31), s, x); }
AD_INLINE ad_v32 ad_v32_sqrt(ad_v32 x) { return vsqrtq_f32(x); }
AD_INLINE ad_v32 ad_v32_floor(ad_v32 x) { return vrndmq_f32(x); }
AD_INLINE ad_v32 ad_v32_ceil(ad_v32 x) { return vrndpq_f32(x); }
AD_INLINE ad_v32 ad_v32_trunc(ad_v32 x) { return vrndq_f32(x); }
AD_INLINE ad_v32 ad_v32_rint(ad_v32 x) { return vrndnq_f32(x); }
AD_INLINE ad_v32_mask ad_v32_lt(ad_v32 a, ad_v32 b) { return vcltq_f32(a, b); }
AD_INLINE ad_v32_mask ad_v32_le(ad_v32 a, ad_v32 b) { return vcleq_f32(a, b); }
AD_INLINE ad_v32_mask ad_v32_eq(ad_v32 a, ad_v32 b) { return vceqq_f32(a, b); }
AD_INLINE ad_v32_mask ad_v32_ne(ad_v32 a, ad_v32 b) { return vmvnq_u32(vceqq_f32(a, b)); }
AD_INLINE ad_v32_mask ad_v32_and(ad_v32_mask a, ad_v32_mask b) { return vandq_u32(a, b); }
AD_INLINE ad_v32_mask ad_v32_or(ad_v32_mask a, ad_v32_mask b) { return vorrq_u32(a, b); }
AD_INLINE ad_v32_mask ad_v32_not(ad_v32_mask a) { return vmvnq_u32(a); }
AD_INLINE bool ad_v32_any(ad_v32_mask m) { return vmaxvq_u32(m) != 0; }
AD_INLINE bool ad_v32_all(ad_v32_mask m) { return vminvq_u32(m) != 0; }
AD_INLINE ad_v32 ad_v32_select(ad_v32_mask m, ad_v32 a, ad_v32 b) { return vbslq_f32(m, a, b); }
AD_INLINE ad_v32 ad_v32_only(ad_v32_mask m, ad_v32 x) { return vreinterpretq_f32_u32(vandq_u32(m, vreinterpretq_u32_f32(x))); }
AD_INLINE ad_v32 ad_v32_mul_only(ad_v32_mask m, ad_v32 a, ad_v32 b) { return ad_v32_only(m, vmulq_f32(a, b)); }
AD_INLINE ad_v32 ad_v32_max(ad_v32 a, ad_v32 b) { return vmaxq_f32(a, b); }
AD_INLINE ad_v32 ad_v32_min(ad_v32 a, ad_v32 b) { return vminq_f32(a, b); }
AD_INLINE ad_f32 ad_v32_sum(ad_v32 x) {
  float32x2_t h = vadd_f32(vget_low_f32(x), vget_high_f32(x));
  return vget_lane_f32(h, 0) + vget_lane_f32(h, 1);
}
AD_INLINE ad_v32 ad_v32_dup(const ad_f32 *p) { return vld1q_dup_f32(p); }
typedef int ad_v32_part;
AD_INLINE ad_v32_part ad_v32_part_of(int n) { return n; }
AD_INLINE ad_v32 ad_v32_load_part(const ad_f32 *p, ad_v32_part n) {
  if (n == 4) return vld1q_f32(p);
  ad_v32 x = vdupq_n_f32(0);
  if (n > 0) x = vld1q_lane_f32(p, x, 0);
  if (n > 1) x = vld1q_lane_f32(p + 1, x, 1);
  if (n > 2) x = vld1q_lane_f32(p + 2, x, 2);
  return x;
}
AD_INLINE void ad_v32_store_part(ad_f32 *p, ad_v32 x, ad_v32_part n) {
  if (n == 4) { vst1q_f32(p, x); return; }
  if (n > 0) vst1q_lane_f32(p, x, 0);
  if (n > 1) vst1q_lane_f32(p + 1, x, 1);
  if (n > 2) vst1q_lane_f32(p + 2, x, 2);
}
AD_INLINE void ad_v32_transpose(ad_v32 *r) {
  float64x2_t t0 = vreinterpretq_f64_f32(vtrn1q_f32(r[0], r[1])), t1 = vreinterpretq_f64_f32(vtrn2q_f32(r[0], r[1]));
  float64x2_t t2 = vreinterpretq_f64_f32(vtrn1q_f32(r[2], r[3])), t3 = vreinterpretq_f64_f32(vtrn2q_f32(r[2], r[3]));
  r[0] = vreinterpretq_f32_f64(vtrn1q_f64(t0, t2));
  r[1] = vreinterpretq_f32_f64(vtrn1q_f64(t1, t3));
  r[2] = vreinterpretq_f32_f64(vtrn2q_f64(t0, t2));
  r[3] = vreinterpretq_f32_f64(vtrn2q_f64(t1, t3));
}

typedef float64x2_t ad_v64;
typedef uint64x2_t ad_v64_mask;
AD_INLINE ad_v64 ad_v64_k(double c) { return vdupq_n_f64(c); }
AD_INLINE ad_v64 ad_v64_load(const ad_f64 *p) { return vld1q_f64(p); }
AD_INLINE void ad_v64_store(ad_f64 *p, ad_v64 x) { vst1q_f64(p, x); }
AD_INLINE void ad_v64_stream(ad_f64 *p, ad_v64 x) { vst1q_f64(p, x); }
AD_INLINE ad_v64 ad_v64_load_n(const ad_f64 *p, int n) {
  ad_f64 lane[2];
  for (int i = 0; i < 2; i++) lane[i] = p[i < n ? i : 0];
  return vld1q_f64(lane);
}
AD_INLINE void ad_v64_store_n(ad_f64 *p, ad_v64 x, int n) {
  ad_f64 lane[2];
  vst1q_f64(lane, x);
  for (int i = 0; i < n; i++) p[i] = lane[i];
}
AD_INLINE ad_v64_mask ad_v64_first(int n) {
  static const int64_t lane[2] = { 0, 1 };
  return vcltq_s64(vld1q_s64(lane), vdupq_n_s64(n));
}
AD_INLINE ad_v64 ad_v64_load_or(const ad_f64 *p, int n, ad_v64 x) {
  ad_f64 lane[2];
  vst1q_f64(lane, x);
  for (int i = 0; i < n; i++) lane[i] = p[i];
  return vld1q_f64(lane);
}
AD_INLINE ad_v64 ad_v64_larger(ad_v64 a, ad_v64 b) { return vmaxq_f64(a, b); }
AD_INLINE ad_f64 ad_v64_largest(ad_v64 x) { return vmaxvq_f64(x); }
AD_INLINE ad_v64 ad_v64_add(ad_v64 a, ad_v64 b) { return vaddq_f64(a, b); }
AD_INLINE ad_v64 ad_v64_sub(ad_v64 a, ad_v64 b) { return vsubq_f64(a, b); }
AD_INLINE ad_v64 ad_v64_div(ad_v64 a, ad_v64 b) { return vdivq_f64(a, b); }
AD_INLINE ad_v64 ad_v64_mul(ad_v64 a, ad_v64 b) { ad_v64 r = vmulq_f64(a, b); AD__ROUNDED(r); return r; }
AD_INLINE ad_v64 ad_v64_fma(ad_v64 a, ad_v64 b, ad_v64 c) { return vfmaq_f64(c, a, b); }
AD_INLINE ad_v64 ad_v64_fnma(ad_v64 a, ad_v64 b, ad_v64 c) { return vfmsq_f64(c, a, b); }
AD_INLINE ad_v64 ad_v64_neg(ad_v64 x) { return vnegq_f64(x); }
AD_INLINE ad_v64 ad_v64_abs(ad_v64 x) { return vabsq_f64(x); }
AD_INLINE ad_v64 ad_v64_copysign(ad_v64 x, ad_v64 s) { return vbslq_f64(vdupq_n_u64(UINT64_C(1) << 63), s, x); }
AD_INLINE ad_v64 ad_v64_sqrt(ad_v64 x) { return vsqrtq_f64(x); }
AD_INLINE ad_v64 ad_v64_floor(ad_v64 x) { return vrndmq_f64(x); }
AD_INLINE ad_v64 ad_v64_ceil(ad_v64 x) { return vrndpq_f64(x); }
AD_INLINE ad_v64 ad_v64_trunc(ad_v64 x) { return vrndq_f64(x); }
AD_INLINE ad_v64 ad_v64_rint(ad_v64 x) { return vrndnq_f64(x); }
AD_INLINE ad_v64_mask ad_v64_lt(ad_v64 a, ad_v64 b) { return vcltq_f64(a, b); }
AD_INLINE ad_v64_mask ad_v64_le(ad_v64 a, ad_v64 b) { return vcleq_f64(a, b); }
AD_INLINE ad_v64_mask ad_v64_eq(ad_v64 a, ad_v64 b) { return vceqq_f64(a, b); }
AD_INLINE ad_v64_mask ad_v64_ne(ad_v64 a, ad_v64 b) { return vreinterpretq_u64_u32(vmvnq_u32(vreinterpretq_u32_u64(vceqq_f64(a, b)))); }
AD_INLINE ad_v64_mask ad_v64_and(ad_v64_mask a, ad_v64_mask b) { return vandq_u64(a, b); }
AD_INLINE ad_v64_mask ad_v64_or(ad_v64_mask a, ad_v64_mask b) { return vorrq_u64(a, b); }
AD_INLINE ad_v64_mask ad_v64_not(ad_v64_mask a) { return vreinterpretq_u64_u32(vmvnq_u32(vreinterpretq_u32_u64(a))); }
AD_INLINE bool ad_v64_any(ad_v64_mask m) { return vmaxvq_u32(vreinterpretq_u32_u64(m)) != 0; }
AD_INLINE bool ad_v64_all(ad_v64_mask m) { return vminvq_u32(vreinterpretq_u32_u64(m)) != 0; }
AD_INLINE ad_v64 ad_v64_select(ad_v64_mask m, ad_v64 a, ad_v64 b) { return vbslq_f64(m, a, b); }
AD_INLINE ad_v64 ad_v64_only(ad_v64_mask m, ad_v64 x) { return vreinterpretq_f64_u64(vandq_u64(m, vreinterpretq_u64_f64(x))); }
AD_INLINE ad_v64 ad_v64_mul_only(ad_v64_mask m, ad_v64 a, ad_v64 b) { return ad_v64_only(m, vmulq_f64(a, b)); }
AD_INLINE ad_v64 ad_v64_max(ad_v64 a, ad_v64 b) { return vmaxq_f64(a, b); }
AD_INLINE ad_v64 ad_v64_min(ad_v64 a, ad_v64 b) { return vminq_f64(a, b); }
AD_INLINE ad_f64 ad_v64_sum(ad_v64 x) { return vgetq_lane_f64(x, 0) + vgetq_lane_f64(x, 1); }
AD_INLINE ad_v64 ad_v64_dup(const ad_f64 *p) { return vld1q_dup_f64(p); }
typedef int ad_v64_part;
AD_INLINE ad_v64_part ad_v64_part_of(int n) { return n; }
AD_INLINE ad_v64 ad_v64_load_part(const ad_f64 *p, ad_v64_part n) {
  if (n == 2) return vld1q_f64(p);
  return n > 0 ? vld1q_lane_f64(p, vdupq_n_f64(0), 0) : vdupq_n_f64(0);
}
AD_INLINE void ad_v64_store_part(ad_f64 *p, ad_v64 x, ad_v64_part n) {
  if (n == 2) vst1q_f64(p, x);
  else if (n == 1) vst1q_lane_f64(p, x, 0);
}
AD_INLINE void ad_v64_transpose(ad_v64 *r) {
  ad_v64 t = vtrn1q_f64(r[0], r[1]);
  r[1] = vtrn2q_f64(r[0], r[1]);
  r[0] = t;
}
#endif

/* >>derived ------------------------------------------------------------------------------------------------------------- */

#define AD__TEMPLATE AD__DERIVED
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#include "ad_simd.h"
#undef AD__TEMPLATE

/* >>structures ----------------------------------------------------------------------------------------------------------
   Arrays of structures of numbers, read and written as squares that are turned in registers: each number of the structure gets
   a register of its own without gathers. The last square of a row overlaps the one before instead of being partial.
   Rows are read and written in their order: where gcc mixes them the processor sees no stride and fetches nothing ahead (twice the time).

   N_load_square(r, p, stride, columns, rows)   columns <= lanes numbers in each of rows <= lanes rows, stride apart: register j
                                                gets column j; lanes beyond the rows hold the last one
   N_load_columns(r, p, stride, columns)        at most eight columns of as many rows as lanes: register j gets column j of each
   N_store_square, N_store_columns              back; what is beyond rows and columns is not written */

#define AD__TEMPLATE AD__SQUARES
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#include "ad_simd.h"
#undef AD__TEMPLATE

/* >>math ----------------------------------------------------------------------------------------------------------------
   The words of AD__MATH_1 and AD__MATH_2 on registers. Where <sleef.h> is found they are SLEEF's finz functions: bit-equal
   on AVX2, AVX-512, NEON and scalar fma, and a lane never depends on its neighbours (the plain Sleef_sin does). Else, and
   with AD_NO_SLEEF, libm lane by lane. AD_SIMD_ULP is 10 (1.0 ULP) or 35 (3.5 ULP, faster). A row of the table is the word
   and the suffixes of the two. */

#ifndef AD_SIMD_ULP
#define AD_SIMD_ULP 10
#endif

#if defined(__has_include) && !defined(AD_NO_SLEEF)
#if __has_include(<sleef.h>)
#define AD__SLEEF
#endif
#endif

#define AD__MATH_1(WORD, N)                                                                                                   \
  WORD(N, exp2, 10, 35) WORD(N, exp10, 10, 35) WORD(N, expm1, 10, 10) WORD(N, log, 10, 35) WORD(N, log2, 10, 35)              \
  WORD(N, log10, 10, 10) WORD(N, sin, 10, 35) WORD(N, cos, 10, 35) WORD(N, tan, 10, 35) WORD(N, asin, 10, 35)                 \
  WORD(N, acos, 10, 35) WORD(N, atan, 10, 35) WORD(N, tanh, 10, 35) WORD(N, atanh, 10, 10) WORD(N, cbrt, 10, 35)              \
  WORD(N, erf, 10, 10) WORD(N, erfc, 15, 15)
#define AD__MATH_2(WORD, N) WORD(N, atan2, 10, 35)
/* those whose ends the template sleef-ends mends, and those that are wanted in double only */
#define AD__ENDS_1(WORD, N)                                                                                                   \
  WORD(N, exp, 10, 10) WORD(N, log1p, 10, 10) WORD(N, sinpi, 05, 05) WORD(N, cospi, 05, 05) WORD(N, sinh, 10, 35)             \
  WORD(N, cosh, 10, 35) WORD(N, asinh, 10, 10) WORD(N, acosh, 10, 10)
#define AD__ENDS_2(WORD, N) WORD(N, pow, 10, 10) WORD(N, hypot, 05, 35)
#define AD__DOUBLE_1(WORD, N) WORD(N, lgamma, 10, 10)
#define AD__DOUBLE_ENDS_1(WORD, N) WORD(N, tgamma, 10, 10)

#if defined(AD__SLEEF)

/* what <sleef.h> defines and does not take back */
#ifdef CONST
#define AD__HAD_CONST
#pragma push_macro("CONST")
#endif
#ifdef IMPORT
#define AD__HAD_IMPORT
#pragma push_macro("IMPORT")
#endif
#ifdef FP_FAST_FMA
#define AD__HAD_FP_FAST_FMA
#endif
#ifdef FP_FAST_FMAF
#define AD__HAD_FP_FAST_FMAF
#endif
#undef CONST
#undef IMPORT
#include <sleef.h>
#undef CONST
#undef IMPORT
#ifdef AD__HAD_CONST
#pragma pop_macro("CONST")
#undef AD__HAD_CONST
#endif
#ifdef AD__HAD_IMPORT
#pragma pop_macro("IMPORT")
#undef AD__HAD_IMPORT
#endif
#ifdef AD__HAD_FP_FAST_FMA
#undef AD__HAD_FP_FAST_FMA
#else
#undef FP_FAST_FMA
#endif
#ifdef AD__HAD_FP_FAST_FMAF
#undef AD__HAD_FP_FAST_FMAF
#else
#undef FP_FAST_FMAF
#endif

#if AD_SIMD == AD_SIMD_AVX2
#define AD__SLEEF_ad_v32(op, ulp) Sleef_finz_##op##f8_u##ulp##avx2
#define AD__SLEEF_ad_v64(op, ulp) Sleef_finz_##op##d4_u##ulp##avx2
#elif AD_SIMD == AD_SIMD_AVX512
#define AD__SLEEF_ad_v32(op, ulp) Sleef_finz_##op##f16_u##ulp##avx512f
#define AD__SLEEF_ad_v64(op, ulp) Sleef_finz_##op##d8_u##ulp##avx512f
#elif AD_SIMD == AD_SIMD_NEON
#define AD__SLEEF_ad_v32(op, ulp) Sleef_finz_##op##f4_u##ulp##advsimd
#define AD__SLEEF_ad_v64(op, ulp) Sleef_finz_##op##d2_u##ulp##advsimd
#elif defined(__FMA__) || defined(__aarch64__)
#define AD__SLEEF_ad_v32(op, ulp) Sleef_finz_##op##f1_u##ulp##purecfma
#define AD__SLEEF_ad_v64(op, ulp) Sleef_finz_##op##d1_u##ulp##purecfma
#else
#define AD__SLEEF_ad_v32(op, ulp) Sleef_cinz_##op##f1_u##ulp##purec
#define AD__SLEEF_ad_v64(op, ulp) Sleef_cinz_##op##d1_u##ulp##purec
#endif
#if AD_SIMD_ULP == 35
#define AD__MATH_WORD_1(N, op, fine, fast) AD_INLINE N N##_##op(N x) { return AD__SLEEF_##N(op, fast)(x); }
#define AD__MATH_WORD_2(N, op, fine, fast) AD_INLINE N N##_##op(N x, N y) { return AD__SLEEF_##N(op, fast)(x, y); }
#define AD__ENDS_WORD_1(N, op, fine, fast) AD_INLINE N N##__##op(N x) { return AD__SLEEF_##N(op, fast)(x); }
#define AD__ENDS_WORD_2(N, op, fine, fast) AD_INLINE N N##__##op(N x, N y) { return AD__SLEEF_##N(op, fast)(x, y); }
#else
#define AD__MATH_WORD_1(N, op, fine, fast) AD_INLINE N N##_##op(N x) { return AD__SLEEF_##N(op, fine)(x); }
#define AD__MATH_WORD_2(N, op, fine, fast) AD_INLINE N N##_##op(N x, N y) { return AD__SLEEF_##N(op, fine)(x, y); }
#define AD__ENDS_WORD_1(N, op, fine, fast) AD_INLINE N N##__##op(N x) { return AD__SLEEF_##N(op, fine)(x); }
#define AD__ENDS_WORD_2(N, op, fine, fast) AD_INLINE N N##__##op(N x, N y) { return AD__SLEEF_##N(op, fine)(x, y); }
#endif

#else

#define AD__MATH_WORD_1(N, op, fine, fast)                                                                                    \
  AD_INLINE N N##_##op(N x) {                                                                                                 \
    AD__ELEMENT_##N a[AD__LANES_##N];                                                                                         \
    N##_store(a, x);                                                                                                          \
    for (int i = 0; i < AD__LANES_##N; i++) a[i] = AD__PASTE(AD__ELEMENT_##N, op)(a[i]);                                      \
    return N##_load(a); }
#define AD__MATH_WORD_2(N, op, fine, fast)                                                                                    \
  AD_INLINE N N##_##op(N x, N y) {                                                                                            \
    AD__ELEMENT_##N a[AD__LANES_##N], b[AD__LANES_##N];                                                                       \
    N##_store(a, x); N##_store(b, y);                                                                                         \
    for (int i = 0; i < AD__LANES_##N; i++) a[i] = AD__PASTE(AD__ELEMENT_##N, op)(a[i], b[i]);                                \
    return N##_load(a); }
#define AD__ENDS_WORD_1 AD__MATH_WORD_1
#define AD__ENDS_WORD_2 AD__MATH_WORD_2

#endif
#define AD__ELEMENT_ad_v32 ad_f32
#define AD__ELEMENT_ad_v64 ad_f64
#define AD__LANES_ad_v32 AD_V32_LANES
#define AD__LANES_ad_v64 AD_V64_LANES

AD__MATH_1(AD__MATH_WORD_1, ad_v32)
AD__MATH_2(AD__MATH_WORD_2, ad_v32)
AD__ENDS_1(AD__ENDS_WORD_1, ad_v32)
AD__ENDS_2(AD__ENDS_WORD_2, ad_v32)
AD__MATH_1(AD__MATH_WORD_1, ad_v64)
AD__MATH_2(AD__MATH_WORD_2, ad_v64)
AD__ENDS_1(AD__ENDS_WORD_1, ad_v64)
AD__ENDS_2(AD__ENDS_WORD_2, ad_v64)
AD__DOUBLE_1(AD__MATH_WORD_1, ad_v64)
AD__DOUBLE_ENDS_1(AD__ENDS_WORD_1, ad_v64)

#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#define AD_C(s, d) (s)
#define AD__FINITE_EXP 0
#if defined(AD__SLEEF)
#define AD__TEMPLATE AD__SLEEF_ENDS
#include "ad_simd.h"
#undef AD__TEMPLATE
#endif
#define AD__TEMPLATE AD__MODULO
#include "ad_simd.h"
#undef AD__TEMPLATE
#define AD__TEMPLATE AD__SPECIAL
#include "ad_simd.h"
#undef AD__TEMPLATE
#undef AD_S
#undef AD_LANES
#undef AD__FINITE_EXP

#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#define AD_C(s, d) (d)
#define AD__FINITE_EXP 1
#if defined(AD__SLEEF)
#define AD__TEMPLATE AD__SLEEF_ENDS
#include "ad_simd.h"
#undef AD__TEMPLATE
#endif
#define AD__TEMPLATE AD__MODULO
#include "ad_simd.h"
#undef AD__TEMPLATE
#define AD__TEMPLATE AD__SPECIAL
#include "ad_simd.h"
#undef AD__TEMPLATE
#undef AD_S
#undef AD_LANES
#undef AD__FINITE_EXP

#define AD__TEMPLATE AD__GAMMA
#define AD_N ad_v64
#include "ad_simd.h"
#undef AD__TEMPLATE

/* a register of float as two of double (one on the scalar backend), and back */
#define AD_V32_PARTS (AD_V32_LANES / AD_V64_LANES)
AD_INLINE void ad_v32_widen(ad_v32 x, ad_v64 *part) {
#if AD_SIMD == AD_SIMD_AVX512
  part[0] = _mm512_maskz_cvtps_pd(0xff, _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xff, _mm512_castps_pd(x), 0)));
  part[1] = _mm512_maskz_cvtps_pd(0xff, _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xf, _mm512_castps_pd(x), 1)));
#elif AD_SIMD == AD_SIMD_AVX2
  part[0] = _mm256_cvtps_pd(_mm256_castps256_ps128(x));
  part[1] = _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
#elif AD_SIMD == AD_SIMD_NEON
  part[0] = vcvt_f64_f32(vget_low_f32(x));
  part[1] = vcvt_high_f64_f32(x);
#else
  part[0] = (ad_v64)x;
#endif
}
AD_INLINE ad_v32 ad_v32_narrow(const ad_v64 *part) {
#if AD_SIMD == AD_SIMD_AVX512
  return _mm512_castpd_ps(_mm512_maskz_insertf64x4(0xff, _mm512_castpd256_pd512(_mm256_castps_pd(_mm512_maskz_cvtpd_ps(0xff, part[0]))), _mm256_castps_pd(_mm512_maskz_cvtpd_ps(0xff, part[1])), 1));
#elif AD_SIMD == AD_SIMD_AVX2
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(part[0])), _mm256_cvtpd_ps(part[1]), 1);
#elif AD_SIMD == AD_SIMD_NEON
  return vcvt_high_f32_f64(vcvt_f32_f64(part[0]), part[1]);
#else
  return (ad_v32)part[0];
#endif
}
#define AD__IN_PARTS(op)                                                                                                      \
  AD__RARE ad_v32 ad_v32_##op(ad_v32 x) {                                                                                     \
    ad_v64 part[AD_V32_PARTS];                                                                                                \
    ad_v32_widen(x, part);                                                                                                    \
    for (int i = 0; i < AD_V32_PARTS; i++) part[i] = ad_v64_##op(part[i]);                                                    \
    return ad_v32_narrow(part); }
AD__RARE_1(AD__IN_PARTS)
AD__IN_PARTS(lgamma)
AD__IN_PARTS(tgamma)
AD__RARE ad_v32 ad_v32_polygamma(ad_v32 n, ad_v32 x) {
  ad_v64 order[AD_V32_PARTS], part[AD_V32_PARTS];
  ad_v32_widen(n, order);
  ad_v32_widen(x, part);
  for (int i = 0; i < AD_V32_PARTS; i++) part[i] = ad_v64_polygamma(order[i], part[i]);
  return ad_v32_narrow(part);
}

/* >>arrays --------------------------------------------------------------------------------------------------------------
   Loops over arrays. A kernel is one loop over contiguous arrays into which the compiler inlines a function of a register
   (_value_1 .. _partial_3: ad.h makes two kinds of kernel of every row of its table). The last register of an array goes
   through the same function, filled up with its first element, so f(x)[i] depends neither on n nor on i.

   Everything else is made contiguous: ad_f32_map runs a kernel over views (a pointer and a stride for each dimension) of up
   to AD_VIEW_RANK dimensions. Dimensions are merged where all views allow it; what is contiguous is passed through, what is
   not is copied to and from buffers of 2 KB that stay in L1, several short rows at once. One kernel a row serves broadcasts,
   transposes and slices so; a kernel for each kind of operand would be 10 times the code to save one load in L1.

   In place: a result may be exactly one of the operands. Any other overlap is refused (false, nothing done). */

#if AD_SIMD == AD_SIMD_AVX2 || AD_SIMD == AD_SIMD_AVX512
AD_INLINE void ad__streamed(void) { _mm_sfence(); }
#else
AD_INLINE void ad__streamed(void) { }
#endif

#define AD_VIEW_RANK 8

#if defined(__GNUC__)
#define AD_ALIGNED __attribute__((aligned(64)))
#else
#define AD_ALIGNED
#endif

/* to[j][i] = from[i][j] for a square that fits the registers */
#if AD_SIMD == AD_SIMD_AVX2 || AD_SIMD == AD_SIMD_AVX512
#define AD__SQUARE_32 8
#define AD__SQUARE_64 4
AD_INLINE void ad_v32__square(const ad_f32 *from, size_t ldf, ad_f32 *to, size_t ldt) {
  __m256 a[4], b[4];
  AD__UNROLL for (size_t h = 0; h < 8; h += 4) {   /* four columns of from: rows h .. h+3 of to */
    AD__UNROLL for (size_t i = 0; i < 4; i++)
      a[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from + i * ldf + h)), _mm_loadu_ps(from + (i + 4) * ldf + h), 1);
    b[0] = _mm256_unpacklo_ps(a[0], a[1]), b[1] = _mm256_unpackhi_ps(a[0], a[1]);
    b[2] = _mm256_unpacklo_ps(a[2], a[3]), b[3] = _mm256_unpackhi_ps(a[2], a[3]);
    _mm256_storeu_ps(to + h * ldt, _mm256_shuffle_ps(b[0], b[2], 0x44));
    _mm256_storeu_ps(to + (h + 1) * ldt, _mm256_shuffle_ps(b[0], b[2], 0xee));
    _mm256_storeu_ps(to + (h + 2) * ldt, _mm256_shuffle_ps(b[1], b[3], 0x44));
    _mm256_storeu_ps(to + (h + 3) * ldt, _mm256_shuffle_ps(b[1], b[3], 0xee));
  }
}
AD_INLINE void ad_v64__square(const ad_f64 *from, size_t ldf, ad_f64 *to, size_t ldt) {
  AD__UNROLL for (size_t h = 0; h < 4; h += 2) {
    __m256d a = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(from + h)), _mm_loadu_pd(from + 2 * ldf + h), 1);
    __m256d b = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(from + ldf + h)), _mm_loadu_pd(from + 3 * ldf + h), 1);
    _mm256_storeu_pd(to + h * ldt, _mm256_unpacklo_pd(a, b));
    _mm256_storeu_pd(to + (h + 1) * ldt, _mm256_unpackhi_pd(a, b));
  }
}
#elif AD_SIMD == AD_SIMD_NEON
#define AD__SQUARE_32 4
#define AD__SQUARE_64 2
AD_INLINE void ad_v32__square(const ad_f32 *from, size_t ldf, ad_f32 *to, size_t ldt) {
  float32x4x2_t a = vtrnq_f32(vld1q_f32(from), vld1q_f32(from + ldf)), b = vtrnq_f32(vld1q_f32(from + 2 * ldf), vld1q_f32(from + 3 * ldf));
  for (size_t i = 0; i < 2; i++) {
    vst1q_f32(to + i * ldt, vcombine_f32(vget_low_f32(a.val[i]), vget_low_f32(b.val[i])));
    vst1q_f32(to + (i + 2) * ldt, vcombine_f32(vget_high_f32(a.val[i]), vget_high_f32(b.val[i])));
  }
}
AD_INLINE void ad_v64__square(const ad_f64 *from, size_t ldf, ad_f64 *to, size_t ldt) {
  float64x2_t a = vld1q_f64(from), b = vld1q_f64(from + ldf);
  vst1q_f64(to, vcombine_f64(vget_low_f64(a), vget_low_f64(b)));
  vst1q_f64(to + ldt, vcombine_f64(vget_high_f64(a), vget_high_f64(b)));
}
#else
#define AD__SQUARE_32 4
#define AD__SQUARE_64 4
AD_INLINE void ad_v32__square(const ad_f32 *from, size_t ldf, ad_f32 *to, size_t ldt) {
  for (size_t j = 0; j < 4; j++) for (size_t i = 0; i < 4; i++) to[j * ldt + i] = from[i * ldf + j];
}
AD_INLINE void ad_v64__square(const ad_f64 *from, size_t ldf, ad_f64 *to, size_t ldt) {
  for (size_t j = 0; j < 4; j++) for (size_t i = 0; i < 4; i++) to[j * ldt + i] = from[i * ldf + j];
}
#endif

#define AD__TEMPLATE AD__ARRAY_LOOPS
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#define AD__BLOCK 512
#define AD__SQUARE AD__SQUARE_32
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#define AD__BLOCK 256
#define AD__SQUARE AD__SQUARE_64
#include "ad_simd.h"
#undef AD__TEMPLATE

/* >>reduce --------------------------------------------------------------------------------------------------------------
   Sums and their like, the same bits on every backend with fma.

   The array is cut into virtual registers of AD_WIDE elements (16 float, 8 double: one AVX-512 register, two AVX2, four NEON).
   Those are joined by a binary tree: with m virtual registers, m = 2^a + 2^b + .. and a > b > .., the result is
   B_a + (B_b + (.. + rest)), where B_k joins 2^k neighbours pairwise and rest is the last, incomplete one, filled up with the
   neutral element. The AD_WIDE lanes that remain are folded by halves. The error of a sum is at most
   (log2(n / AD_WIDE) + log2(AD_WIDE) + 1) eps sum|x|. Over the rows of a matrix (one result a column) the tree runs over rows.
   Results depend on n and the values only: not on the address, the backend or the number of threads.

   The leaf of the tree is 32 virtual registers in straight code: independent additions, so it runs at the speed of the loads, each
   line read once and in the order of memory (as gcc would mix them, 64 MB took 1.6 times as long with AVX-512, 3 times with AVX2);
   finished leaves are carried up like a binary counter (one more addition a leaf). Rejected: running sums in several
   accumulators (as fast, but the error grows with n / AD_WIDE). A reduction is the function _reduce with a term, a join and a
   fold that the compiler inlines. Nothing is allocated; at most 16 KB of stack are used.

   Over an array: ad_f32_array_X(n, x). Over the columns of an (n, columns) array: ad_f32_columns_X(n, columns, stride, x, out).
   Over one axis: ad_f32_reduce(kind, outer, n, inner, x, out, add). All of them for ad_f64 too. */

typedef enum ad_reduction {
  AD_REDUCE_SUM, AD_REDUCE_MEAN, AD_REDUCE_PROD, AD_REDUCE_MAX, AD_REDUCE_MIN, AD_REDUCE_SUMABS, AD_REDUCE_SUMSQ, AD_REDUCE_NORM
} ad_reduction;

#define AD__LEVELS 48          /* leaves up to 2^48 */
#define AD__COLUMN_LEVELS 24   /* of 8 rows; beyond 2^26 rows the topmost sums one after the other */

AD_INLINE double ad__product(double a, double b) { double r = a * b; AD__ROUNDED(r); return r; }

#define AD__TEMPLATE AD__REDUCE
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#define AD_WIDE 16
#define AD__TILE 128
#define AD__NORM_LOW 0x1p-60f
#define AD__NORM_HIGH 0x1p100f
#define AD__LOWEST_EXPONENT (-125)
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#define AD_WIDE 8
#define AD__TILE 64
#define AD__NORM_LOW 0x1p-900
#define AD__NORM_HIGH 0x1p900
#define AD__LOWEST_EXPONENT (-1021)
#include "ad_simd.h"
#undef AD__TEMPLATE

/* >>rows ----------------------------------------------------------------------------------------------------------------
   Softmax and its relatives and layer norm, row by row of a (rows, n) array.

   Short rows (10 classes) would leave most of a register idle in exp. So as many rows as fit 4 KB are shifted by their maxima
   into one buffer without gaps, exp runs over the buffer in full registers, and sums and scales go row by row again. Rows of
   at most a virtual register are read and written as whole registers: what a store writes too much, the next row overwrites.
   Sums are the trees of >>reduce. Results of a row do not depend on the other rows.

   The maximum only keeps exp in range and cancels, so NaN need no care in it: one NaN in a row makes all of it NaN through the
   sum. Scaling multiplies by the reciprocal of the sum: at most 1 ULP worse, and a division costs as much as exp. */

#define AD__TEMPLATE AD__ROWS
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#define AD_WIDE 16
#define AD__CHUNK 1024
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#define AD_WIDE 8
#define AD__CHUNK 512
#include "ad_simd.h"
#undef AD__TEMPLATE

/* >>random --------------------------------------------------------------------------------------------------------------
   Random numbers by counter: Philox 4x32-10 (Salmon et al. 2011). The number at index i of stream s under a seed is a function
   of (seed, s, i) alone: no state to keep, any part can be made again (the backward pass of dropout) or by another thread, and
   all backends agree. Rejected: a generator with state, whose numbers depend on who drew before. Sixteen blocks go side by
   side, so that compilers turn the rounds into SIMD code. Normal numbers are Box and Muller's, in the words log, sinpi, cospi:
   the same bits wherever those are (SLEEF with fma). */

/* the four words of the blocks first .. first+15 */
AD_LOCAL void ad__philox16(uint64_t seed, uint64_t stream, uint64_t first, uint32_t word[4][16]) {
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int i = 0; i < 16; i++) {
    word[0][i] = (uint32_t)(first + (uint64_t)i), word[1][i] = (uint32_t)((first + (uint64_t)i) >> 32);
    word[2][i] = (uint32_t)stream, word[3][i] = (uint32_t)(stream >> 32);
  }
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < 16; i++) {
      uint64_t a = (uint64_t)word[0][i] * UINT32_C(0xd2511f53), b = (uint64_t)word[2][i] * UINT32_C(0xcd9e8d57);
      word[0][i] = (uint32_t)(b >> 32) ^ word[1][i] ^ k0, word[2][i] = (uint32_t)(a >> 32) ^ word[3][i] ^ k1;
      word[1][i] = (uint32_t)b, word[3][i] = (uint32_t)a;
    }
    k0 += UINT32_C(0x9e3779b9), k1 += UINT32_C(0xbb67ae85);
  }
}
/* out[i] = number first + i of the stream, uniform in [0, 1): 24 bits for float, 53 for double */
AD_LOCAL void ad_f32_random_uniform(uint64_t seed, uint64_t stream, uint64_t first, size_t n, ad_f32 *out) {
  uint32_t word[4][16];
  uint64_t have = UINT64_MAX;
  for (size_t i = 0; i < n; i++) {
    uint64_t at = first + i;
    if (at / 64 != have) ad__philox16(seed, stream, at / 64 * 16, word), have = at / 64;
    out[i] = (ad_f32)(word[at % 4][at / 4 % 16] >> 8) * 0x1p-24f;
  }
}
AD_LOCAL void ad_f64_random_uniform(uint64_t seed, uint64_t stream, uint64_t first, size_t n, ad_f64 *out) {
  uint32_t word[4][16];
  uint64_t have = UINT64_MAX;
  for (size_t i = 0; i < n; i++) {
    uint64_t at = first + i;
    if (at / 32 != have) ad__philox16(seed, stream, at / 32 * 16, word), have = at / 32;
    out[i] = (ad_f64)(((uint64_t)word[at % 2 * 2][at / 2 % 16] << 32 | word[at % 2 * 2 + 1][at / 2 % 16]) >> 11) * 0x1p-53;
  }
}

#define AD__TEMPLATE AD__RANDOM
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#include "ad_simd.h"
#undef AD__TEMPLATE

/* >>optimise ------------------------------------------------------------------------------------------------------------
   Steps of gradient descent over a parameter array, each in one pass over memory. Nothing but additions, products, fma,
   division and square root, so the same bits on every backend. */

/* b to the power n by squaring: no libm, whose last bit differs from one system to the next */
AD_LOCAL double ad__power(double b, uint64_t n) {
  double r = 1;
  for (; n; n >>= 1, b *= b)
    if (n & 1) r *= b;
  return r;
}

#define AD__TEMPLATE AD__OPTIMISE
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#include "ad_simd.h"
#undef AD__TEMPLATE

/* >>gemm ----------------------------------------------------------------------------------------------------------------
   C = alpha op(A) op(B) + beta C for row-major matrices with leading dimensions. Data: a tile of C, some rows by one to three
   registers, stays in registers while k runs over a block; rows of B are loaded as registers, elements of A are broadcast.
   Registers run along n, so B is packed into panels as wide as a tile where it is transposed, and where it pays (many rows
   reuse it and it is not in the first-level cache, or its stride maps its rows to the same cache sets); A likewise.

   Invariant: an element of C is, on every backend and for every way through the code,
     for each block of k, in order:  s = 0;  s = fma(a, b, s) for k ascending;  c = fma(alpha, s, beta c), beta c rounded first,
   where beta is 1 from the second block on, and c = alpha s where beta is 0. The blocks depend on k alone (AD__GEMM_K).
   So the bits do not depend on backend, tile, packing or workspace. n = 1, and m = 1 with B transposed, are dot products
   along contiguous memory and go to gemv, which says what it does. Where the processor has no fma, a product and a sum
   are rounded apart, because fma is a call there.

   alpha = 0 or k = 0: A and B are not read. beta = 0: C is not read. Otherwise nothing is skipped, NaN and infinity propagate.
   Rejected: padding of edges into a temporary tile (twice the time at 10 columns); tiles of 12 x 2 everywhere (4 % slower than
   8 x 3 from 512 on: 12 rows at a stride of a page do not fit the 8 ways of the first-level cache); 4 x 3 with AVX2 (it takes all 16
   registers, and gcc tuned for Zen then reads B again for each row: 25 % slower); masked loads in every loop (10 % with AVX2); separate kernels for transposed A (its three strides cost nothing); prefetching C, unrolling k (nothing).
   A packed block of B is as wide as 4 MB of workspace allow, larger than the second-level cache: A is packed again for every block of
   B, and that cost 12 % (f64) and 8 % (f32) at 1024 with blocks of 24 registers, while B is used by 72 rows and more each time it is read.
   Measured on Zen 4, whose limit is 117 (f32) and 58.7 GFLOP/s (f64): 115 and 56 at 128 to 256, 104 and 50 at 1024 (AVX2: 112 and 54,
   108 and 51). Blocks of 200, 256 or 320 in k, and tiles of 12 x 2 with A packed, are all within 3 % there, the measurement's own spread.

   For S = f32 and f64 (see the templates for the arguments):
     ad_S_gemm_work  ad_S_gemm  ad_S_gemm_finish  ad_S_gemm_batch  ad_S_gemv  ad_S_ger
   AD_USE_CBLAS: ad_S_gemm calls cblas_sgemm or cblas_dgemm of the BLAS that is linked; the bits are then those of the BLAS. */

#if defined(AD_USE_CBLAS)
#include <cblas.h>
#include <limits.h>
#endif

#if AD_SIMD != AD_SIMD_SCALAR || defined(__FMA__) || defined(__AVX512F__) || defined(__FP_FAST_FMA) || defined(__FP_FAST_FMAF) || defined(__aarch64__)
#define AD_GEMM_FUSED 1   /* 0: a product and a sum, each rounded */
#else
#define AD_GEMM_FUSED 0
#endif

/* Tiles, rows x registers, widest first of each width; rows of A that share a base pointer, which divide every height over 2;
   registers of a panel of B; rows of a packed block of A; the stride in bytes from which A is packed (half of it if
   A is transposed); the rows from which a middling B is packed. */
#if AD_SIMD == AD_SIMD_AVX512 || AD_SIMD == AD_SIMD_NEON
#define AD__GEMM_TILES(T) T(12, 2) T(8, 2) T(4, 2) T(2, 2) T(1, 2)  T(16, 1) T(8, 1) T(4, 1) T(2, 1) T(1, 1)  T(8, 3) T(4, 3) T(2, 3) T(1, 3)  T(1, 8)
#define AD__GEMM_GROUP 4
#define AD__GEMM_WIDE 3
#define AD__GEMM_M 144
#define AD__GEMM_FAR SIZE_MAX
#define AD__GEMM_REUSE 192
#else
#define AD__GEMM_TILES(T) T(6, 2) T(4, 2) T(2, 2) T(1, 2)  T(12, 1) T(8, 1) T(4, 1) T(2, 1) T(1, 1)  T(1, 8)
#define AD__GEMM_GROUP 2
#define AD__GEMM_WIDE 2
#define AD__GEMM_M 72
#define AD__GEMM_FAR 4096
#define AD__GEMM_REUSE 128
#endif
/* A last register of which at most half is wanted is taken as one of half the width: processors that run AVX-512 in halves do so twice
   as fast (Zen 4: 17 % at 100 x 10 x 50 of double, 9 % at 100 x 50 x 784 of float). */
#if AD_SIMD == AD_SIMD_AVX512
/* extract and insert in their masked forms: the casts of gcc 12 read an undefined register, of which g++ warns */
#define AD__GEMM_HALF 1
typedef __m256 ad_v32_half;
typedef __m256d ad_v64_half;
AD_INLINE ad_v32_half ad_v32__half(ad_v32 x) { return _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(255, _mm512_castps_pd(x), 0)); }
AD_INLINE ad_v64_half ad_v64__half(ad_v64 x) { return _mm512_maskz_extractf64x4_pd(255, x, 0); }
AD_INLINE ad_v32 ad_v32__half_whole(ad_v32_half x) { return _mm512_castpd_ps(_mm512_maskz_insertf64x4(255, _mm512_setzero_pd(), _mm256_castps_pd(x), 0)); }
AD_INLINE ad_v64 ad_v64__half_whole(ad_v64_half x) { return _mm512_maskz_insertf64x4(255, _mm512_setzero_pd(), x, 0); }
AD_INLINE ad_v32_half ad_v32__half_load(const ad_f32 *p, int n) { return ad_v32__half(_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p)); }
AD_INLINE ad_v64_half ad_v64__half_load(const ad_f64 *p, int n) { return ad_v64__half(_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p)); }
AD_INLINE ad_v32_half ad_v32__half_fma(ad_v32_half a, ad_v32_half b, ad_v32_half c) { return _mm256_fmadd_ps(a, b, c); }
AD_INLINE ad_v64_half ad_v64__half_fma(ad_v64_half a, ad_v64_half b, ad_v64_half c) { return _mm256_fmadd_pd(a, b, c); }
#else
#define AD__GEMM_HALF 0
#endif
#define AD__GEMM_TILE_MAX 24   /* registers of the largest tile */
#define AD__GEMM_N 128         /* registers that a packed block of B is wide */
#define AD__GEMM_SMALL 32768   /* bytes of B that are never packed, unless transposed; that are always packed (a quarter if many rows use it) */
#define AD__GEMM_LARGE 2097152
#define AD__GEMM_K 400         /* longest block of k: the same on every backend, the results depend on it */
#define AD__GEMV_K 1024        /* the same for dot products of gemv; a multiple of 16 */

/* The tallest tile that fits is taken, but 16 rows as 8 + 8, not 12 + 4: low tiles wait for their own sums. next: the height after mr. */
AD_INLINE bool ad__too_tall(size_t m, size_t mr, size_t next) { return mr > m || (mr > 1 && 2 * next > mr && m >= 2 * next && m < mr + next); }

#define AD__TEMPLATE AD__GEMM
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#define AD_VIRTUAL 16
#define AD_CBLAS(op) cblas_s##op
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#define AD_VIRTUAL 8
#define AD_CBLAS(op) cblas_d##op
#include "ad_simd.h"
#undef AD__TEMPLATE

/* >>linalg --------------------------------------------------------------------------------------------------------------
   Triangular systems, Cholesky and LU factors, in place on row-major matrices. All are recursive: a triangle is two triangles
   and a rectangle, so nearly all work is gemm whatever the size, and no block size has to be chosen; below AD__LINALG_BASE rows
   plain loops finish. The order of operations depends on sizes alone, so the bits are those of gemm: equal on every backend.
   Rejected: fixed panels (a second parameter, and the panel itself runs at memory speed).

   Status: 0, or 1 + the index of the first pivot that failed (Cholesky: not greater than 0, NaN included; LU: exactly 0). Nothing
   aborts; a failed Cholesky leaves the matrix half done, a singular LU is complete with its zero pivot, and solving with it
   gives infinities or NaN. work: linalg_work bytes or NULL (slower, the same bits).

   For S = f32 and f64: ad_S_linalg_work  ad_S_trsm  ad_S_cholesky  ad_S_cholesky_solve  ad_S_lu  ad_S_lu_solve  ad_S_lu_det  ad_S_lu_logdet */

#define AD__LINALG_BASE 8

#define AD__TEMPLATE AD__LINALG
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#include "ad_simd.h"
#undef AD__TEMPLATE

/* >>conv ----------------------------------------------------------------------------------------------------------------
   Convolution (cross-correlation, as everywhere in machine learning) and pooling of images N C H W. Data: the input is lifted,
   for a block of channels and of output rows: one copy per column of the kernel, shifted, cut or padded with zeros to the
   width of the output, rows sorted by their remainder modulo the stride. In that form what a tap of the kernel sees of all
   output positions is one contiguous run, so a convolution is a gemm whose operand is read through a table of offsets, one a
   tap: no im2col matrix (the copy is R times smaller), full registers at every width, stride and dilation cost nothing in the
   kernel. The data gradient is the same with the roles of input and output exchanged, once per remainder of the stride. The
   filter gradient takes the lifted input as the broadcast operand, pixels in sequence, filters in the lanes.

   Invariant: forward, an output is, for each block of channels in order, s = 0; s = fma(w, x, s) over channel, kernel row, kernel
   column; y = s, then y + s; then + bias. Data gradient: the same over filter, row, column. Filter gradient: the same over the
   pixels of a block of output rows, then blocks, then images. Blocks depend on the shape alone: the bits on every backend agree.
   Padding is multiplied as zero. Rejected: lanes = output channels (needs transposing and wastes lanes on 6 or 20 filters);
   rows of the padded width (7 % of the work is junk at 28 columns).

     ad_conv, ad_conv_shape   the problem, the height and width of its output
     for S = f32 and f64: ad_S_conv_work  ad_S_conv  ad_S_conv_data  ad_S_conv_filter
     ad_pool, ad_pool_shape;  ad_S_max_pool  ad_S_max_pool_back  ad_S_mean_pool  ad_S_mean_pool_back */

/* input (batch, channels, height, width), filters (filters, channels / groups, kernel[0], kernel[1]), output (batch, filters, h, w).
   The pairs are for rows and columns; stride and dilation at least 1. */
typedef struct ad_conv {
  size_t batch, channels, height, width, filters, kernel[2], stride[2], padding[2], dilation[2], groups;
} ad_conv;
/* input (planes, height, width), output (planes, h, w); a mean counts padding where include_padding is true */
typedef struct ad_pool {
  size_t planes, height, width, kernel[2], stride[2], padding[2], dilation[2];
  bool include_padding;
} ad_pool;

AD_LOCAL bool ad__window(size_t size, size_t kernel, size_t stride, size_t padding, size_t dilation, size_t *out) {
  size_t padded, extent;
  if (kernel == 0 || stride == 0 || dilation == 0) return false;
  padded = ad__plus(size, ad__times(2, padding));
  extent = ad__plus(ad__times(kernel - 1, dilation), 1);
  if (extent > padded || padded > PTRDIFF_MAX) return false;
  *out = (padded - extent) / stride + 1;
  return true;
}
/* False where there is no such convolution: a kernel larger than the padded image, groups that do not divide, zero stride, ... or
   arrays of more than PTRDIFF_MAX bytes of double. */
AD_LOCAL bool ad_conv_shape(const ad_conv *p, size_t *height, size_t *width) {
  size_t input, output;
  if (p->groups == 0 || p->channels % p->groups || p->filters % p->groups) return false;
  if (!ad__window(p->height, p->kernel[0], p->stride[0], p->padding[0], p->dilation[0], height)) return false;
  if (!ad__window(p->width, p->kernel[1], p->stride[1], p->padding[1], p->dilation[1], width)) return false;
  input = ad__times(ad__times(ad__times(p->batch, p->channels), p->height), p->width);
  output = ad__times(ad__times(ad__times(p->batch, p->filters), *height), *width);
  return ad__times(input, sizeof(double)) <= PTRDIFF_MAX && ad__times(output, sizeof(double)) <= PTRDIFF_MAX &&
         ad__times(ad__times(ad__times(p->filters, p->channels), ad__times(p->kernel[0], p->kernel[1])), sizeof(double)) <= PTRDIFF_MAX;
}
AD_LOCAL bool ad_pool_shape(const ad_pool *p, size_t *height, size_t *width) {
  if (!ad__window(p->height, p->kernel[0], p->stride[0], p->padding[0], p->dilation[0], height)) return false;
  if (!ad__window(p->width, p->kernel[1], p->stride[1], p->padding[1], p->dilation[1], width)) return false;
  return ad__times(ad__times(ad__times(p->planes, p->height), p->width), sizeof(double)) <= PTRDIFF_MAX &&
         ad__times(ad__times(ad__times(p->planes, *height), *width), sizeof(double)) <= PTRDIFF_MAX;
}

/* What a lifting reads: output position (i, j) sees through tap (r, s) the element (row[r] + i step[0], column[s] + j step[1]) of a
   channel, 0 outside of it. taps[0] rows and taps[1] columns of the kernel; lowest: the least of row; phases: how many remainders
   of rows modulo step[0] are stored; reach: by how many rows a remainder exceeds the output. */
typedef struct ad__lifting {
  size_t channels, height, width, out_height, out_width, taps[2], step[2], phases, reach;
  ptrdiff_t lowest;
  const ptrdiff_t *row, *column;
} ad__lifting;
AD_LOCAL void ad__lifting_finish(ad__lifting *g) {
  ptrdiff_t most = g->row[0];
  g->lowest = g->row[0];
  for (size_t r = 1; r < g->taps[0]; r++) {
    if (g->row[r] < g->lowest) g->lowest = g->row[r];
    if (g->row[r] > most) most = g->row[r];
  }
  g->phases = (size_t)(most - g->lowest) + 1 < g->step[0] ? (size_t)(most - g->lowest) + 1 : g->step[0];
  g->reach = (size_t)(most - g->lowest) / g->step[0];
}
/* Channels of one block: as many as have AD__CONV_K taps, all blocks alike. Rows of one block: what keeps the copy in the second-level
   cache. A block of filters and of pixels fits the first-level cache so: with 400 taps the data gradient of 32 filters 3 x 3 took 18 %
   longer with AVX2, 5 % with AVX-512. */
#define AD__CONV_K 200
#define AD__LIFT 65536   /* elements */
AD_INLINE size_t ad__lift_channels(const ad__lifting *g) {
  const size_t n = AD__CONV_K / g->taps[0] / g->taps[1], blocks = n ? (g->channels + n - 1) / n : g->channels;
  return blocks ? (g->channels + blocks - 1) / blocks : 0;
}
AD_INLINE size_t ad__lift_rows(const ad__lifting *g, size_t most) {
  const size_t line = ad__times(ad__times(ad__lift_channels(g), g->taps[1]), ad__times(g->phases, g->out_width)), n = AD__LIFT / (line ? line : 1);
  const size_t rows = n > g->reach + 1 ? n - g->reach : 1;
  return rows < most ? rows : most;
}
AD_INLINE size_t ad__lift_plane(const ad__lifting *g, size_t rows) { return ((rows + g->reach) * g->out_width + 15) / 16 * 16; }
AD_INLINE size_t ad__lift_size(const ad__lifting *g, size_t rows) {
  return ad__times(ad__times(ad__times(ad__lift_channels(g), g->taps[1]), g->phases), ad__plus(ad__times(ad__plus(rows, g->reach), g->out_width), 15));
}
/* first output position whose element is inside, and the first after it that is not */
AD_INLINE void ad__inside(ptrdiff_t first, size_t step, size_t size, size_t count, size_t *from, size_t *to) {
  *from = first >= 0 ? 0 : ((size_t)-first + step - 1) / step;
  *to = first >= (ptrdiff_t)size ? 0 : ((size_t)((ptrdiff_t)size - 1 - first)) / step + 1;
  if (size == 0) *to = 0;
  if (*to > count) *to = count;
  if (*from > *to) *from = *to;
}

#if AD_SIMD == AD_SIMD_AVX512 || AD_SIMD == AD_SIMD_NEON
#define AD__CONV_TILES(T) T(8, 3) T(4, 3) T(2, 3) T(1, 3)  T(8, 2) T(4, 2) T(2, 2) T(1, 2)  T(8, 1) T(4, 1) T(2, 1) T(1, 1)
#define AD__FILTER_TILES(T) T(8, 2) T(4, 2) T(2, 2) T(1, 2)  T(8, 1) T(4, 1) T(2, 1) T(1, 1)
#else
#define AD__CONV_TILES(T) T(6, 2) T(4, 2) T(2, 2) T(1, 2)  T(8, 1) T(4, 1) T(2, 1) T(1, 1)
#define AD__FILTER_TILES(T) T(6, 2) T(4, 2) T(2, 2) T(1, 2)  T(8, 1) T(4, 1) T(2, 1) T(1, 1)
#endif

#define AD__TEMPLATE AD__CONV
#define AD_N ad_v32
#define AD_S ad_f32
#define AD_LANES AD_V32_LANES
#include "ad_simd.h"
#define AD_N ad_v64
#define AD_S ad_f64
#define AD_LANES AD_V64_LANES
#include "ad_simd.h"
#undef AD__TEMPLATE

#endif /* AD_SIMD_VECTORS_H */

#if defined(AD_SIMD_VECTORS_H) && defined(AD_VECTOR_SYSTEM) && !defined(AD__VECTOR_SYSTEMS) && !defined(AD__TEMPLATE)
#define AD__VECTOR_SYSTEMS                    /* ad.h was included before the vectors came: its rows become functions on them now */
AD_VECTOR_SYSTEM(ad_v32)
AD_VECTOR_SYSTEM(ad_v64)
#endif

/* ======================================================================================================================
   Templates. Each is read once per number system, by including this file again with AD_N (the system), AD_S (its element)
   and what else the template names. The functions that come out are ordinary ones; a debugger steps through these lines. */

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__ONE_LANE

AD_INLINE AD_N AD_W(k)(double c) { return (AD_N)c; }
AD_INLINE AD_N AD_W(load)(const AD_S *p) { return *p; }
AD_INLINE void AD_W(store)(AD_S *p, AD_N x) { *p = x; }
AD_INLINE void AD_W(stream)(AD_S *p, AD_N x) { *p = x; }
AD_INLINE AD_N AD_W(load_n)(const AD_S *p, int n) { (void)n; return *p; }
AD_INLINE void AD_W(store_n)(AD_S *p, AD_N x, int n) { (void)n; *p = x; }
AD_INLINE AD_N AD_W(load_or)(const AD_S *p, int n, AD_N x) { return n > 0 ? *p : x; }
AD_INLINE bool AD_W(first)(int n) { return n > 0; }
AD_INLINE AD_N AD_W(larger)(AD_N a, AD_N b) { return a > b ? a : b; }
AD_INLINE AD_S AD_W(largest)(AD_N x) { return x; }
AD_INLINE AD_N AD_W(add)(AD_N a, AD_N b) { return a + b; }
AD_INLINE AD_N AD_W(sub)(AD_N a, AD_N b) { return a - b; }
#if defined(AD__KEEP_PRODUCT)
AD_INLINE AD_N AD_W(mul)(AD_N a, AD_N b) { AD_N r = a * b; AD__ROUNDED(r); return r; }
#else
AD_INLINE AD_N AD_W(mul)(AD_N a, AD_N b) { return a * b; }
#endif
AD_INLINE AD_N AD_W(div)(AD_N a, AD_N b) { return a / b; }
AD_INLINE AD_N AD_W(fma)(AD_N a, AD_N b, AD_N c) { return AD_LIBM(fma)(a, b, c); }
AD_INLINE AD_N AD_W(fnma)(AD_N a, AD_N b, AD_N c) { return AD_LIBM(fma)(-a, b, c); }
AD_INLINE AD_N AD_W(neg)(AD_N x) { return -x; }
AD_INLINE AD_N AD_W(abs)(AD_N x) { return AD_LIBM(fabs)(x); }
AD_INLINE AD_N AD_W(copysign)(AD_N x, AD_N s) { return AD_LIBM(copysign)(x, s); }
AD_INLINE AD_N AD_W(sqrt)(AD_N x) { return AD_LIBM(sqrt)(x); }
AD_INLINE AD_N AD_W(floor)(AD_N x) { return AD_LIBM(floor)(x); }
AD_INLINE AD_N AD_W(ceil)(AD_N x) { return AD_LIBM(ceil)(x); }
AD_INLINE AD_N AD_W(trunc)(AD_N x) { return AD_LIBM(trunc)(x); }
AD_INLINE AD_N AD_W(rint)(AD_N x) { return AD_LIBM(rint)(x); }
AD_INLINE bool AD_W(lt)(AD_N a, AD_N b) { return isless(a, b); }
AD_INLINE bool AD_W(le)(AD_N a, AD_N b) { return islessequal(a, b); }
AD_INLINE bool AD_W(eq)(AD_N a, AD_N b) { return a == b; }
AD_INLINE bool AD_W(ne)(AD_N a, AD_N b) { return a != b; }
AD_INLINE bool AD_W(and)(bool a, bool b) { return a && b; }
AD_INLINE bool AD_W(or)(bool a, bool b) { return a || b; }
AD_INLINE bool AD_W(not)(bool a) { return !a; }
AD_INLINE bool AD_W(any)(bool m) { return m; }
AD_INLINE bool AD_W(all)(bool m) { return m; }
AD_INLINE AD_N AD_W(select)(bool m, AD_N a, AD_N b) { return m ? a : b; }
AD_INLINE AD_N AD_W(only)(bool m, AD_N x) { return m ? x : 0; }
AD_INLINE AD_N AD_W(mul_only)(bool m, AD_N a, AD_N b) { return AD_W(only)(m, AD_W(mul)(a, b)); }
AD_INLINE AD_N AD_W(max)(AD_N a, AD_N b) { return a > b ? a : b > a ? b : a == b ? (signbit(a) ? b : a) : a + b; }
AD_INLINE AD_N AD_W(min)(AD_N a, AD_N b) { return a < b ? a : b < a ? b : a == b ? (signbit(a) ? a : b) : a + b; }
AD_INLINE AD_S AD_W(sum)(AD_N x) { return x; }
#if defined(AD__KEEP_PRODUCT)
typedef int AD_W(part);
AD_INLINE AD_N AD_W(dup)(const AD_S *p) { return *p; }
AD_INLINE int AD_W(part_of)(int n) { return n; }
AD_INLINE AD_N AD_W(load_part)(const AD_S *p, int n) { return n ? *p : 0; }
AD_INLINE void AD_W(store_part)(AD_S *p, AD_N x, int n) { if (n) *p = x; }
AD_INLINE void AD_W(transpose)(AD_N *r) { (void)r; }
#endif

#undef AD_N
#undef AD_S
#undef AD_LIBM
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__DERIVED

AD_INLINE AD_S AD_W(highest)(AD_N x) {
  AD_S lane[AD_LANES];
  AD_W(store)(lane, x);
  for (int h = AD_LANES / 2; h > 0; h /= 2)
    for (int i = 0; i < h; i++) lane[i] = AD__PASTE(AD_S, max)(lane[i], lane[i + h]);
  return lane[0];
}
AD_INLINE AD_S AD_W(lowest)(AD_N x) {
  AD_S lane[AD_LANES];
  AD_W(store)(lane, x);
  for (int h = AD_LANES / 2; h > 0; h /= 2)
    for (int i = 0; i < h; i++) lane[i] = AD__PASTE(AD_S, min)(lane[i], lane[i + h]);
  return lane[0];
}

#undef AD_N
#undef AD_S
#undef AD_LANES
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__SQUARES

/* a square of columns <= lanes numbers in rows <= lanes rows, stride numbers apart, turned */
AD_INLINE void AD_W(load_square)(AD_N *r, const AD_S *p, size_t stride, size_t columns, size_t rows) {
  if (columns == AD_LANES && rows >= AD_LANES) {
    AD__UNROLL
    for (size_t l = 0; l < AD_LANES; l++) { r[l] = AD_W(load)(p + l * stride); AD__IN_ORDER(r[l]); }
  } else {
    for (size_t l = 0; l < AD_LANES; l++) r[l] = AD_W(load_n)(p + (l < rows ? l : rows - 1) * stride, (int)columns);
  }
  AD_W(transpose)(r);
}
AD_INLINE void AD_W(store_square)(AD_S *p, size_t stride, AD_N *r, size_t columns, size_t rows) {
  AD_W(transpose)(r);
  if (columns == AD_LANES && rows >= AD_LANES) {
    AD__UNROLL
    for (size_t l = 0; l < AD_LANES; l++) { AD_W(store)(p + l * stride, r[l]); AD__IN_ORDER(r[l]); }
  } else {
    for (size_t l = 0; l < AD_LANES && l < rows; l++) AD_W(store_n)(p + l * stride, r[l], (int)columns);
  }
}
AD_INLINE void AD_W(load_columns)(AD_N *r, const AD_S *p, size_t stride, size_t columns) {
  AD_N square[AD_LANES];
  AD__UNROLL
  for (size_t i = 0; i < columns; i += AD_LANES) {
    const size_t j = i && columns - i < AD_LANES ? columns - AD_LANES : i, width = columns < AD_LANES ? columns : AD_LANES;
    AD_W(load_square)(square, p + j, stride, width, AD_LANES);
    AD__UNROLL
    for (size_t l = 0; l < width; l++) r[j + l] = square[l];
  }
}
AD_INLINE void AD_W(store_columns)(AD_S *p, size_t stride, const AD_N *r, size_t columns) {
  AD_N square[AD_LANES];
  AD__UNROLL
  for (size_t i = 0; i < columns; i += AD_LANES) {
    const size_t j = i && columns - i < AD_LANES ? columns - AD_LANES : i, width = columns < AD_LANES ? columns : AD_LANES;
    AD__UNROLL
    for (size_t l = 0; l < AD_LANES; l++) square[l] = r[j + (l < width ? l : 0)];
    AD_W(store_square)(p + j, stride, square, width, AD_LANES);
  }
}

#undef AD_N
#undef AD_S
#undef AD_LANES
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__LIBM_MATH

AD_INLINE AD_N AD_W(exp)(AD_N x) { return AD_LIBM(exp)(x); }
AD_INLINE AD_N AD_W(exp2)(AD_N x) { return AD_LIBM(exp2)(x); }
AD_INLINE AD_N AD_W(exp10)(AD_N x) { return AD_LIBM(pow)(10, x); }
AD_INLINE AD_N AD_W(expm1)(AD_N x) { return AD_LIBM(expm1)(x); }
AD_INLINE AD_N AD_W(log)(AD_N x) { return AD_LIBM(log)(x); }
AD_INLINE AD_N AD_W(log2)(AD_N x) { return AD_LIBM(log2)(x); }
AD_INLINE AD_N AD_W(log10)(AD_N x) { return AD_LIBM(log10)(x); }
AD_INLINE AD_N AD_W(log1p)(AD_N x) { return AD_LIBM(log1p)(x); }
AD_INLINE AD_N AD_W(sin)(AD_N x) { return AD_LIBM(ad__sin)(x); }
AD_INLINE AD_N AD_W(cos)(AD_N x) { return AD_LIBM(ad__cos)(x); }
AD_INLINE AD_N AD_W(tan)(AD_N x) { return AD_LIBM(tan)(x); }
AD_INLINE AD_N AD_W(asin)(AD_N x) { return AD_LIBM(asin)(x); }
AD_INLINE AD_N AD_W(acos)(AD_N x) { return AD_LIBM(acos)(x); }
AD_INLINE AD_N AD_W(atan)(AD_N x) { return AD_LIBM(atan)(x); }
AD_INLINE AD_N AD_W(sinh)(AD_N x) { return AD_LIBM(sinh)(x); }
AD_INLINE AD_N AD_W(cosh)(AD_N x) { return AD_LIBM(cosh)(x); }
AD_INLINE AD_N AD_W(tanh)(AD_N x) { return AD_LIBM(tanh)(x); }
AD_INLINE AD_N AD_W(asinh)(AD_N x) { return AD_LIBM(asinh)(x); }
AD_INLINE AD_N AD_W(acosh)(AD_N x) { return AD_LIBM(acosh)(x); }
AD_INLINE AD_N AD_W(atanh)(AD_N x) { return AD_LIBM(atanh)(x); }
/* a step of Newton's with the cube to twice the digits: the cbrt of glibc is off by up to 3.7 ULP */
AD_INLINE AD_N AD_W(cbrt)(AD_N x) {
  double a = (double)x, v = cbrt(a), p = v * v, e = fma(v, v, -p);
  return (AD_N)(fabs(a) > 1e-290 && fabs(a) < 1e300 ? v - (fma(p, v, -a) + e * v) / (3 * p) : v);
}
AD_INLINE AD_N AD_W(erf)(AD_N x) { return AD_LIBM(erf)(x); }
AD_INLINE AD_N AD_W(erfc)(AD_N x) { return AD_LIBM(erfc)(x); }
AD_INLINE AD_N AD_W(lgamma)(AD_N x) { return (AD_N)lgamma((double)x); }
AD_INLINE AD_N AD_W(tgamma)(AD_N x) { return (AD_N)tgamma((double)x); }
AD_INLINE AD_N AD_W(pow)(AD_N x, AD_N y) { return AD_LIBM(pow)(x, y); }
AD_INLINE AD_N AD_W(atan2)(AD_N x, AD_N y) { return AD_LIBM(atan2)(x, y); }
AD_INLINE AD_N AD_W(hypot)(AD_N x, AD_N y) { return AD_LIBM(hypot)(x, y); }
AD_INLINE AD_N AD_W(fmod)(AD_N x, AD_N y) { return AD_LIBM(fmod)(x, y); }
AD_INLINE AD_N AD_W(remainder)(AD_N x, AD_N y) { return AD_LIBM(remainder)(x, y); }
/* in double: |x| = 2 n + q/2 + t exactly, |t| <= 1/4 in any rounding mode, and pi t with the part that the product rounds away */
AD_INLINE AD_N AD_W(sinpi)(AD_N x) {
  double a = (double)x, r = fmod(fabs(a), 2), q = floor(2 * r + 0.5), t = r - q / 2, p = 0x1.921fb54442d18p+1 * t;
  double e = fma(0x1.921fb54442d18p+1, t, -p) + 0x1.1a62633145c07p-53 * t, s = sin(p), c = cos(p), v;
  if (r != r) return (AD_N)(a - a);
  v = q == 2 ? -(s + e * c) : q == 1 ? c - e * s : q == 3 ? e * s - c : s + e * c;
  return (AD_N)(v == 0 ? copysign(0, a) : signbit(a) ? -v : v);
}
AD_INLINE AD_N AD_W(cospi)(AD_N x) {
  double a = (double)x, r = fmod(fabs(a), 2), q = floor(2 * r + 0.5), t = r - q / 2, p = 0x1.921fb54442d18p+1 * t;
  double e = fma(0x1.921fb54442d18p+1, t, -p) + 0x1.1a62633145c07p-53 * t, s = sin(p), c = cos(p), v;
  if (r != r) return (AD_N)(a - a);
  v = q == 2 ? e * s - c : q == 1 ? -(s + e * c) : q == 3 ? s + e * c : c - e * s;
  return (AD_N)(v + 0);
}

#undef AD_N
#undef AD_LIBM
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__ARRAY_LOOPS

/* The kernel of an operation over contiguous arrays: v[i] = f(x[0][i], ..), and out[i] (+)= g[i] * partial(x[..][i], v[i]).
   v or out may be one of the operands. What the formula does not read may be a null pointer. */
typedef void AD_SW(value_kernel)(size_t n, const AD_S *const *x, AD_S *v);
typedef void AD_SW(partial_kernel)(size_t n, const AD_S *const *x, const AD_S *v, const AD_S *g, AD_S *out, bool add);

AD_INLINE AD_N AD_W(_get)(const AD_S *p, int n) { return n == AD_LANES ? AD_W(load)(p) : AD_W(load_n)(p, n); }
AD_INLINE void AD_W(_put)(AD_S *p, AD_N x, int n) { if (n == AD_LANES) AD_W(store)(p, x); else AD_W(store_n)(p, x, n); }
AD_INLINE AD_N AD_W(_set)(AD_S c) { return AD_W(k)((double)c); }
AD_INLINE int AD_W(_left)(size_t i, size_t n) { return n - i < AD_LANES ? (int)(n - i) : AD_LANES; }
/* the last n elements at p as a whole register in memory */
AD_INLINE const AD_S *AD_W(_pad)(AD_S *pad, const AD_S *p, size_t n) {
  AD_W(store)(pad, AD_W(load_n)(p, (int)n));
  return pad;
}

/* What is left of an array after the whole registers goes through the same loop once more, on padded copies: the formula, which
   can be long, is there once, and the loop has no branch in it. */
AD_INLINE void AD_W(_value_1)(AD_N (*f)(AD_N), size_t n, const AD_S *const *x, AD_S *v) {
  AD_S pad[2][AD_LANES];
  const AD_S *a = x[0];
  AD_S *to = v;
  size_t rest = n % AD_LANES, whole = n - rest;
  for (size_t m = whole;; m = AD_LANES) {
    for (size_t i = 0; i < m; i += AD_LANES) AD_W(store)(to + i, f(AD_W(load)(a + i)));
    if (rest == 0 || to == pad[1]) break;
    a = AD_W(_pad)(pad[0], a + whole, rest), to = pad[1];
  }
  if (rest) AD_W(store_n)(v + whole, AD_W(load)(to), (int)rest);
}
AD_INLINE void AD_W(_value_2)(AD_N (*f)(AD_N, AD_N), size_t n, const AD_S *const *x, AD_S *v) {
  AD_S pad[3][AD_LANES];
  const AD_S *a = x[0], *b = x[1];
  AD_S *to = v;
  size_t rest = n % AD_LANES, whole = n - rest;
  for (size_t m = whole;; m = AD_LANES) {
    for (size_t i = 0; i < m; i += AD_LANES) AD_W(store)(to + i, f(AD_W(load)(a + i), AD_W(load)(b + i)));
    if (rest == 0 || to == pad[2]) break;
    a = AD_W(_pad)(pad[0], a + whole, rest), b = AD_W(_pad)(pad[1], b + whole, rest), to = pad[2];
  }
  if (rest) AD_W(store_n)(v + whole, AD_W(load)(to), (int)rest);
}
AD_INLINE void AD_W(_value_3)(AD_N (*f)(AD_N, AD_N, AD_N), size_t n, const AD_S *const *x, AD_S *v) {
  AD_S pad[4][AD_LANES];
  const AD_S *a = x[0], *b = x[1], *c = x[2];
  AD_S *to = v;
  size_t rest = n % AD_LANES, whole = n - rest;
  for (size_t m = whole;; m = AD_LANES) {
    for (size_t i = 0; i < m; i += AD_LANES) AD_W(store)(to + i, f(AD_W(load)(a + i), AD_W(load)(b + i), AD_W(load)(c + i)));
    if (rest == 0 || to == pad[3]) break;
    a = AD_W(_pad)(pad[0], a + whole, rest), b = AD_W(_pad)(pad[1], b + whole, rest), c = AD_W(_pad)(pad[2], c + whole, rest), to = pad[3];
  }
  if (rest) AD_W(store_n)(v + whole, AD_W(load)(to), (int)rest);
}

/* one register of an operand that the formula reads, else of zeros */
AD_INLINE AD_N AD_W(_read)(bool used, const AD_S *p, size_t i) { return used ? AD_W(load)(p + i) : AD_W(k)(0); }
AD_INLINE void AD_W(_seed_put)(AD_N (*seed)(AD_N, AD_N), AD_N d, const AD_S *g, AD_S *out, bool add, size_t i) {
  d = seed(AD_W(load)(g + i), d);
  AD_W(store)(out + i, add ? AD_W(add)(AD_W(load)(out + i), d) : d);
}
AD_INLINE void AD_W(_partial_1)(AD_N (*p)(AD_N, AD_N), AD_N (*seed)(AD_N, AD_N), bool use_x, bool use_v, size_t n, const AD_S *const *x,
                                const AD_S *v, const AD_S *g, AD_S *out, bool add) {
  AD_S pad[4][AD_LANES];
  const AD_S *a = x[0];
  AD_S *to = out;
  size_t rest = n % AD_LANES, whole = n - rest;
  for (size_t m = whole;; m = AD_LANES) {
    for (size_t i = 0; i < m; i += AD_LANES) AD_W(_seed_put)(seed, p(AD_W(_read)(use_x, a, i), AD_W(_read)(use_v, v, i)), g, to, add, i);
    if (rest == 0 || to == pad[3]) break;
    if (use_x) a = AD_W(_pad)(pad[0], a + whole, rest);
    if (use_v) v = AD_W(_pad)(pad[1], v + whole, rest);
    g = AD_W(_pad)(pad[2], g + whole, rest);
    if (add) AD_W(_pad)(pad[3], to + whole, rest);
    to = pad[3];
  }
  if (rest) AD_W(store_n)(out + whole, AD_W(load)(to), (int)rest);
}
AD_INLINE void AD_W(_partial_2)(AD_N (*p)(AD_N, AD_N, AD_N), AD_N (*seed)(AD_N, AD_N), bool use_x, bool use_v, size_t n, const AD_S *const *x,
                                const AD_S *v, const AD_S *g, AD_S *out, bool add) {
  AD_S pad[5][AD_LANES];
  const AD_S *a = x[0], *b = x[1];
  AD_S *to = out;
  size_t rest = n % AD_LANES, whole = n - rest;
  for (size_t m = whole;; m = AD_LANES) {
    for (size_t i = 0; i < m; i += AD_LANES)
      AD_W(_seed_put)(seed, p(AD_W(_read)(use_x, a, i), AD_W(_read)(use_x, b, i), AD_W(_read)(use_v, v, i)), g, to, add, i);
    if (rest == 0 || to == pad[4]) break;
    if (use_x) a = AD_W(_pad)(pad[0], a + whole, rest), b = AD_W(_pad)(pad[1], b + whole, rest);
    if (use_v) v = AD_W(_pad)(pad[2], v + whole, rest);
    g = AD_W(_pad)(pad[3], g + whole, rest);
    if (add) AD_W(_pad)(pad[4], to + whole, rest);
    to = pad[4];
  }
  if (rest) AD_W(store_n)(out + whole, AD_W(load)(to), (int)rest);
}
AD_INLINE void AD_W(_partial_3)(AD_N (*p)(AD_N, AD_N, AD_N, AD_N), AD_N (*seed)(AD_N, AD_N), bool use_x, bool use_v, size_t n, const AD_S *const *x,
                                const AD_S *v, const AD_S *g, AD_S *out, bool add) {
  AD_S pad[6][AD_LANES];
  const AD_S *a = x[0], *b = x[1], *c = x[2];
  AD_S *to = out;
  size_t rest = n % AD_LANES, whole = n - rest;
  for (size_t m = whole;; m = AD_LANES) {
    for (size_t i = 0; i < m; i += AD_LANES)
      AD_W(_seed_put)(seed, p(AD_W(_read)(use_x, a, i), AD_W(_read)(use_x, b, i), AD_W(_read)(use_x, c, i), AD_W(_read)(use_v, v, i)), g, to, add, i);
    if (rest == 0 || to == pad[5]) break;
    if (use_x) a = AD_W(_pad)(pad[0], a + whole, rest), b = AD_W(_pad)(pad[1], b + whole, rest), c = AD_W(_pad)(pad[2], c + whole, rest);
    if (use_v) v = AD_W(_pad)(pad[3], v + whole, rest);
    g = AD_W(_pad)(pad[4], g + whole, rest);
    if (add) AD_W(_pad)(pad[5], to + whole, rest);
    to = pad[5];
  }
  if (rest) AD_W(store_n)(out + whole, AD_W(load)(to), (int)rest);
}

AD_LOCAL void AD_SW(array_fill)(size_t n, AD_S c, AD_S *out) {
  AD_N w = AD_W(_set)(c);
  for (size_t i = 0; i < n; i += AD_LANES) AD_W(_put)(out + i, w, AD_W(_left)(i, n));
}
/* a copy past the caches, for results larger than they are; ad__streamed() after the last one */
AD_LOCAL void AD_SW(array_stream)(size_t n, const AD_S *x, AD_S *out) {
  const size_t line = AD_LANES * sizeof(AD_S), edge = (line - (uintptr_t)out % line) % line / sizeof(AD_S), head = edge < n ? edge : n;
  size_t i = head;
  if (head) memcpy(out, x, head * sizeof(AD_S));
  for (; i + AD_LANES <= n; i += AD_LANES) AD_W(stream)(out + i, AD_W(load)(x + i));
  if (i < n) memcpy(out + i, x + i, (n - i) * sizeof(AD_S));
}
/* out += a x */
AD_LOCAL void AD_SW(array_axpy)(size_t n, AD_S a, const AD_S *x, AD_S *out) {
  AD_N w = AD_W(_set)(a);
  for (size_t i = 0; i < n; i += AD_LANES) {
    int left = AD_W(_left)(i, n);
    AD_W(_put)(out + i, AD_W(fma)(w, AD_W(_get)(x + i, left), AD_W(_get)(out + i, left)), left);
  }
}
AD_LOCAL void AD_SW(array_add)(size_t n, const AD_S *x, AD_S *out) {
  for (size_t i = 0; i < n; i += AD_LANES) {
    int left = AD_W(_left)(i, n);
    AD_W(_put)(out + i, AD_W(add)(AD_W(_get)(out + i, left), AD_W(_get)(x + i, left)), left);
  }
}
AD_LOCAL void AD_SW(array_scale)(size_t n, AD_S a, const AD_S *x, AD_S *out) {
  AD_N w = AD_W(_set)(a);
  for (size_t i = 0; i < n; i += AD_LANES) {
    int left = AD_W(_left)(i, n);
    AD_W(_put)(out + i, AD_W(mul)(w, AD_W(_get)(x + i, left)), left);
  }
}

/* A view: its first element and a stride (in elements, 0 broadcasts, any sign) for every dimension. */
typedef struct AD_SW(view) {
  AD_S *data;
  ptrdiff_t stride[AD_VIEW_RANK];
} AD_SW(view);

/* the contiguous view of data with this shape */
AD_LOCAL AD_SW(view) AD_SW(view_of)(const AD_S *data, int rank, const size_t *shape) {
  AD_SW(view) r;
  memset(&r, 0, sizeof r);
  memcpy(&r.data, &data, sizeof data);
  for (ptrdiff_t d = rank - 1, step = 1; d >= 0; d--) {
    r.stride[d] = step;
    step *= (ptrdiff_t)shape[d];
  }
  return r;
}
/* merges dimensions that all the views run through as one; returns the new rank, at least 1 */
AD_LOCAL int AD_SW(_collapse)(int rank, size_t *shape, int views, AD_SW(view) *view) {
  int r = 0;
  for (int d = 0; d < rank; d++) {
    size_t n = shape[d];
    if (n == 1) continue;
    bool merge = r > 0;
    for (int k = 0; k < views; k++) merge = merge && view[k].stride[r - (r > 0)] == view[k].stride[d] * (ptrdiff_t)n;
    if (!merge) shape[r++] = 1;
    shape[r - 1] *= n;
    for (int k = 0; k < views; k++) view[k].stride[r - 1] = view[k].stride[d];
  }
  if (r == 0) {
    shape[0] = 1;
    for (int k = 0; k < views; k++) view[k].stride[0] = 1;
    r = 1;
  }
  return r;
}
/* whether writing a could change what is read from b other than at the same index */
AD_LOCAL bool AD_SW(_overlap)(int rank, const size_t *shape, const AD_SW(view) *a, const AD_SW(view) *b) {
  uintptr_t end[2][2];
  bool same = a->data == b->data;
  for (int k = 0; k < 2; k++) {
    const AD_SW(view) *v = k ? b : a;
    ptrdiff_t low = 0, high = 0;
    for (int d = 0; d < rank; d++) *(v->stride[d] < 0 ? &low : &high) += v->stride[d] * (ptrdiff_t)(shape[d] - 1);
    end[k][0] = (uintptr_t)(v->data + low), end[k][1] = (uintptr_t)(v->data + high) + sizeof(AD_S);
  }
  for (int d = 0; d < rank; d++) same = same && a->stride[d] == b->stride[d];
  return !same && end[0][0] < end[1][1] && end[1][0] < end[0][1];
}
/* rows times columns elements of a view to or from a contiguous buffer */
AD_LOCAL void AD_SW(_pack)(const AD_S *from, ptrdiff_t row, ptrdiff_t step, size_t rows, size_t columns, AD_S *to) {
  for (size_t i = 0; i < rows; i++, from += row, to += columns) {
    if (step == 1) memcpy(to, from, columns * sizeof *to);
    else if (step == 0) AD_SW(array_fill)(columns, *from, to);
    else for (size_t j = 0; j < columns; j++) to[j] = from[(ptrdiff_t)j * step];
  }
}
AD_LOCAL void AD_SW(_unpack)(const AD_S *from, AD_S *to, ptrdiff_t row, ptrdiff_t step, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++, to += row, from += columns) {
    if (step == 1) memcpy(to, from, columns * sizeof *to);
    else for (size_t j = 0; j < columns; j++) to[(ptrdiff_t)j * step] = from[j];
  }
}

/* One operation over views of one shape. view[0 .. arity-1] are operands; with a value kernel view[arity] is the result, with a
   partial kernel view[arity] .. view[arity+2] are v, g and out. Contiguous parts go to the kernel as they are, the others in
   blocks through buffers. */
AD_LOCAL bool AD_SW(_walk)(AD_SW(value_kernel) *value, AD_SW(partial_kernel) *partial, int arity, int rank, const size_t *shape_, AD_SW(view) *view, bool add) {
  AD_ALIGNED AD_S buffer[6][AD__BLOCK];
  const AD_S *filled[6] = { NULL, NULL, NULL, NULL, NULL, NULL };
  int views = arity + (partial ? 3 : 1), last = views - 1;
  size_t shape[AD_VIEW_RANK], at[AD_VIEW_RANK] = { 0 };
  if (rank < 0 || rank > AD_VIEW_RANK) return false;
  for (int d = 0; d < rank; d++) {
    shape[d] = shape_[d];
    if (shape[d] == 0) return true;
  }
  for (int k = 0; k < last; k++) {
    if (view[k].data == NULL) memcpy(view[k].stride, view[last].stride, sizeof view[k].stride);
    else if (AD_SW(_overlap)(rank, shape, &view[last], &view[k])) return false;
  }
  for (int d = 0; d < rank; d++)
    if (view[last].stride[d] == 0 && shape[d] > 1) return false;
  rank = AD_SW(_collapse)(rank, shape, views, view);
  size_t columns = shape[rank - 1], rows = rank > 1 && columns <= AD__BLOCK / 2 ? shape[rank - 2] : 1;
  int outer = rank - (rows > 1 ? 2 : 1);
  bool whole = rank == 1;
  for (int k = 0; k < views; k++) whole = whole && view[k].stride[0] == 1;
  size_t wide = whole || columns < AD__BLOCK ? columns : AD__BLOCK, high = columns <= AD__BLOCK / 2 ? AD__BLOCK / columns : 1;
  for (bool more = true; more;) {
    for (size_t i = 0; i < rows; i += high)
      for (size_t j = 0; j < columns; j += wide) {
        size_t m = rows - i < high ? rows - i : high, n = columns - j < wide ? columns - j : wide;
        AD_S *operand[6] = { NULL, NULL, NULL, NULL, NULL, NULL }, *target = NULL;
        ptrdiff_t row = 0, step = 0;
        for (int k = 0; k < views; k++) {
          if (view[k].data == NULL) continue;
          step = view[k].stride[rank - 1], row = rows > 1 ? view[k].stride[rank - 2] : 0;
          AD_S *from = view[k].data + (ptrdiff_t)i * row + (ptrdiff_t)j * step;
          for (int d = 0; d < outer; d++) from += (ptrdiff_t)at[d] * view[k].stride[d];
          operand[k] = target = from;
          if (step == 1 && (m == 1 || row == (ptrdiff_t)columns)) continue;
          operand[k] = buffer[k];
          if (row == 0) {   /* the same for every block: a scalar, a row that all rows share */
            if (filled[k] == from) continue;
            filled[k] = k == last ? NULL : from;
          }
          if (row == 0 && step == 0) AD_SW(array_fill)(m * n, *from, buffer[k]);
          else if (k != last || add) AD_SW(_pack)(from, row, step, m, n, buffer[k]);
        }
        if (partial) partial(m * n, (const AD_S *const *)operand, operand[arity], operand[arity + 1], operand[arity + 2], add);
        else value(m * n, (const AD_S *const *)operand, operand[arity]);
        if (operand[last] == buffer[last]) AD_SW(_unpack)(buffer[last], target, row, step, m, n);
      }
    more = false;
    for (int d = outer - 1; d >= 0 && !more; d--) {
      more = ++at[d] < shape[d];
      if (!more) at[d] = 0;
    }
  }
  return true;
}
/* v = f(x[0], .. x[arity-1]) over views of one shape (rank <= AD_VIEW_RANK). v may be one of the operands; false, and nothing
   done, if v overlaps an operand otherwise, or has a stride 0 */
AD_LOCAL bool AD_SW(map)(AD_SW(value_kernel) *f, int arity, int rank, const size_t *shape, const AD_SW(view) *x, AD_SW(view) v) {
  AD_SW(view) all[6];
  for (int k = 0; k < arity; k++) all[k] = x[k];
  all[arity] = v;
  return AD_SW(_walk)(f, NULL, arity, rank, shape, all, false);
}
/* out (+)= g * partial(x, v); the same rules; operands that the row does not keep may have data NULL */
AD_LOCAL bool AD_SW(map_partial)(AD_SW(partial_kernel) *f, int arity, int rank, const size_t *shape, const AD_SW(view) *x, AD_SW(view) v, AD_SW(view) g,
                                AD_SW(view) out, bool add) {
  AD_SW(view) all[6];
  for (int k = 0; k < arity; k++) all[k] = x[k];
  all[arity] = v, all[arity + 1] = g, all[arity + 2] = out;
  return AD_SW(_walk)(NULL, f, arity, rank, shape, all, add);
}

/* out[j][i] = x[i][j], x (rows, columns) with row stride ldx, out (columns, rows) with ldo; not in place */
AD_LOCAL void AD_SW(transpose)(size_t rows, size_t columns, const AD_S *x, size_t ldx, AD_S *out, size_t ldo) {
  const size_t side = AD__SQUARE, line = 64 / sizeof(AD_S);
  for (size_t i = 0; i < rows; i += line)
    for (size_t j = 0; j < columns; j += line) {
      size_t m = rows - i < line ? rows - i : line, n = columns - j < line ? columns - j : line;
      for (size_t a = 0; a < m; a += side)
        for (size_t b = 0; b < n; b += side) {
          const AD_S *from = x + (i + a) * ldx + j + b;
          AD_S *to = out + (j + b) * ldo + i + a;
          if (m - a >= side && n - b >= side) {
            AD_W(_square)(from, ldx, to, ldo);
            continue;
          }
          for (size_t p = 0; p < side && a + p < m; p++)
            for (size_t q = 0; q < side && b + q < n; q++) to[q * ldo + p] = from[p * ldx + q];
        }
    }
}
/* out, contiguous, from any view: permutations, slices, broadcasts, negative strides */
AD_LOCAL void AD_SW(copy)(int rank, const size_t *shape_, AD_SW(view) x, AD_S *out) {
  size_t shape[AD_VIEW_RANK], at[AD_VIEW_RANK] = { 0 };
  AD_SW(view) view[2];
  int across = -1;
  for (int d = 0; d < rank; d++) {
    shape[d] = shape_[d];
    if (shape[d] == 0) return;
  }
  view[0] = x, view[1] = AD_SW(view_of)(out, rank, shape);
  rank = AD_SW(_collapse)(rank, shape, 2, view);
  int inner = rank - 1;
  ptrdiff_t step = view[0].stride[inner];
  for (int d = 0; d < inner; d++)
    if (step != 1 && step > 0 && view[0].stride[d] == 1) across = d;
  for (bool more = true; more;) {
    const AD_S *from = view[0].data;
    AD_S *to = view[1].data;
    for (int d = 0; d < inner; d++) from += (ptrdiff_t)at[d] * view[0].stride[d], to += (ptrdiff_t)at[d] * view[1].stride[d];
    if (across >= 0) AD_SW(transpose)(shape[inner], shape[across], from, (size_t)step, to, (size_t)view[1].stride[across]);
    else if (step == 0) AD_SW(array_fill)(shape[inner], *from, to);
    else AD_SW(_pack)(from, 0, step, 1, shape[inner], to);
    more = false;
    for (int d = inner - 1; d >= 0 && !more; d--) {
      if (d == across) continue;
      more = ++at[d] < shape[d];
      if (!more) at[d] = 0;
    }
  }
}
/* x (outer, n, inner), out (outer, count, inner): out[o][k] = x[o][index[k]]; false, and nothing done, if an index is not in [0, n) */
AD_LOCAL bool AD_SW(gather)(size_t outer, size_t n, size_t inner, const AD_S *x, size_t count, const int32_t *index, AD_S *out) {
  for (size_t k = 0; k < count; k++)
    if (index[k] < 0 || (size_t)index[k] >= n) return false;
  for (size_t o = 0; o < outer; o++)
    for (size_t k = 0; k < count; k++) {
      const AD_S *from = x + (o * n + (size_t)index[k]) * inner;
      AD_S *to = out + (o * count + k) * inner;
      if (inner == 1) *to = *from;
      else memcpy(to, from, inner * sizeof *to);
    }
  return true;
}
/* its adjoint, dx[o][index[k]] += g[o][k], k ascending */
AD_LOCAL bool AD_SW(scatter_add)(size_t outer, size_t n, size_t inner, AD_S *dx, size_t count, const int32_t *index, const AD_S *g) {
  for (size_t k = 0; k < count; k++)
    if (index[k] < 0 || (size_t)index[k] >= n) return false;
  for (size_t o = 0; o < outer; o++)
    for (size_t k = 0; k < count; k++) {
      const AD_S *from = g + (o * count + k) * inner;
      AD_S *to = dx + (o * n + (size_t)index[k]) * inner;
      if (inner == 1) *to += *from;
      else AD_SW(array_add)(inner, from, to);
    }
  return true;
}

#undef AD_N
#undef AD_S
#undef AD_LANES
#undef AD__BLOCK
#undef AD__SQUARE
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__REDUCE

/* a term of a reduction: the values i .. i+n-1 of a flattened array, whose first stands in column c, in the first n lanes */
typedef AD_N AD_W(_term)(const void *context, size_t i, size_t c, int n);
typedef AD_N AD_W(_join)(AD_N a, AD_N b);
typedef AD_S AD_W(_fold)(AD_N x);

typedef struct AD_W(_terms) { const AD_S *x, *y; AD_S shift, scale; const AD_S *shifts; } AD_W(_terms);

AD_INLINE AD_N AD_W(_term_value)(const void *context, size_t i, size_t c, int n) {
  (void)c;
  return AD_W(_get)(((const AD_W(_terms) *)context)->x + i, n);
}
AD_INLINE AD_N AD_W(_term_abs)(const void *context, size_t i, size_t c, int n) { return AD_W(abs)(AD_W(_term_value)(context, i, c, n)); }
AD_INLINE AD_N AD_W(_term_square)(const void *context, size_t i, size_t c, int n) {
  AD_N x = AD_W(_term_value)(context, i, c, n);
  return AD_W(mul)(x, x);
}
AD_INLINE AD_N AD_W(_term_scaled_square)(const void *context, size_t i, size_t c, int n) {
  AD_N x = AD_W(mul)(AD_W(_term_value)(context, i, c, n), AD_W(_set)(((const AD_W(_terms) *)context)->scale));
  return AD_W(mul)(x, x);
}
AD_INLINE AD_N AD_W(_term_product)(const void *context, size_t i, size_t c, int n) {
  return AD_W(mul)(AD_W(_term_value)(context, i, c, n), AD_W(_get)(((const AD_W(_terms) *)context)->y + i, n));
}
AD_INLINE AD_N AD_W(_term_deviation)(const void *context, size_t i, size_t c, int n) {
  const AD_W(_terms) *t = (const AD_W(_terms) *)context;
  return AD_W(sub)(AD_W(_term_value)(context, i, c, n), t->shifts ? AD_W(_get)(t->shifts + c, n) : AD_W(_set)(t->shift));
}
AD_INLINE AD_N AD_W(_term_deviation_square)(const void *context, size_t i, size_t c, int n) {
  AD_N d = AD_W(_term_deviation)(context, i, c, n);
  return AD_W(mul)(d, d);
}

/* Neighbours joined pairwise. Whole lines are read in the order of memory: gcc would mix the loads of 2 KB at will. */
AD_INLINE AD_N AD_W(_tree2)(AD_W(_term) *term, const void *t, size_t i, size_t c, size_t step, int n, AD_W(_join) *join) {
  AD_N a = term(t, i, c, n), b;
  if (AD_LANES == AD_WIDE) AD__IN_ORDER(a);
  b = term(t, i + step, c, n);
  if (AD_LANES == AD_WIDE) AD__IN_ORDER(b);
  return join(a, b);
}
AD_INLINE AD_N AD_W(_tree4)(AD_W(_term) *term, const void *t, size_t i, size_t c, size_t step, int n, AD_W(_join) *join) {
  const AD_N a = AD_W(_tree2)(term, t, i, c, step, n, join);
  return join(a, AD_W(_tree2)(term, t, i + 2 * step, c, step, n, join));
}
AD_INLINE AD_N AD_W(_tree8)(AD_W(_term) *term, const void *t, size_t i, size_t c, size_t step, int n, AD_W(_join) *join) {
  const AD_N a = AD_W(_tree4)(term, t, i, c, step, n, join);
  return join(a, AD_W(_tree4)(term, t, i + 4 * step, c, step, n, join));
}
AD_INLINE AD_N AD_W(_tree16)(AD_W(_term) *term, const void *t, size_t i, size_t c, size_t step, int n, AD_W(_join) *join) {
  const AD_N a = AD_W(_tree8)(term, t, i, c, step, n, join);
  return join(a, AD_W(_tree8)(term, t, i + 8 * step, c, step, n, join));
}
AD_INLINE AD_N AD_W(_tree32)(AD_W(_term) *term, const void *t, size_t i, size_t c, size_t step, int n, AD_W(_join) *join) {
  const AD_N a = AD_W(_tree16)(term, t, i, c, step, n, join);
  return join(a, AD_W(_tree16)(term, t, i + 16 * step, c, step, n, join));
}
/* 32 virtual registers; where they are several registers each, eight at a time, so that every line is read once */
AD_INLINE void AD_W(_leaf)(AD_W(_term) *term, const void *t, size_t i, AD_W(_join) *join, AD_N *leaf) {
  enum { R = AD_WIDE / AD_LANES };
  AD_N part[4][R];
  if (R == 1 || AD_LANES == 1) {
    for (size_t r = 0; r < R; r++) leaf[r] = AD_W(_tree32)(term, t, i + r * AD_LANES, r * AD_LANES, AD_WIDE, AD_LANES, join);
    return;
  }
  AD__UNROLL
  for (size_t q = 0; q < 4; q++) {
    AD__UNROLL
    for (size_t r = 0; r < R; r++) {
      part[q][r] = AD_W(_tree8)(term, t, i + 8 * q * AD_WIDE + r * AD_LANES, r * AD_LANES, AD_WIDE, AD_LANES, join);
      AD__IN_ORDER(part[q][r]);
    }
  }
  AD__UNROLL
  for (size_t r = 0; r < R; r++) leaf[r] = join(join(part[0][r], part[1][r]), join(part[2][r], part[3][r]));
}

AD_INLINE AD_S AD_W(product)(AD_N x) {
  AD_S lane[AD_LANES];
  AD_W(store)(lane, x);
  for (int h = AD_LANES / 2; h > 0; h /= 2)
    for (int i = 0; i < h; i++) lane[i] = lane[i] * lane[i + h];
  return lane[0];
}

/* the whole tree over n terms; nothing is the neutral element of join */
AD_INLINE AD_S AD_W(_reduce)(size_t n, AD_W(_term) *term, const void *t, AD_W(_join) *join, AD_W(_fold) *fold, AD_S nothing) {
  AD_S level[AD__LEVELS][AD_WIDE], top[AD_WIDE];
  size_t count = 0, i = 0;
  for (; n - i >= 32 * AD_WIDE; i += 32 * AD_WIDE, count++) {
    AD_N leaf[AD_WIDE / AD_LANES];
    AD_W(_leaf)(term, t, i, join, leaf);
    for (size_t r = 0; r < AD_WIDE; r += AD_LANES) {
      AD_N a = leaf[r / AD_LANES];
      int k = 0;
      for (size_t c = count; c & 1; c >>= 1) a = join(AD_W(load)(level[k++] + r), a);
      AD_W(store)(level[k] + r, a);
    }
  }
  size_t m = (n - i) / AD_WIDE, tail = i + m * AD_WIDE;
  for (size_t r = 0; r < AD_WIDE; r += AD_LANES) {
    AD_N a = AD_W(_set)(nothing);
    if (tail + r < n) {
      if (n - tail - r >= AD_LANES) a = term(t, tail + r, r, AD_LANES);
      else a = AD_W(select)(AD_W(first)((int)(n - tail - r)), term(t, tail + r, r, (int)(n - tail - r)), a);
    }
    if (m & 1) a = join(term(t, i + (m & 30) * AD_WIDE + r, r, AD_LANES), a);
    if (m & 2) a = join(AD_W(_tree2)(term, t, i + (m & 28) * AD_WIDE + r, r, AD_WIDE, AD_LANES, join), a);
    if (m & 4) a = join(AD_W(_tree4)(term, t, i + (m & 24) * AD_WIDE + r, r, AD_WIDE, AD_LANES, join), a);
    if (m & 8) a = join(AD_W(_tree8)(term, t, i + (m & 16) * AD_WIDE + r, r, AD_WIDE, AD_LANES, join), a);
    if (m & 16) a = join(AD_W(_tree16)(term, t, i + r, r, AD_WIDE, AD_LANES, join), a);
    int k = 0;
    for (size_t c = count; c; c >>= 1, k++)
      if (c & 1) a = join(AD_W(load)(level[k] + r), a);
    AD_W(store)(top + r, a);
  }
  for (int h = AD_WIDE / 2; h >= AD_LANES; h /= 2)
    for (int r = 0; r < h; r += AD_LANES) AD_W(store)(top + r, join(AD_W(load)(top + r), AD_W(load)(top + r + h)));
  return fold(AD_W(load)(top));
}

/* the tree over the n rows of a (n, columns) array with row stride, one result a column; add: out += */
AD_INLINE void AD_W(_reduce_columns)(size_t n, size_t columns, size_t stride, AD_W(_term) *term, const void *t, AD_W(_join) *join,
                                     AD_S nothing, AD_S *out, bool add) {
  AD_S level[AD__COLUMN_LEVELS][AD__TILE];
  for (size_t c0 = 0; c0 < columns; c0 += AD__TILE) {
    size_t width = columns - c0 < AD__TILE ? columns - c0 : AD__TILE, count = 0, j = 0;
    for (; n - j >= 8; j += 8, count++)
      for (size_t c = 0; c < width; c += AD_LANES) {
        int left = AD_W(_left)(c, width), k = 0;
        AD_N a = left == AD_LANES ? AD_W(_tree8)(term, t, j * stride + c0 + c, c0 + c, stride, AD_LANES, join)
                                  : AD_W(_tree8)(term, t, j * stride + c0 + c, c0 + c, stride, left, join);
        for (size_t b = count; (b & 1) && k < AD__COLUMN_LEVELS - 1; b >>= 1) a = join(AD_W(load)(level[k++] + c), a);
        if (k == AD__COLUMN_LEVELS - 1 && count >> k) a = join(AD_W(load)(level[k] + c), a);
        AD_W(store)(level[k] + c, a);
      }
    for (size_t c = 0; c < width; c += AD_LANES) {
      int left = AD_W(_left)(c, width), k = 0;
      size_t m = n - j, i = j * stride + c0 + c;
      AD_N a = AD_W(_set)(nothing);
      if (m & 1) a = join(term(t, i + (m & 6) * stride, c0 + c, left), a);
      if (m & 2) a = join(AD_W(_tree2)(term, t, i + (m & 4) * stride, c0 + c, stride, left, join), a);
      if (m & 4) a = join(AD_W(_tree4)(term, t, i, c0 + c, stride, left, join), a);
      for (size_t b = count; b && k < AD__COLUMN_LEVELS; b >>= 1, k++)
        if ((b & 1) || k == AD__COLUMN_LEVELS - 1) a = join(AD_W(load)(level[k] + c), a);
      if (add) a = AD_W(add)(AD_W(_get)(out + c0 + c, left), a);
      AD_W(_put)(out + c0 + c, a, left);
    }
  }
}

AD_INLINE AD_W(_terms) AD_W(_terms_of)(const AD_S *x, const AD_S *y) {
  AD_W(_terms) t;
  t.x = x, t.y = y, t.shift = 0, t.scale = 1, t.shifts = NULL;
  return t;
}

/* over a whole array; of nothing: 0, 1, -inf, inf, 0, 0 */
AD_LOCAL AD_S AD_SW(array_sum)(size_t n, const AD_S *x) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  return n ? AD_W(_reduce)(n, AD_W(_term_value), &t, AD_W(add), AD_W(sum), (AD_S)-0.0) : 0;
}
AD_LOCAL AD_S AD_SW(array_prod)(size_t n, const AD_S *x) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  return AD_W(_reduce)(n, AD_W(_term_value), &t, AD_W(mul), AD_W(product), 1);
}
AD_LOCAL AD_S AD_SW(array_max)(size_t n, const AD_S *x) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  return AD_W(_reduce)(n, AD_W(_term_value), &t, AD_W(max), AD_W(highest), -(AD_S)INFINITY);
}
AD_LOCAL AD_S AD_SW(array_min)(size_t n, const AD_S *x) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  return AD_W(_reduce)(n, AD_W(_term_value), &t, AD_W(min), AD_W(lowest), (AD_S)INFINITY);
}
AD_LOCAL AD_S AD_SW(array_sumabs)(size_t n, const AD_S *x) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  return AD_W(_reduce)(n, AD_W(_term_abs), &t, AD_W(add), AD_W(sum), 0);
}
AD_LOCAL AD_S AD_SW(array_sumsq)(size_t n, const AD_S *x) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  return AD_W(_reduce)(n, AD_W(_term_square), &t, AD_W(add), AD_W(sum), 0);
}
AD_LOCAL AD_S AD_SW(array_dot)(size_t n, const AD_S *x, const AD_S *y) {
  AD_W(_terms) t = AD_W(_terms_of)(x, y);
  return n ? AD_W(_reduce)(n, AD_W(_term_product), &t, AD_W(add), AD_W(sum), (AD_S)-0.0) : 0;
}
/* sum / n; of nothing NaN, without a floating-point exception */
AD_LOCAL AD_S AD_SW(array_mean)(size_t n, const AD_S *x) {
  return n ? (AD_S)((double)AD_SW(array_sum)(n, x) / (double)n) : (AD_S)NAN;
}

/* The Euclidean norm. The squares are summed as they are; only where the sum left the range in which nothing can have
   overflowed or vanished are they summed again, scaled by the power of two of the largest. So norm(2^k x) = 2^k norm(x). */
AD_LOCAL AD_S AD_SW(array_norm)(size_t n, const AD_S *x) {
  AD_S s = AD_SW(array_sumsq)(n, x);
  if (s > AD__NORM_LOW && s < AD__NORM_HIGH) return AD_SW(sqrt)(s);
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  AD_S top = AD_W(_reduce)(n, AD_W(_term_abs), &t, AD_W(max), AD_W(highest), 0);
  int e = 0;
  if (!(top > 0) || isinf(top)) return top;
  (void)frexp((double)top, &e);
  if (e < AD__LOWEST_EXPONENT) e = AD__LOWEST_EXPONENT;
  t.scale = (AD_S)ldexp(1, -e);
  s = AD_W(_reduce)(n, AD_W(_term_scaled_square), &t, AD_W(add), AD_W(sum), 0);
  return (AD_S)ldexp((double)AD_SW(sqrt)(s), e);
}

/* mean and variance about it, divided by n - ddof; two passes, both corrected by the sum of the deviations that the rounded
   mean leaves. n <= ddof: the variance is NaN */
AD_LOCAL void AD_SW(array_moments)(size_t n, const AD_S *x, size_t ddof, AD_S *mean, AD_S *variance) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  t.shift = AD_SW(array_mean)(n, x);
  AD_S s = AD_W(_reduce)(n, AD_W(_term_deviation), &t, AD_W(add), AD_W(sum), 0);
  AD_S q = AD_W(_reduce)(n, AD_W(_term_deviation_square), &t, AD_W(add), AD_W(sum), 0);
  *mean = (AD_S)((double)t.shift + (n ? (double)s / (double)n : 0));
  *variance = n > ddof ? (AD_S)(((double)q - ad__product((double)s, (double)s / (double)n)) / (double)(n - ddof)) : (AD_S)NAN;
}

/* the index of the first of the largest (smallest), of the first NaN where there is one; n > 0 */
AD_LOCAL size_t AD_SW(array_find)(size_t n, const AD_S *x, AD_S v) {
  size_t i = 0;
  for (AD_N w = AD_W(_set)(v); n - i >= AD_LANES; i += AD_LANES) {
    AD_N a = AD_W(load)(x + i);
    if (AD_W(any)(AD_W(or)(AD_W(eq)(a, w), AD_W(ne)(a, a)))) break;
  }
  while (i < n && !(x[i] >= v && x[i] <= v) && !isnan(x[i])) i++;
  return i;
}
AD_LOCAL size_t AD_SW(array_argmax)(size_t n, const AD_S *x) { return AD_SW(array_find)(n, x, AD_SW(array_max)(n, x)); }
AD_LOCAL size_t AD_SW(array_argmin)(size_t n, const AD_S *x) { return AD_SW(array_find)(n, x, AD_SW(array_min)(n, x)); }

/* one result a column of the (n, columns) array x with row stride; add: out += */
AD_LOCAL void AD_SW(columns_sum)(size_t n, size_t columns, size_t stride, const AD_S *x, AD_S *out, bool add) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  AD_W(_reduce_columns)(n, columns, stride, AD_W(_term_value), &t, AD_W(add), n ? (AD_S)-0.0 : 0, out, add);
}
AD_LOCAL void AD_SW(columns_prod)(size_t n, size_t columns, size_t stride, const AD_S *x, AD_S *out) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  AD_W(_reduce_columns)(n, columns, stride, AD_W(_term_value), &t, AD_W(mul), 1, out, false);
}
AD_LOCAL void AD_SW(columns_max)(size_t n, size_t columns, size_t stride, const AD_S *x, AD_S *out) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  AD_W(_reduce_columns)(n, columns, stride, AD_W(_term_value), &t, AD_W(max), -(AD_S)INFINITY, out, false);
}
AD_LOCAL void AD_SW(columns_min)(size_t n, size_t columns, size_t stride, const AD_S *x, AD_S *out) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  AD_W(_reduce_columns)(n, columns, stride, AD_W(_term_value), &t, AD_W(min), (AD_S)INFINITY, out, false);
}
AD_LOCAL void AD_SW(columns_sumabs)(size_t n, size_t columns, size_t stride, const AD_S *x, AD_S *out) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  AD_W(_reduce_columns)(n, columns, stride, AD_W(_term_abs), &t, AD_W(add), 0, out, false);
}
AD_LOCAL void AD_SW(columns_sumsq)(size_t n, size_t columns, size_t stride, const AD_S *x, AD_S *out) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  AD_W(_reduce_columns)(n, columns, stride, AD_W(_term_square), &t, AD_W(add), 0, out, false);
}
/* the sums of x*y, both with the same stride */
AD_LOCAL void AD_SW(columns_dot)(size_t n, size_t columns, size_t stride, const AD_S *x, const AD_S *y, AD_S *out, bool add) {
  AD_W(_terms) t = AD_W(_terms_of)(x, y);
  AD_W(_reduce_columns)(n, columns, stride, AD_W(_term_product), &t, AD_W(add), n ? (AD_S)-0.0 : 0, out, add);
}
AD_LOCAL void AD_SW(columns_mean)(size_t n, size_t columns, size_t stride, const AD_S *x, AD_S *out) {
  AD_SW(columns_sum)(n, columns, stride, x, out, false);
  for (size_t c = 0; c < columns; c++) out[c] = n ? (AD_S)((double)out[c] / (double)n) : (AD_S)NAN;
}
AD_LOCAL void AD_SW(columns_norm)(size_t n, size_t columns, size_t stride, const AD_S *x, AD_S *out) {
  AD_SW(columns_sumsq)(n, columns, stride, x, out);
  for (size_t c = 0; c < columns; c++) {
    int e = 0;
    AD_W(_terms) t = AD_W(_terms_of)(x + c, NULL);
    if (out[c] > AD__NORM_LOW && out[c] < AD__NORM_HIGH) {
      out[c] = AD_SW(sqrt)(out[c]);
      continue;
    }
    AD_W(_reduce_columns)(n, 1, stride, AD_W(_term_abs), &t, AD_W(max), 0, out + c, false);
    if (!(out[c] > 0) || isinf(out[c])) continue;
    (void)frexp((double)out[c], &e);
    if (e < AD__LOWEST_EXPONENT) e = AD__LOWEST_EXPONENT;
    t.scale = (AD_S)ldexp(1, -e);
    AD_W(_reduce_columns)(n, 1, stride, AD_W(_term_scaled_square), &t, AD_W(add), 0, out + c, false);
    out[c] = (AD_S)ldexp((double)AD_SW(sqrt)(out[c]), e);
  }
}
/* mean and variance of every column; work: columns */
AD_LOCAL void AD_SW(columns_moments)(size_t n, size_t columns, size_t stride, const AD_S *x, size_t ddof, AD_S *mean, AD_S *variance, AD_S *work) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  AD_SW(columns_mean)(n, columns, stride, x, mean);
  t.shifts = mean;
  AD_W(_reduce_columns)(n, columns, stride, AD_W(_term_deviation), &t, AD_W(add), 0, work, false);
  AD_W(_reduce_columns)(n, columns, stride, AD_W(_term_deviation_square), &t, AD_W(add), 0, variance, false);
  for (size_t c = 0; c < columns; c++) {
    double s = (double)work[c], q = (double)variance[c];
    mean[c] = (AD_S)((double)mean[c] + (n ? s / (double)n : 0));
    variance[c] = n > ddof ? (AD_S)((q - ad__product(s, s / (double)n)) / (double)(n - ddof)) : (AD_S)NAN;
  }
}
/* index of the winner of every column as array_argmax; sign 1: largest, -1: smallest; 0 < n <= INT32_MAX; work: columns */
AD_LOCAL void AD_SW(columns_arg)(size_t n, size_t columns, size_t stride, const AD_S *x, int sign, int32_t *out, AD_S *work) {
  if (sign > 0) AD_SW(columns_max)(n, columns, stride, x, work);
  else AD_SW(columns_min)(n, columns, stride, x, work);
  for (size_t j = n; j-- > 0;)
    for (size_t c = 0; c < columns; c++) {
      AD_S a = x[j * stride + c];
      out[c] = (a >= work[c] && a <= work[c]) || isnan(a) ? (int32_t)j : out[c];
    }
}

/* Adjoint of max and min: each of the k winners of v = max(x) gets g/k; of a NaN the first NaN all. add: dx += */
AD_INLINE AD_N AD_W(_term_winner)(const void *context, size_t i, size_t c, int n) {
  const AD_W(_terms) *t = (const AD_W(_terms) *)context;
  AD_N v = t->shifts ? AD_W(_get)(t->shifts + c, n) : AD_W(_set)(t->shift);
  return AD_W(only)(AD_W(eq)(AD_W(_term_value)(context, i, c, n), v), AD_W(k)(1));
}
AD_LOCAL void AD_SW(array_share)(size_t n, const AD_S *x, AD_S v, AD_S g, AD_S *dx, bool add) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  t.shift = v;
  AD_S k = isnan(v) ? 1 : AD_W(_reduce)(n, AD_W(_term_winner), &t, AD_W(add), AD_W(sum), 0);
  AD_N share = AD_W(_set)(g / k), w = AD_W(_set)(v);
  for (size_t i = 0; i < n; i += AD_LANES) {
    int left = AD_W(_left)(i, n);
    AD_N d = AD_W(only)(AD_W(eq)(AD_W(_get)(x + i, left), w), share);
    AD_W(_put)(dx + i, add ? AD_W(add)(AD_W(_get)(dx + i, left), d) : d, left);
  }
  if (isnan(v) && n) dx[AD_SW(array_find)(n, x, v)] += g;
}
/* the same for the columns of an (n, columns) array, x and dx with the same stride; v, g, work: columns */
AD_LOCAL void AD_SW(columns_share)(size_t n, size_t columns, size_t stride, const AD_S *x, const AD_S *v, const AD_S *g, AD_S *dx, bool add, AD_S *work) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  t.shifts = v;
  AD_W(_reduce_columns)(n, columns, stride, AD_W(_term_winner), &t, AD_W(add), 0, work, false);
  for (size_t c = 0; c < columns; c++) work[c] = isnan(v[c]) ? g[c] : g[c] / work[c];
  for (size_t j = 0; j < n; j++)
    for (size_t c = 0; c < columns; c += AD_LANES) {
      int left = AD_W(_left)(c, columns);
      AD_S *to = dx + j * stride + c;
      AD_N d = AD_W(only)(AD_W(eq)(AD_W(_get)(x + j * stride + c, left), AD_W(_get)(v + c, left)), AD_W(_get)(work + c, left));
      AD_W(_put)(to, add ? AD_W(add)(AD_W(_get)(to, left), d) : d, left);
    }
  for (size_t c = 0; c < columns; c++)
    for (size_t j = 0; isnan(v[c]) && j < n; j++)
      if (isnan(x[j * stride + c])) {
        dx[j * stride + c] += g[c];
        break;
      }
}

/* Adjoint of prod: g times the product of the others, as prefix times suffix, without a division. Elements step apart;
   work: n. A seed of 0 contributes 0. */
AD_LOCAL void AD_SW(array_prod_share)(size_t n, size_t step, const AD_S *x, AD_S g, AD_S *dx, bool add, AD_S *work) {
  AD_S before = 1, after = 1;
  for (size_t i = 0; i < n; i++) work[i] = before, before *= x[i * step];
  for (size_t i = n; i-- > 0;) {
    AD_S d = g < 0 || g > 0 || isnan(g) ? g * (work[i] * after) : 0;
    AD__ROUNDED(d);
    dx[i * step] = add ? dx[i * step] + d : d;
    after *= x[i * step];
  }
}

/* Running sums of n elements step apart; reverse: from the end; add: out +=. Float sums run in double, double sums carry
   their rounding error along. out may be x. */
AD_LOCAL void AD_SW(array_cumsum)(size_t n, size_t step, const AD_S *x, AD_S *out, bool reverse, bool add) {
  double sum = 0, error = 0;
  for (size_t k = 0; k < n; k++) {
    size_t i = (reverse ? n - 1 - k : k) * step;
    double a = (double)x[i], s = sum + a;
    error += fabs(sum) >= fabs(a) ? (sum - s) + a : (a - s) + sum;
    sum = s;
    AD_S v = (AD_S)(isfinite(s) ? s + error : s);
    out[i] = add ? out[i] + v : v;
  }
}

/* x / norm along an axis, 0 where the norm is 0; norm (outer, inner) */
AD_LOCAL void AD_SW(direction)(size_t outer, size_t n, size_t inner, const AD_S *x, const AD_S *norm, AD_S *out) {
  for (size_t o = 0; o < outer; o++)
    for (size_t j = 0; j < n; j++)
      for (size_t i = 0; i < inner; i++) {
        const size_t at = (o * n + j) * inner + i;
        const AD_S size = norm[o * inner + i];
        out[at] = size < 0 || size > 0 || isnan(size) ? x[at] / size : 0;
      }
}
/* Any reduction of one axis: x is (outer, n, inner), out (outer, inner). add: out +=, for sums. */
AD_LOCAL void AD_SW(reduce)(ad_reduction kind, size_t outer, size_t n, size_t inner, const AD_S *x, AD_S *out, bool add) {
  for (size_t o = 0; o < outer; o++) {
    const AD_S *from = x + o * n * inner;
    AD_S *to = out + o * inner, v = 0;
    if (inner == 1) {
      switch (kind) {
        case AD_REDUCE_SUM: v = AD_SW(array_sum)(n, from); break;
        case AD_REDUCE_MEAN: v = AD_SW(array_mean)(n, from); break;
        case AD_REDUCE_PROD: v = AD_SW(array_prod)(n, from); break;
        case AD_REDUCE_MAX: v = AD_SW(array_max)(n, from); break;
        case AD_REDUCE_MIN: v = AD_SW(array_min)(n, from); break;
        case AD_REDUCE_SUMABS: v = AD_SW(array_sumabs)(n, from); break;
        case AD_REDUCE_SUMSQ: v = AD_SW(array_sumsq)(n, from); break;
        case AD_REDUCE_NORM: v = AD_SW(array_norm)(n, from); break;
      }
      *to = add ? *to + v : v;
    } else {
      switch (kind) {
        case AD_REDUCE_SUM: AD_SW(columns_sum)(n, inner, inner, from, to, add); break;
        case AD_REDUCE_MEAN: AD_SW(columns_mean)(n, inner, inner, from, to); break;
        case AD_REDUCE_PROD: AD_SW(columns_prod)(n, inner, inner, from, to); break;
        case AD_REDUCE_MAX: AD_SW(columns_max)(n, inner, inner, from, to); break;
        case AD_REDUCE_MIN: AD_SW(columns_min)(n, inner, inner, from, to); break;
        case AD_REDUCE_SUMABS: AD_SW(columns_sumabs)(n, inner, inner, from, to); break;
        case AD_REDUCE_SUMSQ: AD_SW(columns_sumsq)(n, inner, inner, from, to); break;
        case AD_REDUCE_NORM: AD_SW(columns_norm)(n, inner, inner, from, to); break;
      }
    }
  }
}

#undef AD_N
#undef AD_S
#undef AD_LANES
#undef AD_WIDE
#undef AD__TILE
#undef AD__NORM_LOW
#undef AD__NORM_HIGH
#undef AD__LOWEST_EXPONENT
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__RANDOM

/* numbers first + i of the stream of normal numbers, mean 0 and variance 1 */
AD_LOCAL void AD_SW(random_normal)(uint64_t seed, uint64_t stream, uint64_t first, size_t n, AD_S *out) {
  AD_S u[128], a[64], b[64];
  for (size_t i = 0; i < n;) {
    uint64_t pair = (first + i) / 2;
    size_t from = (size_t)((first + i) % 2), count = 128 - from < n - i ? 128 - from : n - i;
    AD_SW(random_uniform)(seed, stream, 2 * pair, 128, u);
    for (size_t k = 0; k < 64; k++) a[k] = 1 - u[2 * k], b[k] = 2 * u[2 * k + 1];
    for (size_t k = 0; k < 64; k += AD_LANES) {
      AD_N r = AD_W(sqrt)(AD_W(mul)(AD_W(k)(-2), AD_W(log)(AD_W(load)(a + k)))), t = AD_W(load)(b + k);
      AD_W(store)(a + k, AD_W(mul)(r, AD_W(cospi)(t)));
      AD_W(store)(b + k, AD_W(mul)(r, AD_W(sinpi)(t)));
    }
    for (size_t k = from; k < from + count; k++) *out++ = k % 2 ? b[k / 2] : a[k / 2];
    i += count;
  }
}
/* y[i] = x[i] / (1 - p) where the uniform number of first + i is at least p, else 0; 0 <= p < 1. The backward pass is the same
   call on the adjoint. y may be x. */
AD_LOCAL void AD_SW(dropout)(uint64_t seed, uint64_t stream, uint64_t first, size_t n, double p, const AD_S *x, AD_S *y) {
  AD_S u[256];
  AD_N scale = AD_W(k)(1 / (1 - p)), limit = AD_W(k)(p);
  for (size_t i = 0; i < n; i += 256) {
    size_t m = n - i < 256 ? n - i : 256;
    AD_SW(random_uniform)(seed, stream, first + i, m, u);
    for (size_t k = 0; k < m; k += AD_LANES) {
      int left = AD_W(_left)(k, m);
      AD_N d = AD_W(mul)(AD_W(_get)(x + i + k, left), scale);
      AD_W(_put)(y + i + k, AD_W(only)(AD_W(le)(limit, AD_W(_get)(u + k, left)), d), left);
    }
  }
}

#undef AD_N
#undef AD_S
#undef AD_LANES
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__OPTIMISE

/* d = g + decay x;  with a velocity: velocity = momentum velocity + d, x -= rate velocity;  velocity NULL: x -= rate d */
AD_LOCAL void AD_SW(sgd)(size_t n, AD_S *x, const AD_S *g, AD_S *velocity, double rate, double momentum, double decay) {
  AD_N r = AD_W(k)(rate), mu = AD_W(k)(momentum), w = AD_W(k)(decay);
  for (size_t i = 0; i < n; i += AD_LANES) {
    int left = AD_W(_left)(i, n);
    AD_N a = AD_W(_get)(x + i, left), d = AD_W(fma)(w, a, AD_W(_get)(g + i, left));
    if (velocity) {
      d = AD_W(fma)(mu, AD_W(_get)(velocity + i, left), d);
      AD_W(_put)(velocity + i, d, left);
    }
    AD_W(_put)(x + i, AD_W(fnma)(r, d, a), left);
  }
}
/* Adam (Kingma and Ba 2014) at step 1, 2, ..; m and v start as zeros. decoupled: the decay acts on x itself (AdamW), not through g */
AD_LOCAL void AD_SW(adam)(size_t n, AD_S *x, const AD_S *g, AD_S *m, AD_S *v, double rate, double beta1, double beta2, double epsilon, double decay,
                         bool decoupled, uint64_t step) {
  double unbias = sqrt(1 - ad__power(beta2, step)), pace = rate * unbias / (1 - ad__power(beta1, step));
  AD_N b1 = AD_W(k)(beta1), c1 = AD_W(k)(1 - beta1), b2 = AD_W(k)(beta2), c2 = AD_W(k)(1 - beta2);
  AD_N r = AD_W(k)(pace), eps = AD_W(k)(epsilon * unbias), w = AD_W(k)(decoupled ? 0 : decay), shrink = AD_W(k)(decoupled ? rate * decay : 0);
  for (size_t i = 0; i < n; i += AD_LANES) {
    int left = AD_W(_left)(i, n);
    AD_N a = AD_W(_get)(x + i, left), d = AD_W(fma)(w, a, AD_W(_get)(g + i, left));
    AD_N p = AD_W(fma)(b1, AD_W(_get)(m + i, left), AD_W(mul)(c1, d)), q = AD_W(fma)(b2, AD_W(_get)(v + i, left), AD_W(mul)(c2, AD_W(mul)(d, d)));
    AD_W(_put)(m + i, p, left);
    AD_W(_put)(v + i, q, left);
    a = AD_W(fnma)(shrink, a, a);
    AD_W(_put)(x + i, AD_W(fnma)(r, AD_W(div)(p, AD_W(add)(AD_W(sqrt)(q), eps)), a), left);
  }
}

#undef AD_N
#undef AD_S
#undef AD_LANES
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__ROWS

/* the largest of a row, whatever becomes of NaN (they make every result of the row NaN by themselves) */
AD_INLINE AD_S AD_W(_peak)(size_t n, const AD_S *x) {
  AD_N a = AD_W(_set)(-(AD_S)INFINITY), b = a;
  size_t i = 0;
  for (; n - i >= 2 * AD_LANES; i += 2 * AD_LANES)
    a = AD_W(larger)(a, AD_W(load)(x + i)), b = AD_W(larger)(b, AD_W(load)(x + i + AD_LANES));
  for (int k = 0; k < 2 && i < n; k++, i += AD_LANES) a = AD_W(larger)(a, AD_W(_get)(x + i, AD_W(_left)(i, n)));
  return AD_W(largest)(AD_W(larger)(a, b));
}
/* d = x - peak; of a row with +inf the limit: 0 where x is +inf, else -inf. peak goes to *top. d may be x */
AD_INLINE void AD_W(_shift)(size_t n, const AD_S *x, AD_S *d, AD_S *top) {
  AD_S peak = AD_W(_peak)(n, x), inf = (AD_S)INFINITY;
  AD_N p = AD_W(_set)(peak);
  *top = peak;
  if (peak >= inf)
    for (size_t i = 0; i < n; i++) d[i] = x[i] >= inf ? 0 : isnan(x[i]) ? x[i] : -inf;
  else
    for (size_t i = 0; i < n; i += AD_LANES) {
      int left = AD_W(_left)(i, n);
      AD_W(_put)(d + i, AD_W(sub)(AD_W(_get)(x + i, left), p), left);
    }
}
/* Rows of at most AD_WIDE elements, one after the other, are read and written as AD_WIDE elements without a branch: what a row
   writes too much, the next one overwrites. The mask of what belongs to a row: */
typedef struct AD_W(_inside) { AD_W(mask) r[AD_WIDE / AD_LANES]; } AD_W(_inside);
AD_INLINE AD_W(_inside) AD_W(_inside_of)(size_t n) {
  AD_W(_inside) in;
  AD__UNROLL
  for (int r = 0; r < AD_WIDE / AD_LANES; r++) {
    int left = (int)n - r * AD_LANES;
    in.r[r] = AD_W(first)(left < 0 ? 0 : left < AD_LANES ? left : AD_LANES);
  }
  return in;
}
/* d = x - peak for such rows; x has room elements, of d AD_WIDE - 1 more than the rows have are written */
AD_INLINE void AD_W(_shift_short)(size_t rows, size_t n, const AD_S *x, size_t room, AD_S *d, AD_S *top) {
  AD_W(_inside) in = AD_W(_inside_of)(n);
  AD_N low = AD_W(_set)(-(AD_S)INFINITY);
  size_t fast = room < AD_WIDE ? 0 : (room - AD_WIDE) / n + 1;
  for (size_t j = 0; j < rows; j++) {
    AD_N a[AD_WIDE / AD_LANES], peak = low;
    AD_S rest[AD_WIDE];
    const AD_S *from = x + j * n;
    if (j >= fast) {   /* the last rows of x: nothing is read beyond them */
      for (size_t i = 0; i < n; i += AD_LANES) AD_W(store)(rest + i, AD_W(_get)(from + i, AD_W(_left)(i, n)));
      from = rest;
    }
    AD__UNROLL
    for (int r = 0; r < AD_WIDE / AD_LANES; r++) {
      a[r] = AD_W(select)(in.r[r], AD_W(load)(from + r * AD_LANES), low);
      peak = AD_W(larger)(peak, a[r]);
    }
    top[j] = AD_W(largest)(peak);
    peak = AD_W(_set)(top[j]);
    AD__UNROLL
    for (int r = 0; r < AD_WIDE / AD_LANES; r++) AD_W(store)(d + j * n + r * AD_LANES, AD_W(sub)(a[r], peak));
  }
  for (size_t j = 0; j < rows; j++)
    if (top[j] >= (AD_S)INFINITY) AD_W(_shift)(n, x + j * n, d + j * n, top + j);
  AD_W(store)(d + rows * n, AD_W(k)(0));
}
/* their sums, by the tree of >>reduce */
AD_INLINE void AD_W(_sum_short)(size_t rows, size_t n, const AD_S *e, AD_S *s) {
  AD_W(_inside) in = AD_W(_inside_of)(n);
  AD_N none = AD_W(k)(-0.0);
  for (size_t j = 0; j < rows; j++, e += n) {
    AD_N a[AD_WIDE / AD_LANES];
    AD__UNROLL
    for (int r = 0; r < AD_WIDE / AD_LANES; r++) a[r] = AD_W(select)(in.r[r], AD_W(load)(e + r * AD_LANES), none);
    AD__UNROLL
    for (int h = AD_WIDE / AD_LANES / 2; h > 0; h /= 2) {
      AD__UNROLL
      for (int r = 0; r < h; r++) a[r] = AD_W(add)(a[r], a[r + h]);
    }
    s[j] = AD_W(sum)(a[0]);
  }
}
AD_INLINE void AD_W(_sum_rows)(size_t rows, size_t n, const AD_S *x, AD_S *s) {   /* of a buffer with room for AD_WIDE more */
  if (n <= AD_WIDE) AD_W(_sum_short)(rows, n, x, s);
  else
    for (size_t j = 0; j < rows; j++) s[j] = AD_SW(array_sum)(n, x + j * n);
}
/* Of rows that fit the buffers together: d = x - peak, e = exp(d), s = the sum of e, log_s = log(s). */
AD_INLINE void AD_W(_soften)(size_t rows, size_t n, const AD_S *x, size_t room, AD_S *d, AD_S *e, AD_S *top, AD_S *s, AD_S *log_s) {
  if (n <= AD_WIDE) AD_W(_shift_short)(rows, n, x, room, d, top);
  else {
    for (size_t j = 0; j < rows; j++) AD_W(_shift)(n, x + j * n, d + j * n, top + j);
    AD_W(store)(d + rows * n, AD_W(k)(0));
  }
  for (size_t i = 0; i < rows * n; i += AD_LANES) AD_W(store)(e + i, AD_W(exp)(AD_W(load)(d + i)));
  AD_W(_sum_rows)(rows, n, e, s);
  if (log_s)
    for (size_t j = 0; j < rows; j += AD_LANES) AD_W(_put)(log_s + j, AD_W(log)(AD_W(_get)(s + j, AD_W(_left)(j, rows))), AD_W(_left)(j, rows));
}
/* y = f(e, a) with one a for a row; y, not e where rows are short, has room for rows times n elements and no more */
AD_INLINE void AD_W(_each_row)(AD_N (*f)(AD_N, AD_N), size_t rows, size_t n, const AD_S *a, const AD_S *e, AD_S *y) {
  size_t j = 0;
  if (n <= AD_WIDE)
    for (; (rows - j) * n >= AD_WIDE; j++, e += n, y += n) {
      AD_N w = AD_W(_set)(a[j]);
      AD__UNROLL
      for (int r = 0; r < AD_WIDE / AD_LANES; r++) AD_W(store)(y + r * AD_LANES, f(AD_W(load)(e + r * AD_LANES), w));
    }
  for (; j < rows; j++, e += n, y += n) {
    AD_N w = AD_W(_set)(a[j]);
    size_t i = 0;
    for (; n - i >= AD_LANES; i += AD_LANES) AD_W(store)(y + i, f(AD_W(load)(e + i), w));
    if (i < n) AD_W(store_n)(y + i, f(AD_W(load_n)(e + i, (int)(n - i)), w), (int)(n - i));
  }
}
AD_INLINE void AD_W(_invert)(size_t rows, AD_S scale, AD_S *s) {
  for (size_t j = 0; j < rows; j++) s[j] = scale / s[j];
}
AD_INLINE AD_N AD_W(_term_exp)(const void *context, size_t i, size_t c, int n) { return AD_W(exp)(AD_W(_term_deviation)(context, i, c, n)); }
/* target[i] (x[i] - shift), nothing where the target is 0 */
AD_INLINE AD_N AD_W(_term_entropy)(const void *context, size_t i, size_t c, int n) {
  const AD_W(_terms) *t = (const AD_W(_terms) *)context;
  AD_N p = AD_W(_term_value)(context, i, c, n);
  return AD_W(only)(AD_W(ne)(p, AD_W(k)(0)), AD_W(mul)(p, AD_W(sub)(AD_W(_get)(t->y + i, n), AD_W(_set)(t->shift))));
}
/* g[i] times y[i] under the zero seed rule */
AD_INLINE AD_N AD_W(_term_seeded)(const void *context, size_t i, size_t c, int n) {
  AD_N g = AD_W(_term_value)(context, i, c, n);
  return AD_W(only)(AD_W(ne)(g, AD_W(k)(0)), AD_W(mul)(g, AD_W(_get)(((const AD_W(_terms) *)context)->y + i, n)));
}
/* how many rows of n go into the buffers at once */
AD_INLINE size_t AD_W(_batch)(size_t rows, size_t n) {
  size_t most = AD__CHUNK / n;
  return rows < most ? rows : most < AD__CHUNK / 8 ? most : AD__CHUNK / 8;
}

/* y = softmax of every row of x (rows, n); y may be x. Rows of -inf only give NaN, k entries of +inf 1/k each */
AD_LOCAL void AD_SW(rows_softmax)(size_t rows, size_t n, const AD_S *x, AD_S *y) {
  AD_ALIGNED AD_S d[AD__CHUNK + AD_WIDE], s[AD__CHUNK / 8], top[AD__CHUNK / 8];
  if (n == 0) return;
  if (n > AD__CHUNK) {
    for (size_t j = 0; j < rows; j++, x += n, y += n) {
      AD_W(_shift)(n, x, y, top);
      for (size_t i = 0; i < n; i += AD_LANES) AD_W(_put)(y + i, AD_W(exp)(AD_W(_get)(y + i, AD_W(_left)(i, n))), AD_W(_left)(i, n));
      s[0] = 1 / AD_SW(array_sum)(n, y);
      AD_W(_each_row)(AD_W(mul), 1, n, s, y, y);
    }
    return;
  }
  for (size_t j = 0, m; j < rows; j += m) {
    m = AD_W(_batch)(rows - j, n);
    AD_W(_soften)(m, n, x + j * n, (rows - j) * n, d, d, top, s, NULL);
    AD_W(_invert)(m, 1, s);
    AD_W(_each_row)(AD_W(mul), m, n, s, d, y + j * n);
  }
}
/* y = log softmax: (x - max) - log(sum of exp(x - max)); y may be x */
AD_LOCAL void AD_SW(rows_log_softmax)(size_t rows, size_t n, const AD_S *x, AD_S *y) {
  AD_ALIGNED AD_S d[AD__CHUNK + AD_WIDE], e[AD__CHUNK + AD_WIDE], s[AD__CHUNK / 8], log_s[AD__CHUNK / 8], top[AD__CHUNK / 8];
  if (n == 0) return;
  for (size_t j = 0, m = 1; j < rows; j += m) {
    const AD_S *from = d;
    if (n > AD__CHUNK) {
      AD_W(_terms) t = AD_W(_terms_of)(y + j * n, NULL);
      AD_W(_shift)(n, x + j * n, y + j * n, top);
      AD_N sum = AD_W(_set)(AD_W(_reduce)(n, AD_W(_term_exp), &t, AD_W(add), AD_W(sum), (AD_S)-0.0));
      AD_W(_put)(log_s, AD_W(log)(sum), 1);
      from = y + j * n;
    } else {
      m = AD_W(_batch)(rows - j, n);
      AD_W(_soften)(m, n, x + j * n, (rows - j) * n, d, e, top, s, log_s);
    }
    AD_W(_each_row)(AD_W(sub), m, n, log_s, from, y + j * n);
  }
}
/* out[row] = log of the sum of exp(x): -inf for rows of -inf only (and for n = 0), +inf where one is +inf */
AD_LOCAL void AD_SW(rows_logsumexp)(size_t rows, size_t n, const AD_S *x, AD_S *out) {
  if (n > 0 && n <= AD__CHUNK / 8) {
    AD_ALIGNED AD_S d[AD__CHUNK + AD_WIDE], s[AD__CHUNK / 8], log_s[AD__CHUNK / 8], top[AD__CHUNK / 8];
    for (size_t j = 0, m; j < rows; j += m) {
      m = AD_W(_batch)(rows - j, n);
      AD_W(_soften)(m, n, x + j * n, (rows - j) * n, d, d, top, s, log_s);
      for (size_t r = 0; r < m; r++) out[j + r] = isinf(top[r]) ? AD_SW(array_max)(n, x + (j + r) * n) : top[r] + log_s[r];
    }
    return;
  }
  for (size_t j = 0; j < rows; j++) {
    AD_W(_terms) t = AD_W(_terms_of)(x + j * n, NULL);
    t.shift = AD_W(_peak)(n, x + j * n);
    if (isinf(t.shift)) {
      out[j] = AD_SW(array_max)(n, x + j * n);
      continue;
    }
    AD_N s = AD_W(_set)(AD_W(_reduce)(n, AD_W(_term_exp), &t, AD_W(add), AD_W(sum), (AD_S)-0.0));
    AD_W(_put)(out + j, AD_W(add)(AD_W(log)(s), AD_W(_set)(t.shift)), 1);
  }
}
/* the same of every column of x (n, columns) with row stride; work: columns */
AD_LOCAL void AD_SW(columns_logsumexp)(size_t n, size_t columns, size_t stride, const AD_S *x, AD_S *out, AD_S *work) {
  AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
  AD_SW(columns_max)(n, columns, stride, x, out);
  for (size_t c = 0; c < columns; c++) work[c] = isinf(out[c]) ? 0 : out[c];
  t.shifts = work;
  for (size_t c = 0; c < columns; c += 512) {
    AD_S s[512];
    size_t m = columns - c < 512 ? columns - c : 512;
    t.x = x + c, t.shifts = work + c;
    AD_W(_reduce_columns)(n, m, stride, AD_W(_term_exp), &t, AD_W(add), n ? (AD_S)-0.0 : 0, s, false);
    for (size_t i = 0; i < m; i += AD_LANES) AD_W(_put)(s + i, AD_W(log)(AD_W(_get)(s + i, AD_W(_left)(i, m))), AD_W(_left)(i, m));
    for (size_t i = 0; i < m; i++) out[c + i] = isinf(out[c + i]) ? out[c + i] : out[c + i] + s[i];
  }
}
/* dx (+)= g[c] exp(x - y[c]), y the logsumexp of column c: a matrix (n, columns) as above; rows are columns = 1, n = 1 row at a time.
   Where y is -inf 0, of k entries of +inf 1/k each. */
AD_LOCAL void AD_SW(columns_logsumexp_share)(size_t n, size_t columns, size_t stride, const AD_S *x, const AD_S *y, const AD_S *g, AD_S *dx, bool add) {
  AD_S inf = (AD_S)INFINITY;
  for (size_t j = 0; j < n; j++)
    for (size_t c = 0; c < columns; c += AD_LANES) {
      int left = AD_W(_left)(c, columns);
      AD_N w = AD_W(_get)(y + c, left), seed = AD_W(_get)(g + c, left), none = AD_W(k)(0), d = AD_W(exp)(AD_W(sub)(AD_W(_get)(x + j * stride + c, left), w));
      d = AD_W(only)(AD_W(and)(AD_W(ne)(seed, none), AD_W(ne)(AD_W(abs)(w), AD_W(_set)(inf))), AD_W(mul)(seed, d));
      AD_S *to = dx + j * stride + c;
      AD_W(_put)(to, add ? AD_W(add)(AD_W(_get)(to, left), d) : d, left);
    }
  for (size_t c = 0; c < columns; c++) {
    size_t k = 0;
    if (!(y[c] >= inf) || !(g[c] < 0 || g[c] > 0 || isnan(g[c]))) continue;
    for (size_t j = 0; j < n; j++) k += x[j * stride + c] >= inf;
    for (size_t j = 0; j < n; j++)
      if (x[j * stride + c] >= inf) dx[j * stride + c] += g[c] / (AD_S)k;
  }
}
AD_LOCAL void AD_SW(rows_logsumexp_share)(size_t rows, size_t n, const AD_S *x, const AD_S *y, const AD_S *g, AD_S *dx, bool add) {
  for (size_t j = 0; j < rows; j++) {
    const AD_S *a = x + j * n;
    AD_S *to = dx + j * n;
    if (isinf(y[j])) {
      AD_SW(columns_logsumexp_share)(n, 1, 1, a, y + j, g + j, to, add);
      continue;
    }
    AD_N w = AD_W(_set)(y[j]), seed = AD_W(_set)(g[j]);
    for (size_t i = 0; i < n; i += AD_LANES) {
      int left = AD_W(_left)(i, n);
      AD_N d = AD_W(only)(AD_W(ne)(seed, AD_W(k)(0)), AD_W(mul)(seed, AD_W(exp)(AD_W(sub)(AD_W(_get)(a + i, left), w))));
      AD_W(_put)(to + i, add ? AD_W(add)(AD_W(_get)(to + i, left), d) : d, left);
    }
  }
}
/* adjoint of y = softmax(x): dx (+)= y (g - sum of g y); dx may be g */
AD_LOCAL void AD_SW(rows_softmax_share)(size_t rows, size_t n, const AD_S *y, const AD_S *g, AD_S *dx, bool add) {
  for (size_t j = 0; j < rows; j++, y += n, g += n, dx += n) {
    AD_W(_terms) t = AD_W(_terms_of)(g, y);
    AD_N s = AD_W(_set)(AD_W(_reduce)(n, AD_W(_term_seeded), &t, AD_W(add), AD_W(sum), (AD_S)-0.0));
    for (size_t i = 0; i < n; i += AD_LANES) {
      int left = AD_W(_left)(i, n);
      AD_N d = AD_W(sub)(AD_W(_get)(g + i, left), s);
      d = AD_W(only)(AD_W(ne)(d, AD_W(k)(0)), AD_W(mul)(AD_W(_get)(y + i, left), d));
      AD_W(_put)(dx + i, add ? AD_W(add)(AD_W(_get)(dx + i, left), d) : d, left);
    }
  }
}
/* adjoint of y = log_softmax(x): dx (+)= g - exp(y) sum of g; dx may be g */
AD_LOCAL void AD_SW(rows_log_softmax_share)(size_t rows, size_t n, const AD_S *y, const AD_S *g, AD_S *dx, bool add) {
  for (size_t j = 0; j < rows; j++, y += n, g += n, dx += n) {
    AD_N s = AD_W(_set)(AD_SW(array_sum)(n, g)), some = AD_W(k)(0);
    for (size_t i = 0; i < n; i += AD_LANES) {
      int left = AD_W(_left)(i, n);
      AD_N d = AD_W(only)(AD_W(ne)(s, some), AD_W(mul)(AD_W(exp)(AD_W(_get)(y + i, left)), s));
      d = AD_W(sub)(AD_W(_get)(g + i, left), d);
      AD_W(_put)(dx + i, add ? AD_W(add)(AD_W(_get)(dx + i, left), d) : d, left);
    }
  }
}

/* y = softmax, or log softmax, of every column of x (n, columns); y may be x. Strips of columns that stay in the second-level cache. */
AD_INLINE AD_N AD_W(_each_exp)(AD_N x, AD_N w) { (void)w; return AD_W(exp)(x); }
AD_INLINE AD_N AD_W(_each_shift)(AD_N x, AD_N top) { return AD_W(select)(AD_W(eq)(x, top), AD_W(k)(0), AD_W(sub)(x, top)); }
/* y = f(x, a) of n rows of m columns; a has one number a column */
AD_INLINE void AD_W(_each_column)(AD_N (*f)(AD_N, AD_N), size_t n, size_t m, size_t stride, const AD_S *x, const AD_S *a, AD_S *y) {
  for (size_t j = 0; j < n; j++, x += stride, y += stride) {
    size_t i = 0;
    for (; m - i >= AD_LANES; i += AD_LANES) AD_W(store)(y + i, f(AD_W(load)(x + i), AD_W(load)(a + i)));
    if (i < m) AD_W(store_n)(y + i, f(AD_W(load_n)(x + i, (int)(m - i)), AD_W(load_n)(a + i, (int)(m - i))), (int)(m - i));
  }
}
AD_INLINE size_t AD_W(_strip)(size_t n) {   /* columns of a strip: whole lines, at most AD__CHUNK / 4 */
  const size_t most = AD__CHUNK / 4, fit = 64 * AD__CHUNK / (n ? n : 1) / 16 * 16;
  return fit < 16 ? 16 : fit < most ? fit : most;
}
AD_LOCAL void AD_SW(columns_softmax)(bool log_of, size_t n, size_t columns, const AD_S *x, AD_S *y) {
  AD_S s[AD__CHUNK / 4];
  for (size_t c = 0, m; c < columns; c += m) {
    AD_W(_terms) t = AD_W(_terms_of)(y + c, NULL);
    m = columns - c < AD_W(_strip)(n) ? columns - c : AD_W(_strip)(n);
    AD_SW(columns_max)(n, m, columns, x + c, s);
    for (size_t i = 0; i < m; i++) s[i] = s[i] <= -(AD_S)INFINITY ? (AD_S)NAN : s[i];   /* nothing but -inf has no softmax */
    AD_W(_each_column)(AD_W(_each_shift), n, m, columns, x + c, s, y + c);
    if (log_of) {
      AD_W(_reduce_columns)(n, m, columns, AD_W(_term_exp), &t, AD_W(add), (AD_S)-0.0, s, false);
      for (size_t i = 0; i < m; i += AD_LANES) AD_W(_put)(s + i, AD_W(log)(AD_W(_get)(s + i, AD_W(_left)(i, m))), AD_W(_left)(i, m));
      AD_W(_each_column)(AD_W(sub), n, m, columns, y + c, s, y + c);
    } else {
      AD_W(_each_column)(AD_W(_each_exp), n, m, columns, y + c, s, y + c);
      AD_W(_reduce_columns)(n, m, columns, AD_W(_term_value), &t, AD_W(add), (AD_S)-0.0, s, false);
      AD_W(_invert)(m, 1, s);
      AD_W(_each_column)(AD_W(mul), n, m, columns, y + c, s, y + c);
    }
  }
}
/* its adjoint from y, g (n, columns): as of rows; dx may be g */
AD_LOCAL void AD_SW(columns_softmax_share)(bool log_of, size_t n, size_t columns, const AD_S *y, const AD_S *g, AD_S *dx, bool add) {
  AD_S s[AD__CHUNK / 4];
  for (size_t c = 0, m; c < columns; c += m) {
    AD_W(_terms) t = AD_W(_terms_of)(g + c, y + c);
    m = columns - c < AD_W(_strip)(n) ? columns - c : AD_W(_strip)(n);
    if (log_of) AD_W(_reduce_columns)(n, m, columns, AD_W(_term_value), &t, AD_W(add), (AD_S)-0.0, s, false);
    else AD_W(_reduce_columns)(n, m, columns, AD_W(_term_seeded), &t, AD_W(add), (AD_S)-0.0, s, false);
    for (size_t j = 0; j < n; j++)
      for (size_t i = 0; i < m; i += AD_LANES) {
        const size_t at = j * columns + c + i;
        const int left = AD_W(_left)(i, m);
        AD_S *to = dx + at;
        AD_N d, w = AD_W(_get)(s + i, left), a = AD_W(_get)(y + at, left), b = AD_W(_get)(g + at, left);
        if (log_of) d = AD_W(sub)(b, AD_W(only)(AD_W(ne)(w, AD_W(k)(0)), AD_W(mul)(AD_W(exp)(a), w)));
        else d = AD_W(sub)(b, w), d = AD_W(only)(AD_W(ne)(d, AD_W(k)(0)), AD_W(mul)(a, d));
        AD_W(_put)(to, add ? AD_W(add)(AD_W(_get)(to, left), d) : d, left);
      }
  }
}

/* Cross entropy of softmax(x) with a target, and its gradient, in one pass over x (rows, n).
   labels: loss[row] = -log softmax(x)[label], dx = scale (softmax(x) - onehot(label)).  dx NULL: the loss alone.
   False, and nothing done, if a label is not in [0, n). */
AD_LOCAL bool AD_SW(rows_cross_entropy)(size_t rows, size_t n, const AD_S *x, const int32_t *label, AD_S scale, AD_S *loss, AD_S *dx) {
  AD_ALIGNED AD_S d[AD__CHUNK + AD_WIDE], e[AD__CHUNK + AD_WIDE], s[AD__CHUNK / 8], log_s[AD__CHUNK / 8], top[AD__CHUNK / 8];
  for (size_t j = 0; j < rows; j++)
    if (label[j] < 0 || (size_t)label[j] >= n) return false;
  for (size_t j = 0, m = 1; j < rows; j += m) {
    if (n > AD__CHUNK) {
      const AD_S *a = x + j * n;
      AD_SW(rows_logsumexp)(1, n, a, log_s);
      loss[j] = log_s[0] - a[label[j]];
      if (dx) {
        AD_SW(rows_softmax)(1, n, a, dx + j * n);
        AD_SW(array_scale)(n, scale, dx + j * n, dx + j * n);
        dx[j * n + (size_t)label[j]] -= scale;
      }
      continue;
    }
    m = AD_W(_batch)(rows - j, n);
    AD_W(_soften)(m, n, x + j * n, (rows - j) * n, d, e, top, s, log_s);
    if (dx) {
      AD_W(_invert)(m, scale, s);
      AD_W(_each_row)(AD_W(mul), m, n, s, e, dx + j * n);
    }
    for (size_t r = 0; r < m; r++) {
      size_t at = r * n + (size_t)label[j + r];
      loss[j + r] = log_s[r] - d[at];
      if (dx) dx[j * n + at] -= scale;
    }
  }
  return true;
}
/* cross_entropy_soft of rows that fit the buffers together, whose exponentials then fill registers */
AD_LOCAL void AD_SW(_entropy_short)(size_t rows, size_t n, const AD_S *x, size_t room, const AD_S *target, AD_S scale, AD_S *loss, AD_S *dx) {
  AD_ALIGNED AD_S d[AD__CHUNK + AD_WIDE], e[AD__CHUNK + AD_WIDE], p[AD__CHUNK + AD_WIDE];
  AD_S s[AD__CHUNK / 8], lse[AD__CHUNK / 8], top[AD__CHUNK / 8], total[AD__CHUNK / 8];
  const size_t all = rows * n;
  const AD_N none = AD_W(k)(0), w = AD_W(_set)(scale);
  AD_W(_soften)(rows, n, x, room, d, e, top, s, lse);
  for (size_t j = 0; j < rows; j++) lse[j] = isinf(top[j]) ? AD_SW(array_max)(n, x + j * n) : top[j] + lse[j];
  memcpy(p, target, all * sizeof *p);
  for (size_t i = 0; i < AD_WIDE; i++) p[all + i] = 0;
  AD_W(_sum_rows)(rows, n, p, total);
  AD_W(_each_row)(AD_W(sub), rows, n, lse, x, d);
  for (size_t i = 0; i < all; i += AD_LANES) {
    const AD_N q = AD_W(load)(p + i);
    AD_W(store)(d + i, AD_W(only)(AD_W(ne)(q, none), AD_W(mul)(q, AD_W(load)(d + i))));
  }
  AD_W(_sum_rows)(rows, n, d, loss);
  for (size_t j = 0; j < rows; j++) loss[j] = -loss[j];
  if (!dx) return;
  AD_W(_invert)(rows, 1, s);
  AD_W(_each_row)(AD_W(mul), rows, n, s, e, d);
  AD_W(_each_row)(AD_W(mul), rows, n, total, d, e);
  for (size_t i = 0; i < all; i += AD_LANES) AD_W(_put)(dx + i, AD_W(mul)(AD_W(sub)(AD_W(load)(e + i), AD_W(load)(p + i)), w), AD_W(_left)(i, all));
}
/* target: probabilities (rows, n): loss = -sum of target log softmax(x), dx = scale (softmax(x) sum(target) - target); a target of 0
   counts for nothing, whatever x */
AD_LOCAL void AD_SW(rows_cross_entropy_soft)(size_t rows, size_t n, const AD_S *x, const AD_S *target, AD_S scale, AD_S *loss, AD_S *dx) {
  for (size_t j = 0, m; n > 0 && n <= AD__CHUNK / 8; j += m) {
    m = AD_W(_batch)(rows - j, n);
    if (m == 0) return;
    AD_SW(_entropy_short)(m, n, x + j * n, (rows - j) * n, target + j * n, scale, loss + j, dx ? dx + j * n : NULL);
  }
  for (size_t j = 0; j < rows; j++, x += n, target += n) {
    AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
    AD_S lse, total = AD_SW(array_sum)(n, target);
    AD_SW(rows_logsumexp)(1, n, x, &lse);
    t.x = target, t.y = x, t.shift = lse;
    loss[j] = -AD_W(_reduce)(n, AD_W(_term_entropy), &t, AD_W(add), AD_W(sum), (AD_S)-0.0);
    if (!dx) continue;
    AD_SW(rows_softmax)(1, n, x, dx);
    for (size_t i = 0; i < n; i += AD_LANES) {
      int left = AD_W(_left)(i, n);
      AD_N d = AD_W(sub)(AD_W(mul)(AD_W(_get)(dx + i, left), AD_W(_set)(total)), AD_W(_get)(target + i, left));
      AD_W(_put)(dx + i, AD_W(mul)(d, AD_W(_set)(scale)), left);
    }
    dx += n;
  }
}

AD_INLINE void AD_W(_norm_put)(AD_N m, AD_N r, const AD_S *x, const AD_S *gain, const AD_S *bias, AD_S *y, int left) {
  AD_N h = AD_W(mul)(AD_W(sub)(AD_W(_get)(x, left), m), r), b = bias ? AD_W(_get)(bias, left) : AD_W(k)(-0.0);
  AD_W(_put)(y, gain ? AD_W(fma)(h, AD_W(_get)(gain, left), b) : AD_W(add)(h, b), left);
}
/* Layer norm of every row: y = (x - mean) rstd gain + bias, rstd = 1/sqrt(var + epsilon), var over n. gain, bias (n) may be NULL. */
AD_LOCAL void AD_SW(rows_layer_norm)(size_t rows, size_t n, const AD_S *x, const AD_S *gain, const AD_S *bias, AD_S epsilon, AD_S *y, AD_S *mean, AD_S *rstd) {
  for (size_t j = 0; j < rows; j++, x += n, y += n) {
    AD_W(_terms) t = AD_W(_terms_of)(x, NULL);
    mean[j] = t.shift = AD_SW(array_mean)(n, x);
    AD_S q = AD_W(_reduce)(n, AD_W(_term_deviation_square), &t, AD_W(add), AD_W(sum), 0);
    rstd[j] = 1 / AD_SW(sqrt)(q / (AD_S)n + epsilon);
    AD_N m = AD_W(_set)(mean[j]), r = AD_W(_set)(rstd[j]);
    size_t i = 0;
    for (; n - i >= AD_LANES; i += AD_LANES) AD_W(_norm_put)(m, r, x + i, gain ? gain + i : NULL, bias ? bias + i : NULL, y + i, AD_LANES);
    if (i < n) AD_W(_norm_put)(m, r, x + i, gain ? gain + i : NULL, bias ? bias + i : NULL, y + i, (int)(n - i));
  }
}
typedef struct AD_W(_pair) { AD_N a, b; } AD_W(_pair);
typedef struct AD_W(_norm) { const AD_S *x, *g, *gain; AD_S mean, rstd; } AD_W(_norm);
/* of one register: the seed of the normalised value, and that times the normalised value */
AD_INLINE AD_W(_pair) AD_W(_norm1)(const AD_W(_norm) *t, size_t i, int n) {
  AD_W(_pair) p;
  AD_N h = AD_W(mul)(AD_W(sub)(AD_W(_get)(t->x + i, n), AD_W(_set)(t->mean)), AD_W(_set)(t->rstd));
  p.a = AD_W(_get)(t->g + i, n);
  if (t->gain) p.a = AD_W(mul)(p.a, AD_W(_get)(t->gain + i, n));
  p.b = AD_W(mul)(p.a, h);
  return p;
}
AD_INLINE AD_W(_pair) AD_W(_pair_add)(AD_W(_pair) x, AD_W(_pair) y) {
  x.a = AD_W(add)(x.a, y.a), x.b = AD_W(add)(x.b, y.b);
  return x;
}
AD_INLINE AD_W(_pair) AD_W(_norm2)(const AD_W(_norm) *t, size_t i) {
  return AD_W(_pair_add)(AD_W(_norm1)(t, i, AD_LANES), AD_W(_norm1)(t, i + AD_WIDE, AD_LANES));
}
AD_INLINE AD_W(_pair) AD_W(_norm4)(const AD_W(_norm) *t, size_t i) { return AD_W(_pair_add)(AD_W(_norm2)(t, i), AD_W(_norm2)(t, i + 2 * AD_WIDE)); }
AD_INLINE AD_W(_pair) AD_W(_norm8)(const AD_W(_norm) *t, size_t i) { return AD_W(_pair_add)(AD_W(_norm4)(t, i), AD_W(_norm4)(t, i + 4 * AD_WIDE)); }
/* both sums over a row in one pass: the tree of >>reduce with leaves of 8 registers */
AD_INLINE void AD_W(_norm_sums)(size_t n, const AD_W(_norm) *t, AD_S *sum_a, AD_S *sum_b) {
  AD_S level[AD__LEVELS][2][AD_WIDE], top[2][AD_WIDE];
  size_t whole = n / (8 * AD_WIDE), i = whole * 8 * AD_WIDE, m = (n - i) / AD_WIDE, tail = i + m * AD_WIDE;
  for (size_t r = 0; r < AD_WIDE; r += AD_LANES) {
    for (size_t count = 0; count < whole; count++) {
      AD_W(_pair) p = AD_W(_norm8)(t, count * 8 * AD_WIDE + r);
      int k = 0;
      for (size_t c = count; c & 1; c >>= 1, k++) p.a = AD_W(add)(AD_W(load)(level[k][0] + r), p.a), p.b = AD_W(add)(AD_W(load)(level[k][1] + r), p.b);
      AD_W(store)(level[k][0] + r, p.a);
      AD_W(store)(level[k][1] + r, p.b);
    }
    AD_W(_pair) p;
    p.a = p.b = AD_W(k)(-0.0);
    if (tail + r < n) {
      int left = AD_W(_left)(tail + r, n);
      AD_W(_pair) q = AD_W(_norm1)(t, tail + r, left);
      p.a = AD_W(select)(AD_W(first)(left), q.a, p.a), p.b = AD_W(select)(AD_W(first)(left), q.b, p.b);
    }
    if (m & 1) p = AD_W(_pair_add)(AD_W(_norm1)(t, i + (m & 6) * AD_WIDE + r, AD_LANES), p);
    if (m & 2) p = AD_W(_pair_add)(AD_W(_norm2)(t, i + (m & 4) * AD_WIDE + r), p);
    if (m & 4) p = AD_W(_pair_add)(AD_W(_norm4)(t, i + r), p);
    int k = 0;
    for (size_t c = whole; c; c >>= 1, k++)
      if (c & 1) p.a = AD_W(add)(AD_W(load)(level[k][0] + r), p.a), p.b = AD_W(add)(AD_W(load)(level[k][1] + r), p.b);
    AD_W(store)(top[0] + r, p.a);
    AD_W(store)(top[1] + r, p.b);
  }
  for (int h = AD_WIDE / 2; h >= AD_LANES; h /= 2)
    for (int r = 0; r < h; r += AD_LANES)
      for (int k = 0; k < 2; k++) AD_W(store)(top[k] + r, AD_W(add)(AD_W(load)(top[k] + r), AD_W(load)(top[k] + r + h)));
  *sum_a = AD_W(sum)(AD_W(load)(top[0])), *sum_b = AD_W(sum)(AD_W(load)(top[1]));
}
/* columns i .. of some (1 or 2) rows: dx, and their part of dgain and dbias in one addition */
AD_INLINE void AD_W(_norm_back)(int rows, const AD_W(_norm) *t, const AD_S *ma, const AD_S *mb, size_t n, AD_S *dx, bool add, AD_S *dgain, AD_S *dbias,
                                size_t i, int left) {
  AD_N gain = t->gain ? AD_W(_get)(t->gain + i, left) : AD_W(k)(1), a = AD_W(k)(0), b = a;
  AD__UNROLL
  for (int k = 0; k < rows; k++) {
    AD_N r = AD_W(_set)(t[k].rstd), h = AD_W(mul)(AD_W(sub)(AD_W(_get)(t[k].x + i, left), AD_W(_set)(t[k].mean)), r), s = AD_W(_get)(t[k].g + i, left);
    a = k ? AD_W(fma)(s, h, a) : AD_W(mul)(s, h), b = k ? AD_W(add)(b, s) : s;
    if (!dx) continue;
    AD_S *to = dx + (size_t)k * n + i;
    s = AD_W(mul)(r, AD_W(fnma)(h, AD_W(_set)(mb[k]), AD_W(sub)(AD_W(mul)(s, gain), AD_W(_set)(ma[k]))));
    AD_W(_put)(to, add ? AD_W(add)(AD_W(_get)(to, left), s) : s, left);
  }
  if (dgain) AD_W(_put)(dgain + i, AD_W(add)(AD_W(_get)(dgain + i, left), a), left);
  if (dbias) AD_W(_put)(dbias + i, AD_W(add)(AD_W(_get)(dbias + i, left), b), left);
}
AD_INLINE void AD_W(_norm_rows)(int rows, size_t n, const AD_S *x, const AD_S *gain, const AD_S *mean, const AD_S *rstd, const AD_S *g, AD_S *dx, bool add,
                                AD_S *dgain, AD_S *dbias) {
  AD_W(_norm) t[2];
  AD_S ma[2] = { 0, 0 }, mb[2] = { 0, 0 };
  size_t i = 0;
  for (int k = 0; k < rows; k++) {
    t[k].x = x + (size_t)k * n, t[k].g = g + (size_t)k * n, t[k].gain = gain, t[k].mean = mean[k], t[k].rstd = rstd[k];
    if (dx) AD_W(_norm_sums)(n, t + k, ma + k, mb + k);
    ma[k] = ma[k] / (AD_S)n, mb[k] = mb[k] / (AD_S)n;
  }
  for (; n - i >= AD_LANES; i += AD_LANES) AD_W(_norm_back)(rows, t, ma, mb, n, dx, add, dgain, dbias, i, AD_LANES);
  if (i < n) AD_W(_norm_back)(rows, t, ma, mb, n, dx, add, dgain, dbias, i, (int)(n - i));
}
/* Adjoint of layer norm. dx (rows, n) (+)= rstd (g' - mean(g') - h mean(g' h)), g' = g gain, h the normalised x; add says which.
   dgain, dbias (n) always +=, two rows at a time in ascending order. dx, dgain, dbias may each be NULL. */
AD_LOCAL void AD_SW(rows_layer_norm_share)(size_t rows, size_t n, const AD_S *x, const AD_S *gain, const AD_S *mean, const AD_S *rstd, const AD_S *g,
                                          AD_S *dx, bool add, AD_S *dgain, AD_S *dbias) {
  size_t j = 0;
  for (; rows - j >= 2; j += 2) AD_W(_norm_rows)(2, n, x + j * n, gain, mean + j, rstd + j, g + j * n, dx ? dx + j * n : NULL, add, dgain, dbias);
  if (j < rows) AD_W(_norm_rows)(1, n, x + j * n, gain, mean + j, rstd + j, g + j * n, dx ? dx + j * n : NULL, add, dgain, dbias);
}

#undef AD_N
#undef AD_S
#undef AD_LANES
#undef AD_WIDE
#undef AD__CHUNK
#endif

/* What SLEEF 3.5.1 gives up too early: exp of double from 709.78271 on, sinh and cosh from 88 (709), log1p from 1e38 (1e307),
   asinh and acosh from 1.8e19 (1.3e154), pow and hypot near the largest number; sinpi and cospi beyond 2.5e8 and the signs of
   their zeros; and those of tgamma below -170. A test of the whole register guards each repair, so that the common range pays one
   comparison and a branch that is not taken: 1 to 4 % with AVX-512 (0.29 ns a float for exp, 1.05 ns a double). */
#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__SLEEF_ENDS

/* scale e^x for large x: e^(x - c) scale 2^64 with c = 64 ln2 in two parts, of which the first is subtracted exactly */
AD_INLINE AD_N AD_W(_exp_far)(AD_N x, double scale) {
  AD_N most = AD_W(k)(AD_C(100, 740)), y = AD_W(select)(AD_W(lt)(x, most), x, most);
  AD_N e = AD_W(_exp)(AD_W(sub)(y, AD_W(k)(AD_C(0x1.62e42cp+5, 0x1.62e42fefap+5))));
  return AD_W(mul)(AD_W(fnma)(e, AD_W(k)(AD_C(0x1.f7d1cfp-18, 0x1.cf79abc9e3b3ap-34)), e), AD_W(k)(scale));
}
AD_INLINE AD_N AD_W(exp)(AD_N x) {
#if AD__FINITE_EXP
  AD_N r = AD_W(_exp)(x);
  AD_W(mask) far = AD_W(lt)(AD_W(k)(709), x);
  return AD_LIKELY(!AD_W(any)(far)) ? r : AD_W(select)(far, AD_W(_exp_far)(x, 0x1p64), r);
#else
  return AD_W(_exp)(x);
#endif
}
AD_INLINE AD_N AD_W(sinh)(AD_N x) {
  AD_N r = AD_W(_sinh)(x), a = AD_W(abs)(x);
  AD_W(mask) far = AD_W(lt)(AD_W(k)(AD_C(88, 709)), a);
  return AD_LIKELY(!AD_W(any)(far)) ? r : AD_W(select)(far, AD_W(copysign)(AD_W(_exp_far)(a, 0x1p63), x), r);
}
AD_INLINE AD_N AD_W(cosh)(AD_N x) {
  AD_N r = AD_W(_cosh)(x), a = AD_W(abs)(x);
  AD_W(mask) far = AD_W(lt)(AD_W(k)(AD_C(88, 709)), a);
  return AD_LIKELY(!AD_W(any)(far)) ? r : AD_W(select)(far, AD_W(_exp_far)(a, 0x1p63), r);
}
AD_INLINE AD_N AD_W(log1p)(AD_N x) {
  AD_N r = AD_W(_log1p)(x);
  AD_W(mask) far = AD_W(lt)(AD_W(k)(1e30), x);
  return AD_LIKELY(!AD_W(any)(far)) ? r : AD_W(select)(far, AD_W(log)(x), r);
}
/* asinh(x) and acosh(x) are log(2x) here */
AD_INLINE AD_N AD_W(asinh)(AD_N x) {
  AD_N r = AD_W(_asinh)(x), a = AD_W(abs)(x);
  AD_W(mask) far = AD_W(lt)(AD_W(k)(AD_C(1e15, 1e150)), a);
  return AD_LIKELY(!AD_W(any)(far)) ? r : AD_W(select)(far, AD_W(copysign)(AD_W(add)(AD_W(log)(a), AD_W(k)(AD__LN2)), x), r);
}
AD_INLINE AD_N AD_W(acosh)(AD_N x) {
  AD_N r = AD_W(_acosh)(x);
  AD_W(mask) far = AD_W(lt)(AD_W(k)(AD_C(1e15, 1e150)), x);
  return AD_LIKELY(!AD_W(any)(far)) ? r : AD_W(select)(far, AD_W(add)(AD_W(log)(x), AD_W(k)(AD__LN2)), r);
}
/* the argument reduced exactly to [-1, 1], and the zeros given the signs of IEEE 754 */
AD_INLINE AD_N AD_W(sinpi)(AD_N x) {
  AD_N v = AD_W(_sinpi)(AD_W(fnma)(AD_W(k)(2), AD_W(rint)(AD_W(mul)(x, AD_W(k)(0.5))), x));
  return AD_W(select)(AD_W(eq)(v, AD_W(k)(0)), AD_W(copysign)(v, x), v);
}
AD_INLINE AD_N AD_W(cospi)(AD_N x) {
  AD_N v = AD_W(_cospi)(AD_W(fnma)(AD_W(k)(2), AD_W(rint)(AD_W(mul)(x, AD_W(k)(0.5))), x));
  return AD_W(add)(v, AD_W(k)(0));
}
AD_INLINE AD_N AD_W(pow)(AD_N x, AD_N y) {
  AD_N r = AD_W(_pow)(x, y), inf = AD_W(k)(AD__INF), h;
  AD_W(mask) far = AD_W(eq)(AD_W(abs)(r), inf);
  if (AD_LIKELY(!AD_W(any)(far))) return r;
  far = AD_W(and)(far, AD_W(and)(AD_W(lt)(AD_W(abs)(x), inf), AD_W(lt)(AD_W(abs)(y), inf)));
  h = AD_W(_pow)(AD_W(abs)(x), AD_W(mul)(y, AD_W(k)(0.5)));
  r = AD_W(select)(far, AD_W(copysign)(AD_W(mul)(h, h), r), r);
  return AD_W(select)(AD_W(eq)(y, AD_W(k)(1)), x, r);               /* of the largest number too */
}
/* large operands by a quarter of them */
AD_INLINE AD_N AD_W(hypot)(AD_N x, AD_N y) {
  AD_N r = AD_W(_hypot)(x, y), q = AD_W(k)(0.25), inf = AD_W(k)(AD__INF);
  AD_W(mask) far = AD_W(not)(AD_W(lt)(r, AD_W(k)(AD_C(0x1p126, 0x1p1022))));
  if (AD_LIKELY(!AD_W(any)(far))) return r;
  r = AD_W(select)(far, AD_W(mul)(AD_W(_hypot)(AD_W(mul)(x, q), AD_W(mul)(y, q)), AD_W(k)(4)), r);
  return AD_W(select)(AD_W(or)(AD_W(eq)(AD_W(abs)(x), inf), AD_W(eq)(AD_W(abs)(y), inf)), inf, r);
}
#if AD__FINITE_EXP                      /* double: of float tgamma is made from it */
/* below -170 zeros with the sign of the strip, which is lost, not always the same way on NEON as on AVX2 and AVX-512 */
AD_INLINE AD_N AD_W(tgamma)(AD_N x) {
  AD_N r = AD_W(_tgamma)(x), h;
  AD_W(mask) zero = AD_W(eq)(r, AD_W(k)(0));
  if (AD_LIKELY(!AD_W(any)(zero))) return r;
  h = AD_W(mul)(AD_W(floor)(x), AD_W(k)(0.5));
  return AD_W(select)(zero, AD_W(select)(AD_W(eq)(h, AD_W(floor)(h)), AD_W(k)(0), AD_W(k)(-0.0)), r);
}
#endif
#endif

/* fmod and remainder are exact, by definition. Below a quotient of 2^22 (2^51) the rounded quotient is at most one too large
   (rounding cannot pass an integer downwards) and one fma gives the remainder exactly; beyond, libm lane by lane. */
#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__MODULO

AD__RARE AD_N AD_W(_fmod_lanes)(AD_N x, AD_N y) {
  AD_S a[AD_LANES], b[AD_LANES];
  AD_W(store)(a, x);
  AD_W(store)(b, y);
  for (int i = 0; i < AD_LANES; i++) a[i] = AD__PASTE(AD_S, fmod)(a[i], b[i]);
  return AD_W(load)(a);
}
AD_INLINE AD_N AD_W(fmod)(AD_N x, AD_N y) {
  AD_N a = AD_W(abs)(x), b = AD_W(abs)(y), z = AD_W(div)(a, b), r = AD_W(fnma)(AD_W(trunc)(z), b, a);
  AD_W(mask) near = AD_W(lt)(z, AD_W(k)(AD_C(0x1p22, 0x1p51)));
  r = AD_W(select)(AD_W(lt)(r, AD_W(k)(0)), AD_W(add)(r, b), r);
  r = AD_W(copysign)(AD_W(select)(AD_W(lt)(a, b), a, r), x);
  return AD_LIKELY(AD_W(all)(near)) ? r : AD_W(select)(near, r, AD_W(_fmod_lanes)(x, y));
}
AD_INLINE AD_N AD_W(remainder)(AD_N x, AD_N y) {
  AD_N b = AD_W(abs)(y), a = AD_W(fmod)(AD_W(abs)(x), AD_W(add)(b, b)), c = AD_W(sub)(a, b), d = AD_W(sub)(c, b);
  c = AD_W(select)(AD_W(le)(b, AD_W(add)(c, c)), d, c);
  return AD_W(mul)(AD_W(select)(AD_W(lt)(b, AD_W(add)(a, a)), c, a), AD_W(copysign)(AD_W(k)(1), x));
}
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__SPECIAL

/* c0 + c1 x + ... */
AD_INLINE AD_N AD_W(_polynomial)(const double *c, int n, AD_N x) {
  AD_N r = AD_W(k)(c[n - 1]);
  for (int i = n - 2; i >= 0; i--) r = AD_W(fma)(r, x, AD_W(k)(c[i]));
  return r;
}
/* x held between -c and c; NaN stays */
AD_INLINE AD_N AD_W(_within)(AD_N x, double c) {
  AD_N r = AD_W(select)(AD_W(lt)(AD_W(k)(c), x), AD_W(k)(c), x);
  return AD_W(select)(AD_W(lt)(r, AD_W(k)(-c)), AD_W(k)(-c), r);
}
/* x from c on */
AD_INLINE AD_N AD_W(_not_below)(AD_N x, double c) { return AD_W(select)(AD_W(lt)(x, AD_W(k)(c)), AD_W(k)(c), x); }

/* e^(-x^2): what x*x rounds away is multiplied by x^2 in the result, so it is put back: e^(-q-r) = E - E r */
AD_INLINE AD_N AD_W(gauss)(AD_N x) {
  AD_N a = AD_W(_within)(x, AD_C(16, 40)), q = AD_W(mul)(a, a), r = AD_W(fma)(a, a, AD_W(neg)(q)), e = AD_W(exp)(AD_W(neg)(q));
  return AD_W(fnma)(e, r, e);
}
/* e^(-x^2/2) / sqrt(2 pi) */
AD_INLINE AD_N AD_W(normal_pdf)(AD_N x) {
  AD_N a = AD_W(_within)(x, AD_C(24, 64)), h = AD_W(mul)(a, AD_W(k)(0.5)), q = AD_W(mul)(h, a);
  AD_N r = AD_W(fma)(h, a, AD_W(neg)(q)), e = AD_W(exp)(AD_W(neg)(q));
  return AD_W(mul)(AD_W(fnma)(e, r, e), AD_W(k)(0x1.9884533d43651p-2));
}
/* 2 Phi(x) = erfc(t + d), t + d = -x/sqrt2 with t rounded and d the rest: erfc(t) - 2/sqrt(pi) e^(-t^2) d */
AD__RARE AD_N AD_W(_ndtr2)(AD_N x) {
  AD_N b = AD_W(_within)(x, AD_C(20, 50)), hi = AD_W(k)(AD_C(0x1.6a09e6p-1, 0x1.6a09e667f3bcdp-1)), t = AD_W(neg)(AD_W(mul)(b, hi));
  AD_N d = AD_W(fnma)(b, AD_W(k)(AD_C(0x1.9fcef3p-27, -0x1.bdd3413b26456p-55)), AD_W(fma)(AD_W(neg)(b), hi, AD_W(neg)(t)));
  return AD_W(fnma)(AD_W(mul)(AD_W(k)(AD__TWO_BY_SQRT_PI), AD_W(gauss)(t)), d, AD_W(erfc)(t));
}
AD_INLINE AD_N AD_W(ndtr)(AD_N x) { return AD_W(mul)(AD_W(_ndtr2)(x), AD_W(k)(0.5)); }
/* x Phi(x), and Phi(x) + x phi(x) */
AD_INLINE AD_N AD_W(gelu)(AD_N x) {
  return AD_W(mul)(AD_W(mul)(AD_W(_not_below)(x, AD_C(-20, -50)), AD_W(k)(0.5)), AD_W(_ndtr2)(x));
}
AD_INLINE AD_N AD_W(gelu_slope)(AD_N x) {
  return AD_W(fma)(AD_W(_within)(x, AD_C(20, 50)), AD_W(normal_pdf)(x), AD_W(ndtr)(x));
}

/* The logistic family from t = e^-|x| (never above 1): nothing cancels and nothing saturates early. */
AD_INLINE AD_N AD_W(sigmoid)(AD_N x) {
  AD_N t = AD_W(exp)(AD_W(neg)(AD_W(abs)(x))), one = AD_W(k)(1);
  return AD_W(div)(AD_W(select)(AD_W(lt)(x, AD_W(k)(0)), t, one), AD_W(add)(one, t));
}
/* (1 + t)^2 = 1 + t (t + 2): rounded about once */
AD_INLINE AD_N AD_W(_one_plus_squared)(AD_N t) { return AD_W(fma)(t, AD_W(add)(t, AD_W(k)(2)), AD_W(k)(1)); }
AD_INLINE AD_N AD_W(sigmoid_slope)(AD_N x) {
  AD_N t = AD_W(exp)(AD_W(neg)(AD_W(abs)(x)));
  return AD_W(div)(t, AD_W(_one_plus_squared)(t));
}
AD_INLINE AD_N AD_W(tanh_slope)(AD_N x) {
  AD_N t = AD_W(exp)(AD_W(mul)(AD_W(abs)(x), AD_W(k)(-2)));
  return AD_W(div)(AD_W(mul)(t, AD_W(k)(4)), AD_W(_one_plus_squared)(t));
}
AD_INLINE AD_N AD_W(softplus)(AD_N x) {
  AD_N t = AD_W(exp)(AD_W(neg)(AD_W(abs)(x)));
  return AD_W(add)(AD_W(_not_below)(x, 0), AD_W(log1p)(t));
}
/* a e^x where x is so low that e^x alone loses its digits (a e^(x/2) e^(x/2)); v elsewhere */
AD_INLINE AD_N AD_W(_tail)(AD_N x, AD_N a, AD_N v) {
  AD_W(mask) far = AD_W(lt)(x, AD_W(k)(AD_C(-80, -700)));
  AD_N h;
  if (AD_LIKELY(!AD_W(any)(far))) return v;
  h = AD_W(exp)(AD_W(mul)(x, AD_W(k)(0.5)));
  return AD_W(select)(far, AD_W(mul)(AD_W(mul)(a, h), h), v);
}
/* x sigmoid(x), and sigmoid(x) (1 + x sigmoid(-x)) with the fractions multiplied out */
AD_INLINE AD_N AD_W(silu)(AD_N x) {
  AD_N c = AD_W(_not_below)(x, AD_C(-128, -1024)), t = AD_W(exp)(AD_W(neg)(AD_W(abs)(c))), one = AD_W(k)(1);
  return AD_W(_tail)(c, c, AD_W(div)(AD_W(mul)(c, AD_W(select)(AD_W(lt)(c, AD_W(k)(0)), t, one)), AD_W(add)(one, t)));
}
AD_INLINE AD_N AD_W(silu_slope)(AD_N x) {
  AD_N c = AD_W(_within)(x, AD_C(128, 1024)), t = AD_W(exp)(AD_W(neg)(AD_W(abs)(c))), one = AD_W(k)(1), d = AD_W(add)(one, t);
  AD_N n = AD_W(select)(AD_W(lt)(c, AD_W(k)(0)), AD_W(mul)(t, AD_W(add)(AD_W(add)(one, c), t)), AD_W(fma)(c, t, d));
  return AD_W(_tail)(c, AD_W(add)(c, one), AD_W(div)(n, AD_W(_one_plus_squared)(t)));
}
/* mish x w, with the gate w = tanh(softplus(x)) = n/(n + 2), n = e^x (e^x + 2), and w' = 4 e^x (e^x + 1)/(n + 2)^2; for x > 0 both
   over e^2x, so that t = e^-|x| serves: (1 + 2t)/(1 + 2t + 2t^2), 4 t^2 (1 + t)/(1 + 2t + 2t^2)^2 */
AD_INLINE AD_N AD_W(_mish_parts)(AD_N x, AD_N *slope) {
  AD_N t = AD_W(exp)(AD_W(neg)(AD_W(abs)(x))), one = AD_W(k)(1), two = AD_W(k)(2), n, m;
  AD_W(mask) right = AD_W(lt)(AD_W(k)(0), x);
  n = AD_W(select)(right, AD_W(fma)(two, t, one), AD_W(mul)(t, AD_W(add)(t, two)));
  m = AD_W(add)(n, AD_W(select)(right, AD_W(mul)(AD_W(mul)(two, t), t), two));
  *slope = AD_W(div)(AD_W(mul)(AD_W(mul)(AD_W(select)(right, AD_W(mul)(t, t), t), AD_W(k)(4)), AD_W(div)(AD_W(add)(t, one), m)), m);
  return AD_W(div)(n, m);
}
AD_INLINE AD_N AD_W(mish_gate)(AD_N x) { AD_N d; return AD_W(_mish_parts)(x, &d); }
AD_INLINE AD_N AD_W(mish_gate_slope)(AD_N x) { AD_N d; (void)AD_W(_mish_parts)(x, &d); return d; }
AD_INLINE AD_N AD_W(mish)(AD_N x) {
  AD_N c = AD_W(_not_below)(x, AD_C(-128, -1024));
  return AD_W(_tail)(c, c, AD_W(mul)(c, AD_W(mish_gate)(x)));
}
AD_INLINE AD_N AD_W(mish_slope)(AD_N x) {
  AD_N d, w = AD_W(_mish_parts)(x, &d), c = AD_W(_within)(x, AD_C(128, 1024));
  return AD_W(_tail)(c, AD_W(add)(c, AD_W(k)(1)), AD_W(fma)(c, d, w));
}
AD_INLINE AD_N AD_W(softsign)(AD_N x) {
  AD_N a = AD_W(abs)(x);
  return AD_W(select)(AD_W(eq)(a, AD_W(k)(AD__INF)), AD_W(copysign)(AD_W(k)(1), x), AD_W(div)(x, AD_W(add)(AD_W(k)(1), a)));
}
/* log(p/(1-p)); in the middle 2 atanh(2p - 1), where the two logarithms cancel */
AD__RARE AD_N AD_W(logit)(AD_N p) {
  AD_N c = AD_W(fma)(AD_W(k)(2), p, AD_W(k)(-1)), far = AD_W(sub)(AD_W(log)(p), AD_W(log1p)(AD_W(neg)(p)));
  return AD_W(select)(AD_W(lt)(AD_W(abs)(c), AD_W(k)(0.5)), AD_W(mul)(AD_W(k)(2), AD_W(atanh)(c)), far);
}
/* log(cosh(x)); below 3/2 log1p(2 sinh(x/2)^2) */
AD__RARE AD_N AD_W(logcosh)(AD_N x) {
  AD_N a = AD_W(abs)(x), s = AD_W(sinh)(AD_W(mul)(AD_W(_within)(x, 2), AD_W(k)(0.5)));
  AD_N near = AD_W(log1p)(AD_W(mul)(AD_W(k)(2), AD_W(mul)(s, s)));
  AD_N far = AD_W(add)(a, AD_W(sub)(AD_W(log1p)(AD_W(exp)(AD_W(mul)(a, AD_W(k)(-2)))), AD_W(k)(AD__LN2)));
  return AD_W(select)(AD_W(lt)(a, AD_W(k)(1.5)), near, far);
}
/* 1 - cos(x) */
AD_INLINE AD_N AD_W(versin)(AD_N x) {
  AD_N s = AD_W(sin)(AD_W(mul)(x, AD_W(k)(0.5)));
  return AD_W(mul)(AD_W(k)(2), AD_W(mul)(s, s));
}
/* sin(pi x)/(pi x) and its first two derivatives: near 0 their series, where the closed forms cancel */
AD_INLINE AD_N AD_W(sinc)(AD_N x) {
  AD_N a = AD_W(abs)(x), v = AD_W(div)(AD_W(sinpi)(x), AD_W(mul)(AD_W(k)(AD__PI), x));
  v = AD_W(select)(AD_W(lt)(a, AD_W(k)(1e-10)), AD_W(k)(1), v);
  return AD_W(select)(AD_W(eq)(a, AD_W(k)(AD__INF)), AD_W(k)(0), v);
}
AD__RARE AD_N AD_W(sinc_slope)(AD_N x) {
  AD_N u = AD_W(mul)(AD_W(k)(AD__PI), x), a = AD_W(abs)(x), far = AD_W(div)(AD_W(sub)(AD_W(cospi)(x), AD_W(sinc)(x)), x);
  AD_N near = AD_W(mul)(AD_W(k)(AD__PI), AD_W(mul)(u, AD_W(_polynomial)(ad__sinc_slope_fit, 11, AD_W(mul)(u, u))));
  far = AD_W(select)(AD_W(eq)(a, AD_W(k)(AD__INF)), AD_W(k)(0), far);
  return AD_W(select)(AD_W(lt)(a, AD_W(k)(0.47)), near, far);
}
AD__RARE AD_N AD_W(sinc_curve)(AD_N x) {
  AD_N u = AD_W(mul)(AD_W(k)(AD__PI), x), a = AD_W(abs)(x), s = AD_W(div)(AD_W(sinc_slope)(x), x);
  AD_N far = AD_W(fma)(AD_W(k)(-AD__PI_SQUARED), AD_W(sinc)(x), AD_W(mul)(AD_W(k)(-2), s));
  AD_N near = AD_W(mul)(AD_W(k)(AD__PI_SQUARED), AD_W(_polynomial)(ad__sinc_curve_fit, 11, AD_W(mul)(u, u)));
  return AD_W(select)(AD_W(lt)(a, AD_W(k)(0.47)), near, far);
}
/* x/hypot(x, y) from x and y scaled by the larger: no second call of hypot. 0 at (0, 0); an infinite operand takes all */
AD_INLINE AD_N AD_W(hypot_share)(AD_N x, AD_N y) {
  AD_N a = AD_W(abs)(x), b = AD_W(abs)(y), s = AD_W(max)(a, b), u = AD_W(div)(x, s), w = AD_W(div)(y, s), inf = AD_W(k)(AD__INF), r;
  AD_W(mask) x_inf = AD_W(eq)(a, inf), y_inf = AD_W(eq)(b, inf);
  r = AD_W(div)(u, AD_W(sqrt)(AD_W(fma)(u, u, AD_W(mul)(w, w))));
  r = AD_W(select)(AD_W(eq)(s, AD_W(k)(0)), AD_W(k)(0), r);
  if (AD_LIKELY(!AD_W(any)(AD_W(or)(x_inf, y_inf)))) return r;
  s = AD_W(only)(x_inf, AD_W(copysign)(AD_W(select)(y_inf, AD_W(k)(AD__SQRT_HALF), AD_W(k)(1)), x));
  return AD_W(select)(AD_W(or)(x_inf, y_inf), s, r);
}
/* d/dx x^y: y (x^y / x), because y - 1 rounds; at the ends of the range y h h with h = |x|^((y-1)/2) */
AD__RARE AD_N AD_W(pow_slope)(AD_N x, AD_N y) {
  AD_N v = AD_W(pow)(x, y), a = AD_W(abs)(v), zero = AD_W(k)(0), r = AD_W(mul)(y, AD_W(div)(v, x));
  AD_W(mask) near = AD_W(and)(AD_W(and)(AD_W(lt)(AD_W(k)(AD_C(0x1p-126, 0x1p-1022)), a), AD_W(lt)(a, AD_W(k)(AD__INF))), AD_W(ne)(x, zero));
  if (!AD_W(all)(near)) {
    AD_N z = AD_W(sub)(y, AD_W(k)(1)), h = AD_W(pow)(AD_W(abs)(x), AD_W(mul)(z, AD_W(k)(0.5)));
    /* the sign of x^(y-1): of x^y times that of x, because y - 1 may round to the other parity; at 0 pow knows it */
    AD_N sign = AD_W(mul)(AD_W(copysign)(AD_W(k)(1), v), AD_W(copysign)(AD_W(k)(1), x));
    AD_N p = AD_W(mul)(AD_W(mul)(y, h), h);
    p = AD_W(mul)(p, AD_W(select)(AD_W(eq)(x, zero), AD_W(copysign)(AD_W(k)(1), AD_W(pow)(x, z)), sign));
    r = AD_W(select)(near, r, AD_W(select)(AD_W(eq)(h, zero), zero, p));
    r = AD_W(select)(AD_W(eq)(v, v), r, v);
  }
  return AD_W(select)(AD_W(eq)(y, zero), zero, r);
}
/* log(e^x + e^y), and e^x/(e^x + e^y) = sigmoid(x - y) with what the difference rounds away put back */
AD__RARE AD_N AD_W(logaddexp)(AD_N x, AD_N y) {
  AD_N d = AD_W(select)(AD_W(eq)(x, y), AD_W(k)(0), AD_W(abs)(AD_W(sub)(x, y)));
  return AD_W(add)(AD_W(max)(x, y), AD_W(log1p)(AD_W(exp)(AD_W(neg)(d))));
}
AD__RARE AD_N AD_W(logaddexp_share)(AD_N x, AD_N y) {
  AD_N zero = AD_W(k)(0), one = AD_W(k)(1), d = AD_W(sub)(x, y), b = AD_W(sub)(d, x);
  AD_N r = AD_W(sub)(AD_W(sub)(x, AD_W(sub)(d, b)), AD_W(add)(y, b)), t, w;
  r = AD_W(select)(AD_W(lt)(AD_W(abs)(r), one), r, zero);
  t = AD_W(exp)(AD_W(neg)(AD_W(abs)(d)));
  w = AD_W(div)(AD_W(select)(AD_W(lt)(d, zero), t, one), AD_W(add)(one, t));
  w = AD_W(fma)(AD_W(mul)(r, w), AD_W(div)(AD_W(select)(AD_W(lt)(d, zero), one, t), AD_W(add)(one, t)), w);
  return AD_W(select)(AD_W(eq)(x, y), AD_W(select)(AD_W(eq)(x, AD_W(k)(-AD__INF)), zero, AD_W(k)(0.5)), w);
}

#undef AD_N
#undef AD_C
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__GAMMA

/* q = (a - 4)/(a + 4), a >= 0, with its rounding errors put right once: they matter at both ends of the fits */
AD_INLINE AD_N AD_W(_erfcx_map)(AD_N a) {
  AD_N four = AD_W(k)(4), b = AD_W(min)(a, AD_W(k)(0x1p70)), r = AD_W(div)(AD_W(k)(1), AD_W(add)(b, four)), q = AD_W(mul)(AD_W(sub)(b, four), r);
  AD_N e = AD_W(fnma)(q, b, AD_W(fnma)(AD_W(add)(q, AD_W(k)(1)), four, b));
  return AD_W(fma)(e, r, q);
}
/* e^(x^2) erfc(x), its derivative 2x erfcx(x) - 2/sqrt(pi) and its second derivative 2 erfcx(x) + 2x erfcx'(x): these cancel
   for x > 0 and have fits of their own there */
AD__RARE AD_N AD_W(erfcx)(AD_N x) {
  AD_N a = AD_W(abs)(x), q = AD_W(_erfcx_map)(a);
  AD_N m = AD_W(div)(AD_W(_polynomial)(ad__erfcx_fit, 25, q), AD_W(add)(a, AD_W(k)(0.5))), b, s, e;
  if (!AD_W(any)(AD_W(lt)(x, AD_W(k)(0)))) return m;
  b = AD_W(_within)(AD_W(only)(AD_W(lt)(x, AD_W(k)(0)), x), 40);          /* e^(x^2) of the others would overflow for nothing */
  s = AD_W(mul)(b, b);
  e = AD_W(exp)(s);
  e = AD_W(select)(AD_W(lt)(e, AD_W(k)(AD__INF)), AD_W(fma)(e, AD_W(fma)(b, b, AD_W(neg)(s)), e), e);
  return AD_W(select)(AD_W(lt)(x, AD_W(k)(0)), AD_W(fma)(AD_W(k)(2), e, AD_W(neg)(m)), m);
}
AD__RARE AD_N AD_W(erfcx_slope)(AD_N x) {
  AD_N a = AD_W(abs)(x), q = AD_W(_erfcx_map)(a), h = AD_W(add)(a, AD_W(k)(0.5));
  AD_N near = AD_W(fma)(AD_W(add)(x, x), AD_W(erfcx)(x), AD_W(k)(-AD__TWO_BY_SQRT_PI));
  AD_N far = AD_W(neg)(AD_W(div)(AD_W(div)(AD_W(_polynomial)(ad__erfcx_slope_fit, 28, q), h), h));
  return AD_W(select)(AD_W(lt)(x, AD_W(k)(0.25)), near, far);
}
AD__RARE AD_N AD_W(erfcx_curve)(AD_N x) {
  AD_N a = AD_W(abs)(x), q = AD_W(_erfcx_map)(a), h = AD_W(add)(a, AD_W(k)(0.5));
  AD_N near = AD_W(mul)(AD_W(k)(2), AD_W(fma)(x, AD_W(erfcx_slope)(x), AD_W(erfcx)(x)));
  AD_N far = AD_W(div)(AD_W(div)(AD_W(div)(AD_W(_polynomial)(ad__erfcx_curve_fit, 29, q), h), h), h);
  return AD_W(select)(AD_W(lt)(x, AD_W(k)(0.5)), near, far);
}
/* log(Phi(x)), and its derivative phi(x)/Phi(x) (the inverse Mills ratio) */
AD__RARE AD_N AD_W(log_ndtr)(AD_N x) {
  AD_N m = AD_W(erfcx)(AD_W(mul)(x, AD_W(k)(-AD__SQRT_HALF))), h = AD_W(mul)(x, AD_W(k)(-0.5));
  AD_N low = AD_W(fma)(h, x, AD_W(log)(AD_W(mul)(m, AD_W(k)(0.5)))), high = AD_W(log1p)(AD_W(neg)(AD_W(ndtr)(AD_W(neg)(AD_W(_not_below)(x, -1)))));
  return AD_W(select)(AD_W(lt)(x, AD_W(k)(-1)), low, high);
}
AD__RARE AD_N AD_W(log_ndtr_slope)(AD_N x) {
  AD_N low = AD_W(div)(AD_W(k)(0x1.9884533d43651p-1), AD_W(erfcx)(AD_W(mul)(x, AD_W(k)(-AD__SQRT_HALF))));
  AD_W(mask) high = AD_W(lt)(AD_W(k)(0), x);
  AD_N y = AD_W(select)(high, x, AD_W(k)(1));        /* elsewhere it is 0/0, for nothing */
  return AD_W(select)(high, AD_W(div)(AD_W(normal_pdf)(y), AD_W(ndtr)(y)), low);
}

/* psi(x) = (log gamma)'. Below 0 reflected: psi(1-x) - pi cot(pi x); below 1 and from 2 to 10 brought to [1, 2] by
   psi(x+1) = psi(x) + 1/x; poles are NaN but for 0, whose sign tells the side. */
AD__RARE AD_N AD_W(digamma)(AD_N x) {
  AD_N zero = AD_W(k)(0), one = AD_W(k)(1), acc, y, z, w, near, far;
  AD_W(mask) left = AD_W(lt)(x, zero), m, big;
  y = AD_W(select)(left, AD_W(sub)(one, x), x);
  m = AD_W(lt)(y, one);
  acc = AD_W(only)(m, AD_W(div)(AD_W(k)(-1), y));
  y = AD_W(select)(m, AD_W(add)(y, one), y);
  big = AD_W(le)(AD_W(k)(10), y);
  z = AD_W(select)(big, AD_W(k)(1.5), y);
  for (m = AD_W(le)(AD_W(k)(2), z); AD_W(any)(m); m = AD_W(le)(AD_W(k)(2), z)) {
    z = AD_W(select)(m, AD_W(sub)(z, one), z);
    acc = AD_W(add)(acc, AD_W(only)(m, AD_W(div)(one, z)));
  }
  near = AD_W(sub)(AD_W(sub)(z, AD_W(k)(0x1.762d86356be3fp+0)), AD_W(k)(0x1.b86a722197829p-54));
  near = AD_W(mul)(near, AD_W(_polynomial)(ad__digamma_fit, 23, AD_W(fma)(AD_W(k)(2), z, AD_W(k)(-3))));
  w = AD_W(div)(one, y);
  z = AD_W(mul)(w, w);
  far = AD_W(fma)(z, AD_W(_polynomial)(ad__digamma_tail, 9, z), AD_W(fma)(AD_W(k)(-0.5), w, AD_W(log)(y)));
  near = AD_W(add)(AD_W(select)(big, far, near), acc);
  if (!AD_W(any)(left)) return near;
  w = AD_W(mul)(AD_W(k)(AD__PI), AD_W(div)(AD_W(cospi)(x), AD_W(sinpi)(x)));
  w = AD_W(select)(AD_W(eq)(x, AD_W(floor)(x)), AD_W(k)(AD__NAN), AD_W(sub)(near, w));
  return AD_W(select)(left, w, near);
}

/* s + c plus t, the rounding error into c */
AD_INLINE void AD_W(_collect)(AD_N *s, AD_N *c, AD_N t) {
  AD_N u = AD_W(add)(*s, t), b = AD_W(sub)(u, *s);
  *c = AD_W(add)(*c, AD_W(add)(AD_W(sub)(*s, AD_W(sub)(u, b)), AD_W(sub)(t, b)));
  *s = u;
}
/* sum 1/(x+k)^p over k = 0.. while x + k < 10 (p = 2, 3), summed with a compensation; *y is moved to the first x + k >= 10 */
AD_INLINE AD_N AD_W(_shifted)(AD_N *y, bool cube) {
  AD_N s = AD_W(k)(0), c = AD_W(k)(0), x = *y, t;
  for (AD_W(mask) m = AD_W(lt)(x, AD_W(k)(10)); AD_W(any)(m); m = AD_W(lt)(x, AD_W(k)(10))) {
    t = AD_W(div)(AD_W(k)(1), AD_W(mul)(x, x));
    AD_W(_collect)(&s, &c, AD_W(only)(m, cube ? AD_W(div)(t, x) : t));
    x = AD_W(select)(m, AD_W(add)(x, AD_W(k)(1)), x);
  }
  *y = x;
  return AD_W(select)(AD_W(lt)(AD_W(abs)(s), AD_W(k)(AD__INF)), AD_W(add)(s, c), s);
}
/* psi'(x); below 0 pi^2/sin(pi x)^2 - psi'(1-x), +inf at the poles */
AD__RARE AD_N AD_W(trigamma)(AD_N x) {
  AD_N one = AD_W(k)(1), y, w, z, v, s;
  AD_W(mask) left = AD_W(lt)(x, AD_W(k)(0));
  y = AD_W(select)(left, AD_W(sub)(one, x), x);
  s = AD_W(_shifted)(&y, false);
  w = AD_W(div)(one, y);
  z = AD_W(mul)(w, w);
  v = AD_W(fma)(AD_W(mul)(z, w), AD_W(_polynomial)(ad__polygamma_tail, 11, z), AD_W(fma)(AD_W(mul)(w, AD_W(k)(0.5)), w, w));
  v = AD_W(add)(s, v);
  if (!AD_W(any)(left)) return v;
  s = AD_W(sinpi)(x);
  return AD_W(select)(left, AD_W(sub)(AD_W(div)(AD_W(div)(AD_W(k)(AD__PI_SQUARED), s), s), v), v);
}
/* psi''(x) = -2 sum 1/(x+k)^3; below 0 psi''(1-x) - 2 pi^3 cos(pi x)/sin(pi x)^3 */
AD__RARE AD_N AD_W(tetragamma)(AD_N x) {
  AD_N one = AD_W(k)(1), y, w, z, v, s;
  AD_W(mask) left = AD_W(lt)(x, AD_W(k)(0));
  y = AD_W(select)(left, AD_W(sub)(one, x), x);
  s = AD_W(_shifted)(&y, true);
  w = AD_W(div)(one, y);
  z = AD_W(mul)(w, w);
  v = AD_W(fma)(AD_W(mul)(z, z), AD_W(_polynomial)(ad__tetragamma_tail, 11, z), AD_W(fma)(z, w, z));
  v = AD_W(fma)(AD_W(k)(-2), s, AD_W(neg)(v));
  if (!AD_W(any)(left)) return v;
  s = AD_W(sinpi)(x);
  z = AD_W(mul)(AD_W(k)(0x1.f019b59389d7cp+5), AD_W(div)(AD_W(div)(AD_W(div)(AD_W(cospi)(x), s), s), s));
  z = AD_W(select)(AD_W(eq)(x, AD_W(floor)(x)), AD_W(k)(AD__NAN), AD_W(sub)(v, z));
  return AD_W(select)(left, z, v);
}
/* The n-th derivative of digamma, n = 1, 2, ...: (-1)^(n+1) n! zeta(n+1, x) by Euler and Maclaurin, for x > 0; NaN below 0,
   where only n = 1 and 2 are offered, as rows of their own. */
AD__RARE AD_N AD_W(polygamma)(AD_N n, AD_N x) {
  AD_N one = AD_W(k)(1), s = AD_W(add)(n, one), y = AD_W(add)(x, AD_W(k)(20)), sum = AD_W(k)(0), c = sum, r = AD_W(neg)(s), p, w, t;
  for (int k = 0; k < 20; k++) AD_W(_collect)(&sum, &c, AD_W(pow)(AD_W(add)(x, AD_W(k)(k)), r));
  p = AD_W(pow)(y, r);
  w = AD_W(div)(one, y);
  t = AD_W(mul)(p, AD_W(mul)(s, w));
  AD_W(_collect)(&sum, &c, AD_W(fma)(p, AD_W(k)(0.5), AD_W(div)(AD_W(mul)(p, y), n)));
  c = AD_W(select)(AD_W(lt)(AD_W(abs)(sum), AD_W(k)(AD__INF)), c, AD_W(k)(0));
  for (int k = 0; k < 10; k++) {
    AD_N j = AD_W(add)(s, AD_W(k)(2 * k + 1));
    c = AD_W(fma)(t, AD_W(k)(ad__zeta_tail[k]), c);
    t = AD_W(mul)(t, AD_W(mul)(AD_W(mul)(j, w), AD_W(mul)(AD_W(add)(j, one), w)));
  }
  sum = AD_W(mul)(AD_W(tgamma)(s), AD_W(add)(sum, c));
  p = AD_W(mul)(n, AD_W(k)(0.5));
  sum = AD_W(select)(AD_W(eq)(p, AD_W(floor)(p)), AD_W(neg)(sum), sum);
  sum = AD_W(select)(AD_W(eq)(x, AD_W(k)(AD__INF)), AD_W(k)(0), sum);
  return AD_W(select)(AD_W(and)(AD_W(and)(AD_W(le)(one, n), AD_W(eq)(n, AD_W(floor)(n))), AD_W(le)(AD_W(k)(0), x)), sum, AD_W(k)(AD__NAN));
}

#undef AD_N
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__GEMM

#if AD_GEMM_FUSED
AD_INLINE AD_N AD_W(_madd)(AD_N a, AD_N b, AD_N c) { return AD_W(fma)(a, b, c); }
AD_INLINE AD_S AD_SW(_madd)(AD_S a, AD_S b, AD_S c) { return AD_SW(fma)(a, b, c); }
#else
AD_INLINE AD_N AD_W(_madd)(AD_N a, AD_N b, AD_N c) { return AD_W(add)(AD_W(mul)(a, b), c); }
AD_INLINE AD_S AD_SW(_madd)(AD_S a, AD_S b, AD_S c) { return a * b + c; }
#endif
/* alpha s + beta c, the last step of every element */
AD_INLINE AD_S AD_SW(_blend)(AD_S alpha, AD_S s, AD_S beta, const AD_S *c) {
  AD_S t;
  if (beta == 0) return alpha * s;
  t = beta * *c;
  AD__ROUNDED(t);
  return AD_SW(_madd)(alpha, s, t);
}

/* s (mr, nr registers) += k steps of A and B. A has row i at a + (i / GROUP) gsa + (i % GROUP) rsa and steps by csa; B steps by
   rsb; of the last register of B only the lanes of part are read where edge is true. mr, nr, edge: constants once inlined. */
AD_INLINE void AD_SW(_tile_steps)(int mr, int nr, bool edge, AD_W(part) part, size_t k, const AD_S *a, size_t rsa, size_t csa, size_t gsa, const AD_S *b, size_t rsb, AD_N *s) {
  AD_N row[8], x;
  const AD_S *group[8];
  AD__UNROLL
  for (int i = 0; i < (mr + AD__GEMM_GROUP - 1) / AD__GEMM_GROUP; i++) group[i] = a + (size_t)i * gsa;
  AD__ROLLED
  for (; k > 0; k--) {
    AD__UNROLL
    for (int j = 0; j < nr; j++) {
      row[j] = edge && j == nr - 1 ? AD_W(load_part)(b + AD_LANES * j, part) : AD_W(load)(b + AD_LANES * j);
      AD__ROUNDED(row[j]);   /* stays in a register: gcc would read it again from memory for each row of A */
    }
    AD__UNROLL
    for (int i = 0; i < mr; i++) {
      x = AD_W(dup)(group[i / AD__GEMM_GROUP] + (size_t)(i % AD__GEMM_GROUP) * rsa);
      AD__UNROLL
      for (int j = 0; j < nr; j++) s[i * nr + j] = AD_W(_madd)(x, row[j], s[i * nr + j]);
    }
    AD__UNROLL
    for (int i = 0; i < (mr + AD__GEMM_GROUP - 1) / AD__GEMM_GROUP; i++) group[i] += csa;
    b += rsb;
  }
}

#if AD__GEMM_HALF
/* the same where only half of the last register is wanted: it is a register of half the width */
AD_INLINE void AD_SW(_tile_half)(int mr, int nr, int last, size_t k, const AD_S *a, size_t rsa, size_t csa, size_t gsa, const AD_S *b, size_t rsb, AD_N *s) {
  AD_N row[8], x;
  AD_W(half) h[AD__GEMM_TILE_MAX], edge;
  const AD_S *group[8];
  AD__UNROLL
  for (int i = 0; i < mr; i++) h[i] = AD_W(_half)(s[i * nr + nr - 1]);
  AD__UNROLL
  for (int i = 0; i < (mr + AD__GEMM_GROUP - 1) / AD__GEMM_GROUP; i++) group[i] = a + (size_t)i * gsa;
  AD__ROLLED
  for (; k > 0; k--) {
    AD__UNROLL
    for (int j = 0; j < nr - 1; j++) {
      row[j] = AD_W(load)(b + AD_LANES * j);
      AD__ROUNDED(row[j]);
    }
    edge = AD_W(_half_load)(b + AD_LANES * (nr - 1), last);
    AD__UNROLL
    for (int i = 0; i < mr; i++) {
      x = AD_W(dup)(group[i / AD__GEMM_GROUP] + (size_t)(i % AD__GEMM_GROUP) * rsa);
      AD__UNROLL
      for (int j = 0; j < nr - 1; j++) s[i * nr + j] = AD_W(_madd)(x, row[j], s[i * nr + j]);
      h[i] = AD_W(_half_fma)(AD_W(_half)(x), edge, h[i]);
    }
    AD__UNROLL
    for (int i = 0; i < (mr + AD__GEMM_GROUP - 1) / AD__GEMM_GROUP; i++) group[i] += csa;
    b += rsb;
  }
  AD__UNROLL
  for (int i = 0; i < mr; i++) s[i * nr + nr - 1] = AD_W(_half_whole)(h[i]);
}
#endif

/* C (mr, nr registers, of the last the lanes of part) = alpha s + beta C */
AD_INLINE void AD_SW(_tile_store)(int mr, int nr, AD_N *s, AD_S *c, size_t ldc, AD_W(part) part, AD_S alpha, AD_S beta) {
  const AD_N x = AD_W(dup)(&alpha);
  if (beta == 0) {
    if (alpha != 1) {
      AD__UNROLL
      for (int i = 0; i < mr * nr; i++) s[i] = AD_W(mul)(x, s[i]);
    }
  } else if (alpha == 1 && beta == 1) {   /* the same bits sooner */
    AD__UNROLL
    for (int i = 0; i < mr * nr; i++) {
      const AD_S *p = c + (size_t)(i / nr) * ldc + AD_LANES * (i % nr);
      s[i] = AD_W(add)(s[i], i % nr < nr - 1 ? AD_W(load)(p) : AD_W(load_part)(p, part));
    }
  } else {
    const AD_N y = AD_W(dup)(&beta);
    AD__UNROLL
    for (int i = 0; i < mr * nr; i++) {
      const AD_S *p = c + (size_t)(i / nr) * ldc + AD_LANES * (i % nr);
      s[i] = AD_W(_madd)(x, s[i], AD_W(mul)(y, i % nr < nr - 1 ? AD_W(load)(p) : AD_W(load_part)(p, part)));
    }
  }
  AD__UNROLL
  for (int i = 0; i < mr * nr; i++) {
    AD_S *p = c + (size_t)(i / nr) * ldc + AD_LANES * (i % nr);
    if (i % nr < nr - 1) AD_W(store)(p, s[i]);
    else AD_W(store_part)(p, s[i], part);
  }
}

/* C (mr, nr registers, the last of them with `last` lanes) from k steps. A masked load in the loop costs 10 % with AVX2, so the
   loop comes with and without. */
#define AD__TILE_ARGS size_t k, const AD_S *a, size_t rsa, size_t csa, size_t gsa, const AD_S *b, size_t rsb, AD_S *c, size_t ldc, int last, AD_S alpha, AD_S beta
typedef void AD_SW(_tile_function)(AD__TILE_ARGS);
AD_INLINE void AD_SW(_tile)(int mr, int nr, AD__TILE_ARGS) {
  AD_N s[AD__GEMM_TILE_MAX], x = AD_W(k)(0);
  const AD_W(part) part = AD_W(part_of)(last);
  AD__UNROLL
  for (int i = 0; i < mr * nr; i++) s[i] = x;
  if (last == AD_LANES) AD_SW(_tile_steps)(mr, nr, false, part, k, a, rsa, csa, gsa, b, rsb, s);
#if AD__GEMM_HALF
  else if (last <= AD_LANES / 2) AD_SW(_tile_half)(mr, nr, last, k, a, rsa, csa, gsa, b, rsb, s);
#endif
  else AD_SW(_tile_steps)(mr, nr, true, part, k, a, rsa, csa, gsa, b, rsb, s);
  AD_SW(_tile_store)(mr, nr, s, c, ldc, part, alpha, beta);
}
#define AD__GEMM_TILE(mr, nr) \
  AD_LOCAL void AD__PASTE(AD_SW(_tile), mr##x##nr)(AD__TILE_ARGS) { AD_SW(_tile)(mr, nr, k, a, rsa, csa, gsa, b, rsb, c, ldc, last, alpha, beta); }
AD__GEMM_TILES(AD__GEMM_TILE)
#undef AD__GEMM_TILE

/* C (m, one panel) */
AD_LOCAL void AD_SW(_gemm_panel)(int nr, size_t m, AD__TILE_ARGS) {
#define AD__GEMM_TILE(mr, nr) { mr, nr, AD__PASTE(AD_SW(_tile), mr##x##nr) },
  static const struct { size_t mr; int nr; AD_SW(_tile_function) *function; } tiles[] = { AD__GEMM_TILES(AD__GEMM_TILE) };
#undef AD__GEMM_TILE
  int t = 0;
  while (tiles[t].nr != nr) t++;
  while (m > 0) {
    const size_t mr = tiles[t].mr;
    if (ad__too_tall(m, mr, mr > 1 ? tiles[t + 1].mr : 1)) { t++; continue; }
    tiles[t].function(k, a, rsa, csa, gsa, b, rsb, c, ldc, last, alpha, beta);
    a += mr < AD__GEMM_GROUP ? mr * rsa : mr / AD__GEMM_GROUP * gsa;
    c += mr * ldc;
    m -= mr;
  }
}

/* what is done to each element of C at last, the bits as if done afterwards: + row_bias[i], + column_bias[j] (NULL: none), relu */
typedef struct AD_SW(finish) { const AD_S *row_bias, *column_bias; bool relu; } AD_SW(finish);

AD_LOCAL void AD_SW(_finish_block)(size_t m, size_t n, AD_S *c, size_t ldc, const AD_SW(finish) *finish, size_t row, size_t column) {
  const AD_N zero = AD_W(k)(0);
  for (size_t i = 0; i < m; i++, c += ldc)
    for (size_t j = 0; j < n; j += AD_LANES) {
      const AD_W(part) part = AD_W(part_of)(n - j < AD_LANES ? (int)(n - j) : AD_LANES);
      AD_N x = AD_W(load_part)(c + j, part);
      if (finish->row_bias) x = AD_W(add)(x, AD_W(dup)(finish->row_bias + row + i));
      if (finish->column_bias) x = AD_W(add)(x, AD_W(load_part)(finish->column_bias + column + j, part));
      if (finish->relu) x = AD_W(max)(x, zero);
      AD_W(store_part)(c + j, x, part);
    }
}

/* B (k, nv registers wide, the last with `last` lanes) into panels of AD__GEMM_WIDE registers, the last ones narrower, padded with 0 */
AD_LOCAL void AD_SW(_pack_rows)(size_t k, size_t nv, int last, const AD_S *b, size_t ldb, AD_S *packed) {
  const AD_W(part) part = AD_W(part_of)(last);
  for (size_t p = 0; p < k; p++, b += ldb)
    for (size_t v = 0; v < nv;) {
      const size_t nr = nv - v == AD__GEMM_WIDE || nv - v > AD__GEMM_WIDE + 1 ? AD__GEMM_WIDE : nv - v == 1 ? 1 : 2;
      AD_S *to = packed + (v * k + p * nr) * AD_LANES;
      for (size_t j = 0; j < nr; j++, v++)
        AD_W(store)(to + j * AD_LANES, v < nv - 1 ? AD_W(load)(b + v * AD_LANES) : AD_W(load_part)(b + v * AD_LANES, part));
    }
}
/* the same from B transposed, (nv registers, k): squares of lanes x lanes are turned in registers. widest: registers of a panel. */
AD_LOCAL void AD_SW(_pack_columns)(size_t widest, size_t k, size_t nv, int last, const AD_S *b, size_t ldb, AD_S *packed) {
  for (size_t v = 0; v < nv;) {
    const size_t nr = nv - v == widest || nv - v > widest + 1 ? widest : nv - v == 1 ? 1 : 2;
    for (size_t j = 0; j < nr; j++) {
      const AD_S *from = b + (v + j) * AD_LANES * ldb;
      AD_S *to = packed + (v * k + j) * AD_LANES;
      const int rows = v + j < nv - 1 ? AD_LANES : last;
      for (size_t p = 0; p < k; p += AD_LANES, to += AD_LANES * AD_LANES * nr) {
        const int steps = k - p < AD_LANES ? (int)(k - p) : AD_LANES;
        const AD_W(part) part = AD_W(part_of)(steps);
        AD_N r[AD_LANES];
        if (rows == AD_LANES && steps == AD_LANES) {
          AD__UNROLL
          for (int i = 0; i < AD_LANES; i++) r[i] = AD_W(load)(from + (size_t)i * ldb + p);
        } else {
          for (int i = 0; i < AD_LANES; i++) r[i] = i < rows ? AD_W(load_part)(from + (size_t)i * ldb + p, part) : AD_W(k)(0);
        }
        AD_W(transpose)(r);
        if (steps == AD_LANES) {
          AD__UNROLL
          for (int i = 0; i < AD_LANES; i++) AD_W(store)(to + (size_t)i * AD_LANES * nr, r[i]);
        } else {
          for (int i = 0; i < steps; i++) AD_W(store)(to + (size_t)i * AD_LANES * nr, r[i]);
        }
      }
    }
    v += nr;
  }
}
/* A (m, k): rows copied one after the other; A transposed (k, m): groups of rows, in each k steps of GROUP elements */
AD_LOCAL void AD_SW(_pack_a)(bool ta, size_t m, size_t k, const AD_S *a, size_t lda, AD_S *packed, size_t stride) {
  if (!ta) {
    for (size_t i = 0; i < m; i++) memcpy(packed + i * stride, a + i * lda, k * sizeof(AD_S));
    return;
  }
  for (size_t p = 0; p < k; p++, a += lda) {
    AD_S *to = packed + p * AD__GEMM_GROUP;
    size_t i = 0;
    for (; i + AD__GEMM_GROUP <= m; i += AD__GEMM_GROUP, to += stride * AD__GEMM_GROUP) memcpy(to, a + i, AD__GEMM_GROUP * sizeof(AD_S));
    for (; i < m; i++) *to++ = a[i];
  }
}

/* Can packing pay? B: where it is transposed, or used by enough rows and larger than the first-level cache. A: where enough
   columns use it. Then the stride decides: multiples of 4096 bytes map all rows to the same cache sets. */
AD_INLINE bool AD_SW(_packs_b)(bool tb, size_t m, size_t n, size_t k) { return tb || (m >= 128 && k >= AD__GEMM_SMALL / sizeof(AD_S) / n); }
AD_INLINE bool AD_SW(_packs_a)(size_t m, size_t n, size_t k) { return m >= 16 && n >= 8 * AD_LANES && k >= 16; }
AD_INLINE size_t AD_SW(_gemm_step)(size_t k) {
  size_t blocks = k / AD__GEMM_K + (k % AD__GEMM_K != 0);
  return k <= AD__GEMM_K ? k : k / blocks + (k % blocks != 0);
}

/* Bytes of workspace that gemm of this shape can use; 0: none. It never exceeds a few MB, whatever the shape. */
AD_LOCAL size_t AD_SW(gemm_work)(bool ta, bool tb, size_t m, size_t n, size_t k) {
  size_t elements = 0, step;
  (void)ta;
  if (m == 0 || n <= 1 || k == 0 || (m == 1 && tb)) return 0;
  step = k < AD__GEMM_K ? k : AD__GEMM_K;   /* not the very step, so that a part of a problem never wants more than the whole */
  if (AD_SW(_packs_b)(tb, m, n, k)) elements += step * AD_LANES * (n < AD__GEMM_N * AD_LANES ? (n + AD_LANES - 1) / AD_LANES : AD__GEMM_N);
  if (AD_SW(_packs_a)(m, n, k)) elements += (step + AD_LANES) * ((m < AD__GEMM_M ? m : AD__GEMM_M) + AD__GEMM_GROUP);
  return elements ? elements * sizeof(AD_S) + 128 : 0;
}

/* rows: dot products with x, AD_VIRTUAL partial sums each */
AD_INLINE void AD_SW(_dots)(int rows, size_t k, const AD_S *a, size_t lda, const AD_S *x, AD_S *out) {
  enum { REGISTERS = AD_VIRTUAL / AD_LANES };
  AD_N s[8 * REGISTERS];
  size_t p = 0;
  AD__UNROLL
  for (int i = 0; i < rows * REGISTERS; i++) s[i] = AD_W(k)(0);
  for (; p + AD_VIRTUAL <= k; p += AD_VIRTUAL) {
    AD__UNROLL
    for (int i = 0; i < rows * REGISTERS; i++)
      s[i] = AD_W(_madd)(AD_W(load)(a + (size_t)(i / REGISTERS) * lda + p + i % REGISTERS * AD_LANES), AD_W(load)(x + p + i % REGISTERS * AD_LANES), s[i]);
  }
  if (p < k) {
    AD__UNROLL
    for (int j = 0; j < REGISTERS; j++, p += AD_LANES) {
      const AD_W(part) part = AD_W(part_of)(k <= p ? 0 : k - p < AD_LANES ? (int)(k - p) : AD_LANES);
      const AD_N y = k <= p ? AD_W(k)(0) : AD_W(load_part)(x + p, part);
      AD__UNROLL
      for (int i = 0; i < rows; i++)
        s[i * REGISTERS + j] = AD_W(_madd)(k <= p ? AD_W(k)(0) : AD_W(load_part)(a + (size_t)i * lda + p, part), y, s[i * REGISTERS + j]);
    }
  }
  AD__UNROLL
  for (int i = 0; i < rows; i++) {
    AD__UNROLL
    for (int h = REGISTERS / 2; h > 0; h /= 2) {
      AD__UNROLL
      for (int j = 0; j < h; j++) s[i * REGISTERS + j] = AD_W(add)(s[i * REGISTERS + j], s[i * REGISTERS + j + h]);
    }
    out[i] = AD_W(sum)(s[i * REGISTERS]);
  }
}

/* y = alpha op(A) x + beta y with A (m, n): op(A) = A, x (n), y (m); transposed: x (m), y (n). Elements of x and y are incx and
   incy apart (> 0). Not transposed: each block of AD__GEMV_K columns is a dot product of AD_VIRTUAL partial sums, added by the
   pairwise tree; transposed: as gemm. */
AD_LOCAL void AD_SW(gemv)(bool transposed, size_t m, size_t n, AD_S alpha, const AD_S *a, size_t lda, const AD_S *x, size_t incx, AD_S beta, AD_S *y, size_t incy) {
  const size_t inner = transposed ? m : n, outer = transposed ? n : m;
  if (inner == 0 || alpha == 0) {
    for (size_t i = 0; i < outer; i++) y[i * incy] = beta == 0 ? 0 : beta * y[i * incy];
  } else if (transposed) {
    const size_t step = AD_SW(_gemm_step)(m);
    for (size_t p = 0; p < m; p += step) {
      const size_t mb = m - p < step ? m - p : step;
      const AD_S by = p ? 1 : beta;
      for (size_t j = 0; j < n; j += 8 * AD_LANES) {
        const size_t nb = n - j < 8 * AD_LANES ? n - j : 8 * AD_LANES, nv = (nb + AD_LANES - 1) / AD_LANES;
        AD_S strip[8 * AD_LANES], *c = incy == 1 ? y + j : strip;
        if (incy != 1 && by != 0)
          for (size_t i = 0; i < nb; i++) strip[i] = y[(j + i) * incy];
        for (size_t v = 0; v < nv;) {
          const size_t nr = nv - v == 8 ? 8 : nv - v > 1 ? 2 : 1;
          const int last = v + nr == nv ? (int)(nb - (nv - 1) * AD_LANES) : AD_LANES;
          AD_SW(_gemm_panel)((int)nr, 1, mb, x + p * incx, 0, incx, 0, a + p * lda + j + v * AD_LANES, lda, c + v * AD_LANES, n, last, alpha, by);
          v += nr;
        }
        if (incy != 1)
          for (size_t i = 0; i < nb; i++) y[(j + i) * incy] = strip[i];
      }
    }
  } else {
    AD_S block[AD__GEMV_K], dots[8];
    for (size_t p = 0; p < n; p += AD__GEMV_K) {
      const size_t nb = n - p < AD__GEMV_K ? n - p : AD__GEMV_K;
      const AD_S *xs = x + p, by = p ? 1 : beta;
      if (incx != 1) {
        for (size_t j = 0; j < nb; j++) block[j] = x[(p + j) * incx];
        xs = block;
      }
      for (size_t i = 0; i < m;) {
        const size_t rows = AD_VIRTUAL / AD_LANES <= 2 && m - i >= 4 ? 4 : 1;
        if (rows == 4) AD_SW(_dots)(4, nb, a + i * lda + p, lda, xs, dots);
        else AD_SW(_dots)(1, nb, a + i * lda + p, lda, xs, dots);
        for (size_t r = 0; r < rows; r++, i++) y[i * incy] = AD_SW(_blend)(alpha, dots[r], by, &y[i * incy]);
      }
    }
  }
}

/* A (m, n) += alpha x y', each element fma(alpha x_i, y_j, a_ij) with alpha x_i rounded first */
AD_LOCAL void AD_SW(ger)(size_t m, size_t n, AD_S alpha, const AD_S *x, size_t incx, const AD_S *y, AD_S *a, size_t lda) {
  for (size_t i = 0; i < m; i++, a += lda) {
    const AD_S t = alpha * x[i * incx];
    const AD_N f = AD_W(dup)(&t);
    size_t j = 0;
    for (; j + AD_LANES <= n; j += AD_LANES) AD_W(store)(a + j, AD_W(_madd)(f, AD_W(load)(y + j), AD_W(load)(a + j)));
    if (j < n) {
      const AD_W(part) part = AD_W(part_of)((int)(n - j));
      AD_W(store_part)(a + j, AD_W(_madd)(f, AD_W(load_part)(y + j, part), AD_W(load_part)(a + j, part)), part);
    }
  }
}

/* C (m, n) = alpha op(A) op(B) + beta C, then finish (NULL: nothing). op(A) is (m, k): A is (m, k), or (k, m) with ta; op(B) is
   (k, n): B is (k, n), or (n, k) with tb. lda, ldb, ldc: elements from one row to the next. C must not overlap A or B.
   work: gemm_work bytes, of any alignment, or NULL, which gives the same bits more slowly. */
AD_LOCAL void AD_SW(gemm_finish)(bool ta, bool tb, size_t m, size_t n, size_t k, AD_S alpha, const AD_S *a, size_t lda, const AD_S *b, size_t ldb,
                                  AD_S beta, AD_S *c, size_t ldc, const AD_SW(finish) *finish, void *work) {
  AD_S *packed_b = NULL, *packed_a = NULL, strip[AD__GEMM_K * AD_LANES];
  size_t step, width = AD__GEMM_N;
  if (m == 0 || n == 0) return;
  if (finish && !finish->row_bias && !finish->column_bias && !finish->relu) finish = NULL;
  if (k == 0 || alpha == 0 || n == 1 || (m == 1 && tb)) {
    if (k == 0 || alpha == 0)
      for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
    else if (n == 1) AD_SW(gemv)(ta, ta ? k : m, ta ? m : k, alpha, a, lda, b, tb ? 1 : ldb, beta, c, ldc);
    else AD_SW(gemv)(false, n, k, alpha, b, ldb, a, ta ? lda : 1, beta, c, 1);
    if (finish) AD_SW(_finish_block)(m, n, c, ldc, finish, 0, 0);
    return;
  }
  if (!tb && n <= 2 * AD_LANES && k <= AD__GEMM_K && !finish) {   /* one panel: nothing to decide, which counts at 32 x 32 */
    const bool two = n > AD_LANES;
    AD_SW(_gemm_panel)(two ? 2 : 1, m, k, a, ta ? 1 : lda, ta ? lda : 1, (ta ? 1 : lda) * AD__GEMM_GROUP, b, ldb, c, ldc, (int)(n - (two ? AD_LANES : 0)), alpha, beta);
    return;
  }
  step = AD_SW(_gemm_step)(k);
  if (work) {
    AD_S *free_space = (AD_S *)(void *)((char *)work + (64 - (uintptr_t)work % 64) % 64);
    if (tb || (AD_SW(_packs_b)(tb, m, n, k) && (k > AD__GEMM_LARGE / sizeof(AD_S) / n || (m >= AD__GEMM_REUSE && (ldb * sizeof(AD_S) % 2048 == 0 || k > AD__GEMM_LARGE / 4 / sizeof(AD_S) / n))))) {
      packed_b = free_space;
      free_space += step * AD_LANES * (n < AD__GEMM_N * AD_LANES ? (n + AD_LANES - 1) / AD_LANES : AD__GEMM_N);
    }
    if (AD_SW(_packs_a)(m, n, k) && (lda * sizeof(AD_S) % 4096 == 0 || lda > AD__GEMM_FAR / sizeof(AD_S) / (ta ? 2 : 1))) packed_a = free_space;
  } else if (tb) {
    packed_b = strip;
    width = 1;
  }
  for (size_t p = 0; p < k; p += step) {
    const size_t kb = k - p < step ? k - p : step;
    const AD_S by = p ? 1 : beta;
    for (size_t j = 0; j < n; j += width * AD_LANES) {
      const size_t nb = n - j < width * AD_LANES ? n - j : width * AD_LANES, nv = (nb + AD_LANES - 1) / AD_LANES;
      const int edge = (int)(nb - (nv - 1) * AD_LANES);
      if (packed_b) {
        if (tb) AD_SW(_pack_columns)(AD__GEMM_WIDE, kb, nv, edge, b + j * ldb + p, ldb, packed_b);
        else AD_SW(_pack_rows)(kb, nv, edge, b + p * ldb + j, ldb, packed_b);
      }
      for (size_t i = 0, mb; i < m; i += mb) {
        const AD_S *ai = ta ? a + p * lda + i : a + i * lda + p;
        size_t rsa = ta ? 1 : lda, csa = ta ? lda : 1, gsa = AD__GEMM_GROUP * rsa;
        mb = packed_a && m - i > AD__GEMM_M ? AD__GEMM_M : m - i;
        if (packed_a) {
          const size_t stride = ta ? kb : kb + AD_LANES;
          AD_SW(_pack_a)(ta, mb, kb, ai, lda, packed_a, stride);
          ai = packed_a;
          rsa = ta ? 1 : stride;
          csa = ta ? AD__GEMM_GROUP : 1;
          gsa = AD__GEMM_GROUP * stride;
        }
        for (size_t v = 0; v < nv;) {
          const size_t nr = m == 1 && nv - v >= 8 && !packed_b ? 8 : nv - v == AD__GEMM_WIDE || nv - v > AD__GEMM_WIDE + 1 ? AD__GEMM_WIDE : nv - v == 1 ? 1 : 2;
          const AD_S *panel = packed_b ? packed_b + v * kb * AD_LANES : b + p * ldb + j + v * AD_LANES;
          AD_S *ci = c + i * ldc + j + v * AD_LANES;
          const int last = v + nr == nv ? edge : AD_LANES;
          AD_SW(_gemm_panel)((int)nr, mb, kb, ai, rsa, csa, gsa, panel, packed_b ? nr * AD_LANES : ldb, ci, ldc, last, alpha, by);
          if (finish && p + kb == k) AD_SW(_finish_block)(mb, (nr - 1) * AD_LANES + (size_t)last, ci, ldc, finish, i, j + v * AD_LANES);
          v += nr;
        }
      }
    }
  }
}

AD_LOCAL void AD_SW(gemm)(bool ta, bool tb, size_t m, size_t n, size_t k, AD_S alpha, const AD_S *a, size_t lda, const AD_S *b, size_t ldb,
                           AD_S beta, AD_S *c, size_t ldc, void *work) {
#if defined(AD_USE_CBLAS)
  if (m && n && k && m <= INT_MAX && n <= INT_MAX && k <= INT_MAX && lda && ldb && lda <= INT_MAX && ldb <= INT_MAX && ldc <= INT_MAX) {
    AD_CBLAS(gemm)(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
    return;
  }
#endif
  AD_SW(gemm_finish)(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, NULL, work);
}

/* count products, matrices a_step, b_step, c_step elements apart (a step of 0: the same A or B in each) */
AD_LOCAL void AD_SW(gemm_batch)(size_t count, bool ta, bool tb, size_t m, size_t n, size_t k, AD_S alpha, const AD_S *a, size_t lda, size_t a_step,
                                 const AD_S *b, size_t ldb, size_t b_step, AD_S beta, AD_S *c, size_t ldc, size_t c_step, void *work) {
  for (size_t i = 0; i < count; i++) AD_SW(gemm)(ta, tb, m, n, k, alpha, a + i * a_step, lda, b + i * b_step, ldb, beta, c + i * c_step, ldc, work);
}

#undef AD_N
#undef AD_S
#undef AD_LANES
#undef AD_VIRTUAL
#undef AD_CBLAS
#undef AD__TILE_ARGS
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__LINALG

/* Bytes of workspace for matrices of n rows with so many columns on the other side. */
AD_LOCAL size_t AD_SW(linalg_work)(size_t n, size_t columns) { return AD_SW(gemm_work)(false, true, n > columns ? n : columns, n > columns ? n : columns, n); }

/* y (n) -= f x */
AD_INLINE void AD_SW(_minus)(size_t n, AD_S f, const AD_S *x, AD_S *y) {
  const AD_S t = -f;
  const AD_N v = AD_W(dup)(&t);
  size_t j = 0;
  for (; j + AD_LANES <= n; j += AD_LANES) AD_W(store)(y + j, AD_W(_madd)(v, AD_W(load)(x + j), AD_W(load)(y + j)));
  if (j < n) {
    const AD_W(part) part = AD_W(part_of)((int)(n - j));
    AD_W(store_part)(y + j, AD_W(_madd)(v, AD_W(load_part)(x + j, part), AD_W(load_part)(y + j, part)), part);
  }
}

/* op(A) X = B (right: X op(A) = B) for X in place of B (m, n). A is triangular, (m, m) or (n, n) if right; only the triangle named
   by upper is read, and not its diagonal if unit. op(A) = A, or A' with ta. */
AD_LOCAL void AD_SW(trsm)(bool right, bool upper, bool ta, bool unit, size_t m, size_t n, const AD_S *a, size_t lda, AD_S *b, size_t ldb, void *work) {
  const size_t order = right ? n : m, step_i = ta ? 1 : lda, step_j = ta ? lda : 1;
  const bool forward = (upper == ta) != right;   /* op(A) is lower: rows are solved from the first on, columns from the last */
  if (m == 0 || n == 0) return;
  if (order > AD__LINALG_BASE) {
    const size_t h = (order / 2 + AD__LINALG_BASE - 1) / AD__LINALG_BASE * AD__LINALG_BASE, rest = order - h;
    const AD_S *a22 = a + h * lda + h, *off = upper ? a + h : a + h * lda;   /* the rectangle of A */
    AD_S *b2 = right ? b + h : b + h * ldb;
    if (forward) {
      AD_SW(trsm)(right, upper, ta, unit, right ? m : h, right ? h : n, a, lda, b, ldb, work);
      if (right) AD_SW(gemm_finish)(false, ta, m, rest, h, -1, b, ldb, off, lda, 1, b2, ldb, NULL, work);
      else AD_SW(gemm_finish)(ta, false, rest, n, h, -1, off, lda, b, ldb, 1, b2, ldb, NULL, work);
      AD_SW(trsm)(right, upper, ta, unit, right ? m : rest, right ? rest : n, a22, lda, b2, ldb, work);
    } else {
      AD_SW(trsm)(right, upper, ta, unit, right ? m : rest, right ? rest : n, a22, lda, b2, ldb, work);
      if (right) AD_SW(gemm_finish)(false, ta, m, h, rest, -1, b2, ldb, off, lda, 1, b, ldb, NULL, work);
      else AD_SW(gemm_finish)(ta, false, h, n, rest, -1, off, lda, b2, ldb, 1, b, ldb, NULL, work);
      AD_SW(trsm)(right, upper, ta, unit, right ? m : h, right ? h : n, a, lda, b, ldb, work);
    }
  } else if (right) {
    for (size_t r = 0; r < m; r++, b += ldb)
      for (size_t q = 0; q < n; q++) {
        const size_t j = forward ? q : n - 1 - q;
        AD_S x = b[j];
        for (size_t p = 0; p < q; p++) {
          const size_t i = forward ? p : n - 1 - p;
          x = AD_SW(_madd)(-b[i], a[i * step_i + j * step_j], x);
        }
        b[j] = unit ? x : x / a[j * lda + j];
      }
  } else {
    for (size_t q = 0; q < m; q++) {
      const size_t i = forward ? q : m - 1 - q;
      AD_S *row = b + i * ldb;
      for (size_t p = 0; p < q; p++) {
        const size_t j = forward ? p : m - 1 - p;
        AD_SW(_minus)(n, a[i * step_i + j * step_j], b + j * ldb, row);
      }
      if (!unit)
        for (size_t j = 0; j < n; j++) row[j] /= a[i * lda + i];
    }
  }
}

/* A (n, n) symmetric, of which the lower triangle is read, becomes L with A = L L', its strictly upper triangle 0. Status above. */
AD_LOCAL size_t AD_SW(_cholesky_lower)(size_t n, AD_S *a, size_t lda, void *work) {
  if (n > AD__LINALG_BASE) {
    const size_t h = (n / 2 + AD__LINALG_BASE - 1) / AD__LINALG_BASE * AD__LINALG_BASE, rest = n - h, width = 16 * AD__LINALG_BASE;
    AD_S *a21 = a + h * lda, *a22 = a21 + h;
    size_t status = AD_SW(_cholesky_lower)(h, a, lda, work);
    if (status) return status;
    AD_SW(trsm)(true, false, true, false, rest, h, a, lda, a21, lda, work);
    for (size_t j = 0; j < rest; j += width)   /* in columns of blocks, so that little is computed above the diagonal */
      AD_SW(gemm_finish)(false, true, rest - j, rest - j < width ? rest - j : width, h, -1, a21 + j * lda, lda, a21 + j * lda, lda, 1, a22 + j * lda + j, lda, NULL, work);
    status = AD_SW(_cholesky_lower)(rest, a22, lda, work);
    return status ? status + h : 0;
  }
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) {
      AD_S x = a[i * lda + j];
      for (size_t p = 0; p < j; p++) x = AD_SW(_madd)(-a[i * lda + p], a[j * lda + p], x);
      if (j < i) a[i * lda + j] = x / a[j * lda + j];
      else if (x > 0) a[i * lda + i] = AD_SW(sqrt)(x);
      else return i + 1;
    }
  return 0;
}
AD_LOCAL size_t AD_SW(cholesky)(size_t n, AD_S *a, size_t lda, void *work) {
  const size_t status = AD_SW(_cholesky_lower)(n, a, lda, work);
  for (size_t i = 0; i + 1 < n; i++) memset(a + i * lda + i + 1, 0, (n - 1 - i) * sizeof(AD_S));
  return status;
}
/* L L' X = B for X in place of B (n, columns) */
AD_LOCAL void AD_SW(cholesky_solve)(size_t n, size_t columns, const AD_S *l, size_t lda, AD_S *b, size_t ldb, void *work) {
  AD_SW(trsm)(false, false, false, false, n, columns, l, lda, b, ldb, work);
  AD_SW(trsm)(false, false, true, false, n, columns, l, lda, b, ldb, work);
}

/* rows i and pivots[i] of A (.., n) change places, for i = 0 .. count - 1, or back */
AD_LOCAL void AD_SW(_swap_rows)(size_t n, AD_S *a, size_t lda, size_t count, const size_t *pivots, bool back) {
  for (size_t q = 0; q < count; q++) {
    const size_t i = back ? count - 1 - q : q;
    AD_S *x = a + i * lda, *y = a + pivots[i] * lda;
    if (x != y)
      for (size_t j = 0; j < n; j++) {
        const AD_S t = x[j];
        x[j] = y[j];
        y[j] = t;
      }
  }
}
/* A (m, n) becomes L below the diagonal (which is 1) and U: A with rows i and pivots[i] swapped in turn (i < min(m, n)) is L U. The
   pivot is the first of the largest in its column, NaN counting as largest. Status above. */
AD_LOCAL size_t AD_SW(lu)(size_t m, size_t n, AD_S *a, size_t lda, size_t *pivots, void *work) {
  const size_t count = m < n ? m : n;
  size_t status = 0;
  if (count > AD__LINALG_BASE || (n > AD__LINALG_BASE && count > 1)) {
    const size_t h = count > AD__LINALG_BASE ? (count / 2 + AD__LINALG_BASE - 1) / AD__LINALG_BASE * AD__LINALG_BASE : count;
    size_t lower;
    status = AD_SW(lu)(m, h, a, lda, pivots, work);
    AD_SW(_swap_rows)(n - h, a + h, lda, h, pivots, false);
    AD_SW(trsm)(false, false, false, true, h, n - h, a, lda, a + h, lda, work);
    AD_SW(gemm_finish)(false, false, m - h, n - h, h, -1, a + h * lda, lda, a + h, lda, 1, a + h * lda + h, lda, NULL, work);
    lower = AD_SW(lu)(m - h, n - h, a + h * lda + h, lda, pivots + h, work);
    AD_SW(_swap_rows)(h, a + h * lda, lda, count - h, pivots + h, false);
    for (size_t i = h; i < count; i++) pivots[i] += h;
    return status ? status : lower ? lower + h : 0;
  }
  for (size_t j = 0; j < count; j++) {
    size_t best = j;
    for (size_t i = j + 1; i < m && !isnan(a[best * lda + j]); i++)
      if (!(AD_SW(abs)(a[i * lda + j]) <= AD_SW(abs)(a[best * lda + j]))) best = i;
    pivots[j] = best;
    if (best != j)
      for (size_t c = 0; c < n; c++) {
        const AD_S t = a[j * lda + c];
        a[j * lda + c] = a[best * lda + c];
        a[best * lda + c] = t;
      }
    if (a[j * lda + j] == 0) {
      if (!status) status = j + 1;
      continue;
    }
    for (size_t i = j + 1; i < m; i++) {
      const AD_S f = a[i * lda + j] / a[j * lda + j];
      a[i * lda + j] = f;
      for (size_t c = j + 1; c < n; c++) a[i * lda + c] = AD_SW(_madd)(-f, a[j * lda + c], a[i * lda + c]);
    }
  }
  return status;
}
/* A X = B, or A' X = B if transposed, for X in place of B (n, columns), from the factors of A (n, n) */
AD_LOCAL void AD_SW(lu_solve)(bool transposed, size_t n, size_t columns, const AD_S *factors, size_t lda, const size_t *pivots, AD_S *b, size_t ldb, void *work) {
  if (!transposed) AD_SW(_swap_rows)(columns, b, ldb, n, pivots, false);
  AD_SW(trsm)(false, transposed, transposed, !transposed, n, columns, factors, lda, b, ldb, work);
  AD_SW(trsm)(false, !transposed, transposed, transposed, n, columns, factors, lda, b, ldb, work);
  if (transposed) AD_SW(_swap_rows)(columns, b, ldb, n, pivots, true);
}
/* the determinant of A from its factors, the diagonal multiplied in order (1 for n = 0); it may overflow where lu_logdet does not */
AD_LOCAL AD_S AD_SW(lu_det)(size_t n, const AD_S *factors, size_t lda, const size_t *pivots) {
  AD_S det = 1;
  for (size_t i = 0; i < n; i++) det *= pivots[i] == i ? factors[i * lda + i] : -factors[i * lda + i];
  return det;
}
/* log |det A|, added in order; *sign (NULL: not wanted) is 1, -1, or 0 for a singular matrix, whose logarithm is -infinity */
AD_LOCAL AD_S AD_SW(lu_logdet)(size_t n, const AD_S *factors, size_t lda, const size_t *pivots, AD_S *sign) {
  AD_S sum = 0, s = 1;
  for (size_t i = 0; i < n; i++) {
    const AD_S d = factors[i * lda + i];
    sum += AD_SW(log)(AD_SW(abs)(d));
    if ((d < 0) != (pivots[i] != i)) s = -s;
    if (!(d < 0 || d > 0)) s = d == 0 ? 0 : d;
  }
  if (sign) *sign = s;
  return sum;
}

/* Whole problems with a square matrix A (n, n) that is left alone. work: square_work bytes. A singular matrix gives the infinities
   and NaN of its zero pivots, but a determinant of 0 and a finite adjugate. */
AD_LOCAL size_t AD_SW(square_work)(size_t n, size_t columns) {
  const size_t matrix = ad__plus(ad__times(ad__times(n, n), sizeof(AD_S)), 64), pivots = ad__plus(ad__times(n, sizeof(size_t)), 64);
  return ad__plus(ad__plus(matrix, pivots), ad__plus(AD_SW(linalg_work)(n, columns > n ? columns : n), 64));
}
typedef struct AD_SW(factors) { AD_S *lu; size_t *pivots; void *work; } AD_SW(factors);
AD_LOCAL AD_SW(factors) AD_SW(_factor)(size_t n, const AD_S *a, void *work) {
  AD_SW(factors) f;
  char *at = (char *)work;
  at += (64 - (uintptr_t)at % 64) % 64;
  f.lu = (AD_S *)(void *)at;
  at += (n * n * sizeof(AD_S) + 63) / 64 * 64;
  f.pivots = (size_t *)(void *)at;
  f.work = at + (n * sizeof(size_t) + 63) / 64 * 64;
  if (n) memcpy(f.lu, a, n * n * sizeof(AD_S));
  (void)AD_SW(lu)(n, n, f.lu, n, f.pivots, f.work);
  return f;
}
/* A X = B, all (n, columns) */
AD_LOCAL void AD_SW(solve)(size_t n, size_t columns, const AD_S *a, const AD_S *b, AD_S *x, void *work) {
  const AD_SW(factors) f = AD_SW(_factor)(n, a, work);
  memcpy(x, b, n * columns * sizeof(AD_S));
  AD_SW(lu_solve)(false, n, columns, f.lu, n, f.pivots, x, columns, f.work);
}
AD_LOCAL void AD_SW(inverse)(size_t n, const AD_S *a, AD_S *x, void *work) {
  const AD_SW(factors) f = AD_SW(_factor)(n, a, work);
  memset(x, 0, n * n * sizeof(AD_S));
  for (size_t i = 0; i < n; i++) x[i * n + i] = 1;
  AD_SW(lu_solve)(false, n, n, f.lu, n, f.pivots, x, n, f.work);
}
/* det A, or log |det A| */
AD_LOCAL AD_S AD_SW(determinant)(size_t n, const AD_S *a, bool log_of, void *work) {
  const AD_SW(factors) f = AD_SW(_factor)(n, a, work);
  return log_of ? AD_SW(lu_logdet)(n, f.lu, n, f.pivots, NULL) : AD_SW(lu_det)(n, f.lu, n, f.pivots);
}
/* adj(A) = det(A) A^-1 without a division: with P A = L U it is det(P) adj(U) L^-1 P, and adj(U) grows by a column at a time,
   adj(U u; 0 d) = (d adj(U), -adj(U) u; 0, det(U)). So it is right for singular matrices. */
AD_LOCAL void AD_SW(adjugate)(size_t n, const AD_S *a, AD_S *x, void *work) {
  const AD_SW(factors) f = AD_SW(_factor)(n, a, work);
  AD_S det = 1;
  memset(x, 0, n * n * sizeof(AD_S));
  for (size_t k = 0; k < n; k++) {
    const AD_S d = f.lu[k * n + k];
    for (size_t i = 0; i < k; i++) {
      AD_S sum = 0;
      for (size_t j = i; j < k; j++) sum = AD_SW(_madd)(x[i * n + j], f.lu[j * n + k], sum);
      for (size_t j = i; j < k; j++) x[i * n + j] *= d;
      x[i * n + k] = -sum;
    }
    x[k * n + k] = det;
    det *= d;
  }
  AD_SW(trsm)(true, false, false, true, n, n, f.lu, n, x, n, f.work);
  for (size_t q = n; q-- > 0;) {
    const size_t p = f.pivots[q];
    for (size_t i = 0; p != q && i < n; i++) {               /* columns change places, and the sign of all */
      const AD_S t = x[i * n + q];
      x[i * n + q] = x[i * n + p];
      x[i * n + p] = t;
      for (size_t j = 0; j < n; j++) x[i * n + j] = -x[i * n + j];
    }
  }
}

#undef AD_N
#undef AD_S
#undef AD_LANES
#endif

#if defined(AD__TEMPLATE) && AD__TEMPLATE == AD__CONV

/* C (mr, nr registers) = or += A (mr, k) times rows of B, row p at b + rows[p]; the last register has `last` lanes */
#define AD__CONV_ARGS size_t k, const AD_S *a, size_t lda, const AD_S *b, const size_t *rows, AD_S *c, size_t ldc, int last, AD_S beta
typedef void AD_SW(_conv_function)(AD__CONV_ARGS);
AD_INLINE void AD_SW(_conv_tile)(int mr, int nr, AD__CONV_ARGS) {
  AD_N s[AD__GEMM_TILE_MAX], row[3], x = AD_W(k)(0);
  const AD_S *group[8];
  AD__UNROLL
  for (int i = 0; i < mr * nr; i++) s[i] = x;
  AD__UNROLL
  for (int i = 0; i < (mr + AD__GEMM_GROUP - 1) / AD__GEMM_GROUP; i++) group[i] = a + (size_t)i * AD__GEMM_GROUP * lda;
  AD__ROLLED
  for (size_t p = 0; p < k; p++) {
    const AD_S *from = b + rows[p];
    AD__UNROLL
    for (int j = 0; j < nr; j++) {
      row[j] = AD_W(load)(from + AD_LANES * j);
      AD__ROUNDED(row[j]);   /* as in gemm */
    }
    AD__UNROLL
    for (int i = 0; i < mr; i++) {
      x = AD_W(dup)(group[i / AD__GEMM_GROUP] + (size_t)(i % AD__GEMM_GROUP) * lda);
      AD__UNROLL
      for (int j = 0; j < nr; j++) s[i * nr + j] = AD_W(_madd)(x, row[j], s[i * nr + j]);
    }
    AD__UNROLL
    for (int i = 0; i < (mr + AD__GEMM_GROUP - 1) / AD__GEMM_GROUP; i++) group[i]++;
  }
  AD_SW(_tile_store)(mr, nr, s, c, ldc, AD_W(part_of)(last), 1, beta);
}
/* C (mr, nr registers) = or += A times B (k, panel), row i of A at a + rows[i] */
#define AD__FILTER_ARGS size_t k, const AD_S *a, const size_t *rows, const AD_S *b, AD_S *c, size_t ldc, AD_S beta
typedef void AD_SW(_filter_function)(AD__FILTER_ARGS);
AD_INLINE void AD_SW(_filter_tile)(int mr, int nr, AD__FILTER_ARGS) {
  AD_N s[AD__GEMM_TILE_MAX], row[2], x = AD_W(k)(0);
  const AD_S *from[8];
  AD__UNROLL
  for (int i = 0; i < mr * nr; i++) s[i] = x;
  AD__UNROLL
  for (int i = 0; i < mr; i++) from[i] = a + rows[i];
  AD__ROLLED
  for (size_t p = 0; p < k; p++) {
    AD__UNROLL
    for (int j = 0; j < nr; j++) {
      row[j] = AD_W(load)(b + AD_LANES * j);
      AD__ROUNDED(row[j]);
    }
    AD__UNROLL
    for (int i = 0; i < mr; i++) {
      x = AD_W(dup)(from[i] + p);
      AD__UNROLL
      for (int j = 0; j < nr; j++) s[i * nr + j] = AD_W(_madd)(x, row[j], s[i * nr + j]);
    }
    b += AD_LANES * nr;
  }
  AD_SW(_tile_store)(mr, nr, s, c, ldc, AD_W(part_of)(AD_LANES), 1, beta);
}
#define AD__CONV_TILE(mr, nr) \
  AD_LOCAL void AD__PASTE(AD_SW(_conv_tile), mr##x##nr)(AD__CONV_ARGS) { AD_SW(_conv_tile)(mr, nr, k, a, lda, b, rows, c, ldc, last, beta); }
AD__CONV_TILES(AD__CONV_TILE)
#undef AD__CONV_TILE
#define AD__CONV_TILE(mr, nr) AD_LOCAL void AD__PASTE(AD_SW(_filter_tile), mr##x##nr)(AD__FILTER_ARGS) { AD_SW(_filter_tile)(mr, nr, k, a, rows, b, c, ldc, beta); }
AD__FILTER_TILES(AD__CONV_TILE)
#undef AD__CONV_TILE

/* Channels c0 .. of source, output rows i0 .. i0 + rows, lifted: (count, column tap, remainder, rows + reach, out_width), each
   remainder padded to 16 elements. Written in ascending order by whole registers: what a row writes past its end is overwritten
   by the next, or lies in the spare end. Where input and output are equally wide all rows are one run, shifted, whose wrapped
   columns are cleared afterwards: at 28 columns nearly half of the registers of single rows would be edges. */
AD_LOCAL void AD_SW(_lift)(const ad__lifting *g, size_t c0, size_t count, const AD_S *source, size_t i0, size_t rows, AD_S *to) {
  const size_t width = g->out_width, plane = ad__lift_plane(g, rows), lines = rows + g->reach;
  const bool flat = g->step[0] == 1 && g->step[1] == 1 && width == g->width;
  for (size_t c = 0; c < count; c++)
    for (size_t s = 0; s < g->taps[1]; s++) {
      const AD_S *channel = source + (c0 + c) * g->height * g->width;
      const ptrdiff_t shift = g->column[s];
      size_t from, end;
      ad__inside(shift, g->step[1], g->width, width, &from, &end);
      for (size_t f = 0; f < g->phases; f++, to += plane) {
        const ptrdiff_t h = g->lowest + (ptrdiff_t)(f + i0 * g->step[0]);
        size_t first, past;
        ad__inside(h, g->step[0], g->height, lines, &first, &past);
        if (from == end) first = past = 0;
        memset(to, 0, first * width * sizeof *to);
        if (flat && first < past) {
          const AD_S *line = channel + (size_t)(h + (ptrdiff_t)first) * width;
          AD_S *run = to + first * width;
          const size_t n = (past - first) * width - (width - end);
          size_t j = from;
          for (; j + AD_LANES <= n; j += AD_LANES) AD_W(store)(run + j, AD_W(load)(line + (ptrdiff_t)j + shift));
          if (j < n) AD_W(store)(run + j, AD_W(load_part)(line + (ptrdiff_t)j + shift, AD_W(part_of)((int)(n - j))));
          for (size_t z = 0; z < from; z++)
            for (size_t t = first; t < past; t++) to[t * width + z] = 0;
          for (size_t z = end; z < width; z++)
            for (size_t t = first; t < past; t++) to[t * width + z] = 0;
        } else {
          for (size_t t = first; t < past; t++) {
            const AD_S *line = channel + (size_t)(h + (ptrdiff_t)(t * g->step[0])) * g->width;
            AD_S *run = to + t * width;
            size_t j = from;
            for (size_t z = 0; z < from; z++) run[z] = 0;
            if (g->step[1] == 1) {
              for (; j + AD_LANES <= end; j += AD_LANES) AD_W(store)(run + j, AD_W(load)(line + (ptrdiff_t)j + shift));
              if (j < end) AD_W(store)(run + j, AD_W(load_part)(line + (ptrdiff_t)j + shift, AD_W(part_of)((int)(end - j))));
            } else {
              for (; j < end; j++) run[j] = line[shift + (ptrdiff_t)(j * g->step[1])];
            }
            for (size_t z = end; z < width; z++) run[z] = 0;
          }
        }
        memset(to + past * width, 0, (lines - past) * width * sizeof *to);
      }
    }
}
/* offsets of the taps (channel, row, column) in the lifting */
AD_LOCAL void AD_SW(_lift_offsets)(const ad__lifting *g, size_t count, size_t rows, size_t *offset) {
  const size_t plane = ad__lift_plane(g, rows);
  for (size_t c = 0; c < count; c++)
    for (size_t r = 0; r < g->taps[0]; r++)
      for (size_t s = 0; s < g->taps[1]; s++) {
        const size_t h = (size_t)(g->row[r] - g->lowest);
        *offset++ = ((c * g->taps[1] + s) * g->phases + h % g->step[0]) * plane + h / g->step[0] * g->out_width;
      }
}

/* out (m, out_height, out_width) = or += A (m, channels taps) times the lifting, + bias of m (NULL: none) */
AD_LOCAL void AD_SW(_correlate)(const ad__lifting *g, const AD_S *source, size_t m, const AD_S *a, size_t lda, AD_S *out, const AD_S *bias, bool accumulate, AD_S *space, size_t *offset) {
#define AD__CONV_TILE(mr, nr) { mr, nr, AD__PASTE(AD_SW(_conv_tile), mr##x##nr) },
  static const struct { size_t mr; int nr; AD_SW(_conv_function) *function; } tiles[] = { AD__CONV_TILES(AD__CONV_TILE) };
#undef AD__CONV_TILE
  const size_t plane = g->out_height * g->out_width, block = ad__lift_channels(g), height = ad__lift_rows(g, g->out_height), taps = g->taps[0] * g->taps[1];
  for (size_t i = 0, rows; i < g->out_height; i += rows) {
    const size_t first = i * g->out_width;
    size_t pixels;
    rows = g->out_height - i < height ? g->out_height - i : height;
    pixels = rows * g->out_width;
    for (size_t c0 = 0, count; c0 < g->channels; c0 += count) {
      count = g->channels - c0 < block ? g->channels - c0 : block;
      AD_SW(_lift)(g, c0, count, source, i, rows, space);
      for (size_t z = 0; z < 2 * AD_LANES; z++) space[count * g->taps[1] * g->phases * ad__lift_plane(g, rows) + z] = 0;
      AD_SW(_lift_offsets)(g, count, rows, offset);
      for (size_t p = 0, v = (pixels + AD_LANES - 1) / AD_LANES; v > 0;) {
        const int nr = v == AD__GEMM_WIDE || v > AD__GEMM_WIDE + 1 ? AD__GEMM_WIDE : v == 1 ? 1 : 2, last = (size_t)nr == v ? (int)(pixels - p) - (nr - 1) * AD_LANES : AD_LANES;
        int t = 0;
        while (tiles[t].nr != nr) t++;
        for (size_t o = 0; o < m;) {
          if (ad__too_tall(m - o, tiles[t].mr, tiles[t].mr > 1 ? tiles[t + 1].mr : 1)) { t++; continue; }
          tiles[t].function(count * taps, a + o * lda + c0 * taps, lda, space + p, offset, out + o * plane + first + p, plane, last, c0 || accumulate ? 1 : 0);
          o += tiles[t].mr;
        }
        p += (size_t)nr * AD_LANES;
        v -= (size_t)nr;
      }
    }
    if (bias) {
      AD_SW(finish) finish;
      finish.row_bias = bias;
      finish.column_bias = NULL;
      finish.relu = false;
      AD_SW(_finish_block)(m, pixels, out + first, plane, &finish, 0, 0);
    }
  }
}

/* the lifting of the input; row and column have space for the taps */
AD_LOCAL void AD_SW(_conv_lifting)(const ad_conv *p, ad__lifting *g, ptrdiff_t *row, ptrdiff_t *column) {
  g->channels = p->channels / p->groups;
  g->height = p->height;
  g->width = p->width;
  for (int d = 0; d < 2; d++) {
    g->taps[d] = p->kernel[d];
    g->step[d] = p->stride[d];
    for (size_t r = 0; r < p->kernel[d]; r++) (d ? column : row)[r] = (ptrdiff_t)(r * p->dilation[d]) - (ptrdiff_t)p->padding[d];
  }
  g->row = row;
  g->column = column;
  ad__lifting_finish(g);
}
/* The lifting of the output for those input positions h with (h + padding) % stride = phase: tap r counts where r dilation has that
   remainder, and sees output row (h + padding - r dilation) / stride. first: the least such h. taps are listed in chosen. */
AD_LOCAL bool AD_SW(_data_lifting)(const ad_conv *p, ad__lifting *g, const size_t *phase, ptrdiff_t *row, ptrdiff_t *column, size_t *first, size_t *const *chosen) {
  g->channels = p->filters / p->groups;
  for (int d = 0; d < 2; d++) {
    const size_t size = d ? p->width : p->height, shift = p->padding[d] % p->stride[d];
    const size_t start = (phase[d] + p->stride[d] - shift) % p->stride[d];   /* the least h of that phase */
    size_t count = 0;
    first[d] = start;
    *(d ? &g->out_width : &g->out_height) = start < size ? (size - start - 1) / p->stride[d] + 1 : 0;
    for (size_t r = 0; r < p->kernel[d]; r++)
      if (r * p->dilation[d] % p->stride[d] == phase[d]) {
        (d ? column : row)[count] = ((ptrdiff_t)(start + p->padding[d]) - (ptrdiff_t)(r * p->dilation[d])) / (ptrdiff_t)p->stride[d];
        chosen[d][count++] = r;
      }
    g->taps[d] = count;
    g->step[d] = 1;
  }
  g->row = row;
  g->column = column;
  if (g->taps[0] && g->taps[1]) ad__lifting_finish(g);
  return g->taps[0] && g->taps[1];
}

/* Pieces of the workspace, in elements of S but for the first: tables of size_t and ptrdiff_t; the lifting; the rest. */
AD_INLINE size_t AD_SW(_conv_tables)(const ad_conv *p) {
  return ad__plus(ad__times(2, ad__plus(p->kernel[0], p->kernel[1])), ad__plus(ad__times(p->kernel[0], p->kernel[1]), AD__CONV_K));
}
/* output rows of a block of the filter gradient: about a thousand pixels, and what the lifting allows */
AD_INLINE size_t AD_SW(_filter_rows)(const ad__lifting *g) {
  const size_t rows = ad__lift_rows(g, g->out_height), few = 1024 / (g->out_width ? g->out_width : 1);
  return few == 0 ? (rows ? 1 : 0) : few < rows ? few : rows;
}

/* Bytes of workspace for the three below: SIZE_MAX where the shape is none or too large. */
AD_LOCAL size_t AD_SW(conv_work)(const ad_conv *p) {
  ad__lifting g;
  size_t height, width, data, filter, per_group, vectors, tables, taps;
  if (!ad_conv_shape(p, &height, &width)) return SIZE_MAX;
  tables = ad__times(AD_SW(_conv_tables)(p), sizeof(size_t));
  g.channels = p->channels / p->groups;
  g.out_height = height;
  g.out_width = width;
  for (int d = 0; d < 2; d++) {
    g.taps[d] = p->kernel[d];
    g.step[d] = p->stride[d];
  }
  taps = p->kernel[0] * p->kernel[1];
  g.reach = (p->kernel[0] - 1) * p->dilation[0] / p->stride[0];
  g.phases = (p->kernel[0] - 1) * p->dilation[0] + 1 < p->stride[0] ? (p->kernel[0] - 1) * p->dilation[0] + 1 : p->stride[0];
  per_group = p->filters / p->groups;
  vectors = (per_group + AD_LANES - 1) / AD_LANES;
  /* forward and filter gradient: the lifting; packed output gradient; transposed filters */
  filter = ad__lift_size(&g, ad__lift_rows(&g, height));
  filter = ad__plus(filter, ad__times(vectors * AD_LANES, ad__times(AD_SW(_filter_rows)(&g), width)));
  filter = ad__plus(filter, ad__times(vectors * AD_LANES, ad__times(g.channels, taps)));
  /* data gradient: no phase is wider or has more taps than this; filters of a group; the image of one phase */
  g.channels = per_group;
  g.phases = 1;
  g.reach = (p->kernel[0] - 1) * p->dilation[0];
  g.out_height = p->height;
  g.out_width = p->width;
  /* a phase with fewer taps takes more channels at once: the bound is the budget, or one row of all channels of a block */
  data = ad__plus(AD__LIFT, ad__times(ad__times(per_group < AD__CONV_K ? per_group : AD__CONV_K, p->kernel[1]), ad__plus(ad__times(p->width, ad__plus(g.reach, 1)), 15)));
  data = ad__plus(data, ad__times(per_group, ad__times(p->channels / p->groups, taps)));
  if (p->stride[0] > 1 || p->stride[1] > 1) data = ad__plus(data, ad__times(p->channels / p->groups, ad__times(p->height, p->width)));
  return ad__plus(ad__plus(tables, 256), ad__times(ad__plus(data > filter ? data : filter, 8 * AD_LANES), sizeof(AD_S)));
}

/* splits the workspace: the tables of two kernel sides (positions and taps), the offsets, then 64-byte aligned numbers */
AD_LOCAL AD_S *AD_SW(_conv_split)(const ad_conv *p, void *work, ptrdiff_t **row, ptrdiff_t **column, size_t **chosen, size_t **offset) {
  char *at = (char *)work + (64 - (uintptr_t)work % 64) % 64;
  *row = (ptrdiff_t *)(void *)at;
  *column = *row + p->kernel[0];
  chosen[0] = (size_t *)(*column + p->kernel[1]);
  chosen[1] = chosen[0] + p->kernel[0];
  *offset = chosen[1] + p->kernel[1];
  at += AD_SW(_conv_tables)(p) * sizeof(size_t);
  return (AD_S *)(void *)(at + (64 - (uintptr_t)at % 64) % 64);
}

/* y = convolution of x with w, + bias (filters) if not NULL. p: ad_conv_shape must hold; work: conv_work bytes. */
AD_LOCAL void AD_SW(conv)(const ad_conv *p, const AD_S *x, const AD_S *w, const AD_S *bias, AD_S *y, void *work) {
  ad__lifting g;
  ptrdiff_t *row, *column;
  size_t *chosen[2], *offset, height, width;
  AD_S *space = AD_SW(_conv_split)(p, work, &row, &column, chosen, &offset);
  const size_t cs = p->channels / p->groups, fs = p->filters / p->groups, lda = cs * p->kernel[0] * p->kernel[1];
  if (!ad_conv_shape(p, &height, &width)) return;
  AD_SW(_conv_lifting)(p, &g, row, column);
  g.out_height = height;
  g.out_width = width;
  for (size_t n = 0; n < p->batch * p->groups; n++) {
    const size_t q = n % p->groups;
    if (cs == 0) {
      for (size_t i = 0; i < fs * height * width; i++) y[n * fs * height * width + i] = bias ? bias[q * fs + i / (height * width)] : 0;
      continue;
    }
    AD_SW(_correlate)(&g, x + n * cs * p->height * p->width, fs, w + q * fs * lda, lda, y + n * fs * height * width, bias ? bias + q * fs : NULL, false, space, offset);
  }
}

/* gx = (accumulate: +=) the gradient of the input from that of the output, gy */
AD_LOCAL void AD_SW(conv_data)(const ad_conv *p, const AD_S *gy, const AD_S *w, AD_S *gx, bool accumulate, void *work) {
  ad__lifting g;
  ptrdiff_t *row, *column;
  size_t *chosen[2], *offset, height, width, phase[2], first[2];
  AD_S *space = AD_SW(_conv_split)(p, work, &row, &column, chosen, &offset);
  const size_t cs = p->channels / p->groups, fs = p->filters / p->groups, taps = p->kernel[0] * p->kernel[1], plane = p->height * p->width;
  const bool dense = p->stride[0] == 1 && p->stride[1] == 1;
  AD_S *turned = space, *image = turned + fs * cs * taps;
  if (!ad_conv_shape(p, &height, &width)) return;
  space = dense ? image : image + cs * plane;
  g.height = height;
  g.width = width;
  for (size_t q = 0; q < p->groups; q++)
    for (phase[0] = 0; phase[0] < p->stride[0]; phase[0]++)
      for (phase[1] = 0; phase[1] < p->stride[1]; phase[1]++) {
        const bool any = AD_SW(_data_lifting)(p, &g, phase, row, column, first, chosen) && fs > 0;
        const size_t k = g.channels * g.taps[0] * g.taps[1], size = g.out_height * g.out_width;
        if (size == 0) continue;
        /* the filters as (channel, filter, row, column) of the taps that count */
        for (size_t c = 0, i = 0; any && c < cs; c++)
          for (size_t o = 0; o < fs; o++)
            for (size_t r = 0; r < g.taps[0]; r++)
              for (size_t s = 0; s < g.taps[1]; s++) turned[i++] = w[((q * fs + o) * cs + c) * taps + chosen[0][r] * p->kernel[1] + chosen[1][s]];
        for (size_t n = 0; n < p->batch; n++) {
          const AD_S *from = gy + (n * p->groups + q) * fs * height * width;
          AD_S *to = gx + (n * p->groups + q) * cs * plane;
          if (dense && any) AD_SW(_correlate)(&g, from, cs, turned, k, to, NULL, accumulate, space, offset);
          else {
            if (any) AD_SW(_correlate)(&g, from, cs, turned, k, image, NULL, false, space, offset);
            for (size_t c = 0; c < cs; c++)
              for (size_t i = 0; i < g.out_height; i++)
                for (size_t j = 0; j < g.out_width; j++) {
                  AD_S *e = to + c * plane + (first[0] + i * p->stride[0]) * p->width + first[1] + j * p->stride[1];
                  const AD_S v = any ? image[c * size + i * g.out_width + j] : 0;
                  *e = accumulate ? *e + v : v;
                }
          }
        }
      }
}

/* gw = (accumulate: +=) the gradient of the filters from the input and the gradient of the output */
AD_LOCAL void AD_SW(conv_filter)(const ad_conv *p, const AD_S *x, const AD_S *gy, AD_S *gw, bool accumulate, void *work) {
#define AD__CONV_TILE(mr, nr) { mr, nr, AD__PASTE(AD_SW(_filter_tile), mr##x##nr) },
  static const struct { size_t mr; int nr; AD_SW(_filter_function) *function; } tiles[] = { AD__FILTER_TILES(AD__CONV_TILE) };
#undef AD__CONV_TILE
  ad__lifting g;
  ptrdiff_t *row, *column;
  size_t *chosen[2], *offset, height, width, block, rows;
  const size_t cs = p->channels / p->groups, fs = p->filters / p->groups, taps = p->kernel[0] * p->kernel[1], vectors = (fs + AD_LANES - 1) / AD_LANES, wide = vectors * AD_LANES;
  AD_S *turned = AD_SW(_conv_split)(p, work, &row, &column, chosen, &offset), *packed = turned + cs * taps * wide, *space;
  if (!ad_conv_shape(p, &height, &width) || fs == 0 || cs == 0) return;
  AD_SW(_conv_lifting)(p, &g, row, column);
  g.out_height = height;
  g.out_width = width;
  block = ad__lift_channels(&g);
  rows = AD_SW(_filter_rows)(&g);
  space = packed + wide * rows * width;
  for (size_t q = 0; q < p->groups; q++) {
    for (size_t i = 0; i < cs * taps * wide; i++) turned[i] = 0;
    for (size_t n = 0; n < p->batch; n++) {
      const AD_S *xs = x + (n * p->groups + q) * cs * p->height * p->width, *gs = gy + (n * p->groups + q) * fs * height * width;
      for (size_t i = 0, part; i < height; i += part) {
        size_t pixels;
        part = height - i < rows ? height - i : rows;
        pixels = part * width;
        AD_SW(_pack_columns)(2, pixels, vectors, (int)(fs - (vectors - 1) * AD_LANES), gs + i * width, height * width, packed);
        for (size_t c0 = 0, count; c0 < cs; c0 += count) {
          count = cs - c0 < block ? cs - c0 : block;
          AD_SW(_lift)(&g, c0, count, xs, i, part, space);
          AD_SW(_lift_offsets)(&g, count, part, offset);
          for (size_t v = 0; v < vectors; v += 2) {
            const int nr = vectors - v > 1 ? 2 : 1;
            int t = 0;
            while (tiles[t].nr != nr) t++;
            for (size_t o = 0; o < count * taps;) {
              if (tiles[t].mr > count * taps - o) { t++; continue; }
              tiles[t].function(pixels, space, offset + o, packed + v * pixels * AD_LANES, turned + (c0 * taps + o) * wide + v * AD_LANES, wide, 1);
              o += tiles[t].mr;
            }
          }
        }
      }
    }
    for (size_t o = 0; o < fs; o++)
      for (size_t i = 0; i < cs * taps; i++) {
        AD_S *e = gw + (q * fs + o) * cs * taps + i;
        *e = accumulate ? *e + turned[i * wide + o] : turned[i * wide + o];
      }
  }
}

/* y[i, j] for the taps that are inside: r, s in order. op of y and x for one tap on a run of n elements, x steps apart. */
AD_INLINE void AD_SW(_pool_run)(bool max, size_t n, const AD_S *x, size_t step, AD_S *y) {
  const AD_S *const end = y + n;
  if (step == 1) {
    for (; end - y >= AD_LANES; x += AD_LANES, y += AD_LANES) {
      const AD_N a = AD_W(load)(y), b = AD_W(load)(x);
      AD_W(store)(y, max ? AD_W(max)(a, b) : AD_W(add)(a, b));
    }
  }
  for (; y < end; x += step, y++) *y = max ? AD_SW(max)(*y, *x) : *y + *x;
}
/* taps of a window that are inside in one direction */
AD_INLINE size_t AD_SW(_pool_count)(const ad_pool *p, int d, size_t i) {
  const size_t size = d ? p->width : p->height;
  size_t count = 0;
  for (size_t r = 0; r < p->kernel[d]; r++) {
    const size_t h = i * p->stride[d] + r * p->dilation[d];
    count += h >= p->padding[d] && h - p->padding[d] < size;
  }
  return count;
}
/* The maximum over the rows of a window first, over whole rows in registers, then over its columns. */
AD_INLINE void AD_SW(_max_pool_row)(const ad_pool *p, size_t i, size_t width, const AD_S *x, AD_S *row, AD_S *y) {
  size_t rows = 0;
  for (size_t r = 0; r < p->kernel[0]; r++) {
    const size_t h = i * p->stride[0] + r * p->dilation[0];
    if (h < p->padding[0] || h - p->padding[0] >= p->height) continue;
    if (rows++) AD_SW(_pool_run)(true, p->width, x + (h - p->padding[0]) * p->width, 1, row);
    else memcpy(row, x + (h - p->padding[0]) * p->width, p->width * sizeof *x);
  }
  for (size_t j = 0; j < width; j++) y[j] = (AD_S)-INFINITY;
  for (size_t s = 0; s < p->kernel[1] && rows; s++) {
    const ptrdiff_t start = (ptrdiff_t)(s * p->dilation[1]) - (ptrdiff_t)p->padding[1];
    size_t from, end;
    ad__inside(start, p->stride[1], p->width, width, &from, &end);
    if (from < end) AD_SW(_pool_run)(true, end - from, row + (start + (ptrdiff_t)(from * p->stride[1])), p->stride[1], y + from);
  }
}
AD_INLINE void AD_SW(_pool)(bool max, const ad_pool *p, const AD_S *x, AD_S *y) {
  enum { ROW = 1024 };
  AD_S row[ROW];
  size_t height, width;
  if (!ad_pool_shape(p, &height, &width)) return;
  if (max && p->width <= ROW) {
    for (size_t n = 0; n < p->planes; n++, x += p->height * p->width)
      for (size_t i = 0; i < height; i++, y += width) AD_SW(_max_pool_row)(p, i, width, x, row, y);
    return;
  }
  for (size_t n = 0; n < p->planes; n++, x += p->height * p->width)
    for (size_t i = 0; i < height; i++, y += width) {
      for (size_t j = 0; j < width; j++) y[j] = max ? (AD_S)-INFINITY : 0;
      for (size_t r = 0; r < p->kernel[0]; r++) {
        const size_t h = i * p->stride[0] + r * p->dilation[0];
        if (h < p->padding[0] || h - p->padding[0] >= p->height) continue;
        for (size_t s = 0; s < p->kernel[1]; s++) {
          const ptrdiff_t start = (ptrdiff_t)(s * p->dilation[1]) - (ptrdiff_t)p->padding[1];
          size_t from, end;
          ad__inside(start, p->stride[1], p->width, width, &from, &end);
          if (from < end) AD_SW(_pool_run)(max, end - from, x + (h - p->padding[0]) * p->width + (size_t)(start + (ptrdiff_t)(from * p->stride[1])), p->stride[1], y + from);
        }
      }
      if (!max) {
        const size_t rows = AD_SW(_pool_count)(p, 0, i);
        for (size_t j = 0; j < width; j++) {
          const size_t count = p->include_padding ? p->kernel[0] * p->kernel[1] : rows * AD_SW(_pool_count)(p, 1, j);
          y[j] = count ? y[j] / (AD_S)count : 0;
        }
      }
    }
}
/* y = the maximum of each window, NaN if one is there; padding never wins (a window of padding alone: -infinity) */
AD_LOCAL void AD_SW(max_pool)(const ad_pool *p, const AD_S *x, AD_S *y) { AD_SW(_pool)(true, p, x, y); }
/* y = the mean of each window (0 where a window is padding alone and that does not count) */
AD_LOCAL void AD_SW(mean_pool)(const ad_pool *p, const AD_S *x, AD_S *y) { AD_SW(_pool)(false, p, x, y); }

/* a window that lies inside and has no NaN, without branches: who wins cannot be predicted */
AD_INLINE void AD_SW(_share_window)(size_t rows, size_t columns, size_t width, const AD_S *x, AD_S y, AD_S gy, AD_S *gx) {
  AD_S winners = 0, share;
  for (size_t r = 0; r < rows; r++)
    for (size_t s = 0; s < columns; s++) winners += x[r * width + s] == y ? (AD_S)1 : (AD_S)0;
  share = gy / winners;
  for (size_t r = 0; r < rows; r++)
    for (size_t s = 0; s < columns; s++) gx[r * width + s] += x[r * width + s] == y ? share : 0;
}
/* gx += the gradient of the input from that of the output; y is what max_pool gave. k equal winners get 1/k each; of a window with
   a NaN the first NaN gets all. Windows in order. */
AD_LOCAL void AD_SW(max_pool_back)(const ad_pool *p, const AD_S *x, const AD_S *y, const AD_S *gy, AD_S *gx) {
  size_t height, width;
  if (!ad_pool_shape(p, &height, &width)) return;
  for (size_t n = 0; n < p->planes; n++, x += p->height * p->width, gx += p->height * p->width)
    for (size_t i = 0; i < height; i++)
      for (size_t j = 0; j < width; j++, y++, gy++) {
        const bool nan = isnan(*y);
        const size_t h0 = i * p->stride[0] - p->padding[0], v0 = j * p->stride[1] - p->padding[1];    /* padding wraps to large numbers */
        size_t winners = 0;
        if (!nan && p->dilation[0] == 1 && p->dilation[1] == 1 && h0 < p->height && v0 < p->width && p->kernel[0] <= p->height - h0 &&
            p->kernel[1] <= p->width - v0) {
          const size_t at = h0 * p->width + v0;
          if (p->kernel[0] == 2 && p->kernel[1] == 2) AD_SW(_share_window)(2, 2, p->width, x + at, *y, *gy, gx + at);
          else AD_SW(_share_window)(p->kernel[0], p->kernel[1], p->width, x + at, *y, *gy, gx + at);
          continue;
        }
        for (int pass = 0; pass < 2; pass++) {
          const AD_S share = pass ? *gy / (AD_S)winners : 0;
          bool found = false;
          for (size_t r = 0; r < p->kernel[0]; r++) {
            const size_t h = i * p->stride[0] + r * p->dilation[0];
            if (h < p->padding[0] || h - p->padding[0] >= p->height) continue;
            for (size_t s = 0; s < p->kernel[1]; s++) {
              const size_t v = j * p->stride[1] + s * p->dilation[1], e = (h - p->padding[0]) * p->width + v - p->padding[1];
              if (v < p->padding[1] || v - p->padding[1] >= p->width) continue;
              if (!(nan ? isnan(x[e]) && !found : x[e] == *y)) continue;
              found = true;
              if (pass) gx[e] += share;
              else winners++;
            }
          }
          if (winners == 0) break;
        }
      }
}
/* gx += the gradient of the input from that of the output. Windows in order. */
AD_LOCAL void AD_SW(mean_pool_back)(const ad_pool *p, const AD_S *gy, AD_S *gx) {
  size_t height, width;
  if (!ad_pool_shape(p, &height, &width)) return;
  for (size_t n = 0; n < p->planes; n++, gx += p->height * p->width)
    for (size_t i = 0; i < height; i++) {
      const size_t rows = AD_SW(_pool_count)(p, 0, i);
      for (size_t j = 0; j < width; j++, gy++) {
        const size_t count = p->include_padding ? p->kernel[0] * p->kernel[1] : rows * AD_SW(_pool_count)(p, 1, j);
        const AD_S share = count ? *gy / (AD_S)count : 0;
        for (size_t r = 0; r < p->kernel[0]; r++) {
          const size_t h = i * p->stride[0] + r * p->dilation[0];
          if (h < p->padding[0] || h - p->padding[0] >= p->height) continue;
          for (size_t s = 0; s < p->kernel[1]; s++) {
            const size_t v = j * p->stride[1] + s * p->dilation[1];
            if (v >= p->padding[1] && v - p->padding[1] < p->width) gx[(h - p->padding[0]) * p->width + v - p->padding[1]] += share;
          }
        }
      }
    }
}

#undef AD_N
#undef AD_S
#undef AD_LANES
#undef AD__CONV_ARGS
#undef AD__FILTER_ARGS
#endif

/* Licence: MIT. See the file LICENSE of the project. */
