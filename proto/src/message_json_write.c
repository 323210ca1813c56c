#include "alm/message_json.h"

#include "base64.h"
#include "field.h"
#include "float_text.h"

#include "alm/limits.h"

#include <inttypes.h>

// A message being written, and how far.
typedef struct level {
    const ProtobufCMessage *message;
    unsigned field;   // the next
    bool has_members; // a comma is due
    bool in_list;
    size_t element; // the next
} level;

typedef struct writer {
    alm_buf *out;
    const alm_json_opts *opts;
    alm_status *st;
    size_t depth;
    level levels[ALM_JSON_DEPTH_MAX];
} writer;

static level *top(writer *w)
{
    return &w->levels[w->depth - 1];
}

static const void *at_offset(const ProtobufCMessage *message, unsigned offset)
{
    return (const char *)message + offset;
}

// --- scalars -------------------------------------------------------------------------------------

static void put_u64(alm_buf *out, uint64_t value, bool is_negative)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (is_negative) {
        digits[--at] = '-';
    }
    alm_buf_append(out, digits + at, sizeof digits - at);
}

static void put_i64(alm_buf *out, int64_t value)
{
    put_u64(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

static void put_escape(alm_buf *out, uint32_t c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *found = c != 0 && c < 0x80 ? strchr(from, (int)c) : NULL;
    if (found != NULL) {
        alm_buf_char(out, '\\');
        alm_buf_char(out, to[found - from]);
    } else {
        alm_buf_printf(out, "\\u%04" PRIx32, c);
    }
}

// Beside what JSON asks for: what would move a terminal's cursor, and the two line ends that break
// a script.
static bool needs_escape(uint32_t c)
{
    return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
           c == 0x2029;
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && c != '"' && c != '\\';
}

// text: UTF-8.
static void put_text(alm_buf *out, alm_str text)
{
    size_t start = 0; // of what stands as it is
    alm_buf_char(out, '"');
    for (size_t at = 0; at < text.len;) {
        uint32_t c = 0;
        size_t len =
            is_plain(text.data[at]) ? 1 : alm_utf8_decode(alm_str_slice(text, at, text.len), &c);
        if (!is_plain(text.data[at]) && needs_escape(c)) {
            alm_buf_append(out, text.data + start, at - start);
            put_escape(out, c);
            start = at + len;
        }
        at += len;
    }
    alm_buf_str(out, alm_str_slice(text, start, text.len));
    alm_buf_char(out, '"');
}

static alm_code put_string(writer *w, const ProtobufCFieldDescriptor *field, const char *value)
{
    alm_str text = alm_str_from(value);
    if (alm_utf8_valid_len(text) != text.len) {
        return alm_status_set_field(w->st, ALM_INVALID_ARGUMENT, field->name, "%s.%s is not UTF-8",
                                    top(w)->message->descriptor->name, field->name);
    }
    put_text(w->out, text);
    return ALM_OK;
}

static void put_enum(alm_buf *out, const ProtobufCEnumDescriptor *type, int32_t number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    if (value == NULL) {
        put_i64(out, number);
        return;
    }
    put_text(out, alm_str_from(value->name));
}

static void put_bytes(alm_buf *out, const ProtobufCBinaryData *bytes)
{
    alm_buf_char(out, '"');
    alm_base64_encode((alm_bytes){bytes->data, bytes->len}, out);
    alm_buf_char(out, '"');
}

static void put_floating(alm_buf *out, double value, bool is_float)
{
    char text[ALM_FLOAT_TEXT_MAX];
    size_t len = is_float ? alm_float_text((float)value, text) : alm_double_text(value, text);
    alm_buf_append(out, text, len);
}

static alm_code put_scalar(writer *w, const ProtobufCFieldDescriptor *field, const void *where)
{
    alm_buf *out = w->out;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        put_i64(out, *(const int32_t *)where);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        put_u64(out, *(const uint32_t *)where, false);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        alm_buf_char(out, '"');
        put_i64(out, *(const int64_t *)where);
        alm_buf_char(out, '"');
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        alm_buf_char(out, '"');
        put_u64(out, *(const uint64_t *)where, false);
        alm_buf_char(out, '"');
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        put_floating(out, (double)*(const float *)where, true);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        put_floating(out, *(const double *)where, false);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        alm_buf_str(out, *(const protobuf_c_boolean *)where ? ALM_STR("true") : ALM_STR("false"));
        break;
    case PROTOBUF_C_TYPE_ENUM:
        put_enum(out, field->descriptor, *(const int32_t *)where);
        break;
    case PROTOBUF_C_TYPE_STRING:
        return put_string(w, field, *(const char *const *)where);
    case PROTOBUF_C_TYPE_BYTES:
        put_bytes(out, where);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        ALM_ASSERT(false); // the caller goes into it
    }
    return ALM_OK;
}

// --- which fields --------------------------------------------------------------------------------

// What protobuf-c takes for zero, too, when it packs.
static bool is_zero(const ProtobufCFieldDescriptor *field, const void *where)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        return *(const float *)where == 0;
    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const double *)where == 0;
    case PROTOBUF_C_TYPE_STRING:
        return *(const char *const *)where == NULL || **(const char *const *)where == '\0';
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)where)->len == 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(const void *const *)where == NULL;
    default:
        return alm_field_size(field) == sizeof(uint64_t) ? *(const uint64_t *)where == 0
                                                         : *(const uint32_t *)where == 0;
    }
}

static size_t list_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return *(const size_t *)at_offset(message, field->quantifier_offset);
}

static bool is_shown(const writer *w, const ProtobufCMessage *message,
                     const ProtobufCFieldDescriptor *field)
{
    const void *where = at_offset(message, field->offset);
    bool is_pointer =
        field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING;
    if (alm_field_is_repeated(field)) {
        return w->opts->defaults || list_count(message, field) > 0;
    }
    if (alm_field_is_in_oneof(field)) {
        bool is_chosen =
            *(const uint32_t *)at_offset(message, field->quantifier_offset) == field->id;
        return is_chosen && !(is_pointer && *(const void *const *)where == NULL);
    }
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL) { // set or not, whatever its value
        const void *pointer = is_pointer ? *(const void *const *)where : NULL;
        return is_pointer
                   ? pointer != NULL && pointer != field->default_value
                   : *(const protobuf_c_boolean *)at_offset(message, field->quantifier_offset) != 0;
    }
    bool is_default = is_zero(field, where);
    return !is_default || (w->opts->defaults && field->type != PROTOBUF_C_TYPE_MESSAGE);
}

static void put_name(writer *w, const char *name)
{
    size_t max = strlen(name);
    level *at = top(w);
    if (at->has_members) {
        alm_buf_char(w->out, ',');
    }
    at->has_members = true;
    alm_buf_char(w->out, '"');
    if (w->opts->original_names) {
        alm_buf_append(w->out, name, max);
    } else {
        uint8_t *room = alm_buf_reserve(w->out, max);
        w->out->len += room != NULL ? alm_field_json_name(name, (char *)room) : 0;
    }
    alm_buf_append(w->out, "\":", 2);
}

// --- the walk ------------------------------------------------------------------------------------

static alm_code push(writer *w, const ProtobufCMessage *message)
{
    if (w->depth == ALM_JSON_DEPTH_MAX) {
        return alm_status_set(w->st, ALM_INVALID_ARGUMENT, "messages nest deeper than %d",
                              ALM_JSON_DEPTH_MAX);
    }
    w->levels[w->depth++] = (level){.message = message};
    alm_buf_char(w->out, '{');
    return ALM_OK;
}

static alm_code put_value(writer *w, const ProtobufCFieldDescriptor *field, const void *where)
{
    return field->type == PROTOBUF_C_TYPE_MESSAGE ? push(w, *(const ProtobufCMessage *const *)where)
                                                  : put_scalar(w, field, where);
}

static alm_code step_in_list(writer *w, const ProtobufCFieldDescriptor *field)
{
    level *at = top(w);
    size_t index = at->element;
    if (index == list_count(at->message, field)) {
        alm_buf_char(w->out, ']');
        at->in_list = false;
        at->field++;
        return ALM_OK;
    }
    if (index > 0) {
        alm_buf_char(w->out, ',');
    }
    at->element++;
    const char *elements = *(const char *const *)at_offset(at->message, field->offset);
    return put_value(w, field, elements + index * alm_field_size(field));
}

static alm_code step(writer *w)
{
    level *at = top(w);
    if (at->field == at->message->descriptor->n_fields) {
        alm_buf_char(w->out, '}');
        w->depth--;
        return ALM_OK;
    }
    const ProtobufCFieldDescriptor *field = &at->message->descriptor->fields[at->field];
    if (at->in_list) {
        return step_in_list(w, field);
    }
    if (!is_shown(w, at->message, field)) {
        at->field++;
        return ALM_OK;
    }
    put_name(w, field->name);
    if (alm_field_is_repeated(field)) {
        alm_buf_char(w->out, '[');
        at->in_list = true;
        at->element = 0;
        return ALM_OK;
    }
    at->field++;
    return put_value(w, field, at_offset(at->message, field->offset));
}

alm_code alm_message_to_json(const ProtobufCMessage *message, const alm_json_opts *opts,
                             alm_buf *out, alm_status *st)
{
    static const alm_json_opts usual;
    writer w;
    w.out = out;
    w.opts = opts != NULL ? opts : &usual;
    w.st = st;
    w.depth = 0;
    ALM_TRY(push(&w, message));
    while (w.depth > 0 && !out->failed) {
        ALM_TRY(step(&w));
    }
    if (out->failed) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no room for the JSON of a %s",
                              message->descriptor->name);
    }
    return ALM_OK;
}
