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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_programs), cmocka_unit_test(against_mpfr)};
  return cmocka_run_group_tests_name("dag", tests, NULL, NULL);
}
