// What every call passes through, in this order and back: metrics, trace, auth, log. A refusal by
// one is counted and logged as any end is.
#include "server_internal.h"

// What of a request's metadata is known; data NULL: not there.
typedef struct request_metadata {
    alm_str request_id, traceparent, key, token;
    bool is_malformed;
} request_metadata;

typedef struct interceptor {
    alm_code (*begin)(alm_call *call, const request_metadata *metadata, alm_status *st);
    void (*end)(alm_call *call, const alm_status *st); // either may be NULL: nothing to do
} interceptor;

// Of several entries of a key the first counts.
static void take_first(alm_str *into, alm_str value)
{
    *into = into->data == NULL ? value : *into;
}

static request_metadata read_metadata(alm_str metadata)
{
    request_metadata ret = {0};
    alm_str key, value;
    while (alm_metadata_next(&metadata, &key, &value)) {
        if (alm_str_eq(key, ALM_STR(ALM_METADATA_REQUEST_ID))) {
            take_first(&ret.request_id, value);
        } else if (alm_str_eq(key, ALM_STR(ALM_METADATA_TRACEPARENT))) {
            take_first(&ret.traceparent, value);
        } else if (alm_str_eq(key, ALM_STR(ALM_METADATA_KEY))) {
            take_first(&ret.key, value);
        } else if (alm_str_eq(key, ALM_STR(ALM_METADATA_TOKEN))) {
            take_first(&ret.token, value);
        }
    }
    ret.is_malformed = metadata.len > 0;
    return ret;
}

// --- metrics -------------------------------------------------------------------------------------

static alm_code metrics_begin(alm_call *call, const request_metadata *metadata, alm_status *st)
{
    (void)metadata;
    (void)st;
    call->method->stats.started++;
    if (!alm_call_client_streams(call)) {
        call->method->stats.messages_received++;
        call->method->stats.bytes_received += call->request.len;
    }
    return ALM_OK;
}

static void count_end(alm_method_stats *stats, alm_code code, int64_t took_us, uint64_t count)
{
    size_t bucket = 0;
    while (bucket < ALM_LATENCY_BUCKET_COUNT - 1 && took_us > alm_latency_bounds_us[bucket]) {
        bucket++;
    }
    stats->finished[code] += count;
    stats->latency_us_sum += (uint64_t)took_us * count;
    stats->latency[bucket] += count;
}

void alm_intercept_time_answered(alm_server *server)
{
    alm_answered *answered = &server->answered;
    if (answered->count > 0) {
        const alm_clock *clock = &server->rpc->clock;
        int64_t took_us = clock->mono_us(clock->self) - answered->start_us;
        count_end(answered->stats, answered->code, took_us, answered->count);
        answered->count = 0;
    }
}

static void count_answered(alm_call *call, alm_code code)
{
    alm_answered *answered = &call->server->answered;
    alm_method_stats *stats = &call->method->stats;
    if (answered->stats != stats || answered->start_us != call->start_us ||
        answered->code != code) {
        alm_intercept_time_answered(call->server);
        *answered = (alm_answered){.stats = stats, .start_us = call->start_us, .code = code};
    }
    answered->count++;
}

static void metrics_end(alm_call *call, const alm_status *st)
{
    alm_method_stats *stats = &call->method->stats;
    int64_t took_us = alm_rpc_now_us(call->server->rpc) - call->start_us;
    if (st->code == ALM_OK && call->has_answer) {
        stats->messages_sent++;
        stats->bytes_sent += call->answer.len;
    }
    if (took_us == 0 && call->is_inline) {
        count_answered(call, st->code); // in its frame, whose time is all that this thread knows
    } else {
        count_end(stats, st->code, took_us, 1);
    }
}

// --- trace ---------------------------------------------------------------------------------------

static alm_code trace_begin(alm_call *call, const request_metadata *metadata, alm_status *st)
{
    if (metadata->is_malformed) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "the metadata of a call of %s is malformed",
                              call->method->stats.method);
    }
    alm_str id = metadata->request_id;
    if (id.len > 0 && id.len < ALM_REQUEST_ID_MAX) {
        memcpy(call->request_id, id.data, id.len);
        call->request_id[id.len] = '\0';
    }
    alm_trace_keep(metadata->traceparent, call->traceparent);
    if (metadata->key.data != NULL) {
        call->idempotency_key = alm_arena_strdup(call->arena, metadata->key);
        if (call->idempotency_key == NULL) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for an idempotency key");
        }
    }
    return ALM_OK;
}

// --- auth ----------------------------------------------------------------------------------------

static alm_code identify(alm_call *call, alm_str token, alm_role *ret, alm_status *st)
{
    alm_server *server = call->server;
    call->user = call->peer->user;
    bool is_ours = call->peer->id.port != ALM_SCHEME_TCP || strcmp(call->user, ALM_USER_SELF) == 0;
    *ret =
        is_ours ? ALM_ROLE_SERVICE : alm_policy_role_of(server->policy, alm_str_from(call->user));
    if (token.data == NULL) {
        return ALM_OK;
    }
    int32_t today = alm_clock_today(&server->rpc->clock);
    if (!alm_policy_admit_token(server->policy, token, today, call->bearer, ret)) {
        return alm_status_set(st, ALM_UNAUTHENTICATED,
                              "%s does not know the token, or its day is past", server->name);
    }
    call->user = call->bearer;
    return ALM_OK;
}

static alm_code auth_begin(alm_call *call, const request_metadata *metadata, alm_status *st)
{
    if (call->server->policy == NULL) {
        return ALM_OK;
    }
    const alm_server_method *method = call->method;
    alm_role needs = method->def->role;
    alm_role has = ALM_ROLE_NONE;
    ALM_TRY(identify(call, metadata->token, &has, st));
    if (alm_role_allows(has, needs)) {
        return ALM_OK;
    }
    if (has == ALM_ROLE_NONE) {
        return alm_status_set(st, ALM_UNAUTHENTICATED, "%s/%s needs %s %s's key or token",
                              method->stats.service, method->stats.method, alm_role_article(needs),
                              alm_role_name(needs));
    }
    return alm_status_set(st, ALM_PERMISSION_DENIED, "%s/%s needs %s %s, and %s is %s %s",
                          method->stats.service, method->stats.method, alm_role_article(needs),
                          alm_role_name(needs), call->user, alm_role_article(has),
                          alm_role_name(has));
}

// --- log -----------------------------------------------------------------------------------------

static bool is_logged(const alm_call *call)
{
    return alm_log_writes(call->server->rpc->log, ALM_LOG_DEBUG) &&
           !call->method->service->is_builtin; // probes would fill it
}

static void log_end(alm_call *call, const alm_status *st)
{
    const alm_log *log = call->server->rpc->log;
    if (!is_logged(call)) {
        return;
    }
    int64_t took_us = alm_rpc_now_us(call->server->rpc) - call->start_us;
    alm_log_debug(log, "rpc.call", ALM_KV_CSTR("server", call->server->name),
                  ALM_KV_CSTR("method", call->method->stats.method),
                  ALM_KV_CSTR("code", alm_code_name(st->code)),
                  ALM_KV_CSTR("request_id", alm_call_request_id(call)),
                  ALM_KV_CSTR("trace", alm_call_traceparent(call)), ALM_KV_CSTR("user", call->user),
                  ALM_KV_I64("took_us", took_us));
}

const char *alm_call_told_request_id(const alm_call *call)
{
    return call->request_id;
}

const char *alm_call_told_traceparent(alm_call *call)
{
    bool is_followed = call->traceparent[0] != '\0' || is_logged(call);
    return is_followed ? alm_call_traceparent(call) : "";
}

static const interceptor interceptors[] = {
    {metrics_begin, metrics_end},
    {trace_begin, NULL},
    {auth_begin, NULL},
    {NULL, log_end},
};

alm_code alm_intercept_begin(alm_call *call, alm_str metadata, alm_status *st)
{
    const request_metadata known = read_metadata(metadata);
    for (size_t i = 0; i < ALM_ARRAY_LEN(interceptors); i++) {
        if (interceptors[i].begin != NULL) {
            ALM_TRY(interceptors[i].begin(call, &known, st));
        }
    }
    return ALM_OK;
}

void alm_intercept_end(alm_call *call, const alm_status *st)
{
    for (size_t i = ALM_ARRAY_LEN(interceptors); i-- > 0;) {
        if (interceptors[i].end != NULL) {
            interceptors[i].end(call, st);
        }
    }
}
