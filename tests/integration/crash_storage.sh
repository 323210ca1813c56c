#!/usr/bin/env bash
# Goal: an acknowledged import is never lost. Method: storage is killed with SIGKILL at random moments while
# files are imported; after each restart every file whose import was acknowledged must be there to the row,
# files that were not may be there whole or not at all in each piece, and verify must be clean.
#   crash_storage.sh BIN EXAMPLES      CRASHES=50 SEED=n
set -uo pipefail
# shellcheck source=tests/integration/services.sh
source "$(dirname "$0")/services.sh"
crashes=${CRASHES:-50}
RANDOM=${SEED:-$(date +%N | sed 's/^0*//')}
echo "seed: set SEED to repeat (kill times also depend on the machine)"
services_start split "$1" 1 || exit 1

printf 'code,name_zh,name_en,unit,value_type\nt_crash,崩溃,Crash,个,count\n' >"$work/indicators.csv"
almanac catalog indicators load "$work/indicators.csv" >/dev/null || exit 1
almanac catalog places load "$2/changning/places.csv" >/dev/null || exit 1

# File n: the days of one year, value n*1000+day, so that a row tells where it came from.
rows_of() {
    awk -v n="$1" 'BEGIN {
        split("31 28 31 30 31 30 31 31 30 31 30 31", days, " ")
        print "indicator,place,period,value,unit,published"
        for (m = 1; m <= 12; m++) for (d = 1; d <= days[m]; d++) {
            i++
            printf "t_crash,310105,%04d-%02d-%02d,%d,个,2024-01-01\n", 1900 + n, m, d, n * 1000 + i
        }
    }'
}

acknowledged=()
for ((n = 1; n <= crashes; n++)); do
    (
        for ((k = 0; k < 4; k++)); do
            file=$((n * 4 + k))
            rows_of "$file" >"$work/crash-$file.csv"
            if almanac import --timeout 2s "$work/crash-$file.csv" >/dev/null 2>&1; then
                echo "$file" >>"$work/acknowledged"
            fi
        done
    ) &
    importer=$!
    sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
    sleep "0.$((RANDOM % 3))"
    service_end storage KILL
    storage_start || exit 1
    wait "$importer"
done
[ -f "$work/acknowledged" ] && mapfile -t acknowledged <"$work/acknowledged"

lost=0
half=0
for ((file = 4; file < crashes * 4 + 4; file++)); do
    got=$(ask value query t_crash --place 310105 --period "$((1900 + file))-01-01..$((1900 + file))-12-31" |
        awk -v n="$file" '$1 != "" { rows++; if ($1 != n * 1000 + rows) wrong++ } END { print rows + 0 "/" wrong + 0 }')
    case $got in
    365/0) ;;
    0/0) if grep -qx "$file" "$work/acknowledged"; then
        lost=$((lost + 1))
        echo "file $file was acknowledged and is gone"
    fi ;;
    *)
        half=$((half + 1))
        echo "file $file: $got rows/wrong"
        ;;
    esac
done
check "acknowledged files lost of ${#acknowledged[@]} in $crashes crashes" "$lost" 0
check "files half there" "$half" 0
check "some were acknowledged" "$([ ${#acknowledged[@]} -gt 0 ] && echo yes)" yes
check_code "verify" 0 almanac verify
report
