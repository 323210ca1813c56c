#!/usr/bin/env bash
# Our store against its peers in the same run: see bench/README.md. Started by script/bench store.
#   script/bench store [--scale S|M] [--order series|release] [--rounds N] [--peer NAME]... [--keep]
# Prints a table; --keep appends every figure to bench/results/store.ndjson with date and commit.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    echo "usage: script/bench store [--scale S|M] [--order series|release] [--rounds N] [--peer NAME]... [--keep]" >&2
    echo "peers: ${all_peers[*]}" >&2
    exit 2
}

# Every peer: its program and the option that sets it up.
all_peers=(sqlite postgres duckdb duckdb_two chdb chdb_tuned chdb_two almanac)
declare -A programs=(
    [sqlite]=store_sqlite_peer [postgres]=store_postgres_peer
    [duckdb]=store_duckdb_peer [duckdb_two]="store_duckdb_peer --two"
    [chdb]=store_chdb_peer [chdb_tuned]="store_chdb_peer --tuned" [chdb_two]="store_chdb_peer --two"
    [almanac]=store_almanac_peer)

# The table: case, whether more or less is better, whom ours is compared with, and the goal. A ratio is how
# many times better ours is; "value" has a goal for ours as it is, "districts" for ours to our districts.
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

# An engine that is a library within an npm package.
fetch() { # ENGINE PACKAGE VERSION
    local to=build/data/$1 work
    if [ -s "$to/lib$1.so" ] && [ "$(cat "$to/version" 2>/dev/null)" = "$3" ]; then
        return
    fi
    work=$(mktemp -d)
    if (cd "$work" && npm pack --silent "$2@$3" >pack.log 2>&1 && tar -xzf ./*.tgz "package/lib$1.so") &&
        mkdir -p "$to" && mv "$work/package/lib$1.so" "$to/"; then
        echo "$3" >"$to/version"
    else
        echo "bench: $1 is left out: the npm package $2 $3 could not be fetched" >&2
    fi
    rm -rf "$work"
}

./script/setup bench || echo "bench: going on with what is installed" >&2
./script/fetch-places
fetch duckdb @duckdb/node-bindings-linux-x64 1.5.6-r.1
fetch chdb @chdb/lib-linux-x64-gnu 26.7.3-stable.1
cmake --preset release -DALM_BENCH_STORE=ON >/dev/null
./script/build release bench_store
bin=$PWD/build/release/bin
results=$PWD/bench/results/store.ndjson
commit=$(git rev-parse --short HEAD)

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-store.XXXXXX")
server= # the data folder of a running PostgreSQL
stop() {
    stop_postgres
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM
if [ "$(stat -f -c %T "$work")" = tmpfs ]; then
    echo "bench: $work is in memory; set TMPDIR to a folder on a disk" >&2
    exit 1
fi
chmod 755 "$work" # PostgreSQL's server reads the files as another user

postgres_bin=$(ls -d /usr/lib/postgresql/15/bin 2>/dev/null || true)
as_postgres() { # COMMAND...: the server refuses to be root
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
    else
        "$@"
    fi
}

start_postgres() { # FOLDER: a cluster of its own, with its socket there. All that makes it durable is as by default
    if [ "$(id -u)" -eq 0 ]; then
        chown postgres "$1"
    fi
    as_postgres "$postgres_bin/initdb" -D "$1/data" -A trust -U postgres >"$work/initdb.log" 2>&1 || return 1
    cat >>"$1/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$1'
shared_buffers = 4GB
effective_cache_size = 12GB
work_mem = 256MB
maintenance_work_mem = 1GB
random_page_cost = 1.1
wal_level = minimal
max_wal_senders = 0
max_wal_size = 16GB
checkpoint_timeout = 1h
END
    server=$1/data
    as_postgres "$postgres_bin/pg_ctl" -D "$server" -w -l "$1/log" start >"$work/initdb.log" 2>&1
}

stop_postgres() {
    if [ -n "$server" ]; then
        as_postgres "$postgres_bin/pg_ctl" -D "$server" -m fast -w stop >/dev/null 2>&1 || true
        server=
    fi
}

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

take() { # ROUND: notes the lines of JSON on standard input
    local line
    while IFS= read -r line; do
        printf '%s\t%s\n' "$1" "$line" >>"$work/lines"
        if $keep; then
            printf '{"date":"%s","commit":"%s","scale":"%s","order":"%s","round":%s,%s\n' "$(date +%F)" \
                "$commit" "$scale" "$order" "$1" "${line#\{}" >>"$results"
        fi
    done
}

failed=false
run_peer() { # ROUND PEER: every command of one peer, each in a process of its own
    local folder=$work/$2 command peer_command command_words
    read -ra peer_command <<<"$bin/${programs[$2]}"
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
        if ! timeout -k 1 "$limit" "${peer_command[@]}" "$folder" "${command_words[@]}" \
            >"$work/out.log" 2>"$work/err.log"; then
            echo "bench: $2 failed: ${command_words[0]}" >&2
            tail -n 5 "$work/err.log" >&2
            failed=true
        fi
        take "$1" <"$work/out.log"
    done
    stop_postgres
    rm -rf "$folder"
    sync
}

is_there() { # PEER: or says why it is left out
    local program=${programs[$1]%% *}
    if [ "$1" = almanac ] && [ ! -x "$bin/$program" ]; then
        echo "bench: there is no $program yet: the peers run alone" >&2
    elif [ ! -x "$bin/$program" ]; then
        echo "bench: $1 is left out: its library is not here" >&2
    elif [ "$1" = postgres ] && [ -z "$postgres_bin" ]; then
        echo "bench: $1 is left out: PostgreSQL 15 is not installed" >&2
    else
        return 0
    fi
    return 1
}

# Every peer gives the same answers: what most say is taken for right.
compare_checks() {
    awk -F '\t' '
        function field(name,    m) {
            return match($2, "\"" name "\":\"[^\"]*\"") ? substr($2, RSTART + length(name) + 4, RLENGTH - length(name) - 5) : ""
        }
        {
            check = field("check"); key = $1 SUBSEP field("case")
            if (check == "") next
            if (++votes[key, check] > most[key]) { most[key] = votes[key, check]; right[key] = check }
            n++; peer[n] = field("peer"); where[n] = key; got[n] = check; name[n] = field("case")
        }
        END {
            for (i = 1; i <= n; i++)
                if (got[i] != right[where[i]]) {
                    printf "bench: %s answers %s otherwise: %s, most say %s\n", peer[i], name[i], got[i], right[where[i]]
                    bad = 1
                }
            exit bad
        }' "$work/lines" >&2
}

print_table() {
    printf '%s\n' "${rows[@]}" | awk -v lines="$work/lines" -v names="${all_peers[*]}" -v rounds="$rounds" '
        function field(text, name,    found) {
            if (!match(text, "\"" name "\":\"?[^\",}]*")) return ""
            found = substr(text, RSTART, RLENGTH)
            sub(/^"[a-z_0-9]*":"?/, "", found)
            return found
        }
        function median_of(peer, what,    list, n, r, i, j, t) {
            for (r = 1; r <= rounds; r++)
                if ((peer, what, r) in value) list[++n] = value[peer, what, r]
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
            return n == 0 ? "" : n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
        }
        function figure(x) {
            return x == "" ? "-" : sprintf(x < 10 ? "%.2f" : x < 1000 ? "%.1f" : "%.0f", x)
        }
        BEGIN {
            while ((getline line <lines) > 0) {
                split(line, part, "\t")
                what = field(part[2], "case"); peer = field(part[2], "peer")
                if (field(part[2], "value") == "") continue
                unit[what] = field(part[2], "unit"); seen[peer] = 1
                value[peer, what, part[1] + 0] = field(part[2], "value") / (unit[what] == "obs/s" ? 1000 : 1)
                if (unit[what] == "obs/s") unit[what] = "k obs/s"
            }
            n = split(names, all, " ")
            head = "| case | unit |"; rule = "|---|---|"
            for (i = 1; i <= n; i++)
                if (all[i] in seen) { head = head " " all[i] " |"; rule = rule "---|" }
            print head " best | ours to | ratio | goal | met |"
            print rule "---|---|---|---|---|"
        }
        {
            what = $1; is_more = $2 == "more"; whom = $3
            if (!(what in unit)) next
            best = ""; best_name = "-"; ours = median_of("almanac", what)
            line = "| `" what "` | " unit[what] " |"
            for (i = 1; i <= n; i++) {
                if (!(all[i] in seen)) continue
                m = median_of(all[i], what)
                line = line " " figure(m) " |"
                if (all[i] != "almanac" && m != "" && (best == "" || (is_more ? m > best : m < best))) { best = m; best_name = all[i] }
            }
            if (whom == "best") rival = best
            else if (whom == "districts") rival = median_of("almanac", "districts")
            else if (whom == "value") rival = 1
            else rival = median_of(whom, what)
            ratio = ours == "" || rival == "" ? "" : is_more || $4 == "<=" ? ours / rival : rival / ours
            met = ratio == "" || $4 == "" ? "-" : ($4 == ">=" ? ratio >= $5 + 0 : ratio <= $5 + 0) ? "yes" : "no"
            print line, best_name, "|", whom, "|", figure(ratio), "|", ($4 == "" ? "" : $4 " " $5), "|", met, "|"
        }'
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
