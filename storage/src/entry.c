#include "entry.h"

#include "alm/limits.h"

#define ENTRY_VERSION 1

const char *alm_entry_kind_word(alm_entry_kind kind)
{
    switch (kind) {
#define ENTRY_KIND_WORD(name, number, word)                                                        \
    case ALM_ENTRY_##name:                                                                         \
        return word;
        ALM_ENTRY_KIND_MAP(ENTRY_KIND_WORD)
#undef ENTRY_KIND_WORD
    }
    return "?";
}

alm_entry_kind alm_entry_kind_visited(const alm_catalog_visitor *visitor)
{
    ALM_ASSERT(
        (visitor->indicator != NULL) + (visitor->place != NULL) + (visitor->source != NULL) == 1);
    return visitor->indicator != NULL ? ALM_ENTRY_INDICATOR
           : visitor->place != NULL   ? ALM_ENTRY_PLACE
                                      : ALM_ENTRY_SOURCE;
}

alm_str alm_entry_code(const alm_entry *entry)
{
    switch (entry->kind) {
    case ALM_ENTRY_INDICATOR:
        return entry->indicator.code;
    case ALM_ENTRY_PLACE:
        return entry->place.code;
    case ALM_ENTRY_SOURCE:
        return entry->source.code;
    }
    return ALM_STR("");
}

// --- encoding ------------------------------------------------------------------------------------

static void put_text(alm_buf *out, alm_str text)
{
    alm_buf_varint(out, text.len);
    alm_buf_str(out, text);
}

static void put_texts(alm_buf *out, const alm_str *texts, size_t count)
{
    alm_buf_varint(out, count);
    for (size_t i = 0; i < count; i++) {
        put_text(out, texts[i]);
    }
}

// A quotient is marked in the highest bit of its measure, which no number of a measure has.
#define UNIT_QUOTIENT 0x80U

static void put_unit(alm_buf *out, alm_unit unit)
{
    bool is_quotient = unit.per != ALM_MEASURE_UNIT_NONE;
    alm_buf_u8(out, (uint8_t)(unit.measure | (is_quotient ? UNIT_QUOTIENT : 0)));
    alm_buf_u8(out, (uint8_t)unit.mult);
    if (is_quotient) {
        alm_buf_u8(out, unit.per);
        alm_buf_u8(out, (uint8_t)unit.per_mult);
    }
}

static void put_indicator(alm_buf *out, const alm_indicator *e)
{
    put_text(out, e->code);
    put_text(out, e->name_zh);
    put_text(out, e->name_en);
    put_unit(out, e->unit);
    alm_buf_u8(out, (uint8_t)e->value_type);
    alm_buf_u8(out, (uint8_t)e->over_places);
    alm_buf_u8(out, (uint8_t)e->over_time);
    alm_buf_u8(out, (uint8_t)e->direction);
    put_text(out, e->theme);
    put_text(out, e->numerator);
    put_text(out, e->denominator);
    put_text(out, e->definition);
    put_texts(out, e->aliases, e->alias_count);
    if (e->formula.len > 0) { // came later: at the end, and only where there is one
        put_text(out, e->formula);
    }
}

static void put_place(alm_buf *out, const alm_place *e)
{
    put_text(out, e->code);
    put_text(out, e->name_zh);
    put_text(out, e->name_en);
    alm_buf_u8(out, (uint8_t)e->level);
    put_text(out, e->parent);
    alm_buf_u32(out, (uint32_t)e->valid_from);
    alm_buf_u32(out, (uint32_t)e->valid_to);
    put_texts(out, e->successors, e->successor_count);
    put_texts(out, e->aliases, e->alias_count);
}

static void put_source(alm_buf *out, const alm_source *e)
{
    put_text(out, e->code);
    put_text(out, e->title);
    put_text(out, e->publisher);
    alm_buf_u32(out, (uint32_t)e->published);
    put_text(out, e->address);
    alm_buf_svarint(out, e->precedence);
    put_text(out, e->note);
}

void alm_entry_encode(const alm_entry *entry, alm_buf *out)
{
    alm_buf_u8(out, ENTRY_VERSION);
    switch (entry->kind) {
    case ALM_ENTRY_INDICATOR:
        put_indicator(out, &entry->indicator);
        break;
    case ALM_ENTRY_PLACE:
        put_place(out, &entry->place);
        break;
    case ALM_ENTRY_SOURCE:
        put_source(out, &entry->source);
        break;
    }
}

// --- decoding ------------------------------------------------------------------------------------

static alm_str get_text(alm_reader *r)
{
    return alm_read_bytes(r, alm_read_varint(r));
}

// A number past max fails the reader.
static int get_enum(alm_reader *r, int max)
{
    int v = alm_read_u8(r);
    if (v > max) {
        r->failed = true;
    }
    return v;
}

static const alm_str *get_texts(alm_reader *r, alm_arena *arena, size_t *ret_count, bool *no_memory)
{
    uint64_t count = alm_read_varint(r);
    *ret_count = 0;
    if (r->failed || count > alm_reader_left(r)) {
        r->failed = true;
        return NULL;
    }
    if (count == 0) {
        return NULL;
    }
    alm_str *texts = alm_arena_alloc(arena, count * sizeof *texts);
    if (texts == NULL) {
        *no_memory = true;
        return NULL;
    }
    for (uint64_t i = 0; i < count; i++) {
        texts[i] = get_text(r);
    }
    *ret_count = count;
    return texts;
}

static alm_unit get_unit(alm_reader *r)
{
    uint8_t measure = alm_read_u8(r);
    alm_unit unit = {.measure = measure & ~UNIT_QUOTIENT, .mult = (int8_t)alm_read_u8(r)};
    if (measure & UNIT_QUOTIENT) {
        unit.per = alm_read_u8(r);
        unit.per_mult = (int8_t)alm_read_u8(r);
        r->failed |= unit.per == ALM_MEASURE_UNIT_NONE;
    }
    return unit;
}

static void get_indicator(alm_reader *r, alm_arena *arena, alm_indicator *e, bool *no_memory)
{
    e->code = get_text(r);
    e->name_zh = get_text(r);
    e->name_en = get_text(r);
    e->unit = get_unit(r);
    e->value_type = (alm_value_type)get_enum(r, ALM_VALUE_TYPE_COUNT);
    e->over_places = (alm_aggregation)get_enum(r, ALM_AGGREGATION_REFUSE);
    e->over_time = (alm_aggregation)get_enum(r, ALM_AGGREGATION_REFUSE);
    e->direction = (alm_direction)get_enum(r, ALM_DIRECTION_DOWN);
    e->theme = get_text(r);
    e->numerator = get_text(r);
    e->denominator = get_text(r);
    e->definition = get_text(r);
    e->aliases = get_texts(r, arena, &e->alias_count, no_memory);
    if (!r->failed && alm_reader_left(r) > 0) {
        e->formula = get_text(r);
        r->failed |= e->formula.len == 0;
    }
    if (!alm_unit_valid(e->unit)) {
        r->failed = true;
    }
}

static void get_place(alm_reader *r, alm_arena *arena, alm_place *e, bool *no_memory)
{
    e->code = get_text(r);
    e->name_zh = get_text(r);
    e->name_en = get_text(r);
    e->level = (alm_level)get_enum(r, ALM_LEVEL_LOCAL);
    e->parent = get_text(r);
    e->valid_from = (alm_date)alm_read_u32(r);
    e->valid_to = (alm_date)alm_read_u32(r);
    e->successors = get_texts(r, arena, &e->successor_count, no_memory);
    e->aliases = get_texts(r, arena, &e->alias_count, no_memory);
}

static void get_source(alm_reader *r, alm_source *e)
{
    e->code = get_text(r);
    e->title = get_text(r);
    e->publisher = get_text(r);
    e->published = (alm_date)alm_read_u32(r);
    e->address = get_text(r);
    int64_t precedence = alm_read_svarint(r);
    if (precedence < INT32_MIN || precedence > INT32_MAX) {
        r->failed = true;
    }
    e->precedence = (int32_t)precedence;
    e->note = get_text(r);
}

alm_code alm_entry_decode(alm_str bytes, alm_entry_kind kind, alm_arena *arena, alm_entry *ret,
                          alm_status *st)
{
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    bool no_memory = false;
    *ret = (alm_entry){.kind = kind};
    bool is_known = alm_read_u8(&r) == ENTRY_VERSION;
    switch (kind) {
    case ALM_ENTRY_INDICATOR:
        get_indicator(&r, arena, &ret->indicator, &no_memory);
        break;
    case ALM_ENTRY_PLACE:
        get_place(&r, arena, &ret->place, &no_memory);
        break;
    case ALM_ENTRY_SOURCE:
        get_source(&r, &ret->source);
        break;
    }
    if (no_memory) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a catalogue entry");
    }
    if (!is_known || r.failed || alm_reader_left(&r) != 0) {
        return alm_status_set(st, ALM_DATA_LOSS, "a catalogue entry (%s) is damaged",
                              alm_entry_kind_word(kind));
    }
    return ALM_OK;
}
