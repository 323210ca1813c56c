// What holds of every explanation: what a value depends on is in its tree, which is bounded, and
// says what was committed later.
#include "test_examples.h"

#include "explain.h"

static Almanac__V1__ExplainResponse *explain(world *w, const char *question, world *newest,
                                             alm_arena *arena)
{
    world_question *q = alm_arena_calloc(arena, 1, sizeof *q);
    alm_query_plan *plan = alm_arena_calloc(arena, 1, sizeof *plan);
    Almanac__V1__ExplainResponse *response = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_non_null(q);
    assert_non_null(plan);
    world_ask(q, question);
    if (alm_query_plan_make(&q->request, w->catalog, NULL, arena, plan, &st) != ALM_OK) {
        world_die(&st);
    }
    alm_row_reader reader = world_reader(w);
    alm_row_reader later = world_reader(newest == NULL ? w : newest);
    if (alm_explain(plan, &reader, newest == NULL ? NULL : &later, arena, &response, &st) !=
        ALM_OK) {
        world_die(&st);
    }
    return response;
}

// --- what a value depends on --------------------------------------------------------------------

// Single cells; every transform, alone or with others.
static const char *const questions[] = {
    "i=gdp p=310105 t=2022",
    "i=gdp p=310105 t=2022 x=pc1",
    "i=gdp p=310105 t=2022 x=to:A",
    "i=gdp p=310105 t=2022 x=to:A x=pc1 x=ma:2",
    "i=gdp p=310105 t=2022-Q2 x=to:C",
    "i=gdp p=310105 t=2022-Q3 x=chg",
    "i=gdp p=310105 t=2022 x=share",
    "i=gdp p=310105 t=2022 x=share:cost",
    "i=gdp p=310105 t=2022 x=contribution_pp",
    "i=gdp p=310105 t=2022 x=contribution_share",
    "i=gdp p=310105 t=2022 x=index:2020",
    "i=gdp p=310105 t=2022 x=cagr:2",
    "i=gdp p=310105 t=2022 x=pc1 x=rank",
    "i=gdp p=310105 t=2022 x=percentile",
    "i=gdp p=310105 t=2022 x=rollup",
    "i=gdp p=310105 t=2022 x=rollup x=pc1",
    "i=gdp_pc p=310105 t=2022 x=rollup",
    "i=gdp_each p=310105 t=2022 x=rollup",
    "i=gdp_each_of_city p=310105 t=2022",
    "i=pc1(gdp)~-~cost~/~gdp p=310105 t=2022",
    "i=gdp/last(pop) p=310105 t=2022-Q2",
    "i=output p=310105 t=2022 x=constant:2020",
    "i=output p=310105 t=2020 x=constant:2022",
    "i=output p=310105 t=2022 x=deflator:2020",
    "i=gdp p=310105 t=2022 x=target",
};

static const char *const indicators[] = {"gdp", "pop", "cost"};
static const char *const units[] = {"CNY_E8", "persons_E4", "CNY_E8"};
static const char *const places[] = {"310000", "310101",    "310105",
                                     "310106", "310105001", "310105002"};

// A note of its own tells an observation again in a tree.
static void put(world *w, const char *indicator, const char *place, const char *period,
                const char *measure, unsigned value, const char *unit, const char *keys)
{
    char line[256];
    (void)snprintf(line, sizeof line, "%s %s %s %s %u %s note=n%zu. %s", indicator, place, period,
                   measure, value, unit, w->count, keys);
    world_add(w, line);
}

static void put_values(world *w, world_random *r, size_t indicator, const char *place)
{
    for (unsigned year = 2020; year <= 2022; year++) {
        char period[32];
        unsigned value = 100 + (unsigned)world_random_below(r, 100);
        (void)snprintf(period, sizeof period, "%u", year);
        if (world_random_below(r, 8) > 0) {
            put(w, indicators[indicator], place, period, "level", value, units[indicator], "");
        }
        if (world_random_below(r, 8) == 0) {
            put(w, indicators[indicator], place, period, "level", value + 1, units[indicator],
                "src=report");
        }
    }
    for (unsigned quarter = 1; indicator == 0 && quarter <= 4; quarter++) {
        char period[32];
        (void)snprintf(period, sizeof period, "2022-Q%u", quarter);
        put(w, indicators[indicator], place, period, "level",
            20 + (unsigned)world_random_below(r, 20), units[indicator], "");
    }
}

static void fill(world *w, world_random *r)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(indicators); i++) {
        for (size_t k = 0; k < ALM_ARRAY_LEN(places); k++) {
            bool is_needed = i < 2 || strcmp(places[k], "310105") == 0;
            if (is_needed) {
                put_values(w, r, i, places[k]);
            }
        }
    }
    for (unsigned year = 2020; year <= 2022; year++) {
        char period[32];
        (void)snprintf(period, sizeof period, "%u", year);
        put(w, "output", "310105", period, "level", 100 + (unsigned)world_random_below(r, 100),
            "CNY_E8", "");
        put(w, "output", "310105", period, "growth_yoy", 1 + (unsigned)world_random_below(r, 9),
            "percent", "");
    }
    put(w, "gdp", "310105", "2021/2025", "target", 900, "CNY_E8", "");
}

// Value, interval and status of the answers.
static const char *values(const Almanac__V1__ExplainResponse *told, alm_arena *arena)
{
    const char *text = "";
    for (size_t i = 0; i < told->n_steps; i++) {
        const Almanac__V1__ExplainStep *s = told->steps[i];
        if (s->depth == 0) {
            text = alm_arena_printf(arena, "%s%s %s %s\n", text, s->value, s->interval, s->status);
            assert_non_null(text);
        }
    }
    return text;
}

static bool is_in(const Almanac__V1__ExplainResponse *told, const char *note)
{
    for (size_t i = 0; i < told->n_steps; i++) {
        if (strcmp(told->steps[i]->note, note) == 0) {
            return true;
        }
    }
    return false;
}

// Changes an observation. Has an answer another value then?
static bool matters(world *w, const char *question, size_t row, const alm_value *changed,
                    const char *before, alm_arena *arena)
{
    alm_value kept = w->rows[row].obs.value;
    w->rows[row].obs.value = *changed;
    const char *after = values(explain(w, question, NULL, arena), arena);
    w->rows[row].obs.value = kept;
    return strcmp(before, after) != 0;
}

static size_t check_question(world *w, const char *question, uint64_t seed)
{
    size_t found = 0;
    alm_arena *arena = alm_arena_create(0);
    alm_arena *scratch = alm_arena_create(0);
    assert_non_null(arena);
    assert_non_null(scratch);
    const Almanac__V1__ExplainResponse *told = explain(w, question, NULL, arena);
    const char *before = values(told, arena);
    for (size_t i = 0; i < w->count; i++) {
        char note[32];
        alm_value another = w->rows[i].obs.value;
        alm_value none = {.unit = another.unit, .status = ALM_OBS_STATUS_MISSING};
        another.number.mantissa = another.number.mantissa * 2 + 1;
        bool is_input = matters(w, question, i, &another, before, scratch) ||
                        matters(w, question, i, &none, before, scratch);
        (void)snprintf(note, sizeof note, "n%zu.", i);
        if (is_input && !is_in(told, note)) {
            fail_msg("%s depends on %s of %s, which is not in its tree; ALM_TEST_SEED=%llu",
                     question, w->rows[i].variant, note, (unsigned long long)seed);
        }
        found += is_input;
        alm_arena_reset(scratch);
    }
    alm_arena_destroy(&scratch);
    alm_arena_destroy(&arena);
    return found;
}

static void inputs_are_in_the_tree(void **state)
{
    (void)state;
    world_random r = world_random_start();
    size_t found[ALM_ARRAY_LEN(questions)] = {0};
    world w;
    world_init_shanghai(&w);
    for (size_t round = 0; round < 3; round++) {
        world_forget(&w);
        fill(&w, &r);
        for (size_t i = 0; i < ALM_ARRAY_LEN(questions); i++) {
            found[i] += check_question(&w, questions[i], r.seed);
        }
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(questions); i++) {
        if (found[i] == 0) {
            fail_msg("%s depends on nothing", questions[i]);
        }
    }
    world_deinit(&w);
}

// --- bounds -------------------------------------------------------------------------------------

static void long_lists_are_counted(void **state)
{
    (void)state;
    world w;
    world_init(&w);
    world_place(&w, "310000", ALM_LEVEL_PROVINCE, "", "上海市", "", "");
    for (unsigned i = 0; i < 150; i++) {
        char code[32];
        (void)snprintf(code, sizeof code, "31%04u", 100 + i);
        world_place(&w, code, ALM_LEVEL_DISTRICT, "310000", "区", "", "");
    }
    world_indicator(&w, "gdp", "CNY_E8", ALM_VALUE_TYPE_FLOW, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_SUM, ALM_DIRECTION_UP, "", "");
    world_finish(&w);
    for (unsigned i = 0; i < 150; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "gdp 31%04u 2023 level 1 CNY_E8", 100 + i);
        world_add(&w, line);
    }
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    const Almanac__V1__ExplainResponse *told =
        explain(&w, "i=gdp p=310000 t=2023 x=rollup", NULL, arena);
    assert_int_equal(told->n_steps, 1 + ALM_TRACE_LIST_COUNT_MAX + 1);
    assert_string_equal(told->steps[told->n_steps - 1]->what, "50 more are not listed");
    assert_string_equal(told->steps[told->n_steps - 1]->what_zh, "另有50项未列出");
    assert_int_equal(told->steps[told->n_steps - 1]->depth, 1);
    // Every peer has 48 inputs, so that the nodes run out: each list on the way ends in a remark.
    told = explain(&w, "i=gdp p=310100 t=2023 x=pc1 x=ma:24 x=rank", NULL, arena);
    assert_true(told->n_steps <= ALM_TRACE_NODE_COUNT_MAX + 4);
    assert_true(told->n_steps > ALM_TRACE_NODE_COUNT_MAX);
    alm_arena_destroy(&arena);
    world_deinit(&w);
}

// --- states -------------------------------------------------------------------------------------

static void what_was_committed_later_is_told(void **state)
{
    (void)state;
    world before;
    world now;
    world_init_shanghai(&before);
    world_init_shanghai(&now);
    world_add(&before, "gdp 310105 2023 level 100 CNY_E8 pub=2024-01-10");
    world_add(&now, "gdp 310105 2023 level 100 CNY_E8 pub=2024-01-10");
    world_add(&now, "gdp 310105 2023 level 101 CNY_E8 pub=2024-01-20");
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    const Almanac__V1__ExplainResponse *told =
        explain(&before, "i=gdp p=310105 t=2023 at=1", &now, arena);
    assert_int_equal(told->n_steps, 2);
    assert_int_equal(told->steps[0]->kind, ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_OBSERVATION);
    assert_string_equal(told->steps[0]->value_zh, "100 亿元");
    assert_int_equal(told->steps[1]->kind, ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_VINTAGE);
    assert_int_equal(told->steps[1]->loss, ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_LATER_COMMIT);
    assert_string_equal(told->steps[1]->value_zh, "101 亿元");
    alm_arena_destroy(&arena);
    world_deinit(&now);
    world_deinit(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_in_the_tree),
        cmocka_unit_test(long_lists_are_counted),
        cmocka_unit_test(what_was_committed_later_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
