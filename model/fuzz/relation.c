// A relation that parses makes a variant that reads back, and its canonical text is its input, but
// for the blanks around it and the two ways to write none.
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
    if (alm_relation_parse(text, &variant.relation, &st) != ALM_OK) {
        ALM_ASSERT(st.message[0] != '\0');
        return 0;
    }
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL);
    alm_str encoded;
    alm_variant back;
    ALM_ASSERT(alm_variant_encode(&variant, arena, &encoded, &st) == ALM_OK);
    ALM_ASSERT(alm_variant_decode(encoded, &back, &st) == ALM_OK);
    ALM_ASSERT(alm_variant_eq(&variant, &back));

    size_t prefix = strlen("A.i.P.level.");
    alm_str canonical = alm_str_slice(encoded, prefix, encoded.len - strlen("._T"));
    alm_str trimmed = alm_str_trim(text);
    ALM_ASSERT(alm_str_eq(canonical, trimmed.len > 0 ? trimmed : ALM_STR("_Z")));
    alm_arena_destroy(&arena);
    return 0;
}
