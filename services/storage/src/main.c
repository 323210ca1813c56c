#include "alm/storage_module.h"
#include "alm/runner.h"

int main(int argc, char **argv)
{
    static const alm_module *const modules[] = {&alm_module_storage, NULL};
    const alm_runner_opts opts = {
        .program = "almanac-storage",
        .summary = "Keeps every vintage of every observation in the LMDB environment under --data.",
        .modules = modules,
    };
    return alm_runner_main(&opts, argc, argv);
}
