#include "block_columns.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "the read is too large for its memory");
}

static alm_code damaged(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "a block of rows is damaged: %s", what);
}

// --- which rows ----------------------------------------------------------------------------------

// Where the search stands: the places from `at` on were not looked for.
typedef struct place_search {
    const alm_place_id *places;
    size_t count, at;
    uint32_t *rows;
    alm_place_id *found;
    size_t found_count;
} place_search;

// Rows from `row` on hold places first..end-1.
static void search_run(place_search *s, size_t row, uint64_t first, uint64_t end)
{
    const alm_place_id *places = s->places;
    while (s->at < s->count && places[s->at] < first) {
        s->at++;
    }
    for (; s->at < s->count && places[s->at] < end; s->at++) {
        s->rows[s->found_count] = (uint32_t)(row + (places[s->at] - first));
        s->found[s->found_count++] = places[s->at];
    }
}

static alm_code search_runs(place_search *s, alm_block *block, alm_status *st)
{
    alm_column_run runs[ALM_COLUMN_RUN_COUNT];
    int64_t least = 0;
    size_t behind;
    for (size_t from = 0; from < block->count && s->at < s->count; from = behind) {
        size_t count =
            alm_column_runs(&block->columns[ALM_BLOCK_PLACE], from, block->count, runs, &behind);
        for (size_t r = 0; r < count; r++) {
            int64_t n = (int64_t)((r + 1 < count ? runs[r + 1].row : behind) - runs[r].row);
            if (runs[r].value < least || runs[r].value > (int64_t)UINT32_MAX - n) {
                return damaged(st, "its places");
            }
            least = runs[r].value + n;
            search_run(s, runs[r].row, (uint64_t)runs[r].value, (uint64_t)least);
        }
    }
    return ALM_OK;
}

// Each by itself.
static void search_few(place_search *s, alm_block *block)
{
    alm_column_finder finder;
    alm_column_finder_init(&finder, &block->columns[ALM_BLOCK_PLACE]);
    for (; s->at < s->count; s->at++) {
        alm_place_id place = s->places[s->at];
        size_t row = alm_column_find_next(&finder, place);
        if (row < block->count && alm_block_place(block, row) == place) {
            s->rows[s->found_count] = (uint32_t)row;
            s->found[s->found_count++] = place;
        }
    }
}

// Of so many rows one is rather searched for than found in going through their runs.
#define FEW_SHARE 256

alm_code alm_block_rows_find(alm_block *block, const alm_place_id *places, size_t count,
                             alm_arena *arena, alm_block_rows *ret, alm_status *st)
{
    place_search s = {.places = places, .count = count};
    size_t most = ALM_MIN(count, block->count);
    *ret = (alm_block_rows){0};
    s.rows = alm_arena_alloc(arena, most * sizeof *s.rows);
    s.found = alm_arena_alloc(arena, most * sizeof *s.found);
    if (s.rows == NULL || s.found == NULL) {
        return no_memory(st);
    }
    if (count < block->count / FEW_SHARE) {
        search_few(&s, block);
    } else {
        ALM_TRY(search_runs(&s, block, st));
    }
    *ret = (alm_block_rows){.count = s.found_count, .rows = s.rows, .places = s.found};
    if (s.found_count > 0 && s.rows[s.found_count - 1] - s.rows[0] == s.found_count - 1) {
        *ret = (alm_block_rows){.count = s.found_count, .from = s.rows[0]};
    }
    return ALM_OK;
}

// --- elements ------------------------------------------------------------------------------------

// An element's bytes; what stands between its fields is zero.
typedef union element {
    uint64_t bits;
    uint32_t u32;
    int32_t i32;
    alm_period period;
    alm_unit unit;
} element;
_Static_assert(sizeof(element) == sizeof(uint64_t), "elements are told apart by their bits");

static size_t size_of(int column)
{
    static const uint8_t sizes[] = {
        [ALM_BLOCK_VARIANT] = sizeof(uint32_t),   [ALM_BLOCK_PLACE] = sizeof(alm_place_id),
        [ALM_BLOCK_PERIOD] = sizeof(alm_period),  [ALM_BLOCK_MANTISSA] = sizeof(int64_t),
        [ALM_BLOCK_EXPONENT] = sizeof(int32_t),   [ALM_BLOCK_UNIT] = sizeof(alm_unit),
        [ALM_BLOCK_FLAGS] = sizeof(uint32_t),     [ALM_BLOCK_SOURCE] = sizeof(uint32_t),
        [ALM_BLOCK_PUBLISHED] = sizeof(alm_date), [ALM_BLOCK_SEQUENCE] = sizeof(uint64_t),
        [ALM_BLOCK_NOTE] = sizeof(uint32_t)};
    return sizes[column];
}

// Notes come in runs, so a look at the last one finds most. False: no memory.
static bool take_note(alm_gathered *it, alm_str note, uint32_t *ret)
{
    void *notes = it->notes;
    *ret = 0;
    if (note.len == 0) {
        return true;
    }
    if (it->note_count < 2 || !alm_str_eq(it->notes[it->note_count - 1], note)) {
        size_t first = it->note_count == 0;
        alm_str copy = {.data = alm_arena_strdup(it->note_arena, note), .len = note.len};
        if (copy.data == NULL || !alm_arena_grow(it->note_arena, &notes, &it->note_cap,
                                                 it->note_count + first + 1, sizeof *it->notes)) {
            return false;
        }
        it->notes = notes;
        it->notes[0] = (alm_str){0};
        it->note_count += first;
        it->notes[it->note_count++] = copy;
    }
    *ret = (uint32_t)it->note_count - 1;
    return true;
}

// What a block's column says, as an element. False: damaged, or no memory for a note.
static bool make_element(alm_gathered *it, const alm_block *block, int column, int64_t value,
                         element *ret)
{
    alm_obs row = {0};
    *ret = (element){.bits = 0};
    if (!alm_block_set(column, &value, 1, block->notes, block->note_count, &row)) {
        return false;
    }
    switch (column) {
    case ALM_BLOCK_PERIOD:
        ret->period.freq = row.period.freq;
        ret->period.length = row.period.length;
        ret->period.ordinal = row.period.ordinal;
        return true;
    case ALM_BLOCK_EXPONENT:
        ret->i32 = row.value.number.exponent;
        return true;
    case ALM_BLOCK_UNIT:
        ret->unit = row.value.unit;
        return true;
    case ALM_BLOCK_FLAGS:
        ret->u32 = alm_obs_flags(&row.value);
        return true;
    case ALM_BLOCK_SOURCE:
        ret->u32 = row.source;
        return true;
    case ALM_BLOCK_PUBLISHED:
        ret->i32 = row.published;
        return true;
    case ALM_BLOCK_SEQUENCE:
        ret->bits = row.sequence;
        return true;
    default:
        ALM_ASSERT(column == ALM_BLOCK_NOTE);
        return take_note(it, row.note, &ret->u32);
    }
}

static void put(void *data, size_t size, size_t from, size_t count, element value)
{
    if (size == sizeof value.u32) {
        char *to = (char *)data + from * sizeof value.u32;
        for (size_t i = 0; i < count; i++) {
            memcpy(to + i * sizeof value.u32, &value, sizeof value.u32);
        }
    } else {
        char *to = (char *)data + from * sizeof value;
        for (size_t i = 0; i < count; i++) {
            memcpy(to + i * sizeof value, &value, sizeof value);
        }
    }
}

// --- growing -------------------------------------------------------------------------------------

static alm_code reserve(alm_gathered *it, size_t count, alm_status *st)
{
    size_t need = it->count + count;
    size_t cap = ALM_MAX(need, 2 * it->cap);
    if (need <= it->cap) {
        return ALM_OK;
    }
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        alm_gathered_column *column = &it->columns[c];
        void *data = alm_arena_alloc(it->arena, cap * size_of(c));
        if (data == NULL) {
            return no_memory(st);
        }
        if (it->count > 0) {
            memcpy(data, column->data, (column->is_each ? it->count : 1) * size_of(c));
        }
        column->data = data;
    }
    it->cap = cap;
    return ALM_OK;
}

// From here on each row has its own.
static void spread(alm_gathered *it, int column)
{
    alm_gathered_column *c = &it->columns[column];
    element value = {.bits = 0};
    if (!c->is_each && it->count > 0) {
        memcpy(&value, c->data, size_of(column));
        put(c->data, size_of(column), 0, it->count, value);
    }
    c->is_each = true;
}

// The same in all rows that are added.
static void add_same(alm_gathered *it, int column, size_t count, element value)
{
    alm_gathered_column *c = &it->columns[column];
    size_t size = size_of(column);
    if (it->count == 0) {
        c->is_each = false;
        put(c->data, size, 0, 1, value);
        return;
    }
    if (!c->is_each && memcmp(c->data, &value, size) == 0) {
        return;
    }
    spread(it, column);
    put(c->data, size, it->count, count, value);
}

// --- columns of a block --------------------------------------------------------------------------

#define WINDOW_ROWS 4096
#define FEW_ROWS    256 // a window where few rows are listed

// Rows that are read at once: those listed from `at` on, up to `to`.
typedef struct window {
    size_t at, to;
    size_t from, end; // all rows of the block among them
} window;

static window next_window(const alm_block_rows *rows, size_t at)
{
    window w = {.at = at};
    if (rows->rows == NULL) {
        w.to = ALM_MIN(at + WINDOW_ROWS, rows->count);
        w.from = rows->from + at;
        w.end = rows->from + w.to;
        return w;
    }
    size_t span = rows->rows[rows->count - 1] - rows->rows[0];
    size_t size = rows->count >= span / FEW_ROWS * 4 ? WINDOW_ROWS : FEW_ROWS;
    w.from = rows->rows[at];
    w.to = at + 1;
    while (w.to < rows->count && rows->rows[w.to] < w.from + size) {
        w.to++;
    }
    w.end = rows->rows[w.to - 1] + 1;
    return w;
}

// Of a window's numbers those of the rows that are listed.
static void pick(const alm_block_rows *rows, const window *w, const int64_t *numbers, int64_t *ret)
{
    for (size_t i = w->at; i < w->to; i++) {
        ret[i - w->at] = numbers[rows->rows[i] - w->from];
    }
}

// The column's numbers of the window's rows, in `numbers`.
static void read_window(alm_block *block, int column, const alm_block_rows *rows, const window *w,
                        int64_t numbers[WINDOW_ROWS])
{
    if (column == ALM_BLOCK_MANTISSA) {
        alm_block_numbers(block, w->from, w->end, numbers);
    } else {
        alm_column_range(&block->columns[column], w->from, w->end, numbers);
    }
    if (rows->rows != NULL) {
        pick(rows, w, numbers, numbers);
    }
}

static alm_code add_column(alm_gathered *it, alm_block *block, const alm_block_rows *rows,
                           int column, alm_status *st)
{
    element value = {.bits = 0};
    int64_t numbers[WINDOW_ROWS];
    if (alm_column_constant(&block->columns[column])) {
        if (!make_element(it, block, column, alm_column_get(&block->columns[column], 0), &value)) {
            return damaged(st, "a constant column");
        }
        add_same(it, column, rows->count, value);
        return ALM_OK;
    }
    spread(it, column);
    void *data = it->columns[column].data;
    size_t size = size_of(column);
    window w;
    for (size_t at = 0; at < rows->count; at = w.to) {
        w = next_window(rows, at);
        read_window(block, column, rows, &w, numbers);
        size_t behind;
        for (size_t i = 0; i < w.to - at; i = behind) { // neighbours mostly share theirs
            behind = i + 1;
            while (behind < w.to - at && numbers[behind] == numbers[i]) {
                behind++;
            }
            if (!make_element(it, block, column, numbers[i], &value)) {
                return damaged(st, "a row");
            }
            put(data, size, it->count + at + i, behind - i, value);
        }
    }
    return ALM_OK;
}

static alm_code add_places(alm_gathered *it, alm_block *block, const alm_block_rows *rows,
                           alm_status *st)
{
    spread(it, ALM_BLOCK_PLACE);
    alm_place_id *places = (alm_place_id *)it->columns[ALM_BLOCK_PLACE].data + it->count;
    if (rows->rows != NULL) {
        memcpy(places, rows->places, rows->count * sizeof *places);
        return ALM_OK;
    }
    return alm_block_places(block, rows->from, rows->from + rows->count, places)
               ? ALM_OK
               : damaged(st, "its places");
}

static bool are_mantissas(const int64_t *numbers, size_t count)
{
    uint64_t beyond = 0;
    for (size_t i = 0; i < count; i++) {
        beyond |= (uint64_t)(numbers[i] < -ALM_DECIMAL_MANTISSA_MAX) |
                  (uint64_t)(numbers[i] > ALM_DECIMAL_MANTISSA_MAX);
    }
    return beyond == 0;
}

// Numbers at the block's scale come at their own exponents. False: one that was never so.
static bool unscale(const alm_gathered *it, const alm_block *block, size_t count, int64_t *numbers)
{
    bool is_each = it->columns[ALM_BLOCK_EXPONENT].is_each;
    const int32_t *exponents = it->columns[ALM_BLOCK_EXPONENT].data;
    exponents += is_each ? it->count : 0;
    if (!block->is_scaled || (!is_each && exponents[0] == block->scale)) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t power;
        int shift = exponents[is_each ? i : 0] - block->scale;
        if (numbers[i] == 0 || shift == 0) {
            continue;
        }
        if (!alm_block_power_of_ten(shift, &power) || numbers[i] % power != 0) {
            return false;
        }
        numbers[i] /= power;
    }
    return true;
}

static alm_code add_numbers(alm_gathered *it, alm_block *block, const alm_block_rows *rows,
                            alm_status *st)
{
    spread(it, ALM_BLOCK_MANTISSA);
    int64_t *numbers = (int64_t *)it->columns[ALM_BLOCK_MANTISSA].data + it->count;
    int64_t read[WINDOW_ROWS];
    window w;
    if (rows->rows == NULL) {
        alm_block_numbers(block, rows->from, rows->from + rows->count, numbers);
    }
    for (size_t at = 0; rows->rows != NULL && at < rows->count; at = w.to) {
        w = next_window(rows, at);
        alm_block_numbers(block, w.from, w.end, read);
        pick(rows, &w, read, numbers + at);
    }
    if (!are_mantissas(numbers, rows->count) || !unscale(it, block, rows->count, numbers)) {
        return damaged(st, "a number");
    }
    return ALM_OK;
}

// What has no number has none of its digits either.
static void clear_gaps(alm_gathered *it, size_t count)
{
    const alm_gathered_column *column = &it->columns[ALM_BLOCK_FLAGS];
    const uint32_t *flags = column->data;
    int64_t *numbers = (int64_t *)it->columns[ALM_BLOCK_MANTISSA].data + it->count;
    if (!column->is_each && alm_obs_flags_have_number(flags[0])) {
        return;
    }
    flags += column->is_each ? it->count : 0;
    const int32_t *exponents = it->columns[ALM_BLOCK_EXPONENT].data;
    for (size_t i = 0; i < count; i++) {
        if (alm_obs_flags_have_number(flags[column->is_each ? i : 0])) {
            continue;
        }
        numbers[i] = 0;
        if (exponents[it->columns[ALM_BLOCK_EXPONENT].is_each ? it->count + i : 0] != 0) {
            it->count += count; // those that are being added have theirs, too
            spread(it, ALM_BLOCK_EXPONENT);
            it->count -= count;
            ((int32_t *)it->columns[ALM_BLOCK_EXPONENT].data)[it->count + i] = 0;
        }
    }
}

// --- the first by their numbers ------------------------------------------------------------------

static bool is_withdrawn(int64_t flags)
{
    return (flags >> 4 & 0xf) == ALM_OBS_STATUS_WITHDRAWN;
}

// Numbers are compared as keys, of which the lowest come first.
typedef struct top_search {
    int64_t *first; // a heap: the last in order is at its root
    size_t first_count, wanted;
    int64_t highest; // key that is wanted, once there are so many
    uint32_t *rows;  // that were among the first when they came
    int64_t *keys;
    size_t count;
} top_search;

static void offer(top_search *s, int64_t key)
{
    int64_t *first = s->first;
    bool is_full = s->first_count == s->wanted;
    size_t at = is_full ? 0 : s->first_count++;
    for (; !is_full && at > 0 && first[(at - 1) / 2] < key; at = (at - 1) / 2) {
        first[at] = first[(at - 1) / 2];
    }
    for (size_t child = 1; is_full && child < s->wanted; child = at * 2 + 1) {
        child += child + 1 < s->wanted && first[child + 1] > first[child];
        if (first[child] <= key) {
            break;
        }
        first[at] = first[child];
        at = child;
    }
    first[at] = key;
    s->highest = s->first_count == s->wanted ? first[0] : INT64_MAX;
}

// Do the numbers of all rows compare as they are stored?
static bool compares_numbers(const alm_block *block)
{
    return alm_column_constant(&block->columns[ALM_BLOCK_UNIT]) &&
           (block->is_scaled || alm_column_constant(&block->columns[ALM_BLOCK_EXPONENT]));
}

static void search_top(top_search *s, alm_block *block, alm_top top, bool with_withdrawn,
                       const alm_block_rows *rows)
{
    int64_t numbers[WINDOW_ROWS];
    int64_t turn = top.is_lowest ? 0 : -1; // ~number falls where the number rises
    window w;
    for (size_t at = 0; at < rows->count; at = w.to) {
        w = next_window(rows, at);
        read_window(block, ALM_BLOCK_MANTISSA, rows, &w, numbers);
        for (size_t i = at; i < w.to; i++) {
            int64_t key = numbers[i - at] ^ turn;
            if (key > s->highest) {
                continue;
            }
            size_t row = rows->rows == NULL ? rows->from + i : rows->rows[i];
            int64_t flags = alm_column_get(&block->columns[ALM_BLOCK_FLAGS], row);
            if (alm_block_flags_have_number(flags) && (with_withdrawn || !is_withdrawn(flags))) {
                s->rows[s->count] = (uint32_t)row;
                s->keys[s->count++] = key;
                offer(s, key);
            }
        }
    }
}

// Keeps the rows whose keys are among the first after all.
static alm_code keep_top(top_search *s, alm_block *block, alm_arena *arena, alm_block_rows *ret,
                         alm_status *st)
{
    size_t kept = 0;
    int64_t behind = 0;
    alm_place_id *places = alm_arena_alloc(arena, s->count * sizeof *places);
    if (places == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->keys[i] > s->highest) {
            continue;
        }
        int64_t place = alm_column_get(&block->columns[ALM_BLOCK_PLACE], s->rows[i]);
        if (place < behind || place >= ALM_PLACE_NONE) {
            return damaged(st, "its places");
        }
        behind = place + 1;
        s->rows[kept] = s->rows[i];
        places[kept++] = (alm_place_id)place;
    }
    *ret = (alm_block_rows){.count = kept, .rows = s->rows, .places = places};
    return ALM_OK;
}

alm_code alm_block_rows_top(alm_block *block, alm_top top, bool with_withdrawn, alm_arena *arena,
                            alm_block_rows *rows, alm_status *st)
{
    top_search s = {.wanted = top.count, .highest = INT64_MAX};
    if (rows->count <= top.count || !compares_numbers(block)) {
        return ALM_OK;
    }
    s.first = alm_arena_alloc(arena, top.count * sizeof *s.first);
    s.rows = alm_arena_alloc(arena, rows->count * sizeof *s.rows);
    s.keys = alm_arena_alloc(arena, rows->count * sizeof *s.keys);
    if (s.first == NULL || s.rows == NULL || s.keys == NULL) {
        return no_memory(st);
    }
    search_top(&s, block, top, with_withdrawn, rows);
    return s.first_count < top.count ? ALM_OK : keep_top(&s, block, arena, rows, st);
}

// --- adding --------------------------------------------------------------------------------------

// Takes those that are withdrawn off the rows.
static alm_code leave_out_withdrawn(alm_block *block, alm_block_rows *rows, alm_arena *scratch,
                                    alm_status *st)
{
    alm_column *column = &block->columns[ALM_BLOCK_FLAGS];
    int64_t flags[WINDOW_ROWS];
    size_t kept = 0;
    if (alm_column_constant(column)) {
        rows->count = is_withdrawn(alm_column_get(column, 0)) ? 0 : rows->count;
        return ALM_OK;
    }
    uint32_t *list = alm_arena_alloc(scratch, rows->count * sizeof *list);
    alm_place_id *places = alm_arena_alloc(scratch, rows->count * sizeof *places);
    if (list == NULL || places == NULL) {
        return no_memory(st);
    }
    if (rows->rows == NULL &&
        !alm_block_places(block, rows->from, rows->from + rows->count, places)) {
        return damaged(st, "its places");
    }
    window w;
    for (size_t at = 0; at < rows->count; at = w.to) {
        w = next_window(rows, at);
        read_window(block, ALM_BLOCK_FLAGS, rows, &w, flags);
        for (size_t i = at; i < w.to; i++) {
            list[kept] = (uint32_t)(rows->rows == NULL ? rows->from + i : rows->rows[i]);
            places[kept] = rows->rows == NULL ? places[i] : rows->places[i];
            kept += !is_withdrawn(flags[i - at]);
        }
    }
    if (kept < rows->count) {
        *rows = (alm_block_rows){.count = kept, .rows = list, .places = places};
    }
    return ALM_OK;
}

alm_code alm_gathered_add(alm_gathered *it, alm_block *block, alm_block_rows rows,
                          bool with_withdrawn, alm_arena *scratch, alm_status *st)
{
    static const int columns[] = {ALM_BLOCK_PERIOD,   ALM_BLOCK_EXPONENT, ALM_BLOCK_UNIT,
                                  ALM_BLOCK_FLAGS,    ALM_BLOCK_SOURCE,   ALM_BLOCK_PUBLISHED,
                                  ALM_BLOCK_SEQUENCE, ALM_BLOCK_NOTE};
    if (!with_withdrawn && rows.count > 0) {
        ALM_TRY(leave_out_withdrawn(block, &rows, scratch, st));
    }
    if (rows.count == 0) {
        return ALM_OK;
    }
    ALM_TRY(reserve(it, rows.count, st));
    add_same(it, ALM_BLOCK_VARIANT, rows.count, (element){.bits = 0});
    ALM_TRY(add_places(it, block, &rows, st));
    for (size_t i = 0; i < ALM_ARRAY_LEN(columns); i++) {
        ALM_TRY(add_column(it, block, &rows, columns[i], st));
    }
    ALM_TRY(add_numbers(it, block, &rows, st));
    clear_gaps(it, rows.count);
    it->count += rows.count;
    return ALM_OK;
}

alm_obs_columns alm_gathered_columns(const alm_gathered *it)
{
    static const alm_str none[1];
    alm_obs_columns ret = {.count = it->count, .notes = it->notes != NULL ? it->notes : none};
#define COLUMN(name, code)                                                                         \
    ret.name = it->columns[code].data;                                                             \
    ret.each_##name = it->columns[code].is_each;
    COLUMN(variant, ALM_BLOCK_VARIANT)
    COLUMN(place, ALM_BLOCK_PLACE)
    COLUMN(period, ALM_BLOCK_PERIOD)
    COLUMN(mantissa, ALM_BLOCK_MANTISSA)
    COLUMN(exponent, ALM_BLOCK_EXPONENT)
    COLUMN(unit, ALM_BLOCK_UNIT)
    COLUMN(flags, ALM_BLOCK_FLAGS)
    COLUMN(source, ALM_BLOCK_SOURCE)
    COLUMN(published, ALM_BLOCK_PUBLISHED)
    COLUMN(note, ALM_BLOCK_NOTE)
    COLUMN(sequence, ALM_BLOCK_SEQUENCE)
#undef COLUMN
    return ret;
}

void alm_gathered_reset(alm_gathered *it)
{
    it->count = 0;
    it->notes = NULL;
    it->note_count = it->note_cap = 0;
}
