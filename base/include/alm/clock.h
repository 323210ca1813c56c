// Time as a value that is handed down, so that tests and the simulator can hold it in their hand.
#ifndef ALM_CLOCK_H
#define ALM_CLOCK_H

#include <stdint.h>

typedef struct alm_clock {
    int64_t (*mono_us)(void *self); // never goes back; for deadlines and durations
    int64_t (*wall_us)(void *self); // microseconds since 1970-01-01 UTC; for people
    void *self;
} alm_clock;

alm_clock alm_clock_system(void);

// A clock that moves when told. *now_us must outlive the clock.
alm_clock alm_clock_fake(int64_t *now_us);

static inline int64_t alm_clock_mono_ms(const alm_clock *clock)
{
    return clock->mono_us(clock->self) / 1000;
}

// Today as days since 1970-01-01 UTC.
int32_t alm_clock_today(const alm_clock *clock);
// Today in China (UTC+8): the day on which a question is asked, and that figures are published on.
int32_t alm_clock_today_in_china(const alm_clock *clock);

// "2026-11-24T06:30:00.123Z"
#define ALM_TIMESTAMP_MAX 32
void alm_clock_format_rfc3339(int64_t wall_us, char out[ALM_TIMESTAMP_MAX]);

#endif
