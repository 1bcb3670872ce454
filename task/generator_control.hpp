#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <source_location>
#include <utility>

/// The engine under `Generator`, which needs no knowledge of its types.
namespace ropewalk::task::detail {

/// Where a generator is, and what is asked of it. It lies in front of the coroutine's frame, in one allocation, and
/// outlives it: the frame goes when the generator has ended, this with the last handle.
class GeneratorControl {
public:
    GeneratorControl(const GeneratorControl&) = delete;
    GeneratorControl& operator=(const GeneratorControl&) = delete;

    void retain() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) {
            dispose();
        }
    }

    /// Goes on to the next `co_yield`; false if there is none any more, and then this may be gone. What escapes the
    /// generator comes out.
    bool resume() {
        if (state_ > State::suspended) [[unlikely]] {
            return refuse();
        }
        goOn();
        return conclude();
    }
    /// The halves of `resume`, for one that is suspended.
    void goOn() {
        state_ = State::running;
        frame_.resume();
    }
    bool conclude() {
        if (attention_) [[unlikely]] {
            return attend();
        }
        return state_ == State::suspended;
    }
    bool needsAttention() const noexcept { return attention_; }
    /// The same, with this error raised where it waits.
    bool resumeWith(std::exception_ptr error);
    void close();

    bool running() const noexcept { return state_ == State::running; }
    bool finished() const noexcept { return state_ == State::finished; }
    bool unstarted() const noexcept { return state_ == State::unstarted; }
    bool suspended() const noexcept { return state_ == State::suspended; }
    std::source_location began() const noexcept { return began_; }
    bool isShared() const noexcept { return references_ > 1; }
    /// Whether that address is within its frame, and the frame lives no longer than the one handle that there is.
    bool keeps(const void* address) const noexcept;
    /// Whether that address is within its frame.
    bool holds(const void* address) const noexcept;

    // For the coroutine.

    void begin(void* frame, std::source_location where) noexcept {
        checkFrame(frame, where);
        began_ = where;
        references_ = 1;
    }
    bool isAsked() const noexcept { return wish_ != Wish::none; }
    void suspend() noexcept { state_ = State::suspended; }
    /// Raises what is to be raised where it waits.
    void obey() {
        if (wish_ != Wish::none) [[unlikely]] {
            raise();
        }
    }
    void escaped() noexcept;

protected:
    GeneratorControl(void* frame, std::size_t size) noexcept
        : frame_(std::coroutine_handle<>::from_address(frame)), frameSize_(size) {}
    virtual ~GeneratorControl() = default;

    /// The frame is gone.
    void frameGone() noexcept {
        const bool neverBegun = state_ == State::unstarted && references_ == 0;
        state_ = State::finished;
        if (neverBegun) {
            free();
        }
    }

private:
    enum class State : std::uint8_t { unstarted, suspended, running, finished };
    enum class Wish : std::uint8_t { none, exit, error };

    void checkFrame(void* frame, std::source_location where) const;
    bool refuse();
    bool attend();
    [[noreturn]] void raise();
    void dispose() noexcept;
    void closeQuietly() noexcept;
    void destroyFrame() noexcept;
    void destroyUnstarted() noexcept;
    void free() noexcept;

    std::coroutine_handle<> frame_;
    std::size_t frameSize_;
    std::uint32_t references_ = 0; // none while it runs without handles, or isn't begun
    State state_ = State::unstarted;
    Wish wish_ = Wish::none;
    bool attention_ = false; // whoever resumes it has something to see to
    bool closing_ = false;
    std::exception_ptr error_; // to be raised, or escaped
    std::source_location began_;
};

/// For a State that derives from GeneratorControl and is made as State(frame, size): it goes in front of the frame.
template <class State>
struct InFrontOfFrame {
    /// The memory of a frame of `size` bytes, with a state in front of it.
    static void* allocate(std::size_t size) {
        void* memory = ::operator new(room() + size);
        void* frame = static_cast<char*>(memory) + room();
        ::new (memory) State(frame, size);
        return frame;
    }
    static State& ofFrame(void* frame) noexcept {
        return *std::launder(reinterpret_cast<State*>(static_cast<char*>(frame) - room()));
    }

private:
    static constexpr std::size_t room() noexcept {
        constexpr std::size_t alignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
        return (sizeof(State) + alignment - 1) / alignment * alignment;
    }
};

[[noreturn]] void throwStopIteration();
[[noreturn]] void throwEmptyGenerator();
[[noreturn]] void throwJustStarted();
[[noreturn]] void throwNotReturned(const GeneratorControl& generator);

} // namespace ropewalk::task::detail
