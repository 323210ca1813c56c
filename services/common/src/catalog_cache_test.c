// What is kept with a catalogue: worked out once, as long as there is room.
#include "alm/catalog_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static alm_code load_nothing(void *arg, alm_call *call, alm_catalog *catalog,
                             uint64_t *ret_sequence, alm_status *st)
{
    (void)call;
    (void)catalog;
    (void)st;
    *ret_sequence = ++*(uint64_t *)arg;
    return ALM_OK;
}

typedef struct fixture {
    uint64_t loads;
    alm_catalog_cache *cache;
    alm_catalog_ref *ref;
    alm_arena *arena;
} fixture;

static void begin(fixture *f)
{
    *f = (fixture){.arena = alm_arena_create(0)};
    assert_int_equal(alm_catalog_cache_create_with(load_nothing, &f->loads, &f->cache, NULL),
                     ALM_OK);
    assert_int_equal(alm_catalog_cache_get(f->cache, NULL, 0, &f->ref, NULL), ALM_OK);
}

static void end(fixture *f)
{
    alm_catalog_ref_release(&f->ref);
    alm_catalog_cache_destroy(&f->cache);
    alm_arena_destroy(&f->arena);
}

typedef struct job {
    int *worked; // how often
    alm_code code;
    size_t bytes;
} job;

static alm_code work(const void *arg, const alm_catalog *catalog, alm_arena *arena, void **ret,
                     alm_status *st)
{
    const job *it = arg;
    assert_non_null(catalog);
    (*it->worked)++;
    if (it->code != ALM_OK) {
        return alm_status_set(st, it->code, "no");
    }
    int *made = alm_arena_calloc(arena, 1, it->bytes);
    *made = *it->worked;
    *ret = made;
    return ALM_OK;
}

static int ask(fixture *f, const char *key, const job *it)
{
    const void *value = NULL;
    assert_int_equal(
        alm_catalog_ref_kept(f->ref, alm_str_from(key), work, it, f->arena, &value, NULL), ALM_OK);
    return *(const int *)value;
}

static void works_once(void **unused)
{
    (void)unused;
    fixture f;
    int worked = 0;
    job it = {&worked, ALM_OK, sizeof(int)};
    begin(&f);
    assert_int_equal(ask(&f, "a", &it), 1);
    assert_int_equal(ask(&f, "b", &it), 2);
    alm_arena_reset(f.arena); // it is not the caller's
    assert_int_equal(ask(&f, "a", &it), 1);
    assert_int_equal(ask(&f, "b", &it), 2);
    assert_int_equal(worked, 2);
    // Another catalogue knows nothing of it, and the first goes on as long as somebody holds it.
    alm_catalog_ref *newer;
    assert_int_equal(alm_catalog_cache_get(f.cache, NULL, 2, &newer, NULL), ALM_OK);
    alm_catalog_ref *older = f.ref;
    f.ref = newer;
    assert_int_equal(ask(&f, "a", &it), 3);
    f.ref = older;
    assert_int_equal(ask(&f, "a", &it), 1);
    alm_catalog_ref_release(&newer);
    end(&f);
}

static void keeps_no_failure(void **unused)
{
    (void)unused;
    fixture f;
    int worked = 0;
    job it = {&worked, ALM_NOT_FOUND, sizeof(int)};
    const void *value = NULL;
    alm_status st = ALM_STATUS_INIT;
    begin(&f);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(alm_catalog_ref_kept(f.ref, ALM_STR("a"), work, &it, f.arena, &value, &st),
                         ALM_NOT_FOUND);
        assert_string_equal(st.message, "no");
        assert_int_equal(worked, i);
    }
    it.code = ALM_OK;
    assert_int_equal(ask(&f, "a", &it), 4);
    assert_int_equal(ask(&f, "a", &it), 4);
    end(&f);
}

static void works_for_the_caller_beyond_its_room(void **unused)
{
    (void)unused;
    for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
        fixture f;
        int worked = 0;
        int room = by_bytes ? 4 : ALM_CATALOG_KEPT_COUNT_MAX;
        job it = {&worked, ALM_OK, by_bytes ? ALM_CATALOG_KEPT_BYTES / 4 : sizeof(int)};
        begin(&f);
        for (int i = 0; i < room; i++) {
            char key[16];
            snprintf(key, sizeof key, "%d", i);
            assert_int_equal(ask(&f, key, &it), i + 1);
        }
        it.bytes = sizeof(int);
        assert_int_equal(ask(&f, "more", &it), room + 1);
        assert_int_equal(ask(&f, "more", &it), room + 2);
        assert_int_equal(ask(&f, "0", &it), 1);
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_once),
        cmocka_unit_test(keeps_no_failure),
        cmocka_unit_test(works_for_the_caller_beyond_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
