// Goal: what is written is proto3's JSON, what is read is what was meant or an error that says
// where it is wrong, and nothing is lost on the way. Method: tables over a message with every type;
// random messages of the real types there and back, equal by their packed bytes; jansson reads what
// is written; inputs that are too deep, too long, cut or damaged.
#include "alm/message_json.h"

#include "alm/alloc.h"
#include "alm/limits.h"

#include "almanac/internal/health.pb-c.h"
#include "almanac/internal/storage.pb-c.h"
#include "almanac/v1/common.pb-c.h"
#include "almanac/v1/gateway.pb-c.h"
#include "every.pb-c.h"
#include "random_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <jansson.h>
#include <cmocka.h>

#define EVERY (&almanac__test__every__descriptor)

typedef struct fixture {
    alm_arena *arena;
    alm_buf out;
    alm_status st;
} fixture;

static void open_fixture(fixture *f)
{
    f->arena = alm_arena_create(0);
    assert_non_null(f->arena);
    alm_buf_init(&f->out, 0);
    f->st = ALM_STATUS_INIT;
}

static void close_fixture(fixture *f)
{
    alm_arena_destroy(&f->arena);
    alm_buf_deinit(&f->out);
}

static ProtobufCMessage *read_json(fixture *f, const ProtobufCMessageDescriptor *type, alm_str json)
{
    ProtobufCMessage *message = NULL;
    alm_code code = alm_message_from_json(type, json, f->arena, &message, &f->st);
    if (code != ALM_OK) {
        fail_msg("%.*s: %s", ALM_STR_ARGS(json), f->st.message);
    }
    return message;
}

static const char *write_json(fixture *f, const ProtobufCMessage *message,
                              const alm_json_opts *opts)
{
    alm_buf_reset(&f->out);
    if (alm_message_to_json(message, opts, &f->out, &f->st) != ALM_OK) {
        fail_msg("%s", f->st.message);
    }
    return alm_arena_strdup(f->arena, alm_buf_view(&f->out));
}

// --- read and written again: the normal form -----------------------------------------------------

typedef struct form_row {
    const char *name, *in, *out; // out NULL: the same as in
} form_row;

static const form_row form_rows[] = {
    {"nothing", "{}", NULL},
    {"spaces", " \r\n\t{ } ", "{}"},
    {"numbers", "{\"anInt32\":-1,\"anInt64\":\"-2\",\"aUint32\":3,\"aUint64\":\"4\"}", NULL},
    {"original names", "{\"an_int32\":1,\"some_bytes\":\"AA==\"}",
     "{\"anInt32\":1,\"someBytes\":\"AA==\"}"},
    {"64 bits as numbers", "{\"anInt64\":-9223372036854775808,\"aUint64\":18446744073709551615}",
     "{\"anInt64\":\"-9223372036854775808\",\"aUint64\":\"18446744073709551615\"}"},
    {"32 bits as texts", "{\"anInt32\":\"-2147483648\",\"aUint32\":\"4294967295\"}",
     "{\"anInt32\":-2147483648,\"aUint32\":4294967295}"},
    {"integers with an exponent", "{\"anInt32\":1.50e1,\"anInt64\":\"1e3\",\"aUint32\":20e-1}",
     "{\"anInt32\":15,\"anInt64\":\"1000\",\"aUint32\":2}"},
    {"a long way to a small number", "{\"aUint32\":0.00000000000000000000000000000003e32}",
     "{\"aUint32\":3}"},
    {"zero with any exponent", "{\"aUint32\":0e999999999999999999999,\"anInt32\":-0}", "{}"},
    {"zigzag and fixed",
     "{\"aSint32\":-5,\"aSint64\":\"-6\",\"aFixed32\":7,\"aFixed64\":\"8\",\"aSfixed32\":-9,"
     "\"aSfixed64\":\"-10\"}",
     NULL},
    {"floating", "{\"aFloat\":0.1,\"aDouble\":0.1}", NULL},
    {"floating, whole", "{\"aFloat\":16777216,\"aDouble\":1e15}",
     "{\"aFloat\":16777216,\"aDouble\":1e+15}"},
    {"floating, smallest", "{\"aFloat\":1e-45,\"aDouble\":5e-324}", NULL},
    {"floating, largest", "{\"aFloat\":3.4028235e+38,\"aDouble\":1.7976931348623157e+308}", NULL},
    {"floating as text", "{\"aFloat\":\"1.5\",\"aDouble\":\"-2.5e3\"}",
     "{\"aFloat\":1.5,\"aDouble\":-2500}"},
    {"not numbers", "{\"aFloat\":\"NaN\",\"aDouble\":\"-Infinity\",\"doubles\":[\"Infinity\"]}",
     NULL},
    {"enums", "{\"aColour\":\"COLOUR_BLUE\",\"colours\":[1,\"COLOUR_MINUS\",77,\"5\"]}",
     "{\"aColour\":\"COLOUR_BLUE\",\"colours\":[\"COLOUR_RED\",\"COLOUR_MINUS\",77,"
     "\"COLOUR_BLUE\"]}"},
    {"bool", "{\"aBool\":true,\"bools\":[false,true]}", NULL},
    {"escapes", "{\"aText\":\"\\u0041\\\"\\\\\\/\\b\\f\\n\\r\\t\\u4e2d\\ud83c\\udf0d\"}",
     "{\"aText\":\"A\\\"\\\\/\\b\\f\\n\\r\\t中🌍\"}"},
    {"what a terminal obeys", "{\"aText\":\"\\u001b[2J\\u009b\\u007f\\u2028\"}", NULL},
    {"a name with an escape", "{\"a\\u0054ext\":\"x\"}", "{\"aText\":\"x\"}"},
    {"base64", "{\"blobs\":[\"\",\"QQ==\",\"QUI=\",\"QUJD\",\"-_8\",\"+/8=\",\"QQ\"]}",
     "{\"blobs\":[\"\",\"QQ==\",\"QUI=\",\"QUJD\",\"+/8=\",\"+/8=\",\"QQ==\"]}"},
    {"null is not set",
     "{\"aText\":null,\"small\":null,\"texts\":null,\"choiceText\":null,"
     "\"choiceNumber\":\"3\"}",
     "{\"choiceNumber\":\"3\"}"},
    {"empty message", "{\"small\":{}}", NULL},
    {"oneof at its default", "{\"choiceText\":\"\"}", NULL},
    {"oneof of a bool", "{\"choiceBool\":false}", NULL},
    {"oneof of a message", "{\"choiceSmall\":{\"number\":9}}", NULL},
    {"nested", "{\"middles\":[{\"smalls\":[{\"text\":\"a\"},{}],\"small\":{\"number\":1}},{}]}",
     NULL},
    {"any order", "{\"aText\":\"x\",\"anInt32\":1}", "{\"anInt32\":1,\"aText\":\"x\"}"},
    {"empty list", "{\"texts\":[],\"middles\":[]}", "{}"},
};

static void has_form(void **state)
{
    const form_row *row = *state;
    fixture f;
    open_fixture(&f);
    ProtobufCMessage *message = read_json(&f, EVERY, alm_str_from(row->in));
    assert_string_equal(write_json(&f, message, NULL), row->out != NULL ? row->out : row->in);
    close_fixture(&f);
}

// --- what is refused, and how it is said ---------------------------------------------------------

typedef struct bad_row {
    const char *name, *in, *field, *message; // message: a part of it
} bad_row;

static const bad_row bad_rows[] = {
    {"nothing", "", "", "line 1, column 1 of the JSON: expected {"},
    {"a list", "[]", "", "expected {"},
    {"two", "{}{}", "", "line 1, column 3 of the JSON: expected nothing behind"},
    {"no end", "{\"anInt32\":1", "an_int32", "expected , or }"},
    {"no colon", "{\"anInt32\" 1}", "an_int32", "expected :"},
    {"no value", "{\"anInt32\":}", "an_int32", "expected a value"},
    {"comma at the end", "{\"anInt32\":1,}", "", "expected a name in quotes"},
    {"comma at the end of a list", "{\"int32s\":[1,]}", "int32s[1]", "expected a value"},
    {"no comma", "{\"int32s\":[1 2]}", "int32s[1]", "expected , or ]"},
    {"no quotes", "{anInt32:1}", "", "text needs quotes"},
    {"wrong line", "{\n\n  \"aText\": 'x'}", "a_text", "line 3, column 12"},
    {"leading zero", "{\"anInt32\":01}", "an_int32", "neither a JSON number"},
    {"plus", "{\"anInt32\":+1}", "an_int32", "neither a JSON number"},
    {"not a number", "{\"aDouble\":NaN}", "a_double", "text needs quotes"},
    {"control character", "{\"aText\":\"\n\"}", "a_text", "control character"},
    {"no such escape", "{\"aText\":\"\\x\"}", "a_text", "no such escape"},
    {"half an escape", "{\"aText\":\"\\u12", "a_text", "no such escape"},
    {"open string", "{\"aText\":\"abc", "a_text", "does not end"},
    {"high surrogate", "{\"aText\":\"\\ud800\"}", "a_text", "surrogate"},
    {"two high surrogates", "{\"aText\":\"\\ud800\\ud800\"}", "a_text", "surrogate"},
    {"low surrogate", "{\"aText\":\"\\udc00\"}", "a_text", "surrogate"},
    {"a NUL", "{\"aText\":\"a\\u0000b\"}", "a_text", "the character 0"},
    {"not UTF-8", "{\"aText\":\"\xff\"}", "", "not UTF-8 at byte 10"},
    {"unknown field", "{\"colour\":1}", "colour", "colour: almanac.test.Every has no such field"},
    {"near field", "{\"a_txet\":\"\"}", "a_txet", "did you mean a_text?"},
    {"unknown field inside", "{\"middles\":[{},{\"smalls\":[{\"txt\":1}]}]}",
     "middles[1].smalls[0].txt", "almanac.test.Small has no such field; did you mean text?"},
    {"twice", "{\"aText\":\"\",\"aText\":\"\"}", "a_text", "second time"},
    {"twice by two names", "{\"aText\":\"\",\"a_text\":\"\"}", "a_text", "second time"},
    {"two of a oneof", "{\"choiceText\":\"\",\"choiceBool\":false}", "choice_bool",
     "false cannot be set together with choice_text"},
    {"text for a number", "{\"middles\":[{\"smalls\":[{},{\"number\":\"x\"}]}]}",
     "middles[0].smalls[1].number", "middles[0].smalls[1].number: \"x\" is not a uint32"},
    {"int64", "{\"int64s\":[1,2,3,\"x\"]}", "int64s[3]", "int64s[3]: \"x\" is not an int64"},
    {"a fraction", "{\"anInt32\":1.5}", "an_int32", "1.5 is not an int32"},
    {"int32 too large", "{\"anInt32\":2147483648}", "an_int32", "out of the range of int32"},
    {"int32 too small", "{\"anInt32\":-2147483649}", "an_int32", "out of the range of int32"},
    {"uint32 too large", "{\"aUint32\":4294967296}", "a_uint32", "out of the range of uint32"},
    {"uint32 below zero", "{\"aUint32\":-1}", "a_uint32", "-1 is out of the range of uint32"},
    {"int64 too large", "{\"anInt64\":9223372036854775808}", "an_int64", "out of the range"},
    {"int64 too small", "{\"anInt64\":\"-9223372036854775809\"}", "an_int64", "out of the range"},
    {"uint64 too large", "{\"aUint64\":18446744073709551616}", "a_uint64", "out of the range"},
    {"uint64 far too large", "{\"aUint64\":1e999999999999}", "a_uint64", "out of the range"},
    {"double too large", "{\"aDouble\":1e309}", "a_double", "out of the range of double"},
    {"float too large", "{\"aFloat\":1e39}", "a_float", "out of the range of float"},
    {"number with a space", "{\"aDouble\":\" 1\"}", "a_double", "is not a double"},
    {"hexadecimal", "{\"aDouble\":\"0x10\"}", "a_double", "is not a double"},
    {"number for a text", "{\"aText\":1}", "a_text", "1 is not a string"},
    {"text for a bool", "{\"aBool\":\"true\"}", "a_bool", "\"true\" is not a bool"},
    {"unknown name of an enum", "{\"aColour\":\"RED\"}", "a_colour",
     "\"RED\" is no value of almanac.test.Colour"},
    {"enum too large", "{\"aColour\":2147483648}", "a_colour", "out of the range of enum"},
    {"not base64", "{\"someBytes\":\"A*==\"}", "some_bytes", "is not a bytes"},
    {"base64 of no length", "{\"someBytes\":\"A\"}", "some_bytes", "is not a bytes"},
    {"base64 with bits left", "{\"someBytes\":\"QR==\"}", "some_bytes", "is not a bytes"},
    {"object for a number", "{\"anInt32\":{}}", "an_int32", "an object is not an int32"},
    {"list for one", "{\"anInt32\":[1]}", "an_int32", "a list is not an int32"},
    {"one for a list", "{\"int32s\":1}", "int32s", "1 is not a list"},
    {"number for a message", "{\"small\":1}", "small", "1 is not an object of almanac.test.Small"},
    {"null in a list", "{\"texts\":[null]}", "texts[0]", "null is not a string"},
    {"null message in a list", "{\"middles\":[null]}", "middles[0]", "null is not an object"},
};

static void is_refused(void **state)
{
    const bad_row *row = *state;
    fixture f;
    open_fixture(&f);
    ProtobufCMessage *message = NULL;
    assert_int_equal(alm_message_from_json(EVERY, alm_str_from(row->in), f.arena, &message, &f.st),
                     ALM_INVALID_ARGUMENT);
    assert_null(message);
    assert_string_equal(f.st.field, row->field);
    if (strstr(f.st.message, row->message) == NULL) {
        fail_msg("no '%s' in '%s'", row->message, f.st.message);
    }
    close_fixture(&f);
}

// --- options -------------------------------------------------------------------------------------

static void options_change_what_is_written(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    ProtobufCMessage *empty = read_json(&f, &almanac__test__small__descriptor, ALM_STR("{}"));
    alm_json_opts defaults = {.defaults = true};
    assert_string_equal(write_json(&f, empty, &defaults), "{\"text\":\"\",\"number\":0}");
    ProtobufCMessage *every = read_json(&f, EVERY, ALM_STR("{\"someBytes\":\"QQ==\"}"));
    alm_json_opts original = {.original_names = true};
    assert_string_equal(write_json(&f, every, &original), "{\"some_bytes\":\"QQ==\"}");
    const char *all = write_json(&f, every, &defaults);
    assert_non_null(strstr(all, "\"anInt64\":\"0\""));
    assert_non_null(strstr(all, "\"aColour\":\"COLOUR_NONE\""));
    assert_non_null(strstr(all, "\"middles\":[]"));
    assert_null(strstr(all, "\"small\""));
    assert_null(strstr(all, "\"choice"));
    close_fixture(&f);
}

static void text_that_is_not_utf8_is_not_written(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    char bad[] = "a\xff";
    Almanac__Test__Small small;
    almanac__test__small__init(&small);
    small.text = bad;
    assert_int_equal(alm_message_to_json(&small.base, NULL, &f.out, &f.st), ALM_INVALID_ARGUMENT);
    assert_string_equal(f.st.message, "almanac.test.Small.text is not UTF-8");
    close_fixture(&f);
}

// --- there and back ------------------------------------------------------------------------------

static const ProtobufCMessageDescriptor *const types[] = {
    &almanac__test__every__descriptor,
    &almanac__v1__result_block__descriptor,
    &almanac__v1__indicator__descriptor,
    &almanac__v1__place__descriptor,
    &almanac__v1__query_request__descriptor,
    &almanac__v1__query_response__descriptor,
    &almanac__v1__import_request__descriptor,
    &almanac__v1__catalog_response__descriptor,
    &almanac__v1__watch_response__descriptor,
    &almanac__internal__commit_request__descriptor,
    &almanac__internal__read_request__descriptor,
    &almanac__internal__health_check_response__descriptor,
};

static alm_bytes pack(fixture *f, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = alm_arena_alloc(f->arena, size);
    assert_non_null(bytes);
    assert_int_equal(protobuf_c_message_pack(message, bytes), size);
    return (alm_bytes){bytes, size};
}

static void check_round_trip(fixture *f, const ProtobufCMessage *message, const alm_json_opts *opts,
                             uint64_t seed)
{
    const char *json = write_json(f, message, opts);
    json_t *tree = json_loads(json, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    assert_non_null(tree);
    json_decref(tree);
    alm_bytes want = pack(f, message);
    alm_bytes got = pack(f, read_json(f, message->descriptor, alm_str_from(json)));
    if (want.len != got.len || memcmp(want.data, got.data, want.len) != 0) {
        fail_msg("seed %llu: %s", (unsigned long long)seed, json);
    }
}

static void any_message_comes_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 6000; seed++) {
        fixture f;
        open_fixture(&f);
        random_source random = {seed};
        ProtobufCMessage *message =
            random_message(&random, types[seed % ALM_ARRAY_LEN(types)], f.arena);
        alm_json_opts opts = {.defaults = seed / 16 % 2 == 0, .original_names = seed / 32 % 2 == 0};
        check_round_trip(&f, message, &opts, seed);
        close_fixture(&f);
    }
}

// Cut anywhere and with any byte changed: an error or a message, and no harm.
static void damaged_input_does_no_harm(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    random_source random = {4};
    const char *json = write_json(&f, random_message(&random, EVERY, f.arena), NULL);
    size_t len = strlen(json);
    for (size_t cut = 0; cut < len; cut++) {
        ProtobufCMessage *message = NULL;
        assert_int_equal(
            alm_message_from_json(EVERY, (alm_str){json, cut}, f.arena, &message, NULL),
            ALM_INVALID_ARGUMENT);
    }
    for (int i = 0; i < 20000; i++) {
        fixture one;
        open_fixture(&one);
        char *damaged = alm_arena_strdup(one.arena, (alm_str){json, len});
        assert_non_null(damaged);
        damaged[random_next(&random) % len] = "\"\\{}[],:0 a\xc3"[random_next(&random) % 12];
        ProtobufCMessage *message = NULL;
        alm_code code =
            alm_message_from_json(EVERY, (alm_str){damaged, len}, one.arena, &message, &one.st);
        if (code == ALM_OK) {
            (void)pack(&one, message);
        }
        close_fixture(&one);
    }
    close_fixture(&f);
}

// --- limits --------------------------------------------------------------------------------------

// A type that holds itself, as a server's may that is not ours.
static ProtobufCMessageDescriptor chain_type;
typedef struct chain {
    ProtobufCMessage base;
    struct chain *next;
} chain;
static const ProtobufCFieldDescriptor chain_fields[] = {{.name = "next",
                                                         .id = 1,
                                                         .label = PROTOBUF_C_LABEL_NONE,
                                                         .type = PROTOBUF_C_TYPE_MESSAGE,
                                                         .offset = offsetof(chain, next),
                                                         .descriptor = &chain_type}};

static void make_chain(fixture *f, int depth, alm_str *ret)
{
    alm_buf_reset(&f->out);
    for (int i = 1; i < depth; i++) {
        alm_buf_str(&f->out, ALM_STR("{\"next\":"));
    }
    alm_buf_str(&f->out, ALM_STR("{}"));
    for (int i = 1; i < depth; i++) {
        alm_buf_char(&f->out, '}');
    }
    *ret = alm_buf_view(&f->out);
}

static void depth_has_an_end(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    chain_type = (ProtobufCMessageDescriptor){.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
                                              .name = "chain",
                                              .sizeof_message = sizeof(chain),
                                              .n_fields = 1,
                                              .fields = chain_fields};
    alm_str json;
    make_chain(&f, ALM_JSON_DEPTH_MAX, &json);
    ProtobufCMessage *message = read_json(&f, &chain_type, json);
    alm_buf again;
    alm_buf_init(&again, 0);
    assert_int_equal(alm_message_to_json(message, NULL, &again, NULL), ALM_OK);
    assert_true(alm_str_eq(alm_buf_view(&again), json));
    chain one_more = {.base.descriptor = &chain_type, .next = (chain *)message};
    assert_int_equal(alm_message_to_json(&one_more.base, NULL, &again, NULL), ALM_INVALID_ARGUMENT);
    make_chain(&f, ALM_JSON_DEPTH_MAX + 1, &json);
    assert_int_equal(alm_message_from_json(&chain_type, json, f.arena, &message, &f.st),
                     ALM_INVALID_ARGUMENT);
    alm_buf_deinit(&again);
    close_fixture(&f);
}

static void elements_have_an_end(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    alm_buf_str(&f.out, ALM_STR("{\"bools\":[true"));
    for (int i = 2; i < ALM_JSON_ELEMENT_COUNT_MAX; i++) { // the object is one too
        alm_buf_str(&f.out, ALM_STR(",true"));
    }
    size_t fits = f.out.len;
    alm_buf_str(&f.out, ALM_STR("]}"));
    ProtobufCMessage *message = read_json(&f, EVERY, alm_buf_view(&f.out));
    assert_int_equal(((Almanac__Test__Every *)message)->n_bools, ALM_JSON_ELEMENT_COUNT_MAX - 1);
    f.out.len = fits;
    alm_buf_str(&f.out, ALM_STR(",true]}"));
    assert_int_equal(alm_message_from_json(EVERY, alm_buf_view(&f.out), f.arena, &message, &f.st),
                     ALM_RESOURCE_EXHAUSTED);
    close_fixture(&f);
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    random_source random = {12};
    const char *json = write_json(&f, random_message(&random, EVERY, f.arena), NULL);
    size_t failed = 0;
    for (size_t bytes = 512; bytes < 32768; bytes += 256) {
        alm_arena *small = alm_arena_create(bytes);
        assert_non_null(small);
        ProtobufCMessage *message = NULL;
        alm_code code = alm_message_from_json(EVERY, alm_str_from(json), small, &message, NULL);
        assert_true(code == ALM_OK || code == ALM_RESOURCE_EXHAUSTED);
        failed += code != ALM_OK;
        alm_arena_destroy(&small);
    }
    assert_true(failed > 0);
    alm_buf tight;
    for (size_t max = 1; max < strlen(json); max += 7) {
        alm_buf_init(&tight, max);
        random.state = 12;
        assert_int_equal(
            alm_message_to_json(random_message(&random, EVERY, f.arena), NULL, &tight, NULL),
            ALM_RESOURCE_EXHAUSTED);
        alm_buf_deinit(&tight);
    }
    close_fixture(&f);
}

int main(void)
{
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test(options_change_what_is_written),
        cmocka_unit_test(text_that_is_not_utf8_is_not_written),
        cmocka_unit_test(any_message_comes_back),
        cmocka_unit_test(damaged_input_does_no_harm),
        cmocka_unit_test(depth_has_an_end),
        cmocka_unit_test(elements_have_an_end),
        cmocka_unit_test(without_memory_it_says_so),
    };
    struct CMUnitTest
        tests[ALM_ARRAY_LEN(form_rows) + ALM_ARRAY_LEN(bad_rows) + ALM_ARRAY_LEN(plain)];
    size_t count = 0;
    for (size_t i = 0; i < ALM_ARRAY_LEN(form_rows); i++) {
        tests[count++] = (struct CMUnitTest){.name = form_rows[i].name,
                                             .test_func = has_form,
                                             .initial_state = (void *)(uintptr_t)&form_rows[i]};
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(bad_rows); i++) {
        tests[count++] = (struct CMUnitTest){.name = bad_rows[i].name,
                                             .test_func = is_refused,
                                             .initial_state = (void *)(uintptr_t)&bad_rows[i]};
    }
    memcpy(tests + count, plain, sizeof plain);
    count += ALM_ARRAY_LEN(plain);
    return _cmocka_run_group_tests("message_json", tests, count, NULL, NULL);
}
