#include "alm/formula.h"
#include "alm/wire.h"

_Static_assert((int)ALMANAC__V1__VALUE_TYPE__VALUE_TYPE_COUNT == (int)ALM_VALUE_TYPE_COUNT,
               "value types are numbered alike");
_Static_assert((int)ALMANAC__V1__AGGREGATION__AGGREGATION_NONE == (int)ALM_AGGREGATION_REFUSE,
               "aggregations are numbered alike");
_Static_assert((int)ALMANAC__V1__DIRECTION__DIRECTION_DOWN == (int)ALM_DIRECTION_DOWN,
               "directions are numbered alike");
_Static_assert((int)ALMANAC__V1__LEVEL__LEVEL_LOCAL == (int)ALM_LEVEL_LOCAL,
               "levels are numbered alike");

// A conversion with a sticky code: after the first failure every step does nothing.
typedef struct conversion {
    alm_arena *arena;
    alm_status *st;
    alm_code code;
} conversion;

static void fail(conversion *c, alm_code code, const char *field, const char *what)
{
    if (c->code == ALM_OK) {
        c->code = alm_status_set_field(c->st, code, field, "%s: %s", field, what);
    }
}

static void exhausted(conversion *c)
{
    fail(c, ALM_RESOURCE_EXHAUSTED, "catalogue entry", "out of memory");
}

// --- from messages
// ----------------------------------------------------------------------------------

static alm_str text_in(conversion *c, const char *field, const char *text, size_t max)
{
    alm_str s = alm_str_from(text);
    if (s.len > max) {
        fail(c, ALM_OUT_OF_RANGE, field, "the text is too long");
    } else if (alm_utf8_valid_len(s) != s.len) {
        fail(c, ALM_INVALID_ARGUMENT, field, "the text is not valid UTF-8");
    }
    return s;
}

static const alm_str *texts_in(conversion *c, const char *field, char *const *texts, size_t count)
{
    if (count > ALM_ALIAS_COUNT_MAX) {
        fail(c, ALM_OUT_OF_RANGE, field, "too many of them");
        return NULL;
    }
    alm_str *out = alm_arena_calloc(c->arena, count, sizeof *out);
    if (out == NULL) {
        exhausted(c);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = text_in(c, field, texts[i], ALM_NAME_BYTES_MAX);
    }
    return out;
}

static alm_date date_in(conversion *c, const char *field, const char *text, alm_date empty)
{
    alm_date date = empty;
    alm_status why = ALM_STATUS_INIT;
    if (text != NULL && text[0] != '\0' &&
        alm_date_parse(alm_str_from(text), &date, &why) != ALM_OK) {
        fail(c, ALM_INVALID_ARGUMENT, field, why.message);
    }
    return date;
}

static int enum_in(conversion *c, const char *field, int number, int max)
{
    if (number < 0 || number > max) {
        fail(c, ALM_INVALID_ARGUMENT, field, "a number that stands for nothing known");
        return 0;
    }
    return number;
}

static alm_unit unit_in(conversion *c, const char *text)
{
    alm_unit unit = {0};
    alm_status why = ALM_STATUS_INIT;
    if (c->code == ALM_OK && alm_unit_parse(alm_str_from(text), &unit, &why) != ALM_OK) {
        fail(c, ALM_INVALID_ARGUMENT, "unit", why.message);
    }
    return unit;
}

alm_code alm_indicator_from_proto(const Almanac__V1__Indicator *message, alm_arena *arena,
                                  alm_indicator *ret, alm_status *st)
{
    conversion c = {.arena = arena, .st = st};
    alm_indicator entry = {
        .code = text_in(&c, "code", message->code, ALM_CODE_BYTES_MAX),
        .name_zh = text_in(&c, "name_zh", message->name_zh, ALM_NAME_BYTES_MAX),
        .name_en = text_in(&c, "name_en", message->name_en, ALM_NAME_BYTES_MAX),
        .unit = unit_in(&c, message->unit),
        .value_type = (alm_value_type)enum_in(&c, "value_type", (int)message->value_type,
                                              ALM_VALUE_TYPE_COUNT),
        .over_places = (alm_aggregation)enum_in(&c, "over_places", (int)message->over_places,
                                                ALM_AGGREGATION_REFUSE),
        .over_time = (alm_aggregation)enum_in(&c, "over_time", (int)message->over_time,
                                              ALM_AGGREGATION_REFUSE),
        .direction =
            (alm_direction)enum_in(&c, "direction", (int)message->direction, ALM_DIRECTION_DOWN),
        .theme = text_in(&c, "theme", message->theme, ALM_NAME_BYTES_MAX),
        .numerator = text_in(&c, "numerator", message->numerator, ALM_CODE_BYTES_MAX),
        .denominator = text_in(&c, "denominator", message->denominator, ALM_CODE_BYTES_MAX),
        .definition = text_in(&c, "definition", message->definition, ALM_TEXT_BYTES_MAX),
        .formula = text_in(&c, "formula", message->formula, ALM_FORMULA_BYTES_MAX),
        .aliases = texts_in(&c, "aliases", message->aliases, message->n_aliases),
        .alias_count = message->n_aliases,
    };
    if (c.code == ALM_OK) {
        *ret = entry;
    }
    return c.code;
}

alm_code alm_place_from_proto(const Almanac__V1__Place *message, alm_arena *arena, alm_place *ret,
                              alm_status *st)
{
    conversion c = {.arena = arena, .st = st};
    alm_place entry = {
        .code = text_in(&c, "code", message->code, ALM_CODE_BYTES_MAX),
        .name_zh = text_in(&c, "name_zh", message->name_zh, ALM_NAME_BYTES_MAX),
        .name_en = text_in(&c, "name_en", message->name_en, ALM_NAME_BYTES_MAX),
        .level = (alm_level)enum_in(&c, "level", (int)message->level, ALM_LEVEL_LOCAL),
        .parent = text_in(&c, "parent", message->parent, ALM_CODE_BYTES_MAX),
        .valid_from = date_in(&c, "valid_from", message->valid_from, ALM_DATE_NONE),
        .valid_to = date_in(&c, "valid_to", message->valid_to, ALM_DATE_MAX),
        .successors = texts_in(&c, "successors", message->successors, message->n_successors),
        .successor_count = message->n_successors,
        .aliases = texts_in(&c, "aliases", message->aliases, message->n_aliases),
        .alias_count = message->n_aliases,
    };
    if (c.code == ALM_OK) {
        *ret = entry;
    }
    return c.code;
}

alm_code alm_source_from_proto(const Almanac__V1__Source *message, alm_arena *arena,
                               alm_source *ret, alm_status *st)
{
    conversion c = {.arena = arena, .st = st};
    alm_source entry = {
        .code = text_in(&c, "code", message->code, ALM_CODE_BYTES_MAX),
        .title = text_in(&c, "title", message->title, ALM_NAME_BYTES_MAX),
        .publisher = text_in(&c, "publisher", message->publisher, ALM_NAME_BYTES_MAX),
        .published = date_in(&c, "published", message->published, ALM_DATE_NONE),
        .address = text_in(&c, "address", message->address, ALM_TEXT_BYTES_MAX),
        .precedence = message->precedence,
        .note = text_in(&c, "note", message->note, ALM_TEXT_BYTES_MAX),
    };
    if (c.code == ALM_OK) {
        *ret = entry;
    }
    return c.code;
}

// --- to messages
// ------------------------------------------------------------------------------------

static char *text_out(conversion *c, alm_str text)
{
    char *copy = alm_arena_strdup(c->arena, text);
    if (copy == NULL) {
        exhausted(c);
    }
    return copy;
}

static char **texts_out(conversion *c, const alm_str *texts, size_t count)
{
    char **out = alm_arena_calloc(c->arena, count, sizeof *out);
    if (out == NULL) {
        exhausted(c);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = text_out(c, texts[i]);
    }
    return out;
}

static char *date_out(conversion *c, alm_date date)
{
    char text[ALM_PERIOD_TEXT_MAX] = "";
    if (date != ALM_DATE_NONE && date != ALM_DATE_MAX) {
        alm_date_format(date, text);
    }
    return text_out(c, alm_str_from(text));
}

alm_code alm_indicator_to_proto(const alm_indicator *entry, alm_arena *arena,
                                Almanac__V1__Indicator **ret, alm_status *st)
{
    conversion c = {.arena = arena, .st = st};
    char unit[ALM_UNIT_TEXT_MAX];
    Almanac__V1__Indicator *message = alm_arena_alloc(arena, sizeof *message);
    if (message == NULL) {
        exhausted(&c);
        return c.code;
    }
    almanac__v1__indicator__init(message);
    alm_unit_code(entry->unit, unit);
    message->code = text_out(&c, entry->code);
    message->name_zh = text_out(&c, entry->name_zh);
    message->name_en = text_out(&c, entry->name_en);
    message->unit = text_out(&c, alm_str_from(unit));
    message->value_type = (Almanac__V1__ValueType)entry->value_type;
    message->over_places = (Almanac__V1__Aggregation)entry->over_places;
    message->over_time = (Almanac__V1__Aggregation)entry->over_time;
    message->direction = (Almanac__V1__Direction)entry->direction;
    message->theme = text_out(&c, entry->theme);
    message->numerator = text_out(&c, entry->numerator);
    message->denominator = text_out(&c, entry->denominator);
    message->definition = text_out(&c, entry->definition);
    message->formula = text_out(&c, entry->formula);
    message->aliases = texts_out(&c, entry->aliases, entry->alias_count);
    message->n_aliases = entry->alias_count;
    *ret = message;
    return c.code;
}

alm_code alm_place_to_proto(const alm_place *entry, alm_arena *arena, Almanac__V1__Place **ret,
                            alm_status *st)
{
    conversion c = {.arena = arena, .st = st};
    Almanac__V1__Place *message = alm_arena_alloc(arena, sizeof *message);
    if (message == NULL) {
        exhausted(&c);
        return c.code;
    }
    almanac__v1__place__init(message);
    message->code = text_out(&c, entry->code);
    message->name_zh = text_out(&c, entry->name_zh);
    message->name_en = text_out(&c, entry->name_en);
    message->level = (Almanac__V1__Level)entry->level;
    message->parent = text_out(&c, entry->parent);
    message->valid_from = date_out(&c, entry->valid_from);
    message->valid_to = date_out(&c, entry->valid_to);
    message->successors = texts_out(&c, entry->successors, entry->successor_count);
    message->n_successors = entry->successor_count;
    message->aliases = texts_out(&c, entry->aliases, entry->alias_count);
    message->n_aliases = entry->alias_count;
    *ret = message;
    return c.code;
}

alm_code alm_source_to_proto(const alm_source *entry, alm_arena *arena, Almanac__V1__Source **ret,
                             alm_status *st)
{
    conversion c = {.arena = arena, .st = st};
    Almanac__V1__Source *message = alm_arena_alloc(arena, sizeof *message);
    if (message == NULL) {
        exhausted(&c);
        return c.code;
    }
    almanac__v1__source__init(message);
    message->code = text_out(&c, entry->code);
    message->title = text_out(&c, entry->title);
    message->publisher = text_out(&c, entry->publisher);
    message->published = date_out(&c, entry->published);
    message->address = text_out(&c, entry->address);
    message->precedence = entry->precedence;
    message->note = text_out(&c, entry->note);
    *ret = message;
    return c.code;
}
