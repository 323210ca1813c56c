#include "variant_table.h"

#include <xxhash.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for series variants");
}

alm_code alm_variant_table_init(alm_variant_table *table, alm_arena *arena, alm_status *st)
{
    *table = (alm_variant_table){.arena = arena};
    return alm_cell_index_init(&table->by_hash, arena, st);
}

// The last two parts of the canonical text as an answer shows them: nothing for "_Z" and "_T".
static void cut_parts(alm_variant_entry *entry)
{
    alm_str rest = entry->text;
    alm_str part = {0};
    for (int i = 0; i < 5; i++) {
        bool more = alm_str_split(&rest, '.', &part);
        ALM_ASSERT(more);
    }
    entry->relation = alm_str_eq(part, ALM_STR("_Z")) ? (alm_str){0} : part;
    entry->breakdown = alm_str_eq(rest, ALM_STR("_T")) ? (alm_str){0} : rest;
}

static alm_code append(alm_variant_table *table, alm_str text, alm_variant_entry **ret,
                       alm_status *st)
{
    alm_variant_entry *entry = alm_arena_calloc(table->arena, 1, sizeof *entry);
    char *copy = alm_arena_strdup(table->arena, text);
    void *entries = table->entries;
    if (entry == NULL || copy == NULL ||
        !alm_arena_grow(table->arena, &entries, &table->cap, table->count + 1,
                        sizeof(table->entries[0]))) {
        return no_memory(st);
    }
    table->entries = entries;
    entry->text = (alm_str){copy, text.len};
    entry->hash_next = ALM_CELL_NONE;
    ALM_TRY(alm_variant_decode(entry->text, &entry->variant, st));
    cut_parts(entry);
    table->entries[table->count++] = entry;
    *ret = entry;
    return ALM_OK;
}

alm_code alm_variant_table_intern(alm_variant_table *table, alm_str text, uint32_t *ret,
                                  alm_status *st)
{
    uint64_t hash = XXH3_64bits(text.data, text.len);
    alm_variant_entry *last = NULL;
    uint32_t id = alm_cell_index_find(&table->by_hash, hash, 0);
    while (id != ALM_CELL_NONE) {
        last = table->entries[id];
        if (alm_str_eq(last->text, text)) {
            *ret = id;
            return ALM_OK;
        }
        id = last->hash_next;
    }
    alm_variant_entry *entry;
    uint32_t fresh = (uint32_t)table->count;
    ALM_TRY(append(table, text, &entry, st));
    if (last != NULL) {
        last->hash_next = fresh;
        *ret = fresh;
        return ALM_OK;
    }
    return alm_cell_index_add(&table->by_hash, hash, 0, fresh, ret, st);
}

alm_code alm_variant_table_add(alm_variant_table *table, const alm_variant *variant, uint32_t *ret,
                               alm_status *st)
{
    alm_str text;
    ALM_TRY(alm_variant_encode(variant, table->arena, &text, st));
    return alm_variant_table_intern(table, text, ret, st);
}

alm_code alm_variant_table_sibling(alm_variant_table *table, uint32_t id, alm_measure measure,
                                   const alm_relation *relation, uint32_t *ret, alm_status *st)
{
    alm_variant variant = alm_variant_table_get(table, id)->variant;
    variant.measure = measure;
    variant.relation = relation == NULL ? (alm_relation){0} : *relation;
    return alm_variant_table_add(table, &variant, ret, st);
}

alm_code alm_variant_table_map(alm_variant_table *table, const alm_str *variants,
                               size_t variant_count, uint32_t **ret, alm_status *st)
{
    uint32_t *map = alm_arena_calloc(table->arena, variant_count, sizeof *map);
    if (map == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < variant_count; i++) {
        ALM_TRY(alm_variant_table_intern(table, variants[i], &map[i], st));
    }
    *ret = map;
    return ALM_OK;
}
