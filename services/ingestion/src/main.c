#include "alm/ingestion_module.h"
#include "alm/runner.h"

int main(int argc, char **argv)
{
    static const alm_module *const modules[] = {&alm_module_ingestion, NULL};
    const alm_runner_opts opts = {
        .program = "almanac-ingestion",
        .summary =
            "Checks files of observations and catalogue entries and commits them to storage.",
        .modules = modules,
    };
    return alm_runner_main(&opts, argc, argv);
}
