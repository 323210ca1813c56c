#!/usr/bin/env bash
# Backup of a running almanac, verify and restore without one, and the same answers from what was restored.
#   backup.sh BIN EXAMPLES
set -euo pipefail
examples=$(cd "$2/changning" && pwd)
# shellcheck source=tests/integration/one_server.sh
source "$(dirname "$0")/one_server.sh" "$1"

almanac() {
    "$bin/almanac" --lang en "$@"
}
fill() {
    for kind in indicators places sources; do
        almanac catalog "$kind" load "$examples/$kind.csv" >/dev/null
    done
    almanac import "$examples/observations-2023.csv" >/dev/null
}
answers() {
    almanac catalog places -o csv
    almanac query '*' --place '310105' --period 2015..2025 --measure '*' -o csv
}

# shellcheck disable=SC2119 # its options are not the script's arguments
start_server
export ALMANAC_ENDPOINT=$address
fill
answers >before
[ "$(wc -l <before)" -gt 20 ] || fail "too little was imported: $(cat before)"

expect 0 'current values' almanac backup one.backup
[ -z "$(ls one.backup.part* 2>/dev/null)" ] || fail "a part of one.backup was left behind"
expect 0 '"hash":"' almanac backup -o json one.backup # in place of the first
expect 3 'nowhere' almanac backup nowhere/one.backup
expect 1 'open in another process' almanac verify data
expect 0 'clean' almanac verify
stop_server

expect 0 'records' almanac verify one.backup
expect 0 'clean' almanac verify data
expect 0 'current values' almanac restore one.backup restored
expect 1 'is not empty' almanac restore one.backup restored
expect 0 'clean' almanac verify restored

expect 0 'rows lost' almanac verify --rebuild restored
expect 0 'clean' almanac verify restored
expect 1 'move it away' almanac verify --rebuild restored
expect 2 'needs DIR' almanac verify --rebuild
expect 3 'no store is there' almanac verify --rebuild .

# Cut short, and one byte changed.
head -c -1 one.backup >short.backup
expect 5 'cut short' almanac verify short.backup
expect 5 'cut short' almanac restore short.backup other
cp one.backup changed.backup
printf 'x' | dd of=changed.backup bs=1 seek=2000 conv=notrunc status=none
expect 5 'damaged' almanac verify changed.backup
expect 5 'damaged' almanac restore changed.backup other
[ ! -e other/data.mdb ] || fail "a damaged backup left a store"
expect 3 'nowhere' almanac verify nowhere
expect 5 'not a backup' almanac verify before

mv data lost
mv restored data
# shellcheck disable=SC2119
start_server
export ALMANAC_ENDPOINT=$address
answers >after
cmp before after || fail "what was restored answers otherwise"
fill # again: all of it is known
expect 0 'clean' almanac verify
stop_server
echo "backup.sh: ok"
