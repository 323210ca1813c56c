#include "cached_reader.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a read of kept series");
}

static alm_code read_storage(const alm_cached_reader *it, const alm_fetch *fetch,
                             alm_row_visit visit, void *arg, alm_status *st)
{
    alm_row_reader inner = alm_storage_row_reader(it->storage);
    return inner.read(inner.self, fetch, visit, arg, st);
}

// --- reading with the neighbours -----------------------------------------------------------------

// All that the same fetch may ask of the chunk's places.
static alm_code widen(const alm_cached_reader *it, const alm_fetch *fetch, alm_place_id first,
                      alm_arena *arena, alm_fetch *ret, alm_status *st)
{
    size_t tree = alm_place_tree_count(alm_catalog_places(it->storage->catalog));
    size_t count = ALM_MIN(tree - first, (size_t)ALM_PACK_PLACE_COUNT);
    alm_place_id *places = alm_arena_calloc(arena, count, sizeof *places);
    if (places == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        places[i] = first + (alm_place_id)i;
    }
    *ret = *fetch;
    ret->places = places;
    ret->place_count = count;
    ret->periods = (alm_period_expr){.kind = ALM_PERIOD_EXPR_ALL};
    ret->without_value = true;
    return ALM_OK;
}

static alm_code read_chunk(const alm_cached_reader *it, const alm_fetch *fetch, alm_place_id first,
                           alm_arena *arena, alm_series_pack **ret, alm_status *st)
{
    alm_fetch wide;
    alm_pack_draft *draft = alm_pack_draft_create(first, arena);
    if (draft == NULL) {
        return no_memory(st);
    }
    ALM_TRY(widen(it, fetch, first, arena, &wide, st));
    ALM_TRY(read_storage(it, &wide, alm_pack_draft_visit, draft, st));
    return alm_series_pack_create(draft, ret, st);
}

// Does it say nothing of what was read?
static bool is_of_the_call(const alm_cached_reader *it, alm_code code)
{
    return it->storage->newer_catalog != 0 || code == ALM_CANCELLED ||
           code == ALM_DEADLINE_EXCEEDED || code == ALM_UNAVAILABLE;
}

static alm_code fill(const alm_cached_reader *it, const alm_fetch *fetch, alm_cache_chunk *chunk,
                     alm_status *st)
{
    alm_series_pack *pack;
    alm_arena *arena = alm_arena_create(0);
    alm_code code =
        arena == NULL ? no_memory(st) : read_chunk(it, fetch, chunk->first_place, arena, &pack, st);
    alm_arena_destroy(&arena);
    if (code == ALM_OK) {
        alm_series_cache_fill(it->cache, fetch, chunk, pack, it->storage->at_sequence);
        chunk->pack = pack;
    } else {
        alm_series_cache_give_up(it->cache, fetch, chunk, !is_of_the_call(it, code));
    }
    return code;
}

// The first failure is the answer; what is left is given up.
static alm_code fill_all(const alm_cached_reader *it, const alm_fetch *fetch,
                         alm_cache_answer *answer, alm_status *st)
{
    alm_code code = ALM_OK;
    for (size_t i = 0; i < answer->chunk_count; i++) {
        alm_cache_chunk *chunk = &answer->chunks[i];
        if (chunk->pack == NULL && code == ALM_OK) {
            code = fill(it, fetch, chunk, st);
        } else if (chunk->pack == NULL) {
            alm_series_cache_give_up(it->cache, fetch, chunk, false);
        }
    }
    return code;
}

// --- a read --------------------------------------------------------------------------------------

static bool has_some(const alm_cache_answer *answer)
{
    for (size_t i = 0; i < answer->chunk_count; i++) {
        if (answer->chunks[i].pack != NULL) {
            return true;
        }
    }
    return false;
}

static alm_code visit_answer(const alm_cache_answer *answer, const alm_fetch *fetch,
                             alm_row_visit visit, void *arg, alm_status *st)
{
    alm_series_pack *packs[ALM_CACHE_PLACE_COUNT_MAX];
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < answer->chunk_count; i++) {
        packs[i] = answer->chunks[i].pack;
    }
    alm_code code = alm_series_packs_read(packs, answer->chunk_count, fetch, visit, arg, arena, st);
    alm_arena_destroy(&arena);
    return code;
}

// What is missing is read at the state of what is there. Nothing is visited before all is there, so
// what cannot be kept is read as it was asked for.
static alm_code answer_from(const alm_cached_reader *it, const alm_fetch *fetch,
                            alm_cache_answer *answer, alm_row_visit visit, void *arg,
                            alm_status *st)
{
    alm_status why = ALM_STATUS_INIT;
    alm_code code = ALM_OK;
    if (has_some(answer)) {
        code =
            alm_storage_reader_learn(it->storage, answer->sequence, answer->catalog_sequence, &why);
    }
    if (code == ALM_OK) {
        code = fill_all(it, fetch, answer, &why);
    }
    if (code != ALM_OK && !is_of_the_call(it, code)) {
        return read_storage(it, fetch, visit, arg, st);
    }
    return code == ALM_OK ? visit_answer(answer, fetch, visit, arg, st) : alm_status_copy(st, &why);
}

static alm_code read_rows(void *self, const alm_fetch *fetch, alm_row_visit visit, void *arg,
                          alm_status *st)
{
    const alm_cached_reader *it = self;
    const alm_storage_reader *storage = it->storage;
    alm_cache_answer answer;
    if (it->cache == NULL) {
        return read_storage(it, fetch, visit, arg, st);
    }
    alm_series_cache_ask(it->cache, fetch, storage->at_sequence,
                         storage->is_checked ? 0 : storage->min_sequence, &answer);
    if (answer.found == ALM_CACHE_MISS) {
        return read_storage(it, fetch, visit, arg, st);
    }
    alm_code code = answer_from(it, fetch, &answer, visit, arg, st);
    alm_cache_answer_release(&answer);
    return code;
}

static alm_code read_totals(void *self, const alm_fetch *fetch, const alm_total_groups *groups,
                            alm_totals_visit visit, void *arg, const alm_read_beside *beside,
                            alm_status *st)
{
    const alm_cached_reader *it = self;
    alm_row_reader inner = alm_storage_row_reader(it->storage);
    return inner.totals(inner.self, fetch, groups, visit, arg, beside, st);
}

static alm_code check_call(void *self, alm_status *st)
{
    const alm_cached_reader *it = self;
    return alm_call_check(it->storage->call, st);
}

alm_row_reader alm_cached_row_reader(alm_cached_reader *reader)
{
    return (alm_row_reader){
        .self = reader, .read = read_rows, .check = check_call, .totals = read_totals};
}

// --- without waiting -----------------------------------------------------------------------------

typedef struct counted_visit {
    alm_kept_reader *reader;
    alm_row_visit visit;
    void *arg;
} counted_visit;

static alm_code visit_few(void *arg, const alm_str *variants, size_t variant_count,
                          const alm_obs_columns *rows, alm_status *st)
{
    const counted_visit *it = arg;
    if (rows->count > it->reader->rows_left) {
        return alm_status_set(st, ALM_UNAVAILABLE, "there are more rows than may be looked at");
    }
    it->reader->rows_left -= rows->count;
    return it->visit(it->arg, variants, variant_count, rows, st);
}

static alm_code read_kept(void *self, const alm_fetch *fetch, alm_row_visit visit, void *arg,
                          alm_status *st)
{
    alm_kept_reader *it = self;
    const alm_storage_reader *storage = it->storage;
    counted_visit counted = {it, visit, arg};
    alm_cache_answer answer;
    alm_series_cache_peek(it->cache, fetch, storage->at_sequence,
                          storage->is_checked ? 0 : storage->min_sequence, &answer);
    if (answer.found == ALM_CACHE_MISS) {
        return alm_status_set(st, ALM_UNAVAILABLE, "not all series are kept");
    }
    alm_code code =
        alm_storage_reader_learn(it->storage, answer.sequence, answer.catalog_sequence, st);
    if (code == ALM_OK) {
        code = visit_answer(&answer, fetch, visit_few, &counted, st);
    }
    alm_cache_answer_release(&answer);
    return code;
}

alm_row_reader alm_kept_row_reader(alm_kept_reader *reader)
{
    return (alm_row_reader){.self = reader, .read = read_kept};
}
