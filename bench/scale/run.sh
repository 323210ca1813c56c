#!/usr/bin/env bash
# Simulates deployments of 1 to 64 workers with service times that were measured: see bench/README.md. Started by
# script/bench scale.
#   script/bench scale [--measure] [OPTION]...
# Prints a table; the status is 1 where the gateways and storage cannot keep 32 workers at work. --measure measures
# bench/scale/costs.csv anew first (script/bench query --where). Options are those of bench/scale/simulate.c.
set -euo pipefail
cd "$(dirname "$0")/../.."
costs=bench/scale/costs.csv
if [ "${1:-}" = --measure ]; then
    shift
    ./bench/query/run.sh --where --costs "$costs"
fi
./script/build release bench_simulate
build/release/bin/bench_simulate "$@" "$costs"
