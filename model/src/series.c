#include "alm/series.h"

#include "check.h"

#include <stdlib.h>

#define NOT_APPLICABLE ALM_STR("_Z")
#define TOTAL          ALM_STR("_T")

static bool relation_is_empty(const alm_relation *relation)
{
    return relation->indicator.len == 0 && relation->place.len == 0 &&
           relation->measure == ALM_MEASURE_NONE;
}

// Numbers come from wires and disks too: the enum may hold anything.
static bool measure_is_known(alm_measure measure)
{
    return measure > ALM_MEASURE_NONE && measure <= ALM_MEASURE_NUMBER_MAX;
}

static bool accumulation_is_known(alm_accumulation accumulation)
{
    return accumulation == ALM_ACCUMULATION_PERIOD || accumulation == ALM_ACCUMULATION_CUMULATIVE;
}

static alm_code check_relation(const alm_relation *relation, alm_status *st)
{
    if (relation->indicator.len > 0) {
        ALM_TRY(alm_check_code(relation->indicator, "relation", st));
    }
    if (relation->place.len > 0) {
        ALM_TRY(alm_check_code(relation->place, "relation", st));
    }
    if (relation->measure != ALM_MEASURE_NONE && !measure_is_known(relation->measure)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "relation",
                                    "relation: no measure has the number %d", relation->measure);
    }
    return ALM_OK;
}

static alm_code check_breakdowns(const alm_breakdown *breakdowns, size_t count, alm_status *st)
{
    if (count > ALM_BREAKDOWN_COUNT_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "breakdown",
                                    "%zu breakdowns, at most %d are allowed", count,
                                    ALM_BREAKDOWN_COUNT_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        alm_str dimension = breakdowns[i].dimension;
        ALM_TRY(alm_check_code(dimension, "breakdown", st));
        ALM_TRY(alm_check_code(breakdowns[i].member, "breakdown", st));
        int order = i == 0 ? -1 : alm_str_cmp(breakdowns[i - 1].dimension, dimension);
        if (order >= 0) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "breakdown",
                                        order == 0 ? "breakdown dimension '%.*s' is there twice"
                                                   : "breakdown dimension '%.*s' is out of order",
                                        SHOWN_ARGS(dimension));
        }
    }
    return ALM_OK;
}

static alm_code check_variant(const alm_variant *variant, alm_status *st)
{
    if (alm_freq_letter(variant->freq) == '?') {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "frequency",
                                    "no frequency has the number %d", variant->freq);
    }
    ALM_TRY(alm_check_code(variant->indicator, "indicator", st));
    if (!accumulation_is_known(variant->accumulation)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "accumulation",
                                    "no accumulation has the number %d", variant->accumulation);
    }
    if (!measure_is_known(variant->measure)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "measure",
                                    "no measure has the number %d", variant->measure);
    }
    ALM_TRY(check_relation(&variant->relation, st));
    return check_breakdowns(variant->breakdowns, variant->breakdown_count, st);
}

// A key under construction. Its length goes on counting past the end, so one look at the end tells.
typedef struct key_text {
    char data[ALM_SERIES_KEY_BYTES_MAX];
    size_t len;
} key_text;

static void put(key_text *key, alm_str part)
{
    if (part.len > 0 && key->len + part.len <= sizeof key->data) {
        memcpy(key->data + key->len, part.data, part.len);
    }
    key->len += part.len;
}

static void put_char(key_text *key, char c)
{
    put(key, (alm_str){&c, 1});
}

static void put_relation(key_text *key, const alm_relation *relation)
{
    if (relation_is_empty(relation)) {
        put(key, NOT_APPLICABLE);
        return;
    }
    put(key, relation->indicator);
    if (relation->place.len > 0) {
        put_char(key, '@');
        put(key, relation->place);
    }
    if (relation->measure != ALM_MEASURE_NONE) {
        put_char(key, '/');
        put(key, alm_str_from(alm_measure_code(relation->measure)));
    }
}

static void put_breakdowns(key_text *key, const alm_breakdown *breakdowns, size_t count)
{
    if (count == 0) {
        put(key, TOTAL);
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            put_char(key, '+');
        }
        put(key, breakdowns[i].dimension);
        put_char(key, '=');
        put(key, breakdowns[i].member);
    }
}

static void put_variant(key_text *key, const alm_variant *variant)
{
    put_char(key, alm_freq_letter(variant->freq));
    put_char(key, '.');
    put(key, variant->indicator);
    put_char(key, '.');
    put(key, alm_str_from(alm_accumulation_code(variant->accumulation)));
    put_char(key, '.');
    put(key, alm_str_from(alm_measure_code(variant->measure)));
    put_char(key, '.');
    put_relation(key, &variant->relation);
    put_char(key, '.');
    put_breakdowns(key, variant->breakdowns, variant->breakdown_count);
}

static alm_code finish_key(const key_text *key, alm_arena *arena, alm_str *ret, alm_status *st)
{
    if (key->len > sizeof key->data) {
        return alm_status_set(st, ALM_OUT_OF_RANGE,
                              "series key '%.*s...' is %zu bytes long, at most %d are allowed",
                              SHOWN_BYTES_MAX, key->data, key->len, ALM_SERIES_KEY_BYTES_MAX);
    }
    alm_str view = {key->data, key->len};
    char *copy = alm_arena_strdup(arena, view);
    if (copy == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a series key");
    }
    *ret = (alm_str){copy, key->len};
    return ALM_OK;
}

alm_code alm_variant_encode(const alm_variant *variant, alm_arena *arena, alm_str *ret,
                            alm_status *st)
{
    ALM_TRY(check_variant(variant, st));
    key_text key;
    key.len = 0;
    put_variant(&key, variant);
    return finish_key(&key, arena, ret, st);
}

alm_code alm_series_key_encode(alm_str place, const alm_variant *variant, alm_arena *arena,
                               alm_str *ret, alm_status *st)
{
    ALM_TRY(alm_check_code(place, "place", st));
    ALM_TRY(check_variant(variant, st));
    key_text key;
    key.len = 0;
    put(&key, place);
    put_char(&key, ':');
    put_variant(&key, variant);
    return finish_key(&key, arena, ret, st);
}

static alm_code parse_breakdown(alm_str text, alm_breakdown *ret, alm_status *st)
{
    size_t at = alm_str_find_char(text, '=');
    if (at == SIZE_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "breakdown",
                                    "breakdown '%.*s' is not dimension=member", SHOWN_ARGS(text));
    }
    ret->dimension = alm_str_slice(text, 0, at);
    ret->member = alm_str_slice(text, at + 1, text.len);
    return ALM_OK;
}

// Takes the part before the first '+', ';' or ',' off the front. False when nothing is left.
static bool split_breakdown(alm_str *rest, alm_str *ret_part)
{
    if (rest->data == NULL) {
        return false;
    }
    size_t at = 0;
    while (at < rest->len && memchr("+;,", rest->data[at], 3) == NULL) {
        at++;
    }
    *ret_part = alm_str_slice(*rest, 0, at);
    *rest = at == rest->len ? (alm_str){0} : alm_str_slice(*rest, at + 1, rest->len);
    return true;
}

static int cmp_breakdown(const void *a, const void *b)
{
    return alm_str_cmp(((const alm_breakdown *)a)->dimension,
                       ((const alm_breakdown *)b)->dimension);
}

alm_code alm_breakdowns_parse(alm_str text, alm_breakdown *ret, size_t *ret_count, alm_status *st)
{
    alm_breakdown parsed[ALM_BREAKDOWN_COUNT_MAX];
    size_t count = 0;
    alm_str rest = alm_str_trim(text);
    if (rest.len == 0 || alm_str_eq(rest, TOTAL)) {
        *ret_count = 0;
        return ALM_OK;
    }
    for (alm_str part; split_breakdown(&rest, &part);) {
        if (count == ALM_BREAKDOWN_COUNT_MAX) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "breakdown",
                                        "more than %d breakdowns", ALM_BREAKDOWN_COUNT_MAX);
        }
        alm_breakdown *breakdown = &parsed[count++];
        ALM_TRY(parse_breakdown(part, breakdown, st));
        breakdown->dimension = alm_str_trim(breakdown->dimension);
        breakdown->member = alm_str_trim(breakdown->member);
    }
    qsort(parsed, count, sizeof parsed[0], cmp_breakdown);
    ALM_TRY(check_breakdowns(parsed, count, st));
    memcpy(ret, parsed, count * sizeof parsed[0]);
    *ret_count = count;
    return ALM_OK;
}

// "[indicator][@place][/measure]" with at least one part; what stands behind a mark is never empty.
static alm_code parse_relation(alm_str text, alm_relation *ret, alm_status *st)
{
    alm_relation relation = {.measure = ALM_MEASURE_NONE};
    size_t slash = ALM_MIN(alm_str_find_char(text, '/'), text.len);
    size_t at = ALM_MIN(alm_str_find_char(alm_str_slice(text, 0, slash), '@'), slash);
    relation.indicator = alm_str_slice(text, 0, at);
    if (at > 0) {
        ALM_TRY(alm_check_code(relation.indicator, "relation", st));
    }
    if (at < slash) {
        relation.place = alm_str_slice(text, at + 1, slash);
        ALM_TRY(alm_check_code(relation.place, "relation", st));
    }
    if (slash < text.len) {
        alm_str measure = alm_str_slice(text, slash + 1, text.len);
        if (!alm_measure_parse(measure, &relation.measure)) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "relation",
                                        "relation: unknown measure '%.*s'", SHOWN_ARGS(measure));
        }
    }
    *ret = relation;
    return ALM_OK;
}

alm_code alm_relation_parse(alm_str text, alm_relation *ret, alm_status *st)
{
    alm_str trimmed = alm_str_trim(text);
    if (trimmed.len == 0 || alm_str_eq(trimmed, NOT_APPLICABLE)) {
        *ret = (alm_relation){.measure = ALM_MEASURE_NONE};
        return ALM_OK;
    }
    return parse_relation(trimmed, ret, st);
}

// Unlike alm_breakdowns_parse takes the canonical form only; check_variant sees to the order.
static alm_code decode_breakdowns(alm_str text, alm_variant *ret, alm_status *st)
{
    if (alm_str_eq(text, TOTAL)) {
        return ALM_OK;
    }
    for (alm_str part; alm_str_split(&text, '+', &part);) {
        if (ret->breakdown_count == ALM_BREAKDOWN_COUNT_MAX) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "breakdown",
                                        "more than %d breakdowns", ALM_BREAKDOWN_COUNT_MAX);
        }
        ALM_TRY(parse_breakdown(part, &ret->breakdowns[ret->breakdown_count++], st));
    }
    return ALM_OK;
}

enum { PART_FREQ, PART_INDICATOR, PART_ACCUMULATION, PART_MEASURE, PART_RELATION, PART_BREAKDOWNS };
#define PART_COUNT (PART_BREAKDOWNS + 1)

static alm_code decode_parts(const alm_str parts[PART_COUNT], alm_variant *ret, alm_status *st)
{
    if (parts[PART_FREQ].len != 1 || !alm_freq_from_letter(parts[PART_FREQ].data[0], &ret->freq)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "frequency",
                                    "unknown frequency '%.*s'", SHOWN_ARGS(parts[PART_FREQ]));
    }
    ret->indicator = parts[PART_INDICATOR];
    if (!alm_accumulation_parse(parts[PART_ACCUMULATION], &ret->accumulation)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "accumulation",
                                    "accumulation '%.*s' is neither P nor C",
                                    SHOWN_ARGS(parts[PART_ACCUMULATION]));
    }
    if (!alm_measure_parse(parts[PART_MEASURE], &ret->measure)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "measure", "unknown measure '%.*s'",
                                    SHOWN_ARGS(parts[PART_MEASURE]));
    }
    if (parts[PART_RELATION].len == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "relation",
                                    "relation is empty; _Z stands for none");
    }
    if (!alm_str_eq(parts[PART_RELATION], NOT_APPLICABLE)) {
        ALM_TRY(parse_relation(parts[PART_RELATION], &ret->relation, st));
    }
    ALM_TRY(decode_breakdowns(parts[PART_BREAKDOWNS], ret, st));
    return check_variant(ret, st);
}

alm_code alm_variant_decode(alm_str text, alm_variant *ret, alm_status *st)
{
    if (text.len > ALM_SERIES_KEY_BYTES_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "series '%.*s...' is %zu bytes long, at most %d are allowed",
                              SHOWN_ARGS(text), text.len, ALM_SERIES_KEY_BYTES_MAX);
    }
    alm_str parts[PART_COUNT];
    alm_str rest = text;
    size_t count = 0;
    for (alm_str part; alm_str_split(&rest, '.', &part); count++) {
        if (count < PART_COUNT) {
            parts[count] = part;
        }
    }
    if (count != PART_COUNT) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "series '%.*s' has %zu parts, not the six of "
                              "FREQ.indicator.ACCUM.measure.relation.breakdowns",
                              SHOWN_ARGS(text), count);
    }
    alm_variant variant = {.freq = ALM_FREQ_NONE};
    alm_code code = decode_parts(parts, &variant, st);
    if (code != ALM_OK) {
        alm_status_prefix(st, "series '%.*s'", SHOWN_ARGS(text));
        return code;
    }
    *ret = variant;
    return ALM_OK;
}

alm_code alm_series_key_decode(alm_str text, alm_str *ret_place, alm_variant *ret, alm_status *st)
{
    size_t at = alm_str_find_char(text, ':');
    if (at == SIZE_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "series key '%.*s' has no place and colon",
                              SHOWN_ARGS(text));
    }
    if (text.len > ALM_SERIES_KEY_BYTES_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "series key '%.*s...' is %zu bytes long, at most %d are allowed",
                              SHOWN_ARGS(text), text.len, ALM_SERIES_KEY_BYTES_MAX);
    }
    alm_str place = alm_str_slice(text, 0, at);
    ALM_TRY(alm_check_code(place, "place", st));
    ALM_TRY(alm_variant_decode(alm_str_slice(text, at + 1, text.len), ret, st));
    *ret_place = place;
    return ALM_OK;
}

static bool relation_eq(const alm_relation *a, const alm_relation *b)
{
    return alm_str_eq(a->indicator, b->indicator) && alm_str_eq(a->place, b->place) &&
           a->measure == b->measure;
}

bool alm_variant_eq(const alm_variant *a, const alm_variant *b)
{
    bool same = a->freq == b->freq && a->accumulation == b->accumulation &&
                a->measure == b->measure && a->breakdown_count == b->breakdown_count &&
                alm_str_eq(a->indicator, b->indicator) && relation_eq(&a->relation, &b->relation);
    for (size_t i = 0; same && i < a->breakdown_count; i++) {
        same = alm_str_eq(a->breakdowns[i].dimension, b->breakdowns[i].dimension) &&
               alm_str_eq(a->breakdowns[i].member, b->breakdowns[i].member);
    }
    return same;
}
