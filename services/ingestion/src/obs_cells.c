#include "obs_cells.h"

// What the cell of a column means, and how many different texts to keep in mind. Value and note
// differ from row to row and are read on their own.
static const struct {
    cell_parser parse;
    size_t memo_size;
} parsers[OBS_FIELD_COUNT] = {
    [OBS_INDICATOR] = {cell_indicator, 1024},
    [OBS_PLACE] = {cell_place, 8192},
    [OBS_PERIOD] = {cell_period, 1024},
    [OBS_UNIT] = {cell_unit, 128},
    [OBS_UNIT_MULT] = {cell_integer, 32},
    [OBS_QUALIFIER] = {cell_qualifier, 32},
    [OBS_STATUS] = {cell_status, 32},
    [OBS_MEASURE] = {cell_measure, 64},
    [OBS_ACCUMULATION] = {cell_accumulation, 32},
    [OBS_BREAKDOWN] = {cell_breakdown, 1024},
    [OBS_RELATION] = {cell_relation, 256},
    [OBS_PUBLISHED] = {cell_date, 1024},
    [OBS_SOURCE] = {cell_source, 256},
};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "no memory for the piece; send a smaller one");
}

static const char *canonical_name(obs_field field)
{
    return columns_of_observations.defs[field].name;
}

static alm_code set_default(obs_cells *c, obs_field field, alm_str text, alm_status *st)
{
    alm_str trimmed = alm_str_trim(text);
    if (trimmed.len == 0) {
        return ALM_OK;
    }
    const char *name = canonical_name(field);
    if (alm_utf8_valid_len(trimmed) != trimmed.len) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, name, "the default %s is not UTF-8",
                                    name);
    }
    alm_status why = ALM_STATUS_INIT;
    alm_code code = parsers[field].parse(&c->ctx, trimmed, &c->blanks[field].value, &why);
    if (code == ALM_RESOURCE_EXHAUSTED) {
        return alm_status_copy(st, &why);
    }
    if (code != ALM_OK) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, name, "the default %s: %s", name,
                                    why.message);
    }
    c->blanks[field].blank = false;
    return ALM_OK;
}

static alm_code set_blanks(obs_cells *c, const obs_defaults *defaults, alm_status *st)
{
    for (size_t i = 0; i < OBS_FIELD_COUNT; i++) {
        c->blanks[i] = (memo_entry){.known = true, .blank = true};
    }
    c->blanks[OBS_MEASURE].value.measure =
        defaults->measure != ALM_MEASURE_NONE ? defaults->measure : ALM_MEASURE_LEVEL;
    c->blanks[OBS_ACCUMULATION].value.accumulation = ALM_ACCUMULATION_PERIOD;
    c->blanks[OBS_SOURCE].value.id = ALM_CATALOG_NONE;
    c->blanks[OBS_PUBLISHED].value.date = ALM_DATE_NONE;
    ALM_TRY(set_default(c, OBS_PLACE, defaults->place, st));
    ALM_TRY(set_default(c, OBS_PERIOD, defaults->period, st));
    ALM_TRY(set_default(c, OBS_PUBLISHED, defaults->published, st));
    return set_default(c, OBS_SOURCE, defaults->source, st);
}

alm_code obs_cells_init(obs_cells *c, const header *h, const obs_defaults *defaults,
                        const alm_catalog *catalog, text_decoder *decoder, report *rep,
                        alm_arena *arena, alm_status *st)
{
    *c = (obs_cells){.header = h, .decoder = decoder, .report = rep, .arena = arena};
    if (!cell_ctx_init(&c->ctx, catalog, arena)) {
        return no_memory(st);
    }
    for (size_t i = 0; i < OBS_FIELD_COUNT; i++) {
        bool is_read = parsers[i].parse != NULL && h->column_of[i] >= 0;
        if (is_read && !memo_init(&c->memos[i], parsers[i].memo_size, arena)) {
            return no_memory(st);
        }
    }
    return set_blanks(c, defaults, st);
}

static alm_str raw_cell(const obs_cells *c, const obs_row *row, obs_field field)
{
    int column = c->header->column_of[field];
    return column >= 0 ? row->record->fields[column] : (alm_str){0};
}

// Finds out what a cell means that was not met before.
static alm_code fill_entry(obs_cells *c, obs_field field, memo_entry *entry, alm_status *st)
{
    alm_status why = ALM_STATUS_INIT;
    alm_str text;
    alm_code code = text_decode(c->decoder, entry->raw, &text, &why);
    text = code == ALM_OK ? alm_str_trim(text) : text;
    if (code == ALM_OK && text.len == 0) {
        alm_str raw = entry->raw;
        *entry = c->blanks[field];
        entry->raw = raw;
        return ALM_OK;
    }
    if (code == ALM_OK) {
        code = parsers[field].parse(&c->ctx, text, &entry->value, &why);
    }
    if (code == ALM_RESOURCE_EXHAUSTED) {
        return alm_status_copy(st, &why);
    }
    if (code != ALM_OK) {
        entry->reason = alm_arena_strdup(c->arena, alm_str_from(why.message));
        if (entry->reason == NULL) {
            return no_memory(st);
        }
    }
    entry->known = true;
    return ALM_OK;
}

static alm_code read_cell(obs_cells *c, obs_row *row, obs_field field, alm_status *st)
{
    alm_str raw = raw_cell(c, row, field);
    if (raw.len == 0) {
        row->cells[field] = &c->blanks[field];
        return ALM_OK;
    }
    memo_entry *entry = memo_at(&c->memos[field], raw);
    if (!entry->known) {
        ALM_TRY(fill_entry(c, field, entry, st));
    }
    row->cells[field] = entry;
    return ALM_OK;
}

alm_code obs_cells_read(obs_cells *c, const csv_record *record, obs_row *ret, alm_status *st)
{
    ret->record = record;
    for (obs_field field = 0; field < OBS_FIELD_COUNT; field++) {
        if (parsers[field].parse == NULL) {
            ret->cells[field] = NULL;
            continue;
        }
        ALM_TRY(read_cell(c, ret, field, st));
        const memo_entry *cell = ret->cells[field];
        if (cell->reason != NULL) {
            obs_cells_defect(c, ret, field, "%s", cell->reason);
        } else if (cell->blank && columns_of_observations.defs[field].required) {
            obs_cells_defect(c, ret, field, "%s is blank", canonical_name(field));
        }
    }
    return ALM_OK;
}

alm_code obs_cells_text(obs_cells *c, const obs_row *row, obs_field field, alm_str *ret,
                        bool *ret_good, alm_status *st)
{
    alm_status why = ALM_STATUS_INIT;
    alm_code code = text_decode(c->decoder, raw_cell(c, row, field), ret, &why);
    if (code == ALM_RESOURCE_EXHAUSTED) {
        return alm_status_copy(st, &why);
    }
    *ret_good = code == ALM_OK;
    if (*ret_good) {
        *ret = alm_str_trim(*ret);
    } else {
        obs_cells_defect(c, row, field, "%s", why.message);
    }
    return ALM_OK;
}

static void ALM_PRINTF(5, 0) add_to_report(obs_cells *c, const obs_row *row, obs_field field,
                                           bool warning, const char *fmt, va_list args)
{
    int column = c->header->column_of[field];
    alm_str name = column >= 0 ? c->header->names[column] : alm_str_from(canonical_name(field));
    // A cell that does not decode is shown by its bytes.
    alm_str raw = raw_cell(c, row, field);
    alm_str value;
    if (text_decode(c->decoder, raw, &value, NULL) != ALM_OK) {
        value = raw;
    }
    report_add(c->report, (size_t)(column + 1), name, value, warning, fmt, args);
}

void obs_cells_defect(obs_cells *c, const obs_row *row, obs_field field, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_to_report(c, row, field, false, fmt, args);
    va_end(args);
}

void obs_cells_warning(obs_cells *c, const obs_row *row, obs_field field, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_to_report(c, row, field, true, fmt, args);
    va_end(args);
}
