/* Random programs of rows: forward and reverse agree (tests/dag.h). */
#include "ad.h"
#include "dag.h"
#include "dag_graph.h"
#include "test.h"

static void random_programs(void **state) {
  (void)state;
  ad_tape *tape = ad_tape_create(NULL);
  uint64_t s = 1;
  size_t steps, total = 0;
  for (int program = 0; program < 20000; program++) {
    uint8_t bytes[DAG_INPUTS + 4 * 24];
    for (size_t i = 0; i < sizeof bytes; i++) s = s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407), bytes[i] = (uint8_t)(s >> 56);
    if (program % 4)
      for (size_t i = 0; i < DAG_INPUTS; i++) bytes[i] = (uint8_t)(128 + bytes[i] % 100);      /* plain positive inputs */
    const char *wrong = dag_run(tape, bytes, DAG_INPUTS + (size_t)(program % 25) * 4, &steps);
    if (wrong) fail_msg("program %d:%s", program, wrong);
    total += steps;
  }
  assert_true(total > 200000);
  ad_tape_destroy(tape);
}

/* what MPFR found of the first graphs (accuracy_dag.c), by duals, the tape and functions; and u.(J v) = v.(J^T u) */
static const struct { double value, gradient[3], bound, slack[3]; } references[] = {
#include "dag_references.h"
};
enum { REFERENCES = sizeof references / sizeof *references };
static const graph *recorded;
static void last(const ad_var *x, ad_var *y, void *context) { ad_var v[GRAPH_NODES]; (void)context; graph_record(recorded, x, v); y[0] = v[recorded->n - 1]; }
static void against_mpfr(void **state) {
  (void)state;
  assert_true(REFERENCES >= 1000);
  ad_tape *tape = ad_tape_create(NULL);
  int nodes = 0;
  for (int i = 0; i < REFERENCES; i++) {
    graph g = graph_of((uint64_t)i);
    ad_dual d[GRAPH_NODES];
    ad_var v[GRAPH_NODES], in[3];
    double value[3], gradient[3][3];
    graph_duals(&g, d);
    ad_tape_reset(tape);
    for (int k = 0; k < 3; k++) in[k] = ad_variable(tape, g.input[k]);
    graph_record(&g, in, v);
    assert_int_equal(ad_backward(v[g.n - 1]), AD_OK);
    recorded = &g;
    ad_function *f = ad_function_record(last, NULL, 3, g.input, 1);
    assert_non_null(f);
    assert_int_equal(ad_function_jacobian(f, g.input, &value[2], gradient[2]), AD_OK);
    ad_function_destroy(f);
    value[0] = d[g.n - 1].v, value[1] = ad_value(v[g.n - 1]);
    double left = 0, right = 0, scale = 0;
    for (int k = 0; k < 3; k++) {
      gradient[0][k] = d[g.n - 1].d[k], gradient[1][k] = ad_grad(in[k]);
      left += (1.5 - k) * gradient[0][k], right += (1.5 - k) * gradient[1][k], scale += 2 * fabs(1.5 - k) * references[i].slack[k];
    }
    for (int e = 0; e < 3; e++) {
      bool ok = fabs(value[e] - references[i].value) <= 1.01 * references[i].bound + DBL_EPSILON * fabs(references[i].value);
      for (int k = 0; k < 3; k++) ok = ok && fabs(gradient[e][k] - references[i].gradient[k]) <= 2.02 * references[i].slack[k] + DBL_EPSILON * fabs(references[i].gradient[k]);
      if (!ok) fail_msg("graph %d, engine %d: %.17g [%.17g %.17g %.17g]", i, e, value[e], gradient[e][0], gradient[e][1], gradient[e][2]);
    }
    assert_true(fabs(left - right) <= scale + 8 * DBL_EPSILON * (fabs(left) + fabs(right)));
    nodes += g.n;
  }
  assert_true(nodes > 10000);
  ad_tape_destroy(tape);
}

/* every kind of function of a graph, at one point and at many, against duals of duals and the tape. What rounding may do is seen from the
   duals of a point next to it. */
DAG_ROW(ad_dual2, ad_dual2, row_dual2)
enum { IN = GRAPH_INPUTS, OUT = 2, MANY = 19 };
typedef struct second { double y[OUT], j[OUT][IN], h[IN][IN]; } second;
static int middle(const graph *g) { return IN + (g->n - IN) / 2; }
static second second_of(const graph *g, const double *x, const double *w) {
  second r;
  memset(&r, 0, sizeof r);
  for (int i = 0; i < IN; i++)
    for (int k = 0; k < IN; k++) {
      ad_dual2 v[GRAPH_NODES];
      for (int q = 0; q < g->n; q++) {
        ad_dual2 in[3];
        for (int l = 0; l < 3 && q >= IN; l++) in[l] = g->node[q].x[l] >= 0 ? v[g->node[q].x[l]] : ad_dual2_k(g->node[q].k);
        if (q < IN) { v[q] = ad_dual2_k(x[q]); v[q].v.d[0] = q == i; v[q].d[0].v = q == k; }
        else v[q] = row_dual2((unsigned)g->node[q].op, in[0], in[1], in[2]);
      }
      const ad_dual2 out[OUT] = { v[g->n - 1], v[middle(g)] };
      for (int j = 0; j < OUT; j++) { r.y[j] = out[j].v.v; r.j[j][i] = out[j].v.d[0]; r.h[i][k] += w[j] * out[j].d[0].d[0]; }
    }
  return r;
}
static void two(const ad_var *x, ad_var *y, void *context) {
  ad_var v[GRAPH_NODES];
  (void)context;
  graph_record(recorded, x, v);
  y[0] = v[recorded->n - 1]; y[1] = v[middle(recorded)];
}
static int wrong;
static void expect(double a, double b, double near_b, double most, int number, const char *what) {
  const bool ok = a == b || (a != a && b != b) || fabs(a - b) <= 1e-10 * (1 + most) + 1e3 * fabs(b - near_b);
  if (!ok && wrong++ < 10) print_error("graph %d, %s: %.17g, expected %.17g (next to it %.17g)\n", number, what, a, b, near_b);
}
static void functions_of_graphs(void **state) {
  (void)state;
  wrong = 0;
  uint64_t seed = 5;
  int compared = 0;
  for (int number = 0; number < 400; number++) {
    graph g = graph_of((uint64_t)number);
    double x[MANY * IN], w[OUT] = { 0.7, -1.3 }, ws[MANY * OUT], dx[MANY * IN], y[MANY * OUT], j[MANY * OUT * IN], h[MANY * IN * IN], hv[MANY * IN], jvp[MANY * OUT], vjp[MANY * IN];
    recorded = &g;
    for (int i = 0; i < MANY * IN; i++) { x[i] = g.input[i % IN] * (1 + (i < IN ? 0 : 1e-7 * (bits_uniform(&seed) - 0.5))); dx[i] = bits_uniform(&seed) - 0.5; }
    for (int i = 0; i < MANY * OUT; i++) ws[i] = w[i % OUT];
    ad_function *f = ad_function_record(two, NULL, IN, x, OUT);
    assert_non_null(f);
    ad_function_arguments a;
    memset(&a, 0, sizeof a);
    a.dtype = AD_F64; a.x = x; a.w = ws; a.dx = dx; a.y = y; a.result = j;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JACOBIAN, MANY, &a), AD_OK);
    a.y = NULL; a.result = h;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_HESSIAN, MANY, &a), AD_OK);
    a.result = hv;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_HESSIAN_VECTOR, MANY, &a), AD_OK);
    a.result = jvp;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_JVP, MANY, &a), AD_OK);
    a.result = vjp;
    assert_int_equal(ad_function_apply(f, AD_FUNCTION_VJP, MANY, &a), AD_OK);
    for (int p = 0; p < MANY; p += p < 3 ? 1 : 5) {
      const double *at = x + IN * p;
      double beside[IN], y1[OUT], j1[OUT * IN], h1[IN * IN], hv1[IN], jvp1[OUT], vjp1[IN], ty[OUT], tj[OUT * IN], most = 0, curved = 0;
      for (int k = 0; k < IN; k++) beside[k] = at[k] * (1 + (k % 2 ? -4 : 4) * DBL_EPSILON);
      const second e = second_of(&g, at, w), n = second_of(&g, beside, w);
      assert_int_equal(ad_function_jacobian(f, at, y1, j1), AD_OK);
      assert_int_equal(ad_function_hessian(f, at, w, h1), AD_OK);
      assert_int_equal(ad_function_hessian_vector(f, at, w, dx + IN * p, hv1), AD_OK);
      assert_int_equal(ad_function_jvp(f, at, dx + IN * p, NULL, jvp1), AD_OK);
      assert_int_equal(ad_function_vjp(f, at, w, NULL, vjp1), AD_OK);
      assert_int_equal(ad_jacobian_reverse(two, NULL, IN, at, OUT, ty, tj), AD_OK);
      for (int i = 0; i < IN; i++) for (int k = 0; k < IN; k++) { curved = fmax(curved, fabs(e.h[i][k])); if (k < OUT) most = fmax(most, fabs(e.j[k][i])); }
      for (int k = 0; k < OUT; k++) {
        double s = 0, near_s = 0;
        for (int i = 0; i < IN; i++) {
          s += e.j[k][i] * dx[IN * p + i]; near_s += n.j[k][i] * dx[IN * p + i];
          expect(j[(p * OUT + k) * IN + i], e.j[k][i], n.j[k][i], most, number, "Jacobian over lanes");
          expect(j1[k * IN + i], e.j[k][i], n.j[k][i], most, number, "Jacobian at one point");
          expect(tj[k * IN + i], e.j[k][i], n.j[k][i], most, number, "Jacobian by the tape");
        }
        expect(y[p * OUT + k], e.y[k], n.y[k], 0, number, "value over lanes");
        expect(y1[k], e.y[k], n.y[k], 0, number, "value at one point");
        expect(jvp[p * OUT + k], s, near_s, most, number, "tangent over lanes");
        expect(jvp1[k], s, near_s, most, number, "tangent at one point");
      }
      for (int i = 0; i < IN; i++) {
        double s = 0, near_s = 0, c = 0, near_c = 0;
        for (int k = 0; k < OUT; k++) { s += e.j[k][i] * w[k]; near_s += n.j[k][i] * w[k]; }
        for (int k = 0; k < IN; k++) {
          c += e.h[i][k] * dx[IN * p + k]; near_c += n.h[i][k] * dx[IN * p + k];
          expect(h[(p * IN + i) * IN + k], e.h[i][k], n.h[i][k], curved, number, "Hessian over lanes");
          expect(h1[i * IN + k], e.h[i][k], n.h[i][k], curved, number, "Hessian at one point");
          compared++;
        }
        expect(vjp[p * IN + i], s, near_s, most, number, "adjoint over lanes");
        expect(vjp1[i], s, near_s, most, number, "adjoint at one point");
        expect(hv[p * IN + i], c, near_c, curved, number, "Hessian times vector over lanes");
        expect(hv1[i], c, near_c, curved, number, "Hessian times vector at one point");
      }
    }
    ad_function_destroy(f);
  }
  assert_true(compared > 20000);
  assert_int_equal(wrong, 0);
}

/* the same graphs over tensors: shapes that broadcast, a number, a product of matrices and a reduction behind them; against the tape */
static void functions_of_tensor_graphs(void **state) {
  enum { ROWS = 3, COLUMNS = 4, ALL = ROWS * COLUMNS, N = ALL + COLUMNS + 1 };
  const size_t shape[2] = { ROWS, COLUMNS }, columns = COLUMNS;
  (void)state;
  wrong = 0;
  uint64_t seed = 7;
  ad_tape *tape = ad_tape_create(NULL);
  for (int number = 0; number < 250; number++) {
    graph g = graph_of((uint64_t)number);
    ad_function *f = NULL;
    for (int round = 0; round < 2; round++) {
      double x[N], dx[N], gradient[N], jvp[3], hv[N], y[3], w[3] = { 0.8, -0.6, 1.5 };
      ad_var in[3], v[GRAPH_NODES], out[3], d[3], s, total;
      for (int i = 0; i < N; i++) { x[i] = g.input[i < ALL ? 0 : i < N - 1 ? 1 : 2] * (1 + 1e-6 * (bits_uniform(&seed) - 0.5)); dx[i] = bits_uniform(&seed) - 0.5; }
      ad_tape_reset(tape);
      in[0] = ad_tensor_variable(tape, AD_F64, 2, shape, x);
      in[1] = ad_tensor_variable(tape, AD_F64, 1, &columns, x + ALL);
      in[2] = ad_variable(tape, x[N - 1]);
      graph_record(&g, in, v);
      for (int k = 0; k < 2; k++) { out[k] = v[k ? middle(&g) : g.n - 1]; if (ad_rank(out[k]) > 0) out[k] = ad_mean(out[k], AD_ALL, false); }
      s = ad_mul(ad_add(v[g.n - 1], in[0]), 1e-2);           /* (ROWS, COLUMNS) */
      out[2] = ad_sum(ad_softmax(ad_matmul(s, ad_transpose(s)), 1), AD_ALL, false);
      out[2] = ad_add(out[2], ad_logsumexp(s, AD_ALL, false));
      assert_int_equal(ad_tape_status(tape), AD_OK);
      if (!f) f = ad_function_create(in, 3, out, 3);
      assert_non_null(f);
      assert_int_equal(ad_function_vjp(f, x, w, y, gradient), AD_OK);
      total = ad_add(ad_add(ad_mul(out[0], w[0]), ad_mul(out[1], w[1])), ad_mul(out[2], w[2]));
      for (int k = 0; k < 3; k++) expect(y[k], ad_value(out[k]), ad_value(out[k]), fabs(ad_value(out[k])), number, "value");
      assert_int_equal(ad_backward(total), AD_OK);
      double most = 0;
      for (int i = 0; i < N; i++) most = fmax(most, fabs(gradient[i]));
      for (int k = 0, i = 0; k < 3; k++) for (size_t l = 0; l < ad_size(in[k]); l++, i++) expect(gradient[i], ((const double *)ad_grad_data(in[k]))[l], ((const double *)ad_grad_data(in[k]))[l], most, number, "adjoint");
      /* tangents and curvature: of the function, and of the tape's derivative of <gradient, dx> */
      assert_int_equal(ad_differentiate(total, in, 3, d), AD_OK);
      ad_var slope = ad_mul(d[2], dx[N - 1]);
      slope = ad_add(slope, ad_sum(ad_mul(d[0], ad_tensor_constant(tape, AD_F64, 2, shape, dx)), AD_ALL, false));
      slope = ad_add(slope, ad_sum(ad_mul(d[1], ad_tensor_constant(tape, AD_F64, 1, &columns, dx + ALL)), AD_ALL, false));
      assert_int_equal(ad_function_jvp(f, x, dx, NULL, jvp), AD_OK);
      expect(jvp[0] * w[0] + jvp[1] * w[1] + jvp[2] * w[2], ad_value(slope), ad_value(slope), most, number, "tangent");
      assert_int_equal(ad_function_hessian_vector(f, x, w, dx, hv), AD_OK);
      assert_int_equal(ad_backward(slope), AD_OK);
      most = 0;
      for (int i = 0; i < N; i++) most = fmax(most, fabs(hv[i]));
      for (int k = 0, i = 0; k < 3; k++) for (size_t l = 0; l < ad_size(in[k]); l++, i++) expect(hv[i], ((const double *)ad_grad_data(in[k]))[l], ((const double *)ad_grad_data(in[k]))[l], 10 * most, number, "Hessian times vector");
    }
    ad_function_destroy(f);
  }
  assert_int_equal(wrong, 0);
  ad_tape_destroy(tape);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_programs), cmocka_unit_test(against_mpfr), cmocka_unit_test(functions_of_graphs),
    cmocka_unit_test(functions_of_tensor_graphs)};
  return cmocka_run_group_tests_name("dag", tests, NULL, NULL);
}
