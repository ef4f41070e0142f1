/* The table, row by row: {float, double} x {scalar system, register}. Values and partials against references made with MPFR,
   partials against differences of values, second derivatives against differences of partials, every tail, lanes that do not
   see their neighbours, special values, the rules R4-R6, stored hashes. The file includes itself once per element type. */

#ifndef OPS_TEMPLATE
#define OPS_TEMPLATE
#include "ad_simd.h"
#include "ad.h"
#include "test.h"
#include "bits.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define F(name) PASTE(S, name)
#define W(name) PASTE(V, name)
#define T(name) PASTE(name, S)

static const bits_entry hashes[] = {
#include "test_ops_bits.h"
};
enum { HASHES = sizeof hashes / sizeof *hashes };
/* hashes hold where the math words are SLEEF's fma functions */
#if defined(AD__SLEEF) && AD_SIMD_ULP == 10 && (defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__))
#define HASHES_HOLD 1
#else
#define HASHES_HOLD 0
#endif

#define INF ((double)INFINITY)
#define NONE ((double)NAN)
static const struct { int op; double x, y, v, dx, dy, dxx, fv, fd, fdd; } references[] = {
#include "test_ops_reference.h"
};
enum { REFERENCES = sizeof references / sizeof *references };

#define TINY 1e-310                      /* stands for the smallest normal number of the type */

/* Special values: a name where another tool is known to differ, row, operands, value, partials. */
typedef struct special { const char *name; int op; double x, y, z, v, d[3]; } special;
static const special specials[] = {
#include "test_ops_special.h"
};
enum { SPECIALS = sizeof specials / sizeof *specials };

/* Rows whose partials are those of their structure, whatever the numbers: a NaN operand leaves them as they are. */
static bool structural(int op) {
  switch (op) {
    case AD_OP_neg: case AD_OP_add: case AD_OP_sub: case AD_OP_mul: case AD_OP_fma: case AD_OP_where: case AD_OP_lerp: case AD_OP_max: case AD_OP_min:
    case AD_OP_fmax: case AD_OP_fmin: case AD_OP_leaky_relu: case AD_OP_elu: case AD_OP_less: case AD_OP_less_equal: case AD_OP_equal:
    case AD_OP_not_equal: case AD_OP_chain: return true;
    default: return false;
  }
}
/* R5: the functions that C99 defines for a NaN operand; and xlogy, whose 0 * log(y) is 0 */
static bool swallows_nan(int op) { return op == AD_OP_pow || op == AD_OP_hypot || op == AD_OP_powi || op == AD_OP_pow_slope || op == AD_OP_hypot_share || op == AD_OP_copysign || op == AD_OP_chain; }
static bool is_order(int op, int k) { return (op == AD_OP_powi && k == 1) || (op == AD_OP_polygamma && k == 0); }

AD_DUAL(d64, ad_f64, 1)
/* values in double, for differences */
typedef void value_of(double in[3][16], double out[4][16]);
#define VALUE_1(N, D, op, ...) static void value_##op(double in[3][16], double out[4][16]) { out[0][0] = ad_f64_##op(in[0][0]); }
#define VALUE_2(N, D, op, ...) static void value_##op(double in[3][16], double out[4][16]) { out[0][0] = ad_f64_##op(in[0][0], in[1][0]); }
#define VALUE_3(N, D, op, ...) static void value_##op(double in[3][16], double out[4][16]) { out[0][0] = ad_f64_##op(in[0][0], in[1][0], in[2][0]); }
AD_UNARY(VALUE_1, , )
AD_BINARY(VALUE_2, , )
AD_TERNARY(VALUE_3, , )
#define VALUE_LIST(N, D, op, ...) value_##op,
static value_of *const values_of[] = { AD_UNARY(VALUE_LIST, , ) AD_BINARY(VALUE_LIST, , ) AD_TERNARY(VALUE_LIST, , ) };

typedef double second_derivative(double x, double y, double z);
#define SECOND_1(N, D, op, ...) \
  static double second_##op(double x, double y, double z) { (void)y; (void)z; d64 a = d64_variable(x, 0); return d64_##op##_dx(a, d64_##op(a)).d[0]; }
#define SECOND_2(N, D, op, ...) \
  static double second_##op(double x, double y, double z) { (void)z; d64 a = d64_variable(x, 0), b = d64_constant(y); \
    return d64_##op##_dx(a, b, d64_##op(a, b)).d[0]; }
#define SECOND_3(N, D, op, ...) \
  static double second_##op(double x, double y, double z) { d64 a = d64_variable(x, 0), b = d64_constant(y), c = d64_constant(z); \
    return d64_##op##_dx(a, b, c, d64_##op(a, b, c)).d[0]; }
AD_UNARY(SECOND_1, , )
AD_BINARY(SECOND_2, , )
AD_TERNARY(SECOND_3, , )
#define SECOND_LIST(N, D, op, ...) second_##op,
static second_derivative *const seconds[] = { AD_UNARY(SECOND_LIST, , ) AD_BINARY(SECOND_LIST, , ) AD_TERNARY(SECOND_LIST, , ) };

enum { LANES_MOST = 16 };
#include "ops_points.h"
enum { SPECIAL = sizeof specials_1 / sizeof *specials_1, GRID = sizeof grid / sizeof *grid };

/* error in ULP of a type of the given epsilon; classes must agree */
static double error_in(double got, double want, double eps, double least, double floor_) {
  if (isnan(want) || isnan(got)) return isnan(want) && isnan(got) ? 0 : 1e9;
  if (isinf(want) || isinf(got)) return want == got ? 0 : 1e9;
  double m = fmax(fmax(fabs(want), floor_), least);
  return fabs(got - want) / (ldexp(1, ilogb(m)) * eps);
}

#define S ad_f32
#define V ad_v32
#define LANES AD_V32_LANES
#define EPS ((double)FLT_EPSILON)
#define LEAST ((double)FLT_MIN)
#define HASH bits_add_f32
#define BITS "32"
#include "test_ops.c"
#undef S
#undef V
#undef LANES
#undef EPS
#undef LEAST
#undef HASH
#undef BITS
#define S ad_f64
#define V ad_v64
#define LANES AD_V64_LANES
#define EPS DBL_EPSILON
#define LEAST DBL_MIN
#define HASH bits_add_f64
#define BITS "64"
#include "test_ops.c"

static void table(void **state) {
  (void)state;
  assert_true(AD_OP_UNARY_END_ >= 45 && AD_OP_COUNT_ - AD_OP_UNARY_END_ >= 15);
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    assert_int_equal(ad_ops[op].arity, op < AD_OP_UNARY_END_ ? 1 : op < AD_OP_BINARY_END_ ? 2 : 3);
    for (int k = 0; k < ad_ops[op].arity; k++) assert_true(ad_ops[op].lo[k] < ad_ops[op].hi[k]);
    for (int other = 0; other < op; other++) assert_string_not_equal(ad_ops[op].name, ad_ops[other].name);
  }
}

/* f'' of a row is the derivative of its partial as the dual system reads it */
static void second_derivatives(void **state) {
  uint64_t seed = 5;
  (void)state;
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    int used = 0, wrong = 0;
    if (is_order(op, 0)) continue;
    for (int i = 0; i < 200; i++) {
      double x[3], in[3][LANES_MOST], out[4][LANES_MOST], d[3];
      for (int k = 0; k < 3; k++) x[k] = ad_ops[op].lo[k] + (ad_ops[op].hi[k] - ad_ops[op].lo[k]) * (0.01 + 0.98 * bits_uniform(&seed));
      if (is_order(op, 1)) x[1] = rint(x[1]);
      double h = 0x1p-17 * fmax(fabs(x[0]), 0x1p-5), got = seconds[op](x[0], x[1], x[2]);
      for (int j = 0; j < 3; j++) {
        for (int k = 0; k < 3; k++) in[k][0] = x[k];
        in[0][0] += (j - 1) * h;
        scalar_rows_ad_f64[op](in, out, 1);
        d[j] = out[1][0];
      }
      double size = fabs(d[0]) + fabs(d[2]), want = (d[2] - d[0]) / (2 * h), bend = fabs(d[0] - 2 * d[1] + d[2]);
      if (bend > 1e-3 * fabs(d[2] - d[0]) + 1e-9 * size) continue;         /* a kink is near */
      used++;
      if (!(fabs(got - want) <= 1e-5 * fabs(want) + 1e-9 * size / fmax(fabs(x[0]), 0x1p-5) + 1e-12)) wrong++;
    }
    if (wrong || used < 100) fail_msg("%s: %d wrong of %d", ad_ops[op].name, wrong, used);
  }
}

#define BOTH(name) cmocka_unit_test(name##_ad_f32), cmocka_unit_test(name##_ad_f64)
int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(table), BOTH(special_values), BOTH(rules), BOTH(zero_seed), BOTH(reference_values), BOTH(differences),
    cmocka_unit_test(second_derivatives), BOTH(tails), BOTH(neighbours), BOTH(same_class), BOTH(stored_bits) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

/* value and partials of the first n lanes: in[operand][lane], out[0] value, out[1..] partials; all as double */
typedef void T(row)(double in[3][LANES_MOST], double out[4][LANES_MOST], int n);
static void T(get)(double in[3][LANES_MOST], S x[3][LANES_MOST], int n) {
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < n; i++) x[k][i] = (S)in[k][i];
}
static void T(put)(S r[4][LANES_MOST], double out[4][LANES_MOST], int n) {
  for (int k = 0; k < 4; k++)
    for (int i = 0; i < n; i++) out[k][i] = (double)r[k][i];
}
#define BODY(N, load, store, calls) \
  S x_[3][LANES_MOST], r[4][LANES_MOST] = { { 0 } }; T(get)(in, x_, n); N x = load(x_[0], n), y = load(x_[1], n), z = load(x_[2], n); (void)y; (void)z; calls T(put)(r, out, n);
#define SCALAR_1(N, D, op, ...) static void PASTE(T(scalar), op)(double in[3][LANES_MOST], double out[4][LANES_MOST], int n) { \
  BODY(S, F(load_n), F(store_n), S v = F(op)(x); F(store_n)(r[0], v, n); F(store_n)(r[1], F(op##_dx)(x, v), n);) }
#define SCALAR_2(N, D, op, ...) static void PASTE(T(scalar), op)(double in[3][LANES_MOST], double out[4][LANES_MOST], int n) { \
  BODY(S, F(load_n), F(store_n), S v = F(op)(x, y); F(store_n)(r[0], v, n); F(store_n)(r[1], F(op##_dx)(x, y, v), n); F(store_n)(r[2], F(op##_dy)(x, y, v), n);) }
#define SCALAR_3(N, D, op, ...) static void PASTE(T(scalar), op)(double in[3][LANES_MOST], double out[4][LANES_MOST], int n) { \
  BODY(S, F(load_n), F(store_n), S v = F(op)(x, y, z); F(store_n)(r[0], v, n); F(store_n)(r[1], F(op##_dx)(x, y, z, v), n); \
    F(store_n)(r[2], F(op##_dy)(x, y, z, v), n); F(store_n)(r[3], F(op##_dz)(x, y, z, v), n);) }
#define VECTOR_1(N, D, op, ...) static void PASTE(T(vector), op)(double in[3][LANES_MOST], double out[4][LANES_MOST], int n) { \
  BODY(V, W(load_n), W(store_n), V v = W(op)(x); W(store_n)(r[0], v, n); W(store_n)(r[1], W(op##_dx)(x, v), n);) }
#define VECTOR_2(N, D, op, ...) static void PASTE(T(vector), op)(double in[3][LANES_MOST], double out[4][LANES_MOST], int n) { \
  BODY(V, W(load_n), W(store_n), V v = W(op)(x, y); W(store_n)(r[0], v, n); W(store_n)(r[1], W(op##_dx)(x, y, v), n); W(store_n)(r[2], W(op##_dy)(x, y, v), n);) }
#define VECTOR_3(N, D, op, ...) static void PASTE(T(vector), op)(double in[3][LANES_MOST], double out[4][LANES_MOST], int n) { \
  BODY(V, W(load_n), W(store_n), V v = W(op)(x, y, z); W(store_n)(r[0], v, n); W(store_n)(r[1], W(op##_dx)(x, y, z, v), n); \
    W(store_n)(r[2], W(op##_dy)(x, y, z, v), n); W(store_n)(r[3], W(op##_dz)(x, y, z, v), n);) }
AD_UNARY(SCALAR_1, , )
AD_BINARY(SCALAR_2, , )
AD_TERNARY(SCALAR_3, , )
AD_UNARY(VECTOR_1, , )
AD_BINARY(VECTOR_2, , )
AD_TERNARY(VECTOR_3, , )
#define SCALAR_LIST(N, D, op, ...) PASTE(T(scalar), op),
#define VECTOR_LIST(N, D, op, ...) PASTE(T(vector), op),
static T(row) *const T(scalar_rows)[] = { AD_UNARY(SCALAR_LIST, , ) AD_BINARY(SCALAR_LIST, , ) AD_TERNARY(SCALAR_LIST, , ) };
static T(row) *const T(vector_rows)[] = { AD_UNARY(VECTOR_LIST, , ) AD_BINARY(VECTOR_LIST, , ) AD_TERNARY(VECTOR_LIST, , ) };

/* one point through a row of the scalar system (vector false) or in lane 0 of a register */
static void T(point)(bool vector, int op, double x, double y, double z, double out[4]) {
  double in[3][LANES_MOST], r[4][LANES_MOST];
  in[0][0] = x, in[1][0] = y, in[2][0] = z;
  (vector ? T(vector_rows) : T(scalar_rows))[op](in, r, 1);
  for (int k = 0; k < 4; k++) out[k] = r[k][0];
}
static bool T(same)(double a, double b) { return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b)); }
static double T(of_type)(double x) { return ops_number(x, sizeof(S) == 4); }

static void T(special_values)(void **state) {
  int wrong = 0;
  (void)state;
  for (int i = 0; i < SPECIALS; i++) {
    const special *c = &specials[i];
    double x = T(of_type)(c->x), y = T(of_type)(c->y), z = T(of_type)(c->z);
    if (isinf(x) != isinf(c->x) || isinf(y) != isinf(c->y) || (x == 0) != (c->x == 0) || (y == 0) != (c->y == 0)) continue;   /* not a number of this type */
    for (int vector = 0; vector < 2; vector++) {
      double got[4], want[4] = { c->v, c->d[0], c->d[1], c->d[2] };
      T(point)(vector, c->op, x, y, z, got);
      for (int k = 0; k <= ad_ops[c->op].arity; k++) {
        double w = (double)(S)want[k];
        if (fabs(want[k] - ANY) < 1e-80) continue;
        if (fabs(want[k]) < LEAST && want[k] != 0) w = T(of_type)(want[k]);
        bool ok = isnan(w) ? isnan(got[k]) : w == 0 || isinf(w) ? got[k] == w && (k || signbit(got[k]) == signbit(w)) : error_in(got[k], w, EPS, LEAST, 0) <= 6;
        if (!ok) {
          print_error("%s %s(%g, %g, %g) [%d] on %s: %.17g, not %.17g\n", c->name, ad_ops[c->op].name, x, y, z, k, vector ? "a register" : "a scalar", got[k], w);
          wrong++;
        }
      }
    }
  }
  assert_int_equal(wrong, 0);
}

/* R4 and R5: no value, no derivative; NaN in, NaN out */
static void T(check_rules)(int op, const double *x, int *wrong) {
  bool nan_in = false;
  for (int k = 0; k < ad_ops[op].arity; k++) nan_in |= isnan(x[k]) != 0;
  for (int vector = 0; vector < 2; vector++) {
    double got[4];
    bool bad = false;
    T(point)(vector, op, x[0], x[1], x[2], got);
    if (structural(op)) continue;
    if (nan_in && !swallows_nan(op) && !isnan(got[0])) bad = true;
    for (int k = 0; k < ad_ops[op].arity; k++) bad |= isnan(got[0]) && !isnan(got[1 + k]);
    if (bad) {
      print_error("%s(%g, %g, %g) on %s: %g, partials %g %g %g\n", ad_ops[op].name, x[0], x[1], x[2], vector ? "a register" : "a scalar", got[0], got[1], got[2], got[3]);
      (*wrong)++;
    }
  }
}
static void T(rules)(void **state) {
  int wrong = 0;
  (void)state;
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    if (ad_ops[op].arity == 1)
      for (int i = 0; i < SPECIAL; i++) {
        double x[3] = { T(of_type)(specials_1[i]), 0, 0 };
        T(check_rules)(op, x, &wrong);
      }
    else
      for (int i = 0; i < GRID * GRID * (ad_ops[op].arity == 3 ? GRID : 1); i++) {
        double x[3] = { T(of_type)(grid[i % GRID]), T(of_type)(grid[i / GRID % GRID]), T(of_type)(grid[i / GRID / GRID]) };
        T(check_rules)(op, x, &wrong);
      }
  }
  assert_int_equal(wrong, 0);
}

/* R6: a seed of +-0 contributes exactly 0, whatever the partial; a partial of 0 leaves an infinite seed NaN */
static void T(zero_seed)(void **state) {
  S r[LANES_MOST];
  (void)state;
  for (int i = 0; i < GRID; i++)
    for (int s = 0; s < 2; s++) {
      double d = T(of_type)(grid[i]);
      assert_true(F(seed)((S)(s ? -0.0 : 0.0), (S)d) == 0);
      W(store)(r, W(seed)(W(k)(s ? -0.0 : 0.0), W(k)(d)));
      assert_true(r[0] == 0);
      assert_true(T(same)((double)F(seed)((S)2, (S)d), (double)(S)((S)2 * (S)d)));
    }
  assert_true(isnan((double)F(seed)((S)INFINITY, 0)));
}

static void T(reference_values)(void **state) {
  double most = sizeof(S) == 4 ? 8 : 9;           /* the limits of accuracy_ops_limits.h and what a libm may add */
  int wrong = 0;
  (void)state;
  for (int i = 0; i < REFERENCES; i++)
    for (int vector = 0; vector < 2; vector++) {
      double got[4], want[4] = { references[i].v, references[i].dx, references[i].dy, references[i].dxx };
      double floors[3] = { references[i].fv, references[i].fd, references[i].fd };
      T(point)(vector, references[i].op, references[i].x, references[i].y, 0, got);
      for (int k = 0; k < 3; k++) {
        double w = (double)(S)want[k];
        if (isnan(want[k]) || isinf(w)) continue;
        if (!(error_in(got[k], sizeof(S) == 4 ? w : want[k], EPS, LEAST, floors[k]) <= most)) {
          print_error("%s(%.9g, %.9g) [%d] on %s: %.17g, not %.17g\n", ad_ops[references[i].op].name, references[i].x, references[i].y, k,
                      vector ? "a register" : "a scalar", got[k], want[k]);
          wrong++;
        }
      }
      if (sizeof(S) == 8 && !vector && !isnan(want[3])) {
        got[3] = seconds[references[i].op](references[i].x, references[i].y, 0);
        if (!(error_in(got[3], want[3], EPS, LEAST, references[i].fdd) <= 16)) {
          print_error("%s''(%.9g, %.9g): %.17g, not %.17g\n", ad_ops[references[i].op].name, references[i].x, references[i].y, got[3], want[3]);
          wrong++;
        }
      }
    }
  assert_int_equal(wrong, 0);
}

/* partials against central differences of the scalar values of double */
static void T(differences)(void **state) {
  uint64_t seed = 17;
  (void)state;
  for (int op = 0; op < AD_OP_COUNT_; op++)
    for (int k = 0; k < ad_ops[op].arity; k++) {
      int used = 0, wrong = 0;
      if (is_order(op, k)) continue;
      for (int i = 0; i < 200; i++) {
        double x[3], out[4], f[3], got[2];
        for (int j = 0; j < 3; j++) x[j] = (double)(S)(ad_ops[op].lo[j] + (ad_ops[op].hi[j] - ad_ops[op].lo[j]) * (0.01 + 0.98 * bits_uniform(&seed)));
        for (int j = 0; j < 2; j++) if (is_order(op, j)) x[j] = rint(x[j]);
        for (int vector = 0; vector < 2; vector++) {
          T(point)(vector, op, x[0], x[1], x[2], out);
          got[vector] = out[1 + k];
        }
        double at = x[k], h = 0x1p-17 * fmax(fabs(at), 0x1p-5);
        for (int j = 0; j < 3; j++) {
          double in[3][LANES_MOST], r[4][LANES_MOST];
          for (int l = 0; l < 3; l++) in[l][0] = x[l];
          in[k][0] = at + (j - 1) * h;
          values_of[op](in, r);
          f[j] = r[0][0];
        }
        double size = fabs(f[0]) + fabs(f[2]), want = (f[2] - f[0]) / (2 * h), bend = fabs(f[0] - 2 * f[1] + f[2]);
        if (bend > 1e-3 * fabs(f[2] - f[0]) + 1e-9 * size) continue;       /* a kink is near */
        used++;
        for (int vector = 0; vector < 2; vector++)
          if (!(fabs(got[vector] - want) <= (1e-6 + 16 * EPS) * fabs(want) + (1e-10 / 0x1p-5 + 32 * EPS) * size / fmax(fabs(at), 0x1p-5) + 1e-12 + 64 * EPS * (sizeof(S) == 4))) wrong++;
      }
      if (wrong || used < 100) fail_msg("%s, operand %d: %d wrong of %d", ad_ops[op].name, k, wrong, used);
    }
}

/* a register of numbers in the domain */
static void T(fill)(int op, uint64_t *seed, double in[3][LANES_MOST]) {
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < LANES_MOST; i++) {
      in[k][i] = ad_ops[op].lo[k] + (ad_ops[op].hi[k] - ad_ops[op].lo[k]) * bits_uniform(seed);
      if (is_order(op, k)) in[k][i] = rint(in[k][i]);
    }
}

/* the first n lanes do not depend on n */
static void T(tails)(void **state) {
  uint64_t seed = 3;
  (void)state;
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    double in[3][LANES_MOST], all[4][LANES_MOST], some[4][LANES_MOST];
    T(fill)(op, &seed, in);
    T(vector_rows)[op](in, all, LANES);
    for (int n = 1; n <= LANES; n++) {
      T(vector_rows)[op](in, some, n);
      for (int k = 0; k <= ad_ops[op].arity; k++)
        for (int i = 0; i < n; i++)
          if (!T(same)(some[k][i], all[k][i])) fail_msg("%s: lane %d of %d", ad_ops[op].name, i, n);
    }
  }
}

/* a lane does not depend on what its neighbours hold */
static void T(neighbours)(void **state) {
  static const double others[] = { 0, 1e6, NAN, INFINITY, -INFINITY, -1, 1e30, 1e-30, -3e38, 0.5 };
  uint64_t seed = 9;
  (void)state;
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    double in[3][LANES_MOST], all[4][LANES_MOST], mixed[3][LANES_MOST], some[4][LANES_MOST];
    T(fill)(op, &seed, in);
    T(vector_rows)[op](in, all, LANES);
    for (size_t o = 0; o < sizeof others / sizeof *others; o++)
      for (int keep = 0; keep < LANES; keep++) {
        for (int k = 0; k < 3; k++)
          for (int i = 0; i < LANES; i++) mixed[k][i] = i == keep ? in[k][i] : others[(o + (size_t)k * 3 * (o & 1)) % (sizeof others / sizeof *others)];
        T(vector_rows)[op](mixed, some, LANES);
        for (int k = 0; k <= ad_ops[op].arity; k++)
          if (!T(same)(some[k][keep], all[k][keep])) fail_msg("%s: lane %d beside %g", ad_ops[op].name, keep, others[o]);
      }
  }
}

/* R7: scalars and registers give the same class of result at every special point */
static int T(class_of)(double x) {
  double a = fabs(x);
  return isnan(x) ? 9 : (a == 0 ? 0 : isinf(x) ? 3 : a < LEAST * 4 ? 0 : a > (sizeof(S) == 4 ? 3e38 : 1.7e308) ? 3 : 1) * (signbit(x) && a != 0 ? -1 : 1);
}
static void T(same_class)(void **state) {
  int wrong = 0;
  (void)state;
  for (int op = 0; op < AD_OP_BINARY_END_; op++)
    for (int i = 0; i < (ad_ops[op].arity == 1 ? SPECIAL : GRID * GRID); i++) {
      double x = T(of_type)(ad_ops[op].arity == 1 ? specials_1[i] : grid[i % GRID]), y = T(of_type)(grid[i / GRID]), a[4], b[4];
      T(point)(false, op, x, y, 0, a);
      T(point)(true, op, x, y, 0, b);
      for (int k = 0; k <= ad_ops[op].arity; k++) {
        /* rounding may fall on either side of an end of the range */
        int p = T(class_of)(a[k]), q = T(class_of)(b[k]);
        if (p != q && !(p * q == 0 && fabs(a[k] - b[k]) <= 8 * LEAST)) {
          print_error("%s(%g, %g) [%d]: %g on a scalar, %g on a register\n", ad_ops[op].name, x, y, k, a[k], b[k]);
          wrong++;
        }
      }
    }
  assert_int_equal(wrong, 0);
}

/* every row's bits over its domain and over the special points, the same on every backend with fma */
static void T(stored_bits)(void **state) {
  int wrong = 0;
  (void)state;
  if (!HASHES_HOLD) skip();
  for (int op = 0; op < AD_OP_COUNT_; op++) {
    uint64_t seed = bits_start(), h = bits_start();
    char name[64];
    for (const char *c = ad_ops[op].name; *c; c++) seed = bits_add_u64(seed, (uint64_t)*c);
    for (int i = 0; i < STORED_POINTS; i += LANES) {
      double in[3][LANES_MOST], out[4][LANES_MOST], x[3];
      for (int l = 0; l < LANES; l++) {
        stored_point(op, i + l, sizeof(S) == 4, &seed, x);
        for (int k = 0; k < 3; k++) in[k][l] = x[k];
      }
      T(vector_rows)[op](in, out, LANES);
      for (int l = 0; l < LANES; l++)
        for (int k = 0; k <= ad_ops[op].arity; k++) h = HASH(h, (S)out[k][l]);
    }
    snprintf(name, sizeof name, "%s " BITS, ad_ops[op].name);
    wrong += !bits_known(hashes, HASHES, name, h);
  }
  assert_int_equal(wrong, 0);
}
#endif
