// Goal: rpc finds what is meant, sends what is written and says what is wrong, with the nearest
// word. Method: the command line against a gateway with canned answers, whose Reflection is the
// real one; files of descriptors that are not its own.
#include "cli.h"

#include "outcome.h"
#include "example.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define ARGUMENT_MAX 16

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

// Asks the fake gateway.
static void run(const char *const *args, outcome *ret)
{
    const char *words[ARGUMENT_MAX + 2] = {"rpc"};
    for (size_t i = 0; args[i] != NULL; i++) {
        words[i + 1] = args[i];
    }
    outcome_run(ret, words, (const char *const[]){"--server", gateway.endpoint, NULL});
}

typedef struct rpc_row {
    const char *name;
    const char *args[ARGUMENT_MAX];
    int exit_code;
    const char *out; // in what is printed; NULL: nothing is
    const char *err; // in what is said; NULL: nothing is
} rpc_row;

#define NEEDS_NO_INDICATOR "{\"places\":\"310105\",\"periods\":\"2023\"}"

static const rpc_row rpc_rows[] = {
    {"list: one by its short name", {"list", "Health"}, 0, "Check", NULL},
    {"list: one by its full name", {"list", "almanac.internal.Stats"}, 0, "Get", NULL},
    {"list: near", {"list", "Gatway"}, 3, NULL, "serves no Gatway: did you mean Gateway?"},
    {"list: near in full",
     {"list", "almanac.v1.Gatway"},
     3,
     NULL,
     "did you mean almanac.v1.Gateway?"},
    {"list: far", {"list", "Warehouse"}, 3, NULL, "one of Health|Reflection|Stats|Gateway"},

    {"describe: a service", {"describe", "Gateway"}, 0, "rpc Query(QueryRequest)", NULL},
    {"describe: a service that is not served", {"describe", "Storage"}, 0, "rpc Commit(", NULL},
    {"describe: a message", {"describe", "almanac.v1.Decimal"}, 0, "sint64 mantissa = 1;", NULL},
    {"describe: an enum", {"describe", "ValueType"}, 0, "VALUE_TYPE_STOCK = 2;", NULL},
    {"describe: an enum in a message", {"describe", "ServingStatus"}, 0, "NOT_SERVING = 2;", NULL},
    {"describe: a method", {"describe", "Gateway.Watch"}, 0, "(stream WatchResponse);", NULL},
    {"describe: a method in full",
     {"describe", "almanac.v1.Gateway/Import"},
     0,
     "rpc Import(ImportRequest) returns (ImportResponse);",
     NULL},
    {"describe: where it is from",
     {"describe", "Decimal"},
     0,
     "// almanac/v1/common.proto, package almanac.v1\n",
     NULL},
    {"describe: a package between",
     {"describe", "Storage.Catalog"},
     0,
     "(almanac.v1.CatalogRequest)",
     NULL},
    {"describe: a service called as an enum is",
     {"describe", "Aggregation.Plan"},
     0,
     "rpc Plan(almanac.v1.QueryRequest) returns (PlanResponse);",
     NULL},
    {"describe: nothing", {"describe"}, 2, NULL, "rpc describe: name a service"},
    {"describe: two of one name",
     {"describe", "WatchRequest"},
     2,
     NULL,
     "WatchRequest may be almanac.internal.WatchRequest or almanac.v1.WatchRequest"},
    {"describe: near", {"describe", "Decimals"}, 3, NULL, "Decimals: did you mean Decimal?"},
    {"describe: near in full",
     {"describe", "almanac.v1.Decimals"},
     3,
     NULL,
     "did you mean almanac.v1.Decimal?"},
    {"describe: far", {"describe", "Elephant"}, 3, NULL, "no message, enum or service Elephant\n"},
    {"describe: near a method", {"describe", "Gateway.Qery"}, 3, NULL, "did you mean Query?"},
    {"describe: a method of a near service",
     {"describe", "Gatewy.Query"},
     3,
     NULL,
     "did you mean Gateway.Query?"},

    {"call: one", {"call", "Gateway.Status"}, 0, "{\"version\":\"", NULL},
    {"call: by a slash", {"call", "Gateway/Status", "--json", "{}"}, 0, "\"services\":[", NULL},
    {"call: by the full name", {"call", "almanac.v1.Gateway.Status"}, 0, "{\"version\":", NULL},
    {"call: a stream",
     {"call", "Gateway.Query", "--json", NEEDS_NO_INDICATOR},
     0,
     "{\"block\":{",
     NULL},
    {"call: what every server has",
     {"call", "Health.Check", "--json", "{\"service\":\"almanac.v1.Gateway\"}"},
     0,
     "{\"status\":\"SERVING\"}\n",
     NULL},
    {"call: nothing", {"call"}, 2, NULL, "rpc call: name the method, as SERVICE.METHOD"},
    {"call: half a name", {"call", "Query"}, 2, NULL, "Query: name a method as SERVICE.METHOD"},
    {"call: no service", {"call", ".Query"}, 2, NULL, ".Query: name a method as"},
    {"call: no method", {"call", "Gateway/"}, 2, NULL, "Gateway/: name a method as"},
    {"call: an unknown service", {"call", "Gatewey.Query"}, 3, NULL, "did you mean Gateway?"},
    {"call: a service of another", {"call", "Storage.Head"}, 3, NULL, "serves no Storage: one of"},
    {"call: an unknown method",
     {"call", "Gateway.Qurey"},
     3,
     NULL,
     "almanac: NOT_FOUND: almanac.v1.Gateway has no method Qurey: did you mean Query?\n"},
    {"call: a method like no other", {"call", "Gateway.Fly"}, 3, NULL, "one of Query|Explain|"},
    {"call: an unknown field",
     {"call", "Gateway.Query", "--json", "{\"plases\":\"1\"}"},
     2,
     NULL,
     "--json: plases: almanac.v1.QueryRequest has no such field; did you mean places?\n"
     "  field: plases\n"},
    {"call: a value of another type",
     {"call", "Gateway.Query", "--json", "{\"limit\":\"many\"}"},
     2,
     NULL,
     "--json: limit: \"many\" is not a uint32"},
    {"call: no JSON", {"call", "Gateway.Query", "--json", "places"}, 2, NULL, "line 1, column 1"},
    {"call: two documents", {"call", "Gateway.Status", "--json", "{}\n{}"}, 2, NULL, "--json: "},
    {"call: a file that is not there",
     {"call", "Gateway.Status", "--json", "@/nowhere.json"},
     3,
     NULL,
     "/nowhere.json"},
    {"call: a set that is not there",
     {"call", "Gateway.Status", "--protoset", "/nowhere.desc"},
     3,
     NULL,
     "/nowhere.desc"},
    {"call: a set that is none",
     {"call", "Gateway.Status", "--protoset", "/etc/passwd"},
     2,
     NULL,
     "/etc/passwd: the descriptors: "},
    {"call: a set without the service",
     {"call", "Gateway.Status", "--protoset", "/dev/null"},
     1,
     NULL,
     "serves almanac.v1.Gateway but the descriptors do not have it"},
    {"refuse: a verb", {"cal", "Gateway.Status"}, 2, NULL, "cal: did you mean call?"},
};

static void answers(void **state)
{
    const rpc_row *row = *state;
    outcome done;
    run(row->args, &done);
    if ((row->err == NULL) != (done.err.text[0] == '\0') ||
        (row->err != NULL && strstr(done.err.text, row->err) == NULL)) {
        fail_msg("said: %s", done.err.text);
    }
    if ((row->out == NULL) != (done.out.text[0] == '\0') ||
        (row->out != NULL && strstr(done.out.text, row->out) == NULL)) {
        fail_msg("printed: %s", done.out.text);
    }
    assert_int_equal(done.exit_code, row->exit_code);
    outcome_free(&done);
}

static void sends_what_is_written(void **state)
{
    (void)state;
    static const char *const args[] = {
        "call", "Gateway.Query", "--json",
        "{\"indicators\":[\"gdp\"],\"asOf\":\"2024-01-01\",\"min_sequence\":\"7\"}", NULL};
    outcome done;
    run(args, &done);
    assert_int_equal(done.exit_code, 0);
    alm_arena *arena = alm_arena_create(0);
    const Almanac__V1__QueryRequest *request =
        (const Almanac__V1__QueryRequest *)fake_gateway_request(
            &gateway, &almanac__v1__query_request__descriptor, arena);
    assert_int_equal(request->n_indicators, 1);
    assert_string_equal(request->indicators[0], "gdp");
    assert_string_equal(request->as_of, "2024-01-01");
    assert_int_equal(request->min_sequence, 7);
    alm_arena_destroy(&arena);
    outcome_free(&done);
}

// What came before a failure is printed; the failure is the exit code.
static void tells_how_a_stream_failed(void **state)
{
    (void)state;
    static const char *const args[] = {"call", "Gateway.Query", NULL};
    outcome done;
    gateway.failure = ALM_DATA_LOSS;
    gateway.failure_text = "block 9 is damaged";
    run(args, &done);
    gateway.failure = ALM_OK;
    assert_int_equal(done.exit_code, 5);
    assert_non_null(strstr(done.out.text, "{\"block\":"));
    assert_string_equal(done.err.text, "almanac: DATA_LOSS: block 9 is damaged\n");
    outcome_free(&done);
}

static void prints_a_line_a_message(void **state)
{
    (void)state;
    static const char *const args[] = {"call", "Gateway.Query", NULL};
    outcome done;
    size_t lines = 0;
    size_t rows = gateway.row_counts[0];
    gateway.block_rows = 1;
    run(args, &done);
    gateway.block_rows = 0;
    for (const char *c = done.out.text; *c != '\0'; c++) {
        lines += *c == '\n';
    }
    assert_int_equal(done.exit_code, 0);
    assert_true(rows > 1);
    assert_int_equal(lines, rows + (gateway.error_count > 0 ? 1 : 0));
    outcome_free(&done);
}

int main(void)
{
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    struct CMUnitTest tests[ALM_ARRAY_LEN(rpc_rows) + 3];
    size_t count = 0;
    for (size_t i = 0; i < ALM_ARRAY_LEN(rpc_rows); i++) {
        tests[count++] = (struct CMUnitTest){.name = rpc_rows[i].name,
                                             .test_func = answers,
                                             .initial_state = (void *)(uintptr_t)&rpc_rows[i]};
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(sends_what_is_written);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(tells_how_a_stream_failed);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(prints_a_line_a_message);
    return _cmocka_run_group_tests("cli_rpc", tests, count, set_up, tear_down);
}
