// What writers said they did. It lives in memory that the process which watches the writers shares
// with the one that checks the store afterwards.
#ifndef CRASH_LEDGER_H
#define CRASH_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#define LEDGER_STEP_MAX 65536
#define LEDGER_NO_STEP  UINT32_MAX // of a report: the store was not opened

typedef enum ledger_state {
    LEDGER_NEVER = 0, // nobody has tried
    LEDGER_BEGUN,     // somebody was about to
    LEDGER_DONE,      // the store said it is done
    LEDGER_REFUSED,   // the store said it is not
} ledger_state;

typedef struct ledger_step {
    uint8_t state;     // ledger_state
    uint64_t sequence; // as acknowledged; 0: not told, or no batch
} ledger_step;

typedef struct ledger {
    uint64_t seed;
    uint32_t next;     // the first step that nobody has tried
    uint32_t done;     // steps, in all
    uint64_t sequence; // the highest acknowledged
    ledger_step steps[LEDGER_STEP_MAX];
} ledger;

// One line of a writer: before it does step n, and after.
typedef struct ledger_report {
    uint32_t n;
    uint8_t state;
    uint8_t code;     // alm_code, of one that is REFUSED
    uint8_t replayed; // the store said it had this batch already
    uint64_t sequence;
    char message[128]; // of one that is REFUSED
} ledger_report;

// Begins anew: an empty store with another seed.
void ledger_reset(ledger *l, uint64_t seed);

// What the store could not do may be done nevertheless: when the disk went away, nobody knows.
void ledger_doubt_refusals(ledger *l);

// False: the report cannot be true (and *ret_why says why).
bool ledger_take(ledger *l, const ledger_report *report, const char **ret_why);

#endif
