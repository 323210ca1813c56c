// Goal: files of the example come in through ingestion and are in storage, each row once, however
// often they are sent and also after a restart. Method: both modules in this process over inproc, a
// store in a folder of its own; argv[1] is the example's folder.
#include "alm/buf.h"
#include "alm/catalog_cache.h"
#include "alm/ingestion_module.h"
#include "alm/storage_module.h"
#include "alm/wire.h"

#include "almanac/internal/ingestion.pb-c.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static const char *examples;

typedef struct fixture {
    char dir[32];
    alm_config *config;
    alm_rpc *rpc;
    alm_module_ctx storage_ctx, ingestion_ctx;
    void *storage, *ingestion;
    alm_channel *ingestion_channel, *storage_channel;
    alm_arena *arena;
    alm_status st;
} fixture;

static void must(fixture *f, alm_code code)
{
    if (code != ALM_OK) {
        fail_msg("%s: %s", alm_code_name(code), f->st.message);
    }
}

static void start(fixture *f)
{
    must(f, alm_rpc_create(NULL, &f->rpc, &f->st));
    f->storage_ctx = (alm_module_ctx){.rpc = f->rpc,
                                      .clock = alm_clock_system(),
                                      .config = f->config,
                                      .bind = "inproc://storage"};
    f->ingestion_ctx = f->storage_ctx;
    f->ingestion_ctx.bind = "inproc://ingestion";
    f->ingestion_ctx.endpoints.storage = "inproc://storage";
    must(f, alm_module_storage.start(&f->storage_ctx, &f->storage, &f->st));
    must(f, alm_module_ingestion.start(&f->ingestion_ctx, &f->ingestion, &f->st));
    must(f, alm_channel_open(f->rpc, "inproc://ingestion", NULL, &f->ingestion_channel, &f->st));
    must(f, alm_channel_open(f->rpc, "inproc://storage", NULL, &f->storage_channel, &f->st));
}

static void stop(fixture *f)
{
    alm_channel_close(&f->ingestion_channel);
    alm_channel_close(&f->storage_channel);
    alm_module_ingestion.stop(f->ingestion, 1000);
    alm_module_storage.stop(f->storage, 1000);
    alm_rpc_destroy(&f->rpc);
}

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){.st = ALM_STATUS_INIT};
    snprintf(f.dir, sizeof f.dir, "/tmp/alm_import.XXXXXX");
    assert_non_null(mkdtemp(f.dir));
    f.arena = alm_arena_create(0);
    assert_non_null(f.arena);
    char program[] = "import_test", flag[] = "--data";
    char *argv[] = {program, flag, f.dir, NULL};
    must(&f, alm_config_load(alm_module_storage.options, alm_module_storage.option_count, 3, argv,
                             &f.config, &f.st));
    start(&f);
    *state = &f;
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static int tear_down(void **state)
{
    fixture *f = *state;
    stop(f);
    alm_config_destroy(&f->config);
    alm_arena_destroy(&f->arena);
    return nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

// --- calls --------------------------------------------------------------------------------------

typedef Almanac__V1__ImportResponse response;

static response *send_text(fixture *f, Almanac__V1__ImportKind kind, const char *batch_id,
                           alm_str text, bool dry_run)
{
    Almanac__V1__ImportRequest request;
    size_t end = alm_str_find_char(text, '\n');
    uint8_t *bytes = (uint8_t *)(uintptr_t)text.data;
    almanac__v1__import_request__init(&request);
    request.kind = kind;
    request.batch_id = (char *)(uintptr_t)batch_id;
    request.file_name = (char *)(uintptr_t) "example.csv";
    request.header = (ProtobufCBinaryData){end, bytes};
    request.records = (ProtobufCBinaryData){text.len - end - 1, bytes + end + 1};
    request.first_row = 2;
    request.dry_run = dry_run;
    ProtobufCMessage *reply = NULL;
    must(f, alm_channel_call(f->ingestion_channel, &alm_service_ingestion, "Import", NULL,
                             &request.base, f->arena, &reply, &f->st));
    return (response *)reply;
}

static response *send_file(fixture *f, Almanac__V1__ImportKind kind, const char *batch_id,
                           const char *name, bool dry_run)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", examples, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    alm_buf text;
    alm_buf_init(&text, 0);
    for (int c; (c = fgetc(file)) != EOF;) {
        alm_buf_char(&text, (char)c);
    }
    fclose(file);
    response *r = send_text(f, kind, batch_id, alm_buf_view(&text), dry_run);
    alm_buf_deinit(&text);
    return r;
}

#define KIND(name) ALMANAC__V1__IMPORT_KIND__IMPORT_KIND_##name

static void assert_all_taken(const response *r)
{
    if (r->n_defects > 0) {
        const Almanac__V1__Defect *d = r->defects[0];
        fail_msg("row %llu column %u (%s): %s", (unsigned long long)d->row, d->column, d->field,
                 d->reason);
    }
    assert_int_equal(r->quarantined, 0);
    assert_int_equal(r->rows, r->added + r->revised + r->unchanged);
    assert_true(r->rows > 0);
}

static void load_catalogue(fixture *f)
{
    assert_all_taken(send_file(f, KIND(PLACES), "p", "places.csv", false));
    assert_all_taken(send_file(f, KIND(INDICATORS), "i", "indicators.csv", false));
    assert_all_taken(send_file(f, KIND(SOURCES), "s", "sources.csv", false));
}

static uint64_t observations(fixture *f)
{
    Almanac__Internal__HeadRequest request = ALMANAC__INTERNAL__HEAD_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    must(f, alm_channel_call(f->storage_channel, &alm_service_storage, "Head", NULL, &request.base,
                             f->arena, &reply, &f->st));
    return ((const Almanac__Internal__HeadResponse *)reply)->observations;
}

static size_t quarantined_rows(fixture *f, alm_str *ret_last_record)
{
    Almanac__V1__CatalogRequest request;
    almanac__v1__catalog_request__init(&request);
    request.kind = ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_QUARANTINE;
    alm_stream *stream = NULL;
    ProtobufCMessage *message = NULL;
    size_t count = 0;
    must(f, alm_stream_open(f->storage_channel, &alm_service_storage, "Catalog", NULL,
                            &request.base, &stream, &f->st));
    for (;;) {
        must(f, alm_stream_next(stream, f->arena, &message, &f->st));
        if (message == NULL) {
            break;
        }
        const Almanac__V1__CatalogResponse *part = (const Almanac__V1__CatalogResponse *)message;
        for (size_t i = 0; i < part->n_quarantine; i++) {
            *ret_last_record = (alm_str){(const char *)part->quarantine[i]->record.data,
                                         part->quarantine[i]->record.len};
            count++;
        }
    }
    alm_stream_close(&stream);
    return count;
}

// --- tests --------------------------------------------------------------------------------------

static const char *const files[] = {"observations-2023.csv", "observations-later.csv"};

static void takes_the_example_once(void **state)
{
    fixture *f = *state;
    uint64_t rows = 0;
    load_catalogue(f);
    for (size_t i = 0; i < ALM_ARRAY_LEN(files); i++) {
        const response *r = send_file(f, KIND(OBSERVATIONS), files[i], files[i], false);
        assert_all_taken(r);
        assert_false(r->replayed);
        rows += r->added + r->revised;
    }
    const response *targets = send_file(f, KIND(TARGETS), "targets", "targets.csv", false);
    assert_all_taken(targets);
    rows += targets->added;
    assert_int_equal(observations(f), rows);
    stop(f);
    start(f);
    for (size_t i = 0; i < ALM_ARRAY_LEN(files); i++) {
        assert_true(send_file(f, KIND(OBSERVATIONS), files[i], files[i], false)->replayed);
        const response *renamed = send_file(f, KIND(OBSERVATIONS), "", files[i], false);
        assert_false(renamed->replayed);
        assert_int_equal(renamed->unchanged, renamed->rows);
    }
    assert_int_equal(observations(f), rows);
}

static void a_dry_run_says_what_a_real_one_does(void **state)
{
    fixture *f = *state;
    load_catalogue(f);
    response *dry = send_file(f, KIND(OBSERVATIONS), "b", "observations-2023.csv", true);
    assert_int_equal(observations(f), 0);
    response *real = send_file(f, KIND(OBSERVATIONS), "b", "observations-2023.csv", false);
    assert_int_equal(dry->added, real->added);
    assert_int_equal(dry->revised, real->revised);
    assert_int_equal(dry->unchanged, real->unchanged);
    assert_int_equal(dry->quarantined, real->quarantined);
    assert_string_equal(dry->batch_id, real->batch_id);
    assert_int_equal(observations(f), real->added + real->revised);
}

static void quarantines_bad_and_contradicting_rows(void **state)
{
    fixture *f = *state;
    load_catalogue(f);
    alm_str record = {0};
    response *r = send_text(f, KIND(OBSERVATIONS), "b",
                            ALM_STR("indicator,place,period,value,unit,published\n"
                                    "gdp,310105,2023,2000,亿元,2024-02-29\n"
                                    "nosuch,310105,2023,2000,亿元,2024-02-29\n"),
                            false);
    assert_int_equal(r->added, 1);
    assert_int_equal(r->quarantined, 1);
    assert_int_equal(quarantined_rows(f, &record), 1);
    assert_true(alm_str_eq(record, ALM_STR("nosuch,310105,2023,2000,亿元,2024-02-29")));
    for (size_t again = 0; again < 2; again++) {
        r = send_text(f, KIND(OBSERVATIONS), "c",
                      ALM_STR("indicator,place,period,value,unit,published\n"
                              "gdp,310105,2023,2001,亿元,2024-02-29\n"
                              "gdp,310105,2023,2001,亿元,2024-03-29\n"),
                      false);
        assert_int_equal(r->revised, 1);
        assert_int_equal(r->quarantined, 1);
        assert_int_equal(r->n_defects, 1);
        assert_int_equal(r->defects[0]->row, 2);
        assert_int_equal(r->replayed, again == 1);
        assert_int_equal(quarantined_rows(f, &record), 2);
        assert_true(alm_str_eq(record, ALM_STR("gdp,310105,2023,2001,亿元,2024-02-29")));
    }
    assert_int_equal(observations(f), 2);
}

// The officer who withdraws the wrong source's figure believes that it is gone.
static void warns_of_a_withdrawal_of_nothing(void **state)
{
    fixture *f = *state;
    load_catalogue(f);
    alm_str text = ALM_STR("indicator,place,period,value,unit,status,published\n"
                           "gdp,310105,2023,2000,亿元,A,2024-02-29\n"
                           "gdp,310105,2023,,,W,2024-03-29\n"
                           "gdp,310105,2022,,,W,2024-03-29\n");
    for (size_t again = 0; again < 2; again++) {
        response *r = send_text(f, KIND(OBSERVATIONS), "b", text, again == 1);
        assert_int_equal(r->quarantined, 0);
        assert_int_equal(r->added + r->revised, 3);
        assert_int_equal(r->n_defects, 1);
        assert_int_equal(r->defects[0]->row, 4);
        assert_true(r->defects[0]->warning);
        assert_non_null(
            strstr(r->defects[0]->reason, "published no figure of this cell before 2024-03-29"));
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: import_test EXAMPLE_DIR\n");
        return 2;
    }
    examples = argv[1];
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(takes_the_example_once),
        TEST(a_dry_run_says_what_a_real_one_does),
        TEST(quarantines_bad_and_contradicting_rows),
        TEST(warns_of_a_withdrawal_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
