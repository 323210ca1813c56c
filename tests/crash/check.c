// Opens what a crash left and holds it to the ledger: every acknowledged batch is there, every
// batch is whole or absent, the log and the current view say the same, what was in flight can be
// sent again, and verify has nothing to say. Tells the first findings on stderr.
#include "children.h"

#include "alm/alloc.h"
#include "ledger.h"
#include "lmdb_pages.h"
#include "proc.h"
#include "random.h"
#include "work.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESENT_COUNT  3 // of those acknowledged
#define FINDINGS_TOLD 10

// What was found of one batch.
typedef struct tally {
    uint32_t rows;
    uint64_t marks; // sum of work_cell_mark
    uint64_t sequence;
    bool has_entries; // of the catalogue
    // by the change feed
    uint32_t log_rows;
    uint64_t log_marks;
    uint64_t log_sequence;
} tally;

typedef struct checker {
    ledger *l;
    const char *dir;
    alm_store *store;
    alm_arena *arena;
    tally *tallies; // by step
    uint64_t findings;
    int32_t precedence[WORK_SOURCE_COUNT];
    alm_obs words[WORK_SOURCE_COUNT + 1]; // of the cell that is read: what each source, and none,
                                          // said last; published 0: nothing
    alm_obs cell;                         // one of its rows; published 0: no cell yet
    uint64_t winners, current;
    uint64_t winners_marks, current_marks;
} checker;

static void found(checker *c, const char *fmt, ...) ALM_PRINTF(2, 3);

static void found(checker *c, const char *fmt, ...)
{
    if (c->findings++ < FINDINGS_TOLD) {
        va_list args;
        va_start(args, fmt);
        fputs("check: ", stderr);
        vfprintf(stderr, fmt, args);
        fputc('\n', stderr);
        va_end(args);
    }
}

// --- verify --------------------------------------------------------------------------------------

static void tell_problem(void *arg, alm_str text)
{
    found(arg, "verify: %.*s", ALM_STR_ARGS(text));
}

static void check_verify(checker *c)
{
    alm_status st = ALM_STATUS_INIT;
    alm_verify_result result;
    if (alm_store_verify(c->store, tell_problem, c, &result, &st) != ALM_OK) {
        found(c, "verify: %s", st.message);
    }
}

// --- rows ----------------------------------------------------------------------------------------

static tally *tally_of(checker *c, uint32_t n)
{
    return n < LEDGER_STEP_MAX ? &c->tallies[n] : NULL;
}

static int32_t precedence_of(const checker *c, uint32_t source)
{
    return source < WORK_SOURCE_COUNT ? c->precedence[source] : 0;
}

static bool is_same_cell(const alm_obs *a, const alm_obs *b)
{
    return a->variant == b->variant && a->place == b->place &&
           a->period.ordinal == b->period.ordinal;
}

// The cell before is complete. Of the sources that did not withdraw their word one wins, if any.
static void end_cell(checker *c)
{
    const alm_obs *winner = NULL;
    for (size_t i = 0; i < ALM_ARRAY_LEN(c->words); i++) {
        const alm_obs *word = &c->words[i];
        if (word->published == 0 || !word->value.has_number) {
            continue;
        }
        int32_t better =
            winner == NULL ? 1 : precedence_of(c, word->source) - precedence_of(c, winner->source);
        if (better > 0 || (better == 0 && word->published > winner->published)) {
            winner = word;
        }
    }
    if (winner != NULL) {
        c->winners++;
        c->winners_marks +=
            crash_mix(work_cell_mark(winner->variant, winner) + (uint64_t)winner->published);
    }
    memset(c->words, 0, sizeof c->words);
    c->cell = (alm_obs){0};
}

static void take_vintage(checker *c, const alm_obs *row)
{
    if (c->cell.published != 0 && !is_same_cell(&c->cell, row)) {
        end_cell(c);
    }
    alm_obs *word = &c->words[ALM_MIN(row->source, WORK_SOURCE_COUNT)];
    if (row->published > word->published) {
        *word = *row;
    }
    c->cell = *row;
}

static alm_code take_rows(void *arg, alm_str text, const alm_obs_columns *rows, alm_status *st)
{
    checker *c = arg;
    uint32_t variant = work_variant_of(text);
    (void)st;
    for (size_t i = 0; i < rows->count; i++) {
        alm_obs row = alm_obs_at(rows, i);
        row.variant = variant;
        tally *t = tally_of(c, work_batch_of(&row));
        const char *defect = work_row_defect(c->l->seed, variant, &row);
        if (t == NULL || *defect != '\0') {
            found(c, "a row of batch %u: %s", work_batch_of(&row), defect);
            continue;
        }
        if (t->sequence != 0 && t->sequence != row.sequence) {
            found(c, "batch %u has two sequences", work_batch_of(&row));
        }
        t->sequence = row.sequence;
        t->rows++;
        t->marks += work_cell_mark(variant, &row);
        take_vintage(c, &row);
    }
    return ALM_OK;
}

static alm_code take_current(void *arg, alm_str text, const alm_obs_columns *rows, alm_status *st)
{
    checker *c = arg;
    uint32_t variant = work_variant_of(text);
    (void)st;
    for (size_t i = 0; i < rows->count; i++) {
        const alm_obs row = alm_obs_at(rows, i);
        if (row.value.has_number) {
            c->current++;
            c->current_marks += crash_mix(work_cell_mark(variant, &row) + (uint64_t)row.published);
        }
    }
    return ALM_OK;
}

static void check_rows(checker *c)
{
    alm_status st = ALM_STATUS_INIT;
    alm_read read = {
        .breakdown = ALM_STR("*"), .all_places = true, .all_periods = true, .as_of = ALM_DATE_MAX};
    if (alm_store_read(c->store, &read, take_current, c, NULL, &st) != ALM_OK) {
        found(c, "reading what is current: %s", st.message);
    }
    read.all_vintages = true;
    if (alm_store_read(c->store, &read, take_rows, c, NULL, &st) != ALM_OK) {
        found(c, "reading all vintages: %s", st.message);
    }
    end_cell(c);
    if (c->current != c->winners || c->current_marks != c->winners_marks) {
        found(c, "%llu current values, and %llu vintages should win",
              (unsigned long long)c->current, (unsigned long long)c->winners);
    }
}

// --- log -----------------------------------------------------------------------------------------

static void take_change(checker *c, const alm_change *change)
{
    uint32_t n = work_batch_of_id(change->batch_id);
    tally *t = tally_of(c, n);
    if (t == NULL) {
        if (!alm_str_eq(change->batch_id, ALM_STR("first"))) {
            found(c, "the log has a batch that nobody sent: %.*s", ALM_STR_ARGS(change->batch_id));
        }
        return;
    }
    if (t->log_sequence != 0) {
        found(c, "batch %u is in the log twice", n);
    }
    t->log_sequence = change->sequence;
    for (size_t i = 0; i < change->obs_count; i++) {
        const alm_obs *row = &change->obs[i];
        uint32_t variant = work_variant_of(change->variants[row->variant]);
        const char *defect = work_row_defect(c->l->seed, variant, row);
        if (*defect != '\0' || work_batch_of(row) != n) {
            found(c, "the log, batch %u: %s", n, *defect != '\0' ? defect : "another's row");
        }
        t->log_rows++;
        t->log_marks += work_cell_mark(variant, row);
    }
}

// The sequences have no gap, and end where the store says.
static void check_log(checker *c, uint64_t last)
{
    for (uint64_t sequence = 1; sequence <= last; sequence++) {
        alm_change change;
        alm_status st = ALM_STATUS_INIT;
        alm_arena_reset(c->arena);
        if (alm_store_change(c->store, sequence, c->arena, &change, &st) != ALM_OK) {
            found(c, "the log at %llu: %s", (unsigned long long)sequence, st.message);
            return;
        }
        if (change.sequence != sequence) {
            found(c, "the log has no commit %llu", (unsigned long long)sequence);
            return;
        }
        take_change(c, &change);
    }
}

// --- catalogue -----------------------------------------------------------------------------------

typedef struct names {
    checker *c;
    char indicator[WORK_TEXT_MAX], place[WORK_TEXT_MAX], source[WORK_TEXT_MAX];
} names;

static void copy_name(char *out, alm_str name)
{
    snprintf(out, WORK_TEXT_MAX, "%.*s", ALM_STR_ARGS(name));
}

static alm_code take_indicator(void *arg, uint32_t id, const alm_indicator *entry, alm_status *st)
{
    names *n = arg;
    (void)st;
    if (id == 0) {
        copy_name(n->indicator, entry->name_en);
    }
    return ALM_OK;
}

static alm_code take_place(void *arg, alm_place_id id, const alm_place *entry, alm_status *st)
{
    names *n = arg;
    (void)st;
    if (id == 0) {
        copy_name(n->place, entry->name_zh);
    }
    return ALM_OK;
}

static alm_code take_source(void *arg, uint32_t id, const alm_source *entry, alm_status *st)
{
    names *n = arg;
    (void)st;
    if (id == 0) {
        copy_name(n->source, entry->title);
    }
    if (id < WORK_SOURCE_COUNT) {
        n->c->precedence[id] = entry->precedence;
        return ALM_OK;
    }
    tally *t = tally_of(n->c, work_batch_of_source(entry->code));
    if (t == NULL || t->has_entries) {
        found(n->c, "source %.*s: nobody brought it", ALM_STR_ARGS(entry->code));
    } else {
        t->has_entries = true;
    }
    return ALM_OK;
}

// One batch renames all three, so they carry one name.
static void check_catalog(checker *c)
{
    alm_status st = ALM_STATUS_INIT;
    names n = {.c = c};
    alm_catalog_visitor visitor = {
        .arg = &n, .indicator = take_indicator, .place = take_place, .source = take_source};
    if (alm_store_visit_catalog(c->store, &visitor, NULL, &st) != ALM_OK) {
        found(c, "the catalogue: %s", st.message);
    } else if (strcmp(n.indicator, n.place) != 0 || strcmp(n.indicator, n.source) != 0) {
        found(c, "the catalogue is there by half: \"%s\", \"%s\", \"%s\"", n.indicator, n.place,
              n.source);
    }
}

// --- batches -------------------------------------------------------------------------------------

static uint64_t marks_of(const work_item *item)
{
    uint64_t marks = 0;
    for (size_t i = 0; i < item->batch.obs_count; i++) {
        marks += work_cell_mark(item->rows[i].variant, &item->rows[i]);
    }
    return marks;
}

// A batch stands whole in the log, in the view and in the catalogue, or in none of them.
static void check_batch(checker *c, const work_item *item)
{
    const tally *t = &c->tallies[item->n];
    const ledger_step *step = &c->l->steps[item->n];
    bool is_there = t->log_sequence != 0;
    size_t want = is_there ? item->batch.obs_count : 0;
    uint64_t marks = is_there ? marks_of(item) : 0;
    if (t->rows != want || t->marks != marks || t->log_rows != want || t->log_marks != marks ||
        t->has_entries != (is_there && item->batch.source_count > 0)) {
        found(c, "batch %u (%s) is there by half: %u rows to read, %u in the log, of %zu", item->n,
              item->step->name, t->rows, t->log_rows, item->batch.obs_count);
    }
    if (want > 0 && t->sequence != t->log_sequence) {
        found(c, "batch %u: its rows' sequence is not the log's", item->n);
    }
    if (step->state == LEDGER_DONE && !is_there) {
        found(c, "batch %u (%s) was acknowledged, and is gone", item->n, item->step->name);
    } else if (step->state == LEDGER_DONE && step->sequence != 0 &&
               step->sequence != t->log_sequence) {
        found(c, "batch %u was acknowledged as %llu, and is %llu", item->n,
              (unsigned long long)step->sequence, (unsigned long long)t->log_sequence);
    } else if (is_there && (step->state == LEDGER_NEVER || step->state == LEDGER_REFUSED)) {
        found(c, "batch %u is there, and %s", item->n,
              step->state == LEDGER_NEVER ? "nobody sent it" : "was refused");
    }
}

static void check_batches(checker *c)
{
    for (uint32_t n = 0; n < c->l->next; n++) {
        work_item item;
        work_item_make(&item, c->l->seed, n);
        if (work_is_batch(&item)) {
            check_batch(c, &item);
        }
    }
}

// --- sending again -------------------------------------------------------------------------------

static void resend(checker *c, uint32_t n)
{
    work_item item;
    alm_commit_result result;
    alm_status st = ALM_STATUS_INIT;
    const tally *t = &c->tallies[n];
    ledger_step *step = &c->l->steps[n];
    bool was_there = t->log_sequence != 0;
    work_item_make(&item, c->l->seed, n);
    if (!work_is_batch(&item)) {
        step->state = LEDGER_DONE;
        return;
    }
    alm_arena_reset(c->arena);
    if (work_item_run(&item, c->store, c->dir, c->arena, &result, &st) != ALM_OK) {
        found(c, "batch %u, sent again: %s", n, st.message);
        return;
    }
    if (result.replayed != was_there) {
        found(c, "batch %u, sent again, %s", n,
              was_there ? "was there and is stored anew"
                        : "was not there and is called a repetition");
    }
    if (was_there ? result.sequence != t->log_sequence : result.sequence <= c->l->sequence) {
        found(c, "batch %u, sent again, has sequence %llu", n, (unsigned long long)result.sequence);
    }
    c->l->done += step->state != LEDGER_DONE;
    c->l->sequence = ALM_MAX(c->l->sequence, result.sequence);
    *step = (ledger_step){.state = LEDGER_DONE, .sequence = result.sequence};
}

// All that was in flight, and some that were acknowledged.
static void resend_some(checker *c)
{
    crash_random random = {.state = c->l->seed + c->l->next};
    for (uint32_t n = 0; n < c->l->next; n++) {
        if (c->l->steps[n].state == LEDGER_BEGUN) {
            resend(c, n);
        }
    }
    for (int i = 0; i < RESENT_COUNT && c->l->next > 0; i++) {
        uint32_t n = (uint32_t)crash_random_below(&random, c->l->next);
        if (c->l->steps[n].state == LEDGER_DONE && c->tallies[n].log_sequence != 0) {
            resend(c, n);
        }
    }
}

// --- all of it -----------------------------------------------------------------------------------

static void check_state(checker *c)
{
    alm_status st = ALM_STATUS_INIT;
    alm_store_stats stats;
    if (alm_store_stats_get(c->store, &stats, &st) != ALM_OK) {
        found(c, "stats: %s", st.message);
        return;
    }
    if (stats.sequence < c->l->sequence) {
        found(c, "the store ends at %llu, and %llu was acknowledged",
              (unsigned long long)stats.sequence, (unsigned long long)c->l->sequence);
    }
    check_verify(c);
    check_catalog(c);
    check_rows(c);
    check_log(c, stats.sequence);
    check_batches(c);
}

// A crash leaves no page that LMDB did not mean to.
static void check_pages(checker *c)
{
    alm_status st = ALM_STATUS_INIT;
    lmdb_pages_info info = {0};
    struct stat file;
    char path[160];
    snprintf(path, sizeof path, "%s/data.mdb", c->dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0) {
        return; // not even made
    }
    if (lmdb_pages_check(fd, (uint64_t)file.st_size, NULL, &info, &st) != ALM_OK) {
        found(c, "the pages: %s", st.message);
    } else if (info.lost > 0) {
        found(c, "%llu pages are neither in use nor free", (unsigned long long)info.lost);
    }
    close(fd);
}

static void run_check(checker *c)
{
    alm_status st = ALM_STATUS_INIT;
    check_pages(c);
    if (alm_store_open(c->dir, NULL, &c->store, &st) != ALM_OK) {
        found(c, "open: %s: %s", alm_code_name(st.code), st.message);
        return;
    }
    check_state(c);
    if (c->findings == 0) {
        resend_some(c);
    }
    alm_store_close(&c->store);
}

// DIR LEDGER_FD
int child_check(char **words, int count)
{
    ALM_ASSERT(count == 2);
    checker c = {.dir = words[0],
                 .l = proc_map((int)child_number(words[1]), sizeof(ledger)),
                 .arena = alm_arena_create(0),
                 .tallies = alm_calloc(LEDGER_STEP_MAX, sizeof *c.tallies)};
    ALM_ASSERT(c.arena != NULL && c.tallies != NULL);
    run_check(&c);
    alm_free(c.tallies);
    alm_arena_destroy(&c.arena);
    return c.findings == 0 ? 0 : 1;
}
