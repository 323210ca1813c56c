#include "zmtp_codec.h"

#include <endian.h>

#define SIGNATURE_BYTES   10
#define VERSION_AT        10
#define MECHANISM_AT      12
#define MECHANISM_BYTES   20
#define IS_SERVER_AT      32
#define SHORT_BODY_MAX    255
#define PROPERTY_SIZE_LEN 4

static const char mechanisms[][MECHANISM_BYTES] = {
    [ALM_ZMTP_NULL] = "NULL",
    [ALM_ZMTP_CURVE] = "CURVE",
};

void alm_zmtp_greeting_write(alm_zmtp_mechanism mechanism, bool is_server,
                             uint8_t ret[ALM_ZMTP_GREETING_BYTES])
{
    ALM_ASSERT(mechanism < ALM_ZMTP_STRANGE);
    memset(ret, 0, ALM_ZMTP_GREETING_BYTES);
    ret[0] = 0xff;
    ret[SIGNATURE_BYTES - 1] = 0x7f;
    ret[VERSION_AT] = 3;
    ret[VERSION_AT + 1] = 1;
    memcpy(ret + MECHANISM_AT, mechanisms[mechanism], MECHANISM_BYTES);
    ret[IS_SERVER_AT] = is_server;
}

static alm_zmtp_mechanism mechanism_of(const uint8_t *name)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(mechanisms); i++) {
        if (memcmp(name, mechanisms[i], MECHANISM_BYTES) == 0) {
            return (alm_zmtp_mechanism)i;
        }
    }
    return ALM_ZMTP_STRANGE;
}

// The eight bytes between the ends of the signature are padding, in which libzmq hides a length for
// its forebears.
alm_zmtp_parsed alm_zmtp_greeting_read(alm_bytes data, alm_zmtp_greeting *ret)
{
    *ret = (alm_zmtp_greeting){0};
    bool is_bad = (data.len > 0 && data.data[0] != 0xff) ||
                  (data.len >= SIGNATURE_BYTES && data.data[SIGNATURE_BYTES - 1] != 0x7f) ||
                  (data.len > VERSION_AT && data.data[VERSION_AT] < 3) ||
                  (data.len > IS_SERVER_AT && data.data[IS_SERVER_AT] > 1);
    if (is_bad) {
        return ALM_ZMTP_BAD;
    }
    if (data.len < ALM_ZMTP_GREETING_BYTES) {
        return ALM_ZMTP_SHORT;
    }
    ret->major = data.data[VERSION_AT];
    ret->minor = data.data[VERSION_AT + 1];
    ret->mechanism = mechanism_of(data.data + MECHANISM_AT);
    ret->is_server = data.data[IS_SERVER_AT] == 1;
    return ALM_ZMTP_WHOLE;
}

size_t alm_zmtp_header_write(uint8_t flags, size_t body_len, uint8_t ret[ALM_ZMTP_HEADER_BYTES_MAX])
{
    if (body_len <= SHORT_BODY_MAX) {
        ret[0] = flags;
        ret[1] = (uint8_t)body_len;
        return 2;
    }
    uint64_t size = htobe64(body_len);
    ret[0] = flags | ALM_ZMTP_LONG;
    memcpy(ret + 1, &size, sizeof size);
    return ALM_ZMTP_HEADER_BYTES_MAX;
}

alm_zmtp_parsed alm_zmtp_header_read(alm_bytes data, alm_zmtp_header *ret)
{
    *ret = (alm_zmtp_header){.len = 2};
    if (data.len == 0) {
        return ALM_ZMTP_SHORT;
    }
    uint8_t flags = data.data[0];
    bool is_command_with_more = (flags & ALM_ZMTP_COMMAND) != 0 && (flags & ALM_ZMTP_MORE) != 0;
    if (flags > 0x07 || is_command_with_more) {
        return ALM_ZMTP_BAD;
    }
    bool is_long = (flags & ALM_ZMTP_LONG) != 0;
    ret->flags = flags & (uint8_t)~ALM_ZMTP_LONG;
    ret->len = is_long ? ALM_ZMTP_HEADER_BYTES_MAX : 2;
    if (data.len < ret->len) {
        return ALM_ZMTP_SHORT;
    }
    if (!is_long) {
        ret->body_len = data.data[1];
        return ALM_ZMTP_WHOLE;
    }
    uint64_t size;
    memcpy(&size, data.data + 1, sizeof size);
    ret->body_len = be64toh(size);
    return ret->body_len <= INT64_MAX ? ALM_ZMTP_WHOLE : ALM_ZMTP_BAD;
}

bool alm_zmtp_command_read(alm_str body, alm_zmtp_command *ret)
{
    size_t len = body.len > 0 ? (uint8_t)body.data[0] : 0;
    if (len == 0 || len > body.len - 1) {
        return false;
    }
    ret->name = alm_str_slice(body, 1, 1 + len);
    ret->data = alm_str_slice(body, 1 + len, body.len);
    return true;
}

void alm_zmtp_command_write(alm_buf *out, alm_str name, alm_str data)
{
    ALM_ASSERT(name.len > 0 && name.len <= UINT8_MAX);
    uint8_t header[ALM_ZMTP_HEADER_BYTES_MAX];
    alm_buf_append(out, header,
                   alm_zmtp_header_write(ALM_ZMTP_COMMAND, 1 + name.len + data.len, header));
    alm_buf_u8(out, (uint8_t)name.len);
    alm_buf_str(out, name);
    alm_buf_str(out, data);
}

static bool is_property_name(alm_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_other = (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '+';
        if (!is_letter && !is_other) {
            return false;
        }
    }
    return name.len > 0;
}

alm_zmtp_parsed alm_zmtp_property_read(alm_str *rest, alm_zmtp_property *ret)
{
    if (rest->len == 0) {
        return ALM_ZMTP_SHORT;
    }
    size_t name_len = (uint8_t)rest->data[0];
    if (rest->len < 1 + name_len + PROPERTY_SIZE_LEN) {
        return ALM_ZMTP_BAD;
    }
    ret->name = alm_str_slice(*rest, 1, 1 + name_len);
    uint32_t size;
    memcpy(&size, rest->data + 1 + name_len, sizeof size);
    size = be32toh(size);
    *rest = alm_str_slice(*rest, 1 + name_len + PROPERTY_SIZE_LEN, rest->len);
    if (size > rest->len || !is_property_name(ret->name)) {
        return ALM_ZMTP_BAD;
    }
    ret->value = alm_str_slice(*rest, 0, size);
    *rest = alm_str_slice(*rest, size, rest->len);
    return ALM_ZMTP_WHOLE;
}

void alm_zmtp_property_write(alm_buf *out, alm_str name, alm_str value)
{
    ALM_ASSERT(is_property_name(name) && name.len <= UINT8_MAX && value.len <= INT32_MAX);
    uint32_t size = htobe32((uint32_t)value.len);
    alm_buf_u8(out, (uint8_t)name.len);
    alm_buf_str(out, name);
    alm_buf_append(out, &size, sizeof size);
    alm_buf_str(out, value);
}

bool alm_zmtp_socket_type(alm_str metadata, alm_str *ret)
{
    alm_zmtp_property property;
    alm_zmtp_parsed parsed;
    size_t count = 0;
    while ((parsed = alm_zmtp_property_read(&metadata, &property)) == ALM_ZMTP_WHOLE) {
        if (alm_str_eq_nocase(property.name, ALM_STR(ALM_ZMTP_PROPERTY_SOCKET))) {
            *ret = property.value;
            count++;
        }
    }
    return parsed == ALM_ZMTP_SHORT && count == 1;
}
