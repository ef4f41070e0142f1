/* The limits of float registers (f32.h): 2^22 floats a row, evenly over all bit patterns, where registers are wide; fewer elsewhere. */
#include "test.h"
#include "f32.h"

static void limits_of_floats(void **state) {
  (void)state;
#if defined(AD__SLEEF) && AD_V32_LANES >= 16
  const uint32_t step = 1021;
#else
  const uint32_t step = 1021 * 256 - 1;
#endif
  assert_int_equal(f32_measure(step, NULL, false), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = { cmocka_unit_test(limits_of_floats) };
  return cmocka_run_group_tests_name("f32", tests, NULL, NULL);
}
