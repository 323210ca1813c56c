// Groups of series: whatever goes in comes out, place by place, of random panels dense and sparse;
// and no bytes, however damaged, give more than a status.
#include "group.h"

#include "alm/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { PLACE_MAX = 40, PERIOD_MAX = 150, CELL_MAX = PLACE_MAX * PERIOD_MAX };

static const alm_str notes[] = {{.data = "初步核算", .len = 12}, {.data = "x", .len = 1}};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// A panel with its memory.
typedef struct world {
    alm_panel panel;
    alm_place_id places[PLACE_MAX];
    alm_period periods[PERIOD_MAX];
    bool present[CELL_MAX];
    int64_t columns[ALM_BLOCK_COLUMN_COUNT][CELL_MAX];
    alm_obs others[20];
} world;

static void make_axes(world *w, uint64_t *random)
{
    w->panel.place_count = 1 + next_random(random) % PLACE_MAX;
    w->panel.period_count = 1 + next_random(random) % PERIOD_MAX;
    bool is_dense = next_random(random) % 2 == 0;
    for (size_t i = 0; i < w->panel.place_count; i++) {
        uint64_t step = is_dense ? 1 : 1 + next_random(random) % 9;
        w->places[i] = i == 0 ? 7 : w->places[i - 1] + (alm_place_id)step;
    }
    for (size_t j = 0; j < w->panel.period_count; j++) {
        w->periods[j] = (alm_period){.freq = ALM_FREQ_MONTH,
                                     .length = 1,
                                     .ordinal = (int32_t)(2015 * 12 + j + (is_dense ? 0 : j / 7))};
    }
}

static int64_t attribute(int column, size_t i, size_t j, uint64_t *random)
{
    uint64_t odd = next_random(random);
    switch (column) {
    case ALM_BLOCK_EXPONENT:
        return -2;
    case ALM_BLOCK_UNIT:
        return odd % 50 == 0 ? ALM_MEASURE_UNIT_COUNT : ALM_MEASURE_UNIT_CNY | 8 << 8;
    case ALM_BLOCK_FLAGS:
        return 1 << 8 | (odd % 100 == 0 ? ALM_OBS_STATUS_ESTIMATED << 4 : 0);
    case ALM_BLOCK_SOURCE:
        return (int64_t)(i % 3);
    case ALM_BLOCK_PUBLISHED:
        return (int64_t)(19000 + 30 * j + (odd % 60 == 0));
    case ALM_BLOCK_SEQUENCE:
        return (int64_t)(100 + j);
    default:
        return odd % 20 == 0 ? 1 + (int64_t)(odd >> 20 & 1) : 0;
    }
}

static void make_world(world *w, uint64_t *random)
{
    *w = (world){.panel = {.is_scaled = true, .scale = -2, .lag = 12, .notes = notes}};
    w->panel.note_count = ALM_ARRAY_LEN(notes);
    make_axes(w, random);
    unsigned holes = next_random(random) % 3; // none, few, most
    size_t cells = w->panel.place_count * w->panel.period_count;
    for (size_t cell = 0; cell < cells; cell++) {
        size_t j = cell % w->panel.period_count;
        uint64_t odd = next_random(random);
        w->present[cell] = holes == 0 || (holes == 1 ? odd % 100 > 0 : odd % 9 == 0);
        for (int c = ALM_BLOCK_EXPONENT; c < ALM_BLOCK_COLUMN_COUNT; c++) {
            w->columns[c][cell] = attribute(c, cell / w->panel.period_count, j, random);
        }
        w->columns[ALM_BLOCK_MANTISSA][cell] = (int64_t)(100000 + j % 12 * 500 + odd % 64);
    }
    w->present[next_random(random) % cells] = true;
    w->panel.places = w->places;
    w->panel.periods = w->periods;
    w->panel.present = w->present;
    for (int c = ALM_BLOCK_MANTISSA; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        w->panel.columns[c] = w->columns[c];
        w->panel.constants[c] = w->columns[c][0];
    }
    w->panel.columns[ALM_BLOCK_EXPONENT] = NULL;
}

static void assert_cell(const world *w, size_t cell, const alm_obs *row)
{
    alm_obs want = {0};
    for (int c = ALM_BLOCK_MANTISSA; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        assert_true(alm_block_set(c, &w->columns[c][cell], 1, notes, ALM_ARRAY_LEN(notes), &want));
    }
    assert_int_equal(row->value.number.mantissa, want.value.number.mantissa);
    assert_int_equal(row->value.number.exponent, want.value.number.exponent);
    assert_true(alm_unit_eq(row->value.unit, want.value.unit));
    assert_int_equal(row->value.status, want.value.status);
    assert_int_equal(row->source, want.source);
    assert_int_equal(row->published, want.published);
    assert_int_equal(row->sequence, want.sequence);
    assert_true(alm_str_eq(row->note, want.note));
}

static void assert_place(const world *w, alm_group *group, size_t i, bool is_inside)
{
    alm_obs rows[PERIOD_MAX];
    alm_group_series series;
    alm_arena *arena = alm_arena_create(0);
    alm_status st = ALM_STATUS_INIT;
    if (alm_group_find(group, w->places[i], arena, &series, &st) != ALM_OK ||
        alm_group_rows(group, &series, arena, rows, &st) != ALM_OK) {
        fail_msg("place %zu: %s", i, st.message);
    }
    size_t at = 0;
    for (size_t j = 0; is_inside && j < w->panel.period_count; j++) {
        size_t cell = i * w->panel.period_count + j;
        if (w->present[cell]) {
            assert_true(at < series.count);
            assert_int_equal(rows[at].place, w->places[i]);
            assert_true(alm_period_eq(rows[at].period, w->periods[j]));
            assert_cell(w, cell, &rows[at++]);
        }
    }
    assert_int_equal(at, series.count);
    alm_arena_destroy(&arena);
}

static bool has_row(const world *w, size_t from, size_t to)
{
    for (size_t cell = from * w->panel.period_count; cell < to * w->panel.period_count; cell++) {
        if (w->present[cell]) {
            return true;
        }
    }
    return false;
}

static size_t encode(const world *w, size_t from, size_t to, alm_buf *out)
{
    alm_arena *scratch = alm_arena_create(0);
    assert_int_equal(alm_group_encode(&w->panel, from, to, scratch, out, NULL), ALM_OK);
    alm_arena_destroy(&scratch);
    return out->len;
}

static void returns_random_panels(void **state)
{
    (void)state;
    static world w;
    const char *text = getenv("ALM_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (ALM_TEST_SEED)\n", (unsigned long long)seed);
    uint64_t random = seed * 2 + 1;
    for (int round = 0; round < 150; round++) {
        make_world(&w, &random);
        size_t from = next_random(&random) % w.panel.place_count;
        size_t to = from + 1 + next_random(&random) % (w.panel.place_count - from);
        if (!has_row(&w, from, to)) {
            continue;
        }
        alm_buf buf;
        alm_group group;
        alm_arena *arena = alm_arena_create(0);
        alm_buf_init(&buf, 0);
        encode(&w, from, to, &buf);
        assert_int_equal(alm_group_open(alm_buf_view(&buf), arena, &group, NULL), ALM_OK);
        for (size_t i = 0; i < w.panel.place_count; i++) {
            assert_place(&w, &group, i, i >= from && i < to);
        }
        alm_arena_destroy(&arena);
        alm_buf_deinit(&buf);
    }
}

// Numbers that have no common scale stand at their own exponents.
static void returns_numbers_without_a_scale(void **state)
{
    (void)state;
    static world w;
    uint64_t random = 11;
    make_world(&w, &random);
    w.panel.is_scaled = false;
    w.panel.columns[ALM_BLOCK_EXPONENT] = w.columns[ALM_BLOCK_EXPONENT];
    size_t cells = w.panel.place_count * w.panel.period_count;
    for (size_t cell = 0; cell < cells; cell++) {
        w.present[cell] = true;
        w.columns[ALM_BLOCK_EXPONENT][cell] = (int64_t)(cell % 37) - 18;
        w.columns[ALM_BLOCK_MANTISSA][cell] =
            cell % 2 == 0 ? ALM_DECIMAL_MANTISSA_MAX : -ALM_DECIMAL_MANTISSA_MAX;
    }
    alm_buf buf;
    alm_group group;
    alm_arena *arena = alm_arena_create(0);
    alm_buf_init(&buf, 0);
    encode(&w, 0, w.panel.place_count, &buf);
    assert_int_equal(alm_group_open(alm_buf_view(&buf), arena, &group, NULL), ALM_OK);
    for (size_t i = 0; i < w.panel.place_count; i++) {
        assert_place(&w, &group, i, true);
    }
    alm_arena_destroy(&arena);
    alm_buf_deinit(&buf);
}

static void keeps_losing_vintages(void **state)
{
    (void)state;
    static world w;
    uint64_t random = 5;
    do {
        make_world(&w, &random);
    } while (w.panel.place_count < 10);
    w.panel.others = w.others;
    for (size_t i = 0; i < ALM_ARRAY_LEN(w.others); i++) {
        w.others[i] = (alm_obs){.place = w.places[i / 2],
                                .period = w.periods[0],
                                .value = {.number = {.mantissa = (int64_t)i}, .has_number = true},
                                .published = (alm_date)i};
    }
    w.panel.other_count = ALM_ARRAY_LEN(w.others);
    for (size_t cell = 0; cell < CELL_MAX; cell++) {
        w.present[cell] = true;
    }
    alm_buf buf;
    alm_group group;
    alm_block block;
    alm_obs rows[20];
    alm_arena *arena = alm_arena_create(0);
    alm_buf_init(&buf, 0);
    encode(&w, 2, 5, &buf);
    assert_int_equal(alm_group_open(alm_buf_view(&buf), arena, &group, NULL), ALM_OK);
    assert_int_equal(alm_block_open(group.others, 20, NULL, arena, &block, NULL), ALM_OK);
    assert_int_equal(block.count, 6);
    assert_int_equal(alm_block_get(&block, 0, 6, rows, NULL), ALM_OK);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(rows[i].place, w.places[2 + i / 2]);
        assert_int_equal(rows[i].published, 4 + i);
    }
    alm_arena_destroy(&arena);
    alm_buf_deinit(&buf);
}

// Monthly releases, each with its own publication date and commit: what all places share by period
// costs little, and the season is taken out.
static void packs_ten_years_below_a_byte_and_a_half(void **state)
{
    (void)state;
    static world w;
    uint64_t random = 9;
    make_world(&w, &random);
    w.panel.place_count = 16;
    w.panel.period_count = 120;
    for (size_t i = 0; i < 16; i++) {
        w.places[i] = (alm_place_id)i;
    }
    for (size_t cell = 0; cell < CELL_MAX; cell++) {
        size_t j = cell % 120;
        w.periods[j] =
            (alm_period){.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = (int32_t)(24000 + j)};
        w.present[cell] = next_random(&random) % 200 > 0;
        w.columns[ALM_BLOCK_MANTISSA][cell] =
            (int64_t)(2000 + j * 8 + j % 12 * 30 + next_random(&random) % 100);
        w.columns[ALM_BLOCK_PUBLISHED][cell] = (int64_t)(19000 + j * 365 / 12);
        w.columns[ALM_BLOCK_SEQUENCE][cell] = (int64_t)(1000 + j * 10);
    }
    w.panel.columns[ALM_BLOCK_UNIT] = NULL;
    w.panel.columns[ALM_BLOCK_SOURCE] = NULL;
    w.panel.columns[ALM_BLOCK_NOTE] = NULL;
    w.panel.constants[ALM_BLOCK_NOTE] = 0;
    alm_buf buf;
    alm_buf_init(&buf, 0);
    double bytes = (double)encode(&w, 0, 16, &buf) / (16 * 120);
    print_message("%.2f bytes a row\n", bytes);
    assert_true(bytes < 1.5);
    alm_buf_deinit(&buf);
}

// --- damage --------------------------------------------------------------------------------------

static void read_all(const uint8_t *bytes, size_t len)
{
    alm_group group;
    alm_arena *arena = alm_arena_create(0);
    alm_code code =
        alm_group_open((alm_str){.data = (const char *)bytes, .len = len}, arena, &group, NULL);
    for (alm_place_id place = 0; code == ALM_OK && place < 60; place++) {
        alm_group_series series;
        code = alm_group_find(&group, place, arena, &series, NULL);
        if (code == ALM_OK && series.count > 0) {
            alm_obs *rows = alm_arena_calloc(arena, series.count, sizeof *rows);
            assert_non_null(rows);
            code = alm_group_rows(&group, &series, arena, rows, NULL);
        }
    }
    assert_true(code == ALM_OK || code == ALM_DATA_LOSS || code == ALM_RESOURCE_EXHAUSTED);
    alm_arena_destroy(&arena);
}

static void survives_every_flipped_bit_and_every_cut(void **state)
{
    (void)state;
    static world w;
    uint64_t random = 77;
    alm_buf buf;
    do {
        make_world(&w, &random);
    } while (w.panel.place_count * w.panel.period_count > 400 || w.panel.place_count < 3);
    alm_buf_init(&buf, 0);
    encode(&w, 0, w.panel.place_count, &buf);
    for (size_t bit = 0; bit < buf.len * 8; bit++) {
        buf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        read_all(buf.data, buf.len);
        buf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < buf.len; len++) {
        uint8_t *copy = alm_alloc(len + 1); // as long as the cut, for the sanitizer
        memcpy(copy, buf.data, len);
        alm_group group;
        alm_arena *arena = alm_arena_create(0);
        alm_str view = {.data = (const char *)copy, .len = len};
        assert_int_equal(alm_group_open(view, arena, &group, NULL), ALM_DATA_LOSS);
        alm_arena_destroy(&arena);
        alm_free(copy);
    }
    alm_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returns_random_panels),
        cmocka_unit_test(returns_numbers_without_a_scale),
        cmocka_unit_test(keeps_losing_vintages),
        cmocka_unit_test(packs_ten_years_below_a_byte_and_a_half),
        cmocka_unit_test(survives_every_flipped_bit_and_every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
