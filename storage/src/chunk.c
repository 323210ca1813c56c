#include "chunk.h"

#include "alm/store.h"

#include <stdlib.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a slice");
}

static alm_code damaged(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "a slice is damaged: %s", what);
}

// --- decoding ------------------------------------------------------------------------------------

static alm_code decode_rows(alm_str bytes, const alm_base *base, alm_arena *arena,
                            const alm_obs **ret, size_t *ret_count, alm_status *st)
{
    *ret = NULL;
    *ret_count = 0;
    if (bytes.len == 0) {
        return ALM_OK;
    }
    alm_block block;
    ALM_TRY(alm_block_open(bytes, ALM_CHUNK_ROW_COUNT_MAX, base, arena, &block, st));
    alm_obs *rows = alm_arena_alloc(arena, block.count * sizeof *rows);
    if (rows == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_block_get(&block, 0, block.count, rows, st));
    *ret = rows;
    *ret_count = block.count;
    return ALM_OK;
}

static alm_code check_rows(const alm_obs *rows, size_t count, alm_period period,
                           const alm_precedence *precedence, alm_status *st)
{
    for (size_t i = 0; i < count; i++) {
        if (!alm_period_eq(rows[i].period, period)) {
            return damaged(st, "a row of another period");
        }
        ALM_TRY(alm_precedence_require(precedence, &rows[i], st));
    }
    return ALM_OK;
}

alm_code alm_chunk_decode(alm_str slice, alm_str vintages, const alm_base *base, alm_period period,
                          const alm_precedence *precedence, alm_arena *arena, alm_chunk *ret,
                          alm_status *st)
{
    *ret = (alm_chunk){0};
    ALM_TRY(decode_rows(slice, base, arena, &ret->winners, &ret->winner_count, st));
    ALM_TRY(decode_rows(vintages, NULL, arena, &ret->others, &ret->other_count, st));
    ALM_TRY(check_rows(ret->winners, ret->winner_count, period, precedence, st));
    ALM_TRY(check_rows(ret->others, ret->other_count, period, precedence, st));
    for (size_t i = 1; i < ret->winner_count; i++) {
        if (ret->winners[i - 1].place >= ret->winners[i].place) {
            return damaged(st, "places are not in order");
        }
    }
    size_t at = 0;
    for (size_t i = 0; i < ret->other_count; i++) {
        if (i > 0 && alm_vintage_order(&ret->others[i - 1], &ret->others[i]) >= 0) {
            return damaged(st, "vintages are not in order");
        }
        while (at < ret->winner_count && ret->winners[at].place < ret->others[i].place) {
            at++;
        }
        if (at == ret->winner_count || ret->winners[at].place != ret->others[i].place) {
            return damaged(st, "vintages of a cell that is not there");
        }
    }
    return ALM_OK;
}

// --- questions -----------------------------------------------------------------------------------

static size_t first_of_place(const alm_obs *rows, size_t count, alm_place_id place)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].place < place) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t alm_chunk_others(const alm_chunk *chunk, alm_place_id place, size_t *ret_from)
{
    size_t at = first_of_place(chunk->others, chunk->other_count, place);
    *ret_from = at;
    while (at < chunk->other_count && chunk->others[at].place == place) {
        at++;
    }
    return at;
}

const alm_obs *alm_chunk_winner(const alm_chunk *chunk, alm_place_id place)
{
    size_t at = first_of_place(chunk->winners, chunk->winner_count, place);
    bool is_there = at < chunk->winner_count && chunk->winners[at].place == place;
    return is_there ? &chunk->winners[at] : NULL;
}

size_t alm_chunk_cells(const alm_chunk *chunk)
{
    size_t cells = 0;
    for (size_t i = 0; i < chunk->winner_count; i++) {
        cells += chunk->winners[i].value.status != ALM_OBS_STATUS_WITHDRAWN;
    }
    return cells;
}

// --- withdrawals ---------------------------------------------------------------------------------

// A search among the vintages of some places.
typedef struct withdrawal_search {
    alm_block *vintages;
    const alm_place_id *places;
    size_t count;
    const alm_vintage_filter *filter;
    size_t at; // the place at hand
    size_t *found;
    size_t found_count;
} withdrawal_search;

static bool may_withdraw(alm_block *vintages)
{
    return !alm_column_constant(&vintages->columns[ALM_BLOCK_FLAGS]) ||
           alm_block_status(vintages, 0) == ALM_OBS_STATUS_WITHDRAWN;
}

// Takes a withdrawal of the place at hand.
static alm_code take_withdrawal(withdrawal_search *s, size_t row, alm_status *st)
{
    alm_obs vintage;
    bool is_known = s->found_count > 0 && s->found[s->found_count - 1] == s->at;
    if (is_known) {
        return ALM_OK;
    }
    ALM_TRY(alm_block_get_when(s->vintages, row, &vintage, st));
    if (!alm_vintage_admitted(s->filter, &vintage)) {
        s->found[s->found_count++] = s->at;
    }
    return ALM_OK;
}

// Place by place: few of many.
static alm_code search_places(withdrawal_search *s, alm_status *st)
{
    size_t row = 0;
    for (s->at = 0; s->at < s->count; s->at++) {
        alm_place_id place = s->places[s->at];
        row = alm_block_find_place(s->vintages, row, place);
        for (; row < s->vintages->count && alm_block_place(s->vintages, row) == place; row++) {
            if (alm_block_status(s->vintages, row) == ALM_OBS_STATUS_WITHDRAWN) {
                ALM_TRY(take_withdrawal(s, row, st));
            }
        }
    }
    return ALM_OK;
}

static alm_code search_flags(withdrawal_search *s, size_t from, const uint16_t *flags, size_t count,
                             alm_status *st)
{
    s->at = 0;
    for (size_t i = 0; i < count; i++) {
        if (alm_cell_status(flags[i]) != ALM_OBS_STATUS_WITHDRAWN) {
            continue;
        }
        alm_place_id place = alm_block_place(s->vintages, from + i);
        while (s->at < s->count && s->places[s->at] < place) {
            s->at++;
        }
        if (s->at < s->count && s->places[s->at] == place) {
            ALM_TRY(take_withdrawal(s, from + i, st));
        }
    }
    return ALM_OK;
}

// So many times as many vintages are rather looked through one by one.
#define FEW_SHARE 16

alm_code alm_withdrawals_find(alm_block *vintages, const alm_place_id *places, size_t count,
                              const alm_vintage_filter *filter, alm_arena *arena, size_t **ret,
                              size_t *ret_count, alm_status *st)
{
    *ret = NULL;
    *ret_count = 0;
    if (count == 0 || vintages->count == 0 || !may_withdraw(vintages)) {
        return ALM_OK;
    }
    size_t from = alm_block_find_place(vintages, 0, places[0]);
    size_t to = alm_block_find_place(vintages, from, places[count - 1] + 1);
    withdrawal_search s = {.vintages = vintages,
                           .places = places,
                           .count = count,
                           .filter = filter,
                           .found = alm_arena_alloc(arena, count * sizeof *s.found)};
    bool is_few = count < (to - from) / FEW_SHARE;
    uint16_t *flags = is_few ? NULL : alm_arena_alloc(arena, (to - from) * sizeof *flags);
    if (s.found == NULL || (flags == NULL && !is_few)) {
        return no_memory(st);
    }
    if (!is_few && !alm_block_cell_flags(vintages, from, to, flags)) {
        return damaged(st, "the flags of vintages");
    }
    ALM_TRY(is_few ? search_places(&s, st) : search_flags(&s, from, flags, to - from, st));
    *ret = s.found;
    *ret_count = s.found_count;
    return ALM_OK;
}

// --- merging -------------------------------------------------------------------------------------

// Where a merge stands in an input ordered by place.
typedef struct run_of_rows {
    const alm_obs *rows;
    size_t at, count;
} run_of_rows;

static alm_place_id next_place(const run_of_rows *run)
{
    return run->at < run->count ? run->rows[run->at].place : ALM_PLACE_NONE;
}

// What a merge makes.
typedef struct merged_rows {
    alm_obs *winners, *others;
    size_t winner_count, other_count;
    const alm_obs **cell; // the vintages of one
} merged_rows;

static void put_cell(merged_rows *out, size_t count, const alm_precedence *precedence)
{
    const alm_obs *winner = out->cell[0];
    size_t from = out->other_count;
    if (count > 1) {
        alm_vintage_sort(out->cell, count);
        winner = alm_vintage_choose(precedence, NULL, out->cell, count);
    }
    out->winners[out->winner_count++] = *winner;
    for (size_t i = 0; i < count; i++) {
        if (out->cell[i] != winner) {
            out->others[out->other_count++] = *out->cell[i];
        }
    }
    if (out->other_count - from > 1) {
        qsort(out->others + from, out->other_count - from, sizeof *out->others, alm_vintage_order);
    }
}

// The next place's rows of all inputs. False: there are no more.
static bool merge_place(run_of_rows *runs, size_t run_count, const alm_precedence *precedence,
                        merged_rows *out)
{
    size_t count = 0;
    alm_place_id place = ALM_PLACE_NONE;
    for (size_t i = 0; i < run_count; i++) {
        place = ALM_MIN(place, next_place(&runs[i]));
    }
    if (place == ALM_PLACE_NONE) {
        return false;
    }
    for (size_t i = 0; i < run_count; i++) {
        for (; next_place(&runs[i]) == place; runs[i].at++) {
            out->cell[count++] = &runs[i].rows[runs[i].at];
        }
    }
    put_cell(out, count, precedence);
    return true;
}

alm_code alm_chunk_merge(const alm_chunk *chunk, const alm_obs *rows, size_t count,
                         const alm_precedence *precedence, alm_arena *arena, alm_chunk *ret,
                         alm_status *st)
{
    size_t total = chunk->winner_count + chunk->other_count + count;
    merged_rows out = {.winners = alm_arena_alloc(arena, total * sizeof *out.winners),
                       .others = alm_arena_alloc(arena, total * sizeof *out.others),
                       .cell = alm_arena_alloc(arena, total * sizeof *out.cell)};
    if (out.winners == NULL || out.others == NULL || out.cell == NULL) {
        return no_memory(st);
    }
    // A cell's rows come as they were published, mostly, and need no sorting.
    run_of_rows runs[] = {{.rows = chunk->others, .count = chunk->other_count},
                          {.rows = chunk->winners, .count = chunk->winner_count},
                          {.rows = rows, .count = count}};
    while (merge_place(runs, ALM_ARRAY_LEN(runs), precedence, &out)) {}
    *ret = (alm_chunk){.winners = out.winners,
                       .winner_count = out.winner_count,
                       .others = out.others,
                       .other_count = out.other_count};
    return ALM_OK;
}
