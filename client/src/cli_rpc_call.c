// rpc call: any method of any service, requests and replies in JSON.
#include "cli_rpc.h"

#include "cli_source.h"

#include "alm/message_json.h"

#include <pthread.h>

typedef struct call {
    cli *cli;
    const alm_service_def *service;
    const ProtobufCMethodDescriptor *method;
    const alm_method_def *def;
    alm_call_opts opts;
    alm_channel *channel;
    alm_stream *stream;
    cli_source source;
    alm_arena *asked;   // one request at a time,
    alm_arena *replied; // and one reply, which another thread may read meanwhile
    alm_status ended;   // of the replies
} call;

// --- requests ------------------------------------------------------------------------------------

static alm_code read_request(call *c, alm_str json, ProtobufCMessage **ret, alm_status *st)
{
    alm_arena_reset(c->asked);
    alm_code code = alm_message_from_json(c->method->input, json, c->asked, ret, st);
    if (code == ALM_OK) {
        return ALM_OK;
    }
    return c->source.line > 0
               ? alm_status_prefix(st, "%s, line %zu", c->source.name, c->source.line)
               : alm_status_prefix(st, "%s", c->source.name);
}

static alm_code read_only_request(call *c, ProtobufCMessage **ret, alm_status *st)
{
    alm_str json;
    ALM_TRY(cli_source_whole(&c->source, &json, st));
    return read_request(c, json, ret, st);
}

// That was the last request. Where the call has ended meanwhile, reading tells how.
static void finish(const call *c)
{
    bool is_open = alm_stream_finish(c->stream, NULL) == ALM_OK;
    (void)is_open;
}

// The documents, one a line, as they come, until the server has ended the call.
static alm_code send_all(call *c, alm_status *st)
{
    bool is_open = true;
    while (is_open) {
        alm_str line;
        bool more = false;
        ProtobufCMessage *request = NULL;
        ALM_TRY(cli_source_line(&c->source, &line, &more, st));
        if (!more) {
            finish(c);
            return ALM_OK;
        }
        ALM_TRY(read_request(c, line, &request, st));
        is_open = alm_stream_send(c->stream, request, NULL) == ALM_OK;
    }
    return ALM_OK;
}

// --- replies -------------------------------------------------------------------------------------

static alm_code print_reply(call *c, const ProtobufCMessage *reply, alm_status *st)
{
    alm_buf out;
    alm_buf_init(&out, 0);
    alm_code code = alm_message_to_json(reply, NULL, &out, st);
    if (code == ALM_OK) {
        (void)fwrite(out.data, 1, out.len, c->cli->out);
        (void)fputc('\n', c->cli->out);
        (void)fflush(c->cli->out); // whoever reads on in a pipe wants it now
    }
    alm_buf_deinit(&out);
    return code;
}

static alm_code print_replies(call *c, alm_status *st)
{
    for (;;) {
        ProtobufCMessage *reply = NULL;
        alm_arena_reset(c->replied);
        ALM_TRY(alm_stream_next(c->stream, c->replied, &reply, st));
        if (reply == NULL || ferror(c->cli->out) != 0) {
            return ALM_OK; // what could not be written is told at the end of the program
        }
        ALM_TRY(print_reply(c, reply, st));
    }
}

static void *print_meanwhile(void *arg)
{
    call *c = arg;
    (void)print_replies(c, &c->ended);
    return NULL;
}

// --- the four kinds ------------------------------------------------------------------------------

static alm_code call_unary(call *c, alm_status *st)
{
    ProtobufCMessage *request = NULL, *reply = NULL;
    ALM_TRY(read_only_request(c, &request, st));
    ALM_TRY(alm_channel_call(c->channel, c->service, c->def->name, &c->opts, request, c->replied,
                             &reply, st));
    return print_reply(c, reply, st);
}

static alm_code call_server_stream(call *c, alm_status *st)
{
    ProtobufCMessage *request = NULL;
    ALM_TRY(read_only_request(c, &request, st));
    ALM_TRY(
        alm_stream_open(c->channel, c->service, c->def->name, &c->opts, request, &c->stream, st));
    return print_replies(c, st);
}

static alm_code call_client_stream(call *c, alm_status *st)
{
    ALM_TRY(alm_stream_open(c->channel, c->service, c->def->name, &c->opts, NULL, &c->stream, st));
    ALM_TRY(send_all(c, st));
    return print_replies(c, st);
}

// Replies are printed while requests are read, or each side could wait for the other.
static alm_code call_both_ways(call *c, alm_status *st)
{
    pthread_t reader;
    ALM_TRY(alm_stream_open(c->channel, c->service, c->def->name, &c->opts, NULL, &c->stream, st));
    if (pthread_create(&reader, NULL, print_meanwhile, c) != 0) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no thread to read the replies");
    }
    alm_code code = send_all(c, st);
    if (code != ALM_OK) {
        finish(c); // the server has no more to wait for
    }
    pthread_join(reader, NULL);
    return code != ALM_OK ? code : alm_status_copy(st, &c->ended);
}

static alm_code run(call *c, alm_status *st)
{
    switch (c->def->kind) {
    case ALM_METHOD_UNARY:
        return call_unary(c, st);
    case ALM_METHOD_SERVER_STREAM:
        return call_server_stream(c, st);
    case ALM_METHOD_CLIENT_STREAM:
        return call_client_stream(c, st);
    case ALM_METHOD_BIDI_STREAM:
        break;
    }
    return call_both_ways(c, st);
}

// --- what is called ------------------------------------------------------------------------------

static alm_code find(call *c, cli_peer *peer, const char *word, alm_status *st)
{
    alm_str service, method;
    unsigned index = 0;
    const Almanac__Internal__ServiceInfo *info = NULL;
    if (!cli_peer_split(alm_str_from(word), &service, &method)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s: name a method as SERVICE.METHOD",
                              word);
    }
    ALM_TRY(cli_peer_service(peer, service, &info, st));
    ALM_TRY(cli_peer_learn(peer, st));
    ALM_TRY(cli_peer_def(peer, info, &c->service, st));
    ALM_TRY(cli_peer_method(c->service, method, &index, st));
    c->method = &c->service->descriptor->methods[index];
    c->def = &c->service->methods[index];
    return ALM_OK;
}

// A stream may be endless, so only a timeout that was asked for bounds it.
static void take_options(call *c)
{
    bool is_bounded =
        c->def->kind == ALM_METHOD_UNARY || alm_config_is_set(c->cli->config, "timeout");
    c->opts = (alm_call_opts){
        .timeout_ms = is_bounded ? alm_config_int(c->cli->config, "timeout") : -1,
        .idempotency_key = cli_text(c->cli, "idempotency-key"),
    };
}

static alm_code open_source(call *c, alm_status *st)
{
    const char *json = cli_text(c->cli, "json");
    bool is_given = alm_config_is_set(c->cli->config, "json");
    const char *nothing = alm_method_client_streams(c->def) ? "\n" : "{}";
    return cli_source_open("--json", is_given ? json : nothing, &c->source, st);
}

int cli_rpc_call(cli *self, cli_peer *peer, const char *word)
{
    alm_status st = ALM_STATUS_INIT;
    call c = {.cli = self,
              .channel = peer->channel,
              .ended = ALM_STATUS_INIT,
              .asked = alm_arena_create(0),
              .replied = alm_arena_create(0)};
    alm_code code = ALM_OK;
    if (c.asked == NULL || c.replied == NULL) {
        code = alm_status_set(&st, ALM_RESOURCE_EXHAUSTED, "no memory for the call");
    }
    if (code == ALM_OK) {
        code = find(&c, peer, word, &st);
    }
    if (code == ALM_OK) {
        take_options(&c);
        code = open_source(&c, &st);
    }
    if (code == ALM_OK) {
        code = run(&c, &st);
    }
    alm_stream_close(&c.stream);
    cli_source_close(&c.source);
    alm_arena_destroy(&c.asked);
    alm_arena_destroy(&c.replied);
    return code == ALM_OK ? 0 : cli_peer_fail(self, &st);
}
