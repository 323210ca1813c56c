#include "lmdb_record.h"

#include "hash.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#define CHECKSUM_BYTES 8

const char *lmdb_dbi_name(lmdb_dbi dbi)
{
    switch (dbi) {
#define LMDB_DBI_NAME(name, number, text)                                                          \
    case LMDB_##name:                                                                              \
        return text;
        LMDB_DBI_MAP(LMDB_DBI_NAME)
#undef LMDB_DBI_NAME
    case LMDB_DBI_COUNT:
        break;
    }
    return "?";
}

// --- keys ----------------------------------------------------------------------------------------

static void key_append(lmdb_key *key, const void *data, size_t len)
{
    ALM_ASSERT(key->len + len <= sizeof key->bytes);
    if (len > 0) {
        memcpy(key->bytes + key->len, data, len);
    }
    key->len += len;
}

static void key_append_u32(lmdb_key *key, uint32_t v)
{
    v = htobe32(v);
    key_append(key, &v, sizeof v);
}

static void key_append_u64(lmdb_key *key, uint64_t v)
{
    v = htobe64(v);
    key_append(key, &v, sizeof v);
}

lmdb_key lmdb_key_of_text(alm_str text)
{
    lmdb_key key;
    key.len = 0;
    key_append(&key, text.data, text.len);
    return key;
}

lmdb_key lmdb_key_of_u32(uint32_t v)
{
    lmdb_key key;
    key.len = 0;
    key_append_u32(&key, v);
    return key;
}

lmdb_key lmdb_key_of_u64(uint64_t v)
{
    lmdb_key key;
    key.len = 0;
    key_append_u64(&key, v);
    return key;
}

lmdb_key lmdb_key_of_kind_id(alm_entry_kind kind, uint32_t id)
{
    lmdb_key key;
    uint8_t first = (uint8_t)kind;
    key.len = 0;
    key_append(&key, &first, 1);
    key_append_u32(&key, id);
    return key;
}

lmdb_key lmdb_key_of_kind_code(alm_entry_kind kind, alm_str code)
{
    lmdb_key key;
    uint8_t first = (uint8_t)kind;
    key.len = 0;
    key_append(&key, &first, 1);
    key_append(&key, code.data, code.len);
    return key;
}

lmdb_key lmdb_key_of_variant_of(alm_str indicator, uint32_t variant)
{
    lmdb_key key;
    key.len = 0;
    key_append(&key, indicator.data, indicator.len);
    key_append(&key, "", 1);
    key_append_u32(&key, variant);
    return key;
}

lmdb_key lmdb_key_of_pair(uint32_t first, uint32_t second)
{
    lmdb_key key;
    key.len = 0;
    key_append_u32(&key, first);
    key_append_u32(&key, second);
    return key;
}

lmdb_key lmdb_key_of_slice(lmdb_slice_key slice)
{
    lmdb_key key;
    key.len = 0;
    key_append_u32(&key, slice.variant);
    key_append_u64(&key, slice.period);
    key_append_u32(&key, slice.chunk);
    return key;
}

bool lmdb_slice_key_from(MDB_val key, lmdb_slice_key *ret)
{
    if (key.mv_size != 16) {
        return false;
    }
    const uint8_t *bytes = key.mv_data;
    uint32_t variant, chunk;
    uint64_t period;
    memcpy(&variant, bytes, sizeof variant);
    memcpy(&period, bytes + 4, sizeof period);
    memcpy(&chunk, bytes + 12, sizeof chunk);
    *ret = (lmdb_slice_key){
        .variant = be32toh(variant), .period = be64toh(period), .chunk = be32toh(chunk)};
    return true;
}

bool lmdb_pair_from_key(MDB_val key, uint32_t *ret_first, uint32_t *ret_second)
{
    uint32_t pair[2];
    if (key.mv_size != sizeof pair) {
        return false;
    }
    memcpy(pair, key.mv_data, sizeof pair);
    *ret_first = be32toh(pair[0]);
    *ret_second = be32toh(pair[1]);
    return true;
}

bool lmdb_u64_from_key(MDB_val key, uint64_t *ret)
{
    uint64_t v;
    if (key.mv_size != sizeof v) {
        return false;
    }
    memcpy(&v, key.mv_data, sizeof v);
    *ret = be64toh(v);
    return true;
}

static MDB_val val_of(const lmdb_key *key)
{
    union {
        const uint8_t *in;
        void *out;
    } bytes = {.in = key->bytes}; // LMDB takes keys it does not write to as void *
    return (MDB_val){.mv_size = key->len, .mv_data = bytes.out};
}

static bool is_text_key(lmdb_dbi dbi)
{
    return dbi == LMDB_META || dbi == LMDB_BATCH || dbi == LMDB_VARIANT_ID;
}

void lmdb_label(lmdb_dbi dbi, MDB_val key, char *out)
{
    const uint8_t *bytes = key.mv_data;
    size_t at = (size_t)snprintf(out, LMDB_LABEL_MAX, "%s ", lmdb_dbi_name(dbi));
    for (size_t i = 0; i < key.mv_size && at + 3 < LMDB_LABEL_MAX; i++) {
        if (is_text_key(dbi)) {
            out[at++] = (char)bytes[i];
            out[at] = '\0';
        } else {
            at += (size_t)snprintf(out + at, LMDB_LABEL_MAX - at, "%02x", bytes[i]);
        }
    }
}

// --- errors --------------------------------------------------------------------------------------

static alm_code code_of_lmdb(int error)
{
    switch (error) {
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
        return ALM_RESOURCE_EXHAUSTED;
    case MDB_READERS_FULL:
        return ALM_UNAVAILABLE;
    case MDB_VERSION_MISMATCH:
        return ALM_FAILED_PRECONDITION;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
        return ALM_DATA_LOSS;
    case MDB_PANIC: // a meta page could not be written
        return ALM_UNAVAILABLE;
    default:
        return error > 0 ? ALM_UNAVAILABLE : ALM_INTERNAL;
    }
}

alm_code alm_status_from_lmdb(alm_status *st, int error, const char *what)
{
    return alm_status_set(st, code_of_lmdb(error), "%s: %s", what, mdb_strerror(error));
}

static alm_code record_failed(alm_status *st, int error, lmdb_dbi dbi, MDB_val key)
{
    char label[LMDB_LABEL_MAX];
    lmdb_label(dbi, key, label);
    return alm_status_from_lmdb(st, error, label);
}

// --- checksums -----------------------------------------------------------------------------------

uint64_t lmdb_key_hash(lmdb_dbi dbi, MDB_val key)
{
    return alm_hash(key.mv_data, key.mv_size, (uint64_t)dbi);
}

static uint64_t checksum_of(lmdb_dbi dbi, MDB_val key, const void *value, size_t len)
{
    return alm_hash(value, len, lmdb_key_hash(dbi, key));
}

// The value, of at least CHECKSUM_BYTES, ends in its checksum.
static bool fits(lmdb_dbi dbi, MDB_val key, MDB_val raw)
{
    uint64_t stored;
    size_t len = raw.mv_size - CHECKSUM_BYTES;
    memcpy(&stored, (const uint8_t *)raw.mv_data + len, sizeof stored);
    return le64toh(stored) == checksum_of(dbi, key, raw.mv_data, len);
}

bool lmdb_value_fits(lmdb_dbi dbi, MDB_val key, MDB_val raw)
{
    return raw.mv_size >= CHECKSUM_BYTES && fits(dbi, key, raw);
}

static alm_code unwrap(lmdb_dbi dbi, MDB_val key, MDB_val raw, alm_str *ret, alm_status *st)
{
    char label[LMDB_LABEL_MAX];
    if (raw.mv_size < CHECKSUM_BYTES) {
        lmdb_label(dbi, key, label);
        return alm_status_set(st, ALM_DATA_LOSS, "record %s is too short", label);
    }
    if (!fits(dbi, key, raw)) {
        lmdb_label(dbi, key, label);
        return alm_status_set(st, ALM_DATA_LOSS, "record %s is damaged: its checksum does not fit",
                              label);
    }
    *ret = (alm_str){.data = raw.mv_data, .len = raw.mv_size - CHECKSUM_BYTES};
    return ALM_OK;
}

// --- access --------------------------------------------------------------------------------------

alm_code lmdb_get(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key, bool *ret_found,
                  alm_str *ret, alm_status *st)
{
    MDB_val raw;
    MDB_val k = val_of(key);
    int error = mdb_get(txn->txn, txn->dbis[dbi], &k, &raw);
    *ret_found = error == MDB_SUCCESS;
    if (error == MDB_NOTFOUND) {
        return ALM_OK;
    }
    return error != MDB_SUCCESS ? record_failed(st, error, dbi, k) : unwrap(dbi, k, raw, ret, st);
}

alm_code lmdb_get_unless(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key, uint64_t *checksum,
                         bool *ret_found, bool *ret_is_same, alm_str *ret, alm_status *st)
{
    MDB_val raw;
    uint64_t stored = 0;
    MDB_val k = val_of(key);
    int error = mdb_get(txn->txn, txn->dbis[dbi], &k, &raw);
    *ret_found = error == MDB_SUCCESS;
    *ret_is_same = false;
    if (error == MDB_NOTFOUND) {
        return ALM_OK;
    }
    if (error != MDB_SUCCESS) {
        return record_failed(st, error, dbi, k);
    }
    if (raw.mv_size >= CHECKSUM_BYTES) {
        memcpy(&stored, (const uint8_t *)raw.mv_data + raw.mv_size - CHECKSUM_BYTES, sizeof stored);
    }
    *ret_is_same = stored == *checksum && stored != 0;
    *checksum = stored;
    return *ret_is_same ? ALM_OK : unwrap(dbi, k, raw, ret, st);
}

alm_code lmdb_require(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key, alm_str *ret,
                      alm_status *st)
{
    bool found;
    ALM_TRY(lmdb_get(txn, dbi, key, &found, ret, st));
    if (!found) {
        char label[LMDB_LABEL_MAX];
        lmdb_label(dbi, val_of(key), label);
        return alm_status_set(st, ALM_DATA_LOSS, "record %s is missing", label);
    }
    return ALM_OK;
}

alm_code lmdb_get_u32(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key, bool *ret_found,
                      uint32_t *ret, alm_status *st)
{
    alm_str value;
    ALM_TRY(lmdb_get(txn, dbi, key, ret_found, &value, st));
    if (!*ret_found) {
        return ALM_OK;
    }
    if (value.len != sizeof *ret) {
        return alm_status_set(st, ALM_DATA_LOSS, "a record of %s is not a number",
                              lmdb_dbi_name(dbi));
    }
    memcpy(ret, value.data, sizeof *ret);
    *ret = be32toh(*ret);
    return ALM_OK;
}

// LMDB keeps count of them, so asking costs nothing.
static size_t entry_count(const lmdb_txn *txn, lmdb_dbi dbi)
{
    MDB_stat stat = {0};
    (void)mdb_stat(txn->txn, txn->dbis[dbi], &stat);
    return stat.ms_entries;
}

static alm_code put_raw(const lmdb_txn *txn, lmdb_dbi dbi, MDB_val key, MDB_val raw, unsigned flags,
                        alm_status *st)
{
    size_t before = txn->key_sums != NULL ? entry_count(txn, dbi) : 0;
    int error = mdb_put(txn->txn, txn->dbis[dbi], &key, &raw, flags);
    if (error != MDB_SUCCESS) {
        return record_failed(st, error, dbi, key);
    }
    if (txn->key_sums != NULL && entry_count(txn, dbi) != before) {
        txn->key_sums[dbi] += lmdb_key_hash(dbi, key);
    }
    return ALM_OK;
}

alm_code lmdb_put(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key, alm_buf *value,
                  unsigned flags, alm_status *st)
{
    MDB_val k = val_of(key);
    size_t len = value->len;
    alm_buf_u64(value, checksum_of(dbi, k, value->data, len));
    if (value->failed) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a record of %s",
                              lmdb_dbi_name(dbi));
    }
    MDB_val raw = {.mv_size = value->len, .mv_data = value->data};
    alm_code code = put_raw(txn, dbi, k, raw, flags, st);
    value->len = len;
    return code;
}

alm_code lmdb_delete(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key, alm_status *st)
{
    MDB_val k = val_of(key);
    int error = mdb_del(txn->txn, txn->dbis[dbi], &k, NULL);
    if (error == MDB_SUCCESS && txn->key_sums != NULL) {
        txn->key_sums[dbi] -= lmdb_key_hash(dbi, k);
    }
    return error == MDB_SUCCESS || error == MDB_NOTFOUND ? ALM_OK
                                                         : record_failed(st, error, dbi, k);
}

alm_code lmdb_put_u32(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key, uint32_t value,
                      alm_status *st)
{
    uint8_t bytes[sizeof value + CHECKSUM_BYTES];
    MDB_val k = val_of(key);
    value = htobe32(value);
    memcpy(bytes, &value, sizeof value);
    uint64_t checksum = htole64(checksum_of(dbi, k, bytes, sizeof value));
    memcpy(bytes + sizeof value, &checksum, sizeof checksum);
    MDB_val raw = {.mv_size = sizeof bytes, .mv_data = bytes};
    return put_raw(txn, dbi, k, raw, 0, st);
}

// --- scans ---------------------------------------------------------------------------------------

alm_code lmdb_scan_open(const lmdb_txn *txn, lmdb_dbi dbi, lmdb_scan *ret, alm_status *st)
{
    *ret = (lmdb_scan){.dbi = dbi};
    int error = mdb_cursor_open(txn->txn, txn->dbis[dbi], &ret->cursor);
    return error == MDB_SUCCESS ? ALM_OK : alm_status_from_lmdb(st, error, lmdb_dbi_name(dbi));
}

void lmdb_scan_close(lmdb_scan *scan)
{
    if (scan->cursor != NULL) {
        mdb_cursor_close(scan->cursor);
        scan->cursor = NULL;
    }
}

static alm_code scan_step(lmdb_scan *scan, MDB_cursor_op op, alm_status *st)
{
    MDB_val raw;
    int error = mdb_cursor_get(scan->cursor, &scan->key, &raw, op);
    scan->found = error == MDB_SUCCESS;
    if (error == MDB_NOTFOUND) {
        return ALM_OK;
    }
    return error != MDB_SUCCESS ? alm_status_from_lmdb(st, error, lmdb_dbi_name(scan->dbi))
                                : unwrap(scan->dbi, scan->key, raw, &scan->value, st);
}

alm_code lmdb_scan_seek(lmdb_scan *scan, const lmdb_key *key, alm_status *st)
{
    if (key == NULL) {
        return scan_step(scan, MDB_FIRST, st);
    }
    scan->key = val_of(key);
    return scan_step(scan, MDB_SET_RANGE, st);
}

alm_code lmdb_scan_seek_before(lmdb_scan *scan, const lmdb_key *key, alm_status *st)
{
    MDB_val raw;
    scan->key = val_of(key);
    int error = mdb_cursor_get(scan->cursor, &scan->key, &raw, MDB_SET_RANGE);
    if (error != MDB_SUCCESS && error != MDB_NOTFOUND) {
        return alm_status_from_lmdb(st, error, lmdb_dbi_name(scan->dbi));
    }
    return scan_step(scan, error == MDB_SUCCESS ? MDB_PREV : MDB_LAST, st);
}

alm_code lmdb_scan_seek_last(lmdb_scan *scan, const lmdb_key *key, alm_status *st)
{
    MDB_val raw;
    scan->key = val_of(key);
    int error = mdb_cursor_get(scan->cursor, &scan->key, &raw, MDB_SET_RANGE);
    if (error != MDB_SUCCESS && error != MDB_NOTFOUND) {
        return alm_status_from_lmdb(st, error, lmdb_dbi_name(scan->dbi));
    }
    if (error == MDB_SUCCESS && scan->key.mv_size == key->len &&
        memcmp(scan->key.mv_data, key->bytes, key->len) == 0) {
        scan->found = true;
        return unwrap(scan->dbi, scan->key, raw, &scan->value, st);
    }
    return scan_step(scan, error == MDB_SUCCESS ? MDB_PREV : MDB_LAST, st);
}

alm_code lmdb_scan_next(lmdb_scan *scan, alm_status *st)
{
    return scan_step(scan, MDB_NEXT, st);
}
