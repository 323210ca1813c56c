// What a question with transforms answers: families at a frequency and accumulation, and the
// periods of each.
#include "series_run.h"

#include "alm/limits.h"

static alm_code target_variant(alm_query_run *run, const alm_family *family, alm_freq freq,
                               alm_accumulation accumulation, uint32_t *ret, alm_status *st)
{
    alm_variant variant = alm_variant_table_get(&run->variants, family->key)->variant;
    variant.freq = freq;
    variant.accumulation = accumulation;
    return alm_variant_table_add(&run->variants, &variant, ret, st);
}

static bool has_target(const alm_series_run *it, const alm_family *family, alm_freq freq,
                       alm_accumulation accumulation)
{
    for (size_t i = 0; i < it->target_count; i++) {
        const alm_series_target *of = &it->targets[i];
        if (of->family.key == family->key && of->freq == freq && of->accumulation == accumulation) {
            return true;
        }
    }
    return false;
}

// Of another indicator the total is the whole, whatever the part's breakdown; what does not add up
// from the year's start is taken as it is.
static alm_code plan_whole(alm_series_run *it, alm_series_target *of, bool *ret_is_good,
                           alm_status *fault, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_indicator *whole = run->plan->whole;
    alm_unit unit = of->source.quantity.unit;
    alm_variant total = alm_variant_table_get(&run->variants, of->family.key)->variant;
    alm_families families;
    uint32_t key;
    total.indicator = whole->code;
    total.breakdown_count = 0;
    ALM_TRY(alm_variant_table_add(&run->variants, &total, &key, st));
    ALM_TRY(alm_families_find(run, whole->code, run->plan->measure, &families, st));
    alm_family found = alm_families_get(&families, key);
    ALM_TRY(alm_source_grid_plan_beside(run, whole, NULL, &found, of->freq, of->accumulation,
                                        &of->whole, fault, st));
    *ret_is_good = alm_unit_convertible(of->whole.quantity.unit, unit);
    if (!*ret_is_good) {
        char part_code[ALM_UNIT_TEXT_MAX];
        char whole_code[ALM_UNIT_TEXT_MAX];
        (void)alm_unit_code(unit, part_code);
        (void)alm_unit_code(of->whole.quantity.unit, whole_code);
        (void)alm_status_set(
            fault, ALM_FAILED_PRECONDITION, "%.*s is no part of %.*s: %s does not convert to %s",
            ALM_STR_ARGS(run->indicator->code), ALM_STR_ARGS(whole->code), part_code, whole_code);
    }
    of->whole.quantity.unit = unit;
    return ALM_OK;
}

// A target that cannot be computed is no failure as long as another can: monthly growth of the
// values from the year's start, where those of single months are there too.
static alm_code add_target(alm_series_run *it, const alm_family *family, const alm_family *lead,
                           alm_freq freq, alm_accumulation accumulation, alm_status *st)
{
    alm_query_run *run = it->run;
    if (has_target(it, family, freq, accumulation)) {
        return ALM_OK;
    }
    alm_series_target made = {
        .family = *family, .lead = *lead, .freq = freq, .accumulation = accumulation};
    alm_status fault = ALM_STATUS_INIT;
    ALM_TRY(target_variant(run, family, freq, accumulation, &made.variant, st));
    ALM_TRY(alm_source_grid_plan(run, run->indicator, run->derived, family, freq, accumulation,
                                 &made.source, &fault, st));
    bool is_good = made.source.count > 0 || made.source.derived != NULL ||
                   (family->count == 0 && run->derived == NULL) || fault.code == ALM_OK;
    if (is_good && run->plan->whole != NULL) {
        ALM_TRY(plan_whole(it, &made, &is_good, &fault, st));
    }
    if (is_good) {
        is_good = alm_chain_make(run->plan, &made.source.quantity, &made.chain, &fault) == ALM_OK;
    }
    if (!is_good) {
        it->fault = it->fault.code == ALM_OK ? fault : it->fault;
        made.source.count = made.chain.count = 0;
        made.source.derived = NULL;
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
    // last() reads of every frequency.
    bool is_freq = plan->freq == ALM_FREQ_NONE || plan->freq == entry->variant.freq ||
                   run->derived == NULL ||
                   plan->transforms.of[ALM_STAGE_FREQUENCY].op != ALM_TRANSFORM_NONE;
    bool is_breakdown =
        alm_str_eq(plan->breakdown, ALM_STR("*")) || alm_str_eq(plan->breakdown, entry->breakdown);
    return is_accumulation && is_breakdown && is_freq;
}

static alm_code add_targets_of(alm_series_run *it, const alm_family *family, const alm_family *lead,
                               uint32_t variant, alm_status *st)
{
    const alm_transform *freq = alm_series_transform_at(it, ALM_STAGE_FREQUENCY);
    const alm_transform *accumulation = alm_series_transform_at(it, ALM_STAGE_ACCUMULATION);
    alm_variant of = alm_variant_table_get(&it->run->variants, variant)->variant;
    if (!is_asked_variant(it->run, variant)) {
        return ALM_OK;
    }
    return add_target(
        it, family, lead, freq->op == ALM_TRANSFORM_NONE ? of.freq : freq->freq,
        accumulation->op == ALM_TRANSFORM_NONE ? of.accumulation : accumulation->accumulation, st);
}

// The family that is answered where the lead of a formula has one: of the same breakdown, unless
// that is the operand's own.
static alm_code family_of_lead(alm_series_run *it, const alm_families *own, uint32_t lead,
                               alm_family *ret, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_variant variant = alm_variant_table_get(&run->variants, lead)->variant;
    variant.indicator = run->indicator->code;
    variant.measure = run->plan->measure;
    if (run->derived->lead->has_breakdown) {
        ALM_TRY(alm_breakdowns_parse(
            alm_str_eq(run->plan->breakdown, ALM_STR("*")) ? (alm_str){0} : run->plan->breakdown,
            variant.breakdowns, &variant.breakdown_count, st));
    }
    uint32_t key;
    ALM_TRY(alm_variant_table_add(&run->variants, &variant, &key, st));
    *ret = alm_families_get(own, key);
    return ALM_OK;
}

// What is made of others is answered where its lead is.
static alm_code add_derived_targets(alm_series_run *it, const alm_families *own, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_families leads;
    ALM_TRY(alm_derived_lead(run, run->derived, &leads, st));
    for (size_t i = 0; i < leads.count; i++) {
        const alm_family *lead = &leads.of[i];
        alm_family family;
        alm_family told = *lead;
        ALM_TRY(family_of_lead(it, own, lead->key, &family, st));
        ALM_TRY(alm_derived_take_growth(run, run->derived, &told, st));
        for (size_t k = 0; k < lead->count; k++) {
            const alm_variant *of =
                &alm_variant_table_get(&run->variants, lead->variants[k])->variant;
            uint32_t variant;
            ALM_TRY(target_variant(run, &family, of->freq, of->accumulation, &variant, st));
            ALM_TRY(add_targets_of(it, &family, &told, variant, st));
        }
    }
    return ALM_OK;
}

alm_code alm_series_targets_find(alm_series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_family none = {0};
    alm_families families;
    ALM_TRY(alm_families_find(run, run->indicator->code, run->plan->measure, &families, st));
    if (run->derived != NULL) {
        ALM_TRY(add_derived_targets(it, &families, st));
    }
    for (size_t i = 0; i < families.count; i++) {
        const alm_family *family = &families.of[i];
        for (size_t k = 0; k < family->count; k++) {
            ALM_TRY(add_targets_of(it, family, &none, family->variants[k], st));
        }
    }
    for (size_t i = 0; i < it->published.count; i++) {
        alm_family family = {0};
        ALM_TRY(alm_family_key(run, it->published.variants[i], &family.key, st));
        ALM_TRY(add_targets_of(it, &family, &none, it->published.variants[i], st));
    }
    return ALM_OK;
}

// --- the periods of a target --------------------------------------------------------------------

typedef struct observed {
    const alm_query_run *run;
    const alm_series_target *of;
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

static bool has_variant(const alm_family *family, uint32_t variant)
{
    for (size_t i = 0; i < family->count; i++) {
        if (family->variants[i] == variant) {
            return true;
        }
    }
    return false;
}

static alm_code note_period(void *arg, uint32_t variant, alm_period period, alm_status *st)
{
    (void)st;
    observed *it = arg;
    if (has_variant(&it->of->family, variant) || has_variant(&it->of->lead, variant)) {
        widen(it, period);
    }
    // Growth leads back from its year to the one before.
    alm_period before;
    bool is_growth = alm_variant_table_get(&it->run->variants, variant)->variant.measure ==
                     ALM_MEASURE_GROWTH_YOY;
    if (is_growth && has_variant(&it->of->lead, variant) &&
        alm_period_add_years(period, -1, &before, NULL) == ALM_OK) {
        widen(it, before);
    }
    return ALM_OK;
}

// Every period something was published in, where no window is asked.
static alm_code observed_axis(alm_series_run *it, const alm_series_target *of, alm_axis *ret,
                              alm_status *st)
{
    observed seen = {.run = it->run, .of = of};
    const alm_cells *cells = &it->run->cells;
    ALM_TRY(alm_visit_read(it->run, note_period, &seen, st));
    for (size_t i = 0; it->published.count > 0 && i < cells->count; i++) {
        alm_obs row = alm_cells_row(cells, i);
        if (alm_series_published_at(it, of->variant, row.place, row.period) != ALM_CELL_NONE) {
            widen(&seen, row.period);
        }
    }
    *ret = seen.axis;
    return ALM_OK;
}

static alm_code check_cells(const alm_series_run *it, size_t periods, alm_status *st)
{
    if (it->all.count > ALM_SERIES_CELL_COUNT_MAX / periods) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "%zu series over %zu periods are computed for it; the limit is %d "
                              "cells; ask for fewer places or periods",
                              it->all.count, periods, ALM_SERIES_CELL_COUNT_MAX);
    }
    return ALM_OK;
}

alm_code alm_series_check_windows(const alm_series_run *it, alm_status *st)
{
    for (size_t i = 0; i < it->windows.count; i++) {
        ALM_TRY(check_cells(it, it->windows.of[i].axis.count, st));
    }
    return ALM_OK;
}

alm_code alm_series_targets_place(alm_series_run *it, size_t *ret_periods, alm_status *st)
{
    size_t kept = 0;
    size_t periods = 1;
    for (size_t i = 0; i < it->target_count; i++) {
        alm_series_target *of = &it->targets[i];
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
    ALM_TRY(check_cells(it, periods, st));
    *ret_periods = periods * ALM_MAX(kept, (size_t)1);
    return ALM_OK;
}

// Has some slice of the roll-up the period, or a part of it?
static alm_code has_slice(alm_rollup *rollup, alm_period period, bool *ret, alm_status *st)
{
    *ret = false;
    for (size_t i = 0; !*ret && i < alm_rollup_slice_count(rollup); i++) {
        uint32_t variant;
        alm_period of;
        ALM_TRY(alm_rollup_slice_at(rollup, i, &variant, &of, st));
        *ret = alm_period_contains(period, of);
    }
    return ALM_OK;
}

static alm_code expect_slice(alm_query_run *run, alm_period period, alm_status *st)
{
    for (size_t i = 0; i < run->rollup_count; i++) {
        bool is_there;
        uint32_t variant;
        ALM_TRY(has_slice(run->rollups[i], period, &is_there, st));
        if (is_there) {
            continue;
        }
        ALM_TRY(alm_query_run_missing_variant(run, run->plan->measure, (alm_freq)period.freq,
                                              &variant, st));
        ALM_TRY(alm_query_run_sibling_of(run, variant, alm_rollup_indicator(run->rollups[i])->code,
                                         &variant, st));
        ALM_TRY(alm_rollup_expect(run->rollups[i], variant, period, st));
    }
    return ALM_OK;
}

alm_code alm_series_expect_slices(alm_series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    for (size_t w = 0; run->is_named && it->windows.is_listed && w < it->windows.count; w++) {
        const alm_window *asked = &it->windows.of[w];
        alm_freq freq = (alm_freq)asked->axis.first.freq;
        bool is_other = run->plan->freq != ALM_FREQ_NONE && run->plan->freq != freq;
        for (uint32_t t = 0; t < asked->axis.count; t++) {
            if (asked->marked[t] && !is_other) {
                ALM_TRY(expect_slice(run, alm_axis_at(asked->axis, t), st));
            }
        }
    }
    return ALM_OK;
}
