#pragma once

#include <source_location>
#include <string>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/flow/instruction.hpp>

namespace ropewalk::flow::detail {

/// Pauses a flow until a Deferred, of whatever type, has fired; its result stays its own.
class DeferredInstruction : public CallLater {
public:
    /// A handle that goes with this: it doesn't count any more when the flow waits.
    template <class T>
    explicit DeferredInstruction(defer::Deferred<T>&& deferred, std::source_location where)
        : chain_(take(deferred, where)), where_(where) {}
    /// One that stays.
    template <class T>
    explicit DeferredInstruction(const defer::Deferred<T>& deferred, std::source_location where)
        : DeferredInstruction(defer::Deferred<T>(deferred), where) {}
    DeferredInstruction(DeferredInstruction&& other) noexcept
        : chain_(std::exchange(other.chain_, nullptr)), where_(other.where_) {}
    DeferredInstruction& operator=(DeferredInstruction&&) = delete;
    ~DeferredInstruction() override;

    /// Whether there is nothing to wait for.
    bool isOver() const noexcept { return chain_ == nullptr || chain_->idle(); }

    void callLater(ReactorTime& clock, Wake wake) override;
    void cancel() override;
    bool isPending() const noexcept override { return wait_ != nullptr; }
    std::string str() const override { return "Deferred"; }

protected:
    /// Null when it is waited for.
    defer::detail::Chain* chain() const noexcept { return chain_; }
    /// It has a result, and its callbacks run.
    virtual void fired(defer::detail::Chain&) {}

private:
    class Wait;
    struct Also;

    template <class T>
    static defer::detail::Chain* take(defer::Deferred<T>& deferred, std::source_location where) {
        if (!deferred) {
            defer::detail::throwEmpty("a flow", where);
        }
        return defer::detail::Access::steal(deferred);
    }

    defer::detail::Chain* chain_; // owned, until it is waited for
    Wait* wait_ = nullptr;        // the chain's own
    std::source_location where_;
};

} // namespace ropewalk::flow::detail
