#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/flow/callback.hpp>
#include <ropewalk/flow/living_flows.hpp>
#include <ropewalk/flow/source.hpp>
#include <ropewalk/reactor/producer.hpp>
#include <ropewalk/reactor/transport.hpp>
#include <ropewalk/task/ref.hpp>

/// The flow of a connection, and the part of a protocol that has to do with it.
namespace ropewalk::flow::detail {

class Conversation;

/// Runs beside its connection. While it waits for the connection it goes with the protocol, while it waits for something
/// else it keeps the protocol.
class ConnectionFlow : public LivingFlow {
protected:
    ConnectionFlow(Conversation& conversation, ReactorTime& clock, std::source_location madeAt)
        : LivingFlow(clock, madeAt), conversation_(&conversation) {}

    void arm(Instruction& pause, Wake wake) override;

private:
    friend class Conversation;

    virtual StageBase& root() = 0;
    virtual void closeRoot() noexcept = 0;

    bool advanceToEnd() override;
    void fail(Failure failure) noexcept override { failure_ = std::move(failure); }
    void close() noexcept override;
    void fire() override;

    Conversation* conversation_; // null once it has nothing to do with it
    std::shared_ptr<void> kept_; // the protocol
    Failure failure_{nullptr};
};

/// What a flow protocol is besides a protocol and a Callback.
class Conversation {
public:
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    /// Whether the flow is to write no more for now.
    bool isFull() const noexcept { return full_; }
    Instruction& drained() noexcept { return drained_; }
    /// Writes, or counts what goes nowhere since the connection is lost.
    template <class T>
    void write(T&& item) {
        if (lost_) [[unlikely]] {
            wasted_ += std::max<std::size_t>(std::string_view(item).size(), 1);
        } else if constexpr (std::same_as<T, std::string>) {
            link_->write(std::forward<T>(item));
        } else {
            link_->write(std::string_view(item));
        }
    }
    /// A connection that is lost would hold up a flow for ever that has written so much.
    bool wastesTooMuch() const noexcept { return wasted_ > mostWasted; }

protected:
    Conversation() noexcept = default;
    ~Conversation() = default;

    /// There is a connection. `held`: the transport may pause the flow.
    void gainLink(const std::shared_ptr<Transport>& transport, bool held);
    void beginFlow(const task::detail::Ref<ConnectionFlow>& flow);
    /// There is none any more.
    void loseLink() noexcept;
    /// The flow asks for what was received.
    void flowReads() noexcept { wasted_ = 0; }
    bool isLost() const noexcept { return lost_; }
    /// The flow goes on as far as it has waited for the transport.
    void wakeWriter() { drained_.wake(); }
    /// The protocol goes: its flow does, too.
    void endFlow() noexcept;
    /// The producer whose data the flow is given.
    std::shared_ptr<Producer> reading() noexcept {
        return {std::shared_ptr<void>(), static_cast<Producer*>(&reading_)};
    }

    /// Calls f(), and then raises what the flow has failed with meanwhile: in a call of the transport, which makes it the
    /// reason of the connection's end.
    template <class F>
    void withinCall(F&& f) {
        struct Inside {
            explicit Inside(int& theCount) noexcept : count(theCount) { ++count; }
            Inside(const Inside&) = delete;
            Inside& operator=(const Inside&) = delete;
            ~Inside() { --count; }
            int& count;
        };
        {
            const Inside inside(calls_);
            f();
        }
        if (!error_.empty() && calls_ == 0) [[unlikely]] {
            std::exchange(error_, Failure(nullptr)).raiseException();
        }
    }

    template <class X>
    task::detail::Ref<ConnectionFlow> flowOf(X&& x, ReactorTime& clock, std::source_location where);

private:
    friend class ConnectionFlow;
    class Writing;

    /// Tells the transport's reading when to pause.
    class Reading final : public Producer {
    public:
        explicit Reading(Conversation& conversation) noexcept : conversation_(conversation) {}
        void pauseProducing() override;
        void resumeProducing() override;
        void stopProducing() override {}

    private:
        Conversation& conversation_;
    };

    static constexpr std::size_t mostWasted = 65536;

    /// Keeps the protocol; null if it isn't shared.
    virtual std::shared_ptr<void> keep() noexcept = 0;
    virtual const Instruction& waitsForData() const noexcept = 0;

    bool isOwn(const Instruction& pause) const noexcept {
        return &pause == &drained_ || &pause == &waitsForData();
    }
    void flowEnded() noexcept;
    void flowFailed(Failure failure) noexcept;

    ConnectionFlow* flow_ = nullptr;
    std::shared_ptr<Transport> link_;
    std::shared_ptr<Writing> writing_; // while it is registered with the transport
    CallbackPause drained_;
    Reading reading_{*this};
    Failure error_{nullptr};
    std::size_t wasted_ = 0;
    int calls_ = 0;
    bool full_ = false;
    bool lost_ = false;
};

/// Writes what a source makes.
template <class S>
class WritingStage final : public Stage<void> {
    using Item = ItemOf<S>;
    static_assert(
        std::same_as<Item, NoItem> || Text<Item>,
        "ropewalk: what the flow of a connection makes is written, so it has to be strings; a flow without "
        "results is a flow::Generator<>");

public:
    WritingStage(S source, Conversation& conversation)
        : source_(std::move(source)), conversation_(conversation) {}

    Progress step(Run& run) override {
        auto& source = source_.get();
        for (;;) {
            if (conversation_.isFull()) {
                return {nullptr, &conversation_.drained()};
            }
            const Progress progress = this->ask(source, run);
            if (!progress.isReady()) {
                return progress;
            }
            if (!source.results.empty()) {
                write(source);
            } else {
                stop = source.stop;
                if (!source.stop) {
                    source.stop = true;
                    failure = source.failure;
                }
                return {};
            }
            if (conversation_.wastesTooMuch()) {
                stop = true;
                return {};
            }
        }
    }
    GeneratorNode* ownerOf(const StageBase& source) noexcept override {
        return source_.owns(source) ? this->owner() : nullptr;
    }

private:
    void write(Stage<ResultOf<S>>& source) {
        if constexpr (!std::same_as<Item, NoItem>) {
            while (!source.results.empty() && !conversation_.isFull()) {
                conversation_.write(source.results.popFront());
            }
        }
    }

    Hold<S> source_;
    Conversation& conversation_;
};

template <class S>
class WritingFlow final : public ConnectionFlow {
public:
    WritingFlow(S source, Conversation& conversation, ReactorTime& clock, std::source_location where)
        : ConnectionFlow(conversation, clock, where), root_(std::in_place, std::move(source), conversation) {}
    ~WritingFlow() override { this->abandon(); }

private:
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): there is one until closeRoot
    StageBase& root() override { return *root_; }
    void closeRoot() noexcept override { root_.reset(); }

    std::optional<WritingStage<S>> root_;
};

template <class X>
task::detail::Ref<ConnectionFlow> Conversation::flowOf(X&& x, ReactorTime& clock,
                                                       std::source_location where) {
    using Flow = WritingFlow<SourceOf<X>>;
    return task::detail::Ref<ConnectionFlow>::adopt(
        *new Flow(detail::source(std::forward<X>(x)), *this, clock, where));
}

} // namespace ropewalk::flow::detail
