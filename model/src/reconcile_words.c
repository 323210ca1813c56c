// The words of reconciliation: what verdicts are called, and what notes say.
#include "alm/reconcile.h"

typedef struct verdict_row {
    const char *code, *zh, *en;
} verdict_row;

static const verdict_row verdicts[] = {
#define VERDICT_ROW(name, number, code, zh, en) [number] = {code, zh, en},
    ALM_VERDICT_MAP(VERDICT_ROW)
#undef VERDICT_ROW
};

static const verdict_row stranger = {"?", "?", "?"};

static const verdict_row *row_of(alm_verdict verdict)
{
    bool is_ours = (size_t)verdict < ALM_ARRAY_LEN(verdicts) && verdicts[verdict].code != NULL;
    return is_ours ? &verdicts[verdict] : &stranger;
}

const char *alm_verdict_code(alm_verdict verdict)
{
    return row_of(verdict)->code;
}

const char *alm_verdict_label(alm_verdict verdict, alm_lang lang)
{
    return lang == ALM_LANG_ZH ? row_of(verdict)->zh : row_of(verdict)->en;
}

static bool starts_with_word(alm_str text, alm_str word)
{
    for (size_t i = 0; i < word.len; i++) {
        char letter = text.data[i];
        letter = letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter;
        if (letter != word.data[i]) {
            return false;
        }
    }
    return true;
}

static bool holds_word(alm_str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        alm_str word = alm_str_from(words[i]);
        for (size_t at = 0; at + word.len <= text.len; at++) {
            if (starts_with_word(alm_str_slice(text, at, text.len), word)) {
                return true;
            }
        }
    }
    return false;
}

bool alm_text_says_real(alm_str text)
{
    static const char *const words[] = {
        "不变价",         "可比价",           "实际增长",    "扣除价格",
        "constant price", "comparable price", "real growth", "real terms",
    };
    return holds_word(text, words, ALM_ARRAY_LEN(words));
}

bool alm_indicator_grows_real(const alm_indicator *indicator)
{
    return alm_text_says_real(indicator->definition) || alm_text_says_real(indicator->name_zh) ||
           alm_text_says_real(indicator->name_en);
}

bool alm_text_says_comparable(alm_str text)
{
    static const char *const words[] = {
        "可比口径",   "同口径",       "可比基数",     "口径调整",
        "口径变",     "comparable b", "comparable s", "like-for-like",
        "like for l", "scope change", "change of sc", "restated",
    };
    return holds_word(text, words, ALM_ARRAY_LEN(words));
}
