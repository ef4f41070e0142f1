/* Hashes of results, to compare the bits of one backend with those stored in the test file. Any NaN is as good as another.
   AD_PRINT_BITS=1 in the environment prints the hashes instead of checking them. */
#ifndef AD_TEST_BITS_H
#define AD_TEST_BITS_H

#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <float.h>

typedef struct bits_entry {
  const char *name;
  uint64_t hash;
} bits_entry;

static inline uint64_t bits_start(void) { return UINT64_C(0xcbf29ce484222325); }
static inline uint64_t bits_add_u64(uint64_t h, uint64_t u) {
  for (int i = 0; i < 8; i++) h = (h ^ (u >> (8 * i) & 255)) * UINT64_C(0x100000001b3);
  return h;
}
static inline uint64_t bits_add_f32(uint64_t h, float x) {
  uint32_t u;
  if (isnan(x)) return bits_add_u64(h, UINT64_C(0x7fc00000));
  memcpy(&u, &x, sizeof u);
  return bits_add_u64(h, u);
}
static inline uint64_t bits_add_f64(uint64_t h, double x) {
  uint64_t u;
  if (isnan(x)) return bits_add_u64(h, UINT64_C(0x7ff8000000000000));
  memcpy(&u, &x, sizeof u);
  return bits_add_u64(h, u);
}
static inline uint64_t bits_add_array_f32(uint64_t h, size_t n, const float *x) {
  for (size_t i = 0; i < n; i++) h = bits_add_f32(h, x[i]);
  return h;
}
static inline uint64_t bits_add_array_f64(uint64_t h, size_t n, const double *x) {
  for (size_t i = 0; i < n; i++) h = bits_add_f64(h, x[i]);
  return h;
}
/* Bits are promised where expressions have the digits of their type; x87 keeps more (FLT_EVAL_METHOD 2), s390x in ISO C too (1). */
#if defined(FLT_EVAL_METHOD)
enum { BITS_HOLD = FLT_EVAL_METHOD == 0 };
#else
enum { BITS_HOLD = 1 };                 /* tcc, which has none */
#endif
/* true if name has this hash in the table */
static inline int bits_known(const bits_entry *table, size_t n, const char *name, uint64_t hash) {
  if (!BITS_HOLD) return 1;
  if (getenv("AD_PRINT_BITS")) return printf("  { \"%s\", UINT64_C(0x%016llx) },\n", name, (unsigned long long)hash) > 0;
  for (size_t i = 0; i < n; i++)
    if (!strcmp(table[i].name, name)) {
      if (table[i].hash != hash) fprintf(stderr, "%s: other bits: 0x%016llx\n", name, (unsigned long long)hash);
      return table[i].hash == hash;
    }
  fprintf(stderr, "%s: not in the table of hashes\n", name);
  return 0;
}
/* reproducible numbers: uniform in [0, 1) with 53 bits */
static inline double bits_uniform(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

#endif
