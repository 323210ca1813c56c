#include "sim.h"

#include "alm/alloc.h"
#include "server_internal.h"

#include <stdio.h>
#include <unistd.h>

#define TURNS_NOW_MAX 20000             // without time moving: nothing gets anywhere
#define CALM_US       INT64_C(8000000)  // after the faults, until all works again
#define REST_US       INT64_C(15000000) // after the last call, until nothing of it is left
#define PATIENCE_US   INT64_C(180000000)

void sim_fail(const sim *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    printf("seed %llu, %lld us: ", (unsigned long long)s->seed, (long long)s->now_us);
    vprintf(fmt, args);
    printf("\n  to see it again: sim_rpc --seed %llu --trace\n", (unsigned long long)s->seed);
    va_end(args);
    fflush(stdout);
    _exit(1);
}

void sim_trace(const sim *s, const char *fmt, ...)
{
    if (s->trace) {
        va_list args;
        va_start(args, fmt);
        printf("%10lld ", (long long)s->now_us);
        vprintf(fmt, args);
        printf("\n");
        va_end(args);
    }
}

// --- time ----------------------------------------------------------------------------------------

void sim_at(sim *s, sim_event *event, int64_t at_us, void (*run)(sim *s, void *arg), void *arg)
{
    ALM_ASSERT(!event->is_set);
    *event = (sim_event){.at_us = at_us, .run = run, .arg = arg, .is_set = true};
    sim_event *after = s->agenda != NULL ? s->agenda->prev : NULL; // the last
    while (after != NULL && after->at_us > at_us) {
        after = after == s->agenda ? NULL : after->prev;
    }
    if (after == NULL) {
        DL_PREPEND(s->agenda, event);
    } else {
        DL_APPEND_ELEM(s->agenda, after, event);
    }
}

void sim_clear(sim *s, sim_event *event)
{
    if (event->is_set) {
        DL_DELETE(s->agenda, event);
        event->is_set = false;
    }
}

// Any node may have got something to do.
static void run_due(sim *s)
{
    while (s->agenda != NULL && s->agenda->at_us <= s->now_us) {
        sim_event *event = s->agenda;
        sim_clear(s, event);
        event->run(s, event->arg);
        s->turns_now = 0;
        s->is_touched = true;
    }
}

static int64_t node_due_us(const sim_node *node)
{
    int64_t net_us = sim_net_due_us(&node->user);
    return ALM_MIN(node->due_us, net_us);
}

// Those nodes that have something to do have a turn, in another order each time; then time moves
// to what is due next, at most to until_us.
static void step(sim *s, int64_t until_us)
{
    unsigned first = (unsigned)sim_random_below(&s->random, s->node_count);
    for (unsigned i = 0; i < s->node_count; i++) {
        sim_node *node = &s->nodes[(first + i) % s->node_count];
        if (node->rpc != NULL && (s->is_touched || node_due_us(node) <= s->now_us)) {
            node->due_us = alm_rpc_turn(node->rpc, 0);
            s->turns++;
        }
    }
    s->is_touched = false;
    int64_t due_us = s->agenda != NULL ? ALM_MIN(s->agenda->at_us, until_us) : until_us;
    for (unsigned i = 0; i < s->node_count; i++) {
        int64_t its_us = s->nodes[i].rpc != NULL ? node_due_us(&s->nodes[i]) : INT64_MAX;
        due_us = ALM_MIN(due_us, its_us);
    }
    if (due_us <= s->now_us && ++s->turns_now > TURNS_NOW_MAX) {
        sim_fail(s, "%d turns and time does not move", TURNS_NOW_MAX);
    }
    if (due_us > s->now_us) {
        s->now_us = due_us;
        s->turns_now = 0;
    }
    run_due(s);
}

static void run_until(sim *s, int64_t until_us)
{
    while (s->now_us < until_us) {
        step(s, until_us);
    }
}

// --- nodes ---------------------------------------------------------------------------------------

unsigned sim_method(const char *name)
{
    int index = alm_service_method_find(&echo_service, name);
    ALM_ASSERT(index >= 0);
    return (unsigned)index;
}

void sim_node_open(sim_node *node)
{
    sim *s = node->s;
    const alm_rpc_opts opts = {
        .clock = alm_clock_fake(&s->now_us),
        .limits = s->limits,
        .is_manual = true,
        .random_seed = sim_random_next(&s->random) | 1,
    };
    alm_status st = ALM_STATUS_INIT;
    if (alm_rpc_create(&opts, &node->rpc, &st) != ALM_OK) {
        sim_fail(s, "no alm_rpc: %s", st.message);
    }
    node->user.net = s->net;
    node->due_us = s->now_us;
    alm_rpc_set_loop(node->rpc, sim_net_open, &node->user);
}

void sim_node_close(sim_node *node)
{
    alm_rpc_destroy(&node->rpc);
}

static bool is_worker(const sim *s, const sim_node *node)
{
    return node < &s->nodes[s->worker_count];
}

static void node_start(sim_node *node)
{
    if (is_worker(node->s, node)) {
        sim_worker_start(node);
    } else {
        sim_gateway_start(node);
    }
}

static void node_stop(sim_node *node, bool dies)
{
    if (is_worker(node->s, node)) {
        sim_worker_stop(node, dies);
    } else {
        sim_gateway_stop(node, dies);
    }
}

static void start_again(sim *s, void *arg);

static void stop_some_time(sim *s, void *arg)
{
    sim_node *node = arg;
    node_stop(node, sim_random_chance(&s->random, 500));
    int64_t back_us = s->now_us + sim_random_between(&s->random, 0, 2000000);
    sim_at(s, &node->restart, ALM_MIN(back_us, s->calm_us), start_again, node);
}

static void plan_stop(sim_node *node)
{
    sim *s = node->s;
    int64_t at_us = s->now_us + sim_random_between(&s->random, 1, 2 * s->calm_us);
    if (at_us < s->calm_us) {
        sim_at(s, &node->restart, at_us, stop_some_time, node);
    }
}

static void start_again(sim *s, void *arg)
{
    (void)s;
    node_start(arg);
    plan_stop(arg);
}

static void stop_client(sim *s, void *arg)
{
    sim_node *node = arg;
    alm_status st = ALM_STATUS_INIT;
    sim_trace(s, "%s closes its channel", node->address);
    alm_channel_close(&node->channel);
    if (alm_channel_open(node->rpc, node->target, NULL, &node->channel, &st) != ALM_OK) {
        sim_fail(s, "a channel does not open: %s", st.message);
    }
}

// --- a world -------------------------------------------------------------------------------------

// Some of the faults, each rare or frequent.
static unsigned some(sim_random *random, unsigned per_mille_max)
{
    return sim_random_chance(random, 600) ? 0 : (unsigned)sim_random_below(random, per_mille_max);
}

static void plan_faults(sim *s, sim_faults *ret)
{
    sim_random *random = &s->random;
    *ret = (sim_faults){
        .latency_us = sim_random_between(random, 0, 20000),
        .delay_us_max = sim_random_between(random, 1000, 2000000),
        .silence_us_max = sim_random_between(random, 1000, 5000000),
        .until_us = s->calm_us,
        .queue_count_max = (size_t)sim_random_between(random, 2, 200),
    };
    if (!s->is_sound) {
        ret->drop = some(random, 40);
        ret->delay = some(random, 200);
        ret->overtake = some(random, 60);
        ret->duplicate = some(random, 60);
        ret->cut = some(random, 20);
        ret->silence = some(random, 20);
    }
    // PING compares counts: as many records lost as came twice between two of them go unnoticed.
    if (s->seed % 2 == 0) {
        ret->duplicate = 0;
    } else if (ret->duplicate > 0) {
        ret->drop = ret->silence = 0;
    }
}

static void plan_limits(sim *s)
{
    sim_random *random = &s->random;
    s->limits.window_messages = (size_t)sim_random_between(random, 2, 40);
    s->limits.window_bytes = (size_t)sim_random_between(random, 500, 50000);
    s->late_per_mille = (unsigned)sim_random_below(random, 900);
    s->late_us_max = sim_random_between(random, 1, 3000000);
    s->fail_per_mille = s->is_sound ? 0 : some(random, 100);
}

static void name_all(char *out, size_t size, const sim_node *nodes, unsigned count)
{
    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        at += (size_t)snprintf(out + at, size - at, "%s%s", i > 0 ? "," : "", nodes[i].address);
    }
}

static void plan_nodes(sim *s)
{
    sim_random *random = &s->random;
    s->worker_count = (unsigned)sim_random_between(random, 1, SIM_WORKER_COUNT_MAX);
    s->gateway_count = (unsigned)sim_random_between(random, 1, SIM_GATEWAY_COUNT_MAX);
    unsigned client_count = (unsigned)sim_random_between(random, 1, SIM_CLIENT_COUNT_MAX);
    unsigned servers = s->worker_count + s->gateway_count;
    s->node_count = servers + client_count;
    for (unsigned i = 0; i < s->node_count; i++) {
        sim_node *node = &s->nodes[i];
        node->s = s;
        const char *kind = i < s->worker_count ? "worker" : i < servers ? "gateway" : "client";
        snprintf(node->address, sizeof node->address, "loop://%s-%u", kind, i);
    }
    for (unsigned i = s->worker_count; i < s->node_count; i++) {
        bool is_direct = i < servers || (i > servers && sim_random_chance(random, 300));
        sim_node *node = &s->nodes[i];
        node->is_direct = is_direct;
        name_all(node->target, sizeof node->target,
                 is_direct ? s->nodes : s->nodes + s->worker_count,
                 is_direct ? s->worker_count : s->gateway_count);
    }
}

static void start_all(sim *s)
{
    unsigned servers = s->worker_count + s->gateway_count;
    bool stops = !s->is_sound && sim_random_chance(&s->random, 500);
    for (unsigned i = 0; i < s->node_count; i++) {
        sim_node *node = &s->nodes[i];
        if (i >= servers) {
            sim_client_start(node);
            if (stops && sim_random_chance(&s->random, 200)) {
                sim_at(s, &node->restart, sim_random_between(&s->random, 1, s->calm_us),
                       stop_client, node);
            }
        } else {
            node_start(node);
            if (stops) {
                plan_stop(node);
            }
        }
    }
}

static void set_up(sim *s)
{
    sim_faults faults;
    s->random.state = s->seed;
    s->now_us = 1000000;
    s->is_sound = sim_random_chance(&s->random, 100);
    s->calm_us = s->now_us + sim_random_between(&s->random, 1000000, 8000000);
    plan_limits(s);
    plan_faults(s, &faults);
    s->net = sim_net_create(sim_random_next(&s->random), &s->now_us, &faults, s->trace);
    ALM_ASSERT(s->net != NULL);
    plan_nodes(s);
    sim_trace(s,
              "faults of 1000: drop %u delay %u overtake %u duplicate %u cut %u silence %u, "
              "queue %zu, answers fail %u late %u; calm from %lld",
              faults.drop, faults.delay, faults.overtake, faults.duplicate, faults.cut,
              faults.silence, faults.queue_count_max, s->fail_per_mille, s->late_per_mille,
              (long long)s->calm_us);
    start_all(s);
    sim_calls_plan(s);
}

static bool is_at_rest(const sim_node *node)
{
    return node->jobs == NULL && node->server->active_count == 0;
}

// Whatever happened to a call, no server keeps anything of it.
static void rest(sim *s)
{
    int64_t until_us = s->now_us + REST_US;
    for (unsigned i = 0; i < s->worker_count + s->gateway_count; i++) {
        const sim_node *node = &s->nodes[i];
        while (!is_at_rest(node) && s->now_us < until_us) {
            step(s, until_us);
        }
        if (!is_at_rest(node)) {
            sim_fail(s, "%s still has %zu calls, whose callers have gone", node->address,
                     node->server->active_count);
        }
    }
}

static void tear_down(sim *s)
{
    unsigned servers = s->worker_count + s->gateway_count;
    for (unsigned i = servers; i < s->node_count; i++) {
        sim_client_stop(&s->nodes[i]);
    }
    for (unsigned i = servers; i-- > 0;) {
        node_stop(&s->nodes[i], false);
    }
    sim_net_destroy(&s->net);
}

static void add_up(const sim *s, sim_result *total)
{
    const uint64_t *from = (const uint64_t *)sim_net_count(s->net);
    uint64_t *to = (uint64_t *)&total->net;
    for (size_t i = 0; i < sizeof total->net / sizeof *to; i++) {
        to[i] += from[i];
    }
    total->turns += s->turns;
    total->calls += s->call_count;
    total->closed += s->closed;
    for (size_t i = 0; i < ALM_CODE_COUNT; i++) {
        total->ended[i] += s->ended[i];
    }
}

void sim_run(uint64_t seed, bool trace, sim_result *total)
{
    static sim world;
    sim *s = &world;
    *s = (sim){.seed = seed, .trace = trace};
    set_up(s);
    run_until(s, s->calm_us + CALM_US);
    sim_calls_probe(s);
    s->is_touched = true;
    int64_t until_us = s->now_us + PATIENCE_US;
    while (s->now_us < until_us && !sim_calls_are_over(s)) {
        step(s, until_us);
    }
    sim_calls_check(s);
    rest(s);
    add_up(s, total);
    tear_down(s);
}
