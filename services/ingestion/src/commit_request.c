#include "commit_plan.h"

#include "alm/limits.h"
#include "alm/wire.h"

#define RECORD_BYTES_MAX 4096 // kept of a quarantined record

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a commit");
}

// --- observations -------------------------------------------------------------------------------

// The part's own table of variants, in order of first use, and its rows with indexes into it.
typedef struct part_rows {
    alm_obs *rows;
    alm_str *variants;
    size_t variant_count;
} part_rows;

static alm_code renumber(const obs_rows *obs, const commit_part *part, alm_arena *arena,
                         part_rows *ret, alm_status *st)
{
    size_t count = part->obs_to - part->obs_from;
    uint32_t *number_of = alm_arena_calloc(arena, obs->variant_count, sizeof *number_of); // + 1
    ret->rows = alm_arena_calloc(arena, count, sizeof *ret->rows);
    ret->variants = alm_arena_calloc(arena, obs->variant_count, sizeof *ret->variants);
    ret->variant_count = 0;
    if (number_of == NULL || ret->rows == NULL || ret->variants == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        ret->rows[i] = obs->rows[part->obs_from + i];
        uint32_t variant = ret->rows[i].variant;
        if (number_of[variant] == 0) {
            ret->variants[ret->variant_count++] = obs->variants[variant];
            number_of[variant] = (uint32_t)ret->variant_count;
        }
        ret->rows[i].variant = number_of[variant] - 1;
    }
    return ALM_OK;
}

static alm_code put_observations(const piece_result *result, const commit_part *part,
                                 alm_arena *arena, Almanac__Internal__CommitRequest *request,
                                 alm_status *st)
{
    const obs_rows *obs = result->observations;
    size_t count = part->obs_to - part->obs_from;
    if (count == 0) {
        return ALM_OK;
    }
    part_rows rows;
    ALM_TRY(renumber(obs, part, arena, &rows, st));
    return alm_obs_block_write(rows.variants, rows.variant_count, rows.rows, count,
                               obs->row_numbers + part->obs_from, arena, &request->observations,
                               st);
}

// --- catalogue ----------------------------------------------------------------------------------

static alm_code put_entry(const catalog_entry *e, alm_arena *arena,
                          Almanac__Internal__CommitRequest *request, alm_status *st)
{
    switch (e->kind) {
    case ENTRY_INDICATOR:
        return alm_indicator_to_proto(&e->as.indicator, arena,
                                      &request->indicators[request->n_indicators++], st);
    case ENTRY_PLACE:
        return alm_place_to_proto(&e->as.place, arena, &request->places[request->n_places++], st);
    case ENTRY_SOURCE:
        return alm_source_to_proto(&e->as.source, arena, &request->sources[request->n_sources++],
                                   st);
    }
    return ALM_OK;
}

// All entries of a piece are of one kind.
static alm_code put_entries(const piece_result *result, const commit_part *part, alm_arena *arena,
                            Almanac__Internal__CommitRequest *request, alm_status *st)
{
    size_t count = part->entry_to - part->entry_from;
    if (count == 0) {
        return ALM_OK;
    }
    void **pointers = alm_arena_calloc(arena, count, sizeof *pointers);
    if (pointers == NULL) {
        return no_memory(st);
    }
    request->indicators = (Almanac__V1__Indicator **)pointers;
    request->places = (Almanac__V1__Place **)pointers;
    request->sources = (Almanac__V1__Source **)pointers;
    for (size_t i = part->entry_from; i < part->entry_to; i++) {
        ALM_TRY(put_entry(&result->catalog.entries[i], arena, request, st));
    }
    return ALM_OK;
}

// --- quarantine ---------------------------------------------------------------------------------

static Almanac__V1__QuarantinedRow *quarantined(const commit_common *common, char *batch_id,
                                                char *file_name, const set_aside *from,
                                                alm_arena *arena)
{
    Almanac__V1__QuarantinedRow *row = alm_arena_alloc(arena, sizeof *row);
    char *at = alm_arena_strdup(arena, alm_str_from(common->at));
    char *field = alm_arena_strdup(arena, from->field);
    char *reason = alm_arena_strdup(arena, from->reason);
    size_t len = ALM_MIN(from->record.len, (size_t)RECORD_BYTES_MAX);
    char *record = alm_arena_strdup(arena, alm_str_slice(from->record, 0, len));
    if (row == NULL || at == NULL || field == NULL || reason == NULL || record == NULL) {
        return NULL;
    }
    almanac__v1__quarantined_row__init(row);
    row->batch_id = batch_id;
    row->file_name = file_name;
    row->row = from->row;
    row->column = from->column;
    row->field = field;
    row->reason = reason;
    row->record = (ProtobufCBinaryData){.len = len, .data = (uint8_t *)record};
    row->at = at;
    return row;
}

static alm_code put_quarantine(const commit_common *common, const piece_result *result,
                               const commit_part *part, alm_arena *arena,
                               Almanac__Internal__CommitRequest *request, alm_status *st)
{
    size_t count = part->aside_to - part->aside_from;
    if (count == 0) {
        return ALM_OK;
    }
    char *file_name = alm_arena_strdup(arena, common->file_name);
    request->quarantine = alm_arena_calloc(arena, count, sizeof(Almanac__V1__QuarantinedRow *));
    if (file_name == NULL || request->quarantine == NULL) {
        return no_memory(st);
    }
    for (size_t i = part->aside_from; i < part->aside_to; i++) {
        Almanac__V1__QuarantinedRow *row =
            quarantined(common, request->batch_id, file_name, &result->report.set_aside[i], arena);
        if (row == NULL) {
            return no_memory(st);
        }
        request->quarantine[request->n_quarantine++] = row;
    }
    return ALM_OK;
}

// --- the message --------------------------------------------------------------------------------

static char *part_id(const commit_common *common, uint32_t number, alm_arena *arena)
{
    return number == 0 ? alm_arena_strdup(arena, common->id)
                       : alm_arena_printf(arena, "%.*s.%u", ALM_STR_ARGS(common->id), number);
}

alm_code commit_request(const commit_common *common, const piece_result *result,
                        const commit_part *part, alm_arena *arena,
                        Almanac__Internal__CommitRequest **ret, alm_status *st)
{
    Almanac__Internal__CommitRequest *request = alm_arena_alloc(arena, sizeof *request);
    char *id = part_id(common, part->number, arena);
    uint8_t *digest = alm_arena_alloc(arena, sizeof common->digest);
    if (request == NULL || id == NULL || digest == NULL) {
        return no_memory(st);
    }
    almanac__internal__commit_request__init(request);
    for (size_t i = 0; i < sizeof common->digest; i++) {
        digest[i] = (uint8_t)(common->digest >> (8 * i));
    }
    request->batch_id = id;
    request->digest = (ProtobufCBinaryData){.len = sizeof common->digest, .data = digest};
    request->dry_run = common->dry_run;
    ALM_TRY(put_entries(result, part, arena, request, st));
    ALM_TRY(put_observations(result, part, arena, request, st));
    ALM_TRY(put_quarantine(common, result, part, arena, request, st));
    *ret = request;
    return ALM_OK;
}
