// Visiting the catalogue.
#include "lmdb_store.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the catalogue");
}

// All entries are copied out of one snapshot first, since a visitor may take its time.
typedef struct entry_copy {
    alm_entry_kind kind;
    uint32_t id;
    alm_str bytes;
} entry_copy;

typedef struct entry_copies {
    entry_copy *copies;
    size_t count, cap;
} entry_copies;

static alm_code copy_entry(const lmdb_scan *scan, alm_arena *arena, entry_copies *out,
                           alm_status *st)
{
    const uint8_t *key = scan->key.mv_data;
    if (scan->key.mv_size != 5 || key[0] < ALM_ENTRY_INDICATOR || key[0] > ALM_ENTRY_SOURCE) {
        return alm_status_set(st, ALM_DATA_LOSS, "a catalogue key is damaged");
    }
    char *copy = alm_arena_alloc(arena, scan->value.len);
    if (copy == NULL || !alm_arena_grow(arena, (void **)&out->copies, &out->cap, out->count + 1,
                                        sizeof *out->copies)) {
        return no_memory(st);
    }
    if (scan->value.len > 0) {
        memcpy(copy, scan->value.data, scan->value.len);
    }
    uint32_t id = (uint32_t)key[1] << 24 | (uint32_t)key[2] << 16 | (uint32_t)key[3] << 8 | key[4];
    out->copies[out->count++] = (entry_copy){
        .kind = (alm_entry_kind)key[0], .id = id, .bytes = {.data = copy, .len = scan->value.len}};
    return ALM_OK;
}

static alm_code copy_entries(const lmdb_txn *txn, alm_arena *arena, entry_copies *out,
                             alm_status *st)
{
    lmdb_scan scan;
    ALM_TRY(lmdb_scan_open(txn, LMDB_ENTRY, &scan, st));
    alm_code code = lmdb_scan_seek(&scan, NULL, st);
    while (code == ALM_OK && scan.found) {
        code = copy_entry(&scan, arena, out, st);
        if (code == ALM_OK) {
            code = lmdb_scan_next(&scan, st);
        }
    }
    lmdb_scan_close(&scan);
    return code;
}

// Ids are dense: a gap is a lost entry.
static alm_code check_dense(const entry_copies *entries, const alm_head *head, alm_status *st)
{
    uint64_t counts[ALM_ENTRY_SOURCE + 1] = {0};
    for (size_t i = 0; i < entries->count; i++) {
        const entry_copy *copy = &entries->copies[i];
        if (copy->id != counts[copy->kind]++) {
            return alm_status_set(st, ALM_DATA_LOSS, "%s %llu is missing from the catalogue",
                                  alm_entry_kind_word(copy->kind),
                                  (unsigned long long)counts[copy->kind] - 1);
        }
    }
    if (counts[ALM_ENTRY_INDICATOR] != head->indicators ||
        counts[ALM_ENTRY_PLACE] != head->places || counts[ALM_ENTRY_SOURCE] != head->sources) {
        return alm_status_set(st, ALM_DATA_LOSS, "the catalogue's last entries are missing");
    }
    return ALM_OK;
}

static alm_code visit_entry(const alm_catalog_visitor *visitor, const entry_copy *copy,
                            alm_arena *arena, alm_status *st)
{
    alm_entry entry;
    ALM_TRY(alm_entry_decode(copy->bytes, copy->kind, arena, &entry, st));
    switch (copy->kind) {
    case ALM_ENTRY_INDICATOR:
        return visitor->indicator == NULL
                   ? ALM_OK
                   : visitor->indicator(visitor->arg, copy->id, &entry.indicator, st);
    case ALM_ENTRY_PLACE:
        return visitor->place == NULL ? ALM_OK
                                      : visitor->place(visitor->arg, copy->id, &entry.place, st);
    case ALM_ENTRY_SOURCE:
        return visitor->source == NULL ? ALM_OK
                                       : visitor->source(visitor->arg, copy->id, &entry.source, st);
    }
    return ALM_OK;
}

#define CATALOG_BYTES_MAX ((size_t)2 << 30)

static alm_code snapshot_entries(lmdb_store *store, alm_arena *arena, entry_copies *entries,
                                 alm_head *head, alm_status *st)
{
    lmdb_txn txn;
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = lmdb_head_get(&txn, head, st);
    if (code == ALM_OK) {
        code = copy_entries(&txn, arena, entries, st);
    }
    lmdb_abort(&txn);
    return code == ALM_OK ? check_dense(entries, head, st) : code;
}

alm_code lmdb_catalog_visit(alm_store *store, const alm_catalog_visitor *visitor,
                            uint64_t *ret_catalog_sequence, alm_status *st)
{
    alm_head head;
    entry_copies entries = {0};
    alm_arena *arena = alm_arena_create(CATALOG_BYTES_MAX);
    alm_arena *lists = alm_arena_create(0);
    alm_code code = arena == NULL || lists == NULL ? no_memory(st) : ALM_OK;
    if (code == ALM_OK) {
        code = snapshot_entries(lmdb_of(store), arena, &entries, &head, st);
    }
    if (code == ALM_OK && ret_catalog_sequence != NULL) {
        *ret_catalog_sequence = head.catalog_sequence;
    }
    for (size_t i = 0; code == ALM_OK && i < entries.count; i++) {
        alm_arena_reset(lists);
        code = visit_entry(visitor, &entries.copies[i], lists, st);
    }
    alm_arena_destroy(&lists);
    alm_arena_destroy(&arena);
    return code;
}

// --- some of them --------------------------------------------------------------------------------

static alm_code copy_known(const lmdb_txn *txn, alm_entry_kind kind, const uint32_t *ids,
                           size_t count, alm_arena *arena, entry_copies *out, alm_status *st)
{
    out->copies = alm_arena_calloc(arena, count, sizeof *out->copies);
    if (out->copies == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        bool found;
        alm_str bytes;
        lmdb_key key = lmdb_key_of_kind_id(kind, ids[i]);
        ALM_TRY(lmdb_get(txn, LMDB_ENTRY, &key, &found, &bytes, st));
        char *copy = found ? alm_arena_strdup(arena, bytes) : NULL;
        if (found && copy == NULL) {
            return no_memory(st);
        }
        if (found) {
            out->copies[out->count++] =
                (entry_copy){.kind = kind, .id = ids[i], .bytes = {.data = copy, .len = bytes.len}};
        }
    }
    return ALM_OK;
}

static alm_code snapshot_known(lmdb_store *store, alm_entry_kind kind, const uint32_t *ids,
                               size_t count, alm_arena *arena, entry_copies *out, alm_status *st)
{
    lmdb_txn txn;
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = copy_known(&txn, kind, ids, count, arena, out, st);
    lmdb_abort(&txn);
    return code;
}

alm_code lmdb_entries_visit(alm_store *store, const uint32_t *ids, size_t count,
                            const alm_catalog_visitor *visitor, alm_status *st)
{
    entry_copies entries = {0};
    alm_entry_kind kind = alm_entry_kind_visited(visitor);
    alm_arena *arena = alm_arena_create(CATALOG_BYTES_MAX);
    alm_arena *lists = alm_arena_create(0);
    alm_code code = arena == NULL || lists == NULL
                        ? no_memory(st)
                        : snapshot_known(lmdb_of(store), kind, ids, count, arena, &entries, st);
    for (size_t i = 0; code == ALM_OK && i < entries.count; i++) {
        alm_arena_reset(lists);
        code = visit_entry(visitor, &entries.copies[i], lists, st);
    }
    alm_arena_destroy(&lists);
    alm_arena_destroy(&arena);
    return code;
}
