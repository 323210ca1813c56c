#include "series_query.h"

// The last part of the text; codes hold no dots.
static alm_str breakdowns_of(alm_str text)
{
    size_t at = text.len;
    while (at > 0 && text.data[at - 1] != '.') {
        at--;
    }
    return alm_str_slice(text, at, text.len);
}

alm_code alm_variant_parts_of(alm_str text, alm_variant_parts *ret, alm_status *st)
{
    alm_variant variant;
    if (alm_variant_decode(text, &variant, NULL) != ALM_OK) {
        return alm_status_set(st, ALM_DATA_LOSS, "a stored variant is damaged: %.*s",
                              ALM_STR_ARGS(text));
    }
    *ret = (alm_variant_parts){.text = text,
                               .indicator = variant.indicator,
                               .breakdowns = breakdowns_of(text),
                               .freq = variant.freq,
                               .accumulation = variant.accumulation,
                               .measure = variant.measure};
    return ALM_OK;
}

// "industry=*": is the dimension among them?
static bool has_dimension(alm_str breakdowns, alm_str dimension)
{
    size_t from = 0;
    while (from < breakdowns.len) {
        alm_str rest = alm_str_slice(breakdowns, from, breakdowns.len);
        if (alm_str_starts_with(rest, dimension)) {
            return true;
        }
        while (from < breakdowns.len && breakdowns.data[from] != '+') {
            from++;
        }
        from++;
    }
    return false;
}

static bool wants_breakdown(alm_str wanted, alm_str breakdowns)
{
    if (wanted.len == 0) {
        return alm_str_eq(breakdowns, ALM_STR("_T"));
    }
    if (alm_str_eq(wanted, ALM_STR("*"))) {
        return true;
    }
    if (alm_str_ends_with(wanted, ALM_STR("=*"))) {
        return has_dimension(breakdowns, alm_str_slice(wanted, 0, wanted.len - 1));
    }
    return alm_str_eq(wanted, breakdowns);
}

bool alm_series_query_wants(const alm_series_query *query, const alm_variant_parts *parts)
{
    return (query->measures == 0 || (query->measures >> parts->measure & 1) != 0) &&
           (query->freq == ALM_FREQ_NONE || query->freq == parts->freq) &&
           (query->accumulation == ALM_ACCUMULATION_NONE ||
            query->accumulation == parts->accumulation) &&
           wants_breakdown(query->breakdown, parts->breakdowns);
}

bool alm_series_query_wants_indicator(const alm_series_query *query, alm_str code)
{
    size_t i = 0;
    while (i < query->indicator_count && !alm_str_eq(query->indicators[i], code)) {
        i++;
    }
    return query->indicator_count == 0 || i < query->indicator_count;
}
