// The conformance suite of rpc: every test runs over the transport named on the command line, so
// that what a caller may rely on does not depend on what carries the call.
//
//   conform_rpc loop|inproc|ipc|tcp|inproc+libzmq|ipc+libzmq|tcp+libzmq|loop+hop|tcp+hop
//
// With +hop what is asked of one server is asked of one that passes all calls on to it.
#include "world.h"

static const char *const schemes[] = {"loop",       "inproc",        "ipc",
                                      "tcp",        "inproc+libzmq", "ipc+libzmq",
                                      "tcp+libzmq", "loop+hop",      "tcp+hop"};

int main(int argc, char **argv)
{
    const char *scheme = NULL;
    for (size_t i = 0; i < ALM_ARRAY_LEN(schemes) && argc == 2; i++) {
        scheme = strcmp(argv[1], schemes[i]) == 0 ? schemes[i] : scheme;
    }
    if (scheme == NULL) {
        fprintf(stderr,
                "usage: conform_rpc loop|inproc|ipc|tcp|inproc+libzmq|ipc+libzmq|tcp+libzmq|"
                "loop+hop|tcp+hop\n");
        return 2;
    }
    const world_group groups[] = {conform_calls(),     conform_streams(), conform_stops(),
                                  conform_both_ways(), conform_events(),  conform_cluster(),
                                  conform_services(),  conform_auth(),    conform_looks(),
                                  conform_limits()};
    bool has_hop = strstr(scheme, "+hop") != NULL;
    int failed = 0;
    for (size_t i = 0; i < (has_hop ? 5 : ALM_ARRAY_LEN(groups)); i++) {
        struct CMUnitTest tests[64];
        assert_true(groups[i].count <= ALM_ARRAY_LEN(tests));
        memcpy(tests, groups[i].tests, groups[i].count * sizeof *tests);
        for (size_t j = 0; j < groups[i].count; j++) {
            tests[j].initial_state = (void *)(uintptr_t)scheme;
        }
        failed += _cmocka_run_group_tests(scheme, tests, groups[i].count, NULL, NULL);
    }
    return failed == 0 ? 0 : 1;
}
