// One place of one variant: its group of series, and the slices that have changed since.
#include "lmdb_place.h"

#include <stdlib.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a series");
}

// --- the group -----------------------------------------------------------------------------------

alm_code lmdb_group_find(MDB_cursor *cursor, uint32_t variant, alm_place_id place, alm_arena *arena,
                         alm_group *ret, bool *ret_found, alm_status *st)
{
    lmdb_scan scan = {.cursor = cursor, .dbi = LMDB_SERIES};
    uint32_t found_variant, first;
    lmdb_key key = lmdb_key_of_pair(variant, place);
    *ret_found = false;
    ALM_TRY(lmdb_scan_seek_last(&scan, &key, st));
    if (!scan.found) {
        return ALM_OK;
    }
    if (!lmdb_pair_from_key(scan.key, &found_variant, &first)) {
        return alm_status_set(st, ALM_DATA_LOSS, "the key of a group of series is damaged");
    }
    *ret_found = found_variant == variant && first >> LMDB_CHUNK_BITS == place >> LMDB_CHUNK_BITS;
    return *ret_found ? alm_group_open(scan.value, arena, ret, st) : ALM_OK;
}

// --- rows ----------------------------------------------------------------------------------------

typedef struct rows_ctx {
    const lmdb_txn *txn;
    uint32_t variant;
    alm_place_id place;
    alm_arena *arena;
    alm_part part;
    bool winners_only;
    lmdb_place_rows *out;
} rows_ctx;

static bool is_changed(const alm_part *part, alm_period period)
{
    uint64_t packed = alm_period_pack(period);
    size_t low = 0;
    size_t high = part->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (part->changes[middle].period < packed) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < part->count && part->changes[low].period == packed;
}

static alm_code add_rows(lmdb_rows *rows, const alm_obs *more, size_t count, alm_arena *arena,
                         alm_status *st)
{
    if (!alm_arena_grow(arena, (void **)&rows->rows, &rows->cap, rows->count + count,
                        sizeof *rows->rows)) {
        return no_memory(st);
    }
    if (count > 0) {
        memcpy(rows->rows + rows->count, more, count * sizeof *more);
    }
    rows->count += count;
    return ALM_OK;
}

// Takes the rows of periods that have not changed since.
static alm_code add_unchanged(rows_ctx *ctx, lmdb_rows *to, alm_obs *rows, size_t count,
                              alm_status *st)
{
    if (ctx->part.count == 0 && to->count == 0) {
        *to = (lmdb_rows){.rows = rows, .count = count, .cap = count};
        return ALM_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_changed(&ctx->part, rows[i].period)) {
            ALM_TRY(add_rows(to, &rows[i], 1, ctx->arena, st));
        }
    }
    return ALM_OK;
}

static alm_code add_block(rows_ctx *ctx, lmdb_rows *to, alm_str bytes, const alm_base *base,
                          bool only_unchanged, alm_status *st)
{
    alm_block block;
    if (bytes.len == 0) {
        return ALM_OK;
    }
    ALM_TRY(alm_block_open(bytes, ALM_CHUNK_ROW_COUNT_MAX, base, ctx->arena, &block, st));
    size_t from = alm_block_find_place(&block, 0, ctx->place);
    size_t end = alm_block_find_place(&block, from, ctx->place + 1);
    alm_obs *rows = alm_arena_alloc(ctx->arena, (end - from) * sizeof *rows);
    if (rows == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_block_get(&block, from, end, rows, st));
    return only_unchanged ? add_unchanged(ctx, to, rows, end - from, st)
                          : add_rows(to, rows, end - from, ctx->arena, st);
}

static alm_code add_group(rows_ctx *ctx, alm_status *st)
{
    bool found;
    alm_group group;
    lmdb_scan scan;
    alm_group_series series;
    ALM_TRY(lmdb_scan_open(ctx->txn, LMDB_SERIES, &scan, st));
    alm_code code =
        lmdb_group_find(scan.cursor, ctx->variant, ctx->place, ctx->arena, &group, &found, st);
    lmdb_scan_close(&scan);
    ALM_TRY(code);
    if (!found) {
        return ALM_OK;
    }
    ALM_TRY(alm_group_find(&group, ctx->place, ctx->arena, &series, st));
    alm_obs *rows = alm_arena_alloc(ctx->arena, series.count * sizeof *rows);
    if (rows == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_group_rows(&group, &series, ctx->arena, rows, st));
    ALM_TRY(add_unchanged(ctx, &ctx->out->winners, rows, series.count, st));
    return ctx->winners_only ? ALM_OK
                             : add_block(ctx, &ctx->out->others, group.others, NULL, true, st);
}

static alm_code add_changed(rows_ctx *ctx, uint64_t period, alm_status *st)
{
    bool found;
    alm_str bytes = {0};
    lmdb_key key = lmdb_key_of_slice((lmdb_slice_key){
        .variant = ctx->variant, .period = period, .chunk = ctx->place >> LMDB_CHUNK_BITS});
    ALM_TRY(lmdb_get(ctx->txn, LMDB_SLICE, &key, &found, &bytes, st));
    const alm_base *base;
    ALM_TRY(lmdb_base_get(ctx->txn, ctx->variant, ctx->place >> LMDB_CHUNK_BITS, &base, st));
    ALM_TRY(add_block(ctx, &ctx->out->winners, bytes, base, false, st));
    bytes = (alm_str){0};
    ALM_TRY(lmdb_get(ctx->txn, LMDB_VINTAGES, &key, &found, &bytes, st));
    return add_block(ctx, &ctx->out->others, bytes, NULL, false, st);
}

static int by_period(const void *a, const void *b)
{
    const alm_obs *x = a;
    const alm_obs *y = b;
    int order = alm_period_cmp(x->period, y->period);
    return order != 0 ? order : alm_vintage_order(x, y);
}

static void sort_rows(lmdb_rows *rows)
{
    if (rows->count > 1) {
        qsort(rows->rows, rows->count, sizeof *rows->rows, by_period);
    }
}

alm_code lmdb_place_unchanged_get(const lmdb_txn *txn, uint32_t variant, alm_place_id place,
                                  const alm_part *part, bool others, alm_arena *arena,
                                  lmdb_place_rows *ret, alm_status *st)
{
    rows_ctx ctx = {.txn = txn,
                    .variant = variant,
                    .place = place,
                    .arena = arena,
                    .part = *part,
                    .winners_only = !others,
                    .out = ret};
    *ret = (lmdb_place_rows){0};
    return add_group(&ctx, st);
}

alm_code lmdb_place_rows_get(const lmdb_txn *txn, uint32_t variant, alm_place_id place,
                             alm_arena *arena, lmdb_place_rows *ret, alm_status *st)
{
    rows_ctx ctx = {.txn = txn, .variant = variant, .place = place, .arena = arena, .out = ret};
    *ret = (lmdb_place_rows){0};
    ALM_TRY(lmdb_part_get(txn, variant, place >> LMDB_CHUNK_BITS, arena, &ctx.part, st));
    ALM_TRY(add_group(&ctx, st));
    for (size_t i = 0; i < ctx.part.count; i++) {
        ALM_TRY(add_changed(&ctx, ctx.part.changes[i].period, st));
    }
    if (ctx.part.count > 0) {
        sort_rows(&ret->winners);
        sort_rows(&ret->others);
    }
    return ALM_OK;
}
