// Every bound of the project, named once. Reaching one is ALM_RESOURCE_EXHAUSTED (or
// ALM_INVALID_ARGUMENT for a value of the wrong size), never an abort.
#ifndef ALM_LIMITS_H
#define ALM_LIMITS_H

// Memory
#define ALM_ARENA_BYTES_MAX            ((size_t)256 << 20) // one request's arena
#define ALM_BUF_BYTES_MAX              ((size_t)256 << 20) // a buffer that was given no maximum

// Configuration
#define ALM_CONFIG_FILE_BYTES_MAX      ((size_t)1 << 20)

// Names and keys
#define ALM_CODE_BYTES_MAX             64   // a code: indicator, place, source, dimension, member
#define ALM_NAME_BYTES_MAX             512  // a name or title, UTF-8
#define ALM_TEXT_BYTES_MAX             4096 // a note or an address
#define ALM_SERIES_KEY_BYTES_MAX       400  // a series key; LMDB keys are at most 511
#define ALM_BREAKDOWN_COUNT_MAX        8    // dimension=member pairs of one series
#define ALM_ALIAS_COUNT_MAX            64   // other names of one catalogue entry
#define ALM_EXPR_BYTES_MAX             8192 // a place or period expression
#define ALM_EXPR_TERM_COUNT_MAX        1024 // its comma-separated terms

// Places
#define ALM_PLACE_COUNT_MAX            4000000 // the tree with every village is 665 thousand
#define ALM_PLACE_DEPTH_MAX            12
#define ALM_PLACE_SUCCESSOR_COUNT_MAX  64                // places one ended place was split into
#define ALM_PLACE_TREE_BYTES_MAX       ((size_t)2 << 30) // texts of one tree; all villages: 60 MB

// Catalogue
#define ALM_CATALOG_BYTES_MAX          ((size_t)1 << 30) // texts of indicators and sources

// Calls. Those a process can set are in alm_rpc_limits, see alm/rpc.h.
#define ALM_RPC_MESSAGE_BYTES_MAX      ((size_t)4 << 20) // one message, as gRPC's default
#define ALM_RPC_METADATA_BYTES_MAX     ((size_t)8 << 10)
#define ALM_RPC_STREAM_WINDOW_BYTES    ((size_t)1 << 20)   // credit of one stream,
#define ALM_RPC_STREAM_WINDOW_MESSAGES ((size_t)16 << 10)  // of both kinds
#define ALM_RPC_STREAM_COUNT_MAX       2048                // calls of one connection at once
#define ALM_RPC_PEER_COUNT_MAX         16384               // connections of one server
#define ALM_RPC_THREAD_COUNT_MAX       64                  // handlers at work in one server
#define ALM_RPC_QUEUE_COUNT_MAX        1024                // calls waiting for a handler
#define ALM_RPC_QUEUE_BYTES_MAX        ((size_t)256 << 20) // requests of the calls that wait
#define ALM_RPC_UNSENT_BYTES_MAX       ((size_t)256 << 20) // answers all peers have not taken yet
#define ALM_RPC_ELEMENT_COUNT_MAX      4000000             // fields of a message, in all its parts
#define ALM_RPC_CONNECTION_COUNT_MAX   256                 // addresses of one channel
#define ALM_RPC_DEADLINE_MS_DEFAULT    30000
#define ALM_RPC_UNPACK_DEPTH_MAX       32                  // messages within messages
#define ALM_RPC_UNPACK_BYTES_MAX       ((size_t)192 << 20) // what a message may take unpacked

// Who may call
#define ALM_POLICY_FILE_BYTES_MAX      ((size_t)4 << 20)
#define ALM_POLICY_ENTRY_COUNT_MAX     10000

// JSON of messages
#define ALM_JSON_DEPTH_MAX             ALM_RPC_UNPACK_DEPTH_MAX
#define ALM_JSON_ELEMENT_COUNT_MAX     2000000 // values of one input; "0," 2000000 times is 4 MB

// Types made at run time
#define ALM_SCHEMA_FILE_COUNT_MAX      256
#define ALM_SCHEMA_SYMBOL_COUNT_MAX    512  // messages, enums and services together
#define ALM_SCHEMA_FIELD_COUNT_MAX     1024 // of a message
#define ALM_SCHEMA_VALUE_COUNT_MAX     4096 // of an enum
#define ALM_SCHEMA_METHOD_COUNT_MAX    128  // of a service
#define ALM_SCHEMA_NAME_BYTES_MAX      255  // a full name, as in HELLO

// Import
#define ALM_IMPORT_CHUNK_BYTES         ((size_t)2 << 20) // a client sends this much a call
#define ALM_IMPORT_RECORD_BYTES_MAX    ((size_t)1 << 20) // one CSV record
#define ALM_IMPORT_COLUMN_COUNT_MAX    1024
#define ALM_IMPORT_DEFECT_COUNT_MAX    10000 // reported of one chunk; the rest are counted

// Store
#define ALM_COMMIT_ROW_COUNT_MAX       200000
#define ALM_BULK_ROW_COUNT_MAX         2000000
#define ALM_BATCH_ID_BYTES_MAX         128
#define ALM_TOP_COUNT_MAX              1024 // cells of a slice that are asked for as its first

// Query
#define ALM_QUERY_INDICATOR_COUNT_MAX  1000
#define ALM_QUERY_CELL_COUNT_MAX       2000000
#define ALM_SERIES_CELL_COUNT_MAX      20000000 // that one question has computed
#define ALM_GRID_CELL_COUNT_MAX        1000000  // of one grid, at about 40 bytes a cell
#define ALM_STANDING_ROW_COUNT_MAX     100000   // of the answer of a standing question
#define ALM_RESULT_BLOCK_ROW_COUNT     4096
#define ALM_RESULT_BLOCK_PACE_COUNT    1024 // rows of target progress among them; a kilobyte each

#endif
