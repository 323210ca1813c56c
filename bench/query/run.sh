#!/usr/bin/env bash
# Whole questions, client to gateway to workers to storage and back, against the peers of bench/store in the same
# run: see bench/README.md. Started by script/bench query.
#   script/bench query [--scale S|M] [--rounds N] [--workers N] [--case NAME]... [--peer NAME]... [--keep]
#   script/bench query --where [--scale S|M] [--workers N] [--case NAME]... [--costs FILE]
# Prints a table; --keep appends every figure to bench/results/query.ndjson with date and commit. --where asks ours
# alone and tells what the services' own statistics say of each case; --costs writes of it what script/bench scale
# takes.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=bench/store/peers.sh
source bench/store/peers.sh
all_peers=(sqlite postgres postgres_tcp duckdb duckdb_two chdb chdb_tuned chdb_two almanac)

# As peers.sh has it. Ours is reached over loopback, so PostgreSQL is as well where its time is a goal.
# shellcheck disable=SC2034
rows=(
    "latest              less postgres_tcp <= 1.5"
    "latest              less postgres"
    "latest_p99          less postgres_tcp"
    "series              less postgres_tcp <= 1.5"
    "series              less postgres"
    "series_p99          less postgres_tcp"
    "clients             more best         >= 6"
    "rank                less best         >= 5"
    "rank_p99            less best"
    "rank_number         less best         >= 5"
    "rank_number_p99     less best"
    "towns_province      less best         >= 15"
    "towns_province_p99  less best"
    "towns_province_year less best         >= 5"
    "growth              less best         >= 8"
    "topten              less best         >= 8"
)
all_cases=(latest series clients rank rank_number towns_province towns_province_year growth topten)

usage() {
    echo "usage: script/bench query [--scale S|M] [--rounds N] [--workers N] [--case NAME]... [--peer NAME]... [--keep]" >&2
    echo "       script/bench query --where [--scale S|M] [--workers N] [--case NAME]... [--costs FILE]" >&2
    echo "cases: ${all_cases[*]}" >&2
    echo "peers: ${all_peers[*]}" >&2
    exit 2
}

scale=S
rounds=1
workers=2
keep=false
where=false
costs=
cases=()
peers=()
while [ $# -gt 0 ]; do
    case $1 in
    --keep) keep=true ;;
    --where) where=true ;;
    *)
        [ $# -ge 2 ] || usage
        case $1 in
        --scale) scale=$2 ;;
        --rounds) rounds=$2 ;;
        --workers) workers=$2 ;;
        --costs) costs=$2 ;;
        --case)
            [[ " ${all_cases[*]} " == *" $2 "* ]] || usage
            cases+=("$2")
            ;;
        --peer)
            [[ " ${all_peers[*]} " == *" $2 "* ]] || usage
            peers+=("$2")
            ;;
        *) usage ;;
        esac
        shift
        ;;
    esac
    shift
done
[ ${#cases[@]} -gt 0 ] || cases=("${all_cases[@]}")
[ ${#peers[@]} -gt 0 ] || peers=("${all_peers[@]}")
[[ $rounds =~ ^[1-9]$ && $workers =~ ^[1-9]$ ]] || usage
$where || [ -z "$costs" ] || usage
case $scale in # limit: seconds that any process may take
T) indicators=1 months=24 limit=300 ;; # to try out the benchmark itself
S) indicators=1 months=120 limit=900 ;;
M) indicators=10 months=120 limit=3600 ;;
*) usage ;;
esac

prepare bench_query
# shellcheck disable=SC2034
results=$PWD/bench/results/query.ndjson run_of="\"scale\":\"$scale\",\"workers\":$workers"
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-query.XXXXXX")
filled=$PWD/build/data/query/$scale # the peers' folders, kept from run to run
services=() service_names=()        # process ids, each of the timeout of a service
stop() {
    stop_services
    stop_postgres
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM
chmod 755 "$work" # PostgreSQL's server reads the files as another user
mkdir -p "$filled"
need_disk "$filled"

# --- the data --------------------------------------------------------------------------------------------------------

source_of() { # PEER: whose folder it asks
    echo "${1/postgres_tcp/postgres}"
}

data_of() { # PEER: what its folder is made from, as a digest
    local program=${programs[$1]%% *} files
    files=(build/data/places.csv bench/src/*.[ch] bench/store/generate.c bench/store/csv.c "bench/store/${program#store_}.c")
    if [ "$1" = almanac ]; then
        files+=(storage/include/alm/*.h storage/src/*.[ch] model/include/alm/*.h)
    fi
    cat "${files[@]}" | sha256sum
}

make_observations() {
    if [ ! -s "$work/observations.csv" ]; then
        echo "making the observations" >&2
        "$bin/store_generate" observations build/data/places.csv "$indicators" "$months" series >"$work/observations.csv"
        chmod 644 "$work/observations.csv"
    fi
}

# clients: latest and series by turns.
make_questions() {
    local wanted
    wanted=$(IFS='|' && echo "${cases[*]}")
    "$bin/store_generate" questions build/data/places.csv "$indicators" "$months" >"$work/all.csv"
    grep -E "^(case|$wanted)," "$work/all.csv" >"$work/questions.csv"
    {
        head -n 1 "$work/all.csv"
        paste -d '\n' <(grep '^latest,' "$work/all.csv" | head -n 1000) <(grep '^series,' "$work/all.csv" | head -n 1000)
    } >"$work/clients.csv"
}

start_server() { # PEER FOLDER: of PostgreSQL; its indexes are read as they would be after a while
    case $1 in
    postgres*)
        start_postgres "$2" 127.0.0.1 || return 1
        if [ -e "$2.data" ]; then
            as_postgres "$postgres_bin/psql" -q -h "$2" -p "$PGPORT" -d postgres \
                -c "SET client_min_messages = warning" -c "CREATE EXTENSION IF NOT EXISTS pg_prewarm" \
                -c "SELECT pg_prewarm(c.oid) FROM pg_class c WHERE relname IN ('by_period', 'observations_pkey')" >/dev/null
        fi
        ;;
    esac
}

fill() { # PEER: unless its folder is there and made from the same
    local folder=$filled/$1 data peer_command
    read -ra peer_command <<<"$bin/${programs[$1]}"
    data=$(data_of "$1")
    if [ "$(cat "$folder.data" 2>/dev/null)" = "$data" ]; then
        return
    fi
    make_observations
    echo "filling $1" >&2
    rm -rf "$folder" "$folder.data"
    mkdir "$folder"
    start_server "$1" "$folder" || return 1
    if timeout -k 1 "$limit" "${peer_command[@]}" "$folder" load "$work/observations.csv" >"$work/out.log" 2>"$work/err.log"; then
        echo "$data" >"$folder.data"
    else
        tail -n 5 "$work/err.log" >&2
    fi
    stop_postgres
    sync
    [ -e "$folder.data" ]
}

# --- our services ----------------------------------------------------------------------------------------------------

start_service() { # NAME LOG ARGUMENT...: sets address; returns when it serves, 1 when it does not
    local program=$bin/almanac-$1 log=$work/$2.log i
    pick_port
    address=tcp://127.0.0.1:$port
    timeout -k 5 "$limit" "$program" --bind "$address" --log-level warn "${@:3}" >"$log" 2>&1 &
    services+=("$!") service_names+=("$1")
    for ((i = 0; i < 300; i++)); do
        if "$program" --bind "$address" --health >/dev/null 2>&1; then
            return 0
        fi
        kill -0 "${services[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "bench: almanac-$1 does not serve" >&2
    tail -n 5 "$log" >&2
    return 1
}

start_services() { # sets addresses, by the name of the service
    local i workers_at=()
    declare -gA addresses=()
    start_service storage storage --data "$filled/almanac" || return 1
    addresses[storage]=$address
    start_service ingestion ingestion --storage "${addresses[storage]}" || return 1
    addresses[ingestion]=$address
    for ((i = 1; i <= workers; i++)); do
        start_service aggregation "aggregation$i" --storage "${addresses[storage]}" || return 1
        workers_at+=("$address")
    done
    addresses[aggregation]=$(IFS=, && echo "${workers_at[*]}")
    start_service gateway gateway --storage "${addresses[storage]}" --ingestion "${addresses[ingestion]}" \
        --aggregation "${addresses[aggregation]}" --http off || return 1
    export ALMANAC_ENDPOINT=$address
    addresses[gateway]=$address
}

stop_services() {
    local i
    for ((i = ${#services[@]} - 1; i >= 0; i--)); do
        kill -TERM "${services[i]}" 2>/dev/null || true
        wait "${services[i]}" 2>/dev/null || true
    done
    services=() service_names=()
}

# --- asking ----------------------------------------------------------------------------------------------------------

wants() { # CASE
    [[ " ${cases[*]} " == *" $1 "* ]]
}

ask() { # ROUND PEER FOLDER
    if [ "$(wc -l <"$work/questions.csv")" -gt 1 ]; then
        run_command "$1" "$2" "$3" ask "$work/questions.csv"
    fi
    case $2 in # those that are servers
    postgres* | almanac) ! wants clients || run_command "$1" "$2" "$3" clients "$work/clients.csv" ;;
    esac
}

run_peer() { # ROUND PEER
    local source folder
    source=$(source_of "$2")
    folder=$filled/$source
    echo "round $1 of $rounds: $2" >&2
    if [ "$2" = almanac ]; then
        start_services || exit 1
    else
        start_server "$source" "$folder" || exit 1
    fi
    ask "$1" "$2" "$folder"
    stop_services
    stop_postgres
}

# --- where the time goes ---------------------------------------------------------------------------------------------

# The services' statistics so far, by method: "NAME.METHOD BOUND COUNT" for each bucket of latency (bound in us; 0:
# none), and in place of a bound "us" and "bytes", summed up over its calls. Those of workers are added up later.
# What a process computed is the line "NAME.processor us COUNT".
statistics() {
    local i name address
    for ((i = 0; i < ${#services[@]}; i++)); do
        awk -v name="${service_names[i]}" '{ sum += $1 } END { printf "%s.processor us %.0f\n", name, sum / 1000 }' \
            "/proc/$(pgrep -P "${services[i]}")/task"/*/schedstat
    done
    for name in gateway aggregation storage; do
        for address in ${addresses[$name]//,/ }; do
            "$bin/almanac" rpc call --server "$address" almanac.internal.Stats/Get | awk -v name="$name" '
                function field(text, key) {
                    return match(text, "\"" key "\":\"[^\"]*\"") ? substr(text, RSTART + length(key) + 4, RLENGTH - length(key) - 5) : 0
                }
                BEGIN { RS = "{\"service\":\"" }
                tolower(substr($0, 1, index($0, "\"") - 1)) ~ name "$" {
                    method = name "." field($0, "method")
                    print method, "us", field($0, "latencyUsSum")
                    print method, "bytes", field($0, "bytesSent")
                    n = split(substr($0, index($0, "\"latency\":[")), bucket, "{")
                    for (i = 2; i <= n; i++) print method, field(bucket[i], "upToUs"), field(bucket[i], "count")
                }'
        done
    done
}

# A median is interpolated within its bucket, which may be wide; means are exact.
print_where() { # CASE
    awk -v what="$1" -v costs="${costs:-/dev/null}" '
        function median(method,    half, i, below, seen, n) {
            half = calls[method] / 2
            for (i = 1; i <= bound_count; i++) {
                n = count[method, bounds[i]]
                if (n > 0 && seen + n >= half)
                    return bounds[i] == 0 ? below : below + (bounds[i] - below) * (half - seen) / n
                seen += n; below = bounds[i]
            }
        }
        FNR == 1 { sign = FILENAME ~ /before$/ ? -1 : 1 }
        {
            if (!($1 in known)) { known[$1]; methods[++method_count] = $1 }
            if (($2 + 0) == $2 && !($2 in has_bound)) { has_bound[$2]; bounds[++bound_count] = $2 }
            count[$1, $2] += sign * $3
            if (($2 + 0) == $2) calls[$1] += sign * $3
        }
        END {
            asked = calls["gateway.Query"]
            for (i = 1; i <= method_count; i++) {
                m = methods[i]
                name = substr(m, 1, index(m, ".") - 1)
                if (m ~ /processor$/)
                    us_of[substr(name, 1, 7)] += count[m, "us"] / asked
                else {
                    calls_of[name] += calls[m] / asked
                    bytes_of[name] += count[m, "bytes"] / asked
                }
                if (m ~ /processor$/ && m !~ /^ingestion/)
                    printf "| `%s` | %s | | | | %.0f | |\n", what, m, count[m, "us"] / asked
                else if (calls[m] > 0)
                    printf "| `%s` | %s | %.2f | %.0f | %.0f | %.0f | %.0f |\n", what, m, calls[m] / asked, median(m),
                        count[m, "us"] / calls[m], count[m, "us"] / asked, count[m, "bytes"] / asked
            }
            # The workers are aggregation1, aggregation2 ..., whose calls are told together.
            printf "%s,%.3f,%.3f,%.1f,%.1f,%.1f,%.0f,%.0f\n", what, calls_of["aggregation"], calls_of["storage"],
                us_of["gateway"], us_of["aggrega"], us_of["storage"], bytes_of["storage"], bytes_of["gateway"] >>costs
        }' "$work/before" "$work/after"
}

tell_where() {
    local one TIMEFORMAT='%3U %3S'
    if [ -n "$costs" ]; then
        echo "case,parts,reads,gateway_us,worker_us,storage_us,read_bytes,answer_bytes" >"$costs"
    fi
    start_services || exit 1
    echo "| case | hop | calls a question | median us | mean us | us a question | bytes a question |"
    echo "|---|---|---|---|---|---|---|"
    for one in "${cases[@]}"; do
        statistics >"$work/before"
        if [ "$one" = clients ]; then
            { time run_command 1 almanac "$filled/almanac" clients "$work/clients.csv"; } 2>"$work/client"
        else
            grep -E "^(case|$one)," "$work/all.csv" >"$work/one.csv"
            { time run_command 1 almanac "$filled/almanac" time "$work/one.csv"; } 2>"$work/client"
        fi
        awk 'END { print "client.processor us", ($1 + $2) * 1e6 }' "$work/client" >"$work/after"
        statistics >>"$work/after"
        sed -n "s/.*\"value\":\([0-9.]*\),\"unit\":\"\([^\"]*\)\".*/| \`$one\` | client | | \1 \2 | | | |/p" "$work/out.log"
        print_where "$one"
    done
    stop_services
}

# --- the run ---------------------------------------------------------------------------------------------------------

if $where; then
    peers=(almanac)
    keep=false
fi
make_questions
ready=()
for peer in "${peers[@]}"; do
    if is_there "$peer" && fill "$(source_of "$peer")"; then
        ready+=("$peer")
    fi
done
rm -f "$work/observations.csv"
programs[almanac]=query_gateway_peer # from here on ours is asked as its users ask it
: >"$work/lines"
if $where; then
    tell_where
    exit
fi
for ((round = 1; round <= rounds; round++)); do
    for peer in "${ready[@]}"; do
        run_peer "$round" "$peer"
    done
done
echo "scale $scale, $workers workers, $rounds rounds"
print_table
compare_checks || failed=true
if $failed; then
    exit 1
fi
