#include "answer.h"

#include "alm/alloc.h"
#include "alm/limits.h"
#include "answer_order.h"
#include "convert.h"
#include "teller.h"

void alm_answers_init(alm_answers *answers, alm_arena *arena, const alm_variant_table *variants)
{
    *answers = (alm_answers){.arena = arena, .variants = variants};
}

static alm_answer *slot(alm_answers *answers)
{
    if (answers->count == answers->chunk_count * ALM_ANSWER_CHUNK) {
        void *chunks = answers->chunks;
        alm_answer *chunk = alm_arena_alloc(answers->arena, ALM_ANSWER_CHUNK * sizeof *chunk);
        if (chunk == NULL ||
            !alm_arena_grow(answers->arena, &chunks, &answers->chunk_cap, answers->chunk_count + 1,
                            sizeof(answers->chunks[0]))) {
            return NULL;
        }
        answers->chunks = chunks;
        answers->chunks[answers->chunk_count++] = chunk;
    }
    return &answers->chunks[answers->count / ALM_ANSWER_CHUNK][answers->count % ALM_ANSWER_CHUNK];
}

static alm_code append(alm_answers *answers, const alm_obs *obs, const alm_answer_extra *extra,
                       alm_status *st)
{
    if (answers->count == ALM_QUERY_CELL_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "the answer has more than %d rows, the limit; ask for fewer places "
                              "or periods",
                              ALM_QUERY_CELL_COUNT_MAX);
    }
    alm_answer *answer = slot(answers);
    if (answer == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %zu rows",
                              answers->count + 1);
    }
    *answer = (alm_answer){*obs, extra};
    answers->count++;
    return ALM_OK;
}

alm_code alm_answers_add_published(alm_answers *answers, const alm_obs *obs, alm_status *st)
{
    return append(answers, obs, NULL, st);
}

alm_code alm_answers_add(alm_answers *answers, const alm_obs *obs, const alm_answer_extra *extra,
                         alm_status *st)
{
    alm_answer_extra *copy = alm_arena_alloc(answers->arena, sizeof *copy);
    if (copy == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %zu rows",
                              answers->count + 1);
    }
    *copy = *extra;
    return append(answers, obs, copy, st);
}

uint32_t alm_answer_place_order(const alm_query_plan *plan, alm_place_id place)
{
    uint32_t index = alm_query_plan_place_index(plan, place);
    return index != ALM_PLACE_NONE ? index : (uint32_t)plan->places.count + place;
}

alm_obs alm_answers_obs(const alm_answers *answers, size_t row)
{
    size_t first = answers->cells == NULL ? 0 : answers->cells->count;
    return row < first ? alm_cells_row(answers->cells, row)
                       : alm_answers_get(answers, row - first)->obs;
}

// --- telling ------------------------------------------------------------------------------------

static void drop_number(alm_result_row *row, const char *reason)
{
    row->value.has_number = false;
    row->value.number = (alm_decimal){0};
    row->interval = alm_value_interval(&row->value);
    row->reason = alm_str_from(reason);
}

// The unit that was asked, for values of the indicator's own dimension; growth stays percent.
// False: it is theirs already, or they keep their own.
static bool is_to_convert(const alm_query_plan *plan, const alm_indicator *indicator,
                          alm_measure measure, alm_unit unit, alm_unit *ret)
{
    *ret = plan->unit_choice == ALM_UNIT_GIVEN ? plan->unit : indicator->unit;
    alm_dimension dimension = alm_measure_dimension(measure, alm_unit_dimension(indicator->unit));
    return plan->unit_choice != ALM_UNIT_AS_PUBLISHED && dimension == alm_unit_dimension(*ret) &&
           !alm_unit_eq(unit, *ret);
}

static void convert(const alm_query_plan *plan, const alm_indicator *indicator, alm_measure measure,
                    alm_result_row *row)
{
    alm_unit to;
    if (!row->value.has_number || !is_to_convert(plan, indicator, measure, row->value.unit, &to)) {
        return;
    }
    alm_decimal number;
    bool converts = alm_unit_convertible(row->value.unit, to);
    if (!converts && row->computed) {
        return; // it has a unit of its own: points, of percent
    }
    if (!converts) {
        drop_number(row, "the published unit does not convert to the unit asked");
    } else if (alm_number_in_unit(&row->value, to, &number, NULL) != ALM_OK) {
        drop_number(row, "the number does not fit in the unit asked");
    } else {
        row->interval = alm_interval_scale(row->interval, alm_unit_factor(row->value.unit, to));
        row->value.number = number;
        row->value.unit = to;
    }
}

const char *alm_answer_missing(const alm_catalog *catalog, const alm_obs *obs, alm_arena *arena)
{
    if (!alm_obs_status_missing(obs->value.status)) {
        return "";
    }
    const char *label = alm_obs_status_label(obs->value.status, ALM_LANG_EN);
    if (obs->value.status != ALM_OBS_STATUS_WITHDRAWN) {
        return label;
    }
    char day[ALM_PERIOD_TEXT_MAX];
    bool has_source = obs->source < alm_catalog_source_count(catalog);
    alm_str by = has_source ? alm_catalog_source(catalog, obs->source)->code : (alm_str){0};
    (void)alm_date_format(obs->published, day);
    return alm_arena_printf(arena, "%s%s%.*s on %s", label, has_source ? " by " : "",
                            ALM_STR_ARGS(by), day);
}

static alm_code reason_of(const alm_answers *answers, const alm_query_plan *plan,
                          const alm_answer *answer, alm_str *ret, alm_status *st)
{
    *ret = (alm_str){0};
    if (answer->extra != NULL && answer->extra->reason[0] != '\0') {
        *ret = alm_str_from(answer->extra->reason);
    } else if (!answer->obs.value.has_number) {
        const char *text = alm_answer_missing(plan->catalog, &answer->obs, answers->arena);
        if (text == NULL) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a reason");
        }
        *ret = alm_str_from(text);
    }
    return ALM_OK;
}

// A value computed of a target is the progress towards it, a rank in percent a percentile; no
// series of the store has these measures.
static alm_str measure_of(const alm_variant_entry *entry, bool computed, alm_unit unit)
{
    if (entry->variant.measure == ALM_MEASURE_TARGET && computed) {
        return ALM_STR("target_progress");
    }
    if (entry->variant.measure == ALM_MEASURE_RANK && unit.measure == ALM_MEASURE_UNIT_PERCENT) {
        return ALM_STR("percentile");
    }
    return alm_str_from(alm_measure_code(entry->variant.measure));
}

bool alm_answers_common(const alm_answers *answers, const alm_query_plan *plan,
                        const alm_indicator *indicator, const alm_obs *row, bool computed,
                        alm_told_common *ret)
{
    const alm_variant_entry *entry = alm_variant_table_get(answers->variants, row->variant);
    alm_unit to;
    *ret = (alm_told_common){
        .measure = measure_of(entry, computed, row->value.unit),
        .breakdown = entry->breakdown,
        .relation = entry->relation,
        .transform = computed ? plan->transforms_text : (alm_str){0},
        .accumulation = entry->variant.accumulation,
        .unit = row->value.unit,
        .computed = computed,
    };
    return !is_to_convert(plan, indicator, entry->variant.measure, row->value.unit, &to);
}

static alm_result_row row_of(const alm_answers *answers, const alm_query_plan *plan,
                             const alm_indicator *indicator, const alm_answer *answer)
{
    const alm_obs *obs = &answer->obs;
    const alm_answer_extra *extra = answer->extra;
    const alm_variant_entry *entry = alm_variant_table_get(answers->variants, obs->variant);
    alm_result_row row = {
        .place = alm_place_tree_get(plan->tree, obs->place)->code,
        .measure = measure_of(entry, extra != NULL && extra->computed, obs->value.unit),
        .breakdown = entry->breakdown,
        .relation = entry->relation,
        .accumulation = entry->variant.accumulation,
        .period = obs->period,
        .value = obs->value,
        .interval = extra != NULL ? extra->interval : alm_value_interval(&obs->value),
        .computed = extra != NULL && extra->computed,
        .published = obs->published,
        .note = obs->note,
        .transform = extra != NULL && extra->computed ? plan->transforms_text : (alm_str){0},
        .of_count = extra == NULL ? 0 : extra->of_count,
        .of_expected = extra == NULL ? 0 : extra->of_expected,
        .pace = extra == NULL ? NULL : extra->pace,
    };
    if (obs->source < alm_catalog_source_count(plan->catalog)) {
        row.source = alm_catalog_source(plan->catalog, obs->source)->code;
    }
    convert(plan, indicator, entry->variant.measure, &row);
    return row;
}

// What is told next: row by row, or in columns as long as rows are alike.
typedef struct telling {
    const alm_answers *answers;
    const alm_query_plan *plan;
    const alm_indicator *indicator;
    alm_str label;
    const alm_answer_sink *sink;
    alm_teller *teller; // NULL: the sink takes no columns
    bool is_begun;      // with rows of this variant and unit, which need not be converted:
    uint32_t variant;
    alm_unit unit;
    bool has_bounds; // of exact numbers of this exponent in this unit
    int32_t exponent;
    Almanac__V1__Bounds bounds;
} telling;

static alm_code tell_answer(telling *it, const alm_answer *answer, alm_status *st)
{
    alm_result_row row = row_of(it->answers, it->plan, it->indicator, answer);
    row.indicator = it->label;
    if (row.reason.len == 0) {
        ALM_TRY(reason_of(it->answers, it->plan, answer, &row.reason, st));
    }
    if (it->teller != NULL) {
        ALM_TRY(alm_teller_flush(it->teller, st));
    }
    return it->sink->row(it->sink->self, &row, st);
}

static bool is_like(const telling *it, uint32_t variant, alm_unit unit)
{
    return it->is_begun && it->variant == variant && alm_unit_eq(it->unit, unit);
}

// False: the row's number is to be converted.
static alm_code begin_alike(telling *it, const alm_obs *obs, bool *ret, alm_status *st)
{
    *ret = is_like(it, obs->variant, obs->value.unit);
    if (*ret) {
        return ALM_OK;
    }
    alm_told_common common;
    it->is_begun = alm_answers_common(it->answers, it->plan, it->indicator, obs, false, &common);
    it->variant = obs->variant;
    it->unit = obs->value.unit;
    it->has_bounds = false;
    common.indicator = it->label;
    *ret = it->is_begun;
    return it->is_begun ? alm_teller_begin(it->teller, &common, st) : ALM_OK;
}

#define PLAIN_MAX (ALM_DECIMAL_MANTISSA_MAX / 100) // such numbers have ends that are decimals

// Where an exact number is no decimal's neighbour, the kind of its bounds is that of all like it.
static void find_bounds(telling *it, const alm_value *value, alm_told_row *row)
{
    bool is_plain = value->has_number && value->qualifier == ALM_QUALIFIER_EXACT &&
                    value->number.mantissa < PLAIN_MAX && value->number.mantissa > -PLAIN_MAX;
    if (is_plain && it->has_bounds && it->exponent == value->number.exponent) {
        row->bounds = it->bounds;
        return;
    }
    row->interval = alm_value_interval(value);
    row->bounds = alm_result_bounds(value, row->interval);
    if (is_plain) {
        it->has_bounds = row->bounds != ALMANAC__V1__BOUNDS__BOUNDS_TOLD;
        it->exponent = value->number.exponent;
        it->bounds = row->bounds;
    }
}

static alm_code tell_published(telling *it, const alm_obs *obs, alm_status *st)
{
    alm_answer answer = {.obs = *obs};
    alm_str reason = {0};
    bool is_alike = it->teller != NULL;
    if (is_alike) {
        ALM_TRY(begin_alike(it, obs, &is_alike, st));
    }
    if (!is_alike) {
        return tell_answer(it, &answer, st);
    }
    if (!obs->value.has_number) {
        ALM_TRY(reason_of(it->answers, it->plan, &answer, &reason, st));
    }
    alm_told_row row = alm_told_row_of(obs);
    row.reason = reason;
    find_bounds(it, &obs->value, &row);
    return alm_teller_add(it->teller, &row, st);
}

// Nearly always the row has a number and is like the one before: then it is made of what columns
// say without being an observation in between.
static alm_code tell_row(telling *it, const alm_cell_run *run, size_t i, alm_status *st)
{
    const alm_obs_columns *rows = &run->rows;
    bool is_plain = it->teller != NULL && alm_obs_flags_have_number(ALM_OBS_AT(rows, flags, i)) &&
                    is_like(it, run->variant, ALM_OBS_AT(rows, unit, i));
    alm_obs obs = alm_obs_at(rows, i);
    if (is_plain) {
        alm_value value = obs.value;
        alm_told_row row = alm_told_row_of(&obs);
        find_bounds(it, &value, &row);
        return alm_teller_add(it->teller, &row, st);
    }
    alm_obs other = obs;
    other.variant = run->variant;
    return tell_published(it, &other, st);
}

static alm_code tell_in_order(telling *it, const alm_answer_order *order, alm_status *st)
{
    const alm_cells *cells = it->answers->cells;
    size_t first = cells == NULL ? 0 : cells->count;
    const alm_cell_run *run = NULL; // of the row before
    for (size_t i = 0; i < order->count; i++) {
        uint32_t row = order->keys[i].row;
        if (row >= first) {
            ALM_TRY(tell_answer(it, alm_answers_get(it->answers, row - first), st));
            continue;
        }
        if (run == NULL || row < run->first || row - run->first >= run->rows.count) {
            run = alm_cells_run_of(cells, row);
        }
        ALM_TRY(tell_row(it, run, row - run->first, st));
    }
    return it->teller == NULL ? ALM_OK : alm_teller_flush(it->teller, st);
}

// Of published rows only, if the sink takes columns.
static alm_code make_teller(telling *it, size_t most, alm_status *st)
{
    const alm_answers *answers = it->answers;
    bool has_published = answers->cells != NULL || answers->series != NULL;
    return it->sink->writer != NULL && has_published
               ? alm_teller_make(it->plan, it->sink, most, answers->arena, &it->teller, st)
               : ALM_OK;
}

// The rows are in order.
static alm_code tell_series(telling *it, size_t count, alm_status *st)
{
    const alm_lone_series *series = it->answers->series;
    for (size_t k = 0; k < series->run_count; k++) {
        const alm_cell_run *run = &series->runs[k];
        for (size_t i = 0; i < run->rows.count && run->first + i < count; i++) {
            ALM_TRY(tell_row(it, run, i, st));
        }
    }
    return it->teller == NULL ? ALM_OK : alm_teller_flush(it->teller, st);
}

alm_code alm_answers_tell(const alm_answers *answers, const alm_query_plan *plan,
                          const alm_indicator *indicator, alm_str label,
                          const alm_answer_sink *sink, alm_status *st)
{
    alm_answer_order order;
    telling it = {
        .answers = answers, .plan = plan, .indicator = indicator, .label = label, .sink = sink};
    size_t count = alm_answers_count(answers);
    if (count == 0) {
        return ALM_OK;
    }
    if (answers->series != NULL) {
        count = plan->limit > 0 ? ALM_MIN(count, (size_t)plan->limit) : count;
        ALM_TRY(make_teller(&it, count, st));
        return tell_series(&it, count, st);
    }
    ALM_TRY(alm_answer_order_make(answers, plan, indicator, &order, st));
    alm_code code = make_teller(&it, order.count, st);
    if (code == ALM_OK) {
        code = tell_in_order(&it, &order, st);
    }
    alm_free(order.keys);
    return code;
}
