#include "batch_order.h"

#include <stdio.h>
#include <stdlib.h>

size_t alm_slots_cell_end(const alm_row_slot *slots, size_t from, size_t count)
{
    size_t to = from + 1;
    while (to < count && slots[to].place == slots[from].place) {
        to++;
    }
    return to;
}

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the batch");
}

static alm_code check_frame(const alm_batch *batch, alm_status *st)
{
    if (batch->id.len == 0 || batch->id.len > ALM_BATCH_ID_BYTES_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "batch_id",
                                    "a batch id is 1 to %d bytes long, not %zu",
                                    ALM_BATCH_ID_BYTES_MAX, batch->id.len);
    }
    size_t most = batch->is_bulk ? ALM_BULK_ROW_COUNT_MAX : ALM_COMMIT_ROW_COUNT_MAX;
    if (batch->obs_count > most) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "%zu rows are more than the %zu of a batch", batch->obs_count, most);
    }
    return ALM_OK;
}

// --- entries -------------------------------------------------------------------------------------

static alm_code check_entries(const alm_batch *batch, alm_status *st)
{
    for (size_t i = 0; i < batch->indicator_count; i++) {
        ALM_TRY(alm_indicator_check(&batch->indicators[i], st));
    }
    for (size_t i = 0; i < batch->place_count; i++) {
        ALM_TRY(alm_place_check(&batch->places[i], st));
    }
    for (size_t i = 0; i < batch->source_count; i++) {
        ALM_TRY(alm_source_check(&batch->sources[i], st));
    }
    for (size_t i = 0; i < batch->quarantine_count; i++) {
        const alm_quarantined *row = &batch->quarantine[i];
        if (row->file_name.len > ALM_TEXT_BYTES_MAX || row->field.len > ALM_TEXT_BYTES_MAX ||
            row->reason.len > ALM_TEXT_BYTES_MAX) {
            return alm_status_set(st, ALM_INVALID_ARGUMENT,
                                  "quarantined row %zu: a text is longer than %d bytes", i,
                                  ALM_TEXT_BYTES_MAX);
        }
    }
    return ALM_OK;
}

// --- rows ----------------------------------------------------------------------------------------

static alm_code bad_row(alm_status *st, size_t row, const char *what)
{
    char field[ALM_STATUS_FIELD_MAX];
    snprintf(field, sizeof field, "row %zu", row);
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field, "row %zu: %s", row, what);
}

static const char *defect_of_number(const alm_value *v)
{
    alm_decimal d = v->number;
    if (alm_obs_status_missing(v->status)) {
        return "a missing value carries a number";
    }
    if (d.mantissa > ALM_DECIMAL_MANTISSA_MAX || d.mantissa < -ALM_DECIMAL_MANTISSA_MAX) {
        return "the number has more than 18 digits";
    }
    if (d.exponent < ALM_DECIMAL_EXPONENT_MIN || d.exponent > ALM_DECIMAL_EXPONENT_MAX) {
        return "the number's exponent is out of range";
    }
    return alm_unit_valid(v->unit) ? NULL : "the number has no known unit";
}

static const char *defect_of_value(const alm_value *v)
{
    if ((unsigned)v->qualifier >= ALM_QUALIFIER_COUNT) {
        return "an unknown qualifier";
    }
    if ((unsigned)v->status >= ALM_OBS_STATUS_COUNT) {
        return "an unknown status";
    }
    if (v->has_number) {
        return defect_of_number(v);
    }
    bool has_unit = !alm_unit_eq(v->unit, (alm_unit){0});
    return has_unit && !alm_unit_valid(v->unit) ? "an unknown unit" : NULL;
}

static const char *defect_of_row(const alm_obs *row, size_t variant_count)
{
    if (row->variant >= variant_count) {
        return "a variant that is not in the batch's table";
    }
    if (row->published == ALM_DATE_NONE || row->published == ALM_DATE_MAX) {
        return "no publication date";
    }
    if (row->note.len > ALM_TEXT_BYTES_MAX) {
        return "the note is too long";
    }
    if (row->note.len > 0 && alm_utf8_valid_len(row->note) != row->note.len) {
        return "the note is not UTF-8";
    }
    return defect_of_value(&row->value);
}

static alm_code decode_variants(const alm_batch *batch, alm_arena *arena, const alm_variant **ret,
                                alm_status *st)
{
    alm_variant *variants = alm_arena_calloc(arena, batch->variant_count, sizeof *variants);
    if (variants == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < batch->variant_count; i++) {
        ALM_TRY(alm_variant_decode(batch->variants[i], &variants[i], st));
    }
    *ret = variants;
    return ALM_OK;
}

// Orders by text, then by place in the table.
static int variant_cmp(const void *a, const void *b)
{
    const alm_str *x = *(const alm_str *const *)a;
    const alm_str *y = *(const alm_str *const *)b;
    int order = alm_str_cmp(*x, *y);
    return order != 0 ? order : (x > y) - (x < y);
}

// By index into the table the first index of the same text, so that engines meet a variant once.
static alm_code first_of_same(const alm_batch *batch, alm_arena *arena, uint32_t **ret,
                              alm_status *st)
{
    size_t count = batch->variant_count;
    uint32_t *first = alm_arena_calloc(arena, count, sizeof *first);
    const alm_str **sorted = alm_arena_calloc(arena, count, sizeof *sorted);
    if (first == NULL || sorted == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &batch->variants[i];
    }
    if (count > 1) {
        qsort(sorted, count, sizeof *sorted, variant_cmp);
    }
    for (size_t i = 0; i < count; i++) {
        size_t own = (size_t)(sorted[i] - batch->variants);
        bool is_same = i > 0 && alm_str_eq(*sorted[i], *sorted[i - 1]);
        first[own] = is_same ? first[sorted[i - 1] - batch->variants] : (uint32_t)own;
    }
    *ret = first;
    return ALM_OK;
}

// --- all rows ------------------------------------------------------------------------------------

// The row's slice; neighbours mostly share theirs. A slice's period is looked at once.
static alm_code find_slice(const alm_checked_batch *batch, const alm_obs *row, size_t index,
                           const uint32_t *first, alm_slice_table *table, uint32_t *ret,
                           alm_status *st)
{
    bool is_new;
    uint32_t variant = first[row->variant];
    if (!alm_period_valid(row->period)) {
        return bad_row(st, index, "not a period");
    }
    if (row->period.freq != batch->variants[variant].freq) {
        return bad_row(st, index, "the period is not of the variant's frequency");
    }
    return alm_slice_table_find(table, variant, row->period, ret, &is_new) ? ALM_OK : no_memory(st);
}

static alm_code check_rows(alm_checked_batch *checked, const uint32_t *first,
                           alm_slice_table *table, uint32_t *slice_of, alm_status *st)
{
    const alm_batch *batch = checked->batch;
    uint64_t place_end = 0;
    uint64_t source_end = 0;
    uint32_t slice = 0;
    uint32_t run = 0; // rows of it, up to the one at hand
    for (size_t i = 0; i < batch->obs_count; i++) {
        const alm_obs *row = &batch->obs[i];
        const char *defect = defect_of_row(row, batch->variant_count);
        if (defect != NULL) {
            return bad_row(st, i, defect);
        }
        bool is_same =
            i > 0 && row->variant == row[-1].variant && alm_period_eq(row->period, row[-1].period);
        if (!is_same) {
            if (run > 0) {
                table->slices[slice].to += run;
            }
            ALM_TRY(find_slice(checked, row, i, first, table, &slice, st));
            run = 0;
        }
        run++;
        slice_of[i] = slice;
        place_end = ALM_MAX(place_end, row->place + UINT64_C(1));
        source_end = ALM_MAX(source_end, (uint64_t)(uint32_t)(row->source + 1)); // none: 0
    }
    if (run > 0) {
        table->slices[slice].to += run;
    }
    checked->place_end = place_end;
    checked->source_end = source_end;
    return ALM_OK;
}

alm_code alm_batch_check(const alm_batch *batch, alm_arena *arena, alm_checked_batch *ret,
                         alm_status *st)
{
    uint32_t *first = NULL;
    alm_slice_table table = {.arena = arena};
    *ret = (alm_checked_batch){.batch = batch};
    ALM_TRY(check_frame(batch, st));
    ALM_TRY(check_entries(batch, st));
    ALM_TRY(decode_variants(batch, arena, &ret->variants, st));
    ALM_TRY(first_of_same(batch, arena, &first, st));
    uint32_t *slice_of = alm_arena_alloc(arena, batch->obs_count * sizeof *slice_of);
    if (slice_of == NULL) {
        return no_memory(st);
    }
    ALM_TRY(check_rows(ret, first, &table, slice_of, st));
    return alm_batch_deal(&table, batch->obs, slice_of, batch->obs_count, ret) ? ALM_OK
                                                                               : no_memory(st);
}
