#include "item_error.h"

alm_code alm_item_error_make(alm_arena *arena, alm_str item, const alm_status *why,
                             Almanac__V1__ItemError **ret, alm_status *st)
{
    Almanac__V1__ItemError *error = alm_arena_alloc(arena, sizeof *error);
    char *name = alm_arena_strdup(arena, item);
    char *message = alm_arena_strdup(arena, alm_str_from(why->message));
    if (error == NULL || name == NULL || message == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for the answer");
    }
    almanac__v1__item_error__init(error);
    error->item = name;
    error->code = why->code;
    error->message = message;
    *ret = error;
    return ALM_OK;
}
