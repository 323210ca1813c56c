// Paces: every figure and every reason for none, and verdicts at and beside their limits; bounds
// travel, and what they leave open is not known.
#include "alm/grid.h"
#include "alm/pace.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "test_rows.h"

// Values: "12.5", ">12" over, "<12" under, "~12" about, "-" none.
typedef struct pace_row {
    const char *name;
    const char
        *kind; // "amount", "state", "rate"; with "v": a ceiling, "%": a ratio, "y": of a year
    const char *target, *actual, *base, *part, *whole;
    uint32_t elapsed, periods, per_year;
    const char *want; // left pace seasonal run_rate growth expected verdict; a reason in place of a
                      // number
} pace_row;

static const pace_row pace_rows[] = {
    {"homes of a plan", "amount", "15000", "1765", "-", "-", "-", 3, 5, 1,
     "13235|0.20|the horizon is not within a year|6617.50|the horizon is not within a year|2941.67|"
     "behind"},
    {"a year's revenue in June", "amount y", "2400.0", "1250.0", "-", "1190.0", "2250.0", 6, 12, 12,
     "1150|1.04|0.98|191.67|8.49|2500.00|on track"},
    {"a year's revenue, behind the season though not the calendar", "amount y", "2400.0", "1250.0",
     "-", "1300.0", "2250.0", 6, 12, 12, "1150|1.04|0.90|191.67|21.05|2500.00|behind"},
    {"a year before is not known", "amount y", "2400", "1250", "-", "-", "2250", 6, 12, 12,
     "1150|1.04|the year before is not known to the same period and in whole|191.67|the year "
     "before is not known to the same period and in whole|2500.00|on track"},
    {"the year before brought nothing", "amount y", "2400", "1250", "-", "0", "0", 6, 12, 12,
     "1150|1.04|nothing came of the year before to compare with|191.67|nothing came of the year "
     "before to compare with|2500.00|on track"},
    {"at the tolerance", "amount", "1000", "475", "-", "-", "-", 5, 10, 1,
     "525|0.95|the horizon is not within a year|105.00|the horizon is not within a year|950.00|on "
     "track"},
    {"below the tolerance", "amount", "1000", "474", "-", "-", "-", 5, 10, 1,
     "526|0.95|the horizon is not within a year|105.20|the horizon is not within a "
     "year|948.00|behind"},
    {"reached before its time", "amount", "100", "100", "-", "-", "-", 1, 5, 1,
     "0|5.00|the horizon is not within a year|nothing is left|nothing is left|500.00|reached"},
    {"missed", "amount", "100", "99", "-", "-", "-", 5, 5, 1,
     "1.0|0.99|the horizon is not within a year|the horizon is over|the horizon is "
     "over|99.00|missed"},
    {"over may be reached", "amount", "100", ">99", "-", "-", "-", 5, 5, 1,
     "<1.0|>0.99|the horizon is not within a year|the horizon is over|the horizon is "
     "over|>99.00|not known"},
    {"over is enough", "amount", "100", ">100", "-", "-", "-", 4, 5, 1,
     "<0|>1.25|the horizon is not within a year|nothing is left|nothing is left|>125.00|reached"},
    {"under is behind", "amount", "100", "<40", "-", "-", "-", 4, 5, 1,
     ">60|<0.50|the horizon is not within a year|>60.00|the horizon is not within a "
     "year|<50.00|behind"},
    {"about, decided", "amount", "~1000", "~300", "-", "-", "-", 3, 5, 1,
     "~1000|~0.50|the horizon is not within a year|~400|the horizon is not within a year|~500|not "
     "known"},
    {"under a ceiling", "amount v", "100", "50", "-", "-", "-", 3, 5, 1,
     "50|0.83|the horizon is not within a year|25.00|the horizon is not within a year|83.33|on "
     "track"},
    {"towards a ceiling too fast", "amount v", "100", "64", "-", "-", "-", 3, 5, 1,
     "36|1.07|the horizon is not within a year|18.00|the horizon is not within a "
     "year|106.67|behind"},
    {"past a ceiling", "amount v", "100", "101", "-", "-", "-", 3, 5, 1,
     "-1.0|1.68|the horizon is not within a year|the limit is passed|the limit is "
     "passed|168.33|missed"},
    {"a ceiling that was kept", "amount v", "100", "100", "-", "-", "-", 5, 5, 1,
     "0|1.00|the horizon is not within a year|the horizon is over|the horizon is "
     "over|100.00|reached"},
    {"a stock on its way", "state", "70.0", "67.0", "65.0", "-", "-", 2, 5, 1,
     "3.0|1.00|it does not add up over time|it does not add up over time|1.47|70.0|on track"},
    {"a stock without a start", "state", "70.0", "67.0", "-", "-", "-", 2, 5, 1,
     "3.0|the value before the horizon is not known|it does not add up over time|it does not add "
     "up over time|1.47|the value before the horizon is not known|not known"},
    {"a stock that falls as planned", "state v", "60.0", "63.0", "70.0", "-", "-", 3, 5, 1,
     "-3.0|1.17|it does not add up over time|it does not add up over time|-2.41|58.3|on track"},
    {"a stock that went the wrong way", "state", "70.0", "69.0", "71.0", "-", "-", 3, 5, 1,
     "1.0|the value before the horizon met the target|it does not add up over time|it does not add "
     "up over time|0.72|67.7|behind"},
    {"a share", "state %", "40.0", "33.0", "30.0", "-", "-", 2, 5, 1,
     "7.0|0.75|it does not add up over time|it does not add up over time|a ratio changes by "
     "points|37.5|behind"},
    {"a stock that is there", "state", "70", "71", "-", "-", "-", 2, 5, 1,
     "-1.0|the value before the horizon is not known|it does not add up over time|it does not add "
     "up over time|nothing is left|the value before the horizon is not known|reached"},
    {"growth so far", "rate %", "5.5", "6.6", "-", "-", "-", 9, 12, 12,
     "-1.1|it does not build up over time|it does not add up over time|it does not add up over "
     "time|a ratio changes by points|it does not build up over time|on track"},
    {"growth of the year", "rate %", "5.5", "5.4", "-", "-", "-", 1, 1, 1,
     "0.1|it does not build up over time|it does not add up over time|it does not add up over "
     "time|a ratio changes by points|it does not build up over time|missed"},
    {"a fall that is planned", "rate v%", "-5.0", "-6.0", "-", "-", "-", 1, 1, 1,
     "1.0|it does not build up over time|it does not add up over time|it does not add up over "
     "time|a ratio changes by points|it does not build up over time|reached"},
    {"nothing planned", "amount y", "0", "5", "-", "2", "4", 6, 12, 12,
     "-5.0|the target is not positive|the target is not positive|nothing is left|nothing is "
     "left|10.00|reached"},
    {"nothing known", "amount", "100", "-", "-", "-", "-", 0, 0, 0,
     "what was reached is not known|what was reached is not known|what was reached is not known|"
     "what was reached is not known|what was reached is not known|what was reached is not known|"
     "not known"},
    {"no number planned", "amount", "-", "5", "-", "-", "-", 1, 2, 1,
     "the target has no number|the target has no number|the target has no number|the target has no "
     "number|the target has no number|10.00|not known"},
};

static alm_pace_number number_of(const char *text)
{
    alm_value value = {.unit = {.measure = ALM_MEASURE_UNIT_COUNT}};
    value.has_number = strcmp(text, "-") != 0;
    value.qualifier = text[0] == '>'   ? ALM_QUALIFIER_MORE_THAN
                      : text[0] == '<' ? ALM_QUALIFIER_LESS_THAN
                      : text[0] == '~' ? ALM_QUALIFIER_ABOUT
                                       : ALM_QUALIFIER_EXACT;
    text += value.qualifier != ALM_QUALIFIER_EXACT;
    if (value.has_number) {
        assert_int_equal(alm_decimal_parse(alm_str_from(text), &value.number, NULL), ALM_OK);
    }
    return alm_pace_number_of(&value);
}

static void put_figure(const alm_pace *pace, alm_pace_figure figure, char *out)
{
    const alm_pace_number *it = &pace->figures[figure];
    size_t at = strlen(out);
    int finest = figure == ALM_PACE_LEFT ? 0 : -2;
    bool is_over = alm_pace_is_over(it);
    bool is_under = alm_pace_is_under(it);
    char text[ALM_DECIMAL_TEXT_MAX];
    alm_decimal number;
    if (!it->has) {
        snprintf(out + at, 512 - at, "%s|", alm_pace_gap_text(pace->gaps[figure]));
        return;
    }
    assert_int_equal(pace->gaps[figure], ALM_PACE_GAP_NONE);
    uint8_t flags = (uint8_t)((is_over ? ALM_CELL_OVER : 0) | (is_under ? ALM_CELL_UNDER : 0));
    assert_true(alm_number_deserved(it->number, it->interval, finest, flags, &number));
    alm_decimal_format(number, 0, text);
    snprintf(out + at, 512 - at, "%s%s|",
             is_over && is_under ? ""
             : is_over           ? ">"
             : is_under          ? "<"
                                 : "~",
             text);
}

static void judges(void **state)
{
    const pace_row *row = *state;
    static const alm_pace_figure told[] = {ALM_PACE_LEFT,     ALM_PACE_LINEAR, ALM_PACE_SEASONAL,
                                           ALM_PACE_RUN_RATE, ALM_PACE_GROWTH, ALM_PACE_EXPECTED};
    alm_pace_input in = {
        .kind = row->kind[0] == 'a'   ? ALM_PACE_AMOUNT
                : row->kind[0] == 's' ? ALM_PACE_STATE
                                      : ALM_PACE_RATE,
        .is_ceiling = strstr(row->kind, " v") != NULL,
        .is_ratio = strchr(row->kind, '%') != NULL,
        .is_of_a_year = strstr(row->kind, " y") != NULL,
        .target = number_of(row->target),
        .actual = number_of(row->actual),
        .base = number_of(row->base),
        .part_before = number_of(row->part),
        .whole_before = number_of(row->whole),
        .elapsed = row->elapsed,
        .periods = row->periods,
        .per_year = row->per_year,
    };
    char got[512] = "";
    alm_pace pace = alm_pace_compute(&in);
    for (size_t i = 0; i < ALM_ARRAY_LEN(told); i++) {
        put_figure(&pace, told[i], got);
    }
    size_t at = strlen(got);
    snprintf(got + at, sizeof got - at, "%s", alm_pace_verdict_label(pace.verdict, ALM_LANG_EN));
    assert_string_equal(got, row->want);
}

static void has_words(void **state)
{
    (void)state;
    assert_string_equal(alm_pace_verdict_code(ALM_PACE_VERDICT_ON_TRACK), "on_track");
    assert_string_equal(alm_pace_verdict_code((alm_pace_verdict)5), "?");
    assert_string_equal(alm_pace_verdict_label((alm_pace_verdict)5, ALM_LANG_ZH), "?");
    for (int gap = ALM_PACE_GAP_TARGET; gap < ALM_PACE_GAP_COUNT; gap++) {
        assert_true(strlen(alm_pace_gap_text((alm_pace_gap)gap)) > 0);
    }
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, judges, pace_rows, name);
    TEST_ADD(&list, has_words);
    return TEST_RUN(&list, "pace");
}
