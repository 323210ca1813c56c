// The reader over any bytes: the first byte of each step says what to read. Positions never pass
// the end, a failure is for good, and a varint writes back to at most the bytes it took.
#include "alm/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_varint(alm_reader *r)
{
    size_t before = alm_reader_left(r);
    uint64_t v = alm_read_varint(r);
    if (r->failed) {
        ALM_ASSERT(v == 0);
        return;
    }
    alm_buf buf;
    alm_buf_init(&buf, 10);
    alm_buf_varint(&buf, v);
    ALM_ASSERT(!buf.failed && buf.len <= before - alm_reader_left(r));
    alm_reader again = alm_reader_of(buf.data, buf.len);
    ALM_ASSERT(alm_read_varint(&again) == v && alm_reader_left(&again) == 0);
    alm_buf_deinit(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_reader r = alm_reader_of(data, size);
    while (alm_reader_left(&r) > 0) {
        uint8_t what = alm_read_u8(&r);
        switch (what % 7) {
        case 0:
            (void)alm_read_u16(&r);
            break;
        case 1:
            (void)alm_read_u32(&r);
            break;
        case 2:
            (void)alm_read_u64(&r);
            break;
        case 3:
            check_varint(&r);
            break;
        case 4:
            (void)alm_read_svarint(&r);
            break;
        default: {
            alm_str view = alm_read_bytes(&r, what);
            ALM_ASSERT(view.len == (r.failed ? 0 : what));
            break;
        }
        }
        ALM_ASSERT(r.at <= r.len);
        ALM_ASSERT(!r.failed || alm_reader_left(&r) == 0);
    }
    return 0;
}
