// What a request means: every word checked against the catalogue and turned into numbers.
#ifndef ALM_QUERY_PLAN_H
#define ALM_QUERY_PLAN_H

#include "alm/catalog.h"
#include "alm/catalog_cache.h"
#include "alm/period_expr.h"
#include "alm/transform.h"
#include "alm/wire.h"
#include "derived.h"
#include "row_reader.h"

#include "almanac/v1/gateway.pb-c.h"

typedef struct alm_query_item {
    alm_str asked;                  // as the request spelled it
    const alm_indicator *indicator; // NULL: it stands for nothing, see fault
    const alm_derived *derived;     // of a formula, whose outcome is the indicator; else NULL
    const alm_indicator *priced;    // whose prices a word turns; else NULL
    alm_status fault;               // why
} alm_query_item;

// What it is called in answers and messages.
static inline alm_str alm_query_item_label(const alm_query_item *item)
{
    bool has_code = !alm_str_eq(item->indicator->code, ALM_STR(ALM_DERIVED_CODE));
    if (item->priced != NULL) {
        return item->priced->code;
    }
    return has_code ? item->indicator->code : item->asked;
}

typedef enum alm_unit_choice {
    ALM_UNIT_AS_PUBLISHED,
    ALM_UNIT_OF_INDICATOR,
    ALM_UNIT_GIVEN,
} alm_unit_choice;

// Lives in the arena it was made in; views into the request and the catalogue.
typedef struct alm_query_plan {
    const alm_catalog *catalog;
    const alm_place_tree *tree;
    alm_catalog_ref
        *kept; // with which what follows of the catalogue alone is kept; NULL: it is not
    alm_transforms transforms;
    alm_str transforms_text;    // canonical; "" for none
    bool has_whole;             // a share or a contribution is asked
    const alm_indicator *whole; // of it, where it is another indicator; else NULL
    alm_place_id whole_place;   // of it, where it is named; else NONE
    alm_place_list peers;       // of a rank, as they are named; none: siblings
    alm_query_item *items;
    size_t item_count;
    bool every;              // "*" was asked: items are the whole catalogue
    alm_str places_text;     // as the request says it
    alm_place_list places;   // in answering order; of a fragment its slice of them
    size_t whole_count;      // of all places of the expression: they decide what is told of missing
    uint64_t whole_digest;   // of them
    bool is_first;           // no slice, or the first: it tells faults
    alm_place_id *place_ids; // the same, ascending
    uint32_t *place_order;   // of place_ids[i]: its index in places; NULL: see place_index
    uint32_t *place_index;   // by place id: 1 + its index in places, 0: not asked; NULL: too few
                             // are asked for a table of all to be cleared
    alm_period_expr periods;
    alm_period *listed;  // the single periods, when the expression is a bounded list of at most
    size_t listed_count; // ALM_QUERY_MISSING_COUNT_MAX of the whole question; ascending
    uint64_t period_estimate; // periods of a bounded expression; 0: open
    alm_measure measure;      // NONE: all
    alm_accumulation accumulation;
    alm_freq freq;
    alm_str breakdown; // "": totals; "*": all; else canonical
    alm_date as_of;    // ALM_DATE_MAX: newest
    alm_date today;    // of the question; 0: none, what is published in future counts
    uint32_t *sources; // ids, ascending
    size_t source_count;
    alm_unit_choice unit_choice;
    alm_unit unit; // when GIVEN
    alm_level group_by;
    Almanac__V1__Order order;
    uint32_t limit; // 0: all
    bool incomplete;
    uint64_t min_sequence, at_sequence;
} alm_query_plan;

// Missing cells are answered one by one when the question lists its places and periods and they
// make no more cells than this; else only what exists is answered.
#define ALM_QUERY_MISSING_COUNT_MAX 10000

//   kept  of the catalogue, where it is a reference's; NULL
//
// ALM_INVALID_ARGUMENT   a word of the request is unknown or does not go with the others; field and
//                        value are named. An unknown indicator is not: see alm_query_item
// ALM_NOT_FOUND          an unknown place or source
// ALM_ABORTED            the expression stands for other places than those that were cut
// ALM_RESOURCE_EXHAUSTED more than ALM_QUERY_INDICATOR_COUNT_MAX indicators, or out of memory
ALM_MUST_USE alm_code alm_query_plan_make(const Almanac__V1__QueryRequest *request,
                                          const alm_catalog *catalog, alm_catalog_ref *kept,
                                          alm_arena *arena, alm_query_plan *ret, alm_status *st);

// What is worked out of the catalogue and an expression of places, see alm_catalog_ref_kept; what:
// a word for it. What is quickly found is not kept.
ALM_MUST_USE alm_code alm_query_plan_work(const alm_query_plan *plan, const char *what, alm_str of,
                                          alm_catalog_work work, const void *arg, alm_arena *arena,
                                          const void **ret, alm_status *st);

// The place's index in plan->places; ALM_PLACE_NONE: it is not asked.
uint32_t alm_query_plan_place_index(const alm_query_plan *plan, alm_place_id place);

// The codes of the places of the expression, in answering order; of a fragment, too, of all.
//
// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code alm_query_plan_codes(const alm_query_plan *plan, alm_arena *arena,
                                           const alm_text_list **ret, alm_status *st);

// The measure that sources publish of exactly what the question has computed: growth_yoy for pc1
// alone. NONE: no such measure. *ret_of: the measure it is of, which its relation says.
alm_measure alm_query_plan_published(const alm_query_plan *plan, alm_measure *ret_of);

// RANK or PERCENTILE?
static inline bool alm_query_plan_ranks(const alm_query_plan *plan)
{
    return plan->transforms.of[ALM_STAGE_RANK].op != ALM_TRANSFORM_NONE;
}

static inline bool alm_query_plan_has(const alm_query_plan *plan, alm_transform_op op)
{
    return plan->transforms.of[alm_transform_stage(op)].op == op;
}

// How many cells of one indicator the question is about, as words: "3 places x 5 periods = 15
// cells", or "3 places x every period". Lives in the arena; never NULL.
const char *alm_query_plan_estimate(const alm_query_plan *plan, alm_arena *arena);

// What every read of the plan has in common; the caller sets indicators, measures, places and
// periods.
alm_fetch alm_query_plan_fetch(const alm_query_plan *plan);

#endif
