// Runs modules as a process: options, log, endpoints, limits, signals, drain.
//
// What calls may take at most is set for the whole process by --rpc-message-bytes-max and the other
// --rpc-... options, one for each field of alm_rpc_limits.
#ifndef ALM_RUNNER_H
#define ALM_RUNNER_H

#include "alm/module.h"

typedef struct alm_runner_opts {
    const char *program;              // "almanac-storage"
    const char *summary;              // for --help: what it does, one line
    const alm_module *const *modules; // NULL-terminated; at most ALM_RUNNER_MODULE_COUNT_MAX
    // NULL: the one module is reached over the network at --bind, and reaches others at --storage,
    // --ingestion and --aggregation. Else all modules live in this process, meet over inproc, and
    // the named one is reached at --bind as well.
    const char *in_process_door;
} alm_runner_opts;

#define ALM_RUNNER_MODULE_COUNT_MAX 8

// Parses argv, starts the modules in the order of their needs, logs "ready", waits for SIGTERM or
// SIGINT, drains within --drain-timeout, stops in reverse order and returns the exit code of the
// process. A second signal ends the process at once.
//
// --health asks the running service at --bind and exits 0 (serving) or 4: for container health
// checks.
int alm_runner_main(const alm_runner_opts *opts, int argc, char **argv);

#endif
