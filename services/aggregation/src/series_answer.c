// The cells of the last grids as answers, with what was published beside them, and what nothing was
// said of.
#include "series_run.h"

#include "alm/limits.h"

static size_t cell_of(const alm_series_target *of, size_t series, uint32_t t)
{
    return series * alm_series_last_grid(of)->axis.count + t;
}

static bool has_number(const alm_series_target *of, size_t series, uint32_t t)
{
    return alm_grid_has(alm_series_last_grid(of), cell_of(of, series, t));
}

static uint32_t source_index(const alm_series_target *of, uint32_t t)
{
    uint32_t at = alm_axis_find(of->axes[0], alm_axis_at(alm_series_last_grid(of)->axis, t));
    ALM_ASSERT(at != ALM_AXIS_NONE);
    return at;
}

// The least complete of the roll-ups that a cell before step `level` was made of.
static alm_code find_members(alm_series_run *it, const alm_series_target *of, size_t level,
                             size_t series, uint32_t t, alm_period answered, alm_members *ret,
                             alm_status *st)
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

static alm_code add_remark(alm_series_run *it, const char *remark, alm_answer_extra *extra,
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
static alm_code take_remarks(alm_series_run *it, alm_series_target *of, size_t series, uint32_t t,
                             const alm_value *value, alm_answer_extra *extra, alm_status *st)
{
    bool is_rank = alm_query_plan_ranks(it->run->plan);
    bool has = has_number(of, series, t);
    alm_members members = {.remark = ""};
    if (it->run->groups != NULL) {
        alm_period period = alm_axis_at(alm_series_last_grid(of)->axis, t);
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
    alm_obs total;
    if (!members.is_partial && alm_series_total(it, of, series, t, &total)) {
        const char *gap;
        ALM_TRY(alm_series_total_gap(it, &total, value, extra->interval, &gap, st));
        ALM_TRY(add_remark(it, gap, extra, st));
    }
    if (!is_rank) {
        return ALM_OK;
    }
    const char *remark;
    ALM_TRY(alm_rank_remark(it->run, &of->grids[of->chain.count - 1], &it->set, &of->ranks, series,
                            t, &remark, st));
    return add_remark(it, remark, extra, st);
}

// The place a value relates to: what it is a share of, what its peers have in common.
static alm_str related_place(const alm_series_run *it, alm_place_id place)
{
    const alm_query_plan *plan = it->run->plan;
    alm_place_id parent = alm_place_tree_parent(plan->tree, place);
    if (plan->has_whole) {
        alm_place_id whole = plan->whole == NULL ? parent : ALM_PLACE_NONE;
        return alm_series_code_of(it,
                                  plan->whole_place != ALM_PLACE_NONE ? plan->whole_place : whole);
    }
    bool is_among_siblings = alm_query_plan_ranks(plan) && plan->peers.count == 0;
    return is_among_siblings ? alm_series_code_of(it, parent) : (alm_str){0};
}

// Nearly always that of the cell before.
alm_code alm_series_variant(alm_series_run *it, alm_series_target *of, alm_place_id place,
                            uint32_t *ret, alm_status *st)
{
    alm_str related = related_place(it, place);
    if (!of->has_answered || !alm_str_eq(of->related, related)) {
        ALM_TRY(alm_chain_variant(it->run, &of->chain, of->variant, related, &of->answered, st));
        of->has_answered = true;
        of->related = related;
    }
    *ret = of->answered;
    return ALM_OK;
}

// The row that a cell is, where nothing was computed of it: it is told as it was published. False:
// it was computed.
static bool published_cell(const alm_series_run *it, const alm_series_target *of, size_t series,
                           uint32_t t, alm_obs *ret)
{
    const alm_grid *grid = alm_series_last_grid(of);
    size_t cell = cell_of(of, series, t);
    if (!alm_grid_has(grid, cell) || (grid->flags[cell] & ALM_CELL_COMPUTED)) {
        return false;
    }
    return alm_cells_get(&it->run->cells, of->variant, it->set.places[series],
                         alm_axis_at(grid->axis, t), ret);
}

alm_code alm_series_computed(alm_series_run *it, alm_series_target *of, size_t series, uint32_t t,
                             uint32_t published, alm_obs *ret, alm_answer_extra *ret_extra,
                             alm_status *st)
{
    const alm_grid *grid = alm_series_last_grid(of);
    size_t cell = cell_of(of, series, t);
    *ret_extra = (alm_answer_extra){
        .computed = (grid->flags[cell] & ALM_CELL_COMPUTED) || !alm_grid_has(grid, cell),
        .reason = "",
    };
    if (published_cell(it, of, series, t, ret)) {
        ret_extra->interval = alm_value_interval(&ret->value);
        return ALM_OK;
    }
    *ret = (alm_obs){
        .place = it->set.places[series],
        .period = alm_axis_at(grid->axis, t),
        .source = alm_newest_source(grid->newest[cell]),
        .published = alm_newest_published(grid->newest[cell]),
    };
    ALM_TRY(alm_series_variant(it, of, ret->place, &ret->variant, st));
    alm_grid_value(grid, cell, of->chain.out.unit, &ret->value, &ret_extra->interval);
    ALM_TRY(take_remarks(it, of, series, t, &ret->value, ret_extra, st));
    if (ret->value.has_number) {
        return ALM_OK;
    }
    ALM_TRY(alm_series_why(it, of, series, t, &ret_extra->reason, st));
    alm_obs total;
    if (alm_series_total(it, of, series, t, &total)) {
        return alm_series_total_mention(it, &total, &ret_extra->reason, st);
    }
    return alm_series_mention(it, published, &ret_extra->reason, st);
}

// remark: of a cell with a number, before all others; "" for none.
static alm_code answer_computed(alm_series_run *it, alm_series_target *of, size_t series,
                                uint32_t t, uint32_t published, const char *remark, alm_status *st)
{
    alm_obs obs;
    alm_answer_extra extra;
    ALM_TRY(alm_series_computed(it, of, series, t, published, &obs, &extra, st));
    bool is_remarked = remark[0] != '\0' && obs.value.has_number;
    if (is_remarked && extra.reason[0] == '\0') {
        extra.reason = remark;
    } else if (is_remarked) {
        ALM_TRY(alm_query_run_text(it->run, &extra.reason, st, "%s; %s", remark, extra.reason));
    }
    if (it->run->trace != NULL) {
        ALM_TRY(alm_series_trace(it, of, series, t, &obs, st));
    }
    return alm_answers_add(&it->run->answers, &obs, &extra, st);
}

static alm_code answer_cell(alm_series_run *it, alm_series_target *of, size_t series, uint32_t t,
                            const char *remark, alm_status *st)
{
    alm_place_id place = it->set.places[series];
    alm_period period = alm_axis_at(alm_series_last_grid(of)->axis, t);
    uint32_t published = alm_series_published_at(it, of->variant, place, period);
    it->is_answered[series] = 1;
    if (it->windows.is_listed) {
        uint32_t ignored;
        ALM_TRY(alm_cell_index_add(it->seen, place, alm_period_pack(period), 0, &ignored, st));
    }
    for (uint32_t row = published; row != ALM_CELL_NONE; row = alm_series_published_next(it, row)) {
        alm_obs told = alm_series_published_row(it, row);
        ALM_TRY(alm_answers_add_published(&it->run->answers, &told, st));
    }
    alm_obs total;
    if (alm_series_total(it, of, series, t, &total)) {
        ALM_TRY(alm_answers_add_published(&it->run->answers, &total, st));
    }
    return of->is_refused ? ALM_OK : answer_computed(it, of, series, t, published, remark, st);
}

bool alm_series_is_told(const alm_series_run *it, const alm_series_target *of, size_t series,
                        uint32_t t)
{
    alm_period period = alm_axis_at(alm_series_last_grid(of)->axis, t);
    bool has = has_number(of, series, t);
    if (it->run->derived != NULL && !it->run->is_named) {
        return has; // of everything, only what can be computed
    }
    return has ||
           alm_series_published_at(it, of->variant, it->set.places[series], period) !=
               ALM_CELL_NONE ||
           alm_source_grid_told(&of->source, series, source_index(of, t));
}

alm_code alm_series_answer_ranges(alm_series_run *it, alm_series_target *of, size_t series,
                                  alm_status *st)
{
    alm_axis axis = alm_series_last_grid(of)->axis;
    for (uint32_t t = 0; t < axis.count; t++) {
        if (alm_windows_asked(it->run, &it->windows, alm_axis_at(axis, t)) &&
            alm_series_is_told(it, of, series, t)) {
            ALM_TRY(answer_cell(it, of, series, t, "", st));
        }
    }
    return ALM_OK;
}

static bool has_answer(const alm_series_run *it, const alm_series_target *of, size_t series,
                       uint32_t t)
{
    bool has = has_number(of, series, t);
    uint32_t row = alm_series_published_at(it, of->variant, it->set.places[series],
                                           alm_axis_at(alm_series_last_grid(of)->axis, t));
    for (; row != ALM_CELL_NONE && !has; row = alm_series_published_next(it, row)) {
        has = !alm_obs_status_missing(alm_series_published_row(it, row).value.status);
    }
    return has;
}

alm_code alm_series_answer_last(alm_series_run *it, alm_series_target *of, size_t series,
                                alm_status *st)
{
    alm_axis axis = alm_series_last_grid(of)->axis;
    uint32_t wanted = it->run->plan->periods.last;
    uint32_t left = wanted;
    uint32_t newest = ALM_AXIS_NONE; // told, and without an answer
    const char *remark = "";
    for (uint32_t t = axis.count; t-- > 0 && left > 0;) {
        if (has_answer(it, of, series, t)) {
            ALM_TRY(answer_cell(it, of, series, t, remark, st));
            remark = "";
            left--;
        } else if (newest == ALM_AXIS_NONE && left == wanted &&
                   alm_series_is_told(it, of, series, t)) {
            char label[ALM_PERIOD_TEXT_MAX];
            const char *reason;
            newest = t;
            (void)alm_period_format(alm_axis_at(axis, t), label);
            ALM_TRY(alm_series_why(it, of, series, t, &reason, st));
            ALM_TRY(alm_query_run_text(it->run, &remark, st, "%s has none: %s", label, reason));
        }
    }
    return left == wanted && newest != ALM_AXIS_NONE ? answer_cell(it, of, series, newest, "", st)
                                                     : ALM_OK;
}

// --- what nothing was said of -------------------------------------------------------------------

static alm_series_target *target_of_freq(const alm_series_run *it, alm_freq freq)
{
    for (size_t i = 0; i < it->target_count; i++) {
        if (it->targets[i].freq == freq && !it->targets[i].is_refused) {
            return &it->targets[i];
        }
    }
    return NULL;
}

// What nothing was published of: of what is made of others its lead.
static const alm_indicator *unpublished(const alm_query_run *run)
{
    const alm_indicator *it = run->indicator;
    for (const alm_derived *of = run->derived; of != NULL; of = of->lead->derived) {
        it = of->lead->indicator;
    }
    return it;
}

// period: freq NONE, none at all. If the transforms do not apply at the frequency, that is why.
static alm_code answer_absent(alm_series_run *it, size_t series, alm_freq freq, alm_period period,
                              const char *reason, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_series_target of = {.freq = freq};
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
    ALM_TRY(alm_series_variant(it, &of, obs.place, &obs.variant, st));
    alm_answer_extra extra = {
        .interval = alm_value_interval(&obs.value),
        .computed = true,
        .reason = reason,
    };
    if (run->trace != NULL) {
        ALM_TRY(alm_series_trace_absent(run, unpublished(run), &obs, st));
    }
    return alm_answers_add(&run->answers, &obs, &extra, st);
}

// The frequency of a place that has no row: that is asked, else one that others have.
static alm_freq absent_freq(const alm_series_run *it)
{
    const alm_transform *to = alm_series_transform_at(it, ALM_STAGE_FREQUENCY);
    return to->op != ALM_TRANSFORM_NONE           ? to->freq
           : it->run->plan->freq != ALM_FREQ_NONE ? it->run->plan->freq
           : it->target_count > 0                 ? it->targets[0].freq
                                                  : ALM_FREQ_ANNUAL;
}

static alm_code answer_missing_at(alm_series_run *it, size_t series, alm_period period,
                                  alm_status *st)
{
    alm_freq freq = (alm_freq)period.freq;
    alm_series_target *of = target_of_freq(it, freq);
    const char *reason;
    if (of != NULL) {
        uint32_t t = alm_axis_find(alm_series_last_grid(of)->axis, period);
        ALM_ASSERT(t != ALM_AXIS_NONE);
        return answer_cell(it, of, series, t, "", st);
    }
    ALM_TRY(alm_query_run_why_missing(it->run, NULL, it->run->plan->measure, ALM_PLACE_NONE, period,
                                      &reason, st));
    if (it->run->derived != NULL) {
        ALM_TRY(alm_query_run_text(it->run, &reason, st, "%.*s: %s",
                                   ALM_STR_ARGS(unpublished(it->run)->code), reason));
    }
    it->is_answered[series] = 1;
    return answer_absent(it, series, freq, period, reason, st);
}

// The listed cells of a series that nothing was said of yet.
static alm_code answer_listed(alm_series_run *it, size_t series, alm_status *st)
{
    const alm_query_plan *plan = it->run->plan;
    const alm_place *place = alm_place_tree_get(plan->tree, it->set.places[series]);
    bool is_converted = alm_series_transform_at(it, ALM_STAGE_FREQUENCY)->op != ALM_TRANSFORM_NONE;
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

alm_code alm_series_answer_missing(alm_series_run *it, size_t series, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_query_plan *plan = run->plan;
    bool is_refused = !it->any && it->fault.code != ALM_OK;
    bool is_by_place = !it->windows.is_bounded && plan->whole_count <= ALM_QUERY_MISSING_COUNT_MAX;
    if (!run->is_named || is_refused || run->groups != NULL) {
        return ALM_OK;
    }
    ALM_TRY(answer_listed(it, series, st));
    if (!is_by_place || it->is_answered[series]) {
        return ALM_OK;
    }
    const char *reason;
    ALM_TRY(alm_query_run_text(
        run, &reason, st, "no %s of %.*s for %.*s", alm_measure_code(plan->measure),
        ALM_STR_ARGS(unpublished(run)->code),
        ALM_STR_ARGS(alm_place_tree_get(plan->tree, it->set.places[series])->code)));
    return answer_absent(it, series, absent_freq(it), (alm_period){0}, reason, st);
}
