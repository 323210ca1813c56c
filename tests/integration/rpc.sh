#!/usr/bin/env bash
# Goal: almanac rpc works on every service, whoever listens, with nothing but its Reflection. Method: real
# processes in both shapes; every service is listed, every method and its messages described, and calls made of
# each, with answers that the other commands give too.
#   rpc.sh SHAPE BIN EXAMPLES
set -uo pipefail
# shellcheck source=tests/integration/services.sh
source "$(dirname "$0")/services.sh"
examples=$3
services_start "$1" "$2" 1 || exit 1
for kind in indicators places sources; do
    almanac catalog "$kind" load "$examples/changning/$kind.csv" >/dev/null 2>&1
done
almanac import "$examples/changning/observations-2023.csv" >/dev/null 2>&1

at() { # SERVICE ARGUMENT...: rpc of a service, at its own address
    local address
    address=$(service_address "$1")
    shift
    almanac rpc "$@" --server "$address"
}

echo "== the gateway"
check_code "list" 0 almanac rpc list
check_holds "list" "$(tr -s ' ' <"$work/out")" "Query server stream reader safe"
check_holds "list" "$(tr -s ' ' <"$work/out")" "Import unary writer keyed"
check_code "describe" 0 almanac rpc describe Gateway.Query
check_holds "describe" "$(cat "$work/out")" "rpc Query(QueryRequest) returns (stream QueryResponse);"
check_code "describe, with comments" 0 almanac rpc describe QueryRequest
check_holds "describe, with comments" "$(cat "$work/out")" "string as_of = 8; // date: as it was published on that day"
question='{"indicators":["gdp"],"places":"310105","periods":"2023"}'
check_code "a server stream" 0 almanac rpc call Gateway.Query --json "$question"
check_holds "a server stream" "$(cat "$work/out")" '"mantissa":["2000"],"hasNumber":[1]'
printf '%s' "$question" >"$work/question.json"
check "from a file" "$(almanac rpc call Gateway/Query --json "@$work/question.json")" "$(cat "$work/out")"
check "from standard input" "$(almanac rpc call almanac.v1.Gateway.Query --json - <"$work/question.json")" \
    "$(cat "$work/out")"
check_code "unary" 0 almanac rpc call Gateway.Status
check "unary" "$(sed -n 's/.*"observations":"\([0-9]*\)".*/\1/p' "$work/out")" \
    "$(almanac status -o json | tr -d ' \n' | sed -n 's/.*"observations":\([0-9]*\).*/\1/p')"
header=$(printf 'indicator,place,period,value,unit,published' | base64 -w 0)
records=$(printf 'gdp,310104,2022,3001.5,亿元,2024-01-01\n' | base64 -w 0)
check_code "a write" 0 almanac rpc call Gateway.Import --idempotency-key once \
    --json "{\"header\":\"$header\",\"records\":\"$records\",\"firstRow\":2}"
check_holds "a write" "$(cat "$work/out")" '"rows":"1","added":"1"'
check "what was written" "$(ask value query gdp --place 310104 --period 2022)" "3001.5"

echo "== errors"
check_code "of a service's own" 3 almanac rpc call Gateway.Query \
    --json '{"indicators":["gpd"],"places":"319999","periods":"2023"}'
check_holds "of a service's own" "$(cat "$work/err")" "almanac: NOT_FOUND: "
check_holds "of a service's own" "$(cat "$work/err")" "  field: places"
check_code "unknown field" 2 almanac rpc call Gateway.Query --json '{"place":"310105"}'
check_holds "unknown field" "$(cat "$work/err")" "did you mean places?"
check_code "unknown method" 3 almanac rpc call Gateway.Quary
check_holds "unknown method" "$(cat "$work/err")" "did you mean Query?"
check_code "nobody there" 4 almanac rpc list --server "ipc://$work/nobody.sock" --timeout 300ms
check_code "a stream without end, bounded" 4 almanac rpc call Gateway.Watch --timeout 500ms
check_holds "a stream without end, bounded" "$(cat "$work/err")" "DEADLINE_EXCEEDED"

echo "== everything can be described"
for service in almanac.v1.Gateway Storage Ingestion almanac.internal.Aggregation Health Reflection Stats; do
    check_code "$service" 0 almanac rpc describe "$service"
    sed -n 's/.*rpc \([A-Za-z]*\)(\(stream \)\{0,1\}\([A-Za-z0-9_.]*\)) returns (\(stream \)\{0,1\}\([A-Za-z0-9_.]*\));.*/\1 \3 \5/p' \
        "$work/out" >"$work/methods"
    package=$(sed -n 's/.*, package \(.*\)$/\1/p' "$work/out")
    check "$service has methods" "$([ -s "$work/methods" ] && echo yes)" yes
    while read -r method request response; do
        for name in "$service.$method" "$request" "$response"; do
            full=$name
            [[ $name == *.* ]] || full=$package.$name
            almanac rpc describe "$full" >/dev/null 2>"$work/err" || check "$full" "$(cat "$work/err")" ""
        done
    done <"$work/methods"
done

if [ "$shape" = split ]; then
    echo "== the other services, each at its own address"
    for row in "storage Storage Commit" "ingestion Ingestion Import" "aggregation1 Aggregation Execute"; do
        read -r name service method <<<"$row"
        check_code "$name: list" 0 at "$name" list "$service"
        check_holds "$name: list" "$(cat "$work/out")" "$method"
        check_code "$name: health" 0 at "$name" call Health.Check
        check "$name: health" "$(cat "$work/out")" '{"status":"SERVING"}'
        check_code "$name: the gateway is not here" 3 at "$name" call Gateway.Status
        check_holds "$name: the gateway is not here" "$(cat "$work/err")" "one of Health|Reflection|Stats|$service"
    done
    check_code "storage: unary" 0 at storage call Storage.Head
    check_holds "storage: unary" "$(cat "$work/out")" '"sequence":"'
    check_code "storage: a server stream" 0 at storage call Storage.LoadCatalog
    check_holds "storage: a server stream" "$(cat "$work/out")" 'general_public_budget_revenue'
    check_code "aggregation: unary" 0 at aggregation1 call Aggregation.Plan --json "$question"
    check_holds "aggregation: unary" "$(cat "$work/out")" '"indicators":["gdp"]'
    check_code "aggregation: a server stream" 0 at aggregation1 call Aggregation.Execute --json "$question"
    check_holds "aggregation: a server stream" "$(cat "$work/out")" '"mantissa":["2000"]'
    check_code "ingestion: a refusal" 2 at ingestion call Ingestion.Import --json '{"dryRun":true}'
    check_holds "ingestion: a refusal" "$(cat "$work/err")" "INVALID_ARGUMENT"
fi
report
