// A world: its shape, its first catalogue, its store.
#include "model.h"

#include <stdarg.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAP_BYTES ((size_t)1 << 30)

// --- drawing -------------------------------------------------------------------------------------

// splitmix64.
static uint64_t next_random(world *w)
{
    uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t below(world *w, uint32_t n)
{
    return n == 0 ? 0 : (uint32_t)(next_random(w) >> 32) % n;
}

bool one_in(world *w, uint32_t n)
{
    return below(w, n) == 0;
}

// Any place; where there are thousands, often one beside the border of a chunk of a power of two.
alm_place_id world_place(world *w)
{
    uint32_t count = w->twin.place_count;
    if (count < 4096 || one_in(w, 3)) {
        return below(w, count);
    }
    uint32_t border = 4096 * (1 + below(w, count / 4096));
    uint32_t place = border + below(w, 6) - 3;
    return ALM_MIN(place, count - 1);
}

void world_begin_step(world *w, uint64_t number)
{
    w->step = number;
    w->random = w->seed * UINT64_C(0x2545f4914f6cdd1d) + number * UINT64_C(0xd1342543de82ef95);
    next_random(w);
}

void *world_alloc(alm_arena *arena, size_t count, size_t size)
{
    void *memory = alm_arena_calloc(arena, count, size);
    if (memory == NULL) {
        fprintf(stderr, "store_model: out of memory\n");
        exit(2);
    }
    return memory;
}

alm_str world_text(alm_arena *arena, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    char *copy = world_alloc(arena, (size_t)len + 1, 1);
    memcpy(copy, text, (size_t)len);
    return (alm_str){.data = copy, .len = (size_t)len};
}

void world_fail(world *w, const char *file, int line, const char *cond, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = snprintf(w->failure, sizeof w->failure, "%s:%d: %s: ", file, line, cond);
    if (len > 0 && (size_t)len < sizeof w->failure) {
        vsnprintf(w->failure + len, sizeof w->failure - (size_t)len, fmt, args);
    }
    va_end(args);
}

// --- shape ---------------------------------------------------------------------------------------

static uint32_t pick(world *w, const uint32_t *choices, size_t count)
{
    return choices[below(w, (uint32_t)count)];
}
#define PICK(w, ...)                                                                               \
    pick((w), (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

// Each world leaves some kinds of steps out and does others often, so that all mixes come up.
static void draw_shape(world *w)
{
    shape *s = &w->shape;
    bool is_wide = w->seed % 8 == 0; // places on both sides of the borders of large chunks
    s->place_first = is_wide ? PICK(w, 8190, 8200, 16390) : PICK(w, 2, 10, 40);
    s->place_max = s->place_first + 40;
    s->period_count = is_wide ? PICK(w, 1, 3) : PICK(w, 1, 4, 12, 36);
    s->variant_count = is_wide ? PICK(w, 1, 2) : PICK(w, 1, 3, 6, 12);
    s->source_max = PICK(w, 1, 3, 8);
    s->day_count = PICK(w, 2, 20, 400);
    s->value_count = PICK(w, 1, 3, 1000);
    s->rows_few = PICK(w, 1, 6, 30);
    s->is_uniform = one_in(w, 2);
    s->feed_commits = PICK(w, 0, 1, 5, 60);
    for (size_t i = 0; i < step_count; i++) {
        s->weights[i] = steps[i].weight * PICK(w, 0, 1, 1, 1, 4);
    }
    s->weights[0] = ALM_MAX(s->weights[0], steps[0].weight); // something always happens
}

// --- what series there are -----------------------------------------------------------------------

static void make_variants(world *w)
{
    static const struct {
        const char *tail;
        alm_measure measure;
        alm_accumulation accumulation;
        const char *breakdown;
    } kinds[] = {{"P.level._Z._T", ALM_MEASURE_LEVEL, ALM_ACCUMULATION_PERIOD, ""},
                 {"C.level._Z._T", ALM_MEASURE_LEVEL, ALM_ACCUMULATION_CUMULATIVE, ""},
                 {"P.growth_yoy._Z._T", ALM_MEASURE_GROWTH_YOY, ALM_ACCUMULATION_PERIOD, ""},
                 {"P.level._Z.industry=software", ALM_MEASURE_LEVEL, ALM_ACCUMULATION_PERIOD,
                  "industry=software"}};
    for (uint32_t i = 0; i < w->shape.variant_count; i++) {
        uint32_t kind = i / INDICATOR_COUNT % ALM_ARRAY_LEN(kinds);
        world_variant *v = &w->variants[i];
        v->indicator = i % INDICATOR_COUNT;
        v->freq = i % 2 == 0 ? 0 : 1;
        v->measure = kinds[kind].measure;
        v->accumulation = kinds[kind].accumulation;
        v->breakdown = alm_str_from(kinds[kind].breakdown);
        v->text = world_text(w->arena, "%c.ind%u.%s", v->freq == 0 ? 'A' : 'M', v->indicator,
                             kinds[kind].tail);
    }
}

static void make_periods(world *w)
{
    for (uint32_t i = 0; i < w->shape.period_count; i++) {
        w->periods[0][i] =
            (alm_period){.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 1990 + (int)i};
        w->periods[1][i] =
            (alm_period){.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 2020 * 12 + (int)i};
    }
    if (w->shape.period_count > 2) { // a plan of five years among the years
        w->periods[0][1].length = 1;
        w->periods[0][2] = (alm_period){.freq = ALM_FREQ_ANNUAL, .length = 5, .ordinal = 1991};
    }
}

// --- the first catalogue -------------------------------------------------------------------------

static alm_place first_place(world *w, uint32_t i)
{
    alm_level level = i == 0 ? ALM_LEVEL_PROVINCE : i % 7 == 1 ? ALM_LEVEL_CITY : ALM_LEVEL_TOWN;
    return (alm_place){.code = world_text(w->arena, "p%u", i),
                       .name_zh = world_text(w->arena, "n%u", i),
                       .level = level,
                       .parent = i == 0 ? ALM_STR("") : ALM_STR("p0"),
                       .valid_from = ALM_DATE_NONE,
                       .valid_to = ALM_DATE_MAX};
}

static bool commit_first(world *w)
{
    draft d = draft_make(w);
    d.places = world_alloc(w->arena, w->shape.place_first, sizeof *d.places);
    d.place_count = w->shape.place_first;
    for (uint32_t i = 0; i < w->shape.place_first; i++) {
        d.places[i] = first_place(w, i);
    }
    d.indicators = world_alloc(w->arena, INDICATOR_COUNT, sizeof *d.indicators);
    d.indicator_count = INDICATOR_COUNT;
    for (uint32_t i = 0; i < INDICATOR_COUNT; i++) {
        d.indicators[i] = (alm_indicator){.code = world_text(w->arena, "ind%u", i),
                                          .name_zh = ALM_STR("i"),
                                          .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                                          .value_type = ALM_VALUE_TYPE_FLOW,
                                          .over_places = ALM_AGGREGATION_SUM,
                                          .over_time = ALM_AGGREGATION_SUM};
    }
    expected want = twin_commit(w, &d, true, w->work);
    return draft_send(w, &d, &want, false);
}

// --- opening and closing -------------------------------------------------------------------------

static bool open_store(world *w)
{
    alm_store_opts opts = {.engine = w->engine,
                           .bytes_max = MAP_BYTES,
                           .feed_commits = w->shape.feed_commits,
                           .feed_bytes = w->shape.feed_commits != 0};
    w->st = ALM_STATUS_INIT;
    CHECK_OK(w, alm_store_open(w->dir, &opts, &w->store, &w->st));
    CHECK_OK(w, alm_store_reader_open(w->store, &w->reader, &w->st));
    return true;
}

// In memory if there is room: what a sync costs is not the question here.
static bool make_dir(world *w)
{
    struct statvfs info;
    bool has_room = statvfs("/dev/shm", &info) == 0 &&
                    (uint64_t)info.f_bavail * info.f_frsize > 2 * (uint64_t)MAP_BYTES;
    snprintf(w->dir, sizeof w->dir, "%s/alm_model_XXXXXX", has_room ? "/dev/shm" : "/tmp");
    CHECK(w, mkdtemp(w->dir) != NULL, "no folder %s", w->dir);
    return true;
}

bool world_reopen(world *w)
{
    if (!w->keeps) {
        return true;
    }
    alm_store_reader_close(&w->reader);
    alm_store_close(&w->store);
    return open_store(w);
}

bool world_init(world *w, const alm_engine *engine, const char *name, uint64_t seed)
{
    *w = (world){.engine = engine,
                 .engine_name = name,
                 .keeps = engine != &alm_engine_memory,
                 .seed = seed,
                 .arena = alm_arena_create(0),
                 .work = alm_arena_create(0)};
    TRY(!w->keeps || make_dir(w));
    world_begin_step(w, UINT64_MAX);
    draw_shape(w);
    make_variants(w);
    make_periods(w);
    return twin_init(w) && open_store(w) && commit_first(w);
}

void world_deinit(world *w)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "almanac.lock", "almanac.sequence"};
    alm_store_reader_close(&w->reader);
    alm_store_close(&w->store);
    for (size_t i = 0; w->keeps && i < ALM_ARRAY_LEN(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", w->dir, names[i]);
        unlink(path);
    }
    if (w->keeps) {
        rmdir(w->dir);
    }
    for (size_t i = 0; i < BATCH_COUNT_MAX; i++) {
        alm_arena_destroy(&w->known[i].arena);
    }
    twin_deinit(w);
    alm_arena_destroy(&w->work);
    alm_arena_destroy(&w->arena);
}
