// Two ZMTP connections that talk, and somebody on the wire between them. Unharmed, everything
// arrives. With CURVE nothing arrives that was not sent, and nothing twice or out of its order,
// whatever is done to the bytes.
#include "zmtp_world.h"

#include "alm/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAME_BYTES_MAX 4096
#define WIRE_BYTES_MAX  ((size_t)64 << 10)
#define TOLD_COUNT_MAX  64
#define NUMBER_BYTES    2 // a frame begins with its place among those told

typedef enum operation {
    CARRY_ALL,
    CARRY_PIECE,
    CARRY_TO_ROOM,
    SEND,    // a frame, as a port does
    SAY,     // anything, with CURVE in a good seal: a peer with a key and without manners
    TAMPER,  // change a byte on the wire,
    CUT_OUT, // take some off it,
    REPEAT,  // or say some twice
    OPERATION_COUNT,
} operation;

typedef struct side {
    alm_zmtp_shared shared;
    alm_zmtp_conn conn;
    alm_buf wire; // to the peer
    size_t came;
    uint64_t told[TOLD_COUNT_MAX]; // sums of the frames sent
    uint32_t told_count;
    uint32_t heard_next; // the number the next frame must have, or a higher one
    bool is_touched;     // what it gets is no longer what was sent
    bool is_connected, is_broken;
} side;

typedef struct pair {
    side sides[2]; // by role
    alm_reader input;
    bool has_curve;
} pair;

static side *peer_of(pair *p, const side *s)
{
    return s == &p->sides[0] ? &p->sides[1] : &p->sides[0];
}

// --- what is heard -------------------------------------------------------------------------------

static void hear_frame(pair *p, side *s, alm_str frame)
{
    ALM_ASSERT(s->is_connected && frame.len <= FRAME_BYTES_MAX);
    const side *peer = peer_of(p, s);
    if (!p->has_curve && s->is_touched) {
        return;
    }
    ALM_ASSERT(frame.len >= NUMBER_BYTES);
    alm_reader r = alm_reader_of(frame.data, frame.len);
    uint32_t number = alm_read_u16(&r);
    ALM_ASSERT(number < peer->told_count);
    ALM_ASSERT(s->is_touched ? number >= s->heard_next : number == s->heard_next);
    ALM_ASSERT(world_sum(0, frame) == peer->told[number]);
    s->heard_next = number + 1;
}

static void note(pair *p, side *s, alm_zmtp_event event, alm_str frame)
{
    switch (event) {
    case ALM_ZMTP_CONNECTED:
        ALM_ASSERT(!s->is_connected);
        s->is_connected = true;
        if (p->has_curve && s == &p->sides[ALM_PORT_LISTENS]) {
            alm_str user = alm_zmtp_curve_user(s->conn.curve);
            ALM_ASSERT(alm_str_eq(user, ALM_STR(WORLD_USER)));
        }
        break;
    case ALM_ZMTP_FRAME:
        hear_frame(p, s, frame);
        break;
    case ALM_ZMTP_JUNK:
        ALM_ASSERT(s->is_connected && s->is_touched);
        break;
    case ALM_ZMTP_BROKEN:
        ALM_ASSERT(s->is_touched || peer_of(p, s)->is_touched);
        s->is_broken = true;
        break;
    case ALM_ZMTP_HUNGRY:
        break;
    }
}

static void take(pair *p, side *s, alm_zmtp_input *input)
{
    alm_zmtp_event event;
    do {
        alm_str frame = {0};
        event = alm_zmtp_conn_next(&s->conn, input, &frame);
        world_check_memory(&s->conn, s->came);
        note(p, s, event, frame);
    } while (event != ALM_ZMTP_HUNGRY && event != ALM_ZMTP_BROKEN);
    ALM_ASSERT(event == ALM_ZMTP_BROKEN || input->at == input->len);
}

// --- the wire ------------------------------------------------------------------------------------

static void put_on_wire(side *s)
{
    alm_str pending = alm_zmtp_conn_pending(&s->conn);
    alm_buf_str(&s->wire, pending);
    ALM_ASSERT(!s->wire.failed);
    alm_zmtp_conn_sent(&s->conn, pending.len);
}

static void drop_from_wire(side *s, size_t at, size_t len)
{
    memmove(s->wire.data + at, s->wire.data + at + len, s->wire.len - at - len);
    s->wire.len -= len;
}

static size_t carry_to_room(pair *p, side *to, alm_bytes bytes)
{
    size_t room_len;
    uint8_t *room = alm_zmtp_conn_room(&to->conn, &room_len);
    if (room == NULL) {
        return 0;
    }
    size_t len = ALM_MIN(room_len, bytes.len);
    memcpy(room, bytes.data, len);
    to->came += len;
    alm_zmtp_conn_fill(&to->conn, len);
    alm_zmtp_input none = {0};
    take(p, to, &none);
    return len;
}

static size_t carry_piece(pair *p, side *to, alm_bytes bytes)
{
    uint8_t *copy = alm_alloc(bytes.len);
    ALM_ASSERT(copy != NULL);
    memcpy(copy, bytes.data, bytes.len);
    to->came += bytes.len;
    alm_zmtp_input input = {.data = copy, .len = bytes.len};
    take(p, to, &input);
    alm_free(copy);
    return bytes.len;
}

static void carry(pair *p, side *from, size_t len, bool is_to_room)
{
    side *to = peer_of(p, from);
    put_on_wire(from);
    len = ALM_MIN(len, from->wire.len);
    if (len == 0 || to->is_broken) {
        alm_buf_reset(&from->wire);
        return;
    }
    alm_bytes bytes = {.data = from->wire.data, .len = len};
    size_t taken = is_to_room ? carry_to_room(p, to, bytes) : 0;
    if (taken == 0 && !to->is_broken) {
        taken = carry_piece(p, to, bytes);
    }
    drop_from_wire(from, 0, taken);
}

static void tamper(pair *p, side *from, operation what)
{
    put_on_wire(from);
    size_t at = alm_read_u16(&p->input);
    uint8_t change = alm_read_u8(&p->input);
    if (from->wire.len == 0 || change == 0) {
        return;
    }
    at %= from->wire.len;
    size_t len = ALM_MIN((size_t)change, from->wire.len - at);
    peer_of(p, from)->is_touched = true;
    if (what == TAMPER) {
        from->wire.data[at] ^= change;
    } else if (what == CUT_OUT) {
        drop_from_wire(from, at, len);
    } else if (from->wire.len + len <= WIRE_BYTES_MAX &&
               alm_buf_reserve(&from->wire, len) != NULL) {
        memmove(from->wire.data + at + len, from->wire.data + at, from->wire.len - at);
        from->wire.len += len;
    }
}

// --- what is sent --------------------------------------------------------------------------------

static void put_number(side *s, uint8_t *ret)
{
    ret[0] = (uint8_t)s->told_count;
    ret[1] = (uint8_t)(s->told_count >> 8);
}

static bool may_send(const side *s)
{
    return s->is_connected && !s->is_broken && s->told_count < TOLD_COUNT_MAX &&
           s->wire.len < WIRE_BYTES_MAX;
}

static void send_frame(pair *p, side *s)
{
    uint8_t text[FRAME_BYTES_MAX];
    size_t len = NUMBER_BYTES + alm_read_u16(&p->input) % (FRAME_BYTES_MAX - NUMBER_BYTES + 1);
    if (!may_send(s)) {
        return;
    }
    memset(text, (int)len, len);
    put_number(s, text);
    alm_str frame = {.data = (const char *)text, .len = len};
    s->told[s->told_count++] = world_sum(0, frame);
    uint8_t header[ALM_ZMTP_HEADER_BYTES_MAX];
    size_t header_len = alm_zmtp_conn_wrap(&s->conn, &frame, header);
    ALM_ASSERT(header_len > 0);
    bool is_kept = alm_zmtp_conn_queue(&s->conn, header, header_len) &&
                   alm_zmtp_conn_queue(&s->conn, frame.data, frame.len);
    ALM_ASSERT(is_kept);
}

// A frame with these flags, whose body the input has. One without flags is numbered as the rest.
static void seal(side *s, uint8_t flags, alm_str body)
{
    uint8_t plain[NUMBER_BYTES + UINT8_MAX], sealed[sizeof plain + ALM_ZMTP_SEAL_BYTES];
    size_t number_len = flags == 0 ? NUMBER_BYTES : 0;
    put_number(s, plain);
    if (body.len > 0) {
        memcpy(plain + number_len, body.data, body.len);
    }
    alm_str frame = {.data = (const char *)plain, .len = number_len + body.len};
    if (flags == 0) {
        s->told[s->told_count++] = world_sum(0, frame);
    }
    alm_zmtp_curve_seal(s->conn.curve, flags, frame, sealed);
    uint8_t header[ALM_ZMTP_HEADER_BYTES_MAX];
    size_t len = frame.len + ALM_ZMTP_SEAL_BYTES;
    alm_buf_append(&s->wire, header, alm_zmtp_header_write(0, len, header));
    alm_buf_append(&s->wire, sealed, len);
}

static void say(pair *p, side *s)
{
    uint8_t flags = alm_read_u8(&p->input);
    size_t len = ALM_MIN((size_t)alm_read_u8(&p->input), alm_reader_left(&p->input));
    alm_str body = alm_read_bytes(&p->input, len);
    put_on_wire(s);
    if (!p->has_curve && s->wire.len < WIRE_BYTES_MAX) {
        alm_buf_str(&s->wire, body);
        peer_of(p, s)->is_touched = true;
    } else if (p->has_curve && may_send(s)) {
        seal(s, flags, body);
        peer_of(p, s)->is_touched = true;
    }
}

// --- the whole -----------------------------------------------------------------------------------

static void operate(pair *p)
{
    uint8_t byte = alm_read_u8(&p->input);
    side *from = &p->sides[byte >> 7];
    operation what = (operation)(byte % OPERATION_COUNT);
    switch (what) {
    case CARRY_ALL:
        carry(p, from, SIZE_MAX, false);
        break;
    case CARRY_PIECE:
    case CARRY_TO_ROOM:
        carry(p, from, (size_t)alm_read_u8(&p->input) + 1, what == CARRY_TO_ROOM);
        break;
    case SEND:
        send_frame(p, from);
        break;
    case SAY:
        say(p, from);
        break;
    default:
        tamper(p, from, what);
    }
    if ((byte & 0x40) != 0) {
        alm_zmtp_conn_trim(&from->conn);
    }
}

// Everything still on its way comes, and who was not meddled with has missed nothing.
static void finish(pair *p)
{
    for (int turn = 0; turn < 8; turn++) {
        carry(p, &p->sides[turn % 2], SIZE_MAX, false);
    }
    for (size_t i = 0; i < 2; i++) {
        const side *s = &p->sides[i], *peer = peer_of(p, s);
        if (!s->is_touched && !peer->is_touched) {
            ALM_ASSERT(s->is_connected && s->heard_next == peer->told_count);
        }
    }
}

// The first byte says whether there is CURVE, the rest what is done.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    pair p = {.has_curve = (data[0] & 1) != 0, .input = alm_reader_of(data + 1, size - 1)};
    for (size_t i = 0; i < 2; i++) {
        side *s = &p.sides[i];
        world_shared((alm_port_role)i, p.has_curve, FRAME_BYTES_MAX, &s->shared);
        world_random = i;
        alm_code code = alm_zmtp_conn_init(&s->conn, &s->shared, p.has_curve, NULL);
        ALM_ASSERT(code == ALM_OK);
        alm_buf_init(&s->wire, 0);
    }
    while (alm_reader_left(&p.input) > 0) {
        operate(&p);
    }
    finish(&p);
    for (size_t i = 0; i < 2; i++) {
        alm_buf_deinit(&p.sides[i].wire);
        alm_zmtp_conn_deinit(&p.sides[i].conn);
        alm_zmtp_shared_deinit(&p.sides[i].shared);
    }
    return 0;
}
