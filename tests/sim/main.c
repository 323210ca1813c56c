// sim_rpc [--seed N] [--count N] [--seeds FILE] [--trace]
//
// Runs the seeds N, N+1, ...: from 1 and 300 of them, or those that the file lists, one a line.
// Stops at the first finding with exit code 1; 2: wrong usage.
#include "heap.h"
#include "sim.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SEED_SECONDS_MAX 60 // one takes milliseconds
#define HEAP_KEPT_BYTES  (64 << 20)

static char last_words[96];

// An assertion, a crash or an endless loop in the code under test.
static void die(int signal_number)
{
    ssize_t ignored = write(STDERR_FILENO, last_words, strlen(last_words));
    (void)ignored;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void run(uint64_t seed, bool trace, sim_result *total)
{
    snprintf(last_words, sizeof last_words,
             "seed %llu dies; to see it again: sim_rpc --seed %llu --trace\n",
             (unsigned long long)seed, (unsigned long long)seed);
    alarm(SEED_SECONDS_MAX);
    long before = sim_heap_live();
    sim_run(seed, trace, total);
    long left = sim_heap_live() - before;
    if (left != 0) {
        printf("seed %llu: %ld blocks of the heap are left\n", (unsigned long long)seed, left);
        fflush(stdout);
        _exit(1);
    }
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void report(uint64_t seeds, double seconds, const sim_result *total)
{
    const sim_net_counts *net = &total->net;
    printf("%llu seeds in %.1f s, %.0f a second: %llu calls, %llu closed early; ended with",
           (unsigned long long)seeds, seconds, (double)seeds / seconds,
           (unsigned long long)total->calls, (unsigned long long)total->closed);
    for (int i = 0; i < ALM_CODE_COUNT; i++) {
        if (total->ended[i] > 0) {
            printf(" %s %llu", alm_code_name((alm_code)i), (unsigned long long)total->ended[i]);
        }
    }
    printf("; %llu frames: %llu dropped, %llu delayed, %llu overtaken, %llu repeated; %llu cuts, "
           "%llu silences, %llu times full\n",
           (unsigned long long)net->frames, (unsigned long long)net->dropped,
           (unsigned long long)net->delayed, (unsigned long long)net->overtaken,
           (unsigned long long)net->duplicated, (unsigned long long)net->cut,
           (unsigned long long)net->silenced, (unsigned long long)net->full);
    fflush(stdout);
}

static int run_range(uint64_t first, uint64_t count, bool trace)
{
    sim_result total = {0};
    double start_s = now_s(), said_s = start_s;
    for (uint64_t i = 0; i < count; i++) {
        run(first + i, trace, &total);
        if (now_s() - said_s > 10) {
            said_s = now_s();
            report(i + 1, said_s - start_s, &total);
        }
    }
    report(count, now_s() - start_s, &total);
    return EXIT_SUCCESS;
}

static int run_list(const char *path, bool trace)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "sim_rpc: cannot read %s: %s\n", path, strerror(errno));
        return 2;
    }
    sim_result total = {0};
    double start_s = now_s();
    uint64_t count = 0;
    char line[256];
    while (fgets(line, sizeof line, file) != NULL) {
        char *end;
        uint64_t seed = strtoull(line, &end, 10);
        if (end != line) {
            run(seed, trace, &total);
            count++;
        }
    }
    fclose(file);
    report(count, now_s() - start_s, &total);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    uint64_t first = 1, count = 300;
    const char *list = NULL;
    bool trace = false, has_count = false;
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--trace") == 0) {
            trace = true;
        } else if (strcmp(argv[i], "--seed") == 0 && has_value) {
            first = strtoull(argv[++i], NULL, 10);
            count = has_count ? count : 1;
        } else if (strcmp(argv[i], "--count") == 0 && has_value) {
            count = strtoull(argv[++i], NULL, 10);
            has_count = true;
        } else if (strcmp(argv[i], "--seeds") == 0 && has_value) {
            list = argv[++i];
        } else {
            fprintf(stderr,
                    "sim_rpc: '%s' is not known; there is [--seed N] [--count N] "
                    "[--seeds FILE] [--trace]\n",
                    argv[i]);
            return 2;
        }
    }
    mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES); // the next seed needs it again
    signal(SIGABRT, die);
    signal(SIGSEGV, die);
    signal(SIGALRM, die);
    return list != NULL ? run_list(list, trace) : run_range(first, count, trace);
}
