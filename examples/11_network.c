/* 11_network [IMAGES LABELS TEST-IMAGES TEST-LABELS]: a network 784-50-10 learns digits, from IDX files (MNIST) or digits drawn here.
   Teaches parameters that stay on the tape while each step is recorded anew, ad_linear, ad_cross_entropy, ad_sgd; and checks the gradient. LIBS: -lz */
#define AD_IMPLEMENTATION
#include "ad.h"
#include "digits.h"

enum { HIDDEN = 50, BATCH = 100, PARAMETERS = 4 };
static const size_t shape[PARAMETERS][2] = { { PIXELS, HIDDEN }, { HIDDEN }, { HIDDEN, CLASSES }, { CLASSES } };

static ad_var logits(const ad_var *p, ad_var x) { return ad_linear(ad_relu(ad_linear(x, p[0], p[1])), p[2], p[3]); }
static ad_var batch(ad_tape *t, const digits *d, size_t first, size_t n) {
  const size_t size[] = { n, PIXELS };
  return ad_tensor_borrow(t, AD_F64, 2, size, d->pixel + first * PIXELS);
}
static ad_var loss(ad_tape *t, const ad_var *p, const digits *d, size_t first, size_t n) {
  return ad_cross_entropy(logits(p, batch(t, d, first, n)), ad_tensor_borrow(t, AD_I32, 1, &n, d->label + first));
}
/* the share that is classified rightly; found (NULL: not wanted): the classes of the first images */
static double accuracy(ad_tape *t, const ad_var *p, const digits *d, int32_t *found) {
  const ad_mark mark = ad_tape_mark(t);
  size_t right = 0;
  for (size_t i = 0; i < d->n; i += BATCH) {
    const size_t n = d->n - i < BATCH ? d->n - i : BATCH;
    const int32_t *best = (const int32_t *)ad_data(ad_argmax(logits(p, batch(t, d, i, n)), 1));
    for (size_t k = 0; best && k < n; k++) right += best[k] == d->label[i + k];
    if (found && best && i == 0) memcpy(found, best, n * sizeof *best);
    ad_tape_rewind(t, mark);
  }
  return (double)right / (double)d->n;
}
/* the largest difference between backpropagation and central differences, over 40 elements of each array */
static void check(ad_tape *t, const ad_var *p, const digits *d) {
  const ad_mark mark = ad_tape_mark(t);
  ad_backward(loss(t, p, d, 0, 20));
  for (int k = 0; k < PARAMETERS; k++) {
    const size_t n = ad_size(p[k]), step = n / 40 ? n / 40 : 1;
    double *w = (double *)malloc(n * sizeof *w), *g = (double *)malloc(n * sizeof *g), worst = 0;
    memcpy(w, ad_data(p[k]), n * sizeof *w);
    memcpy(g, ad_grad_data(p[k]), n * sizeof *g);
    for (size_t i = 0; i < n; i += step) {
      double side[2];
      for (int s = 0; s < 2; s++) {
        w[i] += s ? 2e-5 : -1e-5;
        ad_tensor_set(p[k], w);
        side[s] = ad_value(loss(t, p, d, 0, 20));
        ad_tape_rewind(t, mark);
      }
      w[i] -= 1e-5;
      worst = fmax(worst, fabs(g[i] - (side[1] - side[0]) / 2e-5));
    }
    ad_tensor_set(p[k], w);
    printf("array %d: backpropagation %s the numerical gradient\n", k, worst < 1e-9 ? "equals" : "DIFFERS from");
    free(w), free(g);
  }
}
int main(int argc, char **argv) {
  digits train, test;
  const int epochs = argc > 4 ? 70 : 12;
  double curve[70]; int32_t found[BATCH];
  if (!digits_of(&train, 2000, argc > 4 ? argv + 1 : NULL) || !digits_of(&test, 500, argc > 4 ? argv + 3 : NULL)) return 1;
  ad_tape *t = ad_tape_create(NULL);
  ad_var p[PARAMETERS];
  for (int k = 0; k < PARAMETERS; k++) p[k] = ad_tensor_normal(t, AD_F64, 2 - k % 2, shape[k], k % 2 ? 0 : 0.01, (uint64_t)k);
  check(t, p, &train);
  const ad_mark mark = ad_tape_mark(t);
  for (int e = 0; e < epochs; e++) {
    printf("epoch %2d [", e + 1), curve[e] = 0;
    for (size_t i = 0; i + BATCH <= train.n; i += BATCH) {
      const ad_var y = loss(t, p, &train, i, BATCH);
      if (ad_backward(y) || ad_sgd(p, PARAMETERS, NULL, 0.1, 0, 0)) return fprintf(stderr, "%s\n", ad_tape_message(t)), 1;
      curve[e] += ad_value(y) * BATCH / (double)train.n;
      ad_tape_rewind(t, mark);                               /* forgets the step, keeps the parameters and the memory */
      if (i % (train.n / 20) < BATCH) printf("#"), fflush(stdout);
    }
    printf("] loss %.4f  accuracy %.4f\n", curve[e], accuracy(t, p, &test, found));
  }
  printf("%s\n", digits_picture(argv[0], (size_t)epochs, curve, &test, found) ? "picture written" : "no picture could be written");
  digits_free(&train), digits_free(&test), ad_tape_destroy(t);
  return 0;
}
