#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/flow/instruction.hpp>
#include <ropewalk/flow/runner.hpp>
#include <ropewalk/flow/source.hpp>
#include <ropewalk/flow/together.hpp>

namespace ropewalk::flow {

namespace detail {

template <class S>
class BufferStage;

} // namespace detail

/// Takes results of a source ahead of whoever takes them from it, `limit` at most: the source goes on while the rest of the
/// flow pauses for something else, and is asked for no more while the buffer is full. So a slow flow holds up a fast source,
/// and a connection beneath it reads no more. Twisted has none. Throws `ValueError` for a limit of 0.
///
/// A recipe, for `wrap`, a controller, or another one.
template <class S>
class Buffer {
public:
    using Held = detail::BufferStage<S>;

    template <class X>
    Buffer(X&& x, std::size_t theLimit) : source(detail::source(std::forward<X>(x))), limit(theLimit) {
        if (limit == 0) {
            throw ValueError("a buffer for no results");
        }
    }

    S source;
    std::size_t limit;
};
template <class X>
Buffer(X&&, std::size_t) -> Buffer<detail::SourceOf<X>>;

namespace detail {

/// Steps through a source by itself, beside the flow that it is part of.
class Ahead : private Walk {
public:
    explicit Ahead(StageBase& stage) noexcept : Walk(&stage) {}
    Ahead(const Ahead&) = delete;
    Ahead& operator=(const Ahead&) = delete;

    bool isAsleep() const noexcept { return asleep_; }
    /// For the flow, while there is nothing to take.
    Instruction& pause() noexcept { return pause_; }

protected:
    ~Ahead() = default;

    /// The flow's own run, which it waits with.
    void stepFor(detail::Run& run) noexcept {
        if (&run != &closedRun()) { // which all threads have
            run_.pointTo(run);
        }
    }
    /// For the destructor of what derives from it, while the source is there: nothing wakes it any more.
    void leave() noexcept;
    /// True when the source is ready; else it will be woken, and then `go` is called.
    bool advance(StageBase& source);
    /// The flow goes on, if it waits for this.
    void wakeFlow();

    virtual void go() = 0;

private:
    class Waker;
    class Pause final : public Together {
    public:
        explicit Pause(Ahead& ahead) noexcept : ahead_(ahead) {}
        void callLater(ReactorTime& clock, Wake wake) override;
        void cancel() override;

    private:
        Ahead& ahead_;
    };

    void arm(Instruction& pause, Wake wake) override;

    PointerTo<Run> run_; // null when the flow that asked for it last is gone
    PointerTo<Instruction> pausedBy_;
    std::uint64_t sleep_ = 0;
    Waker* waker_ = nullptr; // what may wake it keeps this
    bool asleep_ = false;
    bool arming_ = false;
    Pause pause_{*this};
};

template <class S>
class BufferStage final : public Stage<ResultOf<S>>, private Ahead {
public:
    explicit BufferStage(Buffer<S> buffer)
        : Ahead(static_cast<StageBase&>(*this)), source_(std::move(buffer.source)), limit_(buffer.limit) {}
    ~BufferStage() override { this->leave(); }

    Progress step(detail::Run& run) override {
        this->stepFor(run);
        if (!isAsleep() && !filling_ && !over() && this->results.size() <= limit_ / 2) {
            owner_ = this->owner();
            fill();
        }
        return this->isReady() ? Progress() : Progress{nullptr, &this->pause()};
    }
    GeneratorNode* ownerOf(const StageBase& source) noexcept override {
        return source_.owns(source) ? owner_ : nullptr;
    }

private:
    bool over() const noexcept { return this->stop || this->failure; }
    void go() override {
        StageBase* const last = std::exchange(this->asker, nullptr); // may be gone
        fill();
        comesTo(*this, this->asker == nullptr ? last : this->asker);
        if (this->isReady()) {
            this->wakeFlow();
        }
    }
    void fill() {
        auto& source = source_.get();
        filling_ = true;
        try {
            while (!over() && this->results.size() < limit_ && this->advance(source)) {
                if (!source.results.empty()) {
                    take(source.results);
                } else if (source.stop) {
                    this->stop = true;
                } else {
                    source.stop = true;
                    this->failure = source.failure;
                }
            }
        } catch (...) {
            this->failed(Failure());
        }
        filling_ = false;
    }
    void take(Results<ItemOf<S>>& made) {
        if (made.size() <= limit_ - this->results.size()) {
            this->results.append(made);
        } else {
            while (this->results.size() < limit_) {
                this->results.emplace(made.popFront());
            }
        }
    }

    Hold<S> source_;
    std::size_t limit_;
    GeneratorNode* owner_ = nullptr;
    bool filling_ = false;
};

} // namespace detail
} // namespace ropewalk::flow
