// The arena: blocks keep their contents and never touch, limits hold to the byte, hooks run in
// reverse order, and any allocation may fail.
#include "alm/arena.h"

#include "alm/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#endif

static int set_up(void **state)
{
    *state = alm_arena_create(0);
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    alm_arena *arena = *state;
    (void)alm_alloc_fail_at(0, 0);
    alm_arena_destroy(&arena);
    assert_null(arena);
    alm_arena_destroy(&arena);
    return 0;
}

typedef struct block {
    uint8_t *data;
    size_t len;
    uint8_t fill;
} block;

static void assert_filled(const block *it)
{
    for (size_t i = 0; i < it->len; i++) {
        if (it->data[i] != it->fill) {
            fail_msg("byte %zu of a block of %zu was overwritten", i, it->len);
        }
    }
}

// Random sizes from nothing to megabytes, over several resets; every block is filled, and all are
// looked at again at the end of their round.
static void blocks_are_aligned_and_apart(void **state)
{
    alm_arena *arena = *state;
    const unsigned seed = 7;
    unsigned random = seed;
    static block blocks[2000];
    for (int round = 0; round < 5; round++) {
        size_t asked = 0;
        for (size_t i = 0; i < ALM_ARRAY_LEN(blocks); i++) {
            unsigned bits = (unsigned)rand_r(&random) % (i % 100 == 0 ? 22 : 11);
            blocks[i].len = (size_t)rand_r(&random) % (1u << bits);
            blocks[i].fill = (uint8_t)rand_r(&random);
            blocks[i].data = alm_arena_alloc(arena, blocks[i].len);
            assert_non_null(blocks[i].data);
            assert_int_equal((uintptr_t)blocks[i].data % 16, 0);
            memset(blocks[i].data, blocks[i].fill, blocks[i].len);
            asked += blocks[i].len;
        }
        for (size_t i = 0; i < ALM_ARRAY_LEN(blocks); i++) {
            assert_filled(&blocks[i]);
        }
        assert_true(alm_arena_used(arena) >= asked);
        assert_true(alm_arena_used(arena) <= asked + 16 * ALM_ARRAY_LEN(blocks));
        alm_arena_reset(arena);
        assert_int_equal(alm_arena_used(arena), 0);
    }
}

static void a_reset_keeps_one_chunk(void **state)
{
    alm_arena *arena = *state;
    for (int i = 0; i < 100; i++) {
        assert_non_null(alm_arena_alloc(arena, 3000));
    }
    assert_non_null(alm_arena_alloc(arena, 8 << 20)); // is given back
    alm_arena_reset(arena);
    (void)alm_alloc_fail_at(0, 0);
    for (int i = 0; i < 10; i++) {
        assert_non_null(alm_arena_alloc(arena, 3000));
    }
    assert_int_equal(alm_alloc_fail_at(0, 0), 0);
}

static void nothing_has_its_own_address(void **state)
{
    alm_arena *arena = *state;
    void *a = alm_arena_alloc(arena, 0);
    void *b = alm_arena_alloc(arena, 0);
    void *c = alm_arena_calloc(arena, 0, 8);
    assert_non_null(a);
    assert_non_null(c);
    assert_ptr_not_equal(a, b);
    assert_ptr_not_equal(b, c);
}

// What a limit of that many bytes lets through, in blocks of one size.
static size_t bytes_within(size_t limit, size_t block_size)
{
    alm_arena *arena = alm_arena_create(limit);
    assert_non_null(arena);
    size_t total = 0;
    while (alm_arena_alloc(arena, block_size) != NULL) {
        total += block_size;
    }
    assert_null(alm_arena_strdup(arena, (alm_str){.data = "", .len = SIZE_MAX}));
    alm_arena_destroy(&arena);
    return total;
}

static void holds_to_its_limit(void **state)
{
    (void)state;
    assert_int_equal(bytes_within(1, 1), 0);
    for (size_t limit = 4096; limit <= 8 << 20; limit *= 4) {
        for (size_t size = 16; size <= limit / 4; size *= 4) {
            size_t got = bytes_within(limit, size);
            assert_true(got < limit);
            // Half of the limit is had at least, whatever the chunks; the gaps of the sanitizer
            // build double a small block.
            assert_true(got * (size <= 64 ? 5 : 3) >= limit);
        }
    }
}

static void refuses_absurd_sizes(void **state)
{
    alm_arena *arena = *state;
    assert_null(alm_arena_alloc(arena, SIZE_MAX));
    assert_null(alm_arena_alloc(arena, SIZE_MAX - 15));
    assert_null(alm_arena_calloc(arena, SIZE_MAX / 2, 3));
    void *array = NULL;
    size_t cap = 0;
    assert_false(alm_arena_grow(arena, &array, &cap, SIZE_MAX / 4, 8));
    assert_null(array);
    assert_int_equal(cap, 0);
    // The arena is none the worse.
    assert_non_null(alm_arena_alloc(arena, 100));
}

static void zeroes_and_copies(void **state)
{
    alm_arena *arena = *state;
    memset(alm_arena_alloc(arena, 1000), 0xff, 1000);
    alm_arena_reset(arena);
    const uint8_t *zeros = alm_arena_calloc(arena, 100, 10);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(zeros[i], 0);
    }
    const char *copy = alm_arena_strdup(arena, ALM_STR("a\0b"));
    assert_memory_equal(copy, "a\0b", 4);
    assert_string_equal(alm_arena_strdup(arena, alm_str_from(NULL)), "");
    assert_string_equal(alm_arena_printf(arena, "%d of %s", 3, "seven"), "3 of seven");
    const char *wide = alm_arena_printf(arena, "%*d", 10000, 7);
    assert_int_equal(strlen(wide), 10000);
}

static void grows_an_array(void **state)
{
    alm_arena *arena = *state;
    uint32_t *numbers = NULL;
    size_t cap = 0;
    size_t growths = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        size_t before = cap;
        void *array = numbers;
        assert_true(alm_arena_grow(arena, &array, &cap, i + 1, sizeof *numbers));
        numbers = array;
        growths += cap != before;
        numbers[i] = i;
    }
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(numbers[i], i);
    }
    assert_true(growths <= 15); // by doubling
}

typedef struct journal {
    char text[16];
    size_t len;
    alm_arena *arena;
} journal;

typedef struct entry {
    journal *to;
    char c;
} entry;

static void note(void *arg)
{
    const entry *it = arg;
    it->to->text[it->to->len++] = it->c;
}

static void note_and_register(void *arg)
{
    entry *it = arg;
    note(it);
    if (it->to->len < 5) {
        assert_true(alm_arena_on_reset(it->to->arena, note, it));
    }
}

static void hooks_run_once_in_reverse_order(void **state)
{
    alm_arena *arena = *state;
    journal it = {.arena = arena};
    entry entries[] = {{&it, 'a'}, {&it, 'b'}, {&it, 'c'}};
    for (size_t i = 0; i < 3; i++) {
        assert_true(alm_arena_on_reset(arena, i == 1 ? note_and_register : note, &entries[i]));
    }
    alm_arena_reset(arena);
    assert_string_equal(it.text, "cbba"); // b registered itself again while it ran
    alm_arena_reset(arena);
    assert_string_equal(it.text, "cbba");
    assert_true(alm_arena_on_reset(arena, note, &entries[2]));
    alm_arena_destroy(&arena);
    assert_string_equal(it.text, "cbbac");
    *state = NULL;
}

static void frees_what_a_hook_holds(void *arg)
{
    alm_free(arg);
}

// One request's worth of work; true if all of it was had.
static bool work(alm_arena *arena)
{
    void *heap = alm_alloc(10);
    if (heap == NULL) {
        return false;
    }
    if (!alm_arena_on_reset(arena, frees_what_a_hook_holds, heap)) {
        alm_free(heap);
        return false;
    }
    void *array = NULL;
    size_t cap = 0;
    for (size_t need = 1; need < 40000; need *= 3) {
        size_t cap_before = cap;
        const void *array_before = array;
        if (!alm_arena_grow(arena, &array, &cap, need, 8)) {
            assert_int_equal(cap, cap_before);
            assert_ptr_equal(array, array_before);
            return false;
        }
    }
    return alm_arena_printf(arena, "%5000d", 1) != NULL && alm_arena_alloc(arena, 2 << 20) != NULL;
}

static void survives_any_allocation_failure(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (bool passed = false; !passed; n++) {
        (void)alm_alloc_fail_at(n, 0);
        alm_arena *arena = alm_arena_create(0);
        passed = arena != NULL && work(arena) && alm_alloc_fail_at(0, 0) < n;
        (void)alm_alloc_fail_at(0, 0);
        if (arena != NULL) {
            alm_arena_reset(arena);
            assert_true(work(arena)); // usable after the failure
        }
        alm_arena_destroy(&arena);
    }
    assert_true(n > 5);
}

static void poisons_what_it_did_not_give(void **state)
{
#ifdef HAS_ASAN
    alm_arena *arena = *state;
    char *first = alm_arena_alloc(arena, 13);
    char *next = alm_arena_alloc(arena, 16);
    assert_false(__asan_address_is_poisoned(first + 12));
    assert_true(__asan_address_is_poisoned(first + 13));
    assert_true(__asan_address_is_poisoned(next + 16));
    alm_arena_reset(arena);
    assert_true(__asan_address_is_poisoned(first));
#else
    (void)state;
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_are_aligned_and_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reset_keeps_one_chunk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_has_its_own_address, set_up, tear_down),
        cmocka_unit_test(holds_to_its_limit),
        cmocka_unit_test_setup_teardown(refuses_absurd_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(zeroes_and_copies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(grows_an_array, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hooks_run_once_in_reverse_order, set_up, tear_down),
        cmocka_unit_test(survives_any_allocation_failure),
        cmocka_unit_test_setup_teardown(poisons_what_it_did_not_give, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
