// Text in a terminal: how wide it is, and what must not get there.
#ifndef ALM_CLI_CELL_H
#define ALM_CLI_CELL_H

#include "alm/arena.h"
#include "alm/str.h"

// Columns that well-formed UTF-8 takes: 2 for a Chinese character, 0 for a combining mark.
size_t cli_width(alm_str text);

// One line of safe text: control characters, marks that turn the direction of text and malformed
// bytes become '?', line ends and tabs a space. NULL: the arena is full.
const char *cli_clean(alm_arena *arena, alm_str text);

// The text, or its beginning with "…" at the end, in at most width columns (at least 1).
const char *cli_shorten(alm_arena *arena, const char *text, size_t width);

// ▁▂▃▄▅▆▇█ for each value, by its place between the least and the greatest; a NAN is a gap. NULL:
// the arena is full.
const char *cli_spark(alm_arena *arena, const double *values, size_t count);

#endif
