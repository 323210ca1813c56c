#include "lmdb_cells.h"
#include "chunk.h"

#include <stdlib.h>

typedef struct gather {
    const lmdb_view *view;
    lmdb_cell_wanted wanted;
    void *wanted_arg;
    alm_arena *scratch;
    alm_arena *arena;     // of out
    const alm_obs **cell; // the admitted vintages of one
    size_t cell_cap;
    lmdb_rows *out;
} gather;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "the read is too large for its memory");
}

static alm_code reserve(lmdb_rows *rows, size_t count, alm_arena *arena, alm_status *st)
{
    return alm_arena_grow(arena, (void **)&rows->rows, &rows->cap, rows->count + count,
                          sizeof *rows->rows)
               ? ALM_OK
               : no_memory(st);
}

// --- picking rows out of a block -----------------------------------------------------------------

// Of the chunk's places those asked for; with all_places none are listed.
typedef struct place_run {
    const alm_place_id *places;
    size_t count;
} place_run;

static place_run places_in_chunk(const alm_read *read, uint32_t chunk)
{
    uint64_t from = (uint64_t)chunk << LMDB_CHUNK_BITS;
    uint64_t end = from + LMDB_CHUNK_PLACES;
    alm_place_id first = alm_read_next_place(read, (alm_place_id)from);
    if (first == ALM_PLACE_NONE) {
        return (place_run){0};
    }
    size_t at = alm_read_place_index(read, first);
    size_t to = at;
    while (to < read->place_count && read->places[to] < end) {
        to++;
    }
    return (place_run){.places = read->places + at, .count = to - at};
}

// Keeps the rows of the wanted places, in place.
static size_t keep_places(alm_obs *rows, size_t count, place_run run)
{
    size_t kept = 0;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        while (at < run.count && run.places[at] < rows[i].place) {
            at++;
        }
        if (at < run.count && run.places[at] == rows[i].place) {
            rows[kept++] = rows[i];
        }
    }
    return kept;
}

static alm_code pick_few(alm_block *block, place_run run, alm_arena *arena, lmdb_rows *out,
                         alm_status *st)
{
    size_t at = 0;
    for (size_t i = 0; i < run.count; i++) {
        at = alm_block_find_place(block, at, run.places[i]);
        for (; at < block->count && alm_block_place(block, at) == run.places[i]; at++) {
            ALM_TRY(reserve(out, 1, arena, st));
            ALM_TRY(alm_block_get(block, at, at + 1, &out->rows[out->count], st));
            out->count++;
        }
    }
    return ALM_OK;
}

// Decoding whole frames beats finding rows one by one from about here on.
#define FEW_SHARE 16

// Appends the block's rows of wanted places.
static alm_code pick(const alm_read *read, uint32_t chunk, alm_block *block, alm_arena *arena,
                     lmdb_rows *out, alm_status *st)
{
    place_run run = read->all_places ? (place_run){0} : places_in_chunk(read, chunk);
    if (!read->all_places && run.count < block->count / FEW_SHARE) {
        return pick_few(block, run, arena, out, st);
    }
    ALM_TRY(reserve(out, block->count, arena, st));
    alm_obs *rows = out->rows + out->count;
    ALM_TRY(alm_block_get(block, 0, block->count, rows, st));
    out->count += read->all_places ? block->count : keep_places(rows, block->count, run);
    return ALM_OK;
}

// --- the stored winners --------------------------------------------------------------------------

static bool wants_status(const gather *g, const alm_obs *winner)
{
    const alm_read *read = g->view->read;
    return winner->value.status != ALM_OBS_STATUS_WITHDRAWN || read->without_value ||
           read->all_vintages;
}

// Keeps those of the rows from `from` on that are a part of the answer, in place.
static void take_winners(gather *g, size_t from)
{
    lmdb_rows *out = g->out;
    size_t kept = from;
    for (size_t i = from; i < out->count; i++) {
        const alm_obs *row = &out->rows[i];
        if (!wants_status(g, row) || (g->wanted != NULL && !g->wanted(g->wanted_arg, row))) {
            continue;
        }
        if (kept != i) {
            out->rows[kept] = *row;
        }
        kept++;
    }
    out->count = kept;
}

// Winners that were there already when the state was fixed won then, too: what came later can only
// have lost against them, but for a withdrawal, which may have taken a better one out.
static alm_code won_then(const gather *g, size_t from, alm_block *vintages, bool *ret,
                         alm_status *st)
{
    uint64_t at_sequence = g->view->filter.at_sequence;
    const alm_obs *rows = g->out->rows + from;
    size_t count = g->out->count - from;
    size_t *withdrawn;
    size_t withdrawn_count;
    alm_place_id *places = alm_arena_alloc(g->scratch, count * sizeof *places);
    *ret = false;
    if (places == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        // Who took the last value away depends on what had been published then.
        bool is_told =
            g->view->read->without_value && rows[i].value.status == ALM_OBS_STATUS_WITHDRAWN;
        if (rows[i].sequence > at_sequence || is_told) {
            return ALM_OK;
        }
        places[i] = rows[i].place;
    }
    ALM_TRY(alm_withdrawals_find(vintages, places, count, &g->view->filter, g->scratch, &withdrawn,
                                 &withdrawn_count, st));
    *ret = withdrawn_count == 0;
    return ALM_OK;
}

// --- choosing among vintages ---------------------------------------------------------------------

// The cell's admitted vintages, into g->cell.
static alm_code admit_cell(gather *g, const alm_obs *stored_winner, const alm_obs *others,
                           size_t other_count, size_t *ret_count, alm_status *st)
{
    const lmdb_view *view = g->view;
    *ret_count = 0;
    if (!alm_arena_grow(g->scratch, (void **)&g->cell, &g->cell_cap, other_count + 1,
                        sizeof *g->cell)) {
        return no_memory(st);
    }
    for (size_t i = 0; i <= other_count; i++) {
        const alm_obs *row = i < other_count ? &others[i] : stored_winner;
        if (alm_vintage_admitted(&view->filter, row)) {
            ALM_TRY(alm_precedence_require(&view->precedence, row, st));
            g->cell[(*ret_count)++] = row;
        }
    }
    return ALM_OK;
}

static const alm_obs *choose(gather *g, size_t count)
{
    if (count <= 1) {
        return count == 1 ? g->cell[0] : NULL;
    }
    alm_vintage_sort(g->cell, count);
    return alm_vintage_choose(&g->view->precedence, NULL, g->cell, count);
}

static alm_code take_cell(gather *g, const alm_obs *stored_winner, const alm_obs *others,
                          size_t other_count, alm_status *st)
{
    size_t count;
    lmdb_rows *out = g->out;
    bool all = g->view->read->all_vintages;
    ALM_TRY(admit_cell(g, stored_winner, others, other_count, &count, st));
    const alm_obs *best = choose(g, count);
    if (best == NULL || !wants_status(g, best) ||
        (g->wanted != NULL && !g->wanted(g->wanted_arg, best))) {
        return ALM_OK;
    }
    size_t from = out->count;
    ALM_TRY(reserve(out, all ? count : 1, g->arena, st));
    if (!all) {
        out->rows[out->count++] = *best;
        return ALM_OK;
    }
    for (size_t i = 0; i < count; i++) {
        out->rows[out->count++] = *g->cell[i];
    }
    qsort(out->rows + from, count, sizeof *out->rows, alm_vintage_order);
    return ALM_OK;
}

static alm_code take_cells(gather *g, const lmdb_rows *winners, const lmdb_rows *others,
                           alm_status *st)
{
    size_t at = 0;
    for (size_t i = 0; i < winners->count; i++) {
        const alm_obs *winner = &winners->rows[i];
        while (at < others->count && others->rows[at].place < winner->place) {
            at++;
        }
        size_t from = at;
        while (at < others->count && others->rows[at].place == winner->place) {
            at++;
        }
        ALM_TRY(take_cell(g, winner, others->rows + from, at - from, st));
    }
    return ALM_OK;
}

// Takes the rows from `from` on off `rows`.
static alm_code move_rows(lmdb_rows *rows, size_t from, alm_arena *arena, lmdb_rows *ret,
                          alm_status *st)
{
    size_t count = rows->count - from;
    ALM_TRY(reserve(ret, count, arena, st));
    if (count > 0) {
        memcpy(ret->rows, rows->rows + from, count * sizeof *ret->rows);
    }
    ret->count = count;
    rows->count = from;
    return ALM_OK;
}

// Do the stored winners go by the precedences of the question, and by nothing else?
static bool has_plain_winners(const lmdb_view *view, const alm_head *head)
{
    return view->is_plain && head->precedence_epoch == view->precedence_epoch;
}

alm_code lmdb_cells_gather(const lmdb_view *view, const lmdb_txn *txn, const alm_head *head,
                           lmdb_slice_key key, alm_str slice, lmdb_cell_wanted wanted,
                           void *wanted_arg, alm_arena *scratch, alm_arena *arena, lmdb_rows *out,
                           alm_status *st)
{
    alm_arena_reset(scratch);
    gather g = {.view = view,
                .wanted = wanted,
                .wanted_arg = wanted_arg,
                .scratch = scratch,
                .arena = arena,
                .out = out};
    size_t from = out->count;
    const alm_base *base;
    ALM_TRY(lmdb_base_get(txn, key.variant, key.chunk, &base, st));
    alm_block block;
    ALM_TRY(alm_block_open(slice, ALM_CHUNK_ROW_COUNT_MAX, base, scratch, &block, st));
    ALM_TRY(pick(view->read, key.chunk, &block, arena, out, st));
    if (lmdb_cells_are_stored(view, head)) {
        take_winners(&g, from);
        return ALM_OK;
    }
    bool found;
    bool is_as_stored = false;
    alm_str bytes;
    alm_block vintages = {0};
    lmdb_key lkey = lmdb_key_of_slice(key);
    ALM_TRY(lmdb_get(txn, LMDB_VINTAGES, &lkey, &found, &bytes, st));
    if (found) {
        ALM_TRY(alm_block_open(bytes, ALM_CHUNK_ROW_COUNT_MAX, NULL, scratch, &vintages, st));
    }
    if (has_plain_winners(view, head)) {
        ALM_TRY(won_then(&g, from, &vintages, &is_as_stored, st));
    }
    if (is_as_stored) {
        take_winners(&g, from);
        return ALM_OK;
    }
    lmdb_rows winners = {0}, others = {0};
    if (found) {
        ALM_TRY(pick(view->read, key.chunk, &vintages, scratch, &others, st));
    }
    ALM_TRY(move_rows(out, from, scratch, &winners, st));
    return take_cells(&g, &winners, &others, st);
}

alm_code lmdb_cells_gather_columns(const lmdb_view *view, const lmdb_txn *txn, lmdb_slice_key key,
                                   alm_str slice, alm_arena *scratch, alm_gathered *out,
                                   alm_status *st)
{
    alm_block block;
    const alm_base *base;
    alm_arena_reset(scratch);
    ALM_TRY(lmdb_base_get(txn, key.variant, key.chunk, &base, st));
    ALM_TRY(alm_block_open(slice, ALM_CHUNK_ROW_COUNT_MAX, base, scratch, &block, st));
    alm_block_rows rows = {.count = block.count};
    if (!view->read->all_places) {
        place_run run = places_in_chunk(view->read, key.chunk);
        ALM_TRY(alm_block_rows_find(&block, run.places, run.count, scratch, &rows, st));
    }
    if (view->read->top.count > 0) {
        ALM_TRY(alm_block_rows_top(&block, view->read->top, view->read->without_value, scratch,
                                   &rows, st));
    }
    return alm_gathered_add(out, &block, rows, view->read->without_value, scratch, st);
}

// --- one place -----------------------------------------------------------------------------------

bool lmdb_cells_are_stored(const lmdb_view *view, const alm_head *head)
{
    return has_plain_winners(view, head) && head->sequence == view->filter.at_sequence;
}

// Keeps the rows of periods that are asked for, in place.
static void keep_periods(const alm_read *read, lmdb_rows *rows)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (!alm_read_wants_period(read, rows->rows[i].period)) {
            continue;
        }
        if (kept != i) {
            rows->rows[kept] = rows->rows[i];
        }
        kept++;
    }
    rows->count = kept;
}

alm_code lmdb_cells_take(const lmdb_view *view, const alm_head *head, const lmdb_rows *others,
                         lmdb_cell_wanted wanted, void *wanted_arg, alm_arena *arena,
                         lmdb_rows *rows, alm_status *st)
{
    gather g = {.view = view,
                .wanted = wanted,
                .wanted_arg = wanted_arg,
                .scratch = arena,
                .arena = arena,
                .out = rows};
    keep_periods(view->read, rows);
    if (lmdb_cells_are_stored(view, head)) {
        take_winners(&g, 0);
        return ALM_OK;
    }
    size_t at = 0;
    lmdb_rows winners = *rows;
    *rows = (lmdb_rows){0};
    for (size_t i = 0; i < winners.count; i++) {
        const alm_obs *winner = &winners.rows[i];
        while (at < others->count && alm_period_cmp(others->rows[at].period, winner->period) < 0) {
            at++;
        }
        size_t from = at;
        while (at < others->count && alm_period_eq(others->rows[at].period, winner->period)) {
            at++;
        }
        ALM_TRY(take_cell(&g, winner, others->rows + from, at - from, st));
    }
    return ALM_OK;
}
