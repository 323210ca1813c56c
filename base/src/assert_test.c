// An assertion that fails ends the process with SIGABRT and says where; one that holds does
// nothing.
#include "alm/assert.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

// Asserts number == 1 in a child; its wait status, and what it said in ret_said.
static int child_status(int number, char *ret_said, size_t size)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        // cmocka and the sanitizers would catch the signal; the child wants to die of it.
        (void)signal(SIGABRT, SIG_DFL);
        const struct rlimit no_core = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &no_core);
        dup2(fds[1], STDERR_FILENO);
        ALM_ASSERT(number == 1);
        _exit(0);
    }
    close(fds[1]);
    ssize_t len = read(fds[0], ret_said, size - 1);
    ret_said[len > 0 ? len : 0] = '\0';
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void a_false_condition_aborts(void **state)
{
    (void)state;
    char said[512];
    int status = child_status(2, said, sizeof said);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, "assert_test.c:"));
    assert_non_null(strstr(said, "assertion failed: number == 1\n"));
}

static void a_true_condition_does_nothing(void **state)
{
    (void)state;
    char said[512];
    int status = child_status(1, said, sizeof said);
    assert_true(WIFEXITED(status));
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_false_condition_aborts),
        cmocka_unit_test(a_true_condition_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
