// Any text: what parses as a unit is valid, its code reads back to it and its labels to its size.
#include "alm/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_label(alm_unit u, alm_lang lang)
{
    char label[ALM_UNIT_TEXT_MAX];
    alm_unit back;
    alm_decimal one = {.mantissa = 1};
    alm_decimal got;
    size_t len = alm_unit_label(u, lang, label);
    if (len == 0) {
        return;
    }
    ALM_ASSERT(alm_unit_parse((alm_str){label, len}, &back, NULL) == ALM_OK);
    ALM_ASSERT(alm_unit_convert(one, u, back, &got, NULL) == ALM_OK);
    ALM_ASSERT(alm_decimal_cmp(got, one) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_status st = ALM_STATUS_INIT;
    alm_unit u;
    alm_code code = alm_unit_parse((alm_str){(const char *)data, size}, &u, &st);
    ALM_ASSERT(st.code == code);
    if (code != ALM_OK) {
        ALM_ASSERT(code == ALM_NOT_FOUND);
        ALM_ASSERT(st.message[0] != '\0');
        return 0;
    }
    ALM_ASSERT(alm_unit_valid(u));
    char text[ALM_UNIT_TEXT_MAX];
    alm_unit back;
    size_t len = alm_unit_code(u, text);
    ALM_ASSERT(alm_unit_parse((alm_str){text, len}, &back, NULL) == ALM_OK);
    ALM_ASSERT(alm_unit_eq(back, u));
    check_label(u, ALM_LANG_ZH);
    check_label(u, ALM_LANG_EN);
    return 0;
}
