// Objects by a 64-bit id that somebody else chose: open addressing, no allocation once it is as
// large as it needs to be.
#ifndef ALM_RPC_ID_MAP_H
#define ALM_RPC_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct alm_id_slot {
    uint64_t id;
    void *value; // NULL: free
} alm_id_slot;

typedef struct alm_id_map {
    alm_id_slot *slots;
    size_t cap;     // 0 or a power of two,
    unsigned shift; // 64 less its logarithm
    size_t count;
    uint64_t multiplier; // odd, and a secret: who chooses the ids cannot choose collisions
} alm_id_map;

void alm_id_map_init(alm_id_map *map, uint64_t seed);
void alm_id_map_deinit(alm_id_map *map); // empty (asserted)

// value: not NULL; id: not there yet (asserted). False: no memory.
bool alm_id_map_add(alm_id_map *map, uint64_t id, void *value);
void *alm_id_map_find(const alm_id_map *map, uint64_t id); // NULL: not there
void alm_id_map_remove(alm_id_map *map, uint64_t id);      // must be there (asserted)

#endif
