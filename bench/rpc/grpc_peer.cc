// The gRPC half of the benchmark of calls. Its command line is that of almanac_peer, see
// bench/README.md.
#include "grpc_peer.hh"

#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

std::string options::name() const
{
    std::string name = "queues=" + std::to_string(queues);
    name += bidi ? " bidi" : "";
    name += callback ? " callback" : "";
    name += hint ? " hint" : "";
    name += minimal ? " minimal" : "";
    name += window ? " window" : "";
    name += sync ? " sync" : "";
    return name;
}

std::vector<std::pair<std::string, int>> arguments_of(const options &opts)
{
    std::vector<std::pair<std::string, int>> args = {{GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1}};
    if (opts.minimal) {
        args.push_back({GRPC_ARG_MINIMAL_STACK, 1});
    }
    if (opts.window) {
        args.push_back({GRPC_ARG_HTTP2_BDP_PROBE, 0});
        args.push_back({GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 4 << 20});
    }
    return args;
}

std::string target_of(const std::string &address)
{
    if (address.rfind("tcp://", 0) == 0) {
        return address.substr(6);
    }
    if (address.rfind("ipc://", 0) == 0) {
        return "unix:" + address.substr(6);
    }
    return address;
}

} // namespace bench

static int usage()
{
    std::fprintf(stderr,
                 "usage: grpc_peer [OPTION]... server ADDRESS\n"
                 "       grpc_peer [OPTION]... client ADDRESS CASE SECONDS\n"
                 "options: --queues=N --bidi --callback --hint --minimal --window --sync\n");
    return 2;
}

static bool take_option(const char *arg, bench::options *opts)
{
    struct flag_row {
        const char *name;
        bool bench::options::*flag;
    };
    static const flag_row flags[] = {
        {"--bidi", &bench::options::bidi},     {"--callback", &bench::options::callback},
        {"--hint", &bench::options::hint},     {"--minimal", &bench::options::minimal},
        {"--window", &bench::options::window}, {"--sync", &bench::options::sync},
    };
    for (const flag_row &row : flags) {
        if (std::strcmp(arg, row.name) == 0) {
            opts->*row.flag = true;
            return true;
        }
    }
    if (std::strncmp(arg, "--queues=", 9) == 0) {
        opts->queues = static_cast<unsigned>(std::strtoul(arg + 9, nullptr, 10));
        return opts->queues >= 1 && opts->queues <= 64;
    }
    return false;
}

static int run_server(const std::string &address, const bench::options &opts)
{
    auto server = bench::start_server(address, opts);
    if (server == nullptr) {
        std::fprintf(stderr, "grpc_peer: cannot listen on %s\n", address.c_str());
        return 1;
    }
    std::printf("ready %s\n", address.c_str());
    std::fflush(stdout);
    for (;;) {
        pause(); // until a signal ends the process
    }
}

int main(int argc, char **argv)
{
    // Or glibc gives large messages back to the kernel each time; our services do the same.
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 512 << 20);
    bench::options opts;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (!take_option(argv[at], &opts)) {
            return usage();
        }
    }
    std::string mode = at < argc ? argv[at] : "";
    if (mode == "server" && argc - at == 2) {
        return run_server(argv[at + 1], opts);
    }
    if (mode == "client" && argc - at == 4) {
        return bench::run_client(argv[at + 1], argv[at + 2], std::atof(argv[at + 3]), opts);
    }
    return usage();
}
