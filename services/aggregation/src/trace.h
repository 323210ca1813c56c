// How an answer came about, noted while its grids are there: a tree in reading order, from the
// answer down to what was published.
//
// Threading: a trace belongs to one thread. Lifetime: texts and nodes live in the trace's arena.
#ifndef ALM_TRACE_H
#define ALM_TRACE_H

#include "variant_table.h"

#include "alm/grid.h"

#define ALM_TRACE_NODE_COUNT_MAX 1000 // the rest are counted
#define ALM_TRACE_LIST_COUNT_MAX 100  // members, peers or periods of one step; likewise

typedef enum alm_trace_kind {
    ALM_TRACE_COMPUTED,
    ALM_TRACE_PART,        // of a formula: computed, and no cell of an indicator
    ALM_TRACE_OBSERVATION, // a cell as it was published
    ALM_TRACE_MISSING,     // nothing was
    ALM_TRACE_REMARK,
} alm_trace_kind;

// Which cell a node is of. Texts as variants have them.
typedef struct alm_trace_cell {
    alm_str indicator, breakdown, relation;
    alm_measure measure;
    alm_accumulation accumulation; // NONE: either
    alm_place_id place;
    alm_period period;
} alm_trace_cell;

typedef struct alm_trace_words {
    const char *zh, *en;
} alm_trace_words;

typedef struct alm_trace_node {
    alm_trace_kind kind;
    uint32_t depth; // 0: an answer, whose tree ends where the next begins
    alm_trace_cell cell;
    alm_trace_words words; // COMPUTED: by what; PART: which; REMARK: itself
    alm_value value;
    alm_interval interval;
    // OBSERVATION:
    alm_unit unit; // it is computed on in
    uint32_t source;
    alm_date published;
    uint64_t sequence;
    alm_str note;
} alm_trace_node;

typedef struct alm_trace {
    alm_arena *arena;
    alm_trace_node *nodes;
    size_t count, cap;
    uint32_t depth; // of the next node
} alm_trace;

// Copies the node, at the depth of the trace.
//
// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code alm_trace_add(alm_trace *it, const alm_trace_node *node, alm_status *st);

// Says of which cell an answer is, whose node is there.
ALM_MUST_USE alm_code alm_trace_rename(alm_trace *it, size_t node, const alm_trace_cell *cell,
                                       alm_status *st);

ALM_MUST_USE alm_code alm_trace_observation(alm_trace *it, const alm_trace_cell *cell,
                                            const alm_obs *obs, alm_unit unit, alm_status *st);
ALM_MUST_USE alm_code alm_trace_missing(alm_trace *it, const alm_trace_cell *cell, alm_status *st);
// A cell of a grid, in `unit`.
ALM_MUST_USE alm_code alm_trace_computed(alm_trace *it, const alm_trace_cell *cell,
                                         alm_trace_words words, const alm_grid *grid, size_t at,
                                         alm_unit unit, alm_status *st);

// The cell of a variant.
alm_trace_cell alm_trace_cell_of(const alm_variant_entry *entry, alm_place_id place,
                                 alm_period period);

// What may be many: the first are noted, the rest counted.
typedef struct alm_trace_list {
    size_t noted, more;
} alm_trace_list;
// Is one more to be noted? Else it was counted.
bool alm_trace_list_takes(const alm_trace *it, alm_trace_list *list);
// Says how many were not noted.
ALM_MUST_USE alm_code alm_trace_list_end(alm_trace *it, const alm_trace_list *list, alm_status *st);

#endif
