// Answers told series by series while they are computed: in columns where all of a series are of
// one kind.
#include "series_run.h"

// Are answers wanted in the order in which series are computed?
static bool is_in_order(const alm_query_run *run, const alm_series_set *set)
{
    const alm_query_plan *plan = run->plan;
    if (run->sink == NULL || run->sink->writer == NULL || plan->limit > 0 ||
        plan->order != ALMANAC__V1__ORDER__ORDER_KEY) {
        return false;
    }
    uint64_t last = 0;
    for (size_t s = 0; s < set->count; s++) {
        uint64_t order = (uint64_t)alm_answer_place_order(plan, set->places[s]) + 1;
        if (set->is_asked[s] && order <= last) {
            return false;
        }
        last = set->is_asked[s] ? order : last;
    }
    return true;
}

alm_code alm_series_tell_begin(alm_series_run *it, size_t periods, alm_status *st)
{
    alm_query_run *run = it->run;
    it->teller = NULL;
    return is_in_order(run, &it->all)
               ? alm_teller_make(run->plan, run->sink, it->all.count * periods, run->arena,
                                 &it->teller, st)
               : ALM_OK;
}

static bool is_of_one_kind(const alm_series_run *it)
{
    const alm_windows *windows = &it->windows;
    if (it->target_count != 1 || it->targets[0].is_refused || it->published.count > 0 ||
        (it->run->groups != NULL && it->run->cells.count > 0) ||
        it->run->plan->periods.kind == ALM_PERIOD_EXPR_LAST) {
        return false;
    }
    // Of other frequencies that are listed there is something to be told, too.
    return !windows->is_listed ||
           (windows->count == 1 && windows->of[0].axis.first.freq == (uint8_t)it->targets[0].freq);
}

alm_code alm_series_tell_part(alm_series_run *it, alm_arena *arena, alm_status *st)
{
    it->asked = NULL;
    if (it->teller == NULL || !is_of_one_kind(it)) {
        return ALM_OK;
    }
    alm_axis axis = alm_series_last_grid(&it->targets[0])->axis;
    it->asked = alm_arena_alloc(arena, axis.count);
    if (it->asked == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (uint32_t t = 0; t < axis.count; t++) {
        it->asked[t] = alm_windows_asked(it->run, &it->windows, alm_axis_at(axis, t));
    }
    return ALM_OK;
}

// Is every number of the series computed?
static bool is_computed(const alm_series_target *of, size_t series)
{
    const alm_grid *grid = alm_series_last_grid(of);
    size_t row = series * grid->axis.count;
    bool is_all = true;
    for (size_t i = row; i < row + grid->axis.count; i++) {
        is_all &= !alm_grid_has(grid, i) || (grid->flags[i] & ALM_CELL_COMPUTED) != 0;
    }
    return is_all;
}

// Rows that are alike follow each other: those of a parent's places, of a place, of all.
static alm_code begin_series(alm_series_run *it, alm_series_target *of, size_t series,
                             bool *ret_is_told, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_told_common common;
    alm_obs like = {.value = {.unit = of->chain.out.unit}};
    uint32_t before = of->answered;
    bool is_begun = of->has_answered && it->is_begun;
    ALM_TRY(alm_series_variant(it, of, it->set.places[series], &like.variant, st));
    *ret_is_told = true;
    if (is_begun && like.variant == before) {
        return ALM_OK;
    }
    *ret_is_told =
        alm_answers_common(&run->answers, run->plan, run->indicator, &like, true, &common);
    if (!*ret_is_told) {
        return ALM_OK;
    }
    common.indicator = run->label;
    it->is_begun = true;
    return alm_teller_begin(it->teller, &common, st);
}

static alm_code tell_cell(alm_series_run *it, alm_series_target *of, size_t series, uint32_t t,
                          alm_status *st)
{
    alm_obs obs;
    alm_answer_extra extra;
    ALM_TRY(alm_series_computed(it, of, series, t, ALM_CELL_NONE, &obs, &extra, st));
    alm_told_row row = alm_told_row_of(&obs);
    row.bounds = obs.value.has_number ? ALMANAC__V1__BOUNDS__BOUNDS_TOLD
                                      : ALMANAC__V1__BOUNDS__BOUNDS_DIGITS;
    row.interval = extra.interval;
    row.reason = alm_str_from(extra.reason);
    row.of_count = extra.of_count;
    row.of_expected = extra.of_expected;
    it->is_answered[series] = 1;
    it->run->told++;
    return alm_teller_add(it->teller, &row, st);
}

// Of a listed period that nothing was said of, too, as long as the place was there.
static bool is_wanted(const alm_series_run *it, const alm_series_target *of, size_t series,
                      uint32_t t)
{
    const alm_query_run *run = it->run;
    if (!it->asked[t] || alm_series_is_told(it, of, series, t)) {
        return it->asked[t];
    }
    alm_date day = alm_period_last_day(alm_axis_at(alm_series_last_grid(of)->axis, t));
    return it->windows.is_listed && run->is_named && run->groups == NULL &&
           alm_place_valid_on(alm_place_tree_get(run->plan->tree, it->set.places[series]), day);
}

// Of a rank each cell has remarks of its own.
static alm_code rank_remarks(alm_series_run *it, alm_series_target *of, size_t series, uint32_t t,
                             alm_told_remarks *ret, alm_status *st)
{
    size_t cell = series * alm_series_last_grid(of)->axis.count + t;
    const char *remark;
    ALM_TRY(alm_rank_remark(it->run, &of->grids[of->chain.count - 1], &it->set, &of->ranks, series,
                            t, &remark, st));
    *ret = (alm_told_remarks){alm_str_from(remark), of->ranks.ranked[cell], of->ranks.peers[cell]};
    return ALM_OK;
}

// Numbers from period t on; *ret is how many were told. Not of a roll-up, whose members are to be
// told of.
static alm_code tell_numbers(alm_series_run *it, alm_series_target *of, size_t series, uint32_t t,
                             size_t *ret, alm_status *st)
{
    const alm_grid *grid = alm_series_last_grid(of);
    size_t row = series * grid->axis.count;
    bool is_rank = alm_query_plan_ranks(it->run->plan);
    uint32_t most = is_rank ? t + 1 : grid->axis.count;
    uint32_t end = t;
    alm_told_remarks remarks = {.of_count = 0};
    while (end < most && it->asked[end] && alm_grid_has(grid, row + end)) {
        end++;
    }
    *ret = 0;
    if (it->run->groups != NULL || end == t) {
        return ALM_OK;
    }
    if (is_rank) {
        ALM_TRY(rank_remarks(it, of, series, t, &remarks, st));
    }
    ALM_TRY(alm_teller_add_cells(it->teller, it->set.places[series], grid, row + t, end - t,
                                 &remarks, ret, st));
    it->is_answered[series] |= *ret > 0;
    it->run->told += *ret;
    return ALM_OK;
}

alm_code alm_series_tell_ranges(alm_series_run *it, alm_series_target *of, size_t series,
                                bool *ret_is_told, alm_status *st)
{
    *ret_is_told = it->asked != NULL && is_computed(of, series);
    if (*ret_is_told) {
        ALM_TRY(begin_series(it, of, series, ret_is_told, st));
    }
    uint32_t count = *ret_is_told ? alm_series_last_grid(of)->axis.count : 0;
    for (uint32_t t = 0; t < count;) {
        size_t told;
        ALM_TRY(tell_numbers(it, of, series, t, &told, st));
        if (told == 0 && is_wanted(it, of, series, t)) {
            ALM_TRY(tell_cell(it, of, series, t, st));
        }
        t += (uint32_t)ALM_MAX(told, (size_t)1);
    }
    return ALM_OK;
}

alm_code alm_series_tell_answers(alm_series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    if (it->teller == NULL || run->answers.count == 0) {
        return ALM_OK;
    }
    ALM_TRY(alm_teller_flush(it->teller, st));
    run->told += run->answers.count;
    ALM_TRY(alm_answers_tell(&run->answers, run->plan, run->indicator, run->label, run->sink, st));
    alm_answers_reset(&run->answers);
    return ALM_OK;
}

alm_code alm_series_tell_end(alm_series_run *it, alm_status *st)
{
    return it->teller == NULL ? ALM_OK : alm_teller_flush(it->teller, st);
}
