#include "fake_block.h"

#include "pace.h"

#include "alm/str.h"

#define STATUS_LETTERS "APEFBIDUMQOLW"

char *fake_text(alm_arena *arena, const char *text)
{
    char *copy = alm_arena_strdup(arena, alm_str_from(text));
    ALM_ASSERT(copy != NULL);
    return copy;
}

static void *column(alm_arena *arena, size_t count, size_t size)
{
    void *values = alm_arena_calloc(arena, count, size);
    ALM_ASSERT(values != NULL);
    return values;
}

// No table of texts is longer than the rows need.
static uint32_t intern(Almanac__V1__ResultBlock *block, const char *text)
{
    size_t len = strlen(text);
    size_t from = 0;
    for (size_t i = 0; i < block->n_text_ends; i++) {
        size_t end = block->text_ends[i];
        if (end - from == len && memcmp(block->texts + from, text, len) == 0) {
            return (uint32_t)i;
        }
        from = end + 1;
    }
    memcpy(block->texts + from, text, len);
    block->texts[from + len] = '\n';
    block->text_ends[block->n_text_ends] = (uint32_t)(from + len);
    return (uint32_t)block->n_text_ends++;
}

// All intervals are told; what reads them from digits is tested where blocks come from services.
static void fill_numbers(Almanac__V1__ResultBlock *block, size_t i, const almanac_row *row)
{
    block->mantissa[i] = row->mantissa;
    block->exponent[i] = row->exponent;
    block->has_number[i] = row->has_number;
    block->bounds[i] = ALMANAC__V1__BOUNDS__BOUNDS_TOLD;
    block->lower[i] = row->lower;
    block->upper[i] = row->upper;
    block->qualifier[i] = row->qualifier;
    const char *letter = strchr(STATUS_LETTERS, row->status != '\0' ? row->status : 'A');
    ALM_ASSERT(letter != NULL);
    block->status[i] = (uint32_t)(letter - STATUS_LETTERS);
    block->origin[i] = (uint32_t)row->origin;
    block->of_count[i] = row->of_count;
    block->of_expected[i] = row->of_expected;
}

static Almanac__V1__Figure *figure(alm_arena *arena, const almanac_figure *from)
{
    Almanac__V1__Figure *it = column(arena, 1, sizeof *it);
    almanac__v1__figure__init(it);
    it->has_number = from->has_number;
    it->mantissa = from->mantissa;
    it->exponent = from->exponent;
    it->lower = from->lower;
    it->upper = from->upper;
    it->qualifier = from->qualifier;
    it->unit = fake_text(arena, from->unit);
    it->reason = fake_text(arena, from->reason);
    return it;
}

static Almanac__V1__TargetPace *pace(alm_arena *arena, const almanac_pace *from, size_t row)
{
    Almanac__V1__TargetPace *it = column(arena, 1, sizeof *it);
    almanac__v1__target_pace__init(it);
    it->row = (uint32_t)row;
    it->verdict = (Almanac__V1__PaceVerdict)from->verdict;
    it->why = fake_text(arena, from->why);
    it->until = fake_text(arena, from->until);
    it->per = fake_text(arena, from->per);
#define FIGURE(name) it->name = figure(arena, &from->name);
    ALM_PACE_FIGURES(FIGURE)
#undef FIGURE
    return it;
}

static void fill_paces(Almanac__V1__ResultBlock *block, alm_arena *arena, const almanac_row *rows)
{
    block->pace = column(arena, block->rows, sizeof *block->pace);
    for (size_t i = 0; i < block->rows; i++) {
        if (rows[i].pace != NULL) {
            block->pace[block->n_pace++] = pace(arena, rows[i].pace, i);
        }
    }
}

// The texts of rows: X(column).
#define TEXT_COLUMNS(X)                                                                            \
    X(indicator)                                                                                   \
    X(place)                                                                                       \
    X(period)                                                                                      \
    X(measure)                                                                                     \
    X(accumulation)                                                                                \
    X(breakdown)                                                                                   \
    X(relation)                                                                                    \
    X(unit)                                                                                        \
    X(source)                                                                                      \
    X(published)                                                                                   \
    X(note)                                                                                        \
    X(reason)                                                                                      \
    X(transform)

static size_t text_len(const char *text)
{
    return text == NULL ? 0 : strlen(text);
}

static void fill_texts(Almanac__V1__ResultBlock *block, alm_arena *arena, const almanac_row *rows)
{
    size_t len = 1;
    size_t count = 1;
    for (size_t i = 0; i < block->rows; i++) {
#define TEXT_LEN(name)                                                                             \
    len += text_len(rows[i].name) + 1;                                                             \
    count++;
        TEXT_COLUMNS(TEXT_LEN)
#undef TEXT_LEN
    }
    block->texts = column(arena, len + 1, 1);
    block->text_ends = column(arena, count, sizeof *block->text_ends);
    (void)intern(block, "");
#define TEXTS(name)                                                                                \
    block->name = column(arena, block->rows, sizeof *block->name);                                 \
    block->n_##name = block->rows;                                                                 \
    for (size_t i = 0; i < block->rows; i++) {                                                     \
        block->name[i] = intern(block, rows[i].name != NULL ? rows[i].name : "");                  \
    }
    TEXT_COLUMNS(TEXTS)
#undef TEXTS
}

Almanac__V1__ResultBlock *fake_block(alm_arena *arena, const almanac_row *rows, size_t count)
{
    Almanac__V1__ResultBlock *block = column(arena, 1, sizeof *block);
    almanac__v1__result_block__init(block);
    block->rows = (uint32_t)count;
    block->sequence = count > 0 ? rows[0].sequence : 0;
    fill_texts(block, arena, rows);
#define NUMBERS(name)                                                                              \
    block->name = column(arena, count, sizeof *block->name);                                       \
    block->n_##name = count;
    NUMBERS(mantissa)
    NUMBERS(exponent)
    NUMBERS(has_number)
    NUMBERS(bounds)
    NUMBERS(lower)
    NUMBERS(upper)
    NUMBERS(qualifier)
    NUMBERS(status)
    NUMBERS(origin)
    NUMBERS(of_count)
    NUMBERS(of_expected)
#undef NUMBERS
    for (size_t i = 0; i < count; i++) {
        fill_numbers(block, i, &rows[i]);
    }
    fill_paces(block, arena, rows);
    return block;
}
