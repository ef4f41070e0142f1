/* The gradient through long loops with few stored states, against one that stores them all. */
#include "test.h"

#include "memory.h"
#include "ad.h"

/* a driven pendulum by the leapfrog method, damped by a parameter */
typedef struct loop { const ad_function *f; double damping, gradient; size_t stop_at; } loop;

static void pendulum(const ad_var *x, ad_var *y, void *context) {      /* angle, speed, damping, push */
  const double dt = 1e-3;
  (void)context;
  ad_var speed = ad_var_sub(x[1], ad_var_mul_xk(ad_var_sub(ad_var_add(ad_var_sin(x[0]), ad_var_mul(x[2], x[1])), x[3]), dt));
  y[0] = ad_var_add(x[0], ad_var_mul_xk(speed, dt));
  y[1] = speed;
}
static ad_status forward(void *context, size_t index, const double *state, double *next) {
  const loop *l = (const loop *)context;
  double in[4] = { state[0], state[1], l->damping, 0.1 * cos(1e-2 * (double)index) };
  return index == l->stop_at ? AD_ERROR_LIMIT : ad_function_evaluate(l->f, in, next);
}
static ad_status backward(void *context, size_t index, const double *state, double *w) {
  loop *l = (loop *)context;
  double in[4] = { state[0], state[1], l->damping, 0.1 * cos(1e-2 * (double)index) }, g[4];
  ad_status status = ad_function_vjp(l->f, in, w, NULL, g);
  w[0] = g[0]; w[1] = g[1];
  l->gradient += g[2];
  return status;
}
static ad_status finish(void *context, const double *state, double *w) {   /* the result is angle squared plus speed */
  (void)context;
  w[0] = 2 * state[0]; w[1] = 1;
  return AD_OK;
}

static void test_loops(void **unused) {
  static const size_t steps[] = { 1, 2, 3, 10, 57, 1000, 1000, 1000, 100000 }, stored[] = { 1, 1, 7, 3, 57, 2, 10, 1000, 50 };
  double at[4] = { 1, 0, 0.1, 0 }, x[2] = { 1, 0.25 };
  (void)unused;
  ad_function *f = ad_function_record(pendulum, NULL, 4, at, 2);
  assert_non_null(f);
  for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
    loop l = { f, 0.3, 0, SIZE_MAX };
    size_t n = steps[k], calls;
    double *all = malloc((n + 1) * 2 * sizeof *all), w[2], g[2], damping;
    all[0] = x[0]; all[1] = x[1];
    for (size_t i = 0; i < n; i++) assert_int_equal(forward(&l, i, all + 2 * i, all + 2 * i + 2), AD_OK);
    finish(&l, all + 2 * n, w);
    for (size_t i = n; i-- > 0;) assert_int_equal(backward(&l, i, all + 2 * i, w), AD_OK);
    damping = l.gradient;
    l.gradient = 0;
    assert_int_equal(ad_checkpoint(forward, backward, finish, &l, 2, x, n, stored[k], g, &calls), AD_OK);
    assert_true(g[0] == w[0] && g[1] == w[1] && l.gradient == damping);
    if (n == 100000) assert_true(calls < 5 * n);
    if (stored[k] >= n) assert_true(calls <= 2 * n);
    free(all);
  }
  ad_function_destroy(f);
}

static void test_errors(void **unused) {
  double at[4] = { 1, 0, 0.1, 0 }, x[2] = { 1, 0.25 }, g[2];
  size_t calls;
  (void)unused;
  ad_function *f = ad_function_record(pendulum, NULL, 4, at, 2);
  loop l = { f, 0.3, 0, 12 };
  assert_int_equal(ad_checkpoint(forward, backward, finish, &l, 2, x, 20, 3, g, &calls), AD_ERROR_LIMIT);
  assert_int_equal(calls, 13);
  l.stop_at = SIZE_MAX;
  assert_int_equal(ad_checkpoint(forward, backward, finish, &l, 2, x, 0, 3, g, NULL), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_checkpoint(forward, backward, finish, &l, 2, x, 5, 0, g, NULL), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_checkpoint(forward, backward, finish, &l, 0, x, 5, 1, g, NULL), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_checkpoint(NULL, backward, finish, &l, 2, x, 5, 1, g, NULL), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_checkpoint(forward, backward, finish, &l, SIZE_MAX / 8, x, 5, 5, g, NULL), AD_ERROR_LIMIT);
  allocations = 0; fail_at = 0;
  assert_int_equal(ad_checkpoint(forward, backward, finish, &l, 2, x, 5, 1, g, NULL), AD_ERROR_MEMORY);
  fail_at = -1;
  ad_function_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_loops), cmocka_unit_test(test_errors) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
