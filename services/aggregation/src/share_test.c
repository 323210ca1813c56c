// Shares of the parent place: exactness, intervals, and every reason there can be none.
#include "test_examples.h"

static const world_example examples[] = {
    {"of the parent, in another unit, beside the published",
     {"gdp 310000 2023 level 4.72 CNY_E12", "gdp 310105 2023 level 1900.0 CNY_E8",
      "gdp 310105 2023 share_of.@310000 4.0 percent"},
     "i=gdp p=310105 t=2023 x=share",
     "310105 2023 share_of.@310000 P 4.0 percent\n"
     "310105 2023 share_of.@310000 C 4.03 percent [4.021058, 4.029799]\n"},
    {"no parent value",
     {"gdp 310105 2023 level 1900 CNY_E8"},
     "i=gdp p=310105 t=2023 x=share",
     "310105 2023 share_of.@310000 C - percent O -- no level for 310000 in 2023\n"},
    {"no own value",
     {"gdp 310000 2023 level 4.72 CNY_E12", "gdp 310105 2023 share_of.@310000 4 percent"},
     "i=gdp p=310105 t=2023 x=share",
     "310105 2023 share_of.@310000 P 4 percent\n"
     "310105 2023 share_of.@310000 C - percent O -- no level for 310105 in 2023; published share "
     "is 4%\n"},
    {"the parent is zero",
     {"gdp 310000 2023 level 0 CNY_E8", "gdp 310105 2023 level 0 CNY_E8"},
     "i=gdp p=310105 t=2023 x=share",
     "310105 2023 share_of.@310000 C - percent M -- level of 310000 is zero\n"},
    {"a root has no parent",
     {"gdp 310000 2023 level 1 CNY_E8"},
     "i=gdp p=310000 t=2023 x=share",
     "310000 2023 share_of C - percent M -- 310000 has no parent place\n"},
    {"a rate has no parts",
     {"urban_rate 310000 2023 level 89 percent", "urban_rate 310105 2023 level 100 percent"},
     "i=urban_rate p=310105 t=2023 x=share",
     "! urban_rate FAILED_PRECONDITION share does not apply to a ratio: it has no parts\n"},
    {"an index has no parts",
     {"pm25 310105 2023 level 28 index"},
     "i=pm25 p=310105 t=2023 x=share",
     "! pm25 FAILED_PRECONDITION share does not apply to an index: it has no parts\n"},
    {"over 2 of 3 is not over 66.67",
     {"gdp 310000 2023 level 3.0 CNY_E8", "gdp 310105 2023 level 2 CNY_E8 q=more_than"},
     "i=gdp p=310105 t=2023 x=share",
     "310105 2023 share_of.@310000 C 66.66 percent more_than [65.57377, inf]\n"},
    {"under 1 of 3 is not under 33.33",
     {"gdp 310000 2023 level 3.0 CNY_E8", "gdp 310105 2023 level 1 CNY_E8 q=less_than"},
     "i=gdp p=310105 t=2023 x=share",
     "310105 2023 share_of.@310000 C 33.34 percent less_than [-inf, 33.89831]\n"},
    {"over 50 of 200 is over a quarter",
     {"gdp 310000 2023 level 200.0 CNY_E8", "gdp 310105 2023 level 50 CNY_E8 q=more_than s=P"},
     "i=gdp p=310105 t=2023 x=share",
     "310105 2023 share_of.@310000 C 25.00 percent more_than P [24.99375, inf]\n"},
    {"each period has its own whole",
     {"gdp 310000 2022 level 100 CNY_E8", "gdp 310105 2022 level 10 CNY_E8",
      "gdp 310105 2023 level 12 CNY_E8"},
     "i=gdp p=310105 t=2022..2023 x=share",
     "310105 2022 share_of.@310000 C 10.0 percent [9.452736, 10.55276]\n"
     "310105 2023 share_of.@310000 C - percent O -- no level for 310000 in 2023\n"},
    {"each breakdown has its own whole",
     {"gdp 310000 2023 level 100 CNY_E8", "gdp 310105 2023 level 10 CNY_E8 by=industry=software"},
     "i=gdp p=310105 t=2023 by=* x=share",
     "310105 2023 share_of.@310000 by industry=software C - percent O -- no level for 310000 in "
     "2023\n"},
};

int main(void)
{
    return world_run(examples, ALM_ARRAY_LEN(examples), NULL, 0);
}
