// The server: asynchronous, one thread for each completion queue, or the callback API's own
// threads.
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "grpc_server.hh"

namespace bench {

void build_server(grpc::ServerBuilder *builder, const std::string &address, grpc::Service *service,
                  const options &opts)
{
    builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    for (const auto &[key, value] : arguments_of(opts)) {
        builder->AddChannelArgument(key, value);
    }
    if (address.rfind("inproc:", 0) != 0) {
        builder->AddListeningPort(target_of(address), grpc::InsecureServerCredentials());
    }
    builder->RegisterService(service);
}

namespace {

constexpr unsigned unary_slots = 512; // as many calls as any case has in flight, so that none waits
constexpr unsigned stream_slots = 16;

using queue_service = Echo::AsyncService;

// One unary call after another. The message is kept from call to call, so its memory is
// allocated once;
// the answer is the request itself, which spares the copy that an arena could not.
class unary_slot final : event {
  public:
    unary_slot(queue_service *service, grpc::ServerCompletionQueue *queue)
        : service_(service), queue_(queue)
    {
        wait();
    }

  private:
    struct call {
        grpc::ServerContext context;
        grpc::ServerAsyncResponseWriter<Payload> writer{&context};
    };

    void wait()
    {
        call_.emplace();
        finishing_ = false;
        service_->RequestUnary(&call_->context, &message_, &call_->writer, queue_, queue_, this);
    }

    void proceed(bool ok) override
    {
        if (!ok && !finishing_) {
            return; // the server stops
        }
        if (finishing_) {
            wait();
            return;
        }
        finishing_ = true;
        call_->writer.Finish(message_, grpc::Status::OK, this);
    }

    queue_service *service_;
    grpc::ServerCompletionQueue *queue_;
    std::optional<call> call_;
    Payload message_;
    bool finishing_ = false;
};

// One echo stream after another. Messages that cannot be written yet wait in a queue.
class chat_slot final {
  public:
    chat_slot(queue_service *service, grpc::ServerCompletionQueue *queue, bool hint)
        : service_(service), queue_(queue), hint_(hint)
    {
        wait();
    }

  private:
    struct call {
        grpc::ServerContext context;
        grpc::ServerAsyncReaderWriter<Payload, Payload> stream{&context};
    };

    void wait()
    {
        call_.emplace();
        pending_.clear();
        writing_ = closing_ = false;
        service_->RequestChat(&call_->context, &call_->stream, queue_, queue_, &started_);
    }

    void started(bool ok)
    {
        if (ok) {
            call_->stream.Read(&incoming_, &read_);
        }
    }

    void read(bool ok)
    {
        if (!ok) {
            closing_ = true;
            finish_when_idle();
            return;
        }
        pending_.push_back(std::move(incoming_));
        if (!writing_) {
            write();
        }
        call_->stream.Read(&incoming_, &read_);
    }

    void write()
    {
        writing_ = true;
        grpc::WriteOptions options;
        if (hint_ && pending_.size() > 1) {
            options.set_buffer_hint();
        }
        call_->stream.Write(pending_.front(), options, &written_);
    }

    void written(bool ok)
    {
        writing_ = false;
        pending_.pop_front();
        if (!ok) {
            pending_.clear();
        }
        if (!pending_.empty()) {
            write();
        } else if (closing_) {
            finish_when_idle();
        }
    }

    void finish_when_idle()
    {
        if (!writing_) {
            call_->stream.Finish(grpc::Status::OK, &finished_);
        }
    }

    void finished(bool)
    {
        wait();
    }

    queue_service *service_;
    grpc::ServerCompletionQueue *queue_;
    bool hint_;
    std::optional<call> call_;
    Payload incoming_;
    std::deque<Payload> pending_;
    bool writing_ = false;
    bool closing_ = false;
    step<chat_slot> started_{this, &chat_slot::started};
    step<chat_slot> read_{this, &chat_slot::read};
    step<chat_slot> written_{this, &chat_slot::written};
    step<chat_slot> finished_{this, &chat_slot::finished};
};

// One download after another.
class download_slot final {
  public:
    download_slot(queue_service *service, grpc::ServerCompletionQueue *queue, bool hint)
        : service_(service), queue_(queue), hint_(hint)
    {
        wait();
    }

  private:
    struct call {
        grpc::ServerContext context;
        grpc::ServerAsyncWriter<Payload> writer{&context};
    };

    void wait()
    {
        call_.emplace();
        service_->RequestDownload(&call_->context, &request_, &call_->writer, queue_, queue_,
                                  &started_);
    }

    void started(bool ok)
    {
        if (!ok) {
            return;
        }
        message_.set_body(std::string(request_.size(), 'x'));
        left_ = request_.count() == 0 ? UINT64_MAX : request_.count();
        written(true);
    }

    void written(bool ok)
    {
        if (!ok || left_ == 0) {
            call_->writer.Finish(grpc::Status::OK, &finished_);
            return;
        }
        left_--;
        grpc::WriteOptions options;
        if (hint_ && left_ % flush_every != 0) {
            options.set_buffer_hint();
        }
        call_->writer.Write(message_, options, &written_);
    }

    void finished(bool)
    {
        wait();
    }

    queue_service *service_;
    grpc::ServerCompletionQueue *queue_;
    bool hint_;
    std::optional<call> call_;
    DownloadRequest request_;
    Payload message_;
    uint64_t left_ = 0;
    step<download_slot> started_{this, &download_slot::started};
    step<download_slot> written_{this, &download_slot::written};
    step<download_slot> finished_{this, &download_slot::finished};
};

// Its threads end with the process.
class queue_server final : public server {
  public:
    bool start(const std::string &address, const options &opts)
    {
        grpc::ServerBuilder builder;
        build_server(&builder, address, &service_, opts);
        for (unsigned i = 0; i < opts.queues; i++) {
            queues_.push_back(builder.AddCompletionQueue());
        }
        server_ = builder.BuildAndStart();
        if (server_ == nullptr) {
            return false;
        }
        for (auto &queue : queues_) {
            std::thread([this, q = queue.get(), opts] { serve(q, opts); }).detach();
        }
        return true;
    }

    std::shared_ptr<grpc::Channel> channel(const grpc::ChannelArguments &args) override
    {
        return server_->InProcessChannel(args);
    }

  private:
    void serve(grpc::ServerCompletionQueue *queue, const options &opts)
    {
        std::deque<unary_slot> unary;
        std::deque<chat_slot> chats;
        std::deque<download_slot> downloads;
        for (unsigned i = 0; i < unary_slots; i++) {
            unary.emplace_back(&service_, queue);
        }
        for (unsigned i = 0; i < stream_slots; i++) {
            chats.emplace_back(&service_, queue, opts.hint);
            downloads.emplace_back(&service_, queue, opts.hint);
        }
        void *tag;
        for (bool ok; queue->Next(&tag, &ok);) {
            static_cast<event *>(tag)->proceed(ok);
        }
    }

    queue_service service_;
    std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
    std::unique_ptr<grpc::Server> server_;
};

} // namespace

std::unique_ptr<server> start_server(const std::string &address, const options &opts)
{
    if (opts.callback) {
        return start_callback_server(address, opts);
    }
    auto server = std::make_unique<queue_server>();
    return server->start(address, opts) ? std::move(server) : nullptr;
}

} // namespace bench
