// Answers a planned question: indicator by indicator, reading through a reader and telling a sink.
#ifndef ALM_QUERY_EXECUTE_H
#define ALM_QUERY_EXECUTE_H

#include "answer.h"
#include "trace.h"

// What is asked about an indicator and cannot be had (an unknown name, a roll-up of what does not
// add up) goes to sink->fault, and the others are answered. Every other failure, also of reader and
// sink, ends the query.
//
//   arena  of the call; each indicator gets an arena of its own, freed before the next
//
// ALM_RESOURCE_EXHAUSTED  a limit; the message says the question's estimate and the limit
ALM_MUST_USE alm_code alm_query_execute(const alm_query_plan *plan, const alm_row_reader *reader,
                                        const alm_answer_sink *sink, alm_arena *arena,
                                        alm_status *st);
// The same, and notes how what is computed came about. trace: NULL for nobody who wants to know.
ALM_MUST_USE alm_code alm_query_execute_traced(const alm_query_plan *plan,
                                               const alm_row_reader *reader,
                                               const alm_answer_sink *sink, alm_trace *trace,
                                               alm_arena *arena, alm_status *st);

#endif
