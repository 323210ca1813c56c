// Goal: result blocks hold every row's texts and numbers, each text once and each column that is
// the same in every row once.
// Method: fill blocks with rows that repeat and rows that do not, one by one and in columns, and
// read them by index.
#include "alm/wire.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint32_t at(const uint32_t *column, size_t count, size_t rows, size_t i)
{
    if (count <= 1 || count == rows) {
        return count == 0 ? 0 : column[count == 1 ? 0 : i];
    }
    for (; i >= column[1]; column += 2) { // runs
        i -= column[1];
    }
    return column[0];
}

// Of a column of a block: what row i has.
#define AT(block, column, i)                                                                       \
    at((const uint32_t *)(block)->column, (block)->n_##column, (block)->rows, (i))
#define WIDE_AT(block, column, i)                                                                  \
    ((block)->n_##column == 0 ? 0 : (block)->column[(block)->n_##column == 1 ? 0 : (i)])

static alm_str text_of(const Almanac__V1__ResultBlock *block, uint32_t index)
{
    assert_true(index < block->n_text_ends);
    size_t from = index == 0 ? 0 : block->text_ends[index - 1] + 1;
    assert_int_equal(block->texts[block->text_ends[index]], '\n');
    return (alm_str){block->texts + from, block->text_ends[index] - from};
}

#define assert_text(block, column, i, want)                                                        \
    assert_true(alm_str_eq(text_of((block), AT((block), column, i)), alm_str_from(want)))

static int by_text(const void *a, const void *b)
{
    const alm_str *x = a, *y = b;
    return alm_str_cmp(*x, *y);
}

static void each_text_once(const Almanac__V1__ResultBlock *block, alm_arena *arena)
{
    alm_str *texts = alm_arena_alloc(arena, block->n_text_ends * sizeof *texts);
    assert_non_null(texts);
    for (uint32_t i = 0; i < block->n_text_ends; i++) {
        texts[i] = text_of(block, i);
    }
    assert_int_equal(texts[0].len, 0);
    assert_int_equal(strlen(block->texts), block->text_ends[block->n_text_ends - 1] + 1);
    qsort(texts, block->n_text_ends, sizeof *texts, by_text);
    for (size_t i = 1; i < block->n_text_ends; i++) {
        assert_false(alm_str_eq(texts[i - 1], texts[i]));
    }
}

static void blocks_hold_their_rows(void **state)
{
    alm_arena *arena = alm_arena_create(0);
    alm_result_writer *writer;
    uint64_t written = 0;
    (void)state;
    assert_non_null(arena);
    assert_int_equal(alm_result_writer_create(arena, 42, &writer, NULL), ALM_OK);
    for (int block_number = 0; block_number < 3; block_number++) {
        uint64_t first = written;
        while (!alm_result_writer_full(writer)) {
            char place[32];
            int place_len = snprintf(place, sizeof place, "P%llu", (unsigned long long)written);
            alm_result_row row = {
                .indicator = ALM_STR("gdp"),
                .place = {place, (size_t)place_len},
                .measure = ALM_STR("level"),
                .accumulation = ALM_ACCUMULATION_PERIOD,
                .period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 2023},
                .value = {.number = {.mantissa = (int64_t)written, .exponent = -2},
                          .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                          .has_number = written % 5 != 0},
                .interval = {-INFINITY, (double)written},
                .computed = written % 2 == 1,
                .published = 19000,
                .reason = written % 5 == 0 ? ALM_STR("no observation") : ALM_STR(""),
                .of_count = 1,
                .of_expected = 2,
            };
            assert_int_equal(alm_result_writer_add(writer, &row, NULL), ALM_OK);
            written++;
        }
        Almanac__V1__ResultBlock *block;
        assert_int_equal(alm_result_writer_take(writer, &block, NULL), ALM_OK);
        assert_int_equal(block->rows, ALM_RESULT_BLOCK_ROW_COUNT);
        assert_int_equal(block->sequence, 42);
        for (uint32_t i = 0; i < block->rows; i++) {
            uint64_t n = first + i;
            char place[32];
            snprintf(place, sizeof place, "P%llu", (unsigned long long)n);
            assert_text(block, indicator, i, "gdp");
            assert_text(block, place, i, place);
            assert_text(block, period, i, "2023");
            assert_text(block, unit, i, "CNY_E8");
            assert_text(block, accumulation, i, "P");
            assert_text(block, published, i, "2022-01-08");
            assert_text(block, source, i, "");
            assert_int_equal(AT(block, has_number, i), n % 5 != 0);
            assert_int_equal(WIDE_AT(block, mantissa, i), n % 5 != 0 ? (int64_t)n : 0);
            assert_true(isinf(WIDE_AT(block, lower, i)) && WIDE_AT(block, upper, i) == (double)n);
            assert_int_equal(AT(block, origin, i), n % 2);
        }
        // What is the same in every row is there once, what is zero or "" not at all.
        assert_int_equal(block->n_indicator, 1);
        assert_int_equal(block->n_of_expected, 1);
        assert_int_equal(block->n_source, 0);
        assert_int_equal(block->n_status, 0);
        assert_int_equal(block->n_place, block->rows);
        assert_in_range(block->n_reason, 2, block->rows - 1); // in runs
        each_text_once(block, arena);
    }
    alm_arena_destroy(&arena);
}

enum { PER_CALL = 1000 };

// Rows in columns are the rows one by one: some here, some there, in every mixture.
static void columns_are_rows(void **state)
{
    static const char *const codes[] = {"310101", "310104", "310105"};
    static uint32_t places[PER_CALL], numbers[PER_CALL];
    static int64_t mantissas[PER_CALL];
    static double uppers[PER_CALL];
    alm_arena *arena = alm_arena_create(0);
    alm_result_writer *writer;
    Almanac__V1__ResultBlock *block;
    (void)state;
    assert_non_null(arena);
    assert_int_equal(alm_result_writer_create(arena, 42, &writer, NULL), ALM_OK);
    size_t written = 0;
    while (alm_result_writer_room(writer) > 0) {
        size_t count = ALM_MIN(alm_result_writer_room(writer), (size_t)PER_CALL);
        alm_result_columns columns = {
            .count = count,
            .place.each = places,
            .mantissa.each = mantissas,
            .exponent.all = -2,
            .has_number.each = numbers,
            .bounds.all = ALMANAC__V1__BOUNDS__BOUNDS_TOLD,
            .lower.all = -INFINITY,
            .upper.each = uppers,
            .status.all = written < PER_CALL ? ALM_OBS_STATUS_NORMAL : ALM_OBS_STATUS_PROVISIONAL,
            .of_count.each = numbers,
        };
        for (size_t i = 0; i < count; i++) {
            alm_str code = alm_str_from(codes[(written + i) % 3]);
            assert_int_equal(alm_result_writer_text(writer, code, &places[i], NULL), ALM_OK);
            mantissas[i] = -(int64_t)(written + i);
            uppers[i] = (double)(written + i);
            numbers[i] = 1;
        }
        assert_int_equal(
            alm_result_writer_text(writer, ALM_STR("gdp"), &columns.indicator.all, NULL), ALM_OK);
        alm_period period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 2023};
        alm_unit unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8};
        assert_int_equal(alm_result_writer_period(writer, period, &columns.period.all, NULL),
                         ALM_OK);
        assert_int_equal(alm_result_writer_unit(writer, unit, &columns.unit.all, NULL), ALM_OK);
        assert_int_equal(alm_result_writer_date(writer, 19000, &columns.published.all, NULL),
                         ALM_OK);
        assert_int_equal(alm_result_writer_columns(writer, &columns, NULL), ALM_OK);
        written += count;
        if (alm_result_writer_room(writer) > 0) {
            alm_result_row row = {
                .indicator = ALM_STR("gdp"),
                .place = alm_str_from(codes[written % 3]),
                .period = period,
                .published = 19000,
                .value = {.number = {-(int64_t)written, -2}, .unit = unit, .has_number = true},
                .interval = {-INFINITY, (double)written},
                .of_count = 1,
            };
            assert_int_equal(alm_result_writer_add(writer, &row, NULL), ALM_OK);
            written++;
        }
    }
    assert_true(alm_result_writer_full(writer));
    assert_int_equal(alm_result_writer_take(writer, &block, NULL), ALM_OK);
    assert_int_equal(block->rows, written);
    for (size_t i = 0; i < written; i++) {
        assert_text(block, place, i, codes[i % 3]);
        assert_int_equal(block->mantissa[i], -(int64_t)i);
        assert_true(block->upper[i] == (double)i);
        bool is_provisional = i > PER_CALL && i % (PER_CALL + 1) != PER_CALL;
        assert_int_equal(AT(block, status, i),
                         is_provisional ? ALM_OBS_STATUS_PROVISIONAL : ALM_OBS_STATUS_NORMAL);
    }
    assert_int_equal(block->n_text_ends, 1 + 3 + 4); // "", the places, and one of each other column
    assert_text(block, period, 0, "2023");
    assert_text(block, unit, 0, "CNY_E8");
    assert_text(block, published, 0, "2022-01-08");
    // Also an array in which all elements are the same is one element.
    assert_int_equal(block->n_has_number, 1);
    assert_int_equal(block->n_of_count, 1);
    assert_int_equal(block->n_lower, 1);
    assert_int_equal(block->n_exponent, 1);
    assert_int_equal(block->n_note, 0);
    each_text_once(block, arena);
    alm_arena_destroy(&arena);
}

typedef struct bounds_row {
    const char *name;
    alm_value value;
    alm_interval interval;
    Almanac__V1__Bounds want;
} bounds_row;

#define NUMBER(m, e)                                                                               \
    {                                                                                              \
        .number = {(m), (e)}, .has_number = true                                                   \
    }

static const bounds_row bounds_rows[] = {
    {"bounds: half a unit",
     NUMBER(16853, -2),
     {168.525, 168.535},
     ALMANAC__V1__BOUNDS__BOUNDS_DIGITS},
    {"bounds: a bit more",
     NUMBER(16853, -2),
     {168.525, 168.53500000000003},
     ALMANAC__V1__BOUNDS__BOUNDS_TOLD},
    {"bounds: counted", NUMBER(61, 0), {61, 61}, ALMANAC__V1__BOUNDS__BOUNDS_NUMBER},
    {"bounds: another number", NUMBER(61, 0), {62, 62}, ALMANAC__V1__BOUNDS__BOUNDS_TOLD},
    {"bounds: zero", NUMBER(0, 0), {0, 0}, ALMANAC__V1__BOUNDS__BOUNDS_NUMBER},
    {"bounds: the other zero", NUMBER(0, 0), {-0.0, 0}, ALMANAC__V1__BOUNDS__BOUNDS_TOLD},
    {"bounds: open above", NUMBER(61, 0), {61, INFINITY}, ALMANAC__V1__BOUNDS__BOUNDS_TOLD},
    {"bounds: open", NUMBER(61, 0), {-INFINITY, INFINITY}, ALMANAC__V1__BOUNDS__BOUNDS_TOLD},
    {"bounds: no number",
     {.has_number = false},
     {-INFINITY, INFINITY},
     ALMANAC__V1__BOUNDS__BOUNDS_DIGITS},
    {"bounds: no number and yet an end",
     {.has_number = false},
     {0, 0},
     ALMANAC__V1__BOUNDS__BOUNDS_TOLD},
};

static void bounds_of(void **state)
{
    const bounds_row *row = *state;
    assert_int_equal(alm_result_bounds(&row->value, row->interval), row->want);
}

// A list stands behind what is there, as often as it is put, and is not looked up.
static void lists_of_texts(void **state)
{
    static const char *const wants[] = {"", "gdp", "310105", "", "310106", "310105", "", "310106"};
    const alm_str codes[] = {ALM_STR("310105"), ALM_STR(""), ALM_STR("310106")};
    alm_arena *arena = alm_arena_create(0);
    alm_result_writer *writer;
    alm_text_list list, none;
    Almanac__V1__ResultBlock *block;
    uint32_t index;
    (void)state;
    assert_int_equal(alm_text_list_make(codes, 3, arena, &list, NULL), ALM_OK);
    assert_int_equal(alm_text_list_make(NULL, 0, arena, &none, NULL), ALM_OK);
    assert_int_equal(alm_result_writer_create(arena, 1, &writer, NULL), ALM_OK);
    assert_int_equal(alm_result_writer_text(writer, ALM_STR("gdp"), &index, NULL), ALM_OK);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(alm_result_writer_texts(writer, &list, &index, NULL), ALM_OK);
        assert_int_equal(index, 2 + 3 * i);
        assert_int_equal(alm_result_writer_texts(writer, &none, &index, NULL), ALM_OK);
    }
    assert_int_equal(alm_result_writer_text(writer, ALM_STR("310106"), &index, NULL), ALM_OK);
    assert_int_equal(index, 8);
    assert_int_equal(alm_result_writer_text(writer, ALM_STR("gdp"), &index, NULL), ALM_OK);
    assert_int_equal(index, 1);
    assert_int_equal(alm_result_writer_take(writer, &block, NULL), ALM_OK);
    assert_int_equal(block->n_text_ends, 9);
    assert_int_equal(strlen(block->texts), block->text_ends[8] + 1);
    for (uint32_t i = 0; i < ALM_ARRAY_LEN(wants); i++) {
        assert_true(alm_str_eq(text_of(block, i), alm_str_from(wants[i])));
    }
    alm_arena_destroy(&arena);
}

static void an_empty_block(void **state)
{
    alm_arena *arena = alm_arena_create(0);
    alm_result_writer *writer;
    Almanac__V1__ResultBlock *block;
    (void)state;
    assert_non_null(arena);
    assert_int_equal(alm_result_writer_create(arena, 7, &writer, NULL), ALM_OK);
    assert_int_equal(alm_result_writer_take(writer, &block, NULL), ALM_OK);
    assert_int_equal(block->rows, 0);
    assert_int_equal(block->n_place, 0);
    alm_arena_destroy(&arena);
}

static void paces_follow_their_rows(void **state)
{
    alm_arena *arena = alm_arena_create(0);
    alm_result_writer *writer;
    Almanac__V1__ResultBlock *block;
    alm_row_pace pace = {
        .verdict = ALM_PACE_VERDICT_BEHIND,
        .why = "11.8% of plan",
        .until = {.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 2024 * 12 + 5},
        .per = ALM_FREQ_MONTH,
    };
    alm_result_row row = {
        .indicator = ALM_STR("gdp"),
        .period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 2024},
        .published = ALM_DATE_NONE,
    };
    (void)state;
    for (size_t i = 0; i < ALM_PACE_FIGURE_COUNT; i++) {
        pace.figures[i] = (alm_row_figure){.reason = "the horizon is over"};
    }
    pace.figures[ALM_PACE_LINEAR] = (alm_row_figure){
        .value = {.number = {20, -2},
                  .has_number = true,
                  .qualifier = ALM_QUALIFIER_MORE_THAN,
                  .unit = {.measure = ALM_MEASURE_UNIT_RATIO}},
        .interval = {0.2, INFINITY},
        .reason = "",
    };
    assert_non_null(arena);
    assert_int_equal(alm_result_writer_create(arena, 7, &writer, NULL), ALM_OK);
    assert_int_equal(alm_result_writer_add(writer, &row, NULL), ALM_OK);
    row.pace = &pace;
    assert_int_equal(alm_result_writer_add(writer, &row, NULL), ALM_OK);
    assert_int_equal(alm_result_writer_take(writer, &block, NULL), ALM_OK);
    assert_int_equal(block->n_pace, 1);
    assert_int_equal(block->pace[0]->row, 1);
    assert_int_equal(block->pace[0]->verdict, ALMANAC__V1__PACE_VERDICT__PACE_VERDICT_BEHIND);
    assert_string_equal(block->pace[0]->until, "2024-06");
    assert_string_equal(block->pace[0]->per, "M");
    assert_string_equal(block->pace[0]->pace->unit, "ratio");
    assert_int_equal(block->pace[0]->pace->mantissa, 20);
    assert_true(isinf(block->pace[0]->pace->upper));
    assert_string_equal(block->pace[0]->run_rate->reason, "the horizon is over");
    assert_false(block->pace[0]->run_rate->has_number);
    for (size_t i = 0; i < ALM_RESULT_BLOCK_PACE_COUNT; i++) {
        assert_false(alm_result_writer_full(writer));
        assert_int_equal(alm_result_writer_add(writer, &row, NULL), ALM_OK);
    }
    assert_true(alm_result_writer_full(writer));
    assert_int_equal(alm_result_writer_take(writer, &block, NULL), ALM_OK);
    row.pace = NULL;
    assert_int_equal(alm_result_writer_add(writer, &row, NULL), ALM_OK);
    assert_int_equal(alm_result_writer_take(writer, &block, NULL), ALM_OK);
    assert_int_equal(block->n_pace, 0);
    alm_arena_destroy(&arena);
}

static void a_full_arena_is_a_status(void **state)
{
    alm_arena *arena = alm_arena_create(64 << 10); // less than a full block
    alm_result_writer *writer;
    alm_result_row row = {.indicator = ALM_STR("gdp")};
    (void)state;
    assert_non_null(arena);
    assert_int_equal(alm_result_writer_create(arena, 7, &writer, NULL), ALM_OK);
    row.period = (alm_period){.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 2023};
    row.published = ALM_DATE_NONE;
    alm_code code = ALM_OK;
    while (code == ALM_OK && !alm_result_writer_full(writer)) {
        char place[32];
        int len = snprintf(place, sizeof place, "P%zu", alm_result_writer_rows(writer));
        row.place = (alm_str){place, (size_t)len};
        code = alm_result_writer_add(writer, &row, NULL);
    }
    assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
    alm_arena_destroy(&arena);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(bounds_rows) + 5] = {
        cmocka_unit_test(blocks_hold_their_rows),  cmocka_unit_test(columns_are_rows),
        cmocka_unit_test(an_empty_block),          cmocka_unit_test(lists_of_texts),
        cmocka_unit_test(paces_follow_their_rows), cmocka_unit_test(a_full_arena_is_a_status),
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(bounds_rows); i++) {
        tests[5 + i] = (struct CMUnitTest){.name = bounds_rows[i].name,
                                           .test_func = bounds_of,
                                           .initial_state = (void *)(uintptr_t)&bounds_rows[i]};
    }
    return cmocka_run_group_tests_name("result", tests, NULL, NULL);
}
