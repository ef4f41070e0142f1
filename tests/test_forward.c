/* The drivers of forward mode: Jacobian, gradient, directional derivative, Hessian, for every number of inputs around the chunks; every
   error; and the Jacobian of bundle adjustment against the results of another program (files of AD_DATA, default ../shared/data). */
#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>

static size_t allocations, refuse;
static void *test_malloc(size_t bytes) { return ++allocations == refuse ? NULL : malloc(bytes); }
#define AD_MALLOC(bytes) test_malloc(bytes)
#define AD_FREE(p) free(p)
#include "ad.h"
#include "test.h"

#define REAL ad_dual
#define BUNDLE residual
#include "examples/bundle.h"

typedef struct sizes { size_t n, m; int calls; } sizes;

/* y_i = sum over j of (i + 1) sin((j + 1) x_j) + x_i x_j; the derivatives below */
static void map(const ad_dual *x, ad_dual *y, void *context) {
  sizes *s = (sizes *)context;
  s->calls++;
  for (size_t i = 0; i < s->m; i++) {
    assert_true(y[i].v == 0 && y[i].d[0] == 0);
    for (size_t j = 0; j < s->n; j++)
      y[i] = ad_add(y[i], ad_add(ad_mul((double)(i + 1), ad_sin(ad_mul((double)(j + 1), x[j]))), ad_mul(x[i % s->n], x[j])));
  }
}
static double closed_form(const double *x, size_t n, size_t i, size_t j) {
  double d = (double)((i + 1) * (j + 1)) * cos((double)(j + 1) * x[j]) + x[i % n];
  if (i % n == j) for (size_t k = 0; k < n; k++) d += x[k];
  return d;
}
static double value(const double *x, size_t n, size_t i) {
  double y = 0;
  for (size_t j = 0; j < n; j++) y += (double)(i + 1) * sin((double)(j + 1) * x[j]) + x[i % n] * x[j];
  return y;
}
static bool near(double a, double b) { return fabs(a - b) <= 1e-11 * (1 + fabs(b)); }

enum { MOST = 3 * AD_DUAL_WIDTH + 1 < 80 ? 3 * AD_DUAL_WIDTH + 1 : 80 };   /* a Hessian fits the guarded memory */

static void jacobian(void **state) {
  (void)state;
  guarded g = guarded_create();
  for (size_t n = 1; n <= MOST; n++) {
    for (size_t m = 1; m <= 11; m += 5) {
      double x[MOST], y[11], dx[MOST], dy[11], *j = (double *)(void *)g.end - n * m;
      sizes s = {n, m, 0};
      for (size_t k = 0; k < n; k++) x[k] = 0.1 * (double)k - 0.7, dx[k] = 1 - 0.3 * (double)k;
      assert_int_equal(ad_jacobian_forward(map, &s, n, x, m, y, j), AD_OK);
      assert_int_equal(s.calls, (n + AD_DUAL_WIDTH - 1) / AD_DUAL_WIDTH);
      assert_int_equal(ad_jvp_forward(map, &s, n, x, dx, m, NULL, dy), AD_OK);
      for (size_t i = 0; i < m; i++) {
        double along = 0;
        assert_true(near(y[i], value(x, n, i)));
        for (size_t k = 0; k < n; k++) assert_true(near(j[i * n + k], closed_form(x, n, i, k))), along += closed_form(x, n, i, k) * dx[k];
        assert_true(near(dy[i], along));
      }
      memset(j, 0, n * m * sizeof *j);
      assert_int_equal(ad_jacobian_forward(map, &s, n, x, m, NULL, j), AD_OK);
      assert_true(near(j[n * m - 1], closed_form(x, n, m - 1, n - 1)));
      if (m == 1) {
        assert_int_equal(ad_gradient_forward(map, &s, n, x, y, j), AD_OK);
        assert_true(near(j[n - 1], closed_form(x, n, 0, n - 1)));
      }
    }
  }
  guarded_destroy(&g);
}

/* exp(a . x) + sum x_i^3 with a_i = 0.1 (i + 1) */
static void scalar(const ad_dual2 *x, ad_dual2 *y, void *context) {
  const size_t n = *(size_t *)context;
  ad_dual2 dot = ad_dual2_k(0), cubes = ad_dual2_k(0);
  for (size_t i = 0; i < n; i++) {
    dot = ad_add(dot, ad_mul(0.1 * (double)(i + 1), x[i]));
    cubes = ad_add(cubes, ad_mul(x[i], ad_square(x[i])));
  }
  *y = ad_add(ad_exp(dot), cubes);
}

static void hessian(void **state) {
  (void)state;
  guarded g = guarded_create();
  for (size_t n = 1; n <= MOST; n++) {
    double x[MOST], v[MOST], gradient[MOST], other[MOST], hv[MOST], y, z, dot = 0, cubes = 0, *h = (double *)(void *)g.end - n * n;
    for (size_t i = 0; i < n; i++) x[i] = 0.2 - 0.03 * (double)i, v[i] = 0.5 * (double)i - 1, dot += 0.1 * (double)(i + 1) * x[i], cubes += x[i] * x[i] * x[i];
    assert_int_equal(ad_hessian_forward(scalar, &n, n, x, &y, gradient, h), AD_OK);
    assert_int_equal(ad_hessian_vector_forward(scalar, &n, n, x, v, &z, other, hv), AD_OK);
    assert_true(near(y, exp(dot) + cubes) && y == z);
    for (size_t i = 0; i < n; i++) {
      double product = 0;
      assert_true(near(gradient[i], 0.1 * (double)(i + 1) * exp(dot) + 3 * x[i] * x[i]) && near(other[i], gradient[i]));
      for (size_t k = 0; k < n; k++) {
        assert_true(near(h[i * n + k], 0.01 * (double)((i + 1) * (k + 1)) * exp(dot) + (i == k ? 6 * x[i] : 0)) && h[i * n + k] == h[k * n + i]);
        product += h[i * n + k] * v[k];
      }
      assert_true(near(hv[i], product));
    }
    assert_int_equal(ad_hessian_forward(scalar, &n, n, x, NULL, other, NULL), AD_OK);
    assert_memory_equal(other, gradient, n * sizeof other[0]);
    assert_int_equal(ad_hessian_forward(scalar, &n, n, x, NULL, NULL, h), AD_OK);
    assert_int_equal(ad_hessian_vector_forward(scalar, &n, n, x, v, NULL, NULL, hv), AD_OK);
  }
  guarded_destroy(&g);
}

/* NaN and infinity go through; a function that leaves an output alone has zeros there */
static void root(const ad_dual *x, ad_dual *y, void *context) { (void)context, y[0] = ad_sqrt(x[0]), y[2] = ad_mul(x[0], x[1]); }
static void special_values(void **state) {
  (void)state;
  const double x[2] = {0, NAN};
  double y[3], j[6];
  assert_int_equal(ad_jacobian_forward(root, NULL, 2, x, 3, y, j), AD_OK);
  assert_true(y[0] == 0 && j[0] == INFINITY && j[1] == 0 && y[1] == 0 && j[2] == 0 && j[3] == 0 && isnan(y[2]) && isnan(j[4]) && j[5] == 0);
}

static void errors(void **state) {
  (void)state;
  enum { BIG = 100 };
  static double x[BIG], y[BIG], out[BIG * BIG];
  static ad_dual work[2 * BIG];
  static ad_dual2 work2[BIG];
  sizes s = {BIG, BIG, 0};
  size_t n = BIG;
  const size_t huge[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / sizeof(ad_dual), PTRDIFF_MAX / sizeof(ad_dual), (size_t)1 << (sizeof(size_t) * 4)};
#define REFUSES(status, call) assert_int_equal(call, status)
  REFUSES(AD_ERROR_ARGUMENT, ad_jacobian_forward(map, &s, 0, x, 1, y, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_jacobian_forward(map, &s, 1, x, 0, y, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_jacobian_forward(NULL, &s, 1, x, 1, y, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_jacobian_forward(map, &s, 1, NULL, 1, y, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_jacobian_forward(map, &s, 1, x, 1, y, NULL));
  REFUSES(AD_ERROR_ARGUMENT, ad_jacobian_forward_in(map, &s, 1, x, 1, y, out, NULL));
  REFUSES(AD_ERROR_ARGUMENT, ad_jacobian_forward_in(map, &s, 0, x, 1, y, out, work));
  REFUSES(AD_ERROR_ARGUMENT, ad_gradient_forward(map, &s, 0, x, y, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_jvp_forward(map, &s, 0, x, x, 1, y, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_jvp_forward(map, &s, 1, x, x, 0, y, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_jvp_forward(NULL, &s, 1, x, x, 1, y, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_jvp_forward(map, &s, 1, NULL, x, 1, y, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_jvp_forward(map, &s, 1, x, NULL, 1, y, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_jvp_forward(map, &s, 1, x, x, 1, y, NULL));
  REFUSES(AD_ERROR_ARGUMENT, ad_jvp_forward_in(map, &s, 1, x, x, 1, y, out, NULL));
  REFUSES(AD_ERROR_ARGUMENT, ad_jvp_forward_in(map, &s, 0, x, x, 1, y, out, work));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_forward(scalar, &n, 0, x, y, out, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_forward(NULL, &n, 1, x, y, out, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_forward(scalar, &n, 1, NULL, y, out, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_forward(scalar, &n, 1, x, y, NULL, NULL));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_forward_in(scalar, &n, 1, x, y, out, out, NULL));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_forward_in(scalar, &n, 0, x, y, out, out, work2));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_vector_forward(scalar, &n, 0, x, x, y, out, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_vector_forward(NULL, &n, 1, x, x, y, out, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_vector_forward(scalar, &n, 1, NULL, x, y, out, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_vector_forward(scalar, &n, 1, x, NULL, y, out, out));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_vector_forward(scalar, &n, 1, x, x, y, out, NULL));
  REFUSES(AD_ERROR_ARGUMENT, ad_hessian_vector_forward_in(scalar, &n, 1, x, x, y, out, out, NULL));
  for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++) {
    REFUSES(AD_ERROR_LIMIT, ad_jacobian_forward(map, &s, huge[i], x, huge[i], y, out));
    REFUSES(AD_ERROR_LIMIT, ad_jacobian_forward_in(map, &s, huge[i], x, huge[i], y, out, work));
    REFUSES(AD_ERROR_LIMIT, ad_jvp_forward(map, &s, huge[i], x, x, huge[i], y, out));
    REFUSES(AD_ERROR_LIMIT, ad_jvp_forward_in(map, &s, huge[i], x, x, huge[i], y, out, work));
    REFUSES(AD_ERROR_LIMIT, ad_hessian_forward(scalar, &n, huge[i], x, y, out, out));
    REFUSES(AD_ERROR_LIMIT, ad_hessian_forward_in(scalar, &n, huge[i], x, y, out, out, work2));
  }
  REFUSES(AD_ERROR_LIMIT, ad_jacobian_forward(map, &s, 2, x, SIZE_MAX - 1, y, out));
  REFUSES(AD_ERROR_LIMIT, ad_jacobian_forward(map, &s, SIZE_MAX - 1, x, 2, y, out));
  REFUSES(AD_ERROR_LIMIT, ad_hessian_vector_forward(scalar, &n, SIZE_MAX, x, x, y, out, out));
  REFUSES(AD_ERROR_LIMIT, ad_hessian_vector_forward_in(scalar, &n, SIZE_MAX, x, x, y, out, out, work2));
  assert_int_equal(s.calls, 0);

  allocations = 0;
  for (refuse = 1; refuse <= 4; refuse++) REFUSES(AD_ERROR_MEMORY, refuse == 1   ? ad_jacobian_forward(map, &s, BIG, x, BIG, y, out)
                                                                   : refuse == 2 ? ad_jvp_forward(map, &s, BIG, x, x, BIG, y, out)
                                                                   : refuse == 3 ? ad_hessian_forward(scalar, &n, BIG, x, y, NULL, out)
                                                                                 : ad_hessian_vector_forward(scalar, &n, BIG, x, x, y, NULL, out));
  assert_int_equal(s.calls, 0);
  refuse = allocations = 0;
  REFUSES(AD_OK, ad_jacobian_forward(map, &s, BIG, x, BIG, y, out));
  REFUSES(AD_OK, ad_jvp_forward(map, &s, BIG, x, x, BIG, y, out));
  REFUSES(AD_OK, ad_hessian_forward(scalar, &n, BIG, x, y, NULL, out));
  REFUSES(AD_OK, ad_hessian_vector_forward(scalar, &n, BIG, x, x, y, NULL, out));
  assert_int_equal(allocations, 4);     /* one each; none with memory of the caller's, none for few inputs */
  REFUSES(AD_OK, ad_jacobian_forward_in(map, &s, BIG, x, BIG, y, out, work));
  REFUSES(AD_OK, ad_jvp_forward_in(map, &s, BIG, x, x, BIG, y, out, work));
  REFUSES(AD_OK, ad_hessian_forward_in(scalar, &n, BIG, x, y, NULL, out, work2));
  REFUSES(AD_OK, ad_hessian_vector_forward_in(scalar, &n, BIG, x, x, y, NULL, out, work2));
  s.n = n = 10, s.m = 5;
  REFUSES(AD_OK, ad_jacobian_forward(map, &s, 10, x, 5, y, out));
  REFUSES(AD_OK, ad_hessian_forward(scalar, &n, 10, x, y, NULL, out));
  assert_int_equal(allocations, 4);
}

static void residual_map(const ad_dual *x, ad_dual *y, void *feature) { residual(x, (const double *)feature, y); }

static void bundle_adjustment(void **state) {
  (void)state;
  const char *data = getenv("AD_DATA");
  int files = 0;
  for (int k = 1; k <= 30; k++) {
    char path[600];
    double head[3], in[17], want[48], y[3], j[45];
    snprintf(path, sizeof path, "%s/adbench/ba%d.txt", data ? data : "../shared/data", k);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    for (int i = 0; i < 3; i++) assert_int_equal(fscanf(file, "%lf", &head[i]), 1);
    for (int i = 0; i < 17; i++) assert_int_equal(fscanf(file, "%lf", &in[i]), 1);
    fclose(file);
    snprintf(path, sizeof path, "%s/adbench/ba%d.expected", data ? data : "../shared/data", k);
    file = fopen(path, "r");
    assert_non_null(file);
    for (int i = 0; i < 48; i++) assert_int_equal(fscanf(file, "%lf", &want[i]), 1);
    fclose(file);
    assert_int_equal(ad_jacobian_forward(residual_map, in + 15, 15, in, 3, y, j), AD_OK);
    for (int i = 0; i < 48; i++) {
      const double got = i < 3 ? y[i] : j[i - 3];
      if (!(fabs(got - want[i]) <= 1e-12 * fabs(want[i]))) fail_msg("%s: number %d is %.17g, not %.17g", path, i, got, want[i]);
    }
    files++;
  }
  if (!files) {
    printf("no adbench/ba*.txt in AD_DATA\n");
    skip();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(jacobian), cmocka_unit_test(hessian),           cmocka_unit_test(special_values),
      cmocka_unit_test(errors),   cmocka_unit_test(bundle_adjustment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
