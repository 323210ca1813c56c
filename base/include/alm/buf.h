// A growable byte buffer that carries its own maximum and a sticky failure: after the first
// failure appends do nothing, and one look at `failed` at the end tells.
#ifndef ALM_BUF_H
#define ALM_BUF_H

#include "alm/assert.h"
#include "alm/str.h"

#include <stdarg.h>

typedef struct alm_buf {
    uint8_t *data; // owned
    size_t len;
    size_t cap;
    size_t max;  // len never passes this
    bool failed; // the limit or the heap was exhausted; contents up to len are good
} alm_buf;

void alm_buf_init(alm_buf *buf, size_t max); // max 0: ALM_BUF_BYTES_MAX
void alm_buf_deinit(alm_buf *buf);
void alm_buf_reset(alm_buf *buf); // empties, clears failed, keeps the memory

void alm_buf_append(alm_buf *buf, const void *data, size_t len); // data: not a part of buf
void alm_buf_str(alm_buf *buf, alm_str text);
void alm_buf_char(alm_buf *buf, char c);
void alm_buf_printf(alm_buf *buf, const char *fmt, ...) ALM_PRINTF(2, 3);
void alm_buf_vprintf(alm_buf *buf, const char *fmt, va_list args) ALM_PRINTF(2, 0);

// Little-endian integers, and LEB128 with zigzag for the signed one.
void alm_buf_u8(alm_buf *buf, uint8_t v);
void alm_buf_u16(alm_buf *buf, uint16_t v);
void alm_buf_u32(alm_buf *buf, uint32_t v);
void alm_buf_u64(alm_buf *buf, uint64_t v);
void alm_buf_varint(alm_buf *buf, uint64_t v);
void alm_buf_svarint(alm_buf *buf, int64_t v);

// Room for len more bytes; the caller writes them and adds to buf->len. NULL: failed.
uint8_t *alm_buf_reserve(alm_buf *buf, size_t len);

alm_str alm_buf_view(const alm_buf *buf); // valid until the next append

// Reads what the functions above wrote. Sticky: after a read past the end or a malformed varint,
// failed is set, nothing is left and every read gives 0.
typedef struct alm_reader {
    const uint8_t *data;
    size_t len;
    size_t at;
    bool failed;
} alm_reader;

static inline alm_reader alm_reader_of(const void *data, size_t len)
{
    return (alm_reader){.data = (const uint8_t *)data, .len = len};
}
uint8_t alm_read_u8(alm_reader *r);
uint16_t alm_read_u16(alm_reader *r);
uint32_t alm_read_u32(alm_reader *r);
uint64_t alm_read_u64(alm_reader *r);
uint64_t alm_read_varint_long(alm_reader *r); // what alm_read_varint calls past one byte

// Rejects more than 10 bytes and bits past 64.
static inline uint64_t alm_read_varint(alm_reader *r)
{
    bool is_one_byte = r->at < r->len && r->data[r->at] < 0x80;
    return is_one_byte ? r->data[r->at++] : alm_read_varint_long(r);
}
int64_t alm_read_svarint(alm_reader *r);
alm_str alm_read_bytes(alm_reader *r, size_t len); // a view
size_t alm_reader_left(const alm_reader *r);

#endif
