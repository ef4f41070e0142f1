/* 10_layers: a layer as a pair of functions, forward and backward, against the same layer recorded on a tape.
   y = leaky(sigmoid(x W1) W2), loss = sum(y^2); the hand computation goes layer by layer. Teaches tensors, ad_backward, ad_grad_data. */
#define AD_IMPLEMENTATION
#include "ad.h"
#include <stdio.h>

enum { N = 2, IN = 3, MID = 4, OUT = 2 };

/* y (n, m) = x (n, k) w (k, m); backward: gx = gy w', gw = x' gy */
static void product(int n, int k, int m, const double *x, const double *w, double *y) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      y[i * m + j] = 0;
      for (int p = 0; p < k; p++) y[i * m + j] += x[i * k + p] * w[p * m + j];
    }
}
static void product_backward(int n, int k, int m, const double *x, const double *w, const double *gy, double *gx, double *gw) {
  for (int i = 0; i < n * k; i++) gx[i] = 0;
  for (int i = 0; i < k * m; i++) gw[i] = 0;
  for (int i = 0; i < n; i++)
    for (int p = 0; p < k; p++)
      for (int j = 0; j < m; j++) {
        gx[i * k + p] += gy[i * m + j] * w[p * m + j];
        gw[p * m + j] += gy[i * m + j] * x[i * k + p];
      }
}
static void sigmoid(int n, const double *x, double *y) { for (int i = 0; i < n; i++) y[i] = 1 / (1 + exp(-x[i])); }
static void sigmoid_backward(int n, const double *y, const double *gy, double *gx) { for (int i = 0; i < n; i++) gx[i] = gy[i] * y[i] * (1 - y[i]); }
static void leaky(int n, double slope, const double *x, double *y) { for (int i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : slope * x[i]; }
static void leaky_backward(int n, double slope, const double *x, const double *gy, double *gx) {
  for (int i = 0; i < n; i++) gx[i] = x[i] > 0 ? gy[i] : slope * gy[i];
}

static double compare(const char *name, int n, const double *hand, const double *tape) {
  double worst = 0;
  printf("%-8s", name);
  for (int i = 0; i < n; i++) {
    worst = fmax(worst, fabs(hand[i] - tape[i]));
    if (i < 4) printf(" %10.6f", tape[i]);
  }
  printf("   %s\n", worst < 1e-14 ? "equal" : "DIFFERENT");
  return worst;
}

int main(void) {
  const double x[N * IN] = { 0.5, -1, 2, 1, 0.25, -0.5 }, slope = 0.1;
  double w1[IN * MID], w2[MID * OUT];
  for (int i = 0; i < IN * MID; i++) w1[i] = 0.3 * ((i * 5) % 7) - 0.9;
  for (int i = 0; i < MID * OUT; i++) w2[i] = 0.4 * ((i * 3) % 5) - 0.9;

  double a[N * MID], h[N * MID], b[N * OUT], y[N * OUT], gy[N * OUT], gb[N * OUT], gh[N * MID], ga[N * MID], gx[N * IN], gw1[IN * MID], gw2[MID * OUT];
  product(N, IN, MID, x, w1, a);
  sigmoid(N * MID, a, h);
  product(N, MID, OUT, h, w2, b);
  leaky(N * OUT, slope, b, y);
  for (int i = 0; i < N * OUT; i++) gy[i] = 2 * y[i];
  leaky_backward(N * OUT, slope, b, gy, gb);
  product_backward(N, MID, OUT, h, w2, gb, gh, gw2);
  sigmoid_backward(N * MID, h, gh, ga);
  product_backward(N, IN, MID, x, w1, ga, gx, gw1);

  ad_tape *t = ad_tape_create(NULL);
  const size_t sx[] = { N, IN }, s1[] = { IN, MID }, s2[] = { MID, OUT };
  const ad_var tx = ad_tensor_variable(t, AD_F64, 2, sx, x), t1 = ad_tensor_variable(t, AD_F64, 2, s1, w1), t2 = ad_tensor_variable(t, AD_F64, 2, s2, w2);
  const ad_var ty = ad_leaky_relu(ad_matmul(ad_sigmoid(ad_matmul(tx, t1)), t2), slope);
  if (ad_backward(ad_sumsq(ty, AD_ALL, false)) != AD_OK) return fprintf(stderr, "%s\n", ad_tape_message(t)), 1;
  compare("y", N * OUT, y, (const double *)ad_data(ty));
  compare("dx", N * IN, gx, (const double *)ad_grad_data(tx));
  compare("dW1", IN * MID, gw1, (const double *)ad_grad_data(t1));
  compare("dW2", MID * OUT, gw2, (const double *)ad_grad_data(t2));
  ad_tape_destroy(t);
  return 0;
}
