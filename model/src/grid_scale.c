#include "grid_scale.h"

bool alm_factor_power(double factor, int *ret)
{
    *ret = 0;
    for (double at = 1; *ret <= ALM_FACTOR_POWER_MAX; at *= 10, (*ret)++) {
        if (factor == at) {
            return true;
        }
        if (factor == 1 / at) {
            *ret = -*ret;
            return true;
        }
    }
    return false;
}

static __int128 power_of_ten(int power)
{
    __int128 it = 1;
    while (power-- > 0) {
        it *= 10;
    }
    return it;
}

alm_cell alm_cell_scaled(const alm_grid *grid, size_t i, double by, bool is_exact, int exponent)
{
    alm_cell it = alm_cell_at(grid, i);
    int power;
    bool is_power = alm_factor_power(by, &power);
    it.number *= by;
    it.lower *= by;
    it.upper *= by;
    if (is_exact && alm_cell_has(&it)) {
        it.mantissa *= power_of_ten(grid->exponent + power - exponent);
    } else {
        it.flags &= (uint8_t)~ALM_CELL_EXACT;
    }
    int digits = is_power ? it.digits + power : (int)floor(it.digits + log10(fabs(by)));
    it.digits = (int8_t)ALM_MAX(digits, ALM_DECIMAL_EXPONENT_MIN);
    return it;
}

alm_code alm_grid_scale(const alm_grid *in, double by, alm_arena *arena, alm_grid *ret,
                        alm_status *st)
{
    int power;
    bool is_exact = in->kind != ALM_GRID_DOUBLES && alm_factor_power(by, &power) &&
                    in->exponent + power >= ALM_DECIMAL_EXPONENT_MIN &&
                    in->exponent + power <= ALM_DECIMAL_EXPONENT_MAX;
    int exponent = is_exact ? in->exponent + power : 0;
    ALM_TRY(alm_grid_make(in->axis, in->series_count, is_exact ? in->kind : ALM_GRID_DOUBLES,
                          (int8_t)exponent, arena, ret, st));
    for (size_t i = 0; i < alm_grid_cells(in); i++) {
        alm_cell it = alm_cell_scaled(in, i, by, is_exact, exponent);
        it.flags |= ALM_CELL_COMPUTED;
        alm_cell_put(ret, i, &it);
    }
    return ALM_OK;
}
