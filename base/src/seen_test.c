// Goal: the newest state of late is waited for, and no other.
#include "alm/seen.h"

#include "alm/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS INT64_C(1000)

typedef struct seen_row {
    const char *name;
    struct {
        uint64_t sequence;
        int64_t at_us;
    } notes[3];
    int64_t at_us;
    uint64_t want;
} seen_row;

static const seen_row rows[] = {
    {"nothing", {{0, 0}}, 0, 0},
    {"what was seen", {{7, 5}}, 5, 7},
    {"until it is forgotten", {{7, 5}}, 4 + ALM_SEEN_MS *MS, 7},
    {"forgotten", {{7, 5}}, 5 + ALM_SEEN_MS *MS, 0},
    {"the newest", {{7, 5}, {9, 6}, {8, 7}}, 8, 9},
    {"of no state", {{7, 5}, {0, 5 + ALM_SEEN_MS *MS}}, 5 + ALM_SEEN_MS *MS, 0},
    {"seen again, longer", {{7, 5}, {6, 100}}, 50 + ALM_SEEN_MS *MS, 7},
    {"an earlier state later", {{7, 5}, {2, 5 + ALM_SEEN_MS *MS}}, 6 + ALM_SEEN_MS *MS, 2},
};

static void remembers(void **state)
{
    const seen_row *row = *state;
    alm_seen seen = {0};
    for (size_t i = 0; i < ALM_ARRAY_LEN(row->notes); i++) {
        alm_seen_note(&seen, row->notes[i].sequence, row->notes[i].at_us);
    }
    assert_int_equal(alm_seen_sequence(&seen, row->at_us), row->want);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(rows)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = remembers,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}
