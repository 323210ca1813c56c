#include "alm/unit.h"

#include "nearest.h"
#include "unit_table.h"

#define NO_POWER (-100)

// ----- Names -------------------------------------------------------------------------------------

// Other names in use. What the table of units holds (code, zh, en) is not repeated here.
typedef struct alias_row {
    const char *name;
    alm_measure_unit measure;
    int8_t mult;
} alias_row;

static const alias_row aliases[] = {
    {"圆", ALM_MEASURE_UNIT_CNY, 0},
    {"人民币", ALM_MEASURE_UNIT_CNY, 0},
    {"人民币元", ALM_MEASURE_UNIT_CNY, 0},
    {"元人民币", ALM_MEASURE_UNIT_CNY, 0},
    {"RMB", ALM_MEASURE_UNIT_CNY, 0},
    {"renminbi", ALM_MEASURE_UNIT_CNY, 0},
    {"yuan RMB", ALM_MEASURE_UNIT_CNY, 0},
    {"RMB yuan", ALM_MEASURE_UNIT_CNY, 0},
    {"CNY yuan", ALM_MEASURE_UNIT_CNY, 0},
    {"美金", ALM_MEASURE_UNIT_USD, 0},
    {"US$", ALM_MEASURE_UNIT_USD, 0},
    {"US dollar", ALM_MEASURE_UNIT_USD, 0},
    {"平米", ALM_MEASURE_UNIT_M2, 0},
    {"平方", ALM_MEASURE_UNIT_M2, 0},
    {"㎡", ALM_MEASURE_UNIT_M2, 0},
    {"m^2", ALM_MEASURE_UNIT_M2, 0},
    {"sqm", ALM_MEASURE_UNIT_M2, 0},
    {"sq m", ALM_MEASURE_UNIT_M2, 0},
    {"sq. m", ALM_MEASURE_UNIT_M2, 0},
    {"square metre", ALM_MEASURE_UNIT_M2, 0},
    {"square metres", ALM_MEASURE_UNIT_M2, 0},
    {"square meter", ALM_MEASURE_UNIT_M2, 0},
    {"square meters", ALM_MEASURE_UNIT_M2, 0},
    {"hectare", ALM_MEASURE_UNIT_HA, 0},
    {"hectares", ALM_MEASURE_UNIT_HA, 0},
    {"平方千米", ALM_MEASURE_UNIT_KM2, 0},
    {"km^2", ALM_MEASURE_UNIT_KM2, 0},
    {"㎢", ALM_MEASURE_UNIT_KM2, 0},
    {"sq km", ALM_MEASURE_UNIT_KM2, 0},
    {"square kilometre", ALM_MEASURE_UNIT_KM2, 0},
    {"square kilometres", ALM_MEASURE_UNIT_KM2, 0},
    {"square kilometer", ALM_MEASURE_UNIT_KM2, 0},
    {"square kilometers", ALM_MEASURE_UNIT_KM2, 0},
    {"市亩", ALM_MEASURE_UNIT_MU, 0},
    {"metre", ALM_MEASURE_UNIT_M, 0},
    {"metres", ALM_MEASURE_UNIT_M, 0},
    {"meter", ALM_MEASURE_UNIT_M, 0},
    {"meters", ALM_MEASURE_UNIT_M, 0},
    {"千米", ALM_MEASURE_UNIT_KM, 0},
    {"㎞", ALM_MEASURE_UNIT_KM, 0},
    {"kilometre", ALM_MEASURE_UNIT_KM, 0},
    {"kilometres", ALM_MEASURE_UNIT_KM, 0},
    {"kilometer", ALM_MEASURE_UNIT_KM, 0},
    {"kilometers", ALM_MEASURE_UNIT_KM, 0},
    {"名", ALM_MEASURE_UNIT_PERSONS, 0},
    {"person", ALM_MEASURE_UNIT_PERSONS, 0},
    {"people", ALM_MEASURE_UNIT_PERSONS, 0},
    {"visit", ALM_MEASURE_UNIT_VISITS, 0},
    {"person-times", ALM_MEASURE_UNIT_VISITS, 0},
    {"person_times", ALM_MEASURE_UNIT_VISITS, 0},
    {"units", ALM_MEASURE_UNIT_COUNT, 0},
    {"sets", ALM_MEASURE_UNIT_TAO, 0},
    {"household", ALM_MEASURE_UNIT_HU, 0},
    {"％", ALM_MEASURE_UNIT_PERCENT, 0},
    {"﹪", ALM_MEASURE_UNIT_PERCENT, 0},
    {"per cent", ALM_MEASURE_UNIT_PERCENT, 0},
    {"pct", ALM_MEASURE_UNIT_PERCENT, 0},
    {"per mille", ALM_MEASURE_UNIT_PERMILLE, 0},
    {"百分点", ALM_MEASURE_UNIT_PP, 0},
    {"percentage point", ALM_MEASURE_UNIT_PP, 0},
    {"percentage points", ALM_MEASURE_UNIT_PP, 0},
    {"指数", ALM_MEASURE_UNIT_INDEX, 0},
    {"名次", ALM_MEASURE_UNIT_RANK, 0},
    {"比值", ALM_MEASURE_UNIT_RATIO, 0},
    {"公斤", ALM_MEASURE_UNIT_KG, 0},
    {"kilogram", ALM_MEASURE_UNIT_KG, 0},
    {"kilograms", ALM_MEASURE_UNIT_KG, 0},
    {"tonne", ALM_MEASURE_UNIT_TONNE, 0},
    {"metric ton", ALM_MEASURE_UNIT_TONNE, 0},
    {"metric tons", ALM_MEASURE_UNIT_TONNE, 0},
    {"m^3", ALM_MEASURE_UNIT_M3, 0},
    {"cubic metre", ALM_MEASURE_UNIT_M3, 0},
    {"cubic metres", ALM_MEASURE_UNIT_M3, 0},
    {"cubic meter", ALM_MEASURE_UNIT_M3, 0},
    {"cubic meters", ALM_MEASURE_UNIT_M3, 0},
    {"度", ALM_MEASURE_UNIT_KWH, 0},
    {"兆瓦时", ALM_MEASURE_UNIT_KWH, 3},
    {"兆瓦", ALM_MEASURE_UNIT_KW, 3},
    {"兆伏安", ALM_MEASURE_UNIT_KVA, 3},
    {"周岁", ALM_MEASURE_UNIT_YEARS, 0},
    {"year", ALM_MEASURE_UNIT_YEARS, 0},
};

// Walks every name there is: code, zh and en of each unit, then the aliases. False: past the end.
static bool name_at(size_t i, const char **ret_name, alm_unit *ret_unit)
{
    if (i < alm_unit_row_count * 3) {
        const alm_unit_row *row = &alm_unit_rows[i / 3];
        const char *names[3] = {row->code, row->zh, row->en};
        *ret_name = names[i % 3] != NULL ? names[i % 3] : "";
        *ret_unit = (alm_unit){.measure = (uint8_t)(i / 3)};
        return true;
    }
    i -= alm_unit_row_count * 3;
    if (i >= ALM_ARRAY_LEN(aliases)) {
        return false;
    }
    *ret_name = aliases[i].name;
    *ret_unit = (alm_unit){.measure = (uint8_t)aliases[i].measure, .mult = aliases[i].mult};
    return true;
}

static bool find_name(alm_str text, alm_unit *ret)
{
    const char *name;
    if (text.len == 0) {
        return false;
    }
    for (size_t i = 0; name_at(i, &name, ret); i++) {
        if (alm_str_eq_nocase(text, alm_str_from(name))) {
            return true;
        }
    }
    return false;
}

// ----- Multipliers -------------------------------------------------------------------------------

typedef struct multiplier_word {
    const char *word;
    int8_t power;
    bool latin;      // a word of letters: something else must follow it
    bool may_follow; // another multiplier may stand in front: 十万, ten million
} multiplier_word;

static const multiplier_word multiplier_words[] = {
    {"十", 1, false, false},      {"百", 2, false, false},     {"千", 3, false, false},
    {"万", 4, false, true},       {"亿", 8, false, true},      {"ten", 1, true, false},
    {"hundred", 2, true, false},  {"thousand", 3, true, true}, {"million", 6, true, true},
    {"mn", 6, true, true},        {"billion", 9, true, true},  {"bn", 9, true, true},
    {"trillion", 12, true, true},
};

typedef struct cursor {
    alm_str rest;    // not yet read
    int power;       // product of the multipliers read so far
    int last;        // the last one; NO_POWER before the first
    bool after_word; // the last one was a word in letters or x10^n, complete without a unit
} cursor;

static bool is_ascii_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void take(cursor *c, size_t len, int power, bool word)
{
    c->rest = alm_str_trim(alm_str_slice(c->rest, len, c->rest.len));
    c->power += power;
    c->last = power;
    c->after_word = word;
}

// 1, 10, 10,000, and 10k. A power of ten in digits may only come first.
static bool take_number(cursor *c)
{
    if (c->last != NO_POWER || c->rest.len == 0 || c->rest.data[0] != '1') {
        return false;
    }
    size_t len = 1;
    int zeros = 0;
    for (;;) {
        alm_str rest = alm_str_slice(c->rest, len, c->rest.len);
        if (alm_str_starts_with(rest, ALM_STR(",000"))) {
            len += 4;
            zeros += 3;
        } else if (alm_str_starts_with(rest, ALM_STR("0"))) {
            len++;
            zeros++;
        } else {
            break;
        }
    }
    if (zeros > ALM_UNIT_MULT_MAX) {
        return false;
    }
    bool thousands = len < c->rest.len && (c->rest.data[len] == 'k' || c->rest.data[len] == 'K') &&
                     (len + 1 == c->rest.len || c->rest.data[len + 1] == ' ');
    take(c, len + thousands, thousands ? zeros + 3 : zeros, thousands);
    return true;
}

// ×10^-3, as alm_unit_label writes it.
static bool take_power(cursor *c)
{
    static const char *const signs[] = {"×10^", "x10^"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(signs) && c->last == NO_POWER; i++) {
        alm_str sign = alm_str_from(signs[i]);
        if (!alm_str_starts_with(c->rest, sign)) {
            continue;
        }
        size_t end = sign.len;
        while (end < c->rest.len && c->rest.data[end] != ' ') {
            end++;
        }
        int64_t power;
        if (!alm_str_to_i64(alm_str_slice(c->rest, sign.len, end), &power) ||
            power < ALM_UNIT_MULT_MIN || power > ALM_UNIT_MULT_MAX) {
            return false;
        }
        take(c, end, (int)power, true);
        return true;
    }
    return false;
}

static bool take_word(cursor *c)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(multiplier_words); i++) {
        const multiplier_word *word = &multiplier_words[i];
        size_t len = strlen(word->word);
        if (c->rest.len < len ||
            !alm_str_eq_nocase(alm_str_slice(c->rest, 0, len), alm_str_from(word->word))) {
            continue;
        }
        bool inside_word = word->latin && len < c->rest.len && is_ascii_letter(c->rest.data[len]);
        bool in_order = c->last == NO_POWER || (word->may_follow && word->power > c->last);
        if (inside_word || !in_order) {
            return false;
        }
        take(c, len, word->power, word->latin);
        return true;
    }
    return false;
}

// ----- Parsing -----------------------------------------------------------------------------------

// Why a text is no unit; decides the message.
typedef enum verdict { FOUND, UNKNOWN, BAD_MULTIPLIER } verdict;

static verdict with_multiplier(alm_unit unit, int64_t power, alm_unit *ret)
{
    int64_t mult = unit.mult + power;
    if (mult < ALM_UNIT_MULT_MIN || mult > ALM_UNIT_MULT_MAX) {
        return BAD_MULTIPLIER;
    }
    unit.mult = (int8_t)mult;
    if (!alm_unit_valid(unit)) {
        return BAD_MULTIPLIER;
    }
    *ret = unit;
    return FOUND;
}

// CNY_E8
static verdict parse_code(alm_str text, alm_unit *ret)
{
    size_t mark = alm_str_find(text, ALM_STR("_E"));
    int64_t power;
    if (mark == SIZE_MAX || !alm_str_to_i64(alm_str_slice(text, mark + 2, text.len), &power)) {
        return UNKNOWN;
    }
    alm_str code = alm_str_slice(text, 0, mark);
    for (size_t i = 0; i < alm_unit_row_count; i++) {
        if (alm_unit_rows[i].code != NULL &&
            alm_str_eq(code, alm_str_from(alm_unit_rows[i].code))) {
            bool in_range = power >= ALM_UNIT_MULT_MIN && power <= ALM_UNIT_MULT_MAX;
            return in_range ? with_multiplier((alm_unit){.measure = (uint8_t)i}, power, ret)
                            : BAD_MULTIPLIER;
        }
    }
    return UNKNOWN;
}

// Multipliers, then a name. The longest name wins: 百分点 is not a hundred of anything.
// *ret_rest is what stood behind the multipliers when nothing was found.
static verdict parse_words(alm_str text, alm_unit *ret, alm_str *ret_rest)
{
    cursor c = {.rest = text, .last = NO_POWER};
    alm_unit unit;
    do {
        if (find_name(c.rest, &unit)) {
            return with_multiplier(unit, c.power, ret);
        }
        if (c.rest.len == 0 && c.after_word) {
            return with_multiplier((alm_unit){.measure = ALM_MEASURE_UNIT_COUNT}, c.power, ret);
        }
    } while (take_power(&c) || take_number(&c) || take_word(&c));
    *ret_rest = c.rest;
    return UNKNOWN;
}

// The multipliers are kept in the suggestion: 亿美圆 was meant to be 亿美元, not 美元.
static alm_code unknown(alm_str text, alm_str rest, alm_status *st)
{
    if (alm_utf8_valid_len(text) != text.len) {
        return alm_status_set(st, ALM_NOT_FOUND, "a unit must be UTF-8 text");
    }
    nearest near = nearest_of(rest);
    const char *name;
    alm_unit unit;
    for (size_t i = 0; st != NULL && name_at(i, &name, &unit); i++) {
        nearest_offer(&near, alm_str_from(name), 0);
    }
    if (near.best.len == 0) {
        return alm_status_set(st, ALM_NOT_FOUND, "unknown unit \"%.*s\"", ALM_STR_ARGS(text));
    }
    alm_str multiplier = alm_str_slice(text, 0, text.len - rest.len);
    return alm_status_set(st, ALM_NOT_FOUND, "unknown unit \"%.*s\"; did you mean \"%.*s%.*s\"?",
                          ALM_STR_ARGS(text), ALM_STR_ARGS(multiplier), ALM_STR_ARGS(near.best));
}

// One that is no quotient, without white space around it.
static alm_code parse_part(alm_str text, alm_unit *ret, alm_status *st)
{
    alm_str rest = text;
    verdict found = parse_code(text, ret);
    if (found == UNKNOWN) {
        found = parse_words(text, ret, &rest);
    }
    switch (found) {
    case FOUND:
        return ALM_OK;
    case BAD_MULTIPLIER:
        return alm_status_set(st, ALM_NOT_FOUND,
                              "unknown unit \"%.*s\": it cannot have this multiplier",
                              ALM_STR_ARGS(text));
    case UNKNOWN:
        break;
    }
    return unknown(text, rest, st);
}

// Where "/" or " per " stands; false: nowhere, or nothing is behind it.
static bool split_quotient(alm_str text, alm_str *ret_part, alm_str *ret_per)
{
    static const char *const marks[] = {"/", "／", " per "};
    for (size_t i = 0; i < ALM_ARRAY_LEN(marks); i++) {
        alm_str mark = alm_str_from(marks[i]);
        size_t at = alm_str_find(text, mark);
        if (at != SIZE_MAX && at + mark.len < text.len) {
            *ret_part = alm_str_trim(alm_str_slice(text, 0, at));
            *ret_per = alm_str_trim(alm_str_slice(text, at + mark.len, text.len));
            return true;
        }
    }
    return false;
}

alm_code alm_unit_parse(alm_str text, alm_unit *ret, alm_status *st)
{
    alm_str trimmed = alm_str_trim(text);
    alm_str part;
    alm_str denominator;
    alm_unit unit = {.measure = ALM_MEASURE_UNIT_COUNT};
    alm_unit per = {0};
    if (!split_quotient(trimmed, &part, &denominator)) {
        return parse_part(trimmed, ret, st);
    }
    // "/km²": so many a square kilometre.
    ALM_TRY(part.len == 0 ? ALM_OK : parse_part(part, &unit, st));
    ALM_TRY(parse_part(denominator, &per, st));
    unit.per = per.measure;
    unit.per_mult = per.mult;
    if (!alm_unit_valid(unit)) {
        return alm_status_set(st, ALM_NOT_FOUND,
                              "unknown unit \"%.*s\": %.*s is not counted per %.*s",
                              ALM_STR_ARGS(trimmed), ALM_STR_ARGS(part), ALM_STR_ARGS(denominator));
    }
    *ret = unit;
    return ALM_OK;
}
