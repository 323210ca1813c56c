// Timers of one owner: a heap, so that the next one is at hand.
//
// Nearly all are cleared long before their time, and set again, to later, for the next call of the
// same object. So both leave the heap alone: a timer keeps its place there, under a time not after
// its own, until that comes up.
#ifndef ALM_RPC_TIMER_H
#define ALM_RPC_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct alm_timer {
    int64_t at_us;
    size_t index; // in the heap, from 1; 0: not there
    bool is_set;
} alm_timer;

typedef struct alm_timer_slot {
    int64_t at_us; // not after the timer's
    alm_timer *timer;
} alm_timer_slot;

typedef struct alm_timers {
    alm_timer_slot *heap; // from 1
    size_t count, cap;
} alm_timers;

void alm_timers_deinit(alm_timers *timers); // starts as {0}; empty (asserted)

// timer: not set (asserted); starts as {0}. False: no memory.
bool alm_timer_set(alm_timers *timers, alm_timer *timer, int64_t at_us);
void alm_timer_clear(alm_timer *timer);                        // accepts one that is not set
void alm_timer_remove(alm_timers *timers, alm_timer *timer);   // clears it: its memory may go
alm_timer *alm_timers_due(alm_timers *timers, int64_t now_us); // NULL: none is
// When to look again: not after the earliest that is set. INT64_MAX: nothing to look at.
int64_t alm_timers_next_us(const alm_timers *timers);

#endif
