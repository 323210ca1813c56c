#include "catalog_check.h"

#include "alm/formula.h"

#include <stdio.h>
#include <stdlib.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the catalogue");
}

// --- a batch's entries ---------------------------------------------------------------------------

size_t alm_batch_entry_count(const alm_batch *batch, alm_entry_kind kind)
{
    switch (kind) {
    case ALM_ENTRY_INDICATOR:
        return batch->indicator_count;
    case ALM_ENTRY_PLACE:
        return batch->place_count;
    case ALM_ENTRY_SOURCE:
        return batch->source_count;
    }
    return 0;
}

alm_entry alm_batch_entry(const alm_batch *batch, alm_entry_kind kind, size_t i)
{
    alm_entry entry = {.kind = kind};
    switch (kind) {
    case ALM_ENTRY_INDICATOR:
        entry.indicator = batch->indicators[i];
        break;
    case ALM_ENTRY_PLACE:
        entry.place = batch->places[i];
        break;
    case ALM_ENTRY_SOURCE:
        entry.source = batch->sources[i];
        break;
    }
    return entry;
}

// A batch's entries of one kind, found by code.
typedef struct entry_set {
    alm_entry_kind kind;
    alm_entry *entries; // in the batch's order
    const alm_entry **by_code;
    size_t count;
} entry_set;

static int entry_cmp(const void *a, const void *b)
{
    const alm_entry *const *x = a;
    const alm_entry *const *y = b;
    int order = alm_str_cmp(alm_entry_code(*x), alm_entry_code(*y));
    return order != 0 ? order : (*x > *y) - (*x < *y);
}

static alm_code entry_set_of(const alm_batch *batch, alm_entry_kind kind, alm_arena *arena,
                             entry_set *ret, alm_status *st)
{
    size_t count = alm_batch_entry_count(batch, kind);
    *ret = (entry_set){.kind = kind, .count = count};
    ret->entries = alm_arena_calloc(arena, count, sizeof *ret->entries);
    ret->by_code = alm_arena_calloc(arena, count, sizeof *ret->by_code);
    if (ret->entries == NULL || ret->by_code == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        ret->entries[i] = alm_batch_entry(batch, kind, i);
        ret->by_code[i] = &ret->entries[i];
    }
    if (count > 1) {
        qsort(ret->by_code, count, sizeof *ret->by_code, entry_cmp);
    }
    return ALM_OK;
}

// The last entry of the batch with that code; NULL: none.
static const alm_entry *entry_set_find(const entry_set *set, alm_str code)
{
    size_t low = 0;
    size_t high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (alm_str_cmp(alm_entry_code(set->by_code[middle]), code) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_there = low > 0 && alm_str_eq(alm_entry_code(set->by_code[low - 1]), code);
    return is_there ? set->by_code[low - 1] : NULL;
}

// --- links ---------------------------------------------------------------------------------------

// The entry the code will stand for once the batch is in; NULL: none.
static alm_code entry_to_be(const alm_stored_catalog *stored, const entry_set *set, alm_str code,
                            alm_arena *arena, const alm_entry **ret, alm_status *st)
{
    bool found;
    *ret = entry_set_find(set, code);
    if (*ret != NULL) {
        return ALM_OK;
    }
    alm_entry *entry = alm_arena_alloc(arena, sizeof *entry);
    if (entry == NULL) {
        return no_memory(st);
    }
    ALM_TRY(stored->find(stored->arg, set->kind, code, arena, &found, entry, st));
    *ret = found ? entry : NULL;
    return ALM_OK;
}

static alm_code unknown_link(alm_status *st, const alm_entry *entry, const char *role, alm_str code)
{
    alm_str own = alm_entry_code(entry);
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, alm_entry_kind_word(entry->kind),
                                "%s %.*s: unknown %s %.*s", alm_entry_kind_word(entry->kind),
                                ALM_STR_ARGS(own), role, ALM_STR_ARGS(code));
}

// An empty code is no link.
static alm_code check_link(const alm_stored_catalog *stored, const entry_set *set,
                           const alm_entry *entry, const char *role, alm_str code, alm_arena *arena,
                           const alm_entry **ret_target, alm_status *st)
{
    *ret_target = NULL;
    if (code.len == 0) {
        return ALM_OK;
    }
    ALM_TRY(entry_to_be(stored, set, code, arena, ret_target, st));
    return *ret_target != NULL ? ALM_OK : unknown_link(st, entry, role, code);
}

static alm_code check_place_links(const alm_stored_catalog *stored, const entry_set *set,
                                  const alm_entry *entry, alm_arena *arena, alm_status *st)
{
    const alm_entry *target;
    const alm_place *place = &entry->place;
    ALM_TRY(check_link(stored, set, entry, "parent", place->parent, arena, &target, st));
    if (target != NULL && target->place.level >= place->level) {
        return alm_status_set_field(
            st, ALM_INVALID_ARGUMENT, "place", "place %.*s (%s) cannot be below %.*s (%s)",
            ALM_STR_ARGS(place->code), alm_level_code(place->level),
            ALM_STR_ARGS(target->place.code), alm_level_code(target->place.level));
    }
    for (size_t i = 0; i < place->successor_count; i++) {
        ALM_TRY(
            check_link(stored, set, entry, "successor", place->successors[i], arena, &target, st));
    }
    return ALM_OK;
}

static alm_code check_formula_links(const alm_stored_catalog *stored, const entry_set *set,
                                    const alm_entry *entry, alm_arena *arena, alm_status *st)
{
    const alm_entry *target;
    alm_formula formula = {.operand_count = 0};
    if (entry->indicator.formula.len > 0) {
        ALM_TRY(alm_status_in_field(alm_formula_parse(entry->indicator.formula, &formula, st),
                                    "formula", st));
    }
    for (uint32_t i = 0; i < formula.operand_count; i++) {
        ALM_TRY(check_link(stored, set, entry, "indicator", formula.operands[i].name, arena,
                           &target, st));
    }
    return ALM_OK;
}

static alm_code check_links(const alm_stored_catalog *stored, const entry_set *set,
                            const alm_entry *entry, alm_arena *arena, alm_status *st)
{
    const alm_entry *target;
    if (entry->kind == ALM_ENTRY_PLACE) {
        return check_place_links(stored, set, entry, arena, st);
    }
    if (entry->kind == ALM_ENTRY_INDICATOR) {
        const alm_indicator *e = &entry->indicator;
        ALM_TRY(check_link(stored, set, entry, "numerator", e->numerator, arena, &target, st));
        ALM_TRY(check_link(stored, set, entry, "denominator", e->denominator, arena, &target, st));
        ALM_TRY(check_formula_links(stored, set, entry, arena, st));
    }
    return ALM_OK;
}

// --- changes -------------------------------------------------------------------------------------

// What a change must leave alone.
static alm_code check_fixed(const alm_stored_catalog *stored, const alm_entry *old,
                            const alm_entry *entry, alm_status *st)
{
    if (entry->kind == ALM_ENTRY_PLACE && old->place.level != entry->place.level) {
        return alm_status_set_field(
            st, ALM_FAILED_PRECONDITION, "place", "place %.*s is a %s and cannot become a %s",
            ALM_STR_ARGS(entry->place.code), alm_level_code(old->place.level),
            alm_level_code(entry->place.level));
    }
    if (entry->kind != ALM_ENTRY_INDICATOR) {
        return ALM_OK;
    }
    bool has = false;
    if (!alm_unit_convertible(old->indicator.unit, entry->indicator.unit)) {
        ALM_TRY(stored->has_observations(stored->arg, entry->indicator.code, &has, st));
    }
    if (has) {
        char was[ALM_UNIT_TEXT_MAX];
        char is[ALM_UNIT_TEXT_MAX];
        (void)alm_unit_code(old->indicator.unit, was);
        (void)alm_unit_code(entry->indicator.unit, is);
        return alm_status_set_field(st, ALM_FAILED_PRECONDITION, "indicator",
                                    "indicator %.*s has observations in %s and cannot change to %s",
                                    ALM_STR_ARGS(entry->indicator.code), was, is);
    }
    return ALM_OK;
}

static alm_code check_entry(const alm_stored_catalog *stored, const entry_set *set, size_t i,
                            alm_arena *arena, alm_status *st)
{
    const alm_entry *entry = set->by_code[i];
    alm_str code = alm_entry_code(entry);
    ALM_TRY(check_links(stored, set, entry, arena, st));
    if (i > 0 && alm_str_eq(alm_entry_code(set->by_code[i - 1]), code)) {
        return check_fixed(stored, set->by_code[i - 1], entry, st);
    }
    bool found;
    alm_entry old;
    ALM_TRY(stored->find(stored->arg, set->kind, code, arena, &found, &old, st));
    return found ? check_fixed(stored, &old, entry, st) : ALM_OK;
}

alm_code alm_catalog_check(const alm_batch *batch, const alm_stored_catalog *stored,
                           alm_arena *arena, alm_status *st)
{
    for (size_t k = 0; k < ALM_ARRAY_LEN(alm_entry_kinds); k++) {
        entry_set set;
        ALM_TRY(entry_set_of(batch, alm_entry_kinds[k], arena, &set, st));
        for (size_t i = 0; i < set.count; i++) {
            ALM_TRY(check_entry(stored, &set, i, arena, st));
        }
    }
    return ALM_OK;
}

// --- what rows lean on ---------------------------------------------------------------------------

static alm_code unknown_id(alm_status *st, size_t row, const char *kind, uint32_t id)
{
    char field[ALM_STATUS_FIELD_MAX];
    snprintf(field, sizeof field, "row %zu", row);
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field, "row %zu: there is no %s %u", row,
                                kind, id);
}

alm_code alm_rows_check(const alm_checked_batch *in, uint64_t place_count, uint64_t source_count,
                        const alm_stored_catalog *stored, alm_arena *arena, alm_status *st)
{
    const alm_batch *batch = in->batch;
    bool is_known = in->place_end <= place_count && in->source_end <= source_count;
    for (size_t i = 0; !is_known && i < batch->obs_count; i++) {
        if (batch->obs[i].place >= place_count) {
            return unknown_id(st, i, "place", batch->obs[i].place);
        }
        if (batch->obs[i].source != ALM_SOURCE_NONE && batch->obs[i].source >= source_count) {
            return unknown_id(st, i, "source", batch->obs[i].source);
        }
    }
    for (size_t i = 0; i < batch->variant_count; i++) {
        bool found;
        alm_entry entry;
        alm_str indicator = in->variants[i].indicator;
        ALM_TRY(
            stored->find(stored->arg, ALM_ENTRY_INDICATOR, indicator, arena, &found, &entry, st));
        if (!found) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "indicator",
                                        "variant %.*s: unknown indicator %.*s",
                                        ALM_STR_ARGS(batch->variants[i]), ALM_STR_ARGS(indicator));
        }
    }
    return ALM_OK;
}
