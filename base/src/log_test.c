// The log, read back from a pipe: each line's exact text under a clock that stands still, and
// for lines of any length and content that they stay one line and well-formed.
#include "alm/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct fixture {
    int64_t now_us;
    int read_fd;
    alm_log log;
    char line[2 * ALM_LOG_LINE_MAX];
} fixture;

static int set_up(void **state)
{
    static fixture it;
    *state = &it;
    int fds[2];
    if (pipe2(fds, O_NONBLOCK) != 0) {
        return -1;
    }
    it.now_us = INT64_C(1795492800123456); // 2026-11-24T04:00:00.123456Z
    it.read_fd = fds[0];
    alm_log_init(&it.log, "storage");
    it.log.fd = fds[1];
    it.log.clock = alm_clock_fake(&it.now_us);
    return 0;
}

static int tear_down(void **state)
{
    fixture *it = *state;
    close(it->read_fd);
    close(it->log.fd);
    return 0;
}

// What was written since the last look; "" for nothing.
static const char *written(fixture *it)
{
    ssize_t len = read(it->read_fd, it->line, sizeof it->line - 1);
    it->line[len > 0 ? len : 0] = '\0';
    return it->line;
}

static void writes_logfmt(void **state)
{
    fixture *it = *state;
    alm_log_info(&it->log, "storage.commit", ALM_KV_U64("rows", UINT64_MAX),
                 ALM_KV_I64("delta", -3), ALM_KV_MS("took_ms", 3100), ALM_KV_BOOL("ok", true),
                 ALM_KV_STR("batch", ALM_STR("a-1")));
    assert_string_equal(written(it),
                        "ts=2026-11-24T04:00:00.123Z level=info svc=storage event=storage.commit "
                        "rows=18446744073709551615 delta=-3 took_ms=3.1 ok=true batch=a-1\n");
}

static void writes_json(void **state)
{
    fixture *it = *state;
    it->log.format = ALM_LOG_JSON;
    alm_log_error(&it->log, "storage.commit", ALM_KV_U64("rows", 12),
                  ALM_KV_I64("delta", INT64_MIN), ALM_KV_MS("took_ms", -250),
                  ALM_KV_BOOL("ok", false), ALM_KV_CSTR("batch", "a 1"), ALM_KV_CSTR("note", NULL));
    assert_string_equal(written(it),
                        "{\"ts\":\"2026-11-24T04:00:00.123Z\",\"level\":\"error\","
                        "\"svc\":\"storage\",\"event\":\"storage.commit\",\"rows\":12,"
                        "\"delta\":-9223372036854775808,\"took_ms\":-0.25,\"ok\":false,"
                        "\"batch\":\"a 1\",\"note\":\"\"}\n");
}

static void keeps_to_its_level(void **state)
{
    fixture *it = *state;
    int asked_count = 0;
    alm_log_debug(&it->log, "x", ALM_KV_I64("n", ++asked_count));
    assert_string_equal(written(it), "");
    assert_int_equal(asked_count, 0);
    it->log.level = ALM_LOG_WARN;
    alm_log_info(&it->log, "x", ALM_KV_I64("n", 1));
    assert_string_equal(written(it), "");
    alm_log_warn(&it->log, "x", ALM_KV_I64("n", 1));
    assert_string_not_equal(written(it), "");
    it->log.level = ALM_LOG_OFF;
    alm_log_error(&it->log, "x", ALM_KV_I64("n", 1));
    assert_string_equal(written(it), "");
    alm_log_event(NULL, ALM_LOG_ERROR, "x", NULL, 0);
}

typedef struct escape_row {
    const char *name, *input, *logfmt, *json;
} escape_row;

static const escape_row escape_rows[] = {
    {"escape: plain", "tcp://a:1", "tcp://a:1", "\"tcp://a:1\""},
    {"escape: empty", "", "\"\"", "\"\""},
    {"escape: space", "a b", "\"a b\"", "\"a b\""},
    {"escape: equals", "a=b", "\"a=b\"", "\"a=b\""},
    {"escape: quote", "say \"hi\"", "\"say \\\"hi\\\"\"", "\"say \\\"hi\\\"\""},
    {"escape: backslash", "C:\\x", "\"C:\\\\x\"", "\"C:\\\\x\""},
    {"escape: a forged line", "x\nlevel=error", "\"x\\nlevel=error\"", "\"x\\nlevel=error\""},
    {"escape: return and tab", "\r\t", "\"\\r\\t\"", "\"\\r\\t\""},
    {"escape: control", "\x1b[2J\x7f", "\"\\u001b[2J\\u007f\"", "\"\\u001b[2J\\u007f\""},
    {"escape: C1 control", "\xc2\x9b", "\"\\u009b\"", "\"\\u009b\""},
    {"escape: line separator", "\xe2\x80\xa8", "\"\\u2028\"", "\"\\u2028\""},
    {"escape: Chinese", "\xe4\xb8\xad", "\"\xe4\xb8\xad\"", "\"\xe4\xb8\xad\""},
    {"escape: not UTF-8", "a\xff\xc3", "\"a\\ufffd\\ufffd\"", "\"a\\ufffd\\ufffd\""},
};

static void escapes(void **state)
{
    const escape_row *row = *state;
    for (int format = ALM_LOG_LOGFMT; format <= ALM_LOG_JSON; format++) {
        void *fixture_state = NULL;
        assert_int_equal(set_up(&fixture_state), 0);
        fixture *it = fixture_state;
        it->log.format = (alm_log_format)format;
        alm_log_info(&it->log, "x", ALM_KV_CSTR("v", row->input));
        char want[128];
        (void)snprintf(want, sizeof want, format == ALM_LOG_JSON ? ",\"v\":%s}\n" : " v=%s\n",
                       format == ALM_LOG_JSON ? row->json : row->logfmt);
        assert_true(alm_str_ends_with(alm_str_from(written(it)), alm_str_from(want)));
        tear_down(&fixture_state);
    }
}

static size_t line_count(alm_str text)
{
    size_t count = 0;
    for (alm_str line; alm_str_split(&text, '\n', &line);) {
        count += line.len > 0;
    }
    return count;
}

// Texts of every length around the limit, of bytes that grow when escaped: one line, at most the
// maximum, quotes closed, UTF-8 whole, and cut=true exactly when something is missing.
static void cuts_long_lines(void **state)
{
    fixture *it = *state;
    static const char *const fills[] = {"a", "\"", "\x01", "\xe4\xb8\xad", "\xff"};
    static char text[2 * ALM_LOG_LINE_MAX];
    for (size_t f = 0; f < ALM_ARRAY_LEN(fills); f++) {
        size_t unit = strlen(fills[f]);
        for (size_t len = 600 / unit; len < 4300 / unit; len += len < 3900 / unit ? 37 : 1) {
            for (size_t i = 0; i < len; i++) {
                memcpy(text + i * unit, fills[f], unit);
            }
            for (int format = ALM_LOG_LOGFMT; format <= ALM_LOG_JSON; format++) {
                it->log.format = (alm_log_format)format;
                alm_log_info(&it->log, "x", ALM_KV_STR("v", ((alm_str){text, len * unit})),
                             ALM_KV_I64("last", 7));
                alm_str line = alm_str_from(written(it));
                assert_true(line.len > 0 && line.len <= ALM_LOG_LINE_MAX);
                assert_int_equal(line_count(line), 1);
                assert_int_equal(alm_str_find_char(line, '\n'), line.len - 1);
                assert_int_equal(alm_utf8_valid_len(line), line.len);
                bool says_cut = alm_str_find(line, ALM_STR("cut")) != SIZE_MAX;
                bool has_last = alm_str_find(line, ALM_STR("last")) != SIZE_MAX;
                assert_true(says_cut != has_last);
                alm_str end = format == ALM_LOG_JSON ? says_cut ? ALM_STR("\",\"cut\":true}\n")
                                                                : ALM_STR("\"last\":7}\n")
                              : says_cut ? ALM_STR(" cut=true\n")
                                                     : ALM_STR(" last=7\n");
                assert_true(alm_str_ends_with(line, end));
            }
        }
    }
}

static void knows_its_words(void **state)
{
    (void)state;
    alm_log_level level = ALM_LOG_DEBUG;
    alm_log_format format = ALM_LOG_LOGFMT;
    assert_true(alm_log_level_from(ALM_STR("warn"), &level));
    assert_int_equal(level, ALM_LOG_WARN);
    assert_true(alm_log_level_from(ALM_STR("off"), &level));
    assert_int_equal(level, ALM_LOG_OFF);
    assert_false(alm_log_level_from(ALM_STR("warning"), &level));
    assert_int_equal(level, ALM_LOG_OFF);
    assert_true(alm_log_format_from(ALM_STR("json"), &format));
    assert_int_equal(format, ALM_LOG_JSON);
    assert_false(alm_log_format_from(ALM_STR("xml"), &format));
}

static void leaves_errno_and_survives_a_closed_file(void **state)
{
    fixture *it = *state;
    alm_log log = it->log;
    log.fd = -1;
    errno = ENOSPC;
    alm_log_error(&log, "x", ALM_KV_I64("n", 1));
    assert_int_equal(errno, ENOSPC);
}

static void tells_a_status(void **state)
{
    fixture *it = *state;
    alm_status st = ALM_STATUS_INIT;
    (void)alm_status_set(&st, ALM_NOT_FOUND, "no place 9");
    alm_log_warn(&it->log, "query.failed", ALM_KV_STATUS(&st));
    assert_true(alm_str_ends_with(alm_str_from(written(it)),
                                  ALM_STR(" code=NOT_FOUND error=\"no place 9\"\n")));
}

static void cuts_a_long_service_name(void **state)
{
    (void)state;
    alm_log log;
    alm_log_init(&log, "a-service-with-a-name-that-is-far-too-long");
    assert_int_equal(strlen(log.service), sizeof log.service - 1);
    assert_int_equal(log.fd, 2);
    assert_int_equal(log.level, ALM_LOG_INFO);
}

int main(void)
{
    struct CMUnitTest tests[64] = {
        cmocka_unit_test_setup_teardown(writes_logfmt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_to_its_level, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cuts_long_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_errno_and_survives_a_closed_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_a_status, set_up, tear_down),
        cmocka_unit_test(knows_its_words),
        cmocka_unit_test(cuts_a_long_service_name),
    };
    size_t count = 8;
    for (size_t i = 0; i < ALM_ARRAY_LEN(escape_rows); i++) {
        tests[count++] = (struct CMUnitTest){.name = escape_rows[i].name,
                                             .test_func = escapes,
                                             .initial_state = (void *)(uintptr_t)&escape_rows[i]};
    }
    return _cmocka_run_group_tests("log", tests, count, NULL, NULL);
}
