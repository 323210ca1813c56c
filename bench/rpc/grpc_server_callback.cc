// The same three methods on the callback API, whose threads are the library's own.
#include <deque>
#include <mutex>

#include "grpc_server.hh"

namespace bench {
namespace {

// Reads and writes end in different threads.
class callback_chat final : public grpc::ServerBidiReactor<Payload, Payload> {
  public:
    explicit callback_chat(bool hint) : hint_(hint)
    {
        StartRead(&incoming_);
    }

    void OnReadDone(bool ok) override
    {
        std::lock_guard<std::mutex> guard(lock_);
        if (!ok) {
            closing_ = true;
            finish_when_idle();
            return;
        }
        pending_.push_back(std::move(incoming_));
        if (!writing_) {
            write();
        }
        StartRead(&incoming_);
    }

    void OnWriteDone(bool ok) override
    {
        std::lock_guard<std::mutex> guard(lock_);
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

    void OnDone() override
    {
        delete this;
    }

  private:
    void write()
    {
        writing_ = true;
        grpc::WriteOptions options;
        if (hint_ && pending_.size() > 1) {
            options.set_buffer_hint();
        }
        StartWrite(&pending_.front(), options);
    }

    void finish_when_idle()
    {
        if (!writing_) {
            Finish(grpc::Status::OK);
        }
    }

    std::mutex lock_; // guards all below
    bool hint_;
    Payload incoming_;
    std::deque<Payload> pending_;
    bool writing_ = false;
    bool closing_ = false;
};

class callback_download final : public grpc::ServerWriteReactor<Payload> {
  public:
    callback_download(const DownloadRequest &request, bool hint)
        : hint_(hint), left_(request.count() == 0 ? UINT64_MAX : request.count())
    {
        message_.set_body(std::string(request.size(), 'x'));
        OnWriteDone(true);
    }

    void OnWriteDone(bool ok) override
    {
        if (!ok || left_ == 0) {
            Finish(grpc::Status::OK);
            return;
        }
        left_--;
        grpc::WriteOptions options;
        if (hint_ && left_ % flush_every != 0) {
            options.set_buffer_hint();
        }
        StartWrite(&message_, options);
    }

    void OnDone() override
    {
        delete this;
    }

  private:
    bool hint_;
    Payload message_;
    uint64_t left_;
};

class callback_service final : public Echo::CallbackService {
  public:
    explicit callback_service(bool hint) : hint_(hint)
    {
    }

    grpc::ServerUnaryReactor *Unary(grpc::CallbackServerContext *context, const Payload *request,
                                    Payload *response) override
    {
        response->set_body(request->body());
        auto *reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }

    grpc::ServerBidiReactor<Payload, Payload> *Chat(grpc::CallbackServerContext *) override
    {
        return new callback_chat(hint_);
    }

    grpc::ServerWriteReactor<Payload> *Download(grpc::CallbackServerContext *,
                                                const DownloadRequest *request) override
    {
        return new callback_download(*request, hint_);
    }

  private:
    bool hint_;
};

class callback_server final : public server {
  public:
    explicit callback_server(bool hint) : service_(hint)
    {
    }

    bool start(const std::string &address, const options &opts)
    {
        grpc::ServerBuilder builder;
        build_server(&builder, address, &service_, opts);
        server_ = builder.BuildAndStart();
        return server_ != nullptr;
    }

    std::shared_ptr<grpc::Channel> channel(const grpc::ChannelArguments &args) override
    {
        return server_->InProcessChannel(args);
    }

  private:
    callback_service service_;
    std::unique_ptr<grpc::Server> server_;
};

} // namespace

std::unique_ptr<server> start_callback_server(const std::string &address, const options &opts)
{
    auto server = std::make_unique<callback_server>(opts.hint);
    return server->start(address, opts) ? std::move(server) : nullptr;
}

} // namespace bench
