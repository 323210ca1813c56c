// Verify: whatever finds the log again finds all of it, and nothing else.
#include "memory_store.h"
#include "record.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct verify_ctx {
    memory_store *store;
    void (*problem)(void *arg, alm_str text);
    void *arg;
    alm_verify_result *result;
    alm_arena *arena; // as long as one record
} verify_ctx;

static void report(verify_ctx *ctx, const char *fmt, ...) ALM_PRINTF(2, 3);

static void report(verify_ctx *ctx, const char *fmt, ...)
{
    char text[ALM_STATUS_MESSAGE_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ctx->result->problems++;
    if (ctx->problem != NULL) {
        ctx->problem(ctx->arg, alm_str_from(text));
    }
}

// Is the row among the vintages of its variant?
static bool is_found(const memory_store *store, alm_str text, const alm_obs *row)
{
    uint32_t number;
    if (!memory_index_find(&store->variants.ids, text, &number)) {
        return false;
    }
    const memory_variant *variant = &store->variants.of[number];
    size_t at = memory_cell_find(variant, alm_period_pack(row->period), row->place);
    while (at < variant->count && memory_cell_cmp(variant->vintages[at], row) == 0 &&
           variant->vintages[at] != row) {
        at++;
    }
    return at < variant->count && variant->vintages[at] == row;
}

static void check_commit(verify_ctx *ctx, uint64_t sequence)
{
    const memory_commit *commit = &ctx->store->commits.of[sequence - 1];
    ctx->result->log_records++;
    ctx->result->observations += commit->row_count;
    for (size_t i = 0; i < commit->row_count; i++) {
        const alm_obs *row = &commit->rows[i];
        if (row->sequence != sequence ||
            !is_found(ctx->store, commit->variants[row->variant], row)) {
            report(ctx, "commit %llu: row %zu is not found in its cell",
                   (unsigned long long)sequence, i);
        }
    }
    if (commit->row_count != commit->added + commit->revised) {
        report(ctx, "commit %llu: %zu rows, and its count says %llu", (unsigned long long)sequence,
               commit->row_count, (unsigned long long)(commit->added + commit->revised));
    }
}

static void check_variant(verify_ctx *ctx, const memory_variant *variant)
{
    for (size_t i = 1; i < variant->count; i++) {
        const alm_obs *before = variant->vintages[i - 1];
        const alm_obs *row = variant->vintages[i];
        int order = memory_cell_cmp(before, row);
        if (order > 0 || (order == 0 && alm_vintage_source_order(before, row) >= 0)) {
            report(ctx, "variant %.*s: vintage %zu is out of order", ALM_STR_ARGS(variant->text),
                   i);
        }
    }
    ctx->result->slices++;
}

static void check_entries(verify_ctx *ctx, alm_entry_kind kind)
{
    const memory_texts *entries = &ctx->store->entries[kind];
    for (size_t i = 0; i < entries->count; i++) {
        uint32_t id;
        alm_entry entry;
        alm_status st = ALM_STATUS_INIT;
        alm_arena_reset(ctx->arena);
        if (alm_entry_decode(entries->of[i], kind, ctx->arena, &entry, &st) != ALM_OK) {
            report(ctx, "%s %zu: %s", alm_entry_kind_word(kind), i, st.message);
        } else if (!memory_index_find(&entries->numbers, alm_entry_code(&entry), &id) || id != i) {
            report(ctx, "%s %zu: its code does not lead back to it", alm_entry_kind_word(kind), i);
        } else if (kind == ALM_ENTRY_SOURCE &&
                   entry.source.precedence != ctx->store->precedence[i]) {
            report(ctx, "source %zu: its precedence is not the one that is used", i);
        }
    }
}

static void check_all(verify_ctx *ctx)
{
    const memory_store *store = ctx->store;
    uint64_t vintages = 0;
    for (uint64_t i = 1; i <= store->commits.count; i++) {
        check_commit(ctx, i);
    }
    for (size_t i = 0; i < store->variants.count; i++) {
        check_variant(ctx, &store->variants.of[i]);
        vintages += store->variants.of[i].count;
    }
    for (size_t k = 0; k < ALM_ARRAY_LEN(alm_entry_kinds); k++) {
        check_entries(ctx, alm_entry_kinds[k]);
    }
    if (vintages != ctx->result->observations || vintages != store->observations) {
        report(ctx, "%llu vintages are in cells, %llu in the log, and the head says %llu",
               (unsigned long long)vintages, (unsigned long long)ctx->result->observations,
               (unsigned long long)store->observations);
    }
}

alm_code memory_verify(alm_store *base, void (*problem)(void *arg, alm_str text), void *arg,
                       alm_verify_result *ret, alm_status *st)
{
    alm_store_stats stats;
    verify_ctx ctx = {.store = memory_of(base),
                      .problem = problem,
                      .arg = arg,
                      .result = ret,
                      .arena = alm_arena_create(0)};
    *ret = (alm_verify_result){0};
    if (ctx.arena == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to verify");
    }
    // Whoever holds `writing` is the only one to change anything: readers may go on.
    pthread_mutex_lock(&ctx.store->writing);
    check_all(&ctx);
    alm_code code = alm_store_stats_get(base, &stats, st);
    pthread_mutex_unlock(&ctx.store->writing);
    ret->cells = stats.cells;
    alm_arena_destroy(&ctx.arena);
    return code;
}
