// Which cells a claim relates to, and what is stored of them.
#include "convert.h"
#include "reconcile_run.h"

// --- periods and places -------------------------------------------------------------------------

alm_lags alm_lags_of(alm_period period)
{
    alm_lags lags = {0};
    alm_period found;
    if (alm_period_add_years(period, -1, &found, NULL) == ALM_OK) {
        lags.year = found;
    }
    if (alm_period_add(period, -1, &found, NULL) == ALM_OK) {
        lags.before = found;
    }
    int32_t year = alm_period_year(period) - 1;
    bool is_one = period.length == 1 && year >= 1;
    if (is_one && alm_period_of_date(alm_date_from_ymd(year, 12, 31), (alm_freq)period.freq, &found,
                                     NULL) == ALM_OK) {
        lags.year_end = found;
    }
    return lags;
}

static alm_place_id place_of(const alm_reconciliation *it, alm_str code, alm_place_id fallback)
{
    return code.len == 0 ? fallback : alm_place_tree_find(it->plan->tree, code);
}

alm_code alm_reconcile_peers(const alm_reconciliation *it, const alm_obs *claim,
                             alm_place_list *ret, alm_status *st)
{
    const alm_place_tree *tree = it->plan->tree;
    const alm_relation *relation = &alm_reconcile_entry(it, claim)->variant.relation;
    alm_level level = alm_place_tree_get(tree, claim->place)->level;
    alm_date day = alm_period_last_day(claim->period);
    alm_place_id scope = place_of(it, relation->place, alm_place_tree_parent(tree, claim->place));
    *ret = (alm_place_list){0};
    bool is_known = scope != ALM_PLACE_NONE && scope != claim->place && level != ALM_LEVEL_LOCAL &&
                    alm_place_tree_within(tree, claim->place, scope);
    return is_known ? alm_place_tree_descendants(tree, scope, level, day, it->arena, ret, st)
                    : ALM_OK;
}

alm_code alm_reconcile_children(const alm_reconciliation *it, alm_place_id place, alm_date day,
                                alm_place_list *ret, alm_status *st)
{
    ALM_TRY(alm_place_tree_children(it->plan->tree, place, day, it->arena, ret, st));
    size_t kept = 0;
    for (size_t i = 0; i < ret->count; i++) {
        if (alm_place_tree_get(it->plan->tree, ret->ids[i])->level != ALM_LEVEL_LOCAL) {
            ret->ids[kept++] = ret->ids[i];
        }
    }
    ret->count = kept;
    return ALM_OK;
}

// --- series -------------------------------------------------------------------------------------

static bool is_of_whole(const alm_variant *variant)
{
    return variant->measure == ALM_MEASURE_SHARE_OF ||
           variant->measure == ALM_MEASURE_CONTRIBUTION_PP ||
           variant->measure == ALM_MEASURE_CONTRIBUTION_SHARE;
}

// A share that does not say of what is of the total here if it is a member's, else of the parent.
static alm_place_id whole_place(const alm_reconciliation *it, const alm_obs *claim,
                                const alm_variant *variant)
{
    bool says_nothing = variant->relation.indicator.len == 0 && variant->relation.place.len == 0;
    if (says_nothing && variant->breakdown_count == 0) {
        return alm_place_tree_parent(it->plan->tree, claim->place);
    }
    return place_of(it, variant->relation.place, claim->place);
}

alm_cell_name alm_reconcile_whole(const alm_reconciliation *it, const alm_obs *claim)
{
    const alm_variant *variant = &alm_reconcile_entry(it, claim)->variant;
    alm_str code = is_of_whole(variant) && variant->relation.indicator.len > 0
                       ? variant->relation.indicator
                       : variant->indicator;
    uint32_t id = alm_catalog_find_indicator(it->plan->catalog, code);
    return (alm_cell_name){
        .indicator = id == ALM_CATALOG_NONE ? NULL : alm_catalog_indicator(it->plan->catalog, id),
        .place = is_of_whole(variant) ? whole_place(it, claim, variant) : claim->place,
        .period = claim->period,
    };
}

// Of another indicator its total; of another place the same members; here the total.
alm_code alm_reconcile_whole_variant(alm_reconciliation *it, const alm_obs *claim, uint32_t *ret,
                                     alm_status *st)
{
    alm_variant variant = alm_reconcile_entry(it, claim)->variant;
    alm_relation relation = variant.relation;
    bool is_elsewhere = relation.place.len > 0 && relation.indicator.len == 0;
    variant.measure = ALM_MEASURE_LEVEL;
    variant.relation = (alm_relation){0};
    variant.indicator = relation.indicator.len > 0 ? relation.indicator : variant.indicator;
    variant.breakdown_count = is_elsewhere ? variant.breakdown_count : 0;
    return alm_variant_table_add(&it->variants, &variant, ret, st);
}

alm_code alm_reconcile_own_variant(alm_reconciliation *it, const alm_obs *claim, uint32_t *ret,
                                   alm_status *st)
{
    const alm_variant *variant = &alm_reconcile_entry(it, claim)->variant;
    alm_relation relation = variant->relation;
    alm_measure measure =
        relation.measure == ALM_MEASURE_NONE ? ALM_MEASURE_LEVEL : relation.measure;
    bool is_change = variant->measure == ALM_MEASURE_PP_CHANGE;
    bool is_of_share = is_change && (relation.indicator.len > 0 || relation.place.len > 0);
    if (is_of_share && relation.measure == ALM_MEASURE_NONE) {
        measure = ALM_MEASURE_SHARE_OF;
    }
    relation.measure = ALM_MEASURE_NONE;
    bool keeps = measure == ALM_MEASURE_SHARE_OF;
    return alm_variant_table_sibling(&it->variants, claim->variant, measure,
                                     keeps ? &relation : NULL, ret, st);
}

// --- what is stored -----------------------------------------------------------------------------

const alm_obs *alm_reconcile_stands(const alm_reconciliation *it, uint32_t variant,
                                    alm_place_id place, alm_period period, alm_date day)
{
    if (place == ALM_PLACE_NONE || period.freq == ALM_FREQ_NONE) {
        return NULL;
    }
    alm_cell_rows cell = alm_publications_find(&it->stored, variant, place, period);
    return alm_publications_choose(&it->stored, cell, day);
}

alm_figure alm_reconcile_figure(const alm_obs *obs, alm_unit unit)
{
    static const alm_value nothing = {0};
    bool has = obs != NULL && obs->value.has_number && alm_unit_convertible(obs->value.unit, unit);
    return has ? alm_figure_of(&obs->value, alm_unit_factor(obs->value.unit, unit))
               : alm_figure_of(&nothing, 1);
}

bool alm_reconcile_is_other_scope(const alm_obs *obs)
{
    return obs != NULL &&
           (obs->value.status == ALM_OBS_STATUS_BREAK ||
            obs->value.status == ALM_OBS_STATUS_DEFINITION || alm_text_says_comparable(obs->note));
}
