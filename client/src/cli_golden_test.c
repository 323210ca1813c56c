// What the command line prints, byte by byte, against files in client/testing/golden. ALM_BLESS=1
// writes them anew; look at the difference before committing it.
#include "cli.h"

#include "capture.h"
#include "example.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define ARGUMENT_MAX 24
#define GOLDEN_MAX   65536

typedef struct golden_row {
    const char *name;               // of the file too
    const char *args[ARGUMENT_MAX]; // after "almanac"
    bool is_terminal;
    size_t columns;
} golden_row;

#define WHERE "--place", "310105", "--period", "2019..2023"

static const golden_row golden_rows[] = {
    {"query-zh", {"query", "*", WHERE, "--measure", "*", "--lang", "zh"}, false, 0},
    {"query-en", {"query", "*", WHERE, "--measure", "*", "--lang", "en"}, false, 0},
    {"query-csv", {"query", "*", WHERE, "-o", "csv"}, false, 0},
    {"query-json", {"query", "*", WHERE, "-o", "json"}, false, 0},
    {"series-terminal", {"series", "gdp", "--place", "310105", "--lang", "zh"}, true, 200},
    {"series-narrow", {"series", "gdp", "--place", "310105", "--lang", "en"}, true, 72},
    {"rank-zh", {"rank", "gdp", "--place", "310105", "--lang", "zh"}, false, 0},
    {"target-en", {"target", "homes", "--place", "310105", "--lang", "en"}, false, 0},
    {"target-zh", {"target", "homes", "--place", "310105", "--lang", "zh"}, true, 200},
    {"target-csv", {"query", "homes", WHERE, "--transform", "target", "-o", "csv"}, false, 0},
    {"target-json", {"target", "homes", "--place", "310105", "-o", "json"}, false, 0},
    {"share-nothing", {"share", "gdp", "--place", "310105", "--lang", "en"}, false, 0},
    {"scorecard-zh",
     {"scorecard", "--place", "310105", "--period", "2023", "--lang", "zh"},
     false,
     0},
    {"scorecard-en",
     {"scorecard", "--place", "310105", "--period", "2023", "--lang", "en"},
     false,
     0},
    {"scorecard-json",
     {"scorecard", "--place", "310105", "--period", "2023", "-o", "json"},
     false,
     0},
    {"explain-zh",
     {"explain", "gdp", "--place", "310105", "--period", "2023", "--lang", "zh"},
     false,
     0},
    {"explain-en",
     {"explain", "gdp", "--place", "310105", "--period", "2023", "--lang", "en"},
     false,
     0},
    {"explain-csv",
     {"explain", "gdp", "--place", "310105", "--period", "2023", "-o", "csv"},
     false,
     0},
    {"explain-json",
     {"explain", "gdp", "--place", "310105", "--period", "2023", "-o", "json"},
     false,
     0},
    {"reconcile-zh",
     {"reconcile", "*", "--place", "310105", "--period", "2023..2024", "--lang", "zh"},
     false,
     0},
    {"reconcile-en",
     {"reconcile", "*", "--place", "310105", "--period", "2023..2024", "--lang", "en"},
     true,
     120},
    {"reconcile-csv",
     {"reconcile", "*", "--place", "310105", "--period", "2023..2024", "-o", "csv"},
     false,
     0},
    {"reconcile-json",
     {"reconcile", "*", "--place", "310105", "--period", "2023..2024", "-o", "json"},
     false,
     0},
    {"reconcile-nothing-asked", {"reconcile", "gdp", "--place", "310105"}, false, 0},
    {"search-zh", {"search", "", "--lang", "zh"}, false, 0},
    {"catalog-more", {"catalog", "indicators", "--limit", "1", "--lang", "en"}, false, 0},
    {"search-more", {"search", "", "--limit", "1", "--lang", "en"}, false, 0},
    {"catalog-indicators", {"catalog", "indicators"}, false, 0},
    {"catalog-places-csv", {"catalog", "places", "-o", "csv"}, false, 0},
    {"catalog-sources-json", {"catalog", "sources", "-o", "json"}, false, 0},
    {"catalog-series", {"catalog", "series"}, false, 0},
    {"catalog-quarantine", {"catalog", "quarantine"}, false, 0},
    {"status-zh", {"status", "--lang", "zh"}, false, 0},
    {"status-json", {"status", "-o", "json"}, false, 0},
    {"status-csv", {"status", "-o", "csv"}, false, 0},
    {"verify-en", {"verify", "--lang", "en"}, false, 0},
    {"verify-json", {"verify", "-o", "json"}, false, 0},
    {"watch-zh", {"watch", "gdp", "--lang", "zh"}, false, 0},
    {"watch-json", {"watch", "-o", "json"}, false, 0},
    {"watch-csv", {"watch", "-o", "csv"}, false, 0},
    {"rpc-list-zh", {"rpc", "list", "--lang", "zh"}, false, 0},
    {"rpc-list-csv", {"rpc", "list", "Gateway", "-o", "csv"}, false, 0},
    {"rpc-list-json", {"rpc", "list", "almanac.internal.Health", "-o", "json"}, false, 0},
    {"rpc-describe", {"rpc", "describe", "Decimal"}, false, 0},
    {"rpc-call", {"rpc", "call", "Gateway.Status"}, false, 0},
    {"help", {"help"}, false, 0},
    {"help-rpc", {"rpc", "--help"}, false, 0},
    {"help-query", {"query", "--help"}, false, 0},
    {"help-reconcile", {"reconcile", "--help"}, false, 0},
    {"help-transforms", {"help", "transforms"}, false, 0},
    {"version", {"version"}, false, 0},
};

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

static void golden_path(const char *name, char *out, size_t size)
{
    (void)snprintf(out, size, "%s/%s.txt", ALM_GOLDEN_DIR, name);
}

static void read_golden(const char *name, char *out)
{
    char path[512];
    golden_path(name, path, sizeof path);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s is missing; ALM_BLESS=1 writes it", path);
        return;
    }
    size_t len = fread(out, 1, GOLDEN_MAX - 1, file);
    out[len] = '\0';
    (void)fclose(file);
}

static void bless(const char *name, const char *text)
{
    char path[512];
    golden_path(name, path, sizeof path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

// Output, then what was said, then the exit code.
static void run(const golden_row *row, char *ret)
{
    char endpoint[] = "--endpoint";
    char program[] = "almanac";
    char *argv[ARGUMENT_MAX + 4] = {program};
    int argc = 1;
    for (; argc <= ARGUMENT_MAX && row->args[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)row->args[argc - 1];
    }
    argv[argc++] = endpoint;
    argv[argc++] = gateway.endpoint;
    capture out, err;
    capture_open(&out);
    capture_open(&err);
    cli self = {.out = out.stream,
                .err = err.stream,
                .out_is_terminal = row->is_terminal,
                .columns = row->columns};
    int exit_code = cli_run(&self, argc, argv);
    int len = snprintf(ret, GOLDEN_MAX, "%s--- err\n%s--- exit %d\n", capture_close(&out),
                       capture_close(&err), exit_code);
    assert_true(len < GOLDEN_MAX);
    capture_free(&out);
    capture_free(&err);
}

static void prints_as_before(void **state)
{
    const golden_row *row = *state;
    static char got[GOLDEN_MAX], want[GOLDEN_MAX];
    run(row, got);
    if (getenv("ALM_BLESS") != NULL) {
        bless(row->name, got);
    }
    read_golden(row->name, want);
    assert_string_equal(got, want);
}

int main(void)
{
    static const char *const variables[] = {"ALMANAC_LANG", "ALMANAC_OUTPUT", "ALMANAC_PLACE",
                                            "ALMANAC_PERIOD", "NO_COLOR"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(variables); i++) {
        (void)unsetenv(variables[i]);
    }
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    struct CMUnitTest tests[ALM_ARRAY_LEN(golden_rows)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(golden_rows); i++) {
        tests[i] = (struct CMUnitTest){.name = golden_rows[i].name,
                                       .test_func = prints_as_before,
                                       .initial_state = (void *)(uintptr_t)&golden_rows[i]};
    }
    return _cmocka_run_group_tests("cli_golden", tests, ALM_ARRAY_LEN(tests), set_up, tear_down);
}
