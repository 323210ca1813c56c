#include "session.h"

#include "almanac/internal/storage.pb-c.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for the question");
}

static alm_code ask_head(alm_aggregator *self, alm_call *call, alm_arena *arena,
                         const Almanac__Internal__HeadResponse **ret, alm_status *st)
{
    Almanac__Internal__HeadRequest request;
    almanac__internal__head_request__init(&request);
    alm_call_opts opts = {.parent = call};
    ProtobufCMessage *reply;
    ALM_TRY(alm_channel_call(self->storage, &alm_service_storage, "Head", &opts, &request.base,
                             arena, &reply, st));
    *ret = (const Almanac__Internal__HeadResponse *)reply;
    return ALM_OK;
}

// A read of nothing that waits until the commit is visible: Head itself does not wait.
static alm_code wait_for(alm_aggregator *self, alm_call *call, alm_arena *arena, uint64_t sequence,
                         alm_status *st)
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
        code = alm_stream_next(stream, arena, &message, st);
    } while (code == ALM_OK && message != NULL);
    alm_stream_close(&stream);
    return code;
}

alm_code alm_aggregation_head(alm_aggregator *self, alm_call *call, alm_arena *arena,
                              uint64_t min_sequence, uint64_t *ret_sequence,
                              uint64_t *ret_catalog_sequence, alm_status *st)
{
    const Almanac__Internal__HeadResponse *head;
    ALM_TRY(ask_head(self, call, arena, &head, st));
    if (head->sequence < min_sequence) {
        ALM_TRY(wait_for(self, call, arena, min_sequence, st));
        ALM_TRY(ask_head(self, call, arena, &head, st));
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

// What is planned with the catalogue lives no longer.
static alm_code hold_catalog(alm_session *session, alm_catalog_ref *catalog, alm_status *st)
{
    if (!alm_arena_on_reset(session->arena, release_catalog, catalog)) {
        alm_catalog_ref_release(&catalog);
        return no_memory(st);
    }
    session->catalog = catalog;
    session->storage.catalog = alm_catalog_ref_catalog(catalog);
    session->storage.catalog_sequence = alm_catalog_ref_sequence(catalog);
    return ALM_OK;
}

// The catalogue at hand if it is that new.
static alm_code take_catalog(alm_session *session, uint64_t at_least, alm_status *st)
{
    alm_catalog_ref *catalog;
    ALM_TRY(alm_catalog_cache_get(session->self->catalogs, session->call, at_least, &catalog, st));
    return hold_catalog(session, catalog, st);
}

alm_code alm_session_check(alm_session *session, alm_status *st)
{
    alm_storage_reader *storage = &session->storage;
    uint64_t sequence, catalog_sequence;
    if (storage->is_checked) {
        return ALM_OK;
    }
    ALM_TRY(alm_aggregation_head(session->self, session->call, session->arena,
                                 storage->min_sequence, &sequence, &catalog_sequence, st));
    return alm_storage_reader_learn(storage, sequence, catalog_sequence, st);
}

static alm_code attempt(alm_session *session, const Almanac__V1__QueryRequest *request,
                        alm_session_work work, void *arg, alm_status *st)
{
    ALM_TRY(alm_query_plan_make(request, session->storage.catalog, session->catalog, session->arena,
                                &session->plan, st));
    return work(arg, session, st);
}

// Would a newer catalogue have another outcome? Words it does not know, places it has more of.
static bool is_of_catalog(alm_code code)
{
    return code == ALM_OK || code == ALM_INVALID_ARGUMENT || code == ALM_NOT_FOUND ||
           code == ALM_FAILED_PRECONDITION || code == ALM_OUT_OF_RANGE ||
           code == ALM_RESOURCE_EXHAUSTED;
}

static alm_session session_of(alm_aggregator *self, alm_call *call, alm_arena *arena,
                              const Almanac__V1__QueryRequest *request)
{
    return (alm_session){
        .self = self,
        .call = call,
        .arena = arena,
        .storage = {.storage = self->storage,
                    .call = call,
                    .min_sequence = ALM_MAX(request->min_sequence, request->at_sequence),
                    .at_sequence = request->at_sequence}};
}

static Almanac__V1__QueryRequest with_today(const alm_aggregator *self,
                                            const Almanac__V1__QueryRequest *request)
{
    Almanac__V1__QueryRequest asked = *request;
    if (asked.today == 0) {
        asked.today = alm_clock_today_in_china(&self->clock);
    }
    return asked;
}

alm_code alm_session_glance(alm_aggregator *self, alm_call *call,
                            const Almanac__V1__QueryRequest *request, alm_session_work work,
                            void *arg, alm_session *ret, alm_status *st)
{
    Almanac__V1__QueryRequest asked = with_today(self, request);
    alm_catalog_ref *catalog = alm_catalog_cache_at_hand(self->catalogs);
    *ret = session_of(self, call, alm_call_arena(call), request);
    if (catalog == NULL) {
        return alm_status_set(st, ALM_UNAVAILABLE, "no catalogue was loaded yet");
    }
    ALM_TRY(hold_catalog(ret, catalog, st));
    return attempt(ret, &asked, work, arg, st);
}

alm_code alm_session_run(alm_aggregator *self, alm_call *call, alm_arena *arena,
                         const Almanac__V1__QueryRequest *request, alm_session_work work, void *arg,
                         alm_session *ret, alm_status *st)
{
    *ret = session_of(self, call, arena, request);
    alm_storage_reader *storage = &ret->storage;
    Almanac__V1__QueryRequest asked = with_today(self, request);
    ALM_TRY(take_catalog(ret, 0, st));
    alm_code code = attempt(ret, &asked, work, arg, st);
    // Places that are not those that were cut may be, with a newer one.
    bool is_of_other_places = code == ALM_ABORTED && storage->newer_catalog == 0;
    if (is_of_catalog(code) || is_of_other_places) {
        alm_status why = ALM_STATUS_INIT;
        if (alm_session_check(ret, &why) != ALM_OK && storage->newer_catalog == 0) {
            return alm_status_copy(st, &why);
        }
    }
    if (storage->newer_catalog == 0) {
        return code;
    }
    // The state stays the one that was read, which this catalogue knows all of: no third time.
    ALM_TRY(take_catalog(ret, storage->newer_catalog, st));
    storage->newer_catalog = 0;
    storage->is_checked = true;
    return attempt(ret, &asked, work, arg, st);
}
