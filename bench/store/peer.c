#include "peer.h"

#include "alm/alloc.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    QUESTIONS_MAX = 100000,
    RELEASES_MAX = 100,
    P99_COUNT_MIN = 100,
    CLIENT_COUNT = 16,
    CLIENT_READY_S = 3, // until all are connected and warm
    CLIENT_S = 5,
    CLIENT_ANSWERS_TOLD = 50
};

static const char *peer_name = "peer", *peer_folder;

static const struct {
    const char *name;
    bool is_ordered;
} cases[CASE_COUNT] = {
    [CASE_LATEST] = {"latest", false},
    [CASE_SERIES] = {"series", false},
    [CASE_DISTRICTS] = {"districts", false},
    [CASE_RANK] = {"rank", true},
    [CASE_RANK_NUMBER] = {"rank_number", false},
    [CASE_TOWNS_PROVINCE] = {"towns_province", false},
    [CASE_TOWNS_PROVINCE_YEAR] = {"towns_province_year", false},
    [CASE_GROWTH] = {"growth", false},
    [CASE_TOPTEN] = {"topten", true},
    [CASE_PLACE] = {"place", false},
    [CASE_ASOF] = {"asof", false},
};

void peer_die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "%s: ", peer_name);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

double peer_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// --- answers -------------------------------------------------------------------------------------

static uint64_t mix(uint64_t x) // splitmix64
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

// The digest of rows without an order is a sum, so that any order gives the same.
void answer_row(answer *a, uint64_t key, int64_t value_e2, char status)
{
    a->row_count++;
    if (a->is_ordered) {
        a->position++;
    }
    uint64_t place = mix(key ^ a->question_index << 40 ^ a->position << 56);
    a->digest += mix(place ^ mix((uint64_t)value_e2 ^ (uint64_t)(unsigned char)status << 56));
}

// To six decimals. The odd offset keeps ratios that are exact in seven or eight decimals away from
// where engines that divide and subtract differently would round apart.
void answer_ratio(answer *a, uint64_t key, double ratio)
{
    answer_row(a, key, (int64_t)floor(ratio * 1e6 + 0.41421356), '\0');
}

// --- lines of JSON -------------------------------------------------------------------------------

static void line_begin(const char *case_name)
{
    printf("{\"peer\":\"%s\",\"case\":\"%s\"", peer_name, case_name);
}

static void line_end(uint64_t count, uint64_t digest)
{
    printf(",\"check\":\"%" PRIu64 ":%016" PRIx64 "\"}\n", count, digest);
    fflush(stdout);
}

static void line_value(double value, const char *unit)
{
    printf(",\"value\":%.*f,\"unit\":\"%s\"", value < 1000 ? 3 : 0, value, unit);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *values, size_t count, double part) // sorts them
{
    qsort(values, count, sizeof *values, by_size);
    return values[(size_t)((double)(count - 1) * part + 0.5)];
}

// --- commands ------------------------------------------------------------------------------------

static void load(const peer *self, char **files, int file_count)
{
    (void)file_count;
    load_times times;
    int64_t count, sum_e2;
    self->load(files[0], &times);
    self->total(0, 0, &count, &sum_e2);
    line_begin("load");
    line_value((double)count / times.durable_s, "obs/s");
    line_end((uint64_t)count, (uint64_t)sum_e2);
    line_begin("load_merged");
    line_value((double)count / times.merged_s, "obs/s");
    line_end((uint64_t)count, (uint64_t)sum_e2);
}

static void bytes(const peer *self, char **files, int file_count)
{
    (void)files;
    (void)file_count;
    int64_t count, sum_e2, largest = 0, all = self->bytes(&largest);
    self->total(0, 0, &count, &sum_e2);
    line_begin("bytes");
    line_value((double)all / (double)count, "bytes/obs");
    line_end((uint64_t)count, (uint64_t)sum_e2);
    if (largest > 0) {
        line_begin("bytes_layout");
        line_value((double)largest / (double)count, "bytes/obs");
        line_end((uint64_t)count, (uint64_t)sum_e2);
    }
}

// The indicator and period of a release, from its first row.
static void release_of(const char *csv_path, int32_t *ret_indicator, int32_t *ret_period)
{
    char line[256];
    FILE *file = fopen(csv_path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL ||
        fgets(line, sizeof line, file) == NULL ||
        sscanf(line, "%" SCNd32 ",%*u,%" SCNd32 ",", ret_indicator, ret_period) != 2) {
        peer_die("%s: no release", csv_path);
    }
    fclose(file);
}

static void release(const peer *self, char **files, int file_count)
{
    double times[RELEASES_MAX];
    uint64_t rows = 0, digest = 0;
    if (file_count > RELEASES_MAX) {
        peer_die("%d releases; at most %d", file_count, RELEASES_MAX);
    }
    for (int i = 0; i < file_count; i++) {
        int32_t indicator = 0, period = 0;
        int64_t row_count, sum_e2;
        release_of(files[i], &indicator, &period);
        double start = peer_now_s();
        self->release(files[i]);
        times[i] = (peer_now_s() - start) * 1e3;
        self->total(indicator, period, &row_count, &sum_e2);
        rows += (uint64_t)row_count;
        digest += mix(mix(key_of((uint64_t)indicator, (uint64_t)period)) ^ (uint64_t)sum_e2);
    }
    line_begin("release");
    line_value(quantile(times, (size_t)file_count, 0.5), "ms");
    line_end(rows, digest);
}

static void revise(const peer *self, char **files, int file_count)
{
    (void)file_count;
    double start = peer_now_s();
    self->revise(files[0]);
    line_begin("revise");
    line_value((peer_now_s() - start) * 1e3, "ms");
    line_end(0, 0); // CASE_ASOF tells whether it was right
}

static peer_case case_of(const char *name)
{
    for (int c = 0; c < CASE_COUNT; c++) {
        if (strcmp(cases[c].name, name) == 0) {
            return (peer_case)c;
        }
    }
    peer_die("there is no case '%s'", name);
}

// A line of the file of questions.
typedef struct asked {
    peer_case of;
    question q;
} asked;

static asked *questions_read(const char *path, size_t *ret_count)
{
    char line[256], name[32];
    asked *list = alm_calloc(QUESTIONS_MAX, sizeof *list);
    FILE *file = fopen(path, "r");
    size_t count = 0;
    if (list == NULL || file == NULL || fgets(line, sizeof line, file) == NULL) {
        peer_die("%s: no questions", path);
    }
    while (fgets(line, sizeof line, file) != NULL) {
        question q;
        if (sscanf(line, "%31[a-z_],%" SCNd32 ",%" SCNu32 ",%" SCNd32 ",%" SCNd32, name,
                   &q.indicator, &q.place, &q.period, &q.publication) != 5 ||
            count == QUESTIONS_MAX) {
            peer_die("%s: what is to be made of this line? %s", path, line);
        }
        list[count++] = (asked){.of = case_of(name), .q = q};
    }
    fclose(file);
    *ret_count = count;
    return list;
}

static void ask_case(const peer *self, peer_case c, const asked *list, size_t count, bool tells)
{
    answer a = {.is_ordered = cases[c].is_ordered};
    double *times = alm_calloc(count, sizeof *times);
    if (times == NULL) {
        peer_die("no memory");
    }
    for (size_t i = 0; i < 1 + count / 10; i++) { // warms up
        if (!self->ask(c, &list[i].q)) {
            line_begin(cases[c].name);
            printf(",\"unsupported\":true}\n");
            alm_free(times);
            return;
        }
    }
    for (size_t i = 0; i < count; i++) {
        double start = peer_now_s();
        self->ask(c, &list[i].q);
        times[i] = (peer_now_s() - start) * 1e6;
        a.question_index = i;
        a.position = 0;
        if (tells) {
            self->tell(c, &list[i].q, &a);
        }
    }
    line_begin(cases[c].name);
    line_value(quantile(times, count, 0.5), "us");
    if (count >= P99_COUNT_MIN) {
        printf(",\"p99\":%.3f", quantile(times, count, 0.99));
    }
    line_end(a.row_count, a.digest);
    alm_free(times);
}

// Those of a case that stand together are asked together.
static void ask_all(const peer *self, const char *questions_path, bool tells)
{
    size_t count;
    asked *list = questions_read(questions_path, &count);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && list[to].of == list[from].of; to++) {}
        ask_case(self, list[from].of, list + from, to - from, tells);
    }
    alm_free(list);
}

static void ask(const peer *self, char **files, int file_count)
{
    (void)file_count;
    ask_all(self, files[0], true);
}

static void ask_untold(const peer *self, char **files, int file_count)
{
    (void)file_count;
    ask_all(self, files[0], false);
}

// --- many clients --------------------------------------------------------------------------------

typedef struct client_report {
    uint64_t asked_count;
    answer told;
} client_report;

static void ask_next(const peer *self, const asked *list, size_t count, size_t *at)
{
    *at = (*at + 1) % count;
    if (!self->ask(list[*at].of, &list[*at].q)) {
        peer_die("%s is not answered", cases[list[*at].of].name);
    }
}

// Tells its first answers, goes on asking until start_s, and counts from then on.
static client_report client_run(const peer *self, const asked *list, size_t count, size_t first,
                                double start_s)
{
    client_report report = {0};
    size_t at = first;
    for (int i = 0; i < CLIENT_ANSWERS_TOLD; i++) {
        ask_next(self, list, count, &at);
        report.told.question_index = at;
        report.told.position = 0;
        report.told.is_ordered = cases[list[at].of].is_ordered;
        self->tell(list[at].of, &list[at].q, &report.told);
    }
    if (peer_now_s() > start_s) {
        peer_die("the clients are not ready after %d s", CLIENT_READY_S);
    }
    while (peer_now_s() < start_s) {
        ask_next(self, list, count, &at);
    }
    for (;;) {
        ask_next(self, list, count, &at);
        if (peer_now_s() >= start_s + CLIENT_S) {
            return report;
        }
        report.asked_count++;
    }
}

// A process each. A pipe takes so short a report whole.
static void clients(const peer *self, char **files, int file_count)
{
    (void)file_count;
    int fds[2];
    size_t count;
    asked *list = questions_read(files[0], &count);
    client_report all = {0};
    double start_s = peer_now_s() + CLIENT_READY_S;
    if (count == 0 || pipe(fds) != 0) {
        peer_die("%s: no questions, or no pipe", files[0]);
    }
    for (size_t i = 0; i < CLIENT_COUNT; i++) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            self->open(peer_folder);
            client_report own = client_run(self, list, count, i * count / CLIENT_COUNT, start_s);
            self->close();
            _exit(write(fds[1], &own, sizeof own) == (ssize_t)sizeof own ? 0 : 1);
        }
    }
    close(fds[1]);
    for (size_t i = 0; i < CLIENT_COUNT; i++) {
        client_report own;
        if (read(fds[0], &own, sizeof own) != (ssize_t)sizeof own) {
            peer_die("a client failed");
        }
        all.asked_count += own.asked_count;
        all.told.row_count += own.told.row_count;
        all.told.digest += own.told.digest;
    }
    while (wait(NULL) > 0) {}
    line_begin("clients");
    line_value((double)all.asked_count / CLIENT_S, "queries/s");
    line_end(all.told.row_count, all.told.digest);
    alm_free(list);
}

typedef struct command {
    const char *name;
    int files_min, files_max;
    bool writes;      // or needs to know what was written: not for a peer that only answers
    bool opens_later; // itself
    void (*run)(const peer *self, char **files, int file_count);
} command;

static const command commands[] = {
    {"load", 1, 1, true, false, load},
    {"bytes", 0, 0, true, false, bytes},
    {"ask", 1, 1, false, false, ask},
    {"time", 1, 1, false, false, ask_untold},
    {"clients", 1, 1, false, true, clients},
    {"revise", 1, 1, true, false, revise},
    {"release", 1, INT_MAX, true, false, release},
};

static const command *command_find(const peer *self, const char *name, int file_count)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const command *c = &commands[i];
        bool is_known = !c->writes || self->load != NULL;
        if (is_known && strcmp(c->name, name) == 0 && file_count >= c->files_min &&
            file_count <= c->files_max) {
            return c;
        }
    }
    return NULL;
}

int peer_main(const peer *self, int argc, char **argv)
{
    const char *program = argv[0];
    const char *option = argc > 1 && argv[1][0] == '-' ? argv[1] : NULL;
    const char *name = self->name(option);
    if (option != NULL) {
        argv++;
        argc--;
    }
    const command *chosen = argc < 3 ? NULL : command_find(self, argv[2], argc - 3);
    if (name == NULL || chosen == NULL) {
        fprintf(stderr,
                "usage: %s [OPTION] FOLDER load FILE | bytes | ask QUESTIONS | time QUESTIONS | "
                "clients QUESTIONS | revise FILE | release FILE...\n",
                program);
        return 2;
    }
    peer_name = name;
    peer_folder = argv[1];
    if (!chosen->opens_later) {
        self->open(peer_folder);
    }
    chosen->run(self, argv + 3, argc - 3);
    if (!chosen->opens_later) {
        self->close();
    }
    return 0;
}
