// Targets: sums and states, years without a value, horizons that are asked, every reason for no
// number.
#include "test_examples.h"

static const world_example examples[] = {
    {"what was built of what was planned",
     {"housing 310105 2021/2025 target./count_of_change 15000 count_tao",
      "housing 310105 2023 count_of_change 1000 count_tao",
      "housing 310105 2024 count_of_change 765 count_tao"},
     "i=housing p=310105 t=2023 x=target",
     "310105 2021/2025 target./count_of_change P 15000 count_tao\n"
     "310105 2021/2025 target_progress./count_of_change C 11.76 percent more_than [11.76667, inf] "
     "2/4 -- 1,765 of 15,000 套; 2021, 2022 have no value\n"},
    {"a flow adds up",
     {"gdp 310105 2021/2023 target 600.0 CNY_E8", "gdp 310105 2021 level 150.0 CNY_E8",
      "gdp 310105 2022 level 1600000 CNY_E4", "gdp 310105 2023 level 170.0 CNY_E8 s=P"},
     "i=gdp p=310105 t=all x=target",
     "310105 2021/2023 target P 600.0 CNY_E8\n"
     "310105 2021/2023 target_progress C 80.00 percent P [79.97666, 80.02334] 3/3 -- 480.0000 of "
     "600.0 亿元\n"},
    {"of a state the newest counts",
     {"pop 310105 2021/2025 target 70.0 persons_E4", "pop 310105 2021 level 66.0 persons_E4",
      "pop 310105 2023 level 63.0 persons_E4"},
     "i=pop p=310105 t=latest x=target",
     "310105 2021/2025 target P 70.0 persons_E4\n"
     "310105 2021/2025 target_progress C 90.00 percent [89.86438, 90.13581] 2/3 -- 63.0 of 70.0 "
     "万人\n"},
    {"a planned growth is held against growth",
     {"gdp 310105 2023 target./growth_yoy 5.5 percent", "gdp 310105 2023 growth_yoy 6.6 percent"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target./growth_yoy P 5.5 percent\n"
     "310105 2023 target_progress./growth_yoy C 120.00 percent [118.018, 122.0183] 1/1 -- 6.6 of "
     "5.5%\n"},
    {"nothing yet",
     {"gdp 310105 2021/2025 target 600 CNY_E8"},
     "i=gdp p=310105 t=2021/2025 x=target",
     "310105 2021/2025 target P 600 CNY_E8\n"
     "310105 2021/2025 target_progress C - percent O -- no level for 2021/2025\n"},
    {"zero planned",
     {"gdp 310105 2023 target 0 CNY_E8", "gdp 310105 2023 level 1 CNY_E8"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target P 0 CNY_E8\n"
     "310105 2023 target_progress C - percent M 1/1 -- the target is zero\n"},
    {"another quantity planned",
     {"gdp 310105 2023 target 5 percent", "gdp 310105 2023 level 1 CNY_E8"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target P 5 percent\n"
     "310105 2023 target_progress C - percent M 0/1 -- values and target do not compare\n"},
    {"a horizon that does not touch the question",
     {"gdp 310105 2016/2020 target 600 CNY_E8"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target P - CNY_E8 O -- no target of gdp for 310105\n"},
    {"a question by quarter touches the plan",
     {"gdp 310105 2021/2025 target 600 CNY_E8"},
     "i=gdp p=310105 t=2023-Q2 x=target",
     "310105 2021/2025 target P 600 CNY_E8\n"
     "310105 2021/2025 target_progress C - percent O -- no level for 2021/2025\n"},
    {"latest is the newest of each length",
     {"gdp 310105 2016/2020 target 1 CNY_E8", "gdp 310105 2021/2025 target 2 CNY_E8",
      "gdp 310105 2023 target 3 CNY_E8", "gdp 310105 2024 target 4 CNY_E8"},
     "i=gdp p=310105 t=latest x=target",
     "310105 2021/2025 target P 2 CNY_E8\n"
     "310105 2021/2025 target_progress C - percent O -- no level for 2021/2025\n"
     "310105 2024 target P 4 CNY_E8\n"
     "310105 2024 target_progress C - percent O -- no level for 2024\n"},
    {"latest goes past what was withdrawn",
     {"gdp 310105 2023 target 3 CNY_E8", "gdp 310105 2024 target 4 CNY_E8 pub=2024-01-01",
      "gdp 310105 2024 target - CNY_E8 s=W pub=2024-03-01"},
     "i=gdp p=310105 t=latest x=target",
     "310105 2023 target P 3 CNY_E8\n"
     "310105 2023 target_progress C - percent O -- no level for 2023\n"},
    {"latest goes past what was suppressed",
     {"gdp 310105 2023 target 3 CNY_E8", "gdp 310105 2024 target - CNY_E8 s=Q"},
     "i=gdp p=310105 t=latest x=target",
     "310105 2023 target P 3 CNY_E8\n"
     "310105 2023 target_progress C - percent O -- no level for 2023\n"},
    {"a target that was withdrawn",
     {"gdp 310105 2024 target 4 CNY_E8 src=report pub=2024-01-01",
      "gdp 310105 2024 target - CNY_E8 s=W src=report pub=2024-03-01",
      "gdp 310105 2024 level 3 CNY_E8"},
     "i=gdp p=310105 t=2024 x=target",
     "310105 2024 target P - CNY_E8 W -- withdrawn by report on 2024-03-01\n"
     "310105 2024 target_progress C - percent W 1/1 -- target for 2024: withdrawn by report on "
     "2024-03-01\n"},
    {"without a relation, what was new serves where no level is",
     {"housing 310105 2021/2022 target 100 count_tao",
      "housing 310105 2021 count_of_change 30 count_tao",
      "housing 310105 2022 count_of_change 20 count_tao"},
     "i=housing p=310105 t=all x=target",
     "310105 2021/2022 target P 100 count_tao\n"
     "310105 2021/2022 target_progress C 50.00 percent [50, 50] 2/2 -- 50 of 100 套\n"},
};

int main(void)
{
    return world_run(examples, ALM_ARRAY_LEN(examples), NULL, 0);
}
