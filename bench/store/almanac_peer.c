// Almanac's store, as a library in this process. A load is committed as bulk batches by a thread of
// its own while the file is read on; it is over when the last batch is durable, and merged when all
// series are folded.
#include "csv.h"
#include "peer.h"
#include "place.h"

#include "alm/alloc.h"
#include "alm/limits.h"
#include "alm/store.h"

#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
    PLACES_MAX = 100000,
    INDICATORS_MAX = 1000,
    PERIODS_MAX = 2000,
    BATCH_ROWS = ALM_BULK_ROW_COUNT_MAX,
    SLOTS = 1 << 18
};

static alm_store *store;
static alm_store_reader *reader;
static char data_path[4096];

// --- the catalogue -------------------------------------------------------------------------------

// A place's number, and its id in the store: ids are given in the order of numbers.
static uint32_t numbers[PLACES_MAX];
static size_t place_count;
static uint32_t slot_numbers[SLOTS]; // + 1; 0: free
static alm_place_id slot_ids[SLOTS];
static alm_str variants[INDICATORS_MAX];
static char variant_texts[INDICATORS_MAX][40];
static size_t indicator_count;

static alm_place_id id_find(uint32_t number) // ALM_PLACE_NONE: a stranger
{
    size_t slot = (number * UINT32_C(2654435761)) % SLOTS;
    while (slot_numbers[slot] != 0) {
        if (slot_numbers[slot] == number + 1) {
            return slot_ids[slot];
        }
        slot = (slot + 1) % SLOTS;
    }
    return ALM_PLACE_NONE;
}

static void place_know(uint32_t number, alm_place_id id)
{
    size_t slot = (number * UINT32_C(2654435761)) % SLOTS;
    while (slot_numbers[slot] != 0) {
        slot = (slot + 1) % SLOTS;
    }
    slot_numbers[slot] = number + 1;
    slot_ids[slot] = id;
    numbers[id] = number;
    place_count = (size_t)id + 1;
}

static void variant_know(size_t indicator)
{
    char *text = variant_texts[indicator];
    snprintf(text, sizeof variant_texts[indicator], "M.i%03zu.P.level._Z._T", indicator);
    variants[indicator] = alm_str_from(text);
    indicator_count = ALM_MAX(indicator_count, indicator + 1);
}

static alm_code take_place(void *arg, alm_place_id id, const alm_place *entry, alm_status *st)
{
    int64_t number;
    (void)arg;
    (void)st;
    if (!alm_str_to_i64(entry->code, &number)) {
        peer_die("a place of another kind");
    }
    place_know((uint32_t)number, id);
    return ALM_OK;
}

static alm_code take_indicator(void *arg, uint32_t id, const alm_indicator *entry, alm_status *st)
{
    (void)arg;
    (void)entry;
    (void)st;
    variant_know(id);
    return ALM_OK;
}

static uint32_t parent_of(uint32_t number)
{
    struct place_field own = place_fields[number >> LEVEL_SHIFT];
    return (number & ~(own.max << own.shift)) - (UINT32_C(1) << LEVEL_SHIFT);
}

static void check(alm_code code, const alm_status *st, const char *what)
{
    if (code != ALM_OK) {
        peer_die("%s: %s: %s", what, alm_code_name(code), st->message);
    }
}

static void commit(alm_batch *batch, const char *id)
{
    alm_commit_result result;
    alm_status st = ALM_STATUS_INIT;
    static alm_arena *arena;
    arena = arena != NULL ? arena : alm_arena_create((size_t)2 << 30);
    alm_arena_reset(arena);
    batch->id = alm_str_from(id);
    check(alm_store_commit(store, batch, arena, &result, &st), &st, id);
    if (result.conflict_count > 0) {
        peer_die("%s: %zu rows conflict", id, result.conflict_count);
    }
}

// Ids must be in tree order, level by level: the file of a load is read for its places first, which
// is not a part of the work (the peers are told them in the numbers).
static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void catalog_commit(uint32_t *found, size_t count, size_t indicators)
{
    alm_place *places = alm_calloc(count, sizeof *places);
    char(*codes)[2][16] = alm_calloc(count, sizeof *codes);
    alm_indicator list[INDICATORS_MAX];
    char names[INDICATORS_MAX][8];
    static const alm_level levels[] = {ALM_LEVEL_COUNTRY, ALM_LEVEL_PROVINCE, ALM_LEVEL_CITY,
                                       ALM_LEVEL_DISTRICT, ALM_LEVEL_TOWN};
    if (places == NULL || codes == NULL) {
        peer_die("no memory");
    }
    qsort(found, count, sizeof *found, by_number);
    for (size_t i = 0; i < count; i++) {
        bool is_root = found[i] >> LEVEL_SHIFT == LEVEL_COUNTRY;
        snprintf(codes[i][0], sizeof codes[i][0], "%06u", found[i]);
        snprintf(codes[i][1], sizeof codes[i][1], "%06u", is_root ? 0 : parent_of(found[i]));
        places[i] = (alm_place){.code = alm_str_from(codes[i][0]),
                                .name_zh = alm_str_from(codes[i][0]),
                                .level = levels[found[i] >> LEVEL_SHIFT],
                                .parent = is_root ? ALM_STR("") : alm_str_from(codes[i][1]),
                                .valid_from = ALM_DATE_NONE,
                                .valid_to = ALM_DATE_MAX};
    }
    for (size_t i = 0; i < indicators; i++) {
        snprintf(names[i], sizeof names[i], "i%03zu", i);
        list[i] = (alm_indicator){.code = alm_str_from(names[i]),
                                  .name_zh = alm_str_from(names[i]),
                                  .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 4},
                                  .value_type = ALM_VALUE_TYPE_FLOW,
                                  .over_places = ALM_AGGREGATION_SUM,
                                  .over_time = ALM_AGGREGATION_SUM};
    }
    alm_batch batch = {
        .indicators = list, .indicator_count = indicators, .places = places, .place_count = count};
    commit(&batch, "catalogue");
    alm_free(codes);
    alm_free(places);
}

static void catalog_make(const char *csv_path)
{
    csv_file file;
    csv_row row;
    uint32_t *found = alm_calloc(PLACES_MAX, sizeof *found);
    size_t count = 0;
    size_t indicators = 0;
    csv_open(&file, csv_path);
    while (csv_next(&file, &row)) {
        indicators = ALM_MAX(indicators, (size_t)row.indicator + 1);
        if (id_find(row.place) == ALM_PLACE_NONE) {
            place_know(row.place, (alm_place_id)count);
            found[count++] = row.place;
        }
    }
    csv_close(&file);
    catalog_commit(found, count, indicators);
    memset(slot_numbers, 0, sizeof slot_numbers);
    for (size_t i = 0; i < count; i++) {
        place_know(found[i], (alm_place_id)i);
    }
    for (size_t i = 0; i < indicators; i++) {
        variant_know(i);
    }
    alm_free(found);
}

// --- opening -------------------------------------------------------------------------------------

static const char *name_of(const char *option)
{
    return option == NULL ? "almanac" : NULL;
}

static void store_open(const char *folder)
{
    alm_status st = ALM_STATUS_INIT;
    alm_catalog_visitor visitor = {.indicator = take_indicator, .place = take_place};
    snprintf(data_path, sizeof data_path, "%s/data.mdb", folder);
    check(alm_store_open(folder, NULL, &store, &st), &st, "open");
    check(alm_store_visit_catalog(store, &visitor, NULL, &st), &st, "catalogue");
    check(alm_store_reader_open(store, &reader, &st), &st, "reader");
}

static void store_close(void)
{
    alm_store_reader_close(&reader);
    alm_store_close(&store);
}

// --- writing -------------------------------------------------------------------------------------

static alm_date day_of(int publication)
{
    return 20089 + publication; // 2025-01-01 is the load's
}

static alm_period month_of(int32_t yyyymm)
{
    return (alm_period){
        .freq = ALM_FREQ_MONTH, .length = 1, .ordinal = yyyymm / 100 * 12 + yyyymm % 100 - 1};
}

// *near is a row's before, which mostly is of the same place, or of the one before it.
static alm_place_id id_near(uint32_t number, alm_place_id *near)
{
    alm_place_id id = *near;
    if (id + 1 < place_count && numbers[id + 1] == number) {
        id++;
    } else if (id >= place_count || numbers[id] != number) {
        id = id_find(number);
    }
    *near = id;
    return id;
}

static void row_make(const csv_row *from, alm_place_id *near, alm_obs *to)
{
    *to = (alm_obs){
        .variant = (uint32_t)from->indicator,
        .place = id_near(from->place, near),
        .period = month_of(from->period),
        .value = {.number = {.mantissa = from->mantissa, .exponent = (int8_t)-from->decimals},
                  .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 4},
                  .status = from->status == 'A'   ? ALM_OBS_STATUS_NORMAL
                            : from->status == 'E' ? ALM_OBS_STATUS_ESTIMATED
                                                  : ALM_OBS_STATUS_PROVISIONAL,
                  .has_number = true},
        .source = ALM_SOURCE_NONE,
        .published = day_of(from->publication)};
}

// One batch is filled while the other is committed.
typedef struct pipe {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    alm_obs *rows[2];
    size_t count[2];
    bool is_full[2];
    bool is_over;
} pipe_state;

static void *commit_batches(void *arg)
{
    pipe_state *p = arg;
    for (int i = 0;; i++) {
        char id[32];
        int at = i % 2;
        pthread_mutex_lock(&p->mutex);
        while (!p->is_full[at] && !p->is_over) {
            pthread_cond_wait(&p->moved, &p->mutex);
        }
        bool is_there = p->is_full[at];
        pthread_mutex_unlock(&p->mutex);
        if (!is_there) {
            return NULL;
        }
        snprintf(id, sizeof id, "load-%d", i);
        alm_batch batch = {.variants = variants,
                           .variant_count = indicator_count,
                           .obs = p->rows[at],
                           .obs_count = p->count[at],
                           .is_bulk = true};
        commit(&batch, id);
        pthread_mutex_lock(&p->mutex);
        p->is_full[at] = false;
        pthread_cond_signal(&p->moved);
        pthread_mutex_unlock(&p->mutex);
    }
}

// Hands a full batch over, and waits until the other can be filled.
static void pipe_pass(pipe_state *p, int at, size_t count)
{
    pthread_mutex_lock(&p->mutex);
    p->count[at] = count;
    p->is_full[at] = count > 0;
    pthread_cond_signal(&p->moved);
    while (p->is_full[1 - at]) {
        pthread_cond_wait(&p->moved, &p->mutex);
    }
    pthread_mutex_unlock(&p->mutex);
}

static void pipe_end(pipe_state *p)
{
    pthread_mutex_lock(&p->mutex);
    p->is_over = true;
    pthread_cond_signal(&p->moved);
    pthread_mutex_unlock(&p->mutex);
    pthread_join(p->thread, NULL);
}

// In pages of two MiB: the kernel is asked for them a hundred times, not fifty thousand.
static alm_obs *rows_map(size_t count)
{
    void *rows = mmap(NULL, count * sizeof(alm_obs), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (rows == MAP_FAILED) {
        peer_die("no memory");
    }
    madvise(rows, count * sizeof(alm_obs), MADV_HUGEPAGE);
    return rows;
}

static bool begins_range(const alm_obs *before, const alm_obs *row)
{
    return before->place / ALM_BULK_PLACE_COUNT != row->place / ALM_BULK_PLACE_COUNT;
}

static void file_commit(const char *csv_path)
{
    csv_file file;
    csv_row row;
    pipe_state p = {.mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    p.rows[0] = rows_map(BATCH_ROWS + 1);
    p.rows[1] = rows_map(BATCH_ROWS + 1);
    if (pthread_create(&p.thread, NULL, commit_batches, &p) != 0) {
        peer_die("no memory");
    }
    csv_open(&file, csv_path);
    size_t count = 0;
    int at = 0;
    alm_place_id near = 0;
    while (csv_next(&file, &row)) {
        alm_obs *to = &p.rows[at][count];
        row_make(&row, &near, to);
        if (count == BATCH_ROWS || (count > BATCH_ROWS / 2 && begins_range(to - 1, to))) {
            alm_obs first = *to;
            pipe_pass(&p, at, count);
            at = 1 - at;
            p.rows[at][0] = first;
            count = 0;
        }
        count++;
    }
    pipe_pass(&p, at, count);
    pipe_end(&p);
    csv_close(&file);
    munmap(p.rows[1], (BATCH_ROWS + 1) * sizeof(alm_obs));
    munmap(p.rows[0], (BATCH_ROWS + 1) * sizeof(alm_obs));
}

static void load(const char *csv_path, load_times *ret)
{
    alm_status st = ALM_STATUS_INIT;
    catalog_make(csv_path);
    double start = peer_now_s();
    file_commit(csv_path);
    ret->durable_s = peer_now_s() - start;
    check(alm_store_compact(store, &st), &st, "compact");
    ret->merged_s = peer_now_s() - start;
}

// One batch, or as many as it takes.
static void release(const char *csv_path)
{
    static alm_obs *rows; // kept from release to release
    static int number;
    csv_file file;
    csv_row row;
    alm_place_id near = 0;
    rows = rows != NULL ? rows : rows_map(ALM_COMMIT_ROW_COUNT_MAX);
    csv_open(&file, csv_path);
    for (bool more = true; more;) {
        char id[48];
        size_t count = 0;
        while (count < ALM_COMMIT_ROW_COUNT_MAX && (more = csv_next(&file, &row))) {
            row_make(&row, &near, &rows[count++]);
        }
        snprintf(id, sizeof id, "release-%d-%.0f", number++, peer_now_s() * 1e6);
        alm_batch batch = {.variants = variants,
                           .variant_count = indicator_count,
                           .obs = rows,
                           .obs_count = count};
        commit(&batch, id);
    }
    csv_close(&file);
}

static int64_t bytes(int64_t *ret_largest)
{
    struct stat info;
    alm_store_stats stats;
    uint64_t sizes[ALM_STORE_PART_COUNT];
    alm_status st = ALM_STATUS_INIT;
    check(alm_store_stats_get(store, &stats, &st), &st, "stats");
    if (stat(data_path, &info) != 0) {
        peer_die("%s: cannot be read", data_path);
    }
    check(alm_store_sizes_get(store, sizes, &st), &st, "sizes");
    *ret_largest = (int64_t)ALM_MAX(sizes[ALM_STORE_PART_SLICES], sizes[ALM_STORE_PART_SERIES]);
    int64_t on_disk = (int64_t)info.st_blocks * 512;
    return on_disk > (int64_t)stats.bytes_used ? on_disk : (int64_t)stats.bytes_used;
}

// --- asking --------------------------------------------------------------------------------------

typedef struct row {
    uint64_t key;
    int64_t value_e2;
    char status;
} row;

static row *rows;
static size_t row_count, row_capacity;

// Answers that are ratios, of which there are hundreds of thousands: for each period that has one a
// year before it, one for each district, NAN where there is none.
static double *ratios;
static size_t ratio_capacity;
static alm_period ratio_periods[PERIODS_MAX];
static size_t ratio_period_count;

// The runs of places below each province, and of all districts, by id.
typedef struct run {
    alm_place_id from, to;
    uint32_t province;
} run;
static run town_runs[64], districts;
static alm_place_range town_ranges[64]; // of town_runs
static size_t town_run_count;

static alm_place_id id_from(uint32_t number) // the first place that is not less
{
    size_t low = 0, high = place_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (numbers[middle] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return (alm_place_id)low;
}

static void runs_make(void)
{
    districts = (run){.from = id_from(place_level_first(LEVEL_DISTRICT)),
                      .to = id_from(place_level_end(LEVEL_DISTRICT))};
    town_run_count = 0;
    for (uint32_t province = 1; province <= place_fields[LEVEL_PROVINCE].max; province++) {
        uint32_t first = place_level_first(LEVEL_TOWN) | province << PROVINCE_SHIFT;
        run r = {.from = id_from(first),
                 .to = id_from(first + (UINT32_C(1) << PROVINCE_SHIFT)),
                 .province = province};
        if (r.from < r.to) {
            town_ranges[town_run_count] = (alm_place_range){.from = r.from, .to = r.to};
            town_runs[town_run_count++] = r;
        }
    }
}

static void *list_reserve(void *list, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity) {
        return list;
    }
    *capacity = count * 2;
    alm_free(list);
    list = alm_alloc(*capacity * size);
    if (list == NULL) {
        peer_die("no memory");
    }
    return list;
}

static void rows_reserve(size_t count)
{
    rows = list_reserve(rows, &row_capacity, count, sizeof *rows);
}

static int64_t factor_of(const alm_vector *v)
{
    return v->exponent == 0 ? 100 : v->exponent == -1 ? 10 : 1;
}

static char status_of(const alm_vector *v, size_t i)
{
    uint16_t flags = v->flags != NULL ? v->flags[i] : v->common_flags;
    return alm_obs_status_letter(alm_cell_status(flags));
}

static alm_vector series_get(const question *q)
{
    alm_vector v;
    alm_status st = ALM_STATUS_INIT;
    check(alm_store_series(reader, variants[q->indicator], id_find(q->place), NULL, &v, &st), &st,
          "series");
    return v;
}

static alm_vector slice_get(int32_t indicator, alm_period period, run r, const alm_as_of *as_of)
{
    alm_vector v;
    alm_status st = ALM_STATUS_INIT;
    check(alm_store_slice(reader, variants[indicator], period, r.from, r.to, as_of, &v, &st), &st,
          "slice");
    return v;
}

static int32_t yyyymm_of(alm_period period)
{
    return period.ordinal / 12 * 100 + period.ordinal % 12 + 1;
}

// The answers below are vectors of the reader; rows are made of them when they are told.
static alm_vector answered;

static int by_value(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->value_e2 != y->value_e2) {
        return x->value_e2 > y->value_e2 ? -1 : 1;
    }
    return (x->key > y->key) - (x->key < y->key);
}

static void rows_of_slice(const alm_vector *v)
{
    int64_t factor = factor_of(v);
    rows_reserve(v->count);
    row_count = v->count;
    for (size_t i = 0; i < v->count; i++) {
        rows[i] = (row){.key = numbers[v->places[i]],
                        .value_e2 = v->numbers[i] * factor,
                        .status = status_of(v, i)};
    }
}

// Of sorted rows; equal values have the same rank.
static void values_to_ranks(void)
{
    int64_t before = 0, rank = 0;
    for (size_t i = 0; i < row_count; i++) {
        int64_t value_e2 = rows[i].value_e2;
        rank = i > 0 && value_e2 == before ? rank : (int64_t)i + 1;
        rows[i].value_e2 = rank * 100;
        rows[i].status = '\0';
        before = value_e2;
    }
}

// Adds the sum of each province's towns to sums; *factor makes hundredths of them.
static void towns_add(int32_t indicator, alm_period period, int64_t *sums, int64_t *factor)
{
    alm_sums got;
    alm_status st = ALM_STATUS_INIT;
    check(alm_store_sums(reader, variants[indicator], period, town_ranges, town_run_count, NULL,
                         &got, &st),
          &st, "sums");
    for (size_t r = 0; r < town_run_count; r++) {
        sums[r] += got.sums[r].number;
        *factor = got.sums[r].count == 0 ? *factor
                  : got.exponent == 0    ? 100
                  : got.exponent == -1   ? 10
                                         : 1;
    }
}

static void towns_by_province(const question *q)
{
    int64_t sums[64] = {0};
    int64_t factor = 1;
    towns_add(q->indicator, month_of(q->period), sums, &factor);
    rows_reserve(town_run_count);
    row_count = town_run_count;
    for (size_t r = 0; r < town_run_count; r++) {
        rows[r] = (row){.key = town_runs[r].province, .value_e2 = sums[r] * factor};
    }
}

static alm_code take_bounds(void *arg, const alm_series_info *info, alm_status *st)
{
    (void)st;
    *(alm_series_info *)arg = *info;
    return ALM_OK;
}

// The periods a variant has, from the index.
static size_t periods_of(const question *q, alm_period *ret)
{
    char code[16];
    alm_series_info info = {0};
    alm_status st = ALM_STATUS_INIT;
    snprintf(code, sizeof code, "i%03" PRId32, q->indicator);
    alm_str indicator = alm_str_from(code);
    alm_series_query query = {.indicators = &indicator, .indicator_count = 1, .all_places = true};
    check(alm_store_find_series(store, &query, take_bounds, &info, &st), &st, "find_series");
    size_t count = 0;
    for (int32_t o = info.first.ordinal; info.cell_count > 0 && o <= info.last.ordinal; o++) {
        if (count == PERIODS_MAX) {
            peer_die("more than %d periods", PERIODS_MAX);
        }
        ret[count++] = (alm_period){.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = o};
    }
    return count;
}

static void towns_by_year(const question *q)
{
    alm_period periods[PERIODS_MAX];
    int64_t sums[64] = {0};
    int32_t year = 0;
    int64_t factor = 1;
    bool has_one = false;
    size_t count = periods_of(q, periods);
    rows_reserve(town_run_count * (count / 12 + 3));
    row_count = 0;
    for (size_t p = 0; p <= count; p++) {
        int32_t next = p < count ? periods[p].ordinal / 12 : -1;
        if (p > 0 && next != year && has_one) {
            for (size_t r = 0; r < town_run_count; r++) {
                rows[row_count++] = (row){.key = key_of(town_runs[r].province, (uint64_t)year),
                                          .value_e2 = sums[r] * factor};
            }
        }
        if (next != year) {
            memset(sums, 0, sizeof sums);
            has_one = false;
            year = next;
        }
        if (p < count) {
            towns_add(q->indicator, periods[p], sums, &factor);
            has_one = has_one || sums[0] != 0;
        }
    }
}

// As the peers do, for whatever vectors the machine has.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define WIDE
#endif

// One period's numbers by district; 0: none. Most follow each other.
WIDE static void numbers_by_district(const alm_vector *v, double *ret)
{
    enum { RUN = 16 };
    size_t i = 0;
    memset(ret, 0, (districts.to - districts.from) * sizeof *ret);
    while (i < v->count) {
        double *to = ret + (v->places[i] - districts.from);
        const int64_t *from = v->numbers + i;
        if (i + RUN <= v->count && v->places[i + RUN - 1] - v->places[i] == RUN - 1) {
            for (size_t k = 0; k < RUN; k++) {
                to[k] = (double)from[k];
            }
            i += RUN;
        } else {
            *to = (double)*from;
            i++;
        }
    }
}

WIDE static void ratios_of(const double *now, const double *before, size_t count, double *ret)
{
    for (size_t d = 0; d < count; d++) {
        double r = now[d] / before[d] - 1;
        ret[d] = (now[d] != 0) & (before[d] != 0) ? r : NAN;
    }
}

// Growth by keeping the numbers of the last twelve months.
static void growth(const question *q)
{
    static double *kept[12];
    size_t width = districts.to - districts.from;
    double *now = alm_calloc(width, sizeof *now);
    ratio_period_count = periods_of(q, ratio_periods);
    ratios =
        list_reserve(ratios, &ratio_capacity, width * ratio_period_count + width, sizeof *ratios);
    for (int i = 0; i < 12; i++) {
        kept[i] = kept[i] != NULL ? kept[i] : alm_calloc(width, sizeof *kept[i]);
        memset(kept[i], 0, width * sizeof *kept[i]);
    }
    for (size_t p = 0; p < ratio_period_count; p++) {
        double *before = kept[p % 12];
        alm_vector v = slice_get(q->indicator, ratio_periods[p], districts, NULL);
        numbers_by_district(&v, now);
        if (p >= 12) {
            ratios_of(now, before, width, ratios + (p - 12) * width);
        }
        kept[p % 12] = now;
        now = before;
    }
    alm_free(now);
}

static void tell_growth(answer *a)
{
    size_t width = districts.to - districts.from;
    for (size_t i = 0; i + 12 * width < width * ratio_period_count; i++) {
        if (!isnan(ratios[i])) {
            answer_ratio(a,
                         key_of(numbers[districts.from + i % width],
                                (uint64_t)yyyymm_of(ratio_periods[12 + i / width])),
                         ratios[i]);
        }
    }
}

static void keep_ten(row *ten, size_t *count, const row *r)
{
    if (*count == 10 && by_value(r, &ten[9]) > 0) {
        return;
    }
    size_t at = *count < 10 ? (*count)++ : 9;
    while (at > 0 && by_value(r, &ten[at - 1]) < 0) {
        ten[at] = ten[at - 1];
        at--;
    }
    ten[at] = *r;
}

static void top_ten(const question *q)
{
    row ten[10];
    size_t count = 0;
    for (size_t indicator = 0; indicator < indicator_count; indicator++) {
        run all = {.to = (alm_place_id)place_count};
        alm_vector v = slice_get((int32_t)indicator, month_of(q->period), all, NULL);
        int64_t factor = factor_of(&v);
        for (size_t i = 0; i < v.count; i++) {
            int64_t value = v.numbers[i] * factor;
            if (count < 10 || value >= ten[9].value_e2) {
                row r = {.key = key_of(indicator, numbers[v.places[i]]),
                         .value_e2 = value,
                         .status = status_of(&v, i)};
                keep_ten(ten, &count, &r);
            }
        }
    }
    rows_reserve(10);
    memcpy(rows, ten, count * sizeof *rows);
    row_count = count;
}

static void one_place(const question *q)
{
    alm_place_id id = id_find(q->place);
    rows_reserve(indicator_count);
    row_count = 0;
    for (size_t indicator = 0; indicator < indicator_count; indicator++) {
        run here = {.from = id, .to = id + 1};
        alm_vector v = slice_get((int32_t)indicator, month_of(q->period), here, NULL);
        if (v.count > 0) {
            rows[row_count++] = (row){.key = indicator,
                                      .value_e2 = v.numbers[0] * factor_of(&v),
                                      .status = status_of(&v, 0)};
        }
    }
}

static bool ask(peer_case c, const question *q)
{
    if (town_run_count == 0) {
        runs_make();
    }
    switch (c) {
    case CASE_LATEST:
    case CASE_SERIES:
        answered = series_get(q);
        return true;
    case CASE_DISTRICTS:
        answered = slice_get(q->indicator, month_of(q->period), districts, NULL);
        return true;
    case CASE_ASOF: {
        alm_as_of as_of = {.published = day_of(q->publication)};
        answered = slice_get(q->indicator, month_of(q->period), districts, &as_of);
        return true;
    }
    case CASE_RANK:
    case CASE_RANK_NUMBER:
        answered = slice_get(q->indicator, month_of(q->period), districts, NULL);
        rows_of_slice(&answered);
        qsort(rows, row_count, sizeof *rows, by_value);
        if (c == CASE_RANK_NUMBER) {
            values_to_ranks();
        }
        return true;
    case CASE_TOWNS_PROVINCE:
        towns_by_province(q);
        return true;
    case CASE_TOWNS_PROVINCE_YEAR:
        towns_by_year(q);
        return true;
    case CASE_GROWTH:
        growth(q);
        return true;
    case CASE_TOPTEN:
        top_ten(q);
        return true;
    case CASE_PLACE:
        one_place(q);
        return true;
    case CASE_COUNT:
        break;
    }
    return false;
}

static void tell(peer_case c, const question *q, answer *a)
{
    (void)q;
    if (c == CASE_LATEST || c == CASE_SERIES) {
        size_t from = c == CASE_LATEST && answered.count > 0 ? answered.count - 1 : 0;
        for (size_t i = from; i < answered.count; i++) {
            answer_row(a, (uint64_t)yyyymm_of(answered.periods[i]),
                       answered.numbers[i] * factor_of(&answered), status_of(&answered, i));
        }
        return;
    }
    if (c == CASE_DISTRICTS || c == CASE_ASOF) {
        rows_of_slice(&answered);
    }
    if (c == CASE_GROWTH) {
        tell_growth(a);
        return;
    }
    for (size_t i = 0; i < row_count; i++) {
        answer_row(a, rows[i].key, rows[i].value_e2, rows[i].status);
    }
}

static alm_code add_up(void *arg, alm_str variant, const alm_obs_columns *read, alm_status *st)
{
    int64_t *sums = arg;
    (void)variant;
    (void)st;
    sums[0] += (int64_t)read->count;
    for (size_t i = 0; i < read->count; i++) {
        int32_t exponent = ALM_OBS_AT(read, exponent, i);
        sums[1] += ALM_OBS_AT(read, mantissa, i) * (exponent == 0 ? 100 : exponent == -1 ? 10 : 1);
    }
    return ALM_OK;
}

static void total(int32_t indicator, int32_t period, int64_t *ret_count, int64_t *ret_sum_e2)
{
    char code[8];
    int64_t sums[2] = {0};
    alm_status st = ALM_STATUS_INIT;
    snprintf(code, sizeof code, "i%03d", indicator);
    alm_str indicators[] = {alm_str_from(code)};
    alm_period periods[] = {month_of(period)};
    alm_read read = {.indicators = indicators,
                     .indicator_count = period != 0,
                     .breakdown = ALM_STR("*"),
                     .all_places = true,
                     .all_periods = period == 0,
                     .from = periods,
                     .to = periods,
                     .period_count = period != 0,
                     .as_of = ALM_DATE_MAX};
    check(alm_store_read(store, &read, add_up, sums, NULL, &st), &st, "total");
    *ret_count = sums[0];
    *ret_sum_e2 = sums[1];
}

int main(int argc, char **argv)
{
    static const peer self = {.name = name_of,
                              .open = store_open,
                              .close = store_close,
                              .load = load,
                              .bytes = bytes,
                              .release = release,
                              .revise = release,
                              .total = total,
                              .ask = ask,
                              .tell = tell};
    mallopt(M_MMAP_THRESHOLD, 32 << 20); // memory is kept, as the services do
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    return peer_main(&self, argc, argv);
}
