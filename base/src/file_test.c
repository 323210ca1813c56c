#include "alm/file.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void a_name_is_synced_by_its_folder(void **state)
{
    char deep[PATH_MAX + 8];
    (void)state;
    assert_int_equal(alm_file_sync_name("here"), 0);
    assert_int_equal(alm_file_sync_name("/tmp/here"), 0);
    assert_int_equal(alm_file_sync_name("/here"), 0);
    assert_int_equal(alm_file_sync_name("/no-such-folder/here"), ENOENT);
    assert_int_equal(alm_file_sync_name("/dev/null/here"), ENOTDIR);
    memset(deep, '/', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(alm_file_sync_name(deep), ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_name_is_synced_by_its_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
