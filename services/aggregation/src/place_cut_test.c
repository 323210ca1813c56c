// Goal: only questions whose slices are the answer are cut; and a slice is of the places that the
// plan saw, or none. Method: a small tree and many days, a question a row.
#include "test_examples.h"

#include "place_cut.h"

#define CENTURY "t=1900-01-01..1999-12-31 "

static const struct {
    const char *question;
    size_t want; // places of a slice; 0: whole
} rows[] = {
    {"i=gdp p=310000/* " CENTURY, 1},
    {"i=gdp i=pop p=310000/* " CENTURY, 1},
    {"i=gdp p=310000/* t=1990-01-01..2019-12-31", 2}, // 54,785 cells
    {"i=gdp p=310000/* t=1995-01-01..2019-12-31", 0}, // 45,655
    {"i=gdp p=310000/* t=latest", 0},
    {"i=gdp p=310000/* t=last:20000", 0}, // those without a row are told one by one
    {"i=gdp p=310000/* t=all", 0},
    {"i=gdp p=310000/* order=1 " CENTURY, 0},
    {"i=gdp p=310000/* limit=10 " CENTURY, 0},
    {"i=gdp p=310000/* x=ma:3 " CENTURY, 0}, // as pch, below
    {"i=gdp p=310000/* x=log x=ma:3 " CENTURY, 1},
    {"i=gdp p=310000/* x=pc1 acc=P freq=D " CENTURY, 1},
    {"i=gdp p=310000/* x=pc1 " CENTURY, 1},
    {"i=gdp p=310000/* x=pc1 t=1900-01..2999-12", 2},
    {"i=gdp p=310000/* x=ma:3 acc=P " CENTURY, 1},
    {"i=gdp p=310000/* x=pch " CENTURY, 0}, // of values from the year's start it has none
    {"i=urban_rate p=310000/* x=pc1 " CENTURY, 0},
    {"i=gdp p=310000/* x=rank " CENTURY, 0},
    {"i=gdp p=310000/* x=rollup " CENTURY, 0},
    {"i=gdp p=310000/* x=share " CENTURY, 0},
    {"i=gdp p=310000/* x=contribution_pp " CENTURY, 0},
    {"i=gdp p=310000/* x=to:D " CENTURY, 0},
    {"i=gdp p=310000/* x=constant:2020 " CENTURY, 0},
    {"i=gdp/pop p=310000/* " CENTURY, 0},
    {"i=gdp i=gdp/pop p=310000/* " CENTURY, 0},
};

static void what_is_cut(void **unused)
{
    (void)unused;
    world w;
    world_init_shanghai(&w);
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        world_question q;
        alm_query_plan plan;
        alm_status st = ALM_STATUS_INIT;
        alm_arena *arena = alm_arena_create(0);
        world_ask(&q, rows[i].question);
        if (alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, &st) != ALM_OK) {
            fail_msg("%s: %s", rows[i].question, st.message);
        }
        if (alm_place_cut(&plan) != rows[i].want) {
            fail_msg("%s: %zu", rows[i].question, alm_place_cut(&plan));
        }
        alm_arena_destroy(&arena);
    }
    world_deinit(&w);
}

static void slices_of_one_list(void **unused)
{
    (void)unused;
    world w;
    world_question q;
    alm_query_plan whole, plan;
    alm_status st = ALM_STATUS_INIT;
    Almanac__V1__PlaceSlice slice;
    alm_arena *arena = alm_arena_create(0);
    world_init_shanghai(&w);
    world_ask(&q, "i=gdp p=310106,310000/* t=2023");
    assert_int_equal(alm_query_plan_make(&q.request, w.catalog, NULL, arena, &whole, &st), ALM_OK);
    assert_true(whole.is_first);
    almanac__v1__place_slice__init(&slice);
    slice.of = (uint32_t)whole.places.count;
    slice.digest = whole.whole_digest;
    slice.count = 2;
    q.request.slice = &slice;
    for (slice.from = 0; slice.from + 2 <= slice.of; slice.from++) {
        assert_int_equal(alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, &st),
                         ALM_OK);
        assert_int_equal(plan.places.count, 2);
        assert_int_equal(plan.whole_count, whole.places.count);
        assert_int_equal(plan.is_first, slice.from == 0);
        for (uint32_t k = 0; k < 2; k++) {
            alm_place_id id = whole.places.ids[slice.from + k];
            assert_int_equal(plan.places.ids[k], id);
            assert_int_equal(alm_query_plan_place_index(&plan, id), k);
        }
        alm_place_id other = whole.places.ids[(slice.from + 2) % slice.of];
        assert_int_equal(alm_query_plan_place_index(&plan, other), ALM_PLACE_NONE);
    }
    assert_int_equal(alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, &st),
                     ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, "slice");
    slice.from = UINT32_MAX;
    assert_int_equal(alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, &st),
                     ALM_INVALID_ARGUMENT);
    slice.from = 0;
    slice.digest++;
    assert_int_equal(alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, &st),
                     ALM_ABORTED);
    alm_arena_destroy(&arena);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_cut),
        cmocka_unit_test(slices_of_one_list),
    };
    return cmocka_run_group_tests_name("place_cut", tests, NULL, NULL);
}
