#include "batch_check.h"

#include <stdio.h>
#include <stdlib.h>

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

static const char *defect_of_row(const alm_obs *row, const alm_variant *variants,
                                 size_t variant_count)
{
    if (row->variant >= variant_count) {
        return "a variant that is not in the batch's table";
    }
    if (!alm_period_valid(row->period)) {
        return "not a period";
    }
    if (row->period.freq != variants[row->variant].freq) {
        return "the period is not of the variant's frequency";
    }
    if (row->published == ALM_DATE_NONE || row->published == ALM_DATE_MAX) {
        return "no publication date";
    }
    if (row->note.len > ALM_TEXT_BYTES_MAX) {
        return "the note is too long";
    }
    if (alm_utf8_valid_len(row->note) != row->note.len) {
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

// --- order ---------------------------------------------------------------------------------------

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int slot_cmp(const void *a, const void *b)
{
    const alm_row_slot *x = a;
    const alm_row_slot *y = b;
    int order = COMPARE(x->variant, y->variant);
    if (order == 0) {
        order = COMPARE(x->period, y->period);
    }
    if (order == 0) {
        order = COMPARE(x->place, y->place);
    }
    return order != 0 ? order : COMPARE(x->row, y->row);
}

static bool is_sorted(const alm_row_slot *slots, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (slot_cmp(&slots[i - 1], &slots[i]) > 0) {
            return false;
        }
    }
    return true;
}

// The slices of a batch, in the order they are first met; found by open addressing.
typedef struct slice_table {
    alm_row_slot *first; // of each slice: its variant and period
    uint32_t *rows;      // of each slice
    size_t count;
    uint32_t *slots; // index + 1; 0: free
    size_t mask;
} slice_table;

// More slices than this are not worth a table.
#define SLICE_COUNT_MAX 65536

static bool slice_table_init(slice_table *table, alm_arena *arena)
{
    *table = (slice_table){.mask = 4 * SLICE_COUNT_MAX - 1};
    table->first = alm_arena_alloc(arena, SLICE_COUNT_MAX * sizeof *table->first);
    table->rows = alm_arena_alloc(arena, SLICE_COUNT_MAX * sizeof *table->rows);
    table->slots = alm_arena_calloc(arena, table->mask + 1, sizeof *table->slots);
    return table->first != NULL && table->rows != NULL && table->slots != NULL;
}

// The slice of the row; SLICE_COUNT_MAX: there is no room.
static size_t slice_of(slice_table *table, const alm_row_slot *row)
{
    uint64_t hash = (row->period ^ (uint64_t)row->variant << 40) * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = hash >> 40 & table->mask;
    while (table->slots[slot] != 0) {
        size_t at = table->slots[slot] - 1;
        if (table->first[at].period == row->period && table->first[at].variant == row->variant) {
            return at;
        }
        slot = (slot + 1) & table->mask;
    }
    if (table->count < SLICE_COUNT_MAX) {
        table->first[table->count] = (alm_row_slot){
            .period = row->period, .variant = row->variant, .row = (uint32_t)table->count};
        table->rows[table->count] = 0;
        table->slots[slot] = (uint32_t)table->count + 1;
        return table->count++;
    }
    return SLICE_COUNT_MAX;
}

// Turns the counts of rows into where each slice begins, slices in order.
static void place_slices(slice_table *table)
{
    uint32_t at = 0;
    qsort(table->first, table->count, sizeof *table->first, slot_cmp);
    for (size_t i = 0; i < table->count; i++) {
        uint32_t *rows = &table->rows[table->first[i].row];
        uint32_t n = *rows;
        *rows = at;
        at += n;
    }
}

// Deals the rows out to their slices, in which they mostly come by place already: a table of whole
// series is in order then. False: too many slices, nothing was done.
static bool deal_slots(alm_row_slot *slots, size_t count, alm_row_slot *dealt, alm_arena *arena)
{
    slice_table table;
    uint32_t *slices = alm_arena_alloc(arena, count * sizeof *slices);
    if (slices == NULL || !slice_table_init(&table, arena)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        size_t slice = slice_of(&table, &slots[i]);
        if (slice == SLICE_COUNT_MAX) {
            return false;
        }
        slices[i] = (uint32_t)slice;
        table.rows[slice]++;
    }
    place_slices(&table);
    for (size_t i = 0; i < count; i++) {
        dealt[table.rows[slices[i]]++] = slots[i];
    }
    return true;
}

// Few rows are sorted at once.
#define DEAL_COUNT_MIN 1024

static alm_code sort_slots(alm_row_slot **slots, size_t count, alm_arena *arena, alm_status *st)
{
    if (is_sorted(*slots, count)) {
        return ALM_OK;
    }
    if (count >= DEAL_COUNT_MIN) {
        alm_row_slot *dealt = alm_arena_alloc(arena, count * sizeof *dealt);
        if (dealt == NULL) {
            return no_memory(st);
        }
        *slots = deal_slots(*slots, count, dealt, arena) ? dealt : *slots;
    }
    if (!is_sorted(*slots, count)) {
        qsort(*slots, count, sizeof **slots, slot_cmp);
    }
    return ALM_OK;
}

alm_code alm_batch_check(const alm_batch *batch, alm_arena *arena, alm_checked_batch *ret,
                         alm_status *st)
{
    *ret = (alm_checked_batch){.batch = batch};
    ALM_TRY(check_frame(batch, st));
    ALM_TRY(check_entries(batch, st));
    uint32_t *first = NULL;
    ALM_TRY(decode_variants(batch, arena, &ret->variants, st));
    ALM_TRY(first_of_same(batch, arena, &first, st));
    alm_row_slot *slots = alm_arena_alloc(arena, batch->obs_count * sizeof *slots);
    if (slots == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < batch->obs_count; i++) {
        const alm_obs *row = &batch->obs[i];
        const char *defect = defect_of_row(row, ret->variants, batch->variant_count);
        if (defect != NULL) {
            return bad_row(st, i, defect);
        }
        slots[i] = (alm_row_slot){.period = alm_period_pack(row->period),
                                  .variant = first[row->variant],
                                  .place = row->place,
                                  .row = (uint32_t)i};
    }
    ALM_TRY(sort_slots(&slots, batch->obs_count, arena, st));
    ret->slots = slots;
    return ALM_OK;
}
