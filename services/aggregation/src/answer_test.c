// The order of answers and what a limit leaves of it, against an insertion sort that compares
// decimals and looks every key up. Rows are random, with ties, without numbers, and of numbers that
// share a double; some in columns, of one unit and several exponents.
#include "test_world.h"

#include "convert.h"

#define ROW_COUNT 150

typedef struct listed {
    uint32_t rows[ROW_COUNT];
    size_t count;
} listed;

static uint32_t below(uint64_t *state, uint32_t end)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*state >> 33) % end);
}

static alm_code note(void *self, const alm_result_row *row, alm_status *st)
{
    listed *it = self;
    (void)st;
    it->rows[it->count++] = (uint32_t)strtoul(row->note.data, NULL, 10);
    return ALM_OK;
}

static int by_value(const alm_answer *a, const alm_answer *b, const alm_query_plan *plan)
{
    alm_decimal x;
    alm_decimal y;
    if (!a->obs.value.has_number || !b->obs.value.has_number) {
        return b->obs.value.has_number - a->obs.value.has_number;
    }
    alm_unit unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8};
    assert_int_equal(alm_number_in_unit(&a->obs.value, unit, &x, NULL), ALM_OK);
    assert_int_equal(alm_number_in_unit(&b->obs.value, unit, &y, NULL), ALM_OK);
    int order = alm_decimal_cmp(x, y);
    return plan->order == ALMANAC__V1__ORDER__ORDER_VALUE_DESC ? -order : order;
}

static alm_answer answer_at(const alm_answers *answers, uint32_t row)
{
    size_t first = answers->cells == NULL ? 0 : answers->cells->count;
    return row < first ? (alm_answer){.obs = alm_answers_obs(answers, row)}
                       : *alm_answers_get(answers, row - first);
}

static bool comes_before(const alm_answers *answers, uint32_t row, uint32_t other,
                         const alm_query_plan *plan)
{
    const alm_answer a = answer_at(answers, row);
    const alm_answer b = answer_at(answers, other);
    int order = plan->order == ALMANAC__V1__ORDER__ORDER_KEY ? 0 : by_value(&a, &b, plan);
    int64_t steps[] = {
        order,
        (int64_t)alm_query_plan_place_index(plan, a.obs.place) -
            alm_query_plan_place_index(plan, b.obs.place),
        alm_period_cmp(a.obs.period, b.obs.period),
        (int64_t)(a.extra != NULL) - (b.extra != NULL),
        (int64_t)row - other,
    };
    size_t i = 0;
    while (i < ALM_ARRAY_LEN(steps) - 1 && steps[i] == 0) {
        i++;
    }
    return steps[i] < 0;
}

// A number of each place in each year, of an exponent of its own; places ascend, as in storage.
static void fill_cells(alm_cells *cells, const alm_query_plan *plan, uint64_t *state)
{
    static const alm_str variants[] = {ALM_STR("A.gdp.P.level._Z._T")};
    alm_obs *rows = alm_arena_calloc(cells->arena, plan->places.count, sizeof *rows);
    assert_non_null(rows);
    for (int32_t year = 2020; year <= 2022; year++) {
        for (uint32_t i = 0; i < plan->places.count; i++) {
            char text[16];
            int len = snprintf(text, sizeof text, "%zu", cells->count + i);
            int64_t size = below(state, 20) == 0 ? INT64_C(1000000000) : 1;
            rows[i] = (alm_obs){
                .place = plan->place_ids[i],
                .period = {ALM_FREQ_ANNUAL, 1, year},
                .value = {.number = {size * ((int64_t)below(state, 400) - 200),
                                     (int8_t)((int)below(state, 4) - 3)},
                          .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 4},
                          .has_number = below(state, 6) > 0},
                .source = ALM_SOURCE_NONE,
                .published = ALM_DATE_NONE,
                .note = {alm_arena_strdup(cells->arena, (alm_str){text, (size_t)len}), (size_t)len},
            };
        }
        alm_obs_columns columns;
        assert_true(alm_obs_columns_of(rows, plan->places.count, cells->arena, &columns));
        assert_int_equal(alm_cells_visit(cells, variants, 1, &columns, NULL), ALM_OK);
    }
}

static void fill(alm_answers *answers, const alm_query_plan *plan, uint32_t variant, bool is_long,
                 uint64_t *state)
{
    for (uint32_t i = (uint32_t)alm_answers_count(answers); i < ROW_COUNT; i++) {
        static const int64_t long_ones[] = {INT64_C(900719925474099300),
                                            INT64_C(900719925474099301),
                                            INT64_C(-900719925474099302), 900719925474099};
        char text[16];
        int len = snprintf(text, sizeof text, "%u", i);
        int64_t small = (int64_t)below(state, 9) - 4;
        bool is_scaled = !is_long && below(state, 3) == 0;
        alm_obs obs = {
            .place = plan->places.ids[below(state, (uint32_t)plan->places.count)],
            .variant = variant,
            .period = {ALM_FREQ_ANNUAL, 1, 2020 + (int32_t)below(state, 3)},
            .value = {.number = {is_long ? long_ones[below(state, 4)] : small,
                                 (int8_t)(is_long     ? -3
                                          : is_scaled ? 4
                                                      : 0)},
                      .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = is_scaled ? 4 : 8},
                      .has_number = below(state, 6) > 0},
            .source = ALM_SOURCE_NONE,
            .published = ALM_DATE_NONE,
            .note = {alm_arena_strdup(answers->arena, (alm_str){text, (size_t)len}), (size_t)len},
        };
        alm_answer_extra extra = {
            .interval = alm_value_interval(&obs.value), .computed = true, .reason = "-"};
        assert_int_equal(below(state, 2) == 0 ? alm_answers_add_published(answers, &obs, NULL)
                                              : alm_answers_add(answers, &obs, &extra, NULL),
                         ALM_OK);
    }
}

static void check_order(const world *w, uint32_t order, uint32_t limit, uint64_t seed)
{
    alm_arena *arena = alm_arena_create(0);
    world_question q;
    alm_query_plan plan;
    alm_variant_table variants;
    alm_answers answers;
    alm_cells cells;
    uint32_t variant;
    uint64_t state = seed;
    world_ask(&q, "i=gdp p=310105,310000/*@district t=2020..2022");
    assert_int_equal(alm_query_plan_make(&q.request, w->catalog, NULL, arena, &plan, NULL), ALM_OK);
    plan.order = (Almanac__V1__Order)order;
    plan.limit = limit;
    assert_int_equal(alm_variant_table_init(&variants, arena, NULL), ALM_OK);
    assert_int_equal(
        alm_variant_table_intern(&variants, ALM_STR("A.gdp.P.level._Z._T"), &variant, NULL),
        ALM_OK);
    alm_answers_init(&answers, arena, &variants);
    if (seed % 3 != 0) {
        assert_int_equal(alm_cells_init(&cells, arena, &variants, NULL), ALM_OK);
        fill_cells(&cells, &plan, &state);
        answers.cells = &cells;
    }
    if (seed % 3 != 1) {
        fill(&answers, &plan, variant, seed % 2 == 0, &state);
    }
    uint32_t row_count = (uint32_t)alm_answers_count(&answers);
    assert_true(row_count <= ROW_COUNT);

    listed want = {.count = 0};
    for (uint32_t row = 0; row < row_count; row++) {
        size_t at = want.count++;
        for (; at > 0 && comes_before(&answers, row, want.rows[at - 1], &plan); at--) {
            want.rows[at] = want.rows[at - 1];
        }
        want.rows[at] = row;
    }
    want.count = limit == 0 ? row_count : ALM_MIN(limit, row_count);

    listed got = {.count = 0};
    alm_answer_sink sink = {.self = &got, .row = note};
    assert_int_equal(
        alm_answers_tell(&answers, &plan, plan.items[0].indicator, ALM_STR("gdp"), &sink, NULL),
        ALM_OK);
    assert_int_equal(got.count, want.count);
    for (size_t i = 0; i < got.count; i++) {
        if (got.rows[i] != want.rows[i]) {
            fail_msg("order %u, limit %u, seed %u: row %zu is %u, want %u", order, limit,
                     (unsigned)seed, i, got.rows[i], want.rows[i]);
        }
    }
    alm_arena_destroy(&arena);
}

static void a_limit_leaves_the_first(void **unused)
{
    static const uint32_t limits[] = {0, 1, 2, 3, 10, ROW_COUNT - 1, ROW_COUNT, ROW_COUNT + 1};
    (void)unused;
    world w;
    world_init_shanghai(&w);
    for (uint64_t seed = 0; seed < 20; seed++) {
        for (size_t i = 0; i < ALM_ARRAY_LEN(limits); i++) {
            for (uint32_t order = 0; order < 3; order++) {
                check_order(&w, order, limits[i], seed);
            }
        }
    }
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_leaves_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
