#include "cell_index.h"

#include <xxhash.h>

bool cell_index_init(cell_index *index, size_t row_count, alm_arena *arena)
{
    size_t slot_count = 16;
    while (slot_count / 2 < row_count) {
        slot_count *= 2;
    }
    index->slots = alm_arena_calloc(arena, slot_count, sizeof *index->slots);
    index->mask = slot_count - 1;
    return index->slots != NULL;
}

static uint64_t hash_of(const alm_obs *row)
{
    uint64_t key[3] = {alm_period_pack(row->period), (uint64_t)row->variant << 32 | row->place,
                       (uint64_t)row->source << 32 | (uint32_t)row->published};
    return XXH3_64bits(key, sizeof key);
}

static bool same_cell(const alm_obs *a, const alm_obs *b)
{
    return a->variant == b->variant && a->place == b->place &&
           alm_period_eq(a->period, b->period) && a->source == b->source &&
           a->published == b->published;
}

size_t cell_index_put(cell_index *index, const alm_obs *rows, size_t row)
{
    size_t at = (size_t)hash_of(&rows[row]) & index->mask;
    for (; index->slots[at] != 0; at = (at + 1) & index->mask) {
        size_t other = index->slots[at] - 1;
        if (same_cell(&rows[other], &rows[row])) {
            return other;
        }
    }
    index->slots[at] = (uint32_t)row + 1;
    return row;
}
