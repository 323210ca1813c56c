// A gateway with canned answers on a socket of its own, for tests of the client.
//
// What it answers is read while it serves: change it only while no call is in progress.
#ifndef ALM_FAKE_GATEWAY_H
#define ALM_FAKE_GATEWAY_H

#include "almanac.h"

#include "alm/arena.h"
#include "alm/server.h"

#include "almanac/v1/gateway.pb-c.h"

#define FAKE_REQUEST_MAX 16384

// Which rows a query is answered with, by its first transform.
typedef enum fake_rows {
    FAKE_PUBLISHED,
    FAKE_GROWTH,
    FAKE_SHARE,
    FAKE_RANK,
    FAKE_TARGET,
    FAKE_ROWS_COUNT
} fake_rows;

typedef struct fake_item_error {
    const char *item, *message;
    uint32_t code;
} fake_item_error;

typedef struct fake_gateway {
    // Query: rows by transform, in blocks of block_rows (0: all in one).
    const almanac_row *rows[FAKE_ROWS_COUNT];
    size_t row_counts[FAKE_ROWS_COUNT];
    size_t block_rows;
    const fake_item_error *errors;
    size_t error_count;
    alm_code failure; // of every call, after what was sent
    const char *failure_text;
    bool damages_blocks; // sends blocks that no check lets through

    // Explain, Reconcile, Status, Verify, Watch: the whole answer; NULL: an empty one.
    const Almanac__V1__ExplainResponse *explanation;
    const Almanac__V1__ReconcileResponse *findings;
    const Almanac__V1__StatusResponse *status;
    const Almanac__V1__VerifyResponse *verification;
    const Almanac__V1__WatchResponse *const *changes; // the stream ends after them
    size_t change_count;
    const almanac_row *change_rows; // of the first change
    size_t change_row_count;

    const Almanac__V1__BackupResponse *const *backup; // all its messages
    size_t backup_count;

    // Catalog: filtered by kind, and by words equal to a code.
    const Almanac__V1__CatalogResponse *catalog;

    // Import: called for each piece; NULL: every record is new.
    alm_code (*import)(struct fake_gateway *self, alm_arena *arena,
                       const Almanac__V1__ImportRequest *request, Almanac__V1__ImportResponse *ret,
                       alm_status *st);
    void *import_arg;
    size_t import_count;

    // The last request, packed. Not kept where calls come at once from several threads.
    bool forgets_requests;
    uint8_t request[FAKE_REQUEST_MAX];
    size_t request_size;

    char endpoint[128];
    char folder[64];
    alm_rpc *rpc;
    alm_server *server;
} fake_gateway;

// Starts serving at self->endpoint (ipc, in a folder of its own). Aborts where it cannot: a test
// without its server means nothing.
void fake_gateway_start(fake_gateway *self);
void fake_gateway_stop(fake_gateway *self);

// The last request unpacked, in the arena.
ProtobufCMessage *fake_gateway_request(const fake_gateway *self,
                                       const ProtobufCMessageDescriptor *descriptor,
                                       alm_arena *arena);

#endif
