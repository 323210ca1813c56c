// The calling half of a process.
//
//   client.c         its part in the I/O thread's turns
//   connection.c     one address of a channel: its socket, heartbeats, records in and out
//   channel.c        connections together: which of them a call goes to
//   stream.c         calls: request, answers, retry, end
//   stream_open.c    how they begin and are taken down
//   stream_wait.c    those whose caller waits
//   stream_events.c  those that tell by events
//   forward.c        those that pass a server's call on
//   resolver.c       names to addresses, on a thread of its own
#ifndef ALM_CLIENT_H
#define ALM_CLIENT_H

#include "alm/buf.h"
#include "alm/channel.h"
#include "alm/limits.h"
#include "call_hook.h"
#include "call_table.h"
#include "flow.h"
#include "forward.h"
#include "hello.h"
#include "record.h"
#include "rpc_internal.h"
#include "timer.h"
#include "trace.h"

#include <utlist.h>

#define ALM_CLIENT_BEATS_MAX      3 // PINGs without a word back: the connection is lost
#define ALM_CLIENT_HELLO_US_MIN   INT64_C(1000000)
#define ALM_CLIENT_LINGER_MS      100 // for CANCEL and GOAWAY when a connection is closed
#define ALM_CLIENT_TRIES_MAX      8
#define ALM_CLIENT_OUT_BYTES_HIGH ((size_t)8 << 20) // streams wait while more is unsent
#define ALM_RETRY_US              10000             // grows by two from here
#define ALM_RETRY_US_MAX          1000000
#define ALM_CHECKSUM_COUNT_MAX    64
#define ALM_RETRY_TOKENS_MAX      500.0 // a channel's budget: a failure costs 1,
#define ALM_RETRY_TOKENS_BACK     0.1   // a success gives so much back; below half no retries
#define ALM_EJECT_FAILURES        5     // in a row
#define ALM_EJECT_US              INT64_C(1000000) // the first time, then twice as long
#define ALM_EJECT_US_MAX          INT64_C(30000000)

typedef struct alm_connection alm_connection;
typedef struct alm_resolver alm_resolver;

typedef enum alm_connection_state {
    ALM_CONNECTION_IDLE,       // no port; the next is opened at open_us
    ALM_CONNECTION_CONNECTING, // HELLO not answered yet
    ALM_CONNECTION_HEALTHY,
    ALM_CONNECTION_LEAVING, // the server said GOAWAY: calls in progress may end, no new ones; it
                            // will close the connection itself
} alm_connection_state;

struct alm_connection {
    alm_channel *channel;
    alm_connection *prev, *next; // channel->connections
    char address[ALM_ADDRESS_BYTES_MAX];
    alm_scheme scheme;
    uint64_t address_hash;
    bool is_static; // named in the target itself, not found by the resolver
    bool is_wanted; // false: not resolved any more, goes when its calls have ended

    alm_connection_state state;
    unsigned lost_count; // since the last HELLO answered
    int64_t open_us, hello_us, beat_us;
    unsigned beats_unanswered;
    alm_arena *arena;                 // of hello
    alm_hello hello;                  // the server's; good while HEALTHY or LEAVING
    const alm_service_def *found_def; // the last that was looked for in hello; NULL: none,
    const alm_hello_service *found;   // what was found,
    bool found_is_ours;               // and whether it has our messages and methods
    alm_call_table calls;
    alm_outbox out;
    uint32_t sent_records, received_records; // since HELLO, with it: PING compares them
    uint64_t call_count, failure_count;
    unsigned failure_streak, eject_count;
    int64_t ejected_until_us;

    // The I/O thread's own.
    alm_port *port;
    unsigned events;
    size_t watched; // alm_port_watch; 0: not yet
    bool said_hello;
    alm_outbox sending; // what was in out
};

// A name of the target that needs the resolver.
typedef struct alm_target_name {
    char host[ALM_ADDRESS_BYTES_MAX];
    char port[8];
} alm_target_name;

struct alm_channel {
    alm_client *client;
    alm_channel *prev, *next; // client->channels
    char *target;
    int64_t resolve_ms, heartbeat_ms;
    size_t ref_count; // the opener, each stream, the resolver at work
    bool is_closed;   // the I/O thread is to drop the connections
    alm_connection *connections;
    size_t connection_count;
    size_t pick_next;       // where the search among equals starts
    alm_stream *streams;    // all
    size_t waiting_count;   // of those, ALM_STREAM_WAITING
    pthread_cond_t changed; // a connection became healthy, or the last one was dropped

    alm_target_name *names;
    size_t name_count;
    int64_t resolve_us; // next
    double retry_tokens;
    alm_port_curve curve;
    char token[ALM_TOKEN_TEXT_BYTES]; // "": none
    char last_error[128];             // why there is no healthy connection, for messages
};

typedef enum alm_stream_state {
    ALM_STREAM_WAITING,
    ALM_STREAM_SENT,
    ALM_STREAM_ENDED
} alm_stream_state;

struct alm_stream {
    alm_channel *channel;
    alm_stream *prev, *next; // channel->streams, or client->free_streams
    const alm_service_def *service;
    unsigned method;
    bool has_one_answer, client_streams, may_repeat, fail_fast;
    uint64_t affinity;
    int64_t start_us, deadline_us;
    alm_call *parent;   // NULL: none
    alm_call_hook hook; // in the parent
    bool has_hook;

    // How it tells what happened: to who waits, by events, or to the call it passes on.
    pthread_cond_t changed;
    pthread_cond_t *notify; // that one, or of the call this one is a hedge of; NULL: nobody waits
    const alm_stream_events *events;
    void *events_arg;
    alm_call *forwards;
    alm_stream *fired_prev, *fired_next;
    bool is_fired;      // in client->fired
    bool closes_itself; // after its end was told
    bool is_closed;     // nothing more is told
    bool is_awaited;    // by who closes it on another thread, and will free it
    bool wants_room;    // on_room is due with the next credit

    // Guarded by the lock.
    alm_stream_state state;
    alm_connection *connection;  // SENT
    uint64_t id;                 // in the connection
    const alm_connection *avoid; // where the last try failed; compared only
    unsigned try_count;
    int64_t not_before_us; // WAITING
    alm_flow flow;
    size_t consumed_count;
    bool has_finished; // the client has sent its last message

    // From here on nothing starts as zero by itself.
    alm_timer timer; // of the deadline, where nobody waits; stays in the heap from call to call
    alm_buf request; // packed; empty where the client streams
    char idempotency_key[ALM_BATCH_ID_BYTES_MAX + 1];
    char request_id[ALM_REQUEST_ID_MAX]; // "": its trace says it, or as of the call it passes on
    char traceparent[ALM_TRACEPARENT_BYTES]; // likewise
    alm_status end;                          // ENDED
};

struct alm_client {
    alm_rpc *rpc;
    alm_io_part part;
    pthread_mutex_t *lock; // the process': guards all channels, connections and streams, and what
                           // follows
    alm_channel *channels;
    bool is_running, is_stopping;
    struct {
        const alm_service_def *def;
        uint64_t checksum;
    } checksums[ALM_CHECKSUM_COUNT_MAX];
    size_t checksum_count;
    alm_resolver *resolver; // NULL: no channel has a name
    alm_timers timers;      // of streams
    alm_stream *fired;      // that have something to tell
    alm_stream *telling;    // whose events are being called, without the lock
    pthread_cond_t told;    // telling changed
    alm_stream *free_streams;
    size_t free_stream_count;
    alm_buf metadata; // of the request being sent

    // The I/O thread's own.
    alm_stream *spare;         // one more that is free; NULL: none
    alm_connection **snapshot; // the connections of this turn
    size_t snapshot_count, snapshot_cap;
};

// --- client.c
ALM_MUST_USE alm_code alm_client_create(alm_rpc *rpc, alm_client **ret, alm_status *st);
void alm_client_destroy(alm_client **client);
// All that follows: with the lock held.
ALM_MUST_USE alm_code alm_client_start(alm_client *client, alm_status *st); // once is enough
void alm_client_wake(alm_client *client);
uint64_t alm_client_checksum(alm_client *client, const alm_service_def *def);

void alm_client_drop_connections(alm_channel *channel); // that are not wanted; I/O thread

// --- connection.c
ALM_MUST_USE alm_code alm_connection_add(alm_channel *channel, const char *address,
                                         alm_connection **ret, alm_status *st);
void alm_connection_destroy(alm_connection *connection); // I/O thread; no calls left
// Timers and transitions. Returns when it wants to be asked again. I/O thread.
int64_t alm_connection_step(alm_connection *connection, int64_t now_us);
// Returns how many records were taken. I/O thread.
size_t alm_connection_take_frame(alm_connection *connection, alm_str frame);
// Ends the connection's life and its calls'; the next starts after a while. I/O thread.
void alm_connection_lose(alm_connection *connection, const char *why);
// False: no memory, nothing was queued.
bool alm_connection_send(alm_connection *connection, const alm_record *record);
// The same, with a payload that the caller writes to where it is told before the lock is given up.
// NULL: no memory, nothing was queued.
uint8_t *alm_connection_begin(alm_connection *connection, const alm_record *record,
                              size_t payload_len);
// NULL: it does not serve it. Leaves in found_is_ours whether its version is ours.
const alm_hello_service *alm_connection_service(alm_connection *connection,
                                                const alm_service_def *def);

// --- channel.c
void alm_channel_release(alm_channel *channel); // frees with the last reference
// Gives the call to a connection, or leaves it waiting, or ends it.
void alm_channel_place(alm_channel *channel, alm_stream *stream);
// Places what waits. Returns when to do so again.
int64_t alm_channel_place_waiting(alm_channel *channel, int64_t now_us);
const char *alm_connection_state_name(const alm_connection *connection); // "ready"
bool alm_connection_is_ejected(const alm_connection *connection, int64_t now_us);
// Counts how a call ended there: for ejection and for the channel's retry budget.
void alm_connection_count(alm_connection *connection, bool is_failure);
// Whether a healthy connection other than this one (NULL: any) is there.
bool alm_channel_has_other(const alm_channel *channel, const alm_connection *than);
// Whether something may be asked a second time, after a failure or beside the first: both cost the
// same budget.
bool alm_channel_has_budget(const alm_channel *channel);
void alm_channel_note_error(alm_channel *channel, const char *text);

// --- stream.c
void alm_stream_take(alm_stream *stream, const alm_record *record); // MESSAGE, END or CREDIT
// The connection is lost or its server refused: tries again or ends the call.
void alm_stream_fail(alm_stream *stream, bool is_refused, const alm_status *why);
// May free the stream, as what follows, where the call is passed on.
void alm_stream_end(alm_stream *stream, const alm_status *st);
void alm_stream_cancel(alm_stream *stream, const alm_status *st); // and tells the server
void alm_stream_end_by_deadline(alm_stream *stream);
void alm_stream_give_credit(alm_stream *stream);
void alm_stream_send_finish(alm_stream *stream);
// Hands the request to a connection, or ends the call if it cannot be.
void alm_stream_send_request(alm_stream *stream, alm_connection *connection, uint32_t method_first);
bool alm_stream_may_send(const alm_stream *stream); // a message, now
// Sends a message, whose payload the caller writes to where it is told. There is credit. NULL: it
// is larger than the server takes, or there is no memory; st says which.
uint8_t *alm_stream_begin_message(alm_stream *stream, size_t size, alm_status *st);
// The same with a message of that size.
ALM_MUST_USE alm_code alm_stream_send_packed(alm_stream *stream, const ProtobufCMessage *message,
                                             size_t size, alm_status *st);
// That the call ended well and has no answer, where there is one to be. Returns ALM_INTERNAL.
alm_code alm_stream_no_reply(const alm_stream *stream, alm_status *st);

// --- stream_open.c
typedef struct alm_stream_init_opts {
    const alm_service_def *service;
    const char *method;
    bool streams; // whether the method must, where the caller waits
    const alm_call_opts *call;
    const ProtobufCMessage *request;
    pthread_cond_t *notify;      // NULL: its own
    const alm_connection *avoid; // NULL: none
    const alm_stream_events *events;
    void *events_arg;
    bool closes_itself;
    bool *leads; // the caller waits next: it keeps the I/O thread's place if it got it; NULL: no
} alm_stream_init_opts;
// Without the lock, as what follows. On failure there is nothing to deinit.
ALM_MUST_USE alm_code alm_stream_init(alm_stream *stream, alm_channel *channel,
                                      const alm_stream_init_opts *opts, alm_status *st);
void alm_stream_deinit(alm_stream *stream);
// With the lock held:
alm_stream *alm_stream_create(alm_client *client); // from those that are free; NULL: no memory
void alm_stream_free(alm_stream *stream);          // one that has ended
void alm_stream_give_back(alm_client *client, alm_stream *stream); // one that was not inited
void alm_stream_destroy(alm_client *client, alm_stream *stream);   // its memory goes
void alm_stream_list(alm_stream *stream);                          // in its channel, waiting
// All that its method and key say; the rest is as nothing, but for the request, which stays.
// key: NULL and "": none. ALM_INVALID_ARGUMENT: it is too long.
ALM_MUST_USE alm_code alm_stream_set_method(alm_stream *stream, alm_channel *channel,
                                            const alm_service_def *service, unsigned method,
                                            const char *key, alm_status *st);
bool alm_stream_set_timer(alm_stream *stream); // false: no memory

// --- stream_events.c
void alm_stream_fire(alm_stream *stream); // it has something to tell
void alm_client_tell(alm_client *client); // I/O thread; gives the lock up for each event

// What came can be told from the frame it came in: nothing that came before waits. I/O thread.
bool alm_stream_tells_at_once(const alm_stream *stream);
// A message of several: true if it was told, and the stream may be gone; else it is to be kept. I/O
// thread; gives the lock up.
bool alm_stream_tell_message(alm_stream *stream, alm_str message);
// The one answer of a call that has ended well; the stream may be gone. Likewise.
void alm_stream_tell_answer(alm_stream *stream, alm_str answer);

// --- resolver.c
// Once is enough; with the client's lock held.
ALM_MUST_USE alm_code alm_resolver_start(alm_client *client, alm_resolver **resolver,
                                         alm_status *st);
// Never waits for a name server: a thread that does is left to end by itself. Accepts NULL. Without
// the lock; the channels must be gone.
void alm_resolver_stop(alm_resolver **resolver);
void alm_resolver_wake(alm_resolver *resolver); // looks at its channels again; accepts NULL
void alm_resolver_kick(alm_channel *channel);   // soon, not only when it is due
// Address texts of a name, for the caller to free. Blocks; takes no lock.
//
// ALM_UNAVAILABLE  there is no such name, or no name server
ALM_MUST_USE alm_code alm_resolve(const alm_target_name *name, char (**ret)[ALM_ADDRESS_BYTES_MAX],
                                  size_t *ret_count, alm_status *st);

#endif
