#include <ropewalk/reactor/uv_resolver.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <netdb.h>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/reactor/name_resolver.hpp>
#include <ropewalk/reactor/socket_address.hpp>

namespace ropewalk::detail {

namespace {

constexpr Seconds idleTime{5};

std::error_code lookupError(int number) {
    return number == EAI_SYSTEM ? std::error_code(errno, std::system_category())
                                : std::error_code(number, lookupCategory());
}

} // namespace

std::error_code lookUpByTheSystem(const std::string& host, std::vector<Address>& found) {
    if (host.find('\0') != std::string::npos) {
        return lookupError(EAI_NONAME);
    }
    addrinfo hints = {};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    if (const int status = getaddrinfo(host.c_str(), nullptr, &hints, &first); status != 0) {
        return lookupError(status);
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(first, &freeaddrinfo);
    for (const addrinfo* each = first; each != nullptr; each = each->ai_next) {
        SocketAddress address;
        address.size = std::min<socklen_t>(each->ai_addrlen, sizeof address.storage);
        std::memcpy(&address.storage, each->ai_addr, address.size);
        Address name = fromSystem(address);
        if (name && std::ranges::find(found, name) == found.end()) {
            found.push_back(std::move(name));
        }
    }
    return found.empty() ? lookupError(EAI_NONAME) : std::error_code();
}

struct Lookups::Request {
    std::string host;
    LookupListener* listener; // null when nobody wants it any more
    bool begun = false;
    std::vector<Address> found = {};
    std::error_code error = {};
};

struct Lookups::State {
    State(Driver& theDriver, UvDriver::LookupFunction function)
        : driver(&theDriver), lookUp(std::move(function)) {}

    std::mutex mutex;
    Driver* driver; // null when it is gone
    UvDriver::LookupFunction lookUp;
    std::deque<std::shared_ptr<Request>> queue;
    std::vector<std::shared_ptr<Request>> done;
    int threads = 0; // those that take from the queue
};

class Lookups::Pending final : public Watch {
public:
    Pending(std::shared_ptr<State> state, std::shared_ptr<Request> request) noexcept
        : state_(std::move(state)), request_(std::move(request)) {}
    ~Pending() override {
        const std::lock_guard lock(state_->mutex);
        request_->listener = nullptr;
        if (!request_->begun) {
            std::erase(state_->queue, request_);
        }
    }

private:
    std::shared_ptr<State> state_;
    std::shared_ptr<Request> request_;
};

Lookups::Lookups(Driver& driver, UvDriver::LookupFunction lookUp)
    : state_(std::make_shared<State>(driver, std::move(lookUp))),
      threads_(driver, 0, mostThreads, "look-ups", idleTime) {
    threads_.start();
}

Lookups::~Lookups() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->driver = nullptr;
        state_->queue.clear();
        state_->done.clear();
    }
    threads_.abandon();
}

std::unique_ptr<Watch> Lookups::start(std::string_view host, LookupListener& listener) {
    auto request = std::make_shared<Request>(Request{.host = std::string(host), .listener = &listener});
    auto pending = std::make_unique<Pending>(state_, request);
    bool needsThread = false;
    {
        const std::lock_guard lock(state_->mutex);
        state_->queue.push_back(std::move(request));
        needsThread = state_->threads < mostThreads;
        state_->threads += needsThread ? 1 : 0;
    }
    if (needsThread) {
        try {
            threads_.callInThread([state = state_] { work(*state); });
        } catch (...) {
            const std::lock_guard lock(state_->mutex);
            if (--state_->threads == 0) {
                throw;
            }
        }
    }
    return pending;
}

void Lookups::work(State& state) {
    std::unique_lock lock(state.mutex);
    while (!state.queue.empty()) {
        const std::shared_ptr<Request> request = std::move(state.queue.front());
        state.queue.pop_front();
        request->begun = true;
        lock.unlock();
        try {
            request->error = state.lookUp(request->host, request->found);
        } catch (const std::bad_alloc&) {
            request->error = lookupError(EAI_MEMORY);
        } catch (...) {
            request->error = lookupError(EAI_FAIL);
        }
        lock.lock();
        if (request->listener != nullptr && state.driver != nullptr) {
            state.done.push_back(request);
            state.driver->wake();
        }
    }
    --state.threads;
}

// What is found meanwhile wakes the driver anew, so that others have their turn before it.
void Lookups::deliver() noexcept {
    std::vector<std::shared_ptr<Request>> done;
    {
        const std::lock_guard lock(state_->mutex);
        done.swap(state_->done);
    }
    for (const std::shared_ptr<Request>& request : done) {
        LookupListener* listener = nullptr;
        {
            const std::lock_guard lock(state_->mutex);
            listener = std::exchange(request->listener, nullptr);
        }
        if (listener != nullptr) {
            listener->lookedUp(std::move(request->found), request->error);
        }
    }
}

} // namespace ropewalk::detail

namespace ropewalk {

std::unique_ptr<Watch> UvDriver::resolve(std::string_view host, LookupListener& listener) {
    if (lookups_ == nullptr) {
        lookups_ = std::make_unique<detail::Lookups>(
            *this, lookUp_ ? std::move(lookUp_) : LookupFunction(&detail::lookUpByTheSystem));
    }
    return lookups_->start(host, listener);
}

} // namespace ropewalk
