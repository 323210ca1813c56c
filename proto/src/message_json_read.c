#include "alm/message_json.h"

#include "field.h"
#include "json_lexer.h"
#include "json_value.h"

#include "alm/distance.h"
#include "alm/limits.h"

#include <inttypes.h>
#include <stdio.h>

#define PATH_BYTES_MAX  256
#define VALUE_BYTES_MAX 48 // of an offending value that are shown
#define SEEN_WORD_BITS  64

// A message being read, and how far: one level of the input.
typedef struct level {
    ProtobufCMessage *message;
    const ProtobufCFieldDescriptor *field; // being read; NULL: none yet
    unsigned field_next;                   // where the next name is looked for first
    bool has_members;
    bool in_list; // inside the brackets of a repeated field
    size_t count; // elements so far
    size_t cap;
    void *elements;
    uint64_t *seen; // a bit a field
} level;

typedef struct reader {
    alm_json_lexer lexer;
    alm_arena *arena;
    alm_status *st;
    size_t value_count;
    size_t depth;
    level levels[ALM_JSON_DEPTH_MAX];
} reader;

static level *top(reader *r)
{
    return &r->levels[r->depth - 1];
}

// --- what went wrong -----------------------------------------------------------------------------

// "rows[3].value", in the names of the .proto files; "" at the top.
static void write_path(const reader *r, char *out)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < r->depth && r->levels[i].field != NULL && len < PATH_BYTES_MAX - 1;
         i++) {
        const level *at = &r->levels[i];
        int more =
            snprintf(out + len, PATH_BYTES_MAX - len, "%s%s", i > 0 ? "." : "", at->field->name);
        len = ALM_MIN(len + (size_t)more, (size_t)PATH_BYTES_MAX - 1);
        if (at->in_list) {
            more = snprintf(out + len, PATH_BYTES_MAX - len, "[%zu]", at->count);
            len = ALM_MIN(len + (size_t)more, (size_t)PATH_BYTES_MAX - 1);
        }
    }
}

static alm_code no_memory(reader *r)
{
    return alm_status_set(r->st, ALM_RESOURCE_EXHAUSTED, "no memory for the message");
}

static alm_code fail_syntax(reader *r, const char *expected)
{
    char path[PATH_BYTES_MAX];
    size_t line = 0, column = 0;
    const char *fault = r->lexer.kind == ALM_JSON_BAD ? r->lexer.fault : expected;
    write_path(r, path);
    alm_json_position(&r->lexer, &line, &column);
    return alm_status_set_field(r->st, ALM_INVALID_ARGUMENT, path,
                                "%s%sline %zu, column %zu of the JSON: %s", path,
                                path[0] != '\0' ? ": " : "", line, column, fault);
}

// The value as it stands, not more of it than fits a line.
static void write_value(const reader *r, char *out)
{
    const alm_json_lexer *lexer = &r->lexer;
    bool is_text = lexer->kind == ALM_JSON_STRING;
    bool is_cut = lexer->text.len > VALUE_BYTES_MAX;
    alm_str text = alm_str_slice(lexer->text, 0, ALM_MIN(lexer->text.len, (size_t)VALUE_BYTES_MAX));
    text.len = alm_utf8_valid_len(text);
    if (lexer->kind == ALM_JSON_OBJECT || lexer->kind == ALM_JSON_ARRAY) {
        text = lexer->kind == ALM_JSON_OBJECT ? ALM_STR("an object") : ALM_STR("a list");
    }
    (void)snprintf(out, VALUE_BYTES_MAX + 8, "%s%.*s%s%s", is_text ? "\"" : "", ALM_STR_ARGS(text),
                   is_cut ? "..." : "", is_text ? "\"" : "");
}

static bool starts_value(alm_json_kind kind)
{
    return kind == ALM_JSON_STRING || kind == ALM_JSON_NUMBER || kind == ALM_JSON_TRUE ||
           kind == ALM_JSON_FALSE || kind == ALM_JSON_NULL || kind == ALM_JSON_OBJECT ||
           kind == ALM_JSON_ARRAY;
}

static alm_code fail_value(reader *r, const char *what)
{
    char path[PATH_BYTES_MAX], value[VALUE_BYTES_MAX + 8];
    if (!starts_value(r->lexer.kind)) {
        return fail_syntax(r, "expected a value");
    }
    write_path(r, path);
    write_value(r, value);
    return alm_status_set_field(r->st, ALM_INVALID_ARGUMENT, path, "%s%s%s %s", path,
                                path[0] != '\0' ? ": " : "", value, what);
}

static alm_code fail_type(reader *r)
{
    char what[ALM_STATUS_FIELD_MAX];
    const ProtobufCFieldDescriptor *field = top(r)->field;
    if (field->type == PROTOBUF_C_TYPE_ENUM) {
        const ProtobufCEnumDescriptor *type = field->descriptor;
        (void)snprintf(what, sizeof what, "is no value of %s", type->name);
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessageDescriptor *type = field->descriptor;
        (void)snprintf(what, sizeof what, "is not an object of %s", type->name);
    } else {
        const char *kind = alm_field_kind(field);
        bool is_vowel = strchr("aeiou", kind[0]) != NULL && strcmp(kind, "uint32") != 0 &&
                        strcmp(kind, "uint64") != 0;
        (void)snprintf(what, sizeof what, "is not %s %s", is_vowel ? "an" : "a", kind);
    }
    return fail_value(r, what);
}

static alm_code fail_scalar(reader *r, alm_json_result result)
{
    char what[64];
    switch (result) {
    case ALM_JSON_VALUE_RANGE:
        (void)snprintf(what, sizeof what, "is out of the range of %s",
                       alm_field_kind(top(r)->field));
        return fail_value(r, what);
    case ALM_JSON_VALUE_NUL:
        return fail_value(r, "holds the character 0, which no text may");
    case ALM_JSON_VALUE_SURROGATE:
        return fail_value(r, "holds half of a surrogate pair");
    case ALM_JSON_VALUE_MEMORY:
        return no_memory(r);
    case ALM_JSON_VALUE_TYPE:
    case ALM_JSON_VALUE_OK:
        break;
    }
    return fail_type(r);
}

// The nearest name of the message's fields, or NULL.
static const char *nearest_field(const ProtobufCMessageDescriptor *type, alm_str name)
{
    const char *nearest = NULL;
    size_t least = name.len < 4 ? 2 : 3; // two slips are a typo, three are another word
    for (unsigned i = 0; i < type->n_fields; i++) {
        size_t distance = alm_edit_distance(name, alm_str_from(type->fields[i].name));
        if (distance < least) {
            least = distance;
            nearest = type->fields[i].name;
        }
    }
    return nearest;
}

static alm_code fail_unknown(reader *r, alm_str name)
{
    char path[PATH_BYTES_MAX], full[PATH_BYTES_MAX + VALUE_BYTES_MAX];
    const ProtobufCMessageDescriptor *type = top(r)->message->descriptor;
    const char *nearest = nearest_field(type, name);
    top(r)->field = NULL; // the path ends where the name would stand
    write_path(r, path);
    name.len = ALM_MIN(name.len, (size_t)VALUE_BYTES_MAX);
    (void)snprintf(full, sizeof full, "%s%s%.*s", path, path[0] != '\0' ? "." : "",
                   ALM_STR_ARGS(name));
    if (nearest != NULL) {
        return alm_status_set_field(r->st, ALM_INVALID_ARGUMENT, full,
                                    "%s: %s has no such field; did you mean %s?", full, type->name,
                                    nearest);
    }
    return alm_status_set_field(r->st, ALM_INVALID_ARGUMENT, full, "%s: %s has no such field", full,
                                type->name);
}

// --- names ---------------------------------------------------------------------------------------

static bool is_named(const ProtobufCFieldDescriptor *field, alm_str name)
{
    return alm_str_eq(name, alm_str_from(field->name)) || alm_field_has_json_name(field, name);
}

// Names mostly come in the order of the fields, so the search goes on behind the last one found. An
// object has each field once, so that there are as many searches as fields at most.
static const ProtobufCFieldDescriptor *find_field(level *at, alm_str name)
{
    const ProtobufCMessageDescriptor *type = at->message->descriptor;
    for (unsigned i = 0; i < type->n_fields; i++) {
        unsigned index = (at->field_next + i) % type->n_fields;
        if (is_named(&type->fields[index], name)) {
            at->field_next = (index + 1) % type->n_fields;
            return &type->fields[index];
        }
    }
    return NULL;
}

// The name that the token is, without escapes.
static alm_code token_name(reader *r, alm_str *ret)
{
    *ret = r->lexer.text;
    if (!r->lexer.has_escapes) {
        return ALM_OK;
    }
    char *plain = alm_arena_alloc(r->arena, r->lexer.text.len + 1);
    if (plain == NULL) {
        return no_memory(r);
    }
    if (!alm_json_unescape(r->lexer.text, plain, &ret->len)) {
        return fail_syntax(r, "half of a surrogate pair");
    }
    ret->data = plain;
    return ALM_OK;
}

static bool mark_seen(level *at)
{
    size_t index = (size_t)(at->field - at->message->descriptor->fields);
    uint64_t bit = UINT64_C(1) << (index % SEEN_WORD_BITS);
    bool was_seen = (at->seen[index / SEEN_WORD_BITS] & bit) != 0;
    at->seen[index / SEEN_WORD_BITS] |= bit;
    return !was_seen;
}

static alm_code read_name(reader *r)
{
    level *at = top(r);
    at->field = NULL;
    if (r->lexer.kind != ALM_JSON_STRING) {
        return fail_syntax(r, at->has_members ? "expected a name in quotes"
                                              : "expected a name in quotes or }");
    }
    alm_str name;
    ALM_TRY(token_name(r, &name));
    const ProtobufCFieldDescriptor *field = find_field(at, name);
    if (field == NULL) {
        return fail_unknown(r, name);
    }
    at->field = field;
    if (!mark_seen(at)) {
        return fail_syntax(r, "the field stands here for the second time");
    }
    at->has_members = true;
    alm_json_next(&r->lexer);
    if (r->lexer.kind != ALM_JSON_COLON) {
        return fail_syntax(r, "expected : after the name");
    }
    alm_json_next(&r->lexer);
    return ALM_OK;
}

// --- values --------------------------------------------------------------------------------------

static alm_code count_value(reader *r)
{
    if (r->value_count == ALM_JSON_ELEMENT_COUNT_MAX) {
        return alm_status_set(r->st, ALM_RESOURCE_EXHAUSTED, "more than %d values in the JSON",
                              ALM_JSON_ELEMENT_COUNT_MAX);
    }
    r->value_count++;
    return ALM_OK;
}

static alm_code push(reader *r, const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret)
{
    if (r->lexer.kind != ALM_JSON_OBJECT) {
        return r->depth > 0 ? fail_type(r) : fail_syntax(r, "expected {");
    }
    if (r->depth == ALM_JSON_DEPTH_MAX) {
        return alm_status_set(r->st, ALM_INVALID_ARGUMENT, "the JSON nests messages deeper than %d",
                              ALM_JSON_DEPTH_MAX);
    }
    ALM_TRY(count_value(r));
    size_t words = (type->n_fields + SEEN_WORD_BITS - 1) / SEEN_WORD_BITS;
    level *at = &r->levels[r->depth];
    *at = (level){.message = alm_message_create(type, r->arena),
                  .seen = alm_arena_calloc(r->arena, words, sizeof(uint64_t))};
    if (at->message == NULL || at->seen == NULL) {
        return no_memory(r);
    }
    *ret = at->message;
    r->depth++;
    alm_json_next(&r->lexer);
    return ALM_OK;
}

// Reads one value of the field into where it belongs; a message only as far as its brace.
static alm_code read_value(reader *r, void *where)
{
    const ProtobufCFieldDescriptor *field = top(r)->field;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return push(r, field->descriptor, where);
    }
    ALM_TRY(count_value(r));
    alm_json_result result = alm_json_value_read(&r->lexer, field, r->arena, where);
    if (result != ALM_JSON_VALUE_OK) {
        return fail_scalar(r, result);
    }
    alm_json_next(&r->lexer);
    return ALM_OK;
}

static const ProtobufCFieldDescriptor *field_of_number(const ProtobufCMessageDescriptor *type,
                                                       uint32_t number)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (type->fields[i].id == number) {
            return &type->fields[i];
        }
    }
    return NULL;
}

static alm_code choose(reader *r)
{
    level *at = top(r);
    uint32_t *chosen = alm_field_quantifier(at->message, at->field);
    if (*chosen != 0) {
        const ProtobufCFieldDescriptor *other = field_of_number(at->message->descriptor, *chosen);
        char what[ALM_STATUS_FIELD_MAX];
        (void)snprintf(what, sizeof what, "cannot be set together with %s",
                       other != NULL ? other->name : "another of its oneof");
        return fail_value(r, what);
    }
    *chosen = at->field->id;
    return ALM_OK;
}

static alm_code read_single(reader *r)
{
    level *at = top(r);
    const ProtobufCFieldDescriptor *field = at->field;
    if (alm_field_is_in_oneof(field)) {
        ALM_TRY(choose(r));
    } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset != 0) {
        *(protobuf_c_boolean *)alm_field_quantifier(at->message, field) = 1;
    }
    return read_value(r, alm_field_at(at->message, field));
}

static alm_code read_list_start(reader *r)
{
    level *at = top(r);
    if (r->lexer.kind != ALM_JSON_ARRAY) {
        return fail_value(r, "is not a list");
    }
    at->in_list = true;
    at->count = 0;
    at->cap = 0;
    at->elements = NULL;
    alm_json_next(&r->lexer);
    return ALM_OK;
}

static alm_code step_in_object(reader *r)
{
    level *at = top(r);
    if (r->lexer.kind == ALM_JSON_OBJECT_END) {
        r->depth--;
        if (r->depth > 0 && top(r)->in_list) {
            top(r)->count++; // a message that was an element is complete
        }
        alm_json_next(&r->lexer);
        return ALM_OK;
    }
    if (at->has_members) {
        if (r->lexer.kind != ALM_JSON_COMMA) {
            return fail_syntax(r, "expected , or }");
        }
        alm_json_next(&r->lexer);
    }
    ALM_TRY(read_name(r));
    if (r->lexer.kind == ALM_JSON_NULL) { // not set
        alm_json_next(&r->lexer);
        return ALM_OK;
    }
    return alm_field_is_repeated(at->field) ? read_list_start(r) : read_single(r);
}

static void end_list(reader *r)
{
    level *at = top(r);
    at->in_list = false;
    *(void **)alm_field_at(at->message, at->field) = at->elements;
    *(size_t *)alm_field_quantifier(at->message, at->field) = at->count;
    alm_json_next(&r->lexer);
}

static alm_code step_in_list(reader *r)
{
    level *at = top(r);
    if (r->lexer.kind == ALM_JSON_ARRAY_END) {
        end_list(r);
        return ALM_OK;
    }
    if (at->count > 0) {
        if (r->lexer.kind != ALM_JSON_COMMA) {
            return fail_syntax(r, "expected , or ]");
        }
        alm_json_next(&r->lexer);
    }
    size_t size = alm_field_size(at->field);
    if (!alm_arena_grow(r->arena, &at->elements, &at->cap, at->count + 1, size)) {
        return no_memory(r);
    }
    bool is_message = at->field->type == PROTOBUF_C_TYPE_MESSAGE;
    ALM_TRY(read_value(r, (char *)at->elements + at->count * size));
    at->count += is_message ? 0 : 1;
    return ALM_OK;
}

static alm_code read_whole(reader *r, const ProtobufCMessageDescriptor *type,
                           ProtobufCMessage **ret)
{
    ALM_TRY(push(r, type, ret));
    while (r->depth > 0) {
        ALM_TRY(top(r)->in_list ? step_in_list(r) : step_in_object(r));
    }
    if (r->lexer.kind != ALM_JSON_END) {
        return fail_syntax(r, "expected nothing behind the object");
    }
    return ALM_OK;
}

alm_code alm_message_from_json(const ProtobufCMessageDescriptor *type, alm_str json,
                               alm_arena *arena, ProtobufCMessage **ret, alm_status *st)
{
    size_t valid = alm_utf8_valid_len(json);
    if (valid != json.len) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "the JSON is not UTF-8 at byte %zu", valid);
    }
    reader *r = alm_arena_alloc(arena, sizeof *r);
    if (r == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the message");
    }
    r->lexer = alm_json_lexer_of(json);
    r->arena = arena;
    r->st = st;
    r->value_count = 0;
    r->depth = 0;
    ProtobufCMessage *message = NULL;
    ALM_TRY(read_whole(r, type, &message));
    *ret = message;
    return ALM_OK;
}
