#include "id_map.h"

#include "alm/alloc.h"
#include "rpc_internal.h"

#define CAP_MIN   ((size_t)16)
#define SHIFT_MAX 60

void alm_id_map_init(alm_id_map *map, uint64_t seed)
{
    *map = (alm_id_map){.multiplier = alm_mix64(seed) | 1};
}

void alm_id_map_deinit(alm_id_map *map)
{
    ALM_ASSERT(map->count == 0);
    alm_free(map->slots);
    *map = (alm_id_map){.multiplier = map->multiplier};
}

// The top of a product with a random odd number (Dietzfelbinger et al. 1997, multiply-shift).
static size_t home_of(const alm_id_map *map, uint64_t id)
{
    return (size_t)(id * map->multiplier >> map->shift);
}

// Where the id is, or the free slot where it would be. There is always a free one.
static size_t find_slot(const alm_id_map *map, uint64_t id)
{
    size_t at = home_of(map, id);
    while (map->slots[at].value != NULL && map->slots[at].id != id) {
        at = (at + 1) & (map->cap - 1);
    }
    return at;
}

static bool grow(alm_id_map *map)
{
    alm_id_map larger = {.cap = ALM_MAX(map->cap * 2, CAP_MIN), .multiplier = map->multiplier};
    larger.shift = map->cap != 0 ? map->shift - 1 : SHIFT_MAX;
    larger.slots = alm_calloc(larger.cap, sizeof *larger.slots);
    if (larger.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < map->cap; i++) {
        if (map->slots[i].value != NULL) {
            larger.slots[find_slot(&larger, map->slots[i].id)] = map->slots[i];
        }
    }
    larger.count = map->count;
    alm_free(map->slots);
    *map = larger;
    return true;
}

bool alm_id_map_add(alm_id_map *map, uint64_t id, void *value)
{
    ALM_ASSERT(value != NULL);
    if (map->count * 2 >= map->cap && !grow(map)) {
        return false;
    }
    size_t at = find_slot(map, id);
    ALM_ASSERT(map->slots[at].value == NULL);
    map->slots[at] = (alm_id_slot){.id = id, .value = value};
    map->count++;
    return true;
}

void *alm_id_map_find(const alm_id_map *map, uint64_t id)
{
    return map->count > 0 ? map->slots[find_slot(map, id)].value : NULL;
}

// What follows moves up, as far as its home allows, so that no search ends too early.
void alm_id_map_remove(alm_id_map *map, uint64_t id)
{
    size_t mask = map->cap - 1;
    size_t hole = find_slot(map, id);
    ALM_ASSERT(map->slots[hole].value != NULL);
    for (size_t at = (hole + 1) & mask; map->slots[at].value != NULL; at = (at + 1) & mask) {
        size_t home = home_of(map, map->slots[at].id);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (alm_id_slot){0};
    map->count--;
}
