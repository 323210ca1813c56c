// What findings are called. The numbers are the model's and the wire's; a test holds the verdicts
// against the model's (tests/agree).
#include "almanac.h"

#include "alm/assert.h"

typedef struct finding_word {
    const char *code, *zh, *en;
} finding_word;

static const finding_word stranger = {"?", "?", "?"};

static const finding_word verdicts[] = {
    {"?", "?", "?"},
    {"match", "相符", "match"},
    {"base_revised", "基数已修订", "base revised"},
    {"accumulation_mixup", "当期累计混淆", "accumulation mix-up"},
    {"wrong_comparison", "对比期不同", "wrong comparison"},
    {"unit_slip", "单位错位", "unit slip"},
    {"constant_price", "可比价增长", "constant price"},
    {"comparable_base", "可比口径", "comparable base"},
    {"revised", "已修订", "revised"},
    {"unexplained", "未能解释", "unexplained"},
    {"not_judged", "未判定", "not judged"},
};

static const char *const checks[] = {
    "?", "growth", "change", "share", "contribution", "rank", "parts", "breakdown", "publication",
};

static const finding_word implieds[] = {
    {"", "", ""},
    {"base", "基数", "base"},
    {"level", "本期值", "value"},
    {"whole", "整体", "whole"},
    {"part", "部分", "part"},
    {"deflator", "价格变动", "prices"},
    {"remainder", "其余", "rest"},
    {"rank", "名次", "rank"},
};

static const finding_word *word_at(const finding_word *words, size_t count, uint32_t number)
{
    return number < count ? &words[number] : &stranger;
}

static const char *label_of(const finding_word *word, almanac_lang lang)
{
    return lang == ALMANAC_ZH ? word->zh : word->en;
}

const char *almanac_verdict_code(uint32_t verdict)
{
    return word_at(verdicts, ALM_ARRAY_LEN(verdicts), verdict)->code;
}

const char *almanac_verdict_label(uint32_t verdict, almanac_lang lang)
{
    return label_of(word_at(verdicts, ALM_ARRAY_LEN(verdicts), verdict), lang);
}

const char *almanac_check_code(uint32_t check)
{
    return check < ALM_ARRAY_LEN(checks) ? checks[check] : "?";
}

const char *almanac_implied_code(uint32_t implied)
{
    return word_at(implieds, ALM_ARRAY_LEN(implieds), implied)->code;
}

const char *almanac_implied_label(uint32_t implied, almanac_lang lang)
{
    return label_of(word_at(implieds, ALM_ARRAY_LEN(implieds), implied), lang);
}
