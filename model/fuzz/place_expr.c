// A place expression either fails with a message or gives places of the tree, each once; and the
// list of their codes is an expression for the same places.
#include "alm/limits.h"
#include "alm/place.h"

#include "alm/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(alm_place_tree *tree, const char *code, alm_level level, const char *parent,
                alm_date to)
{
    alm_place place = {.code = alm_str_from(code),
                       .name_zh = ALM_STR("地"),
                       .level = level,
                       .parent = alm_str_from(parent),
                       .valid_from = ALM_DATE_NONE,
                       .valid_to = to};
    ALM_ASSERT(alm_place_tree_add(tree, &place, NULL, NULL) == ALM_OK);
}

static alm_place_tree *make_tree(void)
{
    alm_place_tree *tree = NULL;
    ALM_ASSERT(alm_place_tree_create(&tree, NULL) == ALM_OK);
    add(tree, "CN", ALM_LEVEL_COUNTRY, "", ALM_DATE_MAX);
    add(tree, "31", ALM_LEVEL_PROVINCE, "CN", ALM_DATE_MAX);
    add(tree, "310105", ALM_LEVEL_DISTRICT, "31", ALM_DATE_MAX);
    add(tree, "310108", ALM_LEVEL_DISTRICT, "31", 100);
    add(tree, "310105001", ALM_LEVEL_TOWN, "310105", ALM_DATE_MAX);
    add(tree, "L-1", ALM_LEVEL_LOCAL, "310105", ALM_DATE_MAX);
    ALM_ASSERT(alm_place_tree_finish(tree, NULL) == ALM_OK);
    return tree;
}

static void check_list(const alm_place_tree *tree, const alm_place_list *list, alm_arena *arena)
{
    alm_buf codes;
    alm_buf_init(&codes, 0);
    for (size_t i = 0; i < list->count; i++) {
        ALM_ASSERT(list->ids[i] < alm_place_tree_count(tree));
        for (size_t k = 0; k < i; k++) {
            ALM_ASSERT(list->ids[i] != list->ids[k]);
        }
        alm_buf_str(&codes, i > 0 ? ALM_STR(",") : ALM_STR(""));
        alm_buf_str(&codes, alm_place_tree_get(tree, list->ids[i])->code);
    }
    alm_place_list again;
    if (list->count > 0) {
        ALM_ASSERT(alm_place_expr_eval(tree, alm_buf_view(&codes), 200, arena, &again, NULL) ==
                   ALM_OK);
        ALM_ASSERT(again.count == list->count);
        ALM_ASSERT(memcmp(again.ids, list->ids, list->count * sizeof *list->ids) == 0);
    }
    alm_buf_deinit(&codes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_place_tree *tree = make_tree();
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL);
    alm_status st = ALM_STATUS_INIT;
    alm_place_list list;
    alm_str expr = {(const char *)data, size};
    if (alm_place_expr_eval(tree, expr, 200, arena, &list, &st) == ALM_OK) {
        check_list(tree, &list, arena);
    } else {
        ALM_ASSERT(st.message[0] != '\0');
    }
    alm_arena_destroy(&arena);
    alm_place_tree_destroy(&tree);
    return 0;
}
