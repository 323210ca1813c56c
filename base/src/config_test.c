// Configuration from real arguments, a real environment and real files: what each source gives,
// who wins, and for every way to get it wrong that the message names the culprit.
#include "alm/config.h"

#include "alm/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static const alm_option options[] = {
    {.name = "data-dir", .fallback = "/var/lib", .placeholder = "DIR", .help = "keeps data in DIR"},
    {.name = "port",
     .type = ALM_OPTION_INT,
     .min = 1,
     .max = 65535,
     .fallback = "7100",
     .letter = 'p',
     .help = "listens at port N",
     .placeholder = "N"},
    {.name = "offset", .type = ALM_OPTION_INT, .help = "any number"},
    {.name = "cache", .type = ALM_OPTION_BYTES, .fallback = "16M", .max = INT64_C(1) << 40},
    {.name = "wait", .type = ALM_OPTION_DURATION_MS, .fallback = "5s"},
    {.name = "verbose", .type = ALM_OPTION_BOOL, .letter = 'v', .help = "says more"},
    {.name = "fsync", .type = ALM_OPTION_BOOL, .fallback = "true", .letter = 'f'},
    {.name = "peer", .repeats = true, .letter = 'e', .placeholder = "URL"},
    {.name = "token", .secret = true},
};
#define OPTION_COUNT ALM_ARRAY_LEN(options)

#define ARGS_MAX     8
typedef struct args {
    const char *values[ARGS_MAX];
} args;

static alm_code load(const args *in, alm_config **ret, alm_status *st)
{
    char *argv[ARGS_MAX + 2] = {(char *)(uintptr_t) "program"};
    int argc = 1;
    for (size_t i = 0; i < ARGS_MAX && in->values[i] != NULL; i++) {
        argv[argc++] = (char *)(uintptr_t)in->values[i];
    }
    return alm_config_load(options, OPTION_COUNT, argc, argv, ret, st);
}

#define LOAD_OK(config, ...)                                                                       \
    do {                                                                                           \
        alm_status st_ = ALM_STATUS_INIT;                                                          \
        if (load(&(args){{__VA_ARGS__}}, (config), &st_) != ALM_OK) {                              \
            fail_msg("%s", st_.message);                                                           \
        }                                                                                          \
    } while (0)

static char file_path[64];

// The next load's --config is file_path.
static void write_file(const char *text, size_t len)
{
    (void)snprintf(file_path, sizeof file_path, "/tmp/config_test.XXXXXX");
    int fd = mkstemp(file_path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static int clean(void **state)
{
    (void)state;
    unlink(file_path);
    static const char *const names[] = {"ALMANAC_DATA_DIR", "ALMANAC_PORT",   "ALMANAC_PEER",
                                        "ALMANAC_FSYNC",    "ALMANAC_CONFIG", "ALMANAC_HELP",
                                        "ALMANAC_TOKEN",    "ALMANAC_CACHE"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(names); i++) {
        unsetenv(names[i]);
    }
    return 0;
}

static void defaults_hold(void **state)
{
    (void)state;
    alm_config *config;
    LOAD_OK(&config, NULL);
    assert_string_equal(alm_config_text(config, "data-dir"), "/var/lib");
    assert_int_equal(alm_config_int(config, "port"), 7100);
    assert_int_equal(alm_config_int(config, "cache"), 16 << 20);
    assert_int_equal(alm_config_int(config, "wait"), 5000);
    assert_int_equal(alm_config_int(config, "offset"), 0);
    assert_null(alm_config_text(config, "offset"));
    assert_false(alm_config_bool(config, "verbose"));
    assert_true(alm_config_bool(config, "fsync"));
    assert_false(alm_config_is_set(config, "port"));
    assert_false(alm_config_is_given(config, "port"));
    const char *const *values;
    assert_int_equal(alm_config_values(config, "peer", &values), 0);
    assert_int_equal(alm_config_positional(config, &values), 0);
    assert_false(alm_config_wants_help(config) || alm_config_wants_version(config) ||
                 alm_config_wants_print(config));
    alm_config_destroy(&config);
    assert_null(config);
    alm_config_destroy(&config);
}

static void reads_every_form_of_a_flag(void **state)
{
    (void)state;
    alm_config *config;
    const char *const *values;
    LOAD_OK(&config, "--data-dir", "/a", "--port=1", "--no-fsync", "-v", "x", "-e1", "--peer=");
    assert_string_equal(alm_config_text(config, "data-dir"), "/a");
    assert_int_equal(alm_config_int(config, "port"), 1);
    assert_false(alm_config_bool(config, "fsync"));
    assert_true(alm_config_bool(config, "verbose"));
    assert_true(alm_config_is_set(config, "port"));
    assert_true(alm_config_is_given(config, "port"));
    assert_int_equal(alm_config_values(config, "peer", &values), 2);
    assert_string_equal(values[0], "1");
    assert_string_equal(values[1], "");
    assert_int_equal(alm_config_positional(config, &values), 1);
    assert_string_equal(values[0], "x");
    alm_config_destroy(&config);

    LOAD_OK(&config, "-vfp", "9", "-", "--", "-p", "--help");
    assert_true(alm_config_bool(config, "verbose") && alm_config_bool(config, "fsync"));
    assert_int_equal(alm_config_int(config, "port"), 9);
    assert_false(alm_config_wants_help(config));
    assert_int_equal(alm_config_positional(config, &values), 3);
    assert_string_equal(values[0], "-");
    assert_string_equal(values[1], "-p");
    assert_string_equal(values[2], "--help");
    alm_config_destroy(&config);

    LOAD_OK(&config, "--verbose=no", "--port", "2", "-p02", "--offset", "-5", "--peer=--x");
    assert_false(alm_config_bool(config, "verbose"));
    assert_int_equal(alm_config_int(config, "port"), 2);
    assert_int_equal(alm_config_int(config, "offset"), -5);
    assert_string_equal(alm_config_text(config, "peer"), "--x");
    alm_config_destroy(&config);
}

static void flag_beats_environment_beats_file_beats_default(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf# ours\r\n\r\n  port = 2\r\ndata-dir=/file\n"
                               "peer = c\npeer = d e\nfsync = off\ncache = 1k";
    write_file(text, sizeof text - 1);
    setenv("ALMANAC_CONFIG", file_path, 1);
    setenv("ALMANAC_DATA_DIR", " /env ", 1);
    setenv("ALMANAC_PORT", "3", 1);
    setenv("ALMANAC_CACHE", "", 1); // unset
    alm_config *config;
    const char *const *values;
    LOAD_OK(&config, "--port", "4");
    assert_int_equal(alm_config_int(config, "port"), 4);
    assert_string_equal(alm_config_text(config, "data-dir"), "/env");
    assert_int_equal(alm_config_int(config, "cache"), 1024);
    assert_int_equal(alm_config_int(config, "wait"), 5000);
    assert_false(alm_config_bool(config, "fsync"));
    assert_int_equal(alm_config_values(config, "peer", &values), 2);
    assert_string_equal(values[1], "d e");
    alm_config_destroy(&config);

    setenv("ALMANAC_PEER", "a  b", 1);
    LOAD_OK(&config, NULL);
    assert_int_equal(alm_config_int(config, "port"), 3);
    assert_int_equal(alm_config_values(config, "peer", &values), 2);
    assert_string_equal(values[0], "a");
    assert_string_equal(values[1], "b");
    alm_config_destroy(&config);
}

typedef struct value_row {
    const char *name;
    const char *option, *input;
    int64_t want; // -1: refused
} value_row;

static const value_row value_rows[] = {
    {"value: bytes", "cache", "64", 64},
    {"value: kilobytes", "cache", "4k", 4096},
    {"value: megabytes", "cache", "16M", 16 << 20},
    {"value: unit in the other case", "cache", "1g", 1 << 30},
    {"value: terabytes", "cache", "1T", INT64_C(1) << 40},
    {"value: bytes past the bound", "cache", "2T", -1},
    {"value: bytes past an int64", "cache", "9000000000T", -1},
    {"value: unknown byte unit", "cache", "4kb", -1},
    {"value: unit alone", "cache", "k", -1},
    {"value: negative bytes", "cache", "-1k", -1},
    {"value: fraction of bytes", "cache", "1.5k", -1},
    {"value: milliseconds", "wait", "250ms", 250},
    {"value: seconds", "wait", "5s", 5000},
    {"value: minutes", "wait", "2m", 120000},
    {"value: hours", "wait", "1h", 3600000},
    {"value: zero needs no unit", "wait", "0", 0},
    {"value: duration without unit", "wait", "5", -1},
    {"value: duration with space", "wait", "5 s", -1},
    {"value: least port", "port", "1", 1},
    {"value: greatest port", "port", "65535", 65535},
    {"value: port past the bound", "port", "65536", -1},
    {"value: port below the bound", "port", "0", -1},
    {"value: not a number", "port", "http", -1},
    {"value: empty number", "port", "", -1},
    {"value: past an int64", "offset", "9223372036854775808", -1},
};

static void reads_values(void **state)
{
    const value_row *row = *state;
    char flag[64];
    (void)snprintf(flag, sizeof flag, "--%s=%s", row->option, row->input);
    alm_config *config = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = load(&(args){{flag}}, &config, &st);
    if (row->want < 0) {
        assert_int_equal(code, ALM_INVALID_ARGUMENT);
        assert_null(config);
        assert_string_equal(st.field, row->option);
        assert_true(alm_str_starts_with(alm_str_from(st.message), ALM_STR("--")));
        assert_true(alm_str_find(alm_str_from(st.message), alm_str_from(row->input)) != SIZE_MAX);
    } else {
        assert_int_equal(code, ALM_OK);
        assert_true(alm_config_int(config, row->option) == row->want);
        alm_config_destroy(&config);
    }
}

typedef struct wrong_row {
    const char *name;
    args in;
    const char *message;
} wrong_row;

static const wrong_row wrong_rows[] = {
    {"flag: unknown", {{"--nothing"}}, "unknown flag --nothing; --help lists them"},
    {"flag: a slip", {{"--data-dri", "/x"}}, "unknown flag --data-dri; did you mean --data-dir"},
    {"flag: unknown with value", {{"--prot=1"}}, "unknown flag --prot; did you mean --port"},
    {"flag: unknown letter", {{"-vz"}}, "unknown flag -z; --help lists them"},
    {"flag: no value", {{"--port"}}, "--port needs a value: --port N"},
    {"flag: no value for a letter", {{"-p"}}, "-p needs a value: --port N"},
    {"flag: flag in place of a value",
     {{"--data-dir", "--port"}},
     "--data-dir needs a value before --port; write --data-dir=--port if that is it"},
    {"flag: no- with a value", {{"--no-fsync=true"}}, "unknown flag --no-fsync; --help lists them"},
    {"flag: no- of a text", {{"--no-port"}}, "unknown flag --no-port; --help lists them"},
    {"flag: bool of another word", {{"--fsync=maybe"}}, "--fsync: \"maybe\" is not true or false"},
    {"flag: bounds", {{"-p70000"}}, "-p: 70000 is not within 1..65535"},
    {"flag: two values", {{"--port", "1", "-p2"}}, "--port is given twice: 1 and 2"},
    {"flag: two values of a switch",
     {{"--fsync", "--no-fsync"}},
     "--fsync is given twice: true and false"},
    {"flag: two values of a secret", {{"--token=a", "--token=b"}}, "--token is given twice"},
    {"flag: empty name", {{"--=1"}}, "unknown flag --; --help lists them"},
};

static void names_a_wrong_flag(void **state)
{
    const wrong_row *row = *state;
    alm_config *config = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(load(&row->in, &config, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.message, row->message);
    assert_null(config);
}

typedef struct file_row {
    const char *name;
    const char *text;
    const char *message; // behind the path
} file_row;

static const file_row file_rows[] = {
    {"file: unknown key", "port = 1\nprot = 2\n", ":2: unknown key prot; did you mean port"},
    {"file: unknown key, nothing near", "colour = red", ":1: unknown key colour"},
    {"file: no equals", "\n# x\nport 1", ":3: \"port 1\" is not of the form key = value"},
    {"file: twice", "port=1\nport=2", ":2: port is already set in line 1"},
    {"file: bounds", "port = 0", ":1: port: 0 is not within 1..65535"},
    {"file: no value", "port =", ":1: port: \"\" is not a whole number"},
    {"file: no key", "= 1", ":1: unknown key "},
    {"file: config in itself", "config = x", ":1: unknown key config"},
    {"file: help", "help = true", ":1: unknown key help"},
    {"file: not UTF-8", "data-dir = /\xff",
     ":1: byte 0xff in column 13 is neither UTF-8 text nor a tab"},
    {"file: control", "data-dir = \x1b",
     ":1: byte 0x1b in column 12 is neither UTF-8 text nor a tab"},
    {"file: comment behind a value", "port = 1 # one",
     ":1: port: \"1 # one\" is not a whole number"},
};

static void names_a_wrong_line(void **state)
{
    const file_row *row = *state;
    write_file(row->text, strlen(row->text));
    alm_config *config = NULL;
    alm_status st = ALM_STATUS_INIT;
    // The flag would win, yet the file is wrong and says so.
    alm_code code = load(&(args){{"--config", file_path, "--port", "5"}}, &config, &st);
    assert_int_equal(code, ALM_INVALID_ARGUMENT);
    char want[256];
    (void)snprintf(want, sizeof want, "%s%s", file_path, row->message);
    assert_string_equal(st.message, want);
    clean(NULL);
}

static void refuses_a_missing_a_strange_and_a_huge_file(void **state)
{
    (void)state;
    alm_config *config = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(load(&(args){{"--config=/nowhere/x.conf"}}, &config, &st), ALM_NOT_FOUND);
    assert_int_equal(st.code, ALM_NOT_FOUND);
    assert_string_equal(st.message, "cannot read the configuration: /nowhere/x.conf: "
                                    "No such file or directory");
    assert_int_equal(load(&(args){{"--config=/tmp"}}, &config, &st), ALM_NOT_FOUND);
    assert_int_equal(load(&(args){{"--config=/dev/zero"}}, &config, &st), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "1048576"));
    write_file("a\0b = 1", 7);
    assert_int_equal(load(&(args){{"--config", file_path}}, &config, NULL), ALM_INVALID_ARGUMENT);
    write_file("", 0);
    LOAD_OK(&config, "--config", file_path);
    alm_config_destroy(&config);
}

static void names_a_wrong_variable(void **state)
{
    (void)state;
    alm_config *config = NULL;
    alm_status st = ALM_STATUS_INIT;
    setenv("ALMANAC_PORT", "x", 1);
    assert_int_equal(load(&(args){{"--port", "1"}}, &config, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.message, "ALMANAC_PORT: \"x\" is not a whole number");
}

static void answers_help_whatever_else_is_wrong(void **state)
{
    (void)state;
    setenv("ALMANAC_PORT", "x", 1);
    setenv("ALMANAC_CONFIG", "/nowhere", 1);
    alm_config *config;
    LOAD_OK(&config, "-h");
    assert_true(alm_config_wants_help(config));
    alm_config_destroy(&config);
    LOAD_OK(&config, "--version");
    assert_true(alm_config_wants_version(config));
    alm_config_destroy(&config);
    clean(NULL);
    setenv("ALMANAC_HELP", "true", 1);
    LOAD_OK(&config, "--print-config");
    assert_false(alm_config_wants_help(config));
    assert_true(alm_config_wants_print(config));
    alm_config_destroy(&config);
}

// Runs a print function into memory and gives its text.
static char printed[8192];
static void print_help(FILE *out, void *arg)
{
    (void)arg;
    alm_config_print_help(options, OPTION_COUNT, out);
}

static void print_config(FILE *out, void *arg)
{
    alm_config_print(arg, out);
}

static void capture(void (*print)(FILE *out, void *arg), void *arg)
{
    FILE *out = fmemopen(printed, sizeof printed, "w");
    assert_non_null(out);
    print(out, arg);
    fclose(out);
}

static void prints_help_in_columns(void **state)
{
    (void)state;
    capture(print_help, NULL);
    assert_string_equal(
        printed,
        "      --data-dir DIR  keeps data in DIR (default /var/lib; ALMANAC_DATA_DIR)\n"
        "  -p, --port N        listens at port N (default 7100; ALMANAC_PORT)\n"
        "      --offset VALUE  any number (ALMANAC_OFFSET)\n"
        "      --cache VALUE   (default 16M; ALMANAC_CACHE)\n"
        "      --wait VALUE    (default 5s; ALMANAC_WAIT)\n"
        "  -v, --verbose       says more (ALMANAC_VERBOSE)\n"
        "  -f, --[no-]fsync    (default true; ALMANAC_FSYNC)\n"
        "  -e, --peer URL...   (ALMANAC_PEER)\n"
        "      --token VALUE   (ALMANAC_TOKEN)\n"
        "      --config FILE   read settings from FILE, lines of key = value (ALMANAC_CONFIG)\n"
        "  -h, --help          show this help\n"
        "      --version       show the version\n"
        "      --print-config  show every setting and where it came from\n");
}

static void breaks_help_that_is_too_wide(void **state)
{
    (void)state;
    static const alm_option wide[] = {
        {.name = "an-option-with-a-rather-long-name", .placeholder = "SOMETHING", .help = "short"},
        {.name = "x",
         .fallback = "a-default-that-is-quite-long-as-well-and-will-not-fit",
         .help = "a help text of some length that leaves too little room for what follows"},
    };
    FILE *out = fmemopen(printed, sizeof printed, "w");
    alm_config_print_help(wide, 2, out);
    fclose(out);
    assert_true(alm_str_starts_with(
        alm_str_from(printed),
        ALM_STR("      --an-option-with-a-rather-long-name SOMETHING\n"
                "                      short (ALMANAC_AN_OPTION_WITH_A_RATHER_LONG_NAME)\n"
                "      --x VALUE       a help text of some length that leaves too little room for "
                "what follows\n"
                "                      (default a-default-that-is-quite-long-as-well-and-will-not-"
                "fit; ALMANAC_X)\n")));
}

static void prints_what_it_can_load_again(void **state)
{
    (void)state;
    alm_config *config;
    setenv("ALMANAC_FSYNC", "0", 1);
    LOAD_OK(&config, "-p5", "-ea", "-e", "b c", "--token=hush", "--data-dir", "a\nport = 6");
    capture(print_config, config);
    alm_config_destroy(&config);
    assert_string_equal(printed, "# from the command line\n"
                                 "# data-dir holds bytes that a file cannot\n"
                                 "port = 5\n"
                                 "peer = a\n"
                                 "peer = b c\n"
                                 "# token is set and not shown\n"
                                 "# from the environment\n"
                                 "fsync = 0\n"
                                 "# defaults\n"
                                 "cache = 16M\n"
                                 "wait = 5s\n"
                                 "# not set\n"
                                 "# offset =\n"
                                 "# verbose =\n");

    char text[sizeof printed];
    memcpy(text, printed, sizeof text);
    clean(NULL);
    write_file(text, strlen(text));
    LOAD_OK(&config, "--config", file_path);
    capture(print_config, config);
    assert_int_equal(alm_config_int(config, "port"), 5);
    assert_false(alm_config_bool(config, "fsync"));
    assert_string_equal(alm_config_text(config, "peer"), "b c");
    alm_config_destroy(&config);
}

// The n-th allocation fails, for every n until there is none left to fail.
static void survives_any_allocation_failure(void **state)
{
    (void)state;
    static const char text[] = "peer = a\npeer = b\ndata-dir = /x\n";
    write_file(text, sizeof text - 1);
    uint64_t n = 1;
    for (;; n++) {
        alm_config *config = NULL;
        alm_status st = ALM_STATUS_INIT;
        (void)alm_alloc_fail_at(n, 0);
        alm_code code = load(&(args){{"x", "-v", "--config", file_path}}, &config, &st);
        uint64_t made = alm_alloc_fail_at(0, 0);
        if (made < n) {
            assert_int_equal(code, ALM_OK);
            alm_config_destroy(&config);
            break;
        }
        assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
        assert_int_equal(st.code, ALM_RESOURCE_EXHAUSTED);
        assert_null(config);
    }
    assert_true(n > 3);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, clean, clean)
#define ROWS(rows, test)                                                                           \
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {                                             \
        tests[count++] = (struct CMUnitTest){.name = rows[i].name,                                 \
                                             .test_func = test,                                    \
                                             .initial_state = (void *)(uintptr_t)&rows[i]};        \
    }

int main(void)
{
    struct CMUnitTest tests[128] = {
        CASE(defaults_hold),
        CASE(reads_every_form_of_a_flag),
        CASE(flag_beats_environment_beats_file_beats_default),
        CASE(refuses_a_missing_a_strange_and_a_huge_file),
        CASE(names_a_wrong_variable),
        CASE(answers_help_whatever_else_is_wrong),
        CASE(prints_help_in_columns),
        CASE(breaks_help_that_is_too_wide),
        CASE(prints_what_it_can_load_again),
        CASE(survives_any_allocation_failure),
    };
    size_t count = 10;
    ROWS(value_rows, reads_values)
    ROWS(wrong_rows, names_a_wrong_flag)
    ROWS(file_rows, names_a_wrong_line)
    return _cmocka_run_group_tests("config", tests, count, NULL, NULL);
}
