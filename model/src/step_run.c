// The arithmetic of transforms: cells in, one cell out. Interval arithmetic is monotone, inputs are
// taken as independent.
#include "alm/limits.h"
#include "alm/step.h"
#include "grid_cell.h"

#define INDEX_DIGITS   (-2)
#define LOG_DIGITS     (-4)
#define AVERAGE_DIGITS 2 // more than the finest input

// --- many to one --------------------------------------------------------------------------------

// The highest may be more than its number only through a value that is no upper end and reaches
// above it; the lowest likewise. *loose is the most that such values may be.
static void take_extreme(alm_cell *all, const alm_cell *it, bool is_max, double *loose)
{
    uint8_t own = is_max ? ALM_CELL_OVER : ALM_CELL_UNDER;
    uint8_t other = is_max ? ALM_CELL_UNDER : ALM_CELL_OVER;
    bool wins = is_max ? it->number > all->number : it->number < all->number;
    if (!(it->flags & other)) {
        *loose = is_max ? fmax(*loose, it->upper) : fmin(*loose, it->lower);
    }
    if (wins) {
        all->number = it->number;
        all->mantissa = it->mantissa;
        all->digits = it->digits;
        all->flags = (uint8_t)((all->flags & ~own) | (it->flags & own));
    } else if (it->number == all->number) {
        all->flags |= it->flags & own;
    }
    all->flags &= (uint8_t)(it->flags | ~ALM_CELL_EXACT);
    all->lower = is_max ? fmax(all->lower, it->lower) : fmin(all->lower, it->lower);
    all->upper = is_max ? fmax(all->upper, it->upper) : fmin(all->upper, it->upper);
}

static void take_sum(alm_cell *all, const alm_cell *it)
{
    all->flags &= (uint8_t)(it->flags | ~(ALM_CELL_BOUNDS | ALM_CELL_EXACT));
    all->digits = ALM_MIN(all->digits, it->digits);
    all->number += it->number;
    all->mantissa += it->mantissa;
    all->lower += it->lower;
    all->upper += it->upper;
}

static void divide_by(alm_cell *all, uint32_t count, const alm_grid *in)
{
    double sum = all->number;
    if ((all->flags & ALM_CELL_EXACT) && all->mantissa <= ALM_DECIMAL_MANTISSA_MAX &&
        all->mantissa >= -ALM_DECIMAL_MANTISSA_MAX) {
        // Of decimals the sum is exact, however many they are.
        sum = alm_decimal_to_double((alm_decimal){(int64_t)all->mantissa, in->exponent});
    }
    all->flags &= (uint8_t)~ALM_CELL_EXACT;
    all->number = sum / count;
    all->lower /= count;
    all->upper /= count;
    all->digits = (int8_t)ALM_MAX(all->digits - AVERAGE_DIGITS, ALM_DECIMAL_EXPONENT_MIN);
}

// Cells first, first + stride ... of a row as one. What it is made of has to be complete.
static alm_cell reduce(const alm_grid *in, size_t row, uint32_t first, uint32_t count,
                       uint32_t stride, alm_method method)
{
    alm_cell all = alm_cell_at(in, row + first);
    bool is_whole = alm_cell_has(&all);
    bool is_max = method == ALM_METHOD_MAX;
    bool is_extreme = is_max || method == ALM_METHOD_MIN;
    uint8_t other = is_max ? ALM_CELL_UNDER : ALM_CELL_OVER;
    double loose = is_max ? -INFINITY : INFINITY;
    if (count == 1) {
        return all;
    }
    if (all.gap == ALM_GAP_UNOBSERVED) {
        all.flags = 0; // a normal status, which the others' outdo
    }
    if (!(all.flags & other)) {
        loose = is_max ? all.upper : all.lower;
    }
    for (uint32_t i = 1; i < count; i++) {
        alm_cell it = alm_cell_at(in, row + first + (size_t)i * stride);
        alm_cell_inherit(&all, &it);
        is_whole &= alm_cell_has(&it);
        if (!is_whole) {
            continue;
        }
        if (is_extreme) {
            take_extreme(&all, &it, is_max, &loose);
        } else {
            take_sum(&all, &it);
        }
    }
    if (!is_whole) {
        alm_cell_make_gap(&all, ALM_GAP_INPUT);
        return all;
    }
    if (method == ALM_METHOD_AVG) {
        divide_by(&all, count, in);
    }
    if (is_extreme) {
        double slack = fabs(all.number) * 1e-12; // ends are rounded to doubles, and scaled
        bool is_closed = is_max ? loose <= all.number + slack : loose >= all.number - slack;
        all.flags = (uint8_t)(is_closed ? all.flags | other : all.flags & ~other);
    }
    return all;
}

// --- two to one ---------------------------------------------------------------------------------

// How a quotient becomes the result. Every one of them rises with the quotient.
typedef struct curve {
    alm_transform_op op;
    double power; // of PCA and CAGR; factor of CCA
} curve;

static double bend(const curve *it, double quotient)
{
    switch (it->op) {
    case ALM_TRANSFORM_PCA:
    case ALM_TRANSFORM_CAGR:
        return (pow(fmax(quotient, 0), it->power) - 1) * 100;
    case ALM_TRANSFORM_CCH:
    case ALM_TRANSFORM_CCA:
        return quotient <= 0 ? -INFINITY : log(quotient) * 100 * it->power;
    case ALM_TRANSFORM_INDEX:
        return quotient * 100;
    default:
        return (quotient - 1) * 100;
    }
}

static curve curve_of(const alm_step *step)
{
    alm_transform_op op = step->transform.op;
    int per_year = alm_freq_per_year(step->in.freq);
    // Weeks and days: what a year has of them, to the nearest.
    double n = per_year > 0 ? per_year : step->in.freq == ALM_FREQ_WEEK ? 52 : 365;
    double power = op == ALM_TRANSFORM_PCA || op == ALM_TRANSFORM_CCA ? n
                   : op == ALM_TRANSFORM_CAGR                         ? 1.0 / step->transform.count
                                                                      : 1;
    return (curve){op, power};
}

static bool wants_positive(alm_transform_op op)
{
    return op == ALM_TRANSFORM_PCA || op == ALM_TRANSFORM_CAGR || op == ALM_TRANSFORM_CCH ||
           op == ALM_TRANSFORM_CCA;
}

static void divide(const alm_step *step, const alm_cell *a, const alm_cell *b, alm_cell *it)
{
    curve bent = curve_of(step);
    if (b->number <= 0) {
        alm_cell_make_gap(it, b->number == 0 ? ALM_GAP_ZERO : ALM_GAP_NEGATIVE);
        return;
    }
    bool is_log = bent.op == ALM_TRANSFORM_CCH || bent.op == ALM_TRANSFORM_CCA;
    if (wants_positive(bent.op) && (is_log ? a->number <= 0 : a->number < 0)) {
        alm_cell_make_gap(it, ALM_GAP_NEGATIVE);
        return;
    }
    alm_interval quotient =
        alm_interval_div((alm_interval){a->lower, a->upper}, (alm_interval){b->lower, b->upper});
    it->number = bend(&bent, a->number / b->number);
    it->lower = bend(&bent, quotient.lower);
    it->upper = bend(&bent, quotient.upper);
    it->digits = bent.op == ALM_TRANSFORM_INDEX ? INDEX_DIGITS : ALM_PERCENT_DIGITS;
    it->flags |= alm_cell_bounds_quotient(a, b);
}

static void take_log(const alm_cell *a, alm_cell *it)
{
    if (a->number <= 0) {
        alm_cell_make_gap(it, ALM_GAP_NEGATIVE);
        return;
    }
    it->number = log(a->number);
    it->lower = a->lower <= 0 ? -INFINITY : log(a->lower);
    it->upper = log(a->upper);
    it->digits = LOG_DIGITS;
    it->flags |= a->flags & ALM_CELL_BOUNDS;
}

// ((1 + g) x (1 + g a year earlier) ...)^(1 / years) - 1, of rates in percent.
static alm_cell average_growth(const alm_step *step, const alm_grid *in, size_t row,
                               const alm_taps *taps)
{
    // What is missing, the status, the bounds: as of a sum.
    alm_cell it = reduce(in, row, taps->first, taps->count, taps->stride, ALM_METHOD_SUM);
    curve bent = curve_of(step);
    double product = 1;
    alm_interval ends = {1, 1};
    if (!alm_cell_has(&it)) {
        if (taps->count == 1) {
            alm_cell_make_gap(&it, ALM_GAP_INPUT);
        }
        return it;
    }
    for (uint32_t i = 0; i < taps->count; i++) {
        alm_cell rate = alm_cell_at(in, row + taps->first + (size_t)i * taps->stride);
        if (rate.number < -100) {
            alm_cell_make_gap(&it, ALM_GAP_NEGATIVE);
            return it;
        }
        product *= 1 + rate.number / 100;
        ends.lower *= fmax(1 + rate.lower / 100, 0);
        ends.upper *= 1 + rate.upper / 100;
    }
    it.number = bend(&bent, product);
    it.lower = bend(&bent, ends.lower);
    it.upper = bend(&bent, ends.upper);
    it.digits = ALM_PERCENT_DIGITS;
    it.flags = (uint8_t)((it.flags & ~ALM_CELL_EXACT) | ALM_CELL_COMPUTED);
    return it;
}

// --- the whole ----------------------------------------------------------------------------------

static bool compares(alm_transform_op op)
{
    switch (op) {
    case ALM_TRANSFORM_TO_FREQUENCY:
    case ALM_TRANSFORM_TO_ACCUMULATION:
    case ALM_TRANSFORM_LIN:
    case ALM_TRANSFORM_LOG:
    case ALM_TRANSFORM_MA:
        return false;
    default:
        return true;
    }
}

static alm_cell compare(const alm_step *step, const alm_cell *a, const alm_cell *b)
{
    alm_cell it = {.flags = ALM_CELL_COMPUTED};
    alm_cell_inherit(&it, a);
    alm_cell_inherit(&it, b);
    if (!alm_cell_has(a) || !alm_cell_has(b)) {
        alm_cell_make_gap(&it, ALM_GAP_INPUT);
        return it;
    }
    switch (step->transform.op) {
    case ALM_TRANSFORM_CHG:
    case ALM_TRANSFORM_CH1:
    case ALM_TRANSFORM_CHY:
    case ALM_TRANSFORM_TO_ACCUMULATION:
        alm_cell_subtract(a, b, &it);
        break;
    default:
        divide(step, a, b, &it);
        break;
    }
    return it;
}

static alm_cell alone(const alm_step *step, const alm_cell *a)
{
    alm_cell it = {.flags = ALM_CELL_COMPUTED};
    alm_cell_inherit(&it, a);
    if (!alm_cell_has(a)) {
        alm_cell_make_gap(&it, ALM_GAP_INPUT);
        return it;
    }
    if (step->transform.op == ALM_TRANSFORM_LOG) {
        take_log(a, &it);
        return it;
    }
    alm_obs_status status = alm_cell_flags_status(it.flags);
    it = *a;
    it.flags |= ALM_CELL_COMPUTED;
    alm_cell_set_status(&it, status);
    return it;
}

static alm_method method_of(const alm_step *step)
{
    switch (step->transform.op) {
    case ALM_TRANSFORM_TO_FREQUENCY:
        return step->method;
    case ALM_TRANSFORM_MA:
        return ALM_METHOD_AVG;
    default:
        return ALM_METHOD_SUM;
    }
}

// The base period of an index is 100 to the last digit.
static bool is_own_base(const alm_step *step, const alm_taps *taps)
{
    return step->transform.op == ALM_TRANSFORM_INDEX && taps->base_count == 1 &&
           taps->base == taps->first;
}

static alm_cell compute(const alm_step *step, const alm_grid *in, size_t row, const alm_taps *taps)
{
    bool is_average =
        step->transform.op == ALM_TRANSFORM_CAGR && step->in.measure == ALM_MEASURE_GROWTH_YOY;
    if (is_average && taps->count > 0) {
        return average_growth(step, in, row, taps);
    }
    if (taps->count == 0 || (compares(step->transform.op) && taps->base_count == 0)) {
        alm_cell none = {0};
        alm_cell_make_gap(&none, ALM_GAP_CALENDAR);
        return none;
    }
    alm_cell now = reduce(in, row, taps->first, taps->count, taps->stride, method_of(step));
    if (taps->base_count == 0) {
        return alone(step, &now);
    }
    alm_cell base = reduce(in, row, taps->base, taps->base_count, 1, ALM_METHOD_AVG);
    alm_cell it = compare(step, &now, &base);
    if (is_own_base(step, taps) && alm_cell_has(&it)) {
        it.lower = it.upper = it.number;
        it.flags |= ALM_CELL_BOUNDS;
    }
    return it;
}

// Differences and sums of decimals are decimals, unless they do not fit the exponent of all.
static alm_grid_kind kind_of(const alm_step *step, const alm_grid *in)
{
    alm_grid_kind exact = in->kind == ALM_GRID_DOUBLES ? ALM_GRID_DOUBLES : ALM_GRID_MIXED;
    switch (step->transform.op) {
    case ALM_TRANSFORM_LIN:
        return in->kind;
    case ALM_TRANSFORM_TO_FREQUENCY:
        return step->method == ALM_METHOD_AVG ? ALM_GRID_DOUBLES : exact;
    case ALM_TRANSFORM_TO_ACCUMULATION:
    case ALM_TRANSFORM_CHG:
    case ALM_TRANSFORM_CH1:
    case ALM_TRANSFORM_CHY:
        return exact;
    default:
        return ALM_GRID_DOUBLES;
    }
}

static alm_cell cell_of(const alm_step *step, const alm_grid *in, size_t row, const alm_taps *taps)
{
    return step->transform.op == ALM_TRANSFORM_LIN ? alm_cell_at(in, row + taps->first)
                                                   : compute(step, in, row, taps);
}

// Growth of one cell on another of decimals that are not negative: most of what is ever asked, and
// nothing else has so many cells. The same to the bit as compute().
static bool is_growth(const alm_step *step, const alm_grid *in, const alm_taps *taps,
                      uint32_t count)
{
    alm_transform_op op = step->transform.op;
    bool is_plain =
        in->kind == ALM_GRID_DECIMALS && (op == ALM_TRANSFORM_PC1 || op == ALM_TRANSFORM_PCH);
    for (uint32_t t = 0; t < count && is_plain; t++) {
        is_plain = taps[t].count <= 1 && taps[t].base_count <= 1;
    }
    return is_plain;
}

static uint8_t worst_of(uint8_t a, uint8_t b)
{
    if (a >> ALM_CELL_STATUS_SHIFT == b >> ALM_CELL_STATUS_SHIFT) {
        return alm_cell_flags_status(a);
    }
    return (uint8_t)alm_obs_status_worst(alm_cell_flags_status(a), alm_cell_flags_status(b));
}

// Periods from t on whose two cells follow those of the period before; 0: one has none.
static uint32_t run_of_taps(const alm_taps *taps, uint32_t t, uint32_t count)
{
    uint32_t n = 0;
    while (t + n < count && taps[t + n].count == 1 && taps[t + n].base_count == 1 &&
           taps[t + n].first == taps[t].first + n && taps[t + n].base == taps[t].base + n) {
        n++;
    }
    return n;
}

static void put_percents(const double *now, const double *base, uint32_t count, double *restrict to)
{
    for (uint32_t i = 0; i < count; i++) {
        to[i] = (now[i] / base[i] - 1) * 100;
    }
}

// What a cell has beside its number and ends, which are there. False: it is of another kind.
static bool finish_growth(const alm_grid *in, size_t a, size_t b, alm_grid *out, size_t to)
{
    bool has = in->gaps[a] == ALM_GAP_NONE && in->gaps[b] == ALM_GAP_NONE;
    if (!has || !(in->lower[a] >= 0) || !(in->lower[b] > 0) ||
        !(fabs(out->numbers[to]) < ALM_GRID_NUMBER_MAX)) {
        return false;
    }
    uint8_t bounds = alm_cell_bounds_difference(in->flags[a], in->flags[b] & ALM_CELL_BOUNDS);
    out->digits[to] = ALM_PERCENT_DIGITS;
    out->flags[to] = (uint8_t)(ALM_CELL_COMPUTED | bounds |
                               worst_of(in->flags[a], in->flags[b]) << ALM_CELL_STATUS_SHIFT);
    out->gaps[to] = ALM_GAP_NONE;
    out->newest[to] = ALM_MAX(in->newest[a], in->newest[b]);
    return true;
}

static void put_computed(const alm_step *step, const alm_grid *in, size_t row, const alm_taps *taps,
                         alm_grid *out, size_t to)
{
    alm_cell it = compute(step, in, row, taps);
    alm_cell_put(out, to, &it);
}

// Consecutive cells whose inputs are consecutive, too. numbers: of the series.
static void grow(const alm_step *step, const alm_grid *in, const double *numbers, size_t row,
                 const alm_taps *taps, uint32_t count, alm_grid *out, size_t to)
{
    size_t a = row + taps->first;
    size_t b = row + taps->base;
    put_percents(&numbers[taps->first], &numbers[taps->base], count, &out->numbers[to]);
    put_percents(&in->lower[a], &in->upper[b], count, &out->lower[to]);
    put_percents(&in->upper[a], &in->lower[b], count, &out->upper[to]);
    for (uint32_t i = 0; i < count; i++) {
        if (!finish_growth(in, a + i, b + i, out, to + i)) {
            put_computed(step, in, row, &taps[i], out, to + i);
        }
    }
}

static alm_code run_growth(const alm_step *step, const alm_grid *in, const alm_taps *taps,
                           alm_arena *arena, alm_grid *out, alm_status *st)
{
    double *numbers = alm_arena_alloc(arena, in->axis.count * sizeof *numbers); // of a series
    if (numbers == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %u periods",
                              in->axis.count);
    }
    for (size_t s = 0; s < in->series_count; s++) {
        size_t row = s * in->axis.count;
        for (uint32_t t = 0; t < in->axis.count; t++) {
            numbers[t] = alm_decimal_to_double((alm_decimal){in->mantissas[row + t], in->exponent});
        }
        for (uint32_t t = 0, count; t < out->axis.count; t += ALM_MAX(count, 1U)) {
            size_t to = s * out->axis.count + t;
            count = run_of_taps(taps, t, out->axis.count);
            if (count > 0) {
                grow(step, in, numbers, row, &taps[t], count, out, to);
            } else {
                put_computed(step, in, row, &taps[t], out, to);
            }
        }
    }
    return ALM_OK;
}

static bool is_same_axis(alm_axis a, alm_axis b)
{
    return a.count == b.count && alm_period_eq(a.first, b.first);
}

alm_code alm_step_run(const alm_step *step, const alm_grid *in, alm_axis out, alm_arena *arena,
                      alm_grid *ret, alm_status *st)
{
    alm_taps *taps;
    if (step->transform.op == ALM_TRANSFORM_LIN && is_same_axis(in->axis, out)) {
        *ret = *in;
        return ALM_OK;
    }
    ALM_TRY(alm_step_taps_of(step, in->axis, out, arena, &taps, st));
    ALM_TRY(alm_grid_make(out, in->series_count, kind_of(step, in), in->exponent, arena, ret, st));
    if (is_growth(step, in, taps, out.count)) {
        return run_growth(step, in, taps, arena, ret, st);
    }
    for (size_t s = 0; s < in->series_count; s++) {
        for (uint32_t t = 0; t < out.count; t++) {
            size_t row = s * in->axis.count;
            alm_cell it = cell_of(step, in, row, &taps[t]);
            alm_cell_put(ret, s * out.count + t, &it);
        }
    }
    return ALM_OK;
}
