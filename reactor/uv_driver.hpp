#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <ropewalk/reactor/driver.hpp>

struct uv_loop_s;

namespace ropewalk {

namespace detail {
class Lookups;
}

/// The driver of real programs: a libuv loop of its own, with one timer and one wake-up.
///
/// The first one of a process has SIGPIPE ignored, unless the program has set a handler for it: a write to a
/// closed connection is an error like others.
class UvDriver final : public Driver {
public:
    /// Throws `IOError` if the system refuses what a loop needs.
    UvDriver();
    /// Looks up the addresses of a host, with port 0; it may block. Threads call it, several at once.
    using LookupFunction =
        std::function<std::error_code(const std::string& host, std::vector<Address>& found)>;
    /// With that in place of `getaddrinfo`.
    explicit UvDriver(LookupFunction lookUp);
    /// Doesn't wait for names that are being looked up.
    ~UvDriver() override;

    std::int64_t now() override;
    std::int64_t wallTime() override { return systemWallTime(); }
    void poll(std::int64_t until) override;
    void wake() noexcept override;
    std::unique_ptr<Watch> watchSignal(int number, SignalListener& listener, Takeover takeover) override;
    std::unique_ptr<ListeningSocket> listen(const Address& address, int backlog, bool reusePort,
                                            AcceptListener& listener) override;
    std::unique_ptr<ListeningSocket> adoptListener(int descriptor, int family,
                                                   AcceptListener& listener) override;
    StreamHandle connect(const Address& address, const Address& from, StreamListener& listener) override;
    StreamHandle adoptStream(int descriptor, int family, Address& peer) override;
    /// At most 16 names are looked up at a time, each in a thread. One that takes long keeps its thread, also
    /// when nobody waits for it any more, and none but that.
    std::unique_ptr<Watch> resolve(std::string_view host, LookupListener& listener) override;
    std::unique_ptr<Worker> startWorker(const char* name, std::unique_ptr<Work> work) override;
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

    LookupFunction lookUp_;
    std::unique_ptr<detail::Lookups> lookups_;
    State* state_;
};

} // namespace ropewalk
