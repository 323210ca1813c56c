#include "read_cutoffs.h"

bool alm_cutoffs_counts(const alm_read *read, const alm_obs *winner)
{
    return read->without_value || !alm_obs_status_missing(winner->value.status);
}

alm_code alm_cutoffs_init(const alm_read *read, uint64_t place_count, alm_arena *arena,
                          alm_cutoffs *ret, alm_status *st)
{
    size_t count = read->all_places ? place_count : read->place_count;
    *ret = (alm_cutoffs){.read = read,
                         .found = alm_arena_calloc(arena, count, sizeof *ret->found),
                         .from = alm_arena_calloc(arena, count, sizeof *ret->from),
                         .count = count};
    return ret->found != NULL && ret->from != NULL
               ? ALM_OK
               : alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "the read is too large for its memory");
}

void alm_cutoffs_begin(alm_cutoffs *cut)
{
    if (cut->count > 0) {
        memset(cut->found, 0, cut->count * sizeof *cut->found);
    }
    cut->remaining = cut->count;
    cut->lowest = UINT64_MAX;
}

void alm_cutoffs_count(alm_cutoffs *cut, const alm_obs *winner)
{
    size_t i = alm_read_place_index(cut->read, winner->place);
    if (alm_cutoffs_counts(cut->read, winner) && i < cut->count &&
        cut->found[i] < cut->read->last) {
        cut->found[i]++;
        cut->from[i] = alm_period_pack(winner->period);
        cut->lowest = ALM_MIN(cut->lowest, cut->from[i]);
        cut->remaining -= cut->found[i] == cut->read->last;
    }
}

bool alm_cutoffs_admit(const alm_cutoffs *cut, const alm_obs *winner)
{
    size_t i = alm_read_place_index(cut->read, winner->place);
    return alm_cutoffs_counts(cut->read, winner) && i < cut->count && cut->found[i] > 0 &&
           alm_period_pack(winner->period) >= cut->from[i];
}
