// CSV and JSON: quoting, formulas, exact numbers; JSON is read back by jansson.
#include "cli_csv.h"
#include "cli_json.h"

#include "capture.h"

#include "alm/assert.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct csv_row {
    const char *name, *text, *want;
} csv_row;

static const csv_row csv_rows[] = {
    {"csv: plain", "gdp", "gdp"},
    {"csv: empty", "", ""},
    {"csv: comma", "a,b", "\"a,b\""},
    {"csv: quote", "5\" pipe", "\"5\"\" pipe\""},
    {"csv: line end", "a\nb", "\"a\nb\""},
    {"csv: formula", "=1+1", "\"'=1+1\""},
    {"csv: plus", "+1", "\"'+1\""},
    {"csv: minus", "-1", "\"'-1\""},
    {"csv: at", "@sum(a1)", "\"'@sum(a1)\""},
    {"csv: tab", "\tx", "\"'\tx\""},
    {"csv: formula with a quote", "=\"a\"", "\"'=\"\"a\"\"\""},
    {"csv: a minus inside is no formula", "a-b", "a-b"},
};

static void writes_text(void **state)
{
    const csv_row *row = *state;
    capture out;
    capture_open(&out);
    cli_csv csv = {.out = out.stream};
    cli_csv_text(&csv, row->text);
    const char *got = capture_close(&out);
    assert_string_equal(got, row->want);
    capture_free(&out);
}

static void writes_records(void **state)
{
    (void)state;
    capture out;
    capture_open(&out);
    cli_csv csv = {.out = out.stream};
    cli_csv_raw(&csv, "-12.50"); // a number of ours is no formula
    cli_csv_double(&csv, 0.1);
    cli_csv_double(&csv, (double)INFINITY);
    cli_csv_u64(&csv, UINT64_MAX);
    cli_csv_end(&csv);
    cli_csv_text(&csv, "next");
    cli_csv_end(&csv);
    const char *got = capture_close(&out);
    assert_string_equal(got, "-12.50,0.1,,18446744073709551615\nnext\n");
    capture_free(&out);
}

static void doubles_read_back(void **state)
{
    (void)state;
    const double values[] = {0.0,     0.1,   1.0 / 3.0, 2e11,
                             168.525, -7.25, 1e-300,    123456789012345680.0};
    for (size_t i = 0; i < ALM_ARRAY_LEN(values); i++) {
        char text[CLI_DOUBLE_TEXT_MAX];
        cli_double_text(values[i], text);
        assert_true(strtod(text, NULL) == values[i]);
    }
}

static void writes_json(void **state)
{
    (void)state;
    capture out;
    capture_open(&out);
    cli_json json = {.out = out.stream};
    static const uint8_t raw[] = {'c', 'a', 'f', 0xe9, '\n'};
    cli_json_object(&json, NULL);
    cli_json_text(&json, "quote \" and \\", "line\nend \x01 亿元");
    cli_json_bytes(&json, "raw", raw, sizeof raw);
    cli_json_array(&json, "numbers");
    cli_json_number(&json, NULL, "168.530");
    cli_json_double(&json, NULL, (double)INFINITY);
    cli_json_u64(&json, NULL, 7);
    cli_json_bool(&json, NULL, true);
    cli_json_null(&json, NULL);
    cli_json_end_array(&json);
    cli_json_object(&json, "empty");
    cli_json_end_object(&json);
    cli_json_end_object(&json);
    cli_json_line(&json);
    cli_json_array(&json, NULL); // the next line
    cli_json_end_array(&json);
    const char *got = capture_close(&out);

    const char *line_end = strchr(got, '\n');
    assert_non_null(line_end);
    assert_string_equal(line_end, "\n[]");
    assert_non_null(strstr(got, "[168.530,null,7,true,null]")); // the digits as they were given
    json_error_t error;
    json_t *root = json_loadb(got, (size_t)(line_end - got), 0, &error);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "quote \" and \\")),
                        "line\nend \x01 亿元");
    assert_string_equal(json_string_value(json_object_get(root, "raw")), "caf\xef\xbf\xbd\n");
    json_decref(root);
    capture_free(&out);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(csv_rows) + 3];
    size_t count = 0;
    for (; count < ALM_ARRAY_LEN(csv_rows); count++) {
        tests[count] = (struct CMUnitTest){.name = csv_rows[count].name,
                                           .test_func = writes_text,
                                           .initial_state = (void *)(uintptr_t)&csv_rows[count]};
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(writes_records);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(doubles_read_back);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(writes_json);
    return _cmocka_run_group_tests("cli_csv", tests, count, NULL, NULL);
}
