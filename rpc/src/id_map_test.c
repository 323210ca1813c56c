#include "id_map.h"

#include "rpc_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ID_COUNT 300

// Against the slow way: whether each id is there is a flag.
static void keeps_what_random_steps_leave(void **state)
{
    (void)state;
    alm_id_map map;
    static int values[ID_COUNT];
    bool are_there[ID_COUNT] = {false};
    size_t count = 0;
    uint64_t random = 7;
    alm_id_map_init(&map, 99);
    for (int step = 0; step < 20000; step++) {
        random = alm_mix64(random + 1);
        size_t i = random % ID_COUNT;
        uint64_t id = i * UINT64_C(0x100000000); // as slots and generations are
        assert_true((alm_id_map_find(&map, id) == &values[i]) == are_there[i]);
        if (are_there[i]) {
            alm_id_map_remove(&map, id);
            count--;
        } else {
            assert_true(alm_id_map_add(&map, id, &values[i]));
            count++;
        }
        are_there[i] = !are_there[i];
        assert_int_equal(map.count, count);
    }
    for (size_t i = 0; i < ID_COUNT; i++) {
        uint64_t id = i * UINT64_C(0x100000000);
        assert_true((alm_id_map_find(&map, id) == &values[i]) == are_there[i]);
        if (are_there[i]) {
            alm_id_map_remove(&map, id);
        }
    }
    alm_id_map_deinit(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_random_steps_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
