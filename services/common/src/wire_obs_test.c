// Goal: observations survive the trip over the wire to the last bit; no malformed block gets in.
// Method: random rows there and back; then one field broken at a time, by a table of damages.
#include "alm/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROUNDS = 2000, ROWS_MAX = 40 };

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static const alm_str variants[] = {
    {"A.gdp.P.level._Z._T", 19},
    {"M.output.C.level._Z.industry=software", 37},
    {"A.tax.P.share_of.tax_revenue@310105._T", 38},
};
static const alm_str notes[] = {{"", 0}, {"初步核算", 12}, {"base revised", 12}};

static alm_obs random_row(uint64_t *seed)
{
    alm_obs row = {
        .variant = (uint32_t)(next(seed) % ALM_ARRAY_LEN(variants)),
        .place = (alm_place_id)(next(seed) % 50000),
        .period = {.freq = ALM_FREQ_MONTH,
                   .length = 1,
                   .ordinal = (int32_t)(next(seed) % 119988) + 12},
        .source = next(seed) % 3 == 0 ? ALM_SOURCE_NONE : (uint32_t)(next(seed) % 9),
        .published = (alm_date)(next(seed) % 40000) - 20000,
        .note = notes[next(seed) % ALM_ARRAY_LEN(notes)],
        .sequence = next(seed) % 1000,
        .value = {.unit = {.measure = ALM_MEASURE_UNIT_CNY,
                           .mult = (int8_t)(next(seed) % 9),
                           .per = next(seed) % 4 == 0 ? ALM_MEASURE_UNIT_PERSONS : 0},
                  .qualifier = (alm_qualifier)(next(seed) % ALM_QUALIFIER_COUNT),
                  .status = (alm_obs_status)(next(seed) % ALM_OBS_STATUS_COUNT),
                  .has_number = next(seed) % 8 != 0},
    };
    if (row.value.has_number) {
        int64_t mantissa = (int64_t)(next(seed) % ALM_DECIMAL_MANTISSA_MAX);
        row.value.number.mantissa = next(seed) % 2 == 0 ? mantissa : -mantissa;
        row.value.number.exponent = (int8_t)((int)(next(seed) % 37) - 18);
    }
    return row;
}

// Makes rows alike in some columns, up to all of them.
static void share_columns(uint64_t *seed, alm_obs *rows, size_t count)
{
    uint64_t shared = next(seed);
    shared &= next(seed); // a quarter of the columns
    shared = next(seed) % 8 == 0 ? UINT64_MAX : shared;
    for (size_t i = 1; i < count; i++) {
        rows[i].variant = shared & 1 ? rows[0].variant : rows[i].variant;
        rows[i].place = shared & 2 ? rows[0].place : rows[i].place;
        rows[i].period = shared & 4 ? rows[0].period : rows[i].period;
        rows[i].source = shared & 8 ? rows[0].source : rows[i].source;
        rows[i].published = shared & 16 ? rows[0].published : rows[i].published;
        rows[i].note = shared & 32 ? rows[0].note : rows[i].note;
        rows[i].sequence = shared & 64 ? rows[0].sequence : rows[i].sequence;
        rows[i].value.unit = shared & 128 ? rows[0].value.unit : rows[i].value.unit;
        if (shared & 256) { // all but the number
            alm_decimal number = rows[i].value.number;
            rows[i].value = rows[0].value;
            rows[i].value.number.mantissa = rows[0].value.has_number ? number.mantissa : 0;
        }
        rows[i].value = shared & 512 ? rows[0].value : rows[i].value;
    }
}

static void assert_row_equal(const alm_obs *a, const alm_obs *b)
{
    assert_int_equal(a->variant, b->variant);
    assert_int_equal(a->place, b->place);
    assert_true(alm_period_eq(a->period, b->period));
    assert_int_equal(a->value.has_number, b->value.has_number);
    assert_int_equal(a->value.number.mantissa, b->value.number.mantissa);
    assert_int_equal(a->value.number.exponent, b->value.number.exponent);
    assert_true(alm_unit_eq(a->value.unit, b->value.unit));
    assert_int_equal(a->value.qualifier, b->value.qualifier);
    assert_int_equal(a->value.status, b->value.status);
    assert_int_equal(a->source, b->source);
    assert_int_equal(a->published, b->published);
    assert_true(alm_str_eq(a->note, b->note));
    assert_int_equal(a->sequence, b->sequence);
}

// Some neighbouring rows, cut out of the columns of all, make a block of their own.
static void part_there_and_back(uint64_t *seed, const alm_obs *rows, size_t count, alm_arena *arena)
{
    alm_obs_columns all, got;
    Almanac__Internal__ObservationBlock *block;
    alm_str *got_variants;
    size_t variant_count;
    size_t from = next(seed) % (count + 1);
    size_t n = next(seed) % (count - from + 1);
    assert_true(alm_obs_columns_of(rows, count, arena, &all));
    alm_obs_columns part = alm_obs_columns_cut(&all, from, n);
    assert_int_equal(alm_obs_block_write_columns(variants, ALM_ARRAY_LEN(variants), &part, NULL,
                                                 arena, &block, NULL),
                     ALM_OK);
    assert_int_equal(alm_obs_block_columns(block, arena, &got_variants, &variant_count, &got, NULL),
                     ALM_OK);
    assert_int_equal(got.count, n);
    for (size_t i = 0; i < n; i++) {
        alm_obs row = alm_obs_at(&got, i);
        assert_row_equal(&row, &rows[from + i]);
    }
}

static void there_and_back(void **state)
{
    const char *chosen = getenv("ALM_TEST_SEED");
    uint64_t seed = chosen != NULL ? strtoull(chosen, NULL, 10) : UINT64_C(20231124);
    alm_arena *arena = alm_arena_create(0);
    (void)state;
    assert_non_null(arena);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < ROUNDS; round++) {
        alm_obs rows[ROWS_MAX];
        size_t count = next(&seed) % (ROWS_MAX + 1);
        for (size_t i = 0; i < count; i++) {
            rows[i] = random_row(&seed);
        }
        if (next(&seed) % 4 != 0) {
            share_columns(&seed, rows, count);
        }
        Almanac__Internal__ObservationBlock *block;
        assert_int_equal(alm_obs_block_write(variants, ALM_ARRAY_LEN(variants), rows, count, NULL,
                                             arena, &block, NULL),
                         ALM_OK);
        alm_str *got_variants;
        size_t variant_count;
        alm_obs *got;
        size_t got_count;
        alm_status st = ALM_STATUS_INIT;
        assert_int_equal(
            alm_obs_block_read(block, arena, &got_variants, &variant_count, &got, &got_count, &st),
            ALM_OK);
        assert_int_equal(variant_count, ALM_ARRAY_LEN(variants));
        assert_int_equal(got_count, count);
        for (size_t i = 0; i < count; i++) {
            assert_row_equal(&got[i], &rows[i]);
        }
        part_there_and_back(&seed, rows, count, arena);
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
}

// --- damages -------------------------------------------------------------------------------------

static char bad_variant[] = "A.gdp.P.level";
static char bad_note[] = "\xff";

static void longer_column(Almanac__Internal__ObservationBlock *b)
{
    b->n_place = 2;
}
static void too_many_rows(Almanac__Internal__ObservationBlock *b)
{
    b->rows = ALM_COMMIT_ROW_COUNT_MAX + 1;
}
static void variant_past_table(Almanac__Internal__ObservationBlock *b)
{
    b->variant[0] = 9;
}
static void malformed_variant(Almanac__Internal__ObservationBlock *b)
{
    b->variants[0] = bad_variant;
}
static void malformed_period(Almanac__Internal__ObservationBlock *b)
{
    b->period[0] = 1;
}
static void no_period(Almanac__Internal__ObservationBlock *b)
{
    b->n_period = 0;
}
static void mantissa_too_long(Almanac__Internal__ObservationBlock *b)
{
    b->mantissa[0] = ALM_DECIMAL_MANTISSA_MAX + 1;
}
static void mantissa_least(Almanac__Internal__ObservationBlock *b)
{
    b->mantissa[0] = INT64_MIN;
}
static void exponent_too_large(Almanac__Internal__ObservationBlock *b)
{
    b->exponent[0] = 300;
}
static void unknown_unit(Almanac__Internal__ObservationBlock *b)
{
    b->unit[0] = 250;
}
static void unit_per_itself(Almanac__Internal__ObservationBlock *b)
{
    b->unit[0] |= (uint32_t)ALM_MEASURE_UNIT_CNY << 16;
}
static void unknown_qualifier(Almanac__Internal__ObservationBlock *b)
{
    b->flags[0] |= 15;
}
static void unknown_status(Almanac__Internal__ObservationBlock *b)
{
    b->flags[0] |= 15 << 4;
}
static void unknown_flag(Almanac__Internal__ObservationBlock *b)
{
    b->flags[0] |= 1u << 12;
}
static void number_without_number(Almanac__Internal__ObservationBlock *b)
{
    b->flags[0] &= ~(1u << 8);
}
static void no_date(Almanac__Internal__ObservationBlock *b)
{
    b->published[0] = ALM_DATE_NONE;
}
static void note_past_table(Almanac__Internal__ObservationBlock *b)
{
    b->note[0] = 7;
}
static void note_not_utf8(Almanac__Internal__ObservationBlock *b)
{
    b->notes[1] = bad_note;
}

static const struct damage {
    const char *field;
    void (*apply)(Almanac__Internal__ObservationBlock *block);
} damages[] = {
    {"place", longer_column},
    {"rows", too_many_rows},
    {"variant", variant_past_table},
    {"variant 0", malformed_variant},
    {"period", malformed_period},
    {"period", no_period},
    {"mantissa", mantissa_too_long},
    {"mantissa", mantissa_least},
    {"exponent", exponent_too_large},
    {"unit", unknown_unit},
    {"unit", unit_per_itself},
    {"flags", unknown_qualifier},
    {"flags", unknown_status},
    {"flags", unknown_flag},
    {"mantissa", number_without_number},
    {"published", no_date},
    {"note", note_past_table},
    {"note 1", note_not_utf8},
};

// Three rows that differ in every column, so that every column has three elements; or that are the
// same, so that it has one.
static Almanac__Internal__ObservationBlock *sound_block(bool is_shared, alm_arena *arena)
{
    alm_obs rows[3];
    Almanac__Internal__ObservationBlock *block;
    for (int k = 0; k < 3; k++) {
        int i = is_shared ? 1 : k;
        rows[k] = (alm_obs){
            .variant = (uint32_t)i,
            .place = (alm_place_id)i,
            .period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 2020 + i},
            .source = (uint32_t)i,
            .published = 19000 + i,
            .note = notes[(i + 1) % 3],
            .sequence = (uint64_t)i,
            .value = {.number = {.mantissa = 5 + i, .exponent = (int8_t)i},
                      .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = (int8_t)i},
                      .qualifier = (alm_qualifier)i,
                      .has_number = true},
        };
    }
    assert_int_equal(alm_obs_block_write(variants, 3, rows, 3, NULL, arena, &block, NULL), ALM_OK);
    return block;
}

static alm_code read_block(const Almanac__Internal__ObservationBlock *block, alm_arena *arena,
                           alm_status *st)
{
    alm_str *got_variants;
    alm_obs *got;
    size_t variant_count;
    size_t count;
    return alm_obs_block_read(block, arena, &got_variants, &variant_count, &got, &count, st);
}

// The last row becomes the first one.
static void turn_rows(Almanac__Internal__ObservationBlock *b)
{
#define TURN_COLUMN(column)                                                                        \
    if (b->n_##column == 3) {                                                                      \
        __typeof__(*b->column) first = b->column[0];                                               \
        b->column[0] = b->column[2];                                                               \
        b->column[2] = first;                                                                      \
    }
    TURN_COLUMN(variant)
    TURN_COLUMN(place)
    TURN_COLUMN(period)
    TURN_COLUMN(mantissa)
    TURN_COLUMN(exponent)
    TURN_COLUMN(unit)
    TURN_COLUMN(flags)
    TURN_COLUMN(source)
    TURN_COLUMN(published)
    TURN_COLUMN(note)
    TURN_COLUMN(sequence)
#undef TURN_COLUMN
}

// In the first row, in a later one, and in what all rows share.
static void damage_is_refused(void **state)
{
    const struct damage *damage = *state;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    for (int way = 0; way < 3; way++) {
        Almanac__Internal__ObservationBlock *block = sound_block(way == 2, arena);
        alm_status st = ALM_STATUS_INIT;
        assert_int_equal(read_block(block, arena, &st), ALM_OK);
        damage->apply(block);
        if (way == 1) {
            turn_rows(block);
        }
        assert_int_not_equal(read_block(block, arena, &st), ALM_OK);
        assert_non_null(strstr(st.message, damage->field));
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
}

// What all rows share is there once, and zeros are not there at all.
static void what_rows_share_is_sent_once(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    Almanac__Internal__ObservationBlock *block = sound_block(true, arena);
    assert_int_equal(block->rows, 3);
    assert_int_equal(block->n_variant, 1);
    assert_int_equal(block->n_place, 1);
    assert_int_equal(block->n_period, 1);
    assert_int_equal(block->n_mantissa, 1);
    assert_int_equal(block->n_exponent, 1);
    assert_int_equal(block->n_unit, 1);
    assert_int_equal(block->n_flags, 1);
    assert_int_equal(block->n_source, 1);
    assert_int_equal(block->n_published, 1);
    assert_int_equal(block->n_note, 1);
    assert_int_equal(block->n_sequence, 1);
    assert_int_equal(block->n_row_number, 0);
    alm_arena_destroy(&arena);
}

int main(void)
{
    struct CMUnitTest tests[2 + ALM_ARRAY_LEN(damages)] = {
        cmocka_unit_test(there_and_back), cmocka_unit_test(what_rows_share_is_sent_once)};
    for (size_t i = 0; i < ALM_ARRAY_LEN(damages); i++) {
        // cmocka hands the state on as void *; the table is only read.
        union {
            const struct damage *in;
            void *out;
        } damage = {.in = &damages[i]};
        tests[i + 2] = (struct CMUnitTest){
            .name = damages[i].field, .test_func = damage_is_refused, .initial_state = damage.out};
    }
    return cmocka_run_group_tests_name("wire_obs", tests, NULL, NULL);
}
