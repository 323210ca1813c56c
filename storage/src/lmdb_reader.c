// Vectors: one series from its group, one slice from its chunks, without making rows of them. What
// an older state needs, rows are made of; so it costs by what was revised.
#include "lmdb_past.h"
#include "lmdb_place.h"
#include "sums.h"

#include "alm/alloc.h"

#include <xxhash.h>

#define READER_BYTES_MAX ((size_t)1 << 30)
#define KNOWN_COUNT      64

// A variant's text and id, which stay what they are.
typedef struct known_variant {
    uint64_t hash;
    uint32_t id;
    uint16_t len; // 0: none
    char text[ALM_SERIES_KEY_BYTES_MAX];
} known_variant;

// A part without changes since it was folded.
typedef struct known_part {
    size_t snapshot; // in which it was so; 0: none
    uint32_t variant, chunk;
} known_part;

typedef struct lmdb_reader {
    alm_store_reader base;
    lmdb_store *store;
    lmdb_txn txn;    // reset between questions
    size_t snapshot; // LMDB's number of it; what is known of a snapshot holds for the next question
    size_t head_of;  // the snapshot that has this head; 0: none
    alm_head head;
    known_part parts[KNOWN_COUNT];
    MDB_cursor *series;
    alm_arena *arena; // as long as the question
    alm_cells cells;  // the answer
    known_variant known[KNOWN_COUNT];
} lmdb_reader;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a reader");
}

// --- opening -------------------------------------------------------------------------------------

void lmdb_reader_close(alm_store_reader *base)
{
    lmdb_reader *reader = (lmdb_reader *)base;
    if (reader->series != NULL) {
        mdb_cursor_close(reader->series);
    }
    lmdb_abort(&reader->txn);
    alm_arena_destroy(&reader->arena);
    alm_cells_deinit(&reader->cells);
    alm_free(reader);
}

static alm_code take_snapshot(lmdb_reader *reader, alm_status *st)
{
    ALM_TRY(lmdb_begin_read(reader->store, &reader->txn, st));
    int error = mdb_cursor_open(reader->txn.txn, reader->txn.dbis[LMDB_SERIES], &reader->series);
    return error == MDB_SUCCESS ? ALM_OK : alm_status_from_lmdb(st, error, "opening a reader");
}

alm_code lmdb_reader_open(alm_store *store, alm_store_reader **ret, alm_status *st)
{
    lmdb_reader *reader = alm_calloc(1, sizeof *reader);
    if (reader == NULL) {
        return no_memory(st);
    }
    reader->base.ops = store->ops;
    reader->store = lmdb_of(store);
    reader->arena = alm_arena_create(READER_BYTES_MAX);
    alm_code code = reader->arena == NULL ? no_memory(st) : take_snapshot(reader, st);
    if (code != ALM_OK) {
        lmdb_reader_close(&reader->base);
        return code;
    }
    mdb_txn_reset(reader->txn.txn);
    *ret = &reader->base;
    return ALM_OK;
}

// --- a question ----------------------------------------------------------------------------------

// LMDB gave up the snapshot's environment: another one takes its place (lmdb_env.c). Likewise if
// that failed before.
static alm_code begin_anew(lmdb_reader *reader, alm_status *st)
{
    if (reader->series != NULL) {
        mdb_cursor_close(reader->series);
        reader->series = NULL;
    }
    lmdb_abort(&reader->txn);
    alm_code code = take_snapshot(reader, st);
    if (code != ALM_OK) {
        lmdb_abort(&reader->txn);
    }
    reader->head_of = 0; // the other's snapshots have numbers of their own
    memset(reader->parts, 0, sizeof reader->parts);
    return code;
}

static alm_code read_head(lmdb_reader *reader, alm_status *st)
{
    reader->snapshot = mdb_txn_id(reader->txn.txn);
    if (reader->head_of == reader->snapshot) {
        return ALM_OK;
    }
    reader->head_of = 0;
    ALM_TRY(lmdb_head_get(&reader->txn, &reader->head, st));
    reader->head_of = reader->snapshot;
    return ALM_OK;
}

static void end(lmdb_reader *reader)
{
    if (reader->txn.txn != NULL) {
        mdb_txn_reset(reader->txn.txn);
    }
}

static alm_code renew(lmdb_reader *reader, alm_status *st)
{
    int error = reader->txn.txn != NULL ? mdb_txn_renew(reader->txn.txn) : MDB_PANIC;
    if (error == MDB_PANIC) {
        return begin_anew(reader, st);
    }
    if (error == MDB_SUCCESS) {
        error = mdb_cursor_renew(reader->txn.txn, reader->series);
    }
    return error == MDB_SUCCESS ? ALM_OK : alm_status_from_lmdb(st, error, "opening a snapshot");
}

static alm_code begin(lmdb_reader *reader, alm_status *st)
{
    alm_arena_reset(reader->arena);
    alm_code code = renew(reader, st);
    if (code == ALM_OK) {
        code = read_head(reader, st);
    }
    if (code != ALM_OK) {
        end(reader);
    }
    return code;
}

static alm_code find_variant(lmdb_reader *reader, alm_str text, bool *ret_found, uint32_t *ret,
                             alm_status *st)
{
    uint64_t hash = XXH3_64bits(text.data, text.len);
    known_variant *known = &reader->known[hash % KNOWN_COUNT];
    if (known->hash == hash && known->len == text.len &&
        memcmp(known->text, text.data, text.len) == 0) {
        *ret_found = true;
        *ret = known->id;
        return ALM_OK;
    }
    lmdb_key key = lmdb_key_of_text(text);
    ALM_TRY(lmdb_get_u32(&reader->txn, LMDB_VARIANT_ID, &key, ret_found, ret, st));
    if (*ret_found) {
        *known = (known_variant){.hash = hash, .id = *ret, .len = (uint16_t)text.len};
        memcpy(known->text, text.data, text.len);
    }
    return ALM_OK;
}

// --- a series now --------------------------------------------------------------------------------

static alm_code damaged(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "%s", what);
}

// Cells one by one, where columns do not tell unit and exponent of all numbers.
static alm_code take_rows(alm_cells *cells, const alm_obs *rows, size_t count, alm_status *st)
{
    ALM_TRY(alm_cells_reserve(cells, count, st));
    for (size_t i = 0; i < count; i++) {
        size_t at = cells->count++;
        cells->numbers[at] = 0;
        if (cells->is_series) {
            cells->periods[at] = rows[i].period;
        } else {
            cells->places[at] = rows[i].place;
        }
        if (at == 0) {
            cells->common_flags = (uint16_t)alm_block_flags(&rows[i].value);
        }
        ALM_TRY(alm_cells_set(cells, at, &rows[i].value, st));
    }
    return ALM_OK;
}

static alm_code take_group_rows(lmdb_reader *reader, alm_group *group,
                                const alm_group_series *series, alm_cells *cells, alm_status *st)
{
    alm_obs *rows = alm_arena_alloc(reader->arena, series->count * sizeof *rows);
    if (rows == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_group_rows(group, series, reader->arena, rows, st));
    return take_rows(cells, rows, series->count, st);
}

// The unit in a column that is the same in all rows. False: damaged.
static bool unit_of(int64_t column, alm_unit *ret)
{
    alm_obs row = {0};
    bool is_unit = alm_block_set(ALM_BLOCK_UNIT, &column, 1, NULL, 0, &row);
    *ret = row.value.unit;
    return is_unit;
}

static bool has_number(const alm_cells *cells, size_t from, size_t to)
{
    if (!cells->has_flags) {
        return to > from && alm_cell_has_number(cells->common_flags);
    }
    while (from < to && !alm_cell_has_number(cells->flags[from])) {
        from++;
    }
    return from < to;
}

static alm_code take_group_flags(lmdb_reader *reader, alm_group *group,
                                 const alm_group_series *series, alm_cells *cells, alm_status *st)
{
    alm_value value;
    int64_t seen = -1; // good
    bool is_common = alm_group_constant(group, ALM_BLOCK_FLAGS);
    size_t count = is_common ? 1 : series->count;
    int64_t *flags = alm_arena_alloc(reader->arena, series->count * sizeof *flags);
    if (flags == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_group_column(group, series, ALM_BLOCK_FLAGS, reader->arena, flags, st));
    for (size_t i = 0; i < count; i++) {
        if (flags[i] != seen && !alm_block_flags_set(flags[i], &value)) {
            return damaged(st, "a group of series is damaged: flags");
        }
        seen = flags[i];
        cells->flags[i] = (uint16_t)flags[i];
    }
    cells->has_flags = !is_common;
    cells->common_flags = cells->flags[0];
    return ALM_OK;
}

static alm_code take_group(lmdb_reader *reader, alm_group *group, const alm_group_series *series,
                           alm_cells *cells, alm_status *st)
{
    alm_unit unit;
    int64_t column, factor;
    alm_group_series first = *series;
    first.count = 1;
    if (!group->is_scaled || !alm_group_constant(group, ALM_BLOCK_UNIT)) {
        return take_group_rows(reader, group, series, cells, st);
    }
    ALM_TRY(alm_cells_reserve(cells, series->count, st));
    ALM_TRY(alm_group_periods(group, series, reader->arena, cells->periods, st));
    ALM_TRY(alm_group_numbers(group, series, cells->numbers, st));
    ALM_TRY(take_group_flags(reader, group, series, cells, st));
    ALM_TRY(alm_group_column(group, &first, ALM_BLOCK_UNIT, reader->arena, &column, st));
    if (!unit_of(column, &unit)) {
        return damaged(st, "a group of series is damaged: its unit");
    }
    cells->count = series->count;
    return has_number(cells, 0, cells->count)
               ? alm_cells_admit(cells, unit, group->scale, &factor, st)
               : ALM_OK;
}

// --- a series' changes since ---------------------------------------------------------------------

// The place's winner in the changed slice; found false: none.
static alm_code find_winner(lmdb_reader *reader, uint32_t variant, alm_place_id place,
                            uint64_t period, alm_obs *ret, bool *ret_found, alm_status *st)
{
    alm_str bytes;
    alm_block block;
    lmdb_key key = lmdb_key_of_slice(
        (lmdb_slice_key){.variant = variant, .period = period, .chunk = place >> LMDB_CHUNK_BITS});
    ALM_TRY(lmdb_get(&reader->txn, LMDB_SLICE, &key, ret_found, &bytes, st));
    if (!*ret_found) {
        return ALM_OK;
    }
    const alm_base *base;
    ALM_TRY(lmdb_base_get(&reader->txn, variant, place >> LMDB_CHUNK_BITS, &base, st));
    ALM_TRY(alm_block_open(bytes, ALM_CHUNK_ROW_COUNT_MAX, base, reader->arena, &block, st));
    size_t at = alm_block_find_place(&block, 0, place);
    *ret_found = at < block.count && alm_block_place(&block, at) == place;
    return *ret_found ? alm_block_get(&block, at, at + 1, ret, st) : ALM_OK;
}

static size_t period_index(const alm_cells *cells, alm_period period)
{
    size_t low = 0;
    size_t high = cells->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (alm_period_cmp(cells->periods[middle], period) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// Puts the row in the place of the cell that was there for its period, if any.
static alm_code put_row(alm_cells *cells, const alm_obs *row, alm_status *st)
{
    size_t at = period_index(cells, row->period);
    bool is_there = at < cells->count && alm_period_eq(cells->periods[at], row->period);
    if (!is_there) {
        ALM_TRY(alm_cells_insert(cells, at, st));
        cells->periods[at] = row->period;
    }
    if (cells->count == 1) {
        cells->common_flags = (uint16_t)alm_block_flags(&row->value);
    }
    return alm_cells_set(cells, at, &row->value, st);
}

static alm_code get_part(lmdb_reader *reader, uint32_t variant, uint32_t chunk, alm_part *ret,
                         alm_status *st)
{
    known_part *known = &reader->parts[(variant * 7 + chunk) % KNOWN_COUNT];
    *ret = (alm_part){0};
    if (known->snapshot == reader->snapshot && known->variant == variant && known->chunk == chunk) {
        return ALM_OK;
    }
    ALM_TRY(lmdb_part_get(&reader->txn, variant, chunk, reader->arena, ret, st));
    if (ret->count == 0) {
        *known = (known_part){.snapshot = reader->snapshot, .variant = variant, .chunk = chunk};
    }
    return ALM_OK;
}

static alm_code series_now(lmdb_reader *reader, uint32_t variant, alm_place_id place,
                           alm_cells *cells, alm_status *st)
{
    bool found;
    alm_part part;
    alm_group group;
    ALM_TRY(get_part(reader, variant, place >> LMDB_CHUNK_BITS, &part, st));
    ALM_TRY(lmdb_group_find(reader->series, variant, place, reader->arena, &group, &found, st));
    if (found) {
        alm_group_series series;
        ALM_TRY(alm_group_find(&group, place, reader->arena, &series, st));
        if (series.count > 0) {
            ALM_TRY(take_group(reader, &group, &series, cells, st));
        }
    }
    for (size_t i = 0; i < part.count; i++) {
        alm_obs row;
        ALM_TRY(find_winner(reader, variant, place, part.changes[i].period, &row, &found, st));
        if (found) {
            ALM_TRY(put_row(cells, &row, st));
        }
    }
    return ALM_OK;
}

// --- a series then -------------------------------------------------------------------------------

static alm_code series_then(lmdb_reader *reader, uint32_t variant, alm_place_id place,
                            const lmdb_past *p, alm_cells *cells, alm_status *st)
{
    lmdb_place_rows rows;
    size_t other = 0;
    ALM_TRY(lmdb_place_rows_get(&reader->txn, variant, place, reader->arena, &rows, st));
    ALM_TRY(alm_cells_reserve(cells, rows.winners.count, st));
    for (size_t i = 0; i < rows.winners.count; i++) {
        const alm_obs *winner = &rows.winners.rows[i];
        const alm_obs *others = rows.others.rows;
        while (other < rows.others.count &&
               alm_period_cmp(others[other].period, winner->period) < 0) {
            other++;
        }
        size_t from = other;
        while (other < rows.others.count && alm_period_eq(others[other].period, winner->period)) {
            other++;
        }
        const alm_obs *best;
        ALM_TRY(lmdb_past_choose(p, winner, others + from, other - from, reader->arena, &best, st));
        if (best != NULL) {
            ALM_TRY(put_row(cells, best, st));
        }
    }
    return ALM_OK;
}

// --- slices --------------------------------------------------------------------------------------

static alm_code take_block_rows(lmdb_reader *reader, lmdb_slice_rows *rows, alm_cells *cells,
                                alm_status *st)
{
    size_t count = rows->to - rows->from;
    alm_obs *list = alm_arena_alloc(reader->arena, count * sizeof *list);
    if (list == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_block_get(&rows->block, rows->from, rows->to, list, st));
    return take_rows(cells, list, count, st);
}

// Puts the rows' flags behind those that are there.
static alm_code take_block_flags(lmdb_slice_rows *rows, alm_cells *cells, alm_status *st)
{
    uint16_t flags;
    size_t count = rows->to - rows->from;
    bool is_common = alm_column_constant(&rows->block.columns[ALM_BLOCK_FLAGS]);
    if (!alm_block_cell_flags(&rows->block, rows->from, rows->from + 1, &flags)) {
        return damaged(st, "a slice is damaged: flags");
    }
    if (rows->at == 0 && is_common) {
        cells->common_flags = flags;
        return ALM_OK;
    }
    if (is_common && !cells->has_flags && flags == cells->common_flags) {
        return ALM_OK;
    }
    alm_cells_spread_flags(cells);
    return alm_block_cell_flags(&rows->block, rows->from, rows->from + count,
                                cells->flags + rows->at)
               ? ALM_OK
               : damaged(st, "a slice is damaged: flags");
}

static alm_code take_block_numbers(lmdb_slice_rows *rows, alm_cells *cells, alm_status *st)
{
    alm_unit unit;
    int64_t factor = 1;
    alm_block *block = &rows->block;
    size_t count = rows->to - rows->from;
    int64_t *numbers = cells->numbers + rows->at;
    if (!unit_of(alm_column_get(&block->columns[ALM_BLOCK_UNIT], 0), &unit)) {
        return damaged(st, "a slice is damaged: its unit");
    }
    if (has_number(cells, rows->at, rows->at + count)) {
        ALM_TRY(alm_cells_admit(cells, unit, block->scale, &factor, st));
    }
    alm_block_numbers(block, rows->from, rows->to, numbers);
    for (size_t i = 0; factor != 1 && i < count; i++) {
        ALM_TRY(alm_cells_scale(&numbers[i], factor, st));
    }
    return ALM_OK;
}

static alm_code take_block(lmdb_reader *reader, lmdb_slice_rows *rows, alm_cells *cells,
                           alm_status *st)
{
    alm_block *block = &rows->block;
    size_t count = rows->to - rows->from;
    rows->at = cells->count;
    if (!block->is_scaled || !alm_column_constant(&block->columns[ALM_BLOCK_UNIT])) {
        return take_block_rows(reader, rows, cells, st);
    }
    ALM_TRY(alm_cells_reserve(cells, count, st));
    if (!alm_block_places(block, rows->from, rows->to, cells->places + rows->at)) {
        return damaged(st, "a slice is damaged: its places");
    }
    ALM_TRY(take_block_flags(rows, cells, st));
    ALM_TRY(take_block_numbers(rows, cells, st));
    cells->count += count;
    return ALM_OK;
}

static alm_code take_chunk(lmdb_reader *reader, lmdb_slice_key slice, alm_place_id from,
                           alm_place_id to, const lmdb_past *p, alm_cells *cells, alm_status *st)
{
    bool found;
    alm_str bytes;
    lmdb_slice_rows rows;
    lmdb_key key = lmdb_key_of_slice(slice);
    ALM_TRY(lmdb_get(&reader->txn, LMDB_SLICE, &key, &found, &bytes, st));
    if (!found) {
        return ALM_OK;
    }
    const alm_base *base;
    ALM_TRY(lmdb_base_get(&reader->txn, slice.variant, slice.chunk, &base, st));
    ALM_TRY(alm_block_open(bytes, ALM_CHUNK_ROW_COUNT_MAX, base, reader->arena, &rows.block, st));
    rows.from = alm_block_find_place(&rows.block, 0, from);
    rows.to = alm_block_find_place(&rows.block, rows.from, to);
    if (rows.from == rows.to) {
        return ALM_OK;
    }
    ALM_TRY(take_block(reader, &rows, cells, st));
    return p == NULL ? ALM_OK
                     : lmdb_past_put(p, &reader->txn, slice, &rows, reader->arena, cells, st);
}

// --- answers -------------------------------------------------------------------------------------

typedef struct question {
    alm_str variant;
    const alm_as_of *as_of;
    bool is_series;
    alm_place_id place; // of a series
    alm_period period;  // of a slice
    alm_place_id from, to;
} question;

static alm_code take_slice(lmdb_reader *reader, const question *q, uint32_t variant,
                           const lmdb_past *p, alm_cells *cells, alm_status *st)
{
    lmdb_slice_key slice = {.variant = variant, .period = alm_period_pack(q->period)};
    for (uint64_t from = q->from; from < q->to;) {
        slice.chunk = (uint32_t)(from >> LMDB_CHUNK_BITS);
        uint64_t end = ((uint64_t)slice.chunk + 1) << LMDB_CHUNK_BITS;
        uint64_t to = ALM_MIN(end, (uint64_t)q->to);
        ALM_TRY(take_chunk(reader, slice, (alm_place_id)from, (alm_place_id)to, p, cells, st));
        from = to;
    }
    return ALM_OK;
}

static alm_code answer(lmdb_reader *reader, const question *q, alm_cells *cells, uint64_t *sequence,
                       alm_status *st)
{
    bool found;
    uint32_t variant;
    lmdb_past then;
    const lmdb_past *p = NULL;
    const alm_head *head = &reader->head;
    *sequence = head->sequence;
    if (q->as_of != NULL) {
        ALM_TRY(lmdb_past_get(&reader->txn, q->as_of, head, reader->arena, &then, st));
        *sequence = then.filter.at_sequence;
        bool is_now = q->as_of->published == ALM_DATE_MAX && then.has_all_commits;
        p = is_now ? NULL : &then;
    }
    ALM_TRY(find_variant(reader, q->variant, &found, &variant, st));
    if (!found) {
        return ALM_OK;
    }
    if (!q->is_series) {
        question bounded = *q;
        bounded.to = (alm_place_id)ALM_MIN((uint64_t)q->to, head->places);
        return take_slice(reader, &bounded, variant, p, cells, st);
    }
    return p != NULL ? series_then(reader, variant, q->place, p, cells, st)
                     : series_now(reader, variant, q->place, cells, st);
}

static alm_code ask(lmdb_reader *reader, const question *q, alm_vector *ret, alm_status *st)
{
    uint64_t sequence = 0;
    alm_cells *cells = &reader->cells;
    alm_cells_begin(cells, q->is_series);
    ALM_TRY(begin(reader, st));
    alm_code code = answer(reader, q, cells, &sequence, st);
    end(reader);
    if (code == ALM_OK) {
        alm_cells_drop_withdrawn(cells);
        *ret = alm_cells_view(cells, sequence);
    }
    return code;
}

alm_code lmdb_reader_series(alm_store_reader *reader, alm_str variant, alm_place_id place,
                            const alm_as_of *as_of, alm_vector *ret, alm_status *st)
{
    question q = {.variant = variant, .as_of = as_of, .is_series = true, .place = place};
    return ask((lmdb_reader *)reader, &q, ret, st);
}

alm_code lmdb_reader_slice(alm_store_reader *reader, alm_str variant, alm_period period,
                           alm_place_id from, alm_place_id to, const alm_as_of *as_of,
                           alm_vector *ret, alm_status *st)
{
    question q = {.variant = variant, .as_of = as_of, .period = period, .from = from, .to = to};
    return ask((lmdb_reader *)reader, &q, ret, st);
}

// --- sums ----------------------------------------------------------------------------------------

typedef struct summing {
    const alm_place_range *ranges;
    size_t count;
    alm_sum *sums;
    alm_vector *frame; // unit and exponent
    bool has_frame;
    bool is_done; // false: the blocks cannot be added up as they are
} summing;

// Do the block's numbers go with those that are there?
static bool fits_frame(summing *s, alm_block *block)
{
    alm_unit unit;
    if (!unit_of(alm_column_get(&block->columns[ALM_BLOCK_UNIT], 0), &unit)) {
        return false;
    }
    if (!s->has_frame) {
        s->has_frame = true;
        s->frame->unit = unit;
        s->frame->exponent = block->scale;
    }
    return alm_unit_eq(s->frame->unit, unit) && s->frame->exponent == block->scale;
}

static alm_code sum_chunk(lmdb_reader *reader, lmdb_slice_key slice, summing *s, alm_status *st)
{
    bool found;
    alm_str bytes;
    alm_block block;
    const alm_base *base;
    lmdb_key key = lmdb_key_of_slice(slice);
    alm_place_id first = slice.chunk << LMDB_CHUNK_BITS;
    ALM_TRY(lmdb_get(&reader->txn, LMDB_SLICE, &key, &found, &bytes, st));
    if (!found) {
        return ALM_OK;
    }
    ALM_TRY(lmdb_base_get(&reader->txn, slice.variant, slice.chunk, &base, st));
    ALM_TRY(alm_block_open(bytes, ALM_CHUNK_ROW_COUNT_MAX, base, reader->arena, &block, st));
    s->is_done = alm_block_can_sum(&block) && fits_frame(s, &block);
    return !s->is_done ? ALM_OK
                       : alm_block_add_sums(&block, first, first + LMDB_CHUNK_PLACES, s->ranges,
                                            s->count, s->sums, st);
}

static alm_code sum_slice(lmdb_reader *reader, alm_str variant, alm_period period, summing *s,
                          alm_status *st)
{
    bool found;
    const alm_head *head = &reader->head;
    lmdb_slice_key slice = {.period = alm_period_pack(period)};
    s->frame->sequence = head->sequence;
    s->is_done = true;
    ALM_TRY(find_variant(reader, variant, &found, &slice.variant, st));
    if (!found || head->places == 0) {
        return ALM_OK;
    }
    uint64_t last = ALM_MIN((uint64_t)s->ranges[s->count - 1].to, head->places);
    for (uint64_t from = s->ranges[0].from; from < last && s->is_done;) {
        slice.chunk = (uint32_t)(from >> LMDB_CHUNK_BITS);
        ALM_TRY(sum_chunk(reader, slice, s, st));
        from = ((uint64_t)slice.chunk + 1) << LMDB_CHUNK_BITS;
    }
    return ALM_OK;
}

alm_code lmdb_reader_sums(alm_store_reader *base, alm_str variant, alm_period period,
                          const alm_place_range *ranges, size_t count, alm_sum *sums,
                          alm_vector *frame, bool *ret_done, alm_status *st)
{
    lmdb_reader *reader = (lmdb_reader *)base;
    summing s = {.ranges = ranges, .count = count, .sums = sums, .frame = frame};
    *frame = (alm_vector){0};
    memset(sums, 0, count * sizeof *sums);
    ALM_TRY(begin(reader, st));
    alm_code code = sum_slice(reader, variant, period, &s, st);
    end(reader);
    *ret_done = s.is_done;
    return code;
}
