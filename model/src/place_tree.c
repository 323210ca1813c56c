#include "place_tree.h"

#include "alm/alloc.h"
#include "alm/catalog.h"
#include "alm/limits.h"

#include "check.h"
#include "nearest.h"

#include <stdlib.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the place tree");
}

alm_code alm_place_tree_create(alm_place_tree **ret, alm_status *st)
{
    alm_place_tree *tree = alm_calloc(1, sizeof *tree);
    if (tree == NULL) {
        return no_memory(st);
    }
    tree->texts = alm_arena_create(ALM_PLACE_TREE_BYTES_MAX);
    if (tree->texts == NULL) {
        alm_place_tree_destroy(&tree);
        return no_memory(st);
    }
    *ret = tree;
    return ALM_OK;
}

void alm_place_tree_destroy(alm_place_tree **tree)
{
    if (*tree == NULL) {
        return;
    }
    name_index_deinit(&(*tree)->by_code);
    name_index_deinit(&(*tree)->by_name);
    alm_free((*tree)->nodes);
    alm_free((*tree)->kids);
    alm_free((*tree)->by_level);
    alm_free((*tree)->places);
    alm_arena_destroy(&(*tree)->texts);
    alm_free(*tree);
    *tree = NULL;
}

// Copies text behind *end, and moves *end on.
static alm_str pack(char **end, alm_str text)
{
    alm_str copy = {*end, text.len};
    if (text.len > 0) {
        memcpy(*end, text.data, text.len);
    }
    *end += text.len;
    return copy;
}

// An array of views, its texts packed behind *end.
static const alm_str *pack_all(alm_str **array, char **end, const alm_str *texts, size_t count)
{
    alm_str *copies = *array;
    for (size_t i = 0; i < count; i++) {
        copies[i] = pack(end, texts[i]);
    }
    *array += count;
    return count > 0 ? copies : NULL;
}

static size_t total_len(const alm_str *texts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += texts[i].len;
    }
    return len;
}

// One block a place: 665 thousand villages would pay for the padding of every single string.
static bool copy_place(alm_place_tree *tree, const alm_place *from, alm_place *to)
{
    size_t views = from->successor_count + from->alias_count;
    size_t bytes = from->code.len + from->name_zh.len + from->name_en.len + from->parent.len +
                   total_len(from->successors, from->successor_count) +
                   total_len(from->aliases, from->alias_count);
    alm_str *array = alm_arena_alloc(tree->texts, views * sizeof *array + bytes);
    if (array == NULL) {
        return false;
    }
    char *end = (char *)(array + views);
    *to = *from;
    to->code = pack(&end, from->code);
    to->name_zh = pack(&end, from->name_zh);
    to->name_en = pack(&end, from->name_en);
    to->parent = pack(&end, from->parent);
    to->successors = pack_all(&array, &end, from->successors, from->successor_count);
    to->aliases = pack_all(&array, &end, from->aliases, from->alias_count);
    return true;
}

static bool reserve_place(alm_place_tree *tree)
{
    if (tree->count < tree->cap) {
        return true;
    }
    size_t cap = ALM_MAX(tree->cap * 2, (size_t)64);
    alm_place *places = alm_realloc(tree->places, cap * sizeof *places);
    if (places == NULL) {
        return false;
    }
    tree->places = places;
    tree->cap = cap;
    return true;
}

alm_code alm_place_tree_add(alm_place_tree *tree, const alm_place *place, alm_place_id *ret,
                            alm_status *st)
{
    ALM_ASSERT(!tree->finished);
    ALM_TRY(alm_place_check(place, st));
    if (alm_place_tree_find(tree, place->code) != ALM_PLACE_NONE) {
        return alm_status_set_field(st, ALM_ALREADY_EXISTS, "code", "place %.*s is there already",
                                    SHOWN_ARGS(place->code));
    }
    if (tree->count == ALM_PLACE_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "more than %d places",
                              ALM_PLACE_COUNT_MAX);
    }
    alm_place_id id = (alm_place_id)tree->count;
    if (!reserve_place(tree) || !copy_place(tree, place, &tree->places[id]) ||
        !name_index_add(&tree->by_code, tree->places[id].code, id)) {
        return no_memory(st);
    }
    tree->count++;
    if (ret != NULL) {
        *ret = id;
    }
    return ALM_OK;
}

static alm_code link_parent(const alm_place_tree *tree, alm_place_id id, place_node *nodes,
                            alm_status *st)
{
    const alm_place *place = &tree->places[id];
    nodes[id].parent = ALM_PLACE_NONE;
    if (place->parent.len == 0) {
        return ALM_OK;
    }
    alm_place_id parent = alm_place_tree_find(tree, place->parent);
    if (parent == ALM_PLACE_NONE) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "parent",
                                    "place %.*s: unknown parent '%.*s'", SHOWN_ARGS(place->code),
                                    SHOWN_ARGS(place->parent));
    }
    alm_level above = tree->places[parent].level;
    if (above >= place->level) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "parent",
                                    "place %.*s is a %s and cannot be part of %.*s, which is a %s",
                                    SHOWN_ARGS(place->code), alm_level_code(place->level),
                                    SHOWN_ARGS(place->parent), alm_level_code(above));
    }
    nodes[id].parent = parent;
    return ALM_OK;
}

// A successor outlives what it succeeds; following successors therefore comes to an end.
static alm_code check_successors(const alm_place_tree *tree, const alm_place *place, alm_status *st)
{
    for (size_t i = 0; i < place->successor_count; i++) {
        alm_str code = place->successors[i];
        alm_place_id id = alm_place_tree_find(tree, code);
        if (id == ALM_PLACE_NONE) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "successors",
                                        "place %.*s: unknown successor '%.*s'",
                                        SHOWN_ARGS(place->code), SHOWN_ARGS(code));
        }
        if (tree->places[id].valid_to <= place->valid_to) {
            char end[ALM_PERIOD_TEXT_MAX];
            alm_date_format(place->valid_to, end);
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "successors",
                                        "place %.*s ended on %s, and its successor %.*s not later",
                                        SHOWN_ARGS(place->code), end, SHOWN_ARGS(code));
        }
    }
    return ALM_OK;
}

// The node that parents a place: its own, or the one behind the last for a root.
static size_t parent_slot(const alm_place_tree *tree, const place_node *nodes, alm_place_id id)
{
    return nodes[id].parent == ALM_PLACE_NONE ? tree->count : nodes[id].parent;
}

static int cmp_siblings(const void *a, const void *b, void *arg)
{
    const alm_place *places = arg;
    const alm_place *x = &places[*(const alm_place_id *)a];
    const alm_place *y = &places[*(const alm_place_id *)b];
    return x->level != y->level ? (int)x->level - (int)y->level : alm_str_cmp(x->code, y->code);
}

// Sorts all places under their parents: counts, then turns counts into ends and fills backwards.
static void fill_kids(alm_place_tree *tree, place_node *nodes, alm_place_id *kids)
{
    for (size_t i = 0; i <= tree->count; i++) {
        nodes[i].kids = 0;
    }
    for (size_t i = 0; i < tree->count; i++) {
        nodes[parent_slot(tree, nodes, (alm_place_id)i)].kids++;
    }
    for (size_t i = 1; i <= tree->count; i++) {
        nodes[i].kids += nodes[i - 1].kids;
    }
    for (size_t i = tree->count; i-- > 0;) {
        kids[--nodes[parent_slot(tree, nodes, (alm_place_id)i)].kids] = (alm_place_id)i;
    }
    for (size_t i = 0; i <= tree->count; i++) {
        size_t end = i == tree->count ? tree->count : nodes[i + 1].kids;
        if (end - nodes[i].kids > 1) {
            qsort_r(kids + nodes[i].kids, end - nodes[i].kids, sizeof *kids, cmp_siblings,
                    tree->places);
        }
    }
}

// Sorts ids by level into `by_level`, keeping their order within a level, and notes the boundaries.
static void sort_by_level(alm_place_tree *tree, const alm_place_id *ids, alm_place_id *by_level)
{
    uint32_t *from = tree->level_from;
    memset(from, 0, sizeof tree->level_from);
    for (size_t i = 0; i < tree->count; i++) {
        from[tree->places[i].level + 1]++;
    }
    for (size_t level = 1; level < ALM_ARRAY_LEN(tree->level_from); level++) {
        from[level] += from[level - 1];
    }
    uint32_t next[ALM_ARRAY_LEN(tree->level_from)];
    memcpy(next, from, sizeof next);
    for (size_t i = 0; i < tree->count; i++) {
        by_level[next[tree->places[ids[i]].level]++] = ids[i];
    }
}

static void place_kids(place_node *nodes, const alm_place_id *kids, size_t slot, uint32_t at,
                       size_t kids_end)
{
    for (size_t i = nodes[slot].kids; i < kids_end; i++) {
        place_node *kid = &nodes[kids[i]];
        uint32_t size = kid->end;
        kid->at = at;
        kid->end = at += size;
    }
}

// Gives every node its interval. `by_level` holds the ids by level only; `end` holds a subtree's
// size until the parent's turn comes.
static void number_nodes(alm_place_tree *tree, place_node *nodes, const alm_place_id *kids,
                         const alm_place_id *by_level)
{
    size_t count = tree->count;
    for (size_t i = 0; i <= count; i++) {
        nodes[i].end = i < count ? 1 : 0;
    }
    for (size_t i = count; i-- > 0;) {
        nodes[parent_slot(tree, nodes, by_level[i])].end += nodes[by_level[i]].end;
    }
    nodes[count].at = 0;
    place_kids(nodes, kids, count, 0, count);
    for (size_t i = 0; i < count; i++) {
        alm_place_id id = by_level[i];
        place_kids(nodes, kids, id, nodes[id].at + 1, nodes[id + 1].kids);
    }
}

static void order_places(alm_place_tree *tree, place_node *nodes, alm_place_id *kids,
                         alm_place_id *by_level, alm_place_id *spare)
{
    fill_kids(tree, nodes, kids);
    for (size_t i = 0; i < tree->count; i++) {
        spare[i] = (alm_place_id)i;
    }
    sort_by_level(tree, spare, by_level);
    number_nodes(tree, nodes, kids, by_level);
    for (size_t i = 0; i < tree->count; i++) {
        spare[nodes[i].at] = (alm_place_id)i;
    }
    sort_by_level(tree, spare, by_level);
}

// The names of a place, some of them empty: i = 0 and 1 the two names, then the aliases.
static alm_str name_of(const alm_place *place, size_t i)
{
    return i == 0 ? place->name_zh : i == 1 ? place->name_en : place->aliases[i - 2];
}

static size_t name_count(const alm_place *place)
{
    return 2 + place->alias_count;
}

static bool is_new_name(const alm_place *place, size_t i)
{
    alm_str name = name_of(place, i);
    for (size_t j = 0; j < i; j++) {
        if (alm_str_eq_nocase(name_of(place, j), name)) {
            return false;
        }
    }
    return name.len > 0;
}

// Last comes first in the index, so the worst is added first.
static bool index_names(const alm_place_tree *tree, const alm_place_id *by_level, name_index *names)
{
    size_t count = 0;
    for (size_t i = 0; i < tree->count; i++) {
        count += name_count(&tree->places[i]);
    }
    if (!name_index_reserve(names, count)) {
        return false;
    }
    for (size_t i = tree->count; i-- > 0;) {
        const alm_place *place = &tree->places[by_level[i]];
        for (size_t k = 0; k < name_count(place); k++) {
            if (is_new_name(place, k) && !name_index_add(names, name_of(place, k), by_level[i])) {
                return false;
            }
        }
    }
    return true;
}

// A tree that could not be finished is as it was: what is missing may be added.
alm_code alm_place_tree_finish(alm_place_tree *tree, alm_status *st)
{
    ALM_ASSERT(!tree->finished);
    size_t count = tree->count;
    place_node *nodes = alm_calloc(count + 1, sizeof *nodes);
    alm_place_id *kids = alm_calloc(count + 1, sizeof *kids);
    alm_place_id *by_level = alm_calloc(count + 1, sizeof *by_level);
    alm_place_id *spare = alm_calloc(count + 1, sizeof *spare);
    name_index names = {0};
    alm_code code = ALM_OK;
    if (nodes == NULL || kids == NULL || by_level == NULL || spare == NULL) {
        code = no_memory(st);
        goto done;
    }
    for (size_t i = 0; i < count && code == ALM_OK; i++) {
        code = link_parent(tree, (alm_place_id)i, nodes, st);
        if (code == ALM_OK) {
            code = check_successors(tree, &tree->places[i], st);
        }
    }
    if (code != ALM_OK) {
        goto done;
    }
    order_places(tree, nodes, kids, by_level, spare);
    if (!index_names(tree, by_level, &names)) {
        code = no_memory(st);
        goto done;
    }
    tree->nodes = nodes;
    tree->kids = kids;
    tree->by_level = by_level;
    tree->by_name = names;
    tree->finished = true;
    nodes = NULL;
    kids = by_level = NULL;
    names = (name_index){0};
done:
    alm_free(nodes);
    alm_free(kids);
    alm_free(by_level);
    alm_free(spare);
    name_index_deinit(&names);
    return code;
}

size_t alm_place_tree_count(const alm_place_tree *tree)
{
    return tree->count;
}

const alm_place *alm_place_tree_get(const alm_place_tree *tree, alm_place_id id)
{
    ALM_ASSERT(id < tree->count);
    return &tree->places[id];
}

alm_place_id alm_place_tree_find(const alm_place_tree *tree, alm_str code)
{
    alm_place_id id;
    return name_index_find(&tree->by_code, code, &id) ? id : ALM_PLACE_NONE;
}

alm_place_id alm_place_tree_parent(const alm_place_tree *tree, alm_place_id id)
{
    ALM_ASSERT(tree->finished);
    ALM_ASSERT(id < tree->count);
    return tree->nodes[id].parent;
}

alm_place_id alm_place_tree_at_level(const alm_place_tree *tree, alm_place_id id, alm_level level)
{
    ALM_ASSERT(tree->finished);
    ALM_ASSERT(id < tree->count);
    while (id != ALM_PLACE_NONE && tree->places[id].level > level) {
        id = tree->nodes[id].parent;
    }
    return id != ALM_PLACE_NONE && tree->places[id].level == level ? id : ALM_PLACE_NONE;
}

bool alm_place_tree_within(const alm_place_tree *tree, alm_place_id id,
                           alm_place_id ancestor_or_self)
{
    ALM_ASSERT(tree->finished);
    ALM_ASSERT(id < tree->count);
    ALM_ASSERT(ancestor_or_self < tree->count);
    uint32_t at = tree->nodes[id].at;
    return tree->nodes[ancestor_or_self].at <= at && at < tree->nodes[ancestor_or_self].end;
}

size_t alm_place_tree_by_name(const alm_place_tree *tree, alm_str name, alm_place_id *ret,
                              size_t cap)
{
    ALM_ASSERT(tree->finished);
    size_t count = 0;
    alm_place_id by_code = alm_place_tree_find(tree, name);
    if (by_code != ALM_PLACE_NONE) {
        if (count < cap) {
            ret[count] = by_code;
        }
        count++;
    }
    alm_place_id id;
    for (uint32_t at = NAME_INDEX_END; name_index_next(&tree->by_name, name, true, &at, &id);) {
        if (id == by_code) {
            continue;
        }
        if (count < cap) {
            ret[count] = id;
        }
        count++;
    }
    return count;
}

alm_place_id place_tree_nearest(const alm_place_tree *tree, alm_str word, bool with_names,
                                alm_str *ret_word)
{
    nearest n = nearest_of(word);
    for (size_t i = 0; i < tree->count; i++) {
        const alm_place *place = &tree->places[tree->by_level[i]];
        nearest_offer(&n, place->code, tree->by_level[i]);
        for (size_t k = 0; with_names && k < name_count(place); k++) {
            nearest_offer(&n, name_of(place, k), tree->by_level[i]);
        }
    }
    *ret_word = n.best;
    return n.best.len > 0 ? n.tag : ALM_PLACE_NONE;
}
