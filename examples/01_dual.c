/* 01_dual: the derivative of a C function by dual numbers, beside the closed form. Teaches ad_dual_variable, the generic names,
   numbers among the operands, and where the derivatives are in the result. */
#include <stdio.h>
#include "ad.h"

/* f(x, y) = exp(-x/2) sin(x y), an ordinary C function but for its type and names */
static ad_dual f(ad_dual x, ad_dual y) { return ad_mul(ad_exp(ad_mul(-0.5, x)), ad_sin(ad_mul(x, y))); }

int main(void) {
  printf("    x        f(x, 2)      df/dx        closed form  df/dy        closed form\n");
  for (int i = 0; i <= 4; i++) {
    const double x = 0.5 * i, y = 2;
    const ad_dual r = f(ad_dual_variable(x, 0), ad_dual_variable(y, 1)); /* x is direction 0, y is direction 1 */
    const double dx = exp(-x / 2) * (y * cos(x * y) - 0.5 * sin(x * y)), dy = exp(-x / 2) * x * cos(x * y);
    printf("%9.4f %12.8f %12.8f %12.8f %12.8f %12.8f\n", x, r.v, r.d[0], dx, r.d[1], dy);
  }

  /* where a closed form would have to be treated with care: slopes at 0, at a tie and far out */
  const ad_dual zero = ad_dual_variable(0, 0), one = ad_dual_variable(1, 0), far = ad_dual_variable(20, 0);
  printf("at 0: (x sqrt x)' = %g, |x|' = %g, sqrt' = %g\n", ad_mul(zero, ad_sqrt(zero)).d[0], ad_abs(zero).d[0], ad_sqrt(zero).d[0]);
  printf("max(x, 1)' at 1 = %g, tanh' at 20 = %.6e\n", ad_max(one, 1).d[0], ad_tanh(far).d[0]);
  return 0;
}
