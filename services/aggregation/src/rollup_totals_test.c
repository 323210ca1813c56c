// Roll-ups of totals: whatever storage adds up, the answer is the one that is made of rows, to the
// bit; and totals that nobody asked for are refused.
#include "test_examples.h"

#include "rollup_sums.h"

// --- rows and totals -----------------------------------------------------------------------------

#define ROW_COUNT_MAX 400

// What a row says, with the bits of its interval.
typedef struct told_row {
    alm_result_row row;
    char text[256];
} told_row;

typedef struct told {
    told_row rows[ROW_COUNT_MAX];
    size_t count, fault_count;
} told;

static alm_code take_row(void *self, const alm_result_row *row, alm_status *st)
{
    told *it = self;
    (void)st;
    assert_true(it->count < ROW_COUNT_MAX);
    told_row *out = &it->rows[it->count++];
    out->row = *row;
    snprintf(out->text, sizeof out->text, "%.*s %.*s %.*s %.*s", ALM_STR_ARGS(row->place),
             ALM_STR_ARGS(row->breakdown), ALM_STR_ARGS(row->source), ALM_STR_ARGS(row->reason));
    return ALM_OK;
}

static alm_code take_fault(void *self, alm_str item, const alm_status *why, alm_status *st)
{
    told *it = self;
    (void)item;
    (void)why;
    (void)st;
    it->fault_count++;
    return ALM_OK;
}

static void ask(world *w, const char *question, bool has_rows_only, told *ret)
{
    world_question q;
    alm_query_plan plan;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    w->has_rows_only = has_rows_only;
    alm_row_reader reader = world_reader(w);
    alm_answer_sink sink = {ret, take_row, take_fault, NULL};
    ret->count = ret->fault_count = 0;
    world_ask(&q, question);
    if (alm_query_plan_make(&q.request, w->catalog, NULL, arena, &plan, &st) != ALM_OK ||
        alm_query_execute(&plan, &reader, &sink, arena, &st) != ALM_OK) {
        world_die(&st);
    }
    alm_arena_destroy(&arena);
}

static bool same_bits(double a, double b)
{
    uint64_t bits_of_a, bits_of_b;
    memcpy(&bits_of_a, &a, sizeof a);
    memcpy(&bits_of_b, &b, sizeof b);
    return bits_of_a == bits_of_b;
}

static bool same_row(const told_row *a, const told_row *b)
{
    const alm_result_row *x = &a->row;
    const alm_result_row *y = &b->row;
    return strcmp(a->text, b->text) == 0 && alm_period_eq(x->period, y->period) &&
           x->value.number.mantissa == y->value.number.mantissa &&
           x->value.number.exponent == y->value.number.exponent &&
           x->value.has_number == y->value.has_number && x->value.status == y->value.status &&
           x->value.qualifier == y->value.qualifier && x->published == y->published &&
           x->of_count == y->of_count && x->of_expected == y->of_expected &&
           same_bits(x->interval.lower, y->interval.lower) &&
           same_bits(x->interval.upper, y->interval.upper);
}

static const char *pick(world_random *random, const char *const *words, size_t count)
{
    return words[world_random_below(random, count)];
}

static void add_random_row(world *w, world_random *random)
{
    static const char *const places[] = {"310101", "310104",    "310105",   "310106",
                                         "310108", "310105001", "310105002"};
    static const char *const codes[] = {"gdp",   "gdp",  "pop",  "pop",
                                        "urban", "pm25", "heat", "green"};
    static const char *const units[][2] = {{"CNY_E8", "CNY_E4"},         {"CNY_E8", "CNY"},
                                           {"persons_E4", "persons"},    {"persons_E4", "persons"},
                                           {"persons_E4", "persons_E8"}, {"index", "index"},
                                           {"index", "index"},           {"m2_E4", "mu"}};
    static const char *const tails[] = {"",
                                        "",
                                        "",
                                        " q=about",
                                        " q=nearly",
                                        " s=P",
                                        " s=B",
                                        " s=D",
                                        " by=a=b",
                                        " q=at_most",
                                        " s=E",
                                        " q=more_than",
                                        " src=report",
                                        " src=yearbook"};
    size_t code = world_random_below(random, ALM_ARRAY_LEN(codes));
    char line[200];
    char number[32];
    snprintf(number, sizeof number, "%d.%0*d", (int)world_random_below(random, 90000),
             1 + (int)world_random_below(random, 3), (int)world_random_below(random, 10));
    bool is_missing = world_random_below(random, 15) == 0;
    snprintf(line, sizeof line, "%s %s %d level %s %s%s pub=2024-01-%02d", codes[code],
             pick(random, places, ALM_ARRAY_LEN(places)), 2013 + (int)world_random_below(random, 4),
             is_missing ? "-" : number, units[code][world_random_below(random, 5) == 0],
             is_missing ? " s=Q" : pick(random, tails, ALM_ARRAY_LEN(tails)),
             1 + (int)world_random_below(random, 9));
    world_add(w, line);
}

static void answer_alike(void **unused)
{
    static const char *const questions[] = {
        "i=gdp p=310000,310105 t=2013..2016 x=rollup",
        "i=gdp p=310000,310105 t=2013..2016 x=rollup incomplete=1",
        "i=gdp p=310000/* t=2013..2016 x=rollup incomplete=1 group=province by=*",
        "i=gdp_pc p=310000,310105 t=2013..2016 x=rollup incomplete=1",
        "i=urban_rate p=310000,310105 t=2013..2016 x=rollup",
        "i=pm25 i=heat p=310000,310105 t=2013..2016 x=rollup incomplete=1",
        "i=green p=310000,310105 t=2013..2016 x=rollup incomplete=1 unit=m2",
        "i=gdp p=310000,310105 t=last:2 x=rollup incomplete=1",
        "i=gdp p=310000 t=2014..2016 x=rollup x=yoy incomplete=1",
        "i=gdp p=310000 t=2013..2016 x=rollup incomplete=1 as_of=2024-01-05",
    };
    (void)unused;
    static told by_rows, by_totals;
    world_random random = world_random_start();
    size_t numbers = 0;
    for (int round = 0; round < 150; round++) {
        world w;
        world_init_shanghai(&w);
        for (uint64_t n = 20 + world_random_below(&random, 150); n > 0; n--) {
            add_random_row(&w, &random);
        }
        for (size_t i = 0; i < ALM_ARRAY_LEN(questions); i++) {
            ask(&w, questions[i], true, &by_rows);
            ask(&w, questions[i], false, &by_totals);
            assert_int_equal(by_rows.count, by_totals.count);
            assert_int_equal(by_rows.fault_count, by_totals.fault_count);
            for (size_t k = 0; k < by_rows.count; k++) {
                numbers += by_rows.rows[k].row.value.has_number;
                if (!same_row(&by_rows.rows[k], &by_totals.rows[k])) {
                    fail_msg("seed %llu round %d: %s: %s; by totals %s",
                             (unsigned long long)random.seed, round, questions[i],
                             by_rows.rows[k].text, by_totals.rows[k].text);
                }
            }
        }
        world_deinit(&w);
    }
    assert_true(numbers > 1000);
}

// --- totals nobody asked for ---------------------------------------------------------------------

typedef struct sums_fixture {
    world w;
    world_question q;
    alm_arena *arena;
    alm_query_plan plan;
    alm_rollup_groups groups;
    alm_variant_table variants;
    alm_rollup_sums sums;
    alm_status st;
} sums_fixture;

#define ASSERT_OK(f, expr)                                                                         \
    do {                                                                                           \
        if ((expr) != ALM_OK) {                                                                    \
            fail_msg("%s: %s", #expr, (f)->st.message);                                            \
        }                                                                                          \
    } while (0)

static void begin(sums_fixture *f)
{
    world_init_shanghai(&f->w);
    f->st = ALM_STATUS_INIT;
    f->arena = alm_arena_create(0);
    world_ask(&f->q, "i=gdp p=310105 t=2023 x=rollup");
    ASSERT_OK(f,
              alm_query_plan_make(&f->q.request, f->w.catalog, NULL, f->arena, &f->plan, &f->st));
    ASSERT_OK(f, alm_rollup_groups_make(&f->plan, f->arena, &f->groups, &f->st));
    ASSERT_OK(f, alm_variant_table_init(&f->variants, f->arena, &f->st));
    ASSERT_OK(f, alm_rollup_sums_init(&f->sums, f->arena, &f->variants, &f->groups,
                                      ALM_AGGREGATION_SUM,
                                      (alm_unit){.measure = ALM_MEASURE_UNIT_CNY}, &f->st));
}

static void end(sums_fixture *f)
{
    alm_arena_destroy(&f->arena);
    world_deinit(&f->w);
}

static void refuse_what_nobody_asked_for(void **unused)
{
    (void)unused;
    static sums_fixture f;
    begin(&f);
    alm_place_id member = f.groups.ids[0];
    alm_total total = {.present = 1};
    alm_place_range missing = {member, member + 1};
    alm_place_range stranger = {f.groups.places[0], f.groups.places[0] + 1};
    alm_slice_totals slice = {.variant = ALM_STR("A.gdp.P.level._Z._T"),
                              .period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 2023},
                              .totals = &total,
                              .missing = &missing,
                              .missing_count = 1};
    assert_int_equal(f.groups.member_count, 2);
    ASSERT_OK(&f, alm_rollup_sums_take(&f.sums, &slice, &f.st));
    assert_false(alm_rollup_has(&f.sums.slices[0], f.groups.member_of[member] - 1));
    assert_true(alm_rollup_has(&f.sums.slices[0], f.groups.member_of[f.groups.ids[1]] - 1));
    assert_int_equal(alm_rollup_sums_take(&f.sums, &slice, &f.st), ALM_INTERNAL);
    slice.period.ordinal++;
    slice.missing = &stranger;
    assert_int_equal(alm_rollup_sums_take(&f.sums, &slice, &f.st), ALM_INTERNAL);
    end(&f);
}

static void ask_for_runs_of_members(void **unused)
{
    (void)unused;
    static sums_fixture f;
    alm_total_groups groups;
    begin(&f);
    groups = f.groups.totals;
    assert_int_equal(groups.range_count, 1);
    assert_int_equal(groups.ranges[0].from, f.groups.ids[0]);
    assert_int_equal(groups.ranges[0].to, f.groups.ids[1] + 1);
    assert_int_equal(groups.span_count, 0);
    world_ask(&f.q, "i=gdp p=310000 t=2023 x=rollup");
    ASSERT_OK(&f, alm_query_plan_make(&f.q.request, f.w.catalog, NULL, f.arena, &f.plan, &f.st));
    ASSERT_OK(&f, alm_rollup_groups_make(&f.plan, f.arena, &f.groups, &f.st));
    groups = f.groups.totals;
    assert_int_equal(groups.group_count, 1);
    assert_int_equal(groups.span_count, 1); // 闸北区 ended
    assert_true(groups.spans[0].to < ALM_DATE_MAX);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_alike),
        cmocka_unit_test(refuse_what_nobody_asked_for),
        cmocka_unit_test(ask_for_runs_of_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
