#include "batch_order.h"

#include <stdlib.h>

// --- slices --------------------------------------------------------------------------------------

#define SLOT_COUNT_MIN 64

static size_t slot_of(const alm_slice_table *table, uint32_t variant, alm_period period)
{
    uint64_t key = (uint64_t)(uint32_t)period.ordinal | (uint64_t)period.length << 32 |
                   (uint64_t)period.freq << 48;
    uint64_t hash = (key ^ (uint64_t)variant << 24) * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = (hash >> 32) & (table->slot_count - 1);
    while (table->slots[slot] != 0) {
        uint32_t at = table->slots[slot] - 1;
        if (table->slices[at].variant == variant && alm_period_eq(table->periods[at], period)) {
            break;
        }
        slot = (slot + 1) & (table->slot_count - 1);
    }
    return slot;
}

// Keeps half of the slots free.
static bool reserve(alm_slice_table *table)
{
    if (!alm_arena_grow(table->arena, (void **)&table->slices, &table->cap, table->count + 1,
                        sizeof *table->slices) ||
        !alm_arena_grow(table->arena, (void **)&table->periods, &table->period_cap,
                        table->count + 1, sizeof *table->periods)) {
        return false;
    }
    if (2 * (table->count + 1) <= table->slot_count) {
        return true;
    }
    size_t slot_count = ALM_MAX((size_t)SLOT_COUNT_MIN, 2 * table->slot_count);
    uint32_t *slots = alm_arena_calloc(table->arena, slot_count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    table->slots = slots;
    table->slot_count = slot_count;
    for (size_t i = 0; i < table->count; i++) {
        slots[slot_of(table, table->slices[i].variant, table->periods[i])] = (uint32_t)i + 1;
    }
    return true;
}

bool alm_slice_table_find(alm_slice_table *table, uint32_t variant, alm_period period,
                          uint32_t *ret, bool *ret_is_new)
{
    if (!reserve(table)) {
        return false;
    }
    size_t slot = slot_of(table, variant, period);
    *ret_is_new = table->slots[slot] == 0;
    if (*ret_is_new) {
        table->slices[table->count] =
            (alm_slice_slots){.period = alm_period_pack(period), .variant = variant};
        table->periods[table->count] = period;
        table->slots[slot] = (uint32_t)++table->count;
    }
    *ret = table->slots[slot] - 1;
    return true;
}

// --- dealing -------------------------------------------------------------------------------------

// A slice and where it stood before slices were ordered.
typedef struct ranked {
    alm_slice_slots slice;
    uint32_t index;
} ranked;

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int ranked_cmp(const void *a, const void *b)
{
    const alm_slice_slots *x = &((const ranked *)a)->slice;
    const alm_slice_slots *y = &((const ranked *)b)->slice;
    int order = COMPARE(x->variant, y->variant);
    return order != 0 ? order : COMPARE(x->period, y->period);
}

// Orders the slices and says where the rows of each go; next[index] is where its first row does.
static bool place_slices(alm_slice_table *table, uint32_t *next, alm_slice_slots *ret)
{
    uint32_t at = 0;
    ranked *list = alm_arena_alloc(table->arena, table->count * sizeof *list);
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->count; i++) {
        list[i] = (ranked){.slice = table->slices[i], .index = (uint32_t)i};
    }
    if (table->count > 1) {
        qsort(list, table->count, sizeof *list, ranked_cmp);
    }
    for (size_t i = 0; i < table->count; i++) {
        uint32_t rows = list[i].slice.to;
        ret[i] = list[i].slice;
        ret[i].from = at;
        ret[i].to = at + rows;
        next[list[i].index] = at;
        at += rows;
    }
    return true;
}

static int slot_cmp(const void *a, const void *b)
{
    const alm_row_slot *x = a;
    const alm_row_slot *y = b;
    int order = COMPARE(x->place, y->place);
    return order != 0 ? order : COMPARE(x->row, y->row);
}

static void sort_slice(alm_row_slot *slots, size_t count)
{
    size_t i = 1;
    while (i < count && slots[i - 1].place <= slots[i].place) {
        i++;
    }
    if (i < count) {
        qsort(slots, count, sizeof *slots, slot_cmp);
    }
}

bool alm_batch_deal(alm_slice_table *table, const alm_obs *rows, const uint32_t *slice_of,
                    size_t count, alm_checked_batch *ret)
{
    alm_arena *arena = table->arena;
    alm_row_slot *slots = alm_arena_alloc(arena, count * sizeof *slots);
    uint32_t *next = alm_arena_alloc(arena, table->count * sizeof *next);
    alm_slice_slots *slices = alm_arena_alloc(arena, table->count * sizeof *slices);
    if (slots == NULL || next == NULL || slices == NULL || !place_slices(table, next, slices)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        slots[next[slice_of[i]]++] = (alm_row_slot){.place = rows[i].place, .row = (uint32_t)i};
    }
    for (size_t i = 0; i < table->count; i++) {
        sort_slice(slots + slices[i].from, slices[i].to - slices[i].from);
    }
    ret->slots = slots;
    ret->slices = slices;
    ret->slice_count = table->count;
    return true;
}
