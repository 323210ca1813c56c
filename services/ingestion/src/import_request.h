// The Import request as a piece, validated; and what came out of it as the response.
#ifndef ALM_INGESTION_IMPORT_REQUEST_H
#define ALM_INGESTION_IMPORT_REQUEST_H

#include "piece.h"

#include "almanac/internal/ingestion.pb-c.h"

// *ret views the request.
//
// ALM_INVALID_ARGUMENT    an unknown kind or encoding, a row number out of range, defaults for a
//                         catalogue file, a file name or default too long; field names it
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code import_request_read(const Almanac__V1__ImportRequest *request,
                                          alm_arena *arena, piece *ret, alm_status *st);

// Puts encoding, rows, quarantined and the defects into the response. ALM_RESOURCE_EXHAUSTED
ALM_MUST_USE alm_code import_response_fill(const piece_result *result, alm_arena *arena,
                                           Almanac__V1__ImportResponse *response, alm_status *st);

#endif
