// The index against a plain list, and the variant table where two texts share a hash slot's
// neighbours.
#include "test_examples.h"

#include "cell_index.h"
#include "convert.h"

#include <inttypes.h>
#include <math.h>

static void finds_what_a_list_finds(void **unused)
{
    (void)unused;
    world_random random = world_random_start();
    for (int round = 0; round < 50; round++) {
        alm_arena *arena = alm_arena_create(0);
        alm_cell_index index;
        assert_int_equal(alm_cell_index_init(&index, arena, NULL), ALM_OK);
        uint64_t a[500], b[500];
        size_t count = 0;
        for (uint32_t i = 0; i < 1000; i++) {
            uint64_t x = world_random_below(&random, 20);
            uint64_t y = world_random_below(&random, 50) << 32;
            size_t at = 0;
            while (at < count && (a[at] != x || b[at] != y)) {
                at++;
            }
            assert_int_equal(alm_cell_index_find(&index, x, y),
                             at < count ? (uint32_t)at : ALM_CELL_NONE);
            if (count < ALM_ARRAY_LEN(a)) {
                uint32_t got;
                assert_int_equal(alm_cell_index_add(&index, x, y, (uint32_t)count, &got, NULL),
                                 ALM_OK);
                assert_int_equal(got, at);
                if (at == count) {
                    a[count] = x;
                    b[count++] = y;
                }
            }
        }
        assert_int_equal(index.count, count);
        alm_arena_destroy(&arena);
    }
}

static void gives_every_variant_its_texts(void **unused)
{
    (void)unused;
    alm_arena *arena = alm_arena_create(0);
    alm_variant_table table;
    uint32_t id, again, sibling;
    assert_int_equal(alm_variant_table_init(&table, arena, NULL), ALM_OK);
    alm_str text = ALM_STR("A.tax.P.share_of.tax_revenue@310105.industry=software+size=large");
    assert_int_equal(alm_variant_table_intern(&table, text, &id, NULL), ALM_OK);
    assert_int_equal(alm_variant_table_intern(&table, text, &again, NULL), ALM_OK);
    assert_int_equal(id, again);
    const alm_variant_entry *entry = alm_variant_table_get(&table, id);
    assert_true(alm_str_eq(entry->relation, ALM_STR("tax_revenue@310105")));
    assert_true(alm_str_eq(entry->breakdown, ALM_STR("industry=software+size=large")));
    assert_int_equal(alm_variant_table_sibling(&table, id, ALM_MEASURE_LEVEL, NULL, &sibling, NULL),
                     ALM_OK);
    entry = alm_variant_table_get(&table, sibling);
    assert_true(alm_str_eq(entry->text, ALM_STR("A.tax.P.level._Z.industry=software+size=large")));
    assert_int_equal(entry->relation.len, 0);
    for (int i = 0; i < 1000; i++) {
        char many[64];
        snprintf(many, sizeof many, "A.i%d.P.level._Z._T", i);
        assert_int_equal(alm_variant_table_intern(&table, alm_str_from(many), &id, NULL), ALM_OK);
        assert_int_equal(id, i + 2);
    }
    assert_int_equal(table.count, 1002);
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_variant_table_intern(&table, ALM_STR("A.gdp"), &id, &st),
                     ALM_INVALID_ARGUMENT);
    assert_int_equal(table.count, 1002);
    alm_arena_destroy(&arena);
}

// For every two units of one dimension the factor is what converting a number gives.
static void scales_as_the_model_converts(void **unused)
{
    (void)unused;
    size_t pairs = 0;
    for (uint8_t from = 1; from <= 28; from++) {
        for (uint8_t to = 1; to <= 28; to++) {
            for (int8_t mult = -2; mult <= 8; mult += 2) {
                alm_unit a = {.measure = from, .mult = mult};
                alm_unit b = {.measure = to, .mult = (int8_t)(4 - mult)};
                if (!alm_unit_valid(a) || !alm_unit_valid(b) || !alm_unit_convertible(a, b)) {
                    continue;
                }
                alm_value value = {.number = {123456789, -3}, .unit = a, .has_number = true};
                alm_decimal number;
                assert_int_equal(alm_number_in_unit(&value, b, &number, NULL), ALM_OK);
                double want = alm_decimal_to_double(number);
                double got = alm_decimal_to_double(value.number) * alm_unit_factor(a, b);
                if (fabs(got - want) > fabs(want) * 1e-9) {
                    fail_msg("unit %u to %u mult %d: %g, want %g", from, to, mult, got, want);
                }
                pairs++;
            }
        }
    }
    assert_true(pairs > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_list_finds),
        cmocka_unit_test(gives_every_variant_its_texts),
        cmocka_unit_test(scales_as_the_model_converts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
