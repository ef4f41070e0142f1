/* Memory that runs out when a test says so: ad.h allocates through these in every unit of a test. */
#ifndef TEST_MEMORY_H
#define TEST_MEMORY_H
#include <stdbool.h>
#include <stdlib.h>

extern long allocations, live, fail_at; /* calls so far; blocks that were not freed; the number of the call that fails, -1: none */
extern bool sticky;                     /* with it all calls after that one fail too */
void *counted_malloc(size_t bytes);
void counted_free(void *p);

#define AD_MALLOC(bytes) counted_malloc(bytes)
#define AD_FREE(p) counted_free(p)
#endif
