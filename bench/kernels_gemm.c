/* Matrix products of both types and the limit they run against: multiply-adds on registers alone. */
#include "ad_simd.h"
#include "kernels_gemm.h"

static float peak_f32(size_t steps) {
  ad_v32 s[12], x = ad_v32_k(0.5), y = ad_v32_k(0.25);
  float sum = 0;
  AD__UNROLL
  for (int i = 0; i < 12; i++) s[i] = ad_v32_k(i);
  AD__ROLLED
  for (; steps > 0; steps--) {
    AD__UNROLL
    for (int i = 0; i < 12; i++) s[i] = ad_v32_fma(s[i], x, y);
    __asm__ volatile(""); /* not a loop that is to be transformed */
  }
  AD__UNROLL
  for (int i = 0; i < 12; i++) sum += ad_v32_sum(s[i]);
  return sum;
}
static double peak_f64(size_t steps) {
  ad_v64 s[12], x = ad_v64_k(0.5), y = ad_v64_k(0.25);
  double sum = 0;
  AD__UNROLL
  for (int i = 0; i < 12; i++) s[i] = ad_v64_k(i);
  AD__ROLLED
  for (; steps > 0; steps--) {
    AD__UNROLL
    for (int i = 0; i < 12; i++) s[i] = ad_v64_fma(s[i], x, y);
    __asm__ volatile("");
  }
  AD__UNROLL
  for (int i = 0; i < 12; i++) sum += ad_v64_sum(s[i]);
  return sum;
}

static size_t work(int size, const gemm_shape *p) {
  return size == 4 ? ad_f32_gemm_work(p->ta, p->tb, p->m, p->n, p->k) : ad_f64_gemm_work(p->ta, p->tb, p->m, p->n, p->k);
}
static void run(int size, const gemm_shape *p, const void *a, const void *b, void *c, void *space) {
  const size_t lda = p->ta ? p->m : p->k, ldb = p->tb ? p->k : p->n;
  if (size == 4) ad_f32_gemm(p->ta, p->tb, p->m, p->n, p->k, 1, (const float *)a, lda, (const float *)b, ldb, 0, (float *)c, p->n, space);
  else ad_f64_gemm(p->ta, p->tb, p->m, p->n, p->k, 1, (const double *)a, lda, (const double *)b, ldb, 0, (double *)c, p->n, space);
}
static double peak(int size, size_t steps) { return size == 4 ? (double)peak_f32(steps) : peak_f64(steps); }

extern const gemm_kernels BENCH(gemm);
const gemm_kernels BENCH(gemm) = {AD_V32_LANES, AD_V64_LANES, work, run, peak};
