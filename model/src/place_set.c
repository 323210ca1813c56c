#include "place_set.h"

#include "alm/alloc.h"

#include "place_runs.h"

#include <stdlib.h>

alm_code place_set_init(place_set *set, const alm_place_tree *tree, alm_status *st)
{
    set->bits = alm_calloc(tree->count / 64 + 1, sizeof *set->bits);
    if (set->bits == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a set of places");
    }
    return ALM_OK;
}

void place_set_deinit(place_set *set)
{
    alm_free(set->bits);
    set->bits = NULL;
}

bool place_set_add(place_set *set, alm_place_id id)
{
    uint64_t bit = UINT64_C(1) << (id % 64);
    bool is_new = (set->bits[id / 64] & bit) == 0;
    set->bits[id / 64] |= bit;
    return is_new;
}

alm_code place_list_make(alm_arena *arena, size_t cap, alm_place_list *ret, alm_status *st)
{
    alm_place_id *ids = alm_arena_calloc(arena, cap, sizeof *ids);
    if (ids == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a list of %zu places",
                              cap);
    }
    *ret = (alm_place_list){.ids = ids};
    return ALM_OK;
}

static alm_code list_runs(const alm_place_tree *tree, const place_runs *runs, alm_date day,
                          alm_arena *arena, alm_place_list *ret, alm_status *st)
{
    alm_place_list list;
    ALM_TRY(place_list_make(arena, runs->place_count, &list, st));
    for (size_t i = 0; i < runs->count; i++) {
        const place_run *run = &runs->run[i];
        for (size_t k = 0; k < run->count; k++) {
            if (alm_place_valid_on(&tree->places[run->ids[k]], day)) {
                list.ids[list.count++] = run->ids[k];
            }
        }
    }
    *ret = list;
    return ALM_OK;
}

static void assert_place(const alm_place_tree *tree, alm_place_id id)
{
    ALM_ASSERT(tree->finished);
    ALM_ASSERT(id < tree->count);
}

alm_code alm_place_tree_children(const alm_place_tree *tree, alm_place_id id, alm_date day,
                                 alm_arena *arena, alm_place_list *ret, alm_status *st)
{
    assert_place(tree, id);
    place_runs runs = place_runs_children(tree, id, ALM_LEVEL_NONE);
    return list_runs(tree, &runs, day, arena, ret, st);
}

alm_code alm_place_tree_descendants(const alm_place_tree *tree, alm_place_id id, alm_level level,
                                    alm_date day, alm_arena *arena, alm_place_list *ret,
                                    alm_status *st)
{
    assert_place(tree, id);
    place_runs runs = place_runs_descendants(tree, id, level);
    return list_runs(tree, &runs, day, arena, ret, st);
}

alm_code alm_place_tree_siblings(const alm_place_tree *tree, alm_place_id id, alm_date day,
                                 alm_arena *arena, alm_place_list *ret, alm_status *st)
{
    assert_place(tree, id);
    place_runs runs = place_runs_siblings(tree, id);
    return list_runs(tree, &runs, day, arena, ret, st);
}

// A place on the way from one that ended to those that came after it.
typedef struct heir {
    uint64_t order; // by level, then tree order
    alm_place_id id;
} heir;

typedef struct heirs {
    heir *at;
    size_t count;
    size_t cap;
} heirs;

static bool push(const alm_place_tree *tree, alm_place_id id, heirs *list)
{
    if (list->count == list->cap) {
        size_t cap = ALM_MAX(list->cap * 2, (size_t)16);
        heir *at = alm_realloc(list->at, cap * sizeof *at);
        if (at == NULL) {
            return false;
        }
        list->at = at;
        list->cap = cap;
    }
    uint64_t order = (uint64_t)tree->places[id].level << 32 | tree->nodes[id].at;
    list->at[list->count++] = (heir){order, id};
    return true;
}

// The list is its own queue. Who has not ended by the day is not followed: it is valid, or not yet.
static bool follow(const alm_place_tree *tree, alm_place_id id, alm_date day, place_set *seen,
                   heirs *list)
{
    place_set_add(seen, id);
    bool ok = push(tree, id, list);
    for (size_t i = 0; ok && i < list->count; i++) {
        const alm_place *place = &tree->places[list->at[i].id];
        bool ended = day != ALM_DATE_NONE && place->valid_to < day;
        for (size_t k = 0; ok && ended && k < place->successor_count; k++) {
            alm_place_id next = alm_place_tree_find(tree, place->successors[k]);
            ALM_ASSERT(next != ALM_PLACE_NONE);
            ok = !place_set_add(seen, next) || push(tree, next, list);
        }
    }
    return ok;
}

static int cmp_heir(const void *a, const void *b)
{
    uint64_t x = ((const heir *)a)->order;
    uint64_t y = ((const heir *)b)->order;
    return (x > y) - (x < y);
}

alm_code alm_place_tree_successors(const alm_place_tree *tree, alm_place_id id, alm_date day,
                                   alm_arena *arena, alm_place_list *ret, alm_status *st)
{
    assert_place(tree, id);
    place_set seen;
    ALM_TRY(place_set_init(&seen, tree, st));
    heirs list = {0};
    alm_place_list valid;
    alm_code code = ALM_OK;
    if (!follow(tree, id, day, &seen, &list)) {
        code = alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to follow successors");
        goto done;
    }
    qsort(list.at, list.count, sizeof *list.at, cmp_heir);
    code = place_list_make(arena, list.count, &valid, st);
    if (code != ALM_OK) {
        goto done;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (alm_place_valid_on(&tree->places[list.at[i].id], day)) {
            valid.ids[valid.count++] = list.at[i].id;
        }
    }
    *ret = valid;
done:
    alm_free(list.at);
    place_set_deinit(&seen);
    return code;
}
