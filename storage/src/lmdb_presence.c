#include "lmdb_presence.h"

#include "alm/alloc.h"

#include <stdio.h>

struct lmdb_presence_item {
    uint32_t chunk;
    bool recounts; // a cell lost its value: whether its place has others, only the slices know
    alm_presence was, is;
};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for what places have");
}

// --- records -------------------------------------------------------------------------------------

alm_code lmdb_presence_get(const lmdb_txn *txn, uint32_t variant, uint32_t chunk, alm_presence *ret,
                           alm_status *st)
{
    bool found;
    alm_str bytes;
    lmdb_key key = lmdb_key_of_pair(variant, chunk);
    memset(ret, 0, sizeof *ret);
    ALM_TRY(lmdb_get(txn, LMDB_PRESENCE, &key, &found, &bytes, st));
    return found ? alm_presence_decode(bytes, ret, st) : ALM_OK;
}

static alm_code put(const lmdb_txn *txn, uint32_t variant, uint32_t chunk,
                    const alm_presence *presence, alm_status *st)
{
    alm_buf buf;
    lmdb_key key = lmdb_key_of_pair(variant, chunk);
    alm_buf_init(&buf, 0);
    alm_presence_encode(presence, &buf);
    alm_code code = buf.failed ? no_memory(st) : lmdb_put(txn, LMDB_PRESENCE, &key, &buf, 0, st);
    alm_buf_deinit(&buf);
    return code;
}

// --- counting ------------------------------------------------------------------------------------

static alm_code add_slice(const lmdb_txn *txn, const lmdb_scan *scan, lmdb_slice_key at,
                          alm_arena *arena, alm_presence *ret, alm_status *st)
{
    alm_block block;
    alm_place_set places;
    const alm_base *base;
    alm_arena_reset(arena);
    ALM_TRY(lmdb_base_get(txn, at.variant, at.chunk, &base, st));
    ALM_TRY(alm_block_open(scan->value, LMDB_CHUNK_PLACES, base, arena, &block, st));
    uint64_t cells = alm_presence_of_block(&block, &places);
    alm_presence_add(ret, at.period, &places, cells);
    return ALM_OK;
}

static alm_code count_slices(const lmdb_txn *txn, lmdb_scan *scan, uint32_t variant, uint32_t chunk,
                             alm_arena *arena, alm_presence *ret, alm_status *st)
{
    lmdb_slice_key at = {.variant = variant, .chunk = chunk};
    for (;;) {
        lmdb_slice_key found;
        lmdb_key key = lmdb_key_of_slice(at);
        ALM_TRY(lmdb_scan_seek(scan, &key, st));
        if (!scan->found || !lmdb_slice_key_from(scan->key, &found) || found.variant != variant) {
            return ALM_OK;
        }
        if (found.chunk == chunk) {
            ALM_TRY(add_slice(txn, scan, found, arena, ret, st));
        }
        at.period = found.period + (found.chunk >= chunk);
    }
}

alm_code lmdb_presence_count(const lmdb_txn *txn, uint32_t variant, uint32_t chunk,
                             alm_presence *ret, alm_status *st)
{
    lmdb_scan scan;
    alm_arena *arena = alm_arena_create(0);
    memset(ret, 0, sizeof *ret);
    if (arena == NULL) {
        return no_memory(st);
    }
    alm_code code = lmdb_scan_open(txn, LMDB_SLICE, &scan, st);
    if (code == ALM_OK) {
        code = count_slices(txn, &scan, variant, chunk, arena, ret, st);
    }
    lmdb_scan_close(&scan);
    alm_arena_destroy(&arena);
    return code;
}

// --- beside a batch ------------------------------------------------------------------------------

static alm_code flush_item(lmdb_presences *self, lmdb_presence_item *item, alm_status *st)
{
    if (item->recounts) {
        ALM_TRY(lmdb_presence_count(self->txn, self->variant, item->chunk, &item->is, st));
    }
    return memcmp(&item->was, &item->is, sizeof item->is) == 0
               ? ALM_OK
               : put(self->txn, self->variant, item->chunk, &item->is, st);
}

alm_code lmdb_presences_flush(lmdb_presences *self, alm_status *st)
{
    for (size_t i = 0; i < self->count; i++) {
        ALM_TRY(flush_item(self, &self->items[i], st));
    }
    self->count = 0;
    return ALM_OK;
}

static alm_code item_of(lmdb_presences *self, lmdb_slice_key slice, lmdb_presence_item **ret,
                        alm_status *st)
{
    if (self->count > 0 && self->variant != slice.variant) {
        ALM_TRY(lmdb_presences_flush(self, st));
    }
    self->variant = slice.variant;
    for (size_t i = 0; i < self->count; i++) {
        if (self->items[i].chunk == slice.chunk) {
            *ret = &self->items[i];
            return ALM_OK;
        }
    }
    if (!alm_arena_grow(self->arena, (void **)&self->items, &self->cap, self->count + 1,
                        sizeof *self->items)) {
        return no_memory(st);
    }
    lmdb_presence_item *item = &self->items[self->count];
    ALM_TRY(lmdb_presence_get(self->txn, slice.variant, slice.chunk, &item->was, st));
    item->chunk = slice.chunk;
    item->recounts = false;
    item->is = item->was;
    self->count++;
    *ret = item;
    return ALM_OK;
}

alm_code lmdb_presences_note(lmdb_presences *self, lmdb_slice_key slice, const lmdb_live *had,
                             const lmdb_live *has, alm_status *st)
{
    lmdb_presence_item *item = NULL;
    if (had->cells == has->cells && memcmp(&had->places, &has->places, sizeof had->places) == 0) {
        return ALM_OK;
    }
    ALM_TRY(item_of(self, slice, &item, st));
    if (alm_place_set_common(&had->places, &has->places) < had->cells) {
        item->recounts = true;
    }
    alm_presence_add(&item->is, slice.period, &has->places, has->cells);
    item->is.cells -= ALM_MIN(had->cells, item->is.cells);
    return ALM_OK;
}

// --- all of a variant ----------------------------------------------------------------------------

// The last chunk that any slice of the variant is in. Chunks are few.
static alm_code find_last_chunk(const lmdb_txn *txn, lmdb_dbi dbi, uint32_t variant, bool *ret_any,
                                uint32_t *ret, alm_status *st)
{
    lmdb_scan scan;
    lmdb_slice_key at;
    lmdb_key key = lmdb_key_of_slice((lmdb_slice_key){.variant = variant});
    *ret_any = false;
    *ret = 0;
    ALM_TRY(lmdb_scan_open(txn, dbi, &scan, st));
    alm_code code = lmdb_scan_seek(&scan, &key, st);
    while (code == ALM_OK && scan.found && lmdb_slice_key_from(scan.key, &at) &&
           at.variant == variant) {
        *ret_any = true;
        *ret = ALM_MAX(*ret, at.chunk);
        code = lmdb_scan_next(&scan, st);
    }
    lmdb_scan_close(&scan);
    return code;
}

alm_code lmdb_presence_rebuild(const lmdb_txn *txn, uint32_t variant, alm_status *st)
{
    bool is_any;
    uint32_t last;
    ALM_TRY(find_last_chunk(txn, LMDB_SLICE, variant, &is_any, &last, st));
    for (uint32_t chunk = 0; is_any && chunk <= last; chunk++) {
        alm_presence presence;
        ALM_TRY(lmdb_presence_count(txn, variant, chunk, &presence, st));
        ALM_TRY(put(txn, variant, chunk, &presence, st));
    }
    return ALM_OK;
}

// --- verifying -----------------------------------------------------------------------------------

static void report(uint32_t variant, uint32_t chunk, const char *what,
                   void (*problem)(void *arg, alm_str text), void *arg)
{
    char text[ALM_STATUS_MESSAGE_MAX];
    snprintf(text, sizeof text, "presence of variant %u, chunk %u: %s", variant, chunk, what);
    problem(arg, alm_str_from(text));
}

static void verify_part(const lmdb_txn *txn, uint32_t variant, uint32_t chunk,
                        void (*problem)(void *arg, alm_str text), void *arg)
{
    alm_presence said, found;
    alm_status st = ALM_STATUS_INIT;
    if (lmdb_presence_count(txn, variant, chunk, &found, NULL) != ALM_OK) {
        return;
    }
    if (lmdb_presence_get(txn, variant, chunk, &said, &st) != ALM_OK) {
        report(variant, chunk, st.message, problem, arg);
    } else if (memcmp(&said, &found, sizeof said) != 0) {
        report(variant, chunk, "it is not what the slices have", problem, arg);
    }
}

// Records of parts that no slice is in.
static void verify_strays(const lmdb_txn *txn, uint32_t variants,
                          void (*problem)(void *arg, alm_str text), void *arg)
{
    lmdb_scan scan;
    alm_code code = lmdb_scan_open(txn, LMDB_PRESENCE, &scan, NULL);
    if (code == ALM_OK) {
        code = lmdb_scan_seek(&scan, NULL, NULL);
    }
    while (scan.found) {
        uint32_t variant, chunk, last;
        bool is_any;
        if (!lmdb_pair_from_key(scan.key, &variant, &chunk) || variant >= variants) {
            problem(arg, ALM_STR("presence: a key is damaged"));
        } else if (find_last_chunk(txn, LMDB_SLICE, variant, &is_any, &last, NULL) == ALM_OK &&
                   (!is_any || chunk > last)) {
            report(variant, chunk, "there are no such slices", problem, arg);
        }
        code = lmdb_scan_next(&scan, NULL);
    }
    if (code != ALM_OK && scan.cursor != NULL) {
        problem(arg, ALM_STR("presence: it cannot be read on"));
    }
    lmdb_scan_close(&scan);
}

void lmdb_presence_verify(const lmdb_txn *txn, uint32_t variants,
                          void (*problem)(void *arg, alm_str text), void *arg)
{
    for (uint32_t variant = 0; variant < variants; variant++) {
        bool is_any = false;
        uint32_t last;
        (void)!find_last_chunk(txn, LMDB_SLICE, variant, &is_any, &last, NULL);
        for (uint32_t chunk = 0; is_any && chunk <= last; chunk++) {
            verify_part(txn, variant, chunk, problem, arg);
        }
    }
    verify_strays(txn, variants, problem, arg);
}
