#include "place_runs.h"

#include "alm/alloc.h"

static void add_run(place_runs *runs, place_run run)
{
    if (run.count > 0) {
        ALM_ASSERT(runs->count < ALM_ARRAY_LEN(runs->run));
        runs->run[runs->count++] = run;
        runs->place_count += run.count;
    }
}

// The first index in [from, to) of by_level, all of one level, whose tree position is at least
// `at`.
static size_t lower_bound(const alm_place_tree *tree, size_t from, size_t to, uint32_t at)
{
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (tree->nodes[tree->by_level[middle]].at < at) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

// Places of a level whose positions are in [at, end).
static place_run interval_of(const alm_place_tree *tree, size_t level, uint32_t at, uint32_t end)
{
    size_t from = lower_bound(tree, tree->level_from[level], tree->level_from[level + 1], at);
    size_t to = lower_bound(tree, from, tree->level_from[level + 1], end);
    return (place_run){tree->by_level + from, to - from};
}

// All children of a slot: of a place, or the roots for tree->count.
static place_run kids_of(const alm_place_tree *tree, size_t slot)
{
    size_t from = tree->nodes[slot].kids;
    size_t to = slot == tree->count ? tree->count : tree->nodes[slot + 1].kids;
    return (place_run){tree->kids + from, to - from};
}

// Children stand by level, so those of one level are a run in the run.
static place_run narrow(const alm_place_tree *tree, place_run run, alm_level level)
{
    size_t from = 0;
    while (from < run.count && tree->places[run.ids[from]].level < level) {
        from++;
    }
    size_t to = from;
    while (to < run.count && tree->places[run.ids[to]].level == level) {
        to++;
    }
    return (place_run){run.ids + from, to - from};
}

place_runs place_runs_itself(const alm_place_tree *tree, alm_place_id id)
{
    place_runs runs = {.count = 0};
    uint32_t at = tree->nodes[id].at;
    add_run(&runs, interval_of(tree, tree->places[id].level, at, at + 1));
    return runs;
}

place_runs place_runs_children(const alm_place_tree *tree, alm_place_id id, alm_level level)
{
    place_runs runs = {.count = 0};
    place_run kids = kids_of(tree, id);
    add_run(&runs, level == ALM_LEVEL_NONE ? kids : narrow(tree, kids, level));
    return runs;
}

place_runs place_runs_descendants(const alm_place_tree *tree, alm_place_id id, alm_level level)
{
    place_runs runs = {.count = 0};
    const place_node *node = &tree->nodes[id];
    for (size_t i = tree->places[id].level + 1; i <= LEVEL_NUMBER_MAX; i++) {
        if (level == ALM_LEVEL_NONE || i == level) {
            add_run(&runs, interval_of(tree, i, node->at, node->end));
        }
    }
    return runs;
}

place_runs place_runs_siblings(const alm_place_tree *tree, alm_place_id id)
{
    if (tree->places[id].level == ALM_LEVEL_LOCAL) {
        return place_runs_itself(tree, id);
    }
    place_runs runs = {.count = 0};
    alm_place_id parent = tree->nodes[id].parent;
    place_run kids = kids_of(tree, parent == ALM_PLACE_NONE ? tree->count : parent);
    add_run(&runs, narrow(tree, kids, tree->places[id].level));
    return runs;
}
