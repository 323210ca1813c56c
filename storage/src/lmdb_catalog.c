#include "lmdb_store.h"

alm_code lmdb_entry_find(const lmdb_txn *txn, alm_entry_kind kind, alm_str code, bool *ret_found,
                         uint32_t *ret_id, alm_status *st)
{
    if (code.len == 0 || code.len > ALM_CODE_BYTES_MAX) {
        *ret_found = false;
        return ALM_OK;
    }
    lmdb_key key = lmdb_key_of_kind_code(kind, code);
    return lmdb_get_u32(txn, LMDB_CODE, &key, ret_found, ret_id, st);
}

static alm_code entry_get(const lmdb_txn *txn, alm_entry_kind kind, uint32_t id, alm_arena *arena,
                          alm_entry *ret, alm_status *st)
{
    alm_str bytes;
    lmdb_key key = lmdb_key_of_kind_id(kind, id);
    ALM_TRY(lmdb_require(txn, LMDB_ENTRY, &key, &bytes, st));
    return alm_entry_decode(bytes, kind, arena, ret, st);
}

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the catalogue");
}

// --- checks --------------------------------------------------------------------------------------

static alm_code find_entry(const void *arg, alm_entry_kind kind, alm_str code, alm_arena *arena,
                           bool *ret_found, alm_entry *ret, alm_status *st)
{
    const lmdb_txn *txn = arg;
    uint32_t id;
    ALM_TRY(lmdb_entry_find(txn, kind, code, ret_found, &id, st));
    return *ret_found ? entry_get(txn, kind, id, arena, ret, st) : ALM_OK;
}

static alm_code has_observations(const void *arg, alm_str indicator, bool *ret, alm_status *st)
{
    lmdb_scan scan;
    const lmdb_txn *txn = arg;
    lmdb_key key = lmdb_key_of_variant_of(indicator, 0);
    ALM_TRY(lmdb_scan_open(txn, LMDB_VARIANT_OF, &scan, st));
    alm_code code = lmdb_scan_seek(&scan, &key, st);
    *ret = code == ALM_OK && scan.found && scan.key.mv_size == key.len &&
           memcmp(scan.key.mv_data, key.bytes, indicator.len + 1) == 0;
    lmdb_scan_close(&scan);
    return code;
}

alm_stored_catalog lmdb_stored_catalog(const lmdb_txn *txn)
{
    return (alm_stored_catalog){
        .arg = txn, .find = find_entry, .has_observations = has_observations};
}

// --- precedence ----------------------------------------------------------------------------------

// The precedence of every source in one record, since reads need all of them at once.

alm_code lmdb_precedence_get(const lmdb_txn *txn, alm_arena *arena, alm_precedence *ret,
                             alm_status *st)
{
    bool found;
    alm_str bytes = {0};
    lmdb_key key = lmdb_key_of_text(ALM_STR("precedence"));
    *ret = (alm_precedence){0};
    ALM_TRY(lmdb_get(txn, LMDB_META, &key, &found, &bytes, st));
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    uint64_t count = found ? alm_read_varint(&r) : 0;
    if (r.failed || count > alm_reader_left(&r)) {
        return alm_status_set(st, ALM_DATA_LOSS, "the table of precedences is damaged");
    }
    int32_t *of = alm_arena_calloc(arena, count, sizeof *of);
    if (of == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        of[i] = (int32_t)alm_read_svarint(&r);
    }
    if (r.failed || alm_reader_left(&r) != 0) {
        return alm_status_set(st, ALM_DATA_LOSS, "the table of precedences is damaged");
    }
    *ret = (alm_precedence){.of = of, .count = count};
    return ALM_OK;
}

static alm_code precedence_put(const lmdb_txn *txn, const int32_t *of, size_t count,
                               alm_buf *scratch, alm_status *st)
{
    lmdb_key key = lmdb_key_of_text(ALM_STR("precedence"));
    alm_buf_reset(scratch);
    alm_buf_varint(scratch, count);
    for (size_t i = 0; i < count; i++) {
        alm_buf_svarint(scratch, of[i]);
    }
    return lmdb_put(txn, LMDB_META, &key, scratch, 0, st);
}

// --- writing -------------------------------------------------------------------------------------

typedef struct put_ctx {
    const lmdb_txn *txn;
    alm_head *head;
    lmdb_catalog_change *change;
    alm_buf scratch;
    int32_t *precedence; // room for the batch's sources too
    size_t precedence_count;
} put_ctx;

static uint64_t *entry_counter(alm_head *head, alm_entry_kind kind)
{
    switch (kind) {
    case ALM_ENTRY_INDICATOR:
        return &head->indicators;
    case ALM_ENTRY_PLACE:
        return &head->places;
    case ALM_ENTRY_SOURCE:
        break;
    }
    return &head->sources;
}

static alm_code give_id(put_ctx *ctx, const alm_entry *entry, uint32_t *ret_id, alm_status *st)
{
    uint64_t *count = entry_counter(ctx->head, entry->kind);
    if (*count >= ALM_PLACE_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "more than %d entries of one kind (%s)",
                              ALM_PLACE_COUNT_MAX, alm_entry_kind_word(entry->kind));
    }
    *ret_id = (uint32_t)(*count)++;
    lmdb_key key = lmdb_key_of_kind_code(entry->kind, alm_entry_code(entry));
    return lmdb_put_u32(ctx->txn, LMDB_CODE, &key, *ret_id, st);
}

static void note_precedence(put_ctx *ctx, uint32_t id, const alm_entry *entry)
{
    if (entry->kind != ALM_ENTRY_SOURCE) {
        return;
    }
    if (id == ctx->precedence_count) {
        ctx->precedence_count++;
    } else if (ctx->precedence[id] != entry->source.precedence) {
        ctx->change->precedence_changed = true;
    }
    ctx->precedence[id] = entry->source.precedence;
}

static alm_code put_entry(put_ctx *ctx, const alm_entry *entry, alm_status *st)
{
    bool found;
    uint32_t id;
    ALM_TRY(lmdb_entry_find(ctx->txn, entry->kind, alm_entry_code(entry), &found, &id, st));
    alm_buf_reset(&ctx->scratch);
    alm_entry_encode(entry, &ctx->scratch);
    if (found) {
        alm_str old;
        lmdb_key key = lmdb_key_of_kind_id(entry->kind, id);
        ALM_TRY(lmdb_require(ctx->txn, LMDB_ENTRY, &key, &old, st));
        if (alm_str_eq(old, alm_buf_view(&ctx->scratch))) {
            ctx->change->unchanged++;
            return ALM_OK;
        }
        ctx->change->changed++;
    } else {
        ALM_TRY(give_id(ctx, entry, &id, st));
        ctx->change->added++;
    }
    note_precedence(ctx, id, entry);
    lmdb_key key = lmdb_key_of_kind_id(entry->kind, id);
    return lmdb_put(ctx->txn, LMDB_ENTRY, &key, &ctx->scratch, 0, st);
}

static alm_code load_precedence(put_ctx *ctx, const alm_batch *batch, alm_arena *arena,
                                alm_status *st)
{
    alm_precedence stored;
    ALM_TRY(lmdb_precedence_get(ctx->txn, arena, &stored, st));
    if (stored.count != ctx->head->sources) {
        return alm_status_set(st, ALM_DATA_LOSS, "%zu precedences are stored for %llu sources",
                              stored.count, (unsigned long long)ctx->head->sources);
    }
    ctx->precedence =
        alm_arena_calloc(arena, stored.count + batch->source_count, sizeof *ctx->precedence);
    if (ctx->precedence == NULL) {
        return no_memory(st);
    }
    if (stored.count > 0) {
        memcpy(ctx->precedence, stored.of, stored.count * sizeof *stored.of);
    }
    ctx->precedence_count = stored.count;
    return ALM_OK;
}

static alm_code put_all(put_ctx *ctx, const alm_batch *batch, alm_status *st)
{
    for (size_t k = 0; k < ALM_ARRAY_LEN(alm_entry_kinds); k++) {
        size_t count = alm_batch_entry_count(batch, alm_entry_kinds[k]);
        for (size_t i = 0; i < count; i++) {
            alm_entry entry = alm_batch_entry(batch, alm_entry_kinds[k], i);
            ALM_TRY(put_entry(ctx, &entry, st));
        }
    }
    if (batch->source_count == 0) {
        return ALM_OK;
    }
    return precedence_put(ctx->txn, ctx->precedence, ctx->precedence_count, &ctx->scratch, st);
}

alm_code lmdb_catalog_put(const lmdb_txn *txn, const alm_batch *batch, alm_arena *arena,
                          alm_head *head, lmdb_catalog_change *ret, alm_status *st)
{
    put_ctx ctx = {.txn = txn, .head = head, .change = ret};
    *ret = (lmdb_catalog_change){0};
    ALM_TRY(load_precedence(&ctx, batch, arena, st));
    alm_buf_init(&ctx.scratch, 0);
    alm_code code = put_all(&ctx, batch, st);
    alm_buf_deinit(&ctx.scratch);
    return code;
}
