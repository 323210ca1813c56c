// What threads of rpc wait on: a mutex with its name in the type's user, a condition variable on
// the monotonic clock, and an event that wakes a thread out of poll(2).
#ifndef ALM_RPC_SYNC_H
#define ALM_RPC_SYNC_H

#include "alm/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define ALM_NEVER_US INT64_MAX // a time that does not come

static inline void alm_lock(pthread_mutex_t *mutex)
{
    int error = pthread_mutex_lock(mutex);
    ALM_ASSERT(error == 0);
}

static inline void alm_unlock(pthread_mutex_t *mutex)
{
    int error = pthread_mutex_unlock(mutex);
    ALM_ASSERT(error == 0);
}

void alm_cond_init(pthread_cond_t *cond);

// Waits for a signal, at most wait_us (ALM_NEVER_US: without end). May return early.
void alm_cond_wait_us(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t wait_us);

// Starts a thread with a stack of our size and with all signals blocked, so that they go to main.
ALM_MUST_USE alm_code alm_thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg,
                                       alm_status *st);

// An event for one thread that polls: any thread may signal, and signals add up to one.
typedef struct alm_wake {
    int fd; // readable while signalled
} alm_wake;
ALM_MUST_USE alm_code alm_wake_init(alm_wake *wake, alm_status *st);
void alm_wake_deinit(alm_wake *wake); // accepts one whose fd is -1
void alm_wake_signal(const alm_wake *wake);
void alm_wake_clear(const alm_wake *wake);

// Milliseconds for poll(2) until a time: rounded up, 0 when it has passed, -1 for ALM_NEVER_US.
int alm_poll_timeout_ms(int64_t now_us, int64_t until_us);

#endif
