// ZMTP 3.1's bytes (RFC 37): greetings, frame headers, commands and metadata. Pure.
//
// Lifetime: what is read are views of the bytes given.
#ifndef ALM_RPC_ZMTP_CODEC_H
#define ALM_RPC_ZMTP_CODEC_H

#include "alm/buf.h"
#include "alm/str.h"

#define ALM_ZMTP_GREETING_BYTES   64
#define ALM_ZMTP_HEADER_BYTES_MAX 9
#define ALM_ZMTP_PING_TTL_BYTES   2
#define ALM_ZMTP_PONG_BYTES_MAX   16 // the context a PING may carry
#define ALM_ZMTP_PROPERTY_SOCKET  "Socket-Type"

// Flags of a frame
#define ALM_ZMTP_MORE             0x01u
#define ALM_ZMTP_LONG             0x02u
#define ALM_ZMTP_COMMAND          0x04u

typedef enum alm_zmtp_parsed {
    ALM_ZMTP_WHOLE,
    ALM_ZMTP_SHORT, // well so far; more bytes are needed
    ALM_ZMTP_BAD,
} alm_zmtp_parsed;

typedef enum alm_zmtp_mechanism {
    ALM_ZMTP_NULL,
    ALM_ZMTP_CURVE,
    ALM_ZMTP_STRANGE, // one we do not speak
} alm_zmtp_mechanism;

typedef struct alm_zmtp_greeting {
    uint8_t major; // 3 or more
    uint8_t minor;
    alm_zmtp_mechanism mechanism;
    bool is_server; // of CURVE
} alm_zmtp_greeting;

void alm_zmtp_greeting_write(alm_zmtp_mechanism mechanism, bool is_server,
                             uint8_t ret[ALM_ZMTP_GREETING_BYTES]);

// BAD as soon as a byte is wrong: no ZMTP, or older than 3.0.
alm_zmtp_parsed alm_zmtp_greeting_read(alm_bytes data, alm_zmtp_greeting *ret);

typedef struct alm_zmtp_header {
    uint8_t flags;     // without ALM_ZMTP_LONG
    uint8_t len;       // of the header itself
    uint64_t body_len; // less than 2^63
} alm_zmtp_header;

// Returns the header's length.
size_t alm_zmtp_header_write(uint8_t flags, size_t body_len,
                             uint8_t ret[ALM_ZMTP_HEADER_BYTES_MAX]);

// SHORT: ret->len is how long the header will be, as far as can be told.
alm_zmtp_parsed alm_zmtp_header_read(alm_bytes data, alm_zmtp_header *ret);

typedef struct alm_zmtp_command {
    alm_str name;
    alm_str data;
} alm_zmtp_command;

// The body of a command's frame. False: no name, or one longer than the body.
bool alm_zmtp_command_read(alm_str body, alm_zmtp_command *ret);

// Appends a whole frame.
void alm_zmtp_command_write(alm_buf *out, alm_str name, alm_str data);

typedef struct alm_zmtp_property {
    alm_str name; // ASCII; case does not matter
    alm_str value;
} alm_zmtp_property;

// Takes one property off the front of *rest. SHORT: there is none left.
alm_zmtp_parsed alm_zmtp_property_read(alm_str *rest, alm_zmtp_property *ret);
void alm_zmtp_property_write(alm_buf *out, alm_str name, alm_str value);

// The Socket-Type that metadata names. False: malformed, not there, or there twice.
bool alm_zmtp_socket_type(alm_str metadata, alm_str *ret);

#endif
