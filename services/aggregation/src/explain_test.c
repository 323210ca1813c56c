// Explanations: the cell and its formula, its inputs with their sources, and the vintages they
// replaced.
#include "test_examples.h"

#include "explain.h"

// WHAT | VALUE = CONVERTED | INTERVAL | STATUS | SOURCE | PUBLISHED | NOTE, "" left out at the end.
static void tell(const Almanac__V1__ExplainResponse *response, bool is_zh, alm_buf *lines)
{
    for (size_t i = 0; i < response->n_steps; i++) {
        const Almanac__V1__ExplainStep *s = response->steps[i];
        const char *converted = is_zh ? s->converted_zh : s->converted;
        alm_buf_printf(lines, "%*s%s", (int)s->depth * 2, "", is_zh ? s->what_zh : s->what);
        if (s->kind != ALMANAC__V1__EXPLAIN_KIND__EXPLAIN_KIND_REMARK) {
            alm_buf_printf(lines, " | %s%s%s | %s | %s", is_zh ? s->value_zh : s->value,
                           converted[0] == '\0' ? "" : " = ", converted,
                           is_zh ? s->interval_zh : s->interval, is_zh ? s->status_zh : s->status);
            bool has_more = s->source[0] != '\0' || s->published[0] != '\0' || s->note[0] != '\0';
            if (has_more) {
                alm_buf_printf(lines, " | %s | %s | %s", s->source, s->published, s->note);
            }
        }
        alm_buf_char(lines, '\n');
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
    alm_code code = alm_explain(&plan, &reader, NULL, arena, &response, &st);
    if (code == ALM_OK) {
        tell(response, strstr(example->name, "in Chinese") != NULL, &lines);
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
     "report, Statistics Bureau | 2025-01-10 | \n"
     "  older publication of the same source | over 200 (100 million yuan) | at least 200 | normal "
     "| report, Statistics Bureau | 2024-01-10 | over-200\n"
     "  source of lower precedence | 228 (100 million yuan) | [227.5, 228.5] | normal |  | "
     "2025-06-01 | \n"},
    {"a growth, its base and what was published",
     {"gdp 310105 2022 level 150.00 CNY_E8 src=yearbook pub=2023-12-01",
      "gdp 310105 2022 level 149 CNY_E8 src=yearbook pub=2023-02-01",
      "gdp 310105 2023 level 169.50 CNY_E8 s=P", "gdp 310105 2023 growth_yoy 13 percent"},
     "i=gdp p=310105 t=2023 x=growth",
     "gdp 310105 长宁区 2023 growth_yoy | 13% | [12.5, 13.5] | normal |  | 2024-01-01 | \n"
     "gdp 310105 长宁区 2023 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | 13.00% "
     "| [12.9929002367, 13.0071002367] | provisional |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2022 level | 150.00 (100 million yuan) | [149.995, 150.005] | normal | "
     "yearbook, Statistics Bureau | 2023-12-01 | \n"
     "    older publication of the same source | 149 (100 million yuan) | [148.5, 149.5] | normal "
     "| yearbook, Statistics Bureau | 2023-02-01 | \n"
     "  gdp 310105 长宁区 2023 level | 169.50 (100 million yuan) | [169.495, 169.505] | "
     "provisional |  | 2024-01-01 | \n"},
    {"the latest growth has two inputs, however long the series",
     {"gdp 310105 2019 level 100.0 CNY_E8", "gdp 310105 2020 level 120.0 CNY_E8",
      "gdp 310105 2021 level 150.0 CNY_E8", "gdp 310105 2022 level 165.0 CNY_E8"},
     "i=gdp p=310105 t=latest x=growth",
     "gdp 310105 长宁区 2022 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | 10.00% "
     "| [9.93002332556, 10.0700233411] | normal |  | 2024-01-01 | \n"
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
     "output 310105 长宁区 2021 level = constant(output, 2020): value of the base year x growth at "
     "constant prices since | 132.0 (100 million yuan) | [131.885025, 132.115025] | normal |  | "
     "2024-01-01 | \n"
     "  output 310105 长宁区 2020 level | 120.0 (100 million yuan) | [119.95, 120.05] | normal |  "
     "| 2024-01-01 | \n"
     "  output 310105 长宁区 2021 growth_yoy | 10.0% | [9.95, 10.05] | normal |  | 2024-01-01 | "
     "\n"},
    {"a rank of growth: every peer, both years",
     {"gdp 310101 2021 level 100.0 CNY_E8", "gdp 310101 2022 level 105.0 CNY_E8",
      "gdp 310105 2021 level 150.0 CNY_E8", "gdp 310105 2022 level 165.0 CNY_E8"},
     "i=gdp p=310105 t=2022 x=growth x=rank",
     "gdp 310105 长宁区 2022 rank of @310000/growth_yoy = rank: among the places of the same "
     "parent and level, highest first | about no. 1 | [1, 3] | normal |  | 2024-01-01 | 2 of 4 "
     "peers have no value: 310104 徐汇区, 310106 静安区\n"
     "  gdp 310105 长宁区 2022 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | "
     "10.00% | [9.93002332556, 10.0700233411] | normal\n"
     "    gdp 310105 长宁区 2021 level | 150.0 (100 million yuan) | [149.95, 150.05] | normal |  | "
     "2024-01-01 | \n"
     "    gdp 310105 长宁区 2022 level | 165.0 (100 million yuan) | [164.95, 165.05] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310101 黄浦区 2022 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | 5.0% "
     "| [4.89755122439, 5.10255127564] | normal\n"
     "    gdp 310101 黄浦区 2021 level | 100.0 (100 million yuan) | [99.95, 100.05] | normal |  | "
     "2024-01-01 | \n"
     "    gdp 310101 黄浦区 2022 level | 105.0 (100 million yuan) | [104.95, 105.05] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310104 徐汇区 2022 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | — |  "
     "| missing\n"
     "    gdp 310104 徐汇区 2021 level | — |  | missing\n"
     "    gdp 310104 徐汇区 2022 level | — |  | missing\n"
     "  gdp 310106 静安区 2022 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | — |  "
     "| missing\n"
     "    gdp 310106 静安区 2021 level | — |  | missing\n"
     "    gdp 310106 静安区 2022 level | — |  | missing\n"},
    {"a withdrawn value and what it was",
     {"gdp 310105 2023 level 228 CNY_E8 src=yearbook pub=2024-12-01",
      "gdp 310105 2023 level 229 CNY_E8 src=yearbook pub=2025-01-01",
      "gdp 310105 2023 level - CNY_E8 s=W src=yearbook pub=2025-02-01"},
     "i=gdp p=310105 t=2023",
     "gdp 310105 长宁区 2023 level | — |  | withdrawn | yearbook, Statistics Bureau | 2025-02-01 | "
     "withdrawn by yearbook on 2025-02-01\n"
     "  withdrawn by its source | 228 (100 million yuan) | [227.5, 228.5] | normal | yearbook, "
     "Statistics Bureau | 2024-12-01 | \n"
     "  withdrawn by its source | 229 (100 million yuan) | [228.5, 229.5] | normal | yearbook, "
     "Statistics Bureau | 2025-01-01 | \n"},
    {"a figure that stands where another source withdrew its own",
     {"gdp 310105 2023 level 200 CNY_E8 q=more_than src=report pub=2024-01-01",
      "gdp 310105 2023 level 228 CNY_E8 src=yearbook pub=2024-12-01",
      "gdp 310105 2023 level - CNY_E8 s=W src=yearbook pub=2025-02-01"},
     "i=gdp p=310105 t=2023",
     "gdp 310105 长宁区 2023 level | over 200 (100 million yuan) | at least 200 | normal | report, "
     "Statistics Bureau | 2024-01-01 | \n"
     "  withdrawn by its source | 228 (100 million yuan) | [227.5, 228.5] | normal | yearbook, "
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
     "  withdrawn by its source | 2 (100 million yuan) | [1.5, 2.5] | normal | report, Statistics "
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
     " | 2024-01-01 | \n"
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
     "  gdp 310105 长宁区 2021/2025 target | 100 (100 million yuan) | [99.5, 100.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2021 level | 50 (100 million yuan) | [49.5, 50.5] | normal |  | "
     "2024-01-01 | \n"},
    {"a value published in another unit",
     {"gdp 310105 2022 level 1000000 CNY_E4", "gdp 310105 2023 level 110.0 CNY_E8"},
     "i=gdp p=310105 t=2023 x=pc1",
     "gdp 310105 长宁区 2023 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | 10.00% "
     "| [9.94994502503, 10.050055025] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2022 level | 1,000,000 (10 thousand yuan) = 100.0000 (100 million yuan) "
     "| [999999.5, 1000000.5] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2023 level | 110.0 (100 million yuan) | [109.95, 110.05] | normal |  | "
     "2024-01-01 | \n"},
    {"quarters make a year",
     {"gdp 310105 2023-Q1 level 10 CNY_E8", "gdp 310105 2023-Q2 level 11 CNY_E8",
      "gdp 310105 2023-Q3 level 12 CNY_E8", "gdp 310105 2023-Q4 level 13 CNY_E8"},
     "i=gdp p=310105 t=2023 x=to:A",
     "gdp 310105 长宁区 2023 level = to:A: sum of the parts of the period | 46 (100 million yuan) "
     "| [44, 48] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2023-Q1 level | 10 (100 million yuan) | [9.5, 10.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2023-Q2 level | 11 (100 million yuan) | [10.5, 11.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2023-Q3 level | 12 (100 million yuan) | [11.5, 12.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2023-Q4 level | 13 (100 million yuan) | [12.5, 13.5] | normal |  | "
     "2024-01-01 | \n"},
    {"a month of what is told from the year's start, in Chinese",
     {"gdp 310105 2023-02 level 20 CNY_E8 acc=C", "gdp 310105 2023-03 level 31 CNY_E8 acc=C s=P"},
     "i=gdp p=310105 t=2023-03 x=to:P",
     "gdp 310105 长宁区 2023-03 水平 = to:P：年初累计减去上期累计 | 11 亿元 | [10, 12] | 初步 |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2023-02 水平，年初累计 | 20 亿元 | [19.5, 20.5] |  |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2023-03 水平，年初累计 | 31 亿元 | [30.5, 31.5] | 初步 |  | 2024-01-01 | "
     "\n"},
    {"from the year's start of quarters, and the growth of that",
     {"gdp 310105 2022-Q1 level 10 CNY_E8", "gdp 310105 2022-Q2 level 10 CNY_E8",
      "gdp 310105 2023-Q1 level 11 CNY_E8", "gdp 310105 2023-Q2 level 12 CNY_E8"},
     "i=gdp p=310105 t=2023-Q2 x=to:C x=pc1",
     "gdp 310105 长宁区 2023-Q2 growth_yoy, from the year's start = pc1: (value / value one year "
     "earlier - 1) x 100 | 20% | [4.7619047619, 26.3157894737] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2022-Q2 level, from the year's start = to:C: sum of the periods from the "
     "year's start | 20 (100 million yuan) | [19, 21] | normal\n"
     "    gdp 310105 长宁区 2022-Q1 level | 10 (100 million yuan) | [9.5, 10.5] | normal |  | "
     "2024-01-01 | \n"
     "    gdp 310105 长宁区 2022-Q2 level | 10 (100 million yuan) | [9.5, 10.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2023-Q2 level, from the year's start = to:C: sum of the periods from the "
     "year's start | 23 (100 million yuan) | [22, 24] | normal\n"
     "    gdp 310105 长宁区 2023-Q1 level | 11 (100 million yuan) | [10.5, 11.5] | normal |  | "
     "2024-01-01 | \n"
     "    gdp 310105 长宁区 2023-Q2 level | 12 (100 million yuan) | [11.5, 12.5] | normal |  | "
     "2024-01-01 | \n"},
    {"a share of the parent",
     {"gdp 310105 2023 level 20 CNY_E8", "gdp 310000 2023 level 400 CNY_E8 src=yearbook"},
     "i=gdp p=310105 t=2023 x=share",
     "gdp 310105 长宁区 2023 share_of of @310000 = share: value / value of the whole x 100 | 5.0% "
     "| [4.86891385768, 5.13141426783] | normal | yearbook, Statistics Bureau | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2023 level | 20 (100 million yuan) | [19.5, 20.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310000 上海市 2023 level | 400 (100 million yuan) | [399.5, 400.5] | normal | "
     "yearbook, Statistics Bureau | 2024-01-01 | \n"},
    {"a share of another indicator",
     {"gdp 310105 2023 level 20 CNY_E8", "cost 310105 2023 level 10 CNY_E8"},
     "i=cost p=310105 t=2023 x=share:gdp",
     "cost 310105 长宁区 2023 share_of of gdp = share:gdp: value / value of the whole x 100 | 50% "
     "| [46.3414634146, 53.8461538462] | normal |  | 2024-01-01 | \n"
     "  cost 310105 长宁区 2023 level | 10 (100 million yuan) | [9.5, 10.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2023 level | 20 (100 million yuan) | [19.5, 20.5] | normal |  | "
     "2024-01-01 | \n"},
    {"a contribution in points: of the whole only what it was",
     {"gdp 310105 2022 level 20 CNY_E8", "gdp 310105 2023 level 22 CNY_E8",
      "gdp 310000 2022 level 400 CNY_E8", "gdp 310000 2023 level 430 CNY_E8"},
     "i=gdp p=310105 t=2023 x=contribution_pp",
     "gdp 310105 长宁区 2023 contribution_pp of @310000 = contribution_pp: (value - value one year "
     "earlier) / the whole's value one year earlier x 100 | 0.5 pp | [0.249687890137, "
     "0.750938673342] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2022 level | 20 (100 million yuan) | [19.5, 20.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2023 level | 22 (100 million yuan) | [21.5, 22.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310000 上海市 2022 level | 400 (100 million yuan) | [399.5, 400.5] | normal |  | "
     "2024-01-01 | \n"},
    {"a contribution as a share",
     {"gdp 310105 2022 level 20 CNY_E8", "gdp 310105 2023 level 22 CNY_E8",
      "gdp 310000 2022 level 400 CNY_E8", "gdp 310000 2023 level 430 CNY_E8"},
     "i=gdp p=310105 t=2023 x=contribution_share",
     "gdp 310105 长宁区 2023 contribution_share of @310000 = contribution_share: (value - value "
     "one year earlier) / (the whole's - the whole's one year earlier) x 100 | 7% | "
     "[3.22580645161, 10.3448275862] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2022 level | 20 (100 million yuan) | [19.5, 20.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2023 level | 22 (100 million yuan) | [21.5, 22.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310000 上海市 2022 level | 400 (100 million yuan) | [399.5, 400.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310000 上海市 2023 level | 430 (100 million yuan) | [429.5, 430.5] | normal |  | "
     "2024-01-01 | \n"},
    {"an average of growth: three years, each with its base",
     {"gdp 310105 2020 level 100.0 CNY_E8", "gdp 310105 2021 level 110.0 CNY_E8",
      "gdp 310105 2022 level 121.0 CNY_E8"},
     "i=gdp p=310105 t=2022 x=pc1 x=ma:2",
     "gdp 310105 长宁区 2022 growth_yoy = ma:2: average of the newest periods | 10.0% | "
     "[9.89982064851, 10.1002752399] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2021 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | "
     "10.0% | [9.89505247376, 10.1050525263] | normal\n"
     "    gdp 310105 长宁区 2020 level | 100.0 (100 million yuan) | [99.95, 100.05] | normal |  | "
     "2024-01-01 | \n"
     "    gdp 310105 长宁区 2021 level | 110.0 (100 million yuan) | [109.95, 110.05] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2022 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | "
     "10.00% | [9.90458882326, 10.0954979536] | normal\n"
     "    gdp 310105 长宁区 2021 level | 110.0 (100 million yuan) | [109.95, 110.05] | normal |  | "
     "2024-01-01 | \n"
     "    gdp 310105 长宁区 2022 level | 121.0 (100 million yuan) | [120.95, 121.05] | normal |  | "
     "2024-01-01 | \n"},
    {"an index",
     {"gdp 310105 2020 level 100.0 CNY_E8", "gdp 310105 2022 level 121.0 CNY_E8"},
     "i=gdp p=310105 t=2022 x=index:2020",
     "gdp 310105 长宁区 2022 level = index:2020: value / average of the base period x 100 | 121.0 "
     "| [120.889555222, 121.110555278] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2020 level | 100.0 (100 million yuan) | [99.95, 100.05] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2022 level | 121.0 (100 million yuan) | [120.95, 121.05] | normal |  | "
     "2024-01-01 | \n"},
    {"average growth",
     {"gdp 310105 2020 level 100.0 CNY_E8", "gdp 310105 2022 level 121.0 CNY_E8"},
     "i=gdp p=310105 t=2022 x=cagr:2",
     "gdp 310105 长宁区 2022 growth_avg = cagr:2: ((value / value so many years earlier)^(1 / "
     "years) - 1) x 100 | 10.00% | [9.94978636741, 10.0502409255] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2020 level | 100.0 (100 million yuan) | [99.95, 100.05] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2022 level | 121.0 (100 million yuan) | [120.95, 121.05] | normal |  | "
     "2024-01-01 | \n"},
    {"a year-end change",
     {"pop 310105 2022-12 level 70 persons_E4", "pop 310105 2023-03 level 71 persons_E4"},
     "i=pop p=310105 t=2023-03 x=chy",
     "pop 310105 长宁区 2023-03 level = chy: value - value at the end of last year | 1 (10 "
     "thousand persons) | [0, 2] | normal |  | 2024-01-01 | \n"
     "  pop 310105 长宁区 2022-12 level | 70 (10 thousand persons) | [69.5, 70.5] | normal |  | "
     "2024-01-01 | \n"
     "  pop 310105 长宁区 2023-03 level | 71 (10 thousand persons) | [70.5, 71.5] | normal |  | "
     "2024-01-01 | \n"},
    {"a deflator",
     {"output 310105 2020 level 120.0 CNY_E8", "output 310105 2021 level 150.0 CNY_E8",
      "output 310105 2021 growth_yoy 10.0 percent"},
     "i=output p=310105 t=2021 x=deflator:2020",
     "output 310105 长宁区 2021 level = deflator(output, 2020): value / value at constant prices x "
     "100 | 113.6 | [113.499581142, 113.773341591] | normal |  | 2024-01-01 | \n"
     "  output 310105 长宁区 2020 level | 120.0 (100 million yuan) | [119.95, 120.05] | normal |  "
     "| 2024-01-01 | \n"
     "  output 310105 长宁区 2021 level | 150.0 (100 million yuan) | [149.95, 150.05] | normal |  "
     "| 2024-01-01 | \n"
     "  output 310105 长宁区 2021 growth_yoy | 10.0% | [9.95, 10.05] | normal |  | 2024-01-01 | "
     "\n"},
    {"a formula of the catalogue that is made of another",
     {"gdp 310105 2023 level 100.0 CNY_E8", "pop 310105 2023 level 50.0 persons_E4",
      "gdp 310000 2023 level 3000.0 CNY_E8", "pop 310000 2023 level 2000.0 persons_E4"},
     "i=gdp_each_of_city p=310105 t=2023",
     "gdp_each_of_city 310105 长宁区 2023 level = gdp_each / gdp_each@parent | 133.3% | "
     "[133.127985995, 133.539097523] | normal |  | 2024-01-01 | \n"
     "  gdp_each 310105 长宁区 2023 level = gdp / pop | 20,000 yuan/persons | [19970.02997, "
     "20030.03003] | normal\n"
     "    gdp 310105 长宁区 2023 level | 100.0 (100 million yuan) | [99.95, 100.05] | normal |  | "
     "2024-01-01 | \n"
     "    pop 310105 长宁区 2023 level | 50.0 (10 thousand persons) | [49.95, 50.05] | normal |  | "
     "2024-01-01 | \n"
     "  gdp_each 310000 上海市 2023 level = gdp / pop | 15,000.0 yuan/persons | [14999.3750156, "
     "15000.6250156] | normal\n"
     "    gdp 310000 上海市 2023 level | 3,000.0 (100 million yuan) | [2999.95, 3000.05] | normal "
     "|  | 2024-01-01 | \n"
     "    pop 310000 上海市 2023 level | 2,000.0 (10 thousand persons) | [1999.95, 2000.05] | "
     "normal |  | 2024-01-01 | \n"},
    {"a formula of parts, in Chinese",
     {"gdp 310105 2022 level 90.0 CNY_E8", "gdp 310105 2023 level 100.0 CNY_E8",
      "cost 310105 2023 level 400000 CNY_E4"},
     "i=pc1(gdp)~-~cost~/~gdp p=310105 t=2023",
     "pc1(gdp) - cost / gdp 310105 长宁区 2023 水平 = pc1(gdp) - cost / gdp | -28.9 个百分点 | "
     "[-29.0261677479, -28.7514997643] |  |  | 2024-01-01 | \n"
     "  pc1(gdp) 310105 长宁区 2023 | 11.1% | [10.9938922821, 11.2284602557] | \n"
     "    gdp 310105 长宁区 2022 水平 | 90.0 亿元 | [89.95, 90.05] |  |  | 2024-01-01 | \n"
     "    gdp 310105 长宁区 2023 水平 | 100.0 亿元 | [99.95, 100.05] |  |  | 2024-01-01 | \n"
     "  cost / gdp 310105 长宁区 2023 | 40.00% | [39.97996002, 40.02006003] | \n"
     "    cost 310105 长宁区 2023 水平 | 400,000 万元 = 40.0000 亿元 | [399999.5, 400000.5] |  |  "
     "| 2024-01-01 | \n"
     "    gdp 310105 长宁区 2023 水平 | 100.0 亿元 | [99.95, 100.05] |  |  | 2024-01-01 | \n"},
    {"a formula with the newest whole year",
     {"gdp 310105 2023-Q2 level 30.0 CNY_E8", "pop 310105 2022 level 50.0 persons_E4"},
     "i=gdp/last(pop) p=310105 t=2023-Q2",
     "gdp/last(pop) 310105 长宁区 2023-Q2 level = gdp / last(pop) | 0.600 (10 thousand "
     "yuan/persons) | [0.598401598402, 0.601601601602] | normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2023-Q2 level | 30.0 (100 million yuan) | [29.95, 30.05] | normal |  | "
     "2024-01-01 | \n"
     "  pop 310105 长宁区 2022 level | 50.0 (10 thousand persons) | [49.95, 50.05] | normal |  | "
     "2024-01-01 | \n"},
    {"a rank among named peers",
     {"cost 310101 2023 level 10 CNY_E8", "cost 310105 2023 level 15 CNY_E8"},
     "i=cost p=310105 t=2023 x=rank:310101,310105",
     "cost 310105 长宁区 2023 rank = rank:310101,310105: among the named peers, lowest first | no. "
     "2 | [2, 2] | normal |  | 2024-01-01 | \n"
     "  cost 310105 长宁区 2023 level | 15 (100 million yuan) | [14.5, 15.5] | normal |  | "
     "2024-01-01 | \n"
     "  cost 310101 黄浦区 2023 level | 10 (100 million yuan) | [9.5, 10.5] | normal |  | "
     "2024-01-01 | \n"},
    {"a percentile",
     {"gdp 310101 2023 level 10 CNY_E8", "gdp 310105 2023 level 15 CNY_E8"},
     "i=gdp p=310105 t=2023 x=percentile",
     "gdp 310105 长宁区 2023 percentile of @310000 = percentile: peers that are worse / other "
     "peers x 100 | about 100% | [33.3333333333, 100] | normal |  | 2024-01-01 | 2 of 4 peers have "
     "no value: 310104 徐汇区, 310106 静安区\n"
     "  gdp 310105 长宁区 2023 level | 15 (100 million yuan) | [14.5, 15.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310101 黄浦区 2023 level | 10 (100 million yuan) | [9.5, 10.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310104 徐汇区 2023 level | — |  | missing\n"
     "  gdp 310106 静安区 2023 level | — |  | missing\n"},
    {"the growth of a roll-up; a member is missing",
     {"gdp 310105001 2022 level 1 CNY_E8", "gdp 310105002 2022 level 2 CNY_E8",
      "gdp 310105001 2023 level 2 CNY_E8"},
     "i=gdp p=310105 t=2023 x=rollup x=pc1",
     "gdp 310105 长宁区 2023 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | — |  | "
     "missing |  | 2024-01-01 | 1 of 2 members have no value: 310105002 江苏路街道\n"
     "  gdp 310105 长宁区 2022 level = sum of the members | 3 (100 million yuan) | [2, 4] | "
     "normal\n"
     "    gdp 310105001 华阳路街道 2022 level | 1 (100 million yuan) | [0.5, 1.5] | normal |  | "
     "2024-01-01 | \n"
     "    gdp 310105002 江苏路街道 2022 level | 2 (100 million yuan) | [1.5, 2.5] | normal |  | "
     "2024-01-01 | \n"
     "  gdp 310105 长宁区 2023 level = sum of the members | — |  | missing\n"
     "    gdp 310105001 华阳路街道 2023 level | 2 (100 million yuan) | [1.5, 2.5] | normal |  | "
     "2024-01-01 | \n"
     "    gdp 310105002 江苏路街道 2023 level | — |  | missing\n"},
    {"a rate of a roll-up, in Chinese",
     {"urban 310105001 2023 level 1 persons_E4", "urban 310105002 2023 level 2 persons_E4",
      "pop 310105001 2023 level 2 persons_E4", "pop 310105002 2023 level 30000 persons"},
     "i=urban_rate p=310105 t=2023 x=rollup",
     "urban_rate 310105 长宁区 2023 水平 = 下级分子之和 / 分母之和 | 60.00% | [36.3636363636, "
     "88.8888888889] |  |  | 2024-01-01 | \n"
     "  urban 310105 长宁区 2023 水平 = 下级之和 | 3 万人 | [2, 4] | \n"
     "    urban 310105001 华阳路街道 2023 水平 | 1 万人 | [0.5, 1.5] |  |  | 2024-01-01 | \n"
     "    urban 310105002 江苏路街道 2023 水平 | 2 万人 | [1.5, 2.5] |  |  | 2024-01-01 | \n"
     "  pop 310105 长宁区 2023 水平 = 下级之和 | 5.0000 万人 | [4.5, 5.5] | \n"
     "    pop 310105001 华阳路街道 2023 水平 | 2 万人 | [1.5, 2.5] |  |  | 2024-01-01 | \n"
     "    pop 310105002 江苏路街道 2023 水平 | 30,000 人 = 3.0000 万人 | [30000, 30000] |  |  | "
     "2024-01-01 | \n"},
    {"a formula of a roll-up",
     {"gdp 310105001 2023 level 1 CNY_E8", "gdp 310105002 2023 level 2 CNY_E8",
      "pop 310105001 2023 level 2 persons_E4", "pop 310105002 2023 level 3 persons_E4"},
     "i=gdp_each p=310105 t=2023 x=rollup",
     "gdp_each 310105 长宁区 2023 level = gdp / pop | 6,000 yuan/persons | [3333.33333333, 10000] "
     "| normal |  | 2024-01-01 | \n"
     "  gdp 310105 长宁区 2023 level = sum of the members | 3 (100 million yuan) | [2, 4] | "
     "normal\n"
     "    gdp 310105001 华阳路街道 2023 level | 1 (100 million yuan) | [0.5, 1.5] | normal |  | "
     "2024-01-01 | \n"
     "    gdp 310105002 江苏路街道 2023 level | 2 (100 million yuan) | [1.5, 2.5] | normal |  | "
     "2024-01-01 | \n"
     "  pop 310105 长宁区 2023 level = sum of the members | 5 (10 thousand persons) | [4, 6] | "
     "normal\n"
     "    pop 310105001 华阳路街道 2023 level | 2 (10 thousand persons) | [1.5, 2.5] | normal |  | "
     "2024-01-01 | \n"
     "    pop 310105002 江苏路街道 2023 level | 3 (10 thousand persons) | [2.5, 3.5] | normal |  | "
     "2024-01-01 | \n"},
    {"a growth whose base is published after the day that is asked",
     {"gdp 310105 2022 level 100 CNY_E8 pub=2024-06-01", "gdp 310105 2023 level 110 CNY_E8"},
     "i=gdp p=310105 t=2023 x=pc1 as_of=2024-03-01",
     "gdp 310105 长宁区 2023 growth_yoy = pc1: (value / value one year earlier - 1) x 100 | — |  | "
     "missing |  | 2024-01-01 | no level for 2022\n"
     "  gdp 310105 长宁区 2022 level | — |  | missing\n"
     "    published after the day that is asked | 100 (100 million yuan) | [99.5, 100.5] | normal "
     "|  | 2024-06-01 | \n"
     "  gdp 310105 长宁区 2023 level | 110 (100 million yuan) | [109.5, 110.5] | normal |  | "
     "2024-01-01 | \n"},
    {"nothing that a growth could be of",
     {"gdp 310105 2023 level 110 CNY_E8 pub=2024-06-01"},
     "i=gdp p=310105 t=2023 x=pc1 as_of=2024-03-01",
     "gdp 310105 长宁区 2023 growth_yoy | — |  | missing |  |  | no level for 2023\n"
     "  gdp 310105 长宁区 2023 level | — |  | missing\n"
     "    published after the day that is asked | 110 (100 million yuan) | [109.5, 110.5] | normal "
     "|  | 2024-06-01 | \n"},
    {"what was published later does not count, nor what is not asked",
     {"gdp 310105 2023 level 100 CNY_E8 pub=2024-01-10 src=report",
      "gdp 310105 2023 level 101 CNY_E8 pub=2024-01-20 src=report",
      "gdp 310105 2023 level 102 CNY_E8 pub=2024-02-10 src=report",
      "gdp 310105 2023 level 103 CNY_E8 pub=2024-01-05 src=yearbook"},
     "i=gdp p=310105 t=2023 src=report as_of=2024-02-01",
     "gdp 310105 长宁区 2023 level | 101 (100 million yuan) | [100.5, 101.5] | normal | report, "
     "Statistics Bureau | 2024-01-20 | \n"
     "  source that is not asked | 103 (100 million yuan) | [102.5, 103.5] | normal | yearbook, "
     "Statistics Bureau | 2024-01-05 | \n"
     "  older publication of the same source | 100 (100 million yuan) | [99.5, 100.5] | normal | "
     "report, Statistics Bureau | 2024-01-10 | \n"
     "  published after the day that is asked | 102 (100 million yuan) | [101.5, 102.5] | normal | "
     "report, Statistics Bureau | 2024-02-10 | \n"},
    {"a slip of the pen, and a source without a precedence of its own",
     {"gdp 310105 2023 level 100 CNY_E8 pub=2024-01-10",
      "gdp 310105 2023 level 102 CNY_E8 pub=2042-02-10"},
     "i=gdp p=310105 t=2023 today=2024-03-01",
     "gdp 310105 长宁区 2023 level | 100 (100 million yuan) | [99.5, 100.5] | normal |  | "
     "2024-01-10 | \n"
     "  published after today | 102 (100 million yuan) | [101.5, 102.5] | normal |  | 2042-02-10 | "
     "\n"},
    {"a target of five years: what was reached in each",
     {"housing 310105 2021/2025 target 1000 count_tao",
      "housing 310105 2021 count_of_change 100 count_tao",
      "housing 310105 2022 count_of_change 0.02 count_tao_E4"},
     "i=housing p=310105 t=2022 x=target",
     "housing 310105 长宁区 2021/2025 target | 1,000 | [1000, 1000] | normal |  | 2024-01-01 | \n"
     "housing 310105 长宁区 2021/2025 target_progress = reached / planned x 100 | 30.00% | [25, "
     "35] | normal |  | 2024-01-01 | 300 of 1,000 套; behind: 30.00% of plan with 40% of the time "
     "gone; pace 0.8\n"
     "  housing 310105 长宁区 2021/2025 target | 1,000 | [1000, 1000] | normal |  | 2024-01-01 | \n"
     "  housing 310105 长宁区 2021 count_of_change | 100 | [100, 100] | normal |  | 2024-01-01 | \n"
     "  housing 310105 长宁区 2022 count_of_change | 0.02 (10 thousand) = 200 | [0.015, 0.025] | "
     "normal |  | 2024-01-01 | \n"},
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
