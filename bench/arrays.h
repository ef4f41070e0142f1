/* What bench_arrays.cc measures and kernels_arrays.c supplies, once per variant. */
#ifndef AD_BENCH_ARRAYS_H
#define AD_BENCH_ARRAYS_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* run works on n elements (a whole number of rows) of x, y, z into r; traffic: arrays of n elements that cross memory once.
   limit: the kernel under whose speed this one cannot fall, 0 reading alone, 1 reading and writing, -1 none of the two */
typedef struct array_kernel {
  const char *name;
  size_t element, row, traffic;
  int limit;
  void (*run)(size_t n, const void *x, const void *y, const void *z, void *r);
} array_kernel;

#ifdef __cplusplus
}
#endif
#endif
