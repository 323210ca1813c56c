#include "series_pack.h"

#include "alm/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>

// The columns of a pack as numbers that sort like the values: X(name, type, to a number, from one).
// Places stand apart.
#define SIGN              UINT64_C(0x8000000000000000)
#define SIGNED_OF(value)  ((uint64_t)(int64_t)(value) ^ SIGN)
#define OF_SIGNED(number) ((int64_t)((number) ^ SIGN))
#define VALUE_COLUMN_MAP(X)                                                                        \
    X(period, alm_period, alm_period_pack(value), period_of(number))                               \
    X(mantissa, int64_t, SIGNED_OF(value), OF_SIGNED(number))                                      \
    X(exponent, int32_t, SIGNED_OF(value), (int32_t)OF_SIGNED(number))                             \
    X(unit, alm_unit, alm_unit_pack(value), alm_unit_unpack((uint32_t)(number)))                   \
    X(flags, uint32_t, value, (uint32_t)(number))                                                  \
    X(source, uint32_t, value, (uint32_t)(number))                                                 \
    X(published, alm_date, SIGNED_OF(value), (alm_date)OF_SIGNED(number))                          \
    X(sequence, uint64_t, value, number)
#define PACKED_COLUMN_MAP(X) VALUE_COLUMN_MAP(X) X(note, uint32_t, value, (uint32_t)(number))

enum {
#define COLUMN_NUMBER(name, type, to, from) COLUMN_##name,
    PACKED_COLUMN_MAP(COLUMN_NUMBER) COLUMN_COUNT
#undef COLUMN_NUMBER
};

static alm_period period_of(uint64_t packed)
{
    alm_period period = {0};
    bool is_period = alm_period_unpack(packed, &period);
    ALM_ASSERT(is_period); // it was one when it was packed
    return period;
}

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for series to keep");
}

static alm_code out_of_order(alm_str variant, alm_status *st)
{
    return alm_status_set(st, ALM_INTERNAL, "storage answered rows out of order: %.*s",
                          ALM_STR_ARGS(variant));
}

// --- the draft -----------------------------------------------------------------------------------

typedef struct draft_variant {
    alm_str text;
    uint64_t *columns[COLUMN_COUNT]; // an element a row
    uint16_t *places;                // likewise, from the pack's first on
    size_t count, cap, places_cap, caps[COLUMN_COUNT];
} draft_variant;

struct alm_pack_draft {
    alm_arena *arena;
    alm_place_id first_place;
    draft_variant **variants;
    size_t variant_count, variant_cap;
    alm_str *notes; // [0] is none
    size_t note_count, note_cap;
    size_t row_count;
};

static bool add_note(alm_pack_draft *draft, alm_str text, uint64_t *ret)
{
    void *notes = draft->notes;
    size_t last = draft->note_count - 1; // rows that follow each other often have the same
    if (draft->note_count > 0 && alm_str_eq(draft->notes[last], text)) {
        *ret = last;
        return true;
    }
    const char *copy = alm_arena_strdup(draft->arena, text);
    if (copy == NULL || !alm_arena_grow(draft->arena, &notes, &draft->note_cap,
                                        draft->note_count + 1, sizeof *draft->notes)) {
        return false;
    }
    draft->notes = notes;
    *ret = draft->note_count;
    draft->notes[draft->note_count++] = (alm_str){copy, text.len};
    return true;
}

alm_pack_draft *alm_pack_draft_create(alm_place_id first_place, alm_arena *arena)
{
    ALM_ASSERT(first_place % ALM_PACK_PLACE_COUNT == 0);
    uint64_t none;
    alm_pack_draft *draft = alm_arena_calloc(arena, 1, sizeof *draft);
    if (draft == NULL) {
        return NULL;
    }
    draft->arena = arena;
    draft->first_place = first_place;
    return add_note(draft, ALM_STR(""), &none) ? draft : NULL;
}

// Rows of a variant come in visits that follow each other.
static draft_variant *variant_of(alm_pack_draft *draft, alm_str text)
{
    void *variants = draft->variants;
    for (size_t i = draft->variant_count; i > 0; i--) {
        if (alm_str_eq(draft->variants[i - 1]->text, text)) {
            return draft->variants[i - 1];
        }
    }
    draft_variant *fresh = alm_arena_calloc(draft->arena, 1, sizeof *fresh);
    const char *copy = alm_arena_strdup(draft->arena, text);
    if (fresh == NULL || copy == NULL ||
        !alm_arena_grow(draft->arena, &variants, &draft->variant_cap, draft->variant_count + 1,
                        sizeof *draft->variants)) {
        return NULL;
    }
    fresh->text = (alm_str){copy, text.len};
    draft->variants = variants;
    draft->variants[draft->variant_count++] = fresh;
    return fresh;
}

static bool grow(alm_pack_draft *draft, draft_variant *variant, size_t need)
{
    void *places = variant->places;
    if (!alm_arena_grow(draft->arena, &places, &variant->places_cap, need,
                        sizeof *variant->places)) {
        return false;
    }
    variant->places = places;
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        void *column = variant->columns[c];
        if (!alm_arena_grow(draft->arena, &column, &variant->caps[c], need, sizeof(uint64_t))) {
            return false;
        }
        variant->columns[c] = column;
    }
    return true;
}

// Rows from..to-1, which are of one variant.
static bool add_rows(alm_pack_draft *draft, draft_variant *variant, const alm_obs_columns *rows,
                     size_t from, size_t to)
{
    size_t at = variant->count;
    if (!grow(draft, variant, at + to - from)) {
        return false;
    }
#define COLUMN_TAKE(name, type, to_number, from_number)                                            \
    for (size_t i = from; i < to; i++) {                                                           \
        type value = ALM_OBS_AT(rows, name, i);                                                    \
        variant->columns[COLUMN_##name][at + i - from] = to_number;                                \
    }
    PACKED_COLUMN_MAP(COLUMN_TAKE)
#undef COLUMN_TAKE
    for (size_t i = from; i < to; i++) {
        uint64_t *note = &variant->columns[COLUMN_note][at + i - from];
        variant->places[at + i - from] =
            (uint16_t)(ALM_OBS_AT(rows, place, i) - draft->first_place);
        if (*note != 0 && !add_note(draft, rows->notes[*note], note)) {
            return false;
        }
    }
    variant->count += to - from;
    draft->row_count += to - from;
    return true;
}

static bool has_place(const alm_pack_draft *draft, alm_place_id place)
{
    return place >= draft->first_place && place - draft->first_place < ALM_PACK_PLACE_COUNT;
}

alm_code alm_pack_draft_visit(void *arg, const alm_str *variants, size_t variant_count,
                              const alm_obs_columns *rows, alm_status *st)
{
    alm_pack_draft *draft = arg;
    if (rows->count > ALM_PACK_ROW_COUNT_MAX - draft->row_count) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "more than %d rows of %d places",
                              ALM_PACK_ROW_COUNT_MAX, ALM_PACK_PLACE_COUNT);
    }
    for (size_t from = 0, to; from < rows->count; from = to) {
        uint32_t of = ALM_OBS_AT(rows, variant, from);
        ALM_ASSERT(of < variant_count);
        for (to = from; to < rows->count && ALM_OBS_AT(rows, variant, to) == of; to++) {
            if (!has_place(draft, ALM_OBS_AT(rows, place, to))) {
                return alm_status_set(st, ALM_INTERNAL, "storage answered place %u, unasked",
                                      ALM_OBS_AT(rows, place, to));
            }
        }
        draft_variant *variant = variant_of(draft, variants[of]);
        if (variant == NULL || !add_rows(draft, variant, rows, from, to)) {
            return no_memory(st);
        }
    }
    return ALM_OK;
}

// --- the pack ------------------------------------------------------------------------------------

typedef struct packed_column {
    uint64_t base;       // the lowest
    const uint8_t *more; // what each row has more, in `width` bytes
    uint8_t width;       // 0, 1, 2, 4 or 8
} packed_column;

typedef struct packed_variant {
    alm_str text;
    packed_column columns[COLUMN_COUNT];
    const uint16_t *places; // that have rows, ascending, from the pack's first on
    const uint32_t *first;  // row of each, and one behind the last
    size_t place_count, row_count;
} packed_variant;

struct alm_series_pack {
    atomic_uint holders;
    size_t bytes, row_count;
    alm_place_id first_place;
    packed_variant *variants;
    size_t variant_count;
    const alm_str *notes;
    size_t note_count;
};

static uint8_t width_of(uint64_t more)
{
    return more == 0            ? 0
           : more <= UINT8_MAX  ? 1
           : more <= UINT16_MAX ? 2
           : more <= UINT32_MAX ? 4
                                : 8;
}

static void put(uint8_t *at, uint8_t width, uint64_t more)
{
    uint16_t two = (uint16_t)more;
    uint32_t four = (uint32_t)more;
    switch (width) {
    case 1:
        *at = (uint8_t)more;
        break;
    case 2:
        memcpy(at, &two, sizeof two);
        break;
    case 4:
        memcpy(at, &four, sizeof four);
        break;
    default:
        ALM_ASSERT(width == 8);
        memcpy(at, &more, sizeof more);
    }
}

static inline uint64_t get(const packed_column *column, size_t row)
{
    const uint8_t *at = column->more + row * column->width;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (column->width) {
    case 0:
        return column->base;
    case 1:
        return column->base + *at;
    case 2:
        memcpy(&two, at, sizeof two);
        return column->base + two;
    case 4:
        memcpy(&four, at, sizeof four);
        return column->base + four;
    default:
        memcpy(&eight, at, sizeof eight);
        return column->base + eight;
    }
}

// One piece of memory, given out from its beginning; without memory it only counts.
typedef struct piece {
    uint8_t *memory;
    size_t used;
} piece;

static void *take(piece *from, size_t bytes)
{
    void *ret = from->memory == NULL ? NULL : from->memory + from->used;
    from->used += (bytes + 7) / 8 * 8;
    return ret;
}

static alm_str take_text(piece *from, alm_str text)
{
    char *copy = take(from, text.len);
    if (copy != NULL) {
        memcpy(copy, text.data, text.len);
    }
    return (alm_str){copy, text.len};
}

// The rows by place, those of one staying in their order; first[p]: of place p.
static void order_rows(const draft_variant *variant, uint32_t *order,
                       uint32_t first[ALM_PACK_PLACE_COUNT + 1])
{
    uint32_t next[ALM_PACK_PLACE_COUNT];
    memset(first, 0, (ALM_PACK_PLACE_COUNT + 1) * sizeof *first);
    for (size_t i = 0; i < variant->count; i++) {
        first[variant->places[i] + 1]++;
    }
    for (size_t p = 0; p < ALM_PACK_PLACE_COUNT; p++) {
        next[p] = first[p];
        first[p + 1] += first[p];
    }
    for (size_t i = 0; i < variant->count; i++) {
        order[next[variant->places[i]]++] = (uint32_t)i;
    }
}

static void pack_column(const uint64_t *values, size_t count, const uint32_t *order, piece *from,
                        packed_column *ret)
{
    uint64_t low = UINT64_MAX, high = 0;
    for (size_t i = 0; i < count; i++) {
        low = ALM_MIN(low, values[i]);
        high = ALM_MAX(high, values[i]);
    }
    uint8_t width = width_of(high - low);
    uint8_t *more = take(from, count * width);
    for (size_t i = 0; more != NULL && width > 0 && i < count; i++) {
        put(more + i * width, width, values[order[i]] - low);
    }
    *ret = (packed_column){.base = low, .more = more, .width = width};
}

static bool is_in_order(const draft_variant *variant, const uint32_t *order,
                        const uint32_t first[ALM_PACK_PLACE_COUNT + 1])
{
    const uint64_t *periods = variant->columns[COLUMN_period];
    for (size_t p = 0; p < ALM_PACK_PLACE_COUNT; p++) {
        for (size_t i = first[p] + 1; i < first[p + 1]; i++) {
            if (periods[order[i - 1]] >= periods[order[i]]) {
                return false;
            }
        }
    }
    return true;
}

static void pack_places(const uint32_t first[ALM_PACK_PLACE_COUNT + 1], piece *from,
                        packed_variant *ret)
{
    size_t count = 0;
    for (size_t p = 0; p < ALM_PACK_PLACE_COUNT; p++) {
        count += first[p] < first[p + 1];
    }
    uint16_t *places = take(from, count * sizeof *places);
    uint32_t *firsts = take(from, (count + 1) * sizeof *firsts);
    ret->place_count = count;
    ret->places = places;
    ret->first = firsts;
    if (places == NULL) {
        return;
    }
    for (size_t p = 0, at = 0; p < ALM_PACK_PLACE_COUNT; p++) {
        if (first[p] < first[p + 1]) {
            places[at] = (uint16_t)p;
            firsts[at++] = first[p];
        }
    }
    firsts[count] = (uint32_t)ret->row_count;
}

static alm_code pack_variant(const draft_variant *variant, uint32_t *order, piece *from,
                             packed_variant *ret, alm_status *st)
{
    uint32_t first[ALM_PACK_PLACE_COUNT + 1];
    order_rows(variant, order, first);
    if (!is_in_order(variant, order, first)) {
        return out_of_order(variant->text, st);
    }
    *ret = (packed_variant){.text = take_text(from, variant->text), .row_count = variant->count};
    pack_places(first, from, ret);
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        pack_column(variant->columns[c], variant->count, order, from, &ret->columns[c]);
    }
    return ALM_OK;
}

// Twice alike: to count, and to write.
static alm_code pack_all(const alm_pack_draft *draft, uint32_t *order, piece *from,
                         alm_series_pack **ret, alm_status *st)
{
    alm_series_pack *pack = take(from, sizeof *pack);
    packed_variant *variants = take(from, draft->variant_count * sizeof *variants);
    alm_str *notes = take(from, draft->note_count * sizeof *notes);
    for (size_t i = 0; i < draft->note_count; i++) {
        alm_str note = take_text(from, draft->notes[i]);
        if (notes != NULL) {
            notes[i] = note;
        }
    }
    for (size_t v = 0; v < draft->variant_count; v++) {
        packed_variant packed;
        ALM_TRY(pack_variant(draft->variants[v], order, from, &packed, st));
        if (variants != NULL) {
            variants[v] = packed;
        }
    }
    if (pack != NULL) {
        *pack = (alm_series_pack){.bytes = from->used,
                                  .row_count = draft->row_count,
                                  .first_place = draft->first_place,
                                  .variants = variants,
                                  .variant_count = draft->variant_count,
                                  .notes = notes,
                                  .note_count = draft->note_count};
        atomic_init(&pack->holders, 1);
    }
    *ret = pack;
    return ALM_OK;
}

alm_code alm_series_pack_create(const alm_pack_draft *draft, alm_series_pack **ret, alm_status *st)
{
    piece counted = {0};
    alm_series_pack *pack;
    uint32_t *order = alm_arena_calloc(draft->arena, draft->row_count, sizeof *order);
    if (order == NULL) {
        return no_memory(st);
    }
    ALM_TRY(pack_all(draft, order, &counted, &pack, st));
    piece written = {.memory = alm_alloc(counted.used)};
    if (written.memory == NULL) {
        return no_memory(st);
    }
    alm_code code = pack_all(draft, order, &written, ret, st);
    ALM_ASSERT(code == ALM_OK && written.used == counted.used);
    return ALM_OK;
}

alm_series_pack *alm_series_pack_retain(alm_series_pack *pack)
{
    atomic_fetch_add(&pack->holders, 1);
    return pack;
}

void alm_series_pack_release(alm_series_pack **pack)
{
    if (*pack != NULL && atomic_fetch_sub(&(*pack)->holders, 1) == 1) {
        alm_free(*pack);
    }
    *pack = NULL;
}

size_t alm_series_pack_bytes(const alm_series_pack *pack)
{
    return pack->bytes;
}

size_t alm_series_pack_rows(const alm_series_pack *pack)
{
    return pack->row_count;
}

// --- reading -------------------------------------------------------------------------------------

// A row that is asked for.
typedef struct chosen {
    const alm_series_pack *pack;
    const packed_variant *variant;
    uint64_t period;
    alm_place_id place;
    uint32_t row;
} chosen;

typedef struct choice {
    const alm_fetch *fetch;
    chosen *rows;
    size_t count, cap;
    alm_arena *arena;
} choice;

static alm_code choose(choice *it, const alm_series_pack *pack, const packed_variant *variant,
                       alm_place_id place, uint32_t row, alm_status *st)
{
    void *rows = it->rows;
    if (!alm_arena_grow(it->arena, &rows, &it->cap, it->count + 1, sizeof *it->rows)) {
        return no_memory(st);
    }
    it->rows = rows;
    it->rows[it->count++] = (chosen){.pack = pack,
                                     .variant = variant,
                                     .period = get(&variant->columns[COLUMN_period], row),
                                     .place = place,
                                     .row = row};
    return ALM_OK;
}

static alm_obs_status status_at(const packed_variant *variant, uint32_t row)
{
    return alm_obs_flags_status((uint32_t)get(&variant->columns[COLUMN_flags], row));
}

// The newest that count, of rows from..to-1, which are of one place.
static alm_code choose_last(choice *it, const alm_series_pack *pack, const packed_variant *variant,
                            alm_place_id place, uint32_t from, uint32_t to, alm_status *st)
{
    uint32_t left = it->fetch->periods.last;
    size_t begin = it->count;
    for (uint32_t row = to; row > from && left > 0; row--) {
        if (it->fetch->without_value || !alm_obs_status_missing(status_at(variant, row - 1))) {
            ALM_TRY(choose(it, pack, variant, place, row - 1, st));
            left--;
        }
    }
    for (size_t i = begin, j = it->count; i + 1 < j; i++) { // they came newest first
        chosen row = it->rows[i];
        it->rows[i] = it->rows[--j];
        it->rows[j] = row;
    }
    return ALM_OK;
}

static alm_code choose_of_place(choice *it, const alm_series_pack *pack,
                                const packed_variant *variant, alm_place_id place, uint32_t from,
                                uint32_t to, alm_status *st)
{
    const alm_period_expr *periods = &it->fetch->periods;
    if (periods->kind == ALM_PERIOD_EXPR_LAST) {
        return choose_last(it, pack, variant, place, from, to, st);
    }
    for (uint32_t row = from; row < to; row++) {
        alm_period period = period_of(get(&variant->columns[COLUMN_period], row));
        bool is_asked =
            alm_period_expr_matches(periods, period) &&
            (it->fetch->without_value || status_at(variant, row) != ALM_OBS_STATUS_WITHDRAWN);
        if (is_asked) {
            ALM_TRY(choose(it, pack, variant, place, row, st));
        }
    }
    return ALM_OK;
}

// Where the place stands in the variant; its place_count: it does not.
static size_t seek_place(const packed_variant *variant, uint32_t place)
{
    size_t from = 0;
    size_t to = variant->place_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (variant->places[middle] < place) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    bool is_there = from < variant->place_count && variant->places[from] == place;
    return is_there ? from : variant->place_count;
}

static alm_code choose_of_pack(choice *it, const alm_series_pack *pack,
                               const packed_variant *variant, alm_status *st)
{
    const alm_fetch *fetch = it->fetch;
    for (size_t i = 0; i < fetch->place_count; i++) {
        alm_place_id place = fetch->places[i];
        if (place < pack->first_place || place - pack->first_place >= ALM_PACK_PLACE_COUNT) {
            continue;
        }
        size_t at = seek_place(variant, place - pack->first_place);
        if (at < variant->place_count) {
            ALM_TRY(choose_of_place(it, pack, variant, place, variant->first[at],
                                    variant->first[at + 1], st));
        }
    }
    return ALM_OK;
}

static int chosen_order(const void *a, const void *b)
{
    const chosen *x = a;
    const chosen *y = b;
    int by_period = (x->period > y->period) - (x->period < y->period);
    return by_period != 0 ? by_period : (x->place > y->place) - (x->place < y->place);
}

// Notes, of those rows that have one: there are few.
static alm_code give_notes(const choice *it, alm_obs_columns *rows, alm_status *st)
{
    static const uint32_t none;
    static const alm_str no_notes[] = {{"", 0}};
    uint32_t note_count = 1;
    uint64_t any = 0;
    for (size_t i = 0; i < it->count; i++) {
        any |= get(&it->rows[i].variant->columns[COLUMN_note], it->rows[i].row);
    }
    rows->note = &none;
    rows->notes = no_notes;
    if (any == 0) {
        return ALM_OK;
    }
    uint32_t *column = alm_arena_calloc(it->arena, it->count, sizeof *column);
    alm_str *notes = alm_arena_calloc(it->arena, it->count + 1, sizeof *notes);
    if (column == NULL || notes == NULL) {
        return no_memory(st);
    }
    notes[0] = ALM_STR("");
    for (size_t i = 0; i < it->count; i++) {
        const chosen *row = &it->rows[i];
        uint64_t note = get(&row->variant->columns[COLUMN_note], row->row);
        if (note != 0) {
            ALM_ASSERT(note < row->pack->note_count);
            notes[note_count] = row->pack->notes[note];
            column[i] = note_count++;
        }
    }
    rows->note = column;
    rows->each_note = 1;
    rows->notes = notes;
    return ALM_OK;
}

// What is alike in the one pack that all rows are of stands once.
static alm_code give_columns(const choice *it, alm_obs_columns *rows, alm_status *st)
{
    bool is_one = true;
    const packed_variant *variant = it->rows[0].variant;
    alm_place_id *places = alm_arena_alloc(it->arena, it->count * sizeof *places);
    if (places == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < it->count; i++) {
        is_one &= it->rows[i].variant == variant;
        places[i] = it->rows[i].place;
    }
    rows->place = places;
    rows->each_place = 1;
#define COLUMN_GIVE(name, type, to_number, from_number)                                            \
    {                                                                                              \
        rows->each_##name = !is_one || variant->columns[COLUMN_##name].width > 0;                  \
        size_t count = rows->each_##name ? it->count : 1;                                          \
        type *column = alm_arena_alloc(it->arena, count * sizeof *column);                         \
        if (column == NULL) {                                                                      \
            return no_memory(st);                                                                  \
        }                                                                                          \
        for (size_t i = 0; i < count; i++) {                                                       \
            const chosen *row = &it->rows[i];                                                      \
            uint64_t number = get(&row->variant->columns[COLUMN_##name], row->row);                \
            column[i] = from_number;                                                               \
        }                                                                                          \
        rows->name = column;                                                                       \
    }
    VALUE_COLUMN_MAP(COLUMN_GIVE)
#undef COLUMN_GIVE
    return give_notes(it, rows, st);
}

static alm_code visit_chosen(choice *it, alm_row_visit visit, void *arg, alm_status *st)
{
    static const uint32_t first;
    alm_obs_columns rows = {.count = it->count, .variant = &first};
    if (it->count == 0) {
        return ALM_OK;
    }
    if (it->fetch->place_count > 1) {
        qsort(it->rows, it->count, sizeof *it->rows, chosen_order);
    }
    ALM_TRY(give_columns(it, &rows, st));
    return visit(arg, &it->rows[0].variant->text, 1, &rows, st);
}

static const packed_variant *find_variant(const alm_series_pack *pack, alm_str text)
{
    for (size_t v = 0; v < pack->variant_count; v++) {
        if (alm_str_eq(pack->variants[v].text, text)) {
            return &pack->variants[v];
        }
    }
    return NULL;
}

static bool is_known(alm_series_pack *const *packs, size_t count, alm_str text)
{
    for (size_t i = 0; i < count; i++) {
        if (find_variant(packs[i], text) != NULL) {
            return true;
        }
    }
    return false;
}

alm_code alm_series_packs_read(alm_series_pack *const *packs, size_t pack_count,
                               const alm_fetch *fetch, alm_row_visit visit, void *arg,
                               alm_arena *arena, alm_status *st)
{
    choice it = {.fetch = fetch, .arena = arena};
    for (size_t i = 0; i < pack_count; i++) {
        for (size_t v = 0; v < packs[i]->variant_count; v++) {
            alm_str text = packs[i]->variants[v].text;
            if (is_known(packs, i, text)) {
                continue;
            }
            it.count = 0;
            ALM_TRY(choose_of_pack(&it, packs[i], &packs[i]->variants[v], st));
            for (size_t j = i + 1; j < pack_count; j++) {
                const packed_variant *other = find_variant(packs[j], text);
                if (other != NULL) {
                    ALM_TRY(choose_of_pack(&it, packs[j], other, st));
                }
            }
            ALM_TRY(visit_chosen(&it, visit, arg, st));
        }
    }
    return ALM_OK;
}
