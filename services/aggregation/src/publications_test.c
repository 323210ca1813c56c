// Which publication of a cell counts: held against the slow reader of the test world, over random
// vintages of three sources, with withdrawals, on every day.
#include "test_examples.h"

#include "publications.h"

#define ROUND_COUNT       500
#define VINTAGE_COUNT_MAX 6
#define DAY_COUNT         5

static void add_random(world *w, world_random *r)
{
    static const char *const sources[] = {"", " src=report", " src=yearbook"};
    uint64_t count = 1 + world_random_below(r, VINTAGE_COUNT_MAX);
    bool is_used[3][DAY_COUNT] = {0};
    for (uint64_t i = 0; i < count; i++) {
        uint64_t source = world_random_below(r, 3);
        uint64_t day = world_random_below(r, DAY_COUNT);
        if (is_used[source][day]) {
            continue; // one source says one thing a day
        }
        is_used[source][day] = true;
        char line[128];
        bool is_withdrawn = world_random_below(r, 4) == 0;
        snprintf(line, sizeof line, "gdp 310105 2023 level %s CNY_E8%s pub=2024-01-%02d%s",
                 is_withdrawn ? "-" : "1", is_withdrawn ? " s=W" : "", (int)day + 1,
                 sources[source]);
        world_add(w, line);
    }
}

static alm_fetch fetch_all(alm_place_id *place, alm_date as_of, bool all_vintages)
{
    return (alm_fetch){.breakdown = ALM_STR("*"),
                       .places = place,
                       .place_count = 1,
                       .periods = {.kind = ALM_PERIOD_EXPR_ALL},
                       .as_of = as_of,
                       .all_vintages = all_vintages};
}

static alm_code take_winner(void *arg, const alm_str *variants, size_t variant_count,
                            const alm_obs_columns *rows, alm_status *st)
{
    (void)variants;
    (void)variant_count;
    (void)st;
    assert_int_equal(rows->count, 1);
    *(uint64_t *)arg = rows->sequence[0];
    return ALM_OK;
}

static void check_day(world *w, const alm_publications *it, alm_place_id place, alm_date day)
{
    alm_row_reader reader = world_reader(w);
    alm_fetch fetch = fetch_all(&place, day, false);
    uint64_t want = 0;
    assert_int_equal(reader.read(reader.self, &fetch, take_winner, &want, NULL), ALM_OK);
    alm_cell_rows cell = alm_publications_cell(it, 0);
    assert_int_equal(cell.count, it->count);
    const alm_obs *got = alm_publications_choose(it, cell, day);
    assert_int_equal(got == NULL ? 0 : got->sequence, want);
}

static void chooses_as_a_reader_does(void **state)
{
    (void)state;
    world w;
    world_init_shanghai(&w);
    world_random r = world_random_start();
    alm_place_id place = alm_place_tree_find(alm_catalog_places(w.catalog), ALM_STR("310105"));
    alm_arena *arena = alm_arena_create(0);
    for (int i = 0; i < ROUND_COUNT; i++) {
        alm_variant_table variants;
        alm_publications it = {.arena = arena, .catalog = w.catalog, .variants = &variants};
        assert_int_equal(alm_variant_table_init(&variants, arena, NULL), ALM_OK);
        add_random(&w, &r);
        alm_row_reader reader = world_reader(&w);
        alm_fetch fetch = fetch_all(&place, ALM_DATE_MAX, true);
        assert_int_equal(reader.read(reader.self, &fetch, alm_publications_visit, &it, NULL),
                         ALM_OK);
        alm_publications_sort(&it);
        for (int day = 0; day <= DAY_COUNT; day++) {
            check_day(&w, &it, place, alm_date_from_ymd(2024, 1, 1) + day - 1);
        }
        check_day(&w, &it, place, ALM_DATE_MAX);
        world_forget(&w);
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
    world_deinit(&w);
}

static void finds_cells_and_companions(void **state)
{
    (void)state;
    world w;
    world_init_shanghai(&w);
    world_add(&w, "gdp 310105 2022 level 1 CNY_E8 src=report pub=2024-01-01");
    world_add(&w, "gdp 310105 2023 level 2 CNY_E8 src=report pub=2024-01-01");
    world_add(&w, "gdp 310105 2023 level 3 CNY_E8 src=yearbook pub=2024-01-02");
    world_add(&w, "gdp 310105 2022 level - CNY_E8 s=W src=report pub=2024-01-03");
    alm_place_id place = alm_place_tree_find(alm_catalog_places(w.catalog), ALM_STR("310105"));
    alm_variant_table variants;
    alm_publications it = {.arena = w.arena, .catalog = w.catalog, .variants = &variants};
    assert_int_equal(alm_variant_table_init(&variants, w.arena, NULL), ALM_OK);
    alm_row_reader reader = world_reader(&w);
    alm_fetch fetch = fetch_all(&place, ALM_DATE_MAX, true);
    assert_int_equal(reader.read(reader.self, &fetch, alm_publications_visit, &it, NULL), ALM_OK);
    alm_publications_sort(&it);
    const alm_obs *withdrawn = &it.rows[0];
    const alm_obs *reported = &it.rows[2];
    alm_cell_rows then = alm_publications_find(&it, reported->variant, place, withdrawn->period);
    alm_cell_rows now = alm_publications_find(&it, reported->variant, place, reported->period);
    assert_int_equal(then.count, 2);
    assert_int_equal(now.count, 2);
    assert_null(alm_publications_same(then, reported));
    assert_ptr_equal(alm_publications_same(now, withdrawn), reported);
    assert_false(alm_publication_is_last_word(then, withdrawn, ALM_DATE_MAX));
    assert_true(alm_publication_is_last_word(then, withdrawn, withdrawn->published));
    assert_int_equal(
        alm_publications_find(&it, reported->variant, place + 1, reported->period).count, 0);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_as_a_reader_does),
        cmocka_unit_test(finds_cells_and_companions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
