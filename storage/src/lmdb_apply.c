// One batch into a write transaction: known before? entries, then rows slice by slice, then the
// log.
#include "commit_tally.h"
#include "fingerprint.h"
#include "lmdb_presence.h"

#define SLICE_SCRATCH_BYTES_MAX ((size_t)1 << 30)

typedef struct apply_ctx {
    const lmdb_txn *txn;
    const alm_checked_batch *in;
    int64_t now_us;
    uint64_t sequence; // of this batch, if anything is stored
    alm_arena *arena;  // the caller's: what the answer holds
    alm_arena *work;   // as long as the batch
    alm_arena *slice;  // as long as one chunk
    alm_buf buf, others;
    alm_head *head;
    alm_precedence precedence;
    alm_commit_result *result;
    bool catalog_changed;
    lmdb_applied *applied;
    lmdb_touched touched;
    lmdb_presences presences;
    uint64_t fingerprint; // of the rows taken

    alm_tally tally;
    size_t stored_count;
    alm_buf blocks;   // of rows for the log, each behind its length
    alm_obs *pending; // those that are in none yet; their variant is an index into ids
    size_t pending_count, pending_cap;
    lmdb_ids ids; // of the variants touched
} apply_ctx;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the commit");
}

// --- known before? -------------------------------------------------------------------------------

static alm_code find_replay(apply_ctx *ctx, bool *ret_found, alm_status *st)
{
    const alm_batch *batch = ctx->in->batch;
    alm_str bytes;
    lmdb_key key = lmdb_key_of_text(batch->id);
    ALM_TRY(lmdb_get(ctx->txn, LMDB_BATCH, &key, ret_found, &bytes, st));
    return *ret_found ? alm_batch_replay(bytes, batch, ctx->arena, ctx->result, st) : ALM_OK;
}

static alm_code put_batch(apply_ctx *ctx, alm_status *st)
{
    const alm_batch *batch = ctx->in->batch;
    alm_batch_record record = {.digest = batch->digest, .result = *ctx->result};
    lmdb_key key = lmdb_key_of_text(batch->id);
    alm_buf_reset(&ctx->buf);
    alm_batch_record_encode(&record, &ctx->buf);
    return lmdb_put(ctx->txn, LMDB_BATCH, &key, &ctx->buf, 0, st);
}

// --- variants ------------------------------------------------------------------------------------

static alm_code put_variant(apply_ctx *ctx, size_t index, uint32_t id, alm_status *st)
{
    alm_str text = ctx->in->batch->variants[index];
    lmdb_key by_text = lmdb_key_of_text(text);
    lmdb_key by_id = lmdb_key_of_u32(id);
    lmdb_key by_indicator = lmdb_key_of_variant_of(ctx->in->variants[index].indicator, id);
    ALM_TRY(lmdb_put_u32(ctx->txn, LMDB_VARIANT_ID, &by_text, id, st));
    alm_buf_reset(&ctx->buf);
    ALM_TRY(lmdb_put(ctx->txn, LMDB_VARIANT_OF, &by_indicator, &ctx->buf, 0, st));
    alm_buf_str(&ctx->buf, text);
    return lmdb_put(ctx->txn, LMDB_VARIANT, &by_id, &ctx->buf, 0, st);
}

// The variant's id; the next free one if it is new (stored only when a row is).
static alm_code variant_id(apply_ctx *ctx, size_t index, uint32_t *ret, bool *ret_known,
                           alm_status *st)
{
    lmdb_key key = lmdb_key_of_text(ctx->in->batch->variants[index]);
    ALM_TRY(lmdb_get_u32(ctx->txn, LMDB_VARIANT_ID, &key, ret_known, ret, st));
    if (!*ret_known) {
        if (ctx->head->variants >= UINT32_MAX) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "too many variants");
        }
        *ret = (uint32_t)ctx->head->variants;
    }
    return ALM_OK;
}

// The index of the variant among those the batch touched; rows come variant by variant.
static alm_code touch_variant(apply_ctx *ctx, uint32_t id, uint32_t *ret, alm_status *st)
{
    lmdb_ids *ids = &ctx->ids;
    for (size_t i = ids->count; i > 0; i--) {
        if (ids->ids[i - 1] == id) {
            *ret = (uint32_t)i - 1;
            return ALM_OK;
        }
        if (ids->count - i >= 16) {
            break; // further back only if the batch's table names a variant twice
        }
    }
    if (!alm_arena_grow(ctx->work, (void **)&ids->ids, &ids->cap, ids->count + 1,
                        sizeof *ids->ids)) {
        return no_memory(st);
    }
    ids->ids[ids->count] = id;
    *ret = (uint32_t)ids->count++;
    return ALM_OK;
}

// --- rows ----------------------------------------------------------------------------------------

// A cell while rows are added to it: what is stored, and the batch's rows taken so far.
typedef struct cell_rows {
    const alm_obs *winner; // NULL: a new cell
    const alm_obs *others;
    size_t other_count;
    const alm_obs *taken;
    size_t taken_count;
} cell_rows;

static const alm_obs *find_vintage(const cell_rows *cell, const alm_obs *row)
{
    if (cell->winner != NULL && alm_vintage_same(cell->winner, row)) {
        return cell->winner;
    }
    for (size_t i = 0; i < cell->other_count; i++) {
        if (alm_vintage_same(&cell->others[i], row)) {
            return &cell->others[i];
        }
    }
    for (size_t i = 0; i < cell->taken_count; i++) {
        if (alm_vintage_same(&cell->taken[i], row)) {
            return &cell->taken[i];
        }
    }
    return NULL;
}

static cell_rows cell_of(const alm_chunk *chunk, alm_place_id place, const alm_obs *taken)
{
    size_t from;
    size_t to = alm_chunk_others(chunk, place, &from);
    return (cell_rows){.winner = alm_chunk_winner(chunk, place),
                       .others = chunk->others + from,
                       .other_count = to - from,
                       .taken = taken};
}

// Does a withdrawal take back anything stored of its cell, or another row of the batch for it?
static bool takes_back(const apply_ctx *ctx, const cell_rows *cell, const alm_row_slot *slots,
                       size_t slot_count, const alm_obs *row)
{
    bool takes = cell->winner != NULL && alm_vintage_takes_back(row, cell->winner);
    for (size_t i = 0; i < cell->other_count && !takes; i++) {
        takes = alm_vintage_takes_back(row, &cell->others[i]);
    }
    for (size_t i = 0; i < slot_count && !takes; i++) {
        takes = alm_vintage_takes_back(row, &ctx->in->batch->obs[slots[i].row]);
    }
    return takes;
}

// Sorts a run of slots (one chunk of the variant) into taken, unchanged and conflict.
static alm_code take_rows(apply_ctx *ctx, uint32_t variant, const alm_row_slot *slots, size_t count,
                          const alm_chunk *chunk, alm_obs *taken, size_t *ret_count, alm_status *st)
{
    cell_rows cell = {0};
    size_t taken_count = 0;
    size_t from = 0; // of the cell's slots
    size_t to = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == to) {
            from = i;
            to = alm_slots_cell_end(slots, i, count);
            cell = cell_of(chunk, slots[i].place, taken + taken_count);
        }
        bool is_taken;
        alm_obs row = alm_tally_row(&ctx->tally, &ctx->in->batch->obs[slots[i].row]);
        bool is_new = cell.winner == NULL && cell.taken_count == 0;
        ALM_TRY(alm_tally_judge(&ctx->tally, slots[i].row, &row, find_vintage(&cell, &row), is_new,
                                &is_taken, st));
        if (is_taken && row.value.status == ALM_OBS_STATUS_WITHDRAWN &&
            !takes_back(ctx, &cell, slots + from, to - from, &row)) {
            ALM_TRY(alm_tally_withdrew_nothing(&ctx->tally, slots[i].row, st));
        }
        if (is_taken) {
            taken[taken_count++] = row;
            cell.taken_count++;
            ctx->fingerprint += alm_fingerprint(variant, &row);
        }
    }
    *ret_count = taken_count;
    return ALM_OK;
}

static bool has_one_row_a_cell(const alm_row_slot *slots, size_t count)
{
    size_t i = 1;
    while (i < count && slots[i].place != slots[i - 1].place) {
        i++;
    }
    return i >= count;
}

static alm_code touch(apply_ctx *ctx, lmdb_slice_key slice, alm_status *st)
{
    lmdb_touched *touched = &ctx->touched;
    if (!alm_arena_grow(ctx->work, (void **)&touched->keys, &touched->cap, touched->count + 1,
                        sizeof *touched->keys)) {
        return no_memory(st);
    }
    touched->keys[touched->count++] = slice;
    return ALM_OK;
}

// Moves the count of cells on, and what places have.
static alm_code count_cells(apply_ctx *ctx, lmdb_slice_key slice, const alm_chunk *old,
                            const alm_chunk *now, alm_status *st)
{
    lmdb_live had, has;
    had.cells = alm_presence_of_chunk(old, &had.places);
    has.cells = alm_presence_of_chunk(now, &has.places);
    ctx->head->cells += has.cells;
    ctx->head->cells -= had.cells;
    return lmdb_presences_note(&ctx->presences, slice, &had, &has, st);
}

// Writes the chunk that comes of adding rows.
static alm_code put_chunk(apply_ctx *ctx, lmdb_slice_key slice, const alm_chunk *old,
                          const alm_obs *rows, size_t count, alm_status *st)
{
    alm_chunk merged;
    lmdb_key key = lmdb_key_of_slice(slice);
    ALM_TRY(alm_chunk_merge(old, rows, count, &ctx->precedence, ctx->slice, &merged, st));
    ALM_TRY(touch(ctx, slice, st));
    const alm_base *base;
    ALM_TRY(lmdb_base_get(ctx->txn, slice.variant, slice.chunk, &base, st));
    // Both before either is written: notes of the old rows view the map, and a write may move them.
    alm_buf_reset(&ctx->buf);
    alm_buf_reset(&ctx->others);
    ALM_TRY(alm_block_encode(merged.winners, merged.winner_count, base, ctx->slice, &ctx->buf, st));
    ALM_TRY(
        alm_block_encode(merged.others, merged.other_count, NULL, ctx->slice, &ctx->others, st));
    ctx->applied->wrote = true;
    ALM_TRY(lmdb_put(ctx->txn, LMDB_SLICE, &key, &ctx->buf, 0, st));
    if (merged.other_count > 0) {
        ALM_TRY(lmdb_put(ctx->txn, LMDB_VINTAGES, &key, &ctx->others, 0, st));
    }
    return count_cells(ctx, slice, old, &merged, st);
}

// --- rows of the log -----------------------------------------------------------------------------

static alm_code log_block(apply_ctx *ctx, const alm_block_draft *draft, alm_status *st)
{
    alm_buf_reset(&ctx->others);
    ALM_TRY(alm_block_draft_put(draft, NULL, &ctx->others, st));
    alm_log_put_block(alm_buf_view(&ctx->others), &ctx->blocks);
    return ctx->blocks.failed ? no_memory(st) : ALM_OK;
}

static alm_code log_rows(apply_ctx *ctx, const alm_obs *rows, size_t count, uint32_t index,
                         alm_status *st)
{
    if (!alm_arena_grow(ctx->work, (void **)&ctx->pending, &ctx->pending_cap,
                        ctx->pending_count + count, sizeof *ctx->pending)) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        alm_obs *row = &ctx->pending[ctx->pending_count++];
        *row = alm_tally_row(&ctx->tally, &rows[i]);
        row->variant = index;
    }
    return ALM_OK;
}

// Rows that are in no block yet, if only to have one.
static alm_code log_pending(apply_ctx *ctx, alm_status *st)
{
    alm_block_draft draft;
    if (ctx->pending_count == 0 && ctx->blocks.len > 0) {
        return ALM_OK;
    }
    ALM_TRY(alm_block_draft_make(ctx->pending, ctx->pending_count, ctx->slice, &draft, st));
    return log_block(ctx, &draft, st);
}

// --- a chunk that is not there yet ---------------------------------------------------------------

// In the order of places, as the batch has them if they stand in it so.
static const alm_obs *rows_of(apply_ctx *ctx, const alm_row_slot *slots, size_t count)
{
    const alm_obs *from = &ctx->in->batch->obs[slots[0].row];
    size_t i = 1;
    while (i < count && slots[i].row == slots[0].row + i) {
        i++;
    }
    if (i == count) {
        return from;
    }
    alm_obs *rows = alm_arena_alloc(ctx->slice, count * sizeof *rows);
    for (i = 0; rows != NULL && i < count; i++) {
        rows[i] = ctx->in->batch->obs[slots[i].row];
    }
    return rows;
}

static alm_code put_new_chunk(apply_ctx *ctx, lmdb_slice_key slice, const alm_obs *rows,
                              const alm_block_draft *draft, alm_status *st)
{
    lmdb_key key = lmdb_key_of_slice(slice);
    alm_chunk chunk = {.winners = rows, .winner_count = draft->count};
    ALM_TRY(touch(ctx, slice, st));
    const alm_base *base;
    ALM_TRY(lmdb_base_get(ctx->txn, slice.variant, slice.chunk, &base, st));
    alm_buf_reset(&ctx->buf);
    ALM_TRY(alm_block_draft_put(draft, base, &ctx->buf, st));
    ctx->applied->wrote = true;
    ALM_TRY(lmdb_put(ctx->txn, LMDB_SLICE, &key, &ctx->buf, 0, st));
    return count_cells(ctx, slice, &(alm_chunk){0}, &chunk, st);
}

// So many rows are worth a block of their own in the log, which their columns are ready for.
#define LOG_BLOCK_ROWS 1024

// Rows of different cells: there is nothing to compare them with.
static alm_code apply_new(apply_ctx *ctx, lmdb_slice_key slice, const alm_row_slot *slots,
                          size_t count, alm_status *st)
{
    uint32_t index = 0;
    alm_block_draft draft;
    const alm_obs *rows = rows_of(ctx, slots, count);
    if (rows == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        alm_obs bare;
        const alm_obs *row = &rows[i];
        if (!row->value.has_number) {
            bare = alm_tally_row(&ctx->tally, row);
            row = &bare;
            if (row->value.status == ALM_OBS_STATUS_WITHDRAWN) {
                ALM_TRY(alm_tally_withdrew_nothing(&ctx->tally, slots[i].row, st));
            }
        }
        ctx->fingerprint += alm_fingerprint(slice.variant, row);
    }
    ALM_TRY(touch_variant(ctx, slice.variant, &index, st));
    ALM_TRY(alm_block_draft_make(rows, count, ctx->slice, &draft, st));
    alm_block_draft_set(&draft, ALM_BLOCK_SEQUENCE, (int64_t)ctx->sequence);
    alm_block_draft_set(&draft, ALM_BLOCK_VARIANT, 0);
    ALM_TRY(put_new_chunk(ctx, slice, rows, &draft, st));
    ctx->result->added += count;
    ctx->stored_count += count;
    if (ctx->in->batch->is_bulk) {
        return ALM_OK;
    }
    alm_block_draft_set(&draft, ALM_BLOCK_VARIANT, index);
    return count < LOG_BLOCK_ROWS ? log_rows(ctx, rows, count, index, st)
                                  : log_block(ctx, &draft, st);
}

// --- a chunk that is there -----------------------------------------------------------------------

static alm_code apply_more(apply_ctx *ctx, lmdb_slice_key slice, const alm_row_slot *slots,
                           size_t count, const alm_chunk *chunk, alm_status *st)
{
    uint32_t index = 0;
    size_t taken_count = 0;
    alm_obs *taken = alm_arena_alloc(ctx->slice, count * sizeof *taken);
    if (taken == NULL) {
        return no_memory(st);
    }
    ALM_TRY(take_rows(ctx, slice.variant, slots, count, chunk, taken, &taken_count, st));
    if (taken_count == 0) {
        return ALM_OK;
    }
    ALM_TRY(touch_variant(ctx, slice.variant, &index, st));
    ALM_TRY(put_chunk(ctx, slice, chunk, taken, taken_count, st));
    ctx->stored_count += taken_count;
    return ctx->in->batch->is_bulk ? ALM_OK : log_rows(ctx, taken, taken_count, index, st);
}

// --- all rows ------------------------------------------------------------------------------------

// A run of a slice's slots that belong to one chunk.
static alm_code apply_run(apply_ctx *ctx, const alm_slice_slots *of, const alm_row_slot *slots,
                          size_t count, alm_status *st)
{
    alm_chunk chunk;
    bool is_known;
    lmdb_slice_key slice = {.period = of->period, .chunk = slots[0].place >> LMDB_CHUNK_BITS};
    size_t stored_before = ctx->stored_count;
    alm_arena_reset(ctx->slice);
    ALM_TRY(variant_id(ctx, of->variant, &slice.variant, &is_known, st));
    ALM_TRY(lmdb_chunk_get(ctx->txn, slice, &ctx->precedence, ctx->slice, &chunk, st));
    if (chunk.winner_count == 0 && has_one_row_a_cell(slots, count)) {
        ALM_TRY(apply_new(ctx, slice, slots, count, st));
    } else {
        ALM_TRY(apply_more(ctx, slice, slots, count, &chunk, st));
    }
    if (!is_known && ctx->stored_count > stored_before) {
        ALM_TRY(put_variant(ctx, of->variant, slice.variant, st));
        ctx->head->variants++;
    }
    return ALM_OK;
}

static alm_code apply_slice(apply_ctx *ctx, const alm_slice_slots *slice, alm_status *st)
{
    const alm_row_slot *slots = ctx->in->slots;
    for (uint32_t from = slice->from; from < slice->to;) {
        uint32_t to = from + 1;
        uint32_t chunk = slots[from].place >> LMDB_CHUNK_BITS;
        while (to < slice->to && slots[to].place >> LMDB_CHUNK_BITS == chunk) {
            to++;
        }
        ALM_TRY(apply_run(ctx, slice, slots + from, to - from, st));
        from = to;
    }
    return ALM_OK;
}

static alm_code apply_rows(apply_ctx *ctx, alm_status *st)
{
    for (size_t i = 0; i < ctx->in->slice_count; i++) {
        ALM_TRY(apply_slice(ctx, &ctx->in->slices[i], st));
    }
    return ALM_OK;
}

// --- a changed precedence ------------------------------------------------------------------------

// Chooses the winners of one chunk anew.
static alm_code choose_again(apply_ctx *ctx, lmdb_slice_key slice, alm_status *st)
{
    alm_chunk chunk;
    alm_arena_reset(ctx->slice);
    ALM_TRY(lmdb_chunk_get(ctx->txn, slice, &ctx->precedence, ctx->slice, &chunk, st));
    return put_chunk(ctx, slice, &chunk, NULL, 0, st);
}

// Only cells with several vintages can have another winner. Keys first: a scan does not outlive
// writes.
static alm_code collect_revised(apply_ctx *ctx, lmdb_slice_key **ret, size_t *ret_count,
                                alm_status *st)
{
    lmdb_scan scan;
    lmdb_slice_key *keys = NULL;
    size_t count = 0;
    size_t cap = 0;
    ALM_TRY(lmdb_scan_open(ctx->txn, LMDB_VINTAGES, &scan, st));
    alm_code code = lmdb_scan_seek(&scan, NULL, st);
    while (code == ALM_OK && scan.found) {
        if (!alm_arena_grow(ctx->work, (void **)&keys, &cap, count + 1, sizeof *keys)) {
            code = no_memory(st);
        } else if (!lmdb_slice_key_from(scan.key, &keys[count])) {
            code = alm_status_set(st, ALM_DATA_LOSS, "a key of vintages is damaged");
        } else {
            count++;
            code = lmdb_scan_next(&scan, st);
        }
    }
    lmdb_scan_close(&scan);
    *ret = keys;
    *ret_count = count;
    return code;
}

static alm_code choose_all_again(apply_ctx *ctx, alm_status *st)
{
    lmdb_slice_key *keys;
    size_t count;
    ALM_TRY(collect_revised(ctx, &keys, &count, st));
    for (size_t i = 0; i < count; i++) {
        ALM_TRY(choose_again(ctx, keys[i], st));
    }
    ctx->head->precedence_epoch = ctx->sequence;
    return ALM_OK;
}

// --- entries -------------------------------------------------------------------------------------

static alm_code apply_catalog(apply_ctx *ctx, alm_status *st)
{
    const alm_batch *batch = ctx->in->batch;
    lmdb_catalog_change change = {0};
    if (batch->indicator_count + batch->place_count + batch->source_count > 0) {
        alm_stored_catalog stored = lmdb_stored_catalog(ctx->txn);
        ALM_TRY(alm_catalog_check(batch, &stored, ctx->work, st));
        ctx->applied->wrote = true;
        ALM_TRY(lmdb_catalog_put(ctx->txn, batch, ctx->work, ctx->head, &change, st));
    }
    ctx->result->catalog_added = change.added;
    ctx->result->catalog_changed = change.changed;
    ctx->result->catalog_unchanged = change.unchanged;
    ctx->catalog_changed = change.added + change.changed > 0;
    ALM_TRY(lmdb_precedence_get(ctx->txn, ctx->work, &ctx->precedence, st));
    return change.precedence_changed ? choose_all_again(ctx, st) : ALM_OK;
}

// --- log and quarantine --------------------------------------------------------------------------

static alm_code put_log(apply_ctx *ctx, alm_status *st)
{
    alm_log_record record = {.at_us = ctx->now_us,
                             .batch_id = ctx->in->batch->id,
                             .added = ctx->result->added,
                             .revised = ctx->result->revised,
                             .catalog_changed = ctx->catalog_changed,
                             .fingerprint = ctx->fingerprint,
                             .has_rows = !ctx->in->batch->is_bulk,
                             .variants = ctx->ids.ids,
                             .variant_count = ctx->ids.count};
    lmdb_key key = lmdb_key_of_u64(ctx->sequence);
    alm_buf_reset(&ctx->buf);
    alm_log_record_encode(&record, &ctx->buf);
    alm_arena_reset(ctx->slice);
    if (record.has_rows) {
        ALM_TRY(log_pending(ctx, st));
        alm_buf_append(&ctx->buf, ctx->blocks.data, ctx->blocks.len);
        record.blocks.len = ctx->blocks.len;
        ctx->head->feed_bytes += alm_log_record_row_bytes(&record);
    }
    return lmdb_put(ctx->txn, LMDB_LOG, &key, &ctx->buf, MDB_APPEND, st);
}

static alm_code put_quarantine(apply_ctx *ctx, alm_status *st)
{
    const alm_batch *batch = ctx->in->batch;
    for (size_t i = 0; i < batch->quarantine_count; i++) {
        alm_quarantined row = batch->quarantine[i];
        row.batch_id = batch->id;
        row.at_us = ctx->now_us;
        lmdb_key key = lmdb_key_of_u64(ctx->head->quarantined++);
        alm_buf_reset(&ctx->buf);
        alm_quarantined_encode(&row, &ctx->buf);
        ALM_TRY(lmdb_put(ctx->txn, LMDB_QUARANTINE, &key, &ctx->buf, MDB_APPEND, st));
    }
    return ALM_OK;
}

// A commit is what changes what a reader can see, and quarantined rows.
static bool is_commit(const apply_ctx *ctx)
{
    return ctx->stored_count > 0 || ctx->catalog_changed || ctx->in->batch->quarantine_count > 0;
}

// Also of rows that were not stored, which costs a question no more than time.
static void take_days(apply_ctx *ctx)
{
    const alm_batch *batch = ctx->in->batch;
    for (size_t i = 0; ctx->stored_count > 0 && i < batch->obs_count; i++) {
        alm_head_take_day(ctx->head, batch->obs[i].published);
    }
}

static alm_code record_commit(apply_ctx *ctx, alm_status *st)
{
    ctx->applied->wrote = true;
    alm_tally_finish(&ctx->tally);
    if (is_commit(ctx)) {
        ctx->result->sequence = ctx->sequence;
        ctx->head->sequence = ctx->sequence;
        ctx->head->observations += ctx->stored_count;
        take_days(ctx);
        if (ctx->catalog_changed) {
            ctx->head->catalog_sequence = ctx->sequence;
        }
        ALM_TRY(put_log(ctx, st));
        ALM_TRY(put_quarantine(ctx, st));
    }
    ALM_TRY(put_batch(ctx, st));
    if (ctx->in->batch->dry_run) {
        ctx->result->sequence = 0;
    }
    return ALM_OK;
}

static alm_code apply_batch(apply_ctx *ctx, alm_status *st)
{
    bool is_replay;
    ALM_TRY(find_replay(ctx, &is_replay, st));
    if (is_replay) {
        return ALM_OK;
    }
    ALM_TRY(apply_catalog(ctx, st));
    alm_stored_catalog stored = lmdb_stored_catalog(ctx->txn);
    ALM_TRY(alm_rows_check(ctx->in, ctx->head->places, ctx->head->sources, &stored, ctx->work, st));
    ALM_TRY(apply_rows(ctx, st));
    ALM_TRY(lmdb_presences_flush(&ctx->presences, st));
    ALM_TRY(lmdb_parts_touch(ctx->txn, &ctx->touched, ctx->sequence, ctx->slice,
                             &ctx->applied->most, st));
    return record_commit(ctx, st);
}

alm_code lmdb_apply(const lmdb_txn *txn, const alm_checked_batch *batch, int64_t now_us,
                    alm_arena *arena, alm_head *head, alm_commit_result *ret,
                    lmdb_applied *ret_applied, alm_status *st)
{
    alm_head next = *head; // *head moves only with a batch that is whole
    *ret = (alm_commit_result){0};
    *ret_applied = (lmdb_applied){0};
    apply_ctx ctx = {.txn = txn,
                     .in = batch,
                     .now_us = now_us,
                     .sequence = head->sequence + 1,
                     .arena = arena,
                     .work = alm_arena_create(SLICE_SCRATCH_BYTES_MAX),
                     .slice = alm_arena_create(SLICE_SCRATCH_BYTES_MAX),
                     .head = &next,
                     .applied = ret_applied,
                     .result = ret,
                     .tally = {.sequence = head->sequence + 1, .arena = arena, .result = ret}};
    alm_buf_init(&ctx.buf, 0);
    alm_buf_init(&ctx.others, 0);
    alm_buf_init(&ctx.blocks, 0);
    ctx.presences = (lmdb_presences){.txn = txn, .arena = ctx.work};
    alm_code code = ctx.work == NULL || ctx.slice == NULL ? no_memory(st) : apply_batch(&ctx, st);
    if (code == ALM_OK) {
        *head = next;
    }
    alm_buf_deinit(&ctx.blocks);
    alm_buf_deinit(&ctx.others);
    alm_buf_deinit(&ctx.buf);
    alm_arena_destroy(&ctx.slice);
    alm_arena_destroy(&ctx.work);
    return code;
}
