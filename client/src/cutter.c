#include "cutter.h"

#include "alm/alloc.h"
#include "alm/limits.h"

struct alm_cutter {
    alm_cutter_opts opts;
    alm_read_fn read;
    void *self;
    bool at_end; // read has nothing more
    uint8_t *data;
    size_t len;      // bytes in data
    size_t at;       // the first byte that is in no piece yet
    uint64_t offset; // of data[at] in the stream
    uint64_t row;    // of the record at `at`
    uint8_t *header;
};

alm_cutter *alm_cutter_create(const alm_cutter_opts *opts, alm_read_fn read, void *self)
{
    alm_cutter *cutter = alm_calloc(1, sizeof *cutter);
    if (cutter == NULL) {
        return NULL;
    }
    static const alm_cutter_opts usual = {0};
    cutter->opts = opts != NULL ? *opts : usual;
    if (cutter->opts.piece_bytes_max == 0) {
        cutter->opts.piece_bytes_max = ALM_IMPORT_CHUNK_BYTES;
    }
    if (cutter->opts.record_bytes_max == 0) {
        cutter->opts.record_bytes_max = ALM_IMPORT_RECORD_BYTES_MAX;
    }
    if (cutter->opts.piece_rows_max == 0) {
        cutter->opts.piece_rows_max = ALM_COMMIT_ROW_COUNT_MAX;
    }
    ALM_ASSERT(cutter->opts.record_bytes_max + 8 <= cutter->opts.piece_bytes_max);
    cutter->read = read;
    cutter->self = self;
    cutter->row = 1;
    cutter->data = alm_alloc(cutter->opts.piece_bytes_max);
    if (cutter->data == NULL) {
        alm_cutter_destroy(&cutter);
    }
    return cutter;
}

void alm_cutter_destroy(alm_cutter **cutter)
{
    if (*cutter == NULL) {
        return;
    }
    alm_free((*cutter)->header);
    alm_free((*cutter)->data);
    alm_free(*cutter);
    *cutter = NULL;
}

uint64_t alm_cutter_offset(const alm_cutter *cutter)
{
    return cutter->offset;
}

// --- one record ----------------------------------------------------------------------------------

typedef enum record_shape {
    RECORD_WHOLE,    // by the rules, or broken: then it is its first line
    RECORD_OPEN,     // goes on after the bytes at hand
    RECORD_BROKEN,   // by the rules of quotes; walk_record only
    RECORD_RUNAWAY,  // its quote is not closed within a record's length: it is its first line
    RECORD_OVERSIZE, // its first line alone is too long
} record_shape;

static size_t find_byte(alm_bytes data, size_t from, uint8_t byte)
{
    const uint8_t *found = from < data.len ? memchr(data.data + from, byte, data.len - from) : NULL;
    return found != NULL ? (size_t)(found - data.data) : data.len;
}

// Walks one field from *at to the byte after it. is_last: no more bytes will come.
static record_shape walk_quoted(alm_bytes data, size_t *at, bool is_last)
{
    size_t close = find_byte(data, *at + 1, '"');
    while (close + 1 < data.len && data.data[close + 1] == '"') {
        close = find_byte(data, close + 2, '"');
    }
    // A quote that is the last byte at hand may be the first of two.
    if (close >= data.len) {
        return is_last ? RECORD_BROKEN : RECORD_OPEN;
    }
    if (close + 1 == data.len && !is_last) {
        return RECORD_OPEN;
    }
    *at = close + 1;
    return RECORD_WHOLE;
}

static record_shape walk_bare(alm_bytes data, size_t *at)
{
    for (; *at < data.len && data.data[*at] != ',' && data.data[*at] != '\n'; *at += 1) {
        if (data.data[*at] == '"') {
            return RECORD_BROKEN;
        }
    }
    return RECORD_WHOLE;
}

// After a quoted field: at a comma, at a line end, or at something that should not be there.
static record_shape walk_gap(alm_bytes data, size_t *at, bool is_last)
{
    if (*at < data.len && data.data[*at] == '\r') {
        *at += 1;
        if (*at < data.len && data.data[*at] != '\n') {
            return RECORD_BROKEN;
        }
    }
    if (*at == data.len) {
        return is_last ? RECORD_WHOLE : RECORD_OPEN;
    }
    return data.data[*at] == ',' || data.data[*at] == '\n' ? RECORD_WHOLE : RECORD_BROKEN;
}

// A record whose first line has a quote. *ret_end: the byte after its last one.
static record_shape walk_record(alm_bytes data, bool is_last, size_t *ret_end)
{
    size_t at = 0;
    for (;;) {
        bool is_quoted = at < data.len && data.data[at] == '"';
        record_shape shape = is_quoted ? walk_quoted(data, &at, is_last) : walk_bare(data, &at);
        if (shape == RECORD_WHOLE && is_quoted) {
            shape = walk_gap(data, &at, is_last);
        }
        if (shape != RECORD_WHOLE) {
            return shape;
        }
        if (at == data.len) {
            *ret_end = at;
            return is_last ? RECORD_WHOLE : RECORD_OPEN;
        }
        at++;
        if (data.data[at - 1] == '\n') {
            *ret_end = at;
            return RECORD_WHOLE;
        }
    }
}

static size_t without_line_end(const uint8_t *data, size_t len)
{
    len -= len > 0 && data[len - 1] == '\n' ? 1 : 0;
    len -= len > 0 && data[len - 1] == '\r' ? 1 : 0;
    return len;
}

// As walk_record, for a record of at most max bytes without its line end.
static record_shape walk_bounded(alm_bytes data, bool is_last, size_t max, size_t *ret_end)
{
    alm_bytes window = {data.data, ALM_MIN(data.len, max + 2)};
    bool is_whole = window.len == data.len;
    record_shape shape = walk_record(window, is_last && is_whole, ret_end);
    if (shape == RECORD_WHOLE && without_line_end(data.data, *ret_end) > max) {
        return RECORD_RUNAWAY;
    }
    return shape == RECORD_OPEN && !is_whole ? RECORD_RUNAWAY : shape;
}

// The record at the start of data. *ret_end: the byte after its line end, of a whole or a runaway
// one. Never RECORD_OPEN when there are more than max + 2 bytes.
static record_shape find_record(alm_bytes data, bool is_last, size_t max, size_t *ret_end)
{
    size_t line = find_byte(data, 0, '\n');
    bool line_ends = line < data.len;
    size_t line_end = line_ends ? line + 1 : data.len;
    if (without_line_end(data.data, line_end) > max && (line_ends || is_last || line > max + 2)) {
        return RECORD_OVERSIZE;
    }
    record_shape shape = RECORD_BROKEN; // so far its first line is all there is
    if (find_byte((alm_bytes){data.data, line}, 0, '"') < line) {
        shape = walk_bounded(data, is_last, max, ret_end);
    }
    if (shape == RECORD_WHOLE || shape == RECORD_OPEN) {
        return shape;
    }
    *ret_end = line_end;
    if (!line_ends && !is_last) {
        return RECORD_OPEN;
    }
    return shape == RECORD_RUNAWAY ? RECORD_RUNAWAY : RECORD_WHOLE;
}

// --- the stream ----------------------------------------------------------------------------------

static void drop(alm_cutter *cutter, size_t len)
{
    cutter->at += len;
    cutter->offset += len;
}

static alm_bytes rest(const alm_cutter *cutter)
{
    return (alm_bytes){cutter->data + cutter->at, cutter->len - cutter->at};
}

// Moves what is left to the front and reads until the buffer is full or the stream ends.
static alm_code fill(alm_cutter *cutter, alm_status *st)
{
    memmove(cutter->data, cutter->data + cutter->at, cutter->len - cutter->at);
    cutter->len -= cutter->at;
    cutter->at = 0;
    while (!cutter->at_end && cutter->len < cutter->opts.piece_bytes_max) {
        size_t got = 0;
        ALM_TRY(cutter->read(cutter->self, cutter->data + cutter->len,
                             cutter->opts.piece_bytes_max - cutter->len, &got, st));
        ALM_ASSERT(got <= cutter->opts.piece_bytes_max - cutter->len);
        cutter->len += got;
        cutter->at_end = got == 0;
    }
    return ALM_OK;
}

static void skip_empty_lines(alm_cutter *cutter)
{
    for (;;) {
        alm_bytes data = rest(cutter);
        size_t end = find_byte(data, 0, '\n') + 1;
        bool is_empty = end <= data.len && without_line_end(data.data, end) == 0;
        if (!is_empty) {
            return;
        }
        drop(cutter, end);
        cutter->row++;
    }
}

// A byte order mark would hide that the first field is quoted.
static size_t mark_length(alm_bytes data)
{
    return data.len >= 3 && memcmp(data.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

alm_code alm_cutter_header(alm_cutter *cutter, alm_bytes *ret, alm_status *st)
{
    ALM_ASSERT(cutter->header == NULL);
    // The header is looked for in a full buffer, or in all there is.
    uint64_t row;
    do {
        row = cutter->row;
        ALM_TRY(fill(cutter, st));
        skip_empty_lines(cutter);
    } while (cutter->row != row && !cutter->at_end);

    alm_bytes data = rest(cutter);
    size_t mark = mark_length(data);
    size_t end = 0;
    record_shape shape = find_record((alm_bytes){data.data + mark, data.len - mark}, cutter->at_end,
                                     cutter->opts.record_bytes_max, &end);
    if (shape == RECORD_OVERSIZE) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "row 1",
                                    "the first line is longer than %zu bytes: is this a CSV file?",
                                    cutter->opts.record_bytes_max);
    }
    ALM_ASSERT(shape != RECORD_OPEN);
    size_t len = without_line_end(data.data, mark + end);
    if (len == mark) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "the file is empty: its first line must name the columns");
    }
    cutter->header = alm_alloc(len + 1);
    if (cutter->header == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "header: out of memory");
    }
    memcpy(cutter->header, data.data, len);
    *ret = (alm_bytes){cutter->header, len};
    drop(cutter, mark + end);
    cutter->row++;
    return ALM_OK;
}

// Lets go of a line that is too long, without ever holding it.
static alm_code pass_over(alm_cutter *cutter, alm_piece *ret, alm_status *st)
{
    uint64_t bytes = 0;
    uint8_t last = 0;
    for (;;) {
        alm_bytes data = rest(cutter);
        size_t line = find_byte(data, 0, '\n');
        bytes += line;
        last = line > 0 ? data.data[line - 1] : last;
        if (line < data.len) {
            drop(cutter, line + 1);
            break;
        }
        drop(cutter, data.len);
        if (cutter->at_end) {
            break;
        }
        ALM_TRY(fill(cutter, st));
    }
    bytes -= last == '\r' ? 1 : 0;
    *ret = (alm_piece){.first_row = cutter->row,
                       .is_oversize = true,
                       .oversize = {.row = cutter->row, .bytes = bytes}};
    cutter->row++;
    return ALM_OK;
}

// How many bytes from `at` are whole records to send together, and how many rows they are. A
// runaway record is the last of its piece, so that who reads the piece does not find its closing
// quote in it.
static size_t gather(const alm_cutter *cutter, size_t *ret_rows)
{
    alm_bytes data = rest(cutter);
    size_t taken = 0, rows = 0;
    record_shape shape = RECORD_WHOLE;
    while (taken < data.len && rows < cutter->opts.piece_rows_max && shape == RECORD_WHOLE) {
        size_t end = 0;
        shape = find_record((alm_bytes){data.data + taken, data.len - taken}, cutter->at_end,
                            cutter->opts.record_bytes_max, &end);
        if (shape == RECORD_WHOLE || shape == RECORD_RUNAWAY) {
            taken += end;
            rows++;
        }
    }
    *ret_rows = rows;
    return taken;
}

alm_code alm_cutter_next(alm_cutter *cutter, alm_piece *ret, bool *ret_more, alm_status *st)
{
    ALM_ASSERT(cutter->header != NULL);
    ALM_TRY(fill(cutter, st));
    *ret_more = cutter->at < cutter->len;
    if (!*ret_more) {
        return ALM_OK;
    }
    size_t rows = 0;
    size_t taken = gather(cutter, &rows);
    if (taken == 0) {
        return pass_over(cutter, ret, st);
    }
    *ret = (alm_piece){.records = {cutter->data + cutter->at, taken}, .first_row = cutter->row};
    drop(cutter, taken);
    cutter->row += rows;
    return ALM_OK;
}
