// From text to number: a hash table that never forgets.
#ifndef ALM_STORAGE_MEMORY_INDEX_H
#define ALM_STORAGE_MEMORY_INDEX_H

#include "alm/str.h"

typedef struct memory_index_slot {
    alm_str key; // borrowed; data NULL: empty
    uint32_t number;
} memory_index_slot;

// Zero-initialised it is empty.
typedef struct memory_index {
    memory_index_slot *slots; // owned
    size_t count, cap;        // cap: a power of two, or 0
} memory_index;

void memory_index_deinit(memory_index *index);
bool memory_index_find(const memory_index *index, alm_str key, uint32_t *ret);
// Room for so many more keys. False: out of memory, nothing changed.
ALM_MUST_USE bool memory_index_reserve(memory_index *index, size_t more);
// Room must be reserved (asserted). A key that is there gets the new number. The key's text must
// outlive the index; it is not empty (asserted).
void memory_index_put(memory_index *index, alm_str key, uint32_t number);

#endif
