// What steps are called.
#include "trace_grid.h"

static alm_trace_words frequency_words(alm_method method)
{
    switch (method) {
    case ALM_METHOD_AVG:
        return (alm_trace_words){"各期平均", "average of the parts of the period"};
    case ALM_METHOD_EOP:
        return (alm_trace_words){"期末值", "value at the period's end"};
    case ALM_METHOD_MIN:
        return (alm_trace_words){"各期最低", "lowest of the parts of the period"};
    case ALM_METHOD_MAX:
        return (alm_trace_words){"各期最高", "highest of the parts of the period"};
    default:
        return (alm_trace_words){"各期之和", "sum of the parts of the period"};
    }
}

static alm_trace_words rank_words(const alm_query_run *run)
{
    bool is_down = run->indicator->direction == ALM_DIRECTION_DOWN;
    if (run->plan->peers.count > 0) {
        return is_down ? (alm_trace_words){"在所列地区中的位次，低者在前",
                                           "among the named peers, lowest first"}
                       : (alm_trace_words){"在所列地区中的位次，高者在前",
                                           "among the named peers, highest first"};
    }
    return is_down ? (alm_trace_words){"在同一上级同级地区中的位次，低者在前",
                                       "among the places of the same parent and level, lowest "
                                       "first"}
                   : (alm_trace_words){"在同一上级同级地区中的位次，高者在前",
                                       "among the places of the same parent and level, highest "
                                       "first"};
}

static alm_trace_words words_of(const alm_query_run *run, const alm_step *step)
{
    const alm_transform *transform = &step->transform;
    switch (transform->op) {
    case ALM_TRANSFORM_TO_FREQUENCY:
        return frequency_words(step->method);
    case ALM_TRANSFORM_TO_ACCUMULATION:
        return transform->accumulation == ALM_ACCUMULATION_CUMULATIVE
                   ? (alm_trace_words){"年初以来各期之和", "sum of the periods from the year's "
                                                           "start"}
                   : (alm_trace_words){"年初累计减去上期累计",
                                       "value from the year's start less that of the period "
                                       "before"};
    case ALM_TRANSFORM_RANK:
        return rank_words(run);
    default:
        return (alm_trace_words){alm_transform_formula(transform->op, ALM_LANG_ZH),
                                 alm_transform_formula(transform->op, ALM_LANG_EN)};
    }
}

static alm_code join(alm_query_run *run, alm_str word, alm_trace_words words, alm_trace_words *ret,
                     alm_status *st)
{
    ALM_TRY(alm_query_run_text(run, &ret->zh, st, "%.*s：%s", ALM_STR_ARGS(word), words.zh));
    return alm_query_run_text(run, &ret->en, st, "%.*s: %s", ALM_STR_ARGS(word), words.en);
}

alm_code alm_trace_step_words(alm_query_run *run, const alm_step *step, alm_trace_words *ret,
                              alm_status *st)
{
    alm_buf word;
    alm_buf_init(&word, 0);
    alm_transform_format(&step->transform, &word);
    alm_code code = join(run, alm_buf_view(&word), words_of(run, step), ret, st);
    alm_buf_deinit(&word);
    return code;
}

alm_trace_words alm_trace_rollup_words(const alm_indicator *indicator)
{
    switch (indicator->over_places) {
    case ALM_AGGREGATION_AVERAGE:
        return (alm_trace_words){"下级平均", "average of the members"};
    case ALM_AGGREGATION_MAX:
        return (alm_trace_words){"下级最高", "highest of the members"};
    case ALM_AGGREGATION_MIN:
        return (alm_trace_words){"下级最低", "lowest of the members"};
    case ALM_AGGREGATION_RECOMPUTE:
        return (alm_trace_words){"下级分子之和 / 分母之和",
                                 "sum of the members' numerators / sum of their denominators"};
    default:
        return (alm_trace_words){"下级之和", "sum of the members"};
    }
}
