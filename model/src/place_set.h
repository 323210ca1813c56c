// A set of places: one bit a place of the tree. On the heap, since what a request's arena keeps is
// only the list that comes out. Internal to model/.
#ifndef ALM_MODEL_PLACE_SET_H
#define ALM_MODEL_PLACE_SET_H

#include "alm/place.h"

typedef struct place_set {
    uint64_t *bits;
} place_set;

ALM_MUST_USE alm_code place_set_init(place_set *set, const alm_place_tree *tree, alm_status *st);
void place_set_deinit(place_set *set);
bool place_set_add(place_set *set, alm_place_id id); // false: it was there

// A list with room for cap places, empty yet.
ALM_MUST_USE alm_code place_list_make(alm_arena *arena, size_t cap, alm_place_list *ret,
                                      alm_status *st);

#endif
