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

// No table of strings is shorter than the rows need; doubles do not matter to a test.
static uint32_t intern(Almanac__V1__ResultBlock *block, alm_arena *arena, const char *text)
{
    alm_str wanted = alm_str_from(text);
    for (size_t i = 0; i < block->n_strings; i++) {
        if (alm_str_eq(alm_str_from(block->strings[i]), wanted)) {
            return (uint32_t)i;
        }
    }
    block->strings[block->n_strings] = fake_text(arena, text);
    return (uint32_t)block->n_strings++;
}

static void fill_numbers(Almanac__V1__ResultBlock *block, size_t i, const almanac_row *row)
{
    block->mantissa[i] = row->mantissa;
    block->exponent[i] = row->exponent;
    block->has_number[i] = row->has_number;
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

Almanac__V1__ResultBlock *fake_block(alm_arena *arena, const almanac_row *rows, size_t count)
{
    Almanac__V1__ResultBlock *block = column(arena, 1, sizeof *block);
    almanac__v1__result_block__init(block);
    block->rows = (uint32_t)count;
    block->sequence = count > 0 ? rows[0].sequence : 0;
    block->strings = column(arena, 13 * count + 1, sizeof *block->strings);
    (void)intern(block, arena, "");
#define TEXTS(name)                                                                                \
    block->name = column(arena, count, sizeof *block->name);                                       \
    block->n_##name = count;                                                                       \
    for (size_t i = 0; i < count; i++) {                                                           \
        block->name[i] = intern(block, arena, rows[i].name);                                       \
    }
    TEXTS(indicator)
    TEXTS(place)
    TEXTS(period)
    TEXTS(measure)
    TEXTS(accumulation)
    TEXTS(breakdown)
    TEXTS(relation)
    TEXTS(unit)
    TEXTS(source)
    TEXTS(published)
    TEXTS(note)
    TEXTS(reason)
    TEXTS(transform)
#undef TEXTS
#define NUMBERS(name)                                                                              \
    block->name = column(arena, count, sizeof *block->name);                                       \
    block->n_##name = count;
    NUMBERS(mantissa)
    NUMBERS(exponent)
    NUMBERS(has_number)
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
