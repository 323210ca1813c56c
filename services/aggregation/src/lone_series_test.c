// Rows of one place and variant stay as they came; whatever is none of these becomes cells, with
// all that was there.
#include "test_examples.h"

#include "lone_series.h"

#define ROWS 6

static const alm_str variants[2] = {{"A.gdp.P.level._Z._T", 19}, {"A.tax.P.level._Z._T", 19}};

typedef struct spot {
    uint32_t variant;
    alm_place_id place;
    int32_t year;
} spot;

typedef struct lone_row {
    const char *name;
    spot of[ROWS]; // year 0: no more
    size_t first;  // so many come in the first message, the others in the second
    bool is_lone;
} lone_row;

static const lone_row lone_rows[] = {
    {"lone: nothing", {{0}}, 0, true},
    {"lone: one row", {{0, 7, 2020}}, 1, true},
    {"lone: one message", {{1, 7, 2020}, {1, 7, 2021}, {1, 7, 2023}}, 3, true},
    {"lone: two messages", {{0, 7, 2020}, {0, 7, 2021}, {0, 7, 2023}}, 2, true},
    {"not lone: another place", {{0, 7, 2020}, {0, 8, 2021}}, 2, false},
    {"not lone: another variant", {{0, 7, 2020}, {1, 7, 2021}}, 2, false},
    {"not lone: another variant behind", {{0, 7, 2020}, {1, 7, 2021}}, 1, false},
    {"not lone: one period twice", {{0, 7, 2020}, {0, 7, 2020}}, 1, false},
    {"not lone: periods fall", {{0, 7, 2021}, {0, 7, 2020}}, 1, false},
    {"not lone: the second message", {{0, 7, 2020}, {0, 7, 2021}, {0, 8, 2021}}, 2, false},
};

static alm_period year_of(int32_t year)
{
    return (alm_period){.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = year};
}

static void visit(alm_lone_series *series, const spot *of, size_t count, alm_arena *arena)
{
    alm_obs rows[ROWS];
    alm_obs_columns columns;
    for (size_t i = 0; i < count; i++) {
        rows[i] = (alm_obs){.variant = of[i].variant,
                            .place = of[i].place,
                            .period = year_of(of[i].year),
                            .value = {.number = {100 + of[i].year, -1}, .has_number = true}};
    }
    assert_true(alm_obs_columns_of(rows, count, arena, &columns));
    assert_int_equal(alm_lone_series_visit(series, variants, 2, &columns, NULL), ALM_OK);
    memset(rows, 0xff, sizeof rows);
}

static void what_is_lone(void **state)
{
    const lone_row *row = *state;
    alm_arena *arena = alm_arena_create(0);
    alm_arena *message = alm_arena_create(0);
    alm_variant_table table;
    alm_cells cells;
    alm_lone_series series;
    size_t count = 0;
    assert_int_equal(alm_variant_table_init(&table, arena, NULL), ALM_OK);
    assert_int_equal(alm_cells_init(&cells, arena, &table, NULL), ALM_OK);
    alm_lone_series_init(&series, &cells);
    while (count < ROWS && row->of[count].year != 0) {
        count++;
    }
    if (row->first > 0) {
        visit(&series, row->of, row->first, message);
    }
    if (count > row->first) {
        alm_arena_reset(message); // a visit's rows are good during the visit only
        visit(&series, row->of + row->first, count - row->first, message);
    }
    alm_arena_destroy(&message);
    assert_int_equal(!series.is_spilt, row->is_lone);
    assert_int_equal(series.count, row->is_lone ? count : 0);
    if (row->is_lone) {
        assert_int_equal(cells.count, 0);
        assert_int_equal(alm_lone_series_spill(&series, NULL), ALM_OK);
    }
    for (size_t i = 0; i < count; i++) {
        alm_obs got;
        uint32_t variant;
        alm_variant decoded;
        assert_int_equal(alm_variant_decode(variants[row->of[i].variant], &decoded, NULL), ALM_OK);
        assert_int_equal(alm_variant_table_add(&table, &decoded, &variant, NULL), ALM_OK);
        assert_true(
            alm_cells_get(&cells, variant, row->of[i].place, year_of(row->of[i].year), &got));
        assert_int_equal(got.value.number.mantissa, 100 + row->of[i].year);
    }
    alm_arena_destroy(&arena);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(lone_rows)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(lone_rows); i++) {
        tests[i] = (struct CMUnitTest){.name = lone_rows[i].name,
                                       .test_func = what_is_lone,
                                       .initial_state = (void *)(uintptr_t)&lone_rows[i]};
    }
    return _cmocka_run_group_tests("lone_series", tests, ALM_ARRAY_LEN(tests), NULL, NULL);
}
