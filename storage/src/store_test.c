// The store as its callers see it: commits, their answers, and reads. Each
// test has a store of its own on the disk.
#include "store_fixture.h"

#include "alm/limits.h"

#include <pthread.h>

#define GDP      0
#define SOFTWARE 1
#define TAX      2
#define BULLETIN 0
#define YEARBOOK 1

static alm_obs with_source(alm_obs row, uint32_t source)
{
    row.source = source;
    return row;
}

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

// --- malformed rows ------------------------------------------------------------------------------

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
    {"refuses an unknown place", spoil_place, "there is no place 4"},
    {"refuses an unknown source", spoil_source, "there is no source 2"},
    {"refuses a variant outside the table", spoil_variant, "not in the batch's table"},
    {"refuses a period of another frequency", spoil_freq, "frequency"},
    {"refuses no period", spoil_period, "not a period"},
    {"refuses no publication date", spoil_published, "publication date"},
    {"refuses a number without unit", spoil_unit, "unit"},
    {"refuses an unknown qualifier", spoil_qualifier, "qualifier"},
    {"refuses a missing value with a number", spoil_status, "missing"},
    {"refuses a number too long", spoil_mantissa, "18 digits"},
    {"refuses a note that is not text", spoil_note, "UTF-8"},
};

static void refuses_the_whole_batch(void **state)
{
    const defect_row *defect = *state;
    fixture f;
    alm_commit_result result;
    fixture_init(&f, (size_t)64 << 20);
    commit_catalog(&f);
    alm_obs rows[] = {a_row(GDP, 0, 2023, 100, 1), a_row(GDP, 1, 2023, 100, 1)};
    defect->spoil(&rows[1]);
    assert_int_equal(try_commit(&f, batch_of_rows(rows, 2), &result), ALM_INVALID_ARGUMENT);
    if (strstr(f.st.message, defect->says) == NULL || strcmp(f.st.field, "row 1") != 0) {
        fail_msg("field %s: %s", f.st.field, f.st.message);
    }
    assert_int_equal(read_rows(&f, read_all())->count, 0);
    assert_verifies(&f);
    fixture_deinit(&f);
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

// --- which vintage wins --------------------------------------------------------------------------

static int64_t value_at(fixture *f, alm_read read)
{
    answer *a = read_rows(f, read);
    assert_true(a->count <= 1);
    return a->count == 0 ? -1 : a->rows[0].value.number.mantissa;
}

static void the_highest_precedence_wins_then_the_latest(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 1, 10), YEARBOOK));
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 2, 20), BULLETIN));
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 3, 5), YEARBOOK));
    assert_int_equal(value_at(f, read_all()), 1);
    alm_read read = read_all();
    read.sources = (const uint32_t[]){BULLETIN};
    read.source_count = 1;
    assert_int_equal(value_at(f, read), 2);
    read = read_all();
    read.as_of = 19723 + 9;
    assert_int_equal(value_at(f, read), 3);
    read.as_of = 19723 + 4;
    assert_int_equal(value_at(f, read), -1);
    read = read_all();
    read.at_sequence = 2;
    assert_int_equal(value_at(f, read), 1);
    read.at_sequence = 1;
    assert_int_equal(value_at(f, read), -1);
    read.at_sequence = 99;
    assert_int_equal(alm_store_read(f->store, &read, take_answer, NULL, NULL, &f->st),
                     ALM_OUT_OF_RANGE);
    assert_verifies(f);
}

static void a_changed_precedence_changes_the_winner(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 1, 10), YEARBOOK),
                a_withdrawal(with_source(a_row(GDP, 0, 2023, 0, 0), BULLETIN), 20));
    assert_int_equal(value_at(f, read_all()), 1);
    alm_source source = a_source("bulletin", 20);
    alm_commit_result r = commit(f, (alm_batch){.sources = &source, .source_count = 1});
    assert_int_equal(r.catalog_changed, 1);
    assert_int_equal(value_at(f, read_all()), -1);
    alm_store_stats stats;
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    assert_int_equal(stats.cells, 0);
    assert_int_equal(stats.observations, 2);
    assert_verifies(f);
    source.precedence = 0;
    commit(f, (alm_batch){.sources = &source, .source_count = 1});
    assert_int_equal(value_at(f, read_all()), 1);
    assert_verifies(f);
}

typedef struct meddler {
    fixture *f;
    answer *answer;
    bool is_done;
} meddler;

// Commits while the read is under way: another value, another precedence, another source's value.
static alm_code meddle(void *arg, alm_str variant, const alm_obs *rows, size_t count,
                       alm_status *st)
{
    meddler *m = arg;
    ALM_TRY(take_answer(m->answer, variant, rows, count, st));
    if (!m->is_done) {
        m->is_done = true;
        alm_source sources[] = {a_source("bulletin", 99), a_source("flash", 100)};
        commit(m->f, (alm_batch){.sources = sources, .source_count = 2});
        COMMIT_ROWS(m->f, with_source(a_row(TAX, 0, 2023, 4, 9), YEARBOOK),
                    with_source(a_row(TAX, 1, 2023, 5, 9), YEARBOOK),
                    with_source(a_row(TAX, 2, 2023, 6, 9), 2));
    }
    return ALM_OK;
}

static void a_read_shows_one_state(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1), with_source(a_row(TAX, 0, 2023, 2, 1), YEARBOOK),
                with_source(a_row(TAX, 0, 2023, 3, 5), BULLETIN),
                with_source(a_row(TAX, 2, 2023, 7, 1), BULLETIN),
                with_source(a_row(TAX, 0, 2022, 8, 1), YEARBOOK),
                with_source(a_row(TAX, 0, 2022, 9, 1), BULLETIN));
    answer *a = alm_arena_calloc(f->arena, 1, sizeof *a);
    a->arena = f->arena;
    meddler m = {.f = f, .answer = a};
    alm_read read = read_all();
    ASSERT_OK(f, alm_store_read(f->store, &read, meddle, &m, NULL, &f->st));
    static const int64_t before[] = {1, 8, 2, 7}; // of the old precedence, and nothing new
    assert_int_equal(a->count, ALM_ARRAY_LEN(before));
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->rows[i].value.number.mantissa, before[i]);
    }
    static const int64_t after[] = {1, 9, 3, 5, 6};
    a = read_rows(f, read);
    assert_int_equal(a->count, ALM_ARRAY_LEN(after));
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->rows[i].value.number.mantissa, after[i]);
    }
}

static void a_withdrawn_cell_has_no_value_but_vintages(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 0, 2023, 7, 1);
    COMMIT_ROWS(f, row);
    COMMIT_ROWS(f, a_withdrawal(row, 2));
    assert_int_equal(value_at(f, read_all()), -1);
    alm_read read = read_all();
    read.all_vintages = true;
    answer *a = read_rows(f, read);
    assert_int_equal(a->count, 2);
    assert_int_equal(a->rows[0].value.number.mantissa, 7);
    assert_int_equal(a->rows[1].value.status, ALM_OBS_STATUS_WITHDRAWN);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 8, 3));
    assert_int_equal(value_at(f, read_all()), 8);
    assert_verifies(f);
}

static void reads_the_newest_n_with_a_value(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    for (int year = 2015; year <= 2023; year++) {
        COMMIT_ROWS(f, a_row(GDP, 0, year, year, 1));
        if (year % 2 == 0) {
            COMMIT_ROWS(f, a_row(GDP, 1, year, year, 1));
        }
    }
    COMMIT_ROWS(f, a_withdrawal(a_row(GDP, 0, 2022, 0, 0), 2));
    alm_read read = read_all();
    read.all_periods = false;
    read.last = 2;
    answer *a = read_rows(f, read);
    assert_int_equal(a->count, 4);
    static const int years[] = {2020, 2021, 2022, 2023};
    static const alm_place_id places[] = {1, 0, 1, 0};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(a->rows[i].period.ordinal, years[i]);
        assert_int_equal(a->rows[i].place, places[i]);
    }
}

// --- selection -----------------------------------------------------------------------------------

static void selects_variants_periods_and_places(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    for (int year = 2019; year <= 2023; year++) {
        for (alm_place_id place = 0; place < 4; place++) {
            COMMIT_ROWS(f, a_row(GDP, place, year, 1, 1), a_row(SOFTWARE, place, year, 2, 1),
                        a_row(TAX, place, year, 3, 1));
        }
    }
    alm_obs plan = a_row(GDP, 0, 2021, 9, 1);
    plan.period.length = 5;
    COMMIT_ROWS(f, plan);

    alm_read read = read_all();
    assert_int_equal(read_rows(f, read)->count, 61);
    read.breakdown = ALM_STR("");
    assert_int_equal(read_rows(f, read)->count, 41);
    read.breakdown = ALM_STR("industry=software");
    assert_int_equal(read_rows(f, read)->count, 20);
    read = read_all();
    read.indicators = (const alm_str[]){ALM_STR("tax"), ALM_STR("tax"), ALM_STR("unknown")};
    read.indicator_count = 3;
    assert_int_equal(read_rows(f, read)->count, 20);
    read = read_all();
    read.all_places = false;
    read.places = (const alm_place_id[]){1, 3, 77};
    read.place_count = 3;
    assert_int_equal(read_rows(f, read)->count, 30);
    read.place_count = 0;
    assert_int_equal(read_rows(f, read)->count, 0);
    read = read_all();
    read.measures = 1u << ALM_MEASURE_RANK;
    assert_int_equal(read_rows(f, read)->count, 0);

    read = read_all();
    read.all_periods = false;
    alm_period from[] = {a_year(2020), a_year(2021)};
    alm_period to[] = {a_year(2021), a_year(2022)};
    read.from = from;
    read.to = to;
    read.period_count = 2;
    assert_int_equal(read_rows(f, read)->count, 36); // overlapping ranges do not double
    from[0] = (alm_period){0};
    read.period_count = 1;
    assert_int_equal(read_rows(f, read)->count, 36); // ..2021
    from[0] = to[0] = plan.period;
    assert_int_equal(read_rows(f, read)->count, 1);
    from[0] = (alm_period){.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 2020 * 12};
    to[0] = (alm_period){0};
    assert_int_equal(read_rows(f, read)->count, 0);
}

static void refuses_malformed_reads(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_read read = read_all();
    read.all_places = false;
    read.places = (const alm_place_id[]){1, 1};
    read.place_count = 2;
    assert_int_equal(alm_store_read(f->store, &read, take_answer, NULL, NULL, &f->st),
                     ALM_INVALID_ARGUMENT);
    read = read_all();
    read.from = (const alm_period[]){a_year(2020)};
    read.to = (const alm_period[]){{.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 24300}};
    read.period_count = 1;
    assert_int_equal(alm_store_read(f->store, &read, take_answer, NULL, NULL, &f->st),
                     ALM_INVALID_ARGUMENT);
}

// Places of several chunks, so that a slice is more than one record.
static void reads_across_chunks(void **state)
{
    fixture *f = *state;
    enum { COUNT = 20000 };
    alm_indicator indicator = an_indicator("gdp");
    alm_place *places = alm_calloc(COUNT, sizeof *places);
    alm_obs *rows = alm_calloc(COUNT, sizeof *rows);
    char(*codes)[16] = alm_calloc(COUNT, sizeof *codes);
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(codes[i], sizeof codes[i], "p%u", i);
        places[i] = a_place(codes[i], ALM_LEVEL_TOWN, "");
        rows[i] = a_row(GDP, COUNT - 1 - i, 2023, i, 1); // not in order
    }
    commit(f, (alm_batch){.indicators = &indicator,
                          .indicator_count = 1,
                          .places = places,
                          .place_count = COUNT});
    alm_commit_result r;
    alm_batch batch = batch_of_rows(rows, COUNT);
    batch.variant_count = 2; // tax is no indicator here
    r = commit(f, batch);
    assert_int_equal(r.added, COUNT);
    alm_read read = read_all();
    read.all_places = false;
    alm_place_id wanted[] = {0, 1, 8191, 8192, 16383, 16384, 19999, 20000};
    read.places = wanted;
    read.place_count = ALM_ARRAY_LEN(wanted);
    answer *a = read_rows(f, read);
    assert_int_equal(a->count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(a->rows[i].place, wanted[i]);
        assert_int_equal(a->rows[i].value.number.mantissa, COUNT - 1 - wanted[i]);
    }
    assert_int_equal(assert_verifies(f).cells, COUNT);
    alm_free(codes);
    alm_free(rows);
    alm_free(places);
}

// --- many callers --------------------------------------------------------------------------------

#define CALLER_COUNT  8
#define CALLER_ROUNDS 30

typedef struct caller {
    fixture *f;
    uint32_t number;
    int failures;
} caller;

// Every third batch is bad and must fail alone.
static void *run_caller(void *arg)
{
    caller *c = arg;
    alm_arena *arena = alm_arena_create(0);
    for (uint32_t i = 0; i < CALLER_ROUNDS; i++) {
        char id[32];
        alm_commit_result result;
        alm_status st = ALM_STATUS_INIT;
        bool is_bad = i % 3 == 2;
        snprintf(id, sizeof id, "caller-%u-%u", c->number, i);
        alm_obs row = a_row(GDP, is_bad ? 99 : c->number % 4, 1900 + (int)i, c->number, 1);
        row.source = c->number < 4 ? BULLETIN : YEARBOOK;
        alm_batch batch = batch_of_rows(&row, 1);
        batch.id = text(id);
        alm_code code = alm_store_commit(c->f->store, &batch, arena, &result, &st);
        c->failures += code != (is_bad ? ALM_INVALID_ARGUMENT : ALM_OK);
        if (code == ALM_OK) {
            alm_read read = read_all();
            read.at_sequence = result.sequence;
            answer *a = alm_arena_calloc(arena, 1, sizeof *a);
            a->arena = arena;
            c->failures += alm_store_read(c->f->store, &read, take_answer, a, NULL, &st) != ALM_OK;
            c->failures += a->count == 0;
        }
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
    return NULL;
}

static void groups_the_commits_of_many_callers(void **state)
{
    fixture *f = *state;
    pthread_t threads[CALLER_COUNT];
    caller callers[CALLER_COUNT];
    alm_store_stats stats;
    commit_catalog(f);
    for (uint32_t i = 0; i < CALLER_COUNT; i++) {
        callers[i] = (caller){.f = f, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_caller, &callers[i]), 0);
    }
    for (uint32_t i = 0; i < CALLER_COUNT; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].failures, 0);
    }
    ASSERT_OK(f, alm_store_compact(f->store, &f->st)); // or a fold may be reading yet
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    assert_int_equal(stats.observations, CALLER_COUNT * CALLER_ROUNDS * 2 / 3);
    assert_int_equal(stats.sequence, 1 + stats.observations);
    assert_int_equal(stats.readers, 0);
    assert_true(stats.commit_groups <= stats.commits);
    print_message("%llu commits in %llu groups\n", (unsigned long long)stats.commits,
                  (unsigned long long)stats.commit_groups);
    assert_verifies(f);
}

static alm_code count_rows(void *arg, alm_str variant, const alm_obs *rows, size_t count,
                           alm_status *st)
{
    (void)variant;
    (void)rows;
    (void)st;
    *(uint64_t *)arg += count;
    return ALM_OK;
}

// --- memory --------------------------------------------------------------------------------------

static alm_code commit_and_read(fixture *f, const char *id, int year)
{
    alm_status st = ALM_STATUS_INIT;
    alm_commit_result result;
    uint64_t rows = 0;
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return ALM_RESOURCE_EXHAUSTED;
    }
    alm_obs row = a_row(GDP, 0, year, 7, 1);
    alm_batch batch = batch_of_rows(&row, 1);
    batch.id = text(id);
    alm_code code = alm_store_commit(f->store, &batch, arena, &result, &st);
    if (code == ALM_OK) {
        alm_read read = read_all();
        code = alm_store_read(f->store, &read, count_rows, &rows, NULL, &st);
        assert_true(code != ALM_OK || rows > 0);
    }
    alm_arena_destroy(&arena);
    return code;
}

static void survives_every_failing_allocation(void **state)
{
    fixture *f = *state;
    uint64_t failures = 0;
    commit_catalog(f);
    for (uint64_t n = 1;; n++) {
        char id[32];
        snprintf(id, sizeof id, "torture-%llu", (unsigned long long)n);
        (void)alm_alloc_fail_at(n, 1);
        alm_code code = commit_and_read(f, id, 1000 + (int)n);
        (void)alm_alloc_fail_at(0, 0);
        if (code == ALM_OK) {
            break;
        }
        assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
        failures++;
    }
    assert_true(failures > 10);
    assert_verifies(f);
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(keeps_a_row_with_every_field),
        FIXTURE_TEST(tells_added_revised_unchanged_and_conflict),
        FIXTURE_TEST(digits_are_part_of_a_value),
        FIXTURE_TEST(a_commit_without_news_has_no_sequence),
        FIXTURE_TEST(answers_a_known_batch_from_the_first),
        FIXTURE_TEST(a_dry_run_answers_and_stores_nothing),
        FIXTURE_TEST(refuses_an_unknown_indicator),
        FIXTURE_TEST(the_highest_precedence_wins_then_the_latest),
        FIXTURE_TEST(a_changed_precedence_changes_the_winner),
        FIXTURE_TEST(a_read_shows_one_state),
        FIXTURE_TEST(a_withdrawn_cell_has_no_value_but_vintages),
        FIXTURE_TEST(reads_the_newest_n_with_a_value),
        FIXTURE_TEST(selects_variants_periods_and_places),
        FIXTURE_TEST(refuses_malformed_reads),
        FIXTURE_TEST(reads_across_chunks),
        FIXTURE_TEST(groups_the_commits_of_many_callers),
        FIXTURE_TEST(survives_every_failing_allocation),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    struct CMUnitTest rows[ALM_ARRAY_LEN(defects)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(defects); i++) {
        union {
            const defect_row *in;
            void *out;
        } row = {.in = &defects[i]}; // cmocka hands state on as void *
        rows[i] = (struct CMUnitTest){.name = defects[i].name,
                                      .test_func = refuses_the_whole_batch,
                                      .initial_state = row.out};
    }
    return failed + cmocka_run_group_tests_name("malformed rows", rows, NULL, NULL);
}
