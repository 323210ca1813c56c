#include "cells.h"

#include <stdio.h>

// What a message quotes of a cell; the whole cell stands beside it in the defect.
#define QUOTED_BYTES_MAX 80
#define QUOTED_ARGS(text)                                                                          \
    ALM_STR_ARGS(alm_str_slice((text), 0, ALM_MIN((text).len, (size_t)QUOTED_BYTES_MAX)))

bool cell_ctx_init(cell_ctx *ctx, const alm_catalog *catalog, alm_arena *arena)
{
    *ctx = (cell_ctx){
        .catalog = catalog, .arena = arena, .suggestions_left = CELL_SUGGESTION_COUNT_MAX};
    interner_init(&ctx->breakdowns, arena);
    interner_init(&ctx->relations, arena);
    uint32_t first;
    return intern(&ctx->breakdowns, ALM_STR("_T"), &first, NULL) &&
           intern(&ctx->relations, ALM_STR("_Z"), &first, NULL);
}

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the piece");
}

// --- what the catalogue knows -------------------------------------------------------------------

typedef alm_code (*resolver)(const alm_catalog *c, alm_str text, uint32_t *ret, alm_status *st);

static alm_code resolve(cell_ctx *ctx, resolver fn, const char *what, alm_str text, uint32_t *ret,
                        alm_status *st)
{
    if (ctx->suggestions_left == 0) {
        alm_code code = fn(ctx->catalog, text, ret, NULL);
        if (code == ALM_NOT_FOUND) {
            return alm_status_set(st, code, "unknown %s '%.*s'", what, QUOTED_ARGS(text));
        }
        return code == ALM_OK ? ALM_OK : fn(ctx->catalog, text, ret, st);
    }
    alm_code code = fn(ctx->catalog, text, ret, st);
    ctx->suggestions_left -= code == ALM_NOT_FOUND ? 1 : 0;
    return code;
}

alm_code cell_indicator(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    return resolve(ctx, alm_catalog_resolve_indicator, "indicator", text, &ret->id, st);
}

alm_code cell_place(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    return resolve(ctx, alm_catalog_resolve_place, "place", text, &ret->id, st);
}

alm_code cell_source(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    return resolve(ctx, alm_catalog_resolve_source, "source", text, &ret->id, st);
}

// --- words --------------------------------------------------------------------------------------

// Numbers first..last each have a code and two words; says which one text is.
typedef struct word_list {
    const char *what;
    unsigned first, last;
    const char *(*code)(unsigned number);
    const char *(*label)(unsigned number, alm_lang lang);
} word_list;

static bool is_word(alm_str text, const char *word)
{
    return word[0] != '\0' && word[0] != '?' && alm_str_eq_nocase(text, alm_str_from(word));
}

static alm_code find_word(const word_list *list, alm_str text, unsigned *ret, alm_status *st)
{
    char known[320];
    size_t len = 0;
    for (unsigned i = list->first; i <= list->last; i++) {
        if (is_word(text, list->code(i)) || is_word(text, list->label(i, ALM_LANG_ZH)) ||
            is_word(text, list->label(i, ALM_LANG_EN))) {
            *ret = i;
            return ALM_OK;
        }
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s",
                                i == list->first ? "" : ", ", list->code(i));
        ALM_ASSERT(len < sizeof known);
    }
    return alm_status_set(st, ALM_INVALID_ARGUMENT, "unknown %s '%.*s'; it is one of %s",
                          list->what, QUOTED_ARGS(text), known);
}

static const char *qualifier_code(unsigned number)
{
    return alm_qualifier_code((alm_qualifier)number);
}

static const char *qualifier_label(unsigned number, alm_lang lang)
{
    return alm_qualifier_label((alm_qualifier)number, lang);
}

alm_code cell_qualifier(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    (void)ctx;
    static const word_list list = {"qualifier", 0, ALM_QUALIFIER_COUNT - 1, qualifier_code,
                                   qualifier_label};
    unsigned number;
    ALM_TRY(find_word(&list, text, &number, st));
    ret->qualifier = (alm_qualifier)number;
    return ALM_OK;
}

static const char *status_code(unsigned number)
{
    static const char letters[ALM_OBS_STATUS_COUNT][2] = {
#define STATUS_LETTER(name, num, letter, rank, en, zh, missing) [num] = {letter, '\0'},
        ALM_OBS_STATUS_MAP(STATUS_LETTER)
#undef STATUS_LETTER
    };
    return letters[number];
}

static const char *status_label(unsigned number, alm_lang lang)
{
    return alm_obs_status_label((alm_obs_status)number, lang);
}

alm_code cell_status(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    (void)ctx;
    static const word_list list = {"status", 0, ALM_OBS_STATUS_COUNT - 1, status_code,
                                   status_label};
    unsigned number;
    ALM_TRY(find_word(&list, text, &number, st));
    ret->status = (alm_obs_status)number;
    return ALM_OK;
}

static const char *measure_code(unsigned number)
{
    return alm_measure_code((alm_measure)number);
}

static const char *measure_label(unsigned number, alm_lang lang)
{
    return alm_measure_label((alm_measure)number, lang);
}

alm_code cell_measure(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    (void)ctx;
    static const word_list list = {"measure", 1, ALM_MEASURE_NUMBER_MAX, measure_code,
                                   measure_label};
    unsigned number;
    ALM_TRY(find_word(&list, text, &number, st));
    ret->measure = (alm_measure)number;
    return ALM_OK;
}

static const char *accumulation_code(unsigned number)
{
    return alm_accumulation_code((alm_accumulation)number);
}

static const char *accumulation_label(unsigned number, alm_lang lang)
{
    static const char *const words[][2] = {{"当期", "period"}, {"累计", "cumulative"}};
    return words[number - ALM_ACCUMULATION_PERIOD][lang == ALM_LANG_ZH ? 0 : 1];
}

alm_code cell_accumulation(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    (void)ctx;
    static const word_list list = {"accumulation", ALM_ACCUMULATION_PERIOD,
                                   ALM_ACCUMULATION_CUMULATIVE, accumulation_code,
                                   accumulation_label};
    unsigned number;
    ALM_TRY(find_word(&list, text, &number, st));
    ret->accumulation = (alm_accumulation)number;
    return ALM_OK;
}

// --- periods, days, units, numbers --------------------------------------------------------------

alm_code cell_period(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    (void)ctx;
    // What spreadsheets of Chinese offices hold: 2023年.
    alm_str year_word = ALM_STR("年");
    if (text.len == 4 + year_word.len && alm_str_ends_with(text, year_word)) {
        text.len -= year_word.len;
    }
    return alm_period_parse(text, &ret->period, st);
}

alm_code cell_date(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    (void)ctx;
    return alm_date_parse(text, &ret->date, st);
}

alm_code cell_unit(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    (void)ctx;
    return alm_unit_parse(text, &ret->unit, st);
}

alm_code cell_integer(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    (void)ctx;
    int64_t number;
    if (!alm_str_to_i64(text, &number) || number < INT32_MIN || number > INT32_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "'%.*s' is not a whole number",
                              QUOTED_ARGS(text));
    }
    ret->number = (int32_t)number;
    return ALM_OK;
}

// What tables put where a number is missing.
static bool is_placeholder(alm_str text)
{
    static const char *const words[] = {
        "nan", "na",  "n/a", "null", "none", "inf", "-inf", "+inf",     "-",         "--", "—",
        "——",  "...", "…",   "……",   ":",    "x",   "/",    "infinity", "-infinity", "*"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(words); i++) {
        if (alm_str_eq_nocase(text, alm_str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

#define GROUPED_BYTES_MAX 64

// Takes the commas out of "-1,234,567.8". False: they do not stand where groups of three end.
static bool ungroup(alm_str text, char out[GROUPED_BYTES_MAX], size_t *ret_len)
{
    size_t at = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    size_t end = at;
    while (end < text.len &&
           (text.data[end] == ',' || (text.data[end] >= '0' && text.data[end] <= '9'))) {
        end++;
    }
    if ((end - at) % 4 == 0) { // a first group of none or four
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool is_comma = text.data[i] == ',';
        bool is_group_end = i > at && i < end && (end - i) % 4 == 0;
        if (is_comma != is_group_end || len == GROUPED_BYTES_MAX) {
            return false;
        }
        if (!is_comma) {
            out[len++] = text.data[i];
        }
    }
    *ret_len = len;
    return true;
}

alm_code cell_decimal(alm_str text, alm_decimal *ret, alm_status *st)
{
    if (alm_str_find_char(text, ',') != SIZE_MAX) {
        char digits[GROUPED_BYTES_MAX];
        size_t len;
        if (!ungroup(text, digits, &len)) {
            return alm_status_set(st, ALM_INVALID_ARGUMENT,
                                  "'%.*s' is not grouped by three like 1,234,567.8",
                                  QUOTED_ARGS(text));
        }
        return alm_decimal_parse((alm_str){digits, len}, ret, st);
    }
    alm_code code = alm_decimal_parse(text, ret, st);
    if (code == ALM_INVALID_ARGUMENT && is_placeholder(text)) {
        return alm_status_set(st, code,
                              "'%.*s' is not a number; leave the value blank and give a status "
                              "that says why (M, Q, O, L)",
                              QUOTED_ARGS(text));
    }
    return code;
}

// --- breakdowns and relations -------------------------------------------------------------------

alm_code cell_breakdown(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    alm_breakdown pairs[ALM_BREAKDOWN_COUNT_MAX];
    size_t count;
    ALM_TRY(alm_breakdowns_parse(text, pairs, &count, st));
    ret->id = 0;
    if (count == 0) {
        return ALM_OK;
    }
    char canonical[ALM_BREAKDOWN_COUNT_MAX * (2 * ALM_CODE_BYTES_MAX + 2)];
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(canonical + len, sizeof canonical - len, "%s%.*s=%.*s",
                                i > 0 ? "+" : "", ALM_STR_ARGS(pairs[i].dimension),
                                ALM_STR_ARGS(pairs[i].member));
        ALM_ASSERT(len < sizeof canonical);
    }
    return intern(&ctx->breakdowns, (alm_str){canonical, len}, &ret->id, NULL) ? ALM_OK
                                                                               : no_memory(st);
}

alm_code cell_relation(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st)
{
    alm_relation relation;
    ALM_TRY(alm_relation_parse(text, &relation, st));
    cell_value part;
    if (relation.indicator.len > 0) {
        ALM_TRY(cell_indicator(ctx, relation.indicator, &part, st));
        relation.indicator = alm_catalog_indicator(ctx->catalog, part.id)->code;
    }
    if (relation.place.len > 0) {
        ALM_TRY(cell_place(ctx, relation.place, &part, st));
        relation.place = alm_place_tree_get(alm_catalog_places(ctx->catalog), part.id)->code;
    }
    bool has_measure = relation.measure != ALM_MEASURE_NONE;
    ret->id = 0;
    if (relation.indicator.len + relation.place.len == 0 && !has_measure) {
        return ALM_OK;
    }
    char canonical[3 * ALM_CODE_BYTES_MAX];
    int len =
        snprintf(canonical, sizeof canonical, "%.*s%s%.*s%s%s", ALM_STR_ARGS(relation.indicator),
                 relation.place.len > 0 ? "@" : "", ALM_STR_ARGS(relation.place),
                 has_measure ? "/" : "", has_measure ? alm_measure_code(relation.measure) : "");
    ALM_ASSERT(len > 0 && (size_t)len < sizeof canonical);
    return intern(&ctx->relations, (alm_str){canonical, (size_t)len}, &ret->id, NULL)
               ? ALM_OK
               : no_memory(st);
}
