/* What bench_function.cc calls in each variant of kernels_function.c. */
#ifndef AD_FUNCTION_BENCH_H
#define AD_FUNCTION_BENCH_H
typedef struct function_bench {
  void *(*create_residual)(const double *x);
  void *(*create_rosenbrock)(int n, const double *x);
  void *(*create_mixture)(const double *x);
  void *(*create_chain)(size_t n, const float *x);
  void (*many)(void *f, size_t count, const double *x, double *y, double *j);
  void (*written)(size_t count, const double *x, double *y, double *j);
  void (*gradient)(void *f, const double *x, double *y, double *g);
  void (*hessian)(void *f, const double *x, double *h);
  void (*chain)(void *f, const float *x, const float *w, float *y, float *gx);
  void (*chain_by_hand)(size_t n, const float *x, const float *w, float *y, float *gx);
  void (*destroy)(void *f);
} function_bench;
#endif
