// Roll-ups: by each aggregation, incomplete groups, boundaries that changed; and, on random trees,
// the roll-up of roll-ups is the roll-up of what lies below, to the digit.
#include "test_examples.h"

#include <inttypes.h>
#include <math.h>

static const world_example examples[] = {
    {"children add up, across units",
     {"gdp 310101 2023 level 3000.5 CNY_E8", "gdp 310104 2023 level 26000000 CNY_E4 s=P",
      "gdp 310105 2023 level 1900 CNY_E8", "gdp 310106 2023 level 2800.25 CNY_E8"},
     "i=gdp p=310000 t=2023 x=rollup",
     "310000 2023 level C 10300.7500 CNY_E8 P [10300.19, 10301.31] 4/4\n"},
    {"a missing child leaves no number",
     {"gdp 310101 2023 level 3000 CNY_E8", "gdp 310105 2023 level - CNY_E8 s=Q"},
     "i=gdp p=310000 t=2023 x=rollup",
     "310000 2023 level C - CNY_E8 O 1/4 -- 3 of 4 members have no value: 310104 徐汇区, 310105 "
     "长宁区, 310106 静安区\n"},
    {"unless an incomplete one is asked for",
     {"gdp 310101 2023 level 3000 CNY_E8", "gdp 310104 2023 level 2 CNY_E8",
      "gdp 310105 2023 level 3 CNY_E8"},
     "i=gdp p=310000 t=2023 x=rollup incomplete=1",
     "310000 2023 level C 3005 CNY_E8 [3003.5, 3006.5] 3/4 -- partial: 1 of 4 members have no "
     "value: 310106 静安区\n"},
    {"of nothing there is never zero",
     {NULL},
     "i=gdp p=310105 t=2023 x=rollup incomplete=1",
     "310105 2023 level C - CNY_E8 O 0/2 -- 2 of 2 members have no value: 310105001 华阳路街道, "
     "310105002 江苏路街道\n"},
    {"a place without children",
     {NULL},
     "i=gdp p=310105001 t=2023 x=rollup",
     "310105001 2023 level C - CNY_E8 O -- it has no members in this period\n"},
    {"the members are those of the period",
     {"gdp 310101 2015 level 1 CNY_E8", "gdp 310104 2015 level 1 CNY_E8",
      "gdp 310105 2015 level 1 CNY_E8", "gdp 310106 2015 level 1 CNY_E8",
      "gdp 310108 2015 level 1 CNY_E8", "gdp 310101 2014 level 1 CNY_E8",
      "gdp 310104 2014 level 1 CNY_E8", "gdp 310105 2014 level 1 CNY_E8",
      "gdp 310106 2014 level 1 CNY_E8", "gdp 310108 2014 level 1 CNY_E8"},
     "i=gdp p=310000 t=2014..2015 x=rollup",
     "310000 2014 level C 5 CNY_E8 [2.5, 7.5] 5/5\n"
     "310000 2015 level C 4 CNY_E8 [2, 6] 4/4\n"},
    {"grouped under a level",
     {"gdp 310105001 2023 level 10 CNY_E8", "gdp 310105002 2023 level 20 CNY_E8"},
     "i=gdp p=310000/**@town t=2023 x=rollup group=district",
     "310105 2023 level C 30 CNY_E8 [29, 31] 2/2\n"},
    {"over and about do not make over",
     {"gdp 310105001 2023 level 100 CNY_E8 q=more_than",
      "gdp 310105002 2023 level 200 CNY_E8 q=about"},
     "i=gdp p=310105 t=2023 x=rollup",
     "310105 2023 level C 300 CNY_E8 about [200, inf] 2/2\n"},
    {"over and exact do",
     {"gdp 310105001 2023 level 100 CNY_E8 q=more_than", "gdp 310105002 2023 level 200 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup",
     "310105 2023 level C 300 CNY_E8 more_than [299.5, inf] 2/2\n"},
    {"a mean with a bound is not rounded past it",
     {"pm25 310101 2023 level 30 index q=more_than", "pm25 310104 2023 level 28 index",
      "pm25 310105 2023 level 37 index"},
     "i=pm25 p=310000 t=2023 x=rollup incomplete=1",
     "310000 2023 level C 31.66 index more_than [31.33333, inf] 3/4 -- partial: 1 of 4 members "
     "have "
     "no value: 310106 静安区\n"},
    {"an average",
     {"pm25 310101 2023 level 30 index", "pm25 310104 2023 level 28 index",
      "pm25 310105 2023 level 35 index", "pm25 310106 2023 level 31 index"},
     "i=pm25 p=310000 t=2023 x=rollup",
     "310000 2023 level C 31.00 index [30.5, 31.5] 4/4\n"},
    {"the highest",
     {"heat 310105001 2023 level 39.5 index", "heat 310105002 2023 level 40.1 index q=about"},
     "i=heat p=310105 t=2023 x=rollup",
     "310105 2023 level C 40.1 index about [40, 40.2] 2/2\n"},
    {"what does not add up is refused",
     {"score 310105001 2023 level 9 index"},
     "i=score i=gdp p=310105 t=2023 x=rollup incomplete=1",
     "! score FAILED_PRECONDITION score cannot be rolled up: the catalogue says that values of "
     "places do not make their parent's (over_places is none)\n"
     "310105 2023 level C - CNY_E8 O 0/2 -- 2 of 2 members have no value: 310105001 华阳路街道, "
     "310105002 江苏路街道\n"},
    {"a rate is recomputed",
     {"urban 310105001 2023 level 9.0 persons_E4", "urban 310105002 2023 level 30000 persons",
      "pop 310105001 2023 level 10.0 persons_E4", "pop 310105002 2023 level 6.0 persons_E4",
      "urban_rate 310105001 2023 level 90 percent"},
     "i=urban_rate p=310105 t=2023 x=rollup",
     "310105 2023 level C 75.00 percent [74.2236, 75.78616] 2/2\n"},
    {"per head",
     {"gdp 310105001 2023 level 100.0 CNY_E8", "gdp 310105002 2023 level 50.0 CNY_E8",
      "pop 310105001 2023 level 10.0 persons_E4", "pop 310105002 2023 level 6.0 persons_E4"},
     "i=gdp_pc p=310105 t=2023 x=rollup",
     "310105 2023 level C 93750.00 CNY [93105.59, 94402.52] 2/2\n"},
    {"in a unit that says per how many",
     {"gdp 310105001 2023 level 100.0 CNY_E8", "gdp 310105002 2023 level 50.0 CNY_E8",
      "pop 310105001 2023 level 10.0 persons_E4", "pop 310105002 2023 level 6.0 persons_E4"},
     "i=gdp_per_head p=310105 t=2023 x=rollup",
     "310105 2023 level C 93.75 CNY_E4/persons_E1 [93.10559, 94.40252] 2/2\n"},
    {"a quotient asked in another",
     {"gdp 310105001 2023 level 100.0 CNY_E8", "gdp 310105002 2023 level 50.0 CNY_E8",
      "pop 310105001 2023 level 10.0 persons_E4", "pop 310105002 2023 level 6.0 persons_E4"},
     "i=gdp_per_head p=310105 t=2023 x=rollup unit=CNY/persons",
     "310105 2023 level C 93750 CNY/persons [93105.59, 94402.52] 2/2\n"},
    {"a quotient of other things",
     {"gdp 310105001 2023 level 100.0 CNY_E8"},
     "i=gdp_per_place p=310105 t=2023 x=rollup",
     "! gdp_per_place FAILED_PRECONDITION gdp_per_place cannot be recomputed: CNY_E8 / persons_E4 "
     "does not make CNY_E4/m2\n"},
    {"a quotient of other things is asked",
     {"gdp_per_head 310105 2023 level 9 CNY_E4/persons"},
     "i=gdp_per_head p=310105 t=2023 unit=CNY/m2",
     "! gdp_per_head INVALID_ARGUMENT level of gdp_per_head is a quantity of "
     "CNY_E4/persons_E1; it does not convert to CNY/m2 (quotient)\n"},
    {"a rate of over 2 of 3 is not over 66.67",
     {"urban 310105001 2023 level 1 persons_E4 q=more_than",
      "urban 310105002 2023 level 1 persons_E4", "pop 310105001 2023 level 1.0 persons_E4",
      "pop 310105002 2023 level 2.0 persons_E4"},
     "i=urban_rate p=310105 t=2023 x=rollup",
     "310105 2023 level C 66.66 percent more_than [48.3871, inf] 2/2\n"},
    {"a rate without a denominator",
     {"gdp 310105001 2023 level 100.0 CNY_E8", "gdp 310105002 2023 level 50.0 CNY_E8",
      "pop 310105001 2023 level 10.0 persons_E4"},
     "i=gdp_pc p=310105 t=2023 x=rollup",
     "310105 2023 level C - CNY O 1/2 -- 1 of 2 members have no pop: 310105002 江苏路街道\n"},
    {"an incomplete rate needs the same members above and below",
     {"gdp 310105001 2023 level 100.0 CNY_E8", "pop 310105002 2023 level 10.0 persons_E4"},
     "i=gdp_pc p=310105 t=2023 x=rollup incomplete=1",
     "310105 2023 level C - CNY O 1/2 -- numerator and denominator are known for different "
     "members\n"},
    {"a denominator of zero",
     {"gdp 310105001 2023 level 100.0 CNY_E8", "gdp 310105002 2023 level 50.0 CNY_E8",
      "pop 310105001 2023 level 0 persons", "pop 310105002 2023 level 0 persons"},
     "i=gdp_pc p=310105 t=2023 x=rollup",
     "310105 2023 level C - CNY M 2/2 -- the denominator is zero\n"},
    {"a published total is told beside the sum, and the gap",
     {"gdp 310105001 2023 level 2000.1 CNY_E8", "gdp 310105002 2023 level 2710.1 CNY_E8",
      "gdp 310105 2023 level 4722.3 CNY_E8 src=yearbook"},
     "i=gdp p=310105 t=2023 x=rollup",
     "310105 2023 level P 4722.3 CNY_E8\n"
     "310105 2023 level C 4710.2 CNY_E8 [4710.1, 4710.3] 2/2 -- published total is 4,722.3 (100 "
     "million yuan); the sum is 12.1 (0.26 %) below\n"},
    {"a gap that is rounding is none",
     {"gdp 310105001 2023 level 2000.1 CNY_E8", "gdp 310105002 2023 level 2710.1 CNY_E8",
      "gdp 310105 2023 level 4710.3 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup",
     "310105 2023 level P 4710.3 CNY_E8\n"
     "310105 2023 level C 4710.2 CNY_E8 [4710.1, 4710.3] 2/2\n"},
    {"a gap is told in the unit of the total",
     {"gdp 310105001 2023 level 1 CNY_E8", "gdp 310105002 2023 level 2 CNY_E8",
      "gdp 310105 2023 level 10000 CNY_E4"},
     "i=gdp p=310105 t=2023 x=rollup unit=CNY_E6",
     "310105 2023 level P 100.00 CNY_E6\n"
     "310105 2023 level C 300 CNY_E6 [200, 400] 2/2 -- published total is 10,000 (10 thousand "
     "yuan); the sum is 20,000 (200.00 %) above\n"},
    {"of a total of zero there is no percentage",
     {"gdp 310105001 2023 level 1 CNY_E8", "gdp 310105002 2023 level 2 CNY_E8",
      "gdp 310105 2023 level 0 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup",
     "310105 2023 level P 0 CNY_E8\n"
     "310105 2023 level C 3 CNY_E8 [2, 4] 2/2 -- published total is 0 (100 million yuan); the sum "
     "is 3 above\n"},
    {"an incomplete sum quotes the total",
     {"gdp 310105001 2023 level 1 CNY_E8", "gdp 310105 2023 level 9 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup",
     "310105 2023 level P 9 CNY_E8\n"
     "310105 2023 level C - CNY_E8 O 1/2 -- 1 of 2 members have no value: 310105002 江苏路街道; "
     "published total is 9 (100 million yuan)\n"},
    {"a partial sum has no gap",
     {"gdp 310105001 2023 level 1 CNY_E8", "gdp 310105 2023 level 9 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup incomplete=1",
     "310105 2023 level P 9 CNY_E8\n"
     "310105 2023 level C 1 CNY_E8 [0.5, 1.5] 1/2 -- partial: 1 of 2 members have no value: "
     "310105002 江苏路街道\n"},
    {"a rate beside the published one",
     {"urban 310105001 2023 level 1.0 persons_E4", "urban 310105002 2023 level 2.0 persons_E4",
      "pop 310105001 2023 level 2.0 persons_E4", "pop 310105002 2023 level 3.0 persons_E4",
      "urban_rate 310105 2023 level 50 percent"},
     "i=urban_rate p=310105 t=2023 x=rollup",
     "310105 2023 level P 50 percent\n"
     "310105 2023 level C 60.00 percent [56.86275, 63.26531] 2/2 -- published value is 50%; the "
     "rate is 10.00 points above\n"},
    {"the latest is of the members: a newer total is not told",
     {"gdp 310105001 2022 level 1 CNY_E8", "gdp 310105002 2022 level 2 CNY_E8",
      "gdp 310105 2022 level 3 CNY_E8", "gdp 310105 2023 level 4 CNY_E8"},
     "i=gdp p=310105 t=latest x=rollup",
     "310105 2022 level P 3 CNY_E8\n"
     "310105 2022 level C 3 CNY_E8 [2, 4] 2/2\n"},
    {"nor one that was withdrawn, or published after the day that is asked",
     {"gdp 310105001 2022 level 1 CNY_E8", "gdp 310105002 2022 level 2 CNY_E8",
      "gdp 310105 2022 level 3 CNY_E8 src=report",
      "gdp 310105 2022 level - CNY_E8 s=W src=report pub=2024-01-02",
      "gdp 310105001 2023 level 1 CNY_E8", "gdp 310105002 2023 level 2 CNY_E8",
      "gdp 310105 2023 level 9 CNY_E8 pub=2024-03-01"},
     "i=gdp p=310105 t=2022..2023 x=rollup as_of=2024-02-01",
     "310105 2022 level C 3 CNY_E8 [2, 4] 2/2\n"
     "310105 2023 level C 3 CNY_E8 [2, 4] 2/2\n"},
    {"steps behind a roll-up have no total beside them",
     {"gdp 310105001 2022 level 1.0 CNY_E8", "gdp 310105002 2022 level 2.0 CNY_E8",
      "gdp 310105001 2023 level 2.0 CNY_E8", "gdp 310105002 2023 level 2.0 CNY_E8",
      "gdp 310105 2023 level 9 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup x=chg",
     "310105 2023 level C 1.0 CNY_E8 [0.8, 1.2] 2/2\n"},
    {"latest: the newest period of the group",
     {"gdp 310105001 2022 level 1 CNY_E8", "gdp 310105002 2022 level 2 CNY_E8",
      "gdp 310105001 2023 level 3 CNY_E8", "gdp 310105002 2021 level 3 CNY_E8"},
     "i=gdp p=310105 t=last:2 x=rollup",
     "310105 2022 level C 3 CNY_E8 [2, 4] 2/2 -- 2023 has none: 1 of 2 members have no value: "
     "310105002 江苏路街道\n"},
    {"over values that are only bounds",
     {"gdp 310105001 2023 level 100 CNY_E8 q=more_than", "gdp 310105002 2023 level 50.0 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup",
     "310105 2023 level C 150.0 CNY_E8 more_than [149.95, inf] 2/2\n"},
    {"in a unit that was asked",
     {"gdp 310105001 2023 level 100 CNY_E8", "gdp 310105002 2023 level 50 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup unit=CNY_E4",
     "310105 2023 level C 1500000 CNY_E4 [1490000, 1510000] 2/2\n"},
    {"more than 18 digits",
     {"gdp 310105001 2023 level 999999999999999999 CNY_E8", "gdp 310105002 2023 level 1.0 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup",
     "310105 2023 level C - CNY_E8 M 2/2 -- the sum has more than 18 digits\n"},
    {"breakdowns roll up each alone",
     {"gdp 310105001 2023 level 1 CNY_E8 by=industry=a",
      "gdp 310105002 2023 level 2 CNY_E8 "
      "by=industry=a",
      "gdp 310105001 2023 level 4 CNY_E8 by=industry=b"},
     "i=gdp p=310105 t=2023 x=rollup by=*",
     "310105 2023 level by industry=a C 3 CNY_E8 [2, 4] 2/2\n"
     "310105 2023 level by industry=b C - CNY_E8 O 1/2 -- 1 of 2 members have no value: 310105002 "
     "江苏路街道\n"},
    {"a member inside another would count twice",
     {NULL},
     "i=gdp p=310105,310105001 t=2023 x=rollup group=province",
     "INVALID_ARGUMENT places: 310105001 lies inside 310105 and both are members: its value would "
     "count twice\n"},
    {"a local place overlaps the others",
     {NULL},
     "i=gdp p=310105/* t=2023 x=rollup group=district",
     "INVALID_ARGUMENT places: L310105001 is a local place and may overlap the other members; ask "
     "for members of one level, such as /**@town\n"},
    {"no ancestor of the level",
     {NULL},
     "i=gdp p=310105 t=2023 x=rollup group=city",
     "INVALID_ARGUMENT group_by: 310105 lies in no place of level city\n"},
    {"growth is not rolled up",
     {NULL},
     "i=gdp p=310105 t=2023 x=rollup m=growth_yoy",
     "INVALID_ARGUMENT measure: rollup is computed of level, count_of_change or "
     "cumulative_level, not of \"growth_yoy\"\n"},
};

// --- random trees -------------------------------------------------------------------------------

typedef struct tree {
    world w;
    size_t count;
    size_t parent[200];
    alm_level level[200];
    char code[200][24];
} tree;

// One country; every other place one level or more below a random earlier one.
static void tree_init(tree *t, world_random *random)
{
    world_init(&t->w);
    t->count = 20 + world_random_below(random, 180);
    for (size_t i = 0; i < t->count; i++) {
        size_t parent = i == 0 ? 0 : world_random_below(random, i);
        while (i > 0 && t->level[parent] >= ALM_LEVEL_VILLAGE) {
            parent = world_random_below(random, i);
        }
        t->parent[i] = parent;
        t->level[i] = i == 0 ? ALM_LEVEL_COUNTRY : (alm_level)(t->level[parent] + 1);
        snprintf(t->code[i], sizeof t->code[i], "p%zu", i);
        world_place(&t->w, t->code[i], t->level[i], i == 0 ? "" : t->code[parent], "x", "", "");
    }
    world_indicator(&t->w, "gdp", "CNY_E8", ALM_VALUE_TYPE_FLOW, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_SUM, ALM_DIRECTION_UP, "", "");
    world_finish(&t->w);
}

static bool is_leaf(const tree *t, size_t place)
{
    for (size_t i = 1; i < t->count; i++) {
        if (t->parent[i] == place) {
            return false;
        }
    }
    return true;
}

typedef struct results {
    alm_decimal number[200];
    bool has_number[200];
    bool has_row[200];
    uint32_t present[200], expected[200];
} results;

static alm_code take_result(void *self, const alm_result_row *row, alm_status *st)
{
    (void)st;
    results *r = self;
    int64_t place;
    assert_true(alm_str_to_i64(alm_str_slice(row->place, 1, row->place.len), &place));
    assert_false(r->has_row[place]);
    r->has_row[place] = true;
    r->has_number[place] = row->value.has_number;
    r->number[place] = row->value.number;
    r->present[place] = row->of_count;
    r->expected[place] = row->of_expected;
    return ALM_OK;
}

static alm_code no_fault(void *self, alm_str item, const alm_status *why, alm_status *st)
{
    (void)self;
    (void)item;
    (void)st;
    fail_msg("%s", why->message);
    return ALM_OK;
}

static void ask(world *w, const char *question, results *ret)
{
    *ret = (results){0};
    world_question q;
    alm_query_plan plan;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    alm_row_reader reader = world_reader(w);
    alm_answer_sink sink = {ret, take_result, no_fault, NULL};
    world_ask(&q, question);
    if (alm_query_plan_make(&q.request, w->catalog, NULL, arena, &plan, &st) != ALM_OK ||
        alm_query_execute(&plan, &reader, &sink, arena, &st) != ALM_OK) {
        world_die(&st);
    }
    alm_arena_destroy(&arena);
}

// In yuan: published in one of three units with up to two decimals, so every figure is whole there.
static int64_t add_random_figure(tree *t, size_t place, world_random *random)
{
    static const char *const units[] = {"CNY", "CNY_E4", "CNY_E8"};
    static const int64_t factors[] = {1, 10000, 100000000};
    size_t unit = world_random_below(random, 3);
    int64_t hundredths = (int64_t)world_random_below(random, 2000000) - 200000;
    if (unit == 0) {
        hundredths *= 100;
    }
    char line[128];
    snprintf(line, sizeof line, "gdp %s 2023 level %s%" PRId64 ".%02" PRId64 " %s", t->code[place],
             hundredths < 0 ? "-" : "", (hundredths < 0 ? -hundredths : hundredths) / 100,
             (hundredths < 0 ? -hundredths : hundredths) % 100, units[unit]);
    world_add(&t->w, line);
    return hundredths * factors[unit] / 100;
}

// The exact sum below a place, straight from the leaves; false if a leaf is missing.
static bool slow_sum(const tree *t, const int64_t *yuan, const bool *has, size_t place,
                     int64_t *sum)
{
    bool all = true;
    for (size_t i = 0; i < t->count; i++) {
        size_t above = i;
        while (above != place && above != 0) {
            above = t->parent[above];
        }
        if (above == place && is_leaf(t, i)) {
            all &= has[i];
            *sum += has[i] ? yuan[i] : 0;
        }
    }
    return all;
}

static void put_number(tree *t, size_t place, alm_decimal number)
{
    char text[ALM_DECIMAL_TEXT_MAX];
    char line[160];
    alm_decimal_format(number, 0, text);
    snprintf(line, sizeof line, "gdp %s 2023 level %s CNY_E8", t->code[place], text);
    world_add(&t->w, line);
}

// Level by level from below, each roll-up stored as if it had been published and rolled up again.
static void rolls_up_level_by_level(void **unused)
{
    (void)unused;
    world_random random = world_random_start();
    for (int round = 0; round < 60; round++) {
        tree t;
        int64_t yuan[200] = {0};
        bool has[200] = {false};
        bool leaf[200] = {false};
        tree_init(&t, &random);
        bool is_gappy = round % 2 == 1;
        for (size_t i = 0; i < t.count; i++) {
            leaf[i] = is_leaf(&t, i);
            if (leaf[i] && !(is_gappy && world_random_below(&random, 12) == 0)) {
                yuan[i] = add_random_figure(&t, i, &random);
                has[i] = true;
            }
        }
        for (int level = ALM_LEVEL_TOWN; level >= ALM_LEVEL_COUNTRY; level--) {
            for (size_t i = 0; i < t.count; i++) {
                if ((int)t.level[i] != level || leaf[i]) {
                    continue;
                }
                char alone[64];
                results got;
                int64_t want = 0;
                bool is_whole = slow_sum(&t, yuan, has, i, &want);
                snprintf(alone, sizeof alone, "i=gdp t=2023 x=rollup p=%s", t.code[i]);
                ask(&t.w, alone, &got);
                if (!got.has_row[i] || got.has_number[i] != is_whole) {
                    fail_msg("seed %" PRIu64 " round %d place %zu: number %d, want %d", random.seed,
                             round, i, got.has_number[i], is_whole);
                }
                if (!is_whole) {
                    assert_true(got.present[i] < got.expected[i]);
                    continue;
                }
                alm_decimal in_yuan;
                assert_int_equal(alm_decimal_shift(got.number[i], 8, &in_yuan, NULL), ALM_OK);
                if (alm_decimal_cmp(in_yuan, (alm_decimal){want, 0}) != 0) {
                    fail_msg("seed %" PRIu64 " round %d place %zu: sum differs from %" PRId64,
                             random.seed, round, i, want);
                }
                put_number(&t, i, got.number[i]);
            }
        }
        world_deinit(&t.w);
    }
}

// A level grouped under another in one pass gives what adding member by member gives, and counts
// them.
static void groups_as_a_double_loop_does(void **unused)
{
    (void)unused;
    world_random random = world_random_start();
    for (int round = 0; round < 60; round++) {
        tree t;
        int64_t yuan[200] = {0};
        bool has[200] = {false};
        tree_init(&t, &random);
        for (size_t i = 0; i < t.count; i++) {
            if (t.level[i] == ALM_LEVEL_DISTRICT && world_random_below(&random, 10) != 0) {
                yuan[i] = add_random_figure(&t, i, &random);
                has[i] = true;
            }
        }
        results got;
        ask(&t.w, "i=gdp t=2023 x=rollup p=p0/**@district group=province incomplete=1", &got);
        for (size_t g = 0; g < t.count; g++) {
            int64_t want = 0;
            uint32_t present = 0, expected = 0;
            for (size_t i = 0; i < t.count && t.level[g] == ALM_LEVEL_PROVINCE; i++) {
                bool is_member = t.level[i] == ALM_LEVEL_DISTRICT && t.parent[t.parent[i]] == g;
                expected += is_member;
                present += is_member && has[i];
                want += is_member && has[i] ? yuan[i] : 0;
            }
            assert_int_equal(got.has_row[g], expected > 0);
            assert_int_equal(got.present[g], present);
            assert_int_equal(got.expected[g], expected);
            assert_int_equal(got.has_number[g], present > 0);
            alm_decimal in_yuan;
            assert_int_equal(alm_decimal_shift(got.number[g], 8, &in_yuan, NULL), ALM_OK);
            if (alm_decimal_cmp(in_yuan, (alm_decimal){want, 0}) != 0) {
                fail_msg("seed %" PRIu64 " round %d group %zu", random.seed, round, g);
            }
        }
        world_deinit(&t.w);
    }
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(rolls_up_level_by_level),
        cmocka_unit_test(groups_as_a_double_loop_does),
    };
    return world_run(examples, ALM_ARRAY_LEN(examples), others, ALM_ARRAY_LEN(others));
}
