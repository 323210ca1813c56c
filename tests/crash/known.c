#include "known.h"

#include "random.h"

#include <stdio.h>

typedef struct judge {
    const known *k;
    known *learnt; // not NULL: everything is right, and is kept
    alm_store *store;
    alm_arena *arena;
    known_sum vintages, current, log, catalog;
    bool is_wrong, is_told;
    uint64_t problems;
    char *why;
} judge;

static void say(judge *j, const char *text)
{
    if (j->why[0] == '\0') {
        snprintf(j->why, KNOWN_WHY_MAX, "%s", text);
    }
}

static void wrong(judge *j, const char *what)
{
    if (!j->is_wrong) {
        j->why[0] = '\0'; // this counts for more
        say(j, what);
    }
    j->is_wrong = true;
}

static void told(judge *j, alm_code code, const alm_status *st)
{
    if (code != ALM_OK) {
        j->is_told = true;
        say(j, st->message);
    }
}

static void add(known_sum *sum, uint64_t mark)
{
    sum->count++;
    sum->marks += crash_mix(mark);
}

static void add_text(known_sum *sum, alm_str text, uint64_t mark)
{
    for (size_t i = 0; i < text.len; i++) {
        mark = crash_mix(mark ^ (uint8_t)text.data[i]);
    }
    add(sum, mark);
}

// --- rows ----------------------------------------------------------------------------------------

static bool is_known_row(judge *j, uint32_t variant, const alm_obs *row)
{
    const char *defect = work_row_defect(j->k->seed, variant, row);
    if (*defect == '\0' && work_batch_of(row) >= j->k->steps) {
        defect = "a row that nobody wrote";
    }
    if (*defect != '\0') {
        wrong(j, defect);
    }
    return *defect == '\0';
}

static alm_code take_vintages(void *arg, alm_str text, const alm_obs_columns *rows, alm_status *st)
{
    judge *j = arg;
    uint32_t variant = work_variant_of(text);
    (void)st;
    for (size_t i = 0; i < rows->count; i++) {
        const alm_obs row = alm_obs_at(rows, i);
        if (is_known_row(j, variant, &row)) {
            add(&j->vintages, work_cell_mark(variant, &row) + (uint64_t)row.published);
        }
    }
    return ALM_OK;
}

static alm_code take_current(void *arg, alm_str text, const alm_obs_columns *rows, alm_status *st)
{
    judge *j = arg;
    uint32_t variant = work_variant_of(text);
    (void)st;
    for (size_t i = 0; i < rows->count; i++) {
        const alm_obs row = alm_obs_at(rows, i);
        uint32_t day = work_day_of(&row);
        if (!is_known_row(j, variant, &row) || day >= KNOWN_STEP_MAX) {
            continue;
        }
        uint16_t by = (uint16_t)(work_batch_of(&row) + 1);
        if (j->learnt != NULL) {
            j->learnt->winners[day][variant][row.place] = by;
        } else if (j->k->winners[day][variant][row.place] != by) {
            wrong(j, "not the current value");
        }
        add(&j->current, work_cell_mark(variant, &row) + by);
    }
    return ALM_OK;
}

static void read_rows(judge *j)
{
    alm_status st = ALM_STATUS_INIT;
    alm_read read = {
        .breakdown = ALM_STR("*"), .all_places = true, .all_periods = true, .as_of = ALM_DATE_MAX};
    told(j, alm_store_read(j->store, &read, take_current, j, NULL, &st), &st);
    read.all_vintages = true;
    told(j, alm_store_read(j->store, &read, take_vintages, j, NULL, &st), &st);
}

// --- log and catalogue ---------------------------------------------------------------------------

static void take_change(judge *j, const alm_change *change)
{
    add_text(&j->log, change->batch_id, change->sequence);
    for (size_t i = 0; i < change->obs_count; i++) {
        const alm_obs *row = &change->obs[i];
        uint32_t variant = work_variant_of(change->variants[row->variant]);
        if (is_known_row(j, variant, row)) {
            add(&j->log, work_cell_mark(variant, row) + (uint64_t)row->published);
        }
    }
}

static void read_log(judge *j)
{
    uint64_t last = j->k->sequence;
    for (uint64_t sequence = 1; sequence <= last; sequence++) {
        alm_change change;
        alm_status st = ALM_STATUS_INIT;
        alm_arena_reset(j->arena);
        alm_code code = alm_store_change(j->store, sequence, j->arena, &change, &st);
        if (code == ALM_OK && change.sequence == sequence) {
            take_change(j, &change);
        } else if (code == ALM_OK) {
            wrong(j, "another commit than was asked for");
        } else {
            told(j, code, &st);
        }
    }
}

static alm_code take_indicator(void *arg, uint32_t id, const alm_indicator *entry, alm_status *st)
{
    judge *j = arg;
    (void)st;
    add_text(&j->catalog, entry->code, id);
    add_text(&j->catalog, entry->name_en, id);
    return ALM_OK;
}

static alm_code take_place(void *arg, alm_place_id id, const alm_place *entry, alm_status *st)
{
    judge *j = arg;
    (void)st;
    add_text(&j->catalog, entry->code, id);
    add_text(&j->catalog, entry->name_zh, id);
    return ALM_OK;
}

static alm_code take_source(void *arg, uint32_t id, const alm_source *entry, alm_status *st)
{
    judge *j = arg;
    (void)st;
    add_text(&j->catalog, entry->code, id);
    add_text(&j->catalog, entry->title, (uint64_t)entry->precedence);
    return ALM_OK;
}

static void read_catalog(judge *j)
{
    alm_status st = ALM_STATUS_INIT;
    alm_catalog_visitor visitor = {
        .arg = j, .indicator = take_indicator, .place = take_place, .source = take_source};
    told(j, alm_store_visit_catalog(j->store, &visitor, NULL, &st), &st);
}

// --- all of it -----------------------------------------------------------------------------------

static void take_problem(void *arg, alm_str text)
{
    judge *j = arg;
    char copy[KNOWN_WHY_MAX];
    snprintf(copy, sizeof copy, "verify: %.*s", ALM_STR_ARGS(text));
    say(j, copy);
}

static void read_all(judge *j)
{
    alm_status st = ALM_STATUS_INIT;
    alm_verify_result result = {0};
    read_rows(j);
    read_log(j);
    read_catalog(j);
    if (alm_store_verify(j->store, take_problem, j, &result, &st) != ALM_OK) {
        result.problems++;
        say(j, st.message);
    }
    j->problems = result.problems;
}

static bool is_same(known_sum a, known_sum b)
{
    return a.count == b.count && a.marks == b.marks;
}

static verdict verdict_of(judge *j)
{
    const known *k = j->k;
    bool is_all = is_same(j->vintages, k->vintages) && is_same(j->current, k->current) &&
                  is_same(j->log, k->log) && is_same(j->catalog, k->catalog);
    if (j->is_wrong) {
        return VERDICT_WRONG;
    }
    if (j->is_told) {
        return VERDICT_TOLD;
    }
    if (is_all) {
        return j->problems > 0 ? VERDICT_NOTICED : VERDICT_SAME;
    }
    // All rows were known ones; more of them, or other names, are no better than wrong values.
    bool is_more = j->vintages.count > k->vintages.count || j->current.count > k->current.count ||
                   j->log.count > k->log.count || j->catalog.count > k->catalog.count ||
                   (j->catalog.count == k->catalog.count && !is_same(j->catalog, k->catalog));
    if (is_more) {
        wrong(j, "rows twice, or another name");
        return VERDICT_WRONG;
    }
    return j->problems > 0 ? VERDICT_FOUND : VERDICT_HIDDEN;
}

static bool open_judge(judge *j, const char *dir)
{
    alm_status st = ALM_STATUS_INIT;
    alm_store_opts opts = {.bytes_max = (size_t)1 << 30};
    j->arena = alm_arena_create(0);
    ALM_ASSERT(j->arena != NULL);
    if (alm_store_open(dir, &opts, &j->store, &st) != ALM_OK) {
        say(j, st.message);
        alm_arena_destroy(&j->arena);
        return false;
    }
    return true;
}

static void close_judge(judge *j)
{
    alm_store_close(&j->store);
    alm_arena_destroy(&j->arena);
}

bool known_learn(known *k, const char *dir)
{
    char why[KNOWN_WHY_MAX] = "";
    alm_store_stats stats;
    judge j = {.k = k, .learnt = k, .why = why};
    if (!open_judge(&j, dir)) {
        fprintf(stderr, "the undamaged store: %s\n", why);
        return false;
    }
    bool ok = alm_store_stats_get(j.store, &stats, NULL) == ALM_OK;
    k->sequence = ok ? stats.sequence : 0;
    read_all(&j);
    k->vintages = j.vintages;
    k->current = j.current;
    k->log = j.log;
    k->catalog = j.catalog;
    close_judge(&j);
    ok = ok && !j.is_wrong && !j.is_told && j.problems == 0;
    if (!ok) {
        fprintf(stderr, "the undamaged store: %s\n", why);
    }
    return ok;
}

verdict known_judge(const known *k, const char *dir, char *why)
{
    judge j = {.k = k, .why = why};
    why[0] = '\0';
    if (!open_judge(&j, dir)) {
        return VERDICT_REFUSED;
    }
    read_all(&j);
    verdict v = verdict_of(&j);
    close_judge(&j);
    return v;
}
