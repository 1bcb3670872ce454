#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/flow/followed.hpp>
#include <ropewalk/reactor/delayed_call.hpp>

namespace ropewalk {
class ReactorTime;
}

namespace ropewalk::flow {

namespace detail {

/// What a `Wake` wakes. It counts those who keep it: when the last one goes, nothing can wake it any more, and it goes too.
class Sleeper {
public:
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    void retain() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) {
            dispose();
        }
    }

    /// `sleep` is what its `Wake` was made with.
    virtual void wake(std::uint64_t sleep) = 0;

protected:
    Sleeper() = default;
    virtual ~Sleeper() = default;

private:
    void dispose() noexcept;

    std::uint32_t references_ = 1;
};

} // namespace detail

/// Lets a paused flow go on, at once, whoever calls it: the callable that Twisted gives to `callLater`. Cheap to copy; the
/// first call counts, all others do nothing. While a flow is paused, its Wakes own it: when all are dropped uncalled it can't
/// go on any more, and is closed, and reported as abandoned. It belongs to one thread.
class Wake {
public:
    Wake(const Wake& other) noexcept : sleeper_(other.sleeper_), sleep_(other.sleep_) {
        if (sleeper_ != nullptr) {
            sleeper_->retain();
        }
    }
    Wake(Wake&& other) noexcept : sleeper_(std::exchange(other.sleeper_, nullptr)), sleep_(other.sleep_) {}
    Wake& operator=(Wake other) noexcept {
        std::swap(sleeper_, other.sleeper_);
        std::swap(sleep_, other.sleep_);
        return *this;
    }
    ~Wake() {
        if (sleeper_ != nullptr) {
            sleeper_->release();
        }
    }

    void operator()() const {
        if (sleeper_ != nullptr) {
            const Wake kept = *this; // the flow may drop this one
            sleeper_->wake(sleep_);
        }
    }

    /// For the library.
    Wake(detail::Sleeper& sleeper, std::uint64_t sleep) noexcept : sleeper_(&sleeper), sleep_(sleep) {
        sleeper.retain();
    }
    Wake(std::nullptr_t) noexcept : sleeper_(nullptr), sleep_(0) {}
    explicit operator bool() const noexcept { return sleeper_ != nullptr; }

private:
    detail::Sleeper* sleeper_;
    std::uint64_t sleep_;
};

/// What pauses a flow when it is yielded: `twisted.flow.base.Instruction`. Where it is yielded as a temporary, it lives until
/// the flow goes on; else it has to. This one no controller knows.
class Instruction : public detail::Followed {
public:
    virtual ~Instruction() = default;

    /// Calls `wake` when the flow may go on, or at once. Throws `Unsupported`.
    virtual void callLater(ReactorTime& clock, Wake wake);
    /// The flow that it has paused was cancelled, and will be closed.
    virtual void cancel() {}
    /// Whether it will still call a Wake. Another flow that comes to it meanwhile, by a stage that both ask, gives it one too.
    virtual bool isPending() const noexcept { return false; }
    /// For `Unsupported`: how it is called.
    virtual std::string str() const;

protected:
    Instruction() = default;
    Instruction(const Instruction&) = default;
    Instruction& operator=(const Instruction&) = default;
};

/// The base of instructions that know when a flow may go on: `twisted.flow.base.CallLater`.
class CallLater : public Instruction {
public:
    void callLater(ReactorTime& clock, Wake wake) override = 0;
};

/// Pauses a flow, so that others have their turn, for that time at least: `flow.Cooperate`. A flow pauses by a copy of its own.
class Cooperate : public CallLater {
public:
    explicit Cooperate(Seconds theTimeout = Seconds(0)) noexcept : timeout(theTimeout) {}
    Cooperate(const Cooperate& other) noexcept : CallLater(other), timeout(other.timeout) {}
    Cooperate& operator=(const Cooperate& other) noexcept {
        timeout = other.timeout;
        return *this;
    }

    void callLater(ReactorTime& clock, Wake wake) override;
    void cancel() override;
    bool isPending() const noexcept override { return call_.active(); }
    std::string str() const override;

    Seconds timeout;

private:
    ScopedCall call_;
    std::vector<Wake> others_; // who came to it later, and waits for the same moment
};

} // namespace ropewalk::flow
