// For tests: totals of a store against the same read's rows, added up one by one.
#ifndef ALM_STORAGE_TOTALS_CHECK_H
#define ALM_STORAGE_TOTALS_CHECK_H

#include "alm/alloc.h"
#include "alm/store.h"

#include <stdio.h>

// One slice, as rows make it or as it was told.
typedef struct checked_slice {
    char variant[ALM_SERIES_KEY_BYTES_MAX + 1];
    alm_period period;
    alm_total *totals;
    uint8_t *has; // a byte a place: rows: it has a number; told: it is not missing
} checked_slice;

typedef struct totals_check {
    const alm_total_groups *groups;
    uint32_t place_count;
    checked_slice *slices[2]; // by rows, and as told
    size_t count[2];
    char why[256];             // "": they agree
    void (*meddle)(void *arg); // at the first visit of totals; NULL: nothing
    void *meddle_arg;
} totals_check;

static inline const alm_group_range *check_range(const alm_total_groups *groups, alm_place_id place)
{
    for (size_t i = 0; i < groups->range_count; i++) {
        if (groups->ranges[i].from <= place && place < groups->ranges[i].to) {
            return &groups->ranges[i];
        }
    }
    return NULL;
}

static inline bool check_is_valid(const alm_total_groups *groups, alm_place_id place, alm_date day)
{
    for (size_t i = 0; i < groups->span_count; i++) {
        const alm_member_span *span = &groups->spans[i];
        if (span->place == place) {
            return span->from <= day && day <= span->to;
        }
    }
    return true;
}

// The slice, made if it is not the last one.
static inline checked_slice *check_slice(totals_check *it, int side, alm_str variant,
                                         alm_period period)
{
    checked_slice *last = it->count[side] > 0 ? &it->slices[side][it->count[side] - 1] : NULL;
    if (last != NULL && alm_period_eq(last->period, period) &&
        alm_str_eq(variant, alm_str_from(last->variant))) {
        return last;
    }
    size_t count = it->count[side]++;
    checked_slice *grown = alm_calloc(count + 1, sizeof *grown);
    if (count > 0) {
        memcpy(grown, it->slices[side], count * sizeof *grown);
    }
    alm_free(it->slices[side]);
    it->slices[side] = grown;
    checked_slice *slice = &grown[count];
    (void)snprintf(slice->variant, sizeof slice->variant, "%.*s", ALM_STR_ARGS(variant));
    slice->period = period;
    slice->totals = alm_calloc(it->groups->group_count + 1, sizeof *slice->totals);
    slice->has = alm_calloc(it->place_count + 1, 1);
    return slice;
}

static inline alm_code check_take_rows(void *arg, alm_str variant, const alm_obs_columns *rows,
                                       alm_status *st)
{
    totals_check *it = arg;
    (void)st;
    for (size_t i = 0; i < rows->count; i++) {
        const alm_obs row = alm_obs_at(rows, i);
        const alm_group_range *range = check_range(it->groups, row.place);
        if (range == NULL) {
            continue;
        }
        checked_slice *slice = check_slice(it, 0, variant, row.period);
        if (check_is_valid(it->groups, row.place, alm_period_last_day(row.period))) {
            slice->has[row.place] =
                alm_total_add(&slice->totals[range->group], &row.value, it->groups->unit,
                              (alm_told){row.source, row.published});
        }
    }
    return ALM_OK;
}

static inline alm_code check_take_totals(void *arg, const alm_slice_totals *told, alm_status *st)
{
    totals_check *it = arg;
    (void)st;
    size_t count = it->count[1];
    checked_slice *slice = check_slice(it, 1, told->variant, told->period);
    alm_place_id before = 0;
    memcpy(slice->totals, told->totals, it->groups->group_count * sizeof *told->totals);
    for (alm_place_id place = 0; place < it->place_count; place++) {
        slice->has[place] = check_range(it->groups, place) != NULL &&
                            check_is_valid(it->groups, place, alm_period_last_day(told->period));
    }
    for (size_t i = 0; i < told->missing_count; i++) {
        alm_place_range range = told->missing[i];
        if (range.from >= range.to || range.from < before || (i > 0 && range.from == before)) {
            (void)snprintf(it->why, sizeof it->why, "missing %u..%u", range.from, range.to);
        }
        before = range.to;
        for (alm_place_id place = range.from; place < range.to && place < it->place_count;
             place++) {
            if (!slice->has[place]) {
                (void)snprintf(it->why, sizeof it->why, "%u is missing, and no member", place);
            }
            slice->has[place] = 0;
        }
    }
    if (it->count[1] == count) {
        (void)snprintf(it->why, sizeof it->why, "%.200s twice", slice->variant);
    }
    if (count == 0 && it->meddle != NULL) {
        it->meddle(it->meddle_arg);
    }
    return ALM_OK;
}

static inline bool check_same_total(const alm_total *a, const alm_total *b)
{
    return a->number == b->number && a->below == b->below && a->above == b->above &&
           a->scale == b->scale && a->exponent == b->exponent && a->present == b->present &&
           a->source == b->source && a->published == b->published && a->status == b->status &&
           a->is_inexact == b->is_inexact && a->is_open_below == b->is_open_below &&
           a->is_open_above == b->is_open_above && a->is_not_over == b->is_not_over &&
           a->is_not_under == b->is_not_under && a->is_too_large == b->is_too_large;
}

static inline const checked_slice *check_find(const totals_check *it, const checked_slice *like)
{
    for (size_t i = 0; i < it->count[1]; i++) {
        const checked_slice *slice = &it->slices[1][i];
        if (alm_period_eq(slice->period, like->period) &&
            strcmp(slice->variant, like->variant) == 0) {
            return slice;
        }
    }
    return NULL;
}

static inline void check_slices(totals_check *it)
{
    for (size_t i = 0; i < it->count[0] && it->why[0] == '\0'; i++) {
        const checked_slice *rows = &it->slices[0][i];
        const checked_slice *told = check_find(it, rows);
        if (told == NULL) {
            (void)snprintf(it->why, sizeof it->why, "no totals of %d", rows->period.ordinal);
            continue;
        }
        for (uint32_t g = 0; g < it->groups->group_count; g++) {
            if (!check_same_total(&rows->totals[g], &told->totals[g])) {
                (void)snprintf(it->why, sizeof it->why,
                               "period %d group %u: %u of %lld x 10^%d, by rows %u of %lld x 10^%d",
                               rows->period.ordinal, g, told->totals[g].present,
                               (long long)told->totals[g].number, told->totals[g].scale,
                               rows->totals[g].present, (long long)rows->totals[g].number,
                               rows->totals[g].scale);
            }
        }
        for (uint32_t place = 0; place < it->place_count; place++) {
            if (rows->has[place] != told->has[place]) {
                (void)snprintf(it->why, sizeof it->why, "period %d: place %u is %s",
                               rows->period.ordinal, place,
                               rows->has[place] ? "missing" : "not missing");
            }
        }
    }
    if (it->why[0] == '\0' && it->count[0] != it->count[1]) {
        (void)snprintf(it->why, sizeof it->why, "%zu slices, not %zu", it->count[1], it->count[0]);
    }
}

// Both of the same state. it->why says what differs, or what failed; all else is released.
static inline void check_totals(totals_check *it, alm_store *store, alm_read read)
{
    alm_status st = ALM_STATUS_INIT;
    uint64_t sequence = 0;
    uint64_t again = 0;
    read.all_places = true;
    alm_code code = alm_store_read(store, &read, check_take_rows, it, &sequence, &st);
    if (code == ALM_OK) {
        code = alm_store_totals(store, &read, it->groups, check_take_totals, it, &again, &st);
    }
    if (code != ALM_OK) {
        (void)snprintf(it->why, sizeof it->why, "%s: %.200s", alm_code_name(code), st.message);
    } else if (sequence != again) {
        (void)snprintf(it->why, sizeof it->why, "sequence %llu", (unsigned long long)again);
    } else {
        check_slices(it);
    }
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < it->count[side]; i++) {
            alm_free(it->slices[side][i].totals);
            alm_free(it->slices[side][i].has);
        }
        alm_free(it->slices[side]);
        it->slices[side] = NULL;
        it->count[side] = 0;
    }
}

#endif
