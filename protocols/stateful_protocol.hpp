#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>

#include <ropewalk/protocols/unread.hpp>
#include <ropewalk/reactor/protocol.hpp>

namespace ropewalk::protocols {

/// A protocol that waits for so and so many bytes, and then for others (`twisted.protocols.stateful`):
///
///     struct Frames : StatefulProtocol {
///         State getInitialState() override { return {&Frames::header, 1}; }
///         State header(std::string_view data) { return {&Frames::body, std::size_t(data[0])}; }
///         State body(std::string_view data) { use(data); return {&Frames::header, 1}; }
///     };
///
/// Nothing is delivered once the connection closes.
class StatefulProtocol : public Protocol {
public:
    /// What is waited for: how many bytes, and the member function that gets them. It returns the next state.
    /// The view that it gets is valid during the call.
    class State {
    public:
        /// The same state again.
        State() = default;
        template <class P>
            requires std::derived_from<P, StatefulProtocol>
        State(State (P::*handler)(std::string_view data), std::size_t size) noexcept
            : handler_(static_cast<Handler>(handler)), size_(size) {}

    private:
        friend class StatefulProtocol;
        using Handler = State (StatefulProtocol::*)(std::string_view data);

        Handler handler_ = nullptr;
        std::size_t size_ = 0;
    };

    void makeConnection(std::shared_ptr<Transport> theTransport) override;
    /// Throws `AssertionError` when there is no state, or when one that waits for nothing stays.
    void dataReceived(std::string_view data) override;

    /// The first state: asked for once, when the connection is made.
    virtual State getInitialState() = 0;

private:
    void deliver();

    detail::Unread unread_;
    State state_;
};

} // namespace ropewalk::protocols
