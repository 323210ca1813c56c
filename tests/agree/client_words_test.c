// The client has tables of its own for units, qualifiers, statuses and measures, since it does not
// include the model. Goal: they say what the model says. Method: every code and every number of the
// model, in both languages, and every kind of value as text.
#include "almanac.h"
#include "cli_transforms.h"
#include "words.h"

#include "alm/catalog.h"
#include "alm/pace.h"
#include "alm/place.h"
#include "alm/transform.h"
#include "alm/reconcile.h"
#include "alm/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const almanac_lang client_langs[] = {ALMANAC_ZH, ALMANAC_EN};
static const alm_lang model_langs[] = {ALM_LANG_ZH, ALM_LANG_EN};

#define FOR_EACH_LANG(l) for (size_t l = 0; (l) < ALM_ARRAY_LEN(model_langs); (l)++)

// Every unit the model allows. Called with each.
static void each_unit(void (*visit)(alm_unit unit))
{
    size_t count = 0;
    for (int measure = 0; measure <= UINT8_MAX; measure++) {
        for (int mult = ALM_UNIT_MULT_MIN; mult <= ALM_UNIT_MULT_MAX; mult++) {
            // Plain ones, and quotients by a measure with English and one without.
            static const uint8_t pers[] = {ALM_MEASURE_UNIT_NONE, ALM_MEASURE_UNIT_PERSONS,
                                           ALM_MEASURE_UNIT_TAO};
            for (size_t i = 0; i < ALM_ARRAY_LEN(pers); i++) {
                alm_unit unit = {.measure = (uint8_t)measure,
                                 .mult = (int8_t)mult,
                                 .per = pers[i],
                                 .per_mult = pers[i] == ALM_MEASURE_UNIT_TAO ? 4 : 0};
                if (alm_unit_valid(unit)) {
                    visit(unit);
                    count++;
                }
            }
        }
    }
    assert_true(count > 2900); // 53 measures, most with 22 multipliers, three times
}

static void check_label(alm_unit unit)
{
    char code[ALM_UNIT_TEXT_MAX], want[ALM_UNIT_TEXT_MAX], got[ALMANAC_UNIT_TEXT_MAX];
    alm_unit_code(unit, code);
    FOR_EACH_LANG(l)
    {
        alm_unit_label(unit, model_langs[l], want);
        size_t len = almanac_unit_label(code, client_langs[l], got);
        assert_string_equal(got, want);
        assert_int_equal(len, strlen(want));
    }
}

static void units_are_the_models(void **state)
{
    (void)state;
    each_unit(check_label);
}

static void check_value(const alm_value *value)
{
    char unit[ALM_UNIT_TEXT_MAX], want[ALM_VALUE_TEXT_MAX], got[ALMANAC_VALUE_TEXT_MAX];
    alm_unit_code(value->unit, unit);
    almanac_row row = {.mantissa = value->number.mantissa,
                       .exponent = value->number.exponent,
                       .has_number = value->has_number,
                       .unit = unit,
                       .qualifier = value->qualifier,
                       .status = alm_obs_status_letter(value->status)};
    FOR_EACH_LANG(l)
    {
        alm_value_format(value, model_langs[l], want);
        almanac_value_text(&row, client_langs[l], got);
        assert_string_equal(got, want);
    }
}

static void check_values(alm_unit unit)
{
    static const alm_decimal numbers[] = {{16853, -2}, {6100, 0}, {-31, -1}, {2, 11}, {0, -3}};
    for (int q = 0; q < ALM_QUALIFIER_COUNT; q++) {
        alm_value value = {.unit = unit, .qualifier = (alm_qualifier)q, .has_number = true};
        for (size_t i = 0; i < ALM_ARRAY_LEN(numbers); i++) {
            value.number = numbers[i];
            check_value(&value);
        }
        value.has_number = false;
        for (int s = 0; s < ALM_OBS_STATUS_COUNT; s++) {
            value.status = (alm_obs_status)s;
            check_value(&value);
        }
    }
}

static void values_are_the_models(void **state)
{
    (void)state;
    each_unit(check_values);
}

static void qualifiers_are_the_models(void **state)
{
    (void)state;
    assert_int_equal(ALM_QUALIFIER_WORD_COUNT, ALM_QUALIFIER_COUNT);
    for (unsigned q = 0; q < ALM_QUALIFIER_COUNT; q++) {
        assert_string_equal(almanac_qualifier_code(q), alm_qualifier_code((alm_qualifier)q));
        FOR_EACH_LANG(l)
        {
            assert_string_equal(almanac_qualifier_label(q, client_langs[l]),
                                alm_qualifier_label((alm_qualifier)q, model_langs[l]));
        }
    }
}

static void statuses_are_the_models(void **state)
{
    (void)state;
    assert_int_equal(ALM_STATUS_WORD_COUNT, ALM_OBS_STATUS_COUNT);
    for (unsigned s = 0; s < ALM_OBS_STATUS_COUNT; s++) {
        char letter = alm_obs_status_letter((alm_obs_status)s);
        assert_int_equal(alm_status_word_letter(s), letter);
        FOR_EACH_LANG(l)
        {
            assert_string_equal(almanac_status_label(letter, client_langs[l]),
                                alm_obs_status_label((alm_obs_status)s, model_langs[l]));
        }
    }
}

static void transforms_are_the_models(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        alm_stage stage;
    } models[] = {
#define MODEL(name, word, stage, argument, zh, en) {word, ALM_STAGE_##stage},
        ALM_TRANSFORM_MAP(MODEL)
#undef MODEL
    };
    static const char *const stages[ALM_STAGE_COUNT] = {"places", "frequency", "accumulation",
                                                        "prices", "ratio",     "change",
                                                        "index",  "average",   "rank"};
    assert_int_equal(cli_transform_count, ALM_ARRAY_LEN(models));
    for (size_t i = 0; i < ALM_ARRAY_LEN(models); i++) {
        const cli_transform *told = &cli_transforms[i];
        size_t len = strcspn(told->word, "[:");
        assert_int_equal(len, strlen(models[i].word));
        assert_memory_equal(told->word, models[i].word, len);
        assert_string_equal(told->stage, stages[models[i].stage]);
    }
}

static void measures_are_the_models(void **state)
{
    (void)state;
    for (int m = 1; m <= ALM_MEASURE_NUMBER_MAX; m++) {
        const char *code = alm_measure_code((alm_measure)m);
        FOR_EACH_LANG(l)
        {
            assert_string_equal(almanac_measure_label(code, client_langs[l]),
                                alm_measure_label((alm_measure)m, model_langs[l]));
        }
    }
}

static void pace_verdicts_are_the_models(void **state)
{
    (void)state;
    // One past the last too: neither knows it.
    for (int v = 0; v <= (int)ALM_PACE_VERDICT_WORD_COUNT; v++) {
        assert_string_equal(almanac_pace_verdict_code((almanac_pace_verdict)v),
                            alm_pace_verdict_code((alm_pace_verdict)v));
        FOR_EACH_LANG(l)
        {
            assert_string_equal(
                almanac_pace_verdict_label((almanac_pace_verdict)v, client_langs[l]),
                alm_pace_verdict_label((alm_pace_verdict)v, model_langs[l]));
        }
    }
}

static void verdicts_are_the_models(void **state)
{
    (void)state;
    for (unsigned v = 1; v <= ALM_VERDICT_NOT_JUDGED + 1; v++) {
        assert_string_equal(almanac_verdict_code(v), alm_verdict_code((alm_verdict)v));
        FOR_EACH_LANG(l)
        {
            assert_string_equal(almanac_verdict_label(v, client_langs[l]),
                                alm_verdict_label((alm_verdict)v, model_langs[l]));
        }
    }
    assert_string_equal(almanac_implied_code(ALM_IMPLIED_NONE), "");
    assert_string_equal(almanac_implied_code(ALM_IMPLIED_BASE), "base");
    assert_string_equal(almanac_implied_code(ALM_IMPLIED_RANK), "rank");
    assert_string_equal(almanac_implied_code(ALM_IMPLIED_RANK + 1), "?");
}

static void catalogue_words_are_the_models(void **state)
{
    (void)state;
    for (unsigned t = ALM_VALUE_TYPE_FLOW; t <= ALM_VALUE_TYPE_COUNT; t++) {
        assert_string_equal(alm_value_type_word(t), alm_value_type_code((alm_value_type)t));
    }
    for (unsigned a = ALM_AGGREGATION_SUM; a <= ALM_AGGREGATION_REFUSE; a++) {
        assert_string_equal(alm_aggregation_word(a), alm_aggregation_code((alm_aggregation)a));
    }
    for (unsigned d = ALM_DIRECTION_NEUTRAL; d <= ALM_DIRECTION_DOWN; d++) {
        assert_string_equal(alm_direction_word(d), alm_direction_code((alm_direction)d));
    }
    for (unsigned v = ALM_LEVEL_COUNTRY; v <= ALM_LEVEL_LOCAL; v++) {
        assert_string_equal(alm_level_word(v), alm_level_code((alm_level)v));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_the_models),
        cmocka_unit_test(values_are_the_models),
        cmocka_unit_test(qualifiers_are_the_models),
        cmocka_unit_test(statuses_are_the_models),
        cmocka_unit_test(measures_are_the_models),
        cmocka_unit_test(pace_verdicts_are_the_models),
        cmocka_unit_test(transforms_are_the_models),
        cmocka_unit_test(verdicts_are_the_models),
        cmocka_unit_test(catalogue_words_are_the_models),
    };
    return cmocka_run_group_tests_name("client_words", tests, NULL, NULL);
}
