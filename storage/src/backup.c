#include "backup.h"

#include "alm/alloc.h"
#include "alm/buf.h"

#include <endian.h>
#include <xxhash.h>

#define HEADER_MAGIC     "ALMBACK1"
#define TRAILER_MAGIC    "ALMBEND1"
#define MAGIC_BYTES      8
#define HEADER_BYTES     (MAGIC_BYTES + 4 + 5 * 8)
#define TRAILER_BYTES    (MAGIC_BYTES + 2 * 8 + ALM_BACKUP_HASH_BYTES)

#define FRAME_BYTES      ((size_t)256 << 10)
#define FRAME_BYTES_MAX  ((size_t)1 << 20)
#define RECORD_BYTES_MAX ((size_t)1 << 30) // a bound against damage
#define KEY_BYTES_MAX    511

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a backup");
}

static alm_code damaged(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "the backup is damaged: %s", what);
}

static void digest(XXH3_state_t *hash, uint8_t *ret)
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash));
    _Static_assert(sizeof canonical == ALM_BACKUP_HASH_BYTES, "the hash as it is written");
    memcpy(ret, canonical.digest, sizeof canonical);
}

// --- writing -------------------------------------------------------------------------------------

struct alm_backup_writer {
    alm_backup_sink sink;
    alm_backup_info info;
    uint64_t records;
    XXH3_state_t *hash;
    alm_buf out;    // what is not a frame
    alm_buf record; // one, while it is cut into frames
    alm_buf frame;  // not yet written
};

static alm_code write_all(alm_backup_writer *w, const void *data, size_t len, alm_status *st)
{
    XXH3_128bits_update(w->hash, data, len);
    w->info.bytes += len;
    return w->sink.write(w->sink.arg, data, len, st);
}

static alm_code write_out(alm_backup_writer *w, alm_status *st)
{
    return w->out.failed ? no_memory(st) : write_all(w, w->out.data, w->out.len, st);
}

static alm_code write_header(alm_backup_writer *w, alm_status *st)
{
    const alm_backup_info *info = &w->info;
    alm_buf_str(&w->out, ALM_STR(HEADER_MAGIC));
    alm_buf_u32(&w->out, info->format);
    alm_buf_u64(&w->out, info->sequence);
    alm_buf_u64(&w->out, (uint64_t)info->at_us);
    alm_buf_u64(&w->out, info->observations);
    alm_buf_u64(&w->out, info->cells);
    alm_buf_u64(&w->out, info->records);
    return write_out(w, st);
}

alm_code alm_backup_begin(const alm_backup_info *info, const alm_backup_sink *sink,
                          alm_backup_writer **ret, alm_status *st)
{
    alm_backup_writer *w = alm_calloc(1, sizeof *w);
    if (w == NULL) {
        return no_memory(st);
    }
    w->sink = *sink;
    w->info = *info;
    w->info.bytes = 0;
    w->info.data_bytes = 0;
    w->hash = XXH3_createState();
    alm_buf_init(&w->out, 0);
    alm_buf_init(&w->record, RECORD_BYTES_MAX);
    alm_buf_init(&w->frame, FRAME_BYTES_MAX);
    *ret = w;
    if (w->hash == NULL) {
        alm_backup_writer_destroy(ret);
        return no_memory(st);
    }
    XXH3_128bits_reset(w->hash);
    alm_code code = write_header(w, st);
    if (code != ALM_OK) {
        alm_backup_writer_destroy(ret);
    }
    return code;
}

// An empty one is the last.
static alm_code write_frame(alm_backup_writer *w, alm_status *st)
{
    uint32_t len = htole32((uint32_t)w->frame.len);
    if (w->frame.failed) {
        return no_memory(st);
    }
    ALM_TRY(write_all(w, &len, sizeof len, st));
    if (w->frame.len > 0) {
        ALM_TRY(write_all(w, w->frame.data, w->frame.len, st));
    }
    w->info.data_bytes += w->frame.len;
    alm_buf_reset(&w->frame);
    if (w->sink.progress != NULL) {
        w->sink.progress(w->sink.arg, w->records, w->info.records);
    }
    return ALM_OK;
}

alm_code alm_backup_put(alm_backup_writer *w, uint8_t database, alm_str key, alm_str value,
                        alm_status *st)
{
    alm_buf_reset(&w->record);
    alm_buf_u8(&w->record, database);
    alm_buf_varint(&w->record, key.len);
    alm_buf_str(&w->record, key);
    alm_buf_varint(&w->record, value.len);
    alm_buf_str(&w->record, value);
    if (w->record.failed) {
        return no_memory(st);
    }
    for (size_t at = 0; at < w->record.len;) {
        size_t len = ALM_MIN(w->record.len - at, FRAME_BYTES - w->frame.len);
        alm_buf_append(&w->frame, w->record.data + at, len);
        at += len;
        if (w->frame.len == FRAME_BYTES || w->frame.failed) {
            ALM_TRY(write_frame(w, st));
        }
    }
    w->records++;
    return ALM_OK;
}

alm_code alm_backup_end(alm_backup_writer *w, alm_backup_info *ret, alm_status *st)
{
    if (w->frame.len > 0) {
        ALM_TRY(write_frame(w, st));
    }
    ALM_TRY(write_frame(w, st));
    alm_buf_reset(&w->out);
    alm_buf_str(&w->out, ALM_STR(TRAILER_MAGIC));
    alm_buf_u64(&w->out, w->records);
    alm_buf_u64(&w->out, w->info.data_bytes);
    ALM_TRY(write_out(w, st));
    w->info.records = w->records;
    digest(w->hash, w->info.hash);
    w->info.bytes += ALM_BACKUP_HASH_BYTES;
    ALM_TRY(w->sink.write(w->sink.arg, w->info.hash, ALM_BACKUP_HASH_BYTES, st));
    *ret = w->info;
    return ALM_OK;
}

void alm_backup_writer_destroy(alm_backup_writer **writer)
{
    alm_backup_writer *w = *writer;
    if (w == NULL) {
        return;
    }
    if (w->hash != NULL) {
        XXH3_freeState(w->hash);
    }
    alm_buf_deinit(&w->frame);
    alm_buf_deinit(&w->record);
    alm_buf_deinit(&w->out);
    alm_free(w);
    *writer = NULL;
}

// --- reading -------------------------------------------------------------------------------------

struct alm_backup_reader {
    alm_backup_source source;
    alm_backup_info info;
    uint64_t records;
    XXH3_state_t *hash;
    alm_buf data; // of frames; those before `at` are read
    size_t at;
    bool is_last_frame_read;
    uint8_t last_database; // of the record before
    uint8_t last_key[KEY_BYTES_MAX];
    size_t last_key_bytes;
};

static alm_code read_raw(alm_backup_reader *r, uint8_t *data, size_t len, alm_status *st)
{
    for (size_t at = 0; at < len;) {
        size_t got = 0;
        ALM_TRY(r->source.read(r->source.arg, data + at, len - at, &got, st));
        if (got == 0) {
            return damaged(st, "it is cut short");
        }
        at += got;
    }
    r->info.bytes += len;
    return ALM_OK;
}

static alm_code read_all(alm_backup_reader *r, uint8_t *data, size_t len, alm_status *st)
{
    ALM_TRY(read_raw(r, data, len, st));
    XXH3_128bits_update(r->hash, data, len);
    return ALM_OK;
}

static alm_code read_header(alm_backup_reader *r, alm_status *st)
{
    uint8_t bytes[HEADER_BYTES];
    alm_status failed = ALM_STATUS_INIT;
    alm_code code = read_all(r, bytes, sizeof bytes, &failed);
    alm_reader reader = alm_reader_of(bytes, sizeof bytes);
    if (code == ALM_DATA_LOSS ||
        (code == ALM_OK &&
         !alm_str_eq(alm_read_bytes(&reader, MAGIC_BYTES), ALM_STR(HEADER_MAGIC)))) {
        return alm_status_set(st, ALM_DATA_LOSS, "not a backup of an almanac");
    }
    if (code != ALM_OK) {
        return alm_status_copy(st, &failed);
    }
    r->info.format = alm_read_u32(&reader);
    r->info.sequence = alm_read_u64(&reader);
    r->info.at_us = (int64_t)alm_read_u64(&reader);
    r->info.observations = alm_read_u64(&reader);
    r->info.cells = alm_read_u64(&reader);
    r->info.records = alm_read_u64(&reader);
    return ALM_OK;
}

alm_code alm_backup_open(const alm_backup_source *source, alm_backup_reader **ret,
                         alm_backup_info *ret_info, alm_status *st)
{
    alm_backup_reader *r = alm_calloc(1, sizeof *r);
    if (r == NULL) {
        return no_memory(st);
    }
    r->source = *source;
    r->hash = XXH3_createState();
    alm_buf_init(&r->data, RECORD_BYTES_MAX + FRAME_BYTES_MAX);
    *ret = r;
    if (r->hash == NULL) {
        alm_backup_reader_destroy(ret);
        return no_memory(st);
    }
    XXH3_128bits_reset(r->hash);
    alm_code code = read_header(r, st);
    if (code != ALM_OK) {
        alm_backup_reader_destroy(ret);
        return code;
    }
    *ret_info = r->info;
    return ALM_OK;
}

static alm_code read_frame(alm_backup_reader *r, alm_status *st)
{
    uint32_t len;
    uint8_t bytes[sizeof len];
    ALM_TRY(read_all(r, bytes, sizeof bytes, st));
    memcpy(&len, bytes, sizeof len);
    len = le32toh(len);
    if (len > FRAME_BYTES_MAX) {
        return damaged(st, "the length of a frame");
    }
    r->is_last_frame_read = len == 0;
    if (r->at > 0) {
        memmove(r->data.data, r->data.data + r->at, r->data.len - r->at);
        r->data.len -= r->at;
        r->at = 0;
    }
    uint8_t *room = len > 0 ? alm_buf_reserve(&r->data, len) : NULL;
    if (len > 0 && room == NULL) {
        return no_memory(st);
    }
    ALM_TRY(read_all(r, room, len, st));
    r->data.len += len;
    r->info.data_bytes += len;
    if (r->source.progress != NULL) {
        r->source.progress(r->source.arg, r->records, r->info.records);
    }
    return ALM_OK;
}

// A record off the front of what was read. False: it is not whole yet.
static bool take_record(alm_backup_reader *r, alm_backup_record *ret, bool *ret_damaged)
{
    *ret_damaged = false;
    if (r->at == r->data.len) {
        return false;
    }
    alm_reader reader = alm_reader_of(r->data.data, r->data.len);
    reader.at = r->at;
    ret->database = alm_read_u8(&reader);
    uint64_t key_bytes = alm_read_varint(&reader);
    *ret_damaged = !reader.failed && (key_bytes == 0 || key_bytes > KEY_BYTES_MAX);
    if (reader.failed || *ret_damaged) {
        return false;
    }
    ret->key = alm_read_bytes(&reader, key_bytes);
    uint64_t value_bytes = alm_read_varint(&reader);
    *ret_damaged = !reader.failed && value_bytes > RECORD_BYTES_MAX - KEY_BYTES_MAX;
    if (reader.failed || *ret_damaged) {
        return false;
    }
    ret->value = alm_read_bytes(&reader, value_bytes);
    r->at = reader.failed ? r->at : reader.at;
    return !reader.failed;
}

// Records come by database and key. False: this one does not.
static bool is_in_order(alm_backup_reader *r, const alm_backup_record *record)
{
    size_t common = ALM_MIN(record->key.len, r->last_key_bytes);
    int order = memcmp(r->last_key, record->key.data, common);
    bool is_after = order < 0 || (order == 0 && r->last_key_bytes < record->key.len);
    if (record->database < r->last_database ||
        (record->database == r->last_database && !is_after)) {
        return false;
    }
    r->last_database = record->database;
    r->last_key_bytes = record->key.len;
    memcpy(r->last_key, record->key.data, record->key.len);
    return true;
}

static alm_code check_end(alm_backup_reader *r, alm_backup_info *ret_info, alm_status *st)
{
    uint8_t bytes[TRAILER_BYTES - ALM_BACKUP_HASH_BYTES];
    uint8_t hash[ALM_BACKUP_HASH_BYTES];
    size_t more = 0;
    if (r->at != r->data.len) {
        return damaged(st, "its last record is cut short");
    }
    ALM_TRY(read_all(r, bytes, sizeof bytes, st));
    ALM_TRY(read_raw(r, hash, sizeof hash, st));
    digest(r->hash, r->info.hash);
    alm_reader reader = alm_reader_of(bytes, sizeof bytes);
    bool is_magic = alm_str_eq(alm_read_bytes(&reader, MAGIC_BYTES), ALM_STR(TRAILER_MAGIC));
    uint64_t records = alm_read_u64(&reader);
    uint64_t data_bytes = alm_read_u64(&reader);
    if (!is_magic || memcmp(hash, r->info.hash, sizeof hash) != 0) {
        return damaged(st, "its hash is not that of its bytes");
    }
    if (records != r->records || records != r->info.records || data_bytes != r->info.data_bytes) {
        return damaged(st, "it holds not as many records as it says");
    }
    ALM_TRY(r->source.read(r->source.arg, bytes, 1, &more, st));
    if (more != 0) {
        return damaged(st, "bytes after its end");
    }
    if (ret_info != NULL) {
        *ret_info = r->info;
    }
    return ALM_OK;
}

alm_code alm_backup_next(alm_backup_reader *r, bool *ret_found, alm_backup_record *ret,
                         alm_backup_info *ret_info, alm_status *st)
{
    bool is_damaged = false;
    *ret_found = false;
    while (!take_record(r, ret, &is_damaged)) {
        if (is_damaged) {
            return damaged(st, "the length of a record");
        }
        if (r->is_last_frame_read) {
            return check_end(r, ret_info, st);
        }
        ALM_TRY(read_frame(r, st));
    }
    if (!is_in_order(r, ret)) {
        return damaged(st, "its records are not in order");
    }
    r->records++;
    *ret_found = true;
    return ALM_OK;
}

void alm_backup_reader_destroy(alm_backup_reader **reader)
{
    alm_backup_reader *r = *reader;
    if (r == NULL) {
        return;
    }
    if (r->hash != NULL) {
        XXH3_freeState(r->hash);
    }
    alm_buf_deinit(&r->data);
    alm_free(r);
    *reader = NULL;
}
