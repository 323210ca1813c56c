#include "io.h"

#include "alm/alloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BLIND_US         10000 // a descriptor that cannot be watched is looked at so often
#define EVENT_COUNT_MAX  64
#define WAKE_EVENT       0 // no watch has it

// What epoll keeps for a descriptor: its tag, its watch and the watch's generation.
#define WATCH_SHIFT      32
#define GENERATION_SHIFT 48

typedef struct io_watch {
    uint16_t generation; // of the slot: events of what was watched before it are none of its
    bool is_used, is_ready;
    alm_io_told *told; // of many; NULL: it is of one
} io_watch;

struct alm_io {
    pthread_mutex_t *lock;
    alm_clock clock;
    bool is_manual;
    int epoll;
    alm_wake wake;
    atomic_bool is_asleep; // who leads is about to wait, or waits, or nobody leads

    // Guarded by the lock.
    alm_io_part *parts[ALM_IO_PART_COUNT_MAX];
    size_t part_count;
    bool is_running, is_stopping;
    bool is_led;
    bool is_parked;          // the thread waits until nobody leads,
    int64_t sleeps_until_us; // else for events, at most so long
    bool is_at_work;         // with the parts
    uint64_t work_count;     // that is over
    pthread_cond_t worked;   // work is over
    pthread_cond_t left;     // nobody leads

    pthread_t thread;

    pthread_mutex_t watch_lock; // taken last; guards:
    io_watch *watches;          // the first is nobody's
    size_t watch_cap;
    size_t watch_count;

    // Whose who leads.
    bool is_blind;
    bool has_queued; // something to be sent, by itself
    int64_t due_us;  // the next turn
    int64_t now_us;
};

static _Thread_local const alm_io *here; // which this thread leads

static alm_code open_epoll(alm_io *io, alm_status *st)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = WAKE_EVENT};
    ALM_TRY(alm_wake_init(&io->wake, st));
    io->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (io->epoll < 0 || epoll_ctl(io->epoll, EPOLL_CTL_ADD, io->wake.fd, &event) != 0) {
        return alm_status_from_errno(st, errno, "opening an epoll");
    }
    return ALM_OK;
}

static void close_epoll(alm_io *io)
{
    alm_wake_deinit(&io->wake);
    if (io->epoll >= 0) {
        close(io->epoll);
    }
}

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
    io->epoll = -1;
    io->wake.fd = -1;
    alm_code code = open_epoll(io, st);
    if (code != ALM_OK) {
        close_epoll(io);
        alm_free(io);
        return code;
    }
    int error = pthread_mutex_init(&io->watch_lock, NULL);
    ALM_ASSERT(error == 0);
    alm_cond_init(&io->worked);
    alm_cond_init(&io->left);
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
    alm_wake_signal(&self->wake);
    alm_unlock(self->lock);
    if (self->is_running) {
        pthread_join(self->thread, NULL);
    }
    close_epoll(self);
    pthread_cond_destroy(&self->worked);
    pthread_cond_destroy(&self->left);
    pthread_mutex_destroy(&self->watch_lock);
    for (size_t i = 0; i < self->watch_cap; i++) {
        alm_free(self->watches[i].told);
    }
    alm_free(self->watches);
    alm_free(self);
    *io = NULL;
}

void alm_io_wake(alm_io *io)
{
    if (here == io) {
        io->has_queued = true;
        return;
    }
    bool was_asleep = atomic_load(&io->is_asleep) && atomic_exchange(&io->is_asleep, false);
    if (was_asleep && !io->is_manual) { // else it is this thread, which looks before it waits
        alm_wake_signal(&io->wake);
    }
}

bool alm_io_is_here(const alm_io *io)
{
    return io->is_manual || here == io;
}

int64_t alm_io_now_us(const alm_io *io)
{
    return here == io ? io->now_us : io->clock.mono_us(io->clock.self);
}

void alm_io_tick(alm_io *io)
{
    io->now_us = io->clock.mono_us(io->clock.self);
}

// --- watches -------------------------------------------------------------------------------------

static bool grow_watches(alm_io *io)
{
    size_t cap = ALM_MAX(io->watch_cap * 2, (size_t)16);
    if (cap > UINT16_MAX) {
        return false;
    }
    io_watch *watches = alm_realloc(io->watches, cap * sizeof *watches);
    if (watches == NULL) {
        return false;
    }
    memset(watches + io->watch_cap, 0, (cap - io->watch_cap) * sizeof *watches);
    io->watches = watches;
    io->watch_cap = cap;
    return true;
}

// 0: no memory.
static size_t free_slot(alm_io *io)
{
    size_t at = 1;
    while (at < io->watch_cap && io->watches[at].is_used) {
        at++;
    }
    return at < io->watch_cap || grow_watches(io) ? ALM_MAX(at, (size_t)1) : 0;
}

static void use_slot(alm_io *io, size_t at, alm_io_told *told)
{
    io_watch *slot = &io->watches[at];
    *slot =
        (io_watch){.generation = slot->generation, .is_used = true, .is_ready = true, .told = told};
    io->watch_count++;
}

static uint64_t event_of(const alm_io *io, size_t at, uint32_t tag)
{
    return (uint64_t)io->watches[at].generation << GENERATION_SHIFT | (uint64_t)at << WATCH_SHIFT |
           tag;
}

void alm_io_watch(alm_io *io, int fd, size_t *watch)
{
    if (*watch != 0 || fd < 0) {
        return;
    }
    alm_lock(&io->watch_lock);
    size_t at = free_slot(io);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    event.data.u64 = at != 0 ? event_of(io, at, 0) : 0;
    if (at != 0 && epoll_ctl(io->epoll, EPOLL_CTL_ADD, fd, &event) == 0) {
        use_slot(io, at, NULL);
        *watch = at;
    }
    alm_unlock(&io->watch_lock);
    io->is_blind = io->is_blind || *watch == 0;
}

void alm_io_watch_many(alm_io *io, size_t *watch)
{
    if (*watch != 0) {
        return;
    }
    alm_io_told *told = alm_calloc(1, sizeof *told);
    alm_lock(&io->watch_lock);
    size_t at = told != NULL ? free_slot(io) : 0;
    if (at != 0) {
        use_slot(io, at, told);
        *watch = at;
    }
    alm_unlock(&io->watch_lock);
    if (at == 0) {
        alm_free(told);
        io->is_blind = true;
    }
}

bool alm_epoll_set(int epoll, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0 ||
           epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool alm_io_watch_fd(alm_io *io, size_t watch, int fd, uint32_t events, uint32_t tag)
{
    alm_lock(&io->watch_lock);
    bool is_watched = alm_epoll_set(io->epoll, fd, events | EPOLLET, event_of(io, watch, tag));
    alm_unlock(&io->watch_lock);
    io->is_blind = io->is_blind || !is_watched;
    return is_watched;
}

void alm_io_unwatch(alm_io *io, size_t *watch)
{
    if (*watch != 0) {
        alm_lock(&io->watch_lock);
        alm_free(io->watches[*watch].told);
        io->watches[*watch].told = NULL;
        io->watches[*watch].is_used = false;
        io->watches[*watch].generation++;
        io->watch_count--;
        alm_unlock(&io->watch_lock);
        *watch = 0;
    }
}

bool alm_io_take_ready(alm_io *io, size_t watch)
{
    if (watch == 0) {
        return true;
    }
    alm_lock(&io->watch_lock);
    bool is_ready = io->watches[watch].is_ready;
    io->watches[watch].is_ready = false;
    alm_unlock(&io->watch_lock);
    return is_ready;
}

void alm_io_take_told(alm_io *io, size_t watch, alm_io_told *ret)
{
    alm_lock(&io->watch_lock);
    alm_io_told *told = io->watches[watch].told;
    ret->count = told->count;
    ret->is_lossy = told->is_lossy;
    memcpy(ret->events, told->events, told->count * sizeof *told->events);
    told->count = 0;
    told->is_lossy = false;
    alm_unlock(&io->watch_lock);
}

static void note_event(io_watch *watch, uint32_t tag, uint32_t events)
{
    alm_io_told *told = watch->told;
    watch->is_ready = true;
    if (told == NULL) {
        return;
    }
    if (told->count == ALM_IO_TOLD_COUNT_MAX) {
        told->is_lossy = true;
        return;
    }
    told->events[told->count++] = (alm_io_event){.tag = tag, .events = events};
}

static void note_events(alm_io *io, const struct epoll_event *events, int count)
{
    alm_lock(&io->watch_lock);
    for (int i = 0; i < count; i++) {
        uint64_t event = events[i].data.u64;
        size_t at = (uint16_t)(event >> WATCH_SHIFT);
        if (event == WAKE_EVENT) {
            alm_wake_clear(&io->wake);
        } else if (event_of(io, at, (uint32_t)event) == event && io->watches[at].is_used) {
            note_event(&io->watches[at], (uint32_t)event, events[i].events);
        }
    }
    alm_unlock(&io->watch_lock);
}

// True: something happened. Of several that wait the last to come is woken, and only it: each event
// is told once.
static bool wait_for_events(alm_io *io, int64_t now_us, int64_t until_us)
{
    struct epoll_event events[EVENT_COUNT_MAX];
    bool is_awake = io->is_manual && !atomic_load(&io->is_asleep);
    int timeout_ms = is_awake ? 0 : alm_poll_timeout_ms(now_us, until_us);
    if (io->is_manual && timeout_ms == 0 && io->watch_count == 0) {
        return is_awake; // simulations do without sockets, and often so
    }
    int count = epoll_wait(io->epoll, events, EVENT_COUNT_MAX, timeout_ms);
    if (count > 0) {
        note_events(io, events, count);
    }
    return count > 0 || is_awake;
}

// --- turns ---------------------------------------------------------------------------------------

// The parts of this work, which can be used without the lock: who removes one waits for its end.
// Gives the lock up, as the other half does.
static size_t begin_work(alm_io *io, alm_io_part *ret[ALM_IO_PART_COUNT_MAX])
{
    size_t count = io->part_count;
    memcpy(ret, io->parts, count * sizeof *ret);
    io->is_at_work = true;
    alm_unlock(io->lock);
    alm_io_tick(io);
    return count;
}

static void end_work(alm_io *io)
{
    alm_lock(io->lock);
    io->is_at_work = false;
    io->work_count++;
    pthread_cond_broadcast(&io->worked);
}

// Each part does what is due and sends. From here on what is queued wakes who waits.
static void send_all(alm_io *io)
{
    alm_io_part *parts[ALM_IO_PART_COUNT_MAX];
    int64_t due_us = ALM_NEVER_US;
    atomic_store(&io->is_asleep, true);
    io->has_queued = false;
    io->is_blind = false;
    size_t count = begin_work(io, parts);
    for (size_t i = 0; i < count; i++) {
        int64_t its_us = parts[i]->turn(parts[i], io, io->now_us); // once: ALM_MIN may ask twice
        due_us = ALM_MIN(due_us, its_us);
    }
    alm_io_tick(io);
    int64_t blind_us = io->is_blind ? io->now_us + BLIND_US : ALM_NEVER_US;
    io->due_us = io->has_queued ? io->now_us : ALM_MIN(due_us, blind_us);
    io->has_queued = false;
    end_work(io);
}

static void receive_all(alm_io *io)
{
    alm_io_part *parts[ALM_IO_PART_COUNT_MAX];
    atomic_store(&io->is_asleep, false);
    size_t count = begin_work(io, parts);
    for (size_t i = 0; i < count; i++) {
        parts[i]->receive(parts[i]);
    }
    end_work(io);
}

// With the lock held, which it gives up.
static bool wait_unlocked(alm_io *io, int64_t until_us)
{
    int64_t now_us = io->now_us;
    alm_unlock(io->lock);
    bool has_more = wait_for_events(io, now_us, until_us);
    alm_lock(io->lock);
    return has_more;
}

int64_t alm_io_turn(alm_io *io, int64_t wait_us)
{
    ALM_ASSERT(io->is_manual);
    alm_lock(io->lock);
    int64_t until_us = alm_io_now_us(io) + wait_us;
    send_all(io);
    int64_t due_us = io->due_us;
    bool has_more = wait_unlocked(io, ALM_MIN(due_us, until_us));
    receive_all(io);
    alm_unlock(io->lock);
    return has_more ? io->now_us : due_us; // what it led to is sent in the next turn
}

bool alm_io_lead(alm_io *io)
{
    if (io->is_manual || io->is_led || !io->is_running || io->is_stopping || here != NULL) {
        return false;
    }
    io->is_led = true;
    here = io;
    alm_io_tick(io);
    io->has_queued = !atomic_load(&io->is_asleep); // somebody woke the thread, and this is earlier
    return true;
}

void alm_io_wait(alm_io *io, int64_t until_us)
{
    ALM_ASSERT(here == io && !io->is_at_work); // an event must not wait
    if (!io->has_queued) {
        (void)wait_unlocked(io, ALM_MIN(io->due_us, until_us));
        receive_all(io);
    }
    send_all(io);
}

void alm_io_leave(alm_io *io)
{
    ALM_ASSERT(here == io && !io->is_at_work);
    if (io->has_queued) {
        send_all(io);
    }
    io->is_led = false;
    here = NULL;
    if (io->is_parked) {
        pthread_cond_signal(&io->left);
    } else if (io->due_us < io->sleeps_until_us) {
        alm_wake_signal(&io->wake);
    }
}

// Waits until nobody leads, and not for events: each is told to one only.
static void park(alm_io *io)
{
    alm_wake_signal(&io->wake); // who leads is to look at what was told here
    io->is_parked = true;
    while (io->is_led) {
        pthread_cond_wait(&io->left, io->lock);
    }
    io->is_parked = false;
}

// Leads whenever something happened and nobody else does.
static void *run(void *arg)
{
    alm_io *io = arg;
    alm_lock(io->lock);
    while (!io->is_stopping) {
        if (io->is_led) {
            park(io);
        }
        io->is_led = true;
        here = io;
        receive_all(io);
        send_all(io);
        here = NULL;
        io->is_led = false;
        io->sleeps_until_us = io->due_us;
        (void)wait_unlocked(io, io->due_us);
    }
    alm_unlock(io->lock);
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
    uint64_t count = io->work_count;
    while (io->is_at_work && io->work_count == count) {
        pthread_cond_wait(&io->worked, io->lock);
    }
}
