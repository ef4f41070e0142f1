/* What every test includes: cmocka with the headers that it needs, and buffers whose neighbours fault. */
#ifndef AD_TEST_H
#define AD_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define TEST_API static __attribute__((unused))

/* 64 KiB of memory between two pages that fault: place n elements at first or at end - n. */
enum { GUARDED_SIZE = 1 << 16 };
typedef struct guarded {
  unsigned char *first, *end;
} guarded;

TEST_API guarded guarded_create(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), size = GUARDED_SIZE;
  unsigned char *base = (unsigned char *)mmap(NULL, size + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(base != (unsigned char *)MAP_FAILED);
  assert_int_equal(mprotect(base, page, PROT_NONE), 0);
  assert_int_equal(mprotect(base + page + size, page, PROT_NONE), 0);
  guarded g;
  g.first = base + page;
  g.end = g.first + size;
  return g;
}

TEST_API void guarded_destroy(guarded *g) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), size = GUARDED_SIZE;
  munmap(g->first - page, size + 2 * page);
}

#endif
