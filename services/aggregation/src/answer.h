// The rows that answer one indicator's question: gathered, ordered, cut, then told to a sink.
#ifndef ALM_ANSWER_H
#define ALM_ANSWER_H

#include "alm/wire.h"
#include "cells.h"
#include "lone_series.h"
#include "query_plan.h"
#include "variant_table.h"

// Beyond what an observation carries. NULL: a published value as it is.
typedef struct alm_answer_extra {
    alm_interval interval; // of the value, in its unit
    bool computed;
    const char *reason; // "" or why there is no number, or what to mind
    uint32_t of_count, of_expected;
    const alm_row_pace *pace; // NULL: not of a target
} alm_answer_extra;

typedef struct alm_answer {
    alm_obs obs; // variant of the table; source NONE and published NONE where there was no input
    const alm_answer_extra *extra;
} alm_answer;

typedef struct alm_answers {
    alm_arena *arena;
    const alm_variant_table *variants;
    const alm_cells
        *cells; // published rows that are answers, all of them, before the others; or NULL
    const alm_lone_series *series; // they are these, and all rows there are; or NULL
    alm_answer **chunks;           // the others, ALM_ANSWER_CHUNK each
    size_t chunk_count, chunk_cap;
    size_t count;
} alm_answers;

// What rows that are told in columns have in common.
typedef struct alm_told_common {
    alm_str indicator, measure, breakdown, relation, transform;
    alm_accumulation accumulation;
    alm_unit unit;
    bool computed;
} alm_told_common;

// Where answers go. A failure ends the query.
typedef struct alm_answer_sink {
    void *self;
    alm_code (*row)(void *self, const alm_result_row *row, alm_status *st);
    // One item that cannot be answered; the others are.
    alm_code (*fault)(void *self, alm_str item, const alm_status *why, alm_status *st);
    // A writer with room for a row, which rows are to be put into as columns; good until the next
    // call of any of these. NULL: rows are told one by one.
    alm_code (*writer)(void *self, alm_result_writer **ret, alm_status *st);
} alm_answer_sink;

#define ALM_ANSWER_CHUNK 256

void alm_answers_init(alm_answers *answers, alm_arena *arena, const alm_variant_table *variants);

// A published row, its note and all borrowed until the arena is reset.
//
// ALM_RESOURCE_EXHAUSTED  more than ALM_QUERY_CELL_COUNT_MAX rows, or out of memory
ALM_MUST_USE alm_code alm_answers_add_published(alm_answers *answers, const alm_obs *obs,
                                                alm_status *st);
ALM_MUST_USE alm_code alm_answers_add(alm_answers *answers, const alm_obs *obs,
                                      const alm_answer_extra *extra, alm_status *st);

static inline const alm_answer *alm_answers_get(const alm_answers *answers, size_t i)
{
    ALM_ASSERT(i < answers->count);
    return &answers->chunks[i / ALM_ANSWER_CHUNK][i % ALM_ANSWER_CHUNK];
}

static inline size_t alm_answers_count(const alm_answers *answers)
{
    return answers->series != NULL
               ? answers->series->count
               : (answers->cells == NULL ? 0 : answers->cells->count) + answers->count;
}
// A row of all, those of the cells first.
alm_obs alm_answers_obs(const alm_answers *answers, size_t row);

// Where answers of a place stand in the order of keys. Groups of a roll-up need not be places that
// were asked.
uint32_t alm_answer_place_order(const alm_query_plan *plan, alm_place_id place);

// Forgets the rows.
static inline void alm_answers_reset(alm_answers *answers)
{
    answers->count = 0;
}

// What rows of this variant and unit have in common, but for what the indicator is called. False:
// their numbers are to be converted. Texts live as long as the plan and the arena.
bool alm_answers_common(const alm_answers *answers, const alm_query_plan *plan,
                        const alm_indicator *indicator, const alm_obs *row, bool computed,
                        alm_told_common *ret);

// Why a published row without a number has none: "suppressed", "withdrawn by yearbook on
// 2024-02-01"; "" if its status does not say. In the arena; NULL: out of memory.
const char *alm_answer_missing(const alm_catalog *catalog, const alm_obs *obs, alm_arena *arena);

// In the plan's order, converted to the plan's unit, at most plan->limit. label: what the indicator
// is called.
ALM_MUST_USE alm_code alm_answers_tell(const alm_answers *answers, const alm_query_plan *plan,
                                       const alm_indicator *indicator, alm_str label,
                                       const alm_answer_sink *sink, alm_status *st);

#endif
