// Goal: the method tables say of every method of every descriptor whether it streams, in the
// descriptor's order. Method: compare names one by one, and the counts the compiler knows.
#include "alm/method_types.h"
#include "alm/service_def.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void methods_are_as_described(void **state)
{
    const alm_service_def *const all[] = {&alm_service_gateway,   &alm_service_storage,
                                          &alm_service_ingestion, &alm_service_aggregation,
                                          &alm_service_health,    &alm_service_reflection,
                                          &alm_service_stats};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        for (unsigned m = 0; m < all[i]->descriptor->n_methods; m++) {
            assert_string_equal(all[i]->methods[m].name, all[i]->descriptor->methods[m].name);
        }
    }
}

static void types_are_each_there_once(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *types[ALM_METHOD_TYPE_COUNT_MAX];
    size_t count = alm_method_types(types);
    const ProtobufCMethodDescriptor *check = &alm_service_health.descriptor->methods[0];
    size_t inputs = 0, outputs = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(types[i] != check->input || outputs == 0); // requests come first
        inputs += types[i] == check->input;
        outputs += types[i] == check->output;
    }
    assert_int_equal(inputs, 1);
    assert_int_equal(outputs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(methods_are_as_described),
                                       cmocka_unit_test(types_are_each_there_once)};
    return cmocka_run_group_tests_name("services", tests, NULL, NULL);
}
