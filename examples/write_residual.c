/* write_residual FILE: the residual of bundle adjustment as a C file of its own, with its 2 x 15 Jacobian: recorded once, written by
   ad_function_write_c. Make compiles the file and links it to 09_written. */
#define AD_IMPLEMENTATION
#include "ad.h"
#include "example.h"

#define REAL ad_var
#define BUNDLE record_bundle
#include "residual.h"

int main(int argc, char **argv) {
  double x[17];
  size_t unknown[15]; /* camera, point and weight; where the camera saw the point is given: no derivative by it */
  for (int i = 0; i < 17; i++) x[i] = 1 + 0.4 * sin(i * i);
  for (size_t i = 0; i < 15; i++) unknown[i] = i;
  ad_function *all = ad_function_record(record_bundle, NULL, 17, x, 2), *residual = ad_function_wrt(all, unknown, 15);
  if (argc != 2 || !residual) example_fail("usage: write_residual FILE");
  FILE *file = fopen(argv[1], "w");
  if (!file || ad_function_write_c(residual, "residual", file) != AD_OK || fclose(file) != 0) example_fail("the file cannot be written");
  ad_function_destroy(residual);
  ad_function_destroy(all);
  return 0;
}
