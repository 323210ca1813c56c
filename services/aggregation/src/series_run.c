// Questions with transforms: what is asked is turned into what has to be read, backwards through
// the steps; then computed forwards, a part of the series at a time.
#include "rank_grid.h"
#include "rollup.h"
#include "source_grid.h"
#include "window.h"

#include "alm/limits.h"

#define PART_CELLS 65536 // of one grid

// One answer for each series and period: a family at one frequency and accumulation.
typedef struct target {
    alm_family family;
    alm_freq freq;
    alm_accumulation accumulation;
    uint32_t variant; // of the asked measure
    bool is_refused;  // the transforms do not apply to it: only what was published is answered
    alm_source_grid source;
    alm_source_grid whole; // of a share of another indicator
    alm_chain chain;
    alm_axis axes[ALM_CHAIN_STEP_COUNT_MAX + 1]; // before the first step, and behind each
    // Of the part at hand:
    alm_grid grids[ALM_CHAIN_STEP_COUNT_MAX + 1];
    alm_rank_counts ranks;
} target;

// Rows that were published of what is computed, found again by the cell of the asked measure.
typedef struct published_index {
    alm_cell_index of; // (variant, place), period: row of the run's cells, the first
    size_t first;      // number of the first row
    uint32_t *next;    // by row from the first on: the next of the same cell; ALM_CELL_NONE: none
    uint32_t *variants;
    size_t count, cap;
} published_index;

typedef struct series_run {
    alm_query_run *run;
    alm_windows windows;
    alm_series_set all;
    alm_status fault; // why a family has no answer
    bool any;         // a family has one
    target *targets;
    size_t target_count, target_cap;
    published_index published;
    // Of the part at hand:
    alm_series_set set;
    alm_cell_index *seen; // (place, period) that was answered
    uint8_t *is_answered; // by series
} series_run;

// --- reading ------------------------------------------------------------------------------------

static alm_code read_all(series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_period_expr needed = {.kind = ALM_PERIOD_EXPR_ALL};
    if (it->windows.is_bounded) {
        ALM_TRY(alm_windows_needed(run, &it->windows, &needed, &it->fault, st));
    }
    if (run->groups != NULL) {
        return alm_rollup_read(run, &needed, &run->rollup, st);
    }
    alm_place_list places;
    ALM_TRY(alm_series_set_places(run, &it->all, &places, st));
    uint32_t measures = ALM_MEASURE_BIT(run->plan->measure);
    ALM_TRY(alm_query_run_fetch(run, measures, places.ids, places.count, &needed, st));
    if (run->plan->whole == NULL) {
        return ALM_OK;
    }
    return alm_query_run_fetch_totals(run, run->plan->whole, measures, places.ids, places.count,
                                      &needed, st);
}

static alm_code note_variant(series_run *it, uint32_t variant, alm_status *st)
{
    published_index *index = &it->published;
    for (size_t i = 0; i < index->count; i++) {
        if (index->variants[i] == variant) {
            return ALM_OK;
        }
    }
    void *variants = index->variants;
    if (!alm_arena_grow(it->run->arena, &variants, &index->cap, index->count + 1, sizeof variant)) {
        return alm_query_run_no_memory(st);
    }
    index->variants = variants;
    index->variants[index->count++] = variant;
    return ALM_OK;
}

// A published growth, rank or share is of the measure its relation names, of the level if it names
// none.
static bool is_of_measure(const alm_variant *variant, alm_measure measure)
{
    alm_measure of = variant->relation.measure;
    return of == measure || (of == ALM_MEASURE_NONE && measure == ALM_MEASURE_LEVEL);
}

// A published share of what is asked; without a name it may be of anything.
static bool is_of_whole(const series_run *it, const alm_variant *variant, alm_place_id place)
{
    const alm_query_plan *plan = it->run->plan;
    if (plan->whole == NULL && plan->whole_place == ALM_PLACE_NONE) {
        return true;
    }
    alm_str own = it->run->indicator->code;
    alm_str indicator = plan->whole == NULL ? own : plan->whole->code;
    alm_str here = alm_place_tree_get(plan->tree, place)->code;
    alm_str at = plan->whole_place == ALM_PLACE_NONE
                     ? here
                     : alm_place_tree_get(plan->tree, plan->whole_place)->code;
    const alm_relation *told = &variant->relation;
    return alm_str_eq(told->indicator.len > 0 ? told->indicator : own, indicator) &&
           alm_str_eq(told->place.len > 0 ? told->place : here, at);
}

static alm_code index_published(series_run *it, size_t row_number, alm_measure of, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_obs *row = alm_cells_row(&run->cells, row_number);
    const alm_variant *variant = &alm_variant_table_get(&run->variants, row->variant)->variant;
    uint32_t asked;
    if (row->period.length != 1 || !is_of_measure(variant, of) ||
        !is_of_whole(it, variant, row->place)) {
        return ALM_OK;
    }
    ALM_TRY(alm_variant_table_sibling(&run->variants, row->variant, run->plan->measure, NULL,
                                      &asked, st));
    ALM_TRY(note_variant(it, asked, st));
    uint32_t fresh = (uint32_t)row_number;
    uint32_t at;
    ALM_TRY(alm_cell_index_add(&it->published.of, (uint64_t)asked << 32 | row->place,
                               alm_period_pack(row->period), fresh, &at, st));
    if (at != fresh) {
        uint32_t *next = &it->published.next[at - it->published.first];
        it->published.next[row_number - it->published.first] = *next;
        *next = fresh;
    }
    return ALM_OK;
}

static alm_code read_published(series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_query_plan *plan = run->plan;
    alm_measure of;
    alm_measure measure = alm_query_plan_published(plan, &of);
    ALM_TRY(alm_cell_index_init(&it->published.of, run->arena, st));
    if (measure == ALM_MEASURE_NONE) {
        return ALM_OK;
    }
    size_t first = run->cells.count;
    alm_period_expr periods = plan->periods;
    if (periods.kind == ALM_PERIOD_EXPR_LAST) {
        periods = (alm_period_expr){.kind = ALM_PERIOD_EXPR_ALL};
    }
    ALM_TRY(alm_query_run_fetch(run, ALM_MEASURE_BIT(measure), plan->place_ids, plan->places.count,
                                &periods, st));
    it->published.first = first;
    it->published.next =
        alm_arena_calloc(run->arena, run->cells.count - first, sizeof *it->published.next);
    if (it->published.next == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = first; i < run->cells.count; i++) {
        it->published.next[i - first] = ALM_CELL_NONE;
        ALM_TRY(index_published(it, i, of, st));
    }
    return ALM_OK;
}

// The first row of a cell; ALM_CELL_NONE: none.
static uint32_t published_at(const series_run *it, uint32_t variant, alm_place_id place,
                             alm_period period)
{
    return it->published.count == 0
               ? ALM_CELL_NONE
               : alm_cell_index_find(&it->published.of, (uint64_t)variant << 32 | place,
                                     alm_period_pack(period));
}

static const alm_obs *published_row(const series_run *it, uint32_t row)
{
    return alm_cells_row(&it->run->cells, row);
}

static uint32_t next_published(const series_run *it, uint32_t row)
{
    return it->published.next[row - it->published.first];
}

// --- targets ------------------------------------------------------------------------------------

static const alm_transform *transform_at(const series_run *it, alm_stage stage)
{
    return &it->run->plan->transforms.of[stage];
}

static alm_code target_variant(alm_query_run *run, const alm_family *family, alm_freq freq,
                               alm_accumulation accumulation, uint32_t *ret, alm_status *st)
{
    alm_variant variant = alm_variant_table_get(&run->variants, family->key)->variant;
    variant.freq = freq;
    variant.accumulation = accumulation;
    return alm_variant_table_add(&run->variants, &variant, ret, st);
}

static bool has_target(const series_run *it, const alm_family *family, alm_freq freq,
                       alm_accumulation accumulation)
{
    for (size_t i = 0; i < it->target_count; i++) {
        const target *of = &it->targets[i];
        if (of->family.key == family->key && of->freq == freq && of->accumulation == accumulation) {
            return true;
        }
    }
    return false;
}

// Of another indicator the total is the whole, whatever the part's breakdown; what does not add up
// from the year's start is taken as it is.
static alm_code plan_whole(series_run *it, target *of, bool *ret_is_good, alm_status *fault,
                           alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_indicator *whole = run->plan->whole;
    alm_unit unit = of->source.quantity.unit;
    alm_variant total = alm_variant_table_get(&run->variants, of->family.key)->variant;
    alm_families families;
    alm_family found = {0};
    total.indicator = whole->code;
    total.breakdown_count = 0;
    ALM_TRY(alm_variant_table_add(&run->variants, &total, &found.key, st));
    ALM_TRY(alm_families_find(run, whole->code, run->plan->measure, &families, st));
    for (size_t i = 0; i < families.count; i++) {
        found = families.of[i].key == found.key ? families.of[i] : found;
    }
    ALM_TRY(alm_source_grid_plan(run, whole, &found, of->freq, of->accumulation, &of->whole, fault,
                                 st));
    if (of->whole.count == 0 && whole->over_time != ALM_AGGREGATION_SUM) {
        ALM_TRY(alm_source_grid_plan(run, whole, &found, of->freq, ALM_ACCUMULATION_PERIOD,
                                     &of->whole, fault, st));
    }
    *ret_is_good = alm_unit_convertible(of->whole.quantity.unit, unit);
    if (!*ret_is_good) {
        (void)alm_status_set(fault, ALM_FAILED_PRECONDITION,
                             "%.*s is no part of %.*s: %s is not measured as %s is",
                             ALM_STR_ARGS(run->indicator->code), ALM_STR_ARGS(whole->code),
                             alm_dimension_name(alm_unit_dimension(unit)),
                             alm_dimension_name(alm_unit_dimension(of->whole.quantity.unit)));
    }
    of->whole.quantity.unit = unit;
    return ALM_OK;
}

// A target that cannot be computed is no failure as long as another can: monthly growth of the
// values from the year's start, where those of single months are there too.
static alm_code add_target(series_run *it, const alm_family *family, alm_freq freq,
                           alm_accumulation accumulation, alm_status *st)
{
    alm_query_run *run = it->run;
    if (has_target(it, family, freq, accumulation)) {
        return ALM_OK;
    }
    target made = {.family = *family, .freq = freq, .accumulation = accumulation};
    alm_status fault = ALM_STATUS_INIT;
    ALM_TRY(target_variant(run, family, freq, accumulation, &made.variant, st));
    ALM_TRY(alm_source_grid_plan(run, run->indicator, family, freq, accumulation, &made.source,
                                 &fault, st));
    bool is_good = made.source.count > 0 || family->count == 0 || fault.code == ALM_OK;
    if (is_good && run->plan->whole != NULL) {
        ALM_TRY(plan_whole(it, &made, &is_good, &fault, st));
    }
    if (is_good) {
        is_good = alm_chain_make(run->plan, &made.source.quantity, &made.chain, &fault) == ALM_OK;
    }
    if (!is_good) {
        it->fault = it->fault.code == ALM_OK ? fault : it->fault;
        made.source.count = made.chain.count = 0;
        made.is_refused = true;
    }
    it->any |= is_good;
    void *targets = it->targets;
    if (!alm_arena_grow(run->arena, &targets, &it->target_cap, it->target_count + 1, sizeof made)) {
        return alm_query_run_no_memory(st);
    }
    it->targets = targets;
    it->targets[it->target_count++] = made;
    return ALM_OK;
}

// The totals of a share's whole are read beside what is asked, perhaps of the same indicator.
static bool is_asked_variant(const alm_query_run *run, uint32_t variant)
{
    const alm_query_plan *plan = run->plan;
    const alm_variant_entry *entry = alm_variant_table_get(&run->variants, variant);
    bool is_accumulation = plan->accumulation == ALM_ACCUMULATION_NONE ||
                           plan->accumulation == entry->variant.accumulation;
    bool is_breakdown =
        alm_str_eq(plan->breakdown, ALM_STR("*")) || alm_str_eq(plan->breakdown, entry->breakdown);
    return is_accumulation && is_breakdown;
}

static alm_code add_targets_of(series_run *it, const alm_family *family, uint32_t variant,
                               alm_status *st)
{
    const alm_transform *freq = transform_at(it, ALM_STAGE_FREQUENCY);
    const alm_transform *accumulation = transform_at(it, ALM_STAGE_ACCUMULATION);
    alm_variant of = alm_variant_table_get(&it->run->variants, variant)->variant;
    if (!is_asked_variant(it->run, variant)) {
        return ALM_OK;
    }
    return add_target(
        it, family, freq->op == ALM_TRANSFORM_NONE ? of.freq : freq->freq,
        accumulation->op == ALM_TRANSFORM_NONE ? of.accumulation : accumulation->accumulation, st);
}

static alm_code find_targets(series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_families families;
    ALM_TRY(alm_families_find(run, run->indicator->code, run->plan->measure, &families, st));
    for (size_t i = 0; i < families.count; i++) {
        const alm_family *family = &families.of[i];
        for (size_t k = 0; k < family->count; k++) {
            ALM_TRY(add_targets_of(it, family, family->variants[k], st));
        }
    }
    for (size_t i = 0; i < it->published.count; i++) {
        alm_family family = {0};
        ALM_TRY(alm_family_key(run, it->published.variants[i], &family.key, st));
        ALM_TRY(add_targets_of(it, &family, it->published.variants[i], st));
    }
    return ALM_OK;
}

// --- the periods of a target --------------------------------------------------------------------

typedef struct observed {
    const target *of;
    alm_axis axis; // count 0: none yet
} observed;

static void widen(observed *it, alm_period period)
{
    bool is_single = period.length == 1;
    if (!is_single || (period.freq != it->of->freq &&
                       alm_period_contract(period, it->of->freq, &period, NULL) != ALM_OK)) {
        return;
    }
    alm_axis axis = {period, 1};
    it->axis = it->axis.count == 0 ? axis : alm_axis_union(it->axis, axis);
}

static alm_code note_period(void *arg, uint32_t variant, alm_period period, alm_status *st)
{
    (void)st;
    observed *it = arg;
    for (size_t i = 0; i < it->of->family.count; i++) {
        if (it->of->family.variants[i] == variant) {
            widen(it, period);
        }
    }
    return ALM_OK;
}

// Every period something was published in, where no window is asked.
static alm_code observed_axis(series_run *it, const target *of, alm_axis *ret, alm_status *st)
{
    observed seen = {.of = of};
    const alm_cells *cells = &it->run->cells;
    ALM_TRY(alm_visit_read(it->run, note_period, &seen, st));
    for (size_t i = 0; it->published.count > 0 && i < cells->count; i++) {
        const alm_obs *row = alm_cells_row(cells, i);
        if (published_at(it, of->variant, row->place, row->period) != ALM_CELL_NONE) {
            widen(&seen, row->period);
        }
    }
    *ret = seen.axis;
    return ALM_OK;
}

// Targets outside every window answer nothing. *ret_periods: of the largest grid, times the targets
// that stand beside each other.
static alm_code place_targets(series_run *it, size_t *ret_periods, alm_status *st)
{
    size_t kept = 0;
    size_t periods = 1;
    for (size_t i = 0; i < it->target_count; i++) {
        target *of = &it->targets[i];
        alm_axis axis = {.count = 0};
        const alm_window *asked = alm_windows_find(&it->windows, of->freq);
        if (asked != NULL) {
            axis = asked->axis;
        } else if (!it->windows.is_bounded) {
            ALM_TRY(observed_axis(it, of, &axis, st));
        }
        if (axis.count == 0) {
            continue;
        }
        ALM_TRY(alm_chain_axes(&of->chain, axis, of->axes, st));
        for (size_t k = 0; k <= of->chain.count; k++) {
            periods = ALM_MAX(periods, (size_t)of->axes[k].count);
        }
        uint32_t read;
        ALM_TRY(alm_source_grid_periods(&of->source, of->axes[0], &read, st));
        periods = ALM_MAX(periods, (size_t)read);
        it->targets[kept++] = *of;
    }
    it->target_count = kept;
    if (it->all.count > ALM_SERIES_CELL_COUNT_MAX / periods) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "%zu series over %zu periods are computed for it; the limit is %d "
                              "cells",
                              it->all.count, periods, ALM_SERIES_CELL_COUNT_MAX);
    }
    *ret_periods = periods * ALM_MAX(kept, (size_t)1);
    return ALM_OK;
}

// A listed period in which no member of any group has a value is answered all the same.
static alm_code expect_slices(series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    for (size_t w = 0; run->is_named && it->windows.is_listed && w < it->windows.count; w++) {
        const alm_window *asked = &it->windows.of[w];
        alm_freq freq = (alm_freq)asked->axis.first.freq;
        for (uint32_t t = 0; t < asked->axis.count; t++) {
            alm_period period = alm_axis_at(asked->axis, t);
            bool is_there =
                !asked->marked[t] || (run->plan->freq != ALM_FREQ_NONE && run->plan->freq != freq);
            for (size_t i = 0; !is_there && i < alm_rollup_slice_count(run->rollup); i++) {
                uint32_t variant;
                alm_period of;
                ALM_TRY(alm_rollup_slice_at(run->rollup, i, &variant, &of, st));
                is_there = alm_period_contains(period, of); // itself, or a part of it
            }
            uint32_t variant;
            if (!is_there) {
                ALM_TRY(alm_query_run_missing_variant(run, run->plan->measure, freq, &variant, st));
                ALM_TRY(alm_rollup_expect(run->rollup, variant, period, st));
            }
        }
    }
    return ALM_OK;
}

// --- reasons ------------------------------------------------------------------------------------

static alm_str code_of(const series_run *it, alm_place_id place)
{
    return place == ALM_PLACE_NONE ? (alm_str){0}
                                   : alm_place_tree_get(it->run->plan->tree, place)->code;
}

// "tax_revenue of 310000", "level of 310000": what a value is a share of.
static alm_code name_whole(series_run *it, const target *of, size_t step, size_t series,
                           const char **ret, alm_status *st)
{
    const alm_indicator *whole = it->run->plan->whole;
    alm_str measure = alm_str_from(alm_measure_code(of->chain.steps[step].in.measure));
    return alm_query_run_text(it->run, ret, st, "%.*s of %.*s",
                              ALM_STR_ARGS(whole == NULL ? measure : whole->code),
                              ALM_STR_ARGS(code_of(it, it->set.places[it->set.whole_of[series]])));
}

// Of a share: back to the part or to the whole, or what is wrong with the whole itself.
static alm_code why_no_share(series_run *it, const target *of, size_t step, size_t *series,
                             uint32_t t, bool *ret_is_whole, const char **ret, alm_status *st)
{
    const alm_grid *parts = &of->grids[step];
    const alm_grid *shares = &of->grids[step + 1];
    alm_gap gap = shares->gaps[*series * shares->axis.count + t];
    *ret_is_whole = false;
    switch (gap) {
    case ALM_GAP_WHOLE:
        return alm_query_run_text(it->run, ret, st, "%.*s has no parent place",
                                  ALM_STR_ARGS(code_of(it, it->set.places[*series])));
    case ALM_GAP_ZERO:
    case ALM_GAP_NEGATIVE:
        ALM_TRY(name_whole(it, of, step, *series, ret, st));
        return alm_query_run_text(it->run, ret, st, "%s is %s", *ret,
                                  gap == ALM_GAP_ZERO ? "zero" : "negative");
    case ALM_GAP_RANGE:
        *ret = "the ratio does not fit";
        return ALM_OK;
    default:
        *ret_is_whole = parts->gaps[*series * parts->axis.count + t] == ALM_GAP_NONE;
        *series = *ret_is_whole ? it->set.whole_of[*series] : *series;
        return ALM_OK;
    }
}

static bool lacks(const alm_grid *grid, size_t series, uint32_t t)
{
    return !alm_grid_has(grid, series * grid->axis.count + t);
}

// Of a contribution: back to the part or to the whole, now or a year before.
static alm_code why_no_contribution(series_run *it, const target *of, size_t step, size_t *series,
                                    uint32_t *t, bool *ret_is_whole, const char **ret,
                                    alm_status *st)
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

// Why a cell of the last grid has no number: back to what was published.
static alm_code why(series_run *it, const target *of, size_t series, uint32_t t, const char **ret,
                    alm_status *st)
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

// row: the first that was published; ALM_CELL_NONE: none.
static alm_code mention(series_run *it, uint32_t row, const char **reason, alm_status *st)
{
    while (row != ALM_CELL_NONE && !published_row(it, row)->value.has_number) {
        row = next_published(it, row);
    }
    if (row == ALM_CELL_NONE) {
        return ALM_OK;
    }
    const alm_obs *published = published_row(it, row);
    alm_measure measure =
        alm_variant_table_get(&it->run->variants, published->variant)->variant.measure;
    const char *word =
        measure == ALM_MEASURE_RANK       ? "rank"
        : measure == ALM_MEASURE_SHARE_OF ? "share"
        : measure == ALM_MEASURE_CONTRIBUTION_PP || measure == ALM_MEASURE_CONTRIBUTION_SHARE
            ? "contribution"
            : "growth";
    char value[ALM_VALUE_TEXT_MAX];
    (void)alm_value_format(&published->value, ALM_LANG_EN, value);
    return alm_query_run_text(it->run, reason, st, "%s; published %s is %s", *reason, word, value);
}

// --- answering ----------------------------------------------------------------------------------

static const alm_grid *last_grid(const target *of)
{
    return &of->grids[of->chain.count];
}

static size_t cell_of(const target *of, size_t series, uint32_t t)
{
    return series * last_grid(of)->axis.count + t;
}

static bool has_number(const target *of, size_t series, uint32_t t)
{
    return alm_grid_has(last_grid(of), cell_of(of, series, t));
}

static uint32_t source_index(const target *of, uint32_t t)
{
    uint32_t at = alm_axis_find(of->axes[0], alm_axis_at(last_grid(of)->axis, t));
    ALM_ASSERT(at != ALM_AXIS_NONE);
    return at;
}

// The least complete of the roll-ups that a cell before step `level` was made of.
static alm_code find_members(series_run *it, const target *of, size_t level, size_t series,
                             uint32_t t, alm_period answered, alm_members *ret, alm_status *st)
{
    if (level == 0) {
        return alm_source_grid_members(&of->source, series, t, answered, ret, st);
    }
    const alm_step *step = &of->chain.steps[level - 1];
    alm_axis in = of->axes[level - 1];
    alm_taps taps = alm_step_taps(step, in, alm_axis_at(of->axes[level], t));
    *ret = (alm_members){.remark = ""};
    for (uint32_t i = 0; i < taps.count + taps.base_count && !ret->is_partial; i++) {
        bool is_base = i >= taps.count;
        uint32_t input = is_base ? taps.base + (i - taps.count) : taps.first + i * taps.stride;
        alm_members one;
        ALM_TRY(find_members(it, of, level - 1, series, input, answered, &one, st));
        *ret = ret->expected == 0 || one.is_partial ? one : *ret;
    }
    return ALM_OK;
}

static alm_code add_remark(series_run *it, const char *remark, alm_answer_extra *extra,
                           alm_status *st)
{
    if (remark[0] == '\0') {
        return ALM_OK;
    }
    if (extra->reason[0] == '\0') {
        extra->reason = remark;
        return ALM_OK;
    }
    return alm_query_run_text(it->run, &extra->reason, st, "%s; %s", extra->reason, remark);
}

// Counts of a cell, and remarks where it has a number.
static alm_code take_remarks(series_run *it, target *of, size_t series, uint32_t t,
                             alm_answer_extra *extra, alm_status *st)
{
    bool is_rank = alm_query_plan_ranks(it->run->plan);
    bool has = has_number(of, series, t);
    alm_members members = {.remark = ""};
    if (it->run->rollup != NULL) {
        alm_period period = alm_axis_at(last_grid(of)->axis, t);
        ALM_TRY(find_members(it, of, of->chain.count, series, t, period, &members, st));
        extra->of_count = members.present;
        extra->of_expected = members.expected;
    }
    if (is_rank) {
        extra->of_count = of->ranks.ranked[cell_of(of, series, t)];
        extra->of_expected = of->ranks.peers[cell_of(of, series, t)];
    }
    if (!has) {
        return ALM_OK;
    }
    ALM_TRY(add_remark(it, members.remark, extra, st));
    if (!is_rank) {
        return ALM_OK;
    }
    const char *remark;
    ALM_TRY(alm_rank_remark(it->run, &of->grids[of->chain.count - 1], &it->set, &of->ranks, series,
                            t, &remark, st));
    return add_remark(it, remark, extra, st);
}

// The place a value relates to: what it is a share of, what its peers have in common.
static alm_str related_place(const series_run *it, alm_place_id place)
{
    const alm_query_plan *plan = it->run->plan;
    alm_place_id parent = alm_place_tree_parent(plan->tree, place);
    if (plan->has_whole) {
        alm_place_id whole = plan->whole == NULL ? parent : ALM_PLACE_NONE;
        return code_of(it, plan->whole_place != ALM_PLACE_NONE ? plan->whole_place : whole);
    }
    bool is_among_siblings = alm_query_plan_ranks(plan) && plan->peers.count == 0;
    return is_among_siblings ? code_of(it, parent) : (alm_str){0};
}

static alm_code answer_variant(series_run *it, const target *of, alm_place_id place, uint32_t *ret,
                               alm_status *st)
{
    return alm_chain_variant(it->run, &of->chain, of->variant, related_place(it, place), ret, st);
}

// The row that a cell is, where nothing was computed of it: it is told as it was published.
static const alm_obs *published_cell(const series_run *it, const target *of, size_t series,
                                     uint32_t t)
{
    const alm_grid *grid = last_grid(of);
    size_t cell = cell_of(of, series, t);
    if (!alm_grid_has(grid, cell) || (grid->flags[cell] & ALM_CELL_COMPUTED)) {
        return NULL;
    }
    return alm_cells_find(&it->run->cells, of->variant, it->set.places[series],
                          alm_axis_at(grid->axis, t));
}

static alm_code answer_computed(series_run *it, target *of, size_t series, uint32_t t,
                                uint32_t published, const char *remark, alm_status *st)
{
    const alm_grid *grid = last_grid(of);
    size_t cell = cell_of(of, series, t);
    alm_obs obs = {
        .place = it->set.places[series],
        .period = alm_axis_at(grid->axis, t),
        .source = alm_newest_source(grid->newest[cell]),
        .published = alm_newest_published(grid->newest[cell]),
    };
    alm_answer_extra extra = {
        .computed = (grid->flags[cell] & ALM_CELL_COMPUTED) || !alm_grid_has(grid, cell),
        .reason = remark,
    };
    const alm_obs *row = published_cell(it, of, series, t);
    if (row != NULL) {
        extra.interval = alm_value_interval(&row->value);
        return alm_answers_add(&it->run->answers, row, &extra, st);
    }
    ALM_TRY(answer_variant(it, of, obs.place, &obs.variant, st));
    alm_grid_value(grid, cell, of->chain.out.unit, &obs.value, &extra.interval);
    ALM_TRY(take_remarks(it, of, series, t, &extra, st));
    if (!obs.value.has_number) {
        ALM_TRY(why(it, of, series, t, &extra.reason, st));
        ALM_TRY(mention(it, published, &extra.reason, st));
    }
    return alm_answers_add(&it->run->answers, &obs, &extra, st);
}

static alm_code answer_cell(series_run *it, target *of, size_t series, uint32_t t,
                            const char *remark, alm_status *st)
{
    alm_place_id place = it->set.places[series];
    alm_period period = alm_axis_at(last_grid(of)->axis, t);
    uint32_t published = published_at(it, of->variant, place, period);
    uint32_t ignored;
    it->is_answered[series] = 1;
    ALM_TRY(alm_cell_index_add(it->seen, place, alm_period_pack(period), 0, &ignored, st));
    for (uint32_t row = published; row != ALM_CELL_NONE; row = next_published(it, row)) {
        ALM_TRY(alm_answers_add_published(&it->run->answers, published_row(it, row), st));
    }
    return of->is_refused ? ALM_OK : answer_computed(it, of, series, t, published, remark, st);
}

// Told: computed, published beside, or asked of something that was published.
static bool is_told(const series_run *it, const target *of, size_t series, uint32_t t)
{
    alm_period period = alm_axis_at(last_grid(of)->axis, t);
    return has_number(of, series, t) ||
           published_at(it, of->variant, it->set.places[series], period) != ALM_CELL_NONE ||
           alm_source_grid_told(&of->source, series, source_index(of, t));
}

static alm_code answer_ranges(series_run *it, target *of, size_t series, alm_status *st)
{
    alm_axis axis = last_grid(of)->axis;
    for (uint32_t t = 0; t < axis.count; t++) {
        if (alm_windows_asked(it->run, &it->windows, alm_axis_at(axis, t)) &&
            is_told(it, of, series, t)) {
            ALM_TRY(answer_cell(it, of, series, t, "", st));
        }
    }
    return ALM_OK;
}

static bool has_answer(const series_run *it, const target *of, size_t series, uint32_t t)
{
    bool has = has_number(of, series, t);
    uint32_t row =
        published_at(it, of->variant, it->set.places[series], alm_axis_at(last_grid(of)->axis, t));
    for (; row != ALM_CELL_NONE && !has; row = next_published(it, row)) {
        has = !alm_obs_status_missing(published_row(it, row)->value.status);
    }
    return has;
}

// The newest n that have a number; without one the newest that something was published for. What is
// newer and has none is told beside the newest.
static alm_code answer_last(series_run *it, target *of, size_t series, alm_status *st)
{
    alm_axis axis = last_grid(of)->axis;
    uint32_t wanted = it->run->plan->periods.last;
    uint32_t left = wanted;
    uint32_t newest = ALM_AXIS_NONE; // told, and without an answer
    const char *remark = "";
    for (uint32_t t = axis.count; t-- > 0 && left > 0;) {
        if (has_answer(it, of, series, t)) {
            ALM_TRY(answer_cell(it, of, series, t, remark, st));
            remark = "";
            left--;
        } else if (newest == ALM_AXIS_NONE && left == wanted && is_told(it, of, series, t)) {
            char label[ALM_PERIOD_TEXT_MAX];
            const char *reason;
            newest = t;
            (void)alm_period_format(alm_axis_at(axis, t), label);
            ALM_TRY(why(it, of, series, t, &reason, st));
            ALM_TRY(alm_query_run_text(it->run, &remark, st, "%s has none: %s", label, reason));
        }
    }
    return left == wanted && newest != ALM_AXIS_NONE ? answer_cell(it, of, series, newest, "", st)
                                                     : ALM_OK;
}

// --- what nothing was said of -------------------------------------------------------------------

static target *target_of_freq(const series_run *it, alm_freq freq)
{
    for (size_t i = 0; i < it->target_count; i++) {
        if (it->targets[i].freq == freq && !it->targets[i].is_refused) {
            return &it->targets[i];
        }
    }
    return NULL;
}

// period: freq NONE, none at all. If the transforms do not apply at the frequency, that is why.
static alm_code answer_absent(series_run *it, size_t series, alm_freq freq, alm_period period,
                              const char *reason, alm_status *st)
{
    alm_query_run *run = it->run;
    target of = {.freq = freq};
    alm_quantity source;
    alm_status fault = ALM_STATUS_INIT;
    if (alm_chain_guess(run, freq, &of.chain, &source, &fault) != ALM_OK) {
        of.chain = (alm_chain){.out = {.unit = run->indicator->unit}};
        ALM_TRY(alm_query_run_text(run, &reason, st, "%s", fault.message));
    }
    ALM_TRY(alm_query_run_missing_variant(run, run->plan->measure, freq, &of.variant, st));
    alm_obs obs = {
        .place = it->set.places[series],
        .period = period,
        .value = {.unit = of.chain.out.unit, .status = ALM_OBS_STATUS_MISSING_UNSPECIFIED},
        .source = ALM_SOURCE_NONE,
        .published = ALM_DATE_NONE,
    };
    ALM_TRY(answer_variant(it, &of, obs.place, &obs.variant, st));
    alm_answer_extra extra = {
        .interval = alm_value_interval(&obs.value),
        .computed = true,
        .reason = reason,
    };
    return alm_answers_add(&run->answers, &obs, &extra, st);
}

// The frequency of a place that has no row: that is asked, else one that others have.
static alm_freq absent_freq(const series_run *it)
{
    const alm_transform *to = transform_at(it, ALM_STAGE_FREQUENCY);
    return to->op != ALM_TRANSFORM_NONE           ? to->freq
           : it->run->plan->freq != ALM_FREQ_NONE ? it->run->plan->freq
           : it->target_count > 0                 ? it->targets[0].freq
                                                  : ALM_FREQ_ANNUAL;
}

static alm_code answer_missing_at(series_run *it, size_t series, alm_period period, alm_status *st)
{
    alm_freq freq = (alm_freq)period.freq;
    target *of = target_of_freq(it, freq);
    const char *reason;
    if (of != NULL) {
        uint32_t t = alm_axis_find(last_grid(of)->axis, period);
        ALM_ASSERT(t != ALM_AXIS_NONE);
        return answer_cell(it, of, series, t, "", st);
    }
    ALM_TRY(alm_query_run_why_missing(it->run, NULL, it->run->plan->measure, ALM_PLACE_NONE, period,
                                      &reason, st));
    it->is_answered[series] = 1;
    return answer_absent(it, series, freq, period, reason, st);
}

// The listed cells of a series that nothing was said of yet.
static alm_code answer_listed(series_run *it, size_t series, alm_status *st)
{
    const alm_query_plan *plan = it->run->plan;
    const alm_place *place = alm_place_tree_get(plan->tree, it->set.places[series]);
    bool is_converted = transform_at(it, ALM_STAGE_FREQUENCY)->op != ALM_TRANSFORM_NONE;
    for (size_t w = 0; it->windows.is_listed && w < it->windows.count; w++) {
        const alm_window *asked = &it->windows.of[w];
        bool is_other =
            !is_converted && plan->freq != ALM_FREQ_NONE && plan->freq != asked->axis.first.freq;
        for (uint32_t t = 0; !is_other && t < asked->axis.count; t++) {
            alm_period period = alm_axis_at(asked->axis, t);
            bool is_missing =
                asked->marked[t] && alm_place_valid_on(place, alm_period_last_day(period)) &&
                alm_cell_index_find(it->seen, it->set.places[series], alm_period_pack(period)) ==
                    ALM_CELL_NONE;
            if (is_missing) {
                ALM_TRY(answer_missing_at(it, series, period, st));
            }
        }
    }
    return ALM_OK;
}

static alm_code answer_missing(series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_query_plan *plan = run->plan;
    bool is_refused = !it->any && it->fault.code != ALM_OK;
    bool is_by_place = !it->windows.is_bounded && plan->places.count <= ALM_QUERY_MISSING_COUNT_MAX;
    if (!run->is_named || is_refused || run->groups != NULL) {
        return ALM_OK;
    }
    for (size_t s = 0; s < it->set.count; s++) {
        if (!it->set.is_asked[s]) {
            continue;
        }
        ALM_TRY(answer_listed(it, s, st));
        if (is_by_place && !it->is_answered[s]) {
            const char *reason;
            ALM_TRY(alm_query_run_text(
                run, &reason, st, "no %s of %.*s for %.*s", alm_measure_code(plan->measure),
                ALM_STR_ARGS(run->indicator->code),
                ALM_STR_ARGS(alm_place_tree_get(plan->tree, it->set.places[s])->code)));
            ALM_TRY(answer_absent(it, s, absent_freq(it), (alm_period){0}, reason, st));
        }
    }
    return ALM_OK;
}

// --- the whole ----------------------------------------------------------------------------------

static alm_code run_step(series_run *it, target *of, size_t i, alm_arena *arena, alm_status *st)
{
    const alm_step *step = &of->chain.steps[i];
    const alm_grid *wholes = it->run->plan->whole == NULL ? &of->grids[i] : &of->whole.grid;
    alm_grid parts = of->grids[i];
    parts.series_count = it->set.count; // the first of the sources
    switch (step->transform.op) {
    case ALM_TRANSFORM_SHARE:
        return alm_grid_share(&parts, wholes, it->set.whole_of, arena, &of->grids[i + 1], st);
    case ALM_TRANSFORM_CONTRIBUTION_PP:
    case ALM_TRANSFORM_CONTRIBUTION_SHARE:
        return alm_step_contribute(step, &parts, wholes, it->set.whole_of, of->axes[i + 1], arena,
                                   &of->grids[i + 1], st);
    case ALM_TRANSFORM_RANK:
    case ALM_TRANSFORM_PERCENTILE:
        return alm_rank_grid(it->run, &of->grids[i], &it->set, arena, &of->grids[i + 1], &of->ranks,
                             st);
    default:
        return alm_step_run(step, &of->grids[i], of->axes[i + 1], arena, &of->grids[i + 1], st);
    }
}

static alm_code compute(series_run *it, target *of, alm_arena *arena, alm_status *st)
{
    ALM_TRY(alm_source_grid_load(&of->source, &it->set, of->axes[0], arena, st));
    if (it->run->plan->whole != NULL && !of->is_refused) {
        ALM_TRY(alm_source_grid_load(&of->whole, &it->set, of->axes[0], arena, st));
    }
    of->grids[0] = of->source.grid;
    for (size_t i = 0; i < of->chain.count; i++) {
        ALM_TRY(run_step(it, of, i, arena, st));
    }
    return ALM_OK;
}

static alm_code answer_part(series_run *it, alm_arena *arena, alm_status *st)
{
    bool is_last = it->run->plan->periods.kind == ALM_PERIOD_EXPR_LAST;
    // In the arena: its index is released with it.
    it->seen = alm_arena_alloc(arena, sizeof *it->seen);
    it->is_answered = alm_arena_calloc(arena, it->set.count, 1);
    if (it->seen == NULL || it->is_answered == NULL) {
        return alm_query_run_no_memory(st);
    }
    ALM_TRY(alm_cell_index_init(it->seen, arena, st));
    for (size_t i = 0; i < it->target_count; i++) {
        target *of = &it->targets[i];
        ALM_TRY(compute(it, of, arena, st));
        for (size_t s = 0; s < it->set.count; s++) {
            if (it->set.is_asked[s]) {
                ALM_TRY(is_last ? answer_last(it, of, s, st) : answer_ranges(it, of, s, st));
            }
        }
    }
    return answer_missing(it, st);
}

static alm_code answer_all(series_run *it, alm_arena *arena, alm_status *st)
{
    size_t periods = 1;
    ALM_TRY(place_targets(it, &periods, st));
    for (size_t at = 0; at < it->all.count;) {
        ALM_TRY(alm_series_set_part(it->run, &it->all, at, PART_CELLS / periods, arena, &it->set,
                                    &at, st));
        ALM_TRY(answer_part(it, arena, st));
        alm_arena_reset(arena);
    }
    return ALM_OK;
}

alm_code alm_series_run(alm_query_run *run, alm_status *st)
{
    // In the arena: its index is released with it.
    series_run *it = alm_arena_calloc(run->arena, 1, sizeof *it);
    alm_arena *arena = alm_arena_create(0);
    alm_code code;
    if (it == NULL || arena == NULL) {
        code = alm_query_run_no_memory(st);
        goto done;
    }
    it->run = run;
    it->fault = ALM_STATUS_INIT;
    code = alm_windows_make(run, &it->windows, st);
    if (code == ALM_OK) {
        code = alm_series_set_make(run, &it->all, st);
    }
    if (code == ALM_OK) {
        code = read_all(it, st);
    }
    if (code == ALM_OK) {
        code = read_published(it, st);
    }
    if (code == ALM_OK && run->rollup != NULL) {
        code = expect_slices(it, st);
    }
    if (code == ALM_OK) {
        code = find_targets(it, st);
    }
    if (code == ALM_OK) {
        code = answer_all(it, arena, st);
    }
    bool is_refused = run->is_named && !it->any && it->fault.code != ALM_OK;
    if (code == ALM_OK && is_refused && run->answers.count == 0) {
        code = alm_status_copy(st, &it->fault);
    }
done:
    alm_arena_destroy(&arena);
    return code;
}
