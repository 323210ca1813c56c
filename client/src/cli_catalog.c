// search and catalog.
#include "cli_ask.h"
#include "cli_command.h"
#include "cli_csv.h"
#include "cli_import.h"
#include "cli_json.h"
#include "cli_table.h"

#include <inttypes.h>

// How a kind of entry is shown: its columns, and the cells of one entry.
typedef struct entry_view {
    const char *word; // on the command line
    almanac_catalog_kind kind;
    size_t column_count;
    const char *columns[13]; // also the keys of JSON and CSV
    unsigned numbers;        // bit i: column i is a number
    void (*cells)(const cli *self, alm_arena *arena, const almanac_entry *entry, const char **out);
    bool can_load;
    almanac_import_kind load_kind;
} entry_view;

#define CELL_MAX 13

static const char *joined(alm_arena *arena, const char *const *texts, size_t count)
{
    const char *all = "";
    for (size_t i = 0; i < count && all != NULL; i++) {
        all = i == 0 ? texts[0] : alm_arena_printf(arena, "%s;%s", all, texts[i]);
    }
    return all;
}

static const char *number(alm_arena *arena, uint64_t value)
{
    return alm_arena_printf(arena, "%" PRIu64, value);
}

static void indicator_cells(const cli *self, alm_arena *arena, const almanac_entry *entry,
                            const char **out)
{
    (void)self;
    const almanac_indicator *i = &entry->as.indicator;
    const char *const cells[] = {i->code,
                                 i->name_zh,
                                 i->name_en,
                                 i->unit,
                                 i->value_type,
                                 i->over_places,
                                 i->over_time,
                                 i->direction,
                                 i->theme,
                                 i->numerator,
                                 i->denominator,
                                 i->formula,
                                 joined(arena, i->aliases, i->alias_count)};
    memcpy(out, cells, sizeof cells);
}

static void place_cells(const cli *self, alm_arena *arena, const almanac_entry *entry,
                        const char **out)
{
    (void)self;
    const almanac_place *p = &entry->as.place;
    const char *const cells[] = {p->code,
                                 p->name_zh,
                                 p->name_en,
                                 p->level,
                                 p->parent,
                                 p->valid_from,
                                 p->valid_to,
                                 joined(arena, p->successors, p->successor_count),
                                 joined(arena, p->aliases, p->alias_count)};
    memcpy(out, cells, sizeof cells);
}

static void source_cells(const cli *self, alm_arena *arena, const almanac_entry *entry,
                         const char **out)
{
    (void)self;
    const almanac_source *s = &entry->as.source;
    const char *const cells[] = {s->code,      s->title,
                                 s->publisher, s->published,
                                 s->address,   alm_arena_printf(arena, "%" PRId32, s->precedence),
                                 s->note};
    memcpy(out, cells, sizeof cells);
}

static void series_cells(const cli *self, alm_arena *arena, const almanac_entry *entry,
                         const char **out)
{
    (void)self;
    const almanac_series *s = &entry->as.series;
    const char *const cells[] = {s->variant, number(arena, s->place_count), s->first_period,
                                 s->last_period, number(arena, s->cell_count)};
    memcpy(out, cells, sizeof cells);
}

// Bytes as text: a record may be in any encoding, cleaned when it is shown.
static void quarantine_cells(const cli *self, alm_arena *arena, const almanac_entry *entry,
                             const char **out)
{
    (void)self;
    const almanac_quarantined *q = &entry->as.quarantined;
    const char *const cells[] = {
        q->at,
        q->file_name,
        number(arena, q->row),
        q->column > 0 ? number(arena, q->column) : "",
        q->field,
        q->reason,
        alm_arena_strdup(arena, (alm_str){(const char *)q->record, q->record_size}),
        q->batch_id};
    memcpy(out, cells, sizeof cells);
}

static const entry_view views[] = {
    {.word = "indicators",
     .kind = ALMANAC_CATALOG_INDICATORS,
     .column_count = 13,
     .columns = {"code", "name_zh", "name_en", "unit", "value_type", "over_places", "over_time",
                 "direction", "theme", "numerator", "denominator", "formula", "aliases"},
     .cells = indicator_cells,
     .can_load = true,
     .load_kind = ALMANAC_IMPORT_INDICATORS},
    {.word = "places",
     .kind = ALMANAC_CATALOG_PLACES,
     .column_count = 9,
     .columns = {"code", "name_zh", "name_en", "level", "parent", "valid_from", "valid_to",
                 "successors", "aliases"},
     .cells = place_cells,
     .can_load = true,
     .load_kind = ALMANAC_IMPORT_PLACES},
    {.word = "sources",
     .kind = ALMANAC_CATALOG_SOURCES,
     .column_count = 7,
     .columns = {"code", "title", "publisher", "published", "address", "precedence", "note"},
     .numbers = 1u << 5,
     .cells = source_cells,
     .can_load = true,
     .load_kind = ALMANAC_IMPORT_SOURCES},
    {.word = "series",
     .kind = ALMANAC_CATALOG_SERIES,
     .column_count = 5,
     .columns = {"series", "places", "first", "last", "cells"},
     .numbers = 1u << 1 | 1u << 4,
     .cells = series_cells},
    {.word = "quarantine",
     .kind = ALMANAC_CATALOG_QUARANTINE,
     .column_count = 8,
     .columns = {"at", "file", "row", "column", "field", "reason", "record", "batch_id"},
     .numbers = 1u << 2 | 1u << 3,
     .cells = quarantine_cells},
};

// --- writing entries -----------------------------------------------------------------------------

typedef struct entry_writer {
    cli *self;
    const entry_view *view;
    cli_table *table;
    cli_csv csv;
    cli_json json;
    alm_arena *scratch; // of one entry: a listing may be longer than memory
} entry_writer;

static void begin(entry_writer *writer, const cli_column *columns)
{
    cli *self = writer->self;
    writer->csv.out = self->out;
    writer->json.out = self->out;
    writer->scratch = alm_arena_create(0);
    switch (self->output) {
    case CLI_TABLE:
        writer->table = cli_table_create(self->arena, columns, writer->view->column_count);
        break;
    case CLI_CSV:
        for (size_t i = 0; i < writer->view->column_count; i++) {
            cli_csv_raw(&writer->csv, writer->view->columns[i]);
        }
        cli_csv_end(&writer->csv);
        break;
    case CLI_JSON:
        cli_json_object(&writer->json, NULL);
        cli_json_array(&writer->json, writer->view->word);
        break;
    }
}

static void write_cell(entry_writer *writer, size_t column, const char *cell)
{
    bool is_number = (writer->view->numbers >> column & 1) != 0;
    const char *title = writer->view->columns[column];
    switch (writer->self->output) {
    case CLI_TABLE:
        cli_table_cell(writer->table, cell);
        break;
    case CLI_CSV:
        is_number ? cli_csv_raw(&writer->csv, cell) : cli_csv_text(&writer->csv, cell);
        break;
    case CLI_JSON:
        if (is_number) {
            cli_json_number(&writer->json, title, cell[0] != '\0' ? cell : "null");
        } else {
            cli_json_text(&writer->json, title, cell);
        }
        break;
    }
}

// False: out of memory.
static bool write_entry(entry_writer *writer, const almanac_entry *entry)
{
    const char *cells[CELL_MAX] = {0};
    size_t count = writer->view->column_count;
    bool is_json = writer->self->output == CLI_JSON;
    if (writer->scratch == NULL) {
        return false;
    }
    alm_arena_reset(writer->scratch);
    writer->view->cells(writer->self, writer->scratch, entry, cells);
    for (size_t i = 0; i < count; i++) {
        if (cells[i] == NULL) {
            return false;
        }
    }
    if (is_json) {
        cli_json_line(&writer->json);
        cli_json_object(&writer->json, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        write_cell(writer, i, cells[i]);
    }
    if (writer->self->output == CLI_CSV) {
        cli_csv_end(&writer->csv);
    }
    if (is_json) {
        cli_json_end_object(&writer->json);
    }
    return true;
}

// False: out of memory.
static bool end(entry_writer *writer)
{
    cli *self = writer->self;
    alm_arena_destroy(&writer->scratch);
    if (self->output == CLI_JSON) {
        cli_json_end_array(&writer->json);
        cli_json_end_object(&writer->json);
        cli_json_line(&writer->json);
    }
    if (self->output != CLI_TABLE) {
        return true;
    }
    if (writer->table != NULL && cli_table_rows(writer->table) == 0) {
        fprintf(self->err, "%s\n", cli_say(self, "没有条目", "no entries"));
        return true;
    }
    return cli_table_print(writer->table, self->out, self->columns, self->color);
}

// Writes the entries of one answer, at most limit of them (0: all). *ret_more: there was another.
static almanac_code write_answer(cli *self, const almanac_catalog_query *query, uint32_t limit,
                                 entry_writer *writer, bool *ret_more, almanac_error *error)
{
    almanac_catalog *catalog = NULL;
    const almanac_entry *entry = NULL;
    almanac_code code = almanac_catalog_open(self->client, query, &catalog, error);
    for (uint32_t count = 0; code == ALMANAC_OK; count++) {
        code = almanac_catalog_next(catalog, &entry, error);
        if (code != ALMANAC_OK || entry == NULL) {
            break;
        }
        if (limit > 0 && count == limit) {
            *ret_more = true;
            break;
        }
        if (!write_entry(writer, entry)) {
            code = ALMANAC_RESOURCE_EXHAUSTED;
            *error = (almanac_error){.code = code, .message = "out of memory"};
        }
    }
    almanac_catalog_close(&catalog);
    return code;
}

// One more than is shown tells whether there are more.
static uint32_t limit_asked(uint32_t limit)
{
    return limit > 0 && limit < UINT32_MAX ? limit + 1 : 0;
}

static int finish(entry_writer *writer, bool has_more)
{
    cli *self = writer->self;
    if (!end(writer)) {
        return cli_fail_memory(self);
    }
    if (has_more) {
        (void)fflush(self->out); // the hint follows the table where both go to one file
        fprintf(
            self->err, "%s\n",
            cli_say(self, "还有更多；--limit 0 列出全部", "there are more; --limit 0 lists all"));
    }
    return 0;
}

static int list_entries(cli *self, const entry_view *view, almanac_catalog_query *query)
{
    uint32_t limit = query->limit;
    query->limit = limit_asked(limit);
    cli_column columns[CELL_MAX] = {0};
    for (size_t i = 0; i < view->column_count; i++) {
        columns[i] = (cli_column){
            .title = view->columns[i], .right = (view->numbers >> i & 1) != 0, .shrinks = i > 0};
    }
    entry_writer writer = {.self = self, .view = view};
    bool has_more = false;
    almanac_error error;
    begin(&writer, columns);
    almanac_code code = write_answer(self, query, limit, &writer, &has_more, &error);
    if (code != ALMANAC_OK) {
        alm_arena_destroy(&writer.scratch);
        return cli_fail(self, &error);
    }
    return finish(&writer, has_more);
}

static const entry_view *view_of(const char *word)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(views); i++) {
        if (strcmp(views[i].word, word) == 0) {
            return &views[i];
        }
    }
    return NULL;
}

static int load(cli *self, const entry_view *view, const char *const *paths, size_t count)
{
    if (!view->can_load) {
        return cli_fail_usage(self, "%s cannot be loaded", view->word);
    }
    if (count == 0) {
        return cli_fail_usage(self, "load needs a file");
    }
    almanac_import_opts opts = {.kind = view->load_kind};
    return cli_import_files(self, paths, count, &opts);
}

// The options that say which series; what the environment says of them is for those who use it.
static const char *const series_options[] = {"place", "theme",        "measure",
                                             "by",    "accumulation", "frequency"};
static const char *const list_options[] = {"words", "limit"};

// False: said.
static bool check_none_given(cli *self, const char *const *names, size_t count, const char *where)
{
    for (size_t i = 0; i < count; i++) {
        if (alm_config_is_given(self->config, names[i])) {
            (void)cli_fail_usage(self, "--%s %s", names[i], where);
            return false;
        }
    }
    return true;
}

static bool check_load_options(cli *self)
{
    return check_none_given(self, list_options, ALM_ARRAY_LEN(list_options),
                            "does not go with load") &&
           check_none_given(self, series_options, ALM_ARRAY_LEN(series_options),
                            "does not go with load");
}

static bool ask_series(cli *self, const char *const *words, size_t count,
                       almanac_catalog_query *ret, int *ret_exit)
{
    ret->places = cli_text(self, "place");
    ret->theme = cli_text(self, "theme");
    ret->measure = cli_text(self, "measure");
    ret->breakdown = cli_breakdown(self);
    ret->accumulation = cli_text(self, "accumulation");
    ret->frequency = cli_text(self, "frequency");
    if (ret->breakdown == NULL ||
        !cli_split_words(self, words, count, &ret->indicators, &ret->indicator_count)) {
        *ret_exit = cli_fail_memory(self);
        return false;
    }
    if (count > 0 && ret->indicator_count == 0) {
        *ret_exit = cli_fail_usage(self, "names no indicator");
        return false;
    }
    return true;
}

// What is asked; the words after `series` are indicators. False: said, see *ret_exit.
static bool ask(cli *self, const entry_view *view, almanac_catalog_query *ret, int *ret_exit)
{
    const char *const *words = NULL;
    size_t count = cli_positional(self, &words) - 1;
    *ret = (almanac_catalog_query){.kind = view->kind,
                                   .words = cli_text(self, "words"),
                                   .limit = (uint32_t)alm_config_int(self->config, "limit")};
    if (view->kind == ALMANAC_CATALOG_SERIES) {
        return ask_series(self, words + 1, count, ret, ret_exit);
    }
    *ret_exit = CLI_EXIT_USAGE;
    if (count > 0) {
        (void)cli_fail_usage(self, "%s: only load may stand here", words[1]);
        return false;
    }
    return check_none_given(self, series_options, ALM_ARRAY_LEN(series_options),
                            "goes with series only");
}

int cli_catalog(cli *self)
{
    const char *const *words = NULL;
    size_t count = cli_positional(self, &words);
    const entry_view *view = view_of(words[0]);
    ALM_ASSERT(view != NULL); // a listed word, checked before
    if (count > 1 && strcmp(words[1], "load") == 0) {
        return check_load_options(self) ? load(self, view, words + 2, count - 2) : CLI_EXIT_USAGE;
    }
    almanac_catalog_query query;
    int exit_code = 0;
    if (!ask(self, view, &query, &exit_code) || !cli_connect(self, &exit_code)) {
        return exit_code;
    }
    return list_entries(self, view, &query);
}

// --- search --------------------------------------------------------------------------------------

// What a hit shows whatever its kind is.
static void hit_cells(const cli *self, alm_arena *arena, const almanac_entry *entry,
                      const char **out)
{
    (void)arena;
    bool is_zh = self->lang == ALMANAC_ZH;
    if (entry->kind == ALMANAC_CATALOG_INDICATORS) {
        const almanac_indicator *i = &entry->as.indicator;
        const char *name = is_zh || i->name_en[0] == '\0' ? i->name_zh : i->name_en;
        const char *const cells[] = {cli_say(self, "指标", "indicator"), i->code, name, i->theme};
        memcpy(out, cells, sizeof cells);
    } else if (entry->kind == ALMANAC_CATALOG_PLACES) {
        const almanac_place *p = &entry->as.place;
        const char *name = is_zh || p->name_en[0] == '\0' ? p->name_zh : p->name_en;
        const char *const cells[] = {cli_say(self, "地区", "place"), p->code, name, p->level};
        memcpy(out, cells, sizeof cells);
    } else {
        const almanac_source *s = &entry->as.source;
        const char *const cells[] = {cli_say(self, "来源", "source"), s->code, s->title,
                                     s->published};
        memcpy(out, cells, sizeof cells);
    }
}

static const entry_view hit_view = {.word = "hits",
                                    .column_count = 4,
                                    .columns = {"kind", "code", "name", "about"},
                                    .cells = hit_cells};

static const char *all_words(cli *self)
{
    const char *const *words = NULL;
    size_t count = cli_positional(self, &words);
    const char *all = words[0];
    for (size_t i = 1; i < count && all != NULL; i++) {
        all = alm_arena_printf(self->arena, "%s %s", all, words[i]);
    }
    return all;
}

int cli_search(cli *self)
{
    static const almanac_catalog_kind kinds[] = {ALMANAC_CATALOG_INDICATORS, ALMANAC_CATALOG_PLACES,
                                                 ALMANAC_CATALOG_SOURCES};
    const cli_column columns[] = {{.title = cli_say(self, "种类", "Kind")},
                                  {.title = cli_say(self, "代码", "Code")},
                                  {.title = cli_say(self, "名称", "Name"), .shrinks = true},
                                  {.title = cli_say(self, "关于", "About")}};
    int exit_code = 0;
    const char *words = all_words(self);
    if (words == NULL) {
        return cli_fail_memory(self);
    }
    if (!cli_connect(self, &exit_code)) {
        return exit_code;
    }
    entry_writer writer = {.self = self, .view = &hit_view};
    uint32_t limit = (uint32_t)alm_config_int(self->config, "limit");
    bool has_more = false;
    almanac_error error;
    almanac_code code = ALMANAC_OK;
    begin(&writer, columns);
    for (size_t i = 0; i < ALM_ARRAY_LEN(kinds) && code == ALMANAC_OK; i++) {
        almanac_catalog_query query = {
            .kind = kinds[i], .words = words, .limit = limit_asked(limit)};
        code = write_answer(self, &query, limit, &writer, &has_more, &error);
    }
    if (code != ALMANAC_OK) {
        alm_arena_destroy(&writer.scratch);
        return cli_fail(self, &error);
    }
    return finish(&writer, has_more);
}
