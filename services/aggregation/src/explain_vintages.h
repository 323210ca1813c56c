// What else was published of the cells of an explanation, and why it does not count.
#ifndef ALM_EXPLAIN_VINTAGES_H
#define ALM_EXPLAIN_VINTAGES_H

#include "query_plan.h"
#include "trace.h"

typedef struct alm_vintage {
    alm_trace_cell cell;
    alm_obs obs; // its variant is that of a table of the arena
} alm_vintage;

typedef struct alm_vintages {
    const alm_query_plan *plan;
    alm_arena *arena;
    alm_vintage *of; // in order of publication
    size_t count, cap;
    bool has_more; // than are held
} alm_vintages;

// Every vintage of the cells, in one read. newest: see alm_explain.
ALM_MUST_USE alm_code alm_vintages_read(alm_vintages *it, const alm_trace_cell *cells, size_t count,
                                        const alm_row_reader *reader, const alm_row_reader *newest,
                                        alm_status *st);

bool alm_trace_cell_eq(const alm_trace_cell *a, const alm_trace_cell *b);

// Why one does not count. winner: the vintage of its cell that does; NULL: none does.
Almanac__V1__ExplainLoss alm_vintage_loss(const alm_vintages *it, const alm_vintage *vintage,
                                          const alm_obs *winner);
alm_trace_words alm_vintage_loss_words(Almanac__V1__ExplainLoss loss);

#endif
