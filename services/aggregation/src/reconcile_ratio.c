// Claims that two figures make: growth, shares, contributions, changes in points.
#include "reconcile_hearing.h"

// --- growth -------------------------------------------------------------------------------------

static void try_comparisons(alm_hearing *h, uint32_t variant, const alm_lags *lags)
{
    const alm_period others[] = {lags->year, lags->before, lags->year_end};
    for (size_t i = 0; i < ALM_ARRAY_LEN(others); i++) {
        if (!alm_period_eq(others[i], h->finding.whole_of.period)) {
            alm_hearing_try(h, ALM_VERDICT_WRONG_COMPARISON, h->part,
                            alm_hearing_stands(h, variant, h->claim->place, others[i]));
        }
    }
}

// What grows, unless the claim says it: levels; if there are none, what is new in the period, or
// what there is in all.
static alm_code find_grown(alm_hearing *h, alm_period base, uint32_t *ret, alm_status *st)
{
    static const alm_measure others[] = {ALM_MEASURE_COUNT_OF_CHANGE, ALM_MEASURE_CUMULATIVE_LEVEL};
    alm_reconciliation *it = h->it;
    uint32_t variant;
    ALM_TRY(alm_reconcile_own_variant(it, h->claim, &variant, st));
    *ret = variant;
    for (size_t i = 0; i <= ALM_ARRAY_LEN(others); i++) {
        h->part = alm_hearing_beside(h, variant, h->claim->place, h->claim->period);
        h->whole = alm_hearing_stands(h, variant, h->claim->place, base);
        bool is_there = h->part != NULL || h->whole != NULL;
        if (is_there || h->variant->relation.measure != ALM_MEASURE_NONE) {
            *ret = is_there ? variant : *ret;
            break;
        }
        if (i < ALM_ARRAY_LEN(others)) {
            ALM_TRY(alm_variant_table_sibling(&it->variants, h->claim->variant, others[i], NULL,
                                              &variant, st));
        }
    }
    h->finding.own_measure = alm_variant_table_get(&it->variants, *ret)->variant.measure;
    return ALM_OK;
}

static alm_code judge_growth(alm_reconciliation *it, const alm_obs *claim, alm_status *st)
{
    alm_hearing h = alm_hearing_begin(it, claim, ALMANAC__V1__CHECK__CHECK_GROWTH);
    alm_lags lags = alm_lags_of(claim->period);
    alm_period base = h.variant->measure == ALM_MEASURE_GROWTH_YOY ? lags.year : lags.before;
    uint32_t variant;
    ALM_TRY(find_grown(&h, base, &variant, st));
    h.finding.whole_of.period = base;
    h.unit = alm_hearing_unit(&h, h.finding.whole_of.indicator);
    alm_hearing_try_revisions(&h, variant, variant, claim->place, base);
    ALM_TRY(alm_hearing_try_accumulation(&h, variant, variant, claim->place, base, st));
    try_comparisons(&h, variant, &lags);
    return alm_hearing_pair(&h, 100, st);
}

// --- shares and contributions -------------------------------------------------------------------

static alm_code judge_share(alm_reconciliation *it, const alm_obs *claim, alm_status *st)
{
    alm_hearing h = alm_hearing_begin(it, claim, ALMANAC__V1__CHECK__CHECK_SHARE);
    alm_cell_name whole = alm_reconcile_whole(it, claim);
    uint32_t part_variant;
    uint32_t whole_variant;
    ALM_TRY(alm_variant_table_sibling(&it->variants, claim->variant, ALM_MEASURE_LEVEL, NULL,
                                      &part_variant, st));
    ALM_TRY(alm_reconcile_whole_variant(it, claim, &whole_variant, st));
    h.finding.whole_of = whole;
    h.part = alm_hearing_beside(&h, part_variant, claim->place, claim->period);
    h.whole = alm_hearing_beside(&h, whole_variant, whole.place, claim->period);
    h.unit = alm_hearing_unit(&h, whole.indicator);
    alm_hearing_try_revisions(&h, part_variant, whole_variant, whole.place, claim->period);
    ALM_TRY(alm_hearing_try_accumulation(&h, part_variant, whole_variant, whole.place,
                                         claim->period, st));
    return alm_hearing_pair(&h, 0, st);
}

static alm_value told_change(const alm_hearing *h, const alm_figure *figure, const alm_obs *of)
{
    alm_value value;
    alm_telling how = {.unit = h->unit,
                       .finest = of == NULL ? 0 : of->value.number.exponent,
                       .is_sum = true,
                       .all_exact = alm_obs_is_exact(of)};
    return alm_figure_value(figure, &how, &value) ? value : (alm_value){.unit = h->unit};
}

// The change of a part or a whole in a year. What is missing for it names the cell.
static alm_figure change_of(const alm_hearing *h, uint32_t variant, alm_period base,
                            alm_cell_name *name)
{
    alm_figure now = alm_reconcile_figure(
        alm_hearing_stands(h, variant, name->place, h->claim->period), h->unit);
    alm_figure then =
        alm_reconcile_figure(alm_hearing_stands(h, variant, name->place, base), h->unit);
    name->period = now.has ? base : h->claim->period;
    return alm_figure_sub(now, then);
}

static alm_code judge_contribution(alm_reconciliation *it, const alm_obs *claim, alm_status *st)
{
    alm_hearing h = alm_hearing_begin(it, claim, ALMANAC__V1__CHECK__CHECK_CONTRIBUTION);
    bool is_points = h.variant->measure == ALM_MEASURE_CONTRIBUTION_PP;
    alm_period base = alm_lags_of(claim->period).year;
    alm_cell_name *whole_of = &h.finding.whole_of;
    uint32_t part_variant;
    uint32_t whole_variant;
    ALM_TRY(alm_variant_table_sibling(&it->variants, claim->variant, ALM_MEASURE_LEVEL, NULL,
                                      &part_variant, st));
    ALM_TRY(alm_reconcile_whole_variant(it, claim, &whole_variant, st));
    *whole_of = alm_reconcile_whole(it, claim);
    h.part = alm_hearing_stands(&h, part_variant, claim->place, claim->period);
    h.whole = alm_hearing_stands(&h, whole_variant, whole_of->place, base);
    h.unit = alm_hearing_unit(&h, whole_of->indicator);
    alm_figure part = change_of(&h, part_variant, base, &h.finding.part_of);
    alm_figure whole = is_points ? alm_reconcile_figure(h.whole, h.unit)
                                 : change_of(&h, whole_variant, base, whole_of);
    whole_of->period = is_points ? base : whole_of->period;
    alm_ratio_claim asked = {.claimed = is_points ? alm_figure_of(&claim->value, 1)
                                                  : alm_reconcile_figure(claim, ALM_UNIT_PERCENT),
                             .part = part,
                             .whole = whole,
                             .is_comparable = alm_hearing_is_comparable(&h)};
    h.finding.judged = alm_judge_ratio(&asked);
    h.finding.judged.implied = ALM_IMPLIED_NONE; // of changes, which are no cells
    h.finding.told.unit = is_points ? ALM_UNIT_OF_CHANGES : ALM_UNIT_PERCENT;
    h.finding.part = told_change(&h, &part, h.part);
    h.finding.whole = told_change(&h, &whole, h.whole);
    return alm_hearing_finish(&h, st);
}

// --- changes in points --------------------------------------------------------------------------

// The finest digit of both, in percent.
static int finest_of(const alm_hearing *h)
{
    int finest = 0;
    const alm_obs *both[] = {h->part, h->whole};
    for (size_t i = 0; i < ALM_ARRAY_LEN(both); i++) {
        bool has = both[i] != NULL && both[i]->value.has_number;
        int digit = has ? both[i]->value.number.exponent : 0;
        bool is_percent = has && both[i]->value.unit.measure == ALM_MEASURE_UNIT_PERCENT;
        finest = ALM_MIN(finest, is_percent || !has ? digit : digit - 1);
    }
    return finest;
}

static void imply_ratio(alm_hearing *h, alm_figure now, alm_figure base, alm_figure change)
{
    alm_judgement *judged = &h->finding.judged;
    judged->lack = !change.has ? ALM_LACK_CLAIM
                   : now.has   ? ALM_LACK_WHOLE
                   : base.has  ? ALM_LACK_PART
                               : ALM_LACK_BOTH;
    judged->figure = now.has ? alm_figure_sub(now, change) : alm_figure_add(base, change);
    judged->implied = !judged->figure.has ? ALM_IMPLIED_NONE
                      : now.has           ? ALM_IMPLIED_BASE
                                          : ALM_IMPLIED_LEVEL;
    h->finding.implied_of = now.has ? h->finding.whole_of : h->finding.part_of;
    h->finding.implied_told.unit = ALM_UNIT_PERCENT;
    h->finding.implied_told.is_sum = true;
    h->finding.implied_told.finest =
        ALM_MIN(h->finding.told.finest, h->claim->value.number.exponent);
}

static alm_code judge_change(alm_reconciliation *it, const alm_obs *claim, alm_status *st)
{
    alm_hearing h = alm_hearing_begin(it, claim, ALMANAC__V1__CHECK__CHECK_CHANGE);
    uint32_t variant;
    ALM_TRY(alm_reconcile_own_variant(it, claim, &variant, st));
    h.finding.own_measure = alm_variant_table_get(&it->variants, variant)->variant.measure;
    h.finding.whole_of.period = alm_lags_of(claim->period).year;
    h.part = alm_hearing_beside(&h, variant, claim->place, claim->period);
    h.whole = alm_hearing_stands(&h, variant, claim->place, h.finding.whole_of.period);
    alm_figure now = alm_reconcile_figure(h.part, ALM_UNIT_PERCENT);
    alm_figure base = alm_reconcile_figure(h.whole, ALM_UNIT_PERCENT);
    alm_figure change = alm_figure_of(&claim->value, 1);
    alm_sum_claim asked = {.claimed = change,
                           .computed = alm_figure_sub(now, base),
                           .is_comparable = alm_hearing_is_comparable(&h),
                           .otherwise = ALM_VERDICT_UNEXPLAINED};
    h.finding.judged = alm_judge_sum(&asked);
    h.finding.told.unit = ALM_UNIT_OF_CHANGES;
    h.finding.told.finest = finest_of(&h);
    h.finding.told.is_sum = true;
    h.finding.part = alm_obs_value(h.part);
    h.finding.whole = alm_obs_value(h.whole);
    if (h.finding.judged.verdict == ALM_VERDICT_NOT_JUDGED) {
        imply_ratio(&h, now, base, change);
    }
    alm_hearing_note_exactness(&h);
    return alm_findings_add(it, &h.finding, st);
}

alm_code alm_reconcile_ratio(alm_reconciliation *it, const alm_obs *claim, alm_status *st)
{
    switch (alm_reconcile_entry(it, claim)->variant.measure) {
    case ALM_MEASURE_GROWTH_YOY:
    case ALM_MEASURE_GROWTH_POP:
        return judge_growth(it, claim, st);
    case ALM_MEASURE_SHARE_OF:
        return judge_share(it, claim, st);
    case ALM_MEASURE_PP_CHANGE:
        return judge_change(it, claim, st);
    default:
        return judge_contribution(it, claim, st);
    }
}
