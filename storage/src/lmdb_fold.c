#include "lmdb_fold.h"

#include "panel.h"

// Cells turned at a time.
#define PANEL_CELL_COUNT 262144
// A group fills a page of its own, of whose 4,096 bytes header and checksum take 24. (Two in a leaf
// page would do as well, but LMDB leaves one behind in each when pages are filled in order.)
#define GROUP_BYTES_MAX  4072
#define GROUP_BYTES_LOW  3800
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
    const alm_base *base; // of the list; NULL: none
    size_t cell_count;    // in all groups
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

// Encodes as many places as fill a page, by trying. *ret_to: the place behind them.
static alm_code fit_group(fold_ctx *ctx, const alm_panel *panel, size_t from, size_t *ret_to,
                          alm_status *st)
{
    size_t begin = ctx->fold->bytes.len;
    size_t low = from + 1;                // fits, or is one place
    size_t high = panel->place_count + 1; // does not fit
    double wanted = (GROUP_BYTES_MAX + GROUP_BYTES_LOW) / 2.0 / ctx->bytes_per_row;
    size_t to = take_places(panel, from, wanted);
    for (int i = 0;; i++) {
        size_t bytes;
        size_t rows = 0;
        ctx->fold->bytes.len = begin;
        ALM_TRY(try_group(ctx, panel, from, to, &bytes, st));
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
        for (size_t i = from; i < to; i++) {
            ctx->cell_count += place_rows(panel, i);
        }
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

// The places that have any cell: mostly far fewer than the chunk has room for.
static alm_code find_places(fold_ctx *ctx, uint64_t *ret_from, uint64_t *ret_end, alm_status *st)
{
    uint64_t first = (uint64_t)ctx->fold->chunk << LMDB_CHUNK_BITS;
    uint64_t from = first + LMDB_CHUNK_PLACES, end = first;
    for (size_t i = 0; i < ctx->count; i++) {
        alm_block block;
        alm_arena_reset(ctx->panel);
        ALM_TRY(alm_block_open(ctx->list[i].winners, LMDB_CHUNK_PLACES, ctx->base, ctx->panel,
                               &block, st));
        if (block.count > 0) {
            alm_column *places = &block.columns[ALM_BLOCK_PLACE];
            from = ALM_MIN(from, (uint64_t)alm_column_get(places, 0));
            end = ALM_MAX(end, (uint64_t)alm_column_get(places, block.count - 1) + 1);
        }
    }
    *ret_from = ALM_MAX(from, first);
    *ret_end = ALM_MIN(end, first + LMDB_CHUNK_PLACES); // what lies outside, verify reports
    return ALM_OK;
}

static alm_code fold_panels(fold_ctx *ctx, alm_status *st)
{
    uint64_t from, end;
    uint64_t places = ALM_MAX(PANEL_CELL_COUNT / ctx->count, (uint64_t)1);
    ALM_TRY(find_places(ctx, &from, &end, st));
    while (from < end) {
        alm_panel panel;
        uint64_t to = ALM_MIN(from + places, end);
        alm_arena_reset(ctx->panel);
        ALM_TRY(alm_panel_build(ctx->list, ctx->count, ctx->base, (alm_place_id)from,
                                (alm_place_id)to, ctx->panel, &panel, st));
        ALM_TRY(fold_panel(ctx, &panel, st));
        from = to;
    }
    return ALM_OK;
}

// --- a new base ----------------------------------------------------------------------------------

// So many periods, of so many cells each, are worth a base; half as many again as one was made
// from, a new one.
#define BASE_PERIOD_COUNT_MIN 8
#define BASE_CELL_COUNT_MIN   256

static bool wants_base(const fold_ctx *ctx)
{
    size_t enough = ctx->count * BASE_CELL_COUNT_MIN;
    if (ctx->base != NULL) {
        enough = ctx->base->cell_count + ctx->base->cell_count / 2;
    }
    return ctx->count >= BASE_PERIOD_COUNT_MIN && ctx->cell_count >= enough;
}

// What is added up for the base: each slice as a whole weighs alike.
typedef struct sums {
    double *sum, *cells; // by place of the chunk
    int64_t *places, *numbers;
} sums;

static alm_code sums_init(fold_ctx *ctx, sums *ret, alm_status *st)
{
    alm_arena *arena = ctx->panel;
    *ret = (sums){.sum = alm_arena_calloc(arena, LMDB_CHUNK_PLACES, sizeof *ret->sum),
                  .cells = alm_arena_calloc(arena, LMDB_CHUNK_PLACES, sizeof *ret->cells),
                  .places = alm_arena_alloc(arena, LMDB_CHUNK_PLACES * sizeof *ret->places),
                  .numbers = alm_arena_alloc(arena, LMDB_CHUNK_PLACES * sizeof *ret->numbers)};
    return ret->sum == NULL || ret->cells == NULL || ret->places == NULL || ret->numbers == NULL
               ? no_memory(st)
               : ALM_OK;
}

static alm_code sums_add(fold_ctx *ctx, const alm_panel_slice *slice, sums *s, alm_status *st)
{
    alm_block block;
    double total = 0;
    alm_arena_reset(ctx->group);
    ALM_TRY(alm_block_open(slice->winners, LMDB_CHUNK_PLACES, ctx->base, ctx->group, &block, st));
    if (!block.is_scaled || block.count == 0) {
        return ALM_OK;
    }
    alm_column_range(&block.columns[ALM_BLOCK_PLACE], 0, block.count, s->places);
    alm_block_numbers(&block, 0, block.count, s->numbers);
    for (size_t i = 0; i < block.count; i++) {
        total += ALM_MAX((double)s->numbers[i], 0.0);
    }
    double mean = total / (double)block.count;
    for (size_t i = 0; i < block.count; i++) {
        size_t at = (size_t)s->places[i] % LMDB_CHUNK_PLACES;
        s->sum[at] += mean > 0 ? ALM_MAX((double)s->numbers[i], 0.0) / mean : 0;
        s->cells[at]++;
    }
    return ALM_OK;
}

// A mean of 1 stands for this: enough digits for the small, room for the large.
#define BASE_MEAN 1048576.0

static alm_code make_base(fold_ctx *ctx, alm_status *st)
{
    sums s;
    size_t count = 0;
    alm_arena_reset(ctx->panel);
    ALM_TRY(sums_init(ctx, &s, st));
    for (size_t i = 0; i < ctx->count; i++) {
        ALM_TRY(sums_add(ctx, &ctx->list[i], &s, st));
    }
    for (size_t i = 0; i < LMDB_CHUNK_PLACES; i++) {
        s.sum[i] = s.cells[i] > 0 ? s.sum[i] / s.cells[i] * BASE_MEAN : 0;
        count = s.cells[i] > 0 ? i + 1 : count;
    }
    return alm_base_make(s.sum, count, ctx->fold->chunk << LMDB_CHUNK_BITS, ctx->cell_count,
                         ctx->fold->arena, &ctx->fold->base)
               ? ALM_OK
               : no_memory(st);
}

static alm_code rebase_slices(fold_ctx *ctx, alm_status *st)
{
    lmdb_fold *fold = ctx->fold;
    size_t old_bytes = 0;
    size_t begin = fold->bytes.len;
    fold->slices = alm_arena_alloc(fold->arena, ctx->count * sizeof *fold->slices);
    if (fold->slices == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < ctx->count; i++) {
        size_t at = fold->bytes.len;
        alm_arena_reset(ctx->group);
        ALM_TRY(alm_block_rebase(ctx->list[i].winners, LMDB_CHUNK_PLACES, ctx->base, &fold->base,
                                 ctx->group, &fold->bytes, st));
        fold->slices[i] = (lmdb_fold_slice){
            .period = alm_period_pack(ctx->list[i].period), .at = at, .len = fold->bytes.len - at};
        old_bytes += ctx->list[i].winners.len;
    }
    // Not for a few bytes.
    fold->has_base = fold->bytes.len - begin < old_bytes - old_bytes / 16;
    fold->slice_count = fold->has_base ? ctx->count : 0;
    fold->bytes.len = fold->has_base ? fold->bytes.len : begin;
    return ALM_OK;
}

static alm_code fold_slices(fold_ctx *ctx, alm_status *st)
{
    lmdb_scan scan;
    ALM_TRY(lmdb_base_get(ctx->txn, ctx->fold->variant, ctx->fold->chunk, &ctx->base, st));
    ALM_TRY(lmdb_scan_open(ctx->txn, LMDB_SLICE, &scan, st));
    alm_code code = list_slices(ctx, &scan, st);
    lmdb_scan_close(&scan);
    ALM_TRY(code);
    if (ctx->count == 0) {
        return ALM_OK;
    }
    ALM_TRY(fold_panels(ctx, st));
    ctx->fold->had_base = ctx->base != NULL;
    if (!wants_base(ctx)) {
        return ALM_OK;
    }
    ALM_TRY(make_base(ctx, st));
    return rebase_slices(ctx, st);
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

// Puts slices packed anew in the place of those that have not changed since. Over another base none
// may have: they would be over the old one.
static alm_code put_slices(const lmdb_txn *txn, const lmdb_fold *fold, const alm_part *part,
                           alm_buf *value, alm_status *st)
{
    size_t at = 0;
    for (size_t i = 0; i < part->count; i++) {
        if (fold->had_base && part->changes[i].sequence > fold->sequence) {
            return ALM_OK;
        }
    }
    ALM_TRY(lmdb_base_put(txn, fold->variant, fold->chunk, &fold->base, st));
    for (size_t i = 0; i < fold->slice_count; i++) {
        const lmdb_fold_slice *slice = &fold->slices[i];
        lmdb_key key = lmdb_key_of_slice((lmdb_slice_key){
            .variant = fold->variant, .period = slice->period, .chunk = fold->chunk});
        while (at < part->count && part->changes[at].period < slice->period) {
            at++;
        }
        if (at < part->count && part->changes[at].period == slice->period &&
            part->changes[at].sequence > fold->sequence) {
            continue;
        }
        alm_buf_reset(value);
        alm_buf_append(value, fold->bytes.data + slice->at, slice->len);
        ALM_TRY(lmdb_put(txn, LMDB_SLICE, &key, value, 0, st));
    }
    return ALM_OK;
}

// Takes what was folded off the part's changes; what changed meanwhile stays.
static alm_code settle_part(const lmdb_txn *txn, const lmdb_fold *fold, const alm_part *part,
                            alm_arena *scratch, alm_status *st)
{
    size_t kept = 0;
    alm_part_change *changes = alm_arena_alloc(scratch, part->count * sizeof *changes);
    if (changes == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < part->count; i++) {
        if (part->changes[i].sequence > fold->sequence) {
            changes[kept] = part->changes[i];
            changes[kept].first = ALM_MAX(changes[kept].first, fold->sequence + 1);
            kept++;
        }
    }
    alm_part left = {.changes = changes, .count = kept};
    return lmdb_part_put(txn, fold->variant, fold->chunk, &left, st);
}

static alm_code put_groups(const lmdb_txn *txn, const lmdb_fold *fold, alm_buf *value,
                           alm_status *st)
{
    ALM_TRY(delete_groups(txn, fold, st));
    for (size_t i = 0; i < fold->count; i++) {
        const lmdb_fold_group *group = &fold->groups[i];
        lmdb_key key = lmdb_key_of_pair(fold->variant, group->first);
        alm_buf_reset(value);
        alm_buf_append(value, fold->bytes.data + group->at, group->len);
        ALM_TRY(lmdb_put(txn, LMDB_SERIES, &key, value, 0, st));
    }
    return ALM_OK;
}

static alm_code put_fold(const lmdb_txn *txn, const lmdb_fold *fold, alm_buf *value,
                         alm_arena *scratch, alm_status *st)
{
    alm_part part;
    ALM_TRY(put_groups(txn, fold, value, st));
    ALM_TRY(lmdb_part_get(txn, fold->variant, fold->chunk, scratch, &part, st));
    if (fold->has_base) {
        ALM_TRY(put_slices(txn, fold, &part, value, st));
    }
    return settle_part(txn, fold, &part, scratch, st);
}

alm_code lmdb_fold_put(const lmdb_txn *txn, const lmdb_fold *fold, alm_status *st)
{
    alm_buf value;
    alm_arena *scratch = alm_arena_create(0);
    alm_buf_init(&value, 0);
    alm_code code = scratch == NULL ? no_memory(st) : put_fold(txn, fold, &value, scratch, st);
    alm_buf_deinit(&value);
    alm_arena_destroy(&scratch);
    return code;
}
