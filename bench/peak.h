/* The limit of a processor: multiply-adds of registers alone, 12 a step. For kernels_*.c. */
#ifndef AD_BENCH_PEAK_H
#define AD_BENCH_PEAK_H
#include "ad_simd.h"

#define PEAK(N, S)                                                                                                                         \
  static S N##_peak(size_t steps) {                                                                                                        \
    N s[12], x = N##_k(0.5), y = N##_k(0.25);                                                                                              \
    PEAK_EACH s[i] = N##_k(i);                                                                                                             \
    AD__ROLLED for (; steps > 0; steps--) { PEAK_EACH s[i] = N##_fma(s[i], x, y); __asm__ volatile(""); /* is not to be transformed */ }   \
    PEAK_EACH if (i) s[0] = N##_add(s[0], s[i]);                                                                                           \
    return N##_sum(s[0]); }
#define PEAK_EACH AD__UNROLL for (int i = 0; i < 12; i++)
PEAK(ad_v32, ad_f32)
PEAK(ad_v64, ad_f64)
static double bench_peak(size_t element, size_t steps) { return element == 4 ? (double)ad_v32_peak(steps) : ad_v64_peak(steps); }
#endif
