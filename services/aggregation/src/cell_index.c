#include "cell_index.h"

#include "alm/alloc.h"

#define CAP_MIN 64

static uint64_t mix(uint64_t a, uint64_t b)
{
    // The finalizer of splitmix64 over both words: places and periods are small dense numbers.
    uint64_t x = a * UINT64_C(0x9e3779b97f4a7c15) + b;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void release(void *arg)
{
    alm_cell_index *index = arg;
    alm_free(index->slots);
    *index = (alm_cell_index){0};
}

alm_code alm_cell_index_init(alm_cell_index *index, alm_arena *arena, alm_status *st)
{
    *index = (alm_cell_index){0};
    if (!alm_arena_on_reset(arena, release, index)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for an index of cells");
    }
    return ALM_OK;
}

// A period is a number whose bits 16 and up are its ordinal: eight that follow each other, of one
// place, stand in one run of slots, since they are met one after another.
static size_t home(uint64_t a, uint64_t b)
{
    uint64_t low = b >> 16 & 7;
    return mix(a, b ^ low << 16) ^ low;
}

// The slot of (a, b), or the free one where it would be. The table is never full.
static alm_cell_slot *probe(alm_cell_slot *slots, size_t cap, uint64_t a, uint64_t b)
{
    for (size_t at = home(a, b) & (cap - 1);; at = (at + 1) & (cap - 1)) {
        alm_cell_slot *slot = &slots[at];
        if (slot->held == 0 || (slot->a == a && slot->b == b)) {
            return slot;
        }
    }
}

static bool grow(alm_cell_index *index)
{
    size_t cap = index->cap == 0 ? CAP_MIN : index->cap * 2;
    alm_cell_slot *slots = alm_calloc(cap, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < index->cap; i++) {
        alm_cell_slot old = index->slots[i];
        if (old.held != 0) {
            *probe(slots, cap, old.a, old.b) = old;
        }
    }
    alm_free(index->slots);
    index->slots = slots;
    index->cap = cap;
    return true;
}

uint32_t alm_cell_index_find(const alm_cell_index *index, uint64_t a, uint64_t b)
{
    // A free slot holds 0, which is NONE + 1.
    return index->cap == 0 ? ALM_CELL_NONE : probe(index->slots, index->cap, a, b)->held - 1;
}

alm_code alm_cell_index_add(alm_cell_index *index, uint64_t a, uint64_t b, uint32_t value,
                            uint32_t *ret, alm_status *st)
{
    ALM_ASSERT(value != ALM_CELL_NONE);
    if (index->count >= index->cap / 2 && !grow(index)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %zu cells",
                              index->count + 1);
    }
    alm_cell_slot *slot = probe(index->slots, index->cap, a, b);
    if (slot->held == 0) {
        *slot = (alm_cell_slot){a, b, value + 1};
        index->count++;
    }
    *ret = slot->held - 1;
    return ALM_OK;
}
