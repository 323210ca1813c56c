#!/usr/bin/env bash
# Keys, tokens and a policy from the command line to a service: who gets in, with what, and who not.
#   keys.sh BIN
set -euo pipefail
# shellcheck source=tests/integration/one_server.sh
source "$(dirname "$0")/one_server.sh" "$1"
almanac() {
    "$bin/almanac" "$@"
}

expect 0 'keep it to yourself' almanac keys new svc.key
expect 1 'there already' almanac keys new svc.key
[ "$(stat -c %a svc.key)" = 600 ] || fail "the key's mode"
expect 0 'key ' almanac keys new li.key --role writer --name li
expect 0 'is a reader now' almanac keys new wang.key --role reader --name wang --policy policy
expect 0 "$(cat wang.key.pub)" almanac keys show wang.key
expect 2 'reader|writer' almanac keys new x.key --role king --name x
expect 2 '2026-13-01' almanac token new --role reader --name x --until 2026-13-01
almanac keys new other.key 2>/dev/null
chmod 644 other.key
expect 1 'other.key' almanac keys show other.key

trap '' HUP # as under nohup: a reload must come through all the same
start_server --key-file svc.key --policy policy
as() { # KEY COMMAND...
    local key=$1
    shift
    almanac --endpoint "$address" --key-file "$key" --server-key svc.key.pub --timeout 5s "$@"
}
printf 'code,name_zh,unit\ngdp,地区生产总值,CNY\n' >indicators.csv
expect 0 'aggregation' as wang.key status
expect 1 'needs a writer, and wang is a reader' as wang.key import indicators.csv
expect 0 'almanac.v1.Gateway' as wang.key rpc list
expect 1 'PERMISSION_DENIED: almanac.v1.Gateway/Verify needs a' as wang.key rpc call Gateway.Verify
expect 4 'takes our key' as li.key rpc list
expect 4 'takes our key' as li.key status
expect 4 'no almanac: no healthy connection to' almanac --endpoint "$address" --timeout 1s status
expect 0 '' as svc.key status
grep -F 'rpc.key_refused' log | grep -qF "$(cat li.key.pub)" || fail "no word of li: $(cat log)"

almanac token new --role reader --name robot --policy policy >robot.token 2>/dev/null
by_token() {
    almanac --endpoint "$address" --server-key svc.key.pub --token-file robot.token --timeout 5s \
        "$@"
}
reload() { # and wait until the policy counts
    local before
    before=$(grep -c 'event=policy.reload outcome="in force"' log) || true
    kill -HUP "$server" || fail "the server is gone: $(tail -n 20 log)"
    for _ in $(seq 200); do
        [ "$(grep -c 'event=policy.reload outcome="in force"' log)" -eq "$before" ] || return 0
        sleep 0.05
    done
    fail "the policy was not read again: $(tail -n 20 log)"
}
reload
expect 0 'aggregation' by_token status
expect 1 'needs a writer, and robot is a reader' by_token import indicators.csv
expect 0 'robot' almanac token list --policy policy
expect 0 '1 revoked' almanac token revoke robot --policy policy
reload
expect 4 'takes our key' by_token status
grep -q "$(cat robot.token)" log policy && fail "a token is in the log or the policy"
stop_server
start_server --policy policy
grep -q 'event=policy.keys_unused' log || fail "no word of keys without --key-file: $(cat log)"
stop_server
echo "keys.sh: ok"
