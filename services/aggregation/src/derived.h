// A formula whose names have been found: an indicator that is made of others.
#ifndef ALM_DERIVED_H
#define ALM_DERIVED_H

#include "alm/catalog.h"
#include "alm/formula.h"

typedef struct alm_derived_operand {
    const alm_indicator *indicator;
    const struct alm_derived *derived; // NULL: it is published alone
    alm_measure measure;
    bool has_breakdown; // of its own
    alm_str breakdown;  // canonical; "": totals
    bool is_parent, is_last;
    alm_place_id place; // NONE: the one that is asked, or its parent
} alm_derived_operand;

typedef struct alm_derived {
    alm_formula formula;
    alm_derived_operand *operands;   // as many as the formula's
    const alm_derived_operand *lead; // whose frequencies and accumulations are answered
    bool looks_around;               // at other periods than those answered, but for prices
    alm_indicator indicator;         // what comes out, as if the catalogue had it
} alm_derived;

// Is it at the place that is asked?
static inline bool alm_derived_is_here(const alm_derived_operand *operand)
{
    return !operand->is_parent && operand->place == ALM_PLACE_NONE;
}

// Variants of what has no code in the catalogue carry this one.
#define ALM_DERIVED_CODE "formula"

// own: the indicator of the catalogue that has the formula; NULL: it has none. Lives in the arena;
// views into the text and the catalogue.
//
// ALM_INVALID_ARGUMENT     malformed; an unknown indicator, place or breakdown
// ALM_FAILED_PRECONDITION  what it names does not go together; see alm_formula_rules. Constant
//                          prices of what nothing says of that it grows at such
// ALM_RESOURCE_EXHAUSTED   the arena is full
ALM_MUST_USE alm_code alm_derived_make(const alm_catalog *catalog, alm_str text,
                                       const alm_indicator *own, alm_arena *arena,
                                       const alm_derived **ret, alm_status *st);

// What the measure of an indicator of the catalogue is made of. *ret is NULL if it is made of no
// others; only levels are.
ALM_MUST_USE alm_code alm_derived_of(const alm_catalog *catalog, const alm_indicator *indicator,
                                     alm_measure measure, alm_arena *arena, const alm_derived **ret,
                                     alm_status *st);

// A word of prices of an indicator of the catalogue: the formula constant(gdp, 2020).
//
// As alm_derived_make.
ALM_MUST_USE alm_code alm_derived_prices(const alm_catalog *catalog, const alm_indicator *indicator,
                                         const alm_transform *transform, alm_arena *arena,
                                         const alm_derived **ret, alm_status *st);

#endif
