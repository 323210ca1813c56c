// Goal: what packs answer of a fetch is what a reader answers of it, to the bit.
// Method: random vintages at places of several packs, read once with the neighbours and packed;
// random fetches of the packs against the plain reader of test_world.h. Then what is refused.
#include "series_pack.h"
#include "test_examples.h"

#define PACKS  3
#define PLACES (PACKS * ALM_PACK_PLACE_COUNT)

static const char *const variants[] = {"A.gdp.P.level._Z._T", "Q.gdp.P.level._Z._T",
                                       "A.gdp.P.growth_yoy._Z._T", "A.gdp.P.level._Z.by=a"};

// --- rows that were visited ----------------------------------------------------------------------

typedef struct row_list {
    alm_arena *arena;
    world_row rows[4096];
    size_t count;
    alm_str last; // variant
} row_list;

static alm_code take_rows(void *arg, const alm_str *texts, size_t count,
                          const alm_obs_columns *rows, alm_status *st)
{
    row_list *list = arg;
    (void)st;
    assert_true(rows->count > 0);
    for (size_t i = 0; i < rows->count; i++) {
        world_row *row = &list->rows[list->count++];
        assert_true(list->count <= ALM_ARRAY_LEN(list->rows));
        row->obs = alm_obs_at(rows, i);
        assert_true(row->obs.variant < count);
        snprintf(row->variant, sizeof row->variant, "%.*s", ALM_STR_ARGS(texts[row->obs.variant]));
        row->obs.variant = 0;
        row->obs.note.data = alm_arena_strdup(list->arena, row->obs.note);
        assert_true(i == 0 || world_order(row - 1, row) < 0);
    }
    return ALM_OK;
}

static void check_same(row_list *got, row_list *want, uint64_t seed)
{
    qsort(got->rows, got->count, sizeof *got->rows, world_order);
    qsort(want->rows, want->count, sizeof *want->rows, world_order);
    if (got->count != want->count) {
        fail_msg("%zu rows, not %zu (ALM_TEST_SEED=%llu)", got->count, want->count,
                 (unsigned long long)seed);
    }
    for (size_t i = 0; i < got->count; i++) {
        const alm_obs *a = &got->rows[i].obs;
        const alm_obs *b = &want->rows[i].obs;
        assert_string_equal(got->rows[i].variant, want->rows[i].variant);
        assert_int_equal(a->place, b->place);
        assert_true(alm_period_eq(a->period, b->period));
        assert_int_equal(a->value.number.mantissa, b->value.number.mantissa);
        assert_int_equal(a->value.number.exponent, b->value.number.exponent);
        assert_true(alm_unit_eq(a->value.unit, b->value.unit));
        assert_int_equal(alm_obs_flags(&a->value), alm_obs_flags(&b->value));
        assert_int_equal(a->source, b->source);
        assert_int_equal(a->published, b->published);
        assert_true(alm_str_eq(a->note, b->note));
        assert_int_equal(a->sequence, b->sequence);
    }
}

// --- a world -------------------------------------------------------------------------------------

static int64_t random_mantissa(world_random *random)
{
    static const int64_t ranges[] = {1, 200, 60000, INT64_C(1) << 31, INT64_C(1) << 61};
    int64_t range = ranges[world_random_below(random, ALM_ARRAY_LEN(ranges))];
    return (int64_t)world_random_below(random, (uint64_t)range) - range / 2;
}

static void add_row(world *w, world_random *random, bool is_alike)
{
    static const alm_obs_status statuses[] = {ALM_OBS_STATUS_NORMAL, ALM_OBS_STATUS_NORMAL,
                                              ALM_OBS_STATUS_MISSING, ALM_OBS_STATUS_WITHDRAWN};
    world_row row = {.obs = {.source = ALM_SOURCE_NONE, .published = 20000}};
    const char *variant = variants[world_random_below(random, ALM_ARRAY_LEN(variants))];
    snprintf(row.variant, sizeof row.variant, "%s", variant);
    alm_obs *obs = &row.obs;
    obs->place = (alm_place_id)(world_random_below(random, PACKS) * ALM_PACK_PLACE_COUNT +
                                ALM_PACK_PLACE_COUNT - 1 - world_random_below(random, 6) * 3);
    obs->period = (alm_period){.freq = variant[0] == 'A' ? ALM_FREQ_ANNUAL : ALM_FREQ_QUARTER,
                               .length = 1,
                               .ordinal = (int32_t)(2000 + world_random_below(random, 6))};
    obs->value.unit = ALM_UNIT_PERCENT;
    obs->value.status = statuses[world_random_below(random, is_alike ? 1 : 4)];
    obs->value.has_number = !alm_obs_status_missing(obs->value.status);
    if (obs->value.has_number) {
        obs->value.number.mantissa = random_mantissa(random);
        obs->value.number.exponent = is_alike ? 0 : (int8_t)(world_random_below(random, 5) - 4);
    }
    if (!is_alike) {
        static const alm_str notes[] = {{"", 0}, {"", 0}, {"about", 5}, {"revised", 7}};
        obs->value.unit.mult = (int8_t)world_random_below(random, 4);
        obs->published += (alm_date)world_random_below(random, 400);
        obs->source = world_random_below(random, 2) == 0 ? ALM_SOURCE_NONE : 0;
        obs->note = notes[world_random_below(random, ALM_ARRAY_LEN(notes))];
    }
    for (size_t i = 0; i < w->count; i++) { // no vintage contradicts another
        if (world_same_cell(&w->rows[i], &row) && w->rows[i].obs.source == obs->source &&
            w->rows[i].obs.published == obs->published) {
            return;
        }
    }
    world_put(w, &row);
}

static alm_code pack_of(world *w, const alm_fetch *fetch, alm_place_id first, alm_arena *arena,
                        alm_series_pack **ret, alm_status *st)
{
    alm_fetch wide = *fetch;
    alm_place_id *places = alm_arena_calloc(arena, ALM_PACK_PLACE_COUNT, sizeof *places);
    alm_pack_draft *draft = alm_pack_draft_create(first, arena);
    assert_non_null(places);
    assert_non_null(draft);
    for (size_t i = 0; i < ALM_PACK_PLACE_COUNT; i++) {
        places[i] = first + (alm_place_id)i;
    }
    wide.places = places;
    wide.place_count = ALM_PACK_PLACE_COUNT;
    wide.periods = (alm_period_expr){.kind = ALM_PERIOD_EXPR_ALL};
    wide.without_value = true;
    ALM_TRY(world_read(w, &wide, alm_pack_draft_visit, draft, st));
    return alm_series_pack_create(draft, ret, st);
}

// --- the property --------------------------------------------------------------------------------

static void random_periods(world_random *random, alm_period_range ranges[2], alm_period_expr *ret)
{
    *ret = (alm_period_expr){.kind = (alm_period_expr_kind)world_random_below(random, 3),
                             .last = 1 + (uint32_t)world_random_below(random, 3),
                             .ranges = ranges,
                             .range_count = world_random_below(random, 3)};
    for (size_t i = 0; i < 2; i++) {
        uint8_t freq = world_random_below(random, 2) == 0 ? ALM_FREQ_ANNUAL : ALM_FREQ_QUARTER;
        int32_t from = (int32_t)(1999 + world_random_below(random, 6));
        ranges[i].from = (alm_period){.freq = freq, .length = 1, .ordinal = from};
        ranges[i].to = (alm_period){.freq = freq, .length = 1, .ordinal = from + (int32_t)i};
        if (world_random_below(random, 4) == 0) {
            ranges[i].to = (alm_period){0};
        }
    }
}

static size_t random_places(world_random *random, alm_place_id *ret)
{
    size_t count = 0;
    uint64_t packs = 1 + world_random_below(random, 7);
    for (alm_place_id place = 0; place < PLACES && count < 16; place++) {
        bool is_in = (packs >> (place / ALM_PACK_PLACE_COUNT) & 1) != 0;
        if (is_in && place % ALM_PACK_PLACE_COUNT % 3 == 0 && world_random_below(random, 2) == 0) {
            ret[count++] = place;
        }
    }
    return count;
}

static void answers_what_the_reader_does(void **state)
{
    (void)state;
    static row_list got, want;
    world_random random = world_random_start();
    const alm_str gdp = ALM_STR("gdp");
    for (int round = 0; round < 60; round++) {
        world w;
        alm_series_pack *packs[PACKS];
        alm_arena *arena = alm_arena_create(0);
        world_init_shanghai(&w);
        bool is_alike = world_random_below(&random, 4) == 0;
        for (size_t n = world_random_below(&random, 150); n > 0; n--) {
            add_row(&w, &random, is_alike);
        }
        alm_fetch fetch = {.indicators = &gdp,
                           .indicator_count = 1,
                           .as_of = ALM_DATE_MAX,
                           .breakdown = world_random_below(&random, 2) ? ALM_STR("*") : ALM_STR(""),
                           .today = world_random_below(&random, 2) ? 20200 : 0};
        for (alm_place_id i = 0; i < PACKS; i++) {
            assert_int_equal(pack_of(&w, &fetch, i * ALM_PACK_PLACE_COUNT, arena, &packs[i], NULL),
                             ALM_OK);
            assert_true(alm_series_pack_bytes(packs[i]) >= alm_series_pack_rows(packs[i]));
        }
        for (int question = 0; question < 20; question++) {
            alm_period_range ranges[2];
            alm_place_id places[16];
            random_periods(&random, ranges, &fetch.periods);
            fetch.places = places;
            fetch.place_count = random_places(&random, places);
            fetch.without_value = world_random_below(&random, 2) == 0;
            got.count = want.count = 0;
            got.arena = want.arena = arena;
            assert_int_equal(
                alm_series_packs_read(packs, PACKS, &fetch, take_rows, &got, arena, NULL), ALM_OK);
            assert_int_equal(world_read(&w, &fetch, take_rows, &want, NULL), ALM_OK);
            check_same(&got, &want, random.seed);
        }
        for (size_t i = 0; i < PACKS; i++) {
            alm_series_pack_release(&packs[i]);
        }
        alm_arena_destroy(&arena);
        world_deinit(&w);
    }
}

// --- what is refused -----------------------------------------------------------------------------

static alm_code draft_rows(const world_row *rows, size_t count)
{
    alm_status st = ALM_STATUS_INIT;
    alm_series_pack *pack = NULL;
    alm_arena *arena = alm_arena_create(0);
    alm_pack_draft *draft = alm_pack_draft_create(ALM_PACK_PLACE_COUNT, arena);
    assert_non_null(draft);
    alm_code code = ALM_OK;
    for (size_t i = 0; i < count && code == ALM_OK; i++) {
        world_row_columns alone;
        alm_str text = alm_str_from(rows[i].variant);
        world_row_columns_set(&alone, &rows[i].obs);
        code = alm_pack_draft_visit(draft, &text, 1, &alone.columns, &st);
    }
    if (code == ALM_OK) {
        code = alm_series_pack_create(draft, &pack, &st);
    }
    alm_series_pack_release(&pack);
    alm_arena_destroy(&arena);
    return code;
}

static void refuses_what_nobody_asked_for(void **state)
{
    (void)state;
    const alm_period year = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 2020};
    world_row rows[2] = {
        {.variant = "A.gdp.P.level._Z._T", .obs = {.place = ALM_PACK_PLACE_COUNT, .period = year}}};
    rows[1] = rows[0];
    rows[1].obs.period.ordinal++;
    assert_int_equal(draft_rows(rows, 2), ALM_OK);
    rows[1].obs.period.ordinal--; // the same cell twice
    assert_int_equal(draft_rows(rows, 2), ALM_INTERNAL);
    rows[1].obs.period.ordinal--;
    assert_int_equal(draft_rows(rows, 2), ALM_INTERNAL);
    rows[1].obs.place = ALM_PACK_PLACE_COUNT - 1; // of another pack
    assert_int_equal(draft_rows(rows, 2), ALM_INTERNAL);
    rows[1].obs.place = 2 * ALM_PACK_PLACE_COUNT;
    assert_int_equal(draft_rows(rows, 2), ALM_INTERNAL);
}

static void refuses_what_is_too_much(void **state)
{
    (void)state;
    world_row row = {.variant = "D.gdp.P.level._Z._T", .obs = {.place = 1}};
    world_row_columns alone;
    alm_status st = ALM_STATUS_INIT;
    alm_str text = alm_str_from(row.variant);
    row.obs.period = (alm_period){.freq = ALM_FREQ_DAY, .length = 1};
    world_row_columns_set(&alone, &row.obs);
    alone.columns.count = ALM_PACK_ROW_COUNT_MAX / 4 + 1;
    alm_arena *arena = alm_arena_create(0);
    alm_pack_draft *draft = alm_pack_draft_create(0, arena);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(alm_pack_draft_visit(draft, &text, 1, &alone.columns, &st), ALM_OK);
    }
    assert_int_equal(alm_pack_draft_visit(draft, &text, 1, &alone.columns, &st),
                     ALM_RESOURCE_EXHAUSTED);
    alm_arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_what_the_reader_does),
        cmocka_unit_test(refuses_what_nobody_asked_for),
        cmocka_unit_test(refuses_what_is_too_much),
    };
    return cmocka_run_group_tests_name("series_pack", tests, NULL, NULL);
}
