#include <ropewalk/flow/channel.hpp>

#include <vector>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::flow::detail {

Channel::Channel(Reactor& reactor, std::size_t limit) noexcept
    : Link{nullptr, nullptr}, limit_(limit), reactor_(reactor) {
    alone();
}

Channel::~Channel() = default;

void Channel::open() {
    if (!reactor_.attached<Channels>().add(*this)) {
        abandon();
    }
}

void Channel::close() noexcept {
    unlink();
    alone();
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        flowWaits_ = false;
        room_.notify_one();
    }
    turn_.cancel();
    const Wake dropped = std::exchange(wake_, nullptr);
}

/// The reactor stops: the thread ends, and then the flow is told.
void Channel::abandon() noexcept {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    if (!ended_) {
        ended_ = true;
        failure_ = Failure(AbandonedError("the reactor stops, and with it a thread of a flow"));
    }
    room_.notify_one();
}

bool Channel::isClosed() const noexcept {
    const std::lock_guard lock(mutex_);
    return closed_;
}

void Channel::end(Failure failure) noexcept {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
        ended_ = true;
        failure_ = std::move(failure);
    }
    if (std::exchange(flowWaits_, false)) {
        wakeLater();
    }
}

bool Channel::added(Lock& lock, std::size_t waiting) {
    if (closed_) {
        return false;
    }
    if (flowWaits_) {
        flowWaits_ = false;
        wakeLater();
    }
    if (waiting >= limit_) {
        threadWaits_ = true;
        room_.wait(lock, [this] { return closed_ || !hasResults(); });
        threadWaits_ = false;
    }
    return !closed_;
}

bool Channel::taken(bool any, bool& stop, std::optional<Failure>& failure) {
    if (any && threadWaits_) {
        room_.notify_one();
    }
    if (ended_) {
        if (failure_.empty()) {
            stop = true;
        } else {
            failure = failure_;
        }
        return true;
    }
    owesTurn_ = any;
    return any;
}

/// In the thread. The flow has gone to sleep, so this is no matter of speed.
void Channel::wakeLater() {
    reactor_.callFromThread([self = shared_from_this()] { self->rouse(); });
}

void Channel::rouse() {
    turn_.cancel();
    std::exchange(wake_, nullptr)();
}

void Channel::Pause::callLater(ReactorTime& clock, Wake wake) {
    channel_.wake_ = std::move(wake);
    {
        const std::lock_guard lock(channel_.mutex_);
        channel_.flowWaits_ = !channel_.ended_ && !channel_.hasResults();
        if (channel_.flowWaits_) {
            return;
        }
    }
    channel_.turn_ = clock.callLater(Seconds(0), [&channel = channel_] { channel.rouse(); });
}

void Channel::Pause::cancel() {
    channel_.turn_.cancel();
    const Wake dropped = std::exchange(channel_.wake_, nullptr);
}

Channels::Channels(Reactor& reactor) : reactor_(reactor), itself_(std::make_shared<Channels*>(this)) {
    all_.alone();
    watch();
}

Channels::~Channels() {
    *itself_ = nullptr;
    while (!all_.isAlone()) {
        auto& channel = static_cast<Channel&>(*all_.next);
        channel.unlink();
        channel.alone();
        channel.abandon();
    }
}

bool Channels::add(Channel& channel) noexcept {
    all_.insert(channel);
    return !stopping_;
}

void Channels::watch() {
    reactor_.addSystemEventTrigger("before", "shutdown", [itself = itself_] {
        if (*itself != nullptr) {
            (*itself)->stopAll();
        }
    });
}

// Whichever of the two events comes first ends it: a run that crashes has no "after".
void Channels::stopAll() {
    stopping_ = true;
    const auto over = [itself = itself_] {
        if (*itself != nullptr) {
            (*itself)->stopped();
        }
    };
    reactor_.addSystemEventTrigger("after", "shutdown", over);
    reactor_.addSystemEventTrigger("before", "startup", over);
    std::vector<std::shared_ptr<Channel>> channels;
    for (ropewalk::detail::Link* at = all_.next; at != &all_; at = at->next) {
        channels.push_back(static_cast<Channel&>(*at).shared_from_this());
    }
    for (const std::shared_ptr<Channel>& channel : channels) {
        channel->abandon();
        channel->rouse();
    }
}

void Channels::stopped() {
    if (std::exchange(stopping_, false)) {
        watch();
    }
}

} // namespace ropewalk::flow::detail
