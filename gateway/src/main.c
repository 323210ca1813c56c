#include "alm/gateway_module.h"
#include "alm/runner.h"

int main(int argc, char **argv)
{
    static const alm_module *const modules[] = {&alm_module_gateway, NULL};
    const alm_runner_opts opts = {
        .program = "almanac-gateway",
        .summary = "The public door: RPC for clients at --bind, probes and metrics at --http.",
        .modules = modules,
    };
    return alm_runner_main(&opts, argc, argv);
}
