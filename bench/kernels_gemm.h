/* Matrix products C (m, n) = op(A) op(B), dense, of elements of 4 or 8 bytes. */
#ifndef KERNELS_GEMM_H
#define KERNELS_GEMM_H
#include <stddef.h>
#include "bench.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct gemm_shape {
  int ta, tb;
  size_t m, n, k;
} gemm_shape;
typedef struct gemm_kernels {
  int lanes[2];                                                                              /* of f32 and f64 */
  size_t (*work)(int size, const gemm_shape *);                                             /* bytes */
  void (*run)(int size, const gemm_shape *, const void *a, const void *b, void *c, void *work);
  double (*peak)(size_t size, size_t steps);                                                 /* 24 operations a lane and step */
} gemm_kernels;
#ifdef __cplusplus
}
#endif

/* the shapes of a small network beside the squares */
#define GEMM_SHAPES {0, 0, 32, 32, 32}, {0, 0, 64, 64, 64}, {0, 0, 128, 128, 128}, {0, 0, 256, 256, 256}, {0, 0, 512, 512, 512}, \
  {0, 0, 1024, 1024, 1024}, {0, 0, 100, 50, 784}, {1, 0, 784, 50, 100}, {0, 1, 100, 784, 50}, {0, 0, 100, 10, 50}, {0, 0, 128, 512, 784}, \
  {1, 0, 512, 512, 128}, {0, 1, 128, 512, 512}
#endif
