#include "net.h"

#include "alm/alloc.h"
#include "record.h"

#include <stdio.h>
#include <utlist.h>

typedef struct net_frame {
    struct net_frame *prev, *next;
    int64_t due_us;
    size_t len;
    uint8_t data[];
} net_frame;

typedef struct net_port net_port;

// Frames one way, by when they are due.
typedef struct net_lane {
    net_frame *frames;
    size_t count;
    int64_t last_us; // when the last is due that was not overtaken
} net_lane;

// A connection: from a dialling port to a listening one, either of which may be gone.
typedef struct net_link {
    struct net_link *prev, *next;
    uint64_t id;
    net_port *dialler, *listener;
    net_lane up, down; // to the listener, to the dialler
    bool is_cut;       // one side is gone, or the connection is
    int64_t silent_until_us;
} net_link;

struct net_port {
    alm_port base;
    net_port *prev, *next;
    sim_net *net;
    const sim_net_user *user;
    alm_port_role role;
    char name[ALM_ADDRESS_BYTES_MAX];
    size_t frame_bytes_max;
    net_link *link;   // of a dialling port; NULL: there was nobody
    net_frame *given; // what the last receive gave out
};

struct sim_net {
    sim_random random;
    const int64_t *now_us;
    sim_faults faults;
    bool trace;
    net_port *ports;
    net_link *links;
    uint64_t id_last;
    sim_net_counts counts;
};

// --- what is under way ---------------------------------------------------------------------------

static void note(const sim_net *net, const net_link *link, const char *what, const net_lane *lane,
                 const net_frame *frame)
{
    if (!net->trace) {
        return;
    }
    printf("%10lld net  link %llu %s %s", (long long)*net->now_us, (unsigned long long)link->id,
           link->listener != NULL ? link->listener->name : "-", what);
    if (frame != NULL) {
        static const char *const names[] = {"?",      "HELLO",  "REQUEST", "MESSAGE", "END",
                                            "CANCEL", "CREDIT", "PING",    "PONG",    "GOAWAY",
                                            "RESET",  "FINISH", "SERVING"};
        printf(" %s", lane == &link->up ? "up" : "down");
        alm_reader reader = alm_reader_of(frame->data, frame->len);
        alm_record record;
        alm_status st;
        while (alm_reader_left(&reader) > 0 && alm_record_next(&reader, &record, &st) == ALM_OK) {
            printf(" %s:%llx", names[record.type], (unsigned long long)record.call_id);
        }
        printf(" due %lld", (long long)frame->due_us);
    }
    printf("\n");
}

static void drop_frames(net_lane *lane)
{
    net_frame *frame, *next;
    DL_FOREACH_SAFE(lane->frames, frame, next)
    {
        alm_free(frame);
    }
    lane->frames = NULL;
    lane->count = 0;
}

static net_link *link_open(net_port *dialler, net_port *listener)
{
    net_link *link = alm_calloc(1, sizeof *link);
    if (link != NULL) {
        link->id = ++dialler->net->id_last;
        link->dialler = dialler;
        link->listener = listener;
        DL_APPEND(dialler->net->links, link);
        note(dialler->net, link, "opens", NULL, NULL);
    }
    return link;
}

// Frees it when both sides have seen its end.
static void link_drop(sim_net *net, net_link *link)
{
    if (link->dialler == NULL && link->listener == NULL) {
        DL_DELETE(net->links, link);
        drop_frames(&link->up);
        drop_frames(&link->down);
        alm_free(link);
    }
}

static void link_cut(sim_net *net, net_link *link, const char *why)
{
    note(net, link, why, NULL, NULL);
    link->is_cut = true;
    drop_frames(&link->up);
    drop_frames(&link->down);
}

static void insert(net_lane *lane, net_frame *frame)
{
    net_frame *after = lane->frames != NULL ? lane->frames->prev : NULL; // the last
    while (after != NULL && after->due_us > frame->due_us) {
        after = after == lane->frames ? NULL : after->prev;
    }
    if (after == NULL) {
        DL_PREPEND(lane->frames, frame);
    } else {
        DL_APPEND_ELEM(lane->frames, after, frame);
    }
    lane->count++;
}

static net_frame *take_due(const sim_net *net, net_lane *lane)
{
    net_frame *frame = lane->frames;
    if (frame == NULL || frame->due_us > *net->now_us) {
        return NULL;
    }
    DL_DELETE(lane->frames, frame);
    lane->count--;
    return frame;
}

static bool is_due(const sim_net *net, const net_lane *lane)
{
    return lane->frames != NULL && lane->frames->due_us <= *net->now_us;
}

// --- faults --------------------------------------------------------------------------------------

// One that must not be repeated or overtaken: see sim_faults.
static bool holds_request(alm_str data, bool only_endless)
{
    alm_reader reader = alm_reader_of(data.data, data.len);
    alm_record record;
    alm_status st;
    while (alm_reader_left(&reader) > 0 && alm_record_next(&reader, &record, &st) == ALM_OK) {
        if (record.type == ALM_RECORD_REQUEST &&
            (!only_endless || record.time_ms == ALM_RECORD_TIME_NONE)) {
            return true;
        }
    }
    return false;
}

static net_frame *frame_of(alm_str data, int64_t due_us)
{
    net_frame *frame = alm_alloc(sizeof *frame + data.len);
    if (frame != NULL) {
        *frame = (net_frame){.due_us = due_us, .len = data.len};
        memcpy(frame->data, data.data, data.len);
    }
    return frame;
}

// True: the frame does not arrive.
static bool is_lost(sim_net *net, net_link *link)
{
    const sim_faults *faults = &net->faults;
    if (sim_random_chance(&net->random, faults->cut)) {
        net->counts.cut++;
        link_cut(net, link, "is cut");
        return true;
    }
    if (sim_random_chance(&net->random, faults->silence)) {
        net->counts.silenced++;
        link->silent_until_us =
            *net->now_us + sim_random_between(&net->random, 0, faults->silence_us_max);
        note(net, link, "falls silent", NULL, NULL);
    }
    return *net->now_us < link->silent_until_us || sim_random_chance(&net->random, faults->drop);
}

static int64_t delay(sim_net *net, net_lane *lane, alm_str data)
{
    const sim_faults *faults = &net->faults;
    int64_t due_us = ALM_MAX(*net->now_us + faults->latency_us, lane->last_us);
    bool is_faulty = *net->now_us < faults->until_us;
    if (is_faulty && sim_random_chance(&net->random, faults->overtake) &&
        !holds_request(data, true)) {
        net->counts.overtaken++;
        return due_us + sim_random_between(&net->random, 1, faults->delay_us_max);
    }
    if (is_faulty && sim_random_chance(&net->random, faults->delay)) {
        net->counts.delayed++;
        int64_t most_us = *net->now_us + faults->latency_us + 2 * faults->delay_us_max;
        due_us += sim_random_between(&net->random, 1, faults->delay_us_max);
        due_us = ALM_MAX(ALM_MIN(due_us, most_us), lane->last_us); // so that calm comes in time
    }
    lane->last_us = due_us;
    return due_us;
}

static alm_sent put(sim_net *net, net_link *link, net_lane *lane, alm_str data)
{
    bool is_faulty = *net->now_us < net->faults.until_us;
    net->counts.frames++;
    if (is_faulty && is_lost(net, link)) {
        net->counts.dropped++;
        note(net, link, "loses a frame", NULL, NULL);
        return ALM_SENT_OK;
    }
    net_frame *frame = frame_of(data, delay(net, lane, data));
    if (frame == NULL) {
        return ALM_SENT_FULL;
    }
    insert(lane, frame);
    note(net, link, "takes", lane, frame);
    if (is_faulty && sim_random_chance(&net->random, net->faults.duplicate) &&
        !holds_request(data, false)) {
        net_frame *again = frame_of(
            data, frame->due_us + sim_random_between(&net->random, 0, net->faults.delay_us_max));
        if (again != NULL) {
            net->counts.duplicated++;
            insert(lane, again);
            note(net, link, "repeats", lane, again);
        }
    }
    return ALM_SENT_OK;
}

// --- the port ------------------------------------------------------------------------------------

static net_port *self_of(alm_port *port)
{
    return (net_port *)port;
}

static net_port *find_listener(sim_net *net, const char *address)
{
    net_port *port;
    DL_FOREACH(net->ports, port)
    {
        if (port->role == ALM_PORT_LISTENS && strcmp(port->name, address) == 0) {
            return port;
        }
    }
    return NULL;
}

static alm_code port_bind(alm_port *port, const char *address, char ret[ALM_ADDRESS_BYTES_MAX],
                          alm_status *st)
{
    net_port *self = self_of(port);
    if (find_listener(self->net, address) != NULL) {
        return alm_status_set(st, ALM_ALREADY_EXISTS, "%s: the address is in use", address);
    }
    snprintf(self->name, sizeof self->name, "%s", address);
    snprintf(ret, ALM_ADDRESS_BYTES_MAX, "%s", address);
    return ALM_OK;
}

static alm_code port_connect(alm_port *port, const char *address, alm_status *st)
{
    (void)st;
    net_port *self = self_of(port);
    net_port *listener = find_listener(self->net, address);
    self->link = listener != NULL ? link_open(self, listener) : NULL;
    return ALM_OK;
}

// Nothing to poll: who turns the alm_rpcs asks the net.
static int port_fd(alm_port *port)
{
    (void)port;
    return -1;
}

static bool has_input(const net_port *self, const net_link *link)
{
    if (self->role == ALM_PORT_DIALS) {
        return is_due(self->net, &link->down);
    }
    return is_due(self->net, &link->up) || (link->is_cut && link->up.frames == NULL);
}

static unsigned port_events(alm_port *port)
{
    net_port *self = self_of(port);
    const net_link *link = self->link;
    if (self->role == ALM_PORT_DIALS) {
        if (link == NULL || (link->is_cut && link->down.frames == NULL)) {
            return ALM_PORT_LOST;
        }
        return ALM_PORT_CONNECTED | (has_input(self, link) ? ALM_PORT_INPUT : 0);
    }
    DL_FOREACH(self->net->links, link)
    {
        if (link->listener == self && has_input(self, link)) {
            return ALM_PORT_INPUT;
        }
    }
    return 0;
}

static alm_peer_key key_of(uint64_t id)
{
    alm_peer_key key = {.len = sizeof id};
    memcpy(key.bytes, &id, sizeof id);
    return key;
}

static net_link *find_link(const net_port *listener, const alm_peer_key *key)
{
    net_link *link;
    DL_FOREACH(listener->net->links, link)
    {
        alm_peer_key its = key_of(link->id);
        if (link->listener == listener && memcmp(&its, key, sizeof its) == 0) {
            return link;
        }
    }
    return NULL;
}

static alm_sent port_send(alm_port *port, const alm_peer_key *to, alm_str data)
{
    net_port *self = self_of(port);
    bool is_up = self->role == ALM_PORT_DIALS;
    net_link *link = is_up ? self->link : find_link(self, to);
    if (link == NULL || link->is_cut) {
        return ALM_SENT_GONE;
    }
    const net_port *peer = is_up ? link->listener : link->dialler;
    if (data.len > peer->frame_bytes_max) {
        link_cut(self->net, link, "gets a frame that is too large");
        return ALM_SENT_GONE;
    }
    net_lane *lane = is_up ? &link->up : &link->down;
    if (lane->count >= self->net->faults.queue_count_max) {
        self->net->counts.full++;
        return ALM_SENT_FULL;
    }
    return put(self->net, link, lane, data);
}

static alm_received give(net_port *self, net_frame *frame, uint64_t id, alm_incoming *ret)
{
    alm_free(self->given);
    self->given = frame;
    *ret = (alm_incoming){
        .from = key_of(id),
        .frame = {.data = (const char *)frame->data, .len = frame->len},
    };
    return ALM_RECEIVED_FRAME;
}

static alm_received receive_from(net_port *self, net_link *link, alm_incoming *ret)
{
    net_frame *frame = take_due(self->net, &link->up);
    if (frame != NULL) {
        note(self->net, link, "gives", &link->up, frame);
        DL_DELETE(self->net->links, link); // the others come first now
        DL_APPEND(self->net->links, link);
        return give(self, frame, link->id, ret);
    }
    *ret = (alm_incoming){.from = key_of(link->id)};
    link->listener = NULL;
    link_drop(self->net, link);
    return ALM_RECEIVED_GONE;
}

static alm_received port_receive(alm_port *port, alm_incoming *ret)
{
    net_port *self = self_of(port);
    net_link *link = self->link;
    if (self->role == ALM_PORT_DIALS) {
        net_frame *frame = link != NULL ? take_due(self->net, &link->down) : NULL;
        if (frame != NULL) {
            note(self->net, link, "gives", &link->down, frame);
        }
        return frame != NULL ? give(self, frame, link->id, ret) : ALM_RECEIVED_NOTHING;
    }
    DL_FOREACH(self->net->links, link)
    {
        if (link->listener == self && has_input(self, link)) {
            return receive_from(self, link, ret);
        }
    }
    return ALM_RECEIVED_NOTHING;
}

// What it sent still arrives.
static void leave(net_port *self, net_link *link)
{
    net_lane *its = self->role == ALM_PORT_DIALS ? &link->down : &link->up;
    note(self->net, link, self->role == ALM_PORT_DIALS ? "is hung up" : "loses its server", NULL,
         NULL);
    drop_frames(its);
    link->is_cut = true;
    if (link->dialler == self) {
        link->dialler = NULL;
    } else {
        link->listener = NULL;
    }
    link_drop(self->net, link);
}

static void port_close(alm_port *port, int linger_ms)
{
    (void)linger_ms;
    net_port *self = self_of(port);
    net_link *link, *next;
    DL_FOREACH_SAFE(self->net->links, link, next)
    {
        if (link->dialler == self || link->listener == self) {
            leave(self, link);
        }
    }
    DL_DELETE(self->net->ports, self);
    alm_free(self->given);
    alm_free(self);
}

static const alm_port_ops net_ops = {
    .bind = port_bind,
    .connect = port_connect,
    .fd = port_fd,
    .events = port_events,
    .send = port_send,
    .receive = port_receive,
    .close = port_close,
};

alm_code sim_net_open(void *arg, const alm_port_opts *opts, alm_port **ret, alm_status *st)
{
    const sim_net_user *user = arg;
    net_port *self = alm_calloc(1, sizeof *self);
    if (self == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a port");
    }
    self->base.ops = &net_ops;
    self->net = user->net;
    self->user = user;
    self->role = opts->role;
    self->frame_bytes_max = opts->frame_bytes_max;
    DL_APPEND(user->net->ports, self);
    *ret = &self->base;
    return ALM_OK;
}

// --- the net -------------------------------------------------------------------------------------

sim_net *sim_net_create(uint64_t seed, const int64_t *now_us, const sim_faults *faults, bool trace)
{
    sim_net *net = alm_calloc(1, sizeof *net);
    if (net != NULL) {
        net->random.state = seed;
        net->now_us = now_us;
        net->faults = *faults;
        net->trace = trace;
    }
    return net;
}

void sim_net_destroy(sim_net **net)
{
    if (*net != NULL) {
        ALM_ASSERT((*net)->ports == NULL);
        ALM_ASSERT((*net)->links == NULL);
        alm_free(*net);
        *net = NULL;
    }
}

// Of one end of the link. port NULL: it is gone.
static int64_t end_due_us(const sim_net_user *user, const net_link *link, const net_port *port,
                          const net_lane *lane)
{
    if (port == NULL || port->user != user) {
        return INT64_MAX;
    }
    if (lane->frames != NULL) {
        return lane->frames->due_us;
    }
    return link->is_cut ? *user->net->now_us : INT64_MAX; // it is to see the end
}

int64_t sim_net_due_us(const sim_net_user *user)
{
    int64_t due_us = INT64_MAX;
    const net_link *link;
    DL_FOREACH(user->net->links, link)
    {
        int64_t up_us = end_due_us(user, link, link->listener, &link->up);
        int64_t down_us = end_due_us(user, link, link->dialler, &link->down);
        due_us = ALM_MIN(due_us, ALM_MIN(up_us, down_us));
    }
    return due_us;
}

void sim_net_kill(sim_net *net, const char *address)
{
    net_link *link;
    DL_FOREACH(net->links, link)
    {
        if (link->listener != NULL && strcmp(link->listener->name, address) == 0) {
            link_cut(net, link, "loses a server that died");
        }
    }
}

const sim_net_counts *sim_net_count(const sim_net *net)
{
    return &net->counts;
}
