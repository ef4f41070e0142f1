/* Random programs of rows: forward and reverse agree (tests/dag.h). */
#include "ad.h"
#include "dag.h"
#include "test.h"

static void random_programs(void **state) {
  (void)state;
  ad_tape *tape = ad_tape_create(NULL);
  uint64_t s = 1;
  size_t steps, total = 0;
  for (int program = 0; program < 20000; program++) {
    uint8_t bytes[DAG_INPUTS + 4 * 24];
    for (size_t i = 0; i < sizeof bytes; i++) s = s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407), bytes[i] = (uint8_t)(s >> 56);
    if (program % 4)
      for (size_t i = 0; i < DAG_INPUTS; i++) bytes[i] = (uint8_t)(128 + bytes[i] % 100);      /* plain positive inputs */
    const char *wrong = dag_run(tape, bytes, DAG_INPUTS + (size_t)(program % 25) * 4, &steps);
    if (wrong) fail_msg("program %d:%s", program, wrong);
    total += steps;
  }
  assert_true(total > 200000);
  ad_tape_destroy(tape);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_programs)};
  return cmocka_run_group_tests_name("dag", tests, NULL, NULL);
}
