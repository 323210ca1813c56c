// What is wrong with one item of a question whose others are answered.
#ifndef ALM_ITEM_ERROR_H
#define ALM_ITEM_ERROR_H

#include "alm/arena.h"
#include "alm/status.h"
#include "almanac/v1/gateway.pb-c.h"

// In the arena, with copies. ALM_RESOURCE_EXHAUSTED: no memory.
ALM_MUST_USE alm_code alm_item_error_make(alm_arena *arena, alm_str item, const alm_status *why,
                                          Almanac__V1__ItemError **ret, alm_status *st);

#endif
