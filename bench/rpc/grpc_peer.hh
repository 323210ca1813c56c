// The gRPC half of the benchmark of calls: what its server and its client share.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "echo.grpc.pb.h"

namespace bench {

using almanac::bench::DownloadRequest;
using almanac::bench::Echo;
using almanac::bench::Payload;

// What can be tuned. The harness tries several and takes the best for each case.
struct options {
    unsigned queues = 1;   // completion queues, each with its thread
    bool bidi = false;     // client: calls are echoes over one stream for each connection
    bool callback = false; // server: the callback API instead of completion queues
    bool hint = false;     // messages that others follow are sent with the buffer hint
    bool minimal = false;  // channels and servers without optional filters
    bool window = false;   // a wide flow control window from the start, not one that adapts
    bool sync = false;     // client: streams are read with the blocking API

    std::string name() const; // as given on the command line, for the result
};

// The arguments for channels and servers that the options stand for.
std::vector<std::pair<std::string, int>> arguments_of(const options &opts);

// One thing in flight on a completion queue.
struct event {
    virtual void proceed(bool ok) = 0;

  protected:
    ~event() = default;
};

// Calls a member function when its operation is done. One for each kind of operation of a stream.
template <typename owner> struct step final : event {
    step(owner *o, void (owner::*f)(bool)) : self(o), next(f)
    {
    }
    void proceed(bool ok) override
    {
        (self->*next)(ok);
    }
    owner *self;
    void (owner::*next)(bool);
};

// A server that answers until the process ends; it cannot be stopped before.
class server {
  public:
    virtual ~server() = default;
    virtual std::shared_ptr<grpc::Channel> channel(const grpc::ChannelArguments &args) = 0;
};

// ADDRESS as ours are written: tcp://HOST:PORT, ipc://PATH or inproc://NAME. Null when it
// cannot listen.
std::unique_ptr<server> start_server(const std::string &address, const options &opts);

// tcp://HOST:PORT and ipc://PATH as gRPC writes them.
std::string target_of(const std::string &address);

// Runs one case and prints its result. Returns the exit status of the process.
int run_client(const std::string &address, const std::string &name, double seconds,
               const options &opts);

constexpr int exit_unsupported = 3;

} // namespace bench
