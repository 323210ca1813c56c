#include "rollup_groups.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct pair {
    uint32_t group; // order in which groups are answered
    alm_place_id member;
} pair;

typedef struct builder {
    const alm_query_plan *plan;
    alm_arena *arena;
    alm_rollup_groups *groups;
    size_t group_cap;
    uint32_t *group_number; // by place id: 1 + group; 0: none
    pair *pairs;
    size_t pair_count, pair_cap;
    uint64_t levels; // bits: of members
} builder;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for the groups of a roll-up");
}

static alm_code number_group(builder *it, alm_place_id place, uint32_t *ret, alm_status *st)
{
    if (it->group_number[place] == 0) {
        void *places = it->groups->places;
        if (!alm_arena_grow(it->arena, &places, &it->group_cap, it->groups->count + 1,
                            sizeof(it->groups->places[0]))) {
            return no_memory(st);
        }
        it->groups->places = places;
        it->groups->places[it->groups->count++] = place;
        it->group_number[place] = (uint32_t)it->groups->count;
    }
    *ret = it->group_number[place] - 1;
    return ALM_OK;
}

static alm_code add_member(builder *it, uint32_t group, alm_place_id member, alm_status *st)
{
    void *pairs = it->pairs;
    if (!alm_arena_grow(it->arena, &pairs, &it->pair_cap, it->pair_count + 1, sizeof(pair))) {
        return no_memory(st);
    }
    it->pairs = pairs;
    it->pairs[it->pair_count++] = (pair){group, member};
    return ALM_OK;
}

static alm_code group_children(builder *it, alm_status *st)
{
    const alm_query_plan *plan = it->plan;
    for (size_t i = 0; i < plan->places.count; i++) {
        uint32_t group;
        alm_place_list children;
        ALM_TRY(number_group(it, plan->places.ids[i], &group, st));
        ALM_TRY(alm_place_tree_children(plan->tree, plan->places.ids[i], ALM_DATE_NONE, it->arena,
                                        &children, st));
        for (size_t k = 0; k < children.count; k++) {
            if (alm_place_tree_get(plan->tree, children.ids[k])->level != ALM_LEVEL_LOCAL) {
                ALM_TRY(add_member(it, group, children.ids[k], st));
            }
        }
    }
    return ALM_OK;
}

static alm_code group_under_level(builder *it, alm_status *st)
{
    const alm_query_plan *plan = it->plan;
    for (size_t i = 0; i < plan->places.count; i++) {
        alm_place_id place = plan->places.ids[i];
        alm_place_id above = alm_place_tree_at_level(plan->tree, place, plan->group_by);
        if (above == ALM_PLACE_NONE) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "group_by",
                                        "%.*s lies in no place of level %s",
                                        ALM_STR_ARGS(alm_place_tree_get(plan->tree, place)->code),
                                        alm_level_code(plan->group_by));
        }
        uint32_t group;
        ALM_TRY(number_group(it, above, &group, st));
        ALM_TRY(add_member(it, group, place, st));
    }
    return ALM_OK;
}

static int by_member(const void *a, const void *b)
{
    const pair *x = a;
    const pair *y = b;
    return x->member < y->member ? -1 : x->member > y->member;
}

// Places in the order of the tree nearly always have ascending ids.
static void sort_pairs(builder *it)
{
    size_t i = 1;
    while (i < it->pair_count && it->pairs[i - 1].member <= it->pairs[i].member) {
        i++;
    }
    if (i < it->pair_count) {
        qsort(it->pairs, it->pair_count, sizeof(pair), by_member);
    }
}

// The pairs as arrays by member and by group.
static alm_code lay_out(builder *it, alm_status *st)
{
    alm_rollup_groups *groups = it->groups;
    size_t count = it->pair_count;
    alm_arena *arena = it->arena;
    groups->member_count = count;
    groups->first = alm_arena_calloc(arena, groups->count + 1, sizeof *groups->first);
    groups->members = alm_arena_calloc(arena, count, sizeof *groups->members);
    groups->ids = alm_arena_calloc(arena, count, sizeof *groups->ids);
    groups->group_of = alm_arena_calloc(arena, count, sizeof *groups->group_of);
    groups->bounded = alm_arena_calloc(arena, count, sizeof *groups->bounded);
    groups->is_bounded = alm_arena_calloc(arena, count, sizeof *groups->is_bounded);
    uint32_t *filled = alm_arena_calloc(arena, groups->count, sizeof *filled); // by group
    groups->unbounded = alm_arena_calloc(arena, groups->count, sizeof *groups->unbounded);
    groups->member_of =
        alm_arena_calloc(arena, alm_place_tree_count(groups->tree), sizeof *groups->member_of);
    if (groups->first == NULL || groups->members == NULL || groups->ids == NULL ||
        groups->group_of == NULL || groups->bounded == NULL || groups->is_bounded == NULL ||
        groups->unbounded == NULL || groups->member_of == NULL || filled == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        groups->first[it->pairs[i].group + 1]++;
    }
    for (size_t g = 0; g < groups->count; g++) {
        groups->first[g + 1] += groups->first[g];
    }
    sort_pairs(it);
    for (size_t i = 0; i < count; i++) {
        pair p = it->pairs[i];
        const alm_place *place = alm_place_tree_get(groups->tree, p.member);
        uint32_t at = groups->first[p.group] + filled[p.group]++;
        bool is_unbounded = place->valid_from == ALM_DATE_NONE && place->valid_to == ALM_DATE_MAX;
        groups->ids[i] = p.member;
        groups->members[at] = p.member;
        groups->group_of[at] = p.group;
        groups->member_of[p.member] = at + 1;
        groups->is_bounded[at] = !is_unbounded;
        groups->unbounded[p.group] += is_unbounded;
        it->levels |= UINT64_C(1) << place->level;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (groups->is_bounded[i]) {
            groups->bounded[groups->bounded_count++] = i;
        }
    }
    return ALM_OK;
}

// Nothing may be counted twice: within a group no member lies inside another.
static alm_code check_disjoint(const builder *it, alm_status *st)
{
    const alm_rollup_groups *groups = it->groups;
    bool is_one_level = (it->levels & (it->levels - 1)) == 0;
    if (is_one_level && it->levels != UINT64_C(1) << ALM_LEVEL_LOCAL) {
        return ALM_OK;
    }
    for (size_t i = 0; i < groups->member_count; i++) {
        const alm_place *place = alm_place_tree_get(groups->tree, groups->members[i]);
        size_t group_size =
            groups->first[groups->group_of[i] + 1] - groups->first[groups->group_of[i]];
        if (place->level == ALM_LEVEL_LOCAL && group_size > 1) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "places",
                                        "%.*s is a local place and may overlap the other members; "
                                        "ask for members of one level, such as /**@town",
                                        ALM_STR_ARGS(place->code));
        }
        alm_place_id above = alm_place_tree_parent(groups->tree, groups->members[i]);
        for (; above != ALM_PLACE_NONE; above = alm_place_tree_parent(groups->tree, above)) {
            uint32_t other = groups->member_of[above];
            if (other != 0 && groups->group_of[other - 1] == groups->group_of[i]) {
                alm_str outer = alm_place_tree_get(groups->tree, above)->code;
                return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "places",
                                            "%.*s lies inside %.*s and both are members: its value "
                                            "would count twice",
                                            ALM_STR_ARGS(place->code), ALM_STR_ARGS(outer));
            }
        }
    }
    return ALM_OK;
}

// The members as storage is asked to add them up.
static alm_code make_ranges(const alm_rollup_groups *groups, alm_arena *arena,
                            alm_total_groups *ret, alm_status *st)
{
    size_t count = groups->member_count;
    alm_group_range *ranges = alm_arena_alloc(arena, count * sizeof *ranges);
    alm_member_span *spans = alm_arena_alloc(arena, groups->bounded_count * sizeof *spans);
    *ret = (alm_total_groups){
        .ranges = ranges, .group_count = (uint32_t)groups->count, .spans = spans};
    if (ranges == NULL || spans == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        alm_place_id place = groups->ids[i];
        uint32_t member = groups->member_of[place] - 1;
        uint32_t group = groups->group_of[member];
        alm_group_range *last = &ranges[ret->range_count - (ret->range_count > 0)];
        if (ret->range_count > 0 && last->to == place && last->group == group) {
            last->to++;
        } else {
            ranges[ret->range_count++] = (alm_group_range){place, place + 1, group};
        }
        if (groups->is_bounded[member]) {
            const alm_place *entry = alm_place_tree_get(groups->tree, place);
            spans[ret->span_count++] = (alm_member_span){place, entry->valid_from, entry->valid_to};
        }
    }
    return ALM_OK;
}

alm_code alm_rollup_groups_make(const alm_query_plan *plan, alm_arena *arena,
                                alm_rollup_groups *ret, alm_status *st)
{
    *ret = (alm_rollup_groups){.tree = plan->tree};
    builder it = {
        .plan = plan,
        .arena = arena,
        .groups = ret,
        .group_number =
            alm_arena_calloc(arena, alm_place_tree_count(plan->tree), sizeof *it.group_number),
    };
    if (it.group_number == NULL) {
        return no_memory(st);
    }
    if (plan->group_by == ALM_LEVEL_NONE) {
        ALM_TRY(group_children(&it, st));
    } else {
        ALM_TRY(group_under_level(&it, st));
    }
    ALM_TRY(lay_out(&it, st));
    ALM_TRY(check_disjoint(&it, st));
    return make_ranges(ret, arena, &ret->totals, st);
}

static alm_code work_groups(const void *arg, const alm_catalog *catalog, alm_arena *arena,
                            void **ret, alm_status *st)
{
    const alm_query_plan *plan = arg;
    alm_rollup_groups *groups = alm_arena_alloc(arena, sizeof *groups);
    (void)catalog;
    *ret = groups;
    return groups == NULL ? no_memory(st) : alm_rollup_groups_make(plan, arena, groups, st);
}

alm_code alm_rollup_groups_find(const alm_query_plan *plan, alm_arena *arena,
                                const alm_rollup_groups **ret, alm_status *st)
{
    const void *groups;
    char what[32];
    (void)snprintf(what, sizeof what, "groups %d", (int)plan->group_by);
    ALM_TRY(
        alm_query_plan_work(plan, what, plan->places_text, work_groups, plan, arena, &groups, st));
    *ret = groups;
    return ALM_OK;
}

void alm_rollup_groups_expected(const alm_rollup_groups *groups, alm_date day, uint32_t *ret)
{
    for (size_t g = 0; g < groups->count; g++) {
        ret[g] = groups->unbounded[g];
    }
    for (size_t i = 0; i < groups->bounded_count; i++) {
        uint32_t member = groups->bounded[i];
        ret[groups->group_of[member]] += alm_rollup_member_valid(groups, member, day);
    }
}
