// A finding as the message that travels.
#include "reconcile_run.h"

_Static_assert((int)ALM_VERDICT_NOT_JUDGED == ALMANAC__V1__VERDICT__VERDICT_NOT_JUDGED, "one list");
_Static_assert((int)ALM_IMPLIED_RANK == ALMANAC__V1__IMPLIED__IMPLIED_RANK, "one list");

static char *copy(const alm_reconciliation *it, alm_str text)
{
    return alm_arena_strdup(it->arena, text);
}

static char *unit_text(const alm_reconciliation *it, alm_unit unit)
{
    char out[ALM_UNIT_TEXT_MAX];
    size_t len = alm_unit_code(unit, out);
    return copy(it, (alm_str){out, len});
}

static char *period_text(const alm_reconciliation *it, alm_period period)
{
    char out[ALM_PERIOD_TEXT_MAX];
    size_t len = alm_period_format(period, out);
    return copy(it, (alm_str){out, len});
}

static char *date_text(const alm_reconciliation *it, alm_date date)
{
    char out[ALM_PERIOD_TEXT_MAX];
    size_t len = alm_date_format(date, out);
    return copy(it, (alm_str){out, len});
}

static alm_str source_code(const alm_reconciliation *it, uint32_t source)
{
    return source == ALM_SOURCE_NONE ? (alm_str){0}
                                     : alm_catalog_source(it->plan->catalog, source)->code;
}

static alm_str place_code(const alm_reconciliation *it, alm_place_id place)
{
    return place == ALM_PLACE_NONE ? (alm_str){0} : alm_place_tree_get(it->plan->tree, place)->code;
}

// NULL: out of memory.
static Almanac__V1__FindingFigure *make_figure(const alm_reconciliation *it, const alm_value *value,
                                               alm_interval interval)
{
    Almanac__V1__FindingFigure *figure = alm_arena_alloc(it->arena, sizeof *figure);
    Almanac__V1__Decimal *number = alm_arena_alloc(it->arena, sizeof *number);
    if (figure == NULL || number == NULL) {
        return NULL;
    }
    almanac__v1__finding_figure__init(figure);
    almanac__v1__decimal__init(number);
    number->mantissa = value->number.mantissa;
    number->exponent = value->number.exponent;
    figure->number = number;
    figure->unit = unit_text(it, value->unit);
    figure->qualifier = value->qualifier;
    figure->has_number = value->has_number;
    figure->lower = interval.lower;
    figure->upper = interval.upper;
    return figure->unit == NULL ? NULL : figure;
}

// *ret stays unset where there is no figure.
static alm_code put_figure(const alm_reconciliation *it, const alm_figure *figure,
                           const alm_telling *how, Almanac__V1__FindingFigure **ret, alm_status *st)
{
    alm_value value;
    if (!alm_figure_value(figure, how, &value)) {
        return ALM_OK;
    }
    *ret = make_figure(it, &value, figure->interval);
    return *ret == NULL ? alm_reconcile_no_memory(st) : ALM_OK;
}

static alm_code put_claim(const alm_reconciliation *it, const alm_finding *finding,
                          Almanac__V1__Finding *message, alm_status *st)
{
    const alm_obs *claim = finding->claim;
    const alm_variant_entry *entry = alm_reconcile_entry(it, claim);
    message->indicator = copy(it, entry->variant.indicator);
    message->place = copy(it, place_code(it, claim->place));
    message->period = period_text(it, claim->period);
    message->measure = copy(it, alm_str_from(alm_measure_code(entry->variant.measure)));
    message->accumulation =
        copy(it, alm_str_from(alm_accumulation_code(entry->variant.accumulation)));
    message->breakdown = copy(it, entry->breakdown);
    message->relation = copy(it, entry->relation);
    message->source = copy(it, source_code(it, claim->source));
    message->published = date_text(it, claim->published);
    message->claimed = make_figure(it, &claim->value, alm_value_interval(&claim->value));
    const void *const made[] = {message->indicator,    message->place,     message->period,
                                message->measure,      message->relation,  message->breakdown,
                                message->accumulation, message->published, message->source,
                                message->claimed};
    for (size_t i = 0; i < ALM_ARRAY_LEN(made); i++) {
        if (made[i] == NULL) {
            return alm_reconcile_no_memory(st);
        }
    }
    return ALM_OK;
}

static alm_code put_implied(const alm_reconciliation *it, const alm_finding *finding,
                            Almanac__V1__Finding *message, alm_status *st)
{
    const alm_judgement *judged = &finding->judged;
    const alm_indicator *indicator = finding->implied_of.indicator;
    if (judged->implied == ALM_IMPLIED_NONE) {
        return ALM_OK;
    }
    message->implied = (Almanac__V1__Implied)judged->implied;
    ALM_TRY(put_figure(it, &judged->figure, &finding->implied_told, &message->figure, st));
    message->implied_indicator = copy(it, indicator == NULL ? (alm_str){0} : indicator->code);
    message->implied_place = copy(it, place_code(it, finding->implied_of.place));
    message->implied_period = period_text(it, finding->implied_of.period);
    message->implied_measure = copy(it, alm_str_from(alm_measure_code(finding->own_measure)));
    bool is_good = message->implied_indicator != NULL && message->implied_place != NULL &&
                   message->implied_period != NULL && message->implied_measure != NULL;
    return is_good ? ALM_OK : alm_reconcile_no_memory(st);
}

static alm_code put_why(const alm_reconciliation *it, const alm_finding *finding,
                        Almanac__V1__Finding *message, alm_status *st)
{
    const char *zh = alm_finding_why(it, finding, ALM_LANG_ZH);
    const char *en = alm_finding_why(it, finding, ALM_LANG_EN);
    if (zh == NULL || en == NULL) {
        return alm_reconcile_no_memory(st);
    }
    message->why_zh = copy(it, alm_str_from(zh));
    message->why_en = copy(it, alm_str_from(en));
    return message->why_zh == NULL || message->why_en == NULL ? alm_reconcile_no_memory(st)
                                                              : ALM_OK;
}

alm_code alm_finding_message(const alm_reconciliation *it, const alm_finding *finding,
                             Almanac__V1__Finding **ret, alm_status *st)
{
    Almanac__V1__Finding *message = alm_arena_alloc(it->arena, sizeof *message);
    if (message == NULL) {
        return alm_reconcile_no_memory(st);
    }
    almanac__v1__finding__init(message);
    message->check = finding->check;
    message->verdict = (Almanac__V1__Verdict)finding->judged.verdict;
    message->tolerance = finding->judged.tolerance;
    ALM_TRY(put_claim(it, finding, message, st));
    ALM_TRY(put_figure(it, &finding->judged.computed, &finding->told, &message->computed, st));
    ALM_TRY(put_implied(it, finding, message, st));
    ALM_TRY(put_why(it, finding, message, st));
    *ret = message;
    return ALM_OK;
}
