// Lists of a series: whatever goes in comes out, every short one over an alphabet exhaustively and
// long ones at random; and no bytes give more than a refusal.
#include "deltas.h"

#include "alm/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { COUNT_MAX = 600 };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t assert_returns(const int64_t *values, size_t count, unsigned lag)
{
    uint64_t scratch[COUNT_MAX];
    int64_t got[COUNT_MAX];
    alm_buf buf;
    alm_buf_init(&buf, 0);
    alm_deltas_encode(values, count, lag, scratch, &buf);
    assert_false(buf.failed);
    alm_reader r = alm_reader_of(buf.data, buf.len);
    assert_true(alm_deltas_decode(&r, count, got));
    assert_int_equal(alm_reader_left(&r), 0);
    assert_memory_equal(got, values, count * sizeof *got);
    size_t bytes = buf.len;
    alm_buf_deinit(&buf);
    return bytes;
}

static void returns_every_short_list(void **state)
{
    (void)state;
    static const int64_t alphabet[] = {INT64_MIN, -3, 0, 1, 255, INT64_MAX};
    enum { N = ALM_ARRAY_LEN(alphabet) };
    for (size_t len = 1; len <= 5; len++) {
        size_t total = 1;
        for (size_t i = 0; i < len; i++) {
            total *= N;
        }
        for (size_t code = 0; code < total; code++) {
            int64_t values[5];
            size_t rest = code;
            for (size_t i = 0; i < len; i++, rest /= N) {
                values[i] = alphabet[rest % N];
            }
            for (unsigned lag = 0; lag <= 4; lag += lag == 0 ? 2 : 1) {
                assert_returns(values, len, lag);
            }
        }
    }
}

static void returns_random_lists(void **state)
{
    (void)state;
    const char *text = getenv("ALM_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (ALM_TEST_SEED)\n", (unsigned long long)seed);
    uint64_t random = seed * 2 + 1;
    static const unsigned lags[] = {0, 2, 4, 12, 52, 255};
    for (int round = 0; round < 3000; round++) {
        int64_t values[COUNT_MAX];
        size_t count = 1 + next_random(&random) % COUNT_MAX;
        unsigned shift = next_random(&random) % 64;
        int64_t step = (int64_t)(next_random(&random) >> 1 >> shift);
        unsigned shape = next_random(&random) % 3;
        for (size_t i = 0; i < count; i++) {
            uint64_t noise = next_random(&random) >> shift;
            values[i] = shape == 0   ? (int64_t)noise
                        : shape == 1 ? (int64_t)((uint64_t)step * i + noise % 16)
                                     : (int64_t)((uint64_t)step * (i % 12) + i + noise % 4);
        }
        assert_returns(values, count, lags[next_random(&random) % ALM_ARRAY_LEN(lags)]);
    }
}

// Ten years of months with a season and a little noise: the year before tells most.
static void takes_the_season_out(void **state)
{
    (void)state;
    int64_t values[120];
    uint64_t random = 3;
    for (size_t i = 0; i < ALM_ARRAY_LEN(values); i++) {
        values[i] = 100000 + (int64_t)((i % 12) * (i % 12) * 500 + next_random(&random) % 64);
    }
    assert_true(assert_returns(values, ALM_ARRAY_LEN(values), 12) < 120 + 40);
    assert_true(assert_returns(values, ALM_ARRAY_LEN(values), 0) > 180);
}

static void survives_every_flipped_bit_and_every_cut(void **state)
{
    (void)state;
    int64_t values[40], got[40];
    uint64_t scratch[40];
    for (unsigned lag = 0; lag <= 12; lag += 12) {
        alm_buf buf;
        alm_buf_init(&buf, 0);
        for (size_t i = 0; i < ALM_ARRAY_LEN(values); i++) {
            values[i] = (int64_t)(i % 12 * 1000 + i);
        }
        alm_deltas_encode(values, ALM_ARRAY_LEN(values), lag, scratch, &buf);
        for (size_t bit = 0; bit < buf.len * 8; bit++) {
            buf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            alm_reader r = alm_reader_of(buf.data, buf.len);
            (void)!alm_deltas_decode(&r, ALM_ARRAY_LEN(values), got);
            buf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t len = 0; len < buf.len; len++) {
            uint8_t *copy = alm_alloc(len + 1); // as long as the cut, for the sanitizer
            memcpy(copy, buf.data, len);
            alm_reader r = alm_reader_of(copy, len);
            assert_false(alm_deltas_decode(&r, ALM_ARRAY_LEN(values), got));
            alm_free(copy);
        }
        alm_buf_deinit(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returns_every_short_list),
        cmocka_unit_test(returns_random_lists),
        cmocka_unit_test(takes_the_season_out),
        cmocka_unit_test(survives_every_flipped_bit_and_every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
