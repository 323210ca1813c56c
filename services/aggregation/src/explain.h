// Why a cell has its value: a tree from the answer through the steps that made it down to the
// observations that went in, and the vintages that lost against them.
#ifndef ALM_EXPLAIN_H
#define ALM_EXPLAIN_H

#include "query_plan.h"

#define ALM_EXPLAIN_VINTAGE_MAX 2000

// Answers the question through the same code as a query, which notes how (trace.h).
//
//   newest  reads the newest state, where the question is of an older one: what was committed since
//           is told, too. NULL: it is not
//
// ALM_INVALID_ARGUMENT  the question is about more than one indicator, or its answer has more than
// one
//                       place and period
// Any failure of the reader; of a question that cannot be answered, its reason
ALM_MUST_USE alm_code alm_explain(const alm_query_plan *plan, const alm_row_reader *reader,
                                  const alm_row_reader *newest, alm_arena *arena,
                                  Almanac__V1__ExplainResponse **ret, alm_status *st);

#endif
