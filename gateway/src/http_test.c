// Goal: probes and metrics answer over real sockets, and no client can hold a connection for ever.
// Method: a gateway whose services are not there, asked with raw HTTP; one client drips its bytes.
#include "http.h"

#include "gateway_service.h"
#include "metrics.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { ANSWER_MAX = 1 << 20, WAIT_MS = 30000 };

typedef struct world {
    alm_module_ctx ctx;
    gateway g;
} world;

static world w;
static char answer_text[ANSWER_MAX];

static int world_begin(void **state)
{
    (void)state;
    alm_status st = ALM_STATUS_INIT;
    alm_server_opts opts = {.name = "gateway"};
    w.ctx.clock = alm_clock_system();
    w.g.ctx = &w.ctx;
    if (alm_rpc_create(&(alm_rpc_opts){0}, &w.ctx.rpc, &st) != ALM_OK ||
        alm_channel_open(w.ctx.rpc, "loop://nowhere.storage", NULL, &w.g.storage, &st) != ALM_OK ||
        alm_channel_open(w.ctx.rpc, "loop://nowhere.ingestion", NULL, &w.g.ingestion, &st) !=
            ALM_OK ||
        alm_channel_open(w.ctx.rpc, "loop://nowhere.aggregation", NULL, &w.g.aggregation, &st) !=
            ALM_OK ||
        alm_server_create(w.ctx.rpc, &opts, &w.g.server, &st) != ALM_OK ||
        alm_server_add(w.g.server, &alm_service_gateway, gateway_handlers, &w.g, &st) != ALM_OK ||
        alm_server_bind(w.g.server, "loop://gateway", &st) != ALM_OK ||
        alm_server_start(w.g.server, &st) != ALM_OK ||
        alm_http_start(&w.g, "127.0.0.1:0", &w.g.http, &st) != ALM_OK) {
        print_error("%s\n", st.message);
        return -1;
    }
    return 0;
}

static int world_end(void **state)
{
    (void)state;
    alm_http_stop(&w.g.http);
    alm_server_destroy(&w.g.server);
    alm_channel_close(&w.g.storage);
    alm_channel_close(&w.g.ingestion);
    alm_channel_close(&w.g.aggregation);
    alm_rpc_destroy(&w.ctx.rpc);
    return 0;
}

static int dial(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)alm_http_port(w.g.http)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

// Reads until the server closes. Answers how much came.
static size_t drain(int fd)
{
    size_t len = 0;
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    while (len < sizeof answer_text - 1 && poll(&waiting, 1, WAIT_MS) == 1) {
        ssize_t got = recv(fd, answer_text + len, sizeof answer_text - 1 - len, 0);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    answer_text[len] = '\0';
    return len;
}

static const char *ask(const char *request)
{
    int fd = dial();
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    drain(fd);
    close(fd);
    return answer_text;
}

static void assert_has(const char *text, const char *want)
{
    if (strstr(text, want) == NULL) {
        print_error("no \"%s\" in:\n%s\n", want, text);
        fail();
    }
}

static void alive_whatever_is_behind(void **state)
{
    (void)state;
    const char *answer = ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(answer, "HTTP/1.1 200");
    assert_has(answer, "\r\n\r\nok\n");
    assert_has(answer, "nosniff");
}

static void not_ready_without_services(void **state)
{
    (void)state;
    const char *answer = ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(answer, "HTTP/1.1 503");
    assert_has(answer, "[-]storage unreachable\n");
    assert_has(answer, "[-]aggregation unreachable\n");
}

static void draining_is_said(void **state)
{
    (void)state;
    alm_http_set_draining(w.g.http);
    assert_has(ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"), "[-]gateway draining\n");
}

// Prometheus' format: HELP and TYPE once a family and before its samples; a line end after every
// line.
static void metrics_are_well_formed(void **state)
{
    (void)state;
    const char *answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(answer, "text/plain; version=0.0.4; charset=utf-8");
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    char family[128] = "";
    size_t samples = 0;
    alm_str rest = alm_str_from(body + 4);
    assert_true(alm_str_ends_with(rest, ALM_STR("\n")));
    rest.len--;
    for (alm_str line; alm_str_split(&rest, '\n', &line);) {
        if (alm_str_starts_with(line, ALM_STR("# TYPE "))) {
            snprintf(family, sizeof family, "%.*s",
                     (int)alm_str_find_char(alm_str_slice(line, 7, line.len), ' '), line.data + 7);
        } else if (!alm_str_starts_with(line, ALM_STR("# HELP "))) {
            assert_true(alm_str_starts_with(line, alm_str_from(family)));
            samples++;
        }
    }
    assert_true(samples > 20);
    assert_has(body, "almanac_backend_connections{service=\"storage\",state=\"healthy\"} 0\n");
}

static void the_rest_is_refused(void **state)
{
    (void)state;
    assert_has(ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 404");
    assert_has(ask("GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 404");
    const char *post = ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    assert_has(post, "HTTP/1.1 405");
    assert_has(post, "Allow: GET, HEAD");
}

static void a_dripping_client_is_cut(void **state)
{
    static const char slow[] = "GET /healthz HTTP/1.1\r\nX-Slow: ";
    alm_clock clock = alm_clock_system();
    (void)state;
    int fd = dial();
    send(fd, slow, sizeof slow - 1, MSG_NOSIGNAL);
    int64_t start = alm_clock_mono_ms(&clock);
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    bool cut = false;
    while (!cut && alm_clock_mono_ms(&clock) - start < WAIT_MS) {
        // A byte a second: never idle for as long as the library's own timeout.
        cut = poll(&waiting, 1, 1000) == 1 || send(fd, "a", 1, MSG_NOSIGNAL) < 0;
    }
    assert_true(cut);
    close(fd);
    assert_has(ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200");
}

static const struct address_row {
    const char *address;
    alm_code want;
} address_rows[] = {
    {"127.0.0.1", ALM_INVALID_ARGUMENT},
    {"127.0.0.1:", ALM_INVALID_ARGUMENT},
    {"127.0.0.1:99999", ALM_INVALID_ARGUMENT},
    {"localhost:80", ALM_INVALID_ARGUMENT},
    {":80", ALM_INVALID_ARGUMENT},
    {"[::1:80", ALM_INVALID_ARGUMENT},
    {"0.0.0.0:0", ALM_FAILED_PRECONDITION},
    {"[::]:0", ALM_FAILED_PRECONDITION},
    {"192.0.2.1:80", ALM_FAILED_PRECONDITION},
};

static void addresses_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALM_ARRAY_LEN(address_rows); i++) {
        alm_http *http = NULL;
        alm_status st = ALM_STATUS_INIT;
        assert_int_equal(alm_http_start(&w.g, address_rows[i].address, &http, &st),
                         address_rows[i].want);
        assert_has(st.message, address_rows[i].address);
        assert_null(http);
    }
    char taken[32];
    alm_http *http = NULL;
    snprintf(taken, sizeof taken, "127.0.0.1:%u", alm_http_port(w.g.http));
    assert_int_equal(alm_http_start(&w.g, taken, &http, NULL), ALM_ALREADY_EXISTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alive_whatever_is_behind), cmocka_unit_test(not_ready_without_services),
        cmocka_unit_test(metrics_are_well_formed),  cmocka_unit_test(the_rest_is_refused),
        cmocka_unit_test(addresses_are_checked),    cmocka_unit_test(a_dripping_client_is_cut),
        cmocka_unit_test(draining_is_said),
    };
    return cmocka_run_group_tests_name("http", tests, world_begin, world_end);
}
