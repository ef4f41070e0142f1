/* Reverse mode over numbers: every row against duals and central differences, to second order and at special values; random graphs
   forward against reverse; the drivers. */
#include "test.h"
#include "ad.h"

static uint64_t state = 88172645463325252u;
static double uniform(double lo, double hi) {
  state ^= state << 13; state ^= state >> 7; state ^= state << 17;
  return lo + (hi - lo) * (double)(state >> 11) * 0x1p-53;
}
static bool near_to(double a, double b, double tolerance) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
  return a == b || fabs(a - b) <= tolerance * (1 + fabs(b));
}

/* --- every row */

typedef struct row {
  const char *name;
  ad_var (*var)(const ad_var *);
  ad_dual (*dual)(const ad_dual *);
  ad_dual2 (*dual2)(const ad_dual2 *);
  ad_var (*xk)(ad_var, double), (*ky)(double, ad_var);
} row;
#define ROW_1(N, D, op, ...) static ad_var v_##op(const ad_var *x) { return ad_var_##op(x[0]); }                              \
  static ad_dual d_##op(const ad_dual *x) { return ad_dual_##op(x[0]); }                                                      \
  static ad_dual2 e_##op(const ad_dual2 *x) { return ad_dual2_##op(x[0]); }
#define ROW_2(N, D, op, ...) static ad_var v_##op(const ad_var *x) { return ad_var_##op(x[0], x[1]); }                        \
  static ad_dual d_##op(const ad_dual *x) { return ad_dual_##op(x[0], x[1]); }                                                \
  static ad_dual2 e_##op(const ad_dual2 *x) { return ad_dual2_##op(x[0], x[1]); }                                             \
  static ad_var xk_##op(ad_var x, double k) { return ad_var_##op##_xk(x, k); }                                                \
  static ad_var ky_##op(double k, ad_var y) { return ad_var_##op##_ky(k, y); }
#define ROW_3(N, D, op, ...) static ad_var v_##op(const ad_var *x) { return ad_var_##op(x[0], x[1], x[2]); }                  \
  static ad_dual d_##op(const ad_dual *x) { return ad_dual_##op(x[0], x[1], x[2]); }                                          \
  static ad_dual2 e_##op(const ad_dual2 *x) { return ad_dual2_##op(x[0], x[1], x[2]); }
AD_UNARY(ROW_1, , ) AD_BINARY(ROW_2, , ) AD_TERNARY(ROW_3, , )
#define ENTRY(N, D, op, ...) { #op, v_##op, d_##op, e_##op, NULL, NULL },
#define ENTRY_2(N, D, op, ...) { #op, v_##op, d_##op, e_##op, xk_##op, ky_##op },
static const row rows[] = { AD_UNARY(ENTRY, , ) AD_BINARY(ENTRY_2, , ) AD_TERNARY(ENTRY, , ) };

static void check(const row *r, const char *what, const double *x, int n, double got, double expected, double tolerance) {
  if (near_to(got, expected, tolerance)) return;
  fail_msg("%s of %s at %.17g %.17g %.17g: %.17g, expected %.17g", what, r->name, x[0], n > 1 ? x[1] : 0, n > 2 ? x[2] : 0, got, expected);
}

/* value and partials by the tape, all ways to mix in numbers, equal those by duals */
static void compare_first(ad_tape *t, const row *r, int n, const double *x) {
  ad_dual dx[3], d;
  ad_var v[3], y;
  ad_tape_reset(t);
  for (int k = 0; k < n; k++) { v[k] = ad_variable(t, x[k]); dx[k] = ad_dual_variable(x[k], k); }
  d = r->dual(dx);
  y = r->var(v);
  assert_int_equal(ad_backward(y), AD_OK);
  check(r, "value", x, n, ad_value(y), d.v, 1e-15);
  for (int k = 0; k < n; k++) check(r, "partial", x, n, ad_grad(v[k]), d.d[k], 1e-15);
  if (n != 2) return;
  y = r->xk(v[0], x[1]);
  assert_int_equal(ad_backward(y), AD_OK);
  check(r, "value with a number", x, n, ad_value(y), d.v, 1e-15);
  check(r, "partial x, y a number", x, n, ad_grad(v[0]), d.d[0], 1e-15);
  y = r->ky(x[0], v[1]);
  assert_int_equal(ad_backward(y), AD_OK);
  check(r, "value of a number", x, n, ad_value(y), d.v, 1e-15);
  check(r, "partial y, x a number", x, n, ad_grad(v[1]), d.d[1], 1e-15);
}

static void map_row(const ad_var *x, ad_var *y, void *context) { y[0] = ((const row *)context)->var(x); }

static void test_rows(void **unused) {
  ad_tape *t = ad_tape_create(NULL);
  (void)unused;
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    const ad_op_info *info = &ad_ops[op];
    const int n = info->arity;
    void *context = (void *)(uintptr_t)&rows[op];
    for (int p = 0; p < 40; p++) {
      double x[3] = { 0, 0, 0 }, y, g[3], h[9];
      for (int k = 0; k < n; k++) x[k] = uniform(info->lo[k], info->hi[k]);
      compare_first(t, &rows[op], n, x);
      assert_int_equal(ad_hessian(map_row, context, (size_t)n, x, &y, g, h), AD_OK);
      for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
          ad_dual2 e[3];
          for (int k = 0; k < n; k++) e[k] = ad_dual2_constant(ad_dual_variable(x[k], k));
          e[i].d[0] = ad_dual_constant(1);
          check(&rows[op], "second derivative", x, n, h[i * n + j], rows[op].dual2(e).d[0].d[j], 1e-12);
        }
    }
  }
  ad_tape_destroy(t);
}

static void test_central_differences(void **unused) {
  (void)unused;
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    const ad_op_info *info = &ad_ops[op];
    if (op == AD_OP_powi || op == AD_OP_polygamma) continue;              /* their orders are not differentiated */
    for (int p = 0; p < 20; p++) {
      double x[3] = { 0, 0, 0 };
      ad_gradient_report report;
      for (int k = 0; k < info->arity; k++) {
        const double lo = info->lo[k], hi = info->hi[k];
        x[k] = uniform(lo + 0.02 * (hi - lo), hi - 0.02 * (hi - lo));
      }
      if (ad_check_gradient_report(map_row, (void *)(uintptr_t)&rows[op], (size_t)info->arity, x, 1e-6, &report) != AD_OK && fabs(report.difference) < 1e4)
        fail_msg("%s at %g %g %g: partial %zu is %.12g, by differences %.12g", rows[op].name, x[0], x[1], x[2], report.entry, report.gradient,
                 report.difference);
    }
  }
}

static void test_special_values(void **unused) {
  static const double special[] = { 0.0, -0.0, 0.5, -0.5, 1, -1, 2, -2, 3, -3, 1e-308, -1e-308, 1e300, -1e300, 0x1p-1074, 710, -745, 20,
                                    INFINITY, -INFINITY, NAN };
  const int count = (int)(sizeof special / sizeof *special);
  ad_tape *t = ad_tape_create(NULL);
  (void)unused;
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    const int n = ad_ops[op].arity;
    for (int i = 0; i < count; i++)
      for (int j = 0; j < (n > 1 ? count : 1); j++)
        for (int k = 0; k < (n > 2 ? count : 1); k++) {
          const double x[3] = { special[i], special[j], special[k] };
          compare_first(t, &rows[op], n, x);
        }
  }
  ad_tape_destroy(t);
}

/* R6: an adjoint that is exactly 0 contributes exactly 0, whatever the partial is */
static void test_zero_seed(void **unused) {
  ad_tape *t = ad_tape_create(NULL);
  ad_var x = ad_variable(t, 0), y;
  (void)unused;
  ad_backward(ad_mul(x, ad_sqrt(x)));
  assert_true(ad_grad(x) == 0);
  x = ad_variable(t, -1);
  ad_backward(ad_select(ad_less(0, x), ad_sqrt(x), ad_mul(x, 3)));
  assert_true(ad_grad(x) == 3);
  x = ad_variable(t, 0);
  ad_backward(ad_sqrt(x));
  assert_true(ad_grad(x) == INFINITY);
  x = ad_variable(t, 1000);
  y = ad_variable(t, 5);
  ad_backward(ad_where(ad_less_equal(x, 700), ad_exp(x), y));
  assert_true(ad_grad(x) == 0 && ad_grad(y) == 1);
  ad_tape_destroy(t);
}

/* the same of derivatives that are recorded: ad_differentiate gives what ad_backward gives, and derivatives of it go on */
static void test_zero_seed_recorded(void **unused) {
  ad_tape *t = ad_tape_create(NULL);
  const size_t shape[2] = { 2, 2 };
  const double data[4] = { INFINITY, 1, 2, 3 }, seed[2] = { 0, 1 };
  ad_var x = ad_variable(t, 0), y, g, gg;
  (void)unused;
  assert_int_equal(ad_differentiate(ad_mul(x, ad_sqrt(x)), &x, 1, &g), AD_OK);
  assert_true(ad_value(g) == 0);
  y = ad_where(ad_less_equal(x, 0), x, ad_log(x));
  assert_int_equal(ad_differentiate(y, &x, 1, &g), AD_OK);
  assert_true(ad_value(g) == 1);
  x = ad_variable(t, 2);                            /* (x - 2)^2 x: the adjoint of the square is not 0, that of x is, its derivative is not */
  assert_int_equal(ad_differentiate(ad_mul(ad_square(ad_sub(x, 2)), x), &x, 1, &g), AD_OK);
  assert_int_equal(ad_differentiate(g, &x, 1, &gg), AD_OK);
  assert_true(ad_value(g) == 0 && ad_value(gg) == 4);
  x = ad_tensor_variable(t, AD_F64, 2, shape, data);
  y = ad_sumsq(x, 1, false);
  assert_int_equal(ad_backward_from(y, seed), AD_OK);
  assert_true(((const double *)ad_grad_data(x))[0] == 0 && ((const double *)ad_grad_data(x))[3] == 6);
  assert_int_equal(ad_differentiate(ad_dot(y, ad_tensor_constant(t, AD_F64, 1, shape, seed)), &x, 1, &g), AD_OK);
  assert_true(((const double *)ad_data(g))[0] == 0 && ((const double *)ad_data(g))[3] == 6);
  ad_tape_destroy(t);
}

/* --- random graphs: the same program with duals and on the tape */

enum { INPUTS = 6, STEPS = 60 };
typedef struct program { int op[STEPS], a[STEPS], b[STEPS], c[STEPS]; double k[STEPS]; } program;
static program random_program(void) {
  program p;
  for (int i = 0; i < STEPS; i++) {
    p.op[i] = (int)uniform(0, 14);
    p.a[i] = (int)uniform(0, INPUTS + i);
    p.b[i] = i % 3 ? (int)uniform(0, INPUTS + i) : INPUTS + i - 1;
    p.c[i] = (int)uniform(0, INPUTS + i);
    p.k[i] = uniform(-2, 2);
  }
  return p;
}
#define STEP(T)                                                                                                               \
  switch (p->op[i]) {                                                                                                         \
    case 0: r = ad_add(a, b); break;            case 1: r = ad_sub(a, b); break;          case 2: r = ad_mul(ad_tanh(a), b); break; \
    case 3: r = ad_sin(a); break;               case 4: r = ad_fma(ad_cos(a), b, c); break; case 5: r = ad_mul(a, k); break;    \
    case 6: r = ad_div(k, ad_add(ad_square(a), 1)); break; case 7: r = ad_sigmoid(a); break; case 8: r = ad_max(a, b); break; \
    case 9: r = ad_select(ad_less(a, b), c, ad_mul(a, 0.5)); break; case 10: r = ad_hypot(a, ad_add(ad_abs(b), 1)); break;     \
    case 11: r = ad_sqrt(ad_add(ad_square(a), 0.1)); break; case 12: r = ad_atan2(a, ad_add(ad_square(b), 1)); break;          \
    default: r = ad_sub(k, a); break;                                                                                         \
  }
#define RUN(T, name)                                                                                                          \
  static void name(const T *x, T *y, void *context) {                                                                         \
    const program *p = (const program *)context;                                                                              \
    T v[INPUTS + STEPS];                                                                                                      \
    for (int i = 0; i < INPUTS; i++) v[i] = x[i];                                                                             \
    for (int i = 0; i < STEPS; i++) { const T a = v[p->a[i]], b = v[p->b[i]], c = v[p->c[i]]; const double k = p->k[i]; T r;    \
      STEP(T) v[INPUTS + i] = r; }                                                                                            \
    y[0] = v[INPUTS + STEPS - 1]; y[1] = ad_mul(v[INPUTS + STEPS / 2], v[INPUTS + STEPS - 2]); }
RUN(ad_dual, run_dual)
RUN(ad_dual2, run_dual2)
RUN(ad_var, run_var)

static void run_one(const ad_var *x, ad_var *y, void *context) { ad_var both[2]; run_var(x, both, context); y[0] = both[0]; }

static void test_random_graphs(void **unused) {
  (void)unused;
  for (int trial = 0; trial < 300; trial++) {
    program p = random_program();
    double x[INPUTS], yf[2], yr[2], jf[2 * INPUTS], jr[2 * INPUTS];
    for (int i = 0; i < INPUTS; i++) x[i] = uniform(-2, 2);
    assert_int_equal(ad_jacobian_forward(run_dual, &p, INPUTS, x, 2, yf, jf), AD_OK);
    assert_int_equal(ad_jacobian_reverse(run_var, &p, INPUTS, x, 2, yr, jr), AD_OK);
    for (int i = 0; i < 2; i++) assert_true(near_to(yr[i], yf[i], 1e-14));
    for (int i = 0; i < 2 * INPUTS; i++) if (!near_to(jr[i], jf[i], 1e-11)) fail_msg("graph %d, entry %d: %.17g, forward %.17g", trial, i, jr[i], jf[i]);
  }
  for (int trial = 0; trial < 100; trial++) {
    program p = random_program();
    double x[INPUTS], h[INPUTS * INPUTS], g[INPUTS], v[INPUTS], hv[INPUTS], y;
    ad_dual2 e[INPUTS], r[2];
    for (int i = 0; i < INPUTS; i++) { x[i] = uniform(-2, 2); v[i] = uniform(-1, 1); e[i] = ad_dual2_constant(ad_dual_variable(x[i], i)); e[i].d[0] = ad_dual_constant(v[i]); }
    run_dual2(e, r, &p);
    assert_int_equal(ad_hessian_vector(run_one, &p, INPUTS, x, v, &y, g, hv), AD_OK);
    assert_int_equal(ad_hessian(run_one, &p, INPUTS, x, NULL, NULL, h), AD_OK);
    assert_true(near_to(y, r[0].v.v, 1e-14));
    for (int i = 0; i < INPUTS; i++) {
      double product = 0;
      for (int k = 0; k < INPUTS; k++) product += h[i * INPUTS + k] * v[k];
      assert_true(near_to(g[i], r[0].v.d[i], 1e-11));
      if (!near_to(hv[i], r[0].d[0].d[i], 1e-9)) fail_msg("graph %d, entry %d of hv: %.17g, forward %.17g", trial, i, hv[i], r[0].d[0].d[i]);
      assert_true(near_to(hv[i], product, 1e-9));
    }
  }
}

/* --- drivers */

static void rosenbrock(const ad_var *x, ad_var *y, void *context) {
  const int n = *(const int *)context;
  ad_var s = ad_constant(x[0].tape, 0);
  for (int i = 0; i + 1 < n; i++) {
    const ad_var a = ad_sub(x[i + 1], ad_square(x[i])), b = ad_sub(1, x[i]);
    s = ad_add(s, ad_add(ad_mul(100, ad_square(a)), ad_square(b)));
  }
  y[0] = s;
}
static void test_rosenbrock(void **unused) {
  enum { N = 21 };
  int n = N;
  double x[N], v[N], y, g[N], h[N * N], hv[N], gv[N], worst;
  (void)unused;
  for (int i = 0; i < N; i++) { x[i] = uniform(-2, 2); v[i] = uniform(-1, 1); }
  assert_int_equal(ad_hessian(rosenbrock, &n, N, x, &y, g, h), AD_OK);
  assert_int_equal(ad_hessian_vector(rosenbrock, &n, N, x, v, NULL, gv, hv), AD_OK);
  for (int i = 0; i < N; i++) {
    const double left = i > 0 ? 200 * (x[i] - x[i - 1] * x[i - 1]) : 0;
    const double right = i + 1 < N ? -400 * x[i] * (x[i + 1] - x[i] * x[i]) - 2 * (1 - x[i]) : 0;
    double product = 0;
    assert_true(near_to(g[i], left + right, 1e-12) && near_to(gv[i], g[i], 1e-15));
    for (int j = 0; j < N; j++) {
      double expected = 0;
      if (i == j) expected = (i > 0 ? 200 : 0) + (i + 1 < N ? 1200 * x[i] * x[i] - 400 * x[i + 1] + 2 : 0);
      if (j == i + 1) expected = -400 * x[i];
      if (i == j + 1) expected = -400 * x[j];
      assert_true(near_to(h[i * N + j], expected, 1e-12));
      product += h[i * N + j] * v[j];
    }
    assert_true(near_to(hv[i], product, 1e-11));
  }
  assert_int_equal(ad_check_gradient(rosenbrock, &n, N, x, 1e-6, &worst), AD_OK);
  assert_true(worst < 1e-6);
}

static void two_outputs(const ad_var *x, ad_var *y, void *context) { (void)context; y[0] = ad_mul(x[0], x[1]); (void)y; }
static void wrong_output(const ad_var *x, ad_var *y, void *context) { (void)context; y[0] = ad_mul(x[0], x[1]); y[0].kind = 0; }
static void returns_input(const ad_var *x, ad_var *y, void *context) { (void)context; y[0] = x[1]; }
static void jump(const ad_var *x, ad_var *y, void *context) { (void)context; y[0] = ad_add(ad_floor(x[0]), x[1]); }
static void test_drivers(void **unused) {
  const double x[2] = { 3, 5 };
  double y[2], j[4], g[2], h[4], worst;
  ad_gradient_report report;
  (void)unused;
  assert_int_equal(ad_jacobian_reverse(two_outputs, NULL, 2, x, 2, y, j), AD_OK);       /* y[1] stays the constant 0 */
  assert_true(y[0] == 15 && y[1] == 0 && j[0] == 5 && j[1] == 3 && j[2] == 0 && j[3] == 0);
  assert_int_equal(ad_gradient(returns_input, NULL, 2, x, y, g), AD_OK);
  assert_true(y[0] == 5 && g[0] == 0 && g[1] == 1);
  assert_int_equal(ad_hessian(returns_input, NULL, 2, x, y, g, h), AD_OK);
  assert_true(g[0] == 0 && g[1] == 1 && h[0] == 0 && h[1] == 0 && h[2] == 0 && h[3] == 0);
  assert_int_equal(ad_gradient(wrong_output, NULL, 2, x, y, g), AD_ERROR_TAPE);
  assert_int_equal(ad_gradient(NULL, NULL, 2, x, y, g), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_gradient(two_outputs, NULL, 0, x, y, g), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_gradient(two_outputs, NULL, 2, NULL, y, g), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_gradient(two_outputs, NULL, 2, x, y, NULL), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_jacobian_reverse(two_outputs, NULL, 2, x, 0, y, j), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_jacobian_reverse(two_outputs, NULL, 2, x, SIZE_MAX / 2, y, j), AD_ERROR_LIMIT);
  assert_int_equal(ad_hessian(two_outputs, NULL, 2, x, y, g, NULL), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_hessian_vector(two_outputs, NULL, 2, x, NULL, y, g, h), AD_ERROR_ARGUMENT);
  {
    const double at_jump[2] = { 2, 1 };
    assert_int_equal(ad_check_gradient(jump, NULL, 2, at_jump, 1e-6, &worst), AD_ERROR_ARGUMENT);
    assert_true(worst > 1e3);
    assert_int_equal(ad_check_gradient_report(jump, NULL, 2, at_jump, 1e-6, &report), AD_ERROR_ARGUMENT);
    assert_true(report.entry == 0 && report.gradient == 0 && report.difference > 1e3);
    assert_int_equal(ad_check_gradient(jump, NULL, 2, x, NAN, NULL), AD_ERROR_ARGUMENT);
    assert_int_equal(ad_check_gradient(NULL, NULL, 2, x, 1, NULL), AD_ERROR_ARGUMENT);
  }
}

/* outputs that are tensors of rank 0, of both types: sum of x_i exp(w_i x_0) */
static void weighted(const ad_var *x, ad_var *y, void *context) {
  const ad_dtype type = *(const ad_dtype *)context;
  const double w64[3] = { 1, 2, 3 };
  const float w32[3] = { 1, 2, 3 };
  const size_t n = 3;
  const ad_var w = ad_tensor_constant(x[0].tape, type, 1, &n, type == AD_F32 ? (const void *)w32 : (const void *)w64);
  y[0] = ad_sum(ad_mul(ad_exp(ad_mul(w, x[0])), ad_cast(ad_stack(x, 3, 0), type)), AD_ALL, false);
}
static void vector_output(const ad_var *x, ad_var *y, void *context) { (void)context; y[0] = ad_stack(x, 3, 0); }
static void label_output(const ad_var *x, ad_var *y, void *context) { (void)context; y[0] = ad_argmax(ad_stack(x, 3, 0), 0); }
static void test_rank_0(void **unused) {
  const double x[3] = { 0.1, 2, -3 }, v[3] = { 1, -1, 2 };
  (void)unused;
  for (ad_dtype type = AD_F32; type <= AD_F64; type = (ad_dtype)(type + 1)) {
    const double eps = type == AD_F32 ? 1e-6 : 1e-14;
    double y = 0, g[3], j[3], h[9], hv[3], e[3], worst, want = 0, first[3] = { 0, 0, 0 }, second = 0;
    for (int i = 0; i < 3; i++) {
      e[i] = exp((i + 1) * x[0]);
      want += x[i] * e[i];
      first[i] += e[i];
      first[0] += x[i] * (i + 1) * e[i];
      second += (i ? 0 : 2 * e[0]) + x[i] * (i + 1) * (i + 1) * e[i];
    }
    assert_int_equal(ad_gradient(weighted, &type, 3, x, &y, g), AD_OK);
    assert_true(near_to(y, want, eps));
    assert_int_equal(ad_jacobian_reverse(weighted, &type, 3, x, 1, NULL, j), AD_OK);
    for (int i = 0; i < 3; i++) assert_true(near_to(g[i], first[i], eps) && j[i] == g[i]);
    assert_int_equal(ad_hessian(weighted, &type, 3, x, &y, g, h), AD_OK);
    for (int i = 0; i < 3; i++) {
      assert_true(near_to(g[i], first[i], eps));
      for (int k = 0; k < 3; k++) assert_true(near_to(h[3 * i + k], i && k ? 0 : i || k ? (i + k + 1) * e[i + k] : second, 10 * eps));
    }
    assert_int_equal(ad_hessian_vector(weighted, &type, 3, x, v, NULL, NULL, hv), AD_OK);
    for (int i = 0; i < 3; i++) assert_true(near_to(hv[i], h[3 * i] * v[0] + h[3 * i + 1] * v[1] + h[3 * i + 2] * v[2], 10 * eps));
    if (type == AD_F64) assert_int_equal(ad_check_gradient(weighted, &type, 3, x, 1e-7, &worst), AD_OK);
    assert_int_equal(ad_gradient(vector_output, NULL, 3, x, &y, g), AD_ERROR_SHAPE);
    assert_int_equal(ad_gradient(label_output, NULL, 3, x, &y, g), AD_ERROR_SHAPE);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_rows), cmocka_unit_test(test_central_differences), cmocka_unit_test(test_special_values),
    cmocka_unit_test(test_zero_seed), cmocka_unit_test(test_zero_seed_recorded), cmocka_unit_test(test_random_graphs), cmocka_unit_test(test_rosenbrock), cmocka_unit_test(test_drivers), cmocka_unit_test(test_rank_0),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
