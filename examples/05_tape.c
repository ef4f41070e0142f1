/* 05_tape: (w x - y)^2 recorded on a tape: the values in the order of recording, the gradients from one sweep backwards, and the
   graph as a picture in the language of Graphviz (./05_tape picture.dot, then dot -Tsvg). Teaches ad_tape, ad_var, ad_backward. */
#define AD_IMPLEMENTATION
#include "ad.h"
#include "example.h"

int main(int argc, char **argv) {
  ad_tape *tape = ad_tape_create(NULL);
  const ad_var w = ad_variable(tape, 1), x = ad_variable(tape, 2), y = ad_variable(tape, 3);
  const ad_var product = ad_mul(w, x), difference = ad_sub(product, y), loss = ad_square(difference);
  const ad_var node[] = { w, x, y, product, difference, loss };
  const char *name[] = { "w", "x", "y", "w x", "w x - y", "(w x - y)^2" };

  if (ad_backward(loss) != AD_OK) example_fail("%s", ad_tape_message(tape));
  printf("node  expression    value  d loss / d node\n");
  for (int i = 0; i < 6; i++) printf("%4u  %-12s %6g %16g\n", (unsigned)node[i].node, name[i], ad_value(node[i]), ad_grad(node[i]));

  /* a mistake is an error with a sentence, never a crash */
  ad_tape_reset(tape);
  ad_sin(loss);
  printf("%s: %s\n", ad_status_name(ad_tape_status(tape)), ad_tape_message(tape));

  if (argc > 1) {
    FILE *picture = fopen(argv[1], "w");
    ad_tape_reset(tape);
    ad_backward(ad_square(ad_sub(ad_mul(ad_variable(tape, 1), ad_variable(tape, 2)), ad_variable(tape, 3))));
    if (!picture || ad_tape_write_dot(tape, picture) != AD_OK || fclose(picture)) example_fail("cannot write %s", argv[1]);
  }
  ad_tape_destroy(tape);
  return 0;
}
