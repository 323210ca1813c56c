#include "catalog_rows.h"

#include "alm/formula.h"

#include <stdlib.h>

struct catalog_reader {
    entry_reader rows;
    const alm_catalog *catalog;
    interner codes; // of the entries, numbered as they are
    catalog_entry *entries;
    size_t count, cap;
    uint64_t doubled;
};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "no memory for the piece; send a smaller one");
}

alm_code catalog_reader_create(entry_kind kind, const header *h, const alm_catalog *catalog,
                               text_decoder *decoder, report *rep, alm_arena *arena,
                               catalog_reader **ret, alm_status *st)
{
    catalog_reader *r = alm_arena_calloc(arena, 1, sizeof *r);
    if (r == NULL) {
        return no_memory(st);
    }
    *r = (catalog_reader){
        .rows = {.kind = kind, .header = h, .decoder = decoder, .report = rep, .arena = arena},
        .catalog = catalog};
    interner_init(&r->codes, arena);
    *ret = r;
    return ALM_OK;
}

alm_code catalog_reader_take(catalog_reader *r, const csv_record *record, alm_status *st)
{
    catalog_entry entry;
    ALM_TRY(catalog_entry_read(&r->rows, record, &entry, st));
    if (r->rows.report->row_is_bad) {
        return ALM_OK;
    }
    uint32_t number;
    bool is_new;
    if (!intern(&r->codes, catalog_entry_code(&entry), &number, &is_new)) {
        return no_memory(st);
    }
    if (is_new) {
        void *entries = r->entries;
        if (!alm_arena_grow(r->rows.arena, &entries, &r->cap, r->count + 1, sizeof *r->entries)) {
            return no_memory(st);
        }
        r->entries = entries;
        r->entries[r->count++] = entry;
        return ALM_OK;
    }
    const catalog_entry *first = &r->entries[number];
    if (alm_str_eq(first->record, record->raw)) {
        r->doubled++;
        report_warning(r->rows.report, 0, (alm_str){0}, (alm_str){0}, "duplicate of row %llu",
                       (unsigned long long)first->row);
    } else {
        catalog_entry_defect(&r->rows, 0, catalog_entry_code(&entry),
                             "row %llu describes the same code in another way",
                             (unsigned long long)first->row);
    }
    return ALM_OK;
}

// --- what an entry names ------------------------------------------------------------------------

// The entry of the piece with that code; NULL: none, or dropped.
static const catalog_entry *in_piece(const catalog_reader *r, alm_str code)
{
    uint32_t number = interner_find(&r->codes, code);
    return number != UINT32_MAX && !r->entries[number].dropped ? &r->entries[number] : NULL;
}

// A place as it would be after the piece; NULL: unknown.
static const alm_place *place_after(const catalog_reader *r, alm_str code)
{
    const catalog_entry *entry = in_piece(r, code);
    if (entry != NULL) {
        return &entry->as.place;
    }
    const alm_place_tree *tree = alm_catalog_places(r->catalog);
    alm_place_id id = alm_place_tree_find(tree, code);
    return id != ALM_PLACE_NONE ? alm_place_tree_get(tree, id) : NULL;
}

static bool knows_indicator(const catalog_reader *r, alm_str code)
{
    return code.len == 0 || in_piece(r, code) != NULL ||
           alm_catalog_find_indicator(r->catalog, code) != ALM_CATALOG_NONE;
}

static void check_part(const catalog_reader *r, size_t field, alm_str code)
{
    if (!knows_indicator(r, code)) {
        catalog_entry_defect(&r->rows, field, code,
                             "unknown indicator: neither in the catalogue nor in this piece");
    }
}

static void check_formula(const catalog_reader *r, alm_str text)
{
    alm_formula formula;
    if (text.len == 0 || alm_formula_parse(text, &formula, NULL) != ALM_OK) {
        return; // malformed ones are told already
    }
    for (uint32_t i = 0; i < formula.operand_count; i++) {
        check_part(r, IND_FORMULA, formula.operands[i].name);
    }
}

static void check_parent(const catalog_reader *r, const alm_place *place)
{
    if (place->parent.len == 0) {
        return;
    }
    const alm_place *parent = place_after(r, place->parent);
    if (parent == NULL) {
        catalog_entry_defect(&r->rows, PLC_PARENT, place->parent,
                             "unknown place: neither in the catalogue nor in this piece");
    } else if (parent->level >= place->level) {
        catalog_entry_defect(&r->rows, PLC_PARENT, place->parent, "a %s cannot stand under a %s",
                             alm_level_code(place->level), alm_level_code(parent->level));
    }
}

static void check_successors(const catalog_reader *r, const alm_place *place)
{
    for (size_t i = 0; i < place->successor_count; i++) {
        const alm_place *successor = place_after(r, place->successors[i]);
        if (successor == NULL) {
            catalog_entry_defect(&r->rows, PLC_SUCCESSORS, place->successors[i],
                                 "unknown place: neither in the catalogue nor in this piece");
        } else if (successor->valid_to <= place->valid_to) {
            catalog_entry_defect(&r->rows, PLC_SUCCESSORS, place->successors[i],
                                 "ends no later than the place it comes after");
        }
    }
}

static void check_level(const catalog_reader *r, const alm_place *place)
{
    const alm_place_tree *tree = alm_catalog_places(r->catalog);
    alm_place_id id = alm_place_tree_find(tree, place->code);
    if (id != ALM_PLACE_NONE && alm_place_tree_get(tree, id)->level != place->level) {
        catalog_entry_defect(&r->rows, PLC_LEVEL, alm_str_from(alm_level_code(place->level)),
                             "the place is a %s in the catalogue, and a level never changes",
                             alm_level_code(alm_place_tree_get(tree, id)->level));
    }
}

static void check_names(const catalog_reader *r, const catalog_entry *entry)
{
    switch (entry->kind) {
    case ENTRY_INDICATOR:
        check_part(r, IND_NUMERATOR, entry->as.indicator.numerator);
        check_part(r, IND_DENOMINATOR, entry->as.indicator.denominator);
        check_formula(r, entry->as.indicator.formula);
        break;
    case ENTRY_PLACE:
        check_level(r, &entry->as.place);
        check_parent(r, &entry->as.place);
        check_successors(r, &entry->as.place);
        break;
    case ENTRY_SOURCE:
        break;
    }
}

// Drops what names an unknown entry. Returns how many.
static size_t drop_once(catalog_reader *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        catalog_entry *entry = &r->entries[i];
        if (entry->dropped) {
            continue;
        }
        report_row_begin(r->rows.report, entry->row, entry->record);
        check_names(r, entry);
        entry->dropped = !report_row_end(r->rows.report);
        count += entry->dropped ? 1 : 0;
    }
    return count;
}

// A dropped row takes those along that name it, and so on: places over their levels, which are few.
// Only a hostile file makes a long chain.
#define DROP_ROUND_COUNT_MAX 64

static alm_code drop_dangling(catalog_reader *r, alm_status *st)
{
    for (size_t round = 0; round < DROP_ROUND_COUNT_MAX; round++) {
        if (drop_once(r) == 0) {
            return ALM_OK;
        }
    }
    return alm_status_set(
        st, ALM_INVALID_ARGUMENT,
        "rows name each other in a chain of more than %d, and the last is unknown",
        DROP_ROUND_COUNT_MAX);
}

// --- the catalogue as a whole -------------------------------------------------------------------

static bool moves_place(const catalog_reader *r, const alm_place *place)
{
    const alm_place_tree *tree = alm_catalog_places(r->catalog);
    alm_place_id id = alm_place_tree_find(tree, place->code);
    if (id == ALM_PLACE_NONE) {
        return false;
    }
    const alm_place *old = alm_place_tree_get(tree, id);
    return old->valid_to != place->valid_to || !alm_str_eq(old->parent, place->parent);
}

// Entries that only name others cannot break what is there. Indicators can be computed in a circle,
// and a place that ends or moves can contradict one that was not in the piece.
static bool needs_trial(const catalog_reader *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const catalog_entry *e = &r->entries[i];
        if (!e->dropped && (e->kind == ENTRY_INDICATOR ||
                            (e->kind == ENTRY_PLACE && moves_place(r, &e->as.place)))) {
            return true;
        }
    }
    return false;
}

static alm_code add_known_indicators(const catalog_reader *r, alm_catalog *to, alm_status *st)
{
    for (uint32_t i = 0; i < alm_catalog_indicator_count(r->catalog); i++) {
        const alm_indicator *known = alm_catalog_indicator(r->catalog, i);
        if (r->rows.kind != ENTRY_INDICATOR || in_piece(r, known->code) == NULL) {
            ALM_TRY(alm_catalog_add_indicator(to, known, NULL, st));
        }
    }
    return ALM_OK;
}

static alm_code add_known_places(const catalog_reader *r, alm_catalog *to, alm_status *st)
{
    const alm_place_tree *tree = alm_catalog_places(r->catalog);
    for (alm_place_id i = 0; i < alm_place_tree_count(tree); i++) {
        const alm_place *known = alm_place_tree_get(tree, i);
        if (in_piece(r, known->code) == NULL) {
            alm_place_id id;
            ALM_TRY(alm_catalog_add_place(to, known, &id, st));
        }
    }
    return ALM_OK;
}

static alm_code add_entries(const catalog_reader *r, alm_catalog *to, alm_status *st)
{
    for (size_t i = 0; i < r->count; i++) {
        const catalog_entry *e = &r->entries[i];
        uint32_t id;
        if (e->dropped) {
            continue;
        }
        ALM_TRY(e->kind == ENTRY_INDICATOR
                    ? alm_catalog_add_indicator(to, &e->as.indicator, &id, st)
                    : alm_catalog_add_place(to, &e->as.place, &id, st));
    }
    return ALM_OK;
}

static alm_code try_catalog(const catalog_reader *r, alm_status *st)
{
    alm_catalog *trial = NULL;
    ALM_TRY(alm_catalog_create(&trial, st));
    alm_code code = r->rows.kind == ENTRY_INDICATOR ? add_known_indicators(r, trial, st)
                                                    : add_known_places(r, trial, st);
    if (code == ALM_OK) {
        code = add_entries(r, trial, st);
    }
    if (code == ALM_OK) {
        code = alm_catalog_finish(trial, st);
    }
    alm_catalog_destroy(&trial);
    if (code != ALM_OK && code != ALM_RESOURCE_EXHAUSTED) {
        alm_status_prefix(st, "with these rows the catalogue would not hold together");
        code = ALM_INVALID_ARGUMENT;
    }
    return code;
}

// --- order --------------------------------------------------------------------------------------

// Places from the top down; indicators that name others last, since those they name may be new too.
static int rank_of(const catalog_entry *e)
{
    switch (e->kind) {
    case ENTRY_PLACE:
        return (int)e->as.place.level;
    case ENTRY_INDICATOR:
        return e->as.indicator.numerator.len > 0 || e->as.indicator.denominator.len > 0 ||
               e->as.indicator.formula.len > 0;
    case ENTRY_SOURCE:
        break;
    }
    return 0;
}

static int cmp_entry(const void *a, const void *b)
{
    const catalog_entry *x = a;
    const catalog_entry *y = b;
    if (rank_of(x) != rank_of(y)) {
        return rank_of(x) < rank_of(y) ? -1 : 1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

alm_code catalog_reader_finish(catalog_reader *r, catalog_rows *ret, alm_status *st)
{
    ALM_TRY(drop_dangling(r, st));
    if (needs_trial(r)) {
        ALM_TRY(try_catalog(r, st));
    }
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (!r->entries[i].dropped) {
            r->entries[count++] = r->entries[i];
        }
    }
    if (count > 0) {
        qsort(r->entries, count, sizeof *r->entries, cmp_entry);
    }
    *ret = (catalog_rows){.entries = r->entries, .count = count, .doubled = r->doubled};
    return ALM_OK;
}
