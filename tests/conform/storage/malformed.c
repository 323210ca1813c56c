// Batches that are refused: nothing of them is stored, and the message names what is wrong.
#include "store_world.h"

#include "alm/limits.h"

// --- rows ----------------------------------------------------------------------------------------

typedef struct defect_row {
    const char *name;
    void (*spoil)(alm_obs *row);
    const char *says;
} defect_row;

static void spoil_place(alm_obs *row)
{
    row->place = 4;
}
static void spoil_source(alm_obs *row)
{
    row->source = 2;
}
static void spoil_variant(alm_obs *row)
{
    row->variant = 3;
}
static void spoil_freq(alm_obs *row)
{
    row->period = (alm_period){.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 2023 * 12};
}
static void spoil_period(alm_obs *row)
{
    row->period = (alm_period){0};
}
static void spoil_published(alm_obs *row)
{
    row->published = ALM_DATE_NONE;
}
static void spoil_unit(alm_obs *row)
{
    row->value.unit = (alm_unit){0};
}
static void spoil_qualifier(alm_obs *row)
{
    row->value.qualifier = ALM_QUALIFIER_COUNT;
}
static void spoil_status(alm_obs *row)
{
    row->value.status = ALM_OBS_STATUS_MISSING;
}
static void spoil_mantissa(alm_obs *row)
{
    row->value.number.mantissa = INT64_MIN;
}
static void spoil_note(alm_obs *row)
{
    row->note = text("\xff");
}

static const defect_row defects[] = {
    {"an unknown place", spoil_place, "there is no place 4"},
    {"an unknown source", spoil_source, "there is no source 2"},
    {"a variant outside the table", spoil_variant, "not in the batch's table"},
    {"a period of another frequency", spoil_freq, "frequency"},
    {"no period", spoil_period, "not a period"},
    {"no publication date", spoil_published, "publication date"},
    {"a number without unit", spoil_unit, "unit"},
    {"an unknown qualifier", spoil_qualifier, "qualifier"},
    {"a missing value with a number", spoil_status, "missing"},
    {"a number too long", spoil_mantissa, "18 digits"},
    {"a note that is not text", spoil_note, "UTF-8"},
};

static void a_malformed_row_refuses_the_whole_batch(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    for (size_t i = 0; i < ALM_ARRAY_LEN(defects); i++) {
        alm_commit_result result;
        alm_obs rows[] = {a_row(GDP, 0, 2023, 100, 1), a_row(GDP, 1, 2023, 100, 1)};
        defects[i].spoil(&rows[1]);
        alm_code code = try_commit(f, batch_of_rows(rows, 2), &result);
        if (code != ALM_INVALID_ARGUMENT || strstr(f->st.message, defects[i].says) == NULL ||
            strcmp(f->st.field, "row 1") != 0) {
            fail_msg("%s: %s, field %s: %s", defects[i].name, alm_code_name(code), f->st.field,
                     f->st.message);
        }
        assert_int_equal(read_rows(f, read_all())->count, 0);
    }
    assert_int_equal(get_stats(f).sequence, 1);
    assert_verifies(f);
}

static void refuses_an_unknown_indicator(void **state)
{
    fixture *f = *state;
    alm_commit_result result;
    commit_catalog(f);
    alm_str variant = text("A.nobody.P.level._Z._T");
    alm_obs row = a_row(0, 0, 2023, 100, 1);
    alm_batch batch = {.variants = &variant, .variant_count = 1, .obs = &row, .obs_count = 1};
    assert_int_equal(try_commit(f, batch, &result), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(f->st.message, "nobody"));
    variant = text("A.gdp.P");
    assert_int_equal(try_commit(f, batch, &result), ALM_INVALID_ARGUMENT);
    batch = (alm_batch){.id = ALM_STR(""), .obs = &row};
    batch.id = (alm_str){.data = "", .len = 0};
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_store_commit(f->store, &batch, f->arena, &result, &st),
                     ALM_INVALID_ARGUMENT);
}

// Entries of a batch whose rows are refused are not stored either.
static void a_refused_row_takes_the_entries_with_it(void **state)
{
    fixture *f = *state;
    alm_commit_result r;
    commit_catalog(f);
    alm_place place = a_place("310106", ALM_LEVEL_DISTRICT, "3101");
    alm_quarantined bad = {.row = 1, .reason = text("not a number")};
    alm_obs row = a_row(GDP, 5, 2023, 1, 1);
    alm_batch batch = batch_of_rows(&row, 1);
    batch.places = &place;
    batch.place_count = 1;
    batch.quarantine = &bad;
    batch.quarantine_count = 1;
    assert_code(f, ALM_INVALID_ARGUMENT, try_commit(f, batch, &r));
    alm_store_stats stats = get_stats(f);
    assert_int_equal(stats.places, 4);
    assert_int_equal(stats.quarantined, 0);
    assert_int_equal(stats.catalog_sequence, 1);
    assert_verifies(f);
}

// --- frames --------------------------------------------------------------------------------------

static void a_batch_id_is_1_to_128_bytes(void **state)
{
    fixture *f = *state;
    alm_commit_result r;
    char id[ALM_BATCH_ID_BYTES_MAX + 1];
    memset(id, 'i', sizeof id);
    commit_catalog(f);
    alm_batch batch = {.id = {.data = id, .len = sizeof id}};
    assert_code(f, ALM_INVALID_ARGUMENT, try_commit(f, batch, &r));
    assert_string_equal(f->st.field, "batch_id");
    batch.id.len--;
    assert_code(f, ALM_OK, try_commit(f, batch, &r));
    batch.id.len = 0;
    assert_code(f, ALM_INVALID_ARGUMENT, alm_store_commit(f->store, &batch, f->arena, &r, &f->st));
}

static void a_batch_has_its_largest_size(void **state)
{
    fixture *f = *state;
    alm_commit_result r;
    commit_catalog(f);
    size_t count = ALM_COMMIT_ROW_COUNT_MAX + 1;
    alm_obs *rows = alm_calloc(count, sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        rows[i] = a_row((uint32_t)(i % 3), (alm_place_id)(i / 3 % 4), 1 + (int)(i / 12 % 9000),
                        (int64_t)i, (int)(i / 108000));
    }
    assert_code(f, ALM_RESOURCE_EXHAUSTED, try_commit(f, batch_of_rows(rows, count), &r));
    assert_int_equal(get_stats(f).observations, 0);
    alm_batch bulk = batch_of_rows(rows, count);
    bulk.is_bulk = bulk.dry_run = true;
    r = commit(f, bulk);
    assert_int_equal(r.added + r.revised, count);
    r = commit(f, batch_of_rows(rows, count - 1));
    assert_int_equal(r.added + r.revised, count - 1);
    assert_int_equal(get_stats(f).observations, count - 1);
    alm_free(rows);
}

store_group conform_malformed(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(a_malformed_row_refuses_the_whole_batch),
        STORE_TEST(refuses_an_unknown_indicator),
        STORE_TEST(a_refused_row_takes_the_entries_with_it),
        STORE_TEST(a_batch_id_is_1_to_128_bytes),
        STORE_TEST(a_batch_has_its_largest_size),
    };
    return (store_group){"malformed", tests, ALM_ARRAY_LEN(tests)};
}
