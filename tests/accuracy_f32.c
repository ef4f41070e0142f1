/* Errors in ULP of every unary row of float registers over all floats (f32.h). A sweep over all 2^32 numbers takes an hour (the release
   target: make accuracy-f32), so the default is every 1021st, 2^22 of them.

     accuracy_f32 [step] [row]     step 1: all floats; prints a table in Markdown, and the rows that exceed their limit */

#include "f32.h"

int main(int argc, char **argv) {
  uint32_t step = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1021;
  if (step == 0) return fprintf(stderr, "usage: accuracy_f32 [step] [row]\n"), 1;
  printf("Registers of float over all numbers, every %uth, against the row in registers of double.\n\n", step);
  printf("| row | value | at | derivative | at |\n|---|---|---|---|---|\n");
  return f32_measure(step, argc > 2 ? argv[2] : NULL, true) != 0;
}
