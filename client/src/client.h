// What the parts of libalmanac share: the client, and the edge between alm_status and
// almanac_error.
#ifndef ALM_CLIENT_H
#define ALM_CLIENT_H

#include "almanac.h"

#include "alm/arena.h"
#include "alm/channel.h"
#include "alm/seen.h"
#include "alm/status.h"

struct almanac_client {
    alm_rpc *rpc;
    alm_channel *channel;
    int64_t timeout_ms;
    alm_clock clock;
    alm_seen seen; // states of answers; those of later questions are not before
};

// What the client was told of a state of the store.
void alm_client_saw(almanac_client *client, uint64_t sequence);

// The last act of every public function: hands a failure over to the caller's error, if there is
// one.
almanac_code alm_client_answer(alm_code code, const alm_status *st, almanac_error *error);

// "" for NULL, as protobuf-c wants its strings. It never writes through the pointer it is given.
char *alm_client_text(const char *text);
// Likewise for a list of strings.
char **alm_client_texts(const char *const *texts);

// Takes a code from the wire: a number of nobody's is ALM_UNKNOWN.
alm_code alm_client_code(uint32_t number);

// A unary call to the gateway. opts->timeout_ms 0: the client's. *ret_reply lives in the arena and
// its strings are well-formed UTF-8 and not NULL.
ALM_MUST_USE alm_code alm_client_call(almanac_client *client, const char *method,
                                      const alm_call_opts *opts, const ProtobufCMessage *request,
                                      alm_arena *arena, ProtobufCMessage **ret_reply,
                                      alm_status *st);

// The reading end of a streaming call: one message at a time, each in the same arena.
typedef struct alm_feed {
    alm_stream *stream; // NULL once it has ended
    alm_arena *arena;
    alm_status failure; // what ended it, repeated to whoever asks again
} alm_feed;

ALM_MUST_USE alm_code alm_feed_open(almanac_client *client, const char *method, int64_t timeout_ms,
                                    const ProtobufCMessage *request, alm_feed *feed,
                                    alm_status *st);
// *ret_message: NULL at the end. Earlier messages stay until alm_arena_reset(feed->arena).
ALM_MUST_USE alm_code alm_feed_next(alm_feed *feed, ProtobufCMessage **ret_message, alm_status *st);
// Ends the feed with a failure of ours, a malformed message for one. Returns its code.
alm_code alm_feed_fail(alm_feed *feed, const alm_status *st);
void alm_feed_close(alm_feed *feed);

#endif
