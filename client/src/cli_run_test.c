// The command line as it is typed: what it asks the almanac, what it refuses and how it says so,
// exit codes, completion and the manual.
#include "cli.h"

#include "outcome.h"
#include "cli_command.h"
#include "cli_nearest.h"
#include "example.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define ARGUMENT_MAX 24

static fake_gateway gateway;

static int set_up(void **state)
{
    (void)state;
    gateway = (fake_gateway){0};
    example_fill(&gateway);
    fake_gateway_start(&gateway);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_gateway_stop(&gateway);
    return 0;
}

// args end with NULL. with_endpoint: asks the fake gateway.
static void run(const char *const *args, bool with_endpoint, outcome *ret)
{
    const char *const endpoint[] = {"--endpoint", gateway.endpoint, NULL};
    outcome_run(ret, args, with_endpoint ? endpoint : NULL);
}

// --- what is asked ------------------------------------------------------------------------------

typedef struct ask_row {
    const char *name;
    const char *args[ARGUMENT_MAX];
    const char *want; // of the request: see describe
} ask_row;

static const ask_row ask_rows[] = {
    {"ask: query",
     {"query", "gdp,tax", "--place", "310105", "--period", "2019..2023"},
     "gdp+tax 310105 2019..2023 t- o0 n0"},
    {"ask: words with commas and spaces",
     {"query", "gdp, tax,", "地区生产总值", "-p", "310105", "-t", "2023"},
     "gdp+tax+地区生产总值 310105 2023 t- o0 n0"},
    {"ask: latest", {"latest", "gdp", "--place", "310105"}, "gdp 310105 latest t- o0 n0"},
    {"ask: latest with a period",
     {"latest", "gdp", "--place", "310105", "--period", "last:2"},
     "gdp 310105 last:2 t- o0 n0"},
    {"ask: series", {"series", "gdp", "--place", "310105"}, "gdp 310105 all t- o0 n0"},
    {"ask: growth", {"growth", "gdp", "--place", "310105"}, "gdp 310105 latest tpc1 o0 n0"},
    {"ask: rank is in order",
     {"rank", "gdp", "--place", "310000/*"},
     "gdp 310000/* latest trank o2 n0"},
    {"ask: rank in another order",
     {"rank", "gdp", "--place", "310000/*", "--order", "key"},
     "gdp 310000/* latest trank o0 n0"},
    {"ask: share", {"share", "gdp", "--place", "310105"}, "gdp 310105 latest tshare o0 n0"},
    {"ask: rollup",
     {"rollup", "gdp", "--place", "310000/**@town", "--group-by", "district", "--incomplete"},
     "gdp 310000/**@town latest trollup o0 n0 g=district incomplete"},
    {"ask: target", {"target", "gdp", "--place", "310105"}, "gdp 310105 latest ttarget o0 n0"},
    {"ask: transform",
     {"query", "gdp", "--place", "310105", "--period", "2023", "--transform", "share",
      "--transform", "ch1"},
     "gdp 310105 2023 tshare+ch1 o0 n0"},
    {"ask: transform of a shorthand",
     {"rank", "gdp", "-p", "1", "--transform", "pc1"},
     "gdp 1 latest trank+pc1 o2 n0"},
    {"ask: order and limit",
     {"query", "gdp", "-p", "310000/*", "-t", "2023", "--order", "value:desc", "-n", "5"},
     "gdp 310000/* 2023 t- o1 n5"},
    {"ask: commas of formulas are theirs",
     {"query", "ma(gdp,3) / pop[a=b,c=d],gdp", "-p", "1", "-t", "2023"},
     "ma(gdp,3) / pop[a=b,c=d]+gdp 1 2023 t- o0 n0"},
    {"ask: measure, unit, date, sources",
     {"query", "gdp", "-p", "1", "-t", "2023", "-m", "*", "-u", "亿元", "--as-of", "2024-02-01",
      "--source", "a", "--source", "b"},
     "gdp 1 2023 t- o0 n0 m=* u=亿元 d=2024-02-01 s=a s=b"},
    {"ask: breakdowns",
     {"query", "gdp", "-p", "1", "-t", "2023", "--by", "industry=software", "--by", "size=large"},
     "gdp 1 2023 t- o0 n0 b=industry=software+size=large"},
    {"ask: accumulation, frequency, sequence",
     {"query", "gdp", "-p", "1", "-t", "2023", "--accumulation", "C", "--frequency", "Q",
      "--min-sequence", "9"},
     "gdp 1 2023 t- o0 n0 a=C f=Q q=9"},
    {"ask: global options in front",
     {"--lang", "en", "-o", "csv", "query", "gdp", "-p", "1", "-t", "2023"},
     "gdp 1 2023 t- o0 n0"},
};

static void describe(const Almanac__V1__QueryRequest *q, FILE *out)
{
    for (size_t i = 0; i < q->n_indicators; i++) {
        fprintf(out, "%s%s", i > 0 ? "+" : "", q->indicators[i]);
    }
    fprintf(out, " %s %s t%s", q->places, q->periods, q->n_transforms == 0 ? "-" : "");
    for (size_t i = 0; i < q->n_transforms; i++) {
        fprintf(out, "%s%s", i > 0 ? "+" : "", q->transforms[i]);
    }
    fprintf(out, " o%d n%u", (int)q->order, q->limit);
    const char *const parts[][2] = {{"m", q->measure},   {"u", q->unit},     {"d", q->as_of},
                                    {"b", q->breakdown}, {"g", q->group_by}, {"a", q->accumulation},
                                    {"f", q->frequency}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(parts); i++) {
        if (parts[i][1][0] != '\0') {
            fprintf(out, " %s=%s", parts[i][0], parts[i][1]);
        }
    }
    for (size_t i = 0; i < q->n_sources; i++) {
        fprintf(out, " s=%s", q->sources[i]);
    }
    if (q->min_sequence > 0) {
        fprintf(out, " q=%llu", (unsigned long long)q->min_sequence);
    }
    fputs(q->incomplete ? " incomplete" : "", out);
}

static void asks(void **state)
{
    const ask_row *row = *state;
    outcome done;
    // No names are looked up for CSV, so the query is the last request.
    const char *args[ARGUMENT_MAX] = {0};
    size_t count = 0;
    for (; row->args[count] != NULL; count++) {
        args[count] = row->args[count];
    }
    args[count++] = "-o";
    args[count] = "csv";
    run(args, true, &done);
    assert_string_equal(done.err.text, "");
    assert_int_equal(done.exit_code, 0);
    alm_arena *arena = alm_arena_create(0);
    capture got;
    capture_open(&got);
    describe((const Almanac__V1__QueryRequest *)fake_gateway_request(
                 &gateway, &almanac__v1__query_request__descriptor, arena),
             got.stream);
    assert_string_equal(capture_close(&got), row->want);
    capture_free(&got);
    alm_arena_destroy(&arena);
    outcome_free(&done);
}

// Every word of the request is another, so that none can stand for another.
static void asks_for_series(void **state)
{
    static const char *const args[] = {
        "catalog", "series", "gdp, tax",       "jobs", "-p",         "310105/*",    "--theme",
        "economy", "-m",     "level",          "--by", "industry=*", "--frequency", "Q",
        "-w",      "a b",    "--accumulation", "C",    "-n",         "7",           "-o",
        "csv",     NULL};
    (void)state;
    outcome done;
    run(args, true, &done);
    assert_string_equal(done.err.text, "");
    assert_int_equal(done.exit_code, 0);
    alm_arena *arena = alm_arena_create(0);
    const Almanac__V1__CatalogRequest *q =
        (const Almanac__V1__CatalogRequest *)fake_gateway_request(
            &gateway, &almanac__v1__catalog_request__descriptor, arena);
    assert_int_equal(q->kind, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SERIES);
    assert_int_equal(q->n_indicators, 3);
    assert_string_equal(q->indicators[0], "gdp");
    assert_string_equal(q->indicators[1], "tax");
    assert_string_equal(q->indicators[2], "jobs");
    assert_string_equal(q->places, "310105/*");
    assert_string_equal(q->theme, "economy");
    assert_string_equal(q->measure, "level");
    assert_string_equal(q->breakdown, "industry=*");
    assert_string_equal(q->frequency, "Q");
    assert_string_equal(q->accumulation, "C");
    assert_string_equal(q->words, "a b");
    assert_int_equal(q->limit, 8); // one more tells whether there are more
    alm_arena_destroy(&arena);
    outcome_free(&done);
}

// --- what is refused ----------------------------------------------------------------------------

typedef struct refuse_row {
    const char *name;
    const char *args[ARGUMENT_MAX];
    int exit_code;
    const char *want; // in what is said
} refuse_row;

static const refuse_row refuse_rows[] = {
    {"refuse: nothing", {NULL}, 2, "Usage: almanac COMMAND"},
    {"refuse: unknown command", {"qurey", "gdp"}, 2, "unknown command qurey: did you mean query?"},
    {"refuse: a command like no other", {"frobnicate"}, 2, "unknown command frobnicate; see"},
    {"refuse: unknown option", {"query", "gdp", "--plcae", "1"}, 2, "did you mean --place"},
    {"refuse: option without value", {"query", "gdp", "--place"}, 2, "--place needs a value"},
    {"refuse: a word like no other", {"status", "--output", "pdf"}, 2, "one of table|csv|json"},
    {"refuse: no place", {"query", "gdp", "--period", "2023"}, 2, "--place is missing"},
    {"refuse: an empty place", {"catalog", "series", "--place", ""}, 2, "--place is empty"},
    {"refuse: an empty value among others",
     {"query", "gdp", "-p", "1", "-t", "2023", "--by", "a=b", "--by="},
     2,
     "--by is empty"},
    {"refuse: two values",
     {"query", "gdp", "-p", "310105", "-p", "310101", "-t", "2023"},
     2,
     "--place is given twice: 310105 and 310101"},
    {"refuse: no period", {"query", "gdp", "--place", "1"}, 2, "--period is missing"},
    {"refuse: no indicator", {"query", "--place", "1"}, 2, "needs INDICATOR"},
    {"refuse: only commas", {"query", ",", "-p", "1", "-t", "1"}, 2, "names no indicator"},
    {"refuse: a card of two places",
     {"scorecard", "--place", "310000/*", "--period", "2023"},
     2,
     "--place 310000/*: a scorecard is of one place"},
    {"refuse: a card of a range",
     {"scorecard", "--place", "310105", "--period", "2023..2024"},
     2,
     "--period 2023..2024: a scorecard is of one period"},
    {"refuse: a card of listed periods",
     {"scorecard", "--place", "310105", "--period", "2023,2024"},
     2,
     "a scorecard is of one period"},
    {"refuse: a card of each series' own period",
     {"scorecard", "--place", "310105", "--period", "latest"},
     2,
     "a scorecard is of one period"},
    {"refuse: limit", {"query", "gdp", "--limit", "-1"}, 2, "--limit"},
    {"refuse: too many words", {"status", "now"}, 2, "now is too much"},
    {"refuse: unknown catalogue", {"catalog", "palces"}, 2, "palces: did you mean places?"},
    {"refuse: series cannot be loaded", {"catalog", "series", "load", "x"}, 2, "cannot be loaded"},
    {"refuse: load without a file", {"catalog", "places", "load"}, 2, "load needs a file"},
    {"refuse: series of no indicator", {"catalog", "series", ","}, 2, "names no indicator"},
    {"refuse: a theme of places",
     {"catalog", "places", "--theme", "economy"},
     2,
     "--theme goes with series only"},
    {"refuse: words of a file",
     {"catalog", "places", "load", "x", "--words", "y"},
     2,
     "--words does not go with load"},
    {"refuse: a breakdown of a file",
     {"catalog", "places", "load", "x", "--by", "a=b"},
     2,
     "--by does not go with load"},
    {"refuse: unknown verb", {"catalog", "places", "laod"}, 2, "only load may stand here"},
    {"refuse: one batch id for two files",
     {"import", "a", "b", "--batch-id", "x"},
     2,
     "--batch-id names one file, not 2"},
    {"refuse: a watch with a word of a question",
     {"watch", "gdp", "--transform", "pc1"},
     2,
     "--transform is of a question, which needs --period"},
    {"refuse: a watch with an order",
     {"watch", "gdp", "--limit", "3"},
     2,
     "--limit is of a question, which needs --period"},
    {"refuse: a watch of no place", {"watch", "gdp", "--period", "2023"}, 2, "--place is missing"},
    {"refuse: help for nothing", {"help", "qury"}, 2, "did you mean query"},
    {"refuse: unknown shell", {"completion", "powershell"}, 2, "one of bash|zsh|fish"},
    {"refuse: nobody there",
     {"status", "--endpoint", "ipc:///tmp/almanac-nobody-is-here", "--timeout", "50ms"},
     4,
     "no almanac: no healthy connection to ipc:///tmp/almanac-nobody-is-here within 50 ms: "},
};

static void refuses(void **state)
{
    const refuse_row *row = *state;
    outcome done;
    run(row->args, false, &done);
    assert_int_equal(done.exit_code, row->exit_code);
    if (strstr(done.err.text, row->want) == NULL) {
        fail_msg("said: %s", done.err.text);
    }
    assert_string_equal(done.out.text, "");
    bool is_help = row->args[0] == NULL;
    const char *line_end = strchr(done.err.text, '\n');
    assert_true(is_help || (line_end != NULL && line_end[1] == '\0')); // one line
    outcome_free(&done);
}

// --- failures of the almanac --------------------------------------------------------------------

static void exits_by_the_class_of_the_failure(void **state)
{
    (void)state;
    static const struct {
        alm_code code;
        int exit_code;
    } rows[] = {{ALM_INVALID_ARGUMENT, 2},
                {ALM_NOT_FOUND, 3},
                {ALM_RESOURCE_EXHAUSTED, 4},
                {ALM_DATA_LOSS, 5},
                {ALM_INTERNAL, 1}};
    static const char *const args[] = {"query", "gdp", "-p", "1", "-t", "2023", NULL};
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        outcome done;
        gateway.failure = rows[i].code;
        gateway.failure_text = "place 1: no such place";
        run(args, true, &done);
        gateway.failure = ALM_OK;
        assert_int_equal(done.exit_code, rows[i].exit_code);
        assert_non_null(strstr(done.err.text, "place 1: no such place"));
        outcome_free(&done);
    }
}

static void says_item_errors_and_shows_the_rest(void **state)
{
    (void)state;
    static const fake_item_error errors[] = {{"gdpp", "no such indicator; did you mean gdp", 5}};
    static const char *const args[] = {"query", "gdp,gdpp", "-p", "1", "-t", "2023", NULL};
    outcome done;
    gateway.errors = errors;
    gateway.error_count = 1;
    run(args, true, &done);
    gateway.error_count = 0;
    assert_int_equal(done.exit_code, 3);
    assert_string_equal(done.err.text, "almanac: gdpp: no such indicator; did you mean gdp\n");
    assert_non_null(strstr(done.out.text, "Gross domestic product"));
    outcome_free(&done);
}

// --- import -------------------------------------------------------------------------------------

static alm_code quarantine_one(fake_gateway *self, alm_arena *arena,
                               const Almanac__V1__ImportRequest *request,
                               Almanac__V1__ImportResponse *ret, alm_status *st)
{
    (void)self;
    (void)request;
    (void)st;
    static char field[] = "value", value[] = "n/a", reason[] = "not a number";
    Almanac__V1__Defect *defect = alm_arena_alloc(arena, sizeof *defect);
    ret->defects = alm_arena_alloc(arena, sizeof *ret->defects);
    almanac__v1__defect__init(defect);
    defect->row = 2;
    defect->column = 1;
    defect->field = field;
    defect->value = value;
    defect->reason = reason;
    ret->defects[0] = defect;
    ret->n_defects = 1;
    ret->defects_not_listed = 4;
    ret->rows = 1;
    ret->quarantined = 1;
    return ALM_OK;
}

static alm_code replay(fake_gateway *self, alm_arena *arena,
                       const Almanac__V1__ImportRequest *request, Almanac__V1__ImportResponse *ret,
                       alm_status *st)
{
    (void)self;
    (void)arena;
    (void)request;
    (void)st;
    ret->replayed = 1;
    ret->rows = 1;
    ret->added = 1;
    return ALM_OK;
}

static alm_code be_away(fake_gateway *self, alm_arena *arena,
                        const Almanac__V1__ImportRequest *request, Almanac__V1__ImportResponse *ret,
                        alm_status *st)
{
    (void)self;
    (void)arena;
    (void)request;
    (void)ret;
    return alm_status_set(st, ALM_UNAVAILABLE, "the store is away");
}

static void imports(void **state)
{
    (void)state;
    char path[] = "/tmp/almanac-cli-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a\n1\n", 4), 4);
    (void)close(fd);
    const char *const args[] = {"import", path, "--batch-id", "b-7", "--lang", "en", NULL};
    outcome done;
    char want[256];

    run(args, true, &done);
    (void)snprintf(want, sizeof want,
                   "%s: 1 rows, 1 added, 0 revised, 0 unchanged, 0 quarantined\n", path);
    assert_string_equal(done.out.text, want);
    assert_string_equal(done.err.text, ""); // no progress where nobody watches
    assert_int_equal(done.exit_code, 0);
    outcome_free(&done);

    gateway.import = quarantine_one;
    run(args, true, &done);
    (void)snprintf(want, sizeof want,
                   "%s:\nrow  column  field  value  reason\n  2       1  value  n/a    not a "
                   "number\n... and 4 more: almanac catalog quarantine lists them\n",
                   path);
    assert_string_equal(done.err.text, want);
    assert_int_equal(done.exit_code, 2);
    outcome_free(&done);

    gateway.import = replay;
    run(args, true, &done);
    assert_non_null(
        strstr(done.out.text, "nothing changed: this file was imported before (batch b-7)"));
    assert_int_equal(done.exit_code, 0);
    outcome_free(&done);

    // Whoever sets a time is not kept longer.
    const char *const hasty[] = {"import", path, "--timeout", "300ms", NULL};
    gateway.import = be_away;
    run(hasty, true, &done);
    gateway.import = replay;
    assert_int_equal(done.exit_code, 4);
    assert_non_null(strstr(done.err.text, "no healthy connection to"));
    outcome_free(&done);

    // A file that cannot be read does not keep the others back.
    const char *const two[] = {"import", "/nowhere.csv", path, NULL};
    run(two, true, &done);
    assert_int_equal(done.exit_code, 3);
    assert_non_null(strstr(done.err.text, "/nowhere.csv"));
    assert_non_null(strstr(done.out.text, path));
    outcome_free(&done);
    gateway.import = NULL;
    (void)unlink(path);
}

static void watches_a_question(void **state)
{
    (void)state;
    const char *const args[] = {"watch",       "gdp", "-p",  "310105",          "--period",
                                "latest",      "-o",  "csv", "--from-sequence", "9",
                                "--transform", "pc1", NULL};
    outcome done;
    run(args, true, &done);
    assert_int_equal(done.exit_code, 0);
    alm_arena *arena = alm_arena_create(0);
    const Almanac__V1__WatchRequest *request =
        (const Almanac__V1__WatchRequest *)fake_gateway_request(
            &gateway, &almanac__v1__watch_request__descriptor, arena);
    capture got;
    capture_open(&got);
    describe(request->query, got.stream);
    assert_string_equal(capture_close(&got), "gdp 310105 latest tpc1 o0 n0");
    capture_free(&got);
    assert_int_equal(request->from_sequence, 9);
    assert_int_equal(request->n_indicators, 0);
    assert_string_equal(request->places, "");
    alm_arena_destroy(&arena);
    outcome_free(&done);
}

static void loads_a_catalogue_with_its_kind(void **state)
{
    (void)state;
    char path[] = "/tmp/almanac-cli-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "code\nx\n", 7), 7);
    (void)close(fd);
    const char *const args[] = {"catalog", "places", "load", path, NULL};
    outcome done;
    run(args, true, &done);
    assert_int_equal(done.exit_code, 0);
    alm_arena *arena = alm_arena_create(0);
    const Almanac__V1__ImportRequest *request =
        (const Almanac__V1__ImportRequest *)fake_gateway_request(
            &gateway, &almanac__v1__import_request__descriptor, arena);
    assert_int_equal(request->kind, ALMANAC__V1__IMPORT_KIND__IMPORT_KIND_PLACES);
    alm_arena_destroy(&arena);
    outcome_free(&done);
    (void)unlink(path);
}

// --- settings ------------------------------------------------------------------------------------

// A flag beats a variable, a variable beats a file; all of them may stand in front of the command.
static void takes_settings_from_a_file_and_variables(void **state)
{
    (void)state;
    char path[] = "/tmp/almanac-cli-XXXXXX";
    static const char settings[] = "output = json\nplace = 1\nperiod = 2019\n";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, settings, sizeof settings - 1), sizeof settings - 1);
    (void)close(fd);
    assert_int_equal(setenv("ALMANAC_PERIOD", "2020", 1), 0);
    const char *const args[] = {"--config", path, "query", "gdp", "--place", "2", NULL};
    outcome done;
    run(args, true, &done);
    (void)unsetenv("ALMANAC_PERIOD");
    assert_int_equal(done.exit_code, 0);
    assert_int_equal(done.out.text[0], '{');
    alm_arena *arena = alm_arena_create(0);
    const Almanac__V1__QueryRequest *request =
        (const Almanac__V1__QueryRequest *)fake_gateway_request(
            &gateway, &almanac__v1__query_request__descriptor, arena);
    assert_string_equal(request->places, "2");
    assert_string_equal(request->periods, "2020");
    alm_arena_destroy(&arena);
    outcome_free(&done);
    const char *const print[] = {"--config", path, "query", "gdp", "--print-config", NULL};
    run(print, false, &done);
    assert_int_equal(done.exit_code, 0);
    assert_non_null(strstr(done.out.text, "2019"));
    outcome_free(&done);
    (void)unlink(path);
}

// --- what comes from the table ------------------------------------------------------------------

static void completes_every_command_and_option(void **state)
{
    (void)state;
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t s = 0; s < ALM_ARRAY_LEN(shells); s++) {
        const char *const args[] = {"completion", shells[s], NULL};
        outcome done;
        run(args, false, &done);
        assert_int_equal(done.exit_code, 0);
        for (size_t i = 0; i < cli_command_count; i++) {
            assert_non_null(strstr(done.out.text, cli_commands[i].name));
            for (size_t j = 0; j < cli_commands[i].option_count; j++) {
                assert_non_null(strstr(done.out.text, cli_commands[i].options[j].name));
            }
        }
        outcome_free(&done);
    }
}

// The README sends its reader there for them.
static void help_names_the_columns_of_a_file(void **state)
{
    (void)state;
    static const char *const columns[] = {
        "indicator 指标", "place 地区",         "period 时期",       "value 数值",
        "unit 单位",      "qualifier 限定",     "status 状态",       "measure 口径",
        "relation 关系",  "breakdown 分组",     "accumulation 累计", "source 来源",
        "note 备注",      "unit_mult 单位倍数", "published 发布日期"};
    static const char *const args[] = {"import", "--help", NULL};
    outcome done;
    run(args, false, &done);
    assert_int_equal(done.exit_code, 0);
    for (char *c = done.out.text; *c != '\0'; c++) {
        *c = *c == '\n' ? ' ' : *c; // lines break anywhere
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(columns); i++) {
        if (strstr(done.out.text, columns[i]) == NULL) {
            fail_msg("help of import does not name %s", columns[i]);
        }
    }
    outcome_free(&done);
}

static void documents_every_command(void **state)
{
    (void)state;
    static const char *const args[] = {"manual", NULL};
    outcome done;
    run(args, false, &done);
    for (size_t i = 0; i < cli_command_count; i++) {
        char heading[64];
        (void)snprintf(heading, sizeof heading, ".Ss %s\n", cli_commands[i].name);
        assert_non_null(strstr(done.out.text, heading));
        assert_true(cli_commands[i].summary[0] != '\0');
        assert_true(cli_commands[i].details[0] != '\0');
    }
    outcome_free(&done);
}

static void status_knows_no_figures_without_storage(void **state)
{
    (void)state;
    const Almanac__V1__StatusResponse *usual = gateway.status;
    Almanac__V1__StatusResponse response;
    almanac__v1__status_response__init(&response);
    char version[] = "1";
    response.version = version;
    gateway.status = &response;
    const char *const table[] = {"status", "--lang", "en", NULL};
    const char *const csv[] = {"status", "-o", "csv", NULL};
    const char *const json[] = {"status", "-o", "json", NULL};
    outcome done;
    run(table, true, &done);
    assert_non_null(strstr(done.out.text, "—"));
    assert_null(strchr(done.out.text, '0'));
    outcome_free(&done);
    run(csv, true, &done);
    assert_non_null(strstr(done.out.text, "\nobservations,\n"));
    outcome_free(&done);
    run(json, true, &done);
    assert_non_null(strstr(done.out.text, "\"observations\":null"));
    outcome_free(&done);
    gateway.status = usual;
}

static void finds_the_nearest_word(void **state)
{
    (void)state;
    assert_true(alm_str_eq(cli_nearest_of(ALM_STR("jsno"), "table|csv|json"), ALM_STR("json")));
    assert_int_equal(cli_nearest_of(ALM_STR("x"), "table|csv|json").len, 0);
}

static struct CMUnitTest row_test(const char *name, CMUnitTestFunction test, const void *row)
{
    return (struct CMUnitTest){
        .name = name, .test_func = test, .initial_state = (void *)(uintptr_t)row};
}

int main(void)
{
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    struct CMUnitTest tests[ALM_ARRAY_LEN(ask_rows) + ALM_ARRAY_LEN(refuse_rows) + 12];
    size_t count = 0;
    for (size_t i = 0; i < ALM_ARRAY_LEN(ask_rows); i++) {
        tests[count++] = row_test(ask_rows[i].name, asks, &ask_rows[i]);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(refuse_rows); i++) {
        tests[count++] = row_test(refuse_rows[i].name, refuses, &refuse_rows[i]);
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(exits_by_the_class_of_the_failure);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(says_item_errors_and_shows_the_rest);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(watches_a_question);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(imports);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(loads_a_catalogue_with_its_kind);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(asks_for_series);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(takes_settings_from_a_file_and_variables);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(completes_every_command_and_option);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(documents_every_command);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(help_names_the_columns_of_a_file);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(status_knows_no_figures_without_storage);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(finds_the_nearest_word);
    ALM_ASSERT(count == ALM_ARRAY_LEN(tests));
    return _cmocka_run_group_tests("cli_run", tests, count, set_up, tear_down);
}
