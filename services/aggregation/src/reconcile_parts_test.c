// Totals and their parts, ranks and their peers, publications of one cell.
#include "test_reconcile.h"

static const world_example examples[] = {
    {"parts that add up but for rounding, in words",
     {"gdp 310105 2023 level 10.0 CNY_E8", "gdp 310105001 2023 level 4 CNY_E8",
      "gdp 310105002 2023 level 55000 CNY_E4", "gdp L310105001 2023 level 3 CNY_E8"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 level 10.0: match 9.5000~0.55\n"
     "  2 of 2 places below it sum to 9.5000 (100 million yuan); the gap is rounding\n"
     "  2/2 个下级地区合计 9.5000 亿元；差额属于舍入\n"},
    {"parts that do not, in words",
     {"gdp 310105 2023 level 10.0 CNY_E8", "gdp 310105001 2023 level 4.0 CNY_E8",
      "gdp 310105002 2023 level 5.0 CNY_E8"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 level 10.0: unexplained 9.0~0.15\n"
     "  2 of 2 places below it sum to 9.0 (100 million yuan), which nothing known explains\n"
     "  2/2 个下级地区合计 9.0 亿元，差异未能解释\n"},
    {"what is left for a part, in words",
     {"gdp 310105 2023 level 10.0 CNY_E8", "gdp 310105001 2023 level 4.0 CNY_E8"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 level 10.0: not_judged 4.0~0.1 -> 6.0 [5.9, 6.1] CNY_E8 2023 gdp 310105002 "
     "level\n"
     "  1 of 2 places below it sum to 4.0 (100 million yuan); the claim implies 6.0 (100 million "
     "yuan) for gdp of 江苏路街道 in 2023\n"
     "  1/2 个下级地区合计 4.0 亿元；由此推算 江苏路街道 2023 gdp 为 6.0 亿元\n"},
    {"parts that are too much already, in words",
     {"gdp 310105 2023 level 10.0 CNY_E8", "gdp 310105001 2023 level 14.0 CNY_E8"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 level 10.0: unexplained 14.0~0.1\n"
     "  1 of 2 places below it sum to 14.0 (100 million yuan), which nothing known explains\n"
     "  1/2 个下级地区合计 14.0 亿元，差异未能解释\n"},
    {"parts in another unit than was said, in words",
     {"gdp 310105 2023 level 10.0 CNY_E12", "gdp 310105001 2023 level 4.0 CNY_E8",
      "gdp 310105002 2023 level 6.0 CNY_E8"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 level 10.0: unit_slip 0.00100~0.05\n"
     "  2 of 2 places below it sum to 0.00100 trillion yuan; the claim times 10^-4 matches\n"
     "  2/2 个下级地区合计 0.00100 万亿元；发布值乘以 10^-4 后相符\n"},
    {"members of a dimension, in words",
     {"gdp 310105 2023 level 10.0 CNY_E8", "gdp 310105 2023 level 1.0 CNY_E8 by=industry=a",
      "gdp 310105 2023 level 9.0 CNY_E8 by=industry=b",
      "gdp 310105 2023 level 6.0 CNY_E8 by=owner=state"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 level 10.0: match 10.0~0.15\n"
     "  members of industry: 2, which sum to 10.0 (100 million yuan)\n"
     "  industry 的 2 个分组合计 10.0 亿元\n"
     "2023 gdp 310105 level 10.0: not_judged 6.0~0.1 -> 4.0 [3.9, 4.1] CNY_E8 2023 gdp 310105 "
     "level\n"
     "  members of owner: 1, which sum to 6.0 (100 million yuan); the claim implies 4.0 (100 "
     "million yuan) for the rest\n"
     "  owner 的 1 个分组合计 6.0 亿元；由此推算 其余为 4.0 亿元\n"},
    {"a rank that is one, and one that is not, in words",
     {"gdp 310101 2023 level 30 CNY_E8", "gdp 310104 2023 level 20 CNY_E8",
      "gdp 310105 2023 level 25 CNY_E8", "gdp 310106 2023 level 10 CNY_E8",
      "gdp 310105 2023 rank.@310000/level 2 rank", "gdp 310104 2023 rank.@310000/level 2 rank"},
     "i=gdp p=310105,310104 t=2023 m=rank",
     "2023 gdp 310105 rank.@310000/level 2: match 2~0\n"
     "  3 of 3 peers have a value, by which it is no. 2\n"
     "  3/3 个可比地区有数值，据此为 第 2 位\n"
     "2023 gdp 310104 rank.@310000/level 2: unexplained 3~0 -> 3 [3, 3] rank 2023 gdp 310104 "
     "level\n"
     "  3 of 3 peers have a value, by which it is no. 3, which nothing known explains\n"
     "  3/3 个可比地区有数值，据此为 第 3 位，差异未能解释\n"},
    {"a rank with peers that have no value, in words",
     {"gdp 310101 2023 level 30 CNY_E8", "gdp 310105 2023 level 25 CNY_E8",
      "gdp 310105 2023 rank.@310000 2 rank"},
     "i=gdp p=310105 t=2023 m=rank",
     "2023 gdp 310105 rank.@310000 2: not_judged 2~0\n"
     "  1 of 3 peers have a value, by which it is no. 2\n"
     "  1/3 个可比地区有数值，据此为 第 2 位\n"},
    {"publications, in words",
     {"gdp 310105 2023 level 228 CNY_E8 src=report pub=2024-02-01",
      "gdp 310105 2023 level 2284000 CNY_E4 src=yearbook pub=2024-09-01",
      "gdp 310105 2023 level 228.4 CNY_E12 src=yearbook pub=2024-10-01",
      "gdp 310105 2023 level 230.0 CNY_E8 src=report pub=2024-10-01"},
     "i=gdp p=310105 t=2023",
     "2023 gdp 310105 level 2284000: match 2280000~5e+03\n"
     "  agrees with 228 (100 million yuan), published on 2024-02-01 by report\n"
     "  与 2024-02-01 report 发布的 228 亿元 一致\n"
     "2023 gdp 310105 level 228.4: unit_slip 0.02284000~0.05\n"
     "  times 10^-4 it is 2,284,000 (10 thousand yuan), published on 2024-09-01 by yearbook\n"
     "  乘以 10^-4 即 2024-09-01 yearbook 发布的 2,284,000 万元\n"
     "2023 gdp 310105 level 230.0: unexplained 2284000~500\n"
     "  contradicts 228.4 trillion yuan, published on 2024-10-01 by yearbook\n"
     "  与 2024-10-01 yearbook 发布的 228.4 万亿元 矛盾\n"},
};

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(examples)];
    findings_tests(examples, ALM_ARRAY_LEN(examples), findings_check_example, tests);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
