// A backup's file: it appears when all of it came, and only then.
#include "almanac.h"

#include "fake_gateway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct world {
    fake_gateway gateway;
    almanac_client *client;
    Almanac__V1__BackupResponse parts[2];
    Almanac__V1__BackupEnd end;
    const Almanac__V1__BackupResponse *list[2];
    char dir[32], path[64];
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
    (void)unlink(w->path);
    assert_int_equal(rmdir(w->dir), 0); // nothing else was left
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

static void assert_refused(world *w, const char *path)
{
    almanac_error error;
    almanac_backup_result result;
    assert_int_equal(almanac_backup_file(w->client, path, NULL, &result, &error),
                     ALMANAC_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "no file"));
}

static void only_a_file_is_replaced(void **state)
{
    world *w = *state;
    char pipe[80];
    struct stat info;
    snprintf(pipe, sizeof pipe, "%s/pipe", w->dir);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_refused(w, pipe);
    assert_int_equal(lstat(pipe, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_refused(w, w->dir);
    assert_int_equal(unlink(pipe), 0);
}

static void a_link_leads_to_its_file(void **state)
{
    world *w = *state;
    char link[80];
    struct stat info;
    almanac_error error;
    almanac_backup_result result;
    snprintf(link, sizeof link, "%s/link", w->dir);
    assert_int_equal(symlink("one", link), 0);
    // It leads nowhere yet.
    assert_int_equal(almanac_backup_file(w->client, link, NULL, &result, &error),
                     ALMANAC_NOT_FOUND);
    assert_int_equal(almanac_backup_file(w->client, w->path, NULL, &result, &error), ALMANAC_OK);
    assert_int_equal(almanac_backup_file(w->client, link, NULL, &result, &error), ALMANAC_OK);
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(lstat(w->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600); // it holds all that the store does
    assert_holds(w, "almanac backup");
    assert_int_equal(unlink(link), 0);
}

// Another backup to the same name begins and ends meanwhile.
static bool race(void *arg, const almanac_progress *progress)
{
    world *w = arg;
    almanac_error error;
    almanac_backup_result result;
    (void)progress;
    assert_int_equal(almanac_backup_file(w->client, w->path, NULL, &result, &error), ALMANAC_OK);
    assert_holds(w, "almanac backup");
    return true;
}

static void two_at_once_are_two_files(void **state)
{
    world *w = *state;
    almanac_error error;
    almanac_backup_result result;
    almanac_backup_opts opts = {.on_progress = race, .arg = w};
    assert_int_equal(almanac_backup_file(w->client, w->path, &opts, &result, &error), ALMANAC_OK);
    assert_holds(w, "almanac backup");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_file_holds_all_that_came),
        TEST(one_that_was_cut_short_leaves_the_earlier),
        TEST(it_can_be_stopped),
        TEST(only_a_file_is_replaced),
        TEST(a_link_leads_to_its_file),
        TEST(two_at_once_are_two_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
