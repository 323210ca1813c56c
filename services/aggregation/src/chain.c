#include "chain.h"

alm_code alm_chain_make(const alm_query_plan *plan, const alm_quantity *source, alm_chain *ret,
                        alm_status *st)
{
    *ret = (alm_chain){.out = *source, .of = ALM_MEASURE_NONE};
    for (size_t stage = ALM_STAGE_RATIO; stage < ALM_STAGE_COUNT; stage++) {
        const alm_transform *transform = &plan->transforms.of[stage];
        if (transform->op == ALM_TRANSFORM_NONE) {
            continue;
        }
        alm_step *step = &ret->steps[ret->count];
        ALM_TRY(alm_step_make(transform, &ret->out, step, st));
        if (step->out.measure != step->in.measure) {
            ret->of = step->in.measure;
        }
        ret->out = step->out;
        ret->count++;
    }
    return ALM_OK;
}

alm_code alm_chain_guess(const alm_query_run *run, alm_freq freq, alm_chain *ret,
                         alm_quantity *ret_source, alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    const alm_transform *to = &plan->transforms.of[ALM_STAGE_ACCUMULATION];
    alm_accumulation wanted = to->op != ALM_TRANSFORM_NONE ? to->accumulation : plan->accumulation;
    alm_accumulation first = wanted == ALM_ACCUMULATION_NONE ? ALM_ACCUMULATION_PERIOD : wanted;
    *ret_source = alm_quantity_of(run->indicator, plan->measure, freq, first);
    alm_code code = alm_chain_make(plan, ret_source, ret, st);
    if (code == ALM_OK || wanted != ALM_ACCUMULATION_NONE) {
        return code;
    }
    ret_source->accumulation = ALM_ACCUMULATION_CUMULATIVE;
    return alm_chain_make(plan, ret_source, ret, NULL) == ALM_OK ? ALM_OK : code;
}

alm_code alm_chain_axes(const alm_chain *chain, alm_axis out, alm_axis *ret, alm_status *st)
{
    ret[chain->count] = out;
    for (size_t i = chain->count; i-- > 0;) {
        ALM_TRY(alm_step_reach(&chain->steps[i], ret[i + 1], &ret[i], st));
    }
    return ALM_OK;
}

alm_code alm_chain_variant(alm_query_run *run, const alm_chain *chain, uint32_t variant,
                           alm_str place, uint32_t *ret, alm_status *st)
{
    if (chain->of == ALM_MEASURE_NONE) {
        *ret = variant;
        return ALM_OK;
    }
    const alm_indicator *whole = run->plan->whole;
    const alm_relation *told = &alm_variant_table_get(&run->variants, variant)->variant.relation;
    alm_relation relation = {
        .indicator = whole == NULL ? told->indicator : whole->code,
        .place = place.len > 0 ? place : told->place,
        .measure = chain->of == ALM_MEASURE_LEVEL ? ALM_MEASURE_NONE : chain->of,
    };
    return alm_variant_table_sibling(&run->variants, variant, chain->out.measure, &relation, ret,
                                     st);
}
