// Observations as published: what is answered for cells that have none, units, order and limit.
#include "test_examples.h"

static const world_example examples[] = {
    {"a value",
     {"gdp 310105 2023 level 168.53 CNY_E8 s=P"},
     "i=gdp p=310105 t=2023",
     "310105 2023 level P 168.53 CNY_E8 P\n"},
    {"a named cell without an observation",
     {NULL},
     "i=gdp p=310105 t=2024",
     "310105 2024 level P - CNY_E8 O -- no observation of gdp for 310105 in 2024\n"},
    {"of every indicator only those with rows",
     {"gdp 310105 2023 level 168.53 CNY_E8"},
     "i=* p=310105 t=2023",
     "310105 2023 level P 168.53 CNY_E8\n"},
    {"missing cells of a list, in order of places, then periods",
     {"gdp 310105 2022 level 1 CNY_E8", "gdp 310101 2023 level 2 CNY_E8"},
     "i=gdp p=310105,310101 t=2022..2023",
     "310105 2022 level P 1 CNY_E8\n"
     "310105 2023 level P - CNY_E8 O -- no observation of gdp for 310105 in 2023\n"
     "310101 2022 level P - CNY_E8 O -- no observation of gdp for 310101 in 2022\n"
     "310101 2023 level P 2 CNY_E8\n"},
    {"latest of a place without rows",
     {"gdp 310101 2021 level 1 CNY_E8", "gdp 310101 2022 level 2 CNY_E8"},
     "i=gdp p=310101,310105 t=latest",
     "310101 2022 level P 2 CNY_E8\n"
     "310105  level P - CNY_E8 O -- no observation of gdp for 310105\n"},
    {"a published gap says why",
     {"gdp 310105 2023 level - CNY_E8 s=Q"},
     "i=gdp p=310105 t=2023",
     "310105 2023 level P - CNY_E8 Q -- missing, suppressed\n"},
    {"another measure",
     {"gdp 310105 2023 growth_yoy 5.2 percent"},
     "i=gdp p=310105,310101 t=2023 m=growth_yoy",
     "310105 2023 growth_yoy P 5.2 percent\n"
     "310101 2023 growth_yoy P - CNY_E8 O -- no growth_yoy of gdp for 310101 in 2023\n"},
    {"every measure",
     {"gdp 310105 2023 level 168.53 CNY_E8", "gdp 310105 2023 growth_yoy 5.2 percent",
      "gdp 310105 2023 rank.@310000 5 rank"},
     "i=gdp p=310105 t=2023 m=*",
     "310105 2023 growth_yoy P 5.2 percent\n"
     "310105 2023 level P 168.53 CNY_E8\n"
     "310105 2023 rank.@310000 P 5 rank\n"},
    {"converted to a unit, exactly",
     {"gdp 310105 2022 level 1500000 CNY_E4", "gdp 310105 2023 level 168.53 CNY_E8",
      "gdp 310105 2023 growth_yoy 5.2 percent"},
     "i=gdp p=310105 t=2022..2023 m=* unit=CNY_E8",
     "310105 2022 level P 150.0000 CNY_E8\n"
     "310105 2023 growth_yoy P 5.2 percent\n"
     "310105 2023 level P 168.53 CNY_E8\n"},
    {"converted where no decimal is exact",
     {"green 310105 2023 level 100 mu"},
     "i=green p=310105 t=2023 unit=indicator",
     "310105 2023 level P 6.6666666667 m2_E4\n"},
    {"a bound stays true where a unit must be rounded",
     {"green 310105 2023 level 1000 mu q=more_than", "green 310104 2023 level 1000 mu q=at_most",
      "green 310106 2023 level 1000 mu"},
     "i=green p=310104,310105,310106 t=2023 unit=m2",
     "310104 2023 level P 666666.666668 m2 at_most\n"
     "310105 2023 level P 666666.666666 m2 more_than\n"
     "310106 2023 level P 666666.666667 m2\n"},
    {"a unit of another dimension fails its item only",
     {"gdp 310105 2023 level 168.53 CNY_E8", "green 310105 2023 level 3 ha"},
     "i=gdp i=green p=310105 t=2023 unit=m2",
     "! gdp INVALID_ARGUMENT level of gdp is a quantity of yuan; it does not convert to m2 "
     "(area)\n"
     "310105 2023 level P 30000 m2\n"},
    {"an unknown indicator fails its item only",
     {"gdp 310105 2023 level 168.53 CNY_E8"},
     "i=gdpp i=gdp p=310105 t=2023",
     "! gdpp NOT_FOUND unknown indicator 'gdpp'; did you mean gdp (gdp)?\n"
     "310105 2023 level P 168.53 CNY_E8\n"},
    {"the same indicator twice is answered once",
     {"gdp 310105 2023 level 168.53 CNY_E8"},
     "i=gdp i=gdp p=310105 t=2023",
     "310105 2023 level P 168.53 CNY_E8\n"},
    {"largest first across units, gaps last",
     {"gdp 310101 2023 level 20000 CNY_E4", "gdp 310104 2023 level 3 CNY_E8",
      "gdp 310105 2023 level 1 CNY_E8", "gdp 310106 2023 level - CNY_E8 s=L"},
     "i=gdp p=310000/*@district t=2023 order=1",
     "310104 2023 level P 3 CNY_E8\n"
     "310101 2023 level P 20000 CNY_E4\n"
     "310105 2023 level P 1 CNY_E8\n"
     "310106 2023 level P - CNY_E8 L -- missing, not collected\n"},
    {"targets by value, whatever their multipliers",
     {"gdp 310101 2023 target 600.0 CNY_E8", "gdp 310104 2023 target 7000000 CNY_E4",
      "gdp 310105 2023 target 5000000 CNY_E4"},
     "i=gdp p=310101,310104,310105 t=2023 m=target order=1",
     "310104 2023 target P 7000000 CNY_E4\n"
     "310101 2023 target P 600.0 CNY_E8\n"
     "310105 2023 target P 5000000 CNY_E4\n"},
    {"smallest first, cut",
     {"gdp 310101 2023 level 20000 CNY_E4", "gdp 310104 2023 level 3 CNY_E8",
      "gdp 310105 2023 level 1 CNY_E8"},
     "i=gdp p=310000/*@district t=2023 order=2 limit=2",
     "310105 2023 level P 1 CNY_E8\n"
     "310101 2023 level P 20000 CNY_E4\n"},
    {"of numbers that are rounded to be compared none is left out",
     {"green 310101 2023 level 1 mu", "green 310104 2023 level 1000 mu",
      "green 310105 2023 level 1000.0000000001 mu"},
     "i=green p=310105,310104,310101 t=2023 order=1 limit=1",
     "310104 2023 level P 1000 mu\n"},
    {"as of a day",
     {"gdp 310105 2023 level 200 CNY_E8 q=more_than pub=2024-01-10",
      "gdp 310105 2023 level 228.62 CNY_E8 pub=2025-01-10"},
     "i=gdp p=310105 t=2023 as_of=2024-12-31",
     "310105 2023 level P 200 CNY_E8 more_than\n"},
    {"as of a day before anything was published",
     {"gdp 310105 2023 level 200 CNY_E8 pub=2024-01-10"},
     "i=gdp p=310105 t=2023 as_of=2023-12-31",
     "310105 2023 level P - CNY_E8 O -- no observation of gdp for 310105 in 2023 as of "
     "2023-12-31\n"},
    {"what is published later waits for its day",
     {"gdp 310105 2023 level 200 CNY_E8 pub=2024-02-01",
      "gdp 310105 2023 level 210 CNY_E8 pub=2024-03-01"},
     "i=gdp p=310105 t=2023 today=2024-02-29",
     "310105 2023 level P 200 CNY_E8\n"},
    {"on which it counts",
     {"gdp 310105 2023 level 200 CNY_E8 pub=2024-02-01",
      "gdp 310105 2023 level 210 CNY_E8 pub=2024-03-01"},
     "i=gdp p=310105 t=2023 today=2024-03-01",
     "310105 2023 level P 210 CNY_E8\n"},
    {"a later day that is named goes before",
     {"gdp 310105 2023 level 200 CNY_E8 pub=2024-02-01",
      "gdp 310105 2023 level 210 CNY_E8 pub=2024-03-01"},
     "i=gdp p=310105 t=2023 today=2024-02-01 as_of=2024-03-01",
     "310105 2023 level P 210 CNY_E8\n"},
    {"nothing yet",
     {"gdp 310105 2023 level 200 CNY_E8 pub=2024-02-01"},
     "i=gdp p=310105 t=2023 today=2024-01-31",
     "310105 2023 level P - CNY_E8 O -- no observation of gdp for 310105 in 2023\n"},
    {"of one source",
     {"gdp 310105 2023 level 1 CNY_E8 src=report", "gdp 310105 2023 level 2 CNY_E8 src=yearbook"},
     "i=gdp p=310105 t=2023 src=report",
     "310105 2023 level P 1 CNY_E8\n"},
    {"a withdrawn value is gone, not zero",
     {"gdp 310105 2023 level 1 CNY_E8 pub=2024-01-01", "gdp 310105 2023 level - CNY_E8 s=W "
                                                       "pub=2024-02-01"},
     "i=gdp p=310105 t=2023",
     "310105 2023 level P - CNY_E8 W -- withdrawn on 2024-02-01\n"},
    {"who withdrew is said, also of the latest and of all periods",
     {"gdp 310105 2022 level 1 CNY_E8 src=report pub=2023-01-01",
      "gdp 310105 2022 level - CNY_E8 s=W src=report pub=2023-03-01",
      "gdp 310105 2023 level 1 CNY_E8 src=yearbook pub=2024-01-01",
      "gdp 310105 2023 level - CNY_E8 s=W src=yearbook pub=2024-02-01"},
     "i=gdp p=310105 t=latest",
     "310105 2023 level P - CNY_E8 W -- withdrawn by yearbook on 2024-02-01\n"},
    {"a latest value goes before what was withdrawn later",
     {"gdp 310105 2022 level 1 CNY_E8 src=report pub=2023-01-01",
      "gdp 310105 2023 level - CNY_E8 s=W src=yearbook pub=2024-02-01"},
     "i=gdp p=310105 t=latest",
     "310105 2022 level P 1 CNY_E8\n"},
    {"the latest of what was only ever suppressed",
     {"gdp 310105 2021 level - CNY_E8 s=Q", "gdp 310105 2022 level - CNY_E8 s=Q"},
     "i=gdp p=310105,310101 t=latest",
     "310105 2022 level P - CNY_E8 Q -- missing, suppressed\n"
     "310101  level P - CNY_E8 O -- no observation of gdp for 310101\n"},
    {"the latest of each measure without a value",
     {"gdp 310105 2022 level 1 CNY_E8 src=report pub=2023-01-01",
      "gdp 310105 2022 level - CNY_E8 s=W src=report pub=2023-03-01",
      "gdp 310105 2023 growth_yoy - percent s=Q"},
     "i=gdp p=310105 t=latest m=*",
     "310105 2022 level P - CNY_E8 W -- withdrawn by report on 2023-03-01\n"
     "310105 2023 growth_yoy P - percent Q -- missing, suppressed\n"},
    {"one source withdraws, another's figure stands",
     {"gdp 310105 2023 level 1 CNY_E8 src=report pub=2024-01-01",
      "gdp 310105 2023 level - CNY_E8 s=W src=yearbook pub=2024-02-01"},
     "i=gdp p=310105 t=2023",
     "310105 2023 level P 1 CNY_E8\n"},
    {"zero is a value",
     {"gdp 310105 2023 level 0 CNY_E8"},
     "i=gdp p=310105 t=2023",
     "310105 2023 level P 0 CNY_E8\n"},
    {"totals only unless breakdowns are asked",
     {"gdp 310105 2023 level 10 CNY_E8", "gdp 310105 2023 level 3 CNY_E8 by=industry=software"},
     "i=gdp p=310105 t=2023",
     "310105 2023 level P 10 CNY_E8\n"},
    {"one breakdown",
     {"gdp 310105 2023 level 10 CNY_E8", "gdp 310105 2023 level 3 CNY_E8 by=industry=software"},
     "i=gdp p=310105 t=2023 by=industry=software",
     "310105 2023 level by industry=software P 3 CNY_E8\n"},
    {"cumulative only",
     {"gdp 310105 2023-06 level 10 CNY_E8", "gdp 310105 2023-06 level 60 CNY_E8 acc=C"},
     "i=gdp p=310105 t=2023-06 acc=C",
     "310105 2023-06 level acc=C P 60 CNY_E8\n"},
    {"a place that had ended by then is not missing",
     {NULL},
     "i=gdp p=310108 t=2015..2016 freq=A",
     ""},
    {"a frequency that no listed period has",
     {"gdp 310105 2023 level 10 CNY_E8"},
     "i=gdp p=310105 t=2023 freq=M",
     ""},
};

// More rows than one answer may have: told with the estimate and the limit.
static void refuses_more_than_the_limit(void **unused)
{
    (void)unused;
    alm_arena *arena = alm_arena_create(0);
    world w;
    world_init_shanghai(&w);
    world_question q;
    alm_query_plan plan;
    world_ask(&q, "i=gdp p=310105,310101 t=1001..9000");
    assert_int_equal(alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, NULL), ALM_OK);
    assert_string_equal(alm_query_plan_estimate(&plan, arena),
                        "2 places x 8000 periods = 16000 cells");
    assert_int_equal(plan.listed_count, 0);
    world_ask(&q, "i=gdp p=310105 t=2001..");
    assert_int_equal(alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, NULL), ALM_OK);
    assert_string_equal(alm_query_plan_estimate(&plan, arena), "1 places x every period");

    alm_variant_table variants;
    alm_answers answers;
    uint32_t variant;
    assert_int_equal(alm_variant_table_init(&variants, arena, NULL), ALM_OK);
    assert_int_equal(
        alm_variant_table_intern(&variants, ALM_STR("A.gdp.P.level._Z._T"), &variant, NULL),
        ALM_OK);
    alm_answers_init(&answers, arena, &variants);
    alm_obs obs = {.variant = variant};
    alm_status st = ALM_STATUS_INIT;
    for (size_t i = 0; i < 2000000; i++) {
        assert_int_equal(alm_answers_add_published(&answers, &obs, &st), ALM_OK);
    }
    assert_int_equal(alm_answers_add_published(&answers, &obs, &st), ALM_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(st.message, "2000000"));
    alm_arena_destroy(&arena);
    world_deinit(&w);
}

static uint32_t below(uint64_t *state, uint32_t end)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*state >> 33) % end);
}

// Few numbers, so that many are the same, in units of which some are not the indicator's.
static void add_random_rows(world *w, uint64_t *state)
{
    static const char *places[] = {"310101", "310104", "310105", "310106", "310000"};
    static const char *units[] = {"CNY_E8", "CNY_E8", "CNY_E8", "CNY_E4", "USD_E8"};
    uint32_t unit_count = 1 + below(state, ALM_ARRAY_LEN(units)); // often all in one
    for (size_t i = 0; i < ALM_ARRAY_LEN(places); i++) {
        for (uint32_t year = 2021; year < 2024; year++) {
            char line[128];
            char number[16];
            (void)snprintf(number, sizeof number, "%s%d.%u", below(state, 9) == 0 ? "1000" : "",
                           (int)below(state, 4), below(state, 2));
            bool has_number = below(state, 5) > 0;
            if (below(state, 6) > 0) {
                (void)snprintf(line, sizeof line, "gdp %s %u %s %s %s%s", places[i], year,
                               below(state, 4) > 0 ? "level" : "target", has_number ? number : "-",
                               units[below(state, unit_count)], has_number ? "" : " s=L");
                world_add(w, line);
            }
        }
    }
}

// Rows that storage leaves out of an order by value would not be told either.
static void tells_the_first_of_all(void **unused)
{
    static const char *periods[] = {"2023", "2021..2023", "latest", "all"};
    (void)unused;
    uint64_t state = 7;
    for (int round = 0; round < 3000; round++) {
        char question[160];
        world w;
        alm_buf cut, whole;
        alm_buf_init(&cut, 0);
        alm_buf_init(&whole, 0);
        world_init_shanghai(&w);
        add_random_rows(&w, &state);
        (void)snprintf(
            question, sizeof question,
            "i=%s p=310101,310104,310105,310106,310000 t=%s m=%s order=%u limit=%u",
            below(&state, 2) == 0 ? "gdp" : "*", periods[below(&state, ALM_ARRAY_LEN(periods))],
            below(&state, 2) == 0 ? "level" : "*", 1 + below(&state, 2), 1 + below(&state, 5));
        world_answer(&w, question, &cut);
        w.has_no_top = true;
        world_answer(&w, question, &whole);
        alm_buf_char(&whole, '\0');
        world_want(&cut, question, (const char *)whole.data);
        alm_buf_deinit(&cut);
        alm_buf_deinit(&whole);
        world_deinit(&w);
    }
}

int main(void)
{
    const struct CMUnitTest others[] = {cmocka_unit_test(refuses_more_than_the_limit),
                                        cmocka_unit_test(tells_the_first_of_all)};
    return world_run(examples, ALM_ARRAY_LEN(examples), others, ALM_ARRAY_LEN(others));
}
