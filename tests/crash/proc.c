#include "proc.h"

#include "alm/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alm/assert.h"

extern char **environ;

#define ENVIRON_MAX 256

int64_t proc_now_ms(void)
{
    alm_clock clock = alm_clock_system();
    return alm_clock_mono_ms(&clock);
}

void proc_pause_us(int64_t us)
{
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    (void)ppoll(NULL, 0, &time, NULL);
}

bool proc_read(int fd, void *data, size_t len, int64_t until_ms)
{
    size_t got = 0;
    while (got < len) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t left_ms = ALM_MAX(until_ms - proc_now_ms(), 0);
        if (poll(&ready, 1, (int)left_ms) != 1) {
            return false;
        }
        ssize_t n = read(fd, (char *)data + got, len - got);
        if (n <= 0) {
            return false;
        }
        got += (size_t)n;
    }
    return true;
}

// --- starting ------------------------------------------------------------------------------------

// The environment with the library in front; in `out`. A sanitizer wants to be first, and can do
// without.
static void add_preload(char **out, char *preload)
{
    static char sanitizer[] = "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0";
    size_t count = 0;
    for (char **it = environ; *it != NULL; it++) {
        ALM_ASSERT(count + 3 < ENVIRON_MAX);
        if (strncmp(*it, "ASAN_OPTIONS=", 13) != 0) {
            out[count++] = *it;
        }
    }
    out[count++] = preload;
    out[count++] = sanitizer;
    out[count] = NULL;
}

// posix_spawn takes words it does not write to as char *.
static char *const *as_argv(const char *const *words)
{
    union {
        const char *const *in;
        char *const *out;
    } argv = {.in = words};
    return argv.out;
}

static int spawn(pid_t *pid, const char *path, const char *const *words, int out_fd,
                 const char *preload)
{
    char variable[4096];
    char *env[ENVIRON_MAX];
    posix_spawn_file_actions_t actions;
    ALM_ASSERT(posix_spawn_file_actions_init(&actions) == 0);
    if (out_fd >= 0) {
        ALM_ASSERT(posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO) == 0);
    }
    if (preload != NULL) {
        snprintf(variable, sizeof variable, "LD_PRELOAD=%s", preload);
        add_preload(env, variable);
    }
    int error =
        posix_spawn(pid, path, &actions, NULL, as_argv(words), preload != NULL ? env : environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

pid_t proc_start(const char *const *words, int out_fd, const char *preload)
{
    pid_t pid;
    const char *argv[PROC_ARG_MAX + 2] = {"crash_test"};
    for (size_t i = 0; words[i] != NULL; i++) {
        ALM_ASSERT(i < PROC_ARG_MAX);
        argv[i + 1] = words[i];
    }
    int error = spawn(&pid, "/proc/self/exe", argv, out_fd, preload);
    if (error != 0) {
        fprintf(stderr, "starting %s: %s\n", words[0], strerror(error));
        abort();
    }
    return pid;
}

int proc_run(const char *const *words)
{
    pid_t pid;
    int status;
    if (spawn(&pid, words[0], words, -1, NULL) != 0 || waitpid(pid, &status, 0) != pid) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// --- waiting -------------------------------------------------------------------------------------

int proc_wait(pid_t pid, int64_t timeout_ms, bool *ret_hung)
{
    int status;
    int64_t until_ms = proc_now_ms() + timeout_ms;
    *ret_hung = false;
    for (int64_t pause_us = 200;; pause_us = ALM_MIN(pause_us * 2, 10000)) {
        pid_t ended = waitpid(pid, &status, WNOHANG);
        ALM_ASSERT(ended >= 0);
        if (ended == pid) {
            return status;
        }
        if (proc_now_ms() > until_ms) {
            break;
        }
        proc_pause_us(pause_us);
    }
    *ret_hung = true;
    kill(pid, SIGKILL);
    ALM_ASSERT(waitpid(pid, &status, 0) == pid);
    return status;
}

bool proc_wait_ok(pid_t pid, int64_t timeout_ms, const char *what)
{
    bool hung;
    int status = proc_wait(pid, timeout_ms, &hung);
    if (hung) {
        fprintf(stderr, "%s: no end after %lld ms\n", what, (long long)timeout_ms);
    } else if (WIFSIGNALED(status)) {
        fprintf(stderr, "%s: %s\n", what, strsignal(WTERMSIG(status)));
    }
    return !hung && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// --- memory --------------------------------------------------------------------------------------

void *proc_map(int fd, size_t len)
{
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ALM_ASSERT(memory != MAP_FAILED);
    return memory;
}

void *proc_share(size_t len, int *ret_fd)
{
    *ret_fd = memfd_create("shared", 0);
    ALM_ASSERT(*ret_fd >= 0);
    ALM_ASSERT(ftruncate(*ret_fd, (off_t)len) == 0);
    return proc_map(*ret_fd, len);
}

// --- load ----------------------------------------------------------------------------------------

void proc_load_start(proc_load *load)
{
    static const char *const words[] = {"busy", NULL};
    int cores = ALM_MIN(get_nprocs(), (int)ALM_ARRAY_LEN(load->pids));
    for (load->count = 0; load->count < cores; load->count++) {
        load->pids[load->count] = proc_start(words, -1, NULL);
    }
}

void proc_load_stop(proc_load *load)
{
    for (int i = 0; i < load->count; i++) {
        kill(load->pids[i], SIGKILL);
        (void)waitpid(load->pids[i], NULL, 0);
    }
    load->count = 0;
}
