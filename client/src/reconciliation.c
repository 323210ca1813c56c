// What was published held against what is stored: a stream of findings, gathered.
#include "client.h"
#include "query.h"
#include "words.h"

#include <math.h>

#define EXPONENT_MAX 40 // what almanac_number_text writes exactly

typedef struct reconciliation_reply {
    almanac_reconciliation face; // first: the public pointer is a pointer to the whole
    almanac_finding *findings;
    almanac_item_error *errors;
    size_t finding_cap, error_cap;
    alm_feed feed; // its arena holds all of this, and the messages
} reconciliation_reply;

static alm_code out_of_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "answer: out of memory");
}

// A figure as part of a row; none leaves it without a number.
static alm_code take_figure(const Almanac__V1__FindingFigure *figure, almanac_row *row,
                            alm_status *st)
{
    static const Almanac__V1__Decimal zero = ALMANAC__V1__DECIMAL__INIT;
    row->status = 'A';
    row->unit = "";
    row->lower = -(double)INFINITY;
    row->upper = (double)INFINITY;
    if (figure == NULL) {
        return ALM_OK;
    }
    const Almanac__V1__Decimal *number = figure->number != NULL ? figure->number : &zero;
    bool is_good = number->exponent >= -EXPONENT_MAX && number->exponent <= EXPONENT_MAX &&
                   figure->lower <= figure->upper && figure->qualifier < ALM_QUALIFIER_WORD_COUNT;
    if (!is_good) {
        return alm_status_set(st, ALM_INTERNAL, "malformed answer: a figure of a finding");
    }
    row->unit = figure->unit;
    row->mantissa = number->mantissa;
    row->exponent = number->exponent;
    row->has_number = figure->has_number != 0;
    row->qualifier = figure->qualifier;
    row->lower = figure->lower;
    row->upper = figure->upper;
    return ALM_OK;
}

static almanac_row empty_row(almanac_origin origin)
{
    return (almanac_row){.indicator = "",
                         .place = "",
                         .period = "",
                         .measure = "",
                         .accumulation = "",
                         .breakdown = "",
                         .relation = "",
                         .unit = "",
                         .source = "",
                         .published = "",
                         .note = "",
                         .reason = "",
                         .transform = "",
                         .origin = origin};
}

static alm_code take_finding(const Almanac__V1__Finding *message, almanac_finding *ret,
                             alm_status *st)
{
    *ret = (almanac_finding){.claim = empty_row(ALMANAC_PUBLISHED),
                             .implied = empty_row(ALMANAC_COMPUTED),
                             .check = (uint32_t)message->check,
                             .verdict = (uint32_t)message->verdict,
                             .implies = (uint32_t)message->implied,
                             .tolerance = message->tolerance,
                             .why_zh = message->why_zh,
                             .why_en = message->why_en};
    ret->claim.indicator = message->indicator;
    ret->claim.place = message->place;
    ret->claim.period = message->period;
    ret->claim.measure = message->measure;
    ret->claim.accumulation = message->accumulation;
    ret->claim.breakdown = message->breakdown;
    ret->claim.relation = message->relation;
    ret->computed = ret->claim;
    ret->computed.origin = ALMANAC_COMPUTED;
    ret->claim.source = message->source;
    ret->claim.published = message->published;
    ret->implied.indicator = message->implied_indicator;
    ret->implied.place = message->implied_place;
    ret->implied.period = message->implied_period;
    ret->implied.measure = message->implied_measure;
    ALM_TRY(take_figure(message->claimed, &ret->claim, st));
    ALM_TRY(take_figure(message->computed, &ret->computed, st));
    return take_figure(message->figure, &ret->implied, st);
}

static void count_verdict(almanac_reconciliation *face, uint32_t verdict)
{
    face->match_count += verdict == ALMANAC__V1__VERDICT__VERDICT_MATCH;
    face->unjudged_count += verdict == ALMANAC__V1__VERDICT__VERDICT_NOT_JUDGED;
    face->doubt_count = face->finding_count - face->match_count - face->unjudged_count;
}

static alm_code take_findings(reconciliation_reply *reply,
                              const Almanac__V1__ReconcileResponse *message, alm_status *st)
{
    almanac_reconciliation *face = &reply->face;
    void *findings = reply->findings;
    if (!alm_arena_grow(reply->feed.arena, &findings, &reply->finding_cap,
                        face->finding_count + message->n_findings, sizeof *reply->findings)) {
        return out_of_memory(st);
    }
    face->findings = reply->findings = findings;
    for (size_t i = 0; i < message->n_findings; i++) {
        ALM_TRY(take_finding(message->findings[i], &reply->findings[face->finding_count], st));
        uint32_t verdict = reply->findings[face->finding_count++].verdict;
        count_verdict(face, verdict);
    }
    return ALM_OK;
}

static alm_code take_errors(reconciliation_reply *reply,
                            const Almanac__V1__ReconcileResponse *message, alm_status *st)
{
    almanac_reconciliation *face = &reply->face;
    void *errors = reply->errors;
    if (!alm_arena_grow(reply->feed.arena, &errors, &reply->error_cap,
                        face->error_count + message->n_errors, sizeof *reply->errors)) {
        return out_of_memory(st);
    }
    face->errors = reply->errors = errors;
    for (size_t i = 0; i < message->n_errors; i++) {
        const Almanac__V1__ItemError *error = message->errors[i];
        reply->errors[face->error_count++] =
            (almanac_item_error){.item = error->item,
                                 .code = (almanac_code)alm_client_code(error->code),
                                 .message = error->message};
    }
    return ALM_OK;
}

static alm_code read_all(reconciliation_reply *reply, alm_status *st)
{
    for (;;) {
        ProtobufCMessage *message = NULL;
        ALM_TRY(alm_feed_next(&reply->feed, &message, st));
        if (message == NULL) {
            return ALM_OK;
        }
        ALM_TRY(take_findings(reply, (const Almanac__V1__ReconcileResponse *)message, st));
        ALM_TRY(take_errors(reply, (const Almanac__V1__ReconcileResponse *)message, st));
    }
}

static alm_code get(almanac_client *client, const almanac_query *query,
                    almanac_reconciliation **ret, alm_status *st)
{
    Almanac__V1__QueryRequest inner;
    Almanac__V1__ReconcileRequest request;
    alm_feed feed;
    ALM_TRY(alm_query_message(query, &inner, st));
    almanac__v1__reconcile_request__init(&request);
    request.query = &inner;
    ALM_TRY(alm_feed_open(client, "Reconcile", 0, &request.base, &feed, st));
    reconciliation_reply *reply = alm_arena_calloc(feed.arena, 1, sizeof *reply);
    if (reply == NULL) {
        alm_feed_close(&feed);
        return out_of_memory(st);
    }
    reply->feed = feed;
    alm_code code = read_all(reply, st);
    if (code != ALM_OK) {
        feed = reply->feed; // it lies in what is closed
        alm_feed_close(&feed);
        return code;
    }
    *ret = &reply->face;
    return ALM_OK;
}

almanac_code almanac_reconciliation_get(almanac_client *client, const almanac_query *query,
                                        almanac_reconciliation **ret_reconciliation,
                                        almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    return alm_client_answer(get(client, query, ret_reconciliation, &st), &st, error);
}

void almanac_reconciliation_free(almanac_reconciliation **reconciliation)
{
    if (*reconciliation != NULL) {
        alm_feed feed = ((reconciliation_reply *)*reconciliation)->feed;
        alm_feed_close(&feed);
        *reconciliation = NULL;
    }
}
