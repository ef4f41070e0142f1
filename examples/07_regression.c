/* 07_regression: linear regression by gradient descent, the weights kept in a C array, a fresh recording a step. One sample,
   input (1, 2, 3), target 1, rate 0.001: the error shrinks by 1 - 2 rate (1 + 4 + 9 + 1) = 0.97 a step, the loss by its square.
   Teaches ad_tape_reset (no allocation after the first step), ad_backward and ad_grad in a loop. */
#define AD_IMPLEMENTATION
#include "ad.h"
#include "example.h"

enum { N = 3, STEPS = 200 };

int main(void) {
  const double input[N] = { 1, 2, 3 }, target = 1, rate = 0.001;
  double weight[N + 1] = { 0.5, 0.4, 0.6, 0.25507743 };       /* the last is the bias: the first prediction is 3.35507743 */
  ad_tape *tape = ad_tape_create(NULL);
  size_t bytes = 0;

  printf("steps  loss            prediction after\n");
  for (int step = 1; step <= STEPS; step++) {
    ad_var w[N + 1], prediction, loss;
    double after;
    ad_tape_reset(tape);
    for (int i = 0; i <= N; i++) w[i] = ad_variable(tape, weight[i]);
    prediction = w[N];
    for (int i = 0; i < N; i++) prediction = ad_fma(w[i], input[i], prediction);
    loss = ad_square(ad_sub(prediction, target));
    if (ad_backward(loss) != AD_OK) example_fail("%s", ad_tape_message(tape));
    if (step == 1) printf("%5d  %-14s  %.8f\n", 0, "", ad_value(prediction));
    for (int i = 0; i <= N; i++) weight[i] -= rate * ad_grad(w[i]);
    after = weight[N];
    for (int i = 0; i < N; i++) after += weight[i] * input[i];
    if (step <= 4 || step % 50 == 0) printf("%5d  %-14.8g  %.8f\n", step, ad_value(loss), after);
    if (step == 1) bytes = ad_tape_bytes(tape);
  }
  printf("weights %.6f %.6f %.6f, bias %.6f\n", weight[0], weight[1], weight[2], weight[N]);
  printf("memory of the tape grew by %d bytes after the first step\n", (int)(ad_tape_bytes(tape) - bytes));
  ad_tape_destroy(tape);
  return 0;
}
