#include "peer.h"

#include "alm/alloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QUESTIONS_MAX = 100000, RELEASES_MAX = 100, P99_COUNT_MIN = 300 };

static const char *peer_name = "peer";

static const struct {
    const char *name;
    bool is_ordered;
} cases[CASE_COUNT] = {
    [CASE_LATEST] = {"latest", false},
    [CASE_SERIES] = {"series", false},
    [CASE_DISTRICTS] = {"districts", false},
    [CASE_RANK] = {"rank", true},
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

static void load(const peer *self, const char *csv_path)
{
    load_times times;
    int64_t count, sum_e2;
    self->load(csv_path, &times);
    self->total(0, 0, &count, &sum_e2);
    line_begin("load");
    line_value((double)count / times.durable_s, "obs/s");
    line_end((uint64_t)count, (uint64_t)sum_e2);
    line_begin("load_merged");
    line_value((double)count / times.merged_s, "obs/s");
    line_end((uint64_t)count, (uint64_t)sum_e2);
}

static void bytes(const peer *self)
{
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

static void release(const peer *self, char **csv_paths, int count)
{
    double times[RELEASES_MAX];
    uint64_t rows = 0, digest = 0;
    if (count > RELEASES_MAX) {
        peer_die("%d releases; at most %d", count, RELEASES_MAX);
    }
    for (int i = 0; i < count; i++) {
        int32_t indicator = 0, period = 0;
        int64_t row_count, sum_e2;
        release_of(csv_paths[i], &indicator, &period);
        double start = peer_now_s();
        self->release(csv_paths[i]);
        times[i] = (peer_now_s() - start) * 1e3;
        self->total(indicator, period, &row_count, &sum_e2);
        rows += (uint64_t)row_count;
        digest += mix(mix(key_of((uint64_t)indicator, (uint64_t)period)) ^ (uint64_t)sum_e2);
    }
    line_begin("release");
    line_value(quantile(times, (size_t)count, 0.5), "ms");
    line_end(rows, digest);
}

static void revise(const peer *self, const char *csv_path)
{
    double start = peer_now_s();
    self->revise(csv_path);
    line_begin("revise");
    line_value((peer_now_s() - start) * 1e3, "ms");
    line_end(0, 0); // CASE_ASOF tells whether it was right
}

static void ask_case(const peer *self, peer_case c, const question *questions, size_t count)
{
    answer a = {.is_ordered = cases[c].is_ordered};
    double *times = alm_calloc(count, sizeof *times);
    if (times == NULL) {
        peer_die("no memory");
    }
    for (size_t i = 0; i < 1 + count / 10; i++) { // warms up
        if (!self->ask(c, &questions[i])) {
            line_begin(cases[c].name);
            printf(",\"unsupported\":true}\n");
            alm_free(times);
            return;
        }
    }
    for (size_t i = 0; i < count; i++) {
        double start = peer_now_s();
        self->ask(c, &questions[i]);
        times[i] = (peer_now_s() - start) * 1e6;
        a.question_index = i;
        a.position = 0;
        self->tell(c, &questions[i], &a);
    }
    line_begin(cases[c].name);
    line_value(quantile(times, count, 0.5), "us");
    if (count >= P99_COUNT_MIN) {
        printf(",\"p99\":%.3f", quantile(times, count, 0.99));
    }
    line_end(a.row_count, a.digest);
    alm_free(times);
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

// The file has the questions of a case one after another.
static void ask(const peer *self, const char *questions_path)
{
    char line[256], name[32], name_before[32] = "";
    question *questions = alm_calloc(QUESTIONS_MAX, sizeof *questions);
    FILE *file = fopen(questions_path, "r");
    size_t count = 0;
    if (questions == NULL || file == NULL || fgets(line, sizeof line, file) == NULL) {
        peer_die("%s: no questions", questions_path);
    }
    while (fgets(line, sizeof line, file) != NULL) {
        question q;
        if (sscanf(line, "%31[a-z_],%" SCNd32 ",%" SCNu32 ",%" SCNd32 ",%" SCNd32, name,
                   &q.indicator, &q.place, &q.period, &q.publication) != 5 ||
            count == QUESTIONS_MAX) {
            peer_die("%s: what is to be made of this line? %s", questions_path, line);
        }
        if (count > 0 && strcmp(name, name_before) != 0) {
            ask_case(self, case_of(name_before), questions, count);
            count = 0;
        }
        memcpy(name_before, name, sizeof name);
        questions[count++] = q;
    }
    if (count > 0) {
        ask_case(self, case_of(name_before), questions, count);
    }
    fclose(file);
    alm_free(questions);
}

static int usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [OPTION] FOLDER load FILE | bytes | ask QUESTIONS | revise FILE | "
            "release FILE...\n",
            program);
    return 2;
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
    if (name == NULL || argc < 3) {
        return usage(program);
    }
    peer_name = name;
    const char *folder = argv[1], *command = argv[2];
    char **files = argv + 3;
    int file_count = argc - 3;
    bool has_one_file = file_count == 1;
    self->open(folder);
    if (strcmp(command, "load") == 0 && has_one_file) {
        load(self, files[0]);
    } else if (strcmp(command, "bytes") == 0 && file_count == 0) {
        bytes(self);
    } else if (strcmp(command, "ask") == 0 && has_one_file) {
        ask(self, files[0]);
    } else if (strcmp(command, "revise") == 0 && has_one_file) {
        revise(self, files[0]);
    } else if (strcmp(command, "release") == 0 && file_count > 0) {
        release(self, files, file_count);
    } else {
        return usage(program);
    }
    self->close();
    return 0;
}
