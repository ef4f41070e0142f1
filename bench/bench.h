/* Benchmarks, and how to add one.

   bench_X.cc     a Google Benchmark program; make bench runs it and makes a table and a picture. A file that needs more than
                  libbenchmark says so in a line  LIBS: -lz
   kernels_X.c    the kernels that bench_X.cc measures, where a comparison of instruction sets is wanted. The file is compiled once
                  per variant, all variants are linked into the one program, and the names in it pass BENCH(name), so that
                  BENCH(axpy) becomes axpy_novec, axpy_scalar, axpy_avx2, axpy_avx512 (axpy_neon). In the program
                  BENCH_VARIANTS(M) is M(novec) M(scalar) ... of what this machine has:
                    novec    the scalar backend, auto-vectorisation off      scalar    the scalar backend as it is
   peers_X.cc     the same for make bench-peers, against other libraries. A line  NEEDS: cblas.h libopenblas-dev  names a header
                  and the Debian package that has it; without it the program is left out, and that is said; so is
                  what lines  WITH: HEADER PACKAGE...  name and the program goes without

   Name a benchmark WORK/VARIANT, WORK may contain further slashes: the table has a row per WORK, a column per VARIANT, and
   ratios to the variant that comes first. Counters named flops and bytes (of kIsRate) are shown as GFLOP/s and GB/s, one named
   limit_percent beside each variant: what part of the machine's limit it reaches. */
#ifndef AD_BENCH_H
#define AD_BENCH_H

#include <stddef.h>

#define BENCH_PASTE_(a, b) a##_##b
#define BENCH_PASTE(a, b) BENCH_PASTE_(a, b)
#define BENCH(name) BENCH_PASTE(name, BENCH_VARIANT)

#ifdef __cplusplus
extern "C" {
#endif

/* a kernel r = op(x, y, z) over n elements of size bytes; arity operands are read; lo and hi are the domains of the operands */
typedef struct bench_kernel {
  const char *name;
  int arity, size;
  const double *lo, *hi;
  void (*run)(size_t n, const void *x, const void *y, const void *z, void *r);
} bench_kernel;

#ifdef __cplusplus
}
#endif
#endif
