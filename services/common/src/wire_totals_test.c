// Totals on the wire: what is written is read again, to the last of 128 bits, in as few elements as
// say it; and what stands for nothing is refused.
#include "alm/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

typedef Almanac__Internal__SumsResponse sums_response;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static __int128 wide(uint64_t *random)
{
    __int128 v = (__int128)(int64_t)next_random(random) * (int64_t)next_random(random);
    return next_random(random) % 2 == 0 ? v : (int64_t)(next_random(random) >> 50);
}

static alm_total random_total(uint64_t *random)
{
    uint64_t r = next_random(random);
    return (alm_total){.number = wide(random),
                       .below = wide(random),
                       .above = wide(random),
                       .present = (uint32_t)(r >> 40),
                       .source = (uint32_t)(r >> 30 & 3) - 1,
                       .published = (alm_date)(r >> 20 & 0xff),
                       .scale = (int8_t)(-19 - (int)(r % 9)),
                       .exponent = (int8_t)((int)(r % 37) - 18),
                       .status = (uint8_t)(r >> 8 & 7),
                       .is_inexact = r >> 1 & 1,
                       .is_open_below = r >> 2 & 1,
                       .is_open_above = r >> 3 & 1,
                       .is_not_over = r >> 4 & 1,
                       .is_not_under = r >> 5 & 1,
                       .is_too_large = r >> 6 & 1};
}

static bool same_total(const alm_total *a, const alm_total *b)
{
    return a->number == b->number && a->below == b->below && a->above == b->above &&
           a->present == b->present && a->source == b->source && a->published == b->published &&
           a->scale == b->scale && a->exponent == b->exponent && a->status == b->status &&
           a->is_inexact == b->is_inexact && a->is_open_below == b->is_open_below &&
           a->is_open_above == b->is_open_above && a->is_not_over == b->is_not_over &&
           a->is_not_under == b->is_not_under && a->is_too_large == b->is_too_large;
}

#define SLICES 5
#define GROUPS 7

typedef struct sample {
    alm_total totals[SLICES][GROUPS];
    alm_place_range missing[SLICES][3];
    alm_slice_totals slices[SLICES];
} sample;

static void make_sample(sample *s, uint64_t *random, bool is_uniform)
{
    alm_total one = random_total(random);
    for (size_t i = 0; i < SLICES; i++) {
        for (size_t g = 0; g < GROUPS; g++) {
            s->totals[i][g] = is_uniform ? one : random_total(random);
        }
        for (size_t m = 0; m < 3; m++) {
            alm_place_id from = (alm_place_id)(1000 * m + i);
            s->missing[i][m] = (alm_place_range){from, from + 1 + (alm_place_id)i};
        }
        s->slices[i] = (alm_slice_totals){
            .variant = i < 3 ? ALM_STR("A.gdp.P.level._Z._T") : ALM_STR("A.tax.P.level._Z._T"),
            .period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 2000 + (int)i},
            .totals = s->totals[i],
            .missing = s->missing[i],
            .missing_count = i % 4};
    }
}

static void assert_same(const sample *s, const alm_slice_totals *got, size_t count)
{
    assert_int_equal(count, SLICES);
    for (size_t i = 0; i < SLICES; i++) {
        assert_true(alm_str_eq(got[i].variant, s->slices[i].variant));
        assert_true(alm_period_eq(got[i].period, s->slices[i].period));
        assert_int_equal(got[i].missing_count, s->slices[i].missing_count);
        for (size_t m = 0; m < got[i].missing_count; m++) {
            assert_int_equal(got[i].missing[m].from, s->missing[i][m].from);
            assert_int_equal(got[i].missing[m].to, s->missing[i][m].to);
        }
        for (size_t g = 0; g < GROUPS; g++) {
            assert_true(same_total(&got[i].totals[g], &s->totals[i][g]));
        }
    }
}

static void are_read_as_they_were_written(void **state)
{
    (void)state;
    uint64_t random = 5;
    alm_arena *arena = alm_arena_create(0);
    for (int round = 0; round < 300; round++) {
        sample s;
        alm_slice_totals *got;
        size_t count;
        sums_response response = ALMANAC__INTERNAL__SUMS_RESPONSE__INIT;
        make_sample(&s, &random, round % 3 == 0);
        assert_int_equal(alm_slice_totals_write(s.slices, SLICES, GROUPS, arena, &response, NULL),
                         ALM_OK);
        if (round % 3 == 0) {
            assert_true(response.n_number <= 1 && response.n_flags <= 1);
        }
        assert_int_equal(alm_slice_totals_read(&response, GROUPS, arena, &got, &count, NULL),
                         ALM_OK);
        assert_same(&s, got, count);
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
}

// --- what is refused -----------------------------------------------------------------------------

static void break_period(sums_response *r)
{
    r->period[1] = UINT64_MAX;
}
static void break_slices(sums_response *r)
{
    r->n_period--;
}
static void break_runs(sums_response *r)
{
    r->n_missing_length--;
}
static void break_length(sums_response *r)
{
    r->n_number--;
}
static void break_variant(sums_response *r)
{
    static char text[] = "gdp";
    r->variants[3] = text;
}
static void break_first_variant(sums_response *r)
{
    static char text[] = "";
    r->variants[0] = text;
}
static void break_order(sums_response *r)
{
    r->missing_from[2] = 0;
}
static void break_count(sums_response *r)
{
    r->missing[4] = 1000;
}
static void break_status(sums_response *r)
{
    r->status[3] = ALM_OBS_STATUS_COUNT;
}
static void break_flags(sums_response *r)
{
    r->flags[3] = 64;
}
static void break_scale(sums_response *r)
{
    r->scale[3] = 19;
}
static void break_exponent(sums_response *r)
{
    r->exponent[3] = 19;
}
static void break_publication(sums_response *r)
{
    r->present[3] = 1;
    r->published[3] = ALM_DATE_NONE;
}

static void refuse_what_stands_for_nothing(void **state)
{
    static void (*const ways[])(sums_response *) = {
        break_period,        break_slices,   break_runs,       break_length, break_variant,
        break_first_variant, break_order,    break_count,      break_status, break_flags,
        break_scale,         break_exponent, break_publication};
    (void)state;
    uint64_t random = 6;
    alm_arena *arena = alm_arena_create(0);
    for (size_t i = 0; i < ALM_ARRAY_LEN(ways); i++) {
        sample s;
        alm_slice_totals *got;
        size_t count;
        sums_response response = ALMANAC__INTERNAL__SUMS_RESPONSE__INIT;
        make_sample(&s, &random, false);
        assert_int_equal(alm_slice_totals_write(s.slices, SLICES, GROUPS, arena, &response, NULL),
                         ALM_OK);
        ways[i](&response);
        if (alm_slice_totals_read(&response, GROUPS, arena, &got, &count, NULL) !=
            ALM_INVALID_ARGUMENT) {
            fail_msg("way %zu", i);
        }
    }
    alm_arena_destroy(&arena);
}

static void groups_are_read_as_they_were_written(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(0);
    const alm_group_range ranges[] = {
        {5, 6, 1}, {6, 20, 0}, {ALM_PLACE_NONE - 1, ALM_PLACE_NONE, 1}};
    const alm_member_span spans[] = {{5, ALM_DATE_NONE, 100}, {7, 3, ALM_DATE_MAX}};
    alm_total_groups groups = {.ranges = ranges,
                               .range_count = 3,
                               .group_count = 2,
                               .spans = spans,
                               .span_count = 2,
                               .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = -3}};
    alm_total_groups got;
    Almanac__Internal__SumsRequest request = ALMANAC__INTERNAL__SUMS_REQUEST__INIT;
    assert_int_equal(alm_total_groups_write(&groups, arena, &request, NULL), ALM_OK);
    assert_int_equal(alm_total_groups_read(&request, arena, &got, NULL), ALM_OK);
    assert_int_equal(got.range_count, 3);
    assert_memory_equal(got.ranges, ranges, sizeof ranges);
    assert_int_equal(got.span_count, 2);
    assert_memory_equal(got.spans, spans, sizeof spans);
    assert_int_equal(got.group_count, 2);
    assert_true(alm_unit_eq(got.unit, groups.unit));
    request.skip[2]++;
    assert_int_equal(alm_total_groups_read(&request, arena, &got, NULL), ALM_INVALID_ARGUMENT);
    alm_arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_read_as_they_were_written),
        cmocka_unit_test(refuse_what_stands_for_nothing),
        cmocka_unit_test(groups_are_read_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
