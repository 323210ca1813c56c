// Who is shown rows: in one state, without a lock, and free to end it.
#include "store_world.h"

typedef struct meddler {
    fixture *f;
    answer *answer;
    bool is_done;
} meddler;

// Commits while the read is under way: another value, another precedence, another source's value.
static alm_code meddle(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    meddler *m = arg;
    ALM_TRY(take_answer(m->answer, variant, rows, st));
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

// --- ending a read -------------------------------------------------------------------------------

typedef struct quitter {
    int visits_left;
    int visits;
    uint64_t *sequence; // must be set before the first visit
} quitter;

static alm_code quit(quitter *q, alm_status *st)
{
    q->visits++;
    assert_true(q->sequence == NULL || *q->sequence != 0);
    return q->visits_left-- > 0 ? ALM_OK
                                : alm_status_set(st, ALM_CANCELLED, "enough after %d", q->visits);
}

static alm_code quit_rows(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    (void)variant;
    assert_true(rows->count > 0);
    return quit(arg, st);
}
static alm_code quit_indicator(void *arg, uint32_t id, const alm_indicator *e, alm_status *st)
{
    (void)id;
    (void)e;
    return quit(arg, st);
}
static alm_code quit_place(void *arg, alm_place_id id, const alm_place *e, alm_status *st)
{
    (void)id;
    (void)e;
    return quit(arg, st);
}
static alm_code quit_series(void *arg, const alm_series_info *info, alm_status *st)
{
    (void)info;
    return quit(arg, st);
}
static alm_code quit_quarantine(void *arg, const alm_quarantined *row, alm_status *st)
{
    (void)row;
    return quit(arg, st);
}

static void assert_quit(fixture *f, alm_code code, const quitter *q, int visits)
{
    char says[32];
    snprintf(says, sizeof says, "enough after %d", visits);
    assert_code(f, ALM_CANCELLED, code);
    assert_string_equal(f->st.message, says);
    assert_int_equal(q->visits, visits);
}

// A visitor's error ends the visit at once and is the answer, with its message.
static void a_visitors_error_is_the_answer(void **state)
{
    fixture *f = *state;
    uint64_t sequence = 0;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1), a_row(SOFTWARE, 0, 2023, 1, 1),
                a_row(TAX, 0, 2023, 1, 1));
    alm_quarantined bad[] = {{.row = 1, .reason = text("a")}, {.row = 2, .reason = text("b")}};
    commit(f, (alm_batch){.quarantine = bad, .quarantine_count = 2});
    alm_read read = read_all();
    quitter q = {.visits_left = 1, .sequence = &sequence};
    assert_quit(f, alm_store_read(f->store, &read, quit_rows, &q, &sequence, &f->st), &q, 2);
    assert_int_equal(sequence, 3);
    q = (quitter){.visits_left = 0};
    assert_quit(f, alm_store_read(f->store, &read, quit_rows, &q, NULL, &f->st), &q, 1);

    sequence = 0;
    q = (quitter){.visits_left = 1, .sequence = &sequence};
    alm_catalog_visitor visitor = {.arg = &q, .indicator = quit_indicator};
    assert_quit(f, alm_store_visit_catalog(f->store, &visitor, &sequence, &f->st), &q, 2);
    assert_int_equal(sequence, 1);
    q = (quitter){.visits_left = 2};
    visitor = (alm_catalog_visitor){.arg = &q, .place = quit_place};
    assert_quit(f, alm_store_visit_catalog(f->store, &visitor, NULL, &f->st), &q, 3);
    q = (quitter){.visits_left = 1};
    assert_quit(f, alm_store_visit_series(f->store, quit_series, &q, &f->st), &q, 2);
    q = (quitter){.visits_left = 1};
    assert_quit(f, alm_store_visit_quarantine(f->store, quit_quarantine, &q, &f->st), &q, 2);
    // The store is none the worse for it.
    assert_int_equal(read_rows(f, read)->count, 3);
    COMMIT_ROWS(f, a_row(GDP, 1, 2023, 1, 1));
    ASSERT_OK(f, alm_store_compact(f->store, &f->st)); // what is done beside the commits is done
    assert_int_equal(get_stats(f).snapshots, 0);
}

// Where nothing answers the sequence is told all the same.
static void an_empty_answer_has_its_sequence(void **state)
{
    fixture *f = *state;
    uint64_t sequence = 99;
    alm_read read = read_all();
    quitter q = {0};
    ASSERT_OK(f, alm_store_read(f->store, &read, quit_rows, &q, &sequence, &f->st));
    assert_int_equal(sequence, 0);
    commit_catalog(f);
    ASSERT_OK(f, alm_store_read(f->store, &read, quit_rows, &q, &sequence, &f->st));
    assert_int_equal(sequence, 1);
    assert_int_equal(q.visits, 0);
}

// --- visitors at work ----------------------------------------------------------------------------

// Asks the store everything while it is shown something, and commits.
typedef struct busy {
    fixture *f;
    int visits;
} busy;

static void ask_everything(busy *b)
{
    fixture *f = b->f;
    alm_change change;
    int year = 1900 + b->visits++;
    uint64_t sequence = COMMIT_ROWS(f, a_row(GDP, 3, year, 1, 1)).sequence;
    assert_true(sequence > 0);
    alm_read read = read_all();
    read.at_sequence = sequence;
    assert_int_equal(read_rows(f, read)->sequence, sequence);
    ASSERT_OK(f, alm_store_change(f->store, sequence, f->arena, &change, &f->st));
    ASSERT_OK(f, alm_store_wait(f->store, sequence, 0, &f->st));
    assert_int_equal(get_stats(f).sequence, sequence);
    alm_source source = a_source("flash", b->visits);
    commit(f, (alm_batch){.sources = &source, .source_count = 1});
}

static alm_code busy_rows(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    const alm_obs before = alm_obs_at(rows, rows->count - 1);
    char name[64];
    (void)st;
    snprintf(name, sizeof name, "%.*s", ALM_STR_ARGS(variant));
    ask_everything(arg);
    const alm_obs after = alm_obs_at(rows, rows->count - 1);
    assert_int_equal(after.place, before.place); // still valid
    assert_int_equal(after.value.number.mantissa, before.value.number.mantissa);
    assert_true(alm_str_eq(variant, text(name)));
    return ALM_OK;
}
static alm_code busy_indicator(void *arg, uint32_t id, const alm_indicator *e, alm_status *st)
{
    (void)id;
    (void)st;
    ask_everything(arg);
    assert_true(alm_str_eq(e->name_en, ALM_STR("GDP")));
    return ALM_OK;
}
static alm_code busy_source(void *arg, uint32_t id, const alm_source *e, alm_status *st)
{
    (void)st;
    assert_true(id < 2); // of the state the visit began with
    ask_everything(arg);
    assert_true(e->code.len > 0);
    return ALM_OK;
}
static alm_code busy_series(void *arg, const alm_series_info *info, alm_status *st)
{
    (void)st;
    ask_everything(arg);
    assert_true(info->cell_count > 0);
    return ALM_OK;
}
static alm_code busy_quarantine(void *arg, const alm_quarantined *row, alm_status *st)
{
    (void)st;
    ask_everything(arg);
    assert_true(alm_str_eq(row->reason, ALM_STR("a")));
    return ALM_OK;
}

static void a_visitor_may_use_the_store(void **state)
{
    fixture *f = *state;
    busy b = {.f = f};
    alm_quarantined bad = {.row = 1, .reason = text("a")};
    commit_catalog(f);
    commit(f, (alm_batch){.quarantine = &bad, .quarantine_count = 1});
    alm_catalog_visitor visitor = {.arg = &b, .indicator = busy_indicator, .source = busy_source};
    ASSERT_OK(f, alm_store_visit_catalog(f->store, &visitor, NULL, &f->st));
    assert_int_equal(b.visits, 4);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1), a_row(TAX, 0, 2023, 1, 1));
    alm_read read = read_all();
    ASSERT_OK(f, alm_store_read(f->store, &read, busy_rows, &b, NULL, &f->st));
    assert_int_equal(b.visits, 6);
    ASSERT_OK(f, alm_store_visit_series(f->store, busy_series, &b, &f->st));
    ASSERT_OK(f, alm_store_visit_quarantine(f->store, busy_quarantine, &b, &f->st));
    assert_int_equal(b.visits, 9);
    assert_verifies(f);
}

// A commit's sequence can be read as soon as it is told.
static void reads_its_own_writes(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    for (int i = 0; i < 20; i++) {
        alm_commit_result r = COMMIT_ROWS(f, a_row(GDP, 0, 2000 + i, i, 1));
        alm_read read = read_all();
        read.at_sequence = r.sequence;
        assert_int_equal(read_rows(f, read)->count, i + 1);
        assert_int_equal(read_rows(f, read_all())->sequence, r.sequence);
    }
}

// What a commit or a change answers is the caller's arena's, whatever the store does later.
static void answers_outlive_later_commits(void **state)
{
    fixture *f = *state;
    alm_change change;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 0, 2023, 100, 1);
    row.note = text("初步");
    COMMIT_ROWS(f, row);
    row.value.number.mantissa = 101;
    alm_commit_result r = COMMIT_ROWS(f, row, a_row(TAX, 0, 2023, 1, 1));
    ASSERT_OK(f, alm_store_change(f->store, 2, f->arena, &change, &f->st));
    for (int i = 0; i < 100; i++) {
        COMMIT_ROWS(f, a_row(GDP, 0, 1900 + i, i, 2));
    }
    fixture_reopen(f);
    assert_true(alm_str_find(r.conflicts[0].reason, ALM_STR("1.00")) != SIZE_MAX);
    assert_true(alm_str_eq(change.obs[0].note, ALM_STR("初步")));
    assert_true(alm_str_eq(change.variants[0], fixture_variants[GDP]));
    assert_true(alm_str_eq(change.batch_id, ALM_STR("batch-2")));
}

store_group conform_visitors(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(a_read_shows_one_state),
        STORE_TEST(a_visitors_error_is_the_answer),
        STORE_TEST(an_empty_answer_has_its_sequence),
        STORE_TEST(a_visitor_may_use_the_store),
        STORE_TEST(reads_its_own_writes),
        STORE_TEST(answers_outlive_later_commits),
    };
    return (store_group){"visitors", tests, ALM_ARRAY_LEN(tests)};
}
