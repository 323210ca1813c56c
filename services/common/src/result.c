#include "alm/wire.h"

enum {
    ROW_CAP_MIN = 16,
    SLOT_COUNT_MIN = 64,
    MEMO_COUNT = 256, // a power of two
};

// A text of the block, found again by its hash.
typedef struct slot {
    uint32_t hash;
    uint32_t index; // into strings, + 1; 0 is free
} slot;

// What a number was printed as: rows have few periods, dates and units.
typedef struct memo {
    uint64_t number;
    uint32_t index; // as of a slot
} memo;

// Rows repeat few texts many times: each is written once a block. Nearly always it is the one of
// the row before, else it is found by its hash.
struct alm_result_writer {
    alm_arena *arena;
    uint64_t sequence;
    Almanac__V1__ResultBlock *block; // being filled; NULL between blocks
    size_t row_cap;
    size_t string_cap, len_cap;
    size_t pace_cap;
    uint32_t *lens; // of strings
    slot *slots;    // open addressing
    size_t slot_count;
    memo periods[MEMO_COUNT], dates[MEMO_COUNT], units[MEMO_COUNT];
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

static void slot_put(alm_result_writer *writer, slot it)
{
    size_t mask = writer->slot_count - 1;
    size_t at = it.hash & mask;
    while (writer->slots[at].index != 0) {
        at = (at + 1) & mask;
    }
    writer->slots[at] = it;
}

static bool slots_grow(alm_result_writer *writer)
{
    size_t old_count = writer->slot_count;
    slot *old = writer->slots;
    size_t count = ALM_MAX(old_count * 4, (size_t)SLOT_COUNT_MIN);
    slot *slots = alm_arena_calloc(writer->arena, count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    writer->slots = slots;
    writer->slot_count = count;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].index != 0) {
            slot_put(writer, old[i]);
        }
    }
    return true;
}

static bool string_append(alm_result_writer *writer, alm_str text)
{
    Almanac__V1__ResultBlock *block = writer->block;
    void *lens = writer->lens;
    ALM_ASSERT(block != NULL);
    char *copy = alm_arena_strdup(writer->arena, text);
    if (copy == NULL ||
        !alm_arena_grow(writer->arena, (void **)&block->strings, &writer->string_cap,
                        block->n_strings + 1, sizeof *block->strings) ||
        !alm_arena_grow(writer->arena, &lens, &writer->len_cap, block->n_strings + 1,
                        sizeof *writer->lens)) {
        return false;
    }
    writer->lens = lens;
    writer->lens[block->n_strings] = (uint32_t)text.len;
    block->strings[block->n_strings++] = copy;
    return true;
}

static bool is_string(const alm_result_writer *writer, uint32_t index, alm_str text)
{
    return writer->lens[index] == text.len &&
           memcmp(writer->block->strings[index], text.data, text.len) == 0;
}

static bool string_index(alm_result_writer *writer, alm_str text, uint32_t *ret)
{
    uint32_t hash = (uint32_t)text_hash(text);
    size_t mask = writer->slot_count - 1;
    for (size_t at = hash & mask; writer->slots[at].index != 0; at = (at + 1) & mask) {
        slot it = writer->slots[at];
        if (it.hash == hash && is_string(writer, it.index - 1, text)) {
            *ret = it.index - 1;
            return true;
        }
    }
    *ret = (uint32_t)writer->block->n_strings;
    if (!string_append(writer, text)) {
        return false;
    }
    if (writer->block->n_strings * 2 > writer->slot_count && !slots_grow(writer)) {
        return false;
    }
    slot_put(writer, (slot){hash, *ret + 1});
    return true;
}

// --- blocks
// -----------------------------------------------------------------------------------------

// Most answers are short: columns start small.
static bool columns_grow(alm_result_writer *writer)
{
    Almanac__V1__ResultBlock *block = writer->block;
    size_t cap = ALM_MIN(ALM_MAX(writer->row_cap * 4, (size_t)ROW_CAP_MIN),
                         (size_t)ALM_RESULT_BLOCK_ROW_COUNT);
#define COLUMN_GROW(column, type)                                                                  \
    type *column = alm_arena_alloc(writer->arena, cap * sizeof *column);                           \
    if (column == NULL) {                                                                          \
        return false;                                                                              \
    }                                                                                              \
    if (block->rows > 0) {                                                                         \
        memcpy(column, block->column, block->rows * sizeof *column);                               \
    }                                                                                              \
    block->column = column;
    COLUMNS(COLUMN_GROW)
#undef COLUMN_GROW
    writer->row_cap = cap;
    return true;
}

static bool block_begin(alm_result_writer *writer)
{
    Almanac__V1__ResultBlock *block = alm_arena_alloc(writer->arena, sizeof *block);
    if (block == NULL) {
        return false;
    }
    almanac__v1__result_block__init(block);
    block->sequence = writer->sequence;
    *writer =
        (alm_result_writer){.arena = writer->arena, .sequence = writer->sequence, .block = block};
    // Index 0 is no text at all.
    return string_append(writer, ALM_STR("")) && slots_grow(writer) && columns_grow(writer);
}

static bool text_put(alm_result_writer *writer, alm_str text, uint32_t *column)
{
    size_t i = writer->block->rows;
    if (text.len == 0) {
        column[i] = 0;
        return true;
    }
    if (i > 0 && is_string(writer, column[i - 1], text)) {
        column[i] = column[i - 1];
        return true;
    }
    return string_index(writer, text, &column[i]);
}

static memo *memo_of(memo *memos, uint64_t number)
{
    return &memos[(number * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (MEMO_COUNT - 1)];
}

// A number whose text is remembered, else *ret is where it will be.
static bool is_known(memo *memos, uint64_t number, memo **ret, uint32_t *column)
{
    *ret = memo_of(memos, number);
    if ((*ret)->index == 0 || (*ret)->number != number) {
        return false;
    }
    *column = (*ret)->index - 1;
    return true;
}

static bool remember(alm_result_writer *writer, const char *text, uint64_t number, memo *ret,
                     uint32_t *column)
{
    if (!string_index(writer, alm_str_from(text), column)) {
        return false;
    }
    *ret = (memo){number, *column + 1};
    return true;
}

static bool period_put(alm_result_writer *writer, alm_period period, uint32_t *column)
{
    uint64_t number =
        (uint64_t)period.freq << 48 | (uint64_t)period.length << 32 | (uint32_t)period.ordinal;
    char text[ALM_PERIOD_TEXT_MAX];
    memo *found;
    if (is_known(writer->periods, number, &found, column)) {
        return true;
    }
    alm_period_format(period, text);
    return remember(writer, text, number, found, column);
}

static bool date_put(alm_result_writer *writer, alm_date date, uint32_t *column)
{
    char text[ALM_PERIOD_TEXT_MAX];
    memo *found;
    if (is_known(writer->dates, (uint32_t)date, &found, column)) {
        return true;
    }
    alm_date_format(date, text);
    return remember(writer, text, (uint32_t)date, found, column);
}

static bool unit_put(alm_result_writer *writer, alm_unit unit, uint32_t *column)
{
    char text[ALM_UNIT_TEXT_MAX] = "";
    memo *found;
    if (is_known(writer->units, alm_unit_pack(unit), &found, column)) {
        return true;
    }
    if (unit.measure != ALM_MEASURE_UNIT_NONE) {
        alm_unit_code(unit, text);
    }
    return remember(writer, text, alm_unit_pack(unit), found, column);
}

static bool texts_put(alm_result_writer *writer, const alm_result_row *row)
{
    Almanac__V1__ResultBlock *block = writer->block;
    size_t i = block->rows;
    const char *accumulation =
        row->accumulation == ALM_ACCUMULATION_NONE ? "" : alm_accumulation_code(row->accumulation);
    return text_put(writer, row->indicator, block->indicator) &&
           text_put(writer, row->place, block->place) &&
           period_put(writer, row->period, &block->period[i]) &&
           text_put(writer, row->measure, block->measure) &&
           text_put(writer, alm_str_from(accumulation), block->accumulation) &&
           text_put(writer, row->breakdown, block->breakdown) &&
           text_put(writer, row->relation, block->relation) &&
           unit_put(writer, row->value.unit, &block->unit[i]) &&
           text_put(writer, row->source, block->source) &&
           date_put(writer, row->published, &block->published[i]) &&
           text_put(writer, row->note, block->note) &&
           text_put(writer, row->reason, block->reason) &&
           text_put(writer, row->transform, block->transform);
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
    if (i == writer->row_cap && !columns_grow(writer)) {
        return exhausted(st);
    }
    if (!texts_put(writer, row) || !pace_put(writer, row->pace)) {
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
