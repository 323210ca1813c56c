# Sourced by the integration tests: starts Almanac in one of its two shapes and asks it.
#
#   services_start SHAPE BIN WORKERS    SHAPE: almanacd (one process) or split (one process a service)
#   almanac ARGUMENT...                 the command line, against what was started
#
# Everything listens on sockets in a folder of its own, so that tests can run side by side. Only processes
# started here are ended, by pid, and never with a wait that has no end.
# shellcheck shell=bash

work=$(mktemp -d)
declare -A pids=() # name -> pid
failures=0
cases=0

service_address() { echo "ipc://$work/$1.sock"; }

# service_spawn NAME BINARY ARGUMENT...
service_spawn() {
    local name=$1
    shift
    "$@" >>"$work/$name.log" 2>&1 &
    pids[$name]=$!
}

service_wait() { # NAME BINARY: until it serves
    local i
    for ((i = 0; i < 300; i++)); do
        if "$2" --health --bind "$(service_address "$1")" 2>/dev/null; then
            return 0
        fi
        kill -0 "${pids[$1]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "$1 did not start:" >&2
    tail -n 20 "$work/$1.log" >&2
    return 1
}

storage_start() {
    service_spawn storage "$bin/almanac-storage" --bind "$(service_address storage)" --data "$work/data"
    service_wait storage "$bin/almanac-storage"
}

worker_start() { # NUMBER
    service_spawn "aggregation$1" "$bin/almanac-aggregation" --bind "$(service_address "aggregation$1")" \
        --storage "$(service_address storage)"
    service_wait "aggregation$1" "$bin/almanac-aggregation"
}

services_start() { # SHAPE BIN WORKERS
    shape=$1
    bin=$2
    local workers=${3:-1} i list=
    mkdir -p "$work/data"
    export ALMANAC_ENDPOINT
    ALMANAC_ENDPOINT=$(service_address gateway)
    if [ "$shape" = almanacd ]; then
        service_spawn gateway "$bin/almanacd" --bind "$ALMANAC_ENDPOINT" --data "$work/data" \
            --http 127.0.0.1:0
        service_wait gateway "$bin/almanacd"
        return
    fi
    storage_start || return 1
    service_spawn ingestion "$bin/almanac-ingestion" --bind "$(service_address ingestion)" \
        --storage "$(service_address storage)"
    service_wait ingestion "$bin/almanac-ingestion" || return 1
    for ((i = 1; i <= workers; i++)); do
        worker_start "$i" || return 1
        list+=${list:+,}$(service_address "aggregation$i")
    done
    service_spawn gateway "$bin/almanac-gateway" --bind "$ALMANAC_ENDPOINT" --http 127.0.0.1:0 \
        --storage "$(service_address storage)" --ingestion "$(service_address ingestion)" \
        --aggregation "$list"
    service_wait gateway "$bin/almanac-gateway"
}

http_url() {
    echo "http://127.0.0.1:$(sed -n 's/.*event=http\.ready port=\([0-9]*\).*/\1/p' "$work/gateway.log" | tail -n 1)"
}

service_end() { # NAME SIGNAL: ends it, answers its exit code
    local pid=${pids[$1]} code=0
    kill "-$2" "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || code=$?
    unset "pids[$1]"
    return $code
}

services_clean() {
    local name
    for name in "${!pids[@]}"; do
        service_end "$name" KILL || true
    done
    rm -rf "$work"
}
trap services_clean EXIT

almanac() { "$bin/almanac" "$@"; }

# --- checks: each says what it looked at --------------------------------------------------------------

check() { # TEXT GOT WANT
    cases=$((cases + 1))
    if [ "$2" = "$3" ]; then
        echo "ok    $1: $2"
    else
        failures=$((failures + 1))
        echo "FAIL  $1: got '$2', want '$3'"
    fi
}
check_holds() { # TEXT HAYSTACK NEEDLE
    cases=$((cases + 1))
    if [[ $2 == *"$3"* ]]; then
        echo "ok    $1: holds '$3'"
    else
        failures=$((failures + 1))
        echo "FAIL  $1: no '$3' in: $2"
    fi
}
check_code() { # TEXT WANT COMMAND...: exit code; what it prints goes to $work/out and $work/err
    local text=$1 want=$2 code=0
    shift 2
    "$@" >"$work/out" 2>"$work/err" || code=$?
    check "$text: exit code" "$code" "$want"
    if [ "$code" != "$want" ]; then
        tail -n 5 "$work/err"
    fi
}

# The named columns of each row of a CSV answer on stdin, with '|' between. Quoted fields are understood.
columns() { # NAME...
    awk -v names="$*" '
        function split_csv(line, out,    i, c, n, quoted, field) {
            n = 0; field = ""; quoted = 0
            for (i = 1; i <= length(line); i++) {
                c = substr(line, i, 1)
                if (quoted) {
                    if (c != "\"") { field = field c }
                    else if (substr(line, i + 1, 1) == "\"") { field = field c; i++ }
                    else { quoted = 0 }
                } else if (c == "\"") { quoted = 1 }
                else if (c == ",") { out[++n] = field; field = "" }
                else { field = field c }
            }
            out[++n] = field
            return n
        }
        { sub(/\r$/, ""); count = split_csv($0, cell) }
        NR == 1 { for (i = 1; i <= count; i++) { at[cell[i]] = i }; wanted = split(names, name, " "); next }
        {
            line = ""
            for (i = 1; i <= wanted; i++) {
                line = line (i > 1 ? "|" : "") (name[i] in at ? cell[at[name[i]]] : "<no column " name[i] ">")
            }
            print line
        }'
}
ask() { # COLUMNS QUERY-ARGUMENT...: columns are given in one word with commas
    local wanted=${1//,/ }
    shift
    # shellcheck disable=SC2086  # a list of names
    almanac "$@" --output csv 2>"$work/err" | columns $wanted
}

report() {
    echo "$cases checks, $failures failed"
    [ "$failures" = 0 ]
}
