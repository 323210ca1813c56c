// What is found of the example district: which figures agree, which were revised, and what they say
// of figures nobody published: last year's, the district's total tax, the business district's.
#include "test_reconcile.h"

static void init_changning(world *w)
{
    static const char *const amounts[] = {"gdp", "general_public_budget_revenue", "tax_revenue",
                                          "key33_comprehensive_tax"};
    world_init(w);
    world_place(w, "310000", ALM_LEVEL_PROVINCE, "", "上海市", "", "");
    world_place(w, "310105", ALM_LEVEL_DISTRICT, "310000", "长宁区", "", "");
    world_place(w, "310106", ALM_LEVEL_DISTRICT, "310000", "静安区", "", "");
    world_place(w, "L310000001", ALM_LEVEL_LOCAL, "310000", "虹桥国际中央商务区", "", "");
    world_place(w, "L310105002", ALM_LEVEL_LOCAL, "310105", "商务区长宁片区", "", "");
    for (size_t i = 0; i < ALM_ARRAY_LEN(amounts); i++) {
        world_indicator(w, amounts[i], "CNY_E8", ALM_VALUE_TYPE_FLOW, ALM_AGGREGATION_SUM,
                        ALM_AGGREGATION_SUM, ALM_DIRECTION_UP, "", "");
    }
    world_source(w, "news-2024", 0);
    world_source(w, "report-2024", 0);
    world_source(w, "report-2025", 0);
    world_finish(w);
}

// Rows of examples/changning/observations-2023.csv and observations-later.csv.
#define NEWS   " pub=2024-01-15 src=news-2024"
#define REPORT " pub=2024-03-01 src=report-2024"
#define NEXT   " pub=2025-01-15 src=report-2025"
#define KEY    "key33_comprehensive_tax 310105 "
#define BUDGET "general_public_budget_revenue 310105 "
#define CBD    "tax_revenue L310105002 "

static const world_example examples[] = {
    {"gross domestic product",
     {"gdp 310105 2023 level 2000 CNY_E8 q=passed_threshold" NEWS,
      "gdp 310105 2023 growth_yoy 13 percent q=about" NEWS,
      "gdp 310105 2023 rank.@310000/growth_yoy - rank q=leading" NEWS,
      "gdp 310105 2023 level 2286.2 CNY_E8" REPORT,
      "gdp 310105 2023 growth_yoy 12.8 percent" REPORT},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 level 2286.2: match over 2000~inf\n"
     "2023 gdp 310105 growth_yoy about 13: not_judged -> over 1754 [1754.4, inf] CNY_E8 2022 gdp "
     "310105 level\n"
     "2023 gdp 310105 growth_yoy 12.8: not_judged -> 2026.8 [2025.8, 2027.7] CNY_E8 2022 gdp "
     "310105 level\n"
     "2023 gdp 310105 growth_yoy 12.8: match about 13~1.05\n"
     "2023 gdp 310105 rank.@310000/growth_yoy leading -: not_judged\n"},
    {"key industries",
     {KEY "2023 level 378.8 CNY_E8" NEWS, KEY "2023 growth_yoy 40.8 percent" NEWS,
      KEY "2023 share_of.tax_revenue@310105 67.7 percent" NEWS, KEY "2023 level 370 CNY_E8" REPORT,
      KEY "2023 growth_yoy 40 percent" REPORT,
      KEY "2023 share_of.tax_revenue@310105 67 percent" REPORT,
      KEY "2023 pp_change.tax_revenue@310105/share_of 9 pp" REPORT},
     "i=key33_comprehensive_tax p=310105 t=2023",
     "2023 key33_comprehensive_tax 310105 level 370: revised 378.8~0.55\n"
     "2023 key33_comprehensive_tax 310105 growth_yoy 40.8: not_judged -> 269.0 [268.9, 269.17] "
     "CNY_E8 2022 key33_comprehensive_tax 310105 level\n"
     "2023 key33_comprehensive_tax 310105 growth_yoy 40: not_judged -> 264 [262.99, 265.59] CNY_E8 "
     "2022 key33_comprehensive_tax 310105 level\n"
     "2023 key33_comprehensive_tax 310105 growth_yoy 40: revised 40.8~0.55\n"
     "2023 key33_comprehensive_tax 310105 pp_change.tax_revenue@310105/share_of 9: not_judged -> "
     "58 [57, 59] percent 2022 key33_comprehensive_tax 310105 share_of\n"
     "2023 key33_comprehensive_tax 310105 share_of.tax_revenue@310105 67.7: not_judged -> 559.5 "
     "[559.04, 560.01] CNY_E8 2023 tax_revenue 310105 level\n"
     "2023 key33_comprehensive_tax 310105 share_of.tax_revenue@310105 67: not_judged -> 552 "
     "[547.41, 557.14] CNY_E8 2023 tax_revenue 310105 level\n"
     "2023 key33_comprehensive_tax 310105 share_of.tax_revenue@310105 67: revised 67.7~0.55\n"},
    {"key industries a year later",
     {KEY "2023 level 378.8 CNY_E8" NEWS, KEY "2023 level 370 CNY_E8" REPORT,
      KEY "2024 level 431.78 CNY_E8" NEXT, KEY "2024 growth_yoy 7.25 percent s=B" NEXT,
      KEY "2024 share_of.tax_revenue@310105 74 percent" NEXT},
     "i=key33_comprehensive_tax p=310105 t=2024",
     "2024 key33_comprehensive_tax 310105 growth_yoy 7.25: comparable_base 16.7~0.164 -> 402.59 "
     "[402.57, 402.62] CNY_E8 2023 key33_comprehensive_tax 310105 level\n"
     "2024 key33_comprehensive_tax 310105 share_of.tax_revenue@310105 74: not_judged -> 583 "
     "[579.56, 587.46] CNY_E8 2024 tax_revenue 310105 level\n"},
    {"the budget",
     {BUDGET "2023 level 168.53 CNY_E8" NEWS, BUDGET "2023 growth_yoy 8.3 percent" NEWS,
      BUDGET "2024 level 180.97 CNY_E8" NEXT, BUDGET "2024 growth_yoy 7.38 percent" NEXT},
     "i=general_public_budget_revenue p=310105 t=2023..2024",
     "2023 general_public_budget_revenue 310105 growth_yoy 8.3: not_judged -> 155.61 [155.54, "
     "155.69] CNY_E8 2022 general_public_budget_revenue 310105 level\n"
     "2024 general_public_budget_revenue 310105 growth_yoy 7.38: match 7.38~0.0112\n"},
    {"the business district",
     {CBD "2023 level 190 CNY_E8 q=expected s=E" NEWS,
      CBD "2023 growth_yoy 18 percent q=expected s=E" NEWS,
      CBD "2023 share_of.tax_revenue@L310000001 40 percent q=expected s=E" NEWS,
      CBD "2023 rank.@L310000001/level - rank q=leading" NEWS},
     "i=tax_revenue p=L310105002 t=2023",
     "2023 tax_revenue L310105002 growth_yoy expected 18: not_judged -> about 161 [159.92, 162.13] "
     "CNY_E8 2022 tax_revenue L310105002 level\n"
     "2023 tax_revenue L310105002 share_of.tax_revenue@L310000001 expected 40: not_judged -> about "
     "475 [467.9, 482.28] CNY_E8 2023 tax_revenue L310000001 level\n"
     "2023 tax_revenue L310105002 rank.@L310000001/level leading -: not_judged\n"},
};

static void check_changning(void **state)
{
    world w;
    init_changning(&w);
    findings_check(&w, *state);
    world_deinit(&w);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(examples)];
    findings_tests(examples, ALM_ARRAY_LEN(examples), check_changning, tests);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
