// Formulas walked backwards: every part with its own value.
#include "derived_grid.h"
#include "trace_grid.h"

typedef struct walk {
    const alm_derived_grid *it;
    const alm_source_grid *whole; // that the formula makes
    alm_query_run *run;
    size_t series;
} walk;

static alm_code name_node(const walk *w, uint32_t node, const char **ret, alm_status *st)
{
    alm_buf text;
    alm_buf_init(&text, 0);
    alm_formula_format(&w->it->derived->formula, node, &text);
    alm_code code = alm_query_run_text(w->run, ret, st, "%.*s", ALM_STR_ARGS(alm_buf_view(&text)));
    alm_buf_deinit(&text);
    return code;
}

static alm_code trace_operand(const walk *w, uint32_t k, alm_period period, alm_status *st)
{
    const alm_derived_operand *operand = &w->it->derived->operands[k];
    const alm_source_grid *source = &w->it->operands[k];
    if (source->set->places[w->series] == ALM_PLACE_NONE) {
        alm_trace_node node = {
            .kind = ALM_TRACE_REMARK,
            .words = {"没有上级地区", "the place has no parent place"},
            .source = ALM_SOURCE_NONE,
            .published = ALM_DATE_NONE,
        };
        return alm_trace_add(w->run->trace, &node, st);
    }
    uint32_t t = alm_axis_find(source->grid.axis,
                               alm_derived_operand_period(operand, source->quantity.freq, period));
    ALM_ASSERT(t != ALM_AXIS_NONE);
    return alm_source_grid_trace(source, w->series, t, st);
}

static alm_code trace_node(const walk *w, uint32_t node, uint32_t t, alm_status *st);

static alm_code trace_taps(const walk *w, uint32_t node, const alm_taps *taps, alm_status *st)
{
    alm_trace_list list = {0};
    for (uint32_t i = 0; i < alm_taps_count(taps); i++) {
        if (alm_trace_list_takes(w->run->trace, &list)) {
            ALM_TRY(trace_node(w, node, alm_taps_at(taps, i), st));
        }
    }
    return alm_trace_list_end(w->run->trace, &list, st);
}

// The level of the base year and growth since; of a deflator the level itself, too.
static alm_code trace_prices(const walk *w, uint32_t node, alm_period period, alm_status *st)
{
    const alm_formula_node *of = &w->it->derived->formula.nodes[node];
    const alm_step *step = &w->it->rules[node].step;
    alm_axis in = w->it->parts[of->left].axis;
    alm_taps levels = alm_step_taps(step, in, period);
    if (levels.base_count == 0) {
        return ALM_OK;
    }
    alm_taps links = alm_step_prices_links(step, in, period);
    bool has_level = step->transform.op == ALM_TRANSFORM_DEFLATOR && levels.first != levels.base;
    levels.count = has_level ? levels.count : 0;
    ALM_TRY(trace_taps(w, of->left, &levels, st));
    return trace_taps(w, of->right, &links, st);
}

static alm_code trace_inputs(const walk *w, uint32_t node, uint32_t t, alm_status *st)
{
    const alm_formula_node *of = &w->it->derived->formula.nodes[node];
    alm_period period = alm_axis_at(w->it->parts[node].axis, t);
    alm_taps taps;
    switch (of->op) {
    case ALM_FORMULA_NUMBER:
        return ALM_OK;
    case ALM_FORMULA_OPERAND:
        return trace_operand(w, of->operand, period, st);
    case ALM_FORMULA_TRANSFORM:
        taps = alm_step_taps(&w->it->rules[node].step, w->it->parts[of->left].axis, period);
        return trace_taps(w, of->left, &taps, st);
    case ALM_FORMULA_PRICES:
        return trace_prices(w, node, period, st);
    case ALM_FORMULA_NEGATE:
        return trace_node(w, of->left, t, st);
    default:
        ALM_TRY(trace_node(w, of->left, t, st));
        return trace_node(w, of->right, t, st);
    }
}

static alm_code trace_node(const walk *w, uint32_t node, uint32_t t, alm_status *st)
{
    const alm_grid *grid = &w->it->parts[node];
    alm_trace *trace = w->run->trace;
    if (w->it->derived->formula.nodes[node].op == ALM_FORMULA_OPERAND) {
        return trace_inputs(w, node, t, st);
    }
    const char *name;
    ALM_TRY(name_node(w, node, &name, st));
    alm_trace_cell cell = {
        .place = w->whole->set->places[w->series],
        .period = alm_axis_at(grid->axis, t),
    };
    ALM_TRY(alm_trace_computed(trace, &cell, (alm_trace_words){name, name}, grid,
                               w->series * grid->axis.count + t, w->it->rules[node].out.unit, st));
    trace->depth++;
    ALM_TRY(trace_inputs(w, node, t, st));
    trace->depth--;
    return ALM_OK;
}

// Of prices with what that is.
static alm_code name_whole(const walk *w, uint32_t node, alm_trace_words *ret, alm_status *st)
{
    const alm_formula_node *of = &w->it->derived->formula.nodes[node];
    alm_transform_op op = of->transform.op;
    ALM_TRY(name_node(w, node, &ret->en, st));
    ret->zh = ret->en;
    if (of->op != ALM_FORMULA_PRICES) {
        return ALM_OK;
    }
    ALM_TRY(alm_query_run_text(w->run, &ret->zh, st, "%s：%s", ret->zh,
                               alm_transform_formula(op, ALM_LANG_ZH)));
    return alm_query_run_text(w->run, &ret->en, st, "%s: %s", ret->en,
                              alm_transform_formula(op, ALM_LANG_EN));
}

alm_code alm_derived_grid_trace(const alm_derived_grid *it, const alm_source_grid *whole,
                                size_t series, uint32_t t, alm_status *st)
{
    walk w = {it, whole, whole->run, series};
    uint32_t node = it->derived->formula.node_count - 1;
    alm_trace *trace = w.run->trace;
    alm_period period = alm_axis_at(it->grid.axis, t);
    alm_trace_words words;
    ALM_TRY(name_whole(&w, node, &words, st));
    alm_trace_cell cell = {
        .indicator = whole->indicator->code,
        .measure = whole->quantity.measure,
        .accumulation = whole->quantity.accumulation,
        .place = whole->set->places[series],
        .period = period,
    };
    ALM_TRY(alm_trace_computed(trace, &cell, words, &it->grid, series * it->grid.axis.count + t,
                               whole->quantity.unit, st));
    uint32_t at = alm_axis_find(it->parts[node].axis, period);
    ALM_ASSERT(at != ALM_AXIS_NONE);
    trace->depth++;
    ALM_TRY(trace_inputs(&w, node, at, st));
    trace->depth--;
    return ALM_OK;
}
