#include "outbox.h"

void alm_outbox_init(alm_outbox *outbox)
{
    *outbox = (alm_outbox){0};
    alm_buf_init(&outbox->records, 0);
}

void alm_outbox_deinit(alm_outbox *outbox)
{
    alm_buf_deinit(&outbox->records);
    outbox->at = outbox->count = 0;
}

void alm_outbox_reset(alm_outbox *outbox)
{
    alm_buf_reset(&outbox->records);
    outbox->at = outbox->count = 0;
}

uint8_t *alm_outbox_begin(alm_outbox *outbox, const alm_record *record, size_t payload_len)
{
    uint8_t *at = alm_record_begin(&outbox->records, record, payload_len);
    outbox->count += at != NULL ? 1 : 0;
    return at;
}

// What a turn leaves is mostly one frame, which need not be searched for its end.
alm_str alm_outbox_frame(const alm_outbox *outbox, size_t *ret_count)
{
    alm_str left = alm_str_slice(alm_buf_view(&outbox->records), outbox->at, outbox->records.len);
    ALM_ASSERT(left.len > 0);
    if (outbox->count <= ALM_RECORD_BATCH_COUNT && left.len <= ALM_RECORD_BATCH_BYTES) {
        *ret_count = outbox->count;
        return left;
    }
    return alm_str_slice(left, 0, alm_record_batch_len(left, ret_count));
}

void alm_outbox_sent(alm_outbox *outbox, alm_str frame, size_t count)
{
    ALM_ASSERT(frame.len <= outbox->records.len - outbox->at && count <= outbox->count);
    outbox->at += frame.len;
    outbox->count -= count;
}
