#include "lmdb_pages.h"

#include "alm/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

// --- the format ----------------------------------------------------------------------------------

// LMDB 0.9 on a 64-bit machine, in the machine's own byte order. A page begins with
//   number u64, pad u16, flags u16, and lower u16, upper u16 (an overflow run: its pages u32);
// a tree page goes on with offsets u16 of its nodes up to `lower`, which lie from `upper` on.
enum {
    PAGE_FLAGS = 10,
    PAGE_LOWER = 12,
    PAGE_UPPER = 14,
    PAGE_RUN = 12,
    PAGE_HEADER_BYTES = 16,
    PAGE_BYTES_MIN = 256,
    PAGE_BYTES_MAX = 32768,

    KIND_BRANCH = 1,
    KIND_LEAF = 2,
    KIND_OVERFLOW = 4,
    KIND_META = 8,
};

// A node: u32 length of the value and flags u16 (a branch: a page number of 48 bits), key length
// u16, key, value. One whose value lies on overflow pages holds their number instead.
enum {
    NODE_FLAGS = 4,
    NODE_KEY_BYTES = 6,
    NODE_KEY = 8,
    NODE_BIG = 1,      // flag: the value lies on overflow pages
    NODE_DATABASE = 2, // flag: the value is the record of a database
    NUMBER_BYTES = 8,
};

// A meta page behind its header, and the record of a database.
enum {
    META_MAGIC = 16,
    META_VERSION = 20,
    META_FREE = 40, // database of the free list
    META_MAIN = 88, // database of the databases
    META_LAST_PAGE = 136,
    META_TRANSACTION = 144,
    META_BYTES = 152,
    META_COUNT = 2,

    DATABASE_PAGE_BYTES = 0, // u32; of the free list only
    DATABASE_FLAGS = 4,
    DATABASE_DEPTH = 6,
    DATABASE_BRANCH = 8,
    DATABASE_LEAF = 16,
    DATABASE_OVERFLOW = 24,
    DATABASE_ENTRIES = 32,
    DATABASE_ROOT = 40,
    DATABASE_BYTES = 48,

    FLAG_INTEGER_KEY = 8,
    FLAGS_OF_ENVIRONMENT = 0x4000, // MDB_NOSUBDIR is kept among the free list's
    KEY_BYTES_MAX = 511,
    DEPTH_MAX = 32, // of a cursor
};
#define MAGIC      UINT32_C(0xbeefc0de)
#define VERSION    UINT32_C(1)
#define NO_ROOT    UINT64_MAX

#define TELL_PAGES 1024 // between two calls of a visitor's progress

static uint16_t get_u16(const uint8_t *at)
{
    uint16_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static uint64_t get_u64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

// --- the walk ------------------------------------------------------------------------------------

typedef struct key {
    const uint8_t *data; // NULL: no bound
    size_t len;
} key;

typedef struct tree {
    char name[KEY_BYTES_MAX + 1];
    bool is_free, is_main;
    uint64_t root;
    uint32_t flags, depth;
    uint64_t branch, leaf, overflow, entries; // as its record says
    uint64_t branch_found, leaf_found, overflow_found, entries_found;
    struct tree *next;
} tree;

typedef struct walker {
    int fd;
    uint64_t file_bytes;
    uint32_t page_bytes;
    uint64_t page_count;
    uint64_t transaction;
    uint64_t *claimed; // a bit for each page
    uint64_t claimed_count, told;
    uint8_t *pages;     // one for each level of the tree that is walked
    uint16_t *units;    // by offset/2: length/2 of the node that lies there; all 0 between pages
    tree *trees, **end; // found in the main database
    alm_arena *arena;
    const lmdb_pages_visitor *visitor;
    lmdb_pages_info info;
    alm_status *st;
} walker;

#define DEFECT(w, page, ...)                                                                       \
    defect_of((w), (page), alm_status_set((w)->st, ALM_DATA_LOSS, __VA_ARGS__))

static alm_code defect_of(walker *w, uint64_t page, alm_code code)
{
    (void)alm_status_prefix(w->st, "page %" PRIu64, page);
    return code;
}

static alm_code no_memory(walker *w)
{
    return alm_status_set(w->st, ALM_RESOURCE_EXHAUSTED, "no memory to check the pages");
}

static alm_code read_at(walker *w, uint64_t page, uint64_t offset, void *out, size_t len)
{
    size_t got = 0;
    uint64_t from = page * w->page_bytes + offset;
    while (got < len) {
        ssize_t n = pread(w->fd, (uint8_t *)out + got, len - got, (off_t)(from + got));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return alm_status_set(w->st, ALM_DATA_LOSS, "page %" PRIu64 " cannot be read: %s", page,
                                  strerror(errno));
        }
        if (n == 0) {
            return DEFECT(w, page, "the file ends before it");
        }
        got += (size_t)n;
    }
    return ALM_OK;
}

// Pages first .. first + count - 1 belong to the tree (its free list, when `unused`).
static alm_code claim(walker *w, const tree *t, uint64_t from, uint64_t first, uint64_t count,
                      bool unused)
{
    if (first < META_COUNT || first >= w->page_count || count > w->page_count - first) {
        return DEFECT(w, from, "points to page %" PRIu64 ", of %" PRIu64 " (%s)", first,
                      w->page_count, t->name);
    }
    for (uint64_t page = first; page < first + count; page++) {
        uint64_t bit = UINT64_C(1) << page % 64;
        if ((w->claimed[page / 64] & bit) != 0) {
            return DEFECT(w, page, "%s, and belongs to another as well",
                          unused ? "is in the free list" : "is in use");
        }
        w->claimed[page / 64] |= bit;
    }
    w->claimed_count += count;
    if (w->claimed_count - w->told >= TELL_PAGES && w->visitor != NULL &&
        w->visitor->progress != NULL) {
        w->told = w->claimed_count;
        w->visitor->progress(w->visitor->arg, w->claimed_count, w->page_count);
    }
    return ALM_OK;
}

// --- nodes ---------------------------------------------------------------------------------------

static size_t node_count(const uint8_t *page)
{
    return ((size_t)get_u16(page + PAGE_LOWER) - PAGE_HEADER_BYTES) / 2;
}

static const uint8_t *node_at(const uint8_t *page, size_t i)
{
    return page + get_u16(page + PAGE_HEADER_BYTES + 2 * i);
}

static key key_of(const uint8_t *node)
{
    return (key){.data = node + NODE_KEY, .len = get_u16(node + NODE_KEY_BYTES)};
}

static uint64_t child_of(const uint8_t *node)
{
    return get_u32(node) | (uint64_t)get_u16(node + NODE_FLAGS) << 32;
}

static bool is_big(const uint8_t *node)
{
    return (get_u16(node + NODE_FLAGS) & NODE_BIG) != 0;
}

static uint64_t run_of(const uint8_t *node)
{
    return get_u64(node + NODE_KEY + get_u16(node + NODE_KEY_BYTES));
}

// Bytes of a node that begins inside the page; its value may end outside.
static uint64_t node_bytes(const uint8_t *node, bool is_leaf)
{
    uint64_t bytes = NODE_KEY + get_u16(node + NODE_KEY_BYTES);
    if (is_leaf) {
        bytes += is_big(node) ? NUMBER_BYTES : get_u32(node);
    }
    return (bytes + 1) & ~UINT64_C(1);
}

static int compare(const tree *t, key a, key b)
{
    if (t->is_free) {
        uint64_t x = get_u64(a.data), y = get_u64(b.data);
        return (x > y) - (x < y);
    }
    int order = memcmp(a.data, b.data, ALM_MIN(a.len, b.len));
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

// Notes where a node lies, so that all of them can be seen to lie side by side.
static alm_code place_node(walker *w, const uint8_t *page, uint64_t number, size_t i, bool is_leaf)
{
    size_t offset = get_u16(page + PAGE_HEADER_BYTES + 2 * i);
    size_t upper = get_u16(page + PAGE_UPPER);
    if (offset < upper || offset % 2 != 0 || offset + NODE_KEY > w->page_bytes) {
        return DEFECT(w, number, "node %zu lies at %zu, outside %zu to %u", i, offset, upper,
                      w->page_bytes);
    }
    uint64_t bytes = node_bytes(page + offset, is_leaf);
    if (bytes > w->page_bytes - offset) {
        return DEFECT(w, number, "node %zu at %zu is %" PRIu64 " bytes long", i, offset, bytes);
    }
    if (w->units[offset / 2] != 0) {
        return DEFECT(w, number, "two nodes lie at %zu", offset);
    }
    w->units[offset / 2] = (uint16_t)(bytes / 2);
    return ALM_OK;
}

// The nodes fill the page from `upper` to its end.
static alm_code check_filled(walker *w, const uint8_t *page, uint64_t number)
{
    size_t at = get_u16(page + PAGE_UPPER);
    size_t seen = 0;
    while (at < w->page_bytes && w->units[at / 2] != 0) {
        at += (size_t)w->units[at / 2] * 2;
        seen++;
    }
    if (at != w->page_bytes || seen != node_count(page)) {
        return DEFECT(w, number, "%zu of %zu nodes lie side by side, up to %zu of %u", seen,
                      node_count(page), at, w->page_bytes);
    }
    return ALM_OK;
}

static alm_code check_places(walker *w, const uint8_t *page, uint64_t number, bool is_leaf)
{
    alm_code code = ALM_OK;
    size_t placed = 0;
    for (; code == ALM_OK && placed < node_count(page); placed += code == ALM_OK) {
        code = place_node(w, page, number, placed, is_leaf);
    }
    if (code == ALM_OK) {
        code = check_filled(w, page, number);
    }
    for (size_t i = 0; i < placed; i++) {
        w->units[get_u16(page + PAGE_HEADER_BYTES + 2 * i) / 2] = 0;
    }
    return code;
}

static alm_code check_header(walker *w, const tree *t, const uint8_t *page, uint64_t number,
                             bool is_leaf)
{
    uint32_t kind = get_u16(page + PAGE_FLAGS);
    uint32_t lower = get_u16(page + PAGE_LOWER), upper = get_u16(page + PAGE_UPPER);
    if (get_u64(page) != number) {
        return DEFECT(w, number, "says it is page %" PRIu64, get_u64(page));
    }
    if (kind != (is_leaf ? KIND_LEAF : KIND_BRANCH)) {
        return DEFECT(w, number, "is no %s but of kind 0x%x (%s)", is_leaf ? "leaf" : "branch",
                      kind, t->name);
    }
    if (lower < PAGE_HEADER_BYTES || lower % 2 != 0 || lower > upper || upper > w->page_bytes) {
        return DEFECT(w, number, "its offsets end at %u, and its nodes begin at %u of %u", lower,
                      upper, w->page_bytes);
    }
    // LMDB asserts two below a branch, but in the free list.
    size_t count_min = is_leaf || t->is_free ? 1 : 2;
    if (node_count(page) < count_min) {
        return DEFECT(w, number, "has %zu nodes (%s)", node_count(page), t->name);
    }
    return ALM_OK;
}

// The first key of a branch counts for nothing, and is mostly empty.
static alm_code check_keys(walker *w, const tree *t, const uint8_t *page, uint64_t number,
                           bool is_leaf, key low, key high)
{
    key before = low;
    for (size_t i = is_leaf ? 0 : 1; i < node_count(page); i++) {
        key k = key_of(node_at(page, i));
        bool is_whole = t->is_free ? k.len == NUMBER_BYTES : k.len > 0 && k.len <= KEY_BYTES_MAX;
        if (!is_whole) {
            return DEFECT(w, number, "key %zu is %zu bytes long (%s)", i, k.len, t->name);
        }
        // The key above may be the first of its page.
        bool may_equal = before.data == low.data;
        int order = before.data == NULL ? 1 : compare(t, k, before);
        if (order < 0 || (order == 0 && !may_equal)) {
            return DEFECT(w, number, "key %zu is not after the one before (%s)", i, t->name);
        }
        before = k;
    }
    if (high.data != NULL && before.data != NULL && before.data != low.data &&
        compare(t, before, high) >= 0) {
        return DEFECT(w, number, "its last key is not before the next page's (%s)", t->name);
    }
    return ALM_OK;
}

// --- values --------------------------------------------------------------------------------------

static alm_code check_run(walker *w, tree *t, uint64_t from, const uint8_t *node, uint64_t *ret_run)
{
    uint8_t header[PAGE_HEADER_BYTES];
    uint64_t first = run_of(node);
    uint64_t need = (PAGE_HEADER_BYTES - 1 + (uint64_t)get_u32(node)) / w->page_bytes + 1;
    ALM_TRY(claim(w, t, from, first, 1, false));
    ALM_TRY(read_at(w, first, 0, header, sizeof header));
    uint64_t run = get_u32(header + PAGE_RUN);
    if (get_u64(header) != first || get_u16(header + PAGE_FLAGS) != KIND_OVERFLOW) {
        return DEFECT(w, first, "is no overflow page but page %" PRIu64 " of kind 0x%x (%s)",
                      get_u64(header), get_u16(header + PAGE_FLAGS), t->name);
    }
    if (run < need) {
        return DEFECT(w, first, "%" PRIu64 " overflow pages, and the value needs %" PRIu64, run,
                      need);
    }
    if (run > 1) {
        ALM_TRY(claim(w, t, from, first + 1, run - 1, false));
    }
    t->overflow_found += run;
    *ret_run = first;
    return ALM_OK;
}

static alm_code tree_from(walker *w, uint64_t page, const uint8_t *record, tree *ret)
{
    ret->flags = get_u16(record + DATABASE_FLAGS);
    ret->depth = get_u16(record + DATABASE_DEPTH);
    ret->branch = get_u64(record + DATABASE_BRANCH);
    ret->leaf = get_u64(record + DATABASE_LEAF);
    ret->overflow = get_u64(record + DATABASE_OVERFLOW);
    ret->entries = get_u64(record + DATABASE_ENTRIES);
    ret->root = get_u64(record + DATABASE_ROOT);
    uint32_t flags = ret->is_free ? ret->flags & ~(uint32_t)FLAGS_OF_ENVIRONMENT : ret->flags;
    if (flags != (ret->is_free ? FLAG_INTEGER_KEY : 0)) {
        return DEFECT(w, page, "database %s has the flags 0x%x", ret->name, ret->flags);
    }
    if (ret->depth > DEPTH_MAX || (ret->depth == 0) != (ret->root == NO_ROOT)) {
        return DEFECT(w, page, "database %s has %u levels, and its root is page %" PRIu64,
                      ret->name, ret->depth, ret->root);
    }
    return ALM_OK;
}

// A record of the main database: walked after it.
static alm_code take_database(walker *w, uint64_t page, const uint8_t *node)
{
    key name = key_of(node);
    tree *t = alm_arena_calloc(w->arena, 1, sizeof *t);
    if (t == NULL) {
        return no_memory(w);
    }
    memcpy(t->name, name.data, name.len);
    if (get_u16(node + NODE_FLAGS) != NODE_DATABASE || get_u32(node) != DATABASE_BYTES) {
        return DEFECT(w, page, "%s is no database", t->name);
    }
    ALM_TRY(tree_from(w, page, name.data + name.len, t));
    *w->end = t;
    w->end = &t->next;
    return ALM_OK;
}

// --- the free list -------------------------------------------------------------------------------

// Numbers of a list come in pieces, for it may be longer than a page.
typedef struct list {
    uint64_t page; // whose record it is
    uint64_t left, before;
} list;

static alm_code claim_numbers(walker *w, const tree *t, list *l, const uint8_t *numbers,
                              size_t count)
{
    for (size_t i = 0; i < count && l->left > 0; i++, l->left--) {
        uint64_t number = get_u64(numbers + i * NUMBER_BYTES);
        if (number >= l->before) {
            return DEFECT(w, l->page, "the free list does not descend at %" PRIu64, number);
        }
        ALM_TRY(claim(w, t, l->page, number, 1, true));
        l->before = number;
        w->info.unused++;
    }
    return ALM_OK;
}

static alm_code begin_list(walker *w, const uint8_t *node, uint64_t page, const uint8_t *value,
                           list *ret)
{
    uint64_t numbers = get_u32(node) / NUMBER_BYTES;
    uint64_t transaction = get_u64(node + NODE_KEY);
    uint64_t count = numbers > 0 ? get_u64(value) : 0;
    if (numbers == 0 || get_u32(node) % NUMBER_BYTES != 0 || count > numbers - 1) {
        return DEFECT(w, page, "a free list of %" PRIu64 " pages in %u bytes", count,
                      get_u32(node));
    }
    if (transaction > w->transaction) {
        return DEFECT(w, page, "a free list of transaction %" PRIu64 ", and the newest is %" PRIu64,
                      transaction, w->transaction);
    }
    *ret = (list){.page = page, .left = count, .before = UINT64_MAX};
    return ALM_OK;
}

static alm_code check_long_list(walker *w, tree *t, const uint8_t *node, uint64_t page)
{
    enum { PIECE_BYTES = 4096 };
    list l;
    uint64_t run;
    uint8_t piece[PIECE_BYTES];
    uint64_t bytes = get_u32(node);
    ALM_TRY(check_run(w, t, page, node, &run));
    if (bytes < NUMBER_BYTES) {
        return DEFECT(w, page, "a free list of %" PRIu64 " bytes", bytes);
    }
    ALM_TRY(read_at(w, run, PAGE_HEADER_BYTES, piece, NUMBER_BYTES));
    ALM_TRY(begin_list(w, node, page, piece, &l));
    for (uint64_t at = NUMBER_BYTES; l.left > 0;) {
        size_t len = (size_t)ALM_MIN(l.left * NUMBER_BYTES, (uint64_t)sizeof piece);
        ALM_TRY(read_at(w, run, PAGE_HEADER_BYTES + at, piece, len));
        ALM_TRY(claim_numbers(w, t, &l, piece, len / NUMBER_BYTES));
        at += len;
    }
    return ALM_OK;
}

static alm_code check_list(walker *w, tree *t, const uint8_t *node, uint64_t page)
{
    list l;
    const uint8_t *value = node + NODE_KEY + NUMBER_BYTES;
    ALM_TRY(begin_list(w, node, page, value, &l));
    return claim_numbers(w, t, &l, value + NUMBER_BYTES, get_u32(node) / NUMBER_BYTES - 1);
}

// --- trees ---------------------------------------------------------------------------------------

static alm_code visit(walker *w, const tree *t, const uint8_t *node)
{
    key k = key_of(node);
    if (w->visitor == NULL) {
        return ALM_OK;
    }
    return w->visitor->record(
        w->visitor->arg, alm_str_from(t->name), (alm_bytes){.data = k.data, .len = k.len},
        (alm_bytes){.data = is_big(node) ? NULL : k.data + k.len, .len = get_u32(node)}, w->st);
}

static alm_code check_leaf_node(walker *w, tree *t, const uint8_t *node, uint64_t page)
{
    uint64_t run;
    t->entries_found++;
    if (t->is_main) {
        return take_database(w, page, node);
    }
    if ((get_u16(node + NODE_FLAGS) & ~NODE_BIG) != 0) {
        return DEFECT(w, page, "a node with the flags 0x%x (%s)", get_u16(node + NODE_FLAGS),
                      t->name);
    }
    if (t->is_free) {
        return is_big(node) ? check_long_list(w, t, node, page) : check_list(w, t, node, page);
    }
    if (is_big(node)) {
        ALM_TRY(check_run(w, t, page, node, &run));
    }
    return visit(w, t, node);
}

// The runs below a leaf are read next, each from elsewhere: the disk is asked for all of them at
// once. Only a hint, so any number will do.
static void expect_runs(const walker *w, const uint8_t *page)
{
    for (size_t i = 0; i < node_count(page); i++) {
        uint64_t run = is_big(node_at(page, i)) ? run_of(node_at(page, i)) : UINT64_MAX;
        if (run < w->page_count) {
            (void)posix_fadvise(w->fd, (off_t)(run * w->page_bytes), PAGE_HEADER_BYTES,
                                POSIX_FADV_WILLNEED);
        }
    }
}

static alm_code walk_page(walker *w, tree *t, uint64_t from, uint64_t number, uint32_t level,
                          key low, key high)
{
    bool is_leaf = level + 1 == t->depth;
    uint8_t *page = w->pages + (size_t)level * w->page_bytes;
    ALM_TRY(claim(w, t, from, number, 1, false));
    ALM_TRY(read_at(w, number, 0, page, w->page_bytes));
    ALM_TRY(check_header(w, t, page, number, is_leaf));
    ALM_TRY(check_places(w, page, number, is_leaf));
    ALM_TRY(check_keys(w, t, page, number, is_leaf, low, high));
    *(is_leaf ? &t->leaf_found : &t->branch_found) += 1;
    size_t count = node_count(page);
    if (is_leaf) {
        expect_runs(w, page);
    }
    for (size_t i = 0; is_leaf && i < count; i++) {
        ALM_TRY(check_leaf_node(w, t, node_at(page, i), number));
    }
    for (size_t i = 0; !is_leaf && i < count; i++) {
        key from_key = i == 0 ? low : key_of(node_at(page, i));
        key to_key = i + 1 < count ? key_of(node_at(page, i + 1)) : high;
        ALM_TRY(walk_page(w, t, number, child_of(node_at(page, i)), level + 1, from_key, to_key));
    }
    return ALM_OK;
}

static alm_code check_count(walker *w, const tree *t, const char *what, uint64_t found,
                            uint64_t said)
{
    if (found == said) {
        return ALM_OK;
    }
    return alm_status_set(w->st, ALM_DATA_LOSS,
                          "database %s: %" PRIu64 " %s, and its record says %" PRIu64, t->name,
                          found, what, said);
}

static alm_code walk_tree(walker *w, tree *t, uint64_t from)
{
    if (t->depth > 0) {
        ALM_TRY(walk_page(w, t, from, t->root, 0, (key){0}, (key){0}));
    }
    ALM_TRY(check_count(w, t, "branch pages", t->branch_found, t->branch));
    ALM_TRY(check_count(w, t, "leaf pages", t->leaf_found, t->leaf));
    ALM_TRY(check_count(w, t, "overflow pages", t->overflow_found, t->overflow));
    ALM_TRY(check_count(w, t, "entries", t->entries_found, t->entries));
    w->info.branch += t->branch_found;
    w->info.leaf += t->leaf_found;
    w->info.overflow += t->overflow_found;
    w->info.entries += t->entries_found;
    w->info.databases++;
    return ALM_OK;
}

// --- meta pages ----------------------------------------------------------------------------------

static alm_code read_meta(walker *w, uint64_t number, uint8_t *out)
{
    ALM_TRY(read_at(w, number, 0, out, META_BYTES));
    if (get_u32(out + META_MAGIC) != MAGIC) {
        return DEFECT(w, number, "is no meta page of LMDB");
    }
    if (get_u32(out + META_VERSION) != VERSION) {
        return DEFECT(w, number, "has LMDB's format %u, and %u is known",
                      get_u32(out + META_VERSION), VERSION);
    }
    if (get_u64(out) != number || get_u16(out + PAGE_FLAGS) != KIND_META) {
        return DEFECT(w, number, "is no meta page but page %" PRIu64 " of kind 0x%x", get_u64(out),
                      get_u16(out + PAGE_FLAGS));
    }
    uint32_t bytes = get_u32(out + META_FREE + DATABASE_PAGE_BYTES);
    bool is_size = bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) == 0;
    if (!is_size || (number > 0 && bytes != w->page_bytes)) {
        return DEFECT(w, number, "its pages are %u bytes long", bytes);
    }
    w->page_bytes = bytes;
    return ALM_OK;
}

// Commits take turns: the page of an even transaction is the first. The one before it is in the
// other, unless there was none yet.
static alm_code pick_meta(walker *w, const uint8_t metas[META_COUNT][META_BYTES],
                          uint64_t *ret_newest)
{
    uint64_t first = get_u64(metas[0] + META_TRANSACTION);
    uint64_t second = get_u64(metas[1] + META_TRANSACTION);
    uint64_t newest = first < second;
    uint64_t distance = newest != 0 ? second - first : first - second;
    w->transaction = ALM_MAX(first, second);
    if (w->transaction % META_COUNT != newest || (distance != 1 && w->transaction != 0)) {
        return DEFECT(w, newest,
                      "the meta pages are of the transactions %" PRIu64 " and %" PRIu64
                      ", which do not follow one another",
                      first, second);
    }
    *ret_newest = newest;
    return ALM_OK;
}

static alm_code take_meta(walker *w, uint64_t number, const uint8_t *meta)
{
    uint64_t last = get_u64(meta + META_LAST_PAGE);
    uint64_t fit = w->file_bytes / w->page_bytes;
    if (last + 1 < META_COUNT || last >= fit) {
        return DEFECT(w, number,
                      "says the last page is %" PRIu64 ", and %" PRIu64 " are in the file", last,
                      fit);
    }
    w->page_count = last + 1;
    w->claimed = alm_arena_calloc(w->arena, last / 64 + 1, sizeof *w->claimed);
    w->pages = alm_arena_alloc(w->arena, (size_t)DEPTH_MAX * w->page_bytes);
    w->units = alm_arena_calloc(w->arena, w->page_bytes / 2, sizeof *w->units);
    return w->claimed == NULL || w->pages == NULL || w->units == NULL ? no_memory(w) : ALM_OK;
}

static alm_code check(walker *w)
{
    uint8_t metas[META_COUNT][META_BYTES];
    uint64_t newest = 0;
    tree free_list = {.name = "free list", .is_free = true};
    tree main_tree = {.name = "main", .is_main = true};
    ALM_TRY(read_meta(w, 0, metas[0]));
    ALM_TRY(read_meta(w, 1, metas[1]));
    ALM_TRY(pick_meta(w, metas, &newest));
    ALM_TRY(take_meta(w, newest, metas[newest]));
    ALM_TRY(tree_from(w, newest, metas[newest] + META_FREE, &free_list));
    ALM_TRY(tree_from(w, newest, metas[newest] + META_MAIN, &main_tree));
    w->end = &w->trees;
    ALM_TRY(walk_tree(w, &main_tree, newest));
    for (tree *t = w->trees; t != NULL; t = t->next) {
        ALM_TRY(walk_tree(w, t, main_tree.root));
    }
    ALM_TRY(walk_tree(w, &free_list, newest));
    w->info.transaction = w->transaction;
    w->info.page_bytes = w->page_bytes;
    w->info.pages = w->page_count;
    w->info.lost = w->page_count - META_COUNT - w->claimed_count;
    return ALM_OK;
}

alm_code lmdb_pages_check(int fd, uint64_t file_bytes, const lmdb_pages_visitor *visitor,
                          lmdb_pages_info *ret, alm_status *st)
{
    alm_status own = ALM_STATUS_INIT; // what is put in front of a message needs one
    walker w = {
        .fd = fd, .file_bytes = file_bytes, .visitor = visitor, .st = st != NULL ? st : &own};
    if (file_bytes > 0) {
        // The bits of the largest file LMDB can have on this machine would be more; its map is not.
        w.arena = alm_arena_create((size_t)4 << 30);
        alm_code code = w.arena == NULL ? no_memory(&w) : check(&w);
        alm_arena_destroy(&w.arena);
        ALM_TRY(code);
    }
    if (ret != NULL) {
        *ret = w.info;
    }
    return ALM_OK;
}
