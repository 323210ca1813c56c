// A read fixes its state once and then takes one variant after the other: the rows that answer are
// copied under the mutex and visited without it. What was committed stays, so a later look at the
// store finds the same state again.
#include "memory_store.h"
#include "read_cutoffs.h"
#include "read_plan.h"
#include "record.h"

#include <stdlib.h>

#define READ_BYTES_MAX ((size_t)1 << 30)

// A cell that is asked for: its vintages in the variant, and which of them wins.
typedef struct cell {
    size_t from, to;
    const alm_obs *winner;
} cell;

typedef struct read_ctx {
    memory_store *store;
    const alm_read *read;
    alm_vintage_filter filter;
    alm_precedence precedence;
    uint32_t *variants; // ids
    size_t variant_count;
    alm_cutoffs cut;
    alm_arena *plan; // as long as the read
    alm_arena *step; // as long as one visit
} read_ctx;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "the read is too large for its memory");
}

// --- the state -----------------------------------------------------------------------------------

static alm_code wants_indicator(const alm_read *read, alm_str text, bool *ret, alm_status *st)
{
    alm_variant variant;
    ALM_TRY(alm_variant_decode(text, &variant, st));
    *ret = read->indicator_count == 0;
    for (size_t i = 0; i < read->indicator_count && !*ret; i++) {
        *ret = alm_str_eq(read->indicators[i], variant.indicator);
    }
    return ALM_OK;
}

static alm_code find_variants(read_ctx *ctx, alm_status *st)
{
    const memory_variants *variants = &ctx->store->variants;
    ctx->variants = alm_arena_calloc(ctx->plan, variants->count, sizeof *ctx->variants);
    if (ctx->variants == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < variants->count; i++) {
        bool is_indicator, is_wanted;
        ALM_TRY(wants_indicator(ctx->read, variants->of[i].text, &is_indicator, st));
        ALM_TRY(alm_read_wants_variant(ctx->read, variants->of[i].text, &is_wanted, st));
        if (is_indicator && is_wanted) {
            ctx->variants[ctx->variant_count++] = (uint32_t)i;
        }
    }
    return ALM_OK;
}

static alm_code fix_state(read_ctx *ctx, alm_status *st)
{
    memory_store *store = ctx->store;
    uint64_t places = store->entries[ALM_ENTRY_PLACE].count;
    ALM_TRY(alm_read_filter(ctx->read, store->commits.count, ALM_DAY_UNKNOWN, ctx->plan,
                            &ctx->filter, st));
    ALM_TRY(memory_precedence_get(store, ctx->plan, &ctx->precedence, st));
    if (ctx->read->last > 0) {
        ALM_TRY(alm_cutoffs_init(ctx->read, places, ctx->plan, &ctx->cut, st));
    }
    return find_variants(ctx, st);
}

// --- cells ---------------------------------------------------------------------------------------

static bool wants_cell(const read_ctx *ctx, const alm_obs *row)
{
    return alm_read_wants_period(ctx->read, row->period) &&
           alm_read_place_index(ctx->read, row->place) != SIZE_MAX;
}

// The cells asked for that have an admitted vintage.
static alm_code find_cells(const read_ctx *ctx, const memory_variant *variant, cell **ret,
                           size_t *ret_count, alm_status *st)
{
    *ret_count = 0;
    *ret = alm_arena_calloc(ctx->step, variant->count, sizeof **ret);
    if (*ret == NULL) {
        return no_memory(st);
    }
    for (size_t from = 0, to = 0; from < variant->count; from = to) {
        to = memory_cell_end(variant, from);
        const alm_obs *winner = wants_cell(ctx, variant->vintages[from])
                                    ? alm_vintage_choose(&ctx->precedence, &ctx->filter,
                                                         variant->vintages + from, to - from)
                                    : NULL;
        if (winner != NULL) {
            (*ret)[(*ret_count)++] = (cell){.from = from, .to = to, .winner = winner};
        }
    }
    return ALM_OK;
}

// With `last` only the newest of each place stay.
static size_t keep_newest(read_ctx *ctx, cell *cells, size_t count)
{
    size_t kept = 0;
    alm_cutoffs_begin(&ctx->cut);
    for (size_t i = count; i > 0; i--) {
        alm_cutoffs_count(&ctx->cut, cells[i - 1].winner);
    }
    for (size_t i = 0; i < count; i++) {
        if (alm_cutoffs_admit(&ctx->cut, cells[i].winner)) {
            cells[kept++] = cells[i];
        }
    }
    return kept;
}

// --- rows ----------------------------------------------------------------------------------------

static void put_row(alm_obs *rows, size_t *count, const alm_obs *row)
{
    rows[*count] = *row;
    rows[*count].variant = 0;
    ++*count;
}

static void put_vintages(const read_ctx *ctx, const memory_variant *variant, const cell *it,
                         alm_obs *rows, size_t *count)
{
    size_t before = *count;
    for (size_t i = it->from; i < it->to; i++) {
        if (alm_vintage_admitted(&ctx->filter, variant->vintages[i])) {
            put_row(rows, count, variant->vintages[i]);
        }
    }
    qsort(rows + before, *count - before, sizeof *rows, alm_vintage_order);
}

// Copies the rows that answer.
static alm_code gather(read_ctx *ctx, const memory_variant *variant, alm_obs **ret,
                       size_t *ret_count, alm_status *st)
{
    cell *cells;
    size_t count;
    *ret_count = 0;
    ALM_TRY(find_cells(ctx, variant, &cells, &count, st));
    if (ctx->read->last > 0) {
        count = keep_newest(ctx, cells, count);
    }
    *ret = alm_arena_calloc(ctx->step, variant->count, sizeof **ret);
    if (*ret == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        if (ctx->read->all_vintages) {
            put_vintages(ctx, variant, &cells[i], *ret, ret_count);
        } else if (ctx->read->without_value ||
                   cells[i].winner->value.status != ALM_OBS_STATUS_WITHDRAWN) {
            put_row(*ret, ret_count, cells[i].winner);
        }
    }
    return ALM_OK;
}

static alm_code read_variant(read_ctx *ctx, uint32_t id, alm_read_visit visit, void *arg,
                             alm_status *st)
{
    memory_store *store = ctx->store;
    alm_obs *rows;
    size_t count;
    alm_obs_columns columns;
    alm_arena_reset(ctx->step);
    pthread_mutex_lock(&store->mutex);
    alm_str text = store->variants.of[id].text;
    alm_code code = gather(ctx, &store->variants.of[id], &rows, &count, st);
    pthread_mutex_unlock(&store->mutex);
    ALM_TRY(code);
    if (!alm_obs_columns_of(rows, count, ctx->step, &columns)) {
        return no_memory(st);
    }
    return count > 0 ? visit(arg, text, &columns, st) : ALM_OK;
}

static alm_code run_read(read_ctx *ctx, alm_read_visit visit, void *arg, uint64_t *ret_sequence,
                         alm_status *st)
{
    if (ctx->plan == NULL || ctx->step == NULL) {
        return no_memory(st);
    }
    pthread_mutex_lock(&ctx->store->mutex);
    alm_code code = fix_state(ctx, st);
    pthread_mutex_unlock(&ctx->store->mutex);
    ALM_TRY(code);
    if (ret_sequence != NULL) {
        *ret_sequence = ctx->filter.at_sequence;
    }
    for (size_t i = 0; i < ctx->variant_count; i++) {
        ALM_TRY(read_variant(ctx, ctx->variants[i], visit, arg, st));
    }
    return ALM_OK;
}

alm_code memory_read(alm_store *store, const alm_read *read, alm_read_visit visit, void *arg,
                     uint64_t *ret_sequence, alm_status *st)
{
    read_ctx ctx = {.store = memory_of(store),
                    .read = read,
                    .plan = alm_arena_create(READ_BYTES_MAX),
                    .step = alm_arena_create(READ_BYTES_MAX)};
    alm_code code = run_read(&ctx, visit, arg, ret_sequence, st);
    alm_arena_destroy(&ctx.step);
    alm_arena_destroy(&ctx.plan);
    return code;
}
