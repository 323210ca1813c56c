// What the two kinds of gRPC server share.
#pragma once

#include "grpc_peer.hh"

namespace bench {

// With the hint, one message of a download in so many is sent without it, so that all leave.
constexpr uint64_t flush_every = 128;

// Everything but the completion queues.
void build_server(grpc::ServerBuilder *builder, const std::string &address, grpc::Service *service,
                  const options &opts);

// Null when it cannot listen.
std::unique_ptr<server> start_callback_server(const std::string &address, const options &opts);

} // namespace bench
