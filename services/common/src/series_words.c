#include "alm/series_words.h"

#include <string.h>

static alm_code unknown(const char *field, const char *value, const char *expected, alm_status *st)
{
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field, "unknown %s \"%s\"; expected %s",
                                field, value, expected);
}

static alm_code take_breakdown(const char *text, alm_arena *arena, alm_str *ret, alm_status *st)
{
    if (strcmp(text, "*") == 0) {
        *ret = ALM_STR("*");
        return ALM_OK;
    }
    alm_breakdown parts[ALM_BREAKDOWN_COUNT_MAX];
    size_t count = 0;
    alm_code code = alm_breakdowns_parse(alm_str_from(text), parts, &count, st);
    ALM_TRY(alm_status_in_field(code, "breakdown", st));
    char *canonical = alm_arena_strdup(arena, ALM_STR(""));
    for (size_t i = 0; i < count && canonical != NULL; i++) {
        canonical =
            alm_arena_printf(arena, "%s%s%.*s=%.*s", canonical, i > 0 ? "+" : "",
                             ALM_STR_ARGS(parts[i].dimension), ALM_STR_ARGS(parts[i].member));
    }
    if (canonical == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a breakdown");
    }
    *ret = alm_str_from(canonical);
    return ALM_OK;
}

alm_code alm_series_words_parse(const char *measure, const char *breakdown,
                                const char *accumulation, const char *frequency, alm_arena *arena,
                                alm_series_words *ret, alm_status *st)
{
    *ret = (alm_series_words){.measure = ALM_MEASURE_NONE};
    if (strcmp(measure, "*") != 0 && !alm_measure_parse(alm_str_from(measure), &ret->measure)) {
        return unknown("measure", measure, "a measure such as level or growth_yoy, or *", st);
    }
    ALM_TRY(take_breakdown(breakdown, arena, &ret->breakdown, st));
    if (accumulation[0] != '\0' &&
        !alm_accumulation_parse(alm_str_from(accumulation), &ret->accumulation)) {
        return unknown("accumulation", accumulation, "P or C", st);
    }
    if (frequency[0] != '\0' &&
        (frequency[1] != '\0' || !alm_freq_from_letter(frequency[0], &ret->freq))) {
        return unknown("frequency", frequency, "one of A, S, T, Q, M, W, D", st);
    }
    return ALM_OK;
}
