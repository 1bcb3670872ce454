#include <ropewalk/reactor/uv_driver.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>

#include <unistd.h>
#include <uv.h>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/signal_disposition.hpp>
#include <ropewalk/reactor/socket_address.hpp>
#include <ropewalk/reactor/uv_resolver.hpp>
#include <ropewalk/reactor/uv_stream.hpp>

namespace ropewalk {

namespace {

constexpr std::int64_t nanosecondsPerMillisecond = 1'000'000;

void check(int status, const char* what) {
    if (status < 0) {
        throw IOError(std::error_code(-status, std::system_category()), what);
    }
}

template <class Handle>
uv_handle_t* base(Handle* handle) noexcept {
    return reinterpret_cast<uv_handle_t*>(handle);
}

void ignoreBrokenPipes() {
    static std::mutex mutex;
    static pid_t doneIn = 0;
    const std::lock_guard lock(mutex);
    if (std::exchange(doneIn, getpid()) == getpid()) {
        return;
    }
    struct sigaction current = {};
    if (sigaction(SIGPIPE, nullptr, &current) == 0 && (current.sa_flags & SA_SIGINFO) == 0 &&
        current.sa_handler == SIG_DFL) {
        std::signal(SIGPIPE, SIG_IGN);
    }
}

class UvSignalWatch final : public Watch {
public:
    UvSignalWatch(uv_loop_t* loop, int number, SignalListener& listener) : disposition_(number) {
        handle_ = static_cast<uv_signal_t*>(std::malloc(sizeof(uv_signal_t)));
        if (handle_ == nullptr) {
            throw std::bad_alloc();
        }
        handle_->data = &listener;
        if (const int status = uv_signal_init(loop, handle_); status < 0) {
            std::free(handle_);
            check(status, "can't watch a signal");
        }
        if (const int status = uv_signal_start(handle_, received, number); status < 0) {
            close();
            check(status, "can't watch a signal");
        }
    }
    ~UvSignalWatch() override { close(); }

private:
    static void received(uv_signal_t* handle, int number) {
        static_cast<SignalListener*>(handle->data)->signalReceived(number);
    }
    void close() noexcept {
        uv_close(base(handle_), [](uv_handle_t* handle) { std::free(handle); });
    }

    // Restored after the handle is closed, which resets it.
    detail::SignalDisposition disposition_;
    uv_signal_t* handle_;
};

} // namespace

struct UvDriver::State {
    static void expired(uv_timer_t* timer);
    static void prepare(uv_prepare_t* beforeWaiting);
    static void woken(uv_async_t* waker);

    void arm(std::int64_t until) noexcept;

    uv_loop_t loop;
    uv_timer_t timer;
    uv_async_t waker;
    uv_prepare_t beforeWaiting;
    std::int64_t armedFor = forever;
    detail::UvReading reading;
    std::int64_t (*deadline)(void* context) = nullptr;
    void* context = nullptr;
};

// libuv runs timers before it waits as well as afterwards: unless it is told to stop, it would go on to wait
// without one.
void UvDriver::State::expired(uv_timer_t* timer) {
    static_cast<State*>(timer->data)->armedFor = forever;
    uv_stop(timer->loop);
}

void UvDriver::State::prepare(uv_prepare_t* beforeWaiting) {
    auto& state = *static_cast<State*>(beforeWaiting->data);
    const std::int64_t until = state.deadline(state.context);
    if (until <= 0) {
        uv_stop(&state.loop);
    } else {
        state.arm(std::min(until, state.armedFor));
    }
}

void UvDriver::State::arm(std::int64_t until) noexcept {
    if (until == armedFor) {
        return;
    }
    armedFor = until;
    if (until == forever) {
        uv_timer_stop(&timer);
        return;
    }
    // libuv's idea of the time may be old, and a timer is set relative to it.
    uv_update_time(&loop);
    const auto now = static_cast<std::int64_t>(uv_now(&loop));
    const std::int64_t then =
        until / nanosecondsPerMillisecond + (until % nanosecondsPerMillisecond != 0 ? 1 : 0);
    uv_timer_start(&timer, expired, then > now ? static_cast<std::uint64_t>(then - now) : 0, 0);
}

void UvDriver::State::woken(uv_async_t* waker) {
    if (detail::Lookups* lookups = static_cast<UvDriver*>(waker->data)->lookups_.get()) {
        lookups->deliver();
    }
}

UvDriver::UvDriver() : UvDriver(LookupFunction()) {}

UvDriver::UvDriver(LookupFunction lookUp) : lookUp_(std::move(lookUp)), state_(new State) {
    ignoreBrokenPipes();
    State& state = *state_;
    if (const int status = uv_loop_init(&state.loop); status < 0) {
        delete state_;
        check(status, "can't make a libuv loop");
    }
    uv_timer_init(&state.loop, &state.timer);
    uv_prepare_init(&state.loop, &state.beforeWaiting);
    state.timer.data = &state;
    state.beforeWaiting.data = &state;
    state.waker.data = this;
    if (const int status = uv_async_init(&state.loop, &state.waker, &State::woken); status < 0) {
        uv_close(base(&state.timer), nullptr);
        uv_close(base(&state.beforeWaiting), nullptr);
        uv_run(&state.loop, UV_RUN_NOWAIT);
        uv_loop_close(&state.loop);
        delete state_;
        check(status, "can't make a libuv loop");
    }
}

UvDriver::~UvDriver() {
    lookups_.reset();
    State& state = *state_;
    uv_close(base(&state.timer), nullptr);
    uv_close(base(&state.beforeWaiting), nullptr);
    uv_close(base(&state.waker), nullptr);
    uv_run(&state.loop, UV_RUN_NOWAIT);
    if (uv_loop_close(&state.loop) == UV_EBUSY) {
        log::error("A reactor goes, but handles of others on its libuv loop are still open: it is leaked.");
        return;
    }
    delete state_;
}

std::int64_t UvDriver::now() {
    return static_cast<std::int64_t>(uv_hrtime());
}

std::int64_t UvDriver::systemWallTime() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

void UvDriver::poll(std::int64_t until) {
    State& state = *state_;
    ++state.reading.round;
    if (until <= 0) {
        uv_run(&state.loop, UV_RUN_NOWAIT);
        return;
    }
    state.arm(until);
    uv_run(&state.loop, UV_RUN_ONCE);
}

void UvDriver::shareLoop(std::int64_t (*deadline)(void* context), void* context) {
    State& state = *state_;
    if (state.deadline == nullptr) {
        state.deadline = deadline;
        state.context = context;
        uv_prepare_start(&state.beforeWaiting, &State::prepare);
    }
}

void UvDriver::wake() noexcept {
    uv_async_send(&state_->waker);
}

std::unique_ptr<Watch> UvDriver::watchSignal(int number, SignalListener& listener, Takeover takeover) {
    if (takeover == Takeover::ifUnhandled && !detail::SignalDisposition::isDefault(number)) {
        return nullptr;
    }
    return std::make_unique<UvSignalWatch>(&state_->loop, number, listener);
}

std::unique_ptr<ListeningSocket> UvDriver::listen(const Address& address, int backlog, bool reusePort,
                                                  AcceptListener& listener) {
    return std::make_unique<detail::UvListeningSocket>(
        &state_->loop, state_->reading, detail::listeningSocket(address, backlog, reusePort), listener);
}

std::unique_ptr<ListeningSocket> UvDriver::adoptListener(int descriptor, int family,
                                                         AcceptListener& listener) {
    return std::make_unique<detail::UvListeningSocket>(&state_->loop, state_->reading,
                                                       detail::adoptedSocket(descriptor, family), listener);
}

StreamHandle UvDriver::connect(const Address& address, const Address& from, StreamListener& listener) {
    auto* made = new (state_->reading) detail::UvStream(&state_->loop, state_->reading);
    StreamHandle stream(made);
    stream->setListener(listener);
    if (from) {
        if (const std::error_code error = made->bind(from)) {
            throw ConnectBindError(error);
        }
    }
    if (const std::error_code error = made->connect(address)) {
        std::rethrow_exception(getConnectError(error));
    }
    return stream;
}

StreamHandle UvDriver::adoptStream(int descriptor, int family, Address& peer) {
    auto* made = new (state_->reading) detail::UvStream(&state_->loop, state_->reading);
    StreamHandle stream(made);
    if (const std::error_code error = made->open(detail::adoptedSocket(descriptor, family))) {
        throw IOError(error, "can't adopt a connection");
    }
    peer = detail::peerAddress(descriptor);
    return stream;
}

void UvDriver::random(void* bytes, std::size_t size) {
    check(uv_random(nullptr, nullptr, bytes, size, 0, nullptr), "no random numbers");
}

uv_loop_s* UvDriver::loop() noexcept {
    return &state_->loop;
}

} // namespace ropewalk
