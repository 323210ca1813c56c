// What was published, held against what is stored: do they agree within their rounding, and if not,
// what would explain it. Arithmetic alone; who asks gathers the figures.
//
// Figures of one judgement are in one unit, growth and shares in percent.
#ifndef ALM_RECONCILE_H
#define ALM_RECONCILE_H

#include "alm/catalog.h"

// In the order they are tried in; the first that holds. Numbers are sent on the wire: never reuse
// one. X(NAME, number, code, zh, en)
#define ALM_VERDICT_MAP(X)                                                                         \
    X(MATCH, 1, "match", "相符", "match")                                                          \
    X(BASE_REVISED, 2, "base_revised", "基数已修订", "base revised")                               \
    X(ACCUMULATION_MIXUP, 3, "accumulation_mixup", "当期累计混淆", "accumulation mix-up")          \
    X(WRONG_COMPARISON, 4, "wrong_comparison", "对比期不同", "wrong comparison")                   \
    X(UNIT_SLIP, 5, "unit_slip", "单位错位", "unit slip")                                          \
    X(CONSTANT_PRICE, 6, "constant_price", "可比价增长", "constant price")                         \
    X(COMPARABLE_BASE, 7, "comparable_base", "可比口径", "comparable base")                        \
    X(REVISED, 8, "revised", "已修订", "revised")                                                  \
    X(UNEXPLAINED, 9, "unexplained", "未能解释", "unexplained")                                    \
    X(NOT_JUDGED, 10, "not_judged", "未判定", "not judged")

typedef enum alm_verdict {
    ALM_VERDICT_NONE = 0,
#define ALM_VERDICT_ENUM(name, number, code, zh, en) ALM_VERDICT_##name = number,
    ALM_VERDICT_MAP(ALM_VERDICT_ENUM)
#undef ALM_VERDICT_ENUM
} alm_verdict;
const char *alm_verdict_code(alm_verdict verdict); // "?" for a number that is none of ours
const char *alm_verdict_label(alm_verdict verdict, alm_lang lang);

// What a claim says of another figure. Sent on the wire.
typedef enum alm_implied {
    ALM_IMPLIED_NONE = 0,
    ALM_IMPLIED_BASE = 1,     // what it is compared with
    ALM_IMPLIED_LEVEL = 2,    // the value itself
    ALM_IMPLIED_WHOLE = 3,    // of a share
    ALM_IMPLIED_PART = 4,     // of a share
    ALM_IMPLIED_DEFLATOR = 5, // change of prices, percent
    ALM_IMPLIED_REMAINDER = 6,
    ALM_IMPLIED_RANK = 7,
} alm_implied;

// Why a claim is not judged.
typedef enum alm_lack {
    ALM_LACK_NONE,
    ALM_LACK_CLAIM,    // it has no number
    ALM_LACK_PART,     // of growth: the value itself
    ALM_LACK_WHOLE,    // of growth: its base
    ALM_LACK_BOTH,     // neither
    ALM_LACK_ZERO,     // the whole is zero
    ALM_LACK_NEGATIVE, // the whole is less
    ALM_LACK_VAGUE,    // by what is stored it may be anything
    ALM_LACK_SOME,     // some parts, or some peers, have no value
    ALM_LACK_UNITS,    // units do not convert; nobody but who gathers can know
} alm_lack;

// A number and the interval it stands for.
typedef struct alm_figure {
    bool has; // false: missing
    double number;
    alm_interval interval;
} alm_figure;

// The value times factor (> 0), which brings it to another unit; without a number: missing.
alm_figure alm_figure_of(const alm_value *value, double factor);
// Missing if either is; a / b also where b may be zero.
alm_figure alm_figure_add(alm_figure a, alm_figure b);
alm_figure alm_figure_sub(alm_figure a, alm_figure b);
alm_figure alm_figure_div(alm_figure a, alm_figure b);
// How a computed figure is told.
typedef struct alm_telling {
    alm_unit unit;
    int finest;     // the exponent it is told to at most; of a sum, always
    bool is_sum;    // what was added is exact to its last digit; ranks too
    bool all_exact; // no input has a qualifier
} alm_telling;
// As a value with the digits it deserves; of an interval that is open to one side its other end,
// "over" or "under". False: missing, or too large.
ALM_MUST_USE bool alm_figure_value(const alm_figure *figure, const alm_telling *how,
                                   alm_value *ret);

typedef struct alm_judgement {
    alm_verdict verdict;
    alm_lack lack;       // of NOT_JUDGED
    alm_figure computed; // what the claim should be
    double tolerance;    // of the claim less that; infinite where an interval is open
    size_t tried;        // the index of the try that matched, where one did
    int power;           // UNIT_SLIP: it matches times 10^power
    alm_implied implied;
    alm_figure figure; // missing: there is none
} alm_judgement;

// What else the claim may have been made of.
typedef struct alm_ratio_try {
    alm_verdict verdict;
    alm_figure part, whole;
} alm_ratio_try;

// A claim g that part / whole x 100 - offset is: of growth part is the value and whole its base.
//
// With half-widths h of the claim and e of part and whole it matches if |g' - g| <= t,
//   t = h + 100 x (e_part + |part / whole| x e_whole) / |whole|,
// or, where an interval is open, if the intervals touch. Tries follow in their order, those that
// are no BASE_REVISED only where nothing is open; then powers of ten on the part (+-1 .. +-4, +-8);
// then what is said of the claim.
typedef struct alm_ratio_claim {
    alm_figure claimed; // percent
    double offset;      // 100: growth; 0: a share
    alm_figure part, whole;
    const alm_ratio_try *tries;
    size_t try_count;
    bool is_real;       // growth at constant prices
    bool is_comparable; // the scope changed, or the base is comparable to it
} alm_ratio_claim;
alm_judgement alm_judge_ratio(const alm_ratio_claim *claim);

// A claim that should be `computed`: a total its parts' sum, a change a difference, a publication
// the one before it. It matches if |claimed - computed| <= both half-widths; where an interval is
// open, if they touch.
typedef struct alm_sum_claim {
    alm_figure claimed, computed;
    bool is_comparable;
    alm_verdict otherwise; // where nothing explains it
} alm_sum_claim;
alm_judgement alm_judge_sum(const alm_sum_claim *claim);

// A rank among peers. has_own: the ranked place has a value; without one, nothing else counts.
typedef struct alm_rank_claim {
    alm_figure claimed;
    bool has_own;
    uint32_t better;  // peers by their numbers
    uint32_t surely;  // those better whatever the intervals allow
    uint32_t perhaps; // others that may be
    uint32_t missing; // peers without a value
} alm_rank_claim;
alm_judgement alm_judge_rank(const alm_rank_claim *claim);

// Does a definition or note say that growth is real (不变价, 可比价, constant prices); that the base
// is comparable or the scope changed (可比口径, 同口径, 口径调整, like for like)?
bool alm_text_says_real(alm_str text);
bool alm_text_says_comparable(alm_str text);
// Does its definition or a name say that its growth is real?
bool alm_indicator_grows_real(const alm_indicator *indicator);

#endif
