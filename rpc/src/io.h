// The I/O thread of a process: every socket of its servers and channels is used by who leads alone,
// so that a call which is passed on from a server to a channel crosses no thread. That is this
// thread, or a caller that waits; nobody, while the thread waits for events.
//
// A turn: each part does what is due and sends what is queued, then there is a wait until something
// can be received or is due again, and each part receives. What arrives together is thereby
// answered together.
//
// Threading: one lock, alm_rpc's, guards what who leads shares with callers and handlers.
#ifndef ALM_RPC_IO_H
#define ALM_RPC_IO_H

#include "alm/clock.h"
#include "sync.h"

#define ALM_IO_PART_COUNT_MAX 64  // servers of a process, and its client
#define ALM_IO_TOLD_COUNT_MAX 128 // events of a watch that wait to be taken

typedef struct alm_io alm_io;
typedef struct alm_io_part alm_io_part;
struct alm_io_part {
    // Without the lock, on the thread that leads. Says with alm_io_watch what to wait for, and
    // returns when it wants its next turn at the latest; not after now_us: at once.
    int64_t (*turn)(alm_io_part *part, alm_io *io, int64_t now_us);
    void (*receive)(alm_io_part *part); // likewise
};

// lock: borrowed. The thread starts with the first part.
ALM_MUST_USE alm_code alm_io_create(pthread_mutex_t *lock, const alm_clock *clock, bool is_manual,
                                    alm_io **ret, alm_status *st);
void alm_io_destroy(alm_io **io); // no part left (asserted); accepts NULL

// With the lock held. ALM_RESOURCE_EXHAUSTED: no memory, no thread, or too many parts.
ALM_MUST_USE alm_code alm_io_add(alm_io *io, alm_io_part *part, alm_status *st);
// With the lock held, which is given up while the part has a turn. Not on the I/O thread.
void alm_io_remove(alm_io *io, alm_io_part *part);

void alm_io_wake(alm_io *io);          // something was queued: soon a turn; any thread
bool alm_io_is_here(const alm_io *io); // whether this thread leads

// A caller that has something to send and will wait takes the thread's place meanwhile: that saves
// a wake each way. All with the lock held, which alm_io_wait and alm_io_leave give up.
//
// False: somebody leads already, or there is no thread; then the caller queues, wakes and waits as
// others do. Events of other calls, and inline handlers, run on the thread that leads.
ALM_MUST_USE bool alm_io_lead(alm_io *io);
void alm_io_wait(alm_io *io, int64_t until_us); // one turn, which waits until then at most
void alm_io_leave(alm_io *io);                  // sends what is queued, and leads no more

// Within a turn: from now on the wait ends when fd has become readable; once is enough, and *watch
// is 0 before. It is told once: who is told reads everything, or is due at once. What cannot be
// watched is looked at every few milliseconds.
// Ports within the process need no watch: their other end calls alm_io_wake.
void alm_io_watch(alm_io *io, int fd, size_t *watch);
void alm_io_unwatch(alm_io *io, size_t *watch); // when fd is closed; accepts 0

// A watch of many descriptors, each under a number of its user's, who takes what it was told of
// them. Else as alm_io_watch; *watch stays 0 if there is no memory.
void alm_io_watch_many(alm_io *io, size_t *watch);
// From now on, or otherwise than before, and in any case told again of what is so now. events:
// EPOLL bits. Closing fd ends it. False: the system has no memory for it, or too many are watched.
ALM_MUST_USE bool alm_io_watch_fd(alm_io *io, size_t watch, int fd, uint32_t events, uint32_t tag);
typedef struct alm_io_event {
    uint32_t tag, events; // EPOLL bits, each told once
} alm_io_event;
typedef struct alm_io_told {
    alm_io_event events[ALM_IO_TOLD_COUNT_MAX];
    size_t count;
    bool is_lossy; // there were more: anything may have happened to any
} alm_io_told;
void alm_io_take_told(alm_io *io, size_t watch, alm_io_told *ret);

bool alm_epoll_set(int epoll, int fd, uint32_t events, uint64_t data); // anew, or otherwise

// Whether it was told since it was asked last. True also if that is not known.
bool alm_io_take_ready(alm_io *io, size_t watch);

// The time; on the I/O thread that of the frame it is at work on, since asking the clock costs more
// than much of what is done in between.
int64_t alm_io_now_us(const alm_io *io);
void alm_io_tick(alm_io *io); // the I/O thread comes to the next frame

// One turn where there is no thread: waits for events for at most wait_us. Returns when the next is
// due.
int64_t alm_io_turn(alm_io *io, int64_t wait_us);

#endif
