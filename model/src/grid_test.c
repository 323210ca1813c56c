// Grids: what is loaded comes out to the digit; computed numbers have the digits they deserve; and
// growth against whole numbers of 128 bits.
#include "alm/step.h"

#include "test_random.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

static alm_period period(const char *label)
{
    alm_period it;
    assert_int_equal(alm_period_parse(alm_str_from(label), &it, NULL), ALM_OK);
    return it;
}

// --- digits -------------------------------------------------------------------------------------

typedef struct digits_row {
    const char *name;
    double number, half; // of the interval
    int finest;
    uint8_t flags;
    const char *want; // NULL: it has none
} digits_row;

#define BOTH (ALM_CELL_OVER | ALM_CELL_UNDER)

static const digits_row digits_rows[] = {
    {"as fine as is told", 12.8349, 0.0001, -2, BOTH, "12.83"},
    {"an uncertain tenth", 12.8349, 0.2, -2, BOTH, "12.8"},
    {"an uncertain hundredth", 12.8349, 0.06, -2, BOTH, "12.83"},
    {"one uncertain digit before the point", 33.333, 7.8, -2, BOTH, "33"},
    {"tens", 33.333, 37.5, -2, BOTH, "30"},
    {"nothing certain", 3.3, 1e6, -2, BOTH, "0"},
    {"no interval", 12.8349, 0, -2, BOTH, "12.83"},
    {"a small number keeps two digits", 0.0012345, 0, -2, BOTH, "0.0012"},
    {"unless its interval forbids", 0.0012345, 0.0005, -2, BOTH, "0.0012"},
    {"or more so", 0.0012345, 0.005, -2, BOTH, "0.001"},
    {"half to even, down", 12.125, 0, -2, BOTH, "12.12"},
    {"half to even, up", 12.375, 0, -2, BOTH, "12.38"},
    {"a tie that was rounded on the way", 1.005, 0, -2, BOTH, "1.00"},
    {"negative", -12.375, 0, -2, BOTH, "-12.38"},
    {"over rounds down", 66.6667, 0, -2, ALM_CELL_OVER, "66.66"},
    {"over keeps what is exact", 66.66, 0, -2, ALM_CELL_OVER, "66.66"},
    {"under rounds up", 33.3333, 0, -2, ALM_CELL_UNDER, "33.34"},
    {"under, negative", -33.3333, 0, -2, ALM_CELL_UNDER, "-33.33"},
    {"about rounds to the nearest", 66.6667, 0, -2, 0, "66.67"},
    {"zero", 0, 0, -2, BOTH, "0.00"},
    {"large", 123456789012345678.0, 0, -2, BOTH, "123456789012346000"},
    {"too large", 1e40, 0, -2, BOTH, NULL},
    {"no number", NAN, 0, -2, BOTH, NULL},
};

static void digits(void **state)
{
    const digits_row *row = *state;
    alm_interval interval = {row->number - row->half, row->number + row->half};
    alm_decimal got;
    char text[ALM_DECIMAL_TEXT_MAX];
    bool has = alm_number_deserved(row->number, interval, row->finest, row->flags, &got);
    assert_int_equal(has, row->want != NULL);
    if (has) {
        alm_decimal_format(got, 0, text);
        assert_string_equal(text, row->want);
    }
}

// --- loading ------------------------------------------------------------------------------------

static void loads_to_the_digit(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(0);
    alm_unit unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8};
    alm_unit other = {.measure = ALM_MEASURE_UNIT_USD};
    const alm_grid_obs obs[] = {
        {.series = 0, .t = 0, .value = {.number = {16850, -2}, .unit = unit, .has_number = true}},
        {.series = 0, .t = 2, .value = {.number = {17, 1}, .unit = unit, .has_number = true}},
        {.series = 1, .t = 0, .value = {.unit = unit, .status = ALM_OBS_STATUS_MISSING_SUPPRESSED}},
        {.series = 1, .t = 1, .value = {.number = {3, 0}, .unit = other, .has_number = true}},
    };
    static const alm_gap gaps[] = {ALM_GAP_NONE,   ALM_GAP_UNOBSERVED, ALM_GAP_NONE,
                                   ALM_GAP_STATUS, ALM_GAP_UNIT,       ALM_GAP_UNOBSERVED};
    alm_axis axis = {period("2021"), 3};
    alm_grid grid;
    assert_int_equal(alm_grid_load(axis, 2, obs, ALM_ARRAY_LEN(obs), unit, arena, &grid, NULL),
                     ALM_OK);
    assert_int_equal(grid.kind, ALM_GRID_DECIMALS);
    assert_int_equal(grid.exponent, -2);
    for (size_t i = 0; i < ALM_ARRAY_LEN(gaps); i++) {
        assert_int_equal(grid.gaps[i], gaps[i]);
    }
    alm_value value;
    alm_interval interval;
    alm_grid_value(&grid, 2, unit, &value, &interval);
    assert_int_equal(value.number.mantissa, 17);
    assert_int_equal(value.number.exponent, 1);
    alm_grid_value(&grid, 0, unit, &value, &interval);
    assert_int_equal(value.number.mantissa, 16850);
    assert_int_equal(value.qualifier, ALM_QUALIFIER_EXACT);
    alm_grid_value(&grid, 3, unit, &value, &interval);
    assert_false(value.has_number);
    assert_int_equal(value.status, ALM_OBS_STATUS_MISSING_SUPPRESSED);
    alm_arena_destroy(&arena);
}

static void takes_doubles_where_decimals_do_not_fit(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(0);
    alm_unit unit = {.measure = ALM_MEASURE_UNIT_CNY};
    const alm_grid_obs obs[] = {
        {.t = 0, .value = {.number = {999999999999999999, 0}, .unit = unit, .has_number = true}},
        {.t = 1, .value = {.number = {5, -1}, .unit = unit, .has_number = true}},
    };
    alm_grid grid;
    assert_int_equal(
        alm_grid_load((alm_axis){period("2021"), 2}, 1, obs, 2, unit, arena, &grid, NULL), ALM_OK);
    assert_int_equal(grid.kind, ALM_GRID_MIXED);
    assert_int_equal(grid.flags[0] & ALM_CELL_EXACT, 0);
    assert_true(grid.numbers[0] == 1e18);
    alm_value value;
    alm_interval interval;
    alm_grid_value(&grid, 1, unit, &value, &interval);
    assert_int_equal(value.number.mantissa, 5);
    assert_int_equal(value.number.exponent, -1);
    alm_arena_destroy(&arena);
}

static int slow_magnitude(double number)
{
    int exponent = 0;
    while (fabs(number) >= pow(10, exponent + 1)) {
        exponent++;
    }
    while (fabs(number) < pow(10, exponent)) {
        exponent--;
    }
    return exponent;
}

static int slow_exponent(double number, double half, int finest)
{
    int size = slow_magnitude(number);
    int exponent = ALM_MIN(finest, size - 1);
    if (half > 0) {
        exponent = ALM_MAX(exponent, slow_magnitude(half));
    }
    return ALM_MAX(exponent, size - 14);
}

// Numbers and intervals of every size, but for powers of ten, against counting up to it.
static void digits_follow_of_size(void **state)
{
    (void)state;
    test_random random = test_random_start();
    for (int round = 0; round < 200000; round++) {
        double number = (double)(3 + 2 * test_random_below(&random, 500000)) *
                        pow(10, (double)test_random_below(&random, 12) - 7);
        double half = test_random_one_in(&random, 10)
                          ? 0
                          : (double)(3 + 2 * test_random_below(&random, 500)) *
                                pow(10, (double)test_random_below(&random, 10) - 9);
        int finest = (int)test_random_below(&random, 10) - 8;
        alm_interval interval = {number - half, number + half};
        double width = (interval.upper - interval.lower) / 2;
        alm_decimal got;
        assert_true(alm_number_deserved(number, interval, finest, 0, &got));
        double unit = pow(10, got.exponent);
        double off = fabs(number - (double)got.mantissa * unit);
        if (got.exponent != slow_exponent(number, width, finest) || off > unit * 0.501) {
            fail_msg("seed %" PRIu64 " round %d: %.17g +- %.17g to %d is %" PRId64 "e%d",
                     random.seed, round, number, width, finest, got.mantissa, got.exponent);
        }
    }
}

// Numbers as columns are those of the cells one by one, up to the first that has none.
static void numbers_are_those_of_cells(void **state)
{
    enum { CELLS = 40 };
    (void)state;
    test_random random = test_random_start();
    alm_arena *arena = alm_arena_create(0);
    for (int round = 0; round < 2000; round++) {
        alm_grid grid;
        alm_grid_kind kind = (alm_grid_kind)test_random_below(&random, 3);
        size_t from = test_random_below(&random, CELLS);
        int64_t mantissas[CELLS];
        int32_t exponents[CELLS];
        alm_axis axis = {period("2001"), CELLS};
        assert_int_equal(alm_grid_make(axis, 1, kind, -2, arena, &grid, NULL), ALM_OK);
        for (size_t i = 0; i < CELLS; i++) {
            bool is_exact = kind == ALM_GRID_DECIMALS ||
                            (kind == ALM_GRID_MIXED && test_random_below(&random, 2) == 0);
            double number = (double)test_random_below(&random, 1000000) / 700 - 500;
            double width = (double)test_random_below(&random, 100) / 30;
            bool is_huge = test_random_below(&random, 100) == 0;
            if (grid.mantissas != NULL) {
                grid.mantissas[i] = (int64_t)number;
            }
            if (grid.numbers != NULL) {
                grid.numbers[i] = is_huge ? 1e33 : number;
            }
            grid.digits[i] = (int8_t)-2;
            grid.lower[i] = number - width;
            grid.upper[i] = number + width;
            grid.flags[i] = (uint8_t)((is_exact ? ALM_CELL_EXACT : 0) |
                                      test_random_below(&random, 4) * ALM_CELL_OVER);
            grid.gaps[i] = test_random_below(&random, 20) == 0 ? ALM_GAP_INPUT : ALM_GAP_NONE;
        }
        size_t count = alm_grid_numbers(&grid, from, CELLS - from, mantissas, exponents);
        for (size_t i = 0; i <= count && from + i < CELLS; i++) {
            alm_value value;
            alm_interval interval;
            alm_grid_value(&grid, from + i, (alm_unit){0}, &value, &interval);
            bool is_same = i < count ? value.has_number && value.number.mantissa == mantissas[i] &&
                                           value.number.exponent == exponents[i]
                                     : !value.has_number;
            if (!is_same) {
                fail_msg("seed %" PRIu64 " round %d: cell %zu of %zu", random.seed, round, i,
                         count);
            }
        }
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
}

static void newest_is_a_maximum(void **state)
{
    (void)state;
    alm_date day = alm_date_from_ymd(2024, 1, 20);
    assert_true(alm_newest(day, 3) > alm_newest(day - 1, 1));
    assert_true(alm_newest(day, 1) > alm_newest(day, 3));
    assert_true(alm_newest(-5, ALM_SOURCE_NONE) > 0);
    assert_int_equal(alm_newest_published(alm_newest(-5, 7)), -5);
    assert_int_equal(alm_newest_source(alm_newest(day, 7)), 7);
    assert_int_equal(alm_newest_source(alm_newest(day, ALM_SOURCE_NONE)), ALM_SOURCE_NONE);
    assert_int_equal(alm_newest_published(0), ALM_DATE_NONE);
}

// --- growth -------------------------------------------------------------------------------------

// (now / base - 1) x 100 to the exponent, half to even, in whole numbers: the remainder decides.
static __int128 slow_growth(int64_t now, int64_t base, int exponent)
{
    __int128 scaled = ((__int128)now - base) * 100;
    __int128 divisor = base;
    for (int i = exponent; i < 0; i++) {
        scaled *= 10;
    }
    for (int i = exponent; i > 0; i--) {
        divisor *= 10;
    }
    __int128 quotient = scaled / divisor;
    __int128 rest = scaled % divisor;
    if (rest < 0) {
        quotient--;
        rest += divisor;
    }
    if (rest * 2 > divisor || (rest * 2 == divisor && quotient % 2 != 0)) {
        quotient++;
    }
    return quotient;
}

static void grows_as_whole_numbers_do(void **state)
{
    (void)state;
    test_random random = test_random_start();
    alm_arena *arena = alm_arena_create(0);
    alm_unit unit = {.measure = ALM_MEASURE_UNIT_PERSONS};
    alm_transform pc1 = {.op = ALM_TRANSFORM_PC1};
    alm_quantity amount = {.kind = ALM_QUANTITY_AMOUNT,
                           .unit = unit,
                           .freq = ALM_FREQ_ANNUAL,
                           .accumulation = ALM_ACCUMULATION_PERIOD,
                           .type = ALM_VALUE_TYPE_STOCK};
    alm_step step;
    assert_int_equal(alm_step_make(&pc1, &amount, &step, NULL), ALM_OK);
    for (int i = 0; i < 200000; i++) {
        uint32_t size = UINT32_C(1) << test_random_below(&random, 31);
        int64_t now = (int64_t)test_random_below(&random, size) - size / 8;
        int64_t base = (int64_t)test_random_below(&random, size) + 1;
        const int64_t numbers[] = {base, now};
        alm_grid_obs obs[2];
        for (uint32_t t = 0; t < 2; t++) {
            obs[t] = (alm_grid_obs){
                .t = t,
                .value = {.number = {numbers[t], 0}, .unit = unit, .has_number = true},
                .interval = {(double)numbers[t], (double)numbers[t]}};
        }
        alm_grid in;
        alm_grid out;
        alm_value value;
        alm_interval interval;
        assert_int_equal(
            alm_grid_load((alm_axis){period("2022"), 2}, 1, obs, 2, unit, arena, &in, NULL),
            ALM_OK);
        assert_int_equal(alm_step_run(&step, &in, (alm_axis){period("2023"), 1}, arena, &out, NULL),
                         ALM_OK);
        alm_grid_value(&out, 0, step.out.unit, &value, &interval);
        if (!value.has_number ||
            value.number.mantissa != slow_growth(now, base, value.number.exponent) ||
            value.number.exponent > -2) {
            fail_msg("seed %" PRIu64 " round %d: %" PRId64 " / %" PRId64 " gives %" PRId64 "e%d",
                     random.seed, i, now, base, value.number.mantissa, value.number.exponent);
        }
        double exact = ((double)now / (double)base - 1) * 100;
        assert_true(interval.lower == exact && interval.upper == exact);
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
}

// --- the quick ways -----------------------------------------------------------------------------

#define SERIES  5
#define PERIODS 8

// Rows of one period: of one exponent, unit and publication, or of any.
typedef struct period_rows {
    uint32_t series[SERIES], at[SERIES], flags[SERIES], source[SERIES], note;
    int64_t mantissa[SERIES];
    int32_t exponent[SERIES];
    alm_unit unit[SERIES];
    alm_obs_columns columns;
    alm_grid_rows rows;
} period_rows;

static const alm_period any_period = {ALM_FREQ_ANNUAL, 1, 2020};
static const uint32_t any_number = 0;
static const alm_date any_date = 19000;
static const uint64_t any_sequence = 1;
static const alm_str no_note = {0};

static void make_rows(test_random *random, uint32_t t, period_rows *it)
{
    bool is_alike = !test_random_one_in(random, 3);
    size_t count = 0;
    for (uint32_t s = 0; s < SERIES; s++) {
        if (test_random_one_in(random, 5)) {
            continue;
        }
        bool has_number = !test_random_one_in(random, 8);
        uint32_t qualifier = test_random_one_in(random, 6) ? 1 + test_random_below(random, 6) : 0;
        uint32_t status = test_random_one_in(random, 4) ? 1 + test_random_below(random, 3) : 0;
        int64_t size = INT64_C(1) << test_random_below(random, 53);
        it->series[count] = s;
        it->at[count] = (uint32_t)count;
        it->flags[count] = qualifier | status << 4 | (uint32_t)has_number << 8;
        it->source[count] = test_random_below(random, 3);
        it->mantissa[count] =
            has_number ? (int64_t)(test_random_next(random) % (uint64_t)size) - size / 16 : 0;
        it->exponent[count] = is_alike ? -2 : -(int32_t)test_random_below(random, 3);
        it->unit[count] =
            (alm_unit){.measure = ALM_MEASURE_UNIT_CNY,
                       .mult = (int8_t)(is_alike || test_random_one_in(random, 2) ? 8 : 4)};
        count++;
    }
    it->columns = (alm_obs_columns){
        .count = count,
        .variant = &any_number,
        .place = &any_number,
        .period = &any_period,
        .mantissa = it->mantissa,
        .each_mantissa = 1,
        .exponent = it->exponent,
        .each_exponent = !is_alike,
        .unit = it->unit,
        .each_unit = !is_alike,
        .flags = it->flags,
        .each_flags = 1,
        .source = it->source,
        .each_source = 1,
        .published = &any_date,
        .note = &any_number,
        .sequence = &any_sequence,
        .notes = &no_note,
    };
    it->rows = (alm_grid_rows){&it->columns, t, it->series, it->at, count};
}

static void check_same_double(double a, double b)
{
    assert_memory_equal(&a, &b, sizeof a);
}

static void check_same_grid(const alm_grid *got, const alm_grid *want)
{
    assert_int_equal(got->exponent, want->exponent);
    for (size_t i = 0; i < alm_grid_cells(want); i++) {
        assert_int_equal(got->gaps[i], want->gaps[i]);
        assert_int_equal(got->flags[i], want->flags[i]);
        assert_int_equal(got->newest[i], want->newest[i]);
        check_same_double(got->lower[i], want->lower[i]);
        check_same_double(got->upper[i], want->upper[i]);
        if (!alm_grid_has(want, i)) {
            continue;
        }
        assert_int_equal(got->digits[i], want->digits[i]);
        if (want->flags[i] & ALM_CELL_EXACT) {
            assert_int_equal(got->mantissas[i], want->mantissas[i]);
        } else {
            check_same_double(got->numbers[i], want->numbers[i]);
        }
    }
}

// Rows that are taken up together are what they are one by one.
static void takes_rows_as_it_takes_each(void **unused)
{
    (void)unused;
    static period_rows rows[PERIODS];
    test_random random = test_random_start();
    alm_axis axis = {period("2015"), PERIODS};
    alm_unit unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8};
    for (int round = 0; round < 3000; round++) {
        alm_arena *arena = alm_arena_create(0);
        alm_grid_fit fit = {0};
        alm_grid got, want;
        alm_grid_obs obs[PERIODS * SERIES];
        size_t count = 0;
        for (uint32_t t = 0; t < PERIODS; t++) {
            make_rows(&random, t, &rows[t]);
            alm_grid_fit_rows(&fit, &rows[t].rows, unit);
            for (size_t i = 0; i < rows[t].rows.count; i++) {
                alm_obs row = alm_obs_at(&rows[t].columns, i);
                obs[count] = (alm_grid_obs){.series = rows[t].series[i],
                                            .t = t,
                                            .published = row.published,
                                            .source = row.source};
                alm_grid_obs_set(&obs[count++], &row.value, alm_value_interval(&row.value), unit);
            }
        }
        assert_int_equal(alm_grid_load(axis, SERIES, obs, count, unit, arena, &want, NULL), ALM_OK);
        assert_int_equal(alm_grid_make_fit(axis, SERIES, &fit, arena, &got, NULL), ALM_OK);
        assert_int_equal(got.kind, want.kind);
        for (uint32_t t = 0; t < PERIODS; t++) {
            alm_grid_put_rows(&got, &rows[t].rows, unit);
        }
        check_same_grid(&got, &want);
        alm_arena_destroy(&arena);
    }
}

// A grid of decimals grows as one that has doubles beside them, which no quick way is for.
static void grows_decimals_as_anything(void **unused)
{
    (void)unused;
    static period_rows rows[PERIODS];
    test_random random = test_random_start();
    alm_axis axis = {period("2015"), PERIODS};
    alm_transform pc1 = {.op = ALM_TRANSFORM_PC1};
    alm_unit unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8};
    alm_quantity amount = {.kind = ALM_QUANTITY_AMOUNT,
                           .unit = unit,
                           .measure = ALM_MEASURE_LEVEL,
                           .freq = ALM_FREQ_ANNUAL,
                           .accumulation = ALM_ACCUMULATION_PERIOD,
                           .type = ALM_VALUE_TYPE_STOCK};
    alm_step step;
    assert_int_equal(alm_step_make(&pc1, &amount, &step, NULL), ALM_OK);
    for (int round = 0; round < 3000; round++) {
        alm_arena *arena = alm_arena_create(0);
        alm_grid_fit fit = {0};
        alm_grid in, mixed, got, want;
        alm_axis needed;
        for (uint32_t t = 0; t < PERIODS; t++) {
            make_rows(&random, t, &rows[t]);
            alm_grid_fit_rows(&fit, &rows[t].rows, unit);
        }
        assert_int_equal(alm_step_reach(&step, axis, &needed, NULL), ALM_OK);
        assert_int_equal(alm_grid_make_fit(needed, SERIES, &fit, arena, &in, NULL), ALM_OK);
        for (uint32_t t = 0; t < PERIODS; t++) {
            rows[t].rows.t = t + 1;
            alm_grid_put_rows(&in, &rows[t].rows, unit);
        }
        mixed = in;
        mixed.kind = ALM_GRID_MIXED;
        mixed.numbers = alm_arena_calloc(arena, alm_grid_cells(&in), sizeof *mixed.numbers);
        for (size_t i = 0; i < alm_grid_cells(&in) && in.kind == ALM_GRID_DECIMALS; i++) {
            mixed.numbers[i] = alm_decimal_to_double((alm_decimal){in.mantissas[i], in.exponent});
        }
        if (in.kind == ALM_GRID_DECIMALS) {
            assert_int_equal(alm_step_run(&step, &in, axis, arena, &got, NULL), ALM_OK);
            assert_int_equal(alm_step_run(&step, &mixed, axis, arena, &want, NULL), ALM_OK);
            check_same_grid(&got, &want);
        }
        alm_arena_destroy(&arena);
    }
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, digits, digits_rows, name);
    TEST_ADD(&list, loads_to_the_digit);
    TEST_ADD(&list, takes_doubles_where_decimals_do_not_fit);
    TEST_ADD(&list, digits_follow_of_size);
    TEST_ADD(&list, numbers_are_those_of_cells);
    TEST_ADD(&list, newest_is_a_maximum);
    TEST_ADD(&list, grows_as_whole_numbers_do);
    TEST_ADD(&list, takes_rows_as_it_takes_each);
    TEST_ADD(&list, grows_decimals_as_anything);
    return TEST_RUN(&list, "grid");
}
