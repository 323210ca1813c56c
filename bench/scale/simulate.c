// Simulates deployments with more and more workers, for each kind of question of a file of costs,
// which script/bench query --where --costs makes:
//
//   simulate [OPTION]... COSTS
//     --workers N,N,...   1,2,4,8,16,32,64
//     --outstanding N     questions at once for each worker; 16
//     --gateways N        gateways that share the questions; 1
//     --cores N           of a gateway's and of storage's machine; 4
//     --seconds N         simulated, at least; 1
//
// COSTS has a header and a line for each kind: the fields of scale_costs (model.h) by their names,
// behind the name of the kind. Prints a table; the status is 1 where fewer than 32 workers can be
// kept at work by the gateways and storage.
#include "model.h"

#include "alm/str.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORKERS_COUNT_MAX = 16,
    NAME_BYTES_MAX = 32,
    LINE_BYTES_MAX = 512,
    WORKERS_WANTED = 32,
    QUESTIONS_EACH = 20
};

#define HEADER "case,parts,reads,gateway_us,worker_us,storage_us,read_bytes,answer_bytes\n"

typedef struct kind {
    char name[NAME_BYTES_MAX + 1];
    scale_costs costs;
} kind;

typedef struct options {
    size_t workers[WORKERS_COUNT_MAX];
    size_t workers_count;
    size_t outstanding; // for each worker
    scale_setup setup;
} options;

static void die(const char *what, const char *value)
{
    fprintf(stderr, "simulate: %s: %s\n", what, value);
    exit(2);
}

static size_t number(const char *option, const char *text, size_t max)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value < 1 || value > max) {
        fprintf(stderr, "simulate: --%s %s is not a number from 1 to %zu\n", option, text, max);
        exit(2);
    }
    return value;
}

static void workers_parse(const char *text, options *ret)
{
    alm_str rest = alm_str_from(text), part;
    ret->workers_count = 0;
    while (alm_str_split(&rest, ',', &part)) {
        int64_t count;
        if (!alm_str_to_i64(part, &count) || count < 1 || count > SCALE_WORKERS_MAX ||
            ret->workers_count == WORKERS_COUNT_MAX) {
            die("not numbers of workers", text);
        }
        ret->workers[ret->workers_count++] = (size_t)count;
    }
}

static const char *options_parse(int argc, char **argv, options *ret)
{
    static const struct option names[] = {
        {"workers", required_argument, NULL, 'w'},  {"outstanding", required_argument, NULL, 'o'},
        {"gateways", required_argument, NULL, 'g'}, {"cores", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},  {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 'w':
            workers_parse(optarg, ret);
            break;
        case 'o':
            ret->outstanding = number("outstanding", optarg, SCALE_OUTSTANDING_MAX);
            break;
        case 'g':
            ret->setup.gateways = number("gateways", optarg, SCALE_GATEWAYS_MAX);
            break;
        case 'c':
            ret->setup.gateway_cores = ret->setup.storage_cores = number("cores", optarg, 256);
            break;
        case 's':
            ret->setup.seconds = (double)number("seconds", optarg, 3600);
            break;
        default:
            exit(2);
        }
    }
    if (optind + 1 != argc || ret->workers_count == 0) {
        fputs("usage: simulate [--workers N,N,...] [--outstanding N] [--gateways N] [--cores N] "
              "[--seconds N] COSTS\n",
              stderr);
        exit(2);
    }
    return argv[optind];
}

// The next field of a line, at *at. False: it is not a number from 0 on.
static bool cost_parse(const char **at, double *ret)
{
    char *end;
    if (**at != ',') {
        return false;
    }
    *ret = strtod(*at + 1, &end);
    bool is_number = end > *at + 1 && isfinite(*ret) && *ret >= 0;
    *at = end;
    return is_number;
}

static bool kind_parse(const char *line, kind *ret)
{
    scale_costs *it = &ret->costs;
    double *const fields[] = {&it->parts,      &it->reads,      &it->gateway_us,  &it->worker_us,
                              &it->storage_us, &it->read_bytes, &it->answer_bytes};
    size_t name_len = strcspn(line, ",");
    const char *at = line + name_len;
    if (name_len == 0 || name_len > NAME_BYTES_MAX) {
        return false;
    }
    memcpy(ret->name, line, name_len);
    ret->name[name_len] = '\0';
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!cost_parse(&at, fields[i])) {
            return false;
        }
    }
    return strcmp(at, "\n") == 0 && it->parts >= 1 && it->parts <= SCALE_PARTS_MAX;
}

static scale_setup setup_of(const options *opts, size_t workers)
{
    scale_setup setup = opts->setup;
    setup.workers = workers;
    setup.outstanding = workers * opts->outstanding;
    if (setup.outstanding > SCALE_OUTSTANDING_MAX) {
        die("too many questions at once", "workers times --outstanding");
    }
    return setup;
}

// How many workers can be kept at work before something else is; *ret_first is that.
static double workers_at_work(const kind *of, const scale_setup *one, scale_station *ret_first)
{
    double largest_us = 0;
    for (int s = 0; s < SCALE_STATION_COUNT; s++) {
        double us = scale_demand_us(&of->costs, one, (scale_station)s);
        if (s != SCALE_WORKERS && us > largest_us) {
            largest_us = us;
            *ret_first = (scale_station)s;
        }
    }
    return scale_demand_us(&of->costs, one, SCALE_WORKERS) / largest_us;
}

static void kind_simulate(const kind *of, const options *opts, bool *ret_is_short)
{
    double first_s = 0;
    scale_setup one = setup_of(opts, 1);
    double alone_us = scale_demand_us(&of->costs, &one, SCALE_WORKERS);
    for (size_t i = 0; i < opts->workers_count; i++) {
        scale_setup setup = setup_of(opts, opts->workers[i]);
        setup.seconds =
            fmax(setup.seconds, QUESTIONS_EACH * (double)opts->outstanding * alone_us / 1e6);
        scale_result result;
        if (!scale_run(&of->costs, &setup, &result)) {
            die("no memory", of->name);
        }
        first_s = i == 0 ? result.questions_s / (double)setup.workers : first_s;
        printf("| `%s` | %zu | %.0f | %.1f | %.0f |", of->name, setup.workers, result.questions_s,
               result.questions_s / first_s, result.median_us);
        for (int s = 0; s < SCALE_STATION_COUNT; s++) {
            printf(" %.0f %% |", result.busy[s] * 100);
        }
        puts("");
    }
    scale_station first = SCALE_GATEWAY_IO;
    double count = workers_at_work(of, &one, &first);
    fprintf(stderr, "%s: %.0f workers can be kept at work, then it is %s\n", of->name, count,
            scale_station_name(first));
    *ret_is_short |= count < WORKERS_WANTED;
}

int main(int argc, char **argv)
{
    // What a message and a byte cost was measured by script/bench rpc: see ../README.md.
    options opts = {.workers = {1, 2, 4, 8, 16, 32, 64},
                    .workers_count = 7,
                    .outstanding = 16,
                    .setup = {.gateways = 1,
                              .gateway_cores = 4,
                              .storage_cores = 4,
                              .network_us = 30,
                              .wake_us = 6,
                              .message_us = 0.15,
                              .byte_us = 0.00025,
                              .seconds = 1,
                              .seed = 1}};
    const char *path = options_parse(argc, argv, &opts);
    FILE *file = fopen(path, "r");
    char line[LINE_BYTES_MAX];
    bool is_short = false;
    if (file == NULL || fgets(line, sizeof line, file) == NULL || strcmp(line, HEADER) != 0) {
        die("not a file of costs", path);
    }
    fputs("| case | workers | questions/s | to one worker | median us |", stdout);
    for (int s = 0; s < SCALE_STATION_COUNT; s++) {
        printf(" %s |", scale_station_name((scale_station)s));
    }
    puts("\n|---|---|---|---|---|---|---|---|---|---|");
    while (fgets(line, sizeof line, file) != NULL) {
        kind of;
        if (!kind_parse(line, &of)) {
            die("not a line of costs", line);
        }
        kind_simulate(&of, &opts, &is_short);
    }
    (void)fclose(file);
    return is_short ? 1 : 0;
}
