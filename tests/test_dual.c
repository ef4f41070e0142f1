/* Duals over double, float, registers and duals, of several widths. Every row of the table: first derivatives against central differences
   of the value, second ones (a dual of duals) against central differences of the first, the systems against each other. Then the words
   that are no rows, the zero rule at infinite and NaN partials and tangents, special values. The formulas themselves are measured elsewhere. */
#include "ad_simd.h"
#include "ad.h"
#include "test.h"

AD_DUAL(d1, ad_f64, 1)
AD_DUAL(d11, d1, 1)
AD_DUAL(f3, ad_f32, 3)
AD_DUAL(v1, ad_v64, 1)

/* one function per row and system; operands x[0] x[1] x[2] */
typedef struct row {
  ad_opcode op;
  void (*f64)(const double *x, double *r);
  void (*first)(const d1 *x, d1 *r);
  void (*second)(const d11 *x, d11 *r);
  void (*single)(const f3 *x, f3 *r);
  void (*lanes)(const v1 *x, v1 *r);
} row;
#define APART static __attribute__((noinline))
#define CALL_1(D, op) D##_##op(x[0])
#define CALL_2(D, op) D##_##op(x[0], x[1])
#define CALL_3(D, op) D##_##op(x[0], x[1], x[2])
#define ON(D, S, op, CALL) APART void on_##D##_##op(const S *x, S *r) { *r = CALL(D, op); }
#define SYSTEMS(CALL, op)                                                                                                                  \
  ON(ad_f64, double, op, CALL) ON(d1, d1, op, CALL) ON(d11, d11, op, CALL) ON(f3, f3, op, CALL) ON(v1, v1, op, CALL)
#define ROW_1(N, D, op, ...) SYSTEMS(CALL_1, op)
#define ROW_2(N, D, op, ...) SYSTEMS(CALL_2, op)
#define ROW_3(N, D, op, ...) SYSTEMS(CALL_3, op)
AD_UNARY(ROW_1, , ) AD_BINARY(ROW_2, , ) AD_TERNARY(ROW_3, , )
#define ENTRY(N, D, op, ...) {AD_OP_##op, on_ad_f64_##op, on_d1_##op, on_d11_##op, on_f3_##op, on_v1_##op},
static const row rows[] = {AD_UNARY(ENTRY, , ) AD_BINARY(ENTRY, , ) AD_TERNARY(ENTRY, , )};
enum { ROWS = sizeof rows / sizeof rows[0], POINTS = 24 };

/* operands that are whole numbers, along which nothing is differentiated */
static bool whole(ad_opcode op, int i) { return (op == AD_OP_polygamma && i == 0) || (op == AD_OP_powi && i == 1); }

/* the point p of a row: spread over its domain */
static void point(const row *w, int p, double *x) {
  const ad_op_info *info = &ad_ops[w->op];
  for (int i = 0; i < info->arity; i++) {
    const double t = fmod((p + 0.5) * (i == 0 ? 0.6180339887498949 : i == 1 ? 0.7548776662466927 : 0.5698402909980532), 1);
    x[i] = (float)(info->lo[i] + (info->hi[i] - info->lo[i]) * (0.02 + 0.96 * t));
    if (whole(w->op, i)) x[i] = rint(x[i]);
  }
}

static double value(const row *w, const double *x) {
  double r;
  w->f64(x, &r);
  return r;
}

/* derivative along operand i */
static d1 slope(const row *w, const double *x, int i) {
  d1 z[3], r;
  for (int k = 0; k < 3; k++) z[k] = d1_variable(x[k], k == i ? 0 : -1);
  w->first(z, &r);
  return r;
}

/* along operand i (inner) and j (outer) */
static d11 curve(const row *w, const double *x, int i, int j) {
  d11 z[3], r;
  for (int k = 0; k < 3; k++) z[k] = d11_variable(d1_variable(x[k], k == i ? 0 : -1), k == j ? 0 : -1);
  w->second(z, &r);
  return r;
}

/* central difference of fourth order along operand i of the value (j < 0) or of the slope along j, and of its own error */
static double difference(const row *w, const double *x, int i, int j, double h, double *size) {
  static const double weight[4] = {1, -8, 8, -1}, at[4] = {-2, -1, 1, 2};
  double sum = 0;
  *size = 0;
  for (int k = 0; k < 4; k++) {
    double z[3] = {x[0], x[1], x[2]};
    z[i] = x[i] + at[k] * h;
    const double f = j < 0 ? value(w, z) : slope(w, z, j).d[0];
    sum += weight[k] * f;
    *size = fmax(*size, fabs(f));
  }
  return sum / (12 * h);
}

/* derivative against differences: skipped where these do not agree with themselves (a kink is near) */
static bool agrees(const row *w, const double *x, int i, int j, double derivative, int *used) {
  const double h = 2e-3 * fmin(1, fmax(fabs(x[i]), 1e-2));
  double size, a = difference(w, x, i, j, h, &size), b = difference(w, x, i, j, h / 2, &size);
  const double near = 1e-7 * (fabs(b) + size) + 1e-300;
  if (!isfinite(a) || !isfinite(b) || fabs(a - b) > near) return true;
  ++*used;
  return fabs(b - derivative) <= 2 * near + 2e-11 * size / h;
}

static void first_derivatives(void **state) {
  (void)state;
  for (int r = 0; r < ROWS; r++) {
    const row *w = &rows[r];
    int used = 0;
    for (int p = 0; p < POINTS; p++) {
      double x[3] = {0, 0, 0};
      point(w, p, x);
      for (int i = 0; i < ad_ops[w->op].arity; i++) {
        const d1 s = slope(w, x, i);
        const double v = value(w, x);
        assert_memory_equal(&s.v, &v, sizeof v);
        if (whole(w->op, i)) continue;
        if (!agrees(w, x, i, -1, s.d[0], &used)) fail_msg("%s at (%g, %g, %g): derivative %d is not %.17g", ad_ops[w->op].name, x[0], x[1], x[2], i, s.d[0]);
      }
    }
    if (used < POINTS / 2) fail_msg("%s: only %d differences can be used", ad_ops[w->op].name, used);
  }
}

static void second_derivatives(void **state) {
  (void)state;
  for (int r = 0; r < ROWS; r++) {
    const row *w = &rows[r];
    int used = 0;
    for (int p = 0; p < POINTS; p++) {
      double x[3] = {0, 0, 0};
      point(w, p, x);
      for (int i = 0; i < ad_ops[w->op].arity; i++) {
        for (int j = 0; j < ad_ops[w->op].arity; j++) {
          const d11 c = curve(w, x, i, j), back = curve(w, x, j, i);
          const double a = slope(w, x, i).d[0], b = slope(w, x, j).d[0], v = value(w, x);
          assert_memory_equal(&c.v.v, &v, sizeof v);
          if (whole(w->op, i) || whole(w->op, j)) continue;
          if (!(fabs(c.v.d[0] - a) <= 1e-13 * fabs(a) && fabs(c.d[0].v - b) <= 1e-13 * fabs(b)))
            fail_msg("%s at (%g, %g, %g): nested first derivatives", ad_ops[w->op].name, x[0], x[1], x[2]);
          if (!(fabs(c.d[0].d[0] - back.d[0].d[0]) <= 1e-9 * (fabs(c.d[0].d[0]) + fabs(a) + fabs(b))))
            fail_msg("%s at (%g, %g, %g): %d %d is not symmetric: %.17g, %.17g", ad_ops[w->op].name, x[0], x[1], x[2], i, j, c.d[0].d[0], back.d[0].d[0]);
          if (!agrees(w, x, j, i, c.d[0].d[0], &used))
            fail_msg("%s at (%g, %g, %g): second derivative %d %d is not %.17g", ad_ops[w->op].name, x[0], x[1], x[2], i, j, c.d[0].d[0]);
        }
      }
    }
    if (used < POINTS / 3) fail_msg("%s: only %d differences can be used", ad_ops[w->op].name, used);
  }
}

/* float: the same within its precision; tangents in all three directions at once */
static void single_precision(void **state) {
  (void)state;
  for (int r = 0; r < ROWS; r++) {
    for (int p = 0; p < POINTS; p++) {
      double x[3] = {0, 0, 0};
      f3 z[3], s;
      point(&rows[r], p, x);
      for (int i = 0; i < 3; i++) z[i] = f3_variable((float)x[i], i);
      rows[r].single(z, &s);
      for (int i = 0; i < ad_ops[rows[r].op].arity; i++) {
        const d1 want = slope(&rows[r], x, i);
        const double bound = 1e-4 * (fabs(want.d[0]) + 1e-3 * fabs(want.v) + 1e-5);
        if (!(fabs((double)s.d[i] - want.d[0]) <= bound) && !(isnan(want.d[0]) && isnan(s.d[i])))
          fail_msg("%s at (%g, %g, %g): derivative %d is %g in float, %g in double", ad_ops[rows[r].op].name, x[0], x[1], x[2], i, (double)s.d[i], want.d[0]);
      }
    }
  }
}

/* registers: each lane is the dual of its own point */
static void lanes(void **state) {
  (void)state;
  for (int r = 0; r < ROWS; r++) {
    for (int p = 0; p + AD_V64_LANES <= POINTS; p += AD_V64_LANES) {
      for (int i = 0; i < ad_ops[rows[r].op].arity; i++) {
        double x[AD_V64_LANES][3] = {{0, 0, 0}}, lane[3][AD_V64_LANES], got[AD_V64_LANES], tangent[AD_V64_LANES];
        v1 z[3], s;
        for (int k = 0; k < AD_V64_LANES; k++) {
          point(&rows[r], p + k, x[k]);
          for (int j = 0; j < 3; j++) lane[j][k] = x[k][j];
        }
        for (int j = 0; j < 3; j++) z[j] = v1_variable(ad_v64_load(lane[j]), j == i ? 0 : -1);
        rows[r].lanes(z, &s);
        ad_v64_store(got, s.v);
        ad_v64_store(tangent, s.d[0]);
        for (int k = 0; k < AD_V64_LANES; k++) {
          const d1 want = slope(&rows[r], x[k], i);
          if (!(fabs(got[k] - want.v) <= 1e-12 * fabs(want.v) + 1e-15) ||
              (!(fabs(tangent[k] - want.d[0]) <= 1e-11 * fabs(want.d[0]) + 1e-13) && !(isnan(want.d[0]) && isnan(tangent[k]))))
            fail_msg("%s at (%g, %g, %g), operand %d: lane (%.17g, %.17g), scalar (%.17g, %.17g)", ad_ops[rows[r].op].name, x[k][0], x[k][1], x[k][2], i,
                     got[k], tangent[k], want.v, want.d[0]);
        }
      }
    }
  }
}

/* widths around the sizes of registers: every direction by itself, whatever the others hold */
#define WIDTH(D, N, S, width)                                                                                                              \
  AD_DUAL(D, N, width)                                                                                                                     \
  ZERO_RULE(D, S, width)                                                                                                                   \
  static void width_##D(void **state) {                                                                                                    \
    (void)state;                                                                                                                           \
    D a = D##_constant(3), b = D##_constant(5);                                                                                            \
    assert_int_equal(sizeof(D), (width + 1) * sizeof(S));                                                                                  \
    for (int k = 0; k < width; k++) a.d[k] = (S)(k + 1), b.d[k] = k % 3 == 0 ? 0 : (S)(10 - k);                                            \
    const D sum = D##_add(a, b), difference = D##_sub(a, b), product = D##_mul(a, b), quotient = D##_div(b, a), negative = D##_neg(a);     \
    const D fused = D##_fma(a, b, product), chosen = D##_select(D##_lt(a, b), a, b), other = D##_select(D##_gt(a, b), a, b);               \
    const D only = D##_only(D##_lt(a, b), a), none = D##_only(D##_lt(b, a), a), back = D##_fnma(a, b, product);                            \
    for (int k = 0; k < width; k++) {                                                                                                      \
      const D unit = D##_variable(7, k);                                                                                                   \
      assert_true(sum.d[k] == a.d[k] + b.d[k] && difference.d[k] == a.d[k] - b.d[k] && negative.d[k] == -a.d[k]);                          \
      assert_true(product.d[k] == 5 * a.d[k] + 3 * b.d[k] && fused.d[k] == 2 * product.d[k] && back.d[k] == 0);                            \
      assert_true(fabs((double)(quotient.d[k] * 9 - (3 * b.d[k] - 5 * a.d[k]))) < 1e-4);                                                   \
      assert_true(chosen.d[k] == a.d[k] && other.d[k] == b.d[k] && only.d[k] == a.d[k] && none.d[k] == 0);                                 \
      for (int j = 0; j < width; j++) assert_true(unit.d[j] == (j == k));                                                                  \
    }                                                                                                                                      \
    assert_true(fused.v == 30 && none.v == 0 && D##_variable(1, width).d[width - 1] == 0 && D##_variable(1, -1).d[0] == 0);                \
    width_zero_##D();                                                                                                                      \
  }
/* an infinite or NaN partial reaches the directions that move, and no other; so does a zero partial none */
#define ZERO_RULE(D, S, width)                                                                                                             \
  static void width_zero_##D(void) {                                                                                                       \
    D x = D##_constant(0), y = D##_constant((S)INFINITY);                                                                                  \
    for (int k = 0; k < width; k++) x.d[k] = k % 3 == 0 ? 0 : k % 3 == 1 ? (S)-0.0 : 2;                                                    \
    const D root = D##_sqrt(x), product = D##_mul(y, x), sum = D##_fma(x, y, x), zero = D##_mul(D##_k(0), root), nan = D##_log(D##_sub(x, D##_k(1)));\
    for (int k = 0; k < width; k++) {                                                                                                      \
      assert_true(k % 3 == 2 ? root.d[k] == (S)INFINITY : root.d[k] == 0);                                                                 \
      assert_true(k % 3 == 2 ? product.d[k] == (S)INFINITY && sum.d[k] == (S)INFINITY : product.d[k] == 0 && sum.d[k] == 0);               \
      assert_true(k % 3 == 2 ? isnan(nan.d[k]) : nan.d[k] == 0);                                                                           \
      assert_true(zero.d[k] == 0 && D##_mul(x, root).d[k] == 0);                                                                           \
    }                                                                                                                                      \
  }
WIDTH(w1, ad_f64, double, 1)
WIDTH(w2, ad_f64, double, 2)
WIDTH(w3, ad_f64, double, 3)
WIDTH(w8, ad_f64, double, 8)
WIDTH(w15, ad_f64, double, 15)
WIDTH(w16, ad_f64, double, 16)
WIDTH(w67, ad_f64, double, 67)
WIDTH(s1, ad_f32, float, 1)
WIDTH(s7, ad_f32, float, 7)
WIDTH(s16, ad_f32, float, 16)
WIDTH(s31, ad_f32, float, 31)

/* the rules for special values in one line each: operands, value, partials */
typedef struct special {
  ad_opcode op;
  double x, y, v, dx, dy;
} special;
static const double inf = INFINITY, nan_ = NAN;

static bool is(double a, double b) { return isnan(b) ? isnan(a) : fabs(a - b) <= 1e-14 * fabs(b) || a == b; }
static void special_values(void **state) {
  (void)state;
  const special table[] = {
      {AD_OP_sqrt, 0, 0, 0, inf, 0},
      {AD_OP_sqrt, -0.0, 0, -0.0, inf, 0},
      {AD_OP_sqrt, -1, 0, nan_, nan_, 0},
      {AD_OP_abs, 0, 0, 0, 0, 0},
      {AD_OP_abs, nan_, 0, nan_, nan_, 0},
      {AD_OP_relu, 0, 0, 0, 0, 0},
      {AD_OP_relu, nan_, 0, nan_, nan_, 0},
      {AD_OP_cbrt, 0, 0, 0, inf, 0},
      {AD_OP_log, 0, 0, -inf, inf, 0},
      {AD_OP_log, -0.0, 0, -inf, inf, 0},
      {AD_OP_log, -1, 0, nan_, nan_, 0},
      {AD_OP_log, inf, 0, inf, 0, 0},
      {AD_OP_atanh, 2, 0, nan_, nan_, 0},
      {AD_OP_acosh, -1, 0, nan_, nan_, 0},
      {AD_OP_asin, 1, 0, 1.5707963267948966, inf, 0},
      {AD_OP_acos, -1, 0, 3.141592653589793, -inf, 0},
      {AD_OP_tanh, 20, 0, 1, 1.6993417021166355e-17, 0},
      {AD_OP_tanh, inf, 0, 1, 0, 0},
      {AD_OP_exp, -inf, 0, 0, 0, 0},
      {AD_OP_sin, inf, 0, nan_, nan_, 0},
      {AD_OP_floor, 2.5, 0, 2, 0, 0},
      {AD_OP_floor, nan_, 0, nan_, nan_, 0},
      {AD_OP_pow, 0, 0, 1, 0, 0},
      {AD_OP_pow, 0, 1, 0, 1, 0},
      {AD_OP_pow, -2, 2, 4, -4, nan_},
      {AD_OP_pow, 0, -1, inf, -inf, -inf},
      {AD_OP_max, 1, 1, 1, 0.5, 0.5},
      {AD_OP_max, nan_, 1, nan_, 1, 0},
      {AD_OP_min, 2, 1, 1, 0, 1},
      {AD_OP_atan2, 0, 0, 0, nan_, nan_},
      {AD_OP_hypot, 0, 0, 0, 0, 0},
      {AD_OP_hypot, inf, 1, inf, 1, 0},
      {AD_OP_div, 1, 0, inf, inf, -inf},
      {AD_OP_div, 0, 0, nan_, nan_, nan_},
  };
  for (size_t t = 0; t < sizeof table / sizeof table[0]; t++) {
    const special *s = &table[t];
    const row *w = &rows[0];
    while (w->op != s->op) w++;
    const double x[3] = {s->x, s->y, 0};
    const d1 a = slope(w, x, 0), b = slope(w, x, 1);
    if (!is(a.v, s->v) || !is(a.d[0], s->dx) || (ad_ops[s->op].arity == 2 && !is(b.d[0], s->dy)))
      fail_msg("%s(%g, %g): %.17g; %.17g, %.17g", ad_ops[s->op].name, s->x, s->y, a.v, a.d[0], b.d[0]);
  }
}

/* a path that is not taken leaves nothing, and a product of an infinite slope with 0 is 0 as in reverse */
static void masked_paths(void **state) {
  (void)state;
  const ad_dual at_zero = ad_dual_variable(0, 0), negative = ad_dual_variable(-4, 3), large = ad_dual_variable(1e4, 1);
  const ad_dual root = ad_where(ad_step(negative), ad_sqrt(negative), 0), cap = ad_select(ad_lt(large, 100), ad_exp(large), ad_mul(2, large));
  const ad_dual product = ad_mul(at_zero, ad_sqrt(at_zero));
  assert_true(root.v == 0 && root.d[3] == 0 && root.d[0] == 0);
  assert_true(cap.v == 2e4 && cap.d[1] == 2 && cap.d[0] == 0);
  assert_true(product.v == 0 && product.d[0] == 0 && product.d[1] == 0);
}

/* no perturbation is taken for another: D(x -> x D(y -> x + y)(1))(1) = 1, D(x -> x D(y -> x y)(1))(4) = 8 */
static void nested_derivatives(void **state) {
  (void)state;
  const d1 x = d1_variable(1, 0), z = d1_variable(4, 0);
  const d11 sum = d11_add(d11_constant(x), d11_variable(d1_k(1), 0)), product = d11_mul(d11_constant(z), d11_variable(d1_k(1), 0));
  assert_true(d1_mul(x, sum.d[0]).d[0] == 1);
  assert_true(d1_mul(z, product.d[0]).d[0] == 8);
}

/* three levels: derivatives of exp(2 x) / x^2 up to the third */
AD_DUAL(d111, d11, 1)
static void third_derivative(void **state) {
  (void)state;
  const double a = 0.75, e = exp(2 * a);
  const d111 x = d111_variable(d11_variable(d1_variable(a, 0), 0), 0), r = d111_div(d111_exp(d111_mul_ky(2, x)), d111_square(x));
  const double first = 2 * e * (a - 1) / (a * a * a), second = e * (4 * a * a - 8 * a + 6) / pow(a, 4);
  const double third = e * (8 * a * a * a - 24 * a * a + 36 * a - 24) / pow(a, 5);
  assert_true(is(r.v.v.v, e / (a * a)));
  assert_true(fabs(r.d[0].v.v - first) < 1e-13 * fabs(first) && fabs(r.v.d[0].v - first) < 1e-13 * fabs(first) && fabs(r.v.v.d[0] - first) < 1e-13 * fabs(first));
  assert_true(fabs(r.d[0].d[0].v - second) < 1e-13 * second && fabs(r.d[0].v.d[0] - second) < 1e-13 * second && fabs(r.v.d[0].d[0] - second) < 1e-13 * second);
  assert_true(fabs(r.d[0].d[0].d[0] - third) < 1e-12 * fabs(third));
}

/* the words of a number system that are no rows, on duals */
static void words(void **state) {
  (void)state;
  const ad_dual a = ad_dual_variable(2, 1), b = ad_dual_variable(3, 2), nan = ad_dual_log(ad_dual_variable(-1, 0));
  assert_true(ad_dual_and(ad_dual_lt(a, b), ad_dual_le(a, a)) && ad_dual_or(ad_dual_eq(a, b), ad_dual_ne(a, b)) && ad_dual_not(ad_dual_ge(a, b)));
  assert_true(ad_dual_any(ad_dual_gt(b, a)) && ad_dual_all(ad_dual_gt(b, a)) && !ad_dual_any(ad_dual_gt(a, b)));
  assert_true(ad_dual_number(a, b).d[2] == 1 && isnan(ad_dual_number(nan, b).v));
  /* an adjoint that is a dual: the zero seed rule by component */
  ad_dual g = ad_dual_constant(0), p = ad_dual_constant(INFINITY);
  g.d[1] = 2, p.d[2] = INFINITY;
  const ad_dual s = ad_dual_seed(g, p);
  assert_true(s.v == 0 && s.d[0] == 0 && s.d[1] == INFINITY && s.d[2] == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_derivatives), cmocka_unit_test(second_derivatives), cmocka_unit_test(single_precision), cmocka_unit_test(lanes),
      cmocka_unit_test(width_w1),          cmocka_unit_test(width_w2),           cmocka_unit_test(width_w3),         cmocka_unit_test(width_w8),
      cmocka_unit_test(width_w15),         cmocka_unit_test(width_w16),          cmocka_unit_test(width_w67),        cmocka_unit_test(width_s1),
      cmocka_unit_test(width_s7),          cmocka_unit_test(width_s16),          cmocka_unit_test(width_s31),        cmocka_unit_test(special_values),
      cmocka_unit_test(masked_paths),      cmocka_unit_test(nested_derivatives), cmocka_unit_test(words),             cmocka_unit_test(third_derivative),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
