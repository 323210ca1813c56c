#include "random_world.h"

#include <stdio.h>

typedef struct kind {
    const char *code, *unit;
    const char *units[3]; // it is published in
    alm_value_type type;
    alm_aggregation over_places, over_time;
    alm_direction direction;
    bool is_cumulative; // also published from the year's start
} kind;

static const kind kinds[] = {
    {"flow",
     "CNY_E8",
     {"CNY_E8", "CNY_E4", "CNY_E8"},
     ALM_VALUE_TYPE_FLOW,
     ALM_AGGREGATION_SUM,
     ALM_AGGREGATION_SUM,
     ALM_DIRECTION_UP,
     true},
    {"stock",
     "persons_E4",
     {"persons_E4", "persons", "persons"},
     ALM_VALUE_TYPE_STOCK,
     ALM_AGGREGATION_SUM,
     ALM_AGGREGATION_NONE,
     ALM_DIRECTION_NEUTRAL,
     false},
    {"count",
     "count_jia",
     {"count_jia", "count_jia", "count_jia_E4"},
     ALM_VALUE_TYPE_COUNT,
     ALM_AGGREGATION_SUM,
     ALM_AGGREGATION_SUM,
     ALM_DIRECTION_UP,
     false},
    {"price",
     "index",
     {"index", "index", "index"},
     ALM_VALUE_TYPE_INDEX,
     ALM_AGGREGATION_MAX,
     ALM_AGGREGATION_AVERAGE,
     ALM_DIRECTION_DOWN,
     false},
    {"peak",
     "CNY",
     {"CNY", "CNY", "CNY"},
     ALM_VALUE_TYPE_STOCK,
     ALM_AGGREGATION_MIN,
     ALM_AGGREGATION_MAX,
     ALM_DIRECTION_UP,
     false},
    {"rate",
     "percent",
     {"percent", "percent", "ratio"},
     ALM_VALUE_TYPE_RATE,
     ALM_AGGREGATION_REFUSE,
     ALM_AGGREGATION_REFUSE,
     ALM_DIRECTION_UP,
     false},
};
static void add_places(world *w, world_random *random)
{
    static const char *const ends[] = {"", "", "", "", "2022-06-30", "2021-12-31"};
    static const char *const starts[] = {"", "", "", "", "2021-01-01"};
    char codes[4][48]; /* three ints at their longest */
    world_place(w, "CN", ALM_LEVEL_COUNTRY, "", "country", "", "");
    for (int p = 0; p < 2; p++) {
        snprintf(codes[0], sizeof codes[0], "P%d", p);
        world_place(w, codes[0], ALM_LEVEL_PROVINCE, "CN", "province", "", "");
        for (int d = 0; d < 3; d++) {
            snprintf(codes[1], sizeof codes[1], "P%dD%d", p, d);
            world_place(w, codes[1], ALM_LEVEL_DISTRICT, codes[0], "district",
                        starts[world_random_below(random, ALM_ARRAY_LEN(starts))],
                        ends[world_random_below(random, ALM_ARRAY_LEN(ends))]);
            for (int t = 0; t < 2; t++) {
                snprintf(codes[2], sizeof codes[2], "P%dD%dT%d", p, d, t);
                world_place(w, codes[2], ALM_LEVEL_TOWN, codes[1], "town", "", "");
            }
        }
        snprintf(codes[3], sizeof codes[3], "L%d", p);
        world_place(w, codes[3], ALM_LEVEL_LOCAL, codes[0], "park", "", "");
    }
}

static void add_indicators(world *w)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(kinds); i++) {
        const kind *k = &kinds[i];
        alm_indicator indicator = {
            .value_type = k->type,
            .over_places = k->over_places,
            .over_time = k->over_time,
            .direction = k->direction,
            .definition = ALM_STR("growth is at constant prices"),
        };
        world_add_indicator(w, indicator, k->code, k->unit);
    }
    world_finish(w);
}

static const char *pick(world_random *random, const char *const *words, size_t count)
{
    return words[world_random_below(random, count)];
}

// Mostly of a size that levels can be chained by.
static void add_growth(world_random *random, char *out, size_t size)
{
    int64_t limit = world_random_below(random, 30) == 0 ? 3000 : 300;
    int64_t tenths = (int64_t)world_random_below(random, (uint64_t)limit * 2) - limit;
    snprintf(out, size, "%s%lld.%lld", tenths < 0 ? "-" : "", llabs(tenths) / 10,
             llabs(tenths) % 10);
}

static void add_number(world_random *random, const kind *k, char *out, size_t size)
{
    int decimals = (int)world_random_below(random, 3);
    bool is_counted = strcmp(k->code, "count") == 0 || strcmp(k->code, "stock") == 0;
    int64_t n = 1 + (int64_t)world_random_below(random, 50000);
    if (world_random_below(random, 25) == 0) {
        n = world_random_below(random, 2) == 0 ? 0 : -n;
    }
    if (is_counted || decimals == 0) {
        snprintf(out, size, "%lld", (long long)n);
    } else {
        int64_t scale = decimals == 1 ? 10 : 100;
        int64_t size_of = n < 0 ? -n : n;
        snprintf(out, size, "%s%lld.%0*lld", n < 0 ? "-" : "", (long long)(size_of / scale),
                 decimals, (long long)(size_of % scale));
    }
}

// vintage: 0 to 2, each with days of its own, so that no two are of one date.
static void add_vintage(world *w, world_random *random, const kind *k, const char *place,
                        const char *period, const char *measure, const char *unit, const char *tail,
                        int vintage)
{
    static const char *const statuses[] = {"A", "A", "A", "P", "E", "B", "F"};
    static const char *const missing[] = {"Q", "M", "L", "O"};
    static const char *const qualifiers[] = {"exact",     "exact",  "exact",  "exact",
                                             "exact",     "about",  "nearly", "more_than",
                                             "less_than", "at_most"};
    char line[256];
    char number[64];
    int day = 1 + vintage * 9 + (int)world_random_below(random, 9);
    int month = 1 + (int)world_random_below(random, 12);
    uint64_t what = world_random_below(random, 30);
    if (strcmp(measure, "growth_yoy") == 0 && world_random_below(random, 4) > 0) {
        add_growth(random, number, sizeof number);
    } else {
        add_number(random, k, number, sizeof number);
    }
    bool is_missing = what == 0;
    bool is_withdrawn = what == 1;
    snprintf(line, sizeof line, "%s %s %s %s %s %s s=%s q=%s pub=2024-%02d-%02d%s", k->code, place,
             period, measure, is_missing || is_withdrawn ? "-" : number, unit,
             is_withdrawn ? "W"
             : is_missing ? pick(random, missing, ALM_ARRAY_LEN(missing))
                          : pick(random, statuses, ALM_ARRAY_LEN(statuses)),
             is_missing || is_withdrawn ? "exact"
                                        : pick(random, qualifiers, ALM_ARRAY_LEN(qualifiers)),
             month, day, tail);
    world_add(w, line);
    const world_row *added = &w->rows[w->count - 1];
    for (size_t i = 0; i + 1 < w->count; i++) {
        if (world_same_cell(&w->rows[i], added) &&
            w->rows[i].obs.published == added->obs.published) {
            w->count--; // a store would refuse it
            return;
        }
    }
}

static void add_row(world *w, world_random *random, const kind *k, const char *place,
                    const char *period, const char *measure, const char *unit, const char *tail)
{
    int vintages = world_random_below(random, 8) == 0 ? 1 + (int)world_random_below(random, 3) : 1;
    for (int i = 0; i < vintages; i++) {
        add_vintage(w, random, k, place, period, measure, unit, tail, i);
    }
}

// The periods of a frequency that worlds have: enough for every transform to look back.
static size_t periods_of(alm_freq freq, char labels[][ALM_PERIOD_TEXT_MAX])
{
    static const int firsts[] = {[ALM_FREQ_ANNUAL] = 2018,
                                 [ALM_FREQ_SEMESTER] = 2020,
                                 [ALM_FREQ_QUARTER] = 2021,
                                 [ALM_FREQ_MONTH] = 2022,
                                 [ALM_FREQ_WEEK] = 2020};
    static const int lasts[] = {[ALM_FREQ_ANNUAL] = 2023,
                                [ALM_FREQ_SEMESTER] = 2022,
                                [ALM_FREQ_QUARTER] = 2023,
                                [ALM_FREQ_MONTH] = 2023,
                                [ALM_FREQ_WEEK] = 2021};
    alm_period at;
    size_t count = 0;
    assert_int_equal(alm_period_of_date(alm_date_from_ymd(firsts[freq], 1, 7), freq, &at, NULL),
                     ALM_OK);
    while (alm_period_year(at) <= lasts[freq]) {
        (void)alm_period_format(at, labels[count++]);
        assert_int_equal(alm_period_add(at, 1, &at, NULL), ALM_OK);
    }
    return count;
}

// Growth beside the levels, as an office publishes it.
static void add_cell(world *w, world_random *random, const kind *k, const char *place,
                     const char *period, bool is_growth, const char *tail)
{
    const char *measure = is_growth ? "growth_yoy" : "level";
    add_row(w, random, k, place, period, measure, is_growth ? "percent" : pick(random, k->units, 3),
            tail);
}

static void add_series(world *w, world_random *random, const kind *k, const char *place,
                       alm_freq freq)
{
    static char labels[128][ALM_PERIOD_TEXT_MAX];
    bool is_cumulative =
        k->is_cumulative && freq != ALM_FREQ_ANNUAL && world_random_below(random, 2) == 0;
    bool is_both = world_random_below(random, 4) == 0;
    bool is_broken_down = world_random_below(random, 5) == 0;
    bool is_growth = world_random_below(random, 6) == 0;
    bool is_chained = world_random_below(random, 3) == 0;
    uint64_t gap = 4 + world_random_below(random, 30);
    size_t count = periods_of(freq, labels);
    for (size_t i = 0; i < count; i++) {
        const char *alone = is_broken_down ? " by=sex=f" : "";
        for (int of_growth = 0; of_growth < 2; of_growth++) {
            if ((of_growth != is_growth && !is_chained) || world_random_below(random, gap) == 0) {
                continue;
            }
            if (!is_cumulative || is_both) {
                add_cell(w, random, k, place, labels[i], of_growth, alone);
            }
            if (is_cumulative) {
                add_cell(w, random, k, place, labels[i], of_growth, " acc=C");
            }
        }
    }
}

void random_world(world *w, world_random *random)
{
    static const alm_freq freqs[] = {ALM_FREQ_ANNUAL, ALM_FREQ_ANNUAL,   ALM_FREQ_QUARTER,
                                     ALM_FREQ_MONTH,  ALM_FREQ_SEMESTER, ALM_FREQ_WEEK};
    world_init(w);
    add_places(w, random);
    add_indicators(w);
    const alm_place_tree *tree = alm_catalog_places(w->catalog);
    size_t series = 4 + world_random_below(random, 14);
    const kind *k = &kinds[world_random_below(random, ALM_ARRAY_LEN(kinds))];
    alm_freq freq = freqs[world_random_below(random, ALM_ARRAY_LEN(freqs))];
    for (size_t i = 0; i < series; i++) {
        alm_place_id place = (alm_place_id)world_random_below(random, alm_place_tree_count(tree));
        char code[ALM_CODE_BYTES_MAX + 1];
        if (world_random_below(random, 4) == 0) {
            k = &kinds[world_random_below(random, ALM_ARRAY_LEN(kinds))];
        }
        if (world_random_below(random, 4) == 0) {
            freq = freqs[world_random_below(random, ALM_ARRAY_LEN(freqs))];
        }
        snprintf(code, sizeof code, "%.*s", ALM_STR_ARGS(alm_place_tree_get(tree, place)->code));
        add_series(w, random, k, code, freq);
    }
}

// --- questions ----------------------------------------------------------------------------------

static void put_transform(world_random *random, char *out, size_t size)
{
    static const char *const words[] = {
        "rollup",
        "to:A",
        "to:Q",
        "to:M",
        "to:S",
        "to:A/avg",
        "to:Q/eop",
        "to:A/max",
        "to:S/min",
        "to:Q/sum",
        "to:P",
        "to:C",
        "constant:2022",
        "constant:2020",
        "constant:2023",
        "deflator:2022",
        "deflator:2020",
        "share",
        "lin",
        "chg",
        "ch1",
        "pch",
        "pc1",
        "pca",
        "cch",
        "cca",
        "log",
        "chy",
        "pcy",
        "cagr:1",
        "cagr:2",
        "cagr:3",
        "index:2022",
        "index:2021",
        "index:2022-Q1",
        "index:2022-06",
        "ma:1",
        "ma:2",
        "ma:3",
        "ma:4",
        "rank",
        "rank",
        "rollup",
        "percentile",
        "rank:CN/**@district",
        "share:flow",
        "share:peak",
        "contribution_pp",
        "contribution_share",
        "contribution_pp:peak@CN",
        "contribution_share:flow",
        "share:@P0",
        "share:flow@CN",
        "share:stock",
        "percentile:CN/**@town,P0",
        "rank:P0D0,P0D1,P1D2,P1D1T0",
    };
    snprintf(out, size, " x=%s", pick(random, words, ALM_ARRAY_LEN(words)));
}

void random_question(const world *w, world_random *random, char *out, size_t size)
{
    static const char *const places[] = {
        "CN",        "P0",         "P0/*", "CN/**@district", "P1/**", "P0D1~",
        "P0D0,P1D2", "CN/**@town", "L0",   "P0/*@district",  "CN/**"};
    static const char *const periods[] = {
        "2022",
        "2020..2023",
        "2023-Q1",
        "2022-Q1..2023-Q4",
        "2022-05",
        "2022-01..2023-12",
        "latest",
        "last:2",
        "last:5",
        "all",
        "2021..",
        "..2022",
        "2022-S1..2022-S2",
        "2020-W50..2021-W04",
        "2019,2022-Q2",
        "2023",
        "2022..2023",
    };
    static const char *const formulas[] = {
        "flow/stock",
        "flow~-~flow@parent",
        "flow/flow@parent",
        "1~-~flow/flow@P0",
        "2*flow~-~flow@CN",
        "-~stock",
        "stock/stock@parent",
        "flow~+~peak",
        "peak~-~flow",
        "peak/flow",
        "peak/stock",
        "flow*rate",
        "rate*flow",
        "flow/price",
        "count/stock",
        "price~-~9",
        "1/rate",
        "rate~-~rate@parent",
        "1~-~rate",
        "rate/rate@CN",
        "pc1(flow)~-~pc1(flow@parent)",
        "(1+pc1(flow))/(1+flow.growth_yoy)~-~1",
        "flow/ma(flow,2)",
        "ma(stock~-~stock@parent,3)",
        "flow/ma(stock,2)",
        "(flow~-~flow@parent)/(flow~+~flow@parent)",
        "flow~-~2*(flow~-~3*flow@parent)",
        "count*count/count@P0",
        "stock*rate/flow",
        "constant(flow,2021)/stock",
        "constant(flow,2023)~-~constant(flow@parent,2023)",
        "flow/deflator(flow,2022)",
        "deflator(stock,2020)/deflator(stock@parent,2020)",
        "constant(peak@P0,2021)/peak",
    };
    static const char *const groups[] = {" group=district", " group=province", ""};
    char transform[64];
    (void)w;
    bool is_formula = world_random_below(random, 4) == 0;
    size_t at = (size_t)snprintf(
        out, size, "i=%s p=%s t=%s",
        is_formula ? pick(random, formulas, ALM_ARRAY_LEN(formulas))
                   : kinds[world_random_below(random, ALM_ARRAY_LEN(kinds))].code,
        pick(random, places, ALM_ARRAY_LEN(places)), pick(random, periods, ALM_ARRAY_LEN(periods)));
    size_t count = 1 + world_random_below(random, 2) + (world_random_below(random, 8) == 0);
    count -= is_formula && world_random_below(random, 2) == 0;
    for (size_t i = 0; i < count; i++) {
        put_transform(random, transform, sizeof transform);
        at += (size_t)snprintf(out + at, size - at, "%s", transform);
    }
    if (strstr(out, "x=rollup") != NULL) {
        at += (size_t)snprintf(out + at, size - at, "%s%s", pick(random, groups, 3),
                               world_random_below(random, 2) == 0 ? " incomplete=1" : "");
    }
    static const char *const more[] = {"",
                                       "",
                                       "",
                                       " m=growth_yoy",
                                       " acc=C",
                                       " acc=P",
                                       " freq=Q",
                                       " freq=M",
                                       " freq=A",
                                       " by=*",
                                       " by=sex=f",
                                       " as_of=2024-06-15",
                                       " as_of=2024-03-01",
                                       " today=2024-07-10",
                                       "",
                                       ""};
    snprintf(out + at, size - at, "%s%s", pick(random, more, ALM_ARRAY_LEN(more)),
             world_random_below(random, 4) == 0 ? " as_of=2024-08-20" : "");
}
