#include "csv.h"

#include "alm/limits.h"

static size_t find_byte(alm_str data, size_t from, char c)
{
    const char *found = from < data.len ? memchr(data.data + from, c, data.len - from) : NULL;
    return found != NULL ? (size_t)(found - data.data) : data.len;
}

void csv_reader_init(csv_reader *reader, alm_str data, uint64_t first_row, alm_arena *arena)
{
    *reader = (csv_reader){.data = data, .row = first_row, .arena = arena};
    reader->quote_at = find_byte(data, 0, '"');
    reader->nul_at = find_byte(data, 0, '\0');
}

static bool push_field(csv_reader *reader, csv_record *record, alm_str field)
{
    if (record->field_count == ALM_IMPORT_COLUMN_COUNT_MAX) {
        record->verdict = CSV_TOO_MANY_FIELDS;
        return false;
    }
    if (record->field_count == reader->field_cap) {
        void *fields = reader->fields;
        if (!alm_arena_grow(reader->arena, &fields, &reader->field_cap, record->field_count + 1,
                            sizeof *reader->fields)) {
            reader->failed = true;
            return false;
        }
        reader->fields = fields;
    }
    reader->fields[record->field_count++] = field;
    return true;
}

// A line without a quote.
static void split_plain(csv_reader *reader, alm_str line, csv_record *record)
{
    size_t from = 0;
    for (size_t i = 0; i < line.len; i++) {
        if (line.data[i] == ',') {
            if (!push_field(reader, record, alm_str_slice(line, from, i))) {
                return;
            }
            from = i + 1;
        }
    }
    (void)push_field(reader, record, alm_str_slice(line, from, line.len));
}

// text with its doubled quotes made single.
static bool undouble(csv_reader *reader, alm_str text, alm_str *ret)
{
    char *out = alm_arena_alloc(reader->arena, text.len);
    if (out == NULL) {
        reader->failed = true;
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        out[len++] = text.data[i];
        i += text.data[i] == '"' ? 1 : 0;
    }
    *ret = (alm_str){out, len};
    return true;
}

// The field whose opening quote stands at *at. On success *at is the byte after the closing one.
static bool read_quoted(csv_reader *reader, size_t *at, csv_record *record)
{
    alm_str data = reader->data;
    size_t from = *at + 1;
    size_t close = find_byte(data, from, '"');
    bool has_doubled = false;
    while (close + 1 < data.len && data.data[close + 1] == '"') {
        has_doubled = true;
        close = find_byte(data, close + 2, '"');
    }
    if (close >= data.len) {
        record->verdict = CSV_UNCLOSED_QUOTE;
        return false;
    }
    alm_str field = alm_str_slice(data, from, close);
    if (has_doubled && !undouble(reader, field, &field)) {
        return false;
    }
    *at = close + 1;
    return push_field(reader, record, field);
}

static bool ends_line(alm_str data, size_t at)
{
    return at == data.len || data.data[at] == '\n' ||
           (data.data[at] == '\r' && (at + 1 == data.len || data.data[at + 1] == '\n'));
}

static bool read_bare(csv_reader *reader, size_t *at, csv_record *record)
{
    alm_str data = reader->data;
    size_t from = *at;
    while (!ends_line(data, *at) && data.data[*at] != ',') {
        if (data.data[*at] == '"') {
            record->verdict = CSV_STRAY_QUOTE;
            return false;
        }
        *at += 1;
    }
    return push_field(reader, record, alm_str_slice(data, from, *at));
}

// A record that has a quote in its first line. Returns the offset of its line end.
static size_t split_quoted(csv_reader *reader, csv_record *record)
{
    alm_str data = reader->data;
    size_t at = reader->at;
    for (;;) {
        bool is_quoted = at < data.len && data.data[at] == '"';
        if (!(is_quoted ? read_quoted(reader, &at, record) : read_bare(reader, &at, record))) {
            return at;
        }
        if (ends_line(data, at)) {
            return at;
        }
        if (data.data[at] != ',') {
            record->verdict = CSV_TEXT_AFTER_QUOTE;
            return at;
        }
        at++;
    }
}

static alm_str without_cr(alm_str line)
{
    bool has_cr = line.len > 0 && line.data[line.len - 1] == '\r';
    return alm_str_slice(line, 0, line.len - (has_cr ? 1 : 0));
}

static void reject(csv_record *record, csv_verdict verdict, size_t column)
{
    record->verdict = verdict;
    record->column = column;
    record->field_count = 0;
}

// The field that broke the record. The one before the text after a quote was taken already.
static size_t broken_column(const csv_record *record)
{
    return record->verdict == CSV_TOO_MANY_FIELDS    ? 0
           : record->verdict == CSV_TEXT_AFTER_QUOTE ? record->field_count
                                                     : record->field_count + 1;
}

// Reads the record at reader->at, whose first line ends at line_end. Returns where the record ends.
static size_t read_record(csv_reader *reader, size_t line_end, csv_record *record)
{
    size_t end = line_end;
    if (reader->quote_at >= line_end) {
        split_plain(reader, record->raw, record);
    } else {
        size_t stopped_at = split_quoted(reader, record);
        end = record->verdict == CSV_OK ? find_byte(reader->data, stopped_at, '\n') : line_end;
        record->raw = without_cr(alm_str_slice(reader->data, reader->at, end));
    }
    if (record->verdict != CSV_OK) {
        reject(record, record->verdict, broken_column(record));
    }
    if (reader->nul_at < end) {
        reject(record, CSV_NUL, 0);
    }
    if (record->raw.len > ALM_IMPORT_RECORD_BYTES_MAX) {
        reject(record, CSV_TOO_LONG, 0);
    }
    return end;
}

// Past the record that ends at `end`, and past its line end.
static void advance(csv_reader *reader, size_t end)
{
    reader->at = end + 1;
    reader->row++;
    if (reader->quote_at < reader->at) {
        reader->quote_at = find_byte(reader->data, reader->at, '"');
    }
    if (reader->nul_at < reader->at) {
        reader->nul_at = find_byte(reader->data, reader->at, '\0');
    }
}

bool csv_next(csv_reader *reader, csv_record *ret)
{
    while (reader->at < reader->data.len && !reader->failed) {
        size_t line_end = find_byte(reader->data, reader->at, '\n');
        alm_str line = without_cr(alm_str_slice(reader->data, reader->at, line_end));
        if (line.len == 0) {
            advance(reader, line_end);
            continue;
        }
        *ret = (csv_record){.row = reader->row, .raw = line};
        size_t end = read_record(reader, line_end, ret);
        ret->fields = reader->fields;
        advance(reader, end);
        return !reader->failed;
    }
    return false;
}

const char *csv_verdict_text(csv_verdict verdict)
{
    switch (verdict) {
    case CSV_OK:
        return "";
    case CSV_STRAY_QUOTE:
        return "a quote inside the field; put the whole field in quotes and double the quote";
    case CSV_TEXT_AFTER_QUOTE:
        return "text after the closing quote; a quote inside a quoted field is written twice";
    case CSV_UNCLOSED_QUOTE:
        return "a quote is not closed";
    case CSV_NUL:
        return "the record holds a NUL byte";
    case CSV_TOO_LONG:
        return "the record is longer than 1048576 bytes";
    case CSV_TOO_MANY_FIELDS:
        return "the record has more than 1024 fields";
    }
    return "";
}
