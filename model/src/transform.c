#include "alm/transform.h"

#include "alm/catalog.h"

#include <inttypes.h>

typedef struct transform_row {
    const char *word;
    alm_stage stage;
    alm_transform_argument argument;
    const char *zh, *en; // formula
} transform_row;

static const transform_row rows[] = {
    [ALM_TRANSFORM_NONE] = {"none", ALM_STAGE_CHANGE, ALM_ARGUMENT_NONE, "", ""},
#define ALM_TRANSFORM_ROW(name, word, stage, argument, zh, en)                                     \
    [ALM_TRANSFORM_##name] = {word, ALM_STAGE_##stage, ALM_ARGUMENT_##argument, zh, en},
    ALM_TRANSFORM_MAP(ALM_TRANSFORM_ROW)
#undef ALM_TRANSFORM_ROW
};

static const char *const methods[] = {[ALM_METHOD_NONE] = "",
#define ALM_METHOD_ROW(name, word) [ALM_METHOD_##name] = word,
                                      ALM_METHOD_MAP(ALM_METHOD_ROW)
#undef ALM_METHOD_ROW
};

// Words of everyday for FRED's.
static const struct {
    const char *word;
    alm_transform_op op;
} synonyms[] = {
    {"growth", ALM_TRANSFORM_PC1},
    {"yoy", ALM_TRANSFORM_PC1},
    {"pop", ALM_TRANSFORM_PCH},
};

const char *alm_method_word(alm_method method)
{
    return (size_t)method < ALM_ARRAY_LEN(methods) ? methods[method] : "?";
}

alm_stage alm_transform_stage(alm_transform_op op)
{
    ALM_ASSERT((size_t)op < ALM_ARRAY_LEN(rows));
    return rows[op].stage;
}

bool alm_transform_has_whole(alm_transform_op op)
{
    ALM_ASSERT((size_t)op < ALM_ARRAY_LEN(rows));
    return rows[op].argument == ALM_ARGUMENT_WHOLE;
}

const char *alm_transform_formula(alm_transform_op op, alm_lang lang)
{
    ALM_ASSERT((size_t)op < ALM_ARRAY_LEN(rows));
    return lang == ALM_LANG_ZH ? rows[op].zh : rows[op].en;
}

// --- parsing ------------------------------------------------------------------------------------

static alm_code unknown_word(alm_str word, alm_status *st)
{
    alm_str known[ALM_ARRAY_LEN(rows) + ALM_ARRAY_LEN(synonyms)];
    size_t count = 0;
    for (size_t i = 1; i < ALM_ARRAY_LEN(rows); i++) {
        known[count++] = alm_str_from(rows[i].word);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(synonyms); i++) {
        known[count++] = alm_str_from(synonyms[i].word);
    }
    alm_str near = alm_nearest(word, known, count);
    if (near.len > 0) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "unknown transform \"%.*s\"; did you mean \"%.*s\"?",
                              ALM_STR_ARGS(word), ALM_STR_ARGS(near));
    }
    return alm_status_set(st, ALM_INVALID_ARGUMENT,
                          "unknown transform \"%.*s\"; expected a word such as pc1, to:Q or ma:3",
                          ALM_STR_ARGS(word));
}

static bool find_op(alm_str word, alm_transform_op *ret)
{
    for (size_t i = 1; i < ALM_ARRAY_LEN(rows); i++) {
        if (alm_str_eq(word, alm_str_from(rows[i].word))) {
            *ret = (alm_transform_op)i;
            return true;
        }
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(synonyms); i++) {
        if (alm_str_eq(word, alm_str_from(synonyms[i].word))) {
            *ret = synonyms[i].op;
            return true;
        }
    }
    return false;
}

static alm_code bad_argument(alm_str text, const char *expected, alm_status *st)
{
    return alm_status_set(st, ALM_INVALID_ARGUMENT, "transform \"%.*s\": expected %s",
                          ALM_STR_ARGS(text), expected);
}

static alm_code take_count(alm_str text, alm_str argument, alm_transform *it, alm_status *st)
{
    int64_t count;
    if (!alm_str_to_i64(argument, &count)) {
        return bad_argument(text, "a whole number behind the colon", st);
    }
    if (count < 1 || count > ALM_TRANSFORM_COUNT_MAX) {
        return alm_status_set(st, ALM_OUT_OF_RANGE,
                              "transform \"%.*s\": %" PRId64 " is not within 1 to %d",
                              ALM_STR_ARGS(text), count, ALM_TRANSFORM_COUNT_MAX);
    }
    it->count = (uint32_t)count;
    return ALM_OK;
}

static alm_code take_base(alm_str text, alm_str argument, alm_transform *it, alm_status *st)
{
    alm_code code = alm_period_parse(argument, &it->base, st);
    if (code != ALM_OK) {
        (void)alm_status_prefix(st, "transform \"%.*s\"", ALM_STR_ARGS(text));
    }
    return code;
}

static alm_code take_year(alm_str text, alm_str argument, alm_transform *it, alm_status *st)
{
    ALM_TRY(take_base(text, argument, it, st));
    bool is_year = it->base.freq == ALM_FREQ_ANNUAL && it->base.length == 1;
    return is_year ? ALM_OK : bad_argument(text, "a year behind the colon", st);
}

static bool parse_method(alm_str word, alm_method *ret)
{
    for (size_t i = 1; i < ALM_ARRAY_LEN(methods); i++) {
        if (alm_str_eq(word, alm_str_from(methods[i]))) {
            *ret = (alm_method)i;
            return true;
        }
    }
    return false;
}

// "to:": P and C are no frequencies.
static alm_code take_to(alm_str text, alm_str argument, alm_transform *it, alm_status *st)
{
    if (alm_accumulation_parse(argument, &it->accumulation)) {
        it->op = ALM_TRANSFORM_TO_ACCUMULATION;
        return ALM_OK;
    }
    size_t slash = alm_str_find_char(argument, '/');
    alm_str letter = alm_str_slice(argument, 0, ALM_MIN(slash, argument.len));
    it->op = ALM_TRANSFORM_TO_FREQUENCY;
    if (letter.len != 1 || !alm_freq_from_letter(letter.data[0], &it->freq)) {
        return bad_argument(text, "a frequency (A, S, T, Q, M, W or D), P or C", st);
    }
    if (slash != SIZE_MAX &&
        !parse_method(alm_str_slice(argument, slash + 1, argument.len), &it->method)) {
        return bad_argument(text, "sum, avg, eop, min or max behind the slash", st);
    }
    return ALM_OK;
}

// "INDICATOR@PLACE", of which one may be left out.
static alm_code take_whole(alm_str text, bool has_argument, alm_str argument, alm_transform *it,
                           alm_status *st)
{
    size_t at = alm_str_find_char(argument, '@');
    bool has_place = at != SIZE_MAX;
    it->whole = alm_str_trim(alm_str_slice(argument, 0, has_place ? at : argument.len));
    it->whole_place =
        has_place ? alm_str_trim(alm_str_slice(argument, at + 1, argument.len)) : (alm_str){0};
    bool is_bad = has_argument && (has_place ? it->whole_place.len == 0 : it->whole.len == 0);
    return is_bad ? bad_argument(text, "an indicator, @place or both behind the colon", st)
                  : ALM_OK;
}

static alm_code take_argument(alm_str text, bool has_argument, alm_str argument, alm_transform *it,
                              alm_status *st)
{
    switch (rows[it->op].argument) {
    case ALM_ARGUMENT_NONE:
        return has_argument ? bad_argument(text, "nothing behind the word", st) : ALM_OK;
    case ALM_ARGUMENT_COUNT:
        return take_count(text, argument, it, st);
    case ALM_ARGUMENT_PERIOD:
        return take_base(text, argument, it, st);
    case ALM_ARGUMENT_YEAR:
        return take_year(text, argument, it, st);
    case ALM_ARGUMENT_WHOLE:
        return take_whole(text, has_argument, argument, it, st);
    case ALM_ARGUMENT_PLACES:
        if (has_argument && alm_str_trim(argument).len == 0) {
            return bad_argument(text, "a place expression behind the colon, or no colon", st);
        }
        it->places = alm_str_trim(argument);
        return ALM_OK;
    case ALM_ARGUMENT_FREQUENCY:
    case ALM_ARGUMENT_ACCUMULATION:
        return take_to(text, argument, it, st);
    }
    return ALM_INTERNAL;
}

alm_code alm_transform_parse(alm_str text, alm_transform *ret, alm_status *st)
{
    text = alm_str_trim(text);
    size_t colon = alm_str_find_char(text, ':');
    bool has_argument = colon != SIZE_MAX;
    alm_str word = alm_str_slice(text, 0, has_argument ? colon : text.len);
    alm_str argument = has_argument ? alm_str_slice(text, colon + 1, text.len) : (alm_str){0};
    alm_transform it = {0};
    if (!find_op(word, &it.op)) {
        return unknown_word(word, st);
    }
    ALM_TRY(take_argument(text, has_argument, argument, &it, st));
    *ret = it;
    return ALM_OK;
}

// --- text ---------------------------------------------------------------------------------------

void alm_transform_format(const alm_transform *transform, alm_buf *buf)
{
    char label[ALM_PERIOD_TEXT_MAX];
    const transform_row *row = &rows[transform->op];
    alm_buf_str(buf, alm_str_from(row->word));
    switch (row->argument) {
    case ALM_ARGUMENT_NONE:
        break;
    case ALM_ARGUMENT_COUNT:
        alm_buf_printf(buf, ":%" PRIu32, transform->count);
        break;
    case ALM_ARGUMENT_PERIOD:
    case ALM_ARGUMENT_YEAR:
        (void)alm_period_format(transform->base, label);
        alm_buf_printf(buf, ":%s", label);
        break;
    case ALM_ARGUMENT_FREQUENCY:
        alm_buf_printf(buf, ":%c%s%s", alm_freq_letter(transform->freq),
                       transform->method == ALM_METHOD_NONE ? "" : "/",
                       alm_method_word(transform->method));
        break;
    case ALM_ARGUMENT_ACCUMULATION:
        alm_buf_printf(buf, ":%s", alm_accumulation_code(transform->accumulation));
        break;
    case ALM_ARGUMENT_WHOLE:
        if (transform->whole.len > 0 || transform->whole_place.len > 0) {
            alm_buf_printf(buf, ":%.*s%s%.*s", ALM_STR_ARGS(transform->whole),
                           transform->whole_place.len > 0 ? "@" : "",
                           ALM_STR_ARGS(transform->whole_place));
        }
        break;
    case ALM_ARGUMENT_PLACES:
        alm_buf_printf(buf, "%s%.*s", transform->places.len > 0 ? ":" : "",
                       ALM_STR_ARGS(transform->places));
        break;
    }
}

void alm_transforms_format(const alm_transforms *list, alm_buf *buf)
{
    const char *before = "";
    for (size_t i = 0; i < ALM_STAGE_COUNT; i++) {
        if (list->of[i].op != ALM_TRANSFORM_NONE) {
            alm_buf_str(buf, alm_str_from(before));
            alm_transform_format(&list->of[i], buf);
            before = " ";
        }
    }
}

// --- lists --------------------------------------------------------------------------------------

alm_code alm_transforms_add(alm_transforms *list, const alm_transform *transform, alm_status *st)
{
    alm_transform *there = &list->of[alm_transform_stage(transform->op)];
    if (there->op == ALM_TRANSFORM_NONE) {
        *there = *transform;
        return ALM_OK;
    }
    alm_buf words;
    alm_buf_init(&words, 0);
    alm_transform_format(there, &words);
    alm_buf_str(&words, ALM_STR(" and "));
    alm_transform_format(transform, &words);
    alm_code code = alm_status_set(st, ALM_INVALID_ARGUMENT,
                                   "%.*s exclude each other: a question has one of them",
                                   ALM_STR_ARGS(alm_buf_view(&words)));
    alm_buf_deinit(&words);
    return code;
}

bool alm_transforms_empty(const alm_transforms *list)
{
    for (size_t i = 0; i < ALM_STAGE_COUNT; i++) {
        if (list->of[i].op != ALM_TRANSFORM_NONE) {
            return false;
        }
    }
    return true;
}

bool alm_transforms_keep_unit(const alm_transforms *list)
{
    static const alm_stage others[] = {ALM_STAGE_RATIO, ALM_STAGE_INDEX, ALM_STAGE_RANK};
    for (size_t i = 0; i < ALM_ARRAY_LEN(others); i++) {
        if (list->of[others[i]].op != ALM_TRANSFORM_NONE) {
            return false;
        }
    }
    if (list->of[ALM_STAGE_PLACES].op == ALM_TRANSFORM_TARGET ||
        list->of[ALM_STAGE_PRICES].op == ALM_TRANSFORM_DEFLATOR) {
        return false;
    }
    switch (list->of[ALM_STAGE_CHANGE].op) {
    case ALM_TRANSFORM_NONE:
    case ALM_TRANSFORM_LIN:
    case ALM_TRANSFORM_CHG:
    case ALM_TRANSFORM_CH1:
    case ALM_TRANSFORM_CHY:
        return true;
    default:
        return false;
    }
}
