// keys and token as they are typed: what they write, print and refuse, and what a failure leaves.
#include "cli.h"

#include "alm/auth.h"
#include "alm/clock.h"
#include "outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define ARGUMENT_MAX   16

#define RUN(done, ...) outcome_run(done, (const char *const[]){__VA_ARGS__, NULL}, NULL)

static void must_run(const char *const *args)
{
    outcome done;
    outcome_run(&done, args, NULL);
    if (done.exit_code != 0) {
        fail_msg("exit %d: %s", done.exit_code, done.err.text);
    }
    outcome_free(&done);
}

#define MUST_RUN(...) must_run((const char *const[]){__VA_ARGS__, NULL})

// Every test is in a folder of its own.
static char folder[32], home[512];

static int enter_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/alm-keys-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return chdir(folder);
}

static int leave_folder(void **state)
{
    (void)state;
    static const char *const files[] = {"a.key", "a.key.pub", "policy"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(files); i++) {
        unlink(files[i]);
    }
    return chdir(home) == 0 ? rmdir(folder) : -1; // fails if a file was left behind
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

static void read_policy(char *ret, size_t size)
{
    FILE *file = fopen("policy", "r");
    assert_non_null(file);
    ret[fread(ret, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void assert_says(const char *text, const char *words)
{
    if (strstr(text, words) == NULL) {
        fail_msg("'%s' does not say '%s'", text, words);
    }
}

// --- keys ----------------------------------------------------------------------------------------

static void a_new_key_is_shown(void **state)
{
    (void)state;
    outcome made, shown, of_public;
    RUN(&made, "keys", "new", "a.key");
    assert_int_equal(made.exit_code, 0);
    assert_string_equal(made.out.text, "");
    assert_string_equal(made.err.text, "a.key: keep it to yourself; a.key.pub is for others\n");
    RUN(&shown, "keys", "show", "a.key");
    RUN(&of_public, "keys", "show", "a.key.pub");
    assert_int_equal(shown.exit_code, 0);
    assert_int_equal(strlen(shown.out.text), ALM_KEY_TEXT_BYTES); // with a newline for the NUL
    assert_string_equal(of_public.out.text, shown.out.text);
    outcome_free(&made);
    outcome_free(&shown);
    outcome_free(&of_public);
}

static void a_key_is_not_written_over(void **state)
{
    (void)state;
    outcome before, again, after;
    MUST_RUN("keys", "new", "a.key");
    RUN(&before, "keys", "show", "a.key");
    RUN(&again, "keys", "new", "a.key");
    assert_int_equal(again.exit_code, 1);
    assert_says(again.err.text, "a.key is there already");
    RUN(&after, "keys", "show", "a.key");
    assert_string_equal(after.out.text, before.out.text);
    outcome_free(&before);
    outcome_free(&again);
    outcome_free(&after);
}

static void a_key_gets_its_line_of_the_policy(void **state)
{
    (void)state;
    outcome printed;
    char policy[512];
    RUN(&printed, "keys", "new", "a.key", "--role", "writer", "--name", "li");
    assert_int_equal(printed.exit_code, 0);
    assert_says(printed.out.text, " writer li\n");
    assert_false(is_there("policy"));
    unlink("a.key");
    unlink("a.key.pub");
    MUST_RUN("keys", "new", "a.key", "--role", "reader", "--name", "wang", "--policy", "policy");
    read_policy(policy, sizeof policy);
    assert_int_equal(strncmp(policy, "key ", 4), 0);
    assert_says(policy, " reader wang\n");
    outcome_free(&printed);
}

// What is mended can be tried again: neither file stands in the way.
static void a_key_that_the_policy_refuses_is_not_kept(void **state)
{
    (void)state;
    outcome refused;
    put("policy", "this is no policy\n");
    RUN(&refused, "keys", "new", "a.key", "--role", "reader", "--name", "li", "--policy", "policy");
    assert_int_equal(refused.exit_code, 2);
    assert_says(refused.err.text, "policy:1: expected `key` or `token`");
    assert_null(strstr(refused.err.text, "keep it"));
    assert_false(is_there("a.key"));
    assert_false(is_there("a.key.pub"));
    outcome_free(&refused);
}

// --- tokens --------------------------------------------------------------------------------------

static void a_token_is_told_once(void **state)
{
    (void)state;
    outcome done;
    char policy[512];
    RUN(&done, "token", "new", "--role", "reader", "--name", "robot", "--policy", "policy");
    assert_int_equal(done.exit_code, 0);
    assert_int_equal(strlen(done.out.text), ALM_TOKEN_TEXT_BYTES); // with a newline for the NUL
    assert_string_equal(done.err.text, "policy: robot is a reader now\n");
    read_policy(policy, sizeof policy);
    assert_int_equal(strncmp(policy, "token ", 6), 0);
    done.out.text[ALM_TOKEN_TEXT_BYTES - 1] = '\0';
    assert_null(strstr(policy, done.out.text));
    outcome_free(&done);
}

static void today_is_a_last_day_and_yesterday_is_not(void **state)
{
    (void)state;
    const alm_clock clock = alm_clock_system();
    char today[ALM_DATE_TEXT_BYTES], yesterday[ALM_DATE_TEXT_BYTES], policy[512];
    outcome good, bad;
    int32_t day;
    do { // again if midnight came in between
        day = alm_clock_today(&clock);
        alm_day_to_text(day, today);
        RUN(&good, "token", "new", "--role", "reader", "--name", "a", "--policy", "policy",
            "--until", today);
    } while (alm_clock_today(&clock) != day);
    assert_int_equal(good.exit_code, 0);
    read_policy(policy, sizeof policy);
    assert_says(policy, " reader a until ");
    alm_day_to_text(day - 1, yesterday);
    RUN(&bad, "token", "new", "--role", "reader", "--name", "a", "--until", yesterday);
    assert_int_equal(bad.exit_code, 2);
    assert_string_equal(bad.out.text, "");
    assert_says(bad.err.text, "that day is past, today is ");
    outcome_free(&good);
    outcome_free(&bad);
}

#define HASH_A "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define HASH_B "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
#define KEY    "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

typedef struct list_row {
    const char *output, *lang, *want;
} list_row;

static void tokens_are_listed(void **state)
{
    (void)state;
    static const list_row rows[] = {
        {"table", "en", "Name   Role    Until\nfeed   writer\nrobot  reader  2026-12-31\n"},
        {"table", "zh", "名称   角色    有效至\nfeed   writer\nrobot  reader  2026-12-31\n"},
        {"csv", "en", "name,role,until\nfeed,writer,\nrobot,reader,2026-12-31\n"},
        {"json", "en",
         "{\"tokens\":[\n{\"name\":\"feed\",\"role\":\"writer\",\"until\":null},\n"
         "{\"name\":\"robot\",\"role\":\"reader\",\"until\":\"2026-12-31\"}]}\n"},
    };
    put("policy", "key " KEY " admin ann\ntoken " HASH_A " writer feed\n"
                  "token " HASH_B " reader robot until 2026-12-31\n");
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        outcome done;
        RUN(&done, "token", "list", "--policy", "policy", "-o", rows[i].output, "--lang",
            rows[i].lang);
        assert_int_equal(done.exit_code, 0);
        assert_string_equal(done.out.text, rows[i].want);
        outcome_free(&done);
    }
}

static void tokens_are_revoked(void **state)
{
    (void)state;
    outcome gone, again;
    char policy[512];
    put("policy", "key " KEY " admin feed\ntoken " HASH_A " admin feed\n# by hand\n"
                  "token " HASH_B " reader robot\n");
    RUN(&gone, "token", "revoke", "feed", "--policy", "policy");
    assert_int_equal(gone.exit_code, 0);
    assert_says(gone.err.text, "policy: no token of feed is good any more (1 revoked)");
    read_policy(policy, sizeof policy);
    assert_string_equal(policy,
                        "key " KEY " admin feed\n# by hand\ntoken " HASH_B " reader robot\n");
    RUN(&again, "token", "revoke", "feed", "--policy", "policy");
    assert_int_equal(again.exit_code, 3);
    assert_says(again.err.text, "feed has no token");
    outcome_free(&gone);
    outcome_free(&again);
}

// --- what is refused before anything is made -----------------------------------------------------

typedef struct refusal {
    const char *args[ARGUMENT_MAX];
    const char *says;
} refusal;

static const char two_lines[] = "x\nkey " KEY " admin x";

#define NEW_TOKEN "token", "new", "--role", "reader", "--policy", "policy"

static const refusal refusals[] = {
    {{"keys", "new"}, "needs new|show FILE"},
    {{"keys", "new", "a.key", "--name", "x"}, "give --role"},
    {{"keys", "new", "a.key", "--role", "reader"}, "give --name"},
    {{"keys", "new", "a.key", "--policy", "policy"}, "give --role"},
    {{"keys", "new", "a.key", "--role", "king", "--name", "x"}, "reader|writer|admin|service"},
    {{"keys", "new", "a.key", "--role", "reader", "--name", "a b"}, "--name a b: expected a name"},
    {{NEW_TOKEN}, "give --name"},
    {{NEW_TOKEN, "--name", "x", "--until", "2026-13-01"}, "--until 2026-13-01: not a day"},
    {{NEW_TOKEN, "--name", "x", "--until", "1970-01-01"}, "1970-01-01: that day is past"},
    {{NEW_TOKEN, "--name", two_lines}, "expected a name: 1 to 63"},
    {{NEW_TOKEN, "--name", "0123456789012345678901234567890123456789012345678901234567890123"},
     "expected a name: 1 to 63"},
    {{"token", "list"}, "give --policy"},
    {{"token", "revoke", "--policy", "policy"}, "name whose"},
};

static void refuses(void **state)
{
    const refusal *row = *state;
    outcome done;
    outcome_run(&done, row->args, NULL);
    assert_int_equal(done.exit_code, 2);
    assert_string_equal(done.out.text, "");
    assert_says(done.err.text, row->says);
    const char *line_end = strchr(done.err.text, '\n');
    assert_true(line_end != NULL && line_end[1] == '\0'); // one line, whatever the name holds
    assert_false(is_there("a.key"));
    assert_false(is_there("policy"));
    outcome_free(&done);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, enter_folder, leave_folder)

// cmocka's setup has the state for itself, so a row's folder is made around its test.
static void refuses_in_folder(void **state)
{
    void *unused = NULL;
    assert_int_equal(enter_folder(&unused), 0);
    refuses(state);
    assert_int_equal(leave_folder(&unused), 0);
}

int main(void)
{
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    if (getcwd(home, sizeof home) == NULL) {
        return 1;
    }
    struct CMUnitTest rows[ALM_ARRAY_LEN(refusals)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(refusals); i++) {
        rows[i] = (struct CMUnitTest){.name = refusals[i].says,
                                      .test_func = refuses_in_folder,
                                      .initial_state = (void *)(uintptr_t)&refusals[i]};
    }
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_new_key_is_shown),
        IN_FOLDER(a_key_is_not_written_over),
        IN_FOLDER(a_key_gets_its_line_of_the_policy),
        IN_FOLDER(a_key_that_the_policy_refuses_is_not_kept),
        IN_FOLDER(a_token_is_told_once),
        IN_FOLDER(today_is_a_last_day_and_yesterday_is_not),
        IN_FOLDER(tokens_are_listed),
        IN_FOLDER(tokens_are_revoked),
    };
    int failed = cmocka_run_group_tests_name("refusals of keys and token", rows, NULL, NULL);
    return failed + cmocka_run_group_tests_name("keys and token", tests, NULL, NULL);
}
