// Transforms within a series: frequency, accumulation, change, index, moving average. What is asked
// is turned into the periods that have to be read, backwards through the steps; then computed
// forwards, a chunk of places at a time.
#include "asked.h"
#include "source_grid.h"

#include "alm/limits.h"

#include <stdlib.h>

#define CHUNK_CELLS 65536 // of one grid

// The asked periods of one frequency.
typedef struct window {
    alm_axis axis;
    uint8_t *marked; // by period of the axis; NULL: all
} window;

#define WINDOW_COUNT_MAX 8 // one a frequency

// The steps behind the source, in order.
typedef struct chain {
    alm_step steps[ALM_STAGE_COUNT];
    size_t count;
    alm_quantity out;
} chain;

typedef struct series_run {
    alm_query_run *run;
    bool is_bounded; // every period that is asked is known
    window windows[WINDOW_COUNT_MAX];
    size_t window_count;
    alm_measure published; // that is answered beside the computed; NONE: none
    alm_status fault;      // why a family has no answer
    bool any;              // a family has one
} series_run;

static const alm_transform *transform_at(const alm_query_run *run, alm_stage stage)
{
    return &run->plan->transforms.of[stage];
}

// --- the chain ----------------------------------------------------------------------------------

static alm_code make_chain(const alm_query_run *run, const alm_quantity *source, chain *ret,
                           alm_status *st)
{
    *ret = (chain){.out = *source};
    for (size_t stage = ALM_STAGE_CHANGE; stage < ALM_STAGE_COUNT; stage++) {
        const alm_transform *transform = transform_at(run, (alm_stage)stage);
        if (transform->op == ALM_TRANSFORM_NONE || stage == ALM_STAGE_RANK) {
            continue;
        }
        alm_step *step = &ret->steps[ret->count];
        ALM_TRY(alm_step_make(transform, &ret->out, step, st));
        ret->out = step->out;
        ret->count++;
    }
    return ALM_OK;
}

// The axes of the chain's grids for outputs on ret_axes[count]: ret_axes[0] is the source's.
static alm_code chain_axes(const chain *it, alm_axis out, alm_axis *ret_axes, alm_status *st)
{
    ret_axes[it->count] = out;
    for (size_t i = it->count; i-- > 0;) {
        ALM_TRY(alm_step_reach(&it->steps[i], ret_axes[i + 1], &ret_axes[i], st));
    }
    return ALM_OK;
}

// --- which periods are asked --------------------------------------------------------------------

static alm_freq asked_freq(const alm_query_run *run, alm_period period)
{
    const alm_transform *to = transform_at(run, ALM_STAGE_FREQUENCY);
    return to->op == ALM_TRANSFORM_NONE ? (alm_freq)period.freq : to->freq;
}

// The first and last single period of a range in the frequency that is answered: quarters of asked
// years. False: there are none.
static bool ends_of(const alm_query_run *run, alm_period_range range, alm_period *ret_first,
                    alm_period *ret_last)
{
    alm_freq freq = asked_freq(run, range.from);
    alm_period first = range.from;
    alm_period last = range.to;
    if (range.from.freq != freq) {
        if (alm_period_expand(range.from, freq, &first, NULL) != ALM_OK ||
            alm_period_expand(range.to, freq, &last, NULL) != ALM_OK) {
            return false;
        }
        last.ordinal += last.length - 1;
        first.length = last.length = 1;
    }
    *ret_first = first;
    *ret_last = last;
    return first.length == 1 && last.length == 1;
}

static window *window_of(series_run *it, alm_freq freq)
{
    for (size_t i = 0; i < it->window_count; i++) {
        if (it->windows[i].axis.first.freq == freq) {
            return &it->windows[i];
        }
    }
    return NULL;
}

static alm_code widen_window(series_run *it, alm_period first, alm_period last, alm_status *st)
{
    if (alm_period_diff(first, last) >= ALM_GRID_CELL_COUNT_MAX) {
        return alm_status_set_field(
            st, ALM_RESOURCE_EXHAUSTED, "periods", "%lld periods are asked; the limit is %d",
            (long long)alm_period_diff(first, last) + 1, ALM_GRID_CELL_COUNT_MAX);
    }
    alm_axis axis = alm_axis_between(first, last);
    window *known = window_of(it, (alm_freq)first.freq);
    if (known == NULL) {
        ALM_ASSERT(it->window_count < WINDOW_COUNT_MAX);
        it->windows[it->window_count++] = (window){.axis = axis};
    } else {
        known->axis = alm_axis_union(known->axis, axis);
    }
    return ALM_OK;
}

static alm_code mark_windows(series_run *it, alm_status *st)
{
    const alm_period_expr *expr = &it->run->plan->periods;
    for (size_t i = 0; i < it->window_count; i++) {
        it->windows[i].marked = alm_arena_calloc(it->run->arena, it->windows[i].axis.count, 1);
        if (it->windows[i].marked == NULL) {
            return alm_query_run_no_memory(st);
        }
    }
    for (size_t i = 0; i < expr->range_count; i++) {
        alm_period first;
        alm_period last;
        if (!ends_of(it->run, expr->ranges[i], &first, &last)) {
            continue;
        }
        window *at = window_of(it, (alm_freq)first.freq);
        memset(at->marked + alm_axis_find(at->axis, first), 1,
               (size_t)alm_period_diff(first, last) + 1);
    }
    return ALM_OK;
}

static alm_code find_windows(series_run *it, alm_status *st)
{
    const alm_query_plan *plan = it->run->plan;
    it->is_bounded = plan->periods.kind == ALM_PERIOD_EXPR_RANGES && plan->period_estimate > 0;
    if (!it->is_bounded) {
        return ALM_OK;
    }
    for (size_t i = 0; i < plan->periods.range_count; i++) {
        alm_period first;
        alm_period last;
        alm_period_range range = plan->periods.ranges[i];
        if (ends_of(it->run, range, &first, &last)) {
            ALM_TRY(widen_window(it, first, last, st));
        } else if (range.from.freq != asked_freq(it->run, range.from)) {
            char label[ALM_PERIOD_TEXT_MAX];
            (void)alm_period_format(range.from, label);
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "periods",
                                        "%s is no whole number of periods of frequency %c", label,
                                        alm_freq_letter(asked_freq(it->run, range.from)));
        }
    }
    return mark_windows(it, st);
}

// --- reading ------------------------------------------------------------------------------------

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
static alm_code step_back(alm_query_run *run, const alm_step *step, window *at, alm_status *st)
{
    alm_axis in;
    ALM_TRY(alm_step_reach(step, at->axis, &in, st));
    uint8_t *marked = alm_arena_calloc(run->arena, in.count, 1);
    if (marked == NULL) {
        return alm_query_run_no_memory(st);
    }
    alm_step_mark(step, at->axis, at->marked, in, marked);
    *at = (window){in, marked};
    return ALM_OK;
}

static alm_code join(alm_query_run *run, const window *a, const window *b, window *ret,
                     alm_status *st)
{
    alm_axis axis = alm_axis_union(a->axis, b->axis);
    uint8_t *marked = alm_arena_calloc(run->arena, axis.count, 1);
    if (marked == NULL) {
        return alm_query_run_no_memory(st);
    }
    const window *both[] = {a, b};
    for (size_t i = 0; i < ALM_ARRAY_LEN(both); i++) {
        uint32_t at = alm_axis_find(axis, both[i]->axis.first);
        for (uint32_t t = 0; t < both[i]->axis.count; t++) {
            marked[at + t] |= both[i]->marked[t];
        }
    }
    *ret = (window){axis, marked};
    return ALM_OK;
}

// Conversions of accumulation look beside what is asked; of the same frequency.
static alm_code widen_for_accumulation(alm_query_run *run, const alm_quantity *quantity, window *at,
                                       alm_status *st)
{
    const alm_transform *to = transform_at(run, ALM_STAGE_ACCUMULATION);
    if (to->op == ALM_TRANSFORM_NONE) {
        return ALM_OK;
    }
    alm_quantity other = *quantity;
    other.accumulation = to->accumulation == ALM_ACCUMULATION_PERIOD ? ALM_ACCUMULATION_CUMULATIVE
                                                                     : ALM_ACCUMULATION_PERIOD;
    alm_step step;
    window back = *at;
    ALM_TRY(alm_step_make(to, &other, &step, st));
    ALM_TRY(step_back(run, &step, &back, st));
    return join(run, at, &back, at, st);
}

static alm_code add_finer(alm_query_run *run, const window *at, range_list *list, alm_status *st)
{
    const alm_transform *to = transform_at(run, ALM_STAGE_FREQUENCY);
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
        window back = *at;
        if (freq == to->freq || alm_step_make(&all, &finer, &step, NULL) != ALM_OK) {
            continue;
        }
        ALM_TRY(step_back(run, &step, &back, st));
        ALM_TRY(add_marked(list, back.axis, back.marked, st));
    }
    return ALM_OK;
}

// The chain of one frequency, before it is known which accumulations there are.
static alm_code any_chain(const alm_query_run *run, alm_freq freq, chain *ret,
                          alm_quantity *ret_source, alm_status *st)
{
    const alm_transform *to = transform_at(run, ALM_STAGE_ACCUMULATION);
    alm_accumulation wanted =
        to->op != ALM_TRANSFORM_NONE ? to->accumulation : run->plan->accumulation;
    alm_accumulation first = wanted == ALM_ACCUMULATION_NONE ? ALM_ACCUMULATION_PERIOD : wanted;
    *ret_source = alm_quantity_of(run->indicator, run->plan->measure, freq, first);
    alm_code code = make_chain(run, ret_source, ret, st);
    if (code == ALM_OK || wanted != ALM_ACCUMULATION_NONE) {
        return code;
    }
    ret_source->accumulation = ALM_ACCUMULATION_CUMULATIVE;
    return make_chain(run, ret_source, ret, NULL) == ALM_OK ? ALM_OK : code;
}

static alm_code find_needed(series_run *it, alm_period_expr *ret, alm_status *st)
{
    alm_query_run *run = it->run;
    range_list list = {.arena = run->arena};
    for (size_t i = 0; i < it->window_count; i++) {
        window at = it->windows[i];
        chain steps;
        alm_quantity source;
        if (any_chain(run, (alm_freq)at.axis.first.freq, &steps, &source, &it->fault) != ALM_OK) {
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

static alm_code read_cells(series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_period_expr needed = {.kind = ALM_PERIOD_EXPR_ALL};
    if (it->is_bounded) {
        ALM_TRY(find_needed(it, &needed, st));
    }
    return alm_query_run_fetch(run, ALM_MEASURE_BIT(run->plan->measure), run->plan->place_ids,
                               run->plan->places.count, &needed, st);
}

// --- published answers beside -------------------------------------------------------------------

typedef struct published_index {
    alm_cell_index of; // (variant of the asked measure, place), period: row of the run's cells
    uint32_t *variants;
    size_t count, cap; // variants of the asked measure that such rows speak of
} published_index;

// A published growth is of the measure its relation names, of the level if it names none.
static bool is_of_measure(const alm_variant *variant, alm_measure measure)
{
    alm_measure of = variant->relation.measure;
    return of == measure || (of == ALM_MEASURE_NONE && measure == ALM_MEASURE_LEVEL);
}

static alm_code note_variant(alm_query_run *run, published_index *index, uint32_t variant,
                             alm_status *st)
{
    for (size_t i = 0; i < index->count; i++) {
        if (index->variants[i] == variant) {
            return ALM_OK;
        }
    }
    void *variants = index->variants;
    if (!alm_arena_grow(run->arena, &variants, &index->cap, index->count + 1, sizeof variant)) {
        return alm_query_run_no_memory(st);
    }
    index->variants = variants;
    index->variants[index->count++] = variant;
    return ALM_OK;
}

static alm_code read_published(series_run *it, published_index *index, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_query_plan *plan = run->plan;
    ALM_TRY(alm_cell_index_init(&index->of, run->arena, st));
    it->published = alm_query_plan_published(plan);
    if (it->published == ALM_MEASURE_NONE) {
        return ALM_OK;
    }
    size_t first = run->cells.count;
    alm_period_expr periods = plan->periods;
    if (periods.kind == ALM_PERIOD_EXPR_LAST) {
        periods = (alm_period_expr){.kind = ALM_PERIOD_EXPR_ALL};
    }
    ALM_TRY(alm_query_run_fetch(run, ALM_MEASURE_BIT(it->published), plan->place_ids,
                                plan->places.count, &periods, st));
    for (size_t i = first; i < run->cells.count; i++) {
        const alm_obs *row = alm_cells_row(&run->cells, i);
        const alm_variant *variant = &alm_variant_table_get(&run->variants, row->variant)->variant;
        uint32_t of;
        uint32_t ignored;
        if (row->period.length != 1 || !is_of_measure(variant, plan->measure)) {
            continue;
        }
        ALM_TRY(
            alm_variant_table_sibling(&run->variants, row->variant, plan->measure, NULL, &of, st));
        ALM_TRY(note_variant(run, index, of, st));
        ALM_TRY(alm_cell_index_add(&index->of, (uint64_t)of << 32 | row->place,
                                   alm_period_pack(row->period), (uint32_t)i, &ignored, st));
    }
    return ALM_OK;
}

static const alm_obs *published_at(const series_run *it, const published_index *index,
                                   uint32_t variant, alm_place_id place, alm_period period)
{
    if (index->count == 0) {
        return NULL;
    }
    uint32_t row =
        alm_cell_index_find(&index->of, (uint64_t)variant << 32 | place, alm_period_pack(period));
    return row == ALM_CELL_NONE ? NULL : alm_cells_row(&it->run->cells, row);
}

// --- targets ------------------------------------------------------------------------------------

// One series of answers for each place: a family at one frequency and accumulation.
typedef struct target {
    alm_family family;
    alm_freq freq;
    alm_accumulation accumulation;
    uint32_t variant; // of the asked measure
    uint32_t answer;  // of what is computed
    bool is_refused;  // the transforms do not apply to it: only what was published is answered
    alm_source_grid source;
    chain steps;
    alm_axis axes[ALM_STAGE_COUNT + 1];  // [0]: the source's
    alm_grid grids[ALM_STAGE_COUNT + 1]; // of the chunk at hand
} target;

typedef struct target_list {
    target *of;
    size_t count, cap;
} target_list;

static alm_code target_variant(alm_query_run *run, target *it, alm_status *st)
{
    alm_variant variant = alm_variant_table_get(&run->variants, it->family.key)->variant;
    variant.freq = it->freq;
    variant.accumulation = it->accumulation;
    return alm_variant_table_add(&run->variants, &variant, &it->variant, st);
}

static bool has_target(const target_list *list, const alm_family *family, alm_freq freq,
                       alm_accumulation accumulation)
{
    for (size_t i = 0; i < list->count; i++) {
        const target *it = &list->of[i];
        if (it->family.key == family->key && it->freq == freq && it->accumulation == accumulation) {
            return true;
        }
    }
    return false;
}

// A target that cannot be computed is no failure as long as another can: monthly growth of the
// values from the year's start, where those of single months are there too.
static alm_code add_target(series_run *it, target_list *list, const alm_family *family,
                           alm_freq freq, alm_accumulation accumulation, alm_status *st)
{
    alm_query_run *run = it->run;
    if (has_target(list, family, freq, accumulation)) {
        return ALM_OK;
    }
    target made = {.family = *family, .freq = freq, .accumulation = accumulation};
    alm_status fault = ALM_STATUS_INIT;
    ALM_TRY(target_variant(run, &made, st));
    ALM_TRY(alm_source_grid_plan(run, family, freq, accumulation, &made.source, &fault, st));
    bool is_good = made.source.count > 0 || family->count == 0 || fault.code == ALM_OK;
    if (is_good && make_chain(run, &made.source.quantity, &made.steps, &fault) != ALM_OK) {
        is_good = false;
    }
    if (!is_good) {
        it->fault = it->fault.code == ALM_OK ? fault : it->fault;
        made.source.count = made.steps.count = 0;
        made.is_refused = true;
    }
    it->any |= is_good;
    made.answer = made.variant;
    if (made.steps.out.measure != run->plan->measure) {
        ALM_TRY(alm_asked_answer_variant(run, made.variant, made.steps.out.measure, (alm_str){0},
                                         &made.answer, st));
    }
    void *of = list->of;
    if (!alm_arena_grow(run->arena, &of, &list->cap, list->count + 1, sizeof made)) {
        return alm_query_run_no_memory(st);
    }
    list->of = of;
    list->of[list->count++] = made;
    return ALM_OK;
}

static alm_code add_targets_of(series_run *it, target_list *list, const alm_family *family,
                               const alm_variant *variant, alm_status *st)
{
    const alm_transform *freq = transform_at(it->run, ALM_STAGE_FREQUENCY);
    const alm_transform *accumulation = transform_at(it->run, ALM_STAGE_ACCUMULATION);
    return add_target(it, list, family, freq->op == ALM_TRANSFORM_NONE ? variant->freq : freq->freq,
                      accumulation->op == ALM_TRANSFORM_NONE ? variant->accumulation
                                                             : accumulation->accumulation,
                      st);
}

static alm_code find_targets(series_run *it, const published_index *published, target_list *list,
                             alm_status *st)
{
    alm_query_run *run = it->run;
    alm_families families;
    ALM_TRY(alm_families_find(run, run->plan->measure, &families, st));
    for (size_t i = 0; i < families.count; i++) {
        const alm_family *family = &families.of[i];
        for (size_t k = 0; k < family->count; k++) {
            alm_variant variant =
                alm_variant_table_get(&run->variants, family->variants[k])->variant;
            ALM_TRY(add_targets_of(it, list, family, &variant, st));
        }
    }
    for (size_t i = 0; i < published->count; i++) {
        alm_variant variant =
            alm_variant_table_get(&run->variants, published->variants[i])->variant;
        alm_family family = {0};
        ALM_TRY(alm_family_key(run, published->variants[i], &family.key, st));
        ALM_TRY(add_targets_of(it, list, &family, &variant, st));
    }
    return ALM_OK;
}

// The window of a target that has none asked: every period something was published in.
static void widen_by_row(const series_run *it, const target *of, const alm_obs *row, window *ret)
{
    alm_period period = row->period;
    if (period.length != 1 || (period.freq != of->freq &&
                               alm_period_contract(period, of->freq, &period, NULL) != ALM_OK)) {
        return;
    }
    (void)it;
    alm_axis axis = {period, 1};
    ret->axis = ret->axis.count == 0 ? axis : alm_axis_union(ret->axis, axis);
}

static bool is_of_family(const target *of, uint32_t variant)
{
    for (size_t i = 0; i < of->family.count; i++) {
        if (of->family.variants[i] == variant) {
            return true;
        }
    }
    return false;
}

static window observed_window(const series_run *it, const published_index *published,
                              const target *of)
{
    const alm_cells *cells = &it->run->cells;
    window ret = {0};
    for (size_t i = 0; i < cells->count; i++) {
        const alm_obs *row = alm_cells_row(cells, i);
        if (is_of_family(of, row->variant) ||
            published_at(it, published, of->variant, row->place, row->period) != NULL) {
            widen_by_row(it, of, row, &ret);
        }
    }
    return ret;
}

// --- answering ----------------------------------------------------------------------------------

// Why a cell of the chain's last grid has no number: back to what was published.
static alm_code why(series_run *it, const target *of, alm_place_id place, size_t series, uint32_t t,
                    const char **ret, alm_status *st)
{
    for (size_t i = of->steps.count; i-- > 0;) {
        uint32_t input;
        ALM_TRY(alm_step_why(it->run, &of->steps.steps[i], &of->grids[i], &of->grids[i + 1], series,
                             t, &input, ret, st));
        if (input == ALM_AXIS_NONE) {
            return ALM_OK;
        }
        t = input;
    }
    return alm_source_grid_why(&of->source, place, series, t, ret, st);
}

static alm_code mention(series_run *it, const alm_obs *published, const char **reason,
                        alm_status *st)
{
    if (published == NULL || !published->value.has_number) {
        return ALM_OK;
    }
    char value[ALM_VALUE_TEXT_MAX];
    (void)alm_value_format(&published->value, ALM_LANG_EN, value);
    return alm_query_run_text(it->run, reason, st, "%s; published growth is %s", *reason, value);
}

static alm_code answer_cell(series_run *it, const target *of, alm_place_id place, size_t series,
                            uint32_t t, const alm_obs *published, const char *remark,
                            alm_status *st)
{
    const alm_grid *grid = &of->grids[of->steps.count];
    size_t cell = series * grid->axis.count + t;
    alm_obs obs = {
        .variant = of->answer,
        .place = place,
        .period = alm_axis_at(grid->axis, t),
        .source = alm_newest_source(grid->newest[cell]),
        .published = alm_newest_published(grid->newest[cell]),
    };
    alm_answer_extra extra = {
        .computed =
            (grid->flags[cell] & ALM_CELL_COMPUTED) != 0 || !(grid->flags[cell] & ALM_CELL_HAS),
        .reason = remark,
    };
    alm_grid_value(grid, cell, of->steps.out.unit, &obs.value, &extra.interval);
    if (published != NULL) {
        ALM_TRY(alm_answers_add_published(&it->run->answers, published, st));
    }
    if (of->is_refused) {
        return ALM_OK;
    }
    if (!obs.value.has_number) {
        ALM_TRY(why(it, of, place, series, t, &extra.reason, st));
        ALM_TRY(mention(it, published, &extra.reason, st));
    }
    return alm_answers_add(&it->run->answers, &obs, &extra, st);
}

// Is the period asked? Windows say so where they are known.
static bool is_asked(const series_run *it, alm_period period)
{
    const alm_period_expr *expr = &it->run->plan->periods;
    if (expr->kind != ALM_PERIOD_EXPR_RANGES) {
        return true;
    }
    for (size_t i = 0; i < it->window_count; i++) {
        uint32_t t = alm_axis_find(it->windows[i].axis, period);
        if (t != ALM_AXIS_NONE) {
            return it->windows[i].marked[t];
        }
    }
    if (it->is_bounded) {
        return false;
    }
    bool is_converted = transform_at(it->run, ALM_STAGE_FREQUENCY)->op != ALM_TRANSFORM_NONE;
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

static uint32_t source_index(const target *of, uint32_t t)
{
    uint32_t at = alm_axis_find(of->axes[0], alm_axis_at(of->axes[of->steps.count], t));
    ALM_ASSERT(at != ALM_AXIS_NONE);
    return at;
}

typedef struct chunk {
    const alm_place_id *places;
    size_t count;
    alm_cell_index seen;  // (place, period) that was answered
    uint8_t *is_answered; // by place
} chunk;

static alm_code take_cell(series_run *it, const published_index *published, const target *of,
                          chunk *at, size_t series, uint32_t t, const char *remark, alm_status *st)
{
    alm_place_id place = at->places[series];
    alm_period period = alm_axis_at(of->axes[of->steps.count], t);
    uint32_t ignored;
    at->is_answered[series] = 1;
    ALM_TRY(alm_cell_index_add(&at->seen, place, alm_period_pack(period), 0, &ignored, st));
    return answer_cell(it, of, place, series, t,
                       published_at(it, published, of->variant, place, period), remark, st);
}

// Told: computed, published beside, or asked of something that was published.
static bool is_told(const series_run *it, const published_index *published, const target *of,
                    const chunk *at, size_t series, uint32_t t)
{
    const alm_grid *grid = &of->grids[of->steps.count];
    alm_period period = alm_axis_at(grid->axis, t);
    return (grid->flags[series * grid->axis.count + t] & ALM_CELL_HAS) ||
           published_at(it, published, of->variant, at->places[series], period) != NULL ||
           alm_source_grid_told(&of->source, series, source_index(of, t));
}

static alm_code answer_ranges(series_run *it, const published_index *published, const target *of,
                              chunk *at, size_t series, alm_status *st)
{
    alm_axis axis = of->axes[of->steps.count];
    for (uint32_t t = 0; t < axis.count; t++) {
        if (is_asked(it, alm_axis_at(axis, t)) && is_told(it, published, of, at, series, t)) {
            ALM_TRY(take_cell(it, published, of, at, series, t, "", st));
        }
    }
    return ALM_OK;
}

static bool has_answer(const series_run *it, const published_index *published, const target *of,
                       const chunk *at, size_t series, uint32_t t)
{
    const alm_grid *grid = &of->grids[of->steps.count];
    const alm_obs *row =
        published_at(it, published, of->variant, at->places[series], alm_axis_at(grid->axis, t));
    return (grid->flags[series * grid->axis.count + t] & ALM_CELL_HAS) ||
           (row != NULL && !alm_obs_status_missing(row->value.status));
}

// The newest n that have a number; without one the newest that something was published for. What is
// newer and has none is told beside the newest.
static alm_code answer_last(series_run *it, const published_index *published, const target *of,
                            chunk *at, size_t series, alm_status *st)
{
    alm_axis axis = of->axes[of->steps.count];
    uint32_t left = it->run->plan->periods.last;
    uint32_t newest = ALM_AXIS_NONE; // told, and without an answer
    const char *remark = "";
    for (uint32_t t = axis.count; t-- > 0 && left > 0;) {
        if (has_answer(it, published, of, at, series, t)) {
            ALM_TRY(take_cell(it, published, of, at, series, t, remark, st));
            remark = "";
            left--;
        } else if (newest == ALM_AXIS_NONE && left == it->run->plan->periods.last &&
                   is_told(it, published, of, at, series, t)) {
            char label[ALM_PERIOD_TEXT_MAX];
            const char *reason;
            newest = t;
            (void)alm_period_format(alm_axis_at(axis, t), label);
            ALM_TRY(why(it, of, at->places[series], series, t, &reason, st));
            ALM_TRY(alm_query_run_text(it->run, &remark, st, "%s has none: %s", label, reason));
        }
    }
    if (left == it->run->plan->periods.last && newest != ALM_AXIS_NONE) {
        return take_cell(it, published, of, at, series, newest, "", st);
    }
    return ALM_OK;
}

static alm_code compute_target(series_run *it, target *of, const chunk *at, alm_arena *arena,
                               alm_status *st)
{
    ALM_TRY(alm_source_grid_load(&of->source, at->places, at->count, of->axes[0], arena, st));
    of->grids[0] = of->source.grid;
    for (size_t i = 0; i < of->steps.count; i++) {
        ALM_TRY(alm_step_run(&of->steps.steps[i], &of->grids[i], of->axes[i + 1], arena,
                             &of->grids[i + 1], st));
    }
    (void)it;
    return ALM_OK;
}

static alm_code missing_row(series_run *it, uint32_t variant, alm_unit unit, alm_place_id place,
                            alm_period period, const char *reason, alm_status *st)
{
    alm_obs obs = {
        .variant = variant,
        .place = place,
        .period = period,
        .value = {.unit = unit, .status = ALM_OBS_STATUS_MISSING_UNSPECIFIED},
        .source = ALM_SOURCE_NONE,
        .published = ALM_DATE_NONE,
    };
    alm_answer_extra extra = {
        .interval = alm_value_interval(&obs.value), .computed = true, .reason = reason};
    return alm_answers_add(&it->run->answers, &obs, &extra, st);
}

// A target that stands for what was asked and is not there.
static alm_code absent_target(series_run *it, alm_freq freq, target *ret, alm_status *st)
{
    alm_query_run *run = it->run;
    chain steps;
    alm_quantity source;
    ALM_TRY(any_chain(run, freq, &steps, &source, st));
    *ret = (target){.freq = freq, .accumulation = source.accumulation, .steps = steps};
    uint32_t variant;
    ALM_TRY(alm_query_run_missing_variant(run, run->plan->measure, freq, &variant, st));
    ALM_TRY(alm_family_key(run, variant, &ret->family.key, st));
    ALM_TRY(target_variant(run, ret, st));
    ret->answer = ret->variant;
    if (steps.out.measure != run->plan->measure) {
        ALM_TRY(alm_asked_answer_variant(run, ret->variant, steps.out.measure, (alm_str){0},
                                         &ret->answer, st));
    }
    return ALM_OK;
}

static const target *target_of_freq(const target_list *list, alm_freq freq)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->of[i].freq == freq && !list->of[i].is_refused) {
            return &list->of[i];
        }
    }
    return NULL;
}

// A listed cell of a named indicator that nothing was said of yet.
static alm_code answer_missing_at(series_run *it, const target_list *targets, chunk *at,
                                  size_t series, alm_period period, alm_status *st)
{
    const target *of = target_of_freq(targets, (alm_freq)period.freq);
    alm_place_id place = at->places[series];
    target absent;
    const char *reason;
    at->is_answered[series] = 1;
    if (of == NULL) {
        ALM_TRY(absent_target(it, (alm_freq)period.freq, &absent, st));
        ALM_TRY(alm_query_run_why_missing(it->run, NULL, it->run->plan->measure, ALM_PLACE_NONE,
                                          period, &reason, st));
        return missing_row(it, absent.answer, absent.steps.out.unit, place, period, reason, st);
    }
    uint32_t t = alm_axis_find(of->axes[of->steps.count], period);
    ALM_ASSERT(t != ALM_AXIS_NONE);
    return answer_cell(it, of, place, series, t, NULL, "", st);
}

static alm_code answer_missing(series_run *it, const target_list *targets, chunk *at,
                               alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_query_plan *plan = run->plan;
    bool is_listed = plan->listed_count > 0;
    bool is_refused = !it->any && it->fault.code != ALM_OK;
    for (size_t s = 0; run->is_named && !is_refused && s < at->count; s++) {
        const alm_place *place = alm_place_tree_get(plan->tree, at->places[s]);
        for (size_t w = 0; is_listed && w < it->window_count; w++) {
            const window *asked = &it->windows[w];
            for (uint32_t t = 0; t < asked->axis.count; t++) {
                alm_period period = alm_axis_at(asked->axis, t);
                bool is_wanted =
                    asked->marked[t] && alm_place_valid_on(place, alm_period_last_day(period)) &&
                    alm_cell_index_find(&at->seen, at->places[s], alm_period_pack(period)) ==
                        ALM_CELL_NONE;
                if (is_wanted) {
                    ALM_TRY(answer_missing_at(it, targets, at, s, period, st));
                }
            }
        }
        bool is_by_place = !it->is_bounded && plan->places.count <= ALM_QUERY_MISSING_COUNT_MAX;
        if (is_by_place && !at->is_answered[s]) {
            target absent;
            const char *reason;
            alm_freq freq = plan->freq != ALM_FREQ_NONE ? plan->freq : ALM_FREQ_ANNUAL;
            ALM_TRY(absent_target(it, freq, &absent, st));
            ALM_TRY(alm_query_run_text(
                run, &reason, st, "no %s of %.*s for %.*s", alm_measure_code(plan->measure),
                ALM_STR_ARGS(run->indicator->code), ALM_STR_ARGS(place->code)));
            ALM_TRY(missing_row(it, absent.answer, absent.steps.out.unit, at->places[s],
                                (alm_period){0}, reason, st));
        }
    }
    return ALM_OK;
}

static alm_code answer_chunk(series_run *it, const published_index *published, target_list *targets,
                             chunk *at, alm_arena *arena, alm_status *st)
{
    bool is_last = it->run->plan->periods.kind == ALM_PERIOD_EXPR_LAST;
    for (size_t i = 0; i < targets->count; i++) {
        target *of = &targets->of[i];
        ALM_TRY(compute_target(it, of, at, arena, st));
        for (size_t s = 0; s < at->count; s++) {
            ALM_TRY(is_last ? answer_last(it, published, of, at, s, st)
                            : answer_ranges(it, published, of, at, s, st));
        }
    }
    return answer_missing(it, targets, at, st);
}

// Targets outside every window answer nothing; the axes of the others follow from theirs.
static alm_code place_targets(series_run *it, const published_index *published, target_list *list,
                              size_t *ret_periods, alm_status *st)
{
    size_t kept = 0;
    *ret_periods = 1;
    for (size_t i = 0; i < list->count; i++) {
        target *of = &list->of[i];
        window at = {0};
        const window *asked = window_of(it, of->freq);
        if (it->is_bounded && asked != NULL) {
            at = *asked;
        } else if (!it->is_bounded) {
            at = observed_window(it, published, of);
        }
        if (at.axis.count == 0) {
            continue;
        }
        ALM_TRY(chain_axes(&of->steps, at.axis, of->axes, st));
        for (size_t k = 0; k <= of->steps.count; k++) {
            *ret_periods = ALM_MAX(*ret_periods, (size_t)of->axes[k].count);
        }
        list->of[kept++] = *of;
    }
    list->count = kept;
    return ALM_OK;
}

static alm_code answer_all(series_run *it, const published_index *published, target_list *targets,
                           alm_arena *arena, alm_status *st)
{
    const alm_place_list *places = &it->run->plan->places;
    size_t periods;
    ALM_TRY(place_targets(it, published, targets, &periods, st));
    size_t size = ALM_MAX(CHUNK_CELLS / periods, (size_t)1);
    for (size_t first = 0; first < places->count; first += size) {
        size_t count = ALM_MIN(size, places->count - first);
        // In the arena: its index is released with it.
        chunk *at = alm_arena_calloc(arena, 1, sizeof *at);
        uint8_t *is_answered = alm_arena_calloc(arena, count, 1);
        if (at == NULL || is_answered == NULL) {
            return alm_query_run_no_memory(st);
        }
        *at = (chunk){.places = places->ids + first, .count = count, .is_answered = is_answered};
        ALM_TRY(alm_cell_index_init(&at->seen, arena, st));
        ALM_TRY(answer_chunk(it, published, targets, at, arena, st));
        alm_arena_reset(arena);
    }
    return ALM_OK;
}

alm_code alm_series_run(alm_query_run *run, alm_status *st)
{
    series_run it = {.run = run, .fault = ALM_STATUS_INIT};
    target_list targets = {0};
    published_index *published = alm_arena_calloc(run->arena, 1, sizeof *published);
    if (published == NULL) {
        return alm_query_run_no_memory(st);
    }
    ALM_TRY(find_windows(&it, st));
    ALM_TRY(read_cells(&it, st));
    ALM_TRY(read_published(&it, published, st));
    ALM_TRY(find_targets(&it, published, &targets, st));
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return alm_query_run_no_memory(st);
    }
    alm_code code = answer_all(&it, published, &targets, arena, st);
    alm_arena_destroy(&arena);
    bool is_refused = run->is_named && !it.any && it.fault.code != ALM_OK;
    if (code == ALM_OK && is_refused && run->answers.count == 0) {
        return alm_status_copy(st, &it.fault);
    }
    return code;
}
