#!/usr/bin/env bash
# Limits from the command line, the environment and the file to a service, and what a client hears.
#   limits.sh BIN
set -euo pipefail
bin=$1
umask 077
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "limits.sh: $*" >&2
    exit 1
}
expect() { # CODE WORDS COMMAND...
    local want=$1 words=$2 got=0 out
    shift 2
    out=$("$@" 2>&1) || got=$?
    [ "$got" -eq "$want" ] || fail "exit $got, want $want: $* : $out"
    [[ $out == *"$words"* ]] || fail "'$words' is not in: $out"
}
codes() { # COUNT: so many codes of indicators
    seq -s, -f 'code%g' "$1"
}

printf 'rpc-message-bytes-max = 64k\nrpc-element-count-max = 7\n' >settings
export ALMANAC_CONFIG=settings ALMANAC_RPC_ELEMENT_COUNT_MAX=200
expect 2 'rpc-peer-count-max' "$bin/almanacd" --rpc-peer-count-max 0
expect 0 'rpc-stream-count-max = 9' "$bin/almanacd" --rpc-stream-count-max 9 --print-config
expect 0 'rpc-element-count-max = 200' "$bin/almanacd" --print-config
expect 0 'rpc-message-bytes-max = 64k' "$bin/almanacd" --print-config

"$bin/almanacd" --data data --bind tcp://127.0.0.1:0 --http off 2>log &
server=$!
unset ALMANAC_CONFIG ALMANAC_RPC_ELEMENT_COUNT_MAX
for _ in $(seq 200); do
    address=$(grep -o 'module=gateway address=tcp://[^ ]*' log | cut -d= -f3) || true
    [ -z "$address" ] || break
    sleep 0.05
done
[ -n "$address" ] || fail "no server: $(cat log)"
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
kill "$server"
wait "$server" || fail "the server's exit"
server=
echo "limits.sh: ok"
