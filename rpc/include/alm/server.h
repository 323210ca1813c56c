// The serving side of rpc.
//
// A server owns one thread for its sockets and a pool for its handlers; a handler may block, call
// other services and stream. Health, Reflection and Stats are served by every server.
#ifndef ALM_SERVER_H
#define ALM_SERVER_H

#include "alm/auth.h"
#include "alm/rpc.h"

typedef struct alm_server alm_server;
typedef struct alm_call alm_call;       // one call in progress; valid until its handler returns
typedef struct alm_channel alm_channel; // see alm/channel.h

// Answers one call. One answer: send exactly one message with alm_call_send and return ALM_OK, or
// return a failure. Many: send any number, then return. A failure after some messages ends the
// stream with that status. request and everything from alm_call_arena live until the handler
// returns. request is NULL where the client streams: see alm_call_next.
typedef alm_code (*alm_handler)(void *self, alm_call *call, const ProtobufCMessage *request,
                                alm_status *st);

typedef struct alm_server_opts {
    const char *name;           // for logs and metrics: "storage"
    size_t thread_count_max;    // handlers at once; 0: ALM_RPC_THREAD_COUNT_MAX
    size_t queue_count_max;     // waiting calls; 0: what the process' limits say
    bool allow_plaintext;       // tcp beyond loopback without encryption, said in so many words
    const alm_keypair *keypair; // CURVE on every tcp address; NULL: plaintext. Borrowed
    alm_policy *policy; // who may connect over tcp and call what; NULL: anyone, anything. Borrowed.
                        // Without a keypair it goes by tokens alone. Who has the server's own key
                        // is a service; so is who needs no tcp: ipc goes by the mode of its file
} alm_server_opts;

ALM_MUST_USE alm_code alm_server_create(alm_rpc *rpc, const alm_server_opts *opts, alm_server **ret,
                                        alm_status *st);

// handlers[i] answers methods[i] of the service; NULL: UNIMPLEMENTED. Before start only.
ALM_MUST_USE alm_code alm_server_add(alm_server *server, const alm_service_def *service,
                                     const alm_handler *handlers, void *self, alm_status *st);

// The method's handler is quick: it runs on the I/O thread, or that of a caller that waits and does
// its work meanwhile, without a queue or a thread of its own, so that many small calls cost little.
// It must not block, make calls that wait, or stream more than the client's window takes. After
// alm_server_add, before start.
void alm_server_run_inline(alm_server *server, const alm_service_def *service, const char *method);

// Calls of the method are passed on to another service as they come: request, messages, credit,
// deadline, ids and cancellation one way, messages and status the other. The two methods have the
// same kind and the same messages (asserted); their service was added with a NULL handler for this
// one. The channel must outlive the server. Before start only.
typedef struct alm_forward_opts {
    const char *method; // of the service that was added
    alm_channel *channel;
    const alm_service_def *to_service;
    const char *to_method;
    bool is_endless; // as alm_call_set_endless
    // Of a method with one answer: told it, packed, before it is passed on. On the I/O thread: must
    // not block, nor use rpc. NULL: nobody wants to know.
    void (*on_answer)(void *arg, alm_str answer);
    void *arg;
} alm_forward_opts;
void alm_server_forward(alm_server *server, const alm_service_def *service,
                        const alm_forward_opts *opts);

// What a first look says of a call.
typedef enum alm_look_verdict {
    ALM_LOOK_QUEUE,   // to a handler's thread, as if nobody had looked
    ALM_LOOK_DONE,    // it was answered, as by a handler that returns
    ALM_LOOK_FORWARD, // it is passed on to the channel of alm_look_opts
} alm_look_verdict;

// Looks at a call where its request is read, before it waits for a thread: what is answered
// quickly, or by somebody else, costs none then. As a handler that runs inline it must not block,
// make calls that wait or defer the call. It may stream so many messages, which have so many bytes
// together. A failure ends the call; *ret is ALM_LOOK_QUEUE before, and nothing was sent then. The
// handler gets the same request, and the arena as the look left it.
typedef alm_code (*alm_look)(void *self, alm_call *call, const ProtobufCMessage *request,
                             alm_look_verdict *ret, alm_status *st);

#define ALM_LOOK_BYTES_MAX        4096 // a request that is larger goes to a thread unseen
#define ALM_LOOK_ANSWER_BYTES_MAX ((size_t)64 << 10)
#define ALM_LOOK_ANSWER_COUNT_MAX 16

// Calls of the method, which has a handler and whose client does not stream, are looked at first;
// not of a client that has not taken its answers, or takes less than a look may stream. Costs the
// other methods nothing. After alm_server_add, before start.
//
// Of an answer that streams nothing is passed on before its end, or half a window of it, has come:
// until then a server that is lost costs another try. One that is lost later ends the call with
// ALM_UNAVAILABLE.
typedef struct alm_look_opts {
    const char *method; // of the service that was added
    alm_look look;
    alm_channel *channel; // as alm_forward_opts; NULL: it never says ALM_LOOK_FORWARD
    const alm_service_def *to_service;
    const char *to_method;
} alm_look_opts;
void alm_server_look_first(alm_server *server, const alm_service_def *service,
                           const alm_look_opts *opts);

// Any number of addresses, of any scheme. tcp port 0 or "*": a free one is taken, see
// alm_server_endpoint. Before start only.
//
// ALM_FAILED_PRECONDITION  a tcp address beyond loopback without keypair and allow_plaintext
// ALM_ALREADY_EXISTS       the address is in use
ALM_MUST_USE alm_code alm_server_bind(alm_server *server, const char *address, alm_status *st);
const char *alm_server_endpoint(const alm_server *server, size_t i); // NULL past the last

ALM_MUST_USE alm_code alm_server_start(alm_server *server, alm_status *st);

// What Health answers for the service ("" or NULL: the whole server). SERVING after start.
void alm_server_set_serving(alm_server *server, const char *service, bool serving);

// Graceful: says GOAWAY to peers (clients send no new calls), refuses new calls with UNAVAILABLE,
// lets calls in progress end within the deadline, then cancels what is left. Watch-like streams are
// cancelled at once with UNAVAILABLE. Blocks. Returns how many calls had to be cancelled.
size_t alm_server_drain(alm_server *server, int64_t timeout_ms);

// Drains with timeout 0 if that was not done. Accepts NULL.
void alm_server_destroy(alm_server **server);

// --- inside a handler ---------------------------------------------------------------------------

alm_arena *alm_call_arena(alm_call *call);

// Encodes and sends. Blocks while the stream has no credit. The message may be freed on return.
//
// ALM_CANCELLED          the client cancelled or is gone: stop working
// ALM_DEADLINE_EXCEEDED  the call's time is over
// ALM_RESOURCE_EXHAUSTED the message is larger than the limit
ALM_MUST_USE alm_code alm_call_send(alm_call *call, const ProtobufCMessage *message,
                                    alm_status *st);

// The same, for who returns soon, or waits for another call, sends more or asks alm_call_check:
// only then it leaves, together with what comes after. A thread less is woken on either side.
ALM_MUST_USE alm_code alm_call_send_soon(alm_call *call, const ProtobufCMessage *message,
                                         alm_status *st);
// Likewise, of a call that streams, a message of its type that is packed already.
ALM_MUST_USE alm_code alm_call_send_packed(alm_call *call, alm_str message, alm_status *st);

// Where the client streams: its next message, in the arena; NULL when it has finished. Blocks. st
// as alm_call_send, and ALM_INVALID_ARGUMENT or ALM_RESOURCE_EXHAUSTED for one that cannot be
// unpacked.
ALM_MUST_USE alm_code alm_call_next(alm_call *call, alm_arena *arena, ProtobufCMessage **ret,
                                    alm_status *st);

// A long handler asks this between steps. st as alm_call_send.
ALM_MUST_USE alm_code alm_call_check(alm_call *call, alm_status *st);
int64_t alm_call_time_left_ms(const alm_call *call); // 0: over; INT64_MAX: no deadline
const char *alm_call_request_id(alm_call *call);     // of the whole request, across services
const char *alm_call_traceparent(alm_call *call);    // of this call, as W3C Trace Context has it
const char *alm_call_peer(const alm_call *call);     // for logs only
const char *alm_call_user(const alm_call *call);     // who it is, where there is a policy; else ""
// What the client gave to make a repetition of this write known; "" if nothing.
const char *alm_call_idempotency_key(const alm_call *call);

// Marks the call as one without an end (Watch): a drain cancels it at once, and it does not count
// against thread_count_max.
void alm_call_set_endless(alm_call *call);

// Of a deferred call, on the I/O thread: must not block.
typedef struct alm_call_events {
    // alm_call_try_send and alm_call_try_next may be called: the call was deferred, room came after
    // a message was not sent, something came after there was nothing, or the call was stopped (soon
    // after its deadline too), which they tell.
    void (*on_room)(void *arg, alm_call *call);
} alm_call_events;

// Within a handler that runs on the I/O thread: the call stays open when it returns ALM_OK, until
// alm_call_end. ALM_RESOURCE_EXHAUSTED: no memory; return it.
//
//   events  NULL: any thread ends it, even before the handler has returned, so the call is not to
//           be used after it was given away. Else it is ended within an event only, and events
//           lives as long as the call
ALM_MUST_USE alm_code alm_call_defer(alm_call *call, const alm_call_events *events, void *arg,
                                     alm_status *st);
// As alm_call_send, of a call that streams, without waiting: *ret_sent false: the client takes no
// more now.
ALM_MUST_USE alm_code alm_call_try_send(alm_call *call, const ProtobufCMessage *message,
                                        bool *ret_sent, alm_status *st);
// As alm_call_next, of a call that was deferred with events, without waiting: *ret_waits true:
// nothing has come yet, and on_room tells when something has.
ALM_MUST_USE alm_code alm_call_try_next(alm_call *call, alm_arena *arena, ProtobufCMessage **ret,
                                        bool *ret_waits, alm_status *st);
// Ends a call that was deferred, as returning from a handler does. Once, from any thread.
void alm_call_end(alm_call *call, const alm_status *st);

// --- for /metrics --------------------------------------------------------------------------------

#define ALM_LATENCY_BUCKET_COUNT 14 // upper bounds: see alm_latency_bounds_us; the last is open
extern const int64_t alm_latency_bounds_us[ALM_LATENCY_BUCKET_COUNT - 1];
typedef struct alm_method_stats {
    const char *service; // full name; static
    const char *method;
    uint64_t started;
    uint64_t finished[ALM_CODE_COUNT];         // by code
    uint64_t messages_received, messages_sent; // of streams and answers
    uint64_t bytes_received, bytes_sent;
    uint64_t latency_us_sum;
    uint64_t latency[ALM_LATENCY_BUCKET_COUNT]; // not cumulative
} alm_method_stats;
// Calls visit for each method of each service. visit must not use the server.
void alm_server_stats(alm_server *server, void (*visit)(void *arg, const alm_method_stats *stats),
                      void *arg);

#endif
