#!/usr/bin/env bash
# Limits from the command line, the environment and the file to a service, and what a client hears.
#   limits.sh BIN
set -euo pipefail
# shellcheck source=tests/integration/one_server.sh
source "$(dirname "$0")/one_server.sh" "$1"
codes() { # COUNT: so many codes of indicators
    seq -s, -f 'code%g' "$1"
}

printf 'rpc-message-bytes-max = 64k\nrpc-element-count-max = 7\n' >settings
export ALMANAC_CONFIG=settings ALMANAC_RPC_ELEMENT_COUNT_MAX=200
expect 2 'rpc-peer-count-max' "$bin/almanacd" --rpc-peer-count-max 0
expect 0 'rpc-stream-count-max = 9' "$bin/almanacd" --rpc-stream-count-max 9 --print-config
expect 0 'rpc-element-count-max = 200' "$bin/almanacd" --print-config
expect 0 'rpc-message-bytes-max = 64k' "$bin/almanacd" --print-config

# shellcheck disable=SC2119 # its options are not the script's arguments
start_server
unset ALMANAC_CONFIG ALMANAC_RPC_ELEMENT_COUNT_MAX
export ALMANAC_ENDPOINT=$address

ask=(--place 310105 --period 2023) # two more elements, and what the client adds
expect 3 'unknown place' "$bin/almanac" query "$(codes 150)" "${ask[@]}"
expect 4 'elements pass the limit of 200' "$bin/almanac" query "$(codes 250)" "${ask[@]}"

{
    echo 'indicator,place,period,value,unit'
    seq -f 'gdp,310105,2023,%g,CNY' 5000
} >large.csv
[ "$(stat -c %s large.csv)" -gt 65536 ] || fail "large.csv is not large"
expect 4 'takes 65536' "$bin/almanac" import large.csv
stop_server
echo "limits.sh: ok"
