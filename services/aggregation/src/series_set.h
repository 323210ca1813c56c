// Which series are computed for the places that are asked: their peers with them, of a rank; the
// places they are parts of, of a share; groups in their stead, of a roll-up.
#ifndef ALM_SERIES_SET_H
#define ALM_SERIES_SET_H

#include "query_run.h"

// Series that are ranked among each other, next to each other in the set.
typedef struct alm_peer_group {
    uint32_t first, count;
    bool is_outside; // these are asked, and no peers of anybody
} alm_peer_group;

typedef struct alm_series_set {
    alm_place_id *places; // of every series
    uint32_t *groups;     // of every series of a roll-up: its group; else NULL
    size_t source_count;  // of all; those behind `count` are wholes only
    size_t count;         // that are computed to the end
    uint8_t *is_asked;    // of each of these
    uint32_t *whole_of; // of each: the series of its parent place; UINT32_MAX: none. NULL: no share
    alm_peer_group *peers; // NULL: no rank
    size_t peer_group_count;
} alm_series_set;

// Every series of the question. In the run's arena.
//
// ALM_FAILED_PRECONDITION  a share of a roll-up, peers of a roll-up that are named
ALM_MUST_USE alm_code alm_series_set_make(alm_query_run *run, alm_series_set *ret, alm_status *st);

// A part of the set: from series `first` on, as many as hold at most so many, whole peer groups, at
// least one. *ret_next: where the next part begins.
ALM_MUST_USE alm_code alm_series_set_part(const alm_query_run *run, const alm_series_set *set,
                                          size_t first, size_t most, alm_arena *arena,
                                          alm_series_set *ret, size_t *ret_next, alm_status *st);

// The places of all series, each once, ascending. In the run's arena.
ALM_MUST_USE alm_code alm_series_set_places(alm_query_run *run, const alm_series_set *set,
                                            alm_place_list *ret, alm_status *st);

#endif
