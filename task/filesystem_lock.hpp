#pragma once

#include <expected>
#include <optional>
#include <source_location>
#include <string>
#include <system_error>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/defer/shared.hpp>
#include <ropewalk/reactor/clock_pointer.hpp>
#include <ropewalk/reactor/delayed_call.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk {

namespace defer {

/// `defer.AlreadyTryingToLockError`: `deferUntilLocked` while another one of the same lock waits.
class AlreadyTryingToLockError : public Exception {
public:
    using Exception::Exception;
    AlreadyTryingToLockError() : Exception("deferUntilLocked isn't safe for concurrent use.") {}
};

} // namespace defer

namespace task {

/// What a `FilesystemLock` asks of the system: to be replaced in tests. Each gives the system's own error.
class LockSystem {
public:
    /// The system that the program runs on. It lives as long as the program.
    static LockSystem& real();

    virtual std::error_code makeLink(const std::string& name, const std::string& target) = 0;
    virtual std::expected<std::string, std::error_code> readLink(const std::string& name) = 0;
    virtual std::error_code remove(const std::string& name) = 0;
    /// No error if there is such a process, `no_such_process` if there is none.
    virtual std::error_code findProcess(long id) = 0;
    virtual long ownProcess() = 0;

protected:
    LockSystem() = default;
    LockSystem(const LockSystem&) = default;
    LockSystem& operator=(const LockSystem&) = default;
    ~LockSystem() = default;
};

/// A lock that processes have in common: `lockfile.FilesystemLock`. It is a symbolic link, which names nothing but the
/// number of the process that holds it. That of a process that is gone may be taken by any other.
///
/// It is released when this object goes, if this process holds it by it. Objects of the same name in one process keep
/// each other out too; threads must not share one.
class FilesystemLock {
public:
    explicit FilesystemLock(std::string name, LockSystem& system = LockSystem::real());
    FilesystemLock(const FilesystemLock&) = delete;
    FilesystemLock& operator=(const FilesystemLock&) = delete;
    ~FilesystemLock();

    /// Takes the lock, and says whether it could. Throws `IOError` when the system refuses it for other reasons than
    /// that the lock is held, `ValueError` when something else than a lock has its name.
    bool lock();
    /// Gives it back. Throws `ValueError` when this process doesn't hold it, `IOError` when there is no such lock.
    void unlock();

    /// Whether it is held by way of this object.
    bool locked() const noexcept { return locked_; }
    /// Whether its last holder gave it back, rather than ended with it; after a successful `lock`.
    bool clean() const noexcept { return clean_; }
    /// The file's.
    const std::string& name() const noexcept { return name_; }

private:
    long holderIn(const std::string& target) const;
    [[noreturn]] void refuse(std::error_code code) const;

    std::string name_;
    LockSystem& system_;
    bool locked_ = false;
    bool clean_ = false;
};

/// Whether somebody holds the lock of that name: `lockfile.isLocked`. Takes it for a moment; throws what `lock` does.
bool isLocked(const std::string& name, LockSystem& system = LockSystem::real());

/// A `FilesystemLock` that can be waited for: `defer.DeferredFilesystemLock`. It belongs to the thread of its clock, and
/// may go before that, or after it. When it goes, whoever waits is let go of, unfired.
class DeferredFilesystemLock : public FilesystemLock {
public:
    /// On the clock of the thread's reactor.
    explicit DeferredFilesystemLock(std::string name);
    DeferredFilesystemLock(std::string name, ReactorTime& scheduler, LockSystem& system = LockSystem::real());
    ~DeferredFilesystemLock();

    /// Tries to take the lock, now and then every second; the Deferred fires when it is taken. After `timeout`, if
    /// there is one, it is tried a last time, and the Deferred fails with `defer::TimeoutError`; when it is cancelled, it
    /// is likewise tried a last time, and fails with `CancelledError`. What else `lock` throws is its failure too. While one
    /// waits, another fails with `AlreadyTryingToLockError`.
    defer::Deferred<void> deferUntilLocked(std::optional<Seconds> timeout = std::nullopt,
                                           std::source_location where = std::source_location::current());

private:
    void retry();
    void timedOut(Seconds timeout);
    void cancelled();
    bool tryLastTime(const defer::Deferred<void>& d);
    defer::Deferred<void> endWaiting() noexcept;

    ropewalk::detail::ClockPointer scheduler_;
    defer::detail::Shared<DeferredFilesystemLock*> self_{std::in_place, this}; // null when it is gone
    defer::Deferred<void> waiting_ = nullptr;
    ScopedCall retry_;
    ScopedCall timeout_;
};

} // namespace task
} // namespace ropewalk
