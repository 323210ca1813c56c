#include "apart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

// What the child tells: problems, then how it ended.
typedef struct told {
    bool is_end;
    alm_code code;
    alm_verify_result result;
    alm_status status; // a problem's text is its message
} told;

// --- the child -----------------------------------------------------------------------------------

static void tell(int fd, const told *what)
{
    const uint8_t *bytes = (const uint8_t *)what;
    for (size_t at = 0; at < sizeof *what;) {
        ssize_t len = write(fd, bytes + at, sizeof *what - at);
        if (len <= 0 && errno != EINTR) {
            _exit(1);
        }
        at += len > 0 ? (size_t)len : 0;
    }
}

static void tell_problem(void *arg, alm_str text)
{
    told what = {.status = ALM_STATUS_INIT};
    (void)alm_status_set(&what.status, ALM_DATA_LOSS, "%.*s", ALM_STR_ARGS(text));
    tell(*(const int *)arg, &what);
}

static void run_child(const alm_apart *apart, int fd)
{
    // Whatever handles these in this program, the child is to die of them.
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    for (size_t i = 0; i < ALM_ARRAY_LEN(deadly); i++) {
        (void)signal(deadly[i], SIG_DFL);
    }
    told end = {.is_end = true, .status = ALM_STATUS_INIT};
    end.code = apart->check(apart->arg, tell_problem, &fd, &end.result, &end.status);
    tell(fd, &end);
    _exit(0);
}

// --- the parent ----------------------------------------------------------------------------------

// False: the child tells nothing more.
static bool hear(int fd, told *ret)
{
    uint8_t *bytes = (uint8_t *)ret;
    for (size_t at = 0; at < sizeof *ret;) {
        ssize_t len = read(fd, bytes + at, sizeof *ret - at);
        if (len == 0 || (len < 0 && errno != EINTR)) {
            return false;
        }
        at += len > 0 ? (size_t)len : 0;
    }
    return true;
}

static void say_death(int status, alm_problem problem, void *problem_arg)
{
    char text[128];
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        snprintf(text, sizeof text, "the process that read it died by SIG%s",
                 name != NULL ? name : "?");
    } else {
        snprintf(text, sizeof text, "the process that read it ended with %d before it was done",
                 WEXITSTATUS(status));
    }
    if (problem != NULL) {
        problem(problem_arg, alm_str_from(text));
    }
}

static alm_code hear_all(int fd, pid_t child, alm_problem problem, void *problem_arg,
                         alm_verify_result *ret, alm_status *st)
{
    told what;
    int status = 0;
    uint64_t problems = 0;
    bool is_over = false;
    while (!is_over && hear(fd, &what)) {
        is_over = what.is_end;
        problems += !is_over;
        if (!is_over && problem != NULL) {
            problem(problem_arg, alm_str_from(what.status.message));
        }
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (!is_over) {
        say_death(status, problem, problem_arg);
        *ret = (alm_verify_result){.problems = problems + 1};
        return ALM_OK;
    }
    *ret = what.result;
    return what.code == ALM_OK ? ALM_OK : alm_status_copy(st, &what.status);
}

alm_code alm_apart_run(const alm_apart *apart, alm_problem problem, void *problem_arg,
                       alm_verify_result *ret, alm_status *st)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return alm_status_from_errno(st, errno, "a pipe");
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run_child(apart, ends[1]);
    }
    close(ends[1]);
    alm_code code = child < 0 ? alm_status_from_errno(st, errno, "a process to verify in")
                              : hear_all(ends[0], child, problem, problem_arg, ret, st);
    close(ends[0]);
    return code;
}
