// The conformance suite's server as a process, for a client in another language to call.
//
//   echo_peer ADDRESS libzmq|own COMMAND...
//
// Runs the command with the address that was taken as its first further argument, and ends as it
// ends.
#include "echo_server.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 16 };

static int run(char **command, int count, char *address)
{
    char *arguments[ARGUMENTS_MAX + 1] = {command[0], command[1], address};
    for (int i = 2; i < count; i++) {
        arguments[i + 1] = command[i];
    }
    pid_t child = fork();
    if (child == 0) {
        execv(arguments[0], arguments);
        perror(arguments[0]);
        _exit(127);
    }
    int status = 1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    alm_rpc *rpc;
    alm_status st;
    if (argc < 5 || argc - 3 >= ARGUMENTS_MAX) {
        fprintf(stderr, "usage: echo_peer ADDRESS libzmq|own PROGRAM SCRIPT [ARGUMENT]...\n");
        return 2;
    }
    const alm_rpc_opts opts = {.uses_libzmq = strcmp(argv[2], "libzmq") == 0};
    if (alm_rpc_create(&opts, &rpc, &st) != ALM_OK) {
        fprintf(stderr, "echo_peer: %s\n", st.message);
        return 1;
    }
    echo_server echo = {.name = "peer"};
    echo_start(&echo, rpc, argv[1], NULL);
    alm_channel *itself = NULL; // where Relay goes
    int code = 1;
    if (alm_channel_open(rpc, echo.address, NULL, &itself, &st) == ALM_OK) {
        echo.next = itself;
        code = run(argv + 3, argc - 3, echo.address);
    } else {
        fprintf(stderr, "echo_peer: %s\n", st.message);
    }
    alm_channel_close(&itself);
    echo_stop(&echo);
    alm_rpc_destroy(&rpc);
    return code;
}
