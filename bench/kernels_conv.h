/* What a variant of the convolutions offers to peers_conv.cc. */
#ifndef KERNELS_CONV_H
#define KERNELS_CONV_H
#include "ad_simd.h"
#include "bench.h"
enum { CONV_FORWARD, CONV_BACKWARD, CONV_BOTH };
#ifdef __cplusplus
extern "C" {
#endif
/* y = x * w and then gx, gw from y as if it were the gradient of the output, as which says */
typedef struct conv_kernels {
  size_t (*work)(const ad_conv *);
  void (*run)(int which, const ad_conv *, const float *x, const float *w, float *y, float *gx, float *gw, void *work);
} conv_kernels;
#ifdef __cplusplus
}
#endif
#endif
