#include "zmtp_port.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BACKLOG           1024

// A peer that vanished without a word is noticed by the kernel after about 11 seconds.
#define KEEPALIVE_IDLE_S  5
#define KEEPALIVE_PAUSE_S 2
#define KEEPALIVE_COUNT   3

static void set_int(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof value); // worth having, not worth failing for
}

static bool is_loopback(const struct sockaddr_storage *at)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (at->ss_family == AF_INET6) {
        memcpy(&v6, at, sizeof v6);
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
    }
    memcpy(&v4, at, sizeof v4);
    return at->ss_family == AF_INET &&
           ntohl(v4.sin_addr.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

// peer: whom a tcp connection is with. One within the host has no path whose rate is to be found
// out: where the host's choice for connections paces them (BBR), that costs a timer for each
// segment, half the rate and most of the processor's time. Reno is what every kernel has.
static void tune(int fd, bool is_ipc, const struct sockaddr_storage *peer)
{
    if (is_ipc) {
        return;
    }
    if (is_loopback(peer)) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", strlen("reno"));
    }
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_PAUSE_S);
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
}

static alm_code status_from_socket(alm_status *st, const char *address)
{
    if (errno == EADDRINUSE) {
        return alm_status_set(st, ALM_ALREADY_EXISTS, "%s: the address is in use", address);
    }
    if (errno == EADDRNOTAVAIL) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s: no such address here", address);
    }
    return alm_status_from_errno(st, errno, address);
}

// --- addresses -----------------------------------------------------------------------------------

static void copy_text(alm_str text, char ret[ALM_ADDRESS_BYTES_MAX])
{
    ALM_ASSERT(text.len < ALM_ADDRESS_BYTES_MAX);
    memcpy(ret, text.data, text.len);
    ret[text.len] = '\0';
}

// Names are the resolver's business: it has a thread of its own to wait in.
static alm_code tcp_address(const alm_address *address, const char *text,
                            struct sockaddr_storage *ret, socklen_t *ret_len, alm_status *st)
{
    char host[ALM_ADDRESS_BYTES_MAX];
    char port[ALM_ADDRESS_BYTES_MAX];
    copy_text(address->host, host);
    copy_text(alm_address_takes_any_port(address) ? ALM_STR("0") : address->port, port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int error =
        getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints, &found);
    if (error != 0) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s: not a numeric address", text);
    }
    memset(ret, 0, sizeof *ret);
    memcpy(ret, found->ai_addr, found->ai_addrlen);
    *ret_len = found->ai_addrlen;
    freeaddrinfo(found);
    return ALM_OK;
}

// libzmq takes "@name" for a name without a file. It would have no owner and no mode, so we do not.
static alm_code ipc_address(const alm_address *address, const char *text, struct sockaddr_un *ret,
                            alm_status *st)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (address->rest.len >= sizeof ret->sun_path || address->rest.data[0] == '@') {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s: not a path of a socket", text);
    }
    memcpy(ret->sun_path, address->rest.data, address->rest.len);
    return ALM_OK;
}

alm_code alm_zmtp_dial(const char *address, int *ret_fd, bool *ret_is_ipc, bool *ret_is_connecting,
                       alm_status *st)
{
    alm_address parsed;
    struct sockaddr_storage at = {0};
    socklen_t at_len = sizeof(struct sockaddr_un);
    ALM_TRY(alm_address_parse(alm_str_from(address), &parsed, st));
    ALM_ASSERT(parsed.scheme == ALM_SCHEME_TCP || parsed.scheme == ALM_SCHEME_IPC);
    bool is_ipc = parsed.scheme == ALM_SCHEME_IPC;
    if (is_ipc) {
        ALM_TRY(ipc_address(&parsed, address, (struct sockaddr_un *)&at, st));
    } else {
        ALM_TRY(tcp_address(&parsed, address, &at, &at_len, st));
    }
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return status_from_socket(st, address);
    }
    tune(fd, is_ipc, &at);
    *ret_is_ipc = is_ipc;
    *ret_is_connecting = connect(fd, (const struct sockaddr *)&at, at_len) != 0;
    if (*ret_is_connecting && errno != EINPROGRESS) {
        close(fd);
        fd = -1;
    }
    *ret_fd = fd;
    return ALM_OK;
}

// --- listening -----------------------------------------------------------------------------------

// A full backlog (EAGAIN) is a listener too.
static bool is_ipc_taken(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    bool is_taken = connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 || errno == EAGAIN;
    close(fd);
    return is_taken;
}

// Nobody can connect between bind and listen, so the mode is never wider than it should be.
static alm_code listen_ipc(zmtp_listener *listener, const char *address, alm_status *st)
{
    const struct sockaddr_un *at = &listener->path;
    struct stat file;
    if (is_ipc_taken(at)) {
        return alm_status_set(st, ALM_ALREADY_EXISTS, "%s: the address is in use", address);
    }
    if (lstat(at->sun_path, &file) == 0 && S_ISSOCK(file.st_mode)) {
        unlink(at->sun_path);
    }
    if (bind(listener->fd, (const struct sockaddr *)at, sizeof *at) != 0) {
        return status_from_socket(st, address);
    }
    if (lstat(at->sun_path, &file) != 0) {
        return status_from_socket(st, address);
    }
    listener->device = file.st_dev;
    listener->inode = file.st_ino;
    if (chmod(at->sun_path, S_IRUSR | S_IWUSR) != 0 || listen(listener->fd, BACKLOG) != 0) {
        alm_code code = status_from_socket(st, address);
        unlink(at->sun_path);
        return code;
    }
    return ALM_OK;
}

static alm_code listen_tcp(zmtp_listener *listener, const struct sockaddr_storage *at,
                           socklen_t at_len, const char *address, alm_status *st)
{
    set_int(listener->fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (at->ss_family == AF_INET6) { // [::] is for both families
        set_int(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
    if (bind(listener->fd, (const struct sockaddr *)at, at_len) != 0 ||
        listen(listener->fd, BACKLOG) != 0) {
        return status_from_socket(st, address);
    }
    return ALM_OK;
}

static alm_code open_tcp(zmtp_listener *listener, const alm_address *parsed, const char *address,
                         alm_status *st)
{
    alm_address any = *parsed;
    bool is_any = alm_str_eq(parsed->host, ALM_STR("*"));
    struct sockaddr_storage at;
    socklen_t at_len;
    any.host = is_any ? ALM_STR("::") : parsed->host;
    ALM_TRY(tcp_address(&any, address, &at, &at_len, st));
    int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    listener->fd = socket(at.ss_family, type, 0);
    if (listener->fd < 0 && is_any) { // a machine without IPv6
        any.host = ALM_STR("0.0.0.0");
        ALM_TRY(tcp_address(&any, address, &at, &at_len, st));
        listener->fd = socket(at.ss_family, type, 0);
    }
    return listener->fd < 0 ? status_from_socket(st, address)
                            : listen_tcp(listener, &at, at_len, address, st);
}

static alm_code open_ipc(zmtp_listener *listener, const alm_address *parsed, const char *address,
                         alm_status *st)
{
    ALM_TRY(ipc_address(parsed, address, &listener->path, st));
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return listener->fd < 0 ? status_from_socket(st, address) : listen_ipc(listener, address, st);
}

// The address as it was asked for, with the port that was taken.
static void name_endpoint(const zmtp_listener *listener, const alm_address *asked,
                          const char *address, char ret[ALM_ADDRESS_BYTES_MAX])
{
    memcpy(ret, address, strlen(address) + 1);
    if (alm_address_takes_any_port(asked)) {
        struct sockaddr_in6 at = {0}; // the smaller one of IPv4 has its port at the same place
        socklen_t len = sizeof at;
        int answer = getsockname(listener->fd, (struct sockaddr *)&at, &len);
        ALM_ASSERT(answer == 0);
        size_t host_len = (size_t)(asked->port.data - address); // with its colon
        snprintf(ret + host_len, ALM_ADDRESS_BYTES_MAX - host_len, "%u", ntohs(at.sin6_port));
    }
}

static void close_listener(const zmtp_listener *listener)
{
    struct stat file;
    if (listener->is_ipc && listener->inode != 0 && lstat(listener->path.sun_path, &file) == 0 &&
        file.st_dev == listener->device && file.st_ino == listener->inode) {
        unlink(listener->path.sun_path);
    }
    if (listener->fd >= 0) {
        close(listener->fd);
    }
}

// Also tells again what was told.
static bool watch(const zmtp_port *port, size_t i, uint32_t events)
{
    return alm_zmtp_watch(port, port->listeners[i].fd, events, ZMTP_LISTENER_BIT | (uint32_t)i);
}

bool alm_zmtp_watch_listener(const zmtp_port *port, size_t i)
{
    return watch(port, i, port->resume_us == ALM_NEVER_US ? EPOLLIN : 0);
}

alm_code alm_zmtp_bind(zmtp_port *port, const char *address, char ret[ALM_ADDRESS_BYTES_MAX],
                       alm_status *st)
{
    alm_address parsed;
    ALM_TRY(alm_address_parse(alm_str_from(address), &parsed, st));
    ALM_ASSERT(parsed.scheme == ALM_SCHEME_TCP || parsed.scheme == ALM_SCHEME_IPC);
    if (port->listener_count == ALM_ZMTP_LISTENER_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s is past the limit of %d addresses",
                              address, ALM_ZMTP_LISTENER_COUNT_MAX);
    }
    zmtp_listener *listener = &port->listeners[port->listener_count];
    *listener = (zmtp_listener){.fd = -1, .is_ipc = parsed.scheme == ALM_SCHEME_IPC};
    alm_code code = listener->is_ipc ? open_ipc(listener, &parsed, address, st)
                                     : open_tcp(listener, &parsed, address, st);
    if (code == ALM_OK && !watch(port, port->listener_count, EPOLLIN)) {
        code = status_from_socket(st, address);
    }
    if (code != ALM_OK) {
        close_listener(listener);
        return code;
    }
    port->listener_count++;
    name_endpoint(listener, &parsed, address, ret);
    return ALM_OK;
}

// --- accepting -----------------------------------------------------------------------------------

// The connections stay in the backlog, and epoll would say so again and again.
static void pause_all(zmtp_port *port)
{
    for (size_t i = 0; i < port->listener_count; i++) {
        (void)watch(port, i, 0);
    }
    port->resume_us = zmtp_now_us(port) + ALM_ZMTP_ACCEPT_PAUSE_US;
}

void alm_zmtp_resume(zmtp_port *port)
{
    port->resume_us = ALM_NEVER_US;
    for (size_t i = 0; i < port->listener_count; i++) {
        (void)watch(port, i, EPOLLIN);
    }
}

static void take_socket(zmtp_port *port, int fd, bool is_ipc, const struct sockaddr_storage *from)
{
    if (port->peer_count_max != 0 && port->peer_count >= port->peer_count_max) {
        close(fd);
        return;
    }
    tune(fd, is_ipc, from);
    zmtp_peer *peer;
    (void)alm_zmtp_peer_add(port, fd, is_ipc, false, &peer, NULL); // it may try again
}

void alm_zmtp_accept(zmtp_port *port, size_t i)
{
    const zmtp_listener *listener = &port->listeners[i];
    for (size_t count = 0; count < ALM_ZMTP_ACCEPT_COUNT_MAX; count++) {
        struct sockaddr_storage from = {0};
        socklen_t from_len = sizeof from;
        int fd = accept4(listener->fd, (struct sockaddr *)&from, &from_len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_socket(port, fd, listener->is_ipc, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_all(port);
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        }
    }
    (void)watch(port, i, EPOLLIN); // there may be more
}

void alm_zmtp_unlisten(zmtp_port *port)
{
    for (size_t i = 0; i < port->listener_count; i++) {
        close_listener(&port->listeners[i]);
    }
    port->listener_count = 0;
}
