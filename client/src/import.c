#include "client.h"
#include "cutter.h"
#include "spool.h"

#include "alm/limits.h"

#include "almanac/v1/gateway.pb-c.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define PIECE_TIMEOUT_MS_DEFAULT 120000
#define BACKOFF_MS_MIN           100
#define BACKOFF_MS_MAX           5000

// One file on its way.
typedef struct import_run {
    almanac_client *client;
    const almanac_import_opts *opts;
    const char *file_name;
    alm_spool spool;
    XXH3_state_t *hash; // of what the current pass has read
    XXH128_hash_t content;
    alm_cutter *cutter;
    alm_arena *arena; // of one piece
    alm_bytes header;
    almanac_import_result result;
} import_run;

static alm_code out_of_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "import: out of memory");
}

static alm_code read_hashed(void *self, uint8_t *out, size_t size, size_t *ret_got, alm_status *st)
{
    import_run *in = self;
    ALM_TRY(alm_spool_read(&in->spool, out, size, ret_got, st));
    (void)XXH3_128bits_update(in->hash, out, *ret_got);
    return ALM_OK;
}

static void start_pass(import_run *in)
{
    alm_spool_rewind(&in->spool);
    (void)XXH3_128bits_reset(in->hash);
}

static alm_code hash_content(import_run *in, alm_status *st)
{
    uint8_t block[65536];
    size_t got = 0;
    start_pass(in);
    do {
        ALM_TRY(read_hashed(in, block, sizeof block, &got, st));
    } while (got > 0);
    in->content = XXH3_128bits_digest(in->hash);
    start_pass(in);
    return ALM_OK;
}

static void hash_option(XXH3_state_t *hash, const char *text)
{
    text = text != NULL ? text : "";
    (void)XXH3_128bits_update(hash, text, strlen(text) + 1); // the NUL keeps neighbours apart
}

// The same content with another default is another batch.
static void derive_batch_id(import_run *in)
{
    char text[ALM_BATCH_ID_BYTES_MAX + 1];
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, in->content);
    (void)XXH3_128bits_reset(in->hash);
    (void)XXH3_128bits_update(in->hash, bytes.digest, sizeof bytes.digest);
    (void)snprintf(text, sizeof text, "%d", (int)in->opts->kind);
    hash_option(in->hash, text);
    hash_option(in->hash, in->opts->place);
    hash_option(in->hash, in->opts->period);
    hash_option(in->hash, in->opts->published);
    hash_option(in->hash, in->opts->source);
    hash_option(in->hash, in->opts->encoding);
    XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(in->hash));
    for (size_t i = 0; i < sizeof bytes.digest; i++) {
        (void)snprintf(in->result.batch_id + 2 * i, 3, "%02x", bytes.digest[i]);
    }
    (void)XXH3_128bits_reset(in->hash);
}

static alm_code choose_batch_id(import_run *in, alm_status *st)
{
    const char *given = in->opts->batch_id;
    if (given == NULL || given[0] == '\0') {
        derive_batch_id(in);
        return ALM_OK;
    }
    size_t len = strlen(given);
    if (len > ALM_BATCH_ID_BYTES_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "batch-id",
                                    "batch id of %zu bytes: at most %d", len,
                                    ALM_BATCH_ID_BYTES_MAX);
    }
    memcpy(in->result.batch_id, given, len + 1);
    return ALM_OK;
}

// Waits without work; a piece that failed is tried again after it.
static void wait_ms(int64_t ms)
{
    (void)poll(NULL, 0, (int)ms);
}

// Sends one piece until it is answered or its time is over. The server knows a piece it has seen.
static alm_code send_piece(import_run *in, const Almanac__V1__ImportRequest *request,
                           const Almanac__V1__ImportResponse **ret, alm_status *st)
{
    int64_t timeout_ms =
        in->opts->piece_timeout_ms != 0 ? in->opts->piece_timeout_ms : PIECE_TIMEOUT_MS_DEFAULT;
    int64_t end_ms = alm_clock_mono_ms(&in->client->clock) + timeout_ms;
    int64_t backoff_ms = BACKOFF_MS_MIN;
    for (;;) {
        alm_status why = ALM_STATUS_INIT;
        ProtobufCMessage *reply = NULL;
        int64_t left_ms = ALM_MAX(end_ms - alm_clock_mono_ms(&in->client->clock), 1);
        const alm_call_opts opts = {.timeout_ms = left_ms, .idempotency_key = request->batch_id};
        alm_code code =
            alm_client_call(in->client, "Import", &opts, &request->base, in->arena, &reply, &why);
        if (code == ALM_OK) {
            *ret = (const Almanac__V1__ImportResponse *)reply;
            return ALM_OK;
        }
        int64_t pause_ms = ALM_MAX(backoff_ms, (int64_t)why.retry_after_ms);
        left_ms = end_ms - alm_clock_mono_ms(&in->client->clock);
        if (code != ALM_UNAVAILABLE || pause_ms >= left_ms) {
            return alm_status_copy(st, &why);
        }
        wait_ms(pause_ms);
        backoff_ms = ALM_MIN(backoff_ms * 2, BACKOFF_MS_MAX);
    }
}

static void report_defects(const import_run *in, const Almanac__V1__ImportResponse *response)
{
    if (in->opts->on_defect == NULL) {
        return;
    }
    for (size_t i = 0; i < response->n_defects; i++) {
        const Almanac__V1__Defect *defect = response->defects[i];
        almanac_defect face = {.row = defect->row,
                               .column = defect->column,
                               .field = defect->field,
                               .value = defect->value,
                               .reason = defect->reason,
                               .warning = defect->warning != 0};
        in->opts->on_defect(in->opts->arg, &face);
    }
}

static void take_answer(import_run *in, const Almanac__V1__ImportResponse *response)
{
    almanac_import_result *sum = &in->result;
    sum->rows += response->rows;
    sum->added += response->added;
    sum->revised += response->revised;
    sum->unchanged += response->unchanged;
    sum->quarantined += response->quarantined;
    sum->defects_not_listed += response->defects_not_listed;
    sum->sequence = ALM_MAX(sum->sequence, response->sequence);
    alm_client_saw(in->client, response->sequence);
    sum->pieces++;
    sum->pieces_replayed += response->replayed ? 1 : 0;
    (void)snprintf(sum->encoding, sizeof sum->encoding, "%s", response->encoding);
    report_defects(in, response);
}

static alm_code tell_progress(const import_run *in, alm_status *st)
{
    almanac_progress progress = {.bytes_done = alm_cutter_offset(in->cutter),
                                 .bytes_total = in->spool.size,
                                 .rows_done = in->result.rows};
    bool goes_on = in->opts->on_progress == NULL || in->opts->on_progress(in->opts->arg, &progress);
    return goes_on ? ALM_OK : alm_status_set(st, ALM_CANCELLED, "the import was stopped");
}

// Sends one piece and adds up what came back.
static alm_code import_piece(import_run *in, const alm_piece *piece, alm_status *st)
{
    Almanac__V1__ImportRequest request;
    almanac__v1__import_request__init(&request);
    Almanac__V1__OversizeRecord oversize;
    almanac__v1__oversize_record__init(&oversize);
    Almanac__V1__OversizeRecord *oversizes[] = {&oversize};
    const almanac_import_opts *opts = in->opts;
    request.batch_id = in->result.batch_id;
    request.kind = (Almanac__V1__ImportKind)opts->kind;
    request.file_name = alm_client_text(in->file_name);
    request.header = (ProtobufCBinaryData){in->header.len, (uint8_t *)(uintptr_t)in->header.data};
    request.records =
        (ProtobufCBinaryData){piece->records.len, (uint8_t *)(uintptr_t)piece->records.data};
    request.first_row = piece->first_row;
    request.encoding =
        in->result.encoding[0] != '\0' ? in->result.encoding : alm_client_text(opts->encoding);
    request.dry_run = opts->dry_run;
    request.place = alm_client_text(opts->place);
    request.period = alm_client_text(opts->period);
    request.published = alm_client_text(opts->published);
    request.source = alm_client_text(opts->source);
    request.piece = (uint32_t)in->result.pieces;
    oversize.row = piece->oversize.row;
    oversize.bytes = piece->oversize.bytes;
    request.oversize = oversizes;
    request.n_oversize = piece->is_oversize ? 1 : 0;

    const Almanac__V1__ImportResponse *response = NULL;
    alm_arena_reset(in->arena);
    ALM_TRY(send_piece(in, &request, &response, st));
    ALM_ASSERT(response != NULL);
    take_answer(in, response);
    return tell_progress(in, st);
}

static alm_code import_pieces(import_run *in, alm_status *st)
{
    in->cutter = alm_cutter_create(NULL, read_hashed, in);
    in->arena = alm_arena_create(0);
    if (in->cutter == NULL || in->arena == NULL) {
        return out_of_memory(st);
    }
    ALM_TRY(alm_cutter_header(in->cutter, &in->header, st));
    for (;;) {
        alm_piece piece = {.first_row = 2};
        bool has_piece = false;
        ALM_TRY(alm_cutter_next(in->cutter, &piece, &has_piece, st));
        if (!has_piece && in->result.pieces > 0) {
            break;
        }
        ALM_TRY(import_piece(in, &piece, st)); // a header alone is sent too
        if (!has_piece) {
            break;
        }
    }
    if (!XXH128_isEqual(in->content, XXH3_128bits_digest(in->hash))) {
        return alm_status_set(st, ALM_ABORTED,
                              "%s changed while it was imported: import it again once it is done",
                              in->file_name);
    }
    return ALM_OK;
}

static alm_code import_file(import_run *in, const char *path, alm_status *st)
{
    in->hash = XXH3_createState();
    if (in->hash == NULL) {
        return out_of_memory(st);
    }
    ALM_TRY(alm_spool_open(path, &in->spool, st));
    ALM_TRY(hash_content(in, st));
    ALM_TRY(choose_batch_id(in, st));
    return import_pieces(in, st);
}

almanac_code almanac_import_file(almanac_client *client, const char *path,
                                 const almanac_import_opts *opts, almanac_import_result *ret_result,
                                 almanac_error *error)
{
    static const almanac_import_opts usual = {0};
    const char *slash = strrchr(path, '/');
    import_run in = {.client = client,
                     .opts = opts != NULL ? opts : &usual,
                     .file_name = slash != NULL ? slash + 1 : path,
                     .spool = {.fd = -1}};
    alm_status st = ALM_STATUS_INIT;
    alm_code code = import_file(&in, path, &st);
    alm_cutter_destroy(&in.cutter);
    alm_arena_destroy(&in.arena);
    alm_spool_close(&in.spool);
    (void)XXH3_freeState(in.hash);
    *ret_result = in.result;
    return alm_client_answer(code, &st, error);
}
