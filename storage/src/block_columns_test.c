// Columns of blocks against their rows: whatever blocks say at random, over a base or not, of all
// places or some, the columns gathered say what alm_block_get does.
#include "block_columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { PLACES = 700, BLOCKS = 4 };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool one_in(uint64_t *random, uint64_t n)
{
    return next_random(random) % n == 0;
}

static uint64_t test_seed(void)
{
    const char *text = getenv("ALM_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (ALM_TEST_SEED)\n", (unsigned long long)seed);
    return seed * 2 + 1;
}

// How a block's rows differ: one in so many is other than most.
typedef struct shape {
    uint64_t left_out, no_number, status, note, exponent, source;
} shape;

static shape random_shape(uint64_t *random)
{
    static const uint64_t often[] = {1, 2, 30, 1000000};
#define OFTEN often[next_random(random) % ALM_ARRAY_LEN(often)]
    return (shape){.left_out = 2 + next_random(random) % 100,
                   .no_number = 1 + OFTEN,
                   .status = OFTEN,
                   .note = OFTEN,
                   .exponent = OFTEN,
                   .source = OFTEN};
#undef OFTEN
}

static alm_obs random_row(uint64_t *random, const shape *s, alm_place_id place, int32_t year)
{
    static const char *notes[] = {"preliminary", "revised", "revised again"};
    alm_obs row = {.place = place,
                   .period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = year},
                   .value = {.number = {(int64_t)(next_random(random) % 2000000) - 1000, -2},
                             .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 4},
                             .has_number = true},
                   .source = 3,
                   .published = 19000,
                   .sequence = 7};
    if (one_in(random, s->exponent)) {
        row.value.number.exponent = (int8_t)(next_random(random) % 3) - 3;
        row.published += (alm_date)(next_random(random) % 3);
    }
    if (one_in(random, s->status)) {
        row.value.status = (alm_obs_status)(next_random(random) % ALM_OBS_STATUS_COUNT);
        row.value.qualifier = (alm_qualifier)(next_random(random) % ALM_QUALIFIER_COUNT);
    }
    if (one_in(random, s->source)) {
        row.source = one_in(random, 2) ? ALM_SOURCE_NONE : 9;
        row.value.unit.mult = 8;
        row.sequence = next_random(random) % 100;
    }
    if (one_in(random, s->note)) {
        row.note = alm_str_from(notes[next_random(random) % ALM_ARRAY_LEN(notes)]);
    }
    if (one_in(random, s->no_number)) {
        row.value.has_number = false;
        row.value.number = (alm_decimal){0};
    }
    return row;
}

static size_t random_rows(uint64_t *random, int32_t year, alm_obs rows[PLACES])
{
    size_t count = 0;
    shape s = random_shape(random);
    for (alm_place_id place = 0; place < PLACES; place++) {
        if (!one_in(random, s.left_out)) {
            rows[count++] = random_row(random, &s, 50 + place, year);
        }
    }
    if (one_in(random, 8)) { // no common scale
        rows[0].value.has_number = true;
        rows[0].value.number = (alm_decimal){ALM_DECIMAL_MANTISSA_MAX, 18};
    }
    return count;
}

static alm_base a_base(uint64_t *random, uint32_t values[PLACES])
{
    for (size_t i = 0; i < PLACES; i++) {
        values[i] = (uint32_t)(next_random(random) % 2000000);
    }
    return (alm_base){.id = 77, .first = 50, .count = PLACES, .values = values};
}

static size_t random_places(uint64_t *random, alm_place_id places[PLACES])
{
    size_t count = 0;
    uint64_t share = 1 + next_random(random) % 40;
    alm_place_id from = (alm_place_id)(next_random(random) % PLACES);
    for (alm_place_id place = 0; place < PLACES + 60; place++) {
        bool is_wanted = one_in(random, 3) ? place >= from && place < from + 40 : true;
        if (is_wanted && count < PLACES && one_in(random, share)) {
            places[count++] = place;
        }
    }
    return count;
}

static bool is_among(const alm_place_id *places, size_t count, alm_place_id place)
{
    for (size_t i = 0; i < count; i++) {
        if (places[i] == place) {
            return true;
        }
    }
    return false;
}

// What alm_block_get has of the places (NULL: all).
static size_t keep_rows(alm_obs *rows, size_t count, const alm_place_id *places, size_t place_count,
                        bool with_withdrawn)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_withdrawn = rows[i].value.status == ALM_OBS_STATUS_WITHDRAWN;
        if ((places == NULL || is_among(places, place_count, rows[i].place)) &&
            (with_withdrawn || !is_withdrawn)) {
            rows[kept++] = rows[i];
        }
    }
    return kept;
}

static void assert_row_equal(const alm_obs *a, const alm_obs *b)
{
    assert_int_equal(a->variant, b->variant);
    assert_int_equal(a->place, b->place);
    assert_true(alm_period_eq(a->period, b->period));
    assert_int_equal(a->value.number.mantissa, b->value.number.mantissa);
    assert_int_equal(a->value.number.exponent, b->value.number.exponent);
    assert_true(alm_unit_eq(a->value.unit, b->value.unit));
    assert_int_equal(a->value.qualifier, b->value.qualifier);
    assert_int_equal(a->value.status, b->value.status);
    assert_int_equal(a->value.has_number, b->value.has_number);
    assert_int_equal(a->source, b->source);
    assert_int_equal(a->published, b->published);
    assert_true(alm_str_eq(a->note, b->note));
    assert_int_equal(a->sequence, b->sequence);
}

static void say_what_rows_say(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    static uint32_t values[PLACES];
    static alm_obs rows[PLACES], want[BLOCKS * PLACES];
    alm_place_id places[PLACES];
    for (int round = 0; round < 400; round++) {
        alm_arena *arena = alm_arena_create(0);
        alm_arena *kept = alm_arena_create(0);
        alm_gathered got = {.arena = kept, .note_arena = kept};
        size_t want_count = 0;
        size_t place_count = random_places(&random, places);
        bool is_all = one_in(&random, 3);
        bool with_withdrawn = one_in(&random, 2);
        alm_base base = a_base(&random, values);
        for (int32_t b = 0; b < BLOCKS; b++) {
            alm_buf buf;
            alm_block block;
            size_t count = random_rows(&random, 2000 + b / 2, rows);
            const alm_base *over = one_in(&random, 2) ? &base : NULL;
            if (b > 0 && one_in(&random, 6)) {
                alm_gathered_reset(&got);
                want_count = 0;
            }
            alm_buf_init(&buf, 0);
            assert_int_equal(alm_block_encode(rows, count, over, arena, &buf, NULL), ALM_OK);
            assert_int_equal(alm_block_open(alm_buf_view(&buf), count, over, arena, &block, NULL),
                             ALM_OK);
            assert_int_equal(alm_block_get(&block, 0, count, want + want_count, NULL), ALM_OK);
            for (size_t i = 0; i < count; i++) {
                want[want_count + i].note = rows[i].note; // of the test, not of the buffer
            }
            want_count += keep_rows(want + want_count, count, is_all ? NULL : places, place_count,
                                    with_withdrawn);
            alm_block_rows some = {.count = count};
            if (!is_all) {
                assert_int_equal(
                    alm_block_rows_find(&block, places, place_count, arena, &some, NULL), ALM_OK);
            }
            assert_int_equal(alm_gathered_add(&got, &block, some, with_withdrawn, arena, NULL),
                             ALM_OK);
            alm_buf_deinit(&buf);
        }
        alm_obs_columns columns = alm_gathered_columns(&got);
        assert_int_equal(columns.count, want_count);
        for (size_t i = 0; i < want_count; i++) {
            alm_obs row = alm_obs_at(&columns, i);
            assert_row_equal(&row, &want[i]);
        }
        alm_arena_destroy(&kept);
        alm_arena_destroy(&arena);
    }
}

// Columns that all rows share are not filled.
static void share_what_is_the_same(void **state)
{
    (void)state;
    uint64_t random = 5;
    static alm_obs rows[PLACES];
    shape s = {1000000, 1000000, 1000000, 1000000, 1000000, 1000000};
    alm_arena *arena = alm_arena_create(0);
    alm_gathered got = {.arena = arena, .note_arena = arena};
    for (int32_t b = 0; b < BLOCKS; b++) {
        alm_buf buf;
        alm_block block;
        for (alm_place_id place = 0; place < PLACES; place++) {
            rows[place] = random_row(&random, &s, place, 2000 + b);
        }
        alm_buf_init(&buf, 0);
        assert_int_equal(alm_block_encode(rows, PLACES, NULL, arena, &buf, NULL), ALM_OK);
        assert_int_equal(alm_block_open(alm_buf_view(&buf), PLACES, NULL, arena, &block, NULL),
                         ALM_OK);
        assert_int_equal(
            alm_gathered_add(&got, &block, (alm_block_rows){.count = PLACES}, false, arena, NULL),
            ALM_OK);
        alm_buf_deinit(&buf);
    }
    alm_obs_columns columns = alm_gathered_columns(&got);
    assert_int_equal(columns.count, BLOCKS * PLACES);
    assert_int_equal(columns.each_place + columns.each_mantissa + columns.each_period, 3);
    assert_int_equal(columns.each_variant + columns.each_exponent + columns.each_unit +
                         columns.each_flags + columns.each_source + columns.each_published +
                         columns.each_note + columns.each_sequence,
                     0);
    alm_arena_destroy(&arena);
}

// Do fewer than `top` cells among the rows come before this one?
static bool is_first(const alm_obs *rows, size_t count, const alm_obs *row, alm_top top,
                     bool with_withdrawn)
{
    uint32_t before = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_cell = with_withdrawn || rows[i].value.status != ALM_OBS_STATUS_WITHDRAWN;
        int order = alm_decimal_cmp(rows[i].value.number, row->value.number);
        before += is_cell && rows[i].value.has_number && (top.is_lowest ? order < 0 : order > 0);
    }
    return before < top.count;
}

// No row goes that may be among the first, and where the block says it by its numbers all others
// do. Rows stay in their order.
static void keep_the_first(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    static uint32_t values[PLACES];
    static alm_obs rows[PLACES];
    alm_place_id places[PLACES];
    for (int round = 0; round < 600; round++) {
        alm_arena *arena = alm_arena_create(0);
        alm_base base = a_base(&random, values);
        const alm_base *over = one_in(&random, 2) ? &base : NULL;
        alm_top top = {1 + (uint32_t)(next_random(&random) % 20), one_in(&random, 2)};
        bool with_withdrawn = one_in(&random, 2);
        alm_buf buf;
        alm_block block;
        size_t count = random_rows(&random, 2000, rows);
        alm_buf_init(&buf, 0);
        assert_int_equal(alm_block_encode(rows, count, over, arena, &buf, NULL), ALM_OK);
        assert_int_equal(alm_block_open(alm_buf_view(&buf), count, over, arena, &block, NULL),
                         ALM_OK);
        alm_block_rows some = {.count = count};
        bool is_all = one_in(&random, 2);
        size_t place_count = random_places(&random, places);
        if (!is_all) {
            assert_int_equal(alm_block_rows_find(&block, places, place_count, arena, &some, NULL),
                             ALM_OK);
            count = keep_rows(rows, count, places, place_count, true);
        }
        assert_int_equal(some.count, count);
        assert_int_equal(alm_block_rows_top(&block, top, with_withdrawn, arena, &some, NULL),
                         ALM_OK);
        bool is_cut = some.count < count;
        size_t at = 0;
        for (size_t i = 0; i < count; i++) {
            alm_obs row;
            bool is_there = false;
            if (at < some.count) {
                size_t number = some.rows == NULL ? some.from + at : some.rows[at];
                assert_int_equal(alm_block_get(&block, number, number + 1, &row, NULL), ALM_OK);
                is_there = row.place == rows[i].place;
            }
            at += is_there;
            bool is_cell = with_withdrawn || rows[i].value.status != ALM_OBS_STATUS_WITHDRAWN;
            bool is_wanted = is_cell && rows[i].value.has_number &&
                             is_first(rows, count, &rows[i], top, with_withdrawn);
            assert_true(is_there || !is_wanted || !is_cut);
            assert_true(!is_there || is_wanted || !is_cut);
        }
        assert_int_equal(at, some.count);
        alm_buf_deinit(&buf);
        alm_arena_destroy(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(say_what_rows_say),
        cmocka_unit_test(keep_the_first),
        cmocka_unit_test(share_what_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
