#include "commit_plan.h"

#include "alm/clock.h"
#include "alm/limits.h"

#include <xxhash.h>

// A message may have ALM_RPC_MESSAGE_BYTES_MAX; what is estimated below stays under this.
#define PART_BYTES_MAX     (ALM_RPC_MESSAGE_BYTES_MAX / 4 * 3)
// Every row may come back as a conflict with its reason, and that is one message too.
#define PART_OBS_COUNT_MAX 16000
#define OBS_BYTES          48 // every column at its longest
#define FIELD_BYTES        4  // tag and length of a text
#define RECORD_BYTES_MAX   4096
#define AT_BYTES           ALM_TIMESTAMP_MAX

// --- names --------------------------------------------------------------------------------------

static bool is_plain(alm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((uint8_t)text.data[i] < 0x20 || text.data[i] == 0x7F) {
            return false;
        }
    }
    return alm_utf8_valid_len(text) == text.len;
}

static uint32_t hash_of_rows(const report *rep)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < rep->set_aside_count; i++) {
        hash = XXH3_64bits_withSeed(&rep->set_aside[i].row, sizeof rep->set_aside[i].row, hash);
    }
    return (uint32_t)hash;
}

alm_code commit_piece_id(alm_str batch_id, uint32_t piece_number, const piece_result *result,
                         alm_arena *arena, alm_str *ret, alm_status *st)
{
    if (batch_id.len > COMMIT_BATCH_ID_BYTES_MAX || !is_plain(batch_id)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "batch_id",
                                    "a batch id is at most %d bytes without control characters",
                                    COMMIT_BATCH_ID_BYTES_MAX);
    }
    const report *rep = &result->report;
    char *id = rep->set_aside_count == 0
                   ? alm_arena_printf(arena, "%.*s#%u", ALM_STR_ARGS(batch_id), piece_number)
                   : alm_arena_printf(arena, "%.*s#%u~%08x", ALM_STR_ARGS(batch_id), piece_number,
                                      hash_of_rows(rep));
    if (id == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a batch id");
    }
    *ret = alm_str_from(id);
    return ALM_OK;
}

// A hash of hashes, so that no text runs into the next.
static XXH128_hash_t hash_of_piece(const piece *p)
{
    const alm_str texts[] = {
        p->header,         p->records, p->defaults.place, p->defaults.period, p->defaults.published,
        p->defaults.source};
    uint64_t hashes[2 * ALM_ARRAY_LEN(texts) + 1];
    for (size_t i = 0; i < ALM_ARRAY_LEN(texts); i++) {
        XXH128_hash_t hash = XXH3_128bits(texts[i].data, texts[i].len);
        hashes[2 * i] = hash.low64;
        hashes[2 * i + 1] = hash.high64;
    }
    hashes[2 * ALM_ARRAY_LEN(texts)] = (uint64_t)p->kind;
    return XXH3_128bits(hashes, sizeof hashes);
}

uint64_t commit_digest(const piece *p)
{
    return hash_of_piece(p).low64;
}

bool commit_auto_id(const piece *p, alm_arena *arena, alm_str *ret)
{
    XXH128_hash_t hash = hash_of_piece(p);
    char *id = alm_arena_printf(arena, "auto-%016llx%016llx", (unsigned long long)hash.high64,
                                (unsigned long long)hash.low64);
    *ret = alm_str_from(id);
    return id != NULL;
}

// --- cutting ------------------------------------------------------------------------------------

bool commit_plan_init(commit_plan *plan, const piece_result *result, bool with_rows,
                      size_t aside_from, size_t text_bytes, alm_arena *arena)
{
    const obs_rows *obs = result->observations;
    size_t variant_count = obs != NULL ? obs->variant_count : 0;
    *plan = (commit_plan){.result = result,
                          .arena = arena,
                          .entry_at = with_rows ? 0 : result->catalog.count,
                          .obs_at = with_rows || obs == NULL ? 0 : obs->count,
                          .aside_at = aside_from,
                          .aside_end = result->report.set_aside_count,
                          .aside_bytes_fixed = text_bytes + AT_BYTES + 8 * FIELD_BYTES,
                          .variant_seen =
                              alm_arena_calloc(arena, variant_count, sizeof *plan->variant_seen)};
    return plan->variant_seen != NULL;
}

static size_t list_bytes(const alm_str *texts, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += texts[i].len + FIELD_BYTES;
    }
    return bytes;
}

static size_t entry_bytes(const catalog_entry *e)
{
    // The texts are parts of the record; GB18030 may grow by half.
    size_t bytes = 2 * e->record.len + 24 * FIELD_BYTES;
    if (e->kind == ENTRY_INDICATOR) {
        bytes += list_bytes(e->as.indicator.aliases, e->as.indicator.alias_count);
    }
    if (e->kind == ENTRY_PLACE) {
        bytes += list_bytes(e->as.place.aliases, e->as.place.alias_count) +
                 list_bytes(e->as.place.successors, e->as.place.successor_count);
    }
    return bytes;
}

static size_t obs_bytes(commit_plan *plan, const obs_rows *obs, size_t i)
{
    const alm_obs *row = &obs->rows[i];
    size_t bytes = OBS_BYTES + (row->note.len > 0 ? row->note.len + FIELD_BYTES : 0);
    if (plan->variant_seen[row->variant] != plan->number + 1) {
        plan->variant_seen[row->variant] = plan->number + 1;
        bytes += obs->variants[row->variant].len + FIELD_BYTES;
    }
    return bytes;
}

static size_t aside_bytes(const commit_plan *plan, const set_aside *row)
{
    return plan->aside_bytes_fixed + row->field.len + row->reason.len +
           ALM_MIN(row->record.len, (size_t)RECORD_BYTES_MAX);
}

// The smallest unit always fits: an entry or a row comes from a record of at most
// ALM_IMPORT_RECORD_BYTES_MAX.
_Static_assert(2 * ALM_IMPORT_RECORD_BYTES_MAX < PART_BYTES_MAX, "one record fits a part");

bool commit_plan_next(commit_plan *plan, commit_part *ret)
{
    const piece_result *r = plan->result;
    size_t obs_count = r->observations != NULL ? r->observations->count : 0;
    size_t bytes = 0;
    *ret = (commit_part){.entry_from = plan->entry_at,
                         .obs_from = plan->obs_at,
                         .aside_from = plan->aside_at,
                         .number = plan->number};
    for (; plan->entry_at < r->catalog.count; plan->entry_at++) {
        size_t more = entry_bytes(&r->catalog.entries[plan->entry_at]);
        if (bytes > 0 && bytes + more > PART_BYTES_MAX) {
            goto cut;
        }
        bytes += more;
    }
    for (; plan->obs_at < obs_count; plan->obs_at++) {
        size_t more = obs_bytes(plan, r->observations, plan->obs_at);
        if ((bytes > 0 && bytes + more > PART_BYTES_MAX) ||
            plan->obs_at - ret->obs_from == PART_OBS_COUNT_MAX) {
            goto cut;
        }
        bytes += more;
    }
    for (; plan->aside_at < plan->aside_end; plan->aside_at++) {
        size_t more = aside_bytes(plan, &r->report.set_aside[plan->aside_at]);
        if (bytes > 0 && bytes + more > PART_BYTES_MAX) {
            goto cut;
        }
        bytes += more;
    }
cut:
    ret->entry_to = plan->entry_at;
    ret->obs_to = plan->obs_at;
    ret->aside_to = plan->aside_at;
    plan->number++;
    return bytes > 0;
}
