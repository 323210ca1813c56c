// Calls that tell by events what happened, on the I/O thread. The lock is given up for each event.
#include "client.h"

#include "alm/alloc.h"

#define EVENTS_PER_TICK 64 // none takes long; those told from a frame share its time

// The next call of an event is made from the stream that the last one left, without the lock.
static alm_stream *take_stream(alm_client *client)
{
    alm_stream *stream = alm_io_is_here(client->rpc->io) ? client->spare : NULL;
    if (stream != NULL) {
        client->spare = NULL;
        return stream;
    }
    alm_lock(client->lock);
    stream = alm_stream_create(client);
    alm_unlock(client->lock);
    return stream;
}

alm_code alm_stream_start(alm_channel *channel, const alm_service_def *service, const char *method,
                          const alm_call_opts *opts, const ProtobufCMessage *request,
                          const alm_stream_events *events, void *arg, alm_stream **ret,
                          alm_status *st)
{
    alm_client *client = channel->client;
    alm_stream *stream = take_stream(client);
    if (stream == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a call");
    }
    const alm_stream_init_opts its = {
        .service = service,
        .method = method,
        .call = opts,
        .request = request,
        .events = events,
        .events_arg = arg,
        .closes_itself = ret == NULL,
    };
    if (ret != NULL) {
        *ret = stream; // before an event can use it
    }
    alm_code code = alm_stream_init(stream, channel, &its, st);
    if (code != ALM_OK) {
        alm_lock(client->lock);
        alm_stream_give_back(client, stream);
        alm_unlock(client->lock);
    }
    return code;
}

static alm_code try_send(alm_stream *stream, const ProtobufCMessage *message, bool *ret_sent,
                         alm_status *st)
{
    ALM_ASSERT(stream->client_streams && !stream->has_finished);
    *ret_sent = false;
    if (stream->state == ALM_STREAM_ENDED) {
        return ALM_OK; // on_end says how
    }
    if (!alm_stream_may_send(stream)) {
        stream->wants_room = true;
        return ALM_OK;
    }
    size_t size = protobuf_c_message_get_packed_size(message);
    ALM_TRY(alm_stream_send_packed(stream, message, size, st));
    *ret_sent = true;
    return ALM_OK;
}

alm_code alm_stream_try_send(alm_stream *stream, const ProtobufCMessage *message, bool *ret_sent,
                             alm_status *st)
{
    alm_client *client = stream->channel->client;
    alm_lock(client->lock);
    alm_code code = try_send(stream, message, ret_sent, st);
    alm_unlock(client->lock);
    return code;
}

void alm_stream_fire(alm_stream *stream)
{
    alm_client *client = stream->channel->client;
    if (!stream->is_fired) {
        stream->is_fired = true;
        DL_APPEND2(client->fired, stream, fired_prev, fired_next);
        alm_client_wake(client);
    }
}

// --- telling -------------------------------------------------------------------------------------

// The view is the inbox's, or of the frame it came in.
static void tell_message(alm_stream *stream, alm_str message)
{
    alm_client *client = stream->channel->client;
    stream->consumed_count++;
    alm_stream_give_credit(stream);
    alm_unlock(client->lock);
    stream->events->on_message(stream->events_arg, stream, message);
    alm_lock(client->lock);
}

static void tell_end_with(alm_stream *stream, alm_str answer)
{
    alm_client *client = stream->channel->client;
    const alm_stream_events *events = stream->events;
    stream->events = NULL; // nothing comes after it
    stream->is_closed = stream->is_closed || stream->closes_itself;
    alm_unlock(client->lock);
    events->on_end(stream->events_arg, stream, &stream->end, answer);
    alm_lock(client->lock);
}

static void tell_end(alm_stream *stream)
{
    alm_str answer = {0};
    bool has_answer = stream->has_one_answer && stream->end.code == ALM_OK;
    if (has_answer && !alm_flow_next(&stream->flow, &answer)) {
        (void)alm_stream_no_reply(stream, &stream->end);
    }
    tell_end_with(stream, answer);
}

static void tell_room(alm_stream *stream)
{
    alm_client *client = stream->channel->client;
    stream->wants_room = false;
    alm_unlock(client->lock);
    stream->events->on_room(stream->events_arg, stream);
    alm_lock(client->lock);
}

static void tell(alm_stream *stream)
{
    alm_str message;
    while (!stream->has_one_answer && !stream->is_closed &&
           alm_flow_next(&stream->flow, &message)) {
        tell_message(stream, message);
    }
    if (!stream->is_closed && stream->wants_room && alm_stream_may_send(stream)) {
        tell_room(stream);
    }
    if (!stream->is_closed && stream->state == ALM_STREAM_ENDED) {
        tell_end(stream);
    }
}

static void begin_telling(alm_stream *stream)
{
    stream->channel->client->telling = stream;
}

// Closed by the event that was told, by its end, or meanwhile.
static void end_telling(alm_stream *stream)
{
    alm_client *client = stream->channel->client;
    client->telling = NULL;
    if (stream->is_awaited) {
        pthread_cond_broadcast(&client->told);
    } else if (stream->is_closed) {
        alm_stream_free(stream);
    }
}

void alm_client_tell(alm_client *client)
{
    for (size_t count = 0; client->fired != NULL; count++) {
        if (count % EVENTS_PER_TICK == 0) {
            alm_io_tick(client->rpc->io);
        }
        alm_stream *stream = client->fired;
        DL_DELETE2(client->fired, stream, fired_prev, fired_next);
        stream->is_fired = false;
        begin_telling(stream);
        tell(stream);
        end_telling(stream);
    }
}

bool alm_stream_tells_at_once(const alm_stream *stream)
{
    return stream->events != NULL && !stream->is_fired && !stream->is_closed;
}

void alm_stream_tell_answer(alm_stream *stream, alm_str answer)
{
    begin_telling(stream);
    tell_end_with(stream, answer);
    end_telling(stream);
}

bool alm_stream_tell_message(alm_stream *stream, alm_str message)
{
    if (stream->has_one_answer || !alm_stream_tells_at_once(stream)) {
        return false;
    }
    alm_flow_pass(&stream->flow, message.len);
    begin_telling(stream);
    tell_message(stream, message);
    end_telling(stream);
    return true;
}
