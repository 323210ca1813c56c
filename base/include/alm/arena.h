// An arena: memory that lives as long as one request. Allocation is a bump; freeing is a reset.
//
// Threading: an arena belongs to one thread at a time.
// Lifetime:  what it gives is valid until alm_arena_reset or alm_arena_destroy.
#ifndef ALM_ARENA_H
#define ALM_ARENA_H

#include "alm/assert.h"
#include "alm/str.h"

#include <stddef.h>

typedef struct alm_arena alm_arena;

// max_bytes bounds what the arena ever holds, headers included; 0 means ALM_ARENA_BYTES_MAX.
// NULL: out of memory.
ALM_MUST_USE alm_arena *alm_arena_create(size_t max_bytes);
void alm_arena_destroy(alm_arena **arena);

// Runs the registered functions in reverse order, then forgets all allocations. Keeps one
// chunk, of less than 1 MiB.
void alm_arena_reset(alm_arena *arena);

// 16-byte aligned. NULL: the limit or the heap is exhausted; answer ALM_RESOURCE_EXHAUSTED.
// Size 0 gives a valid, unique pointer.
ALM_MUST_USE void *alm_arena_alloc(alm_arena *arena, size_t size);
ALM_MUST_USE void *alm_arena_calloc(alm_arena *arena, size_t count, size_t size);

// NUL-terminated copies. NULL as above.
ALM_MUST_USE char *alm_arena_strdup(alm_arena *arena, alm_str text);
ALM_MUST_USE char *alm_arena_printf(alm_arena *arena, const char *fmt, ...) ALM_PRINTF(2, 3);

// Grows an array of elements of elem_size from *cap to at least need elements by doubling; the old
// block stays until reset. False: exhausted, nothing changed.
ALM_MUST_USE bool alm_arena_grow(alm_arena *arena, void **array, size_t *cap, size_t need,
                                 size_t elem_size);

// Runs fn(arg) at reset or destroy. False: exhausted, fn not registered.
ALM_MUST_USE bool alm_arena_on_reset(alm_arena *arena, void (*fn)(void *arg), void *arg);

size_t alm_arena_used(const alm_arena *arena); // bytes handed out since the last reset

#endif
