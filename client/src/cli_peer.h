// Whom the rpc command asks: any server of Almanac, and what its Reflection says of it. Nothing is
// known here of the messages of its services.
#ifndef ALM_CLI_PEER_H
#define ALM_CLI_PEER_H

#include "cli.h"

#include "alm/channel.h"
#include "alm/schema.h"

#include "almanac/internal/reflection.pb-c.h"

typedef struct cli_peer {
    cli *cli;
    const char *address;
    alm_channel *channel; // the client's
    const Almanac__Internal__ListServicesResponse *served;
    const alm_schema *schema; // see cli_peer_learn
} cli_peer;

// Connects to --server, or else --endpoint, and asks what is served. False: it said why on err;
// return *ret_exit.
bool cli_peer_open(cli *self, cli_peer *ret, int *ret_exit);

// Asks for the descriptors, or reads those of --protoset.
ALM_MUST_USE alm_code cli_peer_learn(cli_peer *peer, alm_status *st);

// A service that is served, by its full or its short name. ALM_NOT_FOUND says which there are.
ALM_MUST_USE alm_code cli_peer_service(const cli_peer *peer, alm_str name,
                                       const Almanac__Internal__ServiceInfo **ret, alm_status *st);

// The descriptors' service by its full or its short name, that one which is served where several
// have it. is_served: only that. NULL: none.
const alm_symbol *cli_peer_service_symbol(const cli_peer *peer, alm_str name, bool is_served);

// A message, enum or service that is known of. As alm_schema_find, with the nearest name.
ALM_MUST_USE alm_code cli_peer_symbol(const cli_peer *peer, alm_str name, const alm_symbol **ret,
                                      alm_status *st);

// The service as it is called: what the descriptors know of it, and which methods may be repeated,
// as the server says. Lives in the command line's arena.
//
// ALM_FAILED_PRECONDITION  the descriptors do not have it
ALM_MUST_USE alm_code cli_peer_def(const cli_peer *peer,
                                   const Almanac__Internal__ServiceInfo *service,
                                   const alm_service_def **ret, alm_status *st);

// A method's position in its service. ALM_NOT_FOUND has the nearest name, or all.
ALM_MUST_USE alm_code cli_peer_method(const alm_service_def *service, alm_str name, unsigned *ret,
                                      alm_status *st);

// "SERVICE.METHOD" or "SERVICE/METHOD" in two. False: it has no such parts.
bool cli_peer_split(alm_str word, alm_str *ret_service, alm_str *ret_method);

// "safe", "keyed" or "never"; "unary", "server stream", "client stream" or "bidi stream".
const char *cli_peer_repeat(const Almanac__Internal__MethodInfo *method);
const char *cli_peer_kind(const Almanac__Internal__MethodInfo *method);

// Says on err how it ended: the code, the message and the details. Returns the exit code.
int cli_peer_fail(cli *self, const alm_status *st);

#endif
