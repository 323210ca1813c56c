#include "source_grid.h"

#include "convert.h"

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

alm_code alm_families_find(alm_query_run *run, alm_measure measure, alm_families *ret,
                           alm_status *st)
{
    *ret = (alm_families){0};
    uint8_t *is_read = alm_arena_calloc(run->arena, run->variants.count, 1);
    if (is_read == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = 0; i < run->cells.count; i++) {
        is_read[alm_cells_row(&run->cells, i)->variant] = 1;
    }
    uint32_t count = (uint32_t)run->variants.count; // keys are added meanwhile
    for (uint32_t i = 0; i < count; i++) {
        if (is_read[i] && alm_variant_table_get(&run->variants, i)->variant.measure == measure) {
            ALM_TRY(take_variant(run, ret, i, st));
        }
    }
    return ALM_OK;
}

// --- candidates ---------------------------------------------------------------------------------

static alm_code make_candidate(alm_query_run *run, uint32_t variant, alm_freq freq,
                               alm_accumulation accumulation, alm_candidate *ret, alm_status *fault)
{
    const alm_variant *of = &alm_variant_table_get(&run->variants, variant)->variant;
    const alm_transform *asked = &run->plan->transforms.of[ALM_STAGE_FREQUENCY];
    alm_transform frequency = {
        .op = ALM_TRANSFORM_TO_FREQUENCY, .freq = freq, .method = asked->method};
    alm_transform accumulate = {.op = ALM_TRANSFORM_TO_ACCUMULATION, .accumulation = accumulation};
    alm_quantity quantity =
        alm_quantity_of(run->indicator, of->measure, of->freq, of->accumulation);
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

alm_code alm_source_grid_plan(alm_query_run *run, const alm_family *family, alm_freq freq,
                              alm_accumulation accumulation, alm_source_grid *ret,
                              alm_status *fault, alm_status *st)
{
    alm_measure measure = alm_variant_table_get(&run->variants, family->key)->variant.measure;
    *ret = (alm_source_grid){
        .run = run,
        .quantity = alm_quantity_of(run->indicator, measure, freq, accumulation),
        .candidates = alm_arena_calloc(run->arena, family->count, sizeof *ret->candidates),
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
        if (is_wanted && make_candidate(run, family->variants[i], freq, accumulation, &candidate,
                                        fault) == ALM_OK) {
            ret->candidates[ret->count++] = candidate;
        }
    }
    if (ret->count > 0) {
        qsort(ret->candidates, ret->count, sizeof ret->candidates[0], by_preference);
    }
    return ALM_OK;
}

// --- loading ------------------------------------------------------------------------------------

static void take_cell(const alm_obs *row, alm_unit unit, alm_grid_obs *obs)
{
    obs->value = row->value;
    obs->published = row->published;
    obs->source = row->source;
    if (!row->value.has_number || !alm_unit_convertible(row->value.unit, unit) ||
        alm_number_in_unit(&row->value, unit, &obs->value.number, NULL) != ALM_OK) {
        return;
    }
    obs->interval = alm_interval_in_unit(&row->value, unit);
    obs->value.unit = unit;
}

static alm_code load_published(alm_source_grid *it, alm_candidate *candidate,
                               const alm_place_id *places, size_t place_count, alm_axis axis,
                               alm_status *st)
{
    alm_query_run *run = it->run;
    alm_grid_obs *obs = NULL;
    size_t count = 0;
    size_t cap = 0;
    for (uint32_t s = 0; s < place_count; s++) {
        for (uint32_t t = 0; t < axis.count; t++) {
            const alm_obs *row =
                alm_cells_find(&run->cells, candidate->variant, places[s], alm_axis_at(axis, t));
            void *grown = obs;
            if (row == NULL) {
                continue;
            }
            if (!alm_arena_grow(it->arena, &grown, &cap, count + 1, sizeof *obs)) {
                return alm_query_run_no_memory(st);
            }
            obs = grown;
            obs[count] = (alm_grid_obs){.series = s, .t = t};
            take_cell(row, it->quantity.unit, &obs[count++]);
        }
    }
    return alm_grid_load(axis, place_count, obs, count, it->quantity.unit, it->arena,
                         &candidate->published, st);
}

static alm_code load_candidate(alm_source_grid *it, alm_candidate *candidate,
                               const alm_place_id *places, size_t place_count, alm_axis axis,
                               alm_status *st)
{
    alm_arena *arena = it->arena;
    alm_axis at_frequency;
    alm_axis published;
    ALM_TRY(alm_step_reach(&candidate->accumulation, axis, &at_frequency, st));
    ALM_TRY(alm_step_reach(&candidate->frequency, at_frequency, &published, st));
    ALM_TRY(load_published(it, candidate, places, place_count, published, st));
    ALM_TRY(alm_step_run(&candidate->frequency, &candidate->published, at_frequency, arena,
                         &candidate->at_frequency, st));
    return alm_step_run(&candidate->accumulation, &candidate->at_frequency, axis, arena,
                        &candidate->converted, st);
}

alm_code alm_source_grid_load(alm_source_grid *it, const alm_place_id *places, size_t place_count,
                              alm_axis axis, alm_arena *arena, alm_status *st)
{
    it->arena = arena;
    if (it->count == 0) {
        return alm_grid_make(axis, place_count, true, 0, arena, &it->grid, st);
    }
    for (size_t i = 0; i < it->count; i++) {
        alm_candidate *candidate = &it->candidates[i];
        ALM_TRY(load_candidate(it, candidate, places, place_count, axis, st));
        if (i == 0) {
            it->grid = candidate->converted;
        } else {
            alm_grid before = it->grid;
            ALM_TRY(alm_grid_prefer(&before, &candidate->converted, arena, &it->grid, st));
        }
    }
    return ALM_OK;
}

// --- reasons ------------------------------------------------------------------------------------

#define NAMED_MISSING_MAX 5

// "3 of 12 have no value: 2023-02, 2023-05, 2023-11"
static alm_code name_gaps(alm_query_run *run, const alm_grid *in, size_t series, uint32_t first,
                          uint32_t count, uint32_t stride, const char **ret, alm_status *st)
{
    const char *list = "";
    uint32_t missing = 0;
    for (uint32_t i = 0; i < count; i++) {
        char label[ALM_PERIOD_TEXT_MAX];
        uint32_t t = first + i * stride;
        if (in->gaps[series * in->axis.count + t] == ALM_GAP_NONE) {
            continue;
        }
        if (missing++ < NAMED_MISSING_MAX) {
            (void)alm_period_format(alm_axis_at(in->axis, t), label);
            ALM_TRY(
                alm_query_run_text(run, &list, st, "%s%s%s", list, missing > 1 ? ", " : "", label));
        }
    }
    return alm_query_run_text(run, ret, st, "%u of %u periods have no value: %s%s", missing, count,
                              list, missing > NAMED_MISSING_MAX ? ", ..." : "");
}

// The first input without a number; ALM_AXIS_NONE: all have one.
static uint32_t first_gap(const alm_grid *in, size_t series, uint32_t first, uint32_t count,
                          uint32_t stride)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t t = first + i * stride;
        if (in->gaps[series * in->axis.count + t] != ALM_GAP_NONE) {
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

static alm_code why_undefined(alm_query_run *run, const alm_step *step, alm_gap gap,
                              const char **ret, alm_status *st)
{
    bool is_log = step->transform.op == ALM_TRANSFORM_LOG;
    switch (gap) {
    case ALM_GAP_CALENDAR:
        *ret = no_period(step->transform.op);
        return ALM_OK;
    case ALM_GAP_ZERO:
        *ret = "base is zero";
        return ALM_OK;
    case ALM_GAP_NEGATIVE:
        *ret = is_log ? "the value is not positive" : "base is negative";
        return ALM_OK;
    case ALM_GAP_RANGE:
        return alm_query_run_text(run, ret, st, "the number has more than 18 digits");
    default:
        *ret = "?";
        return ALM_OK;
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
        return why_undefined(run, step, gap, ret, st);
    }
    alm_taps taps = alm_step_taps(step, in->axis, alm_axis_at(out->axis, t));
    uint32_t now = first_gap(in, series, taps.first, taps.count, taps.stride);
    uint32_t base = first_gap(in, series, taps.base, taps.base_count, 1);
    uint32_t count = now != ALM_AXIS_NONE ? taps.count : taps.base_count;
    uint32_t first = now != ALM_AXIS_NONE ? taps.first : taps.base;
    *ret_input = now != ALM_AXIS_NONE ? now : base;
    ALM_ASSERT(*ret_input != ALM_AXIS_NONE);
    if (count > 1) {
        *ret_input = ALM_AXIS_NONE;
        return name_gaps(run, in, series, first, count, now != ALM_AXIS_NONE ? taps.stride : 1, ret,
                         st);
    }
    return ALM_OK;
}

static alm_code why_unpublished(const alm_source_grid *it, const alm_candidate *candidate,
                                alm_place_id place, alm_period period, const char **ret,
                                alm_status *st)
{
    alm_query_run *run = it->run;
    alm_measure measure =
        alm_variant_table_get(&run->variants, candidate->variant)->variant.measure;
    const alm_obs *row = alm_cells_find(&run->cells, candidate->variant, place, period);
    if (row != NULL && row->value.has_number) {
        *ret = "the published unit does not convert to the indicator's";
        return ALM_OK;
    }
    return alm_query_run_why_missing(run, row, measure, ALM_PLACE_NONE, period, ret, st);
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

bool alm_source_grid_told(const alm_source_grid *it, size_t series, uint32_t t)
{
    for (size_t i = 0; i < it->count; i++) {
        if (is_told(&it->candidates[i], series, alm_axis_at(it->grid.axis, t))) {
            return true;
        }
    }
    return false;
}

alm_code alm_source_grid_why(const alm_source_grid *it, alm_place_id place, size_t series,
                             uint32_t t, const char **ret, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_period period = alm_axis_at(it->grid.axis, t);
    if (it->count == 0) {
        return alm_query_run_why_missing(run, NULL, run->plan->measure, ALM_PLACE_NONE, period, ret,
                                         st);
    }
    size_t at = 0;
    while (at < it->count && !is_told(&it->candidates[at], series, period)) {
        at++;
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
    return why_unpublished(it, candidate, place, alm_axis_at(candidate->published.axis, input), ret,
                           st);
}
