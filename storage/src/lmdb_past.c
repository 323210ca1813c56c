#include "lmdb_past.h"
#include "chunk.h"

#include <stdlib.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for an older state");
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
    ret->has_all_commits = ret->filter.at_sequence == head->sequence;
    return lmdb_precedence_get(txn, arena, &ret->precedence, st);
}

alm_code lmdb_past_choose(const lmdb_past *past, const alm_obs *winner, const alm_obs *others,
                          size_t other_count, alm_arena *arena, const alm_obs **ret, alm_status *st)
{
    size_t count = other_count + (winner != NULL);
    if (count <= 1) { // most that were revised were so once
        const alm_obs *only = winner != NULL ? winner : others;
        *ret = count == 1 && alm_vintage_admitted(&past->filter, only) ? only : NULL;
        return *ret == NULL ? ALM_OK : alm_precedence_require(&past->precedence, *ret, st);
    }
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
    size_t *open;               // those of which the winner is to be chosen anew, ascending
    size_t open_count;
    alm_block vintages; // the slice's older ones
    size_t *withdrawn;  // rows that a withdrawal took a source out of since: it may have won
    size_t withdrawn_count;
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
    return alm_withdrawals_find(&o->vintages, o->places, o->count, &o->past->filter, o->arena,
                                &o->withdrawn, &o->withdrawn_count, st);
}

// Rows whose number in a column is greater than `most`, behind those that are open already.
static alm_code open_greater(older_rows *o, int column, int64_t most, alm_status *st)
{
    const lmdb_slice_rows *rows = o->rows;
    int64_t *values = alm_arena_alloc(o->arena, o->count * sizeof *values);
    if (values == NULL) {
        return no_memory(st);
    }
    alm_column_range(&o->rows->block.columns[column], rows->from, rows->to, values);
    size_t count = o->open_count;
    for (size_t i = 0; i < o->count; i++) {
        o->open[count] = i;
        count += values[i] > most;
    }
    o->open_count = count;
    return ALM_OK;
}

static int by_number(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void sort_open(older_rows *o)
{
    size_t kept = 0;
    qsort(o->open, o->open_count, sizeof *o->open, by_number);
    for (size_t i = 0; i < o->open_count; i++) {
        if (kept == 0 || o->open[kept - 1] != o->open[i]) {
            o->open[kept++] = o->open[i];
        }
    }
    o->open_count = kept;
}

// Finds what is open. Mostly one column tells: when it was published, or committed.
static alm_code find_open(older_rows *o, alm_status *st)
{
    const lmdb_past *past = o->past;
    size_t room = 2 * o->count + o->withdrawn_count + 1;
    o->open = alm_arena_alloc(o->arena, room * sizeof *o->open);
    if (o->open == NULL) {
        return no_memory(st);
    }
    if (past->filter.as_of != ALM_DATE_MAX) {
        ALM_TRY(open_greater(o, ALM_BLOCK_PUBLISHED, past->filter.as_of, st));
    }
    bool is_sorted = past->has_all_commits || o->open_count == 0;
    if (!past->has_all_commits) {
        ALM_TRY(open_greater(o, ALM_BLOCK_SEQUENCE, (int64_t)past->filter.at_sequence, st));
    }
    for (size_t i = 0; i < o->withdrawn_count; i++) {
        o->open[o->open_count++] = o->withdrawn[i];
    }
    if (o->open_count > 1 && (!is_sorted || o->withdrawn_count > 0)) {
        sort_open(o);
    }
    return ALM_OK;
}

// The older vintages of the open rows, and of those between them.
static alm_code get_vintages(older_rows *o, alm_obs **ret, size_t *ret_count, alm_status *st)
{
    *ret = NULL;
    *ret_count = 0;
    if (o->vintages.count == 0) {
        return ALM_OK; // a block that is not there has no columns
    }
    alm_place_id last = o->places[o->open[o->open_count - 1]];
    size_t from = alm_block_find_place(&o->vintages, 0, o->places[o->open[0]]);
    size_t to = alm_block_find_place(&o->vintages, from, last + 1);
    *ret_count = to - from;
    *ret = alm_arena_alloc(o->arena, *ret_count * sizeof **ret);
    return *ret == NULL ? no_memory(st) : alm_block_get(&o->vintages, from, to, *ret, st);
}

// The stored winner of a row, if it may have won then: *ret_winner is it, or NULL.
static alm_code get_winner(older_rows *o, size_t row, alm_obs *ret, const alm_obs **ret_winner,
                           alm_status *st)
{
    *ret_winner = NULL;
    if (o->withdrawn_count == 0) {
        return ALM_OK; // only rows are open whose winner was not known yet
    }
    ALM_TRY(alm_block_get_when(&o->rows->block, row, ret, st));
    if (!alm_vintage_admitted(&o->past->filter, ret)) {
        return ALM_OK;
    }
    *ret_winner = ret;
    return alm_block_get(&o->rows->block, row, row + 1, ret, st);
}

// Puts what held then in the place of what holds now.
static alm_code choose_row(older_rows *o, size_t i, const alm_obs *others, size_t other_count,
                           alm_cells *cells, alm_status *st)
{
    static const alm_value nothing = {.status = ALM_OBS_STATUS_WITHDRAWN};
    alm_obs row;
    const alm_obs *winner, *best;
    ALM_TRY(get_winner(o, o->rows->from + i, &row, &winner, st));
    ALM_TRY(lmdb_past_choose(o->past, winner, others, other_count, o->arena, &best, st));
    return alm_cells_set(cells, o->rows->at + i, best != NULL ? &best->value : &nothing, st);
}

static alm_code choose_rows(older_rows *o, alm_cells *cells, alm_status *st)
{
    alm_obs *others;
    size_t count;
    size_t to = 0;
    ALM_TRY(get_vintages(o, &others, &count, st));
    for (size_t i = 0; i < o->open_count; i++) {
        alm_place_id place = o->places[o->open[i]];
        while (to < count && others[to].place < place) {
            to++;
        }
        size_t from = to;
        while (to < count && others[to].place == place) {
            to++;
        }
        ALM_TRY(choose_row(o, o->open[i], others + from, to - from, cells, st));
    }
    return ALM_OK;
}

alm_code lmdb_past_put(const lmdb_past *past, const lmdb_txn *txn, lmdb_slice_key slice,
                       lmdb_slice_rows *rows, alm_arena *arena, alm_cells *cells, alm_status *st)
{
    older_rows o = {.past = past,
                    .arena = arena,
                    .rows = rows,
                    .count = rows->to - rows->from,
                    .places = cells->places + rows->at};
    ALM_TRY(open_vintages(&o, txn, slice, st));
    if (all_admitted(past, &rows->block) && o.withdrawn_count == 0) {
        return ALM_OK;
    }
    ALM_TRY(find_open(&o, st));
    return o.open_count == 0 ? ALM_OK : choose_rows(&o, cells, st);
}
