// Any text: what parses as a period is valid and its label, its packed form and its days agree.
#include "alm/period.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_period(alm_period p)
{
    char label[ALM_PERIOD_TEXT_MAX];
    alm_period back;
    ALM_ASSERT(alm_period_valid(p));
    size_t len = alm_period_format(p, label);
    ALM_ASSERT(alm_period_parse((alm_str){label, len}, &back, NULL) == ALM_OK);
    ALM_ASSERT(alm_period_eq(back, p));
    bool unpacked = alm_period_unpack(alm_period_pack(p), &back);
    ALM_ASSERT(unpacked);
    ALM_ASSERT(alm_period_eq(back, p));
    ALM_ASSERT(alm_period_first_day(p) <= alm_period_last_day(p));
    ALM_ASSERT(alm_period_contains(p, alm_period_unit(p, p.length - 1)));
    if (alm_period_expand(p, ALM_FREQ_DAY, &back, NULL) == ALM_OK) {
        ALM_ASSERT(alm_period_first_day(back) == alm_period_first_day(p));
        ALM_ASSERT(alm_period_last_day(back) == alm_period_last_day(p));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_str text = {(const char *)data, size};
    alm_status st = ALM_STATUS_INIT;
    alm_period p;
    alm_code code = alm_period_parse(text, &p, &st);
    ALM_ASSERT(st.code == code);
    ALM_ASSERT(code == ALM_OK || code == ALM_INVALID_ARGUMENT || code == ALM_OUT_OF_RANGE);
    if (code == ALM_OK) {
        check_period(p);
    }
    alm_date date;
    if (alm_date_parse(text, &date, NULL) == ALM_OK) {
        ALM_ASSERT(code == ALM_OK);
        ALM_ASSERT(alm_period_first_day(p) == date);
    }
    uint64_t packed = 0;
    for (size_t i = 0; i < size && i < sizeof packed; i++) {
        packed |= (uint64_t)data[i] << (8 * i);
    }
    if (alm_period_unpack(packed, &p)) {
        ALM_ASSERT(alm_period_pack(p) == packed);
        check_period(p);
    }
    return 0;
}
