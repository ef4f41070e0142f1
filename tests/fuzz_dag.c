/* libFuzzer over programs of rows: forward and reverse agree, no byte string leads to undefined behaviour (tests/dag.h). */
#define AD_IMPLEMENTATION
#include "dag.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  size_t steps;
  ad_tape *tape = ad_tape_create(NULL);
  const char *wrong = dag_run(tape, bytes, size, &steps);
  if (wrong) fprintf(stderr, "%s\n", wrong);
  ad_tape_destroy(tape);
  if (wrong) __builtin_trap();
  return 0;
}
