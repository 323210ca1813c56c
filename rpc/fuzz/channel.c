// A channel and a server that says anything: records of every kind in any order, and bytes that are
// none. Whatever it says, what it gets are a client's records, every call ends, and the channel
// closes.
#include "alm/channel.h"

#include "almanac/internal/aggregation.pb-c.h"
#include "almanac/v1/gateway.pb-c.h"
#include "hello.h"
#include "record.h"
#include "rpc_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WAIT_MS         20000 // never waited in full
#define CALL_MS         30    // a call's deadline: what one may wait for in vain
#define CALL_COUNT_MAX  4
#define FRAME_COUNT_MAX 512
#define SYNC_ID         UINT64_C(0x53594e43)
#define ARENA_BYTES_MAX ((size_t)1 << 20)

typedef enum operation {
    SAY_HELLO,
    SAY_MESSAGE,
    SAY_END,
    SAY_CREDIT,
    SAY_RECORD, // of any type
    SAY_BYTES,
    SEND,   // what was said so far, as a frame; and wait until it is taken
    OPEN,   // a call
    TELL,   // its next message, where the client streams,
    FINISH, // that there are no more,
    READ,   // what has come for it,
    LEAVE,  // and close it
    OPERATION_COUNT,
} operation;

typedef struct call {
    alm_stream *stream; // NULL: not opened, or closed
    const alm_method_def *method;
    uint64_t id; // as the REQUEST had it
    bool has_finished;
} call;

typedef struct world {
    alm_port *port; // the server's
    alm_peer_key client;
    alm_channel *channel;
    alm_arena *arena;
    alm_buf frame;
    uint32_t said; // records since HELLO, with it
    size_t sent;   // frames
    bool is_synced;
    call calls[CALL_COUNT_MAX];
    uint64_t ids[CALL_COUNT_MAX]; // of the last requests
    size_t request_count;
} world;

// The methods of Aggregation as if they were of every kind.
static const alm_method_def methods[] = {
    {"Execute", ALM_METHOD_SERVER_STREAM, ALM_REPEAT_SAFE, ALM_ROLE_NONE},
    {"Explain", ALM_METHOD_UNARY, ALM_REPEAT_NEVER, ALM_ROLE_NONE},
    {"Watch", ALM_METHOD_BIDI_STREAM, ALM_REPEAT_SAFE, ALM_ROLE_NONE},
    {"Plan", ALM_METHOD_CLIENT_STREAM, ALM_REPEAT_NEVER, ALM_ROLE_NONE},
    {"Reconcile", ALM_METHOD_SERVER_STREAM, ALM_REPEAT_SAFE, ALM_ROLE_NONE},
};
static const alm_service_def service = {&almanac__internal__aggregation__descriptor, methods};

static void must(alm_code code)
{
    ALM_ASSERT(code == ALM_OK);
}

// --- what the client says ------------------------------------------------------------------------

static bool is_of_client(alm_record_type type)
{
    return type != ALM_RECORD_END && type != ALM_RECORD_RESET && type != ALM_RECORD_SERVING;
}

static void take_record(world *w, const alm_record *record)
{
    ALM_ASSERT(is_of_client(record->type));
    if (record->type == ALM_RECORD_REQUEST) {
        w->ids[w->request_count++ % CALL_COUNT_MAX] = record->call_id;
    } else if (record->type == ALM_RECORD_PONG && record->call_id == SYNC_ID) {
        w->is_synced = true;
    } else if (record->type == ALM_RECORD_HELLO) { // it began anew
        w->is_synced = true;
        w->said = 0;
        alm_hello hello;
        must(alm_hello_decode(record->payload, w->arena, &hello, NULL));
    }
}

static void take_frames(world *w)
{
    alm_incoming incoming;
    while (w->port->ops->receive(w->port, &incoming) == ALM_RECEIVED_FRAME) {
        alm_reader reader = alm_reader_of(incoming.frame.data, incoming.frame.len);
        ALM_ASSERT(incoming.frame.len > 0);
        w->client = incoming.from;
        while (alm_reader_left(&reader) > 0) {
            alm_record record;
            must(alm_record_next(&reader, &record, NULL));
            take_record(w, &record);
        }
    }
}

static bool wait_for_frames(world *w, int wait_ms)
{
    bool has_some = (w->port->ops->events(w->port) & ALM_PORT_INPUT) != 0;
    struct pollfd fd = {.fd = w->port->ops->fd(w->port), .events = POLLIN};
    int ready;
    do {
        ready = has_some ? 1 : poll(&fd, 1, wait_ms);
    } while (ready < 0 && errno == EINTR); // the fuzzer has a timer
    if (ready != 1) {
        return false;
    }
    take_frames(w);
    return true;
}

// --- what the server says ------------------------------------------------------------------------

static void say(world *w, alm_record record)
{
    bool is_said = alm_record_append(&w->frame, &record);
    ALM_ASSERT(is_said);
    w->said = record.type == ALM_RECORD_HELLO ? 1 : w->said + 1;
}

// False: the client has given the connection up.
static bool send_frame(world *w)
{
    alm_sent sent = ALM_SENT_OK;
    if (w->frame.len > 0 && w->sent++ < FRAME_COUNT_MAX) {
        sent = w->port->ops->send(w->port, &w->client, alm_buf_view(&w->frame));
        ALM_ASSERT(sent != ALM_SENT_FULL);
    }
    alm_buf_reset(&w->frame);
    return sent == ALM_SENT_OK;
}

// Until the client has taken all, or has given the connection up or begun a new one.
static void sync_client(world *w)
{
    w->is_synced = false;
    bool is_there = send_frame(w);
    for (int i = 0; is_there && !w->is_synced; i++) {
        ALM_ASSERT(i < WAIT_MS);
        if (i % 5 == 0) { // again, to see whether it is still there
            w->sent = 0;
            say(w, (alm_record){.type = ALM_RECORD_PING, .call_id = SYNC_ID, .arg = w->said});
            is_there = send_frame(w);
        }
        (void)wait_for_frames(w, 1);
    }
}

static alm_str read_some(alm_reader *input)
{
    size_t len = alm_read_u8(input);
    return alm_read_bytes(input, ALM_MIN(len, alm_reader_left(input)));
}

// A good one, with a byte changed if the input wants that.
static void say_hello(world *w, alm_reader *input)
{
    static const alm_service_def *const defs[] = {&alm_service_health, &service};
    uint8_t choice = alm_read_u8(input);
    const alm_hello hello = {.message_bytes_max = alm_read_u16(input),
                             .window_bytes = alm_read_u16(input),
                             .window_messages = alm_read_u8(input),
                             .stream_count_max = alm_read_u8(input)};
    const bool are_serving[] = {(choice & 1) == 0, (choice & 2) == 0};
    uint8_t change = alm_read_u8(input);
    size_t at = alm_read_u8(input);
    alm_buf payload;
    alm_buf_init(&payload, 0);
    bool is_written = alm_hello_encode(&payload, &hello, defs, are_serving, 2);
    ALM_ASSERT(is_written);
    payload.data[at % payload.len] ^= change;
    say(w, (alm_record){.type = ALM_RECORD_HELLO, .payload = alm_buf_view(&payload)});
    alm_buf_deinit(&payload);
}

static void say_record(world *w, alm_reader *input, alm_record_type type)
{
    uint8_t which = alm_read_u8(input);
    alm_record record = {.type = type, .call_id = w->ids[which % CALL_COUNT_MAX] + which / 64};
    record.arg = alm_read_u8(input);
    switch (type) {
    case ALM_RECORD_END:
        record.arg %= ALM_CODE_COUNT + 1;
        record.flags = alm_read_u8(input) & 3;
        record.time_ms = alm_read_u8(input);
        record.metadata = read_some(input);
        break;
    case ALM_RECORD_CREDIT:
        record.arg <<= alm_read_u8(input) % 32;
        record.time_ms = alm_read_u8(input);
        break;
    case ALM_RECORD_PING:
        record.arg += w->said; // right if the input has 0
        break;
    default:
        record.time_ms = type == ALM_RECORD_SERVING ? alm_read_u8(input) & 1 : 0;
        break;
    }
    record.payload = read_some(input);
    say(w, record);
}

// --- what the caller does ------------------------------------------------------------------------

static void open_call(world *w, call *c, uint8_t which)
{
    const alm_call_opts opts = {.timeout_ms = CALL_MS, .fail_fast = (which & 1) != 0};
    Almanac__V1__QueryRequest request;
    if (c->stream != NULL) {
        return;
    }
    *c = (call){.method = &methods[which / 2 % ALM_ARRAY_LEN(methods)]};
    almanac__v1__query_request__init(&request);
    bool is_streamed = alm_method_client_streams(c->method);
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_stream_open(w->channel, &service, c->method->name, &opts,
                                    is_streamed ? NULL : &request.base, &c->stream, &st);
    ALM_ASSERT(code == ALM_OK || st.message[0] != '\0');
    (void)wait_for_frames(w, 1);
}

static bool may_tell(const call *c)
{
    return c->stream != NULL && alm_method_client_streams(c->method) && !c->has_finished;
}

static void tell(call *c)
{
    Almanac__V1__QueryRequest message;
    almanac__v1__query_request__init(&message);
    if (may_tell(c)) {
        alm_status st = ALM_STATUS_INIT;
        alm_code code = alm_stream_send(c->stream, &message.base, &st);
        ALM_ASSERT(code == ALM_OK || st.code == code); // the server may have given no words
    }
}

static void finish(call *c)
{
    if (may_tell(c)) {
        c->has_finished = true;
        alm_status st = ALM_STATUS_INIT;
        alm_code code = alm_stream_finish(c->stream, &st);
        ALM_ASSERT(code == ALM_OK || st.code == code); // the server may have given no words
    }
}

static void read_call(world *w, call *c)
{
    if (c->stream != NULL) {
        ProtobufCMessage *message = NULL;
        alm_status st = ALM_STATUS_INIT;
        alm_code code = alm_stream_next(c->stream, w->arena, &message, &st);
        ALM_ASSERT(code == ALM_OK || (code < ALM_CODE_COUNT && st.code == code));
    }
}

static void operate(world *w, alm_reader *input)
{
    uint8_t byte = alm_read_u8(input);
    call *c = &w->calls[byte >> 4 & (CALL_COUNT_MAX - 1)];
    switch ((operation)(byte & 15) % OPERATION_COUNT) {
    case SAY_HELLO:
        say_hello(w, input);
        break;
    case SAY_MESSAGE:
        say_record(w, input, ALM_RECORD_MESSAGE);
        break;
    case SAY_END:
        say_record(w, input, ALM_RECORD_END);
        break;
    case SAY_CREDIT:
        say_record(w, input, ALM_RECORD_CREDIT);
        break;
    case SAY_RECORD:
        say_record(w, input, (alm_record_type)(alm_read_u8(input) % (ALM_RECORD_TYPE_LAST + 2)));
        break;
    case SAY_BYTES:
        alm_buf_str(&w->frame, read_some(input));
        w->said++;
        break;
    case OPEN:
        open_call(w, c, alm_read_u8(input));
        break;
    case TELL:
        tell(c);
        break;
    case FINISH:
        finish(c);
        break;
    case READ:
        read_call(w, c);
        break;
    case LEAVE:
        alm_stream_close(&c->stream);
        break;
    default:
        sync_client(w);
    }
}

// --- the whole -----------------------------------------------------------------------------------

static void begin(world *w)
{
    static alm_rpc *rpc; // one for all inputs
    static unsigned number;
    char address[ALM_ADDRESS_BYTES_MAX], bound[ALM_ADDRESS_BYTES_MAX];
    const alm_port_opts opts = {.role = ALM_PORT_LISTENS, .frame_bytes_max = (size_t)1 << 24};
    const alm_channel_opts slow = {.resolve_ms = 60000, .heartbeat_ms = 60000};
    if (rpc == NULL) {
        must(alm_rpc_create(NULL, &rpc, NULL));
    }
    *w = (world){.arena = alm_arena_create(ARENA_BYTES_MAX)};
    ALM_ASSERT(w->arena != NULL);
    alm_buf_init(&w->frame, 0);
    snprintf(address, sizeof address, "loop://fuzz-%u", number++);
    must(alm_port_open(rpc, ALM_SCHEME_LOOP, &opts, &w->port, NULL));
    must(w->port->ops->bind(w->port, address, bound, NULL));
    must(alm_channel_open(rpc, address, &slow, &w->channel, NULL));
    while (w->client.len == 0) { // its HELLO
        bool has_come = wait_for_frames(w, WAIT_MS);
        ALM_ASSERT(has_come);
    }
}

static void end(world *w)
{
    for (size_t i = 0; i < CALL_COUNT_MAX; i++) {
        alm_stream_close(&w->calls[i].stream);
    }
    alm_channel_close(&w->channel);
    alm_port_close(&w->port, 0);
    alm_buf_deinit(&w->frame);
    alm_arena_destroy(&w->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_reader input = alm_reader_of(data, size);
    world w;
    begin(&w);
    while (alm_reader_left(&input) > 0) {
        operate(&w, &input);
    }
    sync_client(&w);
    end(&w);
    return 0;
}
