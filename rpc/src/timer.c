#include "timer.h"

#include "alm/alloc.h"

#define CAP_MIN ((size_t)16)

void alm_timers_deinit(alm_timers *timers)
{
    ALM_ASSERT(timers->count == 0);
    alm_free(timers->heap);
    *timers = (alm_timers){0};
}

static void put(alm_timers *timers, size_t at, alm_timer *timer)
{
    timers->heap[at] = timer;
    timer->index = at;
}

static void sift_up(alm_timers *timers, size_t at, alm_timer *timer)
{
    while (at > 1 && timers->heap[at / 2]->at_us > timer->at_us) {
        put(timers, at, timers->heap[at / 2]);
        at /= 2;
    }
    put(timers, at, timer);
}

static void sift_down(alm_timers *timers, size_t at, alm_timer *timer)
{
    for (size_t child; (child = at * 2) <= timers->count; at = child) {
        if (child < timers->count && timers->heap[child + 1]->at_us < timers->heap[child]->at_us) {
            child++;
        }
        if (timers->heap[child]->at_us >= timer->at_us) {
            break;
        }
        put(timers, at, timers->heap[child]);
    }
    put(timers, at, timer);
}

bool alm_timer_set(alm_timers *timers, alm_timer *timer, int64_t at_us)
{
    ALM_ASSERT(timer->index == 0);
    if (timers->count + 1 >= timers->cap) {
        size_t cap = ALM_MAX(timers->cap * 2, CAP_MIN);
        alm_timer **heap = alm_realloc(timers->heap, cap * sizeof(alm_timer *));
        if (heap == NULL) {
            return false;
        }
        timers->heap = heap;
        timers->cap = cap;
    }
    timer->at_us = at_us;
    sift_up(timers, ++timers->count, timer);
    return true;
}

void alm_timer_clear(alm_timers *timers, alm_timer *timer)
{
    size_t at = timer->index;
    if (at == 0) {
        return;
    }
    timer->index = 0;
    alm_timer *last = timers->heap[timers->count--];
    if (last == timer) {
        return;
    }
    if (at > 1 && timers->heap[at / 2]->at_us > last->at_us) {
        sift_up(timers, at, last);
    } else {
        sift_down(timers, at, last);
    }
}

alm_timer *alm_timers_next(const alm_timers *timers)
{
    return timers->count > 0 ? timers->heap[1] : NULL;
}
