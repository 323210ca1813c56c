// A server that is asked for too much: a crowd of connections, readers that do not read, and a
// client that sends garbage, while two good clients call. Every call of theirs is answered right,
// so is one of each of the crowd, and the server's memory stays under what its limits add up to.
// Real processes over tcp; the first argument is the server's program.
//
//   overload SERVER CONNECTIONS SLOW_READERS
//
// No time is measured. A call has RAW_DEADLINE_S for its answer.
#include "echo.pb-c.h"
#include "load.h"

#include "alm/alloc.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define GOOD_COUNT      2
#define GOOD_CALLS_MIN  10000 // of each
#define GOOD_BLOB_BYTES 1024
#define STREAM_EVERY    50 // calls
#define STREAM_MESSAGES 100
#define STREAM_PADDING  ((uint32_t)8 << 10)
#define SLOW_PADDING    ((uint32_t)64 << 10)
#define SLOW_BUFFER     4096
#define BATCH           256 // connections that are greeted at once; the backlog holds 1024
#define GARBAGE_MIN     2000
#define GARBAGE_SEED    UINT64_C(20260131)
#define GARBAGE_BYTES   4096

typedef struct server_process {
    pid_t pid;
    int quit; // closed to end it
    char address[ECHO_ADDRESS_MAX];
    raw_options dial;
} server_process;

typedef struct overload {
    const char *program;
    size_t connection_count, slow_count;
    server_process server;
    alm_zmtp_shared shared;
    raw_peer *crowd;
    raw_peer *slow;
    uint32_t say, count; // method numbers
    atomic_bool is_over;
    atomic_size_t good_calls, good_streams, garbage_count;
} overload;

static overload the_load;

// --- the server ----------------------------------------------------------------------------------

static void start_server(overload *load)
{
    int in[2];
    int out[2];
    char count[32];
    snprintf(count, sizeof count, "%zu", load->connection_count);
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    load->server.pid = fork();
    if (load->server.pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execl(load->program, load->program, count, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    load->server.quit = in[1];
    FILE *said = fdopen(out[0], "r");
    assert_non_null(fgets(load->server.address, sizeof load->server.address, said));
    fclose(said);
    load->server.address[strcspn(load->server.address, "\n")] = '\0';
    load->server.dial.port = (int)strtol(strrchr(load->server.address, ':') + 1, NULL, 10);
}

static void stop_server(overload *load)
{
    int status;
    close(load->server.quit);
    assert_int_equal(waitpid(load->server.pid, &status, 0), load->server.pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

// Of /proc: "VmRSS:" or "VmHWM:", in bytes.
static size_t memory_of(const overload *load, const char *what)
{
    char path[64];
    char line[256];
    size_t kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)load->server.pid);
    FILE *status = fopen(path, "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, what, strlen(what)) == 0) {
            kib = strtoul(line + strlen(what), NULL, 10);
        }
    }
    fclose(status);
    assert_true(kib > 0);
    return kib << 10;
}

// --- the crowd -----------------------------------------------------------------------------------

static void greet_batch(overload *load, raw_peer *peers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(raw_open(&peers[i], &load->shared, &load->server.dial));
    }
    for (size_t i = 0; i < count; i++) {
        assert_true(raw_greet(&peers[i]));
    }
    for (size_t i = 0; i < count; i++) {
        alm_record hello;
        assert_true(raw_expect(&peers[i], ALM_RECORD_HELLO, &hello));
        load->say = raw_method(&hello, "Say");
        load->count = raw_method(&hello, "Count");
    }
}

static void greet_crowd(overload *load)
{
    for (size_t i = 0; i < load->connection_count; i += BATCH) {
        greet_batch(load, load->crowd + i, ALM_MIN((size_t)BATCH, load->connection_count - i));
    }
}

static bool send_request(raw_peer *peer, uint32_t method, const ProtobufCMessage *request)
{
    uint8_t packed[256];
    assert_true(protobuf_c_message_get_packed_size(request) <= sizeof packed);
    size_t len = protobuf_c_message_pack(request, packed);
    const alm_record record = {.type = ALM_RECORD_REQUEST,
                               .call_id = 7,
                               .arg = method,
                               .time_ms = ALM_RECORD_TIME_NONE,
                               .payload = {.data = (const char *)packed, .len = len}};
    return raw_send_record(peer, &record);
}

static void ask(const overload *load, raw_peer *peer, uint64_t number)
{
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    request.number = number;
    assert_true(send_request(peer, load->say, &request.base));
}

static void hear(raw_peer *peer, uint64_t number)
{
    alm_record end;
    assert_true(raw_expect(peer, ALM_RECORD_END, &end));
    if (end.arg != ALM_OK) {
        fail_msg("a call of the crowd ended with %u: %.*s", (unsigned)end.arg,
                 ALM_STR_ARGS(end.payload));
    }
    Almanac__Test__SayResponse *answer = almanac__test__say_response__unpack(
        NULL, end.payload.len, (const uint8_t *)end.payload.data);
    assert_non_null(answer);
    assert_int_equal(answer->number, number);
    almanac__test__say_response__free_unpacked(answer, NULL);
}

static void let_the_crowd_call(overload *load)
{
    for (size_t from = 0; from < load->connection_count; from += BATCH) {
        size_t to = ALM_MIN(from + BATCH, load->connection_count);
        for (size_t i = from; i < to; i++) {
            ask(load, &load->crowd[i], i + 1);
        }
        for (size_t i = from; i < to; i++) {
            hear(&load->crowd[i], i + 1);
        }
    }
}

// --- those who do not read -----------------------------------------------------------------------

// They take as much as they may ask for, and give more credit than anyone could need.
static void start_slow_readers(overload *load)
{
    const raw_options dial = {.port = load->server.dial.port, .receive_buffer_bytes = SLOW_BUFFER};
    Almanac__Test__CountRequest request;
    almanac__test__count_request__init(&request);
    request.count = UINT64_C(1) << 40;
    request.padding = SLOW_PADDING;
    const alm_record credit = {
        .type = ALM_RECORD_CREDIT, .call_id = 7, .arg = INT32_MAX, .time_ms = INT32_MAX};
    for (size_t i = 0; i < load->slow_count; i++) {
        raw_peer *peer = &load->slow[i];
        alm_record hello;
        assert_true(raw_open(peer, &load->shared, &dial));
        assert_true(raw_greet(peer));
        assert_true(raw_expect(peer, ALM_RECORD_HELLO, &hello));
        assert_true(send_request(peer, load->count, &request.base));
        assert_true(raw_send_record(peer, &credit));
    }
}

// --- garbage -------------------------------------------------------------------------------------

static uint64_t random_next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t v = *state;
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

static void fill(uint64_t *state, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)random_next(state);
    }
}

// A record that starts well and is not what it says.
static void send_bad_record(raw_peer *peer, uint64_t *state, uint8_t *bytes)
{
    size_t len = 24 + random_next(state) % 200;
    uint32_t said = (uint32_t)(random_next(state) % 2 == 0 ? random_next(state) : len + 1);
    fill(state, bytes, len);
    memcpy(bytes, &said, sizeof said);
    bytes[4] = (uint8_t)(random_next(state) % 14);
    (void)raw_send_frame(peer, bytes, len);
}

// Records that are well-formed and make no sense.
static void send_foolish_records(const overload *load, raw_peer *peer, uint64_t *state,
                                 uint8_t *bytes)
{
    size_t len = random_next(state) % 512;
    fill(state, bytes, len);
    const alm_record_type types[] = {ALM_RECORD_CANCEL, ALM_RECORD_CREDIT,  ALM_RECORD_MESSAGE,
                                     ALM_RECORD_FINISH, ALM_RECORD_REQUEST, ALM_RECORD_PING};
    for (size_t i = 0; i < 32; i++) {
        const alm_record record = {.type = types[random_next(state) % ALM_ARRAY_LEN(types)],
                                   .call_id = random_next(state) % 4,
                                   .arg = (uint32_t)(random_next(state) % (load->say + 24)),
                                   .time_ms = 1 + (uint32_t)(random_next(state) % 1000),
                                   .payload = {.data = (const char *)bytes, .len = len}};
        (void)raw_send_record(peer, &record);
    }
}

static void send_garbage(const overload *load, raw_peer *peer, uint64_t *state, unsigned kind)
{
    uint8_t bytes[GARBAGE_BYTES];
    size_t len = 1 + random_next(state) % sizeof bytes;
    static const uint8_t huge[] = {ALM_ZMTP_LONG, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t promised[] = {ALM_ZMTP_LONG, 0, 0, 0, 0, 0, 0x08, 0, 0};
    fill(state, bytes, len);
    switch (kind) {
    case 0: // after a handshake, as they are
        (void)raw_send_bytes(peer, bytes, len);
        return;
    case 1:
        (void)raw_send_frame(peer, bytes, len);
        return;
    case 2:
        send_bad_record(peer, state, bytes);
        return;
    case 3:
        (void)raw_send_bytes(peer, huge, sizeof huge);
        (void)raw_send_bytes(peer, bytes, len);
        return;
    case 4: // half of what was promised, and no more
        (void)raw_send_bytes(peer, promised, sizeof promised);
        (void)raw_send_bytes(peer, bytes, len);
        return;
    default:
        send_foolish_records(load, peer, state, bytes);
        return;
    }
}

// One connection of garbage; before the handshake, or after it. The last one stays open while the
// next is made, so that what it left unfinished waits for more.
static void garble(overload *load, raw_peer *peer, uint64_t *state, size_t round)
{
    uint8_t bytes[GARBAGE_BYTES];
    alm_record ignored;
    if (round % 4 == 0) {
        if (raw_open(peer, &load->shared, &load->server.dial)) {
            fill(state, bytes, sizeof bytes);
            bytes[0] = round % 8 == 0 ? 0xff : bytes[0];
            (void)raw_send_bytes(peer, bytes, sizeof bytes);
        }
        return;
    }
    assert_true(raw_open(peer, &load->shared, &load->server.dial));
    assert_true(raw_greet(peer));
    assert_true(raw_expect(peer, ALM_RECORD_HELLO, &ignored));
    send_garbage(load, peer, state, (unsigned)(random_next(state) % 6));
}

static void *send_garbage_all_the_time(void *arg)
{
    overload *load = arg;
    uint64_t state = GARBAGE_SEED;
    raw_peer peers[4] = {{.fd = -1}, {.fd = -1}, {.fd = -1}, {.fd = -1}};
    for (size_t i = 0; !atomic_load(&load->is_over) || i < GARBAGE_MIN; i++) {
        raw_close(&peers[i % 4]);
        garble(load, &peers[i % 4], &state, i);
        atomic_fetch_add(&load->garbage_count, 1);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(peers); i++) {
        raw_close(&peers[i]);
    }
    return NULL;
}

// --- good clients --------------------------------------------------------------------------------

static const alm_call_opts in_time = {.timeout_ms = RAW_DEADLINE_S * 1000};

static void say(alm_channel *channel, alm_arena *arena, uint64_t number)
{
    uint8_t blob[GOOD_BLOB_BYTES];
    uint64_t state = number;
    alm_status st = ALM_STATUS_INIT;
    ProtobufCMessage *reply = NULL;
    Almanac__Test__SayRequest request;
    fill(&state, blob, sizeof blob);
    almanac__test__say_request__init(&request);
    request.number = number;
    request.blob = (ProtobufCBinaryData){.data = blob, .len = sizeof blob};
    if (alm_channel_call(channel, &echo_service, "Say", &in_time, &request.base, arena, &reply,
                         &st) != ALM_OK) {
        fail_msg("call %llu: %s", (unsigned long long)number, st.message);
    }
    const Almanac__Test__SayResponse *answer = (const Almanac__Test__SayResponse *)reply;
    assert_int_equal(answer->number, number);
    assert_int_equal(answer->blob.len, sizeof blob);
    assert_memory_equal(answer->blob.data, blob, sizeof blob);
}

static void read_stream(alm_channel *channel, alm_arena *arena)
{
    alm_status st = ALM_STATUS_INIT;
    alm_stream *stream = NULL;
    Almanac__Test__CountRequest request;
    almanac__test__count_request__init(&request);
    request.count = STREAM_MESSAGES;
    request.padding = STREAM_PADDING;
    assert_int_equal(
        alm_stream_open(channel, &echo_service, "Count", &in_time, &request.base, &stream, &st),
        ALM_OK);
    for (uint64_t i = 0;; i++) {
        ProtobufCMessage *message = NULL;
        alm_arena_reset(arena);
        if (alm_stream_next(stream, arena, &message, &st) != ALM_OK) {
            fail_msg("message %llu: %s", (unsigned long long)i, st.message);
        }
        if (message == NULL) {
            assert_int_equal(i, STREAM_MESSAGES);
            break;
        }
        assert_int_equal(((Almanac__Test__CountResponse *)message)->number, i);
    }
    alm_stream_close(&stream);
}

static void *call_well(void *arg)
{
    overload *load = arg;
    alm_rpc *rpc;
    alm_channel *channel;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    if (alm_rpc_create(NULL, &rpc, &st) != ALM_OK ||
        alm_channel_open(rpc, load->server.address, NULL, &channel, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    for (uint64_t i = 1; !atomic_load(&load->is_over) || i <= GOOD_CALLS_MIN; i++) {
        alm_arena_reset(arena);
        say(channel, arena, i);
        atomic_fetch_add(&load->good_calls, 1);
        if (i % STREAM_EVERY == 0) {
            read_stream(channel, arena);
            atomic_fetch_add(&load->good_streams, 1);
        }
    }
    alm_channel_close(&channel);
    alm_rpc_destroy(&rpc);
    alm_arena_destroy(&arena);
    return NULL;
}

// --- together ------------------------------------------------------------------------------------

static void set_up(overload *load)
{
    const alm_port_opts opts = {.role = ALM_PORT_DIALS, .frame_bytes_max = 1u << 24};
    load_raise_descriptors();
    load->crowd = alm_calloc(load->connection_count, sizeof *load->crowd);
    load->slow = alm_calloc(load->slow_count, sizeof *load->slow);
    assert_non_null(load->crowd);
    assert_non_null(load->slow);
    assert_int_equal(alm_zmtp_shared_init(&load->shared, &opts, NULL), ALM_OK);
}

static void tear_down(overload *load)
{
    for (size_t i = 0; i < load->connection_count; i++) {
        raw_close(&load->crowd[i]);
    }
    for (size_t i = 0; i < load->slow_count; i++) {
        raw_close(&load->slow[i]);
    }
    alm_zmtp_shared_deinit(&load->shared);
    alm_free(load->crowd);
    alm_free(load->slow);
}

static void others_are_answered_and_memory_stays_bounded(void **state)
{
    overload *load = *state;
    const alm_rpc_limits limits = load_limits(load->connection_count);
    pthread_t good[GOOD_COUNT];
    pthread_t garbage;
    start_server(load);
    size_t start = memory_of(load, "VmRSS:");
    greet_crowd(load);
    size_t crowded = memory_of(load, "VmRSS:");
    start_slow_readers(load);
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        assert_int_equal(pthread_create(&good[i], NULL, call_well, load), 0);
    }
    assert_int_equal(pthread_create(&garbage, NULL, send_garbage_all_the_time, load), 0);
    let_the_crowd_call(load);
    atomic_store(&load->is_over, true);
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        pthread_join(good[i], NULL);
    }
    pthread_join(garbage, NULL);
    let_the_crowd_call(load); // they are all there still
    size_t end = memory_of(load, "VmRSS:");
    size_t most = memory_of(load, "VmHWM:");
    size_t bound = start + load_bytes_max(&limits, load->slow_count);
    printf("connections %zu, slow readers %zu, garbage connections %zu\n"
           "answered: %zu calls and %zu streams of good clients, %zu calls of the crowd\n"
           "server's memory, KiB: start %zu, crowd %zu, end %zu, most %zu, bound %zu\n",
           load->connection_count, load->slow_count, atomic_load(&load->garbage_count),
           atomic_load(&load->good_calls), atomic_load(&load->good_streams),
           2 * load->connection_count, start >> 10, crowded >> 10, end >> 10, most >> 10,
           bound >> 10);
    if (HAS_PLAIN_HEAP) { // a sanitizer keeps what was freed, and shadows
        assert_true(most < bound);
    }
    stop_server(load);
}

int main(int argc, char **argv)
{
    overload *load = &the_load;
    if (argc != 4) {
        fprintf(stderr, "usage: overload SERVER CONNECTIONS SLOW_READERS\n");
        return 2;
    }
    load->program = argv[1];
    load->connection_count = strtoul(argv[2], NULL, 10);
    load->slow_count = strtoul(argv[3], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(others_are_answered_and_memory_stays_bounded, load),
    };
    set_up(load);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tear_down(load);
    return failed == 0 ? 0 : 1;
}
