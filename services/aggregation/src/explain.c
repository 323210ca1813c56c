#include "explain.h"

#include "cells.h"
#include "explain_vintages.h"
#include "query_execute.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef Almanac__V1__ExplainStep explain_step;

typedef struct answer_list {
    alm_arena *arena;
    alm_result_row *rows;
    size_t count, cap;
    alm_status fault; // of the one item
} answer_list;

typedef struct explanation {
    const alm_query_plan *plan;
    const alm_row_reader *reader;
    alm_arena *arena;
    alm_trace trace;
    answer_list answers;
    alm_vintages vintages;
    Almanac__V1__ExplainResponse *response;
    size_t step_cap;
} explanation;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for an explanation");
}

// --- the answers --------------------------------------------------------------------------------

static bool keep_text(alm_arena *arena, alm_str *text)
{
    text->data = alm_arena_strdup(arena, *text);
    return text->data != NULL;
}

// "1,765 of 15,000 套; behind: 11.8% of plan with 60% of the time gone"
static bool add_verdict(alm_arena *arena, const alm_result_row *row, alm_str *reason)
{
    if (row->pace == NULL || !row->value.has_number) {
        return true;
    }
    const char *label = alm_pace_verdict_label(row->pace->verdict, ALM_LANG_EN);
    char *text =
        alm_arena_printf(arena, "%.*s; %s: %s", ALM_STR_ARGS(*reason), label, row->pace->why);
    *reason = text == NULL ? *reason : alm_str_from(text);
    return text != NULL;
}

static alm_code take_answer(void *self, const alm_result_row *row, alm_status *st)
{
    answer_list *list = self;
    void *rows = list->rows;
    if (!alm_arena_grow(list->arena, &rows, &list->cap, list->count + 1, sizeof *row)) {
        return no_memory(st);
    }
    list->rows = rows;
    alm_result_row *copy = &list->rows[list->count++];
    *copy = *row;
    bool is_good = keep_text(list->arena, &copy->breakdown) &&
                   keep_text(list->arena, &copy->relation) && keep_text(list->arena, &copy->note) &&
                   keep_text(list->arena, &copy->reason) &&
                   add_verdict(list->arena, row, &copy->reason);
    copy->pace = NULL; // it does not outlive the visit
    return is_good ? ALM_OK : no_memory(st);
}

static alm_code take_fault(void *self, alm_str item, const alm_status *why, alm_status *st)
{
    (void)item;
    (void)st;
    answer_list *list = self;
    list->fault = *why;
    return ALM_OK;
}

// --- words --------------------------------------------------------------------------------------

// "[168.525, 168.535]", "at least 200", "at most 5", "" when nothing is known.
static char *interval_text(alm_arena *arena, alm_interval interval, alm_lang lang)
{
    bool open_below = isinf(interval.lower);
    bool open_above = isinf(interval.upper);
    bool is_zh = lang == ALM_LANG_ZH;
    if (open_below && open_above) {
        return alm_arena_strdup(arena, ALM_STR(""));
    }
    if (open_above) {
        return alm_arena_printf(arena, "%s%.12g", is_zh ? "至少 " : "at least ", interval.lower);
    }
    if (open_below) {
        return alm_arena_printf(arena, "%s%.12g", is_zh ? "至多 " : "at most ", interval.upper);
    }
    return alm_arena_printf(arena, "[%.12g, %.12g]", interval.lower, interval.upper);
}

static char *value_text(alm_arena *arena, const alm_value *value, alm_lang lang)
{
    char text[ALM_VALUE_TEXT_MAX];
    size_t len = alm_value_format(value, lang, text);
    return alm_arena_strdup(arena, (alm_str){text, len});
}

// The value in another unit; "" in its own.
static char *converted_text(alm_arena *arena, const alm_value *value, alm_unit unit, alm_lang lang)
{
    alm_value converted = *value;
    converted.unit = unit;
    if (!value->has_number || alm_unit_eq(value->unit, unit) ||
        !alm_unit_convertible(value->unit, unit) ||
        alm_number_in_unit(value, unit, &converted.number, NULL) != ALM_OK) {
        return alm_arena_strdup(arena, ALM_STR(""));
    }
    return value_text(arena, &converted, lang);
}

static char *date_text(alm_arena *arena, alm_date date)
{
    char text[ALM_PERIOD_TEXT_MAX];
    size_t len = alm_date_format(date, text);
    return alm_arena_strdup(arena, (alm_str){text, len});
}

static char *source_text(const explanation *it, uint32_t id)
{
    if (id >= alm_catalog_source_count(it->plan->catalog)) {
        return alm_arena_strdup(it->arena, ALM_STR(""));
    }
    const alm_source *source = alm_catalog_source(it->plan->catalog, id);
    return alm_arena_printf(it->arena, "%.*s%s%.*s", ALM_STR_ARGS(source->title),
                            source->publisher.len > 0 ? ", " : "", ALM_STR_ARGS(source->publisher));
}

static char *status_text(const explanation *it, alm_obs_status status, alm_lang lang)
{
    return alm_arena_strdup(it->arena, alm_str_from(alm_obs_status_label(status, lang)));
}

// "gdp 310105 长宁区 2023 level", with what the series has beyond that. measure: its code, or its
// name in Chinese; "" of a part of a formula.
static char *cell_text(const explanation *it, alm_str indicator, const alm_trace_cell *cell,
                       alm_str measure, alm_lang lang)
{
    bool is_zh = lang == ALM_LANG_ZH;
    char label[ALM_PERIOD_TEXT_MAX];
    const alm_place *place = alm_place_tree_get(it->plan->tree, cell->place);
    (void)alm_period_format(cell->period, label);
    const char *since = is_zh ? "，年初累计" : ", from the year's start";
    return alm_arena_printf(it->arena, "%.*s %.*s %.*s %s%s%.*s%s%.*s%s%.*s%s",
                            ALM_STR_ARGS(indicator), ALM_STR_ARGS(place->code),
                            ALM_STR_ARGS(place->name_zh), label, measure.len > 0 ? " " : "",
                            ALM_STR_ARGS(measure),
                            cell->relation.len == 0 ? ""
                            : is_zh                 ? "："
                                                    : " of ",
                            ALM_STR_ARGS(cell->relation), cell->breakdown.len > 0 ? ", " : "",
                            ALM_STR_ARGS(cell->breakdown),
                            cell->accumulation == ALM_ACCUMULATION_CUMULATIVE ? since : "");
}

static char *measure_cell_text(const explanation *it, const alm_trace_cell *cell, alm_lang lang)
{
    const char *measure = lang == ALM_LANG_ZH ? alm_measure_label(cell->measure, lang)
                                              : alm_measure_code(cell->measure);
    return cell_text(it, cell->indicator, cell, alm_str_from(measure), lang);
}

// "CELL = FORMULA". NULL: out of memory.
static char *with_formula(const explanation *it, const char *cell, const char *formula)
{
    return cell == NULL ? NULL
                        : alm_arena_printf(it->arena, "%s%s%s", cell,
                                           formula[0] == '\0' ? "" : " = ", formula);
}

// --- steps --------------------------------------------------------------------------------------

static alm_code add_step(explanation *it, uint32_t depth, const explain_step *step, alm_status *st)
{
    const char *texts[] = {step->what,        step->value,       step->interval,  step->status,
                           step->source,      step->published,   step->note,      step->what_zh,
                           step->value_zh,    step->interval_zh, step->status_zh, step->converted,
                           step->converted_zh};
    for (size_t i = 0; i < ALM_ARRAY_LEN(texts); i++) {
        if (texts[i] == NULL) {
            return no_memory(st);
        }
    }
    explain_step *copy = alm_arena_alloc(it->arena, sizeof *copy);
    void *steps = it->response->steps;
    if (copy == NULL || !alm_arena_grow(it->arena, &steps, &it->step_cap, it->response->n_steps + 1,
                                        sizeof(copy))) {
        return no_memory(st);
    }
    *copy = *step;
    copy->depth = depth;
    it->response->steps = steps;
    it->response->steps[it->response->n_steps++] = copy;
    return ALM_OK;
}

static void put_value(const explanation *it, const alm_value *value, alm_interval interval,
                      explain_step *step)
{
    step->value = value_text(it->arena, value, ALM_LANG_EN);
    step->value_zh = value_text(it->arena, value, ALM_LANG_ZH);
    step->interval = interval_text(it->arena, interval, ALM_LANG_EN);
    step->interval_zh = interval_text(it->arena, interval, ALM_LANG_ZH);
    step->status = status_text(it, value->status, ALM_LANG_EN);
    step->status_zh = status_text(it, value->status, ALM_LANG_ZH);
}

static void put_words(const explanation *it, alm_trace_words words, explain_step *step)
{
    step->what = alm_arena_strdup(it->arena, alm_str_from(words.en));
    step->what_zh = alm_arena_strdup(it->arena, alm_str_from(words.zh));
}

static alm_code add_remark(explanation *it, uint32_t depth, alm_trace_words words, alm_status *st)
{
    explain_step step;
    almanac__v1__explain_step__init(&step);
    step.kind = ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_REMARK;
    put_words(it, words, &step);
    return add_step(it, depth, &step, st);
}

static alm_code add_vintage(explanation *it, uint32_t depth, const alm_vintage *vintage,
                            Almanac__V1__ExplainLoss loss, alm_status *st)
{
    const alm_obs *obs = &vintage->obs;
    explain_step step;
    almanac__v1__explain_step__init(&step);
    step.kind = ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_VINTAGE;
    step.loss = loss;
    put_words(it, alm_vintage_loss_words(loss), &step);
    put_value(it, &obs->value, alm_value_interval(&obs->value), &step);
    step.source = source_text(it, obs->source);
    step.published = date_text(it->arena, obs->published);
    step.note = alm_arena_strdup(it->arena, obs->note);
    return add_step(it, depth, &step, st);
}

// The vintage of a cell that counts: the last of its source and day. sequence: 0 for not known.
static const alm_vintage *find_winner(const explanation *it, const alm_trace_cell *cell,
                                      uint32_t source, alm_date published)
{
    const alm_vintage *found = NULL;
    for (size_t i = 0; i < it->vintages.count; i++) {
        const alm_vintage *vintage = &it->vintages.of[i];
        bool is_it = vintage->obs.source == source && vintage->obs.published == published &&
                     alm_trace_cell_eq(&vintage->cell, cell) &&
                     (it->plan->at_sequence == 0 || vintage->obs.sequence <= it->plan->at_sequence);
        found = is_it ? vintage : found;
    }
    return found;
}

// What else was published of a cell.
static alm_code add_vintages(explanation *it, uint32_t depth, const alm_trace_cell *cell,
                             uint32_t source, alm_date published, alm_status *st)
{
    const alm_vintage *winner = find_winner(it, cell, source, published);
    for (size_t i = 0; i < it->vintages.count; i++) {
        const alm_vintage *vintage = &it->vintages.of[i];
        if (vintage == winner || !alm_trace_cell_eq(&vintage->cell, cell)) {
            continue;
        }
        Almanac__V1__ExplainLoss loss =
            alm_vintage_loss(&it->vintages, vintage, winner == NULL ? NULL : &winner->obs);
        ALM_TRY(add_vintage(it, depth, vintage, loss, st));
    }
    return ALM_OK;
}

static Almanac__V1__ExplainKind kind_of(alm_trace_kind kind)
{
    switch (kind) {
    case ALM_TRACE_COMPUTED:
        return ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_COMPUTED;
    case ALM_TRACE_PART:
        return ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_PART;
    case ALM_TRACE_OBSERVATION:
        return ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_OBSERVATION;
    case ALM_TRACE_MISSING:
        return ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_MISSING;
    default:
        return ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_REMARK;
    }
}

static void put_node_words(const explanation *it, const alm_trace_node *node, explain_step *step)
{
    if (node->kind == ALM_TRACE_PART) {
        step->what =
            cell_text(it, alm_str_from(node->words.en), &node->cell, (alm_str){0}, ALM_LANG_EN);
        step->what_zh =
            cell_text(it, alm_str_from(node->words.zh), &node->cell, (alm_str){0}, ALM_LANG_ZH);
        return;
    }
    step->what = with_formula(it, measure_cell_text(it, &node->cell, ALM_LANG_EN), node->words.en);
    step->what_zh =
        with_formula(it, measure_cell_text(it, &node->cell, ALM_LANG_ZH), node->words.zh);
}

static bool is_published(const alm_trace_node *node)
{
    return node->kind == ALM_TRACE_OBSERVATION || node->kind == ALM_TRACE_MISSING;
}

static alm_code add_node(explanation *it, const alm_trace_node *node, alm_status *st)
{
    if (node->kind == ALM_TRACE_REMARK) {
        return add_remark(it, node->depth, node->words, st);
    }
    explain_step step;
    almanac__v1__explain_step__init(&step);
    step.kind = kind_of(node->kind);
    put_node_words(it, node, &step);
    put_value(it, &node->value, node->interval, &step);
    if (node->kind == ALM_TRACE_OBSERVATION) {
        step.converted = converted_text(it->arena, &node->value, node->unit, ALM_LANG_EN);
        step.converted_zh = converted_text(it->arena, &node->value, node->unit, ALM_LANG_ZH);
        step.source = source_text(it, node->source);
        step.published = date_text(it->arena, node->published);
        step.note = alm_arena_strdup(it->arena, node->note);
    }
    ALM_TRY(add_step(it, node->depth, &step, st));
    return is_published(node)
               ? add_vintages(it, node->depth + 1, &node->cell, node->source, node->published, st)
               : ALM_OK;
}

// --- answers ------------------------------------------------------------------------------------

static alm_trace_cell cell_of_answer(const explanation *it, const alm_result_row *row)
{
    alm_trace_cell cell = {
        .indicator = row->indicator,
        .breakdown = row->breakdown,
        .relation = row->relation,
        .accumulation = row->accumulation,
        .place = alm_place_tree_find(it->plan->tree, row->place),
        .period = row->period,
    };
    // Progress is told of its target's series, and a percentile as a rank.
    if (!alm_measure_parse(row->measure, &cell.measure)) {
        cell.measure = alm_query_plan_ranks(it->plan) ? ALM_MEASURE_RANK : ALM_MEASURE_TARGET;
    }
    return cell;
}

static uint32_t source_of_answer(const explanation *it, const alm_result_row *row)
{
    return row->source.len == 0 ? ALM_SOURCE_NONE
                                : alm_catalog_find_source(it->plan->catalog, row->source);
}

// The root of the tree of an answer; the count if it has none: it was published.
static size_t root_of(const explanation *it, const alm_result_row *row)
{
    alm_trace_cell cell = cell_of_answer(it, row);
    size_t i = 0;
    while (i < it->trace.count &&
           (it->trace.nodes[i].depth > 0 || !alm_trace_cell_eq(&it->trace.nodes[i].cell, &cell))) {
        i++;
    }
    return row->computed ? i : it->trace.count;
}

static alm_str measure_zh(alm_str code)
{
    alm_measure measure;
    if (alm_measure_parse(code, &measure)) {
        return alm_str_from(alm_measure_label(measure, ALM_LANG_ZH));
    }
    return alm_str_eq(code, ALM_STR("percentile")) ? ALM_STR("百分位") : ALM_STR("目标进度");
}

static alm_code add_answer(explanation *it, const alm_result_row *row, alm_trace_words how,
                           alm_status *st)
{
    alm_trace_cell cell = cell_of_answer(it, row);
    explain_step step;
    almanac__v1__explain_step__init(&step);
    step.kind = row->computed ? ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_COMPUTED
                : row->published == ALM_DATE_NONE
                    ? ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_MISSING
                    : ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_OBSERVATION;
    step.what =
        with_formula(it, cell_text(it, row->indicator, &cell, row->measure, ALM_LANG_EN), how.en);
    step.what_zh = with_formula(
        it, cell_text(it, row->indicator, &cell, measure_zh(row->measure), ALM_LANG_ZH), how.zh);
    put_value(it, &row->value, row->interval, &step);
    step.source = source_text(it, source_of_answer(it, row));
    step.published = date_text(it->arena, row->published);
    step.note = alm_arena_strdup(it->arena, row->reason.len > 0 ? row->reason : row->note);
    return add_step(it, 0, &step, st);
}

// The answer, and its tree: a root that is an observation is the answer itself.
static alm_code add_tree(explanation *it, const alm_result_row *row, alm_status *st)
{
    size_t root = root_of(it, row);
    if (root == it->trace.count) {
        alm_trace_cell cell = cell_of_answer(it, row);
        ALM_TRY(add_answer(it, row, (alm_trace_words){"", ""}, st));
        return add_vintages(it, 1, &cell, source_of_answer(it, row), row->published, st);
    }
    ALM_TRY(add_answer(it, row, it->trace.nodes[root].words, st));
    if (is_published(&it->trace.nodes[root])) {
        const alm_trace_node *node = &it->trace.nodes[root];
        return add_vintages(it, 1, &node->cell, node->source, node->published, st);
    }
    for (size_t i = root + 1; i < it->trace.count && it->trace.nodes[i].depth > 0; i++) {
        ALM_TRY(add_node(it, &it->trace.nodes[i], st));
    }
    return ALM_OK;
}

// --- the whole ----------------------------------------------------------------------------------

static alm_code check_one_cell(const explanation *it, alm_status *st)
{
    const alm_result_row *rows = it->answers.rows;
    for (size_t i = 1; i < it->answers.count; i++) {
        if (!alm_str_eq(rows[i].place, rows[0].place) ||
            !alm_period_eq(rows[i].period, rows[0].period)) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "places",
                                        "an explanation is of one cell; this question has more "
                                        "(%zu rows): ask for one place and one period",
                                        it->answers.count);
        }
    }
    return ALM_OK;
}

static alm_code begin(explanation *it, alm_status *st)
{
    const alm_query_plan *plan = it->plan;
    if (plan->item_count != 1) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "indicators",
                                    "an explanation is of one indicator; %zu are asked",
                                    plan->item_count);
    }
    if (plan->items[0].indicator == NULL) {
        return alm_status_copy(st, &plan->items[0].fault);
    }
    it->answers.arena = it->trace.arena = it->vintages.arena = it->arena;
    it->vintages.plan = plan;
    it->response = alm_arena_alloc(it->arena, sizeof *it->response);
    if (it->response == NULL) {
        return no_memory(st);
    }
    almanac__v1__explain_response__init(it->response);
    return ALM_OK;
}

// A cell that is not known to the store by its period is none: "no gdp for 310105".
static bool is_cell(const alm_trace_cell *cell)
{
    return cell->period.freq != ALM_FREQ_NONE;
}

// Of what was published: the answers themselves, and what they were computed of.
static alm_code read_vintages(explanation *it, const alm_row_reader *newest, alm_status *st)
{
    size_t most = it->answers.count + it->trace.count;
    alm_trace_cell *cells = alm_arena_calloc(it->arena, most, sizeof *cells);
    size_t count = 0;
    if (cells == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < it->answers.count; i++) {
        const alm_result_row *row = &it->answers.rows[i];
        cells[count] = cell_of_answer(it, row);
        count += root_of(it, row) == it->trace.count && is_cell(&cells[count]);
    }
    for (size_t i = 0; i < it->trace.count; i++) {
        cells[count] = it->trace.nodes[i].cell;
        count += is_published(&it->trace.nodes[i]) && is_cell(&cells[count]);
    }
    return alm_vintages_read(&it->vintages, cells, count, it->reader, newest, st);
}

static alm_code add_steps(explanation *it, alm_status *st)
{
    for (size_t i = 0; i < it->answers.count; i++) {
        ALM_TRY(add_tree(it, &it->answers.rows[i], st));
    }
    return it->vintages.has_more
               ? add_remark(it, 0,
                            (alm_trace_words){"其余发布版本未列出", "more vintages are not listed"},
                            st)
               : ALM_OK;
}

// "latest" is computed from a whole series; what it was is explained as that one period.
static alm_code pin_period(explanation *it, alm_query_plan *pinned, bool *ret_is_pinned,
                           alm_status *st)
{
    const alm_query_plan *plan = it->plan;
    alm_answer_sink sink = {&it->answers, take_answer, take_fault, NULL};
    *ret_is_pinned = false;
    if (plan->periods.kind != ALM_PERIOD_EXPR_LAST || alm_transforms_empty(&plan->transforms)) {
        return ALM_OK;
    }
    ALM_TRY(alm_query_execute(plan, it->reader, &sink, it->arena, st));
    if (it->answers.fault.code != ALM_OK) {
        return alm_status_copy(st, &it->answers.fault);
    }
    ALM_TRY(check_one_cell(it, st));
    bool has_period = it->answers.count > 0 && it->answers.rows[0].period.freq != ALM_FREQ_NONE;
    alm_period_range *range = alm_arena_alloc(it->arena, sizeof *range);
    if (range == NULL) {
        return no_memory(st);
    }
    if (has_period && !alm_query_plan_has(plan, ALM_TRANSFORM_TARGET)) {
        *range = (alm_period_range){it->answers.rows[0].period, it->answers.rows[0].period};
        *pinned = *plan;
        pinned->periods =
            (alm_period_expr){.kind = ALM_PERIOD_EXPR_RANGES, .ranges = range, .range_count = 1};
        pinned->listed = &range->from;
        pinned->listed_count = 1;
        pinned->period_estimate = 1;
        *ret_is_pinned = true;
    }
    it->answers = (answer_list){.arena = it->arena};
    return ALM_OK;
}

alm_code alm_explain(const alm_query_plan *plan, const alm_row_reader *reader,
                     const alm_row_reader *newest, alm_arena *arena,
                     Almanac__V1__ExplainResponse **ret, alm_status *st)
{
    explanation *it = alm_arena_calloc(arena, 1, sizeof *it);
    if (it == NULL) {
        return no_memory(st);
    }
    it->plan = plan;
    it->reader = reader;
    it->arena = arena;
    ALM_TRY(begin(it, st));
    alm_answer_sink sink = {&it->answers, take_answer, take_fault, NULL};
    alm_query_plan pinned;
    bool is_pinned;
    ALM_TRY(pin_period(it, &pinned, &is_pinned, st));
    ALM_TRY(
        alm_query_execute_traced(is_pinned ? &pinned : plan, reader, &sink, &it->trace, arena, st));
    if (it->answers.fault.code != ALM_OK) {
        return alm_status_copy(st, &it->answers.fault);
    }
    ALM_TRY(check_one_cell(it, st));
    ALM_TRY(read_vintages(it, newest, st));
    ALM_TRY(add_steps(it, st));
    *ret = it->response;
    return ALM_OK;
}
