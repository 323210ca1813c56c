#include "storage_series.h"

#include "alm/id_order.h"
#include "alm/limits.h"
#include "alm/series_words.h"

#include <stdlib.h>
#include <string.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to look for series");
}

// --- the catalogue -------------------------------------------------------------------------------

// Entries between two looks at whether somebody still waits.
#define CHECK_COUNT 4096

typedef struct load {
    alm_catalog *catalog;
    alm_call *call;
    size_t count;
} load;

static alm_code added(load *l, alm_code code, const alm_status *why, alm_status *st)
{
    if (code != ALM_OK) {
        return alm_catalog_damaged(why, st);
    }
    return ++l->count % CHECK_COUNT == 0 ? alm_call_check(l->call, st) : ALM_OK;
}

static alm_code add_indicator(void *arg, uint32_t id, const alm_indicator *entry, alm_status *st)
{
    load *l = arg;
    alm_status why = ALM_STATUS_INIT;
    return added(l, alm_catalog_add_indicator(l->catalog, entry, &id, &why), &why, st);
}

static alm_code add_place(void *arg, alm_place_id id, const alm_place *entry, alm_status *st)
{
    load *l = arg;
    alm_status why = ALM_STATUS_INIT;
    return added(l, alm_catalog_add_place(l->catalog, entry, &id, &why), &why, st);
}

static alm_code add_source(void *arg, uint32_t id, const alm_source *entry, alm_status *st)
{
    load *l = arg;
    alm_status why = ALM_STATUS_INIT;
    return added(l, alm_catalog_add_source(l->catalog, entry, &id, &why), &why, st);
}

alm_code storage_load_entries(void *store, alm_call *call, alm_catalog *catalog,
                              uint64_t *ret_sequence, alm_status *st)
{
    load l = {.catalog = catalog, .call = call};
    alm_catalog_visitor visitor = {
        .arg = &l, .indicator = add_indicator, .place = add_place, .source = add_source};
    return alm_store_visit_catalog(store, &visitor, ret_sequence, st);
}

// --- what is asked -------------------------------------------------------------------------------

alm_code storage_series_check_kind(const Almanac__V1__CatalogRequest *request, alm_status *st)
{
    const struct {
        const char *field, *value;
        bool is_there;
    } words[] = {{"places", request->places, request->places[0] != '\0'},
                 {"indicators", request->n_indicators > 0 ? request->indicators[0] : "",
                  request->n_indicators > 0},
                 {"theme", request->theme, request->theme[0] != '\0'},
                 {"measure", request->measure, request->measure[0] != '\0'},
                 {"breakdown", request->breakdown, request->breakdown[0] != '\0'},
                 {"accumulation", request->accumulation, request->accumulation[0] != '\0'},
                 {"frequency", request->frequency, request->frequency[0] != '\0'}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(words); i++) {
        if (words[i].is_there) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, words[i].field,
                                        "%s \"%s\" asks for series and for nothing else",
                                        words[i].field, words[i].value);
        }
    }
    return ALM_OK;
}

static alm_code take_places(const char *expr, const alm_catalog *catalog, alm_arena *arena,
                            alm_series_query *ret, alm_status *st)
{
    alm_place_list places;
    alm_code code = alm_place_expr_eval(alm_catalog_places(catalog), alm_str_from(expr),
                                        ALM_DATE_NONE, arena, &places, st);
    ALM_TRY(alm_status_in_field(code, "places", st));
    qsort(places.ids, places.count, sizeof *places.ids, alm_id_order);
    ret->all_places = false;
    ret->places = places.ids;
    ret->place_count = places.count;
    return ALM_OK;
}

static alm_code take_indicators(const Almanac__V1__CatalogRequest *request,
                                const alm_catalog *catalog, alm_arena *arena, alm_series_query *ret,
                                alm_status *st)
{
    size_t count = request->n_indicators;
    if (count == 1 && strcmp(request->indicators[0], "*") == 0) {
        return ALM_OK;
    }
    if (count > ALM_QUERY_INDICATOR_COUNT_MAX) {
        return alm_status_set_field(st, ALM_RESOURCE_EXHAUSTED, "indicators",
                                    "%zu indicators are asked; the limit of one question is %d",
                                    count, ALM_QUERY_INDICATOR_COUNT_MAX);
    }
    alm_str *codes = alm_arena_calloc(arena, count, sizeof *codes);
    if (codes == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t id;
        alm_str asked = alm_str_from(request->indicators[i]);
        alm_code code = alm_catalog_resolve_indicator(catalog, asked, &id, st);
        ALM_TRY(alm_status_in_field(code, "indicators", st));
        codes[i] = alm_catalog_indicator(catalog, id)->code;
    }
    ret->indicators = codes;
    ret->indicator_count = count;
    return ALM_OK;
}

static alm_code take_theme(const char *word, const alm_catalog *catalog, alm_arena *arena,
                           alm_series_query *ret, alm_status *st)
{
    size_t count = alm_catalog_indicator_count(catalog);
    alm_str *themes = alm_arena_calloc(arena, count, sizeof *themes);
    if (themes == NULL) {
        return no_memory(st);
    }
    ret->theme = alm_str_from(word);
    for (size_t i = 0; i < count; i++) {
        themes[i] = alm_catalog_indicator(catalog, (uint32_t)i)->theme;
        if (alm_str_eq(themes[i], ret->theme)) {
            return ALM_OK;
        }
    }
    alm_str nearest = alm_nearest(ret->theme, themes, count);
    return nearest.len == 0
               ? alm_status_set_field(st, ALM_NOT_FOUND, "theme",
                                      "no indicator has the theme \"%s\"", word)
               : alm_status_set_field(st, ALM_NOT_FOUND, "theme",
                                      "no indicator has the theme \"%s\"; did you mean %.*s?", word,
                                      ALM_STR_ARGS(nearest));
}

// "industry=*": the store's index knows which have the dimension. Anything else is not that, and
// told by those who know breakdowns.
static bool take_dimension(const char *text, alm_series_query *ret)
{
    alm_str breakdown = alm_str_trim(alm_str_from(text));
    if (!alm_str_ends_with(breakdown, ALM_STR("=*")) ||
        !alm_code_valid(alm_str_slice(breakdown, 0, breakdown.len - 2))) {
        return false;
    }
    ret->breakdown = breakdown;
    return true;
}

static alm_code take_words(const Almanac__V1__CatalogRequest *request, alm_arena *arena,
                           alm_series_query *ret, alm_status *st)
{
    alm_series_words words;
    bool has_dimension = take_dimension(request->breakdown, ret);
    bool is_any = has_dimension || request->breakdown[0] == '\0';
    ALM_TRY(alm_series_words_parse(request->measure[0] != '\0' ? request->measure : "*",
                                   is_any ? "*" : request->breakdown, request->accumulation,
                                   request->frequency, arena, &words, st));
    ret->measures = words.measure != ALM_MEASURE_NONE ? UINT32_C(1) << words.measure : 0;
    ret->accumulation = words.accumulation;
    ret->freq = words.freq;
    ret->breakdown = has_dimension ? ret->breakdown : words.breakdown;
    return ALM_OK;
}

static alm_code take_entries(const Almanac__V1__CatalogRequest *request, const alm_catalog *catalog,
                             alm_arena *arena, alm_series_query *ret, alm_status *st)
{
    if (request->places[0] != '\0') {
        ALM_TRY(take_places(request->places, catalog, arena, ret, st));
    }
    if (request->theme[0] != '\0') {
        ALM_TRY(take_theme(request->theme, catalog, arena, ret, st));
    }
    return take_indicators(request, catalog, arena, ret, st);
}

// --- words ---------------------------------------------------------------------------------------

// Where series go that were found: those whose words are among what is said of them.
typedef struct telling {
    alm_str words;
    const alm_catalog *catalog; // NULL: there are no words
    alm_series_visit visit;
    void *arg;
    bool has_all_places;
} telling;

static bool holds_words(const telling *t, alm_str variant)
{
    alm_str texts[4 + ALM_ALIAS_COUNT_MAX];
    size_t count = 0;
    texts[count++] = variant;
    alm_variant decoded;
    uint32_t id = ALM_CATALOG_NONE;
    if (alm_variant_decode(variant, &decoded, NULL) == ALM_OK) {
        id = alm_catalog_find_indicator(t->catalog, decoded.indicator);
    }
    if (id != ALM_CATALOG_NONE) {
        const alm_indicator *entry = alm_catalog_indicator(t->catalog, id);
        texts[count++] = entry->name_zh;
        texts[count++] = entry->name_en;
        texts[count++] = entry->theme;
        for (size_t i = 0; i < entry->alias_count && count < ALM_ARRAY_LEN(texts); i++) {
            texts[count++] = entry->aliases[i];
        }
    }
    return search_texts(t->words, texts, count);
}

static alm_code tell(const telling *t, const alm_series_info *info, alm_status *st)
{
    if (t->words.len > 0 && !holds_words(t, info->variant)) {
        return ALM_OK;
    }
    return t->visit(t->arg, info, st);
}

// --- one place -----------------------------------------------------------------------------------

// The series that were found, and what the rows of the one place say of them.
typedef struct place_series {
    alm_arena *arena;
    alm_series_info *infos; // in the order they were found
    size_t count, cap;
    alm_series_info **by_variant;
} place_series;

static alm_code keep_found(void *arg, const alm_series_info *info, alm_status *st)
{
    place_series *p = arg;
    void *array = p->infos;
    char *variant = alm_arena_strdup(p->arena, info->variant);
    if (variant == NULL ||
        !alm_arena_grow(p->arena, &array, &p->cap, p->count + 1, sizeof *p->infos)) {
        return no_memory(st);
    }
    p->infos = array;
    p->infos[p->count++] =
        (alm_series_info){.variant = {.data = variant, .len = info->variant.len}, .place_count = 1};
    return ALM_OK;
}

static int compare_variants(const void *a, const void *b)
{
    const alm_series_info *const *x = a;
    const alm_series_info *const *y = b;
    return alm_str_cmp((*x)->variant, (*y)->variant);
}

static alm_code sort_found(place_series *found, alm_status *st)
{
    found->by_variant = alm_arena_calloc(found->arena, found->count, sizeof *found->by_variant);
    if (found->by_variant == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < found->count; i++) {
        found->by_variant[i] = &found->infos[i];
    }
    qsort(found->by_variant, found->count, sizeof *found->by_variant, compare_variants);
    return ALM_OK;
}

static alm_code count_rows(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    place_series *p = arg;
    const alm_series_info asked = {.variant = variant};
    const alm_series_info *key = &asked;
    alm_series_info **slot =
        bsearch(&key, p->by_variant, p->count, sizeof *p->by_variant, compare_variants);
    (void)st;
    if (slot != NULL) {
        alm_series_info *info = *slot;
        info->first = info->cell_count == 0 ? ALM_OBS_AT(rows, period, 0) : info->first;
        info->last = ALM_OBS_AT(rows, period, rows->count - 1);
        info->cell_count += rows->count;
    }
    return ALM_OK;
}

static alm_code visit_of_place(alm_store *store, const alm_series_query *query, alm_arena *arena,
                               const telling *t, alm_status *st)
{
    place_series found = {.arena = arena};
    alm_read read = {.indicators = query->indicators,
                     .indicator_count = query->indicator_count,
                     .measures = query->measures,
                     .accumulation = query->accumulation,
                     .freq = query->freq,
                     .breakdown = ALM_STR("*"),
                     .places = query->places,
                     .place_count = 1,
                     .all_periods = true,
                     .as_of = ALM_DATE_MAX};
    ALM_TRY(alm_store_find_series(store, query, keep_found, &found, st));
    if (found.count == 0) {
        return ALM_OK;
    }
    ALM_TRY(sort_found(&found, st));
    ALM_TRY(alm_store_read(store, &read, count_rows, &found, NULL, st));
    for (size_t i = 0; i < found.count; i++) {
        if (found.infos[i].cell_count > 0) { // else withdrawn in between
            ALM_TRY(tell(t, &found.infos[i], st));
        }
    }
    return ALM_OK;
}

// --- any places ----------------------------------------------------------------------------------

static alm_code visit_found(void *arg, const alm_series_info *info, alm_status *st)
{
    const telling *t = arg;
    alm_series_info told = *info;
    if (info->cell_count == 0) {
        return ALM_OK;
    }
    told.place_count = t->has_all_places ? info->place_count : info->asked_place_count;
    return tell(t, &told, st);
}

static alm_code visit_asked(storage_service *service, const Almanac__V1__CatalogRequest *request,
                            alm_arena *arena, telling *t, alm_status *st)
{
    alm_series_query query = {.all_places = true};
    ALM_TRY(take_words(request, arena, &query, st));
    if (t->catalog != NULL) {
        ALM_TRY(take_entries(request, t->catalog, arena, &query, st));
    }
    if (!query.all_places && query.place_count == 1) {
        return visit_of_place(service->store, &query, arena, t, st);
    }
    t->has_all_places = query.all_places;
    return alm_store_find_series(service->store, &query, visit_found, t, st);
}

// The catalogue is there only for those who need it.
static alm_code get_catalog(storage_service *service, const Almanac__V1__CatalogRequest *request,
                            alm_call *call, alm_catalog_ref **ret, alm_status *st)
{
    alm_store_stats stats;
    *ret = NULL;
    if (request->places[0] == '\0' && request->theme[0] == '\0' && request->n_indicators == 0 &&
        !search_has_words(alm_str_from(request->words))) {
        return ALM_OK;
    }
    ALM_TRY(alm_store_stats_get(service->store, &stats, st));
    return alm_catalog_cache_get(service->catalogs, call, stats.catalog_sequence, ret, st);
}

alm_code storage_series_visit(storage_service *service, const Almanac__V1__CatalogRequest *request,
                              alm_call *call, alm_series_visit visit, void *arg, alm_status *st)
{
    telling t = {.visit = visit, .arg = arg};
    alm_catalog_ref *ref;
    ALM_TRY(get_catalog(service, request, call, &ref, st));
    alm_arena *arena = alm_arena_create(0);
    if (ref != NULL) {
        t.catalog = alm_catalog_ref_catalog(ref);
        t.words = alm_str_trim(alm_str_from(request->words));
    }
    alm_code code = arena == NULL ? no_memory(st) : visit_asked(service, request, arena, &t, st);
    alm_arena_destroy(&arena);
    alm_catalog_ref_release(&ref);
    return code;
}
