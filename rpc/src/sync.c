#include "sync.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define US_PER_SECOND INT64_C(1000000)

// Handlers keep rows in arenas, so a stack need not be large; sanitizers need some of it.
#define STACK_BYTES   ((size_t)2 << 20)

void alm_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    int error = pthread_condattr_init(&attr);
    ALM_ASSERT(error == 0);
    error = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    ALM_ASSERT(error == 0);
    error = pthread_cond_init(cond, &attr);
    ALM_ASSERT(error == 0);
    pthread_condattr_destroy(&attr);
}

void alm_cond_wait_us(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t wait_us)
{
    if (wait_us == ALM_NEVER_US) {
        pthread_cond_wait(cond, mutex);
        return;
    }
    if (wait_us <= 0) {
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_us % US_PER_SECOND * 1000;
    until.tv_sec += (time_t)(wait_us / US_PER_SECOND + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_cond_timedwait(cond, mutex, &until);
}

alm_code alm_thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg, alm_status *st)
{
    pthread_attr_t attr;
    int error = pthread_attr_init(&attr);
    ALM_ASSERT(error == 0);
    error = pthread_attr_setstacksize(&attr, STACK_BYTES);
    ALM_ASSERT(error == 0);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(ret, &attr, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return error == 0 ? ALM_OK : alm_status_from_errno(st, error, "starting a thread");
}

alm_code alm_wake_init(alm_wake *wake, alm_status *st)
{
    wake->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return wake->fd >= 0 ? ALM_OK : alm_status_from_errno(st, errno, "making an event");
}

void alm_wake_deinit(alm_wake *wake)
{
    if (wake->fd >= 0) {
        close(wake->fd);
        wake->fd = -1;
    }
}

void alm_wake_signal(const alm_wake *wake)
{
    uint64_t one = 1;
    ssize_t written = write(wake->fd, &one, sizeof one);
    (void)written; // a full counter is signalled already
}

void alm_wake_clear(const alm_wake *wake)
{
    uint64_t count;
    ssize_t got = read(wake->fd, &count, sizeof count);
    (void)got; // nothing to clear is fine
}

int alm_poll_timeout_ms(int64_t now_us, int64_t until_us)
{
    if (until_us == ALM_NEVER_US) {
        return -1;
    }
    if (until_us <= now_us) {
        return 0;
    }
    int64_t ms = (until_us - now_us + 999) / 1000;
    return (int)ALM_MIN(ms, (int64_t)60000);
}
