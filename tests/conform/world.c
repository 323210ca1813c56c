#include "world.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>

static world the_world; // one test at a time

int64_t world_now_ms(void)
{
    alm_clock clock = alm_clock_system();
    return alm_clock_mono_ms(&clock);
}

void world_address(world *w, char *out)
{
    int n = ++w->address_count;
    if (strcmp(w->scheme, "tcp") == 0) {
        snprintf(out, ECHO_ADDRESS_MAX, "tcp://127.0.0.1:0");
    } else if (strcmp(w->scheme, "ipc") == 0) {
        snprintf(out, ECHO_ADDRESS_MAX, "ipc://%s/%d.sock", w->dir, n);
    } else {
        snprintf(out, ECHO_ADDRESS_MAX, "%s://conform-%d", w->scheme, n);
    }
}

// A tcp port that was free a moment ago.
static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    close(fd);
    return ntohs(at.sin_port);
}

void world_address_later(world *w, char *out)
{
    world_address(w, out);
    if (strcmp(w->scheme, "tcp") == 0) {
        snprintf(out, ECHO_ADDRESS_MAX, "tcp://127.0.0.1:%d", free_port());
    }
}

unsigned world_method(const char *method)
{
    const ProtobufCServiceDescriptor *service = echo_service.descriptor;
    for (unsigned i = 0; i < service->n_methods; i++) {
        if (strcmp(service->methods[i].name, method) == 0) {
            return i;
        }
    }
    fail_msg("no method %s", method);
    return 0;
}

alm_channel *world_open(world *w, const char *target)
{
    alm_channel *channel = NULL;
    if (alm_channel_open(w->rpc, target, NULL, &channel, &w->st) != ALM_OK) {
        fail_msg("%s", w->st.message);
    }
    return channel;
}

static void hop_start(world *w)
{
    static const alm_handler none[32];
    char address[ECHO_ADDRESS_MAX];
    const alm_server_opts opts = {.name = "hop"};
    const ProtobufCServiceDescriptor *service = echo_service.descriptor;
    assert_true(service->n_methods <= ALM_ARRAY_LEN(none));
    world_address(w, address);
    w->upstream = world_open(w, w->echo.address);
    if (alm_server_create(w->rpc, &opts, &w->hop, &w->st) != ALM_OK ||
        alm_server_add(w->hop, &echo_service, none, NULL, &w->st) != ALM_OK ||
        alm_server_bind(w->hop, address, &w->st) != ALM_OK) {
        fail_msg("%s", w->st.message);
    }
    for (unsigned i = 0; i < service->n_methods; i++) {
        const char *method = service->methods[i].name;
        const alm_forward_opts forward = {.method = method,
                                          .channel = w->upstream,
                                          .to_service = &echo_service,
                                          .to_method = method,
                                          .is_endless = strcmp(method, "Endless") == 0};
        alm_server_forward(w->hop, &echo_service, &forward);
    }
    if (alm_server_start(w->hop, &w->st) != ALM_OK) {
        fail_msg("%s", w->st.message);
    }
}

int world_set_up(void **state)
{
    world *w = &the_world;
    *w = (world){.echo.name = "one", .st = ALM_STATUS_INIT};
    w->given = *state;
    snprintf(w->scheme, sizeof w->scheme, "%.*s", (int)strcspn(w->given, "+"), w->given);
    snprintf(w->dir, sizeof w->dir, "/tmp/alm_conform.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    w->arena = alm_arena_create(0);
    assert_non_null(w->arena);
    alm_log_init(&w->log, "test");
    w->log.level = ALM_LOG_OFF;
    w->log.fd = -1;
    const alm_rpc_opts opts = {.log = &w->log, .uses_libzmq = strstr(w->given, "+libzmq") != NULL};
    if (alm_rpc_create(&opts, &w->rpc, &w->st) != ALM_OK) {
        fail_msg("%s", w->st.message);
    }
    char address[ECHO_ADDRESS_MAX];
    world_address(w, address);
    echo_start(&w->echo, w->rpc, address, NULL);
    bool has_hop = strstr(w->given, "+hop") != NULL;
    if (has_hop) {
        hop_start(w);
    }
    w->channel = world_open(w, has_hop ? alm_server_endpoint(w->hop, 0) : w->echo.address);
    *state = w;
    return 0;
}

int world_tear_down(void **state)
{
    world *w = *state;
    const char *given = w->given;
    alm_channel_close(&w->channel);
    alm_server_destroy(&w->hop);
    alm_channel_close(&w->upstream);
    echo_stop(&w->echo);
    alm_rpc_destroy(&w->rpc);
    alm_arena_destroy(&w->arena);
    if (w->log.fd >= 0) {
        close(w->log.fd);
    }
    for (int i = 1; i <= w->address_count; i++) {
        char path[ECHO_ADDRESS_MAX];
        snprintf(path, sizeof path, "%s/%d.sock", w->dir, i);
        unlink(path);
    }
    rmdir(w->dir);
    *state = (void *)(uintptr_t)given;
    return 0;
}

void world_log_start(world *w)
{
    w->log.fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(w->log.fd >= 0);
    w->log.level = ALM_LOG_DEBUG;
}

const char *world_log_text(world *w)
{
    off_t size = lseek(w->log.fd, 0, SEEK_END);
    assert_true(size >= 0);
    char *text = alm_arena_calloc(w->arena, (size_t)size + 1, 1);
    assert_non_null(text);
    assert_int_equal(pread(w->log.fd, text, (size_t)size, 0), size);
    return text;
}

Almanac__Test__SayResponse *world_say(world *w, alm_channel *channel, const char *text,
                                      const alm_call_opts *opts)
{
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    request.text = (char *)(uintptr_t)text;
    ProtobufCMessage *reply = NULL;
    w->st = ALM_STATUS_INIT;
    alm_code code = alm_channel_call(channel, &echo_service, "Say", opts, &request.base, w->arena,
                                     &reply, &w->st);
    return code == ALM_OK ? (Almanac__Test__SayResponse *)reply : NULL;
}

alm_code world_wait(world *w, alm_channel *channel, const char *method, uint32_t wait_ms,
                    const alm_call_opts *opts, Almanac__Test__WaitResponse **ret)
{
    Almanac__Test__WaitRequest request;
    almanac__test__wait_request__init(&request);
    request.wait_ms = wait_ms;
    ProtobufCMessage *reply = NULL;
    w->st = ALM_STATUS_INIT;
    alm_code code = alm_channel_call(channel, &echo_service, method, opts, &request.base, w->arena,
                                     &reply, &w->st);
    if (code == ALM_OK && ret != NULL) {
        *ret = (Almanac__Test__WaitResponse *)reply;
    }
    return code;
}

alm_stream *world_count(world *w, alm_channel *channel, uint64_t count, uint32_t padding,
                        const alm_call_opts *opts)
{
    Almanac__Test__CountRequest request;
    almanac__test__count_request__init(&request);
    request.count = count;
    request.padding = padding;
    alm_stream *stream = NULL;
    w->st = ALM_STATUS_INIT;
    if (alm_stream_open(channel, &echo_service, "Count", opts, &request.base, &stream, &w->st) !=
        ALM_OK) {
        fail_msg("%s", w->st.message);
    }
    return stream;
}

Almanac__Test__CountResponse *world_next(world *w, alm_stream *stream)
{
    ProtobufCMessage *message = NULL;
    alm_arena_reset(w->arena);
    w->st = ALM_STATUS_INIT;
    alm_code code = alm_stream_next(stream, w->arena, &message, &w->st);
    return code == ALM_OK ? (Almanac__Test__CountResponse *)message : NULL;
}

void world_until(atomic_int *counter, int least)
{
    int64_t end_ms = world_now_ms() + WORLD_WAIT_MS;
    while (atomic_load(counter) < least) {
        if (world_now_ms() > end_ms) {
            fail_msg("a counter stayed at %d, want %d", atomic_load(counter), least);
        }
        poll(NULL, 0, 1); // looks again; how long it takes is not what is tested
    }
}

void world_until_zero(atomic_int *counter)
{
    int64_t end_ms = world_now_ms() + WORLD_WAIT_MS;
    while (atomic_load(counter) != 0) {
        if (world_now_ms() > end_ms) {
            fail_msg("a counter stayed at %d, want 0", atomic_load(counter));
        }
        poll(NULL, 0, 1);
    }
}
