// Goal: what the services write as a result block is what the client reads, to the bit, and the
// intervals that a block leaves out are those of the model.
// Method: random rows, of few texts and many numbers, written, packed, unpacked and read; numbers
// of every length with every exponent.
#include "bounds.h"
#include "rows.h"

#include "alm/limits.h"
#include "alm/rpc.h"
#include "alm/wire.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ROUNDS = 300 };

static uint64_t rng_state;

static uint64_t next(uint64_t below)
{
    rng_state = rng_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (rng_state >> 33) % below;
}

// Of any number of digits.
static alm_decimal random_decimal(void)
{
    int64_t mantissa = (int64_t)(next(UINT64_C(1) << 31) << 31 | next(UINT64_C(1) << 31));
    for (uint64_t cut = next(19); cut > 0; cut--) {
        mantissa /= 10;
    }
    mantissa = mantissa > ALM_DECIMAL_MANTISSA_MAX ? ALM_DECIMAL_MANTISSA_MAX : mantissa;
    return (alm_decimal){.mantissa = next(2) == 0 ? -mantissa : mantissa,
                         .exponent = (int8_t)((int)next(37) - 18)};
}

static bool is_same(double a, double b)
{
    uint64_t bits_of_a, bits_of_b;
    memcpy(&bits_of_a, &a, sizeof a);
    memcpy(&bits_of_b, &b, sizeof b);
    return bits_of_a == bits_of_b;
}

static void assert_digits(alm_decimal number)
{
    double lower, upper;
    alm_value value = {.number = number, .has_number = true};
    alm_interval want = alm_value_interval(&value);
    alm_number_digits(number.mantissa, number.exponent, &lower, &upper);
    if (!is_same(lower, want.lower) || !is_same(upper, want.upper) ||
        !is_same(alm_number_nearest(number.mantissa, number.exponent),
                 alm_decimal_to_double(number))) {
        fail_msg("%lld e%d: [%a, %a], not [%a, %a]", (long long)number.mantissa, number.exponent,
                 lower, upper, want.lower, want.upper);
    }
}

static void digits_are_the_models(void **state)
{
    (void)state;
    rng_state = 1;
    for (int e = ALM_DECIMAL_EXPONENT_MIN; e <= ALM_DECIMAL_EXPONENT_MAX; e++) {
        for (int64_t power = 1; power <= ALM_DECIMAL_MANTISSA_MAX; power *= 10) {
            for (int64_t off = -1; off <= 1; off++) {
                assert_digits((alm_decimal){.mantissa = power + off, .exponent = (int8_t)e});
                assert_digits((alm_decimal){.mantissa = -power - off, .exponent = (int8_t)e});
            }
        }
        assert_digits((alm_decimal){.mantissa = ALM_DECIMAL_MANTISSA_MAX, .exponent = (int8_t)e});
        assert_digits((alm_decimal){.mantissa = -ALM_DECIMAL_MANTISSA_MAX, .exponent = (int8_t)e});
        for (int bit = 0; bit <= 59; bit++) {
            for (int64_t off = -1; off <= 1; off++) {
                int64_t mantissa = (INT64_C(1) << bit) + off;
                assert_digits((alm_decimal){.mantissa = mantissa, .exponent = (int8_t)e});
                assert_digits((alm_decimal){.mantissa = -mantissa, .exponent = (int8_t)e});
            }
        }
    }
    for (int i = 0; i < 100000; i++) {
        assert_digits(random_decimal());
    }
}

// A server that knows more digits than ours: nothing is cut.
static void digits_past_the_models(void **state)
{
    (void)state;
    double lower, upper;
    alm_number_digits(INT64_MAX, 0, &lower, &upper);
    assert_true(lower == 0x1p63 && upper == 0x1p63);
    alm_number_digits(INT64_MIN, 40, &lower, &upper);
    assert_true(lower == -9223372036854775808.5e40 && upper == -9223372036854775807.5e40);
    alm_number_digits(3, -40, &lower, &upper);
    assert_true(lower == 2.5e-40 && upper == 3.5e-40);
}

// --- blocks --------------------------------------------------------------------------------------

static const char *const texts[] = {"",       "gdp", "310105",           "人口",
                                    "a\nb\n", "\n",  "industry=software"};

// Mostly what it was in the row before, so that there are constant columns too.
static alm_str random_text(alm_str before)
{
    return next(8) == 0 ? alm_str_from(texts[next(ALM_ARRAY_LEN(texts))]) : before;
}

static alm_interval random_interval(const alm_value *value)
{
    double ends[] = {-INFINITY, -1.5, -0.0, 0, 1e-300, 168.53, 1e300, INFINITY};
    if (next(4) != 0) {
        return alm_value_interval(value);
    }
    size_t from = (size_t)next(ALM_ARRAY_LEN(ends));
    size_t to = from + (size_t)next(ALM_ARRAY_LEN(ends) - from);
    return (alm_interval){ends[from], ends[to]};
}

static alm_result_row random_row(const alm_result_row *before, bool is_varied)
{
    alm_result_row row = *before;
    row.place = alm_str_from(texts[next(ALM_ARRAY_LEN(texts))]);
    if (is_varied) {
        row.indicator = random_text(row.indicator);
        row.measure = random_text(row.measure);
        row.breakdown = random_text(row.breakdown);
        row.relation = random_text(row.relation);
        row.transform = random_text(row.transform);
        row.source = random_text(row.source);
        row.note = random_text(row.note);
        row.reason = random_text(row.reason);
        row.accumulation = (alm_accumulation)next(3);
        row.value.qualifier = (alm_qualifier)next(ALM_QUALIFIER_TOP_GROUP + 1);
        row.value.status = (alm_obs_status)next(ALM_OBS_STATUS_COUNT);
        row.value.has_number = next(5) != 0;
        row.value.unit.mult = (int8_t)(next(2) * 4);
        row.computed = next(2) == 0;
        row.of_count = (uint32_t)next(3);
        row.of_expected = UINT32_MAX - (uint32_t)next(2);
        row.published = (alm_date)(19000 + next(2));
        row.period.ordinal = (int32_t)(2000 + next(3));
    }
    row.value.number = row.value.has_number ? random_decimal() : (alm_decimal){0};
    row.interval = random_interval(&row.value);
    return row;
}

static void assert_text(const char *got, alm_str want)
{
    assert_true(alm_str_eq(alm_str_from(got), want));
}

static void assert_row(const almanac_row *got, const alm_result_row *want)
{
    char text[ALM_UNIT_TEXT_MAX + ALM_PERIOD_TEXT_MAX];
    assert_text(got->indicator, want->indicator);
    assert_text(got->place, want->place);
    assert_text(got->measure, want->measure);
    assert_text(got->breakdown, want->breakdown);
    assert_text(got->relation, want->relation);
    assert_text(got->transform, want->transform);
    assert_text(got->source, want->source);
    assert_text(got->note, want->note);
    assert_text(got->reason, want->reason);
    assert_string_equal(got->accumulation, want->accumulation == ALM_ACCUMULATION_NONE
                                               ? ""
                                               : alm_accumulation_code(want->accumulation));
    alm_period_format(want->period, text);
    assert_string_equal(got->period, text);
    alm_date_format(want->published, text);
    assert_string_equal(got->published, text);
    alm_unit_code(want->value.unit, text);
    assert_string_equal(got->unit, text);
    assert_int_equal(got->has_number, want->value.has_number);
    assert_true(got->mantissa == want->value.number.mantissa);
    assert_int_equal(got->exponent, want->value.number.exponent);
    assert_true(is_same(got->lower, want->interval.lower));
    assert_true(is_same(got->upper, want->interval.upper));
    assert_int_equal(got->qualifier, want->value.qualifier);
    assert_int_equal(got->status, alm_obs_status_letter(want->value.status));
    assert_int_equal(got->origin, want->computed ? ALMANAC_COMPUTED : ALMANAC_PUBLISHED);
    assert_int_equal(got->of_count, want->of_count);
    assert_int_equal(got->of_expected, want->of_expected);
    assert_int_equal(got->sequence, 42);
}

static Almanac__V1__ResultBlock *over_the_wire(const Almanac__V1__ResultBlock *block,
                                               alm_arena *arena)
{
    size_t size = almanac__v1__result_block__get_packed_size(block);
    uint8_t *bytes = alm_arena_alloc(arena, size);
    assert_non_null(bytes);
    assert_int_equal(almanac__v1__result_block__pack(block, bytes), size);
    ProtobufCAllocator allocator = alm_arena_protobuf(arena);
    Almanac__V1__ResultBlock *got = almanac__v1__result_block__unpack(&allocator, size, bytes);
    assert_non_null(got);
    return got;
}

static void check_round(size_t count, bool is_varied)
{
    alm_arena *arena = alm_arena_create(0);
    alm_result_writer *writer;
    Almanac__V1__ResultBlock *block;
    almanac_block got;
    assert_non_null(arena);
    alm_result_row *rows = alm_arena_calloc(arena, count, sizeof *rows);
    alm_result_row before = {
        .indicator = ALM_STR("gdp"),
        .period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 2023},
        .published = 19000,
        .value = {.unit = {.measure = ALM_MEASURE_UNIT_PERSONS}, .has_number = true},
    };
    assert_int_equal(alm_result_writer_create(arena, 42, &writer, NULL), ALM_OK);
    for (size_t i = 0; i < count; i++) {
        rows[i] = before = random_row(&before, is_varied);
        assert_int_equal(alm_result_writer_add(writer, &rows[i], NULL), ALM_OK);
    }
    assert_int_equal(alm_result_writer_take(writer, &block, NULL), ALM_OK);
    Almanac__V1__ResultBlock *message = over_the_wire(block, arena);
    assert_int_equal(alm_rows_view(message, arena, &got, NULL), ALM_OK);
    assert_int_equal(got.row_count, count);
    for (size_t i = 0; i < count; i++) {
        almanac_row row = alm_block_row(&got, i);
        assert_row(&row, &rows[i]);
    }
    alm_arena_destroy(&arena);
}

static void rows_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        rng_state = seed;
        check_round(1 + (size_t)next(seed % 2 == 0 ? 4 : 300), seed % 3 != 0);
    }
    check_round(ALM_RESULT_BLOCK_ROW_COUNT, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_the_models),
        cmocka_unit_test(digits_past_the_models),
        cmocka_unit_test(rows_come_back),
    };
    return cmocka_run_group_tests_name("result_block", tests, NULL, NULL);
}
