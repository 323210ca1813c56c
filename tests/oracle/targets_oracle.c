#include "targets.h"

#include <math.h>

// --- values -------------------------------------------------------------------------

static long double bounded(double end)
{
    return isinf(end) ? (end > 0 ? FAR : -FAR) : (long double)end;
}

static target_number number_of(const alm_value *value)
{
    alm_interval interval = alm_value_interval(value);
    target_number it = {.has = value->has_number};
    it.x = (long double)value->number.mantissa * powl(10, value->number.exponent);
    it.interval[0] = bounded(interval.lower);
    it.interval[1] = bounded(interval.upper);
    for (int i = 0; i < 2; i++) {
        bool is_bound = it.interval[i] == (long double)(double)it.x;
        it.claim[i] = value->qualifier == ALM_QUALIFIER_EXACT || is_bound ? it.x : it.interval[i];
    }
    return it;
}

static const alm_obs *find(const target_case *it, const char *measure, alm_period period,
                           alm_accumulation accumulation)
{
    for (size_t i = 0; i < it->w->count; i++) {
        alm_variant v;
        const world_row *row = &it->w->rows[i];
        assert_int_equal(alm_variant_decode(alm_str_from(row->variant), &v, NULL), ALM_OK);
        if (strcmp(alm_measure_code(v.measure), measure) == 0 && v.accumulation == accumulation &&
            alm_period_eq(row->obs.period, period)) {
            return &row->obs;
        }
    }
    return NULL;
}

static target_number add(target_number a, target_number b)
{
    a.x += b.x;
    for (int i = 0; i < 2; i++) {
        a.claim[i] += b.claim[i];
        a.interval[i] += b.interval[i];
    }
    a.has = true;
    return a;
}

static bool is_year(alm_period unit)
{
    return unit.freq == ALM_FREQ_ANNUAL && unit.length == 1;
}

// The periods of a frequency from the unit's beginning, one after the other, to a day.
static target_number sum_of(const target_case *it, alm_period run, alm_date until)
{
    target_number sum = {.end = ALM_DATE_NONE};
    for (uint32_t i = 0; i < run.length; i++) {
        alm_period period = alm_period_unit(run, i);
        const alm_obs *row = find(it, it->kind->measure, period, ALM_ACCUMULATION_PERIOD);
        if (row == NULL || alm_period_last_day(period) > until) {
            break;
        }
        sum = add(sum, number_of(&row->value));
        sum.end = alm_period_last_day(period);
        sum.last = period;
    }
    return sum;
}

static target_number newest_of(const target_case *it, alm_period run, alm_accumulation accumulation,
                               alm_date until)
{
    target_number newest = {.end = ALM_DATE_NONE};
    for (uint32_t i = 0; i < run.length; i++) {
        alm_period period = alm_period_unit(run, i);
        const alm_obs *row = find(it, it->kind->measure, period, accumulation);
        if (row != NULL && alm_period_last_day(period) <= until) {
            newest = number_of(&row->value);
            newest.end = alm_period_last_day(period);
            newest.last = period;
        }
    }
    return newest;
}

static target_number further(target_number a, target_number b)
{
    return b.end > a.end ? b : a;
}

static target_number reached_in(const target_case *it, alm_period unit, alm_date until)
{
    target_number best = {.end = ALM_DATE_NONE};
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_MONTH; freq++) {
        alm_period run;
        bool is_own = freq == ALM_FREQ_ANNUAL;
        assert_int_equal(alm_period_expand(unit, freq, &run, NULL), ALM_OK);
        if (it->kind->kind == ALM_PACE_AMOUNT) {
            best = further(best, sum_of(it, run, until));
        } else if (is_own || it->kind->is_stock) {
            best = further(best, newest_of(it, run, ALM_ACCUMULATION_PERIOD, until));
        }
        if (is_year(unit) && (is_own || !it->kind->is_stock)) {
            best = further(best, newest_of(it, run, ALM_ACCUMULATION_CUMULATIVE, until));
        }
    }
    return best;
}

// Amounts of all units; of the others the newest.
static target_number reached(const target_case *it)
{
    target_number all = {.end = ALM_DATE_NONE};
    uint32_t newest = 0;
    for (uint32_t i = 0; i < it->horizon.length; i++) {
        bool is_there = reached_in(it, alm_period_unit(it->horizon, i), ALM_DATE_MAX).has;
        newest = is_there ? i + 1 : newest;
    }
    bool is_open = false;
    for (uint32_t i = 0; i < newest; i++) {
        alm_period unit = alm_period_unit(it->horizon, i);
        target_number one = reached_in(it, unit, ALM_DATE_MAX);
        if (it->kind->kind != ALM_PACE_AMOUNT) {
            all = one.has ? one : all;
        } else if (i + 1 == newest || one.end == alm_period_last_day(unit)) {
            all = add(all, one);
            all.end = one.end;
            all.last = one.last;
        } else {
            is_open = true;
        }
    }
    all.claim[1] = is_open ? FAR : all.claim[1];
    all.interval[1] = is_open ? FAR : all.interval[1];
    return all;
}

static target_number before(const target_case *it)
{
    target_number none = {.end = ALM_DATE_NONE};
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_MONTH; freq++) {
        alm_period run;
        assert_int_equal(alm_period_expand(it->horizon, freq, &run, NULL), ALM_OK);
        run = alm_period_unit(run, 0);
        run.ordinal--;
        for (int i = 1; i <= 2; i++) {
            bool is_own = freq == ALM_FREQ_ANNUAL;
            bool tells = i == 1 ? it->kind->is_stock : !it->kind->is_stock && is_year(it->horizon);
            const alm_obs *row = find(it, it->kind->measure, run, (alm_accumulation)i);
            if (row != NULL && (is_own || tells)) {
                return number_of(&row->value);
            }
        }
    }
    return none;
}

// --- figures ------------------------------------------------------------------------

#define INPUT_MAX 4
typedef long double (*formula)(const long double *in, const target_inputs *all);

static long double f_left(const long double *in, const target_inputs *all)
{
    (void)all;
    return in[0] - in[1];
}
static long double f_pace(const long double *in, const target_inputs *all)
{
    return in[1] / in[0] / all->time;
}
static long double f_way(const long double *in, const target_inputs *all)
{
    return (in[1] - in[2]) / (in[0] - in[3]) / all->time; // the base counts twice, as two
}
static long double f_seasonal(const long double *in, const target_inputs *all)
{
    (void)all;
    return in[1] / in[0] / (in[2] / in[3]);
}
static long double f_rate(const long double *in, const target_inputs *all)
{
    return (in[0] - in[1]) / all->left;
}
static long double f_rest(const long double *in, const target_inputs *all)
{
    (void)all;
    return ((in[0] - in[1]) / (in[3] - in[2]) - 1) * 100;
}
static long double f_yearly(const long double *in, const target_inputs *all)
{
    return (powl(fmaxl(in[0] / in[1], 0), 1 / all->years) - 1) * 100;
}
static long double f_expected(const long double *in, const target_inputs *all)
{
    return in[1] / all->time;
}
static long double f_expected_way(const long double *in, const target_inputs *all)
{
    return in[1] / all->time + in[2] * (1 - 1 / all->time);
}

// What is divided by, of which an interval that holds zero leaves everything open.
static bool holds_zero(const long double *a, const long double *b)
{
    return a[0] - b[1] <= 0 && a[1] - b[0] >= 0;
}

static bool is_open(alm_pace_figure figure, const target_inputs *all, bool is_state, bool is_claim)
{
    static const long double zero[2] = {0, 0};
#define ENDS(which) (is_claim ? all->which.claim : all->which.interval)
    switch (figure) {
    case ALM_PACE_LINEAR:
        return holds_zero(ENDS(target), is_state ? ENDS(base) : zero);
    case ALM_PACE_SEASONAL:
        return holds_zero(ENDS(target), zero) || holds_zero(ENDS(part), zero);
    case ALM_PACE_GROWTH:
        return is_state ? holds_zero(ENDS(actual), zero) : holds_zero(ENDS(whole), ENDS(part));
    default:
        return false;
    }
#undef ENDS
}

static target_number evaluate(alm_pace_figure figure, const target_inputs *all, bool is_state)
{
    static const formula amounts[ALM_PACE_FIGURE_COUNT] = {
        [ALM_PACE_LEFT] = f_left,     [ALM_PACE_LINEAR] = f_pace, [ALM_PACE_SEASONAL] = f_seasonal,
        [ALM_PACE_RUN_RATE] = f_rate, [ALM_PACE_GROWTH] = f_rest, [ALM_PACE_EXPECTED] = f_expected};
    formula f = amounts[figure];
    if (is_state) {
        f = figure == ALM_PACE_LINEAR     ? f_way
            : figure == ALM_PACE_GROWTH   ? f_yearly
            : figure == ALM_PACE_EXPECTED ? f_expected_way
                                          : f;
    }
    const target_number *third = is_state ? &all->base : &all->part;
    const target_number *fourth = is_state ? &all->base : &all->whole;
    const target_number *of[INPUT_MAX] = {&all->target, &all->actual, third, fourth};
    long double in[INPUT_MAX];
    for (int i = 0; i < INPUT_MAX; i++) {
        in[i] = of[i]->x;
    }
    target_number it = {.has = true, .x = f(in, all)};
    it.claim[0] = it.interval[0] = FAR;
    it.claim[1] = it.interval[1] = -FAR;
    for (int ends = 0; ends < 1 << INPUT_MAX; ends++) {
        for (int which = 0; which < 2; which++) {
            long double *to = which == 0 ? it.claim : it.interval;
            for (int i = 0; i < INPUT_MAX; i++) {
                in[i] = (which == 0 ? of[i]->claim : of[i]->interval)[ends >> i & 1];
            }
            to[0] = fminl(to[0], f(in, all));
            to[1] = fmaxl(to[1], f(in, all));
        }
    }
    for (int which = 0; which < 2; which++) {
        long double *to = which == 0 ? it.claim : it.interval;
        bool opens = is_open(figure, all, is_state, which == 0);
        bool has_floor = figure == ALM_PACE_GROWTH && is_state;
        to[0] = opens ? (has_floor ? -100 : -FAR) : to[0];
        to[1] = opens ? FAR : to[1];
    }
    return it;
}

// --- what there is, and the verdict -------------------------------------------------

static bool is_limit(const target_case *it, const alm_value *planned)
{
    bool is_down =
        strcmp(it->kind->indicator, "pm25") == 0 || strcmp(it->kind->indicator, "cost") == 0;
    return planned->qualifier == ALM_QUALIFIER_LESS_THAN ||
           (is_down && planned->qualifier != ALM_QUALIFIER_MORE_THAN &&
            planned->qualifier != ALM_QUALIFIER_AT_LEAST);
}

// What was planned: the number of a bound, and exactly the number but where it is "about".
static target_number planned_of(const alm_value *planned)
{
    target_number it = number_of(planned);
    for (int i = 0; planned->qualifier != ALM_QUALIFIER_ABOUT && i < 2; i++) {
        it.claim[i] = it.interval[i] = it.x;
    }
    return it;
}

static int compare(const long double *a, const long double *b) // -1: less, 1: not less, 0: open
{
    return a[1] < b[0] ? -1 : a[0] >= b[1] ? 1 : 0;
}

static void judge(const target_case *it, const target_inputs *in, bool limits, target_pace *to)
{
    static const long double low[2] = {0.95L, 0.95L};
    static const long double high[2] = {1.05L, 1.05L};
    bool is_rate = it->kind->kind == ALM_PACE_RATE;
    bool is_amount = it->kind->kind == ALM_PACE_AMOUNT;
    int met = limits ? compare(in->target.claim, in->actual.claim)
                     : compare(in->actual.claim, in->target.claim);
    bool is_end = in->left == 0;
    bool decides = is_amount && limits ? met == -1 : met == 1;
    if (is_end || (!is_rate && decides)) {
        to->verdict = met == 0  ? ALM_PACE_VERDICT_NOT_KNOWN
                      : met > 0 ? ALM_PACE_VERDICT_REACHED
                                : ALM_PACE_VERDICT_MISSED;
        return;
    }
    int good = met;
    bool was_met = limits ? in->base.x <= in->target.x : in->base.x >= in->target.x;
    if (!is_rate && !(it->kind->kind == ALM_PACE_STATE && in->base.has && was_met)) {
        const target_number *seasonal = &to->figures[ALM_PACE_SEASONAL];
        const target_number *pace = seasonal->has ? seasonal : &to->figures[ALM_PACE_LINEAR];
        const long double *mark = is_amount && limits ? high : low;
        good = is_amount && limits ? compare(high, pace->claim) : compare(pace->claim, low);
        good = pace->has ? good : 0;
        for (int i = 0; pace->has && i < 2; i++) {
            to->is_close |= fabsl(pace->claim[i] - mark[0]) < 1e-9L;
        }
    }
    to->verdict = good == 0  ? ALM_PACE_VERDICT_NOT_KNOWN
                  : good > 0 ? ALM_PACE_VERDICT_ON_TRACK
                             : ALM_PACE_VERDICT_BEHIND;
}

target_pace oracle_target_pace(const target_case *it, const target_inputs *in,
                               const alm_value *planned)
{
    target_pace to = {.verdict = ALM_PACE_VERDICT_NOT_KNOWN};
    bool limits = is_limit(it, planned);
    bool is_amount = it->kind->kind == ALM_PACE_AMOUNT;
    bool is_state = it->kind->kind == ALM_PACE_STATE;
    bool is_percent = strcmp(it->kind->unit, "percent") == 0;
    if (!in->actual.has) {
        return to;
    }
    bool is_left = in->left > 0 && in->target.x > in->actual.x;
    bool has_year = is_amount && in->part.has && in->whole.has;
    bool was_met = limits ? in->base.x <= in->target.x : in->base.x >= in->target.x;
    bool is_there = limits ? in->actual.x <= in->target.x : in->actual.x >= in->target.x;
    bool has[ALM_PACE_FIGURE_COUNT] = {
        [ALM_PACE_LEFT] = true,
        [ALM_PACE_LINEAR] =
            (is_amount && in->target.x > 0) || (is_state && in->base.has && !was_met),
        [ALM_PACE_SEASONAL] = has_year && in->part.x > 0 && in->whole.x > 0 && in->target.x > 0,
        [ALM_PACE_RUN_RATE] = is_amount && is_left,
        [ALM_PACE_GROWTH] = is_amount ? is_left && has_year && in->whole.x > in->part.x
                                      : is_state && !is_percent && in->left > 0 && !is_there &&
                                            in->target.x > 0 && in->actual.x > 0,
        [ALM_PACE_EXPECTED] = is_amount || (is_state && in->base.has),
    };
    for (int i = 0; i < ALM_PACE_FIGURE_COUNT; i++) {
        if (has[i]) {
            to.figures[i] = evaluate((alm_pace_figure)i, in, is_state);
        }
    }
    to.figures[ALM_PACE_ACTUAL] = in->actual;
    judge(it, in, limits, &to);
    return to;
}

target_inputs oracle_target_inputs(const target_case *it, const alm_value *planned)
{
    target_inputs in = {.target = planned_of(planned), .actual = reached(it), .base = before(it)};
    if (!in.actual.has) {
        return in;
    }
    alm_freq freq = (alm_freq)in.actual.last.freq;
    alm_period run;
    assert_int_equal(alm_period_expand(it->horizon, freq, &run, NULL), ALM_OK);
    int32_t gone = in.actual.last.ordinal - run.ordinal + 1;
    in.time = (long double)gone / run.length;
    in.left = run.length - gone;
    in.years = in.left / alm_freq_per_year(freq);
    if (it->horizon.length == 1 && it->kind->kind == ALM_PACE_AMOUNT) {
        alm_period whole, last;
        assert_int_equal(alm_period_add_years(it->horizon, -1, &whole, NULL), ALM_OK);
        assert_int_equal(alm_period_add_years(in.actual.last, -1, &last, NULL), ALM_OK);
        in.part = reached_in(it, whole, alm_period_last_day(last));
        in.part.has = in.part.has && in.part.end == alm_period_last_day(last);
        in.whole = reached_in(it, whole, ALM_DATE_MAX);
        in.whole.has = in.whole.has && in.whole.end == alm_period_last_day(whole);
    }
    return in;
}
