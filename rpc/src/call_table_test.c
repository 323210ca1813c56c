#include "call_table.h"

#include "alm/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define SEED  4711u
#define STEPS 20000
#define LIVE  64

// Random adds and removes against a plain list: what is there is found, and an id that was removed
// is never found again, though its slot is used over and over.
static void late_ids_never_match(void **state)
{
    (void)state;
    static uint64_t dead[STEPS];
    static int objects[LIVE];
    uint64_t live_ids[LIVE];
    size_t live_count = 0;
    size_t dead_count = 0;
    uint32_t random = SEED;
    alm_call_table table;
    alm_call_table_init(&table, 0xfffffff0u); // the generations wrap on the way
    for (int step = 0; step < STEPS; step++) {
        random = random * 1664525u + 1013904223u;
        if (live_count < LIVE && (live_count == 0 || (random >> 16) % 2 == 0)) {
            assert_true(alm_call_table_add(&table, &objects[live_count], &live_ids[live_count]));
            assert_int_not_equal(live_ids[live_count], 0);
            live_count++;
        } else {
            live_count--;
            alm_call_table_remove(&table, live_ids[live_count]);
            dead[dead_count++] = live_ids[live_count];
        }
        assert_int_equal(table.used_count, live_count);
        for (size_t i = 0; i < live_count; i++) {
            assert_ptr_equal(alm_call_table_find(&table, live_ids[i]), &objects[i]);
        }
        size_t from = dead_count > 200 ? dead_count - 200 : 0;
        for (size_t i = from; i < dead_count; i++) {
            assert_null(alm_call_table_find(&table, dead[i]));
        }
    }
    assert_true(table.slot_count <= LIVE);
    while (live_count > 0) {
        alm_call_table_remove(&table, live_ids[--live_count]);
    }
    alm_call_table_deinit(&table);
}

static void strange_ids_are_not_found(void **state)
{
    (void)state;
    alm_call_table table;
    uint64_t id;
    int object;
    alm_call_table_init(&table, 7);
    assert_null(alm_call_table_find(&table, 0));
    assert_true(alm_call_table_add(&table, &object, &id));
    assert_null(alm_call_table_find(&table, id + 1));
    assert_null(alm_call_table_find(&table, id + (UINT64_C(1) << 32)));
    assert_null(alm_call_table_find(&table, UINT64_MAX));
    alm_call_table_remove(&table, id);
    alm_call_table_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_ids_never_match),
        cmocka_unit_test(strange_ids_are_not_found),
    };
    return cmocka_run_group_tests_name("call_table", tests, NULL, NULL);
}
