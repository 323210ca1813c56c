#include "record.h"

#define RECORD_VERSION 1

static void put_text(alm_buf *out, alm_str text)
{
    alm_buf_varint(out, text.len);
    alm_buf_str(out, text);
}

static alm_str get_text(alm_reader *r)
{
    return alm_read_bytes(r, alm_read_varint(r));
}

static bool open_record(alm_reader *r, alm_str bytes)
{
    *r = alm_reader_of(bytes.data, bytes.len);
    return alm_read_u8(r) == RECORD_VERSION;
}

static bool is_whole(const alm_reader *r)
{
    return !r->failed && alm_reader_left(r) == 0;
}

static alm_code damaged(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "%s is damaged", what);
}

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a record");
}

// --- head ----------------------------------------------------------------------------------------

static size_t head_fields(alm_head *head, uint64_t **fields)
{
    uint64_t *all[] = {
        &head->sequence, &head->catalog_sequence, &head->precedence_epoch, &head->observations,
        &head->cells,    &head->indicators,       &head->places,           &head->sources,
        &head->variants, &head->quarantined,      &head->feed_trimmed,     &head->feed_bytes,
        &head->last_day};
    memcpy(fields, all, sizeof all);
    return ALM_ARRAY_LEN(all);
}

void alm_head_encode(const alm_head *head, alm_buf *out)
{
    alm_head copy = *head;
    uint64_t *fields[16];
    size_t count = head_fields(&copy, fields);
    alm_buf_u8(out, RECORD_VERSION);
    for (size_t i = 0; i < count; i++) {
        alm_buf_varint(out, *fields[i]);
    }
}

alm_code alm_head_decode(alm_str bytes, alm_head *ret, alm_status *st)
{
    alm_reader r;
    uint64_t *fields[16];
    size_t count = head_fields(ret, fields);
    bool is_known = open_record(&r, bytes);
    for (size_t i = 0; i < count; i++) {
        bool is_older = fields[i] == &ret->last_day && alm_reader_left(&r) == 0;
        *fields[i] = is_older ? ALM_DAY_UNKNOWN : alm_read_varint(&r);
    }
    return is_known && is_whole(&r) ? ALM_OK : damaged(st, "the store's head");
}

// --- log -----------------------------------------------------------------------------------------

void alm_log_record_encode(const alm_log_record *record, alm_buf *out)
{
    alm_buf_u8(out, RECORD_VERSION);
    alm_buf_svarint(out, record->at_us);
    put_text(out, record->batch_id);
    alm_buf_varint(out, record->added);
    alm_buf_varint(out, record->revised);
    alm_buf_u8(out, record->catalog_changed ? 1 : 0);
    alm_buf_u64(out, record->fingerprint);
    alm_buf_u8(out, record->has_rows ? 1 : 0);
    alm_buf_varint(out, record->variant_count);
    for (size_t i = 0; i < record->variant_count; i++) {
        alm_buf_varint(out, record->variants[i]);
    }
}

static alm_code get_variants(alm_reader *r, alm_arena *arena, alm_log_record *record,
                             alm_status *st)
{
    uint64_t count = alm_read_varint(r);
    if (r->failed || count > alm_reader_left(r)) {
        return damaged(st, "a commit of the log");
    }
    uint32_t *variants = alm_arena_alloc(arena, count * sizeof *variants);
    if (variants == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = alm_read_varint(r);
        if (id > UINT32_MAX) {
            return damaged(st, "a commit of the log");
        }
        variants[i] = (uint32_t)id;
    }
    record->variants = variants;
    record->variant_count = count;
    return ALM_OK;
}

alm_code alm_log_record_decode(alm_str bytes, alm_arena *arena, alm_log_record *ret, alm_status *st)
{
    alm_reader r;
    *ret = (alm_log_record){0};
    bool is_known = open_record(&r, bytes);
    ret->at_us = alm_read_svarint(&r);
    ret->batch_id = get_text(&r);
    ret->added = alm_read_varint(&r);
    ret->revised = alm_read_varint(&r);
    uint8_t changed = alm_read_u8(&r);
    ret->fingerprint = alm_read_u64(&r);
    uint8_t has_rows = alm_read_u8(&r);
    ret->catalog_changed = changed == 1;
    ret->has_rows = has_rows == 1;
    if (!is_known || r.failed || changed > 1 || has_rows > 1) {
        return damaged(st, "a commit of the log");
    }
    ALM_TRY(get_variants(&r, arena, ret, st));
    ret->blocks = alm_read_bytes(&r, alm_reader_left(&r));
    bool is_right = ret->has_rows ? ret->blocks.len > 0 : ret->blocks.len == 0;
    return r.failed || !is_right ? damaged(st, "a commit of the log") : ALM_OK;
}

void alm_log_put_block(alm_str block, alm_buf *out)
{
    alm_buf_varint(out, block.len);
    alm_buf_str(out, block);
}

alm_code alm_log_next_block(alm_str *blocks, bool *ret_found, alm_str *ret, alm_status *st)
{
    alm_reader r = alm_reader_of(blocks->data, blocks->len);
    *ret_found = blocks->len > 0;
    if (!*ret_found) {
        return ALM_OK;
    }
    *ret = alm_read_bytes(&r, alm_read_varint(&r));
    if (r.failed) {
        return damaged(st, "a commit of the log");
    }
    *blocks = alm_str_slice(*blocks, r.at, blocks->len);
    return ALM_OK;
}

// --- part ----------------------------------------------------------------------------------------

void alm_part_encode(const alm_part *part, alm_buf *out)
{
    uint64_t before = 0;
    alm_buf_u8(out, RECORD_VERSION);
    alm_buf_varint(out, part->count);
    for (size_t i = 0; i < part->count; i++) {
        alm_buf_varint(out, part->changes[i].period - before);
        alm_buf_varint(out, part->changes[i].sequence);
        alm_buf_varint(out, part->changes[i].sequence - part->changes[i].first);
        before = part->changes[i].period;
    }
}

alm_code alm_part_decode(alm_str bytes, alm_arena *arena, alm_part *ret, alm_status *st)
{
    alm_reader r;
    uint64_t period = 0;
    *ret = (alm_part){0};
    bool is_known = open_record(&r, bytes);
    uint64_t count = alm_read_varint(&r);
    if (!is_known || r.failed || count > alm_reader_left(&r)) {
        return damaged(st, "a part");
    }
    alm_part_change *changes = alm_arena_alloc(arena, count * sizeof *changes);
    if (changes == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = alm_read_varint(&r);
        period += step;
        uint64_t sequence = alm_read_varint(&r);
        uint64_t since = alm_read_varint(&r);
        changes[i] =
            (alm_part_change){.period = period, .first = sequence - since, .sequence = sequence};
        if (step == 0 || period < step || since > sequence) {
            return damaged(st, "a part");
        }
    }
    ret->changes = changes;
    ret->count = count;
    return is_whole(&r) ? ALM_OK : damaged(st, "a part");
}

// --- batch ---------------------------------------------------------------------------------------

void alm_batch_record_encode(const alm_batch_record *record, alm_buf *out)
{
    const alm_commit_result *result = &record->result;
    alm_buf_u8(out, RECORD_VERSION);
    alm_buf_u64(out, record->digest);
    alm_buf_varint(out, result->sequence);
    alm_buf_varint(out, result->added);
    alm_buf_varint(out, result->revised);
    alm_buf_varint(out, result->unchanged);
    alm_buf_varint(out, result->catalog_added);
    alm_buf_varint(out, result->catalog_changed);
    alm_buf_varint(out, result->catalog_unchanged);
    alm_buf_varint(out, result->conflict_count);
    for (size_t i = 0; i < result->conflict_count; i++) {
        alm_buf_varint(out, result->conflicts[i].row);
        put_text(out, result->conflicts[i].reason);
    }
    if (result->withdrew_nothing_count > 0) { // records without it end before
        alm_buf_varint(out, result->withdrew_nothing_count);
    }
    for (size_t i = 0; i < result->withdrew_nothing_count; i++) {
        alm_buf_varint(out, result->withdrew_nothing[i]);
    }
}

static alm_code get_withdrew_nothing(alm_reader *r, alm_arena *arena, alm_commit_result *result,
                                     alm_status *st)
{
    if (r->failed || alm_reader_left(r) == 0) {
        return ALM_OK;
    }
    uint64_t count = alm_read_varint(r);
    if (r->failed || count == 0 || count > alm_reader_left(r)) {
        return damaged(st, "the answer to a batch");
    }
    size_t *rows = alm_arena_alloc(arena, count * sizeof *rows);
    if (rows == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        rows[i] = alm_read_varint(r);
    }
    result->withdrew_nothing = rows;
    result->withdrew_nothing_count = count;
    return ALM_OK;
}

static alm_code get_conflicts(alm_reader *r, alm_arena *arena, alm_commit_result *result,
                              alm_status *st)
{
    uint64_t count = alm_read_varint(r);
    if (r->failed || count > alm_reader_left(r)) {
        return damaged(st, "the answer to a batch");
    }
    alm_conflict *conflicts = alm_arena_alloc(arena, count * sizeof *conflicts);
    if (conflicts == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = alm_read_varint(r);
        alm_str reason = get_text(r);
        char *copy = alm_arena_strdup(arena, reason);
        if (copy == NULL) {
            return no_memory(st);
        }
        conflicts[i] = (alm_conflict){.row = row, .reason = {.data = copy, .len = reason.len}};
    }
    result->conflicts = conflicts;
    result->conflict_count = count;
    return ALM_OK;
}

alm_code alm_batch_record_decode(alm_str bytes, alm_arena *arena, alm_batch_record *ret,
                                 alm_status *st)
{
    alm_reader r;
    *ret = (alm_batch_record){0};
    bool is_known = open_record(&r, bytes);
    ret->digest = alm_read_u64(&r);
    ret->result.sequence = alm_read_varint(&r);
    ret->result.added = alm_read_varint(&r);
    ret->result.revised = alm_read_varint(&r);
    ret->result.unchanged = alm_read_varint(&r);
    ret->result.catalog_added = alm_read_varint(&r);
    ret->result.catalog_changed = alm_read_varint(&r);
    ret->result.catalog_unchanged = alm_read_varint(&r);
    if (!is_known) {
        return damaged(st, "the answer to a batch");
    }
    ALM_TRY(get_conflicts(&r, arena, &ret->result, st));
    ALM_TRY(get_withdrew_nothing(&r, arena, &ret->result, st));
    return is_whole(&r) ? ALM_OK : damaged(st, "the answer to a batch");
}

// --- quarantine ----------------------------------------------------------------------------------

void alm_quarantined_encode(const alm_quarantined *record, alm_buf *out)
{
    alm_str bytes = record->record;
    bytes.len = ALM_MIN(bytes.len, (size_t)ALM_QUARANTINE_RECORD_BYTES);
    alm_buf_u8(out, RECORD_VERSION);
    put_text(out, record->batch_id);
    put_text(out, record->file_name);
    alm_buf_varint(out, record->row);
    alm_buf_u32(out, record->column);
    put_text(out, record->field);
    put_text(out, record->reason);
    put_text(out, bytes);
    alm_buf_svarint(out, record->at_us);
}

alm_code alm_quarantined_decode(alm_str bytes, alm_quarantined *ret, alm_status *st)
{
    alm_reader r;
    *ret = (alm_quarantined){0};
    bool is_known = open_record(&r, bytes);
    ret->batch_id = get_text(&r);
    ret->file_name = get_text(&r);
    ret->row = alm_read_varint(&r);
    ret->column = alm_read_u32(&r);
    ret->field = get_text(&r);
    ret->reason = get_text(&r);
    ret->record = get_text(&r);
    ret->at_us = alm_read_svarint(&r);
    return is_known && is_whole(&r) ? ALM_OK : damaged(st, "a quarantined row");
}
