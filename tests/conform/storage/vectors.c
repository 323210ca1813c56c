// Vectors against rows: whatever alm_store_read says of a series or a slice, now or then, the
// vectors say too, through random commits, revisions and withdrawals, folded and not. And rows
// against rows: a read of few places, which an engine may take from their series, says what one of
// all places says of them, which it takes from slices.
#include "store_world.h"

#include <time.h>

static const alm_place_id some_places[] = {0, 1, 2, 500, 16382, 16383, 16384, 16399};
#define PLACE_COUNT ALM_ARRAY_LEN(some_places)
#define YEAR_FIRST  1990
#define YEAR_COUNT  30

static void fixture_reopen_with(fixture *f, alm_store_reader **reader)
{
    alm_store_reader_close(reader);
    fixture_reopen(f);
    ASSERT_OK(f, alm_store_reader_open(f->store, reader, &f->st));
}

// --- comparing -----------------------------------------------------------------------------------

static uint16_t flags_of(const alm_value *v)
{
    return (uint16_t)(v->qualifier | v->status << 4 | (v->has_number ? 1 << 8 : 0));
}

static void assert_cell(const alm_vector *vector, size_t i, const alm_obs *row)
{
    alm_decimal got = {.mantissa = vector->numbers[i], .exponent = vector->exponent};
    uint16_t flags = vector->flags != NULL ? vector->flags[i] : vector->common_flags;
    assert_int_equal(flags, flags_of(&row->value));
    if (row->value.has_number) {
        assert_int_equal(alm_decimal_cmp(got, row->value.number), 0);
        assert_true(alm_unit_eq(vector->unit, row->value.unit));
    } else {
        assert_int_equal(got.mantissa, 0);
    }
    if (vector->periods != NULL) {
        assert_true(alm_period_eq(vector->periods[i], row->period));
    } else {
        assert_int_equal(vector->places[i], row->place);
    }
}

static alm_read read_like(uint32_t variant, const alm_as_of *as_of)
{
    alm_read read = read_all();
    static const alm_str indicators[] = {{"gdp", 3}, {"tax", 3}};
    read.indicators = &indicators[variant == TAX];
    read.indicator_count = 1;
    read.breakdown = variant == SOFTWARE ? ALM_STR("industry=software") : ALM_STR("");
    if (as_of != NULL) {
        read.as_of = as_of->published;
        read.at_sequence = as_of->sequence;
    }
    return read;
}

static void assert_vector_is(const alm_vector *vector, const answer *a)
{
    assert_int_equal(vector->count, a->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_cell(vector, i, &a->rows[i]);
    }
}

// Keeps the rows of one place.
static void keep_place(answer *a, alm_place_id place)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->count; i++) {
        if (a->rows[i].place == place) {
            a->rows[kept++] = a->rows[i];
        }
    }
    a->count = kept;
}

static void compare_series(fixture *f, alm_store_reader *reader, uint32_t variant,
                           alm_place_id place, const alm_as_of *as_of)
{
    alm_vector vector;
    answer *a = read_rows(f, read_like(variant, as_of));
    keep_place(a, place);
    ASSERT_OK(f,
              alm_store_series(reader, fixture_variants[variant], place, as_of, &vector, &f->st));
    assert_non_null(vector.periods);
    assert_vector_is(&vector, a);
    alm_arena_reset(f->arena);
}

static void compare_slice(fixture *f, alm_store_reader *reader, uint32_t variant, int year,
                          alm_place_id from, alm_place_id to, const alm_as_of *as_of)
{
    alm_vector vector;
    alm_period period = a_year(year);
    alm_read read = read_like(variant, as_of);
    read.all_periods = false;
    read.from = read.to = &period;
    read.period_count = 1;
    answer *a = read_rows(f, read);
    size_t kept = 0;
    for (size_t i = 0; i < a->count; i++) {
        if (a->rows[i].place >= from && a->rows[i].place < to) {
            a->rows[kept++] = a->rows[i];
        }
    }
    a->count = kept;
    ASSERT_OK(f, alm_store_slice(reader, fixture_variants[variant], period, from, to, as_of,
                                 &vector, &f->st));
    assert_non_null(vector.places);
    assert_vector_is(&vector, a);
    alm_arena_reset(f->arena);
}

// Every sum is what the slice's cells make.
static void compare_sums(fixture *f, alm_store_reader *reader, uint32_t variant, alm_period period,
                         const alm_place_range *ranges, size_t count, const alm_as_of *as_of)
{
    alm_vector v;
    alm_sums got;
    ASSERT_OK(f, alm_store_sums(reader, fixture_variants[variant], period, ranges, count, as_of,
                                &got, &f->st));
    assert_int_equal(got.count, count);
    alm_sum *sums = alm_calloc(count + 1, sizeof *sums);
    memcpy(sums, got.sums, count * sizeof *sums);
    for (size_t r = 0; r < count; r++) {
        int64_t sum = 0;
        uint64_t numbers = 0;
        uint32_t statuses = 0;
        ASSERT_OK(f, alm_store_slice(reader, fixture_variants[variant], period, ranges[r].from,
                                     ranges[r].to, as_of, &v, &f->st));
        for (size_t i = 0; i < v.count; i++) {
            uint16_t flags = v.flags != NULL ? v.flags[i] : v.common_flags;
            sum += v.numbers[i];
            numbers += alm_cell_has_number(flags);
            statuses |= UINT32_C(1) << alm_cell_status(flags);
        }
        alm_decimal want = {.mantissa = sum, .exponent = v.exponent};
        alm_decimal have = {.mantissa = sums[r].number, .exponent = got.exponent};
        assert_int_equal(alm_decimal_cmp(want, have), 0);
        assert_int_equal(sums[r].count, numbers);
        assert_int_equal(sums[r].statuses, statuses);
        assert_true(numbers == 0 || alm_unit_eq(got.unit, v.unit));
    }
    alm_free(sums);
}

// --- random rows ---------------------------------------------------------------------------------

static alm_obs random_row(uint64_t *random)
{
    uint64_t r = next_random(random);
    alm_obs row = a_row((uint32_t)(r % 3), some_places[(r >> 8) % PLACE_COUNT],
                        YEAR_FIRST + (int)((r >> 16) % YEAR_COUNT), (int64_t)(r >> 40) % 100000,
                        (int)((r >> 24) % 40));
    row.source = (r >> 32) % 3 == 0 ? ALM_SOURCE_NONE : (uint32_t)((r >> 32) % 2);
    row.value.number.exponent = (int8_t)(-2 - (int)((r >> 48) % 2));
    row.value.status = (r >> 52) % 8 == 0 ? ALM_OBS_STATUS_ESTIMATED : ALM_OBS_STATUS_NORMAL;
    if ((r >> 56) % 16 == 0) {
        row = a_withdrawal(row, (int)((r >> 24) % 40));
    } else if ((r >> 56) % 16 == 1) {
        row.value.number = (alm_decimal){0};
        row.value.has_number = false;
        row.value.unit = (alm_unit){0};
        row.value.status = ALM_OBS_STATUS_MISSING_UNSPECIFIED;
    }
    return row;
}

static uint64_t commit_random_rows(fixture *f, uint64_t *random)
{
    alm_obs rows[60];
    size_t count = 1 + next_random(random) % ALM_ARRAY_LEN(rows);
    for (size_t i = 0; i < count; i++) {
        rows[i] = random_row(random);
    }
    alm_batch batch = batch_of_rows(rows, count);
    batch.is_bulk = next_random(random) % 4 == 0;
    return commit(f, batch).sequence;
}

static void say_the_same_as_rows(void **state)
{
    fixture *f = *state;
    alm_store_reader *reader;
    const char *seed_text = getenv("ALM_TEST_SEED");
    uint64_t seed = seed_text != NULL ? strtoull(seed_text, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (ALM_TEST_SEED)\n", (unsigned long long)seed);
    uint64_t random = seed * 2 + 1;
    uint64_t newest = 0;
    commit_many_places(f);
    ASSERT_OK(f, alm_store_reader_open(f->store, &reader, &f->st));
    for (int round = 0; round < 150; round++) {
        newest = ALM_MAX(newest, commit_random_rows(f, &random));
        if (next_random(&random) % 10 == 0) {
            ASSERT_OK(f, alm_store_compact(f->store, &f->st));
        }
        alm_as_of then = {.published = 19723 + (alm_date)(next_random(&random) % 40),
                          .sequence = next_random(&random) % (newest + 1)};
        then.published = next_random(&random) % 4 == 0 ? ALM_DATE_MAX : then.published;
        const alm_as_of *as_of = round % 2 == 0 ? NULL : &then;
        uint32_t variant = (uint32_t)(next_random(&random) % 3);
        for (size_t i = 0; i < PLACE_COUNT; i++) {
            compare_series(f, reader, variant, some_places[i], as_of);
        }
        for (int year = YEAR_FIRST; year < YEAR_FIRST + YEAR_COUNT; year += 3) {
            compare_slice(f, reader, variant, year, 0, PLACE_TOTAL, as_of);
            compare_slice(f, reader, variant, year, 2, 16384, as_of);
            alm_place_range ranges[] = {{.from = 0, .to = 2},
                                        {.from = 2, .to = 16384},
                                        {.from = 16384, .to = ALM_PLACE_NONE}};
            compare_sums(f, reader, variant, a_year(year), ranges, 3, as_of);
        }
    }
    alm_store_reader_close(&reader);
    assert_verifies(f);
}

// --- few places ----------------------------------------------------------------------------------

static void assert_same_row(const alm_obs *got, const alm_obs *want)
{
    assert_int_equal(got->place, want->place);
    assert_true(alm_period_eq(got->period, want->period));
    assert_int_equal(got->source, want->source);
    assert_int_equal(got->published, want->published);
    assert_int_equal(got->sequence, want->sequence);
    assert_int_equal(flags_of(&got->value), flags_of(&want->value));
    assert_int_equal(got->value.number.mantissa, want->value.number.mantissa);
    assert_int_equal(got->value.number.exponent, want->value.number.exponent);
    assert_true(alm_unit_eq(got->value.unit, want->value.unit));
    assert_true(alm_str_eq(got->note, want->note));
}

// All that a read can ask beside places. Ranges have room for two.
static alm_read random_read(uint64_t *random, uint64_t newest, alm_period *ranges)
{
    static const uint32_t sources[] = {YEARBOOK, ALM_SOURCE_NONE};
    uint64_t r = next_random(random);
    alm_read read = read_all();
    if (r % 4 == 0) {
        read.as_of = DAY((int)(r >> 8) % 40);
        read.at_sequence = (r >> 16) % (newest + 1);
    }
    read.last = (r >> 24) % 3 == 0 ? 1 + (uint32_t)(r >> 32) % 3 : 0;
    read.source_count = (r >> 34) % 5 == 0 ? 1 + (r >> 40) % 2 : 0;
    read.sources = sources;
    read.without_value = (r >> 42) % 3 == 0;
    read.all_vintages = (r >> 44) % 5 == 0;
    ranges[0] = a_year(YEAR_FIRST + (int)((r >> 46) % YEAR_COUNT));
    ranges[1] = a_year(ranges[0].ordinal + (int)((r >> 52) % YEAR_COUNT));
    ranges[1] = (r >> 60) % 4 == 0 ? (alm_period){0} : ranges[1];
    read.from = &ranges[0];
    read.to = &ranges[1];
    read.period_count = (r >> 62) % 2;
    return read;
}

static size_t random_places(uint64_t *random, alm_place_id *ret)
{
    size_t count = 0;
    uint64_t wanted = next_random(random);
    wanted = wanted % 3 == 0 ? UINT64_C(1) << (wanted >> 8) % PLACE_COUNT : wanted >> 8;
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        if ((wanted >> i & 1) != 0) {
            ret[count++] = some_places[i];
        }
    }
    return count;
}

static void compare_places(fixture *f, uint64_t *random, uint64_t newest)
{
    alm_period ranges[2];
    alm_place_id places[PLACE_COUNT];
    alm_read read = random_read(random, newest, ranges);
    size_t count = random_places(random, places);
    const answer *all = read_rows(f, read);
    read.all_places = false;
    read.places = places;
    read.place_count = count;
    const answer *few = read_rows(f, read);
    size_t at = 0;
    for (size_t i = 0; i < all->count; i++) {
        bool is_asked = false;
        for (size_t p = 0; p < count; p++) {
            is_asked = is_asked || places[p] == all->rows[i].place;
        }
        if (is_asked) {
            assert_true(at < few->count);
            assert_true(alm_str_eq(few->variants[few->rows[at].variant],
                                   all->variants[all->rows[i].variant]));
            assert_same_row(&few->rows[at++], &all->rows[i]);
        }
    }
    assert_int_equal(at, few->count);
    alm_arena_reset(f->arena);
}

static void say_of_few_places_what_they_say_of_all(void **state)
{
    fixture *f = *state;
    const char *seed_text = getenv("ALM_TEST_SEED");
    uint64_t seed = seed_text != NULL ? strtoull(seed_text, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (ALM_TEST_SEED)\n", (unsigned long long)seed);
    uint64_t random = seed * 2 + 1;
    uint64_t newest = 0;
    commit_many_places(f);
    for (int round = 0; round < 60; round++) {
        newest = ALM_MAX(newest, commit_random_rows(f, &random));
        if (next_random(&random) % 8 == 0) {
            ASSERT_OK(f, alm_store_compact(f->store, &f->st));
        }
        for (int i = 0; i < 16; i++) {
            compare_places(f, &random, newest);
        }
    }
}

// A winner of now that was known then need not have won then.
static void go_back_behind_a_withdrawal(void **state)
{
    fixture *f = *state;
    alm_store_reader *reader;
    commit_catalog(f);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 7, 10), BULLETIN),
                with_source(a_row(GDP, 1, 2023, 5, 10), BULLETIN),
                with_source(a_row(GDP, 0, 2023, 8, 11), YEARBOOK));
    COMMIT_ROWS(f, a_withdrawal(with_source(a_row(GDP, 0, 2023, 0, 0), YEARBOOK), 12));
    ASSERT_OK(f, alm_store_reader_open(f->store, &reader, &f->st));
    static const struct {
        alm_as_of as_of;
        int64_t want;
    } rows[] = {{{.published = ALM_DATE_MAX}, 7},
                {{.published = DAY(12)}, 7},
                {{.published = DAY(11)}, 8},
                {{.published = DAY(10)}, 7},
                {{.published = ALM_DATE_MAX, .sequence = 2}, 8},
                {{.published = ALM_DATE_MAX, .sequence = 3}, 7}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        alm_vector v;
        ASSERT_OK(f, alm_store_slice(reader, fixture_variants[GDP], a_year(2023), 0, 9,
                                     &rows[i].as_of, &v, &f->st));
        assert_int_equal(v.count, 2);
        assert_int_equal(v.numbers[0], rows[i].want);
        assert_int_equal(v.numbers[1], 5);
        ASSERT_OK(f,
                  alm_store_series(reader, fixture_variants[GDP], 0, &rows[i].as_of, &v, &f->st));
        assert_int_equal(v.count, 1);
        assert_int_equal(v.numbers[0], rows[i].want);
    }
    alm_sums sums;
    alm_as_of before = {.published = DAY(11)};
    alm_place_range both = {.to = 2};
    ASSERT_OK(f, alm_store_sums(reader, fixture_variants[GDP], a_year(2023), &both, 1, &before,
                                &sums, &f->st));
    assert_int_equal(sums.sums[0].number, 13);
    assert_int_equal(sums.sums[0].count, 2);
    alm_store_reader_close(&reader);
}

// All older vintages of a slice are withdrawals, which its flags say once for all.
static void go_back_behind_nothing_but_withdrawals(void **state)
{
    fixture *f = *state;
    alm_vector v;
    alm_store_reader *reader;
    alm_as_of before = {.published = DAY(12)};
    alm_as_of after = {.published = DAY(13)};
    commit_catalog(f);
    COMMIT_ROWS(f, a_withdrawal(with_source(a_row(GDP, 0, 2023, 0, 0), YEARBOOK), 13),
                a_withdrawal(with_source(a_row(GDP, 1, 2023, 0, 0), YEARBOOK), 13),
                with_source(a_row(GDP, 0, 2023, 7, 12), BULLETIN),
                with_source(a_row(GDP, 1, 2023, 8, 13), BULLETIN));
    ASSERT_OK(f, alm_store_reader_open(f->store, &reader, &f->st));
    ASSERT_OK(
        f, alm_store_slice(reader, fixture_variants[GDP], a_year(2023), 0, 9, &before, &v, &f->st));
    assert_int_equal(v.count, 1);
    assert_int_equal(v.numbers[0], 7);
    ASSERT_OK(
        f, alm_store_slice(reader, fixture_variants[GDP], a_year(2023), 0, 9, &after, &v, &f->st));
    assert_int_equal(v.count, 2);
    alm_store_reader_close(&reader);
}

// --- sums ----------------------------------------------------------------------------------------

// Random ranges, some empty, some next to each other.
static size_t random_ranges(uint64_t *random, uint32_t places, alm_place_range *ret, size_t max)
{
    size_t count = 0;
    alm_place_id at = (alm_place_id)(next_random(random) % 50);
    while (count < max && at < places) {
        alm_place_id to = at + (alm_place_id)(next_random(random) % 400);
        ret[count++] = (alm_place_range){.from = at, .to = to};
        at = to + (alm_place_id)(next_random(random) % 3 == 0 ? next_random(random) % 30 : 0);
    }
    return count;
}

static void compare_dense_sums(fixture *f, alm_store_reader *reader, uint64_t *random,
                               uint32_t places, int years)
{
    alm_place_range ranges[20];
    for (int round = 0; round < 40; round++) {
        size_t count = random_ranges(random, places, ranges, ALM_ARRAY_LEN(ranges));
        alm_period period = a_year(YEAR_FIRST + (int)(next_random(random) % (uint64_t)years));
        compare_sums(f, reader, GDP, period, ranges, count, NULL);
    }
}

static void refuse_sums_that_do_not_fit(void **state)
{
    fixture *f = *state;
    alm_sums sums;
    alm_store_reader *reader;
    alm_place_range all = {.to = 4};
    alm_place_range askew[] = {{.from = 2, .to = 3}, {.from = 0, .to = 1}};
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2001, ALM_DECIMAL_MANTISSA_MAX, 1), a_row(GDP, 1, 2001, 1, 1));
    ASSERT_OK(f, alm_store_reader_open(f->store, &reader, &f->st));
    assert_int_equal(
        alm_store_sums(reader, fixture_variants[GDP], a_year(2001), &all, 1, NULL, &sums, &f->st),
        ALM_OUT_OF_RANGE);
    assert_int_equal(
        alm_store_sums(reader, fixture_variants[GDP], a_year(2001), askew, 2, NULL, &sums, &f->st),
        ALM_INVALID_ARGUMENT);
    ASSERT_OK(f, alm_store_sums(reader, fixture_variants[GDP], a_year(1950), &all, 1, NULL, &sums,
                                &f->st));
    assert_int_equal(sums.sums[0].count, 0);
    assert_int_equal(sums.sums[0].statuses, 0);
    ASSERT_OK(f, alm_store_sums(reader, fixture_variants[TAX], a_year(2001), NULL, 0, NULL, &sums,
                                &f->st));
    assert_int_equal(sums.count, 0);
    alm_store_reader_close(&reader);
}

// --- dense data ----------------------------------------------------------------------------------

// So dense that slices are packed over a base, and the values known by heart.
enum { DENSE_PLACES = 900, DENSE_YEARS = 40 };

static int64_t expected[DENSE_YEARS][DENSE_PLACES]; // 0: no cell

static void commit_dense(fixture *f, uint64_t *random, int year_from, int year_to, uint32_t from,
                         uint32_t to, uint32_t one_in, int day)
{
    size_t count = 0;
    alm_obs *rows = alm_calloc(DENSE_YEARS * DENSE_PLACES, sizeof *rows);
    for (int year = year_from; year < year_to; year++) {
        for (uint32_t place = from; place < to; place++) {
            if (next_random(random) % one_in > 0 || next_random(random) % 100 == 0) {
                continue;
            }
            int64_t v = (int64_t)((100 + place * place) * (100 + (uint64_t)year)) / 10 +
                        (int64_t)(next_random(random) % 50);
            expected[year][place] = v;
            rows[count] = a_row(GDP, place, YEAR_FIRST + year, v, day);
            bool is_odd = next_random(random) % 50 == 0;
            rows[count++].value.status = is_odd ? ALM_OBS_STATUS_ESTIMATED : ALM_OBS_STATUS_NORMAL;
        }
    }
    alm_batch batch = batch_of_rows(rows, count);
    batch.is_bulk = true;
    commit(f, batch);
    alm_free(rows);
}

static void assert_dense(fixture *f, alm_store_reader *reader)
{
    alm_vector v;
    for (int year = 0; year < DENSE_YEARS; year++) {
        ASSERT_OK(f, alm_store_slice(reader, fixture_variants[GDP], a_year(YEAR_FIRST + year), 0,
                                     ALM_PLACE_NONE, NULL, &v, &f->st));
        size_t at = 0;
        for (uint32_t place = 0; place < DENSE_PLACES; place++) {
            if (expected[year][place] != 0) {
                assert_int_equal(v.places[at], place);
                assert_int_equal(v.numbers[at++], expected[year][place]);
            }
        }
        assert_int_equal(at, v.count);
    }
    uint64_t random = 3;
    compare_dense_sums(f, reader, &random, DENSE_PLACES, DENSE_YEARS);
    for (uint32_t place = 0; place < DENSE_PLACES; place += 7) {
        ASSERT_OK(f, alm_store_series(reader, fixture_variants[GDP], place, NULL, &v, &f->st));
        size_t at = 0;
        for (int year = 0; year < DENSE_YEARS; year++) {
            if (expected[year][place] != 0) {
                assert_true(alm_period_eq(v.periods[at], a_year(YEAR_FIRST + year)));
                assert_int_equal(v.numbers[at++], expected[year][place]);
            }
        }
        assert_int_equal(at, v.count);
    }
}

static void keep_dense_data(void **state)
{
    fixture *f = *state;
    alm_store_reader *reader;
    uint64_t random = 7;
    memset(expected, 0, sizeof expected);
    commit_many_places(f);
    ASSERT_OK(f, alm_store_reader_open(f->store, &reader, &f->st));
    commit_dense(f, &random, 0, 20, 0, 500, 1, 1);
    assert_dense(f, reader);
    ASSERT_OK(f, alm_store_compact(f->store, &f->st)); // the first base
    assert_dense(f, reader);
    commit_dense(f, &random, 0, 40, 500, DENSE_PLACES, 1, 1); // places it does not know
    commit_dense(f, &random, 20, 40, 0, 500, 1, 1);           // slices from the start over it
    commit_dense(f, &random, 0, 40, 0, DENSE_PLACES, 20, 2);  // revisions
    assert_dense(f, reader);
    fixture_reopen_with(f, &reader);
    assert_dense(f, reader);
    assert_verifies(f); // folds, and makes another base
    assert_dense(f, reader);
    commit_dense(f, &random, 0, 40, 0, DENSE_PLACES, 20, 3);
    assert_dense(f, reader);
    assert_verifies(f);
    alm_store_reader_close(&reader);
}

// --- what has no vector --------------------------------------------------------------------------

static void refuse_numbers_that_cannot_be_added(void **state)
{
    fixture *f = *state;
    alm_vector vector;
    alm_store_reader *reader;
    commit_catalog(f);
    alm_obs rows[] = {a_row(GDP, 0, 2001, 5, 1), a_row(GDP, 1, 2001, 6, 1)};
    rows[1].value.unit.mult = 4;
    commit(f, batch_of_rows(rows, 2));
    ASSERT_OK(f, alm_store_reader_open(f->store, &reader, &f->st));
    assert_int_equal(
        alm_store_slice(reader, fixture_variants[GDP], a_year(2001), 0, 9, NULL, &vector, &f->st),
        ALM_FAILED_PRECONDITION);
    assert_non_null(strstr(f->st.message, "several units"));
    ASSERT_OK(f, alm_store_slice(reader, fixture_variants[GDP], a_year(2001), 1, 2, NULL, &vector,
                                 &f->st));
    assert_int_equal(vector.unit.mult, 4);
    rows[0] = a_row(TAX, 0, 2001, ALM_DECIMAL_MANTISSA_MAX, 1);
    rows[0].value.number.exponent = 18;
    rows[1] = a_row(TAX, 0, 2002, 1, 1);
    commit(f, batch_of_rows(rows, 2));
    for (int folded = 0; folded < 2; folded++) {
        assert_int_equal(alm_store_series(reader, fixture_variants[TAX], 0, NULL, &vector, &f->st),
                         ALM_FAILED_PRECONDITION);
        assert_non_null(strstr(f->st.message, "exponent"));
        ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    }
    alm_store_reader_close(&reader);
}

static void have_nothing_to_say_of_strangers(void **state)
{
    fixture *f = *state;
    alm_vector vector;
    alm_store_reader *reader;
    alm_as_of later = {.published = ALM_DATE_MAX, .sequence = 99};
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2001, 5, 1));
    ASSERT_OK(f, alm_store_reader_open(f->store, &reader, &f->st));
    ASSERT_OK(f, alm_store_series(reader, fixture_variants[TAX], 0, NULL, &vector, &f->st));
    assert_int_equal(vector.count, 0);
    ASSERT_OK(f, alm_store_series(reader, fixture_variants[GDP], 77, NULL, &vector, &f->st));
    assert_int_equal(vector.count, 0);
    ASSERT_OK(f, alm_store_slice(reader, fixture_variants[GDP], a_year(1900), 0, ALM_PLACE_NONE,
                                 NULL, &vector, &f->st));
    assert_int_equal(vector.count, 0);
    assert_int_equal(vector.sequence, 2);
    assert_int_equal(alm_store_series(reader, fixture_variants[GDP], 0, &later, &vector, &f->st),
                     ALM_OUT_OF_RANGE);
    assert_int_equal(alm_store_series(reader, ALM_STR(""), 0, NULL, &vector, &f->st),
                     ALM_INVALID_ARGUMENT);
    assert_int_equal(alm_store_slice(reader, fixture_variants[GDP], (alm_period){0}, 0, 1, NULL,
                                     &vector, &f->st),
                     ALM_INVALID_ARGUMENT);
    alm_store_reader_close(&reader);
    alm_store_reader_close(&reader);
}

store_group conform_vectors(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(say_the_same_as_rows),
        STORE_TEST(say_of_few_places_what_they_say_of_all),
        STORE_TEST(go_back_behind_a_withdrawal),
        STORE_TEST(go_back_behind_nothing_but_withdrawals),
        STORE_TEST(keep_dense_data),
        STORE_TEST(refuse_sums_that_do_not_fit),
        STORE_TEST(refuse_numbers_that_cannot_be_added),
        STORE_TEST(have_nothing_to_say_of_strangers),
    };
    return (store_group){"vectors", tests, ALM_ARRAY_LEN(tests)};
}
