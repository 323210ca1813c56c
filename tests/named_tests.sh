#!/usr/bin/env bash
# Every test that the last column of a table in docs/CALLS.md names is there: a function of a test, or a
# name that ctest knows.
#   tests/named_tests.sh [FILE]      another file with such tables
set -euo pipefail
cd "$(dirname "$0")/.."

document=${1-docs/CALLS.md}
mapfile -t names < <(awk -F '|' '
    /^\|/ {
        count = split($(NF - 1), parts, /`/)
        for (i = 2; i < count; i += 2) print parts[i]
    }' "$document" | sort -u)
if [ ${#names[@]} -eq 0 ]; then
    echo "tests/named_tests.sh: $document names no test in the last column of a table" >&2
    exit 1
fi
mapfile -t lists < <(find . -name CMakeLists.txt -not -path './build/*')
missing=0
for name in "${names[@]}"; do
    case $name in
    */* | tidy) grep -qF "NAME $name" "${lists[@]}" && continue ;;
    *)
        grep -rqE --include='*_test.c' --include='*.c' "^static void $name\(void \*\*" \
            rpc storage services proto tests && continue
        ;;
    esac
    echo "$document: no test is called $name" >&2
    missing=1
done
exit $missing
