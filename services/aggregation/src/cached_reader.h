// Rows from the cache of series where it has them, else from storage.
#ifndef ALM_CACHED_READER_H
#define ALM_CACHED_READER_H

#include "series_cache.h"
#include "storage_reader.h"

typedef struct alm_cached_reader {
    alm_storage_reader *storage;
    alm_series_cache *cache; // NULL: all is read from storage
} alm_cached_reader;

// The reader is borrowed. Answers what alm_storage_row_reader would, and fails likewise; what the
// cache answers is learnt by the storage reader as if it had been read.
alm_row_reader alm_cached_row_reader(alm_cached_reader *reader);

// Rows that are kept, for who cannot wait: calls nobody, and does little.
typedef struct alm_kept_reader {
    alm_storage_reader *storage; // learns as above
    alm_series_cache *cache;
    size_t rows_left; // that may be visited
} alm_kept_reader;

// ALM_UNAVAILABLE  something is not kept, or there are more rows
alm_row_reader alm_kept_row_reader(alm_kept_reader *reader);

#endif
