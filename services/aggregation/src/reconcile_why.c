// The sentence of a finding: what it was held against, and what came of it.
#include "reconcile_run.h"

#include "alm/wire.h"

// The words of one finding in one language.
typedef struct words {
    const alm_reconciliation *it;
    const alm_finding *f;
    alm_lang lang;
    bool is_full; // out of memory; every text is "" then
} words;

static const char *text(words *w, const char *made)
{
    w->is_full |= made == NULL;
    return made == NULL ? "" : made;
}

#define PRINT(w, ...) text(w, alm_arena_printf((w)->it->arena, __VA_ARGS__))
// In one of two languages; both take the same arguments.
#define SAY(w, zh, en, ...)                                                                        \
    ((w)->lang == ALM_LANG_ZH ? PRINT(w, zh, __VA_ARGS__) : PRINT(w, en, __VA_ARGS__))

static const char *one_of(const words *w, const char *zh, const char *en)
{
    return w->lang == ALM_LANG_ZH ? zh : en;
}

// --- pieces -------------------------------------------------------------------------------------

static const char *value_text(words *w, const alm_value *value)
{
    char out[ALM_VALUE_TEXT_MAX];
    size_t len = alm_value_format(value, w->lang, out);
    return text(w, alm_arena_strdup(w->it->arena, (alm_str){out, len}));
}

static const char *figure_text(words *w, const alm_figure *figure, const alm_telling *how)
{
    alm_value value;
    return alm_figure_value(figure, how, &value) ? value_text(w, &value) : "—";
}

static const char *computed_text(words *w)
{
    return figure_text(w, &w->f->judged.computed, &w->f->told);
}

static const char *period_text(words *w, alm_period period)
{
    char out[ALM_PERIOD_TEXT_MAX];
    size_t len = alm_period_format(period, out);
    return text(w, alm_arena_strdup(w->it->arena, (alm_str){out, len}));
}

static alm_str either(const words *w, alm_str zh, alm_str en)
{
    alm_str first = w->lang == ALM_LANG_ZH ? zh : en;
    return first.len > 0 ? first : w->lang == ALM_LANG_ZH ? en : zh;
}

static const char *name_text(words *w, const alm_cell_name *name)
{
    const alm_variant_entry *entry = alm_reconcile_entry(w->it, w->f->claim);
    if (name->indicator == NULL || name->place == ALM_PLACE_NONE) {
        return PRINT(w, "%.*s", ALM_STR_ARGS(entry->relation));
    }
    const alm_place *place = alm_place_tree_get(w->it->plan->tree, name->place);
    alm_str what =
        either(w, name->indicator->name_zh,
               name->indicator->name_en.len > 0 ? name->indicator->name_en : name->indicator->code);
    alm_str where = either(w, place->name_zh, place->name_en);
    const char *when = period_text(w, name->period);
    alm_measure measure = w->f->own_measure;
    const char *kind =
        measure == ALM_MEASURE_LEVEL ? "" : PRINT(w, " %s", alm_measure_label(measure, w->lang));
    return w->lang == ALM_LANG_ZH
               ? PRINT(w, "%.*s %s %.*s%s", ALM_STR_ARGS(where), when, ALM_STR_ARGS(what), kind)
               : PRINT(w, "%.*s%s of %.*s in %s", ALM_STR_ARGS(what), kind, ALM_STR_ARGS(where),
                       when);
}

static bool is_for_the_rest(const alm_finding *f)
{
    return f->judged.implied == ALM_IMPLIED_REMAINDER && f->implied_of.place == f->claim->place;
}

static const char *implied_text(words *w)
{
    const alm_finding *f = w->f;
    const char *value = figure_text(w, &f->judged.figure, &f->implied_told);
    if (f->judged.implied == ALM_IMPLIED_DEFLATOR) {
        return value;
    }
    if (is_for_the_rest(f)) {
        return SAY(w, "其余为 %s", "%s for the rest", value);
    }
    return w->lang == ALM_LANG_ZH ? PRINT(w, "%s 为 %s", name_text(w, &f->implied_of), value)
                                  : PRINT(w, "%s for %s", value, name_text(w, &f->implied_of));
}

// --- what it was held against -------------------------------------------------------------------

static const char *pair_text(words *w)
{
    const alm_finding *f = w->f;
    const char *part = value_text(w, &f->part);
    const char *whole = value_text(w, &f->whole);
    const char *when = period_text(w, f->whole_of.period);
    switch (f->check) {
    case ALMANAC__V1__CHECK__CHECK_SHARE:
        return SAY(w, "%s 占 %s 的比重", "%s of %s", part, whole);
    case ALMANAC__V1__CHECK__CHECK_CONTRIBUTION:
        return SAY(w, "变动 %s 对 %s", "a change by %s on %s", part, whole);
    case ALMANAC__V1__CHECK__CHECK_CHANGE:
        return SAY(w, "%s 减去 %s（%s）", "%s less %s in %s", part, whole, when);
    default:
        return SAY(w, "%s 对 %s（%s）", "%s against %s in %s", part, whole, when);
    }
}

static const char *head_text(words *w)
{
    const alm_finding *f = w->f;
    const char *computed = computed_text(w);
    switch (f->check) {
    case ALMANAC__V1__CHECK__CHECK_PARTS:
        return SAY(w, "%u/%u 个下级地区合计 %s", "%u of %u places below it sum to %s", f->of_count,
                   f->of_expected, computed);
    case ALMANAC__V1__CHECK__CHECK_BREAKDOWN:
        return SAY(w, "%.*s 的 %u 个分组合计 %s", "members of %.*s: %u, which sum to %s",
                   ALM_STR_ARGS(f->members), f->of_count, computed);
    case ALMANAC__V1__CHECK__CHECK_RANK:
        return SAY(w, "%u/%u 个可比地区有数值，据此为 %s",
                   "%u of %u peers have a value, by which it is %s", f->of_count, f->of_expected,
                   computed);
    default:
        return SAY(w, "%s为 %s", "%s is %s", pair_text(w), computed);
    }
}

// --- what came of it ----------------------------------------------------------------------------

static const char *earlier_text(words *w)
{
    const alm_obs *earlier = w->f->earlier;
    char day[ALM_PERIOD_TEXT_MAX];
    (void)alm_date_format(earlier->published, day);
    alm_str source = earlier->source == ALM_SOURCE_NONE
                         ? (alm_str){0}
                         : alm_catalog_source(w->it->plan->catalog, earlier->source)->code;
    const char *value = value_text(w, &earlier->value);
    return w->lang == ALM_LANG_ZH ? PRINT(w, "%s %.*s%s发布的 %s", day, ALM_STR_ARGS(source),
                                          source.len > 0 ? " " : "", value)
                                  : PRINT(w, "%s, published on %s%s%.*s", value, day,
                                          source.len > 0 ? " by " : "", ALM_STR_ARGS(source));
}

static const char *rounding_text(words *w)
{
    const alm_finding *f = w->f;
    bool has_gap = f->judged.computed.number != alm_decimal_to_double(f->claim->value.number);
    bool is_sum = f->check == ALMANAC__V1__CHECK__CHECK_PARTS ||
                  f->check == ALMANAC__V1__CHECK__CHECK_BREAKDOWN;
    return is_sum && has_gap ? one_of(w, "；差额属于舍入", "; the gap is rounding") : "";
}

// Real growth makes the base of this year's prices, not the one that was published.
static const char *prices_text(words *w)
{
    const alm_finding *f = w->f;
    return f->is_real && f->judged.implied == ALM_IMPLIED_BASE
               ? SAY(w, "（按 %s 价格）", " at prices of %s", period_text(w, f->claim->period))
               : "";
}

// Is it what was just said to be missing, zero or negative?
static bool is_named(const alm_finding *f)
{
    return f->judged.lack == ALM_LACK_PART || f->judged.lack == ALM_LACK_WHOLE ||
           f->judged.lack == ALM_LACK_ZERO || f->judged.lack == ALM_LACK_NEGATIVE;
}

static const char *consequence(words *w)
{
    const alm_finding *f = w->f;
    if (f->judged.implied == ALM_IMPLIED_NONE || f->judged.implied == ALM_IMPLIED_RANK) {
        return ""; // a rank is told already
    }
    const char *implied =
        is_named(f) ? figure_text(w, &f->judged.figure, &f->implied_told) : implied_text(w);
    const char *is = is_named(f) ? one_of(w, "为", "it to be ") : "";
    return SAY(w, "；由此推算%s %s%s", "; the claim implies %s%s%s", is, implied, prices_text(w));
}

// Is the claim a quotient?
static bool is_pair(const alm_finding *f)
{
    return f->check == ALMANAC__V1__CHECK__CHECK_GROWTH ||
           f->check == ALMANAC__V1__CHECK__CHECK_SHARE ||
           f->check == ALMANAC__V1__CHECK__CHECK_CONTRIBUTION;
}

static const char *tail_text(words *w)
{
    const alm_finding *f = w->f;
    switch (f->judged.verdict) {
    case ALM_VERDICT_MATCH:
        return rounding_text(w);
    case ALM_VERDICT_BASE_REVISED:
        return SAY(w, "；按 %s 计算则相符", "; it matches with %s", earlier_text(w));
    case ALM_VERDICT_ACCUMULATION_MIXUP:
        return f->is_cumulative
                   ? one_of(w, "；按当期数计算则相符", "; figures of the period alone match")
                   : one_of(w, "；按年初累计数计算则相符", "; figures from the year's start match");
    case ALM_VERDICT_WRONG_COMPARISON:
        return SAY(w, "；与 %s 相比则相符", "; against %s it matches",
                   period_text(w, f->tried_period));
    case ALM_VERDICT_UNIT_SLIP:
        return is_pair(f) ? SAY(w, "；前者乘以 10^%d 后相符",
                                "; with the first times 10^%d it matches", f->judged.power)
                          : SAY(w, "；发布值乘以 10^%d 后相符", "; the claim times 10^%d matches",
                                f->judged.power);
    case ALM_VERDICT_CONSTANT_PRICE:
        return SAY(w, "；增速按可比价计算，价格变动为 %s",
                   "; growth is at constant prices, so prices changed by %s", implied_text(w));
    case ALM_VERDICT_COMPARABLE_BASE:
        return SAY(w, "；口径或基数有变%s", "; the scope or the base changed%s", consequence(w));
    default:
        return SAY(w, "，差异未能解释%s", ", which nothing known explains%s", consequence(w));
    }
}

static const char *publication_text(words *w)
{
    const char *earlier = earlier_text(w);
    switch (w->f->judged.verdict) {
    case ALM_VERDICT_MATCH:
        return SAY(w, "与 %s 一致", "agrees with %s", earlier);
    case ALM_VERDICT_UNIT_SLIP:
        return SAY(w, "乘以 10^%d 即 %s", "times 10^%d it is %s", w->f->judged.power, earlier);
    case ALM_VERDICT_COMPARABLE_BASE:
        return SAY(w, "口径有变，此前是 %s", "the scope changed; before it was %s", earlier);
    case ALM_VERDICT_REVISED:
        return SAY(w, "取代 %s，差异超出舍入", "replaces %s, by more than rounding", earlier);
    case ALM_VERDICT_NOT_JUDGED:
        return SAY(w, "单位与 %s 不可换算", "its unit does not convert to that of %s", earlier);
    default:
        return SAY(w, "与 %s 矛盾", "contradicts %s", earlier);
    }
}

// The whole's name, of a base its period alone.
static const char *other_name(words *w)
{
    const alm_cell_name *part = &w->f->part_of;
    const alm_cell_name *whole = &w->f->whole_of;
    bool is_base = part->indicator == whole->indicator && part->place == whole->place;
    return is_base ? period_text(w, whole->period) : name_text(w, whole);
}

static const char *lack_text(words *w)
{
    const alm_finding *f = w->f;
    bool is_rank = f->check == ALMANAC__V1__CHECK__CHECK_RANK;
    switch (f->judged.lack) {
    case ALM_LACK_CLAIM:
        return f->judged.computed.has
                   ? SAY(w, "发布时没有数字；%s", "no number is claimed; %s", head_text(w))
                   : one_of(w, "发布时没有数字", "no number is claimed");
    case ALM_LACK_PART:
        return SAY(w, "没有 %s 的数值", "no value of %s", name_text(w, &f->part_of));
    case ALM_LACK_WHOLE:
        return is_rank ? one_of(w, "不知道可比地区有哪些", "who the peers are is not known")
                       : SAY(w, "没有 %s 的数值", "no value of %s", name_text(w, &f->whole_of));
    case ALM_LACK_BOTH:
        return SAY(w, "没有 %s 的数值，也没有 %s 的", "no value of %s, nor of %s",
                   name_text(w, &f->part_of), other_name(w));
    case ALM_LACK_ZERO:
        return SAY(w, "%s 为零", "%s is zero", name_text(w, &f->whole_of));
    case ALM_LACK_NEGATIVE:
        return SAY(w, "%s 为负", "%s is negative", name_text(w, &f->whole_of));
    case ALM_LACK_SOME:
        return head_text(w);
    case ALM_LACK_UNITS:
        return one_of(w, "单位不可换算", "units do not convert into each other");
    default:
        return one_of(w, "已有数值过于宽泛", "what is stored says too little");
    }
}

const char *alm_finding_why(const alm_reconciliation *it, const alm_finding *finding, alm_lang lang)
{
    words w = {.it = it, .f = finding, .lang = lang};
    const char *why;
    if (finding->check == ALMANAC__V1__CHECK__CHECK_PUBLICATION) {
        why = publication_text(&w);
    } else if (finding->judged.verdict == ALM_VERDICT_NOT_JUDGED) {
        const char *lack = lack_text(&w);
        why = SAY(&w, "%s%s", "%s%s", lack, consequence(&w));
    } else {
        const char *head = head_text(&w);
        why = SAY(&w, "%s%s", "%s%s", head, tail_text(&w));
    }
    return w.is_full ? NULL : why;
}
