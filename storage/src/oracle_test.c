// The store against a slow obvious twin: a flat list of vintages that is searched from end to end.
// Random commits, revisions, withdrawals, repetitions, precedence changes and reads; the two must
// agree on every answer. ALM_ORACLE_STEPS sets how many steps, ALM_TEST_SEED repeats a run.
#include "store_fixture.h"

#include <time.h>

#define VINTAGE_COUNT_MAX 200000
#define SOURCE_COUNT_MAX  8
#define VARIANT_COUNT     3
#define YEAR_FIRST        2010
#define YEAR_COUNT        8
#define DAY_COUNT         30

// Places on both sides of the borders between chunks.
static const alm_place_id places[] = {0, 1, 2, 77, 8190, 8191, 8192, 8193, 16383, 16384};
#define PLACE_COUNT ALM_ARRAY_LEN(places)
#define PLACE_TOTAL 16390

typedef struct world {
    fixture *f;
    uint64_t random;
    alm_obs *vintages; // variant: index into fixture_variants
    size_t vintage_count;
    int32_t precedence[SOURCE_COUNT_MAX];
    uint32_t source_count;
    uint64_t sequence;
    int variant_order[VARIANT_COUNT]; // when first stored; -1: not yet
    int variants_stored;
    uint64_t reads, commits, rows_compared;
} world;

static uint64_t next_random(world *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

static uint32_t below(world *w, uint32_t n)
{
    return (uint32_t)(next_random(w) >> 16) % n;
}

static bool one_in(world *w, uint32_t n)
{
    return below(w, n) == 0;
}

// --- the twin ------------------------------------------------------------------------------------

static int32_t precedence_of(const world *w, uint32_t source)
{
    return source == ALM_SOURCE_NONE ? 0 : w->precedence[source];
}

static bool beats(const world *w, const alm_obs *a, const alm_obs *b)
{
    if (precedence_of(w, a->source) != precedence_of(w, b->source)) {
        return precedence_of(w, a->source) > precedence_of(w, b->source);
    }
    if (a->published != b->published) {
        return a->published > b->published;
    }
    if (a->sequence != b->sequence) {
        return a->sequence > b->sequence;
    }
    return a->source < b->source;
}

static bool same_cell(const alm_obs *a, const alm_obs *b)
{
    return a->variant == b->variant && a->place == b->place &&
           a->period.ordinal == b->period.ordinal;
}

static bool same_value(const alm_obs *a, const alm_obs *b)
{
    return a->value.number.mantissa == b->value.number.mantissa &&
           a->value.has_number == b->value.has_number && a->value.status == b->value.status &&
           a->value.qualifier == b->value.qualifier && alm_str_eq(a->note, b->note);
}

typedef struct expected {
    uint64_t added, revised, unchanged;
    size_t conflicts[16];
    size_t conflict_count;
} expected;

// Appends what is taken; the caller cuts the list back after a dry run.
static expected twin_commit(world *w, const alm_obs *rows, size_t count)
{
    expected e = {0};
    for (size_t i = 0; i < count; i++) {
        bool is_new_cell = true;
        const alm_obs *known = NULL;
        for (size_t v = 0; v < w->vintage_count; v++) {
            const alm_obs *old = &w->vintages[v];
            if (same_cell(old, &rows[i])) {
                is_new_cell = false;
                if (old->source == rows[i].source && old->published == rows[i].published) {
                    known = old;
                }
            }
        }
        if (known != NULL && same_value(known, &rows[i])) {
            e.unchanged++;
        } else if (known != NULL) {
            e.conflicts[e.conflict_count++] = i;
        } else {
            e.added += is_new_cell;
            e.revised += !is_new_cell;
            assert_true(w->vintage_count < VINTAGE_COUNT_MAX);
            w->vintages[w->vintage_count] = rows[i];
            w->vintages[w->vintage_count].sequence = w->sequence + 1;
            w->vintage_count++;
        }
    }
    return e;
}

static bool wants(const alm_read *read, const alm_obs *v)
{
    alm_str text = fixture_variants[v->variant];
    alm_str indicator = v->variant == 2 ? ALM_STR("tax") : ALM_STR("gdp");
    bool ok = read->indicator_count == 0;
    for (size_t i = 0; i < read->indicator_count; i++) {
        ok = ok || alm_str_eq(read->indicators[i], indicator);
    }
    if (read->breakdown.len == 0) {
        ok = ok && alm_str_ends_with(text, ALM_STR("_T"));
    } else if (!alm_str_eq(read->breakdown, ALM_STR("*"))) {
        ok = ok && alm_str_ends_with(text, read->breakdown);
    }
    bool place = read->all_places;
    for (size_t i = 0; i < read->place_count; i++) {
        place = place || read->places[i] == v->place;
    }
    bool period = read->period_count == 0;
    for (size_t i = 0; i < read->period_count; i++) {
        bool from = read->from[i].freq == 0 || v->period.ordinal >= read->from[i].ordinal;
        bool to = read->to[i].freq == 0 || v->period.ordinal <= read->to[i].ordinal;
        period = period || (from && to);
    }
    return ok && place && period;
}

static bool admits(const alm_read *read, const alm_obs *v)
{
    bool source = read->source_count == 0;
    for (size_t i = 0; i < read->source_count; i++) {
        source = source || read->sources[i] == v->source;
    }
    return source && v->published <= read->as_of &&
           (read->at_sequence == 0 || v->sequence <= read->at_sequence);
}

// The winner of one cell; NULL: no admitted vintage.
static const alm_obs *twin_winner(const world *w, const alm_read *read, const alm_obs *cell)
{
    const alm_obs *best = NULL;
    for (size_t i = 0; i < w->vintage_count; i++) {
        const alm_obs *v = &w->vintages[i];
        if (same_cell(v, cell) && admits(read, v) && (best == NULL || beats(w, v, best))) {
            best = v;
        }
    }
    return best;
}

static bool is_value(const alm_obs *winner)
{
    return winner != NULL && !alm_obs_status_missing(winner->value.status);
}

// Is the cell among the newest n of its series?
static bool is_recent(const world *w, const alm_read *read, const alm_obs *cell)
{
    uint32_t newer = 0;
    if (!is_value(twin_winner(w, read, cell))) {
        return false;
    }
    for (int year = cell->period.ordinal + 1; year < YEAR_FIRST + YEAR_COUNT; year++) {
        alm_obs other = *cell;
        other.period.ordinal = year;
        newer += wants(read, &other) && is_value(twin_winner(w, read, &other));
    }
    return newer < read->last;
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static const world *sort_world; // qsort has no argument to hand on

static int answer_order(const void *a, const void *b)
{
    const alm_obs *x = a;
    const alm_obs *y = b;
    const int *order = sort_world->variant_order;
    int c = COMPARE(order[x->variant], order[y->variant]);
    c = c != 0 ? c : COMPARE(x->period.ordinal, y->period.ordinal);
    c = c != 0 ? c : COMPARE(x->place, y->place);
    c = c != 0 ? c : COMPARE(x->published, y->published);
    c = c != 0 ? c : COMPARE(x->sequence, y->sequence);
    return c != 0 ? c : COMPARE(x->source, y->source);
}

static size_t twin_read(world *w, const alm_read *read, alm_obs *ret)
{
    size_t count = 0;
    for (int variant = 0; variant < VARIANT_COUNT; variant++) {
        for (size_t p = 0; p < PLACE_COUNT; p++) {
            for (int y = 0; y < YEAR_COUNT; y++) {
                alm_obs cell = {.variant = (uint32_t)variant,
                                .place = places[p],
                                .period = a_year(YEAR_FIRST + y)};
                const alm_obs *winner = wants(read, &cell) ? twin_winner(w, read, &cell) : NULL;
                if (winner == NULL || (read->last > 0 && !is_recent(w, read, &cell))) {
                    continue;
                }
                if (!read->all_vintages) {
                    if (winner->value.status != ALM_OBS_STATUS_WITHDRAWN) {
                        ret[count++] = *winner;
                    }
                    continue;
                }
                for (size_t i = 0; i < w->vintage_count; i++) {
                    if (same_cell(&w->vintages[i], &cell) && admits(read, &w->vintages[i])) {
                        ret[count++] = w->vintages[i];
                    }
                }
            }
        }
    }
    sort_world = w;
    if (count > 1) {
        qsort(ret, count, sizeof *ret, answer_order);
    }
    return count;
}

// --- steps ---------------------------------------------------------------------------------------

static alm_obs random_row(world *w)
{
    static const char *const notes[] = {"", "初步", "修订"};
    alm_obs row =
        a_row(below(w, VARIANT_COUNT), places[below(w, PLACE_COUNT)],
              YEAR_FIRST + (int)below(w, YEAR_COUNT), below(w, 5), (int)below(w, DAY_COUNT));
    row.source = one_in(w, 3) ? ALM_SOURCE_NONE : below(w, w->source_count);
    row.note = text(notes[below(w, ALM_ARRAY_LEN(notes))]);
    row.value.qualifier = one_in(w, 8) ? ALM_QUALIFIER_ABOUT : ALM_QUALIFIER_EXACT;
    if (one_in(w, 8)) {
        row.value.number = (alm_decimal){0};
        row.value.has_number = false;
        row.value.status =
            one_in(w, 2) ? ALM_OBS_STATUS_WITHDRAWN : ALM_OBS_STATUS_MISSING_SUPPRESSED;
    }
    return row;
}

// Variants get their ids in the order in which the batch's rows are applied.
static void note_variants(world *w, size_t from)
{
    for (uint32_t variant = 0; variant < VARIANT_COUNT; variant++) {
        for (size_t i = from; i < w->vintage_count; i++) {
            if (w->vintages[i].variant == variant && w->variant_order[variant] < 0) {
                w->variant_order[variant] = w->variants_stored++;
            }
        }
    }
}

static void assert_result(const expected *e, const alm_commit_result *r)
{
    assert_int_equal(r->added, e->added);
    assert_int_equal(r->revised, e->revised);
    assert_int_equal(r->unchanged, e->unchanged);
    assert_int_equal(r->conflict_count, e->conflict_count);
    for (size_t i = 0; i < e->conflict_count; i++) {
        assert_int_equal(r->conflicts[i].row, e->conflicts[i]);
    }
}

static void step_commit(world *w)
{
    alm_obs rows[8];
    size_t count = 1 + below(w, ALM_ARRAY_LEN(rows));
    for (size_t i = 0; i < count; i++) {
        rows[i] = i > 0 && one_in(w, 6) ? rows[i - 1] : random_row(w);
    }
    alm_batch batch = batch_of_rows(rows, count);
    batch.dry_run = one_in(w, 10);
    size_t before = w->vintage_count;
    expected e = twin_commit(w, rows, count);
    char id[32];
    snprintf(id, sizeof id, "step-%llu", (unsigned long long)++w->commits);
    batch.id = text(id);
    alm_commit_result r = commit(w->f, batch);
    assert_result(&e, &r);
    if (batch.dry_run) {
        assert_int_equal(r.sequence, 0);
        w->vintage_count = before;
        return;
    }
    note_variants(w, before);
    w->sequence += w->vintage_count > before;
    assert_int_equal(r.sequence, w->vintage_count > before ? w->sequence : 0);
    if (one_in(w, 10)) { // once more
        r = commit(w->f, batch);
        assert_true(r.replayed);
        assert_result(&e, &r);
    }
}

static void step_sources(world *w)
{
    uint32_t id = below(w, w->source_count + 1);
    char code[32];
    if (id == SOURCE_COUNT_MAX) {
        return;
    }
    int32_t precedence = (int32_t)below(w, 4) - 1;
    snprintf(code, sizeof code, "source-%u", id);
    alm_source source = a_source(code, precedence);
    alm_commit_result r = commit(w->f, (alm_batch){.sources = &source, .source_count = 1});
    bool is_same = id < w->source_count && w->precedence[id] == precedence;
    w->sequence += !is_same;
    assert_int_equal(r.sequence, is_same ? 0 : w->sequence);
    w->precedence[id] = precedence;
    w->source_count = ALM_MAX(w->source_count, id + 1);
}

static void pick_places(world *w, alm_read *read, alm_place_id *room)
{
    if (one_in(w, 2)) {
        return;
    }
    read->all_places = false;
    read->places = room;
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        if (one_in(w, 3)) {
            room[read->place_count++] = places[i];
        }
    }
}

static void pick_periods(world *w, alm_read *read, alm_period *from, alm_period *to)
{
    read->from = from;
    read->to = to;
    if (one_in(w, 3)) {
        read->last = 1 + below(w, 3);
        read->all_periods = false;
    }
    if (one_in(w, 2)) {
        read->all_periods = false;
        read->period_count = 1 + below(w, 2);
    }
    for (size_t i = 0; i < read->period_count; i++) {
        int year = YEAR_FIRST + (int)below(w, YEAR_COUNT);
        from[i] = one_in(w, 4) ? (alm_period){0} : a_year(year);
        to[i] = one_in(w, 4) ? (alm_period){0} : a_year(year + (int)below(w, 3));
    }
}

static void assert_same_rows(world *w, const answer *a, const alm_obs *want, size_t count)
{
    assert_int_equal(a->count, count);
    for (size_t i = 0; i < count; i++) {
        const alm_obs *got = &a->rows[i];
        assert_true(alm_str_eq(a->variants[got->variant], fixture_variants[want[i].variant]));
        assert_int_equal(got->place, want[i].place);
        assert_int_equal(got->period.ordinal, want[i].period.ordinal);
        assert_int_equal(got->source, want[i].source);
        assert_int_equal(got->published, want[i].published);
        assert_int_equal(got->sequence, want[i].sequence);
        assert_true(same_value(got, &want[i]));
    }
    w->rows_compared += count;
}

static void step_read(world *w)
{
    static alm_obs want[ANSWER_ROW_COUNT_MAX];
    static const alm_str indicators[] = {{"gdp", 3}, {"tax", 3}, {"none", 4}};
    static const char *const breakdowns[] = {"*", "", "industry=software", "industry=none"};
    alm_place_id place_room[PLACE_COUNT];
    alm_period from[2], to[2];
    uint32_t sources[2];
    alm_read read = read_all();
    pick_places(w, &read, place_room);
    pick_periods(w, &read, from, to);
    if (one_in(w, 2)) {
        read.indicators = &indicators[below(w, 3)];
        read.indicator_count = 1;
    }
    read.breakdown = text(breakdowns[one_in(w, 2) ? 0 : below(w, 4)]);
    read.as_of = one_in(w, 3) ? 19723 + (int)below(w, DAY_COUNT) : ALM_DATE_MAX;
    read.at_sequence = one_in(w, 3) && w->sequence > 0 ? 1 + below(w, (uint32_t)w->sequence) : 0;
    if (one_in(w, 4)) {
        read.sources = sources;
        read.source_count = 1 + below(w, 2);
        sources[0] = below(w, w->source_count);
        sources[1] = one_in(w, 2) ? ALM_SOURCE_NONE : below(w, w->source_count);
    }
    // The fixture's answer bounds how many vintages fit.
    read.all_vintages = one_in(w, 6) && read.at_sequence > 0 && read.at_sequence < 500;
    answer *a = read_rows(w->f, read);
    assert_int_equal(a->sequence, read.at_sequence != 0 ? read.at_sequence : w->sequence);
    assert_same_rows(w, a, want, twin_read(w, &read, want));
    w->reads++;
}

static void assert_figures(world *w)
{
    alm_store_stats stats;
    uint64_t cells = 0;
    static alm_obs rows[ANSWER_ROW_COUNT_MAX];
    alm_read read = read_all();
    cells = twin_read(w, &read, rows);
    ASSERT_OK(w->f, alm_store_stats_get(w->f->store, &stats, &w->f->st));
    assert_int_equal(stats.cells, cells);
    assert_int_equal(stats.observations, w->vintage_count);
    assert_int_equal(stats.sequence, w->sequence);
    alm_verify_result verified = assert_verifies(w->f);
    assert_int_equal(verified.observations, w->vintage_count);
    assert_int_equal(verified.cells, cells);
}

static void load_places(world *w)
{
    alm_place *entries = alm_calloc(PLACE_TOTAL, sizeof *entries);
    char(*codes)[16] = alm_calloc(PLACE_TOTAL, sizeof *codes);
    alm_indicator indicators[] = {an_indicator("gdp"), an_indicator("tax")};
    for (uint32_t i = 0; i < PLACE_TOTAL; i++) {
        snprintf(codes[i], sizeof codes[i], "p%u", i);
        entries[i] = a_place(codes[i], ALM_LEVEL_TOWN, "");
    }
    alm_source source = a_source("source-0", 0);
    commit(w->f, (alm_batch){.indicators = indicators,
                             .indicator_count = 2,
                             .places = entries,
                             .place_count = PLACE_TOTAL,
                             .sources = &source,
                             .source_count = 1});
    w->sequence = 1;
    w->source_count = 1;
    alm_free(codes);
    alm_free(entries);
}

static uint64_t number_from_env(const char *name, uint64_t fallback)
{
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : fallback;
}

static void agrees_with_a_slow_obvious_twin(void **state)
{
    uint64_t steps = number_from_env("ALM_ORACLE_STEPS", 10000);
    uint64_t seed = number_from_env("ALM_TEST_SEED", (uint64_t)time(NULL));
    print_message("seed %llu (ALM_TEST_SEED), %llu steps\n", (unsigned long long)seed,
                  (unsigned long long)steps);
    world w = {.f = *state, .random = seed * 2 + 1, .variant_order = {-1, -1, -1}};
    w.vintages = alm_calloc(VINTAGE_COUNT_MAX, sizeof *w.vintages);
    load_places(&w);
    for (uint64_t i = 0; i < steps; i++) {
        uint32_t dice = below(&w, 100);
        if (dice < 30) {
            step_commit(&w);
        } else if (dice < 32) {
            step_sources(&w);
        } else {
            step_read(&w);
        }
        if (i % 1000 == 999) {
            fixture_reopen(w.f);
            assert_figures(&w);
        }
        alm_arena_reset(w.f->arena);
    }
    assert_figures(&w);
    print_message("%llu reads, %zu vintages, %llu rows compared\n", (unsigned long long)w.reads,
                  w.vintage_count, (unsigned long long)w.rows_compared);
    alm_free(w.vintages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        agrees_with_a_slow_obvious_twin, fixture_setup, fixture_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
