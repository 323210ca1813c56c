# shellcheck shell=bash
# The peers of the benchmarks of the store and of questions, and what both do with them. Sourced by their run.sh,
# which set: work (a folder), limit (seconds that a process may take), rounds, keep, results (a file), run_of, rows
# (of the table) and all_peers.
#
# A row of the table: case, whether more or less is better, whom ours is compared with, and the goal. A ratio is
# how many times better ours is, or with <= how many times ours is theirs. "best" is the best peer, "value" has a
# goal for ours as it is, "districts" for ours to our districts. CASE_p99 is the 99th percentile of a case.

# Every peer: its program and the option that sets it up.
declare -A programs=(
    [sqlite]=store_sqlite_peer
    [postgres]=store_postgres_peer [postgres_tcp]="store_postgres_peer --tcp"
    [duckdb]=store_duckdb_peer [duckdb_two]="store_duckdb_peer --two"
    [chdb]=store_chdb_peer [chdb_tuned]="store_chdb_peer --tuned" [chdb_two]="store_chdb_peer --two"
    [almanac]=store_almanac_peer)

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

prepare() { # TARGET: what the peers need, and the build; sets bin and commit
    ./script/setup bench || echo "bench: going on with what is installed" >&2
    ./script/fetch-places
    fetch duckdb @duckdb/node-bindings-linux-x64 1.5.6-r.1
    fetch chdb @chdb/lib-linux-x64-gnu 26.7.3-stable.1
    cmake --preset release -DALM_BENCH_STORE=ON >/dev/null
    ./script/build release "$1"
    bin=$PWD/build/release/bin
    commit=$(git rev-parse --short HEAD)
}

need_disk() { # FOLDER
    if [ "$(stat -f -c %T "$1")" = tmpfs ]; then
        echo "bench: $1 is in memory; set TMPDIR to a folder on a disk" >&2
        exit 1
    fi
}

port=$((20000 + RANDOM % 12000))
pick_port() { # sets port to one of loopback that nobody uses
    while port=$((port + 1)) && (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
}

server= # the data folder of a running PostgreSQL
postgres_bin=$(ls -d /usr/lib/postgresql/15/bin 2>/dev/null || true)
as_postgres() { # COMMAND...: the server refuses to be root
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
    else
        "$@"
    fi
}

make_cluster() { # FOLDER. All that makes it durable is as by default
    if [ "$(id -u)" -eq 0 ]; then
        chown postgres "$1"
    fi
    as_postgres "$postgres_bin/initdb" -D "$1/data" -A trust -U postgres >"$work/initdb.log" 2>&1 || return 1
    cat >>"$1/data/postgresql.conf" <<END
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
}

start_postgres() { # FOLDER [ADDRESS]: a cluster of its own, with its socket there; its port is PGPORT
    [ -d "$1/data" ] || make_cluster "$1" || return 1
    pick_port
    export PGPORT=$port
    server=$1/data
    as_postgres "$postgres_bin/pg_ctl" -D "$server" -o "-p $port -c listen_addresses=${2-}" -w -l "$1/log" start >"$work/initdb.log" 2>&1
}

stop_postgres() {
    if [ -n "$server" ]; then
        as_postgres "$postgres_bin/pg_ctl" -D "$server" -m fast -w stop >/dev/null 2>&1 || true
        server=
    fi
}

take() { # ROUND: notes the lines of JSON on standard input. run_of tells of the run, in JSON, for the results
    local line
    while IFS= read -r line; do
        printf '%s\t%s\n' "$1" "$line" >>"$work/lines"
        if $keep; then
            printf '{"date":"%s","commit":"%s",%s,"round":%s,%s\n' "$(date +%F)" "$commit" "$run_of" "$1" \
                "${line#\{}" >>"$results"
        fi
    done
}

failed=false
run_command() { # ROUND PEER FOLDER COMMAND...: in a process of its own; takes its lines
    local round=$1 peer=$2 peer_command
    read -ra peer_command <<<"$bin/${programs[$2]}"
    if ! timeout -k 1 "$limit" "${peer_command[@]}" "${@:3}" >"$work/out.log" 2>"$work/err.log"; then
        echo "bench: $peer failed: $4" >&2
        tail -n 5 "$work/err.log" >&2
        failed=true
    fi
    take "$round" <"$work/out.log"
}

is_there() { # PEER: or says why it is left out
    local program=${programs[$1]%% *}
    if [ "$1" = almanac ] && [ ! -x "$bin/$program" ]; then
        echo "bench: there is no $program yet: the peers run alone" >&2
    elif [ ! -x "$bin/$program" ]; then
        echo "bench: $1 is left out: its library is not here" >&2
    elif [ "$program" = store_postgres_peer ] && [ -z "$postgres_bin" ]; then
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

print_table() { # of the lines that were taken, for each of rows
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
                if (field(part[2], "p99") != "") {
                    value[peer, what "_p99", part[1] + 0] = field(part[2], "p99") + 0; unit[what "_p99"] = unit[what]
                }
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
