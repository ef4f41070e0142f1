/* Matrix products of both types and the limit they run against. */
#include "kernels_gemm.h"
#include "peak.h"

static size_t work(int size, const gemm_shape *p) {
  return size == 4 ? ad_f32_gemm_work(p->ta, p->tb, p->m, p->n, p->k) : ad_f64_gemm_work(p->ta, p->tb, p->m, p->n, p->k);
}
static void run(int size, const gemm_shape *p, const void *a, const void *b, void *c, void *space) {
  const size_t lda = p->ta ? p->m : p->k, ldb = p->tb ? p->k : p->n;
  if (size == 4) ad_f32_gemm(p->ta, p->tb, p->m, p->n, p->k, 1, (const float *)a, lda, (const float *)b, ldb, 0, (float *)c, p->n, space);
  else ad_f64_gemm(p->ta, p->tb, p->m, p->n, p->k, 1, (const double *)a, lda, (const double *)b, ldb, 0, (double *)c, p->n, space);
}

extern const gemm_kernels BENCH(gemm);
const gemm_kernels BENCH(gemm) = {{AD_V32_LANES, AD_V64_LANES}, work, run, bench_peak};
