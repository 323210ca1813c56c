#include "import_request.h"

#include "alm/limits.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "no memory for the piece; send a smaller one");
}

static alm_str bytes_view(ProtobufCBinaryData bytes)
{
    return (alm_str){.data = (const char *)bytes.data, .len = bytes.len};
}

static alm_code read_kind(Almanac__V1__ImportKind kind, piece_kind *ret, alm_status *st)
{
    switch (kind) {
    case ALMANAC__V1__IMPORT_KIND__IMPORT_KIND_OBSERVATIONS:
        *ret = PIECE_OBSERVATIONS;
        return ALM_OK;
    case ALMANAC__V1__IMPORT_KIND__IMPORT_KIND_TARGETS:
        *ret = PIECE_TARGETS;
        return ALM_OK;
    case ALMANAC__V1__IMPORT_KIND__IMPORT_KIND_INDICATORS:
        *ret = PIECE_INDICATORS;
        return ALM_OK;
    case ALMANAC__V1__IMPORT_KIND__IMPORT_KIND_PLACES:
        *ret = PIECE_PLACES;
        return ALM_OK;
    case ALMANAC__V1__IMPORT_KIND__IMPORT_KIND_SOURCES:
        *ret = PIECE_SOURCES;
        return ALM_OK;
    default:
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "kind", "unknown import kind %d",
                                    (int)kind);
    }
}

static alm_code check_text(const char *text, const char *field, size_t bytes_max, alm_status *st)
{
    alm_str view = alm_str_from(text);
    if (view.len > bytes_max || alm_utf8_valid_len(view) != view.len) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                    "%s has %zu bytes; it is UTF-8 of at most %zu", field, view.len,
                                    bytes_max);
    }
    return ALM_OK;
}

static alm_code check_texts(const Almanac__V1__ImportRequest *request, alm_status *st)
{
    ALM_TRY(check_text(request->file_name, "file_name", ALM_NAME_BYTES_MAX, st));
    ALM_TRY(check_text(request->place, "place", ALM_NAME_BYTES_MAX, st));
    ALM_TRY(check_text(request->period, "period", ALM_NAME_BYTES_MAX, st));
    ALM_TRY(check_text(request->published, "published", ALM_NAME_BYTES_MAX, st));
    return check_text(request->source, "source", ALM_NAME_BYTES_MAX, st);
}

static alm_code read_defaults(const Almanac__V1__ImportRequest *request, piece *ret, alm_status *st)
{
    ret->defaults = (obs_defaults){.place = alm_str_from(request->place),
                                   .period = alm_str_from(request->period),
                                   .published = alm_str_from(request->published),
                                   .source = alm_str_from(request->source)};
    bool is_catalog = ret->kind != PIECE_OBSERVATIONS && ret->kind != PIECE_TARGETS;
    if (is_catalog && ret->defaults.place.len + ret->defaults.period.len +
                              ret->defaults.published.len + ret->defaults.source.len >
                          0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "kind",
                                    "place, period, published and source are for observations; a "
                                    "catalogue file takes none");
    }
    return ALM_OK;
}

// Row numbers travel in 32 bits.
static alm_code check_rows(const piece *p, alm_status *st)
{
    uint64_t room = UINT32_MAX - p->records.len; // a record has at least one byte
    if (p->records.len > 0 && (p->first_row < 2 || p->first_row > room)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "first_row",
                                    "first_row %llu is outside 2..%llu (the header is row 1)",
                                    (unsigned long long)p->first_row, (unsigned long long)room);
    }
    for (size_t i = 0; i < p->oversize_count; i++) {
        if (p->oversize[i].row < 2 || p->oversize[i].row > UINT32_MAX) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "oversize",
                                        "oversize row %llu is no row of the file",
                                        (unsigned long long)p->oversize[i].row);
        }
    }
    return ALM_OK;
}

static alm_code read_oversize(const Almanac__V1__ImportRequest *request, alm_arena *arena,
                              piece *ret, alm_status *st)
{
    oversize_record *records = alm_arena_calloc(arena, request->n_oversize, sizeof *records);
    if (records == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < request->n_oversize; i++) {
        records[i] = (oversize_record){.row = request->oversize[i]->row,
                                       .bytes = request->oversize[i]->bytes};
    }
    ret->oversize = records;
    ret->oversize_count = request->n_oversize;
    return ALM_OK;
}

alm_code import_request_read(const Almanac__V1__ImportRequest *request, alm_arena *arena,
                             piece *ret, alm_status *st)
{
    *ret = (piece){.header = bytes_view(request->header),
                   .records = bytes_view(request->records),
                   .first_row = request->first_row};
    ALM_TRY(read_kind(request->kind, &ret->kind, st));
    ALM_TRY(text_encoding_parse(alm_str_from(request->encoding), &ret->encoding, st));
    ALM_TRY(check_texts(request, st));
    ALM_TRY(read_defaults(request, ret, st));
    ALM_TRY(read_oversize(request, arena, ret, st));
    return check_rows(ret, st);
}

// --- response -----------------------------------------------------------------------------------

static Almanac__V1__Defect *defect_out(const defect *from, alm_arena *arena)
{
    Almanac__V1__Defect *to = alm_arena_alloc(arena, sizeof *to);
    char *field = alm_arena_strdup(arena, from->field);
    char *value = alm_arena_strdup(arena, from->value);
    char *reason = alm_arena_strdup(arena, from->reason);
    if (to == NULL || field == NULL || value == NULL || reason == NULL) {
        return NULL;
    }
    almanac__v1__defect__init(to);
    to->row = from->row;
    to->column = from->column;
    to->field = field;
    to->value = value;
    to->reason = reason;
    to->warning = from->warning;
    return to;
}

alm_code import_response_fill(const piece_result *result, alm_arena *arena,
                              Almanac__V1__ImportResponse *response, alm_status *st)
{
    const report *rep = &result->report;
    response->encoding =
        alm_arena_strdup(arena, alm_str_from(text_encoding_name(result->encoding)));
    response->rows = result->rows;
    response->quarantined = rep->set_aside_count;
    response->defects_not_listed = rep->defects_not_listed;
    response->defects = alm_arena_calloc(arena, rep->defect_count, sizeof *response->defects);
    if (response->encoding == NULL || response->defects == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < rep->defect_count; i++) {
        Almanac__V1__Defect *d = defect_out(&rep->defects[i], arena);
        if (d == NULL) {
            return no_memory(st);
        }
        response->defects[response->n_defects++] = d;
    }
    return ALM_OK;
}
