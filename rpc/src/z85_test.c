// Z85 against the vector of RFC 32, and what is no Z85.
#include "z85.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void says_what_the_rfc_says(void **state)
{
    (void)state;
    const uint8_t data[] = {0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B};
    char text[11];
    uint8_t back[sizeof data];
    alm_z85_encode(data, sizeof data, text);
    assert_string_equal(text, "HelloWorld");
    assert_true(alm_z85_decode(ALM_STR("HelloWorld"), back, sizeof back));
    assert_memory_equal(back, data, sizeof data);
}

static void keeps_the_ends_of_the_range(void **state)
{
    (void)state;
    const uint8_t data[] = {0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF};
    char text[11];
    uint8_t back[sizeof data];
    alm_z85_encode(data, sizeof data, text);
    assert_string_equal(text, "00000%nSc0");
    assert_true(alm_z85_decode(alm_str_from(text), back, sizeof back));
    assert_memory_equal(back, data, sizeof data);
}

static void refuses_what_is_none(void **state)
{
    (void)state;
    uint8_t back[4];
    const char *const texts[] = {"",       "0000",  "000000", "0000 ",
                                 "0000\"", "0000,", "%nSc1",  "#####"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(texts); i++) {
        if (alm_z85_decode(alm_str_from(texts[i]), back, sizeof back)) {
            fail_msg("'%s' was taken", texts[i]);
        }
    }
    assert_false(alm_z85_decode(ALM_STR("0000\0"), back, sizeof back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_the_rfc_says),
        cmocka_unit_test(keeps_the_ends_of_the_range),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests_name("z85", tests, NULL, NULL);
}
