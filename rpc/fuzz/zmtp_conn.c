// Any bytes to one ZMTP connection of either role, plain and with CURVE, cut where the input says:
// the cuts change nothing of what comes out, views lie where they may, and memory stays bounded.
#include "zmtp_world.h"

#include "alm/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROLE         0x01u // of the first byte: set for the dialling one
#define CURVE        0x02u
#define LIMIT(first) ((first) >> 2 & 3)

#define ROOM         0x01u // of a cut: given through room and fill, if there is room
#define TRIM         0x02u // memory is given back after it
#define CUT(cut)     ((size_t)(cut) >> 2)
#define CUT_STEP     48 // longer ones grow faster

typedef struct script {
    bool has_curve;
    alm_port_role role;
    size_t frame_bytes_max;
    alm_bytes cuts; // taken in turn; none: all in one piece
    alm_bytes stream;
} script;

typedef struct outcome {
    uint64_t events, output; // sums
    bool is_broken, is_connected;
} outcome;

typedef struct run {
    const script *script;
    alm_zmtp_shared shared;
    alm_zmtp_conn conn;
    alm_reader stream;
    size_t turn;
    outcome outcome;
} run;

static void drain(run *r)
{
    alm_str pending = alm_zmtp_conn_pending(&r->conn);
    r->outcome.output = world_sum(r->outcome.output, pending);
    alm_zmtp_conn_sent(&r->conn, pending.len);
    ALM_ASSERT(alm_zmtp_conn_pending(&r->conn).len == 0);
}

static void note(run *r, alm_zmtp_event event, alm_str frame)
{
    char number = (char)event;
    r->outcome.events = world_sum(r->outcome.events, (alm_str){.data = &number, .len = 1});
    if (event == ALM_ZMTP_CONNECTED) {
        ALM_ASSERT(!r->outcome.is_connected);
        r->outcome.is_connected = true;
    } else if (event != ALM_ZMTP_BROKEN) {
        ALM_ASSERT(r->outcome.is_connected);
    }
    if (event == ALM_ZMTP_FRAME) {
        ALM_ASSERT(frame.len <= r->shared.frame_bytes_max);
        r->outcome.events = world_sum(r->outcome.events, frame);
    }
}

// Once broken, always broken.
static void check_broken(run *r)
{
    uint8_t more[2] = {0, 0};
    alm_zmtp_input input = {.data = more, .len = sizeof more};
    alm_str frame;
    size_t room_len;
    alm_zmtp_event event = alm_zmtp_conn_next(&r->conn, &input, &frame);
    ALM_ASSERT(event == ALM_ZMTP_BROKEN);
    uint8_t *room = alm_zmtp_conn_room(&r->conn, &room_len);
    ALM_ASSERT(room == NULL && room_len == 0);
    r->outcome.is_broken = true;
}

static void take(run *r, alm_zmtp_input *input)
{
    for (;;) {
        alm_str frame = {0};
        size_t at = input->at;
        alm_zmtp_event event = alm_zmtp_conn_next(&r->conn, input, &frame);
        world_check_memory(&r->conn, r->stream.at);
        ALM_ASSERT(input->at >= at && input->at <= input->len);
        if (event == ALM_ZMTP_HUNGRY) {
            ALM_ASSERT(input->at == input->len);
            return;
        }
        ALM_ASSERT(event != ALM_ZMTP_FRAME || world_lies_in(frame, input->data, input->len) ||
                   world_lies_in(frame, r->conn.part, r->conn.part_len));
        note(r, event, frame);
        if (event == ALM_ZMTP_BROKEN) {
            check_broken(r);
            return;
        }
    }
}

static void give_piece(run *r, size_t len)
{
    alm_str piece = alm_read_bytes(&r->stream, ALM_MIN(len, alm_reader_left(&r->stream)));
    uint8_t *copy = alm_alloc(piece.len); // exactly as long, so that a read past it is caught
    ALM_ASSERT(copy != NULL);
    memcpy(copy, piece.data, piece.len);
    alm_zmtp_input input = {.data = copy, .len = piece.len};
    take(r, &input);
    alm_free(copy);
}

static bool give_to_room(run *r, size_t len)
{
    size_t room_len;
    uint8_t *room = alm_zmtp_conn_room(&r->conn, &room_len);
    world_check_memory(&r->conn, r->stream.at);
    if (room == NULL) {
        return false;
    }
    ALM_ASSERT(room_len > 0);
    len = ALM_MIN(ALM_MIN(len, room_len), alm_reader_left(&r->stream));
    alm_str piece = alm_read_bytes(&r->stream, len);
    memcpy(room, piece.data, piece.len);
    alm_zmtp_conn_fill(&r->conn, piece.len);
    alm_zmtp_input none = {0};
    take(r, &none);
    return true;
}

static void step(run *r)
{
    if (r->script->cuts.len == 0) {
        give_piece(r, alm_reader_left(&r->stream));
        return;
    }
    uint8_t cut = r->script->cuts.data[r->turn++ % r->script->cuts.len];
    size_t len = CUT(cut) < CUT_STEP ? CUT(cut) + 1 : (CUT(cut) - CUT_STEP + 1) * CUT_STEP;
    if ((cut & ROOM) == 0 || !give_to_room(r, len)) {
        give_piece(r, len);
    }
    drain(r);
    if ((cut & TRIM) != 0) {
        alm_zmtp_conn_trim(&r->conn);
    }
}

// A connection that stands can send.
static void check_wrap(run *r)
{
    char text[300] = "a frame of ours";
    for (size_t len = 0; len <= sizeof text; len += 150) {
        alm_str frame = {.data = text, .len = len};
        uint8_t bytes[ALM_ZMTP_HEADER_BYTES_MAX];
        alm_zmtp_header header;
        size_t header_len = alm_zmtp_conn_wrap(&r->conn, &frame, bytes);
        alm_zmtp_parsed parsed =
            alm_zmtp_header_read((alm_bytes){.data = bytes, .len = header_len}, &header);
        ALM_ASSERT(parsed == ALM_ZMTP_WHOLE && header.body_len == frame.len);
        ALM_ASSERT(frame.len == len + (r->conn.curve != NULL ? ALM_ZMTP_SEAL_BYTES : 0));
    }
}

static outcome play(const script *s)
{
    run r = {.script = s, .stream = alm_reader_of(s->stream.data, s->stream.len)};
    world_shared(s->role, s->has_curve, s->frame_bytes_max, &r.shared);
    world_random = s->role;
    alm_code code = alm_zmtp_conn_init(&r.conn, &r.shared, s->has_curve, NULL);
    ALM_ASSERT(code == ALM_OK);
    while (alm_reader_left(&r.stream) > 0 && !r.outcome.is_broken) {
        step(&r);
    }
    drain(&r);
    if (r.outcome.is_connected && !r.outcome.is_broken) {
        check_wrap(&r);
    }
    alm_zmtp_conn_deinit(&r.conn);
    alm_zmtp_shared_deinit(&r.shared);
    return r.outcome;
}

// The first byte chooses the connection, the second says how many bytes of cuts follow.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t limits[] = {100, 0, 5000, 70000};
    if (size < 2) {
        return 0;
    }
    size_t cut_count = ALM_MIN((size_t)data[1], size - 2);
    script s = {.role = (data[0] & ROLE) != 0 ? ALM_PORT_DIALS : ALM_PORT_LISTENS,
                .has_curve = (data[0] & CURVE) != 0,
                .frame_bytes_max = limits[LIMIT(data[0])],
                .cuts = {.data = data + 2, .len = cut_count},
                .stream = {.data = data + 2 + cut_count, .len = size - 2 - cut_count}};
    outcome cut = play(&s);
    s.cuts.len = 0;
    outcome whole = play(&s);
    ALM_ASSERT(cut.events == whole.events && cut.output == whole.output);
    return 0;
}
