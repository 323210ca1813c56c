#include "alm/value.h"

#include "unit_table.h"

// One row per number of a map; gaps are all zero.
typedef struct code_row {
    const char *code; // NULL: no such number
    const char *zh;
    const char *en;
} code_row;

static const code_row qualifiers[] = {
#define QUALIFIER_ROW(name, number, c, z, e) [number] = {.code = c, .zh = z, .en = e},
    ALM_QUALIFIER_MAP(QUALIFIER_ROW)
#undef QUALIFIER_ROW
};

static const code_row measures[] = {
#define MEASURE_ROW(name, number, c, z, e) [number] = {.code = c, .zh = z, .en = e},
    ALM_MEASURE_MAP(MEASURE_ROW)
#undef MEASURE_ROW
};
_Static_assert(ALM_ARRAY_LEN(measures) == ALM_MEASURE_NUMBER_MAX + 1, "keep the maximum in step");

static const code_row accumulations[] = {
    [ALM_ACCUMULATION_PERIOD] = {.code = "P"},
    [ALM_ACCUMULATION_CUMULATIVE] = {.code = "C"},
};

typedef struct status_row {
    char letter;
    uint8_t rank;
    bool missing;
    const char *en;
    const char *zh;
} status_row;

static const status_row statuses[ALM_OBS_STATUS_COUNT] = {
#define STATUS_ROW(name, number, l, r, e, z, m)                                                    \
    [number] = {.letter = l, .rank = r, .missing = m, .en = e, .zh = z},
    ALM_OBS_STATUS_MAP(STATUS_ROW)
#undef STATUS_ROW
};

static const code_row *row_at(const code_row *rows, size_t count, unsigned number)
{
    return number < count && rows[number].code != NULL ? &rows[number] : NULL;
}

static const char *code_at(const code_row *rows, size_t count, unsigned number)
{
    const code_row *row = row_at(rows, count, number);
    return row != NULL ? row->code : "?";
}

static const char *label_at(const code_row *rows, size_t count, unsigned number, alm_lang lang)
{
    const code_row *row = row_at(rows, count, number);
    return row == NULL ? "?" : lang == ALM_LANG_ZH ? row->zh : row->en;
}

static bool number_of(const code_row *rows, size_t count, alm_str code, unsigned *ret)
{
    for (unsigned i = 0; i < count; i++) {
        if (rows[i].code != NULL && alm_str_eq(code, alm_str_from(rows[i].code))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

// ----- Qualifiers, measures, accumulations -------------------------------------------------------

const char *alm_qualifier_code(alm_qualifier q)
{
    return code_at(qualifiers, ALM_ARRAY_LEN(qualifiers), q);
}

const char *alm_qualifier_label(alm_qualifier q, alm_lang lang)
{
    return label_at(qualifiers, ALM_ARRAY_LEN(qualifiers), q, lang);
}

bool alm_qualifier_parse(alm_str code, alm_qualifier *ret)
{
    unsigned number;
    bool found = number_of(qualifiers, ALM_ARRAY_LEN(qualifiers), code, &number);
    if (found) {
        *ret = (alm_qualifier)number;
    }
    return found;
}

const char *alm_measure_code(alm_measure m)
{
    return code_at(measures, ALM_ARRAY_LEN(measures), m);
}

const char *alm_measure_label(alm_measure m, alm_lang lang)
{
    return label_at(measures, ALM_ARRAY_LEN(measures), m, lang);
}

bool alm_measure_parse(alm_str code, alm_measure *ret)
{
    unsigned number;
    bool found = number_of(measures, ALM_ARRAY_LEN(measures), code, &number);
    if (found) {
        *ret = (alm_measure)number;
    }
    return found;
}

const char *alm_accumulation_code(alm_accumulation a)
{
    return code_at(accumulations, ALM_ARRAY_LEN(accumulations), a);
}

bool alm_accumulation_parse(alm_str code, alm_accumulation *ret)
{
    unsigned number;
    bool found = number_of(accumulations, ALM_ARRAY_LEN(accumulations), code, &number);
    if (found) {
        *ret = (alm_accumulation)number;
    }
    return found;
}

bool alm_qualifier_is_over(alm_qualifier qualifier)
{
    return qualifier == ALM_QUALIFIER_EXACT || qualifier == ALM_QUALIFIER_MORE_THAN ||
           qualifier == ALM_QUALIFIER_AT_LEAST || qualifier == ALM_QUALIFIER_PASSED_THRESHOLD;
}

bool alm_qualifier_is_under(alm_qualifier qualifier)
{
    return qualifier == ALM_QUALIFIER_EXACT || qualifier == ALM_QUALIFIER_LESS_THAN ||
           qualifier == ALM_QUALIFIER_AT_MOST;
}

alm_dimension alm_measure_dimension(alm_measure m, alm_dimension indicator)
{
    switch (m) {
    case ALM_MEASURE_LEVEL:
    case ALM_MEASURE_CUMULATIVE_LEVEL:
    case ALM_MEASURE_COUNT_OF_CHANGE:
        return indicator;
    case ALM_MEASURE_GROWTH_YOY:
    case ALM_MEASURE_GROWTH_POP:
    case ALM_MEASURE_GROWTH_AVG:
    case ALM_MEASURE_GROWTH_CUMULATIVE:
    case ALM_MEASURE_SHARE_OF:
    case ALM_MEASURE_COVERAGE:
    case ALM_MEASURE_CONTRIBUTION_SHARE:
    case ALM_MEASURE_RATIO:
        return ALM_DIMENSION_RATIO;
    case ALM_MEASURE_PP_CHANGE:
    case ALM_MEASURE_CONTRIBUTION_PP:
        return ALM_DIMENSION_POINTS;
    case ALM_MEASURE_RANK:
        return ALM_DIMENSION_RANK;
    case ALM_MEASURE_TARGET:
    case ALM_MEASURE_MILESTONE:
    case ALM_MEASURE_NONE:
        break;
    }
    return ALM_DIMENSION_NONE;
}

bool alm_measure_takes_unit(alm_measure m, alm_unit indicator, alm_unit unit)
{
    alm_dimension own = alm_unit_dimension(indicator);
    alm_dimension dimension = alm_measure_dimension(m, own);
    return dimension == ALM_DIMENSION_NONE ||
           (dimension == own ? alm_unit_convertible(indicator, unit)
                             : dimension == alm_unit_dimension(unit));
}

// ----- Statuses ----------------------------------------------------------------------------------

char alm_obs_status_letter(alm_obs_status s)
{
    return s < ALM_OBS_STATUS_COUNT ? statuses[s].letter : '?';
}

const char *alm_obs_status_label(alm_obs_status s, alm_lang lang)
{
    if (s >= ALM_OBS_STATUS_COUNT) {
        return "?";
    }
    return lang == ALM_LANG_ZH ? statuses[s].zh : statuses[s].en;
}

bool alm_obs_status_parse(alm_str letter, alm_obs_status *ret)
{
    for (unsigned i = 0; i < ALM_OBS_STATUS_COUNT && letter.len == 1; i++) {
        if (statuses[i].letter == letter.data[0]) {
            *ret = (alm_obs_status)i;
            return true;
        }
    }
    return false;
}

bool alm_obs_status_missing(alm_obs_status s)
{
    return s >= ALM_OBS_STATUS_COUNT || statuses[s].missing;
}

alm_obs_status alm_obs_status_worst(alm_obs_status a, alm_obs_status b)
{
    ALM_ASSERT(a < ALM_OBS_STATUS_COUNT);
    ALM_ASSERT(b < ALM_OBS_STATUS_COUNT);
    return statuses[b].rank > statuses[a].rank ? b : a;
}

// ----- Text --------------------------------------------------------------------------------------

typedef struct text_out {
    char *out;
    size_t len;
} text_out;

static void put(text_out *to, const char *text)
{
    size_t len = strlen(text);
    ALM_ASSERT(to->len + len < ALM_VALUE_TEXT_MAX);
    memcpy(to->out + to->len, text, len + 1);
    to->len += len;
}

// Between words, but not in front of the first and not before a sign that clings to its number.
static void put_word(text_out *to, const char *word)
{
    if (word[0] != '\0' && to->len > 0) {
        put(to, " ");
    }
    put(to, word);
}

static void put_unit(text_out *to, alm_unit unit, alm_lang lang)
{
    char label[ALM_UNIT_TEXT_MAX];
    alm_unit_label(unit, lang, label);
    bool clings =
        unit.measure == ALM_MEASURE_UNIT_PERCENT || unit.measure == ALM_MEASURE_UNIT_PERMILLE;
    bool reads_on =
        lang == ALM_LANG_ZH || (unit.mult >= 0 && alm_multiplier_rows[unit.mult].reads_on);
    if (clings) {
        put(to, label);
    } else if (reads_on) {
        put_word(to, label);
    } else {
        put(to, " (");
        put(to, label);
        put(to, ")");
    }
}

size_t alm_value_format(const alm_value *value, alm_lang lang, char *out)
{
    text_out to = {.out = out};
    put(&to, alm_qualifier_label(value->qualifier, lang));
    if (!value->has_number) {
        bool says_something = value->qualifier == ALM_QUALIFIER_LEADING ||
                              value->qualifier == ALM_QUALIFIER_TOP_GROUP;
        if (!says_something || alm_obs_status_missing(value->status)) {
            to.len = 0;
            put(&to, "—");
        }
        return to.len;
    }
    char number[ALM_DECIMAL_TEXT_MAX];
    alm_decimal_format(value->number, ',', number);
    if (value->unit.measure == ALM_MEASURE_UNIT_RANK) {
        put_word(&to, lang == ALM_LANG_ZH ? "第" : "no.");
    }
    put_word(&to, number);
    put_unit(&to, value->unit, lang);
    return to.len;
}
