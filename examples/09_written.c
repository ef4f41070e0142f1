/* 09_written: C written by ad_function_write_c. At build time a program (write_residual.c) has recorded the residual of bundle
   adjustment and written it with its 2 x 15 Jacobian as C over SIMD lanes; that file is linked here, and compared with the plain C
   function and with the recording, interpreted. WRITTEN BY: write_residual */
#define AD_IMPLEMENTATION
#include "ad.h"
#include "example.h"

/* the written file: what returns is how many points would have taken another branch */
size_t residual_many(size_t count, const double *x, double *y);
size_t residual_jacobian_many(size_t count, const double *x, double *y, double *jacobian);

#define REAL double
#define BUNDLE plain
#include "residual.h"
#define REAL ad_var
#define BUNDLE record_bundle
#include "residual.h"

enum { COUNT = 1000, ROUNDS = 200 };
static double x[COUNT * 17], y[COUNT * 2], jacobian[COUNT * 30], y2[COUNT * 2], jacobian2[COUNT * 30];

int main(void) {
  size_t unknown[15];
  double worst = 0, start, spent[3] = { 0, 0, 0 };
  for (int i = 0; i < COUNT * 17; i++) x[i] = 1 + 0.4 * sin(i % 10007);
  for (size_t i = 0; i < 15; i++) unknown[i] = i;
  ad_function *all = ad_function_record(record_bundle, NULL, 17, x, 2), *f = ad_function_wrt(all, unknown, 15);
  if (!f || ad_function_jacobian_many(f, COUNT, x, y2, jacobian2) != AD_OK) example_fail("the recording failed");
  if (residual_jacobian_many(COUNT, x, y, jacobian) != 0) example_fail("a branch was not as recorded");
  printf("2 x 15 Jacobians at %d points: %s\n", COUNT, memcmp(jacobian, jacobian2, sizeof jacobian) ? "not the bits of the interpreter" : "the bits of the interpreter");
  printf("Jacobian at point 0, row 0: %.9g %.9g %.9g ...\n", jacobian[0], jacobian[1], jacobian[2]);
  for (int round = 0; round < ROUNDS; round++) {
    start = example_seconds();
    for (int i = 0; i < COUNT; i++) plain(x + 17 * i, y2 + 2 * i, NULL);
    spent[0] += example_seconds() - start;
    start = example_seconds();
    ad_function_jacobian_many(f, COUNT, x, y, jacobian2);
    spent[1] += example_seconds() - start;
    start = example_seconds();
    residual_jacobian_many(COUNT, x, y, jacobian);
    spent[2] += example_seconds() - start;
  }
  for (int i = 0; i < 2 * COUNT; i++) worst = fmax(worst, fabs(y[i] - y2[i]) / (1 + fabs(y2[i])));
  printf("values agree with the plain function: %s\n", worst < 1e-9 ? "yes" : "no");
  printf("plain function %.1f ns a point; with Jacobian: interpreted %.1f ns, written %.1f ns\n", 1e9 * spent[0] / COUNT / ROUNDS,
         1e9 * spent[1] / COUNT / ROUNDS, 1e9 * spent[2] / COUNT / ROUNDS);
  ad_function_destroy(f);
  ad_function_destroy(all);
  return 0;
}
