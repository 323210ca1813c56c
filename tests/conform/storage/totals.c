// Totals by groups of places: of slices so dense that they can be added up from what is stored of
// them, with every oddity that rows may have, the same as adding up the rows, to the bit.
#include "store_world.h"

#include "totals_check.h"

// Across the border of two chunks.
enum { FIRST = 15300, YEAR = 2001, YEARS = 5 };

typedef enum oddity {
    ODD_NOT,
    ODD_STATUS,
    ODD_MISSING,
    ODD_QUALIFIER,
    ODD_EXPONENT,
    ODD_UNIT,
    ODD_SOURCE,
    ODDITY_COUNT
} oddity;

static alm_value odd_value(alm_value v, oddity what, uint64_t r)
{
    static const alm_qualifier qualifiers[] = {ALM_QUALIFIER_ABOUT, ALM_QUALIFIER_MORE_THAN,
                                               ALM_QUALIFIER_EXPECTED, ALM_QUALIFIER_NEARLY};
    switch (what) {
    case ODD_STATUS:
        v.status = r % 2 == 0 ? ALM_OBS_STATUS_BREAK : ALM_OBS_STATUS_DEFINITION;
        break;
    case ODD_MISSING:
        v.has_number = false;
        v.number = (alm_decimal){0};
        v.status = ALM_OBS_STATUS_MISSING_SUPPRESSED;
        break;
    case ODD_QUALIFIER:
        v.qualifier = qualifiers[r % ALM_ARRAY_LEN(qualifiers)];
        break;
    case ODD_EXPONENT:
        v.number.exponent = (int8_t)(r % 2 == 0 ? -3 : 0);
        break;
    case ODD_UNIT:
        v.unit.mult = 4;
        break;
    default:
        break;
    }
    return v;
}

// About one row in `one_in` is odd, in one of the ways whose bits are set.
static void commit_year(fixture *f, uint64_t *random, int year, unsigned ways, uint32_t one_in)
{
    size_t count = 0;
    alm_obs *rows = alm_calloc(PLACE_TOTAL, sizeof *rows);
    for (alm_place_id place = FIRST; place < PLACE_TOTAL; place++) {
        if (next_random(random) % 40 == 0) {
            continue; // a gap
        }
        int64_t number = (int64_t)(next_random(random) % 1000000) - 1000;
        oddity what = (oddity)(next_random(random) % ODDITY_COUNT);
        bool is_odd = (ways >> what & 1) != 0 && next_random(random) % one_in == 0;
        rows[count] = a_row(GDP, place, year, number, 1);
        rows[count].source = BULLETIN;
        if (is_odd) {
            rows[count].value = odd_value(rows[count].value, what, next_random(random));
            rows[count].source = what == ODD_SOURCE ? YEARBOOK : BULLETIN;
        }
        count++;
    }
    commit(f, batch_of_rows(rows, count));
    alm_free(rows);
}

static void commit_revisions(fixture *f, uint64_t *random, int day)
{
    size_t count = 0;
    alm_obs rows[60];
    for (; count < ALM_ARRAY_LEN(rows); count++) {
        alm_place_id place = FIRST + (alm_place_id)(18 * count);
        rows[count] = with_source(a_row(GDP, place, YEAR, 7 * (int64_t)count, day), BULLETIN);
        if (next_random(random) % 3 == 0) {
            rows[count] = a_withdrawal(rows[count], day);
        }
    }
    commit(f, batch_of_rows(rows, count));
}

// --- groups --------------------------------------------------------------------------------------

typedef struct group_room {
    alm_group_range ranges[PLACE_TOTAL];
    alm_member_span spans[40];
} group_room;

static alm_total_groups random_groups(uint64_t *random, group_room *room)
{
    alm_total_groups groups = {.ranges = room->ranges,
                               .group_count = 1 + (uint32_t)(next_random(random) % 30),
                               .spans = room->spans,
                               .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8}};
    uint64_t longest = next_random(random) % 2 == 0 ? 20 : 900;
    bool is_ordered = next_random(random) % 2 == 0;
    alm_place_id at = FIRST - 100;
    while (at < PLACE_TOTAL) {
        alm_place_id to = at + 1 + (alm_place_id)(next_random(random) % longest);
        uint32_t group =
            is_ordered ? (uint32_t)(((uint64_t)at - FIRST + 100) * groups.group_count / PLACE_TOTAL)
                       : (uint32_t)(next_random(random) % groups.group_count);
        room->ranges[groups.range_count++] = (alm_group_range){at, to, group};
        at = to + (alm_place_id)(next_random(random) % 3);
    }
    for (alm_place_id place = FIRST; place < PLACE_TOTAL && next_random(random) % 30 > 0;
         place += 1 + (alm_place_id)(next_random(random) % 90)) {
        alm_date day = alm_period_last_day(a_year(YEAR + (int)(next_random(random) % YEARS)));
        if (groups.span_count < ALM_ARRAY_LEN(room->spans)) {
            bool begins = next_random(random) % 2 == 0;
            room->spans[groups.span_count++] =
                (alm_member_span){place, begins ? day : ALM_DATE_NONE, begins ? ALM_DATE_MAX : day};
        }
    }
    return groups;
}

static void compare(fixture *f, uint64_t *random, const alm_read *read)
{
    group_room *room = alm_calloc(1, sizeof *room);
    for (int round = 0; round < 8; round++) {
        alm_total_groups groups = random_groups(random, room);
        totals_check check = {.groups = &groups, .place_count = PLACE_TOTAL + 1000};
        check_totals(&check, f->store, *read);
        if (check.why[0] != '\0') {
            fail_msg("round %d: %s", round, check.why);
        }
    }
    alm_free(room);
}

static void compare_states(fixture *f, uint64_t *random, uint64_t before)
{
    alm_read read = read_all();
    compare(f, random, &read);
    read.at_sequence = before;
    compare(f, random, &read);
    read.at_sequence = 0;
    read.as_of = DAY(1);
    compare(f, random, &read);
    read.as_of = ALM_DATE_MAX;
    read.last = 2;
    compare(f, random, &read);
    static const uint32_t sources[] = {YEARBOOK};
    read.last = 0;
    read.sources = sources;
    read.source_count = 1;
    compare(f, random, &read);
}

// --- tests ---------------------------------------------------------------------------------------

static void are_those_of_the_rows(void **state)
{
    fixture *f = *state;
    uint64_t random = 11;
    commit_many_places(f);
    commit_year(f, &random, YEAR, 1u << ODD_STATUS | 1u << ODD_MISSING, 12);
    commit_year(f, &random, YEAR + 1, 1u << ODD_QUALIFIER | 1u << ODD_EXPONENT, 20);
    commit_year(f, &random, YEAR + 2, ~0u, 30);
    commit_year(f, &random, YEAR + 3, 0, 1);
    commit_year(f, &random, YEAR + 4, 1u << ODD_MISSING | 1u << ODD_STATUS, 1);
    compare_states(f, &random, 3);
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    compare_states(f, &random, 3);
    commit_revisions(f, &random, 2);
    compare_states(f, &random, 6);
    fixture_reopen(f);
    commit_revisions(f, &random, 3);
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    compare_states(f, &random, 7);
}

typedef struct one_slice {
    size_t visits;
    alm_total totals[2];
    alm_place_range missing[4];
    size_t missing_count;
} one_slice;

static alm_code take_slice(void *arg, const alm_slice_totals *slice, alm_status *st)
{
    one_slice *it = arg;
    (void)st;
    it->visits++;
    memcpy(it->totals, slice->totals, sizeof it->totals);
    it->missing_count = slice->missing_count;
    for (size_t i = 0; i < slice->missing_count && i < ALM_ARRAY_LEN(it->missing); i++) {
        it->missing[i] = slice->missing[i];
    }
    return ALM_OK;
}

static void tell_who_is_missing(void **state)
{
    fixture *f = *state;
    const alm_group_range ranges[] = {{0, 2, 0}, {3, 4, 1}};
    const alm_member_span ended = {0, ALM_DATE_NONE, alm_period_last_day(a_year(2000))};
    alm_total_groups groups = {.ranges = ranges,
                               .range_count = 2,
                               .group_count = 2,
                               .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 4}};
    one_slice got = {0};
    alm_decimal number;
    alm_read read = read_all();
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2001, 125, 1), a_row(GDP, 2, 2001, 900, 1));
    ASSERT_OK(f, alm_store_totals(f->store, &read, &groups, take_slice, &got, NULL, &f->st));
    assert_int_equal(got.visits, 1);
    assert_int_equal(got.totals[0].present, 1);
    ASSERT_OK(f, alm_total_number(&got.totals[0], &number, &f->st));
    assert_int_equal(number.mantissa, 125);
    assert_int_equal(number.exponent, 2);
    assert_int_equal(got.totals[1].present, 0);
    assert_int_equal(got.missing_count, 2);
    assert_int_equal(got.missing[0].from, 1);
    assert_int_equal(got.missing[0].to, 2);
    assert_int_equal(got.missing[1].from, 3);
    assert_int_equal(got.missing[1].to, 4);
    // Who is no member is not missing, and yet the slice is told.
    groups.spans = &ended;
    groups.span_count = 1;
    ASSERT_OK(f, alm_store_totals(f->store, &read, &groups, take_slice, &got, NULL, &f->st));
    assert_int_equal(got.visits, 2);
    assert_int_equal(got.totals[0].present, 0);
    assert_int_equal(got.missing_count, 2);
    groups.ranges = ranges + 1;
    groups.range_count = 1;
    ASSERT_OK(f, alm_store_totals(f->store, &read, &groups, take_slice, &got, NULL, &f->st));
    assert_int_equal(got.visits, 2);
}

static alm_code refuse(void *arg, const alm_slice_totals *slice, alm_status *st)
{
    (void)arg;
    (void)slice;
    return alm_status_set(st, ALM_CANCELLED, "enough");
}

static void end_when_the_visitor_fails(void **state)
{
    fixture *f = *state;
    const alm_group_range all = {0, 4, 0};
    alm_total_groups groups = {.ranges = &all,
                               .range_count = 1,
                               .group_count = 1,
                               .unit = {.measure = ALM_MEASURE_UNIT_CNY}};
    alm_read read = read_all();
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2001, 125, 1), a_row(GDP, 0, 2002, 125, 1));
    assert_int_equal(alm_store_totals(f->store, &read, &groups, refuse, NULL, NULL, &f->st),
                     ALM_CANCELLED);
}

store_group conform_totals(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(are_those_of_the_rows),
        STORE_TEST(tell_who_is_missing),
        STORE_TEST(end_when_the_visitor_fails),
    };
    return (store_group){"totals", tests, ALM_ARRAY_LEN(tests)};
}
