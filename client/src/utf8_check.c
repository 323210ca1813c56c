#include "utf8_check.h"

#include "alm/assert.h"
#include "alm/str.h"

#define DEPTH_MAX 4 // a response, its block or list, an entry; one to spare

// One message on the way down: which field, and which element of it, comes next.
typedef struct level {
    const ProtobufCMessage *message;
    unsigned field;
    size_t element;
} level;

static const void *member(const level *at, const ProtobufCFieldDescriptor *field)
{
    return (const char *)at->message + field->offset;
}

static size_t element_count(const level *at, const ProtobufCFieldDescriptor *field)
{
    bool in_oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return *(const size_t *)((const char *)at->message + field->quantifier_offset);
    }
    if (in_oneof) {
        uint32_t chosen = *(const uint32_t *)((const char *)at->message + field->quantifier_offset);
        return chosen == field->id ? 1 : 0;
    }
    return 1;
}

static const void *element_at(const level *at, const ProtobufCFieldDescriptor *field)
{
    const void *const *direct = member(at, field);
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        return *direct;
    }
    const void *const *elements = *direct;
    return elements[at->element];
}

static alm_code check_text(const level *at, const ProtobufCFieldDescriptor *field, const char *text,
                           alm_status *st)
{
    alm_str s = alm_str_from(text);
    if (alm_utf8_valid_len(s) == s.len) {
        return ALM_OK;
    }
    return alm_status_set(st, ALM_INTERNAL, "malformed answer: %s.%s is not UTF-8",
                          at->message->descriptor->name, field->name);
}

// Steps to the next text or message at this level. False: there is none left.
static bool next_element(level *at, const ProtobufCFieldDescriptor **ret_field)
{
    for (; at->field < at->message->descriptor->n_fields; at->field++, at->element = 0) {
        const ProtobufCFieldDescriptor *field = &at->message->descriptor->fields[at->field];
        bool matters =
            field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
        if (matters && at->element < element_count(at, field)) {
            *ret_field = field;
            return true;
        }
    }
    return false;
}

alm_code alm_utf8_check(const ProtobufCMessage *message, alm_status *st)
{
    level levels[DEPTH_MAX] = {{.message = message}};
    size_t depth = 1;
    while (depth > 0) {
        level *at = &levels[depth - 1];
        const ProtobufCFieldDescriptor *field;
        if (!next_element(at, &field)) {
            depth--;
            continue;
        }
        const void *element = element_at(at, field);
        at->element++;
        if (element == NULL) {
            continue;
        }
        if (field->type == PROTOBUF_C_TYPE_STRING) {
            level where = *at;
            ALM_TRY(check_text(&where, field, element, st));
        } else {
            ALM_ASSERT(depth < DEPTH_MAX);
            levels[depth++] = (level){.message = element};
        }
    }
    return ALM_OK;
}
