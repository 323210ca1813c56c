// The parts of the rpc command.
#ifndef ALM_CLI_RPC_H
#define ALM_CLI_RPC_H

#include "cli_peer.h"

// Calls SERVICE.METHOD with the documents of --json. Returns the exit code.
int cli_rpc_call(cli *self, cli_peer *peer, const char *word);

#endif
