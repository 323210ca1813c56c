// What the parts of reconciliation share.
#ifndef ALM_RECONCILE_RUN_H
#define ALM_RECONCILE_RUN_H

#include "publications.h"
#include "query_plan.h"

#include "alm/reconcile.h"

// Of which cell a figure is, or would be.
typedef struct alm_cell_name {
    const alm_indicator *indicator; // NULL: the catalogue does not have it
    alm_place_id place;             // NONE: likewise
    alm_period period;
} alm_cell_name;

typedef struct alm_finding {
    const alm_obs *claim;
    uint32_t item; // of the plan
    Almanac__V1__Check check;
    alm_judgement judged;
    alm_measure own_measure; // what it is made of
    alm_telling told;        // how what was computed is told
    alm_telling implied_told;
    alm_cell_name implied_of;

    // For the sentence.
    alm_value part, whole; // what it was held against; of publications whole is the earlier one
    alm_cell_name part_of, whole_of;
    const alm_obs *earlier;         // PUBLICATION; of BASE_REVISED what it matches with
    alm_period tried_period;        // WRONG_COMPARISON
    bool is_cumulative;             // what it is labelled as
    bool is_real;                   // growth at constant prices
    uint32_t of_count, of_expected; // parts or peers with a value, of how many
    alm_str members;                // BREAKDOWN: the dimension
} alm_finding;

// A series of levels by one dimension: a part of the total of its indicator.
typedef struct alm_member {
    const alm_variant *variant;
    uint32_t id;
} alm_member;

// By indicator, frequency and accumulation: what total it is of.
static inline int alm_member_order(const alm_variant *a, const alm_variant *b)
{
    int order = alm_str_cmp(a->indicator, b->indicator);
    order = order != 0 ? order : (int)a->freq - (int)b->freq;
    return order != 0 ? order : (int)a->accumulation - (int)b->accumulation;
}

typedef struct alm_reconciliation {
    const alm_query_plan *plan;
    const alm_row_reader *reader;
    alm_arena *arena;
    alm_variant_table variants;
    alm_publications claims; // what was asked
    alm_publications stored; // what it is held against
    uint32_t *item_of;       // of an indicator's id; ALM_CATALOG_NONE: not asked
    alm_member *members;     // ordered, see alm_member_order
    size_t member_count;
    alm_finding *findings;
    size_t count, cap;
} alm_reconciliation;

static inline alm_code alm_reconcile_no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "out of memory for a reconciliation; ask for fewer "
                          "indicators, places or periods");
}

// What every finding of the claim begins with.
alm_finding alm_finding_of(const alm_reconciliation *it, const alm_obs *claim,
                           Almanac__V1__Check check);
ALM_MUST_USE alm_code alm_findings_add(alm_reconciliation *it, const alm_finding *finding,
                                       alm_status *st);

// The periods a claim of the measure may be compared with: a year earlier, the period before, the
// end of the year before. freq NONE: the calendar has none.
typedef struct alm_lags {
    alm_period year, before, year_end;
} alm_lags;
alm_lags alm_lags_of(alm_period period);

// The places a rank is among; none where the catalogue does not say who is in the scope.
ALM_MUST_USE alm_code alm_reconcile_peers(const alm_reconciliation *it, const alm_obs *claim,
                                          alm_place_list *ret, alm_status *st);
// The places whose values may add up to the place's; local ones lie inside others.
ALM_MUST_USE alm_code alm_reconcile_children(const alm_reconciliation *it, alm_place_id place,
                                             alm_date day, alm_place_list *ret, alm_status *st);

// What a share or contribution is of, in the claim's period; of other claims their own cell.
alm_cell_name alm_reconcile_whole(const alm_reconciliation *it, const alm_obs *claim);
ALM_MUST_USE alm_code alm_reconcile_whole_variant(alm_reconciliation *it, const alm_obs *claim,
                                                  uint32_t *ret, alm_status *st);
// The series a claim is made of: levels, unless its relation names another measure.
ALM_MUST_USE alm_code alm_reconcile_own_variant(alm_reconciliation *it, const alm_obs *claim,
                                                uint32_t *ret, alm_status *st);

// What is stored of a cell as it stands, and stood on a day. NULL: nothing.
const alm_obs *alm_reconcile_stands(const alm_reconciliation *it, uint32_t variant,
                                    alm_place_id place, alm_period period, alm_date day);
// In the unit; missing without a number, or where units do not convert.
alm_figure alm_reconcile_figure(const alm_obs *obs, alm_unit unit);
// Does the scope differ, by what is said of the observation? NULL: no.
bool alm_reconcile_is_other_scope(const alm_obs *obs);

// Reads the claims, and all they are to be held against.
ALM_MUST_USE alm_code alm_reconcile_read(alm_reconciliation *it, alm_status *st);

// Findings of one claim: of growth, change, share or contribution; of one cell's publications; of a
// total and its parts; of a rank.
ALM_MUST_USE alm_code alm_reconcile_ratio(alm_reconciliation *it, const alm_obs *claim,
                                          alm_status *st);
ALM_MUST_USE alm_code alm_reconcile_cell(alm_reconciliation *it, alm_cell_rows cell,
                                         alm_status *st);
ALM_MUST_USE alm_code alm_reconcile_total(alm_reconciliation *it, const alm_obs *claim,
                                          alm_status *st);
ALM_MUST_USE alm_code alm_reconcile_rank(alm_reconciliation *it, const alm_obs *claim,
                                         alm_status *st);

// The sentence that says why, in one language. NULL: out of memory.
const char *alm_finding_why(const alm_reconciliation *it, const alm_finding *finding,
                            alm_lang lang);
// As a message, in the arena.
ALM_MUST_USE alm_code alm_finding_message(const alm_reconciliation *it, const alm_finding *finding,
                                          Almanac__V1__Finding **ret, alm_status *st);

static inline const alm_variant_entry *alm_reconcile_entry(const alm_reconciliation *it,
                                                           const alm_obs *row)
{
    return alm_variant_table_get(&it->variants, row->variant);
}

#endif
