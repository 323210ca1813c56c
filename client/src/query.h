// The public query as a message.
#ifndef ALM_QUERY_MESSAGE_H
#define ALM_QUERY_MESSAGE_H

#include "almanac.h"

#include "alm/status.h"

#include "almanac/v1/gateway.pb-c.h"

// Views into the query; nothing is copied.
//
// ALM_INVALID_ARGUMENT  no indicator, place or period was named
ALM_MUST_USE alm_code alm_query_message(const almanac_query *query, Almanac__V1__QueryRequest *ret,
                                        alm_status *st);

#endif
