// Records in LMDB: databases, keys, and values that carry their checksum.
//
// Every value ends in 8 bytes of XXH3 over the value, seeded with that of its key and its database,
// so a value that was damaged or that stands under another key is noticed. Keys are big-endian, so
// that byte order is logical order.
#ifndef ALM_STORAGE_LMDB_RECORD_H
#define ALM_STORAGE_LMDB_RECORD_H

#include "alm/buf.h"
#include "alm/observation.h"
#include "entry.h"

#include <lmdb.h>

// X(NAME, number, name). Numbers seed checksums: never reuse one.
#define LMDB_DBI_MAP(X)                                                                            \
    X(META, 1, "meta")              /* "format", "head", "precedence" */                           \
    X(LOG, 2, "log")                /* sequence u64: alm_log_record and block */                   \
    X(BATCH, 3, "batch")            /* batch id: alm_batch_record */                               \
    X(SLICE, 4, "slice")            /* lmdb_slice_key: block of winners */                         \
    X(VINTAGES, 5, "vintages")      /* lmdb_slice_key: block of the other vintages */              \
    X(VARIANT, 6, "variant")        /* variant id u32: canonical text */                           \
    X(VARIANT_ID, 7, "variant_id")  /* canonical text: variant id u32 */                           \
    X(VARIANT_OF, 8, "variant_of")  /* indicator code, 0, variant id u32: nothing */               \
    X(ENTRY, 9, "entry")            /* kind u8, id u32: alm_entry */                               \
    X(CODE, 10, "code")             /* kind u8, code: id u32 */                                    \
    X(QUARANTINE, 11, "quarantine") /* number u64 from 0: alm_quarantined */                       \
    X(SERIES, 12, "series")         /* variant u32, first place u32: group of series */            \
    X(PART, 13, "part")             /* variant u32, chunk u32: alm_part */                         \
    X(BASE, 14, "base")             /* variant u32, chunk u32: alm_base */                         \
    X(PRESENCE, 15, "presence")     /* variant u32, chunk u32: alm_presence */

typedef enum lmdb_dbi {
#define LMDB_DBI_ENUM(name, number, text) LMDB_##name = number,
    LMDB_DBI_MAP(LMDB_DBI_ENUM)
#undef LMDB_DBI_ENUM
        LMDB_DBI_COUNT
} lmdb_dbi;
const char *lmdb_dbi_name(lmdb_dbi dbi);

// Where records are: an open transaction and the handles of its databases.
typedef struct lmdb_bases lmdb_bases;
typedef struct lmdb_txn {
    MDB_txn *txn;
    const MDB_dbi *dbis; // by lmdb_dbi
    lmdb_bases *bases;   // what was decoded of them; owned
    // By lmdb_dbi: the sum of lmdb_key_hash of all its keys, which puts and deletions move on. Of a
    // write transaction; NULL: nobody asks.
    uint64_t *key_sums;
} lmdb_txn;

// --- keys ----------------------------------------------------------------------------------------

#define LMDB_KEY_BYTES_MAX 511
typedef struct lmdb_key {
    size_t len;
    uint8_t bytes[LMDB_KEY_BYTES_MAX];
} lmdb_key;

lmdb_key lmdb_key_of_text(alm_str text);
lmdb_key lmdb_key_of_u32(uint32_t v);
lmdb_key lmdb_key_of_u64(uint64_t v);
lmdb_key lmdb_key_of_kind_id(alm_entry_kind kind, uint32_t id);
lmdb_key lmdb_key_of_kind_code(alm_entry_kind kind, alm_str code);
lmdb_key lmdb_key_of_variant_of(alm_str indicator, uint32_t variant);
lmdb_key lmdb_key_of_pair(uint32_t first, uint32_t second);

// A slice is stored in chunks of places, so that a change rewrites one chunk and a table that comes
// place by place does not rewrite every period as a whole.
#define LMDB_CHUNK_BITS   14
#define LMDB_CHUNK_PLACES (UINT32_C(1) << LMDB_CHUNK_BITS)
_Static_assert(LMDB_CHUNK_PLACES == ALM_BULK_PLACE_COUNT, "what a load is told goes by chunks");
typedef struct lmdb_slice_key {
    uint32_t variant;
    uint64_t period; // alm_period_pack
    uint32_t chunk;  // place >> LMDB_CHUNK_BITS
} lmdb_slice_key;
lmdb_key lmdb_key_of_slice(lmdb_slice_key key);
ALM_MUST_USE bool lmdb_slice_key_from(MDB_val key, lmdb_slice_key *ret);
ALM_MUST_USE bool lmdb_u64_from_key(MDB_val key, uint64_t *ret);
ALM_MUST_USE bool lmdb_pair_from_key(MDB_val key, uint32_t *ret_first, uint32_t *ret_second);

// --- checksums -----------------------------------------------------------------------------------

uint64_t lmdb_key_hash(lmdb_dbi dbi, MDB_val key);
// Whether a value as LMDB holds it ends in the checksum of that key and value.
ALM_MUST_USE bool lmdb_value_fits(lmdb_dbi dbi, MDB_val key, MDB_val raw);

// --- access --------------------------------------------------------------------------------------

// Translates LMDB's answer (not MDB_SUCCESS); what names the operation.
//
// RESOURCE_EXHAUSTED  map, disk or memory full       DATA_LOSS   damaged, or no LMDB file
// FAILED_PRECONDITION another version of LMDB        UNAVAILABLE no reader slot; an I/O error
alm_code alm_status_from_lmdb(alm_status *st, int error, const char *what);

// *ret views the map until the transaction ends or, in a write transaction, writes.
//
// ALM_DATA_LOSS  the checksum does not fit; the message names database and key
ALM_MUST_USE alm_code lmdb_get(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key,
                               bool *ret_found, alm_str *ret, alm_status *st);
// As lmdb_get, unless the record has the checksum said: then *ret_is_same, and nothing is looked
// at. The record's own comes back in *checksum.
ALM_MUST_USE alm_code lmdb_get_unless(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key,
                                      uint64_t *checksum, bool *ret_found, bool *ret_is_same,
                                      alm_str *ret, alm_status *st);
// As lmdb_get; what must be there and is not, is ALM_DATA_LOSS.
ALM_MUST_USE alm_code lmdb_require(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key,
                                   alm_str *ret, alm_status *st);
// A big-endian number as value.
ALM_MUST_USE alm_code lmdb_get_u32(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key,
                                   bool *ret_found, uint32_t *ret, alm_status *st);

// Appends the checksum to value while it writes. flags: MDB_APPEND or 0.
ALM_MUST_USE alm_code lmdb_put(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key,
                               alm_buf *value, unsigned flags, alm_status *st);
// Nothing happens if there is no such record.
ALM_MUST_USE alm_code lmdb_delete(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key,
                                  alm_status *st);
ALM_MUST_USE alm_code lmdb_put_u32(const lmdb_txn *txn, lmdb_dbi dbi, const lmdb_key *key,
                                   uint32_t value, alm_status *st);

// --- scans ---------------------------------------------------------------------------------------

typedef struct lmdb_scan {
    MDB_cursor *cursor;
    lmdb_dbi dbi;
    bool found;    // false: past the end
    MDB_val key;   // views the map
    alm_str value; // without its checksum, which was right
} lmdb_scan;

ALM_MUST_USE alm_code lmdb_scan_open(const lmdb_txn *txn, lmdb_dbi dbi, lmdb_scan *ret,
                                     alm_status *st);
void lmdb_scan_close(lmdb_scan *scan);
// The first record at or after the key; key NULL: the first of all.
ALM_MUST_USE alm_code lmdb_scan_seek(lmdb_scan *scan, const lmdb_key *key, alm_status *st);
// The last record at or before the key.
ALM_MUST_USE alm_code lmdb_scan_seek_last(lmdb_scan *scan, const lmdb_key *key, alm_status *st);
// The last record before the key.
ALM_MUST_USE alm_code lmdb_scan_seek_before(lmdb_scan *scan, const lmdb_key *key, alm_status *st);
ALM_MUST_USE alm_code lmdb_scan_next(lmdb_scan *scan, alm_status *st);

// "slice 0000000300..." for messages; out holds LMDB_LABEL_MAX bytes.
#define LMDB_LABEL_MAX 128
void lmdb_label(lmdb_dbi dbi, MDB_val key, char *out);

#endif
