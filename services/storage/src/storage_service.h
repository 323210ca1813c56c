// Answers almanac.internal.Storage from a store. Between messages and the engine; no rule of its
// own.
#ifndef STORAGE_SERVICE_H
#define STORAGE_SERVICE_H

#include "alm/catalog_cache.h"
#include "alm/server.h"
#include "alm/store.h"

#include "almanac/internal/storage.pb-c.h"
#include "search.h"

typedef struct storage_service {
    alm_store *store;
    search_catalog *search;
    alm_catalog_cache *catalogs; // for words that name places and indicators
    const alm_log *log;
} storage_service;

// Rows of one message; messages stay well below ALM_RPC_MESSAGE_BYTES_MAX with texts of this size.
#define STORAGE_BLOCK_ROW_COUNT  32768
#define STORAGE_BLOCK_NOTE_BYTES ((size_t)1 << 20)

// How many of the rows from `from` on go into one message.
size_t storage_block_rows(const alm_obs_columns *rows, size_t from);

// Waits for a sequence for as long as the call lasts. ALM_CANCELLED, ALM_DEADLINE_EXCEEDED: it is
// over.
ALM_MUST_USE alm_code storage_wait(alm_store *store, uint64_t sequence, alm_call *call,
                                   alm_status *st);

// A wait is cut into slices, so that a cancelled call is noticed.
#define STORAGE_WAIT_SLICE_MS 500

// A request as the engine takes it; views the message, and the arena.
//
// ALM_INVALID_ARGUMENT  a number that stands for nothing
ALM_MUST_USE alm_code storage_read_from(const Almanac__Internal__ReadRequest *request,
                                        alm_arena *arena, alm_read *read, alm_status *st);

// Which state a read shows.
typedef struct storage_state {
    uint64_t sequence;         // set by the read
    uint64_t catalog_sequence; // at least that of the state, once it is
    bool is_whole;             // likewise set
} storage_state;

// A message of a read's answer: rows of the variant, or NULL where there are none at all. Its parts
// are in the arena. state->sequence is set; the rest is by the first message.
ALM_MUST_USE alm_code storage_read_message(alm_store *store, storage_state *state, alm_str variant,
                                           const alm_obs_columns *rows, alm_arena *arena,
                                           Almanac__Internal__ReadResponse *ret, alm_status *st);

// A first look at Read: a small one is answered. As an alm_look; self is a storage_service.
ALM_MUST_USE alm_code storage_look_at_read(void *self, alm_call *call,
                                           const ProtobufCMessage *request, alm_look_verdict *ret,
                                           alm_status *st);

// Handlers, in the order of the service's methods. self is a storage_service.
alm_code storage_commit(void *self, alm_call *call, const ProtobufCMessage *request,
                        alm_status *st);
alm_code storage_read(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st);
alm_code storage_load_catalog(void *self, alm_call *call, const ProtobufCMessage *request,
                              alm_status *st);
alm_code storage_catalog(void *self, alm_call *call, const ProtobufCMessage *request,
                         alm_status *st);
alm_code storage_watch(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st);
alm_code storage_head(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st);
alm_code storage_verify(void *self, alm_call *call, const ProtobufCMessage *request,
                        alm_status *st);
alm_code storage_backup(void *self, alm_call *call, const ProtobufCMessage *request,
                        alm_status *st);
alm_code storage_sums(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st);

#endif
