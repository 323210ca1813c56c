// Runs modules as a process: options, log, endpoints, signals, drain.
#ifndef ALM_RUNNER_H
#define ALM_RUNNER_H

#include "alm/module.h"

typedef struct alm_runner_opts {
    const char *program;              // "almanac-storage"
    const char *summary;              // one line for --help
    const alm_module *const *modules; // NULL-terminated; started by needs, stopped in reverse
    bool in_process;                  // modules meet over inproc:// instead of the network
} alm_runner_opts;

// Parses argv, starts the modules, prints one line "NAME ready at ADDRESS" on stderr through the
// log, waits for SIGTERM or SIGINT, drains within --drain-timeout (default 10s), returns the exit
// code. A second signal ends the process at once. `--health` asks a running service at --bind
// instead and exits 0 or 4; this is what container health checks call.
int alm_runner_main(const alm_runner_opts *opts, int argc, char **argv);

#endif
