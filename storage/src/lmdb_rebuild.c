// Rebuild: a new file from what is undamaged in the old one, which stays.
#include "lmdb_rebuild.h"
#include "lmdb_presence.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define REBUILD_BYTES_MAX ((size_t)4 << 30)

alm_code rebuild_no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to rebuild the store");
}

void rebuild_report(lmdb_rebuild *r, const char *fmt, ...)
{
    char text[ALM_STATUS_MESSAGE_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (r->problem != NULL) {
        r->problem(r->problem_arg, alm_str_from(text));
    }
}

alm_code rebuild_each(lmdb_rebuild *r, lmdb_dbi dbi, rebuild_take take, alm_status *st)
{
    lmdb_scan scan;
    if (!r->readable[dbi]) {
        return ALM_OK;
    }
    *r->reading = (int)dbi;
    ALM_TRY(lmdb_scan_open(&r->old.txn, dbi, &scan, st));
    alm_status why = ALM_STATUS_INIT;
    alm_code code = lmdb_scan_seek(&scan, NULL, &why);
    while (scan.found || code == ALM_DATA_LOSS) {
        if (code == ALM_OK) {
            alm_arena_reset(r->step);
            code = take(r, &scan, &why);
        }
        if (code == ALM_DATA_LOSS && !r->was_read[dbi]) {
            r->result->damaged++;
            rebuild_report(r, "%s: %s", lmdb_dbi_name(dbi), why.message);
        } else if (code != ALM_OK && code != ALM_DATA_LOSS) {
            break;
        }
        if (!scan.found) {
            code = ALM_OK; // the tree itself cannot be read on
            break;
        }
        code = lmdb_scan_next(&scan, &why);
    }
    lmdb_scan_close(&scan);
    r->was_read[dbi] = true;
    return code == ALM_OK ? ALM_OK : alm_status_copy(st, &why);
}

// --- what can be read ----------------------------------------------------------------------------

typedef struct probe {
    const char *path;
    size_t map_bytes;
    lmdb_dbi dbi;
} probe;

// LMDB would print what it stumbled on, and then abort.
static void die_quietly(MDB_env *env, const char *text)
{
    (void)env;
    (void)text;
    abort();
}

static alm_code run_probe(void *arg, alm_problem problem, void *problem_arg, alm_verify_result *ret,
                          alm_status *st)
{
    lmdb_file file;
    lmdb_scan scan;
    const probe *p = arg;
    (void)problem;
    (void)problem_arg;
    *ret = (alm_verify_result){0};
    ALM_TRY(lmdb_file_open(p->path, p->map_bytes, LMDB_DBI_COUNT, &file, st));
    (void)mdb_env_set_assert(file.env, die_quietly);
    alm_code code = lmdb_scan_open(&file.txn, p->dbi, &scan, st);
    if (code == ALM_OK) {
        code = lmdb_scan_seek(&scan, NULL, st);
        while (scan.found) {
            code = lmdb_scan_next(&scan, st);
        }
        lmdb_scan_close(&scan);
    }
    lmdb_file_close(&file);
    return code == ALM_DATA_LOSS ? ALM_OK : code; // damaged records are met again
}

static alm_code run_format(void *arg, alm_problem problem, void *problem_arg,
                           alm_verify_result *ret, alm_status *st)
{
    lmdb_file file;
    const probe *p = arg;
    (void)problem;
    (void)problem_arg;
    *ret = (alm_verify_result){0};
    ALM_TRY(lmdb_file_open(p->path, p->map_bytes, LMDB_META + 1, &file, st));
    uint32_t version;
    alm_str writer;
    alm_code code = lmdb_format_get(&file.txn, &version, &writer, st);
    if (code == ALM_OK && !lmdb_format_can_rebuild(version)) {
        code = lmdb_format_check(&file.txn, st);
    }
    lmdb_file_close(&file);
    return code;
}

// A damaged stamp is no hindrance, another format is.
static alm_code check_format(const char *path, size_t map_bytes, alm_status *st)
{
    alm_status why = ALM_STATUS_INIT;
    alm_verify_result result;
    probe p = {.path = path, .map_bytes = map_bytes};
    alm_apart apart = {.arg = &p, .check = run_format};
    alm_code code = alm_apart_run(&apart, NULL, NULL, &result, &why);
    return code == ALM_OK || code == ALM_DATA_LOSS ? ALM_OK : alm_status_copy(st, &why);
}

// Tries each database in a child: what ends the process there is left out.
static alm_code probe_all(lmdb_rebuild *r, const char *path, size_t map_bytes, alm_status *st)
{
    bool any = false;
    ALM_TRY(check_format(path, map_bytes, st));
    for (int i = 1; i < LMDB_DBI_COUNT; i++) {
        alm_verify_result result;
        probe p = {.path = path, .map_bytes = map_bytes, .dbi = (lmdb_dbi)i};
        alm_apart apart = {.arg = &p, .check = run_probe};
        ALM_TRY(alm_apart_run(&apart, NULL, NULL, &result, st));
        r->readable[i] = result.problems == 0;
        any = any || r->readable[i];
        if (!r->readable[i]) {
            r->result->damaged++;
            rebuild_report(r, "%s: its pages are damaged, none of it is used",
                           lmdb_dbi_name((lmdb_dbi)i));
        }
    }
    return any ? ALM_OK
               : alm_status_set(st, ALM_DATA_LOSS,
                                "%s: nothing of it can be read: restore a backup", path);
}

static lmdb_key key_of(const lmdb_scan *scan)
{
    return lmdb_key_of_text((alm_str){.data = scan->key.mv_data, .len = scan->key.mv_size});
}

static alm_code copy_record(lmdb_rebuild *r, const lmdb_scan *scan, alm_status *st)
{
    lmdb_key key = key_of(scan);
    alm_buf_reset(&r->buf);
    alm_buf_str(&r->buf, scan->value);
    return lmdb_file_put(&r->made, scan->dbi, &key, &r->buf, MDB_APPEND, st);
}

// --- catalogue -----------------------------------------------------------------------------------

static uint64_t *entry_count(lmdb_rebuild *r, alm_entry_kind kind)
{
    return kind == ALM_ENTRY_INDICATOR ? &r->head.indicators
           : kind == ALM_ENTRY_PLACE   ? &r->head.places
                                       : &r->head.sources;
}

static alm_code lost_entry(alm_entry_kind kind, uint64_t id, alm_status *st)
{
    return alm_status_set(st, ALM_FAILED_PRECONDITION,
                          "the catalogue's %s %llu is damaged, and stands nowhere else: restore a "
                          "backup",
                          alm_entry_kind_word(kind), (unsigned long long)id);
}

static alm_code note_source(lmdb_rebuild *r, const alm_source *source, alm_status *st)
{
    int32_t *of = alm_arena_calloc(r->keep, r->precedence.count + 1, sizeof *of);
    if (of == NULL) {
        return rebuild_no_memory(st);
    }
    if (r->precedence.count > 0) {
        memcpy(of, r->precedence.of, r->precedence.count * sizeof *of);
    }
    of[r->precedence.count] = source->precedence;
    r->precedence = (alm_precedence){.of = of, .count = r->precedence.count + 1};
    return ALM_OK;
}

static alm_code take_entry(lmdb_rebuild *r, const lmdb_scan *scan, alm_status *st)
{
    alm_entry entry;
    const uint8_t *key = scan->key.mv_data;
    if (scan->key.mv_size != 5 || key[0] < ALM_ENTRY_INDICATOR || key[0] > ALM_ENTRY_SOURCE) {
        return alm_status_set(st, ALM_DATA_LOSS, "an entry's key is damaged");
    }
    alm_entry_kind kind = (alm_entry_kind)key[0];
    uint32_t id = (uint32_t)key[1] << 24 | (uint32_t)key[2] << 16 | (uint32_t)key[3] << 8 | key[4];
    uint64_t *count = entry_count(r, kind);
    ALM_TRY(alm_entry_decode(scan->value, kind, r->step, &entry, st));
    if (id != *count) {
        return lost_entry(kind, *count, st);
    }
    (*count)++;
    if (kind == ALM_ENTRY_SOURCE) {
        ALM_TRY(note_source(r, &entry.source, st));
    }
    lmdb_key by_code = lmdb_key_of_kind_code(kind, alm_entry_code(&entry));
    ALM_TRY(lmdb_put_u32(&r->made.txn, LMDB_CODE, &by_code, id, st));
    return copy_record(r, scan, st);
}

// The last ones of a kind leave no gap behind: their codes, and the head, tell of them.
static alm_code take_code(lmdb_rebuild *r, const lmdb_scan *scan, alm_status *st)
{
    bool found;
    uint32_t id;
    lmdb_key key = key_of(scan);
    if (key.len < 2 || key.bytes[0] < ALM_ENTRY_INDICATOR || key.bytes[0] > ALM_ENTRY_SOURCE) {
        return alm_status_set(st, ALM_DATA_LOSS, "a code's key is damaged");
    }
    alm_entry_kind kind = (alm_entry_kind)key.bytes[0];
    ALM_TRY(lmdb_get_u32(&r->old.txn, LMDB_CODE, &key, &found, &id, st));
    return id < *entry_count(r, kind) ? ALM_OK : lost_entry(kind, id, st);
}

static alm_code make_catalog(lmdb_rebuild *r, const alm_head *was, alm_status *st)
{
    if (!r->readable[LMDB_ENTRY]) {
        return lost_entry(ALM_ENTRY_INDICATOR, 0, st);
    }
    ALM_TRY(rebuild_each(r, LMDB_ENTRY, take_entry, st));
    ALM_TRY(rebuild_each(r, LMDB_CODE, take_code, st));
    for (alm_entry_kind kind = ALM_ENTRY_INDICATOR; kind <= ALM_ENTRY_SOURCE; kind++) {
        uint64_t said = kind == ALM_ENTRY_INDICATOR ? was->indicators
                        : kind == ALM_ENTRY_PLACE   ? was->places
                                                    : was->sources;
        if (*entry_count(r, kind) < said) {
            return lost_entry(kind, *entry_count(r, kind), st);
        }
    }
    return ALM_OK;
}

// --- variants ------------------------------------------------------------------------------------

static alm_code note_variant(lmdb_rebuild *r, uint32_t id, alm_str text, alm_status *st)
{
    alm_variant variant;
    ALM_TRY(alm_variant_decode(text, &variant, NULL) == ALM_OK
                ? ALM_OK
                : alm_status_set(st, ALM_DATA_LOSS, "a variant's text is damaged"));
    size_t count = ALM_MAX(r->variant_count, (size_t)id + 1);
    if (id > ALM_PLACE_COUNT_MAX) {
        return alm_status_set(st, ALM_DATA_LOSS, "a variant's id is damaged");
    }
    if (!alm_arena_grow(r->keep, (void **)&r->variants, &r->variant_cap, count,
                        sizeof *r->variants)) {
        return rebuild_no_memory(st);
    }
    for (; r->variant_count < count; r->variant_count++) {
        r->variants[r->variant_count] = (alm_str){0};
    }
    char *copy = alm_arena_strdup(r->keep, text);
    r->variants[id] = (alm_str){.data = copy, .len = copy != NULL ? text.len : 0};
    return copy != NULL ? ALM_OK : rebuild_no_memory(st);
}

static alm_code take_variant(lmdb_rebuild *r, const lmdb_scan *scan, alm_status *st)
{
    const uint8_t *key = scan->key.mv_data;
    if (scan->key.mv_size != 4) {
        return alm_status_set(st, ALM_DATA_LOSS, "a variant's key is damaged");
    }
    uint32_t id = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
    return note_variant(r, id, scan->value, st);
}

static alm_code take_variant_id(lmdb_rebuild *r, const lmdb_scan *scan, alm_status *st)
{
    bool found;
    uint32_t id;
    lmdb_key key = key_of(scan);
    ALM_TRY(lmdb_get_u32(&r->old.txn, LMDB_VARIANT_ID, &key, &found, &id, st));
    return note_variant(r, id, (alm_str){.data = scan->key.mv_data, .len = scan->key.mv_size}, st);
}

static alm_code put_variants(lmdb_rebuild *r, alm_status *st)
{
    for (uint32_t id = 0; id < r->variant_count; id++) {
        alm_variant variant;
        alm_str text = r->variants[id];
        if (text.len == 0) {
            return alm_status_set(st, ALM_FAILED_PRECONDITION,
                                  "the text of variant %u is damaged, and stands nowhere else: "
                                  "restore a backup",
                                  id);
        }
        ALM_TRY(alm_variant_decode(text, &variant, st));
        lmdb_key by_id = lmdb_key_of_u32(id);
        lmdb_key by_text = lmdb_key_of_text(text);
        lmdb_key by_indicator = lmdb_key_of_variant_of(variant.indicator, id);
        ALM_TRY(lmdb_put_u32(&r->made.txn, LMDB_VARIANT_ID, &by_text, id, st));
        alm_buf_reset(&r->buf);
        ALM_TRY(lmdb_file_put(&r->made, LMDB_VARIANT_OF, &by_indicator, &r->buf, 0, st));
        alm_buf_str(&r->buf, text);
        ALM_TRY(lmdb_file_put(&r->made, LMDB_VARIANT, &by_id, &r->buf, 0, st));
    }
    r->head.variants = r->variant_count;
    return ALM_OK;
}

// --- log -----------------------------------------------------------------------------------------

static alm_code decode_log(lmdb_rebuild *r, const lmdb_scan *scan, uint64_t *ret_sequence,
                           alm_log_record *ret, alm_status *st)
{
    if (!lmdb_u64_from_key(scan->key, ret_sequence) || *ret_sequence == 0 ||
        *ret_sequence > r->head.sequence) {
        return alm_status_set(st, ALM_DATA_LOSS, "a commit's key is damaged");
    }
    ALM_TRY(alm_log_record_decode(scan->value, r->step, ret, st));
    for (size_t i = 0; i < ret->variant_count; i++) {
        if (ret->variants[i] >= r->variant_count) {
            return alm_status_set(st, ALM_DATA_LOSS, "commit %llu is of an unknown variant",
                                  (unsigned long long)*ret_sequence);
        }
    }
    return ALM_OK;
}

static alm_code take_log(lmdb_rebuild *r, const lmdb_scan *scan, alm_status *st)
{
    uint64_t sequence;
    alm_log_record record;
    ALM_TRY(decode_log(r, scan, &sequence, &record, st));
    r->commits[sequence] = (rebuild_commit){.has_log = true,
                                            .has_rows = record.has_rows,
                                            .log_sum = record.fingerprint,
                                            .log_count = record.added + record.revised};
    if (record.catalog_changed) {
        r->head.catalog_sequence = ALM_MAX(r->head.catalog_sequence, sequence);
    }
    return ALM_OK;
}

static bool is_whole(const rebuild_commit *commit)
{
    return commit->has_log && commit->sum == commit->log_sum && commit->count == commit->log_count;
}

static alm_code complete_commit(lmdb_rebuild *r, const lmdb_scan *scan, alm_status *st)
{
    uint64_t sequence;
    alm_log_record record;
    ALM_TRY(decode_log(r, scan, &sequence, &record, st));
    if (is_whole(&r->commits[sequence]) || !record.has_rows) {
        return ALM_OK;
    }
    alm_arena_reset(r->part);
    uint32_t *variants = alm_arena_calloc(r->part, record.variant_count, sizeof *variants);
    if (variants == NULL) {
        return rebuild_no_memory(st);
    }
    if (record.variant_count > 0) {
        memcpy(variants, record.variants, record.variant_count * sizeof *variants);
    }
    record.variants = variants;
    return rebuild_from_log(r, &record, st);
}

// What a commit's record says where some of its rows are lost, or itself is.
static alm_code put_log_again(lmdb_rebuild *r, uint64_t sequence, alm_log_record *record,
                              alm_status *st)
{
    const rebuild_commit *commit = &r->commits[sequence];
    lmdb_key key = lmdb_key_of_u64(sequence);
    record->added = ALM_MIN(record->added, commit->count);
    record->revised = commit->count - record->added;
    record->fingerprint = commit->sum;
    record->has_rows = false;
    alm_buf_reset(&r->buf);
    alm_log_record_encode(record, &r->buf);
    return lmdb_file_put(&r->made, LMDB_LOG, &key, &r->buf, MDB_APPEND, st);
}

static alm_code put_lossy(lmdb_rebuild *r, uint64_t sequence, alm_log_record *record,
                          alm_status *st)
{
    const rebuild_commit *commit = &r->commits[sequence];
    uint64_t lost = commit->log_count - ALM_MIN(commit->log_count, commit->count);
    r->result->lost += lost;
    rebuild_report(r, "commit %llu (batch %.*s): %llu of its %llu rows are lost",
                   (unsigned long long)sequence, ALM_STR_ARGS(record->batch_id),
                   (unsigned long long)lost, (unsigned long long)commit->log_count);
    return put_log_again(r, sequence, record, st);
}

static alm_code put_unknown(lmdb_rebuild *r, uint64_t sequence, alm_status *st)
{
    const rebuild_commit *commit = &r->commits[sequence];
    alm_str id = commit->batch_id.len > 0 ? commit->batch_id : ALM_STR("rebuilt");
    alm_log_record record = {.batch_id = id, .added = commit->count};
    rebuild_report(r,
                   "commit %llu: its record was damaged; when it was, and which values were new, "
                   "is not known, and %llu rows of it are there",
                   (unsigned long long)sequence, (unsigned long long)commit->count);
    return put_log_again(r, sequence, &record, st);
}

static alm_code put_commit(lmdb_rebuild *r, uint64_t sequence, alm_status *st)
{
    bool found = false;
    alm_str bytes;
    alm_log_record record;
    lmdb_key key = lmdb_key_of_u64(sequence);
    if (!r->commits[sequence].has_log) {
        return put_unknown(r, sequence, st);
    }
    *r->reading = LMDB_LOG;
    alm_arena_reset(r->step);
    ALM_TRY(lmdb_get(&r->old.txn, LMDB_LOG, &key, &found, &bytes, st));
    ALM_TRY(alm_log_record_decode(bytes, r->step, &record, st));
    if (!is_whole(&r->commits[sequence])) {
        return put_lossy(r, sequence, &record, st);
    }
    r->head.feed_bytes += alm_log_record_row_bytes(&record);
    alm_buf_reset(&r->buf);
    alm_buf_str(&r->buf, bytes);
    return lmdb_file_put(&r->made, LMDB_LOG, &key, &r->buf, MDB_APPEND, st);
}

static alm_code put_log(lmdb_rebuild *r, alm_status *st)
{
    bool is_trimmed = true; // so far
    for (uint64_t i = 1; i <= r->head.sequence; i++) {
        const rebuild_commit *commit = &r->commits[i];
        is_trimmed = is_trimmed && !(is_whole(commit) && commit->has_rows);
        r->head.feed_trimmed = is_trimmed ? i : r->head.feed_trimmed;
        ALM_TRY(put_commit(r, i, st));
    }
    return ALM_OK;
}

static alm_code put_presences(lmdb_rebuild *r, alm_status *st)
{
    for (uint32_t variant = 0; variant < r->variant_count; variant++) {
        ALM_TRY(lmdb_presence_rebuild(&r->made.txn, variant, st));
    }
    return ALM_OK;
}

// --- the rest ------------------------------------------------------------------------------------

static alm_code take_batch(lmdb_rebuild *r, const lmdb_scan *scan, alm_status *st)
{
    alm_batch_record record;
    ALM_TRY(alm_batch_record_decode(scan->value, r->step, &record, st));
    uint64_t sequence = record.result.sequence;
    if (sequence > 0 && sequence <= r->head.sequence && !r->commits[sequence].has_log) {
        alm_str id = {.data = scan->key.mv_data, .len = scan->key.mv_size};
        char *copy = alm_arena_strdup(r->keep, id);
        r->commits[sequence].batch_id = (alm_str){.data = copy, .len = copy != NULL ? id.len : 0};
    }
    return sequence <= r->head.sequence ? copy_record(r, scan, st) : ALM_OK;
}

static alm_code take_quarantined(lmdb_rebuild *r, const lmdb_scan *scan, alm_status *st)
{
    lmdb_key key = lmdb_key_of_u64(r->head.quarantined++);
    alm_buf_reset(&r->buf);
    alm_buf_str(&r->buf, scan->value);
    return lmdb_file_put(&r->made, LMDB_QUARANTINE, &key, &r->buf, MDB_APPEND, st);
}

static alm_code put_meta(lmdb_rebuild *r, alm_status *st)
{
    lmdb_key key = lmdb_key_of_text(ALM_STR("precedence"));
    ALM_TRY(lmdb_format_put(&r->made.txn, &r->buf, st));
    ALM_TRY(lmdb_head_put(&r->made.txn, &r->head, &r->buf, st));
    alm_buf_reset(&r->buf);
    alm_buf_varint(&r->buf, r->precedence.count);
    for (size_t i = 0; i < r->precedence.count; i++) {
        alm_buf_svarint(&r->buf, r->precedence.of[i]);
    }
    return lmdb_file_put(&r->made, LMDB_META, &key, &r->buf, 0, st);
}

// The newest commit, by the head or the log.
static alm_code find_sequence(lmdb_rebuild *r, const alm_head *was, alm_status *st)
{
    lmdb_scan scan;
    uint64_t last = 0;
    lmdb_key end = lmdb_key_of_u64(UINT64_MAX);
    if (r->readable[LMDB_LOG]) {
        ALM_TRY(lmdb_scan_open(&r->old.txn, LMDB_LOG, &scan, st));
        alm_code code = lmdb_scan_seek_last(&scan, &end, NULL);
        bool is_there = (code == ALM_OK || code == ALM_DATA_LOSS) && scan.found;
        if (is_there && !lmdb_u64_from_key(scan.key, &last)) {
            last = 0;
        }
        lmdb_scan_close(&scan);
    }
    r->head.sequence = was->sequence > 0 ? was->sequence : last;
    r->commits = alm_arena_calloc(r->keep, r->head.sequence + 1, sizeof *r->commits);
    return r->commits != NULL ? ALM_OK : rebuild_no_memory(st);
}

static alm_code make_all(lmdb_rebuild *r, alm_status *st)
{
    alm_head was = {0};
    alm_status why = ALM_STATUS_INIT;
    bool has_head = r->readable[LMDB_META] && lmdb_head_get(&r->old.txn, &was, &why) == ALM_OK;
    if (!has_head) {
        was = (alm_head){0};
        r->result->damaged++;
        rebuild_report(r, "the store's head is damaged: everything is counted again");
    }
    ALM_TRY(find_sequence(r, &was, st));
    ALM_TRY(make_catalog(r, &was, st));
    ALM_TRY(rebuild_each(r, LMDB_VARIANT, take_variant, st));
    ALM_TRY(rebuild_each(r, LMDB_VARIANT_ID, take_variant_id, st));
    ALM_TRY(put_variants(r, st));
    ALM_TRY(rebuild_each(r, LMDB_LOG, take_log, st));
    ALM_TRY(rebuild_parts(r, st));
    ALM_TRY(rebuild_each(r, LMDB_LOG, complete_commit, st));
    ALM_TRY(rebuild_each(r, LMDB_BATCH, take_batch, st));
    ALM_TRY(put_log(r, st));
    ALM_TRY(put_presences(r, st));
    ALM_TRY(rebuild_each(r, LMDB_QUARANTINE, take_quarantined, st));
    r->head.catalog_sequence = has_head ? was.catalog_sequence : r->head.catalog_sequence;
    r->head.precedence_epoch = has_head ? was.precedence_epoch : r->head.sequence;
    ALM_TRY(put_meta(r, st));
    r->result->observations = r->head.observations;
    r->result->cells = r->head.cells;
    return ALM_OK;
}

// --- files ---------------------------------------------------------------------------------------

static alm_code make_file(lmdb_rebuild *r, const char *path, const char *made, size_t map_bytes,
                          alm_status *st)
{
    ALM_TRY(lmdb_file_open(path, map_bytes, LMDB_DBI_COUNT, &r->old, st));
    alm_code code = lmdb_file_make(made, map_bytes, &r->made, st);
    if (code == ALM_OK) {
        code = make_all(r, st);
    }
    if (code == ALM_OK) {
        code = lmdb_file_finish(&r->made, st);
    }
    lmdb_file_close(&r->made);
    lmdb_file_close(&r->old);
    return code;
}

static void tell_rebuilt(void *arg, alm_str text)
{
    rebuild_report(arg, "what was made is damaged: %.*s", ALM_STR_ARGS(text));
}

// Nothing is put in place that does not agree with itself.
static alm_code check_made(lmdb_rebuild *r, const char *made, size_t map_bytes, alm_status *st)
{
    lmdb_file file;
    alm_verify_result result;
    ALM_TRY(lmdb_file_open(made, map_bytes, LMDB_DBI_COUNT, &file, st));
    alm_code code = lmdb_verify_snapshot(NULL, &file.txn, tell_rebuilt, r, &result, st);
    lmdb_file_close(&file);
    if (code == ALM_OK && result.problems > 0) {
        code =
            alm_status_set(st, ALM_DATA_LOSS, "the store could not be rebuilt: restore a backup");
    }
    return code;
}

static alm_code put_in_place(const char *dir, const char *path, const char *made, alm_status *st)
{
    char kept[LMDB_PATH_BYTES_MAX];
    snprintf(kept, sizeof kept, "%s/" LMDB_DATA_NAME ".damaged", dir);
    if (link(path, kept) != 0) {
        return errno == EEXIST ? alm_status_set(st, ALM_FAILED_PRECONDITION,
                                                "%s is there from an earlier rebuild, and would be "
                                                "overwritten: move it away",
                                                kept)
                               : lmdb_file_failed(st, errno, kept);
    }
    if (rename(made, path) != 0) {
        return lmdb_file_failed(st, errno, path);
    }
    return lmdb_dir_sync(dir, st);
}

typedef struct job {
    lmdb_rebuild *r;
    const char *dir, *path, *made;
    size_t map_bytes;
} job;

// Commits that are in no record of the file leave no trace but that they were acknowledged.
static void tell_acknowledged(lmdb_rebuild *r, const char *dir)
{
    alm_status why = ALM_STATUS_INIT;
    if (lmdb_dir_verify_sequence(dir, r->head.sequence, &why) != ALM_OK) {
        rebuild_report(r, "%s", why.message);
    }
}

static alm_code run_job(void *arg, alm_problem problem, void *problem_arg, alm_verify_result *ret,
                        alm_status *st)
{
    const job *j = arg;
    lmdb_rebuild *r = j->r;
    *ret = (alm_verify_result){0};
    r->problem = problem;
    r->problem_arg = problem_arg;
    r->keep = alm_arena_create(REBUILD_BYTES_MAX);
    r->part = alm_arena_create(REBUILD_BYTES_MAX);
    r->step = alm_arena_create(REBUILD_BYTES_MAX);
    alm_buf_init(&r->buf, SIZE_MAX);
    alm_buf_init(&r->others, SIZE_MAX);
    alm_code code = r->keep == NULL || r->part == NULL || r->step == NULL
                        ? rebuild_no_memory(st)
                        : make_file(r, j->path, j->made, j->map_bytes, st);
    *r->reading = 0;
    if (code == ALM_OK) {
        code = check_made(r, j->made, j->map_bytes, st);
    }
    if (code == ALM_OK) {
        tell_acknowledged(r, j->dir);
    }
    alm_buf_deinit(&r->others);
    alm_buf_deinit(&r->buf);
    alm_arena_destroy(&r->step);
    alm_arena_destroy(&r->part);
    alm_arena_destroy(&r->keep);
    return code;
}

// In a child, since a key that is looked for can lead to a page that a scan did not stumble over.
// The database it died of is left out, and all is made again.
static alm_code make_apart(lmdb_rebuild *r, const job *j, alm_status *st)
{
    alm_rebuild_result before = *r->result; // what the probes counted
    alm_apart apart = {.arg = (void *)(uintptr_t)j, .check = run_job};
    for (;;) {
        alm_verify_result result;
        *r->result = before;
        *r->reading = 0;
        alm_code code = alm_apart_run(&apart, r->problem, r->problem_arg, &result, st);
        if (code != ALM_OK || result.problems == 0) {
            return code;
        }
        int reading = *r->reading;
        if (reading == 0 || !r->readable[reading]) {
            return alm_status_set(st, ALM_DATA_LOSS, "%s: too much is damaged: restore a backup",
                                  j->path);
        }
        r->readable[reading] = false;
        before.damaged++;
        rebuild_report(r, "%s: its pages are damaged, none of it is used; once more without it",
                       lmdb_dbi_name((lmdb_dbi)reading));
    }
}

static alm_code rebuild_locked(lmdb_rebuild *r, const char *dir, size_t map_bytes, alm_status *st)
{
    char path[LMDB_PATH_BYTES_MAX];
    char made[LMDB_PATH_BYTES_MAX];
    snprintf(path, sizeof path, "%s/" LMDB_DATA_NAME, dir);
    snprintf(made, sizeof made, "%s/" LMDB_DATA_NAME ".new", dir);
    job j = {.r = r, .dir = dir, .path = path, .made = made, .map_bytes = map_bytes};
    ALM_TRY(probe_all(r, path, map_bytes, st));
    alm_code code = make_apart(r, &j, st);
    if (code == ALM_OK) {
        code = put_in_place(dir, path, made, st);
    }
    if (code != ALM_OK) {
        (void)unlink(made);
    }
    return code;
}

// What the child tells by writing it.
typedef struct shared {
    alm_rebuild_result result;
    int reading;
} shared;

static alm_code rebuild_shared(lmdb_rebuild *r, const char *dir, size_t map_bytes, shared *s,
                               alm_status *st)
{
    if (s == MAP_FAILED) {
        return rebuild_no_memory(st);
    }
    r->result = &s->result;
    r->reading = &s->reading;
    return rebuild_locked(r, dir, map_bytes, st);
}

alm_code lmdb_rebuild_dir(const char *dir, const alm_store_opts *opts, alm_problem problem,
                          void *problem_arg, alm_rebuild_result *ret, alm_status *st)
{
    char path[LMDB_PATH_BYTES_MAX];
    lmdb_store folder = {.lock_fd = -1, .log = opts->log};
    lmdb_rebuild r = {.problem = problem, .problem_arg = problem_arg};
    snprintf(path, sizeof path, "%s/" LMDB_DATA_NAME, dir);
    if (access(path, F_OK) != 0) {
        return alm_status_set(st, ALM_NOT_FOUND, "%s: no store is there", dir);
    }
    ALM_TRY(lmdb_dir_lock(&folder, dir, st)); // damage is what it is for
    shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    alm_code code = rebuild_shared(&r, dir, lmdb_map_bytes(opts->bytes_max), s, st);
    if (s != MAP_FAILED) {
        *ret = s->result;
        munmap(s, sizeof *s);
    }
    close(folder.lock_fd);
    return code;
}
