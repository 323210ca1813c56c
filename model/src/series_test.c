// Series keys: text and variant are one-to-one. All variants of small parts exhaustively, a million
// random ones, and rows of text that no variant makes.
#include "alm/series.h"

#include "test_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static alm_str str(const char *text)
{
    return alm_str_from(text);
}

// ---- Codes

typedef struct code_row {
    const char *name;
    const char *code;
    bool valid;
} code_row;

#define CHARS_64 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

static const code_row code_rows[] = {
    {"code: all that is allowed", CHARS_64, true},
    {"code: one byte too long", CHARS_64 "a", false},
    {"code: one", "a", true},
    {"code: digits", "310105", true},
    {"code: underscore", "_", true},
    {"code: nearly reserved", "_t", true},
    {"code: longer than reserved", "_T_", true},
    {"code: total", "_T", false},
    {"code: not applicable", "_Z", false},
    {"code: empty", "", false},
    {"code: space", "a b", false},
    {"code: dot", "a.b", false},
    {"code: Chinese", "税收", false},
    {"code: control", "a\x01", false},
};

static void tells_a_code(void **state)
{
    const code_row *row = *state;
    assert_int_equal(alm_code_valid(str(row->code)), row->valid);
}

// ---- Known texts

typedef struct text_row {
    const char *name;
    const char *text;
    alm_variant variant;
} text_row;

#define BASE                                                                                       \
    .freq = ALM_FREQ_ANNUAL, .indicator = {"gdp", 3}, .accumulation = ALM_ACCUMULATION_PERIOD,     \
    .measure = ALM_MEASURE_LEVEL

static const text_row text_rows[] = {
    {"text: plain", "A.gdp.P.level._Z._T", {BASE}},
    {"text: share of another indicator elsewhere",
     "A.gdp.P.level.tax@310105._T",
     {BASE, .relation = {{"tax", 3}, {"310105", 6}, ALM_MEASURE_NONE}}},
    {"text: rank of growth among a place's members",
     "A.gdp.P.level.@310000/growth_yoy._T",
     {BASE, .relation = {{NULL, 0}, {"310000", 6}, ALM_MEASURE_GROWTH_YOY}}},
    {"text: relation of a measure alone",
     "A.gdp.P.level./rank._T",
     {BASE, .relation = {{NULL, 0}, {NULL, 0}, ALM_MEASURE_RANK}}},
    {"text: all parts of a relation",
     "A.gdp.P.level.x@y/level._T",
     {BASE, .relation = {{"x", 1}, {"y", 1}, ALM_MEASURE_LEVEL}}},
    {"text: two breakdowns",
     "A.gdp.P.level._Z.industry=software+size=large",
     {BASE, .breakdowns = {{{"industry", 8}, {"software", 8}}, {{"size", 4}, {"large", 5}}},
      .breakdown_count = 2}},
    {"text: other letters",
     "M.gdp.C.growth_yoy._Z._T",
     {.freq = ALM_FREQ_MONTH,
      .indicator = {"gdp", 3},
      .accumulation = ALM_ACCUMULATION_CUMULATIVE,
      .measure = ALM_MEASURE_GROWTH_YOY}},
};

static void writes_and_reads_a_text(void **state)
{
    const text_row *row = *state;
    alm_arena *arena = alm_arena_create(0);
    alm_str text;
    alm_str place;
    alm_variant back;
    assert_int_equal(alm_variant_encode(&row->variant, arena, &text, NULL), ALM_OK);
    assert_string_equal(text.data, row->text);
    assert_int_equal(text.len, strlen(row->text));
    assert_int_equal(alm_variant_decode(text, &back, NULL), ALM_OK);
    assert_true(alm_variant_eq(&back, &row->variant));

    assert_int_equal(alm_series_key_encode(ALM_STR("L-1"), &row->variant, arena, &text, NULL),
                     ALM_OK);
    assert_memory_equal(text.data, "L-1:", 4);
    assert_string_equal(text.data + 4, row->text);
    assert_int_equal(alm_series_key_decode(text, &place, &back, NULL), ALM_OK);
    assert_true(alm_str_eq(place, ALM_STR("L-1")));
    assert_true(alm_variant_eq(&back, &row->variant));
    alm_arena_destroy(&arena);
}

// ---- Texts that nothing makes

typedef struct bad_row {
    const char *text;
    const char *field;
    const char *says;
} bad_row;

static const bad_row bad_rows[] = {
    {"", "", "has 1 parts"},
    {"A", "", "has 1 parts"},
    {"A.gdp.P.level._Z", "", "has 5 parts"},
    {"A.gdp.P.level._Z._T.", "", "has 7 parts"},
    {".gdp.P.level._Z._T", "frequency", "unknown frequency ''"},
    {"X.gdp.P.level._Z._T", "frequency", "unknown frequency 'X'"},
    {"a.gdp.P.level._Z._T", "frequency", "unknown frequency 'a'"},
    {"AA.gdp.P.level._Z._T", "frequency", "unknown frequency 'AA'"},
    {"A..P.level._Z._T", "indicator", "indicator is empty"},
    {"A._T.P.level._Z._T", "indicator", "'_T' is reserved"},
    {"A.g dp.P.level._Z._T", "indicator", "'g dp' is not a code"},
    {" A.gdp.P.level._Z._T", "frequency", "unknown frequency ' A'"},
    {"A.gdp.p.level._Z._T", "accumulation", "'p' is neither P nor C"},
    {"A.gdp.PC.level._Z._T", "accumulation", "'PC' is neither P nor C"},
    {"A.gdp..level._Z._T", "accumulation", "'' is neither P nor C"},
    {"A.gdp.P.Level._Z._T", "measure", "unknown measure 'Level'"},
    {"A.gdp.P.._Z._T", "measure", "unknown measure ''"},
    {"A.gdp.P.level.._T", "relation", "relation is empty"},
    {"A.gdp.P.level._T._T", "relation", "'_T' is reserved"},
    {"A.gdp.P.level._Z@x._T", "relation", "'_Z' is reserved"},
    {"A.gdp.P.level.@._T", "relation", "relation is empty"},
    {"A.gdp.P.level.x@._T", "relation", "relation is empty"},
    {"A.gdp.P.level.x@y@z._T", "relation", "'y@z' is not a code"},
    {"A.gdp.P.level.x/._T", "relation", "unknown measure ''"},
    {"A.gdp.P.level.x/level/level._T", "relation", "unknown measure 'level/level'"},
    {"A.gdp.P.level.x/level@y._T", "relation", "unknown measure 'level@y'"},
    {"A.gdp.P.level._Z.", "breakdown", "'' is not dimension=member"},
    {"A.gdp.P.level._Z._Z", "breakdown", "'_Z' is not dimension=member"},
    {"A.gdp.P.level._Z.a", "breakdown", "'a' is not dimension=member"},
    {"A.gdp.P.level._Z.a=", "breakdown", "breakdown is empty"},
    {"A.gdp.P.level._Z.=b", "breakdown", "breakdown is empty"},
    {"A.gdp.P.level._Z.a=b=c", "breakdown", "'b=c' is not a code"},
    {"A.gdp.P.level._Z.a=_T", "breakdown", "'_T' is reserved"},
    {"A.gdp.P.level._Z.a=b+", "breakdown", "'' is not dimension=member"},
    {"A.gdp.P.level._Z.a=b;c=d", "breakdown", "'b;c=d' is not a code"},
    {"A.gdp.P.level._Z.b=x+a=x", "breakdown", "'a' is out of order"},
    {"A.gdp.P.level._Z.a=x+a=y", "breakdown", "'a' is there twice"},
    {"A.gdp.P.level._Z.a=x+b=x+c=x+d=x+e=x+f=x+g=x+h=x+i=x", "breakdown", "more than 8"},
    {"A.gdp.P.level._Z. a=b", "breakdown", "' a' is not a code"},
};

static void refuses_a_text(void **state)
{
    const bad_row *row = *state;
    alm_variant variant = {.freq = ALM_FREQ_DAY};
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_variant_decode(str(row->text), &variant, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, row->field);
    if (strstr(st.message, row->says) == NULL) {
        fail_msg("'%s' does not say '%s'", st.message, row->says);
    }
    assert_int_equal(variant.freq, ALM_FREQ_DAY); // nothing written
    assert_int_equal(alm_variant_decode(str(row->text), &variant, NULL), ALM_INVALID_ARGUMENT);
}

static void refuses_bad_keys(void **state)
{
    (void)state;
    alm_str place;
    alm_variant variant;
    alm_status st = ALM_STATUS_INIT;
    static const char *const bad[] = {"A.gdp.P.level._Z._T",
                                      ":A.gdp.P.level._Z._T",
                                      "a:b:A.gdp.P.level._Z._T",
                                      "_T:A.gdp.P.level._Z._T",
                                      "a:",
                                      ""};
    for (size_t i = 0; i < ALM_ARRAY_LEN(bad); i++) {
        assert_int_equal(alm_series_key_decode(str(bad[i]), &place, &variant, &st),
                         ALM_INVALID_ARGUMENT);
    }
    static char text[ALM_SERIES_KEY_BYTES_MAX + 1];
    memset(text, 'a', sizeof text);
    alm_str long_text = {text, sizeof text};
    assert_int_equal(alm_variant_decode(long_text, &variant, &st), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "401 bytes"));
    text[1] = ':';
    assert_int_equal(alm_series_key_decode(long_text, &place, &variant, &st), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "401 bytes"));
}

// ---- Variants that have no text

static void spoil_freq(alm_variant *v)
{
    v->freq = ALM_FREQ_NONE;
}
static void spoil_freq_stranger(alm_variant *v)
{
    v->freq = (alm_freq)77;
}
static void spoil_indicator(alm_variant *v)
{
    v->indicator = ALM_STR("");
}
static void spoil_accumulation(alm_variant *v)
{
    v->accumulation = ALM_ACCUMULATION_NONE;
}
static void spoil_measure(alm_variant *v)
{
    v->measure = ALM_MEASURE_NONE;
}
static void spoil_measure_stranger(alm_variant *v)
{
    v->measure = (alm_measure)(ALM_MEASURE_NUMBER_MAX + 1);
}
static void spoil_relation(alm_variant *v)
{
    v->relation.place = ALM_STR("a/b");
}
static void spoil_relation_measure(alm_variant *v)
{
    v->relation.measure = (alm_measure)77;
}
static void spoil_order(alm_variant *v)
{
    v->breakdowns[0].dimension = ALM_STR("z");
}
static void spoil_twice(alm_variant *v)
{
    v->breakdowns[0].dimension = v->breakdowns[1].dimension;
}
static void spoil_member(alm_variant *v)
{
    v->breakdowns[0].member = ALM_STR("");
}
static void spoil_count(alm_variant *v)
{
    v->breakdown_count = ALM_BREAKDOWN_COUNT_MAX + 1;
}

typedef struct spoil_row {
    const char *name;
    void (*spoil)(alm_variant *variant);
    const char *field;
} spoil_row;

static const spoil_row spoil_rows[] = {
    {"encode: no frequency", spoil_freq, "frequency"},
    {"encode: stranger's frequency", spoil_freq_stranger, "frequency"},
    {"encode: no indicator", spoil_indicator, "indicator"},
    {"encode: no accumulation", spoil_accumulation, "accumulation"},
    {"encode: no measure", spoil_measure, "measure"},
    {"encode: stranger's measure", spoil_measure_stranger, "measure"},
    {"encode: relation's place", spoil_relation, "relation"},
    {"encode: relation's measure", spoil_relation_measure, "relation"},
    {"encode: unsorted", spoil_order, "breakdown"},
    {"encode: dimension twice", spoil_twice, "breakdown"},
    {"encode: no member", spoil_member, "breakdown"},
    {"encode: many breakdowns", spoil_count, "breakdown"},
};

static void refuses_a_variant(void **state)
{
    const spoil_row *row = *state;
    alm_variant variant = {BASE, .breakdowns = {{{"a", 1}, {"x", 1}}, {{"b", 1}, {"x", 1}}},
                           .breakdown_count = 2};
    alm_arena *arena = alm_arena_create(0);
    alm_str text = {0};
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_variant_encode(&variant, arena, &text, &st), ALM_OK);
    text = (alm_str){0};
    row->spoil(&variant);
    assert_int_equal(alm_variant_encode(&variant, arena, &text, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, row->field);
    assert_int_equal(alm_series_key_encode(ALM_STR("p"), &variant, arena, &text, NULL),
                     ALM_INVALID_ARGUMENT);
    assert_null(text.data);
    alm_arena_destroy(&arena);
}

// A key of exactly the maximum is good; one byte more is not.
static void bounds_a_key(void **state)
{
    (void)state;
    alm_str full = ALM_STR(CHARS_64);
    alm_variant variant = {BASE,
                           .breakdowns = {{{"a", 1}, full}, {{"b", 1}, full}, {{"c", 1}, full}},
                           .breakdown_count = 3};
    alm_arena *arena = alm_arena_create(0);
    alm_str text;
    alm_status st = ALM_STATUS_INIT;
    variant.indicator = full;
    variant.relation.indicator = full;
    variant.relation.place = alm_str_slice(full, 0, 56);
    assert_int_equal(alm_variant_encode(&variant, arena, &text, &st), ALM_OK);
    while (text.len < ALM_SERIES_KEY_BYTES_MAX) {
        variant.relation.place.len++;
        assert_int_equal(alm_variant_encode(&variant, arena, &text, &st), ALM_OK);
    }
    alm_variant back;
    assert_int_equal(alm_variant_decode(text, &back, &st), ALM_OK);
    assert_true(alm_variant_eq(&variant, &back));
    variant.relation.place.len++;
    assert_true(variant.relation.place.len <= ALM_CODE_BYTES_MAX);
    assert_int_equal(alm_variant_encode(&variant, arena, &text, &st), ALM_OUT_OF_RANGE);
    assert_non_null(strstr(st.message, "is 401 bytes long, at most 400"));
    variant.relation.place.len--;
    assert_int_equal(alm_series_key_encode(ALM_STR("p"), &variant, arena, &text, &st),
                     ALM_OUT_OF_RANGE);
    alm_arena_destroy(&arena);

    arena = alm_arena_create(1);
    if (arena != NULL) {
        assert_int_equal(alm_variant_encode(&variant, arena, &text, &st), ALM_RESOURCE_EXHAUSTED);
    }
    alm_arena_destroy(&arena);
}

// ---- All variants of small parts

#define RELATION_COUNT (3 * 3 * (ALM_MEASURE_NUMBER_MAX + 1))

static alm_variant small_variant(size_t n)
{
    static const alm_str codes[] = {{"a", 1}, {"b", 1}};
    static const alm_breakdown pairs[] = {
        {{"d", 1}, {"x", 1}}, {{"d", 1}, {"y", 1}}, {{"e", 1}, {"x", 1}}};
    alm_variant v = {.freq = (alm_freq)(1 + n % ALM_FREQ_DAY)};
    n /= ALM_FREQ_DAY;
    v.indicator = codes[n % 2];
    n /= 2;
    v.accumulation = (alm_accumulation)(1 + n % 2);
    n /= 2;
    v.measure = (alm_measure)(1 + n % ALM_MEASURE_NUMBER_MAX);
    n /= ALM_MEASURE_NUMBER_MAX;
    v.relation.indicator = n % 3 < 2 ? codes[n % 3] : (alm_str){0};
    n /= 3;
    v.relation.place = n % 3 < 2 ? codes[n % 3] : (alm_str){0};
    n /= 3;
    v.relation.measure = (alm_measure)(n % (ALM_MEASURE_NUMBER_MAX + 1));
    n /= ALM_MEASURE_NUMBER_MAX + 1;
    if (n > 0 && n <= 3) {
        v.breakdowns[v.breakdown_count++] = pairs[n - 1];
    } else if (n > 3) {
        v.breakdowns[v.breakdown_count++] = pairs[(n - 4) % 2];
        v.breakdowns[v.breakdown_count++] = pairs[2];
    }
    return v;
}

static int cmp_text(const void *a, const void *b)
{
    return alm_str_cmp(*(const alm_str *)a, *(const alm_str *)b);
}

static void is_one_to_one_on_all_small_variants(void **state)
{
    (void)state;
    size_t count =
        (size_t)ALM_FREQ_DAY * 2 * 2 * ALM_MEASURE_NUMBER_MAX * RELATION_COUNT * (1 + 3 + 2);
    alm_arena *arena = alm_arena_create((size_t)512 << 20);
    alm_str *texts = alm_arena_calloc(arena, count, sizeof *texts);
    assert_non_null(texts);
    for (size_t i = 0; i < count; i++) {
        alm_variant variant = small_variant(i);
        alm_variant back;
        assert_int_equal(alm_variant_encode(&variant, arena, &texts[i], NULL), ALM_OK);
        assert_int_equal(alm_variant_decode(texts[i], &back, NULL), ALM_OK);
        if (!alm_variant_eq(&variant, &back)) {
            fail_msg("%s reads back as another variant", texts[i].data);
        }
    }
    qsort(texts, count, sizeof *texts, cmp_text);
    for (size_t i = 1; i < count; i++) {
        if (alm_str_eq(texts[i - 1], texts[i])) {
            fail_msg("two variants are written %s", texts[i].data);
        }
    }
    alm_arena_destroy(&arena);
}

// ---- A million random ones

static alm_str random_code(test_random *r, char space[ALM_CODE_BYTES_MAX])
{
    size_t len = 1 + (test_random_one_in(r, 20) ? test_random_below(r, ALM_CODE_BYTES_MAX)
                                                : test_random_below(r, 8));
    for (size_t i = 0; i < len; i++) {
        space[i] = CHARS_64[test_random_below(r, 64)];
    }
    alm_str code = {space, len};
    return alm_code_valid(code) ? code : ALM_STR("_-");
}

typedef struct random_space {
    char codes[3 + 2 * ALM_BREAKDOWN_COUNT_MAX][ALM_CODE_BYTES_MAX];
} random_space;

static void random_breakdowns(test_random *r, random_space *space, alm_variant *v)
{
    size_t wanted = test_random_below(r, ALM_BREAKDOWN_COUNT_MAX + 1);
    for (size_t i = 0; i < wanted; i++) {
        alm_breakdown pair = {random_code(r, space->codes[3 + 2 * i]),
                              random_code(r, space->codes[4 + 2 * i])};
        size_t at = 0; // keeps the list sorted, drops a dimension that is there
        while (at < v->breakdown_count &&
               alm_str_cmp(v->breakdowns[at].dimension, pair.dimension) < 0) {
            at++;
        }
        if (at < v->breakdown_count && alm_str_eq(v->breakdowns[at].dimension, pair.dimension)) {
            continue;
        }
        memmove(&v->breakdowns[at + 1], &v->breakdowns[at],
                (v->breakdown_count - at) * sizeof pair);
        v->breakdowns[at] = pair;
        v->breakdown_count++;
    }
}

static alm_variant random_variant(test_random *r, random_space *space)
{
    alm_variant v = {
        .freq = (alm_freq)(1 + test_random_below(r, ALM_FREQ_DAY)),
        .indicator = random_code(r, space->codes[0]),
        .accumulation = (alm_accumulation)(1 + test_random_below(r, 2)),
        .measure = (alm_measure)(1 + test_random_below(r, ALM_MEASURE_NUMBER_MAX)),
    };
    if (test_random_one_in(r, 2)) {
        v.relation.indicator = random_code(r, space->codes[1]);
    }
    if (test_random_one_in(r, 2)) {
        v.relation.place = random_code(r, space->codes[2]);
    }
    if (test_random_one_in(r, 2)) {
        v.relation.measure = (alm_measure)test_random_below(r, ALM_MEASURE_NUMBER_MAX + 1);
    }
    random_breakdowns(r, space, &v);
    return v;
}

// The same pairs in any order, with any of the separators and blanks, are the same breakdowns.
static void check_loose_breakdowns(test_random *r, const alm_variant *v, uint64_t number)
{
    char text[ALM_BREAKDOWN_COUNT_MAX * (2 * ALM_CODE_BYTES_MAX + 8)];
    size_t len = 0;
    size_t order[ALM_BREAKDOWN_COUNT_MAX];
    for (size_t i = 0; i < v->breakdown_count; i++) {
        size_t k = test_random_below(r, (uint32_t)i + 1);
        order[i] = order[k];
        order[k] = i;
    }
    for (size_t i = 0; i < v->breakdown_count; i++) {
        const alm_breakdown *pair = &v->breakdowns[order[i]];
        const char *blank = test_random_one_in(r, 3) ? " " : "";
        if (i > 0) {
            text[len++] = "+;,"[test_random_below(r, 3)];
        }
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s%s=%s%.*s%s", blank,
                                ALM_STR_ARGS(pair->dimension), blank, blank,
                                ALM_STR_ARGS(pair->member), blank);
    }
    alm_variant back = *v;
    memset(back.breakdowns, 0, sizeof back.breakdowns);
    alm_str loose = {text, len};
    if (alm_breakdowns_parse(loose, back.breakdowns, &back.breakdown_count, NULL) != ALM_OK ||
        !alm_variant_eq(&back, v)) {
        fail_msg("seed %llu, case %llu: breakdowns '%.*s'", (unsigned long long)r->seed,
                 (unsigned long long)number, (int)len, text);
    }
}

static void reads_back_a_million_random_variants(void **state)
{
    (void)state;
    test_random r = test_random_start();
    alm_arena *arena = alm_arena_create(0);
    for (uint64_t number = 0; number < 1000000; number++) {
        random_space space;
        alm_variant variant = random_variant(&r, &space);
        alm_variant back;
        alm_str text;
        alm_code code = alm_variant_encode(&variant, arena, &text, NULL);
        if (code == ALM_OUT_OF_RANGE) {
            continue;
        }
        if (code != ALM_OK || alm_variant_decode(text, &back, NULL) != ALM_OK ||
            !alm_variant_eq(&variant, &back)) {
            fail_msg("seed %llu, case %llu: '%.*s'", (unsigned long long)r.seed,
                     (unsigned long long)number, ALM_STR_ARGS(text));
        }
        check_loose_breakdowns(&r, &variant, number);
        if (number % 1024 == 0) {
            alm_arena_reset(arena);
        }
    }
    alm_arena_destroy(&arena);
}

// Any one byte changed: either refused, or another variant that is written as just that text.
static void survives_a_changed_byte(void **state)
{
    (void)state;
    static const char good[] = "Q.tax.C.rank.b@310105/level.ab=x+cd=y";
    alm_arena *arena = alm_arena_create(0);
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof good];
            memcpy(text, good, sizeof good);
            text[at] = (char)byte;
            alm_variant variant;
            alm_str view = {text, sizeof good - 1};
            alm_str back;
            if (alm_variant_decode(view, &variant, NULL) == ALM_OK) {
                assert_int_equal(alm_variant_encode(&variant, arena, &back, NULL), ALM_OK);
                assert_true(alm_str_eq(view, back));
            }
        }
    }
    alm_arena_destroy(&arena);
}

// ---- The two parts on their own

typedef struct breakdown_row {
    const char *name;
    const char *text;
    const char *want; // canonical, or part of the message
    alm_code code;
} breakdown_row;

static const breakdown_row breakdown_rows[] = {
    {"breakdowns: none", "", "", ALM_OK},
    {"breakdowns: blank", "  ", "", ALM_OK},
    {"breakdowns: total", " _T ", "", ALM_OK},
    {"breakdowns: one", "a=b", "a=b", ALM_OK},
    {"breakdowns: sorted", "size=large ; industry = software", "industry=software+size=large",
     ALM_OK},
    {"breakdowns: comma", "b=1,a=2", "a=2+b=1", ALM_OK},
    {"breakdowns: twice", "a=1+a=2", "'a' is there twice", ALM_INVALID_ARGUMENT},
    {"breakdowns: twice the same", "a=1+a=1", "'a' is there twice", ALM_INVALID_ARGUMENT},
    {"breakdowns: no equals", "a", "'a' is not dimension=member", ALM_INVALID_ARGUMENT},
    {"breakdowns: empty at the end", "a=1;", "'' is not dimension=member", ALM_INVALID_ARGUMENT},
    {"breakdowns: a total among others", "a=1;_T", "'_T' is not", ALM_INVALID_ARGUMENT},
    {"breakdowns: total member", "a=_T", "'_T' is reserved", ALM_INVALID_ARGUMENT},
    {"breakdowns: blank member", "a= ", "breakdown is empty", ALM_INVALID_ARGUMENT},
    {"breakdowns: nine", "a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1", "more than 8",
     ALM_INVALID_ARGUMENT},
};

static void parses_breakdowns(void **state)
{
    const breakdown_row *row = *state;
    alm_breakdown pairs[ALM_BREAKDOWN_COUNT_MAX];
    size_t count = 99;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_breakdowns_parse(str(row->text), pairs, &count, &st), row->code);
    if (row->code != ALM_OK) {
        assert_string_equal(st.field, "breakdown");
        assert_non_null(strstr(st.message, row->want));
        assert_int_equal(count, 99);
        return;
    }
    char text[128] = "";
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s=%.*s", i > 0 ? "+" : "",
                                ALM_STR_ARGS(pairs[i].dimension), ALM_STR_ARGS(pairs[i].member));
    }
    assert_string_equal(text, row->want);
}

static void parses_relations(void **state)
{
    (void)state;
    alm_relation relation;
    static const char *const none[] = {"", " ", "_Z", " _Z "};
    for (size_t i = 0; i < ALM_ARRAY_LEN(none); i++) {
        assert_int_equal(alm_relation_parse(str(none[i]), &relation, NULL), ALM_OK);
        assert_int_equal(relation.indicator.len + relation.place.len, 0);
        assert_int_equal(relation.measure, ALM_MEASURE_NONE);
    }
    assert_int_equal(alm_relation_parse(ALM_STR(" tax@310105/growth_yoy "), &relation, NULL),
                     ALM_OK);
    assert_true(alm_str_eq(relation.indicator, ALM_STR("tax")));
    assert_true(alm_str_eq(relation.place, ALM_STR("310105")));
    assert_int_equal(relation.measure, ALM_MEASURE_GROWTH_YOY);
    static const char *const bad[] = {"@", "/", "a@", "a b", "a@b@c", "_T", "a/nothing", "税"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(bad); i++) {
        alm_status st = ALM_STATUS_INIT;
        assert_int_equal(alm_relation_parse(str(bad[i]), &relation, &st), ALM_INVALID_ARGUMENT);
        assert_string_equal(st.field, "relation");
    }
}

static void tells_variants_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALM_ARRAY_LEN(text_rows); i++) {
        for (size_t k = 0; k < ALM_ARRAY_LEN(text_rows); k++) {
            assert_int_equal(alm_variant_eq(&text_rows[i].variant, &text_rows[k].variant), i == k);
        }
    }
}

#define ROW_TEST(row, title, fn)                                                                   \
    ((struct CMUnitTest){(title), fn, NULL, NULL, (void *)(uintptr_t) & (row)})

int main(void)
{
    const struct CMUnitTest single[] = {
        cmocka_unit_test(refuses_bad_keys),
        cmocka_unit_test(bounds_a_key),
        cmocka_unit_test(is_one_to_one_on_all_small_variants),
        cmocka_unit_test(reads_back_a_million_random_variants),
        cmocka_unit_test(survives_a_changed_byte),
        cmocka_unit_test(parses_relations),
        cmocka_unit_test(tells_variants_apart),
    };
    static struct CMUnitTest tests[ALM_ARRAY_LEN(single) + ALM_ARRAY_LEN(code_rows) +
                                   ALM_ARRAY_LEN(text_rows) + ALM_ARRAY_LEN(bad_rows) +
                                   ALM_ARRAY_LEN(spoil_rows) + ALM_ARRAY_LEN(breakdown_rows)];
    size_t count = 0;
    for (size_t i = 0; i < ALM_ARRAY_LEN(code_rows); i++) {
        tests[count++] = ROW_TEST(code_rows[i], code_rows[i].name, tells_a_code);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(text_rows); i++) {
        tests[count++] = ROW_TEST(text_rows[i], text_rows[i].name, writes_and_reads_a_text);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(bad_rows); i++) {
        tests[count++] = ROW_TEST(bad_rows[i], bad_rows[i].text, refuses_a_text);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(spoil_rows); i++) {
        tests[count++] = ROW_TEST(spoil_rows[i], spoil_rows[i].name, refuses_a_variant);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(breakdown_rows); i++) {
        tests[count++] = ROW_TEST(breakdown_rows[i], breakdown_rows[i].name, parses_breakdowns);
    }
    memcpy(tests + count, single, sizeof single);
    return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
