# For tests that run one almanacd of their own and go by what commands end with and say. Sourced with the folder of
# the programs as the first argument; the test is then in a folder that goes with it.
# shellcheck shell=bash
set -euo pipefail
bin=$1
umask 077
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}
expect() { # CODE WORDS COMMAND...
    local want=$1 words=$2 got=0 out
    shift 2
    out=$("$@" 2>&1) || got=$?
    [ "$got" -eq "$want" ] || fail "exit $got, want $want: $* : $out"
    [[ $out == *"$words"* ]] || fail "'$words' is not in: $out"
}
start_server() { # OPTION...: sets server and address; its log is the file log
    "$bin/almanacd" --data data --bind tcp://127.0.0.1:0 --http off "$@" 2>log &
    server=$!
    for _ in $(seq 200); do
        address=$(grep -o 'module=gateway address=tcp://[^ ]*' log | cut -d= -f3) || true
        [ -z "$address" ] || break
        sleep 0.05
    done
    [ -n "$address" ] || fail "no server: $(cat log)"
}
stop_server() {
    kill "$server"
    wait "$server" || fail "the server's exit"
    server=
}
