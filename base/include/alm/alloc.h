// The one door to the heap, so that tests can make any allocation fail.
#ifndef ALM_ALLOC_H
#define ALM_ALLOC_H

#include "alm/assert.h"

#include <stddef.h>
#include <stdint.h>

// As malloc, calloc, realloc and free. NULL means out of memory, also for size 0; the caller
// answers ALM_RESOURCE_EXHAUSTED and leaves its state as it was. count x size is checked for
// overflow.
ALM_MUST_USE void *alm_alloc(size_t size);
ALM_MUST_USE void *alm_calloc(size_t count, size_t size);
ALM_MUST_USE void *alm_realloc(void *old, size_t size);
ALM_MUST_USE char *alm_strdup(const char *text);
void alm_free(void *memory);

// Tests: the n-th allocation from now fails (1 = the next), and with forever all after it.
// 0 turns failing off. Returns how many allocations were made since the last call, and 0 from the
// first call, which starts the counting. One test at a time: the heap is the process'.
uint64_t alm_alloc_fail_at(uint64_t n, int forever);

#endif
