// Goal: a file's encoding is found as promised, every cell becomes UTF-8 or says why not, and what
// is shown of a cell is always UTF-8. Method: rows of bytes; every two-byte character of GB18030
// against iconv over the whole; random bytes.
#include "text.h"

#include "test_random.h"

#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define GB_GDP   "\xB5\xD8\xC7\xF8\xC9\xFA\xB2\xFA\xD7\xDC\xD6\xB5" // 地区生产总值
#define GB_PLACE "\xB3\xA4\xC4\xFE\xC7\xF8"                         // 长宁区
#define BOM      "\xEF\xBB\xBF"

// --- finding ------------------------------------------------------------------------------------

typedef struct find_case {
    const char *name, *header, *records;
    text_encoding told;
    alm_code want_code;
    text_encoding want;
    const char *want_header; // after the mark is taken
} find_case;

static const find_case find_cases[] = {
    {"ASCII decides nothing", "a,b", "1,2\n", TEXT_UNDECIDED, ALM_OK, TEXT_UNDECIDED, "a,b"},
    {"a mark decides", BOM "a,b", GB_GDP "\n", TEXT_UNDECIDED, ALM_OK, TEXT_UTF8, "a,b"},
    {"GB18030 has a mark too",
     "\x84\x31\x95\x33"
     "a",
     "", TEXT_UNDECIDED, ALM_OK, TEXT_GB18030, "a"},
    {"a header in UTF-8 decides", "指标", GB_GDP "," GB_PLACE "\n", TEXT_UNDECIDED, ALM_OK,
     TEXT_UTF8, "指标"},
    {"a header in GB18030", GB_GDP, "1\n", TEXT_UNDECIDED, ALM_OK, TEXT_GB18030, GB_GDP},
    {"cells in UTF-8", "a,b", "长宁区,地区生产总值\n", TEXT_UNDECIDED, ALM_OK, TEXT_UTF8, "a,b"},
    {"cells in GB18030", "a,b", "1,2\n" GB_PLACE "," GB_GDP "\n", TEXT_UNDECIDED, ALM_OK,
     TEXT_GB18030, "a,b"},
    {"the majority wins: UTF-8", "a,b",
     "长宁区,指标\n"
     "\xFF,x\n" GB_PLACE ",1\n",
     TEXT_UNDECIDED, ALM_OK, TEXT_UTF8, "a,b"},
    {"the majority wins: GB18030", "a,b", GB_PLACE "," GB_GDP "\n长宁\n", TEXT_UNDECIDED, ALM_OK,
     TEXT_GB18030, "a,b"},
    {"even: UTF-8", "a", "\xFF\n", TEXT_UNDECIDED, ALM_OK, TEXT_UTF8, "a"},
    {"told is taken", "指标", "1\n", TEXT_GB18030, ALM_OK, TEXT_GB18030, "指标"},
    {"told and marked alike", BOM "a", "", TEXT_UTF8, ALM_OK, TEXT_UTF8, "a"},
    {"told and marked otherwise", BOM "a", "", TEXT_GB18030, ALM_INVALID_ARGUMENT, 0, NULL},
    {"UTF-16, low byte first",
     "\xFF\xFE"
     "a",
     "", TEXT_UNDECIDED, ALM_INVALID_ARGUMENT, 0, NULL},
    {"UTF-16, high byte first", "\xFE\xFF", "", TEXT_UTF8, ALM_INVALID_ARGUMENT, 0, NULL},
};

static void finds_encoding(void **state)
{
    const find_case *row = *state;
    alm_str header = alm_str_from(row->header);
    text_encoding got = TEXT_UNDECIDED;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = text_encoding_find(row->told, &header, alm_str_from(row->records), &got, &st);
    assert_int_equal(code, row->want_code);
    if (code != ALM_OK) {
        assert_string_equal(st.field, "encoding");
        return;
    }
    assert_int_equal(got, row->want);
    assert_true(alm_str_eq(header, alm_str_from(row->want_header)));
}

static void knows_names(void **state)
{
    (void)state;
    text_encoding got;
    assert_int_equal(text_encoding_parse(ALM_STR(""), &got, NULL), ALM_OK);
    assert_int_equal(got, TEXT_UNDECIDED);
    assert_int_equal(text_encoding_parse(ALM_STR("UTF-8"), &got, NULL), ALM_OK);
    assert_int_equal(got, TEXT_UTF8);
    assert_int_equal(text_encoding_parse(ALM_STR("GBK"), &got, NULL), ALM_OK);
    assert_int_equal(got, TEXT_GB18030);
    for (text_encoding e = TEXT_UNDECIDED; e <= TEXT_GB18030; e++) {
        assert_int_equal(text_encoding_parse(alm_str_from(text_encoding_name(e)), &got, NULL),
                         ALM_OK);
        assert_int_equal(got, e);
    }
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(text_encoding_parse(ALM_STR("latin1"), &got, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.message, "encoding 'latin1' is not known; it is utf-8 or gb18030");
}

// --- decoding -----------------------------------------------------------------------------------

typedef struct decode_case {
    const char *name;
    text_encoding encoding;
    const char *raw, *want; // want NULL: refused
    const char *why;
} decode_case;

static const decode_case decode_cases[] = {
    {"ASCII is itself", TEXT_GB18030, "gdp 1", "gdp 1", NULL},
    {"UTF-8 is itself", TEXT_UTF8, "长宁区", "长宁区", NULL},
    {"undecided is read as UTF-8", TEXT_UNDECIDED, "长宁区", "长宁区", NULL},
    {"two bytes", TEXT_GB18030, GB_GDP, "地区生产总值", NULL},
    {"four bytes", TEXT_GB18030, "\x95\x32\x82\x36", "\xF0\xA0\x80\x80", NULL}, // U+20000
    {"mixed", TEXT_GB18030, "a" GB_PLACE "1", "a长宁区1", NULL},
    {"not UTF-8", TEXT_UTF8, "ab\xB3\xA4", NULL, "byte 3 (0xB3) is not UTF-8"},
    {"cut UTF-8", TEXT_UTF8, "\xE9\x95", NULL, "byte 1 (0xE9) is not UTF-8"},
    {"cut GB18030", TEXT_GB18030, "a\xB3", NULL, "byte 2 (0xB3) is not GB18030"},
    {"not GB18030", TEXT_GB18030, GB_PLACE "\xFF", NULL, "byte 7 (0xFF) is not GB18030"},
};

static void decodes(void **state)
{
    const decode_case *row = *state;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    text_decoder decoder;
    text_decoder_init(&decoder, row->encoding, arena);
    alm_str got;
    alm_status st = ALM_STATUS_INIT;
    for (size_t again = 0; again < 2; again++) { // a failure leaves nothing behind
        alm_code code = text_decode(&decoder, alm_str_from(row->raw), &got, &st);
        assert_int_equal(code, row->want != NULL ? ALM_OK : ALM_INVALID_ARGUMENT);
        if (row->want != NULL) {
            assert_true(alm_str_eq(got, alm_str_from(row->want)));
        } else {
            assert_string_equal(st.message, row->why);
        }
    }
    alm_arena_destroy(&arena);
}

// Every character of the Basic Multilingual Plane through iconv and back through the decoder.
static void decodes_every_character(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(0);
    iconv_t to_gb = iconv_open("GB18030", "UTF-32LE");
    iconv_t to_utf8 = iconv_open("UTF-8", "UTF-32LE");
    text_decoder decoder;
    assert_non_null(arena);
    assert_true(to_gb != (iconv_t)-1 && to_utf8 != (iconv_t)-1);
    text_decoder_init(&decoder, TEXT_GB18030, arena);
    size_t count = 0;
    for (uint32_t c = 0x80; c < 0xFFFE; c++) {
        if (c >= 0xD800 && c < 0xE000) {
            continue;
        }
        char gb[8], utf8[8];
        char *in = (char *)&c, *out = gb;
        size_t in_left = sizeof c, out_left = sizeof gb;
        if (iconv(to_gb, &in, &in_left, &out, &out_left) == (size_t)-1) {
            continue;
        }
        alm_str raw = {gb, sizeof gb - out_left};
        in = (char *)&c;
        out = utf8;
        in_left = sizeof c;
        out_left = sizeof utf8;
        assert_true(iconv(to_utf8, &in, &in_left, &out, &out_left) != (size_t)-1);
        alm_str got;
        assert_int_equal(text_decode(&decoder, raw, &got, NULL), ALM_OK);
        assert_int_equal(got.len, sizeof utf8 - out_left);
        assert_memory_equal(got.data, utf8, got.len);
        count++;
    }
    assert_true(count > 60000);
    iconv_close(to_gb);
    iconv_close(to_utf8);
    alm_arena_destroy(&arena);
}

// --- showing ------------------------------------------------------------------------------------

typedef struct show_case {
    const char *name, *raw, *want;
} show_case;

static const show_case show_cases[] = {
    {"nothing", "", ""},
    {"plain", "长宁区 1", "长宁区 1"},
    {"wrong bytes", "a\xB5\xC8z", "a\\xb5\\xc8z"},
    {"control characters", "a\tb\n\x7F", "a\\x09b\\x0a\\x7f"},
    {"half a character", "\xE9\x95", "\\xe9\\x95"},
};

static void shows(void **state)
{
    const show_case *row = *state;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    alm_str got = text_show(alm_str_from(row->raw), arena);
    assert_true(alm_str_eq(got, alm_str_from(row->want)));
    alm_arena_destroy(&arena);
}

static void cuts_what_it_shows(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    char text[TEXT_SHOWN_BYTES_MAX + 1];
    memset(text, 'x', sizeof text);
    assert_int_equal(text_show((alm_str){text, TEXT_SHOWN_BYTES_MAX}, arena).len,
                     TEXT_SHOWN_BYTES_MAX);
    alm_str cut = text_show((alm_str){text, TEXT_SHOWN_BYTES_MAX + 1}, arena);
    assert_int_equal(cut.len, TEXT_SHOWN_BYTES_MAX + 3);
    assert_true(alm_str_ends_with(cut, ALM_STR("x...")));
    memcpy(text + TEXT_SHOWN_BYTES_MAX - 2, "长", 3); // does not fit, and is not torn
    cut = text_show((alm_str){text, sizeof text}, arena);
    assert_int_equal(cut.len, TEXT_SHOWN_BYTES_MAX - 2 + 3);
    alm_arena_destroy(&arena);
}

static void shows_and_decodes_any_bytes(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (size_t round = 0; round < 20000; round++) {
        char bytes[300];
        size_t len = random_below(&seed, sizeof bytes);
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (char)(random_next(&seed) >> (round % 3 == 0 ? 57 : 56));
        }
        alm_arena *arena = alm_arena_create(0);
        assert_non_null(arena);
        alm_str raw = {bytes, len};
        alm_str shown = text_show(raw, arena);
        assert_true(shown.len <= TEXT_SHOWN_BYTES_MAX + 3);
        assert_int_equal(alm_utf8_valid_len(shown), shown.len);
        text_decoder decoder;
        text_decoder_init(&decoder, TEXT_GB18030, arena);
        alm_str got;
        if (text_decode(&decoder, raw, &got, NULL) == ALM_OK) {
            assert_int_equal(alm_utf8_valid_len(got), got.len);
        }
        alm_arena_destroy(&arena);
    }
}

// A row is the test's name and its state.
#define ADD_ROWS(rows, fn)                                                                         \
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {                                             \
        void *row = (void *)(uintptr_t) & (rows)[i];                                               \
        tests[count++] =                                                                           \
            (struct CMUnitTest){.name = (rows)[i].name, .test_func = (fn), .initial_state = row};  \
    }

int main(void)
{
    struct CMUnitTest tests[64];
    size_t count = 0;
    ADD_ROWS(find_cases, finds_encoding)
    ADD_ROWS(decode_cases, decodes)
    ADD_ROWS(show_cases, shows)
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(knows_names);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(decodes_every_character);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(cuts_what_it_shows);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(shows_and_decodes_any_bytes);
    return _cmocka_run_group_tests("text", tests, count, NULL, NULL);
}
