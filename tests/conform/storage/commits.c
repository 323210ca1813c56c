// What becomes of a batch: what its rows are called, what is kept of them, and what a repetition
// and a dry run answer.
#include "store_world.h"

// --- rows ----------------------------------------------------------------------------------------

static void keeps_a_row_with_every_field(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = with_source(a_row(GDP, 2, 2023, 16853, 10), YEARBOOK);
    row.value.qualifier = ALM_QUALIFIER_MORE_THAN;
    row.value.status = ALM_OBS_STATUS_PROVISIONAL;
    row.note = text("初步核算");
    alm_commit_result result = COMMIT_ROWS(f, row);
    assert_int_equal(result.sequence, 2);
    assert_int_equal(result.added, 1);
    fixture_reopen(f);
    answer *a = read_rows(f, read_all());
    assert_int_equal(a->sequence, 2);
    assert_int_equal(a->count, 1);
    const alm_obs *got = &a->rows[0];
    assert_true(alm_str_eq(a->variants[0], fixture_variants[GDP]));
    assert_int_equal(got->place, 2);
    assert_true(alm_period_eq(got->period, a_year(2023)));
    assert_int_equal(got->value.number.mantissa, 16853);
    assert_int_equal(got->value.number.exponent, -2);
    assert_true(alm_unit_eq(got->value.unit, row.value.unit));
    assert_int_equal(got->value.qualifier, ALM_QUALIFIER_MORE_THAN);
    assert_int_equal(got->value.status, ALM_OBS_STATUS_PROVISIONAL);
    assert_int_equal(got->source, YEARBOOK);
    assert_int_equal(got->published, row.published);
    assert_true(alm_str_eq(got->note, row.note));
    assert_int_equal(got->sequence, 2);
    assert_verifies(f);
}

// The widest values that a row may have, and the narrowest.
static void keeps_the_bounds_of_every_field(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs rows[] = {a_row(GDP, 0, 1, 0, 0), a_row(GDP, 1, 9999, 0, 0), a_row(GDP, 2, 2023, 0, 0)};
    rows[0].published = ALM_DATE_NONE + 1;
    rows[0].value.number =
        (alm_decimal){.mantissa = ALM_DECIMAL_MANTISSA_MAX, .exponent = ALM_DECIMAL_EXPONENT_MAX};
    rows[1].published = ALM_DATE_MAX - 1;
    rows[1].value.number =
        (alm_decimal){.mantissa = -ALM_DECIMAL_MANTISSA_MAX, .exponent = ALM_DECIMAL_EXPONENT_MIN};
    char note[ALM_TEXT_BYTES_MAX];
    memset(note, 'n', sizeof note);
    rows[2].note = (alm_str){.data = note, .len = sizeof note};
    rows[2].period = (alm_period){.freq = ALM_FREQ_ANNUAL, .length = 1000, .ordinal = 1000};
    commit(f, batch_of_rows(rows, 3));
    fixture_reopen(f);
    answer *a = read_rows(f, read_all());
    assert_int_equal(a->count, 3);
    static const size_t order[] = {0, 2, 1};
    for (size_t i = 0; i < 3; i++) {
        const alm_obs *want = &rows[order[i]];
        assert_true(alm_period_eq(a->rows[i].period, want->period));
        assert_int_equal(a->rows[i].published, want->published);
        assert_true(a->rows[i].value.number.mantissa == want->value.number.mantissa);
        assert_int_equal(a->rows[i].value.number.exponent, want->value.number.exponent);
        assert_true(alm_str_eq(a->rows[i].note, want->note));
    }
    assert_verifies(f);
}

static void tells_added_revised_unchanged_and_conflict(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 100, 1));
    alm_commit_result r = COMMIT_ROWS(f, a_row(GDP, 0, 2023, 100, 1), // unchanged
                                      a_row(GDP, 0, 2023, 999, 1),    // conflict
                                      a_row(GDP, 0, 2023, 110, 2),    // revised
                                      a_row(GDP, 0, 2023, 111, 2),    // conflict with the row above
                                      a_row(GDP, 1, 2023, 50, 1),     // added
                                      a_row(GDP, 1, 2023, 50, 1));    // unchanged
    assert_int_equal(r.added, 1);
    assert_int_equal(r.revised, 1);
    assert_int_equal(r.unchanged, 2);
    assert_int_equal(r.conflict_count, 2);
    assert_int_equal(r.conflicts[0].row, 1);
    assert_int_equal(r.conflicts[1].row, 3);
    assert_true(alm_str_find(r.conflicts[0].reason, ALM_STR("1.00")) != SIZE_MAX);
    assert_true(alm_str_find(r.conflicts[1].reason, ALM_STR("another row")) != SIZE_MAX);
    answer *a = read_rows(f, read_all());
    assert_int_equal(a->count, 2);
    assert_int_equal(a->rows[0].value.number.mantissa, 110);
    assert_verifies(f);
}

static void digits_are_part_of_a_value(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 0, 2023, 1000, 1);
    COMMIT_ROWS(f, row);
    row.value.number = (alm_decimal){.mantissa = 100, .exponent = -1}; // 10.0, not 10.00
    alm_commit_result r = COMMIT_ROWS(f, row);
    assert_int_equal(r.conflict_count, 1);
    assert_int_equal(r.sequence, 0);
}

static void spoil_unit(alm_obs *row)
{
    row->value.unit.mult = 4;
}
static void spoil_qualifier(alm_obs *row)
{
    row->value.qualifier = ALM_QUALIFIER_ABOUT;
}
static void spoil_status(alm_obs *row)
{
    row->value.status = ALM_OBS_STATUS_PROVISIONAL;
}
static void spoil_note(alm_obs *row)
{
    row->note = text("n");
}
static void spoil_number(alm_obs *row)
{
    row->value.number.mantissa++;
}
static void spoil_presence(alm_obs *row)
{
    row->value.has_number = false;
}

// Each part of a statement alone makes another one.
static void every_part_of_a_statement_can_conflict(void **state)
{
    fixture *f = *state;
    void (*const spoils[])(alm_obs *) = {spoil_unit, spoil_qualifier, spoil_status,
                                         spoil_note, spoil_number,    spoil_presence};
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 100, 1));
    for (size_t i = 0; i < ALM_ARRAY_LEN(spoils); i++) {
        alm_obs row = a_row(GDP, 0, 2023, 100, 1);
        spoils[i](&row);
        alm_commit_result r = COMMIT_ROWS(f, row);
        assert_int_equal(r.conflict_count, 1);
        assert_int_equal(r.sequence, 0);
    }
    assert_int_equal(value_at(f, read_all()), 100);
    assert_int_equal(get_stats(f).observations, 1);
}

// A number behind a row that has none is nothing that was said.
static void a_number_that_is_not_there_does_not_count(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 0, 2023, 5, 1);
    row.value.has_number = false;
    row.value.status = ALM_OBS_STATUS_MISSING_SUPPRESSED;
    COMMIT_ROWS(f, row);
    row.value.number.mantissa = 6;
    assert_int_equal(COMMIT_ROWS(f, row).unchanged, 1);
    answer *a = read_rows(f, read_all());
    assert_int_equal(a->count, 1);
    assert_int_equal(a->rows[0].value.number.mantissa, 0);
    assert_false(a->rows[0].value.has_number);
}

// One source may not say two things on one day; another source, or another day, may.
static void a_vintage_is_of_a_source_and_a_day(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_commit_result r =
        COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1), with_source(a_row(GDP, 0, 2023, 2, 1), BULLETIN),
                    with_source(a_row(GDP, 0, 2023, 3, 1), YEARBOOK), a_row(GDP, 0, 2023, 4, 2));
    assert_int_equal(r.added, 1);
    assert_int_equal(r.revised, 3);
    assert_int_equal(r.conflict_count, 0);
    alm_read read = read_all();
    read.all_vintages = true;
    assert_int_equal(read_rows(f, read)->count, 4);
}

// The second of two rows is the conflict, however the batch names their variant.
static void a_variant_named_twice_is_one(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_str twice[] = {fixture_variants[GDP], fixture_variants[TAX], fixture_variants[GDP]};
    alm_obs rows[] = {a_row(2, 0, 2023, 1, 1), a_row(0, 0, 2023, 2, 1), a_row(0, 0, 2022, 3, 1),
                      a_row(2, 0, 2022, 3, 1), a_row(1, 0, 2022, 4, 1)};
    alm_batch batch = batch_of_rows(rows, ALM_ARRAY_LEN(rows));
    batch.variants = twice;
    alm_commit_result r = commit(f, batch);
    assert_int_equal(r.added, 3);
    assert_int_equal(r.unchanged, 1);
    assert_int_equal(r.conflict_count, 1);
    assert_int_equal(r.conflicts[0].row, 1);
    assert_int_equal(read_rows(f, read_all())->count, 3);
    alm_change change;
    ASSERT_OK(f, alm_store_change(f->store, 2, f->arena, &change, &f->st));
    assert_int_equal(change.variant_count, 2);
    assert_int_equal(change.obs_count, 3);
    assert_verifies(f);
}

static void a_commit_without_news_has_no_sequence(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 100, 1));
    alm_commit_result r = COMMIT_ROWS(f, a_row(GDP, 0, 2023, 100, 1));
    assert_int_equal(r.sequence, 0);
    assert_int_equal(r.unchanged, 1);
    assert_int_equal(COMMIT_ROWS(f, a_row(GDP, 0, 2023, 101, 2)).sequence, 3);
}

static void an_empty_batch_changes_nothing(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_commit_result r = commit(f, (alm_batch){0});
    assert_int_equal(r.sequence, 0);
    assert_int_equal(get_stats(f).sequence, 1);
}

// Entries come first: a row may lean on one of its own batch.
static void rows_may_lean_on_entries_of_their_batch(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_indicator indicator = an_indicator("people");
    alm_place place = a_place("310106", ALM_LEVEL_DISTRICT, "3101");
    alm_source source = a_source("flash", 5);
    alm_str variant = text("A.people.P.level._Z._T");
    alm_obs row = with_source(a_row(0, 4, 2023, 7, 1), 2);
    alm_commit_result r = commit(f, (alm_batch){.variants = &variant,
                                                .variant_count = 1,
                                                .obs = &row,
                                                .obs_count = 1,
                                                .indicators = &indicator,
                                                .indicator_count = 1,
                                                .places = &place,
                                                .place_count = 1,
                                                .sources = &source,
                                                .source_count = 1});
    assert_int_equal(r.added, 1);
    assert_int_equal(r.catalog_added, 3);
    assert_int_equal(value_at(f, read_all()), 7);
    assert_int_equal(get_stats(f).catalog_sequence, 2);
    assert_verifies(f);
}

// --- known batches -------------------------------------------------------------------------------

static void answers_a_known_batch_from_the_first(void **state)
{
    fixture *f = *state;
    alm_commit_result again;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2022, 1, 1));
    alm_obs rows[] = {a_row(GDP, 0, 2023, 100, 1), a_row(GDP, 0, 2022, 2, 1)};
    alm_batch batch = batch_of_rows(rows, 2);
    batch.id = text("import-7");
    batch.digest = 42;
    alm_commit_result first = commit(f, batch);
    fixture_reopen(f);
    again = commit(f, batch);
    assert_false(first.replayed);
    assert_true(again.replayed);
    assert_int_equal(again.sequence, first.sequence);
    assert_int_equal(again.added, 1);
    assert_int_equal(again.conflict_count, 1);
    assert_int_equal(again.conflicts[0].row, 1);
    assert_true(alm_str_eq(again.conflicts[0].reason, first.conflicts[0].reason));
    batch.digest = 43;
    assert_int_equal(try_commit(f, batch, &again), ALM_ALREADY_EXISTS);
    assert_string_equal(f->st.field, "batch_id");
    assert_verifies(f);
}

// A repetition is answered from the first, whatever came between, and even where the batch could
// not be committed any more.
static void a_repetition_is_answered_after_other_commits(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_indicator indicator = an_indicator("people");
    alm_batch entries = {.id = text("entries"), .indicators = &indicator, .indicator_count = 1};
    commit(f, entries);
    alm_obs row = a_row(0, 0, 2023, 100, 1);
    alm_str variant = text("A.people.P.level._Z._T");
    alm_batch rows = {
        .id = text("rows"), .variants = &variant, .variant_count = 1, .obs = &row, .obs_count = 1};
    commit(f, rows);
    row.published++;
    row.value.number.mantissa = 101;
    rows.id = text("later");
    commit(f, rows);
    alm_indicator changed = indicator;
    changed.name_en = text("People");
    commit(f, (alm_batch){.indicators = &changed, .indicator_count = 1});

    indicator.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_PERSONS};
    alm_commit_result r = commit(f, entries);
    assert_true(r.replayed);
    assert_int_equal(r.sequence, 2);
    assert_int_equal(r.catalog_added, 1);
    rows.id = text("rows");
    r = commit(f, rows);
    assert_true(r.replayed);
    assert_int_equal(r.sequence, 3);
    assert_int_equal(r.added, 1);
    assert_int_equal(get_stats(f).sequence, 5);
    assert_int_equal(value_at(f, read_all()), 101);
    assert_verifies(f);
}

// A batch without news is known as well.
static void a_batch_without_news_is_known(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 0, 2023, 100, 1);
    COMMIT_ROWS(f, row);
    alm_batch batch = batch_of_rows(&row, 1);
    batch.id = text("again");
    assert_false(commit(f, batch).replayed);
    alm_commit_result r = commit(f, batch);
    assert_true(r.replayed);
    assert_int_equal(r.sequence, 0);
    assert_int_equal(r.unchanged, 1);
}

// What was refused was not committed: its id is free.
static void a_refused_batch_may_come_again(void **state)
{
    fixture *f = *state;
    alm_commit_result r;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 99, 2023, 100, 1);
    alm_batch batch = batch_of_rows(&row, 1);
    batch.id = text("mended");
    assert_code(f, ALM_INVALID_ARGUMENT, try_commit(f, batch, &r));
    row.place = 0;
    batch.digest = 7;
    r = commit(f, batch);
    assert_false(r.replayed);
    assert_int_equal(r.sequence, 2);
}

// --- dry runs ------------------------------------------------------------------------------------

static void a_dry_run_answers_and_stores_nothing(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_indicator indicator = an_indicator("population");
    alm_obs row = a_row(GDP, 0, 2023, 100, 1);
    alm_batch batch = batch_of_rows(&row, 1);
    batch.id = text("trial");
    batch.indicators = &indicator;
    batch.indicator_count = 1;
    batch.dry_run = true;
    alm_commit_result trial = commit(f, batch);
    assert_int_equal(trial.sequence, 0);
    assert_int_equal(trial.added, 1);
    assert_int_equal(trial.catalog_added, 1);
    assert_int_equal(read_rows(f, read_all())->count, 0);
    batch.dry_run = false;
    alm_commit_result real = commit(f, batch);
    assert_false(real.replayed);
    assert_int_equal(real.sequence, 2);
    assert_int_equal(real.added, 1);
    assert_int_equal(real.catalog_added, 1);
}

static alm_code count_quarantined(void *arg, const alm_quarantined *row, alm_status *st)
{
    (void)row;
    (void)st;
    ++*(uint64_t *)arg;
    return ALM_OK;
}

// Everything a batch can hold, tried: nothing of it is seen by any question.
static void a_dry_run_leaves_no_trace(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 1, 1), BULLETIN),
                with_source(a_row(GDP, 0, 2023, 2, 1), YEARBOOK));
    alm_store_stats before = get_stats(f);
    alm_place place = a_place("310106", ALM_LEVEL_DISTRICT, "3101");
    alm_source source = a_source("bulletin", 99);
    alm_quarantined bad = {.row = 1, .reason = text("not a number")};
    alm_obs rows[] = {a_row(GDP, 4, 2023, 1, 1), a_row(GDP, 0, 2023, 9, 9),
                      a_row(TAX, 0, 2023, 9, 9), with_source(a_row(GDP, 0, 2023, 7, 1), BULLETIN)};
    alm_batch batch = batch_of_rows(rows, ALM_ARRAY_LEN(rows));
    batch.places = &place;
    batch.place_count = 1;
    batch.sources = &source;
    batch.source_count = 1;
    batch.quarantine = &bad;
    batch.quarantine_count = 1;
    batch.dry_run = true;
    alm_commit_result r = commit(f, batch);
    assert_int_equal(r.sequence, 0);
    assert_int_equal(r.added, 2);
    assert_int_equal(r.revised, 1);
    assert_int_equal(r.conflict_count, 1);
    assert_int_equal(r.catalog_added, 1);
    assert_int_equal(r.catalog_changed, 1);

    alm_store_stats after = get_stats(f);
    alm_change change;
    uint64_t quarantined = 0;
    assert_int_equal(after.sequence, before.sequence);
    assert_int_equal(after.catalog_sequence, before.catalog_sequence);
    assert_int_equal(after.observations, before.observations);
    assert_int_equal(after.cells, before.cells);
    assert_int_equal(after.places, before.places);
    assert_int_equal(after.series_variants, before.series_variants);
    assert_int_equal(after.quarantined, before.quarantined);
    assert_code(f, ALM_NOT_FOUND, alm_store_change(f->store, 3, f->arena, &change, &f->st));
    assert_code(f, ALM_DEADLINE_EXCEEDED, alm_store_wait(f->store, 3, 0, &f->st));
    ASSERT_OK(f, alm_store_visit_quarantine(f->store, count_quarantined, &quarantined, &f->st));
    assert_int_equal(quarantined, 0);
    assert_int_equal(value_at(f, read_all()), 2);
    assert_verifies(f);
}

// A dry run that would be refused is refused; one of a known batch is answered from the first.
static void a_dry_run_is_refused_as_the_batch_would_be(void **state)
{
    fixture *f = *state;
    alm_commit_result r;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 99, 2023, 1, 1);
    alm_batch batch = batch_of_rows(&row, 1);
    batch.dry_run = true;
    assert_code(f, ALM_INVALID_ARGUMENT, try_commit(f, batch, &r));
    row.place = 0;
    batch.id = text("known");
    batch.dry_run = false;
    commit(f, batch);
    batch.dry_run = true;
    r = commit(f, batch);
    assert_true(r.replayed);
    assert_int_equal(r.sequence, 2);
    batch.digest++;
    assert_code(f, ALM_ALREADY_EXISTS, try_commit(f, batch, &r));
}

store_group conform_commits(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(keeps_a_row_with_every_field),
        STORE_TEST(keeps_the_bounds_of_every_field),
        STORE_TEST(tells_added_revised_unchanged_and_conflict),
        STORE_TEST(digits_are_part_of_a_value),
        STORE_TEST(every_part_of_a_statement_can_conflict),
        STORE_TEST(a_number_that_is_not_there_does_not_count),
        STORE_TEST(a_vintage_is_of_a_source_and_a_day),
        STORE_TEST(a_variant_named_twice_is_one),
        STORE_TEST(a_commit_without_news_has_no_sequence),
        STORE_TEST(an_empty_batch_changes_nothing),
        STORE_TEST(rows_may_lean_on_entries_of_their_batch),
        STORE_TEST(answers_a_known_batch_from_the_first),
        STORE_TEST(a_repetition_is_answered_after_other_commits),
        STORE_TEST(a_batch_without_news_is_known),
        STORE_TEST(a_refused_batch_may_come_again),
        STORE_TEST(a_dry_run_answers_and_stores_nothing),
        STORE_TEST(a_dry_run_leaves_no_trace),
        STORE_TEST(a_dry_run_is_refused_as_the_batch_would_be),
    };
    return (store_group){"commits", tests, ALM_ARRAY_LEN(tests)};
}
