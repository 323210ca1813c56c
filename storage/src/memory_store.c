#include "memory_store.h"

#include "alm/alloc.h"

#include <errno.h>
#include <time.h>

#define BYTES_DEFAULT ((size_t)64 << 30)

// --- arrays and cells ----------------------------------------------------------------------------

bool memory_grow(void **array, size_t *cap, size_t need, size_t elem_size)
{
    if (need <= *cap) {
        return true;
    }
    size_t next = ALM_MAX(need, *cap * 2);
    char *grown = alm_realloc(*array, next * elem_size);
    if (grown == NULL) {
        return false;
    }
    memset(grown + *cap * elem_size, 0, (next - *cap) * elem_size);
    *array = grown;
    *cap = next;
    return true;
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

int memory_cell_cmp(const alm_obs *a, const alm_obs *b)
{
    int order = alm_period_cmp(a->period, b->period);
    return order != 0 ? order : COMPARE(a->place, b->place);
}

size_t memory_cell_end(const memory_variant *variant, size_t from)
{
    size_t to = from + 1;
    while (to < variant->count &&
           memory_cell_cmp(variant->vintages[from], variant->vintages[to]) == 0) {
        to++;
    }
    return to;
}

size_t memory_cell_find(const memory_variant *variant, uint64_t period, alm_place_id place)
{
    size_t low = 0;
    size_t high = variant->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const alm_obs *row = variant->vintages[middle];
        uint64_t of_row = alm_period_pack(row->period);
        if (of_row < period || (of_row == period && row->place < place)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// --- what is stored ------------------------------------------------------------------------------

static alm_code find_entry(const void *arg, alm_entry_kind kind, alm_str code, alm_arena *arena,
                           bool *ret_found, alm_entry *ret, alm_status *st)
{
    const memory_store *store = arg;
    uint32_t id;
    *ret_found = memory_index_find(&store->entries[kind].numbers, code, &id);
    return *ret_found ? alm_entry_decode(store->entries[kind].of[id], kind, arena, ret, st)
                      : ALM_OK;
}

static alm_code has_observations(const void *arg, alm_str indicator, bool *ret, alm_status *st)
{
    const memory_store *store = arg;
    *ret = false;
    for (size_t i = 0; i < store->variants.count && !*ret; i++) {
        alm_variant variant;
        ALM_TRY(alm_variant_decode(store->variants.of[i].text, &variant, st));
        *ret = alm_str_eq(variant.indicator, indicator);
    }
    return ALM_OK;
}

alm_stored_catalog memory_stored_catalog(const memory_store *store)
{
    return (alm_stored_catalog){
        .arg = store, .find = find_entry, .has_observations = has_observations};
}

alm_code memory_precedence_get(const memory_store *store, alm_arena *arena, alm_precedence *ret,
                               alm_status *st)
{
    size_t count = store->entries[ALM_ENTRY_SOURCE].count;
    int32_t *of = alm_arena_calloc(arena, count, sizeof *of);
    if (of == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "the read is too large for its memory");
    }
    if (count > 0) {
        memcpy(of, store->precedence, count * sizeof *of);
    }
    *ret = (alm_precedence){.of = of, .count = count};
    return ALM_OK;
}

// --- waiting -------------------------------------------------------------------------------------

static struct timespec deadline_in(int64_t timeout_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ms = ALM_MAX(timeout_ms, 0);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static alm_code wait_for(alm_store *base, uint64_t sequence, int64_t timeout_ms, alm_status *st)
{
    memory_store *store = memory_of(base);
    struct timespec until = deadline_in(timeout_ms);
    int error = 0;
    pthread_mutex_lock(&store->mutex);
    while (store->commits.count < sequence && error == 0) {
        error = pthread_cond_timedwait(&store->grown, &store->mutex, &until);
    }
    uint64_t reached = store->commits.count;
    pthread_mutex_unlock(&store->mutex);
    return reached >= sequence
               ? ALM_OK
               : alm_status_set(st, ALM_DEADLINE_EXCEEDED,
                                "commit %llu is not there yet; the newest is %llu",
                                (unsigned long long)sequence, (unsigned long long)reached);
}

// --- figures -------------------------------------------------------------------------------------

// Cells whose winner was not withdrawn; under mutex.
static uint64_t count_cells(const memory_store *store, const alm_precedence *precedence)
{
    uint64_t count = 0;
    for (size_t v = 0; v < store->variants.count; v++) {
        const memory_variant *variant = &store->variants.of[v];
        for (size_t from = 0, to = 0; from < variant->count; from = to) {
            to = memory_cell_end(variant, from);
            const alm_obs *winner =
                alm_vintage_choose(precedence, NULL, variant->vintages + from, to - from);
            count += winner->value.status != ALM_OBS_STATUS_WITHDRAWN;
        }
    }
    return count;
}

static alm_code get_stats(alm_store *base, alm_store_stats *ret, alm_status *st)
{
    (void)st;
    memory_store *store = memory_of(base);
    pthread_mutex_lock(&store->mutex);
    alm_precedence precedence = {.of = store->precedence,
                                 .count = store->entries[ALM_ENTRY_SOURCE].count};
    *ret = (alm_store_stats){.sequence = store->commits.count,
                             .catalog_sequence = store->catalog_sequence,
                             .observations = store->observations,
                             .cells = count_cells(store, &precedence),
                             .indicators = store->entries[ALM_ENTRY_INDICATOR].count,
                             .places = store->entries[ALM_ENTRY_PLACE].count,
                             .sources = store->entries[ALM_ENTRY_SOURCE].count,
                             .series_variants = store->variants.count,
                             .quarantined = store->quarantine.count,
                             .feed_from = store->feed_trimmed + 1,
                             .feed_bytes = store->feed_bytes,
                             .bytes_used = store->bytes_used,
                             .bytes_max = store->bytes_max,
                             .commits = store->commits.count,
                             .commit_groups = store->commits.count};
    pthread_mutex_unlock(&store->mutex);
    return ALM_OK;
}

// --- opening -------------------------------------------------------------------------------------

static alm_code compact(alm_store *store, alm_status *st)
{
    (void)store; // nothing is put off
    (void)st;
    return ALM_OK;
}

static void free_texts(memory_texts *texts)
{
    memory_index_deinit(&texts->numbers);
    alm_free(texts->of);
}

static void close_store(alm_store *base)
{
    memory_store *store = memory_of(base);
    for (size_t i = 0; i < store->variants.cap; i++) {
        alm_free(store->variants.of[i].vintages);
    }
    alm_free(store->variants.of);
    memory_index_deinit(&store->variants.ids);
    for (size_t i = 0; i < ALM_ARRAY_LEN(store->entries); i++) {
        free_texts(&store->entries[i]);
    }
    free_texts(&store->batches);
    free_texts(&store->quarantine);
    alm_free(store->precedence);
    alm_free(store->commits.of);
    alm_arena_destroy(&store->arena);
    pthread_cond_destroy(&store->grown);
    pthread_mutex_destroy(&store->mutex);
    pthread_mutex_destroy(&store->writing);
    alm_free(store);
}

static const alm_store_ops memory_ops = {
    .close = close_store,
    .commit = memory_commit_batch,
    .read = memory_read,
    .reader_open = memory_reader_open,
    .reader_close = memory_reader_close,
    .series = memory_series,
    .slice = memory_slice,
    .visit_catalog = memory_visit_catalog,
    .visit_entries = memory_visit_entries,
    .find_series = memory_find_series,
    .visit_quarantine = memory_visit_quarantine,
    .change = memory_change,
    .wait = wait_for,
    .stats = get_stats,
    .compact = compact,
    .verify = memory_verify,
};

static bool init_locks(memory_store *store)
{
    pthread_condattr_t attr;
    // Waits are bounded by the monotonic clock: a step of the wall clock must not stretch them.
    bool ok = pthread_condattr_init(&attr) == 0 &&
              pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
              pthread_mutex_init(&store->writing, NULL) == 0 &&
              pthread_mutex_init(&store->mutex, NULL) == 0 &&
              pthread_cond_init(&store->grown, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return ok;
}

static alm_code open_engine(const char *dir, const alm_store_opts *opts, alm_store **ret,
                            alm_status *st)
{
    (void)dir;
    memory_store *store = alm_calloc(1, sizeof *store);
    if (store == NULL || !init_locks(store)) {
        alm_free(store);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a store");
    }
    store->base.ops = &memory_ops;
    store->clock = opts->clock.wall_us != NULL ? opts->clock : alm_clock_system();
    store->bytes_max = opts->bytes_max != 0 ? opts->bytes_max : BYTES_DEFAULT;
    store->feed_commits = opts->feed_commits != 0 ? opts->feed_commits : ALM_FEED_COMMITS;
    store->feed_bytes_max = opts->feed_bytes != 0 ? opts->feed_bytes : ALM_FEED_BYTES;
    store->arena = alm_arena_create(store->bytes_max);
    if (store->arena == NULL) {
        close_store(&store->base);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a store");
    }
    *ret = &store->base;
    return ALM_OK;
}

const alm_engine alm_engine_memory = {.open = open_engine};
