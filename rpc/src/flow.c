#include "flow.h"

#define CREDIT_MAX ((int64_t)INT32_MAX) // a peer that gives more gains nothing

void alm_flow_init(alm_flow *flow, uint32_t credit_bytes, uint32_t credit_messages)
{
    *flow = (alm_flow){.credit_bytes = credit_bytes, .credit_messages = credit_messages};
}

void alm_flow_deinit(alm_flow *flow)
{
    alm_inbox_deinit(&flow->inbox);
    flow->inbox_bytes = 0;
    flow->inbox_count = 0;
}

void alm_flow_count_sent(alm_flow *flow, size_t payload_len)
{
    flow->credit_bytes -= (int64_t)(payload_len + ALM_RECORD_HEADER_BYTES);
    flow->credit_messages--;
    flow->sent_count++;
}

void alm_flow_add_credit(alm_flow *flow, const alm_record *credit)
{
    flow->credit_bytes = ALM_MIN(flow->credit_bytes + (int64_t)credit->arg, CREDIT_MAX);
    flow->credit_messages = ALM_MIN(flow->credit_messages + (int64_t)credit->time_ms, CREDIT_MAX);
}

alm_code alm_flow_check(const alm_flow *flow, const alm_rpc_limits *limits, uint32_t number,
                        size_t size, alm_status *st)
{
    if (size > limits->message_bytes_max) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "a message of %zu bytes passes the limit of %zu", size,
                              limits->message_bytes_max);
    }
    if (number != flow->received_count) {
        return alm_status_set(st, ALM_INTERNAL, "message %u came where %u was due",
                              (unsigned)number, (unsigned)flow->received_count);
    }
    if (flow->inbox_bytes > limits->window_bytes || flow->inbox_count > limits->window_messages) {
        return alm_status_set(st, ALM_INTERNAL, "more messages than there was credit for");
    }
    return ALM_OK;
}

alm_code alm_flow_keep(alm_flow *flow, alm_str payload, alm_status *st)
{
    if (!alm_inbox_push(&flow->inbox, payload)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a message of %zu bytes",
                              payload.len);
    }
    flow->inbox_bytes += payload.len + ALM_RECORD_HEADER_BYTES;
    flow->inbox_count++;
    flow->received_count++;
    return ALM_OK;
}

void alm_flow_pass(alm_flow *flow, size_t size)
{
    flow->received_count++;
    flow->owed_bytes += size + ALM_RECORD_HEADER_BYTES;
    flow->owed_messages++;
}

alm_code alm_flow_check_count(const alm_flow *flow, uint32_t count, alm_status *st)
{
    if (count != flow->received_count) {
        return alm_status_set(st, ALM_INTERNAL, "%u messages came where %u were sent",
                              (unsigned)flow->received_count, (unsigned)count);
    }
    return ALM_OK;
}

bool alm_flow_fills_half(const alm_flow *flow, const alm_rpc_limits *limits, size_t size)
{
    return flow->inbox_bytes + size + ALM_RECORD_HEADER_BYTES >= limits->window_bytes / 2 ||
           flow->inbox_count + 1 >= limits->window_messages / 2;
}

bool alm_flow_next(alm_flow *flow, alm_str *ret)
{
    if (!alm_inbox_pop(&flow->inbox, ret)) {
        return false;
    }
    size_t bytes = ret->len + ALM_RECORD_HEADER_BYTES;
    flow->inbox_bytes -= bytes;
    flow->inbox_count--;
    flow->owed_bytes += bytes;
    flow->owed_messages++;
    return true;
}

bool alm_flow_owes(alm_flow *flow, const alm_rpc_limits *limits, alm_record *ret)
{
    if (flow->owed_bytes < limits->window_bytes / 2 &&
        flow->owed_messages < limits->window_messages / 2) {
        return false;
    }
    *ret = (alm_record){
        .type = ALM_RECORD_CREDIT,
        .arg = (uint32_t)flow->owed_bytes,
        .time_ms = (uint32_t)flow->owed_messages,
    };
    flow->owed_bytes = 0;
    flow->owed_messages = 0;
    return true;
}
