// Rows from the storage service, for the answering core.
#ifndef ALM_STORAGE_READER_H
#define ALM_STORAGE_READER_H

#include "alm/catalog.h"
#include "alm/channel.h"
#include "row_reader.h"

typedef struct alm_storage_reader {
    alm_channel *storage;
    alm_call *call;             // the call that is answered: its deadline and cancellation apply
    const alm_catalog *catalog; // as new as the sequence
    uint64_t at_sequence;       // the state every read sees
} alm_storage_reader;

// The reader is borrowed. Its failures are storage's, and
// ALM_INTERNAL  storage answered what it cannot have been asked: an id the catalogue does not know,
//               a block that does not decode
alm_row_reader alm_storage_row_reader(alm_storage_reader *reader);

#endif
