#include "alm/store.h"

#include "backup.h"
#include "engine.h"
#include "sums.h"
#include "top.h"
#include "totals.h"

#include "alm/alloc.h"
#include "alm/limits.h"

static const alm_store_opts usual = {0};

static const alm_engine *engine_of(const alm_store_opts *opts)
{
    return opts->engine != NULL ? opts->engine : &alm_engine_lmdb;
}

alm_code alm_store_open(const char *dir, const alm_store_opts *opts, alm_store **ret,
                        alm_status *st)
{
    opts = opts != NULL ? opts : &usual;
    return engine_of(opts)->open(dir, opts, ret, st);
}

void alm_store_close(alm_store **store)
{
    if (*store != NULL) {
        (*store)->ops->close(*store);
        *store = NULL;
    }
}

alm_code alm_store_commit(alm_store *store, const alm_batch *batch, alm_arena *arena,
                          alm_commit_result *ret, alm_status *st)
{
    alm_checked_batch checked;
    ALM_TRY(alm_batch_check(batch, arena, &checked, st));
    return store->ops->commit(store, &checked, arena, ret, st);
}

static alm_code check_ranges(const alm_read *read, alm_status *st)
{
    for (size_t i = 0; i < read->period_count; i++) {
        alm_period from = read->from[i];
        alm_period to = read->to[i];
        bool is_closed = from.freq != ALM_FREQ_NONE && to.freq != ALM_FREQ_NONE;
        if ((from.freq != ALM_FREQ_NONE && !alm_period_valid(from)) ||
            (to.freq != ALM_FREQ_NONE && !alm_period_valid(to)) ||
            (is_closed && (from.freq != to.freq || from.length != to.length))) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "periods",
                                        "period range %zu: its ends are not two periods of one "
                                        "frequency and length",
                                        i);
        }
    }
    return ALM_OK;
}

static alm_code check_places(const alm_place_id *places, size_t count, alm_status *st)
{
    for (size_t i = 1; i < count; i++) {
        if (places[i - 1] >= places[i]) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "places",
                                        "place ids must ascend, and %u is not after %u", places[i],
                                        places[i - 1]);
        }
    }
    return ALM_OK;
}

static alm_code check_read(const alm_read *read, alm_status *st)
{
    ALM_TRY(check_places(read->places, read->place_count, st));
    if (read->as_of == ALM_DATE_NONE) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "as_of", "as_of is no date");
    }
    if (read->top.count > ALM_TOP_COUNT_MAX || (read->top.count > 0 && read->all_vintages)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "top",
                                    "the first %u cells of a slice: at most %d, and of those that "
                                    "have one value",
                                    read->top.count, ALM_TOP_COUNT_MAX);
    }
    return check_ranges(read, st);
}

// The engine may leave out cells that are not wanted, and need not.
static alm_code read_top(alm_store *store, const alm_read *read, alm_read_visit visit, void *arg,
                         uint64_t *ret_sequence, alm_status *st)
{
    alm_arena *arena = alm_arena_create(ALM_ARENA_BYTES_MAX);
    alm_top_rows rows = {.top = read->top, .visit = visit, .arg = arg, .arena = arena};
    if (arena == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a read");
    }
    alm_code code = store->ops->read(store, read, alm_top_rows_take, &rows, ret_sequence, st);
    if (code == ALM_OK) {
        code = alm_top_rows_end(&rows, st);
    }
    alm_arena_destroy(&arena);
    return code;
}

alm_code alm_store_read(alm_store *store, const alm_read *read, alm_read_visit visit, void *arg,
                        uint64_t *ret_sequence, alm_status *st)
{
    ALM_TRY(check_read(read, st));
    return read->top.count > 0 ? read_top(store, read, visit, arg, ret_sequence, st)
                               : store->ops->read(store, read, visit, arg, ret_sequence, st);
}

// --- totals --------------------------------------------------------------------------------------

static alm_code check_groups(const alm_total_groups *groups, alm_status *st)
{
    for (size_t i = 0; i < groups->range_count; i++) {
        const alm_group_range *range = &groups->ranges[i];
        bool is_behind = i == 0 || range->from >= groups->ranges[i - 1].to;
        if (range->from >= range->to || !is_behind || range->group >= groups->group_count) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "groups",
                                        "members must ascend and belong to a group: range %zu, "
                                        "%u..%u of group %u, does not",
                                        i, range->from, range->to, range->group);
        }
    }
    for (size_t i = 1; i < groups->span_count; i++) {
        if (groups->spans[i].place <= groups->spans[i - 1].place) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "groups",
                                        "spans of places must ascend, and number %zu does not", i);
        }
    }
    bool is_unit = groups->unit.measure == ALM_MEASURE_UNIT_NONE || alm_unit_valid(groups->unit);
    return is_unit ? ALM_OK
                   : alm_status_set_field(st, ALM_INVALID_ARGUMENT, "groups", "not a unit");
}

// A read lists places, or takes all where they are many: who is no member does not count.
#define LISTED_COUNT_MAX 4096

static alm_code list_members(const alm_total_groups *groups, alm_arena *arena, alm_read *read,
                             alm_status *st)
{
    uint64_t count = 0;
    for (size_t i = 0; i < groups->range_count; i++) {
        count += groups->ranges[i].to - groups->ranges[i].from;
    }
    read->all_places = count > LISTED_COUNT_MAX;
    read->places = NULL;
    read->place_count = 0;
    if (read->all_places) {
        return ALM_OK;
    }
    alm_place_id *places = alm_arena_alloc(arena, count * sizeof *places);
    if (places == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the places of a read");
    }
    for (size_t i = 0; i < groups->range_count; i++) {
        for (alm_place_id place = groups->ranges[i].from; place < groups->ranges[i].to; place++) {
            places[read->place_count++] = place;
        }
    }
    read->places = places;
    return ALM_OK;
}

static alm_code add_up_rows(alm_store *store, const alm_read *read, alm_row_totals *totals,
                            uint64_t *ret_sequence, alm_status *st)
{
    ALM_TRY(store->ops->read(store, read, alm_row_totals_take, totals, ret_sequence, st));
    return alm_row_totals_end(totals, st);
}

alm_code alm_store_totals(alm_store *store, const alm_read *asked, const alm_total_groups *groups,
                          alm_totals_visit visit, void *arg, uint64_t *ret_sequence, alm_status *st)
{
    alm_read read = *asked;
    read.place_count = 0;
    ALM_TRY(check_groups(groups, st));
    ALM_TRY(check_read(&read, st));
    if (read.without_value || read.all_vintages || read.top.count > 0) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "only cells that have one value can be added up");
    }
    alm_arena *plan = alm_arena_create(ALM_ARENA_BYTES_MAX);
    alm_arena *arena = alm_arena_create(ALM_ARENA_BYTES_MAX);
    alm_row_totals totals = {
        .groups = groups, .visit = visit, .arg = arg, .arena = arena, .plans = {.arena = plan}};
    alm_code code = plan == NULL || arena == NULL
                        ? alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for totals")
                        : list_members(groups, plan, &read, st);
    if (code == ALM_OK) {
        code = store->ops->totals != NULL
                   ? store->ops->totals(store, &read, &totals, ret_sequence, st)
                   : add_up_rows(store, &read, &totals, ret_sequence, st);
    }
    alm_arena_destroy(&arena);
    alm_arena_destroy(&plan);
    return code;
}

alm_code alm_store_reader_open(alm_store *store, alm_store_reader **ret, alm_status *st)
{
    return store->ops->reader_open(store, ret, st);
}

void alm_store_reader_close(alm_store_reader **reader)
{
    if (*reader != NULL) {
        alm_free((*reader)->sums);
        (*reader)->ops->reader_close(*reader);
        *reader = NULL;
    }
}

static alm_code check_variant(alm_str variant, alm_status *st)
{
    if (variant.len == 0 || variant.len > ALM_SERIES_KEY_BYTES_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "variant",
                                    "a variant's text is 1 to %d bytes long, not %zu",
                                    ALM_SERIES_KEY_BYTES_MAX, variant.len);
    }
    return ALM_OK;
}

alm_code alm_store_series(alm_store_reader *reader, alm_str variant, alm_place_id place,
                          const alm_as_of *as_of, alm_vector *ret, alm_status *st)
{
    ALM_TRY(check_variant(variant, st));
    return reader->ops->series(reader, variant, place, as_of, ret, st);
}

alm_code alm_store_slice(alm_store_reader *reader, alm_str variant, alm_period period,
                         alm_place_id from, alm_place_id to, const alm_as_of *as_of,
                         alm_vector *ret, alm_status *st)
{
    ALM_TRY(check_variant(variant, st));
    if (!alm_period_valid(period)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "period", "not a period");
    }
    return reader->ops->slice(reader, variant, period, from, to, as_of, ret, st);
}

// --- sums ----------------------------------------------------------------------------------------

static alm_code check_place_ranges(const alm_place_range *ranges, size_t count, alm_status *st)
{
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].from > ranges[i].to || (i > 0 && ranges[i].from < ranges[i - 1].to)) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "ranges",
                                        "ranges of places must ascend, and number %zu does not", i);
        }
    }
    return ALM_OK;
}

static alm_code reserve_sums(alm_store_reader *reader, size_t count, alm_status *st)
{
    if (count > reader->sum_cap) {
        alm_free(reader->sums);
        reader->sums = alm_alloc(count * sizeof *reader->sums);
        reader->sum_cap = reader->sums != NULL ? count : 0;
    }
    if (count > reader->sum_cap) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %zu sums", count);
    }
    return ALM_OK;
}

alm_code alm_store_sums(alm_store_reader *reader, alm_str variant, alm_period period,
                        const alm_place_range *ranges, size_t count, const alm_as_of *as_of,
                        alm_sums *ret, alm_status *st)
{
    alm_vector v;
    bool is_done = false;
    const alm_store_ops *ops = reader->ops;
    ALM_TRY(check_variant(variant, st));
    ALM_TRY(check_place_ranges(ranges, count, st));
    ALM_TRY(reserve_sums(reader, count, st));
    if (ops->sums != NULL && as_of == NULL && count > 0) {
        ALM_TRY(ops->sums(reader, variant, period, ranges, count, reader->sums, &v, &is_done, st));
    }
    if (!is_done) {
        alm_place_id from = count > 0 ? ranges[0].from : 0;
        alm_place_id to = count > 0 ? ranges[count - 1].to : 0;
        ALM_TRY(alm_store_slice(reader, variant, period, from, to, as_of, &v, st));
        ALM_TRY(alm_vector_sums(&v, ranges, count, reader->sums, st));
    }
    *ret = (alm_sums){.sums = reader->sums,
                      .count = count,
                      .exponent = v.exponent,
                      .unit = v.unit,
                      .sequence = v.sequence};
    return ALM_OK;
}

alm_code alm_store_visit_catalog(alm_store *store, const alm_catalog_visitor *visitor,
                                 uint64_t *ret_catalog_sequence, alm_status *st)
{
    return store->ops->visit_catalog(store, visitor, ret_catalog_sequence, st);
}

alm_code alm_store_visit_entries(alm_store *store, const uint32_t *ids, size_t count,
                                 const alm_catalog_visitor *visitor, alm_status *st)
{
    return store->ops->visit_entries(store, ids, count, visitor, st);
}

alm_code alm_store_find_series(alm_store *store, const alm_series_query *query,
                               alm_series_visit visit, void *arg, alm_status *st)
{
    ALM_TRY(check_places(query->places, query->place_count, st));
    return store->ops->find_series(store, query, visit, arg, st);
}

alm_code alm_store_visit_series(alm_store *store, alm_series_visit visit, void *arg, alm_status *st)
{
    static const alm_series_query all = {.breakdown = {"*", 1}, .all_places = true};
    return store->ops->find_series(store, &all, visit, arg, st);
}

alm_code alm_store_visit_quarantine(alm_store *store,
                                    alm_code (*visit)(void *arg, const alm_quarantined *row,
                                                      alm_status *st),
                                    void *arg, alm_status *st)
{
    return store->ops->visit_quarantine(store, visit, arg, st);
}

alm_code alm_store_change(alm_store *store, uint64_t from_sequence, alm_arena *arena,
                          alm_change *ret, alm_status *st)
{
    return store->ops->change(store, from_sequence, arena, ret, st);
}

alm_code alm_store_wait(alm_store *store, uint64_t sequence, int64_t timeout_ms, alm_status *st)
{
    return store->ops->wait(store, sequence, timeout_ms, st);
}

const char *alm_store_part_word(alm_store_part part)
{
    static const char *const words[] = {
#define PART_WORD(name, word) word,
        ALM_STORE_PART_MAP(PART_WORD)
#undef PART_WORD
    };
    ALM_ASSERT(part < ALM_STORE_PART_COUNT);
    return words[part];
}

alm_code alm_store_stats_get(alm_store *store, alm_store_stats *ret, alm_status *st)
{
    return store->ops->stats(store, ret, st);
}

alm_code alm_store_sizes_get(alm_store *store, uint64_t ret[ALM_STORE_PART_COUNT], alm_status *st)
{
    memset(ret, 0, ALM_STORE_PART_COUNT * sizeof *ret);
    return store->ops->sizes == NULL ? ALM_OK : store->ops->sizes(store, ret, st);
}

alm_code alm_store_compact(alm_store *store, alm_status *st)
{
    return store->ops->compact(store, st);
}

alm_code alm_store_verify(alm_store *store, void (*problem)(void *arg, alm_str text), void *arg,
                          alm_verify_result *ret, alm_status *st)
{
    return store->ops->verify(store, problem, arg, ret, st);
}

alm_code alm_store_verify_dir(const char *dir, const alm_store_opts *opts,
                              void (*problem)(void *arg, alm_str text), void *arg,
                              alm_verify_result *ret, alm_status *st)
{
    opts = opts != NULL ? opts : &usual;
    const alm_engine *engine = engine_of(opts);
    return engine->verify_dir == NULL
               ? alm_status_set(st, ALM_UNIMPLEMENTED, "this engine has no folders")
               : engine->verify_dir(dir, opts, problem, arg, ret, st);
}

alm_code alm_store_rebuild(const char *dir, const alm_store_opts *opts,
                           void (*problem)(void *arg, alm_str text), void *arg,
                           alm_rebuild_result *ret, alm_status *st)
{
    opts = opts != NULL ? opts : &usual;
    const alm_engine *engine = engine_of(opts);
    return engine->rebuild == NULL
               ? alm_status_set(st, ALM_UNIMPLEMENTED, "this engine has no folders")
               : engine->rebuild(dir, opts, problem, arg, ret, st);
}

static alm_code no_backups(alm_status *st)
{
    return alm_status_set(st, ALM_UNIMPLEMENTED, "this engine has no backups");
}

alm_code alm_store_backup(alm_store *store, const alm_backup_sink *sink, alm_backup_info *ret,
                          alm_status *st)
{
    return store->ops->backup == NULL ? no_backups(st) : store->ops->backup(store, sink, ret, st);
}

alm_code alm_store_backup_check(const alm_backup_source *source, alm_backup_info *ret,
                                alm_status *st)
{
    bool found = true;
    alm_backup_record record;
    alm_backup_reader *reader = NULL;
    ALM_TRY(alm_backup_open(source, &reader, ret, st));
    alm_code code = ALM_OK;
    while (code == ALM_OK && found) {
        code = alm_backup_next(reader, &found, &record, ret, st);
    }
    alm_backup_reader_destroy(&reader);
    return code;
}

alm_code alm_store_restore(const alm_backup_source *source, const char *dir,
                           const alm_store_opts *opts, alm_backup_info *ret, alm_status *st)
{
    opts = opts != NULL ? opts : &usual;
    const alm_engine *engine = engine_of(opts);
    return engine->restore == NULL ? no_backups(st) : engine->restore(source, dir, opts, ret, st);
}
