// What the cases of the storage suite share: a store of the engine that is tried (store_fixture.h),
// and the groups.
#ifndef STORE_WORLD_H
#define STORE_WORLD_H

#include "store_fixture.h"

// Indexes into fixture_variants, and source ids of commit_catalog.
#define GDP      0
#define SOFTWARE 1
#define TAX      2
#define BULLETIN 0
#define YEARBOOK 1

#define DAY(day) (19723 + (day)) // as a_row counts: a day of 2024

static inline alm_obs with_source(alm_obs row, uint32_t source)
{
    row.source = source;
    return row;
}

// The mantissa of the only row that answers; -1: none does.
static inline int64_t value_at(fixture *f, alm_read read)
{
    answer *a = read_rows(f, read);
    assert_true(a->count <= 1);
    return a->count == 0 ? -1 : a->rows[0].value.number.mantissa;
}

static inline alm_store_stats get_stats(fixture *f)
{
    alm_store_stats stats;
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    return stats;
}

#define PLACE_TOTAL 16400 // two chunks

static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline void commit_many_places(fixture *f)
{
    alm_indicator indicators[] = {an_indicator("gdp"), an_indicator("tax")};
    alm_source sources[] = {a_source("bulletin", 0), a_source("yearbook", 10)};
    alm_place *places = alm_calloc(PLACE_TOTAL, sizeof *places);
    char(*codes)[16] = alm_calloc(PLACE_TOTAL, sizeof *codes);
    for (uint32_t i = 0; i < PLACE_TOTAL; i++) {
        snprintf(codes[i], sizeof codes[i], "p%u", i);
        places[i] = a_place(codes[i], ALM_LEVEL_TOWN, "");
    }
    commit(f, (alm_batch){.indicators = indicators,
                          .indicator_count = ALM_ARRAY_LEN(indicators),
                          .places = places,
                          .place_count = PLACE_TOTAL,
                          .sources = sources,
                          .source_count = ALM_ARRAY_LEN(sources)});
    alm_free(codes);
    alm_free(places);
}

// The code's name shows in the output, and the message if there is one.
#define assert_code(f, want, got)                                                                  \
    do {                                                                                           \
        alm_code got_ = (got);                                                                     \
        if (got_ != (want)) {                                                                      \
            fail_msg("want %s, got %s: %s", alm_code_name(want), alm_code_name(got_),              \
                     got_ == ALM_OK ? "" : (f)->st.message);                                       \
        }                                                                                          \
    } while (0)

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

typedef struct store_group {
    const char *name;
    const struct CMUnitTest *tests;
    size_t count;
} store_group;
store_group conform_commits(void);   // what becomes of a batch
store_group conform_malformed(void); // batches that are refused
store_group conform_winners(void);   // which vintage wins
store_group conform_selection(void); // what a read asks for
store_group conform_vectors(void);   // series and slices as columns
store_group conform_totals(void);    // sums by groups of places
store_group conform_visitors(void);  // who is shown rows, and what they may do meanwhile
store_group conform_entries(void);   // the catalogue
store_group conform_feed(void);      // changes, waiting, series, quarantine, figures
store_group conform_retention(void); // how long the feed keeps rows
store_group conform_finding(void);   // which series there are
store_group conform_callers(void);   // many at once, and too little memory

#endif
