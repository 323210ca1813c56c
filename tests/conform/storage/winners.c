// Which of several vintages of a cell wins: precedence, then publication, then commit; as of a day,
// at a sequence, of some sources; and what a withdrawal takes back.
#include "store_world.h"

static alm_read read_as_of(int day)
{
    alm_read read = read_all();
    read.as_of = DAY(day);
    return read;
}

static alm_read read_today(int day)
{
    alm_read read = read_all();
    read.today = DAY(day);
    return read;
}

static alm_read read_at(uint64_t sequence)
{
    alm_read read = read_all();
    read.at_sequence = sequence;
    return read;
}

static alm_read read_sources(const uint32_t *sources, size_t count)
{
    alm_read read = read_all();
    read.sources = sources;
    read.source_count = count;
    return read;
}

static void the_highest_precedence_wins_then_the_latest(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 1, 10), YEARBOOK));
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 2, 20), BULLETIN));
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 3, 5), YEARBOOK));
    assert_int_equal(value_at(f, read_all()), 1);
    alm_read read = read_all();
    read.sources = (const uint32_t[]){BULLETIN};
    read.source_count = 1;
    assert_int_equal(value_at(f, read), 2);
    read = read_all();
    read.as_of = 19723 + 9;
    assert_int_equal(value_at(f, read), 3);
    read.as_of = 19723 + 4;
    assert_int_equal(value_at(f, read), -1);
    read = read_all();
    read.at_sequence = 2;
    assert_int_equal(value_at(f, read), 1);
    read.at_sequence = 1;
    assert_int_equal(value_at(f, read), -1);
    read.at_sequence = 99;
    assert_int_equal(alm_store_read(f->store, &read, take_answer, NULL, NULL, &f->st),
                     ALM_OUT_OF_RANGE);
    assert_verifies(f);
}

// A row without a source stands at precedence 0: above negative ones, below positive ones.
static void no_source_counts_as_0(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_source rumour = a_source("rumour", -1);
    commit(f, (alm_batch){.sources = &rumour, .source_count = 1});
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 1, 9), 2), a_row(GDP, 0, 2023, 2, 5));
    assert_int_equal(value_at(f, read_all()), 2);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 3, 6), BULLETIN)); // as high, later
    assert_int_equal(value_at(f, read_all()), 3);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 4, 1), YEARBOOK));
    assert_int_equal(value_at(f, read_all()), 4);
    assert_verifies(f);
}

// Of equal precedence and publication the later commit wins, and in one commit the lower source.
static void of_equal_vintages_the_later_commit_wins(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_source other = a_source("flash", 0);
    commit(f, (alm_batch){.sources = &other, .source_count = 1});
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 2, 5), 2),
                with_source(a_row(GDP, 0, 2023, 1, 5), BULLETIN));
    assert_int_equal(value_at(f, read_all()), 1);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 3, 5));
    assert_int_equal(value_at(f, read_all()), 3);
    assert_int_equal(value_at(f, read_at(3)), 1);
}

// A vintage published before one that is stored already comes late, and changes no newer answer.
static void a_late_vintage_fills_in_the_past(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 20));
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 2, 10));
    assert_int_equal(value_at(f, read_all()), 1);
    assert_int_equal(value_at(f, read_as_of(19)), 2);
    assert_int_equal(value_at(f, read_as_of(10)), 2);
    assert_int_equal(value_at(f, read_as_of(9)), -1);
}

// What was known on a day, as far as it was committed by then.
static void a_day_and_a_sequence_both_bound(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 10)); // 2
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 2, 30)); // 3
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 3, 20)); // 4
    static const struct {
        uint64_t sequence;
        int day;
        int64_t want;
    } rows[] = {{4, 30, 2}, {4, 29, 3}, {4, 19, 1}, {4, 9, -1}, {3, 30, 2},
                {3, 29, 1}, {3, 9, -1}, {2, 30, 1}, {2, 9, -1}, {1, 30, -1}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        alm_read read = read_as_of(rows[i].day);
        read.at_sequence = rows[i].sequence;
        assert_int_equal(value_at(f, read), rows[i].want);
    }
}

// --- sources -------------------------------------------------------------------------------------

static void only_the_sources_asked_for_compete(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 10), with_source(a_row(GDP, 0, 2023, 2, 20), BULLETIN),
                with_source(a_row(GDP, 0, 2023, 3, 5), YEARBOOK));
    const uint32_t none[] = {ALM_SOURCE_NONE};
    const uint32_t unsorted[] = {ALM_SOURCE_NONE, BULLETIN, ALM_SOURCE_NONE};
    const uint32_t stranger[] = {77};
    assert_int_equal(value_at(f, read_all()), 3);
    assert_int_equal(value_at(f, read_sources(none, 1)), 1);
    assert_int_equal(value_at(f, read_sources(unsorted, 3)), 2);
    assert_int_equal(value_at(f, read_sources(stranger, 1)), -1);
    alm_read read = read_sources(unsorted, 3);
    read.as_of = DAY(19);
    assert_int_equal(value_at(f, read), 1);
    read.all_vintages = true;
    assert_int_equal(read_rows(f, read)->count, 1);
}

// --- precedence ----------------------------------------------------------------------------------

static void a_changed_precedence_changes_the_winner(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 1, 10), YEARBOOK),
                with_source(a_row(GDP, 0, 2023, 2, 5), BULLETIN),
                a_withdrawal(a_row(GDP, 0, 2023, 0, 0), 20));
    assert_int_equal(value_at(f, read_all()), 1);
    alm_source source = a_source("bulletin", 20);
    alm_commit_result r = commit(f, (alm_batch){.sources = &source, .source_count = 1});
    assert_int_equal(r.catalog_changed, 1);
    assert_int_equal(value_at(f, read_all()), 2);
    assert_int_equal(get_stats(f).cells, 1);
    assert_int_equal(get_stats(f).observations, 3);
    assert_verifies(f);
    source.precedence = -1; // below the withdrawal, which is of no source
    commit(f, (alm_batch){.sources = &source, .source_count = 1});
    assert_int_equal(value_at(f, read_all()), 1);
    assert_verifies(f);
}

// Who asks for the newest asks of a day: what is published later does not count yet, be it a value
// or a withdrawal. A day that is named goes before.
static void what_is_published_later_waits_for_its_day(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 5));
    assert_int_equal(value_at(f, read_today(10)), 1);
    assert_int_equal(value_at(f, read_today(4)), -1);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 2, 20));
    COMMIT_ROWS(f, a_withdrawal(a_row(GDP, 0, 2023, 0, 1), 30));
    for (int day = 5; day < 40; day++) {
        int want = day < 20 ? 1 : day < 30 ? 2 : -1;
        assert_int_equal(value_at(f, read_today(day)), want);
        assert_int_equal(value_at(f, read_as_of(day)), want);
    }
    alm_read read = read_today(10);
    read.as_of = DAY(25);
    assert_int_equal(value_at(f, read), 2);
    read = read_today(25);
    read.at_sequence = 2;
    assert_int_equal(value_at(f, read), 1);
    read = read_today(25);
    read.all_vintages = true;
    assert_int_equal(read_rows(f, read)->count, 2);
    assert_int_equal(value_at(f, read_all()), -1);
    assert_verifies(f);
}

// The precedence that counts is the catalogue's now, of past states too.
static void a_changed_precedence_counts_for_the_past(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 1, 10), YEARBOOK),
                with_source(a_row(GDP, 0, 2023, 2, 5), BULLETIN));
    alm_source source = a_source("bulletin", 20);
    commit(f, (alm_batch){.sources = &source, .source_count = 1});
    assert_int_equal(value_at(f, read_at(2)), 2);
    assert_int_equal(value_at(f, read_as_of(10)), 2);
}

// A batch that changes a precedence and adds rows is judged by the new one.
static void rows_meet_the_precedence_of_their_batch(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 1, 10), YEARBOOK));
    alm_source source = a_source("bulletin", 20);
    alm_obs rows[] = {with_source(a_row(GDP, 0, 2023, 2, 5), BULLETIN),
                      with_source(a_row(GDP, 0, 2023, 3, 4), YEARBOOK)};
    alm_batch batch = batch_of_rows(rows, 2);
    batch.sources = &source;
    batch.source_count = 1;
    commit(f, batch);
    assert_int_equal(value_at(f, read_all()), 2);
    assert_verifies(f);
}

// --- withdrawals ---------------------------------------------------------------------------------

static void a_withdrawn_cell_has_no_value_but_vintages(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 0, 2023, 7, 1);
    COMMIT_ROWS(f, row);
    COMMIT_ROWS(f, a_withdrawal(row, 2));
    assert_int_equal(value_at(f, read_all()), -1);
    alm_read read = read_all();
    read.all_vintages = true;
    answer *a = read_rows(f, read);
    assert_int_equal(a->count, 2);
    assert_int_equal(a->rows[0].value.number.mantissa, 7);
    assert_int_equal(a->rows[1].value.status, ALM_OBS_STATUS_WITHDRAWN);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 8, 3));
    assert_int_equal(value_at(f, read_all()), 8);
    assert_verifies(f);
}

// Before the withdrawal was published, or committed, the value stands.
static void a_withdrawal_has_its_day_and_its_sequence(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 0, 2023, 7, 10);
    COMMIT_ROWS(f, row);                        // 2
    COMMIT_ROWS(f, a_withdrawal(row, 20));      // 3
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 8, 30)); // 4
    assert_int_equal(value_at(f, read_as_of(19)), 7);
    assert_int_equal(value_at(f, read_as_of(20)), -1);
    assert_int_equal(value_at(f, read_as_of(29)), -1);
    assert_int_equal(value_at(f, read_as_of(30)), 8);
    assert_int_equal(value_at(f, read_at(2)), 7);
    assert_int_equal(value_at(f, read_at(3)), -1);
    assert_int_equal(value_at(f, read_at(4)), 8);
    assert_int_equal(get_stats(f).cells, 1);
    assert_verifies(f);
}

// A source takes back its own word and no other's, whatever its precedence and its day, and whether
// it had ever said a figure.
static void a_source_withdraws_its_own_word(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 0, 2023, 7, 10);
    COMMIT_ROWS(f, with_source(row, BULLETIN));                   // 2
    COMMIT_ROWS(f, a_withdrawal(with_source(row, YEARBOOK), 20)); // 3: never said anything
    COMMIT_ROWS(f, a_withdrawal(row, 21));                        // 4: as high as the bulletin
    assert_int_equal(value_at(f, read_all()), 7);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 8, 22), YEARBOOK)); // 5
    assert_int_equal(value_at(f, read_all()), 8);
    COMMIT_ROWS(f, a_withdrawal(with_source(row, YEARBOOK), 23)); // 6
    assert_int_equal(value_at(f, read_all()), 7);
    assert_int_equal(value_at(f, read_sources((const uint32_t[]){YEARBOOK}, 1)), -1);
    COMMIT_ROWS(f, a_withdrawal(with_source(row, BULLETIN), 24)); // 7: none is left
    assert_int_equal(value_at(f, read_all()), -1);
    assert_int_equal(get_stats(f).cells, 0);
    static const int64_t by_sequence[] = {-1, 7, 7, 7, 8, 7, -1};
    for (size_t i = 0; i < ALM_ARRAY_LEN(by_sequence); i++) {
        assert_int_equal(value_at(f, read_at(i + 1)), by_sequence[i]);
    }
    static const int64_t by_day[] = {7, 7, 8, 7, -1};
    for (size_t i = 0; i < ALM_ARRAY_LEN(by_day); i++) {
        assert_int_equal(value_at(f, read_as_of(20 + (int)i)), by_day[i]);
    }
    assert_verifies(f);
}

// What a source said before it withdrew does not come back: its word is the last one.
static void a_withdrawn_source_has_no_older_word(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = with_source(a_row(GDP, 0, 2023, 7, 10), YEARBOOK);
    COMMIT_ROWS(f, row, with_source(a_row(GDP, 0, 2023, 8, 11), YEARBOOK));
    COMMIT_ROWS(f, a_withdrawal(row, 12));
    assert_int_equal(value_at(f, read_all()), -1);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 6, 9), BULLETIN));
    assert_int_equal(value_at(f, read_all()), 6);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 9, 13), YEARBOOK));
    assert_int_equal(value_at(f, read_all()), 9);
    assert_verifies(f);
}

// Whoever withdraws what its source had not said by then is told so, since the figure that was
// meant may be another source's, and stays.
static void tells_withdrawals_of_nothing(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = with_source(a_row(GDP, 0, 2023, 7, 10), YEARBOOK);
    COMMIT_ROWS(f, row, a_row(GDP, 1, 2023, 8, 10));
    alm_obs rows[] = {a_withdrawal(with_source(row, BULLETIN), 20), // another source
                      a_withdrawal(row, 9),                         // before it was published
                      a_withdrawal(a_row(GDP, 2, 2023, 0, 0), 20),  // no figure at all
                      a_withdrawal(row, 20),
                      a_withdrawal(a_row(GDP, 3, 2023, 0, 0), 20), // of the row below
                      a_row(GDP, 3, 2023, 9, 10)};
    alm_batch batch = batch_of_rows(rows, ALM_ARRAY_LEN(rows));
    batch.id = text("withdrawals");
    commit(f, batch);
    fixture_reopen(f);
    alm_commit_result r = commit(f, batch); // a repetition tells it again
    assert_int_equal(r.replayed, 1);
    assert_int_equal(r.revised + r.added, 6);
    assert_int_equal(r.withdrew_nothing_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(r.withdrew_nothing[i], i);
    }
    assert_int_equal(
        COMMIT_ROWS(f, a_withdrawal(a_row(TAX, 0, 2023, 0, 0), 1)).withdrew_nothing_count, 1);
}

// Of several withdrawals that one is told which took the last value away.
static void tells_who_took_the_value_away(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = a_row(GDP, 0, 2023, 7, 1);
    alm_read read = read_all();
    read.without_value = true;
    COMMIT_ROWS(f, with_source(row, BULLETIN), a_withdrawal(with_source(row, YEARBOOK), 5),
                a_withdrawal(row, 30));
    COMMIT_ROWS(f, a_withdrawal(with_source(row, BULLETIN), 20));
    answer *a = read_rows(f, read);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->rows[0].source, BULLETIN); // neither the highest nor the latest
    assert_int_equal(a->rows[0].published, DAY(20));
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 8, 2), YEARBOOK)); // before its withdrawal
    a = read_rows(f, read);
    assert_int_equal(a->rows[0].source, BULLETIN);
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 9, 21), YEARBOOK),
                a_withdrawal(with_source(row, YEARBOOK), 22));
    a = read_rows(f, read);
    assert_int_equal(a->rows[0].source, YEARBOOK);
    read.at_sequence = 4;
    a = read_rows(f, read);
    assert_int_equal(a->rows[0].source, BULLETIN);
    read.without_value = false;
    assert_int_equal(read_rows(f, read)->count, 0);
    assert_verifies(f);
}

// A withdrawal of what never was is a vintage too, and the next one revises it.
static void a_cell_may_begin_withdrawn(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    assert_int_equal(COMMIT_ROWS(f, a_withdrawal(a_row(GDP, 0, 2023, 0, 0), 1)).added, 1);
    assert_int_equal(get_stats(f).cells, 0);
    assert_int_equal(COMMIT_ROWS(f, a_row(GDP, 0, 2023, 5, 2)).revised, 1);
    assert_int_equal(get_stats(f).cells, 1);
    assert_int_equal(value_at(f, read_all()), 5);
    assert_verifies(f);
}

// A value that is missing is a value's place, not a withdrawal: it is read.
static void a_missing_value_is_read(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = a_withdrawal(a_row(GDP, 0, 2023, 0, 0), 2);
    row.value.status = ALM_OBS_STATUS_MISSING_NOT_COLLECTED;
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 7, 1), row);
    answer *a = read_rows(f, read_all());
    assert_int_equal(a->count, 1);
    assert_int_equal(a->rows[0].value.status, ALM_OBS_STATUS_MISSING_NOT_COLLECTED);
    assert_int_equal(get_stats(f).cells, 1);
}

// --- all vintages --------------------------------------------------------------------------------

// Every admitted vintage of a cell, in order of publication and then of commit, also where the
// winner was withdrawn.
static void all_vintages_come_in_order_of_publication(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 30), a_row(GDP, 1, 2022, 9, 1));
    COMMIT_ROWS(f, with_source(a_row(GDP, 0, 2023, 2, 10), YEARBOOK),
                with_source(a_row(GDP, 0, 2023, 3, 10), BULLETIN), a_row(GDP, 0, 2022, 8, 1));
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 4, 10), a_withdrawal(a_row(GDP, 0, 2022, 0, 0), 2));
    static const int64_t want[] = {8, 0, 9, 3, 2, 4, 1};
    alm_read read = read_all();
    read.all_vintages = true;
    answer *a = read_rows(f, read);
    assert_int_equal(a->count, ALM_ARRAY_LEN(want));
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->rows[i].value.number.mantissa, want[i]);
    }
    read.at_sequence = 3;
    assert_int_equal(read_rows(f, read)->count, 5);
    read.as_of = DAY(9);
    assert_int_equal(read_rows(f, read)->count, 2);
}

store_group conform_winners(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(the_highest_precedence_wins_then_the_latest),
        STORE_TEST(no_source_counts_as_0),
        STORE_TEST(of_equal_vintages_the_later_commit_wins),
        STORE_TEST(a_late_vintage_fills_in_the_past),
        STORE_TEST(a_day_and_a_sequence_both_bound),
        STORE_TEST(only_the_sources_asked_for_compete),
        STORE_TEST(a_changed_precedence_changes_the_winner),
        STORE_TEST(a_changed_precedence_counts_for_the_past),
        STORE_TEST(rows_meet_the_precedence_of_their_batch),
        STORE_TEST(what_is_published_later_waits_for_its_day),
        STORE_TEST(a_withdrawn_cell_has_no_value_but_vintages),
        STORE_TEST(a_withdrawal_has_its_day_and_its_sequence),
        STORE_TEST(a_source_withdraws_its_own_word),
        STORE_TEST(a_withdrawn_source_has_no_older_word),
        STORE_TEST(tells_withdrawals_of_nothing),
        STORE_TEST(tells_who_took_the_value_away),
        STORE_TEST(a_cell_may_begin_withdrawn),
        STORE_TEST(a_missing_value_is_read),
        STORE_TEST(all_vintages_come_in_order_of_publication),
    };
    return (store_group){"winners", tests, ALM_ARRAY_LEN(tests)};
}
