// The I/O thread of a process: every socket of its servers and channels is used by it alone, so
// that a call which is passed on from a server to a channel crosses no thread.
//
// A turn: each part does what is due and sends what is queued, the thread waits until something can
// be received or is due again, and each part receives. What arrives together is thereby answered
// together.
//
// Threading: one lock, alm_rpc's, guards what the I/O thread shares with callers and handlers.
#ifndef ALM_RPC_IO_H
#define ALM_RPC_IO_H

#include "alm/clock.h"
#include "sync.h"

#define ALM_IO_PART_COUNT_MAX 64 // servers of a process, and its client

typedef struct alm_io alm_io;
typedef struct alm_io_part alm_io_part;
struct alm_io_part {
    // Without the lock, on the I/O thread. Adds with alm_io_watch what to wait for, and returns
    // when it wants its next turn at the latest; not after now_us: at once.
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
bool alm_io_is_here(const alm_io *io); // whether this is the I/O thread
// Within a turn: ends the wait when fd is readable. Returns what alm_io_is_ready is asked with.
size_t alm_io_watch(alm_io *io, int fd);
// When receiving: whether it was. True also if that is not known.
bool alm_io_is_ready(const alm_io *io, size_t watch);

// The time; on the I/O thread that of the frame it is at work on, since asking the clock costs more
// than much of what is done in between.
int64_t alm_io_now_us(const alm_io *io);
void alm_io_tick(alm_io *io); // the I/O thread comes to the next frame

// One turn where there is no thread: waits for events for at most wait_us. Returns when the next is
// due.
int64_t alm_io_turn(alm_io *io, int64_t wait_us);

#endif
