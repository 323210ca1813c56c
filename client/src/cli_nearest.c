#include "cli_nearest.h"

#include "cli_command.h"

#define WORD_MAX     32
#define DISTANCE_MAX 2 // two slips are a typo, three are another word

size_t cli_distance(alm_str a, alm_str b)
{
    if (a.len > WORD_MAX || b.len > WORD_MAX) {
        return SIZE_MAX;
    }
    size_t row[WORD_MAX + 1]; // of the usual table, one at a time
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = diagonal + (a.data[i - 1] == b.data[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = ALM_MIN(replaced, ALM_MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}

// Short words differ in two letters without being alike.
static size_t distance_max(alm_str word)
{
    return word.len < 4 ? 1 : DISTANCE_MAX;
}

alm_str cli_nearest_of(alm_str word, const char *list)
{
    alm_str rest = alm_str_from(list);
    alm_str nearest = ALM_STR("");
    size_t least = distance_max(word) + 1;
    for (alm_str part; alm_str_split(&rest, '|', &part);) {
        size_t distance = cli_distance(word, part);
        if (distance < least) {
            least = distance;
            nearest = part;
        }
    }
    return nearest;
}

const char *cli_command_nearest(alm_str name)
{
    const char *nearest = NULL;
    size_t least = distance_max(name) + 1;
    for (size_t i = 0; i < cli_command_count; i++) {
        size_t distance = cli_distance(name, alm_str_from(cli_commands[i].name));
        if (distance < least) {
            least = distance;
            nearest = cli_commands[i].name;
        }
    }
    return nearest;
}
