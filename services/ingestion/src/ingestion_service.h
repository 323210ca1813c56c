// The Import call: decodes the request, checks the piece against the newest catalogue, commits, and
// answers. Stateless: any number of pieces may be in progress.
#ifndef ALM_INGESTION_SERVICE_H
#define ALM_INGESTION_SERVICE_H

#include "alm/catalog_cache.h"
#include "alm/channel.h"
#include "alm/log.h"
#include "alm/server.h"

typedef struct ingestion_service {
    alm_channel *storage;
    alm_catalog_cache *cache;
    alm_clock clock;
    const alm_log *log; // borrowed; may be NULL
} ingestion_service;

// storage is an address to call.
ALM_MUST_USE alm_code ingestion_service_init(ingestion_service *self, alm_rpc *rpc,
                                             const char *storage, alm_clock clock,
                                             const alm_log *log, alm_status *st);
void ingestion_service_deinit(ingestion_service *self);

// alm_handler of almanac.internal.Ingestion/Import.
//
// ALM_INVALID_ARGUMENT  the piece as a whole cannot be read; field says which part of the request
// ALM_ALREADY_EXISTS    the batch id is known with other content
// and any code of calling storage. After a failure some parts of the piece may be stored; the same
// call again stores the rest and counts nothing twice.
alm_code ingestion_import(void *self, alm_call *call, const ProtobufCMessage *request,
                          alm_status *st);

#endif
