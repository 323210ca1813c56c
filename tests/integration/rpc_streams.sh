#!/usr/bin/env bash
# Goal: almanac rpc call sends many messages, one a line, and reads many while it does. Method: the conformance
# suite's echo service, which streams in every way and which almanac was not compiled with; its descriptors come
# from a file, since Reflection knows the product's only.
#   rpc_streams.sh ADDRESS BIN DESCRIPTORS PROTO PROTOC     (run by echo_peer)
set -uo pipefail
address=$1
bin=$2
descriptors=$3
proto=$4
protoc=$5
# shellcheck source=tests/integration/services.sh
source "$(dirname "$0")/services.sh"

call() { # METHOD ARGUMENT...
    local method=$1
    shift
    almanac rpc call "Echo.$method" --server "$address" --protoset "$descriptors" --timeout 20s "$@"
}

check_code "list" 0 almanac rpc list Echo --server "$address"
for row in "Say unary" "Count server stream" "Sum client stream" "Chat bidi stream"; do
    check_holds "list" "$(tr -s ' ' <"$work/out")" "$row"
done
check_code "describe" 0 almanac rpc describe Echo.Chat --server "$address" --protoset "$descriptors"
check_holds "describe" "$(cat "$work/out")" "rpc Chat(stream CountResponse) returns (stream CountResponse);"
check_code "without its descriptors" 1 almanac rpc call Echo.Say --server "$address"
check_holds "without its descriptors" "$(cat "$work/err")" "give others by --protoset"

echo "== one and many"
check_holds "unary" "$(call Say --json '{"text":"长宁","blob":"AAE="}')" '"text":"长宁","blob":"AAE="'
check "a server stream" "$(call Count --json '{"count":3}')" "$(printf '%s\n' '{}' '{"number":"1"}' '{"number":"2"}')"
check_holds "a client stream" "$(call Sum --json $'{"number":1}\n\n{"number":"20"}\n{"number":300}\n')" '"number":"321"'
seq 1 20000 | sed 's/.*/{"number":&}/' >"$work/numbers"
check_holds "a client stream of many" "$(call Sum --json - <"$work/numbers")" '"number":"200010000"'
check_holds "a client stream from a file" "$(call Sum --json "@$work/numbers")" '"number":"200010000"'
check_holds "a client stream of none" "$(call Sum)" '{"server":'
check "both ways" "$(call Chat --json "@$work/numbers" | sha256sum)" \
    "$(seq 2 2 40000 | sed 's/.*/{"number":"&"}/' | sha256sum)"
check "both ways, as it comes" "$( (
    printf '{"number":4}\n'
    sleep 1
    printf '{"number":5}\n'
) | call Chat --json - | (
    read -r first
    date +%s%N >"$work/first"
    cat
    date +%s%N >"$work/last"
    echo "$first"
))" "$(printf '{"number":"10"}\n{"number":"8"}')"
check "the first before the second was asked" \
    "$([ $(($(cat "$work/last") - $(cat "$work/first"))) -gt 500000000 ] && echo yes)" yes

echo "== errors"
check_code "a status" 3 call Fail --json '{"code":5,"message":"not here","field":"a.b","retryAfterMs":250}'
check "a status" "$(cat "$work/err")" "$(printf 'almanac: NOT_FOUND: not here\n  field: a.b\n  retry after: 250 ms')"
check_code "a late status" 5 call FailLate --json '{"code":15,"message":"late","messages":2}'
check "a late status, after what came" "$(wc -l <"$work/out")" 2
check_code "a bad line" 2 call Sum --json $'{"number":1}\n{"numbr":2}\n'
check_holds "a bad line" "$(cat "$work/err")" "--json, line 2: numbr: almanac.test.CountResponse has no such field; did you mean number?"
check_code "a bad line, both ways" 2 call Chat --json $'{"number":1}\n{"number":-2}\n'
check_holds "a bad line, both ways" "$(cat "$work/err")" "line 2"
check "a bad line, both ways, after what came" "$(cat "$work/out")" '{"number":"2"}'
check_code "nobody reads" 4 almanac rpc call Echo.Hang --server "$address" --protoset "$descriptors" --timeout 500ms
check_code "an unknown method" 3 call Sun
check_holds "an unknown method" "$(cat "$work/err")" "did you mean Sum?"
sed 's/uint64 number = 1;/uint64 number = 9;/' "$proto" >"$work/echo.proto"
"$protoc" --descriptor_set_out="$work/other.desc" -I "$work" echo.proto
check_code "another version" 1 almanac rpc call Echo.Say --server "$address" --protoset "$work/other.desc"
check_holds "another version" "$(cat "$work/err")" "FAILED_PRECONDITION"
report
