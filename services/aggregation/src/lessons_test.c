// What users of other systems complain about, each lesson by its number: research of the systems'
// own trackers, told in docs/TRANSFORMS.md and the README of this service.
#include "test_examples.h"

static const world_example examples[] = {
    {"lesson 1: an unknown word is an error that names it",
     {"gdp 310105 2023 level 1 CNY_E8"},
     "i=gdp p=310105 t=2023 x=pc3",
     "INVALID_ARGUMENT transforms: unknown transform \"pc3\"; did you mean \"pch\"?\n"},
    {"lesson 1: an unknown vintage date is no newest vintage",
     {"gdp 310105 2023 level 1 CNY_E8"},
     "i=gdp p=310105 t=2023 as_of=2024-02-30",
     "OUT_OF_RANGE as_of: there is no day 2024-02-30\n"},
    {"lesson 2: one row a period as of a date, and a deletion is told",
     {"gdp 310105 2022 level 10 CNY_E8 pub=2023-01-20",
      "gdp 310105 2022 level 11 CNY_E8 pub=2023-06-20",
      "gdp 310105 2022 level 12 CNY_E8 pub=2024-01-20",
      "gdp 310105 2023 level 13 CNY_E8 src=report pub=2024-01-20",
      "gdp 310105 2023 level - CNY_E8 s=W src=report pub=2024-02-20"},
     "i=gdp p=310105 t=2022..2023 as_of=2024-03-01",
     "310105 2022 level P 12 CNY_E8\n"
     "310105 2023 level P - CNY_E8 W -- withdrawn by report on 2024-02-20\n"},
    {"lesson 2: a past question has its past answer, transforms included",
     {"gdp 310105 2022 level 10.0 CNY_E8 pub=2023-01-20",
      "gdp 310105 2022 level 11.0 CNY_E8 pub=2024-06-20",
      "gdp 310105 2023 level 12.0 CNY_E8 pub=2024-01-20"},
     "i=gdp p=310105 t=2023 x=growth as_of=2024-03-01",
     "310105 2023 growth_yoy C 20 percent [18.90547, 21.10553]\n"},
    {"lesson 3: flags come with the value",
     {"gdp 310105 2023 level 2000 CNY_E8 q=passed_threshold s=P"},
     "i=gdp p=310105 t=2023",
     "310105 2023 level P 2000 CNY_E8 passed_threshold P\n"},
    {"lesson 3: and with what is computed of it",
     {"gdp 310105 2022 level 100 CNY_E8 s=E", "gdp 310105 2023 level 120 CNY_E8 q=more_than s=P"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C 20.00 percent more_than E [19.40299, inf]\n"},
    {"lesson 4: missing is not zero, in a roll-up",
     {"gdp 310105001 2023 level 5 CNY_E8", "gdp 310105002 2023 level - CNY_E8 s=L"},
     "i=gdp p=310105 t=2023 x=rollup",
     "310105 2023 level C - CNY_E8 O 1/2 -- 1 of 2 members have no value: 310105002 "
     "江苏路街道\n"},
    {"lesson 4: an incomplete year is none",
     {"gdp 310105 2023-Q1 level 5 CNY_E8", "gdp 310105 2023-Q2 level 5 CNY_E8",
      "gdp 310105 2023-Q3 level 5 CNY_E8"},
     "i=gdp p=310105 t=2023 x=to:A",
     "310105 2023 level C - CNY_E8 O -- 1 of 4 periods have no value: 2023-Q4\n"},
    {"lesson 5: a transform looks outside the window",
     {"gdp 310105 2022-01 level 10.0 CNY_E8", "gdp 310105 2023-01 level 12.0 CNY_E8"},
     "i=gdp p=310105 t=2023-01..2023-01 x=growth",
     "310105 2023-01 growth_yoy C 20 percent [18.90547, 21.10553]\n"},
    {"lesson 6: frequencies do not mix",
     {"gdp 310105 2023 level 40 CNY_E8", "gdp 310105 2023-Q1 level 10 CNY_E8",
      "gdp 310105 2022 level 32 CNY_E8"},
     "i=gdp p=310105 t=2023,2023-Q1 x=growth",
     "310105 2023 growth_yoy C 25 percent [21.53846, 28.57143]\n"
     "310105 2023-Q1 growth_yoy C - percent O -- no level for 2022-Q1\n"},
    {"lesson 7: one bad id does not fail the rest",
     {"gdp 310105 2023 level 40 CNY_E8"},
     "i=gpd i=gdp p=310105 t=2023",
     "! gpd NOT_FOUND unknown indicator 'gpd'; did you mean gdp (gdp)?\n"
     "310105 2023 level P 40 CNY_E8\n"},
    {"lesson 7: nor does what cannot be computed of one",
     {"gdp 310105 2022 level 32.0 CNY_E8", "gdp 310105 2023 level 40.0 CNY_E8",
      "urban_rate 310105 2023 level 90 percent"},
     "i=urban_rate i=gdp p=310105 t=2023 x=growth",
     "! urban_rate FAILED_PRECONDITION pc1 does not apply to a ratio: it changes by points; ask "
     "for "
     "chg, ch1 or chy\n"
     "310105 2023 growth_yoy C 25.0 percent [24.64899, 25.35211]\n"},
    {"lesson 9: too large says how large, and the limit",
     {NULL},
     "i=gdp p=310105 t=0001-01-01..9999-12-31 x=growth",
     "RESOURCE_EXHAUSTED periods: gdp, 1 places x 3652059 periods = 3652059 cells: 3652059 "
     "periods are asked; the limit is 1000000\n"},
};

static alm_code read_never(void *self, const alm_fetch *fetch, alm_row_visit visit, void *arg,
                           alm_status *st)
{
    (void)self;
    (void)fetch;
    (void)visit;
    (void)arg;
    return alm_status_set(st, ALM_INTERNAL, "it is read");
}

// Twenty-one towns over nearly a million days.
static void too_large_to_compute_is_not_read(void **unused)
{
    (void)unused;
    world w;
    world_init(&w);
    world_place(&w, "310106", ALM_LEVEL_DISTRICT, "", "静安区", "", "");
    world_indicator(&w, "gdp", "CNY_E8", ALM_VALUE_TYPE_FLOW, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_SUM, ALM_DIRECTION_UP, "", "");
    for (int i = 1; i <= 21; i++) {
        char code[32];
        (void)snprintf(code, sizeof code, "3101061%02d", i);
        world_place(&w, code, ALM_LEVEL_TOWN, "310106", code, "", "");
    }
    world_finish(&w);
    world_question q;
    alm_query_plan plan;
    alm_status st = ALM_STATUS_INIT;
    alm_row_reader reader = {.read = read_never};
    alm_answer_sink sink = {.row = world_take_row, .fault = world_take_fault};
    alm_arena *arena = alm_arena_create(0);
    world_ask(&q, "i=gdp p=310106/* t=0001-01-01..2700-12-31 x=pc1");
    assert_int_equal(alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, &st), ALM_OK);
    assert_int_equal(alm_query_execute(&plan, &reader, &sink, arena, &st), ALM_RESOURCE_EXHAUSTED);
    assert_string_equal(st.message,
                        "gdp, 21 places x 986154 periods = 20709234 cells: 21 series over 986154 "
                        "periods are computed for it; the limit is 20000000 cells; ask for fewer "
                        "places or periods");
    alm_arena_destroy(&arena);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest others[] = {cmocka_unit_test(too_large_to_compute_is_not_read)};
    return world_run(examples, ALM_ARRAY_LEN(examples), others, ALM_ARRAY_LEN(others));
}
