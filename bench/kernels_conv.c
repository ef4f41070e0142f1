/* Convolution forward and its two gradients, of f32. */
#include "ad_simd.h"
#include "kernels_conv.h"

static size_t work(const ad_conv *p) { return ad_f32_conv_work(p); }
static void run(int which, const ad_conv *p, const float *x, const float *w, float *y, float *gx, float *gw, void *space) {
  if (which != CONV_BACKWARD) ad_f32_conv(p, x, w, NULL, y, space);
  if (which != CONV_FORWARD) {
    ad_f32_conv_data(p, y, w, gx, false, space);
    ad_f32_conv_filter(p, x, y, gw, false, space);
  }
}

extern const conv_kernels BENCH(conv);
const conv_kernels BENCH(conv) = {work, run};
