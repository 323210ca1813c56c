// Goal: every cell that can be wrong is told with its row, column, field, value and what was
// expected, and a good row becomes exactly the observation it says. Method: a header and records
// against the whole outcome as text: the defects, then the good rows.
#include "testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct rows_case {
    const char *name;
    const char *header;
    const char *records;
    const char *want; // put_defects, then put_observations
} rows_case;

#define H "indicator,place,period,value,unit,published\n"
#define P ",2024-02-29\n"

// clang-format off
static const rows_case cases[] = {
    {.name = "a level",
     .header = H,
     .records = "gdp,310105,2023,1765.06,CNY_E8" P,
     .want = "2 A.gdp.P.level._Z._T 310105 2023 1765.06 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "names in Chinese and English",
     .header = H,
     .records = "地区生产总值,长宁区,2023,1765.06,亿元" P
                "gross domestic product,静安区,2023,2846.03,100 million CNY" P
                "生产总值,上海市,2023,47218.66,亿元" P,
     .want = "2 A.gdp.P.level._Z._T 310105 2023 1765.06 CNY_E8 exact A - 2024-02-29 \n"
             "3 A.gdp.P.level._Z._T 310106 2023 2846.03 CNY_E8 exact A - 2024-02-29 \n"
             "4 A.gdp.P.level._Z._T 310000 2023 47218.66 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "every kind of period",
     .header = H,
     .records = "gdp,310105,2023,1,CNY_E8" P
                "gdp,310105,2023-S1,1,CNY_E8" P
                "gdp,310105,2023-Q3,1,CNY_E8" P
                "gdp,310105,2023-09,1,CNY_E8" P
                "gdp,310105,2023-12-31,1,CNY_E8" P
                "gdp,310105,2021/2025,1,CNY_E8" P
                "gdp,310106,2023年,1,亿元" P,
     .want = "2 A.gdp.P.level._Z._T 310105 2023 1 CNY_E8 exact A - 2024-02-29 \n"
             "3 S.gdp.P.level._Z._T 310105 2023-S1 1 CNY_E8 exact A - 2024-02-29 \n"
             "4 Q.gdp.P.level._Z._T 310105 2023-Q3 1 CNY_E8 exact A - 2024-02-29 \n"
             "5 M.gdp.P.level._Z._T 310105 2023-09 1 CNY_E8 exact A - 2024-02-29 \n"
             "6 D.gdp.P.level._Z._T 310105 2023-12-31 1 CNY_E8 exact A - 2024-02-29 \n"
             "7 A.gdp.P.level._Z._T 310105 2021/2025 1 CNY_E8 exact A - 2024-02-29 \n"
             "8 A.gdp.P.level._Z._T 310106 2023 1 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "wrong period",
     .header = H,
     .records = "gdp,310105,2023-13,1,CNY_E8" P
                "gdp,310105,last year,1,CNY_E8" P
                "gdp,310105,0000,1,CNY_E8" P
                "gdp,310105,2023-02-30,1,CNY_E8" P,
     .want = "2:3 period [2023-13] there is no period 2023-13: 2023 counts 1 to 12 of this "
             "frequency\n"
             "3:3 period [last year] \"last year\" is not a period; expected a form like 2023, "
             "2023-09, 2023-12-31, 2023-S1, 2023-T2, 2023-Q3, 2023-W05, 2021/2025 or "
             "2021-01-01/P5Y\n"
             "4:3 period [0000] the year of 0000 is outside 1..9999\n"
             "5:3 period [2023-02-30] there is no day 2023-02-30\n"},
    {.name = "unknown unit",
     .header = H,
     .records = "gdp,310105,2023,1,亿圆" P
                "gdp,310105,2023,1,bananas" P,
     .want = "3:5 unit [bananas] unknown unit \"bananas\"\n"
             "2 A.gdp.P.level._Z._T 310105 2023 1 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "unknown place",
     .header = H,
     .records = "gdp,310195,2023,1,CNY_E8" P
                "gdp,长宁曲,2023,1,CNY_E8" P
                "gdp,Atlantis,2023,1,CNY_E8" P,
     .want = "2:2 place [310195] unknown place '310195'; did you mean 310105 (长宁区)?\n"
             "3:2 place [长宁曲] unknown place '长宁曲'; did you mean 310105 (长宁区)?\n"
             "4:2 place [Atlantis] unknown place 'Atlantis'\n"},
    {.name = "unknown indicator",
     .header = H,
     .records = "gdpp,310105,2023,1,CNY_E8" P
                "happiness,310105,2023,1,CNY_E8" P,
     .want = "2:1 indicator [gdpp] unknown indicator 'gdpp'; did you mean gdp "
             "(地区生产总值)?\n"
             "3:1 indicator [happiness] unknown indicator 'happiness'\n"},
    {.name = "unit of another dimension",
     .header = H,
     .records = "gdp,310105,2023,1,m2" P
                "population,310105,2023,70,CNY_E8" P
                "rd_intensity,310105,2023,5,pp" P,
     .want = "2:5 unit [m2] unit m2 is area, but level of gdp is yuan\n"
             "3:5 unit [CNY_E8] unit CNY_E8 is yuan, but level of population is persons\n"
             "4:5 unit [pp] unit pp is percentage points, but level of rd_intensity is ratio\n"},
    {.name = "counting words are alike",
     .header = H,
     .records = "enterprises,310105,2023,6100,个" P
                "enterprises,310106,2023,6100,count_hu" P
                "enterprises,310101,2023,1.2,万家" P,
     .want = "2 A.enterprises.P.level._Z._T 310105 2023 6100 count exact A - 2024-02-29 \n"
             "3 A.enterprises.P.level._Z._T 310106 2023 6100 count_hu exact A - 2024-02-29 \n"
             "4 A.enterprises.P.level._Z._T 310101 2023 1.2 count_jia_E4 exact A - 2024-02-29 \n"},
    {.name = "numbers that are none",
     .header = H,
     .records = "gdp,310105,2023,NaN,CNY_E8" P
                "gdp,310105,2023,inf,CNY_E8" P
                "gdp,310105,2023,1e400,CNY_E8" P
                "gdp,310105,2023,1234567890123456789,CNY_E8" P
                "gdp,310105,2023,12%,CNY_E8" P
                "gdp,310105,2023,1.,CNY_E8" P
                "gdp,310105,2023,...,CNY_E8" P
                "gdp,310105,2023,—,CNY_E8" P
                "gdp,310105,2023,６１００,CNY_E8" P
                "gdp,310105,2023,0x1A,CNY_E8" P
                "gdp,310105,2023,6 100,CNY_E8" P,
     .want = "2:4 value [NaN] 'NaN' is not a number; leave the value blank and give a status that "
             "says why (M, Q, O, L)\n"
             "3:4 value [inf] 'inf' is not a number; leave the value blank and give a status that "
             "says why (M, Q, O, L)\n"
             "4:4 value [1e400] the exponent of \"1e400\" is 400, outside -18..18\n"
             "5:4 value [1234567890123456789] \"1234567890123456789\" has more than 18 "
             "significant digits\n"
             "6:4 value [12%] \"12%\" is not a decimal number\n"
             "7:4 value [1.] \"1.\" is not a decimal number\n"
             "8:4 value [...] '...' is not a number; leave the value blank and give a status that "
             "says why (M, Q, O, L)\n"
             "9:4 value [—] '—' is not a number; leave the value blank and give a status that "
             "says why (M, Q, O, L)\n"
             "10:4 value [６１００] \"６１００\" is not a decimal number\n"
             "11:4 value [0x1A] \"0x1A\" is not a decimal number\n"
             "12:4 value [6 100] \"6 100\" is not a decimal number\n"},
    {.name = "all on one side of the limit",
     .header = H,
     .records = "gdp,310105,2023,999999999999999999,CNY_E8" P
                "gdp,310106,2023,1000000000000000000000,CNY_E8" P
                "gdp,310101,2023,0.0000000000000000001,CNY_E8" P,
     .want = "4:4 value [0.0000000000000000001] the exponent of \"0.0000000000000000001\" is -19, "
             "outside -18..18\n"
             "2 A.gdp.P.level._Z._T 310105 2023 999999999999999999 CNY_E8 exact A - 2024-02-29 \n"
             "3 A.gdp.P.level._Z._T 310106 2023 1000000000000000000000 CNY_E8 exact A - "
             "2024-02-29 \n"},
    {.name = "grouped numbers",
     .header = H,
     .records = "gdp,310105,2019,\"1,765.06\",CNY_E8" P
                "gdp,310105,2020,\"-12,345,678\",CNY_E8" P
                "gdp,310105,2021,\"1,76\",CNY_E8" P
                "gdp,310105,2022,\"1234,567\",CNY_E8" P
                "gdp,310105,2023,\",123\",CNY_E8" P
                "gdp,310105,2024,\"1.234,567\",CNY_E8" P,
     .want = "4:4 value [1,76] '1,76' is not grouped by three like 1,234,567.8\n"
             "5:4 value [1234,567] '1234,567' is not grouped by three like 1,234,567.8\n"
             "6:4 value [,123] ',123' is not grouped by three like 1,234,567.8\n"
             "7:4 value [1.234,567] '1.234,567' is not grouped by three like 1,234,567.8\n"
             "2 A.gdp.P.level._Z._T 310105 2019 1765.06 CNY_E8 exact A - 2024-02-29 \n"
             "3 A.gdp.P.level._Z._T 310105 2020 -12345678 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "numbers as they stand",
     .header = H,
     .records = "gdp,310105,2019,-3.50,CNY_E8" P
                "gdp,310105,2020,+4,CNY_E8" P
                "gdp,310105,2021,1.5e3,CNY_E8" P
                "gdp,310105,2022, 7 ,CNY_E8" P
                "gdp,310105,2023,0,CNY_E8" P,
     .want = "2 A.gdp.P.level._Z._T 310105 2019 -3.50 CNY_E8 exact A - 2024-02-29 \n"
             "3 A.gdp.P.level._Z._T 310105 2020 4 CNY_E8 exact A - 2024-02-29 \n"
             "4 A.gdp.P.level._Z._T 310105 2021 1500 CNY_E8 exact A - 2024-02-29 \n"
             "5 A.gdp.P.level._Z._T 310105 2022 7 CNY_E8 exact A - 2024-02-29 \n"
             "6 A.gdp.P.level._Z._T 310105 2023 0 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "blank cells",
     .header = H,
     .records = ",310105,2023,1,CNY_E8" P
                "gdp,,2023,1,CNY_E8" P
                "gdp,310105,,1,CNY_E8" P
                "gdp,310105,2023,,CNY_E8" P
                "gdp,310105,2023,1," P
                "gdp,310105,2023,1,CNY_E8,\n"
                " ,　,2023,1,CNY_E8" P,
     .want = "2:1 indicator [] indicator is blank\n"
             "3:2 place [] place is blank\n"
             "4:3 period [] period is blank\n"
             "5:4 value [] value is blank; give it, or a status that says why it is missing (M, "
             "Q, O, L; W withdraws)\n"
             "6:5 unit [] unit is missing; indicator gdp is kept in CNY_E8\n"
             "7:6 published [] publication date is missing; give it here, by --published, or by a "
             "source that has one\n"
             "8:1 indicator [ ] indicator is blank\n"
             "8:2 place [　] place is blank\n"},
    {.name = "a row of several defects tells all",
     .header = H,
     .records = "gdpp,310195,2023-13,abc,bananas,yesterday\n",
     .want = "2:1 indicator [gdpp] unknown indicator 'gdpp'; did you mean gdp "
             "(地区生产总值)?\n"
             "2:2 place [310195] unknown place '310195'; did you mean 310105 (长宁区)?\n"
             "2:3 period [2023-13] there is no period 2023-13: 2023 counts 1 to 12 of this "
             "frequency\n"
             "2:4 value [abc] \"abc\" is not a decimal number\n"
             "2:5 unit [bananas] unknown unit \"bananas\"\n"
             "2:6 published [yesterday] \"yesterday\" is not a date; expected YYYY-MM-DD\n"},
    {.name = "published",
     .header = H,
     .records = "gdp,310105,2023,1,CNY_E8,2024-02-30\n"
                "gdp,310106,2023,1,CNY_E8,2024/2/29\n"
                "gdp,310101,2023,1,CNY_E8,2024-10-06\n"
                "gdp,310000,2023,1,CNY_E8,2024-10-07\n",
     .want = "2:6 published [2024-02-30] there is no day 2024-02-30\n"
             "3:6 published [2024/2/29] \"2024/2/29\" is not a date; expected YYYY-MM-DD\n"
             "~ 5:6 published [2024-10-07] publication date 2024-10-07 is in the future\n"
             "4 A.gdp.P.level._Z._T 310101 2023 1 CNY_E8 exact A - 2024-10-06 \n"
             "5 A.gdp.P.level._Z._T 310000 2023 1 CNY_E8 exact A - 2024-10-07 \n"},
    {.name = "published of the source",
     .header = "indicator,place,period,value,unit,source\n",
     .records = "gdp,310105,2023,1,CNY_E8,report2023\n"
                "gdp,310106,2023,1,CNY_E8,2023年公报\n"
                "gdp,310101,2023,1,CNY_E8,undated\n"
                "gdp,310000,2023,1,CNY_E8,\n"
                "gdp,310000,2023,1,CNY_E8,nosuch\n",
     .want = "4:0 published [] publication date is missing; give it here, by --published, or by a "
             "source that has one\n"
             "5:0 published [] publication date is missing; give it here, by --published, or by a "
             "source that has one\n"
             "6:6 source [nosuch] unknown source 'nosuch'\n"
             "2 A.gdp.P.level._Z._T 310105 2023 1 CNY_E8 exact A report2023 2024-02-29 \n"
             "3 A.gdp.P.level._Z._T 310106 2023 1 CNY_E8 exact A report2023 2024-02-29 \n"},
    {.name = "a place not valid then",
     .header = H,
     .records = "gdp,310103,2010,1,CNY_E8" P
                "gdp,310103,2011,1,CNY_E8" P
                "gdp,310103,2012,1,CNY_E8" P
                "gdp,310151,2015,1,CNY_E8" P
                "gdp,310151,2016,1,CNY_E8" P,
     .want = "4:2 place [310103] 310103 (卢湾区) ended on 2011-05-31; 310101 came after it\n"
             "5:2 place [310151] 310151 (崇明区) began on 2016-07-01, so it has no value in "
             "that period\n"
             "2 A.gdp.P.level._Z._T 310103 2010 1 CNY_E8 exact A - 2024-02-29 \n"
             "3 A.gdp.P.level._Z._T 310103 2011 1 CNY_E8 exact A - 2024-02-29 \n"
             "6 A.gdp.P.level._Z._T 310151 2016 1 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "qualifier and status",
     .header = "indicator,place,period,value,unit,qualifier,status,published\n",
     .records = "enterprises,310105,2023,6100,家,more_than,P" P
                "enterprises,310106,2023,6100,家,超,初步" P
                "enterprises,310101,2023,6100,家,roughly,A" P
                "enterprises,310000,2023,6100,家,exact,Z" P
                "enterprises,310151,2023,6100,家,leading,A" P
                "enterprises,310105,2022,6100,家,About,e" P,
     .want = "4:6 qualifier [roughly] unknown qualifier 'roughly'; it is one of exact, about, "
             "more_than, at_least, less_than, at_most, nearly, passed_threshold, expected, "
             "leading, top_group\n"
             "5:7 status [Z] unknown status 'Z'; it is one of A, P, E, F, B, I, D, U, M, Q, O, L, "
             "W\n"
             "6:6 qualifier [leading] leading is said of ranks; the measure is level\n"
             "2 A.enterprises.P.level._Z._T 310105 2023 6100 count_jia more_than P - 2024-02-29 \n"
             "3 A.enterprises.P.level._Z._T 310106 2023 6100 count_jia more_than P - 2024-02-29 \n"
             "7 A.enterprises.P.level._Z._T 310105 2022 6100 count_jia about E - 2024-02-29 \n"},
    {.name = "missing with a reason",
     .header = "indicator,place,period,value,unit,status,published\n",
     .records = "gdp,310105,2023,,CNY_E8,M" P
                "gdp,310106,2023,,,Q" P
                "gdp,310101,2023,5,CNY_E8,O" P
                "gdp,310000,2023,,CNY_E8,P" P
                "gdp,310151,2023,,,W" P
                "gdp,310151,2022,,,X" P,
     .want = "4:4 value [5] status O says that there is no value, but one is given\n"
             "5:4 value [] value is blank; give it, or a status that says why it is missing (M, "
             "Q, O, L; W withdraws)\n"
             "7:6 status [X] unknown status 'X'; it is one of A, P, E, F, B, I, D, U, M, Q, O, L, "
             "W\n"
             "2 A.gdp.P.level._Z._T 310105 2023 - CNY_E8 exact M - 2024-02-29 \n"
             "3 A.gdp.P.level._Z._T 310106 2023 - CNY_E8 exact Q - 2024-02-29 \n"
             "6 A.gdp.P.level._Z._T 310151 2023 - CNY_E8 exact W - 2024-02-29 \n"},
    {.name = "measures and their units",
     .header = "indicator,place,period,measure,value,unit,published\n",
     .records = "gdp,310105,2023,growth_yoy,13," P
                "gdp,310106,2023,同比增长,5.5,%" P
                "gdp,310101,2023,growth_yoy,5.5,pp" P
                "gdp,310000,2023,pp_change,0.3," P
                "rd_intensity,310105,2023,pp_change,0.3,百分点" P
                "gdp,310105,2023,rank,1," P
                "gdp,310106,2023,rank,1.5," P
                "gdp,310101,2023,rank,0," P
                "gdp,310105,2023,target,1800," P
                "gdp,310106,2023,target,6,%" P
                "gdp,310151,2023,coverage,99," P
                "gdp,310105,2023,milestone,1," P
                "gdp,310105,2023,speed,1," P
                "gdp,310105,2022,ratio,1.5," P,
     .want = "4:6 unit [pp] unit pp is percentage points, but growth_yoy of gdp is ratio\n"
             "8:5 value [1.5] a rank is a whole number from 1 on\n"
             "9:5 value [0] a rank is a whole number from 1 on\n"
             "10:6 unit [] unit is missing; indicator gdp is kept in CNY_E8\n"
             "14:4 measure [speed] unknown measure 'speed'; it is one of level, growth_yoy, "
             "growth_pop, growth_avg, pp_change, share_of, rank, target, coverage, "
             "count_of_change, cumulative_level, contribution_pp, contribution_share, milestone, "
             "growth_cumulative, ratio\n"
             "15:6 unit [] unit is missing; indicator gdp is kept in CNY_E8\n"
             "2 A.gdp.P.growth_yoy._Z._T 310105 2023 13 percent exact A - 2024-02-29 \n"
             "3 A.gdp.P.growth_yoy._Z._T 310106 2023 5.5 percent exact A - 2024-02-29 \n"
             "5 A.gdp.P.pp_change._Z._T 310000 2023 0.3 pp exact A - 2024-02-29 \n"
             "6 A.rd_intensity.P.pp_change._Z._T 310105 2023 0.3 pp exact A - 2024-02-29 \n"
             "7 A.gdp.P.rank._Z._T 310105 2023 1 rank exact A - 2024-02-29 \n"
             "11 A.gdp.P.target._Z._T 310106 2023 6 percent exact A - 2024-02-29 \n"
             "12 A.gdp.P.coverage._Z._T 310151 2023 99 percent exact A - 2024-02-29 \n"
             "13 A.gdp.P.milestone._Z._T 310105 2023 1 ordinal exact A - 2024-02-29 \n"},
    {.name = "a rank without a number",
     .header = "indicator,place,period,measure,value,qualifier,published\n",
     .records = "gdp,310105,2023,rank,,leading" P
                "gdp,310106,2023,rank,,前列" P
                "gdp,310101,2023,rank,,about" P
                "gdp,310000,2023,level,,leading" P,
     .want = "4:5 value [] value is blank; give it, or a status that says why it is missing (M, "
             "Q, O, L; W withdraws)\n"
             "5:5 value [] value is blank; give it, or a status that says why it is missing (M, "
             "Q, O, L; W withdraws)\n"
             "5:6 qualifier [leading] leading is said of ranks; the measure is level\n"
             "2 A.gdp.P.rank._Z._T 310105 2023 - rank leading A - 2024-02-29 \n"
             "3 A.gdp.P.rank._Z._T 310106 2023 - rank top_group A - 2024-02-29 \n"},
    {.name = "accumulation",
     .header = "indicator,place,period,accumulation,value,unit,published\n",
     .records = "gdp,310105,2023-09,C,1,亿元" P
                "gdp,310105,2023-09,当期,2,亿元" P
                "gdp,310105,2023-09,累计,1,亿元" P
                "gdp,310105,2023-08,YTD,1,亿元" P
                "gdp,310105,2023-07,,1,亿元" P,
     .want = "~ 4:5 value [1] duplicate of row 2\n"
             "5:4 accumulation [YTD] unknown accumulation 'YTD'; it is one of P, C\n"
             "2 M.gdp.C.level._Z._T 310105 2023-09 1 CNY_E8 exact A - 2024-02-29 \n"
             "3 M.gdp.P.level._Z._T 310105 2023-09 2 CNY_E8 exact A - 2024-02-29 \n"
             "6 M.gdp.P.level._Z._T 310105 2023-07 1 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "breakdown",
     .header = "indicator,place,period,breakdown,value,unit,published\n",
     .records = "gdp,310105,2023,industry=software,1,亿元" P
                "gdp,310105,2023,size=large;industry=software,2,亿元" P
                "gdp,310105,2023,industry=software+size=large,2,亿元" P
                "gdp,310105,2023,_T,3,亿元" P
                "gdp,310105,2023,,3,亿元" P
                "gdp,310105,2023,software,1,亿元" P
                "gdp,310105,2023,a=b;a=c,1,亿元" P,
     .want = "~ 4:5 value [2] duplicate of row 3\n"
             "~ 6:5 value [3] duplicate of row 5\n"
             "7:4 breakdown [software] breakdown 'software' is not dimension=member\n"
             "8:4 breakdown [a=b;a=c] breakdown dimension 'a' is there twice\n"
             "2 A.gdp.P.level._Z.industry=software 310105 2023 1 CNY_E8 exact A - 2024-02-29 \n"
             "3 A.gdp.P.level._Z.industry=software+size=large 310105 2023 2 CNY_E8 exact A - "
             "2024-02-29 \n"
             "5 A.gdp.P.level._Z._T 310105 2023 3 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "relation",
     .header = "indicator,place,period,measure,relation,value,published\n",
     .records = "gdp,310105,2023,share_of,@310000,3.7" P
                "gdp,310105,2023,share_of,gdp@310000,3.7" P
                "gdp,310105,2023,rank,@310000/growth_yoy,2" P
                "gdp,310105,2023,share_of,@999999,3.7" P
                "gdp,310105,2023,share_of,gdpp,3.7" P
                "gdp,310105,2023,growth_yoy,@310000,3.7" P
                "gdp,310105,2023,rank,@310000/speed,2" P,
     .want = "~ 3:6 value [3.7] duplicate of row 2\n"
             "5:5 relation [@999999] unknown place '999999'\n"
             "6:5 relation [gdpp] unknown indicator 'gdpp'; did you mean gdp "
             "(地区生产总值)?\n"
             "7:5 relation [@310000] growth_yoy relates to nothing; a relation is for shares, "
             "ranks, contributions and the like\n"
             "8:5 relation [@310000/speed] relation: unknown measure 'speed'\n"
             "2 A.gdp.P.share_of.@310000._T 310105 2023 3.7 percent exact A - 2024-02-29 \n"
             "4 A.gdp.P.rank.@310000/growth_yoy._T 310105 2023 2 rank exact A - 2024-02-29 \n"},
    {.name = "power of ten beside the unit",
     .header = "INDICATOR,REF_AREA,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE,UNIT_MULT,OBS_STATUS,发"
               "布日期\n",
     .records = "gdp,310105,2023,1765,CNY,8,A" P
                "gdp,310106,2023,1765,CNY_E8,0,A" P
                "gdp,310101,2023,1765,CNY_E8,8,A" P
                "gdp,310000,2023,1765,CNY,99,A" P
                "gdp,310000,2022,1765,CNY,x,A" P,
     .want = "4:6 UNIT_MULT [8] unit CNY_E8 has a power of ten already, so this must be 0 or "
             "blank\n"
             "5:6 UNIT_MULT [99] power of ten 99 is outside -9..12 or not for this unit\n"
             "6:6 UNIT_MULT [x] 'x' is not a whole number\n"
             "2 A.gdp.P.level._Z._T 310105 2023 1765 CNY_E8 exact A - 2024-02-29 \n"
             "3 A.gdp.P.level._Z._T 310106 2023 1765 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "notes",
     .header = "indicator,place,period,value,unit,note,published\n",
     .records = "gdp,310105,2023,1,亿元, 初步核算 " P
                "gdp,310106,2023,1,亿元,\"a, \"\"b\"\"\nc\"" P,
     .want = "2 A.gdp.P.level._Z._T 310105 2023 1 CNY_E8 exact A - 2024-02-29 初步核算\n"
             "3 A.gdp.P.level._Z._T 310106 2023 1 CNY_E8 exact A - 2024-02-29 a, \"b\"\n"
             "c\n"},
    {.name = "duplicates",
     .header = H,
     .records = "gdp,310105,2023,1765.06,CNY_E8" P
                "gdp,长宁区,2023,1765.06,亿元" P
                "gdp,310105,2023,1765.1,CNY_E8" P
                "gdp,310105,2023,1765.060,CNY_E8" P
                "gdp,310105,2023,1765.1,CNY_E8,2024-03-01\n",
     .want = "~ 3:4 value [1765.06] duplicate of row 2\n"
             "4:4 value [1765.1] row 2 gives the same cell another value, status or note "
             "(1,765.06 亿元)\n"
             "5:4 value [1765.060] row 2 gives the same cell another value, status or note "
             "(1,765.06 亿元)\n"
             "2 A.gdp.P.level._Z._T 310105 2023 1765.06 CNY_E8 exact A - 2024-02-29 \n"
             "6 A.gdp.P.level._Z._T 310105 2023 1765.1 CNY_E8 exact A - 2024-03-01 \n"},
    {.name = "broken records",
     .header = H,
     .records = "gdp,310105,2023,1,CNY_E8" P
                "gdp,310\"105,2023,1,CNY_E8" P
                "\"gdp\"x,310105,2023,1,CNY_E8" P
                "gdp,310105,2023\n"
                "gdp,310105,2023,1,CNY_E8,2024-02-29,x\n"
                "\n"
                "gdp,310106,2023,1,\"CNY_E8,2024-02-29\n"
                "gdp,310101,2023,1,CNY_E8" P
                ",,,,,\n"
                "gdp,310000,2023,1,CNY_E8,2024-02-29",
     .want = "3:2 place [gdp,310\"105,2023,1,CNY_E8,2024-02-29] a quote inside the field; put the "
             "whole field in quotes and double the quote\n"
             "4:1 indicator [\"gdp\"x,310105,2023,1,CNY_E8,2024-02-29] text after the closing "
             "quote; a quote inside a quoted field is written twice\n"
             "5:0  [gdp,310105,2023] too few fields: 3, the header has 6\n"
             "6:0  [gdp,310105,2023,1,CNY_E8,2024-02-29,x] too many fields: 7, the header has 6\n"
             "8:5 unit [gdp,310106,2023,1,\"CNY_E8,2024-02-29] a quote is not closed\n"
             "2 A.gdp.P.level._Z._T 310105 2023 1 CNY_E8 exact A - 2024-02-29 \n"
             "9 A.gdp.P.level._Z._T 310101 2023 1 CNY_E8 exact A - 2024-02-29 \n"
             "11 A.gdp.P.level._Z._T 310000 2023 1 CNY_E8 exact A - 2024-02-29 \n"},
    {.name = "invalid UTF-8 costs its cell",
     .header = "indicator,place,period,value,unit,note,published\n",
     .records = "gdp,310105,2023,1,CNY_E8,\xB5\xC8" P
                "gdp,长宁区\xFF,2023,1,CNY_E8,x" P
                "gdp,310106,2023,\xE4\xB8,CNY_E8,x" P
                "地区生产总值,310101,2023,1,亿元,等" P,
     .want = "2:6 note [\\xb5\\xc8] byte 1 (0xB5) is not UTF-8\n"
             "3:2 place [长宁区\\xff] byte 10 (0xFF) is not UTF-8\n"
             "4:4 value [\\xe4\\xb8] byte 1 (0xE4) is not UTF-8\n"
             "5 A.gdp.P.level._Z._T 310101 2023 1 CNY_E8 exact A - 2024-02-29 等\n"},
    {.name = "a series key too long",
     .header = "indicator,place,period,breakdown,value,unit,published\n",
     .records = "gdp,310105,2023,a234567890123456789012345678901234567890=b2345678901234567890123"
                "456789012345678901234567890+c234567890123456789012345678901234567890=d2345678901"
                "234567890123456789012345678901234567890+e234567890123456789012345678901234567890"
                "=f2345678901234567890123456789012345678901234567890+g234567890123456789012345678"
                "901234567890=h2345678901234567890123456789012345678901234567890+i234567890123456"
                "789012345678901234567890=j2345678901234567890123456789012345678901234567890,1,"
                "亿元" P
                "gdp,310106,2023,a234567890123456789012345678901234567890=b2345678901234567890123"
                "456789012345678901234567890+c234567890123456789012345678901234567890=d2345678901"
                "234567890123456789012345678901234567890+e234567890123456789012345678901234567890"
                "=f2345678901234567890123456789012345678901234567890+g234567890123456789012345678"
                "901234567890=h2345678901234567890123456789012345678901234567890+i234567890123456"
                "789012345678901234567890=j2345678901234567890123456789012345678901234567890,1,"
                "亿元" P,
     .want = "2:4 breakdown "
             "[a234567890123456789012345678901234567890=b2345678901234567890123456789012345678901"
             "234567890+c234567890123456789012345678901234567890=d2345678901234567890123456789012"
             "345678901234567890+e234567890123456...] indicator, relation and breakdown together "
             "are too long for a series; 400 bytes is the most\n"
             "3:4 breakdown "
             "[a234567890123456789012345678901234567890=b2345678901234567890123456789012345678901"
             "234567890+c234567890123456789012345678901234567890=d2345678901234567890123456789012"
             "345678901234567890+e234567890123456...] indicator, relation and breakdown together "
             "are too long for a series; 400 bytes is the most\n"},
};
// clang-format on

static void outcome_of(const rows_case *row, alm_buf *out)
{
    alm_arena *arena = alm_arena_create(0);
    alm_catalog *catalog = test_catalog();
    assert_non_null(arena);
    assert_non_null(catalog);
    piece p = {.kind = PIECE_OBSERVATIONS,
               .header = alm_str_from(row->header),
               .records = alm_str_from(row->records),
               .first_row = 2};
    piece_result result;
    alm_status st = ALM_STATUS_INIT;
    if (piece_check(&p, catalog, TEST_TODAY, arena, &result, &st) != ALM_OK) {
        alm_buf_printf(out, "%s: %s\n", alm_code_name(st.code), st.message);
    } else {
        put_defects(out, &result.report);
        put_observations(out, result.observations, catalog);
    }
    alm_catalog_destroy(&catalog);
    alm_arena_destroy(&arena);
}

static void tells(void **state)
{
    const rows_case *row = *state;
    alm_buf out;
    alm_buf_init(&out, 0);
    outcome_of(row, &out);
    alm_buf_char(&out, '\0');
    assert_false(out.failed);
    assert_string_equal((const char *)out.data, row->want);
    alm_buf_deinit(&out);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(cases)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(cases); i++) {
        rows_case *row = (rows_case *)(uintptr_t)&cases[i];
        tests[i] = (struct CMUnitTest){.name = row->name, .test_func = tells, .initial_state = row};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
