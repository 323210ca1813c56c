// A query over many workers: planned by one, cut by indicator and by places, executed by all,
// merged in order; or, where that gains nothing, answered by one, to whom a small one is passed on.
#ifndef ALM_GATEWAY_FANOUT_H
#define ALM_GATEWAY_FANOUT_H

#include "gateway.h"

#include "almanac/v1/gateway.pb-c.h"

// Answers the call with the query's blocks: first the errors of single indicators, then the rows in
// the order in which the indicators were asked. All fragments see one state of the store.
//
// A worker that is lost costs its fragments another try; rows that were passed on already are not
// passed on twice, since a fragment at a pinned sequence and of one catalogue has one answer.
// Messages are passed on as they come, packed.
//
// ALM_INVALID_ARGUMENT  nothing asked, more than the limits, or a slice; the field is named
// ALM_UNAVAILABLE       no worker answered within the tries
// ALM_ABORTED           a worker was lost after some of its rows were passed on, and the next one
//                       does not answer those rows, or the places that were cut are others now: the
//                       catalogue has changed meanwhile
ALM_MUST_USE alm_code fanout_query(gateway *g, alm_call *call,
                                   const Almanac__V1__QueryRequest *request, alm_status *st);

// Whether one worker answers it all, and no plan is made, unless fanout_may_be_large: when one
// indicator is named; or several that together with the places make at most 16 series, places being
// named one by one and none of the transforms reading others by the hundred (rollup, rank,
// percentile).
bool fanout_goes_whole(const Almanac__V1__QueryRequest *request);

// Whether a plan has to say if a question of one indicator is cut by places: where its places are
// not named one by one, its rows are told in the order of places, all of them, and each is of its
// own place. The gateway remembers of which questions the plan said that they are not.
bool fanout_may_be_large(const Almanac__V1__QueryRequest *request);

// Whether it also has few series of places named one by one, so that its answer is small.
bool fanout_is_small(const Almanac__V1__QueryRequest *request);

// A first look at a query: a small one is one worker's, without a thread here, unless it has to be
// told what was imported a moment ago. As an alm_look; self
// is a gateway.
//
// ALM_INVALID_ARGUMENT  as fanout_query
ALM_MUST_USE alm_code fanout_look(void *self, alm_call *call, const ProtobufCMessage *request,
                                  alm_look_verdict *ret, alm_status *st);

// How many indicators go into one fragment: enough fragments to keep every worker busy twice over,
// but never more than 16 indicators in one. indicators and the result are at least 1.
size_t fanout_fragment_size(size_t indicators, size_t workers);

#endif
