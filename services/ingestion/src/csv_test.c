// Goal: every text splits into the records a reader of RFC 4180 sees, and a broken record costs
// itself alone. Method: rows by hand, then random texts of the characters that matter against a
// slow reader of one character at a time.
#include "csv.h"

#include "alm/buf.h"
#include "alm/limits.h"

#include "test_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

// "row verdict column raw-length: field|field", a record a line.
static void put_record(alm_buf *out, const csv_record *r)
{
    alm_buf_printf(out, "%llu %d %zu %zu:", (unsigned long long)r->row, (int)r->verdict, r->column,
                   r->raw.len);
    for (size_t i = 0; i < r->field_count; i++) {
        alm_buf_char(out, i > 0 ? '|' : ' ');
        alm_buf_str(out, r->fields[i]);
    }
    alm_buf_char(out, '\n');
}

static void read_all(alm_str data, uint64_t first_row, alm_arena *arena, alm_buf *out)
{
    csv_reader reader;
    csv_record record;
    csv_reader_init(&reader, data, first_row, arena);
    while (csv_next(&reader, &record)) {
        put_record(out, &record);
    }
    assert_false(reader.failed);
}

// --- by hand ------------------------------------------------------------------------------------

typedef struct csv_case {
    const char *name, *text, *want;
} csv_case;

static const csv_case cases[] = {
    {"nothing", "", ""},
    {"one field", "a", "2 0 0 1: a\n"},
    {"a last line without its end", "a,b\nc,d", "2 0 0 3: a|b\n3 0 0 3: c|d\n"},
    {"CRLF", "a,b\r\nc,d\r\n", "2 0 0 3: a|b\n3 0 0 3: c|d\n"},
    {"empty fields", ",,\n", "2 0 0 2: ||\n"},
    {"empty lines are counted, not given", "\n\r\na\n\n", "4 0 0 1: a\n"},
    {"a lone CR is text", "a\rb,c\n", "2 0 0 5: a\rb|c\n"},
    {"quoted", "\"a,b\",c\n", "2 0 0 7: a,b|c\n"},
    {"doubled quotes", "\"a \"\"b\"\"\",\"\"\"\"\n", "2 0 0 14: a \"b\"|\"\n"},
    {"empty quotes", "\"\",x,\"\"", "2 0 0 7: |x|\n"},
    {"line breaks inside quotes", "\"a\nb\",c\nd,e\n", "2 0 0 7: a\nb|c\n3 0 0 3: d|e\n"},
    {"quoted at the end with CRLF", "a,\"b\"\r\nc\r\n", "2 0 0 5: a|b\n3 0 0 1: c\n"},
    {"a stray quote", "a,b\"c,d\ne\n", "2 1 2 7:\n3 0 0 1: e\n"},
    {"text after a quote", "\"a\"b,c\nd\n", "2 2 1 6:\n3 0 0 1: d\n"},
    {"space before a quote", "a, \"b\"\n", "2 1 2 6:\n"},
    {"an unclosed quote", "a,\"b\nc,d\ne", "2 3 2 4:\n3 0 0 3: c|d\n4 0 0 1: e\n"},
    {"an unclosed quote that meets another", "\"a\nb,\"c\nd\n", "2 2 1 2:\n3 3 2 4:\n4 0 0 1: d\n"},
    {"a quote at the very end", "a,\"", "2 3 2 3:\n"},
    {"a CR before a quote's end", "\"a\"\rb\n", "2 2 1 5:\n"},
};

static void splits(void **state)
{
    const csv_case *row = *state;
    alm_arena *arena = alm_arena_create(0);
    alm_buf out;
    assert_non_null(arena);
    alm_buf_init(&out, 0);
    read_all(alm_str_from(row->text), 2, arena, &out);
    alm_buf_char(&out, '\0');
    assert_string_equal((const char *)out.data, row->want);
    alm_buf_deinit(&out);
    alm_arena_destroy(&arena);
}

// --- a slow reader ------------------------------------------------------------------------------

typedef enum slow_state { AT_START, IN_BARE, IN_QUOTES, AFTER_QUOTE } slow_state;

// Reads the record at data[at] into field texts. Returns how many bytes it has, its line end
// included; on failure *ret_verdict is set and the length is that of its first line.
static size_t slow_record(alm_str data, size_t at, alm_buf *fields, csv_verdict *ret_verdict)
{
    slow_state state = AT_START;
    size_t line_len = 0;
    while (at + line_len < data.len && data.data[at + line_len] != '\n') {
        line_len++;
    }
    line_len += at + line_len < data.len ? 1 : 0;
    *ret_verdict = CSV_OK;
    for (size_t i = at; i <= data.len; i++) {
        int c = i < data.len ? (unsigned char)data.data[i] : -1;
        bool is_crlf_next = i + 1 >= data.len || data.data[i + 1] == '\n';
        bool is_end = c == -1 || c == '\n' || (c == '\r' && is_crlf_next);
        if (state == IN_QUOTES) {
            if (c == -1) {
                *ret_verdict = CSV_UNCLOSED_QUOTE;
                return line_len;
            }
            if (c == '"') {
                state = AFTER_QUOTE;
            } else {
                alm_buf_char(fields, (char)c);
            }
        } else if (state == AFTER_QUOTE && c == '"') {
            alm_buf_char(fields, '"');
            state = IN_QUOTES;
        } else if (is_end) {
            return ALM_MIN(i + (c == '\r' ? 2 : 1), data.len) - at;
        } else if (c == ',') {
            alm_buf_char(fields, '|');
            state = AT_START;
        } else if (state == AFTER_QUOTE) {
            *ret_verdict = CSV_TEXT_AFTER_QUOTE;
            return line_len;
        } else if (c == '"') {
            if (state == IN_BARE) {
                *ret_verdict = CSV_STRAY_QUOTE;
                return line_len;
            }
            state = IN_QUOTES;
        } else {
            alm_buf_char(fields, (char)c);
            state = IN_BARE;
        }
    }
    return line_len;
}

static size_t without_line_end(alm_str raw)
{
    size_t len = raw.len;
    len -= len > 0 && raw.data[len - 1] == '\n' ? 1 : 0;
    len -= len > 0 && raw.data[len - 1] == '\r' ? 1 : 0;
    return len;
}

// Columns of broken records are left out: "row verdict raw-length: fields".
static void slow_read_all(alm_str data, alm_buf *out)
{
    uint64_t row = 2;
    for (size_t at = 0; at < data.len; row++) {
        alm_buf fields;
        csv_verdict verdict;
        alm_buf_init(&fields, 0);
        size_t len = slow_record(data, at, &fields, &verdict);
        size_t raw_len = without_line_end(alm_str_slice(data, at, at + len));
        if (memchr(data.data + at, '\0', len) != NULL) {
            verdict = CSV_NUL;
        }
        if (raw_len > 0) {
            alm_buf_printf(out, "%llu %d %zu:", (unsigned long long)row, (int)verdict, raw_len);
            if (verdict == CSV_OK) {
                alm_buf_char(out, ' ');
                alm_buf_str(out, alm_buf_view(&fields));
            }
            alm_buf_char(out, '\n');
        }
        alm_buf_deinit(&fields);
        at += len;
    }
}

static void fast_read_all(alm_str data, alm_arena *arena, alm_buf *out)
{
    csv_reader reader;
    csv_record r;
    csv_reader_init(&reader, data, 2, arena);
    while (csv_next(&reader, &r)) {
        alm_buf_printf(out, "%llu %d %zu:", (unsigned long long)r.row, (int)r.verdict, r.raw.len);
        for (size_t i = 0; i < r.field_count; i++) {
            alm_buf_char(out, i > 0 ? '|' : ' ');
            alm_buf_str(out, r.fields[i]);
        }
        alm_buf_char(out, '\n');
    }
}

static void reads_as_the_slow_reader(void **state)
{
    (void)state;
    static const char letters[] = {'"', '"', '"', ',', ',', '\n', '\n', '\r', 'a', 'b', ' ', '\0'};
    uint64_t seed = random_seed();
    alm_arena *arena = alm_arena_create(0);
    alm_buf want, got;
    assert_non_null(arena);
    alm_buf_init(&want, 0);
    alm_buf_init(&got, 0);
    for (size_t round = 0; round < 200000; round++) {
        char text[40];
        size_t len = random_below(&seed, sizeof text);
        size_t letter_count = sizeof letters - (round % 4 != 0); // NUL in a quarter of them
        for (size_t i = 0; i < len; i++) {
            text[i] = letters[random_below(&seed, letter_count)];
        }
        alm_arena_reset(arena);
        alm_buf_reset(&want);
        alm_buf_reset(&got);
        slow_read_all((alm_str){text, len}, &want);
        fast_read_all((alm_str){text, len}, arena, &got);
        if (!alm_str_eq(alm_buf_view(&want), alm_buf_view(&got))) {
            fail_msg("text '%.*s'\nwant %.*s\ngot %.*s", (int)len, text, (int)want.len,
                     (const char *)want.data, (int)got.len, (const char *)got.data);
        }
    }
    alm_buf_deinit(&want);
    alm_buf_deinit(&got);
    alm_arena_destroy(&arena);
}

// --- bounds -------------------------------------------------------------------------------------

static void refuses_long_records_and_goes_on(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(0);
    alm_buf text, out;
    assert_non_null(arena);
    alm_buf_init(&text, 0);
    alm_buf_init(&out, 0);
    size_t len = ALM_IMPORT_RECORD_BYTES_MAX;
    alm_buf_char(&text, '"');
    memset(alm_buf_reserve(&text, len - 2), '\n', len - 2);
    text.len += len - 2;
    alm_buf_str(&text, ALM_STR("\"\n")); // exactly the longest
    memset(alm_buf_reserve(&text, len + 1), 'x', len + 1);
    text.len += len + 1;
    alm_buf_str(&text, ALM_STR("\na,b\n"));
    assert_false(text.failed);
    csv_reader reader;
    csv_record r;
    csv_reader_init(&reader, alm_buf_view(&text), 2, arena);
    assert_true(csv_next(&reader, &r));
    assert_int_equal(r.verdict, CSV_OK);
    assert_int_equal(r.raw.len, len);
    assert_true(csv_next(&reader, &r));
    assert_int_equal(r.verdict, CSV_TOO_LONG);
    assert_int_equal(r.row, 3);
    assert_int_equal(r.field_count, 0);
    assert_true(csv_next(&reader, &r));
    assert_int_equal(r.verdict, CSV_OK);
    assert_int_equal(r.row, 4);
    assert_int_equal(r.field_count, 2);
    assert_false(csv_next(&reader, &r));
    alm_buf_deinit(&text);
    alm_buf_deinit(&out);
    alm_arena_destroy(&arena);
}

static void refuses_too_many_fields(void **state)
{
    (void)state;
    static char commas[ALM_IMPORT_COLUMN_COUNT_MAX + 4];
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    memset(commas, ',', sizeof commas - 1);
    csv_reader reader;
    csv_record r;
    alm_str most = {commas, ALM_IMPORT_COLUMN_COUNT_MAX - 1};
    csv_reader_init(&reader, most, 2, arena);
    assert_true(csv_next(&reader, &r));
    assert_int_equal(r.verdict, CSV_OK);
    assert_int_equal(r.field_count, ALM_IMPORT_COLUMN_COUNT_MAX);
    csv_reader_init(&reader, (alm_str){commas, most.len + 1}, 2, arena);
    assert_true(csv_next(&reader, &r));
    assert_int_equal(r.verdict, CSV_TOO_MANY_FIELDS);
    assert_int_equal(r.field_count, 0);
    alm_arena_destroy(&arena);
}

// Quotes in every line that are never closed must not make the reader look at the rest each time.
static void stays_linear_on_open_quotes(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(0);
    alm_buf text;
    assert_non_null(arena);
    alm_buf_init(&text, 0);
    for (size_t i = 0; i < 200000; i++) {
        alm_buf_str(&text, i % 2 == 0 ? ALM_STR("a,\"b\n") : ALM_STR("\"\"\"\"x,\"\"\n"));
    }
    csv_reader reader;
    csv_record r;
    size_t count = 0;
    csv_reader_init(&reader, alm_buf_view(&text), 2, arena);
    while (csv_next(&reader, &r)) {
        count++;
    }
    assert_int_equal(count, 200000); // within ctest's time limit, which a quadratic reader misses
    alm_buf_deinit(&text);
    alm_arena_destroy(&arena);
}

static void says_when_memory_is_out(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(4096);
    assert_non_null(arena);
    static char commas[1000];
    memset(commas, ',', sizeof commas - 1);
    csv_reader reader;
    csv_record r;
    csv_reader_init(&reader, alm_str_from(commas), 2, arena);
    assert_false(csv_next(&reader, &r));
    assert_true(reader.failed);
    alm_arena_destroy(&arena);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(cases) + 5];
    size_t count = 0;
    for (; count < ALM_ARRAY_LEN(cases); count++) {
        csv_case *row = (csv_case *)(uintptr_t)&cases[count];
        tests[count] =
            (struct CMUnitTest){.name = row->name, .test_func = splits, .initial_state = row};
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(reads_as_the_slow_reader);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(refuses_long_records_and_goes_on);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(refuses_too_many_fields);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(stays_linear_on_open_quotes);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(says_when_memory_is_out);
    assert_int_equal(count, ALM_ARRAY_LEN(tests));
    return _cmocka_run_group_tests("csv", tests, count, NULL, NULL);
}
