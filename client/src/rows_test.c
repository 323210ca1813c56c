// Blocks from the wire: a good one gives its rows, and each way to damage it is refused by name.
#include "rows.h"

#include "utf8_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

// A block of two rows, each column an array of its own, so that a test can damage one place.
typedef struct block {
    Almanac__V1__ResultBlock message;
    char table[32];
    uint32_t text_ends[4];
    uint32_t texts[13][2];
    int64_t mantissa[2];
    int32_t exponent[2];
    double lower[2], upper[2];
    uint32_t has_number[2], bounds[2], qualifier[2], status[2], origin[2], of_count[2],
        of_expected[2];
    Almanac__V1__Figure figure;
    Almanac__V1__TargetPace pace[2];
    Almanac__V1__TargetPace *paces[2];
} block;

static void init(block *b)
{
    *b = (block){0};
    almanac__v1__result_block__init(&b->message);
    static const uint32_t text_ends[] = {0, 4, 11, 18};
    static char unit[] = "CNY_E8";
    memcpy(b->table, "\ngdp\n310105\nCNY_E8\n", sizeof "\ngdp\n310105\nCNY_E8\n");
    memcpy(b->text_ends, text_ends, sizeof text_ends);
    b->message.texts = b->table;
    b->message.text_ends = b->text_ends;
    b->message.n_text_ends = 4;
    b->message.rows = 2;
    b->texts[0][0] = b->texts[0][1] = 1;
    b->texts[1][0] = b->texts[1][1] = 2;
    b->texts[7][0] = b->texts[7][1] = 3;
    b->mantissa[1] = 16853;
    b->exponent[1] = -2;
    b->has_number[1] = 1;
    b->lower[0] = -(double)INFINITY;
    b->upper[0] = (double)INFINITY;
    b->bounds[0] = b->bounds[1] = ALMANAC__V1__BOUNDS__BOUNDS_TOLD;
    b->status[0] = 10;
    b->origin[1] = 1;
    size_t text = 0;
#define COLUMN(name, array)                                                                        \
    b->message.name = (array);                                                                     \
    b->message.n_##name = 2
    COLUMN(indicator, b->texts[text++]);
    COLUMN(place, b->texts[text++]);
    COLUMN(period, b->texts[text++]);
    COLUMN(measure, b->texts[text++]);
    COLUMN(accumulation, b->texts[text++]);
    COLUMN(breakdown, b->texts[text++]);
    COLUMN(relation, b->texts[text++]);
    COLUMN(unit, b->texts[text++]);
    COLUMN(source, b->texts[text++]);
    COLUMN(published, b->texts[text++]);
    COLUMN(note, b->texts[text++]);
    COLUMN(reason, b->texts[text++]);
    COLUMN(transform, b->texts[text++]);
    COLUMN(mantissa, b->mantissa);
    COLUMN(exponent, b->exponent);
    COLUMN(has_number, b->has_number);
    COLUMN(bounds, b->bounds);
    COLUMN(lower, b->lower);
    COLUMN(upper, b->upper);
    COLUMN(qualifier, b->qualifier);
    COLUMN(status, b->status);
    COLUMN(origin, b->origin);
    COLUMN(of_count, b->of_count);
    COLUMN(of_expected, b->of_expected);
#undef COLUMN
    static char why[] = "11.8% of plan", until[] = "2023";
    almanac__v1__figure__init(&b->figure);
    b->figure.has_number = 1;
    b->figure.mantissa = 20;
    b->figure.exponent = -2;
    b->figure.unit = unit;
    for (size_t i = 0; i < 2; i++) {
        almanac__v1__target_pace__init(&b->pace[i]);
        b->paces[i] = &b->pace[i];
        b->pace[i].row = (uint32_t)i;
    }
    b->pace[0].row = 1;
    b->pace[0].verdict = ALMANAC__V1__PACE_VERDICT__PACE_VERDICT_BEHIND;
    b->pace[0].why = why;
    b->pace[0].until = until;
    b->pace[0].pace = &b->figure;
    b->message.pace = b->paces;
    b->message.n_pace = 1;
}

static almanac_block opened(block *b, alm_arena *arena)
{
    almanac_block it;
    assert_int_equal(alm_rows_view(&b->message, arena, &it, NULL), ALM_OK);
    return it;
}

static void gives_rows(void **state)
{
    (void)state;
    block b;
    alm_arena *arena = alm_arena_create(0);
    init(&b);
    almanac_block it = opened(&b, arena);
    almanac_row first = alm_block_row(&it, 0);
    almanac_row second = alm_block_row(&it, 1);
    assert_string_equal(first.indicator, "gdp");
    assert_string_equal(first.reason, "");
    assert_false(first.has_number);
    assert_int_equal(first.status, 'O');
    assert_true(isinf(first.lower) && isinf(first.upper));
    assert_int_equal(second.mantissa, 16853);
    assert_int_equal(second.exponent, -2);
    assert_string_equal(second.unit, "CNY_E8");
    assert_int_equal(second.status, 'A');
    assert_int_equal(second.origin, ALMANAC_COMPUTED);
    assert_true(second.lower == 0 && second.upper == 0);
    alm_arena_destroy(&arena);
}

// One element is for every row, and a column that is not there is zeros.
static void gives_rows_of_short_columns(void **state)
{
    (void)state;
    block b;
    alm_arena *arena = alm_arena_create(0);
    init(&b);
    b.exponent[0] = -2;
    b.message.n_exponent = b.message.n_indicator = b.message.n_place = 1;
    b.message.n_status = b.message.n_bounds = b.message.n_lower = b.message.n_upper = 0;
    b.message.n_reason = b.message.n_of_count = b.message.n_origin = 0;
    b.of_expected[0] = 7;
    b.message.n_of_expected = 1;
    almanac_block it = opened(&b, arena);
    almanac_row first = alm_block_row(&it, 0);
    almanac_row second = alm_block_row(&it, 1);
    assert_true(isinf(first.lower) && first.lower < 0 && isinf(first.upper));
    assert_int_equal(first.status, 'A');
    assert_string_equal(second.indicator, "gdp");
    assert_string_equal(second.place, "310105");
    assert_string_equal(second.reason, "");
    assert_int_equal(second.mantissa, 16853);
    assert_int_equal(second.exponent, -2);
    assert_int_equal(second.status, 'A');
    assert_int_equal(second.origin, ALMANAC_PUBLISHED);
    assert_int_equal(second.of_count, 0);
    assert_int_equal(second.of_expected, 7);
    assert_true(second.lower == 168.525 && second.upper == 168.535);
    alm_arena_destroy(&arena);
}

// A block of five rows whose every column is there once, but for two.
static void init_runs(block *b, uint32_t pairs[4])
{
    init(b);
    b->message.rows = 5;
    b->message.n_pace = 0;
#define ONCE(name) b->message.n_##name = 1;
    ONCE(indicator)
    ONCE(place)
    ONCE(period)
    ONCE(measure)
    ONCE(accumulation)
    ONCE(breakdown)
    ONCE(relation)
    ONCE(unit)
    ONCE(source)
    ONCE(published)
    ONCE(note)
    ONCE(reason)
    ONCE(transform)
    ONCE(mantissa)
    ONCE(has_number)
    ONCE(bounds)
    ONCE(lower)
    ONCE(upper)
    ONCE(qualifier)
    ONCE(origin)
    ONCE(of_count)
    ONCE(of_expected)
#undef ONCE
    b->message.status = pairs;
    b->message.n_status = 4;
    b->message.exponent = (int32_t *)pairs;
    b->message.n_exponent = 4;
}

static void gives_rows_of_runs(void **state)
{
    (void)state;
    block b;
    uint32_t pairs[] = {1, 2, 10, 3};
    alm_arena *arena = alm_arena_create(0);
    init_runs(&b, pairs);
    almanac_block it = opened(&b, arena);
    for (size_t i = 0; i < 5; i++) {
        almanac_row row = alm_block_row(&it, i);
        assert_int_equal(row.status, i < 2 ? 'P' : 'O');
        assert_int_equal(row.exponent, i < 2 ? 1 : 10);
        assert_string_equal(row.place, "310105");
    }
    alm_arena_destroy(&arena);
}

typedef struct runs_row {
    const char *name;
    uint32_t pairs[4];
    size_t count;
    const char *want; // in the message; NULL: it is good
} runs_row;

static const runs_row runs_rows[] = {
    {"runs: one", {1, 5}, 2, NULL},
    {"runs: one without rows among them", {1, 5, 2, 0}, 4, NULL},
    {"runs: too short", {1, 2, 10, 2}, 4, "column status, row 4"},
    {"runs: too long", {1, 2, 10, 4}, 4, "column status, row 5"},
    {"runs: much too long", {1, 2, 10, UINT32_MAX}, 4, "column status, row 5"},
    {"runs: half a pair", {1, 2, 10}, 3, "column status has 3 elements of 5 rows"},
    {"runs: no such number", {1, 2, 13, 3}, 4, "column status, row 2"},
};

static void takes_runs(void **state)
{
    const runs_row *row = *state;
    block b;
    uint32_t pairs[4];
    almanac_block it;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    memcpy(pairs, row->pairs, sizeof pairs);
    init_runs(&b, pairs);
    b.message.n_status = row->count;
    b.message.n_exponent = 0;
    alm_code code = alm_rows_view(&b.message, arena, &it, &st);
    assert_int_equal(code, row->want == NULL ? ALM_OK : ALM_INTERNAL);
    assert_true(row->want == NULL || strstr(st.message, row->want) != NULL);
    alm_arena_destroy(&arena);
}

static void gives_the_number_itself(void **state)
{
    (void)state;
    block b;
    alm_arena *arena = alm_arena_create(0);
    init(&b);
    b.bounds[1] = ALMANAC__V1__BOUNDS__BOUNDS_NUMBER;
    almanac_block it = opened(&b, arena);
    almanac_row second = alm_block_row(&it, 1);
    assert_true(second.lower == 168.53 && second.upper == 168.53);
    alm_arena_destroy(&arena);
}

static void gives_paces(void **state)
{
    (void)state;
    block b;
    alm_arena *arena = alm_arena_create(0);
    init(&b);
    almanac_block it = opened(&b, arena);
    assert_null(alm_block_row(&it, 0).pace);
    const almanac_pace *pace = alm_block_row(&it, 1).pace;
    assert_non_null(pace);
    assert_int_equal(pace->verdict, ALMANAC_BEHIND);
    assert_string_equal(pace->until, "2023");
    assert_int_equal(pace->pace.mantissa, 20);
    // What the sender does not know is no number.
    assert_false(pace->expected.has_number);
    assert_true(isinf(pace->expected.lower) && isinf(pace->expected.upper));
    assert_string_equal(pace->expected.unit, "");
    alm_arena_destroy(&arena);
}

// A block of no rows needs no texts.
static void gives_an_empty_block(void **state)
{
    (void)state;
    Almanac__V1__ResultBlock message;
    alm_arena *arena = alm_arena_create(0);
    almanac_block it;
    almanac__v1__result_block__init(&message);
    message.sequence = 7;
    assert_int_equal(alm_rows_view(&message, arena, &it, NULL), ALM_OK);
    assert_int_equal(it.row_count, 0);
    assert_int_equal(it.sequence, 7);
    alm_arena_destroy(&arena);
}

typedef struct damage_row {
    const char *name;
    void (*damage)(block *b);
    const char *want; // in the message
} damage_row;

static void long_column(block *b)
{
    b->message.n_upper = 3;
}
static void text_index(block *b)
{
    b->texts[11][1] = 4;
}
static void no_texts(block *b)
{
    b->message.n_text_ends = 0;
    b->table[0] = '\0';
}
static void no_texts_and_columns(block *b)
{
    no_texts(b);
    b->message.n_indicator = 0;
}
static void text_past_the_end(block *b)
{
    b->text_ends[3] = 19;
}
static void text_without_line_feed(block *b)
{
    b->text_ends[2] = 10;
}
static void texts_out_of_order(block *b)
{
    b->text_ends[2] = 4;
}
static void text_left_over(block *b)
{
    b->message.n_text_ends = 3;
}
static void first_text(block *b)
{
    b->table[0] = 'x';
    b->text_ends[0] = 4;
}
static void nul_in_text(block *b)
{
    b->table[6] = '\0';
}
static void too_many_rows(block *b)
{
    b->message.rows = 4097;
}
static void has_number(block *b)
{
    b->has_number[1] = 2;
}
static void bounds(block *b)
{
    b->bounds[1] = 3;
}
static void constant_status(block *b)
{
    b->status[0] = 13;
    b->message.n_status = 1;
}
static void exponent(block *b)
{
    b->exponent[0] = 41;
}
static void lower_above_upper(block *b)
{
    b->lower[1] = 2;
    b->upper[1] = 1;
}
static void not_a_number(block *b)
{
    b->lower[1] = (double)NAN;
}
static void qualifier(block *b)
{
    b->qualifier[1] = 11;
}
static void status(block *b)
{
    b->status[1] = 13;
}
static void origin(block *b)
{
    b->origin[0] = 2;
}
static void rows(block *b)
{
    b->message.rows = 3;
}

static void pace_row(block *b)
{
    b->pace[0].row = 2;
}
static void pace_order(block *b)
{
    b->pace[1].row = 1;
    b->message.n_pace = 2;
}
static void verdict(block *b)
{
    b->pace[0].verdict = (Almanac__V1__PaceVerdict)5;
}
static void figure_exponent(block *b)
{
    b->figure.exponent = -41;
}
static void figure_interval(block *b)
{
    b->figure.lower = (double)NAN;
}
static void figure_qualifier(block *b)
{
    b->figure.qualifier = 11;
}

static const damage_row damage_rows[] = {
    {"damage: a long column", long_column, "column upper has 3 elements of 2 rows"},
    {"damage: more rows than columns", rows, "column indicator, row 1"},
    {"damage: more rows than a block has", too_many_rows, "4097 rows"},
    {"damage: a text past the table", text_index, "column reason, row 1"},
    {"damage: no table", no_texts, "column indicator, row 0"},
    {"damage: neither table nor column", no_texts_and_columns, "column indicator, row 0"},
    {"damage: a text past the end", text_past_the_end, "text 3 of 4"},
    {"damage: a text that ends elsewhere", text_without_line_feed, "text 2 of 4"},
    {"damage: texts out of order", texts_out_of_order, "text 2 of 4"},
    {"damage: bytes of no text", text_left_over, "7 bytes behind the last text"},
    {"damage: a first text", first_text, "text 0 of 4"},
    {"damage: a NUL in a text", nul_in_text, "text 2 of 4"},
    {"damage: neither number nor none", has_number, "column has_number, row 1"},
    {"damage: bounds", bounds, "column bounds, row 1"},
    {"damage: a status of all rows", constant_status, "column status, row 0"},
    {"damage: exponent", exponent, "column exponent, row 0"},
    {"damage: interval", lower_above_upper, "column lower, row 1"},
    {"damage: no number", not_a_number, "column lower, row 1"},
    {"damage: qualifier", qualifier, "column qualifier, row 1"},
    {"damage: status", status, "column status, row 1"},
    {"damage: origin", origin, "column origin, row 0"},
    {"damage: a pace of no row", pace_row, "pace 0, of row 2"},
    {"damage: two paces of a row", pace_order, "pace 1, of row 1"},
    {"damage: verdict", verdict, "pace 0, of row 1"},
    {"damage: exponent of a figure", figure_exponent, "pace 0, of row 1"},
    {"damage: interval of a figure", figure_interval, "pace 0, of row 1"},
    {"damage: qualifier of a figure", figure_qualifier, "pace 0, of row 1"},
};

static void refuses(void **state)
{
    const damage_row *row = *state;
    alm_status st = ALM_STATUS_INIT;
    block b;
    init(&b);
    row->damage(&b);
    alm_arena *arena = alm_arena_create(0);
    almanac_block it;
    assert_int_equal(alm_rows_view(&b.message, arena, &it, &st), ALM_INTERNAL);
    assert_non_null(strstr(st.message, row->want));
    alm_arena_destroy(&arena);
}

// The walk reaches a string two messages down, and in a list.
static void refuses_text_that_is_not_utf8(void **state)
{
    (void)state;
    block b;
    init(&b);
    assert_int_equal(alm_utf8_check(&b.message.base, NULL), ALM_OK);
    b.table[10] = '\xe9';
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_utf8_check(&b.message.base, &st), ALM_INTERNAL);
    assert_non_null(strstr(st.message, "ResultBlock.texts"));
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(damage_rows) + ALM_ARRAY_LEN(runs_rows) + 7];
    size_t count = 0;
    for (; count < ALM_ARRAY_LEN(damage_rows); count++) {
        tests[count] = (struct CMUnitTest){.name = damage_rows[count].name,
                                           .test_func = refuses,
                                           .initial_state = (void *)(uintptr_t)&damage_rows[count]};
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(runs_rows); i++) {
        tests[count++] = (struct CMUnitTest){.name = runs_rows[i].name,
                                             .test_func = takes_runs,
                                             .initial_state = (void *)(uintptr_t)&runs_rows[i]};
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(gives_rows);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(gives_rows_of_runs);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(gives_rows_of_short_columns);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(gives_the_number_itself);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(gives_an_empty_block);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(gives_paces);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(refuses_text_that_is_not_utf8);
    return _cmocka_run_group_tests("rows", tests, count, NULL, NULL);
}
