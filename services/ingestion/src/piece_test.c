// Goal: a whole file comes through: the one with every defect there is, any encoding, any column
// order, cut into any pieces. Method: files against the whole outcome as text; random files against
// the same rows cut, reordered and encoded in other ways.
#include "testing.h"

#include "test_random.h"

#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct fixture {
    alm_arena *arena;
    alm_catalog *catalog;
    alm_buf text, out;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f.arena = alm_arena_create(0);
    f.catalog = test_catalog();
    alm_buf_init(&f.text, 0);
    alm_buf_init(&f.out, 0);
    *state = &f;
    return f.arena == NULL || f.catalog == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    alm_buf_deinit(&f->text);
    alm_buf_deinit(&f->out);
    alm_catalog_destroy(&f->catalog);
    alm_arena_destroy(&f->arena);
    return 0;
}

// Appends what came of the piece to out: an error, or defects and good rows.
static void put_outcome(fixture *f, const piece *p, piece_result *ret)
{
    alm_status st = ALM_STATUS_INIT;
    if (piece_check(p, f->catalog, TEST_TODAY, f->arena, ret, &st) != ALM_OK) {
        alm_buf_printf(&f->out, "%s %s: %s\n", alm_code_name(st.code), st.field, st.message);
        return;
    }
    put_defects(&f->out, &ret->report);
    if (ret->observations != NULL) {
        put_observations(&f->out, ret->observations, f->catalog);
    }
}

static void assert_out(fixture *f, const char *want)
{
    alm_buf_char(&f->out, '\0');
    assert_false(f->out.failed);
    assert_string_equal((const char *)f->out.data, want);
    alm_buf_reset(&f->out);
}

// --- the file of defects ------------------------------------------------------------------------

static const char defects_file[] =
    "indicator,place,period,value,unit,qualifier,status,published,note\n"
    "gdp,310105,2023,1765.06,CNY_E8,exact,A,2024-02-29,good\n"
    "gdp,310105,2023-13,1,CNY_E8,exact,A,2024-02-29,wrong period\n"
    "gdp,310105,0000,1,CNY_E8,exact,A,2024-02-29,year 0000\n"
    "gdp,310105,2022,1,bananas,exact,A,2024-02-29,unknown unit\n"
    "gdp,310195,2022,1,CNY_E8,exact,A,2024-02-29,unknown place\n"
    "gdpp,310105,2022,1,CNY_E8,exact,A,2024-02-29,unknown indicator\n"
    "gdp,310105,2022,1,m2,exact,A,2024-02-29,wrong dimension\n"
    "gdp,310105,2023,1765.10,CNY_E8,exact,A,2024-02-29,duplicate with another value\n"
    "gdp,310105,2022,NaN,CNY_E8,exact,A,2024-02-29,not a number\n"
    "gdp,310105,2022,1e400,CNY_E8,exact,A,2024-02-29,too large\n"
    "gdp,310105,2022,1234567890123456789,CNY_E8,exact,A,2024-02-29,too many digits\n"
    "gdp,310105,2022,1,CNY_E8,exact,A,2024-02-29,\xD0\xFF invalid UTF-8\n"
    "gdp,310103,2012,1,CNY_E8,exact,A,2024-02-29,place not valid then\n"
    "gdp,310105,2022,1,CNY_E8,exact,Z,2024-02-29,bad status\n"
    "gdp,310105,2022,1,CNY_E8,roughly,A,2024-02-29,bad qualifier\n"
    "gdp,310105,2022,1,CNY_E8,exact,A,2024-02-29,a 5\" quote\n"
    "gdp,310105,2022,1,CNY_E8,exact,A,2024-02-29,too,many\n"
    "gdp,310105,2022,1,CNY_E8\n"
    "gdp,310105,2022,1\0,CNY_E8,exact,A,2024-02-29,NUL\n"
    "gdp,310105,2022,,CNY_E8,exact,A,2024-02-29,blank value\n"
    "gdp,310105,2022,1,CNY_E8,exact,A,29/02/2024,malformed date\n"
    "gdp,310106,2023,2846.03,CNY_E8,exact,A,2024-02-29,\"good, \"\"quoted\"\"\"\n"
    "gdp,310105,2022,1,CNY_E8,exact,A,2024-02-29,\"not closed\n"
    "gdp,310101,2023,3027.68,CNY_E8,exact,A,2024-02-29,good\n";

// Header and the rest.
static piece piece_of(alm_str text)
{
    size_t end = ALM_MIN(alm_str_find_char(text, '\n'), text.len);
    return (piece){.header = alm_str_slice(text, 0, end),
                   .records = alm_str_slice(text, ALM_MIN(end + 1, text.len), text.len),
                   .first_row = 2};
}

static void tells_every_defect_and_takes_the_good_rows(void **state)
{
    fixture *f = *state;
    piece_result result;
    piece p = piece_of((alm_str){defects_file, sizeof defects_file - 1});
    oversize_record oversize = {.row = 26, .bytes = 104857600}; // a line of 100 MB
    p.oversize = &oversize;
    p.oversize_count = 1;
    put_outcome(f, &p, &result);
    assert_int_equal(result.rows, 25);
    assert_int_equal(result.report.set_aside_count, 22);
    assert_int_equal(result.observations->count, 3);
    assert_out(
        f,
        "3:3 period [2023-13] there is no period 2023-13: 2023 counts 1 to 12 of this frequency\n"
        "4:3 period [0000] the year of 0000 is outside 1..9999\n"
        "5:5 unit [bananas] unknown unit \"bananas\"\n"
        "6:2 place [310195] unknown place '310195'; did you mean 310105 (长宁区)?\n"
        "7:1 indicator [gdpp] unknown indicator 'gdpp'; did you mean gdp (地区生产总值)?\n"
        "8:5 unit [m2] unit m2 is area, but level of gdp is yuan\n"
        "9:4 value [1765.10] row 2 gives the same cell another value, status or note (1,765.06 "
        "亿元)\n"
        "10:4 value [NaN] 'NaN' is not a number; leave the value blank and give a status that says "
        "why (M, Q, O, L)\n"
        "11:4 value [1e400] the exponent of \"1e400\" is 400, outside -18..18\n"
        "12:4 value [1234567890123456789] \"1234567890123456789\" has more than 18 significant "
        "digits\n"
        "13:9 note [\\xd0\\xff invalid UTF-8] byte 1 (0xD0) is not UTF-8\n"
        "14:2 place [310103] 310103 (卢湾区) ended on 2011-05-31; 310101 came after it\n"
        "15:7 status [Z] unknown status 'Z'; it is one of A, P, E, F, B, I, D, U, M, Q, O, L, W\n"
        "16:6 qualifier [roughly] unknown qualifier 'roughly'; it is one of exact, about, "
        "more_than, at_least, less_than, at_most, nearly, passed_threshold, expected, leading, "
        "top_group\n"
        "17:9 note [gdp,310105,2022,1,CNY_E8,exact,A,2024-02-29,a 5\" quote] a quote inside the "
        "field; put the whole field in quotes and double the quote\n"
        "18:0  [gdp,310105,2022,1,CNY_E8,exact,A,2024-02-29,too,many] too many fields: 10, the "
        "header has 9\n"
        "19:0  [gdp,310105,2022,1,CNY_E8] too few fields: 5, the header has 9\n"
        "20:0  [gdp,310105,2022,1\\x00,CNY_E8,exact,A,2024-02-29,NUL] the record holds a NUL byte\n"
        "21:4 value [] value is blank; give it, or a status that says why it is missing (M, Q, O, "
        "L; W withdraws)\n"
        "22:8 published [29/02/2024] \"29/02/2024\" is not a date; expected YYYY-MM-DD\n"
        "24:9 note [gdp,310105,2022,1,CNY_E8,exact,A,2024-02-29,\"not closed] a quote is not "
        "closed\n"
        "26:0  [] the record has 104857600 bytes, at most 1048576 are taken\n"
        "2 A.gdp.P.level._Z._T 310105 2023 1765.06 CNY_E8 exact A - 2024-02-29 good\n"
        "23 A.gdp.P.level._Z._T 310106 2023 2846.03 CNY_E8 exact A - 2024-02-29 good, \"quoted\"\n"
        "25 A.gdp.P.level._Z._T 310101 2023 3027.68 CNY_E8 exact A - 2024-02-29 good\n");
}

// --- headers, defaults, kinds -------------------------------------------------------------------

typedef struct file_case {
    const char *name, *text;
    piece_kind kind;
    obs_defaults defaults;
    const char *want;
} file_case;

#define TEXT(s)                                                                                    \
    {                                                                                              \
        .data = s, .len = sizeof s - 1                                                             \
    }

static const file_case file_cases[] = {
    {.name = "a missing column",
     .text = "indicator,period,value,published\n"
             "gdp,2023,1,2024-02-29\n",
     .kind = PIECE_OBSERVATIONS,
     .want = "INVALID_ARGUMENT header: column 'place' is missing; give it or --place\n"},
    {.name = "no publication date anywhere",
     .text = "indicator,place,period,value\n"
             "gdp,310105,2023,1\n",
     .kind = PIECE_OBSERVATIONS,
     .want = "INVALID_ARGUMENT header: column 'published' is missing; give it or --published, or a "
             "source that has a publication date\n"},
    {.name = "no header",
     .text = "\n"
             "\n",
     .kind = PIECE_OBSERVATIONS,
     .want = "INVALID_ARGUMENT header: the file has no header\n"},
    {.name = "a broken header",
     .text = "indicator,\"place\n"
             "x\n",
     .kind = PIECE_OBSERVATIONS,
     .want = "INVALID_ARGUMENT header: header, column 2: a quote is not closed\n"},
    {.name = "a header and nothing else",
     .text = "indicator,place,period,value,published",
     .kind = PIECE_OBSERVATIONS,
     .want = ""},
    {.name = "a header that is not UTF-8",
     .text = "indicator,\xFF\xFF,period,value\n",
     .kind = PIECE_OBSERVATIONS,
     .want = "INVALID_ARGUMENT header: the name of column 2: byte 1 (0xFF) is not UTF-8\n"},
    {.name = "defaults for missing columns",
     .text = "indicator,value,unit\n"
             "gdp,1765.06,亿元\n",
     .kind = PIECE_OBSERVATIONS,
     .defaults = {.place = TEXT("长宁区"),
                  .period = TEXT("2023"),
                  .published = TEXT("2024-02-29"),
                  .source = TEXT("undated")},
     .want = "2 A.gdp.P.level._Z._T 310105 2023 1765.06 CNY_E8 exact A undated 2024-02-29 \n"},
    {.name = "a default for a blank cell",
     .text = "indicator,place,period,value,unit\n"
             "gdp,,2023,1765.06,亿元\n"
             "gdp,310106,2023,2,亿元\n",
     .kind = PIECE_OBSERVATIONS,
     .defaults = {.place = TEXT("310105"), .source = TEXT("report2023")},
     .want = "2 A.gdp.P.level._Z._T 310105 2023 1765.06 CNY_E8 exact A report2023 2024-02-29 \n"
             "3 A.gdp.P.level._Z._T 310106 2023 2 CNY_E8 exact A report2023 2024-02-29 \n"},
    {.name = "a wrong default",
     .text = "indicator,value,unit\n"
             "gdp,1,亿元\n",
     .kind = PIECE_OBSERVATIONS,
     .defaults = {.place = TEXT("310195"), .period = TEXT("2023"), .published = TEXT("2024-02-29")},
     .want = "INVALID_ARGUMENT place: the default place: unknown place '310195'; did you mean "
             "310105 (长宁区)?\n"},
    {.name = "a wrong default date",
     .text = "indicator,place,period,value,unit\n"
             "gdp,310105,2023,1,亿元\n",
     .kind = PIECE_OBSERVATIONS,
     .defaults = {.published = TEXT("today")},
     .want = "INVALID_ARGUMENT published: the default published: \"today\" is not a date; expected "
             "YYYY-MM-DD\n"},
    {.name = "targets",
     .text = "indicator,place,period,value,unit,measure,published\n"
             "gdp,310105,2021/2025,2000,亿元,,2021-03-01\n"
             "gdp,310105,2023,6,%,target,2023-01-10\n"
             "gdp,310105,2022,1700,亿元,level,2023-01-10\n",
     .kind = PIECE_TARGETS,
     .want = "2 A.gdp.P.target._Z._T 310105 2021/2025 2000 CNY_E8 exact A - 2021-03-01 \n"
             "3 A.gdp.P.target._Z._T 310105 2023 6 percent exact A - 2023-01-10 \n"
             "4 A.gdp.P.level._Z._T 310105 2022 1700 CNY_E8 exact A - 2023-01-10 \n"},
    {.name = "UTF-16",
     .text = "\xFF\xFEi",
     .kind = PIECE_OBSERVATIONS,
     .want = "INVALID_ARGUMENT encoding: the file is UTF-16; save it as \"CSV UTF-8\" and import "
             "that\n"},
};

static void comes_through(void **state)
{
    const file_case *row = *state;
    void *inner = NULL;
    assert_int_equal(set_up(&inner), 0);
    fixture *f = inner;
    piece_result result;
    piece p = piece_of(alm_str_from(row->text));
    p.kind = row->kind;
    p.defaults = row->defaults;
    put_outcome(f, &p, &result);
    assert_out(f, row->want);
    tear_down(&inner);
}

// --- encodings ----------------------------------------------------------------------------------

static void encode_gb18030(alm_str text, alm_buf *out)
{
    iconv_t to_gb = iconv_open("GB18030", "UTF-8");
    assert_true(to_gb != (iconv_t)-1);
    char *in = (char *)(uintptr_t)text.data;
    size_t in_left = text.len;
    char *to = (char *)alm_buf_reserve(out, 4 * text.len);
    size_t to_left = 4 * text.len;
    assert_true(iconv(to_gb, &in, &in_left, &to, &to_left) != (size_t)-1);
    out->len += 4 * text.len - to_left;
    iconv_close(to_gb);
}

static const char zh_file[] = "指标,地区,时期,数值,单位,限定,发布日期,备注\n"
                              "地区生产总值,长宁区,2023,1765.06,亿元,超,2024-02-29,"
                              "初步核算\n"
                              "企业数,静安区,2023,6100,家,约,2024-02-29,\n"
                              "常住人口,长宁区,2023,\"1,069\",万人,,2024-02-29,\"见"
                              "“公报”\"\n"
                              "常驻人口,长宁区,2023,69.3,万人,,2024-02-29,\n";

static void reads_alike_in_any_encoding(void **state)
{
    fixture *f = *state;
    alm_str utf8 = {zh_file, sizeof zh_file - 1};
    alm_buf marked, gb;
    alm_buf_init(&marked, 0);
    alm_buf_init(&gb, 0);
    alm_buf_str(&marked, ALM_STR("\xEF\xBB\xBF"));
    alm_buf_str(&marked, utf8);
    encode_gb18030(utf8, &gb);
    const alm_str files[] = {utf8, alm_buf_view(&marked), alm_buf_view(&gb)};
    const text_encoding want[] = {TEXT_UTF8, TEXT_UTF8, TEXT_GB18030};
    for (size_t i = 0; i < ALM_ARRAY_LEN(files); i++) {
        piece_result result;
        piece p = piece_of(files[i]);
        put_outcome(f, &p, &result);
        assert_int_equal(result.encoding, want[i]);
        assert_int_equal(result.report.set_aside_count, 1);
        assert_out(
            f, "5:1 指标 [常驻人口] unknown indicator '常驻人口'; did you mean population "
               "(常住人口)?\n"
               "2 A.gdp.P.level._Z._T 310105 2023 1765.06 CNY_E8 more_than A - 2024-02-29 "
               "初步核算\n"
               "3 A.enterprises.P.level._Z._T 310106 2023 6100 count_jia about A - 2024-02-29 \n"
               "4 A.population.P.level._Z._T 310105 2023 1069 persons_E4 exact A - 2024-02-29 "
               "见“公报”\n");
    }
    alm_buf_deinit(&marked);
    alm_buf_deinit(&gb);
}

static void quarantines_a_record_as_it_came(void **state)
{
    fixture *f = *state;
    piece_result result;
    alm_buf gb;
    alm_buf_init(&gb, 0);
    encode_gb18030((alm_str){zh_file, sizeof zh_file - 1}, &gb);
    piece p = piece_of(alm_buf_view(&gb));
    put_outcome(f, &p, &result);
    alm_str record = result.report.set_aside[0].record;
    assert_true(alm_str_find(alm_buf_view(&gb), record) != SIZE_MAX);
    assert_true(alm_str_ends_with(alm_buf_view(&gb), ALM_STR("2024-02-29,\n")));
    assert_int_equal(alm_str_find(record, ALM_STR("\n")), SIZE_MAX);
    assert_int_equal(record.len + 1 + alm_str_find(alm_buf_view(&gb), record), gb.len);
    alm_buf_deinit(&gb);
}

// --- pieces and columns -------------------------------------------------------------------------

// A cell that is right, wrong, or needs quotes.
static void put_random_row(alm_buf *out, uint64_t *seed, const size_t order[6])
{
    static const char *const cells[6][8] = {
        {"gdp", "地区生产总值", "population", "gdp", "gdpp", "enterprises", "\"gdp\"", ""},
        {"310105", "长宁区", "310106", "310101", "310195", "310103", "\"静安区\"", "上海市"},
        {"2023", "2022", "2021-Q1", "2019", "2023-13", "2010", "\"2023\"", "2023-09"},
        {"1", "2", "1.50", "-3", "NaN", "\"1,000\"", "", "7"},
        {"亿元", "CNY_E8", "万人", "家", "m2", "", "\"亿元\"", "亿元"},
        {"2024-02-29", "2024-01-31", "2023-12-31", "2024-02-29", "soon", "\"a\nb\"", "",
         "2024-02-29"},
    };
    for (size_t i = 0; i < 6; i++) {
        size_t pick = random_below(seed, 3) == 0 ? random_below(seed, 8) : random_below(seed, 4);
        alm_buf_printf(out, "%s%s", i > 0 ? "," : "", cells[order[i]][pick]);
    }
    static const char *const ends[] = {"\n", "\r\n", "\n\n", "\n"};
    alm_buf_str(out, alm_str_from(ends[random_below(seed, 4)]));
}

static const char *const column_names[][6] = {
    {"indicator", "place", "period", "value", "unit", "published"},
    {"指标", "地区", "时期", "数值", "单位", "发布日期"},
};

static void put_header(alm_buf *out, uint64_t *seed, const size_t order[6])
{
    for (size_t i = 0; i < 6; i++) {
        alm_buf_printf(out, "%s%s", i > 0 ? "," : "",
                       column_names[random_below(seed, 2)][order[i]]);
    }
    alm_buf_char(out, '\n');
}

static void shuffle(uint64_t *seed, size_t order[6])
{
    for (size_t i = 0; i < 6; i++) {
        order[i] = i;
    }
    for (size_t i = 5; i > 0; i--) {
        size_t j = random_below(seed, i + 1);
        size_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

// The outcome of the piece cut at random between its records: all defects, then all good rows.
static void put_cut_outcome(fixture *f, const piece *whole, uint64_t *seed, alm_buf *out)
{
    alm_buf rows;
    alm_buf_init(&rows, 0);
    csv_reader reader;
    csv_record record;
    csv_reader_init(&reader, whole->records, whole->first_row, f->arena);
    piece part = *whole;
    part.encoding = TEXT_UTF8; // as the answer to the first piece tells
    size_t from = 0;
    bool more = true;
    while (more) {
        more = csv_next(&reader, &record);
        if (more && random_below(seed, 2) == 0) {
            continue; // no cut behind this record
        }
        size_t to = more ? ALM_MIN(reader.at, whole->records.len) : whole->records.len;
        part.records = alm_str_slice(whole->records, from, to);
        piece_result result;
        assert_int_equal(piece_check(&part, f->catalog, TEST_TODAY, f->arena, &result, NULL),
                         ALM_OK);
        put_defects(out, &result.report);
        put_observations(&rows, result.observations, f->catalog);
        from = to;
        part.first_row = reader.row;
    }
    alm_buf_str(out, alm_buf_view(&rows));
    alm_buf_deinit(&rows);
}

// Duplicates are told within a piece only (storage tells them across pieces), so files that have
// one are passed over.
static void any_cut_gives_the_rows_of_the_whole(void **state)
{
    fixture *f = *state;
    uint64_t seed = random_seed();
    size_t compared = 0;
    for (size_t round = 0; round < 500; round++) {
        alm_arena_reset(f->arena);
        alm_buf_reset(&f->text);
        alm_buf_reset(&f->out);
        size_t order[6];
        shuffle(&seed, order);
        put_header(&f->text, &seed, order);
        for (size_t rows = random_below(&seed, 10); rows > 0; rows--) {
            put_random_row(&f->text, &seed, order);
        }
        piece whole = piece_of(alm_buf_view(&f->text));
        piece_result result;
        put_outcome(f, &whole, &result);
        if (alm_str_find(alm_buf_view(&f->out), ALM_STR("row ")) != SIZE_MAX) {
            continue;
        }
        alm_buf cut;
        alm_buf_init(&cut, 0);
        put_cut_outcome(f, &whole, &seed, &cut);
        alm_buf_char(&cut, '\0');
        assert_out(f, (const char *)cut.data);
        alm_buf_deinit(&cut);
        compared++;
    }
    assert_true(compared > 150);
}

// --- bounds -------------------------------------------------------------------------------------

static void lists_some_defects_and_counts_the_rest(void **state)
{
    fixture *f = *state;
    piece_result result;
    alm_buf_str(&f->text, ALM_STR("indicator,place,period,value,unit,published\n"));
    size_t count = ALM_IMPORT_DEFECT_COUNT_MAX + 500;
    for (size_t i = 0; i < count; i++) {
        alm_buf_str(&f->text, ALM_STR("gdp,310105,2023,x,CNY_E8,2024-02-29\n"));
    }
    piece p = piece_of(alm_buf_view(&f->text));
    assert_int_equal(piece_check(&p, f->catalog, TEST_TODAY, f->arena, &result, NULL), ALM_OK);
    assert_int_equal(result.rows, count);
    assert_int_equal(result.report.defect_count, ALM_IMPORT_DEFECT_COUNT_MAX);
    assert_int_equal(result.report.defects_not_listed, 500);
    assert_int_equal(result.report.set_aside_count, count);
}

// Each search for the nearest reads the whole catalogue, so there must be few.
static void stays_quick_when_everything_is_unknown(void **state)
{
    fixture *f = *state;
    piece_result result;
    alm_buf_str(&f->text, ALM_STR("indicator,place,period,value,unit,published\n"));
    for (size_t i = 0; i < 20000; i++) {
        alm_buf_printf(&f->text, "gdp,x%05zu,2023,1,CNY_E8,2024-02-29\n", i);
    }
    piece p = piece_of(alm_buf_view(&f->text));
    assert_int_equal(piece_check(&p, f->catalog, TEST_TODAY, f->arena, &result, NULL), ALM_OK);
    assert_int_equal(result.report.set_aside_count, 20000);
    alm_str last = result.report.set_aside[19999].reason;
    assert_true(alm_str_eq(last, ALM_STR("unknown place 'x19999'")));
}

static void says_when_memory_is_out(void **state)
{
    fixture *f = *state;
    piece p = piece_of((alm_str){defects_file, sizeof defects_file - 1});
    bool was_enough = false;
    for (size_t bytes = 4096; !was_enough; bytes += 4096 * 3) {
        alm_arena *small = alm_arena_create(bytes);
        assert_non_null(small);
        piece_result result;
        alm_code code = piece_check(&p, f->catalog, TEST_TODAY, small, &result, NULL);
        was_enough = code == ALM_OK;
        assert_true(was_enough || code == ALM_RESOURCE_EXHAUSTED);
        assert_true(!was_enough || result.observations->count == 3);
        alm_arena_destroy(&small);
    }
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(file_cases) + 16];
    size_t count = 0;
    for (; count < ALM_ARRAY_LEN(file_cases); count++) {
        file_case *row = (file_case *)(uintptr_t)&file_cases[count];
        tests[count] = (struct CMUnitTest){
            .name = row->name, .test_func = comes_through, .initial_state = row};
    }
#define ADD(fn)                                                                                    \
    tests[count++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    ADD(tells_every_defect_and_takes_the_good_rows);
    ADD(reads_alike_in_any_encoding);
    ADD(quarantines_a_record_as_it_came);
    ADD(lists_some_defects_and_counts_the_rest);
    ADD(stays_quick_when_everything_is_unknown);
    ADD(says_when_memory_is_out);
    ADD(any_cut_gives_the_rows_of_the_whole);
    return _cmocka_run_group_tests("piece", tests, count, NULL, NULL);
}
