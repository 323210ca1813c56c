// Which places a set is made of, as runs of the tree's own arrays, before validity is asked.
// Internal to model/.
#ifndef ALM_MODEL_PLACE_RUNS_H
#define ALM_MODEL_PLACE_RUNS_H

#include "place_tree.h"

typedef struct place_run {
    const alm_place_id *ids;
    size_t count;
} place_run;

// One after the other they are in the order (level, tree order), no place twice.
typedef struct place_runs {
    place_run run[LEVEL_NUMBER_MAX];
    size_t count;
    size_t place_count; // of all runs together
} place_runs;

// level NONE: every level.
place_runs place_runs_itself(const alm_place_tree *tree, alm_place_id id);
place_runs place_runs_children(const alm_place_tree *tree, alm_place_id id, alm_level level);
place_runs place_runs_descendants(const alm_place_tree *tree, alm_place_id id, alm_level level);
place_runs place_runs_siblings(const alm_place_tree *tree, alm_place_id id);

#endif
