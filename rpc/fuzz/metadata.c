// Any bytes as a call's metadata: what is found lies in it, and well-formed entries written one by
// one are the same bytes, in which the first of each key is found.
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(alm_str part, alm_str whole)
{
    return part.len <= whole.len && part.data >= whole.data &&
           (size_t)(part.data - whole.data) <= whole.len - part.len;
}

static void check_found(alm_str metadata, alm_str key)
{
    alm_str value;
    if (alm_metadata_find(metadata, key, &value)) {
        ALM_ASSERT(lies_in(value, metadata));
    }
}

// An entry is found as it was written, unless one of its key stands before it.
static void check_entry(alm_buf *again, alm_str key, alm_str value)
{
    alm_str before, found;
    bool has_one = alm_metadata_find(alm_buf_view(again), key, &before);
    alm_str first = has_one ? before : value;
    uint64_t len = again->len;
    if (!alm_metadata_append(again, key, value)) {
        ALM_ASSERT(len + 3 + key.len + value.len > ALM_RPC_METADATA_BYTES_MAX);
        ALM_ASSERT(again->len == len);
        return;
    }
    bool is_found = alm_metadata_find(alm_buf_view(again), key, &found);
    ALM_ASSERT(is_found && found.len == first.len);
    ALM_ASSERT(has_one || alm_str_eq(found, value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_str whole = {.data = (const char *)data, .len = size};
    alm_reader entries = alm_reader_of(data, size);
    alm_buf again;
    alm_buf_init(&again, 0);
    check_found(whole, ALM_STR(ALM_METADATA_REQUEST_ID));
    check_found(whole, ALM_STR(ALM_METADATA_TRACEPARENT));
    check_found(whole, ALM_STR(ALM_METADATA_TOKEN));
    check_found(whole, ALM_STR(ALM_METADATA_KEY));
    while (alm_reader_left(&entries) > 0) {
        alm_str key = alm_read_bytes(&entries, alm_read_u8(&entries));
        alm_str value = alm_read_bytes(&entries, alm_read_u16(&entries));
        if (entries.failed) {
            break;
        }
        check_found(whole, key);
        if (key.len == 0) {
            break; // we write none without a key
        }
        check_entry(&again, key, value);
    }
    size_t written = ALM_MIN(again.len, size);
    ALM_ASSERT(size > ALM_RPC_METADATA_BYTES_MAX || written == 0 ||
               memcmp(again.data, data, written) == 0);
    alm_buf_deinit(&again);
    return 0;
}
