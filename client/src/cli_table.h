// A table for people: aligned columns, empty ones left out, sections with a heading.
#ifndef ALM_CLI_TABLE_H
#define ALM_CLI_TABLE_H

#include "alm/arena.h"

#include <stdio.h>

typedef struct cli_column {
    const char *title;
    bool right;   // numbers
    bool close;   // one space in front, not two: a unit behind its number
    bool shrinks; // is shortened with "…" where the line is wider than the terminal
    bool keeps;   // shown though every cell is empty
} cli_column;

typedef struct cli_table cli_table;

// columns are borrowed. NULL: out of memory.
cli_table *cli_table_create(alm_arena *arena, const cli_column *columns, size_t column_count);

// The next cell, from left to right. Any text; see cli_clean. A failure is sticky, see print.
void cli_table_cell(cli_table *table, const char *text);
void cli_table_section(cli_table *table, const char *heading); // between rows only
void cli_table_note(cli_table *table, const char *text);       // beneath a row, as long as it is

size_t cli_table_rows(const cli_table *table);

// width: of the terminal, 0: unbounded. color: the title line in bold, headings too.
// False: out of memory, nothing was printed.
bool cli_table_print(const cli_table *table, FILE *out, size_t width, bool color);

#endif
