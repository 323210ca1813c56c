// Rows from the storage service, for the answering core.
#ifndef ALM_STORAGE_READER_H
#define ALM_STORAGE_READER_H

#include "alm/catalog.h"
#include "alm/channel.h"
#include "row_reader.h"

// Storage says with every answer which catalogue was the newest when the state that is read was
// fixed. A reader may therefore begin with the catalogue at hand, and learns from its first read
// whether that was new enough, and which state it is that all later reads see.
typedef struct alm_storage_reader {
    alm_channel *storage;
    alm_call *call; // the call that is answered: its deadline and cancellation apply
    const alm_catalog *catalog;
    uint64_t catalog_sequence; // of that catalogue
    uint64_t min_sequence;     // the first read waits for it
    uint64_t at_sequence;      // the state every read sees; 0: the newest, until one was read
    bool is_checked;           // the catalogue is as new as that state,
    uint64_t newer_catalog;    // or is not, and this is; else 0
} alm_storage_reader;

// What storage told of a state that is at least as new as min_sequence. Of the first to tell only.
//
// ALM_ABORTED  the catalogue is older; newer_catalog says than which
ALM_MUST_USE alm_code alm_storage_reader_learn(alm_storage_reader *reader, uint64_t sequence,
                                               uint64_t catalog_sequence, alm_status *st);

// The reader is borrowed. Its failures are storage's, those of alm_storage_reader_learn before any
// row is visited, and
// ALM_INTERNAL  storage answered what it cannot have been asked: an id the catalogue does not know,
//               a block that does not decode
alm_row_reader alm_storage_row_reader(alm_storage_reader *reader);

#endif
