// Goal: the Import call counts every row once however often it is repeated, says in a dry run what
// a real one would do, and never loses a row to a limit or a failure. Method: the module over the
// loop transport against a storage that keeps its cells in memory and obeys Commit's contract.
#include "testing.h"

#include "alm/ingestion_module.h"
#include "alm/limits.h"
#include "alm/wire.h"

#include "almanac/internal/ingestion.pb-c.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

// --- a storage in memory ------------------------------------------------------------------------

typedef struct fake_batch {
    uint64_t digest;
    Almanac__Internal__CommitResponse answer; // its conflicts in the arena
} fake_batch;

typedef struct fake_storage {
    pthread_mutex_t mutex; // guards all below: handlers run in a pool
    alm_arena *arena;
    interner cells;    // variant, place and period
    interner vintages; // and source, day
    alm_value values[400000];
    interner batches;
    fake_batch batch[1000];
    uint64_t quarantined, commits, sequence;
    uint64_t fail_at; // this commit and no other is refused; 0: none
    uint64_t catalog_added;
    bool knows_tax; // the catalogue has the indicator "tax" too
} fake_storage;

static fake_storage storage;

static char *text_of(alm_arena *arena, const alm_str *variants, const alm_obs *o, bool vintage)
{
    unsigned long long period = alm_period_pack(o->period);
    return vintage
               ? alm_arena_printf(arena, "%.*s|%u|%llx|%u|%d", ALM_STR_ARGS(variants[o->variant]),
                                  o->place, period, o->source, o->published)
               : alm_arena_printf(arena, "%.*s|%u|%llx", ALM_STR_ARGS(variants[o->variant]),
                                  o->place, period);
}

static bool same_number(const alm_value *a, const alm_value *b)
{
    return a->has_number == b->has_number && a->number.mantissa == b->number.mantissa &&
           a->number.exponent == b->number.exponent && a->status == b->status;
}

static alm_code add_conflict(Almanac__Internal__CommitResponse *answer, uint32_t row,
                             alm_status *st)
{
    Almanac__Internal__Conflict *c = alm_arena_alloc(storage.arena, sizeof *c);
    if (c == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "fake storage is full");
    }
    almanac__internal__conflict__init(c);
    c->row = row;
    c->reason = (char *)(uintptr_t) "the same source gave this cell another value on that day, "
                                    "and it is stored already";
    answer->conflicts[answer->n_conflicts++] = c;
    return ALM_OK;
}

static alm_code put_row(const alm_str *variants, const alm_obs *o, uint32_t row, bool dry_run,
                        Almanac__Internal__CommitResponse *answer, alm_arena *arena, alm_status *st)
{
    alm_str vintage = alm_str_from(text_of(arena, variants, o, true));
    alm_str cell = alm_str_from(text_of(arena, variants, o, false));
    uint32_t known = interner_find(&storage.vintages, vintage);
    if (known != UINT32_MAX && !same_number(&storage.values[known], &o->value)) {
        return add_conflict(answer, row, st);
    }
    answer->unchanged += known != UINT32_MAX ? 1 : 0;
    if (known == UINT32_MAX) {
        bool is_known_cell = interner_find(&storage.cells, cell) != UINT32_MAX;
        answer->revised += is_known_cell ? 1 : 0;
        answer->added += is_known_cell ? 0 : 1;
        uint32_t number;
        if (!dry_run && (!intern(&storage.vintages, vintage, &known, NULL) ||
                         !intern(&storage.cells, cell, &number, NULL))) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "fake storage is full");
        }
        if (!dry_run) {
            storage.values[known] = o->value;
        }
    }
    return ALM_OK;
}

static alm_code put_rows(const Almanac__Internal__CommitRequest *r, alm_arena *arena,
                         Almanac__Internal__CommitResponse *answer, alm_status *st)
{
    alm_str *variants = NULL;
    alm_obs *rows = NULL;
    size_t variant_count = 0, count = 0;
    if (r->observations == NULL) {
        return ALM_OK;
    }
    ALM_TRY(
        alm_obs_block_read(r->observations, arena, &variants, &variant_count, &rows, &count, st));
    answer->conflicts = alm_arena_calloc(storage.arena, count, sizeof *answer->conflicts);
    for (uint32_t i = 0; i < count; i++) {
        ALM_TRY(put_row(variants, &rows[i], i, r->dry_run, answer, arena, st));
    }
    return ALM_OK;
}

static alm_code commit_locked(const Almanac__Internal__CommitRequest *r, alm_arena *arena,
                              Almanac__Internal__CommitResponse *answer, alm_status *st)
{
    uint64_t digest;
    memcpy(&digest, r->digest.data, sizeof digest);
    if (++storage.commits == storage.fail_at) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION, "the disk is away");
    }
    uint32_t known = interner_find(&storage.batches, alm_str_from(r->batch_id));
    if (known != UINT32_MAX) {
        if (storage.batch[known].digest != digest) {
            return alm_status_set(st, ALM_ALREADY_EXISTS, "batch %s has other content",
                                  r->batch_id);
        }
        *answer = storage.batch[known].answer;
        answer->replayed = true;
        return ALM_OK;
    }
    ALM_TRY(put_rows(r, arena, answer, st));
    answer->catalog_added = r->n_indicators + r->n_places + r->n_sources;
    if (r->dry_run) {
        return ALM_OK;
    }
    answer->sequence = ++storage.sequence;
    storage.quarantined += r->n_quarantine;
    storage.catalog_added += answer->catalog_added;
    if (!intern(&storage.batches, alm_str_from(r->batch_id), &known, NULL)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "fake storage is full");
    }
    storage.batch[known] = (fake_batch){.digest = digest, .answer = *answer};
    return ALM_OK;
}

static alm_code commit(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)self;
    Almanac__Internal__CommitResponse answer = ALMANAC__INTERNAL__COMMIT_RESPONSE__INIT;
    pthread_mutex_lock(&storage.mutex);
    alm_code code = commit_locked((const Almanac__Internal__CommitRequest *)request,
                                  alm_call_arena(call), &answer, st);
    pthread_mutex_unlock(&storage.mutex);
    return code == ALM_OK ? alm_call_send(call, &answer.base, st) : code;
}

static alm_code head(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)self;
    (void)request;
    Almanac__Internal__HeadResponse answer = ALMANAC__INTERNAL__HEAD_RESPONSE__INIT;
    pthread_mutex_lock(&storage.mutex);
    answer.catalog_sequence = storage.knows_tax ? 2 : 1;
    pthread_mutex_unlock(&storage.mutex);
    return alm_call_send(call, &answer.base, st);
}

static alm_code fill_catalog(Almanac__Internal__LoadCatalogResponse *answer, alm_arena *arena,
                             alm_status *st)
{
    size_t indicator_count, place_count, source_count;
    const alm_indicator *indicators = test_indicators(&indicator_count);
    const alm_place *places = test_places(&place_count);
    const alm_source *sources = test_sources(&source_count);
    answer->indicators = alm_arena_calloc(arena, indicator_count + 1, sizeof(void *));
    answer->places = alm_arena_calloc(arena, place_count, sizeof(void *));
    answer->sources = alm_arena_calloc(arena, source_count, sizeof(void *));
    for (size_t i = 0; i < indicator_count; i++) {
        ALM_TRY(alm_indicator_to_proto(&indicators[i], arena,
                                       &answer->indicators[answer->n_indicators++], st));
    }
    if (storage.knows_tax) {
        alm_indicator tax = indicators[0];
        tax.code = ALM_STR("tax");
        tax.name_zh = ALM_STR("税收");
        tax.name_en = (alm_str){0};
        tax.alias_count = 0;
        ALM_TRY(
            alm_indicator_to_proto(&tax, arena, &answer->indicators[answer->n_indicators++], st));
    }
    for (size_t i = 0; i < place_count; i++) {
        ALM_TRY(alm_place_to_proto(&places[i], arena, &answer->places[answer->n_places++], st));
    }
    for (size_t i = 0; i < source_count; i++) {
        ALM_TRY(alm_source_to_proto(&sources[i], arena, &answer->sources[answer->n_sources++], st));
    }
    return ALM_OK;
}

static alm_code load_catalog(void *self, alm_call *call, const ProtobufCMessage *request,
                             alm_status *st)
{
    (void)self;
    (void)request;
    Almanac__Internal__LoadCatalogResponse answer = ALMANAC__INTERNAL__LOAD_CATALOG_RESPONSE__INIT;
    pthread_mutex_lock(&storage.mutex);
    answer.catalog_sequence = storage.knows_tax ? 2 : 1;
    alm_code code = fill_catalog(&answer, alm_call_arena(call), st);
    pthread_mutex_unlock(&storage.mutex);
    return code == ALM_OK ? alm_call_send(call, &answer.base, st) : code;
}

// --- the module and a client --------------------------------------------------------------------

typedef struct fixture {
    alm_rpc *rpc;
    alm_server *storage_server;
    void *module;
    alm_channel *channel;
    alm_arena *arena;
    alm_module_ctx ctx;
    int64_t now_us;
    alm_status st;
    alm_buf text;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    static const alm_handler handlers[] = {commit, NULL, load_catalog, NULL, NULL,
                                           head,   NULL, NULL,         NULL};
    f = (fixture){.st = ALM_STATUS_INIT, .now_us = (int64_t)TEST_TODAY * 86400 * 1000000};
    storage = (fake_storage){.arena = alm_arena_create((size_t)1 << 30)};
    pthread_mutex_init(&storage.mutex, NULL);
    interner_init(&storage.cells, storage.arena);
    interner_init(&storage.vintages, storage.arena);
    interner_init(&storage.batches, storage.arena);
    f.arena = alm_arena_create(0);
    alm_buf_init(&f.text, 0);
    alm_server_opts opts = {.name = "storage"};
    bool ok =
        alm_rpc_create(NULL, &f.rpc, &f.st) == ALM_OK &&
        alm_server_create(f.rpc, &opts, &f.storage_server, &f.st) == ALM_OK &&
        alm_server_add(f.storage_server, &alm_service_storage, handlers, NULL, &f.st) == ALM_OK &&
        alm_server_bind(f.storage_server, "loop://storage", &f.st) == ALM_OK &&
        alm_server_start(f.storage_server, &f.st) == ALM_OK;
    f.ctx = (alm_module_ctx){.rpc = f.rpc,
                             .clock = alm_clock_fake(&f.now_us),
                             .endpoints = {.storage = "loop://storage"},
                             .bind = "loop://ingestion"};
    ok = ok && alm_module_ingestion.start(&f.ctx, &f.module, &f.st) == ALM_OK &&
         alm_channel_open(f.rpc, "loop://ingestion", NULL, &f.channel, &f.st) == ALM_OK;
    *state = &f;
    if (!ok) {
        print_error("%s\n", f.st.message);
    }
    return ok ? 0 : -1;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    alm_channel_close(&f->channel);
    alm_module_ingestion.stop(f->module, 1000);
    alm_server_destroy(&f->storage_server);
    alm_rpc_destroy(&f->rpc);
    alm_buf_deinit(&f->text);
    alm_arena_destroy(&f->arena);
    alm_arena_destroy(&storage.arena);
    pthread_mutex_destroy(&storage.mutex);
    return 0;
}

#define HEADER "indicator,place,period,value,unit,published"

static Almanac__V1__ImportRequest request_of(const char *batch_id, alm_str records)
{
    Almanac__V1__ImportRequest r;
    almanac__v1__import_request__init(&r);
    r.batch_id = (char *)(uintptr_t)batch_id;
    r.file_name = (char *)(uintptr_t) "file.csv";
    r.header = (ProtobufCBinaryData){sizeof HEADER - 1, (uint8_t *)(uintptr_t)HEADER};
    r.records = (ProtobufCBinaryData){records.len, (uint8_t *)(uintptr_t)records.data};
    r.first_row = 2;
    return r;
}

static alm_code call_import(fixture *f, const Almanac__V1__ImportRequest *request,
                            Almanac__V1__ImportResponse **ret)
{
    ProtobufCMessage *reply = NULL;
    f->st = ALM_STATUS_INIT;
    alm_code code = alm_channel_call(f->channel, &alm_service_ingestion, "Import", NULL,
                                     &request->base, f->arena, &reply, &f->st);
    *ret = (Almanac__V1__ImportResponse *)reply;
    return code;
}

static Almanac__V1__ImportResponse *import_ok(fixture *f, const char *batch_id, const char *records)
{
    Almanac__V1__ImportRequest request = request_of(batch_id, alm_str_from(records));
    Almanac__V1__ImportResponse *response = NULL;
    if (call_import(f, &request, &response) != ALM_OK) {
        fail_msg("%s", f->st.message);
    }
    return response;
}

static void assert_counts(const Almanac__V1__ImportResponse *r, uint64_t added, uint64_t revised,
                          uint64_t unchanged, uint64_t quarantined)
{
    assert_int_equal(r->added, added);
    assert_int_equal(r->revised, revised);
    assert_int_equal(r->unchanged, unchanged);
    assert_int_equal(r->quarantined, quarantined);
    assert_int_equal(r->rows, added + revised + unchanged + quarantined);
}

// --- tests --------------------------------------------------------------------------------------

static const char three_rows[] = "gdp,310105,2023,1,亿元,2024-02-29\n"
                                 "gdp,310106,2023,2,亿元,2024-02-29\n"
                                 "gdp,310106,2023,2,亿元,2024-02-29\n"
                                 "gdpp,310101,2023,3,亿元,2024-02-29\n";

static void counts_a_repeated_call_once(void **state)
{
    fixture *f = *state;
    const Almanac__V1__ImportResponse *first = import_ok(f, "b", three_rows);
    assert_counts(first, 2, 0, 1, 1);
    assert_false(first->replayed);
    assert_true(first->sequence > 0);
    assert_string_equal(first->encoding, "utf-8");
    assert_int_equal(first->n_defects, 2);
    const Almanac__V1__ImportResponse *again = import_ok(f, "b", three_rows);
    assert_counts(again, 2, 0, 1, 1);
    assert_true(again->replayed);
    assert_string_equal(again->batch_id, first->batch_id);
    assert_int_equal(again->sequence, first->sequence);
    assert_int_equal(storage.quarantined, 1);
    assert_int_equal(storage.vintages.count, 2);
    const Almanac__V1__ImportResponse *other = import_ok(f, "c", three_rows);
    assert_counts(other, 0, 0, 3, 1);
    assert_false(other->replayed);
}

static void names_a_batch_after_its_content(void **state)
{
    fixture *f = *state;
    const Almanac__V1__ImportResponse *first = import_ok(f, "", three_rows);
    assert_true(alm_str_starts_with(alm_str_from(first->batch_id), ALM_STR("auto-")));
    assert_true(import_ok(f, "", three_rows)->replayed);
    const Almanac__V1__ImportResponse *other =
        import_ok(f, "", "gdp,310105,2023,1,亿元,2024-03-01\n");
    assert_false(other->replayed);
    assert_counts(other, 0, 1, 0, 0);
}

static void says_in_a_dry_run_what_a_real_one_does(void **state)
{
    fixture *f = *state;
    import_ok(f, "before",
              "gdp,310105,2023,9,亿元,2024-02-29\n"
              "gdp,310106,2023,9,亿元,2024-01-31\n");
    Almanac__V1__ImportRequest request = request_of("b", alm_str_from(three_rows));
    Almanac__V1__ImportResponse *dry = NULL, *replay = NULL;
    uint64_t sequence = storage.sequence;
    request.dry_run = true;
    assert_int_equal(call_import(f, &request, &dry), ALM_OK);
    assert_int_equal(storage.sequence, sequence);
    assert_int_equal(storage.quarantined, 0);
    assert_int_equal(dry->sequence, 0);
    const Almanac__V1__ImportResponse *real = import_ok(f, "b", three_rows);
    assert_counts(real, 0, 1, 1, 2);
    assert_counts(dry, 0, 1, 1, 2);
    assert_string_equal(dry->batch_id, real->batch_id);
    assert_int_equal(dry->n_defects, real->n_defects);
    for (size_t i = 0; i < dry->n_defects; i++) {
        assert_int_equal(dry->defects[i]->row, real->defects[i]->row);
        assert_string_equal(dry->defects[i]->reason, real->defects[i]->reason);
    }
    assert_int_equal(call_import(f, &request, &replay), ALM_OK);
    assert_true(replay->replayed);
    assert_int_equal(replay->sequence, 0);
}

static void quarantines_what_contradicts_the_store(void **state)
{
    fixture *f = *state;
    import_ok(f, "a", "gdp,310105,2023,1,亿元,2024-02-29\n");
    static const char changed[] = "gdp,310101,2023,5,亿元,2024-02-29\n"
                                  "gdp,310105,2023,2,亿元,2024-02-29\n";
    for (size_t again = 0; again < 2; again++) {
        const Almanac__V1__ImportResponse *r = import_ok(f, "b", changed);
        assert_counts(r, 1, 0, 0, 1);
        assert_int_equal(r->replayed, again == 1);
        assert_int_equal(r->n_defects, 1);
        assert_int_equal(r->defects[0]->row, 3);
        assert_int_equal(r->defects[0]->column, 4);
        assert_string_equal(r->defects[0]->field, "value");
        assert_string_equal(r->defects[0]->value, "2 亿元");
        assert_int_equal(storage.quarantined, 1);
    }
    uint32_t known = interner_find(&storage.batches, ALM_STR("b#0!conflicts"));
    assert_int_not_equal(known, UINT32_MAX);
}

static void takes_rows_the_catalogue_has_learned(void **state)
{
    fixture *f = *state;
    static const char rows[] = "gdp,310105,2023,1,亿元,2024-02-29\n"
                               "tax,310105,2023,2,亿元,2024-02-29\n";
    assert_counts(import_ok(f, "b", rows), 1, 0, 0, 1);
    pthread_mutex_lock(&storage.mutex);
    storage.knows_tax = true;
    pthread_mutex_unlock(&storage.mutex);
    const Almanac__V1__ImportResponse *r = import_ok(f, "b", rows);
    assert_counts(r, 1, 0, 1, 0);
    assert_false(r->replayed);
}

static void put_many_rows(alm_buf *out, size_t count, size_t value)
{
    for (size_t i = 0; i < count; i++) {
        alm_buf_printf(out, "gdp,310105,%04zu-%02zu-%02zu,%zu,亿元,2024-02-29\n", 1 + i / 336,
                       1 + i / 28 % 12, 1 + i % 28, value);
    }
    alm_buf_char(out, '\0');
}

static void cuts_large_pieces_into_commits(void **state)
{
    fixture *f = *state;
    const size_t count = 50000;
    put_many_rows(&f->text, count, 1);
    const Almanac__V1__ImportResponse *r = import_ok(f, "b", (const char *)f->text.data);
    assert_counts(r, count, 0, 0, 0);
    assert_true(storage.batches.count > 1);
    assert_int_not_equal(interner_find(&storage.batches, ALM_STR("b#0.1")), UINT32_MAX);
    // Every row contradicts: the answers and the quarantine are large too.
    alm_buf_reset(&f->text);
    put_many_rows(&f->text, count, 2);
    alm_arena_reset(f->arena);
    r = import_ok(f, "c", (const char *)f->text.data);
    assert_counts(r, 0, 0, 0, count);
    assert_int_equal(storage.quarantined, count);
    assert_int_equal(r->n_defects + r->defects_not_listed, count);
}

static void goes_on_after_a_failure_of_storage(void **state)
{
    fixture *f = *state;
    const size_t count = 50000;
    put_many_rows(&f->text, count, 1);
    Almanac__V1__ImportRequest request = request_of("b", alm_str_from((const char *)f->text.data));
    Almanac__V1__ImportResponse *r = NULL;
    storage.fail_at = 2;
    assert_int_equal(call_import(f, &request, &r), ALM_FAILED_PRECONDITION);
    assert_non_null(strstr(f->st.message, "the disk is away"));
    assert_non_null(strstr(f->st.message, "b#0, part 1"));
    assert_true(storage.vintages.count > 0 && storage.vintages.count < count);
    assert_int_equal(call_import(f, &request, &r), ALM_OK);
    assert_counts(r, count, 0, 0, 0);
    assert_false(r->replayed);
    assert_int_equal(storage.vintages.count, count);
}

// As large and as bad as a piece can be: no message on the way may pass the limit.
static void carries_a_piece_that_is_all_bad(void **state)
{
    fixture *f = *state;
    size_t count = 0;
    while (f->text.len < 3 * ALM_IMPORT_CHUNK_BYTES / 2) {
        alm_buf_printf(&f->text, "no%zu,x,y,z,\n", count++);
    }
    alm_buf_char(&f->text, '\0');
    const Almanac__V1__ImportResponse *r = import_ok(f, "b", (const char *)f->text.data);
    assert_counts(r, 0, 0, 0, count);
    assert_true(r->n_defects > 1000);
    assert_true(r->defects_not_listed > 0);
    assert_int_equal(storage.quarantined, count);
}

// The content makes the batch, not the name: what was quarantined is not quarantined again.
static void counts_a_renamed_file_once(void **state)
{
    fixture *f = *state;
    const size_t count = 40000;
    char long_name[201];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    for (size_t i = 0; i < count; i++) {
        alm_buf_printf(&f->text, "no%zu,x,y,z,\n", i);
    }
    Almanac__V1__ImportRequest request = request_of("b", alm_buf_view(&f->text));
    Almanac__V1__ImportResponse *r = NULL;
    assert_int_equal(call_import(f, &request, &r), ALM_OK);
    assert_counts(r, 0, 0, 0, count);
    request.file_name = long_name;
    assert_int_equal(call_import(f, &request, &r), ALM_OK);
    assert_counts(r, 0, 0, 0, count);
    assert_int_equal(storage.quarantined, count);
    assert_true(r->replayed);
}

static void takes_catalogue_files(void **state)
{
    fixture *f = *state;
    Almanac__V1__ImportRequest request =
        request_of("b", ALM_STR("cn2023,公报,\ncn2024,公报二,soon\n"));
    Almanac__V1__ImportResponse *r = NULL;
    static const char columns[] = "code,title,published";
    request.kind = ALMANAC__V1__IMPORT_KIND__IMPORT_KIND_SOURCES;
    request.header = (ProtobufCBinaryData){sizeof columns - 1, (uint8_t *)(uintptr_t)columns};
    assert_int_equal(call_import(f, &request, &r), ALM_OK);
    assert_counts(r, 1, 0, 0, 1);
    assert_int_equal(storage.catalog_added, 1);
}

static void reports_records_too_long_to_send(void **state)
{
    fixture *f = *state;
    Almanac__V1__ImportRequest request = request_of("b", (alm_str){0});
    Almanac__V1__OversizeRecord record = ALMANAC__V1__OVERSIZE_RECORD__INIT;
    Almanac__V1__OversizeRecord *records[] = {&record};
    Almanac__V1__ImportResponse *r = NULL;
    record.row = 24;
    record.bytes = 100000000;
    request.n_oversize = 1;
    request.oversize = records;
    assert_int_equal(call_import(f, &request, &r), ALM_OK);
    assert_counts(r, 0, 0, 0, 1);
    assert_int_equal(r->defects[0]->row, 24);
    assert_string_equal(r->defects[0]->reason,
                        "the record has 100000000 bytes, at most 1048576 are taken");
    assert_int_equal(storage.quarantined, 1);
}

static void takes_a_header_alone(void **state)
{
    fixture *f = *state;
    const Almanac__V1__ImportResponse *r = import_ok(f, "b", "");
    assert_counts(r, 0, 0, 0, 0);
    assert_int_equal(r->sequence, 0);
    assert_false(r->replayed);
    assert_string_equal(r->encoding, "");
    assert_int_equal(storage.commits, 0);
}

static void assert_refused(fixture *f, const Almanac__V1__ImportRequest *request, alm_code code,
                           const char *field)
{
    Almanac__V1__ImportResponse *r = NULL;
    assert_int_equal(call_import(f, request, &r), code);
    assert_string_equal(f->st.field, field);
    assert_int_equal(storage.commits, 0);
}

static void refuses_malformed_requests(void **state)
{
    fixture *f = *state;
    static char long_id[200];
    memset(long_id, 'x', 100);
    const Almanac__V1__ImportRequest good = request_of("b", alm_str_from(three_rows));
    Almanac__V1__ImportRequest r = good;
    r.kind = (Almanac__V1__ImportKind)99;
    assert_refused(f, &r, ALM_INVALID_ARGUMENT, "kind");
    r = good;
    r.first_row = 1;
    assert_refused(f, &r, ALM_INVALID_ARGUMENT, "first_row");
    r.first_row = UINT64_MAX;
    assert_refused(f, &r, ALM_INVALID_ARGUMENT, "first_row");
    r = good;
    r.encoding = (char *)(uintptr_t) "latin1";
    assert_refused(f, &r, ALM_INVALID_ARGUMENT, "encoding");
    r = good;
    r.batch_id = long_id;
    assert_refused(f, &r, ALM_INVALID_ARGUMENT, "batch_id");
    r = good;
    r.period = (char *)(uintptr_t) "yesterday";
    assert_refused(f, &r, ALM_INVALID_ARGUMENT, "period");
    r = good;
    r.kind = ALMANAC__V1__IMPORT_KIND__IMPORT_KIND_PLACES;
    r.place = (char *)(uintptr_t) "310105";
    assert_refused(f, &r, ALM_INVALID_ARGUMENT, "kind");
    r = good;
    r.header.len = 9; // "indicator"
    assert_refused(f, &r, ALM_INVALID_ARGUMENT, "header");
    r.header.len = 0;
    assert_refused(f, &r, ALM_INVALID_ARGUMENT, "header");
}

static void refuses_other_content_under_a_known_batch(void **state)
{
    fixture *f = *state;
    import_ok(f, "b", "gdp,310105,2023,1,亿元,2024-02-29\n");
    Almanac__V1__ImportRequest r = request_of("b", ALM_STR("gdp,310105,2023,2,亿元,2024-02-29\n"));
    Almanac__V1__ImportResponse *response = NULL;
    assert_int_equal(call_import(f, &r, &response), ALM_ALREADY_EXISTS);
    assert_int_equal(storage.vintages.count, 1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(counts_a_repeated_call_once),
        TEST(names_a_batch_after_its_content),
        TEST(says_in_a_dry_run_what_a_real_one_does),
        TEST(quarantines_what_contradicts_the_store),
        TEST(takes_rows_the_catalogue_has_learned),
        TEST(cuts_large_pieces_into_commits),
        TEST(goes_on_after_a_failure_of_storage),
        TEST(carries_a_piece_that_is_all_bad),
        TEST(counts_a_renamed_file_once),
        TEST(takes_catalogue_files),
        TEST(reports_records_too_long_to_send),
        TEST(takes_a_header_alone),
        TEST(refuses_malformed_requests),
        TEST(refuses_other_content_under_a_known_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
