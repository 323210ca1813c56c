// How a catalogue is laid out. Internal to model/.
#ifndef ALM_MODEL_CATALOG_IMPL_H
#define ALM_MODEL_CATALOG_IMPL_H

#include "alm/catalog.h"

#include "name_index.h"

struct alm_catalog {
    alm_arena *texts;
    alm_place_tree *places;
    alm_indicator *indicators;
    size_t indicator_count;
    size_t indicator_cap;
    alm_source *sources;
    size_t source_count;
    size_t source_cap;
    name_index indicator_codes;
    name_index indicator_names; // names and aliases
    name_index source_codes;
    name_index source_titles;
    bool finished;
};

// The names of an indicator, some of them empty: i = 0 and 1 the two names, then the aliases.
static inline alm_str indicator_name(const alm_indicator *indicator, size_t i)
{
    return i == 0 ? indicator->name_zh : i == 1 ? indicator->name_en : indicator->aliases[i - 2];
}

static inline size_t indicator_name_count(const alm_indicator *indicator)
{
    return 2 + indicator->alias_count;
}

#endif
