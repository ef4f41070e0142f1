/* Numbers that every run draws alike, and a hash of results. For tests of kernels, which include themselves once per element type S:
   F(name) is a function of the library on S, T(name) a name of the test for S. */
#ifndef AD_TEST_RANDOM_H
#define AD_TEST_RANDOM_H
#include "test.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define F(name) PASTE(S, name)
#define T(name) PASTE(name, S)

static uint64_t random_state = 1;
TEST_API uint32_t random_bits(void) {
  random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(random_state >> 33);
}
TEST_API size_t random_below(size_t n) { return random_bits() % n; }
/* from -0.5 to 0.5 */
TEST_API double random_number(void) { return (double)random_bits() / (double)(UINT32_C(1) << 31) - 0.5; }
TEST_API uint64_t random_hash(uint64_t h, const void *x, size_t size, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint64_t u = 0;
    memcpy(&u, (const char *)x + i * size, size);
    h = (h ^ u) * UINT64_C(0x100000001b3);
    h ^= h >> 29;
  }
  return h;
}

#endif
