// almanacd: every service in one process, meeting over inproc. For a laptop, for tests and for
// small offices; the separate binaries are the same modules.
#include "alm/aggregation_module.h"
#include "alm/gateway_module.h"
#include "alm/ingestion_module.h"
#include "alm/runner.h"
#include "alm/storage_module.h"

int main(int argc, char **argv)
{
    static const alm_module *const modules[] = {&alm_module_storage, &alm_module_ingestion,
                                                &alm_module_aggregation, &alm_module_gateway, NULL};
    const alm_runner_opts opts = {
        .program = "almanacd",
        .summary = "The whole of Almanac in one process. Clients connect to --bind; data live in "
                   "--data.",
        .modules = modules,
        .in_process_door = "gateway",
    };
    return alm_runner_main(&opts, argc, argv);
}
