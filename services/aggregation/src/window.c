#include "window.h"

#include "alm/limits.h"

// --- what is asked -------------------------------------------------------------------------------

static alm_freq asked_freq(const alm_query_run *run, alm_period period)
{
    const alm_transform *to = &run->plan->transforms.of[ALM_STAGE_FREQUENCY];
    return to->op == ALM_TRANSFORM_NONE ? (alm_freq)period.freq : to->freq;
}

// The first and last single period of a range in the frequency that is answered: quarters of asked
// years, years of an asked horizon. False: there are none.
static bool ends_of(const alm_query_run *run, alm_period_range range, alm_period *ret_first,
                    alm_period *ret_last)
{
    alm_freq freq = asked_freq(run, range.from);
    alm_period first = range.from;
    alm_period last = range.to;
    if (range.from.freq != freq && (alm_period_expand(range.from, freq, &first, NULL) != ALM_OK ||
                                    alm_period_expand(range.to, freq, &last, NULL) != ALM_OK)) {
        return false;
    }
    last.ordinal += last.length - 1;
    first.length = last.length = 1;
    *ret_first = first;
    *ret_last = last;
    return true;
}

// Its number; the count if there is none.
static size_t find_window(const alm_windows *it, alm_freq freq)
{
    size_t i = 0;
    while (i < it->count && it->of[i].axis.first.freq != freq) {
        i++;
    }
    return i;
}

const alm_window *alm_windows_find(const alm_windows *windows, alm_freq freq)
{
    size_t at = find_window(windows, freq);
    return at < windows->count ? &windows->of[at] : NULL;
}

static alm_code widen_window(alm_windows *it, alm_period first, alm_period last, alm_status *st)
{
    if (alm_period_diff(first, last) >= ALM_GRID_CELL_COUNT_MAX) {
        return alm_status_set_field(
            st, ALM_RESOURCE_EXHAUSTED, "periods", "%lld periods are asked; the limit is %d",
            (long long)alm_period_diff(first, last) + 1, ALM_GRID_CELL_COUNT_MAX);
    }
    alm_axis axis = alm_axis_between(first, last);
    size_t at = find_window(it, (alm_freq)first.freq);
    if (at == it->count) {
        ALM_ASSERT(it->count < ALM_ARRAY_LEN(it->of));
        it->of[it->count++] = (alm_window){.axis = axis};
    } else {
        it->of[at].axis = alm_axis_union(it->of[at].axis, axis);
    }
    return ALM_OK;
}

static alm_code mark_windows(alm_query_run *run, alm_windows *it, alm_status *st)
{
    const alm_period_expr *expr = &run->plan->periods;
    for (size_t i = 0; i < it->count; i++) {
        it->of[i].marked = alm_arena_calloc(run->arena, it->of[i].axis.count, 1);
        if (it->of[i].marked == NULL) {
            return alm_query_run_no_memory(st);
        }
    }
    for (size_t i = 0; i < expr->range_count; i++) {
        alm_period first;
        alm_period last;
        if (!ends_of(run, expr->ranges[i], &first, &last)) {
            continue;
        }
        const alm_window *at = alm_windows_find(it, (alm_freq)first.freq);
        memset(at->marked + alm_axis_find(at->axis, first), 1,
               (size_t)alm_period_diff(first, last) + 1);
    }
    return ALM_OK;
}

static size_t count_marked(const alm_windows *it)
{
    size_t count = 0;
    for (size_t i = 0; i < it->count; i++) {
        for (uint32_t t = 0; t < it->of[i].axis.count; t++) {
            count += it->of[i].marked[t];
        }
    }
    return count;
}

alm_code alm_windows_make(alm_query_run *run, alm_windows *ret, alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    alm_windows *it = ret;
    *it = (alm_windows){0};
    it->is_bounded = plan->periods.kind == ALM_PERIOD_EXPR_RANGES && plan->period_estimate > 0;
    if (!it->is_bounded) {
        return ALM_OK;
    }
    for (size_t i = 0; i < plan->periods.range_count; i++) {
        alm_period first;
        alm_period last;
        alm_period_range range = plan->periods.ranges[i];
        if (ends_of(run, range, &first, &last)) {
            ALM_TRY(widen_window(it, first, last, st));
        } else {
            char label[ALM_PERIOD_TEXT_MAX];
            (void)alm_period_format(range.from, label);
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "periods",
                                        "%s is no whole number of periods of frequency %c", label,
                                        alm_freq_letter(asked_freq(run, range.from)));
        }
    }
    ALM_TRY(mark_windows(run, it, st));
    it->is_listed = plan->listed_count > 0 &&
                    count_marked(it) * plan->whole_count <= ALM_QUERY_MISSING_COUNT_MAX;
    return ALM_OK;
}

// Is the period asked? Windows say so where they are known.
bool alm_windows_asked(const alm_query_run *run, const alm_windows *windows, alm_period period)
{
    const alm_period_expr *expr = &run->plan->periods;
    if (expr->kind != ALM_PERIOD_EXPR_RANGES) {
        return true;
    }
    for (size_t i = 0; i < windows->count; i++) {
        uint32_t t = alm_axis_find(windows->of[i].axis, period);
        if (t != ALM_AXIS_NONE) {
            return windows->of[i].marked[t];
        }
    }
    if (windows->is_bounded) {
        return false;
    }
    bool is_converted = run->plan->transforms.of[ALM_STAGE_FREQUENCY].op != ALM_TRANSFORM_NONE;
    for (size_t i = 0; is_converted && i < expr->range_count; i++) {
        alm_period_range range = expr->ranges[i];
        bool starts = range.from.freq == ALM_FREQ_NONE ||
                      alm_period_first_day(range.from) <= alm_period_first_day(period);
        bool ends = range.to.freq == ALM_FREQ_NONE ||
                    alm_period_last_day(range.to) >= alm_period_last_day(period);
        if (starts && ends) {
            return true;
        }
    }
    return !is_converted && alm_period_expr_matches(expr, period);
}

// --- what has to be read -------------------------------------------------------------------------

typedef struct range_list {
    alm_arena *arena;
    alm_period_range *of;
    size_t count, cap;
} range_list;

static alm_code add_marked(range_list *list, alm_axis axis, const uint8_t *marked, alm_status *st)
{
    for (uint32_t t = 0; t < axis.count; t++) {
        alm_period period = alm_axis_at(axis, t);
        if (!marked[t]) {
            continue;
        }
        if (t > 0 && marked[t - 1]) {
            list->of[list->count - 1].to = period;
            continue;
        }
        void *of = list->of;
        if (!alm_arena_grow(list->arena, &of, &list->cap, list->count + 1, sizeof(list->of[0]))) {
            return alm_query_run_no_memory(st);
        }
        list->of = of;
        list->of[list->count++] = (alm_period_range){period, period};
    }
    return ALM_OK;
}

// What one step needs of its input for what is marked of its output.
static alm_code step_back(alm_query_run *run, const alm_step *step, alm_window *at, alm_status *st)
{
    alm_axis in;
    ALM_TRY(alm_step_reach(step, at->axis, &in, st));
    uint8_t *marked = alm_arena_calloc(run->arena, in.count, 1);
    if (marked == NULL) {
        return alm_query_run_no_memory(st);
    }
    alm_step_mark(step, at->axis, at->marked, in, marked);
    *at = (alm_window){in, marked};
    return ALM_OK;
}

static alm_code join(alm_query_run *run, const alm_window *a, const alm_window *b, alm_window *ret,
                     alm_status *st)
{
    alm_axis axis = alm_axis_union(a->axis, b->axis);
    uint8_t *marked = alm_arena_calloc(run->arena, axis.count, 1);
    if (marked == NULL) {
        return alm_query_run_no_memory(st);
    }
    const alm_window *both[] = {a, b};
    for (size_t i = 0; i < ALM_ARRAY_LEN(both); i++) {
        uint32_t at = alm_axis_find(axis, both[i]->axis.first);
        for (uint32_t t = 0; t < both[i]->axis.count; t++) {
            marked[at + t] |= both[i]->marked[t];
        }
    }
    *ret = (alm_window){axis, marked};
    return ALM_OK;
}

// Conversions of accumulation look beside what is asked; of the same frequency.
static alm_code widen_for_accumulation(alm_query_run *run, const alm_quantity *quantity,
                                       alm_window *at, alm_status *st)
{
    const alm_transform *to = &run->plan->transforms.of[ALM_STAGE_ACCUMULATION];
    if (to->op == ALM_TRANSFORM_NONE) {
        return ALM_OK;
    }
    alm_quantity other = *quantity;
    other.accumulation = to->accumulation == ALM_ACCUMULATION_PERIOD ? ALM_ACCUMULATION_CUMULATIVE
                                                                     : ALM_ACCUMULATION_PERIOD;
    alm_step step;
    alm_window back = *at;
    if (alm_step_make(to, &other, &step, NULL) != ALM_OK) {
        return ALM_OK; // it has no other
    }
    ALM_TRY(step_back(run, &step, &back, st));
    return join(run, at, &back, at, st);
}

static alm_code add_finer(alm_query_run *run, const alm_window *at, range_list *list,
                          alm_status *st)
{
    const alm_transform *to = &run->plan->transforms.of[ALM_STAGE_FREQUENCY];
    if (to->op == ALM_TRANSFORM_NONE) {
        return ALM_OK;
    }
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_DAY; freq++) {
        // All parts, whichever method: which one it will be is not known before they are read.
        alm_transform all = {
            .op = ALM_TRANSFORM_TO_FREQUENCY, .freq = to->freq, .method = ALM_METHOD_MAX};
        alm_quantity finer = {
            .kind = ALM_QUANTITY_AMOUNT, .freq = freq, .accumulation = ALM_ACCUMULATION_PERIOD};
        alm_step step;
        alm_window back = *at;
        if (freq == to->freq || alm_step_make(&all, &finer, &step, NULL) != ALM_OK) {
            continue;
        }
        ALM_TRY(step_back(run, &step, &back, st));
        ALM_TRY(add_marked(list, back.axis, back.marked, st));
    }
    return ALM_OK;
}

alm_code alm_windows_needed(alm_query_run *run, const alm_windows *windows, alm_period_expr *ret,
                            alm_status *ret_fault, alm_status *st)
{
    range_list list = {.arena = run->arena};
    for (size_t i = 0; i < windows->count; i++) {
        alm_window at = windows->of[i];
        alm_chain steps;
        alm_quantity source;
        alm_freq freq = (alm_freq)at.axis.first.freq;
        if (alm_chain_guess(run, freq, &steps, &source, ret_fault) != ALM_OK) {
            continue; // nothing is read: only what was published is answered
        }
        for (size_t k = steps.count; k-- > 0;) {
            ALM_TRY(step_back(run, &steps.steps[k], &at, st));
        }
        ALM_TRY(widen_for_accumulation(run, &source, &at, st));
        ALM_TRY(add_marked(&list, at.axis, at.marked, st));
        ALM_TRY(add_finer(run, &at, &list, st));
    }
    *ret = (alm_period_expr){
        .kind = ALM_PERIOD_EXPR_RANGES, .ranges = list.of, .range_count = list.count};
    return ALM_OK;
}
