// In which order answers are told, and which of them.
#ifndef ALM_ANSWER_ORDER_H
#define ALM_ANSWER_ORDER_H

#include "answer.h"

// What rows are compared by, one behind the other.
typedef struct alm_answer_key {
    uint64_t rank;  // of an order by value what rises with the number: it, or its nearest double
    uint32_t place; // alm_answer_place_order
    uint32_t kind;  // by period and then variant, published before computed
    uint32_t row;   // of alm_answers_obs
} alm_answer_key;

typedef struct alm_answer_order {
    alm_answer_key
        *keys; // on the heap: an answer of the largest size needs much of the arena itself
    size_t count;
} alm_answer_order;

// Are numbers of the measure in this unit compared as they are? Else in a unit that they have in
// common with others, in which some may be equal that are not, or not fit.
bool alm_answer_order_is_plain(const alm_indicator *indicator, alm_measure measure, alm_unit unit);

// The rows in the plan's order, at most plan->limit. Rows without a number come last, whichever way
// the others run. To be given to alm_free.
//
// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code alm_answer_order_make(const alm_answers *answers, const alm_query_plan *plan,
                                            const alm_indicator *indicator, alm_answer_order *ret,
                                            alm_status *st);

#endif
