// The encodings a file may have, and cells made UTF-8.
#ifndef ALM_INGESTION_TEXT_H
#define ALM_INGESTION_TEXT_H

#include "alm/arena.h"
#include "alm/status.h"
#include "alm/str.h"

typedef enum text_encoding {
    TEXT_UNDECIDED, // not told, and so far all ASCII
    TEXT_UTF8,
    TEXT_GB18030,
} text_encoding;

// "utf-8", "gb18030", "" (undecided); gbk, gb2312 and utf8 are understood too.
// ALM_INVALID_ARGUMENT  another name
ALM_MUST_USE alm_code text_encoding_parse(alm_str name, text_encoding *ret, alm_status *st);
const char *text_encoding_name(text_encoding encoding); // "" for undecided

// The encoding of a file by its first piece, and *header without its byte order mark: the mark
// decides; else a header that is UTF-8 beyond ASCII; else the majority of the cells that are not
// ASCII, UTF-8 when even. `told` other than undecided is taken as it is.
//
// ALM_INVALID_ARGUMENT  UTF-16; or a mark that contradicts what was told
ALM_MUST_USE alm_code text_encoding_find(text_encoding told, alm_str *header, alm_str records,
                                         text_encoding *ret, alm_status *st);

typedef struct text_decoder {
    text_encoding encoding;
    alm_arena *arena;
    void *iconv; // NULL until the first GB18030 cell
} text_decoder;

// arena is borrowed; what the decoder holds is let go at its reset.
void text_decoder_init(text_decoder *decoder, text_encoding encoding, alm_arena *arena);

// The cell as UTF-8: raw itself where it is that already, else a copy in the arena.
//
// ALM_INVALID_ARGUMENT    not of the encoding; the message names the first wrong byte
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code text_decode(text_decoder *decoder, alm_str raw, alm_str *ret, alm_status *st);

#define TEXT_SHOWN_BYTES_MAX 200

// A cell for a message, in the arena: at most TEXT_SHOWN_BYTES_MAX bytes and then "..." when cut;
// bytes that are not UTF-8 and control characters are written \xNN. Empty when the arena is full.
alm_str text_show(alm_str utf8_or_not, alm_arena *arena);

bool text_is_ascii(alm_str s);

#endif
