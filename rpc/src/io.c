#include "io.h"

#include "alm/alloc.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#define BLIND_US 10000 // without memory for a descriptor to wait on, its events are looked for

struct alm_io {
    pthread_mutex_t *lock;
    alm_clock clock;
    bool is_manual;
    alm_wake wake;
    atomic_bool is_asleep; // the thread is about to wait, or waits

    // Guarded by the lock.
    alm_io_part *parts[ALM_IO_PART_COUNT_MAX];
    size_t part_count;
    bool is_running, is_stopping;
    bool is_turning;
    uint64_t turn_count;   // that are over
    pthread_cond_t turned; // a turn is over

    pthread_t thread;

    // The thread's own.
    struct pollfd *fds;
    size_t fd_count, fd_cap;
    size_t polled_count; // of fds: those that are one
    bool is_blind;
    int64_t now_us;
};

static _Thread_local const alm_io *here; // whose thread this is

alm_code alm_io_create(pthread_mutex_t *lock, const alm_clock *clock, bool is_manual, alm_io **ret,
                       alm_status *st)
{
    alm_io *io = alm_calloc(1, sizeof *io);
    if (io == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the I/O thread");
    }
    io->lock = lock;
    io->clock = *clock;
    io->is_manual = is_manual;
    alm_code code = alm_wake_init(&io->wake, st);
    if (code != ALM_OK) {
        alm_free(io);
        return code;
    }
    alm_cond_init(&io->turned);
    *ret = io;
    return ALM_OK;
}

void alm_io_destroy(alm_io **io)
{
    alm_io *self = *io;
    if (self == NULL) {
        return;
    }
    alm_lock(self->lock);
    ALM_ASSERT(self->part_count == 0);
    self->is_stopping = true;
    alm_io_wake(self);
    alm_unlock(self->lock);
    if (self->is_running) {
        pthread_join(self->thread, NULL);
    }
    alm_wake_deinit(&self->wake);
    pthread_cond_destroy(&self->turned);
    alm_free(self->fds);
    alm_free(self);
    *io = NULL;
}

void alm_io_wake(alm_io *io)
{
    bool was_asleep = atomic_load(&io->is_asleep) && atomic_exchange(&io->is_asleep, false);
    if (was_asleep && !io->is_manual) { // else it is this thread, which looks before it waits
        alm_wake_signal(&io->wake);
    }
}

bool alm_io_is_here(const alm_io *io)
{
    return io->is_manual || here == io;
}

size_t alm_io_watch(alm_io *io, int fd)
{
    if (io->fd_count == io->fd_cap) {
        size_t cap = ALM_MAX(io->fd_cap * 2, (size_t)16);
        struct pollfd *fds = alm_realloc(io->fds, cap * sizeof *fds);
        if (fds == NULL) {
            io->is_blind = true;
            return SIZE_MAX;
        }
        io->fds = fds;
        io->fd_cap = cap;
    }
    io->polled_count += fd >= 0 ? 1 : 0;
    io->fds[io->fd_count] = (struct pollfd){.fd = fd, .events = POLLIN};
    return io->fd_count++;
}

bool alm_io_is_ready(const alm_io *io, size_t watch)
{
    return watch >= io->fd_count || io->fds[watch].revents != 0;
}

int64_t alm_io_now_us(const alm_io *io)
{
    return here == io ? io->now_us : io->clock.mono_us(io->clock.self);
}

void alm_io_tick(alm_io *io)
{
    io->now_us = io->clock.mono_us(io->clock.self);
}

// The parts of this turn: who removes one waits for its end, so they can be used without the lock.
// From here on what is queued wakes the thread. False: no more turns.
static bool begin_turn(alm_io *io, alm_io_part *ret[ALM_IO_PART_COUNT_MAX], size_t *ret_count)
{
    alm_lock(io->lock);
    bool goes_on = !io->is_stopping;
    io->is_turning = goes_on;
    atomic_store(&io->is_asleep, true);
    *ret_count = io->part_count;
    memcpy(ret, io->parts, io->part_count * sizeof *ret);
    alm_unlock(io->lock);
    return goes_on;
}

// True: something happened.
static bool wait_for_events(alm_io *io, int64_t until_us)
{
    bool is_awake = io->is_manual && !atomic_load(&io->is_asleep);
    int timeout_ms = is_awake ? 0 : alm_poll_timeout_ms(io->now_us, until_us);
    if (timeout_ms == 0 && io->polled_count == 1) {
        return is_awake; // simulations do without sockets, and often so
    }
    int count = poll(io->fds, io->fd_count, timeout_ms);
    if (count > 0 && io->fd_count > 0 && (io->fds[0].revents & POLLIN) != 0) {
        alm_wake_clear(&io->wake);
    }
    return count > 0 || is_awake;
}

static void end_turn(alm_io *io)
{
    alm_lock(io->lock);
    io->is_turning = false;
    io->turn_count++;
    pthread_cond_broadcast(&io->turned);
    alm_unlock(io->lock);
}

// False: no more turns.
static bool turn(alm_io *io, int64_t until_us, int64_t *ret_due_us)
{
    alm_io_part *parts[ALM_IO_PART_COUNT_MAX];
    size_t count;
    if (!begin_turn(io, parts, &count)) {
        return false;
    }
    *ret_due_us = ALM_NEVER_US;
    io->fd_count = 0;
    io->polled_count = 0;
    io->is_blind = false;
    (void)alm_io_watch(io, io->wake.fd);
    alm_io_tick(io);
    for (size_t i = 0; i < count; i++) {
        int64_t its_us = parts[i]->turn(parts[i], io, io->now_us); // once: ALM_MIN may ask twice
        *ret_due_us = ALM_MIN(*ret_due_us, its_us);
    }
    alm_io_tick(io);
    int64_t blind_us = io->is_blind ? io->now_us + BLIND_US : ALM_NEVER_US;
    bool has_more = wait_for_events(io, ALM_MIN(ALM_MIN(*ret_due_us, until_us), blind_us));
    atomic_store(&io->is_asleep, false);
    alm_io_tick(io);
    if (has_more) {
        *ret_due_us = io->now_us; // what it leads to is sent in the next turn
    }
    for (size_t i = 0; i < count; i++) {
        parts[i]->receive(parts[i]);
    }
    end_turn(io);
    return true;
}

int64_t alm_io_turn(alm_io *io, int64_t wait_us)
{
    ALM_ASSERT(io->is_manual);
    int64_t due_us = ALM_NEVER_US;
    (void)turn(io, alm_io_now_us(io) + wait_us, &due_us);
    return due_us;
}

static void *run(void *arg)
{
    alm_io *io = arg;
    here = io;
    int64_t ignored;
    while (turn(io, ALM_NEVER_US, &ignored)) {}
    return NULL;
}

alm_code alm_io_add(alm_io *io, alm_io_part *part, alm_status *st)
{
    if (io->part_count == ALM_IO_PART_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "a process has at most %d servers and channels' halves",
                              ALM_IO_PART_COUNT_MAX);
    }
    if (!io->is_running && !io->is_manual) {
        ALM_TRY(alm_thread_start(&io->thread, run, io, st));
        io->is_running = true;
    }
    io->parts[io->part_count++] = part;
    alm_io_wake(io);
    return ALM_OK;
}

void alm_io_remove(alm_io *io, alm_io_part *part)
{
    size_t at = 0;
    while (at < io->part_count && io->parts[at] != part) {
        at++;
    }
    ALM_ASSERT(at < io->part_count);
    io->parts[at] = io->parts[--io->part_count];
    ALM_ASSERT(io->is_manual || !alm_io_is_here(io));
    uint64_t count = io->turn_count;
    alm_io_wake(io);
    while (io->is_turning && io->turn_count == count) {
        pthread_cond_wait(&io->turned, io->lock);
    }
}
