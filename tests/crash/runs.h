// The runs: each is a word on the command line and says at its end what it did, in a line.
#ifndef CRASH_RUNS_H
#define CRASH_RUNS_H

#include "rig.h"

int run_damage(const rig_opts *opts);
int run_faults(const rig_opts *opts);
int run_full(const rig_opts *opts);
int run_kill(const rig_opts *opts);
int run_lies(const rig_opts *opts);
int run_power(const rig_opts *opts);

#endif
