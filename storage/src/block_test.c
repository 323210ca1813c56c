// Columns and blocks: whatever goes in comes out; every small column exhaustively, large ones at
// random with a printed seed; and no bytes, however damaged, give more than a status.
#include "block.h"

#include "alm/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t test_seed(void)
{
    const char *text = getenv("ALM_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (ALM_TEST_SEED)\n", (unsigned long long)seed);
    return seed * 2 + 1;
}

// --- columns -------------------------------------------------------------------------------------

// In an ascending column every value is found, and where those between would be.
static void assert_finds(alm_column *column, const int64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (values[i] < values[i - 1]) {
            return;
        }
    }
    alm_column_finder finder;
    alm_column_finder_init(&finder, column);
    for (size_t i = 0; i < count; i += 1 + count / 64) {
        size_t first = i;
        while (first > 0 && values[first - 1] == values[i]) {
            first--;
        }
        assert_int_equal(alm_column_find(column, values[i]), first);
        if (values[i] > INT64_MIN && (first == 0 || values[first - 1] < values[i] - 1)) {
            assert_int_equal(alm_column_find(column, values[i] - 1), first);
            if (first == i) {
                assert_int_equal(alm_column_find_next(&finder, values[i] - 1), first);
            }
        }
        assert_int_equal(alm_column_find_next(&finder, values[i]), first);
    }
    if (count > 0 && values[count - 1] < INT64_MAX) {
        assert_int_equal(alm_column_find(column, values[count - 1] + 1), count);
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(alm_column_find_next(&finder, values[count - 1] + 1), count);
        }
    }
}

static size_t assert_column_returns(const int64_t *values, size_t count)
{
    alm_buf buf;
    alm_column column;
    int64_t range[8192];
    alm_buf_init(&buf, 0);
    int64_t scratch[8192];
    assert_true(count <= ALM_ARRAY_LEN(scratch));
    alm_column_encode(values, count, scratch, &buf);
    assert_false(buf.failed);
    alm_reader r = alm_reader_of(buf.data, buf.len);
    assert_true(alm_column_open(&r, count, &column));
    assert_int_equal(alm_reader_left(&r), 0);
    for (size_t i = count; i > 0; i--) { // backwards, so that the position is found anew
        assert_int_equal(alm_column_get(&column, i - 1), values[i - 1]);
    }
    for (size_t from = 0; from < count; from += from / 2 + 1) {
        alm_column_range(&column, from, count, range);
        assert_memory_equal(range, values + from, (count - from) * sizeof *range);
        size_t to = from + (count - from + 1) / 2;
        alm_column_range(&column, from, to, range);
        assert_memory_equal(range, values + from, (to - from) * sizeof *range);
    }
    assert_finds(&column, values, count);
    size_t bytes = buf.len;
    alm_buf_deinit(&buf);
    return bytes;
}

static void returns_every_short_column(void **state)
{
    (void)state;
    static const int64_t alphabet[] = {INT64_MIN, -1, 0, 1, 2, 255, INT64_MAX};
    size_t n = ALM_ARRAY_LEN(alphabet);
    for (size_t len = 0; len <= 4; len++) {
        size_t total = 1;
        for (size_t i = 0; i < len; i++) {
            total *= n;
        }
        for (size_t code = 0; code < total; code++) {
            int64_t values[4];
            size_t rest = code;
            for (size_t i = 0; i < len; i++) {
                values[i] = alphabet[rest % n];
                rest /= n;
            }
            assert_column_returns(values, len);
        }
    }
}

static void returns_every_width(void **state)
{
    (void)state;
    int64_t values[300];
    for (unsigned width = 0; width <= 64; width++) {
        uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
        uint64_t random = width + 1;
        for (size_t i = 0; i < ALM_ARRAY_LEN(values); i++) {
            values[i] = (int64_t)(next_random(&random) & mask);
        }
        values[7] = (int64_t)mask;
        for (size_t count = 1; count <= ALM_ARRAY_LEN(values); count += count < 9 ? 1 : 37) {
            assert_column_returns(values, count);
        }
    }
}

static void returns_random_columns(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    int64_t values[1000];
    for (int round = 0; round < 600; round++) {
        size_t count = next_random(&random) % ALM_ARRAY_LEN(values);
        unsigned shape = next_random(&random) % 7;
        uint64_t odd = 1 + next_random(&random) % 100; // one row in so many
        unsigned shift = next_random(&random) % 64;
        int64_t at = (int64_t)next_random(&random) >> shift;
        for (size_t i = 0; i < count; i++) {
            uint64_t noise = next_random(&random) >> shift;
            values[i] = shape == 0   ? (int64_t)noise
                        : shape == 1 ? (int64_t)((uint64_t)at + i)
                        : shape == 2 ? (int64_t)((uint64_t)at + i * (noise & 3))
                        : shape == 3 ? (int64_t)((uint64_t)at * (noise % 3))
                        : shape == 4 ? (noise % odd == 0 ? (int64_t)noise : at) // sparse
                        : shape == 5 ? (i == 0 ? at >> 1 : values[i - 1]) + 1 +
                                           (noise % odd == 0 ? (int64_t)(noise % 50) : 0) // gaps
                                     : at;
        }
        assert_column_returns(values, count);
    }
}

static void spends_nothing_on_what_is_regular(void **state)
{
    (void)state;
    int64_t values[8192];
    for (size_t i = 0; i < ALM_ARRAY_LEN(values); i++) {
        values[i] = 1000 + (int64_t)i;
    }
    assert_true(assert_column_returns(values, ALM_ARRAY_LEN(values)) < 8192 / 64);
    for (size_t i = 0; i < ALM_ARRAY_LEN(values); i++) {
        values[i] = 42;
    }
    assert_true(assert_column_returns(values, ALM_ARRAY_LEN(values)) <= 3);
    for (size_t i = 0; i < ALM_ARRAY_LEN(values); i++) { // a bit a row for one of two
        values[i] = i % 3 == 0 ? 20000000 : -7;
    }
    assert_true(assert_column_returns(values, ALM_ARRAY_LEN(values)) < 8192 / 8 + 200);
    for (size_t i = 0; i < ALM_ARRAY_LEN(values); i++) { // one in 200 is left out
        values[i] = (int64_t)(i + i / 200);
    }
    assert_true(assert_column_returns(values, ALM_ARRAY_LEN(values)) < 8192 / 64);
    uint64_t random = 4;
    for (size_t i = 0; i < ALM_ARRAY_LEN(values); i++) { // one in 100 is other than the rest
        values[i] = next_random(&random) % 100 == 0 ? 2 : 0;
    }
    assert_true(assert_column_returns(values, ALM_ARRAY_LEN(values)) < 8192 / 40);
}

// --- blocks --------------------------------------------------------------------------------------

static const char *const notes[] = {"", "初步核算", "按可比价格", "x"};

static alm_obs random_row(uint64_t *random)
{
    alm_obs row = {
        .variant = (uint32_t)(next_random(random) % 5),
        .place = (alm_place_id)(next_random(random) % 50000),
        .period = {.freq = ALM_FREQ_ANNUAL,
                   .length = 1,
                   .ordinal = (int32_t)(1990 + next_random(random) % 40)},
        .value = {.number = {.mantissa = (int64_t)(next_random(random) % 1000000) - 500000,
                             .exponent = (int8_t) - (next_random(random) % 4)},
                  .unit = next_random(random) % 8 == 0
                              ? (alm_unit){.measure = ALM_MEASURE_UNIT_CNY,
                                           .mult = 4,
                                           .per = ALM_MEASURE_UNIT_PERSONS,
                                           .per_mult = 3}
                              : (alm_unit){.measure = (uint8_t)(1 + next_random(random) % 28)},
                  .qualifier = (alm_qualifier)(next_random(random) % ALM_QUALIFIER_COUNT),
                  .status = (alm_obs_status)(next_random(random) % ALM_OBS_STATUS_COUNT),
                  .has_number = true},
        .source =
            next_random(random) % 4 == 0 ? ALM_SOURCE_NONE : (uint32_t)(next_random(random) % 100),
        .published = (alm_date)(next_random(random) % 40000) - 10000,
        .note = alm_str_from(notes[next_random(random) % ALM_ARRAY_LEN(notes)]),
        .sequence = next_random(random) >> 20,
    };
    if (next_random(random) % 1024 == 0) { // no common scale
        row.value.number = (alm_decimal){.mantissa = ALM_DECIMAL_MANTISSA_MAX, .exponent = 18};
    }
    if (next_random(random) % 8 == 0) {
        row.value.has_number = false;
        row.value.number = (alm_decimal){0};
        row.value.unit = (alm_unit){0};
    }
    return row;
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

static void encode(const alm_obs *rows, size_t count, alm_buf *out)
{
    alm_arena *scratch = alm_arena_create(0);
    assert_int_equal(alm_block_encode(rows, count, NULL, scratch, out, NULL), ALM_OK);
    alm_arena_destroy(&scratch);
}

static void returns_random_blocks(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    alm_obs rows[400], got[400];
    for (int round = 0; round < 200; round++) {
        size_t count = next_random(&random) % ALM_ARRAY_LEN(rows);
        for (size_t i = 0; i < count; i++) {
            rows[i] = random_row(&random);
        }
        alm_buf buf;
        alm_block block;
        alm_arena *arena = alm_arena_create(0);
        alm_buf_init(&buf, 0);
        encode(rows, count, &buf);
        assert_int_equal(alm_block_open(alm_buf_view(&buf), count, NULL, arena, &block, NULL),
                         ALM_OK);
        assert_int_equal(block.count, count);
        size_t from = count > 0 ? next_random(&random) % count : 0;
        size_t to = from + (count > from ? next_random(&random) % (count - from + 1) : 0);
        assert_int_equal(alm_block_get(&block, from, to, got, NULL), ALM_OK);
        for (size_t i = from; i < to; i++) {
            assert_row_equal(&got[i - from], &rows[i]);
        }
        alm_buf_deinit(&buf);
        alm_arena_destroy(&arena);
    }
}

// What a program wrote out of a double has 17 digits and no common scale: it takes the room, and
// comes back to the bit.
static void returns_doubles_to_the_bit(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    alm_obs rows[300], got[300];
    double values[300];
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        char text[40];
        uint64_t bits = next_random(&random) >> 11 | UINT64_C(1) << 52; // 0.5 at least
        values[i] = (double)bits / (double)(UINT64_C(1) << next_random(&random) % 54);
        snprintf(text, sizeof text, "%.17g", values[i]);
        rows[i] = random_row(&random);
        rows[i].value.has_number = true;
        assert_int_equal(alm_decimal_parse(alm_str_from(text), &rows[i].value.number, NULL),
                         ALM_OK);
    }
    alm_buf buf;
    alm_block block;
    alm_arena *arena = alm_arena_create(0);
    alm_buf_init(&buf, 0);
    encode(rows, ALM_ARRAY_LEN(rows), &buf);
    assert_int_equal(
        alm_block_open(alm_buf_view(&buf), ALM_ARRAY_LEN(rows), NULL, arena, &block, NULL), ALM_OK);
    assert_int_equal(alm_block_get(&block, 0, ALM_ARRAY_LEN(rows), got, NULL), ALM_OK);
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        char text[ALM_DECIMAL_TEXT_MAX];
        alm_decimal_format(got[i].value.number, 0, text);
        double back = strtod(text, NULL);
        assert_memory_equal(&back, &values[i], sizeof back);
    }
    alm_buf_deinit(&buf);
    alm_arena_destroy(&arena);
}

static void finds_places(void **state)
{
    (void)state;
    alm_obs rows[500];
    uint64_t random = 5;
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        rows[i] = random_row(&random);
        rows[i].place = (alm_place_id)(i / 2 * 3);
    }
    alm_buf buf;
    alm_block block;
    alm_arena *arena = alm_arena_create(0);
    alm_buf_init(&buf, 0);
    encode(rows, ALM_ARRAY_LEN(rows), &buf);
    assert_int_equal(alm_block_open(alm_buf_view(&buf), 500, NULL, arena, &block, NULL), ALM_OK);
    for (alm_place_id place = 0; place < 800; place++) {
        size_t want = 0;
        while (want < ALM_ARRAY_LEN(rows) && rows[want].place < place) {
            want++;
        }
        assert_int_equal(alm_block_find_place(&block, 0, place), want);
    }
    alm_buf_deinit(&buf);
    alm_arena_destroy(&arena);
}

// A release of one indicator over a province's places: money with two decimals.
static void packs_a_release_below_four_bytes_a_row(void **state)
{
    (void)state;
    static alm_obs rows[8192];
    uint64_t random = 9;
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        rows[i] = (alm_obs){
            .place = (alm_place_id)i,
            .period = {.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 2023 * 12},
            .value = {.number = {.mantissa = (int64_t)(2000 + next_random(&random) % 300000),
                                 .exponent = -2},
                      .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                      .has_number = true,
                      .status = i % 100 == 0 ? ALM_OBS_STATUS_ESTIMATED : ALM_OBS_STATUS_NORMAL},
            .published = 19700,
            .sequence = 12345};
    }
    alm_buf buf;
    alm_buf_init(&buf, 0);
    encode(rows, ALM_ARRAY_LEN(rows), &buf);
    size_t row_count = ALM_ARRAY_LEN(rows);
    print_message("%.2f bytes a row\n", (double)buf.len / (double)row_count);
    assert_true(buf.len < 4 * ALM_ARRAY_LEN(rows));
    alm_buf_deinit(&buf);
}

// --- over a base ---------------------------------------------------------------------------------

enum { BASE_PLACES = 700 };

// Places that differ a thousandfold, and rows that are near to what the base makes of them.
static alm_base a_base(uint32_t *values, uint64_t *random)
{
    for (size_t i = 0; i < BASE_PLACES; i++) {
        values[i] = (uint32_t)(1000 + next_random(random) % 1000000);
    }
    return (alm_base){.id = 77, .first = 100, .count = BASE_PLACES, .values = values};
}

static size_t rows_like(const alm_base *base, alm_obs *rows, uint64_t *random)
{
    size_t count = 0;
    for (size_t i = 0; i < base->count; i++) {
        if (next_random(random) % 100 == 0) {
            continue; // missing
        }
        rows[count] = random_row(random);
        rows[count].place = base->first + (alm_place_id)i;
        int64_t like = alm_base_like(base->values[i], 3 << ALM_BASE_SHIFT >> 1);
        rows[count].value.has_number = true;
        rows[count].value.number.mantissa = like + (int64_t)(next_random(random) % 200);
        rows[count].value.number.exponent = -2;
        count++;
    }
    return count;
}

static void assert_rows(const alm_buf *buf, const alm_base *base, const alm_obs *rows, size_t count)
{
    alm_block block;
    alm_obs got[BASE_PLACES + 1];
    alm_arena *arena = alm_arena_create(0);
    assert_int_equal(alm_block_open(alm_buf_view(buf), count, base, arena, &block, NULL), ALM_OK);
    for (size_t from = 0; from < count; from += 1 + from) {
        assert_int_equal(alm_block_get(&block, from, count, got, NULL), ALM_OK);
        for (size_t i = from; i < count; i++) {
            assert_row_equal(&got[i - from], &rows[i]);
        }
    }
    alm_arena_destroy(&arena);
}

static void returns_rows_over_a_base(void **state)
{
    (void)state;
    uint32_t values[BASE_PLACES], other_values[BASE_PLACES];
    alm_obs rows[BASE_PLACES + 1];
    uint64_t random = test_seed();
    for (int round = 0; round < 20; round++) {
        alm_block block;
        alm_buf plain, over, again;
        alm_arena *arena = alm_arena_create(0);
        alm_base base = a_base(values, &random);
        alm_base other = a_base(other_values, &random);
        size_t count = rows_like(&base, rows, &random);
        rows[count] = rows[count - 1];
        rows[count++].place = 100 + BASE_PLACES + 5; // a stranger to the base
        other.id = 78;
        alm_buf_init(&plain, 0);
        alm_buf_init(&over, 0);
        alm_buf_init(&again, 0);
        assert_int_equal(alm_block_encode(rows, count, NULL, arena, &plain, NULL), ALM_OK);
        assert_int_equal(alm_block_encode(rows, count, &base, arena, &over, NULL), ALM_OK);
        assert_true(over.len + BASE_PLACES < plain.len);
        assert_rows(&plain, NULL, rows, count);
        assert_rows(&over, &base, rows, count);
        const alm_base *wrong[] = {NULL, &other};
        for (size_t i = 0; i < ALM_ARRAY_LEN(wrong); i++) {
            assert_int_equal(
                alm_block_open(alm_buf_view(&over), count, wrong[i], arena, &block, NULL),
                ALM_DATA_LOSS);
        }
        assert_int_equal(
            alm_block_rebase(alm_buf_view(&plain), count, NULL, &base, arena, &again, NULL),
            ALM_OK);
        assert_rows(&again, &base, rows, count);
        alm_buf_reset(&again);
        assert_int_equal(
            alm_block_rebase(alm_buf_view(&over), count, &base, &other, arena, &again, NULL),
            ALM_OK);
        assert_rows(&again, &other, rows, count);
        alm_buf_deinit(&again);
        alm_buf_deinit(&over);
        alm_buf_deinit(&plain);
        alm_arena_destroy(&arena);
    }
}

static void returns_random_bases(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    for (int round = 0; round < 200; round++) {
        double means[600];
        alm_base base, got;
        alm_buf buf;
        size_t count = next_random(&random) % ALM_ARRAY_LEN(means);
        double scale = (double)(next_random(&random) >> next_random(&random) % 64);
        for (size_t i = 0; i < count; i++) {
            means[i] = scale * (double)(next_random(&random) % 1000);
        }
        alm_arena *arena = alm_arena_create(0);
        alm_buf_init(&buf, 0);
        assert_true(alm_base_make(means, count, 5, 9, arena, &base));
        alm_base_encode(&base, &buf);
        assert_int_equal(alm_base_decode(alm_buf_view(&buf), 5, count, arena, &got, NULL), ALM_OK);
        assert_int_equal(got.id, base.id);
        assert_int_equal(got.first, 5);
        assert_int_equal(got.cell_count, 9);
        assert_int_equal(got.count, count);
        assert_memory_equal(got.values, base.values, count * sizeof *got.values);
        for (size_t len = 0; len < buf.len; len++) {
            alm_str cut = {.data = (const char *)buf.data, .len = len};
            assert_int_equal(alm_base_decode(cut, 5, count, arena, &got, NULL), ALM_DATA_LOSS);
        }
        alm_buf_deinit(&buf);
        alm_arena_destroy(&arena);
    }
}

// --- damage --------------------------------------------------------------------------------------

static void read_all(const uint8_t *bytes, size_t len)
{
    alm_block block;
    alm_arena *arena = alm_arena_create(0);
    alm_str view = {.data = (const char *)bytes, .len = len};
    alm_code code = alm_block_open(view, 1000, NULL, arena, &block, NULL);
    if (code == ALM_OK) {
        alm_obs *rows = alm_arena_calloc(arena, block.count, sizeof *rows);
        assert_non_null(rows);
        code = alm_block_get(&block, 0, block.count, rows, NULL);
    }
    assert_true(code == ALM_OK || code == ALM_DATA_LOSS);
    alm_arena_destroy(&arena);
}

static void survives_every_flipped_bit_and_every_cut(void **state)
{
    (void)state;
    alm_obs rows[150];
    uint64_t random = 77;
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        rows[i] = random_row(&random);
    }
    alm_buf buf;
    alm_buf_init(&buf, 0);
    encode(rows, ALM_ARRAY_LEN(rows), &buf);
    for (size_t bit = 0; bit < buf.len * 8; bit++) {
        buf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        read_all(buf.data, buf.len);
        buf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < buf.len; len++) {
        uint8_t *copy = alm_alloc(len + 1); // as long as the cut, for the sanitizer
        memcpy(copy, buf.data, len);
        alm_block block;
        alm_arena *arena = alm_arena_create(0);
        alm_str view = {.data = (const char *)copy, .len = len};
        assert_int_equal(alm_block_open(view, 1000, NULL, arena, &block, NULL), ALM_DATA_LOSS);
        alm_arena_destroy(&arena);
        alm_free(copy);
    }
    alm_buf_deinit(&buf);
}

// What it says of a number all the same, here the exponent that the others have, must not count.
static void a_row_without_a_number_has_no_digits(void **state)
{
    (void)state;
    for (size_t bare = 0; bare < 3; bare++) {
        alm_obs rows[3], got[3];
        alm_buf buf;
        alm_block block;
        alm_arena *arena = alm_arena_create(0);
        for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
            rows[i] = (alm_obs){.place = (alm_place_id)i,
                                .period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 2024},
                                .value = {.number = {.mantissa = 1234567, .exponent = -2},
                                          .unit = {.measure = ALM_MEASURE_UNIT_CNY},
                                          .has_number = i != bare},
                                .source = ALM_SOURCE_NONE,
                                .published = 20000};
        }
        alm_buf_init(&buf, 0);
        encode(rows, ALM_ARRAY_LEN(rows), &buf);
        assert_int_equal(alm_block_open(alm_buf_view(&buf), 3, NULL, arena, &block, NULL), ALM_OK);
        assert_int_equal(alm_block_get(&block, 0, 3, got, NULL), ALM_OK);
        for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
            assert_int_equal(got[i].value.has_number, i != bare);
            assert_int_equal(got[i].value.number.mantissa, i != bare ? 1234567 : 0);
            assert_int_equal(got[i].value.number.exponent, i != bare ? -2 : 0);
        }
        alm_buf_deinit(&buf);
        alm_arena_destroy(&arena);
    }
}

static void refuses_more_rows_than_are_expected(void **state)
{
    (void)state;
    alm_obs rows[3];
    alm_buf buf;
    alm_block block;
    alm_arena *arena = alm_arena_create(0);
    uint64_t random = 1;
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        rows[i] = random_row(&random);
    }
    alm_buf_init(&buf, 0);
    encode(rows, 3, &buf);
    assert_int_equal(alm_block_open(alm_buf_view(&buf), 2, NULL, arena, &block, NULL),
                     ALM_DATA_LOSS);
    alm_buf_deinit(&buf);
    alm_arena_destroy(&arena);
}

// --- memory --------------------------------------------------------------------------------------

static alm_code round_trip(const alm_obs *rows, size_t count)
{
    alm_block block;
    alm_buf buf;
    alm_buf_init(&buf, 0);
    alm_arena *arena = alm_arena_create(0);
    alm_code code = arena == NULL ? ALM_RESOURCE_EXHAUSTED
                                  : alm_block_encode(rows, count, NULL, arena, &buf, NULL);
    if (code == ALM_OK) {
        code = alm_block_open(alm_buf_view(&buf), count, NULL, arena, &block, NULL);
    }
    alm_arena_destroy(&arena);
    alm_buf_deinit(&buf);
    return code;
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    alm_obs rows[300];
    uint64_t random = 3;
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        rows[i] = random_row(&random);
    }
    uint64_t failed = 0;
    for (uint64_t n = 1;; n++) {
        (void)alm_alloc_fail_at(n, 1);
        alm_code code = round_trip(rows, ALM_ARRAY_LEN(rows));
        (void)alm_alloc_fail_at(0, 0);
        if (code == ALM_OK) {
            break;
        }
        assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
        failed++;
    }
    assert_true(failed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returns_every_short_column),
        cmocka_unit_test(returns_every_width),
        cmocka_unit_test(returns_random_columns),
        cmocka_unit_test(spends_nothing_on_what_is_regular),
        cmocka_unit_test(returns_random_blocks),
        cmocka_unit_test(returns_doubles_to_the_bit),
        cmocka_unit_test(finds_places),
        cmocka_unit_test(packs_a_release_below_four_bytes_a_row),
        cmocka_unit_test(returns_rows_over_a_base),
        cmocka_unit_test(returns_random_bases),
        cmocka_unit_test(survives_every_flipped_bit_and_every_cut),
        cmocka_unit_test(a_row_without_a_number_has_no_digits),
        cmocka_unit_test(refuses_more_rows_than_are_expected),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
