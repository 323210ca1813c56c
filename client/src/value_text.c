#include "value_text.h"

#include "unit_label.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

// Why a row has no number, as SDMX tells them apart.
static bool is_missing(const almanac_row *row)
{
    return strchr("MQOLW", row->status) != NULL;
}

// Appends what fits; a value text is far shorter than its maximum.
static void put(char *out, const char *text)
{
    size_t len = strlen(out);
    (void)snprintf(out + len, ALMANAC_VALUE_TEXT_MAX - len, "%s", text);
}

static void put_word(char *out, const char *word)
{
    if (word[0] != '\0' && out[0] != '\0') {
        put(out, " ");
    }
    put(out, word);
}

// The unit as it stands behind the number: apart in parentheses, since "6 10 thousand" misleads.
static void put_unit(char *ret_unit, const char *unit, alm_unit_shape shape, almanac_lang lang)
{
    char label[ALMANAC_UNIT_TEXT_MAX];
    almanac_unit_label(unit, lang, label);
    bool is_apart = shape == ALM_UNIT_APART;
    (void)snprintf(ret_unit, ALM_UNIT_HALF_MAX, "%s%s%s", is_apart ? "(" : "", label,
                   is_apart ? ")" : "");
}

void alm_value_halves(const almanac_row *row, almanac_lang lang, char *ret_number, char *ret_unit)
{
    const char *qualifier = almanac_qualifier_label(row->qualifier, lang);
    ret_number[0] = '\0';
    ret_unit[0] = '\0';
    if (!row->has_number) {
        const char *code = almanac_qualifier_code(row->qualifier);
        bool says_something = strcmp(code, "leading") == 0 || strcmp(code, "top_group") == 0;
        put(ret_number, says_something && !is_missing(row) ? qualifier : "—");
        return;
    }
    alm_unit_shape shape = alm_unit_shape_of(row->unit, lang);
    char number[ALMANAC_NUMBER_TEXT_MAX];
    almanac_number_text(row->mantissa, row->exponent, ',', number);
    put(ret_number, qualifier);
    if (shape == ALM_UNIT_RANK) {
        put_word(ret_number, lang == ALMANAC_ZH ? "第" : "no.");
    }
    put_word(ret_number, number);
    put_unit(ret_unit, row->unit, shape, lang);
    if (shape == ALM_UNIT_CLINGS) {
        put(ret_number, ret_unit);
        ret_unit[0] = '\0';
    }
}

size_t almanac_value_text(const almanac_row *row, almanac_lang lang, char *out)
{
    char unit[ALM_UNIT_HALF_MAX];
    alm_value_halves(row, lang, out, unit);
    put_word(out, unit);
    return strlen(out);
}
