#include "inbox.h"

#include "rpc_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define MESSAGE_BYTES_MAX 200000

// Every byte tells which message it is of.
static alm_str message_of(uint32_t number)
{
    static char bytes[MESSAGE_BYTES_MAX];
    uint64_t random = alm_mix64(number);
    size_t len = random % 16 == 0 ? random % MESSAGE_BYTES_MAX : random % 300;
    memset(bytes, (int)(number & 0xff), len);
    return (alm_str){.data = bytes, .len = len};
}

static void gives_back_what_was_pushed_in_order(void **state)
{
    (void)state;
    alm_inbox inbox = {0};
    uint32_t pushed = 0, popped = 0;
    uint64_t random = 5;
    alm_str held = {0};
    for (int step = 0; step < 30000; step++) {
        random = alm_mix64(random + 1);
        if (random % 2 == 0 && pushed - popped < 40) {
            assert_true(alm_inbox_push(&inbox, message_of(pushed++)));
            if (held.len > 0) { // still what was given before this push
                assert_int_equal((uint8_t)held.data[held.len - 1], (popped - 1) & 0xff);
            }
            continue;
        }
        bool has = alm_inbox_pop(&inbox, &held);
        assert_int_equal(has, pushed != popped);
        if (has) {
            alm_str want = message_of(popped++);
            assert_int_equal(held.len, want.len);
            assert_memory_equal(held.data, want.data, want.len);
        } else {
            held = (alm_str){0};
        }
    }
    alm_inbox_deinit(&inbox);
    assert_false(alm_inbox_pop(&inbox, &held));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_pushed_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
