// Growth, shares, changes and contributions held against levels; and the question itself.
#include "test_reconcile.h"

static const world_example examples[] = {
    {"growth that matches, in words",
     {"gdp 310105 2022 level 168.53 CNY_E8", "gdp 310105 2023 level 180.97 CNY_E8",
      "gdp 310105 2023 growth_yoy 7.38 percent"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 growth_yoy 7.38: match 7.38~0.0112\n"
     "  180.97 (100 million yuan) against 168.53 (100 million yuan) in 2022 is 7.38%\n"
     "  180.97 亿元 对 168.53 亿元（2022）为 7.38%\n"},
    {"units are brought together; growth in times",
     {"gdp 310105 2022 level 1000000 CNY_E4", "gdp 310105 2023 level 200.0 CNY_E8",
      "gdp 310105 2023 growth_yoy 1.00 times"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 growth_yoy 1.00: match 100.00~0.55\n"},
    {"the base was revised, in words",
     {"gdp 310105 2022 level 100.0 CNY_E8 src=report pub=2023-02-01",
      "gdp 310105 2022 level 104.0 CNY_E8 src=report pub=2024-06-01",
      "gdp 310105 2023 level 110.0 CNY_E8 src=report pub=2024-02-01",
      "gdp 310105 2023 growth_yoy 10.0 percent src=report pub=2024-02-01"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 growth_yoy 10.0: base_revised 5.77~0.149\n"
     "  110.0 (100 million yuan) against 104.0 (100 million yuan) in 2022 is 5.77%; it matches "
     "with 100.0 (100 million yuan), published on 2023-02-01 by report\n"
     "  110.0 亿元 对 104.0 亿元（2022）为 5.77%；按 2023-02-01 report 发布的 100.0 亿元 "
     "计算则相符\n"},
    {"the level was revised, not the base; in words",
     {"gdp 310105 2022 level 100.0 CNY_E8 src=report pub=2023-02-01",
      "gdp 310105 2023 level 110.0 CNY_E8 src=report pub=2024-02-01",
      "gdp 310105 2023 level 112.0 CNY_E8 src=report pub=2024-06-01",
      "gdp 310105 2023 growth_yoy 10.0 percent src=report pub=2024-02-10"},
     "i=gdp p=310105 t=2023 m=growth_yoy",
     "2023 gdp 310105 growth_yoy 10.0: base_revised 12.0~0.156\n"
     "  112.0 (100 million yuan) against 100.0 (100 million yuan) in 2022 is 12.0%; it matches "
     "with 110.0 (100 million yuan), published on 2024-02-01 by report\n"
     "  112.0 亿元 对 100.0 亿元（2022）为 12.0%；按 2024-02-01 report 发布的 110.0 亿元 "
     "计算则相符\n"},
    {"as of the day it was published",
     {"gdp 310105 2022 level 100.0 CNY_E8 src=report pub=2023-02-01",
      "gdp 310105 2022 level 104.0 CNY_E8 src=report pub=2024-06-01",
      "gdp 310105 2023 level 110.0 CNY_E8 src=report pub=2024-02-01",
      "gdp 310105 2023 growth_yoy 10.0 percent src=report pub=2024-02-01"},
     "i=gdp p=310105 t=2023 as_of=2024-03-01",
     "2023 gdp 310105 growth_yoy 10.0: match 10.0~0.155\n"},
    {"from the year's start where the month is said, in words",
     {"gdp 310105 2022-06 level 10.0 CNY_E8", "gdp 310105 2023-06 level 11.0 CNY_E8",
      "gdp 310105 2022-06 level 50.0 CNY_E8 acc=C", "gdp 310105 2023-06 level 60.0 CNY_E8 acc=C",
      "gdp 310105 2023-06 growth_yoy 20.0 percent"},
     "i=gdp p=310105 t=2023-06",
     "2023-06 gdp 310105 growth_yoy 20.0: accumulation_mixup 10~1.1\n"
     "  11.0 (100 million yuan) against 10.0 (100 million yuan) in 2022-06 is 10%; figures from "
     "the year's start match\n"
     "  11.0 亿元 对 10.0 亿元（2022-06）为 10%；按年初累计数计算则相符\n"},
    {"against the month before, in words",
     {"gdp 310105 2022-06 level 10.0 CNY_E8", "gdp 310105 2023-05 level 10.5 CNY_E8",
      "gdp 310105 2023-06 level 11.0 CNY_E8", "gdp 310105 2023-06 growth_yoy 4.8 percent"},
     "i=gdp p=310105 t=2023-06",
     "2023-06 gdp 310105 growth_yoy 4.8: wrong_comparison 10~1.1\n"
     "  11.0 (100 million yuan) against 10.0 (100 million yuan) in 2022-06 is 10%; against 2023-05 "
     "it matches\n"
     "  11.0 亿元 对 10.0 亿元（2022-06）为 10%；与 2023-05 相比则相符\n"},
    {"against the end of the year where the month is said",
     {"gdp 310105 2022-12 level 10.0 CNY_E8", "gdp 310105 2023-05 level 10.5 CNY_E8",
      "gdp 310105 2023-06 level 11.0 CNY_E8", "gdp 310105 2023-06 growth_pop 10.0 percent"},
     "i=gdp p=310105 t=2023-06",
     "2023-06 gdp 310105 growth_pop 10.0: wrong_comparison 4.8~1.03\n"},
    {"a slipped unit, in words",
     {"gdp 310105 2022 level 100.0 CNY_E8", "gdp 310105 2023 level 1100000 CNY_E8",
      "gdp 310105 2023 growth_yoy 10.0 percent"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 growth_yoy 10.0: unit_slip 1099900~551\n"
     "  1,100,000 (100 million yuan) against 100.0 (100 million yuan) in 2022 is 1,099,900%; with "
     "the first times 10^-4 it matches\n"
     "  1,100,000 亿元 对 100.0 亿元（2022）为 1,099,900%；前者乘以 10^-4 后相符\n"},
    {"constant prices, in words",
     {"gdp 310105 2022 level 100.0 CNY_E8", "gdp 310105 2023 level 107.1 CNY_E8",
      "gdp 310105 2023 growth_yoy 5.0 percent note=按可比价计算"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 growth_yoy 5.0: constant_price 7.1~0.154 -> 2.0 [1.8529, 2.1473] percent "
     "2023 gdp 310105 level\n"
     "  107.1 (100 million yuan) against 100.0 (100 million yuan) in 2022 is 7.1%; growth is at "
     "constant prices, so prices changed by 2.0%\n"
     "  107.1 亿元 对 100.0 亿元（2022）为 7.1%；增速按可比价计算，价格变动为 2.0%\n"},
    {"another scope, in words",
     {"gdp 310105 2022 level 100.0 CNY_E8", "gdp 310105 2023 level 107.1 CNY_E8",
      "gdp 310105 2023 growth_yoy 5.0 percent note=按可比口径"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 growth_yoy 5.0: comparable_base 7.1~0.154 -> 102.00 [101.9, 102.1] CNY_E8 "
     "2022 gdp 310105 level\n"
     "  107.1 (100 million yuan) against 100.0 (100 million yuan) in 2022 is 7.1%; the scope or "
     "the base changed; the claim implies 102.00 (100 million yuan) for gdp of 长宁区 in 2022\n"
     "  107.1 亿元 对 100.0 亿元（2022）为 7.1%；口径或基数有变；由此推算 长宁区 2022 gdp 为 "
     "102.00 亿元\n"},
    {"nothing explains it, in words",
     {"gdp 310105 2022 level 100.0 CNY_E8", "gdp 310105 2023 level 107.1 CNY_E8",
      "gdp 310105 2023 growth_yoy 5.0 percent"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 growth_yoy 5.0: unexplained 7.1~0.154 -> 102.00 [101.9, 102.1] CNY_E8 2022 "
     "gdp 310105 level\n"
     "  107.1 (100 million yuan) against 100.0 (100 million yuan) in 2022 is 7.1%, which nothing "
     "known explains; the claim implies 102.00 (100 million yuan) for gdp of 长宁区 in 2022\n"
     "  107.1 亿元 对 100.0 亿元（2022）为 7.1%，差异未能解释；由此推算 长宁区 2022 gdp 为 102.00 "
     "亿元\n"},
    {"a base of zero, in words",
     {"gdp 310105 2022 level 0 CNY_E8", "gdp 310105 2023 level 107.1 CNY_E8",
      "gdp 310105 2023 growth_yoy 5.0 percent"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 growth_yoy 5.0: not_judged -> 102.00 [101.9, 102.1] CNY_E8 2022 gdp 310105 "
     "level\n"
     "  gdp of 长宁区 in 2022 is zero; the claim implies it to be 102.00 (100 million yuan)\n"
     "  长宁区 2022 gdp 为零；由此推算为 102.00 亿元\n"},
    {"a share of the city, in words",
     {"gdp 310105 2023 level 2286.2 CNY_E8", "gdp 310000 2023 level 4.72 CNY_E12",
      "gdp 310105 2023 share_of.@310000 4.8 percent"},
     "i=gdp p=310105 t=2023 m=share_of",
     "2023 gdp 310105 share_of.@310000 4.8: match 4.84~0.0552\n"
     "  2,286.2 (100 million yuan) of 4.72 trillion yuan is 4.84%\n"
     "  2,286.2 亿元 占 4.72 万亿元 的比重为 4.84%\n"},
    {"a share whose part is missing, in words",
     {"pop 310105 2023 share_of.@310000 2.8 percent", "pop 310000 2023 level 2487 persons_E4"},
     "i=pop p=310105 t=2023",
     "2023 pop 310105 share_of.@310000 2.8: not_judged -> 70 [68.379, 70.894] persons_E4 2023 pop "
     "310105 level\n"
     "  no value of pop of 长宁区 in 2023; the claim implies it to be 70 (10 thousand persons)\n"
     "  没有 长宁区 2023 pop 的数值；由此推算为 70 万人\n"},
    {"a change of a share, in words",
     {"gdp 310105 2022 share_of.@310000 4.8 percent",
      "gdp 310105 2023 share_of.@310000 5.0 percent",
      "gdp 310105 2023 pp_change.@310000/share_of 0.2 pp"},
     "i=gdp p=310105 t=2023 m=pp_change",
     "2023 gdp 310105 pp_change.@310000/share_of 0.2: match 0.2~0.15\n"
     "  5.0% less 4.8% in 2022 is 0.2 pp\n"
     "  5.0% 减去 4.8%（2022）为 0.2 个百分点\n"},
    {"contributions, in words",
     {"gdp 310000 2022 level 1000.0 CNY_E8", "gdp 310000 2023 level 1050.0 CNY_E8",
      "gdp 310105 2022 level 600.0 CNY_E8", "gdp 310105 2023 level 640.0 CNY_E8",
      "gdp 310105 2023 contribution_pp.@310000 4.0 pp",
      "gdp 310105 2023 contribution_share.@310000 70 percent"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 contribution_pp.@310000 4.0: match 4.00~0.0602\n"
     "  a change by 40.0 (100 million yuan) on 1,000.0 (100 million yuan) is 4.00 pp\n"
     "  变动 40.0 亿元 对 1,000.0 亿元为 4.00 个百分点\n"
     "2023 gdp 310105 contribution_share.@310000 70: unexplained 80.0~0.86\n"
     "  a change by 40.0 (100 million yuan) on 50.0 (100 million yuan) is 80.0%, which nothing "
     "known explains\n"
     "  变动 40.0 亿元 对 50.0 亿元为 80.0%，差异未能解释\n"},
    {"a contribution without last year's part, in words",
     {"gdp 310000 2022 level 1000.0 CNY_E8", "gdp 310105 2023 level 640.0 CNY_E8",
      "gdp 310105 2023 contribution_pp.@310000 4.0 pp"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 contribution_pp.@310000 4.0: not_judged\n"
     "  no value of gdp of 长宁区 in 2022\n"
     "  没有 长宁区 2022 gdp 的数值\n"},
    {"growth of what is new in the period, in words",
     {"housing 310105 2023 count_of_change 1765 count_tao",
      "housing 310105 2023 growth_yoy 10.3 percent"},
     "i=housing p=310105 t=2023",
     "2023 housing 310105 growth_yoy 10.3: not_judged -> 1600.2 [1599.5, 1600.9] count_tao 2022 "
     "housing 310105 count_of_change\n"
     "  no value of housing new in the period of 长宁区 in 2022; the claim implies it to be "
     "1,600.2\n"
     "  没有 长宁区 2022 housing 新增 的数值；由此推算为 1,600.2 套\n"},
    {"real growth that has no base, in words",
     {"gdp 310105 2023 level 2286.2 CNY_E8",
      "gdp 310105 2023 growth_yoy 5.0 percent note=按不变价计算"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 growth_yoy 5.0: not_judged -> 2177 [2176.2, 2178.4] CNY_E8 2022 gdp 310105 "
     "level\n"
     "  no value of gdp of 长宁区 in 2022; the claim implies it to be 2,177 (100 million yuan) at "
     "prices of 2023\n"
     "  没有 长宁区 2022 gdp 的数值；由此推算为 2,177 亿元（按 2023 价格）\n"},
    {"what was withdrawn claims nothing",
     {"gdp 310105 2022 level 100.0 CNY_E8", "gdp 310105 2023 level 107.1 CNY_E8",
      "gdp 310105 2023 growth_yoy 5.0 percent src=report pub=2024-01-01",
      "gdp 310105 2023 growth_yoy - percent s=W src=report pub=2024-02-01"},
     "i=gdp p=310105 t=2023",
     ""},
    {"the latest of each series",
     {"gdp 310105 2021 level 90.0 CNY_E8", "gdp 310105 2022 level 100.0 CNY_E8",
      "gdp 310105 2022 growth_yoy 11.1 percent", "gdp 310105 2021 growth_yoy 5.0 percent"},
     "i=gdp p=310105 t=latest",
     "2022 gdp 310105 growth_yoy 11.1: match 11.1~0.167\n"},
    {"claims of one source, held against all",
     {"gdp 310105 2022 level 100.0 CNY_E8 src=yearbook", "gdp 310105 2023 level 107.1 CNY_E8",
      "gdp 310105 2023 growth_yoy 7.1 percent src=report",
      "gdp 310105 2023 growth_yoy 5.0 percent src=yearbook"},
     "i=gdp p=310105 t=2023 src=report",
     "2023 gdp 310105 growth_yoy 7.1: match 7.1~0.154\n"},
    {"places, periods, indicators in the order of the question",
     {"gdp 310105 2022 growth_yoy 1 percent", "gdp 310105 2023 growth_yoy 2 percent",
      "pop 310105 2022 growth_yoy 3 percent", "gdp 310101 2023 growth_yoy 4 percent"},
     "i=pop i=gdp i=gdpp p=310105,310101 t=2022..2023",
     "2022 pop 310105 growth_yoy 3: not_judged\n"
     "2022 gdp 310105 growth_yoy 1: not_judged\n"
     "2023 gdp 310105 growth_yoy 2: not_judged\n"
     "2023 gdp 310101 growth_yoy 4: not_judged\n"
     "! gdpp unknown indicator 'gdpp'; did you mean gdp (gdp)?\n"},
    {"nothing to reconcile", {NULL}, "i=gdp p=310105 t=2023", ""},
    {"what computes is refused",
     {NULL},
     "i=gdp p=310105 t=2023 x=pc1",
     "INVALID_ARGUMENT transforms: reconciliation holds what was published against what is stored; "
     "leave transforms out\n"},
    {"a limit too",
     {NULL},
     "i=gdp p=310105 t=2023 limit=3",
     "INVALID_ARGUMENT limit: reconciliation holds what was published against what is stored; "
     "leave limit out\n"},
};

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(examples)];
    findings_tests(examples, ALM_ARRAY_LEN(examples), findings_check_example, tests);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
