// Any text: what parses as a decimal is valid, and what it prints reads back to the same value.
#include "alm/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_status st = ALM_STATUS_INIT;
    alm_decimal d;
    alm_code code = alm_decimal_parse((alm_str){(const char *)data, size}, &d, &st);
    ALM_ASSERT(st.code == code);
    if (code != ALM_OK) {
        ALM_ASSERT(code == ALM_INVALID_ARGUMENT || code == ALM_OUT_OF_RANGE);
        return 0;
    }
    ALM_ASSERT(alm_decimal_valid(d));
    char text[ALM_DECIMAL_TEXT_MAX];
    size_t len = alm_decimal_format(d, 0, text);
    alm_decimal back;
    ALM_ASSERT(alm_decimal_parse((alm_str){text, len}, &back, &st) == ALM_OK);
    ALM_ASSERT(alm_decimal_cmp(d, back) == 0);
    ALM_ASSERT(d.exponent > 0 || (back.mantissa == d.mantissa && back.exponent == d.exponent));
    ALM_ASSERT(alm_decimal_cmp(alm_decimal_normalize(d), d) == 0);
    alm_decimal_format(d, ',', text);
    return 0;
}
