// The catalogue in memory: indicators, sources and the place tree; what ingestion checks against
// and aggregation computes with. Built once from storage's rows, then read only, by any thread.
#ifndef ALM_CATALOG_H
#define ALM_CATALOG_H

#include "alm/place.h"
#include "alm/series.h"
#include "alm/unit.h"
#include "alm/value.h"

// All numbers are stored on disk: never reuse one. X(NAME, number, code)
#define ALM_VALUE_TYPE_MAP(X)                                                                      \
    X(FLOW, 1, "flow")   /* adds up over time: GDP, revenue */                                     \
    X(STOCK, 2, "stock") /* a state at the period's end: population, floor space */                \
    X(RATE, 3, "rate")   /* a ratio: never adds up */                                              \
    X(INDEX, 4, "index") /* base = 100 */                                                          \
    X(COUNT, 5, "count") /* things that happened or exist, adds up over places */
typedef enum alm_value_type {
    ALM_VALUE_TYPE_NONE = 0,
#define ALM_VALUE_TYPE_ENUM(name, number, code) ALM_VALUE_TYPE_##name = number,
    ALM_VALUE_TYPE_MAP(ALM_VALUE_TYPE_ENUM)
#undef ALM_VALUE_TYPE_ENUM
} alm_value_type;

// How values of children make the parent's. X(NAME, number, code)
#define ALM_AGGREGATION_MAP(X)                                                                     \
    X(SUM, 1, "sum")                                                                               \
    X(RECOMPUTE, 2, "recompute") /* numerator / denominator of the same group */                   \
    X(AVERAGE, 3, "average")                                                                       \
    X(MAX, 4, "max")                                                                               \
    X(MIN, 5, "min")                                                                               \
    X(REFUSE, 6, "none") /* has no meaning; a roll-up is refused */
typedef enum alm_aggregation {
    ALM_AGGREGATION_NONE = 0, // not said: over places refused, over time see alm_indicator
#define ALM_AGGREGATION_ENUM(name, number, code) ALM_AGGREGATION_##name = number,
    ALM_AGGREGATION_MAP(ALM_AGGREGATION_ENUM)
#undef ALM_AGGREGATION_ENUM
} alm_aggregation;

typedef enum alm_direction {
    ALM_DIRECTION_NEUTRAL = 0, // "neutral": ranked as "up", said to be neither
    ALM_DIRECTION_UP = 1,      // "up": more is better
    ALM_DIRECTION_DOWN = 2,    // "down": less is better
} alm_direction;

const char *alm_value_type_code(alm_value_type t);
ALM_MUST_USE bool alm_value_type_parse(alm_str code, alm_value_type *ret);
const char *alm_aggregation_code(alm_aggregation a);
ALM_MUST_USE bool alm_aggregation_parse(alm_str code, alm_aggregation *ret);
const char *alm_direction_code(alm_direction d);
ALM_MUST_USE bool alm_direction_parse(alm_str code, alm_direction *ret);

typedef struct alm_indicator {
    alm_str code;
    alm_str name_zh;
    alm_str name_en; // may be empty
    alm_unit unit;   // values are shown and compared in it unless asked otherwise
    alm_value_type value_type;
    alm_aggregation over_places;
    alm_aggregation over_time; // SUM for flows; for stocks NONE means the end of the period
    alm_direction direction;
    alm_str theme;
    alm_str numerator; // of a rate that is recomputed; codes, else empty
    alm_str denominator;
    alm_str formula;    // of what is made of others: alm/formula.h over codes; else empty
    alm_str definition; // prose
    const alm_str *aliases;
    size_t alias_count;
} alm_indicator;

typedef struct alm_source {
    alm_str code;
    alm_str title;
    alm_str publisher;
    alm_date published; // ALM_DATE_NONE: not said
    alm_str address;
    int32_t precedence; // higher wins where several sources give one cell
    alm_str note;
} alm_source;

typedef struct alm_catalog alm_catalog;

// Builder: add everything in the order of storage's ids, then finish. Copies.
//
// add:    ALM_INVALID_ARGUMENT    a malformed code, no name, no unit, a recomputed rate without
//                                 numerator and denominator, sums of rates ...
//         ALM_ALREADY_EXISTS      the code is there already
// finish: ALM_INVALID_ARGUMENT    an unknown numerator, denominator, parent or successor; a
//                                 formula with an unknown indicator or place, or of another
//                                 unit; what is computed from itself. Names the entry
// all:    ALM_RESOURCE_EXHAUSTED  out of memory
// After a finish that failed, what was missing may be added and finish called again. What fails
// leaves no trace.
ALM_MUST_USE alm_code alm_catalog_create(alm_catalog **ret, alm_status *st);
ALM_MUST_USE alm_code alm_catalog_add_indicator(alm_catalog *c, const alm_indicator *indicator,
                                                uint32_t *ret_id, alm_status *st);
ALM_MUST_USE alm_code alm_catalog_add_source(alm_catalog *c, const alm_source *source,
                                             uint32_t *ret_id, alm_status *st);
ALM_MUST_USE alm_code alm_catalog_add_place(alm_catalog *c, const alm_place *place,
                                            alm_place_id *ret_id, alm_status *st);
ALM_MUST_USE alm_code alm_catalog_finish(alm_catalog *c, alm_status *st);
void alm_catalog_destroy(alm_catalog **c);

const alm_place_tree *alm_catalog_places(const alm_catalog *c);
size_t alm_catalog_indicator_count(const alm_catalog *c);
const alm_indicator *alm_catalog_indicator(const alm_catalog *c, uint32_t id); // id < count
size_t alm_catalog_source_count(const alm_catalog *c);
const alm_source *alm_catalog_source(const alm_catalog *c, uint32_t id);

#define ALM_CATALOG_NONE UINT32_MAX
// By code; ALM_CATALOG_NONE if unknown.
uint32_t alm_catalog_find_indicator(const alm_catalog *c, alm_str code);
uint32_t alm_catalog_find_source(const alm_catalog *c, alm_str code);
// By code, else by zh or en name or alias (ASCII letters in any case). A name that several places
// carry means the one that still is, if that is one. The status' field is "indicator", "place" or
// "source". The search for a suggestion reads the whole catalogue; it is left out when st is NULL.
//
// ALM_NOT_FOUND            no such entry; suggests the nearest
// ALM_FAILED_PRECONDITION  two entries carry the name; names both
// ALM_INVALID_ARGUMENT     an empty word
ALM_MUST_USE alm_code alm_catalog_resolve_indicator(const alm_catalog *c, alm_str code_or_name,
                                                    uint32_t *ret, alm_status *st);
ALM_MUST_USE alm_code alm_catalog_resolve_place(const alm_catalog *c, alm_str code_or_name,
                                                alm_place_id *ret, alm_status *st);
ALM_MUST_USE alm_code alm_catalog_resolve_source(const alm_catalog *c, alm_str code_or_title,
                                                 uint32_t *ret, alm_status *st);

// Validates one entry alone, as add does first, without a catalogue (ingestion uses it for rows).
// Places: alm_place_check. The status' field is named like the column: code, name_zh, name_en,
// unit, value_type, over_places, over_time, direction, theme, numerator, denominator, formula,
// definition, aliases; title, publisher, published, address, note.
ALM_MUST_USE alm_code alm_indicator_check(const alm_indicator *indicator, alm_status *st);
ALM_MUST_USE alm_code alm_source_check(const alm_source *source, alm_status *st);

// For "did you mean": the nearest of the candidates by edit distance, or an empty string when none
// is within a third of the word's length (one step at least; words of one letter find nothing).
// Steps are code points; the case of ASCII letters is none, a swap of neighbours one. Of equally
// near ones the longest common start decides, then the order. Words of more than 48 code points
// find nothing, so the cost is bounded: a millisecond for fifty thousand codes.
alm_str alm_nearest(alm_str word, const alm_str *candidates, size_t count);

#endif
