/* 02_jacobian [FILE]: the 2 x 15 Jacobian of the bundle-adjustment residual for every observation of an ADBench file, checked against
   central differences. Teaches ad_jacobian_forward, and one C function for double and for duals. */
#define AD_DUAL_WIDTH 16 /* 15 inputs in one pass */
#include "ad.h"
#include "example.h"

#define REAL double
#define BUNDLE residual
#include "bundle.h"
#define REAL ad_dual
#define BUNDLE residual_dual
#include "bundle.h"

enum { INPUTS = 15, OUTPUTS = 3 };

static void map(const ad_dual *x, ad_dual *y, void *feature) { residual_dual(x, (const double *)feature, y); }

/* the numbers of the file, moved by seeded noise: another camera, point and feature per observation */
static void observation(const double *base, size_t i, double *x, double *feature) {
  for (size_t k = 0; k < INPUTS; k++) x[k] = base[k] * (1 + 1e-3 * example_noise(i, k));
  for (size_t k = 0; k < 2; k++) feature[k] = base[INPUTS + k] + example_noise(i, INPUTS + k);
}

/* the largest difference to central differences, relative to the size of the row */
static double worst_difference(const double *x, const double *feature, const double *jacobian) {
  double worst = 0, z[INPUTS], above[OUTPUTS], below[OUTPUTS];
  for (int k = 0; k < INPUTS; k++) {
    const double h = 1e-5 * (fabs(x[k]) + 1e-3);
    memcpy(z, x, sizeof z);
    z[k] = x[k] + h;
    residual(z, feature, above);
    z[k] = x[k] - h;
    residual(z, feature, below);
    for (int i = 0; i < 2; i++) {
      double size = 1e-6;
      for (int j = 0; j < INPUTS; j++) size = fmax(size, fabs(jacobian[i * INPUTS + j]));
      worst = fmax(worst, fabs((above[i] - below[i]) / (2 * h) - jacobian[i * INPUTS + k]) / size);
    }
  }
  return worst;
}

int main(int argc, char **argv) {
  const char *path = argc > 1 ? argv[1] : "examples/data/bundle.txt";
  FILE *file = example_open(path);
  double counts[3], base[INPUTS + 2], x[INPUTS], feature[2], y[OUTPUTS], jacobian[OUTPUTS * INPUTS], worst = 0, sum = 0;
  example_read(file, path, "numbers of cameras, points, observations", 3, counts);
  for (int i = 0; i < 3; i++)
    if (!(counts[i] >= 1 && counts[i] <= 1e9)) example_fail("%s: %g is no number of cameras, points or observations", path, counts[i]);
  example_read(file, path, "camera, point, weight and feature", INPUTS + 2, base);
  fclose(file);

  const size_t count = (size_t)counts[2];
  double time_function = 0, time_jacobian = 0;
  for (size_t i = 0; i < count; i++) {
    observation(base, i, x, feature);
    double t[3] = {example_seconds(), 0, 0};
    for (int k = 0; k < 16; k++) residual(x, feature, y), sum += x[0] += y[2] * 1e-16; /* each call depends on the one before */
    t[1] = example_seconds();
    ad_status status = AD_OK;
    for (int k = 0; k < 16; k++) status = ad_jacobian_forward(map, feature, INPUTS, x, OUTPUTS, y, jacobian), x[0] += y[2] * 1e-16;
    t[2] = example_seconds();
    if (status != AD_OK) example_fail("%s: observation %zu: %s", path, i, ad_status_name(status));
    time_function += (t[1] - t[0]) / 16, time_jacobian += (t[2] - t[1]) / 16;
    worst = fmax(worst, worst_difference(x, feature, jacobian));
    if (i == 0) printf("observation 0: residual %.8g %.8g, by focal length %.8g %.8g\n", y[0], y[1], jacobian[6], jacobian[INPUTS + 6]);
  }
  printf("%zu observations, Jacobian agrees with central differences: %s\n", count, worst < 1e-6 ? "yes" : "no");
  printf("function %.1f ns, Jacobian %.1f ns, ratio %.2f\n", 1e9 * time_function / (double)count, 1e9 * time_jacobian / (double)count,
         time_jacobian / time_function);
  return worst < 1e-6 && sum < INFINITY ? 0 : 1;
}
