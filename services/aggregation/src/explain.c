#include "explain.h"

#include "cells.h"
#include "query_execute.h"
#include "alm/id_order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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
    const alm_indicator *indicator;
    alm_variant_table variants;
    alm_cells inputs; // what the answer was computed from
    alm_cell_index unlisted;
    answer_list answers;
    alm_obs *vintages;
    size_t vintage_count, vintage_cap;
    bool has_more_vintages;
    Almanac__V1__ExplainResponse *response;
    size_t step_cap;
} explanation;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for an explanation");
}

// --- taking notes while the question is answered ------------------------------------------------

typedef struct note_taker {
    explanation *it;
    alm_row_visit visit;
    void *arg;
} note_taker;

// One row at a time, so that the ones past the limit are only counted.
static alm_code note_row(explanation *it, const alm_str *variants, const alm_obs *row,
                         alm_status *st)
{
    alm_str variant = variants[row->variant];
    if (it->inputs.count < ALM_EXPLAIN_INPUT_MAX) {
        alm_obs_row_columns alone;
        alm_obs_row_columns_set(&alone, row);
        alone.variant = 0;
        return alm_cells_visit(&it->inputs, &variant, 1, &alone.columns, st);
    }
    uint32_t id;
    uint32_t ignored;
    ALM_TRY(alm_variant_table_intern(&it->variants, variant, &id, st));
    if (alm_cells_find(&it->inputs, id, row->place, row->period) != ALM_CELL_NONE) {
        return ALM_OK;
    }
    return alm_cell_index_add(&it->unlisted, (uint64_t)id << 32 | row->place,
                              alm_period_pack(row->period), 0, &ignored, st);
}

static alm_code note_rows(void *arg, const alm_str *variants, size_t variant_count,
                          const alm_obs_columns *rows, alm_status *st)
{
    note_taker *taker = arg;
    for (size_t i = 0; i < rows->count; i++) {
        alm_obs row = alm_obs_at(rows, i);
        ALM_TRY(note_row(taker->it, variants, &row, st));
    }
    return taker->visit(taker->arg, variants, variant_count, rows, st);
}

static alm_code read_with_notes(void *self, const alm_fetch *fetch, alm_row_visit visit, void *arg,
                                alm_status *st)
{
    explanation *it = self;
    note_taker taker = {it, visit, arg};
    return it->reader->read(it->reader->self, fetch, note_rows, &taker, st);
}

static alm_code check_with_notes(void *self, alm_status *st)
{
    const explanation *it = self;
    return alm_row_reader_check(it->reader, st);
}

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

static const char *rollup_formula(const explanation *it)
{
    switch (it->indicator->over_places) {
    case ALM_AGGREGATION_AVERAGE:
        return "average of the members";
    case ALM_AGGREGATION_MAX:
        return "highest of the members";
    case ALM_AGGREGATION_MIN:
        return "lowest of the members";
    case ALM_AGGREGATION_RECOMPUTE:
        return "sum of the members' numerators / sum of their denominators";
    default:
        return "sum of the members";
    }
}

static const char *formula_of(const explanation *it, alm_transform_op op)
{
    switch (op) {
    case ALM_TRANSFORM_ROLLUP:
        return rollup_formula(it);
    case ALM_TRANSFORM_RANK:
        if (it->plan->peers.count > 0) {
            return it->indicator->direction == ALM_DIRECTION_DOWN
                       ? "rank among the named peers, lowest first"
                       : "rank among the named peers, highest first";
        }
        return it->indicator->direction == ALM_DIRECTION_DOWN
                   ? "rank among the places of the same parent and level, lowest first"
                   : "rank among the places of the same parent and level, highest first";
    default:
        return alm_transform_formula(op);
    }
}

// "f, then g": of every transform in order. NULL: out of memory.
static const char *formula(const explanation *it)
{
    const char *text = "";
    for (size_t i = 0; i < ALM_STAGE_COUNT && text != NULL; i++) {
        alm_transform_op op = it->plan->transforms.of[i].op;
        if (op != ALM_TRANSFORM_NONE) {
            text = alm_arena_printf(it->arena, "%s%s%s", text, text[0] == '\0' ? "" : ", then ",
                                    formula_of(it, op));
        }
    }
    return text;
}

// "[168.525, 168.535]", "at least 200", "at most 5", "" when nothing is known.
static char *interval_text(alm_arena *arena, alm_interval interval)
{
    bool open_below = isinf(interval.lower);
    bool open_above = isinf(interval.upper);
    if (open_below && open_above) {
        return alm_arena_strdup(arena, ALM_STR(""));
    }
    if (open_above) {
        return alm_arena_printf(arena, "at least %.12g", interval.lower);
    }
    if (open_below) {
        return alm_arena_printf(arena, "at most %.12g", interval.upper);
    }
    return alm_arena_printf(arena, "[%.12g, %.12g]", interval.lower, interval.upper);
}

static char *value_text(alm_arena *arena, const alm_value *value)
{
    char text[ALM_VALUE_TEXT_MAX];
    size_t len = alm_value_format(value, ALM_LANG_EN, text);
    return alm_arena_strdup(arena, (alm_str){text, len});
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

static char *place_text(const explanation *it, alm_place_id id)
{
    const alm_place *place = alm_place_tree_get(it->plan->tree, id);
    return alm_arena_printf(it->arena, "%.*s %.*s", ALM_STR_ARGS(place->code),
                            ALM_STR_ARGS(place->name_zh));
}

// "gdp 310105 长宁区 2023 level", with what the series has beyond that.
static char *series_text(const explanation *it, alm_str indicator, const char *place,
                         alm_period period, alm_str measure, alm_str breakdown, alm_str relation,
                         alm_accumulation accumulation)
{
    char label[ALM_PERIOD_TEXT_MAX];
    (void)alm_period_format(period, label);
    return alm_arena_printf(
        it->arena, "%.*s %s %s %.*s%s%.*s%s%.*s%s", ALM_STR_ARGS(indicator), place, label,
        ALM_STR_ARGS(measure), relation.len > 0 ? " of " : "", ALM_STR_ARGS(relation),
        breakdown.len > 0 ? ", " : "", ALM_STR_ARGS(breakdown),
        accumulation == ALM_ACCUMULATION_CUMULATIVE ? ", from the year's start" : "");
}

// --- steps --------------------------------------------------------------------------------------

static alm_code add_step(explanation *it, uint32_t depth, const Almanac__V1__ExplainStep *step,
                         alm_status *st)
{
    const char *texts[] = {step->what,   step->value,     step->interval, step->status,
                           step->source, step->published, step->note};
    for (size_t i = 0; i < ALM_ARRAY_LEN(texts); i++) {
        if (texts[i] == NULL) {
            return no_memory(st);
        }
    }
    Almanac__V1__ExplainStep *copy = alm_arena_alloc(it->arena, sizeof *copy);
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

static char *status_text(const explanation *it, alm_obs_status status)
{
    return alm_arena_strdup(it->arena, alm_str_from(alm_obs_status_label(status, ALM_LANG_EN)));
}

static alm_code add_remark(explanation *it, uint32_t depth, char *what, alm_status *st)
{
    Almanac__V1__ExplainStep step;
    almanac__v1__explain_step__init(&step);
    step.what = what;
    return add_step(it, depth, &step, st);
}

static alm_code add_observation(explanation *it, uint32_t depth, char *what, const alm_obs *obs,
                                alm_status *st)
{
    Almanac__V1__ExplainStep step;
    almanac__v1__explain_step__init(&step);
    step.what = what;
    step.value = value_text(it->arena, &obs->value);
    step.interval = interval_text(it->arena, alm_value_interval(&obs->value));
    step.status = status_text(it, obs->value.status);
    step.source = source_text(it, obs->source);
    step.published = date_text(it->arena, obs->published);
    step.note = alm_arena_strdup(it->arena, obs->note);
    return add_step(it, depth, &step, st);
}

static bool is_same_cell(const alm_obs *a, const alm_obs *b)
{
    return a->variant == b->variant && a->place == b->place && alm_period_eq(a->period, b->period);
}

static bool is_same_vintage(const alm_obs *a, const alm_obs *b)
{
    return a->source == b->source && a->published == b->published && a->sequence == b->sequence;
}

// What its source said of the cell last.
static const alm_obs *last_word(const explanation *it, const alm_obs *vintage)
{
    const alm_obs *last = vintage;
    for (size_t i = 0; i < it->vintage_count; i++) { // in order of publication
        const alm_obs *other = &it->vintages[i];
        last = is_same_cell(other, vintage) && other->source == vintage->source ? other : last;
    }
    return last;
}

static const char *kind_of(const explanation *it, const alm_obs *vintage)
{
    const alm_obs *last = last_word(it, vintage);
    return vintage->value.status == ALM_OBS_STATUS_WITHDRAWN ? "withdrawal"
           : last->value.status == ALM_OBS_STATUS_WITHDRAWN  ? "withdrawn vintage"
           : !is_same_vintage(last, vintage)                 ? "superseded vintage"
           : it->has_more_vintages ? "another vintage" // perhaps not its last
                                   : "also published, not used";
}

// What else was published for the cell.
static alm_code add_vintages(explanation *it, uint32_t depth, const alm_obs *winner, alm_status *st)
{
    for (size_t i = 0; i < it->vintage_count; i++) {
        const alm_obs *vintage = &it->vintages[i];
        if (!is_same_cell(vintage, winner) || is_same_vintage(vintage, winner)) {
            continue;
        }
        char *what = alm_arena_strdup(it->arena, alm_str_from(kind_of(it, vintage)));
        ALM_TRY(add_observation(it, depth, what, vintage, st));
    }
    return ALM_OK;
}

static alm_code add_input(explanation *it, uint32_t depth, const alm_obs *obs, alm_status *st)
{
    const alm_variant_entry *entry = alm_variant_table_get(&it->variants, obs->variant);
    const char *place = place_text(it, obs->place);
    if (place == NULL) {
        return no_memory(st);
    }
    char *what = series_text(it, entry->variant.indicator, place, obs->period,
                             alm_str_from(alm_measure_code(entry->variant.measure)),
                             entry->breakdown, entry->relation, entry->variant.accumulation);
    ALM_TRY(add_observation(it, depth, what, obs, st));
    return add_vintages(it, depth + 1, obs, st);
}

// The input that a published answer is; ALM_CELL_NONE if its cell has none.
static uint32_t input_of(const explanation *it, const alm_result_row *row)
{
    for (size_t i = 0; i < it->inputs.count; i++) {
        alm_obs obs = alm_cells_row(&it->inputs, i);
        const alm_variant_entry *entry = alm_variant_table_get(&it->variants, obs.variant);
        bool is_same =
            alm_period_eq(obs.period, row->period) &&
            alm_str_eq(alm_place_tree_get(it->plan->tree, obs.place)->code, row->place) &&
            alm_str_eq(alm_str_from(alm_measure_code(entry->variant.measure)), row->measure) &&
            entry->variant.accumulation == row->accumulation &&
            alm_str_eq(entry->breakdown, row->breakdown) &&
            alm_str_eq(entry->relation, row->relation);
        if (is_same) {
            return (uint32_t)i;
        }
    }
    return ALM_CELL_NONE;
}

static alm_code add_answer(explanation *it, const alm_result_row *row, alm_status *st)
{
    const char *place = place_text(it, alm_place_tree_find(it->plan->tree, row->place));
    if (place == NULL) {
        return no_memory(st);
    }
    Almanac__V1__ExplainStep step;
    almanac__v1__explain_step__init(&step);
    step.what = series_text(it, row->indicator, place, row->period, row->measure, row->breakdown,
                            row->relation, row->accumulation);
    if (row->computed && step.what != NULL) {
        const char *how = formula(it);
        step.what = how == NULL ? NULL : alm_arena_printf(it->arena, "%s = %s", step.what, how);
    }
    step.value = value_text(it->arena, &row->value);
    step.interval = interval_text(it->arena, row->interval);
    step.status = status_text(it, row->value.status);
    uint32_t source = row->source.len == 0
                          ? ALM_CATALOG_NONE
                          : alm_catalog_find_source(it->plan->catalog, row->source);
    step.source = source_text(it, source);
    step.published = date_text(it->arena, row->published);
    step.note = alm_arena_strdup(it->arena, row->reason.len > 0 ? row->reason : row->note);
    return add_step(it, 0, &step, st);
}

// --- vintages -----------------------------------------------------------------------------------

static alm_code take_vintages(void *arg, const alm_str *variants, size_t variant_count,
                              const alm_obs_columns *rows, alm_status *st)
{
    explanation *it = arg;
    uint32_t *map;
    ALM_TRY(alm_variant_table_map(&it->variants, variants, variant_count, &map, st));
    for (size_t i = 0; i < rows->count; i++) {
        alm_obs row = alm_obs_at(rows, i);
        row.variant = map[row.variant];
        if (alm_cells_find(&it->inputs, row.variant, row.place, row.period) == ALM_CELL_NONE) {
            continue;
        }
        if (it->vintage_count == ALM_EXPLAIN_VINTAGE_MAX) {
            it->has_more_vintages = true;
            return ALM_OK;
        }
        void *vintages = it->vintages;
        if (!alm_arena_grow(it->arena, &vintages, &it->vintage_cap, it->vintage_count + 1,
                            sizeof row) ||
            !keep_text(it->arena, &row.note)) {
            return no_memory(st);
        }
        it->vintages = vintages;
        it->vintages[it->vintage_count++] = row;
    }
    return ALM_OK;
}

static size_t unique(uint32_t *ids, size_t count)
{
    size_t kept = 0;
    qsort(ids, count, sizeof *ids, alm_id_order);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || ids[i] != ids[kept - 1]) {
            ids[kept++] = ids[i];
        }
    }
    return kept;
}

static int by_published(const void *a, const void *b)
{
    const alm_obs *x = a;
    const alm_obs *y = b;
    if (x->published != y->published) {
        return x->published < y->published ? -1 : 1;
    }
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

// Every vintage of the inputs, in one read of their places and periods.
static alm_code read_vintages(explanation *it, alm_status *st)
{
    size_t count = it->inputs.count;
    alm_place_id *places = alm_arena_calloc(it->arena, count, sizeof *places);
    alm_period_range *ranges = alm_arena_calloc(it->arena, count, sizeof *ranges);
    alm_str *indicators = alm_arena_calloc(it->arena, count, sizeof *indicators);
    if (places == NULL || ranges == NULL || indicators == NULL) {
        return no_memory(st);
    }
    size_t range_count = 0;
    size_t indicator_count = 0;
    uint32_t measures = 0;
    for (size_t i = 0; i < count; i++) {
        alm_obs obs = alm_cells_row(&it->inputs, i);
        const alm_variant *variant = &alm_variant_table_get(&it->variants, obs.variant)->variant;
        bool is_known = false;
        for (size_t k = 0; k < range_count && !is_known; k++) {
            is_known = alm_period_eq(ranges[k].from, obs.period);
        }
        if (!is_known) {
            ranges[range_count++] = (alm_period_range){obs.period, obs.period};
        }
        is_known = false;
        for (size_t k = 0; k < indicator_count && !is_known; k++) {
            is_known = alm_str_eq(indicators[k], variant->indicator);
        }
        if (!is_known) {
            indicators[indicator_count++] = variant->indicator;
        }
        places[i] = obs.place;
        measures |= ALM_MEASURE_BIT(variant->measure);
    }
    alm_fetch fetch = alm_query_plan_fetch(it->plan);
    fetch.indicators = indicators;
    fetch.indicator_count = indicator_count;
    fetch.measures = measures;
    fetch.places = places;
    fetch.place_count = unique(places, count);
    fetch.periods = (alm_period_expr){
        .kind = ALM_PERIOD_EXPR_RANGES, .ranges = ranges, .range_count = range_count};
    fetch.all_vintages = true;
    ALM_TRY(it->reader->read(it->reader->self, &fetch, take_vintages, it, st));
    if (it->vintage_count > 0) {
        qsort(it->vintages, it->vintage_count, sizeof it->vintages[0], by_published);
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
    it->indicator = plan->items[0].indicator;
    it->answers.arena = it->arena;
    it->response = alm_arena_alloc(it->arena, sizeof *it->response);
    if (it->response == NULL) {
        return no_memory(st);
    }
    almanac__v1__explain_response__init(it->response);
    ALM_TRY(alm_variant_table_init(&it->variants, it->arena, st));
    ALM_TRY(alm_cell_index_init(&it->unlisted, it->arena, st));
    return alm_cells_init(&it->inputs, it->arena, &it->variants, st);
}

// A target of another horizon was read only to be found not asked.
static bool is_bystander(const explanation *it, const alm_obs *obs)
{
    alm_measure measure = alm_variant_table_get(&it->variants, obs->variant)->variant.measure;
    return alm_query_plan_has(it->plan, ALM_TRANSFORM_TARGET) && measure == ALM_MEASURE_TARGET;
}

// Inputs that are answers themselves are told as such; the others follow the computed answer.
static alm_code add_inputs(explanation *it, const uint8_t *is_answer, alm_status *st)
{
    for (size_t i = 0; i < it->inputs.count; i++) {
        alm_obs obs = alm_cells_row(&it->inputs, i);
        if (!is_answer[i] && !is_bystander(it, &obs)) {
            ALM_TRY(add_input(it, 1, &obs, st));
        }
    }
    if (it->unlisted.count > 0) {
        ALM_TRY(add_remark(
            it, 1,
            alm_arena_printf(it->arena, "%zu more inputs are not listed", it->unlisted.count), st));
    }
    return ALM_OK;
}

static alm_code add_steps(explanation *it, alm_status *st)
{
    uint8_t *is_answer = alm_arena_calloc(it->arena, it->inputs.count, 1);
    if (is_answer == NULL) {
        return no_memory(st);
    }
    for (size_t k = 0; k < it->answers.count; k++) {
        const alm_result_row *row = &it->answers.rows[k];
        uint32_t input = row->computed ? ALM_CELL_NONE : input_of(it, row);
        if (input != ALM_CELL_NONE) {
            is_answer[input] = 1;
        }
    }
    bool told_inputs = false;
    for (size_t i = 0; i < it->answers.count; i++) {
        const alm_result_row *row = &it->answers.rows[i];
        uint32_t input = row->computed ? ALM_CELL_NONE : input_of(it, row);
        ALM_TRY(add_answer(it, row, st));
        if (input != ALM_CELL_NONE) {
            alm_obs obs = alm_cells_row(&it->inputs, input);
            ALM_TRY(add_vintages(it, 1, &obs, st));
        }
        if (row->computed && !told_inputs) {
            told_inputs = true;
            ALM_TRY(add_inputs(it, is_answer, st));
        }
    }
    if (it->has_more_vintages) {
        char *what = alm_arena_strdup(it->arena, ALM_STR("more vintages are not listed"));
        ALM_TRY(add_remark(it, 0, what, st));
    }
    return ALM_OK;
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

alm_code alm_explain(const alm_query_plan *plan, const alm_row_reader *reader, alm_arena *arena,
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
    alm_row_reader notes = {.self = it, .read = read_with_notes, .check = check_with_notes};
    alm_answer_sink sink = {&it->answers, take_answer, take_fault, NULL};
    alm_query_plan pinned;
    bool is_pinned;
    ALM_TRY(pin_period(it, &pinned, &is_pinned, st));
    ALM_TRY(alm_query_execute(is_pinned ? &pinned : plan, &notes, &sink, arena, st));
    if (it->answers.fault.code != ALM_OK) {
        return alm_status_copy(st, &it->answers.fault);
    }
    ALM_TRY(check_one_cell(it, st));
    if (it->inputs.count > 0) {
        ALM_TRY(read_vintages(it, st));
    }
    ALM_TRY(add_steps(it, st));
    *ret = it->response;
    return ALM_OK;
}
