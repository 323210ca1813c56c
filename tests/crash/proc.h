// Processes of this program: each is the program itself with another first word, so that what is
// killed holds nothing of the one that watches.
#ifndef CRASH_PROC_H
#define CRASH_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_ARG_MAX 12

// Starts this program with the words (ended by NULL). The child's stdout goes to out_fd when that
// is not -1. preload: a shared library to load before all others, or NULL. Children end with
// their parent. Aborts when no process can be started.
pid_t proc_start(const char *const *words, int out_fd, const char *preload);
// Starts another program by path; waits for it. Its exit status; -1: could not be run.
int proc_run(const char *const *words);
// Its wait status. timeout_ms: then it is killed, and *ret_hung is true.
int proc_wait(pid_t pid, int64_t timeout_ms, bool *ret_hung);
// Waits for one that is to end well. False: told on stderr how it ended.
bool proc_wait_ok(pid_t pid, int64_t timeout_ms, const char *what);

// Memory that a child can map by the number *ret_fd. Aborts when there is none.
void *proc_share(size_t len, int *ret_fd);
void *proc_map(int fd, size_t len);

// One process for each core that does nothing but run.
typedef struct proc_load {
    pid_t pids[64];
    int count;
} proc_load;
void proc_load_start(proc_load *load);
void proc_load_stop(proc_load *load);

int64_t proc_now_ms(void);
// Waits by poll.
void proc_pause_us(int64_t us);
// Reads len bytes by until_ms. False: the end, or too late.
bool proc_read(int fd, void *data, size_t len, int64_t until_ms);

#endif
