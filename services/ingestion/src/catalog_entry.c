#include "catalog_entry.h"

#include "alm/limits.h"

// A row while it is read. The sticky code is the arena's.
typedef struct entry_row {
    const entry_reader *reader;
    const csv_record *record;
    alm_code code;
    alm_status *st;
} entry_row;

alm_str catalog_entry_code(const catalog_entry *entry)
{
    switch (entry->kind) {
    case ENTRY_INDICATOR:
        return entry->as.indicator.code;
    case ENTRY_PLACE:
        return entry->as.place.code;
    case ENTRY_SOURCE:
        return entry->as.source.code;
    }
    return (alm_str){0};
}

const column_set *catalog_entry_columns(entry_kind kind)
{
    return kind == ENTRY_INDICATOR ? &columns_of_indicators
           : kind == ENTRY_PLACE   ? &columns_of_places
                                   : &columns_of_sources;
}

static void ALM_PRINTF(4, 0)
    add_defect(const entry_reader *r, size_t field, alm_str value, const char *fmt, va_list args)
{
    int column = r->header->column_of[field];
    alm_str name = column >= 0 ? r->header->names[column]
                               : alm_str_from(catalog_entry_columns(r->kind)->defs[field].name);
    report_add(r->report, (size_t)(column + 1), name, value, false, fmt, args);
}

void catalog_entry_defect(const entry_reader *r, size_t field, alm_str value, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_defect(r, field, value, fmt, args);
    va_end(args);
}

static void fail(entry_row *row, alm_status *why)
{
    row->code = row->code == ALM_OK ? alm_status_copy(row->st, why) : row->code;
}

static void no_memory(entry_row *row)
{
    alm_status why = ALM_STATUS_INIT;
    alm_status_set(&why, ALM_RESOURCE_EXHAUSTED, "no memory for the piece; send a smaller one");
    fail(row, &why);
}

// The cell as trimmed UTF-8; empty where the file has no such column or the cell is reported.
static alm_str cell(entry_row *row, size_t field)
{
    int column = row->reader->header->column_of[field];
    if (column < 0 || row->code != ALM_OK) {
        return (alm_str){0};
    }
    alm_status why = ALM_STATUS_INIT;
    alm_str raw = row->record->fields[column];
    alm_str text;
    alm_code code = text_decode(row->reader->decoder, raw, &text, &why);
    if (code == ALM_OK) {
        return alm_str_trim(text);
    }
    if (code == ALM_RESOURCE_EXHAUSTED) {
        fail(row, &why);
    } else {
        catalog_entry_defect(row->reader, field, raw, "%s", why.message);
    }
    return (alm_str){0};
}

// "a; b；c": the parts, trimmed, without empty ones.
static const alm_str *list_cell(entry_row *row, size_t field, size_t count_max, size_t *ret_count)
{
    alm_str text = cell(row, field);
    alm_str wide = ALM_STR("；");
    alm_str *parts = NULL;
    size_t cap = 0;
    *ret_count = 0;
    while (text.len > 0 && row->code == ALM_OK) {
        size_t narrow_at = ALM_MIN(alm_str_find_char(text, ';'), text.len);
        size_t wide_at = ALM_MIN(alm_str_find(text, wide), text.len);
        size_t end = ALM_MIN(narrow_at, wide_at);
        size_t next = ALM_MIN(narrow_at < wide_at ? end + 1 : end + wide.len, text.len);
        alm_str part = alm_str_trim(alm_str_slice(text, 0, end));
        text = alm_str_slice(text, next, text.len);
        if (part.len == 0) {
            continue;
        }
        void *array = parts;
        if (*ret_count == count_max) {
            catalog_entry_defect(row->reader, field, part, "more than %zu entries", count_max);
            break;
        }
        if (!alm_arena_grow(row->reader->arena, &array, &cap, *ret_count + 1, sizeof *parts)) {
            no_memory(row);
            break;
        }
        parts = array;
        parts[(*ret_count)++] = part;
    }
    return parts;
}

static alm_date date_cell(entry_row *row, size_t field, alm_date if_blank)
{
    alm_str text = cell(row, field);
    alm_date date = if_blank;
    alm_status why = ALM_STATUS_INIT;
    if (text.len > 0 && alm_date_parse(text, &date, &why) != ALM_OK) {
        catalog_entry_defect(row->reader, field, text, "%s", why.message);
    }
    return date;
}

// --- indicators ---------------------------------------------------------------------------------

static alm_value_type value_type_cell(entry_row *row)
{
    alm_str text = cell(row, IND_VALUE_TYPE);
    alm_value_type type = ALM_VALUE_TYPE_NONE;
    if (!alm_value_type_parse(text, &type)) {
        catalog_entry_defect(row->reader, IND_VALUE_TYPE, text,
                             "unknown value type; it is flow, stock, rate, index or count");
    }
    return type;
}

static alm_aggregation aggregation_cell(entry_row *row, size_t field, alm_aggregation if_blank)
{
    alm_str text = cell(row, field);
    alm_aggregation aggregation = if_blank;
    if (text.len > 0 && !alm_aggregation_parse(text, &aggregation)) {
        catalog_entry_defect(
            row->reader, field, text,
            "unknown aggregation; it is sum, recompute, average, max, min or none");
    }
    return aggregation;
}

static bool adds_up_over_time(alm_value_type type)
{
    return type == ALM_VALUE_TYPE_FLOW || type == ALM_VALUE_TYPE_COUNT;
}

// A rate is made anew from its parts where they are known; an index has none.
static alm_aggregation usual_of_ratio(const alm_indicator *e)
{
    bool is_fraction = e->numerator.len > 0 && e->denominator.len > 0;
    return e->value_type == ALM_VALUE_TYPE_RATE && is_fraction ? ALM_AGGREGATION_RECOMPUTE
                                                               : ALM_AGGREGATION_REFUSE;
}

static alm_aggregation usual_over_places(const alm_indicator *e)
{
    if (e->formula.len > 0) {
        return ALM_AGGREGATION_RECOMPUTE;
    }
    return adds_up_over_time(e->value_type) || e->value_type == ALM_VALUE_TYPE_STOCK
               ? ALM_AGGREGATION_SUM
               : usual_of_ratio(e);
}

static alm_aggregation usual_over_time(const alm_indicator *e)
{
    return e->formula.len > 0                      ? ALM_AGGREGATION_RECOMPUTE
           : adds_up_over_time(e->value_type)      ? ALM_AGGREGATION_SUM
           : e->value_type == ALM_VALUE_TYPE_STOCK ? ALM_AGGREGATION_NONE // the end of the period
                                                   : usual_of_ratio(e);
}

static alm_direction direction_cell(entry_row *row)
{
    alm_str text = cell(row, IND_DIRECTION);
    alm_direction direction = ALM_DIRECTION_NEUTRAL;
    if (text.len > 0 && !alm_direction_parse(text, &direction)) {
        catalog_entry_defect(row->reader, IND_DIRECTION, text,
                             "unknown direction; it is up, down or neutral");
    }
    return direction;
}

static alm_unit unit_cell(entry_row *row)
{
    alm_str text = cell(row, IND_UNIT);
    alm_unit unit = {0};
    alm_status why = ALM_STATUS_INIT;
    if (text.len == 0) {
        catalog_entry_defect(row->reader, IND_UNIT, text, "unit is blank");
    } else if (alm_unit_parse(text, &unit, &why) != ALM_OK) {
        catalog_entry_defect(row->reader, IND_UNIT, text, "%s", why.message);
    }
    return unit;
}

static alm_code read_indicator(entry_row *row, alm_indicator *ret, alm_status *why)
{
    ret->code = cell(row, IND_CODE);
    ret->name_zh = cell(row, IND_NAME_ZH);
    ret->name_en = cell(row, IND_NAME_EN);
    ret->unit = unit_cell(row);
    ret->value_type = value_type_cell(row);
    ret->direction = direction_cell(row);
    ret->theme = cell(row, IND_THEME);
    ret->numerator = cell(row, IND_NUMERATOR);
    ret->denominator = cell(row, IND_DENOMINATOR);
    ret->formula = cell(row, IND_FORMULA);
    ret->definition = cell(row, IND_DEFINITION);
    ret->aliases = list_cell(row, IND_ALIASES, ALM_ALIAS_COUNT_MAX, &ret->alias_count);
    ret->over_places = aggregation_cell(row, IND_OVER_PLACES, usual_over_places(ret));
    ret->over_time = aggregation_cell(row, IND_OVER_TIME, usual_over_time(ret));
    return row->reader->report->row_is_bad ? ALM_OK : alm_indicator_check(ret, why);
}

// --- places -------------------------------------------------------------------------------------

static alm_level level_cell(entry_row *row)
{
    alm_str text = cell(row, PLC_LEVEL);
    alm_level level = ALM_LEVEL_NONE;
    if (!alm_level_parse(text, &level)) {
        catalog_entry_defect(
            row->reader, PLC_LEVEL, text,
            "unknown level; it is country, province, city, district, town, village "
            "or local");
    }
    return level;
}

static alm_code read_place(entry_row *row, alm_place *ret, alm_status *why)
{
    ret->code = cell(row, PLC_CODE);
    ret->name_zh = cell(row, PLC_NAME_ZH);
    ret->name_en = cell(row, PLC_NAME_EN);
    ret->level = level_cell(row);
    ret->parent = cell(row, PLC_PARENT);
    ret->valid_from = date_cell(row, PLC_VALID_FROM, ALM_DATE_NONE);
    ret->valid_to = date_cell(row, PLC_VALID_TO, ALM_DATE_MAX);
    ret->successors =
        list_cell(row, PLC_SUCCESSORS, ALM_PLACE_SUCCESSOR_COUNT_MAX, &ret->successor_count);
    ret->aliases = list_cell(row, PLC_ALIASES, ALM_ALIAS_COUNT_MAX, &ret->alias_count);
    return row->reader->report->row_is_bad ? ALM_OK : alm_place_check(ret, why);
}

// --- sources ------------------------------------------------------------------------------------

static int32_t precedence_cell(entry_row *row)
{
    alm_str text = cell(row, SRC_PRECEDENCE);
    int64_t number = 0;
    if (text.len > 0 &&
        (!alm_str_to_i64(text, &number) || number < INT32_MIN || number > INT32_MAX)) {
        catalog_entry_defect(row->reader, SRC_PRECEDENCE, text,
                             "precedence is a whole number, higher wins");
        return 0;
    }
    return (int32_t)number;
}

static alm_code read_source(entry_row *row, alm_source *ret, alm_status *why)
{
    ret->code = cell(row, SRC_CODE);
    ret->title = cell(row, SRC_TITLE);
    ret->publisher = cell(row, SRC_PUBLISHER);
    ret->published = date_cell(row, SRC_PUBLISHED, ALM_DATE_NONE);
    ret->address = cell(row, SRC_ADDRESS);
    ret->precedence = precedence_cell(row);
    ret->note = cell(row, SRC_NOTE);
    return row->reader->report->row_is_bad ? ALM_OK : alm_source_check(ret, why);
}

// --- any ----------------------------------------------------------------------------------------

// The model's checks name the field as its column is named.
static void report_check(entry_row *row, const alm_status *why)
{
    const column_set *set = catalog_entry_columns(row->reader->kind);
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->defs[i].name, why->field) == 0) {
            catalog_entry_defect(row->reader, i, cell(row, i), "%s", why->message);
            return;
        }
    }
    report_defect(row->reader->report, 0, (alm_str){0}, (alm_str){0}, "%s", why->message);
}

alm_code catalog_entry_read(const entry_reader *r, const csv_record *record, catalog_entry *ret,
                            alm_status *st)
{
    *ret = (catalog_entry){.kind = r->kind, .row = record->row, .record = record->raw};
    entry_row row = {.reader = r, .record = record, .code = ALM_OK, .st = st};
    alm_status why = ALM_STATUS_INIT;
    alm_code check = ALM_OK;
    switch (r->kind) {
    case ENTRY_INDICATOR:
        check = read_indicator(&row, &ret->as.indicator, &why);
        break;
    case ENTRY_PLACE:
        check = read_place(&row, &ret->as.place, &why);
        break;
    case ENTRY_SOURCE:
        check = read_source(&row, &ret->as.source, &why);
        break;
    }
    if (row.code == ALM_OK && check != ALM_OK) {
        report_check(&row, &why);
    }
    return row.code;
}
