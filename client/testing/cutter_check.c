#include "cutter_check.h"

#include "cutter.h"

// --- the slow reader -----------------------------------------------------------------------------

typedef enum state { FIELD_START, BARE, QUOTED, QUOTE_SEEN, CR_SEEN, RECORD_END, BROKEN } state;

static state next_state(state now, uint8_t byte)
{
    switch (now) {
    case FIELD_START:
        return byte == '"' ? QUOTED : byte == ',' ? FIELD_START : byte == '\n' ? RECORD_END : BARE;
    case BARE:
        return byte == '"' ? BROKEN : byte == ',' ? FIELD_START : byte == '\n' ? RECORD_END : BARE;
    case QUOTED:
        return byte == '"' ? QUOTE_SEEN : QUOTED;
    case QUOTE_SEEN:
        return byte == '"'    ? QUOTED
               : byte == ','  ? FIELD_START
               : byte == '\r' ? CR_SEEN
               : byte == '\n' ? RECORD_END
                              : BROKEN;
    case CR_SEEN:
        return byte == '\n' ? RECORD_END : BROKEN;
    case RECORD_END:
    case BROKEN:
        break;
    }
    return now;
}

static size_t first_line(alm_bytes data)
{
    size_t at = 0;
    while (at < data.len && data.data[at] != '\n') {
        at++;
    }
    return at < data.len ? at + 1 : at;
}

static size_t record_size(alm_bytes data)
{
    state now = FIELD_START;
    size_t at = 0;
    while (at < data.len && now != RECORD_END && now != BROKEN) {
        now = next_state(now, data.data[at++]);
    }
    bool is_broken = now == BROKEN || now == QUOTED;
    return is_broken ? first_line(data) : at;
}

static size_t bare_size(alm_bytes record)
{
    size_t len = record.len;
    len -= len > 0 && record.data[len - 1] == '\n' ? 1 : 0;
    len -= len > 0 && record.data[len - 1] == '\r' ? 1 : 0;
    return len;
}

size_t cutter_check_rows(alm_bytes piece, size_t *ret_longest)
{
    size_t rows = 0;
    *ret_longest = 0;
    for (size_t at = 0; at < piece.len; rows++) {
        alm_bytes rest = {piece.data + at, piece.len - at};
        size_t size = record_size(rest);
        size_t bare = bare_size((alm_bytes){rest.data, size});
        *ret_longest = bare > *ret_longest ? bare : *ret_longest;
        at += size;
    }
    return rows;
}

// --- the check -----------------------------------------------------------------------------------

typedef struct source {
    alm_bytes data;
    size_t at, step;
} source;

static alm_code read_some(void *self, uint8_t *out, size_t size, size_t *ret_got, alm_status *st)
{
    (void)st;
    source *from = self;
    size_t left = from->data.len - from->at;
    *ret_got = ALM_MIN(ALM_MIN(size, from->step), left);
    if (*ret_got > 0) {
        memcpy(out, from->data.data + from->at, *ret_got);
    }
    from->at += *ret_got;
    return ALM_OK;
}

static const char *check_piece(const alm_piece *piece, alm_bytes whole, size_t from, size_t to)
{
    if (piece->is_oversize) {
        size_t bare = bare_size((alm_bytes){whole.data + from, to - from});
        return piece->oversize.bytes != bare             ? "oversize: wrong size"
               : bare <= CUTTER_CHECK_RECORD_MAX         ? "oversize: it was short enough"
               : piece->oversize.row != piece->first_row ? "oversize: wrong row"
                                                         : NULL;
    }
    bool is_same = piece->records.len == to - from &&
                   memcmp(piece->records.data, whole.data + from, to - from) == 0;
    size_t longest = 0;
    (void)cutter_check_rows(piece->records, &longest);
    return !is_same                                      ? "piece: other bytes than the data"
           : piece->records.len == 0                     ? "piece: empty"
           : piece->records.len > CUTTER_CHECK_PIECE_MAX ? "piece: too long"
           : longest > CUTTER_CHECK_RECORD_MAX           ? "piece: holds a record that is too long"
                                                         : NULL;
}

static size_t rows_of(const alm_piece *piece)
{
    size_t longest;
    return piece->is_oversize ? 1 : cutter_check_rows(piece->records, &longest);
}

static const char *check_pieces(alm_cutter *cutter, alm_bytes data)
{
    uint64_t row = 0; // expected of the next piece; 0: any
    for (;;) {
        alm_piece piece = {0};
        bool more = false;
        size_t from = (size_t)alm_cutter_offset(cutter);
        if (alm_cutter_next(cutter, &piece, &more, NULL) != ALM_OK) {
            return "next: failed";
        }
        size_t to = (size_t)alm_cutter_offset(cutter);
        if (!more) {
            return from == data.len ? NULL : "next: ended early";
        }
        const char *wrong = check_piece(&piece, data, from, to);
        if (wrong != NULL) {
            return wrong;
        }
        if (row != 0 && piece.first_row != row) {
            return "piece: rows do not follow on";
        }
        row = piece.first_row + rows_of(&piece);
    }
}

const char *cutter_check(alm_bytes data, size_t step)
{
    source from = {.data = data, .step = step};
    alm_cutter_opts opts = {.piece_bytes_max = CUTTER_CHECK_PIECE_MAX,
                            .record_bytes_max = CUTTER_CHECK_RECORD_MAX};
    alm_cutter *cutter = alm_cutter_create(&opts, read_some, &from);
    if (cutter == NULL) {
        return "out of memory";
    }
    alm_bytes header;
    const char *wrong = NULL;
    if (alm_cutter_header(cutter, &header, NULL) == ALM_OK) {
        size_t used = (size_t)alm_cutter_offset(cutter);
        bool is_there = header.len > 0 && used <= data.len && header.len <= used;
        wrong = is_there ? check_pieces(cutter, data) : "header: not of the data";
    }
    alm_cutter_destroy(&cutter);
    return wrong;
}
