// For tests: totals made by adding up the rows that another reader answers, one by one.
#ifndef ALM_AGGREGATION_TEST_TOTALS_H
#define ALM_AGGREGATION_TEST_TOTALS_H

#include "alm/alloc.h"
#include "row_reader.h"

typedef struct row_totals {
    const alm_total_groups *groups;
    alm_totals_visit visit;
    void *arg;
    char variant[ALM_SERIES_KEY_BYTES_MAX]; // of the slice at hand; "": none
    alm_period period;
    alm_total *totals;
    alm_place_range *missing; // room for one a place
    uint8_t *has;             // a byte a place: it has a number
} row_totals;

static inline bool totals_has_member(const row_totals *it, alm_place_id place, alm_date day)
{
    for (size_t i = 0; i < it->groups->span_count; i++) {
        const alm_member_span *span = &it->groups->spans[i];
        if (span->place == place && (day < span->from || day > span->to)) {
            return false;
        }
    }
    return true;
}

static inline alm_code totals_flush(row_totals *it, alm_status *st)
{
    const alm_total_groups *groups = it->groups;
    alm_slice_totals slice = {.variant = alm_str_from(it->variant),
                              .period = it->period,
                              .totals = it->totals,
                              .missing = it->missing};
    for (size_t i = 0; i < groups->range_count && it->variant[0] != '\0'; i++) {
        for (alm_place_id p = groups->ranges[i].from; p < groups->ranges[i].to; p++) {
            if (!it->has[p] && totals_has_member(it, p, alm_period_last_day(it->period))) {
                it->missing[slice.missing_count++] = (alm_place_range){p, p + 1};
            }
            it->has[p] = 0;
        }
    }
    alm_code code = it->variant[0] == '\0' ? ALM_OK : it->visit(it->arg, &slice, st);
    memset(it->totals, 0, groups->group_count * sizeof *it->totals);
    it->variant[0] = '\0';
    return code;
}

static inline alm_code totals_take(void *arg, const alm_str *variants, size_t variant_count,
                                   const alm_obs_columns *rows, alm_status *st)
{
    row_totals *it = arg;
    (void)variant_count;
    for (size_t i = 0; i < rows->count; i++) {
        const alm_obs taken = alm_obs_at(rows, i);
        const alm_obs *row = &taken;
        alm_str variant = variants[row->variant];
        if (!alm_str_eq(variant, alm_str_from(it->variant)) ||
            !alm_period_eq(row->period, it->period)) {
            ALM_TRY(totals_flush(it, st));
            memcpy(it->variant, variant.data, variant.len);
            it->variant[variant.len] = '\0';
            it->period = row->period;
        }
        size_t r = 0;
        while (it->groups->ranges[r].to <= row->place) {
            r++;
        }
        if (totals_has_member(it, row->place, alm_period_last_day(row->period))) {
            it->has[row->place] =
                alm_total_add(&it->totals[it->groups->ranges[r].group], &row->value,
                              it->groups->unit, (alm_told){row->source, row->published});
        }
    }
    return ALM_OK;
}

// What an alm_row_reader's totals are, of one that has rows.
static inline alm_code totals_of_rows(const alm_row_reader *rows, const alm_fetch *fetch,
                                      const alm_total_groups *groups, alm_totals_visit visit,
                                      void *arg, const alm_read_beside *beside, alm_status *st)
{
    alm_fetch members = *fetch;
    size_t places = groups->range_count > 0 ? groups->ranges[groups->range_count - 1].to : 0;
    alm_place_id *ids = alm_calloc(places + 1, sizeof *ids);
    row_totals it = {.groups = groups, .visit = visit, .arg = arg};
    it.totals = alm_calloc(groups->group_count + 1, sizeof *it.totals);
    it.missing = alm_calloc(places + 1, sizeof *it.missing);
    it.has = alm_calloc(places + 1, 1);
    members.places = ids;
    bool has_room = ids != NULL && it.totals != NULL && it.missing != NULL && it.has != NULL;
    for (size_t i = 0; i < groups->range_count && has_room; i++) {
        for (alm_place_id p = groups->ranges[i].from; p < groups->ranges[i].to; p++) {
            ids[members.place_count++] = p;
        }
    }
    alm_code code = has_room ? rows->read(rows->self, &members, totals_take, &it, st)
                             : alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for totals");
    code = code == ALM_OK ? totals_flush(&it, st) : code;
    if (code == ALM_OK && beside != NULL) {
        code = rows->read(rows->self, &beside->fetch, beside->visit, beside->arg, st);
    }
    alm_free(it.has);
    alm_free(it.missing);
    alm_free(it.totals);
    alm_free(ids);
    return code;
}

#endif
