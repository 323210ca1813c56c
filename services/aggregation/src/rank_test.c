// Ranks: ties, direction, missing peers, validity; and against counting in a double loop.
#include "test_examples.h"

#include "ranking.h"

#include <inttypes.h>

static const world_example examples[] = {
    {"competition ranking across units",
     {"gdp 310101 2023 level 300.0 CNY_E8", "gdp 310104 2023 level 2000000 CNY_E4",
      "gdp 310105 2023 level 200.0 CNY_E8", "gdp 310106 2023 level 100.0 CNY_E8"},
     "i=gdp p=310000/*@district t=2023 x=rank",
     "310101 2023 rank.@310000 C 1 rank [1, 1] 4/4\n"
     "310104 2023 rank.@310000 C 2 rank [2, 3] 4/4\n"
     "310105 2023 rank.@310000 C 2 rank [2, 3] 4/4\n"
     "310106 2023 rank.@310000 C 4 rank [4, 4] 4/4\n"},
    {"of one place the peers are read too",
     {"gdp 310101 2023 level 300.0 CNY_E8", "gdp 310105 2023 level 200.0 CNY_E8",
      "gdp 310106 2023 level 100.0 CNY_E8", "gdp 310105 2023 rank.@310000 2 rank"},
     "i=gdp p=310105 t=2023 x=rank",
     "310105 2023 rank.@310000 P 2 rank\n"
     "310105 2023 rank.@310000 C 2 rank about [2, 3] 3/4 -- 1 of 4 peers have no value: 310104 "
     "徐汇区\n"},
    {"less is better",
     {"pm25 310101 2023 level 30 index", "pm25 310104 2023 level 28 index",
      "pm25 310105 2023 level 35 index", "pm25 310106 2023 level 31 index"},
     "i=pm25 p=310104,310105 t=2023 x=rank",
     "310104 2023 rank.@310000 C 1 rank [1, 1] 4/4\n"
     "310105 2023 rank.@310000 C 4 rank [4, 4] 4/4\n"},
    {"a place without a value has no rank",
     {"gdp 310101 2023 level 300.0 CNY_E8", "gdp 310104 2023 level - CNY_E8 s=L"},
     "i=gdp p=310104,310105 t=2023 x=rank",
     "310104 2023 rank.@310000 C - rank L 1/4 -- level for 2023: missing, not collected\n"
     "310105 2023 rank.@310000 C - rank O 1/4 -- no level for 2023\n"},
    {"peers are those of the period",
     {"gdp 310101 2014 level 300.0 CNY_E8", "gdp 310104 2014 level 200.0 CNY_E8",
      "gdp 310105 2014 level 100.0 CNY_E8", "gdp 310106 2014 level 50.0 CNY_E8",
      "gdp 310108 2014 level 150.0 CNY_E8"},
     "i=gdp p=310105 t=2014 x=rank",
     "310105 2014 rank.@310000 C 4 rank [4, 4] 5/5\n"},
    {"no direction is said",
     {"pop 310101 2023 level 60.0 persons_E4", "pop 310104 2023 level 110.0 persons_E4",
      "pop 310105 2023 level 69.0 persons_E4", "pop 310106 2023 level 97.0 persons_E4"},
     "i=pop p=310104 t=2023 x=rank",
     "310104 2023 rank.@310000 C 1 rank [1, 1] 4/4 -- ranked from the highest; neither more nor "
     "less is better\n"},
    {"a local place stands alone",
     {"gdp L310105001 2023 level 5.0 CNY_E8"},
     "i=gdp p=L310105001 t=2023 x=rank",
     "L310105001 2023 rank.@310105 C 1 rank [1, 1] 1/1 -- a local place has no siblings but "
     "itself\n"},
    {"of a published growth",
     {"gdp 310101 2023 growth_yoy 5.0 percent", "gdp 310104 2023 growth_yoy 0.051 ratio",
      "gdp 310105 2023 growth_yoy 4.9 percent", "gdp 310106 2023 growth_yoy 4.8 percent",
      "gdp 310104 2023 rank.@310000/growth_yoy 1 rank"},
     "i=gdp p=310104 t=2023 m=growth_yoy x=rank",
     "310104 2023 rank.@310000/growth_yoy P 1 rank\n"
     "310104 2023 rank.@310000/growth_yoy C 1 rank [1, 1] 4/4\n"},
    {"of a value that may be anywhere above",
     {"gdp 310101 2023 level 300.0 CNY_E8", "gdp 310104 2023 level 200 CNY_E8 q=more_than",
      "gdp 310105 2023 level 250.0 CNY_E8", "gdp 310106 2023 level 100.0 CNY_E8"},
     "i=gdp p=310104 t=2023 x=rank",
     "310104 2023 rank.@310000 C 3 rank about [1, 3] 4/4\n"},
    {"latest",
     {"gdp 310101 2022 level 1.0 CNY_E8", "gdp 310105 2022 level 2.0 CNY_E8",
      "gdp 310101 2023 level 5.0 CNY_E8", "gdp 310104 2022 level 3.0 CNY_E8",
      "gdp 310106 2022 level 0.5 CNY_E8"},
     "i=gdp p=310105 t=latest x=rank",
     "310105 2022 rank.@310000 C 2 rank [2, 2] 4/4\n"},
    {"among peers that are named",
     {"gdp 310101 2023 level 300.0 CNY_E8", "gdp 310105 2023 level 200.0 CNY_E8",
      "gdp 310105001 2023 level 250.0 CNY_E8", "gdp 310104 2023 level 900.0 CNY_E8"},
     "i=gdp p=310105,310104 t=2023 x=rank:310101,310105,310105001",
     "310105 2023 rank C 3 rank [3, 3] 3/3\n"
     "310104 2023 rank C - rank M -- 310104 is not among the peers\n"},
    {"peers of one level below",
     {"gdp 310101 2023 level 300.0 CNY_E8", "gdp 310104 2023 level 200.0 CNY_E8",
      "gdp 310105 2023 level 250.0 CNY_E8", "gdp 310106 2023 level 100.0 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rank:310000/*@district",
     "310105 2023 rank C 2 rank [2, 2] 4/4\n"},
    {"percentiles, ties are not worse",
     {"gdp 310101 2023 level 300.0 CNY_E8", "gdp 310104 2023 level 200.0 CNY_E8",
      "gdp 310105 2023 level 200.0 CNY_E8", "gdp 310106 2023 level 100.0 CNY_E8"},
     "i=gdp p=310000/*@district t=2023 x=percentile",
     "310101 2023 percentile.@310000 C 100.00 percent [100, 100] 4/4\n"
     "310104 2023 percentile.@310000 C 30 percent [33.33333, 66.66667] 4/4\n"
     "310105 2023 percentile.@310000 C 30 percent [33.33333, 66.66667] 4/4\n"
     "310106 2023 percentile.@310000 C 0.00 percent [0, 0] 4/4\n"},
    {"a percentile of one alone",
     {"gdp 310105 2023 level 200.0 CNY_E8"},
     "i=gdp p=310105 t=2023 x=percentile",
     "310105 2023 percentile.@310000 C - percent M 1/4 -- no other peer has a value\n"},
    {"unknown peers",
     {NULL},
     "i=gdp p=310105 t=2023 x=rank:310000/*@distrit",
     "INVALID_ARGUMENT transforms: place term '310000/*@distrit': unknown level 'distrit'\n"},
    {"a published rank alone",
     {"gdp 310105 2023 rank.@310000 3 rank"},
     "i=gdp p=310105 t=2023 x=rank",
     "310105 2023 rank.@310000 P 3 rank\n"
     "310105 2023 rank.@310000 C - rank O 0/4 -- no level for 2023; published rank is no. 3\n"},
};

static void agrees_with_counting(void **unused)
{
    (void)unused;
    world_random random = world_random_start();
    for (int round = 0; round < 2000; round++) {
        size_t count = 1 + world_random_below(&random, 40);
        bool ascending = world_random_below(&random, 2) == 0;
        bool is_exact = world_random_below(&random, 2) == 0;
        alm_ranked entries[40];
        alm_ranked sorted[40];
        double scratch[80];
        for (size_t i = 0; i < count; i++) {
            int64_t n = (int64_t)world_random_below(&random, 20) - 5;
            double half = (double)world_random_below(&random, 3) / 2;
            entries[i] = (alm_ranked){.mantissa = n,
                                      .number = (double)n / 8,
                                      .interval = {(double)n - half, (double)n + half},
                                      .key = (uint32_t)i};
            sorted[i] = entries[i];
        }
        alm_ranking_sort(sorted, count, is_exact, ascending, scratch);
        for (size_t s = 0; s < count; s++) {
            const alm_ranked *it = &entries[sorted[s].key];
            uint32_t better = 0, certainly = 0, possibly = 0;
            for (size_t k = 0; k < count; k++) {
                const alm_ranked *other = &entries[k];
                better +=
                    ascending ? other->mantissa < it->mantissa : other->mantissa > it->mantissa;
                certainly += ascending ? other->interval.upper < it->interval.lower
                                       : other->interval.lower > it->interval.upper;
                possibly +=
                    k != sorted[s].key && (ascending ? other->interval.lower < it->interval.upper
                                                     : other->interval.upper > it->interval.lower);
            }
            if (sorted[s].rank != better + 1 || sorted[s].rank_low != certainly + 1 ||
                sorted[s].rank_high != possibly + 1) {
                fail_msg("seed %" PRIu64 " round %d entry %zu: %u [%u, %u], want %u [%u, %u]",
                         random.seed, round, s, sorted[s].rank, sorted[s].rank_low,
                         sorted[s].rank_high, better + 1, certainly + 1, possibly + 1);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest others[] = {cmocka_unit_test(agrees_with_counting)};
    return world_run(examples, ALM_ARRAY_LEN(examples), others, ALM_ARRAY_LEN(others));
}
