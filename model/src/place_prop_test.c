// The place tree against a slow, obvious twin: random forests with random validity, mergers and
// splits; every answer is compared with one found by walking parents over a plain array.
#include "alm/limits.h"
#include "alm/place.h"

#include "test_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define NODE_COUNT_MAX 32
#define CASE_COUNT     1000000
#define CASES_A_FOREST 50
#define NAME_COUNT     6
#define DAY_COUNT      10

typedef struct twin_node {
    char code[8];
    char name[8];
    char alias[8];
    alm_level level;
    int parent; // -1: a root
    alm_date from;
    alm_date to;
    int successors[4];
    alm_str successor_codes[4];
    size_t successor_count;
    alm_str alias_view;
    int rank; // position in tree order
} twin_node;

typedef struct twin {
    twin_node nodes[NODE_COUNT_MAX];
    int count;
    alm_place_tree *tree;
    alm_arena *arena;
    test_random random;
    uint64_t case_number;
    const char *question; // the one being asked, for the message
} twin;

#define CHECK(t, condition)                                                                        \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_msg("seed %llu, case %llu, %s: %s", (unsigned long long)(t)->random.seed,         \
                     (unsigned long long)(t)->case_number, (t)->question, #condition);             \
        }                                                                                          \
    } while (0)

static uint32_t below(twin *t, uint32_t end)
{
    return test_random_below(&t->random, end);
}

static bool one_in(twin *t, uint32_t n)
{
    return test_random_one_in(&t->random, n);
}

static alm_date random_day(twin *t)
{
    return one_in(t, 8) ? ALM_DATE_NONE : (alm_date)below(t, DAY_COUNT);
}

static int random_node(twin *t)
{
    return (int)below(t, (uint32_t)t->count);
}

// ---- The forest

static bool code_is_taken(const twin *t, const char *code)
{
    for (int i = 0; i < t->count; i++) {
        if (strcmp(t->nodes[i].code, code) == 0) {
            return true;
        }
    }
    return false;
}

static void make_node(twin *t)
{
    twin_node *node = &t->nodes[t->count];
    *node = (twin_node){.parent = -1};
    do {
        snprintf(node->code, sizeof node->code, "%c%u", "aBc-_"[below(t, 5)], below(t, 100));
    } while (code_is_taken(t, node->code));
    snprintf(node->name, sizeof node->name, "%s%u", one_in(t, 2) ? "Name" : "nAME",
             below(t, NAME_COUNT));
    if (one_in(t, 3)) {
        snprintf(node->alias, sizeof node->alias, "nAme%u", below(t, NAME_COUNT));
        node->alias_view = alm_str_from(node->alias);
    }
    node->level = (alm_level)(ALM_LEVEL_COUNTRY + below(t, ALM_LEVEL_LOCAL));
    node->from = one_in(t, 2) ? ALM_DATE_NONE : (alm_date)below(t, DAY_COUNT);
    node->to = one_in(t, 2) ? ALM_DATE_MAX : (alm_date)below(t, DAY_COUNT);
    if (node->to < node->from) {
        node->to = node->from;
    }
    t->count++;
}

static void choose_parent(twin *t, int i)
{
    for (int tries = 0; tries < 4 && t->nodes[i].parent < 0; tries++) {
        int parent = random_node(t);
        if (t->nodes[parent].level < t->nodes[i].level) {
            t->nodes[i].parent = parent;
        }
    }
}

static bool has_successor(const twin_node *node, int successor)
{
    for (size_t k = 0; k < node->successor_count; k++) {
        if (node->successors[k] == successor) {
            return true;
        }
    }
    return false;
}

static void choose_successors(twin *t, int i)
{
    twin_node *node = &t->nodes[i];
    for (uint32_t tries = below(t, 8); node->to != ALM_DATE_MAX && tries > 0; tries--) {
        int next = random_node(t);
        if (t->nodes[next].to > node->to && node->successor_count < 4 &&
            !has_successor(node, next)) {
            node->successor_codes[node->successor_count] = alm_str_from(t->nodes[next].code);
            node->successors[node->successor_count++] = next;
        }
    }
}

// The chain from the root down to the node; its length.
static int chain_of(const twin *t, int node, int chain[NODE_COUNT_MAX])
{
    int len = 0;
    for (int up = node; up >= 0; up = t->nodes[up].parent) {
        len++;
    }
    for (int at = len; at > 0; node = t->nodes[node].parent) {
        chain[--at] = node;
    }
    return len;
}

// Tree order from its definition: the chains compared step by step, a shorter one first.
static bool comes_before(const twin *t, int a, int b)
{
    int x[NODE_COUNT_MAX];
    int y[NODE_COUNT_MAX];
    int x_len = chain_of(t, a, x);
    int y_len = chain_of(t, b, y);
    for (int i = 0; i < x_len && i < y_len; i++) {
        const twin_node *p = &t->nodes[x[i]];
        const twin_node *q = &t->nodes[y[i]];
        if (x[i] != y[i]) {
            return p->level != q->level ? p->level < q->level : strcmp(p->code, q->code) < 0;
        }
    }
    return x_len < y_len;
}

static void make_forest(twin *t)
{
    t->count = 0;
    for (uint32_t left = 1 + below(t, NODE_COUNT_MAX); left > 0; left--) {
        make_node(t);
    }
    for (int i = 0; i < t->count; i++) {
        choose_parent(t, i);
        choose_successors(t, i);
    }
    for (int i = 0; i < t->count; i++) {
        t->nodes[i].rank = 0;
        for (int k = 0; k < t->count; k++) {
            t->nodes[i].rank += comes_before(t, k, i);
        }
    }
}

static void build_tree(twin *t)
{
    t->question = "build";
    alm_status st = ALM_STATUS_INIT;
    CHECK(t, alm_place_tree_create(&t->tree, &st) == ALM_OK);
    for (int i = 0; i < t->count; i++) {
        const twin_node *node = &t->nodes[i];
        alm_place place = {
            .code = alm_str_from(node->code),
            .name_zh = alm_str_from(node->name),
            .level = node->level,
            .parent = alm_str_from(node->parent < 0 ? "" : t->nodes[node->parent].code),
            .valid_from = node->from,
            .valid_to = node->to,
            .successors = node->successor_codes,
            .successor_count = node->successor_count,
            .aliases = &node->alias_view,
            .alias_count = node->alias[0] != '\0',
        };
        alm_place_id id;
        CHECK(t, alm_place_tree_add(t->tree, &place, &id, &st) == ALM_OK);
        CHECK(t, id == (alm_place_id)i);
    }
    CHECK(t, alm_place_tree_finish(t->tree, &st) == ALM_OK);
}

// ---- The slow answers

static bool valid_on(const twin *t, int i, alm_date day)
{
    return day == ALM_DATE_NONE || (t->nodes[i].from <= day && day <= t->nodes[i].to);
}

static bool is_within(const twin *t, int i, int ancestor)
{
    while (i >= 0 && i != ancestor) {
        i = t->nodes[i].parent;
    }
    return i == ancestor;
}

static bool is_child(const twin *t, int i, int of, alm_level level)
{
    return t->nodes[i].parent == of && (level == ALM_LEVEL_NONE || t->nodes[i].level == level);
}

static bool is_descendant(const twin *t, int i, int of, alm_level level)
{
    return i != of && is_within(t, i, of) &&
           (level == ALM_LEVEL_NONE || t->nodes[i].level == level);
}

static bool is_sibling(const twin *t, int i, int of)
{
    if (t->nodes[of].level == ALM_LEVEL_LOCAL) {
        return i == of;
    }
    return t->nodes[i].parent == t->nodes[of].parent && t->nodes[i].level == t->nodes[of].level;
}

static void mark_successors(const twin *t, int i, alm_date day, bool marked[NODE_COUNT_MAX])
{
    bool ended = day != ALM_DATE_NONE && t->nodes[i].to < day;
    marked[i] = marked[i] || valid_on(t, i, day);
    for (size_t k = 0; ended && k < t->nodes[i].successor_count; k++) {
        mark_successors(t, t->nodes[i].successors[k], day, marked);
    }
}

// Appends the marked ones in the order (level, tree order), those already listed left out.
static int list_marked(const twin *t, const bool marked[NODE_COUNT_MAX], int *list, int count)
{
    bool listed[NODE_COUNT_MAX] = {false};
    for (int i = 0; i < count; i++) {
        listed[list[i]] = true;
    }
    for (int level = ALM_LEVEL_COUNTRY; level <= ALM_LEVEL_LOCAL; level++) {
        for (int rank = 0; rank < t->count; rank++) {
            for (int i = 0; i < t->count; i++) {
                if (t->nodes[i].rank == rank && (int)t->nodes[i].level == level && marked[i] &&
                    !listed[i]) {
                    list[count++] = i;
                }
            }
        }
    }
    return count;
}

static void check_list(twin *t, const alm_place_list *got, const int *want, int want_count)
{
    CHECK(t, got->count == (size_t)want_count);
    for (int i = 0; i < want_count; i++) {
        CHECK(t, got->ids[i] == (alm_place_id)want[i]);
    }
}

static void check_marked(twin *t, const alm_place_list *got, const bool marked[NODE_COUNT_MAX])
{
    int want[NODE_COUNT_MAX];
    check_list(t, got, want, list_marked(t, marked, want, 0));
}

// ---- Questions

static void ask_children(twin *t)
{
    t->question = "children";
    int of = random_node(t);
    alm_date day = random_day(t);
    bool marked[NODE_COUNT_MAX];
    for (int i = 0; i < t->count; i++) {
        marked[i] = is_child(t, i, of, ALM_LEVEL_NONE) && valid_on(t, i, day);
    }
    alm_place_list got;
    CHECK(t,
          alm_place_tree_children(t->tree, (alm_place_id)of, day, t->arena, &got, NULL) == ALM_OK);
    check_marked(t, &got, marked);
}

static void ask_descendants(twin *t)
{
    t->question = "descendants";
    int of = random_node(t);
    alm_date day = random_day(t);
    alm_level level = (alm_level)below(t, ALM_LEVEL_LOCAL + 1);
    bool marked[NODE_COUNT_MAX];
    for (int i = 0; i < t->count; i++) {
        marked[i] = is_descendant(t, i, of, level) && valid_on(t, i, day);
    }
    alm_place_list got;
    CHECK(t, alm_place_tree_descendants(t->tree, (alm_place_id)of, level, day, t->arena, &got,
                                        NULL) == ALM_OK);
    check_marked(t, &got, marked);
}

static void ask_siblings(twin *t)
{
    t->question = "siblings";
    int of = random_node(t);
    alm_date day = random_day(t);
    bool marked[NODE_COUNT_MAX];
    for (int i = 0; i < t->count; i++) {
        marked[i] = is_sibling(t, i, of) && valid_on(t, i, day);
    }
    alm_place_list got;
    CHECK(t,
          alm_place_tree_siblings(t->tree, (alm_place_id)of, day, t->arena, &got, NULL) == ALM_OK);
    check_marked(t, &got, marked);
}

static void ask_successors(twin *t)
{
    t->question = "successors";
    int of = random_node(t);
    alm_date day = random_day(t);
    bool marked[NODE_COUNT_MAX] = {false};
    mark_successors(t, of, day, marked);
    alm_place_list got;
    CHECK(t, alm_place_tree_successors(t->tree, (alm_place_id)of, day, t->arena, &got, NULL) ==
                 ALM_OK);
    check_marked(t, &got, marked);
}

static void ask_ancestry(twin *t)
{
    t->question = "within, at_level, parent, find";
    int a = random_node(t);
    int b = random_node(t);
    alm_level level = (alm_level)below(t, ALM_LEVEL_LOCAL + 1);
    int up = a;
    while (up >= 0 && t->nodes[up].level != level) {
        up = t->nodes[up].parent;
    }
    alm_place_id id = (alm_place_id)a;
    CHECK(t, alm_place_tree_within(t->tree, id, (alm_place_id)b) == is_within(t, a, b));
    CHECK(t, alm_place_tree_at_level(t->tree, id, level) ==
                 (up < 0 ? ALM_PLACE_NONE : (alm_place_id)up));
    CHECK(t, alm_place_tree_parent(t->tree, id) ==
                 (t->nodes[a].parent < 0 ? ALM_PLACE_NONE : (alm_place_id)t->nodes[a].parent));
    CHECK(t, alm_place_tree_find(t->tree, alm_str_from(t->nodes[a].code)) == id);
}

static void ask_names(twin *t)
{
    t->question = "by_name";
    char name[8];
    snprintf(name, sizeof name, "name%u", below(t, NAME_COUNT));
    bool marked[NODE_COUNT_MAX];
    for (int i = 0; i < t->count; i++) {
        marked[i] =
            strcasecmp(t->nodes[i].name, name) == 0 || strcasecmp(t->nodes[i].alias, name) == 0;
    }
    alm_place_id ids[NODE_COUNT_MAX];
    size_t cap = below(t, NODE_COUNT_MAX);
    int want[NODE_COUNT_MAX];
    size_t want_count = (size_t)list_marked(t, marked, want, 0);
    CHECK(t, alm_place_tree_by_name(t->tree, alm_str_from(name), ids, cap) == want_count);
    for (size_t i = 0; i < cap && i < want_count; i++) {
        CHECK(t, ids[i] == (alm_place_id)want[i]);
    }
}

typedef struct expr_text {
    char data[512];
    size_t len;
} expr_text;

static void append(expr_text *text, const char *part)
{
    size_t len = strlen(part);
    assert_true(text->len + len <= sizeof text->data);
    memcpy(text->data + text->len, part, len);
    text->len += len;
}

static void append_space(twin *t, expr_text *text)
{
    append(text, one_in(t, 6) ? " " : "");
}

// Writes one random term and marks what it stands for.
static void random_term(twin *t, alm_date day, expr_text *text, bool marked[NODE_COUNT_MAX])
{
    int of = random_node(t);
    uint32_t kind = below(t, 4);
    alm_level level = one_in(t, 2) ? ALM_LEVEL_NONE : (alm_level)(1 + below(t, ALM_LEVEL_LOCAL));
    append(text, t->nodes[of].code);
    append(text, (const char *[]){"", "/*", "/**", "~"}[kind]);
    if (level != ALM_LEVEL_NONE && (kind == 1 || kind == 2)) {
        append(text, "@");
        append(text, alm_level_code(level));
    }
    for (int i = 0; i < t->count; i++) {
        bool member = kind == 0   ? i == of
                      : kind == 1 ? is_child(t, i, of, level)
                      : kind == 2 ? is_descendant(t, i, of, level)
                                  : is_sibling(t, i, of);
        marked[i] = member && (kind == 0 || valid_on(t, i, day));
    }
}

static void ask_expression(twin *t)
{
    t->question = "expression";
    alm_date day = random_day(t);
    expr_text text = {.len = 0};
    int want[NODE_COUNT_MAX];
    int want_count = 0;
    append_space(t, &text);
    for (uint32_t left = 1 + below(t, 4); left > 0; left--) {
        bool marked[NODE_COUNT_MAX];
        random_term(t, day, &text, marked);
        want_count = list_marked(t, marked, want, want_count);
        append_space(t, &text);
        append(&text, left > 1 ? "," : "");
        append_space(t, &text);
    }
    alm_place_list got;
    alm_str expr = {text.data, text.len};
    CHECK(t, alm_place_expr_eval(t->tree, expr, day, t->arena, &got, NULL) == ALM_OK);
    check_list(t, &got, want, want_count);
}

static void ask_broken_expression(twin *t)
{
    t->question = "broken expression";
    static const char *const broken[] = {"zz",  "zz/*", "zz~",     "",       "/*",
                                         "a b", "~",    "a1/*@no", "a1/*~",  "a1@town",
                                         "a1/", "a1~~", "a1/***",  "a1/* *", "a1/**@"};
    expr_text text = {.len = 0};
    bool marked[NODE_COUNT_MAX];
    uint32_t which = below(t, ALM_ARRAY_LEN(broken));
    random_term(t, ALM_DATE_NONE, &text, marked);
    append(&text, ",");
    append(&text, broken[which]);
    alm_place_list got = {0};
    alm_status st = ALM_STATUS_INIT;
    alm_str expr = {text.data, text.len};
    alm_code code = alm_place_expr_eval(t->tree, expr, 0, t->arena, &got, &st);
    CHECK(t, code == (which < 3 ? ALM_NOT_FOUND : ALM_INVALID_ARGUMENT));
    CHECK(t, st.code == code && st.message[0] != '\0');
    CHECK(t, got.ids == NULL);
}

static void answers_as_the_slow_twin_does(void **state)
{
    (void)state;
    static void (*const questions[])(twin *) = {
        ask_children, ask_descendants, ask_siblings,   ask_successors,       ask_ancestry,
        ask_names,    ask_expression,  ask_expression, ask_broken_expression};
    twin t = {.random = test_random_start(), .arena = alm_arena_create(0)};
    assert_non_null(t.arena);
    while (t.case_number < CASE_COUNT) {
        make_forest(&t);
        build_tree(&t);
        for (int i = 0; i < CASES_A_FOREST; i++, t.case_number++) {
            questions[below(&t, ALM_ARRAY_LEN(questions))](&t);
        }
        alm_place_tree_destroy(&t.tree);
        alm_arena_reset(t.arena);
    }
    alm_arena_destroy(&t.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_the_slow_twin_does),
    };
    return cmocka_run_group_tests_name("place_prop", tests, NULL, NULL);
}
