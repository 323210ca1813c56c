#include "grid_cell.h"

static alm_cell share_of(const alm_cell *part, const alm_cell *whole)
{
    alm_cell it = {.flags = ALM_CELL_COMPUTED};
    alm_cell_inherit(&it, part);
    alm_cell_inherit(&it, whole);
    if (!alm_cell_has(part) || !alm_cell_has(whole)) {
        alm_cell_make_gap(&it, ALM_GAP_INPUT);
        return it;
    }
    if (whole->number <= 0) {
        alm_cell_make_gap(&it, whole->number == 0 ? ALM_GAP_ZERO : ALM_GAP_NEGATIVE);
        return it;
    }
    alm_cell_take_percent(part, whole, &it);
    return it;
}

alm_code alm_grid_share(const alm_grid *parts, const alm_grid *wholes, const uint32_t *whole_of,
                        alm_arena *arena, alm_grid *ret, alm_status *st)
{
    uint32_t periods = parts->axis.count;
    ALM_ASSERT(periods == wholes->axis.count);
    ALM_ASSERT(alm_period_eq(parts->axis.first, wholes->axis.first));
    ALM_TRY(alm_grid_make(parts->axis, parts->series_count, ALM_GRID_DOUBLES, 0, arena, ret, st));
    for (size_t s = 0; s < parts->series_count; s++) {
        for (uint32_t t = 0; t < periods; t++) {
            alm_cell part = alm_cell_at(parts, s * periods + t);
            alm_cell it = {.flags = ALM_CELL_COMPUTED};
            if (whole_of[s] == UINT32_MAX) {
                alm_cell_inherit(&it, &part);
                alm_cell_make_gap(&it, ALM_GAP_WHOLE);
            } else {
                alm_cell whole = alm_cell_at(wholes, (size_t)whole_of[s] * periods + t);
                it = share_of(&part, &whole);
            }
            alm_cell_put(ret, s * periods + t, &it);
        }
    }
    return ALM_OK;
}
