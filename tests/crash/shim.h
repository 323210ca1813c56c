// What a test tells the preloaded library (shim.c). The test finds these by dlsym.
#ifndef CRASH_SHIM_H
#define CRASH_SHIM_H

#include <stdint.h>

#define SHIM_NO_SYNC "ALM_SHIM_NO_SYNC" // in the environment: no sync does anything

typedef enum shim_call {
    SHIM_NONE,
    SHIM_WRITE, // write, pwrite, writev, pwritev; of files
    SHIM_SYNC,  // fsync, fdatasync, msync
    SHIM_MAP,   // mmap of files
    SHIM_OPEN,
    SHIM_TRUNCATE,
    SHIM_CALL_COUNT
} shim_call;

// The n-th call of the kind from now fails with that errno (0: it does half), and with forever all
// after it. n 0: only counts.
void shim_arm(shim_call call, uint64_t n, int error, int forever);
uint64_t shim_disarm(void); // how many failed
uint64_t shim_calls(void);  // of the kind, since it was armed

#endif
