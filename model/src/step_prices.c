// Constant prices: the level of the base year, carried on by growth at constant prices from year to
// year, and back by dividing; and what prices did since.
#include "alm/step.h"
#include "grid_cell.h"

// The way from the base to an output, by index into the axis of the inputs.
typedef struct path {
    uint32_t now, base;
    uint32_t stride; // periods a year
    uint32_t links;  // years
    bool is_good;    // the calendar has the base
} path;

static path path_to(const alm_step *step, alm_axis in, alm_period out)
{
    alm_taps taps = alm_step_taps(step, in, out);
    uint32_t stride = (uint32_t)alm_freq_per_year(step->in.freq);
    uint32_t apart = taps.first > taps.base ? taps.first - taps.base : taps.base - taps.first;
    return (path){taps.first, taps.base, stride, apart / stride, taps.base_count == 1};
}

// The growth of link i, from the base on; growth of a year leads from the year before to it.
static uint32_t link_at(const path *way, uint32_t i)
{
    return way->now > way->base ? way->base + (i + 1) * way->stride : way->base - i * way->stride;
}

// Of all links: the product of 1 + growth, what is missing, the worst status.
static alm_cell chain(const alm_grid *growth, size_t row, const path *way)
{
    alm_cell all = {.number = 1, .lower = 1, .upper = 1, .flags = ALM_CELL_BOUNDS};
    for (uint32_t i = 0; i < way->links; i++) {
        alm_cell it = alm_cell_at(growth, row + link_at(way, i));
        alm_gap gap = !alm_cell_has(&it)    ? ALM_GAP_INPUT
                      : it.number <= -100.0 ? ALM_GAP_NEGATIVE
                                            : ALM_GAP_NONE;
        alm_cell_inherit(&all, &it);
        all.gap = all.gap == ALM_GAP_INPUT || gap == ALM_GAP_NONE ? all.gap : gap;
        all.flags &= (uint8_t)(it.flags | ~ALM_CELL_BOUNDS);
        all.number *= 1 + it.number / 100;
        all.lower *= fmax(1 + it.lower / 100, 0);
        all.upper *= 1 + it.upper / 100;
    }
    return all;
}

static alm_cell gap_of(const alm_cell *level, const alm_cell *growth)
{
    alm_cell it = {.flags = ALM_CELL_COMPUTED};
    alm_cell_inherit(&it, level);
    alm_cell_inherit(&it, growth);
    if (!alm_cell_has(level) || growth->gap == ALM_GAP_INPUT) {
        alm_cell_make_gap(&it, ALM_GAP_INPUT);
    } else if (level->number <= 0 || !alm_cell_has(growth)) {
        alm_cell_make_gap(&it, ALM_GAP_NEGATIVE);
    }
    return it;
}

static alm_interval ends_of(const alm_cell *it)
{
    return (alm_interval){it->lower, it->upper};
}

static alm_cell constant(const alm_grid *levels, const alm_grid *growth, size_t row,
                         const path *way)
{
    alm_cell level = alm_cell_at(levels, row + way->base);
    alm_cell by = chain(growth, row, way);
    alm_cell it = gap_of(&level, &by);
    if (!alm_cell_has(&it)) {
        return it;
    }
    it.digits = level.digits;
    if (way->links == 0) {
        it.mantissa = level.mantissa;
        it.flags |= level.flags & ALM_CELL_EXACT;
    }
    bool is_back = way->now < way->base;
    alm_interval ends = is_back ? alm_interval_div(ends_of(&level), ends_of(&by))
                                : alm_interval_mul(ends_of(&level), ends_of(&by));
    it.number = is_back ? level.number / by.number : level.number * by.number;
    it.lower = ends.lower;
    it.upper = ends.upper;
    it.flags |=
        is_back ? alm_cell_bounds_quotient(&level, &by) : level.flags & by.flags & ALM_CELL_BOUNDS;
    return it;
}

static alm_cell deflator(const alm_cell *level, const alm_cell *at_constant, bool is_base)
{
    alm_cell it = {.flags = ALM_CELL_COMPUTED};
    alm_cell_inherit(&it, level);
    alm_cell_inherit(&it, at_constant);
    if (!alm_cell_has(level) || !alm_cell_has(at_constant)) {
        bool is_negative = at_constant->gap == ALM_GAP_NEGATIVE;
        alm_cell_make_gap(&it, is_negative ? ALM_GAP_NEGATIVE : ALM_GAP_INPUT);
        return it;
    }
    alm_cell_take_percent(level, at_constant, &it);
    if (is_base) { // 100 to the last digit
        it.lower = it.upper = it.number = 100;
        it.flags |= ALM_CELL_BOUNDS;
    }
    return it;
}

static alm_cell compute(const alm_step *step, const alm_grid *levels, const alm_grid *growth,
                        size_t row, const path *way)
{
    alm_cell it = {.flags = ALM_CELL_COMPUTED};
    if (!way->is_good) {
        alm_cell_make_gap(&it, ALM_GAP_CALENDAR);
        return it;
    }
    it = constant(levels, growth, row, way);
    if (step->transform.op == ALM_TRANSFORM_CONSTANT) {
        return it;
    }
    alm_cell level = alm_cell_at(levels, row + way->now);
    return deflator(&level, &it, way->links == 0);
}

static void check_axes(const alm_grid *levels, const alm_grid *growth)
{
    ALM_ASSERT(levels->axis.count == growth->axis.count);
    ALM_ASSERT(alm_period_eq(levels->axis.first, growth->axis.first));
}

alm_code alm_step_prices(const alm_step *step, const alm_grid *levels, const alm_grid *growth,
                         alm_axis out, alm_arena *arena, alm_grid *ret, alm_status *st)
{
    bool is_constant = step->transform.op == ALM_TRANSFORM_CONSTANT;
    // The base year keeps its decimals.
    alm_grid_kind kind =
        is_constant && levels->kind != ALM_GRID_DOUBLES ? ALM_GRID_MIXED : ALM_GRID_DOUBLES;
    check_axes(levels, growth);
    ALM_TRY(alm_grid_make(out, levels->series_count, kind, levels->exponent, arena, ret, st));
    for (uint32_t t = 0; t < out.count; t++) {
        path way = path_to(step, levels->axis, alm_axis_at(out, t));
        for (size_t s = 0; s < levels->series_count; s++) {
            alm_cell it = compute(step, levels, growth, s * levels->axis.count, &way);
            alm_cell_put(ret, s * out.count + t, &it);
        }
    }
    return ALM_OK;
}

alm_taps alm_step_prices_links(const alm_step *step, alm_axis in, alm_period out)
{
    path way = path_to(step, in, out);
    ALM_ASSERT(way.is_good);
    return (alm_taps){
        .first = ALM_MIN(way.now, way.base) + way.stride,
        .count = way.links,
        .stride = way.stride,
    };
}

bool alm_step_prices_gap(const alm_step *step, const alm_grid *levels, const alm_grid *growth,
                         size_t series, alm_period out, bool *ret_is_growth, uint32_t *ret_t)
{
    check_axes(levels, growth);
    path way = path_to(step, levels->axis, out);
    size_t row = series * levels->axis.count;
    *ret_is_growth = false;
    *ret_t = way.base;
    if (!way.is_good) {
        return false;
    }
    if (!alm_grid_has(levels, row + way.base)) {
        return true;
    }
    for (uint32_t i = 0; i < way.links; i++) {
        *ret_t = link_at(&way, i);
        *ret_is_growth = true;
        if (!alm_grid_has(growth, row + *ret_t)) {
            return true;
        }
    }
    *ret_is_growth = false;
    *ret_t = way.now;
    return step->transform.op == ALM_TRANSFORM_DEFLATOR && !alm_grid_has(levels, row + way.now);
}
