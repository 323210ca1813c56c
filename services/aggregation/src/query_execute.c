#include "query_execute.h"

#include "query_run.h"

typedef alm_code (*transform_fn)(alm_query_run *run, alm_status *st);

static transform_fn transform_of(const alm_query_plan *plan, const alm_query_item *item)
{
    if (alm_query_plan_has(plan, ALM_TRANSFORM_TARGET)) {
        return alm_target_run;
    }
    bool is_published = alm_transforms_empty(&plan->transforms) && item->derived == NULL;
    return is_published ? alm_published_run : alm_series_answer;
}

// The unit must fit the indicator, where values of the measure have its dimension at all.
static alm_code check_unit(const alm_query_plan *plan, const alm_indicator *indicator,
                           alm_str label, alm_status *st)
{
    alm_dimension own = alm_unit_dimension(indicator->unit);
    alm_measure measure = plan->measure == ALM_MEASURE_NONE ? ALM_MEASURE_LEVEL : plan->measure;
    alm_dimension dimension = alm_measure_dimension(measure, own);
    alm_unit to = plan->unit_choice == ALM_UNIT_GIVEN ? plan->unit : indicator->unit;
    if (plan->unit_choice == ALM_UNIT_AS_PUBLISHED ||
        alm_measure_takes_unit(measure, indicator->unit, to)) {
        return ALM_OK;
    }
    char asked[ALM_UNIT_TEXT_MAX];
    char kept[ALM_UNIT_TEXT_MAX];
    (void)alm_unit_code(to, asked);
    (void)alm_unit_code(indicator->unit, kept);
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "unit",
                                "%s of %.*s is a quantity of %s; it does not convert to %s (%s)",
                                alm_measure_code(measure), ALM_STR_ARGS(label),
                                dimension == ALM_DIMENSION_QUOTIENT ? kept
                                                                    : alm_dimension_name(dimension),
                                asked, alm_dimension_name(alm_unit_dimension(to)));
}

// Is this a failure of one item only?
static bool is_item_fault(alm_code code)
{
    return code == ALM_INVALID_ARGUMENT || code == ALM_NOT_FOUND || code == ALM_FAILED_PRECONDITION;
}

static alm_code answer_item(const alm_query_plan *plan, const alm_query_item *item,
                            const alm_rollup_groups *groups, const alm_row_reader *reader,
                            const alm_answer_sink *sink, alm_trace *trace, alm_arena *arena,
                            alm_status *st)
{
    const alm_indicator *indicator = item->indicator;
    // In the arena, since parts of it are released with the arena.
    alm_query_run *run = alm_arena_alloc(arena, sizeof *run);
    if (run == NULL) {
        return alm_query_run_no_memory(st);
    }
    alm_status fault = ALM_STATUS_INIT;
    alm_code code = check_unit(plan, indicator, alm_query_item_label(item), &fault);
    if (code == ALM_OK) {
        ALM_TRY(alm_query_run_init(run, plan, item, reader, arena, st));
        run->groups = groups;
        run->sink = sink;
        run->trace = trace;
        code = transform_of(plan, item)(run, &fault);
    }
    if (code == ALM_OK) {
        return alm_answers_tell(&run->answers, plan, indicator, run->label, sink, st);
    }
    if (is_item_fault(code)) {
        if (!plan->is_first) {
            return ALM_OK; // what the first fragment tells as well
        }
        return sink->fault(sink->self, item->asked, &fault, st);
    }
    if (code == ALM_RESOURCE_EXHAUSTED) {
        (void)alm_status_prefix(&fault, "%.*s, %s", ALM_STR_ARGS(alm_query_item_label(item)),
                                alm_query_plan_estimate(plan, arena));
    }
    return alm_status_copy(st, &fault);
}

// What stands for nothing, before any rows.
static alm_code tell_faults(const alm_query_plan *plan, const alm_answer_sink *sink, alm_status *st)
{
    for (size_t i = 0; plan->is_first && i < plan->item_count; i++) {
        const alm_query_item *item = &plan->items[i];
        if (item->indicator == NULL) {
            ALM_TRY(sink->fault(sink->self, item->asked, &item->fault, st));
        }
    }
    return ALM_OK;
}

alm_code alm_query_execute(const alm_query_plan *plan, const alm_row_reader *reader,
                           const alm_answer_sink *sink, alm_arena *arena, alm_status *st)
{
    return alm_query_execute_traced(plan, reader, sink, NULL, arena, st);
}

alm_code alm_query_execute_traced(const alm_query_plan *plan, const alm_row_reader *reader,
                                  const alm_answer_sink *sink, alm_trace *trace, alm_arena *arena,
                                  alm_status *st)
{
    const alm_rollup_groups *groups = NULL;
    if (alm_query_plan_has(plan, ALM_TRANSFORM_ROLLUP)) {
        ALM_TRY(alm_rollup_groups_find(plan, arena, &groups, st));
    }
    alm_arena *item_arena = alm_arena_create(0);
    if (item_arena == NULL) {
        return alm_query_run_no_memory(st);
    }
    alm_code code = tell_faults(plan, sink, st);
    for (size_t i = 0; i < plan->item_count && code == ALM_OK; i++) {
        const alm_query_item *item = &plan->items[i];
        if (item->indicator != NULL) {
            code = answer_item(plan, item, groups, reader, sink, trace, item_arena, st);
            alm_arena_reset(item_arena);
        }
    }
    alm_arena_destroy(&item_arena);
    return code;
}
