// Records: what travels in a frame. docs/WIRE.md is the reference; this is its codec.
//
// A frame is a run of records. A record is a header of 24 bytes, metadata and a payload; integers
// are little-endian.
#ifndef ALM_RPC_RECORD_H
#define ALM_RPC_RECORD_H

#include "alm/buf.h"
#include "alm/limits.h"
#include "alm/status.h"

#define ALM_RECORD_HEADER_BYTES 24
#define ALM_RECORD_BATCH_BYTES  ((size_t)64 << 10) // a frame holds more only if one record does
#define ALM_RECORD_BATCH_COUNT  256        // records of a frame; a turn ends at so many: see 0009
#define ALM_RECORD_TIME_NONE    UINT32_MAX // no deadline

// A frame that may hold one message of the limit, with room to see that one is larger.
#define ALM_FRAME_BYTES_MAX(message_bytes_max)                                                     \
    ((message_bytes_max) + ALM_RPC_METADATA_BYTES_MAX + ALM_RECORD_BATCH_BYTES)

typedef enum alm_record_type {
    ALM_RECORD_HELLO = 1,
    ALM_RECORD_REQUEST,
    ALM_RECORD_MESSAGE,
    ALM_RECORD_END,
    ALM_RECORD_CANCEL,
    ALM_RECORD_CREDIT,
    ALM_RECORD_PING,
    ALM_RECORD_PONG,
    ALM_RECORD_GOAWAY,
    ALM_RECORD_RESET,
    ALM_RECORD_FINISH,
    ALM_RECORD_SERVING,
    ALM_RECORD_TYPE_LAST = ALM_RECORD_SERVING
} alm_record_type;

#define ALM_RECORD_REFUSED 0x01 // END: the call was not started, anyone may try it elsewhere
#define ALM_RECORD_LAST    0x02 // END: the payload is the last message; the code is OK

typedef struct alm_record {
    alm_record_type type;
    uint8_t flags;
    uint64_t call_id; // PING and PONG: any value, sent back
    uint32_t arg;     // REQUEST: method index; MESSAGE: its number; END: status code; CREDIT:
                      // bytes; FINISH: count of messages; PING: records sent before; PONG: the
                      // same, or 0; SERVING: service
    uint32_t time_ms; // REQUEST: time left; END: retry after, or with OK the count of messages;
                      // CREDIT: messages; SERVING: 1 or 0
    alm_str metadata; // at most ALM_RPC_METADATA_BYTES_MAX
    alm_str payload;
} alm_record;

size_t alm_record_size(const alm_record *record);

// Appends all of the record or nothing. False: no memory, or the buffer's maximum.
ALM_MUST_USE bool alm_record_append(alm_buf *out, const alm_record *record);

// The same, with a payload of payload_len bytes that the caller writes to where it is told. NULL:
// no memory, nothing was appended. record->payload is not looked at. The place is valid until the
// next append.
ALM_MUST_USE uint8_t *alm_record_begin(alm_buf *out, const alm_record *record, size_t payload_len);

// Takes the next record off the frame; views point into it. Call while alm_reader_left is not 0.
//
// ALM_INVALID_ARGUMENT  not a record; nothing more can be read from this frame
ALM_MUST_USE alm_code alm_record_next(alm_reader *frame, alm_record *ret, alm_status *st);

// How many bytes of whole records, from records' start, make the next frame, and how many records
// that is: as many as ALM_RECORD_BATCH_BYTES and _COUNT allow, at least one. records: our own,
// well-formed, not empty.
size_t alm_record_batch_len(alm_str records, size_t *ret_count);

// Metadata: entries of key and value. Keys are lower case.
#define ALM_METADATA_REQUEST_ID  "request-id"
#define ALM_METADATA_TRACEPARENT "traceparent" // W3C Trace Context
#define ALM_METADATA_TOKEN       "authorization"
#define ALM_METADATA_KEY         "idempotency-key"
#define ALM_METADATA_FIELD       "field" // of END
ALM_MUST_USE bool alm_metadata_append(alm_buf *out, alm_str key, alm_str value);
// Takes the first entry off *rest. False: there is none, or, with *rest not empty, it is malformed.
bool alm_metadata_next(alm_str *rest, alm_str *ret_key, alm_str *ret_value);
// False: absent, or the metadata is malformed.
bool alm_metadata_find(alm_str metadata, alm_str key, alm_str *ret_value);

#endif
