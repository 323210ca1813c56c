#include "search_index.h"

#include "alm/alloc.h"
#include "alm/id_order.h"

#include "search_fold.h"

#include <stdlib.h>

#define INDEX_BYTES_MAX ((size_t)4 << 30)

// Ids in which a pair of characters occurs. Also of entries that held it once: what is found is
// looked at again.
typedef struct posting {
    uint64_t pair; // 0: free
    uint32_t *ids;
    uint32_t count, cap;
    bool is_sorted;
} posting;

struct search_index {
    alm_arena *arena; // folded texts
    alm_str *entries; // by id: texts, each with a zero byte behind it
    size_t count, cap;
    posting *table; // open addressing; a power of two
    size_t table_cap, pair_count, posting_count;
    alm_buf buf;
};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the search index");
}

search_index *search_index_create(void)
{
    search_index *index = alm_calloc(1, sizeof *index);
    if (index == NULL) {
        return NULL;
    }
    alm_buf_init(&index->buf, 0);
    index->arena = alm_arena_create(INDEX_BYTES_MAX);
    if (index->arena == NULL) {
        search_index_destroy(&index);
    }
    return index;
}

void search_index_destroy(search_index **index)
{
    search_index *self = *index;
    if (self == NULL) {
        return;
    }
    for (size_t i = 0; i < self->table_cap; i++) {
        alm_free(self->table[i].ids);
    }
    alm_free(self->table);
    alm_buf_deinit(&self->buf);
    alm_arena_destroy(&self->arena);
    alm_free(self);
    *index = NULL;
}

// --- postings ------------------------------------------------------------------------------------

static uint64_t pair_of(uint32_t first, uint32_t second)
{
    return (uint64_t)first << 32 | second;
}

// The pair's place in the table, free or not.
static posting *slot_of(posting *table, size_t cap, uint64_t pair)
{
    size_t at = (size_t)((pair * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (cap - 1);
    while (table[at].pair != 0 && table[at].pair != pair) {
        at = (at + 1) & (cap - 1);
    }
    return &table[at];
}

static bool grow_table(search_index *index)
{
    size_t cap = ALM_MAX(index->table_cap * 2, (size_t)1024);
    posting *table = alm_calloc(cap, sizeof *table);
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < index->table_cap; i++) {
        if (index->table[i].pair != 0) {
            *slot_of(table, cap, index->table[i].pair) = index->table[i];
        }
    }
    alm_free(index->table);
    index->table = table;
    index->table_cap = cap;
    return true;
}

static posting *find_posting(const search_index *index, uint64_t pair)
{
    return index->table_cap == 0 ? NULL : slot_of(index->table, index->table_cap, pair);
}

static bool grow_posting(posting *p)
{
    uint32_t cap = p->cap == 0 ? 2 : p->cap + p->cap / 2 + 1;
    uint32_t *ids = alm_realloc(p->ids, cap * sizeof *ids);
    if (ids == NULL) {
        return false;
    }
    p->ids = ids;
    p->cap = cap;
    return true;
}

static bool add_pair(search_index *index, uint64_t pair, uint32_t id)
{
    if (2 * (index->pair_count + 1) > index->table_cap && !grow_table(index)) {
        return false;
    }
    posting *p = slot_of(index->table, index->table_cap, pair);
    if (p->count > 0 && p->ids[p->count - 1] == id) {
        return true;
    }
    if (p->count == p->cap && !grow_posting(p)) {
        return false;
    }
    if (p->pair == 0) {
        p->pair = pair;
        p->is_sorted = true;
        index->pair_count++;
    }
    p->is_sorted = p->is_sorted && (p->count == 0 || p->ids[p->count - 1] < id);
    p->ids[p->count++] = id;
    index->posting_count++;
    return true;
}

// Ids of entries that changed were appended.
static void sort_posting(search_index *index, posting *p)
{
    uint32_t kept = 1;
    if (p->is_sorted) {
        return;
    }
    qsort(p->ids, p->count, sizeof *p->ids, alm_id_order);
    for (uint32_t i = 1; i < p->count; i++) {
        if (p->ids[i] != p->ids[kept - 1]) {
            p->ids[kept++] = p->ids[i];
        }
    }
    index->posting_count -= p->count - kept;
    p->count = kept;
    p->is_sorted = true;
}

// --- entries -------------------------------------------------------------------------------------

static bool fold_texts(search_index *index, const alm_str *texts, size_t count)
{
    alm_buf_reset(&index->buf);
    for (size_t i = 0; i < count; i++) {
        if (texts[i].len > 0) {
            search_fold(texts[i], &index->buf);
            alm_buf_u8(&index->buf, 0);
        }
    }
    return !index->buf.failed;
}

static bool add_pairs(search_index *index, alm_str texts, uint32_t id)
{
    uint32_t before = 0;
    while (texts.len > 0) {
        uint32_t c = search_next_char(&texts);
        if (before != 0 && c != 0 && !add_pair(index, pair_of(before, c), id)) {
            return false;
        }
        before = c;
    }
    return true;
}

static bool make_room(search_index *index, uint32_t id)
{
    if (id < index->count) {
        return true;
    }
    if (!alm_arena_grow(index->arena, (void **)&index->entries, &index->cap, (size_t)id + 1,
                        sizeof *index->entries)) {
        return false;
    }
    memset(index->entries + index->count, 0, (id + 1 - index->count) * sizeof *index->entries);
    index->count = (size_t)id + 1;
    return true;
}

alm_code search_index_put(search_index *index, uint32_t id, const alm_str *texts, size_t count,
                          alm_status *st)
{
    if (!make_room(index, id) || !fold_texts(index, texts, count)) {
        return no_memory(st);
    }
    alm_str folded = alm_buf_view(&index->buf);
    if (alm_str_eq(folded, index->entries[id])) {
        return ALM_OK;
    }
    char *copy = alm_arena_strdup(index->arena, folded);
    if (copy == NULL || !add_pairs(index, folded, id)) {
        return no_memory(st);
    }
    index->entries[id] = (alm_str){.data = copy, .len = folded.len};
    return ALM_OK;
}

// --- ranking -------------------------------------------------------------------------------------

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

static search_rank rank_in(alm_str text, alm_str word)
{
    search_rank best = SEARCH_NONE;
    size_t from = 0;
    while (from + word.len <= text.len) {
        const char *at = memmem(text.data + from, text.len - from, word.data, word.len);
        if (at == NULL) {
            break;
        }
        if (at == text.data) {
            return text.len == word.len ? SEARCH_EXACT : SEARCH_PREFIX;
        }
        if (!is_word_char(at[-1])) {
            return SEARCH_WORD_START;
        }
        best = SEARCH_INSIDE;
        from = (size_t)(at - text.data) + 1;
    }
    return best;
}

// Adds the best of the entry's texts for one word. False: none holds it.
static bool rank_word(alm_str texts, alm_str word, search_hit *hit)
{
    search_rank best = SEARCH_NONE;
    size_t len = 0;
    while (texts.len > 0) {
        alm_str text = alm_str_slice(texts, 0, strlen(texts.data));
        search_rank rank = rank_in(text, word);
        if (rank < best || (rank == best && rank != SEARCH_NONE && text.len < len)) {
            best = rank;
            len = text.len;
        }
        texts = alm_str_slice(texts, text.len + 1, texts.len);
    }
    hit->rank += best;
    hit->len += (uint32_t)len;
    return best != SEARCH_NONE;
}

static int by_rank(const void *a, const void *b)
{
    const search_hit *x = a;
    const search_hit *y = b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    if (x->len != y->len) {
        return x->len < y->len ? -1 : 1;
    }
    return (x->id > y->id) - (x->id < y->id);
}

// --- finding -------------------------------------------------------------------------------------

typedef struct find_ctx {
    search_index *index;
    alm_str *words;
    size_t word_count, word_cap;
    const posting **pairs; // of all words
    size_t pair_count, pair_cap;
    uint32_t *ids; // candidates; NULL: all
    size_t count;
} find_ctx;

static size_t span(alm_str text, bool of_spaces)
{
    size_t len = 0;
    while (len < text.len && (memchr(" \t\n\r\v\f", text.data[len], 6) != NULL) == of_spaces) {
        len++;
    }
    return len;
}

static alm_code split(find_ctx *ctx, alm_str words, alm_arena *arena, alm_status *st)
{
    for (;;) {
        words = alm_str_slice(words, span(words, true), words.len);
        size_t len = span(words, false);
        if (len == 0) {
            return ALM_OK;
        }
        if (!alm_arena_grow(arena, (void **)&ctx->words, &ctx->word_cap, ctx->word_count + 1,
                            sizeof *ctx->words)) {
            return no_memory(st);
        }
        ctx->words[ctx->word_count++] = alm_str_slice(words, 0, len);
        words = alm_str_slice(words, len, words.len);
    }
}

// Adds the lists of the word's pairs; *found false: a pair that no entry has.
static alm_code add_pairs_of(find_ctx *ctx, alm_str word, alm_arena *arena, bool *found,
                             alm_status *st)
{
    uint32_t before = search_next_char(&word);
    while (word.len > 0) {
        uint32_t c = search_next_char(&word);
        posting *p = find_posting(ctx->index, pair_of(before, c));
        if (p == NULL || p->count == 0) {
            *found = false;
            return ALM_OK;
        }
        sort_posting(ctx->index, p);
        if (!alm_arena_grow(arena, (void **)&ctx->pairs, &ctx->pair_cap, ctx->pair_count + 1,
                            sizeof *ctx->pairs)) {
            return no_memory(st);
        }
        ctx->pairs[ctx->pair_count++] = p;
        before = c;
    }
    return ALM_OK;
}

static int by_count(const void *a, const void *b)
{
    const posting *x = *(const posting *const *)a;
    const posting *y = *(const posting *const *)b;
    return (x->count > y->count) - (x->count < y->count);
}

// The first place from `at` on that is not before id: strides double, then halve.
static uint32_t seek(const posting *p, uint32_t at, uint32_t id)
{
    uint32_t stride = 1;
    while (at + stride < p->count && p->ids[at + stride] < id) {
        at += stride;
        stride *= 2;
    }
    for (; stride > 0; stride /= 2) {
        if (at + stride < p->count && p->ids[at + stride] < id) {
            at += stride;
        }
    }
    return at < p->count && p->ids[at] < id ? at + 1 : at;
}

static void keep_common(find_ctx *ctx, const posting *p)
{
    uint32_t at = 0;
    size_t kept = 0;
    for (size_t i = 0; i < ctx->count && at < p->count; i++) {
        at = seek(p, at, ctx->ids[i]);
        if (at < p->count && p->ids[at] == ctx->ids[i]) {
            ctx->ids[kept++] = ctx->ids[i];
        }
    }
    ctx->count = kept;
}

#define FEW_CANDIDATES 32 // are looked at as fast as they are made fewer

// Candidates are those that all lists have, the rarest pair's first.
static alm_code intersect(find_ctx *ctx, alm_arena *arena, alm_status *st)
{
    if (ctx->pair_count == 0) {
        return ALM_OK;
    }
    qsort(ctx->pairs, ctx->pair_count, sizeof *ctx->pairs, by_count);
    ctx->count = ctx->pairs[0]->count;
    ctx->ids = alm_arena_alloc(arena, ctx->count * sizeof *ctx->ids);
    if (ctx->ids == NULL) {
        return no_memory(st);
    }
    memcpy(ctx->ids, ctx->pairs[0]->ids, ctx->count * sizeof *ctx->ids);
    for (size_t i = 1; i < ctx->pair_count && ctx->count > FEW_CANDIDATES; i++) {
        keep_common(ctx, ctx->pairs[i]);
    }
    return ALM_OK;
}

// Pairs may stand apart in an entry, or have stood there once: each is looked at.
static void look(const find_ctx *ctx, search_hit *out, size_t *ret_count)
{
    size_t hits = 0;
    for (size_t i = 0; i < ctx->count; i++) {
        search_hit hit = {.id = ctx->ids != NULL ? ctx->ids[i] : (uint32_t)i};
        size_t word = 0;
        while (word < ctx->word_count &&
               rank_word(ctx->index->entries[hit.id], ctx->words[word], &hit)) {
            word++;
        }
        if (word == ctx->word_count) {
            out[hits++] = hit;
        }
    }
    *ret_count = hits;
}

static alm_code find(find_ctx *ctx, alm_str words, alm_arena *arena, search_hit **ret,
                     size_t *ret_count, alm_status *st)
{
    ALM_TRY(split(ctx, words, arena, st));
    bool found = ctx->word_count > 0;
    for (size_t i = 0; found && i < ctx->word_count; i++) {
        ALM_TRY(add_pairs_of(ctx, ctx->words[i], arena, &found, st));
    }
    if (!found) {
        return ALM_OK;
    }
    ALM_TRY(intersect(ctx, arena, st));
    ctx->count = ctx->ids == NULL ? ctx->index->count : ctx->count;
    *ret = alm_arena_alloc(arena, ctx->count * sizeof **ret);
    if (*ret == NULL) {
        return no_memory(st);
    }
    look(ctx, *ret, ret_count);
    if (*ret_count > 1) {
        qsort(*ret, *ret_count, sizeof **ret, by_rank);
    }
    return ALM_OK;
}

alm_code search_index_find(search_index *index, alm_str words, alm_arena *arena, search_hit **ret,
                           size_t *ret_count, alm_status *st)
{
    alm_buf folded;
    find_ctx ctx = {.index = index};
    *ret = NULL;
    *ret_count = 0;
    alm_buf_init(&folded, 0);
    search_fold(words, &folded);
    alm_code code = folded.failed ? no_memory(st)
                                  : find(&ctx, alm_buf_view(&folded), arena, ret, ret_count, st);
    alm_buf_deinit(&folded);
    return code;
}

search_index_size search_index_measure(const search_index *index)
{
    search_index_size size = {.entries = index->count,
                              .pairs = index->pair_count,
                              .postings = index->posting_count,
                              .bytes = alm_arena_used(index->arena) +
                                       index->table_cap * sizeof *index->table};
    for (size_t i = 0; i < index->table_cap; i++) {
        size.bytes += index->table[i].cap * sizeof *index->table[i].ids;
    }
    return size;
}
