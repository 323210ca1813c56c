// Why a cell has its value: the formula, the observations that went in, and the vintages they
// replaced.
#ifndef ALM_EXPLAIN_H
#define ALM_EXPLAIN_H

#include "query_plan.h"

#define ALM_EXPLAIN_INPUT_MAX   1000 // inputs listed; the rest are counted
#define ALM_EXPLAIN_VINTAGE_MAX 2000

// Answers the question through the same code as a query, and notes what it reads.
//
// ALM_INVALID_ARGUMENT  the question is about more than one indicator, or its answer has more than
// one
//                       place and period
// Any failure of the reader; of a question that cannot be answered, its reason
ALM_MUST_USE alm_code alm_explain(const alm_query_plan *plan, const alm_row_reader *reader,
                                  alm_arena *arena, Almanac__V1__ExplainResponse **ret,
                                  alm_status *st);

#endif
