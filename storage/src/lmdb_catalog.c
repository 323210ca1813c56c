#include "lmdb_store.h"

#include <stdio.h>
#include <stdlib.h>

alm_code lmdb_entry_find(const lmdb_txn *txn, alm_entry_kind kind, alm_str code, bool *ret_found,
                         uint32_t *ret_id, alm_status *st)
{
    if (code.len == 0 || code.len > ALM_CODE_BYTES_MAX) {
        *ret_found = false;
        return ALM_OK;
    }
    lmdb_key key = lmdb_key_of_kind_code(kind, code);
    return lmdb_get_u32(txn, LMDB_CODE, &key, ret_found, ret_id, st);
}

static alm_code entry_get(const lmdb_txn *txn, alm_entry_kind kind, uint32_t id, alm_arena *arena,
                          alm_entry *ret, alm_status *st)
{
    alm_str bytes;
    lmdb_key key = lmdb_key_of_kind_id(kind, id);
    ALM_TRY(lmdb_require(txn, LMDB_ENTRY, &key, &bytes, st));
    return alm_entry_decode(bytes, kind, arena, ret, st);
}

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the catalogue");
}

// --- a batch's entries ---------------------------------------------------------------------------

// A batch's entries of one kind, found by code.
typedef struct entry_set {
    alm_entry_kind kind;
    alm_entry *entries; // in the batch's order
    const alm_entry **by_code;
    size_t count;
} entry_set;

static alm_entry batch_entry(const alm_batch *batch, alm_entry_kind kind, size_t i)
{
    alm_entry entry = {.kind = kind};
    switch (kind) {
    case ALM_ENTRY_INDICATOR:
        entry.indicator = batch->indicators[i];
        break;
    case ALM_ENTRY_PLACE:
        entry.place = batch->places[i];
        break;
    case ALM_ENTRY_SOURCE:
        entry.source = batch->sources[i];
        break;
    }
    return entry;
}

static int entry_cmp(const void *a, const void *b)
{
    const alm_entry *const *x = a;
    const alm_entry *const *y = b;
    int order = alm_str_cmp(alm_entry_code(*x), alm_entry_code(*y));
    return order != 0 ? order : (*x > *y) - (*x < *y);
}

static alm_code entry_set_of(const alm_batch *batch, alm_entry_kind kind, size_t count,
                             alm_arena *arena, entry_set *ret, alm_status *st)
{
    *ret = (entry_set){.kind = kind, .count = count};
    ret->entries = alm_arena_calloc(arena, count, sizeof *ret->entries);
    ret->by_code = alm_arena_calloc(arena, count, sizeof *ret->by_code);
    if (ret->entries == NULL || ret->by_code == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        ret->entries[i] = batch_entry(batch, kind, i);
        ret->by_code[i] = &ret->entries[i];
    }
    if (count > 1) {
        qsort(ret->by_code, count, sizeof *ret->by_code, entry_cmp);
    }
    return ALM_OK;
}

// The last entry of the batch with that code; NULL: none.
static const alm_entry *entry_set_find(const entry_set *set, alm_str code)
{
    size_t low = 0;
    size_t high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (alm_str_cmp(alm_entry_code(set->by_code[middle]), code) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_there = low > 0 && alm_str_eq(alm_entry_code(set->by_code[low - 1]), code);
    return is_there ? set->by_code[low - 1] : NULL;
}

// --- checks --------------------------------------------------------------------------------------

// The entry the code will stand for once the batch is in; NULL: none.
static alm_code entry_to_be(const lmdb_txn *txn, const entry_set *set, alm_str code,
                            alm_arena *arena, const alm_entry **ret, alm_status *st)
{
    *ret = entry_set_find(set, code);
    if (*ret != NULL) {
        return ALM_OK;
    }
    bool found;
    uint32_t id;
    ALM_TRY(lmdb_entry_find(txn, set->kind, code, &found, &id, st));
    if (!found) {
        return ALM_OK;
    }
    alm_entry *entry = alm_arena_alloc(arena, sizeof *entry);
    if (entry == NULL) {
        return no_memory(st);
    }
    *ret = entry;
    return entry_get(txn, set->kind, id, arena, entry, st);
}

static alm_code unknown_link(alm_status *st, const alm_entry *entry, const char *role, alm_str code)
{
    alm_str own = alm_entry_code(entry);
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, alm_entry_kind_word(entry->kind),
                                "%s %.*s: unknown %s %.*s", alm_entry_kind_word(entry->kind),
                                ALM_STR_ARGS(own), role, ALM_STR_ARGS(code));
}

// An empty code is no link.
static alm_code check_link(const lmdb_txn *txn, const entry_set *set, const alm_entry *entry,
                           const char *role, alm_str code, alm_arena *arena,
                           const alm_entry **ret_target, alm_status *st)
{
    *ret_target = NULL;
    if (code.len == 0) {
        return ALM_OK;
    }
    ALM_TRY(entry_to_be(txn, set, code, arena, ret_target, st));
    return *ret_target != NULL ? ALM_OK : unknown_link(st, entry, role, code);
}

static alm_code check_place_links(const lmdb_txn *txn, const entry_set *set, const alm_entry *entry,
                                  alm_arena *arena, alm_status *st)
{
    const alm_entry *target;
    const alm_place *place = &entry->place;
    ALM_TRY(check_link(txn, set, entry, "parent", place->parent, arena, &target, st));
    if (target != NULL && target->place.level >= place->level) {
        return alm_status_set_field(
            st, ALM_INVALID_ARGUMENT, "place", "place %.*s (%s) cannot be below %.*s (%s)",
            ALM_STR_ARGS(place->code), alm_level_code(place->level),
            ALM_STR_ARGS(target->place.code), alm_level_code(target->place.level));
    }
    for (size_t i = 0; i < place->successor_count; i++) {
        ALM_TRY(check_link(txn, set, entry, "successor", place->successors[i], arena, &target, st));
    }
    return ALM_OK;
}

static alm_code check_links(const lmdb_txn *txn, const entry_set *set, const alm_entry *entry,
                            alm_arena *arena, alm_status *st)
{
    const alm_entry *target;
    if (entry->kind == ALM_ENTRY_PLACE) {
        return check_place_links(txn, set, entry, arena, st);
    }
    if (entry->kind == ALM_ENTRY_INDICATOR) {
        const alm_indicator *e = &entry->indicator;
        ALM_TRY(check_link(txn, set, entry, "numerator", e->numerator, arena, &target, st));
        ALM_TRY(check_link(txn, set, entry, "denominator", e->denominator, arena, &target, st));
    }
    return ALM_OK;
}

static alm_code has_observations(const lmdb_txn *txn, alm_str indicator, bool *ret, alm_status *st)
{
    lmdb_scan scan;
    lmdb_key key = lmdb_key_of_variant_of(indicator, 0);
    ALM_TRY(lmdb_scan_open(txn, LMDB_VARIANT_OF, &scan, st));
    alm_code code = lmdb_scan_seek(&scan, &key, st);
    *ret = code == ALM_OK && scan.found && scan.key.mv_size == key.len &&
           memcmp(scan.key.mv_data, key.bytes, indicator.len + 1) == 0;
    lmdb_scan_close(&scan);
    return code;
}

// What a change must leave alone.
static alm_code check_fixed(const lmdb_txn *txn, const alm_entry *old, const alm_entry *entry,
                            alm_status *st)
{
    if (entry->kind == ALM_ENTRY_PLACE && old->place.level != entry->place.level) {
        return alm_status_set_field(
            st, ALM_FAILED_PRECONDITION, "place", "place %.*s is a %s and cannot become a %s",
            ALM_STR_ARGS(entry->place.code), alm_level_code(old->place.level),
            alm_level_code(entry->place.level));
    }
    if (entry->kind != ALM_ENTRY_INDICATOR) {
        return ALM_OK;
    }
    alm_dimension was = alm_unit_dimension(old->indicator.unit);
    alm_dimension is = alm_unit_dimension(entry->indicator.unit);
    bool has = false;
    if (was != is) {
        ALM_TRY(has_observations(txn, entry->indicator.code, &has, st));
    }
    if (has) {
        return alm_status_set_field(st, ALM_FAILED_PRECONDITION, "indicator",
                                    "indicator %.*s has observations in %s and cannot change to %s",
                                    ALM_STR_ARGS(entry->indicator.code), alm_dimension_name(was),
                                    alm_dimension_name(is));
    }
    return ALM_OK;
}

static alm_code check_entry(const lmdb_txn *txn, const entry_set *set, size_t i, alm_arena *arena,
                            alm_status *st)
{
    const alm_entry *entry = set->by_code[i];
    alm_str code = alm_entry_code(entry);
    ALM_TRY(check_links(txn, set, entry, arena, st));
    if (i > 0 && alm_str_eq(alm_entry_code(set->by_code[i - 1]), code)) {
        return check_fixed(txn, set->by_code[i - 1], entry, st);
    }
    bool found;
    uint32_t id;
    ALM_TRY(lmdb_entry_find(txn, set->kind, code, &found, &id, st));
    if (!found) {
        return ALM_OK;
    }
    alm_entry old;
    ALM_TRY(entry_get(txn, set->kind, id, arena, &old, st));
    return check_fixed(txn, &old, entry, st);
}

static const alm_entry_kind entry_kinds[] = {ALM_ENTRY_INDICATOR, ALM_ENTRY_PLACE,
                                             ALM_ENTRY_SOURCE};

static size_t batch_count(const alm_batch *batch, alm_entry_kind kind)
{
    switch (kind) {
    case ALM_ENTRY_INDICATOR:
        return batch->indicator_count;
    case ALM_ENTRY_PLACE:
        return batch->place_count;
    case ALM_ENTRY_SOURCE:
        return batch->source_count;
    }
    return 0;
}

alm_code lmdb_catalog_check(const lmdb_txn *txn, const alm_batch *batch, alm_arena *arena,
                            alm_status *st)
{
    for (size_t k = 0; k < ALM_ARRAY_LEN(entry_kinds); k++) {
        entry_set set;
        size_t count = batch_count(batch, entry_kinds[k]);
        ALM_TRY(entry_set_of(batch, entry_kinds[k], count, arena, &set, st));
        for (size_t i = 0; i < count; i++) {
            ALM_TRY(check_entry(txn, &set, i, arena, st));
        }
    }
    return ALM_OK;
}

// --- precedence ----------------------------------------------------------------------------------

// The precedence of every source in one record, since reads need all of them at once.

alm_code lmdb_precedence_get(const lmdb_txn *txn, alm_arena *arena, alm_precedence *ret,
                             alm_status *st)
{
    bool found;
    alm_str bytes = {0};
    lmdb_key key = lmdb_key_of_text(ALM_STR("precedence"));
    *ret = (alm_precedence){0};
    ALM_TRY(lmdb_get(txn, LMDB_META, &key, &found, &bytes, st));
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    uint64_t count = found ? alm_read_varint(&r) : 0;
    if (r.failed || count > alm_reader_left(&r)) {
        return alm_status_set(st, ALM_DATA_LOSS, "the table of precedences is damaged");
    }
    int32_t *of = alm_arena_calloc(arena, count, sizeof *of);
    if (of == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        of[i] = (int32_t)alm_read_svarint(&r);
    }
    if (r.failed || alm_reader_left(&r) != 0) {
        return alm_status_set(st, ALM_DATA_LOSS, "the table of precedences is damaged");
    }
    *ret = (alm_precedence){.of = of, .count = count};
    return ALM_OK;
}

static alm_code precedence_put(const lmdb_txn *txn, const int32_t *of, size_t count,
                               alm_buf *scratch, alm_status *st)
{
    lmdb_key key = lmdb_key_of_text(ALM_STR("precedence"));
    alm_buf_reset(scratch);
    alm_buf_varint(scratch, count);
    for (size_t i = 0; i < count; i++) {
        alm_buf_svarint(scratch, of[i]);
    }
    return lmdb_put(txn, LMDB_META, &key, scratch, 0, st);
}

// --- writing -------------------------------------------------------------------------------------

typedef struct put_ctx {
    const lmdb_txn *txn;
    alm_head *head;
    lmdb_catalog_change *change;
    alm_buf scratch;
    int32_t *precedence; // room for the batch's sources too
    size_t precedence_count;
} put_ctx;

static uint64_t *entry_counter(alm_head *head, alm_entry_kind kind)
{
    switch (kind) {
    case ALM_ENTRY_INDICATOR:
        return &head->indicators;
    case ALM_ENTRY_PLACE:
        return &head->places;
    case ALM_ENTRY_SOURCE:
        break;
    }
    return &head->sources;
}

static alm_code give_id(put_ctx *ctx, const alm_entry *entry, uint32_t *ret_id, alm_status *st)
{
    uint64_t *count = entry_counter(ctx->head, entry->kind);
    if (*count >= ALM_PLACE_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "more than %d entries of one kind (%s)",
                              ALM_PLACE_COUNT_MAX, alm_entry_kind_word(entry->kind));
    }
    *ret_id = (uint32_t)(*count)++;
    lmdb_key key = lmdb_key_of_kind_code(entry->kind, alm_entry_code(entry));
    return lmdb_put_u32(ctx->txn, LMDB_CODE, &key, *ret_id, st);
}

static void note_precedence(put_ctx *ctx, uint32_t id, const alm_entry *entry)
{
    if (entry->kind != ALM_ENTRY_SOURCE) {
        return;
    }
    if (id == ctx->precedence_count) {
        ctx->precedence_count++;
    } else if (ctx->precedence[id] != entry->source.precedence) {
        ctx->change->precedence_changed = true;
    }
    ctx->precedence[id] = entry->source.precedence;
}

static alm_code put_entry(put_ctx *ctx, const alm_entry *entry, alm_status *st)
{
    bool found;
    uint32_t id;
    ALM_TRY(lmdb_entry_find(ctx->txn, entry->kind, alm_entry_code(entry), &found, &id, st));
    alm_buf_reset(&ctx->scratch);
    alm_entry_encode(entry, &ctx->scratch);
    if (found) {
        alm_str old;
        lmdb_key key = lmdb_key_of_kind_id(entry->kind, id);
        ALM_TRY(lmdb_require(ctx->txn, LMDB_ENTRY, &key, &old, st));
        if (alm_str_eq(old, alm_buf_view(&ctx->scratch))) {
            ctx->change->unchanged++;
            return ALM_OK;
        }
        ctx->change->changed++;
    } else {
        ALM_TRY(give_id(ctx, entry, &id, st));
        ctx->change->added++;
    }
    note_precedence(ctx, id, entry);
    lmdb_key key = lmdb_key_of_kind_id(entry->kind, id);
    return lmdb_put(ctx->txn, LMDB_ENTRY, &key, &ctx->scratch, 0, st);
}

static alm_code load_precedence(put_ctx *ctx, const alm_batch *batch, alm_arena *arena,
                                alm_status *st)
{
    alm_precedence stored;
    ALM_TRY(lmdb_precedence_get(ctx->txn, arena, &stored, st));
    if (stored.count != ctx->head->sources) {
        return alm_status_set(st, ALM_DATA_LOSS, "%zu precedences are stored for %llu sources",
                              stored.count, (unsigned long long)ctx->head->sources);
    }
    ctx->precedence =
        alm_arena_calloc(arena, stored.count + batch->source_count, sizeof *ctx->precedence);
    if (ctx->precedence == NULL) {
        return no_memory(st);
    }
    if (stored.count > 0) {
        memcpy(ctx->precedence, stored.of, stored.count * sizeof *stored.of);
    }
    ctx->precedence_count = stored.count;
    return ALM_OK;
}

static alm_code put_all(put_ctx *ctx, const alm_batch *batch, alm_status *st)
{
    for (size_t k = 0; k < ALM_ARRAY_LEN(entry_kinds); k++) {
        size_t count = batch_count(batch, entry_kinds[k]);
        for (size_t i = 0; i < count; i++) {
            alm_entry entry = batch_entry(batch, entry_kinds[k], i);
            ALM_TRY(put_entry(ctx, &entry, st));
        }
    }
    if (batch->source_count == 0) {
        return ALM_OK;
    }
    return precedence_put(ctx->txn, ctx->precedence, ctx->precedence_count, &ctx->scratch, st);
}

alm_code lmdb_catalog_put(const lmdb_txn *txn, const alm_batch *batch, alm_arena *arena,
                          alm_head *head, lmdb_catalog_change *ret, alm_status *st)
{
    put_ctx ctx = {.txn = txn, .head = head, .change = ret};
    *ret = (lmdb_catalog_change){0};
    ALM_TRY(load_precedence(&ctx, batch, arena, st));
    alm_buf_init(&ctx.scratch, 0);
    alm_code code = put_all(&ctx, batch, st);
    alm_buf_deinit(&ctx.scratch);
    return code;
}
