// A server and a client that says anything: records of every kind in any order, and bytes that are
// none. Whatever it says, what it gets are a server's records, another client is served at once,
// and nothing of it stays behind.
#include "alm/server.h"

#include "almanac/internal/aggregation.pb-c.h"
#include "almanac/v1/gateway.pb-c.h"
#include "hello.h"
#include "record.h"
#include "rpc_internal.h"

#include <errno.h>
#include <poll.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ADDRESS       "loop://fuzz"
#define WAIT_MS       20000 // never waited in full
#define CHECK         0     // Health's first method is every server's first
#define METHOD_COUNT  12    // of all services, and two that are not there
#define FRAMES_MAX    512   // of one input
#define HANDLER_COUNT 5

typedef enum operation {
    SAY_HELLO,
    SAY_REQUEST,
    SAY_MESSAGE,
    SAY_FINISH,
    SAY_CREDIT,
    SAY_RECORD, // of any type
    SAY_BYTES,
    SEND, // what was said so far, as a frame
    OPERATION_COUNT,
} operation;

typedef struct peer {
    alm_port *port;
    alm_buf frame;   // to be sent
    uint32_t said;   // records since HELLO, with it
    size_t sent;     // frames
    uint8_t last;    // type of the last record that came
    uint64_t served; // call id of the last END with OK
} peer;

static alm_rpc *rpc; // one server for all inputs
static alm_server *server;
static peer good;

// --- the server ----------------------------------------------------------------------------------

static alm_code send_some(alm_call *call, int count, alm_status *st)
{
    Almanac__V1__QueryResponse answer;
    almanac__v1__query_response__init(&answer);
    alm_code code = ALM_OK;
    for (int i = 0; i < count && code == ALM_OK; i++) {
        code = alm_call_send(call, &answer.base, st);
    }
    return code;
}

static alm_code answer_one(void *self, alm_call *call, const ProtobufCMessage *request,
                           alm_status *st)
{
    (void)self;
    ALM_ASSERT(request != NULL);
    return send_some(call, 1, st);
}

static alm_code answer_many(void *self, alm_call *call, const ProtobufCMessage *request,
                            alm_status *st)
{
    (void)self;
    ALM_ASSERT(request != NULL);
    return send_some(call, 5, st);
}

static alm_code answer_all(alm_call *call, int count_each, int count_end, alm_status *st)
{
    ProtobufCMessage *message = NULL;
    do {
        ALM_TRY(alm_call_next(call, alm_call_arena(call), &message, st));
        ALM_TRY(send_some(call, message != NULL ? count_each : count_end, st));
    } while (message != NULL);
    return ALM_OK;
}

static alm_code answer_each(void *self, alm_call *call, const ProtobufCMessage *request,
                            alm_status *st)
{
    (void)self;
    ALM_ASSERT(request == NULL);
    return answer_all(call, 1, 0, st);
}

static alm_code answer_at_end(void *self, alm_call *call, const ProtobufCMessage *request,
                              alm_status *st)
{
    (void)self;
    ALM_ASSERT(request == NULL);
    return answer_all(call, 0, 1, st);
}

// The methods of Aggregation as if they were of every kind.
static const alm_method_def methods[HANDLER_COUNT] = {
    {"Execute", ALM_METHOD_SERVER_STREAM, ALM_REPEAT_SAFE, ALM_ROLE_NONE},
    {"Explain", ALM_METHOD_UNARY, ALM_REPEAT_SAFE, ALM_ROLE_NONE},
    {"Watch", ALM_METHOD_BIDI_STREAM, ALM_REPEAT_SAFE, ALM_ROLE_NONE},
    {"Plan", ALM_METHOD_CLIENT_STREAM, ALM_REPEAT_NEVER, ALM_ROLE_NONE},
    {"Reconcile", ALM_METHOD_SERVER_STREAM, ALM_REPEAT_SAFE, ALM_ROLE_NONE},
};
static const alm_handler handlers[HANDLER_COUNT] = {answer_many, answer_one, answer_each,
                                                    answer_at_end, answer_many};
static const alm_service_def service = {&almanac__internal__aggregation__descriptor, methods};

static void must(alm_code code)
{
    ALM_ASSERT(code == ALM_OK);
}

// --- a client ------------------------------------------------------------------------------------

static void peer_dial(peer *p)
{
    const alm_port_opts opts = {.role = ALM_PORT_DIALS, .frame_bytes_max = (size_t)1 << 24};
    *p = (peer){0};
    alm_buf_init(&p->frame, 0);
    must(alm_port_open(rpc, ALM_SCHEME_LOOP, &opts, &p->port, NULL));
    must(p->port->ops->connect(p->port, ADDRESS, NULL));
    ALM_ASSERT((p->port->ops->events(p->port) & ALM_PORT_CONNECTED) != 0);
}

static void peer_close(peer *p)
{
    alm_port_close(&p->port, 0);
    alm_buf_deinit(&p->frame);
}

static void peer_say(peer *p, alm_record record)
{
    bool is_said = alm_record_append(&p->frame, &record);
    ALM_ASSERT(is_said);
    p->said = record.type == ALM_RECORD_HELLO ? 1 : p->said + 1;
}

static void peer_send(peer *p)
{
    if (p->frame.len > 0 && p->sent < FRAMES_MAX) {
        alm_sent sent = p->port->ops->send(p->port, NULL, alm_buf_view(&p->frame));
        ALM_ASSERT(sent == ALM_SENT_OK);
        p->sent++;
    }
    alm_buf_reset(&p->frame);
}

static void peer_say_hello(peer *p, const alm_hello *hello)
{
    alm_buf payload;
    alm_buf_init(&payload, 0);
    bool is_written = alm_hello_encode(&payload, hello, NULL, NULL, 0);
    ALM_ASSERT(is_written);
    peer_say(p, (alm_record){.type = ALM_RECORD_HELLO, .payload = alm_buf_view(&payload)});
    alm_buf_deinit(&payload);
}

static bool is_of_server(alm_record_type type)
{
    return type != ALM_RECORD_REQUEST && type != ALM_RECORD_CANCEL && type != ALM_RECORD_FINISH;
}

static void take_frame(peer *p, alm_str frame)
{
    alm_reader reader = alm_reader_of(frame.data, frame.len);
    ALM_ASSERT(frame.len > 0);
    while (alm_reader_left(&reader) > 0) {
        alm_record record;
        must(alm_record_next(&reader, &record, NULL));
        ALM_ASSERT(is_of_server(record.type));
        p->last = (uint8_t)record.type;
        if (record.type == ALM_RECORD_END) {
            ALM_ASSERT(record.arg < ALM_CODE_COUNT);
            p->served = record.arg == ALM_OK ? record.call_id : p->served;
        }
    }
}

static bool peer_take(peer *p)
{
    alm_incoming incoming;
    if (p->port->ops->receive(p->port, &incoming) != ALM_RECEIVED_FRAME) {
        return false;
    }
    take_frame(p, incoming.frame);
    return true;
}

static void peer_wait(peer *p)
{
    if ((p->port->ops->events(p->port) & ALM_PORT_INPUT) == 0) {
        struct pollfd fd = {.fd = p->port->ops->fd(p->port), .events = POLLIN};
        int ready;
        do {
            ready = poll(&fd, 1, WAIT_MS);
        } while (ready < 0 && errno == EINTR); // the fuzzer has a timer
        ALM_ASSERT(ready == 1);
    }
}

// The server takes frames in the order in which they came from all, so that when this is answered
// all that was sent before is taken.
static void check_good(void)
{
    uint64_t id = good.said + 1;
    peer_say(&good, (alm_record){.type = ALM_RECORD_REQUEST,
                                 .call_id = id,
                                 .arg = CHECK,
                                 .time_ms = ALM_RECORD_TIME_NONE});
    good.sent = 0;
    peer_send(&good);
    while (good.served != id) {
        peer_wait(&good);
        while (peer_take(&good)) {}
        ALM_ASSERT(good.last != ALM_RECORD_RESET);
    }
}

static void begin(void)
{
    static const alm_hello hello = {.message_bytes_max = 1u << 20};
    static const alm_server_opts opts = {.thread_count_max = 4};
    if (rpc == NULL) {
        must(alm_rpc_create(NULL, &rpc, NULL));
        must(alm_server_create(rpc, &opts, &server, NULL));
        must(alm_server_add(server, &service, handlers, NULL, NULL));
        must(alm_server_bind(server, ADDRESS, NULL));
        must(alm_server_start(server, NULL));
        peer_dial(&good);
        peer_say_hello(&good, &hello);
    }
    check_good();
}

// --- what the input says -------------------------------------------------------------------------

static alm_str read_some(alm_reader *input)
{
    size_t len = alm_read_u8(input);
    return alm_read_bytes(input, ALM_MIN(len, alm_reader_left(input)));
}

static void say_hello(peer *p, alm_reader *input)
{
    const alm_hello hello = {.message_bytes_max = alm_read_u16(input),
                             .heartbeat_ms = alm_read_u8(input),
                             .window_bytes = alm_read_u16(input),
                             .window_messages = alm_read_u8(input)};
    peer_say_hello(p, &hello);
}

static void say_record(peer *p, alm_reader *input, alm_record_type type)
{
    alm_record record = {.type = type, .call_id = alm_read_u8(input) & 7};
    record.arg = alm_read_u8(input);
    switch (type) {
    case ALM_RECORD_REQUEST:
        record.arg %= METHOD_COUNT;
        record.time_ms = alm_read_u8(input);
        record.time_ms = record.time_ms == UINT8_MAX ? ALM_RECORD_TIME_NONE : record.time_ms;
        record.metadata = read_some(input);
        break;
    case ALM_RECORD_CREDIT:
        record.arg <<= alm_read_u8(input) % 32;
        record.time_ms = alm_read_u8(input);
        break;
    case ALM_RECORD_PING:
        record.arg += p->said; // right if the input has 0
        break;
    default:
        break;
    }
    record.payload = read_some(input);
    peer_say(p, record);
}

static void operate(peer *p, alm_reader *input)
{
    uint8_t byte = alm_read_u8(input);
    switch ((operation)(byte % OPERATION_COUNT)) {
    case SAY_HELLO:
        say_hello(p, input);
        break;
    case SAY_REQUEST:
        say_record(p, input, ALM_RECORD_REQUEST);
        break;
    case SAY_MESSAGE:
        say_record(p, input, ALM_RECORD_MESSAGE);
        break;
    case SAY_FINISH:
        say_record(p, input, ALM_RECORD_FINISH);
        break;
    case SAY_CREDIT:
        say_record(p, input, ALM_RECORD_CREDIT);
        break;
    case SAY_RECORD:
        say_record(p, input, (alm_record_type)(alm_read_u8(input) % (ALM_RECORD_TYPE_LAST + 2)));
        break;
    case SAY_BYTES:
        alm_buf_str(&p->frame, read_some(input));
        p->said++;
        break;
    default:
        peer_send(p);
        if (byte >= 0x80) { // and time to answer, and to read it
            check_good();
            while (peer_take(p)) {}
        }
    }
}

// Bytes that are no record: the server must forget it, and say so.
static void leave(peer *p)
{
    peer_send(p);
    alm_buf_u8(&p->frame, 0);
    p->sent = 0;
    peer_send(p);
    check_good();
    while (peer_take(p)) {}
    while (p->last != ALM_RECORD_RESET) {
        peer_wait(p);
        while (peer_take(p)) {}
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_reader input = alm_reader_of(data, size);
    peer bad;
    begin();
    peer_dial(&bad);
    while (alm_reader_left(&input) > 0) {
        operate(&bad, &input);
    }
    leave(&bad);
    peer_close(&bad);
    return 0;
}
