#include "base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(const uint8_t *in, size_t count, uint8_t *out)
{
    uint32_t bits = (uint32_t)in[0] << 16;
    bits |= count > 1 ? (uint32_t)in[1] << 8 : 0;
    bits |= count > 2 ? in[2] : 0;
    out[0] = (uint8_t)digits[bits >> 18];
    out[1] = (uint8_t)digits[bits >> 12 & 63];
    out[2] = (uint8_t)(count > 1 ? digits[bits >> 6 & 63] : '=');
    out[3] = (uint8_t)(count > 2 ? digits[bits & 63] : '=');
}

void alm_base64_encode(alm_bytes bytes, alm_buf *out)
{
    size_t len = bytes.len / 3 * 4 + (bytes.len % 3 != 0 ? 4 : 0);
    uint8_t *to = alm_buf_reserve(out, len);
    if (to == NULL) {
        return;
    }
    for (size_t i = 0; i < bytes.len; i += 3) {
        encode_group(bytes.data + i, ALM_MIN(bytes.len - i, (size_t)3), to + i / 3 * 4);
    }
    out->len += len;
}

size_t alm_base64_decoded_max(size_t len)
{
    return len / 4 * 3 + 3;
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+' || c == '-') {
        return 62;
    }
    return c == '/' || c == '_' ? 63 : -1;
}

// Without its padding, if that makes the length whole.
static alm_str unpadded(alm_str text)
{
    for (int i = 0; i < 2 && text.len > 0 && text.len % 4 == (i == 0 ? 0u : 3u) &&
                    text.data[text.len - 1] == '=';
         i++) {
        text.len--;
    }
    return text;
}

bool alm_base64_decode(alm_str text, uint8_t *out, size_t *ret_len)
{
    text = unpadded(text);
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = digit_value(text.data[i]);
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[len++] = (uint8_t)(bits >> bit_count);
            bits &= (1u << bit_count) - 1;
        }
    }
    *ret_len = len;
    return text.len % 4 != 1 && bits == 0;
}
