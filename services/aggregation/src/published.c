// Observations as they were published, and the cells that were asked and have none.
#include "query_run.h"

#include "alm/limits.h"
#include "answer_order.h"

typedef struct collector {
    alm_query_run *run;
    uint8_t *has_row; // by index into the plan's places
    uint8_t
        *is_seen; // by listed period, and place: has a row; only where missing cells are answered
} collector;

// The index of a listed period; the count of all: it is none.
static size_t listed_index(const alm_query_plan *plan, alm_period period)
{
    size_t from = 0;
    size_t to = plan->listed_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (alm_period_cmp(plan->listed[middle], period) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    bool is_there = from < plan->listed_count && alm_period_eq(plan->listed[from], period);
    return is_there ? from : plan->listed_count;
}

static void mark_run(collector *it, const alm_cell_run *run)
{
    const alm_query_plan *plan = it->run->plan;
    size_t listed = listed_index(plan, run->period);
    uint8_t *seen = listed < plan->listed_count ? it->is_seen + listed * plan->places.count : NULL;
    for (size_t i = 0; i < run->rows.count; i++) {
        uint32_t place = alm_query_plan_place_index(plan, ALM_OBS_AT(&run->rows, place, i));
        it->has_row[place] = 1;
        if (seen != NULL) {
            seen[place] = 1;
        }
    }
}

static void mark_rows(collector *it, size_t from_run)
{
    const alm_cells *cells = &it->run->cells;
    for (size_t i = from_run; i < cells->run_count; i++) {
        mark_run(it, &cells->runs[i]);
    }
}

static alm_code as_of_text(alm_query_run *run, const char **ret, alm_status *st)
{
    char day[ALM_PERIOD_TEXT_MAX];
    if (run->plan->as_of == ALM_DATE_MAX) {
        *ret = "";
        return ALM_OK;
    }
    (void)alm_date_format(run->plan->as_of, day);
    return alm_query_run_text(run, ret, st, " as of %s", day);
}

// period: freq NONE, none at all.
static alm_code add_missing(alm_query_run *run, alm_place_id place, alm_period period,
                            alm_status *st)
{
    alm_measure measure =
        run->plan->measure == ALM_MEASURE_NONE ? ALM_MEASURE_LEVEL : run->plan->measure;
    alm_freq freq = period.freq != ALM_FREQ_NONE       ? (alm_freq)period.freq
                    : run->plan->freq != ALM_FREQ_NONE ? run->plan->freq
                                                       : ALM_FREQ_ANNUAL;
    const char *as_of;
    char label[ALM_PERIOD_TEXT_MAX];
    (void)alm_period_format(period, label);
    ALM_TRY(as_of_text(run, &as_of, st));
    alm_obs obs = {
        .place = place,
        .period = period,
        .value = {.unit = run->indicator->unit, .status = ALM_OBS_STATUS_MISSING_UNSPECIFIED},
        .source = ALM_SOURCE_NONE,
        .published = ALM_DATE_NONE,
    };
    ALM_TRY(alm_query_run_missing_variant(run, measure, freq, &obs.variant, st));
    alm_answer_extra extra = {.interval = alm_value_interval(&obs.value)};
    ALM_TRY(alm_query_run_text(run, &extra.reason, st, "no %s of %.*s for %.*s%s%s%s",
                               run->plan->measure == ALM_MEASURE_LEVEL ||
                                       run->plan->measure == ALM_MEASURE_NONE
                                   ? "observation"
                                   : alm_measure_code(measure),
                               ALM_STR_ARGS(run->indicator->code),
                               ALM_STR_ARGS(alm_place_tree_get(run->plan->tree, place)->code),
                               label[0] == '\0' ? "" : " in ", label, as_of));
    return alm_answers_add(&run->answers, &obs, &extra, st);
}

static alm_code add_missing_of_place(alm_query_run *run, const collector *it, size_t index,
                                     alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    alm_place_id place = plan->places.ids[index];
    if (plan->listed_count == 0) {
        return it->has_row[index] ? ALM_OK : add_missing(run, place, (alm_period){0}, st);
    }
    for (size_t i = 0; i < plan->listed_count; i++) {
        alm_period period = plan->listed[i];
        bool wants_freq = plan->freq == ALM_FREQ_NONE || plan->freq == period.freq;
        if (it->is_seen[i * plan->places.count + index] || !wants_freq) {
            continue;
        }
        alm_date day = alm_period_last_day(period);
        if (alm_place_valid_on(alm_place_tree_get(plan->tree, place), day)) {
            ALM_TRY(add_missing(run, place, period, st));
        }
    }
    return ALM_OK;
}

// "latest" of a place without a value is the newest that was published without one, or withdrawn.
static alm_code read_without_value(collector *it, alm_fetch *fetch, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_query_plan *plan = run->plan;
    alm_place_id *places = alm_arena_calloc(run->arena, plan->places.count, sizeof *places);
    if (places == NULL) {
        return alm_query_run_no_memory(st);
    }
    fetch->places = places;
    fetch->place_count = 0;
    for (size_t i = 0; i < plan->places.count; i++) { // in the order of ids
        alm_place_id place = plan->place_ids[i];
        if (!it->has_row[alm_query_plan_place_index(plan, place)]) {
            places[fetch->place_count++] = place;
        }
    }
    if (fetch->place_count == 0) {
        return ALM_OK;
    }
    fetch->without_value = true;
    return run->reader->read(run->reader->self, fetch, alm_cells_visit, &run->cells, st);
}

// A list of periods too long to be answered one by one has no missing cells; "latest" and open
// ranges are answered by place.
static bool answers_missing(const alm_query_run *run)
{
    const alm_query_plan *plan = run->plan;
    bool is_open = plan->period_estimate == 0;
    return run->is_named && (plan->listed_count > 0 ||
                             (is_open && plan->whole_count <= ALM_QUERY_MISSING_COUNT_MAX));
}

static alm_code add_all_missing(collector *it, alm_fetch *fetch, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_query_plan *plan = run->plan;
    it->has_row = alm_arena_calloc(run->arena, plan->places.count, 1);
    it->is_seen = alm_arena_calloc(run->arena, plan->places.count * plan->listed_count, 1);
    if (it->has_row == NULL || it->is_seen == NULL) {
        return alm_query_run_no_memory(st);
    }
    mark_rows(it, 0);
    if (plan->periods.kind == ALM_PERIOD_EXPR_LAST) {
        size_t before = run->cells.run_count;
        ALM_TRY(read_without_value(it, fetch, st));
        mark_rows(it, before);
    }
    for (size_t i = 0; i < plan->places.count; i++) {
        ALM_TRY(add_missing_of_place(run, it, i, st));
    }
    return ALM_OK;
}

// --- the first by their numbers -----------------------------------------------------------------

// Of an order by value, rows behind the limit need not be read.
static uint32_t top_of(const alm_query_run *run)
{
    const alm_query_plan *plan = run->plan;
    bool is_cut = plan->order != ALMANAC__V1__ORDER__ORDER_KEY && plan->limit > 0 &&
                  plan->limit <= ALM_TOP_COUNT_MAX && plan->limit < plan->places.count;
    return is_cut && run->trace == NULL ? plan->limit : 0;
}

// Are the numbers of all rows compared as storage compared them?
static bool are_plain(const alm_query_run *run)
{
    for (size_t i = 0; i < run->cells.run_count; i++) {
        const alm_cell_run *cells = &run->cells.runs[i];
        alm_measure measure =
            alm_variant_table_get(&run->variants, cells->variant)->variant.measure;
        for (size_t k = 0; k < cells->rows.count; k++) {
            if (alm_obs_flags_have_number(ALM_OBS_AT(&cells->rows, flags, k)) &&
                !alm_answer_order_is_plain(run->indicator, measure,
                                           ALM_OBS_AT(&cells->rows, unit, k))) {
                return false;
            }
        }
    }
    return true;
}

static size_t count_numbers(const alm_cells *cells)
{
    size_t count = 0;
    for (size_t i = 0; i < cells->run_count; i++) {
        const alm_obs_columns *rows = &cells->runs[i].rows;
        for (size_t k = 0; k < rows->count; k++) {
            count += alm_obs_flags_have_number(ALM_OBS_AT(rows, flags, k));
        }
    }
    return count;
}

// Reads the rows, at least those that the answer has. *ret_whole false: whatever is missing comes
// behind them, and behind the limit. Where rows were left out there are as many numbers as the
// limit.
static alm_code read_rows(alm_query_run *run, alm_fetch *fetch, bool *ret_whole, alm_status *st)
{
    fetch->top = top_of(run);
    fetch->top_is_lowest = run->plan->order == ALMANAC__V1__ORDER__ORDER_VALUE_ASC;
    ALM_TRY(run->reader->read(run->reader->self, fetch, alm_cells_visit, &run->cells, st));
    *ret_whole = fetch->top == 0 || count_numbers(&run->cells) < fetch->top;
    if (!*ret_whole && !are_plain(run)) {
        fetch->top = 0;
        *ret_whole = true;
        ALM_TRY(run->reader->read(run->reader->self, fetch, alm_cells_visit, &run->cells, st));
    }
    fetch->top = 0;
    return ALM_OK;
}

// --- one place ----------------------------------------------------------------------------------

// One that is asked for every period that it has, in their order, by nobody who looks behind them.
static bool is_of_one_place(const alm_query_run *run)
{
    const alm_query_plan *plan = run->plan;
    return plan->places.count == 1 && plan->order == ALMANAC__V1__ORDER__ORDER_KEY &&
           run->trace == NULL;
}

static size_t count_listed(const alm_query_plan *plan, const alm_lone_series *series)
{
    size_t count = 0;
    for (size_t k = 0; k < series->run_count; k++) {
        const alm_obs_columns *rows = &series->runs[k].rows;
        for (size_t i = 0; i < rows->count; i++) {
            count += listed_index(plan, ALM_OBS_AT(rows, period, i)) < plan->listed_count;
        }
    }
    return count;
}

// *ret_done false: the rows are cells, and what is missing is to be added.
static alm_code read_one_place(alm_query_run *run, const alm_fetch *fetch, bool *ret_done,
                               alm_status *st)
{
    alm_lone_series *series = alm_arena_alloc(run->arena, sizeof *series);
    if (series == NULL) {
        return alm_query_run_no_memory(st);
    }
    alm_lone_series_init(series, &run->cells);
    ALM_TRY(run->reader->read(run->reader->self, fetch, alm_lone_series_visit, series, st));
    bool is_whole = series->count > 0 && count_listed(run->plan, series) == run->plan->listed_count;
    *ret_done = !series->is_spilt && is_whole;
    if (*ret_done) {
        run->answers.series = series;
        return ALM_OK;
    }
    return series->is_spilt ? ALM_OK : alm_lone_series_spill(series, st);
}

alm_code alm_published_run(alm_query_run *run, alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    collector it = {.run = run};
    alm_fetch fetch = alm_query_plan_fetch(plan);
    fetch.indicators = &run->indicator->code;
    fetch.indicator_count = 1;
    fetch.measures = plan->measure == ALM_MEASURE_NONE ? 0 : ALM_MEASURE_BIT(plan->measure);
    fetch.places = plan->place_ids;
    fetch.place_count = plan->places.count;
    fetch.periods = plan->periods;
    fetch.without_value = plan->periods.kind != ALM_PERIOD_EXPR_LAST;
    bool is_whole = true;
    bool is_done = false;
    ALM_TRY(is_of_one_place(run) ? read_one_place(run, &fetch, &is_done, st)
                                 : read_rows(run, &fetch, &is_whole, st));
    if (is_done) {
        return ALM_OK;
    }
    run->answers.cells = &run->cells;
    return is_whole && answers_missing(run) ? add_all_missing(&it, &fetch, st) : ALM_OK;
}
