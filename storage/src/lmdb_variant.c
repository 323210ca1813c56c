// Which variants an indicator has, their texts, and their chunks.
#include "lmdb_store.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the variants");
}

static alm_code add_id(lmdb_ids *ids, uint32_t id, alm_arena *arena, alm_status *st)
{
    if (!alm_arena_grow(arena, (void **)&ids->ids, &ids->cap, ids->count + 1, sizeof *ids->ids)) {
        return no_memory(st);
    }
    ids->ids[ids->count++] = id;
    return ALM_OK;
}

static uint32_t id_at_end(MDB_val key)
{
    const uint8_t *bytes = (const uint8_t *)key.mv_data + key.mv_size - 4;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// An indicator's variants stand together under its code and a zero byte.
static alm_code variants_of_scan(lmdb_scan *scan, alm_str indicator, alm_arena *arena,
                                 lmdb_ids *ids, alm_status *st)
{
    bool is_all = indicator.len == 0;
    lmdb_key key = lmdb_key_of_variant_of(indicator, 0);
    ALM_TRY(lmdb_scan_seek(scan, is_all ? NULL : &key, st));
    while (scan->found) {
        if (scan->key.mv_size < 5) {
            return alm_status_set(st, ALM_DATA_LOSS, "a key of a variant is damaged");
        }
        if (!is_all && (scan->key.mv_size != key.len ||
                        memcmp(scan->key.mv_data, key.bytes, indicator.len + 1) != 0)) {
            break;
        }
        ALM_TRY(add_id(ids, id_at_end(scan->key), arena, st));
        ALM_TRY(lmdb_scan_next(scan, st));
    }
    return ALM_OK;
}

alm_code lmdb_variants_of(const lmdb_txn *txn, alm_str indicator, alm_arena *arena, lmdb_ids *ids,
                          alm_status *st)
{
    lmdb_scan scan;
    if (indicator.len > ALM_CODE_BYTES_MAX) {
        return ALM_OK;
    }
    ALM_TRY(lmdb_scan_open(txn, LMDB_VARIANT_OF, &scan, st));
    alm_code code = variants_of_scan(&scan, indicator, arena, ids, st);
    lmdb_scan_close(&scan);
    return code;
}

alm_code lmdb_variant_text(const lmdb_txn *txn, uint32_t variant, alm_arena *arena, alm_str *ret,
                           alm_status *st)
{
    alm_str text;
    lmdb_key key = lmdb_key_of_u32(variant);
    ALM_TRY(lmdb_require(txn, LMDB_VARIANT, &key, &text, st));
    char *copy = alm_arena_strdup(arena, text);
    if (copy == NULL) {
        return no_memory(st);
    }
    *ret = (alm_str){.data = copy, .len = text.len};
    return ALM_OK;
}

alm_code lmdb_chunk_get(const lmdb_txn *txn, lmdb_slice_key slice, const alm_precedence *precedence,
                        alm_arena *arena, alm_chunk *ret, alm_status *st)
{
    bool found;
    alm_period period;
    alm_str winners = {0}, others = {0};
    lmdb_key key = lmdb_key_of_slice(slice);
    if (!alm_period_unpack(slice.period, &period)) {
        return alm_status_set(st, ALM_DATA_LOSS, "the period in a slice's key is damaged");
    }
    ALM_TRY(lmdb_get(txn, LMDB_SLICE, &key, &found, &winners, st));
    ALM_TRY(lmdb_get(txn, LMDB_VINTAGES, &key, &found, &others, st));
    const alm_base *base;
    ALM_TRY(lmdb_base_get(txn, slice.variant, slice.chunk, &base, st));
    return alm_chunk_decode(winners, others, base, period, precedence, arena, ret, st);
}
