// What a read asks for: variants, periods, places, the newest n; and reads that are refused.
#include "store_world.h"

static void selects_variants_periods_and_places(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    for (int year = 2019; year <= 2023; year++) {
        for (alm_place_id place = 0; place < 4; place++) {
            COMMIT_ROWS(f, a_row(GDP, place, year, 1, 1), a_row(SOFTWARE, place, year, 2, 1),
                        a_row(TAX, place, year, 3, 1));
        }
    }
    alm_obs plan = a_row(GDP, 0, 2021, 9, 1);
    plan.period.length = 5;
    COMMIT_ROWS(f, plan);

    alm_read read = read_all();
    assert_int_equal(read_rows(f, read)->count, 61);
    read.breakdown = ALM_STR("");
    assert_int_equal(read_rows(f, read)->count, 41);
    read.breakdown = ALM_STR("industry=software");
    assert_int_equal(read_rows(f, read)->count, 20);
    read = read_all();
    read.indicators = (const alm_str[]){ALM_STR("tax"), ALM_STR("tax"), ALM_STR("unknown")};
    read.indicator_count = 3;
    assert_int_equal(read_rows(f, read)->count, 20);
    read = read_all();
    read.all_places = false;
    read.places = (const alm_place_id[]){1, 3, 77};
    read.place_count = 3;
    assert_int_equal(read_rows(f, read)->count, 30);
    read.place_count = 0;
    assert_int_equal(read_rows(f, read)->count, 0);
    read = read_all();
    read.measures = 1u << ALM_MEASURE_RANK;
    assert_int_equal(read_rows(f, read)->count, 0);

    read = read_all();
    read.all_periods = false;
    alm_period from[] = {a_year(2020), a_year(2021)};
    alm_period to[] = {a_year(2021), a_year(2022)};
    read.from = from;
    read.to = to;
    read.period_count = 2;
    assert_int_equal(read_rows(f, read)->count, 36); // overlapping ranges do not double
    from[0] = (alm_period){0};
    read.period_count = 1;
    assert_int_equal(read_rows(f, read)->count, 36); // ..2021
    from[0] = to[0] = plan.period;
    assert_int_equal(read_rows(f, read)->count, 1);
    from[0] = (alm_period){.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 2020 * 12};
    to[0] = (alm_period){0};
    assert_int_equal(read_rows(f, read)->count, 0);
}

// Every part of a variant's text can be asked for.
static void selects_by_measure_accumulation_and_frequency(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    static const alm_str variants[] = {
        {"A.gdp.P.level._Z._T", 19},      {"M.gdp.P.level._Z._T", 19},
        {"M.gdp.C.level._Z._T", 19},      {"A.gdp.P.growth_yoy._Z._T", 24},
        {"A.gdp.P.level._Z.a=b+c=d", 24}, {"A.gdp.P.level._Z.a=b", 20}};
    alm_obs rows[ALM_ARRAY_LEN(variants)];
    for (uint32_t i = 0; i < ALM_ARRAY_LEN(variants); i++) {
        rows[i] = a_row(i, 0, 2023, i, 1);
        if (i == 1 || i == 2) {
            rows[i].period =
                (alm_period){.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 2023 * 12};
        }
    }
    commit(f, (alm_batch){.variants = variants,
                          .variant_count = ALM_ARRAY_LEN(variants),
                          .obs = rows,
                          .obs_count = ALM_ARRAY_LEN(rows)});
    alm_read read = read_all();
    assert_int_equal(read_rows(f, read)->count, 6);
    read.freq = ALM_FREQ_MONTH;
    assert_int_equal(read_rows(f, read)->count, 2);
    read.accumulation = ALM_ACCUMULATION_CUMULATIVE;
    assert_int_equal(value_at(f, read), 2);
    read = read_all();
    read.measures = 1u << ALM_MEASURE_GROWTH_YOY | 1u << ALM_MEASURE_RANK;
    assert_int_equal(value_at(f, read), 3);
    read = read_all();
    read.breakdown = ALM_STR("a=b+c=d");
    assert_int_equal(value_at(f, read), 4);
    read.breakdown = ALM_STR("a=b");
    assert_int_equal(value_at(f, read), 5);
    read.breakdown = ALM_STR("b");
    assert_int_equal(value_at(f, read), -1);
}

// A variant's rows come together, ordered by period and then by place.
static void rows_come_by_variant_period_and_place(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    for (int year = 2023; year >= 2020; year--) {
        COMMIT_ROWS(f, a_row(TAX, 3, year, 1, 1), a_row(GDP, 2, year, 1, 1),
                    a_row(TAX, 0, year, 1, 1), a_row(GDP, 1, year, 1, 1));
    }
    alm_obs plan = a_row(GDP, 0, 2021, 1, 1);
    plan.period.length = 5;
    COMMIT_ROWS(f, plan);
    answer *a = read_rows(f, read_all());
    assert_int_equal(a->count, 17);
    assert_int_equal(a->variant_count, 2);
    for (size_t i = 1; i < a->count; i++) {
        const alm_obs *x = &a->rows[i - 1];
        const alm_obs *y = &a->rows[i];
        int order = alm_period_cmp(x->period, y->period);
        assert_true(x->variant < y->variant || order < 0 || (order == 0 && x->place < y->place));
    }
}

static void nothing_asked_for_is_nothing(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    alm_read read = read_all();
    read.all_periods = false;
    assert_int_equal(value_at(f, read), -1);
    read = read_all();
    read.indicators = (const alm_str[]){ALM_STR("")};
    read.indicator_count = 1;
    assert_int_equal(value_at(f, read), -1);
}

// --- the newest n --------------------------------------------------------------------------------

static void reads_the_newest_n_with_a_value(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    for (int year = 2015; year <= 2023; year++) {
        COMMIT_ROWS(f, a_row(GDP, 0, year, year, 1));
        if (year % 2 == 0) {
            COMMIT_ROWS(f, a_row(GDP, 1, year, year, 1));
        }
    }
    COMMIT_ROWS(f, a_withdrawal(a_row(GDP, 0, 2022, 0, 0), 2));
    alm_read read = read_all();
    read.all_periods = false;
    read.last = 2;
    answer *a = read_rows(f, read);
    assert_int_equal(a->count, 4);
    static const int years[] = {2020, 2021, 2022, 2023};
    static const alm_place_id places[] = {1, 0, 1, 0};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(a->rows[i].period.ordinal, years[i]);
        assert_int_equal(a->rows[i].place, places[i]);
    }
}

static alm_read read_last(uint32_t last)
{
    alm_read read = read_all();
    read.all_periods = false;
    read.last = last;
    return read;
}

static void assert_years(fixture *f, alm_read read, const int *years, size_t count)
{
    answer *a = read_rows(f, read);
    assert_int_equal(a->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(a->rows[i].period.ordinal, years[i]);
    }
}

// n counts periods with a value, within the ranges, as the read sees them.
static void the_newest_n_are_of_what_the_read_sees(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    for (int year = 2015; year <= 2020; year++) {
        COMMIT_ROWS(f, a_row(GDP, 0, year, year, year - 2010)); // 2..7
    }
    alm_obs missing = a_withdrawal(a_row(GDP, 0, 2021, 0, 0), 11);
    missing.value.status = ALM_OBS_STATUS_MISSING;
    COMMIT_ROWS(f, missing, a_withdrawal(a_row(GDP, 0, 2019, 0, 0), 12)); // 8
    assert_years(f, read_last(2), (const int[]){2018, 2020}, 2);
    assert_years(f, read_last(99), (const int[]){2015, 2016, 2017, 2018, 2020}, 5);

    alm_read read = read_last(2);
    read.as_of = DAY(11);
    assert_years(f, read, (const int[]){2019, 2020}, 2);
    read.as_of = DAY(7);
    assert_years(f, read, (const int[]){2016, 2017}, 2);
    read = read_last(1);
    read.at_sequence = 4;
    assert_years(f, read, (const int[]){2017}, 1);
    read = read_last(1);
    read.sources = (const uint32_t[]){YEARBOOK};
    read.source_count = 1;
    assert_years(f, read, NULL, 0);

    read = read_last(2);
    alm_period from[] = {a_year(2015), a_year(2018)};
    alm_period to[] = {a_year(2016), a_year(2019)};
    read.from = from;
    read.to = to;
    read.period_count = 2;
    assert_years(f, read, (const int[]){2016, 2018}, 2);
    from[1] = (alm_period){0};
    to[1] = a_year(2014);
    assert_years(f, read, (const int[]){2015, 2016}, 2);
}

// With all vintages the cells are the same, and each shows all of them.
static void the_newest_n_with_all_vintages(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2021, 1, 1), a_row(GDP, 0, 2022, 2, 1), a_row(GDP, 0, 2022, 3, 2),
                a_row(GDP, 0, 2023, 4, 1), a_withdrawal(a_row(GDP, 0, 2023, 0, 0), 2));
    alm_read read = read_last(1);
    read.all_vintages = true;
    assert_years(f, read, (const int[]){2022, 2022}, 2);
    read.as_of = DAY(1);
    assert_years(f, read, (const int[]){2023}, 1);
}

// Each place and each variant has its own newest n; places not asked for do not count.
static void the_newest_n_are_of_each_series(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1), a_row(GDP, 1, 2021, 1, 1), a_row(GDP, 1, 2022, 1, 1),
                a_row(GDP, 3, 2019, 1, 1), a_row(TAX, 0, 2018, 1, 1));
    assert_int_equal(read_rows(f, read_last(1))->count, 4);
    alm_read read = read_last(1);
    read.all_places = false;
    read.places = (const alm_place_id[]){1, 3, 400};
    read.place_count = 3;
    assert_years(f, read, (const int[]){2019, 2022}, 2);
}

// --- refused -------------------------------------------------------------------------------------

static void refuses_malformed_reads(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_read read = read_all();
    read.all_places = false;
    read.places = (const alm_place_id[]){1, 1};
    read.place_count = 2;
    assert_int_equal(alm_store_read(f->store, &read, take_answer, NULL, NULL, &f->st),
                     ALM_INVALID_ARGUMENT);
    read = read_all();
    read.from = (const alm_period[]){a_year(2020)};
    read.to = (const alm_period[]){{.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 24300}};
    read.period_count = 1;
    assert_int_equal(alm_store_read(f->store, &read, take_answer, NULL, NULL, &f->st),
                     ALM_INVALID_ARGUMENT);
}

static void a_state_that_is_not_there_yet_is_refused(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_read read = read_all();
    read.at_sequence = 2;
    assert_code(f, ALM_OUT_OF_RANGE,
                alm_store_read(f->store, &read, take_answer, NULL, NULL, &f->st));
    assert_string_equal(f->st.field, "at_sequence");
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    assert_int_equal(value_at(f, read), 1);
    read = read_all();
    read.as_of = ALM_DATE_NONE;
    assert_code(f, ALM_INVALID_ARGUMENT,
                alm_store_read(f->store, &read, take_answer, NULL, NULL, &f->st));
}

// --- many places ---------------------------------------------------------------------------------

static void reads_few_of_many_places(void **state)
{
    fixture *f = *state;
    enum { COUNT = 20000 };
    alm_indicator indicator = an_indicator("gdp");
    alm_place *places = alm_calloc(COUNT, sizeof *places);
    alm_obs *rows = alm_calloc(COUNT, sizeof *rows);
    char(*codes)[16] = alm_calloc(COUNT, sizeof *codes);
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(codes[i], sizeof codes[i], "p%u", i);
        places[i] = a_place(codes[i], ALM_LEVEL_TOWN, "");
        rows[i] = a_row(GDP, COUNT - 1 - i, 2023, i, 1); // not in order
    }
    commit(f, (alm_batch){.indicators = &indicator,
                          .indicator_count = 1,
                          .places = places,
                          .place_count = COUNT});
    alm_commit_result r;
    alm_batch batch = batch_of_rows(rows, COUNT);
    batch.variant_count = 2; // tax is no indicator here
    r = commit(f, batch);
    assert_int_equal(r.added, COUNT);
    alm_read read = read_all();
    read.all_places = false;
    alm_place_id wanted[] = {0, 1, 8191, 8192, 16383, 16384, 19999, 20000};
    read.places = wanted;
    read.place_count = ALM_ARRAY_LEN(wanted);
    answer *a = read_rows(f, read);
    assert_int_equal(a->count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(a->rows[i].place, wanted[i]);
        assert_int_equal(a->rows[i].value.number.mantissa, COUNT - 1 - wanted[i]);
    }
    assert_int_equal(assert_verifies(f).cells, COUNT);
    alm_free(codes);
    alm_free(rows);
    alm_free(places);
}

store_group conform_selection(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(selects_variants_periods_and_places),
        STORE_TEST(selects_by_measure_accumulation_and_frequency),
        STORE_TEST(rows_come_by_variant_period_and_place),
        STORE_TEST(nothing_asked_for_is_nothing),
        STORE_TEST(reads_the_newest_n_with_a_value),
        STORE_TEST(the_newest_n_are_of_what_the_read_sees),
        STORE_TEST(the_newest_n_with_all_vintages),
        STORE_TEST(the_newest_n_are_of_each_series),
        STORE_TEST(refuses_malformed_reads),
        STORE_TEST(a_state_that_is_not_there_yet_is_refused),
        STORE_TEST(reads_few_of_many_places),
    };
    return (store_group){"selection", tests, ALM_ARRAY_LEN(tests)};
}
