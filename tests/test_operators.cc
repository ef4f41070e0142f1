// The generic names as overloads, and the operators, in C++: every row of the table for double, ad_dual, ad_dual2 and a dual of this
// program, with numbers among the operands.
#include <type_traits>
#define AD_TRACE
#include "ad.h"
extern "C" {
#include "test.h"
}

AD_DUAL(dual3, ad_f64, 3)

template <class A, class B> static void is(const A &, const B &) { static_assert(std::is_same<A, B>::value, "the type of an expression"); }

static double inside(ad_opcode op, int i) { return ad_ops[op].lo[i] + (0.61 + 0.07 * i) * (ad_ops[op].hi[i] - ad_ops[op].lo[i]); }
static bool same(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

// unevaluated: the types alone
#define TYPE_1(N, T, op, ...) static_assert(std::is_same<T, decltype(ad_##op(T()))>::value, #op);
#define TYPE_2(N, T, op, ...)                                                                                                              \
  static_assert(std::is_same<T, decltype(ad_##op(T(), T()))>::value && std::is_same<T, decltype(ad_##op(T(), 2))>::value &&                \
                    std::is_same<T, decltype(ad_##op(2.0, T()))>::value, #op);
#define TYPE_3(N, T, op, ...)                                                                                                              \
  static_assert(std::is_same<T, decltype(ad_##op(T(), T(), T()))>::value && std::is_same<T, decltype(ad_##op(T(), 1, 2))>::value &&        \
                    std::is_same<T, decltype(ad_##op(1, T(), 2))>::value && std::is_same<T, decltype(ad_##op(1, 2, T()))>::value &&        \
                    std::is_same<T, decltype(ad_##op(T(), T(), 1))>::value && std::is_same<T, decltype(ad_##op(1, T(), T()))>::value &&    \
                    std::is_same<T, decltype(ad_##op(T(), 1, T()))>::value, #op);
#define TYPES(T) AD_UNARY(TYPE_1, , T) AD_BINARY(TYPE_2, , T) AD_TERNARY(TYPE_3, , T)
TYPES(ad_dual)
TYPES(ad_dual2)
TYPES(dual3)
TYPES(double)

#define VALUE_1(N, D, op, ...)                                                                                                             \
  if (!same(ad_##op(dual3_k(inside(AD_OP_##op, 0))).v, ad_##op(inside(AD_OP_##op, 0)))) fail_msg("ad_%s", #op);
#define VALUE_2(N, D, op, ...)                                                                                                             \
  if (!same(ad_##op(dual3_k(inside(AD_OP_##op, 0)), inside(AD_OP_##op, 1)).v, ad_##op(inside(AD_OP_##op, 0), inside(AD_OP_##op, 1))))       \
    fail_msg("ad_%s", #op);
static void values(void **) { AD_UNARY(VALUE_1, , ) AD_BINARY(VALUE_2, , ) }

template <class T> static T rational(T x) {
  T r = (1 + 2 * x) / (x * x - 3) - x / 4 + (-x);
  r += x;
  r -= 1;
  r *= 2;
  r /= +x;
  return r;
}
static void operators(void **) {
  const double x = 0.75, h = 1e-6;
  const ad_dual r = rational(ad_dual_variable(x, 5));
  const ad_dual2 s = rational(ad_dual2_variable(ad_dual_variable(x, 5), 0));
  assert_true(std::fabs(r.v - rational(x)) < 1e-15 && std::fabs(s.v.v - rational(x)) < 1e-15);
  assert_true(std::fabs(r.d[5] - (rational(x + h) - rational(x - h)) / (2 * h)) < 1e-8 && r.d[0] == 0);
  const double after = rational(ad_dual_variable(x + h, 0)).d[0], before = rational(ad_dual_variable(x - h, 0)).d[0];
  assert_true(std::fabs(s.d[0].d[5] - (after - before) / (2 * h)) < 1e-7);
}

static void comparisons(void **) {
  const ad_dual a = ad_dual_variable(1, 0), b = ad_dual_variable(2, 1);
  assert_true(a < b && a <= b && b > a && b >= a && a != b && a == a && !(a == b));
  assert_true(a < 2 && 1 <= b && 3 > b && b >= 2.0 && a != 2 && a == 1);
  assert_true(ad_lt(a, b) && ad_le(a, 1) && ad_gt(3, b) && ad_ge(b, b) && ad_eq(a, 1) && ad_ne(a, b) && ad_lt(1.0, 2));
  is(ad_select(a < b, a, b), a);
  assert_true(ad_select(a < b, a, b).d[0] == 1 && ad_select(a > b, a, 7).v == 7 && ad_select(0, 1.0, 2.0) == 2);
}

static void map(const ad_dual *x, ad_dual *y, void *) { y[0] = x[0] * ad_sin(x[1]); }
static void driver(void **) {
  const double x[2] = {2, 0.5};
  double y, gradient[2];
  assert_int_equal(ad_gradient_forward(map, nullptr, 2, x, &y, gradient), AD_OK);
  assert_true(same(gradient[0], std::sin(0.5)) && std::fabs(gradient[1] - 2 * std::cos(0.5)) < 1e-15);
}

// AD_TRACE: names, operators and functions tell the place where they are written
static void trace(void **) {
  ad_tape *t = ad_tape_create(nullptr);
  const size_t n = 2;
  ad_var x = ad_variable(t, 1), y;
  const int line = __LINE__ + 1;
  y = ad_sin(x);
  y = x * y;
  y = 2 - ad_fma(x, 3, y);
  y += x;
  y = -y;
  y = ad_sum(ad_mul(ad_tensor_constant(t, AD_F64, 1, &n, nullptr), y), AD_ALL, false);
  const int of[] = { line - 2, line, line + 1, line + 2, line + 2, line + 2, line + 3, line + 4, line + 5, line + 5, line + 5 };
  assert_int_equal(ad_tape_nodes(t), sizeof of / sizeof *of);
  for (size_t i = 0; i < sizeof of / sizeof *of; i++)
    if (t->place[i].line != of[i] || !strstr(t->place[i].file, "test_operators.cc")) fail_msg("node %zu: %s:%d", i, t->place[i].file, t->place[i].line);
  (void)ad_matmul(y, y);
  char place[64];
  snprintf(place, sizeof place, "test_operators.cc:%d)", __LINE__ - 2);
  if (!strstr(ad_tape_message(t), place)) fail_msg("%s", ad_tape_message(t));
  ad_tape_destroy(t);
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(operators), cmocka_unit_test(comparisons), cmocka_unit_test(driver), cmocka_unit_test(trace)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
