// The rows of a rebuild: a part is put together from its slices and its groups of series, and what
// only the log still has is added to that.
#include "fingerprint.h"
#include "group.h"
#include "lmdb_rebuild.h"

#include <stdlib.h>

typedef struct row_list {
    alm_obs *rows;
    size_t count, cap;
} row_list;

static alm_code add_rows(lmdb_rebuild *r, row_list *list, const alm_obs *rows, size_t count,
                         alm_status *st)
{
    if (!alm_arena_grow(r->part, (void **)&list->rows, &list->cap, list->count + count,
                        sizeof *list->rows)) {
        return rebuild_no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        list->rows[list->count++] = rows[i];
    }
    return ALM_OK;
}

// A row that no store could have taken: a checksum that fits by chance, or an entry that is gone.
static bool is_possible(const lmdb_rebuild *r, const alm_obs *row)
{
    return row->sequence > 0 && row->sequence <= r->head.sequence && row->place < r->head.places &&
           alm_precedence_knows(&r->precedence, row->source);
}

static alm_code add_block(lmdb_rebuild *r, row_list *list, alm_str bytes, const alm_base *base,
                          alm_status *st)
{
    alm_block block;
    if (bytes.len == 0) {
        return ALM_OK;
    }
    ALM_TRY(alm_block_open(bytes, ALM_CHUNK_ROW_COUNT_MAX, base, r->part, &block, st));
    alm_obs *rows = alm_arena_calloc(r->step, block.count, sizeof *rows);
    if (rows == NULL) {
        return rebuild_no_memory(st);
    }
    ALM_TRY(alm_block_get(&block, 0, block.count, rows, st));
    return add_rows(r, list, rows, block.count, st);
}

// --- what slices hold ----------------------------------------------------------------------------

static const char *variant_text(const lmdb_rebuild *r, uint32_t variant)
{
    return variant < r->variant_count && r->variants[variant].len > 0 ? r->variants[variant].data
                                                                      : "(unknown)";
}

// Goes on after damage, which is told with what it is about; any other failure ends the rebuild.
static alm_code pass_damage(lmdb_rebuild *r, alm_code code, const char *what, lmdb_slice_key slice,
                            const alm_status *why, alm_status *st)
{
    char label[ALM_PERIOD_TEXT_MAX] = "?";
    alm_period period;
    if (code != ALM_DATA_LOSS) {
        return code == ALM_OK ? ALM_OK : alm_status_copy(st, why);
    }
    if (alm_period_unpack(slice.period, &period)) {
        alm_period_format(period, label);
    }
    r->result->damaged++;
    rebuild_report(r, "%s of %s in %s, places %u to %u, is damaged (%s)", what,
                   variant_text(r, slice.variant), label, slice.chunk << LMDB_CHUNK_BITS,
                   ((slice.chunk + 1) << LMDB_CHUNK_BITS) - 1, why->message);
    return ALM_OK;
}

static alm_code add_vintages(lmdb_rebuild *r, lmdb_slice_key slice, row_list *list, alm_status *st)
{
    bool found;
    alm_str bytes = {0};
    alm_status why = ALM_STATUS_INIT;
    lmdb_key key = lmdb_key_of_slice(slice);
    if (!r->readable[LMDB_VINTAGES]) {
        return ALM_OK;
    }
    *r->reading = LMDB_VINTAGES;
    alm_code code = lmdb_get(&r->old.txn, LMDB_VINTAGES, &key, &found, &bytes, &why);
    if (code == ALM_OK && found) {
        code = add_block(r, list, bytes, NULL, &why);
    }
    return pass_damage(r, code, "the older vintages", slice, &why, st);
}

static alm_code add_slice(lmdb_rebuild *r, lmdb_slice_key slice, alm_code read_code,
                          const alm_status *read_why, alm_str bytes, const alm_base *base,
                          row_list *list, alm_status *st)
{
    alm_status why = *read_why;
    alm_code code = read_code;
    alm_arena_reset(r->step);
    if (code == ALM_OK) {
        code = add_block(r, list, bytes, base, &why);
    }
    ALM_TRY(pass_damage(r, code, "the slice", slice, &why, st));
    return add_vintages(r, slice, list, st);
}

static alm_code add_slices_from(lmdb_rebuild *r, lmdb_scan *scan, uint32_t variant, uint32_t chunk,
                                const alm_base *base, row_list *list, alm_status *st)
{
    lmdb_slice_key at = {.variant = variant, .chunk = chunk};
    for (;;) {
        lmdb_slice_key found;
        alm_status why = ALM_STATUS_INIT;
        lmdb_key key = lmdb_key_of_slice(at);
        *r->reading = LMDB_SLICE;
        alm_code code = lmdb_scan_seek(scan, &key, &why);
        if (!scan->found || !lmdb_slice_key_from(scan->key, &found) || found.variant != variant) {
            return code == ALM_OK || code == ALM_DATA_LOSS ? ALM_OK : alm_status_copy(st, &why);
        }
        at.period = found.period + (found.chunk >= chunk);
        if (found.chunk == chunk) {
            ALM_TRY(add_slice(r, found, code, &why, scan->value, base, list, st));
        }
    }
}

static alm_code add_slices(lmdb_rebuild *r, uint32_t variant, uint32_t chunk, row_list *list,
                           alm_status *st)
{
    lmdb_scan scan;
    const alm_base *base = NULL;
    if (!r->readable[LMDB_SLICE]) {
        return ALM_OK;
    }
    *r->reading = LMDB_BASE;
    // A damaged base is told by the slices over it.
    if (r->readable[LMDB_BASE] &&
        lmdb_base_get(&r->old.txn, variant, chunk, &base, NULL) == ALM_RESOURCE_EXHAUSTED) {
        return rebuild_no_memory(st);
    }
    *r->reading = LMDB_SLICE;
    ALM_TRY(lmdb_scan_open(&r->old.txn, LMDB_SLICE, &scan, st));
    alm_code code = add_slices_from(r, &scan, variant, chunk, base, list, st);
    lmdb_scan_close(&scan);
    return code;
}

// --- what series hold ----------------------------------------------------------------------------

static alm_code add_group(lmdb_rebuild *r, alm_str bytes, row_list *list, alm_status *st)
{
    alm_group group;
    ALM_TRY(alm_group_open(bytes, r->part, &group, st));
    for (size_t i = 0; i < group.place_count; i++) {
        alm_group_series series;
        alm_place_id place = (alm_place_id)alm_column_get(&group.places, i);
        alm_arena_reset(r->step);
        ALM_TRY(alm_group_find(&group, place, r->step, &series, st));
        alm_obs *rows = alm_arena_calloc(r->step, series.count, sizeof *rows);
        if (rows == NULL) {
            return rebuild_no_memory(st);
        }
        ALM_TRY(alm_group_rows(&group, &series, r->step, rows, st));
        ALM_TRY(add_rows(r, list, rows, series.count, st));
    }
    return add_block(r, list, group.others, NULL, st);
}

static alm_code add_groups_from(lmdb_rebuild *r, lmdb_scan *scan, uint32_t variant, uint32_t chunk,
                                row_list *list, alm_status *st)
{
    uint64_t from = (uint64_t)chunk << LMDB_CHUNK_BITS;
    for (;;) {
        uint32_t found, first;
        alm_status why = ALM_STATUS_INIT;
        lmdb_key key = lmdb_key_of_pair(variant, (uint32_t)from);
        alm_code code = lmdb_scan_seek(scan, &key, &why);
        if (!scan->found || !lmdb_pair_from_key(scan->key, &found, &first) || found != variant ||
            first >> LMDB_CHUNK_BITS != chunk) {
            return ALM_OK;
        }
        if (code == ALM_OK) {
            code = add_group(r, scan->value, list, &why);
        }
        if (code == ALM_DATA_LOSS) {
            r->result->damaged++;
            rebuild_report(r, "the series of %s from place %u on are damaged (%s)",
                           variant_text(r, variant), first, why.message);
        } else if (code != ALM_OK) {
            return alm_status_copy(st, &why);
        }
        from = (uint64_t)first + 1;
    }
}

static alm_code add_groups(lmdb_rebuild *r, uint32_t variant, uint32_t chunk, row_list *list,
                           alm_status *st)
{
    lmdb_scan scan;
    if (!r->readable[LMDB_SERIES]) {
        return ALM_OK;
    }
    *r->reading = LMDB_SERIES;
    ALM_TRY(lmdb_scan_open(&r->old.txn, LMDB_SERIES, &scan, st));
    alm_code code = add_groups_from(r, &scan, variant, chunk, list, st);
    lmdb_scan_close(&scan);
    return code;
}

// --- writing -------------------------------------------------------------------------------------

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

// By period, place and vintage. Two that are equal are the same row.
static int row_cmp(const void *a, const void *b)
{
    const alm_obs *x = a;
    const alm_obs *y = b;
    int order = COMPARE(alm_period_pack(x->period), alm_period_pack(y->period));
    if (order == 0) {
        order = COMPARE(x->place, y->place);
    }
    if (order == 0) {
        order = COMPARE(x->source, y->source);
    }
    return order != 0 ? order : COMPARE(x->published, y->published);
}

// Each once, and none that cannot be.
static void sort_rows(const lmdb_rebuild *r, row_list *list)
{
    size_t count = 0;
    if (list->count > 1) {
        qsort(list->rows, list->count, sizeof *list->rows, row_cmp);
    }
    for (size_t i = 0; i < list->count; i++) {
        const alm_obs *row = &list->rows[i];
        if (is_possible(r, row) && (count == 0 || row_cmp(&list->rows[count - 1], row) != 0)) {
            list->rows[count++] = *row;
        }
    }
    list->count = count;
}

// Adds rows of one slice to what was made of it. All are new to it.
static alm_code put_slice(lmdb_rebuild *r, lmdb_slice_key slice, const alm_chunk *chunk,
                          const alm_obs *rows, size_t count, alm_status *st)
{
    alm_chunk merged;
    for (size_t i = 0; i < count; i++) {
        rebuild_commit *commit = &r->commits[rows[i].sequence];
        commit->sum += alm_fingerprint(slice.variant, &rows[i]);
        commit->count++;
        alm_head_take_day(&r->head, rows[i].published);
    }
    ALM_TRY(alm_chunk_merge(chunk, rows, count, &r->precedence, r->step, &merged, st));
    r->head.observations += count;
    r->head.cells += alm_chunk_cells(&merged);
    r->head.cells -= alm_chunk_cells(chunk);
    // Both before either is written: notes may view what was made, and a write moves it.
    lmdb_key key = lmdb_key_of_slice(slice);
    alm_buf_reset(&r->buf);
    alm_buf_reset(&r->others);
    ALM_TRY(alm_block_encode(merged.winners, merged.winner_count, NULL, r->step, &r->buf, st));
    ALM_TRY(alm_block_encode(merged.others, merged.other_count, NULL, r->step, &r->others, st));
    ALM_TRY(lmdb_file_put(&r->made, LMDB_SLICE, &key, &r->buf, 0, st));
    return merged.other_count == 0
               ? ALM_OK
               : lmdb_file_put(&r->made, LMDB_VINTAGES, &key, &r->others, 0, st);
}

static alm_code touch(lmdb_rebuild *r, lmdb_touched *touched, lmdb_slice_key slice, alm_status *st)
{
    if (!alm_arena_grow(r->part, (void **)&touched->keys, &touched->cap, touched->count + 1,
                        sizeof *touched->keys)) {
        return rebuild_no_memory(st);
    }
    touched->keys[touched->count++] = slice;
    return ALM_OK;
}

static alm_code put_part(lmdb_rebuild *r, uint32_t variant, uint32_t chunk, const row_list *list,
                         alm_status *st)
{
    size_t most;
    lmdb_touched touched = {0};
    for (size_t from = 0, to = 0; from < list->count; from = to) {
        alm_period period = list->rows[from].period;
        lmdb_slice_key slice = {
            .variant = variant, .chunk = chunk, .period = alm_period_pack(period)};
        while (to < list->count && alm_period_eq(list->rows[to].period, period)) {
            to++;
        }
        alm_arena_reset(r->step);
        ALM_TRY(put_slice(r, slice, &(alm_chunk){0}, list->rows + from, to - from, st));
        ALM_TRY(touch(r, &touched, slice, st));
        r->result->slices++;
    }
    return lmdb_parts_touch(&r->made.txn, &touched, r->head.sequence, r->step, &most, st);
}

alm_code rebuild_parts(lmdb_rebuild *r, alm_status *st)
{
    uint32_t chunks = (uint32_t)(r->head.places >> LMDB_CHUNK_BITS) + 1;
    for (uint32_t variant = 0; variant < r->variant_count; variant++) {
        for (uint32_t chunk = 0; chunk < chunks; chunk++) {
            row_list list = {0};
            alm_arena_reset(r->part);
            ALM_TRY(add_slices(r, variant, chunk, &list, st));
            ALM_TRY(add_groups(r, variant, chunk, &list, st));
            sort_rows(r, &list);
            ALM_TRY(put_part(r, variant, chunk, &list, st));
        }
    }
    return ALM_OK;
}

// --- what only the log has -----------------------------------------------------------------------

static bool has_vintage(const alm_chunk *chunk, const alm_obs *row)
{
    size_t from;
    const alm_obs *winner = alm_chunk_winner(chunk, row->place);
    size_t to = alm_chunk_others(chunk, row->place, &from);
    bool found = winner != NULL && row_cmp(winner, row) == 0;
    for (size_t i = from; i < to && !found; i++) {
        found = row_cmp(&chunk->others[i], row) == 0;
    }
    return found;
}

static alm_code add_missing(lmdb_rebuild *r, lmdb_slice_key slice, alm_obs *rows, size_t count,
                            lmdb_touched *touched, alm_status *st)
{
    alm_chunk chunk;
    size_t missing = 0;
    alm_arena_reset(r->step);
    ALM_TRY(lmdb_chunk_get(&r->made.txn, slice, &r->precedence, r->step, &chunk, st));
    for (size_t i = 0; i < count; i++) {
        if (!has_vintage(&chunk, &rows[i])) {
            rows[missing++] = rows[i];
        }
    }
    if (missing == 0) {
        return ALM_OK;
    }
    r->result->recovered += missing;
    ALM_TRY(put_slice(r, slice, &chunk, rows, missing, st));
    return touch(r, touched, slice, st);
}

static bool same_slice(const alm_obs *a, const alm_obs *b)
{
    return alm_period_eq(a->period, b->period) &&
           a->place >> LMDB_CHUNK_BITS == b->place >> LMDB_CHUNK_BITS;
}

// Those of one variant; their variant is an index and is taken off.
static alm_code add_variant(lmdb_rebuild *r, uint32_t variant, row_list *list, alm_status *st)
{
    size_t most;
    lmdb_touched touched = {0};
    sort_rows(r, list);
    for (size_t from = 0, to = 0; from < list->count; from = to) {
        alm_obs *first = &list->rows[from];
        lmdb_slice_key slice = {.variant = variant,
                                .period = alm_period_pack(first->period),
                                .chunk = first->place >> LMDB_CHUNK_BITS};
        while (to < list->count && same_slice(first, &list->rows[to])) {
            list->rows[to++].variant = 0;
        }
        ALM_TRY(add_missing(r, slice, first, to - from, &touched, st));
    }
    return lmdb_parts_touch(&r->made.txn, &touched, r->head.sequence, r->step, &most, st);
}

alm_code rebuild_from_log(lmdb_rebuild *r, const alm_log_record *record, alm_status *st)
{
    bool found;
    alm_str bytes;
    row_list all = {0};
    alm_str left = record->blocks;
    ALM_TRY(alm_log_next_block(&left, &found, &bytes, st));
    while (found) {
        ALM_TRY(add_block(r, &all, bytes, NULL, st));
        ALM_TRY(alm_log_next_block(&left, &found, &bytes, st));
    }
    for (size_t v = 0; v < record->variant_count; v++) {
        row_list list = {0};
        for (size_t i = 0; i < all.count; i++) {
            if (all.rows[i].variant == v) {
                ALM_TRY(add_rows(r, &list, &all.rows[i], 1, st));
            }
        }
        ALM_TRY(add_variant(r, record->variants[v], &list, st));
    }
    return ALM_OK;
}
