// The page check finds nothing in any file that LMDB made, and every defect that is put into one.
// Files are made by LMDB itself; defects are rows: where, what, and what the message must say.
#include "lmdb_pages.h"

#include "alm/alloc.h"

#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define MAP_BYTES ((size_t)64 << 20)

typedef struct fixture {
    char path[64];
    MDB_env *env;
    uint8_t *image; // of the file, once it is closed
    size_t len;
    uint64_t random;
} fixture;

static uint64_t next_random(fixture *f)
{
    f->random = f->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return f->random >> 33;
}

static void open_env(fixture *f)
{
    assert_int_equal(mdb_env_create(&f->env), 0);
    assert_int_equal(mdb_env_set_maxdbs(f->env, 8), 0);
    assert_int_equal(mdb_env_set_mapsize(f->env, MAP_BYTES), 0);
    assert_int_equal(mdb_env_open(f->env, f->path, MDB_NOSUBDIR | MDB_NOLOCK, 0600), 0);
}

static int setup(void **state)
{
    fixture *f = alm_calloc(1, sizeof *f);
    assert_non_null(f);
    f->random = 1;
    snprintf(f->path, sizeof f->path, "/tmp/alm_pages_XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    close(fd);
    open_env(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    if (f->env != NULL) {
        mdb_env_close(f->env);
    }
    unlink(f->path);
    alm_free(f->image);
    alm_free(f);
    return 0;
}

// --- files ---------------------------------------------------------------------------------------

static void put(MDB_txn *txn, MDB_dbi dbi, uint64_t number, size_t len)
{
    static char value[1 << 16];
    char text[32];
    int key_len = snprintf(text, sizeof text, "%012llu", (unsigned long long)number);
    MDB_val key = {.mv_size = (size_t)key_len, .mv_data = text};
    MDB_val val = {.mv_size = len, .mv_data = value};
    assert_int_equal(mdb_put(txn, dbi, &key, &val, 0), 0);
}

static void erase(MDB_txn *txn, MDB_dbi dbi, uint64_t number)
{
    char text[32];
    int key_len = snprintf(text, sizeof text, "%012llu", (unsigned long long)number);
    MDB_val key = {.mv_size = (size_t)key_len, .mv_data = text};
    int error = mdb_del(txn, dbi, &key, NULL);
    assert_true(error == 0 || error == MDB_NOTFOUND);
}

// One commit of random puts and deletions, of short values and long ones, in two databases.
static void change(fixture *f, int operations, uint64_t numbers)
{
    MDB_txn *txn;
    MDB_dbi dbis[2];
    assert_int_equal(mdb_txn_begin(f->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "short", MDB_CREATE, &dbis[0]), 0);
    assert_int_equal(mdb_dbi_open(txn, "long", MDB_CREATE, &dbis[1]), 0);
    for (int i = 0; i < operations; i++) {
        size_t which = next_random(f) % 2;
        uint64_t number = next_random(f) % numbers;
        if (next_random(f) % 3 == 0) {
            erase(txn, dbis[which], number);
        } else {
            put(txn, dbis[which], number, next_random(f) % (which == 0 ? 300 : 20000));
        }
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
}

// LMDB does not write pages that it frees again in one transaction: the file is made as long as it
// says, as the store does.
static void close_env(fixture *f)
{
    MDB_envinfo info;
    struct stat file;
    assert_int_equal(mdb_env_info(f->env, &info), 0);
    mdb_env_close(f->env);
    f->env = NULL;
    assert_int_equal(stat(f->path, &file), 0);
    f->len = ALM_MAX((size_t)file.st_size, (info.me_last_pgno + 1) * 4096);
    assert_int_equal(truncate(f->path, (off_t)f->len), 0);
}

static alm_code check_file(const fixture *f, lmdb_pages_info *ret, alm_status *st)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    *st = ALM_STATUS_INIT;
    alm_code code = lmdb_pages_check(fd, f->len, NULL, ret, st);
    close(fd);
    return code;
}

static lmdb_pages_info assert_sound(fixture *f)
{
    alm_status st;
    lmdb_pages_info info;
    if (check_file(f, &info, &st) != ALM_OK) {
        fail_msg("a file that LMDB made: %s", st.message);
    }
    assert_int_equal(info.lost, 0);
    assert_int_equal(info.pages, 2 + info.branch + info.leaf + info.overflow + info.unused);
    return info;
}

static void an_empty_file_is_sound(void **state)
{
    fixture *f = *state;
    alm_status st;
    lmdb_pages_info info;
    close_env(f);
    info = assert_sound(f);
    assert_int_equal(info.pages, 2);
    assert_int_equal(truncate(f->path, 0), 0);
    f->len = 0;
    assert_int_equal(check_file(f, &info, &st), ALM_OK);
}

static void every_file_of_lmdb_is_sound(void **state)
{
    fixture *f = *state;
    uint64_t depth_seen = 0;
    for (int round = 0; round < 60; round++) {
        int operations = 1 + (int)(next_random(f) % 400);
        uint64_t numbers = UINT64_C(1) << (3 + next_random(f) % 10);
        change(f, operations, numbers);
        close_env(f);
        lmdb_pages_info info = assert_sound(f);
        depth_seen = ALM_MAX(depth_seen, info.branch);
        open_env(f);
    }
    assert_true(depth_seen > 1);
    close_env(f);
}

// A backup is one of these.
static void copies_by_lmdb_are_sound(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        change(f, 300, 200);
    }
    for (unsigned compact = 0; compact < 2; compact++) {
        struct stat file;
        alm_status st = ALM_STATUS_INIT;
        lmdb_pages_info info;
        FILE *copy = tmpfile();
        assert_non_null(copy);
        unsigned flags = compact != 0 ? MDB_CP_COMPACT : 0;
        assert_int_equal(mdb_env_copyfd2(f->env, fileno(copy), flags), 0);
        assert_int_equal(fstat(fileno(copy), &file), 0);
        if (lmdb_pages_check(fileno(copy), (uint64_t)file.st_size, NULL, &info, &st) != ALM_OK) {
            fail_msg("a copy that LMDB made: %s", st.message);
        }
        assert_int_equal(info.lost, 0);
        assert_true((info.unused == 0) == (compact != 0));
        fclose(copy);
    }
    close_env(f);
}

// A free list that is longer than a page, and shrinks again.
static void a_long_free_list_is_sound(void **state)
{
    fixture *f = *state;
    change(f, 2500, 2000);
    MDB_txn *txn;
    MDB_dbi dbi;
    assert_int_equal(mdb_txn_begin(f->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "long", 0, &dbi), 0);
    assert_int_equal(mdb_drop(txn, dbi, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    close_env(f);
    assert_true(assert_sound(f).unused > 600);
    open_env(f);
    for (int i = 0; i < 20; i++) {
        change(f, 50, 100000);
    }
    close_env(f);
    (void)assert_sound(f);
}

static alm_code count_record(void *arg, alm_str database, alm_bytes key, alm_bytes value,
                             alm_status *st)
{
    uint64_t *counts = arg;
    (void)st;
    assert_int_equal(key.len, 12);
    assert_true(value.data == NULL || value.len < 2100);
    counts[2] += value.data == NULL;
    bool is_short = alm_str_eq(database, ALM_STR("short"));
    assert_true(is_short || alm_str_eq(database, ALM_STR("long")));
    counts[is_short ? 0 : 1]++;
    return ALM_OK;
}

static alm_code refuse_record(void *arg, alm_str database, alm_bytes key, alm_bytes value,
                              alm_status *st)
{
    (void)arg;
    (void)database;
    (void)value;
    return alm_status_set(st, ALM_DATA_LOSS, "not %.*s", (int)key.len, (const char *)key.data);
}

static void a_visitor_sees_the_records(void **state)
{
    fixture *f = *state;
    uint64_t counts[3] = {0};
    alm_status st = ALM_STATUS_INIT;
    lmdb_pages_info info;
    change(f, 1000, 300);
    close_env(f);
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    lmdb_pages_visitor visitor = {.arg = counts, .record = count_record};
    assert_int_equal(lmdb_pages_check(fd, f->len, &visitor, &info, &st), ALM_OK);
    assert_true(counts[0] > 100 && counts[1] > 0 && counts[2] > 0);
    // The databases and the free list's lists are entries too.
    assert_true(counts[0] + counts[1] < info.entries);
    visitor.record = refuse_record;
    assert_int_equal(lmdb_pages_check(fd, f->len, &visitor, &info, &st), ALM_DATA_LOSS);
    assert_non_null(strstr(st.message, "not 0000"));
    close(fd);
}

// --- defects -------------------------------------------------------------------------------------

static void load_image(fixture *f)
{
    f->image = alm_alloc(f->len);
    FILE *file = fopen(f->path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(f->image, 1, f->len, file), f->len);
    fclose(file);
}

static void store_page(const fixture *f, size_t page, const uint8_t *bytes)
{
    int fd = open(f->path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, 4096, (off_t)page * 4096), 4096);
    close(fd);
}

static uint64_t get(const uint8_t *at, size_t len)
{
    uint64_t v = 0;
    memcpy(&v, at, len);
    return v;
}

static void set(uint8_t *at, size_t len, uint64_t v)
{
    memcpy(at, &v, len);
}

// The newest meta page, and the first page in use from there on of a kind, with its number right.
static uint8_t *newest_meta(fixture *f)
{
    bool is_second = get(f->image + 4096 + 144, 8) > get(f->image + 144, 8);
    return f->image + (is_second ? 4096 : 0);
}

// The page below a database's record in the main database.
static uint8_t *page_of(fixture *f, uint64_t number)
{
    assert_true(number * 4096 < f->len);
    return f->image + number * 4096;
}

static uint8_t *record_of(fixture *f, const char *name)
{
    uint8_t *page = page_of(f, get(newest_meta(f) + 88 + 40, 8));
    for (size_t i = 0; i < (get(page + 12, 2) - 16) / 2; i++) {
        uint8_t *node = page + get(page + 16 + 2 * i, 2);
        if (memcmp(node + 8, name, strlen(name)) == 0) {
            return node + 8 + strlen(name);
        }
    }
    fail_msg("no database %s", name);
    return NULL;
}

static uint8_t *root_of(fixture *f, const char *name)
{
    return page_of(f, get(record_of(f, name) + 40, 8));
}

static uint8_t *node_of(uint8_t *page, size_t i)
{
    return page + get(page + 16 + 2 * i, 2);
}

static uint8_t *leaf_of(fixture *f, const char *name)
{
    uint8_t *page = root_of(f, name);
    while (get(page + 10, 2) == 1) {
        page = page_of(f, get(node_of(page, 1), 6));
    }
    return page;
}

static uint8_t *big_node_of(fixture *f)
{
    uint8_t *page = leaf_of(f, "long");
    for (size_t i = 0; i < (get(page + 12, 2) - 16) / 2; i++) {
        if (get(node_of(page, i) + 4, 2) == 1) {
            return node_of(page, i);
        }
    }
    fail_msg("no long value");
    return NULL;
}

static uint8_t *run_of(fixture *f)
{
    return page_of(f, get(big_node_of(f) + 8 + 12, 8));
}

static uint8_t *free_page(fixture *f)
{
    return page_of(f, get(newest_meta(f) + 40 + 40, 8));
}

static uint8_t *free_value(fixture *f)
{
    uint8_t *node = node_of(free_page(f), 0);
    return get(node + 4, 2) == 1 ? page_of(f, get(node + 16, 8)) + 16 : node + 16;
}

typedef struct defect_row {
    const char *name, *says;
    uint8_t *(*where)(fixture *f);
    size_t offset, len;
    uint64_t value; // UINT64_MAX - 1: what stands there, plus one
} defect_row;

#define PLUS_ONE (UINT64_MAX - 1)

static uint8_t *short_root(fixture *f)
{
    return root_of(f, "short");
}

static uint8_t *short_leaf(fixture *f)
{
    return leaf_of(f, "short");
}

static uint8_t *short_node(fixture *f)
{
    return node_of(short_leaf(f), 1);
}

static uint8_t *root_node(fixture *f)
{
    return node_of(short_root(f), 1);
}

static uint8_t *short_record(fixture *f)
{
    return record_of(f, "short");
}

static uint8_t *main_page(fixture *f)
{
    return page_of(f, get(newest_meta(f) + 88 + 40, 8));
}

static uint8_t *main_node(fixture *f)
{
    return node_of(main_page(f), 0);
}

static const defect_row defects[] = {
    {"magic", "no meta page of LMDB", newest_meta, 16, 4, 1},
    {"version", "LMDB's format 2", newest_meta, 20, 4, 2},
    {"meta kind", "no meta page but", newest_meta, 10, 2, 2},
    {"page size", "pages are 4097 bytes", newest_meta, 40, 4, 4097},
    {"transaction", "do not follow", newest_meta, 144, 8, 1000},
    {"last page", "the last page is", newest_meta, 136, 8, UINT64_C(1) << 60},
    {"fewer pages", "points to page", newest_meta, 136, 8, 3},
    {"depth", "40 levels", newest_meta, 88 + 6, 2, 40},
    {"main root", "points to page 1,", newest_meta, 88 + 40, 8, 1},
    {"environment flags", "has the flags 0x4c", newest_meta, 40 + 4, 2, 0x4c},
    {"number", "says it is page 7777", short_leaf, 0, 8, 7777},
    {"kind", "is no leaf but of kind 0x1", short_leaf, 10, 2, 1},
    {"lower", "its offsets end at", short_leaf, 12, 2, 15},
    {"lower beyond upper", "its offsets end at", short_leaf, 12, 2, 4000},
    {"upper", "outside", short_leaf, 14, 2, PLUS_ONE},
    {"no node", "has 0 nodes", short_leaf, 12, 2, 16},
    {"one child", "has 1 nodes", short_root, 12, 2, 18},
    {"offset", "outside", short_leaf, 16, 2, 4094},
    {"odd offset", "outside", short_leaf, 16, 2, PLUS_ONE},
    {"key length", "node", short_node, 6, 2, 4000},
    {"value length", "bytes long", short_node, 0, 4, 4000},
    {"shorter value", "side by side", short_node, 0, 4, 10},
    {"node flags", "flags", short_node, 4, 2, 4},
    {"key order", "is not after the one before", short_node, 8, 1, 1},
    {"key beyond the leaf", "page", short_node, 8, 1, 255},
    {"child", "points to page", root_node, 0, 4, 1 << 30},
    {"separator", "the one before", root_node, 8, 1, 255},
    {"entries", "entries, and its record says", short_record, 32, 8, 1},
    {"leaf pages", "leaf pages, and", short_record, 16, 8, 1},
    {"branch pages", "branch pages, and", short_record, 8, 8, 9},
    {"overflow pages", "overflow pages, and", short_record, 24, 8, 9},
    {"database flags", "has the flags 0x4", short_record, 4, 2, 4},
    {"no root", "its root is page", short_record, 40, 8, UINT64_MAX},
    {"depth of a database", "is no leaf", short_record, 6, 2, 1},
    {"record's length", "bytes long", main_node, 0, 4, 4000},
    {"no database", "is no database", main_node, 4, 2, 0},
    {"run number", "no overflow page but page 5", run_of, 0, 8, 5},
    {"run kind", "no overflow page", run_of, 10, 2, 2},
    {"run too short", "the value needs", run_of, 12, 4, 0},
    {"run too long", "page", run_of, 12, 4, UINT32_MAX},
    {"longer value", "the value needs", big_node_of, 0, 4, 1 << 20},
    {"overflow page", "points to page", big_node_of, 8 + 12 + 4, 4, 1},
    {"free list's length", "a free list of", free_value, 0, 8, UINT64_C(1) << 61},
    {"free list's order", "does not descend", free_value, 16, 8, UINT64_C(1) << 40},
    {"a used page in the free list", "", free_value, 8, 8, 2},
    {"a meta page in the free list", "points to page 1", free_value, 8, 8, 1},
};

static void make_image(fixture *f)
{
    for (int i = 0; i < 6; i++) {
        change(f, 600, 400);
    }
    close_env(f);
    (void)assert_sound(f);
    load_image(f);
}

// Puts a number into the file, looks whether the check names what is wrong, and takes it out again.
static void assert_found(fixture *f, uint8_t *at, size_t len, uint64_t value, const char *says)
{
    alm_status st;
    lmdb_pages_info info;
    size_t page = (size_t)(at - f->image) / 4096;
    uint64_t before = get(at, len);
    set(at, len, value);
    store_page(f, page, f->image + page * 4096);
    assert_int_equal(check_file(f, &info, &st), ALM_DATA_LOSS);
    if (strstr(st.message, says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", st.message, says);
    }
    set(at, len, before);
    store_page(f, page, f->image + page * 4096);
}

static void each_defect_is_named(void **state)
{
    fixture *f = *state;
    make_image(f);
    for (size_t i = 0; i < ALM_ARRAY_LEN(defects); i++) {
        const defect_row *row = &defects[i];
        uint8_t *at = row->where(f) + row->offset;
        uint64_t value = row->value == PLUS_ONE ? get(at, row->len) + 1 : row->value;
        print_message("%s\n", row->name);
        assert_found(f, at, row->len, value, row->says);
    }
    (void)assert_sound(f);
}

static void a_page_of_two_owners_is_named(void **state)
{
    fixture *f = *state;
    make_image(f);
    uint8_t *page = short_root(f);
    uint64_t first = get(node_of(page, 0), 4);
    assert_found(f, node_of(page, 1), 4, first, "is in use, and belongs to another as well");
}

static void a_used_page_is_not_free(void **state)
{
    fixture *f = *state;
    make_image(f);
    uint64_t used = get(short_record(f) + 40, 8);
    uint8_t *value = free_value(f);
    // The lists descend: the lowest number is the one to lower.
    assert_found(f, value + 8 * get(value, 8), 8, used, "and belongs to another as well");
}

static void a_short_file_is_named(void **state)
{
    fixture *f = *state;
    alm_status st;
    lmdb_pages_info info;
    change(f, 100, 100);
    close_env(f);
    size_t whole = f->len;
    for (size_t cut = 1; cut < whole; cut = cut * 2 + 1) {
        f->len = whole - cut;
        assert_int_equal(truncate(f->path, (off_t)f->len), 0);
        assert_int_equal(check_file(f, &info, &st), ALM_DATA_LOSS);
    }
    // One that got shorter since its length was asked.
    f->len = whole;
    assert_int_equal(check_file(f, &info, &st), ALM_DATA_LOSS);
    assert_non_null(strstr(st.message, "the file ends before it"));
}

// Whatever stands in the file, the check comes to an end and stays inside its memory.
static void any_bytes_are_survived(void **state)
{
    fixture *f = *state;
    alm_status st;
    lmdb_pages_info info;
    int refused = 0;
    for (int i = 0; i < 3; i++) {
        change(f, 300, 200);
    }
    close_env(f);
    load_image(f);
    for (int round = 0; round < 3000; round++) {
        uint8_t bytes[4096];
        size_t page = next_random(f) % (f->len / 4096);
        memcpy(bytes, f->image + page * 4096, sizeof bytes);
        for (uint64_t i = 0; i <= next_random(f) % 4; i++) {
            size_t at = next_random(f) % (round % 2 == 0 ? 160 : sizeof bytes);
            uint64_t flipped = bytes[at] ^ (UINT64_C(1) << next_random(f) % 8);
            bytes[at] = (uint8_t)(next_random(f) % 3 == 0 ? flipped : next_random(f));
        }
        store_page(f, page, bytes);
        alm_code code = check_file(f, &info, &st);
        assert_true(code == ALM_OK || code == ALM_DATA_LOSS);
        refused += code != ALM_OK;
        store_page(f, page, f->image + page * 4096);
    }
    print_message("%d of 3000 refused\n", refused);
    (void)assert_sound(f);
}

static void no_memory_is_said(void **state)
{
    fixture *f = *state;
    alm_status st;
    lmdb_pages_info info;
    change(f, 100, 100);
    close_env(f);
    for (uint64_t n = 1;; n++) {
        (void)alm_alloc_fail_at(n, 0);
        alm_code code = check_file(f, &info, &st);
        uint64_t made = alm_alloc_fail_at(0, 0);
        assert_true(code == ALM_OK || code == ALM_RESOURCE_EXHAUSTED);
        if (made < n) {
            break;
        }
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_file_is_sound),   TEST(every_file_of_lmdb_is_sound),
        TEST(copies_by_lmdb_are_sound), TEST(a_long_free_list_is_sound),
        TEST(each_defect_is_named),     TEST(a_page_of_two_owners_is_named),
        TEST(a_used_page_is_not_free),  TEST(a_visitor_sees_the_records),
        TEST(a_short_file_is_named),    TEST(any_bytes_are_survived),
        TEST(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
