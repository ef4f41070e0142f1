/* 08_executor: a graph built once, with placeholders, then run at several feeds, asking for chosen nodes only. What is asked for
   decides what is computed: ad_function_create keeps the nodes that lead to it. Teaches ad_function_create on parts of one tape. */
#define AD_IMPLEMENTATION
#include "ad.h"
#include "example.h"

enum { A, B, C, PLACEHOLDERS };
typedef struct graph { ad_tape *tape; ad_var placeholder[PLACEHOLDERS], distance, angle, energy; } graph;

static graph build(void) {
  graph g;
  g.tape = ad_tape_create(NULL);
  if (!g.tape) example_fail("out of memory");
  for (int i = 0; i < PLACEHOLDERS; i++) g.placeholder[i] = ad_variable(g.tape, 1);       /* any value will do */
  const ad_var *p = g.placeholder;
  g.distance = ad_hypot(p[A], p[B]);
  g.angle = ad_atan2(p[B], p[A]);
  g.energy = ad_add(ad_mul(p[C], ad_square(g.distance)), ad_log(ad_cosh(g.angle)));
  return g;
}

/* values of the nodes asked for, and the gradient of the first one, at each feed */
static void run(const graph *g, const char *title, const ad_var *asked, size_t count, const double (*feed)[PLACEHOLDERS], size_t feeds) {
  ad_function *f = ad_function_create(g->placeholder, PLACEHOLDERS, asked, count);
  if (!f) example_fail("%s", ad_tape_message(g->tape));
  printf("%s\n", title);
  for (size_t k = 0; k < feeds; k++) {
    double value[3], gradient[PLACEHOLDERS];
    const double first_only[3] = { 1, 0, 0 };
    if (ad_function_vjp(f, feed[k], first_only, value, gradient) != AD_OK) example_fail("the run failed");
    printf("  feed (%g, %g, %g):", feed[k][A], feed[k][B], feed[k][C]);
    for (size_t i = 0; i < count; i++) printf(" %.8f", value[i]);
    printf("   gradient of the first: %.8f %.8f %.8f\n", gradient[A], gradient[B], gradient[C]);
  }
  ad_function_destroy(f);
}

int main(void) {
  const double feed[][PLACEHOLDERS] = { { 3, 4, 2 }, { -1, 0.5, 10 }, { 0.25, -2, 0 } };
  graph g = build();
  const ad_var all[] = { g.energy, g.distance, g.angle };
  printf("the graph has %u nodes\n", (unsigned)ad_tape_nodes(g.tape));
  run(&g, "energy, distance and angle", all, 3, feed, 3);
  run(&g, "the distance alone", &g.distance, 1, feed, 3);
  ad_tape_destroy(g.tape);
  return 0;
}
