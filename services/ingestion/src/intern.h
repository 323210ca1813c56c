// Texts (or any bytes) to dense numbers 0, 1, 2 ... in order of first sight.
#ifndef ALM_INGESTION_INTERN_H
#define ALM_INGESTION_INTERN_H

#include "alm/arena.h"
#include "alm/str.h"

typedef struct interner {
    alm_arena *arena;
    alm_str *texts; // by number
    size_t text_cap;
    uint32_t count;
    uint32_t *slots;   // number + 1; 0: empty
    size_t slot_count; // a power of two, or 0 before the first text
} interner;

// Everything lives in the arena.
void interner_init(interner *in, alm_arena *arena);

// The text's number; a copy is kept. *ret_new (may be NULL): it was not known.
// False: the arena is exhausted.
ALM_MUST_USE bool intern(interner *in, alm_str text, uint32_t *ret, bool *ret_new);

// UINT32_MAX if unknown.
uint32_t interner_find(const interner *in, alm_str text);

#endif
