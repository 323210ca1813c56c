// The catalogue: what is kept of entries, which changes are taken and which refused.
#include "store_world.h"

typedef struct catalog_count {
    uint32_t indicators, places, sources;
    char names[512];
} catalog_count;

static alm_code count_indicator(void *arg, uint32_t id, const alm_indicator *e, alm_status *st)
{
    catalog_count *c = arg;
    (void)st;
    assert_int_equal(id, c->indicators++);
    assert_true(alm_str_eq(e->name_en, ALM_STR("GDP")));
    return ALM_OK;
}
static alm_code count_place(void *arg, alm_place_id id, const alm_place *e, alm_status *st)
{
    catalog_count *c = arg;
    (void)st;
    assert_int_equal(id, c->places++);
    size_t len = strlen(c->names);
    snprintf(c->names + len, sizeof c->names - len, " %.*s", ALM_STR_ARGS(e->name_zh));
    return ALM_OK;
}
static alm_code count_source(void *arg, uint32_t id, const alm_source *e, alm_status *st)
{
    catalog_count *c = arg;
    (void)e;
    (void)st;
    assert_int_equal(id, c->sources++);
    return ALM_OK;
}

static catalog_count visit_catalog(fixture *f, uint64_t *ret_sequence)
{
    catalog_count count = {0};
    alm_catalog_visitor visitor = {
        .arg = &count, .indicator = count_indicator, .place = count_place, .source = count_source};
    ASSERT_OK(f, alm_store_visit_catalog(f->store, &visitor, ret_sequence, &f->st));
    return count;
}

static void keeps_and_changes_catalogue_entries(void **state)
{
    fixture *f = *state;
    uint64_t sequence;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    alm_place places[] = {a_place("310105", ALM_LEVEL_DISTRICT, "3101"),
                          a_place("310101", ALM_LEVEL_DISTRICT, "3101"),
                          a_place("310106", ALM_LEVEL_DISTRICT, "3101")};
    alm_str alias = text("Changning");
    places[0].name_zh = text("长宁区");
    places[0].aliases = &alias;
    places[0].alias_count = 1;
    alm_commit_result r = commit(f, (alm_batch){.places = places, .place_count = 3});
    assert_int_equal(r.catalog_added, 1);
    assert_int_equal(r.catalog_changed, 1);
    assert_int_equal(r.catalog_unchanged, 1);
    assert_int_equal(r.sequence, 3);
    fixture_reopen(f);
    catalog_count count = visit_catalog(f, &sequence);
    assert_int_equal(sequence, 3);
    assert_int_equal(count.indicators, 2);
    assert_int_equal(count.places, 5);
    assert_int_equal(count.sources, 2);
    assert_string_equal(count.names, " 长宁区 310101 3101 31 310106");
    assert_verifies(f);
}

// --- every field ---------------------------------------------------------------------------------

// Copies of what was visited, as one line each: equal lines, equal entries.
typedef struct told {
    char lines[8][512];
    size_t count;
} told;

static alm_code tell_indicator(void *arg, uint32_t id, const alm_indicator *e, alm_status *st)
{
    told *t = arg;
    (void)st;
    alm_str alias = e->alias_count > 0 ? e->aliases[e->alias_count - 1] : text("-");
    snprintf(t->lines[t->count++], sizeof t->lines[0],
             "%u %.*s %.*s %.*s %x %d %d %d %d %.*s %.*s %.*s %.*s %.*s %zu %.*s", id,
             ALM_STR_ARGS(e->code), ALM_STR_ARGS(e->name_zh), ALM_STR_ARGS(e->name_en),
             alm_unit_pack(e->unit), e->value_type, e->over_places, e->over_time, e->direction,
             ALM_STR_ARGS(e->theme), ALM_STR_ARGS(e->numerator), ALM_STR_ARGS(e->denominator),
             ALM_STR_ARGS(e->formula), ALM_STR_ARGS(e->definition), e->alias_count,
             ALM_STR_ARGS(alias));
    return ALM_OK;
}
static alm_code tell_place(void *arg, alm_place_id id, const alm_place *e, alm_status *st)
{
    told *t = arg;
    (void)st;
    alm_str successor = e->successor_count > 0 ? e->successors[e->successor_count - 1] : text("-");
    alm_str alias = e->alias_count > 0 ? e->aliases[0] : text("-");
    snprintf(t->lines[t->count++], sizeof t->lines[0],
             "%u %.*s %.*s %.*s %d <%.*s %d..%d %zu %.*s %zu %.*s", id, ALM_STR_ARGS(e->code),
             ALM_STR_ARGS(e->name_zh), ALM_STR_ARGS(e->name_en), e->level, ALM_STR_ARGS(e->parent),
             e->valid_from, e->valid_to, e->successor_count, ALM_STR_ARGS(successor),
             e->alias_count, ALM_STR_ARGS(alias));
    return ALM_OK;
}
static alm_code tell_source(void *arg, uint32_t id, const alm_source *e, alm_status *st)
{
    told *t = arg;
    (void)st;
    snprintf(t->lines[t->count++], sizeof t->lines[0], "%u %.*s %.*s %.*s %d %.*s %d %.*s", id,
             ALM_STR_ARGS(e->code), ALM_STR_ARGS(e->title), ALM_STR_ARGS(e->publisher),
             e->published, ALM_STR_ARGS(e->address), e->precedence, ALM_STR_ARGS(e->note));
    return ALM_OK;
}

static void keeps_every_field_of_an_entry(void **state)
{
    fixture *f = *state;
    alm_str aliases[] = {text("GDP per head"), text("人均GDP")};
    alm_indicator indicators[] = {an_indicator("gdp"),
                                  an_indicator("people"),
                                  {.code = text("per_head"),
                                   .name_zh = text("人均"),
                                   .name_en = text("per head"),
                                   .unit = {.measure = ALM_MEASURE_UNIT_CNY,
                                            .mult = -2,
                                            .per = ALM_MEASURE_UNIT_PERSONS,
                                            .per_mult = 12},
                                   .value_type = ALM_VALUE_TYPE_RATE,
                                   .over_places = ALM_AGGREGATION_RECOMPUTE,
                                   .over_time = ALM_AGGREGATION_RECOMPUTE,
                                   .direction = ALM_DIRECTION_UP,
                                   .theme = text("economy"),
                                   .numerator = text("gdp"),
                                   .denominator = text("people"),
                                   .definition = text("gdp over people"),
                                   .aliases = aliases,
                                   .alias_count = 2},
                                  {.code = text("twice"),
                                   .name_zh = text("两倍"),
                                   .unit = {.measure = ALM_MEASURE_UNIT_CNY},
                                   .value_type = ALM_VALUE_TYPE_RATE,
                                   .over_places = ALM_AGGREGATION_RECOMPUTE,
                                   .formula = text("gdp * 2")}};
    alm_place places[] = {a_place("31", ALM_LEVEL_PROVINCE, ""),
                          a_place("3101", ALM_LEVEL_CITY, "31"),
                          a_place("3102", ALM_LEVEL_CITY, "31")};
    alm_str successor = text("3101");
    places[2].name_en = text("Old Town");
    places[2].valid_from = -7000;
    places[2].valid_to = 12000;
    places[2].successors = &successor;
    places[2].successor_count = 1;
    places[2].aliases = aliases;
    places[2].alias_count = 2;
    alm_source source = {.code = text("yearbook"),
                         .title = text("年鉴"),
                         .publisher = text("统计局"),
                         .published = 19000,
                         .address = text("https://example.org/a?b"),
                         .precedence = INT32_MIN,
                         .note = text("p. 7")};
    alm_batch batch = {.indicators = indicators + 1,
                       .indicator_count = 3,
                       .places = places,
                       .place_count = 3,
                       .sources = &source,
                       .source_count = 1};
    commit(f, (alm_batch){.indicators = indicators, .indicator_count = 1});
    commit(f, batch);
    fixture_reopen(f);
    told got = {0}, want = {0};
    for (uint32_t i = 0; i < 4; i++) {
        tell_indicator(&want, i, &indicators[i], NULL);
    }
    for (uint32_t i = 0; i < 3; i++) {
        tell_place(&want, i, &places[i], NULL);
    }
    tell_source(&want, 0, &source, NULL);
    alm_catalog_visitor visitor = {
        .arg = &got, .indicator = tell_indicator, .place = tell_place, .source = tell_source};
    ASSERT_OK(f, alm_store_visit_catalog(f->store, &visitor, NULL, &f->st));
    assert_int_equal(got.count, want.count);
    for (size_t i = 0; i < want.count; i++) {
        assert_string_equal(got.lines[i], want.lines[i]);
    }
}

// --- changes -------------------------------------------------------------------------------------

static void refuses_entries_that_cannot_stand(void **state)
{
    fixture *f = *state;
    alm_commit_result r;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    alm_place place = a_place("320000", ALM_LEVEL_CITY, "32");
    alm_batch batch = {.places = &place, .place_count = 1};
    assert_int_equal(try_commit(f, batch, &r), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(f->st.message, "unknown parent 32"));
    place = a_place("310109", ALM_LEVEL_CITY, "310105");
    assert_int_equal(try_commit(f, batch, &r), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(f->st.message, "cannot be below 310105"));
    place = a_place("310109", ALM_LEVEL_DISTRICT, "310105"); // nor of the same level
    assert_int_equal(try_commit(f, batch, &r), ALM_INVALID_ARGUMENT);
    place = a_place("310105", ALM_LEVEL_TOWN, "3101");
    assert_int_equal(try_commit(f, batch, &r), ALM_FAILED_PRECONDITION);
    assert_non_null(strstr(f->st.message, "310105"));

    alm_indicator indicator = an_indicator("gdp");
    batch = (alm_batch){.indicators = &indicator, .indicator_count = 1};
    indicator.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_CNY, .mult = 4};
    assert_int_equal(try_commit(f, batch, &r), ALM_OK); // the same dimension
    indicator.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_PERSONS};
    assert_int_equal(try_commit(f, batch, &r), ALM_FAILED_PRECONDITION);
    indicator.code = text("tax"); // has no observations
    assert_int_equal(try_commit(f, batch, &r), ALM_OK);
    indicator.code = text("per_capita");
    indicator.value_type = ALM_VALUE_TYPE_RATE;
    indicator.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_RATIO};
    indicator.over_places = ALM_AGGREGATION_RECOMPUTE;
    indicator.over_time = ALM_AGGREGATION_RECOMPUTE;
    indicator.numerator = text("gdp");
    indicator.denominator = text("people");
    assert_int_equal(try_commit(f, batch, &r), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(f->st.message, "unknown denominator people"));
    assert_verifies(f);
}

// An entry may come twice in a batch: the second changes the first.
static void an_entry_may_come_twice_in_a_batch(void **state)
{
    fixture *f = *state;
    alm_place places[] = {a_place("31", ALM_LEVEL_PROVINCE, ""),
                          a_place("31", ALM_LEVEL_PROVINCE, ""),
                          a_place("31", ALM_LEVEL_PROVINCE, "")};
    places[2].name_zh = text("上海市");
    alm_commit_result r, again;
    r = commit(f, (alm_batch){.places = places, .place_count = 3});
    assert_int_equal(r.catalog_added, 1);
    assert_int_equal(r.catalog_unchanged, 1);
    assert_int_equal(r.catalog_changed, 1);
    assert_string_equal(visit_catalog(f, NULL).names, " 上海市");
    again = commit(f, (alm_batch){.places = places + 2, .place_count = 1});
    assert_int_equal(again.catalog_unchanged, 1);
    assert_int_equal(again.sequence, 0);
    alm_commit_result refused;
    places[1].level = ALM_LEVEL_CITY;
    assert_code(f, ALM_FAILED_PRECONDITION,
                try_commit(f, (alm_batch){.places = places, .place_count = 2}, &refused));
    assert_verifies(f);
}

// Places end, split and merge: their successors may come in the same batch, and must exist.
static void places_end_split_and_merge(void **state)
{
    fixture *f = *state;
    alm_commit_result r;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    alm_str halves[] = {text("310151"), text("310152")};
    alm_place places[] = {a_place("310105", ALM_LEVEL_DISTRICT, "3101"),
                          a_place("310151", ALM_LEVEL_DISTRICT, "3101"),
                          a_place("310152", ALM_LEVEL_DISTRICT, "3101")};
    places[0].valid_to = DAY(0);
    places[0].successors = halves;
    places[0].successor_count = 2;
    places[1].valid_from = places[2].valid_from = DAY(1);
    assert_code(f, ALM_INVALID_ARGUMENT,
                try_commit(f, (alm_batch){.places = places, .place_count = 2}, &r));
    assert_non_null(strstr(f->st.message, "unknown successor 310152"));
    r = commit(f, (alm_batch){.places = places, .place_count = 3});
    assert_int_equal(r.catalog_changed, 1);
    assert_int_equal(r.catalog_added, 2);
    assert_int_equal(value_at(f, read_all()), 1); // figures of what ended stay
    // And one takes both back in.
    alm_str whole = text("310153");
    alm_place merged = a_place("310153", ALM_LEVEL_DISTRICT, "3101");
    alm_place ended[] = {places[1], places[2], merged};
    ended[0].valid_to = ended[1].valid_to = DAY(9);
    ended[0].successors = ended[1].successors = &whole;
    ended[0].successor_count = ended[1].successor_count = 1;
    r = commit(f, (alm_batch){.places = ended, .place_count = 3});
    assert_int_equal(r.catalog_changed, 2);
    assert_int_equal(r.catalog_added, 1);
    assert_verifies(f);
}

// Nothing of a batch is stored when one of its entries cannot stand.
static void a_refused_entry_takes_the_batch_with_it(void **state)
{
    fixture *f = *state;
    alm_commit_result r;
    commit_catalog(f);
    alm_place places[] = {a_place("310106", ALM_LEVEL_DISTRICT, "3101"),
                          a_place("310101", ALM_LEVEL_TOWN, "3101")};
    alm_obs row = a_row(GDP, 0, 2023, 1, 1);
    alm_batch batch = batch_of_rows(&row, 1);
    batch.places = places;
    batch.place_count = 2;
    assert_code(f, ALM_FAILED_PRECONDITION, try_commit(f, batch, &r));
    assert_int_equal(get_stats(f).places, 4);
    assert_int_equal(get_stats(f).observations, 0);
    assert_int_equal(get_stats(f).sequence, 1);
    assert_verifies(f);
}

// An indicator has observations while any of its series has a row, a withdrawn one too.
static void a_withdrawn_row_is_an_observation(void **state)
{
    fixture *f = *state;
    alm_commit_result r;
    commit_catalog(f);
    COMMIT_ROWS(f, a_withdrawal(a_row(SOFTWARE, 0, 2023, 0, 0), 1));
    alm_indicator indicator = an_indicator("gdp");
    indicator.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_PERSONS};
    assert_code(f, ALM_FAILED_PRECONDITION,
                try_commit(f, (alm_batch){.indicators = &indicator, .indicator_count = 1}, &r));
}

// A change of the catalogue moves the catalogue's sequence, and nothing else does.
static void the_catalogue_has_its_own_sequence(void **state)
{
    fixture *f = *state;
    uint64_t sequence;
    visit_catalog(f, &sequence);
    assert_int_equal(sequence, 0);
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    visit_catalog(f, &sequence);
    assert_int_equal(sequence, 1);
    alm_source source = a_source("yearbook", 11);
    commit(f, (alm_batch){.sources = &source, .source_count = 1});
    visit_catalog(f, &sequence);
    assert_int_equal(sequence, 3);
    commit(f, (alm_batch){.sources = &source, .source_count = 1});
    visit_catalog(f, &sequence);
    assert_int_equal(sequence, 3);
    assert_int_equal(get_stats(f).catalog_sequence, 3);
}

static alm_code take_code(void *arg, alm_place_id id, const alm_place *e, alm_status *st)
{
    char *codes = arg;
    (void)st;
    size_t len = strlen(codes);
    snprintf(codes + len, 256 - len, " %u:%.*s", id, ALM_STR_ARGS(e->code));
    return ALM_OK;
}

static alm_code take_source_code(void *arg, uint32_t id, const alm_source *e, alm_status *st)
{
    (void)id;
    snprintf(arg, 256, "%.*s", ALM_STR_ARGS(e->code));
    return alm_status_set(st, ALM_CANCELLED, "enough");
}

// In the order of the ids; a visitor may end it.
static void some_entries_are_visited_by_id(void **state)
{
    fixture *f = *state;
    char codes[256] = "";
    uint32_t ids[] = {3, 0, 77, 2, UINT32_MAX, 3};
    alm_catalog_visitor places = {.arg = codes, .place = take_code};
    alm_catalog_visitor sources = {.arg = codes, .source = take_source_code};
    ASSERT_OK(f, alm_store_visit_entries(f->store, ids, ALM_ARRAY_LEN(ids), &places, &f->st));
    assert_string_equal(codes, "");
    commit_catalog(f);
    ASSERT_OK(f, alm_store_visit_entries(f->store, ids, ALM_ARRAY_LEN(ids), &places, &f->st));
    assert_string_equal(codes, " 3:31 0:310105 2:3101 3:31");
    ASSERT_OK(f, alm_store_visit_entries(f->store, NULL, 0, &places, &f->st));
    uint32_t both[] = {1, 0};
    assert_code(f, ALM_CANCELLED, alm_store_visit_entries(f->store, both, 2, &sources, &f->st));
    assert_string_equal(codes, "yearbook");
}

store_group conform_entries(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(keeps_and_changes_catalogue_entries),
        STORE_TEST(keeps_every_field_of_an_entry),
        STORE_TEST(refuses_entries_that_cannot_stand),
        STORE_TEST(an_entry_may_come_twice_in_a_batch),
        STORE_TEST(places_end_split_and_merge),
        STORE_TEST(a_refused_entry_takes_the_batch_with_it),
        STORE_TEST(a_withdrawn_row_is_an_observation),
        STORE_TEST(the_catalogue_has_its_own_sequence),
        STORE_TEST(some_entries_are_visited_by_id),
    };
    return (store_group){"entries", tests, ALM_ARRAY_LEN(tests)};
}
