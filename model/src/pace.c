#include "alm/pace.h"

#include <math.h>

const char *alm_pace_gap_text(alm_pace_gap gap)
{
    static const char *const texts[] = {
#define TEXT(name, text) text,
        ALM_PACE_GAP_MAP(TEXT)
#undef TEXT
    };
    ALM_ASSERT((size_t)gap < ALM_ARRAY_LEN(texts));
    return texts[gap];
}

const char *alm_pace_verdict_code(alm_pace_verdict verdict)
{
    switch (verdict) {
#define CODE(name, number, code, zh, en)                                                           \
    case ALM_PACE_VERDICT_##name:                                                                  \
        return code;
        ALM_PACE_VERDICT_MAP(CODE)
#undef CODE
    }
    return "?";
}

const char *alm_pace_verdict_label(alm_pace_verdict verdict, alm_lang lang)
{
    switch (verdict) {
#define LABEL(name, number, code, zh, en)                                                          \
    case ALM_PACE_VERDICT_##name:                                                                  \
        return lang == ALM_LANG_ZH ? (zh) : (en);
        ALM_PACE_VERDICT_MAP(LABEL)
#undef LABEL
    }
    return "?";
}

static alm_interval point(double x)
{
    return (alm_interval){x, x};
}

alm_pace_number alm_pace_number_of(const alm_value *value)
{
    bool is_exact =
        value->qualifier == ALM_QUALIFIER_EXACT || value->qualifier == ALM_QUALIFIER_EXPECTED;
    alm_pace_number it = {.has = value->has_number, .interval = alm_value_interval(value)};
    it.claim = it.interval;
    if (it.has) {
        it.number = alm_decimal_to_double(value->number);
        it.claim = is_exact ? point(it.number) : it.claim;
    }
    return it;
}

// --- formulas -----------------------------------------------------------------------------------

// Every formula is monotone arithmetic on intervals. It is worked out three times: of the numbers
// alone, of what is claimed, and of what may be.
typedef enum lens { LENS_NUMBER, LENS_CLAIM, LENS_INTERVAL } lens;

typedef alm_interval (*formula)(const alm_pace_input *in, lens by);

static alm_interval of(const alm_pace_number *it, lens by)
{
    return by == LENS_NUMBER ? point(it->number) : by == LENS_CLAIM ? it->claim : it->interval;
}

static double time_gone(const alm_pace_input *in)
{
    return (double)in->elapsed / in->periods;
}

static alm_interval actual(const alm_pace_input *in, lens by)
{
    return of(&in->actual, by);
}

static alm_interval left(const alm_pace_input *in, lens by)
{
    return alm_interval_sub(of(&in->target, by), of(&in->actual, by));
}

static alm_interval time_percent(const alm_pace_input *in, lens by)
{
    (void)by;
    return point(100.0 * in->elapsed / in->periods);
}

static alm_interval reached(const alm_pace_input *in, lens by)
{
    return alm_interval_div(of(&in->actual, by), of(&in->target, by));
}

static alm_interval linear(const alm_pace_input *in, lens by)
{
    return alm_interval_div(reached(in, by), point(time_gone(in)));
}

static alm_interval linear_from_base(const alm_pace_input *in, lens by)
{
    alm_interval base = of(&in->base, by);
    alm_interval way = alm_interval_div(alm_interval_sub(of(&in->actual, by), base),
                                        alm_interval_sub(of(&in->target, by), base));
    return alm_interval_div(way, point(time_gone(in)));
}

static alm_interval seasonal(const alm_pace_input *in, lens by)
{
    return alm_interval_mul(reached(in, by),
                            alm_interval_div(of(&in->whole_before, by), of(&in->part_before, by)));
}

static alm_interval run_rate(const alm_pace_input *in, lens by)
{
    return alm_interval_div(left(in, by), point(in->periods - in->elapsed));
}

static alm_interval percent_over_one(alm_interval ratio)
{
    return (alm_interval){(ratio.lower - 1) * 100, (ratio.upper - 1) * 100};
}

static alm_interval rest_growth(const alm_pace_input *in, lens by)
{
    alm_interval rest = alm_interval_sub(of(&in->whole_before, by), of(&in->part_before, by));
    return percent_over_one(alm_interval_div(left(in, by), rest));
}

static alm_interval yearly_growth(const alm_pace_input *in, lens by)
{
    double years = (double)(in->periods - in->elapsed) / in->per_year;
    alm_interval times = alm_interval_div(of(&in->target, by), of(&in->actual, by));
    times.lower = pow(fmax(times.lower, 0), 1 / years);
    times.upper = pow(fmax(times.upper, 0), 1 / years);
    return percent_over_one(times);
}

static alm_interval expected(const alm_pace_input *in, lens by)
{
    return alm_interval_div(of(&in->actual, by), point(time_gone(in)));
}

// base + (actual - base) / time, with base in one place.
static alm_interval expected_from_base(const alm_pace_input *in, lens by)
{
    double times = 1 / time_gone(in);
    return alm_interval_add(alm_interval_scale(of(&in->actual, by), times),
                            alm_interval_scale(of(&in->base, by), 1 - times));
}

// --- what has a figure --------------------------------------------------------------------------

static bool is_over(const alm_pace_input *in)
{
    return in->elapsed == in->periods;
}

static alm_pace_gap lacks_both(const alm_pace_input *in)
{
    return !in->target.has   ? ALM_PACE_GAP_TARGET
           : !in->actual.has ? ALM_PACE_GAP_ACTUAL
                             : ALM_PACE_GAP_NONE;
}

static alm_pace_gap lacks_base(const alm_pace_input *in)
{
    if (!in->base.has) {
        return ALM_PACE_GAP_BASE;
    }
    bool is_met = in->is_ceiling ? in->base.number <= in->target.number
                                 : in->base.number >= in->target.number;
    return is_met ? ALM_PACE_GAP_MET : ALM_PACE_GAP_NONE;
}

static alm_pace_gap lacks_linear(const alm_pace_input *in)
{
    if (in->kind == ALM_PACE_RATE) {
        return ALM_PACE_GAP_RATE;
    }
    if (in->kind == ALM_PACE_STATE) {
        return lacks_base(in);
    }
    return in->target.number > 0 ? ALM_PACE_GAP_NONE : ALM_PACE_GAP_POSITIVE;
}

static alm_pace_gap lacks_year_before(const alm_pace_input *in)
{
    if (in->kind != ALM_PACE_AMOUNT) {
        return ALM_PACE_GAP_AMOUNT;
    }
    if (!in->is_of_a_year) {
        return ALM_PACE_GAP_YEARS;
    }
    return in->part_before.has && in->whole_before.has ? ALM_PACE_GAP_NONE : ALM_PACE_GAP_BEFORE;
}

static alm_pace_gap lacks_seasonal(const alm_pace_input *in)
{
    alm_pace_gap before = lacks_year_before(in);
    if (before != ALM_PACE_GAP_NONE) {
        return before;
    }
    if (in->part_before.number <= 0 || in->whole_before.number <= 0) {
        return ALM_PACE_GAP_NOTHING;
    }
    return in->target.number > 0 ? ALM_PACE_GAP_NONE : ALM_PACE_GAP_POSITIVE;
}

static alm_pace_gap lacks_rest(const alm_pace_input *in)
{
    if (is_over(in)) {
        return ALM_PACE_GAP_OVER;
    }
    bool is_left = in->target.number > in->actual.number;
    return is_left ? ALM_PACE_GAP_NONE : in->is_ceiling ? ALM_PACE_GAP_PASSED : ALM_PACE_GAP_LEFT;
}

static alm_pace_gap lacks_run_rate(const alm_pace_input *in)
{
    return in->kind == ALM_PACE_AMOUNT ? lacks_rest(in) : ALM_PACE_GAP_AMOUNT;
}

static alm_pace_gap lacks_rest_growth(const alm_pace_input *in)
{
    alm_pace_gap rest = lacks_rest(in);
    alm_pace_gap before = rest != ALM_PACE_GAP_NONE ? rest : lacks_year_before(in);
    bool is_nothing = in->whole_before.number <= in->part_before.number;
    return before == ALM_PACE_GAP_NONE && is_nothing ? ALM_PACE_GAP_NOTHING : before;
}

static alm_pace_gap lacks_growth(const alm_pace_input *in)
{
    if (in->kind == ALM_PACE_AMOUNT) {
        return lacks_rest_growth(in);
    }
    if (in->kind == ALM_PACE_RATE || in->is_ratio) {
        return in->is_ratio ? ALM_PACE_GAP_POINTS : ALM_PACE_GAP_RATE;
    }
    if (is_over(in)) {
        return ALM_PACE_GAP_OVER;
    }
    bool is_there = in->is_ceiling ? in->actual.number <= in->target.number
                                   : in->actual.number >= in->target.number;
    return is_there                 ? ALM_PACE_GAP_LEFT
           : in->target.number <= 0 ? ALM_PACE_GAP_POSITIVE
           : in->actual.number <= 0 ? ALM_PACE_GAP_FALLEN
                                    : ALM_PACE_GAP_NONE;
}

static alm_pace_gap lacks_expected(const alm_pace_input *in)
{
    if (in->kind == ALM_PACE_RATE) {
        return ALM_PACE_GAP_RATE;
    }
    return in->kind == ALM_PACE_STATE && !in->base.has ? ALM_PACE_GAP_BASE : ALM_PACE_GAP_NONE;
}

static void take(alm_pace *it, alm_pace_figure figure, const alm_pace_input *in, formula f,
                 alm_pace_gap lacks)
{
    alm_pace_number *to = &it->figures[figure];
    *to = (alm_pace_number){.claim = {-INFINITY, INFINITY}, .interval = {-INFINITY, INFINITY}};
    if (lacks == ALM_PACE_GAP_NONE) {
        double number = f(in, LENS_NUMBER).lower;
        lacks = isfinite(number) ? ALM_PACE_GAP_NONE : ALM_PACE_GAP_RANGE;
        if (lacks == ALM_PACE_GAP_NONE) {
            *to = (alm_pace_number){number, f(in, LENS_CLAIM), f(in, LENS_INTERVAL), true};
        }
    }
    it->gaps[figure] = lacks;
}

static alm_pace_gap either(alm_pace_gap first, alm_pace_gap second)
{
    return first != ALM_PACE_GAP_NONE ? first : second;
}

static void take_figures(alm_pace *it, const alm_pace_input *in)
{
    bool is_state = in->kind == ALM_PACE_STATE;
    bool is_amount = in->kind == ALM_PACE_AMOUNT;
    alm_pace_gap no_actual = in->actual.has ? ALM_PACE_GAP_NONE : ALM_PACE_GAP_ACTUAL;
    alm_pace_gap no = lacks_both(in);
    take(it, ALM_PACE_ACTUAL, in, actual, no_actual);
    take(it, ALM_PACE_LEFT, in, left, no);
    take(it, ALM_PACE_TIME, in, time_percent, no_actual);
    take(it, ALM_PACE_LINEAR, in, is_state ? linear_from_base : linear,
         either(no, lacks_linear(in)));
    take(it, ALM_PACE_SEASONAL, in, seasonal, either(no, lacks_seasonal(in)));
    take(it, ALM_PACE_RUN_RATE, in, run_rate, either(no, lacks_run_rate(in)));
    take(it, ALM_PACE_GROWTH, in, is_amount ? rest_growth : yearly_growth,
         either(no, lacks_growth(in)));
    take(it, ALM_PACE_EXPECTED, in, is_state ? expected_from_base : expected,
         either(no_actual, lacks_expected(in)));
}

// --- the verdict --------------------------------------------------------------------------------

typedef enum answer { ANSWER_OPEN, ANSWER_YES, ANSWER_NO } answer;

static answer is_less(alm_interval a, alm_interval b)
{
    return a.upper < b.lower ? ANSWER_YES : a.lower >= b.upper ? ANSWER_NO : ANSWER_OPEN;
}

static answer opposite(answer it)
{
    return it == ANSWER_OPEN ? it : it == ANSWER_YES ? ANSWER_NO : ANSWER_YES;
}

static answer is_met(const alm_pace_input *in)
{
    return in->is_ceiling ? opposite(is_less(in->target.claim, in->actual.claim))
                          : opposite(is_less(in->actual.claim, in->target.claim));
}

// A state goes its way from the base whichever way that leads; an amount under a ceiling is to stay
// below its pace.
static answer is_on_pace(const alm_pace_input *in, const alm_pace_number *pace)
{
    if (in->kind == ALM_PACE_AMOUNT && in->is_ceiling) {
        return opposite(is_less(point(1 + ALM_PACE_TOLERANCE), pace->claim));
    }
    return opposite(is_less(pace->claim, point(1 - ALM_PACE_TOLERANCE)));
}

static alm_pace_verdict verdict_of(answer it, alm_pace_verdict yes, alm_pace_verdict no)
{
    return it == ANSWER_OPEN ? ALM_PACE_VERDICT_NOT_KNOWN : it == ANSWER_YES ? yes : no;
}

// Is it decided before the horizon is over? What was reached stays so, and an amount that is past
// its ceiling does not come back.
static bool is_early(const alm_pace_input *in, answer met)
{
    if (in->kind == ALM_PACE_RATE) {
        return false;
    }
    bool is_spent = in->kind == ALM_PACE_AMOUNT && in->is_ceiling;
    return met == (is_spent ? ANSWER_NO : ANSWER_YES);
}

static void judge(alm_pace *it, const alm_pace_input *in)
{
    it->verdict = ALM_PACE_VERDICT_NOT_KNOWN;
    it->by = ALM_PACE_LEFT;
    if (lacks_both(in) != ALM_PACE_GAP_NONE) {
        return;
    }
    answer met = is_met(in);
    if (is_over(in) || is_early(in, met)) {
        it->verdict = verdict_of(met, ALM_PACE_VERDICT_REACHED, ALM_PACE_VERDICT_MISSED);
        return;
    }
    if (in->kind == ALM_PACE_RATE) {
        it->verdict = verdict_of(met, ALM_PACE_VERDICT_ON_TRACK, ALM_PACE_VERDICT_BEHIND);
        return;
    }
    it->by = it->figures[ALM_PACE_SEASONAL].has ? ALM_PACE_SEASONAL : ALM_PACE_LINEAR;
    const alm_pace_number *pace = &it->figures[it->by];
    answer on_pace = pace->has ? is_on_pace(in, pace) : ANSWER_OPEN;
    if (it->gaps[ALM_PACE_LINEAR] == ALM_PACE_GAP_MET) {
        it->by = ALM_PACE_LEFT; // it went the wrong way
        on_pace = met;
    }
    it->verdict = verdict_of(on_pace, ALM_PACE_VERDICT_ON_TRACK, ALM_PACE_VERDICT_BEHIND);
}

alm_pace alm_pace_compute(const alm_pace_input *in)
{
    ALM_ASSERT(!in->actual.has || (in->elapsed >= 1 && in->elapsed <= in->periods));
    ALM_ASSERT(!in->actual.has || in->per_year > 0);
    alm_pace it;
    take_figures(&it, in);
    judge(&it, in);
    return it;
}
