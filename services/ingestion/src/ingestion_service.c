#include "ingestion_service.h"

#include "commit_plan.h"
#include "import_request.h"

#include "alm/limits.h"

// One call while it is worked on.
typedef struct import_run {
    ingestion_service *self;
    alm_call *call;
    const Almanac__V1__ImportRequest *request;
    alm_arena *arena;   // the call's
    alm_arena *scratch; // of one commit at a time
    piece piece;
    piece_result result;
    commit_common common;
    char at[ALM_TIMESTAMP_MAX];
    size_t known_aside; // rows that were set aside before any commit
    Almanac__V1__ImportResponse response;
    size_t part_count, replayed_count;
} import_run;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "no memory for the piece; send a smaller one");
}

alm_code ingestion_service_init(ingestion_service *self, alm_rpc *rpc, const char *storage,
                                alm_clock clock, const alm_log *log, alm_status *st)
{
    *self = (ingestion_service){.clock = clock, .log = log};
    alm_code code = alm_channel_open(rpc, storage, NULL, &self->storage, st);
    if (code == ALM_OK) {
        code = alm_catalog_cache_create(self->storage, &self->cache, st);
    }
    if (code != ALM_OK) {
        ingestion_service_deinit(self);
    }
    return code;
}

void ingestion_service_deinit(ingestion_service *self)
{
    alm_catalog_cache_destroy(&self->cache);
    alm_channel_close(&self->storage);
}

// --- checking -----------------------------------------------------------------------------------

static alm_code newest_catalog(import_run *im, alm_catalog_ref **ret, alm_status *st)
{
    Almanac__Internal__HeadRequest request = ALMANAC__INTERNAL__HEAD_REQUEST__INIT;
    alm_call_opts opts = {.parent = im->call};
    ProtobufCMessage *reply = NULL;
    ALM_TRY(alm_channel_call(im->self->storage, &alm_service_storage, "Head", &opts, &request.base,
                             im->arena, &reply, st));
    const Almanac__Internal__HeadResponse *head = (const Almanac__Internal__HeadResponse *)reply;
    return alm_catalog_cache_get(im->self->cache, im->call, head->catalog_sequence, ret, st);
}

static alm_code name_commits(import_run *im, alm_status *st)
{
    alm_str batch_id = alm_str_from(im->request->batch_id);
    if (batch_id.len == 0 && !commit_auto_id(&im->piece, im->arena, &batch_id)) {
        return no_memory(st);
    }
    alm_clock_format_rfc3339(im->self->clock.wall_us(im->self->clock.self), im->at);
    im->common = (commit_common){.digest = commit_digest(&im->piece),
                                 .file_name = alm_str_from(im->request->file_name),
                                 .at = im->at,
                                 .dry_run = im->request->dry_run};
    return commit_piece_id(batch_id, im->request->piece, &im->result, im->arena, &im->common.id,
                           st);
}

// --- committing ---------------------------------------------------------------------------------

static alm_code take_conflicts(import_run *im, const commit_part *part,
                               const Almanac__Internal__CommitResponse *answer, alm_status *st)
{
    const obs_rows *obs = im->result.observations;
    report *rep = &im->result.report;
    for (size_t i = 0; i < answer->n_conflicts; i++) {
        const Almanac__Internal__Conflict *conflict = answer->conflicts[i];
        if (conflict->row >= part->obs_to - part->obs_from) {
            return alm_status_set(st, ALM_INTERNAL,
                                  "storage answered a conflict of row %u, which was not sent",
                                  conflict->row);
        }
        size_t row = part->obs_from + conflict->row;
        char value[ALM_VALUE_TEXT_MAX];
        alm_value_format(&obs->rows[row].value, ALM_LANG_ZH, value);
        report_row_begin(rep, obs->row_numbers[row], obs->records[row]);
        report_defect(rep, obs->value_column, obs->value_name, alm_str_from(value), "%s",
                      conflict->reason);
        report_row_end(rep);
    }
    return rep->failed ? no_memory(st) : ALM_OK;
}

static alm_code warn_of_withdrawals(import_run *im, const commit_part *part,
                                    const Almanac__Internal__CommitResponse *answer, alm_status *st)
{
    const obs_rows *obs = im->result.observations;
    report *rep = &im->result.report;
    for (size_t i = 0; i < answer->n_withdrew_nothing; i++) {
        uint32_t of_part = answer->withdrew_nothing[i];
        if (of_part >= part->obs_to - part->obs_from) {
            return alm_status_set(st, ALM_INTERNAL,
                                  "storage answered a withdrawal in row %u, which was not sent",
                                  of_part);
        }
        size_t row = part->obs_from + of_part;
        char day[ALM_PERIOD_TEXT_MAX];
        alm_date_format(obs->rows[row].published, day);
        report_row_begin(rep, obs->row_numbers[row], obs->records[row]);
        report_warning(rep, obs->value_column, obs->value_name, ALM_STR(""),
                       "taken, but it withdraws nothing: its source published no figure of this "
                       "cell before %s; what other sources published stays",
                       day);
        report_row_end(rep);
    }
    return rep->failed ? no_memory(st) : ALM_OK;
}

// Of a catalogue file the entries are what is counted.
static void add_counts(import_run *im, const Almanac__Internal__CommitResponse *answer)
{
    bool is_catalog = im->result.observations == NULL;
    Almanac__V1__ImportResponse *response = &im->response;
    response->added += is_catalog ? answer->catalog_added : answer->added;
    response->revised += is_catalog ? answer->catalog_changed : answer->revised;
    response->unchanged += is_catalog ? answer->catalog_unchanged : answer->unchanged;
    if (!im->common.dry_run) { // a replayed one has a sequence too
        response->sequence = ALM_MAX(response->sequence, answer->sequence);
    }
    im->part_count++;
    im->replayed_count += answer->replayed ? 1 : 0;
}

static alm_code commit_one(import_run *im, const commit_part *part, alm_status *st)
{
    Almanac__Internal__CommitRequest *request = NULL;
    // The commit's own batch id makes a repetition known, whatever key the import had.
    alm_call_opts opts = {.parent = im->call,
                          .idempotency_key = alm_arena_strdup(im->scratch, im->common.id)};
    ProtobufCMessage *reply = NULL;
    ALM_TRY(commit_request(&im->common, &im->result, part, im->scratch, &request, st));
    ALM_TRY(alm_channel_call(im->self->storage, &alm_service_storage, "Commit", &opts,
                             &request->base, im->scratch, &reply, st));
    const Almanac__Internal__CommitResponse *answer =
        (const Almanac__Internal__CommitResponse *)reply;
    add_counts(im, answer);
    ALM_TRY(warn_of_withdrawals(im, part, answer, st));
    return take_conflicts(im, part, answer, st);
}

static alm_code commit_parts(import_run *im, commit_plan *plan, alm_status *st)
{
    commit_part part;
    while (commit_plan_next(plan, &part)) {
        alm_code code = commit_one(im, &part, st);
        alm_arena_reset(im->scratch);
        if (code != ALM_OK) {
            alm_status_prefix(st, "commit %.*s, part %u", ALM_STR_ARGS(im->common.id), part.number);
            return code;
        }
    }
    return ALM_OK;
}

// What each quarantined row says beside its own. Any file name counts as the longest, so that a
// renamed file is cut as before and its commits are known again.
static size_t row_text_bytes(const import_run *im)
{
    return im->common.id.len + ALM_NAME_BYTES_MAX + 32;
}

static alm_code commit_rows(import_run *im, alm_status *st)
{
    commit_plan plan;
    im->known_aside = im->result.report.set_aside_count;
    if (!commit_plan_init(&plan, &im->result, true, 0, row_text_bytes(im), im->arena)) {
        return no_memory(st);
    }
    return commit_parts(im, &plan, st);
}

// Rows that contradict what is stored are known only after the commit; they are set aside too.
static alm_code commit_conflicts(import_run *im, alm_status *st)
{
    if (im->result.report.set_aside_count == im->known_aside || im->common.dry_run) {
        return ALM_OK;
    }
    char *id = alm_arena_printf(im->arena, "%.*s!conflicts", ALM_STR_ARGS(im->common.id));
    commit_plan plan;
    im->common.id = alm_str_from(id);
    if (id == NULL || !commit_plan_init(&plan, &im->result, false, im->known_aside,
                                        row_text_bytes(im), im->arena)) {
        return no_memory(st);
    }
    return commit_parts(im, &plan, st);
}

// --- the call -----------------------------------------------------------------------------------

static uint64_t doubled_rows(const piece_result *result)
{
    return result->observations != NULL ? result->observations->doubled : result->catalog.doubled;
}

static alm_code answer(import_run *im, alm_str batch_id, alm_status *st)
{
    Almanac__V1__ImportResponse *response = &im->response;
    response->batch_id = alm_arena_strdup(im->arena, batch_id);
    if (response->batch_id == NULL) {
        return no_memory(st);
    }
    response->unchanged += doubled_rows(&im->result);
    response->replayed = im->part_count > 0 && im->replayed_count == im->part_count;
    report_sort(&im->result.report);
    ALM_TRY(import_response_fill(&im->result, im->arena, response, st));
    return alm_call_send(im->call, &response->base, st);
}

static alm_code run(import_run *im, alm_status *st)
{
    alm_catalog_ref *ref = NULL;
    ALM_TRY(import_request_read(im->request, im->arena, &im->piece, st));
    ALM_TRY(newest_catalog(im, &ref, st));
    alm_code code = piece_check(&im->piece, alm_catalog_ref_catalog(ref),
                                alm_clock_today(&im->self->clock), im->arena, &im->result, st);
    if (code == ALM_OK) {
        code = name_commits(im, st);
    }
    alm_str piece_id = im->common.id;
    if (code == ALM_OK) {
        code = commit_rows(im, st);
    }
    if (code == ALM_OK) {
        code = commit_conflicts(im, st);
    }
    if (code == ALM_OK) {
        code = answer(im, piece_id, st);
    }
    alm_catalog_ref_release(&ref);
    return code;
}

static void log_import(const import_run *im, int64_t began_us, alm_code code, const alm_status *st)
{
    alm_clock clock = im->self->clock;
    int64_t took_us = clock.mono_us(clock.self) - began_us;
    if (code != ALM_OK) {
        alm_log_warn(im->self->log, "ingestion.refused",
                     ALM_KV_CSTR("request_id", alm_call_request_id(im->call)),
                     ALM_KV_CSTR("file", im->request->file_name),
                     ALM_KV_U64("piece", im->request->piece), ALM_KV_MS("took_ms", took_us),
                     ALM_KV_STATUS(st));
        return;
    }
    const Almanac__V1__ImportResponse *r = &im->response;
    alm_log_info(im->self->log, "ingestion.imported",
                 ALM_KV_CSTR("request_id", alm_call_request_id(im->call)),
                 ALM_KV_CSTR("batch_id", r->batch_id), ALM_KV_U64("rows", r->rows),
                 ALM_KV_U64("added", r->added), ALM_KV_U64("revised", r->revised),
                 ALM_KV_U64("unchanged", r->unchanged), ALM_KV_U64("quarantined", r->quarantined),
                 ALM_KV_BOOL("dry_run", im->common.dry_run), ALM_KV_BOOL("replayed", r->replayed),
                 ALM_KV_MS("took_ms", took_us));
}

alm_code ingestion_import(void *self, alm_call *call, const ProtobufCMessage *request,
                          alm_status *st)
{
    import_run im = {.self = self,
                     .call = call,
                     .request = (const Almanac__V1__ImportRequest *)request,
                     .arena = alm_call_arena(call),
                     .scratch = alm_arena_create(0)};
    almanac__v1__import_response__init(&im.response);
    alm_status own = ALM_STATUS_INIT; // st may be NULL, the log wants the message
    int64_t began_us = im.self->clock.mono_us(im.self->clock.self);
    alm_code code = im.scratch != NULL ? run(&im, &own) : no_memory(&own);
    log_import(&im, began_us, code, &own);
    alm_arena_destroy(&im.scratch);
    return code == ALM_OK ? ALM_OK : alm_status_copy(st, &own);
}
