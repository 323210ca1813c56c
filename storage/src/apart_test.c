// Verify in a process of its own: what it finds comes back, and its death is a finding.
#include "apart.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

typedef struct found {
    uint64_t count;
    char last[ALM_STATUS_MESSAGE_MAX];
} found;

static void note(void *arg, alm_str problem)
{
    found *f = arg;
    f->count++;
    snprintf(f->last, sizeof f->last, "%.*s", ALM_STR_ARGS(problem));
}

static alm_code die(void *arg, alm_problem problem, void *problem_arg, alm_verify_result *ret,
                    alm_status *st)
{
    (void)ret;
    (void)st;
    problem(problem_arg, ALM_STR("one before it"));
    raise(*(const int *)arg);
    return ALM_OK;
}

static void its_death_is_a_problem(void **state)
{
    int number = SIGBUS;
    found f = {0};
    alm_verify_result result;
    alm_apart apart = {.arg = &number, .check = die};
    (void)state;
    assert_int_equal(alm_apart_run(&apart, note, &f, &result, NULL), ALM_OK);
    assert_int_equal(result.problems, 2);
    assert_int_equal(f.count, 2);
    assert_string_equal(f.last, "the process that read it died by SIGBUS");
}

static alm_code find_many(void *arg, alm_problem problem, void *problem_arg, alm_verify_result *ret,
                          alm_status *st)
{
    (void)arg;
    for (ret->problems = 0; ret->problems < 5000; ret->problems++) {
        problem(problem_arg, ALM_STR("a problem"));
    }
    ret->cells = 7;
    return alm_status_set(st, ALM_NOT_FOUND, "there was more");
}

static void all_it_tells_comes_back(void **state)
{
    found f = {0};
    alm_verify_result result;
    alm_status st = ALM_STATUS_INIT;
    alm_apart apart = {.check = find_many};
    (void)state;
    assert_int_equal(alm_apart_run(&apart, note, &f, &result, &st), ALM_NOT_FOUND);
    assert_string_equal(st.message, "there was more");
    assert_int_equal(f.count, 5000);
    assert_int_equal(result.problems, 5000);
    assert_int_equal(result.cells, 7);
}

// --- folders -------------------------------------------------------------------------------------

static void fill(fixture *f)
{
    commit_catalog(f);
    for (int year = 1990; year < 2020; year++) {
        COMMIT_ROWS(f, a_row(0, 0, year, 5, 2), a_row(1, 1, year, 6, 2));
    }
}

static void a_folder_is_verified_as_the_live_store_is(void **state)
{
    fixture *f = *state;
    found problems = {0};
    alm_verify_result live, apart;
    fill(f);
    ASSERT_OK(f, alm_store_verify(f->store, NULL, NULL, &live, &f->st));
    assert_int_equal(alm_store_verify_dir(f->dir, NULL, note, &problems, &apart, &f->st),
                     ALM_FAILED_PRECONDITION); // it is open
    alm_store_close(&f->store);
    ASSERT_OK(f, alm_store_verify_dir(f->dir, NULL, note, &problems, &apart, &f->st));
    assert_int_equal(problems.count, 0);
    assert_int_equal(apart.observations, live.observations);
    assert_int_equal(apart.log_records, live.log_records);
    assert_int_equal(alm_store_verify_dir("/nowhere", NULL, note, &problems, &apart, &f->st),
                     ALM_NOT_FOUND);
    fixture_open(f);
}

// Wherever a page is overwritten: a status or problems, and never the end of this process.
static void damage_anywhere_is_survived(void **state)
{
    fixture *f = *state;
    char path[128];
    alm_store_stats stats;
    uint8_t page[4096], noise[4096];
    unsigned damaged = 0;
    fill(f);
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    alm_store_close(&f->store);
    snprintf(path, sizeof path, "%s/data.mdb", f->dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    memset(noise, 0xa5, sizeof noise);
    for (off_t at = 2 * 4096; at < (off_t)stats.bytes_used; at += 4096) {
        found problems = {0};
        alm_verify_result result;
        assert_int_equal(pread(fd, page, sizeof page, at), sizeof page);
        assert_int_equal(pwrite(fd, noise, sizeof noise, at), sizeof noise);
        alm_code code = alm_store_verify_dir(f->dir, NULL, note, &problems, &result, &f->st);
        damaged += code != ALM_OK || result.problems > 0;
        assert_int_equal(pwrite(fd, page, sizeof page, at), sizeof page);
    }
    close(fd);
    print_message("%u of %llu pages missed\n", damaged,
                  (unsigned long long)(stats.bytes_used / 4096));
    assert_true(damaged > 0);
    fixture_open(f);
    assert_verifies(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_death_is_a_problem),
        cmocka_unit_test(all_it_tells_comes_back),
        TEST(a_folder_is_verified_as_the_live_store_is),
        TEST(damage_anywhere_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
