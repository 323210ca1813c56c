// The stamp that says how the store is written, and by whom.
#include "lmdb_store.h"

#define FORMAT_MAGIC  "ALMSTORE"
#define FORMAT_WRITER "almanac 0.1"

alm_code lmdb_format_put(const lmdb_txn *txn, alm_buf *scratch, alm_status *st)
{
    lmdb_key key = lmdb_key_of_text(ALM_STR("format"));
    alm_buf_reset(scratch);
    alm_buf_str(scratch, ALM_STR(FORMAT_MAGIC));
    alm_buf_u32(scratch, LMDB_FORMAT_VERSION);
    alm_buf_str(scratch, ALM_STR(FORMAT_WRITER));
    return lmdb_put(txn, LMDB_META, &key, scratch, 0, st);
}

alm_code lmdb_format_get(const lmdb_txn *txn, uint32_t *ret_version, alm_str *ret_writer,
                         alm_status *st)
{
    alm_str value;
    lmdb_key key = lmdb_key_of_text(ALM_STR("format"));
    ALM_TRY(lmdb_require(txn, LMDB_META, &key, &value, st));
    alm_reader r = alm_reader_of(value.data, value.len);
    alm_str magic = alm_read_bytes(&r, strlen(FORMAT_MAGIC));
    *ret_version = alm_read_u32(&r);
    *ret_writer = alm_read_bytes(&r, alm_reader_left(&r));
    return r.failed || !alm_str_eq(magic, ALM_STR(FORMAT_MAGIC))
               ? alm_status_set(st, ALM_DATA_LOSS, "the format stamp is damaged")
               : ALM_OK;
}

// Format 2 was never released; it differs only in which vintages won.
#define FORMAT_TO_REBUILD 2

bool lmdb_format_can_rebuild(uint32_t version)
{
    return version == LMDB_FORMAT_VERSION || version == FORMAT_TO_REBUILD;
}

alm_code lmdb_format_check(const lmdb_txn *txn, alm_status *st)
{
    uint32_t version;
    alm_str writer;
    ALM_TRY(lmdb_format_get(txn, &version, &writer, st));
    if (version == FORMAT_TO_REBUILD) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "the store has format %u, in which other values win where one was "
                              "withdrawn: `almanac verify DIR --rebuild` makes it anew",
                              version);
    }
    if (version < FORMAT_TO_REBUILD) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "the store has format %u: almanac-storage or almanacd makes it into "
                              "format %d when it opens it",
                              version, LMDB_FORMAT_VERSION);
    }
    if (version != LMDB_FORMAT_VERSION) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "the store has format %u, written by %.*s; this program knows format "
                              "%d: use one at least as new",
                              version, ALM_STR_ARGS(writer), LMDB_FORMAT_VERSION);
    }
    return ALM_OK;
}
