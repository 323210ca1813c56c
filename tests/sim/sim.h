// Clients, gateways and workers over a bad network, in one thread and on a clock that jumps: what a
// seed begins, it does again.
//
//   net.c      the network
//   sim.c      time, and what is to happen when
//   worker.c   the service: answers at once, late, in streams, badly
//   gateway.c  passes all of it on
//   calls.c    the callers, and what they may be told
//   main.c     seeds
#ifndef SIM_H
#define SIM_H

#include "alm/channel.h"
#include "echo.pb-c.h"
#include "net.h"
#include "random.h"

#define SIM_CALL_COUNT_MAX    48
#define SIM_WORKER_COUNT_MAX  3
#define SIM_GATEWAY_COUNT_MAX 2
#define SIM_CLIENT_COUNT_MAX  3
#define SIM_NODE_COUNT_MAX    (SIM_WORKER_COUNT_MAX + SIM_GATEWAY_COUNT_MAX + SIM_CLIENT_COUNT_MAX)

extern const alm_service_def echo_service; // tests/conform has it

typedef struct sim sim;

// Something that is to happen. Owned by whoever it happens to.
typedef struct sim_event sim_event;
struct sim_event {
    sim_event *prev, *next; // sim->agenda
    int64_t at_us;
    void (*run)(sim *s, void *arg);
    void *arg;
    bool is_set;
};
void sim_at(sim *s, sim_event *event, int64_t at_us, void (*run)(sim *s, void *arg), void *arg);
void sim_clear(sim *s, sim_event *event); // accepts one that is not set

typedef struct sim_job sim_job; // an answer that is late; see worker.c

typedef struct sim_node {
    sim *s;
    char address[32]; // of servers
    sim_net_user user;
    alm_rpc *rpc;   // NULL: it is down
    int64_t due_us; // its next turn
    alm_server *server;
    alm_channel *channel; // of gateways and clients
    char target[96];      // whom it calls:
    bool is_direct;       // workers, not gateways
    sim_job *jobs;
    sim_event restart;
} sim_node;

typedef enum sim_kind {
    SIM_SAY,
    SIM_ONCE,
    SIM_KEYED,
    SIM_COUNT,
    SIM_SUM,
    SIM_CHAT,
    SIM_RELAY,
    SIM_KIND_COUNT
} sim_kind;

// A call and what is known of it.
typedef struct sim_call {
    sim *s;
    sim_node *client;
    unsigned index;
    sim_kind kind;
    bool is_probe; // after the faults: it must end well
    char key[24];  // "": none
    int64_t timeout_ms, deadline_us;
    uint64_t count;         // of messages to come, or to send
    uint64_t sent, got;     // so far
    unsigned close_at;      // the message within which it is closed; 0: none
    bool keeps_stream;      // false: closes itself
    alm_stream *stream;     // NULL: not started, or closed
    bool is_open;           // an end is to come
    unsigned ends;          // that were told
    unsigned applied;       // by workers: ONCE and KEYED
    sim_event start, close; // when
} sim_call;

struct sim {
    uint64_t seed;
    bool trace;
    bool is_sound; // nothing goes wrong: no call may fail
    sim_random random;
    int64_t now_us, calm_us;                 // calm_us: faults and restarts are over
    unsigned fail_per_mille, late_per_mille; // of workers' answers
    int64_t late_us_max;
    alm_rpc_limits limits;
    sim_net *net;
    sim_event *agenda; // by time
    bool is_touched;   // by an event
    sim_node nodes[SIM_NODE_COUNT_MAX];
    unsigned node_count, worker_count, gateway_count; // workers first, then gateways, then clients
    sim_call calls[SIM_CALL_COUNT_MAX];
    unsigned call_count;
    uint64_t turns, turns_now; // altogether, and since time moved
    uint64_t ended[ALM_CODE_COUNT], closed;
};

// Runs one seed, to the end. A finding ends the process: it prints the seed, what is wrong and how
// to see it again.
typedef struct sim_result {
    uint64_t turns, calls, ended[ALM_CODE_COUNT], closed;
    sim_net_counts net;
} sim_result;
void sim_run(uint64_t seed, bool trace, sim_result *total);

_Noreturn void sim_fail(const sim *s, const char *fmt, ...) ALM_PRINTF(2, 3);
void sim_trace(const sim *s, const char *fmt, ...) ALM_PRINTF(2, 3);

// --- sim.c: nodes
unsigned sim_method(const char *name); // its index in the service
void sim_node_open(sim_node *node);    // its alm_rpc, on the net
void sim_node_close(sim_node *node);

// --- worker.c
void sim_worker_start(sim_node *node);
void sim_worker_stop(sim_node *node, bool dies); // dies: nobody is told
sim_call *sim_call_of(sim *s, uint64_t number);

// --- gateway.c
void sim_gateway_start(sim_node *node);
void sim_gateway_stop(sim_node *node, bool dies);

// --- calls.c
void sim_client_start(sim_node *node);
void sim_client_stop(sim_node *node);
void sim_calls_plan(sim *s);
void sim_calls_probe(sim *s); // one from each client, which must end well
bool sim_calls_are_over(const sim *s);
void sim_calls_check(sim *s); // when all is over

#endif
