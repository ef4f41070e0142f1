/* Random graphs of all rows whose numbers stay plain: operands inside the domains of their rows, away from kinks and jumps, results between
   1e-4 and 1e4. accuracy_dag.c evaluates them in MPFR; test_dag.c compares with what it found (dag_references.h). A graph follows from
   its number alone. */
#ifndef DAG_GRAPH_H
#define DAG_GRAPH_H

#include "dag.h"
#include "bits.h"

enum { GRAPH_INPUTS = 3, GRAPH_NODES = 24 };
typedef struct graph {
  int n;
  double input[GRAPH_INPUTS];
  struct { int op, x[3]; double k; } node[GRAPH_NODES];      /* x < 0: the constant k */
} graph;

DAG_ROW(double, ad_f64, graph_row)
/* is v in the domain of operand k, and does the row look smooth along it? */
static bool graph_fits(int op, int k, const double *x) {
  double lo = ad_ops[op].lo[k], hi = ad_ops[op].hi[k], margin = 0.01 * fmin(hi - lo, 1), h = 1e-5 * fmax(fabs(x[k]), 1e-3), f[3];
  if (!(x[k] > lo + margin && x[k] < hi - margin)) return false;
  for (int i = 0; i < 3; i++) {
    double at[3] = { x[0], x[1], x[2] };
    at[k] += (i - 1) * h;
    f[i] = graph_row((unsigned)op, at[0], at[1], at[2]);
  }
  return fabs(f[2] - f[0]) <= 2e3 * h && fabs(f[0] - 2 * f[1] + f[2]) <= 1e-3 * fabs(f[2] - f[0]) + 1e-9 * fabs(f[1]);
}
static graph graph_of(uint64_t number) {
  graph g;
  double v[GRAPH_NODES];
  uint64_t seed = (number + 1) * UINT64_C(0xd1342543de82ef95) ^ number << 40;
  memset(&g, 0, sizeof g);
  for (g.n = 0; g.n < GRAPH_INPUTS; g.n++) v[g.n] = g.input[g.n] = 0.125 + 1.75 * bits_uniform(&seed);
  int wanted = GRAPH_INPUTS + 3 + (int)(bits_uniform(&seed) * (GRAPH_NODES - GRAPH_INPUTS - 3));
  for (int tries = 0; g.n < wanted && tries < 2000; tries++) {
    int op = (int)(bits_uniform(&seed) * AD_OP_COUNT_), arity = ad_ops[op].arity, order = op == AD_OP_powi ? 1 : op == AD_OP_polygamma ? 0 : -1;
    double x[3] = { 0, 0, 0 };
    bool fits = true;
    g.node[g.n].op = op;
    for (int k = 0; k < arity; k++) {
      int from = (int)(bits_uniform(&seed) * g.n);
      if (bits_uniform(&seed) < 0.5) from = g.n - 1 - (int)(bits_uniform(&seed) * (g.n < 4 ? g.n : 4));      /* rather what is new */
      g.node[g.n].x[k] = k == order ? -1 : from;
      x[k] = k == order ? (g.node[g.n].k = 1 + floor(bits_uniform(&seed) * 3)) : v[from];
    }
    for (int k = 0; k < arity; k++) fits = fits && (k == order || graph_fits(op, k, x));
    v[g.n] = graph_row((unsigned)op, x[0], x[1], x[2]);
    bool flag = v[g.n] == 0 || v[g.n] == 1;
    if (fits && (flag || (fabs(v[g.n]) > 1e-4 && fabs(v[g.n]) < 1e4))) g.n++;
  }
  return g;
}
/* the graph's nodes by duals, and on a tape */
static void graph_duals(const graph *g, ad_dual *d) {
  for (int i = 0; i < g->n; i++) {
    ad_dual x[3];
    for (int k = 0; k < 3; k++) x[k] = i >= GRAPH_INPUTS && g->node[i].x[k] >= 0 ? d[g->node[i].x[k]] : ad_dual_constant(g->node[i].k);
    d[i] = i < GRAPH_INPUTS ? ad_dual_variable(g->input[i], i) : dag_dual((unsigned)g->node[i].op, x[0], x[1], x[2]);
  }
}
static void graph_record(const graph *g, const ad_var *in, ad_var *v) {
  for (int i = 0; i < g->n; i++) {
    ad_var x[3] = { in[0], in[0], in[0] };
    if (i < GRAPH_INPUTS) { v[i] = in[i]; continue; }
    for (int k = 0; k < ad_ops[g->node[i].op].arity; k++) x[k] = g->node[i].x[k] >= 0 ? v[g->node[i].x[k]] : ad_constant(in[0].tape, g->node[i].k);
    v[i] = dag_var((unsigned)g->node[i].op, x[0], x[1], x[2]);
  }
}
#endif
