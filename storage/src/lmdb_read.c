// A read fixes a state in its first snapshot and then goes on in short snapshots, each of them over
// before its rows are visited, so that a slow visitor never pins pages.
#include "lmdb_cells.h"
#include "lmdb_read_places.h"
#include "read_cutoffs.h"

#include <stdlib.h>

#define STEP_ROW_COUNT      32768 // rows of a visit, about
#define STEP_CHUNK_COUNT    512   // looked at in one snapshot
#define STEP_BYTES_MAX      ((size_t)1 << 30)
#define READ_PLAN_BYTES_MAX ((size_t)512 << 20)

typedef struct read_ctx {
    lmdb_store *store;
    lmdb_view view;
    alm_read_visit visit;
    void *arg;
    alm_row_totals *totals; // what is asked for instead of rows; NULL: rows
    uint64_t places;        // in the catalogue of the first snapshot
    lmdb_read_memory memory;
    alm_gathered columns; // of a step; their memory goes from one to the next
    lmdb_ids variants;
    alm_cutoffs cut;
} read_ctx;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "the read is too large for its memory");
}

// --- variants ------------------------------------------------------------------------------------

static int id_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sort_unique(lmdb_ids *ids)
{
    if (ids->count < 2) {
        return;
    }
    qsort(ids->ids, ids->count, sizeof *ids->ids, id_cmp);
    size_t kept = 1;
    for (size_t i = 1; i < ids->count; i++) {
        if (ids->ids[i] != ids->ids[kept - 1]) {
            ids->ids[kept++] = ids->ids[i];
        }
    }
    ids->count = kept;
}

static alm_code keep_wanted_variants(read_ctx *ctx, const lmdb_txn *txn, alm_status *st)
{
    size_t kept = 0;
    for (size_t i = 0; i < ctx->variants.count; i++) {
        alm_str text;
        bool wanted;
        lmdb_key key = lmdb_key_of_u32(ctx->variants.ids[i]);
        ALM_TRY(lmdb_require(txn, LMDB_VARIANT, &key, &text, st));
        ALM_TRY(alm_read_wants_variant(ctx->view.read, text, &wanted, st));
        if (wanted) {
            ctx->variants.ids[kept++] = ctx->variants.ids[i];
        }
    }
    ctx->variants.count = kept;
    return ALM_OK;
}

static alm_code find_variants(read_ctx *ctx, const lmdb_txn *txn, alm_status *st)
{
    const alm_read *read = ctx->view.read;
    for (size_t i = 0; i < read->indicator_count; i++) {
        if (read->indicators[i].len > 0) {
            ALM_TRY(
                lmdb_variants_of(txn, read->indicators[i], ctx->memory.plan, &ctx->variants, st));
        }
    }
    if (read->indicator_count == 0) {
        ALM_TRY(lmdb_variants_of(txn, ALM_STR(""), ctx->memory.plan, &ctx->variants, st));
    }
    sort_unique(&ctx->variants);
    return keep_wanted_variants(ctx, txn, st);
}

// --- the state -----------------------------------------------------------------------------------

static alm_code fix_state(read_ctx *ctx, const lmdb_txn *txn, alm_status *st)
{
    alm_head head;
    const alm_read *read = ctx->view.read;
    ALM_TRY(lmdb_head_get(txn, &head, st));
    ALM_TRY(alm_read_filter(read, head.sequence, head.last_day, ctx->memory.plan, &ctx->view.filter,
                            st));
    ctx->places = head.places;
    ctx->view.precedence_epoch = head.precedence_epoch;
    ctx->view.is_plain =
        ctx->view.filter.as_of == ALM_DATE_MAX && read->source_count == 0 && !read->all_vintages;
    ALM_TRY(lmdb_precedence_get(txn, ctx->memory.plan, &ctx->view.precedence, st));
    return find_variants(ctx, txn, st);
}

static alm_code open_state(read_ctx *ctx, alm_status *st)
{
    lmdb_txn txn;
    ALM_TRY(lmdb_begin_read(ctx->store, &txn, st));
    alm_code code = fix_state(ctx, &txn, st);
    lmdb_abort(&txn);
    return code;
}

// --- walking the chunks of one variant -----------------------------------------------------------

// One snapshot over one variant.
typedef struct walk {
    lmdb_txn txn;
    lmdb_scan scan;
    alm_head head;
    lmdb_slice_key at; // of the chunk found
} walk;

// A snapshot that knows the bases of those before it: to decode one takes longer than to add up the
// slice over it.
static alm_code begin_slices(read_ctx *ctx, lmdb_txn *ret, alm_status *st)
{
    ALM_TRY(lmdb_begin_read(ctx->store, ret, st));
    lmdb_bases *own = ret->bases;
    ret->bases = ctx->memory.bases;
    ctx->memory.bases = own;
    lmdb_bases_renew(ret->bases);
    return ALM_OK;
}

static void end_slices(read_ctx *ctx, lmdb_txn *txn)
{
    lmdb_bases *own = ctx->memory.bases;
    ctx->memory.bases = txn->bases;
    txn->bases = own;
    lmdb_abort(txn);
}

static void walk_close(read_ctx *ctx, walk *w)
{
    lmdb_scan_close(&w->scan);
    end_slices(ctx, &w->txn);
}

static alm_code walk_open(read_ctx *ctx, walk *ret, alm_status *st)
{
    *ret = (walk){0};
    ALM_TRY(begin_slices(ctx, &ret->txn, st));
    alm_code code = lmdb_head_get(&ret->txn, &ret->head, st);
    if (code == ALM_OK) {
        code = lmdb_scan_open(&ret->txn, LMDB_SLICE, &ret->scan, st);
    }
    if (code != ALM_OK) {
        walk_close(ctx, ret);
    }
    return code;
}

static uint32_t next_chunk(const alm_read *read, uint32_t chunk)
{
    uint64_t place = (uint64_t)chunk << LMDB_CHUNK_BITS;
    if (place >= ALM_PLACE_NONE) {
        return UINT32_MAX;
    }
    alm_place_id next = alm_read_next_place(read, (alm_place_id)place);
    return next == ALM_PLACE_NONE ? UINT32_MAX : next >> LMDB_CHUNK_BITS;
}

static alm_code look(walk *w, bool *ret_found, uint32_t variant, alm_status *st)
{
    *ret_found = false;
    if (!w->scan.found) {
        return ALM_OK;
    }
    if (!lmdb_slice_key_from(w->scan.key, &w->at)) {
        return alm_status_set(st, ALM_DATA_LOSS, "a slice's key is damaged");
    }
    *ret_found = w->at.variant == variant;
    return ALM_OK;
}

// The first chunk from `from` on that the read asks for.
static alm_code walk_to(walk *w, const alm_read *read, lmdb_slice_key from, bool *ret_found,
                        alm_status *st)
{
    for (;;) {
        *ret_found = false;
        uint64_t period = alm_read_next_period(read, from.period);
        uint32_t chunk = next_chunk(read, period == from.period ? from.chunk : 0);
        if (period == UINT64_MAX) {
            return ALM_OK;
        }
        if (chunk == UINT32_MAX) { // no place left in this period
            if (from.chunk == 0 || period != from.period) {
                return ALM_OK; // nor in any
            }
            from = (lmdb_slice_key){.variant = from.variant, .period = period + 1};
            continue;
        }
        lmdb_key key = lmdb_key_of_slice(
            (lmdb_slice_key){.variant = from.variant, .period = period, .chunk = chunk});
        alm_period found;
        ALM_TRY(lmdb_scan_seek(&w->scan, &key, st));
        ALM_TRY(look(w, ret_found, from.variant, st));
        if (!*ret_found) {
            return ALM_OK;
        }
        if (!alm_period_unpack(w->at.period, &found)) {
            return alm_status_set(st, ALM_DATA_LOSS, "the period in a slice's key is damaged");
        }
        if (!alm_read_wants_period(read, found)) {
            from = (lmdb_slice_key){.variant = from.variant, .period = w->at.period + 1};
        } else if (next_chunk(read, w->at.chunk) != w->at.chunk) {
            from = w->at;
        } else {
            return ALM_OK;
        }
    }
}

// --- last n --------------------------------------------------------------------------------------

// Counts a cell for its place; never wants its rows.
static bool count_cell(void *arg, const alm_obs *winner)
{
    alm_cutoffs_count(arg, winner);
    return false;
}

static bool within_cutoff(void *arg, const alm_obs *winner)
{
    return alm_cutoffs_admit(arg, winner);
}

static alm_code count_period(read_ctx *ctx, walk *w, uint32_t variant, uint64_t period,
                             alm_status *st)
{
    lmdb_rows none = {0};
    lmdb_slice_key from = {.variant = variant, .period = period};
    alm_arena_reset(ctx->memory.step);
    for (;;) {
        bool found;
        ALM_TRY(walk_to(w, ctx->view.read, from, &found, st));
        if (!found || w->at.period != period) {
            return ALM_OK;
        }
        ALM_TRY(lmdb_cells_gather(&ctx->view, &w->txn, &w->head, w->at, w->scan.value, count_cell,
                                  &ctx->cut, ctx->memory.chunk, ctx->memory.step, &none, st));
        from.chunk = w->at.chunk + 1;
    }
}

// Newest period first, until every place has its n.
static alm_code count_variant(read_ctx *ctx, walk *w, uint32_t variant, alm_status *st)
{
    uint64_t before = UINT64_MAX;
    while (ctx->cut.remaining > 0) {
        bool found;
        lmdb_key key = lmdb_key_of_slice((lmdb_slice_key){.variant = variant, .period = before});
        ALM_TRY(lmdb_scan_seek_before(&w->scan, &key, st));
        ALM_TRY(look(w, &found, variant, st));
        if (!found) {
            break;
        }
        before = w->at.period;
        ALM_TRY(count_period(ctx, w, variant, before, st));
    }
    return ALM_OK;
}

static alm_code find_cutoffs(read_ctx *ctx, uint32_t variant, alm_status *st)
{
    walk w;
    alm_cutoffs_begin(&ctx->cut);
    ALM_TRY(walk_open(ctx, &w, st));
    alm_code code = count_variant(ctx, &w, variant, st);
    walk_close(ctx, &w);
    return code;
}

// --- visiting ------------------------------------------------------------------------------------

// Notes view the map until here. Neighbours mostly share theirs.
static alm_code copy_notes(lmdb_rows *rows, alm_arena *arena, alm_status *st)
{
    alm_str seen = {0}, copy = {0};
    for (size_t i = 0; i < rows->count; i++) {
        alm_str *note = &rows->rows[i].note;
        if (note->len == 0) {
            *note = (alm_str){0};
            continue;
        }
        if (note->data != seen.data || note->len != seen.len) {
            seen = *note;
            copy = (alm_str){.data = alm_arena_strdup(arena, seen), .len = seen.len};
            if (copy.data == NULL) {
                return no_memory(st);
            }
        }
        *note = copy;
    }
    return ALM_OK;
}

static alm_code finish_rows(lmdb_rows *rows, alm_arena *arena, alm_obs_columns *ret, alm_status *st)
{
    for (size_t i = 0; i < rows->count; i++) {
        rows->rows[i].variant = 0;
    }
    ALM_TRY(copy_notes(rows, arena, st));
    return alm_obs_columns_of(rows->rows, rows->count, arena, ret) ? ALM_OK : no_memory(st);
}

// What is stored is gathered as columns, and what has to be chosen or counted as rows.
static alm_code gather_chunk(read_ctx *ctx, walk *w, bool is_stored, lmdb_rows *rows,
                             alm_status *st)
{
    if (is_stored) {
        return lmdb_cells_gather_columns(&ctx->view, &w->txn, w->at, w->scan.value,
                                         ctx->memory.chunk, &ctx->columns, st);
    }
    lmdb_cell_wanted wanted = ctx->view.read->last > 0 ? within_cutoff : NULL;
    return lmdb_cells_gather(&ctx->view, &w->txn, &w->head, w->at, w->scan.value, wanted, &ctx->cut,
                             ctx->memory.chunk, ctx->memory.step, rows, st);
}

static alm_code gather_step(read_ctx *ctx, walk *w, lmdb_slice_key *from, alm_str *ret_text,
                            alm_obs_columns *ret, bool *ret_more, alm_status *st)
{
    lmdb_rows rows = {0};
    const alm_gathered *columns = &ctx->columns;
    bool is_stored = ctx->view.read->last == 0 && lmdb_cells_are_stored(&ctx->view, &w->head);
    ALM_TRY(lmdb_variant_text(&w->txn, from->variant, ctx->memory.step, ret_text, st));
    alm_gathered_reset(&ctx->columns);
    *ret_more = true;
    for (int i = 0; i < STEP_CHUNK_COUNT && rows.count + columns->count < STEP_ROW_COUNT; i++) {
        ALM_TRY(walk_to(w, ctx->view.read, *from, ret_more, st));
        if (!*ret_more) {
            break;
        }
        ALM_TRY(gather_chunk(ctx, w, is_stored, &rows, st));
        *from = w->at;
        from->chunk++;
    }
    *ret = alm_gathered_columns(columns);
    return is_stored ? ALM_OK : finish_rows(&rows, ctx->memory.step, ret, st);
}

static alm_code read_slices(read_ctx *ctx, uint32_t variant, alm_status *st)
{
    lmdb_slice_key from = {.variant = variant};
    if (ctx->view.read->last > 0) {
        ALM_TRY(find_cutoffs(ctx, variant, st));
        from.period = ctx->cut.lowest;
    }
    bool more = from.period != UINT64_MAX;
    while (more) {
        walk w;
        alm_str text;
        alm_obs_columns rows;
        alm_arena_reset(ctx->memory.step);
        ALM_TRY(walk_open(ctx, &w, st));
        alm_code code = gather_step(ctx, &w, &from, &text, &rows, &more, st);
        walk_close(ctx, &w);
        ALM_TRY(code);
        if (rows.count > 0) {
            ALM_TRY(ctx->visit(ctx->arg, text, &rows, st));
        }
    }
    return ALM_OK;
}

// --- totals --------------------------------------------------------------------------------------

#define STEP_TOTAL_COUNT 16384              // of a step, about
#define STEP_TOTAL_BYTES ((size_t)16 << 20) // it ends behind the slice that needs so many

typedef struct totals_step {
    alm_slice_totals *slices;
    size_t count, cap;
} totals_step;

static alm_code add_chunk(read_ctx *ctx, walk *w, alm_adder *adder, alm_status *st)
{
    lmdb_rows rows = {0};
    alm_block block;
    const alm_base *base;
    uint64_t first = (uint64_t)w->at.chunk << LMDB_CHUNK_BITS;
    if (!alm_groups_have(adder->groups, first, first + LMDB_CHUNK_PLACES)) {
        return ALM_OK;
    }
    if (!lmdb_cells_are_stored(&ctx->view, &w->head)) {
        ALM_TRY(lmdb_cells_gather(&ctx->view, &w->txn, &w->head, w->at, w->scan.value, NULL, NULL,
                                  ctx->memory.chunk, ctx->memory.step, &rows, st));
        return alm_adder_rows(adder, rows.rows, rows.count, st);
    }
    alm_arena_reset(ctx->memory.chunk);
    ALM_TRY(lmdb_base_get(&w->txn, w->at.variant, w->at.chunk, &base, st));
    ALM_TRY(alm_block_open(w->scan.value, ALM_CHUNK_ROW_COUNT_MAX, base, ctx->memory.chunk, &block,
                           st));
    return alm_adder_block(adder, &block, ctx->memory.chunk, st);
}

// All chunks of the slice that *from is in; *from becomes the first chunk behind it.
static alm_code add_slice(read_ctx *ctx, walk *w, lmdb_slice_key *from, alm_slice_totals *ret,
                          bool *ret_more, alm_status *st)
{
    alm_period period;
    alm_adder adder;
    uint64_t packed = from->period;
    if (!alm_period_unpack(packed, &period)) {
        return alm_status_set(st, ALM_DATA_LOSS, "the period in a slice's key is damaged");
    }
    ALM_TRY(alm_adder_begin(&adder, ctx->totals->groups, &ctx->totals->plans, period,
                            ctx->memory.step, st));
    *ret_more = true;
    while (*ret_more && from->period == packed) {
        ALM_TRY(add_chunk(ctx, w, &adder, st));
        from->chunk++;
        ALM_TRY(walk_to(w, ctx->view.read, *from, ret_more, st));
        *from = *ret_more ? w->at : *from;
    }
    return alm_adder_end(&adder, period, ret, st);
}

static alm_code gather_totals(read_ctx *ctx, walk *w, lmdb_slice_key *from, totals_step *step,
                              bool *ret_more, alm_status *st)
{
    alm_str text;
    size_t groups = ALM_MAX(ctx->totals->groups->group_count, 1U);
    size_t left = ALM_MAX(STEP_TOTAL_COUNT / groups, (size_t)1); // slices
    ALM_TRY(lmdb_variant_text(&w->txn, from->variant, ctx->memory.step, &text, st));
    ALM_TRY(walk_to(w, ctx->view.read, *from, ret_more, st));
    *from = *ret_more ? w->at : *from;
    for (; *ret_more && left > 0 && alm_arena_used(ctx->memory.step) < STEP_TOTAL_BYTES; left--) {
        alm_slice_totals *slice;
        if (!alm_arena_grow(ctx->memory.step, (void **)&step->slices, &step->cap, step->count + 1,
                            sizeof *step->slices)) {
            return no_memory(st);
        }
        slice = &step->slices[step->count];
        ALM_TRY(add_slice(ctx, w, from, slice, ret_more, st));
        slice->variant = text;
        step->count += slice->totals != NULL;
    }
    return ALM_OK;
}

static alm_code add_up_slices(read_ctx *ctx, uint32_t variant, alm_status *st)
{
    bool more = true;
    lmdb_slice_key from = {.variant = variant};
    while (more) {
        walk w;
        totals_step step = {0};
        alm_arena_reset(ctx->memory.step);
        ALM_TRY(walk_open(ctx, &w, st));
        alm_code code = gather_totals(ctx, &w, &from, &step, &more, st);
        walk_close(ctx, &w);
        ALM_TRY(code);
        for (size_t i = 0; i < step.count; i++) {
            ALM_TRY(ctx->totals->visit(ctx->totals->arg, &step.slices[i], st));
        }
    }
    return ALM_OK;
}

// --- few places ----------------------------------------------------------------------------------

static alm_code gather_places(read_ctx *ctx, const lmdb_txn *txn, uint32_t variant,
                              alm_str *ret_text, alm_obs_columns *ret, bool *ret_done,
                              alm_status *st)
{
    alm_head head;
    lmdb_rows rows = {0};
    ALM_TRY(lmdb_head_get(txn, &head, st));
    ALM_TRY(lmdb_places_gather(&ctx->view, txn, &head, variant, ctx->memory.chunk, ctx->memory.step,
                               &rows, ret_done, st));
    if (!*ret_done) {
        return ALM_OK;
    }
    ALM_TRY(lmdb_variant_text(txn, variant, ctx->memory.step, ret_text, st));
    return finish_rows(&rows, ctx->memory.step, ret, st);
}

// Few places over many periods are in fewer groups of series than slices.
static alm_code read_places(read_ctx *ctx, uint32_t variant, bool *ret_done, alm_status *st)
{
    lmdb_txn txn;
    alm_str text = {0};
    alm_obs_columns rows = {0};
    alm_arena_reset(ctx->memory.step);
    ALM_TRY(begin_slices(ctx, &txn, st));
    alm_code code = gather_places(ctx, &txn, variant, &text, &rows, ret_done, st);
    end_slices(ctx, &txn);
    ALM_TRY(code);
    return rows.count > 0 ? ctx->visit(ctx->arg, text, &rows, st) : ALM_OK;
}

static alm_code read_variant(read_ctx *ctx, uint32_t variant, alm_status *st)
{
    bool is_done = false;
    if (lmdb_places_are_few(ctx->view.read)) {
        ALM_TRY(read_places(ctx, variant, &is_done, st));
    }
    if (is_done) {
        return ALM_OK;
    }
    return ctx->totals != NULL && ctx->view.read->last == 0 ? add_up_slices(ctx, variant, st)
                                                            : read_slices(ctx, variant, st);
}

static alm_code run_read(read_ctx *ctx, uint64_t *ret_sequence, alm_status *st)
{
    ALM_TRY(open_state(ctx, st));
    if (ret_sequence != NULL) {
        *ret_sequence = ctx->view.filter.at_sequence;
    }
    if (ctx->view.read->last > 0) {
        ALM_TRY(alm_cutoffs_init(ctx->view.read, ctx->places, ctx->memory.plan, &ctx->cut, st));
    }
    for (size_t i = 0; i < ctx->variants.count; i++) {
        ALM_TRY(read_variant(ctx, ctx->variants.ids[i], st));
        if (ctx->totals != NULL) {
            ALM_TRY(alm_row_totals_end(ctx->totals, st));
        }
    }
    return ALM_OK;
}

// --- memory --------------------------------------------------------------------------------------

static void destroy_memory(lmdb_read_memory *memory)
{
    lmdb_bases_destroy(&memory->bases);
    alm_arena_destroy(&memory->chunk);
    alm_arena_destroy(&memory->step);
    alm_arena_destroy(&memory->plan);
}

static alm_code take_memory(lmdb_store *store, lmdb_read_memory *ret, alm_status *st)
{
    *ret = (lmdb_read_memory){0};
    pthread_mutex_lock(&store->mutex);
    if (store->idle_count > 0) {
        *ret = store->idle[--store->idle_count];
    }
    pthread_mutex_unlock(&store->mutex);
    if (ret->plan != NULL) {
        return ALM_OK;
    }
    ret->plan = alm_arena_create(READ_PLAN_BYTES_MAX);
    ret->step = alm_arena_create(STEP_BYTES_MAX);
    ret->chunk = alm_arena_create(STEP_BYTES_MAX);
    ret->bases = lmdb_bases_create();
    if (ret->plan == NULL || ret->step == NULL || ret->chunk == NULL || ret->bases == NULL) {
        destroy_memory(ret);
        return no_memory(st);
    }
    return ALM_OK;
}

static void give_memory(lmdb_store *store, lmdb_read_memory *memory)
{
    alm_arena_reset(memory->plan);
    alm_arena_reset(memory->step);
    alm_arena_reset(memory->chunk);
    pthread_mutex_lock(&store->mutex);
    if (store->idle_count < LMDB_IDLE_COUNT) {
        store->idle[store->idle_count++] = *memory;
        *memory = (lmdb_read_memory){0};
    }
    pthread_mutex_unlock(&store->mutex);
    destroy_memory(memory);
}

void lmdb_read_memory_destroy(lmdb_store *store)
{
    while (store->idle_count > 0) {
        destroy_memory(&store->idle[--store->idle_count]);
    }
}

static alm_code read_all(read_ctx *ctx, uint64_t *ret_sequence, alm_status *st)
{
    ALM_TRY(take_memory(ctx->store, &ctx->memory, st));
    ctx->columns.arena = ctx->memory.plan;
    ctx->columns.note_arena = ctx->memory.step;
    alm_code code = run_read(ctx, ret_sequence, st);
    give_memory(ctx->store, &ctx->memory);
    return code;
}

alm_code lmdb_read(alm_store *store, const alm_read *read, alm_read_visit visit, void *arg,
                   uint64_t *ret_sequence, alm_status *st)
{
    read_ctx ctx = {.store = lmdb_of(store), .view = {.read = read}, .visit = visit, .arg = arg};
    return read_all(&ctx, ret_sequence, st);
}

// Rows that are read after all are added up where they are visited.
alm_code lmdb_totals(alm_store *store, const alm_read *read, alm_row_totals *totals,
                     uint64_t *ret_sequence, alm_status *st)
{
    read_ctx ctx = {.store = lmdb_of(store),
                    .view = {.read = read},
                    .visit = alm_row_totals_take,
                    .arg = totals,
                    .totals = totals};
    return read_all(&ctx, ret_sequence, st);
}
