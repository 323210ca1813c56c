#include "alm/reconcile.h"

#include "alm/grid.h"

#include <math.h>

// --- figures ------------------------------------------------------------------------------------

static const alm_figure missing = {.interval = {-INFINITY, INFINITY}};

alm_figure alm_figure_of(const alm_value *value, double factor)
{
    if (!value->has_number) {
        return missing;
    }
    return (alm_figure){.has = true,
                        .number = alm_decimal_to_double(value->number) * factor,
                        .interval = alm_interval_scale(alm_value_interval(value), factor)};
}

static alm_figure exactly(double number)
{
    return (alm_figure){.has = true, .number = number, .interval = {number, number}};
}

alm_figure alm_figure_add(alm_figure a, alm_figure b)
{
    if (!a.has || !b.has) {
        return missing;
    }
    return (alm_figure){.has = true,
                        .number = a.number + b.number,
                        .interval = alm_interval_add(a.interval, b.interval)};
}

alm_figure alm_figure_sub(alm_figure a, alm_figure b)
{
    if (!a.has || !b.has) {
        return missing;
    }
    return (alm_figure){.has = true,
                        .number = a.number - b.number,
                        .interval = alm_interval_sub(a.interval, b.interval)};
}

alm_figure alm_figure_div(alm_figure a, alm_figure b)
{
    bool may_be_zero = b.interval.lower <= 0 && b.interval.upper >= 0;
    if (!a.has || !b.has || may_be_zero) {
        return missing;
    }
    return (alm_figure){.has = true,
                        .number = a.number / b.number,
                        .interval = alm_interval_div(a.interval, b.interval)};
}

// Zero times infinity is no number, which fmin and fmax pass over.
static alm_interval multiply(alm_interval a, alm_interval b)
{
    double p[4] = {a.lower * b.lower, a.lower * b.upper, a.upper * b.lower, a.upper * b.upper};
    return (alm_interval){fmin(fmin(p[0], p[1]), fmin(p[2], p[3])),
                          fmax(fmax(p[0], p[1]), fmax(p[2], p[3]))};
}

static alm_figure times(alm_figure a, alm_figure b)
{
    if (!a.has || !b.has) {
        return missing;
    }
    return (alm_figure){
        .has = true, .number = a.number * b.number, .interval = multiply(a.interval, b.interval)};
}

static bool is_bounded(alm_figure figure)
{
    return isfinite(figure.interval.lower) && isfinite(figure.interval.upper);
}

static bool is_anything(alm_figure figure)
{
    return isinf(figure.interval.lower) && isinf(figure.interval.upper);
}

static bool round_sum(double number, int exponent, uint8_t flags, alm_decimal *ret)
{
    double steps = number * pow(10, -exponent);
    double slack = 1e-6; // of binary numbers; a step is a digit of the inputs
    steps = (flags & ALM_CELL_OVER) != 0    ? floor(steps + slack)
            : (flags & ALM_CELL_UNDER) != 0 ? ceil(steps - slack)
                                            : nearbyint(steps);
    bool fits = fabs(steps) <= (double)ALM_DECIMAL_MANTISSA_MAX &&
                exponent >= ALM_DECIMAL_EXPONENT_MIN && exponent <= ALM_DECIMAL_EXPONENT_MAX;
    if (fits) {
        *ret = (alm_decimal){(int64_t)steps, (int8_t)exponent};
    }
    return fits;
}

bool alm_figure_value(const alm_figure *figure, const alm_telling *how, alm_value *ret)
{
    alm_interval interval = figure->interval;
    *ret = (alm_value){.unit = how->unit};
    if (!figure->has || is_anything(*figure)) {
        return false;
    }
    bool is_over = isinf(interval.upper);
    bool is_under = isinf(interval.lower);
    double number = is_over ? interval.lower : is_under ? interval.upper : figure->number;
    uint8_t flags = is_over ? ALM_CELL_OVER : is_under ? ALM_CELL_UNDER : 0;
    ret->qualifier = alm_interval_qualifier(interval, how->all_exact && is_bounded(*figure));
    ret->has_number = how->is_sum
                          ? round_sum(number, how->finest, flags, &ret->number)
                          : alm_number_deserved(number, interval, how->finest, flags, &ret->number);
    return ret->has_number;
}

// --- agreement ----------------------------------------------------------------------------------

// What roundings of binary numbers may add to a difference.
#define SLACK 1e-9

static double centre(alm_figure figure)
{
    return figure.interval.lower / 2 + figure.interval.upper / 2;
}

static double half_width(alm_figure figure)
{
    return figure.interval.upper / 2 - figure.interval.lower / 2;
}

static bool touch(alm_interval a, alm_interval b)
{
    double slack = SLACK * fmax(1, fmin(fabs(a.lower), fabs(b.lower)));
    slack = isfinite(slack) ? slack : SLACK;
    return a.lower <= b.upper + slack && b.lower <= a.upper + slack;
}

static bool is_within(double difference, double tolerance, double size)
{
    return fabs(difference) <= tolerance + SLACK * fmax(1, fabs(size));
}

static alm_figure percent(alm_figure part, alm_figure whole, double offset)
{
    alm_interval ratio = alm_interval_scale(alm_interval_div(part.interval, whole.interval), 100);
    return (alm_figure){
        .has = true,
        .number = 100 * part.number / whole.number - offset,
        .interval = {ratio.lower - offset, ratio.upper - offset},
    };
}

static double ratio_tolerance(alm_figure claimed, alm_figure part, alm_figure whole)
{
    if (!is_bounded(claimed) || !is_bounded(part) || !is_bounded(whole)) {
        return INFINITY;
    }
    double w = fabs(centre(whole));
    double of_whole = fabs(centre(part)) / w * half_width(whole);
    return half_width(claimed) + 100 * (half_width(part) + of_whole) / w;
}

static bool is_divisor(alm_figure whole)
{
    return whole.has && whole.number > 0 && whole.interval.lower > 0;
}

static bool ratio_fits(const alm_ratio_claim *claim, alm_figure part, alm_figure whole)
{
    if (!part.has || !is_divisor(whole)) {
        return false;
    }
    double tolerance = ratio_tolerance(claim->claimed, part, whole);
    if (isfinite(tolerance)) {
        double ratio = 100 * centre(part) / centre(whole) - claim->offset;
        return is_within(ratio - centre(claim->claimed), tolerance, ratio);
    }
    return touch(percent(part, whole, claim->offset).interval, claim->claimed.interval);
}

// --- ratios -------------------------------------------------------------------------------------

static const int powers[] = {1, -1, 2, -2, 3, -3, 4, -4, 8, -8};

static alm_figure shifted(alm_figure figure, int power)
{
    double factor = pow(10, power);
    figure.number *= factor;
    figure.interval = alm_interval_scale(figure.interval, factor);
    return figure;
}

static bool is_growth(const alm_ratio_claim *claim)
{
    return claim->offset != 0;
}

// The claim as a factor: 1.128 of growth by 12.8 %, 0.67 of a share of 67 %.
static alm_figure factor_of(const alm_ratio_claim *claim)
{
    alm_figure percents = alm_figure_add(claim->claimed, exactly(claim->offset));
    return times(percents, exactly(0.01));
}

static void imply(alm_judgement *it, alm_implied what, alm_figure figure)
{
    if (figure.has && !is_anything(figure)) {
        it->implied = what;
        it->figure = figure;
    }
}

static void imply_whole(const alm_ratio_claim *claim, alm_judgement *it)
{
    imply(it, is_growth(claim) ? ALM_IMPLIED_BASE : ALM_IMPLIED_WHOLE,
          alm_figure_div(claim->part, factor_of(claim)));
}

static void imply_part(const alm_ratio_claim *claim, alm_judgement *it)
{
    imply(it, is_growth(claim) ? ALM_IMPLIED_LEVEL : ALM_IMPLIED_PART,
          times(claim->whole, factor_of(claim)));
}

// (1 + nominal growth) / (1 + real growth) - 1
static void imply_deflator(const alm_ratio_claim *claim, alm_judgement *it)
{
    alm_figure nominal = alm_figure_add(it->computed, exactly(100));
    alm_figure real = alm_figure_add(claim->claimed, exactly(100));
    alm_figure prices = times(alm_figure_div(nominal, real), exactly(100));
    imply(it, ALM_IMPLIED_DEFLATOR, alm_figure_sub(prices, exactly(100)));
}

static alm_lack ratio_lack(const alm_ratio_claim *claim)
{
    if (!claim->part.has || !claim->whole.has) {
        return claim->part.has ? ALM_LACK_WHOLE : claim->whole.has ? ALM_LACK_PART : ALM_LACK_BOTH;
    }
    if (claim->whole.number <= 0) {
        return claim->whole.number == 0 ? ALM_LACK_ZERO : ALM_LACK_NEGATIVE;
    }
    if (!is_divisor(claim->whole) || is_anything(percent(claim->part, claim->whole, 0))) {
        return ALM_LACK_VAGUE;
    }
    return claim->claimed.has ? ALM_LACK_NONE : ALM_LACK_CLAIM;
}

static bool find_try(const alm_ratio_claim *claim, alm_judgement *it)
{
    for (size_t i = 0; i < claim->try_count; i++) {
        const alm_ratio_try *other = &claim->tries[i];
        bool is_firm = isfinite(ratio_tolerance(claim->claimed, other->part, other->whole));
        if ((is_firm || other->verdict == ALM_VERDICT_BASE_REVISED) &&
            ratio_fits(claim, other->part, other->whole)) {
            it->verdict = other->verdict;
            it->tried = i;
            return true;
        }
    }
    return false;
}

static bool find_ratio_slip(const alm_ratio_claim *claim, alm_judgement *it)
{
    for (size_t i = 0; isfinite(it->tolerance) && i < ALM_ARRAY_LEN(powers); i++) {
        if (ratio_fits(claim, shifted(claim->part, powers[i]), claim->whole)) {
            it->verdict = ALM_VERDICT_UNIT_SLIP;
            it->power = powers[i];
            return true;
        }
    }
    return false;
}

static void explain_ratio(const alm_ratio_claim *claim, alm_judgement *it)
{
    if (find_try(claim, it) || find_ratio_slip(claim, it)) {
        return;
    }
    if (claim->is_real && is_growth(claim)) {
        it->verdict = ALM_VERDICT_CONSTANT_PRICE;
        imply_deflator(claim, it);
        return;
    }
    it->verdict = claim->is_comparable ? ALM_VERDICT_COMPARABLE_BASE : ALM_VERDICT_UNEXPLAINED;
    imply_whole(claim, it);
}

alm_judgement alm_judge_ratio(const alm_ratio_claim *claim)
{
    alm_judgement it = {.computed = missing, .figure = missing};
    it.lack = ratio_lack(claim);
    if (claim->part.has && is_divisor(claim->whole)) {
        it.computed = percent(claim->part, claim->whole, claim->offset);
        it.tolerance = ratio_tolerance(claim->claimed, claim->part, claim->whole);
    }
    if (it.lack != ALM_LACK_NONE) {
        it.verdict = ALM_VERDICT_NOT_JUDGED;
        if (claim->part.has) {
            imply_whole(claim, &it);
        } else {
            imply_part(claim, &it);
        }
        return it;
    }
    if (ratio_fits(claim, claim->part, claim->whole)) {
        it.verdict = ALM_VERDICT_MATCH;
        return it;
    }
    explain_ratio(claim, &it);
    return it;
}

// --- sums and ranks -----------------------------------------------------------------------------

static double sum_tolerance(alm_figure a, alm_figure b)
{
    return is_bounded(a) && is_bounded(b) ? half_width(a) + half_width(b) : INFINITY;
}

static bool sum_fits(alm_figure a, alm_figure b)
{
    double tolerance = sum_tolerance(a, b);
    return isfinite(tolerance) ? is_within(centre(a) - centre(b), tolerance, centre(a))
                               : touch(a.interval, b.interval);
}

static bool find_sum_slip(const alm_sum_claim *claim, alm_judgement *it)
{
    bool may_slip = isfinite(it->tolerance) && claim->computed.number != 0;
    for (size_t i = 0; may_slip && i < ALM_ARRAY_LEN(powers); i++) {
        if (sum_fits(shifted(claim->claimed, powers[i]), claim->computed)) {
            it->verdict = ALM_VERDICT_UNIT_SLIP;
            it->power = powers[i];
            return true;
        }
    }
    return false;
}

alm_judgement alm_judge_sum(const alm_sum_claim *claim)
{
    alm_judgement it = {.computed = claim->computed, .figure = missing};
    it.lack = !claim->claimed.has            ? ALM_LACK_CLAIM
              : !claim->computed.has         ? ALM_LACK_WHOLE
              : is_anything(claim->computed) ? ALM_LACK_VAGUE
                                             : ALM_LACK_NONE;
    if (it.lack != ALM_LACK_NONE) {
        it.verdict = ALM_VERDICT_NOT_JUDGED;
        return it;
    }
    it.tolerance = sum_tolerance(claim->claimed, claim->computed);
    if (sum_fits(claim->claimed, claim->computed)) {
        it.verdict = ALM_VERDICT_MATCH;
    } else if (!find_sum_slip(claim, &it)) {
        it.verdict = claim->is_comparable ? ALM_VERDICT_COMPARABLE_BASE : claim->otherwise;
    }
    return it;
}

alm_judgement alm_judge_rank(const alm_rank_claim *claim)
{
    alm_judgement it = {.computed = missing, .figure = missing, .verdict = ALM_VERDICT_NOT_JUDGED};
    if (!claim->has_own) {
        it.lack = ALM_LACK_PART;
        return it;
    }
    double best = 1 + (double)claim->surely;
    double worst = best + claim->perhaps + claim->missing;
    it.computed = (alm_figure){true, 1 + (double)claim->better, {best, worst}};
    it.tolerance = claim->claimed.has ? half_width(claim->claimed) : 0;
    if (!claim->claimed.has) {
        it.lack = ALM_LACK_CLAIM;
        imply(&it, ALM_IMPLIED_RANK, it.computed);
    } else if (!touch(claim->claimed.interval, it.computed.interval)) {
        it.verdict = ALM_VERDICT_UNEXPLAINED;
        imply(&it, ALM_IMPLIED_RANK, it.computed);
    } else if (claim->missing > 0) {
        it.lack = ALM_LACK_SOME;
    } else {
        it.verdict = ALM_VERDICT_MATCH;
    }
    return it;
}
