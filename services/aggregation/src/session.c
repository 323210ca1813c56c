#include "aggregation_service.h"

#include "almanac/internal/storage.pb-c.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for the question");
}

static alm_code ask_head(alm_aggregator *self, alm_call *call,
                         const Almanac__Internal__HeadResponse **ret, alm_status *st)
{
    Almanac__Internal__HeadRequest request;
    almanac__internal__head_request__init(&request);
    alm_call_opts opts = {.parent = call};
    ProtobufCMessage *reply;
    ALM_TRY(alm_channel_call(self->storage, &alm_service_storage, "Head", &opts, &request.base,
                             alm_call_arena(call), &reply, st));
    *ret = (const Almanac__Internal__HeadResponse *)reply;
    return ALM_OK;
}

// A read of nothing that waits until the commit is visible: Head itself does not wait.
static alm_code wait_for(alm_aggregator *self, alm_call *call, uint64_t sequence, alm_status *st)
{
    Almanac__Internal__ReadRequest request;
    almanac__internal__read_request__init(&request);
    Almanac__Internal__PlaceSet places;
    almanac__internal__place_set__init(&places);
    Almanac__Internal__PeriodSet periods;
    almanac__internal__period_set__init(&periods);
    request.places = &places;
    request.periods = &periods;
    request.min_sequence = sequence;
    alm_call_opts opts = {.parent = call};
    alm_stream *stream;
    ALM_TRY(alm_stream_open(self->storage, &alm_service_storage, "Read", &opts, &request.base,
                            &stream, st));
    ProtobufCMessage *message;
    alm_code code;
    do {
        code = alm_stream_next(stream, alm_call_arena(call), &message, st);
    } while (code == ALM_OK && message != NULL);
    alm_stream_close(&stream);
    return code;
}

alm_code alm_aggregation_head(alm_aggregator *self, alm_call *call, uint64_t min_sequence,
                              uint64_t *ret_sequence, uint64_t *ret_catalog_sequence,
                              alm_status *st)
{
    const Almanac__Internal__HeadResponse *head;
    ALM_TRY(ask_head(self, call, &head, st));
    if (head->sequence < min_sequence) {
        ALM_TRY(wait_for(self, call, min_sequence, st));
        ALM_TRY(ask_head(self, call, &head, st));
    }
    *ret_sequence = head->sequence;
    *ret_catalog_sequence = head->catalog_sequence;
    return ALM_OK;
}

static void release_catalog(void *arg)
{
    alm_catalog_ref *ref = arg;
    alm_catalog_ref_release(&ref);
}

alm_code alm_session_begin(alm_aggregator *self, alm_call *call,
                           const Almanac__V1__QueryRequest *request, alm_session *ret,
                           alm_status *st)
{
    uint64_t catalog_sequence;
    *ret = (alm_session){0};
    // The catalogue comes after the head: whatever an observation of that state names is in it.
    ALM_TRY(alm_aggregation_head(self, call, ALM_MAX(request->min_sequence, request->at_sequence),
                                 &ret->sequence, &catalog_sequence, st));
    if (request->at_sequence != 0) {
        ret->sequence = request->at_sequence;
    }
    ALM_TRY(alm_catalog_cache_get(self->catalogs, call, catalog_sequence, &ret->catalog, st));
    if (!alm_arena_on_reset(alm_call_arena(call), release_catalog, ret->catalog)) {
        alm_catalog_ref_release(&ret->catalog);
        return no_memory(st);
    }
    return alm_query_plan_make(request, alm_catalog_ref_catalog(ret->catalog), alm_call_arena(call),
                               &ret->plan, st);
}
