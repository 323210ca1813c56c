// A store against its twin, for many steps.
//
//   store_model lmdb|memory [--seed K] [--steps N] [--length L] [--only I,J,...] [--trace]
//
// Worlds of L steps each, of seeds K, K+1, ..., until N steps are taken. A world that finds a
// difference is shrunk, and a line is printed that repeats it.
#include "model.h"

#include <errno.h>
#include <time.h>

#define LENGTH_DEFAULT   1000
#define SHRINK_TRIAL_MAX 400
#define SHRINK_SECONDS   120

// The first stays in every world. More kinds are more rows.
const model_step steps[] = {
    {"few", 60, step_few},
    {"history", 15, step_history},
    {"release", 12, step_release},
    {"revise", 30, step_revise},
    {"withdraw", 12, step_withdraw},
    {"everything", 8, step_everything},
    {"replay", 8, step_replay},
    {"refused", 5, step_refused},
    {"places", 6, step_places},
    {"sources", 6, step_sources},
    {"indicators", 2, step_indicators},
    {"refused entry", 3, step_refused_entry},
    {"read", 80, step_read},
    {"read places", 40, step_read_places},
    {"read periods", 40, step_read_periods},
    {"read refused", 3, step_read_refused},
    {"read meddled", 12, step_read_meddled},
    {"vector series", 40, step_vector_series},
    {"vector slice", 30, step_vector_slice},
    {"totals", 25, step_totals},
    {"totals refused", 2, step_totals_refused},
    {"change", 12, step_change},
    {"wait", 2, step_wait},
    {"series", 3, step_series},
    {"find", 20, step_find},
    {"catalog", 2, step_catalog},
    {"quarantine", 2, step_quarantine},
    {"figures", 4, step_figures},
    {"verify", 1, step_verify},
    {"compact", 3, step_compact},
    {"reopen", 2, step_reopen},
};
const size_t step_count = ALM_ARRAY_LEN(steps);

typedef struct engine_row {
    const char *name;
    const alm_engine *engine;
} engine_row;

static const engine_row engines[] = {{"lmdb", &alm_engine_lmdb}, {"memory", &alm_engine_memory}};

typedef struct options {
    const engine_row *engine;
    uint64_t seed, steps, length;
    const char *only; // NULL: all
    bool trace;
} options;

// What is to be done, and what came of it.
typedef struct run {
    const options *options;
    uint64_t seed;
    const uint64_t *only; // NULL: 0..count-1
    size_t count;
    bool is_quiet;
    uint64_t failed_at; // a step; UINT64_MAX: none
    const char *failed_step;
    char failure[1024];
    uint64_t taken, reads, rows, vintages;
} run;

// --- one world -----------------------------------------------------------------------------------

static const model_step *draw_step(world *w)
{
    uint32_t total = 0;
    for (size_t i = 0; i < step_count; i++) {
        total += w->shape.weights[i];
    }
    uint32_t at = below(w, total);
    size_t i = 0;
    while (at >= w->shape.weights[i]) {
        at -= w->shape.weights[i++];
    }
    return &steps[i];
}

static bool take_step(world *w, run *r, uint64_t number)
{
    alm_arena_reset(w->work);
    world_begin_step(w, number);
    const model_step *s = draw_step(w);
    r->failed_step = s->name;
    if (r->options->trace && !r->is_quiet) {
        printf("step %llu: %s\n", (unsigned long long)number, s->name);
        fflush(stdout);
    }
    r->taken++;
    return s->run(w);
}

// The end of every world: all that was ever stored, once more.
static bool take_last_steps(world *w, run *r)
{
    alm_arena_reset(w->work);
    r->failed_step = "the last look";
    return step_figures(w) && step_verify(w) && step_catalog(w) && step_reopen(w) && step_read(w) &&
           step_verify(w);
}

static void take_steps(world *w, run *r)
{
    for (size_t i = 0; i < r->count && !w->finished; i++) {
        uint64_t number = r->only != NULL ? r->only[i] : i;
        if (!take_step(w, r, number)) {
            r->failed_at = number;
            return;
        }
    }
    if (!take_last_steps(w, r)) {
        r->failed_at = w->step;
    }
}

static void run_world(run *r)
{
    static world w; // large
    r->failed_at = UINT64_MAX;
    r->taken = 0;
    r->failed_step = "the first commit";
    if (world_init(&w, r->options->engine->engine, r->options->engine->name, r->seed)) {
        take_steps(&w, r);
    } else {
        r->failed_at = 0;
    }
    memcpy(r->failure, w.failure, sizeof r->failure);
    r->reads = w.reads;
    r->rows = w.rows_compared;
    r->vintages = w.twin.row_count;
    world_deinit(&w);
}

// --- shrinking -----------------------------------------------------------------------------------

// Does the world still fail without `len` of its steps from `at` on? Then they are left out.
static bool leave_out(run *r, uint64_t *only, size_t *count, size_t at, size_t len)
{
    uint64_t *fewer = alm_calloc(*count, sizeof *fewer);
    memcpy(fewer, only, at * sizeof *fewer);
    memcpy(fewer + at, only + at + len, (*count - at - len) * sizeof *fewer);
    run trial = *r;
    trial.is_quiet = true;
    trial.only = fewer;
    trial.count = *count - len;
    run_world(&trial);
    bool fails = trial.failed_at != UINT64_MAX;
    if (fails) {
        memcpy(only, fewer, trial.count * sizeof *only);
        *count = trial.count;
    }
    alm_free(fewer);
    return fails;
}

static size_t shrink(run *r, uint64_t *only, size_t count)
{
    time_t until = time(NULL) + SHRINK_SECONDS;
    int trials = 0;
    for (size_t len = count / 2; len > 0; len = len == 1 ? 0 : (len + 1) / 2) {
        for (size_t at = 0; at + len <= count;) {
            if (trials++ >= SHRINK_TRIAL_MAX || time(NULL) > until) {
                return count;
            }
            at += leave_out(r, only, &count, at, len) ? 0 : len;
        }
    }
    return count;
}

static void report(run *r)
{
    const char *engine = r->options->engine->name;
    unsigned long long seed = r->seed;
    printf("seed %llu, step %llu (%s): %s\n", seed, (unsigned long long)r->failed_at,
           r->failed_step, r->failure);
    if (r->only != NULL) {
        return;
    }
    printf("again: store_model %s --seed %llu --steps %zu --length %zu\n", engine, seed, r->count,
           r->count);
    fflush(stdout);
    size_t count = (size_t)ALM_MIN(r->failed_at + 1, (uint64_t)r->count);
    uint64_t *only = alm_calloc(count + 1, sizeof *only);
    for (size_t i = 0; i < count; i++) {
        only[i] = i;
    }
    count = shrink(r, only, count);
    printf("fewer: store_model %s --seed %llu --only ", engine, seed);
    for (size_t i = 0; i < count; i++) {
        printf("%s%llu", i > 0 ? "," : "", (unsigned long long)only[i]);
    }
    printf("\n");
    alm_free(only);
}

// --- all worlds ----------------------------------------------------------------------------------

static bool run_only(const options *o)
{
    size_t count = 1;
    for (const char *at = o->only; *at != '\0'; at++) {
        count += *at == ',';
    }
    uint64_t *only = alm_calloc(count, sizeof *only);
    const char *at = o->only;
    for (size_t i = 0; i < count; i++) {
        char *end;
        only[i] = strtoull(at, &end, 10);
        at = *end == ',' ? end + 1 : end;
    }
    run r = {.options = o, .seed = o->seed, .only = only, .count = count};
    run_world(&r);
    alm_free(only);
    if (r.failed_at != UINT64_MAX) {
        report(&r);
    }
    return r.failed_at == UINT64_MAX;
}

static bool run_all(const options *o)
{
    uint64_t taken = 0, worlds = 0, reads = 0, rows = 0, vintages = 0;
    while (taken < o->steps) {
        run r = {.options = o,
                 .seed = o->seed + worlds++,
                 .count = (size_t)ALM_MIN(o->length, o->steps - taken)};
        run_world(&r);
        if (r.failed_at != UINT64_MAX) {
            report(&r);
            return false;
        }
        taken += r.taken;
        reads += r.reads;
        rows += r.rows;
        vintages += r.vintages;
    }
    printf("store_model %s: %llu steps in %llu worlds from seed %llu, %llu vintages, %llu reads, "
           "%llu rows compared: nothing found\n",
           o->engine->name, (unsigned long long)taken, (unsigned long long)worlds,
           (unsigned long long)o->seed, (unsigned long long)vintages, (unsigned long long)reads,
           (unsigned long long)rows);
    return true;
}

// --- command line --------------------------------------------------------------------------------

static bool take_number(const char *text, uint64_t *ret)
{
    char *end;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

static bool parse(int argc, char **argv, options *ret)
{
    *ret = (options){.seed = 1, .steps = 10000, .length = LENGTH_DEFAULT};
    for (size_t i = 0; argc > 1 && i < ALM_ARRAY_LEN(engines); i++) {
        ret->engine = strcmp(argv[1], engines[i].name) == 0 ? &engines[i] : ret->engine;
    }
    for (int i = 2; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--trace") == 0) {
            ret->trace = true;
        } else if (has_value && strcmp(argv[i], "--only") == 0) {
            ret->only = argv[++i];
        } else if (!(has_value && strcmp(argv[i], "--seed") == 0 &&
                     take_number(argv[++i], &ret->seed)) &&
                   !(has_value && strcmp(argv[i], "--steps") == 0 &&
                     take_number(argv[++i], &ret->steps)) &&
                   !(has_value && strcmp(argv[i], "--length") == 0 &&
                     take_number(argv[++i], &ret->length))) {
            return false;
        }
    }
    return ret->engine != NULL && ret->length > 0;
}

int main(int argc, char **argv)
{
    options o;
    if (!parse(argc, argv, &o)) {
        fprintf(stderr, "usage: store_model lmdb|memory [--seed K] [--steps N] [--length L] "
                        "[--only I,J,...] [--trace]\n");
        return 2;
    }
    bool ok = o.only != NULL ? run_only(&o) : run_all(&o);
    return ok ? 0 : 1;
}
