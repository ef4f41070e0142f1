/* Special values: the table of special.h on every engine. {value, forward, reverse, forward over reverse} of every row at all its
   points in float and double by duals, by the tape (numbers; tensors of rank 0), by tensors and by functions. The classes must be
   those of the table, none is left out. AD_PRINT_SPECIAL=1 prints the table as duals see it. */
#ifndef AD_INLINE
#define AD_INLINE static inline __attribute__((unused))      /* not forced: a program of duals compiles 5 times faster */
#endif
#include "test.h"
#include "memory.h"
#include "ad.h"
#include "row.h"
#include "special.h"

static long assertions, open_;           /* of these, second derivatives of which more than one class is allowed */
static bool forward;                     /* the engine is forward mode over the partials: the class of the table and no other */
static int wrong;
static char *collected;                  /* where the table is being printed: the classes so far */


/* AD_SHOW=n shows n wrong ones of each engine (20) */
static int most_shown(void) { return getenv("AD_SHOW") ? atoi(getenv("AD_SHOW")) : 20; }

/* Where the well-known tools differ, in the order PyTorch, CppAD, CoDiPack, ADOL-C. Every engine must give these
   numbers; seen counts how often one was looked at. The two cases that are more than one operation are tested in composites. */
#define ANY 1.25e-77
static struct { const char *name; int op; double x, y, want[3]; int seen; } named[] = {
  { "sqrt'(0): inf, inf, 0, 0", AD_OP_sqrt, 0, 0, { 0, S_INF, ANY }, 0 },
  { "sqrt'(-0): -inf, -inf, 0, 0", AD_OP_sqrt, -0.0, 0, { -0.0, S_INF, ANY }, 0 },
  { "abs'(0): 0, 0, 0, 0", AD_OP_abs, 0, 0, { 0, 0, ANY }, 0 },
  { "abs'(NaN): 0, -1, 0, -", AD_OP_abs, S_NAN, 0, { S_NAN, S_NAN, ANY }, 0 },
  { "pow(0, 0): 0, 0; 0, -inf; NaN, 0; 0, 0", AD_OP_pow, 0, 0, { 1, 0, 0 }, 0 },
  { "pow(0, 1) by x: 1, 0, 1, 0", AD_OP_pow, 0, 1, { 0, 1, 0 }, 0 },
  { "pow(-2, 2) by y: NaN, NaN, 0, 0", AD_OP_pow, -2, 2, { 4, -4, S_NAN }, 0 },
  { "max(1, 1): 1/2, 1/2; -; 1, 0; 1/2, 1/2", AD_OP_max, 1, 1, { 1, 0.5, 0.5 }, 0 },
  { "max(NaN, 1): NaN; 1, 1; -; NaN; 1, 0; -", AD_OP_max, S_NAN, 1, { S_NAN, 1, 0 }, 0 },
  { "atan2(0, 0): NaN, NaN; NaN; NaN; 0, 0", AD_OP_atan2, 0, 0, { 0, S_NAN, S_NAN }, 0 },
  { "hypot(0, 0): NaN; -; 0, 0; 0, 0", AD_OP_hypot, 0, 0, { 0, 0, 0 }, 0 },
  { "tanh'(20): 0, 0, 0, 1.7e-17", AD_OP_tanh, 20, 0, { 1, 0x1.39792499b1a24p-56, ANY }, 0 },
  { "log'(-1): -1, -1, -1, -", AD_OP_log, -1, 0, { S_NAN, S_NAN, ANY }, 0 },
  { "atanh'(2): -1/3, -1/3, -1/3, -", AD_OP_atanh, 2, 0, { S_NAN, S_NAN, ANY }, 0 },
  { "acosh'(-1): inf, -, -, -", AD_OP_acosh, -1, 0, { S_NAN, S_NAN, ANY }, 0 },
};
enum { NAMED = sizeof named / sizeof *named };
static void check_named(const char *engine, int op, const double *x, bool single, int result, double got) {
  for (int c = 0; c < NAMED; c++) {
    const double at[2] = { special_number(named[c].x, single), special_number(named[c].y, single) };
    if (named[c].op != op || result > 2 || fabs(named[c].want[result] - ANY) < 1e-80) continue;
    bool here = true;
    for (int k = 0; k < ad_ops[op].arity; k++) here = here && (isnan(at[k]) ? isnan(x[k]) : x[k] == at[k] && signbit(x[k]) == signbit(at[k]));
    if (!here) continue;
    double want = special_number(named[c].want[result], single);
    named[c].seen++;
    if (isnan(want) ? isnan(got) : want == 0 || isinf(want) ? got == want && (result || signbit(got) == signbit(want)) : fabs(got - want) <= 4 * (single ? (double)FLT_EPSILON : DBL_EPSILON) * fabs(want)) continue;
    if (++wrong < most_shown()) print_message("%s by %s %s, result %d: %.17g, not %.17g\n", named[c].name, engine, single ? "f32" : "f64", result, got, want);
  }
}

/* one result of one engine */
static void check_class(const char *engine, int op, int i, bool single, int result, const char *classes, double got) {
  const int n = special_points(op);
  char expected = classes[result * n + i], other = classes[special_other_order(op, result) * n + i], c = special_class(got, single, result == 0);
  if (collected) {
    if (!special_allows(expected, other, got, single, result == 0) && result > ad_ops[op].arity)
      collected[result * n + i] = c == 'N' || special_agrees(special_forward(other), c, false) ? special_small(expected) : 'r';
    return;
  }
  double x[3];
  special_point(op, i, single, x);
  check_named(engine, op, x, single, result, got);
  assertions++;
  open_ += special_open(expected);
  if (forward ? expected == 'r' ? special_allows('r', 'r', got, single, false) : special_agrees(special_forward(expected), c, result == 0)
              : special_allows(expected, other, got, single, result == 0)) return;
  if (++wrong < most_shown()) print_message("%s(%g, %g, %g) result %d by %s %s: %.9g (%c), not %c\n", ad_ops[op].name, x[0], x[1], x[2], result, engine, single ? "f32" : "f64", got, c, expected);
}

typedef void each_row(int op, bool single, const char *classes);
static void over_the_table(each_row *check) {
  static char classes[SPECIAL_MOST * SPECIAL_RESULTS];
  wrong = 0;
  long before = assertions;
  for (int op = 0; op < AD_OP_COUNT_; op++)
    for (int single = 0; single < 2; single++) {
      if (!special_classes_of(op, single, classes)) fail_msg("%s has no classes in the table, or too few", ad_ops[op].name);
      check(op, single, classes);
    }
  print_message("%ld assertions\n", assertions - before);
  if (wrong) fail_msg("%d wrong", wrong);
}

/* -- engines -- */

static void dual(int op, bool single, const char *classes) {
  for (int i = 0; i < special_points(op); i++) {
    double x[3], out[SPECIAL_RESULTS];
    special_point(op, i, single, x);
    (single ? special_s32 : special_s64)(op, x, out);
    for (int r = 0; r < special_results(op); r++) check_class("dual", op, i, single, r, classes, out[r]);
  }
}

static ad_tape *tape;
static double element(const void *data, ad_dtype type, int i) { return type == AD_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i]; }

/* inputs of rank (0: one point i) over all points from first on; all results into out[result][point] */
static void by_tensors(int op, bool single, int rank, int first, size_t n, double *out) {
  static double d[3][SPECIAL_MOST];
  static float f[3][SPECIAL_MOST], ones_f[SPECIAL_MOST];
  static double ones_d[SPECIAL_MOST];
  const int arity = ad_ops[op].arity;
  ad_dtype type = single ? AD_F32 : AD_F64;
  ad_var x[3], dydx[3];
  ad_tape_reset(tape);
  for (size_t i = 0; i < n; i++) {
    double p[3];
    special_point(op, first + (int)i, single, p);
    for (int k = 0; k < 3; k++) d[k][i] = p[k], f[k][i] = (float)p[k];
    ones_f[i] = 1, ones_d[i] = 1;
  }
  for (int k = 0; k < arity; k++) x[k] = ad_tensor_variable(tape, type, rank, &n, single ? (void *)f[k] : d[k]);
  ad_var y = row_on_tape(op, x);
  assert_int_equal(ad_backward_from(y, single ? (void *)ones_f : ones_d), AD_OK);
  for (size_t i = 0; i < n; i++) {
    out[i] = element(ad_data(y), type, (int)i);
    for (int k = 0; k < arity; k++) out[(size_t)(1 + k) * n + i] = element(ad_grad_data(x[k]), type, (int)i);
  }
  assert_int_equal(ad_differentiate(rank ? ad_sum(y, AD_ALL, false) : y, x, (size_t)arity, dydx), AD_OK);
  for (int k = 0; k < arity; k++) {
    assert_int_equal(ad_backward_from(dydx[k], single ? (void *)ones_f : ones_d), AD_OK);
    for (int l = 0; l < arity; l++)
      for (size_t i = 0; i < n; i++) out[(size_t)(1 + arity + arity * k + l) * n + i] = element(ad_grad_data(x[l]), type, (int)i);
  }
}
static void tensor(int op, bool single, const char *classes) {
  static double out[SPECIAL_MOST * SPECIAL_RESULTS];
  int n = special_points(op);
  by_tensors(op, single, 1, 0, (size_t)n, out);
  for (int r = 0; r < special_results(op); r++)
    for (int i = 0; i < n; i++) check_class("tensors", op, i, single, r, classes, out[r * n + i]);
}

static int context_op;
static void map(const ad_var *x, ad_var *y, void *context) { y[0] = row_on_tape(*(const int *)context, x); }

static void on_tape(int op, bool single, const char *classes) {
  const int arity = ad_ops[op].arity;
  context_op = op;
  for (int i = 0; i < special_points(op); i++) {
    double p[3], out[SPECIAL_RESULTS];
    special_point(op, i, single, p);
    if (single) by_tensors(op, true, 0, i, 1, out);
    else {
      ad_var x[3];
      ad_tape_reset(tape);
      for (int k = 0; k < arity; k++) x[k] = ad_variable(tape, p[k]);
      ad_var y = row_on_tape(op, x);
      assert_int_equal(ad_backward(y), AD_OK);
      out[0] = ad_value(y);
      for (int k = 0; k < arity; k++) out[1 + k] = ad_grad(x[k]);
      assert_int_equal(ad_hessian(map, &context_op, (size_t)arity, p, NULL, NULL, out + 1 + arity), AD_OK);
    }
    for (int r = 0; r < special_results(op); r++) check_class("the tape", op, i, single, r, classes, out[r]);
  }
}

static void function(int op, bool single, const char *classes) {
  static double d[3 * SPECIAL_MOST], one[SPECIAL_MOST], seed[3 * SPECIAL_MOST], result[9 * SPECIAL_MOST], y[SPECIAL_MOST];
  static float fd[3 * SPECIAL_MOST], fone[SPECIAL_MOST], fseed[3 * SPECIAL_MOST], fresult[9 * SPECIAL_MOST], fy[SPECIAL_MOST];
  const int a = ad_ops[op].arity, n = special_points(op);
  double at[3];
  context_op = op;
  for (int k = 0; k < 3; k++) at[k] = 0.5 * (ad_ops[op].lo[k] + ad_ops[op].hi[k]);
  ad_function *f = ad_function_record(map, &context_op, (size_t)a, at, 1);
  assert_non_null(f);
  for (int i = 0; i < n; i++) {
    double p[3];
    special_point(op, i, single, p);
    for (int k = 0; k < a; k++) d[i * a + k] = p[k], fd[i * a + k] = (float)p[k];
    one[i] = 1, fone[i] = 1;
  }
  static const ad_function_kind kinds[] = { AD_FUNCTION_VALUE, AD_FUNCTION_JVP, AD_FUNCTION_VJP, AD_FUNCTION_JACOBIAN, AD_FUNCTION_HESSIAN };
  for (int kind = 0; kind < 5; kind++)
    for (int k = 0; k < (kinds[kind] == AD_FUNCTION_JVP ? a : 1); k++) {
      ad_function_arguments arguments = { NULL, NULL, NULL, NULL, NULL, NULL, NULL, single ? AD_F32 : AD_F64 };
      for (int i = 0; i < n * a; i++) seed[i] = i % a == k, fseed[i] = (float)(i % a == k);
      arguments.x = single ? (void *)fd : d;
      if (kinds[kind] == AD_FUNCTION_VJP || kinds[kind] == AD_FUNCTION_HESSIAN) arguments.w = single ? (void *)fone : one;
      if (kinds[kind] == AD_FUNCTION_JVP) arguments.dx = single ? (void *)fseed : seed;
      if (kinds[kind] != AD_FUNCTION_HESSIAN) arguments.y = single ? (void *)fy : y;
      if (kinds[kind] != AD_FUNCTION_VALUE) arguments.result = single ? (void *)fresult : result;
      assert_int_equal(ad_function_apply(f, kinds[kind], (size_t)n, &arguments), AD_OK);
      for (int i = 0; i < n; i++) {
        if (arguments.y) check_class("a function", op, i, single, 0, classes, element(arguments.y, arguments.dtype, i));
        switch (kinds[kind]) {
          case AD_FUNCTION_JVP: check_class("a function's jvp", op, i, single, 1 + k, classes, element(arguments.result, arguments.dtype, i)); break;
          case AD_FUNCTION_VJP: case AD_FUNCTION_JACOBIAN:
            for (int l = 0; l < a; l++) check_class("a function's gradient", op, i, single, 1 + l, classes, element(arguments.result, arguments.dtype, i * a + l));
            break;
          case AD_FUNCTION_HESSIAN:
            for (int l = 0; l < a * a; l++) check_class("a function's Hessian", op, i, single, 1 + a + l, classes, element(arguments.result, arguments.dtype, i * a * a + l));
            break;
          default: break;
        }
      }
    }
  ad_function_destroy(f);
}

static void duals(void **state) { (void)state; forward = true; over_the_table(dual); forward = false; }
static void tapes(void **state) { (void)state; tape = ad_tape_create(NULL); over_the_table(on_tape); ad_tape_destroy(tape); }
static void tensors(void **state) { (void)state; tape = ad_tape_create(NULL); over_the_table(tensor); ad_tape_destroy(tape); }
static void functions(void **state) { (void)state; over_the_table(function); }
/* x sqrt(x) at 0, whose derivative is 0 (NaN, CppAD forward NaN, 0, 0), and the norm of zeros (0, -, 0, 0), by every engine */
static void product(const ad_var *x, ad_var *y, void *context) { (void)context; y[0] = ad_var_mul(x[0], ad_var_sqrt(x[0])); }
static void composites(void **state) {
  (void)state;
  const size_t three = 3;
  const double zero[3] = { 0, 0, 0 }, one = 1;
  const float zero_f[3] = { 0, 0, 0 };
  double y, g = 7;
  s64 a = s64_variable(0, 0);
  assert_true(s64_mul(a, s64_sqrt(a)).d[0] == 0);
  s32 b = s32_variable(0, 0);
  assert_true(s32_mul(b, s32_sqrt(b)).d[0] == 0);
  assert_int_equal(ad_gradient(product, NULL, 1, zero, &y, &g), AD_OK);
  assert_true(g == 0);
  ad_function *f = ad_function_record(product, NULL, 1, &one, 1);
  assert_non_null(f);
  for (int kind = 0; kind < 3; kind++) {
    g = 7;
    assert_int_equal(kind == 0 ? ad_function_jacobian(f, zero, NULL, &g) : kind == 1 ? ad_function_jvp(f, zero, &one, &y, &g) : ad_function_vjp(f, zero, &one, &y, &g), AD_OK);
    assert_true(g == 0);
  }
  ad_function_destroy(f);
  ad_tape *t = ad_tape_create(NULL);
  for (int single = 0; single < 2; single++) {
    ad_var x = ad_tensor_variable(t, single ? AD_F32 : AD_F64, 1, &three, single ? (const void *)zero_f : zero);
    assert_int_equal(ad_backward(ad_sum(ad_var_mul(x, ad_var_sqrt(x)), AD_ALL, false)), AD_OK);
    for (int i = 0; i < 3; i++) assert_true(element(ad_grad_data(x), single ? AD_F32 : AD_F64, i) == 0);
    assert_int_equal(ad_backward(ad_norm(x, AD_ALL, false)), AD_OK);
    for (int i = 0; i < 3; i++) assert_true(element(ad_grad_data(x), single ? AD_F32 : AD_F64, i) == 0);
  }
  ad_tape_destroy(t);
}

static void enough(void **state) {
  for (int c = 0; c < NAMED; c++) if (named[c].seen < 8) fail_msg("%s was seen by %d engines only", named[c].name, named[c].seen);
  (void)state;
  print_message("%ld assertions in all, %ld of them allow more than one class\n", assertions, open_);
  assert_true(assertions >= 250000 && open_ < assertions / 200);
}

/* second derivatives that the engines see differently are in small letters */
static int print_table(void) {
  static char classes[2][SPECIAL_MOST * SPECIAL_RESULTS];
  printf("/* Made by: AD_PRINT_SPECIAL=1 test_special; judged by accuracy_special. Row; classes for float; for double (empty: the same). */\n");
  tape = ad_tape_create(NULL);
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    int n = special_points(op), all = n * special_results(op);
    for (int single = 0; single < 2; single++) {
      collected = classes[single];
      for (int i = 0; i < n; i++) {
        double x[3], out[SPECIAL_RESULTS];
        special_point(op, i, single, x);
        (single ? special_s32 : special_s64)(op, x, out);
        for (int r = 0; r < special_results(op); r++) collected[r * n + i] = special_class(out[r], single, r == 0);
      }
      tensor(op, single, collected), on_tape(op, single, collected), function(op, single, collected);
    }
    printf("{ \"%s\", \"", ad_ops[op].name);
    special_print_runs(classes[1], all);
    printf("\", \"");
    if (memcmp(classes[0], classes[1], (size_t)all)) special_print_runs(classes[0], all);
    printf("\" },\n");
  }
  ad_tape_destroy(tape);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(duals), cmocka_unit_test(tapes), cmocka_unit_test(tensors), cmocka_unit_test(functions),
    cmocka_unit_test(composites), cmocka_unit_test(enough) };
  if (getenv("AD_PRINT_SPECIAL")) return print_table();
  return cmocka_run_group_tests_name("special", tests, NULL, NULL);
}
