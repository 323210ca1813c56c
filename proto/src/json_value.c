#include "json_value.h"

#include "base64.h"

#include <math.h>
#include <stdlib.h>

#define NUMBER_BYTES_SHORT 64 // numbers up to here need no memory of their own

static bool is_number(const alm_json_lexer *lexer)
{
    return lexer->kind == ALM_JSON_NUMBER ||
           (lexer->kind == ALM_JSON_STRING && lexer->text.len > 0 &&
            alm_json_number_len(lexer->text) == lexer->text.len);
}

static alm_json_result to_integer(const alm_json_lexer *lexer, bool *ret_negative,
                                  uint64_t *ret_magnitude)
{
    if (!is_number(lexer)) {
        return ALM_JSON_VALUE_TYPE;
    }
    switch (alm_json_to_integer(lexer->text, ret_negative, ret_magnitude)) {
    case ALM_JSON_INTEGER:
        return ALM_JSON_VALUE_OK;
    case ALM_JSON_OVERFLOW:
        return ALM_JSON_VALUE_RANGE;
    case ALM_JSON_NOT_INTEGER:
        break;
    }
    return ALM_JSON_VALUE_TYPE;
}

static alm_json_result read_signed(const alm_json_lexer *lexer, uint64_t magnitude_max,
                                   int64_t *ret)
{
    bool negative = false;
    uint64_t magnitude = 0;
    alm_json_result result = to_integer(lexer, &negative, &magnitude);
    if (result != ALM_JSON_VALUE_OK) {
        return result;
    }
    if (magnitude > magnitude_max + (negative ? 1 : 0)) {
        return ALM_JSON_VALUE_RANGE;
    }
    *ret = negative && magnitude > 0 ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
    return ALM_JSON_VALUE_OK;
}

static alm_json_result read_unsigned(const alm_json_lexer *lexer, uint64_t max, uint64_t *ret)
{
    bool negative = false;
    uint64_t magnitude = 0;
    alm_json_result result = to_integer(lexer, &negative, &magnitude);
    if (result != ALM_JSON_VALUE_OK) {
        return result;
    }
    if (magnitude > max || (negative && magnitude > 0)) {
        return ALM_JSON_VALUE_RANGE;
    }
    *ret = magnitude;
    return ALM_JSON_VALUE_OK;
}

static alm_json_result read_int32(const alm_json_lexer *lexer, int32_t *ret)
{
    int64_t value = 0;
    alm_json_result result = read_signed(lexer, INT32_MAX, &value);
    if (result == ALM_JSON_VALUE_OK) {
        *ret = (int32_t)value;
    }
    return result;
}

static alm_json_result read_uint32(const alm_json_lexer *lexer, uint32_t *ret)
{
    uint64_t value = 0;
    alm_json_result result = read_unsigned(lexer, UINT32_MAX, &value);
    if (result == ALM_JSON_VALUE_OK) {
        *ret = (uint32_t)value;
    }
    return result;
}

// --- floating point ------------------------------------------------------------------------------

static bool read_special(const alm_json_lexer *lexer, double *ret)
{
    if (lexer->kind != ALM_JSON_STRING) {
        return false;
    }
    if (alm_str_eq(lexer->text, ALM_STR("NaN"))) {
        *ret = (double)NAN;
        return true;
    }
    bool is_negative = alm_str_eq(lexer->text, ALM_STR("-Infinity"));
    *ret = is_negative ? -(double)INFINITY : (double)INFINITY;
    return is_negative || alm_str_eq(lexer->text, ALM_STR("Infinity"));
}

// A terminated number for strtod and strtof, each of which rounds right for its own type.
static const char *terminated(const alm_json_lexer *lexer, alm_arena *arena, char *space)
{
    if (lexer->text.len >= NUMBER_BYTES_SHORT) {
        return alm_arena_strdup(arena, lexer->text);
    }
    memcpy(space, lexer->text.data, lexer->text.len);
    space[lexer->text.len] = '\0';
    return space;
}

static alm_json_result read_floating(const alm_json_lexer *lexer, alm_arena *arena, bool is_float,
                                     void *where)
{
    char space[NUMBER_BYTES_SHORT];
    double value = 0;
    bool is_special = read_special(lexer, &value);
    if (!is_special && !is_number(lexer)) {
        return ALM_JSON_VALUE_TYPE;
    }
    const char *text = is_special ? "" : terminated(lexer, arena, space);
    if (text == NULL) {
        return ALM_JSON_VALUE_MEMORY;
    }
    if (is_float) {
        *(float *)where = is_special ? (float)value : strtof(text, NULL);
        return is_special || isfinite(*(float *)where) ? ALM_JSON_VALUE_OK : ALM_JSON_VALUE_RANGE;
    }
    *(double *)where = is_special ? value : strtod(text, NULL);
    return is_special || isfinite(*(double *)where) ? ALM_JSON_VALUE_OK : ALM_JSON_VALUE_RANGE;
}

// --- the rest ------------------------------------------------------------------------------------

static alm_json_result read_bool(const alm_json_lexer *lexer, protobuf_c_boolean *ret)
{
    if (lexer->kind != ALM_JSON_TRUE && lexer->kind != ALM_JSON_FALSE) {
        return ALM_JSON_VALUE_TYPE;
    }
    *ret = lexer->kind == ALM_JSON_TRUE;
    return ALM_JSON_VALUE_OK;
}

// An arena's copy without escapes.
static alm_json_result plain_text(const alm_json_lexer *lexer, alm_arena *arena, alm_str *ret)
{
    if (lexer->kind != ALM_JSON_STRING) {
        return ALM_JSON_VALUE_TYPE;
    }
    char *text = alm_arena_alloc(arena, lexer->text.len + 1);
    if (text == NULL) {
        return ALM_JSON_VALUE_MEMORY;
    }
    size_t len = lexer->text.len;
    if (!lexer->has_escapes) {
        memcpy(text, lexer->text.data, len);
        text[len] = '\0';
    } else if (!alm_json_unescape(lexer->text, text, &len)) {
        return ALM_JSON_VALUE_SURROGATE;
    }
    *ret = (alm_str){.data = text, .len = len};
    return ALM_JSON_VALUE_OK;
}

static alm_json_result read_string(const alm_json_lexer *lexer, alm_arena *arena, const char **ret)
{
    alm_str text;
    alm_json_result result = plain_text(lexer, arena, &text);
    if (result != ALM_JSON_VALUE_OK) {
        return result;
    }
    if (memchr(text.data, '\0', text.len) != NULL) {
        return ALM_JSON_VALUE_NUL;
    }
    *ret = text.data;
    return ALM_JSON_VALUE_OK;
}

static alm_json_result read_bytes(const alm_json_lexer *lexer, alm_arena *arena,
                                  ProtobufCBinaryData *ret)
{
    alm_str text = lexer->text;
    if (lexer->kind != ALM_JSON_STRING) {
        return ALM_JSON_VALUE_TYPE;
    }
    if (lexer->has_escapes) { // "\/" for one
        alm_json_result result = plain_text(lexer, arena, &text);
        if (result != ALM_JSON_VALUE_OK) {
            return result;
        }
    }
    uint8_t *data = alm_arena_alloc(arena, alm_base64_decoded_max(text.len));
    if (data == NULL) {
        return ALM_JSON_VALUE_MEMORY;
    }
    size_t len = 0;
    if (!alm_base64_decode(text, data, &len)) {
        return ALM_JSON_VALUE_TYPE;
    }
    *ret = (ProtobufCBinaryData){.data = data, .len = len};
    return ALM_JSON_VALUE_OK;
}

// By number any value of 32 bits, known or not, as protobuf's enums are open.
static alm_json_result read_enum(const alm_json_lexer *lexer, const ProtobufCEnumDescriptor *type,
                                 alm_arena *arena, int32_t *ret)
{
    if (lexer->kind == ALM_JSON_NUMBER) {
        return read_int32(lexer, ret);
    }
    const char *name = NULL;
    alm_json_result result = read_string(lexer, arena, &name);
    if (result != ALM_JSON_VALUE_OK) {
        return result;
    }
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(type, name);
    if (value == NULL) {
        return is_number(lexer) ? read_int32(lexer, ret) : ALM_JSON_VALUE_TYPE;
    }
    *ret = value->value;
    return ALM_JSON_VALUE_OK;
}

alm_json_result alm_json_value_read(const alm_json_lexer *lexer,
                                    const ProtobufCFieldDescriptor *field, alm_arena *arena,
                                    void *where)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return read_int32(lexer, where);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return read_signed(lexer, INT64_MAX, where);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return read_uint32(lexer, where);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_unsigned(lexer, UINT64_MAX, where);
    case PROTOBUF_C_TYPE_FLOAT:
        return read_floating(lexer, arena, true, where);
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_floating(lexer, arena, false, where);
    case PROTOBUF_C_TYPE_BOOL:
        return read_bool(lexer, where);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(lexer, field->descriptor, arena, where);
    case PROTOBUF_C_TYPE_STRING:
        return read_string(lexer, arena, where);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(lexer, arena, where);
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    return ALM_JSON_VALUE_TYPE;
}
