/* Prints the table of operations of ad.h as Markdown: name, value and derivatives as the header writes them, sampled domain. */
#include "ad.h"
#include <stdio.h>

/* The rows are expanded with an empty number system, so that N##_mul(x, y) reads _mul(x, y); the underscores are left out here. */
static void formula(const char *text) {
  for (const char *c = text; *c; c++)
    if (!(*c == '_' && (c == text || c[-1] == '(' || c[-1] == ' '))) putchar(*c);
}

static void row(const char *name, const char *value, const char *const *partial, int partials, const double *domain) {
  printf("| `%s` | ", name);
  if (value[0] == '_' && strchr(value + 1, '(') && !strncmp(value + 1, name, strlen(name))) printf("a word");
  else printf("`"), formula(value), printf("`");
  for (int i = 0; i < partials; i++) printf("%s`", i ? "<br>" : " | "), formula(partial[i]), printf("`");
  for (int i = 0; i < partials; i++) printf("%s%g .. %g", i ? "<br>" : " | ", domain[2 * i], domain[2 * i + 1]);
  puts(" |");
}

#define UNARY(N, D, name, value, dx, keep, lo, hi) row(#name, #value, (const char *[]){#dx}, 1, (double[]){lo, hi});
#define BINARY(N, D, name, value, dx, dy, keep, ...) row(#name, #value, (const char *[]){#dx, #dy}, 2, (double[]){__VA_ARGS__});
#define TERNARY(N, D, name, value, dx, dy, dz, keep, ...) \
  row(#name, #value, (const char *[]){#dx, #dy, #dz}, 3, (double[]){__VA_ARGS__});

int main(void) {
  puts("| operation | value | derivatives | tested on |\n|---|---|---|---|");
  AD_UNARY(UNARY, , )
  AD_BINARY(BINARY, , )
  AD_TERNARY(TERNARY, , )
  return 0;
}
