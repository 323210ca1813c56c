#include "piece.h"

#include "alm/limits.h"

// What a check carries from step to step.
typedef struct piece_run {
    const piece *piece;
    const alm_catalog *catalog;
    alm_arena *arena;
    text_decoder decoder;
    header header;
    obs_cells cells;
    obs_reader *observations; // one of the two
    catalog_reader *entries;
    piece_result *result;
} piece_run;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "no memory for the piece; send a smaller one");
}

static bool is_observations(piece_kind kind)
{
    return kind == PIECE_OBSERVATIONS || kind == PIECE_TARGETS;
}

static entry_kind entry_kind_of(piece_kind kind)
{
    return kind == PIECE_INDICATORS ? ENTRY_INDICATOR
           : kind == PIECE_PLACES   ? ENTRY_PLACE
                                    : ENTRY_SOURCE;
}

// --- header -------------------------------------------------------------------------------------

static alm_code decode_header(piece_run *c, const csv_record *record, const alm_str **ret,
                              alm_status *st)
{
    alm_str *names = alm_arena_calloc(c->arena, record->field_count, sizeof *names);
    if (names == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < record->field_count; i++) {
        alm_status why = ALM_STATUS_INIT;
        alm_code code = text_decode(&c->decoder, record->fields[i], &names[i], &why);
        if (code == ALM_INVALID_ARGUMENT) {
            return alm_status_set_field(st, code, "header", "the name of column %zu: %s", i + 1,
                                        why.message);
        }
        if (code != ALM_OK) {
            return alm_status_copy(st, &why);
        }
    }
    *ret = names;
    return ALM_OK;
}

static uint32_t given_fields(const obs_defaults *defaults)
{
    return (defaults->place.len > 0 ? 1u << OBS_PLACE : 0) |
           (defaults->period.len > 0 ? 1u << OBS_PERIOD : 0) |
           (defaults->published.len > 0 ? 1u << OBS_PUBLISHED : 0) |
           (defaults->source.len > 0 ? 1u << OBS_SOURCE : 0);
}

// Without any of these no row could have a publication date.
static alm_code check_published(const header *h, uint32_t given, alm_status *st)
{
    bool is_there = h->column_of[OBS_PUBLISHED] >= 0 || h->column_of[OBS_SOURCE] >= 0 ||
                    (given & (1u << OBS_PUBLISHED | 1u << OBS_SOURCE)) != 0;
    if (is_there) {
        return ALM_OK;
    }
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "header",
                                "column 'published' is missing; give it or --published, or a "
                                "source that has a publication date");
}

static alm_code read_header(piece_run *c, alm_str text, alm_status *st)
{
    csv_reader reader;
    csv_record record;
    csv_reader_init(&reader, text, 1, c->arena);
    if (!csv_next(&reader, &record)) {
        return reader.failed ? no_memory(st)
                             : alm_status_set_field(st, ALM_INVALID_ARGUMENT, "header",
                                                    "the file has no header");
    }
    if (record.verdict != CSV_OK) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "header", "header, column %zu: %s",
                                    record.column, csv_verdict_text(record.verdict));
    }
    csv_record more;
    if (csv_next(&reader, &more)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "header",
                                    "the header is more than one record");
    }
    const alm_str *names = NULL;
    ALM_TRY(decode_header(c, &record, &names, st));
    bool is_obs = is_observations(c->piece->kind);
    const column_set *set =
        is_obs ? &columns_of_observations : catalog_entry_columns(entry_kind_of(c->piece->kind));
    uint32_t given = is_obs ? given_fields(&c->piece->defaults) : 0;
    ALM_TRY(header_map(set, names, record.field_count, given, c->arena, &c->header, st));
    return is_obs ? check_published(&c->header, given, st) : ALM_OK;
}

// --- rows ---------------------------------------------------------------------------------------

static size_t count_lines(alm_str text)
{
    size_t count = 1;
    for (const char *at = text.data; text.len > 0;) {
        at = memchr(at, '\n', (size_t)(text.data + text.len - at));
        if (at == NULL) {
            break;
        }
        count++;
        at++;
        if (at == text.data + text.len) {
            break;
        }
    }
    return count;
}

static alm_code create_reader(piece_run *c, alm_date today, alm_status *st)
{
    const piece *p = c->piece;
    report *rep = &c->result->report;
    if (!is_observations(p->kind)) {
        return catalog_reader_create(entry_kind_of(p->kind), &c->header, c->catalog, &c->decoder,
                                     rep, c->arena, &c->entries, st);
    }
    obs_defaults defaults = p->defaults;
    defaults.measure = p->kind == PIECE_TARGETS ? ALM_MEASURE_TARGET : ALM_MEASURE_LEVEL;
    ALM_TRY(obs_cells_init(&c->cells, &c->header, &defaults, c->catalog, &c->decoder, rep, c->arena,
                           st));
    ALM_TRY(obs_reader_create(&c->cells, c->catalog, today, count_lines(p->records), c->arena,
                              &c->observations, st));
    c->result->observations = obs_reader_rows(c->observations);
    return ALM_OK;
}

static void report_broken(piece_run *c, const csv_record *record)
{
    size_t column = record->column;
    bool has_name = column > 0 && column <= c->header.column_count;
    report_defect(&c->result->report, column, has_name ? c->header.names[column - 1] : (alm_str){0},
                  record->raw, "%s", csv_verdict_text(record->verdict));
}

static void report_field_count(piece_run *c, const csv_record *record)
{
    report_defect(&c->result->report, 0, (alm_str){0}, record->raw,
                  "too %s fields: %zu, the header has %zu",
                  record->field_count > c->header.column_count ? "many" : "few",
                  record->field_count, c->header.column_count);
}

// What spreadsheets leave behind at the end of a table.
static bool is_all_blank(const csv_record *record)
{
    if (record->raw.len > 0 && (uint8_t)record->raw.data[0] > ' ' && record->raw.data[0] != ',' &&
        record->raw.data[0] != '"' && (uint8_t)record->raw.data[0] < 0x80) {
        return false; // nearly every record
    }
    for (size_t i = 0; i < record->field_count; i++) {
        if (alm_str_trim(record->fields[i]).len > 0) {
            return false;
        }
    }
    return true;
}

static alm_code take_record(piece_run *c, const csv_record *record, alm_status *st)
{
    report *rep = &c->result->report;
    if (record->verdict == CSV_OK && is_all_blank(record)) {
        return ALM_OK;
    }
    c->result->rows++;
    report_row_begin(rep, record->row, record->raw);
    if (record->verdict != CSV_OK) {
        report_broken(c, record);
    } else if (record->field_count != c->header.column_count) {
        report_field_count(c, record);
    } else if (c->observations != NULL) {
        ALM_TRY(obs_reader_take(c->observations, record, st));
    } else {
        ALM_TRY(catalog_reader_take(c->entries, record, st));
    }
    report_row_end(rep);
    return rep->failed ? no_memory(st) : ALM_OK;
}

static alm_code take_records(piece_run *c, alm_status *st)
{
    csv_reader reader;
    csv_record record;
    csv_reader_init(&reader, c->piece->records, c->piece->first_row, c->arena);
    while (csv_next(&reader, &record)) {
        ALM_TRY(take_record(c, &record, st));
    }
    return reader.failed ? no_memory(st) : ALM_OK;
}

static void take_oversize(piece_run *c)
{
    report *rep = &c->result->report;
    for (size_t i = 0; i < c->piece->oversize_count; i++) {
        const oversize_record *record = &c->piece->oversize[i];
        c->result->rows++;
        report_row_begin(rep, record->row, (alm_str){0});
        report_defect(rep, 0, (alm_str){0}, (alm_str){0},
                      "the record has %llu bytes, at most %zu are taken",
                      (unsigned long long)record->bytes, ALM_IMPORT_RECORD_BYTES_MAX);
        report_row_end(rep);
    }
}

alm_code piece_check(const piece *p, const alm_catalog *catalog, alm_date today, alm_arena *arena,
                     piece_result *ret, alm_status *st)
{
    *ret = (piece_result){0};
    piece_run c = {.piece = p, .catalog = catalog, .arena = arena, .result = ret};
    report_init(&ret->report, arena);
    alm_str header_text = p->header;
    ALM_TRY(text_encoding_find(p->encoding, &header_text, p->records, &ret->encoding, st));
    text_decoder_init(&c.decoder, ret->encoding, arena);
    ALM_TRY(read_header(&c, header_text, st));
    ALM_TRY(create_reader(&c, today, st));
    ALM_TRY(take_records(&c, st));
    take_oversize(&c);
    if (c.entries != NULL) {
        ALM_TRY(catalog_reader_finish(c.entries, &ret->catalog, st));
    }
    report_sort(&ret->report);
    return ret->report.failed ? no_memory(st) : ALM_OK;
}
