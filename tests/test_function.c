/* Functions: every row of the table and random graphs against duals, guards, partial blocks, threads, memory that runs out. */
#include "test.h"
#include <pthread.h>

#include "memory.h"
#include "ad.h"

static uint64_t state = 88172645463325252u;
static double uniform(double lo, double hi) {
  state ^= state << 13; state ^= state >> 7; state ^= state << 17;
  return lo + (hi - lo) * (double)(state >> 11) * 0x1p-53;
}
static bool near_to(double a, double b, double tolerance) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
  return a == b || fabs(a - b) <= tolerance * (1 + fabs(a) + fabs(b));
}
#define assert_near(a, b, tolerance)                                                                                          \
  do { double a_ = (a), b_ = (b); if (!near_to(a_, b_, tolerance)) { print_error("%s: %.17g, expected %.17g\n", context, a_, b_); \
      assert_true(near_to(a_, b_, tolerance)); } } while (0)

/* --- every row, all kinds, against duals of duals */

typedef struct row { ad_var (*var)(const ad_var *); ad_dual2 (*dual)(const ad_dual2 *); } row;
#define ROW_1(N, D, op, ...) static ad_var v_##op(const ad_var *x) { return ad_var_##op(x[0]); }                              \
  static ad_dual2 d_##op(const ad_dual2 *x) { return ad_dual2_##op(x[0]); }
#define ROW_2(N, D, op, ...) static ad_var v_##op(const ad_var *x) { return ad_var_##op(x[0], x[1]); }                        \
  static ad_dual2 d_##op(const ad_dual2 *x) { return ad_dual2_##op(x[0], x[1]); }
#define ROW_3(N, D, op, ...) static ad_var v_##op(const ad_var *x) { return ad_var_##op(x[0], x[1], x[2]); }                  \
  static ad_dual2 d_##op(const ad_dual2 *x) { return ad_dual2_##op(x[0], x[1], x[2]); }
AD_UNARY(ROW_1, , ) AD_BINARY(ROW_2, , ) AD_TERNARY(ROW_3, , )
#define ENTRY(N, D, op, ...) { v_##op, d_##op },
static const row rows[] = { AD_UNARY(ENTRY, , ) AD_BINARY(ENTRY, , ) AD_TERNARY(ENTRY, , ) };

static void record_row(const ad_var *x, ad_var *y, void *context) { y[0] = ((const row *)context)->var(x); }

enum { POINTS = 70 };
static void test_rows(void **unused) {
  static double x[POINTS * 3], y[POINTS], jacobian[POINTS * 3], hessian[POINTS * 9], jvp[POINTS], hv[POINTS * 3], direction[POINTS * 3];
  static float xf[POINTS * 3], yf[POINTS];
  (void)unused;
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    const ad_op_info *info = &ad_ops[op];
    size_t n = (size_t)info->arity;
    char context[64];
    for (size_t i = 0; i < POINTS * n; i++) {
      x[i] = uniform(info->lo[i % n], info->hi[i % n]);
      xf[i] = (float)x[i];
      direction[i] = uniform(-1, 1);
    }
    ad_function *f = ad_function_record(record_row, (void *)(uintptr_t)&rows[op], n, x, 1);
    assert_non_null(f);
    assert_int_equal(ad_function_jacobian_many(f, POINTS, x, y, jacobian), AD_OK);
    ad_function_arguments a;
    memset(&a, 0, sizeof a);
    a.dtype = AD_F64; a.x = x; a.dx = direction; a.result = hessian;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_HESSIAN, POINTS, &a), AD_OK);
    a.result = jvp;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JVP, POINTS, &a), AD_OK);
    a.result = hv;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_HESSIAN_VECTOR, POINTS, &a), AD_OK);
    a.dtype = AD_F32; a.x = xf; a.y = yf; a.result = NULL;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_VALUE, POINTS, &a), AD_OK);
    for (size_t p = 0; p < POINTS; p++) {
      double one = 1, y1, j1[3], g1[3], h1[9], slope = 0;
      snprintf(context, sizeof context, "%s at %g %g %g", info->name, x[p * n], n > 1 ? x[p * n + 1] : 0, n > 2 ? x[p * n + 2] : 0);
      assert_int_equal(ad_function_jacobian(f, x + p * n, &y1, j1), AD_OK);
      assert_int_equal(ad_function_vjp(f, x + p * n, &one, NULL, g1), AD_OK);
      assert_int_equal(ad_function_hessian(f, x + p * n, &one, h1), AD_OK);
      for (size_t i = 0; i < n; i++) {
        double curve = 0;
        for (size_t k = 0; k < n; k++) {
          ad_dual2 q[3];
          for (size_t z = 0; z < n; z++) {
            q[z] = ad_dual2_k(x[p * n + z]);
            q[z].v.d[0] = z == i; q[z].d[0].v = z == k;
          }
          ad_dual2 v = rows[op].dual(q);
          assert_near(y[p], v.v.v, 1e-12);
          assert_near(y1, v.v.v, 1e-12);
          assert_near(jacobian[p * n + i], v.v.d[0], 1e-11);
          assert_near(j1[i], v.v.d[0], 1e-11);
          assert_near(g1[i], v.v.d[0], 1e-11);
          if (!(op == AD_OP_polygamma && (i == 0 || k == 0)) && !(op == AD_OP_powi && (i == 1 || k == 1))) {     /* an order is discrete */
            assert_near(hessian[(p * n + i) * n + k], v.d[0].d[0], 1e-9);
            assert_near(h1[i * n + k], v.d[0].d[0], 1e-9);
          }
          curve += h1[i * n + k] * direction[p * n + k];
        }
        if (op != AD_OP_polygamma && op != AD_OP_powi) assert_near(hv[p * n + i], curve, 1e-9);
        slope += j1[i] * direction[p * n + i];
      }
      if (op != AD_OP_polygamma && op != AD_OP_powi) assert_near(jvp[p], slope, 1e-9);
      if (fabs(y1) < 1e6 && fabs(j1[0]) < 1e3) assert_near((double)yf[p], y1, 1e-3);
    }
    ad_function_destroy(f);
  }
}

/* --- special points: the same class of value and derivative (NaN, infinity, 0, number) as duals and the tape, in every kind and lane */

AD_DUAL(d32, ad_f32, 1)
typedef d32 single_row(const d32 *x);
#define SINGLE_1(N, D, op, ...) static d32 s_##op(const d32 *x) { return d32_##op(x[0]); }
#define SINGLE_2(N, D, op, ...) static d32 s_##op(const d32 *x) { return d32_##op(x[0], x[1]); }
#define SINGLE_3(N, D, op, ...) static d32 s_##op(const d32 *x) { return d32_##op(x[0], x[1], x[2]); }
AD_UNARY(SINGLE_1, , ) AD_BINARY(SINGLE_2, , ) AD_TERNARY(SINGLE_3, , )
#define SINGLE_ENTRY(N, D, op, ...) s_##op,
static single_row *const singles[] = { AD_UNARY(SINGLE_ENTRY, , ) AD_BINARY(SINGLE_ENTRY, , ) AD_TERNARY(SINGLE_ENTRY, , ) };

static int mismatches;
static void expect_near(double a, double b, double tolerance, const char *what, const char *name, const double *x, size_t n) {
  if (near_to(a, b, tolerance)) return;
  if (mismatches++ < 20) print_error("%s of %s at %g %g %g: %.17g, expected %.17g\n", what, name, x[0], n > 1 ? x[1] : 0, n > 2 ? x[2] : 0, a, b);
}
enum { SPECIAL = 10, SPECIAL_POINTS = 343 };
static size_t special_points(int op, double *x) {
  const double at[SPECIAL] = { 0, 1, 2, -1, (double)INFINITY, (double)NAN, -0.0, 0.5, -2, -(double)INFINITY };
  const ad_op_info *info = &ad_ops[op];
  size_t n = (size_t)info->arity, each = n == 1 ? SPECIAL + 2 : n == 2 ? SPECIAL : 7, count = 1;
  for (size_t i = 0; i < n; i++) count *= each;
  for (size_t p = 0; p < count; p++)
    for (size_t i = 0, q = p; i < n; i++, q /= each) x[p * n + i] = q % each < SPECIAL ? at[q % each] : (double)(float)(q % each == SPECIAL ? info->lo[0] : info->hi[0]);
  return count;
}
/* Second derivatives are compared where there is a value. At poles and kinks of these rows infinity meets 0, or the order of differentiation
   counts: there the function, forward over reverse, may give NaN or the other order (tests/special.h says why). */
static bool order_counts(int op) {
  return op == AD_OP_pow || op == AD_OP_pow_slope || op == AD_OP_xlogy || op == AD_OP_xlog1py || op == AD_OP_atan2 || op == AD_OP_hypot_share || op == AD_OP_elu;
}
static void test_special(void **unused) {
  static double x[SPECIAL_POINTS * 3], y[SPECIAL_POINTS], jacobian[SPECIAL_POINTS * 3], hessian[SPECIAL_POINTS * 9], jvp[SPECIAL_POINTS], seed[SPECIAL_POINTS * 3];
  static float xf[SPECIAL_POINTS * 3], yf[SPECIAL_POINTS], jacobianf[SPECIAL_POINTS * 3];
  (void)unused;
  mismatches = 0;
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    const char *name = ad_ops[op].name;
    size_t n = (size_t)ad_ops[op].arity, count = special_points(op, x);
    for (size_t i = 0; i < count * n; i++) xf[i] = (float)x[i];
    ad_function *f = ad_function_record(record_row, (void *)(uintptr_t)&rows[op], n, x, 1);
    assert_non_null(f);
    ad_function_arguments a;
    memset(&a, 0, sizeof a);
    a.dtype = AD_F64; a.x = x; a.y = y; a.result = jacobian;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, count, &a), AD_OK);
    a.result = hessian;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_HESSIAN, count, &a), AD_OK);
    a.dtype = AD_F32; a.x = xf; a.y = yf; a.result = jacobianf;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, count, &a), AD_OK);
    a.dtype = AD_F64; a.x = x; a.y = y; a.result = jvp; a.dx = seed;
    for (size_t i = 0; i < n; i++) {
      memset(seed, 0, sizeof seed);
      for (size_t p = 0; p < count; p++) seed[p * n + i] = 1;
      assert_int_equal(ad_function_apply(f, AD_FUNCTION_JVP, count, &a), AD_OK);
      for (size_t p = 0; p < count; p++) {
        const double *at = x + p * n;
        double one = 1, tape_y, tape_g[3], gx[3], y1;
        ad_dual2 q[3];
        d32 s[3];
        for (size_t z = 0; z < n; z++) { s[z] = d32_k((double)xf[p * n + z]); s[z].d[0] = z == i; }
        d32 vs = singles[op](s);
        assert_int_equal(ad_jacobian_reverse(record_row, (void *)(uintptr_t)&rows[op], n, at, 1, &tape_y, tape_g), AD_OK);
        assert_int_equal(ad_function_vjp(f, at, &one, &y1, gx), AD_OK);
        for (size_t k = 0; k < n; k++) {
          for (size_t z = 0; z < n; z++) { q[z] = ad_dual2_k(at[z]); q[z].v.d[0] = z == i; q[z].d[0].v = z == k; }
          ad_dual2 v = rows[op].dual(q);
          if (k == 0) {
            expect_near(y[p], v.v.v, 1e-12, "value", name, at, n);
            expect_near(y1, v.v.v, 1e-12, "value at one point", name, at, n);
            expect_near(y[p], tape_y, 1e-12, "value, by the tape", name, at, n);
            expect_near(jacobian[p * n + i], v.v.d[0], 1e-11, "derivative", name, at, n);
            expect_near(jacobian[p * n + i], tape_g[i], 1e-11, "derivative, by the tape", name, at, n);
            expect_near(gx[i], v.v.d[0], 1e-11, "adjoint", name, at, n);
            expect_near(jvp[p], v.v.d[0], 1e-11, "tangent", name, at, n);
            expect_near((double)yf[p], (double)vs.v, 1e-5, "value in float", name, at, n);
            expect_near((double)jacobianf[p * n + i], (double)vs.d[0], 1e-4, "derivative in float", name, at, n);
          }
          if (!(op == AD_OP_polygamma && (i == 0 || k == 0)) && !(op == AD_OP_powi && (i == 1 || k == 1)) && v.v.v == v.v.v) {
            double second = hessian[(p * n + i) * n + k], edge = 0;
            for (size_t z = 0; z < n; z++) q[z].v.d[0] = z == k, q[z].d[0].v = z == i, edge += at[z] == 0 || !isfinite(at[z]);
            if (order_counts(op) && ((second != second && edge > 0) || near_to(second, rows[op].dual(q).d[0].d[0], 1e-9))) continue;
            expect_near(second, v.d[0].d[0], 1e-9, "second derivative", name, at, n);
          }
        }
      }
    }
    ad_function_destroy(f);
  }
  assert_int_equal(mismatches, 0);
}

/* --- random graphs */

typedef struct graph { int n, m, count; int op[64], a[64], b[64], out[4]; double k[64]; } graph;

#define GRAPH(T, NAME, K)                                                                                                     \
  static void NAME(const T *x, T *y, void *context) {                                                                         \
    const graph *g = (const graph *)context;                                                                                  \
    T v[80];                                                                                                                  \
    for (int i = 0; i < g->n; i++) v[i] = x[i];                                                                               \
    for (int i = 0; i < g->count; i++) v[g->n + i] = NAME##_step(g->op[i], v[g->a[i]], v[g->b[i]], g->k[i]);                  \
    for (int j = 0; j < g->m; j++) y[j] = v[g->out[j]];                                                                       \
  }
#define STEP(T, NAME)                                                                                                         \
  static T NAME##_step(int op, T a, T b, double k) {                                                                          \
    switch (op) {                                                                                                             \
      case 0: return T##_add(a, b);                                                                                           \
      case 1: return T##_sub(a, b);                                                                                           \
      case 2: return T##_mul(a, b);                                                                                           \
      case 3: return T##_div(a, T##_add_xk(T##_square(b), 1.5));                                                              \
      case 4: return T##_sin(a);                                                                                              \
      case 5: return T##_tanh(T##_mul(a, b));                                                                                 \
      case 6: return T##_mul_xk(a, k);                                                                                        \
      case 7: return T##_sub_ky(k, a);                                                                                        \
      case 8: return T##_sqrt(T##_add_xk(T##_square(a), 0.5));                                                                \
      case 9: return T##_exp(T##_neg(T##_square(a)));                                                                         \
      case 10: return T##_fma(a, b, a);                                                                                       \
      case 11: return T##_max(a, b);                                                                                          \
      case 12: return T##_where(T##_less(a, b), T##_sin(b), T##_mul(a, a));                                                   \
      case 13: return T##_mul_xk(a, 0);                                                                                       \
      case 14: return T##_add_xk(T##_neg(a), 0);                                                                              \
      default: return T##_mul(a, a);                                                                                          \
    }                                                                                                                         \
  }
STEP(ad_var, graph_var) GRAPH(ad_var, graph_var, )
STEP(ad_dual2, graph_dual) GRAPH(ad_dual2, graph_dual, )

static graph random_graph(void) {
  graph g;
  memset(&g, 0, sizeof g);
  g.n = 1 + (int)uniform(0, 6); g.m = 1 + (int)uniform(0, 4); g.count = 1 + (int)uniform(0, 40);
  for (int i = 0; i < g.count; i++) {
    g.op[i] = (int)uniform(0, 16);
    g.a[i] = (int)uniform(0, g.n + i); g.b[i] = (int)uniform(0, g.n + i);
    g.k[i] = uniform(-2, 2);
    if (uniform(0, 1) < 0.6) g.a[i] = g.n + i - 1 < 0 ? 0 : g.n + i - 1;
  }
  for (int j = 0; j < g.m; j++) g.out[j] = (int)uniform(0, g.n + g.count);
  g.out[0] = g.n + g.count - 1;
  return g;
}

static void test_graphs(void **unused) {
  (void)unused;
  for (int round = 0; round < 300; round++) {
    graph g = random_graph();
    size_t n = (size_t)g.n, m = (size_t)g.m;
    char context[64];
    double x[5 * 6], y[5 * 4], jacobian[5 * 24], h[36], hv[6], w[4], d[6], dy[4], gx[6], y1[4], j1[24];
    snprintf(context, sizeof context, "graph %d", round);
    for (size_t i = 0; i < 5 * n; i++) x[i] = uniform(-1.5, 1.5);
    for (size_t j = 0; j < m; j++) w[j] = uniform(-1, 1);
    for (size_t i = 0; i < n; i++) d[i] = uniform(-1, 1);
    ad_function *f = ad_function_record(graph_var, &g, n, x, m);
    assert_non_null(f);
    assert_int_equal(ad_function_jacobian_many(f, 5, x, y, jacobian), AD_OK);
    for (size_t p = 0; p < 5; p++) {
      const double *at = x + p * n;
      double slope[4] = { 0 }, pull[6] = { 0 }, curve[6] = { 0 };
      assert_int_equal(ad_function_evaluate(f, at, y1), AD_OK);
      assert_int_equal(ad_function_jacobian(f, at, NULL, j1), AD_OK);
      assert_int_equal(ad_function_jvp(f, at, d, NULL, dy), AD_OK);
      assert_int_equal(ad_function_vjp(f, at, w, NULL, gx), AD_OK);
      assert_int_equal(ad_function_hessian(f, at, w, h), AD_OK);
      assert_int_equal(ad_function_hessian_vector(f, at, w, d, hv), AD_OK);
      for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
          ad_dual2 q[6], v[4];
          double second = 0;
          for (size_t z = 0; z < n; z++) { q[z] = ad_dual2_k(at[z]); q[z].v.d[0] = z == i; q[z].d[0].v = z == k; }
          graph_dual(q, v, &g);
          for (size_t j = 0; j < m; j++) {
            second += w[j] * v[j].d[0].d[0];
            if (k) continue;
            assert_near(y[p * m + j], v[j].v.v, 1e-12);
            assert_near(y1[j], v[j].v.v, 1e-12);
            assert_near(jacobian[(p * m + j) * n + i], v[j].v.d[0], 1e-10);
            assert_near(j1[j * n + i], v[j].v.d[0], 1e-10);
            slope[j] += v[j].v.d[0] * d[i];
            pull[i] += v[j].v.d[0] * w[j];
          }
          assert_near(h[i * n + k], second, 1e-8);
          curve[i] += second * d[k];
        }
      for (size_t j = 0; j < m; j++) assert_near(dy[j], slope[j], 1e-9);
      for (size_t i = 0; i < n; i++) { assert_near(gx[i], pull[i], 1e-9); assert_near(hv[i], curve[i], 1e-7); }
    }
    ad_function_destroy(f);
  }
}

/* --- differentiated by some inputs only */

static void test_wrt(void **unused) {
  enum { COUNT = 77 };
  static double x[COUNT * 6], y[COUNT * 4], all[COUNT * 24], some[COUNT * 24];
  char context[64];
  (void)unused;
  for (int round = 0; round < 60; round++) {
    graph g = random_graph();
    size_t n = (size_t)g.n, m = (size_t)g.m, d = 1 + (size_t)uniform(0, (double)n), input[6], second[6];
    double h[36], hs[36], w[4], dx[6] = { 0 }, part[6], dy[4], dys[4], gx[6], gs[6], hv[6], hvs[6], y1[4], y2[4];
    snprintf(context, sizeof context, "graph %d, %zu of %zu inputs", round, d, n);
    for (size_t k = 0; k < n; k++) input[k] = k;
    for (size_t k = 0; k < d; k++) { size_t o = k + (size_t)uniform(0, (double)(n - k)), swap = input[k]; input[k] = input[o]; input[o] = swap; }
    for (size_t i = 0; i < COUNT * n; i++) x[i] = uniform(-1.5, 1.5);
    for (size_t j = 0; j < m; j++) w[j] = uniform(-1, 1);
    for (size_t k = 0; k < d; k++) dx[input[k]] = part[k] = uniform(-1, 1);
    ad_function *f = ad_function_record(graph_var, &g, n, x, m), *s = ad_function_wrt(f, input, d);
    assert_non_null(s);
    assert_int_equal(ad_function_describe(s).differentiated, d);
    assert_int_equal(ad_function_jacobian_many(f, COUNT, x, NULL, all), AD_OK);
    assert_int_equal(ad_function_jacobian_many(s, COUNT, x, y, some), AD_OK);
    for (size_t r = 0; r < COUNT * m; r++) for (size_t k = 0; k < d; k++) assert_near(some[r * d + k], all[r * n + input[k]], 1e-10);
    assert_int_equal(ad_function_evaluate(s, x, y1), AD_OK);
    assert_int_equal(ad_function_evaluate(f, x, y2), AD_OK);
    assert_memory_equal(y1, y2, m * sizeof *y1);
    assert_int_equal(ad_function_hessian(f, x, w, h), AD_OK);
    assert_int_equal(ad_function_hessian(s, x, w, hs), AD_OK);
    assert_int_equal(ad_function_jvp(f, x, dx, NULL, dy), AD_OK);
    assert_int_equal(ad_function_jvp(s, x, part, NULL, dys), AD_OK);
    assert_int_equal(ad_function_vjp(f, x, w, NULL, gx), AD_OK);
    assert_int_equal(ad_function_vjp(s, x, w, NULL, gs), AD_OK);
    assert_int_equal(ad_function_hessian_vector(f, x, w, dx, hv), AD_OK);
    assert_int_equal(ad_function_hessian_vector(s, x, w, part, hvs), AD_OK);
    for (size_t j = 0; j < m; j++) assert_near(dys[j], dy[j], 1e-10);
    for (size_t k = 0; k < d; k++) {
      assert_near(gs[k], gx[input[k]], 1e-10);
      assert_near(hvs[k], hv[input[k]], 1e-8);
      for (size_t l = 0; l < d; l++) assert_near(hs[k * d + l], h[input[k] * n + input[l]], 1e-8);
    }
    second[0] = input[d - 1];                              /* again: inputs are still the caller's numbers */
    ad_function *t = ad_function_wrt(s, second, 1);
    assert_non_null(t);
    assert_int_equal(ad_function_jacobian_many(t, COUNT, x, y, some), AD_OK);
    for (size_t r = 0; r < COUNT * m; r++) assert_near(some[r], all[r * n + second[0]], 1e-10);
    second[1] = second[0];
    assert_null(ad_function_wrt(f, second, 2));
    second[0] = n;
    assert_null(ad_function_wrt(f, second, 1));
    assert_null(ad_function_wrt(f, second, 0));
    ad_function_destroy(t); ad_function_destroy(s); ad_function_destroy(f);
  }
  assert_null(ad_function_wrt(NULL, NULL, 1));
}

/* --- sums of many terms, and chains in which every node reads the three before it */

static void sums(const ad_var *x, ad_var *y, void *context) {
  const int n = *(const int *)context;
  ad_var s = ad_var_mul(x[0], x[1]), v[3];
  for (int i = 0; i < n; i++) {
    ad_var term = i % 5 == 0 ? ad_var_mul(x[i % 7], x[(i + 1) % 7]) : i % 5 == 1 ? ad_var_sin(x[i % 7]) : i % 5 == 2 ? x[i % 7] : ad_var_mul(ad_var_cos(x[i % 7]), x[(i + 3) % 7]);
    s = i % 3 == 1 ? ad_var_sub(s, term) : i % 3 == 2 ? ad_var_add(term, s) : ad_var_add(s, term);
  }
  y[0] = s;
  for (int k = 0; k < 3; k++) v[k] = x[k];
  for (int i = 0; i < n; i++) { ad_var next = ad_var_fma(v[2], v[1], v[0]); next = ad_var_mul_xk(ad_var_tanh(next), 0.9); v[0] = v[1]; v[1] = v[2]; v[2] = next; }
  y[1] = v[2];
  for (int i = 0; i < n; i++) { ad_var next = ad_var_lerp(v[2], v[1], v[0]); v[0] = v[1]; v[1] = v[2]; v[2] = next; }
  y[2] = v[2];
}
static void test_sums(void **unused) {
  enum { COUNT = 70 };
  static double x[COUNT * 7], y[COUNT * 3], j[COUNT * 21], y1[3], j1[21];
  char context[64];
  (void)unused;
  for (int n = 1; n < 40; n += 1 + n / 8) {
    snprintf(context, sizeof context, "sums of %d", n);
    for (int i = 0; i < COUNT * 7; i++) x[i] = uniform(0.05, 0.4);
    ad_function *f = ad_function_record(sums, &n, 7, x, 3);
    assert_non_null(f);
    assert_int_equal(ad_function_jacobian_many(f, COUNT, x, y, j), AD_OK);
    for (int p = 0; p < COUNT; p++) {
      assert_int_equal(ad_jacobian_reverse(sums, &n, 7, x + 7 * p, 3, y1, j1), AD_OK);
      for (int k = 0; k < 3; k++) assert_near(y[3 * p + k], y1[k], 1e-13);
      for (int k = 0; k < 21; k++) assert_near(j[21 * p + k], j1[k], 1e-12);
    }
    ad_function_destroy(f);
  }
}

/* --- results larger than the caches go past them: the same bits, at any alignment, and nothing beyond */

static void wide(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  for (int k = 0; k < 40; k++) y[k] = ad_var_add(ad_var_mul(x[k % 3], x[(k + 1) % 3]), ad_var_mul_xk(x[(k + 2) % 3], k));
}
static void test_stream(void **unused) {
  enum { COUNT = 27001 };                                  /* 8.6 MB of values */
  double *x = (double *)malloc(3 * COUNT * sizeof *x), *y = (double *)malloc((40 * COUNT + 17) * sizeof *y), few[64 * 40];
  (void)unused;
  assert_non_null(x); assert_non_null(y);
  for (int i = 0; i < 3 * COUNT; i++) x[i] = uniform(-1, 1);
  ad_function *f = ad_function_record(wide, NULL, 3, x, 40);
  for (int offset = 0; offset < 8; offset += 3) {
    for (int i = 0; i < 40 * COUNT + 17; i++) y[i] = -7;
    assert_int_equal(ad_function_evaluate_many(f, COUNT, x, y + offset), AD_OK);
    for (int i = 0; i < offset; i++) assert_true(y[i] == -7);
    for (int i = 40 * COUNT + offset; i < 40 * COUNT + 17; i++) assert_true(y[i] == -7);
    for (int p = 0; p < COUNT; p += 64) {
      int part = COUNT - p < 64 ? COUNT - p : 64;
      assert_int_equal(ad_function_evaluate_many(f, (size_t)part, x + 3 * p, few), AD_OK);
      assert_memory_equal(few, y + offset + 40 * p, (size_t)part * 40 * sizeof *few);
    }
  }
  ad_function_destroy(f);
  free(x); free(y);
}

/* --- points in blocks */

static void bend(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  y[0] = ad_var_mul(ad_var_sin(x[0]), x[1]);
  y[1] = ad_var_add(ad_var_exp(x[1]), ad_var_mul(x[0], x[2]));
  y[2] = ad_var_mul_xk(x[2], 3);
}

/* every count, no byte written beyond, bits that do not depend on the count; float lanes too */
static void test_counts(void **unused) {
  enum { MOST = 300 };
  static double x[MOST * 3], all[MOST * 9], y[MOST * 3], part[MOST * 9 + 1];
  static float xf[MOST * 3], allf[MOST * 9], yf[MOST * 3], partf[MOST * 9 + 1];
  (void)unused;
  for (size_t i = 0; i < MOST * 3; i++) { x[i] = uniform(-2, 2); xf[i] = (float)x[i]; }
  ad_function *f = ad_function_record(bend, NULL, 3, x, 3);
  assert_non_null(f);
  ad_function_arguments a;
  memset(&a, 0, sizeof a);
  for (int single = 0; single < 2; single++) {
    a.dtype = single ? AD_F32 : AD_F64; a.x = single ? (void *)xf : (void *)x; a.y = single ? (void *)yf : (void *)y;
    a.result = single ? (void *)allf : (void *)all;
    size_t bytes = single ? sizeof(float) : sizeof(double);
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, MOST, &a), AD_OK);
    for (size_t count = 0; count <= 2 * (single ? 128u : 64u) + 1; count++) {
      void *to = single ? (void *)partf : (void *)part;
      memset(to, 0x55, (count * 9 + 1) * bytes);
      a.result = to;
      assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, count, &a), AD_OK);
      assert_memory_equal(to, single ? (void *)allf : (void *)all, count * 9 * bytes);
      for (size_t b = 0; b < bytes; b++) assert_int_equal(((unsigned char *)to)[count * 9 * bytes + b], 0x55);
    }
  }
  ad_function_destroy(f);
}

/* arrays that end where memory ends */
static void test_pages(void **unused) {
  (void)unused;
  guarded in = guarded_create(), out = guarded_create(), value = guarded_create();
  double at[3] = { 0.5, 0.25, 2 };
  ad_function *f = ad_function_record(bend, NULL, 3, at, 3);
  for (size_t count = 1; count < 70; count++) {
    double *x = (double *)(void *)in.end - 3 * count, *j = (double *)(void *)out.end - 9 * count, *y = (double *)(void *)value.end - 3 * count;
    for (size_t i = 0; i < 3 * count; i++) x[i] = uniform(-1, 1);
    assert_int_equal(ad_function_jacobian_many(f, count, x, y, j), AD_OK);
    assert_int_equal(ad_function_jacobian_many(f, count, (memcpy(in.first, x, 24 * count), (double *)(void *)in.first), (double *)(void *)value.first,
                                               (double *)(void *)out.first), AD_OK);
    assert_memory_equal(out.first, j, 72 * count);
  }
  ad_function_destroy(f);
  guarded_destroy(&in); guarded_destroy(&out); guarded_destroy(&value);
}

/* --- guards */

static void branching(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  if (ad_var_gt_xk(x[0], 1)) y[0] = ad_var_square(x[0]);
  else y[0] = ad_var_mul_xk(x[0], -2);
  if (ad_var_eq_xk(x[1], 0)) y[0] = ad_var_neg(y[0]);
}

static void test_guards(void **unused) {
  enum { COUNT = 131 };
  static double x[COUNT * 2], y[COUNT], g[COUNT * 2];
  static unsigned char branch[COUNT];
  double at[2] = { 3, 1 }, other[2] = { 0.5, 1 }, v, gradient[2];
  char context[] = "guards";
  (void)unused;
  ad_function *f = ad_function_record(branching, NULL, 2, at, 1);
  assert_non_null(f);
  assert_int_equal(ad_function_describe(f).guards, 2);
  assert_int_equal(ad_function_evaluate(f, at, &v), AD_OK);
  assert_near(v, 9, 0);
  assert_int_equal(ad_function_evaluate(f, other, &v), AD_ERROR_BRANCH);
  assert_int_equal(ad_function_jacobian(f, other, &v, gradient), AD_ERROR_BRANCH);
  for (size_t p = 0; p < COUNT; p++) { x[2 * p] = p % 7 == 3 ? 0.5 : 2 + (double)p; x[2 * p + 1] = p % 11 == 5 ? 0 : 1; }
  x[2 * 100] = NAN;
  ad_function_arguments a;
  memset(&a, 0, sizeof a);
  a.dtype = AD_F64; a.x = x; a.y = y; a.result = g; a.branch = branch;
  assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, COUNT, &a), AD_ERROR_BRANCH);
  for (size_t p = 0; p < COUNT; p++) {
    assert_int_equal(branch[p], p % 7 == 3 || p % 11 == 5 || p == 100);
    if (!branch[p]) { assert_near(y[p], x[2 * p] * x[2 * p], 0); assert_near(g[2 * p], 2 * x[2 * p], 0); assert_near(g[2 * p + 1], 0, 0); }
  }
  for (size_t p = 0; p < COUNT; p++) { x[2 * p] = 2; x[2 * p + 1] = 1; }
  assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, COUNT, &a), AD_OK);
  for (size_t p = 0; p < COUNT; p++) assert_int_equal(branch[p], 0);
  ad_function_destroy(f);
}

/* a select keeps both sides: no guard, derivatives of the side taken, and no trace of the other */
static void selecting(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  y[0] = ad_var_where_xyk(ad_var_less_ky(0, x[0]), ad_var_sqrt(x[0]), 0);
  y[1] = ad_var_mul(x[0], ad_var_sqrt(x[0]));
}
static void test_select(void **unused) {
  double at[3] = { 4, 0, -1 }, y[6], j[6];
  char context[] = "select";
  (void)unused;
  ad_function *f = ad_function_record(selecting, NULL, 1, at, 2);
  assert_non_null(f);
  assert_int_equal(ad_function_describe(f).guards, 0);
  assert_int_equal(ad_function_jacobian_many(f, 3, at, y, j), AD_OK);
  assert_near(j[0], 0.25, 1e-15); assert_near(j[1], 3, 1e-15);
  assert_near(y[2], 0, 0); assert_near(j[2], 0, 0); assert_near(j[3], 0, 0);
  assert_near(y[4], 0, 0); assert_near(j[4], 0, 0); assert_true(isnan(j[5]));
  ad_function_destroy(f);
}

/* --- from a tape, and what optimisation does */

static void test_create(void **unused) {
  char context[] = "create";
  double v, g[1], at = 2;
  (void)unused;
  ad_tape *t = ad_tape_create(NULL);
  ad_var a = ad_variable(t, 3), b = ad_variable(t, 5), c = ad_var_mul(a, b), d = ad_var_sin(c), e = ad_var_add(d, a);
  ad_function *f = ad_function_create(&c, 1, &e, 1);      /* an inner node is the input; a is a constant */
  assert_non_null(f);
  ad_tape_reset(t);
  assert_int_equal(ad_function_evaluate(f, &at, &v), AD_OK);
  assert_near(v, sin(2) + 3, 1e-15);
  assert_int_equal(ad_function_jacobian(f, &at, NULL, g), AD_OK);
  assert_near(g[0], cos(2), 1e-15);
  ad_function_destroy(f);
  a = ad_variable(t, 1);
  ad_var twice[2] = { a, a };
  assert_null(ad_function_create(twice, 2, &a, 1));
  assert_int_equal(ad_tape_status(t), AD_ERROR_ARGUMENT);
  ad_tape_reset(t);
  assert_null(ad_function_create(&a, 1, &a, 1));          /* a stale handle */
  assert_int_equal(ad_tape_status(t), AD_ERROR_TAPE);
  ad_tape_reset(t);
  a = ad_variable(t, 1);
  assert_null(ad_function_create(&a, 1, &a, 0));
  ad_tape_destroy(t);
}

/* 64 bones move a vertex, 60 of the weights are 0 */
static void skin(const ad_var *x, ad_var *y, void *context) {
  const double *weight = (const double *)context;
  ad_var sum = ad_var_mul_xk(x[0], 0);
  for (int k = 0; k < 64; k++) {
    ad_var c = ad_var_cos(x[k]), s = ad_var_sin(x[k]);
    sum = ad_var_add(sum, ad_var_mul_xk(ad_var_add(ad_var_mul(c, x[64]), ad_var_mul(s, x[65])), weight[k]));
  }
  y[0] = sum;
}
static void test_shrinks(void **unused) {
  double weight[64] = { 0 }, x[66], y, g[66], expected[66] = { 0 };
  char context[] = "skin";
  (void)unused;
  for (int k = 0; k < 66; k++) x[k] = uniform(-1, 1);
  for (int k = 0; k < 64; k += 16) {
    weight[k] = 0.25;
    expected[k] = 0.25 * (cos(x[k]) * x[65] - sin(x[k]) * x[64]);
    expected[64] += 0.25 * cos(x[k]); expected[65] += 0.25 * sin(x[k]);
  }
  ad_function *f = ad_function_record(skin, weight, 66, x, 1);
  assert_non_null(f);
  assert_int_equal(ad_function_jacobian(f, x, &y, g), AD_OK);
  for (int k = 0; k < 66; k++) assert_near(g[k], expected[k], 1e-15);
  ad_function_info info = ad_function_describe(f);
  assert_true(info.recorded > 400);
  assert_true(info.nodes - info.inputs < 40);
  assert_true(info.instructions[AD_FUNCTION_JACOBIAN] < 60);
  ad_function_destroy(f);
}

/* what is recorded and what is left, counted: dead parts, common subexpressions, constants */
static void wasteful(const ad_var *x, ad_var *y, void *context) {
  ad_var dead = ad_var_exp(x[0]), a = ad_var_mul(ad_var_sin(x[0]), x[1]), b = ad_var_mul(x[1], ad_var_sin(x[0])), k = ad_constant(x[0].tape, 3);      /* 6 */
  (void)context;
  for (int i = 0; i < 50; i++) dead = ad_var_tanh(ad_var_add(dead, x[1]));                     /* 100 */
  k = ad_var_sqrt(ad_var_add_xk(ad_var_mul(k, k), 7));                                         /* 3: the number 4 */
  y[0] = ad_var_add(ad_var_mul(a, k), ad_var_add_xk(b, 0));                                    /* 3 */
}
static void test_counts_of_nodes(void **unused) {
  const double x[2] = { 0.5, 2 };
  double y, g[2];
  char context[] = "wasteful";
  (void)unused;
  ad_function *f = ad_function_record(wasteful, NULL, 2, x, 1);
  assert_non_null(f);
  assert_int_equal(ad_function_jacobian(f, x, &y, g), AD_OK);
  assert_near(y, 5 * sin(0.5) * 2, 1e-15); assert_near(g[0], 10 * cos(0.5), 1e-15); assert_near(g[1], 5 * sin(0.5), 1e-15);
  ad_function_info info = ad_function_describe(f);
  assert_int_equal(info.recorded, 6 + 100 + 3 + 3);
  assert_int_equal(info.nodes, 2 + 5);                     /* x; sin, the product, the constant 4, its product and the sum */
  ad_function_destroy(f);
}

/* outputs that are inputs, constants, or one another; every number of points around the lanes */
static void odd(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  y[0] = x[1]; y[1] = ad_constant(x[0].tape, 7); y[2] = y[3] = ad_var_mul(x[0], x[1]); y[4] = ad_var_mul_xk(x[0], 0);        /* y[5] is not set: 0; x[2] not used */
}
static void test_odd(void **unused) {
  enum { ODD = 6, COUNT = 70 };
  static const size_t counts[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, COUNT };
  static double x[COUNT * 3], w[COUNT * ODD], y[COUNT * ODD + 1], r[COUNT * ODD * 3 + 1];
  char context[] = "odd";
  (void)unused;
  for (int i = 0; i < COUNT * 3; i++) x[i] = uniform(-1, 1);
  for (int i = 0; i < COUNT * ODD; i++) w[i] = uniform(-1, 1);
  ad_function *f = ad_function_record(odd, NULL, 3, x, ODD);
  assert_non_null(f);
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    const size_t count = counts[c];
    y[count * ODD] = r[count * ODD * 3] = -7;
    assert_int_equal(ad_function_jacobian_many(f, count, x, y, r), AD_OK);
    for (size_t p = 0; p < count; p++) {
      const double a = x[3 * p], b = x[3 * p + 1], values[ODD] = { b, 7, a * b, a * b, 0, 0 }, j[ODD * 3] = { 0, 1, 0, 0, 0, 0, b, a, 0, b, a, 0, 0, 0, 0, 0, 0, 0 };
      for (int k = 0; k < ODD; k++) assert_near(y[p * ODD + (size_t)k], values[k], 0);
      for (int k = 0; k < ODD * 3; k++) assert_near(r[p * ODD * 3 + (size_t)k], j[k], 0);
    }
    assert_true(y[count * ODD] == -7 && r[count * ODD * 3] == -7);
    ad_function_arguments a;
    memset(&a, 0, sizeof a);
    a.dtype = AD_F64; a.x = x; a.w = w; a.result = r;
    r[count * 9] = -7;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_HESSIAN, count, &a), AD_OK);
    for (size_t p = 0; p < count; p++) for (int k = 0; k < 9; k++) assert_near(r[p * 9 + (size_t)k], k == 1 || k == 3 ? w[p * ODD + 2] + w[p * ODD + 3] : 0, 1e-15);
    assert_true(r[count * 9] == -7);
  }
  double one[ODD * 3], g[3];
  assert_int_equal(ad_function_evaluate(f, x, one), AD_OK);
  assert_near(one[0], x[1], 0); assert_near(one[1], 7, 0); assert_near(one[3], x[0] * x[1], 0); assert_near(one[5], 0, 0);
  assert_int_equal(ad_function_jacobian(f, x, NULL, one), AD_OK);
  assert_near(one[9], x[1], 0); assert_near(one[1], 1, 0); assert_near(one[2], 0, 0);
  assert_int_equal(ad_function_vjp(f, x, w, NULL, g), AD_OK);
  assert_near(g[1], w[0] + (w[2] + w[3]) * x[0], 1e-15); assert_near(g[2], 0, 0);
  FILE *file = tmpfile();
  assert_int_equal(ad_function_write_c(f, "odd", file), AD_OK);
  fclose(file);
  ad_sparse *s = ad_sparse_create(f, AD_FUNCTION_JACOBIAN);
  assert_int_equal(s->nonzeros, 5);
  ad_sparse_destroy(s);
  ad_function_destroy(f);
}

/* a chain of very many nodes */
static void huge(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  y[0] = x[0];
  for (int i = 0; i < 150000; i++) y[0] = ad_var_add(ad_var_mul_xk(y[0], 0.999), i % 1000 ? x[1] : ad_var_sin(x[1]));
}
static void test_huge(void **unused) {
  const double x[2] = { 1, 1e-3 };
  double y, g[2], h[4], ty, tg[2], one = 1;
  char context[] = "huge";
  (void)unused;
  ad_function *f = ad_function_record(huge, NULL, 2, x, 1);
  assert_non_null(f);
  assert_int_equal(ad_function_jacobian(f, x, &y, g), AD_OK);
  assert_int_equal(ad_jacobian_reverse(huge, NULL, 2, x, 1, &ty, tg), AD_OK);
  assert_near(y, ty, 1e-12); assert_near(g[0], tg[0], 1e-12); assert_near(g[1], tg[1], 1e-12);
  assert_int_equal(ad_function_hessian(f, x, &one, h), AD_OK);
  assert_near(h[0], 0, 0); assert_near(h[1], 0, 0); assert_near(h[2], 0, 0); assert_true(h[3] < 0);
  ad_function_destroy(f);
}

/* --- too large for one program: swept, lanes = directions */

enum { WIDE = 700 };
static void banded(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  for (int i = 0; i < WIDE; i++) y[i] = ad_var_mul(ad_var_sin(x[i]), x[(i + 1) % WIDE]);
}
static void banded_energy(const ad_var *x, ad_var *y, void *context) {
  (void)context;
  y[0] = ad_var_mul(x[0], x[0]);
  for (int i = 0; i + 1 < WIDE; i++) y[0] = ad_var_add(y[0], ad_var_mul(ad_var_sin(x[i]), x[i + 1]));
}
static void test_sweeps(void **unused) {
  char context[] = "sweeps";
  (void)unused;
  double *x = malloc(WIDE * sizeof *x), *y = malloc(WIDE * sizeof *y), *j = malloc(sizeof(double) * WIDE * WIDE), one = 1;
  for (size_t i = 0; i < WIDE; i++) x[i] = uniform(-1, 1);
  ad_function *f = ad_function_record(banded, NULL, WIDE, x, WIDE);
  assert_non_null(f);
  assert_int_equal(ad_function_jacobian(f, x, y, j), AD_OK);
  ad_function_arguments a;                                 /* with a work space nothing is allocated */
  memset(&a, 0, sizeof a);
  a.dtype = AD_F64; a.x = x; a.y = y; a.result = j;
  size_t bytes = ad_function_workspace_bytes(f, AD_FUNCTION_JACOBIAN);
  assert_true(bytes > 0);
  char *space = (char *)aligned_alloc(64, (bytes + 127) / 64 * 64);
  a.workspace = space;
  memset(space, 0x5a, (bytes + 127) / 64 * 64);
  allocations = 0;
  assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, 1, &a), AD_OK);
  assert_int_equal(allocations, 0);
  for (size_t i = bytes; i < (bytes + 127) / 64 * 64; i++) assert_int_equal(space[i], 0x5a);
  a.workspace = space + 32;
  assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, 1, &a), AD_ERROR_ARGUMENT);
  free(space);
  assert_int_equal(ad_function_jacobian(f, x, y, j), AD_OK);       /* nor without one, after the first call */
  assert_int_equal(allocations, 0);
  for (size_t i = 0; i < WIDE; i++) {
    assert_near(y[i], sin(x[i]) * x[(i + 1) % WIDE], 1e-14);
    for (size_t k = 0; k < WIDE; k++)
      assert_near(j[i * WIDE + k], k == i ? cos(x[i]) * x[(i + 1) % WIDE] : k == (i + 1) % WIDE ? sin(x[i]) : 0, 1e-14);
  }
  ad_function_destroy(f);
  f = ad_function_record(banded_energy, NULL, WIDE, x, 1);
  assert_non_null(f);
  assert_int_equal(ad_function_hessian(f, x, &one, j), AD_OK);
  for (size_t i = 0; i < WIDE; i++)
    for (size_t k = 0; k < WIDE; k++)
      assert_near(j[i * WIDE + k], (i == 0 && k == 0 ? 2 : 0) + (i == k && i + 1 < WIDE ? -sin(x[i]) * x[i + 1] : k == i + 1 ? cos(x[i]) : i == k + 1 ? cos(x[k]) : 0), 1e-14);
  ad_function_destroy(f);
  free(x); free(y); free(j);
}

/* --- threads: one function, no preparation */

typedef struct job { const ad_function *f; double x[96 * 3], y[96 * 3], j[96 * 9], own[96 * 9], h[9]; ad_status status; } job;
static void *work(void *arg) {
  job *b = (job *)arg;
  double w[3] = { 1, 2, 3 };
  b->status = ad_function_jacobian_many(b->f, 96, b->x, b->y, b->j);
  if (b->status == AD_OK) b->status = ad_function_hessian(b->f, b->x, w, b->h);
  ad_function_arguments a;                                 /* again, with a work space of this thread */
  memset(&a, 0, sizeof a);
  a.dtype = AD_F64; a.x = b->x; a.y = b->y; a.result = b->own;
  size_t bytes = ad_function_workspace_bytes(b->f, AD_FUNCTION_JACOBIAN);
  a.workspace = bytes ? aligned_alloc(64, bytes) : NULL;
  if (b->status == AD_OK) b->status = a.workspace ? ad_function_apply(b->f, AD_FUNCTION_JACOBIAN, 96, &a) : AD_ERROR_MEMORY;
  free(a.workspace);
  return NULL;
}
static void test_threads(void **unused) {
  enum { THREADS = 4 };
  static job jobs[THREADS];
  pthread_t thread[THREADS];
  double at[3] = { 1, 2, 3 };
  (void)unused;
  for (int round = 0; round < 20; round++) {
    ad_function *f = ad_function_record(bend, NULL, 3, at, 3);
    for (int k = 0; k < THREADS; k++) {
      jobs[k].f = f;
      for (int i = 0; i < 96 * 3; i++) jobs[k].x[i] = sin(i);
      assert_int_equal(pthread_create(&thread[k], NULL, work, &jobs[k]), 0);
    }
    for (int k = 0; k < THREADS; k++) {
      pthread_join(thread[k], NULL);
      assert_int_equal(jobs[k].status, AD_OK);
      assert_memory_equal(jobs[k].j, jobs[0].j, sizeof jobs[k].j);
      assert_memory_equal(jobs[k].own, jobs[0].j, sizeof jobs[k].j);
      assert_memory_equal(jobs[k].h, jobs[0].h, sizeof jobs[k].h);
    }
    ad_function_destroy(f);
  }
}

/* --- memory */

/* with work space given and programs prepared, nothing is allocated */
static void test_workspace(void **unused) {
  static double x[200 * 3], y[200 * 3], j[200 * 9], again[200 * 9];
  double at[3] = { 1, 2, 3 };
  (void)unused;
  for (int i = 0; i < 600; i++) x[i] = uniform(-1, 1);
  ad_function *f = ad_function_record(bend, NULL, 3, at, 3);
  size_t bytes = ad_function_workspace_bytes(f, AD_FUNCTION_JACOBIAN);
  assert_true(bytes > 0);
  ad_function_arguments a;
  memset(&a, 0, sizeof a);
  a.dtype = AD_F64; a.x = x; a.y = y; a.result = j;
  a.workspace = aligned_alloc(64, bytes);
  assert_int_equal(ad_function_jacobian_many(f, 200, x, y, again), AD_OK);
  allocations = 0;
  assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, 200, &a), AD_OK);
  assert_int_equal(ad_function_jacobian(f, x, NULL, again), AD_OK);
  assert_int_equal(allocations, 0);
  free(a.workspace);
  ad_function_destroy(f);
}

/* every allocation fails in turn: an error, nothing lost, and it works when memory is back */
static void test_no_memory(void **unused) {
  double x[3] = { 1, 2, 3 }, y[3], j[9], h[9], w[3] = { 1, 1, 1 };
  (void)unused;
  for (int how = 0; how < 2; how++) {
    sticky = how;
    for (long k = 0;; k++) {
      allocations = 0; fail_at = k;
      ad_function *f = ad_function_record(bend, NULL, 3, x, 3);
      ad_status status = f ? ad_function_jacobian_many(f, 1, x, y, j) : AD_ERROR_MEMORY;
      ad_status second = f ? ad_function_hessian(f, x, w, h) : AD_ERROR_MEMORY;
      bool done = allocations <= k;
      fail_at = -1;
      if (done) { assert_int_equal(status, AD_OK); assert_int_equal(second, AD_OK); }
      else if (sticky) assert_true(status == AD_ERROR_MEMORY || second == AD_ERROR_MEMORY);
      if (f) {
        assert_int_equal(ad_function_jacobian_many(f, 1, x, y, j), AD_OK);
        assert_int_equal(ad_function_hessian(f, x, w, h), AD_OK);
      }
      ad_function_destroy(f);
      if (done) break;
    }
  }
}

static void broken(const ad_var *x, ad_var *y, void *context) { (void)context; y[0] = x[0]; y[0].node = 1u << 30; y[0] = ad_var_sin(y[0]); }

static void test_misuse(void **unused) {
  double x[3] = { 1, 2, 3 }, y[3], j[9];
  (void)unused;
  assert_null(ad_function_record(NULL, NULL, 3, x, 3));
  assert_null(ad_function_record(bend, NULL, 0, x, 3));
  assert_null(ad_function_record(bend, NULL, 3, NULL, 3));
  assert_null(ad_function_record(bend, NULL, 3, x, 0));
  assert_null(ad_function_record(broken, NULL, 1, x, 1));
  assert_null(ad_function_create(NULL, 1, NULL, 1));
  ad_function *f = ad_function_record(bend, NULL, 3, x, 3);
  assert_int_equal(ad_function_evaluate(NULL, x, y), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_evaluate(f, NULL, y), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_evaluate(f, x, NULL), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_jvp(f, x, NULL, y, y), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_vjp(f, x, NULL, y, y), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_jacobian(f, x, y, NULL), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_gradient_many(f, 1, x, y, j), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_jacobian_many(f, SIZE_MAX / 4, x, y, j), AD_ERROR_LIMIT);
  assert_int_equal(ad_function_evaluate_many(f, SIZE_MAX, x, y), AD_ERROR_LIMIT);
  assert_int_equal(ad_function_jacobian_many(f, 0, NULL, NULL, NULL), AD_OK);
  assert_int_equal(ad_function_prepare(f, (ad_function_kind)99), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_prepare(NULL, AD_FUNCTION_VALUE), AD_ERROR_ARGUMENT);
  assert_int_equal(ad_function_write_c(f, "1bad", stderr), AD_ERROR_ARGUMENT);
  ad_function_destroy(f);
  ad_function_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_rows), cmocka_unit_test(test_special), cmocka_unit_test(test_wrt), cmocka_unit_test(test_sums), cmocka_unit_test(test_stream),
    cmocka_unit_test(test_graphs), cmocka_unit_test(test_counts), cmocka_unit_test(test_pages),
    cmocka_unit_test(test_guards), cmocka_unit_test(test_select), cmocka_unit_test(test_create), cmocka_unit_test(test_shrinks), cmocka_unit_test(test_counts_of_nodes), cmocka_unit_test(test_odd), cmocka_unit_test(test_huge),
    cmocka_unit_test(test_sweeps), cmocka_unit_test(test_threads), cmocka_unit_test(test_workspace), cmocka_unit_test(test_no_memory),
    cmocka_unit_test(test_misuse) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
