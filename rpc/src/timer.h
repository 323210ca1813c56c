// Timers of one owner: a heap, so that the next one is at hand and any one can be taken out.
#ifndef ALM_RPC_TIMER_H
#define ALM_RPC_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct alm_timer {
    int64_t at_us;
    size_t index; // in the heap, from 1; 0: not set
} alm_timer;

typedef struct alm_timer_slot {
    int64_t at_us; // the timer's, so that comparing needs no look at it
    alm_timer *timer;
} alm_timer_slot;

typedef struct alm_timers {
    alm_timer_slot *heap; // from 1
    size_t count, cap;
} alm_timers;

void alm_timers_deinit(alm_timers *timers); // starts as {0}; empty (asserted)

// timer: not set (asserted). False: no memory.
bool alm_timer_set(alm_timers *timers, alm_timer *timer, int64_t at_us);
void alm_timer_clear(alm_timers *timers, alm_timer *timer); // accepts one that is not set
alm_timer *alm_timers_next(const alm_timers *timers);       // the earliest; NULL: none is set

#endif
