// The examples of docs/TRANSFORMS.md: every block of the page is asked, and answered as it says.
//
//   question_page docs/TRANSFORMS.md
#include "test_world.h"

#define BLOCK_MAX  64
#define LINE_MAX_  32
#define TEXT_BYTES (1 << 20)

typedef struct block {
    char *rows[LINE_MAX_];
    size_t row_count;
    char *command;
    char want[4096];
    size_t line; // of the page
} block;

static block blocks[BLOCK_MAX];
static size_t block_count;

static void take_line(block *b, char *line)
{
    if (strncmp(line, "$ almanac query ", 16) == 0) {
        assert_null(b->command);
        b->command = line + 16;
    } else if (strncmp(line, "> ", 2) == 0) {
        size_t at = strlen(b->want);
        assert_true(at + strlen(line) < sizeof b->want);
        snprintf(b->want + at, sizeof b->want - at, "%s\n", line + 2);
    } else {
        assert_true(b->row_count < LINE_MAX_);
        b->rows[b->row_count++] = line;
    }
}

static void read_page(const char *path)
{
    static char text[TEXT_BYTES];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        exit(2);
    }
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    bool is_in = false;
    size_t number = 1;
    for (char *line = text; line != NULL && *line != '\0'; number++) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        if (!is_in && strcmp(line, "```example") == 0) {
            assert_true(block_count < BLOCK_MAX);
            blocks[block_count].line = number;
            is_in = true;
        } else if (is_in && strcmp(line, "```") == 0) {
            block_count++;
            is_in = false;
        } else if (is_in) {
            take_line(&blocks[block_count], line);
        }
        line = end == NULL ? NULL : end + 1;
    }
}

static void make_world(world *w)
{
    world_init(w);
    world_place(w, "CN", ALM_LEVEL_COUNTRY, "", "中国", "", "");
    world_place(w, "P1", ALM_LEVEL_PROVINCE, "CN", "甲省", "", "");
    world_place(w, "P2", ALM_LEVEL_PROVINCE, "CN", "乙省", "", "");
    static const char *const flows[] = {"industrial_profit", "retail_sales", "budget_revenue"};
    world_defined(w, "gdp", "增速按不变价计算");
    for (size_t i = 0; i < ALM_ARRAY_LEN(flows); i++) {
        world_indicator(w, flows[i], "CNY_E8", ALM_VALUE_TYPE_FLOW, ALM_AGGREGATION_SUM,
                        ALM_AGGREGATION_SUM, ALM_DIRECTION_UP, "", "");
    }
    world_indicator(w, "fx_reserves", "USD_E8", ALM_VALUE_TYPE_STOCK, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_NONE, ALM_DIRECTION_UP, "", "");
    world_indicator(w, "homes", "count_tao", ALM_VALUE_TYPE_STOCK, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_NONE, ALM_DIRECTION_UP, "", "");
    world_indicator(w, "green_area", "m2_E4", ALM_VALUE_TYPE_STOCK, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_NONE, ALM_DIRECTION_UP, "", "");
    world_indicator(w, "resident_population", "persons_E4", ALM_VALUE_TYPE_STOCK,
                    ALM_AGGREGATION_SUM, ALM_AGGREGATION_NONE, ALM_DIRECTION_NEUTRAL, "", "");
    world_indicator(w, "energy_consumption", "tce_E4", ALM_VALUE_TYPE_FLOW, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_SUM, ALM_DIRECTION_DOWN, "", "");
    world_indicator(w, "urban_rate", "percent", ALM_VALUE_TYPE_RATE, ALM_AGGREGATION_REFUSE,
                    ALM_AGGREGATION_REFUSE, ALM_DIRECTION_UP, "", "");
    world_finish(w);
}

// An indicator, or a formula in quotes, whose blanks become those of test_world.h.
static bool take_item(char **rest, char **ret)
{
    if (**rest != '\'') {
        return world_word(rest, ret);
    }
    *ret = *rest + 1;
    char *end = strchr(*ret, '\'');
    assert_non_null(end);
    *end = '\0';
    *rest = end + 1;
    for (char *blank = strchr(*ret, ' '); blank != NULL; blank = strchr(*ret, ' ')) {
        *blank = '~';
    }
    return true;
}

// The command's words in those of test_world.h.
static void translate(char *command, char *out, size_t size)
{
    static const struct {
        const char *option, *key;
    } options[] = {{"--place", "p"},
                   {"--period", "t"},
                   {"--transform", "x"},
                   {"--measure", "m"},
                   {"--unit", "unit"}};
    char *rest = command;
    char *word;
    char *value;
    assert_true(take_item(&rest, &word));
    size_t at = (size_t)snprintf(out, size, "i=%s", word);
    while (world_word(&rest, &word)) {
        const char *key = NULL;
        for (size_t i = 0; i < ALM_ARRAY_LEN(options); i++) {
            key = strcmp(options[i].option, word) == 0 ? options[i].key : key;
        }
        assert_non_null(key);
        assert_true(world_word(&rest, &value));
        at += (size_t)snprintf(out + at, size - at, " %s=%s", key, value);
    }
}

static void answers_as_the_page_says(void **state)
{
    block *b = *state;
    world w;
    char question[512];
    alm_buf lines;
    make_world(&w);
    alm_buf_init(&lines, 0);
    for (size_t i = 0; i < b->row_count; i++) {
        world_add(&w, b->rows[i]);
    }
    assert_non_null(b->command);
    translate(b->command, question, sizeof question);
    world_answer(&w, question, &lines);
    world_want(&lines, question, b->want);
    alm_buf_deinit(&lines);
    world_deinit(&w);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: question_page docs/TRANSFORMS.md\n");
        return 2;
    }
    static struct CMUnitTest tests[BLOCK_MAX];
    static char names[BLOCK_MAX][32];
    read_page(argv[1]);
    for (size_t i = 0; i < block_count; i++) {
        snprintf(names[i], sizeof names[i], "line %zu", blocks[i].line);
        tests[i] = (struct CMUnitTest){
            .name = names[i], .test_func = answers_as_the_page_says, .initial_state = &blocks[i]};
    }
    assert_true(block_count > 10);
    return _cmocka_run_group_tests("TRANSFORMS.md", tests, block_count, NULL, NULL);
}
