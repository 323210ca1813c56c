#include "cli_ask.h"

#include "cli_command.h"

// The next of a list with commas; those in parentheses, brackets and quotes belong to a formula.
static bool split_item(alm_str *rest, alm_str *ret)
{
    int depth = 0;
    bool is_quoted = false;
    size_t end = 0;
    if (rest->data == NULL) {
        return false;
    }
    for (; end < rest->len; end++) {
        char c = rest->data[end];
        is_quoted ^= c == '"';
        depth += !is_quoted && (c == '(' || c == '[') ? 1 : 0;
        depth -= !is_quoted && (c == ')' || c == ']') ? 1 : 0;
        if (c == ',' && depth <= 0 && !is_quoted) {
            break;
        }
    }
    *ret = alm_str_slice(*rest, 0, end);
    *rest = end == rest->len ? (alm_str){0} : alm_str_slice(*rest, end + 1, rest->len);
    return true;
}

bool cli_split_words(cli *self, const char *const *words, size_t count, const char *const **ret,
                     size_t *ret_count)
{
    const char **parts = NULL;
    size_t part_count = 0, part_cap = 0;
    for (size_t i = 0; i < count; i++) {
        alm_str rest = alm_str_from(words[i]);
        for (alm_str part; split_item(&rest, &part);) {
            void *array = parts;
            part = alm_str_trim(part);
            if (part.len == 0) {
                continue;
            }
            if (!alm_arena_grow(self->arena, &array, &part_cap, part_count + 1, sizeof *parts)) {
                return false;
            }
            parts = array;
            parts[part_count] = alm_arena_strdup(self->arena, part);
            if (parts[part_count++] == NULL) {
                return false;
            }
        }
    }
    *ret = parts;
    *ret_count = part_count;
    return true;
}

const char *cli_breakdown(cli *self)
{
    const char *const *pairs = NULL;
    size_t count = alm_config_values(self->config, "by", &pairs);
    const char *joined = "";
    for (size_t i = 0; i < count && joined != NULL; i++) {
        joined = i == 0 ? pairs[0] : alm_arena_printf(self->arena, "%s+%s", joined, pairs[i]);
    }
    return joined;
}

static almanac_order order_of(const cli *self)
{
    const char *order = cli_text(self, "order");
    if (order[0] == '\0') { // the first of a ranking is what one looks for
        const char *transform = self->command->transform;
        bool is_rank = transform != NULL && strcmp(transform, "rank") == 0;
        return is_rank ? ALMANAC_ORDER_VALUE_ASC : ALMANAC_ORDER_KEY;
    }
    return strcmp(order, "value:desc") == 0  ? ALMANAC_ORDER_VALUE_DESC
           : strcmp(order, "value:asc") == 0 ? ALMANAC_ORDER_VALUE_ASC
                                             : ALMANAC_ORDER_KEY;
}

// The command's own word, then those that were given. False: out of memory.
static bool read_transforms(cli *self, almanac_query *query)
{
    const char *const *given = NULL;
    size_t count = alm_config_values(self->config, "transform", &given);
    const char **words = alm_arena_calloc(self->arena, count + 1, sizeof *words);
    if (words == NULL) {
        return false;
    }
    if (self->command->transform != NULL) {
        words[query->transform_count++] = self->command->transform;
    }
    for (size_t i = 0; i < count; i++) {
        words[query->transform_count++] = given[i];
    }
    query->transforms = words;
    return true;
}

static bool check_needed(cli *self, const almanac_query *query)
{
    const char *missing = query->places[0] == '\0'    ? "--place"
                          : query->periods[0] == '\0' ? "--period"
                                                      : NULL;
    if (query->indicator_count == 0) {
        (void)cli_fail_usage(self, "names no indicator");
        return false;
    }
    if (missing != NULL) {
        (void)cli_fail_usage(self, "%s is missing", missing);
        return false;
    }
    return true;
}

bool cli_ask(cli *self, almanac_query *ret, int *ret_exit)
{
    const char *const *words = NULL;
    size_t count = cli_positional(self, &words);
    const char *period = cli_text(self, "period");
    *ret = (almanac_query){
        .places = cli_text(self, "place"),
        .periods =
            period[0] == '\0' && self->command->period != NULL ? self->command->period : period,
        .breakdown = cli_breakdown(self),
        .measure = cli_text(self, "measure"),
        .accumulation = cli_text(self, "accumulation"),
        .frequency = cli_text(self, "frequency"),
        .as_of = cli_text(self, "as-of"),
        .group_by = cli_text(self, "group-by"),
        .unit = cli_text(self, "unit"),
        .order = order_of(self),
        .limit = (uint32_t)alm_config_int(self->config, "limit"),
        .min_sequence = (uint64_t)alm_config_int(self->config, "min-sequence"),
        .incomplete = alm_config_bool(self->config, "incomplete"),
    };
    ret->source_count = alm_config_values(self->config, "source", &ret->sources);
    *ret_exit = CLI_EXIT_USAGE; // until all is well
    if (!cli_split_words(self, words, count, &ret->indicators, &ret->indicator_count) ||
        ret->breakdown == NULL || !read_transforms(self, ret)) {
        *ret_exit = cli_fail_memory(self);
        return false;
    }
    if (!check_needed(self, ret)) {
        return false;
    }
    *ret_exit = 0;
    return true;
}
