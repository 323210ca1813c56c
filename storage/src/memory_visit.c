// The smaller questions: the catalogue, which series there are, what could not be taken, and the
// change feed. Texts never move, so a list of them is copied under the mutex and visited without.
#include "memory_store.h"
#include "record.h"
#include "series_query.h"

#define LIST_BYTES_MAX ((size_t)2 << 30)

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the list");
}

typedef struct text_list {
    const alm_str *of;
    size_t count;
} text_list;

static alm_code copy_texts(const memory_texts *texts, alm_arena *arena, text_list *ret,
                           alm_status *st)
{
    alm_str *of = alm_arena_calloc(arena, texts->count, sizeof *of);
    if (of == NULL) {
        return no_memory(st);
    }
    if (texts->count > 0) {
        memcpy(of, texts->of, texts->count * sizeof *of);
    }
    *ret = (text_list){.of = of, .count = texts->count};
    return ALM_OK;
}

// --- catalogue -----------------------------------------------------------------------------------

typedef struct catalog_copy {
    text_list entries[ALM_ENTRY_SOURCE + 1];
    uint64_t sequence;
} catalog_copy;

static alm_code copy_catalog(memory_store *store, alm_arena *arena, catalog_copy *ret,
                             alm_status *st)
{
    alm_code code = ALM_OK;
    pthread_mutex_lock(&store->mutex);
    for (size_t k = 0; code == ALM_OK && k < ALM_ARRAY_LEN(alm_entry_kinds); k++) {
        alm_entry_kind kind = alm_entry_kinds[k];
        code = copy_texts(&store->entries[kind], arena, &ret->entries[kind], st);
    }
    ret->sequence = store->catalog_sequence;
    pthread_mutex_unlock(&store->mutex);
    return code;
}

static alm_code visit_entry(const alm_catalog_visitor *visitor, uint32_t id, const alm_entry *entry,
                            alm_status *st)
{
    switch (entry->kind) {
    case ALM_ENTRY_INDICATOR:
        return visitor->indicator != NULL
                   ? visitor->indicator(visitor->arg, id, &entry->indicator, st)
                   : ALM_OK;
    case ALM_ENTRY_PLACE:
        return visitor->place != NULL ? visitor->place(visitor->arg, id, &entry->place, st)
                                      : ALM_OK;
    case ALM_ENTRY_SOURCE:
        return visitor->source != NULL ? visitor->source(visitor->arg, id, &entry->source, st)
                                       : ALM_OK;
    }
    return ALM_OK;
}

static alm_code visit_kind(const alm_catalog_visitor *visitor, alm_entry_kind kind, text_list list,
                           alm_arena *step, alm_status *st)
{
    for (size_t i = 0; i < list.count; i++) {
        alm_entry entry;
        alm_arena_reset(step);
        ALM_TRY(alm_entry_decode(list.of[i], kind, step, &entry, st));
        ALM_TRY(visit_entry(visitor, (uint32_t)i, &entry, st));
    }
    return ALM_OK;
}

static alm_code run_catalog(memory_store *store, const alm_catalog_visitor *visitor,
                            alm_arena *list, alm_arena *step, uint64_t *ret_sequence,
                            alm_status *st)
{
    catalog_copy copy;
    ALM_TRY(copy_catalog(store, list, &copy, st));
    if (ret_sequence != NULL) {
        *ret_sequence = copy.sequence;
    }
    for (size_t k = 0; k < ALM_ARRAY_LEN(alm_entry_kinds); k++) {
        alm_entry_kind kind = alm_entry_kinds[k];
        ALM_TRY(visit_kind(visitor, kind, copy.entries[kind], step, st));
    }
    return ALM_OK;
}

alm_code memory_visit_catalog(alm_store *store, const alm_catalog_visitor *visitor,
                              uint64_t *ret_catalog_sequence, alm_status *st)
{
    alm_arena *list = alm_arena_create(LIST_BYTES_MAX);
    alm_arena *step = alm_arena_create(0);
    alm_code code = list == NULL || step == NULL ? no_memory(st)
                                                 : run_catalog(memory_of(store), visitor, list,
                                                               step, ret_catalog_sequence, st);
    alm_arena_destroy(&step);
    alm_arena_destroy(&list);
    return code;
}

static alm_code copy_known(memory_store *store, alm_entry_kind kind, const uint32_t *ids,
                           size_t count, alm_arena *arena, alm_str **ret, alm_status *st)
{
    alm_str *texts = alm_arena_calloc(arena, count, sizeof *texts);
    if (texts == NULL) {
        return no_memory(st);
    }
    pthread_mutex_lock(&store->mutex);
    for (size_t i = 0; i < count; i++) {
        const memory_texts *entries = &store->entries[kind];
        texts[i] = ids[i] < entries->count ? entries->of[ids[i]] : (alm_str){0};
    }
    pthread_mutex_unlock(&store->mutex);
    *ret = texts;
    return ALM_OK;
}

static alm_code visit_known(memory_store *store, const uint32_t *ids, size_t count,
                            const alm_catalog_visitor *visitor, alm_arena *list, alm_arena *step,
                            alm_status *st)
{
    alm_str *texts = NULL;
    alm_entry_kind kind = alm_entry_kind_visited(visitor);
    ALM_TRY(copy_known(store, kind, ids, count, list, &texts, st));
    for (size_t i = 0; i < count; i++) {
        alm_entry entry;
        if (texts[i].len == 0) {
            continue;
        }
        alm_arena_reset(step);
        ALM_TRY(alm_entry_decode(texts[i], kind, step, &entry, st));
        ALM_TRY(visit_entry(visitor, ids[i], &entry, st));
    }
    return ALM_OK;
}

alm_code memory_visit_entries(alm_store *store, const uint32_t *ids, size_t count,
                              const alm_catalog_visitor *visitor, alm_status *st)
{
    alm_arena *list = alm_arena_create(LIST_BYTES_MAX);
    alm_arena *step = alm_arena_create(0);
    alm_code code = list == NULL || step == NULL
                        ? no_memory(st)
                        : visit_known(memory_of(store), ids, count, visitor, list, step, st);
    alm_arena_destroy(&step);
    alm_arena_destroy(&list);
    return code;
}

// --- series --------------------------------------------------------------------------------------

typedef struct survey {
    const memory_store *store; // under its mutex
    const alm_series_query *query;
    alm_arena *arena;
    alm_precedence precedence;
    size_t places;
    uint8_t *seen, *asked; // by place id
    alm_series_info *infos;
    size_t count;
} survey;

static void survey_variant(survey *s, const memory_variant *variant, alm_series_info *info)
{
    *info = (alm_series_info){.variant = variant->text};
    memset(s->seen, 0, s->places);
    for (size_t from = 0, to = 0; from < variant->count; from = to) {
        to = memory_cell_end(variant, from);
        const alm_obs *winner =
            alm_vintage_choose(&s->precedence, NULL, variant->vintages + from, to - from);
        if (winner->value.status == ALM_OBS_STATUS_WITHDRAWN) {
            continue;
        }
        info->first = info->cell_count == 0 ? winner->period : info->first;
        info->last = winner->period;
        info->cell_count++;
        info->place_count += s->seen[winner->place] == 0;
        info->asked_place_count += s->seen[winner->place] == 0 && s->asked[winner->place];
        s->seen[winner->place] = 1;
    }
}

static alm_code has_theme(const survey *s, alm_str indicator, bool *ret, alm_status *st)
{
    uint32_t id;
    alm_entry entry;
    const memory_texts *entries = &s->store->entries[ALM_ENTRY_INDICATOR];
    *ret = s->query->theme.len == 0;
    if (*ret || !memory_index_find(&entries->numbers, indicator, &id)) {
        return ALM_OK;
    }
    ALM_TRY(alm_entry_decode(entries->of[id], ALM_ENTRY_INDICATOR, s->arena, &entry, st));
    *ret = alm_str_eq(entry.indicator.theme, s->query->theme);
    return ALM_OK;
}

static alm_code wants(const survey *s, const memory_variant *variant, bool *ret, alm_status *st)
{
    alm_variant_parts parts;
    ALM_TRY(alm_variant_parts_of(variant->text, &parts, st));
    ALM_TRY(has_theme(s, parts.indicator, ret, st));
    *ret = *ret && alm_series_query_wants_indicator(s->query, parts.indicator) &&
           alm_series_query_wants(s->query, &parts);
    return ALM_OK;
}

static alm_code survey_init(survey *s, alm_status *st)
{
    s->places = s->store->entries[ALM_ENTRY_PLACE].count;
    ALM_TRY(memory_precedence_get(s->store, s->arena, &s->precedence, st));
    s->seen = alm_arena_calloc(s->arena, s->places, 1);
    s->asked = alm_arena_calloc(s->arena, s->places, 1);
    s->infos = alm_arena_calloc(s->arena, s->store->variants.count, sizeof *s->infos);
    if (s->seen == NULL || s->asked == NULL || s->infos == NULL) {
        return no_memory(st);
    }
    memset(s->asked, s->query->all_places, s->places);
    for (size_t i = 0; i < s->query->place_count && s->query->places[i] < s->places; i++) {
        s->asked[s->query->places[i]] = 1;
    }
    return ALM_OK;
}

static alm_code survey_all(survey *s, alm_status *st)
{
    ALM_TRY(survey_init(s, st));
    for (size_t i = 0; i < s->store->variants.count; i++) {
        bool wanted;
        alm_series_info *info = &s->infos[s->count];
        ALM_TRY(wants(s, &s->store->variants.of[i], &wanted, st));
        if (wanted) {
            survey_variant(s, &s->store->variants.of[i], info);
            s->count += s->query->all_places || info->asked_place_count > 0;
        }
    }
    return ALM_OK;
}

alm_code memory_find_series(alm_store *base, const alm_series_query *query, alm_series_visit visit,
                            void *arg, alm_status *st)
{
    memory_store *store = memory_of(base);
    survey s = {.store = store, .query = query, .arena = alm_arena_create(LIST_BYTES_MAX)};
    if (s.arena == NULL) {
        return no_memory(st);
    }
    pthread_mutex_lock(&store->mutex);
    alm_code code = survey_all(&s, st);
    pthread_mutex_unlock(&store->mutex);
    for (size_t i = 0; code == ALM_OK && i < s.count; i++) {
        code = visit(arg, &s.infos[i], st);
    }
    alm_arena_destroy(&s.arena);
    return code;
}

// --- quarantine ----------------------------------------------------------------------------------

static alm_code run_quarantine(memory_store *store, alm_arena *arena,
                               alm_code (*visit)(void *arg, const alm_quarantined *row,
                                                 alm_status *st),
                               void *arg, alm_status *st)
{
    text_list list = {0};
    pthread_mutex_lock(&store->mutex);
    alm_code code = copy_texts(&store->quarantine, arena, &list, st);
    pthread_mutex_unlock(&store->mutex);
    for (size_t i = 0; code == ALM_OK && i < list.count; i++) {
        alm_quarantined row;
        ALM_TRY(alm_quarantined_decode(list.of[i], &row, st));
        code = visit(arg, &row, st);
    }
    return code;
}

alm_code memory_visit_quarantine(alm_store *store,
                                 alm_code (*visit)(void *arg, const alm_quarantined *row,
                                                   alm_status *st),
                                 void *arg, alm_status *st)
{
    alm_arena *arena = alm_arena_create(LIST_BYTES_MAX);
    alm_code code =
        arena == NULL ? no_memory(st) : run_quarantine(memory_of(store), arena, visit, arg, st);
    alm_arena_destroy(&arena);
    return code;
}

// --- change feed ---------------------------------------------------------------------------------

static bool copy_text(alm_arena *arena, alm_str text, alm_str *ret)
{
    char *copy = alm_arena_strdup(arena, text);
    *ret = (alm_str){.data = copy, .len = text.len};
    return copy != NULL;
}

static alm_code copy_change(const memory_commit *commit, uint64_t sequence, bool has_rows,
                            alm_arena *arena, alm_change *ret, alm_status *st)
{
    size_t row_count = has_rows ? commit->row_count : 0;
    alm_obs *rows = alm_arena_calloc(arena, row_count, sizeof *rows);
    alm_str *variants = alm_arena_calloc(arena, commit->variant_count, sizeof *variants);
    *ret = (alm_change){.sequence = sequence,
                        .at_us = commit->at_us,
                        .added = commit->added,
                        .revised = commit->revised,
                        .catalog_changed = commit->catalog_changed,
                        .variants = variants,
                        .variant_count = commit->variant_count,
                        .has_rows = has_rows,
                        .obs = rows,
                        .obs_count = row_count};
    bool ok =
        rows != NULL && variants != NULL && copy_text(arena, commit->batch_id, &ret->batch_id);
    for (size_t i = 0; ok && i < commit->variant_count; i++) {
        ok = copy_text(arena, commit->variants[i], &variants[i]);
    }
    for (size_t i = 0; ok && i < row_count; i++) {
        rows[i] = commit->rows[i];
        ok = copy_text(arena, commit->rows[i].note, &rows[i].note);
    }
    return ok ? ALM_OK : alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a change");
}

alm_code memory_change(alm_store *base, uint64_t from_sequence, alm_arena *arena, alm_change *ret,
                       alm_status *st)
{
    memory_store *store = memory_of(base);
    memory_commit commit = {0};
    uint64_t sequence = ALM_MAX(from_sequence, UINT64_C(1));
    pthread_mutex_lock(&store->mutex);
    bool found = sequence <= store->commits.count;
    bool is_kept = sequence > store->feed_trimmed;
    if (found) {
        commit = store->commits.of[sequence - 1];
    }
    pthread_mutex_unlock(&store->mutex);
    if (!found) {
        return alm_status_set(st, ALM_NOT_FOUND, "there is no commit %llu yet",
                              (unsigned long long)from_sequence);
    }
    return copy_change(&commit, sequence, is_kept && !commit.is_bulk, arena, ret, st);
}
