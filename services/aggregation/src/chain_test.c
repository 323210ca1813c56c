// Chains of transforms, where one step hands its cells, and all that is known of them, to the next.
#include "test_examples.h"

static const world_example examples[] = {
    {"latest is of each place: one without the base of an index hides no other",
     {"gdp 310105 2023-06 level 10.0 CNY_E8", "gdp 310105 2023-07 level 12.0 CNY_E8",
      "gdp 310106 2023-07 level 9.0 CNY_E8"},
     "i=gdp p=310105,310106 t=latest x=index:2023-06",
     "310105 2023-07 level C 120 index [118.9055, 121.1055]\n"
     "310106 2023-07 level C - index O -- no level for 2023-06\n"},
    {"a roll-up says which of the periods it was made of lacks a member",
     {"gdp 310105001 2022 level 10.0 CNY_E8", "gdp 310105001 2023 level 11.0 CNY_E8",
      "gdp 310105002 2023 level 11.0 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup x=pc1 incomplete=true",
     "310105 2023 growth_yoy C 120 percent [117.9104, 122.1106] 1/2 -- 2022 is partial: 1 of 2 "
     "members have no value: 310105002 江苏路街道\n"},
    {"and which period has none",
     {"gdp 310105001 2023-Q1 level 1 CNY_E8", "gdp 310105001 2023-Q2 level 1 CNY_E8",
      "gdp 310105001 2023-Q3 level 1 CNY_E8", "gdp 310105002 2023-Q1 level 1 CNY_E8",
      "gdp 310105002 2023-Q2 level 1 CNY_E8", "gdp 310105002 2023-Q3 level 1 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup x=to:A",
     "310105 2023 level C - CNY_E8 O -- 1 of 4 periods have no value: 2023-Q4\n"},
    {"a horizon answers each of its years",
     {"gdp 310105 2020 level 10.0 CNY_E8", "gdp 310105 2021 level 11.0 CNY_E8",
      "gdp 310105 2022 level 12.0 CNY_E8", "gdp 310105 2023 level 13.0 CNY_E8"},
     "i=gdp p=310105 t=2021/2023 x=pc1",
     "310105 2021 growth_yoy C 10 percent [8.955224, 11.05528]\n"
     "310105 2022 growth_yoy C 9.1 percent [8.144796, 10.04566]\n"
     "310105 2023 growth_yoy C 8.3 percent [7.46888, 9.205021]\n"},
    {"as published is as it is, its qualifier and note",
     {"gdp 310105 2023 level 300 CNY_E8 q=nearly note=x"},
     "i=gdp p=310105 t=2023 x=lin",
     "310105 2023 level P 300 CNY_E8 nearly\n"},
    {"of another indicator the total is the whole, also of a breakdown",
     {"pop 310105 2023 level 30.0 persons_E4 by=sex=f", "pop 310105 2023 level 60.0 persons_E4",
      "urban 310105 2023 level 15.0 persons_E4 by=sex=f"},
     "i=urban p=310105 t=2023 by=sex=f x=share:pop",
     "310105 2023 share_of.pop by sex=f C 25.0 percent [24.89592, 25.10425]\n"},
    {"a stock has no other accumulation",
     {"pop 310105 2023 level 60.0 persons_E4"},
     "i=pop p=310105 t=2023 x=to:P",
     "310105 2023 level P 60.0 persons_E4\n"},
    {"points are a change of percentages, in percentage points",
     {"urban_rate 310105 2022 level 80.0 percent", "urban_rate 310105 2023 level 90.0 percent"},
     "i=urban_rate p=310105 t=2023 x=chg unit=indicator",
     "310105 2023 level C 10.0 pp [9.9, 10.1]\n"},
    {"a mean of two exact numbers is a tie and stays one",
     {"gdp 310105 2022 level 123456789.12 CNY_E8", "gdp 310105 2023 level 123456789.13 CNY_E8"},
     "i=gdp p=310105 t=2023 x=ma:2",
     "310105 2023 level C 123456789.125 CNY_E8 [1.234568e+08, 1.234568e+08]\n"},
    {"a sum of what does not share an exponent is not left out",
     {"gdp 310105 2023-Q1 level 9000000000000000000 CNY", "gdp 310105 2023-Q2 level 0.001 CNY",
      "gdp 310105 2023-Q3 level 1 CNY", "gdp 310105 2023-Q4 level 1 CNY"},
     "i=gdp p=310105 t=2023 x=to:A",
     "310105 2023 level C 90000000000.0000 CNY_E8 [9e+10, 9e+10]\n"},
    {"peers that name no place are no peers",
     {NULL},
     "i=gdp p=310105 t=2023 x=rank:",
     "INVALID_ARGUMENT transforms: transform \"rank:\": expected a place expression behind the "
     "colon, or no colon\n"},
    {"a logarithm of what is not positive says so",
     {"gdp 310105 2023 level -1 CNY_E8"},
     "i=gdp p=310105 t=2023 x=log",
     "310105 2023 level C - ratio M -- the value is not positive\n"},
};

// A call that nobody waits for any more.
typedef struct given_up {
    world *w;
    size_t left; // checks that are answered with OK
} given_up;

static alm_code read_still(void *self, const alm_fetch *fetch, alm_row_visit visit, void *arg,
                           alm_status *st)
{
    const given_up *it = self;
    return world_read(it->w, fetch, visit, arg, st);
}

static alm_code check_left(void *self, alm_status *st)
{
    given_up *it = self;
    if (it->left == 0) {
        return alm_status_set(st, ALM_CANCELLED, "nobody waits");
    }
    it->left--;
    return ALM_OK;
}

static alm_code ask_until(world *w, size_t left, alm_buf *lines)
{
    given_up until = {w, left};
    alm_row_reader reader = {.self = &until, .read = read_still, .check = check_left};
    alm_answer_sink sink = {lines, world_take_row, world_take_fault, NULL};
    alm_arena *arena = alm_arena_create(0);
    world_question q;
    alm_query_plan plan;
    alm_status st = ALM_STATUS_INIT;
    // Days of centuries: a part holds no two series.
    world_ask(&q, "i=gdp p=310105,310106 t=1800-01-01..1899-12-31 x=ch1");
    alm_code code = alm_query_plan_make(&q.request, w->catalog, NULL, arena, &plan, &st);
    if (code == ALM_OK) {
        code = alm_query_execute(&plan, &reader, &sink, arena, &st);
    }
    alm_arena_destroy(&arena);
    return code;
}

static void giving_up_ends_it_between_parts(void **state)
{
    (void)state;
    world w;
    alm_buf lines;
    world_init_shanghai(&w);
    world_add(&w, "gdp 310105 1850-01-01 level 10 CNY_E8");
    world_add(&w, "gdp 310105 1851-01-01 level 12 CNY_E8");
    world_add(&w, "gdp 310106 1850-01-01 level 10 CNY_E8");
    world_add(&w, "gdp 310106 1851-01-01 level 12 CNY_E8");
    alm_buf_init(&lines, 0);
    assert_int_equal(ask_until(&w, 0, &lines), ALM_CANCELLED);
    assert_int_equal(ask_until(&w, 1, &lines), ALM_CANCELLED);
    assert_int_equal(lines.len, 0);
    assert_int_equal(ask_until(&w, 2, &lines), ALM_OK);
    assert_true(lines.len > 0);
    alm_buf_deinit(&lines);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest others[] = {cmocka_unit_test(giving_up_ends_it_between_parts)};
    return world_run(examples, ALM_ARRAY_LEN(examples), others, ALM_ARRAY_LEN(others));
}
