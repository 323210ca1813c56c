// The status: what the code table says, and that a message always is short, valid UTF-8.
#include "alm/status.h"
#include "alm/str.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void assert_presentable(const char *text, size_t size)
{
    size_t len = strnlen(text, size);
    assert_true(len < size);
    assert_int_equal(alm_utf8_valid_len((alm_str){text, len}), len);
}

static void numbers_are_those_of_grpc(void **state)
{
    (void)state;
    assert_int_equal(ALM_OK, 0);
    assert_int_equal(ALM_UNAUTHENTICATED, 16);
    assert_string_equal(alm_code_name(ALM_NOT_FOUND), "NOT_FOUND");
    assert_string_equal(alm_code_text(ALM_NOT_FOUND), "not found");
    assert_int_equal(alm_code_http(ALM_NOT_FOUND), 404);
    assert_int_equal(alm_code_exit(ALM_NOT_FOUND), 3);
    assert_true(alm_code_retryable(ALM_UNAVAILABLE));
    assert_false(alm_code_retryable(ALM_INTERNAL));
    assert_string_equal(alm_code_name((alm_code)17), "UNKNOWN");
    assert_string_equal(alm_code_name((alm_code)-1), "UNKNOWN");
    assert_int_equal(alm_code_http((alm_code)99), 500);

    for (uint32_t number = 0; number < ALM_CODE_COUNT; number++) {
        alm_code code;
        assert_true(alm_code_from_number(number, &code));
        assert_int_equal(code, number);
        assert_int_equal(alm_code_exit(code) == 0, code == ALM_OK);
    }
    alm_code code = ALM_ABORTED;
    assert_false(alm_code_from_number(17, &code));
    assert_false(alm_code_from_number(UINT32_MAX, &code));
    assert_int_equal(code, ALM_ABORTED);
}

static void sets_everything_anew(void **state)
{
    (void)state;
    alm_status st = ALM_STATUS_INIT;
    alm_code code =
        alm_status_set_field(&st, ALM_OUT_OF_RANGE, "row 7", "year %d is past %d", 9, 8);
    assert_int_equal(code, ALM_OUT_OF_RANGE);
    assert_int_equal(st.code, ALM_OUT_OF_RANGE);
    assert_string_equal(st.field, "row 7");
    assert_string_equal(st.message, "year 9 is past 8");

    st.retry_after_ms = 5;
    assert_int_equal(alm_status_set(&st, ALM_ABORTED, "again"), ALM_ABORTED);
    assert_string_equal(st.field, "");
    assert_string_equal(st.message, "again");
    assert_int_equal(st.retry_after_ms, 0);
}

static void takes_no_status(void **state)
{
    (void)state;
    alm_status from = ALM_STATUS_INIT;
    alm_status to = ALM_STATUS_INIT;
    assert_int_equal(alm_status_set(NULL, ALM_ABORTED, "x"), ALM_ABORTED);
    assert_int_equal(alm_status_set_field(NULL, ALM_ABORTED, "f", "x"), ALM_ABORTED);
    assert_int_equal(alm_status_prefix(NULL, "x"), ALM_UNKNOWN);
    assert_int_equal(alm_status_from_errno(NULL, ENOENT, "open"), ALM_NOT_FOUND);
    (void)alm_status_set(&from, ALM_DATA_LOSS, "bad page");
    assert_int_equal(alm_status_copy(NULL, &from), ALM_DATA_LOSS);
    assert_int_equal(alm_status_copy(&to, &from), ALM_DATA_LOSS);
    assert_string_equal(to.message, "bad page");
    assert_int_equal(alm_status_copy(&to, &to), ALM_DATA_LOSS);
}

static void prefixes_in_front(void **state)
{
    (void)state;
    alm_status st = ALM_STATUS_INIT;
    (void)alm_status_set_field(&st, ALM_NOT_FOUND, "place", "no place 999999");
    assert_int_equal(alm_status_prefix(&st, "query %d", 3), ALM_NOT_FOUND);
    assert_string_equal(st.message, "query 3: no place 999999");
    assert_string_equal(st.field, "place");
}

static void may_quote_its_own_message(void **state)
{
    (void)state;
    alm_status st = ALM_STATUS_INIT;
    (void)alm_status_set(&st, ALM_INTERNAL, "deep");
    (void)alm_status_set(&st, ALM_UNAVAILABLE, "%s down", st.message);
    assert_string_equal(st.message, "deep down");
}

// Every length around the limit, of 1- to 4-byte code points: never split, never too long, and
// dots exactly when something was left out.
static void cuts_between_code_points(void **state)
{
    (void)state;
    static const char *const points[] = {"a", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80"};
    for (size_t p = 0; p < ALM_ARRAY_LEN(points); p++) {
        for (size_t pad = 0; pad < 5; pad++) {
            for (size_t count = 120; count < 520; count++) {
                char text[4096] = "";
                memset(text, '-', pad);
                size_t len = pad;
                for (size_t i = 0; i < count; i++) {
                    memcpy(text + len, points[p], strlen(points[p]));
                    len += strlen(points[p]);
                }
                text[len] = '\0';
                alm_status st = ALM_STATUS_INIT;
                (void)alm_status_set_field(&st, ALM_INTERNAL, text, "%s", text);
                assert_presentable(st.message, sizeof st.message);
                assert_presentable(st.field, sizeof st.field);
                alm_str message = alm_str_from(st.message);
                if (len < ALM_STATUS_MESSAGE_MAX) {
                    assert_string_equal(st.message, text);
                } else {
                    assert_true(alm_str_ends_with(message, ALM_STR("...")));
                    assert_memory_equal(st.message, text, message.len - 3);
                    assert_true(message.len + 4 >= ALM_STATUS_MESSAGE_MAX - 3);
                }
            }
        }
    }
}

static void quotes_any_bytes(void **state)
{
    (void)state;
    alm_status st = ALM_STATUS_INIT;
    (void)alm_status_set(&st, ALM_INVALID_ARGUMENT, "bad \xff\xfe name \x1b[2J\x7f\n\t%s",
                         "\xe4\xb8");
    assert_string_equal(st.message, "bad ?? name ?[2J?\n\t??");
    (void)alm_status_set(&st, ALM_INVALID_ARGUMENT, "%.*s", 4, "\xe4\xb8\xad\xe6\x96\x87");
    assert_string_equal(st.message, "\xe4\xb8\xad?");
}

static void prefixing_a_full_message_keeps_the_front(void **state)
{
    (void)state;
    char text[ALM_STATUS_MESSAGE_MAX];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    alm_status st = ALM_STATUS_INIT;
    (void)alm_status_set(&st, ALM_INTERNAL, "%s", text);
    assert_string_equal(st.message, text);
    (void)alm_status_prefix(&st, "front");
    assert_presentable(st.message, sizeof st.message);
    assert_true(alm_str_starts_with(alm_str_from(st.message), ALM_STR("front: xxx")));
    assert_true(alm_str_ends_with(alm_str_from(st.message), ALM_STR("xxx...")));
    (void)alm_status_prefix(&st, "%s", text);
    assert_presentable(st.message, sizeof st.message);
    assert_int_equal(st.code, ALM_INTERNAL);
}

static void translates_errno(void **state)
{
    (void)state;
    static const struct {
        int error;
        alm_code want;
    } rows[] = {
        {ENOENT, ALM_NOT_FOUND},
        {EEXIST, ALM_ALREADY_EXISTS},
        {EACCES, ALM_PERMISSION_DENIED},
        {ENOMEM, ALM_RESOURCE_EXHAUSTED},
        {ENOSPC, ALM_RESOURCE_EXHAUSTED},
        {EINVAL, ALM_INVALID_ARGUMENT},
        {EAGAIN, ALM_UNAVAILABLE},
        {ECONNREFUSED, ALM_UNAVAILABLE},
        {ETIMEDOUT, ALM_DEADLINE_EXCEEDED},
        {EIO, ALM_DATA_LOSS},
        {ENOSYS, ALM_UNIMPLEMENTED},
        {ELOOP, ALM_UNKNOWN},
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        alm_status st = ALM_STATUS_INIT;
        assert_int_equal(alm_status_from_errno(&st, rows[i].error, "open x"), rows[i].want);
        assert_true(alm_str_starts_with(alm_str_from(st.message), ALM_STR("open x: ")));
    }
    alm_status st = ALM_STATUS_INIT;
    (void)alm_status_from_errno(&st, ENOENT, "open /nowhere");
    assert_string_equal(st.message, "open /nowhere: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_grpc),
        cmocka_unit_test(sets_everything_anew),
        cmocka_unit_test(takes_no_status),
        cmocka_unit_test(prefixes_in_front),
        cmocka_unit_test(may_quote_its_own_message),
        cmocka_unit_test(cuts_between_code_points),
        cmocka_unit_test(quotes_any_bytes),
        cmocka_unit_test(prefixing_a_full_message_keeps_the_front),
        cmocka_unit_test(translates_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
