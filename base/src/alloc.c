#include "alm/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// The heap is the process', and so is the test's power to make it fail. Nothing is counted until
// the first call of alm_alloc_fail_at, so that a service pays one load of an unwritten line.
static atomic_bool watched;
static _Atomic uint64_t made;    // allocations since the last alm_alloc_fail_at
static _Atomic uint64_t fail_at; // the number of the allocation that fails; 0: none
static atomic_bool fail_forever;

static bool must_fail(void)
{
    if (!atomic_load_explicit(&watched, memory_order_relaxed)) {
        return false;
    }
    uint64_t number = atomic_fetch_add(&made, 1) + 1;
    uint64_t failing = atomic_load(&fail_at);
    return failing != 0 && (number == failing || (number > failing && atomic_load(&fail_forever)));
}

uint64_t alm_alloc_fail_at(uint64_t n, int forever)
{
    atomic_store(&fail_at, 0);
    uint64_t count = atomic_exchange(&made, 0);
    atomic_store(&fail_forever, forever != 0);
    atomic_store(&fail_at, n);
    atomic_store(&watched, true);
    return count;
}

// libc may answer NULL for size 0, which here means out of memory only.
static size_t at_least_one(size_t size)
{
    return size > 0 ? size : 1;
}

void *alm_alloc(size_t size)
{
    return must_fail() ? NULL : malloc(at_least_one(size));
}

void *alm_calloc(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total) || must_fail()) {
        return NULL;
    }
    return calloc(1, at_least_one(total));
}

void *alm_realloc(void *old, size_t size)
{
    return must_fail() ? NULL : realloc(old, at_least_one(size));
}

char *alm_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = alm_alloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void alm_free(void *memory)
{
    free(memory);
}
