// What was published, held against what is stored: each claim with a verdict, and the figure it
// implies where one is missing. Verdicts are the model's, see alm/reconcile.h.
#ifndef ALM_AGGREGATION_RECONCILE_H
#define ALM_AGGREGATION_RECONCILE_H

#include "query_plan.h"

// The question as it is planned: every measure unless one is named.
//
// ALM_INVALID_ARGUMENT  no query, or one with words that compute, convert, order or limit
ALM_MUST_USE alm_code alm_reconcile_question(const Almanac__V1__ReconcileRequest *request,
                                             Almanac__V1__QueryRequest *ret, alm_status *st);

// All findings, in the order of places, periods and indicators. The claims are those of the
// question's sources; they are held against whatever is stored.
//
// ALM_RESOURCE_EXHAUSTED  too much to hold against each other
// Any failure of the reader
ALM_MUST_USE alm_code alm_reconcile(const alm_query_plan *plan, const alm_row_reader *reader,
                                    alm_arena *arena, Almanac__V1__ReconcileResponse **ret,
                                    alm_status *st);

#endif
