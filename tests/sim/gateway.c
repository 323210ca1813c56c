// Passes all calls on to the workers; Relay is answered here, by a call of its own.
#include "sim.h"

#include "alm/alloc.h"

typedef struct relay {
    sim_node *node;
    alm_call *call;
    alm_stream *stream;
} relay;

static void relay_ended(void *arg, alm_stream *stream, const alm_status *st, alm_str answer)
{
    relay *r = arg;
    alm_status how = *st;
    (void)stream;
    if (how.code == ALM_OK) {
        ProtobufCMessage *got =
            protobuf_c_message_unpack(&almanac__test__say_response__descriptor, NULL, answer.len,
                                      (const uint8_t *)answer.data);
        if (got == NULL) {
            sim_fail(r->node->s, "%s got an answer that cannot be read", r->node->address);
        }
        // Wait's answer has the number in its own field.
        Almanac__Test__WaitResponse response;
        almanac__test__wait_response__init(&response);
        response.time_left_ms = (uint32_t)((const Almanac__Test__SayResponse *)got)->number;
        if (alm_call_send(r->call, &response.base, &how) != ALM_OK) {
            sim_trace(r->node->s, "%s drops an answer: %s", r->node->address, how.message);
        }
        protobuf_c_message_free_unpacked(got, NULL);
    }
    alm_stream_close(&r->stream);
    alm_call_end(r->call, &how);
    alm_free(r);
}

static alm_code start_child(relay *r, uint32_t number, uint32_t timeout_ms, alm_status *st)
{
    static const alm_stream_events events = {.on_end = relay_ended};
    const alm_call_opts opts = {.parent = r->call, .timeout_ms = timeout_ms};
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    request.number = number;
    return alm_stream_start(r->node->channel, &echo_service, "Say", &opts, &request.base, &events,
                            r, &r->stream, st);
}

static alm_code pass_on(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    const Almanac__Test__WaitRequest *asked = (const Almanac__Test__WaitRequest *)request;
    ALM_TRY(alm_call_defer(call, NULL, NULL, st));
    relay *r = alm_calloc(1, sizeof *r);
    ALM_ASSERT(r != NULL);
    *r = (relay){.node = self, .call = call};
    alm_code code = start_child(r, asked->wait_ms, asked->timeout_ms, st);
    if (code != ALM_OK) {
        sim_fail(r->node->s, "%s cannot start a call: %s", r->node->address, st->message);
    }
    return ALM_OK;
}

static alm_code start(sim_node *node, alm_status *st)
{
    static const char *const forwarded[] = {"Say", "Once", "Keyed", "Count", "Sum", "Chat"};
    const alm_server_opts opts = {.name = "gateway"};
    alm_handler handlers[32] = {0};
    handlers[sim_method("Relay")] = pass_on;
    ALM_TRY(alm_channel_open(node->rpc, node->target, NULL, &node->channel, st));
    ALM_TRY(alm_server_create(node->rpc, &opts, &node->server, st));
    ALM_TRY(alm_server_add(node->server, &echo_service, handlers, node, st));
    alm_server_run_inline(node->server, &echo_service, "Relay");
    for (size_t i = 0; i < ALM_ARRAY_LEN(forwarded); i++) {
        const alm_forward_opts to = {.method = forwarded[i],
                                     .channel = node->channel,
                                     .to_service = &echo_service,
                                     .to_method = forwarded[i]};
        alm_server_forward(node->server, &echo_service, &to);
    }
    ALM_TRY(alm_server_bind(node->server, node->address, st));
    return alm_server_start(node->server, st);
}

void sim_gateway_start(sim_node *node)
{
    alm_status st = ALM_STATUS_INIT;
    sim_node_open(node);
    if (start(node, &st) != ALM_OK) {
        sim_fail(node->s, "%s does not start: %s", node->address, st.message);
    }
    sim_trace(node->s, "%s starts", node->address);
}

void sim_gateway_stop(sim_node *node, bool dies)
{
    sim_trace(node->s, "%s %s", node->address, dies ? "dies" : "stops");
    if (dies) {
        sim_net_kill(node->s->net, node->address);
    }
    alm_server_destroy(&node->server);
    alm_channel_close(&node->channel);
    sim_node_close(node);
}
