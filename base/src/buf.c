#include "alm/buf.h"

#include "alm/alloc.h"
#include "alm/limits.h"

#include <endian.h>
#include <stdio.h>

#define CAP_MIN    64
#define VARINT_MAX 10 // bytes of a 64-bit LEB128

void alm_buf_init(alm_buf *buf, size_t max)
{
    *buf = (alm_buf){.max = max == 0 ? ALM_BUF_BYTES_MAX : ALM_MIN(max, SIZE_MAX / 2)};
}

void alm_buf_deinit(alm_buf *buf)
{
    alm_free(buf->data);
    *buf = (alm_buf){.max = buf->max};
}

void alm_buf_reset(alm_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

// The block is one byte longer than cap, for the NUL that vsnprintf insists on.
static bool grow(alm_buf *buf, size_t need)
{
    if (need > buf->max) {
        return false;
    }
    size_t cap = ALM_MIN(ALM_MAX(ALM_MAX(need, buf->cap * 2), CAP_MIN), buf->max);
    uint8_t *data = alm_realloc(buf->data, cap + 1);
    if (data == NULL) {
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

uint8_t *alm_buf_reserve(alm_buf *buf, size_t len)
{
    if (buf->failed) {
        return NULL;
    }
    bool fits = len <= buf->cap - buf->len && buf->data != NULL;
    if (!fits && (len > buf->max - buf->len || !grow(buf, buf->len + len))) {
        buf->failed = true;
        return NULL;
    }
    return buf->data + buf->len;
}

void alm_buf_append(alm_buf *buf, const void *data, size_t len)
{
    uint8_t *room = alm_buf_reserve(buf, len);
    if (room != NULL && len > 0) {
        memcpy(room, data, len);
        buf->len += len;
    }
}

void alm_buf_str(alm_buf *buf, alm_str text)
{
    alm_buf_append(buf, text.data, text.len);
}

void alm_buf_char(alm_buf *buf, char c)
{
    alm_buf_u8(buf, (uint8_t)c);
}

void alm_buf_printf(alm_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    alm_buf_vprintf(buf, fmt, args);
    va_end(args);
}

void alm_buf_vprintf(alm_buf *buf, const char *fmt, va_list args)
{
    uint8_t *room = alm_buf_reserve(buf, 0);
    if (room == NULL) {
        return;
    }
    va_list again;
    va_copy(again, args);
    size_t free_len = buf->cap - buf->len;
    int printed = vsnprintf((char *)room, free_len + 1, fmt, args);
    if (printed < 0) {
        buf->failed = true;
    } else if ((size_t)printed <= free_len) {
        buf->len += (size_t)printed;
    } else if ((room = alm_buf_reserve(buf, (size_t)printed)) != NULL) {
        (void)vsnprintf((char *)room, (size_t)printed + 1, fmt, again);
        buf->len += (size_t)printed;
    }
    va_end(again);
}

void alm_buf_u8(alm_buf *buf, uint8_t v)
{
    uint8_t *room = alm_buf_reserve(buf, 1);
    if (room != NULL) {
        *room = v;
        buf->len++;
    }
}

void alm_buf_u16(alm_buf *buf, uint16_t v)
{
    v = htole16(v);
    alm_buf_append(buf, &v, sizeof v);
}

void alm_buf_u32(alm_buf *buf, uint32_t v)
{
    v = htole32(v);
    alm_buf_append(buf, &v, sizeof v);
}

void alm_buf_u64(alm_buf *buf, uint64_t v)
{
    v = htole64(v);
    alm_buf_append(buf, &v, sizeof v);
}

void alm_buf_varint(alm_buf *buf, uint64_t v)
{
    uint8_t bytes[VARINT_MAX];
    size_t len = 0;
    for (; v >= 0x80; v >>= 7) {
        bytes[len++] = (uint8_t)v | 0x80;
    }
    bytes[len++] = (uint8_t)v;
    alm_buf_append(buf, bytes, len);
}

void alm_buf_svarint(alm_buf *buf, int64_t v)
{
    uint64_t sign = v < 0 ? UINT64_MAX : 0;
    alm_buf_varint(buf, (uint64_t)v << 1 ^ sign);
}

alm_str alm_buf_view(const alm_buf *buf)
{
    return (alm_str){.data = (const char *)buf->data, .len = buf->len};
}

// At the end after a failure, so that the fast paths need only look at the position.
static void reader_fail(alm_reader *r)
{
    r->failed = true;
    r->at = r->len;
}

static bool read_fixed(alm_reader *r, void *ret, size_t size)
{
    if (r->len - r->at < size) {
        reader_fail(r);
        return false;
    }
    memcpy(ret, r->data + r->at, size);
    r->at += size;
    return true;
}

uint8_t alm_read_u8(alm_reader *r)
{
    uint8_t v = 0;
    (void)read_fixed(r, &v, sizeof v);
    return v;
}

uint16_t alm_read_u16(alm_reader *r)
{
    uint16_t v = 0;
    return read_fixed(r, &v, sizeof v) ? le16toh(v) : 0;
}

uint32_t alm_read_u32(alm_reader *r)
{
    uint32_t v = 0;
    return read_fixed(r, &v, sizeof v) ? le32toh(v) : 0;
}

uint64_t alm_read_u64(alm_reader *r)
{
    uint64_t v = 0;
    return read_fixed(r, &v, sizeof v) ? le64toh(v) : 0;
}

uint64_t alm_read_varint_long(alm_reader *r)
{
    const uint8_t *bytes = r->data + r->at;
    size_t len = ALM_MIN(r->len - r->at, VARINT_MAX);
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++) {
        v |= (uint64_t)(bytes[i] & 0x7f) << (7 * i);
        if (bytes[i] < 0x80) {
            // Of the tenth byte one bit is left.
            if (i == VARINT_MAX - 1 && bytes[i] > 1) {
                break;
            }
            r->at += i + 1;
            return v;
        }
    }
    reader_fail(r);
    return 0;
}

int64_t alm_read_svarint(alm_reader *r)
{
    uint64_t v = alm_read_varint(r);
    uint64_t sign = (v & 1) != 0 ? UINT64_MAX : 0;
    return (int64_t)(v >> 1 ^ sign);
}

alm_str alm_read_bytes(alm_reader *r, size_t len)
{
    if (r->len - r->at < len) {
        reader_fail(r);
        return (alm_str){.data = NULL, .len = 0};
    }
    alm_str view = {.data = (const char *)r->data + r->at, .len = len};
    r->at += len;
    return view;
}

size_t alm_reader_left(const alm_reader *r)
{
    return r->len - r->at;
}
