#include "zmtp_conn.h"

#include "alm/alloc.h"

#include <sodium.h>

#define HANDSHAKE_BYTES_MAX 8192 // a command before READY
#define PART_BYTES_MIN      4096
#define PART_EAGER_BYTES    512 // enough for a handshake
#define SPARE_BYTES_MAX     ((size_t)1 << 20)
#define PONG_PENDING_MAX    ((size_t)64 << 10) // who pings and does not read gets no answer
#define METADATA_BYTES_MAX  64

static const char *role_name(alm_port_role role)
{
    return role == ALM_PORT_LISTENS ? "ROUTER" : "DEALER";
}

alm_code alm_zmtp_shared_init(alm_zmtp_shared *shared, const alm_port_opts *opts, alm_status *st)
{
    *shared = (alm_zmtp_shared){.role = opts->role, .frame_bytes_max = opts->frame_bytes_max};
    ALM_ASSERT(opts->frame_bytes_max < SIZE_MAX / 4);
    alm_buf_init(&shared->sealed, SIZE_MAX / 2);
    ALM_TRY(alm_zmtp_curve_start(st));
    if (opts->curve == NULL || !opts->curve->is_on) {
        return ALM_OK;
    }
    if (!alm_zmtp_curve_is_pair(opts->curve->public_key, opts->curve->secret_key)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "the public key does not belong to the secret key");
    }
    shared->curve = *opts->curve;
    return ALM_OK;
}

void alm_zmtp_shared_deinit(alm_zmtp_shared *shared)
{
    sodium_memzero(&shared->curve, sizeof shared->curve);
    alm_free(shared->spare);
    alm_buf_deinit(&shared->sealed);
    *shared = (alm_zmtp_shared){0};
}

alm_code alm_zmtp_conn_init(alm_zmtp_conn *conn, alm_zmtp_shared *shared, bool has_curve,
                            alm_status *st)
{
    *conn = (alm_zmtp_conn){.shared = shared, .state = ALM_ZMTP_GREETING};
    alm_buf_init(&conn->out, SIZE_MAX / 2);
    ALM_ASSERT(!has_curve || shared->curve.is_on);
    bool is_server = shared->role == ALM_PORT_LISTENS;
    if (has_curve) {
        conn->curve = alm_zmtp_curve_create(&shared->curve, is_server);
    }
    uint8_t greeting[ALM_ZMTP_GREETING_BYTES];
    alm_zmtp_greeting_write(has_curve ? ALM_ZMTP_CURVE : ALM_ZMTP_NULL, has_curve && is_server,
                            greeting);
    alm_buf_append(&conn->out, greeting, sizeof greeting);
    if (conn->out.failed || (has_curve && conn->curve == NULL)) {
        alm_zmtp_conn_deinit(conn);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a connection");
    }
    return ALM_OK;
}

void alm_zmtp_conn_deinit(alm_zmtp_conn *conn)
{
    alm_zmtp_curve_destroy(&conn->curve);
    alm_buf_deinit(&conn->out);
    alm_free(conn->part);
    *conn = (alm_zmtp_conn){.state = ALM_ZMTP_ENDED};
}

// --- bytes to send -------------------------------------------------------------------------------

alm_str alm_zmtp_conn_pending(const alm_zmtp_conn *conn)
{
    return alm_str_slice(alm_buf_view(&conn->out), conn->out_at, conn->out.len);
}

void alm_zmtp_conn_sent(alm_zmtp_conn *conn, size_t len)
{
    ALM_ASSERT(len <= conn->out.len - conn->out_at);
    conn->out_at += len;
    if (conn->out_at == conn->out.len) {
        alm_buf_deinit(&conn->out);
        conn->out_at = 0;
    }
}

bool alm_zmtp_conn_queue(alm_zmtp_conn *conn, const void *data, size_t len)
{
    alm_buf *out = &conn->out;
    if (conn->out_at > out->len / 2) {
        memmove(out->data, out->data + conn->out_at, out->len - conn->out_at);
        out->len -= conn->out_at;
        conn->out_at = 0;
    }
    alm_buf_append(out, data, len);
    return !out->failed;
}

size_t alm_zmtp_conn_wrap(alm_zmtp_conn *conn, alm_str *frame,
                          uint8_t ret_header[ALM_ZMTP_HEADER_BYTES_MAX])
{
    if (conn->curve != NULL) {
        alm_buf *sealed = &conn->shared->sealed;
        alm_buf_reset(sealed);
        uint8_t *room = alm_buf_reserve(sealed, frame->len + ALM_ZMTP_SEAL_BYTES);
        if (room == NULL) {
            return 0;
        }
        alm_zmtp_curve_seal(conn->curve, 0, *frame, room);
        sealed->len = frame->len + ALM_ZMTP_SEAL_BYTES;
        *frame = alm_buf_view(sealed);
    }
    return alm_zmtp_header_write(0, frame->len, ret_header);
}

static void answer_ping(alm_zmtp_conn *conn, alm_str context)
{
    if (alm_zmtp_conn_pending(conn).len > PONG_PENDING_MAX) {
        return;
    }
    uint8_t body[5 + ALM_ZMTP_PONG_BYTES_MAX] = "\x04PONG";
    memcpy(body + 5, context.data, context.len);
    alm_str frame = {.data = (const char *)body, .len = 5 + context.len};
    uint8_t header[ALM_ZMTP_HEADER_BYTES_MAX];
    uint8_t sealed[sizeof body + ALM_ZMTP_SEAL_BYTES];
    uint8_t flags = ALM_ZMTP_COMMAND;
    if (conn->curve != NULL) { // the flag that it is a command goes inside
        alm_zmtp_curve_seal(conn->curve, ALM_ZMTP_SEALED_COMMAND, frame, sealed);
        frame = (alm_str){.data = (const char *)sealed, .len = frame.len + ALM_ZMTP_SEAL_BYTES};
        flags = 0;
    }
    size_t header_len = alm_zmtp_header_write(flags, frame.len, header);
    (void)alm_zmtp_conn_queue(conn, header, header_len);
    (void)alm_zmtp_conn_queue(conn, frame.data, frame.len);
}

// --- the handshake -------------------------------------------------------------------------------

static alm_zmtp_event broken(alm_zmtp_conn *conn)
{
    conn->state = ALM_ZMTP_ENDED;
    return ALM_ZMTP_BROKEN;
}

static void write_metadata(const alm_zmtp_conn *conn, alm_buf *out)
{
    alm_zmtp_property_write(out, ALM_STR(ALM_ZMTP_PROPERTY_SOCKET),
                            alm_str_from(role_name(conn->shared->role)));
}

static bool is_peer_fit(const alm_zmtp_conn *conn, alm_str metadata)
{
    alm_str type;
    alm_port_role wanted =
        conn->shared->role == ALM_PORT_LISTENS ? ALM_PORT_DIALS : ALM_PORT_LISTENS;
    return alm_zmtp_socket_type(metadata, &type) &&
           alm_str_eq(type, alm_str_from(role_name(wanted)));
}

// libzmq leaves as-server at zero also for a server, so only two servers can be told. Who the
// server is its key proves.
static alm_zmtp_event greeted(alm_zmtp_conn *conn, alm_bytes item)
{
    alm_zmtp_greeting greeting;
    bool has_curve = conn->curve != NULL;
    bool is_server = conn->shared->role == ALM_PORT_LISTENS;
    if (alm_zmtp_greeting_read(item, &greeting) != ALM_ZMTP_WHOLE ||
        greeting.mechanism != (has_curve ? ALM_ZMTP_CURVE : ALM_ZMTP_NULL) ||
        (has_curve && greeting.is_server && is_server)) {
        return broken(conn);
    }
    if (has_curve) {
        conn->state = is_server ? ALM_ZMTP_HELLO : ALM_ZMTP_WELCOME;
        if (!is_server) {
            alm_zmtp_curve_write_hello(conn->curve, &conn->out);
        }
        return ALM_ZMTP_HUNGRY;
    }
    alm_buf metadata;
    alm_buf_init(&metadata, METADATA_BYTES_MAX);
    write_metadata(conn, &metadata);
    alm_zmtp_command_write(&conn->out, ALM_STR("READY"), alm_buf_view(&metadata));
    bool is_whole = !metadata.failed;
    alm_buf_deinit(&metadata);
    conn->state = ALM_ZMTP_READY;
    return is_whole ? ALM_ZMTP_HUNGRY : broken(conn);
}

static alm_zmtp_event connected(alm_zmtp_conn *conn)
{
    conn->state = ALM_ZMTP_TRAFFIC;
    return ALM_ZMTP_CONNECTED;
}

static alm_zmtp_event take_initiate(alm_zmtp_conn *conn, uint8_t *body, size_t len)
{
    alm_str theirs;
    bool is_denied;
    if (!alm_zmtp_curve_take_initiate(conn->curve, body, len, &theirs, &is_denied)) {
        if (is_denied) { // what ZAP answers to a key that may not come
            alm_zmtp_command_write(&conn->out, ALM_STR("ERROR"),
                                   ALM_STR("\x03"
                                           "400"));
        }
        return broken(conn);
    }
    if (!is_peer_fit(conn, theirs)) {
        return broken(conn);
    }
    alm_buf ours;
    alm_buf_init(&ours, METADATA_BYTES_MAX);
    write_metadata(conn, &ours);
    bool is_whole = !ours.failed;
    if (is_whole) {
        alm_zmtp_curve_write_ready(conn->curve, alm_buf_view(&ours), &conn->out);
    }
    alm_buf_deinit(&ours);
    return is_whole ? connected(conn) : broken(conn);
}

static alm_zmtp_event take_welcome(alm_zmtp_conn *conn, alm_bytes body)
{
    if (!alm_zmtp_curve_take_welcome(conn->curve, body)) {
        return broken(conn);
    }
    alm_buf ours;
    alm_buf_init(&ours, METADATA_BYTES_MAX);
    write_metadata(conn, &ours);
    bool is_whole =
        !ours.failed && alm_zmtp_curve_write_initiate(conn->curve, alm_buf_view(&ours), &conn->out);
    alm_buf_deinit(&ours);
    conn->state = ALM_ZMTP_READY;
    return is_whole ? ALM_ZMTP_HUNGRY : broken(conn);
}

static alm_zmtp_event take_hello(alm_zmtp_conn *conn, alm_bytes body)
{
    if (!alm_zmtp_curve_take_hello(conn->curve, body) ||
        !alm_zmtp_curve_write_welcome(conn->curve, &conn->out)) {
        return broken(conn);
    }
    conn->state = ALM_ZMTP_INITIATE;
    return ALM_ZMTP_HUNGRY;
}

static alm_zmtp_event take_ready(alm_zmtp_conn *conn, uint8_t *body, size_t len)
{
    alm_str metadata;
    if (conn->curve != NULL) {
        return alm_zmtp_curve_take_ready(conn->curve, body, len, &metadata) &&
                       is_peer_fit(conn, metadata)
                   ? connected(conn)
                   : broken(conn);
    }
    alm_zmtp_command command;
    bool is_ready =
        alm_zmtp_command_read((alm_str){.data = (const char *)body, .len = len}, &command) &&
        alm_str_eq(command.name, ALM_STR("READY")) && is_peer_fit(conn, command.data);
    return is_ready ? connected(conn) : broken(conn);
}

static alm_zmtp_event shake_hands(alm_zmtp_conn *conn, uint8_t *body, size_t len, uint8_t flags)
{
    if (flags != ALM_ZMTP_COMMAND) {
        return broken(conn);
    }
    switch (conn->state) {
    case ALM_ZMTP_HELLO:
        return take_hello(conn, (alm_bytes){.data = body, .len = len});
    case ALM_ZMTP_WELCOME:
        return take_welcome(conn, (alm_bytes){.data = body, .len = len});
    case ALM_ZMTP_INITIATE:
        return take_initiate(conn, body, len);
    case ALM_ZMTP_READY:
        return take_ready(conn, body, len);
    default:
        return broken(conn);
    }
}

// --- frames --------------------------------------------------------------------------------------

static alm_zmtp_event take_command(alm_zmtp_conn *conn, alm_str body)
{
    alm_zmtp_command command;
    if (!alm_zmtp_command_read(body, &command)) {
        return broken(conn);
    }
    if (alm_str_eq(command.name, ALM_STR("PING"))) {
        if (command.data.len < ALM_ZMTP_PING_TTL_BYTES ||
            command.data.len > ALM_ZMTP_PING_TTL_BYTES + ALM_ZMTP_PONG_BYTES_MAX) {
            return broken(conn);
        }
        answer_ping(conn, alm_str_slice(command.data, ALM_ZMTP_PING_TTL_BYTES, command.data.len));
    }
    return ALM_ZMTP_HUNGRY;
}

static alm_zmtp_event take_frame(alm_zmtp_conn *conn, uint8_t *body, size_t len, uint8_t flags,
                                 alm_str *ret_frame)
{
    alm_str frame = {.data = (const char *)body, .len = len};
    if (conn->curve != NULL) {
        // The outer flags say nothing; libzmq sends none.
        uint8_t inner = 0;
        if (!alm_zmtp_curve_open(conn->curve, body, len, &inner, &frame) ||
            inner > ALM_ZMTP_SEALED_COMMAND) { // none, one of the two, never both
            return broken(conn);
        }
        flags = inner == ALM_ZMTP_SEALED_COMMAND ? ALM_ZMTP_COMMAND : inner;
    }
    if (frame.len > conn->shared->frame_bytes_max) {
        return broken(conn);
    }
    if ((flags & ALM_ZMTP_COMMAND) != 0) {
        return take_command(conn, frame);
    }
    if ((flags & ALM_ZMTP_MORE) != 0) {
        conn->is_dropping = true;
        return ALM_ZMTP_HUNGRY;
    }
    if (conn->is_dropping) {
        conn->is_dropping = false;
        return ALM_ZMTP_JUNK;
    }
    *ret_frame = frame;
    return ALM_ZMTP_FRAME;
}

// HUNGRY: nothing for the caller.
static alm_zmtp_event take_item(alm_zmtp_conn *conn, uint8_t *item, size_t len, alm_str *ret_frame)
{
    if (conn->state == ALM_ZMTP_GREETING) {
        return greeted(conn, (alm_bytes){.data = item, .len = len});
    }
    alm_zmtp_header header;
    alm_zmtp_parsed parsed = alm_zmtp_header_read((alm_bytes){.data = item, .len = len}, &header);
    ALM_ASSERT(parsed == ALM_ZMTP_WHOLE && len == header.len + header.body_len);
    uint8_t *body = item + header.len;
    len -= header.len;
    return conn->state == ALM_ZMTP_TRAFFIC ? take_frame(conn, body, len, header.flags, ret_frame)
                                           : shake_hands(conn, body, len, header.flags);
}

// --- items from bytes ----------------------------------------------------------------------------

// How long the item is that begins so, as far as can be told: never less than it is worth reading
// next. 0: it is none.
static size_t item_len(const alm_zmtp_conn *conn, alm_bytes start)
{
    if (conn->state == ALM_ZMTP_GREETING) {
        alm_zmtp_greeting greeting;
        bool is_bad = alm_zmtp_greeting_read(start, &greeting) == ALM_ZMTP_BAD;
        return is_bad ? 0 : ALM_ZMTP_GREETING_BYTES;
    }
    alm_zmtp_header header;
    size_t body_len_max = conn->state != ALM_ZMTP_TRAFFIC ? HANDSHAKE_BYTES_MAX
                          : conn->curve == NULL
                              ? conn->shared->frame_bytes_max
                              : conn->shared->frame_bytes_max + ALM_ZMTP_SEAL_BYTES;
    alm_zmtp_parsed parsed = alm_zmtp_header_read(start, &header);
    if (parsed == ALM_ZMTP_BAD || header.body_len > body_len_max) {
        return 0;
    }
    return parsed == ALM_ZMTP_SHORT ? header.len : header.len + (size_t)header.body_len;
}

static void take_spare(alm_zmtp_conn *conn)
{
    alm_zmtp_shared *shared = conn->shared;
    if (conn->state == ALM_ZMTP_TRAFFIC && conn->part == NULL && shared->spare != NULL) {
        conn->part = shared->spare;
        conn->part_cap = shared->spare_cap;
        shared->spare = NULL;
        shared->spare_cap = 0;
    }
}

// Grows with what came, not with what was promised.
static bool grow_part(alm_zmtp_conn *conn, size_t wanted)
{
    take_spare(conn);
    if (conn->part_cap > conn->part_len) {
        return true;
    }
    size_t step = conn->state == ALM_ZMTP_TRAFFIC ? PART_BYTES_MIN : PART_EAGER_BYTES;
    size_t cap = ALM_MIN(ALM_MAX(wanted, step), ALM_MAX(2 * conn->part_len, step));
    uint8_t *part = alm_realloc(conn->part, cap);
    if (part == NULL) {
        return false;
    }
    conn->part = part;
    conn->part_cap = cap;
    return true;
}

static void forget_given(alm_zmtp_conn *conn)
{
    if (conn->part_is_given) {
        conn->part_is_given = false;
        conn->part_len = 0;
    }
}

void alm_zmtp_conn_trim(alm_zmtp_conn *conn)
{
    forget_given(conn);
    if (conn->part_len > 0 || conn->part == NULL) {
        return;
    }
    alm_zmtp_shared *shared = conn->shared;
    if (conn->part_cap > shared->spare_cap && conn->part_cap <= SPARE_BYTES_MAX) {
        alm_free(shared->spare);
        shared->spare = conn->part;
        shared->spare_cap = conn->part_cap;
    } else {
        alm_free(conn->part);
    }
    conn->part = NULL;
    conn->part_cap = 0;
}

static alm_bytes part_of(const alm_zmtp_conn *conn)
{
    return (alm_bytes){.data = conn->part, .len = conn->part_len};
}

uint8_t *alm_zmtp_conn_room(alm_zmtp_conn *conn, size_t *ret_size)
{
    *ret_size = 0;
    forget_given(conn);
    if (conn->state == ALM_ZMTP_ENDED || (conn->state == ALM_ZMTP_TRAFFIC && conn->part_len == 0)) {
        return NULL;
    }
    size_t wanted = item_len(conn, part_of(conn));
    if (wanted <= conn->part_len || !grow_part(conn, wanted)) {
        return NULL;
    }
    *ret_size = ALM_MIN(wanted, conn->part_cap) - conn->part_len;
    return conn->part + conn->part_len;
}

void alm_zmtp_conn_fill(alm_zmtp_conn *conn, size_t len)
{
    ALM_ASSERT(len <= conn->part_cap - conn->part_len);
    conn->part_len += len;
}

// Moves input to the part until the part is whole (HUNGRY: it is not yet).
static alm_zmtp_event complete_part(alm_zmtp_conn *conn, alm_zmtp_input *input)
{
    for (;;) {
        size_t wanted = item_len(conn, part_of(conn));
        if (wanted == 0) {
            return broken(conn);
        }
        if (wanted == conn->part_len) {
            return ALM_ZMTP_FRAME;
        }
        if (input->at == input->len) {
            return ALM_ZMTP_HUNGRY;
        }
        if (!grow_part(conn, ALM_MIN(wanted, conn->part_len + input->len - input->at))) {
            return broken(conn);
        }
        size_t room = ALM_MIN(wanted, conn->part_cap) - conn->part_len;
        size_t len = ALM_MIN(room, input->len - input->at);
        memcpy(conn->part + conn->part_len, input->data + input->at, len);
        conn->part_len += len;
        input->at += len;
    }
}

// The next whole item, in the input or in the part. FRAME: there is one.
static alm_zmtp_event next_item(alm_zmtp_conn *conn, alm_zmtp_input *input, uint8_t **ret,
                                size_t *ret_len)
{
    forget_given(conn);
    size_t left = input->len - input->at;
    if (conn->part_len == 0 && left > 0) {
        alm_bytes start = {.data = input->data + input->at, .len = left};
        size_t wanted = item_len(conn, start);
        if (wanted == 0) {
            return broken(conn);
        }
        if (wanted <= left) {
            *ret = input->data + input->at;
            *ret_len = wanted;
            input->at += wanted;
            return ALM_ZMTP_FRAME;
        }
    }
    if (conn->part_len == 0 && left == 0) {
        return ALM_ZMTP_HUNGRY;
    }
    alm_zmtp_event event = complete_part(conn, input);
    if (event == ALM_ZMTP_FRAME) {
        conn->part_is_given = true;
        *ret = conn->part;
        *ret_len = conn->part_len;
    }
    return event;
}

alm_zmtp_event alm_zmtp_conn_next(alm_zmtp_conn *conn, alm_zmtp_input *input, alm_str *ret_frame)
{
    for (;;) {
        if (conn->state == ALM_ZMTP_ENDED) {
            return ALM_ZMTP_BROKEN;
        }
        uint8_t *item = NULL;
        size_t len = 0;
        alm_zmtp_event event = next_item(conn, input, &item, &len);
        if (event != ALM_ZMTP_FRAME) {
            return event;
        }
        event = take_item(conn, item, len, ret_frame);
        if (conn->out.failed) { // what was to be said is lost, so the peer would wait in vain
            return broken(conn);
        }
        if (event != ALM_ZMTP_HUNGRY) {
            return event;
        }
    }
}
