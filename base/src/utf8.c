#include "alm/str.h"

// Length of the well-formed sequence at s, 0 if there is none. Table 3-7 of the Unicode standard:
// the second byte's range depends on the first, and that alone excludes overlong forms,
// surrogates and what lies past U+10FFFF.
static size_t sequence_len(const uint8_t *s, size_t len)
{
    uint8_t lead = s[0];
    if (lead < 0x80) {
        return 1;
    }
    size_t want = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0xc2 || lead > 0xf4 || want > len) {
        return 0;
    }
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < want; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return want;
}

static bool eight_are_ascii(const uint8_t *s)
{
    uint64_t word;
    memcpy(&word, s, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

size_t alm_utf8_valid_len(alm_str s)
{
    const uint8_t *bytes = (const uint8_t *)s.data;
    size_t at = 0;
    while (at < s.len) {
        if (s.len - at >= 8 && eight_are_ascii(bytes + at)) {
            at += 8;
            continue;
        }
        size_t len = sequence_len(bytes + at, s.len - at);
        if (len == 0) {
            break;
        }
        at += len;
    }
    return at;
}

size_t alm_utf8_decode(alm_str s, uint32_t *ret_code_point)
{
    const uint8_t *bytes = (const uint8_t *)s.data;
    size_t len = s.len == 0 ? 0 : sequence_len(bytes, s.len);
    if (len == 0) {
        return 0;
    }
    static const uint8_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code_point = bytes[0] & lead_bits[len];
    for (size_t i = 1; i < len; i++) {
        code_point = code_point << 6 | (bytes[i] & 0x3f);
    }
    *ret_code_point = code_point;
    return len;
}
