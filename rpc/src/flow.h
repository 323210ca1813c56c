// One call's messages on one side: those that came and wait to be read, and the credit for those to
// send. Streams of both directions and of both sides count alike.
//
// Threading: guarded by the lock of whoever owns the call.
#ifndef ALM_RPC_FLOW_H
#define ALM_RPC_FLOW_H

#include "alm/rpc.h"
#include "inbox.h"
#include "record.h"

typedef struct alm_flow {
    // To send.
    int64_t credit_bytes, credit_messages;
    uint32_t sent_count;
    // To read.
    alm_inbox inbox;
    size_t inbox_bytes, inbox_count;
    uint32_t received_count;
    size_t owed_bytes, owed_messages; // credit to give back
} alm_flow;

// credit: what the other side takes at first.
void alm_flow_init(alm_flow *flow, uint32_t credit_bytes, uint32_t credit_messages);
void alm_flow_deinit(alm_flow *flow); // drops what was not read

// Credit is for records: it may be overdrawn by one.
static inline bool alm_flow_may_send(const alm_flow *flow)
{
    return flow->credit_bytes > 0 && flow->credit_messages > 0;
}
void alm_flow_count_sent(alm_flow *flow, size_t payload_len);
void alm_flow_add_credit(alm_flow *flow, const alm_record *credit);

// Whether a message that came may be taken. number: which of the stream it says it is.
//
// ALM_RESOURCE_EXHAUSTED  larger than the limit
// ALM_INTERNAL            not the next one, or more than there was credit for
ALM_MUST_USE alm_code alm_flow_check(const alm_flow *flow, const alm_rpc_limits *limits,
                                     uint32_t number, size_t size, alm_status *st);

// Takes it, to be read later. ALM_RESOURCE_EXHAUSTED: no memory.
ALM_MUST_USE alm_code alm_flow_keep(alm_flow *flow, alm_str payload, alm_status *st);

// Takes it as one that was read at once.
void alm_flow_pass(alm_flow *flow, size_t size);

// Whether all of count messages have come. ALM_INTERNAL: not.
ALM_MUST_USE alm_code alm_flow_check_count(const alm_flow *flow, uint32_t count, alm_status *st);

// Whether what waits to be read, with a message of that size more, takes half of what may wait by
// the limits: about then its sender needs credit.
bool alm_flow_fills_half(const alm_flow *flow, const alm_rpc_limits *limits, size_t size);

// The next message that came: a view until the next one is taken. False: none waits.
bool alm_flow_next(alm_flow *flow, alm_str *ret);

// True: so much has been read that *ret, a CREDIT without its call id, should be sent.
bool alm_flow_owes(alm_flow *flow, const alm_rpc_limits *limits, alm_record *ret);

#endif
