// Goal: result blocks hold every row's texts and numbers, and each text once.
// Method: fill several blocks with rows that repeat and rows that do not, and read them by index.
#include "alm/wire.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void each_text_once(const Almanac__V1__ResultBlock *block)
{
    qsort(block->strings, block->n_strings, sizeof *block->strings, by_text);
    for (size_t i = 1; i < block->n_strings; i++) {
        assert_string_not_equal(block->strings[i - 1], block->strings[i]);
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
            assert_string_equal(block->strings[block->indicator[i]], "gdp");
            assert_string_equal(block->strings[block->place[i]], place);
            assert_string_equal(block->strings[block->period[i]], "2023");
            assert_string_equal(block->strings[block->unit[i]], "CNY_E8");
            assert_string_equal(block->strings[block->accumulation[i]], "P");
            assert_string_equal(block->strings[block->published[i]], "2022-01-08");
            assert_string_equal(block->strings[block->source[i]], "");
            assert_int_equal(block->has_number[i], n % 5 != 0);
            assert_int_equal(block->mantissa[i], n % 5 != 0 ? (int64_t)n : 0);
            assert_true(isinf(block->lower[i]) && block->upper[i] == (double)n);
            assert_int_equal(block->origin[i], n % 2);
        }
        assert_string_equal(block->strings[0], "");
        each_text_once(block);
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
        code = alm_result_writer_add(writer, &row, NULL);
    }
    assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
    alm_arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_hold_their_rows),
        cmocka_unit_test(an_empty_block),
        cmocka_unit_test(paces_follow_their_rows),
        cmocka_unit_test(a_full_arena_is_a_status),
    };
    return cmocka_run_group_tests_name("result", tests, NULL, NULL);
}
