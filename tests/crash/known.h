// What a store of known steps holds, row by row, and what a damaged copy of it comes to.
#ifndef CRASH_KNOWN_H
#define CRASH_KNOWN_H

#include "work.h"

#define KNOWN_STEP_MAX 1024
#define KNOWN_WHY_MAX  128

// Summed up over an answer: no two answers that differ come to the same, but for one in 2^64.
typedef struct known_sum {
    uint64_t count, marks;
} known_sum;

typedef struct known {
    uint64_t seed;
    uint32_t steps;
    uint64_t sequence;
    known_sum vintages, current, log, catalog;
    // By day, variant and place: the batch whose row is current there, plus one; 0: none.
    uint16_t winners[KNOWN_STEP_MAX][WORK_VARIANT_COUNT][WORK_PLACE_COUNT];
} known;

// In the order of how bad they are.
typedef enum verdict {
    VERDICT_SAME = 10, // all is served as it was, and verify is content
    VERDICT_NOTICED,   // all is served as it was, and verify has found the damage
    VERDICT_REFUSED,   // the store was not opened
    VERDICT_TOLD,      // a read said that a record is damaged; all it gave was right
    VERDICT_FOUND,     // rows are missing, no read said so, verify did: bad enough
    VERDICT_HIDDEN,    // rows are missing, and nothing said so
    VERDICT_WRONG,     // a value that nobody stored there, or one that is not the current one
    VERDICT_END
} verdict;

// Reads everything of an undamaged store and keeps it. False: it cannot be read; told on stderr.
bool known_learn(known *k, const char *dir);
// Reads everything of a copy; why (KNOWN_WHY_MAX bytes) says what was noticed.
verdict known_judge(const known *k, const char *dir, char *why);

#endif
