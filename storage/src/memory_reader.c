// Vectors: one series or one slice as columns, out of the vintages of its variant.
#include "cells.h"
#include "memory_store.h"

#include "alm/alloc.h"

#define READER_BYTES_MAX ((size_t)1 << 30)

typedef struct memory_reader {
    alm_store_reader base;
    memory_store *store;
    alm_arena *arena; // as long as the answer
    alm_cells cells;
} memory_reader;

// What is asked of a variant; all that is known of the state it is asked of.
typedef struct question {
    alm_str variant;
    bool is_series;
    alm_period period;     // of a slice
    alm_place_id from, to; // a series: the place and the one behind it
    alm_vintage_filter filter;
    alm_precedence precedence;
} question;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a reader");
}

alm_code memory_reader_open(alm_store *store, alm_store_reader **ret, alm_status *st)
{
    memory_reader *reader = alm_calloc(1, sizeof *reader);
    alm_arena *arena = alm_arena_create(READER_BYTES_MAX);
    if (reader == NULL || arena == NULL) {
        alm_arena_destroy(&arena);
        alm_free(reader);
        return no_memory(st);
    }
    *reader =
        (memory_reader){.base = {.ops = store->ops}, .store = memory_of(store), .arena = arena};
    *ret = &reader->base;
    return ALM_OK;
}

void memory_reader_close(alm_store_reader *base)
{
    memory_reader *reader = (memory_reader *)base;
    alm_arena_destroy(&reader->arena);
    alm_cells_deinit(&reader->cells);
    alm_free(reader);
}

// --- the state -----------------------------------------------------------------------------------

static alm_code fix_state(memory_reader *reader, const alm_as_of *as_of, question *q,
                          alm_status *st)
{
    uint64_t newest = reader->store->commits.count;
    static const alm_as_of now = {.published = ALM_DATE_MAX};
    as_of = as_of != NULL ? as_of : &now;
    if (as_of->sequence > newest) {
        return alm_status_set_field(
            st, ALM_OUT_OF_RANGE, "at_sequence", "there is no commit %llu yet; the newest is %llu",
            (unsigned long long)as_of->sequence, (unsigned long long)newest);
    }
    q->filter = (alm_vintage_filter){
        .as_of = as_of->published, .at_sequence = as_of->sequence != 0 ? as_of->sequence : newest};
    return memory_precedence_get(reader->store, reader->arena, &q->precedence, st);
}

// --- cells ---------------------------------------------------------------------------------------

static bool wants(const question *q, const alm_obs *row)
{
    return row->place >= q->from && row->place < q->to &&
           (q->is_series || alm_period_eq(row->period, q->period));
}

static alm_code put_cell(alm_cells *cells, const alm_obs *row, alm_status *st)
{
    size_t at = cells->count;
    ALM_TRY(alm_cells_insert(cells, at, st));
    if (cells->is_series) {
        cells->periods[at] = row->period;
    } else {
        cells->places[at] = row->place;
    }
    if (at == 0) {
        cells->common_flags = (uint16_t)alm_block_flags(&row->value);
    }
    return alm_cells_set(cells, at, &row->value, st);
}

// Cells ascend by period and place, as a series' periods and a slice's places do.
static alm_code take_cells(const question *q, const memory_variant *variant, alm_cells *cells,
                           alm_status *st)
{
    for (size_t from = 0, to = 0; from < variant->count; from = to) {
        to = memory_cell_end(variant, from);
        if (!wants(q, variant->vintages[from])) {
            continue;
        }
        const alm_obs *winner =
            alm_vintage_choose(&q->precedence, &q->filter, variant->vintages + from, to - from);
        if (winner != NULL && winner->value.status != ALM_OBS_STATUS_WITHDRAWN) {
            ALM_TRY(put_cell(cells, winner, st));
        }
    }
    return ALM_OK;
}

static alm_code answer(memory_reader *reader, const alm_as_of *as_of, question *q, alm_cells *cells,
                       alm_status *st)
{
    uint32_t number;
    const memory_variants *variants = &reader->store->variants;
    ALM_TRY(fix_state(reader, as_of, q, st));
    return memory_index_find(&variants->ids, q->variant, &number)
               ? take_cells(q, &variants->of[number], cells, st)
               : ALM_OK;
}

static alm_code ask(alm_store_reader *base, const alm_as_of *as_of, question *q, alm_vector *ret,
                    alm_status *st)
{
    memory_reader *reader = (memory_reader *)base;
    alm_arena_reset(reader->arena);
    alm_cells_begin(&reader->cells, q->is_series);
    pthread_mutex_lock(&reader->store->mutex);
    alm_code code = answer(reader, as_of, q, &reader->cells, st);
    pthread_mutex_unlock(&reader->store->mutex);
    if (code == ALM_OK) {
        *ret = alm_cells_view(&reader->cells, q->filter.at_sequence);
    }
    return code;
}

alm_code memory_series(alm_store_reader *reader, alm_str variant, alm_place_id place,
                       const alm_as_of *as_of, alm_vector *ret, alm_status *st)
{
    uint64_t end = (uint64_t)place + 1;
    question q = {.variant = variant,
                  .is_series = true,
                  .from = place,
                  .to = (alm_place_id)ALM_MIN(end, (uint64_t)ALM_PLACE_NONE)};
    return ask(reader, as_of, &q, ret, st);
}

alm_code memory_slice(alm_store_reader *reader, alm_str variant, alm_period period,
                      alm_place_id from, alm_place_id to, const alm_as_of *as_of, alm_vector *ret,
                      alm_status *st)
{
    question q = {.variant = variant, .period = period, .from = from, .to = to};
    return ask(reader, as_of, &q, ret, st);
}
