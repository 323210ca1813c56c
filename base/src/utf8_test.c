// UTF-8: every code point and every sequence of up to three bytes against a decoder that is slow
// and takes RFC 3629 at its word; longer texts at random.
#include "alm/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

// Encodes point the short way; how many bytes, 0 for what is no scalar value.
static size_t encode(uint32_t point, uint8_t out[4])
{
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
        return 0;
    }
    size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t marks[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1;) {
        out[i] = 0x80 | (point & 0x3f);
        point >>= 6;
    }
    out[0] = (uint8_t)(marks[len] | point);
    return len;
}

// The obvious decoder: reads the payload bits without any check, and accepts what encodes back to
// the same bytes.
static size_t slow_decode(const uint8_t *s, size_t len, uint32_t *ret)
{
    for (size_t want = 1; want <= 4 && want <= len; want++) {
        static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        uint32_t point = s[0] & masks[want];
        for (size_t i = 1; i < want; i++) {
            point = point << 6 | (s[i] & 0x3f);
        }
        uint8_t back[4];
        if (encode(point, back) == want && memcmp(back, s, want) == 0) {
            *ret = point;
            return want;
        }
    }
    return 0;
}

static alm_str view(const uint8_t *bytes, size_t len)
{
    return (alm_str){.data = (const char *)bytes, .len = len};
}

static void round_trips_every_code_point(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        uint8_t bytes[4];
        size_t len = encode(point, bytes);
        if (len == 0) {
            continue;
        }
        uint32_t got = UINT32_MAX;
        if (alm_utf8_decode(view(bytes, len), &got) != len || got != point ||
            alm_utf8_valid_len(view(bytes, len)) != len ||
            alm_utf8_decode(view(bytes, len - 1), &got) != 0) {
            fail_msg("code point U+%04x", (unsigned)point);
        }
    }
}

static void agrees_on_every_short_sequence(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 1u << 24; n++) {
        const uint8_t bytes[] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
        uint32_t want_point = 0;
        uint32_t point = 0;
        size_t want = slow_decode(bytes, 3, &want_point);
        if (alm_utf8_decode(view(bytes, 3), &point) != want || point != want_point) {
            fail_msg("bytes %02x %02x %02x", bytes[0], bytes[1], bytes[2]);
        }
    }
}

static void agrees_on_the_edges_of_four_bytes(void **state)
{
    (void)state;
    static const uint8_t tails[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    size_t count = ALM_ARRAY_LEN(tails);
    for (unsigned lead = 0xe0; lead <= 0xff; lead++) {
        for (size_t n = 0; n < count * count * count; n++) {
            const uint8_t bytes[] = {(uint8_t)lead, tails[n % count], tails[n / count % count],
                                     tails[n / count / count]};
            uint32_t want_point = 0;
            uint32_t point = 0;
            size_t want = slow_decode(bytes, 4, &want_point);
            assert_int_equal(alm_utf8_decode(view(bytes, 4), &point), want);
            assert_int_equal(point, want_point);
        }
    }
}

static size_t slow_valid_len(const uint8_t *s, size_t len)
{
    size_t at = 0;
    uint32_t point;
    for (size_t n; at < len && (n = slow_decode(s + at, len - at, &point)) > 0;) {
        at += n;
    }
    return at;
}

// Texts of mixed code points, now and then with one bit flipped.
static void finds_the_first_bad_byte(void **state)
{
    (void)state;
    const unsigned seed = 20261124;
    unsigned random = seed;
    for (int round = 0; round < 50000; round++) {
        uint8_t text[64];
        size_t len = 0;
        while (len < sizeof text - 4) {
            static const uint32_t tops[] = {0x7f, 0x7f, 0x7f, 0x7ff, 0xffff, 0x10ffff};
            uint32_t top = tops[rand_r(&random) % ALM_ARRAY_LEN(tops)];
            len += encode((uint32_t)rand_r(&random) % (top + 1), text + len);
        }
        if (round % 2 == 1) {
            text[(size_t)rand_r(&random) % len] ^= (uint8_t)(1u << rand_r(&random) % 8);
        }
        size_t from = (size_t)rand_r(&random) % 9;
        size_t to = len - (size_t)rand_r(&random) % 9;
        size_t want = slow_valid_len(text + from, to - from);
        if (alm_utf8_valid_len(view(text + from, to - from)) != want) {
            fail_msg("seed %u, round %d", seed, round);
        }
    }
}

static void takes_the_empty_text(void **state)
{
    (void)state;
    uint32_t point = 7;
    assert_int_equal(alm_utf8_valid_len(alm_str_from(NULL)), 0);
    assert_int_equal(alm_utf8_decode(alm_str_from(NULL), &point), 0);
    assert_int_equal(point, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_every_code_point),
        cmocka_unit_test(agrees_on_every_short_sequence),
        cmocka_unit_test(agrees_on_the_edges_of_four_bytes),
        cmocka_unit_test(finds_the_first_bad_byte),
        cmocka_unit_test(takes_the_empty_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
