#include "source_grid.h"

#include "convert.h"
#include "derived_grid.h"
#include "rollup.h"

#include "alm/id_order.h"

#include <stdlib.h>

// --- families -----------------------------------------------------------------------------------

alm_code alm_family_key(alm_query_run *run, uint32_t variant, uint32_t *ret, alm_status *st)
{
    alm_variant key = alm_variant_table_get(&run->variants, variant)->variant;
    key.freq = ALM_FREQ_ANNUAL;
    key.accumulation = ALM_ACCUMULATION_PERIOD;
    return alm_variant_table_add(&run->variants, &key, ret, st);
}

static alm_code take_variant(alm_query_run *run, alm_families *families, uint32_t variant,
                             alm_status *st)
{
    uint32_t key;
    ALM_TRY(alm_family_key(run, variant, &key, st));
    size_t at = 0;
    while (at < families->count && families->of[at].key != key) {
        at++;
    }
    if (at == families->count) {
        void *of = families->of;
        if (!alm_arena_grow(run->arena, &of, &families->cap, at + 1, sizeof(families->of[0]))) {
            return alm_query_run_no_memory(st);
        }
        families->of = of;
        families->of[families->count++] = (alm_family){.key = key};
    }
    alm_family *family = &families->of[at];
    void *variants = family->variants;
    if (!alm_arena_grow(run->arena, &variants, &family->cap, family->count + 1,
                        sizeof(family->variants[0]))) {
        return alm_query_run_no_memory(st);
    }
    family->variants = variants;
    family->variants[family->count++] = variant;
    return ALM_OK;
}

alm_code alm_visit_read(alm_query_run *run, alm_read_visit visit, void *arg, alm_status *st)
{
    for (size_t i = 0; run->groups == NULL && i < run->cells.run_count; i++) {
        const alm_cell_run *cells = &run->cells.runs[i];
        ALM_TRY(visit(arg, cells->variant, cells->period, st));
    }
    for (size_t r = 0; r < run->rollup_count; r++) {
        for (size_t i = 0; i < alm_rollup_slice_count(run->rollups[r]); i++) {
            uint32_t variant;
            alm_period period;
            ALM_TRY(alm_rollup_slice_at(run->rollups[r], i, &variant, &period, st));
            ALM_TRY(visit(arg, variant, period, st));
        }
    }
    return ALM_OK;
}

typedef struct variant_set {
    alm_query_run *run;
    uint8_t *is_read;
    size_t cap;
} variant_set;

static alm_code note_variant(void *arg, uint32_t variant, alm_period period, alm_status *st)
{
    (void)period;
    variant_set *set = arg;
    size_t before = set->cap;
    void *is_read = set->is_read;
    if (!alm_arena_grow(set->run->arena, &is_read, &set->cap, (size_t)variant + 1, 1)) {
        return alm_query_run_no_memory(st);
    }
    set->is_read = is_read;
    memset(set->is_read + before, 0, set->cap - before);
    set->is_read[variant] = 1;
    return ALM_OK;
}

alm_code alm_families_find(alm_query_run *run, alm_str indicator, alm_measure measure,
                           alm_families *ret, alm_status *st)
{
    *ret = (alm_families){0};
    variant_set set = {.run = run};
    ALM_TRY(alm_visit_read(run, note_variant, &set, st));
    for (uint32_t i = 0; i < set.cap; i++) {
        if (!set.is_read[i]) {
            continue;
        }
        const alm_variant *variant = &alm_variant_table_get(&run->variants, i)->variant;
        if (variant->measure == measure && alm_str_eq(variant->indicator, indicator)) {
            ALM_TRY(take_variant(run, ret, i, st));
        }
    }
    return ALM_OK;
}

// --- candidates ---------------------------------------------------------------------------------

static alm_code make_candidate(alm_query_run *run, const alm_indicator *indicator, uint32_t variant,
                               alm_freq freq, alm_accumulation accumulation, alm_candidate *ret,
                               alm_status *fault)
{
    const alm_variant *of = &alm_variant_table_get(&run->variants, variant)->variant;
    const alm_transform *asked = &run->plan->transforms.of[ALM_STAGE_FREQUENCY];
    alm_transform frequency = {
        .op = ALM_TRANSFORM_TO_FREQUENCY, .freq = freq, .method = asked->method};
    alm_transform accumulate = {.op = ALM_TRANSFORM_TO_ACCUMULATION, .accumulation = accumulation};
    alm_quantity quantity = alm_quantity_of(indicator, of->measure, of->freq, of->accumulation);
    *ret = (alm_candidate){.variant = variant};
    ALM_TRY(alm_step_make(&frequency, &quantity, &ret->frequency, fault));
    return alm_step_make(&accumulate, &ret->frequency.out, &ret->accumulation, fault);
}

static bool is_converted(const alm_step *step)
{
    return step->transform.op != ALM_TRANSFORM_LIN;
}

static bool is_frequency_asked(const alm_query_run *run)
{
    return run->plan->transforms.of[ALM_STAGE_FREQUENCY].op != ALM_TRANSFORM_NONE;
}

static bool is_accumulation_asked(const alm_query_run *run)
{
    return run->plan->transforms.of[ALM_STAGE_ACCUMULATION].op != ALM_TRANSFORM_NONE;
}

// The target itself, then the coarser frequency, then the same accumulation.
static int by_preference(const void *a, const void *b)
{
    const alm_candidate *x = a;
    const alm_candidate *y = b;
    int x_freq = is_converted(&x->frequency) ? (int)x->frequency.in.freq : 0;
    int y_freq = is_converted(&y->frequency) ? (int)y->frequency.in.freq : 0;
    if (x_freq != y_freq) {
        return x_freq < y_freq ? -1 : 1;
    }
    return (int)is_converted(&x->accumulation) - (int)is_converted(&y->accumulation);
}

alm_code alm_source_grid_plan(alm_query_run *run, const alm_indicator *indicator,
                              const alm_derived *derived, const alm_family *family, alm_freq freq,
                              alm_accumulation accumulation, alm_source_grid *ret,
                              alm_status *fault, alm_status *st)
{
    const alm_variant_entry *entry = alm_variant_table_get(&run->variants, family->key);
    alm_measure measure = entry->variant.measure;
    *ret = (alm_source_grid){
        .run = run,
        .indicator = indicator,
        .quantity = alm_quantity_of(indicator, measure, freq, accumulation),
        .candidates = alm_arena_calloc(run->arena, family->count, sizeof *ret->candidates),
        .rollup = alm_rollup_find(run, indicator->code, entry->breakdown),
    };
    if (ret->candidates == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = 0; i < family->count; i++) {
        const alm_variant *of =
            &alm_variant_table_get(&run->variants, family->variants[i])->variant;
        alm_candidate candidate;
        bool is_wanted = (of->freq == freq || is_frequency_asked(run)) &&
                         (of->accumulation == accumulation || is_accumulation_asked(run));
        if (is_wanted && make_candidate(run, indicator, family->variants[i], freq, accumulation,
                                        &candidate, fault) == ALM_OK) {
            ret->candidates[ret->count++] = candidate;
        }
    }
    if (ret->count > 0) {
        qsort(ret->candidates, ret->count, sizeof ret->candidates[0], by_preference);
    }
    return derived == NULL ? ALM_OK
                           : alm_derived_grid_plan(run, derived, family->key, &ret->quantity,
                                                   &ret->derived, fault, st);
}

alm_code alm_source_grid_plan_beside(alm_query_run *run, const alm_indicator *indicator,
                                     const alm_derived *derived, const alm_family *family,
                                     alm_freq freq, alm_accumulation accumulation,
                                     alm_source_grid *ret, alm_status *fault, alm_status *st)
{
    ALM_TRY(
        alm_source_grid_plan(run, indicator, derived, family, freq, accumulation, ret, fault, st));
    bool has_any = ret->count > 0 || ret->derived != NULL;
    if (has_any || indicator->over_time == ALM_AGGREGATION_SUM) {
        return ALM_OK;
    }
    return alm_source_grid_plan(run, indicator, derived, family, freq, ALM_ACCUMULATION_PERIOD, ret,
                                fault, st);
}

// --- loading ------------------------------------------------------------------------------------

static alm_code take_rollup(const alm_source_grid *it, uint32_t variant, size_t series,
                            alm_period period, alm_grid_obs *obs, bool *ret_is_told, alm_status *st)
{
    alm_rollup_cell cell;
    ALM_TRY(alm_rollup_cell_get(it->rollup, variant, period, it->set->groups[series], false, &cell,
                                ret_is_told, st));
    alm_grid_obs_set(obs, &cell.computed.value, cell.computed.interval, it->quantity.unit);
    obs->published = cell.computed.published;
    obs->source = cell.computed.source;
    return ALM_OK;
}

static alm_code load_rollup(alm_source_grid *it, alm_candidate *candidate, alm_axis axis,
                            alm_status *st)
{
    size_t cells = it->set->source_count * axis.count;
    alm_grid_obs *obs = alm_arena_alloc(it->arena, cells * sizeof *obs);
    size_t count = 0;
    if (obs == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (uint32_t s = 0; s < it->set->source_count; s++) {
        for (uint32_t t = 0; t < axis.count; t++) {
            bool is_told;
            obs[count] = (alm_grid_obs){.series = s, .t = t};
            ALM_TRY(take_rollup(it, candidate->variant, s, alm_axis_at(axis, t), &obs[count],
                                &is_told, st));
            count += is_told;
        }
    }
    ALM_TRY(alm_grid_load(axis, it->set->source_count, obs, count, it->quantity.unit, it->arena,
                          &candidate->published, st));
    for (size_t i = 0; i < alm_grid_cells(&candidate->published); i++) {
        candidate->published.flags[i] |= ALM_CELL_COMPUTED;
    }
    return ALM_OK;
}

typedef struct matches {
    alm_grid_rows *runs;
    size_t count, cap;
} matches;

// ascends: the set's places do, each being there once.
static void match_rows(const alm_series_set *set, bool ascends, const alm_cell_run *run,
                       alm_grid_rows *ret)
{
    const alm_obs_columns *rows = &run->rows;
    size_t row = 0;
    for (uint32_t s = 0; s < set->source_count; s++) {
        alm_place_id place = set->places[s];
        // Neighbours in the set are mostly neighbours in the run.
        size_t from = ascends ? row : 0;
        bool is_next = from < rows->count && ALM_OBS_AT(rows, place, from) == place;
        row = is_next ? from : alm_cell_run_seek(run, from, place);
        if (row < rows->count && ALM_OBS_AT(rows, place, row) == place) {
            ret->series[ret->count] = s;
            ret->at[ret->count++] = (uint32_t)row++;
        }
    }
}

static alm_code match_run(const alm_source_grid *it, bool ascends, const alm_cell_run *run,
                          uint32_t t, matches *ret, alm_status *st)
{
    size_t series = it->set->source_count;
    size_t most = ascends ? ALM_MIN(series, run->rows.count) : series;
    alm_grid_rows matched = {
        .rows = &run->rows,
        .t = t,
        .series = alm_arena_alloc(it->arena, most * sizeof *matched.series),
        .at = alm_arena_alloc(it->arena, most * sizeof *matched.at),
    };
    void *runs = ret->runs;
    if (matched.series == NULL || matched.at == NULL ||
        !alm_arena_grow(it->arena, &runs, &ret->cap, ret->count + 1, sizeof matched)) {
        return alm_query_run_no_memory(st);
    }
    match_rows(it->set, ascends, run, &matched);
    ret->runs = runs;
    ret->runs[ret->count++] = matched;
    return ALM_OK;
}

static alm_code match(const alm_source_grid *it, uint32_t variant, alm_axis axis, matches *ret,
                      alm_status *st)
{
    const alm_cells *cells = &it->run->cells;
    bool ascends = alm_ids_ascend(it->set->places, it->set->source_count);
    *ret = (matches){0};
    for (uint32_t t = 0; t < axis.count; t++) {
        const alm_cell_run *run = alm_cells_runs(cells, variant, alm_axis_at(axis, t));
        for (; run != NULL; run = alm_cells_next(cells, run)) {
            ALM_TRY(match_run(it, ascends, run, t, ret, st));
        }
    }
    return ALM_OK;
}

static alm_code load_published(alm_source_grid *it, alm_candidate *candidate, alm_axis axis,
                               alm_status *st)
{
    matches found;
    alm_grid_fit fit = {0};
    if (it->rollup != NULL) {
        return load_rollup(it, candidate, axis, st);
    }
    ALM_TRY(match(it, candidate->variant, axis, &found, st));
    for (size_t i = 0; i < found.count; i++) {
        alm_grid_fit_rows(&fit, &found.runs[i], it->quantity.unit);
    }
    ALM_TRY(
        alm_grid_make_fit(axis, it->set->source_count, &fit, it->arena, &candidate->published, st));
    for (size_t i = 0; i < found.count; i++) {
        alm_grid_put_rows(&candidate->published, &found.runs[i], it->quantity.unit);
    }
    return ALM_OK;
}

// Behind the conversion of frequency, and before it.
static alm_code candidate_axes(const alm_candidate *candidate, alm_axis axis,
                               alm_axis *ret_at_frequency, alm_axis *ret_published, alm_status *st)
{
    ALM_TRY(alm_step_reach(&candidate->accumulation, axis, ret_at_frequency, st));
    return alm_step_reach(&candidate->frequency, *ret_at_frequency, ret_published, st);
}

alm_code alm_source_grid_periods(const alm_source_grid *it, alm_axis axis, uint32_t *ret,
                                 alm_status *st)
{
    *ret = axis.count;
    for (size_t i = 0; i < it->count; i++) {
        alm_axis at_frequency;
        alm_axis published;
        ALM_TRY(candidate_axes(&it->candidates[i], axis, &at_frequency, &published, st));
        *ret = ALM_MAX(*ret, ALM_MAX(at_frequency.count, published.count));
    }
    uint32_t derived = 0;
    if (it->derived != NULL) {
        ALM_TRY(alm_derived_grid_periods(it->derived, axis, &derived, st));
    }
    *ret = ALM_MAX(*ret, derived);
    return ALM_OK;
}

static alm_code load_candidate(alm_source_grid *it, alm_candidate *candidate, alm_axis axis,
                               alm_status *st)
{
    alm_arena *arena = it->arena;
    alm_axis at_frequency;
    alm_axis published;
    ALM_TRY(candidate_axes(candidate, axis, &at_frequency, &published, st));
    ALM_TRY(load_published(it, candidate, published, st));
    ALM_TRY(alm_step_run(&candidate->frequency, &candidate->published, at_frequency, arena,
                         &candidate->at_frequency, st));
    return alm_step_run(&candidate->accumulation, &candidate->at_frequency, axis, arena,
                        &candidate->converted, st);
}

static alm_code load_candidates(alm_source_grid *it, alm_axis axis, alm_status *st)
{
    if (it->count == 0) {
        return alm_grid_make(axis, it->set->source_count, ALM_GRID_DECIMALS, 0, it->arena,
                             &it->grid, st);
    }
    for (size_t i = 0; i < it->count; i++) {
        alm_candidate *candidate = &it->candidates[i];
        ALM_TRY(load_candidate(it, candidate, axis, st));
        if (i == 0) {
            it->grid = candidate->converted;
        } else {
            alm_grid before = it->grid;
            ALM_TRY(alm_grid_prefer(&before, &candidate->converted, it->arena, &it->grid, st));
        }
    }
    return ALM_OK;
}

alm_code alm_source_grid_load(alm_source_grid *it, const alm_series_set *set, alm_axis axis,
                              alm_arena *arena, alm_status *st)
{
    it->arena = arena;
    it->set = set;
    ALM_TRY(load_candidates(it, axis, st));
    if (it->derived == NULL) {
        return ALM_OK;
    }
    alm_grid published = it->grid;
    ALM_TRY(alm_derived_grid_load(it->derived, it->run, set, &it->quantity, axis, arena, st));
    if (it->count == 0) {
        it->grid = it->derived->grid;
        return ALM_OK;
    }
    return alm_grid_prefer(&published, &it->derived->grid, arena, &it->grid, st);
}

// --- reasons ------------------------------------------------------------------------------------

// "3 of 12 have no value: 2023-02, 2023-05, 2023-11"
static alm_code name_gaps(alm_query_run *run, const alm_grid *in, size_t series, uint32_t first,
                          uint32_t count, uint32_t stride, const char **ret, alm_status *st)
{
    alm_named missing = ALM_NAMED_INIT;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t t = first + i * stride;
        if (!alm_grid_has(in, series * in->axis.count + t)) {
            ALM_TRY(alm_query_run_name_period(run, alm_axis_at(in->axis, t), &missing, st));
        }
    }
    return alm_query_run_text(run, ret, st, "%zu of %u periods have no value: %s", missing.count,
                              count, missing.text);
}

// The first input without a number; ALM_AXIS_NONE: all have one.
static uint32_t first_gap(const alm_grid *in, size_t series, uint32_t first, uint32_t count,
                          uint32_t stride)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t t = first + i * stride;
        if (!alm_grid_has(in, series * in->axis.count + t)) {
            return t;
        }
    }
    return ALM_AXIS_NONE;
}

static const char *no_period(alm_transform_op op)
{
    switch (op) {
    case ALM_TRANSFORM_PC1:
    case ALM_TRANSFORM_CH1:
        return "the year before has no such period";
    default:
        return "the calendar has no such period to compute it from";
    }
}

static const char *why_negative(const alm_step *step)
{
    bool is_of_growth = step->in.kind == ALM_QUANTITY_RATIO;
    switch (step->transform.op) {
    case ALM_TRANSFORM_LOG:
        return "the value is not positive";
    case ALM_TRANSFORM_CAGR:
        return is_of_growth ? "a rate is below -100 percent" : "the value or its base is negative";
    case ALM_TRANSFORM_PCA:
    case ALM_TRANSFORM_CCH:
    case ALM_TRANSFORM_CCA:
        return "the value or its base is not positive";
    default:
        return "base is negative";
    }
}

static const char *why_undefined(const alm_step *step, alm_gap gap)
{
    switch (gap) {
    case ALM_GAP_CALENDAR:
        return no_period(step->transform.op);
    case ALM_GAP_ZERO:
        return "base is zero";
    case ALM_GAP_NEGATIVE:
        return why_negative(step);
    case ALM_GAP_RANGE:
        return "the number is too large";
    default:
        return "?";
    }
}

alm_code alm_step_why(alm_query_run *run, const alm_step *step, const alm_grid *in,
                      const alm_grid *out, size_t series, uint32_t t, uint32_t *ret_input,
                      const char **ret, alm_status *st)
{
    alm_gap gap = out->gaps[series * out->axis.count + t];
    *ret_input = ALM_AXIS_NONE;
    bool is_copy = step->transform.op == ALM_TRANSFORM_LIN;
    if (gap != ALM_GAP_INPUT && !is_copy) {
        *ret = why_undefined(step, gap);
        return ALM_OK;
    }
    alm_taps taps = alm_step_taps(step, in->axis, alm_axis_at(out->axis, t));
    uint32_t now = first_gap(in, series, taps.first, taps.count, taps.stride);
    uint32_t base = first_gap(in, series, taps.base, taps.base_count, 1);
    uint32_t count = now != ALM_AXIS_NONE ? taps.count : taps.base_count;
    uint32_t first = now != ALM_AXIS_NONE ? taps.first : taps.base;
    *ret_input = now != ALM_AXIS_NONE ? now : base;
    if (*ret_input == ALM_AXIS_NONE) { // a copy that does not fit
        *ret = why_undefined(step, gap);
        return ALM_OK;
    }
    if (count > 1) {
        *ret_input = ALM_AXIS_NONE;
        return name_gaps(run, in, series, first, count, now != ALM_AXIS_NONE ? taps.stride : 1, ret,
                         st);
    }
    return ALM_OK;
}

// Was a row taken up?
static bool has_row(const alm_grid *published, size_t series, alm_period period)
{
    uint32_t t = alm_axis_find(published->axis, period);
    return t != ALM_AXIS_NONE &&
           published->gaps[series * published->axis.count + t] != ALM_GAP_UNOBSERVED;
}

static alm_code why_unpublished(const alm_source_grid *it, const alm_candidate *candidate,
                                size_t series, alm_period period, bool names_place,
                                const char **ret, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_place_id place = it->set->places[series];
    if (it->rollup != NULL) {
        alm_rollup_cell cell;
        bool is_told;
        ALM_TRY(alm_rollup_cell_get(it->rollup, candidate->variant, period, it->set->groups[series],
                                    true, &cell, &is_told, st));
        *ret = is_told && cell.reason[0] != '\0' ? cell.reason : "no member has a value";
        return ALM_OK;
    }
    alm_measure measure =
        alm_variant_table_get(&run->variants, candidate->variant)->variant.measure;
    alm_obs row;
    bool is_there = has_row(&candidate->published, series, period) &&
                    alm_cells_get(&run->cells, candidate->variant, place, period, &row);
    if (is_there && row.value.has_number) {
        bool converts = alm_unit_convertible(row.value.unit, it->quantity.unit);
        *ret = converts ? "the number is too large"
                        : "the published unit does not convert to the indicator's";
        return ALM_OK;
    }
    return alm_query_run_why_missing(run, is_there ? &row : NULL, measure,
                                     names_place ? place : ALM_PLACE_NONE, period, ret, st);
}

static bool is_told(const alm_candidate *candidate, size_t series, alm_period period)
{
    const alm_grid *published = &candidate->published;
    alm_taps taps = alm_step_taps(&candidate->frequency, published->axis, period);
    for (uint32_t i = 0; i < taps.count; i++) {
        size_t cell = series * published->axis.count + taps.first + i * taps.stride;
        if (published->gaps[cell] != ALM_GAP_UNOBSERVED) {
            return true;
        }
    }
    return false;
}

static size_t first_told(const alm_source_grid *it, size_t series, alm_period period)
{
    size_t at = 0;
    while (at < it->count && !is_told(&it->candidates[at], series, period)) {
        at++;
    }
    return at;
}

bool alm_source_grid_told(const alm_source_grid *it, size_t series, uint32_t t)
{
    return first_told(it, series, alm_axis_at(it->grid.axis, t)) < it->count ||
           (it->derived != NULL && alm_derived_grid_told(it->derived, series, t));
}

alm_code alm_source_grid_why(const alm_source_grid *it, size_t series, uint32_t t, bool names_place,
                             const char **ret, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_period period = alm_axis_at(it->grid.axis, t);
    size_t at = first_told(it, series, period);
    if (it->derived != NULL && at == it->count) {
        return alm_derived_grid_why(it->derived, run, series, t, names_place, ret, st);
    }
    if (it->count == 0) {
        return alm_query_run_why_missing(run, NULL, it->quantity.measure,
                                         names_place ? it->set->places[series] : ALM_PLACE_NONE,
                                         period, ret, st);
    }
    const alm_candidate *candidate = &it->candidates[at < it->count ? at : 0];
    uint32_t input;
    ALM_TRY(alm_step_why(run, &candidate->accumulation, &candidate->at_frequency,
                         &candidate->converted, series, t, &input, ret, st));
    if (input == ALM_AXIS_NONE) {
        return ALM_OK;
    }
    ALM_TRY(alm_step_why(run, &candidate->frequency, &candidate->published,
                         &candidate->at_frequency, series, input, &input, ret, st));
    if (input == ALM_AXIS_NONE) {
        return ALM_OK;
    }
    return why_unpublished(it, candidate, series, alm_axis_at(candidate->published.axis, input),
                           names_place, ret, st);
}

static alm_code members_at(const alm_source_grid *it, const alm_candidate *candidate, size_t series,
                           alm_period period, alm_period answered, alm_members *ret, alm_status *st)
{
    alm_rollup_cell cell;
    bool is_told;
    ALM_TRY(alm_rollup_cell_get(it->rollup, candidate->variant, period, it->set->groups[series],
                                true, &cell, &is_told, st));
    *ret = (alm_members){.remark = ""};
    if (!is_told) {
        return ALM_OK;
    }
    ret->present = cell.present;
    ret->expected = cell.expected;
    ret->is_partial = cell.computed.value.has_number && cell.present < cell.expected;
    if (!ret->is_partial) {
        return ALM_OK;
    }
    ret->remark = cell.reason;
    if (!alm_period_eq(period, answered)) {
        char label[ALM_PERIOD_TEXT_MAX];
        (void)alm_period_format(period, label);
        return alm_query_run_text(it->run, &ret->remark, st, "%s is %s", label, cell.reason);
    }
    return ALM_OK;
}

// The first of the parts that lacks a member; if none does, the first.
static alm_code members_of_parts(const alm_source_grid *it, const alm_candidate *candidate,
                                 size_t series, alm_period at_frequency, alm_period answered,
                                 alm_members *ret, alm_status *st)
{
    alm_taps taps = alm_step_taps(&candidate->frequency, candidate->published.axis, at_frequency);
    for (uint32_t i = 0; i < taps.count && !ret->is_partial; i++) {
        alm_members part;
        alm_period period = alm_axis_at(candidate->published.axis, taps.first + i * taps.stride);
        ALM_TRY(members_at(it, candidate, series, period, answered, &part, st));
        *ret = ret->expected == 0 || part.is_partial ? part : *ret;
    }
    return ALM_OK;
}

static size_t supplier(const alm_source_grid *it, size_t cell)
{
    size_t at = 0;
    while (at < it->count && !alm_grid_has(&it->candidates[at].converted, cell)) {
        at++;
    }
    return at;
}

size_t alm_source_grid_candidate(const alm_source_grid *it, size_t series, uint32_t t)
{
    size_t cell = series * it->grid.axis.count + t;
    return alm_grid_has(&it->grid, cell) ? supplier(it, cell)
                                         : first_told(it, series, alm_axis_at(it->grid.axis, t));
}

alm_code alm_source_grid_members(const alm_source_grid *it, size_t series, uint32_t t,
                                 alm_period answered, alm_members *ret, alm_status *st)
{
    size_t cell = series * it->grid.axis.count + t;
    *ret = (alm_members){.remark = ""};
    size_t at = supplier(it, cell);
    if (it->derived != NULL && at == it->count) {
        return alm_derived_grid_members(it->derived, series, t, answered, ret, st);
    }
    if (it->rollup == NULL || it->count == 0) {
        return ALM_OK;
    }
    const alm_candidate *candidate = &it->candidates[at < it->count ? at : 0];
    bool is_plain = !is_converted(&candidate->frequency) && !is_converted(&candidate->accumulation);
    if (at == it->count && !is_plain) {
        return ALM_OK; // no number: the reason says what is missing
    }
    const alm_axis axis = candidate->at_frequency.axis;
    alm_taps taps = alm_step_taps(&candidate->accumulation, axis, alm_axis_at(it->grid.axis, t));
    for (uint32_t i = 0; i < taps.count && !ret->is_partial; i++) {
        ALM_TRY(members_of_parts(it, candidate, series, alm_axis_at(axis, taps.first + i), answered,
                                 ret, st));
    }
    for (uint32_t i = 0; i < taps.base_count && !ret->is_partial; i++) {
        ALM_TRY(members_of_parts(it, candidate, series, alm_axis_at(axis, taps.base + i), answered,
                                 ret, st));
    }
    return ALM_OK;
}
