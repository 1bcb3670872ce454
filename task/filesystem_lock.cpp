#include <ropewalk/task/filesystem_lock.hpp>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <unistd.h>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace ropewalk::task {

namespace {

constexpr Seconds retryInterval{1};

std::error_code lastError() {
    return {errno, std::system_category()};
}

class RealSystem final : public LockSystem {
public:
    std::error_code makeLink(const std::string& name, const std::string& target) override {
        return ::symlink(target.c_str(), name.c_str()) == 0 ? std::error_code() : lastError();
    }
    std::expected<std::string, std::error_code> readLink(const std::string& name) override {
        char target[64];
        const ssize_t length = ::readlink(name.c_str(), target, sizeof target);
        if (length < 0) {
            return std::unexpected(lastError());
        }
        return std::string(target, static_cast<std::size_t>(length));
    }
    std::error_code remove(const std::string& name) override {
        return ::unlink(name.c_str()) == 0 ? std::error_code() : lastError();
    }
    std::error_code findProcess(long id) override {
        return ::kill(static_cast<pid_t>(id), 0) == 0 ? std::error_code() : lastError();
    }
    long ownProcess() override { return ::getpid(); }
};

} // namespace

LockSystem& LockSystem::real() {
    static RealSystem system;
    return system;
}

FilesystemLock::FilesystemLock(std::string name, LockSystem& system)
    : name_(std::move(name)), system_(system) {}

FilesystemLock::~FilesystemLock() {
    if (locked_) {
        try {
            unlock();
        } catch (const std::exception&) {
            locked_ = false; // a forked process has its parent's locks not, nor one that somebody removed
        }
    }
}

void FilesystemLock::refuse(std::error_code code) const {
    throw IOError(code, code.message() + ": '" + name_ + "'");
}

long FilesystemLock::holderIn(const std::string& target) const {
    long id = 0;
    const char* const end = target.data() + target.size();
    const auto [stopped, error] = std::from_chars(target.data(), end, id);
    if (error != std::errc() || stopped != end || id <= 0) {
        throw ValueError("'" + name_ + "' is no lock: it names '" + target + "', not a process");
    }
    return id;
}

bool FilesystemLock::lock() {
    bool clean = true;
    for (;;) {
        const std::error_code made = system_.makeLink(name_, std::to_string(system_.ownProcess()));
        if (!made) {
            locked_ = true;
            clean_ = clean;
            return true;
        }
        if (made != std::errc::file_exists) {
            refuse(made);
        }
        const auto target = system_.readLink(name_);
        if (!target) {
            if (target.error() == std::errc::no_such_file_or_directory) {
                continue;
            }
            refuse(target.error());
        }
        if (system_.findProcess(holderIn(*target)) != std::errc::no_such_process) {
            return false;
        }
        const std::error_code removed = system_.remove(name_);
        if (!removed) {
            clean = false;
        } else if (removed != std::errc::no_such_file_or_directory) {
            refuse(removed);
        }
    }
}

void FilesystemLock::unlock() {
    const auto target = system_.readLink(name_);
    if (!target) {
        refuse(target.error());
    }
    if (holderIn(*target) != system_.ownProcess()) {
        throw ValueError("Lock '" + name_ + "' not owned by this process");
    }
    if (const std::error_code removed = system_.remove(name_)) {
        refuse(removed);
    }
    locked_ = false;
}

bool isLocked(const std::string& name, LockSystem& system) {
    FilesystemLock lock(name, system);
    if (!lock.lock()) {
        return true;
    }
    lock.unlock();
    return false;
}

DeferredFilesystemLock::DeferredFilesystemLock(std::string name)
    : DeferredFilesystemLock(std::move(name), reactor()) {}

DeferredFilesystemLock::DeferredFilesystemLock(std::string name, ReactorTime& scheduler, LockSystem& system)
    : FilesystemLock(std::move(name), system), scheduler_(scheduler) {}

DeferredFilesystemLock::~DeferredFilesystemLock() {
    *self_ = nullptr;
    endWaiting();
}

/// Nothing of it is left afterwards but the Deferred.
defer::Deferred<void> DeferredFilesystemLock::endWaiting() noexcept {
    retry_.cancel();
    timeout_.cancel();
    return std::exchange(waiting_, nullptr);
}

defer::Deferred<void> DeferredFilesystemLock::deferUntilLocked(std::optional<Seconds> timeout,
                                                               std::source_location where) {
    if (waiting_) {
        return defer::fail(Failure(defer::AlreadyTryingToLockError(), where), where);
    }
    try {
        if (lock()) {
            return defer::succeed(where);
        }
    } catch (...) {
        return defer::fail(Failure(where), where);
    }
    defer::Deferred<void> d(
        [self = self_] {
            if (*self != nullptr) {
                (*self)->cancelled();
            }
        },
        where);
    if (ReactorTime* clock = scheduler_.get()) {
        if (timeout) {
            timeout_ = clock->callLater(Delay(*timeout, where), [this, timeout] { timedOut(*timeout); });
        }
        retry_ = clock->callLater(Delay(retryInterval, where), [this] { retry(); });
    }
    waiting_ = d;
    return d;
}

void DeferredFilesystemLock::retry() {
    bool taken = false;
    try {
        taken = lock();
    } catch (...) {
        endWaiting().errback();
        return;
    }
    if (taken) {
        endWaiting().callback();
    } else if (ReactorTime* clock = scheduler_.get()) {
        retry_ = clock->callLater(retryInterval, [this] { retry(); });
    }
}

void DeferredFilesystemLock::timedOut(Seconds timeout) {
    const defer::Deferred<void> d = endWaiting();
    if (!tryLastTime(d)) {
        d.errback(defer::TimeoutError(timeout.count(), "acquiring the lock " + name()));
    }
}

// When this fires nothing, what cancels fails the Deferred.
void DeferredFilesystemLock::cancelled() {
    tryLastTime(endWaiting());
}

/// Says whether it has fired the Deferred.
bool DeferredFilesystemLock::tryLastTime(const defer::Deferred<void>& d) {
    bool taken = false;
    try {
        taken = lock();
    } catch (...) {
        d.errback();
        return true;
    }
    if (taken) {
        d.callback();
    }
    return taken;
}

} // namespace ropewalk::task
