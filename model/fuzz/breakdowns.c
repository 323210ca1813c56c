// Breakdowns that parse come out sorted, each dimension once, and make a variant that reads back.
#include "alm/series.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_str text = {(const char *)data, size};
    alm_status st = ALM_STATUS_INIT;
    alm_variant variant = {.freq = ALM_FREQ_ANNUAL,
                           .indicator = ALM_STR("i"),
                           .accumulation = ALM_ACCUMULATION_PERIOD,
                           .measure = ALM_MEASURE_LEVEL};
    if (alm_breakdowns_parse(text, variant.breakdowns, &variant.breakdown_count, &st) != ALM_OK) {
        ALM_ASSERT(st.message[0] != '\0');
        return 0;
    }
    ALM_ASSERT(variant.breakdown_count <= ALM_BREAKDOWN_COUNT_MAX);
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL);
    alm_str encoded;
    alm_code code = alm_variant_encode(&variant, arena, &encoded, &st);
    ALM_ASSERT(code == ALM_OK || code == ALM_OUT_OF_RANGE);
    if (code == ALM_OK) {
        // The canonical text of the pairs is itself good input, and means the same.
        alm_variant back = variant;
        alm_str canonical = alm_str_slice(encoded, strlen("A.i.P.level._Z."), encoded.len);
        ALM_ASSERT(alm_breakdowns_parse(canonical, back.breakdowns, &back.breakdown_count, &st) ==
                   ALM_OK);
        ALM_ASSERT(alm_variant_eq(&variant, &back));
        ALM_ASSERT(alm_variant_decode(encoded, &back, &st) == ALM_OK);
        ALM_ASSERT(alm_variant_eq(&variant, &back));
    }
    alm_arena_destroy(&arena);
    return 0;
}
