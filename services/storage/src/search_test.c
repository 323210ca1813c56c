// Search: rows of words and texts, the order of what is found, and the index against a plain look
// at every text.
#include "search.h"

#include "search_fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct search_row {
    const char *name, *words;
    bool want;
} search_row;

static const search_row rows[] = {
    {"spaces alone find nothing", " \t\xe3\x80\x80 ", false},
    {"a part of the code", "DP_r", true},
    {"a Chinese name", "生产总值", true},
    {"one character", "总", true},
    {"one that is nowhere", "税", false},
    {"an alias", "国内", true},
    {"the theme", "national", true},
    {"words in different texts", "gdp 总值", true},
    {"a wide space between words", "gdp\xe3\x80\x80总值", true},
    {"wide letters", "ＧＤＰ", true},
    {"wide letters that are stored", "ＳＴＡＴＳ", true},
    {"narrow letters for wide ones", "stats", true},
    {"a letter with an accent in two ways", "cafe\xcc\x81", true},
    {"a ligature", "\xef\xac\x81ne", true},
    {"one word that is nowhere", "gdp tax", false},
    {"a word longer than any text", "gross domestic product of everything", false},
    {"a word across two texts", "gdp_real地区", false},
    {"bytes that are not UTF-8", "\xff\xfe", false},
};

static const alm_str texts[] = {
    {"gdp_real", 8},           {"地区生产总值", 18}, {"GDP at constant prices", 22},
    {"National accounts", 17}, {"国内生产总值", 18}, {"ｓｔａｔｓ", 15},
    {"CAF\xc3\x89", 5},        {"Fine", 4}};

static void searches(void **state)
{
    const search_row *row = *state;
    search_hit *hits;
    size_t count;
    alm_arena *arena = alm_arena_create(0);
    search_index *index = search_index_create();
    assert_int_equal(search_index_put(index, 0, texts, ALM_ARRAY_LEN(texts), NULL), ALM_OK);
    assert_int_equal(search_index_find(index, alm_str_from(row->words), arena, &hits, &count, NULL),
                     ALM_OK);
    assert_int_equal(count, row->want);
    search_index_destroy(&index);
    alm_arena_destroy(&arena);
}

static void looks_through_texts(void **state)
{
    (void)state;
    assert_true(search_texts(ALM_STR(""), texts, 2));
    assert_true(search_texts(ALM_STR("DP_r 总值"), texts, 2));
    assert_false(search_texts(ALM_STR("gdp tax"), texts, 2));
    assert_true(search_has_words(ALM_STR(" a")));
    assert_false(search_has_words(ALM_STR(" \xe3\x80\x80")));
}

// --- order ---------------------------------------------------------------------------------------

static void put(search_index *index, uint32_t id, const char *a, const char *b)
{
    alm_str both[] = {alm_str_from(a), alm_str_from(b)};
    assert_int_equal(search_index_put(index, id, both, 2, NULL), ALM_OK);
}

// Ids as digits.
static void assert_finds(search_index *index, const char *words, const char *want)
{
    char got[16] = "";
    search_hit *hits;
    size_t count;
    alm_arena *arena = alm_arena_create(0);
    assert_int_equal(search_index_find(index, alm_str_from(words), arena, &hits, &count, NULL),
                     ALM_OK);
    assert_true(count < sizeof got);
    for (size_t i = 0; i < count; i++) {
        got[i] = (char)('0' + hits[i].id);
    }
    got[count] = '\0';
    assert_string_equal(got, want);
    alm_arena_destroy(&arena);
}

static void the_best_comes_first(void **state)
{
    (void)state;
    search_index *index = search_index_create();
    put(index, 0, "outtax", "");            // inside
    put(index, 1, "the_tax_of", "");        // begins a word
    put(index, 2, "taxation", "");          // begins
    put(index, 3, "zz", "TAX");             // is it
    put(index, 4, "taxes", "");             // begins, and is shorter
    put(index, 6, "taxes", "");             // the same, and is later
    put(index, 5, "（税）tax revenue", ""); // begins a word, and is longer
    put(index, 7, "tx", "ax");              // not at all
    assert_finds(index, "tax", "3462150");
    assert_finds(index, "tax revenue", "5");
    assert_finds(index, "x", "73460215");
    assert_finds(index, "xx", "");
    search_index_destroy(&index);
}

static void what_changes_is_found_anew(void **state)
{
    (void)state;
    search_index *index = search_index_create();
    put(index, 0, "上海市", "310000");
    put(index, 1, "北京市", "110000");
    assert_finds(index, "上海", "0");
    put(index, 0, "沪", "310000");
    assert_finds(index, "上海", "");
    assert_finds(index, "沪", "0");
    put(index, 1, "上海", "110000");
    put(index, 0, "上海", "310000");
    assert_finds(index, "上海", "01");
    assert_finds(index, "0000", "01");
    search_index_destroy(&index);
}

// --- against a plain look ------------------------------------------------------------------------

#define ENTRY_COUNT 400

static char *random_text(char *out, int chars)
{
    static const char *const alphabet[] = {"a", "B", "1", "_", " ", "上", "海", "Ｃ", "区"};
    char *at = out;
    for (int i = 0; i < chars; i++) {
        const char *c = alphabet[(size_t)rand() % ALM_ARRAY_LEN(alphabet)];
        memcpy(at, c, strlen(c));
        at += strlen(c);
    }
    *at = '\0';
    return out;
}

static bool holds_all(alm_str words, const alm_str *of, size_t count)
{
    alm_buf buf[3];
    alm_str folded[3];
    for (size_t i = 0; i <= count; i++) {
        alm_buf_init(&buf[i], 0);
        search_fold(i < count ? of[i] : words, &buf[i]);
        folded[i] = alm_buf_view(&buf[i]);
    }
    bool holds = search_texts(folded[count], folded, count);
    for (size_t i = 0; i <= count; i++) {
        alm_buf_deinit(&buf[i]);
    }
    return holds;
}

static void finds_what_a_plain_look_finds(void **state)
{
    (void)state;
    static char stored[ENTRY_COUNT][2][64];
    search_index *index = search_index_create();
    alm_arena *arena = alm_arena_create(0);
    srand(7);
    for (int round = 0; round < 2000; round++) {
        uint32_t id = (uint32_t)rand() % ENTRY_COUNT;
        char words[64];
        search_hit *hits;
        size_t count;
        put(index, id, random_text(stored[id][0], rand() % 8),
            random_text(stored[id][1], rand() % 8));
        random_text(words, 1 + rand() % 4);
        alm_arena_reset(arena);
        assert_int_equal(search_index_find(index, alm_str_from(words), arena, &hits, &count, NULL),
                         ALM_OK);
        bool seen[ENTRY_COUNT] = {false};
        for (size_t i = 0; i < count; i++) {
            assert_false(seen[hits[i].id]);
            seen[hits[i].id] = true;
        }
        for (size_t i = 0; search_has_words(alm_str_from(words)) && i < ENTRY_COUNT; i++) {
            alm_str both[] = {alm_str_from(stored[i][0]), alm_str_from(stored[i][1])};
            assert_int_equal(seen[i], holds_all(alm_str_from(words), both, 2));
        }
    }
    alm_arena_destroy(&arena);
    search_index_destroy(&index);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(rows) + 4];
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        union {
            const search_row *in;
            void *out;
        } row = {.in = &rows[i]}; // cmocka hands state on as void *
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = searches, .initial_state = row.out};
    }
    const struct CMUnitTest more[] = {cmocka_unit_test(looks_through_texts),
                                      cmocka_unit_test(the_best_comes_first),
                                      cmocka_unit_test(what_changes_is_found_anew),
                                      cmocka_unit_test(finds_what_a_plain_look_finds)};
    memcpy(tests + ALM_ARRAY_LEN(rows), more, sizeof more);
    return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
