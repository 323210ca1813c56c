// Watches of many descriptors: what is told, to whom, and what is not told any more.
#include "io.h"

#include "alm/alloc.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static alm_io *open_io(void)
{
    alm_io *io = NULL;
    alm_clock clock = alm_clock_system();
    assert_int_equal(alm_io_create(&lock, &clock, true, &io, NULL), ALM_OK);
    return io;
}

typedef struct line {
    int ours, theirs;
} line;

static line open_line(void)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    return (line){.ours = fds[0], .theirs = fds[1]};
}

static void close_line(line *l)
{
    close(l->ours);
    close(l->theirs);
}

static void say(const line *l)
{
    assert_int_equal(send(l->theirs, "x", 1, 0), 1);
}

static bool is_told(alm_io *io, size_t watch)
{
    (void)alm_io_turn(io, 0);
    return alm_io_take_ready(io, watch);
}

// Takes what was told, which is of these tags in this order.
static void expect_tags(alm_io *io, size_t watch, const uint32_t *tags, size_t count)
{
    static alm_io_told told;
    assert_int_equal(is_told(io, watch), count > 0);
    alm_io_take_told(io, watch, &told);
    assert_int_equal(told.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(told.events[i].tag, tags[i]);
        assert_true((told.events[i].events & EPOLLIN) != 0);
    }
    assert_false(told.is_lossy);
}

static void each_is_told_under_its_tag_and_once(void **state)
{
    (void)state;
    alm_io *io = open_io();
    line a = open_line(), b = open_line();
    size_t first = 0, second = 0;
    alm_io_watch_many(io, &first);
    alm_io_watch_many(io, &second);
    assert_true(first != 0 && second != 0 && first != second);
    assert_true(is_told(io, first)); // it is not known yet
    assert_true(is_told(io, second));
    assert_true(alm_io_watch_fd(io, first, a.ours, EPOLLIN, UINT32_MAX));
    assert_true(alm_io_watch_fd(io, second, b.ours, EPOLLIN, 0));
    expect_tags(io, first, NULL, 0);
    say(&a);
    say(&b);
    expect_tags(io, first, (const uint32_t[]){UINT32_MAX}, 1);
    expect_tags(io, second, (const uint32_t[]){0}, 1);
    expect_tags(io, first, NULL, 0); // though nobody read it
    assert_true(alm_io_watch_fd(io, first, a.ours, EPOLLIN, 7));
    expect_tags(io, first, (const uint32_t[]){7}, 1); // for it was watched anew
    alm_io_unwatch(io, &first);
    alm_io_unwatch(io, &second);
    close_line(&a);
    close_line(&b);
    alm_io_destroy(&io);
}

// A descriptor that outlives its watch, here because it is still open, tells the next nothing.
static void the_next_watch_is_not_told_what_was_the_last_ones(void **state)
{
    (void)state;
    alm_io *io = open_io();
    line old = open_line(), other = open_line();
    size_t before = 0, watch = 0;
    alm_io_watch_many(io, &before);
    size_t slot = before;
    assert_true(alm_io_watch_fd(io, before, old.ours, EPOLLIN, 5));
    alm_io_unwatch(io, &before);
    assert_int_equal(before, 0);
    alm_io_watch_many(io, &watch);
    assert_int_equal(watch, slot);
    assert_true(is_told(io, watch));
    say(&old);
    expect_tags(io, watch, NULL, 0);
    assert_true(alm_io_watch_fd(io, watch, other.ours, EPOLLIN, 6));
    say(&other);
    expect_tags(io, watch, (const uint32_t[]){6}, 1);
    alm_io_unwatch(io, &watch);
    close_line(&old);
    close_line(&other);
    alm_io_destroy(&io);
}

static void more_than_is_kept_is_said_to_be_more(void **state)
{
    (void)state;
    static alm_io_told told;
    static line lines[ALM_IO_TOLD_COUNT_MAX + 1];
    alm_io *io = open_io();
    size_t watch = 0;
    alm_io_watch_many(io, &watch);
    for (uint32_t i = 0; i < ALM_ARRAY_LEN(lines); i++) {
        lines[i] = open_line();
        assert_true(alm_io_watch_fd(io, watch, lines[i].ours, EPOLLIN, i));
        say(&lines[i]);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(lines); i++) {
        (void)alm_io_turn(io, 0); // each hears of some
    }
    alm_io_take_told(io, watch, &told);
    assert_int_equal(told.count, ALM_IO_TOLD_COUNT_MAX);
    assert_true(told.is_lossy);
    alm_io_take_told(io, watch, &told);
    assert_true(told.count == 0 && !told.is_lossy);
    alm_io_unwatch(io, &watch);
    for (size_t i = 0; i < ALM_ARRAY_LEN(lines); i++) {
        close_line(&lines[i]);
    }
    alm_io_destroy(&io);
}

// Without memory there is no watch, and nothing of it is left; what cannot be watched says so.
static void what_fails_leaves_nothing(void **state)
{
    (void)state;
    alm_io *io = open_io();
    size_t watch = 0;
    uint64_t n = 1;
    for (; watch == 0; n++) {
        (void)alm_alloc_fail_at(n, 0);
        alm_io_watch_many(io, &watch);
        (void)alm_alloc_fail_at(0, 0);
    }
    assert_int_equal(n, 4); // what is told, the table, and then it works
    assert_false(alm_io_watch_fd(io, watch, -1, EPOLLIN, 0));
    alm_io_unwatch(io, &watch);
    alm_io_destroy(&io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_told_under_its_tag_and_once),
        cmocka_unit_test(the_next_watch_is_not_told_what_was_the_last_ones),
        cmocka_unit_test(more_than_is_kept_is_said_to_be_more),
        cmocka_unit_test(what_fails_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
