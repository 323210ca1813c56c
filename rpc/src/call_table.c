#include "call_table.h"

#include "alm/alloc.h"

#define NONE         UINT32_MAX
#define SLOT_CAP_MIN 16u
#define SLOT_CAP_MAX (1u << 20)

void alm_call_table_init(alm_call_table *table, uint32_t generation_first)
{
    *table = (alm_call_table){.free_first = NONE, .generation_first = generation_first};
}

void alm_call_table_deinit(alm_call_table *table)
{
    ALM_ASSERT(table->used_count == 0);
    alm_free(table->slots);
    alm_call_table_init(table, table->generation_first);
}

// Generation 0 is left out, so that no id is 0.
static uint32_t next_generation(uint32_t generation)
{
    return generation == UINT32_MAX ? 1 : generation + 1;
}

static bool grow(alm_call_table *table)
{
    uint32_t cap = ALM_MAX(table->slot_cap * 2, SLOT_CAP_MIN);
    if (cap > SLOT_CAP_MAX) {
        return false;
    }
    alm_call_slot *slots = alm_realloc(table->slots, cap * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    table->slots = slots;
    table->slot_cap = cap;
    return true;
}

bool alm_call_table_add(alm_call_table *table, void *call, uint64_t *ret_id)
{
    ALM_ASSERT(call != NULL);
    uint32_t at = table->free_first;
    if (at != NONE) {
        table->free_first = table->slots[at].free_next;
    } else {
        if (table->slot_count == table->slot_cap && !grow(table)) {
            return false;
        }
        at = table->slot_count++;
        table->slots[at] = (alm_call_slot){.generation = next_generation(table->generation_first)};
    }
    table->slots[at].call = call;
    table->used_count++;
    *ret_id = (uint64_t)table->slots[at].generation << 32 | at;
    return true;
}

static alm_call_slot *slot_of(const alm_call_table *table, uint64_t id)
{
    uint32_t at = (uint32_t)id;
    if (at >= table->slot_count || table->slots[at].generation != (uint32_t)(id >> 32)) {
        return NULL;
    }
    return &table->slots[at];
}

void *alm_call_table_find(const alm_call_table *table, uint64_t id)
{
    const alm_call_slot *slot = slot_of(table, id);
    return slot != NULL ? slot->call : NULL;
}

void alm_call_table_remove(alm_call_table *table, uint64_t id)
{
    alm_call_slot *slot = slot_of(table, id);
    ALM_ASSERT(slot != NULL && slot->call != NULL);
    slot->call = NULL;
    slot->generation = next_generation(slot->generation);
    slot->free_next = table->free_first;
    table->free_first = (uint32_t)id;
    table->used_count--;
}
