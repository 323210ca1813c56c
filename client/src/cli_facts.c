#include "cli_facts.h"

#include "cli_csv.h"
#include "cli_table.h"

const char *cli_grouped(cli *self, uint64_t value)
{
    char text[ALMANAC_NUMBER_TEXT_MAX];
    almanac_number_text((int64_t)ALM_MIN(value, (uint64_t)INT64_MAX), 0, ',', text);
    return alm_arena_strdup(self->arena, alm_str_from(text));
}

bool cli_facts_table(cli *self, const cli_fact *facts, size_t count, bool is_known)
{
    const cli_column columns[] = {{.title = cli_say(self, "项目", "What")},
                                  {.title = cli_say(self, "数量", "Count"), .right = true}};
    cli_table *table = cli_table_create(self->arena, columns, ALM_ARRAY_LEN(columns));
    for (size_t i = 0; i < count; i++) {
        cli_table_cell(table, cli_say(self, facts[i].zh, facts[i].en));
        cli_table_cell(table, is_known ? cli_grouped(self, facts[i].value) : "—");
    }
    return cli_table_print(table, self->out, self->columns, self->color);
}

void cli_facts_csv(cli *self, const cli_fact *facts, size_t count, bool is_known)
{
    cli_csv csv = {.out = self->out};
    cli_csv_raw(&csv, "what");
    cli_csv_raw(&csv, "value");
    cli_csv_end(&csv);
    for (size_t i = 0; i < count; i++) {
        cli_csv_raw(&csv, facts[i].key);
        if (is_known) {
            cli_csv_u64(&csv, facts[i].value);
        } else {
            cli_csv_raw(&csv, "");
        }
        cli_csv_end(&csv);
    }
}

void cli_facts_json(cli_json *json, const cli_fact *facts, size_t count, bool is_known)
{
    for (size_t i = 0; i < count; i++) {
        if (is_known) {
            cli_json_u64(json, facts[i].key, facts[i].value);
        } else {
            cli_json_null(json, facts[i].key);
        }
    }
}
