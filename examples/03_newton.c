/* 03_newton: a system of equations solved by Newton's method, with the Jacobian from duals. The system is Broyden's tridiagonal one,
   (3 - 2 x_i) x_i - x_(i-1) - 2 x_(i+1) + 1 = 0. Teaches ad_jacobian_forward with more inputs than a pass has directions. */
#include "ad.h"
#include "example.h"

enum { N = 20 };

static void system_of_equations(const ad_dual *x, ad_dual *y, void *context) {
  (void)context;
  for (int i = 0; i < N; i++) {
    ad_dual r = ad_add(ad_mul(ad_sub(3, ad_mul(2, x[i])), x[i]), 1);
    if (i > 0) r = ad_sub(r, x[i - 1]);
    if (i < N - 1) r = ad_sub(r, ad_mul(2, x[i + 1]));
    y[i] = r;
  }
}

/* a x = b by elimination with row exchanges; the solution is left in b */
static void solve(double a[N][N], double *b) {
  for (int k = 0; k < N; k++) {
    int pivot = k;
    for (int i = k + 1; i < N; i++)
      if (fabs(a[i][k]) > fabs(a[pivot][k])) pivot = i;
    if (a[pivot][k] == 0) example_fail("the Jacobian is singular");
    for (int j = 0; j < N; j++) {
      const double t = a[k][j];
      a[k][j] = a[pivot][j], a[pivot][j] = t;
    }
    const double t = b[k];
    b[k] = b[pivot], b[pivot] = t;
    for (int i = k + 1; i < N; i++) {
      const double factor = a[i][k] / a[k][k];
      for (int j = k; j < N; j++) a[i][j] -= factor * a[k][j];
      b[i] -= factor * b[k];
    }
  }
  for (int i = N - 1; i >= 0; i--) {
    for (int j = i + 1; j < N; j++) b[i] -= a[i][j] * b[j];
    b[i] /= a[i][i];
  }
}

int main(void) {
  double x[N], y[N], jacobian[N][N], norm = 1;
  for (int i = 0; i < N; i++) x[i] = -1;
  for (int step = 0; norm > 1e-12; step++) {
    if (step == 20) example_fail("no convergence after %d steps", step);
    const ad_status status = ad_jacobian_forward(system_of_equations, NULL, N, x, N, y, &jacobian[0][0]);
    if (status != AD_OK) example_fail("ad_jacobian_forward: %s", ad_status_name(status));
    norm = 0;
    for (int i = 0; i < N; i++) norm = hypot(norm, y[i]);
    printf("step %d  |f(x)| = %.3e  x_1 = %.10f  x_10 = %.10f\n", step, norm, x[0], x[9]);
    solve(jacobian, y);
    for (int i = 0; i < N; i++) x[i] -= y[i];
  }
  printf("converged\n");
  return 0;
}
