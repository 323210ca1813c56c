#!/usr/bin/env bash
# Our store against its peers in the same run: see bench/README.md. Started by script/bench store.
#   script/bench store [--scale S|M] [--order series|release] [--rounds N] [--peer NAME]... [--keep]
# Prints a table; --keep appends every figure to bench/results/store.ndjson with date and commit.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=bench/store/peers.sh
source bench/store/peers.sh
all_peers=(sqlite postgres duckdb duckdb_two chdb chdb_tuned chdb_two almanac)

usage() {
    echo "usage: script/bench store [--scale S|M] [--order series|release] [--rounds N] [--peer NAME]... [--keep]" >&2
    echo "peers: ${all_peers[*]}" >&2
    exit 2
}

# shellcheck disable=SC2034
rows=(
    "load                more best      >= 1.2"
    "load_merged         more best"
    "bytes               less best"
    "bytes               less value     <= 3.0"
    "bytes_layout        less value     <= 1.5"
    "release             less best      >= 5"
    "latest              less sqlite    >= 10"
    "series              less sqlite    >= 10"
    "districts           less best      >= 30"
    "rank                less best"
    "towns_province      less best      >= 100"
    "towns_province_year less best      >= 3"
    "growth              less best      >= 20"
    "topten              less best"
    "place               less best"
    "asof                less best"
    "asof                less districts <= 3"
)

scale=S
order=series
rounds=1
keep=false
peers=()
while [ $# -gt 0 ]; do
    if [ "$1" = --keep ]; then
        keep=true
        shift
        continue
    fi
    [ $# -ge 2 ] || usage
    case $1 in
    --scale) scale=$2 ;;
    --order) order=$2 ;;
    --rounds) rounds=$2 ;;
    --peer)
        [ -n "${programs[$2]-}" ] || usage
        peers+=("$2")
        ;;
    *) usage ;;
    esac
    shift 2
done
[ ${#peers[@]} -gt 0 ] || peers=("${all_peers[@]}")
[[ $rounds =~ ^[1-9][0-9]*$ && $order =~ ^(series|release)$ ]] || usage
case $scale in # limit: seconds that any process may take
T) indicators=1 months=24 limit=300 ;; # to try out the benchmark itself
S) indicators=1 months=120 limit=900 ;;
M) indicators=10 months=120 limit=3600 ;;
*) usage ;;
esac
release_count=9

prepare bench_store
results=$PWD/bench/results/store.ndjson
run_of="\"scale\":\"$scale\",\"order\":\"$order\""

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-store.XXXXXX")
stop() {
    stop_postgres
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM
need_disk "$work"
chmod 755 "$work" # PostgreSQL's server reads the files as another user

generate() {
    local places=build/data/places.csv i
    echo "making the files" >&2
    "$bin/store_generate" observations "$places" "$indicators" "$months" "$order" >"$work/observations.csv"
    "$bin/store_generate" revisions "$places" "$months" >"$work/revisions.csv"
    "$bin/store_generate" questions "$places" "$indicators" "$months" >"$work/questions"
    grep -v '^asof,' "$work/questions" >"$work/questions.csv"
    grep -E '^(case|asof),' "$work/questions" >"$work/questions_asof.csv"
    for ((i = 0; i < release_count; i++)); do
        "$bin/store_generate" release "$places" $((i % indicators)) $((months + 1 + i / indicators)) \
            >"$work/release$i.csv"
    done
    chmod 644 "$work"/*.csv
    sync
}

run_peer() { # ROUND PEER: every command of one peer
    local folder=$work/$2 command command_words
    echo "round $1 of $rounds: $2" >&2
    mkdir "$folder"
    if [ "$2" = postgres ] && ! start_postgres "$folder"; then
        tail -n 5 "$work/initdb.log" >&2
        echo "bench: $2 is left out: its server does not start" >&2
        stop_postgres
        rm -rf "$folder"
        return
    fi
    for command in "load $work/observations.csv" bytes "ask $work/questions.csv" "revise $work/revisions.csv" \
        "ask $work/questions_asof.csv" "release $(echo "$work"/release?.csv)"; do
        read -ra command_words <<<"$command"
        run_command "$1" "$2" "$folder" "${command_words[@]}"
    done
    stop_postgres
    rm -rf "$folder"
    sync
}

generate
ready=()
for peer in "${peers[@]}"; do
    if is_there "$peer"; then
        ready+=("$peer")
    fi
done
: >"$work/lines"
for ((round = 1; round <= rounds; round++)); do
    for peer in "${ready[@]}"; do
        run_peer "$round" "$peer"
    done
done
echo "scale $scale: $(($(wc -l <"$work/observations.csv") - 1)) observations in the order of ${order}, $rounds rounds"
print_table
compare_checks || failed=true
if $failed; then
    exit 1
fi
