#include "model.h"

#include "alm/alloc.h"
#include "alm/assert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Processes: storage, then gateways, then workers.
enum {
    STORAGE,
    FIRST_GATEWAY,
    PROCESS_COUNT_MAX = FIRST_GATEWAY + SCALE_GATEWAYS_MAX + SCALE_WORKERS_MAX,
    LATENCY_COUNT_MAX = 1 << 20,
};

#define WARM_SHARE 0.2
#define NONE       UINT32_MAX

// Where a part of a question is.
typedef enum stage {
    ASKED,     // at the gateway, on the way to a worker
    WORKING,   // at the worker, before a read or at the end
    READING,   // at storage
    ANSWERING, // at the gateway, on the way to the client
} stage;

typedef struct part {
    uint32_t question;
    uint32_t worker;     // its process
    uint32_t reads_left; // of storage
    double step_us;      // of the worker, between reads
    double bytes;        // of the message that brought it where it is
    stage stage;
    bool leaves; // its handler is done: the message waits to be sent
    uint32_t next;
} part;

typedef struct question {
    double start_us;
    uint32_t parts_left;
} question;

typedef struct queue {
    uint32_t first, last; // linked by part.next
} queue;

typedef struct process {
    queue inbox; // what has come, and what is to be sent
    queue taken; // by the turn that is on
    queue ready; // for handlers
    size_t cores, cores_taken;
    bool is_turning; // a turn is on
    bool is_awake;   // the last turn left something to do
    double io_us, busy_us;
    size_t parts; // of a worker: at hand
} process;

typedef enum event_kind { ARRIVES, TURN_ENDS, HANDLER_ENDS } event_kind;

typedef struct event {
    double at_us;
    uint64_t order; // of events at one time the first that was made
    event_kind kind;
    uint32_t process;
    uint32_t part;
} event;

typedef struct model {
    const scale_costs *costs;
    const scale_setup *setup;
    double now_us, warm_us, end_us;
    uint64_t random, order;
    process processes[PROCESS_COUNT_MAX];
    event *events; // a heap
    size_t event_count, event_cap;
    part *parts;
    uint32_t free_part;
    question *questions;
    uint64_t answered;
    float *latencies;
    size_t latency_count;
    uint32_t first_worker;
    uint32_t next_worker; // of equals
} model;

const char *scale_station_name(scale_station station)
{
    static const char *const names[SCALE_STATION_COUNT] = {
        "gateways' I/O", "gateways' cores", "workers", "storage's I/O", "storage's cores"};
    return names[station];
}

// --- demands -------------------------------------------------------------------------------------

// I/O of all of a question: messages and bytes that a process receives and sends.
static double io_us(const scale_setup *setup, double messages, double bytes)
{
    return messages * setup->message_us + bytes * setup->byte_us;
}

static double gateway_io_us(const scale_costs *costs, const scale_setup *setup)
{
    return io_us(setup, 4 * costs->parts, 2 * costs->answer_bytes);
}

static double worker_io_us(const scale_costs *costs, const scale_setup *setup)
{
    return io_us(setup, 2 * costs->parts + 2 * costs->reads,
                 costs->read_bytes + costs->answer_bytes);
}

static double storage_io_us(const scale_costs *costs, const scale_setup *setup)
{
    return io_us(setup, 2 * costs->reads, costs->read_bytes);
}

// What was measured had nothing else to do, so that each message woke its receiver.
static double handler_us(double measured_us, double io, double messages_in,
                         const scale_setup *setup)
{
    return fmax(measured_us - io - messages_in * setup->wake_us, 0);
}

static double gateway_handler_us(const scale_costs *costs, const scale_setup *setup)
{
    return handler_us(costs->gateway_us, gateway_io_us(costs, setup), 2 * costs->parts, setup);
}

static double worker_handler_us(const scale_costs *costs, const scale_setup *setup)
{
    return handler_us(costs->worker_us, worker_io_us(costs, setup), costs->parts + costs->reads,
                      setup);
}

static double storage_handler_us(const scale_costs *costs, const scale_setup *setup)
{
    return handler_us(costs->storage_us, storage_io_us(costs, setup), costs->reads, setup);
}

double scale_demand_us(const scale_costs *costs, const scale_setup *setup, scale_station station)
{
    double gateways = (double)setup->gateways;
    double gateway_us = gateway_io_us(costs, setup) + gateway_handler_us(costs, setup);
    double storage_us = storage_io_us(costs, setup) + storage_handler_us(costs, setup);
    switch (station) {
    case SCALE_GATEWAY_IO:
        return gateway_io_us(costs, setup);
    case SCALE_GATEWAY_CORES:
        return gateway_us / gateways / (double)setup->gateway_cores;
    case SCALE_WORKERS:
        return (worker_io_us(costs, setup) + worker_handler_us(costs, setup)) /
               (double)setup->workers;
    case SCALE_STORAGE_IO:
        return storage_io_us(costs, setup);
    case SCALE_STORAGE_CORES:
        return storage_us / (double)setup->storage_cores;
    case SCALE_STATION_COUNT:
        break;
    }
    ALM_ASSERT(!"a station");
    return 0;
}

// --- chance --------------------------------------------------------------------------------------

// splitmix64 (Steele, Lea, Flood 2014); in (0, 1].
static double chance(model *m)
{
    uint64_t z = m->random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return (double)((z >> 11) + 1) * 0x1p-53;
}

// A handler's time: two exponential halves, whose deviation is 0.7 of the mean.
static double spread(model *m, double mean_us)
{
    return mean_us / 2 * -(log(chance(m)) + log(chance(m)));
}

// A whole number with this mean.
static uint32_t whole(model *m, double mean)
{
    double below = floor(mean);
    return (uint32_t)below + (chance(m) <= mean - below ? 1 : 0);
}

// --- events --------------------------------------------------------------------------------------

static bool is_before(const event *a, const event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

// There is room: a part is in one event at most, and a process in one more.
static void event_add(model *m, event_kind kind, double in_us, uint32_t of_process,
                      uint32_t of_part)
{
    event added = {m->now_us + in_us, m->order++, kind, of_process, of_part};
    ALM_ASSERT(m->event_count < m->event_cap);
    size_t at = m->event_count++;
    while (at > 0 && is_before(&added, &m->events[(at - 1) / 2])) {
        m->events[at] = m->events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    m->events[at] = added;
}

static event event_take(model *m)
{
    event first = m->events[0];
    event last = m->events[--m->event_count];
    size_t at = 0;
    for (size_t child = 1; child < m->event_count; child = 2 * at + 1) {
        if (child + 1 < m->event_count && is_before(&m->events[child + 1], &m->events[child])) {
            child++;
        }
        if (!is_before(&m->events[child], &last)) {
            break;
        }
        m->events[at] = m->events[child];
        at = child;
    }
    m->events[at] = last;
    return first;
}

// --- queues --------------------------------------------------------------------------------------

static void queue_add(model *m, queue *q, uint32_t index)
{
    m->parts[index].next = NONE;
    if (q->first == NONE) {
        q->first = index;
    } else {
        m->parts[q->last].next = index;
    }
    q->last = index;
}

static uint32_t queue_take(model *m, queue *q)
{
    uint32_t index = q->first;
    q->first = m->parts[index].next;
    return index;
}

// --- a process -----------------------------------------------------------------------------------

static void busy_add(model *m, double *busy_us, double took_us)
{
    if (m->now_us >= m->warm_us) {
        *busy_us += took_us;
    }
}

// A turn receives and sends. What a gateway passes on to a client leaves in the turn it came in.
static double turn_us(const model *m, const process *p)
{
    double us = p->is_awake ? 0 : m->setup->wake_us;
    for (uint32_t i = p->taken.first; i != NONE; i = m->parts[i].next) {
        const part *it = &m->parts[i];
        double times = it->stage == ANSWERING ? 2 : 1;
        us += times * io_us(m->setup, 1, it->bytes);
    }
    return us;
}

static double handler_mean_us(const model *m, const part *it)
{
    switch (it->stage) {
    case ASKED:
        return gateway_handler_us(m->costs, m->setup) / m->costs->parts;
    case WORKING:
        return it->step_us;
    case READING:
        return storage_handler_us(m->costs, m->setup) / m->costs->reads;
    case ANSWERING:
        break;
    }
    return 0;
}

// Gives out cores: to a turn first, else to handlers in order.
static void process_go_on(model *m, uint32_t index)
{
    process *p = &m->processes[index];
    if (!p->is_turning && p->inbox.first != NONE && p->cores_taken < p->cores) {
        p->taken = p->inbox;
        p->inbox.first = NONE;
        p->is_turning = true;
        p->cores_taken++;
        double took_us = turn_us(m, p);
        busy_add(m, &p->io_us, took_us);
        busy_add(m, &p->busy_us, took_us);
        event_add(m, TURN_ENDS, took_us, index, NONE);
    }
    while (p->ready.first != NONE && p->cores_taken < p->cores) {
        uint32_t next = queue_take(m, &p->ready);
        double took_us = spread(m, handler_mean_us(m, &m->parts[next]));
        p->cores_taken++;
        busy_add(m, &p->busy_us, took_us);
        event_add(m, HANDLER_ENDS, took_us, index, next);
    }
}

static void send_to(model *m, uint32_t index, uint32_t receiver, stage at, double bytes)
{
    part *it = &m->parts[index];
    it->stage = at;
    it->bytes = bytes;
    it->leaves = false;
    event_add(m, ARRIVES, m->setup->network_us, receiver, index);
}

// --- questions -----------------------------------------------------------------------------------

// Of the client that asks it.
static uint32_t gateway_of(const model *m, uint32_t of_question)
{
    return FIRST_GATEWAY + of_question % (uint32_t)m->setup->gateways;
}

static uint32_t pick_worker(model *m)
{
    uint32_t count = (uint32_t)m->setup->workers;
    uint32_t best = m->first_worker + m->next_worker++ % count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = m->first_worker + (m->next_worker + i) % count;
        if (m->processes[at].parts < m->processes[best].parts) {
            best = at;
        }
    }
    return best;
}

static void part_add(model *m, uint32_t of_question)
{
    uint32_t index = m->free_part;
    ALM_ASSERT(index != NONE);
    m->free_part = m->parts[index].next;
    double reads = m->costs->reads / m->costs->parts;
    m->parts[index] = (part){
        .question = of_question,
        .reads_left = whole(m, reads),
        .step_us = worker_handler_us(m->costs, m->setup) / m->costs->parts,
    };
    part *it = &m->parts[index];
    it->step_us /= it->reads_left + 1;
    send_to(m, index, gateway_of(m, of_question), ASKED, 0);
}

static void ask(model *m, uint32_t index)
{
    question *it = &m->questions[index];
    it->start_us = m->now_us;
    it->parts_left = whole(m, m->costs->parts);
    for (uint32_t i = 0; i < it->parts_left; i++) {
        part_add(m, index);
    }
}

static void part_done(model *m, uint32_t index)
{
    uint32_t of_question = m->parts[index].question;
    question *it = &m->questions[of_question];
    m->parts[index].next = m->free_part;
    m->free_part = index;
    if (--it->parts_left > 0) {
        return;
    }
    if (m->now_us >= m->warm_us) {
        m->answered++;
        if (m->latency_count < LATENCY_COUNT_MAX) {
            m->latencies[m->latency_count++] = (float)(m->now_us - it->start_us);
        }
    }
    ask(m, of_question);
}

// What a process has sent goes to the next one.
static void part_left(model *m, uint32_t index)
{
    part *it = &m->parts[index];
    switch (it->stage) {
    case ASKED:
        it->worker = pick_worker(m);
        m->processes[it->worker].parts++;
        send_to(m, index, it->worker, WORKING, 0);
        break;
    case WORKING:
        if (it->reads_left > 0) {
            it->reads_left--;
            send_to(m, index, STORAGE, READING, 0);
        } else {
            m->processes[it->worker].parts--;
            send_to(m, index, gateway_of(m, it->question), ANSWERING,
                    m->costs->answer_bytes / m->costs->parts);
        }
        break;
    case READING:
        send_to(m, index, it->worker, WORKING, m->costs->read_bytes / m->costs->reads);
        break;
    case ANSWERING:
        part_done(m, index);
        break;
    }
}

// What a process sends when the handler is done.
static double bytes_out(const model *m, const part *it)
{
    bool is_answer = it->stage == WORKING && it->reads_left == 0;
    if (it->stage == READING) {
        return m->costs->read_bytes / m->costs->reads;
    }
    return is_answer ? m->costs->answer_bytes / m->costs->parts : 0;
}

static void turn_ended(model *m, uint32_t index)
{
    process *p = &m->processes[index];
    while (p->taken.first != NONE) {
        uint32_t next = queue_take(m, &p->taken);
        part *it = &m->parts[next];
        if (it->leaves || it->stage == ANSWERING) {
            part_left(m, next);
        } else {
            queue_add(m, &p->ready, next);
        }
    }
    p->is_turning = false;
    p->is_awake = p->inbox.first != NONE;
    p->cores_taken--;
}

static void handler_ended(model *m, uint32_t index, uint32_t of_part)
{
    process *p = &m->processes[index];
    part *it = &m->parts[of_part];
    it->leaves = true;
    it->bytes = bytes_out(m, it);
    queue_add(m, &p->inbox, of_part);
    p->is_awake = true; // who hands it over sends it
    p->cores_taken--;
}

// --- a run ---------------------------------------------------------------------------------------

static bool model_init(model *m, const scale_costs *costs, const scale_setup *setup)
{
    size_t part_count = setup->outstanding * ((size_t)costs->parts + 1);
    ALM_ASSERT(setup->workers >= 1 && setup->workers <= SCALE_WORKERS_MAX);
    ALM_ASSERT(setup->gateways >= 1 && setup->gateways <= SCALE_GATEWAYS_MAX);
    ALM_ASSERT(setup->outstanding >= 1 && setup->outstanding <= SCALE_OUTSTANDING_MAX);
    ALM_ASSERT(costs->parts >= 1 && costs->parts <= SCALE_PARTS_MAX);
    m->costs = costs;
    m->setup = setup;
    m->random = setup->seed;
    m->first_worker = FIRST_GATEWAY + (uint32_t)setup->gateways;
    m->end_us = setup->seconds * 1e6;
    m->warm_us = m->end_us * WARM_SHARE;
    m->event_cap = part_count + PROCESS_COUNT_MAX;
    m->events = alm_calloc(m->event_cap, sizeof *m->events);
    m->parts = alm_calloc(part_count, sizeof *m->parts);
    m->questions = alm_calloc(setup->outstanding, sizeof *m->questions);
    m->latencies = alm_calloc(LATENCY_COUNT_MAX, sizeof *m->latencies);
    if (m->events == NULL || m->parts == NULL || m->questions == NULL || m->latencies == NULL) {
        return false;
    }
    for (size_t i = 0; i < part_count; i++) {
        m->parts[i].next = i + 1 < part_count ? (uint32_t)i + 1 : NONE;
    }
    for (size_t i = 0; i < PROCESS_COUNT_MAX; i++) {
        process *p = &m->processes[i];
        p->inbox.first = p->taken.first = p->ready.first = NONE;
        p->cores = i == STORAGE          ? setup->storage_cores
                   : i < m->first_worker ? setup->gateway_cores
                                         : 1;
    }
    return true;
}

static void model_run(model *m)
{
    for (uint32_t i = 0; i < m->setup->outstanding; i++) {
        ask(m, i);
    }
    while (m->events[0].at_us < m->end_us) { // each question that ends begins another
        event it = event_take(m);
        m->now_us = it.at_us;
        switch (it.kind) {
        case ARRIVES:
            queue_add(m, &m->processes[it.process].inbox, it.part);
            break;
        case TURN_ENDS:
            turn_ended(m, it.process);
            break;
        case HANDLER_ENDS:
            handler_ended(m, it.process, it.part);
            break;
        }
        process_go_on(m, it.process);
    }
}

static int latency_order(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static void model_tell(model *m, scale_result *ret)
{
    double counted_us = m->end_us - m->warm_us;
    double gateways_us = counted_us * (double)m->setup->gateways;
    const process *storage = &m->processes[STORAGE];
    *ret = (scale_result){.questions_s = (double)m->answered / counted_us * 1e6};
    for (size_t i = 0; i < m->setup->gateways; i++) {
        const process *gateway = &m->processes[FIRST_GATEWAY + i];
        ret->busy[SCALE_GATEWAY_IO] += gateway->io_us / gateways_us;
        ret->busy[SCALE_GATEWAY_CORES] += gateway->busy_us / gateways_us / (double)gateway->cores;
    }
    for (size_t i = 0; i < m->setup->workers; i++) {
        const process *worker = &m->processes[m->first_worker + i];
        ret->busy[SCALE_WORKERS] += worker->busy_us / counted_us / (double)m->setup->workers;
    }
    ret->busy[SCALE_STORAGE_IO] = storage->io_us / counted_us;
    ret->busy[SCALE_STORAGE_CORES] = storage->busy_us / counted_us / (double)storage->cores;
    if (m->latency_count > 0) {
        qsort(m->latencies, m->latency_count, sizeof *m->latencies, latency_order);
        ret->median_us = m->latencies[m->latency_count / 2];
        ret->p99_us = m->latencies[m->latency_count * 99 / 100];
    }
}

bool scale_run(const scale_costs *costs, const scale_setup *setup, scale_result *ret)
{
    model *m = alm_calloc(1, sizeof *m);
    bool has_memory = m != NULL && model_init(m, costs, setup);
    if (has_memory) {
        model_run(m);
        model_tell(m, ret);
    }
    if (m != NULL) {
        alm_free(m->events);
        alm_free(m->parts);
        alm_free(m->questions);
        alm_free(m->latencies);
        alm_free(m);
    }
    return has_memory;
}
