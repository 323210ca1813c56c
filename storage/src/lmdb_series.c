// Which series there are, and what could not be taken.
#include "lmdb_store.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the list");
}

// --- series --------------------------------------------------------------------------------------

typedef struct survey {
    lmdb_store *store;
    alm_arena *arena;
    uint8_t *seen; // a bit for each place
    uint64_t places;
} survey;

static alm_code survey_chunk(survey *s, const lmdb_txn *txn, const lmdb_scan *scan,
                             lmdb_slice_key at, alm_series_info *info, alm_status *st)
{
    alm_block block;
    uint64_t cells = 0;
    const alm_base *base;
    alm_arena_reset(s->arena);
    ALM_TRY(lmdb_base_get(txn, at.variant, at.chunk, &base, st));
    ALM_TRY(alm_block_open(scan->value, ALM_CHUNK_ROW_COUNT_MAX, base, s->arena, &block, st));
    for (size_t i = 0; i < block.count; i++) {
        alm_place_id place = alm_block_place(&block, i);
        if (place >= s->places) {
            return alm_status_set(st, ALM_DATA_LOSS, "a slice has the unknown place %u", place);
        }
        if (alm_block_status(&block, i) == ALM_OBS_STATUS_WITHDRAWN) {
            continue;
        }
        uint8_t bit = (uint8_t)(1 << place % 8);
        info->place_count += (s->seen[place / 8] & bit) == 0;
        s->seen[place / 8] |= bit;
        cells++;
    }
    alm_period period;
    if (!alm_period_unpack(at.period, &period)) {
        return alm_status_set(st, ALM_DATA_LOSS, "the period in a slice's key is damaged");
    }
    if (cells > 0 && info->cell_count == 0) {
        info->first = period;
    }
    if (cells > 0) {
        info->last = period;
    }
    info->cell_count += cells;
    return ALM_OK;
}

static alm_code survey_slices(survey *s, const lmdb_txn *txn, uint32_t variant,
                              alm_series_info *info, alm_status *st)
{
    lmdb_scan scan;
    lmdb_slice_key at;
    lmdb_key key = lmdb_key_of_slice((lmdb_slice_key){.variant = variant});
    ALM_TRY(lmdb_scan_open(txn, LMDB_SLICE, &scan, st));
    alm_code code = lmdb_scan_seek(&scan, &key, st);
    while (code == ALM_OK && scan.found && lmdb_slice_key_from(scan.key, &at) &&
           at.variant == variant) {
        code = survey_chunk(s, txn, &scan, at, info, st);
        if (code == ALM_OK) {
            code = lmdb_scan_next(&scan, st);
        }
    }
    lmdb_scan_close(&scan);
    return code;
}

static alm_code survey_variant(survey *s, uint32_t variant, alm_arena *texts, alm_series_info *info,
                               alm_status *st)
{
    lmdb_txn txn;
    alm_head head;
    *info = (alm_series_info){0};
    ALM_TRY(lmdb_begin_read(s->store, &txn, st));
    alm_code code = lmdb_head_get(&txn, &head, st);
    if (code == ALM_OK) {
        code = lmdb_variant_text(&txn, variant, texts, &info->variant, st);
    }
    if (code == ALM_OK) {
        s->places = head.places;
        s->seen = alm_arena_calloc(texts, head.places / 8 + 1, 1);
        code = s->seen == NULL ? no_memory(st) : survey_slices(s, &txn, variant, info, st);
    }
    lmdb_abort(&txn);
    return code;
}

static alm_code all_variants(lmdb_store *store, alm_arena *arena, lmdb_ids *ids, alm_status *st)
{
    lmdb_txn txn;
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = lmdb_variants_of(&txn, ALM_STR(""), arena, ids, st);
    lmdb_abort(&txn);
    return code;
}

static alm_code survey_all(survey *s, alm_arena *list, alm_arena *texts,
                           alm_code (*visit)(void *arg, const alm_series_info *info,
                                             alm_status *st),
                           void *arg, alm_status *st)
{
    lmdb_ids ids = {0};
    ALM_TRY(all_variants(s->store, list, &ids, st));
    for (size_t i = 0; i < ids.count; i++) {
        alm_series_info info;
        alm_arena_reset(texts);
        ALM_TRY(survey_variant(s, ids.ids[i], texts, &info, st));
        ALM_TRY(visit(arg, &info, st));
    }
    return ALM_OK;
}

alm_code lmdb_series_visit(alm_store *store,
                           alm_code (*visit)(void *arg, const alm_series_info *info,
                                             alm_status *st),
                           void *arg, alm_status *st)
{
    survey s = {.store = lmdb_of(store), .arena = alm_arena_create(0)};
    alm_arena *list = alm_arena_create(0);
    alm_arena *texts = alm_arena_create(0);
    alm_code code = s.arena == NULL || list == NULL || texts == NULL
                        ? no_memory(st)
                        : survey_all(&s, list, texts, visit, arg, st);
    alm_arena_destroy(&texts);
    alm_arena_destroy(&list);
    alm_arena_destroy(&s.arena);
    return code;
}

// --- quarantine ----------------------------------------------------------------------------------

#define PAGE_ROW_COUNT 256 // copied out of one snapshot, then visited

typedef struct quarantine_page {
    alm_str rows[PAGE_ROW_COUNT];
    size_t count;
    uint64_t next; // number of the first row behind the page
} quarantine_page;

static alm_code copy_row(const lmdb_scan *scan, alm_arena *arena, quarantine_page *page,
                         alm_status *st)
{
    uint64_t number;
    if (!lmdb_u64_from_key(scan->key, &number)) {
        return alm_status_set(st, ALM_DATA_LOSS, "a key of the quarantine is damaged");
    }
    char *copy = alm_arena_strdup(arena, scan->value);
    if (copy == NULL) {
        return no_memory(st);
    }
    page->rows[page->count++] = (alm_str){.data = copy, .len = scan->value.len};
    page->next = number + 1;
    return ALM_OK;
}

static alm_code copy_page(lmdb_store *store, alm_arena *arena, quarantine_page *page,
                          alm_status *st)
{
    lmdb_txn txn;
    lmdb_scan scan;
    lmdb_key key = lmdb_key_of_u64(page->next);
    page->count = 0;
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = lmdb_scan_open(&txn, LMDB_QUARANTINE, &scan, st);
    if (code == ALM_OK) {
        code = lmdb_scan_seek(&scan, &key, st);
    }
    while (code == ALM_OK && scan.found && page->count < PAGE_ROW_COUNT) {
        code = copy_row(&scan, arena, page, st);
        if (code == ALM_OK) {
            code = lmdb_scan_next(&scan, st);
        }
    }
    lmdb_scan_close(&scan);
    lmdb_abort(&txn);
    return code;
}

static alm_code visit_pages(lmdb_store *store, quarantine_page *page, alm_arena *arena,
                            alm_code (*visit)(void *arg, const alm_quarantined *row,
                                              alm_status *st),
                            void *arg, alm_status *st)
{
    do {
        alm_arena_reset(arena);
        ALM_TRY(copy_page(store, arena, page, st));
        for (size_t i = 0; i < page->count; i++) {
            alm_quarantined row;
            ALM_TRY(alm_quarantined_decode(page->rows[i], &row, st));
            ALM_TRY(visit(arg, &row, st));
        }
    } while (page->count > 0);
    return ALM_OK;
}

alm_code lmdb_quarantine_visit(alm_store *store,
                               alm_code (*visit)(void *arg, const alm_quarantined *row,
                                                 alm_status *st),
                               void *arg, alm_status *st)
{
    quarantine_page page = {0};
    alm_arena *arena = alm_arena_create(0);
    alm_code code =
        arena == NULL ? no_memory(st) : visit_pages(lmdb_of(store), &page, arena, visit, arg, st);
    alm_arena_destroy(&arena);
    return code;
}
