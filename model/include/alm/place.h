// The place tree: administrative places with levels and validity, and local places beside them.
//
// A tree is built once (add all, then finish) and then read only, by any number of threads.
// Places are named by dense ids 0..count-1 in the order they were added: storage gives every place
// a number when it is first loaded and never changes it.
//
// Tree order: a place before what is below it, siblings by level and then by the bytes of their
// codes; it does not depend on the order of adding. A day of ALM_DATE_NONE means any day.
#ifndef ALM_PLACE_H
#define ALM_PLACE_H

#include "alm/arena.h"
#include "alm/period.h"
#include "alm/status.h"
#include "alm/str.h"

// X(NAME, number, code, zh). Numbers are stored on disk: never reuse one. A child's number is
// higher than its parent's.
#define ALM_LEVEL_MAP(X)                                                                           \
    X(COUNTRY, 1, "country", "国家")                                                               \
    X(PROVINCE, 2, "province", "省")                                                               \
    X(CITY, 3, "city", "市")                                                                       \
    X(DISTRICT, 4, "district", "区县")                                                             \
    X(TOWN, 5, "town", "街镇")                                                                     \
    X(VILLAGE, 6, "village", "村居")                                                               \
    X(LOCAL, 7, "local", "局部地区") /* parks, business districts, buildings */

typedef enum alm_level {
    ALM_LEVEL_NONE = 0,
#define ALM_LEVEL_ENUM(name, number, code, zh) ALM_LEVEL_##name = number,
    ALM_LEVEL_MAP(ALM_LEVEL_ENUM)
#undef ALM_LEVEL_ENUM
} alm_level;
const char *alm_level_code(alm_level level);                     // "district"; "?" for a stranger
ALM_MUST_USE bool alm_level_parse(alm_str code, alm_level *ret); // code, or the zh word

typedef uint32_t alm_place_id;
#define ALM_PLACE_NONE UINT32_MAX

typedef struct alm_place {
    alm_str code; // GB/T 2260 and its extensions ("310105001"), or local ("L310105001")
    alm_str name_zh;
    alm_str name_en; // may be empty
    alm_level level;
    alm_str parent;            // code; empty for a root
    alm_date valid_from;       // first day; ALM_DATE_NONE: always was
    alm_date valid_to;         // last day; ALM_DATE_MAX: still is
    const alm_str *successors; // codes it was merged or split into; valid when valid_to is a date
    size_t successor_count;
    const alm_str *aliases; // other names
    size_t alias_count;
} alm_place;

// Checks one place alone, as alm_place_tree_add does first. The status' field is the column's name
// (code, name_zh, level, parent, valid_to, successors, aliases ...).
ALM_MUST_USE alm_code alm_place_check(const alm_place *place, alm_status *st);

typedef struct alm_place_tree alm_place_tree;

// Builder. The tree copies everything into itself.
//
// add:    ALM_INVALID_ARGUMENT    malformed code, no name, no level, valid_to before valid_from ...
//         ALM_ALREADY_EXISTS      the code is there already
//         ALM_RESOURCE_EXHAUSTED  too many places, or out of memory
// finish: ALM_INVALID_ARGUMENT    unknown parent or successor; a parent of the same or a
//                                 lower level, so there are no cycles; a successor that
//                                 ended no later than what it succeeds. Names the place
//         ALM_RESOURCE_EXHAUSTED  out of memory
// Parents may be added after their children. After a finish that failed, what was missing may be
// added and finish called again. What fails leaves no trace.
ALM_MUST_USE alm_code alm_place_tree_create(alm_place_tree **ret, alm_status *st);
ALM_MUST_USE alm_code alm_place_tree_add(alm_place_tree *tree, const alm_place *place,
                                         alm_place_id *ret, alm_status *st);
ALM_MUST_USE alm_code alm_place_tree_finish(alm_place_tree *tree, alm_status *st);
void alm_place_tree_destroy(alm_place_tree **tree);

// Questions to a finished tree. Views live as long as the tree.
size_t alm_place_tree_count(const alm_place_tree *tree);
const alm_place *alm_place_tree_get(const alm_place_tree *tree, alm_place_id id); // id < count
alm_place_id alm_place_tree_find(const alm_place_tree *tree, alm_str code);       // NONE if unknown
alm_place_id alm_place_tree_parent(const alm_place_tree *tree, alm_place_id id);  // NONE: a root
// The nearest ancestor-or-self of that level; NONE if it has none.
alm_place_id alm_place_tree_at_level(const alm_place_tree *tree, alm_place_id id, alm_level level);
bool alm_place_tree_within(const alm_place_tree *tree, alm_place_id id,
                           alm_place_id ancestor_or_self);
bool alm_place_valid_on(const alm_place *place, alm_date day);

// All places of that code, name or alias: the one of the code first, then by (level, tree order),
// each once. Codes as they are spelled; ASCII letters of names in any case. Returns how many there
// are; at most cap are written.
size_t alm_place_tree_by_name(const alm_place_tree *tree, alm_str name, alm_place_id *ret,
                              size_t cap);

// Sets of places, sorted by (level, tree order), only those valid on the day (ALM_DATE_NONE: any
// day). Written to the arena.
typedef struct alm_place_list {
    alm_place_id *ids;
    size_t count;
} alm_place_list;
ALM_MUST_USE alm_code alm_place_tree_children(const alm_place_tree *tree, alm_place_id id,
                                              alm_date day, alm_arena *arena, alm_place_list *ret,
                                              alm_status *st);
// level NONE: every level. Excludes the place itself.
ALM_MUST_USE alm_code alm_place_tree_descendants(const alm_place_tree *tree, alm_place_id id,
                                                 alm_level level, alm_date day, alm_arena *arena,
                                                 alm_place_list *ret, alm_status *st);
// Those of the same parent and level, itself included; roots of one level are siblings. Local
// places have no siblings but themselves.
ALM_MUST_USE alm_code alm_place_tree_siblings(const alm_place_tree *tree, alm_place_id id,
                                              alm_date day, alm_arena *arena, alm_place_list *ret,
                                              alm_status *st);
// Follows successors from a place that has ended to those valid on the day (itself if still valid;
// none if it has not begun, or ended without successors).
ALM_MUST_USE alm_code alm_place_tree_successors(const alm_place_tree *tree, alm_place_id id,
                                                alm_date day, alm_arena *arena, alm_place_list *ret,
                                                alm_status *st);

// Place expressions: a comma-separated list of
//   310105              the place itself
//   310000/*            children
//   310000/**           all descendants
//   310000/**@district  descendants of a level
//   310105~             siblings (itself included)
//   310000/*@local      children of a level
// Duplicates are taken once; order is first mention, then (level, tree order). Blanks around terms
// do not matter. Only places valid on the day are taken, except those named themselves: a place
// that has ended is in the answer, with no value and a reason. An unknown code is an error that
// names it and suggests the nearest; so is an empty expression or term.
//
// ALM_INVALID_ARGUMENT  malformed; the message shows the term
// ALM_NOT_FOUND         unknown place
ALM_MUST_USE alm_code alm_place_expr_eval(const alm_place_tree *tree, alm_str expr, alm_date day,
                                          alm_arena *arena, alm_place_list *ret, alm_status *st);

// How many places an expression names one by one, by its marks alone; 0: it has others, too.
size_t alm_place_expr_named_count(alm_str expr);

#endif
