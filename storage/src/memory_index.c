#include "memory_index.h"

#include "alm/alloc.h"

#include <xxhash.h>

#define CAP_MIN 64

void memory_index_deinit(memory_index *index)
{
    alm_free(index->slots);
    *index = (memory_index){0};
}

// The key's slot, or the empty one where it would go. There is always one.
static memory_index_slot *slot_of(memory_index_slot *slots, size_t cap, alm_str key)
{
    size_t at = XXH3_64bits(key.data, key.len) & (cap - 1);
    while (slots[at].key.data != NULL && !alm_str_eq(slots[at].key, key)) {
        at = (at + 1) & (cap - 1);
    }
    return &slots[at];
}

bool memory_index_find(const memory_index *index, alm_str key, uint32_t *ret)
{
    if (index->cap == 0 || key.len == 0) {
        return false;
    }
    const memory_index_slot *slot = slot_of(index->slots, index->cap, key);
    if (slot->key.data == NULL) {
        return false;
    }
    *ret = slot->number;
    return true;
}

bool memory_index_reserve(memory_index *index, size_t more)
{
    size_t cap = ALM_MAX(index->cap, (size_t)CAP_MIN);
    while ((index->count + more) * 2 > cap) {
        cap *= 2;
    }
    if (cap == index->cap) {
        return true;
    }
    memory_index_slot *slots = alm_calloc(cap, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < index->cap; i++) {
        if (index->slots[i].key.data != NULL) {
            *slot_of(slots, cap, index->slots[i].key) = index->slots[i];
        }
    }
    alm_free(index->slots);
    index->slots = slots;
    index->cap = cap;
    return true;
}

void memory_index_put(memory_index *index, alm_str key, uint32_t number)
{
    ALM_ASSERT(key.len > 0);
    ALM_ASSERT(index->count < index->cap / 2 || memory_index_find(index, key, &(uint32_t){0}));
    memory_index_slot *slot = slot_of(index->slots, index->cap, key);
    index->count += slot->key.data == NULL;
    *slot = (memory_index_slot){.key = key, .number = number};
}
