#include "cli_nearest.h"

#include "cli_command.h"

#include "alm/distance.h"

#define DISTANCE_MAX 2 // two slips are a typo, three are another word

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
        size_t distance = alm_edit_distance(word, part);
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
        size_t distance = alm_edit_distance(name, alm_str_from(cli_commands[i].name));
        if (distance < least) {
            least = distance;
            nearest = cli_commands[i].name;
        }
    }
    return nearest;
}
