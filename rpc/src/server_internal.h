// The parts of a server. The process' lock guards what the I/O thread and handlers share; see each
// field.
//
//   server.c             what is set up before and torn down after
//   server_io.c          its part in the I/O thread's turns: frames in, records out, peers
//   server_call.c        calls: start, run, stop, finish
//   server_look.c        the first look at them
//   server_queue.c       those that wait for a thread, and the threads
//   server_events.c      those that stay open when their handler has returned
//   server_handler.c     what handlers ask of their call
//   server_intercept.c   what every call passes through: metrics, trace, auth, log
//   forward.c            calls that are passed on to a channel
//   server_health.c      Health, answered on the I/O thread
//   server_reflection.c  Reflection, likewise
//   server_stats.c       Stats, likewise
#ifndef ALM_SERVER_INTERNAL_H
#define ALM_SERVER_INTERNAL_H

#include "alm/alloc.h"
#include "alm/buf.h"
#include "alm/channel.h"
#include "alm/limits.h"
#include "alm/server.h"
#include "call_hook.h"
#include "flow.h"
#include "forward.h"
#include "hello.h"
#include "id_map.h"
#include "record.h"
#include "rpc_internal.h"
#include "trace.h"

#define HASH_FUNCTION          HASH_OAT // the default's fall-through does not please clang
#define HASH_NONFATAL_OOM      1        // an element that was not added has hh.tbl NULL
#define uthash_malloc(size)    alm_alloc(size)
#define uthash_free(ptr, size) alm_free(ptr)
#include <uthash.h>
#include <utlist.h>

#define ALM_SERVER_ENDPOINT_COUNT_MAX 16
#define ALM_SERVER_PORT_COUNT         4 // one a scheme
#define ALM_SERVER_HEARTBEAT_MS       500
#define ALM_SERVER_SILENCE_BEATS      6    // a peer silent for so many of its beats is gone
#define ALM_SERVER_PING_MS            1000 // how long a drain waits for peers to answer its PING
#define ALM_PEER_OUT_BYTES_HIGH       ((size_t)8 << 20) // streams wait while more is unsent
#define ALM_PEER_SHARE                8 // and while it is more than this part of what is left
#define ALM_SERVER_SPARE_COUNT        8 // buffers that wait for a peer with something to send
#define ALM_USER_SELF                 "(self)" // no name in a policy has parentheses

typedef struct alm_peer_id {
    uint8_t port; // index in server->ports
    alm_peer_key key;
} alm_peer_id;

typedef struct alm_peer {
    alm_peer_id id;
    UT_hash_handle hh; // server->peers
    alm_id_map ids;    // of calls
    alm_call *calls;
    size_t waiting_count; // calls that wait for out to shrink
    size_t stopped_count; // that run on though the client has given up their ids
    alm_call *queue;      // without a thread, in their order; if any, it is in server->ready
    struct alm_peer *ready_prev, *ready_next;
    uint32_t message_bytes_max; // what it takes
    uint32_t window_bytes, window_messages;
    uint32_t sent_records, received_records; // since HELLO, with it: PING compares them
    int64_t silence_us_max;                  // ALM_NEVER_US: it sends no heartbeats
    int64_t heard_us;
    bool is_gone;        // not in server->peers any more; freed with its last call
    bool is_doomed;      // a record could not be queued: nothing it gets can be right any more
    bool is_drained;     // answered the PING after the last record
    bool is_dirty;       // in server->dirty
    bool is_stalled;     // in server->stalled
    int64_t took_us;     // when it last took something
    size_t unsent_bytes; // in out and sending,
    size_t port_bytes;   // and what the port holds of it; may have become less
    alm_outbox out;
    struct alm_peer *prev, *next; // server->dirty or ->stalled
    alm_outbox sending;           // I/O thread only: what was in out
    char name[48];
    char user[ALM_USER_BYTES_MAX]; // who its key is; "": nobody asked
} alm_peer;

// What anybody can cause, and is therefore told once a second at most.
typedef struct alm_seldom {
    _Atomic uint64_t count;
    _Atomic int64_t next_us;
} alm_seldom;

typedef struct alm_server_service {
    const alm_service_def *def;
    bool is_builtin;
    bool is_serving; // guarded by lock
} alm_server_service;

typedef struct alm_server_method {
    const alm_server_service *service;
    const alm_method_def *def;
    unsigned index;      // in the descriptor
    alm_handler handler; // NULL: not implemented
    void *self;
    alm_look look;        // before the handler; NULL: none
    bool runs_inline;     // on the I/O thread: must not block
    bool is_endless;      // forwarded, without an end
    alm_channel *forward; // where its calls, or those that the look says, are passed on to
    const alm_service_def *forward_service;
    unsigned forward_method;
    void (*on_answer)(void *arg, alm_str answer); // of what is passed on; NULL: nobody is told
    void *on_answer_arg;
    alm_method_stats stats; // guarded by lock
} alm_server_method;

// Calls of one method that began and ended in one frame, alike. They are timed together when their
// answers leave, or others come between: asking the clock costs a tenth of what such a call does.
typedef struct alm_answered {
    alm_method_stats *stats;
    int64_t start_us;
    alm_code code;
    uint64_t count;
} alm_answered;

typedef enum alm_call_state {
    ALM_CALL_QUEUED,
    ALM_CALL_RUNNING, // or deferred
    ALM_CALL_PARKED,  // a Watch of Health
    ALM_CALL_FORWARDED,
} alm_call_state;

struct alm_call {
    // Kept when the object serves another call.
    alm_server *server;
    alm_arena *arena;
    alm_buf scratch;        // handler's thread only
    pthread_cond_t changed; // credit, room or a stop

    alm_peer *peer; // from here on, up to request_id, everything starts as zero
    uint64_t id;
    uint64_t serial;                 // of all calls of its server; what its ids are made from
    alm_call *peer_prev, *peer_next; // peer->calls
    alm_call *prev, *next;           // peer->queue, server->watches or ->free_calls
    alm_server_method *method;
    int64_t start_us;
    int64_t deadline_us;        // ALM_NEVER_US: none
    alm_str request;            // in the arena, or a view of the frame
    ProtobufCMessage *unpacked; // the request, if it was looked at; in the arena
    bool is_inline;             // no handler's thread has it
    bool has_span;
    const char *user;            // the peer's, or bearer; outlives the arena
    const char *idempotency_key; // in the arena, or ""
    bool wants_park;             // handler's thread only: stays open after the handler has returned
    // Guarded by the server's lock:
    alm_call_state state;
    alm_code stop_code; // ALM_OK: go on
    const char *stop_text;
    alm_flow flow;
    bool has_finished; // the client has sent its last message
    bool has_answer;   // where there is one: it goes with the END
    alm_str answer;    // in scratch, or in the frame that ends a call that is passed on
    bool holds;        // a message was queued, and who sends was not told
    bool is_endless;
    int64_t run_us; // when a thread took it
    alm_call_hook *children;
    alm_stream *forward;           // FORWARDED
    bool is_held;                  // likewise: what came of the answer waits for more of it
    bool is_refused;               // it was not started, and may be sent elsewhere
    const alm_call_events *events; // deferred; NULL: none
    void *events_arg;
    alm_call *fired_prev, *fired_next;
    bool is_fired;             // in server->fired
    bool runs_on;              // stopped, and counted in peer->stopped_count
    bool wants_room;           // on_room is due when there is some,
    bool wants_message;        // or when something can be read
    bool is_waiting;           // counted in peer->waiting_count
    bool is_listed;            // in its peer
    const char *watch_service; // Health/Watch: in the arena
    int watch_status;

    // From here on nothing starts as zero but the first byte of each.
    char request_id[ALM_REQUEST_ID_MAX];     // "" until it is asked for, if the client gave none
    char traceparent[ALM_TRACEPARENT_BYTES]; // what the client gave, or, where it has_span, its own
    char bearer[ALM_USER_BYTES_MAX];         // whose token came with the call
};

struct alm_server {
    alm_rpc *rpc;
    char name[32];
    size_t thread_count_max, queue_count_max;
    bool allow_plaintext;
    const alm_keypair *keypair; // NULL: no encryption
    alm_policy *policy;         // NULL: anyone may do anything
    bool is_started;

    // Any thread's.
    alm_seldom refused_keys, reset_peers;

    // Set before start, read by all.
    alm_server_service services[ALM_HELLO_SERVICE_COUNT_MAX];
    size_t service_count;
    alm_server_method *methods;
    size_t method_count;
    char endpoints[ALM_SERVER_ENDPOINT_COUNT_MAX][ALM_ADDRESS_BYTES_MAX];
    size_t endpoint_count;
    alm_buf hello;                  // the payload every peer gets
    char trace_high[ALM_HEX64_LEN]; // of the traces that begin here

    // The I/O thread's own.
    alm_port *ports[ALM_SERVER_PORT_COUNT];
    bool has_input[ALM_SERVER_PORT_COUNT]; // when it was last asked,
    size_t watched[ALM_SERVER_PORT_COUNT]; // and whether there was any since
    alm_io_part part;
    int64_t tick_us;  // next
    int64_t retry_us; // when stalled peers are tried again

    pthread_mutex_t *lock; // the process'; guards what follows
    bool is_stopping;
    bool is_draining, was_drained;
    uint64_t drain_ping; // call id of the PING that ends a drain; 0: not sent yet
    bool is_serving;
    const alm_call *deferred; // I/O thread: the last one that was; compared only
    alm_peer *peers;          // by id
    alm_peer *dirty, *stalled;
    alm_peer *ready; // those with calls to run; each gives one in turn
    size_t queue_count, queue_bytes;
    size_t inbox_bytes;                     // messages of client streams that wait to be read
    size_t unsent_bytes;                    // of all peers
    size_t port_bytes;                      // what ports hold of theirs, as of this turn
    bool was_full;                          // a stream may wait for others to take theirs
    alm_buf spares[ALM_SERVER_SPARE_COUNT]; // empty, with memory
    size_t spare_count;
    int64_t run_us_avg; // of calls with one answer; moves by an eighth
    alm_answered answered;
    alm_call *watches; // parked
    alm_call *fired;   // that have something to tell
    alm_call *free_calls;
    uint64_t serial_last;                // from a random start
    size_t active_count;                 // queued, running and parked
    size_t running_count, endless_count; // endless ones are among the running,
    size_t paused_count;                 // and those that wait for their client
    size_t wake_count;  // threads to be woken when the lock was given up: they need it at once
    pthread_t *threads; // handlers
    size_t thread_count, free_thread_count;
    pthread_cond_t work;    // the queue or is_stopping changed
    pthread_cond_t drained; // active_count or a peer's is_drained changed
};

// All below: called with the lock held unless they say otherwise.

// --- server.c
// Counts one more. True: it is to be told. Any thread, with or without the lock.
bool alm_server_may_tell(alm_server *server, alm_seldom *seldom, uint64_t *ret_count);

// --- server_io.c
extern const alm_io_part alm_server_part; // takes the lock itself
void alm_server_wake(alm_server *server);
// Queues a record for the peer. A failure dooms the peer.
void alm_peer_send(alm_server *server, alm_peer *peer, const alm_record *record);
// The same, with a payload that the caller writes to where it is told before the lock is given up.
// NULL: the peer is gone or doomed.
uint8_t *alm_peer_begin(alm_server *server, alm_peer *peer, const alm_record *record,
                        size_t payload_len);
void alm_peer_send_end(alm_server *server, alm_peer *peer, uint64_t call_id, uint8_t flags,
                       const alm_status *st);
void alm_peer_mark_dirty(alm_server *server, alm_peer *peer);
void alm_peer_free(alm_peer *peer);
size_t alm_server_unsent(const alm_server *server); // answers that were not taken, in bytes
// It has left its share of answers unread: its streams wait, its calls are refused.
bool alm_peer_streams_wait(alm_server *server, const alm_peer *peer);
bool alm_peer_is_full(const alm_server *server, const alm_peer *peer);

// --- server_call.c
void alm_call_start(alm_server *server, alm_peer *peer, const alm_record *request);
// Gives the lock up meanwhile; the call is over when this returns, unless its handler parked or
// deferred it.
void alm_call_run(alm_call *call);
// text: static. May finish the call, if no handler runs it.
void alm_call_stop(alm_call *call, alm_code code, const char *text);
void alm_call_end_with(alm_call *call, alm_status *st);     // as its handler said: finishes it
void alm_call_finish(alm_call *call, const alm_status *st); // st->code OK: success
// Takes MESSAGE, FINISH or CREDIT of the call. A failure is the peer's fault and ends it.
ALM_MUST_USE alm_code alm_call_take(alm_call *call, const alm_record *record, alm_status *st);
ALM_MUST_USE alm_code alm_call_list(alm_call *call, alm_status *st); // in its peer
// Fills in unpacked, in the arena. Without the lock.
ALM_MUST_USE alm_code alm_call_unpack(alm_call *call, alm_status *st);
bool alm_call_streams(const alm_call *call); // one way or the other
bool alm_call_has_one_answer(const alm_call *call);
bool alm_call_client_streams(const alm_call *call);
void alm_call_destroy(alm_call *call);

// --- server_look.c
bool alm_server_looks_at(alm_server *server, const alm_peer *peer, const alm_record *request);
// Of a call that is in its peer's list. Gives the lock up meanwhile, as alm_call_run.
void alm_call_look(alm_call *call, const alm_record *request);

// --- server_queue.c
size_t alm_server_thread_count_max(const alm_server *server); // endless calls included
// Whether a request can be taken now; st says why not, and when to try again.
ALM_MUST_USE alm_code alm_server_find_room(alm_server *server, const alm_peer *peer,
                                           const alm_record *request, alm_status *st);
// Likewise, whether there is or will be a thread for it.
ALM_MUST_USE alm_code alm_server_find_thread(alm_server *server, const alm_record *request,
                                             alm_status *st);
void alm_server_enqueue(alm_server *server, alm_call *call);
void alm_server_dequeue(alm_server *server, alm_call *call);
void alm_server_count_run(alm_server *server, const alm_call *call); // how long it took
void alm_server_count_endless(alm_server *server, alm_call *call);   // its is_endless was just set
void *alm_server_handle(void *server); // a handler's thread; takes the lock itself
// Around a handler's wait for its client: others may have its place among the threads meanwhile.
void alm_call_pause(const alm_call *call);
void alm_call_resume(const alm_call *call);

// --- server_handler.c
ALM_MUST_USE alm_code alm_call_check_locked(const alm_call *call, alm_status *st);
ALM_MUST_USE alm_code alm_call_check_size(const alm_call *call,
                                          const ProtobufCMessageDescriptor *type, size_t size,
                                          alm_status *st);
// Sends a message of a stream, whose payload the caller writes to where it is told. NULL: the peer
// is gone or doomed.
uint8_t *alm_call_begin_message(alm_call *call, size_t size);
void alm_call_send_message(alm_call *call, const ProtobufCMessage *message, size_t size);
bool alm_call_must_wait(const alm_call *call);            // with its next message
bool alm_call_take_message(alm_call *call, alm_str *ret); // the next that came; as alm_flow_next

// --- server_events.c
void alm_call_changed(alm_call *call);    // something came for it; may finish it
void alm_server_tell(alm_server *server); // I/O thread; gives the lock up for each event

// --- server_intercept.c
// Before a call is taken: who asks, and for what. st says why not.
ALM_MUST_USE alm_code alm_intercept_begin(alm_call *call, alm_str metadata, alm_status *st);
void alm_intercept_end(alm_call *call, const alm_status *st);
void alm_intercept_time_answered(alm_server *server); // before their answers leave

// --- server_health.c, server_reflection.c
extern const alm_handler alm_health_handlers[];
extern const alm_handler alm_reflection_handlers[];
extern const alm_handler alm_stats_handlers[];
void alm_health_notify(alm_server *server); // a serving state changed
void alm_health_park(alm_call *call);       // keeps a Watch whose handler has returned

#endif
