// The service. What its answers are can be told from the question, so that a caller knows.
#include "sim.h"

#include "alm/alloc.h"

#include <utlist.h>

// A call that is open: answered later, or message by message.
struct sim_job {
    sim_job *prev, *next; // node->jobs
    sim_node *node;
    alm_call *call;
    sim_kind kind;
    uint64_t count, next_number, sum;
    bool has_number;   // CHAT: next_number waits to be sent
    bool must_be_done; // nobody else ends it when its server stops
    sim_event event;
};

typedef Almanac__Test__SayRequest say_request;
typedef Almanac__Test__SayResponse say_response;
typedef Almanac__Test__CountRequest count_request;
typedef Almanac__Test__CountResponse count_response;

sim_call *sim_call_of(sim *s, uint64_t number)
{
    ALM_ASSERT(number < s->call_count);
    return &s->calls[number];
}

static alm_code answer(alm_call *call, uint64_t number, const char *text, alm_status *st)
{
    say_response response;
    almanac__test__say_response__init(&response);
    response.number = number;
    response.text = (char *)(uintptr_t)text;
    return alm_call_send(call, &response.base, st);
}

// --- later ---------------------------------------------------------------------------------------

static sim_job *job_create(sim_node *node, alm_call *call, sim_kind kind)
{
    sim_job *job = alm_calloc(1, sizeof *job);
    ALM_ASSERT(job != NULL);
    job->node = node;
    job->call = call;
    job->kind = kind;
    DL_APPEND(node->jobs, job);
    return job;
}

static void job_end(sim_job *job, const alm_status *st)
{
    sim_clear(job->node->s, &job->event);
    DL_DELETE(job->node->jobs, job);
    alm_call_end(job->call, st);
    alm_free(job);
}

static void random_failure(sim *s, alm_status *st)
{
    static const alm_code codes[] = {ALM_NOT_FOUND, ALM_UNAVAILABLE, ALM_ABORTED, ALM_INTERNAL,
                                     ALM_RESOURCE_EXHAUSTED};
    alm_status_set(st, codes[sim_random_below(&s->random, ALM_ARRAY_LEN(codes))], "on purpose");
}

static bool fails(sim *s)
{
    return s->now_us < s->calm_us && sim_random_chance(&s->random, s->fail_per_mille);
}

static void end_late(sim *s, void *arg)
{
    alm_status st = ALM_STATUS_INIT;
    if (fails(s)) {
        random_failure(s, &st);
    }
    job_end(arg, &st);
}

// Its answer is given already. Ends it now or later.
static alm_code end_some_time(sim_node *node, alm_call *call, sim_kind kind, alm_status *st)
{
    sim *s = node->s;
    if (!sim_random_chance(&s->random, s->late_per_mille)) {
        if (fails(s)) {
            random_failure(s, st);
            return st->code;
        }
        return ALM_OK;
    }
    ALM_TRY(alm_call_defer(call, NULL, NULL, st));
    sim_job *job = job_create(node, call, kind);
    job->must_be_done = true;
    sim_at(s, &job->event, s->now_us + sim_random_between(&s->random, 0, s->late_us_max), end_late,
           job);
    return ALM_OK;
}

static alm_code say(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    const say_request *asked = (const say_request *)request;
    uint64_t number = asked->number;
    for (size_t i = 0; i < asked->blob.len; i++) {
        number = number * 31 + asked->blob.data[i];
    }
    ALM_TRY(answer(call, number, asked->text, st));
    return end_some_time(self, call, SIM_SAY, st);
}

static void apply(sim_node *node, alm_call *call, uint64_t number)
{
    sim_call *asked = sim_call_of(node->s, number);
    const char *key = alm_call_idempotency_key(call);
    bool is_known = asked->key[0] != '\0' && asked->applied > 0;
    if (strcmp(key, asked->key) != 0) {
        sim_fail(node->s, "call %u came with key '%s' instead of '%s'", asked->index, key,
                 asked->key);
    }
    asked->applied += is_known ? 0 : 1;
    sim_trace(node->s, "%s applies call %u%s", node->address, asked->index,
              is_known ? ", which it knows" : "");
    if (asked->applied > 1) {
        sim_fail(node->s, "call %u, not to be repeated, was applied twice", asked->index);
    }
}

static alm_code write_once(void *self, alm_call *call, const ProtobufCMessage *request,
                           alm_status *st)
{
    const say_request *asked = (const say_request *)request;
    apply(self, call, asked->number);
    ALM_TRY(answer(call, asked->number * 7, asked->text, st));
    return end_some_time(self, call, SIM_ONCE, st);
}

// --- streams -------------------------------------------------------------------------------------

static void pump(sim_job *job);

static void go_on(sim *s, void *arg)
{
    (void)s;
    pump(arg);
}

static void on_room(void *arg, alm_call *call)
{
    sim_job *job = arg;
    ALM_ASSERT(job->call == call);
    if (!job->event.is_set) {
        pump(job);
        return;
    }
    alm_status st = ALM_STATUS_INIT; // it pauses; news is only that it was stopped
    if (alm_call_check(call, &st) != ALM_OK) {
        job_end(job, &st);
    }
}

// True: the job rests for a while.
static bool pauses(sim_job *job)
{
    sim *s = job->node->s;
    if (!sim_random_chance(&s->random, s->late_per_mille / 8)) {
        return false;
    }
    sim_at(s, &job->event, s->now_us + sim_random_between(&s->random, 0, s->late_us_max), go_on,
           job);
    return true;
}

static alm_code send_number(const sim_job *job, uint64_t number, bool *ret_sent, alm_status *st)
{
    static uint8_t padding[2000];
    count_response message;
    almanac__test__count_response__init(&message);
    message.number = number;
    message.padding = (ProtobufCBinaryData){.data = padding, .len = (number * 37) % sizeof padding};
    return alm_call_try_send(job->call, &message.base, ret_sent, st);
}

// Each of these returns true when the call is over, *st says how.
static bool pump_count(sim_job *job, alm_status *st)
{
    bool is_sent = true;
    while (job->next_number < job->count && is_sent) {
        if (fails(job->node->s)) {
            random_failure(job->node->s, st);
            return true;
        }
        if (send_number(job, job->next_number, &is_sent, st) != ALM_OK) {
            return true;
        }
        job->next_number += is_sent ? 1 : 0;
        if (is_sent && pauses(job)) {
            return false;
        }
    }
    return job->next_number == job->count;
}

// *ret_over: the client has finished, or the call has failed.
static bool read_number(const sim_job *job, uint64_t *ret, bool *ret_over, alm_status *st)
{
    ProtobufCMessage *message = NULL;
    bool waits = false;
    alm_code code = alm_call_try_next(job->call, alm_call_arena(job->call), &message, &waits, st);
    *ret_over = code != ALM_OK || (message == NULL && !waits);
    if (message != NULL) {
        *ret = ((const count_response *)message)->number;
    }
    return message != NULL;
}

static bool pump_sum(sim_job *job, alm_status *st)
{
    uint64_t number;
    bool is_over = false;
    while (read_number(job, &number, &is_over, st)) {
        job->sum += number;
        job->count++;
        if (pauses(job)) {
            return false;
        }
    }
    if (is_over && st->code == ALM_OK) {
        (void)answer(job->call, job->sum, "sum", st);
    }
    return is_over;
}

static bool pump_chat(sim_job *job, alm_status *st)
{
    bool is_over = false, is_sent = true;
    while (job->has_number || read_number(job, &job->next_number, &is_over, st)) {
        job->has_number = true;
        if (send_number(job, job->next_number * 2, &is_sent, st) != ALM_OK) {
            return true;
        }
        if (!is_sent) {
            return false;
        }
        job->has_number = false;
        if (pauses(job)) {
            return false;
        }
    }
    return is_over;
}

static void pump(sim_job *job)
{
    alm_status st = ALM_STATUS_INIT;
    bool is_over = job->kind == SIM_COUNT ? pump_count(job, &st)
                   : job->kind == SIM_SUM ? pump_sum(job, &st)
                                          : pump_chat(job, &st);
    if (is_over) {
        job_end(job, &st);
    }
}

static alm_code stream(sim_node *node, alm_call *call, sim_kind kind, uint64_t count,
                       alm_status *st)
{
    static const alm_call_events events = {.on_room = on_room};
    sim_job *job = job_create(node, call, kind);
    job->count = count;
    return alm_call_defer(call, &events, job, st);
}

static alm_code count(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    return stream(self, call, SIM_COUNT, ((const count_request *)request)->count, st);
}

static alm_code sum(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)request;
    return stream(self, call, SIM_SUM, 0, st);
}

static alm_code chat(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)request;
    return stream(self, call, SIM_CHAT, 0, st);
}

// --- the node ------------------------------------------------------------------------------------

void sim_worker_start(sim_node *node)
{
    static const struct {
        const char *method;
        alm_handler handler;
    } table[] = {{"Say", say},     {"Once", write_once}, {"Keyed", write_once},
                 {"Count", count}, {"Sum", sum},         {"Chat", chat}};
    alm_handler handlers[32] = {0};
    alm_status st = ALM_STATUS_INIT;
    for (size_t i = 0; i < ALM_ARRAY_LEN(table); i++) {
        handlers[sim_method(table[i].method)] = table[i].handler;
    }
    sim_node_open(node);
    const alm_server_opts opts = {.name = "worker"};
    if (alm_server_create(node->rpc, &opts, &node->server, &st) != ALM_OK ||
        alm_server_add(node->server, &echo_service, handlers, node, &st) != ALM_OK ||
        alm_server_bind(node->server, node->address, &st) != ALM_OK) {
        sim_fail(node->s, "%s does not start: %s", node->address, st.message);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(table); i++) {
        alm_server_run_inline(node->server, &echo_service, table[i].method);
    }
    if (alm_server_start(node->server, &st) != ALM_OK) {
        sim_fail(node->s, "%s does not start: %s", node->address, st.message);
    }
    sim_trace(node->s, "%s starts", node->address);
}

void sim_worker_stop(sim_node *node, bool dies)
{
    sim_trace(node->s, "%s %s", node->address, dies ? "dies" : "stops");
    if (dies) {
        sim_net_kill(node->s->net, node->address);
    }
    sim_job *job, *next;
    DL_FOREACH_SAFE(node->jobs, job, next)
    {
        if (job->must_be_done) {
            alm_status st = ALM_STATUS_INIT;
            job_end(job, &st);
        }
    }
    alm_server_destroy(&node->server);
    if (node->jobs != NULL) {
        sim_fail(node->s, "%s has stopped and a call of it is still open", node->address);
    }
    sim_node_close(node);
}
