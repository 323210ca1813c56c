// The executor of questions against a slow oracle, on random worlds.
//
//   question_oracle [--seed K] [--questions N] [--trace]
//
// Each seed is a world and twenty questions of it; seeds K, K+1, ... until N questions were
// answered. A difference is printed with its seed, and ends the run with 1.
#include "oracle.h"
#include "random_world.h"

#include "alm/step.h"

#include <inttypes.h>
#include <math.h>

#define QUESTIONS_A_WORLD 20
#define ROW_MAX           20000

typedef struct answer_row {
    alm_place_id place;
    alm_period period;
    alm_accumulation accumulation;
    char breakdown[64];
    alm_value value;
    alm_interval interval;
    alm_date published;
    uint32_t of_count, of_expected;
    bool has_reason;
    bool is_computed;
    bool is_seen;
} answer_row;

typedef struct trial {
    world w;
    const alm_place_tree *tree;
    uint64_t seed;
    char question[512];
    answer_row *rows;
    size_t count;
    bool is_refused;
    alm_query_plan plan;
    oracle_question asked;
    oracle o;
    char formula[128]; // of a word of prices
    alm_place_id groups[256];
    size_t group_count;
    size_t differences;
} trial;

// --- the executor's answer ----------------------------------------------------------------------

static alm_code take_row(void *self, const alm_result_row *row, alm_status *st)
{
    (void)st;
    trial *it = self;
    assert_true(it->count < ROW_MAX);
    answer_row *to = &it->rows[it->count++];
    *to = (answer_row){
        .place = alm_place_tree_find(it->tree, row->place),
        .period = row->period,
        .accumulation = row->accumulation,
        .value = row->value,
        .interval = row->interval,
        .published = row->published,
        .of_count = row->of_count,
        .of_expected = row->of_expected,
        .has_reason = row->reason.len > 0,
        .is_computed = row->computed,
    };
    snprintf(to->breakdown, sizeof to->breakdown, "%.*s",
             row->breakdown.len > 0 ? (int)row->breakdown.len : 2,
             row->breakdown.len > 0 ? row->breakdown.data : "_T");
    return ALM_OK;
}

static alm_code take_fault(void *self, alm_str item, const alm_status *why, alm_status *st)
{
    (void)item;
    (void)why;
    (void)st;
    ((trial *)self)->is_refused = true;
    return ALM_OK;
}

static void execute(trial *it, const world_question *q, alm_arena *arena)
{
    alm_status st = ALM_STATUS_INIT;
    it->count = 0;
    it->is_refused =
        alm_query_plan_make(&q->request, it->w.catalog, NULL, arena, &it->plan, &st) != ALM_OK;
    if (it->is_refused) {
        return;
    }
    alm_row_reader reader = world_reader(&it->w);
    alm_answer_sink sink = {it, take_row, take_fault, NULL};
    alm_code code = it->seed % 2 == 0
                        ? alm_query_execute(&it->plan, &reader, &sink, arena, &st)
                        : world_execute_columns(&it->plan, &reader, &sink, arena, &st);
    it->is_refused |= code == ALM_INVALID_ARGUMENT;
    if (code != ALM_OK && code != ALM_INVALID_ARGUMENT) {
        printf("seed %" PRIu64 ": %s: %s %s\n", it->seed, it->question, alm_code_name(code),
               st.message);
        it->differences++;
        it->is_refused = true;
    }
}

// --- differences --------------------------------------------------------------------------------

static void differ(trial *it, alm_place_id place, alm_period period, const char *what,
                   const oracle_number *want, const answer_row *got)
{
    char label[ALM_PERIOD_TEXT_MAX];
    char number[ALM_DECIMAL_TEXT_MAX] = "-";
    (void)alm_period_format(period, label);
    printf("seed %" PRIu64 ": %s\n  %.*s %s: %s\n", it->seed, it->question,
           ALM_STR_ARGS(alm_place_tree_get(it->tree, place)->code), label, what);
    if (want != NULL) {
        printf("  want %d %.15Lg [%.15Lg, %.15Lg] digits %d over %d under %d status %d %u/%u\n",
               want->has, want->x, want->lower, want->upper, want->digits, want->is_over,
               want->is_under, want->status, want->of_count, want->of_expected);
    }
    if (got != NULL) {
        if (got->value.has_number) {
            alm_decimal_format(got->value.number, 0, number);
        }
        printf("  got  %d %s [%.15g, %.15g] %s status %d %u/%u\n", got->value.has_number, number,
               got->interval.lower, got->interval.upper, alm_qualifier_code(got->value.qualifier),
               (int)got->value.status, got->of_count, got->of_expected);
    }
    it->differences++;
}

static bool is_near(double got, long double want, long double slack)
{
    if (isinf(got) || isinf(want)) {
        return isinf(got) && isinf(want) && (got > 0) == (want > 0);
    }
    return fabsl(got - want) <= slack;
}

static int magnitude(long double x)
{
    int power = 0;
    for (; x >= 10; power++) {
        x /= 10;
    }
    for (; x < 1; power--) {
        x *= 10;
    }
    return power;
}

// The exponent a computed number deserves.
static int deserved(long double x, long double half, int finest)
{
    int exponent = finest;
    if (x != 0) {
        exponent = ALM_MIN(exponent, magnitude(fabsl(x)) - 1);
    }
    if (isfinite(half) && half > 0) {
        exponent = ALM_MAX(exponent, magnitude(half));
    }
    if (x != 0) {
        exponent = ALM_MAX(exponent, magnitude(fabsl(x)) - 14);
    }
    return ALM_MIN(ALM_MAX(exponent, ALM_DECIMAL_EXPONENT_MIN), ALM_DECIMAL_EXPONENT_MAX);
}

// Is the number the right one of the right digits? Ends that lie within a billionth of a power of
// ten may have either.
static bool is_number(const answer_row *got, const oracle_number *want)
{
    long double slack = 1e-9L * fmaxl(fabsl(want->x), 1);
    alm_decimal number = got->value.number;
    long double x = (long double)number.mantissa * powl(10, number.exponent);
    if (want->is_exact) {
        return fabsl(x - want->x) <=
               1e-15L * fmaxl(fabsl(want->x), 1) + 1e-9L * powl(10, want->digits);
    }
    long double half = (want->upper - want->lower) / 2;
    if (isfinite(half) && want->is_over != want->is_under) {
        half = fminl(half, want->is_over ? want->x - want->lower : want->upper - want->x);
    }
    bool is_fit = false;
    for (int i = -1; i <= 1; i++) {
        long double bent = 1 + i * 1e-9L;
        is_fit |= deserved(want->x * bent, half * bent, want->digits) == number.exponent;
        is_fit |= deserved(want->x * bent, half, want->digits) == number.exponent;
    }
    if (fabsl(half) < 1e-9L * fmaxl(fabsl(want->x), 1)) {
        is_fit = true; // no width, but for roundings
    }
    long double step = powl(10, number.exponent);
    long double error = x - want->x;
    if (want->is_over && !want->is_under) {
        return is_fit && error <= slack && error > -step - slack;
    }
    if (want->is_under && !want->is_over) {
        return is_fit && error >= -slack && error < step + slack;
    }
    return is_fit && fabsl(error) <= step / 2 + slack;
}

static alm_qualifier qualifier_of(const oracle_number *want)
{
    return want->is_over && want->is_under ? ALM_QUALIFIER_EXACT
           : want->is_over                 ? ALM_QUALIFIER_MORE_THAN
           : want->is_under                ? ALM_QUALIFIER_LESS_THAN
                                           : ALM_QUALIFIER_ABOUT;
}

static bool has_op(const trial *it, alm_stage stage)
{
    return it->asked.transforms.of[stage].op != ALM_TRANSFORM_NONE;
}

// What was published is told as it was: in its own unit, with its own qualifier.
static bool is_as_published(const trial *it, const answer_row *got, const oracle_number *want)
{
    alm_value value = got->value;
    alm_interval interval = alm_value_interval(&value);
    oracle_number own = oracle_published(&it->o, &value);
    long double slack = 1e-12L * fmaxl(fabsl(want->x), 1);
    return interval.lower == got->interval.lower && interval.upper == got->interval.upper &&
           fabsl(own.x - want->x) <= slack && own.is_over == want->is_over &&
           own.is_under == want->is_under;
}

static void compare(trial *it, alm_place_id place, alm_period period, const oracle_number *want,
                    const answer_row *got)
{
    long double slack =
        1e-9L * fmaxl(fmaxl(fabsl(want->x), isfinite(want->upper) ? fabsl(want->upper) : 0), 1);
    if (got->value.has_number != want->has) {
        differ(it, place, period, "a number, or none", want, got);
    } else if (!want->has) {
        if (!got->has_reason) {
            differ(it, place, period, "no reason", want, got);
        }
    } else if (!got->is_computed) {
        if (!is_as_published(it, got, want)) {
            differ(it, place, period, "what was published", want, got);
        }
    } else if (!is_number(got, want)) {
        differ(it, place, period, "the number", want, got);
    } else if (!is_near(got->interval.lower, want->lower, slack) ||
               !is_near(got->interval.upper, want->upper, slack)) {
        differ(it, place, period, "the interval", want, got);
    } else if (got->value.qualifier != qualifier_of(want)) {
        differ(it, place, period, "the qualifier", want, got);
    } else if ((int)got->value.status != want->status) {
        differ(it, place, period, "the status", want, got);
    } else if (got->published != want->published) {
        differ(it, place, period, "the publication", want, got);
    } else if (has_op(it, ALM_STAGE_RANK) &&
               (got->of_count != want->of_count || got->of_expected != want->of_expected)) {
        differ(it, place, period, "the peers", want, got);
    }
}

// --- which series there are ---------------------------------------------------------------------

static bool is_filtered(const trial *it, const alm_variant *v, alm_str breakdown)
{
    const oracle_question *q = &it->asked;
    bool is_total = alm_str_eq(breakdown, ALM_STR("_T"));
    bool is_asked = alm_str_eq(q->breakdown, ALM_STR("*")) ||
                    (q->breakdown.len == 0 ? is_total : alm_str_eq(q->breakdown, breakdown));
    return v->measure != q->measure || !alm_str_eq(v->indicator, q->indicator) || !is_asked ||
           (q->freq != ALM_FREQ_NONE && q->freq != v->freq) ||
           (q->accumulation != ALM_ACCUMULATION_NONE && q->accumulation != v->accumulation);
}

static bool has_prices(const trial *it)
{
    const char *formula = it->o.formula;
    return formula != NULL &&
           (strstr(formula, "constant(") != NULL || strstr(formula, "deflator(") != NULL);
}

// What the executor refuses of a series is not held against the oracle; its words have tests.
static bool is_admitted(const trial *it, const oracle_series *series)
{
    // The average of what is cumulated from the year's start means nothing, in a formula too.
    const char *formula = it->o.formula;
    if (formula != NULL && strstr(formula, "ma(flow") != NULL &&
        series->accumulation == ALM_ACCUMULATION_CUMULATIVE) {
        return false;
    }
    // Nor do weeks go into years.
    if (has_prices(it) && series->freq == ALM_FREQ_WEEK) {
        return false;
    }
    alm_quantity at =
        alm_quantity_of(it->o.indicator, it->asked.measure, series->freq, series->accumulation);
    for (int stage = ALM_STAGE_RATIO; stage < ALM_STAGE_COUNT; stage++) {
        const alm_transform *t = &it->asked.transforms.of[stage];
        alm_step step;
        if (t->op == ALM_TRANSFORM_NONE) {
            continue;
        }
        if (alm_step_make(t, &at, &step, NULL) != ALM_OK) {
            return false;
        }
        at = step.out;
    }
    return true;
}

// Is the place one of those, beside one (for ranks) or above one (for shares)?
static bool is_kin(const trial *it, const alm_place_id *places, size_t count, alm_place_id place)
{
    bool has_siblings = has_op(it, ALM_STAGE_RANK) && it->o.peer_count == 0;
    alm_place_id parent = alm_place_tree_parent(it->tree, place);
    for (size_t i = 0; i < count; i++) {
        alm_place_id above = alm_place_tree_parent(it->tree, places[i]);
        bool is_sibling = has_siblings && parent == above && parent != ALM_PLACE_NONE;
        bool is_whole = it->plan.has_whole && place == above;
        if (place == places[i] || is_sibling || is_whole) {
            return true;
        }
    }
    return false;
}

// Is a row of the place read for the question? Of a formula only such rows say which series there
// are.
static bool is_read(const trial *it, alm_place_id place)
{
    const oracle *o = &it->o;
    return o->formula == NULL || has_op(it, ALM_STAGE_PLACES) || place == o->whole_place ||
           is_kin(it, o->places, o->place_count, place) ||
           is_kin(it, o->peers, o->peer_count, place);
}

#define SERIES_MAX 64

static size_t find_series(const trial *it, oracle_series *ret)
{
    size_t count = 0;
    const alm_transforms *t = &it->asked.transforms;
    for (size_t i = 0; i < it->w.count; i++) {
        alm_variant v;
        alm_str breakdown = alm_str_from(strrchr(it->w.rows[i].variant, '.') + 1);
        assert_int_equal(alm_variant_decode(alm_str_from(it->w.rows[i].variant), &v, NULL), ALM_OK);
        if (is_filtered(it, &v, breakdown) || !is_read(it, it->w.rows[i].obs.place)) {
            continue;
        }
        oracle_series one = {
            .breakdown = breakdown,
            .freq = has_op(it, ALM_STAGE_FREQUENCY) ? t->of[ALM_STAGE_FREQUENCY].freq : v.freq,
            .accumulation = has_op(it, ALM_STAGE_ACCUMULATION)
                                ? t->of[ALM_STAGE_ACCUMULATION].accumulation
                                : v.accumulation,
        };
        bool is_known = !is_admitted(it, &one);
        for (size_t k = 0; k < count; k++) {
            is_known |= alm_str_eq(ret[k].breakdown, one.breakdown) && ret[k].freq == one.freq &&
                        ret[k].accumulation == one.accumulation;
        }
        if (!is_known) {
            assert_true(count < SERIES_MAX);
            ret[count++] = one;
        }
    }
    return count;
}

// --- which periods ------------------------------------------------------------------------------

#define PERIOD_MAX 2000

// Every period of the frequency that a row of the world lies in, and those between; of prices also
// the year before, to which growth leads back.
static size_t all_periods(const trial *it, alm_freq freq, alm_period *ret)
{
    alm_date first = ALM_DATE_MAX;
    alm_date last = ALM_DATE_NONE;
    size_t count = 0;
    for (size_t i = 0; i < it->w.count; i++) {
        first = ALM_MIN(first, alm_period_first_day(it->w.rows[i].obs.period));
        last = ALM_MAX(last, alm_period_last_day(it->w.rows[i].obs.period));
    }
    first -= has_prices(it) ? 366 : 0;
    for (alm_date day = first; day <= last;) {
        assert_true(count < PERIOD_MAX);
        assert_int_equal(alm_period_of_date(day, freq, &ret[count], NULL), ALM_OK);
        day = alm_period_last_day(ret[count++]) + 1;
    }
    return count;
}

static bool is_in_range(const trial *it, alm_period_range range, alm_period period)
{
    alm_freq freq =
        range.from.freq != ALM_FREQ_NONE ? (alm_freq)range.from.freq : (alm_freq)range.to.freq;
    if (!has_op(it, ALM_STAGE_FREQUENCY) && freq != period.freq) {
        return false;
    }
    bool starts = range.from.freq == ALM_FREQ_NONE ||
                  alm_period_first_day(period) >= alm_period_first_day(range.from);
    bool ends = range.to.freq == ALM_FREQ_NONE ||
                alm_period_last_day(period) <= alm_period_last_day(range.to);
    return starts && ends;
}

static bool is_asked(const trial *it, alm_period period)
{
    const alm_period_expr *expr = &it->plan.periods;
    if (expr->kind != ALM_PERIOD_EXPR_RANGES) {
        return true;
    }
    for (size_t i = 0; i < expr->range_count; i++) {
        if (is_in_range(it, expr->ranges[i], period)) {
            return true;
        }
    }
    return false;
}

// --- the comparison -----------------------------------------------------------------------------

static bool is_rollup(const trial *it)
{
    return has_op(it, ALM_STAGE_PLACES);
}

// Beside a roll-up what was published of its groups is told.
static bool is_rollup_alone(const trial *it)
{
    bool is_alone = is_rollup(it) && it->o.formula == NULL;
    for (int stage = ALM_STAGE_PLACES + 1; stage < ALM_STAGE_COUNT; stage++) {
        is_alone &= !has_op(it, (alm_stage)stage);
    }
    return is_alone;
}

static answer_row *find_row(trial *it, const oracle_series *series, alm_place_id place,
                            alm_period period)
{
    for (size_t i = 0; i < it->count; i++) {
        answer_row *row = &it->rows[i];
        bool is_beside = is_rollup(it) && !row->is_computed;
        if (!is_beside && row->place == place && alm_period_eq(row->period, period) &&
            (series == NULL || (row->accumulation == series->accumulation &&
                                alm_str_eq(alm_str_from(row->breakdown), series->breakdown)))) {
            return row;
        }
    }
    return NULL;
}

static void check_cell(trial *it, const oracle_series *series, alm_place_id place,
                       alm_period period, const oracle_number *want)
{
    answer_row *row = find_row(it, series, place, period);
    if (row == NULL) {
        differ(it, place, period, "no row", want, NULL);
        return;
    }
    if (row->is_seen) {
        differ(it, place, period, "a row twice", want, row);
    }
    row->is_seen = true;
    compare(it, place, period, want, row);
}

// Of every computed row: the published one beside it, exactly if there is one.
static void check_beside(trial *it, const answer_row *computed)
{
    oracle_series series = {
        .breakdown = alm_str_from(computed->breakdown),
        .freq = (alm_freq)computed->period.freq,
        .accumulation = computed->accumulation,
    };
    oracle_number own = oracle_own(&it->o, &series, computed->place, computed->period);
    answer_row *beside = NULL;
    for (size_t i = 0; i < it->count; i++) {
        answer_row *row = &it->rows[i];
        if (!row->is_computed && row->place == computed->place &&
            alm_period_eq(row->period, computed->period) &&
            row->accumulation == computed->accumulation &&
            strcmp(row->breakdown, computed->breakdown) == 0) {
            beside = row;
        }
    }
    if (own.has != (beside != NULL)) {
        differ(it, computed->place, computed->period, "published beside", &own, beside);
        return;
    }
    if (beside == NULL) {
        return;
    }
    beside->is_seen = true;
    compare(it, computed->place, computed->period, &own, beside);
    bool is_apart = computed->value.has_number && computed->of_count == computed->of_expected &&
                    !computed->has_reason &&
                    (computed->interval.lower > own.upper + 1e-9L * fabsl(own.x) ||
                     computed->interval.upper < own.lower - 1e-9L * fabsl(own.x));
    if (is_apart) {
        differ(it, computed->place, computed->period, "a gap is not told", &own, computed);
    }
}

// One series at one place. Of a roll-up only what has a number is held against: which of the others
// are told depends on what the members' neighbours have.
static bool check_series(trial *it, const oracle_series *series, alm_place_id place)
{
    static alm_period periods[PERIOD_MAX];
    size_t count = all_periods(it, series->freq, periods);
    bool is_last = it->plan.periods.kind == ALM_PERIOD_EXPR_LAST;
    uint32_t left = is_last ? it->plan.periods.last : UINT32_MAX;
    bool any = false;
    size_t newest = SIZE_MAX;
    for (size_t i = count; i-- > 0 && left > 0;) {
        if (!is_asked(it, periods[i])) {
            continue;
        }
        bool is_told = is_rollup(it) || oracle_told(&it->o, series, place, periods[i]);
        oracle_number want =
            is_told ? oracle_cell(&it->o, series, place, periods[i]) : (oracle_number){0};
        if (want.has || (is_told && !is_last && !is_rollup(it))) {
            check_cell(it, series, place, periods[i], &want);
            any = true;
            left -= is_last;
        } else if (is_told && newest == SIZE_MAX) {
            newest = i;
        }
    }
    if (is_last && !any && newest != SIZE_MAX && !is_rollup(it)) {
        oracle_number want = oracle_cell(&it->o, series, place, periods[newest]);
        check_cell(it, series, place, periods[newest], &want);
        any = true;
    }
    return any;
}

// A listed cell that no series speaks of is one row without a number.
static void check_listed(trial *it, alm_place_id place)
{
    const alm_place *of = alm_place_tree_get(it->tree, place);
    for (size_t i = 0; i < it->plan.periods.range_count; i++) {
        alm_period_range range = it->plan.periods.ranges[i];
        alm_freq freq = has_op(it, ALM_STAGE_FREQUENCY)
                            ? it->asked.transforms.of[ALM_STAGE_FREQUENCY].freq
                            : (alm_freq)range.from.freq;
        bool is_other = !has_op(it, ALM_STAGE_FREQUENCY) && it->asked.freq != ALM_FREQ_NONE &&
                        it->asked.freq != freq;
        alm_period at;
        assert_int_equal(alm_period_of_date(alm_period_first_day(range.from), freq, &at, NULL),
                         ALM_OK);
        for (; alm_period_first_day(at) <= alm_period_last_day(range.to);
             assert_int_equal(alm_period_add(at, 1, &at, NULL), ALM_OK)) {
            answer_row *row = find_row(it, NULL, place, at);
            bool is_wanted =
                !is_other && alm_place_valid_on(of, alm_period_last_day(at)) && is_asked(it, at);
            if (row == NULL && is_wanted) {
                differ(it, place, at, "a listed cell is not answered", NULL, NULL);
            } else if (row != NULL && !row->is_seen) {
                row->is_seen = true;
                if (row->value.has_number || !row->has_reason) {
                    differ(it, place, at, "a cell that nothing is known of", NULL, row);
                }
            }
        }
    }
}

static void check_place(trial *it, const oracle_series *series, size_t count, alm_place_id place)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        any |= check_series(it, &series[i], place);
    }
    if (is_rollup(it)) {
        return;
    }
    if (it->plan.listed_count > 0) {
        check_listed(it, place);
        return;
    }
    answer_row *row = find_row(it, NULL, place, (alm_period){0});
    if (!any && it->plan.period_estimate == 0) {
        if (row == NULL) {
            differ(it, place, (alm_period){0}, "a place is not answered", NULL, NULL);
        } else {
            row->is_seen = true;
        }
    }
}

static void find_groups(trial *it)
{
    it->group_count = 0;
    for (alm_place_id p = 0; p < alm_place_tree_count(it->tree); p++) {
        bool is_group = false;
        for (size_t i = 0; i < it->plan.places.count; i++) {
            alm_place_id at = it->plan.places.ids[i];
            is_group |= it->plan.group_by == ALM_LEVEL_NONE
                            ? at == p
                            : alm_place_tree_at_level(it->tree, at, it->plan.group_by) == p;
        }
        if (is_group) {
            it->groups[it->group_count++] = p;
        }
    }
}

static void hold(trial *it)
{
    static oracle_series series[SERIES_MAX];
    size_t count = find_series(it, series);
    find_groups(it);
    for (size_t i = 0; is_rollup(it) && i < it->group_count; i++) {
        check_place(it, series, count, it->groups[i]);
    }
    for (size_t i = 0; !is_rollup(it) && i < it->plan.places.count; i++) {
        check_place(it, series, count, it->plan.places.ids[i]);
    }
    for (size_t i = 0; is_rollup_alone(it) && i < it->count; i++) {
        if (it->rows[i].is_computed) {
            check_beside(it, &it->rows[i]);
        }
    }
    for (size_t i = 0; i < it->count; i++) {
        const answer_row *row = &it->rows[i];
        if (!row->is_seen && !(is_rollup(it) && !row->value.has_number)) {
            differ(it, row->place, row->period, "a row that nothing asks for", NULL, row);
        }
    }
}

// A question whose every answer the oracle has.
static bool is_known(const trial *it)
{
    const alm_transforms *t = &it->asked.transforms;
    // Beside pc1 of levels published growth is answered; it has tests of its own.
    alm_measure of;
    return it->o.formula != NULL || alm_query_plan_published(&it->plan, &of) == ALM_MEASURE_NONE ||
           it->asked.measure != ALM_MEASURE_LEVEL ||
           t->of[ALM_STAGE_CHANGE].op != ALM_TRANSFORM_PC1;
}

// The indicator whose series are answered.
static alm_str lead_of(const alm_query_item *item)
{
    return item->derived == NULL ? item->indicator->code : item->derived->lead->indicator->code;
}

static const char *formula_of(trial *it, const alm_query_item *item)
{
    const alm_transform *prices = &it->plan.transforms.of[ALM_STAGE_PRICES];
    if (prices->op == ALM_TRANSFORM_NONE) {
        return item->derived == NULL ? NULL : item->asked.data;
    }
    snprintf(it->formula, sizeof it->formula, "%s(%.*s,%d)",
             prices->op == ALM_TRANSFORM_CONSTANT ? "constant" : "deflator",
             ALM_STR_ARGS(item->priced->code), alm_period_year(prices->base));
    return it->formula;
}

// Answered: 1, refused or left out: 0.
static bool try_question(trial *it, world_random *random, bool traces)
{
    world_question q;
    alm_arena *arena = alm_arena_create(0);
    random_question(&it->w, random, it->question, sizeof it->question);
    world_ask(&q, it->question);
    execute(it, &q, arena);
    bool is_answered = !it->is_refused;
    if (is_answered) {
        it->asked = (oracle_question){
            .indicator = lead_of(&it->plan.items[0]),
            .measure = it->plan.measure,
            .freq = it->plan.freq,
            .accumulation = it->plan.accumulation,
            .breakdown = it->plan.breakdown,
            .as_of = it->plan.as_of == ALM_DATE_MAX && it->plan.today != 0 ? it->plan.today
                                                                           : it->plan.as_of,
            .transforms = it->plan.transforms,
            .group_by = it->plan.group_by,
            .incomplete = it->plan.incomplete,
        };
        it->o = (oracle){
            .w = &it->w,
            .tree = it->tree,
            .asked = &it->asked,
            .indicator = it->plan.items[0].indicator,
            .places = it->plan.places.ids,
            .place_count = it->plan.places.count,
            .peers = it->plan.peers.ids,
            .peer_count = it->plan.peers.count,
            .whole = it->plan.whole,
            .whole_place = it->plan.whole_place,
            .formula = formula_of(it, &it->plan.items[0]),
        };
        is_answered = is_known(it);
    }
    if (is_answered) {
        hold(it);
    }
    for (size_t i = 0; traces && it->differences > 0 && i < it->w.count; i++) {
        char label[ALM_PERIOD_TEXT_MAX];
        char value[ALM_VALUE_TEXT_MAX];
        const alm_obs *obs = &it->w.rows[i].obs;
        (void)alm_period_format(obs->period, label);
        (void)alm_value_format(&obs->value, ALM_LANG_EN, value);
        printf("  %s %.*s %s %s %d\n", it->w.rows[i].variant,
               ALM_STR_ARGS(alm_place_tree_get(it->tree, obs->place)->code), label, value,
               obs->published);
    }
    if (traces) {
        printf("%s: %s%zu rows\n", it->question, is_answered ? "" : "refused, ", it->count);
    }
    alm_arena_destroy(&arena);
    return is_answered;
}

static uint64_t option_number(const char *text)
{
    int64_t number;
    if (!alm_str_to_i64(alm_str_from(text), &number) || number < 0) {
        fprintf(stderr, "question_oracle: %s is no number\n", text);
        exit(2);
    }
    return (uint64_t)number;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    uint64_t wanted = 3000;
    bool traces = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            traces = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = option_number(argv[++i]);
        } else if (strcmp(argv[i], "--questions") == 0 && i + 1 < argc) {
            wanted = option_number(argv[++i]);
        } else {
            fprintf(stderr, "usage: question_oracle [--seed K] [--questions N] [--trace]\n");
            return 2;
        }
    }
    trial *it = alm_calloc(1, sizeof *it);
    assert_non_null(it);
    it->rows = alm_calloc(ROW_MAX, sizeof *it->rows);
    assert_non_null(it->rows);
    uint64_t answered = 0;
    uint64_t refused = 0;
    uint64_t rows = 0;
    for (; answered < wanted && it->differences == 0; seed++) {
        world_random random = {seed, seed};
        it->seed = seed;
        random_world(&it->w, &random);
        it->tree = alm_catalog_places(it->w.catalog);
        for (int k = 0; k < QUESTIONS_A_WORLD && it->differences == 0; k++) {
            bool is_answered = try_question(it, &random, traces);
            answered += is_answered;
            refused += !is_answered;
            rows += it->count;
        }
        world_deinit(&it->w);
    }
    printf("%" PRIu64 " questions with %" PRIu64 " rows, %" PRIu64 " refused or left out: %s\n",
           answered, rows, refused, it->differences == 0 ? "nothing found" : "differences found");
    bool is_good = it->differences == 0;
    alm_free(it->rows);
    alm_free(it);
    return is_good ? 0 : 1;
}
