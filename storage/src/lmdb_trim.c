#include "lmdb_trim.h"

#include "alm/alloc.h"

#define TRIM_BYTES_MAX ((size_t)1 << 30)

typedef struct trim_ctx {
    const lmdb_txn *txn;
    alm_head *head;
    alm_arena *arena; // as long as one commit
    alm_buf buf;
} trim_ctx;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to trim the log");
}

static bool has_too_much(const alm_head *head, const lmdb_retention *keep, uint64_t times)
{
    uint64_t commits = head->sequence - head->feed_trimmed;
    return commits / times > keep->commits && head->feed_bytes / times > keep->bytes;
}

bool lmdb_trim_is_late(const alm_head *head, const lmdb_retention *keep, uint64_t *ret)
{
    *ret = head->feed_trimmed + (head->sequence - head->feed_trimmed) / 2;
    return has_too_much(head, keep, 2);
}

// --- is it folded? -------------------------------------------------------------------------------

// Slices that have changed since they were folded, perhaps by the commit.
typedef struct suspects {
    lmdb_slice_key *keys; // variant: an index into the record's
    size_t count, cap;
} suspects;

static alm_code add_suspects(trim_ctx *ctx, const alm_part *part, lmdb_slice_key key,
                             uint64_t sequence, suspects *list, alm_status *st)
{
    for (size_t i = 0; i < part->count; i++) {
        const alm_part_change *change = &part->changes[i];
        if (change->first > sequence || change->sequence < sequence) {
            continue;
        }
        if (!alm_arena_grow(ctx->arena, (void **)&list->keys, &list->cap, list->count + 1,
                            sizeof *list->keys)) {
            return no_memory(st);
        }
        key.period = change->period;
        list->keys[list->count++] = key;
    }
    return ALM_OK;
}

static alm_code scan_suspects(trim_ctx *ctx, lmdb_scan *scan, uint32_t variant, uint32_t index,
                              uint64_t sequence, suspects *list, alm_status *st)
{
    uint32_t of;
    lmdb_key from = lmdb_key_of_pair(variant, 0);
    lmdb_slice_key key = {.variant = index};
    ALM_TRY(lmdb_scan_seek(scan, &from, st));
    while (scan->found && lmdb_pair_from_key(scan->key, &of, &key.chunk) && of == variant) {
        alm_part part;
        ALM_TRY(alm_part_decode(scan->value, ctx->arena, &part, st));
        ALM_TRY(add_suspects(ctx, &part, key, sequence, list, st));
        ALM_TRY(lmdb_scan_next(scan, st));
    }
    return ALM_OK;
}

static alm_code find_suspects(trim_ctx *ctx, const alm_log_record *record, uint64_t sequence,
                              suspects *list, alm_status *st)
{
    lmdb_scan scan;
    alm_code code = lmdb_scan_open(ctx->txn, LMDB_PART, &scan, st);
    for (size_t i = 0; code == ALM_OK && i < record->variant_count; i++) {
        code = scan_suspects(ctx, &scan, record->variants[i], (uint32_t)i, sequence, list, st);
    }
    lmdb_scan_close(&scan);
    return code;
}

static bool is_among(const suspects *list, const alm_obs *row)
{
    uint64_t period = alm_period_pack(row->period);
    for (size_t i = 0; i < list->count; i++) {
        const lmdb_slice_key *key = &list->keys[i];
        if (key->period == period && key->variant == row->variant &&
            key->chunk == row->place >> LMDB_CHUNK_BITS) {
            return true;
        }
    }
    return false;
}

// Suspects have many rows each, and rows of one slice stand together: a look at the row before
// spares most searches.
static alm_code find_in_block(trim_ctx *ctx, alm_str bytes, const suspects *list, bool *ret,
                              alm_status *st)
{
    alm_block block;
    alm_obs row = {0}, before;
    ALM_TRY(alm_block_open(bytes, ALM_COMMIT_ROW_COUNT_MAX, NULL, ctx->arena, &block, st));
    for (size_t i = 0; i < block.count && !*ret; i++) {
        before = row;
        ALM_TRY(alm_block_get(&block, i, i + 1, &row, st));
        bool is_same = i > 0 && row.variant == before.variant &&
                       alm_period_eq(row.period, before.period) &&
                       row.place >> LMDB_CHUNK_BITS == before.place >> LMDB_CHUNK_BITS;
        *ret = !is_same && is_among(list, &row);
    }
    return ALM_OK;
}

static alm_code find_row(trim_ctx *ctx, const alm_log_record *record, const suspects *list,
                         bool *ret, alm_status *st)
{
    bool found;
    alm_str bytes;
    alm_str left = record->blocks;
    *ret = false;
    ALM_TRY(alm_log_next_block(&left, &found, &bytes, st));
    while (found && !*ret) {
        ALM_TRY(find_in_block(ctx, bytes, list, ret, st));
        ALM_TRY(alm_log_next_block(&left, &found, &bytes, st));
    }
    return ALM_OK;
}

// --- one commit ----------------------------------------------------------------------------------

typedef enum verdict {
    VERDICT_GONE,    // its rows left, or it never had any
    VERDICT_BLOCKED, // its rows are not in series yet
    VERDICT_DAMAGED,
} verdict;

static alm_code put_header(trim_ctx *ctx, const lmdb_key *key, alm_log_record record,
                           alm_status *st)
{
    record.has_rows = false;
    alm_buf_reset(&ctx->buf);
    alm_log_record_encode(&record, &ctx->buf); // views the old value, so before the put
    return lmdb_put(ctx->txn, LMDB_LOG, key, &ctx->buf, 0, st);
}

static alm_code judge(trim_ctx *ctx, const alm_log_record *record, uint64_t sequence, verdict *ret,
                      alm_status *st)
{
    suspects list = {0};
    bool is_pending = false;
    *ret = VERDICT_BLOCKED;
    ALM_TRY(find_suspects(ctx, record, sequence, &list, st));
    if (list.count > 0) {
        *ret = VERDICT_DAMAGED;
        ALM_TRY(find_row(ctx, record, &list, &is_pending, st));
    }
    *ret = is_pending ? VERDICT_BLOCKED : VERDICT_GONE;
    return ALM_OK;
}

static alm_code trim_one(trim_ctx *ctx, uint64_t sequence, verdict *ret, alm_status *st)
{
    alm_str value;
    alm_log_record record;
    lmdb_key key = lmdb_key_of_u64(sequence);
    *ret = VERDICT_DAMAGED;
    alm_arena_reset(ctx->arena);
    ALM_TRY(lmdb_require(ctx->txn, LMDB_LOG, &key, &value, st));
    ALM_TRY(alm_log_record_decode(value, ctx->arena, &record, st));
    if (!record.has_rows) {
        *ret = VERDICT_GONE;
        return ALM_OK;
    }
    ALM_TRY(judge(ctx, &record, sequence, ret, st));
    if (*ret != VERDICT_GONE) {
        return ALM_OK;
    }
    uint64_t bytes = alm_log_record_row_bytes(&record);
    ctx->head->feed_bytes -= ALM_MIN(bytes, ctx->head->feed_bytes);
    return put_header(ctx, &key, record, st);
}

static alm_code trim_all(trim_ctx *ctx, const lmdb_retention *keep, size_t most, lmdb_trimmed *ret,
                         alm_status *st)
{
    while (ret->count < most && has_too_much(ctx->head, keep, 1)) {
        verdict judged;
        alm_status why = ALM_STATUS_INIT;
        uint64_t sequence = ctx->head->feed_trimmed + 1;
        alm_code code = trim_one(ctx, sequence, &judged, &why);
        if (code != ALM_OK && (code != ALM_DATA_LOSS || judged == VERDICT_GONE)) {
            return alm_status_copy(st, &why);
        }
        if (judged == VERDICT_BLOCKED) {
            ret->blocked_at = sequence;
            return ALM_OK;
        }
        ctx->head->feed_trimmed = sequence;
        ret->count++;
    }
    return ALM_OK;
}

alm_code lmdb_trim(const lmdb_txn *txn, const lmdb_retention *keep, size_t most, alm_head *head,
                   lmdb_trimmed *ret, alm_status *st)
{
    *ret = (lmdb_trimmed){0};
    if (!has_too_much(head, keep, 1)) {
        return ALM_OK;
    }
    trim_ctx ctx = {.txn = txn, .head = head, .arena = alm_arena_create(TRIM_BYTES_MAX)};
    alm_buf_init(&ctx.buf, 0);
    alm_code code = ctx.arena == NULL ? no_memory(st) : trim_all(&ctx, keep, most, ret, st);
    alm_buf_deinit(&ctx.buf);
    alm_arena_destroy(&ctx.arena);
    return code;
}
