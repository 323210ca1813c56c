#include "group.h"

#include "deltas.h"

#define GROUP_VERSION 1
#define TAG_BY_PERIOD 7

static const int attribute_columns[] = {ALM_BLOCK_EXPONENT, ALM_BLOCK_UNIT,      ALM_BLOCK_FLAGS,
                                        ALM_BLOCK_SOURCE,   ALM_BLOCK_PUBLISHED, ALM_BLOCK_SEQUENCE,
                                        ALM_BLOCK_NOTE};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a group of series");
}

// --- encoding ------------------------------------------------------------------------------------

// What is being written: rows of the panel's places from..to-1, by their cells in panel and group.
typedef struct writing {
    const alm_panel *panel;
    size_t from, to;
    alm_buf *out;
    size_t *axis; // the panel's periods that have a row
    size_t axis_count;
    size_t row_count;
    size_t *panel_cell;  // of each row
    int64_t *group_cell; // of each row
    size_t *place_rows;  // of each place, and behind the last: where its rows begin
    int64_t *values, *scratch, *defaults;
    uint64_t *bits;
} writing;

static alm_code plan_axis(writing *w, alm_arena *scratch, alm_status *st)
{
    const alm_panel *p = w->panel;
    bool *used = alm_arena_calloc(scratch, p->period_count, sizeof *used);
    w->axis = alm_arena_alloc(scratch, p->period_count * sizeof *w->axis);
    if (used == NULL || w->axis == NULL) {
        return no_memory(st);
    }
    for (size_t i = w->from; i < w->to; i++) {
        const bool *present = p->present + i * p->period_count;
        for (size_t j = 0; j < p->period_count; j++) {
            used[j] |= present[j];
            w->row_count += present[j];
        }
    }
    for (size_t j = 0; j < p->period_count; j++) {
        if (used[j]) {
            w->axis[w->axis_count++] = j;
        }
    }
    return ALM_OK;
}

static alm_code plan_rows(writing *w, alm_arena *scratch, alm_status *st)
{
    const alm_panel *p = w->panel;
    size_t places = w->to - w->from;
    size_t lists = ALM_MAX(w->row_count, ALM_MAX(places, w->axis_count));
    w->panel_cell = alm_arena_alloc(scratch, w->row_count * sizeof *w->panel_cell);
    w->group_cell = alm_arena_alloc(scratch, w->row_count * sizeof *w->group_cell);
    w->place_rows = alm_arena_alloc(scratch, (places + 1) * sizeof *w->place_rows);
    w->values = alm_arena_alloc(scratch, lists * sizeof *w->values);
    w->scratch = alm_arena_alloc(scratch, 2 * lists * sizeof *w->scratch);
    w->defaults = alm_arena_alloc(scratch, lists * sizeof *w->defaults);
    w->bits = alm_arena_alloc(scratch, lists * sizeof *w->bits);
    if (w->panel_cell == NULL || w->group_cell == NULL || w->place_rows == NULL ||
        w->values == NULL || w->scratch == NULL || w->defaults == NULL || w->bits == NULL) {
        return no_memory(st);
    }
    size_t row = 0;
    for (size_t i = 0; i < places; i++) {
        w->place_rows[i] = row;
        for (size_t k = 0; k < w->axis_count; k++) {
            size_t cell = (w->from + i) * p->period_count + w->axis[k];
            if (p->present[cell]) {
                w->panel_cell[row] = cell;
                w->group_cell[row++] = (int64_t)(i * w->axis_count + k);
            }
        }
    }
    w->place_rows[places] = row;
    return ALM_OK;
}

static void write_axes(writing *w)
{
    const alm_panel *p = w->panel;
    size_t places = w->to - w->from;
    alm_buf_varint(w->out, places);
    for (size_t i = 0; i < places; i++) {
        w->values[i] = p->places[w->from + i];
    }
    alm_column_encode(w->values, places, w->scratch, w->out);
    alm_buf_varint(w->out, w->axis_count);
    alm_buf_u8(w->out, p->periods[w->axis[0]].freq);
    for (size_t k = 0; k < w->axis_count; k++) {
        w->values[k] = p->periods[w->axis[k]].ordinal;
    }
    alm_column_encode(w->values, w->axis_count, w->scratch, w->out);
    for (size_t k = 0; k < w->axis_count; k++) {
        w->values[k] = p->periods[w->axis[k]].length;
    }
    alm_column_encode(w->values, w->axis_count, w->scratch, w->out);
    alm_buf_varint(w->out, w->row_count);
    alm_column_encode(w->group_cell, w->row_count, w->scratch, w->out);
}

// The panel's notes that the rows use, told anew from 1 in w->values.
static alm_code write_notes(writing *w, alm_arena *scratch, alm_status *st)
{
    const alm_panel *p = w->panel;
    const int64_t *column = p->columns[ALM_BLOCK_NOTE];
    int64_t constant = p->constants[ALM_BLOCK_NOTE];
    int64_t *number = alm_arena_calloc(scratch, p->note_count + 1, sizeof *number);
    size_t *used = alm_arena_alloc(scratch, (p->note_count + 1) * sizeof *used);
    size_t count = 0;
    if (number == NULL || used == NULL) {
        return no_memory(st);
    }
    for (size_t row = 0; row < w->row_count; row++) {
        int64_t note = column != NULL ? column[w->panel_cell[row]] : constant;
        if (note > 0 && number[note] == 0) {
            used[count++] = (size_t)note - 1;
            number[note] = (int64_t)count;
        }
        w->values[row] = number[note];
    }
    alm_buf_varint(w->out, count);
    for (size_t i = 0; i < count; i++) {
        alm_buf_varint(w->out, p->notes[used[i]].len);
        alm_buf_str(w->out, p->notes[used[i]]);
    }
    alm_buf_u8(w->out, p->is_scaled);
    alm_buf_svarint(w->out, p->is_scaled ? p->scale : 0);
    return ALM_OK;
}

// What the rows of each period mostly hold (Boyer and Moore's vote), in w->defaults.
static void vote_by_period(writing *w, int64_t *votes)
{
    ALM_ASSERT(w->axis_count > 0);
    for (size_t k = 0; k < w->axis_count; k++) {
        w->defaults[k] = 0;
        votes[k] = 0;
    }
    for (size_t row = 0; row < w->row_count; row++) {
        size_t k = (size_t)w->group_cell[row] % w->axis_count;
        if (votes[k] == 0) {
            w->defaults[k] = w->values[row];
        }
        votes[k] += w->values[row] == w->defaults[k] ? 1 : -1;
    }
}

// One row in so many may be other than its period's others.
#define ODD_SHARE 6

// Appends w->values by period. False: too many are odd, nothing was written.
static bool write_by_period(writing *w)
{
    int64_t *odd_rows = w->scratch;
    int64_t *odd_values = w->scratch + w->row_count;
    size_t odd = 0;
    vote_by_period(w, w->scratch);
    for (size_t row = 0; row < w->row_count; row++) {
        if (w->values[row] == w->defaults[(size_t)w->group_cell[row] % w->axis_count]) {
            continue;
        }
        if (odd >= w->row_count / ODD_SHARE) {
            return false;
        }
        odd_rows[odd] = (int64_t)row;
        odd_values[odd++] = w->values[row];
    }
    alm_buf_u8(w->out, TAG_BY_PERIOD);
    alm_column_encode(w->defaults, w->axis_count, (int64_t *)w->bits, w->out);
    alm_buf_varint(w->out, odd);
    if (odd > 0) {
        alm_frames_encode(odd_rows, odd, w->out);
        alm_frames_encode(odd_values, odd, w->out);
    }
    return true;
}

// A column that takes less than a bit in so many rows is short enough.
#define SHORT_SHARE 32

static void write_attribute(writing *w)
{
    size_t begin = w->out->len;
    alm_column_encode(w->values, w->row_count, w->scratch, w->out);
    size_t plain = w->out->len - begin;
    if (w->out->failed || plain <= 4 + w->row_count / SHORT_SHARE) {
        return;
    }
    if (write_by_period(w) && !w->out->failed && w->out->len - begin - plain < plain) {
        memmove(w->out->data + begin, w->out->data + begin + plain, w->out->len - begin - plain);
        w->out->len -= plain;
    } else if (!w->out->failed) {
        w->out->len = begin + plain;
    }
}

static alm_code write_attributes(writing *w, alm_arena *scratch, alm_status *st)
{
    const alm_panel *p = w->panel;
    ALM_TRY(write_notes(w, scratch, st));
    int64_t *notes = alm_arena_alloc(scratch, w->row_count * sizeof *notes);
    if (notes == NULL) {
        return no_memory(st);
    }
    memcpy(notes, w->values, w->row_count * sizeof *notes);
    for (size_t a = 0; a < ALM_ARRAY_LEN(attribute_columns); a++) {
        int column = attribute_columns[a];
        if (column == ALM_BLOCK_NOTE) {
            memcpy(w->values, notes, w->row_count * sizeof *notes);
            write_attribute(w);
        } else if (p->columns[column] == NULL) {
            alm_frames_encode(&p->constants[column], 1, w->out);
        } else {
            for (size_t row = 0; row < w->row_count; row++) {
                w->values[row] = p->columns[column][w->panel_cell[row]];
            }
            write_attribute(w);
        }
    }
    return ALM_OK;
}

static alm_code write_numbers(writing *w, alm_status *st)
{
    size_t places = w->to - w->from;
    const int64_t *numbers = w->panel->columns[ALM_BLOCK_MANTISSA];
    alm_buf all;
    alm_buf_init(&all, 0);
    for (size_t i = 0; i < places; i++) {
        size_t from = w->place_rows[i];
        size_t count = w->place_rows[i + 1] - from;
        size_t begin = all.len;
        for (size_t k = 0; k < count; k++) {
            w->values[k] = numbers[w->panel_cell[from + k]];
        }
        if (count > 0) {
            alm_deltas_encode(w->values, count, w->panel->lag, w->bits, &all);
        }
        w->scratch[i] = (int64_t)(all.len - begin);
    }
    alm_frames_encode(w->scratch, places, w->out);
    alm_buf_append(w->out, all.data, all.len);
    alm_code code = all.failed ? no_memory(st) : ALM_OK;
    alm_buf_deinit(&all);
    return code;
}

static alm_code write_others(writing *w, alm_arena *scratch, alm_status *st)
{
    const alm_panel *p = w->panel;
    size_t from = 0;
    while (from < p->other_count && p->others[from].place < p->places[w->from]) {
        from++;
    }
    size_t to = from;
    while (to < p->other_count && p->others[to].place <= p->places[w->to - 1]) {
        to++;
    }
    if (from == to) {
        alm_buf_varint(w->out, 0);
        return ALM_OK;
    }
    alm_buf block;
    alm_buf_init(&block, 0);
    alm_code code = alm_block_encode(p->others + from, to - from, NULL, scratch, &block, st);
    if (code == ALM_OK) {
        alm_buf_varint(w->out, block.len);
        alm_buf_append(w->out, block.data, block.len);
    }
    alm_buf_deinit(&block);
    return code;
}

alm_code alm_group_encode(const alm_panel *panel, size_t from, size_t to, alm_arena *scratch,
                          alm_buf *out, alm_status *st)
{
    writing w = {.panel = panel, .from = from, .to = to, .out = out};
    ALM_ASSERT(from < to && to <= panel->place_count && panel->lag <= ALM_DELTAS_LAG_MAX);
    ALM_TRY(plan_axis(&w, scratch, st));
    ALM_ASSERT(w.row_count > 0);
    ALM_TRY(plan_rows(&w, scratch, st));
    alm_buf_u8(out, GROUP_VERSION);
    write_axes(&w);
    ALM_TRY(write_attributes(&w, scratch, st));
    ALM_TRY(write_numbers(&w, st));
    ALM_TRY(write_others(&w, scratch, st));
    return out->failed ? no_memory(st) : ALM_OK;
}

// --- opening -------------------------------------------------------------------------------------

static alm_code malformed(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "a group of series is damaged: %s", what);
}

// No list is longer than this, whatever damaged bytes say.
#define GROUP_COUNT_MAX ((uint64_t)1 << 30)

static bool open_axes(alm_reader *r, alm_group *group)
{
    group->place_count = alm_read_varint(r);
    if (group->place_count == 0 || group->place_count > GROUP_COUNT_MAX ||
        !alm_column_open(r, group->place_count, &group->places)) {
        return false;
    }
    group->period_count = alm_read_varint(r);
    group->freq = alm_read_u8(r);
    if (group->period_count == 0 || group->period_count > GROUP_COUNT_MAX ||
        !alm_column_open(r, group->period_count, &group->ordinals) ||
        !alm_column_open(r, group->period_count, &group->lengths)) {
        return false;
    }
    group->row_count = alm_read_varint(r);
    return group->row_count > 0 && group->row_count <= group->place_count * group->period_count &&
           alm_column_open(r, group->row_count, &group->cells);
}

static alm_code open_notes(alm_reader *r, alm_arena *arena, alm_group *group, alm_status *st)
{
    uint64_t count = alm_read_varint(r);
    if (r->failed || count > group->row_count || count > alm_reader_left(r)) {
        return malformed(st, "the number of notes");
    }
    alm_str *notes = count > 0 ? alm_arena_alloc(arena, count * sizeof *notes) : NULL;
    if (count > 0 && notes == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        notes[i] = alm_read_bytes(r, alm_read_varint(r));
    }
    group->notes = notes;
    group->note_count = count;
    uint8_t is_scaled = alm_read_u8(r);
    int64_t scale = alm_read_svarint(r);
    if (r->failed || is_scaled > 1 || scale < ALM_DECIMAL_EXPONENT_MIN ||
        scale > ALM_DECIMAL_EXPONENT_MAX) {
        return malformed(st, "its scale");
    }
    group->is_scaled = is_scaled != 0;
    group->scale = (int8_t)scale;
    return ALM_OK;
}

static bool open_attribute(alm_reader *r, const alm_group *group, alm_group_attribute *ret)
{
    *ret = (alm_group_attribute){0};
    ret->is_by_period = alm_reader_left(r) > 0 && r->data[r->at] == TAG_BY_PERIOD;
    if (!ret->is_by_period) {
        return alm_column_open(r, group->row_count, &ret->column);
    }
    (void)alm_read_u8(r);
    if (!alm_column_open(r, group->period_count, &ret->column)) {
        return false;
    }
    uint64_t odd = alm_read_varint(r);
    return odd <= group->row_count && (odd == 0 || (alm_frames_open(r, odd, &ret->odd_rows) &&
                                                    alm_frames_open(r, odd, &ret->odd_values)));
}

// Where each place's numbers begin, and the last end.
static alm_code open_numbers(alm_reader *r, alm_arena *arena, alm_group *group, alm_status *st)
{
    int64_t *at = alm_arena_alloc(arena, (group->place_count + 1) * sizeof *at);
    int64_t end = 0;
    if (at == NULL) {
        return no_memory(st);
    }
    alm_frames_range(&group->number_bytes, 0, group->place_count, at);
    for (size_t i = 0; i < group->place_count; i++) {
        int64_t len = at[i];
        at[i] = end;
        if (len < 0 || len > (int64_t)r->len - end) {
            return malformed(st, "the lengths of its numbers");
        }
        end += len;
    }
    at[group->place_count] = end;
    group->number_at = at;
    group->numbers = (const uint8_t *)alm_read_bytes(r, (size_t)end).data;
    return ALM_OK;
}

alm_code alm_group_open(alm_str bytes, alm_arena *arena, alm_group *ret, alm_status *st)
{
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    *ret = (alm_group){0};
    if (alm_read_u8(&r) != GROUP_VERSION) {
        return malformed(st, "its version");
    }
    if (!open_axes(&r, ret)) {
        return malformed(st, "its places and periods");
    }
    ALM_TRY(open_notes(&r, arena, ret, st));
    for (size_t a = 0; a < ALM_ARRAY_LEN(attribute_columns); a++) {
        if (!open_attribute(&r, ret, &ret->attributes[attribute_columns[a]])) {
            return malformed(st, "a column");
        }
    }
    if (!alm_frames_open(&r, ret->place_count, &ret->number_bytes)) {
        return malformed(st, "the lengths of its numbers");
    }
    ALM_TRY(open_numbers(&r, arena, ret, st));
    ret->others = alm_read_bytes(&r, alm_read_varint(&r));
    if (r.failed || alm_reader_left(&r) != 0) {
        return malformed(st, "its length");
    }
    return ALM_OK;
}

// --- reading -------------------------------------------------------------------------------------

alm_code alm_group_find(alm_group *group, alm_place_id place, alm_arena *arena,
                        alm_group_series *ret, alm_status *st)
{
    *ret = (alm_group_series){.place = alm_column_find(&group->places, place)};
    if (ret->place == group->place_count ||
        alm_column_get(&group->places, ret->place) != (int64_t)place) {
        return ALM_OK;
    }
    int64_t first = (int64_t)(ret->place * group->period_count);
    ret->from = alm_column_find(&group->cells, first);
    size_t most = ALM_MIN(group->row_count - ret->from, group->period_count);
    int64_t *axis = alm_arena_alloc(arena, most * sizeof *axis);
    if (axis == NULL) {
        return no_memory(st);
    }
    alm_column_range(&group->cells, ret->from, ret->from + most, axis);
    for (size_t i = 0; i < most && axis[i] < first + (int64_t)group->period_count; i++) {
        axis[i] -= first;
        if (axis[i] < 0 || (i > 0 && axis[i] <= axis[i - 1])) {
            return malformed(st, "a cell");
        }
        ret->count++;
    }
    ret->axis = axis;
    return ALM_OK;
}

// All of a column over periods.
static const int64_t *over_periods(const alm_group *group, alm_column *column, alm_arena *scratch)
{
    int64_t *values = alm_arena_alloc(scratch, group->period_count * sizeof *values);
    if (values != NULL) {
        alm_column_range(column, 0, group->period_count, values);
    }
    return values;
}

static bool is_period(uint8_t freq, int64_t ordinal, int64_t length, alm_period *ret)
{
    *ret = (alm_period){.freq = freq, .length = (uint16_t)length, .ordinal = (int32_t)ordinal};
    return ordinal == ret->ordinal && length == ret->length && alm_period_valid(*ret);
}

alm_code alm_group_periods(alm_group *group, const alm_group_series *series, alm_arena *scratch,
                           alm_period *ret, alm_status *st)
{
    const int64_t *ordinals = over_periods(group, &group->ordinals, scratch);
    bool is_common = alm_column_constant(&group->lengths);
    int64_t common = alm_column_get(&group->lengths, 0);
    const int64_t *lengths = is_common ? NULL : over_periods(group, &group->lengths, scratch);
    if (ordinals == NULL || (!is_common && lengths == NULL)) {
        return no_memory(st);
    }
    // Of one length, those between two periods are periods too.
    bool is_regular = is_common && series->count > 2;
    for (size_t i = 0; i < series->count; i++) {
        int64_t at = series->axis[i];
        int64_t length = is_common ? common : lengths[at];
        bool is_between = is_regular && i > 0 && i < series->count - 1;
        if (is_between && ordinals[at] > ordinals[series->axis[0]] &&
            ordinals[at] < ordinals[series->axis[series->count - 1]]) {
            ret[i] = ret[0];
            ret[i].ordinal = (int32_t)ordinals[at];
        } else if (!is_period(group->freq, ordinals[at], length, &ret[i])) {
            return malformed(st, "a period");
        }
    }
    return ALM_OK;
}

alm_code alm_group_numbers(alm_group *group, const alm_group_series *series, int64_t *ret,
                           alm_status *st)
{
    int64_t at = group->number_at[series->place];
    size_t len = (size_t)(group->number_at[series->place + 1] - at);
    alm_reader r = alm_reader_of(group->numbers + at, len);
    if (series->count == 0
            ? len > 0
            : !alm_deltas_decode(&r, series->count, ret) || alm_reader_left(&r) > 0) {
        return malformed(st, "the numbers of a place");
    }
    return ALM_OK;
}

bool alm_group_constant(const alm_group *group, int column)
{
    const alm_group_attribute *a = &group->attributes[column];
    return !a->is_by_period && alm_column_constant(&a->column);
}

static void set_odd_rows(alm_group_attribute *a, const alm_group_series *series, int64_t *ret)
{
    size_t odd = alm_frames_find(&a->odd_rows, (int64_t)series->from);
    for (; odd < a->odd_rows.count; odd++) {
        int64_t row = alm_frames_get(&a->odd_rows, odd) - (int64_t)series->from;
        if (row < 0 || row >= (int64_t)series->count) {
            break; // behind them; before them only if rows do not ascend, which is damage
        }
        ret[row] = alm_frames_get(&a->odd_values, odd);
    }
}

alm_code alm_group_column(alm_group *group, const alm_group_series *series, int column,
                          alm_arena *scratch, int64_t *ret, alm_status *st)
{
    alm_group_attribute *a = &group->attributes[column];
    if (!a->is_by_period) {
        alm_column_range(&a->column, series->from, series->from + series->count, ret);
        return ALM_OK;
    }
    const int64_t *defaults = over_periods(group, &a->column, scratch);
    if (defaults == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < series->count; i++) {
        ret[i] = defaults[series->axis[i]];
    }
    if (a->odd_rows.count > 0) {
        set_odd_rows(a, series, ret);
    }
    return ALM_OK;
}

static alm_code set_attributes(alm_group *group, const alm_group_series *series, alm_arena *scratch,
                               int64_t *values, alm_obs *rows, alm_status *st)
{
    for (size_t a = 0; a < ALM_ARRAY_LEN(attribute_columns); a++) {
        int column = attribute_columns[a];
        ALM_TRY(alm_group_column(group, series, column, scratch, values, st));
        if (!alm_block_set(column, values, series->count, group->notes, group->note_count, rows)) {
            return malformed(st, "a row");
        }
    }
    ALM_TRY(alm_group_numbers(group, series, values, st));
    if (!alm_block_set(ALM_BLOCK_MANTISSA, values, series->count, NULL, 0, rows) ||
        (group->is_scaled && !alm_block_unscale(group->scale, rows, series->count))) {
        return malformed(st, "a number");
    }
    return ALM_OK;
}

alm_code alm_group_rows(alm_group *group, const alm_group_series *series, alm_arena *scratch,
                        alm_obs *ret, alm_status *st)
{
    if (series->count == 0) {
        return ALM_OK;
    }
    int64_t *values = alm_arena_alloc(scratch, series->count * sizeof *values);
    alm_period *periods = alm_arena_alloc(scratch, series->count * sizeof *periods);
    if (values == NULL || periods == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_group_periods(group, series, scratch, periods, st));
    alm_place_id place = (alm_place_id)alm_column_get(&group->places, series->place);
    for (size_t i = 0; i < series->count; i++) {
        ret[i] = (alm_obs){.place = place, .period = periods[i]};
    }
    return set_attributes(group, series, scratch, values, ret, st);
}
