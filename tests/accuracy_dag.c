/* Random graphs of all rows (dag_graph.h) in MPFR duals: what duals, the tape and a function give must lie within running error bounds of
   it, and u.(J v) = v.(J^T u). The partials of MPFR are differences of its values. LIBS: -lmpfr -lgmp

     accuracy_dag [graphs] [first]     default 100000
     accuracy_dag --reference          prints tests/dag_references.h: value, gradient and bounds of the first 1000 */

#define AD_IMPLEMENTATION
#include "ad.h"
#define BITS 420
#include "oracles.h"
#include "dag_graph.h"

enum { STEP = 80 };
typedef struct exact { mpfr_t v, t[GRAPH_INPUTS]; double bound, slack[GRAPH_INPUTS]; } exact;     /* value, tangents; bounds of what double gives */

/* r = differences of orders n[0..2] of row j at x */
static void difference(mpfr_t r, const judge *j, const int *order, mpfr_t *x) {
  static mpfr_t h[3], at[3], t;
  static bool ready;
  if (!ready) { for (int k = 0; k < 3; k++) mpfr_inits2(BITS, h[k], at[k], (mpfr_ptr)0); mpfr_init2(t, BITS); ready = true; }
  int n[3] = { order[0], order[1], order[2] };
  n[0] += j->order;
  for (int k = 0; k < 3; k++) { mpfr_abs(h[k], x[k], RN); if (mpfr_cmp_d(h[k], 1e-20) < 0) mpfr_set_ui(h[k], 1, RN); mpfr_mul_2si(h[k], h[k], -STEP, RN); }
  mpfr_set_ui(r, 0, RN);
  long c0 = 1;
  for (int a = 0; a <= n[0]; a++) {
    long c1 = 1;
    for (int b = 0; b <= n[1]; b++) {
      long c2 = 1;
      for (int c = 0; c <= n[2]; c++) {
        const int step[3] = { n[0] - 2 * a, n[1] - 2 * b, n[2] - 2 * c };
        for (int k = 0; k < 3; k++) { mpfr_mul_si(at[k], h[k], step[k], RN); mpfr_add(at[k], at[k], x[k], RN); }
        mpfr_set(operand_z, at[2], RN);
        j->f(t, at[0], at[1]);
        mpfr_mul_si(t, t, ((a + b + c) % 2 ? -1 : 1) * c0 * c1 * c2, RN);
        mpfr_add(r, r, t, RN);
        c2 = c2 * (n[2] - c) / (c + 1);
      }
      c1 = c1 * (n[1] - b) / (b + 1);
    }
    c0 = c0 * (n[0] - a) / (a + 1);
  }
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < n[k]; i++) { mpfr_div(r, r, h[k], RN); mpfr_div_2ui(r, r, 1, RN); }
}
static double size(mpfr_t x) { return fabs(mpfr_get_d(x, RN)); }

static void node(const graph *g, int i, exact *e) {
  static mpfr_t x[3], p[3], t;
  static bool ready;
  const double unit = 0x1p-53;
  exact *r = &e[i];
  if (!ready) { for (int k = 0; k < 3; k++) mpfr_inits2(BITS, x[k], p[k], (mpfr_ptr)0); mpfr_init2(t, BITS); ready = true; }
  mpfr_set_d(r->v, i < GRAPH_INPUTS ? g->input[i] : 0, RN);
  for (int l = 0; l < GRAPH_INPUTS; l++) mpfr_set_ui(r->t[l], i == l, RN), r->slack[l] = 0;
  r->bound = 0;
  if (i < GRAPH_INPUTS) return;
  const int op = g->node[i].op, arity = ad_ops[op].arity;
  const judge *j = judge_of(ad_ops[op].name);
  double limit[2] = { (fmax(j->limit[0], 1.1) + 4) * 2 * unit, ((j->order == 2 && j->limit[1] == 0 ? 8 : fmax(j->limit[1], 4)) + 4) * 2 * unit }, err[3] = { 0, 0, 0 }, perr[3];
  for (int k = 0; k < 3; k++) {
    int from = k < arity ? g->node[i].x[k] : -1;
    if (from >= 0) mpfr_set(x[k], e[from].v, RN), err[k] = e[from].bound; else mpfr_set_d(x[k], g->node[i].k, RN);
  }
  difference(r->v, j, (int[3]){ 0, 0, 0 }, x);
  r->bound = limit[0] * fmax(size(r->v), j->floor[0]);
  for (int k = 0; k < arity; k++) {
    int order[3] = { 0, 0, 0 };
    order[k] = 1;
    mpfr_set_ui(p[k], 0, RN); perr[k] = 0;
    if (g->node[i].x[k] < 0) continue;
    difference(p[k], j, order, x);
    r->bound += size(p[k]) * err[k] * 1.01;
    perr[k] = limit[1] * fmax(size(p[k]), j->floor[1]);
    for (int l = 0; l < arity; l++) {
      if (g->node[i].x[l] < 0 || err[l] == 0) continue;
      order[l]++;
      difference(t, j, order, x);
      perr[k] += size(t) * err[l] * 1.01;
      order[l]--;
    }
  }
  for (int k = 0; k < arity; k++)
    for (int l = 0; l < GRAPH_INPUTS && g->node[i].x[k] >= 0; l++) {
      const exact *o = &e[g->node[i].x[k]];
      mpfr_fma(r->t[l], p[k], o->t[l], r->t[l], RN);
      double product = size(p[k]) * size((mpfr_ptr)o->t[l]);
      r->slack[l] += size(p[k]) * o->slack[l] + perr[k] * (size((mpfr_ptr)o->t[l]) + o->slack[l]) + 4 * unit * product;
    }
}

static const graph *recorded;
static void last(const ad_var *x, ad_var *y, void *context) { ad_var v[GRAPH_NODES]; (void)context; graph_record(recorded, x, v); y[0] = v[recorded->n - 1]; }

int main(int argc, char **argv) {
  const bool reference = argc > 1 && !strcmp(argv[1], "--reference");
  long graphs = reference ? 1000 : argc > 1 ? strtol(argv[1], NULL, 10) : 100000, first = argc > 2 ? strtol(argv[2], NULL, 10) : 0, nodes = 0, wrong = 0, used[AD_OP_COUNT_] = { 0 };
  double most = 0;
  exact e[GRAPH_NODES];
  mpfr_t d;
  mpfr_inits2(BITS, d, operand_z, (mpfr_ptr)0);
  for (int i = 0; i < GRAPH_NODES; i++) { mpfr_init2(e[i].v, BITS); for (int l = 0; l < GRAPH_INPUTS; l++) mpfr_init2(e[i].t[l], BITS); }
  ad_tape *tape = ad_tape_create(NULL);
  if (reference) printf("/* Made by: accuracy_dag --reference. Of each graph value and gradient of the last node, from MPFR, and the error bounds. */\n");
  for (long number = first; number < first + graphs; number++) {
    graph g = graph_of((uint64_t)number);
    ad_dual dual[GRAPH_NODES];
    ad_var v[GRAPH_NODES], in[GRAPH_INPUTS];
    for (int i = 0; i < g.n; i++) { node(&g, i, e); if (i >= GRAPH_INPUTS) used[g.node[i].op]++; }
    const exact *y = &e[g.n - 1];
    nodes += g.n;
    if (reference) {
      printf("{ %a, { %a, %a, %a }, %.2g, { %.2g, %.2g, %.2g } },\n", mpfr_get_d(y->v, RN), mpfr_get_d(y->t[0], RN), mpfr_get_d(y->t[1], RN), mpfr_get_d(y->t[2], RN),
             y->bound, y->slack[0], y->slack[1], y->slack[2]);
      continue;
    }
    graph_duals(&g, dual);
    ad_tape_reset(tape);
    for (int k = 0; k < GRAPH_INPUTS; k++) in[k] = ad_variable(tape, g.input[k]);
    graph_record(&g, in, v);
    ad_backward(v[g.n - 1]);
    double got[4][GRAPH_INPUTS], value, other;
    recorded = &g;
    ad_function *f = ad_function_record(last, NULL, GRAPH_INPUTS, g.input, 1);
    if (!f || ad_function_jacobian(f, g.input, &value, got[2]) || ad_function_vjp(f, g.input, &(double){ 1 }, &other, got[3])) { fprintf(stderr, "graph %ld: no function\n", number); wrong++; continue; }
    ad_function_destroy(f);
    bool bad = false;
    for (int i = 0; i < g.n; i++) {                        /* every node's value and tangents */
      mpfr_sub_d(d, e[i].v, dual[i].v, RN);
      if (!(size(d) <= e[i].bound)) bad = true;
      for (int l = 0; l < GRAPH_INPUTS; l++) {
        mpfr_sub_d(d, e[i].t[l], dual[i].d[l], RN);
        if (!(size(d) <= e[i].slack[l])) bad = true;
        if (e[i].slack[l] > 0) most = fmax(most, size(d) / e[i].slack[l]);
      }
    }
    mpfr_sub_d(d, y->v, value, RN);
    bad = bad || !(size(d) <= y->bound) || value != other;
    /* the sweep sums other products in another order: its bound counts what cancels by the paths' absolute sum, of which slack is the error */
    double left = 0, right = 0, scale = 0;
    for (int l = 0; l < GRAPH_INPUTS; l++) {
      got[0][l] = dual[g.n - 1].d[l], got[1][l] = ad_grad(in[l]);
      const double u = 1.5 - l, lost = 2 * y->slack[l];
      for (int m = 1; m < 4; m++) {
        mpfr_sub_d(d, y->t[l], got[m][l], RN);
        if (!(size(d) <= lost)) bad = true;
      }
      left += u * got[0][l], right += u * got[1][l], scale += fabs(u) * lost;
    }
    if (!(fabs(left - right) <= scale + 8 * 0x1p-53 * (fabs(left) + fabs(right)))) bad = true;      /* u.(Jv) = v.(J^T u) */
    if (bad) {
      wrong++;
      fprintf(stderr, "graph %ld:\n", number);
      for (int i = 0; i < g.n && wrong < 20; i++)
        fprintf(stderr, "  %2d %-12s %2d %2d %2d  %.17g (%.2g of bound) tangents %.17g %.17g %.17g +- %.2g %.2g %.2g exact %.17g %.17g %.17g\n", i, i < GRAPH_INPUTS ? "" : ad_ops[g.node[i].op].name, g.node[i].x[0], g.node[i].x[1], g.node[i].x[2], dual[i].v,
                fabs(dual[i].v - mpfr_get_d(e[i].v, RN)) / e[i].bound, dual[i].d[0], dual[i].d[1], dual[i].d[2], e[i].slack[0], e[i].slack[1], e[i].slack[2], mpfr_get_d(e[i].t[0], RN), mpfr_get_d(e[i].t[1], RN), mpfr_get_d(e[i].t[2], RN));
      fprintf(stderr, "  reverse %.17g %.17g %.17g\n", got[1][0], got[1][1], got[1][2]);
    }
  }
  ad_tape_destroy(tape);
  if (reference) return 0;
  int missing = 0;
  for (int op = 0; op < AD_OP_COUNT_; op++) if (!used[op]) { missing++; fprintf(stderr, "%s is in no graph\n", ad_ops[op].name); }
  printf("Random graphs: %ld with %ld nodes of all %d rows but %d, evaluated in MPFR duals: %ld out of their error bounds (the nearest to its bound: %.2f of it).\n", graphs, nodes, AD_OP_COUNT_, missing, wrong, most);
  return wrong != 0 || (missing && graphs >= 10000);
}
