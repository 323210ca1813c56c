// What a series is about, and its one canonical byte form.
#ifndef ALM_SERIES_H
#define ALM_SERIES_H

#include "alm/arena.h"
#include "alm/limits.h"
#include "alm/period.h"
#include "alm/status.h"
#include "alm/str.h"
#include "alm/value.h"

// A code is 1..ALM_CODE_BYTES_MAX bytes of [A-Za-z0-9_-], and not "_T" or "_Z".
bool alm_code_valid(alm_str code);

// dimension=member. SDMX: a dimension and its code.
typedef struct alm_breakdown {
    alm_str dimension;
    alm_str member;
} alm_breakdown;

// What a share, a rank or a contribution relates to. Any part may be empty.
//   share_of, contribution   the denominator: an indicator (empty: the same), at a place (empty:
//   the
//                            same)
//   rank                     the scope: a place whose members are the peers; measure: what was
//   ranked
typedef struct alm_relation {
    alm_str indicator;
    alm_str place;
    alm_measure measure;
} alm_relation;

// All of a series but its place: what one period slice holds over all places.
typedef struct alm_variant {
    alm_freq freq; // of the periods; a plan horizon is ANNUAL
    alm_str indicator;
    alm_accumulation accumulation;
    alm_measure measure;
    alm_relation relation;
    alm_breakdown breakdowns[ALM_BREAKDOWN_COUNT_MAX]; // sorted by dimension, each once
    size_t breakdown_count;
} alm_variant;

// Canonical text, one for each variant and the other way round (a bijection on valid variants):
//
//   FREQ.indicator.ACCUM.measure.relation.breakdowns
//   A.gdp.P.level._Z._T        A.tax.P.share_of.tax_revenue@310105._T
//   A.gdp.P.rank.@310000/growth_yoy._T      A.output.C.level._Z.industry=software+size=large
//
// _Z: no relation (SDMX "not applicable"); _T: no breakdown (SDMX "total"). A series key puts the
// place in front: "310105:" + variant.
//
// encode: ALM_INVALID_ARGUMENT    a malformed code, breakdowns unsorted or doubled, a part missing
//         ALM_OUT_OF_RANGE        longer than ALM_SERIES_KEY_BYTES_MAX, the place included
//         ALM_RESOURCE_EXHAUSTED  the arena is full
// decode: ALM_INVALID_ARGUMENT    not what encode makes. *ret views into text; untouched on failure
ALM_MUST_USE alm_code alm_variant_encode(const alm_variant *variant, alm_arena *arena, alm_str *ret,
                                         alm_status *st);
ALM_MUST_USE alm_code alm_variant_decode(alm_str text, alm_variant *ret, alm_status *st);
ALM_MUST_USE alm_code alm_series_key_encode(alm_str place, const alm_variant *variant,
                                            alm_arena *arena, alm_str *ret, alm_status *st);
ALM_MUST_USE alm_code alm_series_key_decode(alm_str text, alm_str *ret_place, alm_variant *ret,
                                            alm_status *st);

bool alm_variant_eq(const alm_variant *a, const alm_variant *b);

// Parses "dimension=member+dimension=member" (or ';' or ',' between, spaces around) into sorted
// breakdowns; empty or "_T": none.
//
// ret holds ALM_BREAKDOWN_COUNT_MAX; what is written views into text. Nothing is on failure.
//
// ALM_INVALID_ARGUMENT  malformed, a dimension twice, or too many
ALM_MUST_USE alm_code alm_breakdowns_parse(alm_str text, alm_breakdown *ret, size_t *ret_count,
                                           alm_status *st);
// Parses "[indicator][@place][/measure]", blanks around; empty or "_Z": none. Views into text.
//
// ALM_INVALID_ARGUMENT  malformed, or an unknown measure
ALM_MUST_USE alm_code alm_relation_parse(alm_str text, alm_relation *ret, alm_status *st);

#endif
