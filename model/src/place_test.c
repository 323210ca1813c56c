// Places one by one: what a tree refuses and how it says so, what it says of a small real
// corner of the country, and that running out of memory at any point leaves nothing behind.
#include "alm/place.h"

#include "alm/alloc.h"
#include "alm/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define DAY(y, m, d)  alm_date_from_ymd(y, m, d)
#define NAME_TOO_LONG (ALM_NAME_BYTES_MAX + 1)

static alm_str str(const char *text)
{
    return alm_str_from(text);
}

static alm_place good_place(void)
{
    return (alm_place){
        .code = ALM_STR("310105"),
        .name_zh = ALM_STR("长宁区"),
        .name_en = ALM_STR("Changning"),
        .level = ALM_LEVEL_DISTRICT,
        .parent = ALM_STR("310000"),
        .valid_from = ALM_DATE_NONE,
        .valid_to = ALM_DATE_MAX,
    };
}

// ---- alm_place_check

static const alm_str no_names[] = {{"", 0}};
static const alm_str two_codes[] = {{"310106", 6}, {"310106", 6}};
static const alm_str bad_code[] = {{"31 06", 5}};
static alm_str many[ALM_ALIAS_COUNT_MAX + 1];

static void spoil_code_empty(alm_place *p)
{
    p->code = ALM_STR("");
}
static void spoil_code_total(alm_place *p)
{
    p->code = ALM_STR("_T");
}
static void spoil_code_char(alm_place *p)
{
    p->code = ALM_STR("31.0105");
}
static void spoil_code_long(alm_place *p)
{
    p->code = ALM_STR("1234567890123456789012345678901234567890123456789012345678901234x");
}
static void spoil_name_empty(alm_place *p)
{
    p->name_zh = ALM_STR(" ");
}
static void spoil_name_utf8(alm_place *p)
{
    p->name_zh = ALM_STR("\xe9\x95");
}
static void spoil_name_long(alm_place *p)
{
    static char text[NAME_TOO_LONG];
    memset(text, 'a', sizeof text);
    p->name_en = (alm_str){text, sizeof text};
}
static void spoil_name_control(alm_place *p)
{
    p->name_en = ALM_STR("Chang\nning");
}
static void spoil_level(alm_place *p)
{
    p->level = ALM_LEVEL_NONE;
}
static void spoil_level_stranger(alm_place *p)
{
    p->level = (alm_level)(ALM_LEVEL_LOCAL + 1);
}
static void spoil_parent(alm_place *p)
{
    p->parent = ALM_STR("3100/00");
}
static void spoil_parent_self(alm_place *p)
{
    p->parent = p->code;
}
static void spoil_order(alm_place *p)
{
    p->valid_from = DAY(2001, 1, 1);
    p->valid_to = DAY(2000, 12, 31);
}
static void spoil_valid_to(alm_place *p)
{
    p->valid_to = ALM_DATE_NONE;
}
static void spoil_valid_from(alm_place *p)
{
    p->valid_from = ALM_DATE_MAX;
}
static void spoil_successor_alive(alm_place *p)
{
    p->successors = two_codes;
    p->successor_count = 1;
}
static void spoil_successor_twice(alm_place *p)
{
    p->valid_to = DAY(2000, 12, 31);
    p->successors = two_codes;
    p->successor_count = 2;
}
static void spoil_successor_code(alm_place *p)
{
    p->valid_to = DAY(2000, 12, 31);
    p->successors = bad_code;
    p->successor_count = 1;
}
static void spoil_successor_count(alm_place *p)
{
    p->valid_to = DAY(2000, 12, 31);
    p->successors = many;
    p->successor_count = ALM_PLACE_SUCCESSOR_COUNT_MAX + 1;
}
static void spoil_alias_empty(alm_place *p)
{
    p->aliases = no_names;
    p->alias_count = 1;
}
static void spoil_alias_count(alm_place *p)
{
    p->aliases = many;
    p->alias_count = ALM_ALIAS_COUNT_MAX + 1;
}

typedef struct check_row {
    const char *name;
    void (*spoil)(alm_place *place);
    const char *field;
    const char *says;
} check_row;

static const check_row check_rows[] = {
    {"check: empty code", spoil_code_empty, "code", "code is empty"},
    {"check: reserved code", spoil_code_total, "code", "'_T' is reserved"},
    {"check: dot in a code", spoil_code_char, "code", "'31.0105' is not a code"},
    {"check: long code", spoil_code_long, "code", "65 bytes long, at most 64"},
    {"check: blank name", spoil_name_empty, "name_zh", "name_zh is empty"},
    {"check: name not UTF-8", spoil_name_utf8, "name_zh", "byte 0xe9 at offset 0"},
    {"check: long name", spoil_name_long, "name_en", "513 bytes long, at most 512"},
    {"check: control character", spoil_name_control, "name_en", "control character"},
    {"check: no level", spoil_level, "level", "310105 has no level"},
    {"check: stranger's level", spoil_level_stranger, "level", "310105 has no level"},
    {"check: malformed parent", spoil_parent, "parent", "'3100/00' is not a code"},
    {"check: own parent", spoil_parent_self, "parent", "310105 is its own parent"},
    {"check: ends before it begins", spoil_order, "valid_to",
     "valid_to 2000-12-31 is before valid_from 2001-01-01"},
    {"check: no valid_to", spoil_valid_to, "valid_to", "valid_to is not set"},
    {"check: never begins", spoil_valid_from, "valid_from", "not a day"},
    {"check: successors of the living", spoil_successor_alive, "successors", "no valid_to"},
    {"check: successor twice", spoil_successor_twice, "successors", "310106 twice"},
    {"check: malformed successor", spoil_successor_code, "successors", "'31 06' is not a code"},
    {"check: many successors", spoil_successor_count, "successors", "at most 64"},
    {"check: empty alias", spoil_alias_empty, "aliases", "aliases is empty"},
    {"check: many aliases", spoil_alias_count, "aliases", "65 names, at most 64"},
};

static void refuses_a_bad_place(void **state)
{
    const check_row *row = *state;
    alm_place place = good_place();
    assert_int_equal(alm_place_check(&place, NULL), ALM_OK);
    row->spoil(&place);
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_place_check(&place, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, row->field);
    if (strstr(st.message, row->says) == NULL) {
        fail_msg("'%s' does not say '%s'", st.message, row->says);
    }
    assert_int_equal(alm_place_check(&place, NULL), ALM_INVALID_ARGUMENT);
}

// ---- A small corner: 上海, where 静安 and 闸北 became one district in 2015

static const char jingan_old[] = "310106O";
static const char jingan[] = "310106";

typedef struct corner_row {
    const char *code;
    const char *zh;
    const char *en;
    alm_level level;
    const char *parent;
    int32_t from_year; // 0: always was; begins on 1 January
    int32_t to_year;   // 0: still is; ends on 31 December
    const char *successor;
} corner_row;

// Children before parents and codes out of order, since the tree must not care.
static const corner_row corner[] = {
    {"310105001", "华阳路街道", "", ALM_LEVEL_TOWN, "310105", 0, 0, NULL},
    {"310115", "浦东新区", "Pudong", ALM_LEVEL_DISTRICT, "310000", 1992, 0, NULL},
    {"310108", "闸北区", "Zhabei", ALM_LEVEL_DISTRICT, "310000", 0, 2015, jingan},
    {"310105", "长宁区", "Changning", ALM_LEVEL_DISTRICT, "310000", 0, 0, NULL},
    {jingan, "静安区", "Jing'an", ALM_LEVEL_DISTRICT, "310000", 2016, 0, NULL},
    {jingan_old, "静安区", "Jing'an", ALM_LEVEL_DISTRICT, "310000", 0, 2015, jingan},
    {"310119", "南汇区", "Nanhui", ALM_LEVEL_DISTRICT, "310000", 2001, 2009, "310115"},
    {"310119X", "南汇县", "", ALM_LEVEL_DISTRICT, "310000", 0, 2000, "310119"},
    {"L310105001", "虹桥商务区", "Hongqiao CBD", ALM_LEVEL_LOCAL, "310105", 0, 0, NULL},
    {"L310105002", "中山公园", "", ALM_LEVEL_LOCAL, "310105", 0, 0, NULL},
    {"310000", "上海市", "Shanghai", ALM_LEVEL_PROVINCE, "CN", 0, 0, NULL},
    {"110000", "北京市", "Beijing", ALM_LEVEL_PROVINCE, "CN", 0, 0, NULL},
    {"CN", "中国", "China", ALM_LEVEL_COUNTRY, "", 0, 0, NULL},
};

static alm_code add_row(alm_place_tree *tree, const corner_row *row, alm_status *st)
{
    alm_str successor = str(row->successor);
    alm_str alias = ALM_STR("Hu");
    alm_place place = {
        .code = str(row->code),
        .name_zh = str(row->zh),
        .name_en = str(row->en),
        .level = row->level,
        .parent = str(row->parent),
        .valid_from = row->from_year != 0 ? DAY(row->from_year, 1, 1) : ALM_DATE_NONE,
        .valid_to = row->to_year != 0 ? DAY(row->to_year, 12, 31) : ALM_DATE_MAX,
        .successors = &successor,
        .successor_count = row->successor != NULL,
        .aliases = &alias,
        .alias_count = strcmp(row->code, "310000") == 0,
    };
    return alm_place_tree_add(tree, &place, NULL, st);
}

static alm_code make_corner(alm_place_tree **ret, alm_status *st)
{
    alm_place_tree *tree = NULL;
    ALM_TRY(alm_place_tree_create(&tree, st));
    alm_code code = ALM_OK;
    for (size_t i = 0; i < ALM_ARRAY_LEN(corner) && code == ALM_OK; i++) {
        code = add_row(tree, &corner[i], st);
    }
    if (code == ALM_OK) {
        code = alm_place_tree_finish(tree, st);
    }
    if (code != ALM_OK) {
        alm_place_tree_destroy(&tree);
        return code;
    }
    *ret = tree;
    return ALM_OK;
}

static alm_place_tree *must_make_corner(void)
{
    alm_place_tree *tree = NULL;
    alm_status st = ALM_STATUS_INIT;
    if (make_corner(&tree, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    return tree;
}

typedef struct expr_row {
    const char *name;
    const char *expr;
    int32_t year;     // asked for its last day; 0: any day
    const char *want; // codes with blanks between, or part of the message
    alm_code code;
} expr_row;

static const expr_row expr_rows[] = {
    {"expr: itself", "310105", 2023, "310105", ALM_OK},
    {"expr: itself after its end", "310108", 2023, "310108", ALM_OK},
    {"expr: children", "310000/*", 2023, "310105 310106 310115", ALM_OK},
    {"expr: children then", "310000/*", 2005, "310105 310106O 310108 310115 310119", ALM_OK},
    {"expr: children on any day", "310000/*", 0,
     "310105 310106 310106O 310108 310115 310119 310119X", ALM_OK},
    {"expr: descendants level by level", "CN/**", 2023,
     "110000 310000 310105 310106 310115 310105001 L310105001 L310105002", ALM_OK},
    {"expr: descendants of a level", "CN/**@district", 2023, "310105 310106 310115", ALM_OK},
    {"expr: a level in Chinese", "CN/**@区县", 2023, "310105 310106 310115", ALM_OK},
    {"expr: children of a level", "310105/*@local", 2023, "L310105001 L310105002", ALM_OK},
    {"expr: no child of that level", "310000/*@local", 2023, "", ALM_OK},
    {"expr: siblings", "310105~", 2023, "310105 310106 310115", ALM_OK},
    {"expr: siblings of a root", "CN~", 2023, "CN", ALM_OK},
    {"expr: a local place stands alone", "L310105002~", 2023, "L310105002", ALM_OK},
    {"expr: first mention decides", " 310115 , 310000/* ,310115", 2023, "310115 310105 310106",
     ALM_OK},
    {"expr: children of a leaf", "110000/*", 2023, "", ALM_OK},
    {"expr: empty", "", 2023, "the place expression is empty", ALM_INVALID_ARGUMENT},
    {"expr: blank", "  ", 2023, "the place expression is empty", ALM_INVALID_ARGUMENT},
    {"expr: empty term", "310105,,CN", 2023, "a place term is empty", ALM_INVALID_ARGUMENT},
    {"expr: comma at the end", "310105,", 2023, "a place term is empty", ALM_INVALID_ARGUMENT},
    {"expr: three stars", "310000/***", 2023, "'310000/***'", ALM_INVALID_ARGUMENT},
    {"expr: no code", "/*", 2023, "'/*'", ALM_INVALID_ARGUMENT},
    {"expr: children of siblings", "310105~/*", 2023, "'310105~/*'", ALM_INVALID_ARGUMENT},
    {"expr: siblings of children", "310000/*~", 2023, "'310000/*~'", ALM_INVALID_ARGUMENT},
    {"expr: level without star", "310000@town", 2023, "'310000@town'", ALM_INVALID_ARGUMENT},
    {"expr: unknown level", "310000/*@ward", 2023, "unknown level 'ward'", ALM_INVALID_ARGUMENT},
    {"expr: unknown place", "310117/*", 2023, "unknown place '310117'; did you mean 310115 (浦东",
     ALM_NOT_FOUND},
    {"expr: unknown, nothing near", "zzzz", 2023, "unknown place 'zzzz'", ALM_NOT_FOUND},
    {"expr: other case is near", "l310105002", 2023, "did you mean L310105002", ALM_NOT_FOUND},
};

static void join_codes(const alm_place_tree *tree, const alm_place_list *list, char *out,
                       size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        alm_str code = alm_place_tree_get(tree, list->ids[i])->code;
        len +=
            (size_t)snprintf(out + len, size - len, "%s%.*s", i > 0 ? " " : "", ALM_STR_ARGS(code));
        assert_true(len < size);
    }
}

static void evaluates_an_expression(void **state)
{
    const expr_row *row = *state;
    alm_place_tree *tree = must_make_corner();
    alm_arena *arena = alm_arena_create(0);
    alm_date day = row->year != 0 ? DAY(row->year, 12, 31) : ALM_DATE_NONE;
    alm_place_list list;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_place_expr_eval(tree, str(row->expr), day, arena, &list, &st), row->code);
    if (row->code == ALM_OK) {
        char codes[512];
        join_codes(tree, &list, codes, sizeof codes);
        assert_string_equal(codes, row->want);
    } else {
        assert_string_equal(st.field, "place");
        if (strstr(st.message, row->want) == NULL) {
            fail_msg("'%s' does not say '%s'", st.message, row->want);
        }
    }
    alm_arena_destroy(&arena);
    alm_place_tree_destroy(&tree);
}

static void bounds_an_expression(void **state)
{
    (void)state;
    alm_place_tree *tree = must_make_corner();
    alm_arena *arena = alm_arena_create(0);
    alm_place_list list;
    alm_status st = ALM_STATUS_INIT;
    static char text[ALM_EXPR_BYTES_MAX + 1];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = "CN,"[i % 3];
    }
    alm_str expr = {text, sizeof text};
    assert_int_equal(alm_place_expr_eval(tree, expr, 0, arena, &list, &st), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "8193 bytes"));
    expr.len = 3 * (size_t)ALM_EXPR_TERM_COUNT_MAX - 1;
    assert_int_equal(alm_place_expr_eval(tree, expr, 0, arena, &list, &st), ALM_OK);
    assert_int_equal(list.count, 1);
    expr.len += 3;
    assert_int_equal(alm_place_expr_eval(tree, expr, 0, arena, &list, &st), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "more than 1024 terms"));
    alm_arena_destroy(&arena);
    alm_place_tree_destroy(&tree);
}

typedef struct successor_row {
    const char *name;
    const char *code;
    int32_t year;
    const char *want;
} successor_row;

static const successor_row successor_rows[] = {
    {"successors: still there", "310105", 2023, "310105"},
    {"successors: before its end", "310108", 2015, "310108"},
    {"successors: after its end", "310108", 2016, "310106"},
    {"successors: two steps", "310119X", 2023, "310115"},
    {"successors: one step", "310119X", 2005, "310119"},
    {"successors: before its beginning", "310119", 1999, ""},
    {"successors: on any day", "310119X", 0, "310119X"},
};

static void follows_successors(void **state)
{
    const successor_row *row = *state;
    alm_place_tree *tree = must_make_corner();
    alm_arena *arena = alm_arena_create(0);
    alm_place_list list;
    char codes[128];
    alm_date day = row->year != 0 ? DAY(row->year, 12, 31) : ALM_DATE_NONE;
    alm_place_id id = alm_place_tree_find(tree, str(row->code));
    assert_int_equal(alm_place_tree_successors(tree, id, day, arena, &list, NULL), ALM_OK);
    join_codes(tree, &list, codes, sizeof codes);
    assert_string_equal(codes, row->want);
    alm_arena_destroy(&arena);
    alm_place_tree_destroy(&tree);
}

static void finds_by_name_alias_and_code(void **state)
{
    (void)state;
    alm_place_tree *tree = must_make_corner();
    alm_place_id ids[4];
    assert_int_equal(alm_place_tree_by_name(tree, ALM_STR("hu"), ids, 4), 1);
    assert_int_equal(ids[0], alm_place_tree_find(tree, ALM_STR("310000")));
    assert_int_equal(alm_place_tree_by_name(tree, ALM_STR("静安区"), ids, 4), 2);
    assert_int_equal(ids[0], alm_place_tree_find(tree, str(jingan)));
    assert_int_equal(ids[1], alm_place_tree_find(tree, str(jingan_old)));
    assert_int_equal(alm_place_tree_by_name(tree, ALM_STR("静安区"), NULL, 0), 2);
    assert_int_equal(alm_place_tree_by_name(tree, ALM_STR("CN"), ids, 4), 1);
    assert_int_equal(alm_place_tree_by_name(tree, ALM_STR("cn"), ids, 4), 0);
    assert_int_equal(alm_place_tree_by_name(tree, ALM_STR(""), ids, 4), 0);
    alm_place_tree_destroy(&tree);
}

static void counts_a_place_named_like_its_code_once(void **state)
{
    (void)state;
    static const corner_row park = {"P1", "P1", "p1", ALM_LEVEL_LOCAL, "", 0, 0, NULL};
    static const corner_row other = {"P2", "p1", "", ALM_LEVEL_TOWN, "", 0, 0, NULL};
    alm_place_tree *tree = NULL;
    alm_place_id ids[4];
    assert_int_equal(alm_place_tree_create(&tree, NULL), ALM_OK);
    assert_int_equal(add_row(tree, &park, NULL), ALM_OK);
    assert_int_equal(add_row(tree, &other, NULL), ALM_OK);
    assert_int_equal(alm_place_tree_finish(tree, NULL), ALM_OK);
    assert_int_equal(alm_place_tree_by_name(tree, ALM_STR("P1"), ids, 4), 2);
    assert_int_equal(ids[0], 0); // the code comes before a better level
    assert_int_equal(ids[1], 1);
    assert_int_equal(alm_place_tree_by_name(tree, ALM_STR("p1"), ids, 4), 2);
    assert_int_equal(ids[0], 1);
    alm_place_tree_destroy(&tree);
}

static void copies_what_it_is_given(void **state)
{
    (void)state;
    alm_place_tree *tree = NULL;
    assert_int_equal(alm_place_tree_create(&tree, NULL), ALM_OK);
    char text[] = "310106 静安 Jing'an alias";
    alm_str next = {text, 6};
    alm_str alias = {text + 21, 5};
    alm_place place = {.code = ALM_STR("old"),
                       .name_zh = {text + 7, 6},
                       .name_en = {text + 14, 6},
                       .level = ALM_LEVEL_TOWN,
                       .valid_from = ALM_DATE_NONE,
                       .valid_to = 10,
                       .successors = &next,
                       .successor_count = 1,
                       .aliases = &alias,
                       .alias_count = 1};
    alm_place_id id;
    assert_int_equal(alm_place_tree_add(tree, &place, &id, NULL), ALM_OK);
    memset(text, 'x', sizeof text - 1);
    next = alias = (alm_str){0};
    const alm_place *kept = alm_place_tree_get(tree, id);
    assert_true(alm_str_eq(kept->name_zh, ALM_STR("静安")));
    assert_true(alm_str_eq(kept->name_en, ALM_STR("Jing'a")));
    assert_true(alm_str_eq(kept->successors[0], ALM_STR("310106")));
    assert_true(alm_str_eq(kept->aliases[0], ALM_STR(" alia")));
    alm_place_tree_destroy(&tree);
}

// ---- What only the whole tree can tell

typedef struct finish_row {
    const char *name;
    corner_row rows[3];
    const char *field;
    const char *says;
} finish_row;

static const finish_row finish_rows[] = {
    {"finish: unknown parent",
     {{"a", "甲", "", ALM_LEVEL_TOWN, "b", 0, 0, NULL}},
     "parent",
     "place a: unknown parent 'b'"},
    {"finish: parent of the same level",
     {{"a", "甲", "", ALM_LEVEL_TOWN, "b", 0, 0, NULL},
      {"b", "乙", "", ALM_LEVEL_TOWN, "", 0, 0, NULL}},
     "parent",
     "place a is a town and cannot be part of b, which is a town"},
    {"finish: parent of a lower level",
     {{"a", "甲", "", ALM_LEVEL_CITY, "b", 0, 0, NULL},
      {"b", "乙", "", ALM_LEVEL_TOWN, "", 0, 0, NULL}},
     "parent",
     "place a is a city and cannot be part of b, which is a town"},
    {"finish: each other's parents",
     {{"a", "甲", "", ALM_LEVEL_CITY, "b", 0, 0, NULL},
      {"b", "乙", "", ALM_LEVEL_TOWN, "a", 0, 0, NULL}},
     "parent",
     "place a is a city and cannot be part of b"},
    {"finish: unknown successor",
     {{"a", "甲", "", ALM_LEVEL_CITY, "", 0, 2000, "c"}},
     "successors",
     "place a: unknown successor 'c'"},
    {"finish: successor ended before",
     {{"a", "甲", "", ALM_LEVEL_CITY, "", 0, 2000, "b"},
      {"b", "乙", "", ALM_LEVEL_CITY, "", 0, 1999, NULL}},
     "successors",
     "place a ended on 2000-12-31, and its successor b not later"},
    {"finish: each other's successors",
     {{"a", "甲", "", ALM_LEVEL_CITY, "", 0, 2000, "b"},
      {"b", "乙", "", ALM_LEVEL_CITY, "", 0, 2001, "a"}},
     "successors",
     "place b ended on 2001-12-31, and its successor a not later"},
    {"finish: its own successor",
     {{"a", "甲", "", ALM_LEVEL_CITY, "", 0, 2000, "a"}},
     "successors",
     "and its successor a not later"},
};

static void refuses_to_finish(void **state)
{
    const finish_row *row = *state;
    alm_place_tree *tree = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_place_tree_create(&tree, &st), ALM_OK);
    for (size_t i = 0; i < ALM_ARRAY_LEN(row->rows) && row->rows[i].code != NULL; i++) {
        assert_int_equal(add_row(tree, &row->rows[i], &st), ALM_OK);
    }
    assert_int_equal(alm_place_tree_finish(tree, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, row->field);
    if (strstr(st.message, row->says) == NULL) {
        fail_msg("'%s' does not say '%s'", st.message, row->says);
    }
    alm_place_tree_destroy(&tree);
}

static void finishes_once_what_was_missing_is_there(void **state)
{
    (void)state;
    static const corner_row town = {"t", "镇", "", ALM_LEVEL_TOWN, "c", 0, 0, NULL};
    static const corner_row city = {"c", "市", "", ALM_LEVEL_CITY, "", 0, 0, NULL};
    alm_place_tree *tree = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_place_tree_create(&tree, &st), ALM_OK);
    assert_int_equal(add_row(tree, &town, &st), ALM_OK);
    assert_int_equal(add_row(tree, &town, &st), ALM_ALREADY_EXISTS);
    assert_string_equal(st.message, "place t is there already");
    assert_int_equal(alm_place_tree_finish(tree, &st), ALM_INVALID_ARGUMENT);
    assert_int_equal(add_row(tree, &city, &st), ALM_OK);
    assert_int_equal(alm_place_tree_finish(tree, &st), ALM_OK);
    assert_int_equal(alm_place_tree_count(tree), 2);
    assert_int_equal(alm_place_tree_parent(tree, 0), 1);
    alm_place_tree_destroy(&tree);
    alm_place_tree_destroy(&tree);
}

static void an_empty_tree_answers_too(void **state)
{
    (void)state;
    alm_place_tree *tree = NULL;
    alm_arena *arena = alm_arena_create(0);
    alm_place_list list;
    assert_int_equal(alm_place_tree_create(&tree, NULL), ALM_OK);
    assert_int_equal(alm_place_tree_finish(tree, NULL), ALM_OK);
    assert_int_equal(alm_place_tree_find(tree, ALM_STR("CN")), ALM_PLACE_NONE);
    assert_int_equal(alm_place_tree_by_name(tree, ALM_STR("CN"), NULL, 0), 0);
    assert_int_equal(alm_place_expr_eval(tree, ALM_STR("CN"), 0, arena, &list, NULL),
                     ALM_NOT_FOUND);
    alm_arena_destroy(&arena);
    alm_place_tree_destroy(&tree);
}

// Fails the n-th allocation, for every n until none fails.
static void survives_a_full_heap(void **state)
{
    (void)state;
    uint64_t n = 1;
    alm_code code = ALM_RESOURCE_EXHAUSTED;
    for (; code != ALM_OK; n++) {
        alm_place_tree *tree = NULL;
        alm_arena *arena = alm_arena_create(0);
        alm_status st = ALM_STATUS_INIT;
        alm_place_list list;
        alm_alloc_fail_at(n, false);
        code = make_corner(&tree, &st);
        if (code == ALM_OK) {
            code = alm_place_tree_successors(tree, 2, DAY(2020, 1, 1), arena, &list, &st);
        }
        if (code == ALM_OK) {
            code = alm_place_expr_eval(tree, ALM_STR("CN/**"), 0, arena, &list, &st);
        }
        alm_alloc_fail_at(0, false);
        assert_true(code == ALM_OK || code == ALM_RESOURCE_EXHAUSTED);
        assert_int_equal(st.code, code);
        alm_place_tree_destroy(&tree);
        alm_arena_destroy(&arena);
    }
    assert_in_range(n, 10, 1000);
}

static void says_when_the_arena_is_full(void **state)
{
    (void)state;
    alm_place_tree *tree = must_make_corner();
    alm_arena *arena = alm_arena_create(1);
    alm_place_list list;
    if (arena != NULL) {
        assert_int_equal(alm_place_tree_children(tree, 10, 0, arena, &list, NULL),
                         ALM_RESOURCE_EXHAUSTED);
        assert_int_equal(alm_place_expr_eval(tree, ALM_STR("CN"), 0, arena, &list, NULL),
                         ALM_RESOURCE_EXHAUSTED);
    }
    alm_arena_destroy(&arena);
    alm_place_tree_destroy(&tree);
}

static void levels_have_codes(void **state)
{
    (void)state;
    alm_level level = ALM_LEVEL_NONE;
    for (int i = ALM_LEVEL_COUNTRY; i <= ALM_LEVEL_LOCAL; i++) {
        assert_true(alm_level_parse(str(alm_level_code((alm_level)i)), &level));
        assert_int_equal(level, i);
    }
    assert_true(alm_level_parse(ALM_STR("街镇"), &level));
    assert_int_equal(level, ALM_LEVEL_TOWN);
    assert_false(alm_level_parse(ALM_STR("Town"), &level));
    assert_false(alm_level_parse(ALM_STR(""), &level));
    assert_string_equal(alm_level_code(ALM_LEVEL_NONE), "?");
    assert_string_equal(alm_level_code((alm_level)99), "?");
}

// ---- Every village: 31 provinces x 11 cities x 9 districts x 15 towns x 15 villages

static alm_code add_numbered(alm_place_tree *tree, const char *code, const char *parent,
                             alm_level level)
{
    alm_place place = {.code = str(code),
                       .name_zh = ALM_STR("和平村委会"), // one name for all: the worst for an index
                       .level = level,
                       .parent = str(parent),
                       .valid_from = ALM_DATE_NONE,
                       .valid_to = ALM_DATE_MAX};
    return alm_place_tree_add(tree, &place, NULL, NULL);
}

static void add_below(alm_place_tree *tree, const char *parent, alm_level level)
{
    static const int counts[] = {[ALM_LEVEL_PROVINCE] = 31,
                                 [ALM_LEVEL_CITY] = 11,
                                 [ALM_LEVEL_DISTRICT] = 9,
                                 [ALM_LEVEL_TOWN] = 15,
                                 [ALM_LEVEL_VILLAGE] = 15};
    for (int i = counts[level]; i > 0; i--) {
        char code[40];
        snprintf(code, sizeof code, "%s%02d", parent, i);
        assert_int_equal(add_numbered(tree, code, parent, level), ALM_OK);
        if (level < ALM_LEVEL_VILLAGE) {
            add_below(tree, code, level + 1);
        }
    }
}

static void holds_every_village(void **state)
{
    (void)state;
    alm_place_tree *tree = NULL;
    assert_int_equal(alm_place_tree_create(&tree, NULL), ALM_OK);
    assert_int_equal(add_numbered(tree, "CN", "", ALM_LEVEL_COUNTRY), ALM_OK);
    add_below(tree, "CN", ALM_LEVEL_PROVINCE);
    assert_int_equal(alm_place_tree_finish(tree, NULL), ALM_OK);
    assert_int_equal(alm_place_tree_count(tree), 740002);

    alm_arena *arena = alm_arena_create(0);
    alm_place_list list;
    assert_int_equal(
        alm_place_expr_eval(tree, ALM_STR("CN01/**@village,CN/**@village"), 0, arena, &list, NULL),
        ALM_OK);
    assert_int_equal(list.count, 31 * 11 * 9 * 15 * 15);
    for (size_t i = 1; i < list.count; i++) {
        alm_str before = alm_place_tree_get(tree, list.ids[i - 1])->code;
        assert_true(alm_str_cmp(before, alm_place_tree_get(tree, list.ids[i])->code) < 0);
    }
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_place_expr_eval(tree, ALM_STR("CN311109151"), 0, arena, &list, &st),
                     ALM_NOT_FOUND);
    assert_non_null(strstr(st.message, "did you mean CN3111091510 "));
    alm_place_id first;
    assert_int_equal(alm_place_tree_by_name(tree, ALM_STR("和平村委会"), &first, 1), 740002);
    assert_int_equal(first, 0);
    alm_arena_destroy(&arena);
    alm_place_tree_destroy(&tree);
}

#define ROW_TEST(row, fn)                                                                          \
    ((struct CMUnitTest){(row).name, fn, NULL, NULL, (void *)(uintptr_t) & (row)})

int main(void)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(many); i++) {
        many[i] = ALM_STR("x");
    }
    const struct CMUnitTest single[] = {
        cmocka_unit_test(bounds_an_expression),
        cmocka_unit_test(finds_by_name_alias_and_code),
        cmocka_unit_test(counts_a_place_named_like_its_code_once),
        cmocka_unit_test(copies_what_it_is_given),
        cmocka_unit_test(finishes_once_what_was_missing_is_there),
        cmocka_unit_test(an_empty_tree_answers_too),
        cmocka_unit_test(survives_a_full_heap),
        cmocka_unit_test(says_when_the_arena_is_full),
        cmocka_unit_test(levels_have_codes),
        cmocka_unit_test(holds_every_village),
    };
    static struct CMUnitTest tests[ALM_ARRAY_LEN(single) + ALM_ARRAY_LEN(check_rows) +
                                   ALM_ARRAY_LEN(expr_rows) + ALM_ARRAY_LEN(successor_rows) +
                                   ALM_ARRAY_LEN(finish_rows)];
    size_t count = 0;
    for (size_t i = 0; i < ALM_ARRAY_LEN(check_rows); i++) {
        tests[count++] = ROW_TEST(check_rows[i], refuses_a_bad_place);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(expr_rows); i++) {
        tests[count++] = ROW_TEST(expr_rows[i], evaluates_an_expression);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(successor_rows); i++) {
        tests[count++] = ROW_TEST(successor_rows[i], follows_successors);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(finish_rows); i++) {
        tests[count++] = ROW_TEST(finish_rows[i], refuses_to_finish);
    }
    memcpy(tests + count, single, sizeof single);
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
