/* The generic names: ad_op for every row of the table, over double, ad_dual, ad_dual2 and a dual of this program, and over every mix
   with numbers. A row without a line of its own in >>generic does not compile here. */
#define AD_MORE_TYPES(F, ...) F(dual3, __VA_ARGS__)
#include "ad.h"
#include "test.h"

AD_DUAL(dual3, ad_f64, 3)

static bool same(const void *a, const void *b, size_t size) { return memcmp(a, b, size) == 0; }

/* a point inside the domain of operand i, away from kinks */
static double inside(ad_opcode op, int i) { return ad_ops[op].lo[i] + (0.61 + 0.07 * i) * (ad_ops[op].hi[i] - ad_ops[op].lo[i]); }

static ad_dual dual_at(double v, int k) { return ad_dual_variable(v, k); }

/* what an expression's type is, without evaluating it */
#define IS(T, expression) do { if (!_Generic((expression), T: 1, default: 0)) fail_msg("%s is no %s", #expression, #T); } while (0)

/* the types of every mix */
#define UNARY_ROW(N, T, op, ...) IS(T, ad_##op(a));
#define BINARY_ROW(N, T, op, ...) IS(T, ad_##op(a, b)); IS(T, ad_##op(a, 2.0)); IS(T, ad_##op(2, b));
#define TERNARY_ROW(N, T, op, ...)                                                                                                         \
  IS(T, ad_##op(a, b, a)); IS(T, ad_##op(a, b, 2)); IS(T, ad_##op(a, 2, b)); IS(T, ad_##op(2, a, b));                                      \
  IS(T, ad_##op(a, 1, 2)); IS(T, ad_##op(1, a, 2)); IS(T, ad_##op(1, 2, a));
#define TYPES(T)                                                                                                                           \
  static void types_##T(void **state) {                                                                                                    \
    const T a = T##_k(1), b = T##_k(2);                                                                                                    \
    (void)state, (void)a, (void)b;                                                                                                         \
    AD_UNARY(UNARY_ROW, , T) AD_BINARY(BINARY_ROW, , T) AD_TERNARY(TERNARY_ROW, , T) }
TYPES(ad_dual)
TYPES(ad_dual2)
TYPES(dual3)

/* the values: the function of the row is the one that was picked */
#define SAME(x, y, op) do { const double x_ = x, y_ = y; if (!same(&x_, &y_, sizeof x_)) fail_msg("ad_%s: %.17g, not %.17g", #op, x_, y_); } while (0)
#define VALUE_1(N, T, op, ...) SAME(ad_##op(dual_at(inside(AD_OP_##op, 0), 0)).v, ad_f64_##op(inside(AD_OP_##op, 0)), op);
#define VALUE_2(N, T, op, ...) SAME(ad_##op(dual_at(inside(AD_OP_##op, 0), 0), inside(AD_OP_##op, 1)).v,                                   \
  ad_f64_##op(inside(AD_OP_##op, 0), inside(AD_OP_##op, 1)), op);
#define VALUE_3(N, T, op, ...) SAME(ad_##op(dual_at(inside(AD_OP_##op, 0), 0), inside(AD_OP_##op, 1), dual_at(inside(AD_OP_##op, 2), 1)).v, \
  ad_f64_##op(inside(AD_OP_##op, 0), inside(AD_OP_##op, 1), inside(AD_OP_##op, 2)), op);
static void values_unary(void **state) { (void)state; AD_UNARY(VALUE_1, , ) }
static void values_binary(void **state) { (void)state; AD_BINARY(VALUE_2, , ) AD_TERNARY(VALUE_3, , ) }

#define NUMBER_1(N, T, op, ...) SAME(ad_##op(inside(AD_OP_##op, 0)), ad_f64_##op(inside(AD_OP_##op, 0)), op);
#define NUMBER_2(N, T, op, ...) SAME(ad_##op(inside(AD_OP_##op, 0), inside(AD_OP_##op, 1)), ad_f64_##op(inside(AD_OP_##op, 0), inside(AD_OP_##op, 1)), op);
#define NUMBER_3(N, T, op, ...) SAME(ad_##op(inside(AD_OP_##op, 0), inside(AD_OP_##op, 1), inside(AD_OP_##op, 2)),                         \
  ad_f64_##op(inside(AD_OP_##op, 0), inside(AD_OP_##op, 1), inside(AD_OP_##op, 2)), op);
static void numbers(void **state) {
  (void)state;
  AD_UNARY(NUMBER_1, , ) AD_BINARY(NUMBER_2, , ) AD_TERNARY(NUMBER_3, , )
  assert_true(ad_mul(2, 3) == 6.0);     /* integers are numbers too */
  assert_true(ad_div(1, 2) == 0.5);
}

/* an operand that is a number has the derivatives of a constant */
static void numbers_are_constants(void **state) {
  (void)state;
  const ad_dual a = dual_at(1.25, 0);
  const ad_dual constant = ad_dual_mul(a, ad_dual_k(3)), mixed = ad_mul(a, 3), other = ad_mul(3.0f, a);
  assert_true(same(&constant, &mixed, sizeof mixed) && same(&constant, &other, sizeof other));
  assert_true(ad_sub(1, a).d[0] == -1 && ad_sub(a, 1).d[0] == 1 && fabs(ad_div(1, a).d[0] + 0.64) <= 2 * DBL_EPSILON);
}

static void comparisons(void **state) {
  (void)state;
  const ad_dual a = dual_at(1, 0), b = dual_at(2, 1), nan = dual_at(NAN, 0);
  const int is[6][3] = {{ad_lt(a, b), ad_lt(b, a), ad_lt(a, a)}, {ad_le(a, b), ad_le(b, a), ad_le(a, a)},
                        {ad_gt(a, b), ad_gt(b, a), ad_gt(a, a)}, {ad_ge(a, b), ad_ge(b, a), ad_ge(a, a)},
                        {ad_eq(a, b), ad_eq(b, a), ad_eq(a, a)}, {ad_ne(a, b), ad_ne(b, a), ad_ne(a, a)}};
  const int mixed[6][3] = {{ad_lt(a, 2), ad_lt(2, a), ad_lt(1.0, 1)}, {ad_le(a, 2), ad_le(2, a), ad_le(1.0, 1)},
                           {ad_gt(a, 2), ad_gt(2, a), ad_gt(1.0, 1)}, {ad_ge(a, 2), ad_ge(2, a), ad_ge(1.0, 1)},
                           {ad_eq(a, 2), ad_eq(2, a), ad_eq(1.0, 1)}, {ad_ne(a, 2), ad_ne(2, a), ad_ne(1.0, 1)}};
  const int want[6][3] = {{1, 0, 0}, {1, 0, 1}, {0, 1, 0}, {0, 1, 1}, {0, 0, 1}, {1, 1, 0}};
  assert_memory_equal(is, want, sizeof want);
  assert_memory_equal(mixed, want, sizeof want);
  assert_true(!ad_lt(nan, b) && !ad_le(nan, b) && !ad_gt(nan, b) && !ad_ge(nan, b) && !ad_eq(nan, nan) && ad_ne(nan, nan));
  assert_int_equal(_Generic(ad_lt(a, b), int: 1, default: 0), 1);
}

static void choice(void **state) {
  (void)state;
  const ad_dual a = dual_at(1, 0), b = dual_at(-4, 1), root = ad_sqrt(b);
  assert_true(isnan(root.v) && isnan(root.d[1]));
  const ad_dual taken = ad_select(ad_lt(a, b), root, a), number = ad_select(1, a, 7), other = ad_select(0, a, 7);
  assert_true(same(&taken, &a, sizeof a));      /* what is not chosen leaves no trace */
  assert_true(number.v == 1 && number.d[0] == 1 && other.v == 7 && other.d[0] == 0);
  assert_true(ad_select(ad_gt(2.0, 1), 3, 4) == 3);
}

/* each argument is evaluated once */
static int calls;
static ad_dual counted(double v) { calls++; return ad_dual_k(v); }
static void once(void **state) {
  (void)state;
#if defined(__GNUC__) && !defined(AD_NO_STATEMENT_EXPRESSIONS)
  const ad_dual r = ad_fma(ad_sin(counted(1)), ad_mul(counted(2), counted(3)), counted(4));
  assert_true(r.v == fma(sin(1), 6, 4));
  assert_int_equal(calls, 4);
#else
  assert_true(counted(1).v == 1);
#endif
}

/* 16 levels (check_generic.sh looks at the text that comes out) */
#define NEST_16(x) ad_add(ad_sqrt(ad_mul(ad_cos(ad_add(ad_sin(ad_mul(ad_exp(ad_sub(ad_tanh(ad_mul(ad_neg(ad_add(ad_sin(ad_mul(ad_cos(ad_exp(x)), x)), x)), x)), x)), x)), x)), x)), x)
static void nesting(void **state) {
  (void)state;
  const ad_dual a = dual_at(0.3, 2);
  const ad_dual deep = NEST_16(a);
  const double x = 0.3, u = cos(exp(x)) * x;
  const double want = sqrt(cos(sin(exp(tanh(-(sin(u) + x) * x) - x) * x) + x) * x) + x;
  assert_true(fabs(deep.v - want) < 1e-14);
}

static void names_of_status(void **state) {
  (void)state;
  assert_string_equal(ad_status_name(AD_OK), "AD_OK");
  assert_string_equal(ad_status_name(AD_ERROR_UNSUPPORTED), "AD_ERROR_UNSUPPORTED");
  assert_string_equal(ad_status_name((ad_status)99), "unknown status");
  assert_string_equal(ad_status_name((ad_status)-1), "unknown status");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(types_ad_dual), cmocka_unit_test(types_ad_dual2), cmocka_unit_test(types_dual3),
      cmocka_unit_test(values_unary),  cmocka_unit_test(values_binary),  cmocka_unit_test(numbers),
      cmocka_unit_test(numbers_are_constants), cmocka_unit_test(comparisons), cmocka_unit_test(choice),
      cmocka_unit_test(once), cmocka_unit_test(nesting), cmocka_unit_test(names_of_status),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
