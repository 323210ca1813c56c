// One observation: a value of one series in one period, as a source published it on a day.
#ifndef ALM_OBSERVATION_H
#define ALM_OBSERVATION_H

#include "alm/arena.h"
#include "alm/place.h"
#include "alm/series.h"
#include "alm/value.h"

// Rows travel with a table of their variants (canonical text, see series.h).
typedef struct alm_obs {
    uint32_t variant; // index into the table that travels with the rows
    alm_place_id place;
    alm_period period;
    alm_value value;
    uint32_t source;    // source id of the catalogue; ALM_SOURCE_NONE: not said
    alm_date published; // the vintage; never ALM_DATE_NONE
    alm_str note;       // as published; may be empty
    uint64_t sequence;  // the commit that stored it; 0 before it is stored
} alm_obs;

#define ALM_SOURCE_NONE UINT32_MAX

// --- rows as columns ----------------------------------------------------------------------------

// What a cell says beside its number: qualifier | status << 4 | has_number << 8.
static inline uint32_t alm_obs_flags(const alm_value *value)
{
    return (uint32_t)value->qualifier | (uint32_t)value->status << 4 |
           (uint32_t)value->has_number << 8;
}
static inline bool alm_obs_flags_have_number(uint32_t flags)
{
    return (flags >> 8 & 1) != 0;
}
static inline alm_obs_status alm_obs_flags_status(uint32_t flags)
{
    return (alm_obs_status)(flags >> 4 & 0xf);
}
static inline alm_qualifier alm_obs_flags_qualifier(uint32_t flags)
{
    return (alm_qualifier)(flags & 0xf);
}

// The columns of rows: X(name, type of an element). Numbers are 0 where there is none; notes[0] is
// no note.
#define ALM_OBS_COLUMN_MAP(X)                                                                      \
    X(variant, uint32_t)                                                                           \
    X(place, alm_place_id)                                                                         \
    X(period, alm_period)                                                                          \
    X(mantissa, int64_t)                                                                           \
    X(exponent, int32_t)                                                                           \
    X(unit, alm_unit)                                                                              \
    X(flags, uint32_t)                                                                             \
    X(source, uint32_t)                                                                            \
    X(published, alm_date)                                                                         \
    X(note, uint32_t)                                                                              \
    X(sequence, uint64_t)

// A column has an element for every row, each_NAME being 1, or one that all rows share, it being 0.
// Whoever makes the columns says what they borrow.
typedef struct alm_obs_columns {
    size_t count;
#define ALM_OBS_COLUMN_MEMBER(name, type)                                                          \
    const type *name;                                                                              \
    size_t each_##name;
    ALM_OBS_COLUMN_MAP(ALM_OBS_COLUMN_MEMBER)
#undef ALM_OBS_COLUMN_MEMBER
    const alm_str *notes;
} alm_obs_columns;

// What row i says in a column: ALM_OBS_AT(columns, place, i).
#define ALM_OBS_AT(columns, name, i) ((columns)->name[(i) * (columns)->each_##name])

static inline alm_obs alm_obs_at(const alm_obs_columns *columns, size_t i)
{
    ALM_ASSERT(i < columns->count);
    uint32_t flags = ALM_OBS_AT(columns, flags, i);
    return (alm_obs){
        .variant = ALM_OBS_AT(columns, variant, i),
        .place = ALM_OBS_AT(columns, place, i),
        .period = ALM_OBS_AT(columns, period, i),
        .value =
            {
                .number = {ALM_OBS_AT(columns, mantissa, i),
                           (int8_t)ALM_OBS_AT(columns, exponent, i)},
                .unit = ALM_OBS_AT(columns, unit, i),
                .qualifier = alm_obs_flags_qualifier(flags),
                .status = alm_obs_flags_status(flags),
                .has_number = alm_obs_flags_have_number(flags),
            },
        .source = ALM_OBS_AT(columns, source, i),
        .published = ALM_OBS_AT(columns, published, i),
        .note = columns->notes[ALM_OBS_AT(columns, note, i)],
        .sequence = ALM_OBS_AT(columns, sequence, i),
    };
}

// Rows from..from+count-1 of the columns, which they view.
static inline alm_obs_columns alm_obs_columns_cut(const alm_obs_columns *columns, size_t from,
                                                  size_t count)
{
    ALM_ASSERT(from <= columns->count && count <= columns->count - from);
    alm_obs_columns cut = *columns;
    cut.count = count;
    if (from == 0) { // columns of no rows may point nowhere
        return cut;
    }
#define ALM_OBS_COLUMN_CUT(name, type) cut.name += from * cut.each_##name;
    ALM_OBS_COLUMN_MAP(ALM_OBS_COLUMN_CUT)
#undef ALM_OBS_COLUMN_CUT
    return cut;
}

// The columns of rows, in the arena; notes are viewed. What all rows share stands once. False: no
// memory.
ALM_MUST_USE bool alm_obs_columns_of(const alm_obs *rows, size_t count, alm_arena *arena,
                                     alm_obs_columns *ret);

#endif
