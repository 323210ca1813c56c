// The newest state of the store that somebody has seen of late: what they are answered next is not
// of an older one.
//
// Workers answer of a state that was the newest a moment ago, each of its own. That is soon over,
// so what was seen is forgotten soon, and a store that was put back to an earlier state is waited
// for no longer than that.
//
// Threading: may be shared.
#ifndef ALM_SEEN_H
#define ALM_SEEN_H

#include <stdatomic.h>
#include <stdint.h>

#define ALM_SEEN_MS 10000 // longer than a worker answers of what it has not heard of

// Zero: nothing was seen.
typedef struct alm_seen {
    _Atomic uint64_t sequence;
    _Atomic int64_t until_us;
} alm_seen;

// The sequence that is to be waited for; 0: none. now_us: monotonic.
static inline uint64_t alm_seen_sequence(alm_seen *seen, int64_t now_us)
{
    uint64_t sequence = atomic_load(&seen->sequence);
    return now_us < atomic_load(&seen->until_us) ? sequence : 0;
}

// sequence 0: of no state.
static inline void alm_seen_note(alm_seen *seen, uint64_t sequence, int64_t now_us)
{
    uint64_t known = atomic_load(&seen->sequence);
    if (sequence == 0) {
        return;
    }
    if (now_us >= atomic_load(&seen->until_us)) { // what was forgotten is no bound
        (void)atomic_compare_exchange_strong(&seen->sequence, &known, 0);
        known = 0;
    }
    atomic_store(&seen->until_us, now_us + INT64_C(1000) * ALM_SEEN_MS);
    while (known < sequence && !atomic_compare_exchange_weak(&seen->sequence, &known, sequence)) {}
}

#endif
