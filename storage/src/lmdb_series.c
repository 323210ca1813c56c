// Which series there are, and what could not be taken.
#include "lmdb_presence.h"
#include "lmdb_variant_table.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the list");
}

// --- series --------------------------------------------------------------------------------------

#define FIND_BYTES_MAX ((size_t)2 << 30)

// The places asked for in one chunk.
typedef struct asked_chunk {
    uint32_t chunk;
    alm_place_set places;
} asked_chunk;

typedef struct find_ctx {
    const alm_series_query *query;
    alm_arena *arena;   // as long as the question
    asked_chunk *asked; // by chunk
    size_t asked_count, asked_cap;
    alm_series_info *infos;
    size_t count;
} find_ctx;

static alm_code sort_places(find_ctx *ctx, alm_status *st)
{
    const alm_series_query *query = ctx->query;
    for (size_t i = 0; i < query->place_count; i++) {
        uint32_t chunk = query->places[i] >> LMDB_CHUNK_BITS;
        bool is_new = ctx->asked_count == 0 || ctx->asked[ctx->asked_count - 1].chunk != chunk;
        if (is_new && !alm_arena_grow(ctx->arena, (void **)&ctx->asked, &ctx->asked_cap,
                                      ctx->asked_count + 1, sizeof *ctx->asked)) {
            return no_memory(st);
        }
        if (is_new) {
            memset(&ctx->asked[ctx->asked_count], 0, sizeof *ctx->asked);
            ctx->asked[ctx->asked_count++].chunk = chunk;
        }
        alm_place_set_add(&ctx->asked[ctx->asked_count - 1].places, query->places[i]);
    }
    return ALM_OK;
}

static uint64_t count_asked(const find_ctx *ctx, uint32_t chunk, const alm_place_set *places)
{
    for (size_t i = 0; i < ctx->asked_count; i++) {
        if (ctx->asked[i].chunk == chunk) {
            return alm_place_set_common(&ctx->asked[i].places, places);
        }
    }
    return 0;
}

// First and last are packed while parts are added up.
typedef struct sum {
    uint64_t places, asked, cells, first, last;
} sum;

static void add_part(const find_ctx *ctx, uint32_t chunk, const alm_presence *part, sum *s)
{
    if (part->cells == 0) {
        return;
    }
    s->first = s->cells == 0 ? part->first : ALM_MIN(s->first, part->first);
    s->last = ALM_MAX(s->last, part->last);
    s->cells += part->cells;
    s->places += alm_place_set_count(&part->places);
    s->asked += count_asked(ctx, chunk, &part->places);
}

static alm_code sum_variant(const find_ctx *ctx, lmdb_scan *scan, uint32_t variant, sum *ret,
                            alm_status *st)
{
    uint32_t of, chunk;
    lmdb_key key = lmdb_key_of_pair(variant, 0);
    *ret = (sum){0};
    ALM_TRY(lmdb_scan_seek(scan, &key, st));
    while (scan->found && lmdb_pair_from_key(scan->key, &of, &chunk) && of == variant) {
        alm_presence part;
        ALM_TRY(alm_presence_decode(scan->value, &part, st));
        add_part(ctx, chunk, &part, ret);
        ALM_TRY(lmdb_scan_next(scan, st));
    }
    if (ctx->query->all_places) {
        ret->asked = ret->places;
    }
    return ALM_OK;
}

static alm_code keep_info(find_ctx *ctx, alm_str text, const sum *s, alm_status *st)
{
    alm_series_info info = {.variant = text,
                            .place_count = s->places,
                            .asked_place_count = s->asked,
                            .cell_count = s->cells};
    bool is_known = s->cells == 0 || (alm_period_unpack(s->first, &info.first) &&
                                      alm_period_unpack(s->last, &info.last));
    ctx->infos[ctx->count++] = info;
    return is_known ? ALM_OK
                    : alm_status_set(st, ALM_DATA_LOSS, "a period of variant %.*s is damaged",
                                     ALM_STR_ARGS(text));
}

static alm_code find_in(find_ctx *ctx, lmdb_scan *scan, const lmdb_found_variant *variants,
                        size_t count, alm_status *st)
{
    ctx->infos = alm_arena_alloc(ctx->arena, count * sizeof *ctx->infos);
    if (ctx->infos == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        sum s;
        ALM_TRY(sum_variant(ctx, scan, variants[i].id, &s, st));
        if (ctx->query->all_places || s.asked > 0) {
            ALM_TRY(keep_info(ctx, variants[i].text, &s, st));
        }
    }
    return ALM_OK;
}

static alm_code find_all(lmdb_store *store, const lmdb_txn *txn, find_ctx *ctx, alm_status *st)
{
    lmdb_scan scan;
    size_t count;
    lmdb_found_variant *variants;
    ALM_TRY(sort_places(ctx, st));
    ALM_TRY(lmdb_variant_table_find(store->variants, txn, ctx->query, ctx->arena, &variants, &count,
                                    st));
    ALM_TRY(lmdb_scan_open(txn, LMDB_PRESENCE, &scan, st));
    alm_code code = find_in(ctx, &scan, variants, count, st);
    lmdb_scan_close(&scan);
    return code;
}

// All of one snapshot, which is over before anything is shown.
static alm_code snapshot_series(lmdb_store *store, find_ctx *ctx, alm_status *st)
{
    lmdb_txn txn;
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = find_all(store, &txn, ctx, st);
    lmdb_abort(&txn);
    return code;
}

alm_code lmdb_series_find(alm_store *store, const alm_series_query *query, alm_series_visit visit,
                          void *arg, alm_status *st)
{
    find_ctx ctx = {.query = query, .arena = alm_arena_create(FIND_BYTES_MAX)};
    alm_code code = ctx.arena == NULL ? no_memory(st) : snapshot_series(lmdb_of(store), &ctx, st);
    for (size_t i = 0; code == ALM_OK && i < ctx.count; i++) {
        code = visit(arg, &ctx.infos[i], st);
    }
    alm_arena_destroy(&ctx.arena);
    return code;
}

// --- quarantine ----------------------------------------------------------------------------------

#define PAGE_ROW_COUNT 256 // copied out of one snapshot, then visited

typedef struct quarantine_page {
    alm_str rows[PAGE_ROW_COUNT];
    size_t count;
    uint64_t next; // number of the first row behind the page
} quarantine_page;

static alm_code copy_row(const lmdb_scan *scan, alm_arena *arena, quarantine_page *page,
                         alm_status *st)
{
    uint64_t number;
    if (!lmdb_u64_from_key(scan->key, &number)) {
        return alm_status_set(st, ALM_DATA_LOSS, "a key of the quarantine is damaged");
    }
    char *copy = alm_arena_strdup(arena, scan->value);
    if (copy == NULL) {
        return no_memory(st);
    }
    page->rows[page->count++] = (alm_str){.data = copy, .len = scan->value.len};
    page->next = number + 1;
    return ALM_OK;
}

static alm_code copy_page(lmdb_store *store, alm_arena *arena, quarantine_page *page,
                          alm_status *st)
{
    lmdb_txn txn;
    lmdb_scan scan;
    lmdb_key key = lmdb_key_of_u64(page->next);
    page->count = 0;
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = lmdb_scan_open(&txn, LMDB_QUARANTINE, &scan, st);
    if (code == ALM_OK) {
        code = lmdb_scan_seek(&scan, &key, st);
    }
    while (code == ALM_OK && scan.found && page->count < PAGE_ROW_COUNT) {
        code = copy_row(&scan, arena, page, st);
        if (code == ALM_OK) {
            code = lmdb_scan_next(&scan, st);
        }
    }
    lmdb_scan_close(&scan);
    lmdb_abort(&txn);
    return code;
}

static alm_code visit_pages(lmdb_store *store, quarantine_page *page, alm_arena *arena,
                            alm_code (*visit)(void *arg, const alm_quarantined *row,
                                              alm_status *st),
                            void *arg, alm_status *st)
{
    do {
        alm_arena_reset(arena);
        ALM_TRY(copy_page(store, arena, page, st));
        for (size_t i = 0; i < page->count; i++) {
            alm_quarantined row;
            ALM_TRY(alm_quarantined_decode(page->rows[i], &row, st));
            ALM_TRY(visit(arg, &row, st));
        }
    } while (page->count > 0);
    return ALM_OK;
}

alm_code lmdb_quarantine_visit(alm_store *store,
                               alm_code (*visit)(void *arg, const alm_quarantined *row,
                                                 alm_status *st),
                               void *arg, alm_status *st)
{
    quarantine_page page = {0};
    alm_arena *arena = alm_arena_create(0);
    alm_code code =
        arena == NULL ? no_memory(st) : visit_pages(lmdb_of(store), &page, arena, visit, arg, st);
    alm_arena_destroy(&arena);
    return code;
}
