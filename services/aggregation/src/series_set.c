#include "series_set.h"

#include "alm/id_order.h"

typedef struct builder {
    alm_query_run *run;
    alm_series_set *set;
    size_t cap, groups_cap, asked_cap, peers_cap;
    alm_cell_index index; // (place, 0) to series
} builder;

// Room for so many more series.
static alm_code reserve(builder *it, size_t count, alm_status *st)
{
    alm_series_set *set = it->set;
    alm_arena *arena = it->run->arena;
    void *places = set->places;
    void *groups = set->groups;
    void *asked = set->is_asked;
    size_t all = set->count + count;
    if (!alm_arena_grow(arena, &places, &it->cap, all, sizeof *set->places) ||
        !alm_arena_grow(arena, &groups, &it->groups_cap, all, sizeof *set->groups) ||
        !alm_arena_grow(arena, &asked, &it->asked_cap, all, sizeof *set->is_asked)) {
        return alm_query_run_no_memory(st);
    }
    set->places = places;
    set->groups = groups;
    set->is_asked = asked;
    return ALM_OK;
}

// There is room for it.
static void put_series(builder *it, alm_place_id place, uint32_t group, bool is_asked)
{
    alm_series_set *set = it->set;
    set->places[set->count] = place;
    set->groups[set->count] = group;
    set->is_asked[set->count++] = is_asked;
}

// Adds a place, or a group of a roll-up, unless it is there.
static alm_code add_series(builder *it, alm_place_id place, uint32_t group, bool is_asked,
                           alm_status *st)
{
    uint32_t fresh = (uint32_t)it->set->count;
    uint32_t at;
    ALM_TRY(alm_cell_index_add(&it->index, place, 0, fresh, &at, st));
    if (at != fresh) {
        it->set->is_asked[at] |= is_asked;
        return ALM_OK;
    }
    ALM_TRY(reserve(it, 1, st));
    put_series(it, place, group, is_asked);
    return ALM_OK;
}

static alm_code add_peer_group(builder *it, size_t first, bool is_outside, alm_status *st)
{
    if (first == it->set->count) {
        return ALM_OK;
    }
    alm_series_set *set = it->set;
    void *peers = set->peers;
    if (!alm_arena_grow(it->run->arena, &peers, &it->peers_cap, set->peer_group_count + 1,
                        sizeof(set->peers[0]))) {
        return alm_query_run_no_memory(st);
    }
    set->peers = peers;
    set->peers[set->peer_group_count++] =
        (alm_peer_group){(uint32_t)first, (uint32_t)(set->count - first), is_outside};
    return ALM_OK;
}

// An asked place with its siblings, unless they are there.
static alm_code add_with_siblings(builder *it, alm_place_id place, alm_status *st)
{
    alm_query_run *run = it->run;
    size_t first = it->set->count;
    uint32_t known = alm_cell_index_find(&it->index, place, 0);
    if (known != ALM_CELL_NONE) {
        it->set->is_asked[known] = 1;
        return ALM_OK;
    }
    alm_place_list siblings;
    ALM_TRY(
        alm_place_tree_siblings(run->plan->tree, place, ALM_DATE_NONE, run->arena, &siblings, st));
    for (size_t i = 0; i < siblings.count; i++) {
        ALM_TRY(add_series(it, siblings.ids[i], UINT32_MAX, siblings.ids[i] == place, st));
    }
    return add_peer_group(it, first, false, st);
}

// Those that are asked, each once.
static alm_code add_asked(builder *it, alm_status *st)
{
    const alm_place_list *places = &it->run->plan->places;
    ALM_TRY(reserve(it, places->count, st));
    for (size_t i = 0; i < places->count; i++) {
        put_series(it, places->ids[i], UINT32_MAX, true);
    }
    return ALM_OK;
}

// Peers that are named are one group; what is asked beside them is no peer. Both are lists of
// places that are there once.
static alm_code add_named_peers(builder *it, alm_status *st)
{
    const alm_query_plan *plan = it->run->plan;
    uint8_t *is_peer = alm_arena_calloc(it->run->arena, plan->places.count, 1);
    if (is_peer == NULL) {
        return alm_query_run_no_memory(st);
    }
    ALM_TRY(reserve(it, plan->peers.count + plan->places.count, st));
    for (size_t i = 0; i < plan->peers.count; i++) {
        uint32_t at = alm_query_plan_place_index(plan, plan->peers.ids[i]);
        put_series(it, plan->peers.ids[i], UINT32_MAX, at != ALM_PLACE_NONE);
        if (at != ALM_PLACE_NONE) {
            is_peer[at] = 1;
        }
    }
    ALM_TRY(add_peer_group(it, 0, false, st));
    size_t first = it->set->count;
    for (size_t i = 0; i < plan->places.count; i++) {
        if (!is_peer[i]) {
            put_series(it, plan->places.ids[i], UINT32_MAX, true);
        }
    }
    return add_peer_group(it, first, true, st);
}

static bool are_siblings(const alm_place_tree *tree, alm_place_id a, alm_place_id b)
{
    alm_level level = alm_place_tree_get(tree, a)->level;
    return a == b || (level != ALM_LEVEL_LOCAL && level == alm_place_tree_get(tree, b)->level &&
                      alm_place_tree_parent(tree, a) == alm_place_tree_parent(tree, b));
}

// The groups of a roll-up; peers of one are those that are rolled up with it.
static alm_code add_groups(builder *it, bool is_ranked, alm_status *st)
{
    const alm_rollup_groups *groups = it->run->groups;
    const alm_place_tree *tree = it->run->plan->tree;
    for (uint32_t g = 0; g < groups->count; g++) {
        size_t first = it->set->count;
        if (!is_ranked) {
            ALM_TRY(add_series(it, groups->places[g], g, true, st));
            continue;
        }
        if (alm_cell_index_find(&it->index, groups->places[g], 0) != ALM_CELL_NONE) {
            continue;
        }
        for (uint32_t other = g; other < groups->count; other++) {
            if (are_siblings(tree, groups->places[g], groups->places[other])) {
                ALM_TRY(add_series(it, groups->places[other], other, true, st));
            }
        }
        ALM_TRY(add_peer_group(it, first, false, st));
    }
    return ALM_OK;
}

alm_code alm_series_set_make(alm_query_run *run, alm_series_set *ret, alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    bool is_ranked = alm_query_plan_ranks(plan);
    // In the arena: its index is released with it.
    builder *it = alm_arena_calloc(run->arena, 1, sizeof *it);
    *ret = (alm_series_set){0};
    if (it == NULL) {
        return alm_query_run_no_memory(st);
    }
    it->run = run;
    it->set = ret;
    ALM_TRY(alm_cell_index_init(&it->index, run->arena, st));
    if (run->groups != NULL && plan->has_whole) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "shares and contributions do not go with rollup: what a group is a "
                              "part of is not rolled up with it");
    }
    if (run->groups != NULL && plan->peers.count > 0) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "the peers of what is rolled up are those rolled up with it; they "
                              "cannot be named");
    }
    bool is_named = plan->peers.count > 0;
    bool is_among_siblings = is_ranked && !is_named && run->groups == NULL;
    if (is_named) {
        ALM_TRY(add_named_peers(it, st));
    }
    if (run->groups != NULL) {
        ALM_TRY(add_groups(it, is_ranked, st));
    }
    if (run->groups == NULL && !is_ranked) {
        ALM_TRY(add_asked(it, st));
    }
    for (size_t i = 0; is_among_siblings && i < plan->places.count; i++) {
        ALM_TRY(add_with_siblings(it, plan->places.ids[i], st));
    }
    ret->source_count = ret->count;
    if (run->groups == NULL) {
        ret->groups = NULL;
    }
    return ALM_OK;
}

// Where a part that begins at `first` ends.
static size_t part_end(const alm_series_set *set, size_t first, size_t most)
{
    size_t end = first;
    if (set->peers == NULL) {
        return ALM_MIN(first + ALM_MAX(most, (size_t)1), set->count);
    }
    for (size_t i = 0; i < set->peer_group_count; i++) {
        const alm_peer_group *peers = &set->peers[i];
        bool fits = end == first || (size_t)peers->first + peers->count - first <= most;
        if (peers->first >= first && fits) {
            end = (size_t)peers->first + peers->count;
        } else if (peers->first >= first) {
            break;
        }
    }
    return end;
}

// The place of what a place's value is a share of; NONE: there is none.
static alm_place_id whole_place(const alm_query_plan *plan, alm_place_id place)
{
    if (plan->whole_place != ALM_PLACE_NONE) {
        return plan->whole_place;
    }
    return plan->whole != NULL ? place : alm_place_tree_parent(plan->tree, place);
}

static alm_code add_wholes(const alm_query_run *run, alm_series_set *set, alm_arena *arena,
                           alm_status *st)
{
    alm_cell_index *index = alm_arena_alloc(arena, sizeof *index);
    alm_place_id *places = alm_arena_calloc(arena, set->count * 2, sizeof *places);
    set->whole_of = alm_arena_calloc(arena, set->count, sizeof *set->whole_of);
    if (index == NULL || places == NULL || set->whole_of == NULL) {
        return alm_query_run_no_memory(st);
    }
    memcpy(places, set->places, set->count * sizeof *places);
    ALM_TRY(alm_cell_index_init(index, arena, st));
    for (uint32_t s = 0; s < set->count; s++) {
        uint32_t ignored;
        ALM_TRY(alm_cell_index_add(index, places[s], 0, s, &ignored, st));
    }
    for (size_t s = 0; s < set->count; s++) {
        alm_place_id parent = whole_place(run->plan, places[s]);
        uint32_t fresh = (uint32_t)set->source_count;
        set->whole_of[s] = UINT32_MAX;
        if (parent == ALM_PLACE_NONE) {
            continue;
        }
        ALM_TRY(alm_cell_index_add(index, parent, 0, fresh, &set->whole_of[s], st));
        if (set->whole_of[s] == fresh) {
            places[set->source_count++] = parent;
        }
    }
    set->places = places;
    return ALM_OK;
}

alm_code alm_series_set_part(const alm_query_run *run, const alm_series_set *set, size_t first,
                             size_t most, alm_arena *arena, alm_series_set *ret, size_t *ret_next,
                             alm_status *st)
{
    size_t end = part_end(set, first, most);
    *ret = (alm_series_set){
        .places = set->places + first,
        .groups = set->groups == NULL ? NULL : set->groups + first,
        .count = end - first,
        .source_count = end - first,
        .is_asked = set->is_asked + first,
    };
    *ret_next = end;
    if (run->plan->has_whole) {
        ALM_TRY(add_wholes(run, ret, arena, st));
    }
    if (set->peers == NULL) {
        return ALM_OK;
    }
    ret->peers = alm_arena_calloc(arena, set->peer_group_count, sizeof *ret->peers);
    if (ret->peers == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = 0; i < set->peer_group_count; i++) {
        alm_peer_group peers = set->peers[i];
        if (peers.first >= first && peers.first < end) {
            peers.first -= (uint32_t)first;
            ret->peers[ret->peer_group_count++] = peers;
        }
    }
    return ALM_OK;
}

alm_code alm_series_set_places(alm_query_run *run, const alm_series_set *set, alm_place_list *ret,
                               alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    alm_place_id *ids = alm_arena_calloc(run->arena, set->count * 2, sizeof *ids);
    if (ids == NULL) {
        return alm_query_run_no_memory(st);
    }
    size_t count = 0;
    for (size_t s = 0; s < set->count; s++) {
        alm_place_id parent = plan->has_whole ? whole_place(plan, set->places[s]) : ALM_PLACE_NONE;
        ids[count++] = set->places[s];
        if (parent != ALM_PLACE_NONE) {
            ids[count++] = parent;
        }
    }
    *ret = (alm_place_list){.ids = ids, .count = alm_ids_unique(ids, count)};
    return ALM_OK;
}
