// Growth year on year: every reason there can be no number, exactness, intervals; and against
// rational arithmetic on random values.
#include "test_examples.h"

#include "computed.h"

#include <inttypes.h>
#include <math.h>

static const world_example examples[] = {
    {"two bounds make no bound",
     {"gdp 310105 2022 level 200 CNY_E8 q=more_than",
      "gdp 310105 2023 level 300 CNY_E8 q=more_than"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C 50.00 percent about [-100, inf]\n"},
    {"the base is outside the window",
     {"gdp 310105 2022 level 150.00 CNY_E8", "gdp 310105 2023 level 169.50 CNY_E8"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C 13.00 percent [12.9929, 13.0071]\n"},
    {"units are brought together",
     {"gdp 310105 2022 level 1500000 CNY_E4", "gdp 310105 2023 level 169.50 CNY_E8"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C 13.00 percent [12.99663, 13.00337]\n"},
    {"no base",
     {"gdp 310105 2023 level 169.50 CNY_E8"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C - percent O -- no level for 2022\n"},
    {"no base but a published growth",
     {"gdp 310105 2023 level 169.50 CNY_E8", "gdp 310105 2023 growth_yoy 13 percent"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy P 13 percent\n"
     "310105 2023 growth_yoy C - percent O -- no level for 2022; published growth is 13%\n"},
    {"only a published growth",
     {"gdp 310105 2023 growth_yoy 13 percent q=about"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy P 13 percent about\n"
     "310105 2023 growth_yoy C - percent O -- no level for 2023; published growth is about 13%\n"},
    {"computed beside published",
     {"gdp 310105 2022 level 150.00 CNY_E8", "gdp 310105 2023 level 169.50 CNY_E8",
      "gdp 310105 2023 growth_yoy 13 percent"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy P 13 percent\n"
     "310105 2023 growth_yoy C 13.00 percent [12.9929, 13.0071]\n"},
    {"nothing at all",
     {NULL},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C - percent O -- no level for 2023\n"},
    {"base zero",
     {"gdp 310105 2022 level 0 CNY_E8", "gdp 310105 2023 level 169.50 CNY_E8"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C - percent M -- base is zero\n"},
    {"base negative",
     {"gdp 310105 2022 level -1 CNY_E8", "gdp 310105 2023 level 169.50 CNY_E8"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C - percent M -- base is negative\n"},
    {"a base that was suppressed",
     {"gdp 310105 2022 level - CNY_E8 s=Q", "gdp 310105 2023 level 169.50 CNY_E8"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C - percent Q -- level for 2022: missing, suppressed\n"},
    {"a base that was withdrawn",
     {"gdp 310105 2022 level 150 CNY_E8 src=yearbook pub=2023-12-01",
      "gdp 310105 2022 level - CNY_E8 s=W src=yearbook pub=2024-02-01",
      "gdp 310105 2023 level 169.50 CNY_E8"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C - percent W -- level for 2022: withdrawn by yearbook on "
     "2024-02-01\n"},
    {"the worst status and an open interval travel",
     {"gdp 310105 2022 level 150 CNY_E8 s=P", "gdp 310105 2023 level 200 CNY_E8 q=more_than s=E"},
     "i=gdp p=310105 t=2023 x=growth",
     "310105 2023 growth_yoy C 33.33 percent more_than E [32.89037, inf]\n"},
    {"months go by the calendar",
     {"gdp 310105 2023-02 level 10.0 CNY_E8", "gdp 310105 2024-02 level 11.0 CNY_E8",
      "gdp 310105 2024-01 level 9.0 CNY_E8"},
     "i=gdp p=310105 t=2024-02 x=growth",
     "310105 2024-02 growth_yoy C 10 percent [8.955224, 11.05528]\n"},
    {"latest is the newest of level and published growth",
     {"gdp 310105 2021 level 100.0 CNY_E8", "gdp 310105 2022 level 110.0 CNY_E8",
      "gdp 310105 2023 growth_yoy 5 percent"},
     "i=gdp p=310105 t=latest x=growth",
     "310105 2023 growth_yoy P 5 percent\n"
     "310105 2023 growth_yoy C - percent O -- no level for 2023; published growth is 5%\n"},
    {"last two reach back three years",
     {"gdp 310105 2020 level 100.0 CNY_E8", "gdp 310105 2021 level 110.0 CNY_E8",
      "gdp 310105 2022 level 121.0 CNY_E8"},
     "i=gdp p=310105 t=last:2 x=growth",
     "310105 2021 growth_yoy C 10.0 percent [9.895052, 10.10505]\n"
     "310105 2022 growth_yoy C 10.00 percent [9.904589, 10.0955]\n"},
    {"cumulative and period do not mix",
     {"gdp 310105 2022-06 level 100.0 CNY_E8 acc=C", "gdp 310105 2023-06 level 110.0 CNY_E8"},
     "i=gdp p=310105 t=2023-06 x=growth",
     "310105 2023-06 growth_yoy C - percent O -- no level for 2022-06\n"},
    {"of another measure the relation says so",
     {"housing 310105 2022 count_of_change 1000 count_tao",
      "housing 310105 2023 count_of_change 1250 count_tao",
      "housing 310105 2023 growth_yoy 99 percent"},
     "i=housing p=310105 t=2023 m=count_of_change x=growth",
     "310105 2023 growth_yoy./count_of_change C 25.00 percent [25, 25]\n"},
    {"a rate has no growth",
     {"urban_rate 310105 2022 level 80.0 percent", "urban_rate 310105 2023 level 90.0 percent"},
     "i=urban_rate p=310105 t=2023 x=growth",
     "! urban_rate FAILED_PRECONDITION pc1 does not apply to a ratio: it changes by points; ask "
     "for "
     "chg, ch1 or chy\n"},
    {"the year 1 has no year before",
     {"gdp 310105 0001 level 1 CNY_E8"},
     "i=gdp p=310105 t=0001 x=growth",
     "310105 0001 growth_yoy C - percent M -- the year before has no such period\n"},
    {"as it was known then",
     {"gdp 310105 2022 level 150.00 CNY_E8 pub=2023-01-20",
      "gdp 310105 2023 level 160.00 CNY_E8 pub=2024-01-20",
      "gdp 310105 2023 level 180.00 CNY_E8 pub=2025-01-20"},
     "i=gdp p=310105 t=2023 x=growth as_of=2024-06-30",
     "310105 2023 growth_yoy C 6.67 percent [6.659778, 6.673556]\n"},
    {"a place that had ended is not asked",
     {"gdp 310106 2023 level 1 CNY_E8"},
     "i=gdp p=310108 t=2023 x=growth",
     ""},
};

// (now / base - 1) x 100 with two decimals, half to even, in whole numbers: the remainder decides.
static int64_t slow_growth(int64_t now, int64_t base)
{
    __int128 scaled = (__int128)now * 10000;
    __int128 quotient = scaled / base;
    __int128 rest = scaled % base;
    if (rest < 0) {
        quotient--;
        rest += base;
    }
    if (rest * 2 > base || (rest * 2 == base && quotient % 2 != 0)) {
        quotient++;
    }
    return (int64_t)(quotient - 10000);
}

static void agrees_with_whole_numbers(void **unused)
{
    (void)unused;
    world_random random = world_random_start();
    for (int i = 0; i < 200000; i++) {
        int64_t magnitude = INT64_C(1) << world_random_below(&random, 40);
        int64_t now = (int64_t)world_random_below(&random, (uint64_t)magnitude) - magnitude / 8;
        int64_t base = (int64_t)world_random_below(&random, (uint64_t)magnitude) + 1;
        int exponent = -(int)world_random_below(&random, 4);
        int mult = (int)world_random_below(&random, 3) * 4;
        alm_unit unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8};
        // The same number in another unit: 4 more decimals for 10^4 as much.
        alm_value x = {.number = {now, (int8_t)(exponent - mult + 8)},
                       .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = (int8_t)mult},
                       .has_number = true};
        alm_value y = {.number = {base, (int8_t)exponent}, .unit = unit, .has_number = true};
        alm_percent percent;
        alm_ratio_result result = alm_percent_growth(&x, &y, &percent);
        alm_decimal got = percent.number;
        alm_interval interval = percent.interval;
        int64_t want = slow_growth(now, base);
        if (result != ALM_RATIO_OK || got.exponent != -2 || got.mantissa != want) {
            fail_msg("seed %" PRIu64 " round %d: %" PRId64 " / %" PRId64 " gives %" PRId64
                     ", want %" PRId64,
                     random.seed, i, now, base, got.mantissa, want);
        }
        double exact = ((double)now / (double)base - 1) * 100;
        bool holds =
            isinf(interval.upper) || (interval.lower <= exact + 1e-6 * fabs(exact) + 1e-9 &&
                                      interval.upper >= exact - 1e-6 * fabs(exact) - 1e-9);
        assert_true(holds);
    }
}

int main(void)
{
    const struct CMUnitTest others[] = {cmocka_unit_test(agrees_with_whole_numbers)};
    return world_run(examples, ALM_ARRAY_LEN(examples), others, ALM_ARRAY_LEN(others));
}
