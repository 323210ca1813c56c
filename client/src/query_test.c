// The library against a gateway with canned answers over a real socket: rows, errors, catalogue,
// watch, reports; and what a caller sees when nobody is there.
#include "almanac.h"

#include "fake_gateway.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static fake_gateway gateway;
static almanac_client *client;

static int set_up(void **state)
{
    (void)state;
    gateway = (fake_gateway){0};
    fake_gateway_start(&gateway);
    almanac_error error;
    almanac_code code = almanac_client_open(gateway.endpoint, NULL, &client, &error);
    if (code != ALMANAC_OK) {
        print_error("%s\n", error.message);
    }
    return code == ALMANAC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    almanac_client_close(&client);
    fake_gateway_stop(&gateway);
    return 0;
}

static const char *const gdp[] = {"gdp"};
static const almanac_query question = {
    .indicators = gdp, .indicator_count = 1, .places = "310105", .periods = "2019..2023"};

#define LEVEL(period_, mantissa_)                                                                  \
    {                                                                                              \
        .indicator = "gdp", .place = "310105", .period = (period_), .measure = "level",            \
        .accumulation = "P", .unit = "CNY_E8", .mantissa = (mantissa_), .exponent = -2,            \
        .has_number = true, .lower = 1, .upper = 2, .source = "report", .sequence = 7              \
    }

static const almanac_row levels[] = {
    LEVEL("2019", 150000),
    LEVEL("2020", 155000),
    LEVEL("2021", 170000),
    {.indicator = "gdp",
     .place = "310105",
     .period = "2022",
     .measure = "level",
     .status = 'O',
     .lower = -(double)INFINITY,
     .upper = (double)INFINITY,
     .reason = "nobody published it"},
    LEVEL("2023", 228620),
};

static almanac_rows *ask(void)
{
    almanac_rows *rows = NULL;
    assert_int_equal(almanac_query_open(client, &question, &rows, NULL), ALMANAC_OK);
    return rows;
}

static void give_levels(size_t block_rows)
{
    gateway.rows[0] = levels;
    gateway.row_counts[0] = ALM_ARRAY_LEN(levels);
    gateway.block_rows = block_rows;
}

static void reads_row_by_row(void **state)
{
    (void)state;
    const almanac_row *row = NULL;
    give_levels(2);
    almanac_rows *rows = ask();
    for (size_t i = 0; i < ALM_ARRAY_LEN(levels); i++) {
        assert_int_equal(almanac_rows_next(rows, &row, NULL), ALMANAC_OK);
        assert_non_null(row);
        assert_string_equal(row->period, levels[i].period);
        assert_int_equal(row->mantissa, levels[i].mantissa);
        assert_int_equal(row->has_number, levels[i].has_number);
    }
    assert_string_equal(row->breakdown, ""); // never NULL
    for (int i = 0; i < 2; i++) {            // the end stays the end
        assert_int_equal(almanac_rows_next(rows, &row, NULL), ALMANAC_OK);
        assert_null(row);
    }
    almanac_rows_close(&rows);
    assert_null(rows);
}

static void reads_what_is_left_at_once(void **state)
{
    (void)state;
    const almanac_row *row = NULL, *all = NULL;
    size_t count = 0;
    give_levels(3);
    almanac_rows *rows = ask();
    assert_int_equal(almanac_rows_next(rows, &row, NULL), ALMANAC_OK);
    assert_int_equal(almanac_rows_all(rows, &all, &count, NULL), ALMANAC_OK);
    assert_int_equal(count, ALM_ARRAY_LEN(levels) - 1);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(all[i].period, levels[i + 1].period);
    }
    assert_int_equal(all[2].status, 'O');
    assert_string_equal(all[2].reason, "nobody published it");
    assert_true(isinf(all[2].upper));
    almanac_rows_close(&rows);
}

// The example of almanac.h.
static int64_t sum_of(almanac_rows *rows)
{
    int64_t sum = 0;
    const almanac_block *block;
    almanac_error error;
    while (almanac_rows_next_block(rows, &block, &error) == ALMANAC_OK && block != NULL) {
        for (size_t i = 0; i < block->row_count; i++) {
            if (block->has_number.values[i * block->has_number.stride] != 0) {
                sum += block->mantissa.values[i * block->mantissa.stride];
            }
        }
    }
    return sum;
}

static void reads_block_by_block(void **state)
{
    (void)state;
    const almanac_block *block = NULL;
    size_t read = 0;
    give_levels(2);
    almanac_rows *rows = ask();
    for (;;) {
        assert_int_equal(almanac_rows_next_block(rows, &block, NULL), ALMANAC_OK);
        if (block == NULL) {
            break;
        }
        assert_int_equal(block->row_count, ALM_MIN(ALM_ARRAY_LEN(levels) - read, (size_t)2));
        for (size_t i = 0; i < block->row_count; i++, read++) {
            double lower, upper;
            uint32_t period = block->period.values[i * block->period.stride];
            assert_true(period < block->text_count);
            assert_string_equal(block->texts[period], levels[read].period);
            assert_int_equal(block->status.values[i * block->status.stride],
                             levels[read].has_number ? 'A' : 'O');
            almanac_block_bounds(block, i, &lower, &upper);
            assert_true(lower == levels[read].lower && upper == levels[read].upper);
        }
    }
    assert_int_equal(read, ALM_ARRAY_LEN(levels));
    assert_int_equal(almanac_rows_next_block(rows, &block, NULL), ALMANAC_OK);
    assert_null(block);
    almanac_rows_close(&rows);
    rows = ask();
    assert_int_equal(sum_of(rows), 150000 + 155000 + 170000 + 228620);
    almanac_rows_close(&rows);
}

// A block that was begun row by row is not given again, nor is a row of it lost.
static void reads_blocks_and_rows_in_turn(void **state)
{
    (void)state;
    const almanac_block *block = NULL;
    const almanac_row *row = NULL, *all = NULL;
    almanac_error error;
    size_t count;
    give_levels(2);
    almanac_rows *rows = ask();
    assert_int_equal(almanac_rows_next(rows, &row, NULL), ALMANAC_OK);
    assert_int_equal(almanac_rows_next_block(rows, &block, &error), ALMANAC_FAILED_PRECONDITION);
    assert_non_null(strstr(error.message, "row 1 of a block of 2"));
    assert_int_equal(almanac_rows_next(rows, &row, NULL), ALMANAC_OK);
    assert_string_equal(row->period, "2020");
    assert_int_equal(almanac_rows_next_block(rows, &block, NULL), ALMANAC_OK);
    assert_string_equal(block->texts[block->period.values[0]], "2021");
    assert_int_equal(almanac_rows_next(rows, &row, NULL), ALMANAC_OK);
    assert_string_equal(row->period, "2023");
    almanac_rows_close(&rows);
    rows = ask();
    assert_int_equal(almanac_rows_next_block(rows, &block, NULL), ALMANAC_OK);
    assert_int_equal(almanac_rows_all(rows, &all, &count, NULL), ALMANAC_OK);
    assert_int_equal(count, 3);
    assert_string_equal(all[0].period, "2021");
    almanac_rows_close(&rows);
}

static void sends_every_part_of_the_query(void **state)
{
    (void)state;
    static const char *const indicators[] = {"gdp", "tax"};
    static const char *const sources[] = {"report-2024"};
    static const char *const transforms[] = {"rollup", "pc1"};
    const almanac_query query = {.indicators = indicators,
                                 .indicator_count = 2,
                                 .places = "310000/**@district",
                                 .periods = "last:5",
                                 .breakdown = "industry=software",
                                 .measure = "*",
                                 .accumulation = "C",
                                 .frequency = "Q",
                                 .as_of = "2024-02-01",
                                 .sources = sources,
                                 .source_count = 1,
                                 .transforms = transforms,
                                 .transform_count = 2,
                                 .group_by = "city",
                                 .unit = "CNY_E8",
                                 .order = ALMANAC_ORDER_VALUE_DESC,
                                 .limit = 9,
                                 .min_sequence = 11,
                                 .at_sequence = 12,
                                 .incomplete = true};
    almanac_rows *rows = NULL;
    const almanac_row *row = NULL;
    assert_int_equal(almanac_query_open(client, &query, &rows, NULL), ALMANAC_OK);
    assert_int_equal(almanac_rows_next(rows, &row, NULL), ALMANAC_OK);
    almanac_rows_close(&rows);
    alm_arena *arena = alm_arena_create(0);
    const Almanac__V1__QueryRequest *got = (const Almanac__V1__QueryRequest *)fake_gateway_request(
        &gateway, &almanac__v1__query_request__descriptor, arena);
    assert_int_equal(got->n_indicators, 2);
    assert_string_equal(got->indicators[1], "tax");
    assert_string_equal(got->places, "310000/**@district");
    assert_string_equal(got->periods, "last:5");
    assert_string_equal(got->breakdown, "industry=software");
    assert_string_equal(got->measure, "*");
    assert_string_equal(got->accumulation, "C");
    assert_string_equal(got->frequency, "Q");
    assert_string_equal(got->as_of, "2024-02-01");
    assert_string_equal(got->sources[0], "report-2024");
    assert_int_equal(got->n_transforms, 2);
    assert_string_equal(got->transforms[1], "pc1");
    assert_string_equal(got->group_by, "city");
    assert_string_equal(got->unit, "CNY_E8");
    assert_int_equal(got->order, ALMANAC__V1__ORDER__ORDER_VALUE_DESC);
    assert_int_equal(got->limit, 9);
    assert_int_equal(got->min_sequence, 11);
    assert_int_equal(got->at_sequence, 12);
    assert_true(got->incomplete);
    alm_arena_destroy(&arena);
}

static void gives_item_errors_beside_rows(void **state)
{
    (void)state;
    static const fake_item_error errors[] = {{"gdpp", "no indicator gdpp; did you mean gdp", 5},
                                             {"x", "strange", 99}};
    const almanac_item_error *got = NULL;
    const almanac_row *all = NULL;
    size_t count = 0;
    give_levels(0);
    gateway.errors = errors;
    gateway.error_count = 2;
    almanac_rows *rows = ask();
    assert_int_equal(almanac_rows_all(rows, &all, &count, NULL), ALMANAC_OK);
    assert_int_equal(count, ALM_ARRAY_LEN(levels));
    assert_int_equal(almanac_rows_errors(rows, &got), 2);
    assert_string_equal(got[0].item, "gdpp");
    assert_int_equal(got[0].code, ALMANAC_NOT_FOUND);
    assert_string_equal(got[0].message, "no indicator gdpp; did you mean gdp");
    assert_int_equal(got[1].code, ALMANAC_UNKNOWN); // a code of nobody's
    almanac_rows_close(&rows);
}

static void tells_a_failure_after_rows(void **state)
{
    (void)state;
    const almanac_row *row = NULL;
    almanac_error error;
    give_levels(0);
    gateway.failure = ALM_DATA_LOSS;
    gateway.failure_text = "slice 7 is damaged";
    almanac_rows *rows = ask();
    for (size_t i = 0; i < ALM_ARRAY_LEN(levels); i++) {
        assert_int_equal(almanac_rows_next(rows, &row, &error), ALMANAC_OK);
    }
    for (int i = 0; i < 2; i++) { // final
        assert_int_equal(almanac_rows_next(rows, &row, &error), ALMANAC_DATA_LOSS);
        assert_non_null(strstr(error.message, "slice 7 is damaged"));
    }
    assert_int_equal(almanac_code_exit(error.code), 5);
    almanac_rows_close(&rows);
}

static void refuses_a_damaged_answer(void **state)
{
    (void)state;
    const almanac_row *row = NULL;
    almanac_error error;
    give_levels(0);
    gateway.damages_blocks = true;
    almanac_rows *rows = ask();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(almanac_rows_next(rows, &row, &error), ALMANAC_INTERNAL);
        assert_non_null(strstr(error.message, "column upper"));
    }
    almanac_rows_close(&rows);
}

static void can_be_closed_half_read(void **state)
{
    (void)state;
    const almanac_row *row = NULL;
    give_levels(1);
    almanac_rows *rows = ask();
    assert_int_equal(almanac_rows_next(rows, &row, NULL), ALMANAC_OK);
    almanac_rows_close(&rows);
    almanac_rows_close(&rows);
}

#define THREAD_COUNT     4
#define QUESTIONS_A_TIME 25

static void *ask_often(void *arg)
{
    bool *ret_good = arg;
    *ret_good = true;
    for (int i = 0; i < QUESTIONS_A_TIME; i++) {
        almanac_rows *rows = NULL;
        const almanac_row *all = NULL;
        size_t count = 0;
        bool is_good = almanac_query_open(client, &question, &rows, NULL) == ALMANAC_OK &&
                       almanac_rows_all(rows, &all, &count, NULL) == ALMANAC_OK &&
                       count == ALM_ARRAY_LEN(levels) && all[4].mantissa == 228620;
        almanac_rows_close(&rows);
        *ret_good = *ret_good && is_good;
    }
    return NULL;
}

static void serves_many_threads_at_once(void **state)
{
    (void)state;
    pthread_t threads[THREAD_COUNT];
    bool good[THREAD_COUNT];
    give_levels(2);
    gateway.forgets_requests = true;
    for (size_t i = 0; i < THREAD_COUNT; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &good[i]), 0);
    }
    for (size_t i = 0; i < THREAD_COUNT; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(good[i]);
    }
}

static void wants_a_whole_question(void **state)
{
    (void)state;
    almanac_rows *rows = NULL;
    almanac_error error;
    almanac_query query = question;
    query.places = NULL;
    assert_int_equal(almanac_query_open(client, &query, &rows, &error), ALMANAC_INVALID_ARGUMENT);
    assert_string_equal(error.field, "places");
    assert_null(rows);
    query = question;
    query.indicator_count = 0;
    assert_int_equal(almanac_query_open(client, &query, &rows, NULL), ALMANAC_INVALID_ARGUMENT);
}

static void says_that_nobody_is_there(void **state)
{
    (void)state;
    almanac_client *lonely = NULL;
    almanac_error error;
    const almanac_client_opts opts = {.connect_ms = 50};
    almanac_code code =
        almanac_client_open("ipc:///tmp/almanac-nobody-is-here", &opts, &lonely, &error);
    assert_int_equal(code, ALMANAC_UNAVAILABLE);
    assert_non_null(strstr(error.message, "no almanac: no healthy connection to "
                                          "ipc:///tmp/almanac-nobody-is-here within 50 ms: "));
    assert_null(lonely);
    code = almanac_client_open("nonsense", &opts, &lonely, &error);
    assert_int_equal(code, ALMANAC_INVALID_ARGUMENT);
}

static void explains(void **state)
{
    (void)state;
    Almanac__V1__ExplainStep step;
    almanac__v1__explain_step__init(&step);
    Almanac__V1__ExplainStep *steps[] = {&step};
    Almanac__V1__ExplainResponse response;
    almanac__v1__explain_response__init(&response);
    char what[] = "gdp 310105 2023 level";
    step.what = what;
    step.depth = 3;
    step.kind = ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_VINTAGE;
    step.loss = ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_LATER_COMMIT;
    step.what_zh = what;
    response.steps = steps;
    response.n_steps = 1;
    gateway.explanation = &response;
    almanac_explanation *explanation = NULL;
    assert_int_equal(almanac_explanation_get(client, &question, &explanation, NULL), ALMANAC_OK);
    assert_int_equal(explanation->step_count, 1);
    assert_int_equal(explanation->steps[0].depth, 3);
    assert_string_equal(explanation->steps[0].what, what);
    assert_string_equal(explanation->steps[0].note, "");
    assert_string_equal(explanation->steps[0].what_zh, what);
    assert_string_equal(almanac_step_kind_code(explanation->steps[0].kind), "vintage");
    assert_string_equal(almanac_loss_code(explanation->steps[0].loss), "later_commit");
    assert_string_equal(almanac_step_kind_code(99), "");
    assert_string_equal(almanac_loss_code(99), "");
    almanac_explanation_free(&explanation);
    assert_null(explanation);
    gateway.failure = ALM_NOT_FOUND;
    almanac_error error;
    assert_int_equal(almanac_explanation_get(client, &question, &explanation, &error),
                     ALMANAC_NOT_FOUND);
    assert_null(explanation);
}

// A finding as it travels: of a growth, without anything that may be left out.
static void reconciles(void **state)
{
    (void)state;
    Almanac__V1__Decimal number;
    Almanac__V1__FindingFigure figure;
    Almanac__V1__Finding finding;
    almanac__v1__decimal__init(&number);
    almanac__v1__finding_figure__init(&figure);
    almanac__v1__finding__init(&finding);
    Almanac__V1__Finding *findings[] = {&finding};
    Almanac__V1__ReconcileResponse response;
    almanac__v1__reconcile_response__init(&response);
    number.mantissa = 128;
    number.exponent = -1;
    figure.number = &number;
    figure.has_number = true;
    figure.lower = 12.75;
    figure.upper = 12.85;
    finding.claimed = &figure;
    finding.verdict = ALMANAC__V1__VERDICT__VERDICT_MATCH;
    response.findings = findings;
    response.n_findings = 1;
    gateway.findings = &response;
    almanac_reconciliation *answer = NULL;
    assert_int_equal(almanac_reconciliation_get(client, &question, &answer, NULL), ALMANAC_OK);
    assert_int_equal(answer->finding_count, 1);
    assert_int_equal(answer->match_count, 1);
    assert_int_equal(answer->doubt_count + answer->unjudged_count + answer->error_count, 0);
    assert_int_equal(answer->findings[0].claim.mantissa, 128);
    assert_true(answer->findings[0].claim.upper == 12.85);
    assert_false(answer->findings[0].computed.has_number);
    assert_string_equal(answer->findings[0].implied.period, "");
    assert_string_equal(almanac_verdict_code(answer->findings[0].verdict), "match");
    almanac_reconciliation_free(&answer);
    assert_null(answer);
    almanac_reconciliation_free(&answer);

    almanac_error error;
    figure.lower = 13; // above upper
    assert_int_equal(almanac_reconciliation_get(client, &question, &answer, &error),
                     ALMANAC_INTERNAL);
    assert_non_null(strstr(error.message, "malformed"));
    figure.lower = 12;
    number.exponent = 1000;
    assert_int_equal(almanac_reconciliation_get(client, &question, &answer, &error),
                     ALMANAC_INTERNAL);
    gateway.failure = ALM_NOT_FOUND;
    assert_int_equal(almanac_reconciliation_get(client, &question, &answer, &error),
                     ALMANAC_NOT_FOUND);
}

static void reports(void **state)
{
    (void)state;
    Almanac__V1__ServiceStatus service;
    almanac__v1__service_status__init(&service);
    Almanac__V1__ServiceStatus *services[] = {&service};
    Almanac__V1__StatusResponse response;
    almanac__v1__status_response__init(&response);
    char name[] = "storage", version[] = "0.1.0";
    service.name = name;
    service.calls = 12;
    response.version = version;
    response.services = services;
    response.n_services = 1;
    response.cells = 64;
    gateway.status = &response;
    almanac_report *report = NULL;
    assert_int_equal(almanac_report_get(client, &report, NULL), ALMANAC_OK);
    assert_string_equal(report->version, "0.1.0");
    assert_int_equal(report->cells, 64);
    assert_int_equal(report->service_count, 1);
    assert_string_equal(report->services[0].name, "storage");
    assert_int_equal(report->services[0].calls, 12);
    almanac_report_free(&report);

    Almanac__V1__VerifyResponse verdict;

    almanac__v1__verify_response__init(&verdict);
    char problem[] = "slice 3: checksum";
    char *problems[] = {problem};
    verdict.problems = problems;
    verdict.n_problems = 1;
    gateway.verification = &verdict;
    almanac_verification *verification = NULL;
    assert_int_equal(almanac_verification_get(client, 0, &verification, NULL), ALMANAC_OK);
    assert_false(verification->clean);
    assert_int_equal(verification->problem_count, 1);
    assert_string_equal(verification->problems[0], problem);
    almanac_verification_free(&verification);
}

static void watches(void **state)
{
    (void)state;
    Almanac__V1__WatchResponse first;
    almanac__v1__watch_response__init(&first);
    Almanac__V1__WatchResponse second;
    almanac__v1__watch_response__init(&second);
    const Almanac__V1__WatchResponse *const changes[] = {&first, &second};
    char variant[] = "A.gdp.P.level._Z._T";
    char *variants[] = {variant};
    first.sequence = 41;
    first.variants = variants;
    first.n_variants = 1;
    second.sequence = 42;
    second.catalog_changed = 1;
    gateway.changes = changes;
    gateway.change_count = 2;
    gateway.change_rows = levels;
    gateway.change_row_count = 2;
    almanac_watch *watch = NULL;
    const almanac_change *change = NULL;
    const almanac_watch_query query = {.from_sequence = 40};
    assert_int_equal(almanac_watch_open(client, &query, &watch, NULL), ALMANAC_OK);
    assert_int_equal(almanac_watch_next(watch, &change, NULL), ALMANAC_OK);
    assert_int_equal(change->sequence, 41);
    assert_int_equal(change->row_count, 2);
    assert_string_equal(change->rows[1].period, "2020");
    assert_string_equal(change->variants[0], variant);
    assert_int_equal(almanac_watch_next(watch, &change, NULL), ALMANAC_OK);
    assert_int_equal(change->sequence, 42);
    assert_true(change->catalog_changed);
    assert_int_equal(change->row_count, 0);
    assert_int_equal(almanac_watch_next(watch, &change, NULL), ALMANAC_OK);
    assert_null(change);
    almanac_watch_close(&watch);
}

// Its messages are one answer, and what is wrong with an indicator is told beside it.
static void watches_a_question(void **state)
{
    (void)state;
    Almanac__V1__ItemError error;
    almanac__v1__item_error__init(&error);
    Almanac__V1__ItemError *errors[] = {&error};
    Almanac__V1__WatchResponse parts[3];
    const Almanac__V1__WatchResponse *changes[] = {&parts[0], &parts[1], &parts[2]};
    char item[] = "gdpp", why[] = "no such indicator";
    error.item = item;
    error.message = why;
    error.code = 5;
    for (size_t i = 0; i < 3; i++) {
        almanac__v1__watch_response__init(&parts[i]);
        parts[i].sequence = i < 2 ? 41 : 42;
    }
    parts[0].goes_on = 1;
    parts[0].errors = errors;
    parts[0].n_errors = 1;
    gateway.changes = changes;
    gateway.change_count = 3;
    gateway.change_rows = levels;
    gateway.change_row_count = 2;
    almanac_watch *watch = NULL;
    const almanac_change *change = NULL;
    const char *const indicators[] = {"gdp", "gdpp"};
    const almanac_query standing = {
        .indicators = indicators, .indicator_count = 2, .places = "310105", .periods = "latest"};
    const almanac_watch_query query = {.query = &standing, .from_sequence = 40};
    assert_int_equal(almanac_watch_open(client, &query, &watch, NULL), ALMANAC_OK);
    assert_int_equal(almanac_watch_next(watch, &change, NULL), ALMANAC_OK);
    assert_int_equal(change->sequence, 41);
    assert_int_equal(change->row_count, 2);
    assert_int_equal(change->error_count, 1);
    assert_string_equal(change->errors[0].item, "gdpp");
    assert_int_equal(change->errors[0].code, ALMANAC_NOT_FOUND);
    assert_int_equal(almanac_watch_next(watch, &change, NULL), ALMANAC_OK);
    assert_int_equal(change->sequence, 42);
    assert_int_equal(change->row_count, 0);
    assert_int_equal(change->error_count, 0);
    almanac_watch_close(&watch);
    alm_arena *arena = alm_arena_create(0);
    const Almanac__V1__WatchRequest *asked =
        (const Almanac__V1__WatchRequest *)fake_gateway_request(
            &gateway, &almanac__v1__watch_request__descriptor, arena);
    assert_int_equal(asked->from_sequence, 40);
    assert_int_equal(asked->n_indicators, 0);
    assert_string_equal(asked->query->places, "310105");
    assert_string_equal(asked->query->indicators[1], "gdpp");
    alm_arena_destroy(&arena);

    const almanac_query unfinished = {.indicators = indicators, .indicator_count = 1};
    const almanac_watch_query bad = {.query = &unfinished};
    almanac_error wrong;
    assert_int_equal(almanac_watch_open(client, &bad, &watch, &wrong), ALMANAC_INVALID_ARGUMENT);
    assert_string_equal(wrong.field, "places");
}

static uint64_t asked_for_at_least(void)
{
    almanac_rows *rows = ask();
    const almanac_row *row;
    assert_int_equal(almanac_rows_next(rows, &row, NULL), ALMANAC_OK);
    almanac_rows_close(&rows);
    alm_arena *arena = alm_arena_create(0);
    const Almanac__V1__QueryRequest *got = (const Almanac__V1__QueryRequest *)fake_gateway_request(
        &gateway, &almanac__v1__query_request__descriptor, arena);
    uint64_t sequence = got->min_sequence;
    alm_arena_destroy(&arena);
    return sequence;
}

// Who was told of a change is not answered of a state before it.
static void sees_what_it_saw(void **state)
{
    (void)state;
    Almanac__V1__WatchResponse change;
    almanac__v1__watch_response__init(&change);
    const Almanac__V1__WatchResponse *const changes[] = {&change};
    change.sequence = 41;
    gateway.changes = changes;
    gateway.change_count = 1;
    assert_int_equal(asked_for_at_least(), 0);
    almanac_watch *watch = NULL;
    const almanac_change *told = NULL;
    const almanac_watch_query query = {.from_sequence = 40};
    assert_int_equal(almanac_watch_open(client, &query, &watch, NULL), ALMANAC_OK);
    assert_int_equal(almanac_watch_next(watch, &told, NULL), ALMANAC_OK);
    almanac_watch_close(&watch);
    assert_int_equal(asked_for_at_least(), 41);
}

static void lists_the_catalogue(void **state)
{
    (void)state;
    Almanac__V1__Indicator indicator;
    almanac__v1__indicator__init(&indicator);
    Almanac__V1__Indicator *indicators[] = {&indicator};
    Almanac__V1__QuarantinedRow row;
    almanac__v1__quarantined_row__init(&row);
    Almanac__V1__QuarantinedRow *rows[] = {&row};
    Almanac__V1__CatalogResponse response;
    almanac__v1__catalog_response__init(&response);
    char code[] = "gdp", name[] = "地区生产总值";
    uint8_t record[] = {0xb3, 0xa4, ',', '1'}; // GB18030
    indicator.code = code;
    indicator.name_zh = name;
    indicator.value_type = ALMANAC__V1__VALUE_TYPE__VALUE_TYPE_FLOW;
    indicator.direction = ALMANAC__V1__DIRECTION__DIRECTION_UP;
    row.record = (ProtobufCBinaryData){sizeof record, record};
    response.indicators = indicators;
    response.n_indicators = 1;
    response.quarantine = rows;
    response.n_quarantine = 1;
    gateway.catalog = &response;
    almanac_catalog *catalog = NULL;
    const almanac_entry *entry = NULL;
    almanac_catalog_query query = {.kind = ALMANAC_CATALOG_INDICATORS};
    assert_int_equal(almanac_catalog_open(client, &query, &catalog, NULL), ALMANAC_OK);
    assert_int_equal(almanac_catalog_next(catalog, &entry, NULL), ALMANAC_OK);
    assert_string_equal(entry->as.indicator.name_zh, name);
    assert_string_equal(entry->as.indicator.value_type, "flow");
    assert_string_equal(entry->as.indicator.direction, "up");
    assert_string_equal(entry->as.indicator.theme, "");
    assert_int_equal(almanac_catalog_next(catalog, &entry, NULL), ALMANAC_OK);
    assert_null(entry);
    almanac_catalog_close(&catalog);

    query.kind = ALMANAC_CATALOG_QUARANTINE;
    assert_int_equal(almanac_catalog_open(client, &query, &catalog, NULL), ALMANAC_OK);
    assert_int_equal(almanac_catalog_next(catalog, &entry, NULL), ALMANAC_OK);
    assert_int_equal(entry->as.quarantined.record_size, sizeof record);
    assert_memory_equal(entry->as.quarantined.record, record, sizeof record);
    almanac_catalog_close(&catalog);
}

int main(void)
{
#define WITH_GATEWAY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_GATEWAY(reads_row_by_row),
        WITH_GATEWAY(reads_what_is_left_at_once),
        WITH_GATEWAY(reads_block_by_block),
        WITH_GATEWAY(reads_blocks_and_rows_in_turn),
        WITH_GATEWAY(sends_every_part_of_the_query),
        WITH_GATEWAY(gives_item_errors_beside_rows),
        WITH_GATEWAY(tells_a_failure_after_rows),
        WITH_GATEWAY(refuses_a_damaged_answer),
        WITH_GATEWAY(can_be_closed_half_read),
        WITH_GATEWAY(serves_many_threads_at_once),
        WITH_GATEWAY(wants_a_whole_question),
        WITH_GATEWAY(says_that_nobody_is_there),
        WITH_GATEWAY(explains),
        WITH_GATEWAY(reconciles),
        WITH_GATEWAY(reports),
        WITH_GATEWAY(watches),
        WITH_GATEWAY(watches_a_question),
        WITH_GATEWAY(sees_what_it_saw),
        WITH_GATEWAY(lists_the_catalogue),
    };
    return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
