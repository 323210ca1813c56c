// The limits' options: what they are when nothing is said, what each sets, and what they refuse.
#include "rpc_limits.h"

#include "alm/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static alm_code load(char *argument, alm_config **ret, alm_status *st)
{
    char program[] = "almanacd";
    char *argv[] = {program, argument};
    return alm_config_load(alm_limit_options, ALM_LIMIT_OPTION_COUNT, argument != NULL ? 2 : 1,
                           argv, ret, st);
}

static void without_options_they_are_the_constants(void **state)
{
    (void)state;
    alm_config *config = NULL;
    assert_int_equal(load(NULL, &config, NULL), ALM_OK);
    alm_rpc_limits limits = alm_rpc_limits_of(config);
    const alm_rpc_limits want = {
        .message_bytes_max = ALM_RPC_MESSAGE_BYTES_MAX,
        .metadata_bytes_max = ALM_RPC_METADATA_BYTES_MAX,
        .element_count_max = ALM_RPC_ELEMENT_COUNT_MAX,
        .window_bytes = ALM_RPC_STREAM_WINDOW_BYTES,
        .window_messages = ALM_RPC_STREAM_WINDOW_MESSAGES,
        .stream_count_max = ALM_RPC_STREAM_COUNT_MAX,
        .peer_count_max = ALM_RPC_PEER_COUNT_MAX,
        .queue_count_max = ALM_RPC_QUEUE_COUNT_MAX,
        .queue_bytes_max = ALM_RPC_QUEUE_BYTES_MAX,
        .unsent_bytes_max = ALM_RPC_UNSENT_BYTES_MAX,
        .arena_bytes_max = ALM_ARENA_BYTES_MAX,
    };
    assert_memory_equal(&limits, &want, sizeof want);
    alm_config_destroy(&config);
}

// All are of one type, so that each can be counted: a limit without an option fails here.
_Static_assert(sizeof(alm_rpc_limits) == ALM_LIMIT_OPTION_COUNT * sizeof(size_t),
               "an option for each limit");

#define FIELD(name) offsetof(alm_rpc_limits, name)

typedef struct flag_row {
    const char *option;
    size_t field;
    const char *least, *below; // the smallest value it takes, and one that it does not
    size_t value;              // of least
} flag_row;

static const flag_row flag_rows[] = {
    {"rpc-message-bytes-max", FIELD(message_bytes_max), "16k", "16383", 16384},
    {"rpc-metadata-bytes-max", FIELD(metadata_bytes_max), "256", "255", 256},
    {"rpc-element-count-max", FIELD(element_count_max), "1", "0", 1},
    {"rpc-window-bytes", FIELD(window_bytes), "1", "0", 1},
    {"rpc-window-messages", FIELD(window_messages), "1", "0", 1},
    {"rpc-stream-count-max", FIELD(stream_count_max), "1", "0", 1},
    {"rpc-peer-count-max", FIELD(peer_count_max), "1", "0", 1},
    {"rpc-queue-count-max", FIELD(queue_count_max), "1", "0", 1},
    {"rpc-queue-bytes-max", FIELD(queue_bytes_max), "1k", "1023", 1024},
    {"rpc-unsent-bytes-max", FIELD(unsent_bytes_max), "1k", "1023", 1024},
    {"rpc-arena-bytes-max", FIELD(arena_bytes_max), "64k", "65535", 65536},
};

static size_t field_of(const alm_rpc_limits *limits, size_t field)
{
    size_t value;
    memcpy(&value, (const char *)limits + field, sizeof value);
    return value;
}

static void an_option_sets_its_limit_and_no_other(void **state)
{
    const flag_row *row = *state;
    alm_config *config = NULL;
    char argument[64];
    snprintf(argument, sizeof argument, "--%s=%s", row->option, row->least);
    assert_int_equal(load(argument, &config, NULL), ALM_OK);
    alm_rpc_limits limits = alm_rpc_limits_of(config);
    alm_config_destroy(&config);
    assert_int_equal(load(NULL, &config, NULL), ALM_OK);
    alm_rpc_limits usual = alm_rpc_limits_of(config);
    alm_config_destroy(&config);
    for (size_t i = 0; i < ALM_ARRAY_LEN(flag_rows); i++) {
        size_t field = flag_rows[i].field;
        size_t want = field == row->field ? row->value : field_of(&usual, field);
        assert_int_equal(field_of(&limits, field), want);
    }
}

static void an_option_refuses_less_than_its_least(void **state)
{
    const flag_row *row = *state;
    alm_config *config = NULL;
    alm_status st = ALM_STATUS_INIT;
    char argument[64];
    snprintf(argument, sizeof argument, "--%s=%s", row->option, row->below);
    assert_int_equal(load(argument, &config, &st), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, row->option));
    assert_non_null(strstr(st.message, row->below));
}

static void the_environment_sets_a_limit_too(void **state)
{
    (void)state;
    alm_config *config = NULL;
    assert_int_equal(setenv("ALMANAC_RPC_PEER_COUNT_MAX", "7", 1), 0);
    assert_int_equal(load(NULL, &config, NULL), ALM_OK);
    assert_int_equal(alm_rpc_limits_of(config).peer_count_max, 7);
    alm_config_destroy(&config);
    assert_int_equal(unsetenv("ALMANAC_RPC_PEER_COUNT_MAX"), 0);
}

int main(void)
{
    _Static_assert(ALM_ARRAY_LEN(flag_rows) == ALM_LIMIT_OPTION_COUNT, "a row for each option");
    struct CMUnitTest rows[2 * ALM_ARRAY_LEN(flag_rows)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(flag_rows); i++) {
        void *row = (void *)(uintptr_t)&flag_rows[i];
        rows[2 * i] = (struct CMUnitTest){.name = flag_rows[i].option,
                                          .test_func = an_option_sets_its_limit_and_no_other,
                                          .initial_state = row};
        rows[2 * i + 1] = (struct CMUnitTest){.name = flag_rows[i].option,
                                              .test_func = an_option_refuses_less_than_its_least,
                                              .initial_state = row};
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_they_are_the_constants),
        cmocka_unit_test(the_environment_sets_a_limit_too),
    };
    int failed = cmocka_run_group_tests_name("options of limits", rows, NULL, NULL);
    return failed + cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
