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

// The rank of an entry against every other.
static void check_rank(const alm_ranked *entries, size_t count, size_t at, bool is_exact,
                       bool ascending, uint64_t seed)
{
    const alm_ranked *it = &entries[at];
    uint32_t better = 0, worse = 0, certainly = 0, possibly = 0;
    for (size_t k = 0; k < count; k++) {
        const alm_ranked *other = &entries[k];
        bool is_less = is_exact ? other->mantissa < it->mantissa : other->number < it->number;
        bool is_more = is_exact ? other->mantissa > it->mantissa : other->number > it->number;
        better += ascending ? is_less : is_more;
        worse += ascending ? is_more : is_less;
        certainly += ascending ? other->interval.upper < it->interval.lower
                               : other->interval.lower > it->interval.upper;
        possibly += k != at && (ascending ? other->interval.lower < it->interval.upper
                                          : other->interval.upper > it->interval.lower);
    }
    if (it->rank != better + 1 || it->worse != worse || it->rank_low != certainly + 1 ||
        it->rank_high != possibly + 1) {
        fail_msg("seed %" PRIu64 ", entry %zu of %zu: %u [%u, %u] %u, want %u [%u, %u] %u", seed,
                 at, count, it->rank, it->rank_low, it->rank_high, it->worse, better + 1,
                 certainly + 1, possibly + 1, worse);
    }
}

// Few are sorted by comparing them, many by bytes; both have ties, two zeros and negative numbers.
static void agrees_with_counting(void **unused)
{
    (void)unused;
    world_random random = world_random_start();
    alm_arena *arena = alm_arena_create(0);
    alm_status st = ALM_STATUS_INIT;
    for (int round = 0; round < 2000; round++) {
        size_t count = 1 + world_random_below(&random, round % 2 == 0 ? 40 : 200);
        bool ascending = world_random_below(&random, 2) == 0;
        bool is_exact = world_random_below(&random, 2) == 0;
        int64_t step = world_random_below(&random, 2) == 0 ? 1 : INT64_C(70000000001);
        alm_ranked entries[200];
        alm_ranking_room room;
        for (size_t i = 0; i < count; i++) {
            int64_t n = (int64_t)world_random_below(&random, 20) - 5;
            double half = (double)world_random_below(&random, 3) / 2;
            entries[i] = (alm_ranked){.mantissa = is_exact ? n * step : 0,
                                      .number = is_exact ? 0 : (double)(n * step) / 8,
                                      .interval = {(double)n - half, (double)n + half},
                                      .key = (uint32_t)i};
            if (n == 0 && half == 0) {
                entries[i].number = -0.0;
            }
        }
        assert_int_equal(alm_ranking_room_make(count, arena, &room, &st), ALM_OK);
        alm_ranking_set(entries, count, is_exact, ascending, &room);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(entries[i].key, i);
            check_rank(entries, count, i, is_exact, ascending, random.seed);
        }
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest others[] = {cmocka_unit_test(agrees_with_counting)};
    return world_run(examples, ALM_ARRAY_LEN(examples), others, ALM_ARRAY_LEN(others));
}
