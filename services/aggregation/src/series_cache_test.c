// Goal: the cache answers what no commit has touched since it was read, at a state that it was told
// of, and nothing while it may have missed one.
// Method: scripts of a word a step, each with the answers that they get; the clock is the test's.
//
//   alive:5/2     the feed says that 5 is the newest, of catalogue 2
//   touch:3@6     commit 6 touches the indicator at place 3; touch:*@6 everywhere;
//                 other:3@6 another indicator
//   next:6        that was all of commit 6; catalog:6 likewise, with a new catalogue
//   lose          the feed is lost
//   wait:5000     milliseconds
//   ask:3         place 3; ask:3,300 several; ask:3@4 at state 4; ask:3>6 not before 6; ask:3#9 on
//                 day 9 of 7
//   fill@5        what was to be read last was, at 5; forget, refuse: it was not
#include "series_cache.h"
#include "test_examples.h"

typedef struct script {
    const char *name, *steps, *want;
} script;

static const script scripts[] = {
    {"nothing is known before the feed is there", "ask:3 ask:3", "miss miss"},
    {"what is asked twice is read", "alive:5/1 ask:3 ask:4 fill@5 ask:3 ask:15",
     "miss fill hit@5 hit@5"},
    {"not after too long", "alive:5/1 ask:3 wait:600001 alive:5/1 ask:3 ask:3", "miss miss fill"},
    {"other places are others", "alive:5/1 ask:3 ask:3 fill@5 ask:16 ask:3,16 fill@5 ask:3,16",
     "miss fill miss fill hit@5"},
    {"not all are due", "alive:5/1 ask:3 ask:3,16 ask:3,16 fill@5 ask:3", "miss miss fill hit@5"},
    {"one reads at a time", "alive:5/1 ask:3 ask:3 ask:3 fill@5 ask:3", "miss fill miss hit@5"},
    {"forgotten is as new", "alive:5/1 ask:3 ask:3 forget ask:3 ask:3", "miss fill miss fill"},
    {"refused is not tried again", "alive:5/1 ask:3 ask:3 refuse ask:3 ask:3",
     "miss fill miss miss"},
    {"before it is touched", "alive:5/1 ask:3 ask:3 refuse touch:3@6 next:6 ask:3 ask:3",
     "miss fill miss fill"},
    {"a commit elsewhere", "alive:5/1 ask:3 ask:3 fill@5 touch:16@6 other:3@6 next:6 ask:3",
     "miss fill hit@6"},
    {"a commit of it", "alive:5/1 ask:3 ask:3 fill@5 touch:15@6 next:6 ask:3 ask:3 fill@6 ask:3",
     "miss fill miss fill hit@6"},
    {"a bulk load of it", "alive:5/1 ask:3 ask:3 fill@5 touch:*@6 next:6 ask:3", "miss fill miss"},
    {"it is out before the commit was told", "alive:5/1 ask:3 ask:3 fill@5 touch:3@6 ask:3",
     "miss fill miss"},
    {"a commit while it is read, which was not seen",
     "alive:5/1 ask:3 ask:3 touch:3@6 next:6 fill@5 ask:3", "miss fill miss"},
    {"and which was", "alive:5/1 ask:3 ask:3 touch:3@6 next:6 fill@6 ask:3", "miss fill hit@6"},
    {"a commit elsewhere while it is read", "alive:5/1 ask:3 ask:3 touch:16@6 next:6 fill@5 ask:3",
     "miss fill hit@6"},
    {"not within a commit", "alive:5/1 touch:4@6 ask:3 ask:3 next:6 ask:3", "miss miss fill"},
    {"read before it began", "alive:5/1 ask:3 touch:16@6 next:6 ask:3 fill@5 ask:3",
     "miss fill miss"},
    {"newer than the feed", "alive:5/1 ask:3 ask:3 fill@6 ask:3 touch:3@6 next:6 ask:3",
     "miss fill miss hit@6"},
    {"at a state that it holds of",
     "alive:5/1 ask:3 ask:3 fill@5 touch:16@6 next:6 ask:3@5 ask:3@6 ask:3@4 ask:3@7",
     "miss fill hit@5 hit@6 miss miss"},
    {"a state that is over is not kept", "alive:5/1 ask:3 touch:16@6 next:6 ask:3@5 ask:3@5",
     "miss miss miss"},
    {"its own write is waited for",
     "alive:5/1 ask:3 ask:3 fill@5 ask:3>6 touch:16@6 next:6 ask:3>6 ask:3>7",
     "miss fill miss hit@6 miss"},
    {"of another day", "alive:5/1 ask:3 ask:3 fill@5 ask:3#8 fill@5 ask:3#8 ask:3 ask:3#6",
     "miss fill fill hit@5 miss miss"},
    {"a new catalogue", "alive:5/1 ask:3 ask:3 fill@5 catalog:6 ask:3 ask:3 fill@6 alive:6/6 ask:3",
     "miss fill miss fill hit@6"},
    {"a new catalogue while it is read", "alive:5/1 ask:3 ask:3 catalog:6 fill@6 ask:3",
     "miss fill miss"},
    {"the feed is lost", "alive:5/1 ask:3 ask:3 fill@5 lose ask:3 alive:5/1 ask:3",
     "miss fill miss miss"},
    {"the feed is lost while it is read", "alive:5/1 ask:3 ask:3 lose alive:5/1 fill@5 ask:3",
     "miss fill miss"},
    {"the feed begins within a commit", "next:6 ask:3 alive:6/1 ask:3 ask:3", "miss miss fill"},
    {"the feed is silent",
     "alive:5/1 ask:3 ask:3 fill@5 wait:4000 ask:3 wait:1 ask:3 alive:5/1 ask:3",
     "miss fill hit@5 miss hit@5"},
    {"another store", "alive:5/1 ask:3 ask:3 fill@5 alive:4/1! ask:3 alive:4/1 ask:3",
     "miss fill miss miss"},
    {"a commit was missed", "alive:5/1 ask:3 ask:3 fill@5 alive:6/1! ask:3", "miss fill miss"},
    {"a catalogue was missed", "alive:5/1 ask:3 ask:3 fill@5 alive:5/2! ask:3", "miss fill miss"},
};

// --- steps ---------------------------------------------------------------------------------------

#define ROWS_OF_PACK 100

typedef struct fixture {
    alm_series_cache *cache;
    int64_t now_us;
    alm_str indicator;
    alm_place_id places[ALM_CACHE_PLACE_COUNT_MAX + 1];
    alm_fetch fetch;
    alm_fetch filling; // of the answer that is to be filled
    alm_cache_answer answer;
    char told[256];
} fixture;

static void open_fixture(fixture *f, uint64_t bytes_max)
{
    *f = (fixture){.now_us = 1, .indicator = ALM_STR("gdp")};
    alm_series_cache_opts opts = {.bytes_max = bytes_max, .clock = alm_clock_fake(&f->now_us)};
    assert_int_equal(alm_series_cache_create(&opts, &f->cache, NULL), ALM_OK);
    f->fetch = (alm_fetch){.indicators = &f->indicator,
                           .indicator_count = 1,
                           .places = f->places,
                           .as_of = ALM_DATE_MAX,
                           .today = 7,
                           .periods = {.kind = ALM_PERIOD_EXPR_ALL}};
}

static alm_series_pack *make_pack(alm_place_id first)
{
    alm_series_pack *pack;
    world_row row = {.variant = "A.gdp.P.level._Z._T", .obs = {.place = first}};
    alm_arena *arena = alm_arena_create(0);
    alm_pack_draft *draft = alm_pack_draft_create(first, arena);
    for (int32_t i = 0; i < ROWS_OF_PACK; i++) {
        world_row_columns alone;
        alm_str text = alm_str_from(row.variant);
        row.obs.period = (alm_period){.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = 1900 + i};
        world_row_columns_set(&alone, &row.obs);
        assert_int_equal(alm_pack_draft_visit(draft, &text, 1, &alone.columns, NULL), ALM_OK);
    }
    assert_int_equal(alm_series_pack_create(draft, &pack, NULL), ALM_OK);
    alm_arena_destroy(&arena);
    return pack;
}

static void finish(fixture *f, const char *how, uint64_t sequence)
{
    assert_int_equal(f->answer.found, ALM_CACHE_FILL);
    for (size_t i = 0; i < f->answer.chunk_count; i++) {
        alm_cache_chunk *chunk = &f->answer.chunks[i];
        if (chunk->pack != NULL) {
            continue;
        }
        if (strcmp(how, "fill") == 0) {
            alm_series_pack *pack = make_pack(chunk->first_place);
            alm_series_cache_fill(f->cache, &f->filling, chunk, pack, sequence);
            alm_series_pack_release(&pack);
        } else {
            alm_series_cache_give_up(f->cache, &f->filling, chunk, strcmp(how, "refuse") == 0);
        }
    }
    alm_cache_answer_release(&f->answer);
    f->answer.found = ALM_CACHE_MISS;
}

static void tell(fixture *f, const alm_cache_answer *answer)
{
    size_t len = strlen(f->told);
    const char *between = len > 0 ? " " : "";
    if (answer->found == ALM_CACHE_HIT) {
        snprintf(f->told + len, sizeof f->told - len, "%shit@%llu", between,
                 (unsigned long long)answer->sequence);
    } else {
        snprintf(f->told + len, sizeof f->told - len, "%s%s", between,
                 answer->found == ALM_CACHE_FILL ? "fill" : "miss");
    }
}

static void ask(fixture *f, const char *words)
{
    char *end;
    uint64_t at = 0, min = 0;
    alm_cache_answer answer;
    f->fetch.place_count = 0;
    f->fetch.today = 7;
    do {
        f->places[f->fetch.place_count++] = (alm_place_id)strtoul(words, &end, 10);
        words = end + 1;
    } while (*end == ',');
    uint64_t number = *end == '\0' ? 0 : strtoull(end + 1, NULL, 10);
    at = *end == '@' ? number : 0;
    min = *end == '>' ? number : 0;
    f->fetch.today = *end == '#' ? (alm_date)number : 7;
    alm_series_cache_ask(f->cache, &f->fetch, at, min, &answer);
    tell(f, &answer);
    if (answer.found == ALM_CACHE_FILL) {
        assert_int_not_equal(f->answer.found, ALM_CACHE_FILL);
        f->filling = f->fetch;
        f->answer = answer;
    } else {
        alm_cache_answer_release(&answer);
    }
}

static void touch(fixture *f, const char *indicator, const char *words)
{
    char variant[64];
    char *end;
    snprintf(variant, sizeof variant, "Q.%s.C.growth_yoy._Z.by=a", indicator);
    alm_place_id place = (alm_place_id)strtoul(words, &end, 10);
    bool is_all = words[0] == '*';
    uint64_t sequence = strtoull(strchr(words, '@') + 1, NULL, 10);
    alm_series_cache_touch(f->cache, alm_str_from(variant), is_all ? NULL : &place, !is_all,
                           sequence);
}

static void step(fixture *f, char *word)
{
    char *rest = strpbrk(word, ":@");
    char *number = rest == NULL ? word : rest + 1;
    if (rest != NULL) {
        *rest = '\0';
    }
    uint64_t value = strtoull(number, NULL, 10);
    if (strcmp(word, "ask") == 0) {
        ask(f, number);
    } else if (strcmp(word, "alive") == 0) {
        uint64_t catalog = strtoull(strchr(number, '/') + 1, NULL, 10);
        assert_int_equal(alm_series_cache_alive(f->cache, value, catalog),
                         strchr(number, '!') == NULL);
    } else if (strcmp(word, "touch") == 0 || strcmp(word, "other") == 0) {
        touch(f, word[0] == 't' ? "gdp" : "tax", number);
    } else if (strcmp(word, "next") == 0 || strcmp(word, "catalog") == 0) {
        alm_series_cache_advance(f->cache, value, word[0] == 'c');
    } else if (strcmp(word, "lose") == 0) {
        alm_series_cache_lose(f->cache);
    } else if (strcmp(word, "wait") == 0) {
        f->now_us += (int64_t)value * 1000;
    } else {
        finish(f, word, value);
    }
}

static void plays(void **state)
{
    const script *it = *state;
    char steps[256], *rest;
    fixture f;
    open_fixture(&f, 1 << 20);
    assert_true(strlen(it->steps) < sizeof steps);
    snprintf(steps, sizeof steps, "%s", it->steps);
    for (char *word = strtok_r(steps, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        step(&f, word);
    }
    assert_string_equal(f.told, it->want);
    if (f.answer.found == ALM_CACHE_FILL) {
        alm_cache_answer_release(&f.answer);
    }
    alm_series_cache_destroy(&f.cache);
}

// --- others --------------------------------------------------------------------------------------

// Each of these words decides which series are meant, so each has entries of its own.
static void keeps_kinds_of_fetches_apart(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, 1 << 20);
    assert_true(alm_series_cache_alive(f.cache, 5, 1));
    for (int i = 0; i < 5; i++) {
        ask(&f, "3");
        ask(&f, "3");
        finish(&f, "fill", 5);
        ask(&f, "3");
        assert_string_equal(f.told, "miss fill hit@5");
        f.told[0] = '\0';
        f.indicator = i == 0 ? ALM_STR("gdp2") : f.indicator;
        f.fetch.measures = i == 1 ? 2 : f.fetch.measures;
        f.fetch.accumulation = i == 2 ? ALM_ACCUMULATION_PERIOD : f.fetch.accumulation;
        f.fetch.freq = i == 3 ? ALM_FREQ_ANNUAL : f.fetch.freq;
        f.fetch.breakdown = i == 4 ? ALM_STR("*") : f.fetch.breakdown;
    }
    ask(&f, "3");
    assert_string_equal(f.told, "miss");
    alm_series_cache_destroy(&f.cache);
}

// What is not the plain reading of a few places is none of the cache's.
static void passes_by_what_it_does_not_keep(void **state)
{
    (void)state;
    static const uint32_t source = 1;
    for (int i = 0; i < 7; i++) {
        fixture f;
        open_fixture(&f, 1 << 20);
        assert_true(alm_series_cache_alive(f.cache, 5, 1));
        ask(&f, "3");
        f.told[0] = '\0';
        f.fetch.as_of = i == 0 ? 100 : ALM_DATE_MAX;
        f.fetch.sources = &source;
        f.fetch.source_count = i == 1;
        f.fetch.all_vintages = i == 2;
        f.fetch.all_places = i == 3;
        f.fetch.indicator_count = i == 4 ? 0 : 1;
        f.fetch.top = i == 6 ? 10 : 0;
        ask(&f, i == 5 ? "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17" : "3");
        assert_string_equal(f.told, "miss");
        alm_series_cache_stats stats;
        alm_series_cache_stats_get(f.cache, &stats);
        assert_int_equal(stats.misses, 1); // the first
        alm_series_cache_destroy(&f.cache);
    }
}

static void check_figures(fixture *f, alm_series_cache_stats want)
{
    alm_series_cache_stats got;
    alm_series_cache_stats_get(f->cache, &got);
    assert_int_equal(got.hits, want.hits);
    assert_int_equal(got.misses, want.misses);
    assert_int_equal(got.fills, want.fills);
    assert_int_equal(got.evictions, want.evictions);
    assert_int_equal(got.invalidations, want.invalidations);
    assert_int_equal(got.entries, want.entries);
}

static uint64_t bytes_of(fixture *f)
{
    alm_series_cache_stats stats;
    alm_series_cache_stats_get(f->cache, &stats);
    return stats.bytes;
}

static void fetch_twice(fixture *f, const char *place)
{
    ask(f, place);
    ask(f, place);
    finish(f, "fill", 5);
}

// All bytes are counted, and what was used longest ago makes room.
static void evicts_what_was_used_longest_ago(void **state)
{
    (void)state;
    fixture f;
    alm_series_pack *pack = make_pack(0);
    size_t pack_bytes = alm_series_pack_bytes(pack);
    alm_series_pack_release(&pack);
    open_fixture(&f, 1 << 20);
    assert_true(alm_series_cache_alive(f.cache, 5, 1));
    uint64_t empty = bytes_of(&f);
    assert_true(empty > 0); // its table
    fetch_twice(&f, "0");
    uint64_t each = bytes_of(&f) - empty;
    assert_true(each > pack_bytes);
    fetch_twice(&f, "16");
    assert_int_equal(bytes_of(&f), empty + 2 * each);
    alm_series_cache_touch(f.cache, ALM_STR("A.gdp.P.level._Z._T"), NULL, 0, 6);
    assert_int_equal(bytes_of(&f), empty);
    check_figures(&f, (alm_series_cache_stats){.misses = 4, .fills = 2, .invalidations = 2});
    alm_series_cache_destroy(&f.cache);

    open_fixture(&f, empty + 10 * each);
    assert_true(alm_series_cache_alive(f.cache, 5, 1));
    for (int i = 0; i < 10; i++) {
        char place[16];
        snprintf(place, sizeof place, "%d", i * ALM_PACK_PLACE_COUNT);
        fetch_twice(&f, place);
    }
    ask(&f, "0");
    check_figures(&f,
                  (alm_series_cache_stats){.hits = 1, .misses = 20, .fills = 10, .entries = 10});
    fetch_twice(&f, "160");
    f.told[0] = '\0';
    ask(&f, "0");
    ask(&f, "32");
    ask(&f, "16");
    assert_string_equal(f.told, "hit@5 hit@5 miss");
    assert_true(bytes_of(&f) <= empty + 10 * each);
    alm_series_cache_destroy(&f.cache);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(keeps_kinds_of_fetches_apart),
        cmocka_unit_test(passes_by_what_it_does_not_keep),
        cmocka_unit_test(evicts_what_was_used_longest_ago),
    };
    struct CMUnitTest tests[ALM_ARRAY_LEN(scripts) + ALM_ARRAY_LEN(others)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(scripts); i++) {
        tests[i] = (struct CMUnitTest){.name = scripts[i].name,
                                       .test_func = plays,
                                       .initial_state = (void *)(uintptr_t)&scripts[i]};
    }
    memcpy(tests + ALM_ARRAY_LEN(scripts), others, sizeof others);
    return cmocka_run_group_tests_name("series_cache", tests, NULL, NULL);
}
