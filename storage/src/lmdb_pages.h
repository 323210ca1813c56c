// Looks through the pages of an LMDB 0.9 data file before LMDB maps it. LMDB trusts every page it
// meets: a damaged one makes it follow numbers out of its map (SIGSEGV, SIGBUS, abort), run in
// circles, or pass over records as if they had never been. This reads the same pages with pread and
// trusts nothing.
//
// What is looked at, of the snapshot that LMDB would open:
//   both meta pages     their form, and that the newer follows the older one
//   every tree page     its number and kind, where its nodes lie, that they fill it without a gap,
//                       keys ascending and within what the page above says; the length of each path
//   overflow pages      the header of each run; the value itself is for who knows its checksum
//   each database       its counts of pages by kind and of entries
//   the free list       its lists in order, and no page free and in use, or used twice
//
// What it cannot see: damage inside keys that leaves their order, and inside values. Who knows
// checksums can look at all keys, and at the values that lie in the tree, by a visitor, which costs
// next to nothing.
//
// What it costs: the pages of the trees are read, and of each run of overflow pages the first
// bytes. Where values are longer than a page that is a small part of the file.
//
// Only databases with keys in byte order are known: no flag of mdb_dbi_open but MDB_CREATE.
#ifndef ALM_STORAGE_LMDB_PAGES_H
#define ALM_STORAGE_LMDB_PAGES_H

#include "alm/status.h"
#include "alm/str.h"

#include <stdint.h>

typedef struct lmdb_pages_info {
    uint64_t transaction; // of the snapshot
    uint32_t page_bytes;
    uint64_t pages; // up to the last that was ever used
    uint64_t branch, leaf, overflow, unused;
    uint64_t lost; // neither in use nor in the free list: harmless, never used again
    uint64_t databases, entries;
} lmdb_pages_info;

// record is given every record; views are valid during the call. A value on overflow pages comes as
// its length, with data NULL. What it returns other than ALM_OK ends the check. progress (may be
// NULL) is called now and then: so many of all pages are known to be in use or free.
typedef struct lmdb_pages_visitor {
    void *arg;
    alm_code (*record)(void *arg, alm_str database, alm_bytes key, alm_bytes value, alm_status *st);
    void (*progress)(void *arg, uint64_t done, uint64_t all);
} lmdb_pages_visitor;

// The file is not written to and its offset stays. Nobody may write to it meanwhile: not this
// process through LMDB either. file_bytes 0 is a file that LMDB has not made yet. visitor and ret
// may be NULL. Memory: a bit for each page, and a page for each level of a tree.
//
// ALM_DATA_LOSS            not an LMDB file, cut short, or damaged: the message names the page and
//                          what is wrong with it; or a page that the disk cannot read
// ALM_RESOURCE_EXHAUSTED   out of memory
ALM_MUST_USE alm_code lmdb_pages_check(int fd, uint64_t file_bytes,
                                       const lmdb_pages_visitor *visitor, lmdb_pages_info *ret,
                                       alm_status *st);

#endif
