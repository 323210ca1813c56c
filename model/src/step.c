// What a transform means for a quantity, and which periods it looks at. The computing is in
// step_run.c.
#include "alm/step.h"

#include "alm/limits.h"

#include <string.h>

alm_quantity alm_quantity_of(const alm_indicator *indicator, alm_measure measure, alm_freq freq,
                             alm_accumulation accumulation)
{
    alm_dimension own = alm_unit_dimension(indicator->unit);
    alm_dimension dimension = alm_measure_dimension(measure, own);
    alm_quantity it = {
        .kind = ALM_QUANTITY_OTHER,
        .measure = measure,
        .unit = indicator->unit,
        .freq = freq,
        .accumulation = accumulation,
        .type = indicator->value_type,
        .over_time = indicator->over_time,
    };
    switch (dimension) {
    case ALM_DIMENSION_RATIO:
        it.kind = ALM_QUANTITY_RATIO;
        it.unit = ALM_UNIT_PERCENT;
        break;
    case ALM_DIMENSION_POINTS:
        it.kind = ALM_QUANTITY_POINTS;
        it.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_PP};
        break;
    case ALM_DIMENSION_INDEX:
        it.kind = ALM_QUANTITY_INDEX;
        break;
    case ALM_DIMENSION_NONE:
    case ALM_DIMENSION_RANK:
    case ALM_DIMENSION_ORDINAL:
        break;
    default:
        it.kind = ALM_QUANTITY_AMOUNT;
        break;
    }
    if (measure == ALM_MEASURE_COUNT_OF_CHANGE) {
        // What is new in a period adds up, also of a stock.
        it.type = ALM_VALUE_TYPE_FLOW;
        it.over_time = ALM_AGGREGATION_SUM;
    } else if (measure == ALM_MEASURE_CUMULATIVE_LEVEL) {
        it.type = ALM_VALUE_TYPE_STOCK;
        it.over_time = ALM_AGGREGATION_NONE;
    } else if (dimension != own) {
        it.type = ALM_VALUE_TYPE_RATE;
        it.over_time = ALM_AGGREGATION_NONE;
    }
    return it;
}

// --- what it means ------------------------------------------------------------------------------

static const char *kind_name(const alm_quantity *it)
{
    switch (it->kind) {
    case ALM_QUANTITY_AMOUNT:
        switch (it->type) {
        case ALM_VALUE_TYPE_FLOW:
            return "a flow";
        case ALM_VALUE_TYPE_STOCK:
            return "a stock";
        case ALM_VALUE_TYPE_COUNT:
            return "a count";
        default:
            return "a rate";
        }
    case ALM_QUANTITY_INDEX:
        return "an index";
    case ALM_QUANTITY_RATIO:
        return "a ratio";
    case ALM_QUANTITY_POINTS:
        return "a difference in points";
    case ALM_QUANTITY_LOGARITHM:
        return "a logarithm";
    case ALM_QUANTITY_OTHER:
        break;
    }
    return "a rank or a first";
}

static alm_code refuse(const alm_transform *transform, const alm_quantity *in, const char *why,
                       alm_status *st)
{
    alm_buf word;
    alm_buf_init(&word, 0);
    alm_transform_format(transform, &word);
    alm_code code = alm_status_set(st, ALM_FAILED_PRECONDITION, "%.*s does not apply to %s%s: %s",
                                   ALM_STR_ARGS(alm_buf_view(&word)), kind_name(in),
                                   in->kind == ALM_QUANTITY_AMOUNT &&
                                           in->accumulation == ALM_ACCUMULATION_CUMULATIVE
                                       ? " from the year's start"
                                       : "",
                                   why);
    alm_buf_deinit(&word);
    return code;
}

static bool adds_up(const alm_quantity *it)
{
    return it->kind == ALM_QUANTITY_AMOUNT && it->type != ALM_VALUE_TYPE_RATE &&
           (it->over_time == ALM_AGGREGATION_SUM || it->type == ALM_VALUE_TYPE_FLOW);
}

static bool is_cumulative(const alm_quantity *it)
{
    return it->kind == ALM_QUANTITY_AMOUNT && it->accumulation == ALM_ACCUMULATION_CUMULATIVE;
}

static alm_method default_method(const alm_quantity *in)
{
    switch (in->over_time) {
    case ALM_AGGREGATION_SUM:
        return ALM_METHOD_SUM;
    case ALM_AGGREGATION_AVERAGE:
        return ALM_METHOD_AVG;
    case ALM_AGGREGATION_MAX:
        return ALM_METHOD_MAX;
    case ALM_AGGREGATION_MIN:
        return ALM_METHOD_MIN;
    case ALM_AGGREGATION_RECOMPUTE:
    case ALM_AGGREGATION_REFUSE:
        return ALM_METHOD_NONE;
    case ALM_AGGREGATION_NONE:
        break;
    }
    switch (in->type) {
    case ALM_VALUE_TYPE_FLOW:
        return ALM_METHOD_SUM;
    case ALM_VALUE_TYPE_STOCK:
    case ALM_VALUE_TYPE_COUNT:
        return ALM_METHOD_EOP;
    case ALM_VALUE_TYPE_INDEX:
        return ALM_METHOD_AVG;
    default:
        return ALM_METHOD_NONE;
    }
}

// Do units of one frequency make up a unit of another? Any year shows it.
static bool tiles(alm_freq from, alm_freq to)
{
    alm_period sample;
    alm_period run;
    alm_code code = alm_period_of_date(alm_date_from_ymd(2023, 6, 15), to, &sample, NULL);
    ALM_ASSERT(code == ALM_OK);
    return alm_period_expand(sample, from, &run, NULL) == ALM_OK && run.length > 1;
}

static alm_code make_frequency(alm_step *it, alm_status *st)
{
    const alm_transform *transform = &it->transform;
    alm_method method = transform->method;
    if (!tiles(it->in.freq, transform->freq)) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "periods of frequency %c do not make up those of frequency %c",
                              alm_freq_letter(it->in.freq), alm_freq_letter(transform->freq));
    }
    if (is_cumulative(&it->in)) {
        if (method != ALM_METHOD_NONE && method != ALM_METHOD_EOP) {
            return refuse(transform, &it->in, "only the value at the period's end is cumulative",
                          st);
        }
        method = ALM_METHOD_EOP;
    }
    if (method == ALM_METHOD_SUM && !adds_up(&it->in)) {
        return refuse(transform, &it->in, "it does not add up over time", st);
    }
    if (method == ALM_METHOD_NONE) {
        method = default_method(&it->in);
    }
    if (method == ALM_METHOD_NONE) {
        return refuse(transform, &it->in,
                      "its parts do not tell it; name a method, such as avg or eop", st);
    }
    it->method = method;
    it->out.freq = transform->freq;
    return ALM_OK;
}

static alm_code make_accumulation(alm_step *it, alm_status *st)
{
    if (!adds_up(&it->in)) {
        return refuse(&it->transform, &it->in, "it does not add up from the year's start", st);
    }
    it->out.accumulation = it->transform.accumulation;
    return ALM_OK;
}

static bool is_positive_kind(const alm_quantity *it)
{
    return it->kind == ALM_QUANTITY_AMOUNT || it->kind == ALM_QUANTITY_INDEX;
}

static bool compares_neighbours(alm_transform_op op)
{
    return op == ALM_TRANSFORM_CHG || op == ALM_TRANSFORM_PCH || op == ALM_TRANSFORM_PCA ||
           op == ALM_TRANSFORM_CCH || op == ALM_TRANSFORM_CCA;
}

static bool is_difference(alm_transform_op op)
{
    return op == ALM_TRANSFORM_CHG || op == ALM_TRANSFORM_CH1 || op == ALM_TRANSFORM_CHY;
}

static void make_difference(alm_step *it)
{
    if (it->in.kind == ALM_QUANTITY_RATIO) {
        it->out.measure =
            it->transform.op == ALM_TRANSFORM_CH1 ? ALM_MEASURE_PP_CHANGE : it->in.measure;
        it->out.kind = ALM_QUANTITY_POINTS;
        it->out.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_PP};
    } else if (it->in.kind == ALM_QUANTITY_INDEX) {
        it->out.kind = ALM_QUANTITY_POINTS;
    }
}

// The mean of growth rates over whole years: as they multiply, not as they add.
static bool is_average_of_growth(const alm_step *it)
{
    return it->transform.op == ALM_TRANSFORM_CAGR && it->in.measure == ALM_MEASURE_GROWTH_YOY &&
           alm_freq_per_year(it->in.freq) > 0;
}

static alm_measure growth_measure(alm_transform_op op, alm_measure in)
{
    switch (op) {
    case ALM_TRANSFORM_PC1:
        return ALM_MEASURE_GROWTH_YOY;
    case ALM_TRANSFORM_PCH:
        return ALM_MEASURE_GROWTH_POP;
    case ALM_TRANSFORM_CAGR:
        return ALM_MEASURE_GROWTH_AVG;
    default:
        return in;
    }
}

static bool is_of_parts(const alm_quantity *it)
{
    return it->kind == ALM_QUANTITY_AMOUNT && it->type != ALM_VALUE_TYPE_RATE;
}

static void become_rate(alm_step *it)
{
    it->out.type = ALM_VALUE_TYPE_RATE;
    it->out.over_time = ALM_AGGREGATION_NONE;
}

static alm_code make_contribution(alm_step *it, alm_status *st)
{
    bool is_points = it->transform.op == ALM_TRANSFORM_CONTRIBUTION_PP;
    if (!is_of_parts(&it->in)) {
        return refuse(&it->transform, &it->in, "it is no part of a whole", st);
    }
    it->out.kind = is_points ? ALM_QUANTITY_POINTS : ALM_QUANTITY_RATIO;
    it->out.measure = is_points ? ALM_MEASURE_CONTRIBUTION_PP : ALM_MEASURE_CONTRIBUTION_SHARE;
    it->out.unit =
        (alm_unit){.measure = is_points ? ALM_MEASURE_UNIT_PP : ALM_MEASURE_UNIT_PERCENT};
    become_rate(it);
    return ALM_OK;
}

static alm_code make_change(alm_step *it, alm_status *st)
{
    const alm_transform *transform = &it->transform;
    alm_transform_op op = transform->op;
    if (alm_transform_has_whole(op)) {
        return make_contribution(it, st);
    }
    bool is_of_year_end = op == ALM_TRANSFORM_CHY || op == ALM_TRANSFORM_PCY;
    if (!is_difference(op) && !is_positive_kind(&it->in) && !is_average_of_growth(it)) {
        return refuse(transform, &it->in, "it changes by points; ask for chg, ch1 or chy", st);
    }
    if (compares_neighbours(op) && is_cumulative(&it->in)) {
        return refuse(transform, &it->in,
                      "it starts anew each year; ask for pc1 or ch1, or for to:P first", st);
    }
    if (is_of_year_end && it->in.kind == ALM_QUANTITY_AMOUNT && adds_up(&it->in)) {
        return refuse(transform, &it->in,
                      "the end of last year is compared with a state, not with what adds up", st);
    }
    if (is_difference(op)) {
        make_difference(it);
    } else if (op == ALM_TRANSFORM_LOG) {
        it->out.kind = ALM_QUANTITY_LOGARITHM;
        it->out.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_RATIO};
    } else {
        it->out.kind = ALM_QUANTITY_RATIO;
        it->out.unit = ALM_UNIT_PERCENT;
        it->out.measure = growth_measure(op, it->in.measure);
    }
    if (it->out.kind != ALM_QUANTITY_AMOUNT) {
        become_rate(it);
    }
    return ALM_OK;
}

static void become_index(alm_step *it)
{
    it->out.kind = ALM_QUANTITY_INDEX;
    it->out.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_INDEX};
    it->out.type = ALM_VALUE_TYPE_INDEX;
    it->out.over_time = ALM_AGGREGATION_AVERAGE;
}

static alm_code make_index(alm_step *it, alm_status *st)
{
    if (!is_positive_kind(&it->in)) {
        return refuse(&it->transform, &it->in, "an index is of amounts, or of another index", st);
    }
    alm_period base = it->transform.base;
    alm_period run;
    if (base.freq != it->in.freq && alm_period_expand(base, it->in.freq, &run, NULL) != ALM_OK) {
        char label[ALM_PERIOD_TEXT_MAX];
        (void)alm_period_format(base, label);
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "index:%s: the base is no whole number of periods of frequency %c",
                              label, alm_freq_letter(it->in.freq));
    }
    bool is_single = base.freq == it->in.freq && base.length == 1;
    if (is_cumulative(&it->in) && !is_single) {
        return refuse(&it->transform, &it->in, "its base has to be a single period", st);
    }
    become_index(it);
    return ALM_OK;
}

static alm_code make_average(alm_step *it, alm_status *st)
{
    if (is_cumulative(&it->in)) {
        return refuse(&it->transform, &it->in, "it starts anew each year; ask for to:P first", st);
    }
    return ALM_OK;
}

static alm_code make_prices(alm_step *it, alm_status *st)
{
    if (it->in.kind != ALM_QUANTITY_AMOUNT || it->in.measure != ALM_MEASURE_LEVEL) {
        return refuse(&it->transform, &it->in, "only levels of amounts have prices", st);
    }
    if (alm_freq_per_year(it->in.freq) == 0) {
        return refuse(&it->transform, &it->in,
                      "growth is chained from year to year, which weeks and days do not go into",
                      st);
    }
    if (it->transform.op == ALM_TRANSFORM_DEFLATOR) {
        become_index(it);
    }
    return ALM_OK;
}

static alm_code make_share(alm_step *it, alm_status *st)
{
    if (!is_of_parts(&it->in)) {
        return refuse(&it->transform, &it->in, "it has no parts", st);
    }
    it->out.kind = ALM_QUANTITY_RATIO;
    it->out.measure = ALM_MEASURE_SHARE_OF;
    it->out.unit = ALM_UNIT_PERCENT;
    become_rate(it);
    return ALM_OK;
}

static void make_rank(alm_step *it)
{
    it->out.kind = ALM_QUANTITY_OTHER;
    it->out.measure = ALM_MEASURE_RANK;
    it->out.unit =
        (alm_unit){.measure = it->transform.op == ALM_TRANSFORM_RANK ? ALM_MEASURE_UNIT_RANK
                                                                     : ALM_MEASURE_UNIT_PERCENT};
}

static bool is_identity(const alm_transform *transform, const alm_quantity *in)
{
    return transform->op == ALM_TRANSFORM_LIN ||
           (transform->op == ALM_TRANSFORM_MA && transform->count == 1) ||
           (transform->op == ALM_TRANSFORM_TO_FREQUENCY && transform->freq == in->freq) ||
           (transform->op == ALM_TRANSFORM_TO_ACCUMULATION &&
            transform->accumulation == in->accumulation);
}

alm_code alm_step_make(const alm_transform *transform, const alm_quantity *in, alm_step *ret,
                       alm_status *st)
{
    alm_step it = {.transform = *transform, .in = *in, .out = *in};
    if (in->kind == ALM_QUANTITY_OTHER) {
        return refuse(transform, in, "nothing is computed of it", st);
    }
    if (is_identity(transform, in)) {
        it.transform = (alm_transform){.op = ALM_TRANSFORM_LIN};
        *ret = it;
        return ALM_OK;
    }
    switch (alm_transform_stage(transform->op)) {
    case ALM_STAGE_FREQUENCY:
        ALM_TRY(make_frequency(&it, st));
        break;
    case ALM_STAGE_ACCUMULATION:
        ALM_TRY(make_accumulation(&it, st));
        break;
    case ALM_STAGE_CHANGE:
        ALM_TRY(make_change(&it, st));
        break;
    case ALM_STAGE_INDEX:
        ALM_TRY(make_index(&it, st));
        break;
    case ALM_STAGE_AVERAGE:
        ALM_TRY(make_average(&it, st));
        break;
    case ALM_STAGE_PRICES:
        ALM_TRY(make_prices(&it, st));
        break;
    case ALM_STAGE_RATIO:
        ALM_TRY(make_share(&it, st));
        break;
    case ALM_STAGE_RANK:
        make_rank(&it);
        break;
    case ALM_STAGE_PLACES:
    case ALM_STAGE_COUNT:
        return ALM_INTERNAL; // no step
    }
    *ret = it;
    return ALM_OK;
}

// --- which periods ------------------------------------------------------------------------------

typedef struct span {
    alm_period first, last; // freq NONE: no such periods
} span;
#define NO_SPAN ((span){{0}, {0}})

static span one(alm_code code, alm_period period)
{
    return code == ALM_OK ? (span){period, period} : NO_SPAN;
}

static span run_of(alm_period run)
{
    alm_period first = run;
    alm_period last = run;
    first.length = last.length = 1;
    last.ordinal += run.length - 1;
    return (span){first, last};
}

static span steps_before(alm_period period, int64_t count)
{
    alm_period before;
    return one(alm_period_add(period, -count, &before, NULL), before);
}

static span years_before(alm_period period, int64_t count)
{
    alm_period before;
    return one(alm_period_add_years(period, -count, &before, NULL), before);
}

static span from_year_start(alm_period period)
{
    return run_of(alm_period_year_to_date(period));
}

static span now_of(const alm_step *step, alm_period out)
{
    alm_period run;
    span now = {out, out};
    switch (step->transform.op) {
    case ALM_TRANSFORM_TO_FREQUENCY:
        if (alm_period_expand(out, step->in.freq, &run, NULL) != ALM_OK) {
            return NO_SPAN;
        }
        now = run_of(run);
        return step->method == ALM_METHOD_EOP ? (span){now.last, now.last} : now;
    case ALM_TRANSFORM_TO_ACCUMULATION:
        return step->transform.accumulation == ALM_ACCUMULATION_CUMULATIVE ? from_year_start(out)
                                                                           : now;
    case ALM_TRANSFORM_CAGR:
        if (is_average_of_growth(step)) {
            now.first = years_before(out, (int64_t)step->transform.count - 1).first;
            return now.first.freq == ALM_FREQ_NONE ? NO_SPAN : now;
        }
        return now;
    case ALM_TRANSFORM_MA:
        now.first = steps_before(out, (int64_t)step->transform.count - 1).first;
        return now.first.freq == ALM_FREQ_NONE ? NO_SPAN : now;
    default:
        return now;
    }
}

static span base_of(const alm_step *step, alm_period out)
{
    alm_period run;
    span year;
    switch (step->transform.op) {
    case ALM_TRANSFORM_CHG:
    case ALM_TRANSFORM_PCH:
    case ALM_TRANSFORM_PCA:
    case ALM_TRANSFORM_CCH:
    case ALM_TRANSFORM_CCA:
        return steps_before(out, 1);
    case ALM_TRANSFORM_CH1:
    case ALM_TRANSFORM_PC1:
    case ALM_TRANSFORM_CONTRIBUTION_PP:
    case ALM_TRANSFORM_CONTRIBUTION_SHARE:
        return years_before(out, 1);
    case ALM_TRANSFORM_CAGR:
        return is_average_of_growth(step) ? NO_SPAN : years_before(out, step->transform.count);
    case ALM_TRANSFORM_CONSTANT:
    case ALM_TRANSFORM_DEFLATOR:
        return years_before(out, alm_period_year(out) - alm_period_year(step->transform.base));
    case ALM_TRANSFORM_CHY:
    case ALM_TRANSFORM_PCY:
        return steps_before(from_year_start(out).first, 1);
    case ALM_TRANSFORM_TO_ACCUMULATION:
        year = from_year_start(out);
        // The first of a year is what it adds up to.
        return step->transform.accumulation == ALM_ACCUMULATION_PERIOD &&
                       !alm_period_eq(year.first, out)
                   ? steps_before(out, 1)
                   : NO_SPAN;
    case ALM_TRANSFORM_INDEX:
        if (step->transform.base.freq == step->in.freq) {
            return run_of(step->transform.base);
        }
        return alm_period_expand(step->transform.base, step->in.freq, &run, NULL) == ALM_OK
                   ? run_of(run)
                   : NO_SPAN;
    default:
        return NO_SPAN;
    }
}

static void widen(span *all, span by)
{
    if (by.first.freq == ALM_FREQ_NONE) {
        return;
    }
    if (all->first.freq == ALM_FREQ_NONE) {
        *all = by;
        return;
    }
    all->first = by.first.ordinal < all->first.ordinal ? by.first : all->first;
    all->last = by.last.ordinal > all->last.ordinal ? by.last : all->last;
}

alm_code alm_step_reach(const alm_step *step, alm_axis out, alm_axis *ret, alm_status *st)
{
    bool same_freq = step->in.freq == step->out.freq;
    span all = NO_SPAN;
    for (uint32_t t = 0; t < out.count; t++) {
        alm_period period = alm_axis_at(out, t);
        widen(&all, same_freq ? (span){period, period} : NO_SPAN);
        widen(&all, now_of(step, period));
        widen(&all, base_of(step, period));
    }
    // Every frequency that tiles another does so in each of its periods.
    ALM_ASSERT(all.first.freq != ALM_FREQ_NONE);
    int64_t count = alm_period_diff(all.first, all.last) + 1;
    if (count > ALM_GRID_CELL_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "the transform looks at %lld periods; the limit is %d",
                              (long long)count, ALM_GRID_CELL_COUNT_MAX);
    }
    *ret = alm_axis_between(all.first, all.last);
    return ALM_OK;
}

static uint32_t index_in(alm_axis in, span periods, uint32_t *ret_count)
{
    if (periods.first.freq == ALM_FREQ_NONE) {
        *ret_count = 0;
        return 0;
    }
    uint32_t first = alm_axis_find(in, periods.first);
    uint32_t last = alm_axis_find(in, periods.last);
    ALM_ASSERT(first != ALM_AXIS_NONE && last != ALM_AXIS_NONE);
    *ret_count = last - first + 1;
    return first;
}

alm_taps alm_step_taps(const alm_step *step, alm_axis in, alm_period out)
{
    alm_taps taps = {.stride = 1};
    taps.first = index_in(in, now_of(step, out), &taps.count);
    if (is_average_of_growth(step) && taps.count > 0) {
        taps.stride = (uint32_t)alm_freq_per_year(step->in.freq);
        taps.count = step->transform.count;
    }
    taps.base = index_in(in, base_of(step, out), &taps.base_count);
    return taps;
}

alm_code alm_step_taps_of(const alm_step *step, alm_axis in, alm_axis out, alm_arena *arena,
                          alm_taps **ret, alm_status *st)
{
    alm_taps *taps = alm_arena_calloc(arena, out.count, sizeof *taps);
    if (taps == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %u periods",
                              out.count);
    }
    for (uint32_t t = 0; t < out.count; t++) {
        taps[t] = alm_step_taps(step, in, alm_axis_at(out, t));
    }
    *ret = taps;
    return ALM_OK;
}

void alm_step_mark(const alm_step *step, alm_axis out, const uint8_t *marked, alm_axis in,
                   uint8_t *ret_marked)
{
    for (uint32_t t = 0; t < out.count; t++) {
        if (!marked[t]) {
            continue;
        }
        alm_taps taps = alm_step_taps(step, in, alm_axis_at(out, t));
        for (uint32_t i = 0; i < taps.count; i++) {
            ret_marked[taps.first + i * taps.stride] = 1;
        }
        memset(ret_marked + taps.base, 1, taps.base_count);
    }
}
