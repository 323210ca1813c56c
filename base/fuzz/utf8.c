// UTF-8 over any bytes: the length of the valid front is what decoding one by one comes to, and
// no read passes the end.
#include "alm/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_str text = {.data = (const char *)data, .len = size};
    size_t valid = alm_utf8_valid_len(text);
    ALM_ASSERT(valid <= size);
    size_t at = 0;
    uint32_t point;
    for (size_t len; (len = alm_utf8_decode(alm_str_slice(text, at, size), &point)) > 0;) {
        ALM_ASSERT(point <= 0x10ffff && (point < 0xd800 || point > 0xdfff));
        at += len;
    }
    ALM_ASSERT(at == valid);

    alm_str trimmed = alm_str_trim(alm_str_slice(text, 0, valid));
    ALM_ASSERT(alm_utf8_valid_len(trimmed) == trimmed.len);
    return 0;
}
