// Verify: what the log says was committed must be in the slices, and the series must say the same.
//
// Rows are compared as sets, by a sum of hashes (fingerprint.h): those of each commit with what its
// log record says, those of the slices with those of the series, variant by variant. That needs two
// numbers for each however large the store is.
#include "fingerprint.h"
#include "group.h"
#include "lmdb_presence.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define VERIFY_BYTES_MAX ((size_t)2 << 30)

typedef struct tally {
    uint64_t sum; // of fingerprints
    uint64_t count;
} tally;

typedef struct verify_ctx {
    const lmdb_txn *txn;
    void (*problem)(void *arg, alm_str text);
    void *arg;
    alm_verify_result *result;
    lmdb_store *store;  // NULL: nobody commits
    alm_status stopped; // too little memory, or it kept too much: what was found says nothing
    alm_arena *arena;   // as long as the check
    alm_arena *step;    // as long as one record
    alm_head head;
    alm_precedence precedence;
    tally *log, *commits;   // by sequence: as the log says, as the slices have it
    tally *slices, *series; // by variant id: of slices that have been folded, of groups
    lmdb_touched changed;   // slices that series do not show yet, in order
    uint64_t cells;
    uint64_t late; // vintages published after what the head says is the last day
    uint64_t variants, batches, quarantined, feed_bytes;
    uint64_t entries[ALM_ENTRY_SOURCE + 1];
} verify_ctx;

static void report(verify_ctx *ctx, const char *fmt, ...) ALM_PRINTF(2, 3);

static void report(verify_ctx *ctx, const char *fmt, ...)
{
    char text[ALM_STATUS_MESSAGE_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ctx->result->problems++;
    if (ctx->problem != NULL) {
        ctx->problem(ctx->arg, alm_str_from(text));
    }
}

static bool may_go_on(verify_ctx *ctx)
{
    return ctx->store == NULL || lmdb_may_go_on(ctx->store, ctx->txn, &ctx->stopped) == ALM_OK;
}

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to verify");
}

// Calls check for each record of a database; a damaged record is reported and passed over. Without
// memory it ends, or if it keeps commits from going on.
static void each_record(verify_ctx *ctx, lmdb_dbi dbi,
                        alm_code (*check)(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st))
{
    lmdb_scan scan;
    alm_status st = ALM_STATUS_INIT;
    if (ctx->stopped.code != ALM_OK) {
        return;
    }
    alm_code code = lmdb_scan_open(ctx->txn, dbi, &scan, &st);
    if (code == ALM_OK) {
        code = lmdb_scan_seek(&scan, NULL, &st);
    }
    while ((scan.found || code != ALM_OK) && may_go_on(ctx)) {
        if (code == ALM_OK) {
            alm_arena_reset(ctx->step);
            code = check(ctx, &scan, &st);
        }
        if (code == ALM_RESOURCE_EXHAUSTED) {
            ctx->stopped = st;
            break;
        }
        if (code != ALM_OK) {
            char label[LMDB_LABEL_MAX];
            lmdb_label(dbi, scan.key, label);
            report(ctx, "%s: %s", label, st.message);
        }
        if (!scan.found) {
            break; // the tree itself cannot be read on
        }
        code = lmdb_scan_next(&scan, &st);
    }
    lmdb_scan_close(&scan);
}

static void count_row(tally *t, uint32_t variant, const alm_obs *row)
{
    t->sum += alm_fingerprint(variant, row);
    t->count++;
}

// --- log -----------------------------------------------------------------------------------------

static alm_code check_log_block(verify_ctx *ctx, const alm_log_record *record, uint64_t sequence,
                                alm_str bytes, tally *rows, alm_status *st)
{
    alm_block block;
    ALM_TRY(alm_block_open(bytes, ALM_COMMIT_ROW_COUNT_MAX, NULL, ctx->step, &block, st));
    for (size_t i = 0; i < block.count; i++) {
        alm_obs row;
        ALM_TRY(alm_block_get(&block, i, i + 1, &row, st));
        if (row.variant >= record->variant_count ||
            record->variants[row.variant] >= ctx->head.variants || row.sequence != sequence) {
            return alm_status_set(st, ALM_DATA_LOSS, "row %llu does not belong there",
                                  (unsigned long long)rows->count);
        }
        count_row(rows, record->variants[row.variant], &row);
    }
    return ALM_OK;
}

static alm_code check_log_rows(verify_ctx *ctx, const alm_log_record *record, uint64_t sequence,
                               alm_status *st)
{
    bool found;
    alm_str bytes;
    tally rows = {0};
    alm_str left = record->blocks;
    ALM_TRY(alm_log_next_block(&left, &found, &bytes, st));
    while (found) {
        ALM_TRY(check_log_block(ctx, record, sequence, bytes, &rows, st));
        ALM_TRY(alm_log_next_block(&left, &found, &bytes, st));
    }
    if (rows.count != record->added + record->revised || rows.sum != record->fingerprint) {
        return alm_status_set(st, ALM_DATA_LOSS, "its rows are not those that were committed");
    }
    return ALM_OK;
}

static alm_code check_log(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st)
{
    uint64_t sequence;
    alm_log_record record;
    ctx->result->log_records++;
    if (!lmdb_u64_from_key(scan->key, &sequence)) {
        return alm_status_set(st, ALM_DATA_LOSS, "its key is damaged");
    }
    ALM_TRY(alm_log_record_decode(scan->value, ctx->step, &record, st));
    if (sequence == 0 || sequence > ctx->head.sequence) {
        return alm_status_set(st, ALM_DATA_LOSS, "there was no such commit");
    }
    ctx->log[sequence] = (tally){.sum = record.fingerprint, .count = record.added + record.revised};
    ctx->result->observations += record.added + record.revised;
    ctx->feed_bytes += alm_log_record_row_bytes(&record);
    if (record.has_rows && sequence <= ctx->head.feed_trimmed) {
        return alm_status_set(st, ALM_DATA_LOSS, "it still has rows that should have left");
    }
    return record.has_rows ? check_log_rows(ctx, &record, sequence, st) : ALM_OK;
}

// --- slices --------------------------------------------------------------------------------------

static alm_code check_cell(verify_ctx *ctx, const alm_chunk *chunk, const alm_obs *winner,
                           alm_status *st)
{
    size_t from;
    size_t to = alm_chunk_others(chunk, winner->place, &from);
    size_t count = to - from + 1;
    const alm_obs **rows = alm_arena_alloc(ctx->step, count * sizeof *rows);
    if (rows == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        rows[i] = i + 1 < count ? &chunk->others[from + i] : winner;
    }
    alm_vintage_sort(rows, count);
    for (size_t i = 1; i < count; i++) {
        if (alm_vintage_same(rows[i - 1], rows[i])) {
            return alm_status_set(st, ALM_DATA_LOSS, "place %u: a vintage twice", winner->place);
        }
    }
    return alm_vintage_choose(&ctx->precedence, NULL, rows, count) == winner
               ? ALM_OK
               : alm_status_set(st, ALM_DATA_LOSS,
                                "place %u: the current value is not the one that wins",
                                winner->place);
}

static alm_code count_slice_row(verify_ctx *ctx, uint32_t variant, const alm_obs *row,
                                bool is_folded, alm_status *st)
{
    if (row->sequence == 0 || row->sequence > ctx->head.sequence) {
        return alm_status_set(st, ALM_DATA_LOSS, "place %u: a row of a commit that is not there",
                              row->place);
    }
    ctx->late += row->published > 0 && (uint64_t)row->published > ctx->head.last_day;
    count_row(&ctx->commits[row->sequence], variant, row);
    if (is_folded) {
        count_row(&ctx->slices[variant], variant, row);
    }
    return ALM_OK;
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int slice_key_cmp(const void *a, const void *b)
{
    const lmdb_slice_key *x = a;
    const lmdb_slice_key *y = b;
    int order = COMPARE(x->variant, y->variant);
    if (order == 0) {
        order = COMPARE(x->period, y->period);
    }
    return order != 0 ? order : COMPARE(x->chunk, y->chunk);
}

// Do the groups of series show this slice as it is?
static bool is_folded(const verify_ctx *ctx, lmdb_slice_key key)
{
    return ctx->changed.count == 0 ||
           bsearch(&key, ctx->changed.keys, ctx->changed.count, sizeof key, slice_key_cmp) == NULL;
}

static alm_code check_slice(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st)
{
    alm_chunk chunk;
    lmdb_slice_key key;
    ctx->result->slices++;
    if (!lmdb_slice_key_from(scan->key, &key) || key.variant >= ctx->head.variants) {
        return alm_status_set(st, ALM_DATA_LOSS, "its key is damaged");
    }
    ALM_TRY(lmdb_chunk_get(ctx->txn, key, &ctx->precedence, ctx->step, &chunk, st));
    bool folded = is_folded(ctx, key);
    for (size_t i = 0; i < chunk.winner_count; i++) {
        const alm_obs *winner = &chunk.winners[i];
        if (winner->place >> LMDB_CHUNK_BITS != key.chunk || winner->place >= ctx->head.places) {
            return alm_status_set(st, ALM_DATA_LOSS, "place %u does not belong there",
                                  winner->place);
        }
        ALM_TRY(check_cell(ctx, &chunk, winner, st));
        ALM_TRY(count_slice_row(ctx, key.variant, winner, folded, st));
    }
    for (size_t i = 0; i < chunk.other_count; i++) {
        ALM_TRY(count_slice_row(ctx, key.variant, &chunk.others[i], folded, st));
    }
    ctx->cells += alm_chunk_cells(&chunk);
    return ALM_OK;
}

static alm_code check_vintages(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st)
{
    bool found;
    alm_str value;
    lmdb_slice_key key;
    if (!lmdb_slice_key_from(scan->key, &key)) {
        return alm_status_set(st, ALM_DATA_LOSS, "its key is damaged");
    }
    lmdb_key lkey = lmdb_key_of_slice(key);
    // A damaged slice is reported where slices are.
    if (lmdb_get(ctx->txn, LMDB_SLICE, &lkey, &found, &value, NULL) == ALM_OK && !found) {
        return alm_status_set(st, ALM_DATA_LOSS, "vintages without their slice");
    }
    return ALM_OK;
}

static void compare_commits(verify_ctx *ctx)
{
    for (uint64_t i = 1; i <= ctx->head.sequence; i++) {
        const tally *log = &ctx->log[i];
        const tally *slices = &ctx->commits[i];
        if (log->count != slices->count || log->sum != slices->sum) {
            report(ctx,
                   "commit %llu: the slices hold %llu rows of it that are not the %llu of the log",
                   (unsigned long long)i, (unsigned long long)slices->count,
                   (unsigned long long)log->count);
        }
    }
}

// --- series --------------------------------------------------------------------------------------

static alm_code check_part(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st)
{
    alm_part part;
    lmdb_slice_key key;
    lmdb_touched *changed = &ctx->changed;
    if (!lmdb_pair_from_key(scan->key, &key.variant, &key.chunk) ||
        key.variant >= ctx->head.variants) {
        return alm_status_set(st, ALM_DATA_LOSS, "its key is damaged");
    }
    ALM_TRY(alm_part_decode(scan->value, ctx->step, &part, st));
    if (!alm_arena_grow(ctx->arena, (void **)&changed->keys, &changed->cap,
                        changed->count + part.count, sizeof *changed->keys)) {
        return no_memory(st);
    }
    for (size_t i = 0; i < part.count; i++) {
        key.period = part.changes[i].period;
        changed->keys[changed->count++] = key;
    }
    return ALM_OK;
}

// Rows of slices that have changed since are not compared.
static void count_series_row(verify_ctx *ctx, uint32_t variant, const alm_obs *row)
{
    lmdb_slice_key key = {.variant = variant,
                          .period = alm_period_pack(row->period),
                          .chunk = row->place >> LMDB_CHUNK_BITS};
    if (is_folded(ctx, key)) {
        count_row(&ctx->series[variant], variant, row);
    }
}

static alm_code check_group_others(verify_ctx *ctx, uint32_t variant, const alm_group *group,
                                   alm_status *st)
{
    alm_block block;
    if (group->others.len == 0) {
        return ALM_OK;
    }
    ALM_TRY(alm_block_open(group->others, ALM_CHUNK_ROW_COUNT_MAX, NULL, ctx->step, &block, st));
    for (size_t i = 0; i < block.count; i++) {
        alm_obs row;
        ALM_TRY(alm_block_get(&block, i, i + 1, &row, st));
        count_series_row(ctx, variant, &row);
    }
    return ALM_OK;
}

static alm_code check_group(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st)
{
    alm_group group;
    uint32_t variant, first;
    if (!lmdb_pair_from_key(scan->key, &variant, &first) || variant >= ctx->head.variants) {
        return alm_status_set(st, ALM_DATA_LOSS, "its key is damaged");
    }
    ALM_TRY(alm_group_open(scan->value, ctx->step, &group, st));
    for (size_t i = 0; i < group.place_count; i++) {
        alm_group_series series;
        alm_place_id place = (alm_place_id)alm_column_get(&group.places, i);
        if (place < first || place >> LMDB_CHUNK_BITS != first >> LMDB_CHUNK_BITS) {
            return alm_status_set(st, ALM_DATA_LOSS, "place %u does not belong there", place);
        }
        ALM_TRY(alm_group_find(&group, place, ctx->step, &series, st));
        alm_obs *rows = alm_arena_calloc(ctx->step, series.count, sizeof *rows);
        if (rows == NULL) {
            return no_memory(st);
        }
        ALM_TRY(alm_group_rows(&group, &series, ctx->step, rows, st));
        for (size_t k = 0; k < series.count; k++) {
            count_series_row(ctx, variant, &rows[k]);
        }
    }
    return check_group_others(ctx, variant, &group, st);
}

static void compare_series(verify_ctx *ctx)
{
    for (uint64_t i = 0; i < ctx->head.variants; i++) {
        const tally *slices = &ctx->slices[i];
        const tally *series = &ctx->series[i];
        if (slices->count != series->count || slices->sum != series->sum) {
            alm_str text = ALM_STR("?");
            alm_arena_reset(ctx->step);
            (void)!lmdb_variant_text(ctx->txn, (uint32_t)i, ctx->step, &text, NULL);
            report(ctx,
                   "variant %.*s: its series hold %llu vintages that are not the %llu of its "
                   "slices",
                   ALM_STR_ARGS(text), (unsigned long long)series->count,
                   (unsigned long long)slices->count);
        }
    }
}

// --- variants ------------------------------------------------------------------------------------

static alm_code check_variant(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st)
{
    bool found;
    uint32_t id;
    alm_str value;
    alm_variant variant;
    lmdb_key want = lmdb_key_of_u32((uint32_t)ctx->variants++);
    if (scan->key.mv_size != want.len || memcmp(scan->key.mv_data, want.bytes, want.len) != 0) {
        return alm_status_set(st, ALM_DATA_LOSS, "variant ids have a gap before it");
    }
    ALM_TRY(alm_variant_decode(scan->value, &variant, st));
    lmdb_key by_text = lmdb_key_of_text(scan->value);
    ALM_TRY(lmdb_get_u32(ctx->txn, LMDB_VARIANT_ID, &by_text, &found, &id, st));
    if (!found || id != ctx->variants - 1) {
        return alm_status_set(st, ALM_DATA_LOSS, "its text does not lead back to it");
    }
    lmdb_key by_indicator = lmdb_key_of_variant_of(variant.indicator, id);
    return lmdb_require(ctx->txn, LMDB_VARIANT_OF, &by_indicator, &value, st);
}

// Only the checksum, which the scan has seen to.
static alm_code check_nothing(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st)
{
    (void)ctx;
    (void)scan;
    (void)st;
    return ALM_OK;
}

// --- catalogue -----------------------------------------------------------------------------------

static alm_code check_source(verify_ctx *ctx, uint64_t id, const alm_source *source, alm_status *st)
{
    if (id >= ctx->precedence.count || ctx->precedence.of[id] != source->precedence) {
        return alm_status_set(st, ALM_DATA_LOSS, "its precedence is not the one that is used");
    }
    return ALM_OK;
}

static alm_code check_entry(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st)
{
    bool found;
    uint32_t id;
    alm_entry entry;
    const uint8_t *key = scan->key.mv_data;
    if (scan->key.mv_size != 5 || key[0] < ALM_ENTRY_INDICATOR || key[0] > ALM_ENTRY_SOURCE) {
        return alm_status_set(st, ALM_DATA_LOSS, "its key is damaged");
    }
    alm_entry_kind kind = (alm_entry_kind)key[0];
    uint64_t number = ctx->entries[kind]++;
    lmdb_key want = lmdb_key_of_kind_id(kind, (uint32_t)number);
    if (memcmp(key, want.bytes, want.len) != 0) {
        return alm_status_set(st, ALM_DATA_LOSS, "ids have a gap before it");
    }
    ALM_TRY(alm_entry_decode(scan->value, kind, ctx->step, &entry, st));
    ALM_TRY(lmdb_entry_find(ctx->txn, kind, alm_entry_code(&entry), &found, &id, st));
    if (!found || id != number) {
        return alm_status_set(st, ALM_DATA_LOSS, "its code does not lead back to it");
    }
    return kind == ALM_ENTRY_SOURCE ? check_source(ctx, number, &entry.source, st) : ALM_OK;
}

// --- batches and quarantine ----------------------------------------------------------------------

static alm_code check_batch(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st)
{
    alm_batch_record record;
    ctx->batches++;
    ALM_TRY(alm_batch_record_decode(scan->value, ctx->step, &record, st));
    if (record.result.sequence > ctx->head.sequence) {
        return alm_status_set(st, ALM_DATA_LOSS, "it answers with a commit that is not there");
    }
    return ALM_OK;
}

static alm_code check_quarantined(verify_ctx *ctx, const lmdb_scan *scan, alm_status *st)
{
    alm_quarantined row;
    ctx->quarantined++;
    return alm_quarantined_decode(scan->value, &row, st);
}

// --- all of it -----------------------------------------------------------------------------------

static void check_count(verify_ctx *ctx, const char *what, uint64_t found, uint64_t said)
{
    if (found != said) {
        report(ctx, "%llu %s are there, and the head says %llu", (unsigned long long)found, what,
               (unsigned long long)said);
    }
}

static void report_text(void *arg, alm_str text)
{
    report(arg, "%.*s", ALM_STR_ARGS(text));
}

static void check_all(verify_ctx *ctx)
{
    each_record(ctx, LMDB_META, check_nothing);
    each_record(ctx, LMDB_ENTRY, check_entry);
    each_record(ctx, LMDB_CODE, check_nothing);
    each_record(ctx, LMDB_VARIANT, check_variant);
    each_record(ctx, LMDB_VARIANT_ID, check_nothing);
    each_record(ctx, LMDB_VARIANT_OF, check_nothing);
    each_record(ctx, LMDB_LOG, check_log);
    each_record(ctx, LMDB_PART, check_part);
    if (ctx->changed.count > 1) {
        qsort(ctx->changed.keys, ctx->changed.count, sizeof *ctx->changed.keys, slice_key_cmp);
    }
    each_record(ctx, LMDB_SLICE, check_slice);
    each_record(ctx, LMDB_VINTAGES, check_vintages);
    each_record(ctx, LMDB_BATCH, check_batch);
    each_record(ctx, LMDB_QUARANTINE, check_quarantined);
    each_record(ctx, LMDB_SERIES, check_group);
    if (ctx->stopped.code != ALM_OK) {
        return;
    }
    compare_commits(ctx);
    compare_series(ctx);
    lmdb_presence_verify(ctx->txn, (uint32_t)ctx->head.variants, report_text, ctx);
    ctx->result->cells = ctx->cells;
    check_count(ctx, "commits", ctx->result->log_records, ctx->head.sequence);
    check_count(ctx, "observations", ctx->result->observations, ctx->head.observations);
    check_count(ctx, "cells", ctx->cells, ctx->head.cells);
    check_count(ctx, "vintages published after the last day", ctx->late, 0);
    check_count(ctx, "variants", ctx->variants, ctx->head.variants);
    check_count(ctx, "indicators", ctx->entries[ALM_ENTRY_INDICATOR], ctx->head.indicators);
    check_count(ctx, "places", ctx->entries[ALM_ENTRY_PLACE], ctx->head.places);
    check_count(ctx, "sources", ctx->entries[ALM_ENTRY_SOURCE], ctx->head.sources);
    check_count(ctx, "bytes of the log's rows", ctx->feed_bytes, ctx->head.feed_bytes);
    check_count(ctx, "quarantined rows", ctx->quarantined, ctx->head.quarantined);
}

static alm_code run_verify(verify_ctx *ctx, alm_status *st)
{
    ALM_TRY(lmdb_head_get(ctx->txn, &ctx->head, st));
    ALM_TRY(lmdb_precedence_get(ctx->txn, ctx->arena, &ctx->precedence, st));
    ctx->log = alm_arena_calloc(ctx->arena, ctx->head.sequence + 1, sizeof *ctx->log);
    ctx->commits = alm_arena_calloc(ctx->arena, ctx->head.sequence + 1, sizeof *ctx->commits);
    ctx->slices = alm_arena_calloc(ctx->arena, ctx->head.variants, sizeof *ctx->slices);
    ctx->series = alm_arena_calloc(ctx->arena, ctx->head.variants, sizeof *ctx->series);
    if (ctx->log == NULL || ctx->commits == NULL || ctx->slices == NULL || ctx->series == NULL) {
        return no_memory(st);
    }
    check_all(ctx);
    return ctx->stopped.code == ALM_OK ? ALM_OK : alm_status_copy(st, &ctx->stopped);
}

alm_code lmdb_verify_snapshot(lmdb_store *store, const lmdb_txn *txn,
                              void (*problem)(void *arg, alm_str text), void *arg,
                              alm_verify_result *ret, alm_status *st)
{
    verify_ctx ctx = {.txn = txn,
                      .store = store,
                      .stopped = ALM_STATUS_INIT,
                      .problem = problem,
                      .arg = arg,
                      .result = ret,
                      .arena = alm_arena_create(VERIFY_BYTES_MAX),
                      .step = alm_arena_create(VERIFY_BYTES_MAX)};
    *ret = (alm_verify_result){0};
    alm_code code = ctx.arena == NULL || ctx.step == NULL ? no_memory(st) : run_verify(&ctx, st);
    alm_arena_destroy(&ctx.step);
    alm_arena_destroy(&ctx.arena);
    return code;
}

alm_code lmdb_verify(alm_store *store, void (*problem)(void *arg, alm_str text), void *arg,
                     alm_verify_result *ret, alm_status *st)
{
    lmdb_txn txn;
    ALM_TRY(lmdb_begin_read(lmdb_of(store), &txn, st));
    alm_code code = lmdb_verify_snapshot(lmdb_of(store), &txn, problem, arg, ret, st);
    lmdb_abort(&txn);
    return code;
}
