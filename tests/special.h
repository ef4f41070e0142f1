/* The table of special values: every row at points that are special to some row, and the class of what comes out: of the value, of
   each partial, of each second derivative, for float and for double. The classes are data (special_classes.h); engines are compared
   with them by test_special.c, MPFR judges them in accuracy_special.c, mutants of the table are run against them by mutate.c.

   A second derivative in a small letter (npmyabu for NPMz+-t) is the class that forward mode over the partial gives, where rules R6 and R7
   for special values contradict each other or where the derivative depends on the order of differentiation. A product of an infinite and a zero
   partial is dropped by forward mode, whose tangent is 0, and kept as NaN by reverse mode, whose adjoint is infinite; and next to a kink or
   the end of a domain d/dy d/dx and d/dx d/dy differ. So there an engine may give this class, that of the other order, or NaN: never a finite
   number of its own. r is a root: at most 16 units of rounding.

   Classes: N NaN, P +inf, M -inf, z zero (of a value: +0, and o -0), + and - finite; t within four least normal numbers of zero,
   where rounding may give zero. Of derivatives the sign of a zero counts nowhere: sums of adjoints lose it. */
#ifndef TEST_SPECIAL_H
#define TEST_SPECIAL_H

#include "ad.h"
#include <stdio.h>

#define SPECIAL_API static __attribute__((unused))
/* numbers that stand for others: least normal and largest number of the type, infinity, NaN */
#define S_LEAST 1e-310
#define S_MOST 1e307
#define S_INF 1e306
#define S_NAN 1e305

static const double special_unary[] = { 0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 0.25, 0.75, 1.5, -1.5, 4, -4, 6, 10, -10, 20, -20, 85, -85, 95, -110,
  705, -750, 1e10, -1e10, 1e30, -1e30, S_MOST, -S_MOST, 1e-30, -1e-30, S_LEAST, -S_LEAST, 0x1p-140, S_INF, -S_INF, S_NAN };
static const double special_grid[] = { 0.0, -0.0, 0.5, -0.5, 1, -1, 2, -2, 3, -3, S_LEAST, -S_LEAST, S_MOST, -S_MOST, S_INF, -S_INF, S_NAN };
static const double special_few[] = { 0.0, -0.0, 0.5, 1, -2, S_INF, -S_INF, S_NAN };
enum { SPECIAL_UNARY = sizeof special_unary / sizeof *special_unary, SPECIAL_GRID = sizeof special_grid / sizeof *special_grid,
  SPECIAL_FEW = sizeof special_few / sizeof *special_few, SPECIAL_MOST = SPECIAL_FEW * SPECIAL_FEW * SPECIAL_FEW, SPECIAL_RESULTS = 1 + 3 + 9 };

SPECIAL_API double special_number(double x, bool single) {
  static const double least = S_LEAST, most = S_MOST, inf = S_INF, nan_ = S_NAN;      /* rounded to double, whatever FLT_EVAL_METHOD is */
  double a = fabs(x);
  a = a == least ? (single ? (double)FLT_MIN : DBL_MIN) : a == most ? (single ? (double)FLT_MAX : DBL_MAX) : a == inf ? (double)INFINITY : a == nan_ ? (double)NAN : a;
  return single ? (double)(float)copysign(a, x) : copysign(a, x);
}
SPECIAL_API int special_points(int op) {
  return ad_ops[op].arity == 1 ? SPECIAL_UNARY : ad_ops[op].arity == 2 ? SPECIAL_GRID * SPECIAL_GRID : SPECIAL_MOST;
}
SPECIAL_API void special_point(int op, int i, bool single, double x[3]) {
  x[0] = x[1] = x[2] = 0;
  if (ad_ops[op].arity == 1) x[0] = special_number(special_unary[i], single);
  else if (ad_ops[op].arity == 2) x[0] = special_number(special_grid[i % SPECIAL_GRID], single), x[1] = special_number(special_grid[i / SPECIAL_GRID], single);
  else
    for (int k = 0; k < 3; k++, i /= SPECIAL_FEW) x[k] = special_number(special_few[i % SPECIAL_FEW], single);
}
/* results of a row: value, partials, second derivatives (row-major); their number, and which is which */
SPECIAL_API int special_results(int op) { return 1 + ad_ops[op].arity * (1 + ad_ops[op].arity); }

SPECIAL_API char special_class(double r, bool single, bool value) {
  double least = single ? (double)FLT_MIN : DBL_MIN;
  if (isnan(r)) return 'N';
  if (isinf(r)) return r > 0 ? 'P' : 'M';
  if (r == 0) return value && signbit(r) ? 'o' : 'z';
  return fabs(r) < 4 * least ? 't' : r > 0 ? '+' : '-';
}
SPECIAL_API bool special_agrees(char expected, char got, bool value) {
  if (expected == got) return true;
  if (expected == 't') return got == 'z' || got == 'o' || got == '+' || got == '-';
  (void)value;
  return got == 't' && (expected == 'z' || expected == 'o');
}

/* of a second derivative in a small letter: what forward mode gives */
SPECIAL_API bool special_open(char expected) { return expected && strchr("npmyabur", expected); }
SPECIAL_API char special_forward(char expected) {
  const char *small = "npmyabu", *at = strchr(small, expected);
  return expected && at ? "NPMz+-t"[at - small] : expected;
}
SPECIAL_API char special_small(char c) {
  const char *large = "NPMz+-t", *at = strchr(large, c);
  return c && at ? "npmyabu"[at - large] : c;
}
/* what an engine gives where the table has expected, and other for the other order of differentiation */
SPECIAL_API bool special_allows(char expected, char other, double got, bool single, bool value) {
  const char c = special_class(got, single, value);
  if (expected == 'r') return fabs(got) <= 16 * (single ? (double)FLT_EPSILON : DBL_EPSILON);
  if (special_agrees(special_forward(expected), c, value)) return true;
  return special_open(expected) && (c == 'N' || special_agrees(special_forward(other), c, value));
}
/* the result that is the same second derivative in the other order */
SPECIAL_API int special_other_order(int op, int result) {
  const int n = ad_ops[op].arity, k = result - 1 - n;
  return k < 0 ? result : 1 + n + n * (k % n) + k / n;
}

typedef struct special_row { const char *name, *single, *twice; } special_row;      /* runs: 12N is NNNNNNNNNNNN; twice "": as single */
static const special_row special_rows[] = {
#include "special_classes.h"
  { "", "", "" }
};
/* the classes of a row, result after result; false where the table has none */
SPECIAL_API bool special_classes_of(int op, bool single, char classes[SPECIAL_MOST * SPECIAL_RESULTS]) {
  const char *p = NULL;
  int n = 0, all = special_points(op) * special_results(op);
  for (size_t i = 0; special_rows[i].name[0]; i++)
    if (!strcmp(special_rows[i].name, ad_ops[op].name)) p = single || !special_rows[i].twice[0] ? special_rows[i].single : special_rows[i].twice;
  while (p && *p && n < all) {
    char *end;
    long run = *p >= '1' && *p <= '9' ? strtol(p, &end, 10) : (end = (char *)(uintptr_t)p, 1);
    for (p = end; run > 0 && n < all; run--) classes[n++] = *p;
    p++;
  }
  return p && !*p && n == all;
}
SPECIAL_API void special_print_runs(const char *classes, int n) {
  for (int i = 0, run; i < n; i += run) {
    for (run = 1; i + run < n && classes[i + run] == classes[i];) run++;
    if (run > 1) printf("%d", run);
    putchar(classes[i]);
  }
}

/* forward mode, and forward over the partials: duals over float and over double */
AD_DUAL(s32, ad_f32, 3)
AD_DUAL(s64, ad_f64, 3)
#define SPECIAL_DUAL_1(N, D, op, ...) case AD_OP_##op: v = D##_##op(a); p[0] = D##_##op##_dx(a, v); break;
#define SPECIAL_DUAL_2(N, D, op, ...) case AD_OP_##op: v = D##_##op(a, b); p[0] = D##_##op##_dx(a, b, v); p[1] = D##_##op##_dy(a, b, v); break;
#define SPECIAL_DUAL_3(N, D, op, ...) case AD_OP_##op: v = D##_##op(a, b, c); \
  p[0] = D##_##op##_dx(a, b, c, v); p[1] = D##_##op##_dy(a, b, c, v); p[2] = D##_##op##_dz(a, b, c, v); break;
#define SPECIAL_DUAL(D, N) \
  SPECIAL_API void special_##D(int op, const double *x, double *out) { \
    D a = D##_variable((N)x[0], 0), b = D##_variable((N)x[1], 1), c = D##_variable((N)x[2], 2), v = a, p[3] = { a, a, a }; \
    const int n = ad_ops[op].arity; \
    switch (op) { AD_UNARY(SPECIAL_DUAL_1, , D) AD_BINARY(SPECIAL_DUAL_2, , D) AD_TERNARY(SPECIAL_DUAL_3, , D) } \
    out[0] = (double)v.v; \
    for (int k = 0; k < n; k++) { out[1 + k] = (double)v.d[k]; for (int l = 0; l < n; l++) out[1 + n + n * k + l] = (double)p[k].d[l]; } \
  }
SPECIAL_DUAL(s32, ad_f32)
SPECIAL_DUAL(s64, ad_f64)

#endif
