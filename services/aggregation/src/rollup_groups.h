// Which places a roll-up adds into which: every member belongs to one group.
#ifndef ALM_ROLLUP_GROUPS_H
#define ALM_ROLLUP_GROUPS_H

#include "alm/slice_totals.h"
#include "query_plan.h"

typedef struct alm_rollup_groups {
    const alm_place_tree *tree;
    alm_place_id *places; // of group g
    size_t count;
    uint32_t *first;       // count + 1 of them: the members of g are first[g] .. first[g + 1] - 1
    alm_place_id *members; // by group
    size_t member_count;
    uint32_t *group_of;  // by member
    uint32_t *member_of; // by place id: 1 + index into members; 0: no member
    uint32_t *unbounded; // by group: members that always were and still are
    uint32_t *bounded;   // members with a first or last day
    uint8_t *is_bounded; // the same, by member
    size_t bounded_count;
    alm_place_id *ids;       // members' places, ascending
    alm_total_groups totals; // the groups as storage is asked for their totals, in no unit yet
} alm_rollup_groups;

// The plan's places grouped under their ancestors of plan->group_by, or, without a level, each
// place over its children (local places are left out: they lie inside others).
//
// ALM_INVALID_ARGUMENT  a place has no ancestor of the level; a member lies inside another, or a
// local
//                       place stands beside others: values would count twice
ALM_MUST_USE alm_code alm_rollup_groups_make(const alm_query_plan *plan, alm_arena *arena,
                                             alm_rollup_groups *ret, alm_status *st);
// The same, kept with the plan's catalogue, or in the arena.
ALM_MUST_USE alm_code alm_rollup_groups_find(const alm_query_plan *plan, alm_arena *arena,
                                             const alm_rollup_groups **ret, alm_status *st);

static inline bool alm_rollup_member_valid(const alm_rollup_groups *groups, uint32_t member,
                                           alm_date day)
{
    return alm_place_valid_on(alm_place_tree_get(groups->tree, groups->members[member]), day);
}

// How many members each group has on the day; ret has count elements.
void alm_rollup_groups_expected(const alm_rollup_groups *groups, alm_date day, uint32_t *ret);

#endif
