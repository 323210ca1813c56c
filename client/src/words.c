#include "words.h"

#include "alm/assert.h"

#include <string.h>

typedef struct qualifier_word {
    const char *code, *zh, *en;
} qualifier_word;

static const qualifier_word qualifier_words[] = {
    {"exact", "", ""},
    {"about", "约", "about"},
    {"more_than", "超", "over"},
    {"at_least", "不低于", "at least"},
    {"less_than", "不足", "under"},
    {"at_most", "不超过", "at most"},
    {"nearly", "近", "nearly"},
    {"passed_threshold", "突破", "past"},
    {"expected", "预计", "expected"},
    {"leading", "领先", "leading"},
    {"top_group", "前列", "in the top group"},
};
_Static_assert(ALM_ARRAY_LEN(qualifier_words) == ALM_QUALIFIER_WORD_COUNT, "one for each");

typedef struct status_word {
    char letter;
    const char *zh, *en;
} status_word;

static const status_word status_words[] = {
    {'A', "", "normal"},
    {'P', "初步", "provisional"},
    {'E', "估计", "estimated"},
    {'F', "预测", "forecast"},
    {'B', "口径变动", "break in series"},
    {'I', "插补", "imputed"},
    {'D', "定义不同", "definition differs"},
    {'U', "可靠性低", "low reliability"},
    {'M', "不存在", "missing, cannot exist"},
    {'Q', "保密", "missing, suppressed"},
    {'O', "缺", "missing"},
    {'L', "未收集", "missing, not collected"},
    {'W', "撤回", "withdrawn"},
};
_Static_assert(ALM_ARRAY_LEN(status_words) == ALM_STATUS_WORD_COUNT, "one for each");

typedef struct measure_word {
    const char *code, *zh, *en;
} measure_word;

static const measure_word measure_words[] = {
    {"level", "水平", "level"},
    {"growth_yoy", "同比增长", "growth, year on year"},
    {"growth_pop", "环比增长", "growth, period on period"},
    {"growth_avg", "年均增长", "average annual growth"},
    {"pp_change", "百分点变化", "change in percentage points"},
    {"share_of", "占比", "share"},
    {"rank", "排名", "rank"},
    {"target", "目标", "target"},
    {"coverage", "覆盖率", "coverage"},
    {"count_of_change", "新增", "new in the period"},
    {"cumulative_level", "累计", "cumulative level"},
    {"contribution_pp", "拉动", "contribution, points"},
    {"contribution_share", "贡献率", "contribution, share"},
    {"milestone", "首创", "milestone"},
    {"growth_cumulative", "累计增长", "cumulative growth"},
    {"ratio", "比值", "ratio"},
    {"target_progress", "目标进度", "progress to target"}, // computed only
    {"percentile", "百分位", "percentile"},                // likewise
};

typedef struct verdict_word {
    const char *code, *zh, *en;
} verdict_word;

static const verdict_word verdict_words[] = {
    {"not_known", "未知", "not known"},   {"reached", "已达到", "reached"},
    {"on_track", "符合进度", "on track"}, {"behind", "滞后", "behind"},
    {"missed", "未达到", "missed"},
};
_Static_assert(ALM_ARRAY_LEN(verdict_words) == ALM_PACE_VERDICT_WORD_COUNT, "one for each");

static const char *const value_types[] = {"", "flow", "stock", "rate", "index", "count"};
static const char *const aggregations[] = {"", "sum", "recompute", "average", "max", "min", "none"};
static const char *const directions[] = {"neutral", "up", "down"};
static const char *const levels[] = {"",         "country", "province", "city",
                                     "district", "town",    "village",  "local"};

const char *almanac_qualifier_code(uint32_t qualifier)
{
    return qualifier < ALM_QUALIFIER_WORD_COUNT ? qualifier_words[qualifier].code : "?";
}

const char *almanac_qualifier_label(uint32_t qualifier, almanac_lang lang)
{
    if (qualifier >= ALM_QUALIFIER_WORD_COUNT) {
        return "?";
    }
    return lang == ALMANAC_ZH ? qualifier_words[qualifier].zh : qualifier_words[qualifier].en;
}

char alm_status_word_letter(uint32_t number)
{
    ALM_ASSERT(number < ALM_STATUS_WORD_COUNT);
    return status_words[number].letter;
}

const char *almanac_status_label(char status, almanac_lang lang)
{
    for (size_t i = 0; i < ALM_STATUS_WORD_COUNT; i++) {
        if (status_words[i].letter == status) {
            return lang == ALMANAC_ZH ? status_words[i].zh : status_words[i].en;
        }
    }
    return "?";
}

const char *almanac_measure_label(const char *measure, almanac_lang lang)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(measure_words); i++) {
        if (strcmp(measure_words[i].code, measure) == 0) {
            return lang == ALMANAC_ZH ? measure_words[i].zh : measure_words[i].en;
        }
    }
    return measure;
}

const char *almanac_pace_verdict_code(almanac_pace_verdict verdict)
{
    return (size_t)verdict < ALM_PACE_VERDICT_WORD_COUNT ? verdict_words[verdict].code : "?";
}

const char *almanac_pace_verdict_label(almanac_pace_verdict verdict, almanac_lang lang)
{
    if ((size_t)verdict >= ALM_PACE_VERDICT_WORD_COUNT) {
        return "?";
    }
    return lang == ALMANAC_ZH ? verdict_words[verdict].zh : verdict_words[verdict].en;
}

static const char *word_of(const char *const *words, size_t count, uint32_t number)
{
    return number < count ? words[number] : "";
}

const char *alm_value_type_word(uint32_t number)
{
    return word_of(value_types, ALM_ARRAY_LEN(value_types), number);
}

const char *alm_aggregation_word(uint32_t number)
{
    return word_of(aggregations, ALM_ARRAY_LEN(aggregations), number);
}

const char *alm_direction_word(uint32_t number)
{
    return word_of(directions, ALM_ARRAY_LEN(directions), number);
}

const char *alm_level_word(uint32_t number)
{
    return word_of(levels, ALM_ARRAY_LEN(levels), number);
}
