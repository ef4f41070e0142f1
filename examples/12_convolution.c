/* 12_convolution [IMAGES LABELS TEST-IMAGES TEST-LABELS]: a small convolutional network on the digits of 11_network.
   Teaches ad_conv2d, ad_max_pool2d, ad_dropout, ad_tensor_he and ad_adam, whose moments are tensors on the tape like the parameters. LIBS: -lz */
#define AD_IMPLEMENTATION
#include "ad.h"
#include "digits.h"

enum { BATCH = 100, PARAMETERS = 6 };
static const struct { int rank; size_t shape[4]; } parameter[PARAMETERS] = {
  { 4, { 8, 1, 5, 5 } }, { 3, { 8, 1, 1 } }, { 4, { 16, 8, 3, 3 } }, { 3, { 16, 1, 1 } }, { 2, { 784, CLASSES } }, { 1, { CLASSES } }
};

/* (n, 1, 28, 28): 8 maps of 14 x 14, then 16 of 7 x 7, then the classes */
static ad_var logits(const ad_var *p, ad_var x, double drop, uint64_t seed) {
  const size_t flat[] = { ad_shape(x)[0], 784 };
  x = ad_max_pool2d(ad_relu(ad_add(ad_conv2d(x, p[0], 1, 2, 1, 1), p[1])), 2, 2, 0);
  x = ad_max_pool2d(ad_relu(ad_add(ad_conv2d(x, p[2], 1, 1, 1, 1), p[3])), 2, 2, 0);
  return ad_linear(ad_dropout(ad_reshape(x, 2, flat), drop, seed), p[4], p[5]);
}
static ad_var batch(ad_tape *t, const digits *d, size_t first, size_t n) {
  const size_t size[] = { n, 1, SIDE, SIDE };
  return ad_tensor_borrow(t, AD_F64, 4, size, d->pixel + first * PIXELS);
}
static double accuracy(ad_tape *t, const ad_var *p, const digits *d, int32_t *found) {
  const ad_mark mark = ad_tape_mark(t);
  size_t right = 0;
  for (size_t i = 0; i < d->n; i += BATCH) {
    const size_t n = d->n - i < BATCH ? d->n - i : BATCH;
    const int32_t *best = (const int32_t *)ad_data(ad_argmax(logits(p, batch(t, d, i, n), 0, 0), 1));
    for (size_t k = 0; best && k < n; k++) right += best[k] == d->label[i + k];
    if (best && i == 0) memcpy(found, best, n * sizeof *best);
    ad_tape_rewind(t, mark);
  }
  return (double)right / (double)d->n;
}
int main(int argc, char **argv) {
  digits train, test;
  enum { EPOCHS = 5 };
  double curve[EPOCHS];
  int32_t found[BATCH];
  uint64_t step = 0;
  if (!digits_of(&train, 600, argc > 4 ? argv + 1 : NULL) || !digits_of(&test, 300, argc > 4 ? argv + 3 : NULL)) return 1;
  ad_tape *t = ad_tape_create(NULL);
  ad_var p[PARAMETERS], moment[PARAMETERS], square[PARAMETERS];
  for (int k = 0; k < PARAMETERS; k++) {
    const int rank = parameter[k].rank;
    p[k] = k % 2 ? ad_tensor_variable(t, AD_F64, rank, parameter[k].shape, NULL) : ad_tensor_he(t, AD_F64, rank, parameter[k].shape, 10);
    moment[k] = ad_tensor_constant(t, AD_F64, rank, parameter[k].shape, NULL);   /* no data: zeros */
    square[k] = ad_tensor_constant(t, AD_F64, rank, parameter[k].shape, NULL);
  }
  const ad_mark mark = ad_tape_mark(t);
  for (int e = 0; e < EPOCHS; e++) {
    printf("epoch %d [", e + 1);
    curve[e] = 0;
    for (size_t i = 0, n = BATCH; i + BATCH <= train.n; i += BATCH) {
      const ad_var x = batch(t, &train, i, n), target = ad_tensor_borrow(t, AD_I32, 1, &n, train.label + i);
      const ad_var y = ad_cross_entropy(logits(p, x, 0.2, ++step), target);
      if (ad_backward(y) || ad_adam(p, PARAMETERS, moment, square, step, 0.003, 0.9, 0.999, 1e-8, 0)) return fprintf(stderr, "%s\n", ad_tape_message(t)), 1;
      curve[e] += ad_value(y) * BATCH / (double)train.n;
      ad_tape_rewind(t, mark);
      printf(i % (train.n / 10) < BATCH ? "#" : ""), fflush(stdout);
    }
    printf("] loss %.4f  accuracy %.4f\n", curve[e], accuracy(t, p, &test, found));
  }
  printf("%s\n", digits_picture(argv[0], EPOCHS, curve, &test, found) ? "picture written" : "no picture could be written");
  digits_free(&train), digits_free(&test), ad_tape_destroy(t);
  return 0;
}
