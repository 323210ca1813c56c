#include "fake_gateway.h"

#include "fake_block.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void keep_request(fake_gateway *self, const ProtobufCMessage *request)
{
    if (self->forgets_requests) {
        return;
    }
    self->request_size = protobuf_c_message_get_packed_size(request);
    if (self->request_size <= sizeof self->request) {
        (void)protobuf_c_message_pack(request, self->request);
    }
}

static alm_code failure(const fake_gateway *self, alm_status *st)
{
    return self->failure == ALM_OK
               ? ALM_OK
               : alm_status_set(st, self->failure, "%s",
                                self->failure_text != NULL ? self->failure_text : "as told");
}

static alm_code send_errors(const fake_gateway *self, alm_call *call, alm_status *st)
{
    alm_arena *arena = alm_call_arena(call);
    Almanac__V1__QueryResponse response;
    almanac__v1__query_response__init(&response);
    Almanac__V1__ItemError *errors = alm_arena_calloc(arena, self->error_count, sizeof *errors);
    Almanac__V1__ItemError **pointers =
        alm_arena_calloc(arena, self->error_count, sizeof *pointers);
    ALM_ASSERT(errors != NULL && pointers != NULL);
    for (size_t i = 0; i < self->error_count; i++) {
        almanac__v1__item_error__init(&errors[i]);
        errors[i].item = fake_text(arena, self->errors[i].item);
        errors[i].message = fake_text(arena, self->errors[i].message);
        errors[i].code = self->errors[i].code;
        pointers[i] = &errors[i];
    }
    response.errors = pointers;
    response.n_errors = self->error_count;
    return alm_call_send(call, &response.base, st);
}

static fake_rows rows_of(const Almanac__V1__QueryRequest *request)
{
    static const struct {
        const char *word;
        fake_rows kind;
    } words[] = {
        {"pc1", FAKE_GROWTH}, {"share", FAKE_SHARE}, {"rank", FAKE_RANK}, {"target", FAKE_TARGET}};
    for (size_t i = 0; request->n_transforms > 0 && i < ALM_ARRAY_LEN(words); i++) {
        if (strcmp(request->transforms[0], words[i].word) == 0) {
            return words[i].kind;
        }
    }
    return FAKE_PUBLISHED;
}

static alm_code query(void *arg, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    fake_gateway *self = arg;
    keep_request(self, request);
    fake_rows kind = rows_of((const Almanac__V1__QueryRequest *)request);
    size_t count = self->row_counts[kind];
    size_t step = self->block_rows > 0 ? self->block_rows : ALM_MAX(count, (size_t)1);
    for (size_t from = 0; from < count; from += step) {
        Almanac__V1__QueryResponse response;
        almanac__v1__query_response__init(&response);
        response.block =
            fake_block(alm_call_arena(call), self->rows[kind] + from, ALM_MIN(step, count - from));
        if (self->damages_blocks) {
            response.block->n_upper--;
        }
        ALM_TRY(alm_call_send(call, &response.base, st));
    }
    if (self->error_count > 0) {
        ALM_TRY(send_errors(self, call, st));
    }
    return failure(self, st);
}

static alm_code explain(void *arg, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    fake_gateway *self = arg;
    Almanac__V1__ExplainResponse empty;
    almanac__v1__explain_response__init(&empty);
    keep_request(self, request);
    ALM_TRY(failure(self, st));
    return alm_call_send(call, self->explanation != NULL ? &self->explanation->base : &empty.base,
                         st);
}

// Every line of a piece is a new value.
static alm_code import_plainly(const Almanac__V1__ImportRequest *request,
                               Almanac__V1__ImportResponse *ret)
{
    for (size_t i = 0; i < request->records.len; i++) {
        ret->rows += request->records.data[i] == '\n' ? 1 : 0;
    }
    ret->added = ret->rows;
    ret->sequence = request->dry_run ? 0 : request->piece + 1;
    return ALM_OK;
}

static alm_code import(void *arg, alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    fake_gateway *self = arg;
    const Almanac__V1__ImportRequest *request = (const Almanac__V1__ImportRequest *)message;
    Almanac__V1__ImportResponse response;
    almanac__v1__import_response__init(&response);
    static char encoding[] = "utf-8";
    response.encoding = encoding;
    response.batch_id = request->batch_id;
    keep_request(self, message);
    self->import_count++;
    ALM_TRY(self->import != NULL ? self->import(self, alm_call_arena(call), request, &response, st)
                                 : import_plainly(request, &response));
    ALM_TRY(failure(self, st));
    return alm_call_send(call, &response.base, st);
}

static bool is_wanted(const char *code, const char *words)
{
    return words[0] == '\0' || strcmp(code, words) == 0;
}

// Narrows a list to the entries whose code is asked for; works in place of a copied response.
#define NARROW(list, words)                                                                        \
    do {                                                                                           \
        size_t kept = 0;                                                                           \
        for (size_t i = 0; i < response.n_##list; i++) {                                           \
            if (is_wanted(response.list[i]->code, words)) {                                        \
                list[kept++] = response.list[i];                                                   \
            }                                                                                      \
        }                                                                                          \
        response.list = list;                                                                      \
        response.n_##list = kept;                                                                  \
    } while (0)

static alm_code catalog(void *arg, alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    fake_gateway *self = arg;
    const Almanac__V1__CatalogRequest *request = (const Almanac__V1__CatalogRequest *)message;
    keep_request(self, message);
    ALM_TRY(failure(self, st));
    if (self->catalog == NULL) {
        return ALM_OK;
    }
    Almanac__V1__CatalogResponse response = *self->catalog;
    Almanac__V1__Indicator **indicators =
        alm_arena_calloc(alm_call_arena(call), response.n_indicators, sizeof *indicators);
    Almanac__V1__Place **places =
        alm_arena_calloc(alm_call_arena(call), response.n_places, sizeof *places);
    ALM_ASSERT(indicators != NULL && places != NULL);
    almanac_catalog_kind kind = (almanac_catalog_kind)request->kind;
    NARROW(indicators, request->words);
    NARROW(places, request->words);
    response.n_indicators = kind == ALMANAC_CATALOG_INDICATORS ? response.n_indicators : 0;
    response.n_places = kind == ALMANAC_CATALOG_PLACES ? response.n_places : 0;
    response.n_sources = kind == ALMANAC_CATALOG_SOURCES ? response.n_sources : 0;
    response.n_series = kind == ALMANAC_CATALOG_SERIES ? response.n_series : 0;
    response.n_quarantine = kind == ALMANAC_CATALOG_QUARANTINE ? response.n_quarantine : 0;
    return alm_call_send(call, &response.base, st);
}

static alm_code watch(void *arg, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    fake_gateway *self = arg;
    keep_request(self, request);
    for (size_t i = 0; i < self->change_count; i++) {
        Almanac__V1__WatchResponse change = *self->changes[i];
        if (i == 0 && self->change_row_count > 0) {
            change.block =
                fake_block(alm_call_arena(call), self->change_rows, self->change_row_count);
        }
        ALM_TRY(alm_call_send(call, &change.base, st));
    }
    return failure(self, st);
}

static alm_code status(void *arg, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    fake_gateway *self = arg;
    Almanac__V1__StatusResponse empty;
    almanac__v1__status_response__init(&empty);
    keep_request(self, request);
    ALM_TRY(failure(self, st));
    return alm_call_send(call, self->status != NULL ? &self->status->base : &empty.base, st);
}

static alm_code verify(void *arg, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    fake_gateway *self = arg;
    Almanac__V1__VerifyResponse empty;
    almanac__v1__verify_response__init(&empty);
    keep_request(self, request);
    ALM_TRY(failure(self, st));
    return alm_call_send(call, self->verification != NULL ? &self->verification->base : &empty.base,
                         st);
}

static alm_code backup(void *arg, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    fake_gateway *self = arg;
    keep_request(self, request);
    for (size_t i = 0; i < self->backup_count; i++) {
        ALM_TRY(alm_call_send(call, &self->backup[i]->base, st));
    }
    return failure(self, st);
}

static alm_code reconcile(void *arg, alm_call *call, const ProtobufCMessage *request,
                          alm_status *st)
{
    fake_gateway *self = arg;
    Almanac__V1__ReconcileResponse empty;
    almanac__v1__reconcile_response__init(&empty);
    keep_request(self, request);
    ALM_TRY(failure(self, st));
    return alm_call_send(call, self->findings != NULL ? &self->findings->base : &empty.base, st);
}

void fake_gateway_start(fake_gateway *self)
{
    static const alm_handler handlers[] = {query,  explain, import, catalog,  watch,
                                           status, verify,  backup, reconcile};
    alm_server_opts opts = {.name = "fake"};
    alm_status st = ALM_STATUS_INIT;
    (void)snprintf(self->folder, sizeof self->folder, "/tmp/almanac-client-XXXXXX");
    bool is_up = mkdtemp(self->folder) != NULL;
    (void)snprintf(self->endpoint, sizeof self->endpoint, "ipc://%s/gateway", self->folder);
    is_up = is_up && alm_rpc_create(NULL, &self->rpc, &st) == ALM_OK &&
            alm_server_create(self->rpc, &opts, &self->server, &st) == ALM_OK &&
            alm_server_add(self->server, &alm_service_gateway, handlers, self, &st) == ALM_OK &&
            alm_server_bind(self->server, self->endpoint, &st) == ALM_OK &&
            alm_server_start(self->server, &st) == ALM_OK;
    if (!is_up) {
        (void)fprintf(stderr, "fake gateway: %s\n", st.message);
    }
    ALM_ASSERT(is_up);
}

void fake_gateway_stop(fake_gateway *self)
{
    char socket[128];
    alm_server_destroy(&self->server);
    alm_rpc_destroy(&self->rpc);
    (void)snprintf(socket, sizeof socket, "%s/gateway", self->folder);
    (void)unlink(socket);
    (void)rmdir(self->folder);
}

ProtobufCMessage *fake_gateway_request(const fake_gateway *self,
                                       const ProtobufCMessageDescriptor *descriptor,
                                       alm_arena *arena)
{
    ProtobufCAllocator allocator = alm_arena_protobuf(arena);
    ALM_ASSERT(self->request_size <= sizeof self->request);
    return protobuf_c_message_unpack(descriptor, &allocator, self->request_size, self->request);
}
