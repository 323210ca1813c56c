// Tables of bytes as RFC 37 has them and as a peer should not send them.
#include "zmtp_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define BYTES(literal)                                                                             \
    {                                                                                              \
        .data = "" literal, .len = sizeof(literal) - 1                                             \
    }

// --- headers -------------------------------------------------------------------------------------

typedef struct header_row {
    const char *name;
    alm_str wire;
    alm_zmtp_parsed want;
    uint8_t flags, len;
    uint64_t body_len;
} header_row;

static const header_row header_rows[] = {
    {"nothing", BYTES(""), ALM_ZMTP_SHORT, 0, 2, 0},
    {"flags only", BYTES("\x00"), ALM_ZMTP_SHORT, 0, 2, 0},
    {"long flags only", BYTES("\x02\x00"), ALM_ZMTP_SHORT, 0, 9, 0},
    {"empty", BYTES("\x00\x00"), ALM_ZMTP_WHOLE, 0, 2, 0},
    {"longest short", BYTES("\x00\xff"), ALM_ZMTP_WHOLE, 0, 2, 255},
    {"more", BYTES("\x01\x05"), ALM_ZMTP_WHOLE, ALM_ZMTP_MORE, 2, 5},
    {"command", BYTES("\x04\x05"), ALM_ZMTP_WHOLE, ALM_ZMTP_COMMAND, 2, 5},
    {"long", BYTES("\x02\0\0\0\0\0\x01\0\0"), ALM_ZMTP_WHOLE, 0, 9, 65536},
    {"long and small", BYTES("\x02\0\0\0\0\0\0\0\x07"), ALM_ZMTP_WHOLE, 0, 9, 7},
    {"long command", BYTES("\x06\0\0\0\0\0\0\x01\x01"), ALM_ZMTP_WHOLE, ALM_ZMTP_COMMAND, 9, 257},
    {"as long as may be", BYTES("\x02\x7f\xff\xff\xff\xff\xff\xff\xff"), ALM_ZMTP_WHOLE, 0, 9,
     INT64_MAX},
    {"longer", BYTES("\x02\x80\0\0\0\0\0\0\0"), ALM_ZMTP_BAD, 0, 0, 0},
    {"command with more", BYTES("\x05\x05"), ALM_ZMTP_BAD, 0, 0, 0},
    {"reserved flag", BYTES("\x08"), ALM_ZMTP_BAD, 0, 0, 0},
    {"reserved high flag", BYTES("\x80\x00"), ALM_ZMTP_BAD, 0, 0, 0},
};

static alm_bytes bytes_of(alm_str text)
{
    return (alm_bytes){.data = (const uint8_t *)text.data, .len = text.len};
}

static void header(void **state)
{
    const header_row *row = *state;
    alm_zmtp_header got;
    assert_int_equal(alm_zmtp_header_read(bytes_of(row->wire), &got), row->want);
    if (row->want == ALM_ZMTP_BAD) {
        return;
    }
    assert_int_equal(got.len, row->len);
    if (row->want == ALM_ZMTP_WHOLE) {
        assert_int_equal(got.flags, row->flags);
        assert_int_equal(got.body_len, row->body_len);
    }
}

static void written_headers_are_read_the_same(void **state)
{
    (void)state;
    const size_t lens[] = {0, 1, 255, 256, 65535, 65536, (size_t)1 << 32};
    const uint8_t flags[] = {0, ALM_ZMTP_MORE, ALM_ZMTP_COMMAND};
    for (size_t i = 0; i < ALM_ARRAY_LEN(lens) * ALM_ARRAY_LEN(flags); i++) {
        size_t body_len = lens[i / ALM_ARRAY_LEN(flags)];
        uint8_t wire[ALM_ZMTP_HEADER_BYTES_MAX];
        uint8_t flag = flags[i % ALM_ARRAY_LEN(flags)];
        size_t len = alm_zmtp_header_write(flag, body_len, wire);
        assert_int_equal(len, body_len <= 255 ? 2 : 9);
        alm_zmtp_header got;
        alm_bytes data = {.data = wire, .len = len};
        assert_int_equal(alm_zmtp_header_read(data, &got), ALM_ZMTP_WHOLE);
        assert_int_equal(got.body_len, body_len);
        assert_int_equal(got.flags, flag);
        data.len = len - 1;
        assert_int_equal(alm_zmtp_header_read(data, &got), ALM_ZMTP_SHORT);
    }
}

// --- greetings -----------------------------------------------------------------------------------

typedef struct greeting_row {
    const char *name;
    size_t at; // this byte of a good greeting ...
    uint8_t byte;
    alm_zmtp_parsed want;
    size_t len; // ... of which so much has come
    alm_zmtp_mechanism mechanism;
} greeting_row;

static const greeting_row greeting_rows[] = {
    {"nothing yet", 0, 0xff, ALM_ZMTP_SHORT, 0, 0},
    {"begun", 0, 0xff, ALM_ZMTP_SHORT, 1, 0},
    {"all but one", 0, 0xff, ALM_ZMTP_SHORT, 63, 0},
    {"good", 0, 0xff, ALM_ZMTP_WHOLE, 64, ALM_ZMTP_CURVE},
    {"padding does not matter", 8, 1, ALM_ZMTP_WHOLE, 64, ALM_ZMTP_CURVE},
    {"filler does not matter", 63, 9, ALM_ZMTP_WHOLE, 64, ALM_ZMTP_CURVE},
    {"3.0", 11, 0, ALM_ZMTP_WHOLE, 64, ALM_ZMTP_CURVE},
    {"4", 10, 4, ALM_ZMTP_WHOLE, 64, ALM_ZMTP_CURVE},
    {"HTTP", 0, 'G', ALM_ZMTP_BAD, 1, 0},
    {"bad end of the signature", 9, 0x7e, ALM_ZMTP_BAD, 10, 0},
    {"2.0", 10, 2, ALM_ZMTP_BAD, 11, 0},
    {"as-server is no boolean", 32, 2, ALM_ZMTP_BAD, 33, 0},
    {"strange mechanism", 12, 'X', ALM_ZMTP_WHOLE, 64, ALM_ZMTP_STRANGE},
    {"mechanism with a tail", 18, 'X', ALM_ZMTP_WHOLE, 64, ALM_ZMTP_STRANGE},
    {"lower case", 12, 'c', ALM_ZMTP_WHOLE, 64, ALM_ZMTP_STRANGE},
};

static void greeting(void **state)
{
    const greeting_row *row = *state;
    uint8_t wire[ALM_ZMTP_GREETING_BYTES];
    alm_zmtp_greeting_write(ALM_ZMTP_CURVE, true, wire);
    wire[row->at] = row->byte;
    alm_zmtp_greeting got;
    alm_bytes data = {.data = wire, .len = row->len};
    assert_int_equal(alm_zmtp_greeting_read(data, &got), row->want);
    if (row->want == ALM_ZMTP_WHOLE) {
        assert_int_equal(got.mechanism, row->mechanism);
        assert_true(got.is_server);
    }
}

static void a_greeting_is_as_the_rfc_draws_it(void **state)
{
    (void)state;
    uint8_t wire[ALM_ZMTP_GREETING_BYTES];
    alm_zmtp_greeting_write(ALM_ZMTP_NULL, false, wire);
    uint8_t want[ALM_ZMTP_GREETING_BYTES] = {
        0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1, 'N', 'U', 'L', 'L',
    };
    assert_memory_equal(wire, want, sizeof want);
}

// --- commands and metadata -----------------------------------------------------------------------

typedef struct command_row {
    const char *name;
    alm_str wire;
    bool want;
    const char *command, *data;
} command_row;

static const command_row command_rows[] = {
    {"a name", BYTES("\x04PING"), true, "PING", ""},
    {"name and data", BYTES("\x05READYabc"), true, "READY", "abc"},
    {"nothing", BYTES(""), false, NULL, NULL},
    {"no name", BYTES("\x00PING"), false, NULL, NULL},
    {"past the end", BYTES("\x05PING"), false, NULL, NULL},
    {"only a length", BYTES("\xff"), false, NULL, NULL},
};

static void command(void **state)
{
    const command_row *row = *state;
    alm_zmtp_command got;
    assert_int_equal(alm_zmtp_command_read(row->wire, &got), row->want);
    if (row->want) {
        assert_true(alm_str_eq(got.name, alm_str_from(row->command)));
        assert_true(alm_str_eq(got.data, alm_str_from(row->data)));
    }
}

static void a_command_is_written_as_a_frame(void **state)
{
    (void)state;
    alm_buf out;
    alm_buf_init(&out, 0);
    alm_zmtp_command_write(&out, ALM_STR("PONG"), ALM_STR("xy"));
    alm_str want = BYTES("\x04\x07\x04PONGxy");
    assert_true(alm_str_eq(alm_buf_view(&out), want));
    alm_buf_deinit(&out);
}

typedef struct metadata_row {
    const char *name;
    alm_str wire;
    const char *want; // NULL: not taken
} metadata_row;

#define SOCKET_TYPE "\x0bSocket-Type\0\0\0\x06"

static const metadata_row metadata_rows[] = {
    {"socket type", BYTES(SOCKET_TYPE "DEALER"), "DEALER"},
    {"with others", BYTES("\x08Identity\0\0\0\0" SOCKET_TYPE "ROUTER\x01X\0\0\0\x01y"), "ROUTER"},
    {"another case",
     BYTES("\x0bsocket-TYPE\0\0\0\x06"
           "DEALER"),
     "DEALER"},
    {"empty value", BYTES("\x0bSocket-Type\0\0\0\0"), ""},
    {"nothing", BYTES(""), NULL},
    {"no socket type", BYTES("\x08Identity\0\0\0\0"), NULL},
    {"twice", BYTES(SOCKET_TYPE "DEALER" SOCKET_TYPE "ROUTER"), NULL},
    {"no name", BYTES(SOCKET_TYPE "DEALER\0\0\0\0\0"), NULL},
    {"bad name", BYTES(SOCKET_TYPE "DEALER\x01/\0\0\0\0"), NULL},
    {"name past the end", BYTES(SOCKET_TYPE "DEALER\x05X"), NULL},
    {"cut size", BYTES(SOCKET_TYPE "DEALER\x01X\0\0\0"), NULL},
    {"value past the end",
     BYTES("\x0bSocket-Type\0\0\0\x07"
           "DEALER"),
     NULL},
    {"huge value",
     BYTES("\x0bSocket-Type\xff\xff\xff\xff"
           "DEALER"),
     NULL},
};

static void metadata(void **state)
{
    const metadata_row *row = *state;
    alm_str got;
    assert_int_equal(alm_zmtp_socket_type(row->wire, &got), row->want != NULL);
    if (row->want != NULL) {
        assert_true(alm_str_eq(got, alm_str_from(row->want)));
    }
}

static void written_metadata_is_read_the_same(void **state)
{
    (void)state;
    alm_buf out;
    alm_buf_init(&out, 0);
    alm_zmtp_property_write(&out, ALM_STR("X-a"), ALM_STR("1"));
    alm_zmtp_property_write(&out, ALM_STR(ALM_ZMTP_PROPERTY_SOCKET), ALM_STR("ROUTER"));
    alm_str got;
    assert_true(alm_zmtp_socket_type(alm_buf_view(&out), &got));
    assert_true(alm_str_eq(got, ALM_STR("ROUTER")));
    alm_buf_deinit(&out);
}

#define ADD_ROWS(rows, test)                                                                       \
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {                                             \
        tests[count++] = (struct CMUnitTest){                                                      \
            .name = (rows)[i].name, .test_func = (test), .initial_state = &at_##rows[i]};          \
        at_##rows[i] = (rows)[i];                                                                  \
    }

int main(void)
{
    static header_row at_header_rows[ALM_ARRAY_LEN(header_rows)];
    static greeting_row at_greeting_rows[ALM_ARRAY_LEN(greeting_rows)];
    static command_row at_command_rows[ALM_ARRAY_LEN(command_rows)];
    static metadata_row at_metadata_rows[ALM_ARRAY_LEN(metadata_rows)];
    static struct CMUnitTest tests[100] = {
        cmocka_unit_test(written_headers_are_read_the_same),
        cmocka_unit_test(a_greeting_is_as_the_rfc_draws_it),
        cmocka_unit_test(a_command_is_written_as_a_frame),
        cmocka_unit_test(written_metadata_is_read_the_same),
    };
    size_t count = 4;
    ADD_ROWS(header_rows, header)
    ADD_ROWS(greeting_rows, greeting)
    ADD_ROWS(command_rows, command)
    ADD_ROWS(metadata_rows, metadata)
    return _cmocka_run_group_tests("zmtp_codec", tests, count, NULL, NULL);
}
