// Text views: each operation against rows of input and expected output, and the random ones
// against a slow obvious twin.
#include "alm/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static alm_str str(const char *text)
{
    return alm_str_from(text);
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void compares_by_bytes_with_a_prefix_first(void **state)
{
    (void)state;
    static const char *const ordered[] = {"",      "A",  "AB",   "B",        "a",
                                          "a\x01", "ab", "\x7f", "\xc3\xa9", "\xe4\xb8\xad"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(ordered); i++) {
        for (size_t j = 0; j < ALM_ARRAY_LEN(ordered); j++) {
            int want = (i > j) - (i < j);
            assert_int_equal(sign(alm_str_cmp(str(ordered[i]), str(ordered[j]))), want);
            assert_int_equal(alm_str_eq(str(ordered[i]), str(ordered[j])), want == 0);
        }
    }
}

static void folds_ascii_case_only(void **state)
{
    (void)state;
    assert_true(alm_str_eq_nocase(ALM_STR("Content-Type"), ALM_STR("cONTENT-tYPE")));
    assert_true(alm_str_eq_nocase(str(NULL), ALM_STR("")));
    assert_false(alm_str_eq_nocase(ALM_STR("a"), ALM_STR("ab")));
    assert_false(alm_str_eq_nocase(ALM_STR("[@"), ALM_STR("{`"))); // 32 apart, not letters
    assert_false(alm_str_eq_nocase(ALM_STR("\xc3\x89"), ALM_STR("\xc3\xa9")));
}

static void knows_its_ends(void **state)
{
    (void)state;
    assert_true(alm_str_starts_with(ALM_STR("310105"), ALM_STR("31")));
    assert_true(alm_str_starts_with(ALM_STR("31"), ALM_STR("")));
    assert_true(alm_str_starts_with(str(NULL), str(NULL)));
    assert_false(alm_str_starts_with(ALM_STR("31"), ALM_STR("310")));
    assert_true(alm_str_ends_with(ALM_STR("2023-Q3"), ALM_STR("Q3")));
    assert_false(alm_str_ends_with(ALM_STR("3"), ALM_STR("Q3")));
    assert_false(alm_str_ends_with(ALM_STR("2023-Q3"), ALM_STR("Q4")));
}

typedef struct trim_row {
    const char *name, *input, *want;
} trim_row;

static const trim_row trim_rows[] = {
    {"trim: nothing to do", "a b", "a b"},
    {"trim: empty", "", ""},
    {"trim: only space", " \t\r\n\v\f", ""},
    {"trim: both ends", "\n a b\t ", "a b"},
    {"trim: ideographic space", "\xe3\x80\x80\xe4\xb8\xad\xe3\x80\x80 \xe3\x80\x80",
     "\xe4\xb8\xad"},
    {"trim: no-break space", "\xc2\xa0x\xc2\xa0", "x"},
    {"trim: keeps a code point that ends like a space", "\xe4\x80\x80", "\xe4\x80\x80"},
    {"trim: keeps a code point that begins like a space", "\xe3\x80\x81", "\xe3\x80\x81"},
    {"trim: keeps space inside",
     "a\xe3\x80\x80"
     "b",
     "a\xe3\x80\x80"
     "b"},
};

static void trims(void **state)
{
    const trim_row *row = *state;
    alm_str got = alm_str_trim(str(row->input));
    assert_int_equal(got.len, strlen(row->want));
    assert_memory_equal(got.data, row->want, got.len);
}

static void finds(void **state)
{
    (void)state;
    assert_int_equal(alm_str_find(ALM_STR("abcabc"), ALM_STR("ca")), 2);
    assert_int_equal(alm_str_find(ALM_STR("abc"), ALM_STR("")), 0);
    assert_int_equal(alm_str_find(str(NULL), ALM_STR("")), 0);
    assert_true(alm_str_find(str(NULL), ALM_STR("a")) == SIZE_MAX);
    assert_true(alm_str_find(ALM_STR("ab"), ALM_STR("abc")) == SIZE_MAX);
    assert_int_equal(alm_str_find(ALM_STR("a\0b"), ALM_STR("\0b")), 1);
    assert_int_equal(alm_str_find_char(ALM_STR("a,b,c"), ','), 1);
    assert_true(alm_str_find_char(str(NULL), ',') == SIZE_MAX);
    assert_true(alm_str_find_char(alm_str_slice(ALM_STR("a,b"), 0, 1), ',') == SIZE_MAX);
}

typedef struct split_row {
    const char *name, *input;
    size_t count;
    const char *parts[5];
} split_row;

static const split_row split_rows[] = {
    {"split: empty gives one empty part", "", 1, {""}},
    {"split: one part", "abc", 1, {"abc"}},
    {"split: three parts", "a,b,c", 3, {"a", "b", "c"}},
    {"split: empty ends", ",a,", 3, {"", "a", ""}},
    {"split: only separators", ",,", 3, {"", "", ""}},
    {"split: last is empty", "a,", 2, {"a", ""}},
};

static void splits(void **state)
{
    const split_row *row = *state;
    alm_str rest = str(row->input);
    alm_str part;
    for (size_t i = 0; i < row->count; i++) {
        assert_true(alm_str_split(&rest, ',', &part));
        assert_true(alm_str_eq(part, str(row->parts[i])));
    }
    assert_false(alm_str_split(&rest, ',', &part));
    assert_false(alm_str_split(&rest, ',', &part));
    assert_int_equal(rest.len, 0);
}

static void splits_a_null_whole_once(void **state)
{
    (void)state;
    alm_str rest = str(NULL);
    alm_str part;
    assert_true(alm_str_split(&rest, ',', &part));
    assert_int_equal(part.len, 0);
    assert_false(alm_str_split(&rest, ',', &part));
}

typedef struct number_row {
    const char *name, *input;
    bool ok;
    int64_t want;
} number_row;

static const number_row number_rows[] = {
    {"number: zero", "0", true, 0},
    {"number: minus zero", "-0", true, 0},
    {"number: plus sign", "+42", true, 42},
    {"number: leading zeros", "-0007", true, -7},
    {"number: greatest", "9223372036854775807", true, INT64_MAX},
    {"number: least", "-9223372036854775808", true, INT64_MIN},
    {"number: one too great", "9223372036854775808", false, 0},
    {"number: one too small", "-9223372036854775809", false, 0},
    {"number: far too great", "99999999999999999999999", false, 0},
    {"number: empty", "", false, 0},
    {"number: sign alone", "-", false, 0},
    {"number: two signs", "+-1", false, 0},
    {"number: space in front", " 1", false, 0},
    {"number: space behind", "1 ", false, 0},
    {"number: hexadecimal", "0x10", false, 0},
    {"number: fraction", "1.0", false, 0},
    {"number: full-width digit", "\xef\xbc\x91", false, 0},
};

static void reads_numbers(void **state)
{
    const number_row *row = *state;
    int64_t got = -123;
    assert_int_equal(alm_str_to_i64(str(row->input), &got), row->ok);
    assert_true(got == (row->ok ? row->want : -123)); // untouched on failure
}

#define ROWS(rows, test)                                                                           \
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {                                             \
        tests[count++] = (struct CMUnitTest){.name = rows[i].name,                                 \
                                             .test_func = test,                                    \
                                             .initial_state = (void *)(uintptr_t)&rows[i]};        \
    }

int main(void)
{
    struct CMUnitTest tests[128] = {
        cmocka_unit_test(compares_by_bytes_with_a_prefix_first),
        cmocka_unit_test(folds_ascii_case_only),
        cmocka_unit_test(knows_its_ends),
        cmocka_unit_test(finds),
        cmocka_unit_test(splits_a_null_whole_once),
    };
    size_t count = 5;
    ROWS(trim_rows, trims)
    ROWS(split_rows, splits)
    ROWS(number_rows, reads_numbers)
    return _cmocka_run_group_tests("str", tests, count, NULL, NULL);
}
