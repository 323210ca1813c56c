#include "lmdb_variant_table.h"

#include "alm/alloc.h"

#define TABLE_BYTES_MAX ((size_t)4 << 30)

typedef struct row {
    alm_variant_parts parts;
    uint32_t indicator; // its number below
} row;

struct lmdb_variant_table {
    pthread_mutex_t mutex; // guards everything below
    alm_arena *arena;      // texts and lists
    row *rows;             // by variant id
    size_t count, cap;
    // Each indicator once, in the order in which they came; most come again at once.
    alm_str *indicators;
    size_t indicator_count, indicator_cap;
};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the variants");
}

lmdb_variant_table *lmdb_variant_table_create(void)
{
    lmdb_variant_table *table = alm_calloc(1, sizeof *table);
    if (table == NULL || pthread_mutex_init(&table->mutex, NULL) != 0) {
        alm_free(table);
        return NULL;
    }
    table->arena = alm_arena_create(TABLE_BYTES_MAX);
    if (table->arena == NULL) {
        lmdb_variant_table_destroy(&table);
    }
    return table;
}

void lmdb_variant_table_destroy(lmdb_variant_table **table)
{
    if (*table != NULL) {
        alm_arena_destroy(&(*table)->arena);
        pthread_mutex_destroy(&(*table)->mutex);
        alm_free(*table);
        *table = NULL;
    }
}

// --- learning ------------------------------------------------------------------------------------

static alm_code number_of(lmdb_variant_table *table, alm_str indicator, uint32_t *ret,
                          alm_status *st)
{
    for (size_t i = table->indicator_count; i > 0; i--) {
        if (alm_str_eq(table->indicators[i - 1], indicator)) {
            *ret = (uint32_t)i - 1;
            return ALM_OK;
        }
    }
    if (!alm_arena_grow(table->arena, (void **)&table->indicators, &table->indicator_cap,
                        table->indicator_count + 1, sizeof *table->indicators)) {
        return no_memory(st);
    }
    *ret = (uint32_t)table->indicator_count;
    table->indicators[table->indicator_count++] = indicator;
    return ALM_OK;
}

static alm_code learn_one(lmdb_variant_table *table, const lmdb_txn *txn, alm_status *st)
{
    alm_str text;
    row *out;
    if (!alm_arena_grow(table->arena, (void **)&table->rows, &table->cap, table->count + 1,
                        sizeof *table->rows)) {
        return no_memory(st);
    }
    out = &table->rows[table->count];
    ALM_TRY(lmdb_variant_text(txn, (uint32_t)table->count, table->arena, &text, st));
    ALM_TRY(alm_variant_parts_of(text, &out->parts, st));
    ALM_TRY(number_of(table, out->parts.indicator, &out->indicator, st));
    table->count++;
    return ALM_OK;
}

static alm_code learn(lmdb_variant_table *table, const lmdb_txn *txn, uint64_t count,
                      alm_status *st)
{
    while (table->count < count) {
        ALM_TRY(learn_one(table, txn, st));
    }
    return ALM_OK;
}

// --- finding -------------------------------------------------------------------------------------

static alm_code has_theme(const lmdb_txn *txn, alm_str indicator, alm_str theme, alm_arena *arena,
                          bool *ret, alm_status *st)
{
    bool found;
    uint32_t id;
    alm_str bytes;
    alm_entry entry;
    *ret = false;
    ALM_TRY(lmdb_entry_find(txn, ALM_ENTRY_INDICATOR, indicator, &found, &id, st));
    if (!found) {
        return ALM_OK;
    }
    lmdb_key key = lmdb_key_of_kind_id(ALM_ENTRY_INDICATOR, id);
    ALM_TRY(lmdb_require(txn, LMDB_ENTRY, &key, &bytes, st));
    ALM_TRY(alm_entry_decode(bytes, ALM_ENTRY_INDICATOR, arena, &entry, st));
    *ret = alm_str_eq(entry.indicator.theme, theme);
    return ALM_OK;
}

// Which indicators are wanted, by number.
static alm_code want_indicators(const lmdb_variant_table *table, const lmdb_txn *txn,
                                const alm_series_query *query, alm_arena *arena, bool **ret,
                                alm_status *st)
{
    bool *wanted = alm_arena_calloc(arena, table->indicator_count, sizeof *wanted);
    if (wanted == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < table->indicator_count; i++) {
        wanted[i] = alm_series_query_wants_indicator(query, table->indicators[i]);
        if (wanted[i] && query->theme.len > 0) {
            ALM_TRY(has_theme(txn, table->indicators[i], query->theme, arena, &wanted[i], st));
        }
    }
    *ret = wanted;
    return ALM_OK;
}

static alm_code find(lmdb_variant_table *table, const lmdb_txn *txn, uint64_t count,
                     const alm_series_query *query, alm_arena *arena, lmdb_found_variant **ret,
                     size_t *ret_count, alm_status *st)
{
    bool *wanted = NULL;
    size_t cap = 0;
    *ret = NULL;
    *ret_count = 0;
    ALM_TRY(learn(table, txn, count, st));
    ALM_TRY(want_indicators(table, txn, query, arena, &wanted, st));
    for (uint64_t i = 0; i < count; i++) { // others may have learned of later ones
        const row *at = &table->rows[i];
        if (!wanted[at->indicator] || !alm_series_query_wants(query, &at->parts)) {
            continue;
        }
        if (!alm_arena_grow(arena, (void **)ret, &cap, *ret_count + 1, sizeof **ret)) {
            return no_memory(st);
        }
        (*ret)[(*ret_count)++] = (lmdb_found_variant){.id = (uint32_t)i, .text = at->parts.text};
    }
    return ALM_OK;
}

alm_code lmdb_variant_table_find(lmdb_variant_table *table, const lmdb_txn *txn,
                                 const alm_series_query *query, alm_arena *arena,
                                 lmdb_found_variant **ret, size_t *ret_count, alm_status *st)
{
    alm_head head;
    ALM_TRY(lmdb_head_get(txn, &head, st));
    pthread_mutex_lock(&table->mutex);
    alm_code code = find(table, txn, head.variants, query, arena, ret, ret_count, st);
    pthread_mutex_unlock(&table->mutex);
    return code;
}
