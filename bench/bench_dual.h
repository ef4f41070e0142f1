/* what kernels_dual.c offers to bench_dual.cc: run(i) does the work at point i */
#ifndef AD_BENCH_DUAL_H
#define AD_BENCH_DUAL_H
#include "bench.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct bench_dual {
  const char *name;
  void (*fill)(void);
  void (*run)(size_t i);
} bench_dual;
#ifdef __cplusplus
}
#endif
#endif
