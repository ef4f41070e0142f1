/* The implementation part of ad.h, in a unit of its own, as a program would have it; its memory can run out (memory.h). */
#include "memory.h"
#define AD_IMPLEMENTATION
#include "ad.h"

long allocations, live, fail_at = -1;
bool sticky;

void *counted_malloc(size_t bytes) {
  long k = __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
  void *p = fail_at >= 0 && (sticky ? k >= fail_at : k == fail_at) ? NULL : malloc(bytes);
  if (p) __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
  return p ? memset(p, 0xA5, bytes) : NULL;                  /* what is read before it is written is seen */
}
void counted_free(void *p) {
  if (p) __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
  free(p);
}
