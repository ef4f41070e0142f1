/* What bench_arrays.cc measures and kernels_arrays.c supplies, once per variant. */
#ifndef AD_BENCH_ARRAYS_H
#define AD_BENCH_ARRAYS_H
#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The size of a problem: bytes of an array (of n elements), the side n of square matrices, n images; matrices that do not grow large. */
enum { OF_ARRAYS, OF_SQUARES, OF_IMAGES, OF_FACTORS };
/* What a kernel cannot be faster than: reading memory; reading and writing it; multiply-adds. */
enum { LIMIT_READ, LIMIT_COPY, LIMIT_FMA };
enum { IMAGE_CHANNELS = 16, IMAGE_FILTERS = 32, IMAGE_SIDE = 28, IMAGE_PLANE = IMAGE_SIDE * IMAGE_SIDE };
/* r has room for three arrays, this many elements apart, for kernels that change more than one */
#define APART(n) ((n) + 272)

/* run works on arrays of n elements (a whole number of rows), on matrices of n x n, on n images; x and y are read, of z numbers of
   int32_t in [0, n / index), r is written. cost: arrays of n elements that cross memory once where that is the limit, else the
   operations for each of n^3 or for each image. */
typedef struct array_kernel {
  const char *name;
  size_t element, row, index;
  int size, limit;
  double cost;
  void (*run)(size_t n, const void *x, const void *y, const void *z, void *r);
} array_kernel;

typedef struct array_variant {
  const array_kernel *kernels;                         /* the first reads, the second copies; ends with a name NULL */
  const bench_kernel *rows;                            /* the value and the first partial of every row of the operator table */
  double (*peak)(size_t element, size_t steps);        /* 24 operations a lane and step */
  int lanes[2];                                        /* of f32 and f64 */
} array_variant;

#ifdef __cplusplus
}
#endif
#endif
