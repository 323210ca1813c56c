// The Echo service as a process of its own, with limits small enough to be reached:
//
//   load_server CONNECTIONS
//
// Says its address on standard output, serves until standard input ends, and then ends with 0.
#include "load.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    alm_rpc *rpc;
    alm_status st;
    if (argc != 2) {
        fprintf(stderr, "usage: load_server CONNECTIONS\n");
        return 2;
    }
    load_raise_descriptors();
    mallopt(M_MMAP_THRESHOLD, 32 << 20); // as the services do
    mallopt(M_TRIM_THRESHOLD, 128 << 20);
    const alm_rpc_opts opts = {.limits = load_limits(strtoul(argv[1], NULL, 10))};
    if (alm_rpc_create(&opts, &rpc, &st) != ALM_OK) {
        fprintf(stderr, "load_server: %s\n", st.message);
        return 1;
    }
    echo_server echo = {.name = "load"};
    echo_start(&echo, rpc, "tcp://127.0.0.1:0", NULL);
    printf("%s\n", echo.address);
    fflush(stdout);
    char ignored;
    while (read(STDIN_FILENO, &ignored, 1) > 0) {}
    echo_stop(&echo);
    alm_rpc_destroy(&rpc);
    return 0;
}
