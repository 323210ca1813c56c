// A backup's file: it appears when all of it came, and only then.
#include "almanac.h"

#include "fake_gateway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct world {
    fake_gateway gateway;
    almanac_client *client;
    Almanac__V1__BackupResponse parts[2];
    Almanac__V1__BackupEnd end;
    const Almanac__V1__BackupResponse *list[2];
    char dir[32], path[64], part[80];
} world;

static uint8_t first[] = "almanac ", second[] = "backup";
static char when[] = "2026-11-29T00:00:00Z";

static int setup(void **state)
{
    static world w;
    static uint8_t hash[16] = {0xab, 0x01};
    w = (world){.list = {&w.parts[0], &w.parts[1]}};
    almanac__v1__backup_end__init(&w.end);
    w.end.sequence = 42;
    w.end.bytes = 14;
    w.end.at = when;
    w.end.hash = (ProtobufCBinaryData){.data = hash, .len = sizeof hash};
    for (size_t i = 0; i < 2; i++) {
        almanac__v1__backup_response__init(&w.parts[i]);
        w.parts[i].records = 4;
        w.parts[i].records_done = 2 * (i + 1);
    }
    w.parts[0].data = (ProtobufCBinaryData){.data = first, .len = 8};
    w.parts[1].data = (ProtobufCBinaryData){.data = second, .len = 6};
    w.parts[1].end = &w.end;
    w.gateway.backup = w.list;
    w.gateway.backup_count = 2;
    snprintf(w.dir, sizeof w.dir, "/tmp/almanac-backup-XXXXXX");
    assert_non_null(mkdtemp(w.dir));
    snprintf(w.path, sizeof w.path, "%s/one", w.dir);
    snprintf(w.part, sizeof w.part, "%s.part", w.path);
    fake_gateway_start(&w.gateway);
    assert_int_equal(almanac_client_open(w.gateway.endpoint, NULL, &w.client, NULL), ALMANAC_OK);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    almanac_client_close(&w->client);
    fake_gateway_stop(&w->gateway);
    assert_int_not_equal(access(w->part, F_OK), 0);
    (void)unlink(w->path);
    assert_int_equal(rmdir(w->dir), 0);
    return 0;
}

static void assert_holds(const world *w, const char *text)
{
    char got[64] = "";
    FILE *file = fopen(w->path, "rb");
    assert_non_null(file);
    got[fread(got, 1, sizeof got - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(got, text);
}

static bool count_progress(void *arg, const almanac_progress *progress)
{
    int *calls = arg;
    assert_true(progress->bytes_done <= progress->bytes_total);
    return ++*calls < 10;
}

static void the_file_holds_all_that_came(void **state)
{
    world *w = *state;
    int calls = 0;
    almanac_error error;
    almanac_backup_result result;
    almanac_backup_opts opts = {.on_progress = count_progress, .arg = &calls};
    assert_int_equal(almanac_backup_file(w->client, w->path, &opts, &result, &error), ALMANAC_OK);
    assert_holds(w, "almanac backup");
    assert_int_equal(calls, 2);
    assert_int_equal(result.sequence, 42);
    assert_string_equal(result.at, when);
    assert_string_equal(result.hash, "ab010000000000000000000000000000");
    assert_int_equal(almanac_backup_file(w->client, w->path, NULL, &result, &error), ALMANAC_OK);
}

static void one_that_was_cut_short_leaves_the_earlier(void **state)
{
    world *w = *state;
    almanac_error error;
    almanac_backup_result result;
    assert_int_equal(almanac_backup_file(w->client, w->path, NULL, &result, &error), ALMANAC_OK);
    w->gateway.backup_count = 1; // ends without its end
    assert_int_equal(almanac_backup_file(w->client, w->path, NULL, &result, &error),
                     ALMANAC_DATA_LOSS);
    assert_non_null(strstr(error.message, "cut short"));
    w->gateway.backup_count = 2;
    w->end.bytes = 15; // a part is missing
    assert_int_equal(almanac_backup_file(w->client, w->path, NULL, &result, &error),
                     ALMANAC_DATA_LOSS);
    w->gateway.failure = ALM_UNAVAILABLE;
    w->gateway.failure_text = "going away";
    assert_int_equal(almanac_backup_file(w->client, w->path, NULL, &result, &error),
                     ALMANAC_UNAVAILABLE);
    assert_holds(w, "almanac backup");
}

static bool stop(void *arg, const almanac_progress *progress)
{
    (void)arg;
    (void)progress;
    return false;
}

static void it_can_be_stopped(void **state)
{
    world *w = *state;
    almanac_error error;
    almanac_backup_result result;
    almanac_backup_opts opts = {.on_progress = stop};
    assert_int_equal(almanac_backup_file(w->client, w->path, &opts, &result, &error),
                     ALMANAC_CANCELLED);
    assert_int_not_equal(access(w->path, F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_file_holds_all_that_came),
        TEST(one_that_was_cut_short_leaves_the_earlier),
        TEST(it_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
