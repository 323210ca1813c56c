// The answers that come in one message: explanation, status, verification. Each lives in an arena
// of its own, which stands behind the public struct.
#include "client.h"
#include "query.h"

#include "almanac/v1/gateway.pb-c.h"

#define VERIFY_MS_DEFAULT ((int64_t)60 * 60 * 1000)

typedef struct explanation_reply {
    almanac_explanation face; // first: the public pointer is a pointer to the whole
    alm_arena *arena;
} explanation_reply;

typedef struct report_reply {
    almanac_report face;
    alm_arena *arena;
} report_reply;

typedef struct verification_reply {
    almanac_verification face;
    alm_arena *arena;
} verification_reply;

static alm_code out_of_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "answer: out of memory");
}

// Calls into a new arena, which stays with the caller on success only.
static alm_code call(almanac_client *client, const char *method, int64_t timeout_ms,
                     const ProtobufCMessage *request, alm_arena **ret_arena,
                     ProtobufCMessage **ret_reply, alm_status *st)
{
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return out_of_memory(st);
    }
    alm_code code = alm_client_call(client, method, &(alm_call_opts){.timeout_ms = timeout_ms},
                                    request, arena, ret_reply, st);
    if (code != ALM_OK) {
        alm_arena_destroy(&arena);
        return code;
    }
    *ret_arena = arena;
    return ALM_OK;
}

static alm_code explanation_of(const Almanac__V1__ExplainResponse *message, alm_arena *arena,
                               almanac_explanation **ret, alm_status *st)
{
    explanation_reply *reply = alm_arena_calloc(arena, 1, sizeof *reply);
    almanac_step *steps = alm_arena_calloc(arena, message->n_steps, sizeof *steps);
    if (reply == NULL || steps == NULL) {
        return out_of_memory(st);
    }
    for (size_t i = 0; i < message->n_steps; i++) {
        const Almanac__V1__ExplainStep *step = message->steps[i];
        steps[i] = (almanac_step){.depth = step->depth,
                                  .what = step->what,
                                  .value = step->value,
                                  .interval = step->interval,
                                  .status = step->status,
                                  .source = step->source,
                                  .published = step->published,
                                  .note = step->note,
                                  .kind = (uint32_t)step->kind,
                                  .loss = (uint32_t)step->loss,
                                  .converted = step->converted,
                                  .what_zh = step->what_zh,
                                  .value_zh = step->value_zh,
                                  .interval_zh = step->interval_zh,
                                  .status_zh = step->status_zh,
                                  .converted_zh = step->converted_zh};
    }
    *reply = (explanation_reply){.face = {.steps = steps, .step_count = message->n_steps},
                                 .arena = arena};
    *ret = &reply->face;
    return ALM_OK;
}

static alm_code get_explanation(almanac_client *client, const almanac_query *query,
                                almanac_explanation **ret, alm_status *st)
{
    Almanac__V1__QueryRequest inner;
    ALM_TRY(alm_query_message(query, &inner, st));
    Almanac__V1__ExplainRequest request;
    almanac__v1__explain_request__init(&request);
    request.query = &inner;
    alm_arena *arena = NULL;
    ProtobufCMessage *message = NULL;
    ALM_TRY(call(client, "Explain", 0, &request.base, &arena, &message, st));
    alm_code code = explanation_of((const Almanac__V1__ExplainResponse *)message, arena, ret, st);
    if (code != ALM_OK) {
        alm_arena_destroy(&arena);
    }
    return code;
}

almanac_code almanac_explanation_get(almanac_client *client, const almanac_query *query,
                                     almanac_explanation **ret_explanation, almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    return alm_client_answer(get_explanation(client, query, ret_explanation, &st), &st, error);
}

const char *almanac_step_kind_code(uint32_t kind)
{
    static const char *const codes[] = {"",        "computed", "part",  "observation",
                                        "missing", "vintage",  "remark"};
    return kind < ALM_ARRAY_LEN(codes) ? codes[kind] : "";
}

const char *almanac_loss_code(uint32_t loss)
{
    static const char *const codes[] = {"",          "older",       "precedence",  "earlier",
                                        "withdrawn", "withdrawal",  "after_as_of", "not_yet",
                                        "source",    "later_commit"};
    return loss < ALM_ARRAY_LEN(codes) ? codes[loss] : "";
}

void almanac_explanation_free(almanac_explanation **explanation)
{
    if (*explanation != NULL) {
        alm_arena *arena = ((explanation_reply *)*explanation)->arena;
        alm_arena_destroy(&arena);
        *explanation = NULL;
    }
}

static alm_code report_of(const Almanac__V1__StatusResponse *message, alm_arena *arena,
                          almanac_report **ret, alm_status *st)
{
    report_reply *reply = alm_arena_calloc(arena, 1, sizeof *reply);
    almanac_service *services = alm_arena_calloc(arena, message->n_services, sizeof *services);
    almanac_store_part *parts = alm_arena_calloc(arena, message->n_store_parts, sizeof *parts);
    if (reply == NULL || services == NULL || parts == NULL) {
        return out_of_memory(st);
    }
    almanac_limit *limits = alm_arena_calloc(arena, message->n_limits, sizeof *limits);
    if (limits == NULL) {
        return out_of_memory(st);
    }
    for (size_t i = 0; i < message->n_limits; i++) {
        limits[i] = (almanac_limit){message->limits[i]->name, message->limits[i]->value};
    }
    for (size_t i = 0; i < message->n_store_parts; i++) {
        parts[i] = (almanac_store_part){.name = message->store_parts[i]->name,
                                        .bytes = message->store_parts[i]->bytes};
    }
    for (size_t i = 0; i < message->n_services; i++) {
        const Almanac__V1__ServiceStatus *service = message->services[i];
        services[i] = (almanac_service){.name = service->name,
                                        .endpoint = service->endpoint,
                                        .state = service->state,
                                        .outstanding = service->outstanding,
                                        .calls = service->calls,
                                        .failures = service->failures};
    }
    *reply = (report_reply){.face = {.version = message->version,
                                     .services = services,
                                     .service_count = message->n_services,
                                     .has_store = message->has_store != 0,
                                     .sequence = message->sequence,
                                     .observations = message->observations,
                                     .cells = message->cells,
                                     .indicators = message->indicators,
                                     .places = message->places,
                                     .sources = message->sources,
                                     .series_variants = message->series_variants,
                                     .quarantined = message->quarantined,
                                     .bytes_used = message->bytes_used,
                                     .bytes_max = message->bytes_max,
                                     .parts = parts,
                                     .part_count = message->n_store_parts,
                                     .limits = limits,
                                     .limit_count = message->n_limits,
                                     .parts_waiting = message->parts_waiting,
                                     .queued = message->queued,
                                     .oldest_snapshot_ms = message->oldest_snapshot_ms},
                            .arena = arena};
    *ret = &reply->face;
    return ALM_OK;
}

static alm_code get_report(almanac_client *client, almanac_report **ret, alm_status *st)
{
    Almanac__V1__StatusRequest request;
    almanac__v1__status_request__init(&request);
    alm_arena *arena = NULL;
    ProtobufCMessage *message = NULL;
    ALM_TRY(call(client, "Status", 0, &request.base, &arena, &message, st));
    alm_code code = report_of((const Almanac__V1__StatusResponse *)message, arena, ret, st);
    if (code != ALM_OK) {
        alm_arena_destroy(&arena);
    }
    return code;
}

almanac_code almanac_report_get(almanac_client *client, almanac_report **ret_report,
                                almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    return alm_client_answer(get_report(client, ret_report, &st), &st, error);
}

void almanac_report_free(almanac_report **report)
{
    if (*report != NULL) {
        alm_arena *arena = ((report_reply *)*report)->arena;
        alm_arena_destroy(&arena);
        *report = NULL;
    }
}

static alm_code get_verification(almanac_client *client, int64_t timeout_ms,
                                 almanac_verification **ret, alm_status *st)
{
    Almanac__V1__VerifyRequest request;
    almanac__v1__verify_request__init(&request);
    alm_arena *arena = NULL;
    ProtobufCMessage *reply = NULL;
    int64_t wait_ms = timeout_ms != 0 ? timeout_ms : VERIFY_MS_DEFAULT;
    ALM_TRY(call(client, "Verify", wait_ms, &request.base, &arena, &reply, st));
    const Almanac__V1__VerifyResponse *message = (const Almanac__V1__VerifyResponse *)reply;
    verification_reply *verification = alm_arena_calloc(arena, 1, sizeof *verification);
    if (verification == NULL) {
        alm_arena_destroy(&arena);
        return out_of_memory(st);
    }
    verification->arena = arena;
    verification->face = (almanac_verification){.clean = message->clean != 0,
                                                .problems = (const char *const *)message->problems,
                                                .problem_count = message->n_problems,
                                                .problems_not_listed = message->problems_not_listed,
                                                .log_records = message->log_records,
                                                .observations = message->observations,
                                                .slices = message->slices,
                                                .cells = message->cells};
    *ret = &verification->face;
    return ALM_OK;
}

almanac_code almanac_verification_get(almanac_client *client, int64_t timeout_ms,
                                      almanac_verification **ret_verification, almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    return alm_client_answer(get_verification(client, timeout_ms, ret_verification, &st), &st,
                             error);
}

void almanac_verification_free(almanac_verification **verification)
{
    if (*verification != NULL) {
        alm_arena *arena = ((verification_reply *)*verification)->arena;
        alm_arena_destroy(&arena);
        *verification = NULL;
    }
}
