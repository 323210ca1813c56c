// The cells a growth, a rank or a share is computed for: each (variant, place, period) once,
// whether its own value was read, only a published answer was, or nothing.
#ifndef ALM_ASKED_H
#define ALM_ASKED_H

#include "query_run.h"

typedef struct alm_asked_cell {
    uint32_t variant; // of the measure computed from
    alm_place_id place;
    alm_period period;
    const alm_obs *published; // the answer as published; NULL: none
} alm_asked_cell;

typedef struct alm_asked {
    alm_asked_cell *cells; // by variant, period, place
    size_t count, cap;
} alm_asked;

// Reads the asked cells of the plan's measure and, beside them, of `published` (growth_yoy, rank,
// share_of); takes the published rows into run->answers. A cell that the question lists and that
// has neither is asked all the same if the indicator was named and the place was valid then.
ALM_MUST_USE alm_code alm_asked_collect(alm_query_run *run, alm_measure published, alm_asked *ret,
                                        alm_status *st);

// The periods of the asked cells, `years` later, as few ranges as they make.
ALM_MUST_USE alm_code alm_asked_periods(const alm_asked *asked, int64_t years, alm_arena *arena,
                                        alm_period_expr *ret, alm_status *st);

// The variant a computed answer has: the measure, and in its relation the place (code; may be
// empty) and the measure it was computed of, unless that is the level.
ALM_MUST_USE alm_code alm_asked_answer_variant(alm_query_run *run, uint32_t variant,
                                               alm_measure measure, alm_str place, uint32_t *ret,
                                               alm_status *st);

// Appends "; published growth is 13%" where the answer was published.
ALM_MUST_USE alm_code alm_asked_mention_published(alm_query_run *run, const alm_asked_cell *cell,
                                                  const char *word, const char **reason,
                                                  alm_status *st);

#endif
