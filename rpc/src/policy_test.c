// Policies as files and texts: who is admitted, what is refused and how the file is changed.
#include "alm/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define KEY_A "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define KEY_B "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define HASH  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

typedef struct row {
    const char *text, *says;
} row;

static const row bad[] = {
    {"kez " KEY_A " reader a", "p:1: expected `key` or `token`, found `kez`"},
    {"\n#x\nkey abc reader a", "p:3: expected a public key"},
    {"key " KEY_A " boss a", "expected a role: reader, writer, admin or service, found `boss`"},
    {"key " KEY_A " none a", "expected a role"},
    {"key " KEY_A " reader", "expected a name: 1 to 63 of A-Z a-z 0-9 . _ - @, found the end"},
    {"key " KEY_A " reader a/b", "found `a/b`"},
    {"key " KEY_A " reader a until 2026-01-01", "expected the end of the line, found `until`"},
    {"token " HASH " reader a until 2026-02-29", "expected a day as 2026-11-24"},
    {"token abc reader a", "64 hexadecimal digits"},
    {"key " KEY_A " reader a\nkey " KEY_A " reader b", "p:2: this key stands in line 1 too"},
    {"token " HASH " reader a\ntoken " HASH " reader b", "p:2: this token stands in line 1 too"},
    {"key " KEY_A " reader a\nkey " KEY_B " admin a", "a name has one role"},
};

static void refuses(void **state)
{
    const row *want = *state;
    alm_policy *policy = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_policy_parse(alm_str_from(want->text), "p", &policy, &st),
                     ALM_INVALID_ARGUMENT);
    if (strstr(st.message, want->says) == NULL) {
        fail_msg("'%s' does not say '%s'", st.message, want->says);
    }
}

static void admits_keys(void **state)
{
    (void)state;
    alm_policy *policy = NULL;
    const char *text = "# who\n key " KEY_A " service storage \r\nkey " KEY_B " reader ann";
    assert_int_equal(alm_policy_parse(alm_str_from(text), "p", &policy, NULL), ALM_OK);
    uint8_t key[ALM_CURVE_KEY_BYTES];
    char user[ALM_USER_BYTES_MAX];
    alm_role role = ALM_ROLE_NONE;
    assert_true(alm_key_from_text(ALM_STR(KEY_B), key));
    assert_true(alm_policy_admit_key(policy, key, user, &role));
    assert_string_equal(user, "ann");
    assert_int_equal(role, ALM_ROLE_READER);
    assert_int_equal(alm_policy_role_of(policy, ALM_STR("storage")), ALM_ROLE_SERVICE);
    assert_int_equal(alm_policy_role_of(policy, ALM_STR("bob")), ALM_ROLE_NONE);
    key[31] ^= 1;
    assert_false(alm_policy_admit_key(policy, key, user, &role));
    alm_policy_destroy(&policy);
}

static void says_what_it_has(void **state)
{
    (void)state;
    const char *const texts[] = {"", "key " KEY_A " service a\n", "token " HASH " reader t\n",
                                 "token " HASH " reader t\nkey " KEY_A " service a\n"};
    for (unsigned i = 0; i < ALM_ARRAY_LEN(texts); i++) {
        alm_policy *policy = NULL;
        assert_int_equal(alm_policy_parse(alm_str_from(texts[i]), "p", &policy, NULL), ALM_OK);
        assert_int_equal(alm_policy_has_keys(policy), i % 2 == 1);
        assert_int_equal(alm_policy_has_tokens(policy), i >= 2);
        alm_policy_destroy(&policy);
    }
}

static void keeps_days(void **state)
{
    (void)state;
    int32_t day = -1;
    assert_true(alm_day_from_text(ALM_STR("1970-01-01"), &day));
    assert_int_equal(day, 0);
    assert_true(alm_day_from_text(ALM_STR("2026-11-24"), &day));
    assert_int_equal(day, 20781);
    assert_false(alm_day_from_text(ALM_STR("2100-02-29"), &day));
    int32_t last = 0;
    assert_true(alm_day_from_text(ALM_STR("9999-12-31"), &last));
    for (int32_t i = 0; i <= last; i++) {
        char text[ALM_DATE_TEXT_BYTES];
        alm_day_to_text(i, text);
        assert_true(alm_day_from_text(alm_str_from(text), &day));
        assert_int_equal(day, i);
    }
}

typedef struct place {
    char folder[32], policy[64], key[64], public[64];
} place;

static int make_place(void **state)
{
    static place at;
    snprintf(at.folder, sizeof at.folder, "/tmp/alm-policy-XXXXXX");
    assert_non_null(mkdtemp(at.folder));
    snprintf(at.policy, sizeof at.policy, "%s/policy", at.folder);
    snprintf(at.key, sizeof at.key, "%s/key", at.folder);
    snprintf(at.public, sizeof at.public, "%s/key.pub", at.folder);
    *state = &at;
    return 0;
}

static int drop_place(void **state)
{
    const place *at = *state;
    unlink(at->policy);
    unlink(at->key);
    unlink(at->public);
    return rmdir(at->folder); // fails if a file was left behind
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void admits_a_token_until_its_day(void **state)
{
    const place *at = *state;
    char token[ALM_TOKEN_TEXT_BYTES], user[ALM_USER_BYTES_MAX];
    assert_int_equal(alm_token_generate(token, NULL), ALM_OK);
    assert_int_equal(strlen(token), ALM_TOKEN_TEXT_BYTES - 1);
    alm_policy_entry entry = {.is_token = true, .role = ALM_ROLE_WRITER, .name = "feed"};
    entry.until_day = 100;
    alm_token_hash(alm_str_from(token), entry.id);
    assert_int_equal(alm_policy_add(at->policy, &entry, NULL), ALM_OK);
    assert_int_equal(alm_policy_add(at->policy, &entry, NULL), ALM_INVALID_ARGUMENT); // twice
    alm_policy *policy = NULL;
    assert_int_equal(alm_policy_load(at->policy, &policy, NULL), ALM_OK);
    alm_role role = ALM_ROLE_NONE;
    assert_true(alm_policy_admit_token(policy, alm_str_from(token), 100, user, &role));
    assert_int_equal(role, ALM_ROLE_WRITER);
    assert_false(alm_policy_admit_token(policy, alm_str_from(token), 101, user, &role));
    size_t count = 0;
    assert_int_equal(alm_policy_revoke_tokens(at->policy, ALM_STR("feed"), &count, NULL), ALM_OK);
    assert_int_equal(count, 1);
    assert_true(alm_policy_admit_token(policy, alm_str_from(token), 1, user, &role));
    assert_int_equal(alm_policy_reload(policy, NULL), ALM_OK);
    assert_false(alm_policy_admit_token(policy, alm_str_from(token), 1, user, &role));
    assert_int_equal(alm_policy_revoke_tokens(at->policy, ALM_STR("feed"), &count, NULL),
                     ALM_NOT_FOUND);
    alm_policy_destroy(&policy);
}

// What is no name in the file is none on its way there: else it could bring an entry of its own.
static void adds_no_more_than_one_entry(void **state)
{
    const place *at = *state;
    static const char two_lines[] = "a\nkey " KEY_B " admin b";
    static const char *const names[] = {"",    "a b", "a\tb", "a\r",  two_lines,
                                        "a/b", "#a",  "a\n",  "地区", "a until 9999-12-31"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(names); i++) {
        alm_status st = ALM_STATUS_INIT;
        alm_policy_entry entry = {.role = ALM_ROLE_READER, .until_day = ALM_DAY_NEVER};
        assert_true(alm_key_from_text(ALM_STR(KEY_A), entry.id));
        snprintf(entry.name, sizeof entry.name, "%s", names[i]);
        assert_int_equal(alm_policy_add(at->policy, &entry, &st), ALM_INVALID_ARGUMENT);
        assert_string_equal(st.field, "name");
        assert_int_equal(access(at->policy, F_OK), -1);
    }
}

static void keeps_the_old_policy_when_the_new_is_bad(void **state)
{
    const place *at = *state;
    put(at->policy, "key " KEY_A " admin ann\n");
    alm_policy *policy = NULL;
    assert_int_equal(alm_policy_load(at->policy, &policy, NULL), ALM_OK);
    put(at->policy, "key " KEY_A " boss ann\n");
    assert_int_equal(alm_policy_reload(policy, NULL), ALM_INVALID_ARGUMENT);
    assert_int_equal(alm_policy_role_of(policy, ALM_STR("ann")), ALM_ROLE_ADMIN);
    assert_int_equal(chmod(at->policy, 0666), 0);
    assert_int_equal(alm_policy_reload(policy, NULL), ALM_PERMISSION_DENIED);
    alm_policy_destroy(&policy);
}

static void keeps_a_key_to_its_owner(void **state)
{
    const place *at = *state;
    alm_keypair pair, back;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_keypair_generate(&pair, NULL), ALM_OK);
    assert_int_equal(alm_keypair_save(&pair, at->key, NULL), ALM_OK);
    assert_int_equal(alm_keypair_save(&pair, at->key, NULL), ALM_ALREADY_EXISTS);
    struct stat about;
    assert_int_equal(stat(at->key, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_int_equal(alm_keypair_load(at->key, &back, NULL), ALM_OK);
    assert_memory_equal(&back, &pair, sizeof pair);
    uint8_t public[ALM_CURVE_KEY_BYTES];
    assert_int_equal(alm_public_key_load(at->public, public, NULL), ALM_OK);
    assert_memory_equal(public, pair.public_key, sizeof public);
    assert_int_equal(chmod(at->key, 0640), 0);
    assert_int_equal(alm_keypair_load(at->key, &back, &st), ALM_PERMISSION_DENIED);
    assert_non_null(strstr(st.message, "0640"));
}

static void refuses_halves_of_two_pairs(void **state)
{
    (void)state;
    alm_keypair pair;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(
        alm_keypair_parse(ALM_STR("public " KEY_A "\nsecret " KEY_B "\n"), "k", &pair, &st),
        ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "one pair"));
    assert_null(strstr(st.message, KEY_B));
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, drop_place)

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(bad)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(bad); i++) {
        tests[i] = (struct CMUnitTest){
            .name = bad[i].says, .test_func = refuses, .initial_state = (void *)(uintptr_t)&bad[i]};
    }
    const struct CMUnitTest more[] = {
        cmocka_unit_test(admits_keys),
        cmocka_unit_test(says_what_it_has),
        cmocka_unit_test(keeps_days),
        cmocka_unit_test(refuses_halves_of_two_pairs),
        IN_PLACE(admits_a_token_until_its_day),
        IN_PLACE(adds_no_more_than_one_entry),
        IN_PLACE(keeps_the_old_policy_when_the_new_is_bad),
        IN_PLACE(keeps_a_key_to_its_owner),
    };
    int failed = cmocka_run_group_tests_name("policy lines", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("policy", more, NULL, NULL);
}
