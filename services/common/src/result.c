#include "alm/wire.h"

// Rows repeat few texts many times: each is written once a block and found again by its hash.
enum { SLOT_COUNT_MIN = 1024 };

struct alm_result_writer {
    alm_arena *arena;
    uint64_t sequence;
    Almanac__V1__ResultBlock *block; // being filled; NULL between blocks
    size_t string_cap;
    size_t pace_cap;
    uint32_t *slots; // open addressing: index into strings + 1; 0 is free
    size_t slot_count;
};

// X(column, element type): every column of a block.
#define COLUMNS(X)                                                                                 \
    X(indicator, uint32_t)                                                                         \
    X(place, uint32_t)                                                                             \
    X(period, uint32_t)                                                                            \
    X(measure, uint32_t)                                                                           \
    X(accumulation, uint32_t)                                                                      \
    X(breakdown, uint32_t)                                                                         \
    X(relation, uint32_t)                                                                          \
    X(unit, uint32_t)                                                                              \
    X(mantissa, int64_t)                                                                           \
    X(exponent, int32_t)                                                                           \
    X(has_number, protobuf_c_boolean)                                                              \
    X(lower, double)                                                                               \
    X(upper, double)                                                                               \
    X(qualifier, uint32_t)                                                                         \
    X(status, uint32_t)                                                                            \
    X(origin, uint32_t)                                                                            \
    X(source, uint32_t)                                                                            \
    X(published, uint32_t)                                                                         \
    X(note, uint32_t)                                                                              \
    X(reason, uint32_t)                                                                            \
    X(of_count, uint32_t)                                                                          \
    X(of_expected, uint32_t)                                                                       \
    X(transform, uint32_t)

static alm_code exhausted(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "result: out of memory");
}

alm_code alm_result_writer_create(alm_arena *arena, uint64_t sequence, alm_result_writer **ret,
                                  alm_status *st)
{
    alm_result_writer *writer = alm_arena_calloc(arena, 1, sizeof *writer);
    if (writer == NULL) {
        return exhausted(st);
    }
    writer->arena = arena;
    writer->sequence = sequence;
    *ret = writer;
    return ALM_OK;
}

// --- table of texts
// ---------------------------------------------------------------------------------

static uint64_t text_hash(alm_str text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); // FNV-1a, 64 bits
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (uint8_t)text.data[i]) * UINT64_C(0x100000001b3);
    }
    return hash ^ hash >> 32;
}

static void slot_put(alm_result_writer *writer, uint32_t index)
{
    size_t mask = writer->slot_count - 1;
    size_t at = text_hash(alm_str_from(writer->block->strings[index])) & mask;
    while (writer->slots[at] != 0) {
        at = (at + 1) & mask;
    }
    writer->slots[at] = index + 1;
}

static bool slots_grow(alm_result_writer *writer)
{
    size_t count = ALM_MAX(writer->slot_count * 2, (size_t)SLOT_COUNT_MIN);
    uint32_t *slots = alm_arena_calloc(writer->arena, count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    writer->slots = slots;
    writer->slot_count = count;
    for (size_t i = 0; i < writer->block->n_strings; i++) {
        slot_put(writer, (uint32_t)i);
    }
    return true;
}

static bool string_append(alm_result_writer *writer, alm_str text)
{
    Almanac__V1__ResultBlock *block = writer->block;
    char *copy = alm_arena_strdup(writer->arena, text);
    if (copy == NULL ||
        !alm_arena_grow(writer->arena, (void **)&block->strings, &writer->string_cap,
                        block->n_strings + 1, sizeof *block->strings)) {
        return false;
    }
    block->strings[block->n_strings++] = copy;
    return true;
}

static bool string_index(alm_result_writer *writer, alm_str text, uint32_t *ret)
{
    Almanac__V1__ResultBlock *block = writer->block;
    size_t mask = writer->slot_count - 1;
    for (size_t at = text_hash(text) & mask; writer->slots[at] != 0; at = (at + 1) & mask) {
        if (alm_str_eq(alm_str_from(block->strings[writer->slots[at] - 1]), text)) {
            *ret = writer->slots[at] - 1;
            return true;
        }
    }
    *ret = (uint32_t)block->n_strings;
    if (!string_append(writer, text)) {
        return false;
    }
    if (block->n_strings * 2 > writer->slot_count) {
        return slots_grow(writer);
    }
    slot_put(writer, *ret);
    return true;
}

// --- blocks
// -----------------------------------------------------------------------------------------

static bool block_begin(alm_result_writer *writer)
{
    Almanac__V1__ResultBlock *block = alm_arena_alloc(writer->arena, sizeof *block);
    if (block == NULL) {
        return false;
    }
    almanac__v1__result_block__init(block);
    block->sequence = writer->sequence;
#define COLUMN_CREATE(column, type)                                                                \
    block->column = alm_arena_calloc(writer->arena, ALM_RESULT_BLOCK_ROW_COUNT, sizeof(type));     \
    if (block->column == NULL) {                                                                   \
        return false;                                                                              \
    }
    COLUMNS(COLUMN_CREATE)
#undef COLUMN_CREATE
    writer->block = block;
    writer->string_cap = 0;
    writer->pace_cap = 0;
    writer->slot_count = 0;
    return string_append(writer, ALM_STR("")) && slots_grow(writer);
}

static bool texts_put(alm_result_writer *writer, const alm_result_row *row, size_t i)
{
    Almanac__V1__ResultBlock *block = writer->block;
    char period[ALM_PERIOD_TEXT_MAX];
    char published[ALM_PERIOD_TEXT_MAX];
    char unit[ALM_UNIT_TEXT_MAX] = "";
    alm_period_format(row->period, period);
    alm_date_format(row->published, published);
    if (row->value.unit.measure != ALM_MEASURE_UNIT_NONE) {
        alm_unit_code(row->value.unit, unit);
    }
    const char *accumulation =
        row->accumulation == ALM_ACCUMULATION_NONE ? "" : alm_accumulation_code(row->accumulation);
    return string_index(writer, row->indicator, &block->indicator[i]) &&
           string_index(writer, row->place, &block->place[i]) &&
           string_index(writer, alm_str_from(period), &block->period[i]) &&
           string_index(writer, row->measure, &block->measure[i]) &&
           string_index(writer, alm_str_from(accumulation), &block->accumulation[i]) &&
           string_index(writer, row->breakdown, &block->breakdown[i]) &&
           string_index(writer, row->relation, &block->relation[i]) &&
           string_index(writer, alm_str_from(unit), &block->unit[i]) &&
           string_index(writer, row->source, &block->source[i]) &&
           string_index(writer, alm_str_from(published), &block->published[i]) &&
           string_index(writer, row->note, &block->note[i]) &&
           string_index(writer, row->reason, &block->reason[i]) &&
           string_index(writer, row->transform, &block->transform[i]);
}

// --- paces
// ------------------------------------------------------------------------------------------

static char *text_of(const alm_result_writer *writer, const char *text)
{
    return alm_arena_strdup(writer->arena, alm_str_from(text));
}

static Almanac__V1__Figure *figure_of(const alm_result_writer *writer, const alm_row_figure *figure)
{
    char unit[ALM_UNIT_TEXT_MAX] = "";
    Almanac__V1__Figure *it = alm_arena_alloc(writer->arena, sizeof *it);
    if (figure->value.unit.measure != ALM_MEASURE_UNIT_NONE) {
        alm_unit_code(figure->value.unit, unit);
    }
    if (it == NULL) {
        return NULL;
    }
    almanac__v1__figure__init(it);
    it->has_number = figure->value.has_number;
    it->mantissa = it->has_number ? figure->value.number.mantissa : 0;
    it->exponent = it->has_number ? figure->value.number.exponent : 0;
    it->lower = figure->interval.lower;
    it->upper = figure->interval.upper;
    it->qualifier = figure->value.qualifier;
    it->unit = text_of(writer, unit);
    it->reason = text_of(writer, figure->reason);
    return it->unit != NULL && it->reason != NULL ? it : NULL;
}

static Almanac__V1__TargetPace *pace_of(const alm_result_writer *writer, const alm_row_pace *pace)
{
    char until[ALM_PERIOD_TEXT_MAX];
    char per[2] = "";
    Almanac__V1__TargetPace *it = alm_arena_alloc(writer->arena, sizeof *it);
    if (it == NULL) {
        return NULL;
    }
    almanac__v1__target_pace__init(it);
    alm_period_format(pace->until, until);
    per[0] = pace->per != ALM_FREQ_NONE ? alm_freq_letter(pace->per) : '\0';
    it->row = writer->block->rows;
    it->verdict = (Almanac__V1__PaceVerdict)pace->verdict;
    it->why = text_of(writer, pace->why);
    it->until = text_of(writer, until);
    it->per = text_of(writer, per);
    bool is_good = it->why != NULL && it->until != NULL && it->per != NULL;
#define FIGURE_PUT(name, member)                                                                   \
    it->member = figure_of(writer, &pace->figures[ALM_PACE_##name]);                               \
    is_good &= it->member != NULL;
    ALM_PACE_FIGURE_MAP(FIGURE_PUT)
#undef FIGURE_PUT
    return is_good ? it : NULL;
}

static bool pace_put(alm_result_writer *writer, const alm_row_pace *pace)
{
    Almanac__V1__ResultBlock *block = writer->block;
    if (pace == NULL) {
        return true;
    }
    Almanac__V1__TargetPace *it = pace_of(writer, pace);
    if (it == NULL || !alm_arena_grow(writer->arena, (void **)&block->pace, &writer->pace_cap,
                                      block->n_pace + 1, sizeof *block->pace)) {
        return false;
    }
    block->pace[block->n_pace++] = it;
    return true;
}

alm_code alm_result_writer_add(alm_result_writer *writer, const alm_result_row *row, alm_status *st)
{
    ALM_ASSERT(!alm_result_writer_full(writer));
    if (writer->block == NULL && !block_begin(writer)) {
        return exhausted(st);
    }
    Almanac__V1__ResultBlock *block = writer->block;
    size_t i = block->rows;
    if (!texts_put(writer, row, i) || !pace_put(writer, row->pace)) {
        return exhausted(st);
    }
    block->mantissa[i] = row->value.has_number ? row->value.number.mantissa : 0;
    block->exponent[i] = row->value.has_number ? row->value.number.exponent : 0;
    block->has_number[i] = row->value.has_number;
    block->lower[i] = row->interval.lower;
    block->upper[i] = row->interval.upper;
    block->qualifier[i] = row->value.qualifier;
    block->status[i] = row->value.status;
    block->origin[i] = row->computed ? ALMANAC__V1__ORIGIN__ORIGIN_COMPUTED
                                     : ALMANAC__V1__ORIGIN__ORIGIN_PUBLISHED;
    block->of_count[i] = row->of_count;
    block->of_expected[i] = row->of_expected;
    block->rows++;
    return ALM_OK;
}

bool alm_result_writer_full(const alm_result_writer *writer)
{
    size_t paces = writer->block == NULL ? 0 : writer->block->n_pace;
    return alm_result_writer_rows(writer) >= ALM_RESULT_BLOCK_ROW_COUNT ||
           paces >= ALM_RESULT_BLOCK_PACE_COUNT;
}

size_t alm_result_writer_rows(const alm_result_writer *writer)
{
    return writer->block == NULL ? 0 : writer->block->rows;
}

alm_code alm_result_writer_take(alm_result_writer *writer, Almanac__V1__ResultBlock **ret,
                                alm_status *st)
{
    if (writer->block == NULL && !block_begin(writer)) {
        return exhausted(st);
    }
    Almanac__V1__ResultBlock *block = writer->block;
#define COLUMN_END(column, type) block->n_##column = block->rows;
    COLUMNS(COLUMN_END)
#undef COLUMN_END
    writer->block = NULL;
    *ret = block;
    return ALM_OK;
}
