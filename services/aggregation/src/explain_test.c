// Explanations: the cell and its formula, its inputs with their sources, and the vintages they
// replaced.
#include "test_examples.h"

#include "explain.h"

static void tell(const Almanac__V1__ExplainResponse *response, alm_buf *lines)
{
    for (size_t i = 0; i < response->n_steps; i++) {
        const Almanac__V1__ExplainStep *s = response->steps[i];
        alm_buf_printf(lines, "%*s%s | %s | %s | %s | %s | %s | %s\n", (int)s->depth * 2, "",
                       s->what, s->value, s->interval, s->status, s->source, s->published, s->note);
    }
}

static void check_explanation(void **state)
{
    const world_example *example = *state;
    world w;
    world_question q;
    alm_query_plan plan;
    alm_status st = ALM_STATUS_INIT;
    alm_buf lines;
    alm_arena *arena = alm_arena_create(0);
    alm_buf_init(&lines, 0);
    world_init_shanghai(&w);
    for (size_t i = 0; i < ALM_ARRAY_LEN(example->rows) && example->rows[i] != NULL; i++) {
        world_add(&w, example->rows[i]);
    }
    world_ask(&q, example->question);
    if (alm_query_plan_make(&q.request, w.catalog, NULL, arena, &plan, &st) != ALM_OK) {
        world_die(&st);
    }
    alm_row_reader reader = world_reader(&w);
    Almanac__V1__ExplainResponse *response;
    alm_code code = alm_explain(&plan, &reader, arena, &response, &st);
    if (code == ALM_OK) {
        tell(response, &lines);
    } else {
        alm_buf_printf(&lines, "%s %s: %s\n", alm_code_name(code), st.field, st.message);
    }
    world_want(&lines, example->question, example->want);
    alm_buf_deinit(&lines);
    alm_arena_destroy(&arena);
    world_deinit(&w);
}

static const world_example examples[] = {
    {"a revised value",
     {"gdp 310105 2023 level 200 CNY_E8 q=more_than pub=2024-01-10 src=report note=over-200",
      "gdp 310105 2023 level 228.62 CNY_E8 pub=2025-01-10 src=report",
      "gdp 310105 2023 level 228 CNY_E8 pub=2025-06-01"},
     "i=gdp p=310105 t=2023",
     "gdp 310105 长宁区 2023 level | 228.62 (100 million yuan) | [228.615, 228.625] | normal | "
     "report, "
     "Statistics Bureau | 2025-01-10 | \n"
     "  superseded vintage | over 200 (100 million yuan) | at least 200 | normal | report, "
     "Statistics "
     "Bureau | 2024-01-10 | over-200\n"
     "  also published, not used | 228 (100 million yuan) | [227.5, 228.5] | normal |  | "
     "2025-06-01 | "
     "\n"},
    {"a growth, its base and what was published",
     {"gdp 310105 2022 level 150.00 CNY_E8 src=yearbook pub=2023-12-01",
      "gdp 310105 2022 level 149 CNY_E8 src=yearbook pub=2023-02-01",
      "gdp 310105 2023 level 169.50 CNY_E8 s=P", "gdp 310105 2023 growth_yoy 13 percent"},
     "i=gdp p=310105 t=2023 x=growth",
     "gdp 310105 长宁区 2023 growth_yoy | 13% | [12.5, 13.5] | normal |  | 2024-01-01 | \n"
     "gdp 310105 长宁区 2023 growth_yoy = (value / value one year earlier - 1) x 100 | 13.00% | "
     "[12.9929002367, 13.0071002367] | provisional |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2022 level | 150.00 (100 million yuan) | [149.995, 150.005] | normal | "
     "yearbook, Statistics Bureau | 2023-12-01 | \n"
     "    superseded vintage | 149 (100 million yuan) | [148.5, 149.5] | normal | yearbook, "
     "Statistics "
     "Bureau | 2023-02-01 | \n"
     "  gdp 310105 长宁区 2023 level | 169.50 (100 million yuan) | [169.495, 169.505] | "
     "provisional |  "
     "| 2024-01-01 | \n"},
    {"the latest growth has two inputs, however long the series",
     {"gdp 310105 2019 level 100.0 CNY_E8", "gdp 310105 2020 level 120.0 CNY_E8",
      "gdp 310105 2021 level 150.0 CNY_E8", "gdp 310105 2022 level 165.0 CNY_E8"},
     "i=gdp p=310105 t=latest x=growth",
     "gdp 310105 长宁区 2022 growth_yoy = (value / value one year earlier - 1) x 100 | 10.00% | "
     "[9.93002332556, 10.0700233411] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2021 level | 150.0 (100 million yuan) | [149.95, 150.05] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2022 level | 165.0 (100 million yuan) | [164.95, 165.05] | normal |  | "
     "2024-01-01 | \n"},
    {"constant prices: the years from the base on",
     {"output 310105 2019 level 100.0 CNY_E8", "output 310105 2020 level 120.0 CNY_E8",
      "output 310105 2020 growth_yoy 5.0 percent", "output 310105 2021 level 150.0 CNY_E8",
      "output 310105 2021 growth_yoy 10.0 percent", "output 310105 2022 level 165.0 CNY_E8",
      "output 310105 2022 growth_yoy 3.0 percent"},
     "i=output p=310105 t=2021 x=constant:2020",
     "output 310105 长宁区 2021 level = value of the base year x growth at constant prices since | "
     "132.0 (100 million yuan) | [131.885025, 132.115025] | normal |  | 2024-01-01 | \n"
     "  output 310105 长宁区 2020 level | 120.0 (100 million yuan) | [119.95, 120.05] | normal |  "
     "| 2024-01-01 | \n"
     "  output 310105 长宁区 2021 level | 150.0 (100 million yuan) | [149.95, 150.05] | normal |  "
     "| 2024-01-01 | \n"
     "  output 310105 长宁区 2020 growth_yoy | 5.0% | [4.95, 5.05] | normal |  | 2024-01-01 | \n"
     "  output 310105 长宁区 2021 growth_yoy | 10.0% | [9.95, 10.05] | normal |  | 2024-01-01 | "
     "\n"},
    {"a rank of growth: every peer, both years",
     {"gdp 310101 2021 level 100.0 CNY_E8", "gdp 310101 2022 level 105.0 CNY_E8",
      "gdp 310105 2021 level 150.0 CNY_E8", "gdp 310105 2022 level 165.0 CNY_E8"},
     "i=gdp p=310105 t=2022 x=growth x=rank",
     "gdp 310105 长宁区 2022 rank of @310000/growth_yoy = (value / value one year earlier - 1) x "
     "100, "
     "then rank among the places of the same parent and level, highest first | about no. 1 | [1, "
     "3] "
     "| normal |  | 2024-01-01 | 2 of 4 peers have no value: 310104 徐汇区, 310106 静安区\n"
     "  gdp 310101 黄浦区 2021 level | 100.0 (100 million yuan) | [99.95, 100.05] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2021 level | 150.0 (100 million yuan) | [149.95, 150.05] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310101 黄浦区 2022 level | 105.0 (100 million yuan) | [104.95, 105.05] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2022 level | 165.0 (100 million yuan) | [164.95, 165.05] | normal |  | "
     "2024-01-01 | \n"},
    {"a withdrawn value and what it was",
     {"gdp 310105 2023 level 228 CNY_E8 src=yearbook pub=2024-12-01",
      "gdp 310105 2023 level 229 CNY_E8 src=yearbook pub=2025-01-01",
      "gdp 310105 2023 level - CNY_E8 s=W src=yearbook pub=2025-02-01"},
     "i=gdp p=310105 t=2023",
     "gdp 310105 长宁区 2023 level | — |  | withdrawn | yearbook, Statistics Bureau | "
     "2025-02-01 | withdrawn by yearbook on 2025-02-01\n"
     "  withdrawn vintage | 228 (100 million yuan) | [227.5, 228.5] | normal | yearbook, "
     "Statistics Bureau | 2024-12-01 | \n"
     "  withdrawn vintage | 229 (100 million yuan) | [228.5, 229.5] | normal | yearbook, "
     "Statistics Bureau | 2025-01-01 | \n"},
    {"a figure that stands where another source withdrew its own",
     {"gdp 310105 2023 level 200 CNY_E8 q=more_than src=report pub=2024-01-01",
      "gdp 310105 2023 level 228 CNY_E8 src=yearbook pub=2024-12-01",
      "gdp 310105 2023 level - CNY_E8 s=W src=yearbook pub=2025-02-01"},
     "i=gdp p=310105 t=2023",
     "gdp 310105 长宁区 2023 level | over 200 (100 million yuan) | at least 200 | normal | "
     "report, Statistics Bureau | 2024-01-01 | \n"
     "  withdrawn vintage | 228 (100 million yuan) | [227.5, 228.5] | normal | yearbook, "
     "Statistics Bureau | 2024-12-01 | \n"
     "  withdrawal | — |  | withdrawn | yearbook, Statistics Bureau | 2025-02-01 | \n"},
    {"the latest of what has no value is one cell",
     {"gdp 310105 2022 level 1 CNY_E8 src=report pub=2023-01-01",
      "gdp 310105 2022 level - CNY_E8 s=W src=report pub=2023-02-01",
      "gdp 310105 2023 level 2 CNY_E8 src=report pub=2024-01-01",
      "gdp 310105 2023 level - CNY_E8 s=W src=report pub=2024-02-01"},
     "i=gdp p=310105 t=latest",
     "gdp 310105 长宁区 2023 level | — |  | withdrawn | report, Statistics Bureau | 2024-02-01 | "
     "withdrawn by report on 2024-02-01\n"
     "  withdrawn vintage | 2 (100 million yuan) | [1.5, 2.5] | normal | report, Statistics "
     "Bureau | 2024-01-01 | \n"},
    {"nothing there",
     {NULL},
     "i=gdp p=310105 t=2023",
     "gdp 310105 长宁区 2023 level | — |  | missing |  |  | no observation of gdp for 310105 in "
     "2023\n"},
    {"a roll-up",
     {"gdp 310105001 2023 level 1 CNY_E8", "gdp 310105002 2023 level 2 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup",
     "gdp 310105 长宁区 2023 level = sum of the members | 3 (100 million yuan) | [2, 4] | normal | "
     " | "
     "2024-01-01 | \n"
     "  gdp 310105001 华阳路街道 2023 level | 1 (100 million yuan) | [0.5, 1.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105002 江苏路街道 2023 level | 2 (100 million yuan) | [1.5, 2.5] | normal |  | "
     "2024-01-01 | \n"},
    {"a target leaves others out",
     {"gdp 310105 2021/2025 target 100 CNY_E8", "gdp 310105 2016/2020 target 50 CNY_E8",
      "gdp 310105 2021 level 50 CNY_E8"},
     "i=gdp p=310105 t=2021 x=target",
     "gdp 310105 长宁区 2021/2025 target | 100 (100 million yuan) | [99.5, 100.5] | normal |  | "
     "2024-01-01 | \n"
     "gdp 310105 长宁区 2021/2025 target_progress = reached / planned x 100 | 50.00% | [49.5, "
     "50.5] | normal |  | 2024-01-01 | 50 of 100 亿元; on track: 50.00% of plan with 20% of the "
     "time gone; pace 2.50\n"
     "  gdp 310105 长宁区 2021 level | 50 (100 million yuan) | [49.5, 50.5] | normal |  | "
     "2024-01-01 | \n"},
    {"more than one cell",
     {NULL},
     "i=gdp p=310105,310101 t=2023",
     "INVALID_ARGUMENT places: an explanation is of one cell; this question has more (2 rows): ask "
     "for one place and one period\n"},
    {"more than one indicator",
     {NULL},
     "i=gdp i=pop p=310105 t=2023",
     "INVALID_ARGUMENT indicators: an explanation is of one indicator; 2 are asked\n"},
    {"an indicator that is none",
     {NULL},
     "i=gdpp p=310105 t=2023",
     "NOT_FOUND indicators: unknown indicator 'gdpp'; did you mean gdp (gdp)?\n"},
    {"a roll-up that is refused",
     {NULL},
     "i=score p=310105 t=2023 x=rollup",
     "FAILED_PRECONDITION : score cannot be rolled up: the catalogue says that values of places do "
     "not make their parent's (over_places is none)\n"},
};

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(examples)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(examples); i++) {
        union {
            const world_example *in;
            void *out;
        } state = {.in = &examples[i]};
        tests[i] = (struct CMUnitTest){
            .name = examples[i].name, .test_func = check_explanation, .initial_state = state.out};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
