// A network that is as bad as it is told to be: the loop:// addresses of several alm_rpc meet here,
// and frames between them are dropped, delayed, repeated, overtaken and cut off, under a seed and a
// clock that the test holds.
//
// Threading: one thread.
#ifndef SIM_NET_H
#define SIM_NET_H

#include "port.h"
#include "random.h"

typedef struct sim_net sim_net;

// What goes wrong until until_us, of a thousand frames; from then on the network is sound.
typedef struct sim_faults {
    unsigned drop;
    unsigned delay; // by up to delay_us_max, and what follows waits behind it
    // The same, but what follows does not wait. Never a frame that holds a REQUEST without a
    // deadline: its CANCEL must not come first.
    unsigned overtake;
    // Never a frame that holds a REQUEST: nothing on the wire tells a second one from the first
    // when that has been answered.
    unsigned duplicate;
    unsigned cut;       // the connection ends, and both sides see it
    unsigned silence;   // what either side sends is lost for up to silence_us_max
    int64_t latency_us; // of every frame, also later
    int64_t delay_us_max, silence_us_max;
    int64_t until_us;
    size_t queue_count_max; // frames under way one way; more are not taken
} sim_faults;

// What the faults did.
typedef struct sim_net_counts {
    uint64_t frames, dropped, delayed, overtaken, duplicated, cut, silenced, full;
} sim_net_counts;

// NULL: no memory. trace: prints what happens.
sim_net *sim_net_create(uint64_t seed, const int64_t *now_us, const sim_faults *faults, bool trace);
void sim_net_destroy(sim_net **net); // all ports are closed (asserted)

// A process on the net.
typedef struct sim_net_user {
    sim_net *net;
} sim_net_user;

// An alm_port_opener, for alm_rpc_set_loop; arg is the sim_net_user, which outlives the port.
alm_code sim_net_open(void *arg, const alm_port_opts *opts, alm_port **ret, alm_status *st);

// When the user can receive something next; INT64_MAX: nothing is under way to it.
int64_t sim_net_due_us(const sim_net_user *user);
// Whoever listens there has died: its connections are cut, with all that is under way.
void sim_net_kill(sim_net *net, const char *address);
const sim_net_counts *sim_net_count(const sim_net *net);

#endif
