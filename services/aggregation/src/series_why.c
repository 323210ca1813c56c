// Why a computed cell has no number: back through the steps to what was published.
#include "series_run.h"

static bool lacks(const alm_grid *grid, size_t series, uint32_t t)
{
    return !alm_grid_has(grid, series * grid->axis.count + t);
}

// "tax_revenue of 310000", "level of 310000": what a value is a share of.
static alm_code name_whole(alm_series_run *it, const alm_series_target *of, size_t step,
                           size_t series, const char **ret, alm_status *st)
{
    const alm_indicator *whole = it->run->plan->whole;
    alm_str measure = alm_str_from(alm_measure_code(of->chain.steps[step].in.measure));
    return alm_query_run_text(
        it->run, ret, st, "%.*s of %.*s", ALM_STR_ARGS(whole == NULL ? measure : whole->code),
        ALM_STR_ARGS(alm_series_code_of(it, it->set.places[it->set.whole_of[series]])));
}

// Of a share: back to the part or to the whole, or what is wrong with the whole itself.
static alm_code why_no_share(alm_series_run *it, const alm_series_target *of, size_t step,
                             size_t *series, uint32_t t, bool *ret_is_whole, const char **ret,
                             alm_status *st)
{
    const alm_grid *parts = &of->grids[step];
    const alm_grid *shares = &of->grids[step + 1];
    alm_gap gap = shares->gaps[*series * shares->axis.count + t];
    *ret_is_whole = false;
    switch (gap) {
    case ALM_GAP_WHOLE:
        return alm_query_run_text(it->run, ret, st, "%.*s has no parent place",
                                  ALM_STR_ARGS(alm_series_code_of(it, it->set.places[*series])));
    case ALM_GAP_ZERO:
    case ALM_GAP_NEGATIVE:
        ALM_TRY(name_whole(it, of, step, *series, ret, st));
        return alm_query_run_text(it->run, ret, st, "%s is %s", *ret,
                                  gap == ALM_GAP_ZERO ? "zero" : "negative");
    case ALM_GAP_RANGE:
        *ret = "the ratio does not fit";
        return ALM_OK;
    default:
        *ret_is_whole = !lacks(parts, *series, t);
        *series = *ret_is_whole ? it->set.whole_of[*series] : *series;
        return ALM_OK;
    }
}

// Of a contribution: back to the part or to the whole, now or a year before.
static alm_code why_no_contribution(alm_series_run *it, const alm_series_target *of, size_t step,
                                    size_t *series, uint32_t *t, bool *ret_is_whole,
                                    const char **ret, alm_status *st)
{
    const alm_grid *parts = &of->grids[step];
    const alm_grid *wholes = it->run->plan->whole == NULL ? parts : &of->whole.grid;
    const alm_grid *out = &of->grids[step + 1];
    alm_period period = alm_axis_at(out->axis, *t);
    alm_gap gap = out->gaps[*series * out->axis.count + *t];
    *ret_is_whole = false;
    if (gap == ALM_GAP_CALENDAR) {
        *ret = "the year before has no such period";
        return ALM_OK;
    }
    bool is_points = of->chain.steps[step].transform.op == ALM_TRANSFORM_CONTRIBUTION_PP;
    if (gap == ALM_GAP_ZERO && !is_points) {
        ALM_TRY(name_whole(it, of, step, *series, ret, st));
        return alm_query_run_text(it->run, ret, st, "%s did not change beyond its rounding", *ret);
    }
    if (gap != ALM_GAP_INPUT) {
        return why_no_share(it, of, step, series, *t, ret_is_whole, ret, st);
    }
    alm_taps taps = alm_step_taps(&of->chain.steps[step], parts->axis, period);
    if (lacks(parts, *series, taps.first) || lacks(parts, *series, taps.base)) {
        *t = lacks(parts, *series, taps.first) ? taps.first : taps.base;
        return ALM_OK;
    }
    *ret_is_whole = true;
    *series = it->set.whole_of[*series];
    *t = !is_points && lacks(wholes, *series, taps.first) ? taps.first : taps.base;
    return ALM_OK;
}

alm_code alm_series_why(alm_series_run *it, const alm_series_target *of, size_t series, uint32_t t,
                        const char **ret, alm_status *st)
{
    bool names_place = false;
    bool is_whole = false;
    *ret = "";
    for (size_t i = of->chain.count; i-- > 0 && **ret == '\0';) {
        const alm_step *step = &of->chain.steps[i];
        uint32_t input = ALM_AXIS_NONE;
        if (alm_transform_stage(step->transform.op) == ALM_STAGE_RANK) {
            ALM_TRY(alm_rank_why(it->run, &it->set, &of->grids[i + 1], series, t, ret, st));
            continue;
        }
        if (step->transform.op == ALM_TRANSFORM_SHARE) {
            ALM_TRY(why_no_share(it, of, i, &series, t, &is_whole, ret, st));
            names_place = true;
            continue;
        }
        if (alm_transform_has_whole(step->transform.op)) {
            ALM_TRY(why_no_contribution(it, of, i, &series, &t, &is_whole, ret, st));
            names_place = true;
            continue;
        }
        ALM_TRY(alm_step_why(it->run, step, &of->grids[i], &of->grids[i + 1], series, t, &input,
                             ret, st));
        t = input;
    }
    if (**ret != '\0') {
        return ALM_OK;
    }
    const alm_indicator *whole = it->run->plan->whole;
    if (!is_whole || whole == NULL) {
        return alm_source_grid_why(&of->source, series, t, names_place, ret, st);
    }
    ALM_TRY(alm_source_grid_why(&of->whole, series, t, names_place, ret, st));
    return alm_query_run_text(it->run, ret, st, "%.*s: %s", ALM_STR_ARGS(whole->code), *ret);
}
