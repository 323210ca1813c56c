// What a test of the conformance suite starts from: servers, a channel, and words for both.
#ifndef WORLD_H
#define WORLD_H

#include "echo.pb-c.h"
#include "echo_server.h"

#include "alm/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define WORLD_WAIT_MS 20000 // how long a test waits for what must come; never waited in full

typedef struct world {
    const char *given; // as on the command line
    char scheme[8];
    char dir[64]; // for sockets
    int address_count;
    alm_log log; // off until world_log_start
    alm_rpc *rpc;
    echo_server echo;
    alm_server *hop;       // passes all calls on to echo; NULL unless the scheme says +hop
    alm_channel *upstream; // of the hop
    alm_channel *channel;  // to echo, or to the hop
    alm_arena *arena;
    alm_status st; // of the last call
} world;

int world_set_up(void **state); // *state: the scheme's name before, the world after
int world_tear_down(void **state);

// A fresh address to bind. of the world's scheme; in a buffer of ECHO_ADDRESS_MAX.
void world_address(world *w, char *out);
// An address nobody has bound yet, but may later.
void world_address_later(world *w, char *out);

unsigned world_method(const char *method); // its index in Echo
alm_channel *world_open(world *w, const char *target);

// From now on all lines are written, and can be read; before any call.
void world_log_start(world *w);
const char *world_log_text(world *w); // in w->arena

// Calls of Echo, answered in w->arena; w->st has the status.
Almanac__Test__SayResponse *world_say(world *w, alm_channel *channel, const char *text,
                                      const alm_call_opts *opts);
alm_code world_wait(world *w, alm_channel *channel, const char *method, uint32_t wait_ms,
                    const alm_call_opts *opts, Almanac__Test__WaitResponse **ret);
alm_stream *world_count(world *w, alm_channel *channel, uint64_t count, uint32_t padding,
                        const alm_call_opts *opts);
// The next of a Count; NULL at its end, and w->st tells which.
Almanac__Test__CountResponse *world_next(world *w, alm_stream *stream);

// Waits until the counter is at least so much (or, negative, at most -least). Fails the test else.
void world_until(atomic_int *counter, int least);
void world_until_zero(atomic_int *counter);
int64_t world_now_ms(void);

#define assert_code(want, got)                                                                     \
    do {                                                                                           \
        alm_code got_ = (got);                                                                     \
        if (got_ != (want)) {                                                                      \
            fail_msg("want %s, got %s: %s", alm_code_name(want), alm_code_name(got_),              \
                     got_ == ALM_OK ? "" : w->st.message);                                         \
        }                                                                                          \
    } while (0)

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

typedef struct world_group {
    const struct CMUnitTest *tests;
    size_t count;
} world_group;
world_group conform_calls(void);     // one server, one channel
world_group conform_streams(void);   // flow control
world_group conform_stops(void);     // deadlines and cancellation
world_group conform_cluster(void);   // servers that come and go
world_group conform_services(void);  // health, reflection, stats and traces
world_group conform_both_ways(void); // clients that stream
world_group conform_auth(void);      // keys, tokens and roles
world_group conform_events(void);    // calls whose caller does not wait
world_group conform_looks(void);     // calls that are looked at before they wait for a thread
world_group conform_limits(void);    // at each and one past it

#endif
