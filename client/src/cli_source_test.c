// Goal: a source is read whole or line by line, wherever it is, and what cannot be read is told of.
// Method: the same text given itself, by a file and by a pipe.
#include "cli_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define TEXT "{\"a\": 1}\n\n  \t\n{\"b\": 2}\r\n{}"

typedef struct fixture {
    char at_path[64]; // "@/tmp/..."
    const char *path;
} fixture;

static void set_up_file(fixture *f)
{
    (void)snprintf(f->at_path, sizeof f->at_path, "@/tmp/almanac-source-XXXXXX");
    f->path = f->at_path + 1;
    int fd = mkstemp(f->at_path + 1);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, TEXT, strlen(TEXT)), strlen(TEXT));
    assert_int_equal(close(fd), 0);
}

static void tear_down_file(const fixture *f)
{
    assert_int_equal(unlink(f->path), 0);
}

static void has_lines(const char *text)
{
    static const struct {
        const char *text;
        size_t line;
    } want[] = {{"{\"a\": 1}", 1}, {"{\"b\": 2}\r", 4}, {"{}", 5}};
    cli_source source;
    alm_status st = ALM_STATUS_INIT;
    alm_str line;
    bool more = true;
    assert_int_equal(cli_source_open("--json", text, &source, &st), ALM_OK);
    for (size_t i = 0; i < ALM_ARRAY_LEN(want); i++) {
        assert_int_equal(cli_source_line(&source, &line, &more, &st), ALM_OK);
        assert_true(more);
        assert_true(alm_str_eq(line, alm_str_from(want[i].text)));
        assert_int_equal(source.line, want[i].line);
    }
    assert_int_equal(cli_source_line(&source, &line, &more, &st), ALM_OK);
    assert_false(more);
    cli_source_close(&source);
}

static void is_whole(const char *text)
{
    cli_source source;
    alm_status st = ALM_STATUS_INIT;
    alm_str whole;
    assert_int_equal(cli_source_open("--json", text, &source, &st), ALM_OK);
    assert_int_equal(cli_source_whole(&source, &whole, &st), ALM_OK);
    assert_true(alm_str_eq(whole, ALM_STR(TEXT)));
    cli_source_close(&source);
}

static void reads_a_text_and_a_file(void **state)
{
    (void)state;
    fixture f;
    set_up_file(&f);
    has_lines(TEXT);
    has_lines(f.at_path);
    is_whole(TEXT);
    is_whole(f.at_path);
    tear_down_file(&f);
}

static void reads_standard_input(void **state)
{
    (void)state;
    fixture f;
    set_up_file(&f);
    assert_non_null(freopen(f.path, "rb", stdin));
    has_lines("-");
    assert_non_null(freopen(f.path, "rb", stdin));
    is_whole("-");
    tear_down_file(&f);
}

static void reads_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"\n", " \n\t\n", " "};
    for (size_t i = 0; i < ALM_ARRAY_LEN(texts); i++) {
        cli_source source;
        alm_str line;
        bool more = true;
        assert_int_equal(cli_source_open("--json", texts[i], &source, NULL), ALM_OK);
        assert_int_equal(cli_source_line(&source, &line, &more, NULL), ALM_OK);
        assert_false(more);
        cli_source_close(&source);
    }
}

static void says_what_cannot_be_read(void **state)
{
    (void)state;
    cli_source source;
    alm_status st = ALM_STATUS_INIT;
    alm_str whole;
    assert_int_equal(cli_source_open("--json", "@/nowhere/at/all", &source, &st), ALM_NOT_FOUND);
    assert_non_null(strstr(st.message, "/nowhere/at/all"));
    cli_source_close(&source);
    assert_int_equal(cli_source_open("--json", "@/tmp", &source, &st), ALM_OK);
    assert_int_not_equal(cli_source_whole(&source, &whole, &st), ALM_OK);
    assert_non_null(strstr(st.message, "/tmp"));
    cli_source_close(&source);
    assert_int_equal(cli_source_open("--json", "@/dev/zero", &source, &st), ALM_OK);
    assert_int_equal(cli_source_whole(&source, &whole, &st), ALM_RESOURCE_EXHAUSTED);
    assert_string_equal(st.message, "/dev/zero: more than 16777216 bytes");
    cli_source_close(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_text_and_a_file),
        cmocka_unit_test(reads_standard_input),
        cmocka_unit_test(reads_nothing),
        cmocka_unit_test(says_what_cannot_be_read),
    };
    return cmocka_run_group_tests_name("cli_source", tests, NULL, NULL);
}
