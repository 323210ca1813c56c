// What places have, as bytes: every set comes back, in few bytes where it is regular, and damaged
// bytes give a status.
#include "presence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static alm_presence a_presence(void)
{
    alm_presence p;
    memset(&p, 0, sizeof p);
    p.cells = 1;
    p.first = 5;
    p.last = 9;
    return p;
}

// Encodes, decodes and compares; returns the bytes it took.
static size_t check(const alm_presence *p)
{
    alm_buf buf;
    alm_presence got;
    alm_buf_init(&buf, 0);
    alm_presence_encode(p, &buf);
    assert_int_equal(alm_presence_decode(alm_buf_view(&buf), &got, NULL), ALM_OK);
    assert_memory_equal(&got, p, sizeof got);
    for (size_t cut = 0; cut < ALM_MIN(buf.len, (size_t)64); cut++) { // bits end where they end
        alm_str bytes = {.data = (const char *)buf.data, .len = cut};
        (void)!alm_presence_decode(bytes, &got, NULL);
    }
    size_t len = buf.len;
    alm_buf_deinit(&buf);
    return len;
}

static void nothing_takes_nothing(void **state)
{
    (void)state;
    alm_presence p;
    memset(&p, 0, sizeof p);
    assert_int_equal(check(&p), 2);
}

static void every_set_comes_back(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 400; round++) {
        alm_presence p = a_presence();
        int density = 1 << round % 12;
        int run = 1 + rand() % (round % 3 == 0 ? 300 : 2);
        bool is_in = false;
        for (int i = 0; i < ALM_PLACE_SET_COUNT; i++) {
            is_in = i % run == 0 ? rand() % density == 0 : is_in;
            if (is_in) {
                alm_place_set_add(&p.places, (alm_place_id)i);
            }
        }
        assert_true(check(&p) <= 3 + 16 + ALM_PLACE_SET_COUNT / 8 + 1);
    }
}

static void regular_sets_take_few_bytes(void **state)
{
    (void)state;
    alm_presence p = a_presence();
    memset(p.places.words, 0xff, sizeof p.places.words);
    assert_true(check(&p) < 32);
    p.places.words[100] = 0;
    assert_true(check(&p) < 32);
    p = a_presence();
    for (alm_place_id i = 0; i < 16; i++) {
        alm_place_set_add(&p.places, i * 1000 + 383);
    }
    assert_true(check(&p) < 60);
    assert_int_equal(alm_place_set_count(&p.places), 16);
}

static void damaged_bytes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\x02\x00",                                                         // another version
        "\x01\x00\x01",                                                     // too long
        "\x01\x01\x05\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x01\x00",             // last before first
        "\x01\x01\x05\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x07\x00",             // no such form
        "\x01\x01\x05\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x01\x01\x80\x80\x01", // behind the chunk
        "\x01\x01\x05\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x02\x01\x00\x00",     // an empty run
        "\x01\x01\x05\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x02\x01\x01\x80\x80\x01"};
    static const size_t lens[] = {0, 2, 3, 20, 20, 23, 22, 24};
    for (size_t i = 0; i < ALM_ARRAY_LEN(bad); i++) {
        alm_presence got;
        alm_str bytes = {.data = bad[i], .len = lens[i]};
        assert_int_equal(alm_presence_decode(bytes, &got, NULL), ALM_DATA_LOSS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_takes_nothing),
        cmocka_unit_test(every_set_comes_back),
        cmocka_unit_test(regular_sets_take_few_bytes),
        cmocka_unit_test(damaged_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
