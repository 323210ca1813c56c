// Goal: the method tables say of every method of every descriptor whether it streams, in the
// descriptor's order. Method: compare names one by one, and the counts the compiler knows.
#include "alm/service_def.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void check(void **state)
{
    const alm_service_def *const all[] = {&alm_service_gateway,   &alm_service_storage,
                                          &alm_service_ingestion, &alm_service_aggregation,
                                          &alm_service_health,    &alm_service_reflection};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        for (unsigned m = 0; m < all[i]->descriptor->n_methods; m++) {
            assert_string_equal(all[i]->methods[m].name, all[i]->descriptor->methods[m].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(check)};
    return cmocka_run_group_tests_name("services", tests, NULL, NULL);
}
