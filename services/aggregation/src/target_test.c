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
     "2/4 -- 1,765 of 15,000 套; 2021, 2022 have no value\n"
     "  not_known to 2024 per A -- over 11.76% of plan with 80% of the time gone; pace over 0.14; "
     "not decided without 2021, 2022\n"
     "  actual 1765 count_tao more_than [1765, inf]\n"
     "  left 13235 count_tao less_than [-inf, 13235]\n"
     "  time 80.00 percent [80, 80]\n"
     "  pace 0.14 ratio more_than [0.1470833, inf]\n"
     "  pace_seasonal - -- the horizon is not within a year\n"
     "  run_rate 13235.00 count_tao less_than [-inf, 13235]\n"
     "  growth_required - -- the horizon is not within a year\n"
     "  expected 2206.25 count_tao more_than [2206.25, inf]\n"},
    {"a flow adds up",
     {"gdp 310105 2021/2023 target 600.0 CNY_E8", "gdp 310105 2021 level 150.0 CNY_E8",
      "gdp 310105 2022 level 1600000 CNY_E4", "gdp 310105 2023 level 170.0 CNY_E8 s=P"},
     "i=gdp p=310105 t=all x=target",
     "310105 2021/2023 target P 600.0 CNY_E8\n"
     "310105 2021/2023 target_progress C 80.00 percent P [79.98332, 80.01668] 3/3 -- 480.0000 of "
     "600.0 亿元\n"
     "  missed to 2023 -- 80.00% of plan at the end of the horizon\n"
     "  actual 480.0000 CNY_E8 [479.8999, 480.1001]\n"
     "  left 120.0000 CNY_E8 [119.8999, 120.1001]\n"
     "  time 100.00 percent [100, 100]\n"
     "  pace 0.80 ratio [0.7998332, 0.8001668]\n"
     "  pace_seasonal - -- the horizon is not within a year\n"
     "  run_rate, growth_required - -- the horizon is over\n"
     "  expected 480.0 CNY_E8 [479.8999, 480.1001]\n"},
    {"of a state the newest counts",
     {"pop 310105 2021/2025 target 70.0 persons_E4", "pop 310105 2021 level 66.0 persons_E4",
      "pop 310105 2023 level 63.0 persons_E4"},
     "i=pop p=310105 t=latest x=target",
     "310105 2021/2025 target P 70.0 persons_E4\n"
     "310105 2021/2025 target_progress C 90.00 percent [89.92857, 90.07143] 2/3 -- 63.0 of 70.0 "
     "万人\n"
     "  not_known to 2023 -- 90.00% of plan with 60% of the time gone; the value before the "
     "horizon is not known\n"
     "  actual 63.0 persons_E4 [62.95, 63.05]\n"
     "  left 7.0 persons_E4 [6.95, 7.05]\n"
     "  time 60.00 percent [60, 60]\n"
     "  pace - -- the value before the horizon is not known\n"
     "  pace_seasonal, run_rate - -- it does not add up over time\n"
     "  growth_required 5.41 percent [5.367451, 5.451109]\n"
     "  expected - -- the value before the horizon is not known\n"},
    {"a planned growth is held against growth",
     {"gdp 310105 2023 target./growth_yoy 5.5 percent", "gdp 310105 2023 growth_yoy 6.6 percent"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target./growth_yoy P 5.5 percent\n"
     "310105 2023 target_progress./growth_yoy C 120.00 percent [119.0909, 120.9091] 1/1 -- 6.6 of "
     "5.5%\n"
     "  reached to 2023 -- 6.6% against 5.5% at the end of the horizon\n"
     "  actual 6.6 percent [6.55, 6.65]\n"
     "  left -1.1 pp [-1.15, -1.05]\n"
     "  time 100.00 percent [100, 100]\n"
     "  pace - -- it does not build up over time\n"
     "  pace_seasonal, run_rate - -- it does not add up over time\n"
     "  growth_required - -- a ratio changes by points\n"
     "  expected - -- it does not build up over time\n"},
    {"nothing yet",
     {"gdp 310105 2021/2025 target 600 CNY_E8"},
     "i=gdp p=310105 t=2021/2025 x=target",
     "310105 2021/2025 target P 600 CNY_E8\n"
     "310105 2021/2025 target_progress C - percent O -- no level for 2021/2025\n"
     "  not_known -- no level for 2021/2025\n"
     "  actual, left, time, pace, pace_seasonal, run_rate, growth_required, expected - -- what was "
     "reached is not known\n"},
    {"zero planned",
     {"gdp 310105 2023 target 0 CNY_E8", "gdp 310105 2023 level 1 CNY_E8"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target P 0 CNY_E8\n"
     "310105 2023 target_progress C - percent M 1/1 -- the target is zero\n"
     "  reached to 2023 -- 1 (100 million yuan) against 0 (100 million yuan) at the end of the "
     "horizon\n"
     "  actual 1 CNY_E8 [0.5, 1.5]\n"
     "  left -1 CNY_E8 [-1.5, -0.5]\n"
     "  time 100.00 percent [100, 100]\n"
     "  pace - -- the target is not positive\n"
     "  pace_seasonal - -- the year before is not known to the same period and in whole\n"
     "  run_rate, growth_required - -- the horizon is over\n"
     "  expected 1.0 CNY_E8 [0.5, 1.5]\n"},
    {"another quantity planned",
     {"gdp 310105 2023 target 5 percent", "gdp 310105 2023 level 1 CNY_E8"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target P 5 percent\n"
     "310105 2023 target_progress C - percent M 0/1 -- values and target do not compare\n"
     "  not_known -- values and target do not compare\n"
     "  actual, left, time, pace, pace_seasonal, run_rate, growth_required, expected - -- what was "
     "reached is not known\n"},
    {"a horizon that does not touch the question",
     {"gdp 310105 2016/2020 target 600 CNY_E8"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target P - CNY_E8 O -- no target of gdp for 310105\n"},
    {"a question by quarter touches the plan",
     {"gdp 310105 2021/2025 target 600 CNY_E8"},
     "i=gdp p=310105 t=2023-Q2 x=target",
     "310105 2021/2025 target P 600 CNY_E8\n"
     "310105 2021/2025 target_progress C - percent O -- no level for 2021/2025\n"
     "  not_known -- no level for 2021/2025\n"
     "  actual, left, time, pace, pace_seasonal, run_rate, growth_required, expected - -- what was "
     "reached is not known\n"},
    {"latest is the newest of each length",
     {"gdp 310105 2016/2020 target 1 CNY_E8", "gdp 310105 2021/2025 target 2 CNY_E8",
      "gdp 310105 2023 target 3 CNY_E8", "gdp 310105 2024 target 4 CNY_E8"},
     "i=gdp p=310105 t=latest x=target",
     "310105 2021/2025 target P 2 CNY_E8\n"
     "310105 2021/2025 target_progress C - percent O -- no level for 2021/2025\n"
     "  not_known -- no level for 2021/2025\n"
     "  actual, left, time, pace, pace_seasonal, run_rate, growth_required, expected - -- what was "
     "reached is not known\n"
     "310105 2024 target P 4 CNY_E8\n"
     "310105 2024 target_progress C - percent O -- no level for 2024\n"
     "  not_known -- no level for 2024\n"
     "  actual, left, time, pace, pace_seasonal, run_rate, growth_required, expected - -- what was "
     "reached is not known\n"},
    {"latest goes past what was withdrawn",
     {"gdp 310105 2023 target 3 CNY_E8", "gdp 310105 2024 target 4 CNY_E8 pub=2024-01-01",
      "gdp 310105 2024 target - CNY_E8 s=W pub=2024-03-01"},
     "i=gdp p=310105 t=latest x=target",
     "310105 2023 target P 3 CNY_E8\n"
     "310105 2023 target_progress C - percent O -- no level for 2023\n"
     "  not_known -- no level for 2023\n"
     "  actual, left, time, pace, pace_seasonal, run_rate, growth_required, expected - -- what was "
     "reached is not known\n"},
    {"latest goes past what was suppressed",
     {"gdp 310105 2023 target 3 CNY_E8", "gdp 310105 2024 target - CNY_E8 s=Q"},
     "i=gdp p=310105 t=latest x=target",
     "310105 2023 target P 3 CNY_E8\n"
     "310105 2023 target_progress C - percent O -- no level for 2023\n"
     "  not_known -- no level for 2023\n"
     "  actual, left, time, pace, pace_seasonal, run_rate, growth_required, expected - -- what was "
     "reached is not known\n"},
    {"a target that was withdrawn",
     {"gdp 310105 2024 target 4 CNY_E8 src=report pub=2024-01-01",
      "gdp 310105 2024 target - CNY_E8 s=W src=report pub=2024-03-01",
      "gdp 310105 2024 level 3 CNY_E8"},
     "i=gdp p=310105 t=2024 x=target",
     "310105 2024 target P - CNY_E8 W -- withdrawn by report on 2024-03-01\n"
     "310105 2024 target_progress C - percent W 1/1 -- target for 2024: withdrawn by report on "
     "2024-03-01\n"
     "  not_known to 2024 -- target for 2024: withdrawn by report on 2024-03-01\n"
     "  actual 3 CNY_E8 [2.5, 3.5]\n"
     "  left - -- the target has no number\n"
     "  time 100.00 percent [100, 100]\n"
     "  pace, pace_seasonal, run_rate, growth_required - -- the target has no number\n"
     "  expected 3.0 CNY_E8 [2.5, 3.5]\n"},
    {"without a relation, what was new serves where no level is",
     {"housing 310105 2021/2022 target 100 count_tao",
      "housing 310105 2021 count_of_change 30 count_tao",
      "housing 310105 2022 count_of_change 20 count_tao"},
     "i=housing p=310105 t=all x=target",
     "310105 2021/2022 target P 100 count_tao\n"
     "310105 2021/2022 target_progress C 50.00 percent [50, 50] 2/2 -- 50 of 100 套\n"
     "  missed to 2022 -- 50.00% of plan at the end of the horizon\n"
     "  actual 50 count_tao [50, 50]\n"
     "  left 50 count_tao [50, 50]\n"
     "  time 100.00 percent [100, 100]\n"
     "  pace 0.50 ratio [0.5, 0.5]\n"
     "  pace_seasonal - -- the horizon is not within a year\n"
     "  run_rate, growth_required - -- the horizon is over\n"
     "  expected 50.00 count_tao [50, 50]\n"},
    {"a year's target and months from January, with the year before",
     {"gdp 310105 2024 target 2400.0 CNY_E8", "gdp 310105 2024-05 level 1000.0 CNY_E8 acc=C",
      "gdp 310105 2024-06 level 1250.0 CNY_E8 acc=C s=P",
      "gdp 310105 2023-06 level 1190.0 CNY_E8 acc=C", "gdp 310105 2023 level 2250.0 CNY_E8"},
     "i=gdp p=310105 t=2024 x=target",
     "310105 2024 target P 2400.0 CNY_E8\n"
     "310105 2024 target_progress C 52.08 percent P [52.08125, 52.08542] 1/1 -- 1,250.0 of 2,400.0 "
     "亿元\n"
     "  on_track to 2024-06 per M -- 52.08% of plan with 50% of the time gone; seasonal pace 0.98\n"
     "  actual 1250.0 CNY_E8 [1249.95, 1250.05]\n"
     "  left 1150.0 CNY_E8 [1149.95, 1150.05]\n"
     "  time 50.00 percent [50, 50]\n"
     "  pace 1.04 ratio [1.041625, 1.041708]\n"
     "  pace_seasonal 0.98 ratio [0.9846663, 0.9848716]\n"
     "  run_rate 191.667 CNY_E8 [191.6583, 191.675]\n"
     "  growth_required 8.49 percent [8.475616, 8.505519]\n"
     "  expected 2500.00 CNY_E8 [2499.9, 2500.1]\n"},
    {"whatever the question says of frequency",
     {"gdp 310105 2024 target 2400.0 CNY_E8", "gdp 310105 2024-06 level 1250.0 CNY_E8 acc=C",
      "gdp 310105 2023-Q1 level 500.0 CNY_E8", "gdp 310105 2023-Q2 level 600.0 CNY_E8",
      "gdp 310105 2023-12 level 2500.0 CNY_E8 acc=C"},
     "i=gdp p=310105 t=2024 x=target freq=A acc=P",
     "310105 2024 target P 2400.0 CNY_E8\n"
     "310105 2024 target_progress C 52.08 percent [52.08125, 52.08542] 1/1 -- 1,250.0 of 2,400.0 "
     "亿元\n"
     "  on_track to 2024-06 per M -- 52.08% of plan with 50% of the time gone; seasonal pace 1.18\n"
     "  actual 1250.0 CNY_E8 [1249.95, 1250.05]\n"
     "  left 1150.0 CNY_E8 [1149.95, 1150.05]\n"
     "  time 50.00 percent [50, 50]\n"
     "  pace 1.04 ratio [1.041625, 1.041708]\n"
     "  pace_seasonal 1.18 ratio [1.183534, 1.183891]\n"
     "  run_rate 191.667 CNY_E8 [191.6583, 191.675]\n"
     "  growth_required -17.86 percent [-17.86951, -17.84477]\n"
     "  expected 2500.00 CNY_E8 [2499.9, 2500.1]\n"},
    {"quarters one by one, as far as they follow each other",
     {"gdp 310105 2024 target 100 CNY_E8", "gdp 310105 2024-Q1 level 20 CNY_E8",
      "gdp 310105 2024-Q2 level 25 CNY_E8", "gdp 310105 2024-Q4 level 25 CNY_E8"},
     "i=gdp p=310105 t=2024 x=target",
     "310105 2024 target P 100 CNY_E8\n"
     "310105 2024 target_progress C 45.00 percent [44, 46] 1/1 -- 45 of 100 亿元\n"
     "  behind to 2024-Q2 per Q -- 45.00% of plan with 50% of the time gone; pace 0.90\n"
     "  actual 45 CNY_E8 [44, 46]\n"
     "  left 55 CNY_E8 [54, 56]\n"
     "  time 50.00 percent [50, 50]\n"
     "  pace 0.90 ratio [0.88, 0.92]\n"
     "  pace_seasonal - -- the year before is not known to the same period and in whole\n"
     "  run_rate 27.5 CNY_E8 [27, 28]\n"
     "  growth_required - -- the year before is not known to the same period and in whole\n"
     "  expected 90 CNY_E8 [88, 92]\n"},
    {"a plan of years, the newest of which is not over",
     {"gdp 310105 2021/2025 target 1000 CNY_E8", "gdp 310105 2021 level 190 CNY_E8",
      "gdp 310105 2022-09 level 150 CNY_E8 acc=C", "gdp 310105 2023-06 level 90 CNY_E8 acc=C"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2021/2025 target P 1000 CNY_E8\n"
     "310105 2021/2025 target_progress C 28.00 percent more_than [27.9, inf] 2/3 -- 280 of 1,000 "
     "亿元; 2022 has no value\n"
     "  not_known to 2023-06 per M -- over 28.00% of plan with 50% of the time gone; pace over "
     "0.56; not decided without 2022\n"
     "  actual 280 CNY_E8 more_than [279, inf]\n"
     "  left 720 CNY_E8 less_than [-inf, 721]\n"
     "  time 50.00 percent [50, 50]\n"
     "  pace 0.56 ratio more_than [0.558, inf]\n"
     "  pace_seasonal - -- the horizon is not within a year\n"
     "  run_rate 24.00 CNY_E8 less_than [-inf, 24.03333]\n"
     "  growth_required - -- the horizon is not within a year\n"
     "  expected 560.00 CNY_E8 more_than [558, inf]\n"},
    {"what was published of the year goes first",
     {"gdp 310105 2023 target 600.0 CNY_E8", "gdp 310105 2023 level 590.0 CNY_E8",
      "gdp 310105 2023-12 level 610.0 CNY_E8 acc=C"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target P 600.0 CNY_E8\n"
     "310105 2023 target_progress C 98.33 percent [98.325, 98.34167] 1/1 -- 590.0 of 600.0 亿元\n"
     "  missed to 2023 -- 98.33% of plan at the end of the horizon\n"
     "  actual 590.0 CNY_E8 [589.95, 590.05]\n"
     "  left 10.0 CNY_E8 [9.95, 10.05]\n"
     "  time 100.00 percent [100, 100]\n"
     "  pace 0.98 ratio [0.98325, 0.9834167]\n"
     "  pace_seasonal - -- the year before is not known to the same period and in whole\n"
     "  run_rate, growth_required - -- the horizon is over\n"
     "  expected 590.00 CNY_E8 [589.95, 590.05]\n"},
    {"a target from January on",
     {"gdp 310105 2024-09 target 1800 CNY_E8 acc=C", "gdp 310105 2024-06 level 1250 CNY_E8 acc=C"},
     "i=gdp p=310105 t=2024-09 x=target",
     "310105 2024-09 target acc=C P 1800 CNY_E8\n"
     "310105 2024-09 target_progress acc=C C 69.44 percent [69.41667, 69.47222] 1/1 -- 1,250 of "
     "1,800 亿元\n"
     "  on_track to 2024-06 per M -- 69.44% of plan with 66.67% of the time gone; pace 1.04\n"
     "  actual 1250 CNY_E8 [1249.5, 1250.5]\n"
     "  left 550 CNY_E8 [549.5, 550.5]\n"
     "  time 66.67 percent [66.66667, 66.66667]\n"
     "  pace 1.04 ratio [1.04125, 1.042083]\n"
     "  pace_seasonal - -- the year before is not known to the same period and in whole\n"
     "  run_rate 183.3 CNY_E8 [183.1667, 183.5]\n"
     "  growth_required - -- the year before is not known to the same period and in whole\n"
     "  expected 1875.0 CNY_E8 [1874.25, 1875.75]\n"},
    {"at least is a number to reach",
     {"gdp 310105 2023 target./growth_yoy 5.5 percent q=at_least",
      "gdp 310105 2023-09 growth_yoy 5.5 percent acc=C",
      "gdp 310105 2023-11 growth_yoy 9.9 percent"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target./growth_yoy P 5.5 percent at_least\n"
     "310105 2023 target_progress./growth_yoy C 100.00 percent [99.09091, 100.9091] 1/1 -- 5.5 of "
     "不低于 5.5%\n"
     "  on_track to 2023-09 -- 5.5% against 5.5% with 75% of the time gone\n"
     "  actual 5.5 percent [5.45, 5.55]\n"
     "  left 0.0 pp [-0.05, 0.05]\n"
     "  time 75.00 percent [75, 75]\n"
     "  pace - -- it does not build up over time\n"
     "  pace_seasonal, run_rate - -- it does not add up over time\n"
     "  growth_required - -- a ratio changes by points\n"
     "  expected - -- it does not build up over time\n"},
    {"at most is a limit",
     {"gdp 310105 2024 target 100.0 CNY_E8 q=at_most",
      "gdp 310105 2024-Q3 level 80.0 CNY_E8 acc=C"},
     "i=gdp p=310105 t=2024 x=target",
     "310105 2024 target P 100.0 CNY_E8 at_most\n"
     "310105 2024 target_progress C 80.00 percent [79.95, 80.05] 1/1 -- 80.0 of 不超过 100.0 亿元\n"
     "  behind to 2024-Q3 per Q -- 80.00% of the limit with 75% of the time gone; pace 1.07\n"
     "  actual 80.0 CNY_E8 [79.95, 80.05]\n"
     "  left 20.0 CNY_E8 [19.95, 20.05]\n"
     "  time 75.00 percent [75, 75]\n"
     "  pace 1.07 ratio [1.066, 1.067333]\n"
     "  pace_seasonal - -- the year before is not known to the same period and in whole\n"
     "  run_rate 20.00 CNY_E8 [19.95, 20.05]\n"
     "  growth_required - -- the year before is not known to the same period and in whole\n"
     "  expected 106.67 CNY_E8 [106.6, 106.7333]\n"},
    {"past a limit",
     {"gdp 310105 2024 target 100.0 CNY_E8 q=less_than",
      "gdp 310105 2024-Q3 level 101.0 CNY_E8 acc=C q=more_than"},
     "i=gdp p=310105 t=2024 x=target",
     "310105 2024 target P 100.0 CNY_E8 less_than\n"
     "310105 2024 target_progress C 101.00 percent more_than [101, inf] 1/1 -- 101.0 of 不足 100.0 "
     "亿元\n"
     "  missed to 2024-Q3 -- over 101.00% of the limit with 75% of the time gone\n"
     "  actual 101.0 CNY_E8 more_than [101, inf]\n"
     "  left -1.0 CNY_E8 less_than [-inf, -1]\n"
     "  time 75.00 percent [75, 75]\n"
     "  pace 1.34 ratio more_than [1.346667, inf]\n"
     "  pace_seasonal - -- the year before is not known to the same period and in whole\n"
     "  run_rate, growth_required - -- the limit is passed\n"
     "  expected 134.666 CNY_E8 more_than [134.6667, inf]\n"},
    {"a stock on its way, by months and in other units",
     {"pop 310105 2021/2025 target 70.0 persons_E4", "pop 310105 2020-12 level 65.0 persons_E4",
      "pop 310105 2022 level 66.0 persons_E4", "pop 310105 2023-06 level 670000 persons q=about"},
     "i=pop p=310105 t=2023 x=target",
     "310105 2021/2025 target P 70.0 persons_E4\n"
     "310105 2021/2025 target_progress C 95.71 percent about [94.28571, 97.14286] 2/3 -- 67.0000 "
     "of 70.0 万人\n"
     "  not_known to 2023-06 -- about 95.71% of plan with 50% of the time gone; pace about 0.8; "
     "bounds do not decide it\n"
     "  actual 67.0000 persons_E4 about [66, 68]\n"
     "  left 3.0000 persons_E4 about [2, 4]\n"
     "  time 50.00 percent [50, 50]\n"
     "  pace 0.8 ratio about [0.3762376, 1.232323]\n"
     "  pace_seasonal, run_rate - -- it does not add up over time\n"
     "  growth_required 1.8 percent about [1.16625, 2.381536]\n"
     "  expected 69 persons_E4 about [66.95, 71.05]\n"},
    {"an average is not told by its months",
     {"pm25 310105 2023/2025 target 30.0 index", "pm25 310105 2022 level 36.0 index",
      "pm25 310105 2023 level 34.5 index", "pm25 310105 2024-06 level 20.0 index"},
     "i=pm25 p=310105 t=2023 x=target",
     "310105 2023/2025 target P 30.0 index\n"
     "310105 2023/2025 target_progress C 115.00 percent [114.8333, 115.1667] 1/1 -- 34.5 of 30.0\n"
     "  behind to 2023 -- 115.00% of the limit with 33.33% of the time gone; pace 0.75\n"
     "  actual 34.5 index [34.45, 34.55]\n"
     "  left -4.5 index [-4.55, -4.45]\n"
     "  time 33.33 percent [33.33333, 33.33333]\n"
     "  pace 0.75 ratio [0.6942149, 0.8067227]\n"
     "  pace_seasonal, run_rate - -- it does not add up over time\n"
     "  growth_required -6.75 percent [-6.817019, -6.681873]\n"
     "  expected 31.5 index [31.25, 31.75]\n"},
    {"a ratio is left in points",
     {"urban_rate 310105 2021/2025 target 90.0 percent",
      "urban_rate 310105 2020 level 86.0 percent",
      "urban_rate 310105 2023 level 89.0 percent q=more_than"},
     "i=urban_rate p=310105 t=2023 x=target",
     "310105 2021/2025 target P 90.0 percent\n"
     "310105 2021/2025 target_progress C 98.88 percent more_than [98.88889, inf] 1/3 -- 89.0 of "
     "90.0%\n"
     "  on_track to 2023 -- over 98.88% of plan with 60% of the time gone; pace over 1.25\n"
     "  actual 89.0 percent more_than [89, inf]\n"
     "  left 1.0 pp less_than [-inf, 1]\n"
     "  time 60.00 percent [60, 60]\n"
     "  pace 1.25 ratio more_than [1.213992, inf]\n"
     "  pace_seasonal, run_rate - -- it does not add up over time\n"
     "  growth_required - -- a ratio changes by points\n"
     "  expected 91.000 percent more_than [90.96667, inf]\n"},
    {"a share of something named",
     {"gdp 310105 2025 target.@310000/share_of 5.0 percent",
      "gdp 310105 2025 share_of.@310000 5.1 percent", "gdp 310105 2025 share_of 9.9 percent"},
     "i=gdp p=310105 t=2025 x=target",
     "310105 2025 target.@310000/share_of P 5.0 percent\n"
     "310105 2025 target_progress.@310000/share_of C 102.00 percent [101, 103] 1/1 -- 5.1 of 5.0%\n"
     "  reached to 2025 -- 102.00% of plan at the end of the horizon\n"
     "  actual 5.1 percent [5.05, 5.15]\n"
     "  left -0.1 pp [-0.15, -0.05]\n"
     "  time 100.00 percent [100, 100]\n"
     "  pace - -- the value before the horizon is not known\n"
     "  pace_seasonal, run_rate - -- it does not add up over time\n"
     "  growth_required - -- a ratio changes by points\n"
     "  expected - -- the value before the horizon is not known\n"},
    {"the first place is the best",
     {"gdp 310105 2023 target.@310000/rank 3 rank", "gdp 310105 2023 rank.@310000 5 rank"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target.@310000/rank P 3 rank\n"
     "310105 2023 target_progress.@310000/rank C 166.67 percent [166.6667, 166.6667] 1/1 -- 5 of "
     "第 3 位\n"
     "  missed to 2023 -- no. 5 against no. 3 at the end of the horizon\n"
     "  actual 5 rank [5, 5]\n"
     "  left -2 rank [-2, -2]\n"
     "  time 100.00 percent [100, 100]\n"
     "  pace - -- it does not build up over time\n"
     "  pace_seasonal, run_rate - -- it does not add up over time\n"
     "  growth_required, expected - -- it does not build up over time\n"},
    {"a planned fall has no percent",
     {"pm25 310105 2023 target./growth_yoy -5.0 percent",
      "pm25 310105 2023 growth_yoy -4.0 percent"},
     "i=pm25 p=310105 t=2023 x=target",
     "310105 2023 target./growth_yoy P -5.0 percent\n"
     "310105 2023 target_progress./growth_yoy C - percent M 1/1 -- the target is negative\n"
     "  missed to 2023 -- -4.0% against -5.0% at the end of the horizon\n"
     "  actual -4.0 percent [-4.05, -3.95]\n"
     "  left -1.0 pp [-1.05, -0.95]\n"
     "  time 100.00 percent [100, 100]\n"
     "  pace - -- it does not build up over time\n"
     "  pace_seasonal, run_rate - -- it does not add up over time\n"
     "  growth_required - -- a ratio changes by points\n"
     "  expected - -- it does not build up over time\n"},
    {"a target that is about",
     {"gdp 310105 2023 target 600 CNY_E8 q=about", "gdp 310105 2023 level 610 CNY_E8"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023 target P 600 CNY_E8 about\n"
     "310105 2023 target_progress C 101.67 percent about [87.07143, 122.1] 1/1 -- 610 of 约 600 "
     "亿元\n"
     "  not_known to 2023 -- about 101.67% of plan at the end of the horizon; bounds do not decide "
     "it\n"
     "  actual 610 CNY_E8 [609.5, 610.5]\n"
     "  left -10 CNY_E8 about [-110.5, 90.5]\n"
     "  time 100.00 percent [100, 100]\n"
     "  pace 1.0 ratio about [0.8707143, 1.221]\n"
     "  pace_seasonal - -- the year before is not known to the same period and in whole\n"
     "  run_rate, growth_required - -- the horizon is over\n"
     "  expected 610.0 CNY_E8 [609.5, 610.5]\n"},
    {"under",
     {"gdp 310105 2021/2025 target 1000 CNY_E8", "gdp 310105 2021 level 90 CNY_E8 q=less_than",
      "gdp 310105 2022 level 100.0 CNY_E8"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2021/2025 target P 1000 CNY_E8\n"
     "310105 2021/2025 target_progress C 19.00 percent less_than [-inf, 19.005] 2/2 -- 190.0 of "
     "1,000 亿元\n"
     "  behind to 2022 per A -- under 19.00% of plan with 40% of the time gone; pace under 0.48\n"
     "  actual 190.0 CNY_E8 less_than [-inf, 190.05]\n"
     "  left 810.0 CNY_E8 more_than [809.95, inf]\n"
     "  time 40.00 percent [40, 40]\n"
     "  pace 0.48 ratio less_than [-inf, 0.475125]\n"
     "  pace_seasonal - -- the horizon is not within a year\n"
     "  run_rate 270.000 CNY_E8 more_than [269.9833, inf]\n"
     "  growth_required - -- the horizon is not within a year\n"
     "  expected 475.000 CNY_E8 less_than [-inf, 475.125]\n"},
    {"what does not fit has no number",
     {"gdp 310105 2023/2024 target 1 CNY", "gdp 310105 2023 level 999999999999999999 CNY_E9"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 2023/2024 target P 1 CNY\n"
     "310105 2023/2024 target_progress C - percent M 1/1 -- values and target do not compare\n"
     "  reached to 2023 -- 999,999,999,999,999,999,000,000,000 yuan against 1 yuan with 50% of the "
     "time gone\n"
     "  actual 999999999999999999000000000 CNY [1e+27, 1e+27]\n"
     "  left - -- the number does not fit\n"
     "  time 50.00 percent [50, 50]\n"
     "  pace 2000000000000000000000000000 ratio [2e+27, 2e+27]\n"
     "  pace_seasonal - -- the horizon is not within a year\n"
     "  run_rate, growth_required - -- nothing is left\n"
     "  expected 2000000000000000000000000000 CNY [2e+27, 2e+27]\n"},
    {"weeks make up weeks alone",
     {"gdp 310105 2024-W01/2024-W10 target 100 CNY_E8", "gdp 310105 2024-W01 level 10 CNY_E8",
      "gdp 310105 2024-W02 level 10 CNY_E8", "gdp 310105 2024-01 level 90 CNY_E8"},
     "i=gdp p=310105 t=2024-W02 x=target",
     "310105 2024-W01/2024-W10 target P 100 CNY_E8\n"
     "310105 2024-W01/2024-W10 target_progress C 20.00 percent [19, 21] 2/2 -- 20 of 100 亿元\n"
     "  on_track to 2024-W02 per W -- 20.00% of plan with 20% of the time gone; pace 1.00\n"
     "  actual 20 CNY_E8 [19, 21]\n"
     "  left 80 CNY_E8 [79, 81]\n"
     "  time 20.00 percent [20, 20]\n"
     "  pace 1.00 ratio [0.95, 1.05]\n"
     "  pace_seasonal - -- the year before is not known to the same period and in whole\n"
     "  run_rate 10.0 CNY_E8 [9.875, 10.125]\n"
     "  growth_required - -- the year before is not known to the same period and in whole\n"
     "  expected 100 CNY_E8 [95, 105]\n"},
    {"a horizon of more months than a run may have",
     {"gdp 310105 1001/2023 target 100 CNY_E8", "gdp 310105 2023 target 5 CNY_E8",
      "gdp 310105 2023-06 level 2 CNY_E8 acc=C"},
     "i=gdp p=310105 t=1500 x=target",
     "310105 1001/2023 target P 100 CNY_E8\n"
     "310105 1001/2023 target_progress C - percent O -- no level for 1001/2023\n"
     "  not_known -- no level for 1001/2023\n"
     "  actual, left, time, pace, pace_seasonal, run_rate, growth_required, expected - -- what was "
     "reached is not known\n"},
    {"and one whose months are read for another",
     {"gdp 310105 1001/2023 target 100 CNY_E8", "gdp 310105 2023 target 5 CNY_E8",
      "gdp 310105 2023-06 level 2 CNY_E8 acc=C"},
     "i=gdp p=310105 t=2023 x=target",
     "310105 1001/2023 target P 100 CNY_E8\n"
     "310105 1001/2023 target_progress C - percent O -- no level for 1001/2023\n"
     "  not_known -- no level for 1001/2023\n"
     "  actual, left, time, pace, pace_seasonal, run_rate, growth_required, expected - -- what was "
     "reached is not known\n"
     "310105 2023 target P 5 CNY_E8\n"
     "310105 2023 target_progress C 40.00 percent [30, 50] 1/1 -- 2 of 5 亿元\n"
     "  behind to 2023-06 per M -- 40.00% of plan with 50% of the time gone; pace 0.8\n"
     "  actual 2 CNY_E8 [1.5, 2.5]\n"
     "  left 3 CNY_E8 [2.5, 3.5]\n"
     "  time 50.00 percent [50, 50]\n"
     "  pace 0.8 ratio [0.6, 1]\n"
     "  pace_seasonal - -- the year before is not known to the same period and in whole\n"
     "  run_rate 0.50 CNY_E8 [0.4166667, 0.5833333]\n"
     "  growth_required - -- the year before is not known to the same period and in whole\n"
     "  expected 4 CNY_E8 [3, 5]\n"},
    {"the first year there is",
     {"gdp 310105 0001 target 100 CNY_E8", "gdp 310105 0001-06 level 50 CNY_E8 acc=C"},
     "i=gdp p=310105 t=all x=target",
     "310105 0001 target P 100 CNY_E8\n"
     "310105 0001 target_progress C 50.00 percent [49.5, 50.5] 1/1 -- 50 of 100 亿元\n"
     "  on_track to 0001-06 per M -- 50.00% of plan with 50% of the time gone; pace 1.00\n"
     "  actual 50 CNY_E8 [49.5, 50.5]\n"
     "  left 50 CNY_E8 [49.5, 50.5]\n"
     "  time 50.00 percent [50, 50]\n"
     "  pace 1.00 ratio [0.99, 1.01]\n"
     "  pace_seasonal - -- the year before is not known to the same period and in whole\n"
     "  run_rate 8.33 CNY_E8 [8.25, 8.416667]\n"
     "  growth_required - -- the year before is not known to the same period and in whole\n"
     "  expected 100 CNY_E8 [99, 101]\n"},
};

int main(void)
{
    return world_run(examples, ALM_ARRAY_LEN(examples), NULL, 0);
}
