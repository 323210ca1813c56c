// Records to one peer that wait to be sent, and the frames they are sent in.
#ifndef ALM_RPC_OUTBOX_H
#define ALM_RPC_OUTBOX_H

#include "record.h"

typedef struct alm_outbox {
    alm_buf records;
    size_t at;    // what is before it was sent
    size_t count; // of the records from there on
} alm_outbox;

void alm_outbox_init(alm_outbox *outbox);
void alm_outbox_deinit(alm_outbox *outbox);
void alm_outbox_reset(alm_outbox *outbox); // empties, keeps the memory

// As alm_record_begin.
ALM_MUST_USE uint8_t *alm_outbox_begin(alm_outbox *outbox, const alm_record *record,
                                       size_t payload_len);

static inline bool alm_outbox_is_empty(const alm_outbox *outbox)
{
    return outbox->at == outbox->records.len;
}

// The next frame, of at least one record; not to be called on an empty one. It was sent once that
// is said, with the count it was given out with.
alm_str alm_outbox_frame(const alm_outbox *outbox, size_t *ret_count);
void alm_outbox_sent(alm_outbox *outbox, alm_str frame, size_t count);

#endif
