#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

bool raw_send_bytes(const raw_peer *peer, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t sent = send(peer->fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool send_pending(raw_peer *peer)
{
    alm_str pending = alm_zmtp_conn_pending(&peer->conn);
    bool is_sent = raw_send_bytes(peer, pending.data, pending.len);
    alm_zmtp_conn_sent(&peer->conn, pending.len);
    return is_sent;
}

bool raw_open(raw_peer *peer, alm_zmtp_shared *shared, const raw_options *options)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)options->port)};
    const struct timeval deadline = {.tv_sec = RAW_DEADLINE_S};
    *peer = (raw_peer){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (peer->fd < 0) {
        fail_msg("no descriptor for a connection: %s", strerror(errno));
    }
    setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    setsockopt(peer->fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
    const int at_once = 1;
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    if (options->receive_buffer_bytes != 0) {
        setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &options->receive_buffer_bytes,
                   sizeof options->receive_buffer_bytes);
    }
    assert_int_equal(alm_zmtp_conn_init(&peer->conn, shared, false, NULL), ALM_OK);
    if (connect(peer->fd, (const struct sockaddr *)&at, sizeof at) != 0 || !send_pending(peer)) {
        raw_close(peer);
        return false;
    }
    return true;
}

void raw_close(raw_peer *peer)
{
    if (peer->fd >= 0) {
        close(peer->fd);
        peer->fd = -1;
        alm_zmtp_conn_deinit(&peer->conn);
    }
}

static bool read_some(raw_peer *peer)
{
    ssize_t len = recv(peer->fd, peer->buffer, sizeof peer->buffer, 0);
    peer->input = (alm_zmtp_input){.data = peer->buffer, .len = len > 0 ? (size_t)len : 0};
    return len > 0;
}

// Takes bytes until there is such an event.
static bool take_until(raw_peer *peer, alm_zmtp_event wanted, alm_str *ret_frame)
{
    for (;;) {
        alm_zmtp_event event = alm_zmtp_conn_next(&peer->conn, &peer->input, ret_frame);
        if (event == ALM_ZMTP_BROKEN || !send_pending(peer)) {
            return false;
        }
        if (event == wanted) {
            return true;
        }
        if (event == ALM_ZMTP_HUNGRY && !read_some(peer)) {
            return false;
        }
    }
}

bool raw_send_frame(raw_peer *peer, const void *data, size_t len)
{
    uint8_t header[ALM_ZMTP_HEADER_BYTES_MAX];
    size_t header_len = alm_zmtp_header_write(0, len, header);
    return raw_send_bytes(peer, header, header_len) && raw_send_bytes(peer, data, len);
}

bool raw_send_record(raw_peer *peer, const alm_record *record)
{
    alm_buf frame;
    alm_buf_init(&frame, 0);
    assert_true(alm_record_append(&frame, record));
    bool is_sent = raw_send_frame(peer, frame.data, frame.len);
    alm_buf_deinit(&frame);
    return is_sent;
}

bool raw_greet(raw_peer *peer)
{
    alm_str none;
    if (!take_until(peer, ALM_ZMTP_CONNECTED, &none)) {
        return false;
    }
    const alm_hello hello = {
        .message_bytes_max = 1u << 20, .window_bytes = 1u << 20, .window_messages = 1u << 14};
    alm_buf payload;
    alm_buf_init(&payload, 0);
    assert_true(alm_hello_encode(&payload, &hello, NULL, NULL, 0));
    const alm_record record = {.type = ALM_RECORD_HELLO, .payload = alm_buf_view(&payload)};
    bool is_sent = raw_send_record(peer, &record);
    alm_buf_deinit(&payload);
    return is_sent;
}

bool raw_receive(raw_peer *peer, alm_record *ret)
{
    while (alm_reader_left(&peer->frame) == 0) {
        alm_str frame;
        if (!take_until(peer, ALM_ZMTP_FRAME, &frame)) {
            return false;
        }
        peer->frame = alm_reader_of(frame.data, frame.len);
    }
    return alm_record_next(&peer->frame, ret, NULL) == ALM_OK;
}

bool raw_expect(raw_peer *peer, alm_record_type type, alm_record *ret)
{
    do {
        if (!raw_receive(peer, ret)) {
            return false;
        }
    } while (ret->type != type);
    return true;
}

uint32_t raw_method(const alm_record *hello, const char *method)
{
    alm_arena *arena = alm_arena_create(0);
    alm_hello theirs;
    uint32_t found = UINT32_MAX;
    assert_int_equal(alm_hello_decode(hello->payload, arena, &theirs, NULL), ALM_OK);
    for (uint32_t i = 0; i < theirs.service_count; i++) {
        if (alm_str_eq(theirs.services[i].name, alm_str_from(echo_service.descriptor->name))) {
            found = theirs.services[i].method_first +
                    (uint32_t)alm_service_method_find(&echo_service, method);
        }
    }
    alm_arena_destroy(&arena);
    assert_int_not_equal(found, UINT32_MAX);
    return found;
}
