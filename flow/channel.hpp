#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/flow/instruction.hpp>
#include <ropewalk/flow/results.hpp>
#include <ropewalk/reactor/call.hpp>
#include <ropewalk/reactor/reactor.hpp>

/// The way of results from a thread to a flow.
namespace ropewalk::flow::detail {

/// All but the results. The thread and the stage own it. What isn't guarded by the mutex is the reactor's thread's.
class Channel : private ropewalk::detail::Link, public std::enable_shared_from_this<Channel> {
public:
    Channel(Reactor& reactor, std::size_t limit) noexcept;
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    // The reactor's thread.

    /// It is in use: a reactor that stops closes it, too.
    void open();
    /// Nobody takes results any more: the thread is to end. Afterwards nothing is woken.
    void close() noexcept;
    /// Whether a batch was taken, and the reactor hasn't had its turn since; asked once, the answer is no.
    bool owesTurn() noexcept { return std::exchange(owesTurn_, false); }
    Instruction& pause() noexcept { return pause_; }

    // The thread.

    bool isClosed() const noexcept;
    /// There is no more. `failure` may be empty.
    void end(Failure failure) noexcept;

protected:
    ~Channel();

    using Lock = std::unique_lock<std::mutex>;

    // The thread, with the mutex held, after results were added.

    /// Sees to it that the flow goes on, and waits while there is no room. False if it is to end.
    bool added(Lock& lock, std::size_t waiting);

    // The reactor's thread, with the mutex held.

    /// The results were taken, if there were any.
    bool taken(bool any, bool& stop, std::optional<Failure>& failure);

    mutable std::mutex mutex_;
    bool closed_ = false; // guarded; once there is to be no more in `results`

private:
    friend class Channels;

    /// Waits for results; where there are some, gives the reactor its turn.
    class Pause final : public CallLater {
    public:
        explicit Pause(Channel& channel) noexcept : channel_(channel) {}
        void callLater(ReactorTime& clock, Wake wake) override;
        void cancel() override;
        std::string str() const override { return "Threaded"; }

    private:
        Channel& channel_;
    };

    void abandon() noexcept;
    void rouse();
    void wakeLater();
    virtual bool hasResults() const noexcept = 0;

    const std::size_t limit_;
    Reactor& reactor_; // the thread: while it works for its pool

    // Guarded.
    std::condition_variable room_;
    bool threadWaits_ = false;
    bool flowWaits_ = false;
    bool ended_ = false;
    Failure failure_{nullptr};

    Pause pause_{*this};
    Wake wake_ = nullptr;
    ScopedCall turn_;
    bool owesTurn_ = false;
};

/// Those of a reactor that are in use. When it stops, and when it goes, their threads are to end, since the pool waits for them.
class Channels {
public:
    explicit Channels(Reactor& reactor);
    Channels(const Channels&) = delete;
    Channels& operator=(const Channels&) = delete;
    ~Channels();

    /// False when the reactor stops just now.
    bool add(Channel& channel) noexcept;

private:
    void watch();
    void stopAll();
    void stopped();

    Reactor& reactor_;
    ropewalk::detail::Link all_{nullptr, nullptr};
    bool stopping_ = false;
    std::shared_ptr<Channels*> itself_;
};

template <class T>
class ChannelOf final : public Channel {
public:
    using Channel::Channel;

    /// The thread: false if it is to end.
    template <class U>
    bool push(U&& item) {
        Lock lock(this->mutex_);
        if (!this->closed_) {
            results_.emplace(std::forward<U>(item));
        }
        return this->added(lock, results_.size());
    }
    template <class Items>
    bool pushAll(Items&& items) {
        Lock lock(this->mutex_);
        if (!this->closed_) {
            for (auto&& item : items) {
                if constexpr (std::is_lvalue_reference_v<Items>) {
                    results_.emplace(item);
                } else {
                    results_.emplace(std::move(item));
                }
            }
        }
        return this->added(lock, results_.size());
    }

    /// The reactor's thread: whether there was anything, an end included.
    bool take(Results<T>& results, bool& stop, std::optional<Failure>& failure) {
        const Lock lock(this->mutex_);
        const bool any = !results_.empty();
        if (any) {
            results.append(results_);
        }
        return this->taken(any, stop, failure);
    }

private:
    bool hasResults() const noexcept override { return !results_.empty(); }

    Results<T> results_; // guarded
};

} // namespace ropewalk::flow::detail
