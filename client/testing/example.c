#include "example.h"

#include <math.h>

#define OPEN ((double)INFINITY)

#define KEY(code, when, what)                                                                      \
    .indicator = (code), .place = "310105", .period = (when), .measure = (what),                   \
    .accumulation = "P", .sequence = 7
#define ROW(code, when, what)                                                                      \
    KEY(code, when, what), .published = "2024-01-15", .source = "news-2024"
#define NUMBER(m, e, u, from, to)                                                                  \
    .mantissa = (m), .exponent = (e), .unit = (u), .has_number = true, .lower = (from),            \
    .upper = (to)

static const almanac_row published[] = {
    {ROW("gdp", "2019", "level"), NUMBER(15800, -1, "CNY_E8", 1579.95, 1580.05)},
    {ROW("gdp", "2020", "level"), NUMBER(16125, -1, "CNY_E8", 1612.45, 1612.55)},
    {ROW("gdp", "2021", "level"), NUMBER(18312, -1, "CNY_E8", 1831.15, 1831.25), .status = 'P'},
    {KEY("gdp", "2022", "level"), .unit = "CNY_E8", .status = 'O', .lower = -OPEN, .upper = OPEN,
     .reason = "no source has it"},
    {ROW("gdp", "2023", "level"), NUMBER(2000, 0, "CNY_E8", 2000, OPEN), .qualifier = 7,
     .note = "首次突破"},
    {ROW("gdp", "2023", "growth_yoy"), NUMBER(13, 0, "percent", 12, 14), .qualifier = 1},
    {ROW("gdp", "2023", "rank"), .unit = "rank", .qualifier = 9, .relation = "@310000/growth_yoy",
     .lower = -OPEN, .upper = OPEN},
    {ROW("tax", "2023", "level"), NUMBER(3788, -1, "CNY_E8", 378.75, 378.85)},
    {ROW("tax", "2023", "share_of"), NUMBER(677, -1, "percent", 67.65, 67.75),
     .relation = "tax_revenue"},
    {ROW("enterprises", "2023", "level"), NUMBER(6100, 0, "count_jia", 6100, OPEN), .qualifier = 2},
    {ROW("enterprises", "2023", "count_of_change"), NUMBER(312, 0, "count_jia", 312, 312)},
    {ROW("enterprises", "2023", "level"), NUMBER(745, 0, "count_jia", 745, 745),
     .breakdown = "industry=software"},
    {ROW("homes", "2023", "growth_yoy"), NUMBER(-31, -1, "percent", -3.15, -3.05)},
    {ROW("unknown", "2023", "level"), NUMBER(5, -1, "index", 0.45, 0.55),
     .note = "=HYPERLINK(\"http://x\")"},
};

#define NONE(why)                                                                                  \
    {                                                                                              \
        .unit = "", .reason = (why), .lower = -OPEN, .upper = OPEN                                 \
    }
#define FIGURE(m, e, u, from, to)                                                                  \
    {                                                                                              \
        .mantissa = (m), .exponent = (e), .unit = (u), .reason = "", .has_number = true,           \
        .lower = (from), .upper = (to)                                                             \
    }

static const almanac_pace homes_pace = {
    .verdict = ALMANAC_BEHIND,
    .why = "11.8% of plan with 60% of the time gone; pace 0.20",
    .until = "2023",
    .per = "A",
    .actual = FIGURE(1765, 0, "count_tao", 1765, 1765),
    .left = FIGURE(13235, 0, "count_tao", 13235, 13235),
    .time = FIGURE(6000, -2, "percent", 60, 60),
    .pace = FIGURE(20, -2, "ratio", 0.19, 0.2),
    .pace_seasonal = NONE("the horizon is not within a year"),
    .run_rate = FIGURE(661750, -2, "count_tao", 6617.5, 6617.5),
    .growth_required = NONE("the horizon is not within a year"),
    .expected = FIGURE(294167, -2, "count_tao", 2941.66, 2941.67),
};
static const almanac_pace tax_pace = {
    .verdict = ALMANAC_ON_TRACK,
    .why = "over 52.1% of plan with 50% of the time gone; seasonal pace over 0.98",
    .until = "2024-06",
    .per = "M",
    .actual = {.mantissa = 12500,
               .exponent = -1,
               .unit = "CNY_E8",
               .reason = "",
               .has_number = true,
               .lower = 1250,
               .upper = OPEN,
               .qualifier = 2},
    .left = FIGURE(11500, -1, "CNY_E8", -OPEN, 1150),
    .time = FIGURE(5000, -2, "percent", 50, 50),
    .pace = FIGURE(104, -2, "ratio", 1.04, OPEN),
    .pace_seasonal = FIGURE(98, -2, "ratio", 0.98, OPEN),
    .run_rate = FIGURE(19167, -2, "CNY_E8", -OPEN, 191.67),
    .growth_required = FIGURE(849, -2, "percent", -OPEN, 8.5),
    .expected = FIGURE(250000, -2, "CNY_E8", 2500, OPEN),
};
static const almanac_pace rate_pace = {
    .verdict = ALMANAC_MISSED,
    .why = "4.4% against 5.5% at the end of the horizon",
    .until = "2023",
    .per = "",
    .actual = FIGURE(44, -1, "percent", 4.35, 4.45),
    .left = FIGURE(11, -1, "pp", 1, 1.2),
    .time = FIGURE(10000, -2, "percent", 100, 100),
    .pace = NONE("it does not build up over time"),
    .pace_seasonal = NONE("it does not add up over time"),
    .run_rate = NONE("it does not add up over time"),
    .growth_required = NONE("a ratio changes by points"),
    .expected = NONE("it does not build up over time"),
};
#undef FIGURE
#undef NONE

static const almanac_row targets[] = {
    {ROW("homes", "2021/2025", "target"), NUMBER(15000, 0, "count_tao", 15000, 15000)},
    {ROW("homes", "2021/2025", "target_progress"), NUMBER(118, -1, "percent", 11.7, OPEN),
     .origin = ALMANAC_COMPUTED, .reason = "1,765 of 15,000 套", .of_count = 1, .of_expected = 5,
     .pace = &homes_pace},
    {ROW("tax", "2024", "target"), NUMBER(24000, -1, "CNY_E8", 2399.95, 2400.05)},
    {ROW("tax", "2024", "target_progress"), NUMBER(521, -1, "percent", 52.1, OPEN), .qualifier = 2,
     .origin = ALMANAC_COMPUTED, .reason = "1,250.0 of 2,400.0 亿元", .of_count = 1,
     .of_expected = 1, .status = 'P', .pace = &tax_pace},
    {ROW("enterprises", "2023", "target"), NUMBER(55, -1, "percent", 5.45, 5.55),
     .relation = "/growth_yoy"},
    {ROW("enterprises", "2023", "target_progress"), NUMBER(8000, -2, "percent", 78, 82),
     .relation = "/growth_yoy", .origin = ALMANAC_COMPUTED, .reason = "4.4 of 5.5%", .of_count = 1,
     .of_expected = 1, .pace = &rate_pace},
};

static const almanac_row growth[] = {
    {ROW("tax", "2023", "growth_yoy"), NUMBER(725, -2, "percent", 7.2, 7.3),
     .origin = ALMANAC_COMPUTED},
    {ROW("gdp", "2023", "growth_yoy"), NUMBER(240, -1, "percent", 23.9, OPEN),
     .origin = ALMANAC_COMPUTED},
};

static const almanac_row ranks[] = {
    {ROW("gdp", "2023", "rank"), NUMBER(1, 0, "rank", 1, 1), .origin = ALMANAC_COMPUTED,
     .of_count = 14, .of_expected = 16, .relation = "@310000"},
};

static char gdp[] = "gdp", tax[] = "tax", enterprises[] = "enterprises", homes[] = "homes";
static char gdp_zh[] = "地区生产总值", gdp_en[] = "Gross domestic product", cny[] = "CNY_E8";
static char tax_zh[] = "重点产业税收", tax_en[] = "Tax of key industries";
static char enterprises_zh[] = "数字经济企业数", enterprises_en[] = "Digital-economy enterprises";
static char homes_zh[] = "保障性租赁住房", homes_en[] = "Affordable rental homes";
static char economy[] = "economy", industry[] = "industry", housing[] = "housing";
static char shanghai[] = "310000", shanghai_zh[] = "上海市", shanghai_en[] = "Shanghai";
static char changning[] = "310105", changning_zh[] = "长宁区", changning_en[] = "Changning";
static char news[] = "news-2024", news_title[] = "新闻报道：长宁区2023年发展成绩";
static char day[] = "2024-01-15", variant[] = "A.gdp.P.level._Z._T", first[] = "2019";
static char last[] = "2023", file_name[] = "report.csv", field[] = "value";
static char reason[] = "not a number: n/a", when[] = "2024-01-16T08:00:00Z", batch[] = "b-1";
static uint8_t record[] = {'g', 'd', 'p', ',', 0xb3, 0xa4, ',', 'n', '/', 'a'};

static Almanac__V1__CatalogResponse *catalog(void)
{
    static Almanac__V1__Indicator i[4];
    static Almanac__V1__Indicator *indicators[] = {&i[0], &i[1], &i[2], &i[3]};
    static Almanac__V1__Place p[2];
    static Almanac__V1__Place *places[] = {&p[0], &p[1]};
    static Almanac__V1__Source source;
    almanac__v1__source__init(&source);
    static Almanac__V1__Source *sources[] = {&source};
    static Almanac__V1__SeriesInfo series;
    almanac__v1__series_info__init(&series);
    static Almanac__V1__SeriesInfo *all_series[] = {&series};
    static Almanac__V1__QuarantinedRow row;
    almanac__v1__quarantined_row__init(&row);
    static Almanac__V1__QuarantinedRow *quarantine[] = {&row};
    static Almanac__V1__CatalogResponse all;
    almanac__v1__catalog_response__init(&all);
    char *const names[][4] = {{gdp, gdp_zh, gdp_en, economy},
                              {tax, tax_zh, tax_en, economy},
                              {enterprises, enterprises_zh, enterprises_en, industry},
                              {homes, homes_zh, homes_en, housing}};
    for (size_t n = 0; n < ALM_ARRAY_LEN(names); n++) {
        almanac__v1__indicator__init(&i[n]);
        i[n].code = names[n][0];
        i[n].name_zh = names[n][1];
        i[n].name_en = names[n][2];
        i[n].theme = names[n][3];
        i[n].unit = cny;
        i[n].value_type = ALMANAC__V1__VALUE_TYPE__VALUE_TYPE_FLOW;
        i[n].over_places = ALMANAC__V1__AGGREGATION__AGGREGATION_SUM;
        i[n].direction = ALMANAC__V1__DIRECTION__DIRECTION_UP;
    }
    for (size_t n = 0; n < ALM_ARRAY_LEN(places); n++) {
        almanac__v1__place__init(&p[n]);
        p[n].code = n == 0 ? shanghai : changning;
        p[n].name_zh = n == 0 ? shanghai_zh : changning_zh;
        p[n].name_en = n == 0 ? shanghai_en : changning_en;
        p[n].level =
            n == 0 ? ALMANAC__V1__LEVEL__LEVEL_PROVINCE : ALMANAC__V1__LEVEL__LEVEL_DISTRICT;
    }
    source.code = news;
    source.title = news_title;
    source.published = day;
    series.variant = variant;
    series.first_period = first;
    series.last_period = last;
    series.place_count = 1;
    series.cell_count = 5;
    row.file_name = file_name;
    row.batch_id = batch;
    row.row = 3;
    row.column = 4;
    row.field = field;
    row.reason = reason;
    row.at = when;
    row.record = (ProtobufCBinaryData){sizeof record, record};
    all.indicators = indicators;
    all.n_indicators = ALM_ARRAY_LEN(indicators);
    all.places = places;
    all.n_places = ALM_ARRAY_LEN(places);
    all.sources = sources;
    all.n_sources = 1;
    all.series = all_series;
    all.n_series = 1;
    all.quarantine = quarantine;
    all.n_quarantine = 1;
    return &all;
}

// A growth of a figure that had been published before.
static const Almanac__V1__ExplainResponse *explanation(void)
{
    static Almanac__V1__ExplainStep s[4];
    static Almanac__V1__ExplainStep *steps[] = {&s[0], &s[1], &s[2], &s[3]};
    static Almanac__V1__ExplainResponse all;
    static char what[] = "gdp 310105 长宁区 2023 growth_yoy = pc1: (a / b - 1) x 100";
    static char what_zh[] = "gdp 310105 长宁区 2023 同比增长 = pc1：(a / b - 1) x 100";
    static char percent[] = "about 13%", percent_zh[] = "约 13%";
    static char input[] = "gdp 310105 长宁区 2023 level";
    static char input_zh[] = "gdp 310105 长宁区 2023 水平";
    static char value[] = "over 20,000,000 (10 thousand yuan)", value_zh[] = "突破 20,000,000 万元";
    static char converted[] = "over 2,000 (100 million yuan)", converted_zh[] = "突破 2,000 亿元";
    static char interval[] = "at least 20000000", interval_zh[] = "至少 20000000";
    static char normal[] = "normal", provisional[] = "provisional", provisional_zh[] = "初步";
    static char older[] = "older publication of the same source";
    static char older_zh[] = "同一来源较早的发布", before[] = "2024-01-02";
    static char more[] = "3 more are not listed", more_zh[] = "另有3项未列出";
    almanac__v1__explain_response__init(&all);
    for (size_t i = 0; i < ALM_ARRAY_LEN(s); i++) {
        almanac__v1__explain_step__init(&s[i]);
        s[i].depth = (uint32_t)i;
        s[i].status = normal;
    }
    s[0].kind = ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_COMPUTED;
    s[0].what = what;
    s[0].what_zh = what_zh;
    s[0].value = percent;
    s[0].value_zh = percent_zh;
    s[1].kind = ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_OBSERVATION;
    s[1].what = input;
    s[1].what_zh = input_zh;
    s[1].value = value;
    s[1].value_zh = value_zh;
    s[1].converted = converted;
    s[1].converted_zh = converted_zh;
    s[1].interval = interval;
    s[1].interval_zh = interval_zh;
    s[1].source = news_title;
    s[1].published = day;
    s[2] = s[1];
    s[2].depth = 2;
    s[2].kind = ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_VINTAGE;
    s[2].loss = ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_OLDER;
    s[2].what = older;
    s[2].what_zh = older_zh;
    s[2].status = provisional;
    s[2].status_zh = provisional_zh;
    s[2].published = before;
    s[2].converted = s[2].converted_zh = s[0].source;
    s[3].depth = 1;
    s[3].kind = ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_REMARK;
    s[3].what = more;
    s[3].what_zh = more_zh;
    s[3].status = s[0].source;
    all.steps = steps;
    all.n_steps = ALM_ARRAY_LEN(steps);
    return &all;
}

static Almanac__V1__FindingFigure *finding_figure(int64_t mantissa, int32_t exponent, char *unit,
                                                  double lower, double upper)
{
    static Almanac__V1__FindingFigure figures[8];
    static Almanac__V1__Decimal numbers[ALM_ARRAY_LEN(figures)];
    static size_t count;
    size_t i = count++ % ALM_ARRAY_LEN(figures);
    almanac__v1__finding_figure__init(&figures[i]);
    almanac__v1__decimal__init(&numbers[i]);
    numbers[i].mantissa = mantissa;
    numbers[i].exponent = exponent;
    figures[i].number = &numbers[i];
    figures[i].unit = unit;
    figures[i].has_number = true;
    figures[i].lower = lower;
    figures[i].upper = upper;
    return &figures[i];
}

// A growth whose base is implied, one whose base changed, a rank without a number.
static const Almanac__V1__ReconcileResponse *findings(void)
{
    static Almanac__V1__Finding f[3];
    static Almanac__V1__Finding *list[] = {&f[0], &f[1], &f[2]};
    static Almanac__V1__ReconcileResponse all;
    static char place[] = "310105", y2022[] = "2022", y2023[] = "2023", y2024[] = "2024";
    static char growth_yoy[] = "growth_yoy", rank[] = "rank", level[] = "level", p[] = "P";
    static char percent[] = "percent", relation[] = "@310000/growth_yoy";
    static char why[] = "no value of it in 2022", why_zh[] = "没有 2022 年的数值";
    static char base[] = "the scope changed", base_zh[] = "口径有变";
    static char none[] = "no number is claimed", none_zh[] = "发布时没有数字";
    almanac__v1__reconcile_response__init(&all);
    almanac__v1__finding__init(&f[0]);
    f[0].indicator = gdp;
    f[0].place = place;
    f[0].period = y2023;
    f[0].measure = growth_yoy;
    f[0].accumulation = p;
    f[0].source = news;
    f[0].published = day;
    f[1] = f[2] = f[0];
    f[0].claimed = finding_figure(13, 0, percent, 12, 14);
    f[0].claimed->qualifier = 1;
    f[0].check = ALMANAC__V1__CHECK__CHECK_GROWTH;
    f[0].verdict = ALMANAC__V1__VERDICT__VERDICT_NOT_JUDGED;
    f[0].implied = ALMANAC__V1__IMPLIED__IMPLIED_BASE;
    f[0].figure = finding_figure(1754, 0, cny, 1754.3859649122805, OPEN);
    f[0].figure->qualifier = 2;
    f[0].implied_indicator = gdp;
    f[0].implied_place = place;
    f[0].implied_period = y2022;
    f[0].implied_measure = level;
    f[0].why_en = why;
    f[0].why_zh = why_zh;
    f[1].measure = rank;
    f[1].relation = relation;
    f[1].claimed = finding_figure(0, 0, rank, -OPEN, OPEN);
    f[1].claimed->has_number = false;
    f[1].claimed->qualifier = 9;
    f[1].check = ALMANAC__V1__CHECK__CHECK_RANK;
    f[1].verdict = ALMANAC__V1__VERDICT__VERDICT_NOT_JUDGED;
    f[1].why_en = none;
    f[1].why_zh = none_zh;
    f[2].indicator = tax;
    f[2].period = y2024;
    f[2].claimed = finding_figure(725, -2, percent, 7.245, 7.255);
    f[2].check = ALMANAC__V1__CHECK__CHECK_GROWTH;
    f[2].verdict = ALMANAC__V1__VERDICT__VERDICT_COMPARABLE_BASE;
    f[2].computed = finding_figure(167, -1, percent, 16.53846153846152, 16.856562922868747);
    f[2].tolerance = 0.164;
    f[2].implied = ALMANAC__V1__IMPLIED__IMPLIED_BASE;
    f[2].figure = finding_figure(40259, -2, cny, 402.5686448184234, 402.6155065504219);
    f[2].implied_indicator = tax;
    f[2].implied_place = place;
    f[2].implied_period = y2023;
    f[2].implied_measure = level;
    f[2].why_en = base;
    f[2].why_zh = base_zh;
    all.findings = list;
    all.n_findings = ALM_ARRAY_LEN(f);
    return &all;
}

static const Almanac__V1__StatusResponse *status(void)
{
    static Almanac__V1__ServiceStatus s[2];
    static Almanac__V1__ServiceStatus *services[] = {&s[0], &s[1]};
    static Almanac__V1__StatusResponse all;
    almanac__v1__status_response__init(&all);
    static char version[] = "0.1.0", storage[] = "storage", aggregation[] = "aggregation";
    static char here[] = "tcp://10.0.0.2:7101", there[] = "tcp://10.0.0.3:7103";
    static char serving[] = "serving", unreachable[] = "unreachable";
    almanac__v1__service_status__init(&s[0]);
    s[1] = s[0];
    s[0].name = storage;
    s[0].endpoint = here;
    s[0].state = serving;
    s[0].calls = 1234;
    s[1].name = aggregation;
    s[1].endpoint = there;
    s[1].state = unreachable;
    s[1].failures = 3;
    all.version = version;
    all.services = services;
    all.n_services = 2;
    all.has_store = true;
    all.sequence = 42;
    all.observations = 12345678;
    all.cells = 9999;
    all.indicators = 58;
    all.places = 665000;
    all.sources = 3;
    all.series_variants = 74;
    all.quarantined = 1;
    all.bytes_used = 4096000;
    all.bytes_max = 1073741824;
    static Almanac__V1__StorePart log_part, slices_part, strange_part;
    static Almanac__V1__StorePart *parts[] = {&log_part, &slices_part, &strange_part};
    static char log_name[] = "log", slices_name[] = "slices", strange_name[] = "of the future";
    for (size_t i = 0; i < ALM_ARRAY_LEN(parts); i++) {
        almanac__v1__store_part__init(parts[i]);
        parts[i]->bytes = 1000000 * (i + 1);
    }
    log_part.name = log_name;
    slices_part.name = slices_name;
    strange_part.name = strange_name;
    all.store_parts = parts;
    all.n_store_parts = ALM_ARRAY_LEN(parts);
    all.parts_waiting = 2;
    all.queued = 1;
    all.oldest_snapshot_ms = 1500;
    return &all;
}

static const Almanac__V1__VerifyResponse *verification(void)
{
    static Almanac__V1__VerifyResponse all;
    almanac__v1__verify_response__init(&all);
    static char problem[] = "slice A.gdp.P.level._Z._T 2023: checksum does not match";
    static char *problems[] = {problem};
    all.problems = problems;
    all.n_problems = 1;
    all.problems_not_listed = 2;
    all.log_records = 64;
    all.observations = 64;
    return &all;
}

void example_fill(fake_gateway *gateway)
{
    static Almanac__V1__WatchResponse change;
    almanac__v1__watch_response__init(&change);
    static const Almanac__V1__WatchResponse *const changes[] = {&change};
    static char *variants[] = {variant};
    change.sequence = 42;
    change.at = when;
    change.batch_id = batch;
    change.added = 2;
    change.variants = variants;
    change.n_variants = 1;
    change.rows_not_listed = 3;
    gateway->rows[FAKE_PUBLISHED] = published;
    gateway->row_counts[FAKE_PUBLISHED] = ALM_ARRAY_LEN(published);
    gateway->rows[FAKE_TARGET] = targets;
    gateway->row_counts[FAKE_TARGET] = ALM_ARRAY_LEN(targets);
    gateway->rows[FAKE_GROWTH] = growth;
    gateway->row_counts[FAKE_GROWTH] = ALM_ARRAY_LEN(growth);
    gateway->rows[FAKE_RANK] = ranks;
    gateway->row_counts[FAKE_RANK] = ALM_ARRAY_LEN(ranks);
    gateway->catalog = catalog();
    gateway->explanation = explanation();
    gateway->findings = findings();
    gateway->status = status();
    gateway->verification = verification();
    gateway->changes = changes;
    gateway->change_count = 1;
    gateway->change_rows = published;
    gateway->change_row_count = 2;
}
