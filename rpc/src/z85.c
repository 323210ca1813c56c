#include "z85.h"

#define BASE 85u

static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              ".-:+=^!/*?&<>()[]{}@%$#";
_Static_assert(sizeof letters == BASE + 1, "Z85 has 85 letters");

void alm_z85_encode(const uint8_t *data, size_t len, char *ret)
{
    ALM_ASSERT(len % 4 == 0);
    for (size_t at = 0; at < len; at += 4) {
        uint32_t value = (uint32_t)data[at] << 24 | (uint32_t)data[at + 1] << 16 |
                         (uint32_t)data[at + 2] << 8 | data[at + 3];
        for (size_t i = 5; i-- > 0;) {
            ret[i] = letters[value % BASE];
            value /= BASE;
        }
        ret += 5;
    }
    *ret = '\0';
}

static uint32_t value_of(char c)
{
    const char *at = c != '\0' ? strchr(letters, c) : NULL;
    return at != NULL ? (uint32_t)(at - letters) : BASE;
}

bool alm_z85_decode(alm_str text, uint8_t *ret, size_t len)
{
    ALM_ASSERT(len % 4 == 0);
    if (text.len != len / 4 * 5) {
        return false;
    }
    for (size_t at = 0; at < len; at += 4) {
        uint64_t value = 0;
        for (size_t i = 0; i < 5; i++) {
            uint32_t digit = value_of(text.data[at / 4 * 5 + i]);
            if (digit == BASE) {
                return false;
            }
            value = value * BASE + digit;
        }
        if (value > UINT32_MAX) {
            return false;
        }
        for (size_t i = 0; i < 4; i++) {
            ret[at + i] = (uint8_t)(value >> (24 - 8 * i));
        }
    }
    return true;
}
