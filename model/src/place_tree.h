// How a place tree is laid out. Internal to model/.
//
// Tree order is pre-order, siblings by level and then by the bytes of their codes. Every place has
// an interval [at, end) of positions in it, so that "within" is two comparisons and descendants of
// one level are one run of by_level. Levels rise strictly from parent to child, which rules out
// cycles and lets each pass below go level by level instead of recursing.
#ifndef ALM_MODEL_PLACE_TREE_H
#define ALM_MODEL_PLACE_TREE_H

#include "alm/place.h"

#include "name_index.h"

#define LEVEL_NUMBER_MAX ALM_LEVEL_LOCAL

typedef struct place_node {
    alm_place_id parent; // ALM_PLACE_NONE: a root
    uint32_t at;         // position in tree order
    uint32_t end;        // one past the position of the last descendant
    uint32_t kids;       // first child in tree->kids; the next node's is the end
} place_node;

struct alm_place_tree {
    alm_arena *texts; // strings and the arrays of strings
    alm_place *places;
    size_t count;
    size_t cap;
    name_index by_code;

    // Set by finish:
    bool finished;
    place_node *nodes;      // count + 1; the last stands for the parent of all roots
    alm_place_id *kids;     // children of each node in tree order, node after node
    alm_place_id *by_level; // all places by (level, tree order)
    uint32_t level_from[LEVEL_NUMBER_MAX + 2]; // where each level begins in by_level
    name_index by_name; // names and aliases; an entry added later is better by (level, tree order)
};

// The nearest code, name (with_names) or alias to a word nobody knows; ALM_PLACE_NONE if none is
// near. *ret_word is what was near.
alm_place_id place_tree_nearest(const alm_place_tree *tree, alm_str word, bool with_names,
                                alm_str *ret_word);

#endif
