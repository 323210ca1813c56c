#include "lmdb_past.h"
#include "chunk.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for an older state");
}

static alm_code damaged(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "older vintages are damaged: %s", what);
}

alm_code lmdb_past_get(const lmdb_txn *txn, const alm_as_of *as_of, const alm_head *head,
                       alm_arena *arena, lmdb_past *ret, alm_status *st)
{
    if (as_of->sequence > head->sequence) {
        return alm_status_set_field(
            st, ALM_OUT_OF_RANGE, "at_sequence", "there is no commit %llu yet; the newest is %llu",
            (unsigned long long)as_of->sequence, (unsigned long long)head->sequence);
    }
    ret->filter = (alm_vintage_filter){.as_of = as_of->published,
                                       .at_sequence =
                                           as_of->sequence != 0 ? as_of->sequence : head->sequence};
    return lmdb_precedence_get(txn, arena, &ret->precedence, st);
}

alm_code lmdb_past_choose(const lmdb_past *past, const alm_obs *winner, const alm_obs *others,
                          size_t other_count, alm_arena *arena, const alm_obs **ret, alm_status *st)
{
    size_t count = other_count + (winner != NULL);
    const alm_obs **rows = alm_arena_alloc(arena, count * sizeof *rows);
    if (rows == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        rows[i] = i < other_count ? &others[i] : winner;
        ALM_TRY(alm_precedence_require(&past->precedence, rows[i], st));
    }
    alm_vintage_sort(rows, count);
    *ret = alm_vintage_choose(&past->precedence, &past->filter, rows, count);
    return ALM_OK;
}

// --- a slice -------------------------------------------------------------------------------------

// Rows of a slice that may have had other winners then.
typedef struct older_rows {
    const lmdb_past *past;
    alm_arena *arena;
    lmdb_slice_rows *rows;
    size_t count;
    const alm_place_id *places; // of each
    bool *is_later;             // its stored winner was not known yet
    bool *is_open;              // who won is to be chosen anew
    alm_block vintages;         // the older ones
    size_t from, to;            // of them those that belong to the rows
} older_rows;

// Are all rows of the block admitted, as far as one can tell at a glance?
static bool all_admitted(const lmdb_past *past, alm_block *block)
{
    alm_column *published = &block->columns[ALM_BLOCK_PUBLISHED];
    alm_column *sequence = &block->columns[ALM_BLOCK_SEQUENCE];
    return alm_column_constant(published) && alm_column_constant(sequence) &&
           alm_column_get(published, 0) <= past->filter.as_of &&
           (uint64_t)alm_column_get(sequence, 0) <= past->filter.at_sequence;
}

// Winners that were not known yet.
static alm_code mark_later(older_rows *o, alm_status *st)
{
    const alm_vintage_filter *filter = &o->past->filter;
    const lmdb_slice_rows *rows = o->rows;
    alm_block *block = &o->rows->block;
    int64_t *published = alm_arena_alloc(o->arena, o->count * sizeof *published);
    int64_t *sequence = alm_arena_alloc(o->arena, o->count * sizeof *sequence);
    if (published == NULL || sequence == NULL) {
        return no_memory(st);
    }
    alm_column_range(&block->columns[ALM_BLOCK_PUBLISHED], rows->from, rows->to, published);
    alm_column_range(&block->columns[ALM_BLOCK_SEQUENCE], rows->from, rows->to, sequence);
    for (size_t i = 0; i < o->count; i++) {
        o->is_later[i] =
            published[i] > filter->as_of || (uint64_t)sequence[i] > filter->at_sequence;
        o->is_open[i] = o->is_later[i];
    }
    return ALM_OK;
}

static alm_code open_vintages(older_rows *o, const lmdb_txn *txn, lmdb_slice_key slice,
                              alm_status *st)
{
    bool found;
    alm_str bytes;
    lmdb_key key = lmdb_key_of_slice(slice);
    ALM_TRY(lmdb_get(txn, LMDB_VINTAGES, &key, &found, &bytes, st));
    if (!found) {
        return ALM_OK;
    }
    ALM_TRY(alm_block_open(bytes, ALM_CHUNK_ROW_COUNT_MAX, NULL, o->arena, &o->vintages, st));
    o->from = alm_block_find_place(&o->vintages, 0, o->places[0]);
    o->to = alm_block_find_place(&o->vintages, o->from, o->places[o->count - 1] + 1);
    return ALM_OK;
}

// Cells that a withdrawal which was not known yet took a source out of: that source may have won.
static alm_code mark_withdrawn(older_rows *o, const alm_withdrawals *withdrawals, alm_status *st)
{
    size_t row = 0;
    const alm_vintage_filter *filter = &o->past->filter;
    for (size_t i = 0; i < withdrawals->count; i++) {
        while (row < o->count && o->places[row] < withdrawals->places[i]) {
            row++;
        }
        if (row == o->count || o->places[row] != withdrawals->places[i]) {
            return damaged(st, "a cell that is not there");
        }
        o->is_open[row] |= withdrawals->published[i] > filter->as_of ||
                           withdrawals->sequences[i] > filter->at_sequence;
    }
    return ALM_OK;
}

// The older vintages of the rows first..last.
static alm_code get_vintages(older_rows *o, size_t first, size_t last, alm_obs **ret,
                             size_t *ret_count, alm_status *st)
{
    *ret = NULL;
    *ret_count = 0;
    if (o->from == o->to) {
        return ALM_OK;
    }
    size_t from = alm_block_find_place(&o->vintages, o->from, o->places[first]);
    size_t to = alm_block_find_place(&o->vintages, from, o->places[last] + 1);
    *ret_count = to - from;
    *ret = alm_arena_alloc(o->arena, *ret_count * sizeof **ret);
    return *ret == NULL ? no_memory(st) : alm_block_get(&o->vintages, from, to, *ret, st);
}

// Puts what held then in the place of what holds now.
static alm_code choose_row(older_rows *o, size_t i, const alm_obs *others, size_t other_count,
                           alm_cells *cells, alm_status *st)
{
    static const alm_value nothing = {.status = ALM_OBS_STATUS_WITHDRAWN};
    alm_obs winner;
    const alm_obs *best;
    size_t row = o->rows->from + i;
    if (!o->is_later[i]) {
        ALM_TRY(alm_block_get(&o->rows->block, row, row + 1, &winner, st));
    }
    ALM_TRY(lmdb_past_choose(o->past, o->is_later[i] ? NULL : &winner, others, other_count,
                             o->arena, &best, st));
    return alm_cells_set(cells, o->rows->at + i, best != NULL ? &best->value : &nothing, st);
}

static alm_code choose_rows(older_rows *o, size_t first, size_t last, alm_cells *cells,
                            alm_status *st)
{
    alm_obs *others;
    size_t count;
    size_t to = 0;
    ALM_TRY(get_vintages(o, first, last, &others, &count, st));
    for (size_t i = first; i <= last; i++) {
        if (!o->is_open[i]) {
            continue;
        }
        while (to < count && others[to].place < o->places[i]) {
            to++;
        }
        size_t from = to;
        while (to < count && others[to].place == o->places[i]) {
            to++;
        }
        ALM_TRY(choose_row(o, i, others + from, to - from, cells, st));
    }
    return ALM_OK;
}

alm_code lmdb_past_put(const lmdb_past *past, const lmdb_txn *txn, lmdb_slice_key slice,
                       lmdb_slice_rows *rows, alm_arena *arena, alm_cells *cells, alm_status *st)
{
    alm_withdrawals withdrawals;
    older_rows o = {.past = past,
                    .arena = arena,
                    .rows = rows,
                    .count = rows->to - rows->from,
                    .places = cells->places + rows->at};
    bool all = all_admitted(past, &rows->block);
    ALM_TRY(open_vintages(&o, txn, slice, st));
    ALM_TRY(alm_withdrawals_find(&o.vintages, o.from, o.to, arena, &withdrawals, st));
    if (all && withdrawals.count == 0) {
        return ALM_OK;
    }
    o.is_later = alm_arena_calloc(arena, o.count, sizeof *o.is_later);
    o.is_open = alm_arena_calloc(arena, o.count, sizeof *o.is_open);
    if (o.is_later == NULL || o.is_open == NULL) {
        return no_memory(st);
    }
    ALM_TRY(all ? ALM_OK : mark_later(&o, st));
    ALM_TRY(mark_withdrawn(&o, &withdrawals, st));
    size_t first = 0;
    size_t end = o.count;
    while (first < end && !o.is_open[first]) {
        first++;
    }
    while (end > first && !o.is_open[end - 1]) {
        end--;
    }
    return first == end ? ALM_OK : choose_rows(&o, first, end - 1, cells, st);
}
