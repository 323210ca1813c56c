// The variants a query meets, each once, with the texts an answer shows of them.
#ifndef ALM_VARIANT_TABLE_H
#define ALM_VARIANT_TABLE_H

#include "alm/series.h"
#include "cell_index.h"

typedef struct alm_variant_entry {
    alm_str text;        // canonical: "A.gdp.P.level._Z._T"
    alm_variant variant; // views into text
    alm_str relation;    // "tax_revenue@310105"; "" for none
    alm_str breakdown;   // "industry=software"; "" for none
    uint32_t hash_next;  // another variant with the same hash
} alm_variant_entry;

typedef struct alm_variant_table {
    alm_arena *arena;
    alm_variant_entry **entries;
    size_t count, cap;
    alm_cell_index by_hash;
} alm_variant_table;

// The table must stay where it is until the arena is reset.
ALM_MUST_USE alm_code alm_variant_table_init(alm_variant_table *table, alm_arena *arena,
                                             alm_status *st);
static inline const alm_variant_entry *alm_variant_table_get(const alm_variant_table *table,
                                                             uint32_t id)
{
    ALM_ASSERT(id < table->count);
    return table->entries[id];
}

// The number of a variant, by its canonical text; a new one is copied in.
//
// ALM_INVALID_ARGUMENT  not a canonical text
ALM_MUST_USE alm_code alm_variant_table_intern(alm_variant_table *table, alm_str text,
                                               uint32_t *ret, alm_status *st);
ALM_MUST_USE alm_code alm_variant_table_add(alm_variant_table *table, const alm_variant *variant,
                                            uint32_t *ret, alm_status *st);

// The same statement about another measure: its frequency, accumulation and breakdown stay.
// relation: NULL for none.
ALM_MUST_USE alm_code alm_variant_table_sibling(alm_variant_table *table, uint32_t id,
                                                alm_measure measure, const alm_relation *relation,
                                                uint32_t *ret, alm_status *st);

// Numbers of the variants of one block of rows: ret has variant_count elements.
ALM_MUST_USE alm_code alm_variant_table_map(alm_variant_table *table, const alm_str *variants,
                                            size_t variant_count, uint32_t **ret, alm_status *st);

#endif
