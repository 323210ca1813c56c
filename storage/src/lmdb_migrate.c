// A store of format 1 into one of this format: what did not change is copied record by record, the
// log and the slices are written anew. The rows of both are added up, so that what comes of a
// damaged store is noticed. Series are folded after opening, as after a load.
#include "chunk.h"
#include "fingerprint.h"
#include "format1.h"
#include "lmdb_file.h"
#include "lmdb_presence.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define WORK_BYTES_MAX    ((size_t)2 << 30)
#define PROGRESS_US       INT64_C(3000000)
#define ROOM_SLACK_BYTES  ((uint64_t)16 << 20)

// Format 1 had the databases before this one.
#define FORMAT1_DBI_COUNT (LMDB_QUARANTINE + 1)

// Rows of one slice, gathered from its chunks of format 1.
typedef struct row_list {
    alm_obs *rows;
    size_t count, cap;
} row_list;

typedef struct migration {
    lmdb_store *store;
    lmdb_file old, made;
    alm_head head;
    alm_precedence precedence;
    alm_arena *work;    // as long as a record, or a slice
    alm_arena *part;    // as long as a variant
    alm_arena *whole;   // as long as the migration
    alm_arena *scratch; // of one call
    alm_buf buf;
    uint64_t log_sum, slice_sum, log_count, slice_count; // of all rows' fingerprints
    lmdb_slice_key slice;                                // being gathered
    bool has_slice;
    row_list winners, others;
    lmdb_touched touched; // of one variant
    uint64_t record_count, done_count;
    int64_t begun_us, told_us;
} migration;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to migrate the store");
}

// --- progress ------------------------------------------------------------------------------------

static int64_t now_us(const migration *m)
{
    return m->store->clock.mono_us(m->store->clock.self);
}

static alm_code count_records(migration *m, alm_status *st)
{
    for (int i = 1; i < FORMAT1_DBI_COUNT; i++) {
        MDB_stat stat;
        int error = mdb_stat(m->old.txn.txn, m->old.dbis[i], &stat);
        if (error != MDB_SUCCESS) {
            return alm_status_from_lmdb(st, error, lmdb_dbi_name((lmdb_dbi)i));
        }
        m->record_count += stat.ms_entries;
    }
    return ALM_OK;
}

static void count_one(migration *m)
{
    m->done_count++;
    if (now_us(m) - m->told_us >= PROGRESS_US) {
        m->told_us = now_us(m);
        alm_log_info(m->store->log, "store.migrating", ALM_KV_U64("records", m->done_count),
                     ALM_KV_U64("of", m->record_count),
                     ALM_KV_U64("percent", m->done_count * 100 / m->record_count),
                     ALM_KV_MS("took_ms", m->told_us - m->begun_us));
    }
}

// --- what stays ----------------------------------------------------------------------------------

static alm_code copy_record(migration *m, const lmdb_scan *scan, alm_status *st)
{
    lmdb_key key = lmdb_key_of_text((alm_str){.data = scan->key.mv_data, .len = scan->key.mv_size});
    if (scan->dbi == LMDB_META &&
        alm_str_eq(alm_str_from("format"),
                   (alm_str){.data = scan->key.mv_data, .len = scan->key.mv_size})) {
        return lmdb_format_put(&m->made.txn, &m->buf, st);
    }
    if (scan->dbi == LMDB_META &&
        alm_str_eq(alm_str_from("head"),
                   (alm_str){.data = scan->key.mv_data, .len = scan->key.mv_size})) {
        return lmdb_head_put(&m->made.txn, &m->head, &m->buf, st);
    }
    alm_buf_reset(&m->buf);
    alm_buf_str(&m->buf, scan->value);
    return lmdb_file_put(&m->made, scan->dbi, &key, &m->buf, MDB_APPEND, st);
}

// --- log -----------------------------------------------------------------------------------------

static void count_row(uint32_t variant, const alm_obs *row, uint64_t *sum, uint64_t *count)
{
    *sum += alm_fingerprint(variant, row);
    (*count)++;
}

static alm_code migrate_commit(migration *m, const lmdb_scan *scan, alm_status *st)
{
    alm_obs *rows;
    size_t count;
    alm_log_record record;
    alm_arena_reset(m->work);
    ALM_TRY(format1_log_decode(scan->value, m->work, &record, st));
    ALM_TRY(format1_rows(record.blocks, ALM_COMMIT_ROW_COUNT_MAX, m->work, &rows, &count, st));
    uint64_t before = m->log_sum;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].variant >= record.variant_count) {
            return alm_status_set(st, ALM_DATA_LOSS, "row %zu is of no variant", i);
        }
        count_row(record.variants[rows[i].variant], &rows[i], &m->log_sum, &m->log_count);
    }
    record.fingerprint = m->log_sum - before;
    alm_buf block;
    alm_buf_init(&block, 0);
    alm_code code = alm_block_encode(rows, count, NULL, m->work, &block, st);
    if (code == ALM_OK) {
        alm_buf_reset(&m->buf);
        alm_log_record_encode(&record, &m->buf);
        size_t at = m->buf.len;
        alm_log_put_block(alm_buf_view(&block), &m->buf);
        record.blocks.len = m->buf.len - at;
    }
    alm_buf_deinit(&block);
    ALM_TRY(code);
    m->head.feed_bytes += alm_log_record_row_bytes(&record);
    lmdb_key key = lmdb_key_of_text((alm_str){.data = scan->key.mv_data, .len = scan->key.mv_size});
    return lmdb_file_put(&m->made, LMDB_LOG, &key, &m->buf, MDB_APPEND, st);
}

// --- slices --------------------------------------------------------------------------------------

static alm_code put_rows(migration *m, lmdb_dbi dbi, const alm_obs *rows, size_t count,
                         alm_status *st)
{
    lmdb_key key = lmdb_key_of_slice(m->slice);
    for (size_t i = 0; i < count; i++) {
        count_row(m->slice.variant, &rows[i], &m->slice_sum, &m->slice_count);
        alm_head_take_day(&m->head, rows[i].published);
    }
    alm_buf_reset(&m->buf);
    ALM_TRY(alm_block_encode(rows, count, NULL, m->work, &m->buf, st));
    return lmdb_file_put(&m->made, dbi, &key, &m->buf, MDB_APPEND, st);
}

// Writes the slice that was gathered, with its winners chosen anew: in format 1 a withdrawal took
// back other sources' figures, too.
static alm_code put_slice(migration *m, alm_status *st)
{
    if (!m->has_slice) {
        return ALM_OK;
    }
    lmdb_touched *touched = &m->touched;
    if (!alm_arena_grow(m->part, (void **)&touched->keys, &touched->cap, touched->count + 1,
                        sizeof *touched->keys)) {
        return no_memory(st);
    }
    touched->keys[touched->count++] = m->slice;
    alm_chunk chunk;
    ALM_TRY(alm_chunk_merge(&(alm_chunk){.winners = m->winners.rows,
                                         .winner_count = m->winners.count,
                                         .others = m->others.rows,
                                         .other_count = m->others.count},
                            NULL, 0, &m->precedence, m->work, &chunk, st));
    m->head.cells += alm_chunk_cells(&chunk);
    ALM_TRY(put_rows(m, LMDB_SLICE, chunk.winners, chunk.winner_count, st));
    if (chunk.other_count > 0) {
        ALM_TRY(put_rows(m, LMDB_VINTAGES, chunk.others, chunk.other_count, st));
    }
    m->winners = (row_list){0};
    m->others = (row_list){0};
    m->has_slice = false;
    alm_arena_reset(m->work);
    return ALM_OK;
}

// Notes the variant's slices as not yet folded.
static alm_code put_parts(migration *m, alm_status *st)
{
    size_t most;
    if (m->touched.count == 0) {
        return ALM_OK;
    }
    ALM_TRY(lmdb_presence_rebuild(&m->made.txn, m->touched.keys[0].variant, st));
    ALM_TRY(lmdb_parts_touch(&m->made.txn, &m->touched, m->head.sequence, m->scratch, &most, st));
    m->touched = (lmdb_touched){0};
    alm_arena_reset(m->part);
    return ALM_OK;
}

static alm_code gather(migration *m, alm_str bytes, row_list *list, alm_status *st)
{
    alm_obs *rows;
    size_t count;
    ALM_TRY(format1_rows(bytes, ALM_CHUNK_ROW_COUNT_MAX, m->work, &rows, &count, st));
    if (!alm_arena_grow(m->work, (void **)&list->rows, &list->cap, list->count + count,
                        sizeof *list->rows)) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        ALM_TRY(alm_precedence_require(&m->precedence, &rows[i], st));
        list->rows[list->count++] = rows[i];
    }
    return ALM_OK;
}

static alm_code migrate_slice(migration *m, const lmdb_scan *scan, alm_status *st)
{
    bool found;
    alm_str others;
    lmdb_slice_key slice;
    if (!lmdb_slice_key_from(scan->key, &slice)) {
        return alm_status_set(st, ALM_DATA_LOSS, "a slice's key is damaged");
    }
    lmdb_key key = lmdb_key_of_slice(slice);
    slice.chunk >>= LMDB_CHUNK_BITS - FORMAT1_CHUNK_BITS;
    bool is_same_variant = m->slice.variant == slice.variant;
    if (!is_same_variant || m->slice.period != slice.period || m->slice.chunk != slice.chunk) {
        ALM_TRY(put_slice(m, st));
    }
    if (!is_same_variant) {
        ALM_TRY(put_parts(m, st));
    }
    m->slice = slice;
    m->has_slice = true;
    ALM_TRY(gather(m, scan->value, &m->winners, st));
    ALM_TRY(lmdb_get(&m->old.txn, LMDB_VINTAGES, &key, &found, &others, st));
    return found ? gather(m, others, &m->others, st) : ALM_OK;
}

// --- the whole -----------------------------------------------------------------------------------

typedef alm_code (*migrate_record)(migration *m, const lmdb_scan *scan, alm_status *st);

static alm_code each_record(migration *m, lmdb_dbi dbi, migrate_record migrate, alm_status *st)
{
    lmdb_scan scan;
    ALM_TRY(lmdb_scan_open(&m->old.txn, dbi, &scan, st));
    alm_code code = lmdb_scan_seek(&scan, NULL, st);
    while (code == ALM_OK && scan.found) {
        code = migrate(m, &scan, st);
        count_one(m);
        if (code != ALM_OK) {
            char label[LMDB_LABEL_MAX];
            lmdb_label(dbi, scan.key, label);
            code = st != NULL ? alm_status_prefix(st, "record %s", label) : code;
        } else {
            code = lmdb_scan_next(&scan, st);
        }
    }
    lmdb_scan_close(&scan);
    return code;
}

static alm_code check_sums(const migration *m, alm_status *st)
{
    if (m->log_sum != m->slice_sum || m->log_count != m->slice_count ||
        m->log_count != m->head.observations) {
        return alm_status_set(st, ALM_DATA_LOSS,
                              "the store of format 1 is damaged: its log has %llu rows, its slices "
                              "%llu, and there were %llu, or they are not the same",
                              (unsigned long long)m->log_count, (unsigned long long)m->slice_count,
                              (unsigned long long)m->head.observations);
    }
    return ALM_OK;
}

static alm_code migrate_all(migration *m, alm_status *st)
{
    static const lmdb_dbi same[] = {LMDB_META,       LMDB_BATCH, LMDB_VARIANT, LMDB_VARIANT_ID,
                                    LMDB_VARIANT_OF, LMDB_ENTRY, LMDB_CODE,    LMDB_QUARANTINE};
    alm_str head;
    lmdb_key key = lmdb_key_of_text(ALM_STR("head"));
    ALM_TRY(lmdb_require(&m->old.txn, LMDB_META, &key, &head, st));
    ALM_TRY(format1_head_decode(head, &m->head, st));
    ALM_TRY(count_records(m, st));
    for (size_t i = 0; i < ALM_ARRAY_LEN(same); i++) {
        ALM_TRY(each_record(m, same[i], copy_record, st));
    }
    ALM_TRY(each_record(m, LMDB_LOG, migrate_commit, st));
    alm_arena_reset(m->work);
    m->head.cells = 0;
    ALM_TRY(lmdb_precedence_get(&m->made.txn, m->whole, &m->precedence, st));
    ALM_TRY(each_record(m, LMDB_SLICE, migrate_slice, st));
    ALM_TRY(put_slice(m, st));
    ALM_TRY(put_parts(m, st));
    ALM_TRY(lmdb_head_put(&m->made.txn, &m->head, &m->buf, st)); // with the log's bytes
    return check_sums(m, st);
}

// --- files ---------------------------------------------------------------------------------------

// The file's format; 0: none that can be read, which opening will say more about.
static uint32_t version_of(const char *path, size_t map_bytes)
{
    lmdb_file file;
    struct stat info;
    alm_str writer;
    uint32_t version = 0;
    if (stat(path, &info) != 0 || info.st_size == 0 ||
        lmdb_file_open(path, map_bytes, LMDB_META + 1, &file, NULL) != ALM_OK) {
        return 0;
    }
    alm_code code = lmdb_format_get(&file.txn, &version, &writer, NULL);
    lmdb_file_close(&file);
    return code == ALM_OK ? version : 0;
}

// Room for the new file, and for the series that are folded into it when it is open.
static alm_code check_room(const migration *m, const char *dir, alm_status *st)
{
    struct statvfs info;
    if (statvfs(dir, &info) != 0) {
        return lmdb_file_failed(st, errno, dir);
    }
    uint64_t old_bytes = lmdb_file_bytes(&m->old);
    uint64_t want = old_bytes + old_bytes / 2 + ROOM_SLACK_BYTES;
    uint64_t have = (uint64_t)info.f_bavail * info.f_frsize;
    if (have < want) {
        return alm_status_set(
            st, ALM_RESOURCE_EXHAUSTED,
            "%s: migrating the store from format 1 takes up to %llu MiB more, and "
            "%llu MiB are free; the store is as it was",
            dir, (unsigned long long)(want >> 20), (unsigned long long)(have >> 20));
    }
    return ALM_OK;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

// Nothing may stand where the old file is to stay, but itself: from a migration that was ended
// between its last two steps.
static alm_code check_kept(const char *path, const char *kept, alm_status *st)
{
    struct stat old, there;
    if (stat(path, &old) != 0) {
        return lmdb_file_failed(st, errno, path);
    }
    if (stat(kept, &there) != 0) {
        return errno == ENOENT ? ALM_OK : lmdb_file_failed(st, errno, kept);
    }
    return is_same_file(&old, &there)
               ? ALM_OK
               : alm_status_set(st, ALM_FAILED_PRECONDITION,
                                "%s is there from an earlier migration, and would be overwritten: "
                                "move it away",
                                kept);
}

// At every moment one of the two is data.mdb.
static alm_code put_in_place(const char *dir, const char *path, const char *made, const char *kept,
                             alm_status *st)
{
    if (link(path, kept) != 0 && errno != EEXIST) {
        return lmdb_file_failed(st, errno, kept);
    }
    if (rename(made, path) != 0) {
        return lmdb_file_failed(st, errno, path);
    }
    return lmdb_dir_sync(dir, st);
}

static alm_code run(migration *m, const char *made, alm_status *st)
{
    m->work = alm_arena_create(WORK_BYTES_MAX);
    m->part = alm_arena_create(WORK_BYTES_MAX);
    m->whole = alm_arena_create(WORK_BYTES_MAX);
    m->scratch = alm_arena_create(WORK_BYTES_MAX);
    alm_buf_init(&m->buf, 0);
    alm_code code = m->work == NULL || m->part == NULL || m->whole == NULL || m->scratch == NULL
                        ? no_memory(st)
                        : lmdb_file_make(made, lmdb_map_bytes(m->store->map_bytes), &m->made, st);
    if (code == ALM_OK) {
        code = migrate_all(m, st);
    }
    if (code == ALM_OK) {
        code = lmdb_file_finish(&m->made, st);
    }
    lmdb_file_close(&m->made);
    alm_buf_deinit(&m->buf);
    alm_arena_destroy(&m->scratch);
    alm_arena_destroy(&m->whole);
    alm_arena_destroy(&m->part);
    alm_arena_destroy(&m->work);
    return code;
}

static alm_code migrate_file(migration *m, const char *dir, const char *path, alm_status *st)
{
    char made[LMDB_PATH_BYTES_MAX];
    char kept[LMDB_PATH_BYTES_MAX];
    snprintf(made, sizeof made, "%s/" LMDB_DATA_NAME ".new", dir);
    snprintf(kept, sizeof kept, "%s/" LMDB_DATA_NAME ".format1", dir);
    ALM_TRY(check_kept(path, kept, st));
    (void)unlink(made); // of an earlier one that did not end
    ALM_TRY(check_room(m, dir, st));
    m->begun_us = m->told_us = now_us(m);
    alm_log_info(m->store->log, "store.migrating", ALM_KV_U64("from_format", FORMAT1_VERSION),
                 ALM_KV_U64("to_format", LMDB_FORMAT_VERSION),
                 ALM_KV_U64("bytes", lmdb_file_bytes(&m->old)));
    alm_code code = run(m, made, st);
    if (code == ALM_OK) {
        code = put_in_place(dir, path, made, kept, st);
    }
    if (code != ALM_OK) {
        (void)unlink(made);
        return code;
    }
    alm_log_info(m->store->log, "store.migrated", ALM_KV_U64("sequence", m->head.sequence),
                 ALM_KV_U64("observations", m->head.observations), ALM_KV_CSTR("kept", kept),
                 ALM_KV_MS("took_ms", now_us(m) - m->begun_us));
    return ALM_OK;
}

alm_code lmdb_migrate(lmdb_store *store, const char *dir, alm_status *st)
{
    char path[LMDB_PATH_BYTES_MAX];
    snprintf(path, sizeof path, "%s/" LMDB_DATA_NAME, dir);
    if (version_of(path, lmdb_map_bytes(store->map_bytes)) != FORMAT1_VERSION) {
        return ALM_OK;
    }
    migration m = {.store = store};
    ALM_TRY(lmdb_file_open(path, lmdb_map_bytes(store->map_bytes), FORMAT1_DBI_COUNT, &m.old, st));
    alm_code code = migrate_file(&m, dir, path, st);
    lmdb_file_close(&m.old);
    return code == ALM_OK ? lmdb_dir_check(store, dir, st) : code; // another file is there now
}
