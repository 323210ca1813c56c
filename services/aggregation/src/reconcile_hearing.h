// One claim while it is judged by two figures: what they are, what else they may have been, and the
// finding that comes of it.
#ifndef ALM_RECONCILE_HEARING_H
#define ALM_RECONCILE_HEARING_H

#include "reconcile_run.h"

#define ALM_UNIT_OF_CHANGES       ((alm_unit){.measure = ALM_MEASURE_UNIT_PP})
#define ALM_PERCENT_EXPONENT      (-2)
#define ALM_HEARING_TRY_COUNT_MAX 16

typedef struct alm_hearing {
    alm_reconciliation *it;
    const alm_obs *claim;
    const alm_variant *variant;
    alm_date as_of;
    alm_finding finding;
    const alm_obs *part, *whole; // NULL: nothing is stored
    alm_unit unit;               // they are compared in
    alm_ratio_try tries[ALM_HEARING_TRY_COUNT_MAX];
    const alm_obs *tried_part[ALM_HEARING_TRY_COUNT_MAX];
    const alm_obs *tried_whole[ALM_HEARING_TRY_COUNT_MAX];
    size_t try_count;
} alm_hearing;

// Told in percent.
alm_hearing alm_hearing_begin(alm_reconciliation *it, const alm_obs *claim,
                              Almanac__V1__Check check);

// What stands of a cell; and what the claim's own publication says of it, else what stands.
const alm_obs *alm_hearing_stands(const alm_hearing *h, uint32_t variant, alm_place_id place,
                                  alm_period period);
const alm_obs *alm_hearing_beside(const alm_hearing *h, uint32_t variant, alm_place_id place,
                                  alm_period period);
// The unit part and whole are compared in; `whole` where neither is there.
alm_unit alm_hearing_unit(const alm_hearing *h, const alm_indicator *whole);

// Another pair the claim may have been made of; nothing where one is not there, or nothing differs.
void alm_hearing_try(alm_hearing *h, alm_verdict verdict, const alm_obs *part,
                     const alm_obs *whole);
// The whole, a cell at `place`, as it stood when the claim was published, with the part of then
// too; then whatever else had been published of it.
void alm_hearing_try_revisions(alm_hearing *h, uint32_t part_variant, uint32_t whole_variant,
                               alm_place_id place, alm_period period);
ALM_MUST_USE alm_code alm_hearing_try_accumulation(alm_hearing *h, uint32_t part_variant,
                                                   uint32_t whole_variant, alm_place_id place,
                                                   alm_period period, alm_status *st);

bool alm_hearing_is_comparable(const alm_hearing *h); // does the scope of anything differ?
void alm_hearing_note_exactness(alm_hearing *h);      // once part and whole are known

// Part and whole are known: the verdict, and the finding.
ALM_MUST_USE alm_code alm_hearing_pair(alm_hearing *h, double offset, alm_status *st);
// The verdict is there: the finding.
ALM_MUST_USE alm_code alm_hearing_finish(alm_hearing *h, alm_status *st);

// NULL: exact; a value without a number.
bool alm_obs_is_exact(const alm_obs *obs);
alm_value alm_obs_value(const alm_obs *obs);

#endif
