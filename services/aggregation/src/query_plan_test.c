// Every word of a request that is wrong is refused with its field and value; what is right is
// turned into numbers.
#include "test_examples.h"

#include "alm/limits.h"

static const world_example refusals[] = {
    {"no indicator",
     {NULL},
     "p=310105 t=2023",
     "INVALID_ARGUMENT indicators: no indicator is named; \"*\" asks for every one\n"},
    {"star beside a name",
     {NULL},
     "i=gdp i=* p=310105 t=2023",
     "INVALID_ARGUMENT indicators: \"*\" asks for every indicator and stands alone\n"},
    {"measure",
     {NULL},
     "i=gdp p=310105 t=2023 m=levels",
     "INVALID_ARGUMENT measure: unknown measure \"levels\"; expected a measure such as level or "
     "growth_yoy, or *\n"},
    {"transform",
     {NULL},
     "i=gdp p=310105 t=2023 x=shares",
     "INVALID_ARGUMENT transforms: unknown transform \"shares\"; did you mean \"share\"?\n"},
    {"two transforms of one stage",
     {NULL},
     "i=gdp p=310105 t=2023 x=pc1 x=chg",
     "INVALID_ARGUMENT transforms: pc1 and chg exclude each other: a question has one of them\n"},
    {"order",
     {NULL},
     "i=gdp p=310105 t=2023 order=3",
     "INVALID_ARGUMENT order: unknown order 3; expected 0 to 2\n"},
    {"accumulation",
     {NULL},
     "i=gdp p=310105 t=2023 acc=X",
     "INVALID_ARGUMENT accumulation: unknown accumulation \"X\"; expected P or C\n"},
    {"frequency",
     {NULL},
     "i=gdp p=310105 t=2023 freq=Y",
     "INVALID_ARGUMENT frequency: unknown frequency \"Y\"; expected one of A, S, T, Q, M, W, D\n"},
    {"frequency of two letters",
     {NULL},
     "i=gdp p=310105 t=2023 freq=AM",
     "INVALID_ARGUMENT frequency: unknown frequency \"AM\"; expected one of A, S, T, Q, M, W, D\n"},
    {"group_by",
     {NULL},
     "i=gdp p=310105 t=2023 x=rollup group=county",
     "INVALID_ARGUMENT group_by: unknown group_by \"county\"; expected a level such as province, "
     "city or district\n"},
    {"group_by without a roll-up",
     {NULL},
     "i=gdp p=310105 t=2023 group=district",
     "INVALID_ARGUMENT group_by: group_by \"district\" goes with a roll-up only\n"},
    {"unit of a growth",
     {NULL},
     "i=gdp p=310105 t=2023 x=growth unit=CNY",
     "INVALID_ARGUMENT unit: pc1 has a unit of its own; unit \"CNY\" does not apply\n"},
    {"growth of every measure",
     {NULL},
     "i=gdp p=310105 t=2023 x=growth m=*",
     "INVALID_ARGUMENT measure: pc1 is computed of one measure such as level, not of \"*\"\n"},
    {"rank of a rank",
     {NULL},
     "i=gdp p=310105 t=2023 x=rank m=rank",
     "! gdp FAILED_PRECONDITION rank does not apply to a rank or a first: nothing is computed of "
     "it\n"},
    {"progress of a level",
     {NULL},
     "i=gdp p=310105 t=2023 x=target m=level",
     "INVALID_ARGUMENT measure: progress is against targets; measure \"level\" does not apply\n"},
    {"sequences",
     {NULL},
     "i=gdp p=310105 t=2023 min=9 at=5",
     "INVALID_ARGUMENT at_sequence: at_sequence 5 is before min_sequence 9\n"},
};

// The text of these comes from the model; here only field and code are ours.
static void names_the_field_of_the_model(void **unused)
{
    (void)unused;
    static const struct {
        const char *question, *field;
        alm_code code;
    } rows[] = {
        {"i=gdp p=999999 t=2023", "places", ALM_NOT_FOUND},
        {"i=gdp p=310105/** t=2023-13", "periods", ALM_INVALID_ARGUMENT},
        {"i=gdp p=310105/@ t=2023", "places", ALM_INVALID_ARGUMENT},
        {"i=gdp t=2023", "places", ALM_INVALID_ARGUMENT},
        {"i=gdp p=310105", "periods", ALM_INVALID_ARGUMENT},
        {"i=gdp p=310105 t=2023..2022", "periods", ALM_INVALID_ARGUMENT},
        {"i=gdp p=310105 t=2023 unit=furlong", "unit", ALM_INVALID_ARGUMENT},
        {"i=gdp p=310105 t=2023 as_of=2023-02-30", "as_of", ALM_INVALID_ARGUMENT},
        {"i=gdp p=310105 t=2023 as_of=2023", "as_of", ALM_INVALID_ARGUMENT},
        {"i=gdp p=310105 t=2023 by=industry", "breakdown", ALM_INVALID_ARGUMENT},
        {"i=gdp p=310105 t=2023 src=almanach", "sources", ALM_NOT_FOUND},
    };
    world w;
    world_init_shanghai(&w);
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        world_question q;
        alm_query_plan plan;
        alm_status st = ALM_STATUS_INIT;
        alm_arena *arena = alm_arena_create(0);
        world_ask(&q, rows[i].question);
        alm_code code = alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, &st);
        alm_arena_destroy(&arena);
        if (strcmp(st.field, rows[i].field) != 0 || st.code != code || code == ALM_OK ||
            (code != rows[i].code && code != ALM_OUT_OF_RANGE)) {
            fail_msg("%s: %s %s: %s", rows[i].question, alm_code_name(code), st.field, st.message);
        }
    }
    world_deinit(&w);
}

static void turns_words_into_numbers(void **unused)
{
    (void)unused;
    world w;
    world_init_shanghai(&w);
    world_question q;
    alm_query_plan plan;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    world_ask(&q, "i=gdp i=nothing p=310105,310101 t=2021..2022,2022,2020 by=size=large,industry=x "
                  "acc=C freq=A as_of=2024-03-01 src=yearbook src=report unit=亿元 min=3 at=5");
    if (alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, &st) != ALM_OK) {
        world_die(&st);
    }
    assert_int_equal(plan.item_count, 2);
    assert_null(plan.items[1].indicator);
    assert_int_equal(plan.items[1].fault.code, ALM_NOT_FOUND);
    assert_int_equal(plan.places.count, 2);
    assert_true(plan.place_ids[0] < plan.place_ids[1]);
    assert_int_equal(alm_query_plan_place_index(&plan, plan.places.ids[0]), 0);
    assert_int_equal(alm_query_plan_place_index(&plan, plan.places.ids[1]), 1);
    assert_int_equal(alm_query_plan_place_index(&plan, 0), ALM_PLACE_NONE);
    assert_int_equal(plan.listed_count, 3);
    assert_int_equal(plan.listed[0].ordinal, 2020);
    assert_int_equal(plan.listed[2].ordinal, 2022);
    assert_int_equal(plan.measure, ALM_MEASURE_LEVEL);
    assert_int_equal(plan.accumulation, ALM_ACCUMULATION_CUMULATIVE);
    assert_int_equal(plan.freq, ALM_FREQ_ANNUAL);
    assert_true(alm_str_eq(plan.breakdown, ALM_STR("industry=x+size=large")));
    assert_int_equal(plan.as_of, alm_date_from_ymd(2024, 3, 1));
    assert_int_equal(plan.source_count, 2);
    assert_true(plan.sources[0] < plan.sources[1]);
    assert_int_equal(plan.unit_choice, ALM_UNIT_GIVEN);
    assert_int_equal(plan.unit.mult, 8);
    assert_int_equal(plan.min_sequence, 3);
    assert_int_equal(plan.at_sequence, 5);
    alm_arena_destroy(&arena);
    world_deinit(&w);
}

static void bounds_its_lists(void **unused)
{
    (void)unused;
    world w;
    world_init_shanghai(&w);
    alm_query_plan plan;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    Almanac__V1__QueryRequest request;
    almanac__v1__query_request__init(&request);
    char name[] = "gdp";
    char *names[ALM_QUERY_INDICATOR_COUNT_MAX + 1];
    for (size_t i = 0; i < ALM_ARRAY_LEN(names); i++) {
        names[i] = name;
    }
    char place[] = "310105";
    char period[] = "2023";
    request.indicators = names;
    request.n_indicators = ALM_ARRAY_LEN(names);
    request.places = place;
    request.periods = period;
    assert_int_equal(alm_query_plan_make(&request, w.catalog, NULL, arena, &plan, &st),
                     ALM_RESOURCE_EXHAUSTED);
    assert_string_equal(st.field, "indicators");
    request.n_indicators--;
    assert_int_equal(alm_query_plan_make(&request, w.catalog, NULL, arena, &plan, &st), ALM_OK);
    assert_int_equal(plan.item_count, 1);

    char *longest = alm_arena_calloc(arena, ALM_EXPR_BYTES_MAX + 2, 1);
    memset(longest, ',', ALM_EXPR_BYTES_MAX + 1);
    request.places = longest;
    assert_int_equal(alm_query_plan_make(&request, w.catalog, NULL, arena, &plan, &st),
                     ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, "places");
    alm_arena_destroy(&arena);
    world_deinit(&w);
}

// Memory that runs out anywhere in planning or answering is told, and nothing is kept.
static void says_when_memory_runs_out(void **unused)
{
    (void)unused;
    static const char *const questions[] = {
        "i=gdp p=310105 t=2022..2023",       "i=gdp p=310105 t=latest x=growth",
        "i=gdp p=310105 t=2023 x=rank",      "i=gdp p=310105 t=2023 x=share",
        "i=gdp_pc p=310000 t=2023 x=rollup", "i=housing p=310105 t=all x=target",
    };
    world w;
    world_init_shanghai(&w);
    world_add(&w, "gdp 310105 2022 level 150.00 CNY_E8 note=n");
    world_add(&w, "gdp 310105 2023 level 169.50 CNY_E8");
    world_add(&w, "pop 310105 2023 level 69.5 persons_E4");
    world_add(&w, "gdp 310000 2023 level 4000 CNY_E8");
    world_add(&w, "housing 310105 2021/2025 target 15000 count_tao");
    world_add(&w, "housing 310105 2023 level 1000 count_tao");
    for (size_t i = 0; i < ALM_ARRAY_LEN(questions); i++) {
        alm_buf want;
        alm_buf_init(&want, 0);
        world_answer(&w, questions[i], &want);
        bool is_done = false;
        for (uint64_t n = 1; !is_done; n++) {
            world_question q;
            world_ask(&q, questions[i]);
            alm_arena *arena = alm_arena_create(0);
            alm_query_plan plan;
            alm_status st = ALM_STATUS_INIT;
            alm_buf lines;
            alm_buf_init(&lines, 0);
            alm_buf_reserve(&lines, 4096);
            alm_row_reader reader = world_reader(&w);
            alm_answer_sink sink = {&lines, world_take_row, world_take_fault, NULL};
            (void)alm_alloc_fail_at(n, true);
            alm_code code = alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, &st);
            if (code == ALM_OK) {
                code = alm_query_execute(&plan, &reader, &sink, arena, &st);
            }
            (void)alm_alloc_fail_at(0, false);
            assert_true(code == ALM_OK || code == ALM_RESOURCE_EXHAUSTED);
            is_done = code == ALM_OK;
            assert_true(!is_done ||
                        (lines.len == want.len && memcmp(lines.data, want.data, lines.len) == 0));
            alm_buf_deinit(&lines);
            alm_arena_destroy(&arena);
        }
        alm_buf_deinit(&want);
    }
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(names_the_field_of_the_model),
        cmocka_unit_test(turns_words_into_numbers),
        cmocka_unit_test(bounds_its_lists),
        cmocka_unit_test(says_when_memory_runs_out),
    };
    return world_run(refusals, ALM_ARRAY_LEN(refusals), others, ALM_ARRAY_LEN(others));
}
