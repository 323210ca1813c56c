#include "alm/place.h"

#include "alm/limits.h"
#include "alm/series.h"

#include "check.h"
#include "place_runs.h"
#include "place_set.h"

typedef enum term_kind { TERM_ITSELF, TERM_CHILDREN, TERM_DESCENDANTS, TERM_SIBLINGS } term_kind;

typedef struct term {
    alm_place_id place;
    term_kind kind;
    alm_level level; // NONE: every level
} term;

static alm_code bad_term(alm_str text, alm_status *st)
{
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "place",
                                "place term '%.*s' is none of CODE, CODE/*, CODE/**, "
                                "CODE/*@level, CODE/**@level, CODE~",
                                SHOWN_ARGS(text));
}

static alm_code unknown_place(const alm_place_tree *tree, alm_str code, alm_status *st)
{
    alm_str near;
    alm_place_id id = place_tree_nearest(tree, code, false, &near);
    if (id == ALM_PLACE_NONE) {
        return alm_status_set_field(st, ALM_NOT_FOUND, "place", "unknown place '%.*s'",
                                    SHOWN_ARGS(code));
    }
    return alm_status_set_field(st, ALM_NOT_FOUND, "place",
                                "unknown place '%.*s'; did you mean %.*s (%.*s)?", SHOWN_ARGS(code),
                                SHOWN_ARGS(near), SHOWN_ARGS(tree->places[id].name_zh));
}

// What stands behind the code: "", "~", or "/*" or "/**" with an optional "@level".
static alm_code parse_suffix(alm_str suffix, alm_str whole, term *ret, alm_status *st)
{
    ret->level = ALM_LEVEL_NONE;
    if (suffix.len == 0 || alm_str_eq(suffix, ALM_STR("~"))) {
        ret->kind = suffix.len == 0 ? TERM_ITSELF : TERM_SIBLINGS;
        return ALM_OK;
    }
    size_t at = ALM_MIN(alm_str_find_char(suffix, '@'), suffix.len);
    alm_str stars = alm_str_slice(suffix, 0, at);
    if (alm_str_eq(stars, ALM_STR("/*"))) {
        ret->kind = TERM_CHILDREN;
    } else if (alm_str_eq(stars, ALM_STR("/**"))) {
        ret->kind = TERM_DESCENDANTS;
    } else {
        return bad_term(whole, st);
    }
    if (at < suffix.len) {
        alm_str level = alm_str_slice(suffix, at + 1, suffix.len);
        if (!alm_level_parse(level, &ret->level)) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "place",
                                        "place term '%.*s': unknown level '%.*s'",
                                        SHOWN_ARGS(whole), SHOWN_ARGS(level));
        }
    }
    return ALM_OK;
}

static alm_code parse_term(const alm_place_tree *tree, alm_str text, term *ret, alm_status *st)
{
    if (text.len == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "place",
                                    "a place term is empty; terms are separated by one comma");
    }
    size_t end = ALM_MIN(alm_str_find_char(text, '/'), text.len);
    if (text.data[text.len - 1] == '~') {
        end = ALM_MIN(end, text.len - 1);
    }
    alm_str code = alm_str_slice(text, 0, end);
    if (!alm_code_valid(code)) {
        return bad_term(text, st);
    }
    ALM_TRY(parse_suffix(alm_str_slice(text, end, text.len), text, ret, st));
    ret->place = alm_place_tree_find(tree, code);
    return ret->place == ALM_PLACE_NONE ? unknown_place(tree, code, st) : ALM_OK;
}

static bool is_among(const term *terms, size_t count, const term *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (terms[i].place == wanted->place && terms[i].kind == wanted->kind &&
            terms[i].level == wanted->level) {
            return true;
        }
    }
    return false;
}

// Terms said twice are dropped here: those that differ visit each place a few dozen times at most,
// so the work is bounded by the tree however long the expression.
static alm_code parse_terms(const alm_place_tree *tree, alm_str expr, alm_arena *arena, term **ret,
                            size_t *ret_count, alm_status *st)
{
    term *terms = NULL;
    size_t count = 0;
    size_t cap = 0;
    size_t said = 0;
    for (alm_str text; alm_str_split(&expr, ',', &text);) {
        if (++said > ALM_EXPR_TERM_COUNT_MAX) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "place",
                                        "place expression of more than %d terms",
                                        ALM_EXPR_TERM_COUNT_MAX);
        }
        term parsed;
        ALM_TRY(parse_term(tree, alm_str_trim(text), &parsed, st));
        if (is_among(terms, count, &parsed)) {
            continue;
        }
        void *grown = terms;
        if (!alm_arena_grow(arena, &grown, &cap, count + 1, sizeof *terms)) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a place expression");
        }
        terms = grown;
        terms[count++] = parsed;
    }
    *ret = terms;
    *ret_count = count;
    return ALM_OK;
}

static place_runs runs_of(const alm_place_tree *tree, const term *t)
{
    switch (t->kind) {
    case TERM_ITSELF:
        return place_runs_itself(tree, t->place);
    case TERM_CHILDREN:
        return place_runs_children(tree, t->place, t->level);
    case TERM_DESCENDANTS:
        return place_runs_descendants(tree, t->place, t->level);
    case TERM_SIBLINGS:
        return place_runs_siblings(tree, t->place);
    }
    ALM_ASSERT(false);
    return (place_runs){.count = 0};
}

// A place named itself is taken whether it is valid on the day or not: the answer then says why it
// has no value, instead of leaving out what was asked for.
static void append_term(const alm_place_tree *tree, const term *t, alm_date day, place_set *seen,
                        alm_place_list *list)
{
    place_runs runs = runs_of(tree, t);
    for (size_t i = 0; i < runs.count; i++) {
        for (size_t k = 0; k < runs.run[i].count; k++) {
            alm_place_id id = runs.run[i].ids[k];
            bool wanted = t->kind == TERM_ITSELF || alm_place_valid_on(&tree->places[id], day);
            if (wanted && place_set_add(seen, id)) {
                list->ids[list->count++] = id;
            }
        }
    }
}

alm_code alm_place_expr_eval(const alm_place_tree *tree, alm_str expr, alm_date day,
                             alm_arena *arena, alm_place_list *ret, alm_status *st)
{
    ALM_ASSERT(tree->finished);
    if (alm_str_trim(expr).len == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "place",
                                    "the place expression is empty");
    }
    if (expr.len > ALM_EXPR_BYTES_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "place",
                                    "place expression of %zu bytes, at most %d are allowed",
                                    expr.len, ALM_EXPR_BYTES_MAX);
    }
    term *terms = NULL;
    size_t term_count = 0;
    ALM_TRY(parse_terms(tree, expr, arena, &terms, &term_count, st));

    size_t cap = 0;
    for (size_t i = 0; i < term_count; i++) {
        cap += runs_of(tree, &terms[i]).place_count;
    }
    alm_place_list list;
    ALM_TRY(place_list_make(arena, ALM_MIN(cap, tree->count), &list, st));
    place_set seen;
    ALM_TRY(place_set_init(&seen, tree, st));
    for (size_t i = 0; i < term_count; i++) {
        append_term(tree, &terms[i], day, &seen, &list);
    }
    place_set_deinit(&seen);
    *ret = list;
    return ALM_OK;
}

size_t alm_place_expr_named_count(alm_str expr)
{
    size_t count = 1;
    for (size_t i = 0; i < expr.len; i++) {
        if (expr.data[i] == '*' || expr.data[i] == '~') {
            return 0;
        }
        count += expr.data[i] == ',';
    }
    return count;
}
