#include "alm/clock.h"

#include "alm/assert.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_SECOND INT64_C(1000000)
#define SECONDS_A_DAY INT64_C(86400)

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    int answer = clock_gettime(id, &now);
    ALM_ASSERT(answer == 0);
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

static int64_t system_mono_us(void *self)
{
    (void)self;
    return read_us(CLOCK_MONOTONIC);
}

static int64_t system_wall_us(void *self)
{
    (void)self;
    return read_us(CLOCK_REALTIME);
}

alm_clock alm_clock_system(void)
{
    return (alm_clock){.mono_us = system_mono_us, .wall_us = system_wall_us};
}

static int64_t fake_us(void *self)
{
    return *(const int64_t *)self;
}

alm_clock alm_clock_fake(int64_t *now_us)
{
    ALM_ASSERT(now_us != NULL);
    return (alm_clock){.mono_us = fake_us, .wall_us = fake_us, .self = now_us};
}

// Rounds down, also before 1970.
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int32_t alm_clock_today(const alm_clock *clock)
{
    return (int32_t)floor_div(clock->wall_us(clock->self), US_PER_SECOND * SECONDS_A_DAY);
}

int32_t alm_clock_today_in_china(const alm_clock *clock)
{
    const int64_t ahead_us = INT64_C(8) * 3600 * US_PER_SECOND;
    int64_t day_us = US_PER_SECOND * SECONDS_A_DAY;
    return (int32_t)floor_div(clock->wall_us(clock->self) + ahead_us, day_us);
}

void alm_clock_format_rfc3339(int64_t wall_us, char out[ALM_TIMESTAMP_MAX])
{
    time_t seconds = (time_t)floor_div(wall_us, US_PER_SECOND);
    int64_t rest_us = wall_us % US_PER_SECOND;
    int ms = (int)((rest_us < 0 ? rest_us + US_PER_SECOND : rest_us) / 1000);
    struct tm utc;
    ALM_ASSERT(gmtime_r(&seconds, &utc) != NULL); // any int64 of microseconds has a year that fits
    char text[96];                                // what the format could take by its types alone
    int len = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ms);
    ALM_ASSERT(len > 0 && len < ALM_TIMESTAMP_MAX);
    memcpy(out, text, (size_t)len + 1);
}
