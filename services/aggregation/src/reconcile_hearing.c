#include "reconcile_hearing.h"

#include <math.h>

#define MORE_DIGITS 2 // of an implied figure, than its input has; its bounds decide

const alm_obs *alm_hearing_stands(const alm_hearing *h, uint32_t variant, alm_place_id place,
                                  alm_period period)
{
    return alm_reconcile_stands(h->it, variant, place, period, h->as_of);
}

static const alm_obs *stood(const alm_hearing *h, uint32_t variant, alm_place_id place,
                            alm_period period)
{
    return alm_reconcile_stands(h->it, variant, place, period,
                                ALM_MIN(h->claim->published, h->as_of));
}

const alm_obs *alm_hearing_beside(const alm_hearing *h, uint32_t variant, alm_place_id place,
                                  alm_period period)
{
    const alm_obs *same = NULL;
    if (place != ALM_PLACE_NONE) {
        same = alm_publications_same(alm_publications_find(&h->it->stored, variant, place, period),
                                     h->claim);
    }
    return same != NULL && same->value.has_number ? same
                                                  : alm_hearing_stands(h, variant, place, period);
}

void alm_hearing_try(alm_hearing *h, alm_verdict verdict, const alm_obs *part, const alm_obs *whole)
{
    bool is_other = part != NULL && whole != NULL && (part != h->part || whole != h->whole);
    if (!is_other || h->try_count == ALM_HEARING_TRY_COUNT_MAX) {
        return;
    }
    h->tried_part[h->try_count] = part;
    h->tried_whole[h->try_count] = whole;
    h->tries[h->try_count++] = (alm_ratio_try){verdict, alm_reconcile_figure(part, h->unit),
                                               alm_reconcile_figure(whole, h->unit)};
}

void alm_hearing_try_revisions(alm_hearing *h, uint32_t part_variant, uint32_t whole_variant,
                               alm_place_id place, alm_period period)
{
    const alm_obs *then = stood(h, whole_variant, place, period);
    const alm_obs *part = stood(h, part_variant, h->claim->place, h->claim->period);
    alm_hearing_try(h, ALM_VERDICT_BASE_REVISED, h->part, then);
    alm_hearing_try(h, ALM_VERDICT_BASE_REVISED, part, then);
    if (place == ALM_PLACE_NONE || period.freq == ALM_FREQ_NONE) {
        return;
    }
    alm_cell_rows cell = alm_publications_find(&h->it->stored, whole_variant, place, period);
    for (size_t i = 0; i < cell.count; i++) {
        bool was_out = cell.rows[i].published <= h->claim->published;
        if (was_out && cell.rows[i].value.has_number && &cell.rows[i] != then) {
            alm_hearing_try(h, ALM_VERDICT_BASE_REVISED, h->part, &cell.rows[i]);
        }
    }
}

static alm_code other_accumulation(alm_hearing *h, uint32_t variant, uint32_t *ret, alm_status *st)
{
    alm_variant other = alm_variant_table_get(&h->it->variants, variant)->variant;
    other.accumulation = other.accumulation == ALM_ACCUMULATION_PERIOD ? ALM_ACCUMULATION_CUMULATIVE
                                                                       : ALM_ACCUMULATION_PERIOD;
    return alm_variant_table_add(&h->it->variants, &other, ret, st);
}

alm_code alm_hearing_try_accumulation(alm_hearing *h, uint32_t part_variant, uint32_t whole_variant,
                                      alm_place_id place, alm_period period, alm_status *st)
{
    uint32_t part;
    uint32_t whole;
    ALM_TRY(other_accumulation(h, part_variant, &part, st));
    ALM_TRY(other_accumulation(h, whole_variant, &whole, st));
    alm_hearing_try(h, ALM_VERDICT_ACCUMULATION_MIXUP,
                    alm_hearing_stands(h, part, h->claim->place, h->claim->period),
                    alm_hearing_stands(h, whole, place, period));
    return ALM_OK;
}

// --- the finding --------------------------------------------------------------------------------

bool alm_obs_is_exact(const alm_obs *obs)
{
    return obs == NULL || obs->value.qualifier == ALM_QUALIFIER_EXACT;
}

void alm_hearing_note_exactness(alm_hearing *h)
{
    bool exact =
        h->finding.told.all_exact && alm_obs_is_exact(h->part) && alm_obs_is_exact(h->whole);
    h->finding.told.all_exact = h->finding.implied_told.all_exact = exact;
}

alm_value alm_obs_value(const alm_obs *obs)
{
    return obs == NULL ? (alm_value){0} : obs->value;
}

alm_unit alm_hearing_unit(const alm_hearing *h, const alm_indicator *whole)
{
    const alm_obs *known = h->part != NULL ? h->part : h->whole;
    return known != NULL ? known->value.unit : whole != NULL ? whole->unit : (alm_unit){0};
}

static bool is_real(const alm_hearing *h)
{
    const alm_indicator *indicator = h->finding.part_of.indicator;
    return alm_text_says_real(h->claim->note) ||
           (indicator != NULL && alm_indicator_grows_real(indicator));
}

bool alm_hearing_is_comparable(const alm_hearing *h)
{
    return alm_reconcile_is_other_scope(h->claim) || alm_reconcile_is_other_scope(h->part) ||
           alm_reconcile_is_other_scope(h->whole);
}

static void name_implied(alm_hearing *h)
{
    alm_finding *f = &h->finding;
    switch (f->judged.implied) {
    case ALM_IMPLIED_DEFLATOR:
        f->implied_told.unit = ALM_UNIT_PERCENT;
        f->implied_told.finest = ALM_PERCENT_EXPONENT;
        f->implied_of = f->part_of;
        return;
    case ALM_IMPLIED_LEVEL:
    case ALM_IMPLIED_PART:
        f->implied_of = f->part_of;
        break;
    default:
        f->implied_of = f->whole_of;
        break;
    }
    const alm_obs *known = h->part != NULL ? h->part : h->whole;
    bool is_open = isinf(f->judged.figure.interval.lower) || isinf(f->judged.figure.interval.upper);
    f->implied_told.unit = h->unit;
    f->implied_told.finest =
        known == NULL ? 0 : known->value.number.exponent - (is_open ? 0 : MORE_DIGITS);
}

// Was what is missing there, in a unit that does not convert?
static void note_units(alm_hearing *h)
{
    alm_judgement *judged = &h->finding.judged;
    bool both = h->part != NULL && h->whole != NULL && h->part->value.has_number &&
                h->whole->value.has_number;
    if (both && !alm_unit_convertible(h->part->value.unit, h->whole->value.unit)) {
        judged->lack = ALM_LACK_UNITS;
        judged->implied = ALM_IMPLIED_NONE;
    }
}

alm_code alm_hearing_finish(alm_hearing *h, alm_status *st)
{
    alm_finding *f = &h->finding;
    alm_hearing_note_exactness(h);
    if (f->judged.verdict == ALM_VERDICT_BASE_REVISED) {
        const alm_obs *whole = h->tried_whole[f->judged.tried];
        f->earlier = whole != h->whole ? whole : h->tried_part[f->judged.tried];
    }
    if (f->judged.verdict == ALM_VERDICT_WRONG_COMPARISON) {
        f->tried_period = h->tried_whole[f->judged.tried]->period;
    }
    if (f->judged.implied != ALM_IMPLIED_NONE) {
        name_implied(h);
    }
    return alm_findings_add(h->it, f, st);
}

alm_hearing alm_hearing_begin(alm_reconciliation *it, const alm_obs *claim,
                              Almanac__V1__Check check)
{
    alm_hearing h = {.it = it,
                     .claim = claim,
                     .variant = &alm_reconcile_entry(it, claim)->variant,
                     .as_of = it->plan->as_of,
                     .finding = alm_finding_of(it, claim, check)};
    h.finding.told.unit = ALM_UNIT_PERCENT;
    h.finding.told.finest = ALM_PERCENT_EXPONENT;
    return h;
}

alm_code alm_hearing_pair(alm_hearing *h, double offset, alm_status *st)
{
    alm_ratio_claim claim = {
        .claimed = alm_reconcile_figure(h->claim, ALM_UNIT_PERCENT),
        .offset = offset,
        .part = alm_reconcile_figure(h->part, h->unit),
        .whole = alm_reconcile_figure(h->whole, h->unit),
        .tries = h->tries,
        .try_count = h->try_count,
        .is_real = is_real(h),
        .is_comparable = alm_hearing_is_comparable(h),
    };
    h->finding.judged = alm_judge_ratio(&claim);
    h->finding.is_real = claim.is_real;
    h->finding.part = alm_obs_value(h->part);
    h->finding.whole = alm_obs_value(h->whole);
    note_units(h);
    return alm_hearing_finish(h, st);
}
