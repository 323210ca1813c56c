// The calling side of rpc.
//
// A channel stands for one service at one target. It resolves the target to all addresses and again
// every resolve_ms and after a failure, keeps one connection an address, watches their health, and
// gives each call to the healthy connection with the fewest outstanding calls. One that fails again
// and again is left alone for a while.
//
// A call that may be repeated (alm_repeat of its method) is tried again elsewhere, with backoff,
// when a connection is lost or answers UNAVAILABLE, as long as its deadline allows, nothing has
// reached the caller yet and the channel's retry budget is not spent. One that the server has not
// started is always sent again.
#ifndef ALM_CHANNEL_H
#define ALM_CHANNEL_H

#include "alm/rpc.h"
#include "alm/server.h"

// The client side of a call that streams. One thread may send while another reads.
typedef struct alm_stream alm_stream;

typedef struct alm_channel_opts {
    int64_t resolve_ms;   // 0: 1000
    int64_t heartbeat_ms; // 0: 500; a connection silent for three heartbeats is unhealthy
    const alm_rpc_identity *identity; // NULL: the process' own
} alm_channel_opts;

// Never waits for the peer: a target that is not there yet is connected when it comes. target may
// be a comma-separated list of addresses.
//
// ALM_INVALID_ARGUMENT  not an address
ALM_MUST_USE alm_code alm_channel_open(alm_rpc *rpc, const char *target,
                                       const alm_channel_opts *opts, alm_channel **ret,
                                       alm_status *st);
// Calls in progress end with CANCELLED. Their streams must be closed afterwards all the same. Not
// within an event of one of them.
void alm_channel_close(alm_channel **channel);

typedef struct alm_call_opts {
    int64_t timeout_ms;     // 0: ALM_RPC_DEADLINE_MS_DEFAULT, or the parent's time left; -1: none
                            // (for Watch); with a parent never later than the parent's deadline
    const alm_call *parent; // a call of ours this one is made for: its deadline and request id are
                            // passed on, and its cancellation cancels this one
    uint64_t affinity; // 0: none; else calls with one affinity prefer one connection, unless it
                       // is busier than another by more than two calls
    bool fail_fast;    // no healthy connection: UNAVAILABLE at once instead of waiting, also
                       // when the call would be tried again
    const char *idempotency_key; // lets a call of ALM_REPEAT_KEYED be tried again; sent along. ""
                                 // and NULL: none
    int64_t hedge_ms; // alm_stream_hedge, and alm_channel_call of an ALM_REPEAT_SAFE method: asks
                      // a second connection too when no answer has come in so long, and takes the
                      // first good one; 0: never. Costs the retry budget as a retry does
} alm_call_opts;

// A unary call. *ret_reply lives in the arena.
//
// Any code the handler returned, and
// ALM_UNAVAILABLE         no healthy connection, or lost in between (not idempotent, or tries
//                         spent)
// ALM_DEADLINE_EXCEEDED, ALM_CANCELLED
// ALM_UNIMPLEMENTED       unknown service or method
// ALM_FAILED_PRECONDITION the server's messages of this service are not ours: another version
// ALM_RESOURCE_EXHAUSTED  the request or the reply is larger than the limit, or the server is full
// ALM_INTERNAL            the reply cannot be decoded
ALM_MUST_USE alm_code alm_channel_call(alm_channel *channel, const alm_service_def *service,
                                       const char *method, const alm_call_opts *opts,
                                       const ProtobufCMessage *request, alm_arena *arena,
                                       ProtobufCMessage **ret_reply, alm_status *st);

// A call that streams. Opening does not wait for an answer. request is NULL if the client streams.
// At most a window of unread messages is held; the server waits for the rest.
ALM_MUST_USE alm_code alm_stream_open(alm_channel *channel, const alm_service_def *service,
                                      const char *method, const alm_call_opts *opts,
                                      const ProtobufCMessage *request, alm_stream **ret,
                                      alm_status *st);
// Client streaming: the next message to the server. Waits while the server does not read. Any
// failure is how the call has ended.
ALM_MUST_USE alm_code alm_stream_send(alm_stream *stream, const ProtobufCMessage *message,
                                      alm_status *st);
// Client streaming: that was the last. Once; a stream that only ends well after it.
ALM_MUST_USE alm_code alm_stream_finish(alm_stream *stream, alm_status *st);
// The next message, in the arena; NULL at the end of a stream that ended well. A failure is final.
// Where the server answers one message to a stream, it comes when the call has ended well.
ALM_MUST_USE alm_code alm_stream_next(alm_stream *stream, alm_arena *arena,
                                      ProtobufCMessage **ret_message, alm_status *st);
// The same, packed as it came, for who passes it on: a view until the next is asked for or the
// stream is closed; data NULL at the end.
ALM_MUST_USE alm_code alm_stream_next_packed(alm_stream *stream, alm_str *ret_message,
                                             alm_status *st);
// Of a method of ALM_REPEAT_SAFE, before anything is read: waits until a message has come or the
// call has ended. If neither has when it is opts->hedge_ms old, a second connection is asked too,
// where there is one and the retry budget allows; *stream is then that of the two which has a
// message or its good end first, and the other one is closed.
//
//   opts, request  as it was opened with
//
// Answers whether a second one was asked.
bool alm_stream_hedge(alm_stream **stream, const alm_call_opts *opts,
                      const ProtobufCMessage *request);
// Cancels the call if it has not ended. Accepts NULL.
void alm_stream_close(alm_stream **stream);

// --- calls whose caller does not wait ------------------------------------------------------------

// What happens to such a call, told on the I/O thread or that of a caller that waits and does its
// work meanwhile, one event of a process at a time: it must not block, and may use all that does
// not.
typedef struct alm_stream_events {
    // A message of the server, packed: a view until the event returns. NULL where the server gives
    // one answer.
    void (*on_message)(void *arg, alm_stream *stream, alm_str message);
    // alm_stream_try_send may be called: the call has reached a server, or room came after a
    // message was not sent. NULL unless the client streams.
    void (*on_room)(void *arg, alm_stream *stream);
    // The last event. answer: where the server gives one and st is OK, packed; both are views until
    // the event returns. Codes as alm_channel_call and alm_stream_next have them.
    void (*on_end)(void *arg, alm_stream *stream, const alm_status *st, alm_str answer);
} alm_stream_events;

// A call of any kind that tells by events how it goes. request is NULL if the client streams.
//
//   events  must live as long as the stream
//   ret     set before the first event, to be closed, in an event or later: no event comes after
//           alm_stream_close. NULL: closes itself after on_end
//
// A failure comes at once and without an event. ALM_INVALID_ARGUMENT, ALM_RESOURCE_EXHAUSTED: the
// request is too large, or there is no memory; ALM_UNIMPLEMENTED: no such method.
ALM_MUST_USE alm_code alm_stream_start(alm_channel *channel, const alm_service_def *service,
                                       const char *method, const alm_call_opts *opts,
                                       const ProtobufCMessage *request,
                                       const alm_stream_events *events, void *arg, alm_stream **ret,
                                       alm_status *st);
// The next message of a client that streams, if the server takes it now. *ret_sent false: it does
// not, and on_room tells when it does; or the call has ended, which on_end tells.
// ALM_RESOURCE_EXHAUSTED: larger than the limit, or no memory.
ALM_MUST_USE alm_code alm_stream_try_send(alm_stream *stream, const ProtobufCMessage *message,
                                          bool *ret_sent, alm_status *st);

// Waits until a connection is healthy. ALM_DEADLINE_EXCEEDED after timeout_ms.
ALM_MUST_USE alm_code alm_channel_wait_ready(alm_channel *channel, int64_t timeout_ms,
                                             alm_status *st);

typedef struct alm_connection_info {
    const char *address; // resolved: tcp://10.0.0.3:7103; valid during the visit
    bool healthy;
    const char *state; // "idle", "connecting", "ready", "leaving", "ejected"
    uint32_t outstanding;
    uint64_t calls, failures;
} alm_connection_info;
// visit must not use the channel.
void alm_channel_visit(alm_channel *channel,
                       void (*visit)(void *arg, const alm_connection_info *info), void *arg);

// Health/Check of a service at one address, for probes: opens a channel of its own.
// ALM_UNAVAILABLE: not serving or not there within timeout_ms.
ALM_MUST_USE alm_code alm_health_check(alm_rpc *rpc, const char *address, const char *service,
                                       int64_t timeout_ms, alm_status *st);

#endif
