// The client: every case, asynchronous on completion queues but for the lone call, which blocks.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include "grpc_meter.hh"
#include "grpc_peer.hh"

namespace bench {
namespace {

[[noreturn]] void die(const std::string &why)
{
    std::fprintf(stderr, "grpc_peer: %s\n", why.c_str());
    std::_Exit(1);
}

void check_echo(const Payload &message, size_t size)
{
    if (message.body().size() != size) {
        die("an answer has " + std::to_string(message.body().size()) + " bytes, not " +
            std::to_string(size));
    }
}

std::shared_ptr<grpc::Channel> connect(const std::string &address, const options &opts)
{
    static std::unique_ptr<server> own; // of an inproc address: this process is both sides
    grpc::ChannelArguments args;
    args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    for (const auto &[key, value] : arguments_of(opts)) {
        args.SetInt(key, value);
    }
    if (address.rfind("inproc:", 0) == 0) {
        own = start_server(address, opts);
        return own->channel(args);
    }
    auto channel =
        grpc::CreateCustomChannel(target_of(address), grpc::InsecureChannelCredentials(), args);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5))) {
        die("no server at " + address);
    }
    return channel;
}

// How much is asked of one connection.
struct load {
    size_t size;
    unsigned outstanding;
    double seconds;
};

// Keeps one unary call in flight.
class unary_caller final : public event {
  public:
    unary_caller(Echo::Stub *stub, grpc::CompletionQueue *queue, meter *meter, size_t size)
        : stub_(stub), queue_(queue), meter_(meter), size_(size)
    {
        request_.set_body(std::string(size, 'x'));
        call();
    }

    void proceed(bool) override
    {
        if (!call_->status.ok()) {
            die("a call failed: " + call_->status.error_message());
        }
        check_echo(response_, size_);
        meter_->tick();
        call();
    }

  private:
    struct state {
        grpc::ClientContext context;
        grpc::Status status;
        std::unique_ptr<grpc::ClientAsyncResponseReader<Payload>> reader;
    };

    void call()
    {
        call_.emplace();
        call_->reader = stub_->AsyncUnary(&call_->context, request_, queue_);
        call_->reader->Finish(&response_, &call_->status, this);
    }

    Echo::Stub *stub_;
    grpc::CompletionQueue *queue_;
    meter *meter_;
    size_t size_;
    Payload request_;
    Payload response_;
    std::optional<state> call_;
};

// Keeps a number of echoes in flight on one stream.
class chat_caller final {
  public:
    chat_caller(Echo::Stub *stub, grpc::CompletionQueue *queue, meter *meter, const load &load,
                bool hint)
        : meter_(meter), size_(load.size), left_(load.outstanding), hint_(hint)
    {
        request_.set_body(std::string(load.size, 'x'));
        stream_ = stub->AsyncChat(&context_, queue, &started_);
    }

  private:
    void started(bool ok)
    {
        require(ok);
        stream_->Read(&response_, &read_);
        write();
    }

    void write()
    {
        writing_ = true;
        left_--;
        grpc::WriteOptions options;
        if (hint_ && left_ > 0) {
            options.set_buffer_hint();
        }
        stream_->Write(request_, options, &written_);
    }

    void written(bool ok)
    {
        require(ok);
        writing_ = false;
        if (left_ > 0) {
            write();
        }
    }

    void read(bool ok)
    {
        require(ok);
        check_echo(response_, size_);
        meter_->tick();
        left_++;
        if (!writing_) {
            write();
        }
        stream_->Read(&response_, &read_);
    }

    void require(bool ok)
    {
        if (!ok) {
            die("the echo stream ended");
        }
    }

    meter *meter_;
    size_t size_;
    unsigned left_; // may still be written
    bool hint_;
    bool writing_ = false;
    grpc::ClientContext context_;
    Payload request_;
    Payload response_;
    std::unique_ptr<grpc::ClientAsyncReaderWriter<Payload, Payload>> stream_;
    step<chat_caller> started_{this, &chat_caller::started};
    step<chat_caller> read_{this, &chat_caller::read};
    step<chat_caller> written_{this, &chat_caller::written};
};

// One endless download.
class download_caller final {
  public:
    download_caller(Echo::Stub *stub, grpc::CompletionQueue *queue, meter *meter, size_t size)
        : meter_(meter), size_(size)
    {
        DownloadRequest request;
        request.set_size(static_cast<uint32_t>(size));
        reader_ = stub->AsyncDownload(&context_, request, queue, &started_);
    }

  private:
    void started(bool)
    {
        reader_->Read(&message_, &read_);
    }

    void read(bool ok)
    {
        if (!ok) {
            die("the download ended");
        }
        check_echo(message_, size_);
        meter_->tick();
        reader_->Read(&message_, &read_);
    }

    meter *meter_;
    size_t size_;
    grpc::ClientContext context_;
    Payload message_;
    std::unique_ptr<grpc::ClientAsyncReader<Payload>> reader_;
    step<download_caller> started_{this, &download_caller::started};
    step<download_caller> read_{this, &download_caller::read};
};

void run_queue(grpc::CompletionQueue *queue, const meter &meter)
{
    void *tag;
    for (bool ok; !meter.over() && queue->Next(&tag, &ok);) {
        static_cast<event *>(tag)->proceed(ok);
    }
}

// Calls a second over one connection on one queue. What is in flight at the end ends with the
// process:
// nothing here is freed while the library may still write to it.
double run_calls(Echo::Stub *stub, const load &load, const options &opts)
{
    auto *queue = new grpc::CompletionQueue;
    meter meter(load.seconds);
    if (opts.bidi) {
        new chat_caller(stub, queue, &meter, load, opts.hint);
    } else {
        for (unsigned i = 0; i < load.outstanding; i++) {
            new unary_caller(stub, queue, &meter, load.size);
        }
    }
    run_queue(queue, meter);
    return meter.per_second();
}

// Shares the outstanding calls among as many threads as there are queues.
double run_connection(const std::string &address, const load &load, const options &opts)
{
    auto *stub = Echo::NewStub(connect(address, opts)).release();
    std::vector<double> rates(opts.queues);
    std::vector<std::thread> threads;
    struct load share = load;
    share.outstanding /= opts.queues;
    for (unsigned i = 1; i < opts.queues; i++) {
        threads.emplace_back([&, i] { rates[i] = run_calls(stub, share, opts); });
    }
    double sum = run_calls(stub, share, opts);
    for (unsigned i = 1; i < opts.queues; i++) {
        threads[i - 1].join();
        sum += rates[i];
    }
    return sum;
}

// The same load from several processes; forked before the library has any thread.
double run_processes(unsigned count, const std::string &address, const load &load,
                     const options &opts)
{
    int ends[2];
    if (pipe(ends) != 0) {
        die("no pipe");
    }
    for (unsigned i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid < 0) {
            die("cannot fork");
        }
        if (pid == 0) {
            double rate = run_connection(address, load, opts);
            std::_Exit(write(ends[1], &rate, sizeof rate) == sizeof rate ? 0 : 1);
        }
    }
    close(ends[1]);
    double sum = 0;
    unsigned answers = 0;
    for (double rate; read(ends[0], &rate, sizeof rate) == sizeof rate; answers++) {
        sum += rate;
    }
    if (answers != count) {
        die("a client process failed");
    }
    return sum;
}

double run_download(const std::string &address, const load &load, const options &opts)
{
    auto *stub = Echo::NewStub(connect(address, opts)).release();
    meter meter(load.seconds);
    if (opts.sync) {
        auto *context = new grpc::ClientContext;
        DownloadRequest request;
        request.set_size(static_cast<uint32_t>(load.size));
        auto *reader = stub->Download(context, request).release();
        for (Payload message; !meter.over() && reader->Read(&message); meter.tick()) {
            check_echo(message, load.size);
        }
    } else {
        auto *queue = new grpc::CompletionQueue;
        new download_caller(stub, queue, &meter, load.size);
        run_queue(queue, meter);
    }
    return meter.per_second();
}

// One call at a time, blocking: the library polls in the caller's own thread.
void run_lone(const std::string &address, const load &load, const options &opts, histogram *times)
{
    auto *stub = Echo::NewStub(connect(address, opts)).release();
    auto *stream_context = new grpc::ClientContext;
    auto *stream = opts.bidi ? stub->Chat(stream_context).release() : nullptr;
    meter meter(load.seconds);
    Payload request;
    Payload response;
    request.set_body(std::string(load.size, 'x'));
    while (!meter.over()) {
        grpc::ClientContext context;
        auto start = steady::now();
        bool ok = opts.bidi ? stream->Write(request) && stream->Read(&response)
                            : stub->Unary(&context, request, &response).ok();
        auto took = steady::now() - start;
        if (!ok) {
            die("a call failed");
        }
        check_echo(response, load.size);
        meter.tick();
        if (meter.warm()) {
            times->add(took);
        }
    }
}

void print(const std::string &name, const options &opts, const char *unit, double value,
           const std::string &more)
{
    std::printf("{\"peer\":\"grpc\",\"case\":\"%s\",\"value\":%.*f,\"unit\":\"%s\"%s,"
                "\"config\":\"%s\"}\n",
                name.c_str(), value < 100 ? 3 : 0, value, unit, more.c_str(), opts.name().c_str());
    std::fflush(stdout);
}

} // namespace

int run_client(const std::string &address, const std::string &name, double seconds,
               const options &opts)
{
    if (name == "unary64x64") {
        print(name, opts, "calls/s", run_connection(address, {64, 64, seconds}, opts), "");
    } else if (name == "unary64x512") {
        print(name, opts, "calls/s", run_connection(address, {64, 512, seconds}, opts), "");
    } else if (name == "unary4096x64") {
        print(name, opts, "calls/s", run_connection(address, {4096, 64, seconds}, opts), "");
    } else if (name == "clients8x8") {
        print(name, opts, "calls/s", run_processes(8, address, {64, 8, seconds}, opts), "");
    } else if (name == "stream64") {
        print(name, opts, "messages/s", run_download(address, {64, 1, seconds}, opts), "");
    } else if (name == "stream65536") {
        double rate = run_download(address, {65536, 1, seconds}, opts);
        print(name, opts, "GB/s", rate * 65536 / 1e9, "");
    } else if (name == "lone") {
        auto times = std::make_unique<histogram>();
        run_lone(address, {64, 1, seconds}, opts, times.get());
        char p99[32];
        std::snprintf(p99, sizeof p99, ",\"p99\":%.1f", times->quantile_us(0.99));
        print(name, opts, "us", times->quantile_us(0.5), p99);
    } else {
        std::printf("unsupported\n");
        return exit_unsupported;
    }
    std::_Exit(0);
}

} // namespace bench
