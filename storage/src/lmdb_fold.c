#include "lmdb_fold.h"

#include "panel.h"

// Cells turned at a time.
#define PANEL_CELL_COUNT 262144
// Two groups fill a page of LMDB: of its 4,096 bytes a node with key and checksum takes 28 more.
#define GROUP_BYTES_MAX  2010
#define GROUP_BYTES_LOW  1700
#define GROUP_TRY_COUNT  4

#define FOLD_BYTES_MAX   ((size_t)2 << 30)

typedef struct fold_ctx {
    const lmdb_txn *txn;
    lmdb_fold *fold;
    alm_arena *slices; // as long as the part
    alm_arena *panel;  // as long as one panel
    alm_arena *group;  // as long as one group
    alm_panel_slice *list;
    size_t count, cap;
    double bytes_per_row; // of the last group
} fold_ctx;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to fold slices");
}

// --- the part's slices ---------------------------------------------------------------------------

static alm_code add_slice(fold_ctx *ctx, lmdb_slice_key slice, alm_str winners, alm_status *st)
{
    bool found;
    alm_panel_slice *out;
    if (!alm_arena_grow(ctx->slices, (void **)&ctx->list, &ctx->cap, ctx->count + 1,
                        sizeof *ctx->list)) {
        return no_memory(st);
    }
    out = &ctx->list[ctx->count++];
    *out = (alm_panel_slice){.winners = winners};
    if (!alm_period_unpack(slice.period, &out->period)) {
        return alm_status_set(st, ALM_DATA_LOSS, "the period in a slice's key is damaged");
    }
    lmdb_key key = lmdb_key_of_slice(slice);
    return lmdb_get(ctx->txn, LMDB_VINTAGES, &key, &found, &out->others, st);
}

static alm_code list_slices(fold_ctx *ctx, lmdb_scan *scan, alm_status *st)
{
    const lmdb_fold *fold = ctx->fold;
    lmdb_slice_key at = {.variant = fold->variant, .chunk = fold->chunk};
    for (;;) {
        lmdb_slice_key found;
        lmdb_key key = lmdb_key_of_slice(at);
        ALM_TRY(lmdb_scan_seek(scan, &key, st));
        if (!scan->found) {
            return ALM_OK;
        }
        if (!lmdb_slice_key_from(scan->key, &found)) {
            return alm_status_set(st, ALM_DATA_LOSS, "a slice's key is damaged");
        }
        if (found.variant != fold->variant) {
            return ALM_OK;
        }
        at.period = found.period + (found.chunk >= fold->chunk);
        if (found.chunk == fold->chunk) {
            ALM_TRY(add_slice(ctx, found, scan->value, st));
        }
    }
}

// --- groups --------------------------------------------------------------------------------------

static size_t place_rows(const alm_panel *panel, size_t i)
{
    size_t rows = 0;
    for (size_t j = 0; j < panel->period_count; j++) {
        rows += panel->present[i * panel->period_count + j];
    }
    return rows;
}

// The place behind those that have so many rows, from the place at `from` on, one at least.
static size_t take_places(const alm_panel *panel, size_t from, double rows)
{
    size_t to = from;
    size_t taken = 0;
    while (to < panel->place_count) {
        taken += place_rows(panel, to);
        if (to > from && (double)taken > rows) {
            break;
        }
        to++;
    }
    return to;
}

static alm_code try_group(fold_ctx *ctx, const alm_panel *panel, size_t from, size_t to,
                          size_t *ret_bytes, alm_status *st)
{
    size_t begin = ctx->fold->bytes.len;
    alm_arena_reset(ctx->group);
    ALM_TRY(alm_group_encode(panel, from, to, ctx->group, &ctx->fold->bytes, st));
    *ret_bytes = ctx->fold->bytes.len - begin;
    return ALM_OK;
}

// Encodes as many places as fill half a page, by trying. *ret_to: the place behind them.
static alm_code fit_group(fold_ctx *ctx, const alm_panel *panel, size_t from, size_t *ret_to,
                          alm_status *st)
{
    size_t begin = ctx->fold->bytes.len;
    size_t low = from + 1;                // fits, or is one place
    size_t high = panel->place_count + 1; // does not fit
    size_t rows = place_rows(panel, from);
    double wanted = (GROUP_BYTES_MAX + GROUP_BYTES_LOW) / 2.0 / ctx->bytes_per_row;
    size_t to = take_places(panel, from, wanted);
    for (int i = 0;; i++) {
        size_t bytes;
        ctx->fold->bytes.len = begin;
        ALM_TRY(try_group(ctx, panel, from, to, &bytes, st));
        rows = 0;
        for (size_t p = from; p < to; p++) {
            rows += place_rows(panel, p);
        }
        ctx->bytes_per_row = (double)bytes / (double)rows;
        bool fits = bytes <= GROUP_BYTES_MAX || to == from + 1;
        low = fits ? ALM_MAX(low, to) : low;
        high = fits ? high : ALM_MIN(high, to);
        if (fits && (bytes >= GROUP_BYTES_LOW || to + 1 >= high || i >= GROUP_TRY_COUNT)) {
            break;
        }
        wanted = (GROUP_BYTES_MAX + GROUP_BYTES_LOW) / 2.0 / ctx->bytes_per_row;
        to = i >= GROUP_TRY_COUNT ? low : take_places(panel, from, wanted);
        to = ALM_MAX(low, ALM_MIN(to, high - 1));
    }
    *ret_to = to;
    return ALM_OK;
}

static alm_code fold_panel(fold_ctx *ctx, const alm_panel *panel, alm_status *st)
{
    for (size_t from = 0; from < panel->place_count;) {
        size_t to;
        size_t begin = ctx->fold->bytes.len;
        if (place_rows(panel, from) == 0) {
            from++;
            continue;
        }
        ALM_TRY(fit_group(ctx, panel, from, &to, st));
        if (!alm_arena_grow(ctx->fold->arena, (void **)&ctx->fold->groups, &ctx->fold->cap,
                            ctx->fold->count + 1, sizeof *ctx->fold->groups)) {
            return no_memory(st);
        }
        ctx->fold->groups[ctx->fold->count++] = (lmdb_fold_group){
            .first = panel->places[from], .at = begin, .len = ctx->fold->bytes.len - begin};
        from = to;
    }
    return ALM_OK;
}

static alm_code fold_slices(fold_ctx *ctx, alm_status *st)
{
    lmdb_scan scan;
    ALM_TRY(lmdb_scan_open(ctx->txn, LMDB_SLICE, &scan, st));
    alm_code code = list_slices(ctx, &scan, st);
    lmdb_scan_close(&scan);
    ALM_TRY(code);
    if (ctx->count == 0) {
        return ALM_OK;
    }
    uint64_t places = ALM_MAX(PANEL_CELL_COUNT / ctx->count, (uint64_t)1);
    uint64_t end = (uint64_t)(ctx->fold->chunk + 1) << LMDB_CHUNK_BITS;
    for (uint64_t from = (uint64_t)ctx->fold->chunk << LMDB_CHUNK_BITS; from < end;) {
        alm_panel panel;
        uint64_t to = ALM_MIN(from + places, end);
        alm_arena_reset(ctx->panel);
        ALM_TRY(alm_panel_build(ctx->list, ctx->count, (alm_place_id)from, (alm_place_id)to,
                                ctx->panel, &panel, st));
        ALM_TRY(fold_panel(ctx, &panel, st));
        from = to;
    }
    return ALM_OK;
}

alm_code lmdb_fold_make(const lmdb_txn *txn, lmdb_fold *fold, alm_status *st)
{
    fold_ctx ctx = {.txn = txn,
                    .fold = fold,
                    .slices = alm_arena_create(FOLD_BYTES_MAX),
                    .panel = alm_arena_create(FOLD_BYTES_MAX),
                    .group = alm_arena_create(FOLD_BYTES_MAX),
                    .bytes_per_row = 1.2};
    alm_code code = ctx.slices == NULL || ctx.panel == NULL || ctx.group == NULL
                        ? no_memory(st)
                        : fold_slices(&ctx, st);
    alm_arena_destroy(&ctx.group);
    alm_arena_destroy(&ctx.panel);
    alm_arena_destroy(&ctx.slices);
    return code;
}

// --- writing -------------------------------------------------------------------------------------

static alm_code delete_groups(const lmdb_txn *txn, const lmdb_fold *fold, alm_status *st)
{
    uint64_t from = (uint64_t)fold->chunk << LMDB_CHUNK_BITS;
    for (;;) {
        lmdb_scan scan;
        uint32_t variant, first;
        lmdb_key key = lmdb_key_of_pair(fold->variant, (uint32_t)from);
        ALM_TRY(lmdb_scan_open(txn, LMDB_SERIES, &scan, st));
        // A damaged group is replaced like any other.
        alm_code code = lmdb_scan_seek(&scan, &key, st);
        bool is_one = scan.found && lmdb_pair_from_key(scan.key, &variant, &first) &&
                      variant == fold->variant && first >> LMDB_CHUNK_BITS == fold->chunk;
        lmdb_scan_close(&scan);
        if (code != ALM_OK && code != ALM_DATA_LOSS) {
            return code;
        }
        if (!is_one) {
            return ALM_OK;
        }
        key = lmdb_key_of_pair(variant, first);
        ALM_TRY(lmdb_delete(txn, LMDB_SERIES, &key, st));
        from = first;
    }
}

// Takes what was folded off the part's changes; what changed meanwhile stays.
static alm_code settle_part(const lmdb_txn *txn, const lmdb_fold *fold, alm_arena *scratch,
                            alm_status *st)
{
    alm_part part;
    size_t kept = 0;
    ALM_TRY(lmdb_part_get(txn, fold->variant, fold->chunk, scratch, &part, st));
    alm_part_change *changes = alm_arena_alloc(scratch, part.count * sizeof *changes);
    if (changes == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < part.count; i++) {
        if (part.changes[i].sequence > fold->sequence) {
            changes[kept++] = part.changes[i];
        }
    }
    part = (alm_part){.changes = changes, .count = kept};
    return lmdb_part_put(txn, fold->variant, fold->chunk, &part, st);
}

alm_code lmdb_fold_put(const lmdb_txn *txn, const lmdb_fold *fold, alm_status *st)
{
    alm_buf value;
    alm_code code = ALM_OK;
    ALM_TRY(delete_groups(txn, fold, st));
    alm_buf_init(&value, 0);
    for (size_t i = 0; code == ALM_OK && i < fold->count; i++) {
        const lmdb_fold_group *group = &fold->groups[i];
        lmdb_key key = lmdb_key_of_pair(fold->variant, group->first);
        alm_buf_reset(&value);
        alm_buf_append(&value, fold->bytes.data + group->at, group->len);
        code = lmdb_put(txn, LMDB_SERIES, &key, &value, 0, st);
    }
    alm_buf_deinit(&value);
    ALM_TRY(code);
    alm_arena *scratch = alm_arena_create(0);
    code = scratch == NULL ? no_memory(st) : settle_part(txn, fold, scratch, st);
    alm_arena_destroy(&scratch);
    return code;
}
