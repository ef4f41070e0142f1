/* A program of rows of the operator table, read from bytes, run forward on duals and recorded on a tape: values must be the same
   bits, a repeated sweep too, and the gradients must agree within the error of their sums. Used with random bytes by test_dag.c and
   with a fuzzer's by fuzz_dag.c. */
#ifndef DAG_H
#define DAG_H

#include "ad.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { DAG_INPUTS = 3, DAG_NODES = 48 };

/* a row by its opcode, in number system N of type T */
#define DAG_1(N, D, name, ...) case AD_OP_##name: return N##_##name(x);
#define DAG_2(N, D, name, ...) case AD_OP_##name: return N##_##name(x, y);
#define DAG_3(N, D, name, ...) case AD_OP_##name: return N##_##name(x, y, z);
#define DAG_ROW(T, N, function)                                                                                               \
  static T function(unsigned op, T x, T y, T z) {                                                                             \
    switch (op) { AD_UNARY(DAG_1, N, ) AD_BINARY(DAG_2, N, ) AD_TERNARY(DAG_3, N, ) }                                         \
    return x; }
DAG_ROW(ad_dual, ad_dual, dag_dual)
DAG_ROW(ad_var, ad_var, dag_var)

static bool dag_same(double a, double b) { return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); }
static bool dag_usual(double x) { return x == 0 || (fabs(x) > 1e-150 && fabs(x) < 1e150); }
static double dag_number(uint8_t byte) {
  static const double special[] = {0, -0.0, INFINITY, -INFINITY, NAN, 1e300, -1e-300, 5e-324};
  return byte < 248 ? (byte - 124) / 32.0 : special[byte - 248];
}

/* NULL, or what went wrong, with the program up to that node */
static __attribute__((unused)) const char *dag_run(ad_tape *tape, const uint8_t *bytes, size_t size, size_t *steps) {
  static char message[8192];
  size_t used = 0, length = 0;
  ad_var v[DAG_NODES];
  ad_dual d[DAG_NODES];
  ad_tape_reset(tape);
  int count = 0;
  for (; count < DAG_INPUTS; count++) {
    double x = dag_number(used < size ? bytes[used] : (uint8_t)(130 + 40 * count));
    used++;
    v[count] = ad_variable(tape, x), d[count] = ad_dual_variable(x, count);
    length += (size_t)snprintf(message + length, sizeof message - length, "\n  %d = %a", count, x);
  }
  for (; count < DAG_NODES && used + 4 <= size; used += 4, count++) {
    unsigned op = bytes[used] % AD_OP_COUNT_;
    int x = bytes[used + 1] % count, y = bytes[used + 2] % count, z = bytes[used + 3] % count;
    if (op == AD_OP_copysign && d[y].v != d[y].v) op = AD_OP_abs; /* the sign of a NaN is not promised */
    v[count] = dag_var(op, v[x], v[y], v[z]), d[count] = dag_dual(op, d[x], d[y], d[z]);
    length += (size_t)snprintf(message + length, sizeof message - length, "\n  %d = %s(%d, %d, %d) = %a", count, ad_ops[op].name, x, y, z, d[count].v);
    if (!dag_same(ad_value(v[count]), d[count].v)) {
      snprintf(message + length, sizeof message - length, "\nthe tape has %a", ad_value(v[count]));
      return message;
    }
  }
  *steps = (size_t)(count - DAG_INPUTS);
  double gradient[DAG_INPUTS], adjoints = 0, bound[DAG_INPUTS] = {0, 0, 0};     /* what may cancel: adjoints times tangents */
  if (ad_backward(v[count - 1]) != AD_OK) return ad_tape_message(tape);
  bool usual = true;
  for (int k = 0; k < DAG_INPUTS; k++) gradient[k] = ad_grad(v[k]);
  for (int i = 0; i < count; i++) adjoints += fabs(ad_grad(v[i]));
  for (int i = 0; i < count; i++)
    for (int k = 0; k < DAG_INPUTS; k++) {
      bound[k] += adjoints * fabs(d[i].d[k]);
      usual = usual && dag_usual(ad_grad(v[i])) && dag_usual(d[i].d[k]);
    }
  ad_backward(v[count - 1]);
  for (int k = 0; k < DAG_INPUTS; k++) {
    double forward = d[count - 1].d[k];
    if (dag_same(gradient[k], ad_grad(v[k])) && (!usual || fabs(gradient[k] - forward) <= 1e-12 * bound[k])) continue;
    snprintf(message + length, sizeof message - length, "\nby input %d: reverse %.17g, again %.17g, forward %.17g, bound %g", k, gradient[k],
             ad_grad(v[k]), forward, bound[k]);
    return message;
  }
  return NULL;
}
#endif
