// The conformance suite of storage: every case runs over the engine named on the command line, so
// that what a caller may rely on does not depend on what keeps the store. What needs a folder
// (opening, damage, locks) is tested beside the LMDB engine.
//
//   conform_storage lmdb|memory
#include "store_world.h"

typedef struct engine_row {
    const char *name;
    const alm_engine *engine;
} engine_row;

static const engine_row engines[] = {{"lmdb", &alm_engine_lmdb}, {"memory", &alm_engine_memory}};

static const engine_row *find_engine(const char *name)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(engines); i++) {
        if (strcmp(engines[i].name, name) == 0) {
            return &engines[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const engine_row *row = argc == 2 ? find_engine(argv[1]) : NULL;
    if (row == NULL) {
        fprintf(stderr, "usage: conform_storage lmdb|memory\n");
        return 2;
    }
    const store_group groups[] = {conform_commits(),   conform_malformed(), conform_winners(),
                                  conform_selection(), conform_vectors(),   conform_totals(),
                                  conform_visitors(),  conform_entries(),   conform_feed(),
                                  conform_retention(), conform_finding(),   conform_callers()};
    int failed = 0;
    for (size_t i = 0; i < ALM_ARRAY_LEN(groups); i++) {
        struct CMUnitTest tests[64];
        assert_true(groups[i].count <= ALM_ARRAY_LEN(tests));
        memcpy(tests, groups[i].tests, groups[i].count * sizeof *tests);
        for (size_t j = 0; j < groups[i].count; j++) {
            tests[j].initial_state =
                (void *)(uintptr_t)row->engine; // cmocka wants it without const
        }
        failed += _cmocka_run_group_tests(groups[i].name, tests, groups[i].count, NULL, NULL);
    }
    return failed == 0 ? 0 : 1;
}
