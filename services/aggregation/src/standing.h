// A standing question: its answer is told again whenever a commit has changed it.
//
// A commit that may have changed it, by what it stored, has the question answered at its state;
// the answer is told if it is another than the one before. So each answer is one commit's, and a
// watch from a sequence on tells what an uninterrupted one would have told. The catalogue has no
// past: it is that of the commit or newer. The day of a question that says none is that on which
// it is answered.
#ifndef ALM_STANDING_H
#define ALM_STANDING_H

#include "aggregation_service.h"

#include "almanac/internal/storage.pb-c.h"

typedef struct alm_standing alm_standing;

// request->query is set; it and the call outlive the standing question.
//
// ALM_INVALID_ARGUMENT    a field that does not go with a standing question
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_standing_create(alm_aggregator *self, alm_call *call,
                                          const Almanac__V1__WatchRequest *request,
                                          alm_standing **ret, alm_status *st);
void alm_standing_destroy(alm_standing **standing);

// Answers it for the first time, and tells that answer unless the watch is from a sequence on.
// The feed of changes is open by then.
//
// As alm_session_run and alm_query_execute. ALM_RESOURCE_EXHAUSTED  the answer has more than
// ALM_STANDING_ROW_COUNT_MAX rows
ALM_MUST_USE alm_code alm_standing_begin(alm_standing *standing, alm_status *st);

// A message of the feed, in order. Likewise.
ALM_MUST_USE alm_code alm_standing_change(alm_standing *standing,
                                          const Almanac__Internal__WatchResponse *change,
                                          alm_arena *arena, alm_status *st);

#endif
