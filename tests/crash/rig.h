// The folder, the ledger and the writers of one run, and what a run is told on the command line.
#ifndef CRASH_RIG_H
#define CRASH_RIG_H

#include "ledger.h"
#include "proc.h"
#include "random.h"

#include "alm/store.h"

#define RIG_SKIPPED 77 // exit status: this machine does not allow it

typedef struct rig_opts {
    uint64_t seed;
    uint32_t cycles;
    bool is_control;    // the one that must lose
    const char *shim;   // library to preload where a run needs it
    const char *detail; // which part of a run; "" for all
} rig_opts;

typedef struct rig {
    crash_random random;
    char dir[128]; // the store's
    ledger *l;
    int ledger_fd;
    bool may_refuse; // the writers' steps
    uint32_t generations;
    uint64_t done; // steps, in the generations before
    pid_t writer;
    int reports; // pipe's end
} rig;

void rig_init(rig *r, uint64_t seed, const char *dir);
void rig_deinit(rig *r);

// Empties the folder and puts a new store there, with another seed for the steps.
bool rig_new_store(rig *r);
// A new one when the store has grown so that checking it takes long.
bool rig_renew_store(rig *r);
void rig_remove_store(const char *dir); // all that is in the folder, not the folder

// Starts a writer with some threads. preload as proc_start.
void rig_start_writer(rig *r, const char *preload);
// Takes reports for a random time, of which some end before the first report and the others
// after. False: the writer said what cannot be true; told on stderr.
bool rig_watch(rig *r, int64_t us_max);
// Takes what is still in the pipe of a writer that has ended.
bool rig_drain(rig *r);
// In a process of its own.
bool rig_check(rig *r);

uint64_t rig_done(const rig *r);

// Whether a part of a run is wanted: --only names one, nothing named is all.
bool rig_is_part(const rig_opts *opts, const char *part);

#endif
