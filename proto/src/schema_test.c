// Goal: descriptors made at run time are those that protoc-c compiles, what is done with them gives
// the same bytes, text is what protoc would read again, and no set, whatever is in it, is taken
// when it could not be used. Method: all types of all services field by field against the compiled
// ones; random messages there and back through both; a set with every shape of the language; good
// sets damaged in one place each, cut, and out of memory.
#include "alm/schema.h"

#include "alm/alloc.h"
#include "alm/file_descriptors.h"
#include "alm/limits.h"
#include "alm/message_json.h"

#include "descriptor.pb-c.h"
#include "every.pb-c.h"
#include "random_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define SEED         UINT64_C(20261124)
#define TYPE_MAX     256
#define MESSAGE_RUNS 20

typedef struct fixture {
    alm_arena *arena;
    alm_schema *schema;
    alm_status st;
    alm_buf out;
} fixture;

static void open_fixture(fixture *f)
{
    *f = (fixture){.arena = alm_arena_create(0), .st = ALM_STATUS_INIT};
    assert_non_null(f->arena);
    alm_buf_init(&f->out, 0);
}

static void close_fixture(fixture *f)
{
    alm_buf_deinit(&f->out);
    alm_arena_destroy(&f->arena);
}

static alm_str product_set(void)
{
    return (alm_str){.data = (const char *)alm_file_descriptor_set,
                     .len = alm_file_descriptor_set_size};
}

// every.proto and shapes.proto, with their comments.
static alm_str testing_set(const fixture *f)
{
    FILE *file = fopen(ALM_TESTING_DESCRIPTORS, "rb");
    assert_non_null(file);
    size_t cap = (size_t)1 << 20;
    char *data = alm_arena_alloc(f->arena, cap);
    assert_non_null(data);
    size_t len = fread(data, 1, cap, file);
    assert_int_equal(fclose(file), 0);
    assert_true(len > 0 && len < cap);
    return (alm_str){.data = data, .len = len};
}

static void load(fixture *f, alm_str set)
{
    if (alm_schema_create(set, f->arena, &f->schema, &f->st) != ALM_OK) {
        fail_msg("%s", f->st.message);
    }
}

static const alm_symbol *find(fixture *f, const char *name)
{
    const alm_symbol *symbol = NULL;
    if (alm_schema_find(f->schema, alm_str_from(name), &symbol, &f->st) != ALM_OK) {
        fail_msg("%s", f->st.message);
    }
    return symbol;
}

// --- as the compiled ones ------------------------------------------------------------------------

// Pairs of a compiled and a made message descriptor that are compared, each once.
typedef struct pairs {
    const ProtobufCMessageDescriptor *compiled[TYPE_MAX], *made[TYPE_MAX];
    size_t count;
} pairs;

static void add_pair(pairs *all, const ProtobufCMessageDescriptor *compiled,
                     const ProtobufCMessageDescriptor *made)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->compiled[i] == compiled) {
            assert_ptr_equal(all->made[i], made);
            return;
        }
    }
    assert_true(all->count < TYPE_MAX);
    all->compiled[all->count] = compiled;
    all->made[all->count++] = made;
}

static void same_ranges(const ProtobufCIntRange *compiled, const ProtobufCIntRange *made,
                        unsigned count)
{
    for (unsigned i = 0; compiled != NULL && i <= count; i++) {
        assert_int_equal(made[i].start_value, compiled[i].start_value);
        assert_int_equal(made[i].orig_index, compiled[i].orig_index);
    }
}

static void same_enum(const ProtobufCEnumDescriptor *compiled, const ProtobufCEnumDescriptor *made)
{
    assert_int_equal(made->magic, compiled->magic);
    assert_string_equal(made->name, compiled->name);
    assert_string_equal(made->short_name, compiled->short_name);
    assert_string_equal(made->package_name, compiled->package_name);
    assert_int_equal(made->n_values, compiled->n_values);
    assert_int_equal(made->n_value_names, compiled->n_value_names);
    assert_int_equal(made->n_value_ranges, compiled->n_value_ranges);
    same_ranges(compiled->value_ranges, made->value_ranges, compiled->n_value_ranges);
    for (unsigned i = 0; i < compiled->n_values; i++) {
        assert_string_equal(made->values[i].name, compiled->values[i].name);
        assert_int_equal(made->values[i].value, compiled->values[i].value);
    }
    for (unsigned i = 0; i < compiled->n_value_names; i++) {
        assert_string_equal(made->values_by_name[i].name, compiled->values_by_name[i].name);
        assert_int_equal(made->values_by_name[i].index, compiled->values_by_name[i].index);
    }
}

static void same_field(pairs *all, const ProtobufCFieldDescriptor *compiled,
                       const ProtobufCFieldDescriptor *made)
{
    assert_string_equal(made->name, compiled->name);
    assert_int_equal(made->id, compiled->id);
    assert_int_equal(made->label, compiled->label);
    assert_int_equal(made->type, compiled->type);
    assert_int_equal(made->offset, compiled->offset);
    assert_int_equal(made->quantifier_offset, compiled->quantifier_offset);
    assert_int_equal(made->flags, compiled->flags);
    bool is_in_oneof = (compiled->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    assert_ptr_equal(made->default_value, is_in_oneof ? NULL : compiled->default_value);
    if (compiled->type == PROTOBUF_C_TYPE_ENUM) {
        same_enum(compiled->descriptor, made->descriptor);
    } else if (compiled->type == PROTOBUF_C_TYPE_MESSAGE) {
        add_pair(all, compiled->descriptor, made->descriptor);
    } else {
        assert_null(made->descriptor);
    }
}

static void same_message(pairs *all, const ProtobufCMessageDescriptor *compiled,
                         const ProtobufCMessageDescriptor *made)
{
    assert_int_equal(made->magic, compiled->magic);
    assert_string_equal(made->name, compiled->name);
    assert_string_equal(made->short_name, compiled->short_name);
    assert_string_equal(made->package_name, compiled->package_name);
    assert_int_equal(made->sizeof_message, compiled->sizeof_message);
    assert_int_equal(made->n_fields, compiled->n_fields);
    assert_int_equal(made->n_field_ranges, compiled->n_field_ranges);
    assert_null(made->message_init);
    same_ranges(compiled->field_ranges, made->field_ranges, compiled->n_field_ranges);
    for (unsigned i = 0; i < compiled->n_fields; i++) {
        same_field(all, &compiled->fields[i], &made->fields[i]);
        assert_int_equal(made->fields_sorted_by_name[i], compiled->fields_sorted_by_name[i]);
    }
}

static const alm_service_def *const services[] = {
    &alm_service_gateway, &alm_service_storage,    &alm_service_ingestion, &alm_service_aggregation,
    &alm_service_health,  &alm_service_reflection, &alm_service_stats};

static void same_service(pairs *all, const alm_service_def *compiled, const alm_service_def *made)
{
    const ProtobufCServiceDescriptor *a = compiled->descriptor, *b = made->descriptor;
    assert_int_equal(b->magic, a->magic);
    assert_string_equal(b->name, a->name);
    assert_string_equal(b->short_name, a->short_name);
    assert_string_equal(b->package, a->package);
    assert_int_equal(b->n_methods, a->n_methods);
    for (unsigned i = 0; i < a->n_methods; i++) {
        assert_string_equal(b->methods[i].name, a->methods[i].name);
        assert_string_equal(made->methods[i].name, compiled->methods[i].name);
        assert_int_equal(made->methods[i].kind, compiled->methods[i].kind);
        assert_int_equal(made->methods[i].repeat, ALM_REPEAT_NEVER);
        assert_int_equal(made->methods[i].role, ALM_ROLE_NONE);
        assert_int_equal(b->method_indices_by_name[i], a->method_indices_by_name[i]);
        add_pair(all, a->methods[i].input, b->methods[i].input);
        add_pair(all, a->methods[i].output, b->methods[i].output);
    }
}

// All types of the product's services, and Every.
static void gather_pairs(fixture *product, fixture *testing, pairs *all)
{
    load(product, product_set());
    load(testing, testing_set(testing));
    for (size_t i = 0; i < ALM_ARRAY_LEN(services); i++) {
        same_service(all, services[i], find(product, services[i]->descriptor->name)->service);
    }
    add_pair(all, &almanac__test__every__descriptor, find(testing, "almanac.test.Every")->message);
    for (size_t i = 0; i < all->count; i++) { // grows as it goes
        same_message(all, all->compiled[i], all->made[i]);
    }
    assert_true(all->count > 50);
}

static void equals_compiled(void **state)
{
    static pairs all;
    fixture product, testing;
    (void)state;
    all.count = 0;
    open_fixture(&product);
    open_fixture(&testing);
    gather_pairs(&product, &testing, &all);
    close_fixture(&testing);
    close_fixture(&product);
}

// --- there and back ------------------------------------------------------------------------------

static alm_str packed(fixture *f, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = alm_arena_alloc(f->arena, size);
    assert_non_null(data);
    assert_int_equal(protobuf_c_message_pack(message, data), size);
    return (alm_str){.data = (const char *)data, .len = size};
}

static alm_str json_of(fixture *f, const ProtobufCMessage *message)
{
    static const alm_json_opts opts = {.defaults = true};
    alm_buf_reset(&f->out);
    if (alm_message_to_json(message, &opts, &f->out, &f->st) != ALM_OK) {
        fail_msg("%s: %s", message->descriptor->name, f->st.message);
    }
    alm_str text = alm_buf_view(&f->out);
    char *copy = alm_arena_strdup(f->arena, text);
    assert_non_null(copy);
    return (alm_str){.data = copy, .len = text.len};
}

static ProtobufCMessage *from_json(fixture *f, const ProtobufCMessageDescriptor *type, alm_str text)
{
    ProtobufCMessage *message = NULL;
    if (alm_message_from_json(type, text, f->arena, &message, &f->st) != ALM_OK) {
        fail_msg("%s: %.*s: %s", type->name, ALM_STR_ARGS(text), f->st.message);
    }
    return message;
}

static void same_text(alm_str a, alm_str b)
{
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
}

// One message of the compiled type, and the same of the made one, by every way there is.
static void goes_both_ways(fixture *f, const ProtobufCMessageDescriptor *compiled,
                           const ProtobufCMessageDescriptor *made, uint64_t seed)
{
    random_source random = {.state = seed}, again = {.state = seed};
    ProtobufCMessage *a = random_message(&random, compiled, f->arena);
    ProtobufCMessage *b = random_message(&again, made, f->arena);
    alm_str wire = packed(f, a), json = json_of(f, a);
    same_text(packed(f, b), wire);
    same_text(json_of(f, b), json);

    ProtobufCMessage *unpacked =
        protobuf_c_message_unpack(made, NULL, wire.len, (const uint8_t *)wire.data);
    assert_non_null(unpacked);
    assert_true(protobuf_c_message_check(unpacked));
    same_text(packed(f, unpacked), wire);
    same_text(json_of(f, unpacked), json);
    protobuf_c_message_free_unpacked(unpacked, NULL);

    same_text(packed(f, from_json(f, made, json)), packed(f, from_json(f, compiled, json)));
}

static void carries_messages(void **state)
{
    static pairs all;
    fixture product, testing, work;
    (void)state;
    all.count = 0;
    open_fixture(&product);
    open_fixture(&testing);
    open_fixture(&work);
    gather_pairs(&product, &testing, &all);
    for (size_t i = 0; i < all.count; i++) {
        for (uint64_t run = 0; run < MESSAGE_RUNS; run++) {
            goes_both_ways(&work, all.compiled[i], all.made[i], SEED + i * MESSAGE_RUNS + run);
            alm_arena_reset(work.arena);
        }
    }
    close_fixture(&work);
    close_fixture(&testing);
    close_fixture(&product);
}

// What protoc-c does not compile: presence of single values, numbers far apart, itself in itself.
static void carries_shapes(void **state)
{
    static const struct {
        const char *type, *in, *out;
    } rows[] = {
        {"Outer", "{}", "{}"},
        {"Outer", "{\"maybe\":0,\"perhaps\":\"\",\"feeling\":\"CALM\",\"blob\":\"\"}",
         "{\"maybe\":0,\"perhaps\":\"\",\"feeling\":\"CALM\",\"blob\":\"\"}"},
        {"Outer", "{\"word\":\"\"}", "{\"word\":\"\"}"},
        {"Outer", "{\"raw\":\"\"}", "{\"raw\":\"\"}"},
        {"Outer", "{\"thing\":{\"mood\":\"QUIET\",\"text\":\"x\"}}",
         "{\"thing\":{\"text\":\"x\"}}"},
        {"Outer", "{\"loose\":[1,300],\"moods\":[\"WILD\",\"QUIET\",9]}",
         "{\"loose\":[1,300],\"moods\":[\"WILD\",\"CALM\",9]}"},
        {"Outer", "{\"nested\":{\"isSmall\":true},\"other\":{\"number\":4}}",
         "{\"nested\":{\"isSmall\":true},\"other\":{\"number\":4}}"},
        {"Tree", "{\"children\":[{\"name\":\"a\"},{\"children\":[{}]}]}",
         "{\"children\":[{\"name\":\"a\"},{\"children\":[{}]}]}"},
        {"Nothing", "{}", "{}"},
    };
    fixture f;
    (void)state;
    open_fixture(&f);
    load(&f, testing_set(&f));
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        const ProtobufCMessageDescriptor *type = find(&f, rows[i].type)->message;
        alm_str wire = packed(&f, from_json(&f, type, alm_str_from(rows[i].in)));
        ProtobufCMessage *back =
            protobuf_c_message_unpack(type, NULL, wire.len, (const uint8_t *)wire.data);
        assert_non_null(back);
        alm_buf_reset(&f.out);
        assert_int_equal(alm_message_to_json(back, NULL, &f.out, &f.st), ALM_OK);
        alm_str got = alm_buf_view(&f.out);
        if (!alm_str_eq(got, alm_str_from(rows[i].out))) {
            fail_msg("%s: got %.*s, want %s", rows[i].in, ALM_STR_ARGS(got), rows[i].out);
        }
        protobuf_c_message_free_unpacked(back, NULL);
    }
    close_fixture(&f);
}

// --- names and text ------------------------------------------------------------------------------

static void finds_names(void **state)
{
    fixture f;
    const alm_symbol *symbol = NULL;
    (void)state;
    open_fixture(&f);
    load(&f, testing_set(&f));
    assert_string_equal(find(&f, "Outer")->name, "almanac.test.Outer");
    assert_string_equal(find(&f, "almanac.test.Small")->name, "almanac.test.Small");
    assert_string_equal(find(&f, "Inner.Mood")->name, "almanac.test.Outer.Inner.Mood");
    assert_int_equal(find(&f, "Shapes")->kind, ALM_SYMBOL_SERVICE);
    assert_int_equal(find(&f, "Mood")->kind, ALM_SYMBOL_ENUM);
    assert_string_equal(alm_schema_file(f.schema, find(&f, "Tree")), "shapes.proto");
    assert_string_equal(alm_schema_package(f.schema, find(&f, "Tree")), "almanac.test");
    assert_int_equal(alm_schema_find(f.schema, ALM_STR("Small"), &symbol, &f.st),
                     ALM_INVALID_ARGUMENT);
    assert_string_equal(f.st.message,
                        "Small may be almanac.test.Outer.Small or almanac.test.Small");
    static const char *const unknown[] = {"uter", "", ".", "almanac", "Outer.", "almanac.test"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(unknown); i++) {
        assert_int_equal(alm_schema_find(f.schema, alm_str_from(unknown[i]), &symbol, &f.st),
                         ALM_NOT_FOUND);
    }
    size_t count = 0;
    const alm_symbol *all = alm_schema_symbols(f.schema, &count);
    for (size_t i = 1; i < count; i++) {
        assert_true(strcmp(all[i - 1].name, all[i].name) < 0);
    }
    close_fixture(&f);
}

static void writes(fixture *f, const char *name, const char *want)
{
    alm_buf_reset(&f->out);
    alm_schema_write(f->schema, find(f, name), &f->out);
    alm_buf_char(&f->out, '\0');
    assert_false(f->out.failed);
    assert_string_equal((const char *)f->out.data, want);
}

static const char outer_text[] = "message Outer {\n"
                                 "  Inner inner = 3; // on the same line\n"
                                 "  optional uint32 maybe = 1;\n"
                                 "  optional string perhaps = 12;\n"
                                 "  optional Inner.Mood feeling = 14;\n"
                                 "  optional bytes blob = 15;\n"
                                 "  oneof choice { // either\n"
                                 "    string word = 4;\n"
                                 "    Inner thing = 5;\n"
                                 "    bytes raw = 13;\n"
                                 "  }\n"
                                 "  repeated uint32 loose = 6 [packed = false];\n"
                                 "  // Numbers far\n"
                                 "  // apart.\n"
                                 "  repeated Inner.Mood moods = 536870911;\n"
                                 "  Small nested = 7;\n"
                                 "  almanac.test.Small other = 8;\n"
                                 "  reserved 9;\n"
                                 "  reserved 20 to 22;\n"
                                 "  reserved \"old\";\n"
                                 "  reserved \"older\";\n"
                                 "  message Inner {\n"
                                 "    string text = 1;\n"
                                 "    Mood mood = 2 [deprecated = true];\n"
                                 "    enum Mood {\n"
                                 "      option allow_alias = true;\n"
                                 "      CALM = 0;\n"
                                 "      QUIET = 0;\n"
                                 "      WILD = 2;\n"
                                 "      reserved 7;\n"
                                 "      reserved 9 to 11;\n"
                                 "      reserved \"TIRED\";\n"
                                 "    }\n"
                                 "  }\n"
                                 "  message Small { // not the one of every.proto\n"
                                 "    bool is_small = 1;\n"
                                 "  }\n"
                                 "}\n";

static void writes_text(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    load(&f, testing_set(&f));
    writes(&f, "Outer", outer_text);
    writes(
        &f, "Tree",
        "// Contains itself.\nmessage Tree {\n  repeated Tree children = 1;\n  string name = 2;\n"
        "}\n");
    writes(&f, "Nothing", "message Nothing {\n}\n");
    writes(&f, "Colour",
           "enum Colour {\n  COLOUR_NONE = 0;\n  COLOUR_RED = 1;\n  COLOUR_BLUE = 5;\n"
           "  COLOUR_MINUS = -3;\n}\n");
    writes(&f, "Shapes",
           "// A service of every kind.\nservice Shapes {\n"
           "  rpc One(Outer) returns (Outer.Inner); // one for one\n"
           "  rpc Down(Outer) returns (stream Every);\n"
           "  rpc Up(stream Outer) returns (Small);\n"
           "  // Both ways,\n  // at once.\n"
           "  rpc Both(stream Outer) returns (stream Tree);\n}\n");
    alm_buf_reset(&f.out);
    alm_schema_write_method(f.schema, find(&f, "Shapes"), 2, &f.out);
    assert_true(
        alm_str_eq(alm_buf_view(&f.out), ALM_STR("rpc Up(stream Outer) returns (Small);\n")));
    close_fixture(&f);
}

// --- what is refused -----------------------------------------------------------------------------

// A good set of one file, whose parts a row damages.
typedef struct parts {
    Almanac__Schema__FileSet set;
    Almanac__Schema__File file, *files[1];
    Almanac__Schema__Message message, inner;
    Almanac__Schema__MessageOptions options;
    Almanac__Schema__Field field, second, *fields[2];
    Almanac__Schema__Oneof oneof, *oneofs[1];
    Almanac__Schema__Enum colour, *enums[1];
    Almanac__Schema__EnumValue value, other, *values[2];
    Almanac__Schema__Service service, *services[1];
    Almanac__Schema__Method method, again, *methods[2];
} parts;

static char *text(const char *literal) // protobuf-c's strings are not const
{
    return (char *)(uintptr_t)literal;
}

static void fill_message(parts *p)
{
    almanac__schema__field__init(&p->field);
    almanac__schema__field__init(&p->second);
    p->field.name = text("red");
    p->field.has_number = p->field.has_label = p->field.has_type = true;
    p->field.number = 1;
    p->field.label = 1;
    p->field.type = 14;
    p->field.type_name = text(".pkg.Colour");
    p->second = p->field;
    p->second.name = text("inner");
    p->second.number = 2;
    p->second.type = 11;
    p->second.type_name = text(".pkg.M.Inner");
    p->fields[0] = &p->field;
    p->fields[1] = &p->second;
    almanac__schema__oneof__init(&p->oneof);
    p->oneof.name = text("choice");
    p->oneofs[0] = &p->oneof;
    almanac__schema__message__init(&p->message);
    almanac__schema__message__init(&p->inner);
    almanac__schema__message_options__init(&p->options);
    p->message.name = text("M");
    p->inner.name = text("Inner");
    p->message.field = p->fields;
    p->message.n_field = 2;
    p->message.oneof_decl = p->oneofs;
    p->message.n_oneof_decl = 1;
}

static void fill_rest(parts *p)
{
    almanac__schema__enum_value__init(&p->value);
    p->value.name = text("NONE");
    p->other = p->value;
    p->other.name = text("RED");
    p->other.has_number = true;
    p->other.number = 1;
    p->values[0] = &p->value;
    p->values[1] = &p->other;
    almanac__schema__enum__init(&p->colour);
    p->colour.name = text("Colour");
    p->colour.value = p->values;
    p->colour.n_value = 2;
    p->enums[0] = &p->colour;
    almanac__schema__method__init(&p->method);
    p->method.name = text("Do");
    p->method.input_type = p->method.output_type = text(".pkg.M");
    p->again = p->method;
    p->again.name = text("Again");
    p->methods[0] = &p->method;
    p->methods[1] = &p->again;
    almanac__schema__service__init(&p->service);
    p->service.name = text("S");
    p->service.method = p->methods;
    p->service.n_method = 2;
    p->services[0] = &p->service;
    almanac__schema__file__init(&p->file);
    p->file.name = text("f.proto");
    p->file.package = text("pkg");
    p->file.syntax = text("proto3");
    p->file.enum_type = p->enums;
    p->file.n_enum_type = 1;
    p->file.service = p->services;
    p->file.n_service = 1;
    p->files[0] = &p->file;
    almanac__schema__file_set__init(&p->set);
    p->set.file = p->files;
    p->set.n_file = 1;
}

static alm_str set_of(fixture *f, parts *p)
{
    ProtobufCBinaryData *lists = alm_arena_calloc(f->arena, 2, sizeof *lists);
    assert_non_null(lists);
    alm_str inner = packed(f, &p->inner.base);
    lists[0] = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)inner.data, .len = inner.len};
    p->message.nested_type = &lists[0];
    p->message.n_nested_type = 1;
    alm_str message = packed(f, &p->message.base);
    lists[1] =
        (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)message.data, .len = message.len};
    p->file.message_type = &lists[1];
    p->file.n_message_type = 1;
    return packed(f, &p->set.base);
}

#define LONG_40 "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"

// clang-format off
#define DAMAGE(name, change) static void name(parts *p) { change; }
DAMAGE(nothing, (void)p)
DAMAGE(proto2, p->file.syntax = NULL)
DAMAGE(edition, p->file.syntax = text("editions"))
DAMAGE(bad_package, p->file.package = text("a..b"))
DAMAGE(bad_package_end, p->file.package = text("a."))
DAMAGE(bad_file, p->file.name = text("f\033[2J"))
DAMAGE(no_message_name, p->message.name = NULL)
DAMAGE(bad_message_name, p->message.name = text("M\033[2J"))
DAMAGE(long_name, p->inner.name = text(LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40))
DAMAGE(doubled_name, p->message.name = text("S"); p->second.type_name = text(".pkg.S.Inner"))
DAMAGE(map, p->inner.options = &p->options; p->options.has_map_entry = p->options.map_entry = true)
DAMAGE(bad_field_name, p->field.name = text("9red"))
DAMAGE(no_field_name, p->field.name = NULL)
DAMAGE(doubled_field_name, p->second.name = text("red"))
DAMAGE(number_0, p->field.number = 0)
DAMAGE(number_minus, p->field.number = -4)
DAMAGE(number_large, p->field.number = 536870912)
DAMAGE(doubled_number, p->second.number = 1)
DAMAGE(group, p->field.type = 10)
DAMAGE(type_19, p->field.type = 19)
DAMAGE(type_minus, p->field.type = -1)
DAMAGE(type_0, p->field.type = 0)
DAMAGE(required, p->field.label = 2)
DAMAGE(no_label, p->field.label = 0)
DAMAGE(unknown_type, p->field.type_name = text(".pkg.Color"))
DAMAGE(enum_as_message, p->field.type = 11)
DAMAGE(message_as_enum, p->second.type = 14)
DAMAGE(relative_type, p->field.type_name = text("Colour"))
DAMAGE(no_type_name, p->field.type_name = NULL)
DAMAGE(oneof_1, p->field.has_oneof_index = true; p->field.oneof_index = 1)
DAMAGE(oneof_minus, p->field.has_oneof_index = true; p->field.oneof_index = -1)
DAMAGE(oneof_list, p->field.has_oneof_index = true; p->field.label = 3)
DAMAGE(oneof_name, p->oneof.name = NULL)
DAMAGE(no_values, p->colour.n_value = 0)
DAMAGE(bad_value, p->value.name = text("a b"))
DAMAGE(doubled_value, p->other.name = text("NONE"))
DAMAGE(no_value_name, p->other.name = NULL)
DAMAGE(unknown_input, p->method.input_type = text(".pkg.N"))
DAMAGE(enum_output, p->method.output_type = text(".pkg.Colour"))
DAMAGE(no_output, p->method.output_type = NULL)
DAMAGE(doubled_method, p->again.name = text("Do"))
DAMAGE(no_method_name, p->again.name = NULL)
DAMAGE(service_as_type, p->method.input_type = text(".pkg.S"))
// clang-format on

typedef struct refuse_row {
    const char *name;
    void (*damage)(parts *p);
    alm_code code;
    const char *want; // in the message
} refuse_row;

#define BAD ALM_INVALID_ARGUMENT
static const refuse_row refuse_rows[] = {
    {"refuse: nothing", nothing, ALM_OK, NULL},
    {"refuse: no syntax", proto2, BAD, "f.proto: its syntax is 'proto2', expected proto3"},
    {"refuse: an edition", edition, BAD, "its syntax is 'editions'"},
    {"refuse: package", bad_package, BAD, "f.proto: 'a..b' is no name of a package"},
    {"refuse: package's end", bad_package_end, BAD, "'a.' is no name of a package"},
    {"refuse: file", bad_file, BAD, "'f?[2J' is no name of a file"},
    {"refuse: no message name", no_message_name, BAD, "f.proto: '' in pkg is no name"},
    {"refuse: message name", bad_message_name, BAD, "f.proto: 'M?[2J' in pkg is no name"},
    {"refuse: long name", long_name, ALM_RESOURCE_EXHAUSTED, "is longer than 255 bytes"},
    {"refuse: doubled name", doubled_name, BAD, "pkg.S is there twice, in f.proto and in f.proto"},
    {"refuse: map", map, BAD, "pkg.M: has a map (Inner)"},
    {"refuse: field name", bad_field_name, BAD, "pkg.M: '9red' is no name"},
    {"refuse: no field name", no_field_name, BAD, "pkg.M: '' is no name"},
    {"refuse: doubled field", doubled_field_name, BAD, "pkg.M: red is there twice"},
    {"refuse: number 0", number_0, BAD, "pkg.M.red: no field has number 0"},
    {"refuse: number below 0", number_minus, BAD, "pkg.M.red: no field has number -4"},
    {"refuse: number too large", number_large, BAD, "no field has number 536870912"},
    {"refuse: doubled number", doubled_number, BAD, "both have number 1"},
    {"refuse: group", group, BAD, "pkg.M.red: not taken: type 10"},
    {"refuse: type 19", type_19, BAD, "pkg.M.red: not taken: type 19"},
    {"refuse: type -1", type_minus, BAD, "pkg.M.red: not taken: type -1"},
    {"refuse: type 0", type_0, BAD, "pkg.M.red: not taken: type 0"},
    {"refuse: required", required, BAD, "pkg.M.red: not taken: label 2"},
    {"refuse: no label", no_label, BAD, "pkg.M.red: not taken: label 0"},
    {"refuse: unknown type", unknown_type, BAD,
     "pkg.M.red: the descriptors have no enum pkg.Color"},
    {"refuse: enum as message", enum_as_message, BAD, "have no message pkg.Colour"},
    {"refuse: message as enum", message_as_enum, BAD,
     "pkg.M.inner: the descriptors have no enum pkg.M.Inner"},
    {"refuse: relative type", relative_type, BAD, "pkg.M.red: 'Colour' is no full name"},
    {"refuse: no type", no_type_name, BAD, "pkg.M.red: '' is no full name"},
    {"refuse: oneof 1", oneof_1, BAD, "pkg.M.red: there is no oneof 1"},
    {"refuse: oneof -1", oneof_minus, BAD, "pkg.M.red: there is no oneof -1"},
    {"refuse: list in oneof", oneof_list, BAD, "pkg.M.red: a list cannot be in oneof 0"},
    {"refuse: oneof name", oneof_name, BAD, "pkg.M: '' is no name of a oneof"},
    {"refuse: no values", no_values, BAD, "pkg.Colour: an enum without values"},
    {"refuse: value", bad_value, BAD, "pkg.Colour: 'a b' is no name"},
    {"refuse: doubled value", doubled_value, BAD, "pkg.Colour: NONE is there twice"},
    {"refuse: no value name", no_value_name, BAD, "pkg.Colour: '' is no name"},
    {"refuse: unknown input", unknown_input, BAD,
     "pkg.S.Do: the descriptors have no message pkg.N"},
    {"refuse: enum as output", enum_output, BAD, "pkg.S.Do: the descriptors have no message"},
    {"refuse: no output", no_output, BAD, "pkg.S.Do: '' is no full name"},
    {"refuse: doubled method", doubled_method, BAD, "pkg.S: Do is there twice"},
    {"refuse: no method name", no_method_name, BAD, "pkg.S: '' is no name"},
    {"refuse: service as type", service_as_type, BAD, "have no message pkg.S"},
};

static void refuses(void **state)
{
    const refuse_row *row = *state;
    fixture f;
    static parts p;
    open_fixture(&f);
    p = (parts){0};
    fill_message(&p);
    fill_rest(&p);
    row->damage(&p);
    alm_code code = alm_schema_create(set_of(&f, &p), f.arena, &f.schema, &f.st);
    assert_int_equal(code, row->code);
    if (row->want != NULL && strstr(f.st.message, row->want) == NULL) {
        fail_msg("'%s' is not in: %s", row->want, f.st.message);
    }
    close_fixture(&f);
}

// A message of so many fields, an enum of so many values ...: one more than is taken.
static void refuses_too_many(void **state)
{
    enum { COUNT_MAX = ALM_SCHEMA_VALUE_COUNT_MAX + 1 };
    static parts p;
    static Almanac__Schema__Field *fields[COUNT_MAX];
    static Almanac__Schema__EnumValue *values[COUNT_MAX];
    static Almanac__Schema__Method *methods[COUNT_MAX];
    static Almanac__Schema__Enum *enums[COUNT_MAX];
    static Almanac__Schema__File *files[COUNT_MAX];
    (void)state;
    for (int i = 0; i < 5; i++) {
        fixture f;
        open_fixture(&f);
        p = (parts){0};
        fill_message(&p);
        fill_rest(&p);
        for (size_t at = 0; at < COUNT_MAX; at++) {
            fields[at] = &p.field;
            values[at] = &p.value;
            methods[at] = &p.method;
            enums[at] = &p.colour;
            files[at] = &p.file;
        }
        static const char *const want[] = {"pkg.M has 1025 fields and 1 oneofs, at most 1024",
                                           "pkg.Colour has 4097 values", "pkg.S has 129 methods",
                                           "more than 512 messages", "of 257 files, at most 256"};
        switch (i) {
        case 0:
            p.message.field = fields;
            p.message.n_field = ALM_SCHEMA_FIELD_COUNT_MAX + 1;
            break;
        case 1:
            p.colour.value = values;
            p.colour.n_value = ALM_SCHEMA_VALUE_COUNT_MAX + 1;
            break;
        case 2:
            p.service.method = methods;
            p.service.n_method = ALM_SCHEMA_METHOD_COUNT_MAX + 1;
            break;
        case 3:
            p.file.enum_type = enums;
            p.file.n_enum_type = ALM_SCHEMA_SYMBOL_COUNT_MAX;
            break;
        default:
            p.set.file = files;
            p.set.n_file = ALM_SCHEMA_FILE_COUNT_MAX + 1;
        }
        alm_code code = alm_schema_create(set_of(&f, &p), f.arena, &f.schema, &f.st);
        assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
        if (strstr(f.st.message, want[i]) == NULL) {
            fail_msg("'%s' is not in: %s", want[i], f.st.message);
        }
        close_fixture(&f);
    }
}

// Messages within messages as deep as a set of a megabyte can have them: refused, and no stack is
// lost over it.
static void refuses_depth(void **state)
{
    enum { DEEP = 200000, SET_MAX = 1 << 21 };
    fixture f;
    (void)state;
    open_fixture(&f);
    uint8_t *data = alm_arena_alloc(f.arena, SET_MAX);
    assert_non_null(data);
    size_t at = SET_MAX; // from the innermost outwards
    for (size_t depth = 0; depth < DEEP; depth++) {
        size_t len = SET_MAX - at;
        uint8_t head[8] = {0x0a, 1, 'M', 0x1a}; // name "M", nested_type of len
        size_t head_len = 4;
        for (size_t left = len; len > 0; left >>= 7) {
            head[head_len++] = (uint8_t)(left >= 0x80 ? (left & 0x7f) | 0x80 : left);
            if (left < 0x80) {
                break;
            }
        }
        head_len = len > 0 ? head_len : 3;
        at -= head_len;
        memcpy(data + at, head, head_len);
    }
    ProtobufCBinaryData whole = {.data = data + at, .len = SET_MAX - at};
    Almanac__Schema__FileSet set;
    Almanac__Schema__File file, *files[1] = {&file};
    almanac__schema__file_set__init(&set);
    almanac__schema__file__init(&file);
    file.syntax = text("proto3");
    file.message_type = &whole;
    file.n_message_type = 1;
    set.file = files;
    set.n_file = 1;
    alm_str wire = packed(&f, &set.base);
    alm_code code = alm_schema_create(wire, f.arena, &f.schema, &f.st);
    assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(f.st.message, "M.M.M"));
    close_fixture(&f);
}

// A comment may hold anything; a terminal must not be told by it.
static void cleans_comments(void **state)
{
    static parts p;
    fixture f;
    (void)state;
    open_fixture(&f);
    p = (parts){0};
    fill_message(&p);
    fill_rest(&p);
    int32_t paths[] = {5, 0, 2, 0};
    Almanac__Schema__Location above, behind, *locations[] = {&above, &behind};
    Almanac__Schema__SourceInfo info;
    almanac__schema__source_info__init(&info);
    almanac__schema__location__init(&above);
    almanac__schema__location__init(&behind);
    above.path = behind.path = paths;
    above.n_path = 2;
    behind.n_path = 4;
    above.leading_comments = text(" 长\033[2J\n \xc2\x9b \xff \x7f\n");
    behind.trailing_comments = text(" tab\tand \r\n\n");
    info.location = locations;
    info.n_location = 2;
    p.file.source_code_info = &info;
    load(&f, set_of(&f, &p));
    writes(&f, "Colour",
           "// 长?[2J\n// ? ? ?\nenum Colour {\n  NONE = 0; // tab\tand ?\n  RED = 1;\n}\n");
    close_fixture(&f);
}

// Every way a good set can be cut: refused or taken, and never more than that.
static void survives_cuts(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    alm_str set = testing_set(&f);
    char *copy = alm_alloc(set.len);
    assert_non_null(copy);
    memcpy(copy, set.data, set.len);
    size_t refused = 0;
    for (size_t len = 0; len < set.len; len++) {
        alm_arena_reset(f.arena);
        refused += alm_schema_create((alm_str){copy, len}, f.arena, &f.schema, &f.st) != ALM_OK;
    }
    assert_true(refused > set.len / 2);
    alm_free(copy);
    close_fixture(&f);
}

static void survives_no_memory(void **state)
{
    (void)state;
    size_t needed = 0;
    {
        fixture f;
        open_fixture(&f);
        load(&f, product_set());
        needed = alm_arena_used(f.arena);
        close_fixture(&f);
    }
    for (size_t bytes = 4096; bytes < needed; bytes += needed / 50) {
        alm_arena *arena = alm_arena_create(bytes);
        alm_schema *schema = NULL;
        alm_status st = ALM_STATUS_INIT;
        assert_non_null(arena);
        assert_int_equal(alm_schema_create(product_set(), arena, &schema, &st),
                         ALM_RESOURCE_EXHAUSTED);
        assert_string_equal(st.message, "no memory for the descriptors");
        alm_arena_destroy(&arena);
    }
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(equals_compiled), cmocka_unit_test(carries_messages),
        cmocka_unit_test(carries_shapes),  cmocka_unit_test(finds_names),
        cmocka_unit_test(writes_text),     cmocka_unit_test(refuses_too_many),
        cmocka_unit_test(refuses_depth),   cmocka_unit_test(cleans_comments),
        cmocka_unit_test(survives_cuts),   cmocka_unit_test(survives_no_memory),
    };
    struct CMUnitTest tests[ALM_ARRAY_LEN(others) + ALM_ARRAY_LEN(refuse_rows)];
    memcpy(tests, others, sizeof others);
    for (size_t i = 0; i < ALM_ARRAY_LEN(refuse_rows); i++) {
        tests[ALM_ARRAY_LEN(others) + i] =
            (struct CMUnitTest){.name = refuse_rows[i].name,
                                .test_func = refuses,
                                .initial_state = (void *)(uintptr_t)&refuse_rows[i]};
    }
    return _cmocka_run_group_tests("schema", tests, ALM_ARRAY_LEN(tests), NULL, NULL);
}
