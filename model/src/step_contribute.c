// What a part adds to the growth of its whole.
#include "alm/step.h"
#include "grid_cell.h"

// The other way round: its lower end is its upper one.
static alm_cell negative(const alm_cell *it)
{
    alm_cell ret = {.number = -it->number, .lower = -it->upper, .upper = -it->lower};
    ret.flags = (uint8_t)((it->flags & ALM_CELL_OVER ? ALM_CELL_UNDER : 0) |
                          (it->flags & ALM_CELL_UNDER ? ALM_CELL_OVER : 0));
    return ret;
}

static bool holds_zero(const alm_cell *it)
{
    return it->lower <= 0 && it->upper >= 0;
}

// parts and wholes: now, then.
static alm_cell contribution(const alm_step *step, const alm_cell parts[2],
                             const alm_cell wholes[2])
{
    bool is_points = step->transform.op == ALM_TRANSFORM_CONTRIBUTION_PP;
    bool is_whole = true;
    alm_cell it = {.flags = ALM_CELL_COMPUTED};
    for (size_t i = 0; i < 2; i++) {
        bool counts = !is_points || i == 1; // of the whole now only its change is of interest
        alm_cell_inherit(&it, &parts[i]);
        is_whole &= alm_cell_has(&parts[i]);
        if (counts) {
            alm_cell_inherit(&it, &wholes[i]);
            is_whole &= alm_cell_has(&wholes[i]);
        }
    }
    if (!is_whole) {
        alm_cell_make_gap(&it, ALM_GAP_INPUT);
        return it;
    }
    alm_cell change = {0};
    alm_cell whole = wholes[1];
    alm_cell_subtract(&parts[0], &parts[1], &change);
    if (!is_points) {
        whole = (alm_cell){0};
        alm_cell_subtract(&wholes[0], &wholes[1], &whole);
    }
    if (is_points ? whole.number <= 0 : holds_zero(&whole)) {
        bool is_negative = is_points && whole.number < 0;
        alm_cell_make_gap(&it, is_negative ? ALM_GAP_NEGATIVE : ALM_GAP_ZERO);
        return it;
    }
    if (whole.number < 0) {
        change = negative(&change);
        whole = negative(&whole);
    }
    alm_cell_take_percent(&change, &whole, &it);
    return it;
}

static alm_cell contribution_at(const alm_step *step, const alm_grid *parts, const alm_grid *wholes,
                                size_t series, uint32_t whole, const alm_taps *taps)
{
    size_t part_row = series * parts->axis.count;
    size_t whole_row = (size_t)whole * wholes->axis.count;
    alm_cell none = {.flags = ALM_CELL_COMPUTED};
    if (taps->count == 0 || taps->base_count == 0) {
        alm_cell_make_gap(&none, ALM_GAP_CALENDAR);
        return none;
    }
    const alm_cell part[2] = {alm_cell_at(parts, part_row + taps->first),
                              alm_cell_at(parts, part_row + taps->base)};
    if (whole == UINT32_MAX) {
        alm_cell_inherit(&none, &part[0]);
        alm_cell_inherit(&none, &part[1]);
        alm_cell_make_gap(&none, ALM_GAP_WHOLE);
        return none;
    }
    const alm_cell all[2] = {alm_cell_at(wholes, whole_row + taps->first),
                             alm_cell_at(wholes, whole_row + taps->base)};
    return contribution(step, part, all);
}

alm_code alm_step_contribute(const alm_step *step, const alm_grid *parts, const alm_grid *wholes,
                             const uint32_t *whole_of, alm_axis out, alm_arena *arena,
                             alm_grid *ret, alm_status *st)
{
    ALM_ASSERT(parts->axis.count == wholes->axis.count);
    ALM_ASSERT(alm_period_eq(parts->axis.first, wholes->axis.first));
    alm_taps *taps;
    ALM_TRY(alm_step_taps_of(step, parts->axis, out, arena, &taps, st));
    ALM_TRY(alm_grid_make(out, parts->series_count, ALM_GRID_DOUBLES, 0, arena, ret, st));
    for (size_t s = 0; s < parts->series_count; s++) {
        for (uint32_t t = 0; t < out.count; t++) {
            alm_cell it = contribution_at(step, parts, wholes, s, whole_of[s], &taps[t]);
            alm_cell_put(ret, s * out.count + t, &it);
        }
    }
    return ALM_OK;
}
