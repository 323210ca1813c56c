// Rows kept in columns, against a plain list of them.
#include "test_examples.h"

#include "cells.h"

#define ROWS 64

static const alm_str variants[2] = {{"A.gdp.P.level._Z._T", 19}, {"A.tax.P.level._Z._T", 19}};

// The columns of rows as a block has them: one element where all are alike.
typedef struct block {
    alm_obs rows[ROWS];
    size_t count;
    alm_str notes[ROWS + 1];
#define COLUMN(name, type) type name[ROWS];
    ALM_OBS_COLUMN_MAP(COLUMN)
#undef COLUMN
    alm_obs_columns columns;
} block;

static void fill(block *it)
{
    it->notes[0] = (alm_str){0};
    for (size_t i = 0; i < it->count; i++) {
        world_row_columns alone;
        world_row_columns_set(&alone, &it->rows[i]);
        it->notes[i + 1] = it->rows[i].note;
        alone.note = it->rows[i].note.len == 0 ? 0 : (uint32_t)i + 1;
#define COLUMN(name, type) it->name[i] = alone.name;
        ALM_OBS_COLUMN_MAP(COLUMN)
#undef COLUMN
    }
    it->columns = (alm_obs_columns){.count = it->count, .notes = it->notes};
#define COLUMN(name, type)                                                                         \
    it->columns.name = it->name;                                                                   \
    it->columns.each_##name = 1;
    ALM_OBS_COLUMN_MAP(COLUMN)
#undef COLUMN
    // The columns that are alike where rows are.
#define COLUMN(name)                                                                               \
    it->columns.each_##name = 0;                                                                   \
    for (size_t i = 1; i < it->count; i++) {                                                       \
        it->columns.each_##name |= it->name[i] != it->name[0];                                     \
    }
    COLUMN(exponent)
    COLUMN(flags)
    COLUMN(source)
    COLUMN(published)
    COLUMN(note)
    COLUMN(sequence)
#undef COLUMN
}

// Rows of some places in some periods of both variants, in the order storage answers them.
static void make_block(world_random *random, block *it)
{
    it->count = 0;
    bool is_alike = world_random_below(random, 2) == 0;
    for (uint32_t v = 0; v < 2; v++) {
        for (int32_t year = 2020; year < 2024; year++) {
            for (uint32_t place = 0; place < 8; place++) {
                if (world_random_below(random, 3) != 0) {
                    continue;
                }
                alm_obs row = {
                    .variant = v,
                    .place = place * 3,
                    .period = {ALM_FREQ_ANNUAL, 1, year},
                    .published = is_alike ? 1 : (alm_date)world_random_below(random, 99),
                    .source = is_alike ? 7 : (uint32_t)world_random_below(random, 3),
                    .value = {.has_number = is_alike || world_random_below(random, 4) != 0},
                };
                if (row.value.has_number) {
                    row.value.number =
                        (alm_decimal){(int64_t)world_random_below(random, 1000), is_alike ? -1 : 0};
                }
                if (!is_alike && world_random_below(random, 4) == 0) {
                    row.note = ALM_STR("a note");
                }
                it->rows[it->count++] = row;
            }
        }
    }
    fill(it);
}

static bool is_same_cell(const alm_obs *a, const alm_obs *b)
{
    return a->variant == b->variant && a->place == b->place && alm_period_eq(a->period, b->period);
}

static void check_same(const alm_obs *got, const alm_obs *want)
{
    assert_true(is_same_cell(got, want));
    assert_int_equal(got->value.has_number, want->value.has_number);
    assert_int_equal(got->value.number.mantissa, want->value.number.mantissa);
    assert_int_equal(got->value.number.exponent, want->value.number.exponent);
    assert_int_equal(got->source, want->source);
    assert_int_equal(got->published, want->published);
    assert_true(alm_str_eq(got->note, want->note));
}

static void keeps_what_came_first(void **unused)
{
    (void)unused;
    world_random random = world_random_start();
    for (int round = 0; round < 200; round++) {
        alm_arena *arena = alm_arena_create(0);
        alm_variant_table table;
        alm_cells cells;
        alm_obs list[ROWS * 4];
        size_t count = 0;
        assert_int_equal(alm_variant_table_init(&table, arena, NULL), ALM_OK);
        assert_int_equal(alm_cells_init(&cells, arena, &table, NULL), ALM_OK);
        for (int read = 0; read < 4; read++) {
            block it;
            make_block(&random, &it);
            if (it.count == 0) {
                continue;
            }
            assert_int_equal(alm_cells_visit(&cells, variants, 2, &it.columns, NULL), ALM_OK);
            for (size_t i = 0; i < it.count; i++) {
                size_t at = 0;
                while (at < count && !is_same_cell(&list[at], &it.rows[i])) {
                    at++;
                }
                list[at] = at == count ? it.rows[i] : list[at];
                count += at == count;
            }
            memset(&it, 0xa5, sizeof it); // nothing is borrowed
        }
        assert_int_equal(cells.count, count);
        for (size_t i = 0; i < count; i++) {
            alm_obs row = alm_cells_row(&cells, i);
            check_same(&row, &list[i]);
            assert_int_equal(alm_cells_find(&cells, list[i].variant, list[i].place, list[i].period),
                             i);
            assert_int_equal(
                alm_cells_find(&cells, list[i].variant, list[i].place + 1, list[i].period),
                ALM_CELL_NONE);
        }
        alm_arena_destroy(&arena);
    }
}

static void refuses_places_that_do_not_ascend(void **unused)
{
    (void)unused;
    alm_arena *arena = alm_arena_create(0);
    alm_variant_table table;
    alm_cells cells;
    alm_status st = ALM_STATUS_INIT;
    block it = {.count = 2};
    for (uint32_t i = 0; i < 2; i++) {
        it.rows[i] = (alm_obs){.place = 5, .period = {ALM_FREQ_ANNUAL, 1, 2020}, .published = 1};
    }
    fill(&it);
    assert_int_equal(alm_variant_table_init(&table, arena, NULL), ALM_OK);
    assert_int_equal(alm_cells_init(&cells, arena, &table, NULL), ALM_OK);
    assert_int_equal(alm_cells_visit(&cells, variants, 2, &it.columns, &st), ALM_INTERNAL);
    assert_string_equal(st.message, "storage answered rows out of order: A.gdp.P.level._Z._T");
    alm_arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_came_first),
        cmocka_unit_test(refuses_places_that_do_not_ascend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
