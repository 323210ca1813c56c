#include "oracle.h"

#include <math.h>

static const oracle_number nothing = {
    .status = -1, .published = ALM_DATE_NONE, .lower = -INFINITY, .upper = INFINITY};

// --- rows ---------------------------------------------------------------------------------------

static bool is_row_of(const oracle *o, const world_row *row, const alm_variant *v,
                      const oracle_series *series, alm_freq freq, alm_accumulation accumulation)
{
    const char *breakdown = strrchr(row->variant, '.') + 1;
    return row->obs.published <= o->asked->as_of && v->freq == freq &&
           v->accumulation == accumulation && v->measure == o->asked->measure &&
           alm_str_eq(v->indicator, o->asked->indicator) &&
           alm_str_eq(series->breakdown, alm_str_from(breakdown));
}

// The newest vintage; NULL: none.
static const alm_obs *newest_row(const oracle *o, const oracle_series *series,
                                 alm_accumulation accumulation, alm_place_id place,
                                 alm_period period)
{
    const alm_obs *best = NULL;
    for (size_t i = 0; i < o->w->count; i++) {
        const world_row *row = &o->w->rows[i];
        alm_variant v;
        if (row->obs.place != place || !alm_period_eq(row->obs.period, period) ||
            alm_variant_decode(alm_str_from(row->variant), &v, NULL) != ALM_OK ||
            !is_row_of(o, row, &v, series, (alm_freq)period.freq, accumulation)) {
            continue;
        }
        bool is_newer =
            best == NULL || row->obs.published > best->published ||
            (row->obs.published == best->published && row->obs.sequence > best->sequence);
        best = is_newer ? &row->obs : best;
    }
    return best;
}

static long double ten_to(int power)
{
    long double value = 1;
    for (int i = 0; i < power; i++) {
        value *= 10;
    }
    for (int i = 0; i > power; i--) {
        value /= 10;
    }
    return value;
}

// Units of these worlds differ by powers of ten only.
static int unit_power(alm_unit from, alm_unit to)
{
    int power = from.mult - to.mult;
    power +=
        from.measure == ALM_MEASURE_UNIT_RATIO && to.measure == ALM_MEASURE_UNIT_PERCENT ? 2 : 0;
    return power;
}

oracle_number oracle_published(const oracle *o, const alm_value *value)
{
    oracle_number it = nothing;
    alm_unit to = o->indicator->unit;
    if (alm_measure_dimension(o->asked->measure, alm_unit_dimension(to)) == ALM_DIMENSION_RATIO) {
        to = (alm_unit){.measure = ALM_MEASURE_UNIT_PERCENT};
    }
    if (!value->has_number) {
        return it;
    }
    alm_interval interval = alm_value_interval(value);
    int power = unit_power(value->unit, to);
    alm_qualifier q = value->qualifier;
    it.has = true;
    it.is_exact = true;
    it.x = (long double)value->number.mantissa * ten_to(value->number.exponent + power);
    it.lower = (long double)interval.lower * ten_to(power);
    it.upper = (long double)interval.upper * ten_to(power);
    it.digits = value->number.exponent + power;
    it.is_over = q == ALM_QUALIFIER_EXACT || q == ALM_QUALIFIER_MORE_THAN ||
                 q == ALM_QUALIFIER_AT_LEAST || q == ALM_QUALIFIER_PASSED_THRESHOLD;
    it.is_under =
        q == ALM_QUALIFIER_EXACT || q == ALM_QUALIFIER_LESS_THAN || q == ALM_QUALIFIER_AT_MOST;
    return it;
}

static oracle_number number_of(const oracle *o, const alm_obs *row)
{
    if (row == NULL) {
        return nothing;
    }
    oracle_number it = oracle_published(o, &row->value);
    it.status = row->value.status;
    it.published = row->published;
    return it;
}

oracle_number oracle_own(const oracle *o, const oracle_series *series, alm_place_id place,
                         alm_period period)
{
    return number_of(o, newest_row(o, series, series->accumulation, place, period));
}

static bool is_near(long double a, long double b)
{
    return isfinite(a) && isfinite(b) && fabsl(a - b) <= 1e-12L * fmaxl(fabsl(a), fabsl(b));
}

// --- what a result inherits ---------------------------------------------------------------------

static void inherit(oracle_number *it, const oracle_number *from)
{
    if (from->published != ALM_DATE_NONE &&
        (it->published == ALM_DATE_NONE || from->published > it->published)) {
        it->published = from->published;
    }
    if (from->status >= 0) {
        it->status = it->status < 0 ? from->status
                                    : (int)alm_obs_status_worst((alm_obs_status)it->status,
                                                                (alm_obs_status)from->status);
    }
}

static void lose(oracle_number *it, bool is_undefined)
{
    bool says_why = it->status >= 0 && alm_obs_status_missing((alm_obs_status)it->status);
    if (!says_why) {
        it->status = is_undefined ? ALM_OBS_STATUS_MISSING : ALM_OBS_STATUS_MISSING_UNSPECIFIED;
    }
    it->has = false;
    it->lower = -INFINITY;
    it->upper = INFINITY;
}

static oracle_number of_parts(const oracle_number *parts, size_t count, alm_method method)
{
    oracle_number it = nothing;
    bool is_whole = count > 0;
    for (size_t i = 0; i < count; i++) {
        inherit(&it, &parts[i]);
        is_whole &= parts[i].has;
    }
    if (!is_whole) {
        lose(&it, count == 0);
        return it;
    }
    it.has = it.is_exact = it.is_over = it.is_under = true;
    it.x = it.lower = it.upper = 0;
    it.digits = 100;
    for (size_t i = 0; i < count; i++) {
        const oracle_number *p = &parts[i];
        it.is_over &= p->is_over;
        it.is_under &= p->is_under;
        it.is_exact &= p->is_exact;
        if (method == ALM_METHOD_SUM || method == ALM_METHOD_AVG) {
            it.digits = ALM_MIN(it.digits, p->digits);
            it.x += p->x;
            it.lower += p->lower;
            it.upper += p->upper;
            continue;
        }
        bool is_first = i == 0;
        bool is_max = method == ALM_METHOD_MAX;
        bool wins = is_first || (is_max ? p->x > it.x : p->x < it.x);
        it.digits = wins ? p->digits : it.digits;
        it.x = wins ? p->x : it.x;
        it.lower = is_first ? p->lower
                   : is_max ? fmaxl(it.lower, p->lower)
                            : fminl(it.lower, p->lower);
        it.upper = is_first ? p->upper
                   : is_max ? fmaxl(it.upper, p->upper)
                            : fminl(it.upper, p->upper);
    }
    if (method == ALM_METHOD_MAX || method == ALM_METHOD_MIN) {
        bool is_max = method == ALM_METHOD_MAX;
        bool wins_from_within = false; // the number is the end that its own side may not pass
        bool is_closed = true;         // nothing may lie beyond it
        for (size_t i = 0; i < count; i++) {
            const oracle_number *p = &parts[i];
            wins_from_within |= p->x == it.x && (is_max ? p->is_over : p->is_under);
            bool is_end = is_near(is_max ? p->upper : p->lower, it.x);
            is_closed &= is_end || (is_max ? p->is_under || p->upper <= it.x
                                           : p->is_over || p->lower >= it.x);
        }
        it.is_over = is_max ? wins_from_within : is_closed;
        it.is_under = is_max ? is_closed : wins_from_within;
    }
    if (method == ALM_METHOD_AVG && count > 1) {
        it.x /= (long double)count;
        it.lower /= (long double)count;
        it.upper /= (long double)count;
        it.is_exact = false;
        it.digits -= 2;
    }
    return it;
}

// What a result inherits of two; it has a number where both have.
static oracle_number of_both(const oracle_number *a, const oracle_number *b)
{
    oracle_number it = nothing;
    inherit(&it, a);
    inherit(&it, b);
    it.has = a->has && b->has;
    if (!it.has) {
        lose(&it, false);
    }
    return it;
}

static oracle_number difference(const oracle_number *a, const oracle_number *b)
{
    oracle_number it = of_both(a, b);
    if (!it.has) {
        return it;
    }
    it.x = a->x - b->x;
    it.lower = a->lower - b->upper;
    it.upper = a->upper - b->lower;
    it.is_over = a->is_over && b->is_under;
    it.is_under = a->is_under && b->is_over;
    it.is_exact = a->is_exact && b->is_exact;
    it.digits = ALM_MIN(a->digits, b->digits);
    return it;
}

// a / b, b > 0, and its ends; of both signs of a.
static oracle_number quotient(const oracle_number *a, const oracle_number *b)
{
    oracle_number it = of_both(a, b);
    if (!it.has) {
        return it;
    }
    if (b->x <= 0) {
        lose(&it, true);
        return it;
    }
    it.x = a->x / b->x;
    if (b->lower > 0) {
        long double least = INFINITY;
        long double most = -INFINITY;
        const long double above[] = {a->lower, a->upper};
        const long double below[] = {b->lower, b->upper};
        for (int i = 0; i < 4; i++) {
            long double end = above[i / 2] / below[i % 2];
            least = isnan(end) ? least : fminl(least, end);
            most = isnan(end) ? most : fmaxl(most, end);
        }
        it.lower = least;
        it.upper = most;
    }
    bool is_negative = a->x < 0;
    it.is_over = a->is_over && (is_negative ? b->is_over : b->is_under);
    it.is_under = a->is_under && (is_negative ? b->is_under : b->is_over);
    return it;
}

// --- frequency and accumulation -----------------------------------------------------------------

static bool before(alm_period period, int64_t steps, alm_period *ret)
{
    return alm_period_add(period, -steps, ret, NULL) == ALM_OK;
}

static bool is_first_of_year(alm_period period)
{
    alm_period last;
    return !before(period, 1, &last) || alm_period_year(last) != alm_period_year(period);
}

static bool adds_up(const oracle *o)
{
    return o->indicator->over_time == ALM_AGGREGATION_SUM ||
           o->asked->measure == ALM_MEASURE_COUNT_OF_CHANGE;
}

static alm_method method_of(const oracle *o, alm_accumulation accumulation)
{
    const alm_transform *to = &o->asked->transforms.of[ALM_STAGE_FREQUENCY];
    bool is_amount = o->asked->measure == ALM_MEASURE_LEVEL &&
                     alm_unit_dimension(o->indicator->unit) != ALM_DIMENSION_RATIO &&
                     alm_unit_dimension(o->indicator->unit) != ALM_DIMENSION_INDEX;
    if (accumulation == ALM_ACCUMULATION_CUMULATIVE && is_amount) {
        return ALM_METHOD_EOP;
    }
    if (to->method != ALM_METHOD_NONE) {
        return to->method;
    }
    if (adds_up(o)) {
        return ALM_METHOD_SUM;
    }
    switch (o->indicator->over_time) {
    case ALM_AGGREGATION_AVERAGE:
        return ALM_METHOD_AVG;
    case ALM_AGGREGATION_MAX:
        return ALM_METHOD_MAX;
    case ALM_AGGREGATION_MIN:
        return ALM_METHOD_MIN;
    default:
        return ALM_METHOD_EOP;
    }
}

static oracle_number published(const oracle *o, const oracle_series *series,
                               alm_accumulation accumulation, alm_place_id place,
                               alm_period period);

#define PART_MAX 400

// Every unit of the frequency whose days lie within the period.
static size_t parts_of(alm_period period, alm_freq freq, alm_period *ret)
{
    size_t count = 0;
    alm_date last = alm_period_last_day(period);
    alm_date day = alm_period_first_day(period);
    while (day <= last) {
        assert_true(count < PART_MAX);
        assert_int_equal(alm_period_of_date(day, freq, &ret[count], NULL), ALM_OK);
        day = alm_period_last_day(ret[count]) + 1;
        count++;
    }
    return count;
}

static oracle_number at_frequency(const oracle *o, const oracle_series *series, alm_freq freq,
                                  alm_accumulation accumulation, alm_place_id place,
                                  alm_period period)
{
    alm_period units[PART_MAX];
    oracle_number parts[PART_MAX] = {0};
    if (freq == period.freq) {
        return published(o, series, accumulation, place, period);
    }
    size_t count = parts_of(period, freq, units);
    alm_method method = method_of(o, accumulation);
    if (method == ALM_METHOD_EOP) {
        oracle_number last = published(o, series, accumulation, place, units[count - 1]);
        return of_parts(&last, 1, ALM_METHOD_SUM);
    }
    for (size_t i = 0; i < count; i++) {
        parts[i] = published(o, series, accumulation, place, units[i]);
    }
    return of_parts(parts, count, method);
}

// From the other accumulation.
static oracle_number converted(const oracle *o, const oracle_series *series, alm_freq freq,
                               alm_place_id place, alm_period period)
{
    if (series->accumulation == ALM_ACCUMULATION_PERIOD) {
        oracle_number now =
            at_frequency(o, series, freq, ALM_ACCUMULATION_CUMULATIVE, place, period);
        alm_period last;
        if (is_first_of_year(period)) {
            return of_parts(&now, 1, ALM_METHOD_SUM);
        }
        assert_true(before(period, 1, &last));
        oracle_number earlier =
            at_frequency(o, series, freq, ALM_ACCUMULATION_CUMULATIVE, place, last);
        return difference(&now, &earlier);
    }
    oracle_number parts[PART_MAX] = {0};
    size_t count = 0;
    for (;;) {
        parts[count++] = at_frequency(o, series, freq, ALM_ACCUMULATION_PERIOD, place, period);
        if (is_first_of_year(period)) {
            break;
        }
        assert_true(before(period, 1, &period));
    }
    return of_parts(parts, count, ALM_METHOD_SUM);
}

static bool tiles(alm_freq freq, alm_freq of)
{
    alm_period sample;
    alm_period run;
    return freq > of &&
           alm_period_of_date(alm_date_from_ymd(2023, 6, 15), of, &sample, NULL) == ALM_OK &&
           alm_period_expand(sample, freq, &run, NULL) == ALM_OK;
}

static bool is_source(const oracle *o, const oracle_series *series, alm_freq freq)
{
    bool is_asked = o->asked->transforms.of[ALM_STAGE_FREQUENCY].op != ALM_TRANSFORM_NONE;
    bool is_filtered = o->asked->freq != ALM_FREQ_NONE && o->asked->freq != freq;
    return !is_filtered && (freq == series->freq || (is_asked && tiles(freq, series->freq)));
}

// May parts of this accumulation make the period's value?
static bool makes(const oracle *o, const oracle_series *series, alm_freq freq,
                  alm_accumulation accumulation)
{
    alm_method method = o->asked->transforms.of[ALM_STAGE_FREQUENCY].method;
    bool is_rate = o->indicator->value_type == ALM_VALUE_TYPE_RATE ||
                   o->asked->measure == ALM_MEASURE_GROWTH_YOY;
    if (freq == series->freq) {
        return true;
    }
    if (accumulation == ALM_ACCUMULATION_CUMULATIVE && !is_rate) {
        return method == ALM_METHOD_NONE || method == ALM_METHOD_EOP;
    }
    if (method == ALM_METHOD_SUM) {
        return adds_up(o) && !is_rate;
    }
    return method != ALM_METHOD_NONE || !is_rate;
}

// Only what adds up has another face.
static bool takes_other_accumulation(const oracle *o, alm_accumulation from)
{
    bool is_asked = o->asked->transforms.of[ALM_STAGE_ACCUMULATION].op != ALM_TRANSFORM_NONE;
    bool has_faces = adds_up(o) && o->asked->measure != ALM_MEASURE_GROWTH_YOY;
    return is_asked && has_faces &&
           (o->asked->accumulation == ALM_ACCUMULATION_NONE || o->asked->accumulation == from);
}

static bool takes_own_accumulation(const oracle *o, const oracle_series *series)
{
    return o->asked->accumulation == ALM_ACCUMULATION_NONE ||
           o->asked->accumulation == series->accumulation;
}

static alm_accumulation other_of(alm_accumulation accumulation)
{
    return accumulation == ALM_ACCUMULATION_PERIOD ? ALM_ACCUMULATION_CUMULATIVE
                                                   : ALM_ACCUMULATION_PERIOD;
}

// What was published for the cell; else made of coarser parts before finer, of the same
// accumulation before the other.
static oracle_number base(const oracle *o, const oracle_series *series, alm_place_id place,
                          alm_period period)
{
    if (o->formula != NULL) {
        return oracle_formula(o, series, place, period);
    }
    oracle_number told = nothing;
    oracle_number candidates[16];
    size_t count = 0;
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_DAY; freq++) {
        if (!is_source(o, series, freq)) {
            continue;
        }
        if (takes_own_accumulation(o, series) && makes(o, series, freq, series->accumulation)) {
            candidates[count++] =
                at_frequency(o, series, freq, series->accumulation, place, period);
        }
        alm_accumulation other = other_of(series->accumulation);
        if (takes_other_accumulation(o, other) && makes(o, series, freq, other)) {
            candidates[count++] = converted(o, series, freq, place, period);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].has) {
            return candidates[i];
        }
        if (told.published == ALM_DATE_NONE) {
            told = candidates[i];
        }
    }
    return told;
}

bool oracle_told(const oracle *o, const oracle_series *series, alm_place_id place,
                 alm_period period)
{
    if (o->formula != NULL) {
        return oracle_formula_told(o, series, place, period);
    }
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_DAY; freq++) {
        alm_period units[PART_MAX];
        if (!is_source(o, series, freq)) {
            continue;
        }
        size_t count = freq == period.freq ? 1 : parts_of(period, freq, units);
        for (size_t i = 0; i < count; i++) {
            alm_period at = freq == period.freq ? period : units[i];
            alm_accumulation own = series->accumulation;
            bool is_last = i + 1 == count || freq == period.freq;
            bool counts_own = method_of(o, own) != ALM_METHOD_EOP || is_last;
            bool counts_other = method_of(o, other_of(own)) != ALM_METHOD_EOP || is_last;
            counts_own &= makes(o, series, freq, own);
            counts_other &= makes(o, series, freq, other_of(own));
            if ((takes_own_accumulation(o, series) && counts_own &&
                 newest_row(o, series, own, place, at) != NULL) ||
                (takes_other_accumulation(o, other_of(own)) && counts_other &&
                 newest_row(o, series, other_of(own), place, at) != NULL)) {
                return true;
            }
        }
    }
    return false;
}

// --- roll-up ------------------------------------------------------------------------------------

static bool is_member(const oracle *o, alm_place_id group, alm_place_id place)
{
    const alm_place *of = alm_place_tree_get(o->tree, place);
    if (o->asked->group_by == ALM_LEVEL_NONE) {
        return of->level != ALM_LEVEL_LOCAL && alm_place_tree_parent(o->tree, place) == group;
    }
    bool is_asked = false;
    for (size_t i = 0; i < o->place_count; i++) {
        is_asked |= o->places[i] == place;
    }
    alm_place_id above = place;
    while (above != ALM_PLACE_NONE && above != group) {
        above = alm_place_tree_parent(o->tree, above);
    }
    return is_asked && above == group;
}

static oracle_number rolled_up(const oracle *o, const oracle_series *series,
                               alm_accumulation accumulation, alm_place_id group, alm_period period)
{
    static const alm_method methods[] = {[ALM_AGGREGATION_SUM] = ALM_METHOD_SUM,
                                         [ALM_AGGREGATION_MAX] = ALM_METHOD_MAX,
                                         [ALM_AGGREGATION_MIN] = ALM_METHOD_MIN};
    oracle_number members[PART_MAX];
    size_t present = 0;
    size_t expected = 0;
    for (alm_place_id p = 0; p < alm_place_tree_count(o->tree); p++) {
        if (!is_member(o, group, p) ||
            !alm_place_valid_on(alm_place_tree_get(o->tree, p), alm_period_last_day(period))) {
            continue;
        }
        expected++;
        oracle_number one = number_of(o, newest_row(o, series, accumulation, p, period));
        if (one.has) {
            members[present++] = one;
        }
    }
    oracle_number it = of_parts(members, present, methods[o->indicator->over_places]);
    it.of_count = (uint32_t)present;
    it.of_expected = (uint32_t)expected;
    if (present == 0 || (present < expected && !o->asked->incomplete)) {
        lose(&it, false);
    }
    return it;
}

static oracle_number published(const oracle *o, const oracle_series *series,
                               alm_accumulation accumulation, alm_place_id place, alm_period period)
{
    if (o->asked->transforms.of[ALM_STAGE_PLACES].op == ALM_TRANSFORM_ROLLUP) {
        return rolled_up(o, series, accumulation, place, period);
    }
    return number_of(o, newest_row(o, series, accumulation, place, period));
}

// --- the steps ----------------------------------------------------------------------------------

static oracle_number upto(const oracle *o, const oracle_series *series, int stage,
                          alm_place_id place, alm_period period);

static oracle_number undefined(oracle_number it)
{
    lose(&it, true);
    return it;
}

// The whole of another indicator is its total; what does not add up has no cumulative.
static oracle_number whole_of(const oracle *o, const oracle_series *series, alm_place_id place,
                              alm_period period)
{
    alm_place_id parent = alm_place_tree_parent(o->tree, place);
    alm_place_id at = o->whole_place != ALM_PLACE_NONE ? o->whole_place
                      : o->whole != NULL               ? place
                                                       : parent;
    if (o->whole == NULL) {
        return base(o, series, at, period);
    }
    oracle_question asked = *o->asked;
    oracle other = *o;
    oracle_series total = *series;
    asked.indicator = o->whole->code;
    asked.accumulation = ALM_ACCUMULATION_NONE;
    other.asked = &asked;
    other.indicator = o->whole;
    other.formula = NULL;
    total.breakdown = ALM_STR("_T");
    total.accumulation =
        o->whole->over_time == ALM_AGGREGATION_SUM ? series->accumulation : ALM_ACCUMULATION_PERIOD;
    oracle_number it = base(&other, &total, at, period);
    int power = unit_power(o->whole->unit, o->indicator->unit);
    it.x *= ten_to(power);
    it.lower *= ten_to(power);
    it.upper *= ten_to(power);
    return it;
}

static oracle_number share(const oracle *o, const oracle_series *series, alm_place_id place,
                           alm_period period)
{
    oracle_number part = base(o, series, place, period);
    bool is_of_parent = o->whole == NULL && o->whole_place == ALM_PLACE_NONE;
    if (is_of_parent && alm_place_tree_parent(o->tree, place) == ALM_PLACE_NONE) {
        return undefined(part);
    }
    oracle_number whole = whole_of(o, series, place, period);
    oracle_number it = quotient(&part, &whole);
    it.x *= 100;
    it.lower *= 100;
    it.upper *= 100;
    it.digits = -2;
    return it;
}

static long double periods_a_year(alm_freq freq)
{
    switch (freq) {
    case ALM_FREQ_ANNUAL:
        return 1;
    case ALM_FREQ_SEMESTER:
        return 2;
    case ALM_FREQ_TRIMESTER:
        return 3;
    case ALM_FREQ_QUARTER:
        return 4;
    case ALM_FREQ_MONTH:
        return 12;
    case ALM_FREQ_WEEK:
        return 52;
    default:
        return 365;
    }
}

static long double bend(const alm_transform *t, alm_freq freq, long double ratio)
{
    long double n = periods_a_year(freq);
    switch (t->op) {
    case ALM_TRANSFORM_PCA:
        return 100 * (powl(fmaxl(ratio, 0), n) - 1);
    case ALM_TRANSFORM_CAGR:
        return 100 * (powl(fmaxl(ratio, 0), 1.0L / t->count) - 1);
    case ALM_TRANSFORM_CCH:
        return ratio <= 0 ? -INFINITY : 100 * logl(ratio);
    case ALM_TRANSFORM_CCA:
        return ratio <= 0 ? -INFINITY : 100 * logl(ratio) * n;
    default:
        return 100 * (ratio - 1);
    }
}

static oracle_number grown(const alm_transform *t, alm_freq freq, const oracle_number *now,
                           const oracle_number *then)
{
    oracle_number it = quotient(now, then);
    bool is_log = t->op == ALM_TRANSFORM_CCH || t->op == ALM_TRANSFORM_CCA;
    bool is_power = t->op == ALM_TRANSFORM_PCA || t->op == ALM_TRANSFORM_CAGR;
    if (!it.has) {
        return it;
    }
    if ((is_log && now->x <= 0) || (is_power && now->x < 0)) {
        return undefined(it);
    }
    it.x = bend(t, freq, it.x);
    it.lower = bend(t, freq, it.lower);
    it.upper = bend(t, freq, it.upper);
    it.digits = -2;
    return it;
}

// The mean of growth rates: the k-th root of what they multiply to.
static oracle_number mean_growth(const oracle *o, const oracle_series *series,
                                 const alm_transform *t, alm_place_id place, alm_period period)
{
    oracle_number rates[PART_MAX];
    long double product = 1, least = 1, most = 1;
    for (uint32_t i = 0; i < t->count; i++) {
        alm_period at;
        if (alm_period_add_years(period, -(int64_t)i, &at, NULL) != ALM_OK) {
            return undefined(nothing);
        }
        rates[i] = upto(o, series, ALM_STAGE_CHANGE, place, at);
    }
    oracle_number it = of_parts(rates, t->count, ALM_METHOD_SUM);
    for (uint32_t i = 0; it.has && i < t->count; i++) {
        if (rates[i].x < -100) {
            return undefined(it);
        }
        product *= 1 + rates[i].x / 100;
        least *= fmaxl(1 + rates[i].lower / 100, 0);
        most *= 1 + rates[i].upper / 100;
    }
    if (it.has) {
        it.x = bend(t, series->freq, product);
        it.lower = bend(t, series->freq, least);
        it.upper = bend(t, series->freq, most);
        it.is_exact = false;
        it.digits = -2;
    }
    return it;
}

// The period something is compared with. False: the calendar has none.
static bool then_of(const alm_transform *t, alm_period period, alm_period *ret)
{
    switch (t->op) {
    case ALM_TRANSFORM_CH1:
    case ALM_TRANSFORM_PC1:
        return alm_period_add_years(period, -1, ret, NULL) == ALM_OK;
    case ALM_TRANSFORM_CAGR:
        return alm_period_add_years(period, -(int64_t)t->count, ret, NULL) == ALM_OK;
    case ALM_TRANSFORM_CHY:
    case ALM_TRANSFORM_PCY:
        while (!is_first_of_year(period)) {
            if (!before(period, 1, &period)) {
                return false;
            }
        }
        return before(period, 1, ret);
    default:
        return before(period, 1, ret);
    }
}

static oracle_number changed(const oracle *o, const oracle_series *series, const alm_transform *t,
                             alm_place_id place, alm_period period)
{
    oracle_number now = upto(o, series, ALM_STAGE_CHANGE, place, period);
    alm_period at;
    if (t->op == ALM_TRANSFORM_LIN) {
        return now;
    }
    if (t->op == ALM_TRANSFORM_CAGR && o->asked->measure == ALM_MEASURE_GROWTH_YOY) {
        return mean_growth(o, series, t, place, period);
    }
    if (t->op == ALM_TRANSFORM_LOG) {
        if (now.has && now.x <= 0) {
            return undefined(now);
        }
        if (!now.has) {
            lose(&now, false);
            return now;
        }
        now.x = logl(now.x);
        now.lower = now.lower <= 0 ? -INFINITY : logl(now.lower);
        now.upper = logl(now.upper);
        now.digits = -4;
        now.is_exact = false;
        return now;
    }
    if (!then_of(t, period, &at)) {
        return undefined(nothing);
    }
    oracle_number then = upto(o, series, ALM_STAGE_CHANGE, place, at);
    bool is_difference =
        t->op == ALM_TRANSFORM_CHG || t->op == ALM_TRANSFORM_CH1 || t->op == ALM_TRANSFORM_CHY;
    return is_difference ? difference(&now, &then) : grown(t, series->freq, &now, &then);
}

// A number and its ends the other way round.
static oracle_number negative(oracle_number it)
{
    oracle_number ret = it;
    ret.x = -it.x;
    ret.lower = -it.upper;
    ret.upper = -it.lower;
    ret.is_over = it.is_under;
    ret.is_under = it.is_over;
    return ret;
}

static oracle_number contribution(const oracle *o, const oracle_series *series,
                                  const alm_transform *t, alm_place_id place, alm_period period)
{
    alm_period at;
    if (alm_period_add_years(period, -1, &at, NULL) != ALM_OK) {
        return undefined(nothing);
    }
    oracle_number now = base(o, series, place, period);
    oracle_number then = base(o, series, place, at);
    oracle_number change = difference(&now, &then);
    bool is_of_parent = o->whole == NULL && o->whole_place == ALM_PLACE_NONE;
    if (is_of_parent && alm_place_tree_parent(o->tree, place) == ALM_PLACE_NONE) {
        return undefined(change);
    }
    oracle_number whole_then = whole_of(o, series, place, at);
    oracle_number whole = whole_then;
    if (t->op == ALM_TRANSFORM_CONTRIBUTION_SHARE) {
        oracle_number whole_now = whole_of(o, series, place, period);
        whole = difference(&whole_now, &whole_then);
        if (change.has && whole.has && whole.lower <= 0 && whole.upper >= 0) {
            inherit(&change, &whole);
            return undefined(change);
        }
        if (change.has && whole.has && whole.x < 0) {
            change = negative(change);
            whole = negative(whole);
        }
    }
    oracle_number it = quotient(&change, &whole);
    it.x *= 100;
    it.lower *= 100;
    it.upper *= 100;
    it.digits = -2;
    return it;
}

static oracle_number indexed(const oracle *o, const oracle_series *series, const alm_transform *t,
                             alm_place_id place, alm_period period)
{
    alm_period units[PART_MAX];
    oracle_number parts[PART_MAX] = {0};
    oracle_number now = upto(o, series, ALM_STAGE_INDEX, place, period);
    size_t count = parts_of(t->base, series->freq, units);
    for (size_t i = 0; i < count; i++) {
        parts[i] = upto(o, series, ALM_STAGE_INDEX, place, units[i]);
    }
    oracle_number whole = of_parts(parts, count, ALM_METHOD_AVG);
    oracle_number it = quotient(&now, &whole);
    it.x *= 100;
    it.lower *= 100;
    it.upper *= 100;
    it.digits = -2;
    if (it.has && count == 1 && alm_period_eq(units[0], period)) {
        it.lower = it.upper = it.x;
        it.is_over = it.is_under = true;
    }
    return it;
}

static oracle_number averaged(const oracle *o, const oracle_series *series, const alm_transform *t,
                              alm_place_id place, alm_period period)
{
    oracle_number parts[PART_MAX] = {0};
    assert_true(t->count <= PART_MAX);
    for (uint32_t i = 0; i < t->count; i++) {
        alm_period at;
        if (!before(period, i, &at)) {
            return undefined(nothing);
        }
        parts[t->count - 1 - i] = upto(o, series, ALM_STAGE_AVERAGE, place, at);
    }
    return of_parts(parts, t->count, ALM_METHOD_AVG);
}

static bool is_named(const oracle *o, alm_place_id place)
{
    for (size_t i = 0; i < o->peer_count; i++) {
        if (o->peers[i] == place) {
            return true;
        }
    }
    return false;
}

static bool are_peers(const oracle *o, alm_place_id a, alm_place_id b)
{
    if (o->peer_count > 0) {
        return is_named(o, a) && is_named(o, b);
    }
    alm_level level = alm_place_tree_get(o->tree, a)->level;
    return a == b || (level != ALM_LEVEL_LOCAL && level == alm_place_tree_get(o->tree, b)->level &&
                      alm_place_tree_parent(o->tree, a) == alm_place_tree_parent(o->tree, b));
}

// With a roll-up the peers are the groups that are rolled up.
static bool is_evaluated(const oracle *o, alm_place_id place)
{
    if (o->asked->transforms.of[ALM_STAGE_PLACES].op != ALM_TRANSFORM_ROLLUP) {
        return true;
    }
    if (o->asked->group_by == ALM_LEVEL_NONE) {
        for (size_t i = 0; i < o->place_count; i++) {
            if (o->places[i] == place) {
                return true;
            }
        }
        return false;
    }
    for (alm_place_id p = 0; p < alm_place_tree_count(o->tree); p++) {
        if (alm_place_tree_get(o->tree, place)->level == o->asked->group_by &&
            is_member(o, place, p)) {
            return true;
        }
    }
    return false;
}

static oracle_number ranked(const oracle *o, const oracle_series *series, alm_place_id place,
                            alm_period period)
{
    alm_date day = alm_period_last_day(period);
    bool is_down = o->indicator->direction == ALM_DIRECTION_DOWN;
    oracle_number own = upto(o, series, ALM_STAGE_RANK, place, period);
    oracle_number it = own;
    uint32_t better = 0, worse = 0, certainly = 0, possibly = 0, known = 0, peers = 0;
    bool all_exact = own.is_over && own.is_under;
    for (alm_place_id p = 0; p < alm_place_tree_count(o->tree); p++) {
        if (!are_peers(o, place, p) || !is_evaluated(o, p) ||
            !alm_place_valid_on(alm_place_tree_get(o->tree, p), day)) {
            continue;
        }
        peers++;
        oracle_number peer = upto(o, series, ALM_STAGE_RANK, p, period);
        if (!peer.has) {
            continue;
        }
        known++;
        all_exact &= peer.is_over && peer.is_under;
        if (p == place || !own.has) {
            continue;
        }
        bool is_tie = is_near(peer.x, own.x);
        better += !is_tie && (is_down ? peer.x < own.x : peer.x > own.x);
        worse += !is_tie && (is_down ? peer.x > own.x : peer.x < own.x);
        certainly += is_down ? peer.upper < own.lower : peer.lower > own.upper;
        possibly += is_down ? peer.lower < own.upper : peer.upper > own.lower;
    }
    it.of_count = known;
    it.of_expected = peers;
    bool is_peer =
        are_peers(o, place, place) && alm_place_valid_on(alm_place_tree_get(o->tree, place), day);
    if (!own.has || !is_peer) {
        it.has = false;
        return it;
    }
    if (o->asked->transforms.of[ALM_STAGE_RANK].op == ALM_TRANSFORM_PERCENTILE) {
        long double low = fminl(certainly, better);
        long double high = fmaxl(possibly, better);
        long double all = (long double)peers - 1;
        it.has = known > 1;
        it.x = known > 1 ? 100.0L * worse / (known - 1) : 0;
        it.lower = 100 * (known - 1 - high) / all;
        it.upper = 100 * (peers - 1 - low) / all;
        it.is_over = it.is_under = all_exact && peers == known;
        it.is_exact = false;
        it.digits = -2;
        return it;
    }
    it.x = better + 1;
    it.lower = fminl(certainly + 1, it.x);
    it.upper = fmaxl(possibly + 1, it.x) + (peers - known);
    it.is_over = it.is_under = all_exact && peers == known;
    it.is_exact = true;
    it.digits = 0;
    return it;
}

static oracle_number computed_upto(const oracle *o, const oracle_series *series, int stage,
                                   alm_place_id place, alm_period period)
{
    int last = stage - 1;
    while (last > ALM_STAGE_ACCUMULATION &&
           o->asked->transforms.of[last].op == ALM_TRANSFORM_NONE) {
        last--;
    }
    const alm_transform *t = &o->asked->transforms.of[last];
    switch (last) {
    case ALM_STAGE_RATIO:
        return share(o, series, place, period);
    case ALM_STAGE_CHANGE:
        return t->op == ALM_TRANSFORM_CONTRIBUTION_PP || t->op == ALM_TRANSFORM_CONTRIBUTION_SHARE
                   ? contribution(o, series, t, place, period)
                   : changed(o, series, t, place, period);
    case ALM_STAGE_INDEX:
        return indexed(o, series, t, place, period);
    case ALM_STAGE_AVERAGE:
        return averaged(o, series, t, place, period);
    case ALM_STAGE_RANK:
        return ranked(o, series, place, period);
    default:
        return base(o, series, place, period);
    }
}

// The value before a stage is applied.
static oracle_number upto(const oracle *o, const oracle_series *series, int stage,
                          alm_place_id place, alm_period period)
{
    oracle_number it = computed_upto(o, series, stage, place, period);
    return it.has && fabsl(it.x) >= 1e32L ? undefined(it) : it;
}

oracle_number oracle_cell(const oracle *o, const oracle_series *series, alm_place_id place,
                          alm_period period)
{
    return upto(o, series, ALM_STAGE_COUNT, place, period);
}

// --- what formulas are made of ------------------------------------------------------------------

oracle_number oracle_base(const oracle *o, const oracle_series *series, alm_place_id place,
                          alm_period period)
{
    return place == ALM_PLACE_NONE ? nothing : base(o, series, place, period);
}

oracle_number oracle_of_both(const oracle_number *a, const oracle_number *b)
{
    return of_both(a, b);
}

oracle_number oracle_undefined(oracle_number it)
{
    return undefined(it);
}

oracle_number oracle_average(const oracle_number *parts, size_t count)
{
    return of_parts(parts, count, ALM_METHOD_AVG);
}

oracle_number oracle_growth(alm_freq freq, const oracle_number *now, const oracle_number *then)
{
    const alm_transform growth = {.op = ALM_TRANSFORM_PC1};
    return grown(&growth, freq, now, then);
}

bool oracle_year_before(alm_period period, alm_period *ret)
{
    const alm_transform growth = {.op = ALM_TRANSFORM_PC1};
    return then_of(&growth, period, ret);
}
