#include "timer.h"

#include "alm/alloc.h"

#define CAP_MIN ((size_t)16)

void alm_timers_deinit(alm_timers *timers)
{
    ALM_ASSERT(timers->count == 0);
    alm_free(timers->heap);
    *timers = (alm_timers){0};
}

static void put(alm_timers *timers, size_t at, alm_timer_slot slot)
{
    timers->heap[at] = slot;
    slot.timer->index = at;
}

static void sift_up(alm_timers *timers, size_t at, alm_timer_slot slot)
{
    while (at > 1 && timers->heap[at / 2].at_us > slot.at_us) {
        put(timers, at, timers->heap[at / 2]);
        at /= 2;
    }
    put(timers, at, slot);
}

static void sift_down(alm_timers *timers, size_t at, alm_timer_slot slot)
{
    for (size_t child; (child = at * 2) <= timers->count; at = child) {
        if (child < timers->count && timers->heap[child + 1].at_us < timers->heap[child].at_us) {
            child++;
        }
        if (timers->heap[child].at_us >= slot.at_us) {
            break;
        }
        put(timers, at, timers->heap[child]);
    }
    put(timers, at, slot);
}

static bool add(alm_timers *timers, alm_timer *timer, int64_t at_us)
{
    if (timers->count + 1 >= timers->cap) {
        size_t cap = ALM_MAX(timers->cap * 2, CAP_MIN);
        alm_timer_slot *heap = alm_realloc(timers->heap, cap * sizeof *heap);
        if (heap == NULL) {
            return false;
        }
        timers->heap = heap;
        timers->cap = cap;
    }
    sift_up(timers, ++timers->count, (alm_timer_slot){.at_us = at_us, .timer = timer});
    return true;
}

bool alm_timer_set(alm_timers *timers, alm_timer *timer, int64_t at_us)
{
    ALM_ASSERT(!timer->is_set);
    size_t at = timer->index;
    if (at == 0 && !add(timers, timer, at_us)) {
        return false;
    }
    if (at != 0 && timers->heap[at].at_us > at_us) {
        sift_up(timers, at, (alm_timer_slot){.at_us = at_us, .timer = timer});
    }
    timer->at_us = at_us;
    timer->is_set = true;
    return true;
}

void alm_timer_clear(alm_timer *timer)
{
    timer->is_set = false;
}

void alm_timer_remove(alm_timers *timers, alm_timer *timer)
{
    size_t at = timer->index;
    timer->is_set = false;
    if (at == 0) {
        return;
    }
    timer->index = 0;
    alm_timer_slot last = timers->heap[timers->count--];
    if (last.timer == timer) {
        return;
    }
    if (at > 1 && timers->heap[at / 2].at_us > last.at_us) {
        sift_up(timers, at, last);
    } else {
        sift_down(timers, at, last);
    }
}

alm_timer *alm_timers_due(alm_timers *timers, int64_t now_us)
{
    while (timers->count > 0 && timers->heap[1].at_us <= now_us) {
        alm_timer *timer = timers->heap[1].timer;
        if (timer->is_set && timer->at_us <= now_us) {
            return timer;
        }
        if (timer->is_set) {
            sift_down(timers, 1, (alm_timer_slot){.at_us = timer->at_us, .timer = timer});
        } else {
            alm_timer_remove(timers, timer);
        }
    }
    return NULL;
}

int64_t alm_timers_next_us(const alm_timers *timers)
{
    return timers->count > 0 ? timers->heap[1].at_us : INT64_MAX;
}
