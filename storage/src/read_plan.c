#include "read_plan.h"

#include <stdlib.h>

static bool wants_measure(const alm_read *read, alm_measure measure)
{
    return read->measures == 0 || (read->measures >> measure & 1) != 0;
}

// The last part of the canonical text; codes hold no dots.
static alm_str breakdown_part(alm_str text)
{
    size_t at = text.len;
    while (at > 0 && text.data[at - 1] != '.') {
        at--;
    }
    return alm_str_slice(text, at, text.len);
}

static bool wants_breakdown(const alm_read *read, alm_str text)
{
    if (alm_str_eq(read->breakdown, ALM_STR("*"))) {
        return true;
    }
    alm_str wanted = read->breakdown.len == 0 ? ALM_STR("_T") : read->breakdown;
    return alm_str_eq(breakdown_part(text), wanted);
}

// Are there periods of this frequency among those asked for?
static bool wants_freq(const alm_read *read, alm_freq freq)
{
    if (read->freq != ALM_FREQ_NONE && read->freq != freq) {
        return false;
    }
    if (read->period_count == 0) {
        return read->all_periods || read->last > 0;
    }
    for (size_t i = 0; i < read->period_count; i++) {
        bool is_from = read->from[i].freq == ALM_FREQ_NONE || read->from[i].freq == freq;
        bool is_to = read->to[i].freq == ALM_FREQ_NONE || read->to[i].freq == freq;
        if (is_from && is_to) {
            return true;
        }
    }
    return false;
}

alm_code alm_read_wants_variant(const alm_read *read, alm_str text, bool *ret, alm_status *st)
{
    alm_variant variant;
    if (alm_variant_decode(text, &variant, NULL) != ALM_OK) {
        return alm_status_set(st, ALM_DATA_LOSS, "a stored variant is damaged: %.*s",
                              ALM_STR_ARGS(text));
    }
    *ret = wants_measure(read, variant.measure) && wants_freq(read, variant.freq) &&
           (read->accumulation == ALM_ACCUMULATION_NONE ||
            read->accumulation == variant.accumulation) &&
           wants_breakdown(read, text);
    return ALM_OK;
}

// --- periods -------------------------------------------------------------------------------------

static bool in_range(alm_period from, alm_period to, alm_period period)
{
    if (from.freq != ALM_FREQ_NONE && (period.freq != from.freq || period.length != from.length ||
                                       period.ordinal < from.ordinal)) {
        return false;
    }
    return to.freq == ALM_FREQ_NONE ||
           (period.freq == to.freq && period.length == to.length && period.ordinal <= to.ordinal);
}

bool alm_read_wants_period(const alm_read *read, alm_period period)
{
    if (read->period_count == 0) {
        return read->all_periods || read->last > 0;
    }
    for (size_t i = 0; i < read->period_count; i++) {
        if (in_range(read->from[i], read->to[i], period)) {
            return true;
        }
    }
    return false;
}

uint64_t alm_read_next_period(const alm_read *read, uint64_t packed)
{
    if (read->period_count == 0) {
        return read->all_periods || read->last > 0 ? packed : UINT64_MAX;
    }
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < read->period_count; i++) {
        bool is_open_low = read->from[i].freq == ALM_FREQ_NONE;
        bool is_open_high = read->to[i].freq == ALM_FREQ_NONE;
        uint64_t low = is_open_low ? 0 : alm_period_pack(read->from[i]);
        uint64_t high = is_open_high ? UINT64_MAX : alm_period_pack(read->to[i]);
        if (packed <= high) {
            next = ALM_MIN(next, ALM_MAX(packed, low));
        }
    }
    return next;
}

// --- places --------------------------------------------------------------------------------------

static size_t first_place(const alm_read *read, alm_place_id place)
{
    size_t low = 0;
    size_t high = read->place_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (read->places[middle] < place) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

alm_place_id alm_read_next_place(const alm_read *read, alm_place_id place)
{
    if (read->all_places) {
        return place;
    }
    size_t at = first_place(read, place);
    return at < read->place_count ? read->places[at] : ALM_PLACE_NONE;
}

size_t alm_read_place_index(const alm_read *read, alm_place_id place)
{
    if (read->all_places) {
        return place;
    }
    size_t at = first_place(read, place);
    return at < read->place_count && read->places[at] == place ? at : SIZE_MAX;
}

// --- state ---------------------------------------------------------------------------------------

static int source_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static alm_date as_of(const alm_read *read, uint64_t last_day)
{
    bool is_newest = read->as_of == ALM_DATE_MAX && read->today != 0;
    bool has_later = read->today < 0 || last_day > (uint64_t)read->today;
    return is_newest && has_later ? read->today : read->as_of;
}

alm_code alm_read_filter(const alm_read *read, uint64_t newest, uint64_t last_day, alm_arena *arena,
                         alm_vintage_filter *ret, alm_status *st)
{
    if (read->at_sequence > newest) {
        return alm_status_set_field(
            st, ALM_OUT_OF_RANGE, "at_sequence", "there is no commit %llu yet; the newest is %llu",
            (unsigned long long)read->at_sequence, (unsigned long long)newest);
    }
    uint32_t *sources = alm_arena_calloc(arena, read->source_count, sizeof *sources);
    if (sources == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "the read is too large for its memory");
    }
    if (read->source_count > 0) {
        memcpy(sources, read->sources, read->source_count * sizeof *sources);
        qsort(sources, read->source_count, sizeof *sources, source_cmp);
    }
    *ret = (alm_vintage_filter){.as_of = as_of(read, last_day),
                                .at_sequence = read->at_sequence != 0 ? read->at_sequence : newest,
                                .sources = sources,
                                .source_count = read->source_count};
    return ALM_OK;
}
