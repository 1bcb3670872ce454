#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <ropewalk/reactor/driver.hpp>

struct uv_loop_s;

namespace ropewalk {

/// The driver of real programs: a libuv loop of its own, with one timer and one wake-up.
///
/// The first one of a process has SIGPIPE ignored, unless the program has set a handler for it: a write to a
/// closed connection is an error like others.
class UvDriver final : public Driver {
public:
    /// Throws `IOError` if the system refuses what a loop needs.
    UvDriver();
    ~UvDriver() override;

    std::int64_t now() override;
    std::int64_t wallTime() override { return systemWallTime(); }
    void poll(std::int64_t until) override;
    void wake() noexcept override;
    std::unique_ptr<Watch> watchSignal(int number, SignalListener& listener, Takeover takeover) override;
    void random(void* bytes, std::size_t size) override;

    /// What `wallTime` gives. Any thread.
    static std::int64_t systemWallTime();

    /// The loop itself. It must not be run, stopped or closed.
    uv_loop_s* loop() noexcept;

    /// Handles of others may be on the loop from now on. Those are served inside `poll` before it waits, and
    /// what they call may want it to wait less long: so it asks `deadline(context)` again, which gives a
    /// moment as `until` is.
    void shareLoop(std::int64_t (*deadline)(void* context), void* context);

private:
    struct State;

    State* state_;
};

} // namespace ropewalk
