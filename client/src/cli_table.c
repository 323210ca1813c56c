#include "cli_table.h"

#include "cli_cell.h"

#define SHRUNK_WIDTH_MIN 8

typedef enum row_kind { ROW_OF_CELLS, ROW_SECTION, ROW_NOTE } row_kind;

struct cli_table {
    alm_arena *arena;
    const cli_column *columns;
    size_t column_count;
    const char **cells; // row by row; of a section or a note the first cell is the text
    size_t cell_count, cell_cap;
    row_kind *kinds; // by row
    size_t row_cap;
    bool failed;
};

cli_table *cli_table_create(alm_arena *arena, const cli_column *columns, size_t column_count)
{
    cli_table *table = alm_arena_calloc(arena, 1, sizeof *table);
    if (table != NULL) {
        *table = (cli_table){.arena = arena, .columns = columns, .column_count = column_count};
    }
    return table;
}

static void push_cell(cli_table *table, const char *text)
{
    void *cells = table->cells;
    if (table->failed || text == NULL ||
        !alm_arena_grow(table->arena, &cells, &table->cell_cap, table->cell_count + 1,
                        sizeof *table->cells)) {
        table->failed = true;
        return;
    }
    table->cells = cells;
    table->cells[table->cell_count++] = text;
}

// Called before a row's first cell.
static void mark_row(cli_table *table, row_kind kind)
{
    size_t row = table->cell_count / table->column_count;
    void *kinds = table->kinds;
    if (!alm_arena_grow(table->arena, &kinds, &table->row_cap, row + 1, sizeof *table->kinds)) {
        table->failed = true;
        return;
    }
    table->kinds = kinds;
    table->kinds[row] = kind;
}

void cli_table_cell(cli_table *table, const char *text)
{
    if (table == NULL || table->failed) {
        return;
    }
    if (table->cell_count % table->column_count == 0) {
        mark_row(table, ROW_OF_CELLS);
    }
    push_cell(table, cli_clean(table->arena, alm_str_from(text)));
}

static void push_line(cli_table *table, row_kind kind, const char *text)
{
    if (table == NULL || table->failed) {
        return;
    }
    ALM_ASSERT(table->cell_count % table->column_count == 0);
    mark_row(table, kind);
    push_cell(table, cli_clean(table->arena, alm_str_from(text)));
    for (size_t i = 1; i < table->column_count; i++) {
        push_cell(table, "");
    }
}

void cli_table_section(cli_table *table, const char *heading)
{
    push_line(table, ROW_SECTION, heading);
}

void cli_table_note(cli_table *table, const char *text)
{
    push_line(table, ROW_NOTE, text);
}

size_t cli_table_rows(const cli_table *table)
{
    return table->cell_count / table->column_count;
}

static const char *cell_at(const cli_table *table, size_t row, size_t column)
{
    return table->cells[row * table->column_count + column];
}

static size_t text_width(const char *text)
{
    return cli_width(alm_str_from(text));
}

// Widths of the columns; 0: not shown.
static void measure(const cli_table *table, size_t *widths)
{
    for (size_t column = 0; column < table->column_count; column++) {
        size_t widest = 0;
        for (size_t row = 0; row < cli_table_rows(table); row++) {
            if (table->kinds[row] == ROW_OF_CELLS) {
                widest = ALM_MAX(widest, text_width(cell_at(table, row, column)));
            }
        }
        bool is_shown = widest > 0 || table->columns[column].keeps;
        size_t title = text_width(table->columns[column].title);
        widths[column] = is_shown ? ALM_MAX(widest, title) : 0;
    }
}

static size_t gap_before(const cli_table *table, size_t column, bool is_first)
{
    return is_first ? 0 : table->columns[column].close ? 1 : 2;
}

static size_t line_width(const cli_table *table, const size_t *widths)
{
    size_t sum = 0;
    bool is_first = true;
    for (size_t i = 0; i < table->column_count; i++) {
        if (widths[i] > 0) {
            sum += widths[i] + gap_before(table, i, is_first);
            is_first = false;
        }
    }
    return sum;
}

// Takes from the columns that may shrink, the last one first, until the line fits or nothing is
// left.
static void fit(const cli_table *table, size_t *widths, size_t width)
{
    for (size_t i = table->column_count; i > 0 && width > 0; i--) {
        size_t line = line_width(table, widths);
        size_t *at = &widths[i - 1];
        if (line > width && table->columns[i - 1].shrinks && *at > SHRUNK_WIDTH_MIN) {
            *at -= ALM_MIN(line - width, *at - SHRUNK_WIDTH_MIN);
        }
    }
}

// One line; cells of the last shown column are not padded on their right.
static void print_line(const cli_table *table, const char *const *cells, const size_t *widths,
                       FILE *out)
{
    size_t owed = 0; // spaces due before the next text
    bool is_first = true;
    for (size_t i = 0; i < table->column_count; i++) {
        if (widths[i] == 0) {
            continue;
        }
        const char *text = cli_shorten(table->arena, cells[i], widths[i]);
        text = text != NULL ? text : "";
        size_t fill = widths[i] - ALM_MIN(text_width(text), widths[i]);
        owed += gap_before(table, i, is_first) + (table->columns[i].right ? fill : 0);
        if (text[0] != '\0') {
            fprintf(out, "%*s%s", (int)owed, "", text);
            owed = 0;
        }
        owed += table->columns[i].right ? 0 : fill;
        is_first = false;
    }
    fputc('\n', out);
}

bool cli_table_print(const cli_table *table, FILE *out, size_t width, bool color)
{
    if (table == NULL || table->failed) {
        return false;
    }
    const char *bold = color ? "\033[1m" : "";
    const char *plain = color ? "\033[0m" : "";
    size_t *widths = alm_arena_calloc(table->arena, table->column_count, sizeof *widths);
    const char **titles = alm_arena_calloc(table->arena, table->column_count, sizeof *titles);
    if (widths == NULL || titles == NULL) {
        return false;
    }
    measure(table, widths);
    fit(table, widths, width);
    for (size_t i = 0; i < table->column_count; i++) {
        titles[i] = table->columns[i].title;
    }
    fputs(bold, out);
    print_line(table, titles, widths, out);
    fputs(plain, out);
    for (size_t row = 0; row < cli_table_rows(table); row++) {
        if (table->kinds[row] == ROW_SECTION) {
            fprintf(out, "%s%s%s\n", bold, cell_at(table, row, 0), plain);
        } else if (table->kinds[row] == ROW_NOTE) {
            fprintf(out, "    %s\n", cell_at(table, row, 0));
        } else {
            print_line(table, &table->cells[row * table->column_count], widths, out);
        }
    }
    return true;
}
