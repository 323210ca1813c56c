// Importing real files through a real socket: what arrives is the file, piece by piece, whatever
// fails on the way.
#include "almanac.h"

#include "fake_gateway.h"

#include "alm/buf.h"
#include "alm/limits.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

// What a server that keeps everything has seen.
typedef struct received {
    alm_buf records; // of all pieces, one behind the other
    uint64_t next_row;
    uint32_t pieces;
    uint64_t oversize_row, oversize_bytes;
    char batch_id[129], encoding[32], header[64];
    unsigned failures_left; // answers UNAVAILABLE this many times first
    uint32_t fails_at_piece;
} received;

static fake_gateway gateway;
static almanac_client *client;
static received seen;
static char path[64];

static alm_code take_piece(fake_gateway *self, alm_arena *arena,
                           const Almanac__V1__ImportRequest *request,
                           Almanac__V1__ImportResponse *ret, alm_status *st)
{
    (void)arena;
    received *in = self->import_arg;
    if (in->failures_left > 0 && request->piece == in->fails_at_piece) {
        in->failures_left--;
        return alm_status_set(st, ALM_UNAVAILABLE, "storage is away");
    }
    if (request->piece != in->pieces) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "piece %u after %u", request->piece,
                              in->pieces);
    }
    if (in->next_row != 0 && request->first_row != in->next_row) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "row %llu, not %llu",
                              (unsigned long long)request->first_row,
                              (unsigned long long)in->next_row);
    }
    (void)snprintf(in->batch_id, sizeof in->batch_id, "%s", request->batch_id);
    (void)snprintf(in->encoding, sizeof in->encoding, "%s", request->encoding);
    (void)snprintf(in->header, sizeof in->header, "%.*s", (int)request->header.len,
                   (const char *)request->header.data);
    alm_buf_append(&in->records, request->records.data, request->records.len);
    for (size_t i = 0; i < request->records.len; i++) {
        ret->rows += request->records.data[i] == '\n' ? 1 : 0;
    }
    in->next_row = request->first_row + ret->rows + request->n_oversize;
    if (request->n_oversize > 0) {
        in->oversize_row = request->oversize[0]->row;
        in->oversize_bytes = request->oversize[0]->bytes;
        ret->quarantined = 1;
    }
    in->pieces++;
    ret->added = ret->rows;
    ret->sequence = in->pieces;
    static char gb18030[] = "gb18030";
    ret->encoding = gb18030;
    return ALM_OK;
}

static int set_up(void **state)
{
    (void)state;
    seen = (received){0};
    alm_buf_init(&seen.records, 0);
    gateway = (fake_gateway){.import = take_piece, .import_arg = &seen};
    fake_gateway_start(&gateway);
    (void)snprintf(path, sizeof path, "/tmp/almanac-import-XXXXXX");
    int fd = mkstemp(path);
    (void)close(fd);
    return fd >= 0 && almanac_client_open(gateway.endpoint, NULL, &client, NULL) == ALMANAC_OK ? 0
                                                                                               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    almanac_client_close(&client);
    fake_gateway_stop(&gateway);
    alm_buf_deinit(&seen.records);
    (void)unlink(path);
    return 0;
}

static void write_file(const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

// A file of `rows` records of about 100 bytes.
static void write_rows(size_t rows)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "indicator,place,period,value\n");
    for (size_t i = 0; i < rows; i++) {
        fprintf(file, "gdp,310105,2023,%088zu\n", i);
    }
    assert_int_equal(fclose(file), 0);
}

static void sends_the_whole_file_in_pieces(void **state)
{
    (void)state;
    const size_t rows = 60000; // 6 MB: three pieces and a bit
    almanac_import_result result;
    write_rows(rows);
    assert_int_equal(almanac_import_file(client, path, NULL, &result, NULL), ALMANAC_OK);
    assert_int_equal(result.rows, rows);
    assert_int_equal(result.added, rows);
    assert_int_equal(result.pieces, seen.pieces);
    assert_true(seen.pieces >= 3);
    assert_int_equal(result.sequence, seen.pieces);
    assert_string_equal(seen.header, "indicator,place,period,value");
    assert_string_equal(seen.encoding, "gb18030"); // what the first answer found
    FILE *file = fopen(path, "rb");
    char line[256];
    size_t at = 0;
    assert_non_null(fgets(line, sizeof line, file)); // the header
    while (fgets(line, sizeof line, file) != NULL) {
        size_t len = strlen(line);
        assert_true(at + len <= seen.records.len);
        assert_memory_equal(seen.records.data + at, line, len);
        at += len;
    }
    assert_int_equal(at, seen.records.len);
    (void)fclose(file);
}

// The id depends on the content and on what is added to it, and on nothing else.
static void names_the_batch_by_its_content(void **state)
{
    (void)state;
    char ids[4][129];
    almanac_import_opts opts = {0};
    almanac_import_result result;
    for (int i = 0; i < 4; i++) {
        write_file("a\n1\n", 4);
        if (i == 2) {
            write_file("a\n2\n", 4);
        }
        opts.place = i == 3 ? "310105" : "";
        seen.pieces = 0;
        seen.next_row = 0;
        assert_int_equal(almanac_import_file(client, path, &opts, &result, NULL), ALMANAC_OK);
        assert_string_equal(seen.batch_id, result.batch_id);
        (void)snprintf(ids[i], sizeof ids[i], "%s", result.batch_id);
    }
    assert_int_equal(strlen(ids[0]), 32);
    assert_string_equal(ids[0], ids[1]);
    assert_string_not_equal(ids[0], ids[2]);
    assert_string_not_equal(ids[0], ids[3]);
    opts.batch_id = "mine";
    seen.pieces = 0;
    seen.next_row = 0;
    assert_int_equal(almanac_import_file(client, path, &opts, &result, NULL), ALMANAC_OK);
    assert_string_equal(seen.batch_id, "mine");
}

#define LONG_BYTES (ALM_IMPORT_RECORD_BYTES_MAX + 5)

// Three pieces: a row, a record that is too long to send, another row.
static void write_long_row(void)
{
    alm_buf text;
    alm_buf_init(&text, 0);
    alm_buf_str(&text, ALM_STR("a\n1\n"));
    for (size_t i = 0; i < LONG_BYTES; i++) {
        alm_buf_char(&text, 'x');
    }
    alm_buf_str(&text, ALM_STR("\n2\n"));
    write_file(text.data, text.len);
    alm_buf_deinit(&text);
}

static void leaves_out_what_is_too_long(void **state)
{
    (void)state;
    almanac_import_result result;
    write_long_row();
    assert_int_equal(almanac_import_file(client, path, NULL, &result, NULL), ALMANAC_OK);
    assert_int_equal(seen.oversize_row, 3);
    assert_int_equal(seen.oversize_bytes, LONG_BYTES);
    assert_int_equal(result.quarantined, 1);
    assert_int_equal(seen.records.len, 4);
    assert_memory_equal(seen.records.data, "1\n2\n", 4);
}

static void sends_a_header_alone(void **state)
{
    (void)state;
    almanac_import_result result;
    almanac_error error;
    write_file("a,b\n", 4);
    assert_int_equal(almanac_import_file(client, path, NULL, &result, NULL), ALMANAC_OK);
    assert_int_equal(seen.pieces, 1);
    assert_int_equal(seen.records.len, 0);
    write_file("", 0);
    assert_int_equal(almanac_import_file(client, path, NULL, &result, &error),
                     ALMANAC_INVALID_ARGUMENT);
    assert_int_equal(seen.pieces, 1);
}

static void tries_again_while_the_almanac_is_away(void **state)
{
    (void)state;
    almanac_import_result result;
    write_rows(30000);
    seen.fails_at_piece = 1;
    seen.failures_left = 3;
    assert_int_equal(almanac_import_file(client, path, NULL, &result, NULL), ALMANAC_OK);
    assert_int_equal(result.rows, 30000);
    assert_int_equal(seen.failures_left, 0);
}

static void gives_up_in_time_and_says_what_was_stored(void **state)
{
    (void)state;
    almanac_import_result result;
    almanac_error error;
    const almanac_import_opts opts = {.piece_timeout_ms = 500};
    write_long_row();
    seen.fails_at_piece = 1;
    seen.failures_left = UINT32_MAX;
    almanac_code code = almanac_import_file(client, path, &opts, &result, &error);
    assert_true(code == ALMANAC_UNAVAILABLE || code == ALMANAC_DEADLINE_EXCEEDED);
    assert_int_equal(result.pieces, 1);
    assert_int_equal(result.added, 1);
}

typedef struct watcher {
    uint64_t calls;
    almanac_progress last;
    bool stops;
} watcher;

static bool on_progress(void *arg, const almanac_progress *progress)
{
    watcher *w = arg;
    assert_true(progress->bytes_done >= w->last.bytes_done);
    w->calls++;
    w->last = *progress;
    return !w->stops;
}

static void tells_how_far_it_is(void **state)
{
    (void)state;
    almanac_import_result result;
    watcher w = {0};
    const almanac_import_opts opts = {.on_progress = on_progress, .arg = &w};
    write_rows(60000);
    assert_int_equal(almanac_import_file(client, path, &opts, &result, NULL), ALMANAC_OK);
    assert_int_equal(w.calls, result.pieces);
    assert_int_equal(w.last.bytes_done, w.last.bytes_total);
    assert_int_equal(w.last.rows_done, 60000);
    w = (watcher){.stops = true};
    seen.pieces = 0;
    seen.next_row = 0;
    assert_int_equal(almanac_import_file(client, path, &opts, &result, NULL), ALMANAC_CANCELLED);
    assert_int_equal(result.pieces, 1);
}

// A pipe cannot be read twice; it is spooled, and everything is as with a file.
static void reads_a_pipe(void **state)
{
    (void)state;
    almanac_import_result result;
    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        int fd = open(path, O_WRONLY);
        (void)!write(fd, "a\n1\n", 4);
        (void)!write(fd, "2\n", 2);
        _exit(0);
    }
    assert_int_equal(almanac_import_file(client, path, NULL, &result, NULL), ALMANAC_OK);
    assert_int_equal(result.rows, 2);
    assert_memory_equal(seen.records.data, "1\n2\n", 4);
}

static bool append_to_file(void *arg, const almanac_progress *progress)
{
    (void)arg;
    (void)progress;
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    fprintf(file, "one,more,row,1\n");
    assert_int_equal(fclose(file), 0);
    return true;
}

static void notices_a_file_that_changes(void **state)
{
    (void)state;
    almanac_import_result result;
    almanac_error error;
    const almanac_import_opts opts = {.on_progress = append_to_file};
    write_rows(60000);
    assert_int_equal(almanac_import_file(client, path, &opts, &result, &error), ALMANAC_ABORTED);
}

static void names_the_file_it_cannot_read(void **state)
{
    (void)state;
    almanac_import_result result;
    almanac_error error;
    assert_int_equal(almanac_import_file(client, "/nowhere/x.csv", NULL, &result, &error),
                     ALMANAC_NOT_FOUND);
    assert_non_null(strstr(error.message, "/nowhere/x.csv"));
    assert_int_equal(almanac_import_file(client, "/tmp", NULL, &result, &error),
                     ALMANAC_INVALID_ARGUMENT);
}

static alm_code find_defects(fake_gateway *self, alm_arena *arena,
                             const Almanac__V1__ImportRequest *request,
                             Almanac__V1__ImportResponse *ret, alm_status *st)
{
    (void)self;
    (void)request;
    (void)st;
    Almanac__V1__Defect *defect = alm_arena_alloc(arena, sizeof *defect);
    ret->defects = alm_arena_alloc(arena, sizeof *ret->defects);
    static char field[] = "value", value[] = "n/a", reason[] = "not a number";
    almanac__v1__defect__init(defect);
    defect->row = 3;
    defect->column = 4;
    defect->field = field;
    defect->value = value;
    defect->reason = reason;
    ret->defects[0] = defect;
    ret->n_defects = 1;
    ret->quarantined = 1;
    ret->replayed = 1;
    return ALM_OK;
}

static void keep_defect(void *arg, const almanac_defect *defect)
{
    (void)snprintf(arg, 64, "%llu:%u %s=%s: %s", (unsigned long long)defect->row, defect->column,
                   defect->field, defect->value, defect->reason);
}

static void hands_over_defects(void **state)
{
    (void)state;
    char got[64] = "";
    almanac_import_result result;
    const almanac_import_opts opts = {.on_defect = keep_defect, .arg = got};
    gateway.import = find_defects;
    write_file("a\n1\n", 4);
    assert_int_equal(almanac_import_file(client, path, &opts, &result, NULL), ALMANAC_OK);
    assert_string_equal(got, "3:4 value=n/a: not a number");
    assert_int_equal(result.quarantined, 1);
    assert_int_equal(result.pieces_replayed, 1);
}

int main(void)
{
#define WITH_GATEWAY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_GATEWAY(sends_the_whole_file_in_pieces),
        WITH_GATEWAY(names_the_batch_by_its_content),
        WITH_GATEWAY(leaves_out_what_is_too_long),
        WITH_GATEWAY(sends_a_header_alone),
        WITH_GATEWAY(tries_again_while_the_almanac_is_away),
        WITH_GATEWAY(gives_up_in_time_and_says_what_was_stored),
        WITH_GATEWAY(tells_how_far_it_is),
        WITH_GATEWAY(reads_a_pipe),
        WITH_GATEWAY(notices_a_file_that_changes),
        WITH_GATEWAY(names_the_file_it_cannot_read),
        WITH_GATEWAY(hands_over_defects),
    };
    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
