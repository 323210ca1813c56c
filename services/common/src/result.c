#include "alm/wire.h"

#include "result_texts.h"

#include <math.h>

// A column of the block that is being filled. Most hold one value in all rows: only when another
// comes is it written out.
typedef struct column {
    void *each; // NULL: every row so far has `all`
    size_t cap;
    uint64_t all; // its bits
} column;

// X(column, element type): of 32 bits, texts' indexes first.
#define TEXT_COLUMNS(X)                                                                            \
    X(indicator, uint32_t)                                                                         \
    X(place, uint32_t)                                                                             \
    X(period, uint32_t)                                                                            \
    X(measure, uint32_t)                                                                           \
    X(accumulation, uint32_t)                                                                      \
    X(breakdown, uint32_t)                                                                         \
    X(relation, uint32_t)                                                                          \
    X(transform, uint32_t)                                                                         \
    X(unit, uint32_t)                                                                              \
    X(source, uint32_t)                                                                            \
    X(published, uint32_t)                                                                         \
    X(note, uint32_t)                                                                              \
    X(reason, uint32_t)
#define NUMBER_COLUMNS(X)                                                                          \
    X(mantissa, int64_t)                                                                           \
    X(exponent, int32_t)                                                                           \
    X(has_number, uint32_t)                                                                        \
    X(bounds, uint32_t)                                                                            \
    X(lower, double)                                                                               \
    X(upper, double)                                                                               \
    X(qualifier, uint32_t)                                                                         \
    X(status, uint32_t)                                                                            \
    X(origin, uint32_t)                                                                            \
    X(of_count, uint32_t)                                                                          \
    X(of_expected, uint32_t)
#define COLUMNS(X) TEXT_COLUMNS(X) NUMBER_COLUMNS(X)

struct alm_result_writer {
    alm_arena *arena;
    uint64_t sequence;
    bool is_begun; // what follows is of the block that is being filled
    size_t rows;
#define COLUMN_MEMBER(name, type) column name;
    COLUMNS(COLUMN_MEMBER)
#undef COLUMN_MEMBER
    Almanac__V1__TargetPace **paces;
    size_t pace_count, pace_cap;
    alm_result_texts texts;
};

static alm_code exhausted(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "result: out of memory");
}

alm_code alm_result_writer_create(alm_arena *arena, uint64_t sequence, alm_result_writer **ret,
                                  alm_status *st)
{
    alm_result_writer *writer = alm_arena_alloc(arena, sizeof *writer);
    if (writer == NULL) {
        return exhausted(st);
    }
    writer->arena = arena;
    writer->sequence = sequence;
    writer->is_begun = false;
    *ret = writer;
    return ALM_OK;
}

static bool begin(alm_result_writer *writer)
{
    if (writer->is_begun) {
        return true;
    }
    writer->rows = 0;
#define COLUMN_BEGIN(name, type) writer->name = (column){0};
    COLUMNS(COLUMN_BEGIN)
#undef COLUMN_BEGIN
    writer->paces = NULL;
    writer->pace_count = writer->pace_cap = 0;
    writer->is_begun = alm_result_texts_init(&writer->texts, writer->arena);
    return writer->is_begun;
}

// --- columns -------------------------------------------------------------------------------------
// An element, of 32 or 64 bits, travels through here as an integer.

static inline uint64_t bits_of(const void *value, size_t size)
{
    uint32_t half;
    uint64_t whole;
    if (size == sizeof half) {
        memcpy(&half, value, sizeof half);
        return half;
    }
    memcpy(&whole, value, sizeof whole);
    return whole;
}

static void store(void *elements, size_t i, uint64_t bits, size_t size)
{
    uint32_t half = (uint32_t)bits;
    if (size == sizeof half) {
        memcpy((char *)elements + i * sizeof half, &half, sizeof half);
    } else {
        memcpy((char *)elements + i * sizeof bits, &bits, sizeof bits);
    }
}

static void fill(column *it, size_t from, size_t to, uint64_t bits, size_t size)
{
    for (size_t i = from; i < to; i++) {
        store(it->each, i, bits, size);
    }
}

// Room for `count` more rows in a column that is, or will be, written out.
static bool write_out(alm_result_writer *writer, column *it, size_t size, size_t count)
{
    bool is_out = it->each != NULL;
    if (!alm_arena_grow(writer->arena, &it->each, &it->cap, writer->rows + count, size)) {
        return false;
    }
    if (!is_out) {
        fill(it, 0, writer->rows, it->all, size);
    }
    return true;
}

// `count` more rows with the same value.
static bool put_all(alm_result_writer *writer, column *it, uint64_t bits, size_t size, size_t count)
{
    if (it->each == NULL && writer->rows == 0) {
        it->all = bits;
    }
    if (it->each == NULL && it->all == bits) {
        return true;
    }
    if (!write_out(writer, it, size, count)) {
        return false;
    }
    fill(it, writer->rows, writer->rows + count, bits, size);
    return true;
}

static bool put(alm_result_writer *writer, column *it, uint64_t bits, size_t size)
{
    if (it->each == NULL || writer->rows == it->cap) {
        return put_all(writer, it, bits, size, 1);
    }
    store(it->each, writer->rows, bits, size);
    return true;
}

// One more row. Nearly always its value is that of all before.
#define PUT(name, bits, size)                                                                      \
    ((writer->name.each == NULL && writer->name.all == (bits)) ||                                  \
     put(writer, &writer->name, (bits), (size)))

static bool put_each(alm_result_writer *writer, column *it, const void *values, size_t size,
                     size_t count)
{
    if (memcmp(values, (const char *)values + size, (count - 1) * size) == 0) {
        return put_all(writer, it, bits_of(values, size), size, count);
    }
    if (!write_out(writer, it, size, count)) {
        return false;
    }
    memcpy((char *)it->each + writer->rows * size, values, count * size);
    return true;
}

alm_code alm_result_writer_columns(alm_result_writer *writer, const alm_result_columns *columns,
                                   alm_status *st)
{
    ALM_ASSERT(columns->count <= alm_result_writer_room(writer));
    if (columns->count == 0) {
        return ALM_OK;
    }
    bool is_good = begin(writer);
#define COLUMN_PUT(name, type)                                                                     \
    is_good =                                                                                      \
        is_good &&                                                                                 \
        (columns->name.each != NULL                                                                \
             ? put_each(writer, &writer->name, columns->name.each, sizeof(type), columns->count)   \
             : put_all(writer, &writer->name, bits_of(&columns->name.all, sizeof(type)),           \
                       sizeof(type), columns->count));
    COLUMNS(COLUMN_PUT)
#undef COLUMN_PUT
    if (!is_good) {
        return exhausted(st);
    }
    writer->rows += columns->count;
    return ALM_OK;
}

// --- texts ---------------------------------------------------------------------------------------

alm_code alm_result_writer_text(alm_result_writer *writer, alm_str text, uint32_t *ret,
                                alm_status *st)
{
    bool is_good = begin(writer) && alm_result_texts_index(&writer->texts, text, ret);
    return is_good ? ALM_OK : exhausted(st);
}

alm_code alm_text_list_make(const alm_str *texts, size_t count, alm_arena *arena,
                            alm_text_list *ret, alm_status *st)
{
    size_t len = count; // of line feeds
    for (size_t i = 0; i < count; i++) {
        len += texts[i].len;
    }
    ALM_ASSERT(len < UINT32_MAX);
    char *bytes = alm_arena_alloc(arena, len);
    uint32_t *ends = alm_arena_calloc(arena, count, sizeof *ends);
    if (bytes == NULL || ends == NULL) {
        return exhausted(st);
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + at, texts[i].data, texts[i].len);
        at += texts[i].len;
        ends[i] = (uint32_t)at;
        bytes[at++] = '\n';
    }
    *ret = (alm_text_list){bytes, ends, count};
    return ALM_OK;
}

alm_code alm_result_writer_texts(alm_result_writer *writer, const alm_text_list *list,
                                 uint32_t *ret, alm_status *st)
{
    bool is_good = begin(writer) && alm_result_texts_append(&writer->texts, list, ret);
    return is_good ? ALM_OK : exhausted(st);
}

alm_code alm_result_writer_period(alm_result_writer *writer, alm_period period, uint32_t *ret,
                                  alm_status *st)
{
    bool is_good = begin(writer) && alm_result_texts_period(&writer->texts, period, ret);
    return is_good ? ALM_OK : exhausted(st);
}

alm_code alm_result_writer_date(alm_result_writer *writer, alm_date date, uint32_t *ret,
                                alm_status *st)
{
    bool is_good = begin(writer) && alm_result_texts_date(&writer->texts, date, ret);
    return is_good ? ALM_OK : exhausted(st);
}

alm_code alm_result_writer_unit(alm_result_writer *writer, alm_unit unit, uint32_t *ret,
                                alm_status *st)
{
    bool is_good = begin(writer) && alm_result_texts_unit(&writer->texts, unit, ret);
    return is_good ? ALM_OK : exhausted(st);
}

// Nearly always it is the text of the row before.
static bool text_of_row(alm_result_writer *writer, const column *it, alm_str text, uint32_t *ret)
{
    const uint32_t *each = it->each;
    uint32_t last = each != NULL ? each[writer->rows - 1] : (uint32_t)it->all;
    if (alm_result_texts_is(&writer->texts, last, text)) {
        *ret = last;
        return true;
    }
    return alm_result_texts_index(&writer->texts, text, ret);
}

// --- rows ----------------------------------------------------------------------------------------

static bool has_same_bits(double a, double b)
{
    uint64_t bits_of_a, bits_of_b;
    memcpy(&bits_of_a, &a, sizeof a);
    memcpy(&bits_of_b, &b, sizeof b);
    return bits_of_a == bits_of_b;
}

static bool is_same(alm_interval a, alm_interval b)
{
    return has_same_bits(a.lower, b.lower) && has_same_bits(a.upper, b.upper);
}

Almanac__V1__Bounds alm_result_bounds(const alm_value *value, alm_interval interval)
{
    alm_value digits = {.number = value->number, .has_number = value->has_number};
    if (is_same(interval, alm_value_interval(&digits))) {
        return ALMANAC__V1__BOUNDS__BOUNDS_DIGITS;
    }
    if (value->has_number && interval.lower == interval.upper) {
        double number = alm_decimal_to_double(value->number);
        if (is_same(interval, (alm_interval){number, number})) {
            return ALMANAC__V1__BOUNDS__BOUNDS_NUMBER;
        }
    }
    return ALMANAC__V1__BOUNDS__BOUNDS_TOLD;
}

static bool texts_put(alm_result_writer *writer, const alm_result_row *row)
{
    const char *code =
        row->accumulation == ALM_ACCUMULATION_NONE ? "" : alm_accumulation_code(row->accumulation);
    alm_str accumulation = alm_str_from(code);
    uint32_t index;
#define TEXT_PUT(name, text)                                                                       \
    (text_of_row(writer, &writer->name, text, &index) && PUT(name, index, sizeof index))
    bool is_good = TEXT_PUT(indicator, row->indicator) && TEXT_PUT(place, row->place) &&
                   TEXT_PUT(measure, row->measure) && TEXT_PUT(accumulation, accumulation) &&
                   TEXT_PUT(breakdown, row->breakdown) && TEXT_PUT(relation, row->relation) &&
                   TEXT_PUT(transform, row->transform) && TEXT_PUT(source, row->source) &&
                   TEXT_PUT(note, row->note) && TEXT_PUT(reason, row->reason);
#undef TEXT_PUT
    return is_good && alm_result_texts_period(&writer->texts, row->period, &index) &&
           PUT(period, index, sizeof index) &&
           alm_result_texts_unit(&writer->texts, row->value.unit, &index) &&
           PUT(unit, index, sizeof index) &&
           alm_result_texts_date(&writer->texts, row->published, &index) &&
           PUT(published, index, sizeof index);
}

static bool numbers_put(alm_result_writer *writer, const alm_result_row *row)
{
    alm_decimal number = row->value.has_number ? row->value.number : (alm_decimal){0};
    Almanac__V1__Bounds bounds = alm_result_bounds(&row->value, row->interval);
    bool is_told = bounds == ALMANAC__V1__BOUNDS__BOUNDS_TOLD;
    alm_interval told = is_told ? row->interval : (alm_interval){0};
    int64_t mantissa = number.mantissa;
    int32_t exponent = number.exponent;
    uint32_t origin = row->computed ? ALMANAC__V1__ORIGIN__ORIGIN_COMPUTED
                                    : ALMANAC__V1__ORIGIN__ORIGIN_PUBLISHED;
#define NUMBER_PUT(name, value) PUT(name, bits_of(&(value), sizeof(value)), sizeof(value))
    return NUMBER_PUT(mantissa, mantissa) && NUMBER_PUT(exponent, exponent) &&
           NUMBER_PUT(lower, told.lower) && NUMBER_PUT(upper, told.upper) &&
           NUMBER_PUT(origin, origin) && NUMBER_PUT(of_count, row->of_count) &&
           NUMBER_PUT(of_expected, row->of_expected) &&
           PUT(has_number, row->value.has_number, sizeof(uint32_t)) &&
           PUT(bounds, (uint32_t)bounds, sizeof(uint32_t)) &&
           PUT(qualifier, row->value.qualifier, sizeof(uint32_t)) &&
           PUT(status, row->value.status, sizeof(uint32_t));
#undef NUMBER_PUT
}

// --- paces ---------------------------------------------------------------------------------------

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
    it->row = (uint32_t)writer->rows;
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
    if (pace == NULL) {
        return true;
    }
    void *paces = writer->paces;
    Almanac__V1__TargetPace *it = pace_of(writer, pace);
    if (it == NULL || !alm_arena_grow(writer->arena, &paces, &writer->pace_cap,
                                      writer->pace_count + 1, sizeof(Almanac__V1__TargetPace *))) {
        return false;
    }
    writer->paces = paces;
    writer->paces[writer->pace_count++] = it;
    return true;
}

alm_code alm_result_writer_add(alm_result_writer *writer, const alm_result_row *row, alm_status *st)
{
    ALM_ASSERT(!alm_result_writer_full(writer));
    if (!begin(writer) || !texts_put(writer, row) || !numbers_put(writer, row) ||
        !pace_put(writer, row->pace)) {
        return exhausted(st);
    }
    writer->rows++;
    return ALM_OK;
}

// --- blocks --------------------------------------------------------------------------------------

size_t alm_result_writer_rows(const alm_result_writer *writer)
{
    return writer->is_begun ? writer->rows : 0;
}

size_t alm_result_writer_room(const alm_result_writer *writer)
{
    return ALM_RESULT_BLOCK_ROW_COUNT - alm_result_writer_rows(writer);
}

bool alm_result_writer_full(const alm_result_writer *writer)
{
    return writer->is_begun && (alm_result_writer_room(writer) == 0 ||
                                writer->pace_count >= ALM_RESULT_BLOCK_PACE_COUNT);
}

// Pairs of a value and how many rows have it, where that is shorter.
static bool runs_take(alm_result_writer *writer, void **each, size_t *count)
{
    const uint32_t *values = *each;
    size_t run_count = 1;
    for (size_t i = 1; i < writer->rows; i++) {
        run_count += values[i] != values[i - 1];
    }
    if (run_count * 2 >= writer->rows) {
        return true;
    }
    uint32_t *pairs = alm_arena_alloc(writer->arena, run_count * 2 * sizeof *pairs);
    if (pairs == NULL) {
        return false;
    }
    *each = pairs;
    *count = run_count * 2;
    for (size_t from = 0, to = 1; to <= writer->rows; to++) {
        if (to == writer->rows || values[to] != values[from]) {
            *pairs++ = values[from];
            *pairs++ = (uint32_t)(to - from);
            from = to;
        }
    }
    return true;
}

// A column as it travels: written out or in runs, one value, or nothing for zeros.
static bool column_take(alm_result_writer *writer, const column *it, size_t size, void **ret,
                        size_t *ret_count)
{
    *ret = it->each;
    *ret_count = writer->rows;
    if (it->each != NULL) {
        return size != sizeof(uint32_t) || runs_take(writer, ret, ret_count);
    }
    *ret_count = it->all != 0 ? 1 : 0;
    *ret = it->all != 0 ? alm_arena_alloc(writer->arena, size) : NULL;
    if (*ret != NULL) {
        store(*ret, 0, it->all, size);
    }
    return *ret != NULL || *ret_count == 0;
}

static bool block_fill(alm_result_writer *writer, Almanac__V1__ResultBlock *block)
{
    void *each;
    bool is_good = true;
    block->rows = (uint32_t)writer->rows;
    block->texts = writer->texts.bytes;
    block->text_ends = writer->texts.ends;
    block->n_text_ends = writer->texts.count;
    block->pace = writer->paces;
    block->n_pace = writer->pace_count;
#define COLUMN_TAKE(name, type)                                                                    \
    is_good =                                                                                      \
        is_good && column_take(writer, &writer->name, sizeof(type), &each, &block->n_##name);      \
    block->name = is_good ? each : NULL;
    COLUMNS(COLUMN_TAKE)
#undef COLUMN_TAKE
    return is_good;
}

alm_code alm_result_writer_take(alm_result_writer *writer, Almanac__V1__ResultBlock **ret,
                                alm_status *st)
{
    Almanac__V1__ResultBlock *block = alm_arena_alloc(writer->arena, sizeof *block);
    if (block == NULL) {
        return exhausted(st);
    }
    almanac__v1__result_block__init(block);
    block->sequence = writer->sequence;
    if (writer->is_begun && !block_fill(writer, block)) {
        return exhausted(st);
    }
    writer->is_begun = false;
    *ret = block;
    return ALM_OK;
}
