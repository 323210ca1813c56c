// The store's smaller questions: the catalogue, which series there are, what was quarantined, the
// change feed.
#include "store_fixture.h"

#include <pthread.h>

#define GDP 0
#define TAX 2

// --- catalogue -----------------------------------------------------------------------------------

typedef struct catalog_count {
    uint32_t indicators, places, sources;
    char names[512];
} catalog_count;

static alm_code count_indicator(void *arg, uint32_t id, const alm_indicator *e, alm_status *st)
{
    catalog_count *c = arg;
    (void)st;
    assert_int_equal(id, c->indicators++);
    assert_true(alm_str_eq(e->name_en, ALM_STR("GDP")));
    return ALM_OK;
}
static alm_code count_place(void *arg, alm_place_id id, const alm_place *e, alm_status *st)
{
    catalog_count *c = arg;
    (void)st;
    assert_int_equal(id, c->places++);
    size_t len = strlen(c->names);
    snprintf(c->names + len, sizeof c->names - len, " %.*s", ALM_STR_ARGS(e->name_zh));
    return ALM_OK;
}
static alm_code count_source(void *arg, uint32_t id, const alm_source *e, alm_status *st)
{
    catalog_count *c = arg;
    (void)e;
    (void)st;
    assert_int_equal(id, c->sources++);
    return ALM_OK;
}

static catalog_count visit_catalog(fixture *f, uint64_t *ret_sequence)
{
    catalog_count count = {0};
    alm_catalog_visitor visitor = {
        .arg = &count, .indicator = count_indicator, .place = count_place, .source = count_source};
    ASSERT_OK(f, alm_store_visit_catalog(f->store, &visitor, ret_sequence, &f->st));
    return count;
}

static void keeps_and_changes_catalogue_entries(void **state)
{
    fixture *f = *state;
    uint64_t sequence;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    alm_place places[] = {a_place("310105", ALM_LEVEL_DISTRICT, "3101"),
                          a_place("310101", ALM_LEVEL_DISTRICT, "3101"),
                          a_place("310106", ALM_LEVEL_DISTRICT, "3101")};
    alm_str alias = text("Changning");
    places[0].name_zh = text("长宁区");
    places[0].aliases = &alias;
    places[0].alias_count = 1;
    alm_commit_result r = commit(f, (alm_batch){.places = places, .place_count = 3});
    assert_int_equal(r.catalog_added, 1);
    assert_int_equal(r.catalog_changed, 1);
    assert_int_equal(r.catalog_unchanged, 1);
    assert_int_equal(r.sequence, 3);
    fixture_reopen(f);
    catalog_count count = visit_catalog(f, &sequence);
    assert_int_equal(sequence, 3);
    assert_int_equal(count.indicators, 2);
    assert_int_equal(count.places, 5);
    assert_int_equal(count.sources, 2);
    assert_string_equal(count.names, " 长宁区 310101 3101 31 310106");
    assert_verifies(f);
}

static void refuses_entries_that_cannot_stand(void **state)
{
    fixture *f = *state;
    alm_commit_result r;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    alm_place place = a_place("320000", ALM_LEVEL_CITY, "32");
    alm_batch batch = {.places = &place, .place_count = 1};
    assert_int_equal(try_commit(f, batch, &r), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(f->st.message, "unknown parent 32"));
    place = a_place("310109", ALM_LEVEL_CITY, "310105");
    assert_int_equal(try_commit(f, batch, &r), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(f->st.message, "cannot be below 310105"));
    place = a_place("310105", ALM_LEVEL_TOWN, "3101");
    assert_int_equal(try_commit(f, batch, &r), ALM_FAILED_PRECONDITION);
    assert_non_null(strstr(f->st.message, "310105"));

    alm_indicator indicator = an_indicator("gdp");
    batch = (alm_batch){.indicators = &indicator, .indicator_count = 1};
    indicator.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_CNY, .mult = 4};
    assert_int_equal(try_commit(f, batch, &r), ALM_OK); // the same dimension
    indicator.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_PERSONS};
    assert_int_equal(try_commit(f, batch, &r), ALM_FAILED_PRECONDITION);
    indicator.code = text("tax"); // has no observations
    assert_int_equal(try_commit(f, batch, &r), ALM_OK);
    indicator.code = text("per_capita");
    indicator.value_type = ALM_VALUE_TYPE_RATE;
    indicator.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_RATIO};
    indicator.over_places = ALM_AGGREGATION_RECOMPUTE;
    indicator.over_time = ALM_AGGREGATION_RECOMPUTE;
    indicator.numerator = text("gdp");
    indicator.denominator = text("people");
    assert_int_equal(try_commit(f, batch, &r), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(f->st.message, "unknown denominator people"));
    assert_verifies(f);
}

// --- series and quarantine -----------------------------------------------------------------------

static alm_code take_info(void *arg, const alm_series_info *info, alm_status *st)
{
    (void)st;
    alm_series_info *out = arg;
    if (alm_str_eq(info->variant, fixture_variants[GDP])) {
        *out = *info;
    }
    return ALM_OK;
}

static void tells_which_series_there_are(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2020, 1, 1), a_row(GDP, 0, 2021, 1, 1), a_row(GDP, 3, 2021, 1, 1),
                a_row(TAX, 0, 2023, 1, 1), a_withdrawal(a_row(GDP, 1, 2022, 0, 0), 1));
    alm_series_info info = {0};
    ASSERT_OK(f, alm_store_visit_series(f->store, take_info, &info, &f->st));
    assert_int_equal(info.place_count, 2);
    assert_int_equal(info.cell_count, 3);
    assert_true(alm_period_eq(info.first, a_year(2020)));
    assert_true(alm_period_eq(info.last, a_year(2021)));
}

static alm_code count_quarantined(void *arg, const alm_quarantined *row, alm_status *st)
{
    (void)st;
    assert_int_equal(row->row, *(uint64_t *)arg);
    assert_true(alm_str_eq(row->batch_id, ALM_STR("import-9")));
    assert_true(alm_str_eq(row->reason, ALM_STR("not a number")));
    assert_true(alm_str_starts_with(row->record, ALM_STR("a,b,")));
    assert_true(row->record.len <= ALM_QUARANTINE_RECORD_BYTES);
    ++*(uint64_t *)arg;
    return ALM_OK;
}

static void keeps_what_could_not_be_taken(void **state)
{
    fixture *f = *state;
    enum { COUNT = 600 };
    char record[5000] = "a,b,";
    memset(record + 4, 'x', sizeof record - 4);
    alm_quarantined *rows = alm_calloc(COUNT, sizeof *rows);
    for (uint64_t i = 0; i < COUNT; i++) {
        rows[i] = (alm_quarantined){.row = i,
                                    .column = 2,
                                    .field = text("value"),
                                    .reason = text("not a number"),
                                    .record = {.data = record, .len = sizeof record}};
    }
    alm_commit_result r = commit(
        f, (alm_batch){.id = text("import-9"), .quarantine = rows, .quarantine_count = COUNT});
    assert_int_equal(r.sequence, 1);
    uint64_t seen = 0;
    ASSERT_OK(f, alm_store_visit_quarantine(f->store, count_quarantined, &seen, &f->st));
    assert_int_equal(seen, COUNT);
    assert_verifies(f);
    alm_free(rows);
}

// --- feed ----------------------------------------------------------------------------------------

static void tells_changes_from_any_sequence(void **state)
{
    fixture *f = *state;
    alm_change change;
    commit_catalog(f);
    alm_obs row = a_row(TAX, 1, 2023, 5, 1);
    row.note = text("n");
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1), row, a_row(GDP, 0, 2023, 1, 1));
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 2, 2));
    fixture_reopen(f);
    ASSERT_OK(f, alm_store_change(f->store, 0, f->arena, &change, &f->st));
    assert_int_equal(change.sequence, 1);
    assert_true(change.catalog_changed);
    assert_int_equal(change.obs_count, 0);
    ASSERT_OK(f, alm_store_change(f->store, 2, f->arena, &change, &f->st));
    assert_int_equal(change.sequence, 2);
    assert_int_equal(change.added, 2);
    assert_true(alm_str_eq(change.batch_id, ALM_STR("batch-2")));
    assert_int_equal(change.obs_count, 2);
    assert_int_equal(change.variant_count, 2);
    assert_true(alm_str_eq(change.variants[change.obs[1].variant], fixture_variants[TAX]));
    assert_true(alm_str_eq(change.obs[1].note, ALM_STR("n")));
    assert_int_equal(change.obs[1].sequence, 2);
    ASSERT_OK(f, alm_store_change(f->store, 3, f->arena, &change, &f->st));
    assert_int_equal(change.revised, 1);
    assert_int_equal(alm_store_change(f->store, 4, f->arena, &change, &f->st), ALM_NOT_FOUND);
}

static void *commit_row(void *arg)
{
    fixture *f = arg;
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    return NULL;
}

static void waits_for_a_sequence(void **state)
{
    fixture *f = *state;
    pthread_t thread;
    commit_catalog(f);
    ASSERT_OK(f, alm_store_wait(f->store, 1, 0, &f->st));
    assert_int_equal(alm_store_wait(f->store, 2, 10, &f->st), ALM_DEADLINE_EXCEEDED);
    assert_int_equal(pthread_create(&thread, NULL, commit_row, f), 0);
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_store_wait(f->store, 2, 10000, &st), ALM_OK);
    pthread_join(thread, NULL);
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(keeps_and_changes_catalogue_entries),
        FIXTURE_TEST(refuses_entries_that_cannot_stand),
        FIXTURE_TEST(tells_which_series_there_are),
        FIXTURE_TEST(keeps_what_could_not_be_taken),
        FIXTURE_TEST(tells_changes_from_any_sequence),
        FIXTURE_TEST(waits_for_a_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
