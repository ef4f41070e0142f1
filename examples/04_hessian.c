/* 04_hessian: second derivatives by duals of duals. The Hessian of Rosenbrock's function beside its closed form, and a product
   Hessian times vector. Teaches ad_hessian_forward, ad_hessian_vector_forward and ad_dual2. */
#include "ad.h"
#include "example.h"

enum { N = 4 };

/* sum of 100 (x_(i+1) - x_i^2)^2 + (1 - x_i)^2; C picks the functions of ad_dual2 by the type of the operands */
static void rosenbrock(const ad_dual2 *x, ad_dual2 *y, void *context) {
  (void)context;
  ad_dual2 sum = ad_dual2_k(0);
  for (int i = 0; i + 1 < N; i++) {
    const ad_dual2 a = ad_sub(x[i + 1], ad_square(x[i])), b = ad_sub(1, x[i]);
    sum = ad_add(sum, ad_add(ad_mul(100, ad_square(a)), ad_square(b)));
  }
  *y = sum;
}

static double closed_form(const double *x, int i, int j) {
  if (i == j) return (i < N - 1 ? 1200 * x[i] * x[i] - 400 * x[i + 1] + 2 : 0) + (i > 0 ? 200 : 0);
  return i == j + 1 ? -400 * x[j] : j == i + 1 ? -400 * x[i] : 0;
}

int main(void) {
  const double x[N] = {-1.2, 1, 0.5, 2}, v[N] = {1, -1, 2, 0.5};
  double y, gradient[N], hessian[N][N], hv[N], worst = 0, worst_product = 0;
  ad_status status = ad_hessian_forward(rosenbrock, NULL, N, x, &y, gradient, &hessian[0][0]);
  if (status != AD_OK) example_fail("ad_hessian_forward: %s", ad_status_name(status));
  status = ad_hessian_vector_forward(rosenbrock, NULL, N, x, v, NULL, NULL, hv);
  if (status != AD_OK) example_fail("ad_hessian_vector_forward: %s", ad_status_name(status));

  printf("f = %.6f\ngradient", y);
  for (int i = 0; i < N; i++) printf(" %10.4f", gradient[i]);
  printf("\nHessian, and its closed form\n");
  for (int i = 0; i < N; i++) {
    double product = 0;
    for (int j = 0; j < N; j++) printf(" %9.3f", hessian[i][j]);
    printf("   ");
    for (int j = 0; j < N; j++) printf(" %9.3f", closed_form(x, i, j));
    printf("\n");
    for (int j = 0; j < N; j++) {
      worst = fmax(worst, fabs(hessian[i][j] - closed_form(x, i, j)));
      product += hessian[i][j] * v[j];
    }
    worst_product = fmax(worst_product, fabs(product - hv[i]));
  }
  printf("Hessian times v");
  for (int i = 0; i < N; i++) printf(" %9.3f", hv[i]);
  printf("\nequal to the closed form: %s, to the product: %s\n", worst < 1e-10 ? "yes" : "no", worst_product < 1e-10 ? "yes" : "no");
  return worst < 1e-10 && worst_product < 1e-10 ? 0 : 1;
}
