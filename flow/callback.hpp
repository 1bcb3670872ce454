#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/flow/instruction.hpp>
#include <ropewalk/flow/stage.hpp>
#include <ropewalk/reactor/producer.hpp>

namespace ropewalk::flow {

namespace detail {

/// Pauses a flow until somebody calls it.
class CallbackPause final : public CallLater {
public:
    void callLater(ReactorTime&, Wake wake) override { wake_ = std::move(wake); }
    void cancel() override { drop(); }
    std::string str() const override { return "Callback"; }

    bool isAwaited() const noexcept { return static_cast<bool>(wake_); }
    void wake() { std::exchange(wake_, nullptr)(); }
    void drop() noexcept { const Wake dropped = std::exchange(wake_, nullptr); }

private:
    Wake wake_ = nullptr;
};

/// A consumer whose producer is held up while too much waits for a flow.
class Fed : public Consumer {
public:
    Fed(const Fed&) = delete;
    Fed& operator=(const Fed&) = delete;

    /// From now on `producer` is asked for results: a streaming one is paused while the limit is reached, and resumed when
    /// the flow asks for more and has taken all; any other is resumed now, and whenever the flow asks and nothing is there.
    /// Throws `RuntimeError` if there is one. One that comes after the end is stopped at once.
    void registerProducer(std::shared_ptr<Producer> producer, bool streaming) override;
    void unregisterProducer() override;

protected:
    Fed() = default;
    ~Fed() override = default;

    /// A result has come that nobody waits for.
    void holdUp();
    /// A result has come.
    void resultCame() noexcept { asked_ = false; }
    /// True if the producer was asked, and there may be results.
    bool askProducer();
    /// Nobody will take any more.
    void leaveProducer() noexcept;

    virtual bool isOver() const noexcept = 0;
    virtual bool isEmpty() const noexcept = 0;

private:
    std::shared_ptr<Producer> producer_;
    bool streaming_ = false;
    bool paused_ = false;
    bool asked_ = false; // a pull producer, since its last result
};

template <class T>
concept Text = std::convertible_to<const T&, std::string_view>;

template <class T>
inline constexpr std::size_t usualLimit = Text<T> ? 65536 : 1024;

template <class T>
std::size_t bytesOf(const T& text) noexcept {
    return std::string_view(text).size();
}
/// Null where results are only counted.
template <class T>
constexpr auto usualSize() noexcept -> std::size_t (*)(const T&) {
    if constexpr (Text<T>) {
        return bytesOf<T>;
    } else {
        return nullptr;
    }
}

} // namespace detail

/// A stage whose results are pushed into it: `flow.Callback`. A flow that waits for one goes on within the call.
///
///     flow::Callback<int> numbers;
///     auto sum = flow::Deferred(adding(numbers));
///     numbers.result(1);
///     numbers.finish();
///
/// It stays in its place and is referred to; one flow waits for it at a time. When it goes, a flow that waits for it is
/// closed, and reported as abandoned.
///
/// As a `Consumer` it holds its producer up while `limit` is reached by what waits for the flow: the number of results, or
/// the sum of `sizeOf(result)`; bytes for strings. It belongs to one thread.
template <class T>
class Callback : public Stage<T>, public detail::Fed {
public:
    using SizeOf = std::size_t (*)(const T&);

    explicit Callback(std::size_t limit = detail::usualLimit<T>,
                      SizeOf sizeOf = detail::usualSize<T>()) noexcept
        : limit_(limit), sizeOf_(sizeOf) {}
    ~Callback() override {
        pause_.drop();
        this->leaveProducer();
    }

    /// One more result.
    template <class U = T>
        requires std::constructible_from<T, U&&>
    void result(U&& x) {
        if (this->results.empty()) {
            size_ = 0;
        }
        this->results.emplace(std::forward<U>(x));
        size_ += sizeOf_ == nullptr ? 1 : sizeOf_(this->results[this->results.size() - 1]);
        this->resultCame();
        if (pause_.isAwaited()) {
            pause_.wake();
        } else if (size_ >= limit_) {
            this->holdUp();
        }
    }
    template <class U = T>
        requires std::constructible_from<T, U&&>
    void operator()(U&& x) {
        result(std::forward<U>(x));
    }
    /// That was all. Throws `AssertionError` if it has failed.
    void finish() {
        if (this->failure) {
            throw AssertionError("a Callback that has failed can't be finished");
        }
        finished_ = true;
        pause_.wake();
    }
    /// It fails, after the results that are there. Without an argument: with the exception that is being handled.
    void errback(Failure theFailure = Failure()) {
        this->failed(std::move(theFailure));
        pause_.wake();
    }

    detail::Progress step(detail::Run&) override {
        while (!this->isReady()) {
            if (finished_) {
                this->stop = true;
            } else if (!this->askProducer()) {
                return {nullptr, &pause_};
            }
        }
        return {};
    }

protected:
    /// What a flow pauses with that waits for this.
    const Instruction& ownPause() const noexcept { return pause_; }
    void setLimit(std::size_t limit) noexcept { limit_ = limit; }

private:
    bool isOver() const noexcept override { return finished_ || this->stop || this->failure; }
    bool isEmpty() const noexcept override { return this->results.empty(); }

    detail::CallbackPause pause_;
    std::size_t limit_;
    SizeOf sizeOf_;
    std::size_t size_ = 0; // of the results that have come since there were none
    bool finished_ = false;
};

} // namespace ropewalk::flow
