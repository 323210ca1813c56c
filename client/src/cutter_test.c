// Cutting: rows of input and the pieces they must give, random files against a slow reader, and a
// line of many megabytes in little memory.
#include "cutter.h"

#include "cutter_check.h"

#include "alm/alloc.h"
#include "alm/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct text_source {
    alm_str text;
    size_t at;
} text_source;

static alm_code read_text(void *self, uint8_t *out, size_t size, size_t *ret_got, alm_status *st)
{
    (void)st;
    text_source *from = self;
    *ret_got = ALM_MIN(size, from->text.len - from->at);
    memcpy(out, from->text.data + from->at, *ret_got);
    from->at += *ret_got;
    return ALM_OK;
}

// "header|row:records|row!bytes" of a file cut with small limits.
static void describe(const char *text, char *out, size_t size)
{
    text_source from = {.text = alm_str_from(text)};
    alm_cutter_opts opts = {.piece_bytes_max = 32, .record_bytes_max = 16, .piece_rows_max = 3};
    alm_cutter *cutter = alm_cutter_create(&opts, read_text, &from);
    assert_non_null(cutter);
    alm_bytes header;
    alm_status st = ALM_STATUS_INIT;
    int len = 0;
    if (alm_cutter_header(cutter, &header, &st) != ALM_OK) {
        (void)snprintf(out, size, "%s", alm_code_name(st.code));
        alm_cutter_destroy(&cutter);
        return;
    }
    len += snprintf(out, size, "%.*s", (int)header.len, (const char *)header.data);
    for (;;) {
        alm_piece piece;
        bool more = false;
        assert_int_equal(alm_cutter_next(cutter, &piece, &more, &st), ALM_OK);
        if (!more) {
            break;
        }
        len += snprintf(out + len, size - (size_t)len, piece.is_oversize ? "|%d!%d" : "|%d:%.*s",
                        (int)piece.first_row,
                        piece.is_oversize ? (int)piece.oversize.bytes : (int)piece.records.len,
                        (const char *)piece.records.data);
    }
    alm_cutter_destroy(&cutter);
}

typedef struct cut_row {
    const char *name, *text, *want;
} cut_row;

static const cut_row cut_rows[] = {
    {"cut: header only", "a,b\n", "a,b"},
    {"cut: header without a line end", "a,b", "a,b"},
    {"cut: empty", "", "INVALID_ARGUMENT"},
    {"cut: a mark and nothing else", "\xef\xbb\xbf", "INVALID_ARGUMENT"},
    {"cut: only empty lines", "\n\r\n\n", "INVALID_ARGUMENT"},
    {"cut: header too long", "aaaaaaaaaaaaaaaaaaaa\n1\n", "INVALID_ARGUMENT"},
    {"cut: header keeps its mark", "\xef\xbb\xbf\"a\n b\",c\n1\n", "\xef\xbb\xbf\"a\n b\",c|2:1\n"},
    {"cut: header after empty lines", "\n\na\n1\n", "a|4:1\n"},
    {"cut: one piece", "a\n1\n2\n", "a|2:1\n2\n"},
    {"cut: no last line end", "a\n1\n2", "a|2:1\n2"},
    {"cut: by rows", "a\n1\n2\n3\n4\n", "a|2:1\n2\n3\n|5:4\n"},
    {"cut: by bytes", "a\nxxxxxxxxxxxxxx\nyyyyyyyyyyyyyy\nzzzzzz\n",
     "a|2:xxxxxxxxxxxxxx\nyyyyyyyyyyyyyy\n|4:zzzzzz\n"},
    {"cut: an empty line is a row", "a\n\n1\n\n2\n", "a|2:\n1\n\n|5:2\n"},
    {"cut: quotes hold line ends", "a\n\"1\n1\",2\n3\n", "a|2:\"1\n1\",2\n3\n"},
    {"cut: doubled quotes", "a\n\"1\"\"\n\",2\n3\n", "a|2:\"1\"\"\n\",2\n3\n"},
    {"cut: CRLF", "a\r\n\"1\"\r\n2\r\n", "a|2:\"1\"\r\n2\r\n"},
    {"cut: exactly as long as allowed", "a\n0123456789abcdef\r\n1\n",
     "a|2:0123456789abcdef\r\n1\n"},
    {"cut: one byte too long", "a\n0123456789abcdefg\n1\n", "a|2!17|3:1\n"},
    {"cut: too long in the middle", "a\n1\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n2\n",
     "a|2:1\n|3!42|4:2\n"},
    {"cut: too long at the end", "a\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "a|2!44"},
    {"cut: a quote that is never closed gives its lines back", "a\n\"x\nyyyyyyyyyyyyyyyy\nz\n",
     "a|2:\"x\n|3:yyyyyyyyyyyyyyyy\nz\n"},
    {"cut: a quote closed at the end of the file only", "a\n\"x\n1\n", "a|2:\"x\n1\n"},
    {"cut: a stray quote costs its line", "a\n5\" x\n1\n", "a|2:5\" x\n1\n"},
};

static void cuts(void **state)
{
    const cut_row *row = *state;
    char got[512];
    describe(row->text, got, sizeof got);
    assert_string_equal(got, row->want);
}

// A line of 64 MiB is passed over by a cutter that may hold 4 MiB, and the rows around it stay
// right.
typedef struct long_source {
    uint64_t at, size;
} long_source;

static alm_code read_long(void *self, uint8_t *out, size_t size, size_t *ret_got, alm_status *st)
{
    (void)st;
    long_source *from = self;
    static const char head[] = "a\n1\n";
    size_t left = (size_t)(from->size - from->at);
    *ret_got = ALM_MIN(size, left);
    for (size_t i = 0; i < *ret_got; i++) {
        uint64_t at = from->at + i;
        out[i] = at < 4 ? (uint8_t)head[at] : at + 4 == from->size ? '\n' : (uint8_t)'x';
    }
    from->at += *ret_got;
    return ALM_OK;
}

static void passes_over_a_line_of_64_mib(void **state)
{
    (void)state;
    long_source from = {.size = (uint64_t)64 << 20};
    alm_cutter *cutter = alm_cutter_create(NULL, read_long, &from);
    alm_bytes header;
    alm_piece piece;
    bool more = false;
    assert_int_equal(alm_cutter_header(cutter, &header, NULL), ALM_OK);
    assert_int_equal(alm_cutter_next(cutter, &piece, &more, NULL), ALM_OK);
    assert_int_equal(piece.records.len, 2);
    assert_int_equal(alm_cutter_next(cutter, &piece, &more, NULL), ALM_OK);
    assert_true(piece.is_oversize);
    assert_int_equal(piece.oversize.row, 3);
    assert_int_equal(piece.oversize.bytes, ((uint64_t)64 << 20) - 8);
    assert_int_equal(alm_cutter_next(cutter, &piece, &more, NULL), ALM_OK);
    assert_true(more);
    assert_int_equal(piece.first_row, 4);
    assert_memory_equal(piece.records.data, "xxx", 3);
    assert_int_equal(alm_cutter_next(cutter, &piece, &more, NULL), ALM_OK);
    assert_false(more);
    alm_cutter_destroy(&cutter);
}

// Each allocation fails once: nothing leaks, and what fails says so.
static void lives_without_memory(void **state)
{
    (void)state;
    alm_bytes header;
    alm_status st = ALM_STATUS_INIT;
    for (uint64_t n = 1; n <= 3; n++) {
        text_source from = {.text = ALM_STR("a\n1\n")};
        (void)alm_alloc_fail_at(n, 0);
        alm_cutter *cutter = alm_cutter_create(NULL, read_text, &from);
        assert_int_equal(cutter != NULL, n == 3);
        if (cutter != NULL) {
            assert_int_equal(alm_cutter_header(cutter, &header, &st), ALM_RESOURCE_EXHAUSTED);
        }
        (void)alm_alloc_fail_at(0, 0);
        alm_cutter_destroy(&cutter);
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

// Bytes that matter come often, so that short files reach every corner.
static void random_files_keep_their_rows(void **state)
{
    (void)state;
    static const char alphabet[] = "\"\"\"\n\n\n,,\r\rab";
    const char *given = getenv("ALM_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20231124;
    for (int round = 0; round < 200000; round++) {
        uint64_t round_seed = seed;
        uint8_t data[120];
        size_t len = next_random(&seed) % sizeof data;
        for (size_t i = 0; i < len; i++) {
            data[i] = (uint8_t)alphabet[next_random(&seed) % (sizeof alphabet - 1)];
        }
        size_t step = next_random(&seed) % 50 + 1;
        const char *wrong = cutter_check((alm_bytes){data, len}, step);
        if (wrong != NULL) {
            fail_msg("%s; ALM_SEED=%llu", wrong, (unsigned long long)round_seed);
        }
    }
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(cut_rows) + 3];
    size_t count = 0;
    for (; count < ALM_ARRAY_LEN(cut_rows); count++) {
        tests[count] = (struct CMUnitTest){.name = cut_rows[count].name,
                                           .test_func = cuts,
                                           .initial_state = (void *)(uintptr_t)&cut_rows[count]};
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(passes_over_a_line_of_64_mib);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(lives_without_memory);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(random_files_keep_their_rows);
    return _cmocka_run_group_tests("cutter", tests, count, NULL, NULL);
}
