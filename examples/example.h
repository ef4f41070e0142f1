/* What several examples need: a message and a nonzero exit, a clock, reproducible noise, numbers from a text file. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__GNUC__)
#define EXAMPLE_API static __attribute__((unused))
#else
#define EXAMPLE_API static
#endif

EXAMPLE_API void example_fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  vfprintf(stderr, format, list);
  va_end(list);
  fputc('\n', stderr);
  exit(EXIT_FAILURE);
}

EXAMPLE_API double example_seconds(void) {
  struct timespec t;
  timespec_get(&t, TIME_UTC);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* uniform in [-1, 1), the same for the same seed and index on every machine (splitmix64) */
EXAMPLE_API double example_noise(uint64_t seed, uint64_t index) {
  uint64_t z = seed * UINT64_C(0xd1342543de82ef95) + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (double)((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1;
}

/* the next count numbers of a text file; ends the program where there are fewer, or where one is not finite */
EXAMPLE_API void example_read(FILE *file, const char *path, const char *what, size_t count, double *x) {
  for (size_t i = 0; i < count; i++) {
    if (fscanf(file, "%lf", &x[i]) != 1) example_fail("%s: %s: number %zu of %zu is missing", path, what, i + 1, count);
    if (!isfinite(x[i])) example_fail("%s: %s: number %zu is not finite", path, what, i + 1);
  }
}

EXAMPLE_API FILE *example_open(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) example_fail("%s: %s", path, strerror(errno));
  return file;
}

#endif
