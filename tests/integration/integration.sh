#!/usr/bin/env bash
# Goal: what a user sees is right, end to end, in both shapes. Method: real processes, the real command line,
# the real example, and a file with every kind of defect.
#   integration.sh SHAPE BIN EXAMPLES
set -uo pipefail
# shellcheck source=tests/integration/services.sh
source "$(dirname "$0")/services.sh"
examples=$3
services_start "$1" "$2" 2 || exit 1

echo "== the district's year goes in"
for kind in indicators places sources; do
    check_code "load $kind" 0 almanac catalog "$kind" load "$examples/changning/$kind.csv"
done
check_code "import" 0 almanac import "$examples/changning/observations-2023.csv" \
    "$examples/changning/observations-later.csv"
check_code "targets" 0 almanac import --kind targets "$examples/changning/targets.csv"

echo "== as published, to the digit"
check "budget revenue" "$(ask value,unit,qualifier,status query general_public_budget_revenue \
    --place 310105 --period 2023)" "168.53|CNY_E8|exact|A"
check "more than" "$(ask value,qualifier query digital_economy_enterprises --place 310105 --period 2023)" \
    "6100|more_than"
check_holds "more than, in Chinese" "$(almanac query digital_economy_enterprises --place 310105 \
    --period 2023 --lang zh --output table)" "超 6,100 家"
check_holds "to the digit, in Chinese" "$(almanac query general_public_budget_revenue --place 310105 \
    --period 2023 --lang zh --output table)" "168.53 亿元"
check "rank without a number" "$(ask value,qualifier query gdp --measure rank --place 310105 --period 2023)" \
    "|leading"
found=$(almanac reconcile '*' --place 310105,L310105002 --period 2023..2024 --lang en)
check_holds "reconcile implies the district's tax" "$found" "[559.04, 560.02]"
check_holds "reconcile implies the business district's tax" "$found" "[467.9, 482.3]"
check_holds "reconcile counts" "$found" "3 match, 24 not judged, 4 doubtful"
check_code "reconcile takes no period for granted" 2 almanac reconcile gdp --place 310105
check "names resolve" "$(ask value query 地区生产总值 --place 310105 --period 2023)" "2286.2"

echo "== vintages"
check "newest" "$(ask value,published,source latest gdp --place 310105)" "2286.2|2024-03-01|report-2024"
check "as of" "$(ask value,qualifier,published query gdp --place 310105 --period 2023 --as-of 2024-02-01)" \
    "2000|passed_threshold|2024-01-15"
check "before anything" "$(ask value query gdp --place 310105 --period 2023 --as-of 2023-12-31)" ""
check_holds "before anything, with a reason" "$(ask reason query gdp --place 310105 --period 2023 \
    --as-of 2023-12-31)" "no observation"

echo "== missing is not zero"
check_holds "a level that was not published" "$(ask value,reason query software_info_revenue --place 310105 \
    --period 2023)" "|no observation"

echo "== growth, target, share, rank"
check_holds "computed growth" "$(ask value,origin growth general_public_budget_revenue --place 310105 \
    --period 2024)" "7.38|computed"
check_holds "published growth" "$(ask value,origin growth general_public_budget_revenue --place 310105 \
    --period 2024)" "7.38|published"
check_holds "growth without a base" "$(ask origin,reason growth gdp --place 310105 --period 2023)" \
    "computed|no level for 2022"
check_holds "target progress" "$(ask measure,value target affordable_rental_units_raised --place 310105)" \
    "target_progress|11.76"
check_holds "the target itself" "$(ask measure,period,value target affordable_rental_units_raised \
    --place 310105)" "target|2021/2025|15000"

echo "== the scorecard"
card=$(almanac scorecard --place 310105 --period 2023 --lang zh)
for want in "2,286.2 亿元" "168.53 亿元" "超 6,100 家" "12.8" "67" "11.76"; do
    check_holds "scorecard" "$card" "$want"
done
check "every line of a table is as wide" "$(almanac query gdp,new_jobs --place 310105 --period 2023 \
    --lang zh --output table | wc -l)" "$(almanac query gdp,new_jobs --place 310105 --period 2023 \
    --lang en --output table | wc -l)"

echo "== a small tree: roll-up, rank, share, by hand"
cat >"$work/indicators.csv" <<'CSV'
code,name_zh,name_en,unit,value_type
t_output,测试产值,Test output,亿元,flow
t_rate,测试率,Test rate,%,rate
CSV
cat >"$work/observations.csv" <<'CSV'
indicator,place,period,value,unit,published
t_output,310105,2022,1.5,亿元,2024-01-01
t_output,310105,2023,2,亿元,2024-01-01
t_output,310104,2023,3.25,亿元,2024-01-01
t_output,310106,2023,20000,万元,2024-01-01
t_output,310000,2023,10,亿元,2024-01-01
t_output,310105001,2023,0.75,亿元,2024-01-01
t_output,310105002,2023,0.5,亿元,2024-01-01
t_rate,310105001,2023,3.1,%,2024-01-01
CSV
check_code "catalogue" 0 almanac catalog indicators load "$work/indicators.csv"
check_code "observations" 0 almanac import "$work/observations.csv"
check_holds "growth" "$(ask value,origin growth t_output --place 310105 --period 2023)" "30|computed"
check_holds "share" "$(ask value,origin share t_output --place 310105 --period 2023)" "20|computed"
check "rank: equal values in two units share a place" \
    "$(ask place,value,of_count rank t_output --place 310105,310104,310106 --period 2023 | sort)" \
    "$(printf '310104|1|3\n310105|2|3\n310106|2|3')"
check_holds "rank says who is missing" "$(ask reason rank t_output --place 310104 --period 2023)" "310101"
check_holds "roll-up refuses to be silently incomplete" "$(ask value,of_count,of_expected,origin rollup \
    t_output --place 310105 --period 2023)" "|2|10|computed"
check_holds "and tells what was published of the place" "$(ask value,origin rollup t_output \
    --place 310105 --period 2023)" "2|published"
check_holds "roll-up, incomplete asked for" "$(ask value,of_count,of_expected rollup t_output \
    --place 310105 --period 2023 --incomplete)" "1.25|2|10"
check_code "a rate does not add up" 1 almanac rollup t_rate --place 310105 --period 2023 --incomplete
check_holds "conversion on read" "$(ask value,unit query t_output --place 310106 --period 2023 \
    --unit 亿元)" "2.0000|CNY_E8"

echo "== errors name what is wrong"
check_code "unknown indicator" 3 almanac latest gpd --place 310105
check_holds "unknown indicator" "$(cat "$work/err")" "gdp"
check_code "unknown place" 3 almanac latest gdp --place 310199
check_holds "unknown place" "$(cat "$work/err")" "310199"
check_code "bad period" 2 almanac query gdp --place 310105 --period 2023-13
check_holds "bad period" "$(cat "$work/err")" "2023-13"
check_code "bad date" 2 almanac query gdp --place 310105 --period 2023 --as-of 2024-02-30
check_code "one bad indicator does not fail the other" 3 almanac query gdp,gpd --place 310105 --period 2023 \
    --output csv
check_holds "one bad indicator does not fail the other" "$(cat "$work/out")" "2286.2"
check_code "no such endpoint" 4 almanac --endpoint "ipc://$work/nobody.sock" --timeout 1s status

echo "== the same file twice changes nothing and says so"
check_code "again" 0 almanac import "$examples/changning/observations-2023.csv"
check_holds "again" "$(cat "$work/out" "$work/err")" "nothing changed"
check_code "again under another batch" 0 almanac import --batch-id another \
    "$examples/changning/observations-2023.csv"
check_holds "again under another batch" "$(cat "$work/out" "$work/err")" "unchanged"
before=$(almanac status --output json | tr -d ' \n' | sed -n 's/.*"observations":\([0-9]*\).*/\1/p')

echo "== twenty defects, each reported; good rows stored"
{
    printf 'indicator,place,period,measure,value,unit,qualifier,status,breakdown,relation,note,published,source\n'
    printf 't_output,310107,2023,,7,亿元,,,,,good,2024-01-01,\n'                 # row 2
    printf 't_output,310107,2023-13,,7,亿元,,,,,,2024-01-01,\n'                  # 3 wrong period
    printf 't_output,310107,2022,,7,斗,,,,,,2024-01-01,\n'                       # 4 unknown unit
    printf 't_output,319999,2022,,7,亿元,,,,,,2024-01-01,\n'                     # 5 unknown place
    printf 't_output,310107,2022,,7,平方米,,,,,,2024-01-01,\n'                   # 6 wrong dimension
    printf 't_output,310107,2023,,8,亿元,,,,,,2024-01-01,\n'                     # 7 same cell, other value
    printf 't_output,310107,2022,,NaN,亿元,,,,,,2024-01-01,\n'                   # 8
    printf 't_output,310107,2022,,1e400,亿元,,,,,,2024-01-01,\n'                 # 9
    printf 't_output,310107,2022,,7,亿元,,,,,bad \xff\xfe text,2024-01-01,\n'    # 10 invalid UTF-8
    printf 'no_such,310107,2022,,7,亿元,,,,,,2024-01-01,\n'                      # 11 unknown indicator
    printf 't_output,310107,2022,,7,亿元,roughly,,,,,2024-01-01,\n'              # 12 bad qualifier
    printf 't_output,310107,2022,,7,亿元,,Z,,,,2024-01-01,\n'                    # 13 bad status
    printf 't_output,310107,2022,no_measure,7,亿元,,,,,,2024-01-01,\n'           # 14 bad measure
    printf 't_output,310107,2022,,7,亿元,,,a=b+a=c,,,2024-01-01,\n'              # 15 doubled breakdown
    printf 't_output,310107,2022,,7,亿元,,,,,,2024-02-30,\n'                     # 16 bad date
    printf 't_output,310107,2022,,7,亿元,,,,,,2024-01-01,no_source\n'            # 17 unknown source
    printf 't_output,310107,2022,,,亿元,,,,,,2024-01-01,\n'                      # 18 no value, no status
    printf 't_output,310107,2022,,7,,,,,,,2024-01-01,\n'                         # 19 no unit
    printf 't_output,310107,2022,,7,亿元,,,,,,2024-01-01,,,one,too,many\n'       # 20 too many fields
    printf 't_output,310107,2022\n'                                              # 21 too few fields
    printf 't_output,310107,2022,,12345678901234567890.5,亿元,,,,,,2024-01-01,\n' # 22 too many digits
    printf 't_output,310107,2022,,7,亿元,,,,,"a stray "quote,2024-01-01,\n'      # 23 stray quote
    printf 't_output,310107,2022,,7,亿元,,,,,'                                   # 24 a line of 100 MB
    head -c 100000000 /dev/zero | tr '\0' 'x'
    printf ',2024-01-01,\n'
    printf 't_output,310109,2023,,9,亿元,,,,,good,2024-01-01,\n'                 # row 25
} >"$work/defects.csv"
check_code "defects" 2 almanac import "$work/defects.csv"
cp "$work/err" "$work/defects.err"
for row in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
    check "row $row is reported" "$(cat "$work/out" "$work/defects.err" | grep -cE "(^|[^0-9])$row([^0-9]|$)" |
        sed 's/^[1-9][0-9]*$/yes/')" "yes"
done
for word in 2023-13 斗 319999 平方米 NaN 1e400 no_such roughly no_measure 2024-02-30 no_source; do
    check_holds "the report shows the value" "$(cat "$work/defects.err")" "$word"
done
check "good rows are stored" "$(ask place,value query t_output --place 310107,310109 --period 2023)" \
    "$(printf '310107|7\n310109|9')"
check "and only they" "$(almanac status --output json | tr -d ' \n' |
    sed -n 's/.*"observations":\([0-9]*\).*/\1/p')" $((before + 2))
printf 'indicator,place,value,unit\nt_output,310105,1,亿元\n' >"$work/no-period.csv"
check_code "a missing column" 2 almanac import "$work/no-period.csv"
check_holds "a missing column is named" "$(cat "$work/err")" "period"
printf 'indicator,place,period,value,unit,colour\nt_output,310105,2020,1,亿元,red\n' >"$work/unknown.csv"
check_code "an unknown column" 2 almanac import "$work/unknown.csv"
check_holds "an unknown column is named" "$(cat "$work/err")" "colour"
check_holds "quarantine keeps them" "$(almanac catalog quarantine --output csv)" "no_such"

echo "== a dry run stores nothing"
printf 'indicator,place,period,value,unit,published\nt_output,310110,2023,4,亿元,2024-01-01\n' >"$work/dry.csv"
check_code "dry run" 0 almanac import --dry-run "$work/dry.csv"
check "dry run" "$(ask value query t_output --place 310110 --period 2023)" ""

echo "== GB18030, Chinese column names, any order"
printf '数值,单位,时期,地区,指标,发布日期\n5.5,亿元,2023,杨浦区,测试产值,2024-01-01\n' |
    iconv -f UTF-8 -t GB18030 >"$work/gb.csv"
check_code "GB18030" 0 almanac import "$work/gb.csv"
check "GB18030" "$(ask value query t_output --place 310110 --period 2023)" "5.5"

echo "== watch, search, catalogue, status, verify, probes"
timeout 20 "$bin/almanac" watch --from-sequence 1 --output csv >"$work/watch" 2>/dev/null &
watcher=$!
for ((i = 0; i < 100; i++)); do
    if grep -q general_public_budget_revenue "$work/watch"; then
        break
    fi
    sleep 0.1
done
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
check_holds "watch" "$(cat "$work/watch")" "general_public_budget_revenue"
timeout 60 "$bin/almanac" watch t_output --place 310110 --period 2031 --output json >"$work/standing" 2>&1 &
watcher=$!
for ((i = 0; i < 200 && $(wc -l <"$work/standing") < 1; i++)); do
    sleep 0.05
done
printf 'indicator,place,period,value,unit,published\nt_output,310110,2031,7.25,亿元,2024-02-01\n' >"$work/later.csv"
check_code "import under a standing question" 0 almanac import "$work/later.csv"
for ((i = 0; i < 200 && $(wc -l <"$work/standing") < 2; i++)); do
    sleep 0.05
done
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
check_holds "a standing question is answered" "$(sed -n 1p "$work/standing")" '"at":""'
check_holds "and again when that changes" "$(sed -n 2p "$work/standing")" '"value":7.25'
check_holds "search in Chinese" "$(almanac search 税收 --output csv)" "key33_comprehensive_tax"
check_holds "search in English" "$(almanac search rental --output csv)" "affordable_rental_units_raised"
check_holds "catalogue of series" "$(almanac catalog series --output csv)" "A.gdp.P.level._Z._T"
check "series below a place" \
    "$(almanac catalog series gdp --place "310000/**" --measure growth_yoy --output csv | cut -d , -f 1)" \
    "$(printf 'series\nA.gdp.P.growth_yoy._Z._T')"
check_code "series of an unknown theme" 3 almanac catalog series --theme nonsense
check_holds "explain shows both vintages" "$(almanac explain gdp --place 310105 --period 2023)" "2024-01-15"
check_holds "status" "$(almanac status)" "aggregation"
check_code "verify" 0 almanac verify
url=$(http_url)
check "healthz" "$(curl -fsS -m 5 "$url/healthz")" "ok"
check_holds "readyz" "$(curl -fsS -m 5 "$url/readyz")" "[+]aggregation ok"
check_holds "metrics" "$(curl -fsS -m 5 "$url/metrics")" 'almanac_rpc_calls_total{service="almanac.v1.Gateway"'
check "other paths" "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$url/etc/passwd")" 404
check "other methods" "$(curl -s -m 5 -o /dev/null -w '%{http_code}' -X POST -d x "$url/metrics")" 405

if [ "$shape" = split ]; then
    echo "== a worker dies while questions are asked"
    (
        for ((i = 0; i < 60; i++)); do
            ask value query t_output --place 310104 --period 2023 || echo "failed"
        done
    ) >"$work/answers" &
    asker=$!
    sleep 0.3
    service_end aggregation1 KILL
    wait "$asker"
    check "answers" "$(sort "$work/answers" | uniq -c | tr -s ' ')" " 60 3.25"
fi

echo "== what was stored survives a restart; SIGTERM drains"
if [ "$shape" = split ]; then
    service_end storage TERM
    check "storage ends well" $? 0
    storage_start
else
    service_end gateway TERM
    check "almanacd ends well" $? 0
    services_start almanacd "$bin"
fi
check "after the restart" "$(ask value query gdp --place 310105 --period 2023)" "2286.2"
check_code "verify after the restart" 0 almanac verify
report
