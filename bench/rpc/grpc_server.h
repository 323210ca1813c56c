// What the two kinds of gRPC server share.
#pragma once

#include "grpc_peer.h"

namespace bench {

// Everything but the completion queues.
void build_server(grpc::ServerBuilder *builder, const std::string &address, grpc::Service *service,
                  const options &opts);

// Null when it cannot listen.
std::unique_ptr<server> start_callback_server(const std::string &address, const options &opts);

} // namespace bench
