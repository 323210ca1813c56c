#!/usr/bin/env bash
# Our calls against gRPC C++ in the same run, alternating: see bench/README.md. Started by script/bench rpc.
#   script/bench rpc [--rounds N] [--seconds S] [--case NAME]...
# Prints a table and appends every figure to bench/results/rpc.ndjson with date and commit.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=5
seconds=3
only=()
usage() {
    echo "usage: script/bench rpc [--rounds N] [--seconds S] [--case NAME]..." >&2
    exit 2
}
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --case) only+=("$2") ;;
    *) usage ;;
    esac
    shift 2
done
[[ $rounds =~ ^[1-9][0-9]*$ && $seconds =~ ^[1-9][0-9]*$ ]] || usage

# Every case and transport: how gRPC is set up (SERVER OPTIONS/CLIENT OPTIONS, each tried in every round) and
# which of our variants are measured.
calls='/ /--bidi --callback/--bidi'
streams='/ /--sync'
bulk='/ /--sync --hint/'
cases=(
    "unary64x64   tcp    | $calls   | plain hop curve"
    "unary64x512  tcp    | $calls   | plain hop curve"
    "unary4096x64 tcp    | $calls   | plain hop curve"
    "clients8x8   tcp    | $calls   | plain hop curve"
    "stream64     tcp    | $streams | plain hop curve"
    "stream65536  tcp    | $bulk | plain hop curve"
    "stream65536  ipc    | $bulk | plain"
    "lone         tcp    | $calls   | plain hop curve"
    "lone         ipc    | $calls   | plain"
    "lone         inproc | $calls   | plain"
)
# The table: our case, transport and variant; gRPC's case and transport; the goal for ours/gRPC.
rows=(
    "unary64x64   tcp    plain | unary64x64   tcp    | >= 6"
    "unary64x64   tcp    hop   | unary64x64   tcp    | >= 4"
    "unary64x64   tcp    curve | unary64x64   tcp    | >= 5"
    "unary64x512  tcp    plain | unary64x512  tcp    | >= 40"
    "unary64x512  tcp    hop   | unary64x512  tcp    | >= 25"
    "unary64x512  tcp    curve | unary64x512  tcp    |"
    "unary4096x64 tcp    plain | unary4096x64 tcp    | >= 3"
    "unary4096x64 tcp    hop   | unary4096x64 tcp    | >= 1.2"
    "unary4096x64 tcp    curve | unary4096x64 tcp    |"
    "clients8x8   tcp    plain | clients8x8   tcp    | >= 4"
    "clients8x8   tcp    hop   | clients8x8   tcp    | >= 2.5"
    "clients8x8   tcp    curve | clients8x8   tcp    |"
    "stream64     tcp    plain | stream64     tcp    | >= 70"
    "stream64     tcp    hop   | stream64     tcp    | >= 35"
    "stream64     tcp    curve | stream64     tcp    |"
    "stream65536  tcp    plain | stream65536  tcp    | >= 0.9"
    "stream65536  ipc    plain | stream65536  ipc    | >= 0.9"
    "stream65536  tcp    hop   | stream65536  tcp    |"
    "stream65536  tcp    curve | stream65536  tcp    |"
    "lone         tcp    plain | lone         tcp    | <= 2"
    "lone         ipc    plain | lone         ipc    | <= 2"
    "lone         inproc plain | lone         tcp    | <= 0.7"
    "lone         inproc plain | lone         inproc |"
    "lone         tcp    hop   | lone         tcp    |"
    "lone         tcp    curve | lone         tcp    |"
    "lone_p99     tcp    plain | lone_p99     tcp    |"
    "lone_p99     ipc    plain | lone_p99     ipc    |"
    "lone_p99     inproc plain | lone_p99     inproc |"
)

./script/setup bench
cmake --preset release -DALM_BENCH_RPC=ON >/dev/null
./script/build release bench_rpc
bin=build/release/bin
results=bench/results/rpc.ndjson
mkdir -p bench/results
commit=$(git rev-parse --short HEAD)
work=$(mktemp -d)
export ALMANAC_BENCH_KEY=$work/key # of both ends, encrypted
pids=()
limit=$((seconds * 2 + 15)) # seconds that any process may take

stop_peers() {
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        kill -TERM "${pids[i]}" 2>/dev/null || true
        wait "${pids[i]}" 2>/dev/null || true
    done
    pids=()
}
trap 'stop_peers; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

count=0
pick_address() { # KIND: sets address to one that nobody uses
    count=$((count + 1))
    case $1 in
    tcp)
        local port
        while port=$((20000 + RANDOM % 12000)) && (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
        address=tcp://127.0.0.1:$port
        ;;
    ipc) address=ipc://$work/$count.sock ;;
    inproc) address=inproc://bench.$count ;;
    esac
}

start_peer() { # LOG COMMAND...: returns when it is ready, 1 when it ended or took too long
    local log=$1 i
    shift
    timeout -k 1 "$limit" "$@" >"$log" 2>&1 &
    pids+=("$!")
    for ((i = 0; i < 100; i++)); do
        if grep -q '^ready ' "$log"; then
            return 0
        fi
        kill -0 "${pids[-1]}" 2>/dev/null || break
        sleep 0.05
    done
    return 1
}

# One measurement with fresh processes. Sets line to the client's result, "unsupported" or "failed".
measure() { # KIND CASE "SERVER COMMAND" "HOP COMMAND" "CLIENT COMMAND"
    local kind=$1 name=$2 server_command hop_command client_command ok=true
    read -ra server_command <<<"$3"
    read -ra hop_command <<<"$4"
    read -ra client_command <<<"$5"
    line=failed
    rm -f "$work"/*.log
    pick_address "$kind"
    if [ "$kind" != inproc ]; then
        start_peer "$work/server.log" "${server_command[@]}" server "$address" || ok=false
    fi
    if $ok && [ ${#hop_command[@]} -gt 0 ]; then
        local upstream=$address
        pick_address "$kind"
        start_peer "$work/hop.log" "${hop_command[@]}" hop "$address" "$upstream" || ok=false
    fi
    if $ok; then
        timeout -k 1 "$limit" "${client_command[@]}" client "$address" "$name" "$seconds" \
            >"$work/out.log" 2>"$work/client.log" || true
        line=$(grep -m 1 '^{"peer":' "$work/out.log" || echo failed)
    fi
    stop_peers
    if [ "$line" = failed ] && grep -qsw unsupported "$work"/*.log; then
        line=unsupported
    elif [ "$line" = failed ]; then
        echo "bench: $name over $kind failed: ${client_command[*]}" >&2
        tail -n 3 "$work"/*.log >&2
    fi
}

take() { # SIDE ROUND CASE KIND VARIANT: notes what was measured
    local value p99
    case $line in
    unsupported | failed)
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "$line" >>"$work/values"
        return
        ;;
    esac
    value=$(sed -n 's/.*"value":\([0-9.]*\).*/\1/p' <<<"$line")
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "$value" >>"$work/values"
    p99=$(sed -n 's/.*"p99":\([0-9.]*\).*/\1/p' <<<"$line")
    if [ -n "$p99" ]; then
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "${3}_p99" "$4" "$5" "$p99" >>"$work/values"
    fi
    printf '{"date":"%s","commit":"%s","round":%s,"transport":"%s","variant":"%s",%s\n' \
        "$(date +%F)" "$commit" "$2" "$4" "$5" "${line#\{}" >>"$results"
}

measure_grpc() { # ROUND CASE KIND SETUP
    local server=${4%%/*} client=${4#*/} variant
    variant=${server#--}${server:+${client:++}}${client#--}
    variant=${variant:-plain}
    if [ "$3" = inproc ]; then
        client="$server $client" # it is its own server
    fi
    measure "$3" "$2" "$bin/grpc_peer $server" "" "$bin/grpc_peer $client"
    take grpc "$1" "$2" "$3" "$variant"
}

measure_ours() { # ROUND CASE KIND VARIANT
    local peer=$bin/almanac_peer hop=""
    line=unsupported
    if [ -x "$peer" ]; then
        case $4 in
        hop) hop=$peer ;;
        curve) peer="$peer --curve" ;;
        esac
        measure "$3" "$2" "$peer" "$hop" "$peer"
    fi
    take ours "$1" "$2" "$3" "$4"
}

wanted() { # CASE
    [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $1 "* ]]
}

# gRPC's setups and our variants by turns, so that a slow spell of the machine meets both.
run_case() { # ROUND CASE KIND "SETUPS" "VARIANTS"
    local setups variants i
    read -ra setups <<<"$4"
    read -ra variants <<<"$5"
    for ((i = 0; i < ${#setups[@]} || i < ${#variants[@]}; i++)); do
        if ((i < ${#setups[@]})); then
            measure_grpc "$1" "$2" "$3" "${setups[i]}"
        fi
        if ((i < ${#variants[@]})); then
            measure_ours "$1" "$2" "$3" "${variants[i]}"
        fi
    done
}

print_table() {
    printf '%s\n' "${rows[@]}" | awk -v values="$work/values" '
        function sorted(list, n,    i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
                    t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
                }
        }
        function median(list, n) {
            sorted(list, n)
            return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
        }
        # The median of one setup over the rounds in which it has a value, or nothing.
        function median_of(key,    list, n, r) {
            for (r = 1; r <= rounds; r++)
                if ((key, r) in value) list[++n] = value[key, r]
            return n ? median(list, n) : ""
        }
        function figure(x) {
            return x == "" ? "-" : sprintf(x < 10 ? "%.2f" : x < 1000 ? "%.1f" : "%.0f", x)
        }
        BEGIN {
            FS = "\t"
            while ((getline <values) > 0) {
                key = $1 " " $3 " " $4 " " $5
                if ($2 + 0 > rounds) rounds = $2 + 0
                if ($6 ~ /^[0-9.]+$/) value[key, $2 + 0] = $6 + 0
                if ($1 == "grpc") setups[$3 " " $4] = setups[$3 " " $4] " " $5
            }
            FS = "[|]"
            print "| case | gRPC best | its setup | ours | ratio | min..max | goal | met |"
            print "|---|---|---|---|---|---|---|---|"
        }
        {
            split($1, our, " "); split($2, their, " "); split($3, goal, " ")
            theirs = their[1] " " their[2]
            if (!(theirs in setups)) next
            is_time = our[1] ~ /^lone/
            best = ""; best_name = ""
            n = split(setups[theirs], names, " ")
            for (i = 1; i <= n; i++) {
                m = median_of("grpc " theirs " " names[i])
                if (m != "" && (best == "" || (is_time ? m < best : m > best))) { best = m; best_name = names[i] }
            }
            ours = median_of("ours " our[1] " " our[2] " " our[3])
            n = 0
            for (r = 1; r <= rounds; r++) {
                a = "ours " our[1] " " our[2] " " our[3]; b = "grpc " theirs " " best_name
                if (((a, r) in value) && ((b, r) in value) && value[b, r] > 0) ratio[++n] = value[a, r] / value[b, r]
            }
            shown = spread = met = "-"
            if (n) {
                m = median(ratio, n)
                shown = figure(m) "x"; spread = figure(ratio[1]) ".." figure(ratio[n])
                if (goal[1] != "") met = (goal[1] == ">=" ? m >= goal[2] + 0 : m <= goal[2] + 0) ? "yes" : "no"
            }
            name = our[1] " " our[2] (our[3] == "plain" ? "" : " " our[3])
            if (our[2] != their[2]) name = name " to gRPC " their[2]
            printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", name, figure(best), best_name == "" ? "-" : best_name,
                figure(ours), shown, spread, goal[1] == "" ? "" : goal[1] " " goal[2] "x", met
        }'
}

for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    for entry in "${cases[@]}"; do
        IFS='|' read -r what setups variants <<<"$entry"
        read -r name kind <<<"$what"
        if wanted "$name"; then
            run_case "$round" "$name" "$kind" "$setups" "$variants"
        fi
    done
done
[ -s "$work/values" ] || usage
print_table
