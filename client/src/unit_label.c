#include "unit_label.h"

#include "alm/assert.h"
#include "alm/str.h"

#include <stdio.h>

// The model's units again, since the client knows codes only; tests/ holds the two together.
typedef struct unit_word {
    const char *code, *zh, *en;
} unit_word;

static const unit_word unit_words[] = {
    {"CNY", "元", "yuan"},
    {"USD", "美元", "US dollars"},
    {"m2", "平方米", "m²"},
    {"ha", "公顷", "ha"},
    {"km2", "平方公里", "km²"},
    {"mu", "亩", "mu"},
    {"m", "米", "m"},
    {"km", "公里", "km"},
    {"persons", "人", "persons"},
    {"visits", "人次", "visits"},
    {"count", "个", ""},
    {"count_jia", "家", ""},
    {"count_tao", "套", ""},
    {"count_zhuang", "幢", ""},
    {"count_xiang", "项", ""},
    {"count_chu", "处", ""},
    {"count_zuo", "座", ""},
    {"count_zhang", "张", ""},
    {"count_hu", "户", "households"},
    {"count_jian", "件", ""},
    {"percent", "%", "%"},
    {"permille", "‰", "‰"},
    {"times", "倍", "times"},
    {"pp", "个百分点", "pp"},
    {"index", "", ""},
    {"rank", "位", ""},
    {"ordinal", "", ""},
    {"ratio", "", ""},
    {"kg", "千克", "kg"},
    {"t", "吨", "tonnes"},
    {"m3", "立方米", "m³"},
    {"kWh", "千瓦时", "kWh"},
    {"tce", "吨标准煤", "tce"},
    {"kW", "千瓦", "kW"},
    {"kVA", "千伏安", "kVA"},
    {"years", "岁", "years"},
    {"count_ci", "次", ""},
    {"count_chang", "场", ""},
    {"count_suo", "所", ""},
    {"count_tou", "头", ""},
    {"count_zhi", "只", ""},
    {"count_yu", "羽", ""},
    {"count_tai", "台", ""},
    {"count_liang", "辆", ""},
    {"count_tiao", "条", ""},
    {"count_fen", "份", ""},
    {"count_dong", "栋", ""},
    {"count_room", "间", ""},
    {"count_pi", "批", ""},
    {"count_ce", "册", ""},
    {"count_dui", "对", ""},
    {"count_qi", "起", ""},
    {"count_zhu", "株", ""},
};

typedef struct multiplier_word {
    const char *zh, *en;
    bool reads_on; // "6 million yuan", but not "6 10 thousand yuan"
} multiplier_word;

static const multiplier_word multiplier_words[] = {
    {"", "", true},
    {"十", "ten", false},
    {"百", "hundred", false},
    {"千", "thousand", true},
    {"万", "10 thousand", false},
    {"十万", "100 thousand", false},
    {"百万", "million", true},
    {"千万", "10 million", false},
    {"亿", "100 million", false},
    {"十亿", "billion", true},
    {"百亿", "10 billion", false},
    {"千亿", "100 billion", false},
    {"万亿", "trillion", true},
};

// The base and the power of ten of a code that is no quotient. False: no unit of ours.
static bool split_code(alm_str base, const unit_word **ret_word, int64_t *ret_power)
{
    size_t mark = alm_str_find(base, ALM_STR("_E"));
    *ret_power = 0;
    if (mark != SIZE_MAX) {
        if (!alm_str_to_i64(alm_str_slice(base, mark + 2, base.len), ret_power)) {
            return false;
        }
        base = alm_str_slice(base, 0, mark);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(unit_words); i++) {
        if (alm_str_eq(base, alm_str_from(unit_words[i].code))) {
            *ret_word = &unit_words[i];
            return *ret_power < (int64_t)ALM_ARRAY_LEN(multiplier_words);
        }
    }
    return false;
}

typedef struct unit_code {
    const unit_word *word, *per; // per: NULL, no quotient
    int64_t power, per_power;
} unit_code;

static bool read_code(const char *unit, unit_code *ret)
{
    alm_str text = alm_str_from(unit);
    size_t mark = alm_str_find(text, ALM_STR("/"));
    size_t end = ALM_MIN(mark, text.len);
    ret->per = NULL;
    return split_code(alm_str_slice(text, 0, end), &ret->word, &ret->power) &&
           (mark == SIZE_MAX ||
            (split_code(alm_str_slice(text, mark + 1, text.len), &ret->per, &ret->per_power) &&
             ret->per_power >= 0));
}

static void put(char *out, const char *text)
{
    size_t len = strlen(out);
    (void)snprintf(out + len, ALMANAC_UNIT_TEXT_MAX - len, "%s", text);
}

static void put_label(char *out, const char *name, int64_t power, almanac_lang lang)
{
    bool has_gap = name[0] != '\0' && (power < 0 || (power > 0 && lang == ALMANAC_EN));
    if (power < 0) {
        char text[32];
        (void)snprintf(text, sizeof text, "×10^%lld", (long long)power);
        put(out, text);
    } else {
        put(out, lang == ALMANAC_ZH ? multiplier_words[power].zh : multiplier_words[power].en);
    }
    put(out, has_gap ? " " : "");
    put(out, name);
}

size_t almanac_unit_label(const char *unit, almanac_lang lang, char *out)
{
    unit_code code;
    out[0] = '\0';
    if (!read_code(unit, &code)) {
        put(out, unit);
        return strlen(out);
    }
    put_label(out, lang == ALMANAC_ZH ? code.word->zh : code.word->en, code.power, lang);
    if (code.per != NULL) {
        bool is_zh = lang == ALMANAC_ZH || code.per->en[0] == '\0';
        put(out, "/");
        put_label(out, is_zh ? code.per->zh : code.per->en, code.per_power, lang);
    }
    return strlen(out);
}

alm_unit_shape alm_unit_shape_of(const char *unit, almanac_lang lang)
{
    unit_code code;
    if (!read_code(unit, &code)) {
        return ALM_UNIT_PLAIN;
    }
    alm_str base = alm_str_from(code.word->code);
    if (alm_str_eq(base, ALM_STR("percent")) || alm_str_eq(base, ALM_STR("permille"))) {
        return ALM_UNIT_CLINGS;
    }
    if (alm_str_eq(base, ALM_STR("rank"))) {
        return ALM_UNIT_RANK;
    }
    bool is_apart =
        lang == ALMANAC_EN && (code.power < 0 || !multiplier_words[code.power].reads_on);
    return is_apart ? ALM_UNIT_APART : ALM_UNIT_PLAIN;
}
