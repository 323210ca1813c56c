#include "alm/aggregation_module.h"
#include "alm/runner.h"

int main(int argc, char **argv)
{
    static const alm_module *const modules[] = {&alm_module_aggregation, NULL};
    const alm_runner_opts opts = {
        .program = "almanac-aggregation",
        .summary = "A stateless worker: growth, rank, share, roll-up and targets, from storage.",
        .modules = modules,
    };
    return alm_runner_main(&opts, argc, argv);
}
