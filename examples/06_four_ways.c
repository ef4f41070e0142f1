/* 06_four_ways: one derivative four ways: by hand, by finite differences (forward and central), by dual numbers, and by the tape.
   Differences lose digits whatever the step: too long is inexact, too short cancels. The other three agree to the last digits. */
#define AD_IMPLEMENTATION
#include "ad.h"
#include "example.h"

/* f(x) = x sin(x^2) / (1 + exp(-x)), written once: the generic names take numbers, duals and variables of a tape */
#define F(x) ad_mul(ad_mul(x, ad_sin(ad_square(x))), ad_sigmoid(x))

static double f(double x) { return F(x); }
static double by_hand(double x) {
  const double s = 1 / (1 + exp(-x)), q = x * x;
  return s * (sin(q) + 2 * q * cos(q)) + x * sin(q) * s * (1 - s);
}
static void recorded(const ad_var *x, ad_var *y, void *context) { (void)context; y[0] = F(x[0]); }

int main(void) {
  const double x = 1.3, exact = by_hand(x);
  double y, tape;
  const ad_dual dual = F(ad_dual_variable(x, 0));
  double forward_best = 1, central_best = 1;
  printf("   step  forward error  central error\n");
  for (int k = 1; k <= 14; k++) {
    const double h = pow(10, -k), up = x + h, down = x - h;
    const double forward = fabs((f(up) - f(x)) / (up - x) - exact), central = fabs((f(up) - f(down)) / (up - down) - exact);
    if (k <= 4) printf("  1e-%02d  about 1e%+03.0f    about 1e%+03.0f\n", k, round(log10(forward)), round(log10(central)));
    if (forward < forward_best) forward_best = forward;
    if (central < central_best) central_best = central;
  }
  printf("best of 14 steps: forward error %s 1e-10, central error %s 1e-13\n", forward_best > 1e-10 ? "above" : "below",
         central_best > 1e-13 ? "above" : "below");
  if (ad_gradient(recorded, NULL, 1, &x, &y, &tape) != AD_OK) example_fail("the recording failed");
  printf("by hand %.12f\n", exact);
  printf("dual    %.12f\n", dual.d[0]);
  printf("tape    %.12f\n", tape);

  ad_gradient_report report;
  if (ad_check_gradient_report(recorded, NULL, 1, &x, 1e-6, &report) != AD_OK) example_fail("the check failed");
  printf("ad_check_gradient agrees: the error is below 1e-6\n");
  return 0;
}
