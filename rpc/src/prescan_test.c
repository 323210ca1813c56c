#include "prescan.h"

#include "alm/alloc.h"
#include "alm/buf.h"
#include "alm/limits.h"
#include "almanac/internal/reflection.pb-c.h"
#include "almanac/internal/storage.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define SEED 20261124u

// --- rows ----------------------------------------------------------------------------------------

typedef struct row {
    const char *name;
    alm_str wire; // of a DescribeMessageResponse: 1 string, 2 and 3 repeated messages
    alm_code want;
    const char *says;
} row;

static const row rows[] = {
    {"empty", {0}, ALM_OK, NULL},
    {"a text",
     {.data = "\x0a\x03"
              "abc",
      .len = 5},
     ALM_OK,
     NULL},
    {"a message",
     {.data = "\x12\x03\x0a\x01"
              "a",
      .len = 5},
     ALM_OK,
     NULL},
    {"empty messages", {.data = "\x12\x00\x12\x00\x1a\x00", .len = 6}, ALM_OK, NULL},
    {"an unknown field",
     {.data = "\x7a\x02"
              "xy",
      .len = 4},
     ALM_OK,
     NULL},
    {"a text twice",
     {.data = "\x0a\x01"
              "a"
              "\x0a\x01"
              "b",
      .len = 6},
     ALM_OK,
     NULL},
    {"a lone tag", {.data = "\x0a", .len = 1}, ALM_INVALID_ARGUMENT, "bad length"},
    {"an unfinished tag", {.data = "\x8a", .len = 1}, ALM_INVALID_ARGUMENT, "bad tag"},
    {"a tag of six bytes",
     {.data = "\x8a\x80\x80\x80\x80\x01", .len = 6},
     ALM_INVALID_ARGUMENT,
     "bad tag"},
    {"a field of number 0", {.data = "\x00\x00", .len = 2}, ALM_INVALID_ARGUMENT, "number 0"},
    {"number 0 in a long tag",
     {.data = "\x80\x00\x00", .len = 3},
     ALM_INVALID_ARGUMENT,
     "number 0"},
    {"text past the end",
     {.data = "\x0a\x04"
              "abc",
      .len = 5},
     ALM_INVALID_ARGUMENT,
     "past the end"},
    {"inner past the outer",
     {.data = "\x12\x02\x0a\x01"
              "a",
      .len = 5},
     ALM_INVALID_ARGUMENT,
     "past the end"},
    {"a group", {.data = "\x0b\x0c", .len = 2}, ALM_INVALID_ARGUMENT, "wire type"},
    {"an endless varint",
     {.data = "\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", .len = 11},
     ALM_INVALID_ARGUMENT,
     "bad varint"},
    {"text that is not UTF-8",
     {.data = "\x0a\x02\xc3\x28", .len = 4},
     ALM_INVALID_ARGUMENT,
     "name is not UTF-8"},
    {"text with a NUL",
     {.data = "\x0a\x03"
              "a\0b",
      .len = 5},
     ALM_INVALID_ARGUMENT,
     "holds a NUL"},
    {"bad text inside",
     {.data = "\x12\x03\x0a\x01\xff", .len = 5},
     ALM_INVALID_ARGUMENT,
     "FieldInfo.name is not UTF-8"},
};

static void scan_row(void **state)
{
    const row *r = *state;
    size_t cost = 0;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_prescan(&almanac__internal__describe_message_response__descriptor, r->wire,
                                ALM_RPC_ELEMENT_COUNT_MAX, &cost, &st);
    if (code != r->want) {
        fail_msg("want %s, got %s: %s", alm_code_name(r->want), alm_code_name(code), st.message);
    }
    if (r->says != NULL && strstr(st.message, r->says) == NULL) {
        fail_msg("'%s' does not say '%s'", st.message, r->says);
    }
    alm_arena *arena = alm_arena_create(0);
    ProtobufCMessage *message = NULL;
    code = alm_message_unpack(&almanac__internal__describe_message_response__descriptor, r->wire,
                              ALM_RPC_ELEMENT_COUNT_MAX, arena, &message, &st);
    assert_int_equal(code, r->want);
    alm_arena_destroy(&arena);
}

// --- limits --------------------------------------------------------------------------------------

// A message that holds one of its own kind, in field 1: what our own protos must not have, but a
// scan must survive. Only the scan looks at it.
static ProtobufCFieldDescriptor nested_field = {
    .name = "inner",
    .id = 1,
    .label = PROTOBUF_C_LABEL_NONE,
    .type = PROTOBUF_C_TYPE_MESSAGE,
};
static ProtobufCMessageDescriptor nested = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "test.Nested",
    .sizeof_message = 64,
    .n_fields = 1,
    .fields = &nested_field,
};

static void depth_is_limited(void **state)
{
    (void)state;
    nested_field.descriptor = &nested;
    uint8_t wire[2 * ALM_RPC_UNPACK_DEPTH_MAX];
    for (size_t i = 0; i < ALM_RPC_UNPACK_DEPTH_MAX; i++) {
        wire[2 * i] = 0x0a;
        wire[2 * i + 1] = (uint8_t)(sizeof wire - 2 * i - 2);
    }
    size_t cost;
    alm_status st = ALM_STATUS_INIT;
    alm_str whole = {.data = (const char *)wire, .len = sizeof wire};
    assert_int_equal(alm_prescan(&nested, whole, ALM_RPC_ELEMENT_COUNT_MAX, &cost, &st),
                     ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "too deep"));
    alm_str fewer = alm_str_slice(whole, 2, whole.len); // one level less
    assert_int_equal(alm_prescan(&nested, fewer, ALM_RPC_ELEMENT_COUNT_MAX, &cost, NULL), ALM_OK);
}

static void a_message_field_comes_once(void **state)
{
    (void)state;
    nested_field.descriptor = &nested;
    size_t cost;
    alm_status st = ALM_STATUS_INIT;
    alm_str twice = {.data = "\x0a\x00\x0a\x00", .len = 4};
    assert_int_equal(alm_prescan(&nested, twice, ALM_RPC_ELEMENT_COUNT_MAX, &cost, &st),
                     ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "second value"));
}

// Two bytes each, a hundred and more in memory.
static void empty_messages_do_not_amplify_without_bound(void **state)
{
    (void)state;
    size_t len = ALM_RPC_MESSAGE_BYTES_MAX;
    uint8_t *wire = alm_alloc(len);
    assert_non_null(wire);
    for (size_t i = 0; i < len; i += 2) {
        wire[i] = 0x12;
        wire[i + 1] = 0;
    }
    size_t cost;
    alm_status st = ALM_STATUS_INIT;
    alm_str whole = {.data = (const char *)wire, .len = len};
    assert_int_equal(alm_prescan(&almanac__internal__describe_message_response__descriptor, whole,
                                 ALM_RPC_ELEMENT_COUNT_MAX, &cost, &st),
                     ALM_RESOURCE_EXHAUSTED);
    alm_free(wire);
}

typedef struct element_row {
    const char *name;
    const ProtobufCMessageDescriptor *type;
    alm_str wire;
    size_t count;
} element_row;

#define DESCRIBE &almanac__internal__describe_message_response__descriptor
#define COMMIT   &almanac__internal__commit_request__descriptor
#define BYTES(s)                                                                                   \
    {                                                                                              \
        .data = (s), .len = sizeof(s) - 1                                                          \
    }

static const element_row element_rows[] = {
    {"a text", DESCRIBE,
     BYTES("\x0a\x03"
           "abc"),
     1},
    {"a text twice", DESCRIBE,
     BYTES("\x0a\x01"
           "a"
           "\x0a\x01"
           "b"),
     2},
    {"an unknown field", DESCRIBE,
     BYTES("\x7a\x02"
           "xy"),
     1},
    {"empty messages", DESCRIBE, BYTES("\x12\x00\x12\x00\x1a\x00"), 3},
    {"a message and what is in it", DESCRIBE,
     BYTES("\x12\x05\x0a\x01"
           "a"
           "\x10\x01"),
     3},
};

static void elements_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALM_ARRAY_LEN(element_rows); i++) {
        const element_row *it = &element_rows[i];
        size_t cost;
        alm_status st = ALM_STATUS_INIT;
        char want[80];
        assert_int_equal(alm_prescan(it->type, it->wire, it->count, &cost, &st), ALM_OK);
        if (alm_prescan(it->type, it->wire, it->count - 1, &cost, &st) != ALM_RESOURCE_EXHAUSTED) {
            fail_msg("%s has not %zu elements", it->name, it->count);
        }
        snprintf(want, sizeof want, "at least %zu elements pass the limit of %zu", it->count,
                 it->count - 1);
        assert_non_null(strstr(st.message, want));
    }
}

static void a_full_arena_is_a_limit_not_bad_bytes(void **state)
{
    (void)state;
    static uint8_t wire[20000];
    for (size_t i = 0; i < sizeof wire; i += 2) {
        wire[i] = 0x12;
        wire[i + 1] = 0;
    }
    alm_arena *arena = alm_arena_create(100000);
    ProtobufCMessage *message = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_str whole = {.data = (const char *)wire, .len = sizeof wire};
    assert_int_equal(alm_message_unpack(&almanac__internal__describe_message_response__descriptor,
                                        whole, ALM_RPC_ELEMENT_COUNT_MAX, arena, &message, &st),
                     ALM_RESOURCE_EXHAUSTED);
    alm_arena_destroy(&arena);
}

// --- against protobuf-c --------------------------------------------------------------------------

typedef struct counter {
    size_t bytes; // as an arena would hand them out: aligned, never given back
} counter;

static void *count_alloc(void *arg, size_t size)
{
    counter *c = arg;
    c->bytes += (size + 15) / 16 * 16;
    return alm_alloc(size);
}

static void count_free(void *arg, void *memory)
{
    (void)arg;
    alm_free(memory);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static size_t seed_reflection(uint8_t *out)
{
    Almanac__Internal__FieldInfo infos[3];
    Almanac__Internal__FieldInfo *fields[] = {&infos[0], &infos[1], &infos[2]};
    for (size_t i = 0; i < ALM_ARRAY_LEN(infos); i++) {
        almanac__internal__field_info__init(&infos[i]);
        infos[i].name = (char *)(uintptr_t) "地区";
        infos[i].number = (uint32_t)i;
    }
    Almanac__Internal__DescribeMessageResponse message;
    almanac__internal__describe_message_response__init(&message);
    message.name = (char *)(uintptr_t) "x.Y";
    message.n_fields = ALM_ARRAY_LEN(infos);
    message.fields = fields;
    return protobuf_c_message_pack(&message.base, out);
}

static size_t seed_commit(uint8_t *out)
{
    uint32_t places[] = {1, 2, 300, 400000};
    int64_t mantissas[] = {-1, 12345678901, 0};
    Almanac__Internal__ObservationBlock block;
    almanac__internal__observation_block__init(&block);
    block.rows = 4;
    block.n_place = 4;
    block.place = places;
    block.n_mantissa = 3;
    block.mantissa = mantissas;
    uint8_t digest[] = {1, 2, 3};
    Almanac__Internal__CommitRequest message;
    almanac__internal__commit_request__init(&message);
    message.batch_id = (char *)(uintptr_t) "b1";
    message.digest = (ProtobufCBinaryData){.len = 3, .data = digest};
    message.observations = &block;
    return protobuf_c_message_pack(&message.base, out);
}

#define WIRE_MAX 4096

// Values of packed fields, and the fields and messages around them.
static void packed_values_are_counted(void **state)
{
    (void)state;
    uint8_t wire[WIRE_MAX];
    // batch_id, digest, observations and rows; 4 places and 3 mantissas, packed
    alm_str commit = {.data = (const char *)wire, .len = seed_commit(wire)};
    const size_t count = 4 + 4 + 3;
    size_t cost;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_prescan(COMMIT, commit, count, &cost, &st), ALM_OK);
    assert_int_equal(alm_prescan(COMMIT, commit, count - 1, &cost, &st), ALM_RESOURCE_EXHAUSTED);
}

// Changes, removes, inserts or repeats a few bytes.
static size_t mutate(uint8_t *wire, size_t len, uint32_t *random)
{
    for (uint32_t n = next_random(random) % 4; n > 0 && len > 2; n--) {
        size_t at = next_random(random) % len;
        size_t run = 1 + next_random(random) % ALM_MIN(len - at, (size_t)12);
        switch (next_random(random) % 4) {
        case 0:
            wire[at] = (uint8_t)next_random(random);
            break;
        case 1:
            wire[at] ^= (uint8_t)(1u << next_random(random) % 8);
            break;
        case 2:
            memmove(wire + at, wire + at + run, len - at - run);
            len -= run;
            break;
        default:
            if (len + run <= WIRE_MAX) {
                memmove(wire + at + run, wire + at, len - at);
                len += run;
            }
            break;
        }
    }
    return len;
}

// The four things the scan refuses and protobuf-c does not.
static bool is_our_own_rule(const alm_status *st)
{
    return strstr(st->message, "a field of number 0") != NULL ||
           strstr(st->message, "second value") != NULL || strstr(st->message, "UTF-8") != NULL ||
           strstr(st->message, "NUL") != NULL;
}

static void check_agreement(const ProtobufCMessageDescriptor *type, alm_str wire, int round,
                            size_t *ret_unpacked)
{
    counter count = {0};
    ProtobufCAllocator allocator = {
        .alloc = count_alloc, .free = count_free, .allocator_data = &count};
    size_t cost = 0;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_prescan(type, wire, ALM_RPC_ELEMENT_COUNT_MAX, &cost, &st);
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator, wire.len, (const uint8_t *)wire.data);
    if (message != NULL && code != ALM_OK && !is_our_own_rule(&st)) {
        fail_msg("seed %u round %d: unpacked, but the scan says %s", SEED, round, st.message);
    }
    if (message != NULL && code == ALM_OK && count.bytes > cost) {
        fail_msg("seed %u round %d: took %zu bytes, the scan said %zu", SEED, round, count.bytes,
                 cost);
    }
    *ret_unpacked += message != NULL;
    protobuf_c_message_free_unpacked(message, &allocator);
}

static void scan_agrees_with_protobuf_c(void **state)
{
    (void)state;
    uint8_t seeds[2][WIRE_MAX];
    size_t lens[] = {seed_reflection(seeds[0]), seed_commit(seeds[1])};
    const ProtobufCMessageDescriptor *types[] = {
        &almanac__internal__describe_message_response__descriptor,
        &almanac__internal__commit_request__descriptor};
    uint32_t random = SEED;
    size_t unpacked = 0;
    const int rounds = 200000;
    for (int round = 0; round < rounds; round++) {
        size_t which = next_random(&random) % 2;
        uint8_t wire[WIRE_MAX];
        memcpy(wire, seeds[which], lens[which]);
        size_t len = mutate(wire, lens[which], &random);
        alm_str view = {.data = (const char *)wire, .len = len};
        check_agreement(types[which], view, round, &unpacked);
    }
    assert_in_range(unpacked, rounds / 10, rounds - rounds / 10); // both kinds were met
}

int main(void)
{
    struct CMUnitTest tests[7 + ALM_ARRAY_LEN(rows)] = {
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(a_message_field_comes_once),
        cmocka_unit_test(empty_messages_do_not_amplify_without_bound),
        cmocka_unit_test(elements_are_counted),
        cmocka_unit_test(packed_values_are_counted),
        cmocka_unit_test(a_full_arena_is_a_limit_not_bad_bytes),
        cmocka_unit_test(scan_agrees_with_protobuf_c),
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        tests[7 + i] = (struct CMUnitTest){
            .name = rows[i].name,
            .test_func = scan_row,
            .initial_state = (void *)(uintptr_t)&rows[i],
        };
    }
    return cmocka_run_group_tests_name("prescan", tests, NULL, NULL);
}
