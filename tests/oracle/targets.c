// Targets against a slow oracle, on random worlds of one place: which values count, every figure of
// the pace with its interval, and the verdict.
//
//   question_targets [--seed K] [--worlds N]
#include "targets.h"

#include "test_examples.h"

#include <inttypes.h>
#include <math.h>

// --- worlds -------------------------------------------------------------------------------------

static const target_kind kinds[] = {
    {"gdp", "", "level", "CNY_E8", ALM_PACE_AMOUNT, false},
    {"cost", "", "level", "CNY_E8", ALM_PACE_AMOUNT, false},
    {"housing", "./count_of_change", "count_of_change", "count_tao", ALM_PACE_AMOUNT, false},
    {"pop", "", "level", "persons_E4", ALM_PACE_STATE, true},
    {"urban_rate", "", "level", "percent", ALM_PACE_STATE, false},
    {"pm25", "", "level", "index", ALM_PACE_STATE, false},
    {"gdp", "./growth_yoy", "growth_yoy", "percent", ALM_PACE_RATE, false},
    {"pm25", "./growth_yoy", "growth_yoy", "percent", ALM_PACE_RATE, false},
};

typedef struct trial {
    world w;
    world_random random;
    target_case asked;
    const char *horizon_text;
    alm_result_row told; // target progress
    alm_row_pace pace;
    size_t progress_count;
} trial;

static uint64_t below(trial *it, uint64_t end)
{
    return world_random_below(&it->random, end);
}

static const char *const horizons[] = {"2023", "2023", "2021/2025", "2022/2024"};

static void add_row(trial *it, const char *period, const char *measure, const char *relation,
                    char accumulation, uint64_t value)
{
    static const char *const qualifiers[] = {"about", "more_than", "less_than", "at_least"};
    char line[256];
    size_t len =
        (size_t)snprintf(line, sizeof line, "%s 310105 %s %s%s %s%" PRIu64 ".%d %s acc=%c",
                         it->asked.kind->indicator, period, measure, relation,
                         it->asked.kind->kind == ALM_PACE_RATE && below(it, 4) == 0 ? "-" : "",
                         value, (int)below(it, 10), it->asked.kind->unit, accumulation);
    if (below(it, 8) == 0) {
        snprintf(line + len, sizeof line - len, " q=%s", qualifiers[below(it, 4)]);
    }
    world_add(&it->w, line);
}

// Periods of one frequency over 2020 to 2025, each there or not; some runs are whole.
static void add_series(trial *it, alm_freq freq, char accumulation, uint64_t scale)
{
    alm_period all;
    uint64_t rarity = 1 + below(it, 4);
    uint64_t last = below(it, 72);
    assert_int_equal(alm_period_parse(ALM_STR("2020/2025"), &all, NULL), ALM_OK);
    assert_int_equal(alm_period_expand(all, freq, &all, NULL), ALM_OK);
    uint64_t total = 0;
    for (uint32_t i = 0; i < all.length; i++) {
        char label[ALM_PERIOD_TEXT_MAX];
        bool is_first = i % (uint32_t)alm_freq_per_year(freq) == 0;
        uint64_t value = 1 + below(it, scale);
        total = is_first ? value : total + value;
        (void)alm_period_format(alm_period_unit(all, i), label);
        if (below(it, rarity) == 0 && i * 12 / (uint32_t)alm_freq_per_year(freq) <= last) {
            bool is_sum = accumulation == 'C' && it->asked.kind->kind == ALM_PACE_AMOUNT;
            add_row(it, label, it->asked.kind->measure, "", accumulation, is_sum ? total : value);
        }
    }
}

static void make(trial *it)
{
    static const uint64_t scales[] = {1200, 600, 400, 300, 100}; // of a year, half, ... month
    world_init_shanghai(&it->w);
    it->asked.w = &it->w;
    it->asked.kind = &kinds[below(it, ALM_ARRAY_LEN(kinds))];
    it->horizon_text = horizons[below(it, ALM_ARRAY_LEN(horizons))];
    assert_int_equal(alm_period_parse(alm_str_from(it->horizon_text), &it->asked.horizon, NULL),
                     ALM_OK);
    char relation[32];
    snprintf(relation, sizeof relation, "%s", it->asked.kind->relation);
    add_row(it, it->horizon_text, "target", relation, 'P',
            below(it, 10) == 0 ? 0 : 1 + below(it, 1500 * it->asked.horizon.length));
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_MONTH; freq++) {
        for (int i = 0; i < 2; i++) {
            if (below(it, 2) == 0) {
                add_series(it, freq, i == 0 ? 'P' : 'C',
                           it->asked.kind->kind == ALM_PACE_AMOUNT ? scales[freq - 1] : 1200);
            }
        }
    }
}

// --- the answer ---------------------------------------------------------------------------------

static alm_code take_row(void *self, const alm_result_row *row, alm_status *st)
{
    (void)st;
    trial *it = self;
    if (row->pace != NULL) {
        it->told = *row;
        it->pace = *row->pace;
        it->progress_count++;
    }
    return ALM_OK;
}

static alm_code take_fault(void *self, alm_str item, const alm_status *why, alm_status *st)
{
    (void)self;
    (void)item;
    (void)st;
    fail_msg("%s", why->message);
    return ALM_OK;
}

static void execute(trial *it, alm_arena *arena)
{
    char question[128];
    world_question q;
    alm_query_plan plan;
    alm_status st = ALM_STATUS_INIT;
    snprintf(question, sizeof question, "i=%s p=310105 t=%s x=target", it->asked.kind->indicator,
             it->horizon_text);
    world_ask(&q, question);
    assert_int_equal(alm_query_plan_make(&q.request, it->w.catalog, NULL, arena, &plan, &st),
                     ALM_OK);
    alm_row_reader reader = world_reader(&it->w);
    alm_answer_sink sink = {it, take_row, take_fault, NULL};
    it->progress_count = 0;
    assert_int_equal(alm_query_execute(&plan, &reader, &sink, arena, &st), ALM_OK);
    assert_int_equal(it->progress_count, 1);
}

// --- differences --------------------------------------------------------------------------------

static bool is_near(double got, long double want)
{
    if (fabsl(want) > PAST) {
        return isinf(got) && (got > 0) == (want > 0);
    }
    return fabsl(got - want) <= 1e-9L * fmaxl(fabsl(want), 1);
}

static bool is_figure(const alm_row_figure *got, const target_number *want)
{
    if (got->value.has_number != want->has) {
        return false;
    }
    if (!want->has) {
        return got->reason[0] != '\0';
    }
    long double step = powl(10, got->value.number.exponent);
    long double x = (long double)got->value.number.mantissa * step;
    bool is_over = want->claim[0] == want->x; // by the same steps where all ends are the numbers
    bool is_under = want->claim[1] == want->x;
    alm_qualifier qualifier = is_over && is_under ? ALM_QUALIFIER_EXACT
                              : is_over           ? ALM_QUALIFIER_MORE_THAN
                              : is_under          ? ALM_QUALIFIER_LESS_THAN
                                                  : ALM_QUALIFIER_ABOUT;
    return fabsl(x - want->x) <= step * (is_over == is_under ? 0.5L : 1) + 1e-9L * fabsl(want->x) &&
           got->value.qualifier == qualifier && is_near(got->interval.lower, want->interval[0]) &&
           is_near(got->interval.upper, want->interval[1]);
}

static bool differs(const trial *it, const target_inputs *in, const target_pace *want)
{
    static const char *const names[] = {
#define NAME(name, member) #member,
        ALM_PACE_FIGURE_MAP(NAME)
#undef NAME
    };
    bool is_good = true;
    for (int i = 0; i < ALM_PACE_FIGURE_COUNT; i++) {
        const target_number *figure = &want->figures[i];
        if (i != ALM_PACE_TIME && !is_figure(&it->pace.figures[i], figure)) {
            printf("  %s: want %d %.12Lg [%.12Lg, %.12Lg]\n", names[i], figure->has, figure->x,
                   figure->interval[0], figure->interval[1]);
            is_good = false;
        }
    }
    if (it->pace.verdict != want->verdict && !want->is_close) {
        printf("  verdict: want %s\n", alm_pace_verdict_code(want->verdict));
        is_good = false;
    }
    if (in->actual.has && !alm_period_eq(it->pace.until, in->actual.last)) {
        printf("  until another period\n");
        is_good = false;
    }
    return !is_good;
}

static void trace(trial *it)
{
    alm_buf lines;
    alm_buf_init(&lines, 0);
    for (size_t i = 0; i < it->w.count; i++) {
        char label[ALM_PERIOD_TEXT_MAX];
        char value[ALM_VALUE_TEXT_MAX];
        (void)alm_period_format(it->w.rows[i].obs.period, label);
        (void)alm_value_format(&it->w.rows[i].obs.value, ALM_LANG_EN, value);
        printf("  %s %s %s\n", it->w.rows[i].variant, label, value);
    }
    world_put_pace(&lines, &it->pace);
    printf("%.*s", ALM_STR_ARGS(alm_buf_view(&lines)));
    alm_buf_deinit(&lines);
}

static bool try_world(trial *it, uint64_t seed, size_t *verdicts)
{
    alm_arena *arena = alm_arena_create(0);
    it->random = (world_random){seed, seed};
    make(it);
    execute(it, arena);
    const alm_value *planned = &it->w.rows[0].obs.value;
    target_inputs in = oracle_target_inputs(&it->asked, planned);
    target_pace want = oracle_target_pace(&it->asked, &in, planned);
    bool is_bad = differs(it, &in, &want);
    if (is_bad) {
        printf("seed %" PRIu64 "\n", seed);
        trace(it);
    }
    verdicts[want.verdict]++;
    world_deinit(&it->w);
    alm_arena_destroy(&arena);
    return !is_bad;
}

static uint64_t option_number(const char *text)
{
    int64_t value;
    if (!alm_str_to_i64(alm_str_from(text), &value) || value < 0) {
        fprintf(stderr, "question_targets: %s is no number\n", text);
        exit(2);
    }
    return (uint64_t)value;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    uint64_t worlds = 3000;
    for (int i = 1; i + 1 < argc; i += 2) {
        seed = strcmp(argv[i], "--seed") == 0 ? option_number(argv[i + 1]) : seed;
        worlds = strcmp(argv[i], "--worlds") == 0 ? option_number(argv[i + 1]) : worlds;
    }
    trial *it = alm_calloc(1, sizeof *it);
    assert_non_null(it);
    size_t verdicts[ALM_PACE_VERDICT_MISSED + 1] = {0};
    bool is_good = true;
    for (uint64_t i = 0; i < worlds && is_good; i++) {
        is_good = try_world(it, seed + i, verdicts);
    }
    for (int i = 0; i <= ALM_PACE_VERDICT_MISSED; i++) {
        printf("%s %zu ", alm_pace_verdict_code((alm_pace_verdict)i), verdicts[i]);
    }
    printf("%s\n", is_good ? "nothing found" : "differences found");
    alm_free(it);
    return is_good ? 0 : 1;
}
