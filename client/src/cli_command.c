#include "cli_command.h"

#define OPTIONS(list)  .options = (list), .option_count = ALM_ARRAY_LEN(list)
#define EXAMPLES(list) .examples = (list), .example_count = ALM_ARRAY_LEN(list)

#define DAY_MS         ((int64_t)24 * 60 * 60 * 1000)

const alm_option cli_global_options[] = {
    {.name = "endpoint",
     .type = ALM_OPTION_TEXT,
     .fallback = ALMANAC_ENDPOINT_DEFAULT,
     .placeholder = "ADDRESS",
     .help = "where the almanac is: tcp://HOST:PORT or ipc://PATH"},
    {.name = "key-file",
     .type = ALM_OPTION_TEXT,
     .placeholder = "FILE",
     .help = "your key pair: encrypts the connection (almanac keys new)"},
    {.name = "server-key",
     .type = ALM_OPTION_TEXT,
     .placeholder = "FILE",
     .help = "the almanac's public key; without it, it has the same key"},
    {.name = "token-file",
     .type = ALM_OPTION_TEXT,
     .placeholder = "FILE",
     .help = "the token that says who you are (almanac token new)"},
    {.name = "timeout",
     .type = ALM_OPTION_DURATION_MS,
     .fallback = "30s",
     .placeholder = "TIME",
     .help = "how long a call may take: 500ms, 30s; a piece of an import: 2m",
     .min = 1,
     .max = DAY_MS},
    {.name = "lang",
     .type = ALM_OPTION_TEXT,
     .placeholder = "zh|en",
     .help = "language of tables; from LANG if not given"},
    {.name = "output",
     .type = ALM_OPTION_TEXT,
     .fallback = "table",
     .placeholder = "table|csv|json",
     .help = "tables for people, CSV and JSON for pipes",
     .letter = 'o'},
    {.name = "no-color", .type = ALM_OPTION_BOOL, .help = "no colours; also NO_COLOR"},
};
const size_t cli_global_option_count = ALM_ARRAY_LEN(cli_global_options);

#define OPTION_PLACE                                                                               \
    {                                                                                              \
        .name = "place", .type = ALM_OPTION_TEXT, .placeholder = "EXPR",                           \
        .help = "places: 310105, 310000/* (children), 310000/**@district, 310105~ (siblings)",     \
        .letter = 'p'                                                                              \
    }
#define OPTION_PERIOD                                                                              \
    {                                                                                              \
        .name = "period", .type = ALM_OPTION_TEXT, .placeholder = "EXPR",                          \
        .help = "periods: 2023, 2023-Q3, 2019..2023, latest, last:5, all", .letter = 't'           \
    }
#define OPTION_AS_OF                                                                               \
    {                                                                                              \
        .name = "as-of", .type = ALM_OPTION_TEXT, .placeholder = "DATE",                           \
        .help = "as it was published on that day; today unless said"                               \
    }

#define OPTION_MEASURE(text)                                                                       \
    {                                                                                              \
        .name = "measure", .type = ALM_OPTION_TEXT, .placeholder = "CODE", .help = (text),         \
        .letter = 'm'                                                                              \
    }
#define OPTION_BY(text)                                                                            \
    {                                                                                              \
        .name = "by", .type = ALM_OPTION_TEXT, .placeholder = "DIM=MEMBER", .help = (text),        \
        .repeats = true                                                                            \
    }
#define OPTION_ACCUMULATION(text)                                                                  \
    {                                                                                              \
        .name = "accumulation", .type = ALM_OPTION_TEXT, .placeholder = "P|C", .help = (text)      \
    }
#define OPTION_FREQUENCY(text)                                                                     \
    {                                                                                              \
        .name = "frequency", .type = ALM_OPTION_TEXT, .placeholder = "A|S|T|Q|M|W|D",              \
        .help = (text)                                                                             \
    }

static const alm_option import_options[] = {
    {.name = "kind",
     .type = ALM_OPTION_TEXT,
     .fallback = "observations",
     .placeholder = "observations|indicators|places|targets|sources",
     .help = "what the rows are"},
    {.name = "place",
     .type = ALM_OPTION_TEXT,
     .placeholder = "CODE",
     .help = "place of rows without one",
     .letter = 'p'},
    {.name = "period",
     .type = ALM_OPTION_TEXT,
     .placeholder = "PERIOD",
     .help = "period of rows without one",
     .letter = 't'},
    {.name = "published",
     .type = ALM_OPTION_TEXT,
     .placeholder = "DATE",
     .help = "publication date of rows without one"},
    {.name = "source",
     .type = ALM_OPTION_TEXT,
     .placeholder = "TITLE",
     .help = "source of rows without one"},
    {.name = "dry-run", .type = ALM_OPTION_BOOL, .help = "check everything, store nothing"},
    {.name = "batch-id",
     .type = ALM_OPTION_TEXT,
     .placeholder = "ID",
     .help = "names the import; made of the content if not given"},
    {.name = "encoding",
     .type = ALM_OPTION_TEXT,
     .placeholder = "utf-8|gb18030",
     .help = "of the file; found out if not given"},
};

static const alm_option verify_options[] = {
    {.name = "rebuild", .type = ALM_OPTION_BOOL, .help = "make the store in DIR anew"},
};

// The last is of watch alone: see QUERY_OPTIONS.
static const alm_option watch_options[] = {
    OPTION_PLACE,
    OPTION_PERIOD,
    OPTION_MEASURE("level, growth_yoy, share_of, rank, target ...; * for all"),
    OPTION_BY("breakdown: industry=software; * for all; totals only if not given"),
    OPTION_ACCUMULATION("the period alone, or from 1 January to its end"),
    OPTION_FREQUENCY("only periods of this frequency"),
    {.name = "transform",
     .type = ALM_OPTION_TEXT,
     .placeholder = "rollup|to:Q|to:P|share|pc1|ma:3|rank|...",
     .help = "what to compute, of the words in `almanac help transforms`; may be repeated",
     .repeats = true},
    {.name = "group-by",
     .type = ALM_OPTION_TEXT,
     .placeholder = "country|province|city|district|town|village|local",
     .help = "roll-up: the level of the groups"},
    {.name = "unit",
     .type = ALM_OPTION_TEXT,
     .placeholder = "UNIT",
     .help = "convert into it: CNY_E8, 亿元, or `indicator` for the indicator's own",
     .letter = 'u'},
    {.name = "order",
     .type = ALM_OPTION_TEXT,
     .placeholder = "key|value:desc|value:asc",
     .help = "order of the rows"},
    {.name = "limit",
     .type = ALM_OPTION_INT,
     .fallback = "0",
     .placeholder = "N",
     .help = "rows of each indicator; 0 for all",
     .min = 0,
     .max = UINT32_MAX,
     .letter = 'n'},
    OPTION_AS_OF,
    {.name = "source",
     .type = ALM_OPTION_TEXT,
     .placeholder = "CODE",
     .help = "only from this source",
     .repeats = true},
    {.name = "incomplete",
     .type = ALM_OPTION_BOOL,
     .help = "answer roll-ups though members are missing"},
    {.name = "min-sequence",
     .type = ALM_OPTION_INT,
     .fallback = "0",
     .placeholder = "N",
     .help = "at least this commit must be visible",
     .min = 0,
     .max = INT64_MAX},
    {.name = "from-sequence",
     .type = ALM_OPTION_INT,
     .fallback = "0",
     .placeholder = "N",
     .help = "from this change on; 0 for what comes from now on",
     .min = 0,
     .max = INT64_MAX},
};
#define QUERY_OPTIONS .options = watch_options, .option_count = ALM_ARRAY_LEN(watch_options) - 1

static const alm_option reconcile_options[] = {
    OPTION_PLACE,
    OPTION_PERIOD,
    OPTION_MEASURE("only claims of this measure: growth_yoy, share_of, level, rank ..."),
    OPTION_BY("breakdown of the claims: industry=software; * for all; totals if not given"),
    OPTION_ACCUMULATION("claims of the period alone, or from 1 January to its end"),
    OPTION_FREQUENCY("only periods of this frequency"),
    OPTION_AS_OF,
    {.name = "source",
     .type = ALM_OPTION_TEXT,
     .placeholder = "CODE",
     .help = "only claims of this source; they are held against all",
     .repeats = true},
};

static const alm_option scorecard_options[] = {OPTION_PLACE, OPTION_PERIOD, OPTION_AS_OF};

static const alm_option search_options[] = {
    {.name = "limit",
     .type = ALM_OPTION_INT,
     .fallback = "20",
     .placeholder = "N",
     .help = "hits of each kind; 0 for all",
     .min = 0,
     .max = UINT32_MAX,
     .letter = 'n'},
};

static const alm_option catalog_options[] = {
    {.name = "words",
     .type = ALM_OPTION_TEXT,
     .placeholder = "WORDS",
     .help = "entries that hold every word in a code, name, alias or theme",
     .letter = 'w'},
    {.name = "limit",
     .type = ALM_OPTION_INT,
     .fallback = "0",
     .placeholder = "N",
     .help = "entries; 0 for all",
     .min = 0,
     .max = UINT32_MAX,
     .letter = 'n'},
    {.name = "place",
     .type = ALM_OPTION_TEXT,
     .placeholder = "EXPR",
     .help = "series with a value at any of these: 310105, 310000/*, 310000/**",
     .letter = 'p'},
    {.name = "theme",
     .type = ALM_OPTION_TEXT,
     .placeholder = "THEME",
     .help = "series of indicators of this theme"},
    OPTION_MEASURE("series of this measure: level, growth_yoy, target ..."),
    OPTION_BY("series of this breakdown; industry=* for any by industry, _T for totals"),
    OPTION_ACCUMULATION("series of the period alone, or from 1 January to its end"),
    OPTION_FREQUENCY("series of this frequency"),
};

#define OPTION_ROLE                                                                                \
    {                                                                                              \
        .name = "role", .type = ALM_OPTION_TEXT, .placeholder = "reader|writer|admin|service",     \
        .help = "what they may do"                                                                 \
    }
#define OPTION_NAME                                                                                \
    {                                                                                              \
        .name = "name", .type = ALM_OPTION_TEXT, .placeholder = "NAME",                            \
        .help = "who it is for, as logs and errors say it"                                         \
    }
#define OPTION_POLICY                                                                              \
    {                                                                                              \
        .name = "policy", .type = ALM_OPTION_TEXT, .placeholder = "FILE",                          \
        .help = "the almanac's policy"                                                             \
    }

static const alm_option keys_options[] = {OPTION_ROLE, OPTION_NAME, OPTION_POLICY};
static const alm_option token_options[] = {OPTION_ROLE,
                                           OPTION_NAME,
                                           OPTION_POLICY,
                                           {.name = "until",
                                            .type = ALM_OPTION_TEXT,
                                            .placeholder = "DATE",
                                            .help = "the last day it is good: 2026-12-31"}};

static const alm_option rpc_options[] = {
    {.name = "server",
     .type = ALM_OPTION_TEXT,
     .placeholder = "ADDRESS",
     .help = "the service to ask; --endpoint if not given"},
    {.name = "json",
     .type = ALM_OPTION_TEXT,
     .placeholder = "JSON",
     .help = "call: the request, @FILE or - for standard input; {} if not given"},
    {.name = "idempotency-key",
     .type = ALM_OPTION_TEXT,
     .placeholder = "KEY",
     .help = "call: lets a write that takes a key be tried again"},
    {.name = "protoset",
     .type = ALM_OPTION_TEXT,
     .placeholder = "FILE",
     .help = "descriptors of protoc --descriptor_set_out instead of the service's own"},
};

static const cli_example import_examples[] = {
    {"almanac import report.csv --published 2024-02-20", "values published on that day"},
    {"almanac import *.csv --dry-run", "what would be stored, and what is wrong"},
    {"iconv -f gbk old.csv | almanac import -", "from a pipe"},
};
static const cli_example query_examples[] = {
    {"almanac query gdp,population --place 310105 --period 2019..2023",
     "two indicators, five years"},
    {"almanac query gdp --place '310000/*' --period 2023 --order value:desc --limit 5",
     "the five largest"},
    {"almanac query gdp --place '310000/*' --period 2023 --transform pc1 --transform rank",
     "districts by their growth"},
    {"almanac query 'gdp / resident_population' --place '310000/*' --period 2023 --unit 元/人",
     "per head"},
    {"almanac query gdp --place 310105 --period all -o csv > gdp.csv", "for a spreadsheet"},
};
static const cli_example latest_examples[] = {
    {"almanac latest gdp --place 310105", "the newest value"},
};
static const cli_example series_examples[] = {
    {"almanac series gdp --place 310105", "every period"},
    {"almanac series gdp --place 310105 --as-of 2022-06-30", "as it was known then"},
};
static const cli_example growth_examples[] = {
    {"almanac growth gdp --place 310105 --period last:5", "five years of growth"},
};
static const cli_example share_examples[] = {
    {"almanac share gdp --place '310000/*'", "of the parent place, percent"},
};
static const cli_example rank_examples[] = {
    {"almanac rank gdp --place '310000/*' --period 2023", "all districts in order"},
};
static const cli_example rollup_examples[] = {
    {"almanac rollup gdp --place '310000/**@town' --group-by district", "towns into districts"},
};
static const cli_example target_examples[] = {
    {"almanac target gdp --place 310105 --period 2025", "how far towards the plan"},
    {"almanac target '*' --place '310000/*' -o csv", "every target there is, with all figures"},
};
static const cli_example explain_examples[] = {
    {"almanac explain gdp --place 310105 --period 2023 --transform pc1",
     "which observations went into it, and how"},
};
static const cli_example reconcile_examples[] = {
    {"almanac reconcile '*' --place 310105 --period 2023", "all that was published of a year"},
    {"almanac reconcile gdp --place 310105 --period 2023 --as-of 2024-02-01",
     "as it could be judged then"},
};
static const cli_example scorecard_examples[] = {
    {"almanac scorecard --place 310105 --period 2023", "the place's year on one page"},
};
static const cli_example search_examples[] = {
    {"almanac search 生产总值", "codes for words"},
};
static const cli_example catalog_examples[] = {
    {"almanac catalog indicators --words industry", "the indicators of a theme"},
    {"almanac catalog places load places.csv", "add places"},
    {"almanac catalog series --place '310105/**' --frequency M",
     "what there is by month below a district"},
    {"almanac catalog quarantine", "what could not be taken, and why"},
};
static const cli_example keys_examples[] = {
    {"almanac keys new wang.key --role reader --name wang", "a pair, and its line for the policy"},
    {"almanac keys show wang.key.pub", "the public key"},
};
static const cli_example token_examples[] = {
    {"(umask 077; almanac token new --role writer --name robot --policy policy > robot.token)",
     "a token, in a file that only its owner may read"},
    {"almanac token revoke robot --policy policy", "no token of robot's is good any more"},
};
static const cli_example rpc_examples[] = {
    {"almanac rpc list --server tcp://127.0.0.1:7102", "what storage serves, and to whom"},
    {"almanac rpc describe Gateway.Query", "a method; QueryRequest would be its request"},
    {"almanac rpc call Gateway.Query --json '{\"indicators\": [\"gdp\"], \"places\": \"310105\", "
     "\"periods\": \"latest\"}'",
     "a call, with what it answers in JSON"},
};
static const cli_example watch_examples[] = {
    {"almanac watch gdp --place '310000/**' -o json", "changes as lines of JSON"},
    {"almanac watch gdp --place '310000/*' --period latest --transform rank",
     "a ranking, whenever it changes"},
};
static const cli_example verify_examples[] = {
    {"almanac verify", "the store of the running almanac"},
    {"almanac verify almanac.backup", "a backup"},
    {"almanac verify /var/lib/almanac --rebuild", "mend a store that is damaged"},
};
static const cli_example backup_examples[] = {
    {"almanac backup almanac-$(date +%F).backup", "today's"},
};
static const cli_example restore_examples[] = {
    {"almanac restore almanac.backup /var/lib/almanac", "into a new folder"},
};
static const cli_example completion_examples[] = {
    {"source <(almanac completion bash)", "for this shell"},
    {"almanac completion fish > ~/.config/fish/completions/almanac.fish", "for good"},
};

#define QUERY_USAGE "INDICATOR[,...] --place EXPR [--period EXPR] [options]"
#define SHORTHAND(n, text, more, list, kind, when)                                                 \
    {                                                                                              \
        .name = (n), .usage = QUERY_USAGE, .summary = (text), .details = (more),                   \
        .positional_min = 1, .positional_max = SIZE_MAX, QUERY_OPTIONS, EXAMPLES(list),            \
        .run = cli_query, .transform = (kind), .period = (when)                                    \
    }

const cli_command cli_commands[] = {
    {.name = "import",
     .usage = "FILE... [options]",
     .summary = "store the rows of CSV files",
     .details =
         "Reads each file (- is standard input), checks every row, stores what is good and "
         "says of the rest what is wrong with it. Importing a file twice stores it once. "
         "Exits with 0 when all rows were taken and with 2 when some were not. Columns of "
         "observations and targets, in any order: indicator 指标, place 地区, period 时期 "
         "and value 数值 are needed; unit 单位, unit_mult 单位倍数, qualifier 限定, status "
         "状态, measure 口径, accumulation 累计, breakdown 分组, relation 关系, published "
         "发布日期, source 来源 and note 备注 are not. An unknown column is refused with the "
         "list of those of its kind.",
     .takes_files = true,
     .positional_min = 1,
     .positional_max = SIZE_MAX,
     OPTIONS(import_options),
     EXAMPLES(import_examples),
     .run = cli_import},
    {.name = "query",
     .usage = "INDICATOR[,...] --place EXPR --period EXPR [options]",
     .summary = "ask for values",
     .details = "Indicators are codes or names, * stands for all; or formulas of them, such as "
                "'gdp / resident_population', 'gdp / gdp@parent' or '1 - pc1(gdp) / pc1(tax)', "
                "with units worked out. Values are shown to the digit as "
                "published, with qualifier and unit; what was computed, what is not final and why "
                "something is missing is marked.",
     .positional_min = 1,
     .positional_max = SIZE_MAX,
     QUERY_OPTIONS,
     EXAMPLES(query_examples),
     .run = cli_query},
    SHORTHAND("latest", "the newest value of each series", "A query with --period latest.",
              latest_examples, NULL, "latest"),
    SHORTHAND("series", "all periods of a series, with a sparkline", "A query with --period all.",
              series_examples, NULL, "all"),
    SHORTHAND("growth", "growth year on year, computed from levels",
              "A query with --transform pc1; --period latest unless given.", growth_examples, "pc1",
              "latest"),
    SHORTHAND("share", "share of the parent place",
              "A query with --transform share; --period latest unless given.", share_examples,
              "share", "latest"),
    SHORTHAND("rank", "rank among the siblings of a place",
              "A query with --transform rank, the first first; --period latest unless given.",
              rank_examples, "rank", "latest"),
    SHORTHAND("rollup", "values of groups of places",
              "A query with --transform rollup; --period latest unless given.", rollup_examples,
              "rollup", "latest"),
    SHORTHAND(
        "target", "progress towards targets",
        "A query with --transform target; --period latest unless given. A line a target: "
        "what was reached and up to when, the share of the time that is gone, the pace (1 is "
        "on time; seasonal: as fast as the year before), what each period that is left needs, "
        "the growth needed, what is expected at the end, and a verdict: reached, on track, "
        "behind, missed, or not known where gaps and bounds leave it open.",
        target_examples, "target", "latest"),
    {.name = "explain",
     .usage = "INDICATOR --place CODE --period PERIOD [options]",
     .summary = "how one value came about",
     .details = "Shows how one cell came about as a tree: the answer, below it what it was "
                "computed of step by step, down to the observations that were published, with "
                "their sources, and below these the vintages that lost against them and why: an "
                "older publication of the same source, a source of lower precedence, withdrawn, "
                "published after --as-of. Long lists are cut, and say how many are not listed.",
     .positional_min = 1,
     .positional_max = 1,
     QUERY_OPTIONS,
     EXAMPLES(explain_examples),
     .run = cli_explain},
    {.name = "reconcile",
     .usage = "INDICATOR[,...] --place EXPR --period EXPR [--as-of DATE] [options]",
     .summary = "do published figures agree with each other?",
     .details = "Holds growth, shares, changes in points and contributions against levels, totals "
                "against their parts, ranks against the peers' values, and each publication of a "
                "value against the one before it. Verdicts, the first that holds: match, base "
                "revised, accumulation mix-up, wrong comparison, unit slip, constant price, "
                "comparable base, revised, unexplained; not judged where something is missing. "
                "Then what the claim implies is told with its bounds: last year's value, the "
                "whole of a share. Exits with 0 whatever is found.",
     .positional_min = 1,
     .positional_max = SIZE_MAX,
     OPTIONS(reconcile_options),
     EXAMPLES(reconcile_examples),
     .run = cli_reconcile},
    {.name = "scorecard",
     .usage = "--place CODE --period PERIOD [--as-of DATE]",
     .summary = "a place's year on one page",
     .details = "One line an indicator, grouped by theme: value, growth, share, rank, progress "
                "towards the target and source, as published; what is missing is shown as a dash, "
                "growth that was computed is marked with a star.",
     OPTIONS(scorecard_options),
     EXAMPLES(scorecard_examples),
     .run = cli_scorecard},
    {.name = "search",
     .usage = "WORDS [--limit N]",
     .summary = "find indicators, places and sources by words",
     .details = "Looks for entries that hold every word in a code, name, alias or theme.",
     .positional_min = 1,
     .positional_max = SIZE_MAX,
     OPTIONS(search_options),
     EXAMPLES(search_examples),
     .run = cli_search},
    {.name = "catalog",
     .usage = "indicators|places|sources|series|quarantine [load FILE... | INDICATOR[,...]] "
              "[options]",
     .summary = "list the catalogue, or load it from a file",
     .details = "Lists indicators, places, sources, the series there are, or the rows in "
                "quarantine. With load, imports CSV files of indicators, places or sources. "
                "Series are told with how many of the places that were asked for have a value; "
                "periods and cells are those of the place, when one is asked for.",
     .words = "indicators|places|sources|series|quarantine",
     .takes_files = true,
     .positional_min = 1,
     .positional_max = SIZE_MAX,
     OPTIONS(catalog_options),
     EXAMPLES(catalog_examples),
     .run = cli_catalog},
    {.name = "watch",
     .usage = "[INDICATOR[,...]] [--place EXPR] [--period EXPR [options]] [--from-sequence N]",
     .summary = "show changes as they happen, or an answer whenever it changes",
     .details = "Without --period every change of the indicators and places is shown. With it the "
                "question that `almanac query` would ask with these options is answered, and again "
                "after each change that made the answer another one. Runs until it is "
                "interrupted; --from-sequence with the number after the last that was seen goes "
                "on where it ended.",
     .positional_max = SIZE_MAX,
     OPTIONS(watch_options),
     EXAMPLES(watch_examples),
     .run = cli_watch},
    {.name = "status",
     .usage = "",
     .summary = "what is running and how much is stored",
     .details = "One line for each address of each service.",
     .run = cli_status},
    {.name = "keys",
     .usage = "new|show FILE [--role ROLE --name NAME] [--policy FILE]",
     .summary = "make a key pair, or show its public part",
     .details = "new writes the pair to FILE, which only its owner may read, and the public part "
                "to FILE.pub. With a role and a name it prints the line a policy needs, or adds it "
                "to --policy. Services and clients take the pair with --key-file. Nothing is asked "
                "of an almanac.",
     .words = "new|show",
     .takes_files = true,
     .positional_min = 2,
     .positional_max = 2,
     OPTIONS(keys_options),
     EXAMPLES(keys_examples),
     .run = cli_keys},
    {.name = "token",
     .usage = "new --role ROLE --name NAME | list | revoke NAME [--policy FILE]",
     .summary = "make, list and revoke tokens of a policy",
     .details = "new prints the token once: the policy keeps only its hash. Clients show it with "
                "--token-file. After a change send the services SIGHUP. Nothing is asked of an "
                "almanac.",
     .words = "new|list|revoke",
     .positional_min = 1,
     .positional_max = 2,
     OPTIONS(token_options),
     EXAMPLES(token_examples),
     .run = cli_token,
     .has_until = true},
    {.name = "rpc",
     .usage = "list [SERVICE] | describe NAME | call SERVICE.METHOD [--json JSON] [options]",
     .summary = "call any method of any service, in JSON",
     .details = "Asks a service of an almanac, the gateway or another, by its Reflection. list "
                "shows its methods: which way they stream, the least role that may call them, and "
                "whether they may be repeated. describe prints a service, a method, a message or "
                "an enum as .proto text. call sends the request as proto3 JSON and prints each "
                "reply on a line of its own; a method that takes many messages takes them one a "
                "line. Names may be short (Gateway.Query) or full (almanac.v1.Gateway/Query). "
                "--timeout bounds a stream only when it is given. How a call failed goes to "
                "standard error.",
     .words = "list|describe|call",
     .takes_files = true,
     .positional_min = 1,
     .positional_max = 2,
     OPTIONS(rpc_options),
     EXAMPLES(rpc_examples),
     .run = cli_rpc},
    {.name = "verify",
     .usage = "[FILE|DIR] [--rebuild]",
     .summary = "check the whole store, or a backup",
     .details = "Reads everything and checks every checksum and every derived value: of the store "
                "of a running almanac, or of a folder that no process has open. Of a backup it "
                "checks that it is whole and what was written. Exits with 5 when something is "
                "damaged. With --rebuild the store in DIR is made anew from what is undamaged; it "
                "tells what is lost, exits with 5 if that is anything, and leaves the old file as "
                "data.mdb.damaged.",
     .takes_files = true,
     .positional_max = 1,
     OPTIONS(verify_options),
     EXAMPLES(verify_examples),
     .run = cli_verify},
    {.name = "backup",
     .usage = "FILE",
     .summary = "write the whole store to a file",
     .details =
         "One state of the store, while imports go on. The file appears under its name when "
         "it is whole, in place of an earlier one. Prints the state, the counts and the hash "
         "with which the file ends.",
     .takes_files = true,
     .positional_min = 1,
     .positional_max = 1,
     EXAMPLES(backup_examples),
     .run = cli_backup},
    {.name = "restore",
     .usage = "FILE DIR",
     .summary = "make a store of a backup",
     .details = "Writes the store into a folder that is empty or not there; start storage with "
                "--data DIR then. Nothing is asked of an almanac. A backup that is damaged leaves "
                "no store behind.",
     .takes_files = true,
     .positional_min = 2,
     .positional_max = 2,
     EXAMPLES(restore_examples),
     .run = cli_restore},
    {.name = "version",
     .usage = "",
     .summary = "the version of this program",
     .details = "See status for the version of the almanac it talks to.",
     .run = cli_version},
    {.name = "completion",
     .usage = "bash|zsh|fish",
     .summary = "completion for a shell",
     .details = "Prints a script for the shell to read.",
     .words = "bash|zsh|fish",
     .positional_min = 1,
     .positional_max = 1,
     EXAMPLES(completion_examples),
     .run = cli_completion},
    {.name = "manual",
     .usage = "",
     .summary = "the manual page, for man -l -",
     .details = "Prints almanac(1) in mdoc.",
     .run = cli_manual},
    {.name = "help",
     .usage = "[COMMAND|transforms]",
     .summary = "help for a command, or the words of --transform",
     .details = "The same as COMMAND --help; `help transforms` lists what can be computed.",
     .positional_max = 1,
     .run = cli_help},
};
const size_t cli_command_count = ALM_ARRAY_LEN(cli_commands);

const cli_command *cli_command_find(alm_str name)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        if (alm_str_eq(name, alm_str_from(cli_commands[i].name))) {
            return &cli_commands[i];
        }
    }
    return NULL;
}

bool cli_option_has_choices(const alm_option *option)
{
    return option->placeholder != NULL && strchr(option->placeholder, '|') != NULL;
}
