// Any bytes as CSV: records are in order and inside the text, broken ones have no fields, every
// byte that is no line end is in a record, and reading on from any record gives what follows it.
#include "csv.h"

#include "alm/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const csv_record *r, alm_str text)
{
    ALM_ASSERT(r->raw.len > 0);
    ALM_ASSERT(r->raw.data >= text.data);
    ALM_ASSERT(r->raw.data + r->raw.len <= text.data + text.len);
    ALM_ASSERT((r->verdict == CSV_OK) == (r->field_count > 0));
    ALM_ASSERT((r->verdict == CSV_OK) == (csv_verdict_text(r->verdict)[0] == '\0'));
    ALM_ASSERT(r->column <= ALM_IMPORT_COLUMN_COUNT_MAX);
    size_t bytes = 0;
    for (size_t i = 0; i < r->field_count; i++) {
        ALM_ASSERT(memchr(r->fields[i].data, '\0', r->fields[i].len) == NULL);
        bytes += r->fields[i].len + 1;
    }
    ALM_ASSERT(bytes <= r->raw.len + 1);
}

static size_t count_text(alm_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += text.data[i] != '\n' && text.data[i] != '\r' ? 1 : 0;
    }
    return count;
}

static size_t read_from(alm_str text, uint64_t row, alm_arena *arena, uint64_t *ret_last_row)
{
    csv_reader reader;
    csv_record record;
    size_t count = 0, text_bytes = 0;
    csv_reader_init(&reader, text, row, arena);
    *ret_last_row = row;
    while (csv_next(&reader, &record)) {
        check_record(&record, text);
        ALM_ASSERT(count == 0 || record.row > *ret_last_row);
        *ret_last_row = record.row;
        text_bytes += count_text(record.raw);
        count++;
    }
    ALM_ASSERT(reader.failed || text_bytes == count_text(text));
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_str text = {(const char *)data, size};
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL);
    uint64_t last_row, same_row;
    size_t count = read_from(text, 2, arena, &last_row);
    csv_reader reader;
    csv_record record;
    csv_reader_init(&reader, text, 2, arena);
    if (csv_next(&reader, &record)) {
        alm_str rest = alm_str_slice(text, ALM_MIN(reader.at, text.len), text.len);
        ALM_ASSERT(read_from(rest, reader.row, arena, &same_row) == count - 1);
        ALM_ASSERT(count == 1 || same_row == last_row);
    }
    alm_arena_destroy(&arena);
    return 0;
}
