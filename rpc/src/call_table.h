// The calls of one connection by id. An id is a slot's number and the slot's generation, which
// changes when the slot is freed, so that a late answer never meets the slot's next call.
#ifndef ALM_RPC_CALL_TABLE_H
#define ALM_RPC_CALL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct alm_call_slot {
    void *call; // NULL: free
    uint32_t generation;
    uint32_t free_next;
} alm_call_slot;

typedef struct alm_call_table {
    alm_call_slot *slots;
    uint32_t slot_count; // in use or on the free list
    uint32_t slot_cap;
    uint32_t free_first;
    uint32_t used_count;
    uint32_t generation_first; // random, so that tables of other times use other ids
} alm_call_table;

void alm_call_table_init(alm_call_table *table, uint32_t generation_first);
void alm_call_table_deinit(alm_call_table *table);

// False: no memory. call: not NULL. *ret_id is never 0.
bool alm_call_table_add(alm_call_table *table, void *call, uint64_t *ret_id);
void *alm_call_table_find(const alm_call_table *table, uint64_t id); // NULL: not there (any more)
void alm_call_table_remove(alm_call_table *table, uint64_t id);      // must be there (asserted)

#endif
