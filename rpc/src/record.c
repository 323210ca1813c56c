#include "record.h"

static void put_u16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)v;
    at[1] = (uint8_t)(v >> 8);
}

static void put_u32(uint8_t *at, uint32_t v)
{
    put_u16(at, (uint16_t)v);
    put_u16(at + 2, (uint16_t)(v >> 16));
}

static void put_u64(uint8_t *at, uint64_t v)
{
    put_u32(at, (uint32_t)v);
    put_u32(at + 4, (uint32_t)(v >> 32));
}

static uint16_t get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get_u32(const uint8_t *at)
{
    return get_u16(at) | (uint32_t)get_u16(at + 2) << 16;
}

static uint64_t get_u64(const uint8_t *at)
{
    return get_u32(at) | (uint64_t)get_u32(at + 4) << 32;
}

static uint8_t *put_str(uint8_t *at, alm_str s)
{
    if (s.len > 0) {
        memcpy(at, s.data, s.len);
    }
    return at + s.len;
}

size_t alm_record_size(const alm_record *record)
{
    return ALM_RECORD_HEADER_BYTES + record->metadata.len + record->payload.len;
}

uint8_t *alm_record_begin(alm_buf *out, const alm_record *record, size_t payload_len)
{
    ALM_ASSERT(record->metadata.len <= ALM_RPC_METADATA_BYTES_MAX);
    size_t size = ALM_RECORD_HEADER_BYTES + record->metadata.len + payload_len;
    ALM_ASSERT(size <= UINT32_MAX);
    uint8_t *at = alm_buf_reserve(out, size);
    if (at == NULL) {
        out->failed = false; // nothing was written, so a smaller record may still fit
        return NULL;
    }
    put_u32(at, (uint32_t)size);
    at[4] = (uint8_t)record->type;
    at[5] = record->flags;
    put_u16(at + 6, (uint16_t)record->metadata.len);
    put_u64(at + 8, record->call_id);
    put_u32(at + 16, record->arg);
    put_u32(at + 20, record->time_ms);
    out->len += size;
    return put_str(at + ALM_RECORD_HEADER_BYTES, record->metadata);
}

bool alm_record_append(alm_buf *out, const alm_record *record)
{
    uint8_t *at = alm_record_begin(out, record, record->payload.len);
    if (at == NULL) {
        return false;
    }
    put_str(at, record->payload);
    return true;
}

alm_code alm_record_next(alm_reader *frame, alm_record *ret, alm_status *st)
{
    size_t left = alm_reader_left(frame);
    if (left < ALM_RECORD_HEADER_BYTES) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%zu bytes are too few for a record", left);
    }
    const uint8_t *at = frame->data + frame->at;
    uint32_t size = get_u32(at);
    uint8_t type = at[4];
    size_t metadata_len = get_u16(at + 6);
    if (size > left || size < ALM_RECORD_HEADER_BYTES + metadata_len) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "a record of %u bytes with %zu of metadata, and %zu are left",
                              (unsigned)size, metadata_len, left);
    }
    if (metadata_len > ALM_RPC_METADATA_BYTES_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%zu bytes of metadata", metadata_len);
    }
    if (type < ALM_RECORD_HELLO || type > ALM_RECORD_TYPE_LAST) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "unknown record type %u", (unsigned)type);
    }
    const char *rest = (const char *)at + ALM_RECORD_HEADER_BYTES;
    *ret = (alm_record){
        .type = (alm_record_type)type,
        .flags = at[5],
        .call_id = get_u64(at + 8),
        .arg = get_u32(at + 16),
        .time_ms = get_u32(at + 20),
        .metadata = {.data = rest, .len = metadata_len},
        .payload = {.data = rest + metadata_len,
                    .len = size - ALM_RECORD_HEADER_BYTES - metadata_len},
    };
    frame->at += size;
    return ALM_OK;
}

size_t alm_record_batch_len(alm_str records, size_t *ret_count)
{
    size_t len = 0;
    size_t count = 0;
    for (; count < ALM_RECORD_BATCH_COUNT && len < records.len; count++) {
        uint32_t size = get_u32((const uint8_t *)records.data + len);
        ALM_ASSERT(size >= ALM_RECORD_HEADER_BYTES && size <= records.len - len);
        if (len > 0 && len + size > ALM_RECORD_BATCH_BYTES) {
            break;
        }
        len += size;
    }
    *ret_count = count;
    return len;
}

// An entry is u8 key length, key, u16 value length, value.
bool alm_metadata_append(alm_buf *out, alm_str key, alm_str value)
{
    ALM_ASSERT(key.len > 0 && key.len <= UINT8_MAX);
    size_t size = 3 + key.len + value.len;
    if (out->len + size > ALM_RPC_METADATA_BYTES_MAX) {
        return false;
    }
    uint8_t *at = alm_buf_reserve(out, size);
    if (at == NULL) {
        return false;
    }
    *at = (uint8_t)key.len;
    at = put_str(at + 1, key);
    put_u16(at, (uint16_t)value.len);
    put_str(at + 2, value);
    out->len += size;
    return true;
}

bool alm_metadata_next(alm_str *rest, alm_str *ret_key, alm_str *ret_value)
{
    const uint8_t *at = (const uint8_t *)rest->data;
    if (rest->len < 3 || rest->len < (size_t)3 + at[0]) {
        return false;
    }
    size_t key_len = at[0];
    size_t value_len = get_u16(at + 1 + key_len);
    size_t size = 3 + key_len + value_len;
    if (key_len == 0 || rest->len < size) {
        return false;
    }
    *ret_key = (alm_str){.data = rest->data + 1, .len = key_len};
    *ret_value = (alm_str){.data = rest->data + 3 + key_len, .len = value_len};
    *rest = alm_str_slice(*rest, size, rest->len);
    return true;
}

bool alm_metadata_find(alm_str metadata, alm_str key, alm_str *ret_value)
{
    alm_str name, value;
    while (alm_metadata_next(&metadata, &name, &value)) {
        if (alm_str_eq(name, key)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}
