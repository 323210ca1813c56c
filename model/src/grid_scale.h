// Cells times a factor; decimals stay decimals where it is a power of ten.
#ifndef ALM_GRID_SCALE_H
#define ALM_GRID_SCALE_H

#include "grid_cell.h"

#define ALM_FACTOR_POWER_MAX 18

// The power of ten a factor is. False: it is none.
bool alm_factor_power(double factor, int *ret);

// The cell times a factor (> 0). is_exact: the factor is a power of ten, and its mantissa, of a
// decimal, is brought to the exponent; else it is a double.
alm_cell alm_cell_scaled(const alm_grid *grid, size_t i, double by, bool is_exact, int exponent);

#endif
