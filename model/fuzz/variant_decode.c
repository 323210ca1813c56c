// Whatever decodes as a series key or a variant is written back as the very same bytes.
#include "alm/series.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_str text = {(const char *)data, size};
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL);
    alm_status st = ALM_STATUS_INIT;
    alm_variant variant;
    alm_str place;
    alm_str back;
    if (alm_variant_decode(text, &variant, &st) == ALM_OK) {
        ALM_ASSERT(alm_variant_encode(&variant, arena, &back, &st) == ALM_OK);
        ALM_ASSERT(alm_str_eq(text, back));
    }
    if (alm_series_key_decode(text, &place, &variant, &st) == ALM_OK) {
        ALM_ASSERT(alm_series_key_encode(place, &variant, arena, &back, &st) == ALM_OK);
        ALM_ASSERT(alm_str_eq(text, back));
    }
    alm_arena_destroy(&arena);
    return 0;
}
