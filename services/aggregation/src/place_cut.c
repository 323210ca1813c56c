#include "place_cut.h"

#include "chain.h"

#define PERIODS_OF_OPEN 16 // of a place, where the question does not say

static uint64_t periods_of(const alm_query_plan *plan)
{
    if (plan->periods.kind == ALM_PERIOD_EXPR_LAST) {
        return plan->periods.last;
    }
    return plan->period_estimate > 0 ? plan->period_estimate : PERIODS_OF_OPEN;
}

static bool lists_missing(const alm_query_plan *plan)
{
    uint64_t cells = plan->whole_count * ALM_MAX(plan->period_estimate, UINT64_C(1));
    return cells <= ALM_QUERY_MISSING_COUNT_MAX;
}

static bool is_of_own_place(const alm_query_plan *plan)
{
    for (size_t stage = 0; stage < ALM_STAGE_COUNT; stage++) {
        alm_transform_op op = plan->transforms.of[stage].op;
        bool is_local =
            stage == ALM_STAGE_CHANGE || stage == ALM_STAGE_INDEX || stage == ALM_STAGE_AVERAGE;
        if (op != ALM_TRANSFORM_NONE && (!is_local || alm_transform_has_whole(op))) {
            return false;
        }
    }
    return true;
}

// Do the transforms apply to the indicator however it was published?
static bool applies_always(const alm_query_plan *plan, const alm_indicator *indicator)
{
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_DAY; freq++) {
        const alm_accumulation each[] = {ALM_ACCUMULATION_PERIOD, ALM_ACCUMULATION_CUMULATIVE};
        for (size_t i = 0; i < ALM_ARRAY_LEN(each); i++) {
            alm_quantity of = alm_quantity_of(indicator, plan->measure, freq, each[i]);
            bool is_asked =
                (plan->freq == ALM_FREQ_NONE || plan->freq == freq) &&
                (plan->accumulation == ALM_ACCUMULATION_NONE || plan->accumulation == each[i]);
            alm_chain chain;
            if (is_asked && alm_chain_make(plan, &of, &chain, NULL) != ALM_OK) {
                return false;
            }
        }
    }
    return true;
}

static bool are_local(const alm_query_plan *plan)
{
    bool is_computed = !alm_transforms_empty(&plan->transforms);
    // Periods that are not bounded are those that something was published in, anywhere.
    if (is_computed && (plan->period_estimate == 0 || !is_of_own_place(plan))) {
        return false;
    }
    for (size_t i = 0; i < plan->item_count; i++) {
        const alm_query_item *item = &plan->items[i];
        if (item->derived != NULL ||
            (is_computed && item->indicator != NULL && !applies_always(plan, item->indicator))) {
            return false;
        }
    }
    return true;
}

size_t alm_place_cut(const alm_query_plan *plan)
{
    uint64_t periods = periods_of(plan);
    bool is_large = plan->whole_count > ALM_PLACE_CUT_CELLS_MIN / periods;
    bool is_in_order = plan->order == ALMANAC__V1__ORDER__ORDER_KEY && plan->limit == 0;
    if (!is_large || !is_in_order || lists_missing(plan) || !are_local(plan)) {
        return 0;
    }
    return ALM_MAX(ALM_PLACE_CUT_CELLS / periods, UINT64_C(1));
}
